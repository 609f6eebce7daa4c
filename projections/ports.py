"""What projections need from outside: the logs in order, and somewhere to keep rows."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias
from uuid import UUID

from domain.kernel import History, Log
from projections.projection import Projection, Reads, Row

State: TypeAlias = Literal["filling", "scratch", "next", "live", "previous"]
"""What a build is: being filled; filled only to be compared; ready to be switched to; read by queries; what was."""

Opener: TypeAlias = Callable[[Sequence[UUID], Reads], Mapping[UUID, History]]
"""Opens streams of one log, at least as far as is read of them. Those that cannot be opened (damaged) are left out."""


@dataclass(frozen=True, slots=True)
class Build:
    """One set of tables of a view. `number` counts the builds of a view; `version` is of the code that makes it.

    positions: per log, the position up to which its rows are folded. swept: per log, the position up to which streams
    that became hidden have left it (ahead of `positions` only where the build is paused or of another version).
    """

    name: str
    number: int
    version: int
    rule_set: str
    state: State
    positions: Mapping[Log, int]
    swept: Mapping[Log, int]

    @property
    def schema(self) -> str:
        """The schema its tables are in."""
        return f"{self.name}_{self.number}"


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream that could not be opened or folded. It has no rows until it can."""

    log: Log
    stream_id: UUID
    cause: str
    since: datetime


class Slice(NamedTuple):
    """A part of a log's streams: number `number` of `of`, from 0. Every stream is in exactly one."""

    log: Log
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build is filled with: every slice of each log up to a position."""

    upto: Mapping[Log, int]
    slices: Mapping[Log, int]

    def all(self) -> list[Slice]:
        """Every slice."""
        return [Slice(log, number, of) for log, of in self.slices.items() for number in range(of)]


@dataclass(frozen=True, slots=True)
class Work:
    """Slices of logs, each as it stood at a position, that a build is still to be filled with."""

    projection: Projection
    build: Build
    slices: Sequence[Slice]
    upto: Mapping[Log, int]


@dataclass(frozen=True, slots=True)
class Filled:
    """One slice folded: its rows, children whose rows go all the same, streams with a fault, events opened for it."""

    slice: Slice
    rows: Sequence[Row]
    ended: Collection[UUID] = ()
    parked: Collection[Parked] = ()
    events: int = 0


@dataclass(frozen=True, slots=True)
class Filling:
    """A build that is being filled, or was when its rebuild was killed: what is done of its plan."""

    build: Build
    plan: Plan
    done: Mapping[Slice, int]
    """By slice, its events."""
    ended: frozenset[UUID]
    hidden: bool
    """Whether a stream became hidden since: nothing of it may stay here unless the rebuild goes on at once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the rows of one build differ from another's. `digest` does not depend on the order of rows."""

    rows: int
    added: int
    removed: int
    changed: int
    digest: str

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)


class LogReader(Protocol):
    """The order of both logs, without opening anything. Positions are dense and in the order of commits."""

    def head(self, log: Log) -> int:
        """The position of the last event (0: none). Raises Unavailable where the log cannot be reached."""
        ...

    def tail(self, log: Log, after: int, limit: int, upto: int | None = None) -> list[tuple[int, UUID]]:
        """Position and stream of the events behind `after`, in order, at most `limit`, none beyond `upto`."""
        ...

    def streams(self, log: Log, after: UUID | None, limit: int, upto: int) -> list[UUID]:
        """The streams that began at or before position `upto`, in the order of their ids, from behind `after`."""
        ...

    def recorded_at(self, log: Log, position: int) -> datetime | None:
        """When the event at this position was recorded; None where there is none."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when something was appended to either log, or after so many seconds. May return early."""
        ...


class Slices(Protocol):
    """The streams of a log, a slice at a time: what a rebuild folds."""

    def count(self, log: Log, upto: int) -> int:
        """Into how many slices the log up to a position is cut: at least 1, and each fits in memory."""
        ...

    def histories(self, of: Slice, upto: int, reads: Reads) -> Iterator[tuple[UUID, History | None]]:
        """The streams of a slice as they stood at a position; None: it cannot be opened. Raises Unavailable.

        May show of a stream what came after that position, too: whoever rebuilds catches up from there.
        """
        ...


class Step(Protocol):
    """One transaction on one view, its checkpoint locked. Leaving it commits; an error undoes all of it."""

    @property
    def builds(self) -> Sequence[Build]:
        """The builds that are fed or swept, as they stood when the lock was taken."""
        ...

    @property
    def paused(self) -> bool:
        """Whether the view is paused: swept, not fed."""
        ...

    def replace(self, builds: Iterable[Build], streams: Collection[UUID], rows: Sequence[Row]) -> None:
        """Replace the rows of these streams in these builds. A build not of this version may only lose rows."""
        ...

    def advance(self, build: Build, log: Log, *, position: int | None = None, swept: int) -> None:
        """Move the build's checkpoint forward. Never moves it back."""
        ...

    def park(self, parked: Iterable[Parked]) -> None:
        """Note streams that have no rows because they cannot be opened. A stream noted already keeps its `since`."""
        ...

    def unpark(self, log: Log, streams: Collection[UUID]) -> None:
        """Forget the notes of these streams."""
        ...

    def parked(self, limit: int) -> list[Parked]:
        """Up to `limit` of the parked streams, those tried longest ago first; counts as a try."""
        ...

    def become(self, build: Build, state: State) -> None:
        """Give the build another state. With `live`, queries read it from the commit on."""
        ...

    def hides(self) -> None:
        """Note on builds that are being filled that a stream became hidden."""
        ...


class ViewStore(Protocol):
    """Keeps rows and checkpoints. Raises Unavailable where it cannot be reached."""

    def builds(self, name: str) -> tuple[Build, ...]:
        """Every build of this view, oldest first."""
        ...

    def begin(self, projection: Projection, rule_set: str, plan: Plan) -> Build:
        """Make the empty tables of a further build, without indexes. Its state is `filling`: neither fed nor read."""
        ...

    def filling(self, name: str) -> Filling | None:
        """The newest build of a view that is being filled, with what is done of it."""
        ...

    def fill(self, build: Build, projection: Projection, filled: Filled) -> bool:
        """Add a slice to a build that is being filled, in one transaction. False, and nothing added: it was there."""
        ...

    def finish(
        self, build: Build, projection: Projection, positions: Mapping[Log, int], state: State
    ) -> Build:
        """Make the indexes, set the checkpoint and give the build its state: from now on it is fed."""
        ...

    def drop(self, build: Build) -> None:
        """Delete a build that is not live and everything in it. Waits for queries that still read it. Idempotent."""
        ...

    def step(self, projection: Projection) -> AbstractContextManager[Step]:
        """A transaction with this view's checkpoint locked. Another's step waits."""
        ...

    def alone(
        self, name: str, what: Literal["worker", "rebuild"], *, wait: bool
    ) -> AbstractContextManager[bool]:
        """Be the only one to do this to this view. False where another is and `wait` is not set. Freed on death."""
        ...

    def compare(self, projection: Projection, before: Build, after: Build) -> Comparison:
        """Compare two builds at one instant. `rows` and `digest` are those of `after`."""
        ...

    def pause(self, name: str, *, paused: bool) -> None:
        """Stop feeding this view, or go on."""
        ...

    def is_paused(self, name: str) -> bool:
        """Whether this view is paused."""
        ...

    def parked(self, name: str) -> list[Parked]:
        """Every parked stream of this view."""
        ...

    def rows(self, build: Build, table: str) -> list[Row]:
        """Every row of a table, sorted by its text: for tests and for looking closely, not for serving."""
        ...
