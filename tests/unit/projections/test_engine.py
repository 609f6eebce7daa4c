"""Catching up: what is folded, what is parked, what leaves a view that is not fed."""

from uuid import UUID

import pytest

from adapters.memory.view_store import MemoryViewStore
from domain.child_record.events import Gender, PersonName
from domain.errors import Refused
from domain.kernel import History, Log
from domain.rule_set.model import RuleSet
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.projection import Projection, as_served
from projections.registry import PROJECTIONS
from tests import builders
from tests.builders import CHILD, a_number, an_address, asserts, registers
from tests.unit.projections.journal import Journal, rows_of

ANOTHER = UUID(int=77)
VIEW = PRACTITIONER_VIEW


def _another(**changes: object) -> object:
    return registers(index_number=a_number(12345), **changes)


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.tell(CHILD, registers(), asserts(whereabouts=an_address()))
    journal.tell(ANOTHER, _another(names=(PersonName(given=("Tom",), family="Reed"),)))  # type: ignore[arg-type]
    return journal


def _children(rows: dict[str, list[tuple[object, ...]]]) -> set[object]:
    return {row[0] for row in rows["child"]}


def test_a_view_is_begun_and_caught_up(journal: Journal) -> None:
    operations = journal.operations()
    answer = operations.run()
    assert answer["events"] > 0
    assert _children(rows_of(operations, VIEW)) == {CHILD, ANOTHER}
    (view,) = [view for view in answer["views"] if view["name"] == VIEW.name]
    assert (view["live"], view["lag_events"], view["lag_seconds"], view["state"]) == (True, 0, 0.0, "current")
    assert view["position"] == journal.reader.head(Log.RECORD)


def test_one_batch_at_a_time(journal: Journal) -> None:
    engine = journal.engine()
    first = engine.catch_up(VIEW, until_caught_up=False, batch=2)
    assert first.positions[Log.RECORD] == 2
    assert engine.catch_up(VIEW, batch=2).positions[Log.RECORD] == journal.reader.head(Log.RECORD)


def test_catching_up_again_changes_nothing(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    before = rows_of(operations, VIEW)
    assert operations.run()["events"] == 0
    assert rows_of(operations, VIEW) == before


def test_a_damaged_stream_is_parked_and_the_others_go_on(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    journal.damage(CHILD)
    journal.tell(CHILD, asserts(gender=Gender.MALE))
    journal.tell(ANOTHER, asserts(gender=Gender.MALE))
    answer = operations.run()
    assert _children(rows_of(operations, VIEW)) == {ANOTHER}
    assert {"name": VIEW.name, "log": "record", "stream": str(CHILD), "cause": "damaged-stream"} in answer[
        "parked"
    ]
    assert [view["state"] for view in answer["views"] if view["name"] == VIEW.name] == ["parked: 1"]


def test_a_repaired_stream_comes_back_with_the_next_catch_up(journal: Journal) -> None:
    operations = journal.operations()
    journal.damage(CHILD)
    assert operations.run()["parked"]
    journal.repair(CHILD)
    assert operations.run()["parked"] == []
    assert _children(rows_of(operations, VIEW)) == {CHILD, ANOTHER}


def test_a_stream_that_cannot_be_folded_is_parked_without_a_value(journal: Journal) -> None:
    def fails(history: History, rules: RuleSet) -> tuple[()]:
        raise KeyError("Amira Khan")

    broken = Projection("broken", 1, VIEW.logs, VIEW.tables, fails, VIEW.folder)
    operations = journal.operations(projections=(broken,))
    parked = operations.run()["parked"]
    assert {one["cause"] for one in parked} == {"cannot be folded: KeyError"}


def test_a_certificate_of_destruction_takes_the_rows_even_where_keys_are_still_in_memory(
    journal: Journal,
) -> None:
    operations = journal.operations()
    operations.run()
    journal.destroy(CHILD, UUID(int=5))
    del journal.certificates[CHILD]  # this reader still has them
    operations.run()
    for projection in PROJECTIONS:
        assert CHILD not in {row[0] for rows in rows_of(operations, projection).values() for row in rows}


def test_a_rebuild_holds_nothing_of_a_destroyed_child_either(journal: Journal) -> None:
    operations = journal.operations()
    journal.destroy(CHILD, UUID(int=5))
    del journal.certificates[CHILD]
    operations.rebuild(VIEW.name, switch=True)
    assert _children(rows_of(operations, VIEW)) == {ANOTHER}


def test_a_store_that_opens_everything_puts_nothing_hidden_into_a_view(journal: Journal) -> None:
    journal.tell(CHILD, builders.shields())
    held = journal.history(CHILD)
    assert "E8 1DY" in repr(held)
    assert "E8 1DY" not in repr(as_served(held))
    assert builders.LONDON_BOROUGH not in repr(as_served(held))
    operations = journal.operations()
    operations.run()
    for projection in PROJECTIONS:
        assert "E81DY" not in repr(rows_of(operations, projection)).replace(" ", "")


def test_a_shield_empties_a_paused_view(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    assert operations.pause(VIEW.name)["views"][0]["state"] == "paused"
    journal.tell(CHILD, builders.shields())
    journal.tell(ANOTHER, asserts(gender=Gender.MALE))
    before = rows_of(operations, VIEW)
    answer = operations.run()
    assert _children(rows_of(operations, VIEW)) == {ANOTHER}
    assert [row for row in rows_of(operations, VIEW)["child"] if row[0] == ANOTHER] == [
        row for row in before["child"] if row[0] == ANOTHER
    ], "a paused view is not fed"
    (view,) = [view for view in answer["views"] if view["name"] == VIEW.name]
    assert view["lag_events"] > 0
    operations.resume(VIEW.name)
    operations.run()
    assert _children(rows_of(operations, VIEW)) == {CHILD, ANOTHER}


def test_a_shield_empties_a_build_that_other_code_made(journal: Journal) -> None:
    store = MemoryViewStore()
    journal.operations(store).run()
    newer = Projection(VIEW.name, VIEW.version + 1, VIEW.logs, VIEW.tables, VIEW.rows, VIEW.folder)
    operations = journal.operations(store, (newer,))
    journal.tell(CHILD, builders.shields())
    answer = operations.run()
    assert [view["state"] for view in answer["views"]] == ["stale: rebuild"]
    assert _children(rows_of(operations, newer)) == {ANOTHER}


def test_a_build_that_other_code_made_is_found_complete_by_that_code(journal: Journal) -> None:
    store = MemoryViewStore()
    older = journal.operations(store)
    older.run()
    newer = journal.operations(
        store, (Projection(VIEW.name, VIEW.version + 1, VIEW.logs, VIEW.tables, VIEW.rows, VIEW.folder),)
    )
    newer.rebuild(VIEW.name, switch=True)
    journal.tell(CHILD, builders.shields())
    newer.run()
    with pytest.raises(Refused) as refused:
        newer.rollback(VIEW.name)
    assert refused.value.code == "other-release"
    older.rollback(VIEW.name)
    assert _children(rows_of(older, VIEW)) == {CHILD, ANOTHER}


def test_another_worker_is_waited_for_or_left_alone(journal: Journal) -> None:
    import threading

    store = MemoryViewStore()
    engine = journal.engine(store)
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.alone(VIEW.name, "worker", wait=True):
            taken.set()
            done.wait(10)

    worker = threading.Thread(target=hold)
    worker.start()
    taken.wait(10)
    assert engine.catch_up(VIEW, wait=False).busy
    done.set()
    worker.join()
    assert not engine.catch_up(VIEW, wait=True).busy
