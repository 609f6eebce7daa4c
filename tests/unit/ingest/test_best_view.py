"""Which value is shown of all that sources assert, and where it is said to come from."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.child_record.events import (
    Address,
    AddressAsserted,
    AllocatedIdentifier,
    Carer,
    CarersAsserted,
    ChildRegistered,
    CurrentAddress,
    EducationAsserted,
    FactsWithheld,
    FullName,
    Gender,
    IdentifiersAsserted,
    IdentityAsserted,
    Institution,
    LastKnownAddress,
    PersonName,
    PracticeAsserted,
    ShieldRaised,
    Source,
    SourceKind,
    SupplyWithdrawn,
)
from domain.child_record.model import ChildRecord, fold
from domain.disclosure import RecordFacts
from domain.kernel import Event, History, Log, Recorded
from domain.personal_data import HIDDEN
from ingest.best_view import best_view, candidate_of
from ingest.matching.blocking import keys_of
from ingest.source_record import SUPERSEDED

CHILD = UUID(int=7)
NUMBER, ANOTHER = "9434765919", "9434765870"
BIRTHS, PDS, CENSUS, OFFICER = (
    SourceKind.BIRTHS,
    SourceKind.PDS,
    SourceKind.SCHOOL_CENSUS,
    SourceKind.OFFICER,
)
REGISTERED = ChildRegistered(index_number="J5TWDX0000Y", source_kind=BIRTHS, rule_set="present")


def history(*events: Event) -> History:
    recorded = tuple(
        Recorded(
            Log.RECORD, version, datetime(2026, 1, 1, tzinfo=UTC), CHILD, CHILD, version, 1, event, HIDDEN
        )
        for version, event in enumerate((REGISTERED, *events), 1)
    )
    return History(CHILD, len(recorded), recorded)


def record(*events: Event) -> ChildRecord:
    return fold(history(*events))


def view(*events: Event) -> RecordFacts:
    return best_view(record(*events))


def a_name(given: str, family: str = "Thornton", **more: Any) -> PersonName:
    return PersonName(given=tuple(given.split()), family=family, **more)


def says(kind: SourceKind, on: str = "2016-04-20", **facts: Any) -> IdentityAsserted:
    return IdentityAsserted(source_kind=kind, effective=date.fromisoformat(on), **facts)


def lives(kind: SourceKind, on: str, line: str, *, state: Any = CurrentAddress) -> AddressAsserted:
    return AddressAsserted(
        source_kind=kind,
        effective=date.fromisoformat(on),
        whereabouts=state(address=Address(lines=(line,), postcode="WF2 6QA")),
    )


def home(facts: RecordFacts) -> str:
    assert isinstance(facts.whereabouts, CurrentAddress | LastKnownAddress)
    return facts.whereabouts.address.lines[0]


def carers(kind: SourceKind, on: str, *people: Carer) -> CarersAsserted:
    return CarersAsserted(source_kind=kind, effective=date.fromisoformat(on), carers=people)


def carer(given: str, standing: Any = "parental-responsibility") -> Carer:
    return Carer(name=FullName(given=(given,), family="Khan"), standing=standing)


# Who the child is


def test_t3_a_gender_nobody_gave_is_not_specified_and_absence_overwrites_nothing() -> None:
    assert view().gender is Gender.NOT_SPECIFIED
    assert view(says(BIRTHS, gender=Gender.FEMALE), says(PDS, "2020-01-01")).gender is Gender.FEMALE


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_register_outranks_pds_in_either_order(order: Sequence[int]) -> None:
    both = (
        says(BIRTHS, date_of_birth=date(2016, 4, 2), gender=Gender.FEMALE, birth_order=1),
        says(PDS, "2024-01-01", date_of_birth=date(2016, 4, 3), gender=Gender.MALE, birth_order=2),
    )
    facts = view(*(both[place] for place in order))
    assert (facts.date_of_birth, facts.gender, facts.birth_order) == (date(2016, 4, 2), Gender.FEMALE, 1)
    assert facts.held["date_of_birth"].source_kind is BIRTHS


def test_a_gender_that_is_specified_is_preferred_to_a_statement_that_it_is_not() -> None:
    assert (
        view(says(BIRTHS, gender=Gender.NOT_SPECIFIED), says(PDS, gender=Gender.MALE)).gender is Gender.MALE
    )


def test_an_officers_correction_of_identity_stands_until_the_next() -> None:
    first = says(OFFICER, "2025-01-01", date_of_birth=date(2016, 4, 4), gender=Gender.NOT_SPECIFIED)
    feed = says(BIRTHS, "2025-06-01", date_of_birth=date(2016, 4, 2), gender=Gender.FEMALE)
    assert view(first, feed).date_of_birth == date(2016, 4, 4)
    assert view(first, feed).gender is Gender.NOT_SPECIFIED
    second = says(OFFICER, "2024-01-01", date_of_birth=date(2016, 4, 5))
    assert view(first, feed, second).date_of_birth == date(2016, 4, 5)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_name_is_the_latest_current_one_and_the_others_are_listed(order: Sequence[int]) -> None:
    both = (
        says(BIRTHS, names=(a_name("Amelia Rose", since=date(2016, 4, 2)),)),
        says(
            PDS,
            "2021-05-01",
            names=(
                a_name("Amelia", "Khan", since=date(2021, 5, 1)),
                a_name("Amelia", "Thornton", kind="former", until=date(2021, 4, 30)),
            ),
        ),
    )
    facts = view(*(both[place] for place in order))
    assert facts.name is not None
    assert (facts.name.family, facts.held["name"].source_kind) == ("Khan", PDS)
    assert {name.family for name in facts.other_names} == {"Thornton"}


def test_a_shorter_form_of_the_same_name_does_not_displace_the_registers() -> None:
    facts = view(
        says(BIRTHS, names=(a_name("Amelia Rose", since=date(2016, 4, 2)),)),
        says(PDS, "2019-01-01", names=(a_name("AMELIA", since=date(2019, 1, 1)),)),
    )
    assert facts.name is not None
    assert facts.name.given == ("Amelia", "Rose")
    assert facts.other_names == ()


def test_a_former_name_is_never_the_current_one() -> None:
    facts = view(
        says(PDS, names=(a_name("Amelia", "Old", kind="former", since=date(2025, 1, 1)), a_name("Amelia")))
    )
    assert facts.name is not None
    assert facts.name.family == "Thornton"


def test_a_name_that_ended_gives_way_to_one_that_has_not() -> None:
    ended = a_name("Amelia", "Khan", since=date(2021, 5, 1), until=date(2024, 1, 1))
    facts = view(says(PDS, "2021-05-01", names=(ended,)), says(BIRTHS, names=(a_name("Amelia"),)))
    assert facts.name is not None
    assert facts.name.family == "Thornton"


def test_the_nhs_number_is_the_verified_one_that_none_superseded() -> None:
    stated = says(CENSUS, "2025-01-01", nhs_number=ANOTHER)
    verified = says(PDS, nhs_number=NUMBER, confidence="verified")
    assert view(verified, stated).nhs_number == NUMBER
    old = says(PDS, "2025-01-01", nhs_number=ANOTHER, confidence="verified")
    superseded = IdentifiersAsserted(
        source_kind=PDS,
        effective=date(2025, 1, 2),
        identifiers=(AllocatedIdentifier(scheme=SUPERSEDED, value=ANOTHER, allocated_by="NHS"),),
    )
    assert view(verified, old).nhs_number == ANOTHER
    assert view(verified, old, superseded).nhs_number == NUMBER


# Where the child is


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_latest_effective_address_wins_not_the_latest_received(order: Sequence[int]) -> None:
    all_three = (
        lives(BIRTHS, "2016-04-20", "Born Street"),
        lives(PDS, "2023-09-01", "New Road"),
        lives(PDS, "2019-09-01", "Middle Lane"),
    )
    facts = view(*(all_three[place] for place in order))
    assert home(facts) == "New Road"
    assert [address.lines[0] for address in facts.earlier_addresses] == ["Middle Lane", "Born Street"]
    assert (facts.held["whereabouts"].source_kind, facts.held["whereabouts"].since) == (PDS, date(2023, 9, 1))


def test_on_one_day_the_higher_rank_wins() -> None:
    both = lives(PDS, "2023-09-01", "By PDS"), lives(CENSUS, "2023-09-01", "By census")
    assert home(view(*both)) == home(view(*reversed(both))) == "By PDS"


def test_withheld_clears_nothing_and_is_said_until_told() -> None:
    withheld = FactsWithheld(source_kind=PDS, effective=date(2024, 1, 1), withheld=("address", "contact"))
    facts = view(lives(PDS, "2019-09-01", "Kept"), withheld)
    assert home(facts) == "Kept"
    assert facts.withheld == ("address", "contact")
    assert view(withheld, lives(PDS, "2024-02-01", "Told again")).withheld == ("contact",)


def test_t56_a_correction_of_the_address_outlasts_later_identical_feeds() -> None:
    wrong = lives(PDS, "2023-09-01", "Wrong")
    right = lives(OFFICER, "2025-01-01", "Right")
    again = lives(PDS, "2025-06-01", "Wrong")
    assert home(view(wrong, right)) == "Right"
    assert home(view(wrong, right, again)) == "Right"
    facts = view(wrong, right, again, lives(PDS, "2025-08-01", "Moved"))
    assert home(facts) == "Moved"


def test_t56_what_was_effective_before_the_correction_does_not_displace_it() -> None:
    right = lives(OFFICER, "2025-01-01", "Right")
    assert home(view(right, lives(PDS, "2024-12-31", "Late news"))) == "Right"
    assert home(view(right, lives(PDS, "2025-01-01", "Same day"))) == "Right"


def test_the_last_correction_counts() -> None:
    assert (
        home(view(lives(OFFICER, "2025-01-01", "First"), lives(OFFICER, "2024-01-01", "Second"))) == "Second"
    )


# Who serves and cares


def test_each_sources_latest_carers_one_entry_a_person() -> None:
    facts = view(
        carers(BIRTHS, "2016-04-20", carer("Helen"), carer("Peter")),
        carers(PDS, "2020-01-01", carer("Nobody")),
        carers(PDS, "2021-01-01", carer("Helen", "care"), carer("Ruth", "care")),
    )
    assert [(c.name.given[0], c.standing) for c in facts.carers] == [
        ("Helen", "both"),
        ("Peter", "parental-responsibility"),
        ("Ruth", "care"),
    ]


def test_an_officers_list_of_carers_stands_alone() -> None:
    facts = view(carers(OFFICER, "2020-01-01", carer("Helen")), carers(PDS, "2025-01-01", carer("Excluded")))
    assert [c.name.given[0] for c in facts.carers] == ["Helen"]
    assert facts.held["carers"].source_kind is OFFICER


def test_a_school_that_was_left_is_not_shown() -> None:
    school = Institution(name="Sandal Primary")
    began = EducationAsserted(source_kind=CENSUS, effective=date(2020, 9, 1), institution=school)
    left = EducationAsserted(
        source_kind=CENSUS, effective=date(2024, 7, 20), institution=school, ceased=date(2024, 7, 20)
    )
    assert view(began).education == school
    assert view(began, left).education is None


def test_the_practice_of_the_latest_day() -> None:
    first, second = (
        PracticeAsserted(source_kind=PDS, effective=on, practice=Institution(code=code))
        for on, code in ((date(2019, 9, 10), "B87016"), (date(2024, 1, 1), "B87020"))
    )
    assert view(second, first).practice == Institution(code="B87020")


# What counts at all


def test_what_was_withdrawn_does_not_count() -> None:
    withdrawn = SupplyWithdrawn(source_kind=PDS, versions=(2,), source=Source())
    assert view(lives(PDS, "2019-09-01", "Gone"), withdrawn).whereabouts is None


def test_a_record_whose_content_was_not_opened_says_so() -> None:
    events = history(says(PDS, names=(a_name("Amelia"),), nhs_number=NUMBER)).events
    hidden = ChildRegistered(
        index_number="J5TWDX0000Y",
        source_kind=PDS,
        rule_set="present",
        source=HIDDEN,
        owning_authority=HIDDEN,
    )
    raised = ShieldRaised(
        shield=UUID(int=9), source_kind=PDS, rule_set="present", ground=HIDDEN, source=HIDDEN
    )
    unopened = [
        Recorded(Log.RECORD, 1, events[0].recorded_at, CHILD, CHILD, 1, 1, hidden, HIDDEN),
        events[1],
        Recorded(Log.RECORD, 3, events[0].recorded_at, CHILD, CHILD, 3, 2, raised, HIDDEN),
    ]
    facts = best_view(fold(History(CHILD, 3, tuple(unopened))))
    assert (facts.opened, facts.shielded, facts.authority, facts.nhs_number) == (False, True, None, NUMBER)
    assert view().opened


def test_a_candidate_is_the_same_whether_or_not_the_writer_opened_what_is_hidden() -> None:
    raised = ShieldRaised(
        shield=UUID(int=9), source_kind=PDS, rule_set="present", ground="source-restricted", source=Source()
    )
    who = says(PDS, names=(a_name("Amelia"),), nhs_number=NUMBER, date_of_birth=date(2016, 4, 2))
    where = lives(PDS, "2019-09-01", "Secret Place")
    open_one = candidate_of(record(who, where))
    assert open_one.postcode == "WF2 6QA"
    assert any(key.startswith(("p:", "e:")) for key in open_one.keys)
    superseded = IdentifiersAsserted(
        source_kind=PDS,
        effective=date(2025, 1, 2),
        identifiers=(AllocatedIdentifier(scheme=SUPERSEDED, value=ANOTHER, allocated_by="NHS"),),
    )
    assert f"n:{ANOTHER}" in keys_of(record(who, superseded))
    assert keys_of(record(who, where, superseded, raised)) == {
        f"n:{NUMBER}",
        "d:2016-04-02",
        "s:2016-04-02",
    }
    shielded = candidate_of(record(who, where, raised))
    assert shielded.postcode is None
    assert sorted(key[0] for key in shielded.keys) == ["d", "n", "s"]


def test_a_number_that_any_source_verified_is_verified_whichever_it_is_taken_from() -> None:
    verified = says(PDS, nhs_number=NUMBER, confidence="verified")
    stated = says(OFFICER, nhs_number=NUMBER)
    another = says(OFFICER, nhs_number=ANOTHER)
    assert best_view(record(verified, stated)).held["nhs_number"].source_kind == OFFICER
    assert candidate_of(record(verified, stated)).nhs_verified
    assert not candidate_of(record(verified, another)).nhs_verified
    assert not candidate_of(record(stated)).nhs_verified
