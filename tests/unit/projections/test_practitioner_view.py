"""What a search may find a child by, and how well a record meets what was asked."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.events import Criteria
from domain.child_record.events import CurrentAddress, Gender
from domain.disclosure import listed
from domain.errors import BadInput
from projections.practitioner_view.view import (
    ChildRow,
    NameRow,
    Sieve,
    SoundRow,
    asked,
    names_in,
    rank,
    rank_of_name,
    rows,
    sound,
)
from projections.projection import as_served
from tests import builders
from tests.builders import BORN, CHILD, NOW, NUMBER, TODAY, a_name, an_address, asserts, registers, the_rules
from tests.unit.projections.journal import Journal

ARCHIVED_ON = date(2033, 6, 9)


def _folded(*facts: object) -> list[object]:
    journal = Journal()
    journal.tell(CHILD, *facts)  # type: ignore[arg-type]
    return list(rows(as_served(journal.history(CHILD)), the_rules()))


def test_a_child_is_found_by_what_its_record_shows() -> None:
    child, name, *_ = _folded(
        registers(names=(a_name("Zoë Anne-Marie", "O'Brien Smith"),)), asserts(whereabouts=an_address())
    )
    names = "current|zoe anne marie|obrien smith"
    assert child == ChildRow(
        CHILD, 3, NUMBER, BORN, "female", "E81DY", None, False, ARCHIVED_ON, "present", names
    )
    assert isinstance(name, NameRow)
    assert (name.given, name.family) == ("zoe anne marie", "obrien smith")


def test_a_former_name_finds_an_ordinary_record() -> None:
    names = (a_name(), a_name("Amira", "Osman", kind="former"))
    rows_of_both = _folded(registers(names=names))
    child, current, former = [row for row in rows_of_both if not isinstance(row, SoundRow)]
    assert isinstance(child, ChildRow)
    assert isinstance(former, NameRow)
    assert isinstance(current, NameRow)
    assert (current.family, former.family) == ("khan", "osman")
    assert names_in(child.names) == [("current", "amira jane", "khan"), ("former", "amira", "osman")]


def test_a_shielded_record_is_found_by_what_it_shows_and_nothing_else() -> None:
    names = (a_name(), a_name("Amira", "Osman", kind="former"))
    number = "9000000009"
    history = (registers(names=names, nhs_number=number), asserts(whereabouts=an_address()))
    assert any(isinstance(row, ChildRow) and row.nhs_number == number for row in _folded(*history))
    child, name, *heard = _folded(*history, builders.shields())
    shown, joined = "current|amira jane|khan", {sound("amirajane")}
    assert child == ChildRow(
        CHILD, 4, NUMBER, BORN, "female", None, None, True, ARCHIVED_ON, "present", shown
    )
    assert isinstance(name, NameRow)
    assert name.family == "khan"
    assert heard == [
        SoundRow(one, CHILD, 0) for one in sorted({sound("amira"), sound("jane"), sound("khan")} | joined)
    ]


def test_a_lifted_shield_brings_everything_back() -> None:
    before = _folded(registers(), asserts(whereabouts=an_address()))
    after = _folded(registers(), asserts(whereabouts=an_address()), builders.shields(), builders.lifts())
    assert [row[1:] for row in after[1:]] == [row[1:] for row in before[1:]]  # type: ignore[index]
    assert isinstance(after[0], ChildRow)
    assert after[0].postcode == "E81DY"
    assert not after[0].shielded


def test_an_archived_record_is_not_found() -> None:
    from domain.child_record.events import RecordArchived

    assert _folded(registers()) != []
    assert _folded(registers(), RecordArchived(archived_on=TODAY, rule_set="present", ground="age-18")) == []


def test_a_destroyed_record_and_streams_about_no_child_have_no_rows() -> None:
    journal = Journal()
    journal.tell(CHILD, registers())
    journal.destroy(CHILD, UUID(int=9))
    assert rows(journal.history(CHILD), the_rules()) == ()
    assert rows(journal.history(UUID(int=9)), the_rules()) == ()


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("amira khan", id="as written"),
        pytest.param("Khan Amira", id="family name first"),
        pytest.param("KHAN, Amira Jane", id="capitals and a comma"),
        pytest.param("ami khan", id="beginning of the given name"),
        pytest.param("a khan", id="initial"),
        pytest.param("ameera kahn", id="another spelling and a letter off"),
        pytest.param("khan", id="family name alone"),
        pytest.param("amira jane", id="given names alone"),
        pytest.param("amira bibi khan", id="one unknown word of three"),
    ],
)
def test_a_name_is_met_by(typed: str) -> None:
    words = tuple(typed.replace(",", "").lower().split())
    assert rank_of_name(words, "amira jane", "khan") is not None
    assert Sieve(words).may_meet("amira jane", "khan")


@pytest.mark.parametrize(
    ("typed", "given", "family"),
    [
        pytest.param("smithjones", "tom", "smith jones", id="a double name as one word"),
        pytest.param("smith jones", "tom", "smithjones", id="one word as a double name"),
        pytest.param("anne marie jones", "annemarie", "jones", id="given name as two"),
        pytest.param("annemarie jones", "anne marie", "jones", id="given names as one"),
        pytest.param("jones", "tom", "smith jones", id="one half of a double name"),
        pytest.param("mohammed ali", "muhammad", "ali", id="transliteration"),
        pytest.param("catherine wright", "katherine", "wright", id="first letter that sounds alike"),
        pytest.param("stephen brown", "steven", "browne", id="sounds alike"),
    ],
)
def test_another_writing_of_a_name_meets_it(typed: str, given: str, family: str) -> None:
    assert rank_of_name(tuple(typed.split()), given, family) is not None
    assert Sieve(typed.split()).may_meet(given, family)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("amira osman", id="another family name"),
        pytest.param("yusuf khan", id="another given name"),
        pytest.param("amira bibi begum", id="two unknown words"),
        pytest.param("ira", id="the end of a given name"),
        pytest.param("kh", id="the beginning of a family name"),
    ],
)
def test_a_name_is_not_met_by(typed: str) -> None:
    assert rank_of_name(tuple(typed.split()), "amira jane", "khan") is None


def test_the_closer_name_ranks_first() -> None:
    ranks = [
        rank_of_name(tuple(typed.split()), "katherine", "smith")
        for typed in ("katherine smith", "kath smith", "catherine smith", "katherin smyth")
    ]
    assert None not in ranks
    assert ranks == sorted(ranks, key=lambda one: -1 if one is None else one)
    assert len(set(ranks)) == len(ranks)


def test_a_name_that_is_like_no_word_is_not_ranked() -> None:
    assert not Sieve(("amira", "khan")).may_meet("tobias", "whitlock")


@given(
    typed=st.lists(st.text("abeikmnst", min_size=1, max_size=9), min_size=1, max_size=3),
    slips=st.lists(st.tuples(st.integers(0, 8), st.text("abeikmnst", max_size=2)), max_size=2),
    family=st.text("abeikmnst", max_size=9),
)
def test_no_name_is_sieved_out_that_would_be_ranked(
    typed: list[str], slips: list[tuple[int, str]], family: str
) -> None:
    """Names near what is typed: a few letters of it replaced, beside a family name of its own."""
    given_names = " ".join(typed)
    for at, letters in slips:
        given_names = given_names[:at] + letters + given_names[at + 1 :]
    for names in ((given_names, family), (family, given_names)):
        ranked = rank_of_name(tuple(typed), *names)
        assert ranked is None or Sieve(typed).may_meet(*names)


@pytest.mark.parametrize(
    ("one", "other"), [("philip", "filip"), ("knight", "nite"), ("shaun", "sean"), ("geoffrey", "jeffrey")]
)
def test_words_sound_alike(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(("one", "other"), [("amira", "yusuf"), ("smith", "jones"), ("khan", "osman")])
def test_words_do_not_sound_alike(one: str, other: str) -> None:
    assert sound(one) != sound(other)


# What is shown decides


def _shown(**changes: object) -> dict[str, object]:
    shown = listed(the_rules(), 1, builders.facts(**changes), builders.a_viewer(), NOW)
    assert shown is not None
    return shown.record


def _shielded() -> dict[str, object]:
    shown = listed(the_rules(), 1, builders.behind_a_shield(), builders.a_viewer(), NOW)
    assert shown is not None
    return shown.record


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        pytest.param(Criteria(name="Amira Khan"), 0, id="name"),
        pytest.param(Criteria(name="Amira Osman"), 5, id="former name ranks behind"),
        pytest.param(Criteria(name="Khan", date_of_birth=date(2015, 6, 9)), 0, id="name and date of birth"),
        pytest.param(Criteria(name="Khan", date_of_birth=date(2015, 9, 6)), 40, id="day and month exchanged"),
        pytest.param(Criteria(name="Khan", date_of_birth=date(2015, 6, 10)), None, id="another day"),
        pytest.param(Criteria(name="Khan", postcode="e8 1dy"), 0, id="postcode"),
        pytest.param(Criteria(name="Khan", postcode="E8 1DZ"), None, id="another postcode"),
        pytest.param(Criteria(name="Khan", gender=Gender.FEMALE), 0, id="gender"),
        pytest.param(Criteria(name="Khan", gender=Gender.MALE), None, id="another gender"),
        pytest.param(Criteria(number="J5TWDX0000Y"), 0, id="number"),
        pytest.param(Criteria(number=builders.a_number(7)), None, id="another number"),
        pytest.param(Criteria(number="J5TWDX0000Y", name="Jones"), None, id="every criterion must be met"),
    ],
)
def test_an_ordinary_record_meets(criteria: Criteria, expected: int | None) -> None:
    assert rank(criteria, _shown()) == expected


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        pytest.param(Criteria(name="Amira Khan", date_of_birth=BORN), 0, id="name and date of birth find it"),
        pytest.param(Criteria(number="J5TWDX0000Y"), 0, id="its number finds it"),
        pytest.param(Criteria(name="Amira Osman"), None, id="a former name does not"),
        pytest.param(Criteria(name="Amira Khan", postcode="E8 1DY"), None, id="a postcode does not"),
        pytest.param(Criteria(nhs_number="9000000009"), None, id="an NHS number does not"),
        pytest.param(
            Criteria(number="J5TWDX0000Y", nhs_number="9000000009"), None, id="nor beside its number"
        ),
    ],
)
def test_a_shielded_record_meets(criteria: Criteria, expected: int | None) -> None:
    assert rank(criteria, _shielded()) == expected


def test_a_gender_not_specified_meets_either_and_ranks_behind() -> None:
    shown = _shown(gender=Gender.NOT_SPECIFIED)
    assert rank(Criteria(name="Khan", gender=Gender.MALE), shown) == 10


def test_a_record_without_a_date_of_birth_is_not_met_by_one() -> None:
    assert rank(Criteria(name="Khan", date_of_birth=BORN), _shown(date_of_birth=None)) is None


@pytest.mark.parametrize(
    "criteria",
    [
        pytest.param(Criteria(date_of_birth=BORN), id="everyone born on a day"),
        pytest.param(Criteria(date_of_birth=BORN, gender=Gender.MALE), id="every boy born on a day"),
        pytest.param(Criteria(postcode="E8 1DY"), id="whoever lives at a postcode"),
        pytest.param(Criteria(gender=Gender.FEMALE), id="every girl"),
        pytest.param(Criteria(name="k"), id="one letter"),
        pytest.param(Criteria(name="--"), id="no letter"),
        pytest.param(Criteria(name="%%", date_of_birth=BORN), id="signs"),
    ],
)
def test_too_wide_a_search_is_refused(criteria: Criteria) -> None:
    with pytest.raises(BadInput) as refused:
        asked(criteria)
    assert refused.value.code == "search-too-wide"


def test_a_date_of_birth_with_a_postcode_is_a_search() -> None:
    assert rank(Criteria(date_of_birth=BORN, postcode="E8 1DY"), _shown()) == 0
    assert isinstance(builders.facts().whereabouts, CurrentAddress)
