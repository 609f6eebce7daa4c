"""What falls due for each record, when, and under which rule of which rule set.

Every record that is held has exactly one row here: in `due` with its next day, or in `undated` because nobody has said
when the child was born. A shielded record has one in `shield` besides: nothing that a shield hides is needed for it. A
destroyed record has none.
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
    LiftDecided,
    RecordArchived,
    RecordClosed,
    RecordReopened,
    ShieldDecided,
    ShieldReviewed,
    SupplyWithdrawn,
)
from domain.child_record.model import fold
from domain.kernel import History, Log
from domain.policy.retention import schedule
from domain.policy.shield_reviews import review_on
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


class ShieldRow(NamedTuple):
    """When the shields of a record are to be looked at again, and when two people's decision lowers them."""

    child_id: UUID
    review_on: date
    lift_on: date | None
    rule_set: str


class UndatedRow(NamedTuple):
    """A record for which nothing falls due."""

    child_id: UUID
    reason: str
    rule_set: str


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The row of one child's stream; none for other streams and destroyed records."""
    record = fold(history)
    if not record.registered or record.forgotten is not None or (record.closed and not record.sealed):
        return ()
    due = schedule(record, rules)
    review = review_on(record, rules)
    lift_on = record.lift.effective_on if record.lift else None
    shields = (ShieldRow(record.child_id, review, lift_on, rules.id),) if review else ()
    if not due:
        return (UndatedRow(record.child_id, NO_DATE_OF_BIRTH, rules.id), *shields)
    return (
        *(DueRow(record.child_id, one.action, one.on, one.rule, rules.id, record.shielded) for one in due),
        *shields,
    )


RETENTION_SCHEDULE: Final = Projection(
    name="retention_schedule",
    version=2,
    logs=(Log.RECORD,),
    tables=(
        Table("due", DueRow, key=("child_id", "action"), stream="child_id"),
        Table("shield", ShieldRow, key=("child_id",), stream="child_id"),
        Table("undated", UndatedRow, key=("child_id",), stream="child_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    ends=destroyed_children,
    by_rules=True,
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
        ShieldDecided,
        ShieldReviewed,
        LiftDecided,
        ExtensionConsentGiven,
        ExtensionConsentWithdrawn,
        RecordArchived,
        RecordClosed,
        RecordReopened,
    ),
)
