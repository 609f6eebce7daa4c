"""Views in memory: the same contract as on PostgreSQL, for tests that need no server."""

import hashlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from domain.errors import Refused
from domain.kernel import Log
from projections.ports import Build, Comparison, Filled, Filling, Parked, Plan, State
from projections.projection import Projection, Row, Table

Tables = dict[str, list[Row]]


@dataclass
class _View:
    builds: dict[int, Build] = field(default_factory=dict)
    tables: dict[int, Tables] = field(default_factory=dict)
    parked: dict[tuple[Log, UUID], tuple[int, Parked]] = field(default_factory=dict)
    paused: bool = False
    fillings: dict[int, Filling] = field(default_factory=dict)


class MemoryViewStore:
    """Keeps rows in dictionaries. A step works on a copy that takes the place of the original when it ends well."""

    def __init__(self) -> None:
        self._views: dict[str, _View] = {}
        self._step = threading.RLock()
        self._alone: dict[tuple[str, str], threading.RLock] = {}

    def builds(self, name: str) -> tuple[Build, ...]:
        """Every build of this view, oldest first."""
        return tuple(build for _, build in sorted(self._view(name).builds.items()))

    def begin(self, projection: Projection, rule_set: str, plan: Plan) -> Build:
        """Make the empty tables of a further build."""
        with self._step:
            view = self._view(projection.name)
            number = max(view.builds, default=0) + 1
            build = Build(projection.name, number, projection.version, rule_set, "filling", {}, {})
            view.builds[number] = build
            view.tables[number] = {table.name: [] for table in projection.tables}
            view.fillings[number] = Filling(build, plan, {}, frozenset(), hidden=False)
            return build

    def filling(self, name: str) -> Filling | None:
        """The newest build of a view that is being filled, with what is done of it."""
        fillings = self._view(name).fillings
        return fillings[max(fillings)] if fillings else None

    def fill(self, build: Build, projection: Projection, filled: Filled) -> bool:
        """Add a slice to a build that is being filled. False, and nothing added: it was there."""
        with self._step:
            view = self._view(build.name)
            filling = view.fillings[build.number]
            if filled.slice in filling.done:
                return False
            _add(view.tables[build.number], projection.tables, filled.rows)
            _park(view, filled.parked)
            view.fillings[build.number] = replace(
                filling,
                done={**filling.done, filled.slice: filled.events},
                ended=filling.ended | frozenset(filled.ended),
            )
            return True

    def finish(
        self, build: Build, projection: Projection, positions: Mapping[Log, int], state: State
    ) -> Build:
        """Set the checkpoint and give the build its state."""
        del projection
        with self._step:
            build = replace(build, state=state, positions=dict(positions), swept=dict(positions))
            view = self._view(build.name)
            view.builds[build.number] = build
            view.fillings.pop(build.number, None)
            return build

    def drop(self, build: Build) -> None:
        """Delete a build that is not live and everything in it."""
        with self._step:
            view = self._view(build.name)
            present = view.builds.get(build.number)
            if present is not None and present.state == "live":
                raise Refused("A view that is being read is not dropped.", code="view-is-live")
            view.builds.pop(build.number, None)
            view.tables.pop(build.number, None)
            view.fillings.pop(build.number, None)

    @contextmanager
    def step(self, projection: Projection) -> Iterator["_Step"]:
        """A transaction with this view's checkpoint locked."""
        with self._step:
            view = deepcopy(self._view(projection.name))
            yield _Step(view, projection)
            self._views[projection.name] = view

    @contextmanager
    def alone(self, name: str, what: Literal["worker", "rebuild"], *, wait: bool) -> Iterator[bool]:
        """Be the only one to do this to this view."""
        lock = self._alone.setdefault((name, what), threading.RLock())
        taken = lock.acquire(blocking=wait)
        try:
            yield taken
        finally:
            if taken:
                lock.release()

    def compare(self, projection: Projection, before: Build, after: Build) -> Comparison:
        """Compare two builds."""
        with self._step:
            tables = self._view(projection.name).tables
            rows = added = removed = changed = 0
            digest = hashlib.sha256()
            for table in projection.tables:
                old = _by_key(table, tables[before.number][table.name])
                new = _by_key(table, tables[after.number][table.name])
                rows += len(new)
                added += len(new.keys() - old.keys())
                removed += len(old.keys() - new.keys())
                changed += sum(new[key] != old[key] for key in new.keys() & old.keys())
                digest.update("\n".join([table.name, *sorted(map(repr, new.values()))]).encode())
            return Comparison(rows, added, removed, changed, digest.hexdigest())

    def pause(self, name: str, *, paused: bool) -> None:
        """Stop feeding this view, or go on."""
        with self._step:
            self._view(name).paused = paused

    def is_paused(self, name: str) -> bool:
        """Whether this view is paused."""
        return self._view(name).paused

    def parked(self, name: str) -> list[Parked]:
        """Every parked stream of this view."""
        return sorted(
            (parked for _, parked in self._view(name).parked.values()),
            key=lambda one: (one.log, one.stream_id.bytes),
        )

    def rows(self, build: Build, table: str) -> list[Row]:
        """Every row of a table, sorted by its text."""
        return sorted(self._view(build.name).tables[build.number][table], key=repr)

    def _view(self, name: str) -> _View:
        return self._views.setdefault(name, _View())


