"""What holds of a child's record whatever happens, and in whatever order."""

import itertools
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.child_record import events as facts_of
from domain.child_record.commands import (
    AcceptTransfer,
    AllocateAuthority,
    AnswerSubjectAccess,
    ArchiveRecord,
    AssertFacts,
    AssignAuthority,
    ClaimRight,
    DecideRight,
    DeclineTransfer,
    GiveExtensionConsent,
    NotifyDeath,
    OfferTransfer,
    PauseSubjectAccess,
    RequestSubjectAccess,
    ResumeSubjectAccess,
    RuleOutLink,
    WithdrawExtensionConsent,
    WithdrawSupply,
    WithdrawTransfer,
)
from domain.child_record.decisions import DECISIONS, decide
from domain.child_record.events import (
    Address,
    AddressAsserted,
    Consent,
    Contact,
    CurrentAddress,
    Gender,
    Institution,
    LeftEngland,
    ReasonableCause,
    ShieldLifted,
    Source,
    SourceKind,
)
from domain.child_record.model import ChildRecord, evolve, unknown
from domain.errors import Refused
from domain.kernel import Command, Concealed, Event, ForgottenEvent
from domain.personal_data import HIDDEN, Forgotten
from domain.policy.retention import visible_until
from ingest.best_view import best_view
from tests.builders import (
    BORN,
    FILE,
    LONDON_BOROUGH,
    NOW,
    OTHER_FILE,
    TODAY,
    a_carer,
    a_name,
    asserts,
    ends,
    involves,
    lifts,
    registers,
    shields,
    the_rules,
    withdraws_consent,
)
from tests.given import after, apply, recorded
from tests.plugins_counts import count

