"""Whose consent it takes, when a child is asked afresh, and a cause that stands on its own (T14, T15, T16, T20)."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.child_record.commands import GiveSensitiveConsent, JudgeCompetence, ReviewCause
from domain.child_record.decisions import decide
from domain.child_record.events import (
    Consent,
    Contact,
    Judgement,
    ReasonableCause,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementBegun,
    SensitiveInvolvementGrounded,
)
from domain.child_record.model import ChildRecord
from domain.child_record.sensitive import Task, tasks
from domain.errors import Refused
from domain.kernel import Command
from tests.builders import INVOLVEMENT, NOW, TODAY, involves, registers, shields, the_rules, withdraws_consent
from tests.given import after, given

NAMES = {
    "child": "childs-own-decision",
    "parent": "competence-needed",
    "young-person": "young-persons-decision",
}
CAUSE = ReasonableCause(considered_on=TODAY, considered_by="Dr A. N. Other")


def aged(years: int, *, but_a_day: bool = False) -> Command:
    """A child who is so old today, or will be tomorrow."""
    born = TODAY.replace(year=TODAY.year - years) + timedelta(days=1 if but_a_day else 0)
    return registers(date_of_birth=born)


def sensitive(by: Any = None, *, competent: bool | None = None, **changes: Any) -> Command:
    """A sensitive service with somebody's consent of today; None: of whoever decides."""
    judgement = None if competent is None else Judgement(competent=competent, judged_on=TODAY)
    consent = None if by is None else Consent(given_by=by, given_on=TODAY)
    return involves(
        "CAMHS tier 3",
        "sensitive",
        **{"consent": consent, "consented_on": None if by else TODAY, "judgement": judgement, **changes},
    )


def gives(by: Any = None, given_on: date = TODAY, **changes: Any) -> GiveSensitiveConsent:
    return GiveSensitiveConsent(at=NOW, involvement=INVOLVEMENT, given_by=by, given_on=given_on, **changes)


def judges(*, competent: bool, judged_on: date = TODAY) -> JudgeCompetence:
    judgement = Judgement(competent=competent, judged_on=judged_on)
    return JudgeCompetence(at=NOW, involvement=INVOLVEMENT, judgement=judgement)


def reviews(*, stands: bool, **changes: Any) -> ReviewCause:
    said = {
        "at": NOW,
        "involvement": INVOLVEMENT,
        "considered_on": TODAY,
        "considered_by": "A Trust",
        "stands": stands,
    }
    return ReviewCause.model_validate(said | changes)


def due(record: ChildRecord) -> list[Task]:
    return [task for _, task in tasks(record, the_rules())]


@pytest.mark.parametrize(
    ("child", "by", "competent", "decides"),
    [
        pytest.param(aged(11), "parent", None, "parent", id="at 11 a parent is asked"),
        pytest.param(aged(11), "child", None, "parent", id="at 11 a child is not presumed competent"),
        pytest.param(aged(11), "child", True, "child", id="unless it was judged competent"),
        pytest.param(aged(11), "parent", True, "child", id="and then a parent does not decide"),
        pytest.param(aged(12, but_a_day=True), "child", None, "parent", id="the day before the 12th birthday"),
        pytest.param(aged(12), "child", None, "child", id="on the 12th birthday it is expected to be"),
        pytest.param(aged(14), "parent", None, "child", id="at 14 a parent does not decide"),
        pytest.param(aged(14), "parent", False, "parent", id="unless the child was judged not competent"),
        pytest.param(aged(14), "child", False, "parent", id="and then the child does not"),
        pytest.param(aged(16), "child", None, "child", id="at 16 it is presumed to be"),
        pytest.param(aged(16), "parent", False, "parent", id="a presumption that a judgement may rebut"),
        pytest.param(aged(17), "young-person", None, "child", id="nobody under 18 is a young person"),
    ],
)  # fmt: skip
def test_t14_and_t15_whose_consent_is_recorded(
    child: Command, by: str, competent: bool | None, decides: str
) -> None:
    outcome = given(child).when(sensitive(by, competent=competent))
    if by == decides:
        record = outcome.then(SensitiveInvolvementBegun, SensitiveInvolvementGrounded)
        (one,) = record.involvements
        assert one.stands
        assert one.consent == Consent(given_by=by, given_on=TODAY)  # type: ignore[arg-type]
    else:
        outcome.then_refused(NAMES[decides], "consent")


