"""The ground on which a sensitive service is recorded: who consents, what a provider suspects, and what is asked again.

SI 2007/2182 reg 11(3). Whether a child is competent to consent is decided case by case; the rules say only what is
presumed at which age. Whoever's decision it is, it stands against anybody else's. Of a shielded record nothing is
refused because of what it holds.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, Protocol
from uuid import UUID

from domain.child_record.assertions import not_in_the_future
from domain.child_record.commands import (
    BeginInvolvement,
    GiveSensitiveConsent,
    JudgeCompetence,
    ReviewCause,
    WithdrawSensitiveConsent,
)
from domain.child_record.events import (
    Consent,
    Judgement,
    ReasonableCause,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementGrounded,
    SourceKind,
)
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord, Involvement
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy.retention import age_on, anniversary, london_day, months_after
from domain.policy.screening import screen_name
from domain.rule_set.model import RuleSet

Consenting = Literal["child", "young-person", "parent"]

ASK_AFRESH: Final = "ask-afresh"
REVIEW_CAUSE: Final = "review-cause"


class Task(NamedTuple):
    """What is to be done about a sensitive service, and by which day."""

    what: Literal["ask-afresh", "review-cause"]
    on: date


class Grounds(Protocol):
    """What of a record tells which tasks there are."""

    @property
    def date_of_birth(self) -> date | None: ...
    @property
    def involvements(self) -> tuple[Involvement, ...]: ...


# The gate


def grounded(command: BeginInvolvement, born: date | None, rules: RuleSet) -> BeginInvolvement:
    """The command with the ground it rests on as it is to be recorded: who consented, and when a cause is reviewed.

    Raises BadInput for a day that has not come, Refused where the consent is not that of whoever decides.
    """
    today = london_day(command.at)
    consent = command.consent
    if consent is None and command.consented_on is not None:
        by = whose_decision(born, command.consented_on, command.judgement, rules)
        consent = Consent(given_by=by, given_on=command.consented_on)
    if command.judgement is not None:
        not_in_the_future(command.judgement.judged_on, today, "judgement.judged_on")
    if consent is not None:
        not_in_the_future(consent.given_on, today, "consent.given_on")
        _must_be_theirs(consent, born, command.judgement, rules)
    if command.cause is not None:
        not_in_the_future(command.cause.considered_on, today, "cause.considered_on")
    cause = None if command.cause is None else _to_be_reviewed(command.cause, rules)
    return command.model_copy(update={"consent": consent, "consented_on": None, "cause": cause})


def whose_decision(
    born: date | None, on: date, judgement: Judgement | None, rules: RuleSet
) -> Literal["child", "young-person", "parent"]:
    """Who decides: a child who was judged competent, or was not judged and is old enough; of age, the young person."""
    age = 0 if born is None else age_on(born, on)
    if age >= rules.ages.archive:
        return "young-person"
    competence = rules.sensitive.competence
    if judgement is not None:
        return "child" if judgement.competent else "parent"
    return "child" if competence is None or age >= competence.expected else "parent"


def _must_be_theirs(consent: Consent, born: date | None, judgement: Judgement | None, rules: RuleSet) -> None:
    """Refuse the consent of anybody but whoever decides. It rests on the date of birth alone, which no shield hides."""
    competence = rules.sensitive.competence
    if competence is None:
        return
    decides = whose_decision(born, consent.given_on, judgement, rules)
    if decides == consent.given_by:
        return
    match decides:
        case "child":
            raise Refused(
                "This decision is the child's own: ask the child. If the practitioner judged the child not competent "
                "in this case, say so.",
                code="childs-own-decision",
                field="consent",
            )
        case "parent":
            raise Refused(
                f"Under {competence.expected}, or judged not competent: ask somebody with parental responsibility. If "
                "the practitioner judged the child competent in this case, say so.",
                code="competence-needed",
                field="consent",
            )
        case "young-person":
            raise Refused(
                "At this age the decision is the young person's own.",
                code="young-persons-decision",
                field="consent",
            )


def _to_be_reviewed(cause: ReasonableCause, rules: RuleSet) -> ReasonableCause:
    """A cause with the day on which it is looked at again. Raises BadInput where that is before it was considered."""
    if cause.review_on is not None:
        if cause.review_on <= cause.considered_on:
            raise BadInput(
                "A cause is reviewed after the day it was considered on.",
                code="dates-out-of-order",
                field="cause.review_on",
            )
        return cause
    months = rules.sensitive.review_months
    if months is None:
        return cause
    return cause.model_copy(update={"review_on": months_after(cause.considered_on, months)})


# Decisions on a service that is recorded. Of one that the record does not hold nothing is told: to refuse it would
# answer whether a sensitive service of a name that was guessed is involved.


def give_consent(record: ChildRecord, command: GiveSensitiveConsent, rules: RuleSet) -> Sequence[Event]:
    """Whoever decides consents anew: asked afresh, or after it was withdrawn. A cause beside it stays."""
    today = london_day(command.at)
    not_in_the_future(command.given_on, today, "given_on")
    if command.judgement is not None:
        not_in_the_future(command.judgement.judged_on, today, "judged_on")
    known = _standing_or_withdrawn(record, command.involvement)
    judgement = command.judgement or (known.judgement if known else None)
    decides = whose_decision(record.date_of_birth, command.given_on, judgement, rules)
    consent = Consent(given_by=command.given_by or decides, given_on=command.given_on)
    try:
        _must_be_theirs(consent, record.date_of_birth, judgement, rules)
    except Refused as refused:  # it may rest on what was judged before
        return unless_hidden(record, refused)
    if known is None:
        return ()
    withdrawn = known.consent_withdrawn
    if withdrawn is not None and consent.given_on < withdrawn:
        return unless_hidden(
            record,
            BadInput("Consent was withdrawn after that day.", code="dates-out-of-order", field="given_on"),
        )
    if withdrawn is None and (known.consent, known.judgement) == (consent, judgement):
        return ()
    return (_grounded_anew(known, command.source_kind, consent, judgement, known.cause, rules),)


def judge_competence(record: ChildRecord, command: JudgeCompetence, rules: RuleSet) -> Sequence[Event]:
    """A practitioner judged the child competent, or not, in this case. A consent that stands goes on standing."""
    not_in_the_future(command.judgement.judged_on, london_day(command.at), "judged_on")
    known = _standing_or_withdrawn(record, command.involvement)
    if known is None or not known.stands:
        return ()
    if known.judgement == command.judgement:
        return ()
    return (
        _grounded_anew(
            known, command.source_kind, _standing_consent(known), command.judgement, known.cause, rules
        ),
    )


def review_cause(record: ChildRecord, command: ReviewCause, rules: RuleSet) -> Sequence[Event]:
    """The provider looked at its cause again: it stands until another day, or it does not any more."""
    screen_name(command.considered_by, "considered_by", words=6)
    not_in_the_future(command.considered_on, london_day(command.at), "considered_on")
    cause = None
    if command.stands:
        cause = _to_be_reviewed(
            ReasonableCause(
                considered_on=command.considered_on,
                considered_by=command.considered_by,
                review_on=command.review_on,
            ),
            rules,
        )
    known = _standing_or_withdrawn(record, command.involvement)
    if known is None or known.cause is None:
        return ()
    if command.considered_on < known.cause.considered_on:
        return unless_hidden(
            record,
            BadInput("It was considered later than that.", code="dates-out-of-order", field="considered_on"),
        )
    if cause == known.cause:
        return ()
    return (
        _grounded_anew(known, command.source_kind, _standing_consent(known), known.judgement, cause, rules),
    )


def withdraw_consent(
    record: ChildRecord, command: WithdrawSensitiveConsent, rules: RuleSet
) -> Sequence[Event]:
    """Withdraw consent: as easy as giving it, by whoever gave it or by the child. A parent's objection to what a child
    decided is no withdrawal, and changes nothing. A cause recorded beside it stands on its own.
    """
    not_in_the_future(command.withdrawn_on, london_day(command.at), "withdrawn_on")
    known = record.involvement(command.involvement)
    if known is None or not known.sensitive:
        return ()
    if known.consent is None or known.consent_withdrawn is not None:
        return ()
    if rules.sensitive.competence and command.by == "parent" and known.consent.given_by != "parent":
        return ()
    return (
        SensitiveConsentWithdrawn(
            source_kind=command.source_kind,
            involvement=command.involvement,
            withdrawn_on=command.withdrawn_on,
        ),
    )


# What is to be done


def tasks(record: Grounds, rules: RuleSet) -> Iterator[tuple[Involvement, Task]]:
    """What is to be done about each sensitive service that stands."""
    for one in record.involvements:
        if not (one.sensitive and one.stands):
            continue
        afresh = ask_afresh_on(one, record.date_of_birth, rules)
        if afresh is not None:
            yield one, Task(ASK_AFRESH, afresh)
        if one.cause is not None and one.cause.review_on is not None:
            yield one, Task(REVIEW_CAUSE, one.cause.review_on)


def ask_afresh_on(involvement: Involvement, born: date | None, rules: RuleSet) -> date | None:
    """From when the child is to be asked afresh, where another consented: when judged competent, or of an age at which
    the rules expect or presume it to be. A judgement to the contrary puts it off until the next such birthday.
    """
    consent, competence = _standing_consent(involvement), rules.sensitive.competence
    if consent is None or consent.given_by != "parent" or competence is None:
        return None
    judgement = involvement.judgement
    since = consent.given_on if judgement is None else max(consent.given_on, judgement.judged_on)
    if judgement is not None and judgement.competent:
        return since
    if born is None:
        return None
    birthdays = (anniversary(born, age) for age in (competence.expected, competence.presumed))
    return next((day for day in birthdays if day > since), None)


def _standing_consent(involvement: Involvement) -> Consent | None:
    return involvement.consent if involvement.consent_withdrawn is None else None


def _grounded_anew(
    known: Involvement,
    source_kind: SourceKind,
    consent: Consent | None,
    judgement: Judgement | None,
    cause: ReasonableCause | None,
    rules: RuleSet,
) -> SensitiveInvolvementGrounded:
    return SensitiveInvolvementGrounded(
        source_kind=source_kind,
        involvement=known.involvement,
        contact=known.contact,
        consent=consent,
        judgement=judgement,
        cause=cause,
        rule_set=rules.id,
    )


def _standing_or_withdrawn(record: ChildRecord, which: UUID) -> Involvement | None:
    """A sensitive service that is still involved, on a ground that stands or on one that was withdrawn."""
    known = record.involvement(which)
    return known if known is not None and known.sensitive and known.ended is None else None
