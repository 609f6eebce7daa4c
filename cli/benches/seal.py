"""`bench seal`: events from the log into the tree, tiles on disk and the checkpoint signed, beside hashing alone."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Final

from adapters.ids import RandomIds
from adapters.postgres.arrays import EPOCH
from adapters.postgres.databases import Role
from adapters.postgres.log_slices import packets
from adapters.postgres.recorder import LogRecorder
from adapters.rows import RecordedRow, SealedRow, StoredRow, chunks, group_of
from adapters.seals.entries import entries
from adapters.seals.sealer import BATCH, Sealer
from adapters.seals.tiles import Edge
from cli.benches.measuring import PeakMemory, Slice, answer_of, compared, percentile
from cli.benches.place import home_of_its_own, settled
from cli.bootstrap import open_sealing
from cli.output import Json, Output
from cli.sealing import Sealing, published
from cli.settings import Settings
from domain.kernel import Log

EVENTS: Final = 400_000
ROUNDS: Final = 4
EVENTS_A_SECOND: Final = 20_000
"""Appended, sealed and hashed, in all."""

PART_BYTES: Final = 476
"""A part of one block: nonce, 448 bytes, tag."""

_COPY: Final = b"COPY (SELECT * FROM access_log.event) TO STDOUT (FORMAT BINARY)"
LIVE: Final = 200
_CHUNK: Final = 2_000


def measure(events: int | None, seconds: float | None, rounds: int, output: Output) -> Json:
    """Run it. `events`: of ours in all; without it as many as take about `seconds`."""
    began = time.monotonic()
    if events is None:
        events = EVENTS if seconds is None else int(seconds * EVENTS_A_SECOND)
    slice_events = max(1, events // rounds)
    with home_of_its_own() as home, ExitStack() as closing:
        output.note(f"A home of its own, {slice_events * rounds:,} events in {rounds} slices.")
        sealing = closing.enter_context(open_sealing(home, Settings(home=home)))
        ours = Ours(home, sealing, closing)
        ours.sealed(1)  # once: keys are made, connections open
        slices = compared(
            {
                "theirs": lambda: hashed_alone(slice_events),
                "ours": lambda: ours.sealed(slice_events),
                "floor": ours.copied_out,
            },
            rounds,
            output,
        )
        ages = ours.ages(min(LIVE, max(events // 100, 5)))
    return {
        **answer_of(slices, peak_mib=ours.peak.mib, seconds=time.monotonic() - began),
        "age_ms_p50": round(1000 * percentile(ages, 0.5), 1),
        "age_ms_p99": round(1000 * percentile(ages, 0.99), 1),
    }


class Ours:
    """Events are appended, which is not counted; then they are sealed, which is."""

    def __init__(self, home: Path, sealing: Sealing, closing: ExitStack) -> None:
        self._home = home
        self._sealing = sealing
        self._recorder = LogRecorder(sealing.record, Role.SERVICE, Log.ACCESS)
        closing.callback(self._recorder.close)
        self._sealer: Sealer = closing.enter_context(sealing.sealer(Log.ACCESS))
        self.peak = PeakMemory()

    def sealed(self, events: int) -> Slice:
        """Seal so many events, to the last checkpoint."""
        self._recorder.append_bulk(chunks(rows(events), _CHUNK))
        settled(self._home)
        with self.peak:
            began = time.perf_counter()
            before = self._sealer.sealed
            self._sealer.run(until_caught_up=True)
            return Slice(self._sealer.sealed - before, time.perf_counter() - began)

    def copied_out(self) -> Slice:
        """Every column of every event copied out of the server, and looked at no further."""
        with self._sealing.record.connect(Role.SEALER) as connection:
            began = time.perf_counter()
            number = sum(1 for _ in packets(connection.pgconn, _COPY))
            return Slice(number, time.perf_counter() - began)

    def ages(self, events: int) -> list[float]:
        """Seconds from the acknowledgement of an append to the checkpoint that has it, one at a time."""
        stopped = Flag()
        thread = Thread(
            target=self._sealer.run, kwargs={"until_caught_up": False, "stop": stopped.is_set}, daemon=True
        )
        thread.start()
        found = []
        for row in rows(events):
            self._recorder.append([group_of([row])])
            head, began = self._recorder.head().position, time.perf_counter()
            while published(self._home, Log.ACCESS) < head:
                time.sleep(0.001)
            found.append(time.perf_counter() - began)
        stopped.set()
        thread.join()
        return found


def rows(number: int) -> Iterator[StoredRow]:
    """Events of streams of their own. What is in them does not matter here; how long it is does."""
    ids = RandomIds()
    part = bytes(PART_BYTES)
    for _ in range(number):
        yield StoredRow(ids.new(), 1, ids.new(), 1, 24_300, part, part, part)


def hashed_alone(events: int) -> Slice:
    """The hashes that sealing needs, over rows that are in memory already: what one processor can do."""
    ready = [
        SealedRow.of(RecordedRow(at, EPOCH, row.event_id, row.stream_id, row.version, *row[3:]))
        for at, row in enumerate(rows(events), 1)
    ]
    edge = Edge()
    began = time.perf_counter()
    for first in range(0, events, BATCH):
        edge.grow(entries(Log.ACCESS, ready[first : first + BATCH]))
    edge.root()
    return Slice(events, time.perf_counter() - began)