DAYS = st.integers(0, 3000).map(lambda n: BORN + timedelta(days=n))
INVOLVEMENTS = st.sampled_from([UUID(int=n) for n in (71, 72, 73)])
AUTHORITIES = st.sampled_from([LONDON_BOROUGH, "E09000030", "E06000998"])
REQUESTS = st.sampled_from([UUID(int=n) for n in (76, 77)])
FEEDS = st.sampled_from(
    [SourceKind.PDS, SourceKind.BIRTHS, SourceKind.SCHOOL_CENSUS, SourceKind.CASE_MANAGEMENT]
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or nothing said."""
    return st.none() | strategy


ADDRESSES = st.sampled_from(["1 Elm Street", "2 Elm Street", "3 Elm Street"]).map(
    lambda line: CurrentAddress(address=Address(lines=(line,), postcode="E8 1DY"))
)
ASSERTIONS = st.builds(
    lambda **said: asserts(**{name: value for name, value in said.items() if value is not None}),
    source_kind=FEEDS,
    source=st.sampled_from(
        [Source(body=body, file=file) for body in ("A", "B") for file in (FILE, OTHER_FILE)]
    ),
    effective=DAYS,
    names=maybe(st.sampled_from([(a_name(),), (a_name("Amira"),), (a_name("Amy", "Cohen"),)])),
    date_of_birth=maybe(st.sampled_from([BORN, BORN - timedelta(days=1)])),
    gender=maybe(st.sampled_from(Gender)),
    whereabouts=maybe(
        ADDRESSES
        | st.builds(
            LeftEngland, return_intended=st.sampled_from(["yes", "no", "unknown"]), considered_left=DAYS
        )
    ),
    carers=maybe(st.sampled_from([(), (a_carer(),), (a_carer("Omar"),)])),
    education=maybe(st.sampled_from(["A School", "B School"]).map(lambda name: Institution(name=name))),
    practice=maybe(st.sampled_from(["A Practice", "B Practice"]).map(lambda name: Institution(name=name))),
    restricted=st.booleans(),
    withheld=maybe(st.sampled_from([("address",), ("contact", "practice")])),
    died_on=maybe(DAYS),
)


@st.composite
def beginnings(draw: st.DrawFn) -> Command:
    kind = draw(st.sampled_from(["universal", "additional", "sensitive"]))
    more: dict[str, Any] = {
        "involvement": draw(INVOLVEMENTS),
        "service": draw(st.sampled_from(["Kooth", "School nursing"])),
    }
    if kind == "sensitive":
        more["consent"] = draw(maybe(st.just(Consent(given_by="parent", given_on=BORN))))
        more["cause"] = draw(maybe(st.just(ReasonableCause(considered_on=BORN, considered_by="A Nurse"))))
    return involves(kind=kind, began=draw(DAYS), **more)


COMMANDS: st.SearchStrategy[Command] = st.one_of(
    ASSERTIONS,
    beginnings(),
    st.builds(ends, INVOLVEMENTS, DAYS),
    st.builds(withdraws_consent, INVOLVEMENTS, DAYS),
    st.builds(
        shields,
        st.sampled_from(["crime", "child-at-risk"]),
        st.sampled_from([UUID(int=n) for n in (81, 82, 83)]),
    ),
    st.builds(lifts, confirmed_by=st.sampled_from([UUID(int=11), UUID(int=12)])),
    st.builds(WithdrawSupply, at=st.just(NOW), file=st.sampled_from([FILE, OTHER_FILE])),
    st.builds(AssignAuthority, at=st.just(NOW), authority=st.sampled_from([LONDON_BOROUGH, "E09000030"])),
    st.builds(GiveExtensionConsent, at=st.just(NOW), given_on=DAYS, category=st.just("care-leaver")),
    st.builds(WithdrawExtensionConsent, at=st.just(NOW), withdrawn_on=DAYS),
    st.builds(NotifyDeath, at=st.just(NOW), died_on=DAYS),
    st.builds(
        ArchiveRecord,
        at=st.just(NOW),
        archived_on=st.just(TODAY) | DAYS,
        ground=st.sampled_from(["age-18", "death", "left-england", "supply-withdrawn"]),
    ),
    st.builds(
        RuleOutLink,
        at=st.just(NOW),
        source_kind=st.just(SourceKind.BIRTHS),
        marks=st.sampled_from(["e", "i", "n"]).map(lambda kind: (f"{kind}:" + "0f" * 16,)),
        held=st.just(UUID(int=91)),
    ),
    st.builds(
        RequestSubjectAccess,
        at=st.just(NOW),
        request=REQUESTS,
        requester=st.sampled_from(["child", "parent"]),
        basis=st.sampled_from(["competent", "best-interests"]),
        received_on=DAYS,
    ),
    st.builds(
        ClaimRight,
        at=st.just(NOW),
        request=REQUESTS,
        right=st.sampled_from(["erasure", "objection"]),
        requester=st.sampled_from(["child", "parent"]),
        basis=st.sampled_from(["competent", "best-interests"]),
        received_on=DAYS,
    ),
    st.builds(
        DecideRight,
        at=st.just(NOW),
        request=REQUESTS,
        reasons=st.sampled_from([("kept-by-law",), ("inaccurate",), ("compelling-grounds", "unlawful")]),
    ),
    st.builds(PauseSubjectAccess, at=st.just(NOW), request=REQUESTS, why=st.just("identity"), since=DAYS),
    st.builds(ResumeSubjectAccess, at=st.just(NOW), request=REQUESTS, until=DAYS),
    st.builds(AnswerSubjectAccess, at=st.just(NOW), request=REQUESTS, access=st.just(UUID(int=92))),
    st.builds(
        OfferTransfer,
        at=st.just(NOW),
        transfer=st.sampled_from([UUID(int=n) for n in (93, 94)]),
        by=AUTHORITIES,
        to=AUTHORITIES,
    ),
    st.builds(WithdrawTransfer, at=st.just(NOW), by=AUTHORITIES),
    st.builds(DeclineTransfer, at=st.just(NOW), by=AUTHORITIES),
    st.builds(AcceptTransfer, at=st.just(NOW), by=AUTHORITIES),
    st.builds(AllocateAuthority, at=st.just(NOW), authority=AUTHORITIES),
)


def tried(record: ChildRecord, command: Command) -> ChildRecord:
    """The record after a command, or as it was where the command is refused."""
    try:
        return apply(record, decide(record, command, the_rules()))
    except Refused:
        return record


def lived(commands: list[Command], record: ChildRecord | None = None) -> ChildRecord:
    """A registered record after these commands, as far as each was allowed."""
    record = record or after(registers())
    for command in commands:
        record = tried(record, command)
    return record


def answer(record: ChildRecord, command: Command) -> str:
    """What whoever gives the command learns: the code of a refusal, or nothing."""
    try:
        decide(record, command, the_rules())
    except Refused as refusal:
        return refusal.code
    return "receipt"


@whatever(st.lists(COMMANDS, max_size=12), COMMANDS)
@settings(max_examples=count(10_000))
def test_every_event_is_as_validating_it_would_make_it(commands: list[Command], command: Command) -> None:
    decided = [decide(unknown(UUID(int=1)), registers(), the_rules())]
    with suppress(Refused):
        decided.append(decide(lived(commands), command, the_rules()))
    for event in itertools.chain.from_iterable(decision.events for decision in decided):
        validated = type(event).model_validate_json(event.model_dump_json())
        assert validated == event
        assert list(vars(event)) == list(vars(validated)) == list(type(event).model_fields)


@whatever(st.lists(COMMANDS, max_size=12), COMMANDS)
@settings(max_examples=count(10_000))
def test_asking_twice_changes_nothing(history: list[Command], command: Command) -> None:
    once = tried(lived(history), command)
    assert tried(once, command) == once


@whatever(
    st.lists(COMMANDS.filter(lambda command: type(command) is not type(lifts())), max_size=12), st.data()
)
@settings(max_examples=count(5_000))
def test_a_shield_once_raised_stands_after_anything_but_its_lifting(
    commands: list[Command], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(commands)))
    record = tried(lived(commands[:place]), shields())
    assert record.shielded
    for command in commands[place:]:
        record = tried(record, command)
        assert record.shielded


@whatever(st.lists(ASSERTIONS, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=count(5_000))
def test_in_every_order_of_feeds_a_record_is_shielded_if_any_says_so(
    feeds: list[AssertFacts], random: Any
) -> None:
    shuffled: list[Command] = [*feeds, *feeds[:3]]
    random.shuffle(shuffled)
    accepted = [feed for feed in feeds if answer(after(registers()), feed) == "receipt"]
    assert lived(shuffled).shielded == any(feed.restricted for feed in accepted)


@whatever(st.lists(COMMANDS, max_size=12), ASSERTIONS)
@settings(max_examples=count(5_000))
def test_nothing_a_source_says_or_leaves_out_clears_what_was_said(
    history: list[Command], feed: Command
) -> None:
    before = lived(history)
    said = tried(before, feed)
    assert said.standing[: len(before.standing)] == before.standing
    assert {i.involvement for i in said.involvements} == {i.involvement for i in before.involvements}


@whatever(
    st.lists(st.tuples(st.integers(0, 30), ADDRESSES), max_size=10, unique_by=lambda pair: pair[0]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=count(5_000))
def test_t71_a_feed_repeated_late_or_out_of_order_ends_as_delivered_once_in_order(
    moves: list[tuple[int, CurrentAddress]], random: Any
) -> None:
    days = [(BORN + timedelta(days=day), where) for day, where in sorted(moves, key=lambda move: move[0])]
    messages = [asserts(whereabouts=where, effective=day, address_effective=day) for day, where in days]
    shuffled: list[Command] = [*messages, *messages[::2]]
    random.shuffle(shuffled)
    in_order, out_of_order = lived([*messages]), lived(shuffled)
    for day in range(32):
        assert _where(out_of_order, BORN + timedelta(days=day)) == _where(
            in_order, BORN + timedelta(days=day)
        )


def _where(record: ChildRecord, day: date) -> object:
    held = [
        (a.event.effective, a.version, a.event.whereabouts)
        for a in record.standing
        if isinstance(a.event, AddressAsserted) and a.event.effective <= day
    ]
    return max(held, key=lambda found: found[:2])[2] if held else None


@whatever(st.lists(COMMANDS, max_size=10), st.lists(COMMANDS, max_size=10), COMMANDS)
@settings(max_examples=count(10_000))
def test_of_a_shielded_record_no_answer_depends_on_what_is_hidden(
    one: list[Command], another: list[Command], command: Command
) -> None:
    shielded = after(registers(), shields())
    world, other = (lived(hidden_only(history), shielded) for history in (one, another))
    assert world.shielded
    assert other.shielded
    assert answer(world, command) == answer(other, command)


def hidden_only(history: list[Command], *, keep_departures: bool = True) -> list[Command]:
    """Of a history, what a shield hides: whereabouts, schools, practices, carers, services, authority.

    That a child left England ends a record in time, which nothing can hide; `keep_departures` False leaves it out.
    """
    hidden: list[Command] = []
    for command in history:
        if isinstance(command, AssertFacts):
            clear: dict[str, Any] = {
                "names": (),
                "date_of_birth": None,
                "gender": None,
                "died_on": None,
                "restricted": False,
            }
            left = isinstance(command.whereabouts, LeftEngland)
            if left and not keep_departures:
                clear["whereabouts"] = None
            hidden.append(command.model_copy(update=clear))
        elif type(command).__name__ in {
            "BeginInvolvement",
            "EndInvolvement",
            "WithdrawSensitiveConsent",
            "AssignAuthority",
            "RequestSubjectAccess",
            "PauseSubjectAccess",
            "ResumeSubjectAccess",
            "OfferTransfer",
            "WithdrawTransfer",
            "DeclineTransfer",
            "AcceptTransfer",
            "AllocateAuthority",
        }:
            hidden.append(command)
    return hidden


SAID_BY_ANYONE = ASSERTIONS.flatmap(
    lambda feed: st.sampled_from([feed.source_kind, SourceKind.OFFICER, SourceKind.AUTHORITY]).map(
        lambda kind: feed.model_copy(update={"source_kind": kind})
    )
)


@whatever(st.lists(SAID_BY_ANYONE, max_size=12))
@settings(max_examples=count(5_000))
def test_the_rules_go_by_the_dates_that_are_shown(history: list[Command]) -> None:
    born_otherwise = asserts(
        source_kind=SourceKind.CTF, date_of_birth=BORN - timedelta(days=1), effective=TODAY
    )
    record = lived([*history, born_otherwise])
    shown = best_view(record)
    assert (record.date_of_birth, record.departure) == (shown.date_of_birth, shown.departure)
    assert visible_until(record, the_rules()) == visible_until(shown, the_rules())


EVENTS: list[Event] = [
    facts_of.ChildRegistered(
        index_number=registers().index_number, source_kind=SourceKind.PDS, rule_set="present"
    ),
    facts_of.IdentityAsserted(
        source_kind=SourceKind.PDS, effective=BORN, names=(a_name(),), date_of_birth=BORN
    ),
    facts_of.IdentityAsserted(source_kind=SourceKind.OFFICER, effective=BORN, source=HIDDEN),
    facts_of.AddressAsserted(
        source_kind=SourceKind.PDS,
        effective=BORN,
        whereabouts=LeftEngland(return_intended="no", considered_left=BORN),
    ),
    facts_of.CarersAsserted(source_kind=SourceKind.PDS, effective=BORN, carers=()),
    facts_of.EducationAsserted(
        source_kind=SourceKind.CTF, effective=BORN, institution=Institution(name="A School")
    ),
    facts_of.PracticeAsserted(source_kind=SourceKind.PDS, effective=BORN, practice=Institution()),
    facts_of.IdentifiersAsserted(source_kind=SourceKind.PDS, effective=BORN, identifiers=()),
    facts_of.FactsWithheld(source_kind=SourceKind.PDS, effective=BORN, withheld=("address",)),
    facts_of.AuthorityAssigned(source_kind=SourceKind.INDEX, authority=LONDON_BOROUGH),
    facts_of.SupplyWithdrawn(source_kind=SourceKind.INDEX, versions=(1, 2, 99), alone=True),
    facts_of.InvolvementBegun(
        source_kind=SourceKind.PDS, involvement=UUID(int=1), service="A", kind="universal", began=BORN
    ),
    facts_of.InvolvementContactGiven(
        source_kind=SourceKind.PDS, involvement=UUID(int=1), contact=Contact(telephone="020 7946 0999")
    ),
    facts_of.InvolvementEnded(source_kind=SourceKind.PDS, involvement=UUID(int=1), ended=BORN),
    facts_of.SensitiveInvolvementBegun(
        source_kind=SourceKind.PDS, involvement=UUID(int=2), service="B", began=BORN
    ),
    facts_of.SensitiveInvolvementGrounded(
        source_kind=SourceKind.PDS, involvement=UUID(int=2), contact=Contact(), rule_set="present"
    ),
    facts_of.SensitiveConsentWithdrawn(
        source_kind=SourceKind.PDS, involvement=UUID(int=2), withdrawn_on=BORN
    ),
    facts_of.SensitiveInvolvementEnded(source_kind=SourceKind.PDS, involvement=UUID(int=3), ended=BORN),
    facts_of.ContactAsked(
        source_kind=SourceKind.PRACTITIONER,
        request=UUID(int=7),
        asked_by=UUID(int=8),
        contact=Contact(),
        asked_on=BORN,
        closes_on=BORN,
        rule_set="present",
    ),
    facts_of.ContactPassedOn(
        source_kind=SourceKind.AUTHORITY, request=UUID(int=7), involvement=UUID(int=2), passed_on=BORN
    ),
    facts_of.ContactAnswered(
        source_kind=SourceKind.PRACTITIONER,
        request=UUID(int=9),
        involvement=UUID(int=2),
        accepted=False,
        answered_on=BORN,
    ),
    facts_of.ShieldRaised(shield=UUID(int=4), source_kind=SourceKind.PDS, rule_set="present", ground=HIDDEN),
    facts_of.ShieldLifted(
        shields=(UUID(int=4), UUID(int=5)),
        rule_set="present",
        reason=HIDDEN,
        proposed_by=HIDDEN,
        confirmed_by=HIDDEN,
    ),
    facts_of.ExtensionConsentGiven(given_on=BORN, rule_set="present", category=Forgotten(UUID(int=6))),
    facts_of.ExtensionConsentWithdrawn(withdrawn_on=BORN, rule_set="present"),
    facts_of.DeathNotified(died_on=BORN, notified_on=BORN, source_kind=SourceKind.PDS),
    facts_of.RecordArchived(archived_on=BORN, rule_set="present", ground=HIDDEN),
    facts_of.RecordReopened(reopened_on=BORN, rule_set="present", ground=HIDDEN),
    facts_of.LinkRuledOut(source_kind=SourceKind.PDS, marks=("e:" + "0f" * 16,), held=HIDDEN),
    facts_of.SubjectAccessRequested(
        source_kind=SourceKind.OFFICER,
        request=UUID(int=7),
        requester="parent",
        basis="best-interests",
        received_on=BORN,
        rule_set="present",
    ),
    facts_of.RightClaimed(
        source_kind=SourceKind.OFFICER,
        request=UUID(int=9),
        right="erasure",
        requester="parent",
        basis="best-interests",
        received_on=BORN,
        rule_set="present",
    ),
    facts_of.RightDecided(
        source_kind=SourceKind.OFFICER,
        request=UUID(int=9),
        reasons=("kept-by-law",),
        decided_on=BORN,
        rule_set="present",
    ),
    facts_of.SubjectAccessPaused(
        source_kind=SourceKind.OFFICER, request=UUID(int=7), why="identity", since=BORN
    ),
    facts_of.SubjectAccessResumed(source_kind=SourceKind.OFFICER, request=UUID(int=7), until=BORN),
    facts_of.SubjectAccessAnswered(
        source_kind=SourceKind.OFFICER,
        request=UUID(int=7),
        answered_on=BORN,
        access=UUID(int=8),
        rule_set="present",
    ),
    facts_of.DeathReversed(versions=(3,), reversed_on=BORN, rule_set="present"),
    facts_of.DestructionHeld(hold=UUID(int=10), until=BORN, rule_set="present", ground=HIDDEN),
    facts_of.ShieldRequested(
        source_kind=SourceKind.AUTHORITY,
        request=UUID(int=11),
        shield=UUID(int=4),
        requester="parent",
        verified=True,
        ground="crime",
        received_on=BORN,
        rule_set="present",
    ),
    facts_of.ShieldRequesterVerified(
        source_kind=SourceKind.AUTHORITY, request=UUID(int=11), verified_on=BORN
    ),
    facts_of.ShieldDecided(
        shield=UUID(int=4),
        decided_on=BORN,
        rule_set="present",
        request=UUID(int=11),
        granted=True,
        reason="threat-shown",
    ),
    facts_of.ShieldReviewed(reviewed_on=BORN, rule_set="present", consulted=HIDDEN),
    facts_of.LiftDecided(
        shields=(UUID(int=4),),
        effective_on=BORN,
        rule_set="present",
        reason=HIDDEN,
        proposed_by=HIDDEN,
        confirmed_by=HIDDEN,
        consulted=HIDDEN,
    ),
    facts_of.HoldReleased(holds=(UUID(int=10),), released_on=BORN, rule_set="present"),
    facts_of.TransferOffered(
        source_kind=SourceKind.AUTHORITY,
        transfer=UUID(int=9),
        authority=LONDON_BOROUGH,
        to="E09000030",
        rule_set="present",
    ),
    facts_of.TransferWithdrawn(source_kind=SourceKind.AUTHORITY, transfer=UUID(int=9)),
    facts_of.TransferDeclined(source_kind=SourceKind.AUTHORITY, transfer=UUID(int=9)),
    facts_of.TransferAccepted(
        source_kind=SourceKind.AUTHORITY, transfer=UUID(int=9), authority="E09000030", rule_set="present"
    ),
    facts_of.AuthorityAllocated(source_kind=SourceKind.AUTHORITY, authority="E09000030", rule_set="present"),
    facts_of.RecordAbsorbed(
        merge=UUID(int=21),
        source_kind=SourceKind.INDEX,
        other=UUID(int=22),
        version=3,
        index_number="J5TWDX0000Y",
        rule_set="present",
        reason=HIDDEN,
    ),
    facts_of.OriginsNamed(source_kind=SourceKind.INDEX, origin=UUID(int=22), first=5, versions=(1, 2)),
    facts_of.RulingsReversed(source_kind=SourceKind.INDEX, marks=("e:" + "0f" * 16,)),
    facts_of.RecordClosed(
        closing=UUID(int=21), source_kind=SourceKind.INDEX, into=UUID(int=9), rule_set="present", why=HIDDEN
    ),
    facts_of.RecordSplitOff(
        split=UUID(int=23),
        source_kind=SourceKind.INDEX,
        whole=UUID(int=24),
        own=UUID(int=22),
        rule_set="present",
        reason=HIDDEN,
    ),
    facts_of.WrongViewNoted(split=UUID(int=23), source_kind=SourceKind.INDEX, accounts=(UUID(int=25),)),
    facts_of.IdentityVetoed(source_kind=SourceKind.AUTHORITY, marks=("e:" + "0f" * 16,)),
    Concealed(source_kind="pds"),
    ForgottenEvent(certificate=UUID(int=6)),
]


def test_there_is_an_event_of_every_kind_to_fold_and_a_decision_for_every_command() -> None:
    assert {type(event) for event in EVENTS} >= set(facts_of.EVENTS)
    assert len(DECISIONS) == 39


@whatever(st.lists(st.sampled_from(EVENTS), max_size=30))
@settings(max_examples=count(10_000))
def test_evolve_accepts_any_events_in_any_order(history: list[Event]) -> None:
    record = ChildRecord(UUID(int=9))
    for version, event in enumerate(history, 1):
        record = evolve(record, recorded(event, version))
        assert (record.version, record.died_on is None) == (version, not record.deaths)
        assert record.departure is None or record.standing
    raised = [type(event) for event in history if isinstance(event, facts_of.ShieldRaised | ShieldLifted)]
    assert record.shielded == (raised[-1:] == [facts_of.ShieldRaised])
