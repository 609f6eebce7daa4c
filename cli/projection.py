"""`projection`: operate the views. A rebuild leaves no gap: the live view serves until the switch."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli.app import App
from cli.output import Json
from cli.session import session, stop_flag
from projections.engine import Progress

projection = typer.Typer(
    no_args_is_help=True, help="Operate the views: status, run, rebuild, compare, switch, roll back."
)

Name = Annotated[str, typer.Argument(help="The view's name, as `projection list` prints it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(projection, name="projection")


def _operate(
    context: typer.Context, act: Callable[[App], dict[str, Any]], words: Callable[[Json], str]
) -> None:
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "projection")
        run.output.answer(act(app), words)


@projection.command("list")
def list_views(context: typer.Context) -> None:
    """List every version of every view."""
    _operate(context, lambda app: app.operations.list(), _views)


@projection.command()
def status(context: typer.Context) -> None:
    """Say of each live view how far it has come and how far it is behind."""
    _operate(context, lambda app: app.operations.status(), _views)


@projection.command()
def run(
    context: typer.Context,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="End once nothing is left to do.")
    ] = False,
) -> None:
    """Feed the views from the logs until stopped (Ctrl-C, or SIGTERM)."""
    stopped = stop_flag()
    _operate(
        context, lambda app: app.operations.run(until_caught_up=until_caught_up, stop=stopped.is_set), _views
    )


@projection.command()
def rebuild(
    context: typer.Context,
    name: Name,
    switch: Annotated[
        bool, typer.Option("--switch", help="Let queries read the new version when it is ready.")
    ] = False,
) -> None:
    """Build a view anew from the log, beside the live one."""
    bar = session(context).output.progress()

    def act(app: App) -> dict[str, Any]:
        with bar:
            task = bar.add_task(name, total=None, rate="")

            def report(progress: Progress) -> None:
                bar.update(
                    task,
                    completed=progress.done,
                    total=progress.total,
                    rate=f"{progress.events_per_second:,.0f} events/s",
                )

            return app.operations.rebuild(name, switch=switch, progress=report)

    _operate(context, act, _rebuilt)


@projection.command()
def compare(context: typer.Context, name: Name) -> None:
    """Compare the live view with its next version or, where there is none, with a fresh fold of the log."""
    run_session = session(context)
    with run_session.app() as app:
        app.permitted(run_session.actor("operator" if app.training else None), "projection")
        answer = app.operations.compare(name)
        run_session.output.answer(answer, _compared)
    if answer["added"] or answer["removed"] or answer["changed"]:
        raise typer.Exit(1)


@projection.command("switch")
def switch_view(context: typer.Context, name: Name) -> None:
    """Let queries read the next version."""
    _operate(context, lambda app: app.operations.switch(name), _views)


@projection.command()
def rollback(context: typer.Context, name: Name) -> None:
    """Let queries read the version before this one again."""
    _operate(context, lambda app: app.operations.rollback(name), _views)


@projection.command()
def pause(context: typer.Context, name: Name) -> None:
    """Stop feeding a view. What is shielded or destroyed leaves it all the same."""
    _operate(context, lambda app: app.operations.pause(name), _views)


@projection.command()
def resume(context: typer.Context, name: Name) -> None:
    """Feed a view again."""
    _operate(context, lambda app: app.operations.resume(name), _views)


def _views(answer: Json) -> str:
    return "\n".join(
        f"{view['name']} v{view['version']}{' (live)' if view['live'] else ''}: {view['state']}, "
        f"at {view['position']}, {view['lag_events']} events behind"
        for view in answer["views"]
    )


def _rebuilt(answer: Json) -> str:
    return f"{answer['events']} events in {answer['seconds']:.2f} s ({answer['events_per_second']:,.0f} a second)."


def _compared(answer: Json) -> str:
    return (
        f"{answer['rows']} rows; {answer['added']} added, {answer['removed']} removed, {answer['changed']} changed; "
        f"digest {answer['digest']}"
    )
