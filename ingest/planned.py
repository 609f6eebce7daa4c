"""What a load is about to do, and what it did to records since the match index last knew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.child_record import model
from domain.child_record.commands import AssertFacts
from domain.child_record.model import ChildRecord
from domain.kernel import Change, Event, History, Log, Pending, Recorded
from domain.personal_data import HIDDEN
from domain.supply.model import HeldRecord
from ingest.best_view import candidate_of
from ingest.matching.blocking import Candidate
from ingest.matching.decision import Incoming
from ingest.outcome import Outcome
from ingest.ports import Unit
from ingest.services import Service


@dataclass(frozen=True, slots=True)
class Item:
    """One source record on its way."""

    line: int
    key: bytes
    incoming: Incoming
    assertion: AssertFacts
    authority: str | None
    places: frozenset[bytes]
    linking: frozenset[str]
    screening: frozenset[str]
    services: tuple[Service, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an item comes to, ready to be appended."""

    item: Item
    outcome: Outcome
    child_id: UUID
    unit: Unit
    shielded: bool = False
    before: ChildRecord | None = None
    """The record that the changes are made to; None where there are none, or they make no record."""

    @property
    def events(self) -> int:
        """How many events it adds."""
        return sum(len(change.events) for change in self.unit.changes)


class Waiting(NamedTuple):
    """A source record that is held back, as a wish again."""

    history: History
    held: HeldRecord
    item: Item


@dataclass(slots=True)
class Recent:
    """What this load did to records since the match index was last brought up to the log.

    Most of it is never asked for, so a record is folded and compared only when a later one shares a key with it.
    """

    records: dict[UUID, tuple[ChildRecord, tuple[Change, ...], datetime]] = field(default_factory=dict)
    candidates: dict[UUID, Candidate] = field(default_factory=dict)
    by_key: dict[str, set[UUID]] = field(default_factory=dict)

    def add(self, plan: Plan, *, by_all_keys: bool = False) -> None:
        """Remember a record as the plan leaves it, under the keys its source record gives or under all it has."""
        if plan.before is None:
            return
        at = plan.item.assertion.at
        self.records[plan.child_id] = (plan.before, plan.unit.changes, at)
        self.candidates.pop(plan.child_id, None)
        keys = plan.item.linking
        if plan.shielded or by_all_keys:
            keys |= self.candidate(plan.child_id).keys
        for key in keys:
            self.by_key.setdefault(key, set()).add(plan.child_id)

    def record(self, child_id: UUID) -> ChildRecord | None:
        """The record as it is or will be; None where this load did nothing to it."""
        if child_id not in self.records:
            return None
        before, changes, at = self.records[child_id]
        if changes:
            before = as_changed(before, changes, at)
            self.records[child_id] = (before, (), at)
        return before

    def candidate(self, child_id: UUID) -> Candidate:
        """The record as linking sees it. Raises KeyError where this load did nothing to it."""
        if child_id not in self.candidates:
            record = self.record(child_id)
            if record is None:
                raise KeyError(child_id)
            self.candidates[child_id] = candidate_of(record)
        return self.candidates[child_id]

    def find(self, keys: Iterable[str]) -> set[UUID]:
        """Those that may hold one of these keys."""
        return {child_id for key in keys for child_id in self.by_key.get(key, ())}

    def forget(self, child_id: UUID) -> None:
        """It did not come to be as planned."""
        self.records.pop(child_id, None)
        self.candidates.pop(child_id, None)
        for children in self.by_key.values():
            children.discard(child_id)

    def clear(self) -> None:
        """The index knows them now."""
        self.records.clear()
        self.candidates.clear()
        self.by_key.clear()


def as_changed(record: ChildRecord, changes: Sequence[Change], at: datetime) -> ChildRecord:
    """The record as it will be once these are appended."""
    for change in changes:
        for version, pending in enumerate(change.events, change.expected_version + 1):
            record = model.evolve(record, _recorded(change.stream_id, version, pending, at))
    return record


def _recorded(stream_id: UUID, version: int, pending: Pending, at: datetime) -> Recorded:
    event: Event = pending.event
    return Recorded(Log.RECORD, 0, at, stream_id, stream_id, version, pending.content_key, event, HIDDEN)
