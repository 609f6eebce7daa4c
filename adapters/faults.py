"""Named points at which a test may end the process.

Each part that must survive a kill lists its points itself, as FAULT_POINTS: one before and one after each statement
that changes a log or a key. It is given a `reach`, and calls it with the name of each point; in the product nothing
happens there.
"""

import os
import signal
from collections.abc import Callable
from typing import TypeAlias

Reach: TypeAlias = Callable[[str], None]


def no_fault(point: str) -> None:
    """Nothing happens at any point."""


class FaultAt:
    """Does something the n-th time a point is reached; by default ends the process as `kill -9` would."""

    def __init__(self, point: str, nth: int = 1, action: Callable[[], None] | None = None) -> None:
        self._point = point
        self._left = nth
        self._action = action or _kill

    def __call__(self, point: str) -> None:
        """The program is at this point."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                self._action()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
