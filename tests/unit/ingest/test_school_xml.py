"""What schools' files say, pupil by pupil; what of them is refused; and hostile XML, of which nothing is expanded."""

import io
import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, cast

import pytest

from domain.child_record.events import CurrentAddress, Gender
from ingest.pipeline import PARSERS
from ingest.source_record import Code, Facts, Parsed, Rejected, SourceRecord
from ingest.sources import ctf, school_census, school_xml
from tests.loading import Index, Told, an_entry

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "sources"
SAMPLE: Final = {"school-census": "school-census/spring.xml", "ctf": "ctf/transfer.xml"}
DOCS: Final = Path(__file__).parents[3] / "docs" / "sources"
KINDS: Final = tuple(SAMPLE)
PUPIL: Final = (
    "<UPN>B801200005001</UPN><Surname>Thornton</Surname><Forename>Amelia</Forename>"
    "<DOB>2016-04-02</DOB><Sex>F</Sex>"
)


def census(*pupils: str, gone: str = "", head: str = "", header: str = "") -> str:
    """A census file of these pupils on roll, and of those in `gone`."""
    on_roll = "".join(f"<PupilOnRoll>{pupil}</PupilOnRoll>\n" for pupil in pupils)
    return (
        f"<?xml version='1.0'?>{head}<Message><Header><CollectionDetails><ReferenceDate>2026-01-15</ReferenceDate>"
        f"</CollectionDetails><Source><LEA>384</LEA><Estab>2001</Estab></Source>{header}</Header>"
        f"<Pupils><PupilsOnRoll>\n{on_roll}</PupilsOnRoll><PupilsNoLongerOnRoll>{gone}</PupilsNoLongerOnRoll></Pupils>"
        "</Message>"
    )


def transfer(*pupils: str, head: str = "", header: str = "") -> str:
    """A transfer file of these pupils."""
    each = "".join(f"<Pupil>{pupil}</Pupil>\n" for pupil in pupils)
    return (
        f"<?xml version='1.0'?>{head}<CTfile><Header><DateTime>2026-01-15T10:00:00</DateTime>"
        f"<SourceSchool><LEA>384</LEA><Estab>2001</Estab></SourceSchool>{header}</Header>"
        f"<CTFpupilData>\n{each}</CTFpupilData></CTfile>"
    )


def a_file(kind: str, *pupils: str, head: str = "", header: str = "") -> bytes:
    """A file of these pupils; each is given what the form needs around its elements."""
    if kind == "ctf":
        return transfer(*pupils, head=head, header=header).encode()
    wrapped = (f"<PupilIdentifiers>{pupil}</PupilIdentifiers>" for pupil in pupils)
    return census(*wrapped, head=head, header=header).encode()


def parse(kind: str, content: bytes) -> list[Parsed]:
    return list(PARSERS[kind](io.BytesIO(content)))  # type: ignore[index]


def facts(parsed: Parsed) -> Facts:
    assert isinstance(parsed, SourceRecord), parsed
    return parsed.facts


def numbers(said: Facts) -> dict[str, str]:
    return {identifier.value: identifier.scheme for identifier in said.identifiers}


# What they say


