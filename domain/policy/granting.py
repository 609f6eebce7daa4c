"""Who says who may look, of whom, and on what evidence: what an account manager may not do, decided purely.

Local authorities grant accounts to persons in Schedule 3 in their area, national partners to their own employees
(SI 2007/2182 reg 9(2), (3)); whose people that are for each kind of organisation stands in the rule set. Nobody says of
themselves that they may look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from domain.errors import AccessDenied, BadInput, Refused
from domain.policy.access import Proof, lapses_on
from domain.policy.retention import london_day
from domain.rule_set.model import Condition, RuleSet


@dataclass(frozen=True, slots=True)
class Holder:
    """A person, by the number their employer knows them by. None: nobody said which; then they may be anybody."""

    organisation: UUID
    number: str | None

    def may_be(self, other: "Holder") -> bool:
        """Whether two accounts may be one person's."""
        return self.number is not None and self == other


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account stands: its organisation, of which kind, and the authority whose area it is in."""

    organisation: UUID
    kind: str | None
    area: str


@dataclass(frozen=True, slots=True)
class Granter:
    """An account manager, as they stand at the instant."""

    account: UUID
    place: Place
    holder: Holder


def within_reach(granter: Granter, place: Place, rules: RuleSet) -> bool:
    """Whether accounts at this place are for this account manager to grant, suspend and end."""
    if place.organisation == granter.place.organisation:
        return True
    kind = rules.organisations.get(granter.place.kind or "")
    if kind is None or place.kind not in kind.grants_to:
        return False
    return kind.everywhere or place.area == granter.place.area


def refuse_beyond_reach(
    granter: Granter, account: UUID, holder: Holder, place: Place, rules: RuleSet
) -> None:
    """Refuse what is not this account manager's to decide.

    Raises AccessDenied: `own-account` of their own account, or another of the same person, `not-yours-to-grant` of
    people of an organisation that is not theirs to let in.
    """
    if account == granter.account or holder.may_be(granter.holder):
        raise AccessDenied(
            "Nobody says of themselves that they may look: another account manager does.", code="own-account"
        )
    if not within_reach(granter, place, rules):
        raise AccessDenied(
            "Accounts of this organisation are another account manager's to decide on.",
            code="not-yours-to-grant",
        )


def refuse_unless_accrediting(granter: Granter, organisation: UUID, rules: RuleSet) -> None:
    """Refuse to decide on an organisation for whoever does not accredit, and of their own.

    Raises AccessDenied: `not-yours-to-accredit`, `own-organisation`.
    """
    kind = rules.organisations.get(granter.place.kind or "")
    if kind is None or not kind.accredits:
        raise AccessDenied(
            "Organisations are registered and accredited by the central office.", code="not-yours-to-accredit"
        )
    if organisation == granter.place.organisation:
        raise AccessDenied("Nobody accredits their own organisation.", code="own-organisation")


def check_reason(reason: str, rules: RuleSet) -> None:
    """Refuse a reason that the rules do not know. Raises BadInput, code `unknown-reason`."""
    if reason not in rules.access.reasons:
        raise BadInput(
            f"The reason is one of: {', '.join(rules.access.reasons)}.", code="unknown-reason", field="reason"
        )


class Met(Protocol):
    """That a condition was met, as a command or an event says it."""

    @property
    def condition(self) -> str: ...
    @property
    def met_on(self) -> date: ...
    @property
    def ends_on(self) -> date | None: ...
    @property
    def reference(self) -> str | None: ...
    @property
    def made_up(self) -> bool: ...


def proof_of(met: Met) -> Proof:
    """What counts of it."""
    return Proof(met.met_on, met.ends_on, met.made_up)


def condition_of(code: str, party: Literal["account", "organisation"], rules: RuleSet) -> Condition:
    """A condition that is asked of such a party. Raises BadInput, code `unknown-condition`."""
    found = rules.conditions.get(code)
    asked = ("account",) if party == "account" else ("organisation", "authority")
    if found is None or found.of not in asked:
        known = ", ".join(name for name, one in rules.conditions.items() if one.of in asked)
        raise BadInput(f"The condition is one of: {known}.", code="unknown-condition", field="condition")
    return found


def check_proof(met: Met, party: Literal["account", "organisation"], at: datetime, rules: RuleSet) -> None:
    """Refuse evidence that is none. Raises BadInput.

    A day that is yet to come proves nothing, nor does evidence that has lapsed, and an authenticator needs its number:
    `date-in-future`, `dates-out-of-order`, `lapsed-already`, `no-reference`.
    """
    condition = condition_of(met.condition, party, rules)
    today = london_day(at)
    if met.met_on > today:
        raise BadInput("A condition is recorded once it is met.", code="date-in-future", field="on")
    if met.ends_on is not None and met.ends_on <= met.met_on:
        raise BadInput("It would end before it began.", code="dates-out-of-order", field="ends")
    ends_on = lapses_on(proof_of(met), condition, rules)
    if ends_on is not None and ends_on <= today:
        raise BadInput("What was met on that day has lapsed by now.", code="lapsed-already", field="on")
    if condition.own_reference and not met.reference and not met.made_up:
        raise BadInput(
            "Give the number of it, or where the evidence is kept: --reference. No two accounts share one.",
            code="no-reference",
            field="reference",
        )


def refuse_unmet(proofs: Mapping[str, Proof], code: str) -> None:
    """Refuse to take back what is not on record. Raises Refused, code `condition-not-met`."""
    if code not in proofs:
        raise Refused(
            "This condition is not on record, so there is nothing to take back.", code="condition-not-met"
        )
