"""A death that was none, and what keeps a record from being destroyed.

Whether somebody died, and whether a record is held, is not shown of a shielded record: there nothing is refused because
there is none.
"""

from collections.abc import Sequence
from dataclasses import replace

from domain.child_record.commands import HoldDestruction, ReleaseHold, ReverseDeath
from domain.child_record.events import DeathReversed, DestructionHeld, HoldReleased, RecordArchived
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy import retention
from domain.policy.retention import anniversary, london_day
from domain.rule_set.model import RuleSet

_MOST_HOLDS = 10


def reversed_death(record: ChildRecord, command: ReverseDeath, rules: RuleSet) -> Sequence[Event]:
    """Every notice of a death is taken back, whoever gave it. What was held of the child is held as before."""
    if not record.deaths:
        return unless_hidden(record, Refused("No death is recorded.", code="no-death"))
    return (
        DeathReversed(
            versions=tuple(death.version for death in record.deaths),
            reversed_on=london_day(command.at),
            rule_set=rules.id,
            source=command.source,
        ),
    )


def archived_otherwise(record: ChildRecord, events: Sequence[Event], rules: RuleSet) -> Sequence[Event]:
    """That a record archived for a death that was none is archived under the rule that remains, from that rule's day.

    Else it would be destroyed too early.
    """
    if not events or record.archive_ground != retention.DEATH or record.archived_on is None:
        return ()
    due = retention.archive_due(replace(record, deaths=()), rules)
    if due is None or due.on <= record.archived_on:
        return ()
    return (RecordArchived(archived_on=due.on, rule_set=rules.id, ground=due.rule),)


def hold(record: ChildRecord, command: HoldDestruction, rules: RuleSet) -> Sequence[Event]:
    """Keep a record from being destroyed before a day. On the same authority again: until another day."""
    known = rules.holds.authorities
    if command.ground not in known:
        raise BadInput(
            f"The authority is one of: {', '.join(known)}.", code="unknown-authority", field="authority"
        )
    today = london_day(command.at)
    if command.until <= today:
        raise BadInput("A hold ends on a day to come.", code="date-in-past", field="until")
    if command.until > anniversary(today, rules.holds.years):
        raise BadInput(
            f"A hold lasts {rules.holds.years} years at most: hold it again before it ends.",
            code="too-long",
            field="until",
        )
    same = next((one for one in record.holds if one.ground == command.ground), None)
    if same is not None and same.until == command.until:
        return ()
    if same is None and len(record.holds) >= _MOST_HOLDS:
        return unless_hidden(record, Refused("The record is held often enough.", code="too-many-holds"))
    return (
        DestructionHeld(
            hold=same.hold if same else command.hold,
            until=command.until,
            rule_set=rules.id,
            ground=command.ground,
        ),
    )


def release(record: ChildRecord, command: ReleaseHold, rules: RuleSet) -> Sequence[Event]:
    """Release holds: those on one authority, or all that stand."""
    known = rules.holds.authorities
    if command.ground is not None and command.ground not in known:
        raise BadInput(
            f"The authority is one of: {', '.join(known)}.", code="unknown-authority", field="authority"
        )
    today = london_day(command.at)
    found = [
        one.hold
        for one in record.holds
        if one.until > today and (command.ground is None or one.ground == command.ground)
    ]
    if not found:
        return unless_hidden(record, Refused("The record is not held.", code="no-hold"))
    return (HoldReleased(holds=tuple(found), released_on=today, rule_set=rules.id),)
