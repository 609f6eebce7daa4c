"""What PDS messages say, and what of them is refused."""

import io
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from domain.child_record.events import Contact, CurrentAddress, Gender, LastKnownAddress
from ingest.source_record import SUPERSEDED, Code, Facts, Parsed, Rejected, SourceRecord, Warned
from ingest.sources import pds
from tests.loading import a_patient, ndjson

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "sources" / "pds"
SANDBOX: Final = Path(__file__).parents[3].parent / "shared" / "sources" / "nhs-pds"

NOBODY: Final = "it says nobody"


def parse(content: bytes) -> list[Parsed]:
    return list(pds.parse(io.BytesIO(content)))


def sample(name: str) -> list[Parsed]:
    return parse((SAMPLES / name).read_bytes())


def one(name: str) -> SourceRecord:
    (record,) = sample(name)
    assert isinstance(record, SourceRecord)
    return record


def said(patient: Mapping[str, Any]) -> Facts:
    (record,) = parse(json.dumps(patient).encode())
    assert isinstance(record, SourceRecord)
    return record.facts


def refused(patient: Mapping[str, Any]) -> tuple[str, str | None]:
    (rejected,) = parse(json.dumps(patient).encode())
    assert isinstance(rejected, Rejected)
    return rejected.code.value, rejected.field


# Reading


def test_a_child_with_a_former_name() -> None:
    facts = one("patient.json").facts
    assert [(n.given, n.family, n.kind) for n in facts.names] == [
        (("Maya", "Ruth"), "Osei", "current"),
        (("Maya", "Ruth"), "Mensah", "former"),
    ]
    assert facts.names[1].until == date(2019, 5, 31)
    assert (facts.date_of_birth, facts.gender, facts.birth_order) == (date(2015, 3, 1), Gender.FEMALE, 1)
    assert facts.confidence == "verified"


def test_the_home_address_and_the_practice_are_taken_with_their_dates() -> None:
    facts = one("patient.json").facts
    assert isinstance(facts.whereabouts, CurrentAddress)
    assert facts.whereabouts.address.lines == ("Flat 2", "10 Weir Lane", "Wakefield")
    assert facts.whereabouts.address.uprn == 100050123456
    assert facts.address_effective == date(2018, 4, 1)
    assert facts.practice is not None
    assert (facts.practice.code, facts.practice_effective) == ("B87016", date(2018, 4, 5))


def test_a_childs_telephone_number_and_what_else_is_passed_over_stand_nowhere() -> None:
    canonical = one("patient.json").canonical().decode()
    for text in ("01632960123", "Holiday", "FX123", "Leeds"):
        assert text not in canonical


def test_an_address_that_ended_is_last_known_since_its_end() -> None:
    facts = said(
        a_patient(address=[{"use": "home", "line": ["1 Old Road"], "period": {"end": "2021-12-31"}}])
    )
    assert isinstance(facts.whereabouts, LastKnownAddress)
    assert facts.address_effective == date(2021, 12, 31)


def test_the_address_in_force_is_preferred_to_one_that_ended() -> None:
    ended = {"use": "home", "line": ["1 Old Road"], "period": {"start": "2024-01-01", "end": "2025-12-31"}}
    facts = said(a_patient(address=[ended, *a_patient()["address"]]))
    assert isinstance(facts.whereabouts, CurrentAddress)
    assert facts.whereabouts.address.lines == ("3 Calder Street",)


def test_an_address_without_a_date_has_none() -> None:
    facts = said(a_patient(address=[{"line": ["1 Road"], "postalCode": "WF4 3DN"}]))
    assert isinstance(facts.whereabouts, CurrentAddress)
    assert facts.address_effective is None


@pytest.mark.parametrize(
    "name", ["restricted", "very_restricted", "unknown_confidentiality", "without_confidentiality"]
)
def test_only_u_is_unrestricted(name: str) -> None:
    facts = one(f"{name}.json").facts
    assert facts.restricted
    assert facts.withheld == ("address", "practice", "contact")
    assert facts.whereabouts is None


