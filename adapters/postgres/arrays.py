"""Arrays in PostgreSQL's binary form, and from when it counts time in it.

psycopg dumps lists element by element in Python, which at eleven columns costs more than the insert itself.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A timestamptz in binary form is the microseconds since then."""


class Packed:
    """An array as the server reads it (array_recv): dimensions, nulls, element type, length, lower bound, elements."""

    __slots__ = ("data",)
    OID: ClassVar[int]

    def __init__(self, count: int, elements: bytes, *, nulls: bool = False) -> None:
        header = (
            struct.pack(">iiIii", 1, nulls, self.OID, count, 1)
            if count
            else struct.pack(">iiI", 0, 0, self.OID)
        )
        self.data = header + elements


class Bytes(Packed):
    """bytea[]."""

    OID = 17

    @classmethod
    def of(cls, values: Sequence[bytes]) -> "Bytes":
        lengths = set(map(len, values))
        if len(lengths) == 1:  # nearly always: parts are padded to one block
            prefix = lengths.pop().to_bytes(4, "big")
            return cls(len(values), prefix + prefix.join(values))
        return cls(len(values), b"".join([len(value).to_bytes(4, "big") + value for value in values]))

    @classmethod
    def optional(cls, values: Sequence[bytes | None]) -> "Bytes":
        return cls(
            len(values),
            b"".join([_NULL if value is None else len(value).to_bytes(4, "big") + value for value in values]),
            nulls=None in values,
        )


class Uuids(Packed):
    """uuid[]."""

    OID = 2950

    @classmethod
    def of(cls, values: Sequence[UUID]) -> "Uuids":
        if not values:
            return _NO_UUIDS
        return cls(len(values), b"".join([_SIXTEEN + value.bytes for value in values]))

    @classmethod
    def optional(cls, values: Sequence[UUID | None]) -> "Uuids":
        return cls(
            len(values),
            b"".join([_NULL if value is None else _SIXTEEN + value.bytes for value in values]),
            nulls=None in values,
        )


def _packed(values: Sequence[int], length: bytes) -> bytes:
    """Integers of one size; few different ones, as versions, formats and months are."""
    size = length[-1]
    forms = {value: length + value.to_bytes(size, "big", signed=True) for value in set(values)}
    return b"".join([forms[value] for value in values])


class Ints(Packed):
    """integer[]."""

    OID = 23

    @classmethod
    def of(cls, values: Sequence[int]) -> "Ints":
        if len(values) == 1 and 0 <= values[0] < len(_ONE_INT):
            return _ONE_INT[values[0]]
        return cls(len(values), _packed(values, _FOUR))


class SmallInts(Packed):
    """smallint[]."""

    OID = 21

    @classmethod
    def of(cls, values: Sequence[int]) -> "SmallInts":
        return cls(len(values), _packed(values, _TWO))


_NULL: Final = b"\xff\xff\xff\xff"
_TWO: Final = b"\x00\x00\x00\x02"
_FOUR: Final = b"\x00\x00\x00\x04"
_SIXTEEN: Final = b"\x00\x00\x00\x10"
_NO_UUIDS: Final = Uuids(0, b"")
_ONE_INT: Final = tuple(Ints(1, _FOUR + value.to_bytes(4, "big")) for value in range(64))
"""Of the arguments of a single command nearly all are one small number."""


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj.data


def _dumper(array_oid: int) -> type[_PackedDumper]:
    return type("_Dumper", (_PackedDumper,), {"oid": array_oid})


_DUMPERS: Final = (
    (Bytes, _dumper(1001)),
    (Uuids, _dumper(2951)),
    (Ints, _dumper(1007)),
    (SmallInts, _dumper(1005)),
)


def register(connection: psycopg.Connection[Any]) -> None:
    """Let a connection send these arrays."""
    for packed, dumper in _DUMPERS:
        connection.adapters.register_dumper(packed, dumper)
