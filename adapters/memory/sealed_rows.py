"""A log in memory as the sealer reads it, and what the sealer of a log remembers, in memory."""

import time
from collections.abc import Iterator
from hashlib import sha256

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


class MemorySealState:
    """Implements `domain.ports.SealState`. A lease never runs out here by itself: `expire` does it."""

    def __init__(self) -> None:
        self._fence = 0
        self._led = False
        self._sealed = Sealed(0, sha256(b"").digest())
        self._well: float | None = None

    def expire(self) -> None:
        """The lease of whoever leads has run out."""
        self._led = False

    def lead(self, seconds: float) -> int | None:  # noqa: ARG002 - it does not run out here
        """See the port."""
        if self._led:
            return None
        self._led = True
        self._fence += 1
        return self._fence

    def renew(self, fence: int, seconds: float, *, well: bool) -> None:  # noqa: ARG002 - it does not run out here
        """See the port."""
        self._held(fence)
        self._led = True
        if well:
            self._well = time.monotonic()

    def resign(self, fence: int) -> None:
        """See the port."""
        if fence == self._fence:
            self._led = False

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

    def _held(self, fence: int) -> None:
        if fence != self._fence:
            raise Fenced("Another sealer leads since; this one stops.")
