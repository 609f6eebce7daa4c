"""Normal forms, likeness, keys, and the decision which record an incoming one is about."""

from datetime import date
from uuid import UUID

import pytest

from domain.child_record.events import Address, Gender
from ingest.matching import blocking, comparison, normalise
from ingest.matching.blocking import Candidate
from ingest.matching.comparison import near_part, sound
from ingest.matching.decision import (
    AREA,
    DISTRICT,
    EXACT,
    Decision,
    Doubt,
    Incoming,
    Match,
    NoMatch,
    Queue,
    decide,
    linking_keys,
    near_shielded,
    screening_keys,
)
from ingest.matching.normalise import NormalName

BORN = date(2016, 4, 2)
IN_DOUBT = Queue(Doubt.RESEMBLES, (UUID(int=1),))
ONE, TWO = UUID(int=1), UUID(int=2)
NUMBER, ANOTHER = "9434765919", "9434765870"


def a_candidate(
    child_id: UUID = ONE,
    name: str = "amelia rose thornton",
    born: date = BORN,
    where: str | None = "WF26QA",
    number: str | None = None,
    *,
    verified: bool = True,
    gender: Gender = Gender.NOT_SPECIFIED,
    order: int | None = None,
    shielded: bool = False,
    entries: tuple[str, ...] = (),
) -> Candidate:
    forenames, _, surname = name.rpartition(" ")
    person = NormalName(forenames, surname)
    keys = {blocking.by_date_of_birth(born)}
    if number is not None:
        keys.add(blocking.by_nhs_number(number))
    if shielded:
        keys.add(blocking.by_shielded_birth(born))
    elif where is not None:
        keys |= {blocking.by_name(person, born), blocking.by_postcode(where)}
        keys |= blocking.near_keys((person,), (born,), (where,))
        keys |= {blocking.by_source_record("births", entry) for entry in entries}
    return Candidate(
        child_id, forenames, surname, born, where, number, verified, gender, order, shielded, False, frozenset(keys)
    )  # fmt: skip


def incoming(
    name: str = "amelia rose thornton",
    born: date | None = BORN,
    where: str | None = "WF26QA",
    number: str | None = None,
    *,
    former: tuple[str, ...] = (),
    verified: bool = True,
    gender: Gender | None = None,
    order: int | None = None,
    entry: str | None = None,
    carers: bool = False,
) -> Incoming:
    forenames, _, surname = name.rpartition(" ")
    return Incoming(
        "births",
        entry,
        (NormalName(forenames, surname),),
        born,
        () if where is None else (where,),
        number,
        former,
        verified,
        gender,
        order,
        carers,
    )


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Siân", "sian"),
        ("O’Brien", "obrien"),
        ("O'BRIEN", "obrien"),
        ("Anne-Marie", "anne marie"),
        ("Łukasz", "lukasz"),
        ("Đặng", "dang"),
        ("Søren  Æ", "soren ae"),
        ("ST. JOHN", "st john"),
        ("Straße", "strasse"),
        ("Zoë‑Mae", "zoe mae"),
    ],
)
def test_the_normal_form_of_a_name(written: str, normal: str) -> None:
    assert normalise.name(written) == normal


def test_the_short_way_for_plain_names_comes_to_what_the_steps_come_to() -> None:
    for written in ("Smith", "AMELIA", "x", "Zz"):
        assert normalise.name(written) == normalise._through(normalise.NAME_STEPS, written)


