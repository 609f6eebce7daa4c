"""A home that a bench has to itself: an ordinary one, its server durable, gone afterwards."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from adapters.postgres.databases import connect_as_superuser
from adapters.postgres.embedded import EmbeddedServer, ServerAddress
from cli.benches.measuring import Slice
from cli.bootstrap import stop_server
from cli.initialise import initialise
from cli.settings import Settings
from domain.errors import Unavailable

ACTOR = UUID("62656e63-6800-4000-8000-000000000001")
"""Who acts in a bench."""


@contextmanager
def home_of_its_own() -> Iterator[Path]:
    """A fresh home in a temporary folder; its server is stopped and the folder removed when the block ends."""
    home = Path(tempfile.mkdtemp(prefix="contactpoint-bench-"))
    try:
        initialise(home, Settings(home=home), training=False)
        yield home
    finally:
        stop_server(home)
        shutil.rmtree(home, ignore_errors=True)


def address_of(home: Path) -> ServerAddress:
    """Where the home's server listens. Raises Unavailable where it has stopped."""
    address = EmbeddedServer(home).running()
    if address is None:
        raise Unavailable("The database server of the bench has stopped.")
    return address


def after_settling(home: Path, take: Callable[[], Slice]) -> Callable[[], Slice]:
    """A slice that begins once what earlier ones left in memory is written out."""

    def turn() -> Slice:
        settled(home)
        return take()

    return turn


def settled(home: Path) -> None:
    """Write out what earlier slices left in memory, so that nobody pays for another's checkpoint."""
    with connect_as_superuser(address_of(home)) as connection:
        connection.execute("CHECKPOINT")
