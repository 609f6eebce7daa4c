"""What every keeper of views promises: tried on the one in memory and on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.view_store import MemoryViewStore
from adapters.postgres.view_store import PostgresViewStore
from domain.errors import Refused
from domain.kernel import Log
from projections.ports import Build, Filled, Parked, Plan, Slice, Step, ViewStore
from projections.projection import Row
from projections.retention_schedule.view import RETENTION_SCHEDULE as VIEW
from projections.retention_schedule.view import DueRow, UndatedRow
from tests.postgres import MakeDatabases

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = NOON.date()
ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


def _due(child: UUID, rule: str = "age-18") -> DueRow:
    return DueRow(child, "archive", DAY, rule, "present", False)


PLAN = Plan({Log.RECORD: 9}, {Log.RECORD: 4})


def _filled(rows: Sequence[Row], number: int = 0, **more: Any) -> Filled:
    return Filled(Slice(Log.RECORD, number, 4), rows, **more)


Make = Callable[[], ViewStore]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[ViewStore]:
    if request.param == "memory":
        yield MemoryViewStore()
        return
    make: MakeDatabases = request.getfixturevalue("make_databases")
    keeper = PostgresViewStore(make().views)
    yield keeper
    keeper.close()


def _live(store: ViewStore, *rows: DueRow | UndatedRow, at: int = 0) -> Build:
    build = store.begin(VIEW, "present", PLAN)
    store.fill(build, VIEW, _filled(rows))
    build = store.finish(build, VIEW, {Log.RECORD: at}, "next")
    with store.step(VIEW) as step:
        step.become(build, "live")
    (build,) = [build for build in store.builds(VIEW.name) if build.state == "live"]
    return build


def test_builds_are_numbered_and_begin_empty(store: ViewStore) -> None:
    assert store.builds(VIEW.name) == ()
    first = store.begin(VIEW, "present", PLAN)
    second = store.begin(VIEW, "present", PLAN)
    assert (first.number, second.number, first.state) == (1, 2, "filling")
    assert store.rows(first, "due") == []


def test_a_build_that_is_being_filled_is_no_part_of_a_step(store: ViewStore) -> None:
    build = store.begin(VIEW, "present", PLAN)
    with store.step(VIEW) as step:
        assert list(step.builds) == []
    store.fill(build, VIEW, _filled([_due(ONE), UndatedRow(TWO, "no-date-of-birth", "present")]))
    store.finish(build, VIEW, {Log.RECORD: 7}, "next")
    with store.step(VIEW) as step:
        assert [(build.state, build.positions) for build in step.builds] == [("next", {Log.RECORD: 7})]
    assert store.rows(build, "due") == [_due(ONE)]
    assert store.rows(build, "undated") == [(TWO, "no-date-of-birth", "present")]


def test_rows_and_position_are_saved_together(store: ViewStore) -> None:
    build = _live(store, _due(ONE), _due(TWO))
    with store.step(VIEW) as step:
        step.replace([build], [ONE, THREE], [_due(ONE, "death"), _due(THREE)])
        step.advance(build, Log.RECORD, position=5, swept=5)
        assert step.builds[0].positions == {Log.RECORD: 5}
    assert store.rows(build, "due") == [_due(ONE, "death"), _due(TWO), _due(THREE)]
    assert store.builds(VIEW.name)[0].positions == {Log.RECORD: 5}


def test_a_failed_step_saves_neither(store: ViewStore) -> None:
    build = _live(store, _due(ONE))

    def fail(step: Step) -> None:
        step.replace([build], [ONE], [])
        step.advance(build, Log.RECORD, position=5, swept=5)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError), store.step(VIEW) as step:
        fail(step)
    assert store.rows(build, "due") == [_due(ONE)]
    assert store.builds(VIEW.name)[0].positions == {Log.RECORD: 0}


def test_a_position_never_goes_back(store: ViewStore) -> None:
    build = _live(store, at=9)
    with store.step(VIEW) as step:
        step.advance(build, Log.RECORD, position=4, swept=4)
    with store.step(VIEW) as step:
        step.advance(build, Log.RECORD, swept=12)
    (build,) = store.builds(VIEW.name)
    assert (build.positions, build.swept) == ({Log.RECORD: 9}, {Log.RECORD: 12})


def test_rows_of_a_stream_in_every_table_are_replaced(store: ViewStore) -> None:
    build = _live(store, UndatedRow(ONE, "no-date-of-birth", "present"))
    with store.step(VIEW) as step:
        step.replace([build], [ONE], [_due(ONE)])
    assert store.rows(build, "undated") == []
    assert store.rows(build, "due") == [_due(ONE)]


def test_one_build_is_live(store: ViewStore) -> None:
    first = _live(store)
    second = store.finish(store.begin(VIEW, "present", PLAN), VIEW, {Log.RECORD: 0}, "next")
    with store.step(VIEW) as step:
        step.become(first, "previous")
        step.become(second, "live")
    assert [build.state for build in store.builds(VIEW.name)] == ["previous", "live"]


def test_a_live_build_is_not_dropped(store: ViewStore) -> None:
    build = _live(store, _due(ONE))
    with pytest.raises(Refused) as refused:
        store.drop(build)
    assert refused.value.code == "view-is-live"
    assert store.rows(build, "due") == [_due(ONE)]


def test_dropping_is_idempotent_and_its_number_is_not_used_again_while_later_ones_stand(
    store: ViewStore,
) -> None:
    first = store.begin(VIEW, "present", PLAN)
    second = store.begin(VIEW, "present", PLAN)
    store.drop(first)
    store.drop(first)
    assert store.builds(VIEW.name) == (second,)
    assert store.begin(VIEW, "present", PLAN).number == 3


def test_parked_streams_are_noted_once_and_those_tried_longest_ago_come_first(store: ViewStore) -> None:
    later = NOON.replace(hour=13)
    with store.step(VIEW) as step:
        step.park(
            [Parked(Log.RECORD, ONE, "damaged-stream", NOON), Parked(Log.RECORD, TWO, "damaged-stream", NOON)]
        )
        step.park([Parked(Log.RECORD, ONE, "cannot be folded: KeyError", later)])
    assert store.parked(VIEW.name) == [
        Parked(Log.RECORD, ONE, "cannot be folded: KeyError", NOON),
        Parked(Log.RECORD, TWO, "damaged-stream", NOON),
    ]
    with store.step(VIEW) as step:
        assert [one.stream_id for one in step.parked(1)] == [ONE]
    with store.step(VIEW) as step:
        assert [one.stream_id for one in step.parked(1)] == [TWO]
        step.unpark(Log.RECORD, [ONE, THREE])
    assert [one.stream_id for one in store.parked(VIEW.name)] == [TWO]


def test_a_view_is_paused_and_resumed(store: ViewStore) -> None:
    assert not store.is_paused(VIEW.name)
    store.pause(VIEW.name, paused=True)
    assert store.is_paused(VIEW.name)
    with store.step(VIEW) as step:
        assert step.paused
    store.pause(VIEW.name, paused=False)
    assert not store.is_paused(VIEW.name)


def test_builds_are_compared_row_by_row_in_any_order(store: ViewStore) -> None:
    before = _live(store, _due(ONE), _due(TWO), UndatedRow(THREE, "no-date-of-birth", "present"))
    after = store.begin(VIEW, "present", PLAN)
    store.fill(after, VIEW, _filled([_due(THREE), _due(TWO, "death")]))
    after = store.finish(after, VIEW, {Log.RECORD: 0}, "next")
    found = store.compare(VIEW, before, after)
    assert (found.rows, found.added, found.removed, found.changed, found.same) == (2, 1, 2, 1, False)
    again = store.begin(VIEW, "present", PLAN)
    store.fill(again, VIEW, _filled([_due(TWO, "death")]))
    store.fill(again, VIEW, _filled([_due(THREE)], 1))
    again = store.finish(again, VIEW, {Log.RECORD: 0}, "scratch")
    same = store.compare(VIEW, after, again)
    assert same.same
    assert same.digest == found.digest
    assert store.compare(VIEW, after, before).digest != found.digest


def test_only_one_at_a_time_may_do_it(store: ViewStore) -> None:
    found: list[bool] = []

    def another(what: str) -> None:
        with store.alone(VIEW.name, what, wait=False) as alone:  # type: ignore[arg-type]
            found.append(alone)

    with store.alone(VIEW.name, "worker", wait=False) as alone:
        assert alone
        for what in ("worker", "rebuild"):
            thread = threading.Thread(target=another, args=(what,))
            thread.start()
            thread.join()
    another("worker")
    assert found == [False, True, True]


def test_a_step_waits_for_another_of_the_same_view(store: ViewStore) -> None:
    build = _live(store)
    began = threading.Event()

    def another() -> None:
        began.set()
        with store.step(VIEW) as step:
            step.advance(build, Log.RECORD, position=step.builds[0].positions[Log.RECORD] + 1, swept=0)

    with store.step(VIEW) as step:
        thread = threading.Thread(target=another)
        thread.start()
        began.wait(10)
        step.advance(build, Log.RECORD, position=10, swept=10)
    thread.join()
    assert store.builds(VIEW.name)[0].positions == {Log.RECORD: 11}
