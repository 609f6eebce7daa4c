"""The calls of the two append functions, straight through libpq.

Without psycopg's cursor, whose work for each argument took as long as the insert; and with fewer moments at which
another thread takes the interpreter away.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID
from weakref import WeakSet

import psycopg
from psycopg import generators
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from adapters.postgres.arrays import EPOCH, Bytes, Ints, Packed, SmallInts, Uuids
from adapters.rows import Applied, Duplicate, Group, Moved, Outcome, StoredRow, Taken

Parameters: TypeAlias = list[Any]
"""Values in the server's binary form, or None."""


class AppendCall:
    """Calls one of them, prepared once on each connection. Safe to share between threads."""

    def __init__(self, statement: bytes, name: bytes, types: Sequence[int]) -> None:
        self._statement = _numbered(statement)
        self._name = name
        self._types = types
        self._binary = [Format.BINARY] * len(types)
        self._prepared: WeakSet[psycopg.Connection[Any]] = WeakSet()

    def __call__(self, connection: psycopg.Connection[Any], parameters: Parameters) -> list[Any]:
        """Its rows, one for each group. Raises psycopg.Error."""
        pgconn = connection.pgconn
        with connection.lock:
            if connection not in self._prepared:
                pgconn.send_prepare(self._name, self._statement, self._types)
                _result(connection)
                self._prepared.add(connection)
            if threading.current_thread() is threading.main_thread():  # which alone can be interrupted
                pgconn.send_query_prepared(self._name, parameters, self._binary, result_format=Format.BINARY)
                result = _result(connection)
            else:
                # Large messages go in some two hundred pieces: libpq waits for each without the interpreter, for
                # which this thread would have to queue each time.
                result = _checked(
                    connection,
                    pgconn.exec_prepared(self._name, parameters, self._binary, result_format=Format.BINARY),
                )
        transformer = Transformer(connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)


def arguments(groups: Sequence[Group]) -> tuple[object, ...]:
    """The arguments of the append function, in its order."""
    group_ends, expected_ends, token_ends = [], [], []
    rows: list[StoredRow] = []
    expected: list[tuple[UUID, int]] = []
    reservations: list[tuple[bytes, UUID]] = []
    not_before: datetime | None = None
    for group in groups:
        rows += group.rows
        expected += group.expected
        reservations += group.reservations
        group_ends.append(len(rows))
        expected_ends.append(len(expected))
        token_ends.append(len(reservations))
        if group.not_before is not None and (not_before is None or group.not_before > not_before):
            not_before = group.not_before
    streams, versions, event_ids, forms, periods, identities, contents, metadatas = (
        zip(*rows, strict=True) if rows else [()] * len(StoredRow._fields)
    )
    return (
        not_before,
        Bytes.optional([group.key for group in groups]),
        Uuids.optional([group.batch for group in groups]),
        Ints.of(group_ends),
        Ints.of(expected_ends),
        Uuids.of([stream for stream, _ in expected]),
        Ints.of([version for _, version in expected]),
        Uuids.of(event_ids),
        Uuids.of(streams),
        Ints.of(versions),
        SmallInts.of(forms),
        Ints.of(periods),
        Bytes.of(identities),
        Bytes.of(contents),
        Bytes.of(metadatas),
        Ints.of(token_ends),
        Bytes.of([token for token, _ in reservations]),
        Uuids.of([stream for _, stream in reservations]),
    )


def parameters(arguments: Sequence[object]) -> Parameters:
    """The arguments of the append function in binary form."""
    not_before, *packed = arguments
    return [_instant(not_before), *(argument.data for argument in packed if isinstance(argument, Packed))]


def alone(groups: Sequence[Group]) -> Group | None:
    """The one group, where it is what `append_one` takes: a few events that follow on, on one stream."""
    if len(groups) != 1:
        return None
    (group,) = groups
    rows = group.rows
    if not 0 < len(rows) <= _FEW or len(group.expected) != 1 or group.reservations:
        return None
    ((stream, version),) = group.expected
    form, period = rows[0].format, rows[0].period
    for at, row in enumerate(rows, version + 1):
        if row.stream_id != stream or (row.version, row.format, row.period) != (at, form, period):
            return None
    return group


def parameters_of_one(group: Group) -> Parameters:
    """The arguments of `append_one` in binary form."""
    rows = group.rows
    ((stream, expected),) = group.expected
    return [
        _instant(group.not_before),
        group.key,
        None if group.batch is None else group.batch.bytes,
        stream.bytes,
        expected.to_bytes(4, "big"),
        rows[0].format.to_bytes(2, "big"),
        rows[0].period.to_bytes(4, "big"),
        Uuids.of([row.event_id for row in rows]).data,
        Bytes.of([row.identity for row in rows]).data,
        Bytes.of([row.content for row in rows]).data,
        Bytes.of([row.metadata for row in rows]).data,
    ]


def outcome_of(row: Sequence[Any]) -> Outcome:
    """What became of one group, from the row that the append function answers with."""
    outcome, first, last, recorded_at, stream_id, version = row
    match outcome:
        case 0:
            return Applied(range(first, last + 1), recorded_at)
        case 1:
            return Duplicate(stream_id, version, last, recorded_at)
        case 2:
            return Moved(stream_id, version)
        case _:
            return Taken(stream_id)


_FEW: Final = 16
"""Events from which on going through arrays is the quicker way."""

TYPES: Final = (
    1184, 1001, 2951, 1007, 1007, 2951, 1007, 2951, 2951, 1007, 1005, 1007, 1001, 1001, 1001, 1007, 1001, 2951
)  # fmt: skip
"""The oids of the arguments of the append function: timestamptz, then arrays."""
TYPES_OF_ONE: Final = (1184, 17, 2950, 2950, 23, 21, 23, 2951, 1001, 1001, 1001)
"""Those of `append_one`."""

_SENT: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


def _instant(given: object) -> bytes | None:
    """A timestamptz in binary form: microseconds since 2000."""
    if not isinstance(given, datetime):
        return None
    return ((given - EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)


def _numbered(statement: bytes) -> bytes:
    """A statement with the server's own marks for its arguments."""
    pieces = statement.split(b"%s")
    return b"".join(b"%b$%d" % (piece, at) for at, piece in enumerate(pieces[:-1], 1)) + pieces[-1]


def _result(connection: psycopg.Connection[Any]) -> PGresult:
    """What the server answers; can be interrupted. Raises psycopg.Error.

    Rows are worth nothing before the commit, which can still fail after them: then a second answer says so.
    """
    results: list[PGresult] = connection.wait(generators.execute(connection.pgconn))
    for result in results:
        _checked(connection, result)
    return results[0]


def _checked(connection: psycopg.Connection[Any], result: PGresult) -> PGresult:
    if connection.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection was lost")
    if result.status not in _SENT:
        raise psycopg.errors.error_from_result(result)
    return result