def test_a_census_says_who_where_and_at_which_school() -> None:
    amelia, mina, oscar = parse("school-census", (SAMPLES / SAMPLE["school-census"]).read_bytes())
    assert isinstance(amelia, SourceRecord)
    assert (amelia.source_id, amelia.body) == ("B801200005001", "DFE3842001")
    said = facts(amelia)
    assert [(n.given, n.family, n.kind) for n in said.names] == [
        (("Amelia", "Rose"), "Thornton", "current"),
        (("Amelia", "Rose"), "Hale", "alias"),
    ]
    assert (said.date_of_birth, said.gender) == (date(2016, 4, 2), Gender.FEMALE)
    assert numbers(said) == {"B801200005001": "upn", "J80120002412A": "upn-former"}
    assert {identifier.allocated_by for identifier in said.identifiers} == {"DFE3842001"}
    assert isinstance(said.whereabouts, CurrentAddress)
    assert said.whereabouts.address.lines == ("3 Later Street", "Wakefield")
    assert (said.effective, said.address_effective) == (date(2026, 1, 15), date(2026, 1, 15))
    assert said.education is not None
    assert (said.education.code, said.education_effective, said.education_ceased) == (
        "DFE3842001",
        date(2020, 9, 1),
        None,
    )
    said = facts(mina)
    assert (said.gender, numbers(said)) == (Gender.FEMALE, {"J80120002412A": "upn-temporary"})
    assert isinstance(said.whereabouts, CurrentAddress)
    assert said.whereabouts.address.lines == ("Flat 2", "14", "Mill Rise", "Wakefield")
    assert (said.whereabouts.address.postcode, said.whereabouts.address.uprn) == ("WF1 3QN", 12345678)
    said = facts(oscar)
    assert (said.effective, said.education_effective, said.education_ceased) == (date(2025, 12, 19),) * 3


def test_a_transfer_says_who_where_and_which_school_last() -> None:
    amelia, oscar = parse("ctf", (SAMPLES / SAMPLE["ctf"]).read_bytes())
    said = facts(amelia)
    assert [(n.given, n.family, n.kind) for n in said.names] == [
        (("Amelia", "Rose"), "Thornton", "current"),
        (("Amelia", "Rose"), "Hale", "former"),
    ]
    assert (said.gender, numbers(said)) == (
        Gender.FEMALE,
        {"B801200005001": "upn", "J80120002412A": "upn-former"},
    )
    assert said.education is not None
    assert (said.education.code, said.education_effective, said.education_ceased) == (
        "DFE3842050",
        date(2026, 1, 26),
        None,
    )
    assert said.carers is None
    assert "960100" not in repr(said)
    assert "pupils.example" not in repr(said)
    said = facts(oscar)
    assert said.education is not None
    assert (said.education.code, said.education_ceased) == ("DFE3842001", date(2025, 12, 19))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("<Sex>F</Sex>", Gender.FEMALE),
        ("<Gender>M</Gender>", Gender.MALE),
        ("<Sex>M</Sex><Gender>M</Gender>", Gender.MALE),
        ("<Gender>U</Gender>", Gender.NOT_SPECIFIED),
        ("<Sex/>", None),
        ("", None),
    ],
)
def test_sex_may_still_be_called_gender_and_its_absence_says_nothing(
    kind: str, written: str, held: Gender | None
) -> None:
    (parsed,) = parse(kind, a_file(kind, PUPIL.replace("<Sex>F</Sex>", written)))
    assert facts(parsed).gender is held


@pytest.mark.parametrize("kind", KINDS)
def test_a_pupil_without_a_number_is_taken(kind: str) -> None:
    (parsed,) = parse(kind, a_file(kind, PUPIL.replace("B801200005001", "")))
    assert isinstance(parsed, SourceRecord)
    assert (parsed.source_id, parsed.facts.identifiers) == (None, ())


