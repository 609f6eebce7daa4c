"""kill -9 of publisher, broker and database, at every point and at any moment; two at once; the broker away and back.

Afterwards a subscriber that ignores ids it has seen has every published change exactly once, each child's in order, and
a message that came twice came unchanged.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.faults import FaultAt
from adapters.kafka.broker import LocalBroker, NoBroker
from adapters.kafka.subscribers import KafkaSubscribers, tail
from adapters.postgres import keeper
from adapters.postgres.databases import Databases
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrate import create_embedded, migrate
from adapters.postgres.publications import PostgresPublications
from cli.broker import cache
from domain.child_record.decisions import decide
from domain.child_record.model import fold
from domain.errors import Fenced, Unavailable
from domain.kernel import Change, Command, Metadata, Pending, StreamKind
from domain.policy.publishing import signals_of
from tests.architecture.repository import ROOT
from tests.broker import LEAVES_SOCKETS, missing_or_failed, running_or_skipped
from tests.builders import a_number, involves, registers, shields, the_rules
from tests.faults.publisher_process import BATCH, publisher
from tests.homes import Home, postgres_home
from tests.plugins_counts import count, seed
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

    def more(self, drawn: int) -> None:
        """Children are registered and changed; one in four is shielded, one has a sensitive service."""
        choice = random.Random(drawn)
        for number in range(CHILDREN):
            child_id = uuid4()
            self.children.append(child_id)
            self.tell(child_id, registers(index_number=a_number(choice.getrandbits(50))))
            if number % 4 == 3:
                self.tell(child_id, shields(shield=uuid4()))
            if number % 4 == 2:
                self.tell(child_id, involves("Sexual health", "sensitive", involvement=uuid4()))
            self.tell(child_id, involves(involvement=uuid4()))

    def publish(self, point: str = "", nth: int = 1, *, for_ever: bool = False) -> "subprocess.Popen[str]":
        """A publisher in a process of its own."""
        command = [sys.executable, "-m", "tests.faults.publisher_process", self.databases.record.url]
        command += [self.databases.keyring.url, str(self.kek), self.bootstrap, self.topic]
        command += [point, str(nth), str(int(for_ever))]
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
            told = signals_of(history, 0, 2**62, the_rules(), lambda *_: True)
            wanted[child_id] = [one.event_id for _, one in told]
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
    for turn in range(count(50, minimum=3)):
        site.more(turn + 2)
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


@dataclass
class OwnServers:
    """A database server and a broker of one's own, which may be killed."""

    server: EmbeddedServer
    data: Path
    broker: LocalBroker

    def kill_the_broker(self) -> None:
        """Java and what holds it, at once; then it is started again where it was."""
        process = self.broker._process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        self.broker.stop()
        self.broker.start()

    def kill_the_database(self) -> None:
        """The server at once; what serves its connections follows it. Then it is started again."""
        pid = keeper.postmaster_pid(self.data)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.server.running() is None)
        self.server.use()


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[OwnServers]:
    # Not in pytest's own folder: that is closed to the account the server runs under.
    with tempfile.TemporaryDirectory(prefix="contactpoint-kills-") as folder:
        server, broker = EmbeddedServer(Path(folder)), LocalBroker(tmp_path / "kafka", cache())
        try:
            broker.start()
        except NoBroker as why:
            missing_or_failed(why.message)
        try:
            server.use()
            yield OwnServers(server, Path(folder) / "postgres" / "data", broker)
        finally:
            broker.stop()
            server.stop()


@pytest.mark.timeout(7200)
def test_publisher_broker_and_database_killed_at_any_moment(own_servers: OwnServers, tmp_path: Path) -> None:
    """Each while the publisher, held until there was something to do, is at work."""
    databases = create_embedded(own_servers.server.use(), "_kills")
    migrate(databases, training=True)
    kek, topic = tmp_path / "kek", f"contactpoint.test-{uuid4()}"
    home = postgres_home(databases, kek)
    site = Site(home, databases, kek, own_servers.broker.bootstrap, topic, [])
    choice, victims = random.Random(seed()), ("publisher", "broker", "database")
    process = site.publish(for_ever=True)
    for turn in range(count(50, minimum=3)):
        victim = victims[turn] if turn < 3 else choice.choice(victims)
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
        site.more(choice.getrandbits(30))
        process.send_signal(signal.SIGCONT)
        time.sleep(choice.uniform(0, 1.0))
        if victim == "broker":
            own_servers.kill_the_broker()
        elif victim == "database":
            own_servers.kill_the_database()
            site.home.close()
            site.home = postgres_home(databases, kek)
        if victim == "publisher" or process.poll() is not None:
            process.kill()
            process.communicate()
            process = site.publish(for_ever=True)
    process.kill()
    process.communicate()
    site.catch_up()
    site.check()
    site.home.close()


@pytest.mark.timeout(1800)
def test_while_the_broker_is_away_memory_stays_as_it_was(
    make_databases: MakeDatabases, tmp_path: Path, topic: str
) -> None:
    """However much is recorded meanwhile, and however long it takes: one batch is held, and attempts that failed leave
    nothing behind."""
    databases = make_databases()
    with ExitStack() as closing:
        home = postgres_home(databases, tmp_path / "kek")
        stood = PostgresPublications(databases.record)
        for each in (home, stood):
            closing.callback(each.close)
        with running_or_skipped(tmp_path / "home") as bootstrap:
            site = Site(home, databases, tmp_path / "kek", bootstrap, topic, [])
            site.more(1)
            process = site.publish(for_ever=True)
            closing.callback(process.wait)
            closing.enter_context(process.stdout or nullcontext())
            closing.callback(process.kill)
            wait_until(lambda: stood.position() == home.record.head().position)
        position = stood.position()
        site.more(2)
        wait_until(lambda: len(stood.pending()) > 0)
        time.sleep(35)  # it has given up once: later attempts are to need no more
        before = resident_mib(process.pid)
        for _ in range(20):
            site.more(3)
        time.sleep(count(600, minimum=10))
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert resident_mib(process.pid) - before < 8
        assert len(stood.pending()) <= BATCH
        assert stood.position() == position


def resident_mib(pid: int) -> float:
    (line,) = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")
    ]
    return int(line.split()[1]) / 1024


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
