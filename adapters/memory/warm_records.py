"""Records of children as one process last saw them, for a short while. Implements domain's `WarmRecords`."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final
from uuid import UUID

from domain.child_record.model import ChildRecord

SECONDS: Final = 60.0
"""As long as an opened key is kept: what is kept here was read with it."""

MOST: Final = 2048


class RecentRecords:
    """At most `most` records, those used last, each for at most `seconds`. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float], *, most: int = MOST, seconds: float = SECONDS) -> None:
        self._monotonic = monotonic
        self._most = most
        self._seconds = seconds
        self._kept: OrderedDict[UUID, tuple[float, ChildRecord]] = OrderedDict()
        self._lock = Lock()

    def get(self, child_id: UUID) -> ChildRecord | None:
        """The record as last seen, if it is at hand."""
        with self._lock:
            found = self._kept.get(child_id)
            if found is None:
                return None
            if self._monotonic() < found[0]:
                self._kept.move_to_end(child_id)
                return found[1]
            del self._kept[child_id]
            return None

    def put(self, record: ChildRecord) -> None:
        """Keep a record, unless a later version of it is kept already; the one unused longest makes room."""
        with self._lock:
            found = self._kept.get(record.child_id)
            if found is not None and found[1].version > record.version:
                return
            self._kept[record.child_id] = (self._monotonic() + self._seconds, record)
            self._kept.move_to_end(record.child_id)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def drop(self, child_id: UUID) -> None:
        """Forget a record."""
        with self._lock:
            self._kept.pop(child_id, None)

    def __len__(self) -> int:
        return len(self._kept)
