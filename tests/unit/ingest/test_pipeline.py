"""What becomes of a source record: registered, updated, unchanged, queued, quarantined or refused."""

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import pytest

from adapters.key_rows import KeyKind, KeyRow
from domain.child_record.commands import AssertFacts, LiftShield, RegisterChild
from domain.child_record.events import (
    Address,
    AddressAsserted,
    CurrentAddress,
    Gender,
    IdentityAsserted,
    LastKnownAddress,
    PersonName,
    Source,
    SourceKind,
)
from domain.child_record.handlers import handle, nhs_number_token
from domain.disclosure import RecordFacts
from domain.errors import AlreadyReserved, BadInput, NotFound, Refused, Unavailable, VersionConflict
from domain.kernel import Appended, Metadata
from domain.policy.rule_book import RuleBook
from domain.rule_set.model import Closure
from domain.supply.events import FileReceived, FileWithdrawn, SourceRecordReleased
from ingest.outcome import Counts, Listener, Loaded
from ingest.pipeline import PARSERS
from ingest.ports import Unit
from ingest.screening import NAME
from ingest.source_record import Code
from tests.builders import BORN, a_number, an_address, asserts, the_rules
from tests.loading import (
    NO_NUMBER,
    TODAY,
    Index,
    Told,
    a_births_file,
    a_patient,
    an_entry,
    ndjson,
    restricted,
)

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "sources"
OLIVER: Final = an_entry(
    entry_id="WKF/2017/7",
    given_names="Oliver",
    surname="Khan",
    date_of_birth="2017-07-07",
    registered_on="2017-07-20",
    sex="M",
    nhs_number="9434765870",
    address_line_1="8 Quay Street",
    postcode="HU1 1AA",
)


def counted(counts: Counts) -> dict[str, int]:
    """The outcomes that are not nought."""
    return {name: number for name, number in asdict(counts).items() if number and name != "events"}


def home(facts: RecordFacts) -> str:
    assert isinstance(facts.whereabouts, CurrentAddress | LastKnownAddress)
    return facts.whereabouts.address.lines[0]


# A load and its counts


def test_new_children_are_registered_and_a_second_load_adds_nothing() -> None:
    index = Index()
    first = index.births(an_entry(), OLIVER)
    assert counted(first) == {"registered": 2}
    head = index.head()
    second = index.births(an_entry(), OLIVER)
    assert (counted(second), second.events, index.head()) == ({"unchanged": 2}, 0, head)


def test_read_is_the_sum_of_the_outcomes_and_events_are_those_of_records() -> None:
    index = Index()
    told = Told()
    loaded = index.load("births", (SAMPLES / "births" / "broken.csv").read_bytes(), told=told)
    assert counted(loaded.counts) == {"registered": 2, "refused": 9}
    assert loaded.counts.read == 11
    assert loaded.counts.events == index.head() - 1  # and one that the file was received
    assert [(r.line, r.code) for r in told.refusals][:2] == [(3, "bad-date"), (4, "bad-nhs-number")]


def test_the_same_line_twice_in_a_file_is_one_child() -> None:
    index = Index()
    assert counted(index.births(an_entry(), an_entry())) == {"registered": 1, "unchanged": 1}
    assert len(index.records()) == 1


@pytest.mark.parametrize("chunk", [1, 2, 50])
def test_two_lines_of_one_child_in_a_file_are_one_record(chunk: int) -> None:
    index = Index(chunk=chunk)
    corrected = an_entry(given_names="Amelia Rosa")
    assert counted(index.births(an_entry(), OLIVER, corrected)) == {"registered": 2, "updated": 1}
    assert len(index.records()) == 2


def test_births_then_pds_is_one_record_with_both_sources() -> None:
    index = Index()
    index.births(an_entry())
    assert counted(index.pds(a_patient())) == {"updated": 1}
    facts = index.the_facts()
    assert home(facts) == "3 Calder Street"
    assert facts.held["whereabouts"].source_kind is SourceKind.PDS
    assert facts.held["date_of_birth"].source_kind is SourceKind.BIRTHS
    assert [c.name.given[0] for c in facts.carers] == ["Helen"]


def test_without_a_number_names_birth_date_and_postcode_link() -> None:
    index = Index()
    index.births(an_entry(**NO_NUMBER, address_line_1="3 Calder Street", postcode="WF4 3DN"))
    assert counted(index.pds(a_patient())) == {"updated": 1}
    assert index.the_facts().nhs_number == "9434765919"


