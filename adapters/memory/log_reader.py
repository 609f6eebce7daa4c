"""The order of logs in memory, over their recorders."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from adapters.memory.recorder import MemoryRecorder
from domain.kernel import Log


class MemoryLogReader:
    """Implements `projections.ports.LogReader`. Waiting returns at once: nothing else runs meanwhile."""

    def __init__(self, recorders: Mapping[Log, MemoryRecorder]) -> None:
        self._recorders = recorders

    def head(self, log: Log) -> int:
        """The position of the last event (0: none)."""
        return self._recorders[log].head().position

    def tail(self, log: Log, after: int, limit: int, upto: int | None = None) -> list[tuple[int, UUID]]:
        """Position and stream of the events behind `after`, in order."""
        return [(row.position, row.stream_id) for row in self._recorders[log].tail(after, limit, upto)]

    def streams(self, log: Log, after: UUID | None, limit: int, upto: int) -> list[UUID]:
        """The streams that began at or before position `upto`, in the order of their ids."""
        began = {row.stream_id for row in self._recorders[log].tail(0, upto, upto) if row.version == 1}
        return sorted(stream for stream in began if after is None or stream.bytes > after.bytes)[:limit]

    def recorded_at(self, log: Log, position: int) -> datetime | None:
        """When the event at this position was recorded."""
        found = self._recorders[log].tail(position - 1, 1, position)
        return found[0].recorded_at if found else None

    def wait(self, seconds: float) -> None:
        """Return at once."""
