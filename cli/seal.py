"""`seal`: add every event to the tree over its log, and sign what is there."""

from typing import Annotated

import typer

from cli.output import Json
from cli.session import session, stop_flag


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(seal)


def seal(
    context: typer.Context,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="End once nothing is left to do.")
    ] = False,
) -> None:
    """Seal both logs until stopped (Ctrl-C, or SIGTERM). One seals a log; another waits its turn.

    Every event is added to a tree over its log, under a checkpoint that is signed at once. The keys are in the folder
    `sealer` of the home, the seals in `seals`.
    """
    from adapters.seals.tiles import SealBroken
    from cli.bootstrap import open_sealing

    stopped = stop_flag()
    run = session(context)
    try:
        with open_sealing(run.home, run.settings) as sealing:
            answer = sealing.seal(until_caught_up=until_caught_up, stop=stopped.is_set)
    except SealBroken as broken:
        run.output.error(broken)
        raise typer.Exit(1) from None
    run.output.answer(answer, _sealed)


def _sealed(answer: Json) -> str:
    return "\n".join(f"{log} log: {entries} entries added" for log, entries in answer["sealed"].items())
