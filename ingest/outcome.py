"""What became of source records: outcomes, their counts, refusals, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from ingest.source_record import Warned


class Outcome(StrEnum):
    """What became of one source record."""

    REGISTERED = "registered"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    QUEUED = "queued"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(slots=True)
class Counts:
    """How many source records came to each outcome, and how many events they added (shielded records' left out)."""

    registered: int = 0
    updated: int = 0
    unchanged: int = 0
    queued: int = 0
    quarantined: int = 0
    refused: int = 0
    events: int = 0

    @property
    def read(self) -> int:
        """Source records so far: the sum of the six outcomes."""
        return self.registered + self.updated + self.unchanged + self.queued + self.quarantined + self.refused

    def add(self, outcome: Outcome, events: int = 0) -> None:
        """Count one source record."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)
        self.events += events


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one item was refused: never with a value. `code` is of `Code`, or the code of a rule."""

    line: int
    code: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The end of a load."""

    file_id: UUID
    counts: Counts


Progress: TypeAlias = Callable[[int, int, Counts], None]
"""Bytes read, bytes in all, counts so far."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what while a load runs. Refusals are told and not kept: there may be as many as lines."""

    progress: Progress = lambda _done, _total, _counts: None
    refused: Callable[[Refusal], None] = lambda _refusal: None
    warned: Callable[[int, Warned], None] = lambda _line, _warning: None
