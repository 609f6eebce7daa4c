"""Who lives: families and their children, a block of a hundred children at a time.

A block is a function of the seed and its own number alone, so that a population of more children begins with the very
children of a smaller one, and memory does not grow.
"""

from bisect import bisect
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from itertools import accumulate
from operator import attrgetter
from typing import Final

from ingest.population.numbers import nhs_number, pupil_number
from ingest.population.shares import HAPPENINGS
from ingest.population.slips import Draw, Draws
from ingest.population.vocabulary import AREAS, PEOPLES, PLACES, Naming, places

BLOCK: Final = 100
"""Children of a block."""
EDITION: Final = 1
"""Raised when the same seed shall give another population."""

FIRST: Final = date(2009, 9, 1)
"""The earliest birth: nobody comes of age before 1 September 2027."""
LAST: Final = date(2026, 1, 10)
"""The latest birth."""
REFERENCE: Final = date(2026, 1, 31)
"""The day on which all this is so; nothing is dated later."""

NO_FIXED_ABODE: Final = "ZZ99 3VZ"
_SCHOOL_YEAR: Final = 2025  # the one that the reference day lies in
_SPAN: Final = (LAST - FIRST).days
_SIZES: Final = (1,) * 40 + (2,) * 42 + (3,) * 13 + (4,) * 5
_MIXED: Final = 0.08
_PEOPLES: Final = tuple(people for people, _ in PEOPLES)
_PEOPLE_LIMITS: Final = tuple(accumulate(share for _, share in PEOPLES))[:-1]
_S: Final = {name: happening.share for name, happening in HAPPENINGS.items()}
_TWINS, _HALF, _TWO, _MOTHERS, _HYPHEN = (
    _S[name] for name in ("twins", "half-sibling", "two-parents", "mother-surname", "hyphenated")
)
_MIDDLE, _ABROAD, _MOVED, _NO_ABODE = (
    _S[name] for name in ("middle-name", "born-abroad", "moved", "no-fixed-abode")
)
_RESTRICTED, _ADOPTED, _SUPERSEDED, _LEFT, _FORMER = (
    _S[name] for name in ("restricted", "adopted", "superseded", "left", "former-name")
)
_BENEFIT, _PDS, _CENSUS, _CTF, _CASES = (
    _S[name] for name in ("in-child-benefit", "in-pds", "in-school-census", "in-ctf", "in-case-management")
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of birth, and what school makes of it."""

    iso: str
    year: int
    month: int
    day: int
    begins_school: int
    """The year in whose September the child begins school."""
    school_year: int
    """National Curriculum year on the reference day, 0 for reception; negative before school."""


@cache
def days() -> tuple[Day, ...]:
    """Every day from the first birth to the reference day."""
    found = []
    for ordinal in range(FIRST.toordinal(), REFERENCE.toordinal() + 1):
        day = date.fromordinal(ordinal)
        begins = day.year + (4 if day.month < 9 else 5)
        found.append(Day(day.isoformat(), day.year, day.month, day.day, begins, _SCHOOL_YEAR - begins))
    return tuple(found)


@dataclass(slots=True)
class Home:
    """Where a family lives. Without a street it has no fixed abode."""

    street: str
    town: str
    postcode: str
    since: str


@dataclass(slots=True)
class Child:
    """A child as it is; with a slip, as a source believes it to be."""

    number: int
    person: str
    given: str
    middle: str
    surname: str
    female: bool
    sex_known: bool
    born_on: Day
    born: str
    """Year-month-day."""
    birth_order: int
    """Place in a multiple birth, or 0."""
    mother: tuple[str, str]
    second_parent: tuple[str, str] | None
    home: Home
    earlier_home: Home | None
    registered_on: str
    nhs_number: str
    number_known: bool
    pupil_number: str
    school: int
    """Number of the school's establishment, or 0."""
    area: int
    restricted: bool
    left_on: str
    half_sibling: bool
    family: int
    sources: frozenset[str] = frozenset()
    replaced_number: str = ""
    """An NHS number that PDS says is superseded by this child's."""
    former_surname: str = ""
    at_birth: "Child | None" = None
    """What the register of births says, where names, number or identity were others then."""
    adopted: bool = False


_FACTS: Final = attrgetter(*(field.name for field in fields(Child)))


def another(child: Child) -> Child:
    """The same child, to be changed. Five times as fast as `copy`."""
    return Child(*_FACTS(child))


@dataclass(slots=True)
class _Family:
    naming: Naming
    mother: tuple[str, str]
    father: tuple[str, str] | None
    surname: str
    home: Home
    earlier: Home | None
    born_abroad: bool
    restricted: bool
    left_on: str
    number: int


def block_of(seed: int, number: int, draws: Draws) -> list[Child]:
    """The hundred children of a block, families together."""
    draw = draws(f"contactpoint population {EDITION} {seed} {number}")
    start = int(draws(f"contactpoint numbers {EDITION} {seed}")() * 10_000_000)
    area = number % len(AREAS)
    children: list[Child] = []
    families = 0
    while len(children) < BLOCK:
        family = _a_family(draw, area, families)
        families += 1
        _bear(draw, family, children, number, start)
    return children


def _naming(draw: Draw) -> Naming:
    return _PEOPLES[bisect(_PEOPLE_LIMITS, draw())]


def _of(table: tuple[str, ...], draw: Draw) -> str:
    return table[int(draw() * len(table))]


def _a_home(draw: Draw, area: int, since: str) -> Home:
    street, town, postcode = places(area)[int(draw() * PLACES)]
    return Home(f"{1 + int(draw() * 140)} {street}", town, postcode, since)


def _a_family(draw: Draw, area: int, number: int) -> _Family:
    naming = _naming(draw)
    mother = (_of(naming.girls, draw), _of(naming.families, draw))
    father = None
    surname = mother[1]
    if draw() < _TWO:
        his = naming if draw() >= _MIXED else _naming(draw)
        father = (_of(his.boys, draw), _of(his.families, draw))
        named = draw()
        surname = father[1]
        if named < _MOTHERS:
            surname = mother[1]
        elif named < _MOTHERS + _HYPHEN and "-" not in mother[1] + father[1] and mother[1] != father[1]:
            surname = f"{mother[1]}-{father[1]}"
    home = _a_home(draw, area, "")
    earlier = None
    if draw() < _MOVED:
        elsewhere = area if draw() < 0.8 else int(draw() * len(AREAS))
        earlier = _a_home(draw, elsewhere, "")
        home.since = days()[_SPAN - int(draw() * 2_000)].iso
    elif draw() < _NO_ABODE / (1 - _MOVED):
        home = Home("", "", NO_FIXED_ABODE, "")
    fate = draw()
    left_on = ""
    if fate < _LEFT:
        left_on = days()[_SPAN - int(draw() * 300)].iso
    return _Family(
        naming,
        mother,
        father,
        surname,
        home,
        earlier,
        draw() < _ABROAD,
        _LEFT <= fate < _LEFT + _RESTRICTED,
        left_on,
        number,
    )


def _bear(draw: Draw, family: _Family, children: list[Child], block: int, start: int) -> None:
    """Add the family's children to the block, as many as it still takes. Twins are never parted."""
    size = _SIZES[int(draw() * 100)]
    day = int(draw() * _SPAN)
    father, surname = family.father, family.surname
    half = False
    used: set[str] = set()
    for birth in range(size):
        if birth:
            day += 330 + int(draw() * 1_300)
            if draw() < _HALF:
                half = True
                his = _naming(draw)
                father = (_of(his.boys, draw), _of(his.families, draw))
                surname = father[1]
            if day > _SPAN:
                break
        born = days()[day]
        registered = days()[min(day + 1 + int(draw() * 41), len(days()) - 1)].iso
        twins = draw() < _TWINS
        if len(children) + 1 + twins > BLOCK:
            break
        for order in (1, 2) if twins else (0,):
            child = _a_child(
                draw,
                family,
                block * BLOCK + len(children),
                born,
                registered,
                order,
                father,
                surname,
                used,
                start,
                half,
            )
            children.append(child)
        if len(children) == BLOCK:
            break


def _a_child(
    draw: Draw,
    family: _Family,
    number: int,
    born: Day,
    registered: str,
    order: int,
    father: tuple[str, str] | None,
    surname: str,
    used: set[str],
    start: int,
    half_sibling: bool,  # noqa: FBT001  (one of a row of facts, passed by their place for speed)
) -> Child:
    female = draw() < 0.488
    table = family.naming.girls if female else family.naming.boys
    given = _of(table, draw)
    while given in used:
        given = _of(table, draw)
    used.add(given)
    middle = _of(table, draw) if draw() < _MIDDLE else ""
    home, earlier = family.home, family.earlier
    if earlier is not None and home.since <= born.iso:
        earlier = None  # born after the move
    area = number // BLOCK % len(AREAS)
    sex_known = number_known = True
    child = Child(
        number,
        f"p{number:08d}",
        given,
        "" if middle == given else middle,
        surname,
        female,
        sex_known,
        born,
        born.iso,
        order,
        family.mother,
        father,
        home,
        earlier,
        registered,
        nhs_number(2 * number, start),
        number_known,
        "",
        0,
        area,
        family.restricted,
        family.left_on if family.left_on > born.iso else "",
        half_sibling,
        family.number,
    )
    _go_to_school(child)
    if order == 0:
        _live(draw, child, start)
    child.sources = _known_to(draw, child, family)
    return child


def _go_to_school(child: Child) -> None:
    """Schools and pupil numbers: ten blocks of an area share a school of each phase, whose serials they divide."""
    day = child.born_on
    if day.school_year < 0:
        return
    turn, place = divmod(child.number, BLOCK)
    turn //= len(AREAS)
    primary = 2_000 + turn // 10
    child.school = primary if day.school_year < 7 else primary + 2_000
    child.pupil_number = pupil_number(
        AREAS[child.area][1], primary, day.begins_school, turn % 10 * 100 + place
    )


def _live(draw: Draw, child: Child, start: int) -> None:
    """What becomes of a child's names and numbers: adopted, a number replaced, a name changed, or nothing of it."""
    fate = draw()
    if fate < _ADOPTED:
        child.at_birth = another(child)
        naming = _naming(draw)
        child.person += "-a"
        child.adopted = True
        child.given, child.middle = _of(naming.girls if child.female else naming.boys, draw), ""
        child.mother = (_of(naming.girls, draw), _of(naming.families, draw))
        child.second_parent = (_of(naming.boys, draw), _of(naming.families, draw))
        child.surname = child.second_parent[1]
        child.home, child.earlier_home = _a_home(draw, child.area, ""), None
        child.nhs_number = nhs_number(2 * child.number + 1, start)
        child.restricted, child.left_on = False, ""
    elif fate < _ADOPTED + _SUPERSEDED:
        child.at_birth = another(child)
        child.replaced_number = child.nhs_number
        child.nhs_number = nhs_number(2 * child.number + 1, start)
    elif fate < _ADOPTED + _SUPERSEDED + _FORMER:
        former = child.mother[1] if child.mother[1] != child.surname else _of(_naming(draw).families, draw)
        if former != child.surname:
            child.at_birth = another(child)
            child.at_birth.surname = child.former_surname = former


def at_birth(child: Child) -> Child:
    """The child as it was when it was born: under its first name and number, in its first home."""
    born = child.at_birth or child
    if born.earlier_home is not None:
        first = born.earlier_home
        born = another(born)
        born.home, born.earlier_home = first, None
    return born


def _known_to(draw: Draw, child: Child, family: _Family) -> frozenset[str]:
    """The sources that hold a record of the child. Every child has one at least: who has no other has PDS."""
    known = [] if family.born_abroad and not child.adopted else ["births"]
    if draw() < _PDS or not known:
        known.append("pds")
    if not child.left_on:
        if draw() < _BENEFIT:
            known.append("child-benefit")
        if child.school:
            if draw() < _CENSUS:
                known.append("school-census")
            if draw() < _CTF:
                known.append("ctf")
        if draw() < _CASES:
            known.append("case-management")
    return frozenset(known)
