"""Who is involved, and the gate before a sensitive service (reg 11(3); T12, T13, T16, T19)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.child_record.decisions import decide
from domain.child_record.events import (
    Consent,
    Contact,
    InvolvementBegun,
    InvolvementContactGiven,
    InvolvementEnded,
    ReasonableCause,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementBegun,
    SensitiveInvolvementEnded,
    SensitiveInvolvementGrounded,
)
from domain.errors import Refused
from domain.rule_set.model import Concern, RuleSet
from tests.builders import (
    INVOLVEMENT,
    TODAY,
    ends,
    involves,
    registers,
    shields,
    the_rules,
    withdraws_consent,
)
from tests.given import after, apply, given

CONSENT = Consent(given_by="parent", given_on=date(2026, 2, 1))
CAUSE = ReasonableCause(considered_on=date(2026, 2, 1), considered_by="Dr A. N. Other")
TOMORROW = TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("service", "kind"), [("School nursing", "universal"), ("CAMHS tier 1", "additional")]
)
def test_t19_universal_and_tier_1_services_need_no_consent(service: str, kind: str) -> None:
    record = given(registers()).when(involves(service, kind)).then(InvolvementBegun, InvolvementContactGiven)
    assert [i.stands for i in record.involvements] == [True]


@pytest.mark.parametrize("ground", [{"consent": CONSENT}, {"cause": CAUSE}])
@pytest.mark.parametrize("kind", ["universal", "additional"])
def test_consent_or_cause_beside_an_ordinary_service_is_refused(kind: str, ground: dict[str, Any]) -> None:
    given(registers()).when(involves(kind=kind, **ground)).then_refused("consent-not-needed", *ground)


def test_t12_a_sensitive_service_without_consent_or_cause_is_refused() -> None:
    bare = involves("CAMHS tier 3", "sensitive", consent=None)
    given(registers()).when(bare).then_refused("sensitive-needs-ground", "consent")


@pytest.mark.parametrize("ground", [{}, {"consent": None, "cause": CAUSE}, {"cause": CAUSE}])
def test_t12_with_either_or_both_it_is_recorded(ground: dict[str, Any]) -> None:
    record = (
        given(registers())
        .when(involves("CAMHS tier 3", "sensitive", **ground))
        .then(SensitiveInvolvementBegun, SensitiveInvolvementGrounded)
    )
    assert [i.stands for i in record.involvements] == [True]


def test_every_involvement_begins_with_as_many_events_so_that_their_number_tells_no_kind() -> None:
    bare: dict[str, Any] = {"contact": Contact(), "organisation": None, "role": None}
    begun = [
        given(registers()).when(involves(kind=kind, **bare)).decision.events
        for kind in ("universal", "additional", "sensitive")
    ]
    assert [len(events) for events in begun] == [2, 2, 2]


def test_a_consent_or_a_cause_of_tomorrow_is_none() -> None:
    consent = involves("Brook", "sensitive", consent=Consent(given_by="parent", given_on=TOMORROW))
    given(registers()).when(consent).then_refused("date-in-future", "consent.given_on")
    cause = involves("Brook", "sensitive", cause=CAUSE.model_copy(update={"considered_on": TOMORROW}))
    given(registers()).when(cause).then_refused("date-in-future", "cause.considered_on")


def test_t16_withdrawn_consent_ends_it_and_cannot_be_withdrawn_twice() -> None:
    begun = (registers(), involves("Brook", "sensitive"))
    record = given(*begun).when(withdraws_consent()).then(SensitiveConsentWithdrawn)
    assert [i.stands for i in record.involvements] == [False]
    given(*begun, withdraws_consent()).when(withdraws_consent()).then_nothing()


def test_t16_a_cause_recorded_beside_the_consent_stands_on_its_own() -> None:
    both = involves("Brook", "sensitive", cause=CAUSE)
    record = given(registers(), both).when(withdraws_consent()).then(SensitiveConsentWithdrawn)
    assert [i.stands for i in record.involvements] == [True]


def test_where_no_consent_was_given_none_is_withdrawn() -> None:
    on_cause = involves("Brook", "sensitive", consent=None, cause=CAUSE)
    given(registers(), on_cause).when(withdraws_consent()).then_nothing()


def test_consent_to_an_ordinary_or_an_unknown_service_cannot_be_withdrawn() -> None:
    given(registers(), involves()).when(withdraws_consent()).then_refused(
        "no-such-involvement", "involvement"
    )
    given(registers()).when(withdraws_consent()).then_refused("no-such-involvement", "involvement")
    begun = given(registers(), involves("Brook", "sensitive"))
    begun.when(withdraws_consent(withdrawn_on=TOMORROW)).then_refused("date-in-future", "withdrawn_on")


def test_an_involvement_ends_once() -> None:
    record = given(registers(), involves()).when(ends()).then(InvolvementEnded)
    assert [i.stands for i in record.involvements] == [False]
    given(registers(), involves(), ends()).when(ends()).then_nothing()


def test_a_wrong_end_can_be_put_right() -> None:
    earlier = TODAY - timedelta(days=3)
    record = given(registers(), involves(), ends()).when(ends(ended=earlier)).then(InvolvementEnded)
    assert [i.ended for i in record.involvements] == [earlier]


def test_a_sensitive_involvement_ends_under_its_own_key() -> None:
    begun = (registers(), involves("Brook", "sensitive"))
    outcome = given(*begun).when(ends())
    outcome.then(SensitiveInvolvementEnded)
    assert outcome.decision.content_keys == (2,)


def test_nothing_ends_before_it_began_or_tomorrow() -> None:
    before = ends(ended=date(2026, 2, 1))
    given(registers(), involves()).when(before).then_refused("dates-out-of-order", "ended")
    given(registers(), involves()).when(ends(ended=TOMORROW)).then_refused("date-in-future", "ended")
    given(registers()).when(involves(began=TOMORROW)).then_refused("date-in-future", "began")


def test_an_unknown_involvement_cannot_end() -> None:
    given(registers()).when(ends()).then_refused("no-such-involvement", "involvement")


@pytest.mark.parametrize("kind", ["universal", "sensitive"])
def test_the_same_involvement_twice_changes_nothing(kind: str) -> None:
    given(registers(), involves(kind=kind)).when(involves(kind=kind)).then_nothing()
    given(registers(), involves(kind=kind), ends()).when(involves(kind=kind)).then_nothing()


def test_another_involvement_of_the_same_id_is_refused() -> None:
    other = involves("Speech therapy")
    given(registers(), involves()).when(other).then_refused("involvement-exists", "involvement")


@pytest.mark.parametrize("field", ["service", "organisation", "role"])
def test_t8_a_narrative_has_no_place_in_an_involvement(field: str) -> None:
    remark = {field: "mother said he was hit"}
    given(registers()).when(involves(**remark)).then_refused("narrative", field)


def test_t8_nor_in_who_considered_the_cause() -> None:
    cause = CAUSE.model_copy(update={"considered_by": "because she was seen"})
    given(registers()).when(involves(kind="sensitive", cause=cause)).then_refused(
        "narrative", "considered_by"
    )


def test_each_sensitive_involvement_has_a_key_of_its_own() -> None:
    second = involves("Brook", "sensitive", involvement=UUID(int=7))
    begun = given(registers(), involves("Kooth", "sensitive"))
    assert begun.when(second).decision.content_keys == (3, 3)
    assert begun.when(involves(involvement=UUID(int=8))).decision.content_keys == (1, 1)
    assert begun.when(withdraws_consent()).decision.content_keys == (2,)


def test_of_a_shielded_record_no_answer_tells_what_services_there_are() -> None:
    shielded = (registers(), involves(), shields())
    unknown = UUID(int=9)
    given(*shielded).when(ends(unknown)).then_nothing()
    given(*shielded).when(withdraws_consent(unknown)).then_nothing()
    given(*shielded).when(withdraws_consent(INVOLVEMENT)).then_nothing()
    given(*shielded).when(involves("Speech therapy")).then_nothing()
    given(*shielded).when(ends(ended=date(2026, 1, 1))).then(InvolvementEnded)


# A cause for concern


def held() -> RuleSet:
    """Rules under which the existence of a concern is held."""
    return the_rules().model_copy(update={"concern": Concern(held=True)})


@pytest.mark.parametrize("kind", ["universal", "additional", "sensitive"])
def test_t11_where_the_rules_hold_no_concern_none_is_stored(kind: str) -> None:
    given(registers()).when(involves(kind=kind, concern=True)).then_refused("concern-not-held", "concern")
    given(registers(), shields()).when(involves(kind=kind, concern=True)).then_refused(
        "concern-not-held", "concern"
    )


def test_t11_where_they_do_only_that_it_exists_is_and_it_goes_with_its_involvement() -> None:
    record = after(registers())
    decision = decide(record, involves(concern=True), held())
    plain = decide(record, involves(), held())
    assert [type(event) for event in decision.events] == [type(event) for event in plain.events]
    told = apply(record, decision)
    assert [(i.concern, i.stands) for i in told.involvements] == [(True, True)]
    ended = apply(told, decide(told, ends(), held()))
    assert [i.stands for i in ended.involvements] == [False]


def test_t11_of_a_sensitive_service_no_concern_is_held_under_any_rules() -> None:
    with pytest.raises(Refused) as refused:
        decide(after(registers()), involves(kind="sensitive", concern=True), held())
    assert refused.value.code == "concern-not-held"
