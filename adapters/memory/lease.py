"""One leader among several, in memory."""

from domain.errors import Fenced


class MemoryLease:
    """A lease that never runs out by itself: `expire` does it. `who`: what leads, as whoever is fenced is told."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._fence = 0
        self._led = False

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

    def resign(self, fence: int) -> None:
        """See the port."""
        if fence == self._fence:
            self._led = False

    def _prolong(self, fence: int) -> None:
        self._held(fence)
        self._led = True

    def _held(self, fence: int) -> None:
        if fence != self._fence:
            raise Fenced(f"Another {self._who} leads since; this one stops.")
