"""Which source records are held back, and since when.

The stream of a held record begins with a concealed event, which no other stream does, and whatever else is appended to
it says that it is held no more. Its content is not looked at: a reader of the ordinary kind could not open it.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.kernel import Concealed, History, Log
from domain.rule_set.model import RuleSet
from domain.supply.events import SourceRecordHeld
from projections.projection import Projection, Row, Table


class HeldRow(NamedTuple):
    """A source record that is held back. `since`: when it was recorded."""

    held_id: UUID
    source_kind: str
    since: datetime


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The row of one held record's stream; none for other streams, and none once it is held no more."""
    del rules
    if len(history.events) != 1:
        return ()
    (recorded,) = history.events
    event = recorded.event
    if not isinstance(event, Concealed | SourceRecordHeld):
        return ()
    return (HeldRow(history.stream_id, str(event.source_kind), recorded.recorded_at),)


REVIEW_QUEUE: Final = Projection(
    name="review_queue",
    version=1,
    logs=(Log.RECORD,),
    tables=(Table("held", HeldRow, key=("held_id",), stream="held_id"),),
    rows=rows,
    folder=Path(__file__).parent,
)
