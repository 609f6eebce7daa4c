"""`kafka`: a real broker on this machine, for development and tests."""

from pathlib import Path
from typing import Annotated

import typer

from cli.session import session, stop_flag


def cache() -> Path:
    """Where the broker's files are kept from one home to the next."""
    return Path.home() / ".cache" / "contactpoint"


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(kafka)


def kafka(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where it listens; 0 picks a free port.")
    ] = 0,
) -> None:
    """Run a real Kafka broker on this machine until stopped (Ctrl-C, or SIGTERM). The first line says where."""
    from adapters.kafka.broker import LocalBroker, NoBroker

    run = session(context)
    stopped = stop_flag()
    broker = LocalBroker(run.home / "kafka", cache(), port)
    run.output.note("Starting a broker; the first time its jars are fetched, about half a minute.")
    broker.start()
    try:
        run.output.answer(
            {"bootstrap": broker.bootstrap},
            lambda answer: f"A Kafka broker listens on {answer['bootstrap']}.",
        )
        while not stopped.wait(0.5):
            if not broker.running():
                raise NoBroker("The broker stopped by itself; broker.log in its folder says why.")
    finally:
        broker.stop()
