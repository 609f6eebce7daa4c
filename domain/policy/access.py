"""Whether anybody is let in, for what they ask, at an instant: pure decisions over what the log says of them.

No account sees or does anything unless every condition of access holds at that instant. Nothing is remembered between
two decisions and nothing has to be run for a condition to lapse: at 00:00 in London it no longer holds. Every refusal
has a code, which names the condition that fails and nothing of what was asked for. Which conditions there are, of whom
and for how long, stands in the rule set (`conditions`); here stands how they are looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from domain.policy.closure import CLOSED, shut_out
from domain.policy.retention import anniversary, london_day
from domain.rule_set.model import Alteration, Condition, Right, RuleSet

State: TypeAlias = Literal["holds", "missing", "lapsed", "withdrawn", "void"]
"""How a condition stands: void where what it was met for has changed since."""

_HOW: Final[Mapping[State, str]] = {
    "missing": "this is not on record",
    "lapsed": "this has lapsed",
    "withdrawn": "this was taken back",
    "void": "this was recorded of what has changed since",
}
_REMEDY: Final = "Ask your account manager."


@dataclass(frozen=True, slots=True)
class Proof:
    """That a condition was met on a day. `ends_on`: the first day on which it no longer holds, where that was said.

    made_up: by `init --training`, for invented people; nothing was seen. altered: what has changed since.
    """

    met_on: date
    ends_on: date | None = None
    made_up: bool = False
    withdrawn: bool = False
    altered: frozenset[Alteration] = frozenset()


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody of whom conditions are asked, an account or an organisation: what the log says of it.

    Without a proof, as of an organisation that is not there, no condition holds.
    """

    proofs: Mapping[str, Proof] = field(default_factory=dict)
    suspended: bool = False
    ended: bool = False

    def met(self, condition: str, proof: Proof) -> "Party":
        """A condition was met; what was on record before no longer counts."""
        return replace(self, proofs={**self.proofs, condition: proof})

    def taken_back(self, condition: str) -> "Party":
        """A condition was taken back, for as long as it is not met anew."""
        if condition not in self.proofs:
            return self
        return self.met(condition, replace(self.proofs[condition], withdrawn=True))

    def changed(self, what: Alteration) -> "Party":
        """Something about it is no longer what it was when these conditions were met."""
        since = {code: replace(proof, altered=proof.altered | {what}) for code, proof in self.proofs.items()}
        return replace(self, proofs=since)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the decision needs to know of an account and of the organisation its holder works for.

    kind: of the organisation. training: whether this is a home of invented people, where made-up proofs count.
    """

    role: str
    purposes: tuple[str, ...]
    may_override: bool
    kind: str | None
    account: Party
    organisation: Party
    training: bool


@dataclass(frozen=True, slots=True)
class Permission:
    """The decision: `rule` names what decided, `message` says a refusal in words without the fact refused."""

    allowed: bool
    rule: str
    message: str = ""
    field: str | None = None


def state_of(
    proof: Proof | None, condition: Condition, instant: datetime, rules: RuleSet, *, training: bool
) -> State:
    """How one condition stands at an instant (aware), from what is on record of it."""
    if proof is None or (proof.made_up and not training):
        return "missing"
    if proof.withdrawn:
        return "withdrawn"
    if proof.altered & set(condition.voided_by):
        return "void"
    today = london_day(instant)
    if today < proof.met_on:
        return "missing"
    ends_on = lapses_on(proof, condition, rules)
    return "lapsed" if ends_on is not None and ends_on <= today else "holds"


def lapses_on(proof: Proof, condition: Condition, rules: RuleSet) -> date | None:
    """The first day on which what was recorded no longer holds; None where it does not lapse by itself.

    A check of 29 February reaches its years on 1 March of a common year, as a birthday does.
    """
    years = rules.access.made_up_years if proof.made_up else condition.years
    by_rule = None if years is None else anniversary(proof.met_on, years)
    return min((day for day in (by_rule, proof.ends_on) if day is not None), default=None)


@dataclass(frozen=True, slots=True)
class Stands:
    """How one condition stands at an instant: what is on record of it, and until when that holds."""

    code: str
    condition: Condition
    state: State
    proof: Proof | None
    lapses_on: date | None


def conditions_of(standing: Standing, instant: datetime, rules: RuleSet) -> Iterator[Stands]:
    """Every condition that is asked of an account of this role and of its organisation, in the order of the rules."""
    for code, condition in rules.conditions.items():
        if condition.of == "authority":  # of a record's, not of whoever looks
            continue
        if condition.roles and standing.role not in condition.roles:
            continue
        party = standing.account if condition.of == "account" else standing.organisation
        yield stands(code, condition, party, instant, rules, training=standing.training)


def stands(
    code: str, condition: Condition, party: Party, instant: datetime, rules: RuleSet, *, training: bool
) -> Stands:
    """How one condition stands with whoever it is asked of."""
    proof = party.proofs.get(code)
    state = state_of(proof, condition, instant, rules, training=training)
    until = lapses_on(proof, condition, rules) if proof else None
    return Stands(code, condition, state, proof, until)


def opened_by(party: Party, instant: datetime, rules: RuleSet, *, training: bool) -> bool:
    """Whether readers open the records that an authority is responsible for: all that is asked of it holds."""
    asked = [(code, one) for code, one in rules.conditions.items() if one.of == "authority"]
    return all(
        stands(code, one, party, instant, rules, training=training).state == "holds" for code, one in asked
    )


def refusals(standing: Standing, instant: datetime, rules: RuleSet) -> Iterator[Permission]:
    """Every reason for which this account is not let in at this instant, whatever it asks. None: every condition holds.

    That the index is closed comes first, what was done to the account or its organisation next, then the conditions in
    the order of the rules.
    """
    if shut_out(rules, instant, standing.role):
        yield _refused("index-closed", CLOSED)
    yield from _closed_doors(standing, rules)
    for one in conditions_of(standing, instant, rules):
        if one.state != "holds":
            words = (
                f"A condition of access does not hold. {one.condition.title}: {_HOW[one.state]}. {_REMEDY}"
            )
            yield _refused(f"{one.code}-{one.state}", words)


def _closed_doors(standing: Standing, rules: RuleSet) -> Iterator[Permission]:
    if standing.account.ended:
        yield _refused("account-ended", f"This account has ended. {_REMEDY}")
    if standing.account.suspended:
        yield _refused("account-suspended", f"This account is suspended. {_REMEDY}")
    if standing.organisation.ended:
        yield _refused("organisation-ended", f"Your organisation takes part no longer. {_REMEDY}")
    if standing.organisation.suspended:
        yield _refused("organisation-suspended", f"Your organisation is suspended. {_REMEDY}")
    if standing.role not in rules.roles:
        yield _refused("role-unknown", f"Today's rules do not know the role of this account. {_REMEDY}")
    kind = rules.organisations.get(standing.kind or "")
    if kind is None or standing.role not in kind.roles:
        yield _refused("role-not-open", f"People of your organisation do not hold this role. {_REMEDY}")


def admitted(standing: Standing, right: Right, instant: datetime, rules: RuleSet) -> Permission:
    """Whether every condition of access holds at this instant, and the role holds the right.

    Conditions come first: whoever is not let in is told nothing about what they asked for.
    """
    for refusal in refusals(standing, instant, rules):
        return refusal
    if shut_out(rules, instant, standing.role, right):
        return _refused("index-closed", CLOSED)
    if not rules.role_may(standing.role, right):
        return _refused("right-not-held", "Your role does not allow this.")
    if right == "override" and not standing.may_override:
        return _refused(
            "override-not-granted", f"Your account was not granted a look behind shields. {_REMEDY}"
        )
    return Permission(allowed=True, rule=f"{right}-permitted")


def may(
    standing: Standing, right: Right, purpose: str | None, instant: datetime, rules: RuleSet
) -> Permission:
    """Whether this account may look: it is admitted, and the purpose is one that rules, role and account all allow."""
    permission = admitted(standing, right, instant, rules)
    if not permission.allowed:
        return permission
    if purpose is None or purpose not in rules.purposes:
        return _refused(
            "reason-unknown", f"Give a reason code: one of {', '.join(sorted(rules.purposes))}.", "reason"
        )
    if purpose not in standing.purposes or purpose not in rules.roles[standing.role].purposes:
        return _refused("reason-not-yours", "This reason is not one your account may look for.", "reason")
    return permission


def _refused(rule: str, message: str, named: str | None = None) -> Permission:
    return Permission(allowed=False, rule=rule, message=message, field=named)
