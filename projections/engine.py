"""Catching up: read the log's tail, fold the streams that moved, save rows and checkpoint in one transaction.

Every build of a view that is kept (the live one, the one before it, the next) goes through the same transaction, so
that they stand at the same position once they have met. A build that is not fed, because its view is paused or because
other code made it, is *swept*: streams that became hidden leave it all the same.

Views that stand at one place of a log are caught up from one reading of it: whichever comes first reads a stretch and
folds it for the others too, and each saves its own part in its own transaction, if it still stands there. One that
lags, is ahead, or was moved by another worker meanwhile reads for itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.kernel import Log
from domain.policy.rule_book import InForce
from domain.ports import Clock
from domain.rule_set.model import RuleSet
from projections.folding import Folded, Folding, Stretch
from projections.ports import Build, Filled, LogReader, Opener, Plan, Slice, Slices, Step, ViewStore, Work
from projections.projection import Projection

BATCH: Final = 4_000
"""Events that one transaction takes at most."""

_RETRIED: Final = 100
"""How many parked streams one catch-up tries again."""


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


@dataclass(frozen=True, slots=True)
class Engine:
    """What catching up needs. `open` gives, per log, the streams as a reader without the `shielded` database."""

    store: ViewStore
    log: LogReader
    open: Mapping[Log, Opener]
    slices: Slices
    rules: InForce
    clock: Clock

    @property
    def in_force(self) -> RuleSet:
        """The rules in force now."""
        return self.rules.at(self.clock.now())

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
                moved = self._step(projection, batch, {}, retry=first)
                first = False
                done += sum(moved)
                if progress and any(moved):
                    progress(Progress(projection.name, done, done, 0.0, 0.0, None))
                if max(moved) < batch or not until_caught_up:
                    return CaughtUp(done, self._positions(projection))

    def catch_up_all(
        self,
        projections: Sequence[Projection],
        *,
        batch: int = BATCH,
        wait: bool = True,
        stop: Callable[[], bool] = lambda: False,
        progress: Reporter | None = None,
    ) -> int:
        """Bring several views up to the heads of their logs; returns how many events, each counted for each view.

        Batch by batch, so that those that stand at one place stay together. Otherwise as `catch_up` of each.
        """
        done = dict.fromkeys((projection.name for projection in projections), 0)
        left, first = list(projections), True
        while left:
            behind: list[Projection] = []
            ready: dict[str, Mapping[Log, Stretch]] = {}
            for at, projection in enumerate(left):
                if stop():
                    return sum(done.values())
                with self.store.alone(projection.name, "worker", wait=wait) as alone:
                    if not alone:
                        continue
                    self.ensure_live(projection)
                    if projection.name not in ready:
                        ready |= self._read_together(left[at:], batch)
                    moved = self._step(projection, batch, ready.pop(projection.name, {}), retry=first)
                done[projection.name] += sum(moved)
                if progress and any(moved):
                    so_far = done[projection.name]
                    progress(Progress(projection.name, so_far, so_far, 0.0, 0.0, None))
                if max(moved) >= batch:
                    behind.append(projection)
            left, first = behind, False
        return sum(done.values())

    def ensure_live(self, projection: Projection) -> None:
        """Begin a view that has no live build: empty tables at position 0."""
        if any(build.state == "live" for build in self.store.builds(projection.name)):
            return
        nowhere = dict.fromkeys(projection.logs, 0)
        build = self.store.begin(projection, self.in_force.id, Plan(nowhere, {}))
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
            while self._furthest_behind(step, projection, log) < upto and self._advance(
                step, projection, log, BATCH
            ):
                pass

    def filled(self, projection: Projection, of: Slice, upto: int) -> Filled:
        """Fold one slice of a log as it stood at a position. What cannot be opened or folded is parked."""
        return self._folding.filled(projection, of, upto)

    def fill(self, work: Work, of: Slice) -> int:
        """Fold one slice into the build. Returns how many events it has, whoever brought it."""
        filled = self.filled(work.projection, of, work.upto[of.log])
        self.store.fill(work.build, work.projection, filled)
        return filled.events

    def feeds(self, projection: Projection, build: Build) -> bool:
        """Whether this code may write rows into this build."""
        return build.version == projection.version

    def outdated(self, projection: Projection, build: Build) -> bool:
        """Whether this build rests on rules that are in force no more."""
        return projection.by_rules and build.rule_set != self.in_force.id

    @property
    def _folding(self) -> Folding:
        return Folding(self.log, self.open, self.slices, self.in_force, self.clock)

    def _read_together(self, projections: Sequence[Projection], batch: int) -> dict[str, dict[Log, Stretch]]:
        """The next stretch of each log of the first of these views, for it and for those that stand where it stands.

        Nothing of a log where it stands alone: it reads that by itself.
        """
        first, *others = projections
        ready: dict[str, dict[Log, Stretch]] = {}
        if not others:
            return ready
        place = self._place(first)
        places = [(other, self._place(other)) for other in others]
        for log in first.logs:
            together = [other for other, theirs in places if theirs.get(log, -1) == place.get(log)]
            if not together:
                continue
            read = self._folding.stretches([first, *together], log, place[log], batch)
            for name, stretch in read.items():
                ready.setdefault(name, {})[log] = stretch
        return ready

    def _place(self, projection: Projection) -> dict[Log, int]:
        """Where a view stands in each log, or did a moment ago: nothing is locked. At 0 before it is begun."""
        paused = self.store.is_paused(projection.name)
        builds = [build for build in self.store.builds(projection.name) if build.state != "filling"]
        return {
            log: min((self._mark(projection, build, log, paused=paused) for build in builds), default=0)
            for log in projection.logs
        }

    def _step(
        self, projection: Projection, batch: int, ready: Mapping[Log, Stretch], *, retry: bool
    ) -> list[int]:
        """Advance a view by one batch of each log, in one transaction. Returns how many events of each that was."""
        with self.store.step(projection) as step:
            if retry:
                self._retry(step, projection)
            return [self._advance(step, projection, log, batch, ready.get(log)) for log in projection.logs]

    def _advance(
        self, step: Step, projection: Projection, log: Log, batch: int, ready: Stretch | None = None
    ) -> int:
        """By what was read for it, if it still stands where that begins; else by what it reads itself."""
        if not step.builds:
            return 0
        after = self._furthest_behind(step, projection, log)
        if ready is None or ready.after != after:
            ready = self._folding.stretches([projection], log, after, batch)[projection.name]
        if not ready.events:
            return 0
        behind = [build for build in step.builds if self._marked(step, projection, build, log) < ready.last]
        self._save(step, projection, log, ready.streams, ready.folded, behind)
        for build in behind:
            fed = self._fed(projection, build, paused=step.paused)
            step.advance(build, log, position=ready.last if fed else None, swept=ready.last)
        return ready.events

    def _furthest_behind(self, step: Step, projection: Projection, log: Log) -> int:
        """How far the build has come that is furthest behind."""
        return min((self._marked(step, projection, build, log) for build in step.builds), default=0)

    def _marked(self, step: Step, projection: Projection, build: Build, log: Log) -> int:
        return self._mark(projection, build, log, paused=step.paused)

    def _mark(self, projection: Projection, build: Build, log: Log, *, paused: bool) -> int:
        marks = build.positions if self._fed(projection, build, paused=paused) else build.swept
        return marks.get(log, 0)

    def _fed(self, projection: Projection, build: Build, *, paused: bool) -> bool:
        return not paused and self.feeds(projection, build)

    def _save(
        self,
        step: Step,
        projection: Projection,
        log: Log,
        streams: Sequence[UUID],
        folded: Folded,
        builds: Sequence[Build],
    ) -> None:
        fed = [build for build in builds if self._fed(projection, build, paused=step.paused)]
        swept = [build for build in builds if build not in fed]
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
                (folded,) = self._folding.fold([projection], log, streams)
                self._save(step, projection, log, streams, folded, step.builds)

    def _positions(self, projection: Projection) -> Mapping[Log, int]:
        for build in self.store.builds(projection.name):
            if build.state == "live":
                return build.positions
        return {}
