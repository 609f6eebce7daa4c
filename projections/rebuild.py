"""Building a view anew beside the live one, comparing, switching, going back; and what operators are told.

    begin        empty tables of a further build, without indexes, and its plan: each log in slices, up to a position
    fill         each slice in one transaction, by as many workers as there are; which are done is kept with the rows
    finish       indexes; the checkpoint is set to that position; from here on catching up feeds this build as well
    catch up     to the head, in the same transactions as the live build
    compare      rows and a digest that does not depend on their order
    switch       one transaction: the last events, then the flag that queries read
    roll back    the same flag again: the build before stays fed until the next rebuild drops it

Searches read one build or the other, each whole. A rebuild that is cancelled drops what it made. One that was killed,
or lost a worker or a database, is gone on with by the next rebuild of that view, which redoes what each worker was at.
What is left of it is dropped instead as soon as a record becomes hidden, for it may hold where a child is.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from domain.errors import NotFound, Refused, Unavailable
from domain.kernel import Log
from projections.engine import Engine, Progress, Reporter
from projections.ports import Build, Comparison, Filling, Plan, State, Work
from projections.projection import Projection

_IDLE_SECONDS: Final = 1.0
_LOG_NAMES: Final = {Log.RECORD: "record", Log.ACCESS: "access"}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A build made anew. `comparison` is against the build that was live; None where there was none: then it is.

    seconds: until it had caught up; comparing comes after. events: those that were folded for it this time.
    """

    build: Build
    events: int
    seconds: float
    events_per_second: float
    comparison: Comparison | None
    switched: bool


Filler: TypeAlias = Callable[[Engine, Work], Generator[int | None]]
"""Fills a build with slices, in any order, and says of each when it is there: how many events it has.

Says None when it begins, if it had to get ready for that. Raises Unavailable where a worker or a database went away:
what was said to be there is.
"""


def one_by_one(engine: Engine, work: Work) -> Generator[int | None]:
    """Fill in this process, one slice after another."""
    for each in work.slices:
        yield engine.fill(work, each)


