"""What the publisher remembers, and where its messages go, in memory."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from adapters.memory.lease import MemoryLease
from adapters.partitions import PARTITIONS, partition_of
from domain.errors import Unavailable
from domain.ports import Again, Message


class MemoryPublications(MemoryLease):
    """Implements `domain.ports.Publications`."""

    def __init__(self) -> None:
        super().__init__("publisher")
        self._position = self._upto = 0
        self._numbers = [0] * PARTITIONS
        self._pending: list[Message] = []
        self._sent: list[tuple[float, Message]] = []
        self._parked: dict[UUID, int] = {}

    def renew(self, fence: int, seconds: float) -> None:  # noqa: ARG002 - it does not run out here
        """See the port."""
        self._prolong(fence)

    def position(self) -> int:
        """See the port."""
        return self._position

    def pending(self) -> list[Message]:
        """See the port."""
        return list(self._pending)

    def number(
        self, fence: int, upto: int, signals: Sequence[tuple[UUID, UUID, str, datetime, int]]
    ) -> list[Message]:
        """See the port."""
        self._held(fence)
        messages = []
        for event_id, child_id, kind, at, partition in signals:
            self._numbers[partition] += 1
            messages.append(Message(event_id, child_id, kind, at, partition, self._numbers[partition]))
        self._pending += messages
        self._upto = max(upto, self._upto)
        return messages

    def acknowledged(self, fence: int) -> None:
        """See the port."""
        self._held(fence)
        self._sent += [(time.monotonic(), message) for message in self._pending]
        self._pending.clear()
        self._position = self._upto

    def sent(self, which: Again, after: tuple[int, int], limit: int) -> list[Message]:
        """See the port."""
        found = [
            one
            for _, one in self._sent
            if (one.partition, one.number) > after
            and which.partition in (None, one.partition)
            and which.first <= one.number
            and (which.last is None or one.number <= which.last)
            and (which.since is None or which.since <= one.at)
            and (which.until is None or one.at <= which.until)
        ]
        return sorted(found, key=lambda one: (one.partition, one.number))[:limit]

    def forget(self, fence: int, seconds: float) -> None:
        """See the port."""
        self._held(fence)
        oldest = time.monotonic() - seconds
        self._sent = [(at, one) for at, one in self._sent if at >= oldest]

    def numbers(self) -> list[int]:
        """See the port."""
        return list(self._numbers)

    def park(self, fence: int, streams: Iterable[UUID], position: int) -> None:
        """See the port."""
        self._held(fence)
        for stream_id in streams:
            self._parked.setdefault(stream_id, position)

    def unpark(self, fence: int, streams: Iterable[UUID]) -> None:
        """See the port."""
        self._held(fence)
        for stream_id in streams:
            self._parked.pop(stream_id, None)

    def parked(self) -> dict[UUID, int]:
        """See the port."""
        return dict(self._parked)


class MemorySubscribers:
    """Implements `domain.ports.Subscribers`. `away` stands in for a broker that does not answer."""

    def __init__(self) -> None:
        self.arrived: list[Message] = []
        self.beats: list[tuple[tuple[int, ...], datetime]] = []
        self.away = False

    def partition_of(self, child_id: UUID) -> int:
        """See the port."""
        return partition_of(str(child_id).encode())

    def send(self, messages: Sequence[Message]) -> None:
        """See the port."""
        self._reached()
        self.arrived += messages

    def beat(self, numbers: Sequence[int], at: datetime) -> None:
        """See the port."""
        self._reached()
        self.beats.append((tuple(numbers), at))

    def _reached(self) -> None:
        if self.away:
            raise Unavailable("The broker cannot be reached.")
