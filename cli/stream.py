"""`stream`: tell subscribers what changed, and say how far that is."""

from collections.abc import Sequence
from typing import Annotated

import typer

from adapters.partitions import PARTITIONS
from cli.output import Json
from cli.parsing import instant_of
from cli.session import session, stop_flag
from domain.errors import BadInput
from domain.ports import Again

stream = typer.Typer(no_args_is_help=True, help="Changes to subscribers: publish, status, tail, replay.")


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


@stream.command()
def replay(
    context: typer.Context,
    partition: Annotated[
        int | None, typer.Option("--partition", min=0, max=PARTITIONS - 1, help="Of this partition alone.")
    ] = None,
    first: Annotated[
        int | None, typer.Option("--from", min=1, help="From this number of the partition on.")
    ] = None,
    last: Annotated[int | None, typer.Option("--to", min=1, help="To this number of it.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Of changes recorded at or after this instant.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Of changes recorded at or before this instant.")
    ] = None,
    position: Annotated[
        int | None, typer.Option("--position", min=1, help="Of changes from this position of the log on.")
    ] = None,
) -> None:
    """Send messages again that were sent in the last thirty days, with the same ids and numbers."""
    began, ended = instant_of(since, "since"), instant_of(until, "until")
    _settled(partition, first, last, [one for one in (since, until, position) if one is not None])
    if position is not None and since is not None:
        raise BadInput("Give --since or --position, not both.", code="usage", field="position")
    if (began and ended and ended < began) or (first and last and last < first):
        field = "until" if began and ended else "to"
        raise BadInput(f"--{field} lies before the beginning.", code="out-of-order", field=field)
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "stream")
        if position is not None:
            began = app.streaming.recorded_at(position)
        which = Again(partition, first or 1, last, began, ended)
        run.output.answer(app.streaming.replay(which), lambda a: f"{a['replayed']} messages sent again.")


def _settled(partition: int | None, first: int | None, last: int | None, times: Sequence[object]) -> None:
    """Raises BadInput where it is not said what to send again."""
    if partition is None and (first or last):
        raise BadInput(
            "Numbers count within a partition: give --partition too.", code="usage", field="partition"
        )
    if first is None and not times:
        raise BadInput(
            "Say what to send again: --partition and --from, or --since, or --position.", code="usage"
        )


def _subscribers(answer: Json) -> str:
    return "\n".join(
        f"{one['name']}: {one['lag_events']} events behind, {one['parked']} records parked"
        for one in answer["subscribers"]
    )


def _message(message: Json) -> str:
    return f"{message['partition']:>2} {message['sequence']} {message['type']} {message.get('subject', '')}"