def test_an_address_without_a_date_holds_from_the_day_it_was_received() -> None:
    index = Index()
    index.pds(a_patient(address=[{"line": ["1 Undated Road"], "postalCode": "WF4 3DN"}]))
    assert index.the_facts().held["whereabouts"].since == date(2026, 3, 2)
    index.home.clock.instant = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
    again = index.pds(a_patient(address=[{"line": ["1 Undated Road"], "postalCode": "WF4 3DN"}]))
    assert counted(again) == {"unchanged": 1}


def test_the_authority_that_births_names_is_responsible_where_none_was() -> None:
    index = Index()
    index.pds(a_patient())
    assert index.the_facts().authority is None
    index.births(an_entry(authority="E08000036"))
    assert index.the_facts().authority == "E08000036"
    index.births(an_entry(authority="E08000035", entry_id="LATER/1"))
    assert index.the_facts().authority == "E08000036"


# Refusals


@pytest.mark.parametrize(
    ("patient", "code", "field"),
    [
        (a_patient(birthDate="2008-03-02"), "adult", "birthDate"),
        (a_patient(birthDate="2026-03-03"), "date-in-future", "birthDate"),
        (
            a_patient(address=[{"line": ["1 Road"], "period": {"start": "2026-03-03"}}]),
            "date-in-future",
            "address",
        ),
        ({**a_patient(), "photo": []}, "field-not-allowed", "photo"),
    ],
)
def test_a_refused_item_leaves_nothing(patient: dict[str, Any], code: str, field: str) -> None:
    index, told = Index(), Told()
    loaded = index.load("pds", ndjson(patient), told=told)
    assert counted(loaded.counts) == {"refused": 1}
    assert [(r.line, r.code, r.field) for r in told.refusals] == [(1, code, field)]
    assert (loaded.counts.events, index.head()) == (0, 0)


def test_the_day_before_the_eighteenth_birthday_is_a_childs() -> None:
    assert counted(Index().pds(a_patient(birthDate="2008-03-03"))) == {"registered": 1}


def test_test_numbers_are_for_training_homes() -> None:
    index, told = Index(), Told()
    index.loader = index.a_loader(synthetic=False)
    index.load("pds", ndjson(a_patient("9000000009"), a_patient("4010232137")), told=told)
    assert [(r.code, r.line) for r in told.refusals] == [("synthetic-nhs-number", 1)]
    assert len(index.records()) == 1


def test_a_narrative_in_an_address_is_refused_and_repeated_nowhere() -> None:
    index, told = Index(), Told()
    story = "See https://example.org/about-the-family"
    index.load("births", a_births_file(an_entry(address_line_1=story)), told=told)
    assert [r.field for r in told.refusals] == ["address_line_1"]
    assert index.head() == 0
    assert story not in repr(told)


def test_an_unknown_kind_is_refused_naming_those_there_are() -> None:
    with pytest.raises(BadInput, match=", ".join(sorted(PARSERS))):
        Index().load("practitioner", b"")


# Twins and doubts


def test_twins_are_two_records() -> None:
    index = Index()
    twins = (SAMPLES / "pds" / "twins.ndjson").read_bytes()
    assert counted(index.load("pds", twins).counts) == {"registered": 2}
    no_numbers = [
        an_entry(**NO_NUMBER, entry_id=f"T/{order}", given_names=given, birth_order=str(order))
        for order, given in ((1, "Mohammed Ali"), (2, "Mohammed Hassan"))
    ]
    assert counted(index.births(*no_numbers)) == {"registered": 2}
    unnamed = [
        an_entry(**NO_NUMBER, entry_id=f"U/{order}", given_names="Baby", birth_order=str(order))
        for order in (1, 2)
    ]
    assert counted(index.births(*unnamed)) == {"registered": 1, "queued": 1}


def test_a_number_with_another_birth_date_waits_for_a_human() -> None:
    index = Index()
    index.births(an_entry())
    assert counted(index.pds(a_patient(birthDate="2016-04-12"))) == {"queued": 1}
    (held,) = index.held()
    assert held.reason == "queued"
    assert held.candidates == (index.records()[0].child_id,)
    assert held.assertion.nhs_number == "9434765919"
    assert len(index.records()) == 1
    assert counted(index.pds(a_patient(birthDate="2016-04-12"))) == {"unchanged": 1}


def test_what_a_doubtful_restricted_message_may_be_about_is_shielded_meanwhile() -> None:
    index = Index()
    index.births(an_entry())
    assert counted(index.pds(restricted(birthDate="2016-04-12"))) == {"queued": 1}
    (record,) = index.records()
    assert [shield.provisional for shield in record.shields] == [True]
    (seen,) = index.seen()
    assert not seen.opened


