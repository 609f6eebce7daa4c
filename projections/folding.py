"""Streams opened and folded into rows: for one view, or for several from one opening.

Opening a stream costs more than folding it, and views that stand at one place of the log need the same streams. Each is
opened as far as the view that reads the most of it, for a view is made of nothing that it does not read. What cannot be
opened that far is opened for each view as far as that view reads it, so that a fault parks a stream where it stands in
the way and nowhere else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple, Self
from uuid import UUID

from domain.kernel import History, Log
from domain.ports import Clock
from domain.rule_set.model import RuleSet
from projections.ports import Filled, LogReader, Opener, Parked, Slice, Slices
from projections.projection import Projection, Row, as_served, is_hidden, most_of

_OPENED_TOGETHER: Final = 500
"""Streams: bounds what is in memory where each of a batch is of another stream, and long."""

DAMAGED: Final = "damaged-stream"


@dataclass(slots=True)
class Folded:
    """Rows of some streams; those of them that are hidden; children whose rows go; streams with a fault.

    events: how many events were opened for it.
    """

    rows: list[Row] = field(default_factory=list)
    hidden: set[UUID] = field(default_factory=set)
    ended: set[UUID] = field(default_factory=set)
    parked: list[Parked] = field(default_factory=list)
    events: int = 0


class Stretch(NamedTuple):
    """The log behind position `after` up to `last`, folded for one view: so many events, of these streams.

    What is folded may show of a stream what came after `last`, too.
    """

    after: int
    last: int
    events: int
    streams: Sequence[UUID]
    folded: Folded


@dataclass(frozen=True, slots=True)
class Folding:
    """What folding needs. `open` gives, per log, the streams as a reader without the `shielded` database."""

    log: LogReader
    open: Mapping[Log, Opener]
    slices: Slices
    rules: RuleSet
    clock: Clock

    def stretches(
        self, projections: Sequence[Projection], log: Log, after: int, batch: int
    ) -> dict[str, Stretch]:
        """The next stretch of a log of at most so many events, for each of these views, by its name."""
        tail = self.log.tail(log, after, batch)
        last = tail[-1][0] if tail else after
        streams = list(dict.fromkeys(stream for _, stream in tail))
        folded = self.fold(projections, log, streams)
        return {
            projection.name: Stretch(after, last, len(tail), streams, one)
            for projection, one in zip(projections, folded, strict=True)
        }

    def fold(
        self, projections: Sequence[Projection], log: Log, streams: Collection[UUID]
    ) -> tuple[Folded, ...]:
        """Open streams once and fold them for each view. What cannot be opened or folded is parked, in that view."""
        found = tuple(Folded() for _ in projections)
        reads = most_of(projection.reads for projection in projections)
        ahead = iter(streams)
        while together := list(islice(ahead, _OPENED_TOGETHER)):
            opened = self.open[log](together, reads)
            for history in opened.values():
                seen = _Seen.of(history)
                for projection, folded in zip(projections, found, strict=True):
                    self._fold(projection, log, seen, folded)
            unopened = [stream_id for stream_id in together if stream_id not in opened]
            for projection, folded in zip(projections, found, strict=True) if unopened else ():
                less = projection.reads != reads
                again = self.open[log](unopened, projection.reads) if less else {}
                self._fold_all(projection, log, ((one, again.get(one)) for one in unopened), folded)
        return found

    def filled(self, projection: Projection, of: Slice, upto: int) -> Filled:
        """Fold one slice of a log as it stood at a position. What cannot be opened or folded is parked."""
        folded = Folded()
        histories = self.slices.histories(of, upto, projection.reads)
        self._fold_all(projection, of.log, histories, folded)
        return Filled(of, folded.rows, folded.ended, folded.parked, folded.events)

    def _fold_all(
        self, projection: Projection, log: Log, opened: Iterable[tuple[UUID, History | None]], folded: Folded
    ) -> None:
        for stream_id, history in opened:
            if history is None:
                folded.parked.append(Parked(log, stream_id, DAMAGED, self.clock.now()))
                folded.hidden.add(stream_id)
            else:
                self._fold(projection, log, _Seen.of(history), folded)

    def _fold(self, projection: Projection, log: Log, seen: "_Seen", folded: Folded) -> None:
        served, hidden = seen
        folded.events += served.version
        if hidden:
            folded.hidden.add(served.stream_id)
        try:
            folded.ended.update(projection.ends(served))
            folded.rows.extend(projection.rows(served, self.rules))
        except Exception as error:  # noqa: BLE001 - one stream that cannot be folded does not stop the others
            cause = f"cannot be folded: {type(error).__name__}"
            folded.parked.append(Parked(log, served.stream_id, cause, self.clock.now()))
            folded.hidden.add(served.stream_id)


class _Seen(NamedTuple):
    """A stream as views may have it, and whether it is one that an old build may hold nothing of."""

    served: History
    hidden: bool

    @classmethod
    def of(cls, history: History) -> Self:
        hidden = is_hidden(history)
        return cls(as_served(history) if hidden else history, hidden)
