"""Copies out a slice of a log, and the key rows of its streams: whole streams, in order, by COPY in its binary form.

A slice is a range of stream ids in one hash partition, which is the same partition of the key table. A log that fits
into one slice is read through the table itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from struct import Struct
from typing import Any, Final, TypeVar
from uuid import UUID, SafeUUID

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from adapters.key_rows import KeyRow
from adapters.postgres.arrays import EPOCH
from adapters.postgres.databases import Database, Role, translated
from adapters.rows import RecordedRow
from domain.kernel import Log
from projections.ports import Slice

PARTITIONS: Final = 32
SLICE_EVENTS: Final = 20_000
"""About how many events a slice holds: 30 MB of rows."""

_SCHEMAS: Final = {Log.RECORD: "record_log", Log.ACCESS: "access_log"}
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00"
_HEADER_BYTES: Final = 19
_END_BYTES: Final = 2
_EVENT: Final = Struct(">hi16siiiqiqi16sihiii")  # up to the length of the identity part
_KEY: Final = Struct(">hi16sihiiiii")  # up to the length of the wrapped key
_LENGTH: Final = Struct(">i")
_NULL: Final = -1

_R = TypeVar("_R")

Connection = psycopg.Connection[tuple[Any, ...]]


class LogSlices:
    """Reads under the serving role: nothing here can see the `shielded` database. One connection to each database."""

    def __init__(
        self,
        record: Database,
        keyring: Database,
        role: Role = Role.SERVICE,
        *,
        slice_events: int = SLICE_EVENTS,
    ) -> None:
        self._slice_events = slice_events
        self._databases = {"record": record, "keyring": keyring}
        self._role = role
        self._open: dict[str, Connection] = {}

    def close(self) -> None:
        """Close the connections."""
        for connection in self._open.values():
            connection.close()

    def count(self, upto: int) -> int:
        """How many slices a log up to a position is cut into."""
        if upto <= self._slice_events:
            return 1
        return PARTITIONS * -(-upto // (PARTITIONS * self._slice_events))

    def streams(self, of: Slice, upto: int, *, metadata: bool = True) -> Iterator[list[RecordedRow]]:
        """Its streams one after another, each in order, without what came after a position.

        Without `metadata` that part is not fetched: in its place is nothing.
        """
        query = sql.SQL(
            "COPY (SELECT stream_id, version, position, recorded_at, event_id, format, period, identity, content, {} "
            "FROM {} WHERE position <= {} AND {}) TO STDOUT (FORMAT BINARY)"
        ).format(
            sql.SQL("metadata" if metadata else "''::bytea"),
            _table(_SCHEMAS[of.log], "event", of),
            sql.Literal(upto),
            _range("stream_id", of),
        )
        own: list[RecordedRow] = []
        for row in self._rows("record", query, _event_rows):
            if own and row.stream_id is not own[0].stream_id:
                yield own
                own = []
            own.append(row)
        if own:
            yield own

    def keys(self, of: Slice) -> list[KeyRow]:
        """The key rows of a slice of the record log, in no order. None of any other subject."""
        query = sql.SQL(
            "COPY (SELECT subject, kind, number, generation, wrapped, certificate FROM {} WHERE {}) "
            "TO STDOUT (FORMAT BINARY)"
        ).format(_table("keys", "key", of), _range("subject", of))
        return list(self._rows("keyring", query, _key_rows))

    def _rows(
        self, store: str, query: sql.Composed, read: Callable[[Iterator[bytes]], Iterator[_R]]
    ) -> Iterator[_R]:
        with self._connection(store) as connection:
            yield from read(packets(connection.pgconn, query.as_bytes(connection)))

    @contextmanager
    def _connection(self, store: str) -> Iterator[Connection]:
        with translated(store):
            connection = self._open.get(store)
            if connection is None or connection.closed:
                connection = self._open[store] = self._databases[store].connect(self._role)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise


def _table(schema: str, table: str, of: Slice) -> sql.Identifier:
    if of.of == 1:
        return sql.Identifier(schema, table)
    return sql.Identifier(schema, f"{table}_{of.number % PARTITIONS:02}")


def _range(column: str, of: Slice) -> sql.Composable:
    """The ids of this slice in its partition: a share of all there may be."""
    shares = max(1, of.of // PARTITIONS)
    share = of.number // PARTITIONS
    bounds = [(share + step) * (1 << 128) // shares for step in (0, 1)]
    name = sql.Identifier(column)
    terms = [sql.SQL("{} >= {}").format(name, sql.Literal(UUID(int=bounds[0])))]
    if share + 1 < shares:
        terms.append(sql.SQL("{} < {}").format(name, sql.Literal(UUID(int=bounds[1]))))
    return sql.SQL(" AND ").join(terms)


def packets(connection: PGconn, query: bytes) -> Iterator[bytes]:
    """What the server sends, a row a packet, without what stands before the first and behind the last."""
    return map(bytes, views(connection, query))


def views(connection: PGconn, query: bytes) -> Iterator[memoryview]:
    """The same, not copied: for whoever takes each apart at once.

    By libpq itself: the driver's own way takes as long for each row as everything else that is done with it.
    """
    if connection.exec_(query).status != ExecStatus.COPY_OUT:
        raise psycopg.OperationalError("the server would not copy out")
    get = connection.get_copy_data
    length, data = get(0)
    if length >= _HEADER_BYTES and bytes(data).startswith(_SIGNATURE):  # a row may stand behind it
        length, data = (length - _HEADER_BYTES, data[_HEADER_BYTES:]) if length > _HEADER_BYTES else get(0)
    while length >= 0:
        if length > _END_BYTES:
            yield data
        length, data = get(0)
    while (result := connection.get_result()) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError("the server broke off a copy")


def _event_rows(packets: Iterator[bytes]) -> Iterator[RecordedRow]:
    """In the order of streams and versions, with which a row begins: sorting takes a tenth of what it does there."""
    fixed, after = _EVENT.unpack_from, _EVENT.size
    length = _LENGTH.unpack_from
    stream, stream_id, micros, recorded_at = b"", UUID(int=0), -1, EPOCH
    for row in sorted(packets):
        (
            _, _, own, _, version, _, position, _, when, _, event_id, _, form, _, period, identity_bytes
        ) = fixed(row)  # fmt: skip
        if own != stream:
            stream, stream_id = own, _uuid(own)
        if when != micros:
            micros, recorded_at = when, EPOCH + timedelta(microseconds=when)
        content = after + identity_bytes + 4
        metadata = content + length(row, content - 4)[0] + 4
        yield RecordedRow(
            position,
            recorded_at,
            _uuid(event_id),
            stream_id,
            version,
            form,
            period,
            row[after : content - 4],
            row[content : metadata - 4],
            row[metadata:],
        )


def _key_rows(packets: Iterator[bytes]) -> Iterator[KeyRow]:
    subject, subject_id = b"", UUID(int=0)
    for row in packets:
        _, _, own, _, kind, _, number, _, generation, wrapped_bytes = _KEY.unpack_from(row)
        if own != subject:
            subject, subject_id = own, _uuid(own)
        rest = _KEY.size + max(wrapped_bytes, 0)
        wrapped = None if wrapped_bytes == _NULL else row[_KEY.size : rest]
        certificate = None if _LENGTH.unpack_from(row, rest)[0] == _NULL else _uuid(row[rest + 4 :])
        yield KeyRow(subject_id, kind, number, generation, wrapped, certificate)


_new, _set, _unknown = object.__new__, object.__setattr__, SafeUUID.unknown


def _uuid(value: bytes) -> UUID:
    """`UUID(bytes=value)`, in half its time: there is one in every row."""
    made = _new(UUID)
    _set(made, "int", int.from_bytes(value))
    _set(made, "is_safe", _unknown)
    return made
