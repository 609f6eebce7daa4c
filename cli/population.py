"""`population OUT`: an invented English population, as the national sources would report it."""

import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from cli.output import Json, Output
from cli.session import session
from domain.errors import BadInput, Unavailable
from ingest.population.files import FILES, TextOut, write
from ingest.population.numbers import CHILDREN
from ingest.population.slips import Draw

_BUFFER = 1 << 20


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(population)


def population(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="A folder; made if it is not there. No file is written over.")],
    children: Annotated[
        int, typer.Option("--children", min=1, max=CHILDREN, help="How many children there are.")
    ],
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**63 - 1, help="The same seed gives the same files.")
    ],
) -> None:
    """Write an invented population, as every source would report it, and the truth of who is who."""
    run = session(context)
    if out.exists() and not out.is_dir():
        raise BadInput("OUT is not a folder. Name one, or one to be made.", code="not-a-folder", field="out")
    if any((out / name).exists() for name in FILES.values()):
        raise BadInput(
            "OUT holds such files already, and none is written over. Name another folder, or remove them.",
            code="not-empty",
            field="out",
        )
    began = time.monotonic()
    try:
        out.mkdir(parents=True, exist_ok=True)
        records = _written(out, children, seed, run.output)
    except OSError:
        raise Unavailable(
            "The files cannot be written. Is there space, and may you write to OUT? What was begun is removed.",
            code="cannot-write",
            field="out",
        ) from None
    answer = {"children": children, "records": records, "seconds": round(time.monotonic() - began, 3)}
    run.output.answer(answer, _words)


def draws(seed: str) -> Draw:
    """A sequence of draws in [0, 1): `Random.random` alone has a sequence that Python promises to keep.

    A seed that is a string is hashed by SHA-512, which no setting of the process changes.
    """
    return Random(seed).random  # noqa: S311 - it invents people; nothing is kept secret by it


def _written(out: Path, children: int, seed: int, output: Output) -> int:
    """Write all files, or none: what was begun is removed where it cannot be ended, or is stopped."""
    began = time.monotonic()
    with ExitStack() as made, output.progress() as bar, ExitStack() as opened:
        task = bar.add_task("population", total=children, rate="")

        def progressed(done: int) -> None:
            rate = done / max(time.monotonic() - began, 1e-6)
            bar.update(task, completed=done, rate=f"{rate:,.0f} children/s")

        files: dict[str, TextOut] = {}
        for source, name in FILES.items():
            path = out / name
            files[source] = opened.enter_context(
                path.open("x", encoding="utf-8", newline="\n", buffering=_BUFFER)
            )
            made.callback(path.unlink, missing_ok=True)
        records = write(children, seed, draws, files, progressed)
        opened.close()
        made.pop_all()
    return records


def _words(answer: Json) -> str:
    return f"{answer['children']:,} children, {answer['records']:,} records in {answer['seconds']:.1f} s."