def test_a_number_that_somebody_merely_typed_shuts_nobody_out() -> None:
    index = Index()
    by_hand(
        index, nhs_number="9434765919", names=(PersonName(given=("Oli",), family="Khan"),), date_of_birth=BORN
    )
    assert counted(index.births(an_entry())) == {"queued": 1}
    index = Index()
    by_hand(index, nhs_number="9434765919")
    assert counted(index.births(an_entry(), an_entry(entry_id="X", address_line_1="2 Row"))) == {"updated": 2}
    assert index.store.find(nhs_number_token(index.tokens, "9434765919")) == index.records()[0].child_id


def test_an_adult_is_refused_and_not_queued_whoever_has_the_number() -> None:
    index = Index()
    index.births(an_entry())
    assert counted(index.pds(a_patient(birthDate="1990-04-02"))) == {"refused": 1}


def test_two_different_verified_numbers_never_merge() -> None:
    index = Index()
    index.births(an_entry())
    other = a_patient("9434765870", address=[{"line": ["14 Sandal Rise"], "postalCode": "WF2 6QA"}])
    assert counted(index.pds(other)) == {"queued": 1}
    assert index.the_facts().nhs_number == "9434765919"


def test_a_superseded_number_finds_the_record_made_under_it() -> None:
    index = Index()
    index.births(an_entry())
    replaced = {**a_patient("9434765870"), "id": "9434765919"}
    assert counted(index.pds(replaced)) == {"updated": 1}
    assert index.the_facts().nhs_number == "9434765870"
    late = an_entry(entry_id="LATE/1", address_line_1="2 Late Row")
    assert counted(index.births(late)) == {"updated": 1}


# Carers


def test_related_persons_become_carers() -> None:
    index = Index()
    index.load("pds", (SAMPLES / "pds" / "patient.json").read_bytes())
    told = Told()
    counts = index.load("pds", (SAMPLES / "pds" / "related_persons.json").read_bytes(), told=told).counts
    assert (counted(counts), counts.events) == ({"updated": 1, "refused": 3}, 1)
    assert [c.name.given[0] for c in index.the_facts().carers] == ["Adwoa", "Kofi"]


def test_carers_of_a_child_that_is_not_there_are_refused_and_may_come_again() -> None:
    index, told = Index(), Told()
    content = (SAMPLES / "pds" / "related_persons.json").read_bytes()
    index.load("pds", content, told=told)
    assert told.refusals[-1].code == Code.UNKNOWN_CHILD
    index.load("pds", (SAMPLES / "pds" / "patient.json").read_bytes())
    assert index.load("pds", content).counts.updated == 1


def test_a_child_and_its_carers_in_one_file() -> None:
    index = Index()
    mother = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": "Patient/9434765919"},
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "name": [{"family": "Thornton", "given": ["Helen"]}],
    }
    assert counted(index.pds(a_patient(), mother)) == {"registered": 1, "updated": 1}
    assert [c.name.given[0] for c in index.the_facts().carers] == ["Helen"]


# Shields


def test_a_restricted_child_is_registered_shielded_and_its_place_is_opened_to_nobody_else() -> None:
    index = Index()
    counts = index.pds(restricted())
    assert (counted(counts), counts.events) == ({"registered": 1}, 0)
    (seen,) = index.seen()
    assert (seen.shielded, seen.opened, seen.whereabouts) == (True, False, None)
    assert index.the_facts().withheld == ("address", "contact", "practice")


def test_the_keys_of_what_was_held_before_move_and_the_place_is_noted() -> None:
    index = Index()
    index.births(an_entry())
    (record,) = index.records()
    assert [row.wrapped is None for row in content_keys(index, record.child_id)] == [False]
    index.pds(restricted())
    assert [row.wrapped is None for row in content_keys(index, record.child_id)] == [True, True]
    assert sorted(index.home.shielded_rows(record.child_id)) == [1, 2]
    assert index.places.near([index.tokens.token("place", b"WF26QA|14")]) == {record.child_id}


def content_keys(index: Index, child_id: UUID) -> list[KeyRow]:
    rows = index.home.key_rows(child_id)
    return [rows[name] for name in sorted(rows) if name[0] == KeyKind.CONTENT]


def test_t22_no_feed_lowers_a_shield() -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    counts = index.pds(a_patient(), restricted())
    assert all(facts.shielded for facts in index.seen())
    assert (counts.registered, counts.queued, counts.quarantined, counts.events) == (0, 0, 0, 0)
    assert index.the_facts().shielded


