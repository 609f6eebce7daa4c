"""A log's streams one slice at a time, by what catching up uses, too: for logs that are not on PostgreSQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.kernel import History, Log
from projections.ports import LogReader, Opener, Slice
from projections.projection import Reads

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
