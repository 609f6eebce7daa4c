"""The stored form of an event, what an append is made of, what may become of it, and the log as a port.

Shared by the recorder of PostgreSQL and its twin in memory; the mapper makes these rows and opens them. Parts are
ciphertext here: this module never sees a value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from domain.errors import AlreadyReserved, VersionConflict
from domain.kernel import Appended, Log


class StoredRow(NamedTuple):
    """An event ready to be appended: every column but `position` and `recorded_at`, which only the log gives."""

    stream_id: UUID
    version: int
    event_id: UUID
    format: int
    period: int
    identity: bytes
    content: bytes
    metadata: bytes

    def __repr__(self) -> str:
        return f"StoredRow({self.stream_id}, {self.version})"


class RecordedRow(NamedTuple):
    """An event as the log holds it, in the order of its columns.

    `position`: dense in its log, from 1. `recorded_at`: UTC, to the microsecond, never decreasing with position.
    """

    position: int
    recorded_at: datetime
    event_id: UUID
    stream_id: UUID
    version: int
    format: int
    period: int
    identity: bytes
    content: bytes
    metadata: bytes

    def __repr__(self) -> str:
        return f"RecordedRow({self.position}, {self.stream_id}, {self.version})"

    def stored(self) -> StoredRow:
        """What the writer gave."""
        return StoredRow(self.stream_id, self.version, self.event_id, *self[5:])


CLEAR: Final = Struct(">iqiqi16si16siiihii")
"""Every column in clear as it is sealed, each behind its length in bytes: position, recorded_at, event_id, stream_id,
version, format, period. Times in microseconds since 1970 UTC."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class SealedRow(NamedTuple):
    """A row as it is sealed. `clear`: its columns in clear, packed as CLEAR."""

    clear: bytes
    identity: bytes
    content: bytes
    metadata: bytes

    @property
    def position(self) -> int:
        """Its place in the log, from 1."""
        return int.from_bytes(self.clear[4:12], signed=True)

    @classmethod
    def of(cls, row: RecordedRow) -> "SealedRow":
        """The same row, packed."""
        recorded = (row.recorded_at - _EPOCH) // _MICROSECOND
        clear = CLEAR.pack(
            8, row.position, 8, recorded, 16, row.event_id.bytes, 16, row.stream_id.bytes,
            4, row.version, 2, row.format, 4, row.period,
        )  # fmt: skip
        return cls(clear, row.identity, row.content, row.metadata)


