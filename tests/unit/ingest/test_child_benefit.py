"""What a file of Child Benefit claims says, line by line, and what of it is refused."""

import io
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from domain.child_record.events import CurrentAddress, Gender, SourceKind
from ingest.source_record import Code, Parsed, Rejected, SourceRecord
from ingest.sources import child_benefit
from tests.loading import Index, Told, an_entry

SAMPLE: Final = Path(__file__).parents[2] / "samples" / "sources" / "child-benefit" / "claims.csv"
CLAIM: Final = {
    "claim_number": "CHB40000009AB",
    "claimed_from": "2016-05-10",
    "given_names": "Amelia Rose",
    "surname": "Thornton",
    "date_of_birth": "2016-04-02",
    "sex": "F",
    "nhs_number": "9434765919",
    "address_line_1": "3 Later Street",
    "postcode": "WF2 6QA",
}


def a_file(*claims: dict[str, str]) -> bytes:
    columns = list(dict.fromkeys(column for claim in claims for column in claim))
    lines = [columns, *([claim.get(column, "") for column in columns] for claim in claims)]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def parse(content: bytes) -> list[Parsed]:
    return list(child_benefit.parse(io.BytesIO(content)))


def test_a_claim_says_who_and_where_as_stated() -> None:
    (record,) = parse(a_file(CLAIM))
    assert isinstance(record, SourceRecord)
    assert (record.kind, record.source_id) == (SourceKind.CHILD_BENEFIT, "CHB40000009AB")
    said = record.facts
    assert (said.names[0].given, said.names[0].family) == (("Amelia", "Rose"), "Thornton")
    assert (said.date_of_birth, said.gender) == (date(2016, 4, 2), Gender.FEMALE)
    assert (said.nhs_number, said.confidence) == ("9434765919", "stated")
    assert (said.effective, said.address_effective) == (date(2016, 5, 10), date(2016, 5, 10))
    assert isinstance(said.whereabouts, CurrentAddress)
    assert said.whereabouts.address.lines == ("3 Later Street",)
    assert said.carers is None


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"claim_number": ""}, Code.MISSING_VALUE, "claim_number"),
        ({"claim_number": "CHB#1"}, Code.BAD_VALUE, "claim_number"),
        ({"claimed_from": ""}, Code.MISSING_VALUE, "claimed_from"),
        ({"claimed_from": "10/05/2016"}, Code.BAD_DATE, "claimed_from"),
        ({"claimed_from": "2016-04-01"}, Code.DATES_OUT_OF_ORDER, "claimed_from"),
        ({"surname": ""}, Code.NO_NAME, "surname"),
        ({"date_of_birth": ""}, Code.NO_DATE_OF_BIRTH, "date_of_birth"),
        ({"sex": "Q"}, Code.BAD_CODE, "sex"),
        ({"nhs_number": "9434765910"}, Code.BAD_NHS_NUMBER, "nhs_number"),
        ({"postcode": "QQ1 1QQ"}, Code.BAD_POSTCODE, "postcode"),
        ({"address_line_1": "x" * 71}, Code.TOO_LONG, "address_line_1"),
    ],
)
def test_a_bad_value_refuses_its_line_alone_and_is_not_repeated(
    changed: dict[str, str], code: Code, field: str
) -> None:
    good, bad = parse(a_file(CLAIM, CLAIM | changed))
    assert isinstance(good, SourceRecord)
    assert bad == Rejected(3, code, field)


@pytest.mark.parametrize("column", ["claimant_surname", "weekly_amount", "notes"])
def test_who_claims_and_what_is_paid_refuse_the_whole_file(column: str) -> None:
    assert parse(a_file(CLAIM | {column: "x"})) == [Rejected(1, Code.FIELD_NOT_ALLOWED, column)]


def test_the_sample_loads_and_a_second_time_changes_nothing() -> None:
    index, told = Index(), Told()
    first = index.load("child-benefit", SAMPLE.read_bytes(), told=told)
    assert (first.counts.registered, told.refusals) == (3, [])
    head = index.head()
    assert index.load("child-benefit", SAMPLE.read_bytes()).counts.unchanged == 3
    assert index.head() == head


def test_a_claim_joins_the_record_of_its_birth_and_a_later_address_is_shown() -> None:
    index = Index()
    index.births(an_entry(address_line_1="14 Sandal Rise", postcode="WF2 6QA"))
    assert index.load("child-benefit", a_file(CLAIM)).counts.updated == 1
    where = index.the_facts().whereabouts
    assert isinstance(where, CurrentAddress)
    assert where.address.lines == ("3 Later Street",)


def test_t68_an_address_of_an_earlier_day_does_not_displace_a_later_one_in_whatever_order_they_come() -> None:
    earlier = CLAIM | {"claimed_from": "2016-04-10", "address_line_1": "1 Earlier Street"}
    for kinds in (("births", "claim"), ("claim", "births")):
        index = Index()
        for kind in kinds:
            if kind == "births":
                index.births(an_entry(address_line_1="14 Sandal Rise", registered_on="2016-04-20"))
            else:
                index.load("child-benefit", a_file(earlier))
        where = index.the_facts().whereabouts
        assert isinstance(where, CurrentAddress)
        assert where.address.lines == ("14 Sandal Rise",), kinds
