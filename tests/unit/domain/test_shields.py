"""A shield is a join: anyone may raise it, only two people together lower it (T22, T23; design D10)."""

from uuid import UUID

import pytest

from domain.child_record.commands import AssignAuthority, WithdrawSupply
from domain.child_record.events import (
    AddressAsserted,
    ChildRegistered,
    IdentityAsserted,
    ShieldLifted,
    ShieldRaised,
    SourceKind,
)
from domain.kernel import Command
from tests.builders import (
    ANOTHER_BOROUGH,
    NOW,
    OTHER_FILE,
    a_name,
    an_address,
    asserts,
    corrects,
    involves,
    lifts,
    registers,
    shields,
    the_rules,
)
from tests.given import given

GROUNDS = ("child-at-risk", "placement-at-risk", "adult-at-risk", "crime")


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_shield_is_raised_on_each_statutory_ground(ground: str) -> None:
    record = given(registers()).when(shields(ground)).then(ShieldRaised)
    assert record.shielded


def test_an_unknown_ground_is_refused() -> None:
    given(registers()).when(shields("celebrity")).then_refused("unknown-ground", "ground")
    given(registers()).when(shields("source-restricted")).then_refused("unknown-ground", "ground")


def test_screening_raises_a_provisional_shield() -> None:
    near = shields("near-shielded", provisional=True, source_kind=SourceKind.INDEX)
    record = given(registers()).when(near).then(ShieldRaised)
    assert [shield.provisional for shield in record.shields] == [True]
    assert record.shielded


def test_the_same_shield_or_ground_twice_changes_nothing_and_another_ground_adds_a_shield() -> None:
    raised = given(registers(), shields())
    raised.when(shields()).then_nothing()
    raised.when(shields(shield=UUID(int=5))).then_nothing()
    record = raised.when(shields("crime", shield=UUID(int=6))).then(ShieldRaised)
    assert len(record.shields) == 2


def test_a_provisional_shield_can_be_confirmed() -> None:
    confirmed = shields(shield=UUID(int=5))
    assert len(given(registers(), shields(provisional=True)).when(confirmed).then(ShieldRaised).shields) == 2


def test_a_restricted_message_raises_a_shield_once() -> None:
    restricted = asserts(restricted=True)
    given(registers()).when(restricted).then(ShieldRaised)
    given(registers(), restricted).when(restricted).then_nothing()


def test_what_comes_with_a_restricted_message_lies_under_the_fresh_key() -> None:
    outcome = given(registers()).when(asserts(restricted=True, names=(a_name(),), whereabouts=an_address()))
    outcome.then(ShieldRaised, IdentityAsserted, AddressAsserted)
    assert outcome.decision.content_keys == (2, 2, 2)
    assert outcome.decision.shielded


def test_a_child_registered_by_a_restricted_message_is_shielded_from_the_first_instant() -> None:
    outcome = given().when(registers(restricted=True, whereabouts=an_address()))
    outcome.then(ChildRegistered, ShieldRaised, IdentityAsserted, AddressAsserted)
    assert outcome.decision.content_keys == (1, 2, 2, 2)
    assert outcome.decision.shielded


def test_each_shield_has_a_fresh_key_which_everything_after_lies_under() -> None:
    history = (registers(), involves("Brook", "sensitive"), shields())
    assert given(*history[:2]).when(shields()).decision.content_keys == (3,)
    outcome = given(*history).when(asserts(whereabouts=an_address()))
    assert (outcome.decision.content_keys, outcome.decision.shielded) == ((3,), True)
    second = given(*history).when(shields("crime", shield=UUID(int=6)))
    assert second.decision.content_keys == (4,)


def test_two_people_lower_every_shield() -> None:
    raised = (registers(), shields(), shields("crime", shield=UUID(int=6)))
    record = given(*raised).when(lifts()).then(ShieldLifted)
    assert not record.shielded
    assert record.ever_shielded


def test_more_shields_than_one_event_holds_are_lowered_in_one_decision() -> None:
    kinds = (SourceKind.AUTHORITY, SourceKind.PRACTITIONER, SourceKind.OFFICER)
    many = [
        shields(ground, UUID(int=100 + 10 * n + m), source_kind=kind, provisional=provisional)
        for n, ground in enumerate(GROUNDS)
        for m, (kind, provisional) in enumerate((k, p) for k in kinds for p in (True, False))
    ]
    assert not given(registers(), *many).when(lifts()).then(ShieldLifted, ShieldLifted).shielded


def test_one_person_cannot_lower_a_shield() -> None:
    alone = lifts(confirmed_by=UUID(int=11))
    given(registers(), shields()).when(alone).then_refused("two-people-needed", "confirmed_by")


def test_a_shield_is_lowered_for_a_reason_the_rules_know() -> None:
    given(registers(), shields()).when(lifts(reason="inconvenient")).then_refused("unknown-reason", "reason")


def test_where_there_is_no_shield_none_is_lowered() -> None:
    given(registers()).when(lifts()).then_refused("no-shield")
    given(registers(), shields(), lifts()).when(lifts()).then_refused("no-shield")


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(asserts(names=(a_name(),), whereabouts=an_address()), id="an unrestricted message"),
        pytest.param(corrects(whereabouts=an_address()), id="a correction"),
        pytest.param(WithdrawSupply(at=NOW, file=OTHER_FILE), id="withdrawing the file that raised it"),
        pytest.param(involves(), id="an involvement"),
    ],
)
def test_t22_nothing_but_two_people_lowers_a_shield(later: Command) -> None:
    raised = asserts(restricted=True, names=(a_name("Amira"),))
    assert given(registers(), raised).when(later).record.shielded


def test_a_source_that_still_says_restricted_raises_it_again() -> None:
    restricted = asserts(restricted=True)
    record = given(registers(), restricted, lifts()).when(restricted).then(ShieldRaised)
    assert record.shielded


def test_of_a_shielded_record_no_answer_tells_the_owning_authority() -> None:
    taken = AssignAuthority(at=NOW, authority=ANOTHER_BOROUGH)
    given(registers(), shields()).when(taken).then_nothing()


def test_the_grounds_are_the_rules() -> None:
    assert the_rules().shield.grounds == GROUNDS
