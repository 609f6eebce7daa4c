"""Which source records are held back, and since when.

The stream of a held record begins with a concealed event, which no other stream does. Its source says all that it is
made of; that it is held no more is said by an officer or the index, never by a source. Its content is not looked at:
a reader of the ordinary kind could not open it.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.kernel import Concealed, Event, History, Log
from domain.rule_set.model import RuleSet
from domain.supply.events import SourceRecordHeld
from projections.projection import Depth, Projection, Reads, Row, Table


class HeldRow(NamedTuple):
    """A source record that is held back. `since`: when it was recorded."""

    held_id: UUID
    source_kind: str
    since: datetime


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The row of one held record's stream; none for other streams, and none once it is held no more."""
    del rules
    first = history.events[0] if history.events else None
    if first is None or not isinstance(first.event, Concealed | SourceRecordHeld):
        return ()
    kind = _said_by(first.event)
    if any(_said_by(recorded.event) != kind for recorded in history.events):
        return ()
    return (HeldRow(history.stream_id, kind, first.recorded_at),)


def _said_by(event: Event) -> str:
    return str(getattr(event, "source_kind", None))


REVIEW_QUEUE: Final = Projection(
    name="review_queue",
    version=1,
    logs=(Log.RECORD,),
    tables=(Table("held", HeldRow, key=("held_id",), stream="held_id"),),
    rows=rows,
    folder=Path(__file__).parent,
    reads=Reads(Depth.FACTS),
)
