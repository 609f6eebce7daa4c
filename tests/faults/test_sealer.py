"""kill -9 of the sealer at every point and at any moment; two at once; the files of seals lost.

Afterwards the log is sealed as one sealer that was never disturbed would have sealed it, and whoever kept a checkpoint
of any moment in between finds that it was continued.
"""

import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.faults import FaultAt
from adapters.postgres.databases import Databases
from adapters.postgres.seal_state import PostgresSealState
from adapters.rows import SealedRow
from adapters.seals import tree
from adapters.seals.entries import entries
from adapters.seals.notes import Checkpoint
from adapters.seals.sealer import Sealer
from adapters.seals.tiles import SealBroken
from domain.errors import Fenced
from tests.architecture.repository import ROOT
from tests.plugins_counts import count, seed
from tests.postgres import MakeDatabases
from tests.rows import a_stream
from tests.seals import Site, postgres_site

pytestmark = pytest.mark.postgres

POINTS = (*Sealer.FAULT_POINTS, *PostgresSealState.FAULT_POINTS)


@dataclass
class Sealed:
    """A log whose sealers are processes of their own, and the checkpoints that somebody kept."""

    site: Site
    url: str
    kept: list[Checkpoint] = field(default_factory=list)

    def process(self, point: str = "", nth: int = 1) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.faults.sealer_process", self.url, str(self.site.folder)]
        return subprocess.Popen(
            [*command, point, str(nth)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def more(self, events: int) -> None:
        self.site.append(a_stream(events))

    def keep(self) -> None:
        if self.site.tiles.checkpoint() is not None:
            self.kept.append(self.site.checkpoint())

    def check(self) -> None:
        process = self.process()
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        self.keep()
        rows = self.site.recorder.tail(0, 100_000)
        leaves = [tree.leaf(one) for one in entries(self.site.log, map(SealedRow.of, rows))]
        for checkpoint in self.kept:
            assert tree.root(leaves[: checkpoint.size]) == checkpoint.root
        assert self.kept[-1].size == len(rows)
        assert self.site.verify().findings == []


@pytest.fixture
def sealed(make_databases: MakeDatabases, tmp_path: Path) -> Iterator[Sealed]:
    databases: Databases = make_databases()
    site = postgres_site(databases.record, tmp_path)
    yield Sealed(site, databases.record.url)
    site.close()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point(sealed: Sealed, point: str, nth: int) -> None:
    sealed.more(330)
    process = sealed.process(point, nth)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    sealed.keep()
    sealed.more(7)
    sealed.check()


def test_killed_at_any_moment(sealed: Sealed) -> None:
    choice = random.Random(seed())
    for _ in range(count(200, minimum=3)):
        sealed.more(choice.randint(1, 700))
        process = sealed.process()
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(choice.uniform(0, 0.2))
        process.kill()
        process.communicate()
        sealed.keep()
    sealed.check()


def test_of_two_sealers_the_one_that_lost_the_lease_is_fenced(sealed: Sealed) -> None:
    """The first stands still, with its tiles written and nothing committed, for longer than its lease."""
    sealed.more(330)
    still, go_on = threading.Event(), threading.Event()

    def stand_still() -> None:
        still.set()
        assert go_on.wait(60)

    sealer = sealed.site.sealer(reach=FaultAt("tiles-written", 2, stand_still))
    sealer.lease_seconds = 0.3
    ended: list[BaseException] = []

    def run() -> None:
        try:
            sealer.run(until_caught_up=True)
        except Fenced as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert still.wait(60)
    sealed.check()
    go_on.set()
    thread.join(60)
    assert len(ended) == 1
    sealed.more(10)
    sealed.check()


def test_the_files_lost_are_made_again_the_same(sealed: Sealed) -> None:
    sealed.more(330)
    sealed.check()
    before = {path: path.read_bytes() for path in sealed.site.tiles.folder.rglob("*") if path.is_file()}
    shutil.rmtree(sealed.site.tiles.folder)
    sealed.more(5)
    sealed.check()
    after = {path: path.read_bytes() for path in sealed.site.tiles.folder.rglob("*") if path.is_file()}
    full = [
        path for path in before if path.parent.suffix != ".p" and path.name not in ("checkpoint", "log.pub")
    ]
    assert full
    assert all(after[path] == before[path] for path in full)


def test_a_row_altered_before_it_was_sealed_again_is_refused(sealed: Sealed) -> None:
    """Killed with tiles written and nothing committed; then the row is changed."""
    sealed.more(30)
    sealed.process("tiles-written").communicate(timeout=60)
    with pytest.raises(SealBroken):
        _altering(sealed.site).run(until_caught_up=True)
    sealed.check()


def _altering(site: Site) -> Sealer:
    class Altered:
        head = site.rows.head
        strays = site.rows.strays
        wait = site.rows.wait

        def between(self, after: int, upto: int) -> Iterator[SealedRow]:
            yield from (row._replace(content=b"other") for row in site.rows.between(after, upto))

    sealer = site.sealer()
    sealer.rows = Altered()
    return sealer
