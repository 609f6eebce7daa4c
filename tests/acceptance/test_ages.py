"""A and F. Growing up: T4, T59, T61. Each in a home of its own, whose clock is set ahead."""

from datetime import UTC, date, datetime

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import Child, a_child, born, registered

pytestmark = pytest.mark.postgres

READERS = ("practitioner", "teacher", "social-worker")
CONSENTING = date(2009, 3, 20)
"""Born so as to be eighteen ten days after a home begins."""


def at(line: Line, instant: str) -> None:
    """Set the clock of the home ahead."""
    line.clock = datetime.fromisoformat(instant).astimezone(UTC)


def seen(line: Line, child: str, one: Child) -> bool:
    """Whether the record is in readers' sight: by search and by opening it alike."""
    found = [hit["child_id"] for hit in line.found(*one.criteria)]
    shown = line("show", child, "--reason", "casework", acting="practitioner").status == 0
    assert found == ([child] if shown else []), "search and show differ"
    return shown


def test_t59_a_record_leaves_readers_sight_at_midnight_in_london_on_the_eighteenth_birthday(
    new_home: NewHome,
) -> None:
    line = new_home()
    cases = (
        (a_child(born=date(2009, 7, 1)), "2027-06-30T22:59:59.999900+00:00", "2027-06-30T23:00:00+00:00"),
        (a_child(born=date(2009, 12, 1)), "2027-11-30T23:59:59.999900+00:00", "2027-12-01T00:00:00+00:00"),
        # The day on which clocks go forward begins in winter time, the day after in summer time.
        (a_child(born=date(2010, 3, 28)), "2028-03-27T22:59:59.999900+00:00", "2028-03-27T23:00:00+00:00"),
        (a_child(born=date(2012, 2, 29)), "2030-02-28T23:59:59.999900+00:00", "2030-03-01T00:00:00+00:00"),
    )
    ids = {one: registered(line, one) for one, _, _ in cases}
    nobody = a_child()

    for one, last, first in cases:
        at(line, last)
        assert seen(line, ids[one], one), f"born {one.born}: a moment before"
        at(line, first)
        assert not seen(line, ids[one], one), f"born {one.born}: at midnight"
        for who in READERS:
            miss = line.search(*nobody.criteria, acting=who)
            assert without_access(line.search(*one.criteria, acting=who)) == without_access(miss)
            line.unseen(ids[one], acting=who)


def test_t59_a_birth_on_29_february_is_eighteen_on_that_day_in_a_leap_year_and_on_1_march_in_others(
    new_home: NewHome,
) -> None:
    line = new_home()
    one = a_child(born=date(2012, 2, 29))
    child = registered(line, one)
    line.record("consent-to-extension", child, "--category", "care-leaver")

    due = line.done("retention", "due", "--on", "2040-01-01")["due"]

    assert [(entry["on"], entry["rule"]) for entry in due if entry["child_id"] == child] == [
        ("2037-03-01", "age-25")
    ]
    other = a_child(born=date(2010, 2, 28))
    held = registered(line, other)
    due = line.done("retention", "due", "--on", "2040-01-01")["due"]
    assert [entry["on"] for entry in due if entry["child_id"] == held] == ["2028-02-28"]


def test_t61_and_t4_who_is_kept_beyond_eighteen_and_until_when(new_home: NewHome) -> None:
    line = new_home()
    people = {
        case: a_child(born=CONSENTING)
        for case in (
            "care leaver",
            "learning disability",
            "no consent",
            "no category",
            "withdrew at 17",
            "withdrew at 21",
        )
    }
    ids = {case: born(line, one) for case, one in people.items()}
    line.pds(related(people["care leaver"]))
    for case in ("care leaver", "withdrew at 17", "withdrew at 21"):
        line.record("consent-to-extension", ids[case], "--category", "care-leaver")
    line.record("consent-to-extension", ids["learning disability"], "--category", "learning-disability")
    line.refused(
        "category-not-eligible",
        "record", "consent-to-extension", ids["no category"], "--category", "student", acting="practitioner",
    )  # fmt: skip
    line.record("withdraw-extension", ids["withdrew at 17"])

    def live() -> set[str]:
        return {case for case, one in people.items() if seen(line, ids[case], one)}

    at(line, "2027-03-19T23:59:59.999900+00:00")
    assert live() == set(people)
    assert carers(line, ids["care leaver"]) == {("Maud", "parental-responsibility"), ("Petra", "care")}

    at(line, "2027-03-20T00:00:00+00:00")
    kept = {"care leaver", "learning disability", "withdrew at 21"}
    assert live() == kept
    assert carers(line, ids["care leaver"]) == {("Petra", "care")}, (
        "T4: nobody rests on parental responsibility alone"
    )
    of_care_leaver = ("show", ids["care leaver"], "--reason", "casework")
    for looks in (
        line.done(*of_care_leaver, acting="data-manager"),
        line.done(*of_care_leaver, "--as-of", "2027-03-19T12:00:00Z", acting="practitioner"),
        line.done(*of_care_leaver, "--effective-on", "2027-03-01", acting="practitioner"),
    ):
        assert "Maud" not in str(looks), "T4: nor to the authority, nor as things were"
    parent = ("--carer", "Maud Vale", "--carer-standing", "parental-responsibility")
    line.refused(
        "responsibility-alone", "record", "assert", ids["care leaver"], *parent, acting="practitioner"
    )
    line.pds(related(people["care leaver"], code="PRN", given="Maud"))
    assert carers(line, ids["care leaver"]) <= {("Petra", "care")}, (
        "T4: nor is it kept for display from a feed"
    )
    assert line.found(*people["care leaver"].criteria)
    for case in ("no consent", "no category"):
        line.refused(
            "too-late",
            "record", "consent-to-extension", ids[case], "--category", "care-leaver", acting="practitioner",
        )  # fmt: skip
    assert line.done("retention", "run")["archived"] == 3
    assert live() == kept

    at(line, "2030-03-21T09:00:00+00:00")
    assert live() == kept
    line.record("withdraw-extension", ids["withdrew at 21"])
    assert live() == {"care leaver", "learning disability"}, (
        "that day, without a run of the retention schedule"
    )

    at(line, "2034-03-19T23:59:59.999900+00:00")
    assert live() == {"care leaver", "learning disability"}
    at(line, "2034-03-20T00:00:00+00:00")
    assert live() == set()
    due = line.done("retention", "due")["due"]
    assert {(entry["child_id"], entry["rule"]) for entry in due if entry["action"] == "archive"} == {
        (ids["care leaver"], "age-25"),
        (ids["learning disability"], "age-25"),
    }


def carers(line: Line, child: str) -> set[tuple[str, str]]:
    """Given name and standing of those shown."""
    return {(carer["name"]["given"][0], carer["standing"]) for carer in line.shown(child)["carers"]}


def related(one: Child, code: str = "PRNFOST", given: str = "Petra") -> dict[str, object]:
    """A message that names somebody related, a foster parent for example."""
    return {
        "resourceType": "RelatedPerson",
        "id": "507B7621",
        "active": True,
        "patient": {
            "type": "Patient",
            "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": one.nhs},
        },
        "relationship": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code}]}
        ],
        "name": [{"use": "usual", "given": [given], "family": "Vale"}],
    }