def test_no_fixed_abode_is_never_evidence() -> None:
    assert normalise.postcode("ZZ99 3VZ") is None
    assert normalise.postcode("WF2 6QA") == "WF26QA"
    assert normalise.address_words(Address(postcode="ZZ99 3VZ")) == frozenset()


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (("14 Sandal Rise",), ("14, SANDAL RISE", "Wakefield"), True),
        (("Flat 2", "10 High Street"), ("10 High St.",), True),
        (("The Old Mill",), ("the old mill",), True),
        (("14 Sandal Rise",), ("15 Sandal Rise",), False),
        (("The Old Mill",), ("The New Mill",), False),
    ],
)
def test_two_writings_of_an_address(one: tuple[str, ...], other: tuple[str, ...], agree: bool) -> None:
    words = [normalise.address_words(Address(lines=lines, postcode="WF2 6QA")) for lines in (one, other)]
    assert (not words[0].isdisjoint(words[1])) is agree


def test_the_same_house_number_in_another_street_is_another_address() -> None:
    one = normalise.address_words(Address(lines=("14 Sandal Rise",), postcode="WF2 6QA"))
    assert one.isdisjoint(normalise.address_words(Address(lines=("14 Sandal Rise",), postcode="WF4 3DN")))


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("robert", "R163"),
        ("rupert", "R163"),
        ("ashcraft", "A261"),
        ("tymczak", "T522"),
        ("lee", "L000"),
        ("3", ""),
    ],
)
def test_soundex(part: str, code: str) -> None:
    assert sound(part) == code


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("thornton", "thorntan", True),
        ("amelia", "emelia", True),
        ("catherine", "katherine", True),
        ("smith", "smith jones", True),
        ("stephen", "steven", True),
        ("mohammed", "muhammad", True),
        ("oleksandr", "alexander", True),
        ("lily", "lilyrose", True),
        ("amelia", "oliver", False),
        ("jack", "harry", False),
        ("thornton", "khan", False),
        ("", "amelia", False),
        ("al", "alan", False),
    ],
)
def test_near_name_parts(one: str, other: str, near: bool) -> None:
    assert near_part(one, other) is near
    assert near_part(other, one) is near


def test_names_near_when_swapped_or_with_the_middle_name_in_use() -> None:
    name = NormalName("amelia rose", "thornton")
    assert comparison.near(name, NormalName("rose", "thornton"))
    assert comparison.near(name, NormalName("thornton", "amelia"))
    assert comparison.near(name, NormalName("", "thornton"))
    assert not comparison.near(name, NormalName("oliver", "thornton"))
    assert not comparison.near(name, NormalName("amelia", "khan"))


def test_day_and_month_swapped() -> None:
    assert blocking.day_and_month_swapped(date(2016, 4, 2)) == date(2016, 2, 4)
    assert blocking.day_and_month_swapped(date(2016, 4, 13)) is None
    assert blocking.day_and_month_swapped(date(2016, 4, 4)) is None


