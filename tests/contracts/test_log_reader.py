"""What every reader of the logs' order promises: tried on the one in memory and on PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from adapters.memory.log_reader import MemoryLogReader
from adapters.memory.recorder import MemoryRecorder
from adapters.postgres.databases import Role
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.recorder import LogRecorder
from adapters.rows import Group, Recorder, StoredRow, appended
from domain.kernel import Log
from projections.ports import LogReader
from tests.postgres import MakeDatabases

ONE, TWO, THREE = (UUID(int=number << 100) for number in (1, 2, 3))


@dataclass
class Both:
    """A reader, and the recorders that it reads behind."""

    reader: LogReader
    recorders: dict[Log, Recorder]
    _events: int = 0

    def append(self, stream_id: UUID, version: int, log: Log = Log.RECORD) -> None:
        self._events += 1
        event_id = UUID(int=self._events + (int(log) << 64))
        row = StoredRow(stream_id, version, event_id, 1, 0, b"", b"", b"")
        appended(self.recorders[log].append([Group([row], [(stream_id, version - 1)])])[0])


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "memory":
        memory = {log: MemoryRecorder(log, lambda: datetime.now(UTC)) for log in Log}
        yield Both(MemoryLogReader(memory), dict(memory))
        return
    make: MakeDatabases = request.getfixturevalue("make_databases")
    database = make().record
    recorders = {log: LogRecorder(database, Role.SERVICE, log) for log in Log}
    reader = PostgresLogReader(database)
    yield Both(reader, dict(recorders))
    reader.close()
    for recorder in recorders.values():
        recorder.close()


def test_an_empty_log_has_no_head(both: Both) -> None:
    assert both.reader.head(Log.RECORD) == 0
    assert both.reader.tail(Log.RECORD, 0, 10) == []
    assert both.reader.streams(Log.RECORD, None, 10, 0) == []
    assert both.reader.recorded_at(Log.RECORD, 1) is None


def test_the_tail_is_in_order_and_bounded(both: Both) -> None:
    for stream, version in ((TWO, 1), (ONE, 1), (TWO, 2), (THREE, 1)):
        both.append(stream, version)
    reader = both.reader
    assert reader.head(Log.RECORD) == 4
    assert reader.tail(Log.RECORD, 0, 10) == [(1, TWO), (2, ONE), (3, TWO), (4, THREE)]
    assert reader.tail(Log.RECORD, 1, 2) == [(2, ONE), (3, TWO)]
    assert reader.tail(Log.RECORD, 1, 10, upto=2) == [(2, ONE)]
    assert reader.tail(Log.RECORD, 4, 10) == []


def test_streams_come_in_the_order_of_their_ids_each_once(both: Both) -> None:
    for stream, version in ((TWO, 1), (ONE, 1), (TWO, 2), (THREE, 1)):
        both.append(stream, version)
    reader = both.reader
    assert reader.streams(Log.RECORD, None, 10, 4) == [ONE, TWO, THREE]
    assert reader.streams(Log.RECORD, None, 2, 4) == [ONE, TWO]
    assert reader.streams(Log.RECORD, TWO, 10, 4) == [THREE]
    assert reader.streams(Log.RECORD, None, 10, 3) == [ONE, TWO], (
        "a stream that began later is not among them"
    )


def test_the_lowest_id_is_among_the_streams(both: Both) -> None:
    both.append(UUID(int=0), 1)
    assert both.reader.streams(Log.RECORD, None, 10, 1) == [UUID(int=0)]
    assert both.reader.streams(Log.RECORD, UUID(int=0), 10, 1) == []


def test_the_logs_do_not_mix(both: Both) -> None:
    both.append(ONE, 1)
    both.append(TWO, 1, Log.ACCESS)
    both.append(THREE, 1, Log.ACCESS)
    assert (both.reader.head(Log.RECORD), both.reader.head(Log.ACCESS)) == (1, 2)
    assert both.reader.tail(Log.ACCESS, 0, 10) == [(1, TWO), (2, THREE)]


def test_a_position_has_a_time(both: Both) -> None:
    before = datetime.now(UTC)
    both.append(ONE, 1)
    recorded = both.reader.recorded_at(Log.RECORD, 1)
    assert recorded is not None
    assert abs((recorded - before).total_seconds()) < 60


def test_waiting_ends(both: Both) -> None:
    both.reader.wait(0.01)
    started = time.monotonic()
    both.reader.wait(0.2)
    assert time.monotonic() - started < 5


@pytest.mark.postgres
def test_waiting_ends_when_something_is_appended(make_databases: MakeDatabases) -> None:
    database = make_databases().record
    recorder = LogRecorder(database, Role.SERVICE, Log.RECORD)
    reader = PostgresLogReader(database)
    reader.wait(0.01)  # listens from here on
    both = Both(reader, {Log.RECORD: recorder})
    waited = _in_thread(lambda: reader.wait(30))
    time.sleep(0.2)
    both.append(ONE, 1)
    waited.join(10)
    assert not waited.is_alive()
    reader.close()
    recorder.close()


def _in_thread(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread
