"""Being the one that leads, among several programs of a kind, for as long as there is something to do."""

import time
from collections.abc import Callable
from contextlib import suppress

from domain.errors import Fenced, Unavailable
from domain.ports import Leadership

_LOOK_AGAIN_SECONDS = 0.1


def lead(
    leadership: Leadership,
    seconds: float,
    follow: Callable[[int], None],
    *,
    until_caught_up: bool,
    stop: Callable[[], bool],
) -> None:
    """Call `follow` with the fencing number once nobody else leads, and again where another took over meanwhile.

    With `until_caught_up` Fenced is raised instead. Returns when `follow` does, or when stopped while waiting.
    """
    while (fence := _led(leadership, seconds, stop)) is not None:
        try:
            follow(fence)
        except Fenced:
            if until_caught_up:
                raise
            continue
        finally:
            with suppress(Unavailable):
                leadership.resign(fence)
        return


def _led(leadership: Leadership, seconds: float, stop: Callable[[], bool]) -> int | None:
    while not stop():
        fence = leadership.lead(seconds)
        if fence is not None:
            return fence
        time.sleep(_LOOK_AGAIN_SECONDS)
    return None