@pytest.mark.parametrize(
    ("who", "known", "decision"),
    [
        (
            incoming("someone else", where=None, number=NUMBER),
            a_candidate(number=NUMBER),
            Match(ONE, "nhs-number-and-birth-date"),
        ),
        (
            incoming(number=NUMBER, born=date(2016, 4, 3)),
            a_candidate(number=NUMBER),
            Queue(Doubt.BIRTH_DATE_DIFFERS, (ONE,)),
        ),
        (
            incoming(where=None, number=ANOTHER, former=(NUMBER,)),
            a_candidate(number=NUMBER),
            Match(ONE, "nhs-number-and-birth-date"),
        ),
        (
            incoming("oliver thornton", number=NUMBER, order=2),
            a_candidate(number=NUMBER, order=1),
            Queue(Doubt.TWIN, (ONE,)),
        ),
        (
            incoming("amelia thornton", number=NUMBER, order=2),
            a_candidate(number=NUMBER, order=1),
            Match(ONE, "nhs-number-and-birth-date"),
        ),
        (incoming(), a_candidate(), Match(ONE, "names-birth-date-and-postcode")),
        (incoming("amelia thornton"), a_candidate(), Match(ONE, "names-birth-date-and-postcode")),
        (incoming(number=NUMBER), a_candidate(), Match(ONE, "names-birth-date-and-postcode")),
        (
            incoming(number=ANOTHER, verified=False),
            a_candidate(number=NUMBER),
            Match(ONE, "names-birth-date-and-postcode"),
        ),
        (incoming(number=ANOTHER), a_candidate(number=NUMBER), Queue(Doubt.NUMBERS_DIFFER, (ONE,))),
        (incoming(order=2), a_candidate(order=1), Queue(Doubt.BIRTH_ORDER_DIFFERS, (ONE,))),
        (incoming("amelia jane thornton"), a_candidate(), Queue(Doubt.FORENAMES_DIFFER, (ONE,))),
        (
            incoming("amelia thornton"),
            a_candidate(order=2),
            Queue(Doubt.FORENAMES_DIFFER, (ONE,)),
        ),
        (incoming(entry="B"), a_candidate(entries=("A",)), Queue(Doubt.ANOTHER_ENTRY, (ONE,))),
        (
            incoming("mia thorntan", where="LS11UR", entry="A"),
            a_candidate(entries=("A",)),
            Match(ONE, "same-entry-and-birth-date"),
        ),
        (
            incoming(born=date(2016, 4, 3), entry="A"),
            a_candidate(entries=("A",)),
            Queue(Doubt.BIRTH_DATE_DIFFERS, (ONE,)),
        ),
        (incoming("oliver thornton"), a_candidate(), NoMatch()),
        (incoming(where="LS11UR"), a_candidate(), IN_DOUBT),
        (incoming(where=None), a_candidate(), IN_DOUBT),
        (incoming(born=date(2016, 4, 3)), a_candidate(), IN_DOUBT),
        (incoming(born=date(2016, 2, 4)), a_candidate(), IN_DOUBT),
        (incoming(" thornton"), a_candidate(name=" thornton"), IN_DOUBT),
        (incoming("amelia khan"), a_candidate(), IN_DOUBT),
        (
            incoming("thornton amelia"),
            a_candidate(name="amelia thornton"),
            Queue(Doubt.FORENAMES_DIFFER, (ONE,)),
        ),
        (
            incoming("ella thornton"),
            a_candidate(name="ellie thornton"),
            Queue(Doubt.FORENAMES_DIFFER, (ONE,)),
        ),
        (incoming("muhammad ali"), a_candidate(name="mohammed ali"), Queue(Doubt.FORENAMES_DIFFER, (ONE,))),
        (incoming(born=date(1986, 4, 2)), a_candidate(), NoMatch()),
        (incoming("amelia khan", where="LS11UR"), a_candidate(), NoMatch()),
        (
            incoming("amelia rose thornton jones"),
            a_candidate(name="amelia rose thornton jones"),
            Match(ONE, EXACT),
        ),
        (
            incoming(where="WF26XX", gender=Gender.FEMALE),
            a_candidate(gender=Gender.FEMALE),
            Match(ONE, DISTRICT),
        ),
        (incoming(where="WF26XX", gender=Gender.MALE), a_candidate(gender=Gender.FEMALE), NoMatch()),
        (incoming(where="WF41XX", gender=Gender.FEMALE), a_candidate(gender=Gender.FEMALE), Match(ONE, AREA)),
        (
            incoming("amelia thornton", where="WF41XX", gender=Gender.FEMALE),
            a_candidate(gender=Gender.FEMALE),
            IN_DOUBT,
        ),
        (
            incoming(" ", born=None, where=None, number=NUMBER, carers=True),
            a_candidate(number=NUMBER),
            Match(ONE, "nhs-number"),
        ),
    ],
    ids=[
        "number and birth date agree, whatever the name",
        "number agrees, birth date does not",
        "by the superseded number",
        "a twin under the other's number",
        "birth order wrong, forename right",
        "names, birth date and postcode agree",
        "without the middle name",
        "the record has no number yet",
        "another number, not verified",
        "two verified numbers never merge",
        "twins of one name never merge",
        "another middle name",
        "one of several births without its middle name",
        "another entry of the same register",
        "a corrected entry of the register",
        "a register's entry with another birth date",
        "a twin",
        "another postcode",
        "no postcode",
        "another birth date",
        "day and month exchanged",
        "no forename is no evidence",
        "a surname of another family",
        "names exchanged",
        "a twin of a like name",
        "a name in other letters",
        "father and son of one name",
        "another surname elsewhere",
        "a surname of two words",
        "moved within the postcode district",
        "moved, of the other sex",
        "moved within the postcode area, with all forenames",
        "moved within the postcode area, with one forename",
        "carers name the child by number alone",
    ],
)
def test_the_decision(who: Incoming, known: Candidate, decision: Decision) -> None:
    assert decide(who, [known]) == decision


