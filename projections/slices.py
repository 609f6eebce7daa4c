"""A log's streams by slices: one after another, and by what catching up uses, for logs that are not on PostgreSQL."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from domain.kernel import History, Log
from projections.ports import LogReader, Opener, Slice, Slices
from projections.projection import Reads

SlicesForOnce: TypeAlias = Callable[[], AbstractContextManager[Slices]]
"""Gives what reads slices, for one reading."""

_TOGETHER: Final = 1000
"""How many streams are opened at once: what bounds the memory."""


@dataclass(frozen=True, slots=True)
class StreamByStream:
    """Implements `projections.ports.Slices` over a reader of the logs' order and whatever opens streams."""

    log: LogReader
    open: Mapping[Log, Opener]

    def count(self, log: Log, upto: int) -> int:
        """One: it is opened a thousand streams at a time."""
        del log, upto
        return 1

    def histories(self, of: Slice, upto: int, reads: Reads) -> Iterator[tuple[UUID, History | None]]:
        """Every stream, opened as whoever catches up opens it."""
        after: UUID | None = None
        while streams := self.log.streams(of.log, after, _TOGETHER, upto):
            after = streams[-1]
            opened = self.open[of.log](streams, reads)
            yield from ((stream_id, opened.get(stream_id)) for stream_id in streams)


def every_record(slices: SlicesForOnce, upto: int, reads: Reads) -> Generator[History]:
    """Every stream of the record log as it stood at a position, in no order, without those that cannot be opened."""
    with slices() as opened:
        of = opened.count(Log.RECORD, upto)
        for number in range(of):
            for _, history in opened.histories(Slice(Log.RECORD, number, of), upto, reads):
                if history is not None:
                    yield history
