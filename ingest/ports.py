"""What ingest needs from the outside: candidates for linking, places of shielded children, and how far it has come.

Each port has its contract suite in `tests/contracts`, run on memory and on the real adapter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.kernel import Appended, Change, Metadata, Reservation
from ingest.matching.blocking import Candidate

__all__ = ["BulkStore", "Candidate", "Candidates", "FollowerPositions", "Places", "Unit"]


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


@dataclass(frozen=True, slots=True)
class Unit:
    """What one source record comes to: appended whole, or not at all."""

    changes: tuple[Change, ...]
    idempotency_key: bytes
    reservations: tuple[Reservation, ...] = ()


class BulkStore(Protocol):
    """An event store that can append many units in one transaction."""

    def append_units(self, units: Sequence[Unit], metadata: Metadata, *, batch: UUID) -> list[Appended]:
        """Append every unit, in order, in one transaction; those whose key is known come back as duplicates.

        Raises VersionConflict or AlreadyReserved, and then nothing at all was appended: the caller appends one by one.
        """
        ...
