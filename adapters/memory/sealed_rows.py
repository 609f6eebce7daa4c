"""A log in memory as the sealer reads it, and what the sealer of a log remembers, in memory."""

import time
from collections.abc import Iterator
from hashlib import sha256

from adapters.memory.lease import MemoryLease
from adapters.memory.recorder import MemoryRecorder
from adapters.rows import SealedRow
from domain.errors import Fenced
from domain.ports import Sealed


class MemorySealedRows:
    """Implements `adapters.rows.SealedRows` over a recorder in memory. Waiting returns at once."""

    def __init__(self, recorder: MemoryRecorder) -> None:
        self._recorder = recorder

    def head(self) -> int:
        """See the protocol."""
        return self._recorder.head().position

    def between(self, after: int, upto: int) -> Iterator[SealedRow]:
        """See the protocol."""
        yield from map(SealedRow.of, self._recorder.tail(after, upto - after, upto))

    def strays(self, size: int) -> list[int]:
        """See the protocol. A log in memory has none: nobody reaches its rows but its recorder."""
        del size
        return []

    def wait(self, seconds: float) -> None:
        """See the protocol."""


class MemorySealState(MemoryLease):
    """Implements `domain.ports.SealState`."""

    def __init__(self) -> None:
        super().__init__("sealer")
        self._sealed = Sealed(0, sha256(b"").digest())
        self._well: float | None = None

    def renew(self, fence: int, seconds: float, *, well: bool) -> None:  # noqa: ARG002 - it does not run out here
        """See the port."""
        self._prolong(fence)
        if well:
            self._well = time.monotonic()

    def sealed(self) -> Sealed:
        """See the port."""
        return self._sealed

    def advance(self, fence: int, before: Sealed, after: Sealed) -> None:
        """See the port."""
        self._held(fence)
        if before != self._sealed:
            raise Fenced("The log was sealed by another meanwhile; this sealer stops.")
        self._sealed = after

    def age(self) -> float | None:
        """See the port."""
        if self._fence == 0:
            return None
        return float("inf") if self._well is None else time.monotonic() - self._well
