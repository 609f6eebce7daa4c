"""`bench append`: a change to existing children, from command to acknowledgement, streams and keys warm."""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final
from uuid import UUID

from cli.app import App
from cli.benches import invented
from cli.benches.measuring import PeakMemory, Slice, answer_of, compared, percentile, repeated
from cli.benches.place import ACTOR, address_of, home_of_its_own
from cli.benches.yardsticks import Floor, Library, LibraryProcesses, encrypting, library_environment
from cli.bootstrap import open_app
from cli.output import Json, Output
from cli.settings import Settings
from domain.child_record.decisions import decide
from domain.child_record.handlers import change_of
from domain.child_record.model import unknown
from domain.kernel import Metadata

CHILDREN: Final = 2_000
SECONDS: Final = 12.0
ROUNDS: Final = 12
"""Slices of each contender: short ones, because the disk of a shared machine stalls now and then."""


def measure(writers: int, seconds: float, events: int | None, rounds: int, output: Output) -> Json:
    """Run it. `seconds`: measured time of each contender in all; `events`: at most so many of ours."""
    began = time.monotonic()
    slice_seconds = seconds / rounds
    at_most = None if events is None else max(1, events // rounds)
    with home_of_its_own() as home, open_app(home, Settings(home=home)) as app, ExitStack() as closing:
        address = address_of(home)
        children = CHILDREN if events is None else min(CHILDREN, max(events, 4 * writers))
        output.note(f"A home of its own: {children:,} children, writers: {writers}.")
        ours = Ours(app, writers, children)
        environment = library_environment(address)
        threads = Library(environment, writers)
        closing.callback(threads.close)
        theirs, theirs_by = threads.changes, "threads"
        same = encrypting(address)
        likewise: Library | LibraryProcesses = Library(same, writers, pairs=True)
        closing.callback(likewise.close)
        if writers > 1:
            processes = LibraryProcesses(environment, writers)
            closing.callback(processes.close)
            if processes.changes(slice_seconds).per_second > threads.changes(slice_seconds).per_second:
                theirs, theirs_by = processes.changes, "processes"
                likewise = LibraryProcesses(same, writers, pairs=True)
                closing.callback(likewise.close)
        floor = Floor(address, writers=writers)
        closing.callback(floor.close)
        slices = compared(
            {
                "theirs": lambda: theirs(slice_seconds),
                "ours": lambda: ours.changes(slice_seconds, at_most),
                "theirs_same_work": lambda: likewise.changes(slice_seconds),
                "floor": lambda: floor.inserts(slice_seconds),
            },
            rounds,
            output,
        )
    return {
        **answer_of(slices, peak_mib=ours.peak.mib, seconds=time.monotonic() - began),
        "writers": writers,
        "theirs_by": theirs_by,
        "p50_ms": round(percentile(ours.milliseconds, 0.5), 2),
        "p99_ms": round(percentile(ours.milliseconds, 0.99), 2),
    }


class Ours:
    """Commands of practitioners and of a national source on children that are there, each with an idempotency key."""

    def __init__(self, app: App, writers: int, number: int = CHILDREN) -> None:
        self._app = app
        self._writing = app.writing
        self._numbers = itertools.count(1)
        self.peak = PeakMemory()
        self.milliseconds: list[float] = []
        children = self._registered(number)
        share = len(children) // writers
        self._actions = [
            self._changer(children[number * share : (number + 1) * share]) for number in range(writers)
        ]
        for action in self._actions:  # once each: streams and keys are warm
            for _ in range(share):
                action()
        self.milliseconds.clear()

    def changes(self, seconds: float, at_most: int | None) -> Slice:
        """Carry out commands for so long."""
        with self.peak:
            return repeated(self._actions, seconds, at_most)

    def _changer(self, children: Sequence[UUID]) -> Callable[[], None]:
        turn = itertools.cycle(children)

        def change() -> None:
            began = time.perf_counter()
            number, at = next(self._numbers), self._app.now()
            command = (
                invented.moves(number, at) if number % 2 else invented.involves(number, at, self._app.ids)
            )
            self._writing.handle(next(turn), command, self._metadata())
            self.milliseconds.append((time.perf_counter() - began) * 1000)

        return change

    def _metadata(self) -> Metadata:
        return Metadata(actor=ACTOR, purpose="casework", correlation=self._app.ids.new())

    def _registered(self, number: int) -> list[UUID]:
        app, writing = self._app, self._writing
        children = [app.ids.new() for _ in range(number)]
        file = app.ids.new()
        changes = []
        for each, child_id in enumerate(children):
            command = invented.registers(each, app.now(), file, app.ids)
            changes.append(change_of(child_id, 0, decide(unknown(child_id), command, app.rules)))
        for start in range(0, len(changes), 100):
            writing.store.append(changes[start : start + 100], self._metadata())
        return children
