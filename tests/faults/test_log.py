"""kill -9 at every point of an append, at any moment, and of the server itself.

Afterwards: every group is in the log whole or not at all, whatever was acknowledged is there, positions are dense, a
follower that reads on skips nothing, and doing the same again completes it without doing anything twice.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from adapters.postgres import keeper
from adapters.postgres.committer import Committer
from adapters.postgres.databases import Databases, Role
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrate import create_embedded, migrate
from adapters.postgres.recorder import LogRecorder
from adapters.rows import Applied, RecordedRow, StoredRow, group_of
from domain.errors import Unavailable
from domain.kernel import Log
from tests.faults import log_writer
from tests.rows import a_stream

pytestmark = pytest.mark.postgres

CHECKOUT = Path(__file__).parents[2]
POINTS = (*LogRecorder.FAULT_POINTS, *Committer.FAULT_POINTS)


@pytest.fixture
def recorder(databases: Databases) -> Iterator[LogRecorder]:
    found = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
    yield found
    found.close()


def write(databases: Databases, seed: int, point: str = "", nth: int = 1) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tests.faults.log_writer",
        databases.record.url,
        str(seed),
        point,
        str(nth),
    ]
    return subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def everything_after(recorder: LogRecorder, position: int) -> list[RecordedRow]:
    rows: list[RecordedRow] = []
    while page := recorder.tail(position + len(rows), 7):
        rows += page
    return rows


def check(recorder: LogRecorder, start: int, seed: int, acknowledged: Sequence[str]) -> None:
    rows = everything_after(recorder, start)
    assert [row.position for row in rows] == list(range(start + 1, start + 1 + len(rows)))
    assert recorder.head().position == start + len(rows)
    stored: dict[UUID, list[StoredRow]] = {}
    for row in rows:
        stored.setdefault(row.stream_id, []).append(row.stored())

    for number, group in enumerate(log_writer.singles(seed)):
        there = [row for stream, _ in group.expected for row in stored.pop(stream, [])]
        assert there in ([], list(group.rows)), f"single {number} is half there"
        # Its key and its reservation are there if it is, and not if it is not.
        assert group.key is not None
        assert (recorder.known([group.key]) == {group.key}) == bool(there)
        assert (recorder.find(group.reservations[0][0]) is not None) == bool(there)
        if f"single {number}" in acknowledged:
            assert there
    load = log_writer.loaded(seed)
    for stream in load:
        assert stored.pop(stream[0].stream_id, []) in ([], stream)
    if "load" in acknowledged:
        assert all(recorder.heads([stream[0].stream_id]) for stream in load)
    assert stored == {}


def check_it_can_be_completed(databases: Databases, recorder: LogRecorder, start: int, seed: int) -> None:
    process = write(databases, seed)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    check(recorder, start, seed, said.split("\n"))
    rows = everything_after(recorder, start)
    wanted = [row for group in log_writer.singles(seed) for row in group.rows]
    wanted += [row for stream in log_writer.loaded(seed) for row in stream]
    assert sorted(row.event_id for row in rows) == sorted(row.event_id for row in wanted)


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point(databases: Databases, recorder: LogRecorder, point: str, nth: int) -> None:
    seed = POINTS.index(point) * 10 + nth
    start = recorder.head().position
    process = write(databases, seed, point, nth)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    settled(recorder)
    check(recorder, start, seed, said.split("\n"))
    check_it_can_be_completed(databases, recorder, start, seed)


@pytest.mark.slow
def test_killed_at_any_moment(databases: Databases, recorder: LogRecorder) -> None:
    choice = random.Random(20)
    for seed in range(100, 112):
        start = recorder.head().position
        process = write(databases, seed)
        assert process.stdout is not None
        said = [process.stdout.readline().strip()]
        time.sleep(choice.uniform(0, 0.05))
        process.kill()
        said += process.communicate()[0].split("\n")
        settled(recorder)
        check(recorder, start, seed, said)
        check_it_can_be_completed(databases, recorder, start, seed)


def settled(recorder: LogRecorder) -> None:
    """The server may still be doing what a killed client asked for: an append of ours comes after that."""
    recorder.append([group_of([], key=os.urandom(16))])


@pytest.mark.slow
def test_the_server_killed_while_many_write() -> None:
    """All its processes at once. What was acknowledged is there when it is started again, and nothing is half there."""
    home = Path(tempfile.mkdtemp(prefix="cp-home-"))
    server = EmbeddedServer(home)
    databases = create_embedded(server.use())
    migrate(databases)
    recorder = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
    committer = Committer(recorder)
    acknowledged: dict[UUID, range] = {}
    attempted: dict[UUID, list[StoredRow]] = {}
    killed = threading.Event()

    def work(seed: int) -> None:
        choice = random.Random(seed)
        while not killed.is_set():
            rows = a_stream(choice.choice([1, 2, 30]))
            attempted[rows[0].stream_id] = rows
            with contextlib.suppress(Unavailable):
                outcome = committer.commit(group_of(rows))
                assert isinstance(outcome, Applied)
                acknowledged[rows[0].stream_id] = outcome.positions

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    postmaster = keeper.postmaster_pid(home / "postgres" / "data")
    assert postmaster is not None
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in [postmaster, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)
    killed.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()

    server.use()
    rows = everything_after(recorder, 0)
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert recorder.head().position == len(rows)
    by_stream: dict[UUID, list[RecordedRow]] = {}
    for row in rows:
        by_stream.setdefault(row.stream_id, []).append(row)
    for stream, found in by_stream.items():
        assert [row.stored() for row in found] == attempted[stream]
    for stream, positions in acknowledged.items():
        assert [row.position for row in by_stream[stream]] == list(positions)
    assert len(acknowledged) > 50
    recorder.append([group_of(a_stream(2))])
    assert recorder.head().position == len(rows) + 2
    recorder.close()
    server.stop()
    shutil.rmtree(home)
