"""One leader among several programs: a lease on a row of state, with a fencing number.

A lease is measured by the server's clock and ends with the session of whoever has it: a leader that was killed keeps
nobody waiting, one that vanished with its machine as long as the lease runs. Every change locks the row under the
fencing number first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.arrays import register
from adapters.postgres.databases import Database, Role, translated
from domain.errors import Fenced

Connection = psycopg.Connection[tuple[Any, ...]]

_SESSION: Final = sql.SQL(
    """session = pg_backend_pid(),
    session_began = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"""
)
ONLY_ROW: Final = sql.SQL("true")


class PostgresLease:
    """What a leader keeps in the record database. One connection, opened again where it broke."""

    def __init__(
        self,
        database: Database,
        role: Role,
        state: sql.Identifier,
        row: sql.Composable = ONLY_ROW,
        *,
        who: str,
    ) -> None:
        """state: the table; row: which row of it. who: what leads, as whoever is fenced is told."""
        self._database = database
        self._role = role
        self._state = {"state": state, "row": row, "session": _SESSION}
        self._who = who
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def lead(self, seconds: float) -> int | None:
        """See the port."""
        with self._connected() as connection, connection.transaction():
            # Before anything is asked, so that of two who come at once the second sees what the first did.
            connection.execute(self._of("SELECT FROM {state} WHERE {row} FOR UPDATE"))
            row = connection.execute(
                self._of(
                    """
                    UPDATE {state}
                    SET fence = fence + 1, until = clock_timestamp() + make_interval(secs => %s), {session}
                    WHERE {row} AND (until < clock_timestamp() OR NOT EXISTS (
                        SELECT FROM pg_stat_activity WHERE pid = session AND backend_start = session_began
                    ))
                    RETURNING fence
                    """
                ),
                (seconds,),
            ).fetchone()
        return int(row[0]) if row else None

    def resign(self, fence: int) -> None:
        """See the port."""
        with self._connected() as connection:
            connection.execute(
                self._of("UPDATE {state} SET until = '-infinity' WHERE {row} AND fence = %s"), (fence,)
            )

    def _prolong(self, connection: Connection, seconds: float) -> None:
        """Go on leading for so many seconds from now, in a block of `_leading`."""
        connection.execute(
            self._of(
                "UPDATE {state} SET until = clock_timestamp() + make_interval(secs => %s), {session} WHERE {row}"
            ),
            (seconds,),
        )

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with translated(self._database.store):
            if self._connection is None or self._connection.closed:
                self._connection = self._database.connect(self._role)
                register(self._connection)
            yield self._connection

    @contextmanager
    def _leading(self, fence: int) -> Iterator[Connection]:
        """A transaction with the row locked. Raises Fenced where another has led since."""
        with self._connected() as connection, connection.transaction():
            row = connection.execute(
                self._of("SELECT FROM {state} WHERE {row} AND fence = %s FOR UPDATE"), (fence,)
            ).fetchone()
            if row is None:
                raise Fenced(f"Another {self._who} leads since; this one stops.")
            yield connection

    def _of(self, statement: str) -> sql.Composed:
        return sql.SQL(statement).format(**self._state)
