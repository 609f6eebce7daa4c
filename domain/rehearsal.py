"""What other rules would change for one record, as things stand: who would see more or less of it, and when it ends.

Told by role, for somebody in whom every condition of access holds: elsewhere, in the management team of the authority
responsible, and behind a shield. Which fields, never what stands in them.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain.disclosure import RecordFacts, Viewer, fields_in, sight_of
from domain.policy.retention import schedule, visible_until
from domain.rule_set.model import RecordField, RuleSet

_NOBODY: Final = UUID(int=0)
_AUTHORITY: Final = "the one responsible"


class Compared(NamedTuple):
    """Roles that would see more of a record, and less of it; and whether it would end on another day."""

    gains: frozenset[str]
    loses: frozenset[str]
    retention: bool


def compared(facts: RecordFacts, now: RuleSet, other: RuleSet, at: datetime) -> Compared:
    """What of a record other rules would change at an instant."""
    gains: set[str] = set()
    loses: set[str] = set()
    for role in dict.fromkeys([*now.roles, *other.roles]):
        for seen, would_see in zip(_seen(facts, role, now, at), _seen(facts, role, other, at), strict=True):
            if would_see - seen:
                gains.add(role)
            if seen - would_see:
                loses.add(role)
    ends, would_end = ((schedule(facts, one), visible_until(facts, one)) for one in (now, other))
    return Compared(frozenset(gains), frozenset(loses), ends != would_end)


def _seen(facts: RecordFacts, role: str, rules: RuleSet, at: datetime) -> Iterator[frozenset[RecordField]]:
    """The fields that a role sees: elsewhere, where its authority is responsible, and where it overrides a shield."""
    purposes = rules.roles[role].purposes if role in rules.roles else ()
    elsewhere = Viewer(_NOBODY, role, _NOBODY, "", "", purposes)
    opened = replace(
        facts, opened=True, authority=_AUTHORITY
    )  # as if: of a shielded record nothing is opened for this
    for body, one, override in (
        ("", facts, False),
        (_AUTHORITY, opened, False),
        ("", opened, True),
    ):
        sight, _ = sight_of(one, replace(elsewhere, body=body), at, rules, override=override)
        yield frozenset(fields_in(sight, rules))
