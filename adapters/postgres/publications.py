"""What the publisher remembers, in the record database: its own tables, under a role of its own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import psycopg

from adapters.faults import Reach, no_fault
from adapters.partitions import PARTITIONS
from adapters.postgres.databases import Database, Role, translated
from domain.errors import Fenced
from domain.ports import Again, Message

Connection = psycopg.Connection[tuple[Any, ...]]

_SESSION: Final = """session = pg_backend_pid(),
    session_began = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"""
_COLUMNS: Final = "event_id, child_id, kind, at, partition, number"


class PostgresPublications:
    """Implements `domain.ports.Publications`. One connection, opened again where it broke.

    A lease is measured by the server's clock and ends with the session of whoever has it: a publisher that was killed
    keeps nobody waiting, one that vanished with its machine as long as the lease runs. Every change locks the one row
    of state under its fencing number first.
    """

    FAULT_POINTS: ClassVar[tuple[str, ...]] = (
        "before-numbering",
        "numbered-not-committed",
        "numbered",
        "before-acknowledging",
        "acknowledged",
    )

    def __init__(self, database: Database, role: Role = Role.PUBLISHER, *, reach: Reach = no_fault) -> None:
        self._database = database
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
            connection.execute("SELECT FROM publication.state FOR UPDATE")
            row = connection.execute(
                f"""
                UPDATE publication.state
                SET fence = fence + 1, until = clock_timestamp() + make_interval(secs => %s), {_SESSION}
                WHERE until < clock_timestamp() OR NOT EXISTS (
                    SELECT FROM pg_stat_activity WHERE pid = session AND backend_start = session_began
                )
                RETURNING fence
                """,
                (seconds,),
            ).fetchone()
        return int(row[0]) if row else None

    def renew(self, fence: int, seconds: float) -> None:
        """See the port."""
        with self._leading(fence) as connection:
            connection.execute(
                f"UPDATE publication.state SET until = clock_timestamp() + make_interval(secs => %s), {_SESSION}",
                (seconds,),
            )

    def resign(self, fence: int) -> None:
        """See the port."""
        with self._connected() as connection:
            connection.execute("UPDATE publication.state SET until = '-infinity' WHERE fence = %s", (fence,))

    def position(self) -> int:
        """See the port."""
        with self._connected() as connection:
            row = connection.execute("SELECT position FROM publication.state").fetchone()
        return int(row[0]) if row else 0

    def pending(self) -> list[Message]:
        """See the port."""
        with self._connected() as connection:
            return [
                Message(*row)
                for row in connection.execute(f"SELECT {_COLUMNS} FROM publication.pending ORDER BY place")
            ]

    def number(
        self, fence: int, upto: int, signals: Sequence[tuple[UUID, UUID, str, datetime, int]]
    ) -> list[Message]:
        """See the port."""
        self._reach("before-numbering")
        with self._leading(fence) as connection:
            last = dict(connection.execute("SELECT partition, number FROM publication.partition").fetchall())
            messages = []
            for event_id, child_id, kind, at, partition in signals:
                last[partition] = last.get(partition, 0) + 1
                messages.append((event_id, child_id, kind, at, partition, last[partition]))
            columns = zip(*messages, strict=True) if messages else [()] * 6
            connection.execute(
                """
                INSERT INTO publication.pending (place, event_id, child_id, kind, at, partition, number)
                SELECT behind.place + one.n, event_id, child_id, kind, at, partition, number
                FROM (SELECT coalesce(max(place), 0) AS place FROM publication.pending) AS behind,
                     unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::smallint[], %s::bigint[])
                     WITH ORDINALITY AS one (event_id, child_id, kind, at, partition, number, n)
                """,
                [list(column) for column in columns],
            )
            connection.execute(
                """
                INSERT INTO publication.partition
                SELECT * FROM unnest(%s::smallint[], %s::bigint[])
                ON CONFLICT (partition) DO UPDATE SET number = excluded.number
                """,
                (list(last), list(last.values())),
            )
            connection.execute("UPDATE publication.state SET upto = greatest(upto, %s)", (upto,))
            self._reach("numbered-not-committed")
        self._reach("numbered")
        return [Message(*one) for one in messages]

    def acknowledged(self, fence: int) -> None:
        """See the port."""
        self._reach("before-acknowledging")
        with self._leading(fence) as connection:
            connection.execute(
                f"""
                WITH arrived AS (DELETE FROM publication.pending RETURNING {_COLUMNS})
                INSERT INTO publication.sent ({_COLUMNS}) SELECT {_COLUMNS} FROM arrived
                """
            )
            connection.execute("UPDATE publication.state SET position = upto")
        self._reach("acknowledged")

    def sent(self, which: Again, after: tuple[int, int], limit: int) -> list[Message]:
        """See the port."""
        with self._connected() as connection:
            return [
                Message(*row)
                for row in connection.execute(
                    f"""
                    SELECT {_COLUMNS} FROM publication.sent
                    WHERE (partition, number) > (%(behind)s, %(number)s)
                      AND (%(partition)s::smallint IS NULL OR partition = %(partition)s)
                      AND number >= %(first)s AND (%(last)s::bigint IS NULL OR number <= %(last)s)
                      AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
                      AND (%(until)s::timestamptz IS NULL OR at <= %(until)s)
                    ORDER BY partition, number LIMIT %(limit)s
                    """,
                    {"behind": after[0], "number": after[1], "limit": limit, **asdict(which)},
                )
            ]

    def forget(self, fence: int, seconds: float) -> None:
        """See the port."""
        with self._leading(fence) as connection:
            connection.execute(
                "DELETE FROM publication.sent WHERE sent_at < clock_timestamp() - make_interval(secs => %s)",
                (seconds,),
            )

    def numbers(self) -> list[int]:
        """See the port."""
        with self._connected() as connection:
            last = dict(connection.execute("SELECT partition, number FROM publication.partition").fetchall())
        return [last.get(partition, 0) for partition in range(PARTITIONS)]

    def park(self, fence: int, streams: Iterable[UUID], position: int) -> None:
        """See the port."""
        with self._leading(fence) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO publication.parked VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [(stream_id, position) for stream_id in streams],
            )

    def unpark(self, fence: int, streams: Iterable[UUID]) -> None:
        """See the port."""
        with self._leading(fence) as connection:
            connection.execute("DELETE FROM publication.parked WHERE stream_id = ANY(%s)", (list(streams),))

    def parked(self) -> dict[UUID, int]:
        """See the port."""
        with self._connected() as connection:
            return dict(connection.execute("SELECT stream_id, position FROM publication.parked").fetchall())

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
                "SELECT FROM publication.state WHERE fence = %s FOR UPDATE", (fence,)
            ).fetchone()
            if row is None:
                raise Fenced("Another publisher leads since; this one stops.")
            yield connection