class _Step:
    def __init__(self, view: _View, projection: Projection) -> None:
        self._view = view
        self._projection = projection

    @property
    def builds(self) -> Sequence[Build]:
        return [build for _, build in sorted(self._view.builds.items()) if build.state != "filling"]

    @property
    def paused(self) -> bool:
        return self._view.paused

    def replace(self, builds: Iterable[Build], streams: Collection[UUID], rows: Sequence[Row]) -> None:
        gone = set(streams)
        for build in builds:
            tables = self._view.tables[build.number]
            for table in self._projection.tables:
                column = table.columns.index(table.stream)
                tables[table.name] = [row for row in tables[table.name] if row[column] not in gone]
            _add(tables, self._projection.tables, rows)

    def advance(self, build: Build, log: Log, *, position: int | None = None, swept: int) -> None:
        now = self._view.builds[build.number]
        positions, marks = dict(now.positions), dict(now.swept)
        if position is not None:
            positions[log] = max(positions.get(log, 0), position)
        marks[log] = max(marks.get(log, 0), swept)
        self._view.builds[build.number] = replace(now, positions=positions, swept=marks)

    def park(self, parked: Iterable[Parked]) -> None:
        _park(self._view, parked)

    def unpark(self, log: Log, streams: Collection[UUID]) -> None:
        for stream_id in streams:
            self._view.parked.pop((log, stream_id), None)

    def parked(self, limit: int) -> list[Parked]:
        oldest = sorted(self._view.parked.items(), key=lambda item: (item[1][0], item[0][1].bytes))[:limit]
        for key, (tries, one) in oldest:
            self._view.parked[key] = (tries + 1, one)
        return [one for _, (_, one) in oldest]

    def hides(self) -> None:
        for number, filling in self._view.fillings.items():
            self._view.fillings[number] = replace(filling, hidden=True)

    def become(self, build: Build, state: State) -> None:
        now = self._view.builds[build.number]
        self._view.builds[build.number] = replace(now, state=state)


def _park(view: _View, parked: Iterable[Parked]) -> None:
    for one in parked:
        key = (one.log, one.stream_id)
        if key in view.parked:
            tries, noted = view.parked[key]
            view.parked[key] = (tries, replace(one, since=noted.since))
        else:
            view.parked[key] = (0, one)


def _add(tables: Tables, shapes: Iterable[Table], rows: Sequence[Row]) -> None:
    names = {table.row: table.name for table in shapes}
    for row in rows:
        tables[names[type(row)]].append(row)


def _by_key(table: Table, rows: Iterable[Row]) -> dict[Row, Row]:
    places = [table.columns.index(column) for column in table.key]
    return {tuple(row[place] for place in places): row for row in rows}