class SealedRows(Protocol):
    """One log as those read it who seal it or check its seals. Raises domain.errors.Unavailable where it is away."""

    def head(self) -> int:
        """The position of the last event (0: none), as the head row says."""
        ...

    def between(self, after: int, upto: int) -> Iterator[SealedRow]:
        """Every row whose position is above `after` and not above `upto`, in any order.

        Also where positions are missing or stand twice: who reads looks.
        """
        ...

    def strays(self, size: int) -> list[int]:
        """Positions of rows that no append has made: below 1, or above both the head and `size`. At most a hundred."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when something was appended, or after so many seconds. May return early."""
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """What one command appends: applied whole or not at all.

    rows: the events of a stream stand together and follow on from its expected version. expected: (stream, version)
    of every stream in `rows` (0: it is new), in the order in which they come there; any other among them must not have
    moved. key: idempotency key, which may
    come with no events at all; batch: the file it belongs to. reservations: (token, stream), each unique in the log.
    not_before: stands in for the clock, in a training home only; recorded time never goes back.
    """

    rows: Sequence[StoredRow] = ()
    expected: Sequence[tuple[UUID, int]] = ()
    key: bytes | None = None
    batch: UUID | None = None
    reservations: Sequence[tuple[bytes, UUID]] = ()
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """All of it is in the log. `positions` is empty where the group had no events."""

    positions: range
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The idempotency key was known; nothing was appended. The rest names the last event under that key, if any."""

    stream_id: UUID | None
    version: int | None
    position: int | None
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A stream stands at another version than expected; nothing was appended."""

    stream_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A token is held, by this stream or another; nothing was appended."""

    holder: UUID


Outcome = Applied | Duplicate | Moved | Taken


class Head(NamedTuple):
    """The committed end of a log. Position 0 and no time: it is empty."""

    position: int
    recorded_at: datetime | None


class Recorder(Protocol):
    """One log of rows. Whatever is returned is committed; positions are dense and in the order of commits.

    Every method raises domain.errors.Unavailable where the store is away; whether an append that ended so was carried
    out is then not known.
    """

    @property
    def log(self) -> Log:
        """Which log this is."""
        ...

    def append(self, groups: Sequence[Group]) -> list[Outcome]:
        """Append several groups in one transaction; each says what became of it, none fails another.

        Raises ValueError where the rows of a group do not follow on from what it expects.
        """
        ...

    def append_bulk(self, groups: Iterable[Group]) -> int:
        """Append many groups, each in a transaction of its own; about 2,000 events in each hold the head row shortest.

        Returns how many rows were appended. Raises VersionConflict where a stream does not stand just before its first
        row; what was committed before stays.
        """
        ...

    def tail(self, after: int, limit: int, upto: int | None = None) -> list[RecordedRow]:
        """At most `limit` events in order of position, from `after` + 1 to `upto`."""
        ...

    def stream(self, stream_id: UUID, upto: int | None = None) -> list[RecordedRow]:
        """One stream in order, to version `upto`; empty where there is none."""
        ...

    def streams(self, stream_ids: Iterable[UUID]) -> dict[UUID, list[RecordedRow]]:
        """Several streams; those that do not exist are left out."""
        ...

    def heads(self, stream_ids: Iterable[UUID]) -> dict[UUID, int]:
        """The version of the last event of each stream; those that do not exist are left out."""
        ...

    def head(self) -> Head:
        """The end of the log, at once whatever its length."""
        ...

    def find(self, token: bytes) -> UUID | None:
        """The stream that holds a token. None in the access log, which has none."""
        ...

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Which of these idempotency keys are stored."""
        ...

    def forget_batch(self, batch: UUID) -> int:
        """Delete the idempotency keys of a withdrawn file. Returns how many."""
        ...

    def touched_by(self, batch: UUID) -> list[UUID]:
        """The streams of the last events appended under the keys of a batch, each once."""
        ...

    def batches(self) -> list[UUID]:
        """Every batch that has keys."""
        ...

    def batches_of(self, keys: Sequence[bytes]) -> dict[bytes, UUID | None]:
        """The keys that are known, each with its batch."""
        ...

    def keys_of(self, batch: UUID) -> list[tuple[bytes, UUID, int]]:
        """The keys of a batch that something was appended under, with stream and version of the last event each."""
        ...

    def release(self, tokens: Sequence[bytes], holder: UUID) -> int:
        """Let go of tokens that this stream holds, when it is erased. Returns how many."""
        ...


def group_of(
    rows: Sequence[StoredRow],
    *,
    key: bytes | None = None,
    batch: UUID | None = None,
    reservations: Sequence[tuple[bytes, UUID]] = (),
    not_before: datetime | None = None,
) -> Group:
    """A group that expects each stream to stand just before its first row."""
    expected: dict[UUID, int] = {}
    for row in rows:
        if row.stream_id not in expected:
            expected[row.stream_id] = row.version - 1
    return Group(rows, list(expected.items()), key, batch, reservations, not_before)


def chunks(rows: Iterable[StoredRow], size: int) -> Iterator[Group]:
    """Cut rows into groups of about `size` events, each stream whole. Rows of a stream must stand together."""
    pending: list[StoredRow] = []
    expected: dict[UUID, int] = {}
    for row in rows:
        if row.stream_id not in expected:
            if len(pending) >= size:
                yield Group(pending, list(expected.items()))
                pending, expected = [], {}
            expected[row.stream_id] = row.version - 1
        pending.append(row)
    if pending:
        yield Group(pending, list(expected.items()))


def appended(outcome: Outcome) -> Appended:
    """What the inside is told of an outcome. Raises VersionConflict, AlreadyReserved."""
    match outcome:
        case Applied(positions, recorded_at):
            return Appended(tuple(positions), recorded_at)
        case Duplicate(position=position, recorded_at=recorded_at):
            return Appended(() if position is None else (position,), recorded_at, duplicate=True)
        case Moved():
            raise VersionConflict("The record was changed by somebody else meanwhile. Try again.")
        case Taken(holder):
            raise AlreadyReserved(holder)


def follows_on(group: Group) -> bool:
    """Do the rows of each stream stand together and count up from what is expected, streams in the order expected?"""
    wanted = iter(group.expected)
    previous: StoredRow | None = None
    for row in group.rows:
        if previous is not None and row.stream_id == previous.stream_id:
            version = previous.version + 1
        else:
            version = next((version + 1 for stream_id, version in wanted if stream_id == row.stream_id), 0)
        if row.version != version:
            return False
        previous = row
    return True