def test_what_a_restricted_message_removes_is_withheld_and_not_cleared() -> None:
    index = Index()
    index.pds(a_patient())
    index.pds(restricted())
    facts = index.the_facts()
    assert home(facts) == "3 Calder Street"
    assert facts.withheld == ("address", "contact", "practice")


@pytest.mark.parametrize(
    "changed",
    [{}, {"address_line_1": "14 Sandal Rise "}, {"address_line_1": "9 New Place", "postcode": "LS1 1UR"}],
)
def test_of_a_shielded_record_the_outcome_tells_nothing(changed: dict[str, str]) -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    line = an_entry(entry_id="ANOTHER/1", **changed)
    first = index.births(line)
    assert (counted(first), first.events) == ({"updated": 1}, 0)
    second = index.births(line)
    assert (counted(second), second.events) == ({"unchanged": 1}, 0)


def test_of_a_shielded_record_a_line_without_news_counts_as_one_with() -> None:
    index = Index()
    index.births(an_entry())
    two = an_entry(entry_id="ANOTHER/1"), an_entry(entry_id="ANOTHER/2")
    assert counted(index.births(*two)) == {"updated": 1, "unchanged": 1}
    index.pds(restricted())
    counts = index.births(an_entry(entry_id="ANOTHER/3"), an_entry(entry_id="ANOTHER/4"))
    assert (counted(counts), counts.events) == ({"updated": 2}, 0)


def test_t21_an_update_that_does_not_match_a_shielded_child_is_seen_by_nobody() -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    unmatched = an_entry(**NO_NUMBER, entry_id="X/1", given_names="Emelia", address_line_1="1 Refuge")
    counts = index.births(unmatched)
    assert (counted(counts), len(index.records())) == ({"quarantined": 1}, 1)
    (held,) = index.held()
    assert (held.reason, held.candidates) == ("quarantined", ())
    (stream,) = {r.stream_id for r in index.log() if r.event == held}
    assert [type(r.event).__name__ for r in index.serving.load(stream).events] == ["Concealed"]
    assert counted(index.births(unmatched)) == {"unchanged": 1}


def test_t21_the_very_names_of_a_shielded_child_do_not_make_a_second_record() -> None:
    index = Index()
    index.births(an_entry(**NO_NUMBER))
    index.pds(restricted("9434765919"))
    counts = index.births(an_entry(**NO_NUMBER, entry_id="X/1"))
    assert (counts.registered, len([f for f in index.facts() if not f.shielded])) == (0, 0)


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"date_of_birth": "2012-01-09", "registered_on": "2012-02-01"}, "quarantined"),
        (
            {
                "date_of_birth": "2012-01-09",
                "registered_on": "2012-02-01",
                "address_line_1": "14, SANDAL RISE",
            },
            "quarantined",
        ),
        (
            {
                "date_of_birth": "2012-01-09",
                "registered_on": "2012-02-01",
                "address_line_1": "15 Sandal Rise",
            },
            "registered",
        ),
        (
            {"date_of_birth": "2012-01-09", "registered_on": "2012-02-01", "given_names": "Oliver"},
            "registered",
        ),
    ],
    ids=["same place", "same place otherwise written", "next door", "a brother"],
)
def test_t26_a_near_name_at_a_shielded_childs_address_is_held_back(
    changed: dict[str, str], outcome: str
) -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    counts = index.births(an_entry(**NO_NUMBER, entry_id="X/1", given_names="Amelia", sex="") | changed)
    assert counted(counts) == {outcome: 1}


def test_t26_records_already_there_that_resemble_a_newly_shielded_child_are_shielded_provisionally() -> None:
    index = Index()
    index.births(
        an_entry(),
        an_entry(
            **NO_NUMBER, entry_id="NEAR/1", given_names="Emelia", address_line_1="1 Away", postcode="LS1 1UR"
        ),
        an_entry(
            **NO_NUMBER,
            entry_id="PLACE/1",
            given_names="Amelia",
            date_of_birth="2011-01-01",
            registered_on="2011-01-10",
        ),
        OLIVER,
    )
    assert not any(facts.shielded for facts in index.seen())
    index.pds(restricted())
    records = index.records()
    assert [record.shielded for record in records] == [True, True, True, False]
    assert [[shield.provisional for shield in record.shields] for record in records] == [
        [False],
        [True],
        [True],
        [],
    ]
    assert [facts.opened for facts in index.seen()] == [False, False, False, True]


NEAR: Final = a_patient("9434765870", name=[{"family": "Thornton", "given": ["Emelia"]}])


