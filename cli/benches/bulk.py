"""`bench bulk`: new children with four events each, from command to the log, their keys made on the way."""

import gc
import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from adapters.postgres.databases import Role
from adapters.rule_files import present
from adapters.store import Reveal
from cli.benches import invented
from cli.benches.measuring import PeakMemory, Slice, answer_of, compared
from cli.benches.place import ACTOR, address_of, home_of_its_own, settled
from cli.benches.yardsticks import Floor, LibraryBulk, library_environment
from cli.bootstrap import open_stores
from cli.output import Json, Output
from cli.settings import Settings
from cli.stores import Stores
from domain.child_record.decisions import decide
from domain.child_record.handlers import change_of
from domain.child_record.model import ChildRecord
from domain.kernel import Change, Metadata
from domain.rule_set.model import RuleSet

EVENTS_OF_A_CHILD: Final = 4
EVENTS: Final = 100_000
EVENTS_A_SECOND: Final = 40_000
PROCESSES: Final = 2
THEIRS_AT_MOST: Final = 20_000
"""Events that the library inserts in all: it is slow, and its rate does not depend on how many."""


def measure(
    events: int | None, seconds: float | None, rounds: int, output: Output, processes: int = PROCESSES
) -> Json:
    """Run it. `events`: of ours in all; without it as many as take about `seconds`."""
    began = time.monotonic()
    if events is None:
        events = EVENTS if seconds is None else int(seconds * EVENTS_A_SECOND)
    slice_events = max(EVENTS_OF_A_CHILD * processes, events // rounds)
    with home_of_its_own() as home, ExitStack() as closing:
        output.note(f"A home of its own, {slice_events * rounds:,} events in {rounds} slices.")
        address = address_of(home)
        ours = Ours(home, processes)
        closing.callback(ours.close)
        library = LibraryBulk(library_environment(address))
        closing.callback(library.close)
        floor = Floor(address)
        closing.callback(floor.close)
        ours.filled(EVENTS_OF_A_CHILD * processes)
        library.filled(EVENTS_OF_A_CHILD)
        theirs = min(slice_events, THEIRS_AT_MOST // rounds)

        def prepared(take: Callable[[], Slice]) -> Callable[[], Slice]:
            def turn() -> Slice:
                settled(home)
                return take()

            return turn

        slices = compared(
            {
                "theirs": prepared(lambda: library.filled(theirs)),
                "ours": prepared(lambda: ours.filled(slice_events)),
                "floor": prepared(lambda: floor.copied(slice_events)),
            },
            rounds,
            output,
        )
    return {
        **answer_of(slices, peak_mib=ours.peak_mib, seconds=time.monotonic() - began),
        "processes": processes,
        "events_theirs": sum(one.events for one in slices["theirs"]),
        "events_floor": sum(one.events for one in slices["floor"]),
    }


class Ours:
    """Processes that each register children: decided, keys made and committed, encrypted, appended."""

    def __init__(self, home: Path, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.peak_mib = 0.0
        self._pipes: list[Connection] = []
        self._closing = ExitStack()
        for number in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_process, args=(theirs, home, number), daemon=True)
            process.start()
            self._closing.callback(process.join, 10)
            self._pipes.append(ours)
        for pipe in self._pipes:
            pipe.recv()

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.send(None)
        self._closing.close()

    def filled(self, events: int) -> Slice:
        """Register as many children as make so many events."""
        share = events // EVENTS_OF_A_CHILD // len(self._pipes)
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(share)
        answers: list[tuple[int, float]] = [pipe.recv() for pipe in self._pipes]
        seconds = time.perf_counter() - began
        self.peak_mib = max(self.peak_mib, sum(mib for _, mib in answers))
        return Slice(sum(done for done, _ in answers), seconds)


def _process(pipe: Connection, home: Path, number: int) -> None:
    """Registers as many children as it is told to, and answers with the number of events and its memory in MiB."""
    rules = present()
    numbers = itertools.count(number + 1, PROCESSES)
    with open_stores(home, Settings(home=home)) as (stores, _):
        store = stores.store(Role.WRITER, Reveal.EVERYTHING)
        gc.freeze()
        pipe.send(None)
        while (children := pipe.recv()) is not None:
            metadata = Metadata(actor=ACTOR, purpose="operation", correlation=stores.ids.new())
            with PeakMemory() as peak:
                done = store.append_many_new(_registered(children, numbers, stores, rules), metadata)
            pipe.send((done, peak.mib))


def _registered(children: int, numbers: Iterator[int], stores: Stores, rules: RuleSet) -> Iterator[Change]:
    file = stores.ids.new()
    for number in itertools.islice(numbers, children):
        child_id = stores.ids.new()
        command = invented.registers(number, stores.clock.now(), file, stores.ids)
        yield change_of(child_id, 0, decide(ChildRecord(child_id), command, rules))
