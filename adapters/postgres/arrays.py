"""Arrays in PostgreSQL's binary form, and from when it counts time in it.

psycopg dumps lists element by element in Python, which at eleven columns costs more than the insert itself.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
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

    def __init__(self, data: bytes) -> None:
        self.data = data

    @classmethod
    def _header(cls, count: int, *, nulls: bool = False) -> bytes:
        return _header(cls.OID, count, nulls)


@lru_cache(maxsize=64)  # one command after another has as many
def _header(oid: int, count: int, nulls: bool) -> bytes:  # noqa: FBT001 - what the cache goes by
    return struct.pack(">iiIii", 1, nulls, oid, count, 1) if count else struct.pack(">iiI", 0, 0, oid)


class Bytes(Packed):
    """bytea[]."""

    OID = 17

    @classmethod
    def of(cls, values: Sequence[bytes]) -> "Bytes":
        header = cls._header(len(values))
        lengths = set(map(len, values))
        if len(lengths) == 1:  # nearly always: parts are padded to one block
            # All in one go, for each further copy of a chunk's parts is a megabyte.
            return cls(lengths.pop().to_bytes(4, "big").join([header, *values]))
        return cls(b"".join([header, *(len(value).to_bytes(4, "big") + value for value in values)]))

    @classmethod
    def optional(cls, values: Sequence[bytes | None]) -> "Bytes":
        elements = [_NULL if value is None else len(value).to_bytes(4, "big") + value for value in values]
        return cls(b"".join([cls._header(len(values), nulls=None in values), *elements]))


class Uuids(Packed):
    """uuid[]."""

    OID = 2950

    @classmethod
    def of(cls, values: Sequence[UUID]) -> "Uuids":
        return cls(_SIXTEEN.join([cls._header(len(values)), *[value.bytes for value in values]]))

    @classmethod
    def optional(cls, values: Sequence[UUID | None]) -> "Uuids":
        elements = [_NULL if value is None else _SIXTEEN + value.bytes for value in values]
        return cls(b"".join([cls._header(len(values), nulls=None in values), *elements]))


def _packed(header: bytes, values: Sequence[int], length: bytes) -> bytes:
    """Integers of one size; few different ones, as versions, formats and months are."""
    size = length[-1]
    forms = {value: value.to_bytes(size, "big", signed=True) for value in set(values)}
    return length.join([header, *[forms[value] for value in values]])


class Ints(Packed):
    """integer[]."""

    OID = 23

    @classmethod
    def of(cls, values: Sequence[int]) -> "Ints":
        return cls(_packed(cls._header(len(values)), values, _FOUR))


class SmallInts(Packed):
    """smallint[]."""

    OID = 21

    @classmethod
    def of(cls, values: Sequence[int]) -> "SmallInts":
        return cls(_packed(cls._header(len(values)), values, _TWO))


_NULL: Final = b"\xff\xff\xff\xff"
_TWO: Final = b"\x00\x00\x00\x02"
_FOUR: Final = b"\x00\x00\x00\x04"
_SIXTEEN: Final = b"\x00\x00\x00\x10"


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