@dataclass(frozen=True, slots=True)
class Operations:
    """Everything an operator may do with views."""

    engine: Engine
    projections: tuple[Projection, ...]
    filler: Filler = one_by_one

    def by_rules(self) -> tuple[str, ...]:
        """The views whose rows rest on the rules: to be rebuilt once others are in force."""
        return tuple(projection.name for projection in self.projections if projection.by_rules)

    def list(self) -> dict[str, Any]:
        """Every build of every view, the live one last. `version` is the number of the build.

        `position` counts the events it has folded, of both logs where it follows both; `lag_seconds` is the age of the
        oldest event it has not; `state` is `current`, `behind`, `paused`, `parked: N`, `stale: rebuild` (made by other
        code or under other rules), `never built`, or, where it is not live, what it is.
        """
        views: list[dict[str, Any]] = []
        for projection in self.projections:
            builds = self.engine.store.builds(projection.name)
            order = sorted(builds, key=lambda build: (build.state == "live", build.number))
            views += [self._described(projection, build) for build in order]
            if not any(build.state == "live" for build in builds):
                views.append(self._never_built(projection))
        return {"views": views}

    def status(self) -> dict[str, Any]:
        """As `list`, for the live builds alone, with the streams that are parked."""
        live = [view for view in self.list()["views"] if view["live"] or view["state"] == "never built"]
        parked = [
            {
                "name": projection.name,
                "log": _LOG_NAMES[one.log],
                "stream": str(one.stream_id),
                "cause": one.cause,
            }
            for projection in self.projections
            for one in self.engine.store.parked(projection.name)
        ]
        return {"views": live, "parked": parked}

    def run(
        self,
        *,
        until_caught_up: bool = True,
        names: Sequence[str] | None = None,
        wait: bool = True,
        stop: Callable[[], bool] = lambda: False,
        progress: Reporter | None = None,
    ) -> dict[str, Any]:
        """Catch every view up; without `until_caught_up` go on as the logs grow, until `stop` says so.

        wait: whether to wait for another worker that has the view, rather than pass it over.
        """
        events = 0
        while True:
            events += self.feed(names, wait=wait, progress=progress, stop=stop)
            if until_caught_up or stop():
                return {"events": events, **self.status()}
            self.engine.log.wait(_IDLE_SECONDS)

    def feed(
        self,
        names: Sequence[str] | None = None,
        *,
        wait: bool = True,
        stop: Callable[[], bool] = lambda: False,
        progress: Reporter | None = None,
    ) -> int:
        """Catch views up (all, or these) and say nothing but how many events that took: for commands that change."""
        chosen = [each for each in self.projections if names is None or each.name in names]
        events = self.engine.catch_up_all(chosen, wait=wait, stop=stop, progress=progress)
        for projection in chosen:
            self._drop_abandoned(projection)
        return events

    def rebuild(self, name: str, *, switch: bool = False, progress: Reporter | None = None) -> dict[str, Any]:
        """Build the view anew, and with `switch` let queries read the new build. See `Rebuilt`."""
        projection = self._projection(name)
        with self._rebuilding(projection):
            self._drop(projection, ("scratch", "next"))
            rebuilt = self._rebuild(projection, "next", progress, switch=switch)
        answer = {
            "name": projection.name,
            "version": rebuilt.build.number,
            "events": rebuilt.events,
            "seconds": round(rebuilt.seconds, 3),
            "events_per_second": round(rebuilt.events_per_second),
            "switched": rebuilt.switched,
        }
        return answer | ({"compare": _words(rebuilt.comparison)} if rebuilt.comparison else {})

    def compare(self, name: str, progress: Reporter | None = None) -> dict[str, Any]:
        """Compare the live build with the next one or, where there is none, with a fresh fold of the log.

        `rows` and `digest` are those of the other build; `added` rows are only there, `removed` only in the live one.
        """
        projection = self._projection(name)
        with self._rebuilding(projection):
            if self._only(projection, "live") is None:
                raise NotFound("This view was never built. Run `contactpoint projection run`.", field="name")
            self._drop(projection, ("scratch",))
            other = self._only(projection, "next")
            if other is not None:
                return _words(self._compare(projection, other))
            rebuilt = self._rebuild(projection, "scratch", progress, switch=False)
            self.engine.store.drop(rebuilt.build)
            return _words(rebuilt.comparison)

    def switch(self, name: str) -> dict[str, Any]:
        """Let queries read the next build. Raises Refused where there is none."""
        return self._exchange(
            self._projection(name), "next", "There is no next version to switch to: rebuild first."
        )

    def rollback(self, name: str) -> dict[str, Any]:
        """Let queries read the build before this one again. Raises Refused where there is none."""
        return self._exchange(
            self._projection(name), "previous", "There is no earlier version to go back to."
        )

    def pause(self, name: str) -> dict[str, Any]:
        """Stop feeding a view. Streams that become hidden leave it all the same."""
        return self._pause(name, paused=True)

    def resume(self, name: str) -> dict[str, Any]:
        """Feed a view again."""
        return self._pause(name, paused=False)

    def _pause(self, name: str, *, paused: bool) -> dict[str, Any]:
        projection = self._projection(name)
        self.engine.store.pause(projection.name, paused=paused)
        return {"views": [view for view in self.status()["views"] if view["name"] == projection.name]}

    def _rebuild(
        self, projection: Projection, state: State, progress: Reporter | None, *, switch: bool
    ) -> Rebuilt:
        engine = self.engine
        if engine.store.is_paused(projection.name):
            raise Refused(f"The view {projection.name} is paused: resume it first.", code="view-is-paused")
        started = time.monotonic()
        filling = self._begun(projection)
        build, upto = filling.build, filling.plan.upto
        try:
            events = self._fill(projection, filling, progress)
            ended = _known(engine.store.filling(projection.name)).ended
            build = engine.store.finish(build, projection, upto, state)
            with engine.store.step(projection) as step:
                step.replace([build], ended, ())
                first = all(other.state != "live" for other in step.builds)
                if first:
                    step.become(build, "live")
            engine.catch_up(projection)
            seconds = max(time.monotonic() - started, 1e-9)
            comparison = None if first else self._compare(projection, build)
            if switch and not first:
                self._make_live(projection, build)
        except Unavailable:  # something went away: what is there is gone on with
            raise
        except BaseException:  # also a cancellation: nothing is left behind, unless it is live by now
            with suppress(Refused):
                engine.store.drop(build)
            raise
        return Rebuilt(build, events, seconds, events / seconds, comparison, switched=switch or first)

    def _begun(self, projection: Projection) -> Filling:
        """What a killed rebuild left, if this code would have made it the same way; else a new build."""
        engine = self.engine
        left = engine.store.filling(projection.name)
        if left is not None and left.plan.slices and self._may_go_on(projection, left.build):
            return left
        self._drop(projection, ("filling",))
        upto = {log: engine.log.head(log) for log in projection.logs}
        slices = {log: engine.slices.count(log, position) for log, position in upto.items()}
        engine.store.begin(projection, engine.in_force.id, Plan(upto, slices))
        return _known(engine.store.filling(projection.name))

    def _may_go_on(self, projection: Projection, build: Build) -> bool:
        return self.engine.feeds(projection, build) and not self.engine.outdated(projection, build)

    def _fill(self, projection: Projection, filling: Filling, progress: Reporter | None) -> int:
        """Fill what is not there yet. Returns how many events this took."""
        plan, there = filling.plan, sum(filling.done.values())
        total = sum(plan.upto.values())
        left = [each for each in plan.all() if each not in filling.done]
        started, done = time.monotonic(), 0
        work = Work(projection, filling.build, left, plan.upto)
        with closing(self.filler(self.engine, work)) as filled:
            for events in filled:
                if events is None:  # getting ready says nothing of how long the rest takes
                    started = started if done else time.monotonic()
                    continue
                done += events
                if progress:
                    seconds = max(time.monotonic() - started, 1e-9)
                    rate = done / seconds
                    ahead = max(total - there - done, 0) / rate if rate else None
                    progress(Progress(projection.name, min(there + done, total), total, seconds, rate, ahead))
        return done

    def _compare(self, projection: Projection, build: Build) -> Comparison | None:
        """Against the live build, both at one position. Where other code made the live build, as it stands."""
        store = self.engine.store
        with store.step(projection) as step:
            self.engine.drain(step, projection)
        live = self._only(projection, "live")
        return store.compare(projection, live, build) if live else None

    def _make_live(self, projection: Projection, build: Build) -> None:
        """Drain, then move the flag, in one transaction; afterwards drop the build that was kept before."""
        with self.engine.store.step(projection) as step:
            self.engine.drain(step, projection)
            for other in step.builds:
                if other.state == "live":
                    step.become(other, "previous")
                elif other.state == "previous" and other.number != build.number:
                    step.become(other, "scratch")
            step.become(build, "live")
        self._drop(projection, ("scratch",))

    def _exchange(self, projection: Projection, state: State, otherwise: str) -> dict[str, Any]:
        with self._rebuilding(projection):
            build = self._only(projection, state)
            if build is None:
                raise Refused(otherwise, code="no-such-version", field="name")
            if not self.engine.feeds(projection, build):
                raise Refused(
                    "That version was made by another release. Run that release to go back to it, or rebuild.",
                    code="other-release",
                    field="name",
                )
            if self.engine.store.is_paused(projection.name):
                raise Refused(
                    f"The view {projection.name} is paused: resume it first.", code="view-is-paused"
                )
            self._make_live(projection, build)
        return {"views": [view for view in self.status()["views"] if view["name"] == projection.name]}

    @contextmanager
    def _rebuilding(self, projection: Projection) -> Iterator[None]:
        with self.engine.store.alone(projection.name, "rebuild", wait=False) as alone:
            if not alone:
                raise Refused(
                    f"The view {projection.name} is being rebuilt or compared by somebody else. Try again later.",
                    code="view-is-busy",
                )
            yield

    def _drop_abandoned(self, projection: Projection) -> None:
        """Drop what a killed comparison left, and of a killed rebuild what may hold what is hidden by now."""
        there = {build.state for build in self.engine.store.builds(projection.name)}
        states: tuple[State, ...] = ("scratch",) if "scratch" in there else ()
        if "filling" in there:
            filling = self.engine.store.filling(projection.name)
            if filling is not None and (filling.hidden or not filling.plan.slices):
                states += ("filling",)
        if not states:
            return
        with self.engine.store.alone(projection.name, "rebuild", wait=False) as alone:
            if alone:
                self._drop(projection, states)

    def _drop(self, projection: Projection, states: tuple[State, ...]) -> None:
        """Drop builds in these states. Whoever calls it is alone in rebuilding.

        A worker that begins a view has a build that is being filled for a moment, too: it is waited for.
        """
        store = self.engine.store
        if not any(build.state in states for build in store.builds(projection.name)):
            return
        with store.alone(projection.name, "worker", wait=True):
            for build in store.builds(projection.name):
                if build.state in states:
                    store.drop(build)

    def _only(self, projection: Projection, state: State) -> Build | None:
        found = [build for build in self.engine.store.builds(projection.name) if build.state == state]
        return found[-1] if found else None

    def _projection(self, name: str) -> Projection:
        for projection in self.projections:
            if projection.name == name.replace("-", "_"):
                return projection
        known = ", ".join(projection.name for projection in self.projections)
        raise NotFound(f"There is no such view. There are: {known}.", field="name")

    def _described(self, projection: Projection, build: Build) -> dict[str, Any]:
        log = self.engine.log
        lag_events, oldest = 0, None
        for followed in projection.logs:
            at = build.positions.get(followed, 0)
            behind = log.head(followed) - at
            lag_events += behind
            waiting = log.recorded_at(followed, at + 1) if behind else None
            if waiting is not None and (oldest is None or waiting < oldest):
                oldest = waiting
        lag = 0.0 if oldest is None else max((self.engine.clock.now() - oldest).total_seconds(), 0.0)
        return {
            "name": projection.name,
            "version": build.number,
            "live": build.state == "live",
            "position": sum(build.positions.get(followed, 0) for followed in projection.logs),
            "positions": {_LOG_NAMES[one]: build.positions.get(one, 0) for one in projection.logs},
            "lag_events": lag_events,
            "lag_seconds": round(lag, 3),
            "state": self._state(projection, build, lag_events),
            "rules": build.rule_set,
        }

    def _state(self, projection: Projection, build: Build, lag_events: int) -> str:
        if build.state != "live":
            return build.state
        if not self.engine.feeds(projection, build) or self.engine.outdated(projection, build):
            return "stale: rebuild"
        if self.engine.store.is_paused(projection.name):
            return "paused"
        parked = len(self.engine.store.parked(projection.name))
        if parked:
            return f"parked: {parked}"
        return "behind" if lag_events else "current"

    def _never_built(self, projection: Projection) -> dict[str, Any]:
        heads = {log: self.engine.log.head(log) for log in projection.logs}
        return {
            "name": projection.name,
            "version": 0,
            "live": False,
            "position": 0,
            "positions": {_LOG_NAMES[log]: 0 for log in projection.logs},
            "lag_events": sum(heads.values()),
            "lag_seconds": 0.0,
            "state": "never built",
            "rules": self.engine.in_force.id,
        }


def _known(filling: Filling | None) -> Filling:
    if filling is None:
        raise Unavailable("The version that was being built is gone. Start the rebuild again.")
    return filling


def _words(comparison: Comparison | None) -> dict[str, Any]:
    if comparison is None:
        raise NotFound(
            "There is no live version to compare with. Run `contactpoint projection run`.", field="name"
        )
    return {
        "rows": comparison.rows,
        "added": comparison.added,
        "removed": comparison.removed,
        "changed": comparison.changed,
        "digest": comparison.digest,
    }