@pytest.mark.parametrize(("years", "decides"), [(11, "parent"), (12, "child"), (17, "child")])
def test_t15_where_nobody_is_named_whoever_decides_by_the_rules_consents(years: int, decides: str) -> None:
    (one,) = given(aged(years)).when(sensitive()).record.involvements
    assert one.consent is not None
    assert one.consent.given_by == decides


def test_t15_the_ages_are_those_of_the_rules_and_of_no_code() -> None:
    rules = the_rules()
    competence = rules.sensitive.competence
    assert competence is not None
    later = competence.model_copy(update={"expected": 13})
    stricter = rules.model_copy(
        update={"sensitive": rules.sensitive.model_copy(update={"competence": later})}
    )
    record = after(aged(12))
    decide(record, sensitive("child"), rules)
    with pytest.raises(Refused) as refused:
        decide(record, sensitive("child"), stricter)
    assert refused.value.code == "competence-needed"
    silent = rules.model_copy(update={"sensitive": rules.sensitive.model_copy(update={"competence": None})})
    assert decide(record, sensitive("parent"), silent).events


def test_t15_of_a_shielded_record_the_same_is_refused_whatever_it_holds() -> None:
    for history in ((aged(14), shields()), (aged(14), sensitive("child"), shields())):
        given(*history).when(sensitive("parent")).then_refused("childs-own-decision", "consent")


def test_t14_what_a_child_decided_no_parent_withdraws() -> None:
    decided = given(aged(14), sensitive("child"))
    against = withdraws_consent().model_copy(update={"by": "parent"})
    decided.when(against).then_refused("childs-own-decision", "by")
    decided.when(against.model_copy(update={"by": "child"})).then(SensitiveConsentWithdrawn)
    given(aged(14), sensitive("child"), shields()).when(against).then_nothing()


def test_t15_a_child_withdraws_what_a_parent_consented_to() -> None:
    withdrawn = withdraws_consent().model_copy(update={"by": "child"})
    given(aged(9), sensitive("parent")).when(withdrawn).then(SensitiveConsentWithdrawn)


def test_t15_a_child_is_asked_afresh_from_the_birthday_on_which_it_is_expected_to_be_competent() -> None:
    born = TODAY.replace(year=TODAY.year - 9)
    record = given(aged(9)).when(sensitive("parent")).record
    assert due(record) == [Task("ask-afresh", born.replace(year=born.year + 12))]


def test_t15_a_judgement_to_the_contrary_puts_it_off_until_it_is_presumed_to_be() -> None:
    born = TODAY.replace(year=TODAY.year - 14)
    record = given(aged(14)).when(sensitive("parent", competent=False)).record
    assert due(record) == [Task("ask-afresh", born.replace(year=born.year + 16))]
    assert due(given(aged(16)).when(sensitive("parent", competent=False)).record) == []


def test_t15_judged_again_at_twelve_and_not_competent_yet_the_child_is_asked_at_sixteen() -> None:
    born = TODAY.replace(year=TODAY.year - 13)
    long_ago = Consent(given_by="parent", given_on=TODAY.replace(year=TODAY.year - 4))
    consented = (aged(13), sensitive("parent", consent=long_ago))
    assert due(after(*consented)) == [Task("ask-afresh", born.replace(year=born.year + 12))], "overdue"
    record = given(*consented).when(judges(competent=False)).then(SensitiveInvolvementGrounded)
    assert due(record) == [Task("ask-afresh", born.replace(year=born.year + 16))]


def test_t15_a_child_who_is_judged_competent_is_asked_that_day_and_then_not_again() -> None:
    judged = (aged(9), sensitive("parent"), judges(competent=True))
    record = given(*judged[:2]).when(judged[2]).then(SensitiveInvolvementGrounded)
    assert due(record) == [Task("ask-afresh", TODAY)]
    assert record.involvements[0].stands, "what a parent consented to stands until the child has answered"
    given(*judged).when(judged[2]).then_nothing()
    asked = given(*judged).when(gives()).then(SensitiveInvolvementGrounded)
    assert asked.involvements[0].consent == Consent(given_by="child", given_on=TODAY)
    assert due(asked) == []
    given(*judged, gives()).when(gives()).then_nothing()
    given(*judged).when(gives("parent")).then_refused("childs-own-decision", "consent")


