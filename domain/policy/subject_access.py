"""What somebody learns who asks who looked at a child's record: pure, and by the rule set (`subject_access`).

Every look is told or not told for exactly one reason, so that what is told and what is not add up to what the log
holds. A reply does not number its entries, does not say how many there are, and ends with the same statement whatever
was left out: what is withheld cannot be told from what never was. To a guarded requester, whom a shield may be against,
nothing is told that a shield could show in, by the rules' own ceiling (`domain.rule_set.model.GUARDED_FACTS`).

Source of the clock: UK GDPR Art 12(3); a month ends on the day of the same number, or on the month's last.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain.errors import BadInput
from domain.policy.retention import london_day, months_after
from domain.rule_set.model import Exemption, Requester, RequestKind, RuleSet

ACCESS: Final = "access"
"""The right to know what is held and who looked; others are claimed and decided (`domain.child_record.rights`)."""

SHOWED_NOTHING: Final = "showed-nothing"
NOT_THEIRS: Final = "not-theirs"
_TOLD: Final = "told"

_HOW: Final[Mapping[str, str]] = {
    "search": "in a list of search results",
    "show": "as a record",
    "override": "as a record, behind its shield",
    "open-archive": "taken out of the archive for a case",
    "hand-over": "handed over to somebody outside",
    "review-queue": "beside a source record that was held back",
    "subject-access": "in answering a request like this one",
}


@dataclass(frozen=True, slots=True)
class LookAt:
    """One look at a child, or attempt at one. `purpose`: its reason, of a hand-over its ground.

    kind, organisation: of whoever looked, the kind and the name; None where it is not known.
    """

    at: datetime
    action: str
    purpose: str | None
    shown: bool
    fields: tuple[str, ...]
    role: str
    kind: str | None = None
    organisation: str | None = None


class Origin(NamedTuple):
    """From which kind of source a field of the record comes, and since when it is so."""

    field: str
    source_kind: str
    since: date


class Pause(NamedTuple):
    """The clock stood still, and on what; `until` is the day it went on, None while it has not."""

    why: str
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """A request as the record has it. `withheld`: the exemptions that its answer rests on.

    right: which right is claimed (`ACCESS`, or one of `rights` in the rules). reasons: why it was decided as it was.
    """

    request: UUID
    requester: str
    basis: str
    received_on: date
    pauses: tuple[Pause, ...] = ()
    answered_on: date | None = None
    withheld: tuple[str, ...] = ()
    right: str = ACCESS
    reasons: tuple[str, ...] = ()

    @property
    def paused_for(self) -> str | None:
        """On what the clock stands still now."""
        return self.pauses[-1].why if self.pauses and self.pauses[-1].until is None else None

    def answer_by(self, rules: RuleSet) -> date | None:
        """The last day on which the answer is in time; None while the clock stands still.

        The time runs from receipt, later by the days on which the clock stood still.
        """
        if self.paused_for is not None:
            return None
        stood = sum((until - since).days for _, since, until in self.pauses if until is not None)
        begun = self.received_on + timedelta(days=stood)
        kind = rules.rights.requests.get(self.right)
        if kind is not None and kind.days is not None:
            return begun + timedelta(days=kind.days)
        return months_after(begun, rules.subject_access.months)


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves, and what the authority keeps: every look accounted for, each for one reason."""

    display: dict[str, Any]
    account: Mapping[str, int]
    """`told`, `showed-nothing` (nothing was disclosed), `not-theirs` (this requester learns of none of its kind), or
    the exemption by which it is withheld → how many looks."""


def requester_of(code: str, rules: RuleSet) -> Requester:
    """Who asks. Raises BadInput, code `unknown-requester`."""
    try:
        return rules.subject_access.requesters[code]
    except KeyError:
        known = ", ".join(rules.subject_access.requesters)
        raise BadInput(f"Who asks is one of: {known}.", code="unknown-requester", field="for") from None


def kind_of(right: str, rules: RuleSet) -> RequestKind:
    """Which right is claimed. Raises BadInput, code `unknown-right`."""
    try:
        return rules.rights.requests[right]
    except KeyError:
        known = ", ".join((ACCESS, *rules.rights.requests))
        raise BadInput(f"The right is one of: {known}.", code="unknown-right", field="right") from None


