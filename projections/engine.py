"""Catching up: read the log's tail, fold the streams that moved, save rows and checkpoint in one transaction.

Every build of a view that is kept (the live one, the one before it, the next) goes through the same transaction, so
that they stand at the same position once they have met. A build that is not fed, because its view is paused or because
other code made it, is *swept*: streams that became hidden leave it all the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from domain.kernel import History, Log
from domain.ports import Clock
from domain.rule_set.model import RuleSet
from projections.ports import (
    Build,
    Filled,
    LogReader,
    Opener,
    Parked,
    Plan,
    Slice,
    Slices,
    Step,
    ViewStore,
    Work,
)
from projections.projection import Projection, Row, as_served, is_hidden

BATCH: Final = 4_000
"""Events that one transaction takes at most."""

_OPENED_TOGETHER: Final = 500
"""Streams: bounds what is in memory where each of a batch is of another stream, and long."""

_RETRIED: Final = 100
"""How many parked streams one catch-up tries again."""

DAMAGED: Final = "damaged-stream"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something has come. `eta_seconds` None: not known yet."""

    name: str
    done: int
    total: int
    seconds: float
    events_per_second: float
    eta_seconds: float | None


Reporter = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a catch-up did. `busy`: another worker had the view, and nothing was done."""

    events: int
    positions: Mapping[Log, int]
    busy: bool = False


@dataclass(slots=True)
class Folded:
    """Rows of some streams; those of them that are hidden; children whose rows go; streams with a fault.

    events: how many events were opened for it.
    """

    rows: list[Row]
    hidden: set[UUID]
    ended: set[UUID]
    parked: list[Parked]
    events: int = 0


@dataclass(frozen=True, slots=True)
class Engine:
    """What catching up needs. `open` gives, per log, the streams as a reader without the `shielded` database."""

    store: ViewStore
    log: LogReader
    open: Mapping[Log, Opener]
    slices: Slices
    rules: RuleSet
    clock: Clock

    def catch_up(
        self,
        projection: Projection,
        *,
        until_caught_up: bool = True,
        batch: int = BATCH,
        wait: bool = True,
        progress: Reporter | None = None,
    ) -> CaughtUp:
        """Bring every kept build of a view up to the head of its logs, or by one batch.

        One worker at a time: another waits, or with `wait` False leaves at once. Raises Unavailable where a database is
        away; what was committed before stays. A view that was never built is begun here, empty.
        """
        with self.store.alone(projection.name, "worker", wait=wait) as alone:
            if not alone:
                return CaughtUp(0, {}, busy=True)
            self.ensure_live(projection)
            done, first = 0, True
            while True:
                with self.store.step(projection) as step:
                    if first:
                        self._retry(step, projection)
                    moved = [self._advance(step, projection, log, batch) for log in projection.logs]
                first = False
                done += sum(moved)
                if progress and any(moved):
                    progress(Progress(projection.name, done, done, 0.0, 0.0, None))
                if max(moved) < batch or not until_caught_up:
                    return CaughtUp(done, self._positions(projection))

    def ensure_live(self, projection: Projection) -> None:
        """Begin a view that has no live build: empty tables at position 0."""
        if any(build.state == "live" for build in self.store.builds(projection.name)):
            return
        nowhere = dict.fromkeys(projection.logs, 0)
        build = self.store.begin(projection, self.rules.id, Plan(nowhere, {}))
        build = self.store.finish(build, projection, nowhere, "next")
        with self.store.step(projection) as step:
            if any(other.state == "live" for other in step.builds):
                return  # another worker was quicker; the next rebuild drops this one
            step.become(build, "live")

    def drain(self, step: Step, projection: Projection) -> None:
        """Within one transaction, bring every build that is fed to the head as it stands.

        What is appended meanwhile may come along; it is not waited for, or writers could keep this from ending.
        """
        for log in projection.logs:
            upto = self.log.head(log)
            while self._behind(step, projection, log) < upto and self._advance(step, projection, log, BATCH):
                pass

    def fold(self, projection: Projection, log: Log, streams: Collection[UUID]) -> Folded:
        """Open streams and fold them. What cannot be opened or folded is parked, and the others go on."""
        folded, ahead = Folded([], set(), set(), []), iter(streams)
        while together := list(islice(ahead, _OPENED_TOGETHER)):
            opened = self.open[log](together, projection.reads)
            for stream_id in together:
                self._fold_or_park(projection, log, stream_id, opened.get(stream_id), folded)
        return folded

    def filled(self, projection: Projection, of: Slice, upto: int) -> Filled:
        """Fold one slice of a log as it stood at a position. What cannot be opened or folded is parked."""
        folded = Folded([], set(), set(), [])
        for stream_id, history in self.slices.histories(of, upto, projection.reads):
            self._fold_or_park(projection, of.log, stream_id, history, folded)
        return Filled(of, folded.rows, folded.ended, folded.parked, folded.events)

    def fill(self, work: Work, of: Slice) -> int:
        """Fold one slice into the build. Returns how many events it has, whoever brought it."""
        filled = self.filled(work.projection, of, work.upto[of.log])
        self.store.fill(work.build, work.projection, filled)
        return filled.events

    def feeds(self, projection: Projection, build: Build) -> bool:
        """Whether this code may write rows into this build."""
        return build.version == projection.version

    def _fold_or_park(
        self, projection: Projection, log: Log, stream_id: UUID, source: History | None, folded: Folded
    ) -> None:
        if source is None:
            folded.parked.append(Parked(log, stream_id, DAMAGED, self.clock.now()))
            folded.hidden.add(stream_id)
        else:
            self._fold_one(projection, log, stream_id, source, folded)

    def _fold_one(
        self, projection: Projection, log: Log, stream_id: UUID, source: History, folded: Folded
    ) -> None:
        folded.events += source.version
        if is_hidden(source):
            folded.hidden.add(stream_id)
            source = as_served(source)
        try:
            folded.ended.update(projection.ends(source))
            folded.rows.extend(projection.rows(source, self.rules))
        except Exception as error:  # noqa: BLE001 - one stream that cannot be folded does not stop the others
            folded.parked.append(
                Parked(log, stream_id, f"cannot be folded: {type(error).__name__}", self.clock.now())
            )
            folded.hidden.add(stream_id)

    def _advance(self, step: Step, projection: Projection, log: Log, batch: int) -> int:
        marks = {build.number: self._mark(step, projection, build, log) for build in step.builds}
        tail = self.log.tail(log, min(marks.values()), batch) if marks else []
        if not tail:
            return 0
        last = tail[-1][0]
        behind = [build for build in step.builds if marks[build.number] < last]
        self._save(step, projection, log, list(dict.fromkeys(stream for _, stream in tail)), behind)
        for build in behind:
            fed = self._fed(step, projection, build)
            step.advance(build, log, position=last if fed else None, swept=last)
        return len(tail)

    def _behind(self, step: Step, projection: Projection, log: Log) -> int:
        """How far the build has come that is furthest behind."""
        return min((self._mark(step, projection, build, log) for build in step.builds), default=0)

    def _fed(self, step: Step, projection: Projection, build: Build) -> bool:
        return not step.paused and self.feeds(projection, build)

    def _mark(self, step: Step, projection: Projection, build: Build, log: Log) -> int:
        marks = build.positions if self._fed(step, projection, build) else build.swept
        return marks.get(log, 0)

    def _save(
        self, step: Step, projection: Projection, log: Log, streams: Sequence[UUID], builds: Sequence[Build]
    ) -> None:
        folded = self.fold(projection, log, streams)
        fed = [build for build in builds if self._fed(step, projection, build)]
        swept = [build for build in builds if not self._fed(step, projection, build)]
        if fed:
            step.replace(fed, streams, folded.rows)
        if swept and folded.hidden:
            step.replace(swept, folded.hidden, ())
        if folded.hidden or folded.ended:
            step.hides()
        faulty = {parked.stream_id for parked in folded.parked}
        step.unpark(log, [stream_id for stream_id in streams if stream_id not in faulty])
        step.park(folded.parked)
        if folded.ended:
            step.replace(builds, folded.ended, ())
            step.unpark(Log.RECORD, folded.ended)

    def _retry(self, step: Step, projection: Projection) -> None:
        parked = step.parked(_RETRIED)
        for log in projection.logs:
            streams = [one.stream_id for one in parked if one.log is log]
            if streams:
                self._save(step, projection, log, streams, step.builds)

    def _positions(self, projection: Projection) -> Mapping[Log, int]:
        for build in self.store.builds(projection.name):
            if build.state == "live":
                return build.positions
        return {}
