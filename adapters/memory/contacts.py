"""Which records somebody asked for contact in, in memory."""

from datetime import datetime
from uuid import UUID


class MemoryContactRequests:
    """Implements `domain.ports.ContactRequests`."""

    def __init__(self) -> None:
        self._noted: dict[UUID, tuple[datetime, UUID]] = {}

    def note(self, request: UUID, child_id: UUID, at: datetime) -> None:
        """Add one."""
        self._noted.setdefault(request, (at, child_id))

    def asked(self) -> list[UUID]:
        """The children."""
        return list(dict.fromkeys(child_id for _, child_id in sorted(self._noted.values())))

    def sweep(self, before: datetime) -> None:
        """Remove those of before an instant."""
        self._noted = {key: one for key, one in self._noted.items() if one[0] >= before}

    def forget(self, child_id: UUID) -> None:
        """Remove every one about a child."""
        self._noted = {key: one for key, one in self._noted.items() if one[1] != child_id}
