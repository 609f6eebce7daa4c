"""Places of shielded children, and positions of followers, in memory."""

from collections.abc import Iterable
from uuid import UUID


class MemoryPlaces:
    """Implements `ingest.ports.Places`."""

    def __init__(self) -> None:
        self._noted: set[tuple[bytes, UUID]] = set()

    def note(self, child_id: UUID, tokens: Iterable[bytes]) -> None:
        """Add the tokens of a child's places."""
        self._noted |= {(token, child_id) for token in tokens}

    def near(self, tokens: Iterable[bytes]) -> set[UUID]:
        """The shielded children noted with any of these tokens."""
        wanted = set(tokens)
        return {child_id for token, child_id in self._noted if token in wanted}

    def forget(self, child_id: UUID) -> None:
        """Remove every token of a child."""
        self._noted = {entry for entry in self._noted if entry[1] != child_id}


class MemoryFollowerPositions:
    """Implements `ingest.ports.FollowerPositions`."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def position(self, follower: str) -> int:
        """The position of the last event it has dealt with."""
        return self._positions.get(follower, 0)

    def moved(self, follower: str, position: int) -> None:
        """Move it on, never back."""
        self._positions[follower] = max(position, self.position(follower))
