"""What the inside needs from the outside, in its own words. Each port has a contract suite in `tests/contracts`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.kernel import Appended, Change, History, Log, Metadata, Reservation
from domain.public_keys import PublicKey


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


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in. how: by what they proved who they are, a code.

    seen_at: when it was last used, to the minute. proved_at: when a second factor was last given; None: never.
    account_version: the version of the account's stream at which it began, so that what ends sessions ends this one.
    """

    session_id: UUID
    account: UUID
    how: str
    began_at: datetime
    seen_at: datetime
    proved_at: datetime | None
    account_version: int


class Sessions(Protocol):
    """Who is signed in. Of a token only its digest (SHA-256, 32 bytes) is ever known here."""

    def begin(self, token: bytes, session: Session) -> None:
        """Keep a new session under the digest of its token. Committed on return."""
        ...

    def find(self, token: bytes) -> Session | None:
        """The session of this digest, whether or not it has lapsed."""
        ...

    def use(self, session_id: UUID, at: datetime, idle: timedelta, most: timedelta) -> bool:
        """Note that it is used now. False where there is none, or it was not used for `idle` or began `most` ago.

        Decided and noted at once: of two uses, the later cannot revive what had lapsed for the earlier.
        """
        ...

    def step_up(self, token: bytes, fresh: bytes, at: datetime) -> bool:
        """Note a second factor given now, and from now on know the session by `fresh`. False where there is none."""
        ...

    def end(self, session_id: UUID) -> bool:
        """End it. False where there is none."""
        ...

    def end_all(self, account: UUID) -> int:
        """End every session of an account. Returns how many."""
        ...

    def of(self, account: UUID) -> list[Session]:
        """The sessions of an account, lapsed ones that nobody has swept too, oldest first."""
        ...

    def sweep(self, began_before: datetime) -> int:
        """Forget sessions that began before this instant. Returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What the holder of an account proves who they are by.

    number: unlike any other's, and what the log calls it by. password: its Argon2id hash in PHC form (RFC 9106).
    secret: of the time-based codes (20 bytes, RFC 6238).
    """

    number: str
    password: str = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """That the holder of an account may register an authenticator, once and until an instant, on a manager's word.

    pending: the secret they were shown and have not yet proved to have.
    """

    code: bytes
    until: datetime
    issued_by: UUID
    pending: bytes | None = field(default=None, repr=False)


class Authenticators(Protocol):
    """The authenticators of accounts, one of each, encrypted at rest; and enrolments that nobody has used yet.

    Asking for those of an account that has none, or is none, does the same work as for one that has.
    """

    def find(self, account: UUID) -> Authenticator | None:
        """The authenticator of an account."""
        ...

    def register(self, account: UUID, authenticator: Authenticator, step: int) -> None:
        """Let it be the account's, in place of any other. step: of the code that was given to prove it."""
        ...

    def use(self, account: UUID, number: str, step: int) -> bool:
        """Use up the code of a time step. False where it, or a later one, was used: of many at once, one has True."""
        ...

    def set_password(self, account: UUID, number: str, password: str) -> bool:
        """Let this be the hash of its password. False where it is not the account's authenticator any more."""
        ...

    def remove(self, account: UUID) -> None:
        """Delete it, and any enrolment. Idempotent."""
        ...

    def issue(self, account: UUID, enrolment: Enrolment) -> None:
        """Keep an enrolment in place of any other of the account."""
        ...

    def enrolment(self, account: UUID) -> Enrolment | None:
        """The enrolment of an account, past ones that nobody used too."""
        ...

    def pend(self, account: UUID, code: bytes, secret: bytes) -> bool:
        """Keep the secret that was shown under this enrolment. False where it is used or replaced."""
        ...

    def enrolled(self, account: UUID, code: bytes) -> bool:
        """Use this enrolment up. False where somebody has: of many at once, one has True."""
        ...


