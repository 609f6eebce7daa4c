"""What only a real server shows of the recorder: order under concurrency, lost acknowledgements, the library's seam."""

import contextlib
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from hypothesis import given
from hypothesis import strategies as st

from adapters.faults import FaultAt
from adapters.memory.recorder import MemoryRecorder
from adapters.postgres.committer import Committer
from adapters.postgres.databases import (
    Database,
    DatabaseFailure,
    Databases,
    Role,
    connect_as_superuser,
    translated,
)
from adapters.postgres.embedded import ServerAddress
from adapters.postgres.recorder import LibraryEvent, LibraryNotification, LogRecorder, _Announcer
from adapters.rows import (
    Applied,
    Duplicate,
    Group,
    Moved,
    Outcome,
    RecordedRow,
    StoredRow,
    Taken,
    chunks,
    group_of,
)
from domain.errors import Unavailable
from domain.kernel import Log
from tests.postgres import MakeDatabases
from tests.proxy import Proxy
from tests.rows import a_row, a_stream

pytestmark = pytest.mark.postgres


@pytest.fixture
def recorder(databases: Databases) -> Iterator[LogRecorder]:
    found = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
    yield found
    found.close()


def in_background(action: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Runs on; what it returned, or the error that ended it, is in the list when it is done."""
    done: list[object] = []

    def run() -> None:
        try:
            done.append(action())
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            done.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, done


# Order -----------------------------------------------------------------------------------------------------------


def test_a_follower_never_passes_a_writer_whose_commit_is_late(
    databases: Databases, recorder: LogRecorder
) -> None:
    start = recorder.head().position
    late, quick = a_row(), a_row()
    statement, arguments = recorder.statement([group_of([late])])
    with databases.record.connect(Role.SERVICE) as slow:
        LogRecorder.prepare(slow)
        with slow.transaction():
            slow.execute(statement, arguments)
            thread, done = in_background(lambda: recorder.append([group_of([quick])]))
            time.sleep(0.3)
            # The second writer waits for the first, and whoever follows sees neither.
            assert done == []
            assert recorder.tail(start, 10) == []
            assert recorder.head().position == start
    thread.join(10)
    assert [row.stored() for row in recorder.tail(start, 10)] == [late, quick]
    assert [row.position for row in recorder.tail(start, 10)] == [start + 1, start + 2]


def test_an_append_does_not_wait_for_ever(make_databases: MakeDatabases, server: ServerAddress) -> None:
    databases = make_databases()
    name = psycopg.conninfo.conninfo_to_dict(databases.record.conninfo(Role.SERVICE))["dbname"]
    recorder = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
    with connect_as_superuser(server, str(name)) as owner:
        limits = owner.execute(
            "SELECT array_to_string(proconfig, ' ') LIKE '%lock_timeout=30s%' FROM pg_proc "
            "WHERE proname IN ('append', 'append_one') "
            "AND pronamespace::regnamespace::text IN ('record_log', 'access_log')"
        ).fetchall()
        assert limits == [(True,)] * 4
        owner.execute("ALTER FUNCTION record_log.append SET lock_timeout = '200ms'")
        owner.execute("ALTER FUNCTION record_log.append_one SET lock_timeout = '200ms'")
        with owner.transaction():
            owner.execute("SELECT * FROM record_log.head FOR UPDATE")
            for groups in ([group_of([a_row()])], [group_of([a_row()]), group_of([a_row()])]):
                with pytest.raises(DatabaseFailure) as raised:
                    recorder.append(groups)
                assert (raised.value.sqlstate, raised.value.lost) == ("55P03", False)
    assert recorder.head().position == 0
    recorder.close()


def test_both_ways_in_answer_alike(recorder: LogRecorder) -> None:
    def answers(*, with_a_token: bool) -> list[tuple[str, int]]:
        """New, following on, late, under a known key, late under a known key, following on again; and the head."""
        stream, key, start = uuid4(), uuid4().bytes, recorder.head().position
        groups = [
            group_of(a_stream(2, stream), key=key),
            group_of(a_stream(3, stream, 2)),
            group_of([a_row(stream, 3)], key=uuid4().bytes),
            group_of([a_row(stream, 6)], key=key),
            group_of([a_row(stream, 1)], key=key),
            group_of(a_stream(1, stream, 5), key=uuid4().bytes),
        ]
        found: list[tuple[str, int]] = []
        for group in groups:
            before = recorder.head()
            tokens = [(uuid4().bytes, stream)] if with_a_token else []  # which the shorter way does not take
            (outcome,) = recorder.append([replace(group, reservations=tokens)])
            if isinstance(outcome, Applied):
                assert [row.stored() for row in recorder.tail(before.position, 10)] == group.rows
                assert list(outcome.positions) == [row.position for row in recorder.tail(before.position, 10)]
            else:
                assert recorder.head() == before
            if isinstance(outcome, Duplicate):
                assert (outcome.stream_id, outcome.version, outcome.position) == (stream, 2, start + 2)
            if isinstance(outcome, Moved):
                assert (outcome.stream_id, outcome.version) == (stream, 5)
            found.append((type(outcome).__name__, recorder.head().position - start))
        return found

    by_one = answers(with_a_token=False)
    assert by_one == answers(with_a_token=True)
    names = ["Applied", "Applied", "Moved", "Duplicate", "Duplicate", "Applied"]
    assert by_one == list(zip(names, [2, 5, 5, 5, 5, 6], strict=True))


def test_an_append_that_is_rolled_back_leaves_no_gap(databases: Databases, recorder: LogRecorder) -> None:
    start = recorder.head().position
    statement, arguments = recorder.statement([group_of(a_stream(3))])
    with databases.record.connect(Role.SERVICE) as slow:
        LogRecorder.prepare(slow)
        with slow.transaction(force_rollback=True):
            slow.execute(statement, arguments)
    kept = a_row()
    recorder.append([group_of([kept])])
    assert [(row.position, row.stored()) for row in recorder.tail(start, 10)] == [(start + 1, kept)]


def test_a_follower_of_many_writers_sees_each_event_once_and_in_order(
    databases: Databases, recorder: LogRecorder
) -> None:
    start = recorder.head().position
    written: list[StoredRow] = []
    stop = threading.Event()

    def write(seed: int) -> None:
        choice = random.Random(seed)
        own = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
        while not stop.is_set():
            rows = a_stream(choice.choice([1, 1, 2, 40]))
            own.append([group_of(rows)])
            written.extend(rows)
        own.close()

    writers = [threading.Thread(target=write, args=(seed,), daemon=True) for seed in range(4)]
    for writer in writers:
        writer.start()
    seen: list[RecordedRow] = []
    end = time.monotonic() + 2
    while time.monotonic() < end or any(writer.is_alive() for writer in writers):
        seen += recorder.tail(start + len(seen), 50)
        if time.monotonic() > end:
            stop.set()
    while page := recorder.tail(start + len(seen), 500):
        seen += page
    assert [row.position for row in seen] == list(range(start + 1, start + 1 + len(written)))
    assert {row.event_id for row in seen} == {row.event_id for row in written}
    assert all(one.recorded_at <= two.recorded_at for one, two in itertools.pairwise(seen))
    assert len(written) > 100


def test_time_does_not_go_back_when_the_clock_does(databases: Databases, recorder: LogRecorder) -> None:
    (ahead,) = recorder.append([group_of([a_row()], not_before=datetime.now(UTC) + timedelta(hours=2))])
    assert isinstance(ahead, Applied)
    rows = [recorder.append([group_of([a_row()])])[0] for _ in range(3)]
    assert all(isinstance(row, Applied) and row.recorded_at == ahead.recorded_at for row in rows)


def test_outside_a_training_home_the_clock_is_not_set_ahead(
    make_databases: MakeDatabases, server: ServerAddress
) -> None:
    databases = make_databases()
    with connect_as_superuser(
        server, databases.record.conninfo(Role.SERVICE).split("dbname=")[1].split()[0]
    ) as owner:
        owner.execute("UPDATE home.home SET training = false")
    recorder = LogRecorder(databases.record, Role.WRITER, Log.RECORD)
    (outcome,) = recorder.append([group_of([a_row()], not_before=datetime.now(UTC) + timedelta(days=400))])
    assert isinstance(outcome, Applied)
    assert outcome.recorded_at < datetime.now(UTC) + timedelta(minutes=5)
    recorder.close()


# Same outcomes as in memory ----------------------------------------------------------------------------------------

_STREAMS = [uuid4() for _ in range(4)]
_KEYS = [uuid4().bytes for _ in range(3)]
_TOKENS = [uuid4().bytes for _ in range(3)]


@st.composite
def _groups(draw: st.DrawFn) -> list[list[tuple[Any, ...]]]:
    """Calls of groups; versions are as likely to be right as wrong, so that every outcome comes about."""
    group = st.tuples(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
            max_size=3,
            unique_by=lambda t: t[0],
        ),
        st.one_of(st.none(), st.integers(0, 2)),
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=2, unique_by=lambda t: t[0]),
    )
    return draw(st.lists(st.lists(group, min_size=1, max_size=4), max_size=6))


@pytest.fixture(scope="module")
def emptied(make_databases: MakeDatabases, server: ServerAddress) -> Iterator[Callable[[], LogRecorder]]:
    """One recorder whose log is emptied, by its owner with the triggers off, before each example."""
    databases = make_databases()
    name = databases.record.conninfo(Role.SERVICE).split("dbname=")[1].split()[0]
    recorder = LogRecorder(databases.record, Role.WRITER, Log.RECORD)
    owner = connect_as_superuser(server, name)
    owner.execute("ALTER TABLE record_log.event DISABLE TRIGGER USER")
    tables = [row[0] for row in owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'record_log.event'::regclass"
    )]  # fmt: skip
    for table in tables:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())

    def empty() -> LogRecorder:
        owner.execute(
            "DELETE FROM record_log.event; DELETE FROM record_log.idempotency; DELETE FROM record_log.reservation;"
            "UPDATE record_log.head SET position = 0, recorded_at = NULL"
        )
        return recorder

    yield empty
    recorder.close()
    owner.close()


@given(calls=_groups())
def test_memory_and_postgres_say_the_same(calls: list[list[Any]], emptied: Callable[[], LogRecorder]) -> None:
    real, twin = emptied(), MemoryRecorder(Log.RECORD, lambda: datetime.now(UTC))
    for call in calls:
        groups = []
        for streams, key, tokens in call:
            heads = twin.heads(_STREAMS)
            rows: list[StoredRow] = []
            expected = []
            for number, skew, events in streams:
                stream = _STREAMS[number]
                # Right two times in four; else one less or one more than it is.
                version = max(0, heads.get(stream, 0) + {0: 0, 1: 0, 2: -1, 3: 1}[skew])
                expected.append((stream, version))
                rows += a_stream(events, stream, after=version)
            groups.append(
                Group(
                    rows,
                    expected,
                    None if key is None else _KEYS[key],
                    None,
                    [(_TOKENS[token], _STREAMS[holder]) for token, holder in tokens],
                )
            )
        assert [_timeless(outcome) for outcome in real.append(groups)] == [
            _timeless(outcome) for outcome in twin.append(groups)
        ]
    assert [(row.position, row.stored()) for row in real.tail(0, 1000)] == [
        (row.position, row.stored()) for row in twin.tail(0, 1000)
    ]
    assert real.head().position == twin.head().position
    assert real.known(_KEYS) == twin.known(_KEYS)
    assert [real.find(token) for token in _TOKENS] == [twin.find(token) for token in _TOKENS]


def _timeless(outcome: Outcome) -> object:
    match outcome:
        case Applied(positions):
            return ("applied", positions)
        case Duplicate(stream_id, version, position):
            return ("duplicate", stream_id, version, position)
        case Moved() | Taken():
            return outcome


# Many threads, one commit ------------------------------------------------------------------------------------------


def test_threads_share_commits_and_each_gets_its_own_outcome(
    databases: Databases, recorder: LogRecorder
) -> None:
    calls: list[int] = []

    class Counting(LogRecorder):
        def append(self, groups: Any) -> list[Outcome]:
            calls.append(len(groups))
            return super().append(groups)

    counting = Counting(databases.record, Role.SERVICE, Log.RECORD)
    committer = Committer(counting)
    start = recorder.head().position
    results: dict[Any, tuple[StoredRow, Outcome]] = {}

    def work() -> None:
        for _ in range(50):
            row = a_row()
            results[row.event_id] = (row, committer.commit(group_of([row])))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = {row.position: row.event_id for row in recorder.tail(start, 1000)}
    assert len(at) == len(results) == 400
    for row, outcome in results.values():
        assert isinstance(outcome, Applied)
        assert at[outcome.positions[0]] == row.event_id
    assert max(calls) > 1
    assert sum(calls) == 400
    counting.close()


def test_what_is_appended_together_stays_together(recorder: LogRecorder) -> None:
    committer = Committer(Late(recorder))
    start = recorder.head().position
    calls = [[group_of(a_stream(2)) for _ in range(3)] for _ in range(4)]
    started = [in_background(lambda call=call: committer.append(call)) for call in calls]  # type: ignore[misc]
    for thread, _ in started:
        thread.join(10)
    seen = [row.event_id for row in recorder.tail(start, 100)]
    assert len(seen) == 24
    for call, (_, done) in zip(calls, started, strict=True):
        wanted = [row.event_id for group in call for row in group.rows]
        first = seen.index(wanted[0])
        assert seen[first : first + 6] == wanted
        assert isinstance(done[0], list)
        assert [outcome.positions[0] for outcome in done[0]] == [start + first + step for step in (1, 3, 5)]


def test_a_malformed_group_harms_nobody_else(recorder: LogRecorder) -> None:
    committer = Committer(Late(recorder))
    good = [a_row() for _ in range(6)]
    bad = a_row(version=3)
    started = [in_background(lambda row=row: committer.commit(group_of([row]))) for row in good]  # type: ignore[misc]
    started.append(in_background(lambda: committer.commit(Group([bad], [(bad.stream_id, 0)]))))
    for thread, _ in started:
        thread.join(10)
    outcomes = [done[0] for _, done in started]
    assert all(isinstance(outcome, Applied) for outcome in outcomes[:-1])
    assert isinstance(outcomes[-1], ValueError)
    assert recorder.stream(bad.stream_id) == []


class Late:
    """A recorder whose appends take a moment, so that others queue meanwhile."""

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def append(self, groups: Any) -> list[Outcome]:
        time.sleep(0.1)
        return self._recorder.append(groups)


def test_an_interrupted_leader_does_not_leave_others_waiting(recorder: LogRecorder) -> None:
    def interrupt() -> None:
        time.sleep(0.2)
        raise KeyboardInterrupt

    committer = Committer(recorder, reach=FaultAt("committer.before", action=interrupt))
    leader, first = in_background(lambda: committer.commit(group_of([a_row()])))
    time.sleep(0.05)
    others = [in_background(lambda: committer.commit(group_of([a_row()]))) for _ in range(3)]
    for thread, _ in (others[0], others[1], others[2], (leader, first)):
        thread.join(10)
        assert not thread.is_alive()
    assert isinstance(first[0], KeyboardInterrupt)
    assert all(isinstance(done[0], Applied) for _, done in others)


# A lost acknowledgement --------------------------------------------------------------------------------------------


@pytest.fixture
def proxied(databases: Databases) -> Iterator[tuple[Proxy, LogRecorder]]:
    given = psycopg.conninfo.conninfo_to_dict(databases.record.conninfo(Role.SERVICE))
    with Proxy(f"{given['host']}/.s.PGSQL.{given['port']}") as proxy:
        database = Database(
            "record", f"host='{proxy.directory}' port={given['port']} dbname={given['dbname']}"
        )
        recorder = LogRecorder(database, Role.SERVICE, Log.RECORD)
        # Each statement is prepared in a round trip of its own: now, so that the next answer is that of a COMMIT.
        # Nor may it be that of the announcement, so we wait for it.
        with recorder.listen() as listener:
            recorder.append([Group(key=uuid4().bytes)])
            recorder.append([group_of([a_row()])])
            assert listener.wait(5)
            while not recorder.datastore._idle:  # its own answer is still on the way
                time.sleep(0.001)
        yield proxy, recorder
        recorder.close()


def test_an_append_whose_acknowledgement_is_lost_is_not_applied_twice(
    proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder
) -> None:
    proxy, through = proxied
    start = recorder.head().position
    rows = a_stream(3)
    proxy.cut_before_the_next_answer()
    outcome = Committer(through).commit(group_of(rows))
    assert isinstance(outcome, Applied)
    assert outcome.positions == range(start + 1, start + 4)
    assert [row.stored() for row in recorder.tail(start, 10)] == rows
    assert proxy.cuts == 1


def test_the_same_in_a_load(proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder) -> None:
    proxy, through = proxied
    start = recorder.head().position
    rows = [row for _ in range(30) for row in a_stream(2)]
    proxy.cut_before_the_next_answer()
    assert through.append_bulk(chunks(rows, 20)) == 60
    assert {row.event_id for row in recorder.tail(start, 100)} == {row.event_id for row in rows}
    assert recorder.head().position == start + 60
    assert proxy.cuts == 1


def test_the_same_with_several_groups_of_which_some_are_refused(
    proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder
) -> None:
    proxy, through = proxied
    there = a_row()
    recorder.append([group_of([there])])
    start = recorder.head().position
    good, refused, keyed = a_stream(2), a_row(there.stream_id), Group(key=uuid4().bytes)
    proxy.cut_before_the_next_answer()
    outcomes = through.append([group_of([refused]), group_of(good), keyed])
    assert outcomes[0] == Moved(there.stream_id, 1)
    assert isinstance(outcomes[1], Applied)
    assert outcomes[1].positions == range(start + 1, start + 3)
    # Without events there is nothing to tell ours by: the key is known, which is what was wanted.
    assert outcomes[2] == Duplicate(None, None, None, None)


def test_the_same_with_a_key_of_the_caller(proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder) -> None:
    proxy, through = proxied
    committer, key, rows = Committer(through), uuid4().bytes, a_stream(2)
    proxy.cut_before_the_next_answer()
    first = committer.commit(group_of(rows, key=key))
    again = committer.commit(group_of(a_stream(2), key=key))
    assert isinstance(first, Applied)
    assert again == Duplicate(rows[-1].stream_id, 2, first.positions[-1], first.recorded_at)


def test_a_key_known_before_is_a_duplicate_even_if_an_acknowledgement_is_lost(
    proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder
) -> None:
    proxy, through = proxied
    key, rows = uuid4().bytes, a_stream(2)
    recorder.append([group_of(rows, key=key)])
    proxy.cut_before_the_next_answer()
    assert isinstance(Committer(through).commit(group_of(a_stream(2), key=key)), Duplicate)


def test_a_stream_moved_by_another_is_moved_even_if_an_acknowledgement_is_lost(
    proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder
) -> None:
    proxy, through = proxied
    stream = uuid4()
    recorder.append([group_of(a_stream(1, stream))])
    proxy.cut_before_the_next_answer()
    assert Committer(through).commit(group_of([a_row(stream)])) == Moved(stream, 1)


def test_a_connection_lost_while_the_append_is_under_way(
    databases: Databases, proxied: tuple[Proxy, LogRecorder], recorder: LogRecorder
) -> None:
    """The server goes on with an append whose client is gone; the second attempt waits for it and finds it."""
    proxy, through = proxied
    start = recorder.head().position
    blocking, row = a_row(), a_row()
    statement, arguments = recorder.statement([group_of([blocking])])
    with databases.record.connect(Role.SERVICE) as slow:
        LogRecorder.prepare(slow)
        with slow.transaction():
            slow.execute(statement, arguments)
            thread, done = in_background(lambda: Committer(through).commit(group_of([row])))
            time.sleep(0.3)
            proxy.cut_now()
            time.sleep(0.3)
            assert done == []
    thread.join(10)
    assert [recorded.stored() for recorded in recorder.tail(start, 10)] == [blocking, row]
    assert isinstance(done[0], Applied)
    assert done[0].positions == range(start + 2, start + 3)


def test_a_second_loss_is_told(proxied: tuple[Proxy, LogRecorder]) -> None:
    proxy, through = proxied
    proxy.cut_before_the_next_answer(times=2)
    with pytest.raises(Unavailable):
        Committer(through).commit(group_of([a_row()]))
    # and the committer goes on
    assert isinstance(Committer(through).commit(group_of([a_row()])), Applied)


def test_reading_goes_on_after_a_lost_connection(proxied: tuple[Proxy, LogRecorder]) -> None:
    proxy, through = proxied
    rows = a_stream(2)
    through.append([group_of(rows)])
    proxy.cut_now()
    assert [row.stored() for row in through.stream(rows[0].stream_id)] == rows


# Errors ------------------------------------------------------------------------------------------------------------


def test_an_error_names_the_state_and_the_constraint_and_no_value(databases: Databases) -> None:
    """Nothing of the driver's text is left, in the message or in the context that a traceback would print."""
    secret = "4857773456"
    with databases.views.connect(Role.SERVICE) as connection:
        connection.execute("CREATE TABLE views.leak (number text CONSTRAINT one_number PRIMARY KEY)")
        connection.execute("INSERT INTO views.leak VALUES (%s)", (secret,))
        with pytest.raises(DatabaseFailure) as raised, translated("views"):
            connection.execute("INSERT INTO views.leak VALUES (%s)", (secret,))
    assert raised.value.sqlstate == "23505"
    assert raised.value.constraint == "one_number"
    seen: BaseException | None = raised.value
    while seen is not None:
        assert secret not in f"{seen} {seen.args} {seen!r}"
        seen = seen.__context__
    with databases.views.connect(Role.SERVICE) as connection:
        connection.execute("DROP TABLE views.leak")


def test_a_database_that_is_away_is_unavailable(databases: Databases) -> None:
    away = Database("record", databases.record.url.replace("dbname=record", "dbname=elsewhere"))
    with pytest.raises(Unavailable) as raised:
        LogRecorder(away, Role.SERVICE, Log.RECORD)
    assert "elsewhere" not in str(raised.value)


def test_a_url_of_another_role_is_refused() -> None:
    database = Database("record", "postgresql://contactpoint_service:secret@db.invalid/record")
    assert "contactpoint_service" in database.conninfo(Role.SERVICE)
    with pytest.raises(Unavailable) as raised:
        database.conninfo(Role.WRITER)
    assert "secret" not in str(raised.value)
    with pytest.raises(Unavailable) as raised:
        Database("record", "postgresql://contactpoint_service:secret@[/record").conninfo(Role.SERVICE)
    assert "secret" not in f"{raised.value!r} {raised.value.__context__!r}"


def test_a_url_without_a_user_takes_the_role_asked_for() -> None:
    database = Database("record", "postgresql://db.invalid:5433/record?sslmode=verify-full")
    given = psycopg.conninfo.conninfo_to_dict(database.conninfo(Role.WRITER))
    assert given == {
        "host": "db.invalid",
        "port": "5433",
        "dbname": "record",
        "sslmode": "verify-full",
        "user": "contactpoint_writer",
    }


# Starting ----------------------------------------------------------------------------------------------------------


BREAKING = {
    "a direct insert": "GRANT INSERT ON record_log.event TO contactpoint_service",
    "an insert of positions": "GRANT INSERT (position) ON record_log.event TO contactpoint_service",
    "an update of the time": "GRANT UPDATE (recorded_at) ON record_log.event TO contactpoint_service",
    "moving the head": "GRANT UPDATE ON record_log.head TO contactpoint_service",
    "a trigger switched off": "ALTER TABLE record_log.event DISABLE TRIGGER never_changed",
    "a trigger that a replica passes": "ALTER TABLE record_log.event ENABLE TRIGGER never_changed",
    "a column more": "ALTER TABLE record_log.event ADD COLUMN topic text",
    "a partition less": "ALTER TABLE record_log.event DETACH PARTITION record_log.event_07",
    "a function of the caller's": "ALTER FUNCTION record_log.append SECURITY INVOKER",
    "no reading": "REVOKE SELECT ON record_log.event FROM contactpoint_service",
    "no function": "DROP FUNCTION record_log.append",
    "no function for one": "DROP FUNCTION record_log.append_one",
}


@pytest.mark.parametrize("statement", BREAKING.values(), ids=BREAKING.keys())
def test_it_does_not_start_where_the_tables_are_not_as_they_must_be(
    statement: str, databases: Databases, server: ServerAddress
) -> None:
    name = databases.record.conninfo(Role.SERVICE).split("dbname=")[1].split()[0]
    with connect_as_superuser(server, name) as owner, contextlib.suppress(_Undo), owner.transaction():
        owner.execute(statement.encode())
        # Seen from inside the same transaction, which is then undone.
        owner.execute("SET LOCAL ROLE contactpoint_service")
        checked = owner.execute(LogRecorder.CHECK["record_log"]).fetchone()
        assert checked is not None
        assert not all(checked)
        raise _Undo
    LogRecorder(databases.record, Role.SERVICE, Log.RECORD).close()


class _Undo(Exception):
    pass


@pytest.mark.parametrize("name", ["insert_events", "_insert_events", "_insert_stored_events", "create_table"])
def test_it_does_not_start_with_the_librarys_own_way_of_inserting(name: str, databases: Databases) -> None:
    class Lapsed(LogRecorder):
        pass

    setattr(Lapsed, name, getattr(PostgresApplicationRecorder, name))
    with pytest.raises(Unavailable):
        Lapsed(databases.record, Role.SERVICE, Log.RECORD)


def test_it_does_not_start_with_the_librarys_database_functions(databases: Databases) -> None:
    class Lapsed(LogRecorder):
        def check(self) -> None:
            self.datastore.enable_db_functions = True
            super().check()

    with pytest.raises(Unavailable):
        Lapsed(databases.record, Role.SERVICE, Log.RECORD)


def test_the_librarys_recorder_cannot_write_our_tables(databases: Databases) -> None:
    given = psycopg.conninfo.conninfo_to_dict(databases.record.conninfo(Role.SERVICE))
    store = PostgresDatastore(
        str(given["dbname"]),
        str(given["host"]),
        str(given["port"]),
        str(given["user"]),
        "",
        schema="record_log",
    )
    with store:
        plain = PostgresApplicationRecorder(store, events_table_name="event")
        with pytest.raises(ProgrammingError):
            plain.insert_events([StoredEvent(uuid4(), 1, "topic", b"state")])


# The library's contract --------------------------------------------------------------------------------------------


def test_inserting_and_selecting_as_the_library_does(recorder: LogRecorder) -> None:
    rows = a_stream(4)
    stream = rows[0].stream_id
    start = recorder.head().position
    assert recorder.insert_events([LibraryEvent(row) for row in rows]) == list(range(start + 1, start + 5))
    assert recorder.insert_events([]) == []

    def versions(**bounds: Any) -> list[int]:
        return [event.originator_version for event in recorder.select_events(stream, **bounds)]

    assert versions() == [1, 2, 3, 4]
    assert versions(gt=1) == [2, 3, 4]
    assert versions(lte=3) == [1, 2, 3]
    assert versions(gt=1, lte=3) == [2, 3]
    assert versions(desc=True) == [4, 3, 2, 1]
    assert versions(desc=True, limit=1) == [4]
    assert versions(limit=2) == [1, 2]
    (first,) = recorder.select_events(stream, limit=1)
    assert isinstance(first, LibraryEvent)
    assert (first.row, first.originator_id, first.topic, first.state) == (rows[0], stream, "", b"")
    with pytest.raises(IntegrityError):
        recorder.insert_events([LibraryEvent(a_row(stream, 4))])
    with pytest.raises(ProgrammingError):
        recorder.insert_events([StoredEvent(uuid4(), 1, "topic", b"state")])
    with pytest.raises(ProgrammingError):
        recorder.create_table()


def test_notifications_as_the_library_selects_them(recorder: LogRecorder) -> None:
    start = recorder.head().position
    rows = a_stream(5)
    recorder.append([group_of(rows)])

    def ids(*arguments: Any, **options: Any) -> list[int]:
        return [
            notification.id - start for notification in recorder.select_notifications(*arguments, **options)
        ]

    assert ids(start + 1, 10) == [1, 2, 3, 4, 5]
    assert ids(start + 1, 10, inclusive_of_start=False) == [2, 3, 4, 5]
    assert ids(start + 2, 2) == [2, 3]
    assert ids(start + 2, 9, stop=start + 4) == [2, 3, 4]
    assert ids(None, 2) == [1 - start, 2 - start]
    assert recorder.max_notification_id() == start + 5
    (first,) = recorder.select_notifications(start + 1, 1)
    assert isinstance(first, LibraryNotification)
    assert (first.row.stored(), first.topic, first.state) == (rows[0], "", b"")
    with pytest.raises(ProgrammingError):
        recorder.select_notifications(1, 10, topics=["Registered"])
    with pytest.raises(ProgrammingError):
        recorder.subscribe(topics=["Registered"])


def test_the_streams_of_a_file_are_known(databases: Databases) -> None:
    recorder = LogRecorder(databases.record, Role.WRITER, Log.RECORD)
    batch, rows = uuid4(), a_stream(2)
    recorder.append([group_of(rows, key=uuid4().bytes, batch=batch), group_of([a_row()], key=uuid4().bytes)])
    recorder.append([group_of([a_row(rows[0].stream_id, 3)], key=uuid4().bytes, batch=batch)])
    recorder.append([Group(key=uuid4().bytes, batch=batch)])
    assert recorder.touched_by(batch) == [rows[0].stream_id]
    recorder.close()


def test_no_notification_yet_is_none(make_databases: MakeDatabases) -> None:
    recorder = LogRecorder(make_databases().record, Role.SERVICE, Log.ACCESS)
    assert recorder.max_notification_id() is None
    recorder.close()


def test_a_subscription_delivers_what_was_there_and_what_comes(
    recorder: LogRecorder, databases: Databases
) -> None:
    start = recorder.head().position
    recorder.append([group_of(a_stream(2))])
    with recorder.subscribe(gt=start) as subscription:
        assert [next(subscription).id for _ in range(2)] == [start + 1, start + 2]
        thread, done = in_background(lambda: next(subscription).id)
        time.sleep(0.2)
        recorder.append([group_of([a_row()])])
        thread.join(5)
        assert done == [start + 3]
        waiting, ended = in_background(lambda: list(subscription))
        subscription.stop()
        waiting.join(5)
        assert ended == [[]]


def test_a_listener_wakes_on_a_commit_and_on_nothing_else(
    databases: Databases, recorder: LogRecorder
) -> None:
    with recorder.listen() as listener:
        assert listener.wait(0.1) is False
        other = LogRecorder(databases.record, Role.SERVICE, Log.ACCESS)
        other.append([group_of([a_row()])])
        assert listener.wait(0.1) is False  # the other log's
        recorder.append([group_of([a_row(version=2)])])
        assert listener.wait(0.1) is False  # refused
        thread, done = in_background(lambda: listener.wait(5))
        begun = time.monotonic()
        recorder.append([group_of([a_row()])])
        thread.join(5)
        assert done == [True]
        assert time.monotonic() - begun < 0.25
        other.close()


def test_an_append_is_announced_after_its_commit_and_not_by_it(
    databases: Databases, recorder: LogRecorder
) -> None:
    """A transaction that notifies keeps every other that does, in either log, waiting until it is on disk."""
    statement, arguments = recorder.statement([group_of([a_row()])])
    with recorder.listen() as listener, databases.record.connect(Role.SERVICE) as connection:
        LogRecorder.prepare(connection)
        connection.execute(statement, arguments)
        assert listener.wait(0.3) is False


def test_a_process_that_ends_at_once_has_announced_what_it_did(
    databases: Databases, recorder: LogRecorder
) -> None:
    program = (
        "import os, sys\n"
        "from adapters.postgres.databases import Database, Role\n"
        "from adapters.postgres.recorder import LogRecorder\n"
        "from adapters.rows import group_of\n"
        "from domain.kernel import Log\n"
        "from tests.rows import a_row\n"
        "recorder = LogRecorder(Database('record', sys.argv[1]), Role.SERVICE, Log.RECORD)\n"
        "recorder.append([group_of([a_row()])])\n"
        "recorder.close()\n"
        "os._exit(0)\n"
    )
    with recorder.listen() as listener:
        subprocess.run(
            [sys.executable, "-c", program, databases.record.url], cwd=Path(__file__).parents[2], check=True
        )
        assert listener.wait(0.5) is True


def test_what_is_due_is_announced_before_a_recorder_is_closed() -> None:
    said: list[bytes] = []

    class Silent:
        """In place of the datastore: remembers what would have been sent."""

        @contextlib.contextmanager
        def get_connection(self) -> Iterator[Any]:
            yield self

        def execute(self, statement: bytes) -> None:
            said.append(statement)

    announcer = _Announcer(Silent(), "record_log")  # type: ignore[arg-type]
    announcer.wake()
    while not said:
        time.sleep(0.0001)
    announcer.wake()  # while it pauses
    announcer.close()
    assert ["NOTIFY record_log;" in statement.decode() for statement in said] == [True, True]
    announcer.wake()
    announcer.close()
    assert len(said) == 2


def test_what_is_loaded_again_writes_nothing(
    recorder: LogRecorder, databases: Databases, server: ServerAddress
) -> None:
    """No dead rows in the log, however often a file is loaded."""
    name = psycopg.conninfo.conninfo_to_dict(databases.record.conninfo(Role.SERVICE))["dbname"]
    by_key = [group_of(a_stream(3), key=uuid4().bytes) for _ in range(100)]
    holders = [a_stream(3) for _ in range(100)]
    by_token = [group_of(rows, reservations=[(uuid4().bytes, rows[0].stream_id)]) for rows in holders]
    recorder.append(by_key + by_token)
    with connect_as_superuser(server, str(name)) as owner:

        def size() -> object:
            return owner.execute(
                "SELECT sum(pg_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'record_log.event'::regclass"
            ).fetchone()

        before = size()
        for _ in range(3):
            again = [group_of(a_stream(3), key=group.key) for group in by_key]
            assert all(isinstance(outcome, Duplicate) for outcome in recorder.append(again))
            again = [group_of(a_stream(3), reservations=group.reservations) for group in by_token]
            assert all(isinstance(outcome, Taken) for outcome in recorder.append(again))
        assert size() == before


def test_a_listener_outlives_its_connection(recorder: LogRecorder, server: ServerAddress) -> None:
    with recorder.listen() as listener:
        with connect_as_superuser(server) as owner:
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        assert listener.wait(0.2) is True  # it may have missed something: look
        thread, done = in_background(lambda: listener.wait(5))
        time.sleep(0.2)
        recorder.append([group_of([a_row()])])
        thread.join(5)
        assert done == [True]


def test_a_closed_recorder_keeps_no_connection(databases: Databases, server: ServerAddress) -> None:
    recorder = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
    recorder.head()
    recorder.close()
    with connect_as_superuser(server) as owner:
        time.sleep(0.2)
        row = owner.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'contactpoint_service' AND datname = %s",
            (psycopg.conninfo.conninfo_to_dict(databases.record.conninfo(Role.SERVICE))["dbname"],),
        ).fetchone()
    assert row == (0,)
