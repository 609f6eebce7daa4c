"""`load KIND FILE…`: bring in a source's file. Safe to stop, repeat and take back."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import Json
from cli.parsing import uuid_of
from cli.session import session
from domain.errors import BadInput
from ingest.source_record import REMEDIES, Code

KINDS = ("births", "child-benefit", "pds", "case-management", "school-census", "ctf")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(load)


def load(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help=f"{', '.join(KINDS)}.")],
    files: Annotated[list[Path] | None, typer.Argument(help="The files.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    withdraw: Annotated[str | None, typer.Option("--withdraw", help="Take back a file by its id.")] = None,
) -> None:
    """Load source files into the index, or withdraw one. Loading a file twice changes nothing."""
    run = session(context)
    if kind not in KINDS:
        raise BadInput(f"The kind of source is one of {', '.join(KINDS)}.", code="usage", field="kind")
    if bool(files) == bool(withdraw):
        raise BadInput("Name the files to load, or one file id with --withdraw.", code="usage", field="files")
    for file in files or ():
        if not file.is_file():
            raise BadInput("There is no such file.", code="no-such-file", field="files")
    with run.app() as app:
        viewer = app.viewer(run.actor("operator" if app.training else None))
        if withdraw:
            answer = app.withdraw(viewer, uuid_of(withdraw, "withdraw"))
        else:
            answer = app.load(viewer, kind, files or [], dry_run=dry_run, output=run.output)
        run.output.answer(answer, _loaded)


def _loaded(answer: Json) -> str:
    counts = ", ".join(
        f"{answer[key]} {key}"
        for key in ("registered", "updated", "unchanged", "queued", "quarantined", "refused")
        if key in answer
    )
    lines = [f"Read {answer['read']}: {counts}. {answer['events']} events in {answer['seconds']:.1f} s."]
    lines.extend(f"  {file.get('file', 'file')}  {file['file_id']}" for file in answer["files"])
    lines.extend(
        f"  refused: {r['file']} line {r['line']}: {r['code']}{' (' + r['field'] + ')' if r.get('field') else ''}"
        for r in answer["refusals"]
    )
    lines.extend(
        f"  left out: {w['field']} of {w['file']} line {w['line']}: {w['code']}"
        for w in answer.get("warnings", ())
    )
    if answer.get("left_out"):
        lines.append(f"  and {answer['left_out']} more.")
    codes = dict.fromkeys(told["code"] for told in (*answer["refusals"], *answer.get("warnings", ())))
    lines.extend(f"  {code}: {REMEDIES[Code(code)]}" for code in codes if code in REMEDIES)
    return "\n".join(lines)
