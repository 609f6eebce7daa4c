"""Rebuild, compare, switch, roll back: and nothing left behind by one that was stopped."""

from dataclasses import replace
from uuid import UUID

import pytest

from adapters.memory.view_store import MemoryViewStore
from domain.child_record.events import Gender
from domain.errors import NotFound, Refused
from projections.engine import Progress
from projections.ports import Plan
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.projection import Projection
from projections.registry import PROJECTIONS
from tests import builders
from tests.builders import CHILD, a_number, an_address, asserts, registers
from tests.unit.projections.journal import Journal, rows_of

VIEW = PRACTITIONER_VIEW
NAME = VIEW.name


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    for number in range(30):
        child = UUID(int=1000 + number)
        journal.tell(
            child, registers(index_number=a_number(1000 + number)), asserts(whereabouts=an_address())
        )
    journal.tell(CHILD, registers(), builders.shields())
    return journal


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_a_rebuilt_view_is_the_live_one(journal: Journal, projection: Projection) -> None:
    operations = journal.operations()
    operations.run()
    live = rows_of(operations, projection)
    answer = operations.rebuild(projection.name)
    assert rows_of(operations, projection, "next") == live
    assert (answer["compare"]["added"], answer["compare"]["removed"], answer["compare"]["changed"]) == (
        0,
        0,
        0,
    )
    assert answer["compare"]["rows"] == sum(map(len, live.values()))
    assert answer["events"] == journal.reader.head(projection.logs[0])
    assert answer["events_per_second"] > 0


def test_a_rebuild_brings_back_what_was_lost_and_says_so(journal: Journal) -> None:
    store = MemoryViewStore()
    operations = journal.operations(store)
    operations.run()
    (live,) = store.builds(NAME)
    lost = sum(CHILD in row for table in rows_of(operations, VIEW).values() for row in table)
    with store.step(VIEW) as step:
        step.replace([live], [CHILD], ())
    assert operations.compare(NAME)["added"] == lost
    assert [build.state for build in store.builds(NAME)] == ["live"], "nothing is left of a comparison"
    assert operations.rebuild(NAME, switch=True)["compare"]["added"] == lost
    assert operations.compare(NAME)["added"] == 0


def test_a_switch_is_seen_and_can_be_undone(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    operations.rebuild(NAME)
    states = {view["version"]: view["state"] for view in operations.list()["views"] if view["name"] == NAME}
    assert states == {1: "current", 2: "next"}
    assert [view["version"] for view in operations.switch(NAME)["views"]] == [2]
    assert [view["version"] for view in operations.rollback(NAME)["views"]] == [1]
    assert [view["version"] for view in operations.rollback(NAME)["views"]] == [2], "forward again"


def test_the_live_build_is_listed_last(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    operations.rebuild(NAME)
    assert [view["live"] for view in operations.list()["views"] if view["name"] == NAME] == [False, True]


def test_the_build_before_stays_fed_until_the_next_switch(journal: Journal) -> None:
    store = MemoryViewStore()
    operations = journal.operations(store)
    operations.run()
    operations.rebuild(NAME, switch=True)
    journal.tell(CHILD, asserts(gender=Gender.MALE))
    operations.run()
    assert rows_of(operations, VIEW, "previous") == rows_of(operations, VIEW, "live")
    operations.rebuild(NAME, switch=True)
    assert [(build.number, build.state) for build in store.builds(NAME)] == [(2, "previous"), (3, "live")]


def test_what_happens_during_a_rebuild_is_in_it(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()

    def meanwhile(progress: Progress) -> None:
        journal.tell(CHILD, asserts(gender=Gender.MALE))
        journal.tell(UUID(int=1000), builders.shields())

    operations.rebuild(NAME, switch=True, progress=meanwhile)
    assert rows_of(operations, VIEW, "previous") == rows_of(operations, VIEW)
    (child,) = [row for row in rows_of(operations, VIEW)["child"] if row[0] == UUID(int=1000)]
    assert child[5] is None


def test_progress_has_a_rate_and_a_time_to_go(journal: Journal) -> None:
    told: list[Progress] = []
    journal.operations().rebuild(NAME, progress=told.append)
    assert told[-1].done == told[-1].total == journal.reader.head(VIEW.logs[0])
    assert told[-1].events_per_second > 0
    assert told[-1].eta_seconds == 0


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, RuntimeError])
def test_a_stopped_rebuild_leaves_nothing_behind(journal: Journal, stopped_by: type[BaseException]) -> None:
    store = MemoryViewStore()
    operations = journal.operations(store)
    operations.run()

    def stop(progress: Progress) -> None:
        raise stopped_by

    with pytest.raises(stopped_by):
        operations.rebuild(NAME, progress=stop)
    assert [build.state for build in store.builds(NAME)] == ["live"]


def test_a_build_that_died_before_it_had_a_plan_is_dropped_by_the_next_catch_up(journal: Journal) -> None:
    store = MemoryViewStore()
    operations = journal.operations(store)
    operations.run()
    store.begin(VIEW, "present", Plan({}, {}))
    assert len(store.builds(NAME)) == 2
    operations.run()
    assert [build.state for build in store.builds(NAME)] == ["live"]


def test_there_is_nothing_to_switch_or_go_back_to(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    for act in (operations.switch, operations.rollback):
        with pytest.raises(Refused) as refused:
            act(NAME)
        assert refused.value.code == "no-such-version"


def test_a_name_may_be_typed_with_hyphens(journal: Journal) -> None:
    assert journal.operations().rebuild("practitioner-view", switch=True)["name"] == NAME


def test_an_unknown_view_is_named_as_such(journal: Journal) -> None:
    with pytest.raises(NotFound):
        journal.operations().rebuild("practitioner")


def test_a_paused_view_is_not_rebuilt(journal: Journal) -> None:
    operations = journal.operations()
    operations.run()
    operations.pause(NAME)
    with pytest.raises(Refused) as refused:
        operations.rebuild(NAME)
    assert refused.value.code == "view-is-paused"


def test_a_view_made_under_other_rules_asks_to_be_rebuilt(journal: Journal) -> None:
    store = MemoryViewStore()
    journal.operations(store).run()
    later = builders.the_rules().model_copy(update={"id": "later"})
    operations = replace(journal.operations(store), engine=journal.engine(store, later))
    by_rules = {one.name for one in operations.projections if one.by_rules}
    states = {view["name"]: view["state"] for view in operations.status()["views"]}
    assert by_rules
    assert {name for name, state in states.items() if state == "stale: rebuild"} == by_rules


def test_a_view_that_was_never_built_says_so(journal: Journal) -> None:
    views = journal.operations().list()["views"]
    assert {view["state"] for view in views} == {"never built"}
    assert {view["lag_events"] > 0 for view in views} == {True}
    with pytest.raises(Refused):
        journal.operations().switch(NAME)
    with pytest.raises(NotFound):
        journal.operations().compare(NAME)


def test_the_first_rebuild_of_a_view_is_live_at_once(journal: Journal) -> None:
    operations = journal.operations()
    assert operations.rebuild(NAME)["switched"]
    assert [view["state"] for view in operations.list()["views"] if view["name"] == NAME] == ["current"]
    assert len(rows_of(operations, VIEW)["child"]) == 31