def test_t21_the_place_of_a_child_shielded_a_line_ago_links_nothing_any_more() -> None:
    index = Index()
    index.births(an_entry())
    there = a_patient("9434765870", address=[{"line": ["14 Sandal Rise"], "postalCode": "WF2 6QA"}])
    assert counted(index.pds(restricted(), there)) == {"updated": 1, "quarantined": 1}


def test_t21_what_follows_a_shielded_child_in_the_same_file_is_screened_against_it() -> None:
    index = Index()
    assert counted(index.pds(restricted(), NEAR)) == {"registered": 1, "quarantined": 1}


def test_a_child_shielded_in_a_file_and_told_of_again_in_the_same_file() -> None:
    index = Index()
    later = a_patient(address=[{"line": ["9 New Place"], "postalCode": "LS1 1UR"}])
    assert counted(index.pds(a_patient(), restricted(), later)) == {"registered": 1, "updated": 2}
    assert (home(index.the_facts()), index.seen()[0].opened) == ("9 New Place", False)


def test_t26_a_record_made_a_moment_ago_is_screened_as_well() -> None:
    index = Index(chunk=1)
    index.pds(NEAR, restricted())
    assert [record.shielded for record in index.records()] == [True, True]


def test_t26_a_load_killed_before_the_screen_screens_when_it_is_run_again() -> None:
    index = Index(chunk=1)
    content = ndjson(NEAR, restricted())
    use(index, DyingStore(index, 2, after=True))
    with pytest.raises(Dies):
        index.load("pds", content)
    assert [record.shielded for record in index.records()] == [False, True]
    index.loader = index.a_loader()
    assert counted(index.load("pds", content).counts) == {"unchanged": 2}
    assert [record.shielded for record in index.records()] == [True, True]


def test_a_provisional_shield_screens_nobody_else() -> None:
    index = Index()
    index.births(
        an_entry(),
        an_entry(
            **NO_NUMBER, entry_id="N/1", given_names="Emelia", address_line_1="1 Away", postcode="LS1 1UR"
        ),
        an_entry(
            **NO_NUMBER,
            entry_id="N/2",
            given_names="Emelia",
            date_of_birth="2010-01-01",
            registered_on="2010-01-10",
            address_line_1="1 Away",
            postcode="LS1 1UR",
        ),
    )
    index.pds(restricted())
    assert [record.shielded for record in index.records()] == [True, True, False]


def test_a_shield_lifted_gives_back_the_place() -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    child = index.records()[0].child_id
    command = LiftShield(
        at=index.home.clock.now(), reason="risk-ended", proposed_by=UUID(int=1), confirmed_by=UUID(int=2)
    )
    handle(child, command, store=index.store, tokens=index.tokens, rules=the_rules(), metadata=index.by())
    index.follower.catch_up(index.by())
    (seen,) = index.seen()
    assert (seen.shielded, seen.opened, home(seen)) == (False, True, "14 Sandal Rise")
    assert index.places.near([index.tokens.token("place", b"WF26QA|14")]) == set()


def test_the_follower_leaves_what_lies_behind_a_position_for_its_next_run() -> None:
    index = Index()
    index.births(an_entry())
    child = index.records()[0].child_id
    dealt_with = index.follower.positions.position(NAME)
    for street in ("1 Beck Rise", "2 Beck Rise"):
        command = asserts(at=index.home.clock.now(), whereabouts=an_address(street))
        handle(child, command, store=index.store, tokens=index.tokens, rules=the_rules(), metadata=index.by())
    index.follower.catch_up(index.by(), upto=dealt_with + 1)
    assert index.follower.positions.position(NAME) == dealt_with + 1
    index.follower.catch_up(index.by())
    assert index.follower.positions.position(NAME) == dealt_with + 2 == index.follower.order.head()


# Stopping and going on


def use(index: Index, store: object) -> None:
    """Have the next load append through another store."""
    index.loader = replace(index.loader, store=cast(Any, store))


class Dies(Exception):
    """The process was killed here."""


class DyingStore:
    """A store that dies at its n-th append of units, before or after the transaction."""

    def __init__(self, index: Index, at: int, *, after: bool) -> None:
        self._store = index.store
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append_units(
        self, units: Sequence[Unit], metadata: Metadata, *, batch: UUID | None, instant: datetime
    ) -> list[Appended | VersionConflict | AlreadyReserved]:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Dies
        outcomes = self._store.append_units(units, metadata, batch=batch, instant=instant)
        if self._left == 0:
            raise Dies
        return outcomes


