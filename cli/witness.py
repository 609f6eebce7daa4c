"""`witness`: cosigns the checkpoints of logs. A small process of somebody else's than those who keep the index."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.output import Json
from cli.session import session, stop_flag
from domain.errors import BadInput

if TYPE_CHECKING:
    from adapters.seals.notes import Verifier

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,99}")
_LOOK_SECONDS: Final = 0.2


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(witness)


def witness(
    context: typer.Context,
    store: Annotated[
        Path, typer.Argument(help="A folder of the witness's own, for its key and what it has seen.")
    ],
    log: Annotated[
        list[Path], typer.Option("--log", help="The file with the verifier key of a log: its `log.pub`.")
    ],
    name: Annotated[
        str, typer.Option("--name", help="The name it signs under, such as a host name.")
    ] = "witness.invalid",
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 picks a free one.")] = 0,
) -> None:
    """Cosign checkpoints that continue the last one seen of their log, until stopped (Ctrl-C, or SIGTERM).

    The first line says where it listens and with which key it signs. It sees sizes and roots, and nothing of anybody.
    """
    from adapters.seals.keys import signer_in
    from adapters.seals.notes import Kind
    from adapters.seals.witness import Witness, WitnessServer
    from cli.bootstrap import system_clock

    if not _NAME.fullmatch(name):
        raise BadInput("--name: letters, digits, dots, dashes and slashes, a hundred at most.", field="name")
    logs = {key.name: key for key in map(_log_key, log)}
    stopped = stop_flag()
    run = session(context)
    key = signer_in(_folder(store) / "key", name, Kind.WITNESS)
    try:
        server = WitnessServer(Witness(store, key, logs, system_clock), host, port)
    except (OSError, UnicodeError, OverflowError):
        raise BadInput("It cannot listen there: name another --host or --port.", field="host") from None
    with server:
        run.output.answer({"url": server.url, "key": str(key.verifier), "logs": sorted(logs)}, _listening)
        server.timeout = _LOOK_SECONDS
        while not stopped.is_set():
            server.handle_request()


def _log_key(path: Path) -> "Verifier":
    from adapters.seals.notes import BadNote, Kind, Verifier

    try:
        found = Verifier.of(path.read_text("utf-8"))
        if found.kind is Kind.LOG:
            return found
    except (OSError, ValueError, BadNote):
        pass
    raise BadInput(
        "--log names no file that holds the key of a log: see `log.pub` of its seals.", field="log"
    )


def _folder(store: Path) -> Path:
    try:
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise BadInput("This folder cannot be made: name another.", code="no-folder", field="store") from None
    return store


def _listening(answer: Json) -> str:
    return f"Witness at {answer['url']}, key {answer['key']}, for {', '.join(answer['logs'])}."