def decision_on(reasons: Sequence[str], decided_on: date, rules: RuleSet) -> dict[str, Any]:
    """What whoever claimed a right is told, from the rules and the decision alone: nothing of the record is in it.

    `outcome`: granted, refused, or granted-in-part. To look whether the record is to be shielded is offered to all.
    """
    given = [rules.rights.reasons[code] for code in reasons]
    grants = {reason.grants for reason in given}
    outcome = "granted-in-part" if len(grants) > 1 else "granted" if grants == {True} else "refused"
    return {
        "decided_on": decided_on.isoformat(),
        "outcome": outcome,
        "reasons": [f"{reason.title} ({reason.basis})" for reason in given],
        "shield": rules.rights.shield,
        "statement": rules.rights.statement,
    }


def exemptions_of(requester: str, withheld: Sequence[str], rules: RuleSet) -> dict[str, Exemption]:
    """The exemptions named, where each may be claimed against this requester. Raises BadInput `unknown-exemption`."""
    theirs = {
        code: one for code, one in rules.subject_access.exemptions.items() if requester in one.requesters
    }
    if not set(withheld) <= set(theirs):
        raise BadInput(
            f"What may be withheld here is: {', '.join(theirs)}.", code="unknown-exemption", field="withhold"
        )
    return {code: theirs[code] for code in theirs if code in withheld}


def reply_to(
    requester: str,
    looks: Sequence[LookAt],
    origins: Sequence[Origin],
    rules: RuleSet,
    *,
    shielded: bool,
    withheld: Sequence[str] = (),
) -> Reply:
    """What this requester learns of these looks, and the account of every one. Raises BadInput.

    shielded: the child is, so the name of no organisation is told, which could tell where it is.
    """
    who = requester_of(requester, rules)
    exempt = exemptions_of(requester, withheld, rules)
    reasons = [_why_not(look, who, exempt) for look in looks]
    told = Counter(
        tuple(_facts(look, who, rules, shielded=shielded).items())
        for look, reason in zip(looks, reasons, strict=True)
        if reason == _TOLD
    )
    everything = any(one.everything for one in exempt.values())
    display = {
        "looks": [dict(facts) | {"times": times} for facts, times in sorted(told.items(), key=_newest_first)],
        "sources": []
        if everything
        else [
            {
                "what": _words(origin.field),
                "from": rules.subject_access.sources.get(origin.source_kind, origin.source_kind),
                "since": origin.since.isoformat(),
            }
            for origin in origins
            if origin.field in who.sources
        ],
        "statement": rules.subject_access.statement,
    }
    return Reply(display, {_TOLD: 0, SHOWED_NOTHING: 0, NOT_THEIRS: 0, **Counter(reasons)})


def _why_not(look: LookAt, who: Requester, exempt: Mapping[str, Exemption]) -> str:
    """The one reason why a look is not told, or that it is."""
    if not look.shown:
        return SHOWED_NOTHING
    if look.action not in who.actions:
        return NOT_THEIRS
    for code, one in exempt.items():
        if (
            one.everything
            or look.action in one.actions
            or look.purpose in one.purposes
            or look.role in one.roles
        ):
            return code
    return _TOLD


def _facts(look: LookAt, who: Requester, rules: RuleSet, *, shielded: bool) -> dict[str, Any]:
    """What is told of one look, in words. Values are texts, so that two looks that are told alike are one entry."""
    facts = {
        "on": london_day(look.at).isoformat(),
        "who": _category(look, rules),
        "organisation": None if shielded else look.organisation,
        "why": _reason(look.purpose, rules),
        "how": _HOW.get(look.action, look.action),
        "what": ", ".join(map(_words, look.fields)) or None,
    }
    return {name: value for name, value in facts.items() if name in who.learns and value is not None}


def _category(look: LookAt, rules: RuleSet) -> str:
    role = rules.roles[look.role].title if look.role in rules.roles else look.role
    kind = rules.organisations.get(look.kind or "")
    return f"{role} ({kind.title})" if kind else role


def _reason(purpose: str | None, rules: RuleSet) -> str | None:
    known = rules.purposes.get(purpose or "") or rules.hand_over.get(purpose or "")
    return known.title if known else purpose


def _words(field: str) -> str:
    return field.replace("_", " ")


def _newest_first(entry: tuple[tuple[tuple[str, str], ...], int]) -> tuple[int, tuple[tuple[str, str], ...]]:
    facts, _ = entry
    on = dict(facts).get("on")
    return (-date.fromisoformat(on).toordinal() if on else 0), facts
