"""`stream`: tell subscribers what changed, and say how far that is."""

from typing import Annotated

import typer

from cli.output import Json
from cli.session import session, stop_flag

stream = typer.Typer(no_args_is_help=True, help="Changes to subscribers: publish, status, tail.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(stream, name="stream")


@stream.command()
def publish(
    context: typer.Context,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="End once nothing is left to do.")
    ] = False,
) -> None:
    """Tell subscribers what changed, until stopped (Ctrl-C, or SIGTERM). One leads; another waits its turn."""
    stopped = stop_flag()
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "stream")
        answer = app.streaming.publish(until_caught_up=until_caught_up, stop=stopped.is_set)
        run.output.answer(answer, lambda a: f"{a['published']} messages; at position {a['position']}.")


@stream.command()
def status(context: typer.Context) -> None:
    """Say how far subscribers are behind, and how many records wait because they cannot be opened."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "stream")
        run.output.answer(app.streaming.status(), _subscribers)


@stream.command()
def tail(
    context: typer.Context,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, max=3600, help="End when no message came for so long.")
    ] = 2,
) -> None:
    """Print the messages that are on the topic, one a line: what subscribers see."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "stream")
        for message in app.streaming.tail(wait_ms=seconds * 1000):
            run.output.answer(message, _message)


def _subscribers(answer: Json) -> str:
    return "\n".join(
        f"{one['name']}: {one['lag_events']} events behind, {one['parked']} records parked"
        for one in answer["subscribers"]
    )


def _message(message: Json) -> str:
    return f"{message['partition']:>2} {message['sequence']} {message['type']} {message.get('subject', '')}"
