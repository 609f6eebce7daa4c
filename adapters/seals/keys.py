"""Where the sealer keeps the key of a log: a file that nobody else may read, in no backup."""

import os
from contextlib import suppress
from pathlib import Path

from adapters.seals.notes import BadNote, Kind, Signer
from domain.errors import Unavailable


def signer_in(path: Path, name: str, kind: Kind) -> Signer:
    """The key in a file; made, under this name, where there is none. Safe to call many times at once.

    Raises Unavailable where the file cannot be read or holds no such key.
    """
    try:
        if not path.exists():
            _make(path, Signer.make(name, kind))
        found = Signer.of(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        what = "holds no key" if isinstance(error, BadNote) else "cannot be read"
        raise Unavailable(f"The file {path.name} of the sealer's or witness's folder {what}.") from None
    if found.verifier.kind is not kind:
        raise Unavailable(f"The file {path.name} holds a key for something else.")
    return found


def _make(path: Path, signer: Signer) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{signer.secret()}\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # of several at once the first keeps its own
        os.link(fresh, path)
    fresh.unlink()
