"""Positions of followers that have effects, and the order of the record log that they follow, in memory."""

from uuid import UUID

from adapters.memory.recorder import MemoryRecorder


class MemoryFollowerPositions:
    """Implements `ingest.ports.FollowerPositions`."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def position(self, follower: str) -> int:
        """The position of the last event it has dealt with; 0 before the first."""
        return self._positions.get(follower, 0)

    def moved(self, follower: str, position: int) -> None:
        """Move it on, never back."""
        self._positions[follower] = max(position, self.position(follower))


class MemoryRecordOrder:
    """Implements `ingest.ports.Order` over a recorder of the record log."""

    def __init__(self, recorder: MemoryRecorder) -> None:
        self._recorder = recorder

    def head(self) -> int:
        """The position of the last event."""
        return self._recorder.head().position

    def tail(self, after: int, limit: int) -> list[tuple[int, UUID]]:
        """Position and stream of the events behind `after`."""
        return [(row.position, row.stream_id) for row in self._recorder.tail(after, limit)]