def test_what_an_unrestricted_message_leaves_out_is_not_withheld() -> None:
    facts = said(a_patient(address=None, generalPractitioner=None))
    assert not facts.restricted
    assert facts.withheld == ()


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("female", Gender.FEMALE),
        ("male", Gender.MALE),
        ("other", Gender.NOT_SPECIFIED),
        ("unknown", Gender.NOT_SPECIFIED),
        (None, None),
    ],
)
def test_t3_gender_absent_says_nothing(written: str | None, held: Gender | None) -> None:
    assert said(a_patient(gender=written)).gender is held


def test_twins_are_told_apart_by_birth_order() -> None:
    twins = [record for record in sample("twins.ndjson") if isinstance(record, SourceRecord)]
    assert [(t.line, t.facts.birth_order, t.facts.names[0].given) for t in twins] == [
        (1, 1, ("Cora",)),
        (2, 2, ("Cian",)),
    ]


@pytest.mark.parametrize("order", [8, 9])
def test_birth_order_not_applicable_or_unknown_says_nothing(order: int) -> None:
    assert said(a_patient(multipleBirthInteger=order)).birth_order is None


def test_a_superseded_number_is_kept_as_the_former_one() -> None:
    facts = one("superseded_searchset.json").facts
    (former,) = facts.identifiers
    assert former.scheme == SUPERSEDED
    assert former.allocated_by == "NHS"
    assert former.value != facts.nhs_number
    by_id = said({**a_patient("9434765919"), "id": "9434765870"})
    assert (by_id.nhs_number, by_id.identifiers[0].value) == ("9434765919", "9434765870")


def test_a_death_is_taken_and_a_death_without_a_day_is_not() -> None:
    assert one("died.json").facts.died_on == date(2025, 12, 24)
    (record,) = parse(ndjson(a_patient(deceasedBoolean=True)))
    assert isinstance(record, SourceRecord)
    assert record.facts.died_on is None
    assert record.warnings == (Warned(Code.BAD_DATE, "deceasedBoolean"),)


def test_an_ill_formed_postcode_is_left_out_and_said_so() -> None:
    record = one("ill_formed_postcode.json")
    assert isinstance(record.facts.whereabouts, CurrentAddress)
    assert record.facts.whereabouts.address.postcode is None
    assert record.facts.whereabouts.address.lines == ("1 Tollgate",)
    assert record.warnings == (Warned(Code.BAD_POSTCODE, "postalCode"),)


def test_an_unverified_number_is_stated_only() -> None:
    patient = a_patient()
    del patient["identifier"][0]["extension"]
    assert said(patient).confidence == "stated"


def test_a_person_of_one_name() -> None:
    name = said(a_patient(name=[{"use": "usual", "given": ["Suharto"]}])).names[0]
    assert (name.given, name.family) == ((), "Suharto")


# Refusing


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("photo", [{"contentType": "image/png", "data": "AAAA"}]),
        ("note", [{"text": NOBODY}]),
        ("score", 7),
        ("diagnosis", NOBODY),
        ("offence", NOBODY),
        ("text", {"status": "generated", "div": NOBODY}),
        ("contained", []),
        ("modifierExtension", []),
    ],
)
def test_t1_what_may_not_be_held_refuses_the_whole_item_and_is_named(element: str, value: object) -> None:
    assert refused({**a_patient(), element: value}) == ("field-not-allowed", element)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("name", 0, "note"), "note"),
        (("address", 0, "photo"), "photo"),
        (("address", 0, "period", "comment"), "comment"),
        (("meta", "opinion"), "opinion"),
        (("generalPractitioner", 0, "identifier", "remark"), "remark"),
    ],
)
def test_t1_a_field_hidden_inside_an_element_is_found(path: tuple[str | int, ...], named: str) -> None:
    patient = a_patient()
    inner: Any = patient
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = NOBODY
    assert refused(patient) == ("field-not-allowed", named)


def test_t1_an_extension_that_is_not_of_the_profile_is_refused_and_not_repeated() -> None:
    extension = [{"url": "https://example.org/conduct", "valueString": NOBODY}]
    assert refused(a_patient(extension=extension)) == ("field-not-allowed", "extension")


