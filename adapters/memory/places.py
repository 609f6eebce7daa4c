"""Places of shielded children, in memory."""

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