def end_of(index: Index) -> list[tuple[Any, ...]]:
    """What a load came to, whatever ids it drew."""
    return [
        (facts.name, facts.date_of_birth, facts.whereabouts, facts.carers, facts.shielded, facts.version)
        for facts in index.facts()
    ]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_load_killed_anywhere_and_run_again_comes_to_the_same_end(at: int, after: bool) -> None:
    content = ndjson(a_patient(), restricted("9434765870", birthDate="2015-05-05"), restricted())
    whole, killed = Index(chunk=1), Index(chunk=1)
    whole.load("pds", content)
    use(killed, DyingStore(killed, at, after=after))
    with pytest.raises(Dies):
        killed.load("pds", content)
    killed.loader = killed.a_loader(chunk=1)
    killed.load("pds", content)
    assert end_of(killed) == end_of(whole)
    assert [facts.opened for facts in killed.seen()] == [facts.opened for facts in whole.seen()]


def test_a_load_that_was_cut_off_keeps_its_file_id() -> None:
    index = Index(chunk=1)
    content = a_births_file(an_entry(), OLIVER)
    use(index, DyingStore(index, 2, after=True))
    with pytest.raises(Dies):
        index.load("births", content)
    index.loader = index.a_loader()
    again = index.load("births", content)
    assert counted(again.counts) == {"unchanged": 2}
    assert len([r for r in index.log() if isinstance(r.event, FileReceived)]) == 1
    assert index.load("births", content).file_id == again.file_id


class InterferingStore:
    """A store before whose first append another load gets its records in."""

    def __init__(self, index: Index, interfere: Callable[[], object]) -> None:
        self._store = index.store
        self._interfere: Callable[[], object] | None = interfere

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append_units(self, *units: Any, **more: Any) -> list[Appended | VersionConflict | AlreadyReserved]:
        interfere, self._interfere = self._interfere, None
        if interfere is not None:
            interfere()
        return self._store.append_units(*units, **more)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (lambda index: index.births(an_entry()), {"updated": 1}),
        (lambda index: index.pds(a_patient()), {"unchanged": 1}),
        (lambda index: index.births(an_entry(date_of_birth="2016-04-03")), {"queued": 1}),
    ],
    ids=["the same child by another source", "the same line", "the same number, another birth date"],
)
def test_two_loads_at_once_make_one_record_of_one_child(
    other: Callable[[Index], object], expected: dict[str, int]
) -> None:
    index = Index()
    theirs = index.a_loader()

    def interfere() -> None:
        index.loader = theirs
        other(index)
        index.loader = mine

    use(index, InterferingStore(index, interfere))
    mine = index.loader
    assert counted(index.pds(a_patient())) == expected
    assert len(index.records()) == 1


def test_a_record_changed_meanwhile_is_decided_again() -> None:
    index = Index()
    index.births(an_entry())
    child = index.records()[0].child_id
    correction = AssertFacts(
        at=index.home.clock.now(),
        source_kind=SourceKind.OFFICER,
        effective=date(2026, 3, 1),
        gender=Gender.NOT_SPECIFIED,
    )

    def interfere() -> None:
        handle(
            child, correction, store=index.store, tokens=index.tokens, rules=the_rules(), metadata=index.by()
        )

    use(index, InterferingStore(index, interfere))
    assert counted(index.pds(a_patient())) == {"updated": 1}
    facts = index.the_facts()
    assert (facts.gender, home(facts)) == (Gender.NOT_SPECIFIED, "3 Calder Street")


def test_unavailable_stops_the_load_and_nothing_is_half_done() -> None:
    class Away(InterferingStore):
        def append_units(self, *units: Any, **more: Any) -> Any:
            raise Unavailable("away")

    index = Index()
    use(index, Away(index, lambda: None))
    with pytest.raises(Unavailable):
        index.births(an_entry())
    assert index.records() == []


# Trying it first


def test_a_dry_run_says_what_would_happen_and_changes_nothing() -> None:
    index = Index()
    index.births(OLIVER)
    head = index.head()
    content = a_births_file(an_entry(), an_entry(address_line_1="15 Sandal Rise"), OLIVER)
    dry = index.load("births", content, dry_run=True).counts
    assert counted(dry) == {"registered": 1, "updated": 1, "unchanged": 1}
    assert index.head() == head
    wet = index.load("births", content).counts
    assert (counted(wet), wet.events) == (counted(dry), dry.events)