# What is refused


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("Thornton", "", Code.NO_NAME, "Surname"),
        ("Thornton", "x" * 71, Code.TOO_LONG, "Surname"),
        ("Thornton", "x" * 5000, Code.TOO_LONG, "Surname"),
        ("Thornton", "Thorn&#x200b;ton", Code.BAD_CHARACTERS, "Surname"),
        ("2016-04-02", "", Code.NO_DATE_OF_BIRTH, "DOB"),
        ("2016-04-02", "02/04/2016", Code.BAD_DATE, "DOB"),
        ("2016-04-02", "2016-02-30", Code.BAD_DATE, "DOB"),
        ("2016-04-02", "2026-02-02", Code.DATES_OUT_OF_ORDER, None),
        ("B801200005001", "A801200005001", Code.BAD_UPN, "UPN"),
        ("B801200005001", "Q207000016049", Code.BAD_UPN, "UPN"),
        ("<Sex>F</Sex>", "<Sex>girl</Sex>", Code.BAD_CODE, "Sex"),
        ("<Sex>F</Sex>", "<Gender>Q</Gender>", Code.BAD_CODE, "Gender"),
        ("<Sex>F</Sex>", "<Sex>F</Sex><Gender>M</Gender>", Code.BAD_VALUE, "Sex"),
        ("<Sex>F</Sex>", "<FormerUPN>J80120002412B</FormerUPN>", Code.BAD_UPN, "FormerUPN"),
        ("<Sex>F</Sex>", "<Surname>Other</Surname>", Code.BAD_VALUE, "Surname"),
        ("<Sex>F</Sex>", "<PostCode>QQ1 1QQ</PostCode>", Code.BAD_POSTCODE, "PostCode"),
        ("<Sex>F</Sex>", "<UPRN>x</UPRN>", Code.BAD_VALUE, "UPRN"),
        ("Thornton", "Thorn<Forename>ton</Forename>", Code.BAD_VALUE, "Surname"),
    ],
)
def test_a_bad_value_refuses_its_pupil_alone_and_is_not_repeated(
    kind: str, old: str, new: str, code: Code, field: str | None
) -> None:
    good, bad, last = parse(kind, a_file(kind, PUPIL, PUPIL.replace(old, new), PUPIL))
    assert isinstance(good, SourceRecord)
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.code) == (3, code)
    assert field is None or bad.field == field
    assert isinstance(last, SourceRecord)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ("<RiskOfHarm>ZQX7 is unhappy</RiskOfHarm>", "RiskOfHarm"),
        ("<RiskOfHarm><Level><Surname>ZQX7</Surname></Level></RiskOfHarm>", "RiskOfHarm"),
        ("<Forename note='ZQX7'>Amelia</Forename>", "note"),
        ("ZQX7 is unhappy", "unnamed"),
        ("<ZQX7.he.hit.her.on.Tuesday.because.she.told.him/>", "unnamed"),
    ],
    ids=[
        "an element",
        "one with others below it",
        "an attribute",
        "words between elements",
        "a narrative name",
    ],
)
def test_t1_what_is_not_in_the_form_refuses_its_pupil_and_is_kept_nowhere(
    kind: str, extra: str, field: str
) -> None:
    index, told = Index(), Told()
    loaded = index.load(kind, a_file(kind, PUPIL + extra), told=told)
    assert (loaded.counts.refused, loaded.counts.events, index.head()) == (1, 0, 0)
    assert [(r.code, r.field) for r in told.refusals] == [(Code.FIELD_NOT_ALLOWED, field)]
    assert "ZQX7" not in repr(told)


@pytest.mark.parametrize(
    ("kind", "kept_out"),
    [
        *(("school-census", name) for name in sorted(school_census.PASSED_OVER)),
        *(("ctf", name) for name in sorted(ctf.PASSED_OVER)),
    ],
)
def test_what_the_form_holds_by_nature_and_the_index_may_not_is_passed_over(kind: str, kept_out: str) -> None:
    extra = f"<{kept_out} code='ZQX7'>ZQX7<Deeper><Surname>ZQX7</Surname></Deeper></{kept_out}>"
    (parsed,) = parse(kind, a_file(kind, PUPIL + extra))
    assert "ZQX7" not in repr(parsed)
    assert facts(parsed).names[0].family == "Thornton"
    assert f"`{kept_out}`" in (DOCS / f"{kind}.md").read_text("utf-8"), "the page lists it"


def test_one_who_left_needs_a_day_and_a_day_of_leaving_comes_after_that_of_entry() -> None:
    identifiers = f"<PupilIdentifiers>{PUPIL}</PupilIdentifiers>"
    for status, code in (
        ("", Code.MISSING_VALUE),
        ("<EntryDate>2025-09-01</EntryDate><LeavingDate>2025-07-01</LeavingDate>", Code.DATES_OUT_OF_ORDER),
    ):
        gone = f"<PupilNoLongerOnRoll>{identifiers}<PupilStatus>{status}</PupilStatus></PupilNoLongerOnRoll>"
        (refused,) = parse("school-census", census(gone=gone).encode())
        assert isinstance(refused, Rejected)
        assert (refused.code, refused.field) == (code, "LeavingDate")


