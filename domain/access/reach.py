"""How far the logs were read for a display, so that the same can be read again after any number of later events.

An access names it among the streams it read (`Looked.used`), under ids that no stream has: those are random.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Self
from uuid import UUID

_RECORD_LOG: Final = UUID(int=1)
_ACCESS_LOG: Final = UUID(int=2)
_LIMIT: Final = UUID(int=3)
_DAY: Final = UUID(int=4)


class Reach(NamedTuple):
    """The last position of each log that was read.

    limit: how many entries a page had at most. day: one that was asked for, as a proleptic ordinal; 0: none was.
    """

    record: int
    access: int
    limit: int = 0
    day: int = 0

    def used(self) -> tuple[tuple[UUID, int], ...]:
        """As an access names it."""
        return (
            (_RECORD_LOG, self.record),
            (_ACCESS_LOG, self.access),
            (_LIMIT, self.limit),
            (_DAY, self.day),
        )

    @classmethod
    def of(cls, used: Iterable[tuple[UUID, int]]) -> Self | None:
        """As an access named it; None where it did not, because it was recorded before any did."""
        found = dict(used)
        if _RECORD_LOG not in found or _ACCESS_LOG not in found:
            return None
        return cls(found[_RECORD_LOG], found[_ACCESS_LOG], found.get(_LIMIT, 0), found.get(_DAY, 0))
