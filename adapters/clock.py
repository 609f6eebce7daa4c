"""The only places the time comes from."""

from collections.abc import Callable
from datetime import UTC, datetime


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """The present instant, aware, UTC, to the microsecond."""
        return datetime.now(UTC)


class TrainingClock:
    """The later of a given instant and the last recorded time: a training home is set forward, never back."""

    def __init__(self, instant: datetime, last_recorded: Callable[[], datetime | None]) -> None:
        """`instant` must be aware. `last_recorded` is asked anew each time. Raises ValueError for a naive instant."""
        if instant.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._instant = instant.astimezone(UTC)
        self._last_recorded = last_recorded

    def now(self) -> datetime:
        """The instant of the home, aware, UTC."""
        last = self._last_recorded()
        return self._instant if last is None else max(self._instant, last.astimezone(UTC))