def test_a_census_without_a_reference_date_refuses_every_pupil() -> None:
    content = a_file("school-census", PUPIL, PUPIL).replace(b"2026-01-15", b"")
    refused = parse("school-census", content)
    assert [(r.code, r.field) for r in refused if isinstance(r, Rejected)] == [
        (Code.MISSING_VALUE, "ReferenceDate")
    ] * 2


# Hostile XML: stopped before anything is expanded, and what stands before it is loaded


def stopped(kind: str, content: bytes) -> Rejected:
    """How the file ended."""
    *_, last = parse(kind, content)
    assert isinstance(last, Rejected)
    return last


LAUGHS: Final = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)).replace("&l0;", "&lol;")
    + "]>"
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "head",
    [
        LAUGHS,
        '<!DOCTYPE Message [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Message SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE Message PUBLIC "a" "b"><!-- c -->',
        '<!DOCTYPE Message [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]>',
        "<!DOCTYPE Message>",
    ],
    ids=["billion laughs", "external entity", "external DTD", "public DTD", "parameter entity", "bare DTD"],
)
def test_a_document_type_stops_the_file_before_anything_of_it(kind: str, head: str) -> None:
    used = "&l9;" if head is LAUGHS else "&x;"
    content = a_file(kind, PUPIL.replace("Thornton", used), head=head)
    tracemalloc.start()
    found = parse(kind, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [Rejected(1, Code.DTD_NOT_ALLOWED)]
    assert peak < 1_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_an_entity_without_a_document_type_is_no_xml_and_the_five_of_xml_are(kind: str) -> None:
    assert stopped(kind, a_file(kind, PUPIL.replace("Thornton", "&x;"))).code is Code.NOT_XML
    (parsed,) = parse(kind, a_file(kind, PUPIL.replace("Thornton", "O&apos;Neill")))
    assert facts(parsed).names[0].family == "O'Neill"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["PupilIdentifiers", "Nothing", "SEN", "Address"])
def test_deep_nesting_stops_the_file(kind: str, name: str) -> None:
    content = a_file(kind, PUPIL + f"<{name}>" * 100_000)
    end = stopped(kind, content)
    assert end.code is Code.TOO_DEEP


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("begin", "end"),
    [("<Surname>", "</Surname>"), ("<SEN>", "</SEN>"), ("", ""), ("<!--", "-->"), ("<Other a='", "'/>")],
    ids=["a value", "passed over", "between elements", "a comment", "an attribute"],
)
def test_a_huge_text_is_refused_and_memory_stays_flat(kind: str, begin: str, end: str) -> None:
    class Huge(io.RawIOBase):
        """A file of 64 MB that is never held whole."""

        def __init__(self) -> None:
            before, after = a_file(kind, PUPIL + begin + "\0" + end).split(b"\0")
            self._parts: Iterator[bytes] = iter((before, *([b"x" * 65536] * 1000), after))

        def read(self, _: int = -1) -> bytes:
            return next(self._parts, b"")

    tracemalloc.start()
    found = list(PARSERS[kind](cast("io.BufferedReader", Huge())))  # type: ignore[index]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert len(found) == 1
    if begin == "<SEN>":
        assert isinstance(found[0], SourceRecord)
    else:
        assert isinstance(found[0], Rejected)
        assert found[0].code in {Code.TOO_LONG, Code.FIELD_NOT_ALLOWED}


