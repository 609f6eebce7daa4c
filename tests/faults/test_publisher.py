"""kill -9 of the publisher at every point and at any moment; two at once; the broker away and back.

Afterwards a subscriber that ignores ids it has seen has every published change exactly once, each child's in order, and
a message that came twice came unchanged.
"""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.faults import FaultAt
from adapters.kafka.subscribers import KafkaSubscribers, tail
from adapters.postgres.databases import Databases
from adapters.postgres.publications import PostgresPublications
from domain.child_record.decisions import decide
from domain.child_record.model import fold
from domain.errors import Fenced, Unavailable
from domain.kernel import Change, Command, Metadata, Pending, StreamKind
from domain.policy.publishing import signals_of
from tests.architecture.repository import ROOT
from tests.broker import LEAVES_SOCKETS, running_or_skipped
from tests.builders import a_number, involves, registers, shields, the_rules
from tests.faults.publisher_process import BATCH, publisher
from tests.homes import Home, postgres_home
from tests.plugins_counts import count
from tests.postgres import MakeDatabases

pytestmark = [pytest.mark.postgres, pytest.mark.slow, *LEAVES_SOCKETS]

POINTS = (*PostgresPublications.FAULT_POINTS, *KafkaSubscribers.FAULT_POINTS)
CHILDREN = 12


@dataclass
class Site:
    """A home with a few children in it, and the topic that their changes go to."""

    home: Home
    databases: Databases
    kek: Path
    bootstrap: str
    topic: str
    children: list[UUID]

    def tell(self, child_id: UUID, *commands: Command) -> None:
        """Decide and append, as a writer does."""
        store = self.home.writer()
        for command in commands:
            record = fold(store.load(child_id))
            made = decide(record, command, the_rules())
            pending = tuple(Pending(e, key) for e, key in zip(made.events, made.content_keys, strict=True))
            shielded = record.shielded or any(e.NAME == "shield-raised" for e in made.events)
            change = Change(child_id, StreamKind.CHILD, record.version, pending, shielded)
            self.home.writer().append([change], Metadata(actor=UUID(int=1), correlation=uuid4()))
            if shielded:
                self.home.writer_keys().move_in(child_id)

    def more(self, seed: int) -> None:
        """Children are registered and changed; one in four is shielded, one has a sensitive service."""
        choice = random.Random(seed)
        for number in range(CHILDREN):
            child_id = uuid4()
            self.children.append(child_id)
            self.tell(child_id, registers(index_number=a_number(choice.getrandbits(50))))
            if number % 4 == 3:
                self.tell(child_id, shields(shield=uuid4()))
            if number % 4 == 2:
                self.tell(child_id, involves("Sexual health", "sensitive", involvement=uuid4()))
            self.tell(child_id, involves(involvement=uuid4()))

    def publish(self, point: str = "", nth: int = 1) -> "subprocess.Popen[str]":
        """A publisher in a process of its own."""
        command = [sys.executable, "-m", "tests.faults.publisher_process", self.databases.record.url]
        command += [self.databases.keyring.url, str(self.kek), self.bootstrap, self.topic, point, str(nth)]
        return subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def catch_up(self) -> None:
        process = self.publish()
        said, _ = process.communicate(timeout=90)
        assert process.returncode == 0, said

    def check(self) -> None:
        """What a subscriber has at the end."""
        wanted: dict[UUID, list[UUID]] = {}
        for child_id, history in self.home.service().load_many(self.children).items():
            wanted[child_id] = [one.event_id for _, one in signals_of(history, 0, 2**62, the_rules())]
        seen: dict[str, tuple[int, dict[str, str]]] = {}
        got: dict[UUID, list[UUID]] = {child_id: [] for child_id in wanted}
        numbers: dict[int, list[int]] = {}
        for partition, key, attributes in tail(self.bootstrap, self.topic, wait_ms=1500):
            if key is None or not key:
                continue
            before = seen.setdefault(attributes["id"], (partition, attributes))
            assert before == (partition, attributes), "sent again, and changed"
            if UUID(attributes["id"]) not in got[UUID(key)]:
                got[UUID(key)].append(UUID(attributes["id"]))
                numbers.setdefault(partition, []).append(int(attributes["sequence"]))
        assert got == wanted
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


@pytest.fixture
def site(make_databases: MakeDatabases, tmp_path: Path, broker: str, topic: str) -> Iterator[Site]:
    databases = make_databases()
    home = postgres_home(databases, tmp_path / "kek")
    made = Site(home, databases, tmp_path / "kek", broker, topic, [])
    made.more(1)
    yield made
    home.close()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point(site: Site, point: str, nth: int) -> None:
    process = site.publish(point, nth)
    said, _ = process.communicate(timeout=90)
    assert process.returncode == -signal.SIGKILL, said
    site.catch_up()
    site.check()


def test_killed_at_any_moment(site: Site) -> None:
    choice = random.Random(20)
    for seed in range(count(50, minimum=3)):
        site.more(seed + 2)
        process = site.publish()
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(choice.uniform(0, 1.5))
        process.kill()
        process.communicate()
    site.catch_up()
    site.check()


def test_of_two_publishers_the_one_that_lost_the_lease_is_fenced(site: Site) -> None:
    """The first stands still, with a batch numbered and not sent, for longer than its lease."""
    still, go_on = threading.Event(), threading.Event()

    def stand_still() -> None:
        still.set()
        assert go_on.wait(60)

    how_it_ended: list[BaseException] = []
    reach = FaultAt("half-sent", 1, stand_still)

    def run() -> None:
        to = site.databases, site.kek, site.bootstrap, site.topic
        with publisher(*to, lease_seconds=0.3, reach=reach) as first:
            try:
                first.run(until_caught_up=True)
            except Unavailable as ended:
                how_it_ended.append(ended)

    thread = threading.Thread(target=run)
    thread.start()
    assert still.wait(60)
    site.catch_up()
    go_on.set()
    thread.join(60)
    assert [type(ended) for ended in how_it_ended] == [Fenced]
    site.check()


def test_the_broker_stopped_and_started_again(
    make_databases: MakeDatabases, tmp_path: Path, topic: str
) -> None:
    """Changes go on being recorded while it is away; the publisher waits, and goes on by itself."""
    databases = make_databases()
    home = postgres_home(databases, tmp_path / "kek")
    stood = PostgresPublications(databases.record)
    with running_or_skipped(tmp_path / "home") as bootstrap:
        site = Site(home, databases, tmp_path / "kek", bootstrap, topic, [])
        site.more(1)
        stopped = threading.Event()

        def run() -> None:
            with publisher(databases, site.kek, bootstrap, topic, lease_seconds=60) as made:
                made.run(until_caught_up=False, stop=stopped.is_set)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        wait_until(lambda: stood.position() == site.home.record.head().position)
    site.more(2)
    time.sleep(2)
    assert stood.position() < site.home.record.head().position
    assert len(stood.pending()) <= BATCH
    port = int(bootstrap.rsplit(":", 1)[1])
    with running_or_skipped(tmp_path / "home", port):
        wait_until(lambda: stood.position() == site.home.record.head().position)
        stopped.set()
        thread.join(60)
        assert not thread.is_alive()
        site.check()
    stood.close()
    home.close()


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
