"""Where the command line keeps who is signed in: a file that its user alone may read, outside every home.

A file for each home under the user's own state folder, with the token of the session and the secret by which this
device is known. Never in an argument or in the environment, where other programs see them.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from domain.errors import BadInput, Unavailable

_OPEN_TO_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class SessionToken:
    """By which somebody is signed in, and the id of their account, which stands under what is printed for them.

    device: the secret by which the device is known where it is used.
    """

    token: str = field(repr=False)
    account: str = ""
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeptSession:
    """The file of one home."""

    path: Path

    @classmethod
    def of(cls, state: Path, home: Path) -> "KeptSession":
        """The file of a home; nothing is made yet. Raises Unavailable."""
        name = f"{hashlib.sha256(os.fsencode(home)).hexdigest()[:32]}.json"
        try:
            return cls(state.expanduser() / name)
        except RuntimeError:  # an account of the system without a folder of its own
            raise _cannot() from None

    def token(self) -> SessionToken | None:
        """The token of the session; None where nobody is signed in. Raises BadInput, Unavailable."""
        said = self._read()
        token = said.get("token")
        return SessionToken(token, said.get("account", ""), said.get("device")) if token else None

    def device(self) -> str | None:
        """The secret by which this device is known; None where nobody ever signed in here."""
        return self._read().get("device")

    def keep(self, token: str, device: str, account: UUID) -> None:
        """Keep them; readable by nobody else from the first byte on. Raises Unavailable."""
        self._write({"token": token, "device": device, "account": str(account)})

    def forget(self) -> None:
        """Forget the session; the device stays known. Raises Unavailable."""
        device = self.device()
        if device is not None:
            self._write({"device": device})

    def _read(self) -> dict[str, str]:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError:
            raise _cannot() from None
        with os.fdopen(handle, encoding="utf-8") as file:
            stat = os.fstat(handle)
            if stat.st_mode & _OPEN_TO_OTHERS or stat.st_uid != os.geteuid():
                raise BadInput(
                    "The file that keeps your session is open to others, so it is not used: delete it, and sign in.",
                    code="session-exposed",
                    field="session",
                )
            try:
                said = json.load(file)
            except ValueError:
                return {}
        return {key: value for key, value in said.items() if isinstance(value, str)}

    def _write(self, said: dict[str, str]) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".session-")  # mode 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(said, file)
            Path(name).replace(self.path)
        except OSError:
            raise _cannot() from None


def _cannot() -> Unavailable:
    return Unavailable(
        "Your session cannot be kept or read: see that your state folder (XDG_STATE_HOME) is yours and writable.",
        code="session-not-kept",
    )
