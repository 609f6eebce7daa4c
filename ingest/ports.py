"""What ingest needs from the outside: candidates for linking, places of shielded children, and how far it has come.

Each port has its contract suite in `tests/contracts`, run on memory and on the real adapter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.errors import AlreadyReserved, VersionConflict
from domain.kernel import Appended, Change, History, Metadata, Reservation
from domain.ports import EventStore
from ingest.matching.blocking import Candidate


class Candidates(Protocol):
    """The match index, read by the keys of `ingest.matching.blocking`."""

    def find(self, keys: Iterable[str]) -> list[Candidate]:
        """Every record that holds at least one of these keys, each once, ordered by child id."""
        ...

    def get(self, child_ids: Iterable[UUID]) -> list[Candidate]:
        """These records, as far as the index holds them, ordered by child id."""
        ...


class Places(Protocol):
    """Keyed tokens of the places of shielded children. Only the writer's role may read them."""

    def note(self, child_id: UUID, tokens: Iterable[bytes]) -> None:
        """Add the tokens of a child's places. Idempotent; committed when it returns."""
        ...

    def near(self, tokens: Iterable[bytes]) -> set[UUID]:
        """The shielded children noted with any of these tokens."""
        ...

    def forget(self, child_id: UUID) -> None:
        """Remove every token of a child: its shield was lifted, or it was destroyed. Idempotent."""
        ...


class FollowerPositions(Protocol):
    """How far a follower that has effects has come. No rebuild rewinds it."""

    def position(self, follower: str) -> int:
        """The position of the last event it has dealt with; 0 before the first."""
        ...

    def moved(self, follower: str, position: int) -> None:
        """Move it on. Never back: a lower position is passed over. Committed when it returns."""
        ...


class Order(Protocol):
    """The order of the record log, without opening anything."""

    def head(self) -> int:
        """The position of the last event; 0 before the first."""
        ...

    def tail(self, after: int, limit: int) -> list[tuple[int, UUID]]:
        """Position and stream of the events behind `after`, in order, at most `limit`."""
        ...


@dataclass(frozen=True, slots=True)
class Unit:
    """What one source record comes to: appended whole, or not at all. No changes: only the key is kept."""

    changes: tuple[Change, ...]
    idempotency_key: bytes
    reservations: tuple[Reservation, ...] = ()


class LoadStore(EventStore, Protocol):
    """The writer's event store, with what a load needs besides."""

    def records(self, child_ids: Iterable[UUID]) -> dict[UUID, History]:
        """Several streams, as far as records are folded from them: without metadata. Damaged ones are left out."""
        ...

    def append_units(
        self, units: Sequence[Unit], metadata: Metadata, *, batch: UUID | None, instant: datetime
    ) -> list[Appended | VersionConflict | AlreadyReserved]:
        """Append many units in one transaction, in order; one that cannot be appended fails no other.

        Returns an outcome for each; `duplicate` where its key was known. Keys that new events need are committed
        first. Raises Unavailable, and then nothing was appended.
        """
        ...

    def batches(self) -> list[UUID]:
        """Every file that has idempotency keys, and the receipts of registrations by hand."""
        ...

    def batches_of(self, idempotency_keys: Sequence[bytes]) -> dict[bytes, UUID | None]:
        """The keys that are known, each with the file it came with."""
        ...

    def keys_of(self, batch: UUID) -> list[tuple[bytes, UUID, int]]:
        """The keys of a file under which something was appended, with the stream and version of the last event each."""
        ...

    def touched_by(self, batch: UUID) -> tuple[UUID, ...]:
        """The streams to which units of this batch appended something, those of held records among them."""
        ...
