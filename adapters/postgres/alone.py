"""One at a time: linking a newcomer and raising a shield must not pass each other unseen.

A load that looked for shielded children nearby, then appended, could miss a shield raised in between; and the screening
of that shield could miss what the load had not yet appended. Whoever does either holds this while doing it. The lock is
PostgreSQL's, so it is freed when its holder dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Final

from adapters.postgres.databases import Database, Role, translated

_LINKING: Final = 0x4C494E4B


class Alone:
    """An exclusive right across all processes of a home; may be taken again by the thread that has it."""

    def __init__(self, database: Database, role: Role = Role.WRITER) -> None:
        self._database = database
        self._connection = database.connect(role)
        self._mine = RLock()
        self._depth = 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold the right. Waits for it; raises Unavailable where the database is away."""
        with self._mine:
            if self._depth == 0:
                with translated(self._database.store):
                    self._connection.execute("SELECT pg_advisory_lock(%s)", (_LINKING,))
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    with translated(self._database.store):
                        self._connection.execute("SELECT pg_advisory_unlock(%s)", (_LINKING,))
