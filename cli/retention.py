"""`retention`: what falls due, under which rule, and doing it."""

from typing import Annotated

import typer

from cli.output import Json
from cli.parsing import day_of
from cli.session import session

retention = typer.Typer(no_args_is_help=True, help="What falls due for archive or destruction, and doing it.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(retention, name="retention")


@retention.command()
def due(
    context: typer.Context,
    on: Annotated[str | None, typer.Option("--on", help="As of this day. Default: today.")] = None,
) -> None:
    """List what falls due on or before a day, and under which rule."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor("operator" if app.training else None))
        entries = app.due(viewer, day_of(on, "on") or app.today())
        run.output.answer({"due": entries}, _due)


@retention.command("run")
def run_due(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Do at most so many.")] = None,
) -> None:
    """Archive and destroy what is due today. Safe to stop and start again."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor("operator" if app.training else None))
        done = app.carry_out(viewer, limit=limit, output=run.output)
        run.output.answer(done, lambda a: f"Archived {a['archived']}, destroyed {a['destroyed']}.")


def _due(answer: Json) -> str:
    if not answer["due"]:
        return "Nothing is due."
    return "\n".join(f"{e['on']}  {e['action']}  {e['child_id']}  {e['rule']}" for e in answer["due"])
