"""A log as the sealer and the monitor read it: whole rows, by COPY in its binary form.

Nothing is hashed or compared by the server: who reads does that, so that the server's word is not needed for it.
"""

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.databases import Database, Role, translated
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.log_slices import views
from adapters.rows import CLEAR, SealedRow
from domain.kernel import Log

_SCHEMAS: Final = {Log.RECORD: "record_log", Log.ACCESS: "access_log"}
_LENGTH: Final = Struct(">i")
_TIME: Final = Struct(">q")
_FROM_2000: Final = 946_684_800_000_000
"""Microseconds from 1970, which we count from, to 2000, which the server counts from."""

_COUNT_BYTES: Final = 2
_TIME_AT: Final = _COUNT_BYTES + 4 + 8 + 4
_TIME_END: Final = _TIME_AT + 8
_CLEAR_END: Final = _COUNT_BYTES + CLEAR.size


class PostgresSealedRows:
    """Implements `adapters.rows.SealedRows`. One connection for rows, one for the head, one that listens."""

    def __init__(self, database: Database, log: Log, role: Role = Role.SEALER) -> None:
        self._database = database
        self._log = log
        self._role = role
        self._reader = PostgresLogReader(database, role)
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        if self._connection is not None:
            self._connection.close()

    def head(self) -> int:
        """See the protocol."""
        return self._reader.head(self._log)

    def between(self, after: int, upto: int) -> Iterator[SealedRow]:
        """See the protocol. What is not read to its end costs the connection.

        In whatever order the server finds them: it would sort them on disk. So it goes on reading while these are used.
        """
        query = sql.SQL(
            "COPY (SELECT position, recorded_at, event_id, stream_id, version, format, period, identity, content, "
            "metadata FROM {} WHERE position > {} AND position <= {}) TO STDOUT (FORMAT BINARY)"
        ).format(
            sql.Identifier(_SCHEMAS[self._log], "event"),
            sql.Literal(after),
            sql.Literal(upto),
        )
        connection = self._connected()
        try:
            with translated(self._database.store):
                yield from _rows(views(connection.pgconn, query.as_bytes(connection)))
        except BaseException:
            connection.close()
            raise

    def strays(self, size: int) -> list[int]:
        """See the protocol."""
        schema = sql.Identifier(_SCHEMAS[self._log])
        query = sql.SQL(
            "SELECT position FROM {0}.event WHERE position < 1 OR position > "
            "(SELECT greatest(position, %s) FROM {0}.head) ORDER BY position LIMIT 100"
        ).format(schema)
        with translated(self._database.store):
            return [int(row[0]) for row in self._connected().execute(query, (size,))]

    def wait(self, seconds: float) -> None:
        """See the protocol."""
        self._reader.wait(seconds)

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(self._role)
        return self._connection


_Unpack = Callable[[memoryview], tuple[bytes, int, bytes, int, bytes, int, bytes, int, bytes]]


def _rows(packets: Iterable[memoryview]) -> Iterator[SealedRow]:
    """Columns in clear come in the very form in which they are sealed, but for when time begins.

    Parts are padded to blocks, so a few shapes of rows make up a log: each is taken apart by one call made for it.
    """
    shapes: dict[int, tuple[_Unpack, int, int, int]] = {}
    time, row = _TIME.pack, SealedRow
    make = row.__new__
    for packet in packets:
        known = shapes.get(len(packet)) or _shape(packet)
        unpack, *lengths = known
        before, when, after, identity_bytes, identity, content_bytes, content, metadata_bytes, metadata = (
            unpack(packet)
        )
        if [identity_bytes, content_bytes, metadata_bytes] != lengths:
            known = _shape(packet)
            before, when, after, _, identity, _, content, _, metadata = known[0](packet)
        shapes[len(packet)] = known
        yield make(row, before + time(when + _FROM_2000) + after, identity, content, metadata)


def _shape(packet: memoryview) -> tuple[_Unpack, int, int, int]:
    """What takes apart a row whose parts are as long as those of this one, and how long they are."""
    length, at = _LENGTH.unpack_from, _CLEAR_END
    lengths = []
    for _ in range(3):
        lengths.append(length(packet, at)[0])
        at += 4 + lengths[-1]
    parts = "".join(f"i{one}s" for one in lengths)
    whole = Struct(f">{_COUNT_BYTES}x{_TIME_AT - _COUNT_BYTES}sq{_CLEAR_END - _TIME_END}s{parts}")
    return whole.unpack, *lengths
