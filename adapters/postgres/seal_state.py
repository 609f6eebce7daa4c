"""What the sealer of a log remembers, in the record database: a row of its own, under a role of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import psycopg

from adapters.faults import Reach, no_fault
from adapters.postgres.databases import Database, Role, translated
from domain.errors import Fenced
from domain.kernel import Log
from domain.ports import Sealed

Connection = psycopg.Connection[tuple[Any, ...]]

_SESSION: Final = """session = pg_backend_pid(),
    session_began = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"""


class PostgresSealState:
    """Implements `domain.ports.SealState`. One connection, opened again where it broke.

    A lease is measured by the server's clock and ends with the session of whoever has it: a sealer that was killed
    keeps nobody waiting, one that vanished with its machine as long as the lease runs.
    """

    FAULT_POINTS: ClassVar[tuple[str, ...]] = ("before-advancing", "advanced-not-committed", "advanced")

    def __init__(
        self, database: Database, log: Log, role: Role = Role.SEALER, *, reach: Reach = no_fault
    ) -> None:
        self._database = database
        self._log = int(log)
        self._role = role
        self._reach = reach
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def lead(self, seconds: float) -> int | None:
        """See the port."""
        with self._connected() as connection, connection.transaction():
            # Before anything is asked, so that of two who come at once the second sees what the first did.
            connection.execute("SELECT FROM seal.state WHERE log = %s FOR UPDATE", (self._log,))
            row = connection.execute(
                f"""
                UPDATE seal.state
                SET fence = fence + 1, until = clock_timestamp() + make_interval(secs => %s), {_SESSION}
                WHERE log = %s AND (until < clock_timestamp() OR NOT EXISTS (
                    SELECT FROM pg_stat_activity WHERE pid = session AND backend_start = session_began
                ))
                RETURNING fence
                """,
                (seconds, self._log),
            ).fetchone()
        return int(row[0]) if row else None

    def renew(self, fence: int, seconds: float, *, well: bool) -> None:
        """See the port."""
        with self._leading(fence) as connection:
            connection.execute(
                f"""
                UPDATE seal.state
                SET until = clock_timestamp() + make_interval(secs => %s), {_SESSION},
                    well_at = CASE WHEN %s THEN clock_timestamp() ELSE well_at END
                WHERE log = %s
                """,
                (seconds, well, self._log),
            )

    def resign(self, fence: int) -> None:
        """See the port."""
        with self._connected() as connection:
            connection.execute(
                "UPDATE seal.state SET until = '-infinity' WHERE log = %s AND fence = %s", (self._log, fence)
            )

    def sealed(self) -> Sealed:
        """See the port."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT size, root FROM seal.state WHERE log = %s", (self._log,)
            ).fetchone()
        return Sealed(int(row[0]), bytes(row[1])) if row else Sealed(0, b"")

    def advance(self, fence: int, before: Sealed, after: Sealed) -> None:
        """See the port."""
        self._reach("before-advancing")
        with self._leading(fence) as connection:
            moved = connection.execute(
                "UPDATE seal.state SET size = %s, root = %s WHERE log = %s AND size = %s AND root = %s",
                (after.size, after.root, self._log, before.size, before.root),
            ).rowcount
            if moved != 1:
                raise Fenced("The log was sealed by another meanwhile; this sealer stops.")
            self._reach("advanced-not-committed")
        self._reach("advanced")

    def age(self) -> float | None:
        """See the port."""
        with self._connected() as connection:
            row = connection.execute(
                """
                SELECT extract(epoch FROM clock_timestamp() - coalesce(well_at, '-infinity'))
                FROM seal.state WHERE log = %s AND fence > 0
                """,
                (self._log,),
            ).fetchone()
        return float(row[0]) if row else None

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with translated(self._database.store):
            if self._connection is None or self._connection.closed:
                self._connection = self._database.connect(self._role)
            yield self._connection

    @contextmanager
    def _leading(self, fence: int) -> Iterator[Connection]:
        with self._connected() as connection, connection.transaction():
            row = connection.execute(
                "SELECT FROM seal.state WHERE log = %s AND fence = %s FOR UPDATE", (self._log, fence)
            ).fetchone()
            if row is None:
                raise Fenced("Another sealer leads since; this one stops.")
            yield connection