@pytest.mark.parametrize("kind", KINDS)
def test_one_pupil_may_not_hold_values_without_end(kind: str) -> None:
    upns = "<FormerUPN>J80120002412A</FormerUPN>" * (school_xml.MAX_VALUES + 1)
    refused, good = parse(kind, a_file(kind, PUPIL + upns, PUPIL))
    assert isinstance(refused, Rejected)
    assert refused.code is Code.TOO_LONG
    assert isinstance(good, SourceRecord)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.EMPTY_FILE),
        (b"{}", Code.NOT_XML),
        (b"<Patients/>", Code.NOT_THIS_FORM),
        (b"\xff\xfe", Code.NOT_XML),
    ],
)
def test_what_is_no_such_file_is_told(kind: str, content: bytes, code: Code) -> None:
    end = stopped(kind, content)
    assert (end.line, end.code) == (1, code)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_breaks_off_keeps_the_pupils_before_the_break(kind: str) -> None:
    content = a_file(kind, PUPIL, PUPIL)
    found = parse(kind, content[: content.rindex(b"<Surname>")])
    assert isinstance(found[0], SourceRecord)
    assert found[1:] == [Rejected(3, Code.NOT_XML)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_in_the_form_outside_of_pupils_stops_the_file(kind: str) -> None:
    assert parse(kind, a_file(kind, PUPIL, header="<Remarks>ZQX7</Remarks>")) == [
        Rejected(1, Code.FIELD_NOT_ALLOWED, "Remarks")
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_number_of_pupils(kind: str) -> None:
    peaks = []
    for pupils in (1_000, 20_000):
        content = io.BytesIO(a_file(kind, *[PUPIL] * pupils))
        tracemalloc.start()
        assert sum(isinstance(one, SourceRecord) for one in PARSERS[kind](content)) == pupils  # type: ignore[index]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000


# What becomes of it


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_loads_and_a_second_time_changes_nothing(kind: str) -> None:
    index, told = Index(), Told()
    content = (SAMPLES / SAMPLE[kind]).read_bytes()
    first = index.load(kind, content, told=told).counts
    assert (first.registered, first.refused, told.refusals) == (first.read, 0, [])
    head = index.head()
    assert index.load(kind, content).counts.unchanged == first.read
    assert index.head() == head


def test_a_school_joins_the_record_of_the_birth_and_one_who_left_attends_none() -> None:
    index = Index()
    index.births(an_entry(address_line_1="3 Later Street", postcode="WF2 6QA"))
    loaded = index.load("school-census", (SAMPLES / SAMPLE["school-census"]).read_bytes()).counts
    assert (loaded.updated, loaded.registered) == (1, 2)
    amelia, *_, oscar = index.facts()
    assert amelia.education is not None
    assert amelia.education.code == "DFE3842001"
    assert "B801200005001" in {identifier.value for identifier in amelia.identifiers}
    assert oscar.education is None


def test_a_later_school_is_shown_whichever_file_comes_first() -> None:
    for kinds in (KINDS, KINDS[::-1]):
        index = Index()
        index.births(an_entry(address_line_1="3 Later Street", postcode="WF2 6QA"))
        for kind in kinds:
            index.load(kind, (SAMPLES / SAMPLE[kind]).read_bytes())
        school = index.facts()[0].education
        assert school is not None
        assert school.code == "DFE3842050", kinds


@pytest.mark.parametrize("kinds", [KINDS, KINDS[::-1], ("ctf", "ctf")])
def test_the_pupil_number_finds_the_record_across_both_files_also_a_former_one(
    kinds: tuple[str, str],
) -> None:
    temporary = PUPIL.replace("B801200005001", "J80120002412A")
    renamed = PUPIL.replace("Thornton", "Hale").replace("<DOB>", "<FormerUPN>J80120002412A</FormerUPN><DOB>")
    again = PUPIL.replace("Amelia", "Milly")
    other_day = again.replace("2016-04-02", "2016-04-03")
    index = Index()
    first, second = kinds
    assert index.load(first, a_file(first, temporary)).counts.registered == 1
    assert index.load(second, a_file(second, renamed)).counts.updated == 1
    assert index.load(first, a_file(first, again)).counts.updated == 1
    assert index.load(first, a_file(first, other_day)).counts.queued == 1
    assert len(index.records()) == 1
