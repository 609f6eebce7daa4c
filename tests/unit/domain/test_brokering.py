"""Contact that the local team brokers: a service that declines looks like one that does not answer (T18)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.child_record.brokering import Answer, answer_to
from domain.child_record.commands import AnswerContact, AskForContact, PassOnContact
from domain.child_record.decisions import decide
from domain.child_record.events import Contact, ContactAnswered, ContactAsked, ContactPassedOn, Source
from domain.child_record.model import ChildRecord
from domain.errors import Refused
from domain.kernel import Command
from tests.builders import (
    ANOTHER_BOROUGH,
    INVOLVEMENT,
    LONDON_BOROUGH,
    NOW,
    TODAY,
    ends,
    involves,
    registers,
    shields,
    the_rules,
    withdraws_consent,
)
from tests.given import after, given

REQUEST = UUID(int=91)
ASKER = UUID(int=92)
CLOSES = date(2026, 3, 30)
HELD = (registers(owning_authority=LONDON_BOROUGH), involves("Brook", "sensitive", source=Source(body="RQX")))


def asks(request: UUID = REQUEST) -> AskForContact:
    return AskForContact(at=NOW, request=request, asked_by=ASKER, contact=Contact(telephone="020 7946 0777"))


def passes_on(**changes: Any) -> PassOnContact:
    said = {"at": NOW, "request": REQUEST, "involvement": INVOLVEMENT, "body": LONDON_BOROUGH}
    return PassOnContact.model_validate(said | changes)


def answers(*disclosed: str, accepted: bool = True, **changes: Any) -> AnswerContact:
    said = {"at": NOW, "request": REQUEST, "accepted": accepted, "disclosed": disclosed, "body": "RQX"}
    return AnswerContact.model_validate(said | changes)


def told(record: ChildRecord, on: date = TODAY) -> Answer:
    (request,) = record.contacts
    return answer_to(request, record.involvements, on)


def test_t18_no_answer_and_a_refusal_are_the_same_until_it_is_closed_and_then() -> None:
    silent = given(*HELD, asks()).when(passes_on()).then(ContactPassedOn)
    declined = given(*HELD, asks(), passes_on()).when(answers(accepted=False)).then(ContactAnswered)
    unheard = given(*HELD).when(asks()).then(ContactAsked)
    for day in (TODAY, CLOSES - timedelta(days=1), CLOSES, CLOSES + timedelta(days=400)):
        state = "waiting" if day < CLOSES else "closed"
        for record in (unheard, silent, declined):
            assert told(record, day) == Answer(state, TODAY, CLOSES, None)


def test_t18_a_service_that_accepts_discloses_what_it_agreed_to_and_nothing_else() -> None:
    accepted = given(*HELD, asks(), passes_on()).when(answers("organisation", "contact")).record
    assert told(accepted) == Answer(
        "accepted",
        TODAY,
        CLOSES,
        {
            "organisation": "Homerton Healthcare NHS Foundation Trust",
            "contact": {"telephone": "020 7946 0999", "email": None},
        },
    )
    assert told(given(*HELD, asks(), passes_on()).when(answers()).record).disclosed == {}
    assert told(accepted, CLOSES) == Answer("closed", TODAY, CLOSES, None)


def test_t18_a_service_that_is_not_involved_any_more_discloses_nothing() -> None:
    for gone in (withdraws_consent(), ends()):
        record = after(*HELD, asks(), passes_on(), answers("service"), gone)
        assert told(record) == Answer("waiting", TODAY, CLOSES, None)


def test_who_asks_must_have_something_to_ask_for() -> None:
    plain = (registers(), involves())
    given(*plain).when(asks()).then_refused("nothing-hidden")
    given(registers(), HELD[1], withdraws_consent()).when(asks()).then_refused("nothing-hidden")
    given(*plain, shields()).when(asks()).then(ContactAsked)
    given(*HELD, asks()).when(asks()).then_nothing()


def test_only_the_team_of_the_responsible_authority_passes_on_and_only_to_who_is_involved() -> None:
    asked = given(*HELD, asks())
    asked.when(passes_on(body=ANOTHER_BOROUGH)).then_refused("no-such-request", "request")
    asked.when(passes_on(request=UUID(int=1))).then_refused("no-such-request", "request")
    asked.when(passes_on(involvement=UUID(int=1))).then_refused("no-such-involvement", "involvement")
    given(*HELD, asks(), passes_on()).when(passes_on()).then_nothing()
    given(*HELD, asks(), passes_on(), answers()).when(passes_on()).then_nothing()


def test_only_the_service_or_the_team_answers_and_only_once() -> None:
    passed_on = given(*HELD, asks(), passes_on())
    passed_on.when(answers(body="RAL")).then_refused("no-such-request", "request")
    passed_on.when(answers(body=LONDON_BOROUGH)).then(ContactAnswered)
    given(*HELD, asks()).when(answers()).then_refused("no-such-request", "request")
    answered = given(*HELD, asks(), passes_on(), answers("role"))
    answered.when(answers("role")).then_nothing()
    answered.when(answers(accepted=False)).then_refused("answered", "request")
    passed_on.when(answers("began")).then_refused("unknown-field", "disclose")
    passed_on.when(answers("role", accepted=False)).then_refused("bad-input", "disclose")


def test_after_the_period_nothing_is_passed_on_or_answered() -> None:
    later: dict[str, Any] = {"at": NOW + timedelta(days=28)}
    given(*HELD, asks()).when(passes_on(**later)).then_refused("no-such-request", "request")
    given(*HELD, asks(), passes_on()).when(answers(**later)).then_refused("no-such-request", "request")


@pytest.mark.parametrize(
    "command",
    [
        passes_on(),
        passes_on(body=ANOTHER_BOROUGH),
        passes_on(request=UUID(int=1)),
        answers(),
        answers(request=UUID(int=1)),
    ],
)
def test_of_a_shielded_record_nothing_is_refused_for_what_it_holds(command: Command) -> None:
    given(registers(), shields()).when(command).then_nothing()


def test_what_names_a_sensitive_service_lies_under_its_own_key() -> None:
    assert given(*HELD).when(asks()).decision.content_keys == (1,)
    assert given(*HELD, asks()).when(passes_on()).decision.content_keys == (2,)
    assert given(*HELD, asks(), passes_on()).when(answers()).decision.content_keys == (2,)


def test_where_the_rules_broker_nothing_nobody_can_ask() -> None:
    rules = the_rules().model_copy(update={"brokering": None})
    with pytest.raises(Refused) as refused:
        decide(after(*HELD), asks(), rules)
    assert refused.value.code == "not-brokered"
