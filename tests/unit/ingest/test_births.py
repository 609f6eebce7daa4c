"""What a births file says, line by line, and what of it is refused."""

import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from domain.child_record.events import CurrentAddress, Gender
from domain.identifiers import NO_FIXED_ABODE
from ingest.source_record import MAX_LINE, REMEDIES, Code, Facts, Parsed, Rejected, SourceRecord
from ingest.sources import births
from tests.loading import COLUMNS, a_births_file, an_entry

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "sources" / "births"


def parse(content: bytes) -> list[Parsed]:
    return list(births.parse(io.BytesIO(content)))


def facts(entry: Mapping[str, str]) -> Facts:
    (record,) = parse(a_births_file(entry))
    assert isinstance(record, SourceRecord)
    return record.facts


def refusal(**changed: str) -> tuple[Code, str | None]:
    (rejected,) = parse(a_births_file(an_entry(**changed)))
    assert isinstance(rejected, Rejected)
    assert rejected.line == 2
    return rejected.code, rejected.field


def refusals(content: bytes) -> list[tuple[int, Code, str | None]]:
    return [(r.line, r.code, r.field) for r in parse(content) if isinstance(r, Rejected)]


def test_an_entry_says_who_where_and_whose() -> None:
    said = facts(an_entry(birth_order="2", authority="E08000036"))
    assert said.names[0].given == ("Amelia", "Rose")
    assert said.names[0].family == "Thornton"
    assert said.names[0].since == date(2016, 4, 2)
    assert (said.date_of_birth, said.effective) == (date(2016, 4, 2), date(2016, 4, 20))
    assert (said.gender, said.nhs_number, said.birth_order) == (Gender.FEMALE, "9434765919", 2)
    assert isinstance(said.whereabouts, CurrentAddress)
    assert (said.whereabouts.address.lines, said.whereabouts.address.postcode) == (
        ("14 Sandal Rise",),
        "WF2 6QA",
    )
    assert [(c.name.given, c.name.family, c.standing) for c in said.carers or ()] == [
        (("Helen",), "Thornton", "parental-responsibility")
    ]
    assert (said.authority, said.confidence, said.restricted) == ("E08000036", "verified", False)


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("F", Gender.FEMALE),
        ("female", Gender.FEMALE),
        ("2", Gender.FEMALE),
        ("m", Gender.MALE),
        ("1", Gender.MALE),
        ("9", Gender.NOT_SPECIFIED),
        ("X", Gender.NOT_SPECIFIED),
        ("", None),
    ],
    ids=["F", "word", "code", "lower case", "male code", "indeterminate", "not known", "absent says nothing"],
)
def test_sex(written: str, held: Gender | None) -> None:
    assert facts(an_entry(sex=written)).gender is held


@pytest.mark.parametrize(("written", "held"), [("", None), ("1", 1), ("3", 3), ("8", None), ("9", None)])
def test_birth_order(written: str, held: int | None) -> None:
    assert facts(an_entry(birth_order=written)).birth_order == held


def test_no_fixed_abode_is_an_address_and_no_address_is_none() -> None:
    where = facts(an_entry(address_line_1="", postcode="zz993vz")).whereabouts
    assert isinstance(where, CurrentAddress)
    assert where.address.postcode == NO_FIXED_ABODE
    assert facts(an_entry(address_line_1="", postcode="")).whereabouts is None


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"entry_id": ""}, Code.MISSING_VALUE, "entry_id"),
        ({"entry_id": "a" * 31}, Code.BAD_VALUE, "entry_id"),
        ({"registered_on": ""}, Code.MISSING_VALUE, "registered_on"),
        ({"registered_on": "20/04/2016"}, Code.BAD_DATE, "registered_on"),
        ({"registered_on": "2016-04-01"}, Code.DATES_OUT_OF_ORDER, "registered_on"),
        ({"date_of_birth": ""}, Code.NO_DATE_OF_BIRTH, "date_of_birth"),
        ({"date_of_birth": "2016-02-30"}, Code.BAD_DATE, "date_of_birth"),
        ({"date_of_birth": "20160402"}, Code.BAD_DATE, "date_of_birth"),
        ({"surname": ""}, Code.NO_NAME, "surname"),
        ({"surname": "x" * 71}, Code.TOO_LONG, "surname"),
        ({"given_names": "a b c d e f g"}, Code.TOO_LONG, "given_names"),
        ({"given_names": "Am\u200belia"}, Code.BAD_CHARACTERS, "given_names"),
        ({"sex": "girl"}, Code.BAD_CODE, "sex"),
        ({"nhs_number": "9434765910"}, Code.BAD_NHS_NUMBER, "nhs_number"),
        ({"nhs_number": "0000000000"}, Code.BAD_NHS_NUMBER, "nhs_number"),
        ({"birth_order": "0"}, Code.BAD_CODE, "birth_order"),
        ({"birth_order": "²"}, Code.BAD_CODE, "birth_order"),
        ({"postcode": "QQ1 1QQ"}, Code.BAD_POSTCODE, "postcode"),
        ({"address_line_1": "x" * 71}, Code.TOO_LONG, "address_line_1"),
        ({"authority": "!"}, Code.BAD_CODE, "authority"),
        ({"authority": "E080000"}, Code.BAD_CODE, "authority"),
        ({"authority": "E08000035X"}, Code.BAD_CODE, "authority"),
        ({"mother_surname": ""}, Code.MISSING_VALUE, "mother_surname"),
    ],
)
def test_a_bad_value_refuses_its_line_naming_the_column(
    changed: dict[str, str], code: Code, field: str
) -> None:
    assert refusal(**changed) == (code, field)


