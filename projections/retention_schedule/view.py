"""What falls due for each record, when, and under which rule of which rule set.

Every record that is held has exactly one row here: in `due` with its next day, or in `undated` because nobody has said
when the child was born. A destroyed record has none.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.child_record.events import (
    AddressAsserted,
    ChildRegistered,
    DeathNotified,
    DeathReversed,
    DestructionHeld,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    HoldReleased,
    IdentityAsserted,
    RecordArchived,
    RecordReopened,
    SupplyWithdrawn,
)
from domain.child_record.model import fold
from domain.kernel import History, Log
from domain.policy.retention import schedule
from domain.rule_set.model import RuleSet
from projections.projection import Depth, Projection, Row, Table, reads
from projections.reading import destroyed_children

NO_DATE_OF_BIRTH: Final = "no-date-of-birth"


class DueRow(NamedTuple):
    """What falls due next."""

    child_id: UUID
    action: str
    due_on: date
    rule: str
    rule_set: str
    shielded: bool


class UndatedRow(NamedTuple):
    """A record for which nothing falls due."""

    child_id: UUID
    reason: str
    rule_set: str


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The row of one child's stream; none for other streams and destroyed records."""
    record = fold(history)
    if not record.registered or record.forgotten is not None:
        return ()
    due = schedule(record, rules)
    if not due:
        return (UndatedRow(record.child_id, NO_DATE_OF_BIRTH, rules.id),)
    return tuple(
        DueRow(record.child_id, one.action, one.on, one.rule, rules.id, record.shielded) for one in due
    )


RETENTION_SCHEDULE: Final = Projection(
    name="retention_schedule",
    version=1,
    logs=(Log.RECORD,),
    tables=(
        Table("due", DueRow, key=("child_id", "action"), stream="child_id"),
        Table("undated", UndatedRow, key=("child_id",), stream="child_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    ends=destroyed_children,
    reads=reads(
        Depth.FACTS,
        ChildRegistered,
        IdentityAsserted,
        AddressAsserted,
        SupplyWithdrawn,
        DeathNotified,
        DeathReversed,
        DestructionHeld,
        HoldReleased,
        ExtensionConsentGiven,
        ExtensionConsentWithdrawn,
        RecordArchived,
        RecordReopened,
    ),
)