def test_progress_is_told_in_bytes() -> None:
    index, seen = Index(chunk=1), list[tuple[int, int, int]]()
    content = a_births_file(an_entry(), OLIVER)
    listener = Told().listener.__class__(
        progress=lambda done, total, counts: seen.append((done, total, counts.read))
    )
    import io

    index.loader.load(SourceKind.BIRTHS, io.BytesIO(content), index.by(), listener=listener)
    assert [(total, read) for _, total, read in seen] == [(len(content), 1), (len(content), 2)]
    assert seen[0][0] < seen[1][0] == len(content)


# Taking a file back


def withdrawn(index: Index, loaded: Loaded) -> None:
    index.loader.withdraw(loaded.file_id, index.by())


def test_a_withdrawn_file_takes_with_it_what_rested_on_it_alone() -> None:
    index = Index()
    index.births(an_entry())
    loaded = index.load("pds", ndjson(a_patient(), a_patient("9434765870", birthDate="2015-05-05")))
    withdrawn(index, loaded)
    first, second = index.records()
    assert [facts.supply_gone for facts in index.facts()] == [False, True]
    assert home(index.facts()[0]) == "14 Sandal Rise"
    assert first.archived_on is None
    assert second.archived_on == date(2026, 3, 2)
    assert index.candidates.find(["n:9434765870"]) == []


def test_withdrawing_twice_changes_nothing_more() -> None:
    index = Index()
    loaded = index.load("pds", ndjson(a_patient()))
    withdrawn(index, loaded)
    head = index.head()
    withdrawn(index, loaded)
    assert index.head() == head


def test_a_withdrawn_file_may_be_loaded_again_and_finds_its_records() -> None:
    index = Index()
    content = a_births_file(
        an_entry(), an_entry(**NO_NUMBER, entry_id="N/1", given_names="Oli", date_of_birth="2015-05-05")
    )
    loaded = index.load("births", content)
    withdrawn(index, loaded)
    again = index.load("births", content)
    assert again.file_id == loaded.file_id
    assert counted(again.counts) == {"updated": 2}
    assert [(f.supply_gone, f.archived_on) for f in index.facts()] == [(False, None), (False, None)]
    withdrawn(index, again)
    assert [f.supply_gone for f in index.facts()] == [True, True]


def test_a_shield_survives_the_withdrawal_of_the_file_that_raised_it() -> None:
    index = Index()
    index.births(an_entry())
    withdrawn(index, index.load("pds", ndjson(restricted())))
    (seen,) = index.seen()
    assert (seen.shielded, seen.opened) == (True, False)


def test_held_records_of_a_withdrawn_file_are_let_go() -> None:
    index = Index()
    index.births(an_entry())
    loaded = index.load("pds", ndjson(a_patient(birthDate="2016-04-12")))
    withdrawn(index, loaded)
    assert [event.outcome for event in released(index)] == ["withdrawn"]
    assert isinstance(index.store.load(loaded.file_id).events[-1].event, FileWithdrawn)
    assert counted(index.load("pds", ndjson(a_patient(birthDate="2016-04-12"))).counts) == {"queued": 1}


def test_what_another_file_says_as_well_stays_when_the_first_is_withdrawn() -> None:
    index = Index()
    first = index.load("births", a_births_file(an_entry(), OLIVER))
    second = index.load("births", a_births_file(an_entry()))
    assert counted(second.counts) == {"unchanged": 1}
    withdrawn(index, first)
    assert [facts.supply_gone for facts in index.facts()] == [False, True]
    assert (home(index.facts()[0]), index.records()[0].archived_on) == ("14 Sandal Rise", None)
    withdrawn(index, second)
    assert [facts.supply_gone for facts in index.facts()] == [True, True]


def test_three_files_that_say_the_same_are_withdrawn_one_by_one() -> None:
    index = Index()
    left = {index.load("births", a_births_file(an_entry(), *[OLIVER] * more)).file_id for more in (0, 1, 2)}
    while left:
        (said_by,) = {
            a.event.source.file for a in index.records()[0].standing if isinstance(a.event.source, Source)
        }
        assert said_by in left
        left.discard(said_by)
        index.loader.withdraw(said_by, index.by())
        assert index.facts()[0].supply_gone is (not left)


def test_what_was_withdrawn_before_is_not_said_anew() -> None:
    index = Index()
    content = a_births_file(an_entry())
    withdrawn(index, index.load("births", content))
    again = index.load("births", content)
    index.load("births", a_births_file(an_entry(), OLIVER))
    withdrawn(index, again)
    named = [a for a in index.records()[0].standing if isinstance(a.event, IdentityAsserted)]
    assert len(named) == 1


