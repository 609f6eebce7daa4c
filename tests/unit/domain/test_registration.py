"""Registering a child, and what sources and officers say of one afterwards."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.child_record.commands import (
    AssertFacts,
    AssignAuthority,
    NotifyDeath,
    WithdrawSupply,
)
from domain.child_record.events import (
    AddressAsserted,
    AllocatedIdentifier,
    AuthorityAssigned,
    CarersAsserted,
    ChildRegistered,
    DeathNotified,
    EducationAsserted,
    FactsWithheld,
    Gender,
    IdentifiersAsserted,
    IdentityAsserted,
    Institution,
    LeftEngland,
    NoKnownAddress,
    PracticeAsserted,
    RecordArchived,
    RecordReopened,
    ShieldRaised,
    Source,
    SourceKind,
    SupplyWithdrawn,
)
from domain.kernel import Command
from tests.builders import (
    ANOTHER_BOROUGH,
    BORN,
    FILE,
    LONDON_BOROUGH,
    NOW,
    OTHER_FILE,
    TODAY,
    a_carer,
    a_name,
    an_address,
    asserts,
    corrects,
    ends,
    involves,
    registers,
    shields,
    the_rules,
)
from tests.given import given

EVERYTHING = {
    "whereabouts": an_address(),
    "carers": (a_carer(),),
    "education": Institution(name="Alder Road Primary School"),
    "practice": Institution(name="The Lawson Practice"),
    "identifiers": (AllocatedIdentifier(scheme="upn", value="P207000016049", allocated_by="DFE"),),
}


def test_a_child_is_registered_with_what_the_source_says() -> None:
    record = given().when(registers()).then(ChildRegistered, IdentityAsserted)
    assert (record.registered, record.authority, record.date_of_birth) == (True, LONDON_BOROUGH, BORN)


def test_all_that_the_statute_lists_is_taken_up_in_one_decision() -> None:
    given().when(registers(**EVERYTHING)).then(
        ChildRegistered,
        IdentityAsserted,
        AddressAsserted,
        CarersAsserted,
        EducationAsserted,
        PracticeAsserted,
        IdentifiersAsserted,
    )


def test_a_record_may_have_no_owning_authority_yet() -> None:
    record = given().when(registers(owning_authority=None)).then(ChildRegistered, IdentityAsserted)
    assert record.authority is None


def test_t10_a_child_who_comes_to_england_at_nine_is_registered() -> None:
    nine = date(TODAY.year - 9, 1, 5)
    given().when(registers(date_of_birth=nine, effective=TODAY)).then(ChildRegistered, IdentityAsserted)


@pytest.mark.parametrize("authority", ["W06000015", "S12000033", "N09000003"])
def test_t10_a_child_outside_every_english_area_is_refused(authority: str) -> None:
    given().when(registers(owning_authority=authority)).then_refused("outside-area", "owning_authority")


def test_t10_a_child_who_has_left_england_is_not_registered() -> None:
    left = LeftEngland(return_intended="yes", considered_left=date(2025, 1, 1))
    given().when(registers(whereabouts=left)).then_refused("outside-area", "whereabouts")


def test_a_record_needs_a_name() -> None:
    given().when(registers(names=())).then_refused("no-name", "names")


def test_a_record_needs_a_date_of_birth() -> None:
    given().when(registers(date_of_birth=None)).then_refused("no-date-of-birth", "date_of_birth")


def test_a_child_born_tomorrow_is_not_registered() -> None:
    given().when(registers(date_of_birth=TODAY + timedelta(days=1))).then_refused(
        "date-in-future", "date_of_birth"
    )
    given().when(registers(date_of_birth=TODAY)).then(ChildRegistered, IdentityAsserted)


def test_one_who_is_18_today_is_not_registered_and_one_who_is_tomorrow_is() -> None:
    eighteen = date(TODAY.year - 18, TODAY.month, TODAY.day)
    given().when(registers(date_of_birth=eighteen)).then_refused("adult", "date_of_birth")
    given().when(registers(date_of_birth=eighteen + timedelta(days=1))).then(
        ChildRegistered, IdentityAsserted
    )


def test_a_record_is_registered_once() -> None:
    given(registers()).when(registers()).then_refused("already-registered")


def test_nothing_can_be_done_to_a_record_that_is_not_there() -> None:
    for command in (asserts(gender=Gender.MALE), involves(), shields(), ends()):
        given().when(command).then_refused("not-found", "child")


@pytest.mark.parametrize(
    "command", [registers(), asserts(), involves(), shields()], ids=lambda c: type(c).__name__
)
@pytest.mark.parametrize("field", ["note", "score", "photograph", "diagnosis", "offence"])
def test_t1_a_field_outside_the_statute_is_refused_whole(command: Command, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        type(command).model_validate(command.model_dump() | {field: "a narrative about the child"})
    assert field in str(refused.value)
    assert "narrative" not in str(refused.value)


def test_narrative_in_a_name_is_refused() -> None:
    remark = a_name("Amira", "she was hit. Twice")
    given().when(registers(names=(remark,))).then_refused("narrative", "names")
    given().when(registers(carers=(a_carer("please do not call"),))).then_refused("narrative", "carers")
    school = Institution(name="was excluded for fighting")
    given(registers()).when(asserts(education=school)).then_refused("narrative", "education")


def test_the_same_said_again_in_one_file_changes_nothing() -> None:
    said = {"names": (a_name(),), "date_of_birth": BORN, **EVERYTHING}
    again = asserts(**said, source=Source(body="NHS", file=OTHER_FILE, record="P-2"))
    later = asserts(**said, effective=TODAY + timedelta(days=1))
    for repeated in (asserts(**said), again, later):
        given(registers(), asserts(**said)).when(repeated).then_nothing()


def test_another_file_is_heard_for_itself_so_that_either_can_be_withdrawn_alone() -> None:
    said = {"names": (a_name(),), "date_of_birth": BORN}
    again = asserts(**said, source=Source(body="NHS", file=FILE, record="P-1"))
    given(registers(), asserts(**said)).when(again).then(IdentityAsserted)


def test_the_same_from_another_source_is_another_assertion() -> None:
    given(registers()).when(asserts(names=(a_name(),))).then(IdentityAsserted)


def test_something_else_from_the_same_source_is_recorded() -> None:
    first = asserts(whereabouts=an_address("1 Elm Street"))
    moved = asserts(whereabouts=an_address("2 Elm Street"), effective=TODAY)
    given(registers(), first).when(moved).then(AddressAsserted)


def test_an_old_message_that_comes_again_late_hides_nothing() -> None:
    old = asserts(whereabouts=an_address("1 Elm Street"), effective=date(2020, 1, 1))
    new = asserts(whereabouts=an_address("2 Elm Street"), effective=date(2024, 1, 1))
    given(registers(), old, new).when(old).then_nothing()


def test_a_move_back_is_a_move() -> None:
    home = asserts(whereabouts=an_address("1 Elm Street"), effective=date(2020, 1, 1))
    away = asserts(whereabouts=an_address("2 Elm Street"), effective=date(2024, 1, 1))
    back = asserts(whereabouts=an_address("1 Elm Street"), effective=date(2025, 1, 1))
    given(registers(), home, away).when(back).then(AddressAsserted)


def test_the_same_address_from_a_later_day_that_the_source_names_is_recorded() -> None:
    first = asserts(whereabouts=an_address(), address_effective=date(2020, 1, 1))
    later = asserts(whereabouts=an_address(), address_effective=date(2024, 1, 1))
    given(registers(), first).when(first).then_nothing()
    given(registers(), first).when(later).then(AddressAsserted)


def test_what_becomes_verified_is_recorded() -> None:
    stated = asserts(nhs_number="9000000009")
    given(registers(), stated).when(asserts(nhs_number="9000000009", confidence="verified")).then(
        IdentityAsserted
    )


def test_t3_gender_that_a_feed_leaves_out_says_nothing() -> None:
    record = given(registers(), asserts(gender=Gender.FEMALE)).when(asserts(names=(a_name(),))).record
    said = [a.event.gender for a in record.standing if isinstance(a.event, IdentityAsserted)]
    assert said == [Gender.FEMALE, Gender.FEMALE, None]


def test_a_message_that_says_nothing_changes_nothing() -> None:
    given(registers()).when(asserts()).then_nothing()


def test_t56_a_correction_is_recorded_and_needs_a_fact() -> None:
    given(registers()).when(corrects(date_of_birth=date(2015, 6, 8))).then(IdentityAsserted)
    given(registers()).when(corrects(identifiers=EVERYTHING["identifiers"])).then(IdentifiersAsserted)
    given(registers()).when(corrects(restricted=True)).then(ShieldRaised)
    given(registers()).when(corrects()).then_refused("nothing-asserted")


def test_t56_the_corrected_date_of_birth_stands_against_a_later_identical_feed() -> None:
    corrected = corrects(date_of_birth=date(2015, 6, 8))
    feed = registers(at=NOW + timedelta(days=30)).model_dump(exclude={"index_number", "owning_authority"})
    record = given(registers(), corrected).when(AssertFacts.model_validate(feed)).record
    assert record.date_of_birth == date(2015, 6, 8)


def test_a_date_of_birth_in_the_future_is_refused() -> None:
    tomorrow = TODAY + timedelta(days=1)
    given(registers()).when(asserts(date_of_birth=tomorrow)).then_refused("date-in-future", "date_of_birth")


def test_what_a_source_withholds_is_recorded_once_until_it_tells_it_again() -> None:
    withheld = asserts(restricted=True, withheld=("address", "contact"))
    told = asserts(whereabouts=an_address())
    given(registers()).when(withheld).then(ShieldRaised, FactsWithheld)
    given(registers(), withheld).when(withheld).then_nothing()
    given(registers(), withheld, told).when(withheld).then(FactsWithheld)


def test_what_a_message_tells_it_does_not_withhold() -> None:
    both = asserts(whereabouts=an_address(), withheld=("address", "contact"))
    *_, withheld = given(registers()).when(both).decision.events
    assert isinstance(withheld, FactsWithheld)
    assert withheld.withheld == ("contact",)
    given(registers(), both).when(both).then_nothing()


def test_an_authority_becomes_responsible_where_none_is() -> None:
    assign = AssignAuthority(at=NOW, authority=LONDON_BOROUGH)
    record = given(registers(owning_authority=None)).when(assign).then(AuthorityAssigned)
    assert record.authority == LONDON_BOROUGH
    given(registers(owning_authority=LONDON_BOROUGH)).when(assign).then_nothing()


def test_another_authority_does_not_take_a_record_over() -> None:
    taken = AssignAuthority(at=NOW, authority=ANOTHER_BOROUGH)
    given(registers()).when(taken).then_refused("has-authority", "authority")


def test_a_death_is_notified_once_by_each_source() -> None:
    death = NotifyDeath(at=NOW, died_on=date(2026, 2, 1))
    record = given(registers()).when(death).then(DeathNotified)
    assert (record.died_on, record.death_notified_on) == (date(2026, 2, 1), TODAY)
    given(registers(), death).when(death).then_nothing()
    given(registers(), death).when(asserts(died_on=date(2026, 2, 1))).then(DeathNotified)


def test_a_death_before_birth_or_in_the_future_is_refused() -> None:
    before = NotifyDeath(at=NOW, died_on=BORN - timedelta(days=1))
    given(registers()).when(before).then_refused("dates-out-of-order", "died_on")
    tomorrow = NotifyDeath(at=NOW, died_on=TODAY + timedelta(days=1))
    given(registers()).when(tomorrow).then_refused("date-in-future", "died_on")
    given().when(registers(died_on=BORN - timedelta(days=1))).then_refused("dates-out-of-order", "died_on")


WITHDRAWN = WithdrawSupply(at=NOW, file=FILE)


def test_a_record_that_rested_on_a_withdrawn_file_alone_is_archived() -> None:
    record = given(registers()).when(WITHDRAWN).then(SupplyWithdrawn, RecordArchived)
    assert (record.supply_gone, record.archived_on, record.standing) == (True, TODAY, ())


def test_a_record_that_another_source_speaks_for_stays() -> None:
    other = asserts(names=(a_name(),), date_of_birth=BORN, whereabouts=an_address())
    record = given(registers(), other).when(WITHDRAWN).then(SupplyWithdrawn)
    assert (record.supply_gone, record.archived_on) == (False, None)
    assert [type(a.event) for a in record.standing] == [IdentityAsserted, AddressAsserted]


def test_withdrawing_a_file_takes_its_involvements_and_deaths_with_it_but_never_a_shield() -> None:
    restricted = asserts(restricted=True, died_on=date(2026, 2, 1))
    involved = involves(source=Source(body="RQX", file=OTHER_FILE))
    record = (
        given(registers(), restricted, involved)
        .when(WithdrawSupply(at=NOW, file=OTHER_FILE))
        .then(SupplyWithdrawn)
    )
    assert (record.involvements, record.died_on, record.shielded) == ((), None, True)


def test_a_file_is_withdrawn_once_and_one_that_said_nothing_changes_nothing() -> None:
    given(registers(), WITHDRAWN).when(WITHDRAWN).then_nothing()
    given(registers()).when(WithdrawSupply(at=NOW, file=UUID(int=99))).then_nothing()


def test_a_long_list_of_versions_is_withdrawn_in_several_events() -> None:
    many = [
        asserts(whereabouts=an_address(f"{n} Elm Street"), effective=date(2024, 1, 1) + timedelta(days=n))
        for n in range(70)
    ]
    record = (
        given(registers(), *many)
        .when(WithdrawSupply(at=NOW, file=OTHER_FILE))
        .then(SupplyWithdrawn, SupplyWithdrawn)
    )
    assert [type(a.event) for a in record.standing] == [IdentityAsserted]


def test_a_record_supplied_again_comes_back() -> None:
    again = asserts(names=(a_name(),), date_of_birth=BORN)
    record = given(registers(), WITHDRAWN).when(again).then(RecordReopened, IdentityAsserted)
    assert (record.supply_gone, record.archived_on) == (False, None)


def test_a_record_of_which_only_an_address_is_supplied_again_does_not_come_back() -> None:
    given(registers(), WITHDRAWN).when(asserts(whereabouts=an_address())).then_nothing()


def test_a_mistaken_death_withdrawn_with_its_file_brings_an_archived_record_back() -> None:
    dead = asserts(died_on=date(2024, 1, 1), at=NOW - timedelta(days=400))
    archived = RecordArchived(archived_on=date(2026, 2, 1), rule_set="present", ground="death")
    shield = shields()
    record = (
        given(registers(), shield, dead, archived)
        .when(WithdrawSupply(at=NOW, file=OTHER_FILE))
        .then(SupplyWithdrawn, RecordReopened)
    )
    assert (record.archived_on, record.shielded) == (None, True)


ARCHIVED = RecordArchived(archived_on=TODAY, rule_set="present", ground="left-england")
LEFT = LeftEngland(return_intended="no", considered_left=date(2026, 1, 1))


def test_to_an_archived_record_a_feed_adds_nothing_but_a_shield() -> None:
    gone = (registers(), asserts(whereabouts=LEFT), ARCHIVED)
    given(*gone).when(asserts(gender=Gender.FEMALE)).then_nothing()
    given(*gone).when(asserts(gender=Gender.FEMALE, restricted=True)).then(ShieldRaised)


def test_t65_a_child_who_returns_has_the_same_record_again() -> None:
    gone = (registers(), asserts(whereabouts=LEFT, effective=date(2026, 1, 1)), ARCHIVED)
    record = given(*gone).when(asserts(whereabouts=an_address())).then(RecordReopened, AddressAsserted)
    assert record.archived_on is None


def test_an_archived_record_is_shielded_before_it_comes_back() -> None:
    gone = (registers(), asserts(whereabouts=LEFT, effective=date(2026, 1, 1)), ARCHIVED)
    back = asserts(whereabouts=an_address(), restricted=True)
    given(*gone).when(back).then(ShieldRaised, RecordReopened, AddressAsserted)


def test_an_officer_corrects_an_archived_record() -> None:
    gone = (registers(), asserts(whereabouts=LEFT), ARCHIVED)
    given(*gone).when(corrects(gender=Gender.MALE)).then(IdentityAsserted)


def test_the_address_states_exclude_one_another() -> None:
    given(registers()).when(asserts(whereabouts=NoKnownAddress())).then(AddressAsserted)
    with pytest.raises(ValidationError):
        asserts(whereabouts={"state": "none-known", "address": {"lines": ["12 Alder Road"]}})


def test_t2_an_address_is_in_exactly_one_of_four_states() -> None:
    with pytest.raises(ValidationError):
        asserts(whereabouts={"state": "somewhere"})
    with pytest.raises(ValidationError):
        asserts(whereabouts={"state": "left-england", "considered_left": "2025-01-01"})


def test_a_feed_that_says_the_same_of_another_body_is_another_source() -> None:
    school = {
        "education": Institution(name="Alder Road Primary School"),
        "source_kind": SourceKind.SCHOOL_CENSUS,
    }
    first = asserts(**school, source=Source(body="100200"))
    given(registers(), first).when(asserts(**school, source=Source(body="100201"))).then(EducationAsserted)


def test_the_rule_set_that_decided_is_named() -> None:
    (registered, *_) = given().when(registers()).decision.events
    assert isinstance(registered, ChildRegistered)
    assert registered.rule_set == the_rules().id


def test_t4_of_a_young_person_nobody_is_held_for_parental_responsibility_alone() -> None:
    grown = asserts(date_of_birth=date(TODAY.year - 18, TODAY.month, TODAY.day), source_kind=SourceKind.PDS)
    parents = (
        a_carer("Nadia", "parental-responsibility"),
        a_carer("Omar", "both"),
        a_carer("Petra", "care"),
    )
    sent = grown.model_copy(update={"carers": parents})
    record = given(registers()).when(sent).record
    held = [a.event.carers for a in record.standing if isinstance(a.event, CarersAsserted)]
    assert [[(c.name.given, c.standing) for c in carers] for carers in held] == [
        [(("Omar",), "care"), (("Petra",), "care")]
    ]
    typed = sent.model_copy(update={"source_kind": SourceKind.PRACTITIONER})
    given(registers()).when(typed).then_refused("responsibility-alone", "carers")
    child = sent.model_copy(update={"date_of_birth": BORN})
    (kept,) = [
        a.event.carers
        for a in given(registers()).when(child).record.standing
        if isinstance(a.event, CarersAsserted)
    ]
    assert kept == parents
