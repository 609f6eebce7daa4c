"""Two records of one child become one: what is said again, and what wins."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from domain.child_record import events
from domain.child_record.commands import (
    DecideShield,
    GiveExtensionConsent,
    HoldDestruction,
    LiftShield,
    MergeRecords,
    NotifyDeath,
    RequestShield,
    ReverseDeath,
    WithdrawSupply,
)
from domain.child_record.decisions import decide
from domain.child_record.events import (
    AuthorityAssigned,
    Consent,
    LinkRuledOut,
    OriginsNamed,
    RecordAbsorbed,
    RecordClosed,
    RulingsReversed,
    ShieldRaised,
    Source,
    SourceKind,
)
from domain.child_record.merging import NOT_SAID_AGAIN, Merged, merge
from domain.child_record.model import ChildRecord, evolve
from domain.errors import NotFound, Refused
from domain.kernel import Command, Event, Recorded
from tests.builders import (
    ANOTHER_BOROUGH,
    BORN,
    FILE,
    LONDON_BOROUGH,
    NOW,
    TODAY,
    a_name,
    a_number,
    an_address,
    asserts,
    ends,
    involves,
    lifts,
    registers,
    shields,
    the_rules,
    withdraws_consent,
)
from tests.given import apply, recorded

ONE, OTHER = UUID(int=101), UUID(int=102)
MARKS = tuple(f"{kind}:" + "0f" * 16 for kind in "ein")


def merges(**changes: object) -> MergeRecords:
    """Two managers of the London borough decide."""
    said = {
        "at": NOW, "merge": UUID(int=5), "by": LONDON_BOROUGH, "reason": "documents-seen",
        "decided_by": UUID(int=11), "confirmed_by": UUID(int=12), "shield": UUID(int=6),
    }  # fmt: skip
    return MergeRecords.model_validate(said | changes)


class Stream:
    """One record with its history, told in commands and events."""

    def __init__(self, child_id: UUID, *history: Command | Event, seed: int = 7) -> None:
        self.record = ChildRecord(child_id)
        self.told: list[Recorded] = []
        for fact in (registers(index_number=a_number(seed)), *history):
            if isinstance(fact, Command):
                decision = decide(self.record, fact, the_rules())
                self.add(decision.events, decision.content_keys)
            else:
                self.add((fact,), (1,))

    def add(self, new: tuple[Event, ...], keys: tuple[int, ...]) -> None:
        for event, key in zip(new, keys, strict=True):
            one = recorded(event, self.record.version + 1, key, self.record.child_id)
            self.told.append(one)
            self.record = evolve(self.record, one)


def merged(
    one: Stream, other: Stream, own: frozenset[str] = frozenset(), **changes: object
) -> tuple[Merged, ChildRecord, ChildRecord]:
    """What is decided, and both records afterwards."""
    decided = merge(one.record, other.record, other.told, own, merges(**changes), the_rules())
    return decided, apply(one.record, decided.survivor), apply(other.record, decided.closed)


def test_what_stands_is_said_again_naming_where_it_is_from_and_the_other_is_closed() -> None:
    other = Stream(OTHER, asserts(whereabouts=an_address("9 Elm Row")), involves("Kooth"), seed=9)
    decided, survivor, closed = merged(Stream(ONE), other)

    said = [type(event) for event in decided.survivor.events]
    assert said[0] is RecordAbsorbed
    assert [
        one.event.whereabouts for one in survivor.assertions if isinstance(one.event, events.AddressAsserted)
    ] == [an_address("9 Elm Row")]
    assert [one.service for one in survivor.involvements] == ["Kooth"]
    told = {one.version: one.event for one in other.told}
    here = dict(enumerate(decided.survivor.events, 3))
    assert survivor.origins
    for origin in survivor.origins:
        assert origin.stream == OTHER
        assert here[origin.at] == told[origin.version]
    assert (closed.closed, closed.closed_into, closed.heirs) == (True, ONE, (ONE,))
    assert closed.shielded, "whatever it was, nobody lifts or raises a shield on it any more"
    assert survivor.index_number != other.record.index_number
    assert not survivor.shielded


@pytest.mark.parametrize("shielded", ["one", "other"])
def test_t23_if_either_is_shielded_the_survivor_is_from_the_first_event_on(shielded: str) -> None:
    one = Stream(ONE, *([shields("crime")] if shielded == "one" else []))
    provisional = shields("near-shielded", UUID(int=78), provisional=True, source_kind=SourceKind.INDEX)
    other = Stream(OTHER, *([shields("child-at-risk"), provisional] if shielded == "other" else []), seed=9)
    decided, survivor, closed = merged(one, other)
    assert survivor.shielded
    assert closed.shielded
    assert decided.survivor.shielded
    if shielded == "other":
        assert [type(event) for event in decided.survivor.events[:2]] == [ShieldRaised, ShieldRaised]
        assert survivor.shields[0].ground == "child-at-risk"
        assert [one.provisional for one in survivor.shields] == [False, True]
        assert {one.shield for one in survivor.shields} == {one.shield for one in other.record.shields}
        assert decided.survivor.content_keys[0] > 1, "what follows lies under a key made behind the shield"
    else:
        assert not [event for event in decided.survivor.events if isinstance(event, ShieldRaised)]


def test_a_shield_that_was_lifted_does_not_come_back() -> None:
    decided, survivor, _ = merged(Stream(ONE), Stream(OTHER, shields(), lifts(), seed=9))
    assert not survivor.shielded
    assert not [event for event in decided.survivor.events if isinstance(event, ShieldRaised)]


def test_what_was_withdrawn_is_not_said_again_and_a_consent_does_not_come_back() -> None:
    other = Stream(
        OTHER,
        asserts(whereabouts=an_address("9 Elm Row"), source=Source(body="NHS", file=UUID(int=44))),
        WithdrawSupply(at=NOW, file=UUID(int=44)),
        involves("Kooth", "sensitive", consent=Consent(given_by="parent", given_on=BORN)),
        withdraws_consent(),
        seed=9,
    )
    _, survivor, _ = merged(Stream(ONE), other)
    assert not [one for one in survivor.assertions if isinstance(one.event, events.AddressAsserted)]
    (involvement,) = survivor.involvements
    assert not involvement.stands
    assert involvement.content_key > survivor.content_key, "and lies under a key of its own, as before"


def test_two_people_decide_where_either_is_shielded_and_one_where_neither_is() -> None:
    merged(Stream(ONE), Stream(OTHER, seed=9), confirmed_by=None)
    for second in (None, UUID(int=11)):
        with pytest.raises(Refused) as refused:
            merged(Stream(ONE), Stream(OTHER, shields(), seed=9), confirmed_by=second)
        assert refused.value.code == "two-people-needed"


def test_an_authority_that_is_responsible_for_neither_is_refused_and_of_a_shielded_one_not_told() -> None:
    with pytest.raises(Refused) as refused:
        merged(Stream(ONE), Stream(OTHER, seed=9), by=ANOTHER_BOROUGH)
    assert refused.value.code == "not-responsible"
    decided, survivor, closed = merged(Stream(ONE), Stream(OTHER, shields(), seed=9), by=ANOTHER_BOROUGH)
    assert decided.nothing
    assert not survivor.shielded
    assert not closed.closed


def test_nothing_is_merged_with_itself_with_what_is_closed_or_archived() -> None:
    one, other = Stream(ONE), Stream(OTHER, seed=9)
    decided, _, closed = merged(one, other)
    assert not decided.nothing
    with pytest.raises(Refused) as refused:
        merge(one.record, one.record, one.told, frozenset(), merges(), the_rules())
    assert refused.value.code == "same-record"
    with pytest.raises(NotFound):
        merge(one.record, closed, other.told, frozenset(), merges(), the_rules())
    archived = Stream(OTHER, WithdrawSupply(at=NOW, file=FILE), seed=9)
    with pytest.raises(Refused) as refused:
        merged(one, archived)
    assert refused.value.code == "archived"


def test_nothing_changes_a_closed_record_any_more() -> None:
    _, _, closed = merged(Stream(ONE), Stream(OTHER, seed=9))
    for command in (asserts(names=(a_name(),)), shields("crime"), lifts(), ends()):
        with pytest.raises(NotFound):
            decide(closed, command, the_rules())


def test_what_is_ruled_out_for_either_is_for_the_survivor_but_for_what_turns_out_to_be_the_child() -> None:
    ruled = LinkRuledOut(source_kind=SourceKind.BIRTHS, marks=MARKS, held=UUID(int=4))
    decided, survivor, _ = merged(Stream(ONE), Stream(OTHER, ruled, seed=9), frozenset({MARKS[0]}))
    assert survivor.ruled_out == set(MARKS[1:])
    decided, survivor, _ = merged(Stream(ONE, ruled), Stream(OTHER, seed=9), frozenset({MARKS[0]}))
    assert [event for event in decided.survivor.events if isinstance(event, RulingsReversed)]
    assert survivor.ruled_out == set(MARKS[1:])


def test_the_one_without_an_authority_takes_the_others_and_the_one_with_keeps_its_own() -> None:
    nobodys = Stream(ONE)
    registered = nobodys.told[0].event.model_copy(update={"owning_authority": None})
    nobodys.record = evolve(ChildRecord(ONE), recorded(registered, 1))
    decided, survivor, _ = merged(nobodys, Stream(OTHER, seed=9))
    assert [event for event in decided.survivor.events if isinstance(event, AuthorityAssigned)]
    assert survivor.authority == LONDON_BOROUGH


@pytest.mark.parametrize(
    ("ours", "theirs", "stands"),
    [((None, None), (30, None), True), ((10, 20), (30, None), True), ((10, 30), (20, None), False),
     ((10, None), (5, 20), False), ((30, None), (5, 20), True), ((None, None), (5, 20), False)],
)  # fmt: skip
def test_of_consent_to_be_kept_longer_what_was_said_last_counts(
    ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None], stands: bool
) -> None:
    def told(days: tuple[int | None, int | None]) -> list[Command | Event]:
        given, withdrawn = [None if day is None else BORN + timedelta(days=day) for day in days]
        said: list[Command | Event] = []
        if given is not None:
            said.append(GiveExtensionConsent(at=NOW, given_on=given, category="care-leaver"))
        if withdrawn is not None:
            said.append(events.ExtensionConsentWithdrawn(withdrawn_on=withdrawn, rule_set="present"))
        return said

    _, survivor, _ = merged(Stream(ONE, *told(ours)), Stream(OTHER, *told(theirs), seed=9))
    consents = survivor.extension_consent_on is not None and survivor.extension_withdrawn_on is None
    assert consents is stands


def test_a_hundred_events_are_named_in_events_that_fit() -> None:
    addresses = [
        asserts(
            whereabouts=an_address(f"{number} Elm Row"), effective=date(2020, 1, 1) + timedelta(days=number)
        )
        for number in range(1, 100)
    ]
    decided, survivor, _ = merged(Stream(ONE), Stream(OTHER, *addresses, seed=9))
    named = [event for event in decided.survivor.events if isinstance(event, OriginsNamed)]
    assert [len(event.versions) for event in named] == [40, 40, 20]
    assert len(survivor.origins) == len({one.at for one in survivor.origins}) == 100


def test_every_event_is_said_again_or_named_as_one_that_is_not() -> None:
    said = set(events.EVENTS) - NOT_SAID_AGAIN
    assert {RecordAbsorbed, OriginsNamed, RecordClosed} <= NOT_SAID_AGAIN
    assert all(hasattr(event, "NAME") for event in said)


DIES = NotifyDeath(at=NOW, died_on=TODAY - timedelta(days=3), source_kind=events.SourceKind.PDS)


def test_t64_a_death_found_to_be_none_on_either_record_is_none_of_the_survivor() -> None:
    reversed_ = (DIES, ReverseDeath(at=NOW))
    for one, other in (((), reversed_), (reversed_, (DIES,))):
        _, survivor, _ = merged(Stream(ONE, *one), Stream(OTHER, *other, seed=9))
        assert survivor.deaths == ()
    _, survivor, _ = merged(Stream(ONE), Stream(OTHER, DIES, seed=9))
    assert survivor.died_on == DIES.died_on


def test_t66_a_hold_on_either_record_holds_the_survivor() -> None:
    held = HoldDestruction(at=NOW, hold=UUID(int=9), ground="court-order", until=TODAY + timedelta(days=99))
    for one, other in (((held,), ()), ((), (held,))):
        _, survivor, _ = merged(Stream(ONE, *one), Stream(OTHER, *other, seed=9))
        assert survivor.held_until == held.until


def test_t37_a_lift_decided_on_one_record_lowers_nothing_on_the_two_as_one() -> None:
    asked = RequestShield(
        at=NOW, request=UUID(int=21), shield=UUID(int=22), requester="police", ground="crime", verified=True,
        received_on=TODAY,
    )  # fmt: skip
    granted = DecideShield(
        at=NOW, request=asked.request, granted=True, reason="police-advice", body=LONDON_BOROUGH
    )
    lift = LiftShield(at=NOW, reason="risk-ended", proposed_by=UUID(int=1), confirmed_by=UUID(int=2))
    other = Stream(OTHER, asked, granted, lift, seed=9)
    assert other.record.lift is not None
    _, survivor, _ = merged(Stream(ONE), other)
    assert (survivor.shielded, survivor.lift) == (True, None)
    assert [one.granted for one in survivor.shield_requests] == [True], (
        "who asked, and what was decided, stays"
    )