@pytest.mark.parametrize(("name", "element"), [("with_photo", "photo"), ("with_note", "note")])
def test_t1_in_the_samples(name: str, element: str) -> None:
    (rejected,) = sample(f"{name}.json")
    assert rejected == Rejected(1, Code.FIELD_NOT_ALLOWED, element)


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"birthDate": None}, "no-date-of-birth", "birthDate"),
        ({"birthDate": "2016"}, "bad-date", "birthDate"),
        ({"birthDate": 2016}, "bad-date", "birthDate"),
        ({"name": None}, "no-name", "name"),
        ({"name": [{"use": "old", "family": "Only"}]}, "no-name", "name"),
        ({"name": "Amelia"}, "bad-value", "name"),
        ({"name": [{"family": "x" * 71}]}, "too-long", "name"),
        ({"name": [{"use": "secret", "family": "X"}]}, "bad-code", "name"),
        ({"identifier": None}, "no-nhs-number", "identifier"),
        ({"gender": "girl"}, "bad-code", "gender"),
        ({"multipleBirthInteger": 0}, "bad-code", "multipleBirthInteger"),
        ({"multipleBirthInteger": True}, "bad-code", "multipleBirthInteger"),
        ({"active": False}, "not-current", "active"),
        ({"meta": "U"}, "bad-value", "meta"),
        ({"address": [{"line": "1 Road"}]}, "bad-value", "address"),
        ({"deceasedDateTime": "soon"}, "bad-date", "deceasedDateTime"),
    ],
)
def test_a_bad_element_refuses_the_item_and_is_named(changed: dict[str, Any], code: str, field: str) -> None:
    assert refused(a_patient(**changed)) == (code, field)


def test_a_number_with_a_wrong_check_digit() -> None:
    assert refused(a_patient("9434765910")) == ("bad-nhs-number", "identifier")


@pytest.mark.parametrize(("name", "issue"), [("invalidated", "invalidated"), ("not_found", "not-found")])
def test_an_answer_of_the_service_is_not_a_child(name: str, issue: str) -> None:
    assert sample(f"{name}.json") == [Rejected(1, Code.NOT_A_CHILD, issue)]


def test_another_resource_is_not_a_child() -> None:
    assert refused({"resourceType": "Observation"}) == ("not-a-child", "resourceType")


# Carers


def test_related_persons_become_the_carers_of_the_child() -> None:
    parsed = sample("related_persons.json")
    (record,) = [r for r in parsed if isinstance(r, SourceRecord)]
    assert record.about == "carers"
    carers = record.facts.carers or ()
    assert [(c.name.given, c.name.family, c.standing) for c in carers] == [
        (("Adwoa",), "Osei", "parental-responsibility"),
        (("Kofi",), "Mensah", "care"),
    ]
    assert [c.contact for c in carers] == [
        Contact(telephone="07700900123", email="adwoa@example.org"),
        None,
    ]
    assert [(r.line, r.code.value, r.field) for r in parsed if isinstance(r, Rejected)] == [
        (3, "no-name", "name"),
        (4, "no-relationship", "relationship"),
        (5, "relationship-not-held", "relationship"),
    ]


def test_related_persons_of_two_children_stay_apart() -> None:
    mother = {
        "resourceType": "RelatedPerson",
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "name": [{"family": "Osei"}],
    }
    numbers = ("9434765919", "9434765870")
    content = ndjson(*({**mother, "patient": {"reference": f"Patient/{number}"}} for number in numbers))
    assert [r.source_id for r in parse(content) if isinstance(r, SourceRecord)] == list(numbers)


# Files


def test_a_single_resource_a_bundle_and_ndjson_say_the_same() -> None:
    patient = a_patient()
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": patient}]}
    forms = [
        json.dumps(patient).encode(),
        json.dumps(patient, indent=2).encode(),
        b"\xef\xbb\xbf" + json.dumps(patient).encode(),
        json.dumps(bundle, indent=2).encode(),
        ndjson(patient),
        b"\n\n" + ndjson(patient),
        ndjson(bundle),
    ]
    canonical = {
        record.canonical() for form in forms for record in parse(form) if isinstance(record, SourceRecord)
    }
    assert len(canonical) == 1
    assert all(len(parse(form)) == 1 for form in forms)