class Attempts(Protocol):
    """How often somebody failed to prove who they are, by bucket (a keyed digest); and devices that are known."""

    def take(self, bucket: bytes, at: datetime, waits: Sequence[int], most: int | None = None) -> bool:
        """Take a turn in a bucket, if there is one. Counted as failed until `succeeded` says otherwise.

        waits: seconds to the next turn after the first failure, the second and so on, the last of them for ever after.
        False before the bucket's time has come and after `most` failures (None: never); of many at once as one by one.
        """
        ...

    def succeeded(self, bucket: bytes) -> None:
        """Forget what was counted in it."""
        ...

    def is_known(self, device: bytes, account: UUID, since: datetime) -> bool:
        """Whether the account was signed in to on this device (the digest of its secret) at or after an instant."""
        ...

    def know(self, device: bytes, account: UUID, at: datetime) -> None:
        """Remember the device for the account."""
        ...

    def device_of(self, account: UUID, at: datetime) -> bytes | None:
        """The device on which the account was signed in to at exactly this instant, unless it was again since."""
        ...

    def accounts_on(self, device: bytes, since: datetime) -> list[UUID]:
        """The accounts that were signed in to on a device at or after an instant."""
        ...

    def forget_devices(self, account: UUID) -> None:
        """Know no device of the account any more."""
        ...

    def sweep(self, before: datetime) -> None:
        """Forget attempts and devices of which nothing was heard since."""
        ...


class Factors(Protocol):
    """The arithmetic of proving who one is: passwords, time-based codes, and secrets that nobody can guess."""

    @property
    def decoy(self) -> str:
        """A hash whose password nobody has, of the same cost as any: for who is not there."""
        ...

    def hash_password(self, password: str) -> str:
        """Argon2id (RFC 9106) under a fresh salt, in PHC form."""
        ...

    def is_password(self, password: str, hashed: str) -> bool:
        """Whether this is the password of a hash."""
        ...

    def is_dated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than those of today."""
        ...

    def step_of(self, code: str, secret: bytes, at: datetime) -> int | None:
        """The time step (30 s) whose six digits these are, of the present one and its neighbours; None: of none."""
        ...

    def secret(self) -> bytes:
        """A fresh secret of time-based codes (20 bytes)."""
        ...

    def token(self) -> str:
        """A fresh token of 256 bits, as base64url."""
        ...

    def enrolment_code(self) -> str:
        """A fresh code of 130 bits that can be read out: 26 Crockford characters in groups."""
        ...

    def word(self) -> str:
        """A fresh word of 80 bits to read out at once: 16 Crockford characters in groups."""
        ...


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a program signed to say who it is (RFC 7523), whole and in time. Whether it was used is not asked yet.

    expires_at: after which it is worth nothing, wherever it is shown.
    """

    client: str
    jwt_id: str = field(repr=False)
    expires_at: datetime


class Assertions(Protocol):
    """Reads JSON Web Tokens with which programs prove who they are (RFC 7523, 3)."""

    def claimed(self, token: str) -> tuple[str, str] | None:
        """Which client and which key (its thumbprint) a token names, which proves nothing; None: it is no token."""
        ...

    def verified(self, token: str, key: PublicKey | None, audience: str, at: datetime) -> Assertion | None:
        """What it says, if it was signed with the private key of this one, for this audience, and is in time.

        Without a key the same work is done, and nothing comes of it.
        """
        ...


class UsedAssertions(Protocol):
    """Remembers which assertions were used, as keyed digests (32 bytes), for as long as they are in time."""

    def use(self, digest: bytes, until: datetime, at: datetime) -> bool:
        """Use it up; it is remembered until an instant. False where it was used: of many at once, one has True."""
        ...


class ContactRequests(Protocol):
    """In which records somebody asked for contact, for the list of the local team. What was asked lies in the log."""

    def note(self, request: UUID, child_id: UUID, at: datetime) -> None:
        """Add one, before it is asked: one that never came about does no harm. Idempotent; kept when it returns."""
        ...

    def asked(self) -> list[UUID]:
        """The children, once each, that of the oldest request first."""
        ...

    def sweep(self, before: datetime) -> None:
        """Remove those of before an instant: they are closed. Idempotent."""
        ...

    def forget(self, child_id: UUID) -> None:
        """Remove every one about a child who was destroyed. Idempotent."""
        ...


class RuleTexts(Protocol):
    """Files of rules as they were read, byte for byte, each under its SHA-256. None is ever changed or deleted."""

    def keep(self, text: bytes) -> bytes:
        """Keep a text; its digest (32 bytes). Once more is as good as once."""
        ...

    def text(self, digest: bytes) -> bytes | None:
        """The text of a digest, or of the first 16 bytes of one; None where it is not kept."""
        ...
