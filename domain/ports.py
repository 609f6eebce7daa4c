"""What the inside needs from the outside, in its own words. Each port has a contract suite in `tests/contracts`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel import Appended, Change, History, Log, Metadata, Reservation


class Clock(Protocol):
    """The only source of the time."""

    def now(self) -> datetime:
        """The present instant, aware, UTC, to the microsecond."""
        ...


class Ids(Protocol):
    """The only source of randomness."""

    def new(self) -> UUID:
        """A random uuid (version 4)."""
        ...

    def index_number(self) -> str:
        """A random index number (eleven characters, valid by `identifiers.valid_index_number`)."""
        ...


class EventStore(Protocol):
    """One log. Appends are atomic across streams; reads are of what is committed."""

    def load(self, stream_id: UUID, upto: int | None = None) -> History:
        """One stream in order, to version `upto` if given; `version` 0 and no events where there is none.

        What this reader may not open comes back as Hidden or Concealed, what was destroyed as Forgotten. Raises
        DamagedStream where a key is missing without a certificate or a tag fails, Unavailable where the store is away.
        """
        ...

    def load_many(self, stream_ids: Iterable[UUID]) -> dict[UUID, History]:
        """Several streams at once; damaged ones are left out (`damaged` tells which)."""
        ...

    def append(
        self,
        changes: Sequence[Change],
        metadata: Metadata,
        *,
        idempotency_key: bytes | None = None,
        reservations: Sequence[Reservation] = (),
        batch: UUID | None = None,
        instant: datetime | None = None,
    ) -> Appended:
        """Append all of it or none of it. Keys that new events need are committed first.

        With a known `idempotency_key` nothing is appended and `duplicate` is set. `batch` ties the key to a file, so
        that withdrawing the file forgets the key. `changes` may be empty where only the key is to be kept. `instant`
        moves the recorded time forward in a training home only. Raises VersionConflict, AlreadyReserved, Unavailable.
        """
        ...

    def known(self, idempotency_keys: Sequence[bytes]) -> set[bytes]:
        """Which of these keys are already stored."""
        ...

    def forget_batch(self, batch: UUID) -> None:
        """Delete the idempotency keys of a withdrawn file, so that it may be loaded again."""
        ...

    def heads(self, stream_ids: Iterable[UUID]) -> dict[UUID, int]:
        """The version of the last event of each stream; streams that do not exist are left out."""
        ...

    def find(self, token: bytes) -> UUID | None:
        """The stream that holds a reservation."""
        ...


class Tokens(Protocol):
    """Keyed digests: nothing stored is derived from personal data without a secret."""

    def token(self, label: str, value: bytes) -> bytes:
        """HMAC-SHA256 (32 bytes) of the value under the system's subkey for this label."""
        ...


class Shielding(Protocol):
    """Moves the content keys of a child between the two key databases. Idempotent and resumable."""

    def move_in(self, child_id: UUID) -> None:
        """Bring every open content key of the child into the `shielded` database."""
        ...

    def move_out(self, child_id: UUID) -> None:
        """Bring them back after a shield was lifted."""
        ...


class Destruction(Protocol):
    """Destroys keys. Irreversible."""

    def destroy(self, child_id: UUID, certificate: UUID) -> int:
        """Empty every key row of the child, naming the certificate. Returns how many. Idempotent."""
        ...


class Receipts(Protocol):
    """Proof that an event is sealed, waited for: what may do harm takes no effect, and is not acknowledged, without."""

    def awaited(self, log: Log, events: Sequence[tuple[UUID, int]]) -> list[str]:
        """Wait, for a bounded time, until events are under a published checkpoint with every cosignature asked for.

        events: (stream, version) each. Gives a proof of each in the form of C2SP tlog-proof, made from the event as it
        is stored now. Raises NoReceipt where they are not sealed in time, ContactPointError where what is stored is
        not what was sealed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A signal with its place: `number` counts the messages of its partition, from 1 and without a gap.

    But for one leap after each restore, so that no number that the lost home gave out is given out again.
    """

    event_id: UUID
    child_id: UUID
    kind: str
    at: datetime
    partition: int
    number: int