def test_a_byte_order_mark_is_passed_over() -> None:
    content = a_births_file(an_entry())
    assert parse(b"\xef\xbb\xbf" + content) == parse(content)
    assert isinstance(parse(content)[0], SourceRecord)


def test_columns_may_stand_in_any_order_and_case() -> None:
    shuffled = tuple(reversed(COLUMNS))
    plain = parse(a_births_file(an_entry()))
    assert parse(a_births_file(an_entry(), columns=shuffled)) == plain
    header, rest = a_births_file(an_entry()).split(b"\n", 1)
    assert parse(header.upper().replace(b"_", b" ") + b"\n" + rest) == plain


def test_t1_an_unknown_column_refuses_the_whole_file_and_is_named() -> None:
    assert refusals((SAMPLES / "with_a_note.csv").read_bytes()) == [(1, Code.FIELD_NOT_ALLOWED, "note")]


def test_a_column_name_that_may_be_a_value_is_not_repeated() -> None:
    content = a_births_file(an_entry(), columns=(*COLUMNS, "Amelia 07700 900123; " * 3))
    assert refusals(content) == [(1, Code.FIELD_NOT_ALLOWED, "unnamed")]


def test_a_missing_or_repeated_column_refuses_the_file() -> None:
    assert refusals((SAMPLES / "without_surname.csv").read_bytes()) == [(1, Code.MISSING_COLUMN, "surname")]
    assert refusals(a_births_file(an_entry(), columns=(*COLUMNS, "sex"))) == [
        (1, Code.REPEATED_COLUMN, "sex")
    ]
    assert refusals(b"") == [(1, Code.EMPTY_FILE, None)]


@pytest.mark.parametrize(
    ("last", "value", "code"),
    [
        ("authority", "E08000035", None),
        ("authority", "", None),
        ("postcode", "", Code.CUT_OFF),
        ("authority", "E080000", Code.BAD_CODE),
        ("postcode", "LS1 1UR", None),
        ("postcode", "LS1 1U", Code.BAD_POSTCODE),
        ("surname", "Castle", Code.CUT_OFF),
    ],
)
def test_a_last_line_without_an_end_is_taken_only_where_its_last_value_tells_that_it_is_whole(
    last: str, value: str, code: Code | None
) -> None:
    columns = (*(column for column in COLUMNS if column != last), last)
    content = a_births_file(an_entry(**{last: value}), columns=columns).removesuffix(b"\n")
    assert refusals(content) == ([] if code is None else [(2, code, last)])


def test_a_broken_file_names_line_code_and_field_and_its_good_lines_load() -> None:
    parsed = parse((SAMPLES / "broken.csv").read_bytes())
    assert [(r.line, r.code.value, r.field) for r in parsed if isinstance(r, Rejected)] == [
        (3, "bad-date", "registered_on"),
        (4, "bad-nhs-number", "nhs_number"),
        (5, "bad-postcode", "postcode"),
        (6, "wrong-number-of-values", None),
        (7, "wrong-number-of-values", None),
        (8, "not-text", None),
        (9, "no-name", "surname"),
        (10, "dates-out-of-order", "registered_on"),
        (11, "bad-code", "sex"),
    ]
    assert [r.line for r in parsed if isinstance(r, SourceRecord)] == [2, 12]


def test_the_sample_file_is_good_throughout() -> None:
    parsed = parse((SAMPLES / "registrations.csv").read_bytes())
    assert refusals((SAMPLES / "registrations.csv").read_bytes()) == []
    names = [r.facts.names[0] for r in parsed if isinstance(r, SourceRecord)]
    assert [name.family for name in names] == ["Castle", "Ní Bhriain", "Abara", "Abara", "Quayle"]
    assert names[4].given == ()


def test_an_endless_line_is_refused_without_being_held_and_the_next_is_read() -> None:
    header, line = a_births_file(an_entry()).split(b"\n", 1)
    endless = b"x" * (3 * MAX_LINE)
    parsed = parse(header + b"\n" + endless + b"\n" + line)
    assert isinstance(parsed[0], Rejected)
    assert (parsed[0].line, parsed[0].code) == (2, Code.LINE_TOO_LONG)
    assert isinstance(parsed[1], SourceRecord)
    assert parsed[1].line == 3


def test_the_same_content_has_the_same_canonical_form_on_any_line_of_any_file() -> None:
    one, two = parse(a_births_file(an_entry(), an_entry()))
    other = parse(a_births_file(an_entry(address_line_1="15 Sandal Rise")))[0]
    assert isinstance(one, SourceRecord)
    assert isinstance(two, SourceRecord)
    assert isinstance(other, SourceRecord)
    assert one.line != two.line
    assert one.canonical() == two.canonical() != other.canonical()


def test_every_code_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Code)
    assert all(text.endswith(".") for text in REMEDIES.values())