def test_a_fact_that_two_messages_share_stays_when_one_is_withdrawn() -> None:
    index = Index()
    first = index.load("pds", ndjson(a_patient()))
    index.pds(a_patient(address=[{"line": ["9 New Place"], "postalCode": "LS1 1UR"}]))
    withdrawn(index, first)
    facts = index.the_facts()
    assert (home(facts), facts.practice is not None, facts.supply_gone) == ("9 New Place", True, False)


def test_of_two_lines_about_a_child_only_the_one_that_another_file_says_stays() -> None:
    index = Index()
    here, there = an_entry(), an_entry(entry_id="2", address_line_1="9 New Place", postcode="LS1 1UR")
    first = index.load("births", a_births_file(here, there))
    index.load("births", a_births_file(there))
    withdrawn(index, first)
    facts = index.the_facts()
    assert (home(facts), facts.earlier_addresses) == ("9 New Place", ())


def test_a_held_record_that_another_file_holds_as_well_stays_held() -> None:
    index = Index()
    index.births(an_entry())
    doubtful = a_patient(birthDate="2016-04-12")
    first, second = index.load("pds", ndjson(doubtful)), index.load("pds", ndjson(doubtful, {"no": "child"}))
    withdrawn(index, first)
    assert len(index.held()) - len(released(index)) == 1
    withdrawn(index, second)
    assert len(index.held()) - len(released(index)) == 0


def released(index: Index) -> list[SourceRecordReleased]:
    return [r.event for r in index.log() if isinstance(r.event, SourceRecordReleased)]


def test_an_unknown_file_cannot_be_withdrawn() -> None:
    with pytest.raises(NotFound):
        Index().loader.withdraw(UUID(int=5), Index().by())


# By hand


def by_hand(index: Index, **changed: Any) -> None:
    said: dict[str, Any] = {
        "at": index.home.clock.now(),
        "index_number": a_number(index.head() + 77),
        "source_kind": SourceKind.PRACTITIONER,
        "source": Source(body="E08000036"),
        "effective": date(2026, 3, 2),
        "names": (PersonName(given=("Amelia", "Rose"), family="Thornton"),),
        "date_of_birth": date(2016, 4, 2),
        "whereabouts": CurrentAddress(address=Address(lines=("14 Sandal Rise",), postcode="WF2 6QA")),
        **changed,
    }
    index.loader.admit(RegisterChild(**said), index.by())


def test_t10_a_registration_by_hand_searches_before_it_creates() -> None:
    index = Index()
    by_hand(index)
    by_hand(index)
    assert len(index.records()) == 1
    index.pds(restricted())
    assert (
        counted(index.pds(a_patient("9434765870", name=[{"family": "Thorntan", "given": ["Amelia"]}]))) != {}
    )


def test_a_registration_by_hand_near_a_shielded_child_is_held_back_without_a_word() -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    by_hand(index, whereabouts=CurrentAddress(address=Address(lines=("1 Refuge",), postcode="LS1 1UR")))
    assert (len(index.records()), [held.reason for held in index.held()]) == (1, ["quarantined"])


def test_a_registration_by_hand_that_may_not_be_is_refused_in_words() -> None:
    index = Index()
    with pytest.raises(Refused) as refusal:
        by_hand(index, date_of_birth=date(2000, 1, 1))
    assert refusal.value.code == "adult"
    assert index.head() == 0


# What may not be held is held nowhere


def test_nothing_of_a_refused_item_or_of_a_place_stands_in_clear_anywhere() -> None:
    index = Index()
    index.births(an_entry(address_line_1="77 Unmistakable Way"))
    stored = b"".join(row.identity + row.content + row.metadata for row in index.home.record.tail(0, 1000))
    assert b"Unmistakable" not in stored
    assert any(isinstance(r.event, AddressAsserted) for r in index.log())


def test_t60_a_load_that_goes_on_over_the_minute_of_closure_stops_there() -> None:
    noon = TODAY + timedelta(minutes=1)
    closure = Closure(at=noon, destroy_months=2, may={"operator": ("retention", "policy", "two-people")})
    index = Index(chunk=1, rules=RuleBook([the_rules().model_copy(update={"closure": closure})]))

    def first_is_done(*_: object) -> None:
        index.home.clock.instant = noon

    content = ndjson(a_patient(), a_patient("9435797644", id="another"))
    with pytest.raises(Refused) as refusal:
        index.loader.load(SourceKind.PDS, io.BytesIO(content), index.by(), listener=Listener(first_is_done))
    assert refusal.value.code == "index-closed"
    assert len(index.records()) == 1
