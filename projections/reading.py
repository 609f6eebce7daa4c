"""Records read straight from the log: what is shown never depends on how far a view has come."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from uuid import UUID

from domain.child_record.model import as_true_on, fold
from domain.destruction.events import DestructionCompleted
from domain.disclosure import RecordFacts
from domain.kernel import History, Recorded
from domain.personal_data import Forgotten
from domain.ports import EventStore
from ingest.best_view import best_view


def destroyed_children(history: History) -> Iterable[UUID]:
    """The children whose destruction a stream certifies: every row of theirs goes."""
    return (
        recorded.event.child
        for recorded in history.events
        if isinstance(recorded.event, DestructionCompleted)
    )


def facts_of(history: History, true_on: date | None = None) -> RecordFacts | Forgotten | None:
    """The best view of the record that a stream tells of; None where it tells of none, Forgotten once destroyed.

    true_on: of what was true on this day, as far as the stream tells.
    """
    record = fold(history)
    if record.forgotten is not None:
        return Forgotten(record.forgotten)
    if not record.registered:
        return None
    return best_view(record if true_on is None else as_true_on(record, true_on))


def as_far_as(position: int, history: History) -> History:
    """A stream as far as a position of its log."""
    events = tuple(one for one in history.events if one.position <= position)
    return History(history.stream_id, len(events), events)


class RecordReader:
    """Facts of records, folded from the log. What may be opened of a shielded record is the store's to decide."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def facts(
        self, child_id: UUID, upto: int | None = None, true_on: date | None = None
    ) -> RecordFacts | Forgotten | None:
        """One record as it stands, or as it stood at a version, or on a day. Raises DamagedStream, Unavailable."""
        return facts_of(self._store.load(child_id, upto), true_on)

    def facts_many(self, child_ids: Iterable[UUID]) -> dict[UUID, RecordFacts]:
        """Several records as they stand. Those that do not exist, are destroyed or cannot be opened are left out."""
        found = {
            child_id: facts_of(history) for child_id, history in self._store.load_many(child_ids).items()
        }
        return {child_id: facts for child_id, facts in found.items() if isinstance(facts, RecordFacts)}

    def destroyed_on(self, certificate: UUID) -> date | None:
        """The day on which what a certificate orders was done; None where it is not done yet."""
        events = [recorded.event for recorded in self._store.load(certificate).events]
        return next((event.completed_on for event in events if isinstance(event, DestructionCompleted)), None)

    def destroyed_behind(self, certificate: UUID, position: int) -> bool:
        """Whether what a certificate orders was done behind a position of the log."""
        events = self._store.load(certificate).events
        return any(isinstance(one.event, DestructionCompleted) and one.position > position for one in events)

    def version_at(self, child_id: UUID, instant: datetime) -> int:
        """The last version recorded at or before an instant (0: none)."""
        return self._last_version(child_id, lambda recorded: recorded.recorded_at <= instant)

    def version_upto(self, child_id: UUID, position: int) -> int:
        """The last version at or before a position of the log (0: none)."""
        return self._last_version(child_id, lambda recorded: recorded.position <= position)

    def _last_version(self, child_id: UUID, counts: Callable[[Recorded], bool]) -> int:
        return max((one.version for one in self._store.load(child_id).events if counts(one)), default=0)

    def heads(self, child_ids: Iterable[UUID]) -> dict[UUID, int]:
        """The present versions of streams that exist."""
        return self._store.heads(child_ids)