def test_t15_nobody_is_asked_about_what_a_child_consented_to_or_what_is_over() -> None:
    assert due(given(aged(14)).when(sensitive("child")).record) == []
    assert due(given(aged(9), sensitive("parent")).when(withdraws_consent()).record) == []


def test_t16_a_cause_has_a_day_of_review_six_months_on_where_its_provider_named_none() -> None:
    on_cause = sensitive(consented_on=None, cause=CAUSE)
    record = given(aged(9)).when(on_cause).record
    assert due(record) == [Task("review-cause", date(2026, 9, 2))]
    given(aged(9)).when(
        sensitive(consented_on=None, cause=CAUSE.model_copy(update={"review_on": TODAY}))
    ).then_refused("dates-out-of-order", "cause.review_on")


def test_t16_a_cause_is_reviewed_and_stands_or_goes_on_its_own() -> None:
    both = (aged(9), sensitive("parent", cause=CAUSE), withdraws_consent())
    again = reviews(stands=True, review_on=date(2026, 5, 1))
    stands = given(*both).when(again).then(SensitiveInvolvementGrounded)
    (one,) = stands.involvements
    assert (one.stands, one.consent, due(stands)) == (True, None, [Task("review-cause", date(2026, 5, 1))])
    given(*both, again).when(again).then_nothing()
    ended = given(*both, again).when(reviews(stands=False)).then(SensitiveInvolvementGrounded)
    assert [i.stands for i in ended.involvements] == [False]
    given(*both, reviews(stands=False)).when(reviews(stands=False)).then_refused(
        "no-such-involvement", "involvement"
    )


def test_t16_a_cause_that_ends_leaves_a_consent_that_stands() -> None:
    (one,) = given(aged(9), sensitive("parent", cause=CAUSE)).when(reviews(stands=False)).record.involvements
    assert (one.stands, one.cause, one.consent) == (True, None, Consent(given_by="parent", given_on=TODAY))


def test_t20_a_withdrawn_consent_does_not_come_back_by_a_review_and_the_old_message_of_a_source() -> None:
    feed = sensitive("parent", cause=CAUSE)
    record = given(aged(9), feed, withdraws_consent(), reviews(stands=False)).when(gives("parent")).record
    assert record.involvements[0].stands, "only a consent given anew"
    late = gives("parent", given_on=TODAY - timedelta(days=1))
    given(aged(9), feed, withdraws_consent(), reviews(stands=False)).when(late).then_refused(
        "dates-out-of-order", "given_on"
    )
    (one,) = given(aged(9), feed, withdraws_consent()).when(reviews(stands=False)).record.involvements
    assert one.consent_withdrawn == TODAY, (
        "that it was withdrawn is kept: a source that says it again is not heard"
    )


@pytest.mark.parametrize("command", [gives(), judges(competent=True), reviews(stands=True)])
def test_what_is_not_there_is_refused_and_of_a_shielded_record_nothing_happens(command: Command) -> None:
    given(aged(14)).when(command).then_refused("no-such-involvement", "involvement")
    given(aged(14), involves()).when(command).then_refused("no-such-involvement", "involvement")
    given(aged(14), shields()).when(command).then_nothing()


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (gives(given_on=TODAY + timedelta(days=1)), "given_on"),
        (judges(competent=True, judged_on=TODAY + timedelta(days=1)), "judged_on"),
        (reviews(stands=True, considered_on=TODAY + timedelta(days=1)), "considered_on"),
    ],
)
def test_days_to_come_are_refused(command: Command, field: str) -> None:
    given(aged(14), sensitive("child", cause=CAUSE)).when(command).then_refused("date-in-future", field)


def test_every_sensitive_ground_lies_under_the_services_own_key() -> None:
    begun = (aged(9), sensitive("parent", cause=CAUSE, contact=Contact()))
    for command in (gives("parent"), judges(competent=True), reviews(stands=False)):
        decision = given(*begun).when(command).decision
        assert set(decision.content_keys) <= {2}