@dataclass(frozen=True, slots=True)
class Again:
    """Which messages to send again: those that meet all that is given. Numbers and instants are inclusive."""

    partition: int | None = None
    first: int = 1
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Subscribers(Protocol):
    """Where messages for subscribers go. Order within a partition is kept; a message may come twice, never not at all.

    Raises Unavailable where it cannot be reached: what was not acknowledged is sent again, unchanged.
    """

    def partition_of(self, child_id: UUID) -> int:
        """The partition of a child, for ever the same."""
        ...

    def send(self, messages: Sequence[Message]) -> None:
        """Send in this order; return once every one is acknowledged."""
        ...

    def beat(self, numbers: Sequence[int], at: datetime) -> None:
        """Say on every partition that the publisher is there, and the last number used on it."""
        ...


class Leadership(Protocol):
    """Who leads, of several programs of a kind.

    Whoever leads has a fencing number. Everything that changes something takes it, and raises Fenced where another has
    led since.
    """

    def lead(self, seconds: float) -> int | None:
        """Become the leader for so many seconds; the fencing number, or None where another leads and is still there."""
        ...

    def resign(self, fence: int) -> None:
        """Lead no longer. Does nothing where another leads already."""
        ...


class Publications(Leadership, Protocol):
    """What the publisher remembers: who leads, how far it has come, what is on its way. No rebuild rewinds it."""

    def renew(self, fence: int, seconds: float) -> None:
        """Go on leading for so many seconds from now."""
        ...

    def position(self) -> int:
        """The position up to which everything is acknowledged or published nothing; 0 before the first."""
        ...

    def pending(self) -> list[Message]:
        """What was numbered and not acknowledged, in the order in which to send it."""
        ...

    def number(
        self, fence: int, upto: int, signals: Sequence[tuple[UUID, UUID, str, datetime, int]]
    ) -> list[Message]:
        """Give these (event, child, kind, time, partition) the next numbers of their partitions and keep them.

        Everything up to position `upto` is dealt with once they are acknowledged. Committed on return.
        """
        ...

    def acknowledged(self, fence: int) -> None:
        """All that was pending has arrived: it is kept as sent, and the position moves on."""
        ...

    def sent(self, which: Again, after: tuple[int, int], limit: int) -> list[Message]:
        """What was sent and is kept, in the order of partition and number, behind `after` (a partition, a number)."""
        ...

    def forget(self, fence: int, seconds: float) -> None:
        """Forget what was acknowledged longer ago than this."""
        ...

    def numbers(self) -> list[int]:
        """The last number used of each partition."""
        ...

    def park(self, fence: int, streams: Iterable[UUID], position: int) -> None:
        """Note streams that could not be opened; each keeps the first position it was noted at."""
        ...

    def unpark(self, fence: int, streams: Iterable[UUID]) -> None:
        """Forget these notes."""
        ...

    def parked(self) -> dict[UUID, int]:
        """Stream → the position before the first event that was not published."""
        ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """How far a log is sealed: its first `size` events, under this root (32 bytes)."""

    size: int
    root: bytes


class SealState(Leadership, Protocol):
    """What the sealer of one log remembers beside its files: who leads, and how far the log is sealed."""

    def renew(self, fence: int, seconds: float, *, well: bool) -> None:
        """Go on leading for so many seconds from now. `well`: everything that was there has been sealed and published,
        or some more of it."""
        ...

    def sealed(self) -> Sealed:
        """How far the log is sealed. Never goes back."""
        ...

    def advance(self, fence: int, before: Sealed, after: Sealed) -> None:
        """Seal more. Committed on return. Raises Fenced also where the log is not sealed as far as `before` says."""
        ...

    def age(self) -> float | None:
        """Seconds since all was well; None where nobody has ever sealed this log. By the store's own clock."""
        ...