def test_a_candidate_is_found_under_the_keys_that_decide() -> None:
    for who in (
        incoming("xx yy", where=None, number=NUMBER),
        incoming("xx yy", where=None, entry="A"),
        incoming(where=None),
        incoming("amelie thurnton"),
        incoming("oliver khan"),
        incoming(born=date(2011, 1, 1)),
        incoming(born=date(2016, 2, 4), where=None),
        incoming("thornton amelia", where=None),
    ):
        known = a_candidate(number=NUMBER, entries=("A",))
        assert not linking_keys(who).isdisjoint(known.keys)


def test_several_candidates_are_a_doubt() -> None:
    assert decide(incoming(), [a_candidate(ONE), a_candidate(TWO)]) == Queue(Doubt.SEVERAL, (ONE, TWO))
    both = [a_candidate(ONE, number=NUMBER), a_candidate(TWO, number=NUMBER)]
    assert decide(incoming(number=NUMBER), both) == Queue(Doubt.SEVERAL, (ONE, TWO))


@pytest.mark.parametrize(
    ("who", "near"),
    [
        (incoming(), True),
        (incoming("emelia thorntan", where=None), True),
        (incoming("rose thornton"), True),
        (incoming("thornton amelia"), True),
        (incoming("amelia thornton", born=date(2016, 2, 4)), True),
        (incoming("amelia khan"), True),
        (incoming("oliver thornton"), True),
        (incoming("oliver thornton", gender=Gender.MALE), False),
        (incoming("amelia khan", number=ANOTHER), False),
        (incoming("amelia thornton", number=ANOTHER), True),
        (incoming("oliver khan"), False),
        (incoming("amelia khan", born=date(2016, 2, 4)), False),
        (incoming(born=date(2016, 4, 3)), False),
    ],
    ids=[
        "the same, unmatched",
        "near name",
        "middle name in use",
        "names swapped",
        "day and month swapped",
        "a new surname",
        "a twin's forename",
        "a twin of another gender",
        "half a name, another verified number",
        "the whole name, another verified number",
        "another name",
        "half a name and a swapped date",
        "another birth date",
    ],
)
def test_near_a_shielded_child_of_the_same_birth_date(who: Incoming, near: bool) -> None:
    known = a_candidate(number=NUMBER, gender=Gender.FEMALE, where=None, shielded=True)
    assert near_shielded(who, [known], frozenset()) is near
    assert not near_shielded(who, [a_candidate(number=NUMBER)], frozenset())


@pytest.mark.parametrize(
    ("name", "near"),
    [("amelia thornton", True), ("amelia khan", True), ("oliver thornton", False), ("oliver khan", False)],
)
def test_near_a_shielded_child_of_the_same_address(name: str, near: bool) -> None:
    who = incoming(name, born=date(2010, 1, 1))
    known = a_candidate(where=None, shielded=True)
    assert near_shielded(who, [known], frozenset({ONE})) is near
    assert not near_shielded(who, [known], frozenset())


def test_the_screen_asks_for_both_readings_of_a_date() -> None:
    assert screening_keys(incoming()) == {"s:2016-04-02", "s:2016-02-04"}
