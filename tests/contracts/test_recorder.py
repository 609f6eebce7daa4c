"""What every recorder promises (`adapters.rows.Recorder`): in memory, in PostgreSQL, and through the committer."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.memory.recorder import MemoryRecorder
from adapters.postgres.committer import Committer
from adapters.postgres.databases import Databases, Role
from adapters.postgres.recorder import LogRecorder
from adapters.rows import Applied, Duplicate, Group, Moved, Outcome, Recorder, Taken, chunks, group_of
from domain.errors import Unavailable, VersionConflict
from domain.kernel import Log
from tests.rows import a_row, a_stream

_seconds = itertools.count()


def ticking() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_seconds))


@dataclass
class Case:
    """A recorder, and where its log began for this test (the databases are shared by the module)."""

    recorder: Recorder
    start: int

    def append(self, group: Group) -> Outcome:
        (outcome,) = self.recorder.append([group])
        return outcome

    def applied(self, group: Group) -> Applied:
        outcome = self.append(group)
        assert isinstance(outcome, Applied)
        return outcome


@pytest.fixture(
    params=[
        "memory",
        "memory through the committer",
        pytest.param("record log", marks=pytest.mark.postgres),
        pytest.param("access log", marks=pytest.mark.postgres),
        pytest.param("record log through the committer", marks=pytest.mark.postgres),
    ]
)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    recorder: Recorder
    close: Callable[[], None] = lambda: None  # noqa: E731
    if request.param.startswith("memory"):
        recorder = MemoryRecorder(Log.RECORD, ticking)
    else:
        databases: Databases = request.getfixturevalue("databases")
        log = Log.ACCESS if request.param.startswith("access") else Log.RECORD
        recorder = opened = LogRecorder(databases.record, Role.WRITER, log)
        close = opened.close
    if request.param.endswith("committer"):
        recorder = Committer(recorder)
    yield Case(recorder, recorder.head().position)
    close()


def test_what_is_appended_comes_back_as_it_was_given(case: Case) -> None:
    rows = a_stream(3)
    applied = case.applied(group_of(rows))
    assert [recorded.stored() for recorded in case.recorder.stream(rows[0].stream_id)] == rows
    assert [recorded.position for recorded in case.recorder.stream(rows[0].stream_id)] == list(
        applied.positions
    )
    assert {recorded.recorded_at for recorded in case.recorder.stream(rows[0].stream_id)} == {
        applied.recorded_at
    }
    assert applied.recorded_at.utcoffset() == timedelta(0)


def test_positions_are_dense_and_in_order(case: Case) -> None:
    for length in (1, 3, 2):
        case.applied(group_of(a_stream(length)))
    tail = case.recorder.tail(case.start, 100)
    assert [row.position for row in tail] == list(range(case.start + 1, case.start + 7))
    assert case.recorder.head() == (case.start + 6, tail[-1].recorded_at)
    assert [row.recorded_at for row in tail] == sorted(row.recorded_at for row in tail)


def test_the_tail_is_read_in_pages(case: Case) -> None:
    case.applied(group_of(a_stream(5)))

    def positions(after: int, limit: int, upto: int | None = None) -> list[int]:
        end = None if upto is None else case.start + upto
        return [row.position - case.start for row in case.recorder.tail(case.start + after, limit, end)]

    assert positions(0, 2) == [1, 2]
    assert positions(2, 2) == [3, 4]
    assert positions(2, 9, upto=4) == [3, 4]
    assert positions(5, 9) == []


def test_a_stream_is_read_to_a_version(case: Case) -> None:
    rows = a_stream(4)
    case.applied(group_of(rows))
    assert [row.version for row in case.recorder.stream(rows[0].stream_id, upto=2)] == [1, 2]
    assert case.recorder.stream(rows[0].stream_id, upto=0) == []
    assert case.recorder.stream(uuid4()) == []


def test_several_streams_are_read_at_once(case: Case) -> None:
    one, two, absent = a_stream(2), a_stream(3), uuid4()
    case.applied(group_of(one + two))
    found = case.recorder.streams([one[0].stream_id, two[0].stream_id, absent, one[0].stream_id])
    assert {stream: [row.stored() for row in rows] for stream, rows in found.items()} == {
        one[0].stream_id: one,
        two[0].stream_id: two,
    }
    heads = case.recorder.heads([one[0].stream_id, two[0].stream_id, absent])
    assert heads == {one[0].stream_id: 2, two[0].stream_id: 3}


@pytest.mark.parametrize("wrong", [0, 1, 3], ids=["as if new", "one behind", "one ahead"])
def test_a_stream_that_moved_is_not_appended_to(case: Case, wrong: int) -> None:
    stream = uuid4()
    case.applied(group_of(a_stream(2, stream)))
    outcome = case.append(group_of(a_stream(1, stream, after=wrong)))
    assert outcome == Moved(stream, 2)
    assert case.recorder.head().position == case.start + 2
    assert case.recorder.heads([stream]) == {stream: 2}


def test_a_stream_that_is_not_there_cannot_be_expected(case: Case) -> None:
    stream = uuid4()
    assert case.append(group_of([a_row(stream, 2)])) == Moved(stream, 0)


def test_one_stream_that_moved_refuses_the_whole_group(case: Case) -> None:
    moved, fresh = uuid4(), uuid4()
    case.applied(group_of(a_stream(1, moved)))
    assert case.append(group_of([a_row(fresh), a_row(moved)])) == Moved(moved, 1)
    assert case.recorder.stream(fresh) == []


def test_a_watched_stream_must_not_have_moved(case: Case) -> None:
    watched = uuid4()
    case.applied(group_of(a_stream(2, watched)))
    first, second, third = a_row(), a_row(), a_row()
    assert case.append(Group([first], [(watched, 1), (first.stream_id, 0)])) == Moved(watched, 2)
    assert case.append(Group([first], [(first.stream_id, 0), (watched, 3)])) == Moved(watched, 2)
    case.applied(Group([first], [(watched, 2), (first.stream_id, 0)]))
    case.applied(Group([second], [(second.stream_id, 0), (watched, 2)]))
    never = uuid4()
    case.applied(Group([third], [(never, 0), (third.stream_id, 0)]))
    assert case.append(Group([], [(watched, 0)], key=uuid4().bytes)) == Moved(watched, 2)


def test_groups_of_one_call_do_not_fail_each_other(case: Case) -> None:
    taken = a_row()
    key, token = uuid4().bytes, uuid4().bytes
    log = case.recorder.log
    reserving = [(token, taken.stream_id)] if log is Log.RECORD else []
    case.applied(group_of([taken], key=key, reservations=reserving))
    good, better = a_stream(2), a_stream(1)
    outcomes = case.recorder.append(
        [
            group_of(good),
            group_of([a_row()], key=key),
            group_of([a_row(taken.stream_id)]),
            group_of([a_row()], reservations=[(token, uuid4())])
            if reserving
            else group_of([a_row(taken.stream_id)]),
            group_of(better),
        ]
    )
    assert isinstance(outcomes[0], Applied)
    assert isinstance(outcomes[1], Duplicate)
    assert outcomes[2] == Moved(taken.stream_id, 1)
    assert outcomes[3] == (Taken(taken.stream_id) if reserving else Moved(taken.stream_id, 1))
    assert isinstance(outcomes[4], Applied)
    assert [row.stored() for row in case.recorder.tail(case.start + 1, 9)] == good + better
    assert case.recorder.head().position == case.start + 4


def test_groups_of_one_call_see_what_came_before_them(case: Case) -> None:
    stream, key = uuid4(), uuid4().bytes
    first, same_key, follows, late = case.recorder.append(
        [
            group_of(a_stream(1, stream), key=key),
            group_of(a_stream(1), key=key),
            group_of(a_stream(1, stream, after=1)),
            group_of(a_stream(1, stream, after=1)),
        ]
    )
    assert isinstance(first, Applied)
    assert isinstance(same_key, Duplicate)
    assert (same_key.stream_id, same_key.version, same_key.position) == (stream, 1, case.start + 1)
    assert isinstance(follows, Applied)
    assert late == Moved(stream, 2)
    assert case.recorder.head().position == case.start + 2


def test_a_stream_watched_by_one_group_may_be_moved_by_another_before_it(case: Case) -> None:
    stream, watcher, early = uuid4(), a_row(), a_row()
    case.applied(group_of(a_stream(1, stream)))
    before, moves, after = case.recorder.append(
        [
            Group([early], [(early.stream_id, 0), (stream, 1)]),
            group_of([a_row(stream, 2)]),
            Group([watcher], [(watcher.stream_id, 0), (stream, 1)]),
        ]
    )
    assert isinstance(before, Applied)
    assert isinstance(moves, Applied)
    assert after == Moved(stream, 2)


def test_a_key_without_events_points_at_none_of_its_neighbours(case: Case) -> None:
    keys = [uuid4().bytes for _ in range(3)]
    case.recorder.append(
        [group_of([a_row()], key=keys[0]), Group(key=keys[1]), group_of([a_row()], key=keys[2])]
    )
    assert case.append(Group(key=keys[1])) == Duplicate(None, None, None, None)


def test_a_known_key_appends_nothing_and_says_what_it_did(case: Case) -> None:
    key, rows = uuid4().bytes, a_stream(3)
    applied = case.applied(group_of(rows, key=key))
    again = case.append(group_of(a_stream(2), key=key))
    assert again == Duplicate(rows[-1].stream_id, 3, case.start + 3, applied.recorded_at)
    assert case.recorder.head().position == case.start + 3
    assert case.recorder.known([key, uuid4().bytes]) == {key}


def test_a_key_may_come_without_events(case: Case) -> None:
    key = uuid4().bytes
    assert len(case.applied(Group(key=key)).positions) == 0
    assert case.append(group_of([a_row()], key=key)) == Duplicate(None, None, None, None)
    assert case.recorder.head().position == case.start


def test_the_keys_of_a_withdrawn_file_are_forgotten(case: Case) -> None:
    batch, other = uuid4(), uuid4()
    keys = [uuid4().bytes for _ in range(3)]
    for key, of in zip(keys, (batch, batch, other), strict=True):
        case.applied(group_of([a_row()], key=key, batch=of))
    if case.recorder.log is Log.ACCESS:
        return  # no file is loaded into it
    assert case.recorder.forget_batch(batch) == 2
    assert case.recorder.known(keys) == {keys[2]}
    case.applied(group_of([a_row()], key=keys[0]))


def test_a_token_is_held_by_one_stream(case: Case) -> None:
    token, row = uuid4().bytes, a_row()
    if case.recorder.log is Log.ACCESS:  # which reserves nothing
        assert case.recorder.find(token) is None
        assert case.recorder.release([token], row.stream_id) == 0
        return
    case.applied(group_of([row], reservations=[(token, row.stream_id)]))
    assert case.recorder.find(token) == row.stream_id
    late = a_row()
    assert case.append(group_of([late], reservations=[(token, late.stream_id)])) == Taken(row.stream_id)
    assert case.recorder.stream(late.stream_id) == []
    assert case.recorder.find(uuid4().bytes) is None
    assert case.recorder.release([token], late.stream_id) == 0
    assert case.recorder.release([token], row.stream_id) == 1
    case.applied(group_of([late], reservations=[(token, late.stream_id)]))


def test_two_groups_of_one_call_cannot_both_have_a_token(case: Case) -> None:
    token, one, two = uuid4().bytes, a_row(), a_row()
    groups = [group_of([row], reservations=[(token, row.stream_id)]) for row in (one, two)]
    if case.recorder.log is Log.ACCESS:
        with pytest.raises(Unavailable):
            case.recorder.append(groups)
        return
    first, second = case.recorder.append(groups)
    assert isinstance(first, Applied)
    assert second == Taken(one.stream_id)


def malformed() -> Iterator[tuple[str, Group]]:
    one, two = uuid4(), uuid4()
    yield "a version left out", Group([a_row(one, 1), a_row(one, 3)], [(one, 0)])
    yield "versions that go back", Group([a_row(one, 2), a_row(one, 1)], [(one, 0)])
    yield "not what is expected", Group([a_row(one, 2)], [(one, 0)])
    yield "nothing expected", Group([a_row(one, 1)], [])
    yield "another stream expected", Group([a_row(one, 1)], [(two, 0)])
    yield "a stream in two pieces", Group([a_row(one, 1), a_row(two, 1), a_row(one, 2)], [(one, 0), (two, 0)])
    yield "streams in another order", Group([a_row(two, 1), a_row(one, 1)], [(one, 0), (two, 0)])


@pytest.mark.parametrize("group", [group for _, group in malformed()], ids=[name for name, _ in malformed()])
def test_rows_that_do_not_follow_on_are_refused(case: Case, group: Group) -> None:
    with pytest.raises(ValueError, match="do not follow on"):
        case.append(group)
    assert case.recorder.head().position == case.start


def test_two_thousand_events_in_one_save(case: Case) -> None:
    rows = [row for _ in range(400) for row in a_stream(5)]
    assert case.applied(group_of(rows)).positions == range(case.start + 1, case.start + 2001)
    assert [row.stored() for row in case.recorder.tail(case.start, 2001)] == rows


def test_two_thousand_events_of_one_stream(case: Case) -> None:
    rows = a_stream(2000)
    case.applied(group_of(rows))
    assert [row.stored() for row in case.recorder.stream(rows[0].stream_id)] == rows


def test_a_load_appends_every_stream_whole(case: Case) -> None:
    rows = [row for _ in range(60) for row in a_stream(3)]
    assert case.recorder.append_bulk(chunks(rows, 50)) == 180
    tail = case.recorder.tail(case.start, 200)
    assert [row.position for row in tail] == list(range(case.start + 1, case.start + 181))
    assert {row.event_id: row.stored() for row in tail} == {row.event_id: row for row in rows}
    together = [stream for stream, _ in itertools.groupby(row.stream_id for row in tail)]
    assert len(together) == 60


def test_a_load_of_a_stream_that_is_there_is_refused(case: Case) -> None:
    there = a_row()
    case.applied(group_of([there]))
    with pytest.raises(VersionConflict):
        case.recorder.append_bulk([group_of([a_row(there.stream_id)])])


def test_in_a_training_home_the_time_may_be_set_ahead(case: Case) -> None:
    later = max(case.applied(group_of([a_row()])).recorded_at, datetime.now(UTC)) + timedelta(days=1)
    assert case.applied(group_of([a_row()], not_before=later)).recorded_at == later
    # It never goes back, for anybody.
    assert case.applied(group_of([a_row()])).recorded_at >= later
    assert case.applied(group_of([a_row()], not_before=later - timedelta(hours=1))).recorded_at >= later


def test_in_a_training_home_the_given_time_stands_in_for_the_clock_even_where_that_is_ahead(
    case: Case,
) -> None:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    before = case.recorder.head().recorded_at
    assert case.applied(group_of([a_row()], not_before=first)).recorded_at == max(first, before or first)


def test_each_log_says_which_it_is(case: Case, request: pytest.FixtureRequest) -> None:
    assert case.recorder.log is (Log.ACCESS if "access log" in request.node.name else Log.RECORD)


def test_nothing_to_append_is_nothing_done(case: Case) -> None:
    assert case.recorder.append([]) == []
    assert case.recorder.append_bulk([]) == 0
    assert case.recorder.streams([]) == {}
    assert case.recorder.heads([]) == {}
    assert case.recorder.known([]) == set()
    assert case.recorder.head().position == case.start


def test_an_empty_log_has_no_time() -> None:
    assert MemoryRecorder(Log.RECORD, ticking).head() == (0, None)


@pytest.mark.postgres
def test_an_empty_log_in_postgres_has_no_time(make_databases: Callable[[], Databases]) -> None:
    recorder = LogRecorder(make_databases().record, Role.SERVICE, Log.RECORD)
    assert recorder.head() == (0, None)
    assert recorder.tail(0, 10) == []
    recorder.close()


def test_outside_a_training_home_no_clock_is_set_ahead() -> None:
    recorder = MemoryRecorder(Log.RECORD, ticking, training=False)
    (outcome,) = recorder.append([group_of([a_row()], not_before=datetime(2030, 1, 1, tzinfo=UTC))])
    assert isinstance(outcome, Applied)
    assert outcome.recorded_at < datetime(2027, 1, 1, tzinfo=UTC)