def test_a_broken_file_names_its_lines_and_its_good_lines_load() -> None:
    parsed = sample("broken.ndjson")
    assert [(r.line, r.code.value, r.field) for r in parsed if isinstance(r, Rejected)] == [
        (2, "not-json", None),
        (3, "bad-nhs-number", "identifier"),
        (4, "not-a-child", "resourceType"),
    ]
    assert [r.line for r in parsed if isinstance(r, SourceRecord)] == [1, 6]


def test_ndjson_whose_first_lines_are_broken_still_loads_the_rest() -> None:
    parsed = parse(b"{broken\n{broken too\n" + ndjson(a_patient(), a_patient("9434765870")))
    assert [(r.line, type(r)) for r in parsed] == [
        (1, Rejected),
        (2, Rejected),
        (3, SourceRecord),
        (4, SourceRecord),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Rejected(1, Code.EMPTY_FILE)),
        (b"\n\n", Rejected(3, Code.EMPTY_FILE)),
        (b"{\n  nonsense\n}", Rejected(1, Code.NOT_JSON)),
        (b"\xff\xfe", Rejected(1, Code.NOT_JSON)),
        (b'["list"]\n', Rejected(1, Code.NOT_A_CHILD, "resourceType")),
        (b"[" * 100_000, Rejected(1, Code.NOT_JSON)),
        (b'{"resourceType": "Bundle", "entry": 1}', Rejected(1, Code.BAD_VALUE, "entry")),
        (b'{"resourceType": "Bundle", "entry": [1]}', Rejected(1, Code.BAD_VALUE, "entry")),
        (b'{"resourceType": "Bundle", "secret": 1}', Rejected(1, Code.FIELD_NOT_ALLOWED, "secret")),
    ],
    ids=[
        "empty",
        "blank",
        "broken",
        "not text",
        "a list",
        "deep",
        "no entries",
        "no resource",
        "unknown field",
    ],
)
def test_what_is_no_message(content: bytes, expected: Rejected) -> None:
    parsed = parse(content)
    assert [(r.code, r.field) for r in parsed if isinstance(r, Rejected)] == [(expected.code, expected.field)]
    assert len(parsed) == 1


# The NHS's own samples


def _the_sandbox() -> Path:
    if not SANDBOX.is_dir():
        pytest.skip("the NHS sandbox messages are not beside this checkout (../shared/sources/nhs-pds)")
    return SANDBOX


EXPECTED: Final[dict[str, list[tuple[str, str | None]]]] = {
    "INVALIDATED_RESOURCE": [("not-a-child", "invalidated")],
    "RESOURCE_NOT_FOUND": [("not-a-child", "not-found")],
    "Sensitive_PatientSearch": [("restricted", "9000000025")],
    "cuff_superseded_searchset": [("open", "9732019395")],
    "mock_multiple_searchset": [("open", "5900036502"), ("open", "5900053679")],
    "patient_5900046192": [("open", "5900046192")],
    "patient_5900059073": [("open", "5900059073")],
    "patient_9000000009": [("open", "9000000009")],
    "patient_9000000025": [("restricted", "9000000025")],
    "patient_9000000033": [("no-date-of-birth", "birthDate")],
    "patient_9693632109": [("open", "9693632109")],
    "patient_9732110317": [("open", "9732110317")],
    "related_person_9000000009": [("no-name", "name"), ("carers", "9000000009")],
    "search_patient_9000000009": [("open", "9000000009")],
}


@pytest.mark.outside_material
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_message_of_the_nhs_sandbox_is_read_as_it_is(name: str) -> None:
    parsed = parse((_the_sandbox() / f"{name}.json").read_bytes())
    found = [
        (r.code.value, r.field)
        if isinstance(r, Rejected)
        else (
            ("carers" if r.about == "carers" else "restricted" if r.facts.restricted else "open"),
            r.source_id,
        )
        for r in parsed
    ]
    assert found == EXPECTED[name]


@pytest.mark.outside_material
def test_no_message_of_the_nhs_sandbox_is_left_out_here() -> None:
    assert {path.stem for path in _the_sandbox().glob("*.json")} == set(EXPECTED)
