"""The sealer that a home starts itself: a process of its own, beside the database server under the home.

Run by `attend` as `python -m cli.attending HOME`; ends with that server, which it does not keep from stopping. Where
databases are somewhere else, whoever runs them runs `contactpoint seal`, too.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.postgres.databases import Databases
from adapters.postgres.embedded import EmbeddedServer
from cli.sealing import Sealing
from cli.settings import Settings
from domain.errors import ContactPointError


def attend(home: Path) -> None:
    """See that a sealer of this home runs. Returns at once."""
    with _alone(home) as none_runs:
        if not none_runs:
            return
    # The shell leaves at once: a child of ours would stay as a zombie until we end.
    subprocess.run(
        [
            "/bin/sh",
            "-c",
            '"$@" </dev/null >/dev/null 2>&1 &',
            "sh",
            sys.executable,
            "-m",
            "cli.attending",
            str(home),
        ],
        cwd=Path(__file__).parents[1],
        start_new_session=True,
        check=True,
    )


def main(home: Path) -> None:
    """Seal until the server of the home has stopped; nothing where another does. What goes wrong, `health` tells."""
    server = EmbeddedServer(home)
    with _alone(home) as alone:
        address = server.running()
        if alone and address is not None:
            sealing = Sealing.of(home, Databases.embedded(address).record, Settings.from_environment())
            with suppress(ContactPointError):
                sealing.seal(until_caught_up=False, stop=lambda: server.running() is None)


@contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Whether no other sealer of this kind runs; none will until the block ends. The kernel frees it on death."""
    (home / "sealer").mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(home / "sealer" / "running.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
