"""A child with a new identity, by adoption or for its protection: two records between which nothing leads (T27, T28).

The record of the old identity is sealed: shielded, archived and closed, and its number leads nowhere. It stays what a
source is matched against that still sends the old identity, so that nothing of it ever attaches anywhere else. The
record of the new one is an ordinary registration of its own, shielded from its first event, by another act at another
time, under another correlation. What it holds of the old one are marks, keyed digests, under its own content key.
"""

from collections.abc import Sequence
from typing import Final

from domain.child_record.commands import RegisterNewIdentity, SealRecord
from domain.child_record.decisions import Decision, chunks, register_child, with_keys
from domain.child_record.events import IdentityVetoed, RecordArchived, RecordClosed, ShieldRaised, SourceKind
from domain.child_record.merging import must_be_open, shield_of_closing
from domain.child_record.model import ChildRecord
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy.retention import london_day
from domain.policy.rule_book import refuse_unless_in_force
from domain.rule_set.model import RuleSet

SEALED: Final = "identity-sealed"
"""The ground on which a sealed record is archived."""

_SAID_BY: Final = SourceKind.AUTHORITY
_MARKS_IN_AN_EVENT: Final = 8


def seal(record: ChildRecord, command: SealRecord, rules: RuleSet) -> Decision:
    """Seal a record. Of a shielded one it is not told whether the authority of whoever decides is responsible."""
    refuse_unless_in_force(rules, command.at)
    must_be_two_people(command.decided_by, command.confirmed_by)
    must_be_open(record, "child")
    if record.authority is not None and record.authority != command.by:
        if record.shielded:
            return with_keys(record, ())
        raise Refused("Your authority is not responsible for this record.", code="not-responsible")
    raised = () if record.shielded else (shield_of_closing(command.shield, rules),)
    today = london_day(command.at)
    closed = RecordClosed(closing=command.closing, source_kind=_SAID_BY, rule_set=rules.id, why="sealed")
    archived = RecordArchived(archived_on=today, rule_set=rules.id, ground=SEALED)
    return with_keys(record, (*raised, archived, closed))


def register(record: ChildRecord, command: RegisterNewIdentity, rules: RuleSet) -> Decision:
    """Register the new identity, under a shield from the event after its registration on."""
    refuse_unless_in_force(rules, command.at)
    must_be_two_people(command.decided_by, command.confirmed_by)
    if command.ground not in rules.shield.grounds:
        raise BadInput(
            f"The ground is one of: {', '.join(rules.shield.grounds)}.", code="unknown-ground", field="ground"
        )
    registered, *asserted = register_child(record, command, rules)
    raised = ShieldRaised(
        shield=command.shield,
        source_kind=_SAID_BY,
        rule_set=rules.id,
        ground=command.ground,
        source=command.source,
    )
    return with_keys(record, (registered, raised, *asserted, *_vetoes(command.vetoed)))


def must_be_two_people(first: object, second: object) -> None:
    """Raise that nobody gives a child a new identity alone, whatever the record is."""
    if second is None or second == first:
        raise Refused("A new identity takes two different people.", code="two-people-needed")


def _vetoes(marks: Sequence[str]) -> list[Event]:
    return [
        IdentityVetoed(source_kind=_SAID_BY, marks=tuple(some))
        for some in chunks(sorted(marks), _MARKS_IN_AN_EVENT)
    ]
