"""When the shields of a record are to be looked at again. Whatever day has passed, no shield is lowered by it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.policy.retention import london_day, months_after
from domain.rule_set.model import RuleSet


class Standing(Protocol):
    """A shield that stands."""

    @property
    def shield(self) -> UUID: ...
    @property
    def raised_at(self) -> datetime: ...


class Shielded(Protocol):
    """What this rule needs to know of a record: nothing of it locates anybody."""

    @property
    def shields(self) -> Sequence[Standing]: ...
    @property
    def shields_decided(self) -> Sequence[tuple[UUID, date]]: ...
    @property
    def shields_reviewed_on(self) -> date | None: ...


def review_on(record: Shielded, rules: RuleSet) -> date | None:
    """The day on which the first of the shields that stand is to be looked at again; None where none stands.

    It runs from the day on which a shield was raised, decided upon or last looked at, whichever came last.
    """
    decided = dict(record.shields_decided)
    reviewed = record.shields_reviewed_on or date.min
    since = [
        max(london_day(one.raised_at), decided.get(one.shield, date.min), reviewed) for one in record.shields
    ]
    return months_after(min(since), rules.shield.review_months) if since else None
