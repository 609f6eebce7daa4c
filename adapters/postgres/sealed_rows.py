"""A log as the sealer and the monitor read it: whole rows, by COPY in its binary form.

Nothing is hashed or compared by the server: who reads does that, so that the server's word is not needed for it.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.databases import Database, Role, translated
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.log_slices import packets
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
                yield from map(_row, packets(connection.pgconn, query.as_bytes(connection)))
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


def _row(packet: bytes) -> SealedRow:
    """Columns in clear come in the very form in which they are sealed, but for when time begins."""
    recorded = _TIME.unpack_from(packet, _TIME_AT)[0] + _FROM_2000
    clear = packet[_COUNT_BYTES:_TIME_AT] + _TIME.pack(recorded) + packet[_TIME_END:_CLEAR_END]
    length = _LENGTH.unpack_from
    content = _CLEAR_END + 4 + length(packet, _CLEAR_END)[0]
    metadata = content + 4 + length(packet, content)[0]
    return SealedRow(
        clear, packet[_CLEAR_END + 4 : content], packet[content + 4 : metadata], packet[metadata + 4 :]
    )
