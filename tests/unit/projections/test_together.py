"""Views that stand at one place: each stream is opened once for all of them, and what befalls one befalls no other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.view_store import MemoryViewStore
from domain.child_record.events import Gender, PersonName
from domain.kernel import History, Log
from domain.rule_set.model import RuleSet
from projections.audit_trail.view import AUDIT_TRAIL
from projections.engine import Engine, Progress
from projections.match_index.view import MATCH_INDEX
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.projection import EVERYTHING, Depth, Reads, most_of, reads
from projections.registry import PROJECTIONS
from tests import builders
from tests.builders import CHILD, a_number, an_address, asserts, registers
from tests.unit.projections.journal import Journal, rows_of

ANOTHER = UUID(int=77)


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.tell(CHILD, registers(), asserts(whereabouts=an_address()))
    tom = PersonName(given=("Tom",), family="Reed")
    journal.tell(ANOTHER, registers(index_number=a_number(12345), names=(tom,)))
    return journal


def _rows(operations: Any) -> dict[str, Any]:
    return {each.name: rows_of(operations, each) for each in PROJECTIONS}


def _holds(rows: dict[str, Any], child: UUID) -> set[str]:
    """The views that hold a row of a child."""
    return {view for view, tables in rows.items() if str(child) in repr(tables).replace("UUID", "")}


def _cut_in(engine: Engine, cut: Callable[[], None]) -> Engine:
    """An engine that does something between reading a stretch of the log and opening its streams, once."""
    waiting = [cut]

    def opening(stream_ids: Sequence[UUID], reads: Reads) -> Mapping[UUID, History]:
        found = engine.open[Log.RECORD](stream_ids, reads)
        while waiting:
            waiting.pop()()
        return found

    return replace(engine, open={**engine.open, Log.RECORD: opening})


def test_what_several_read_is_what_each_reads() -> None:
    many = [each.reads for each in PROJECTIONS]
    assert most_of(many) == EVERYTHING
    assert most_of([PRACTITIONER_VIEW.reads, MATCH_INDEX.reads]) == Reads(
        Depth.EVENTS, (PRACTITIONER_VIEW.reads.only or frozenset()) | (MATCH_INDEX.reads.only or frozenset())
    )
    assert most_of([Reads(Depth.FACTS), reads(Depth.EVENTS)]) == Reads(Depth.EVENTS, None)
    assert most_of([MATCH_INDEX.reads]) == MATCH_INDEX.reads


def test_views_that_stand_at_one_place_open_each_stream_once(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    journal.opened.clear()
    journal.tell(CHILD, asserts(gender=Gender.MALE))
    journal.tell(ANOTHER, asserts(gender=Gender.MALE))
    events = journal.reader.head(Log.RECORD)
    assert operations.feed() > 0
    assert journal.opened == {CHILD: 1, ANOTHER: 1}
    assert operations.feed() == 0
    assert journal.reader.head(Log.RECORD) == events
    assert {view["position"] for view in operations.status()["views"]} == {events}


def test_they_stay_together_batch_by_batch(journal: Journal) -> None:
    operations = journal.operations()
    for _ in range(6):
        journal.tell(CHILD, asserts(gender=Gender.MALE), asserts(gender=Gender.FEMALE))
    told: list[Progress] = []
    operations.engine.catch_up_all(PROJECTIONS, batch=3, progress=told.append)
    rounds = -(-journal.reader.head(Log.RECORD) // 3)
    assert [one.name for one in told[: len(PROJECTIONS)]] == [each.name for each in PROJECTIONS]
    assert journal.opened[CHILD] <= rounds, "once for each batch that it is in, not once for each view"
    fresh = journal.operations()
    fresh.run()
    assert _rows(operations) == _rows(fresh)


def test_one_that_lags_and_one_that_is_ahead_catch_up_alone(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    operations.pause(PRACTITIONER_VIEW.name)
    journal.tell(CHILD, asserts(gender=Gender.MALE))
    operations.run()
    operations.resume(PRACTITIONER_VIEW.name)
    journal.tell(ANOTHER, asserts(gender=Gender.MALE))
    operations.feed([MATCH_INDEX.name])
    journal.opened.clear()
    operations.run()
    assert journal.opened[ANOTHER] == 2, "for the one that lagged, and for the others"
    fresh = journal.operations()
    fresh.run()
    assert _rows(operations) == _rows(fresh)


def test_a_view_that_was_moved_meanwhile_is_not_moved_back(journal: Journal) -> None:
    """While one worker reads, another raises a shield and brings a view up: what the first read of it is not saved."""
    store = MemoryViewStore()
    operations = journal.operations(store)
    operations.run()
    journal.tell(CHILD, asserts(gender=Gender.MALE))

    def cut() -> None:
        journal.tell(CHILD, builders.shields())
        journal.engine(store).catch_up(MATCH_INDEX)
        assert "E81DY" not in repr(rows_of(operations, MATCH_INDEX)).replace(" ", "")
        shielded.append(rows_of(operations, MATCH_INDEX))

    shielded: list[Any] = []
    engine = _cut_in(operations.engine, cut)
    moved: list[str] = []

    def told(progress: Progress) -> None:
        moved.append(progress.name)
        assert rows_of(operations, MATCH_INDEX) == shielded[0], "also after each of the others"

    engine.catch_up_all(PROJECTIONS, progress=told)
    assert MATCH_INDEX.name not in moved
    assert len(moved) == len(PROJECTIONS) - 1
    operations.run()
    fresh = journal.operations()
    fresh.run()
    assert _rows(operations) == _rows(fresh)


def test_what_cannot_be_folded_parks_its_stream_in_its_own_view(journal: Journal) -> None:
    def fails(history: History, rules: RuleSet) -> Any:
        if history.stream_id == CHILD:
            raise KeyError("Amira Khan")
        return MATCH_INDEX.rows(history, rules)

    broken = replace(MATCH_INDEX, rows=fails)
    views = tuple(broken if each is MATCH_INDEX else each for each in PROJECTIONS)
    operations = journal.operations(projections=views)
    parked = operations.run()["parked"]
    assert [(one["name"], one["stream"]) for one in parked] == [(MATCH_INDEX.name, str(CHILD))]
    held = _rows(operations)
    assert MATCH_INDEX.name not in _holds(held, CHILD)
    assert {PRACTITIONER_VIEW.name, AUDIT_TRAIL.name} <= _holds(held, CHILD)
    assert MATCH_INDEX.name in _holds(held, ANOTHER)


def test_what_cannot_be_opened_for_one_view_is_opened_for_the_others(journal: Journal) -> None:
    """Who said something is damaged. The audit trail is made of it, the others are not."""
    journal.damage(CHILD, Depth.EVERYTHING)
    operations = journal.operations()
    parked = operations.run()["parked"]
    assert [(one["name"], one["cause"]) for one in parked] == [(AUDIT_TRAIL.name, "damaged-stream")]
    held = _rows(operations)
    assert AUDIT_TRAIL.name not in _holds(held, CHILD)
    assert {PRACTITIONER_VIEW.name, MATCH_INDEX.name} <= _holds(held, CHILD)
    journal.repair(CHILD)
    assert operations.run()["parked"] == []
    assert AUDIT_TRAIL.name in _holds(_rows(operations), CHILD)


def test_a_worker_that_is_told_to_stop_stops_between_two_views(journal: Journal) -> None:
    operations = journal.operations()
    moved: list[str] = []
    operations.feed(progress=lambda progress: moved.append(progress.name), stop=lambda: len(moved) == 2)
    assert moved == [each.name for each in PROJECTIONS[:2]]
    operations.run()
    fresh = journal.operations()
    fresh.run()
    assert _rows(operations) == _rows(fresh)
