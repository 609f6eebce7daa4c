"""What the inside needs from the outside, in its own words. Each port has a contract suite in `tests/contracts`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel import Appended, Change, History, Metadata, Reservation


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
