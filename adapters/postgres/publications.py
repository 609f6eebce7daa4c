"""What the publisher remembers, in the record database: its own tables, under a role of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from psycopg import sql

from adapters.faults import Reach, no_fault
from adapters.partitions import PARTITIONS
from adapters.postgres.arrays import SmallInts, Uuids
from adapters.postgres.databases import Database, Role
from adapters.postgres.lease import PostgresLease
from domain.ports import Again, Message

_COLUMNS: Final = "event_id, child_id, kind, at, partition, number"


class PostgresPublications(PostgresLease):
    """Implements `domain.ports.Publications`."""

    FAULT_POINTS: ClassVar[tuple[str, ...]] = (
        "before-numbering",
        "numbered-not-committed",
        "numbered",
        "before-acknowledging",
        "acknowledged",
    )

    def __init__(self, database: Database, role: Role = Role.PUBLISHER, *, reach: Reach = no_fault) -> None:
        super().__init__(database, role, sql.Identifier("publication", "state"), who="publisher")
        self._reach = reach

    def renew(self, fence: int, seconds: float) -> None:
        """See the port."""
        with self._leading(fence) as connection:
            self._prolong(connection, seconds)

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
            events, children, kinds, times, partitions, numbers = (
                zip(*messages, strict=True) if messages else [()] * 6
            )
            connection.execute(
                """
                INSERT INTO publication.pending (place, event_id, child_id, kind, at, partition, number)
                SELECT behind.place + one.n, event_id, child_id, kind, at, partition, number
                FROM (SELECT coalesce(max(place), 0) AS place FROM publication.pending) AS behind,
                     unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::smallint[], %s::bigint[])
                     WITH ORDINALITY AS one (event_id, child_id, kind, at, partition, number, n)
                """,
                (
                    Uuids.of(events),
                    Uuids.of(children),
                    list(kinds),
                    list(times),
                    SmallInts.of(partitions),
                    list(numbers),
                ),
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
