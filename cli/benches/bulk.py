"""`bench bulk`: new children with four events each, from command to the log, their keys made on the way."""

import gc
import itertools
import multiprocessing
import statistics
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from adapters.postgres.databases import Role
from adapters.rule_files import present
from adapters.store import Reveal
from cli.benches import invented
from cli.benches.measuring import PeakMemory, Slice, answer_of, compared
from cli.benches.place import ACTOR, address_of, after_settling, home_of_its_own
from cli.benches.yardsticks import Floor, LibraryBulk, LibraryBulkProcesses, encrypting, library_environment
from cli.bootstrap import open_stores
from cli.output import Json, Output
from cli.settings import Settings
from domain.child_record.commands import RegisterChild
from domain.kernel import Metadata

EVENTS_OF_A_CHILD: Final = 4
EVENTS: Final = 100_000
ROUNDS: Final = 6
EVENTS_A_SECOND: Final = 40_000
PROCESSES: Final = 2
_CHILDREN_TOGETHER: Final = 12_500
"""Each time the clock stops, what is being sent has to come to its end: seldom, so that it is little of the time."""
THEIRS_AT_MOST: Final = 10_000
"""Events that the library inserts in one slice: it is slow, and its rate does not depend on how many."""


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
        likewise = LibraryBulkProcesses(encrypting(address), processes)
        closing.callback(likewise.close)
        floor = Floor(address)
        closing.callback(floor.close)
        ours.filled(EVENTS_OF_A_CHILD * processes)
        ours.with_commands.clear()
        library.filled(EVENTS_OF_A_CHILD)
        likewise.filled(EVENTS_OF_A_CHILD * processes)
        theirs = min(slice_events, THEIRS_AT_MOST)

        slices = compared(
            {
                "theirs": after_settling(home, lambda: library.filled(theirs)),
                "ours": after_settling(home, lambda: ours.filled(slice_events)),
                "theirs_same_work": after_settling(home, lambda: likewise.filled(theirs)),
                "floor": after_settling(home, lambda: floor.copied(slice_events)),
            },
            rounds,
            output,
        )
    return {
        **answer_of(slices, peak_mib=ours.peak_mib, seconds=time.monotonic() - began),
        "ours_with_making_commands": round(
            statistics.median(one.per_second for one in ours.with_commands), 1
        ),
        "processes": processes,
        "events_theirs": sum(one.events for one in slices["theirs"]),
        "events_floor": sum(one.events for one in slices["floor"]),
    }


class Ours:
    """Processes that each register children: decided, keys made and committed, encrypted, appended."""

    def __init__(self, home: Path, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.peak_mib = 0.0
        self.with_commands: list[Slice] = []
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
        """Register as many children as make so many events, some thousands at a time: only what comes after the
        commands are made is counted."""
        left = max(1, events // EVENTS_OF_A_CHILD // len(self._pipes))
        done, seconds, made_in = 0, 0.0, 0.0
        while left:
            children = min(left, _CHILDREN_TOGETHER)
            made_in += max(self._all(children))
            began = time.perf_counter()
            answers = self._all(0)
            seconds += time.perf_counter() - began
            done += EVENTS_OF_A_CHILD * children * len(self._pipes)
            left -= children
            self.peak_mib = max(self.peak_mib, sum(answers))
        self.with_commands.append(Slice(done, seconds + made_in))
        return Slice(done, seconds)

    def _all(self, message: int) -> list[float]:
        for pipe in self._pipes:
            pipe.send(message)
        return [pipe.recv() for pipe in self._pipes]


def _process(pipe: Connection, home: Path, number: int) -> None:
    """Told a number, makes the commands of so many children and answers with the seconds it took; told 0, carries them
    out and answers with its memory at its highest, in MiB."""
    rules = present()
    numbers = itertools.count(number + 1, PROCESSES)
    with open_stores(home, Settings(home=home)) as (stores, _):
        store = stores.store(Role.WRITER, Reveal.EVERYTHING)
        gc.disable()  # nothing that is made here refers to itself, and looking for that took a fifth of the time
        commands: list[RegisterChild] = []
        pipe.send(None)
        while (children := pipe.recv()) is not None:
            if children:
                began = time.perf_counter()
                file, at = stores.ids.new(), stores.clock.now()
                commands = [
                    invented.registers(each, at, file, stores.ids)
                    for each in itertools.islice(numbers, children)
                ]
                pipe.send(time.perf_counter() - began)
            else:
                metadata = Metadata(actor=ACTOR, purpose="operation", correlation=stores.ids.new())
                with PeakMemory() as peak:
                    changes = (invented.registered(one, stores.ids, rules) for one in commands)
                    store.append_many_new(changes, metadata)
                pipe.send(peak.mib)
