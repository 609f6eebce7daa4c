"""What a source believes of a child: the child as it is, or with one slip of those that the source makes."""

from bisect import bisect
from itertools import accumulate
from typing import Final

from ingest.population.people import NO_FIXED_ABODE, REFERENCE, Child, Home, another
from ingest.population.shares import SLIPS, SOURCES
from ingest.population.slips import Draw, mistyped, other_day, other_form, wrong_postcode
from ingest.population.vocabulary import NICKNAMES, PEOPLES, SOUND_ALIKES, TRANSLITERATIONS

_REFERENCE: Final = REFERENCE.isoformat()
_NAMES: Final = tuple(SLIPS)
_LIMITS: Final = {
    source: tuple(accumulate(slip.shares[column] for slip in SLIPS.values()))
    for column, source in enumerate(SOURCES)
}
_OF_THE_HOME: Final = frozenset({"no-postcode", "postcode", "old-home"})
_ANY: Final = {source: limits[-1] for source, limits in _LIMITS.items()}


def told(source: str, child: Child, draw: Draw) -> tuple[Child, str]:
    """The child as the source believes it to be, and the name of the slip, or "" where it makes none."""
    luck = draw()
    if luck >= _ANY[source]:
        return child, ""
    slip = _NAMES[bisect(_LIMITS[source], luck)]
    if source == "pds" and child.restricted and slip in _OF_THE_HOME:
        return child, ""  # a restricted message says nothing of the home
    believed = slipped(slip, child, draw)
    return (child, "") if believed is None else (believed, slip)


def slipped(slip: str, child: Child, draw: Draw) -> Child | None:
    """The child with this slip, or None where it cannot happen to this child."""
    match slip:
        case "no-postcode" | "postcode" | "old-home":
            return _elsewhere(slip, child, draw)
        case "day-month" | "day":
            return _on_another_day(slip, child, draw)
        case "sex" | "no-sex" | "no-number":
            believed = another(child)
            if slip == "sex":
                believed.female = not child.female
            elif slip == "no-sex":
                believed.sex_known = False
            else:
                believed.number_known = False
            return believed
        case _:
            return _misnamed(slip, child, draw)


def _elsewhere(slip: str, child: Child, draw: Draw) -> Child | None:
    home = child.home
    if slip == "old-home":
        if child.earlier_home is None:
            return None
        home = child.earlier_home
    elif home.postcode == NO_FIXED_ABODE:
        return None
    else:
        postcode = "" if slip == "no-postcode" else wrong_postcode(home.postcode, draw)
        home = Home(home.street, home.town, postcode, home.since)
    believed = another(child)
    believed.home = home
    return believed


def _on_another_day(slip: str, child: Child, draw: Draw) -> Child | None:
    day = child.born_on
    if slip == "day":
        born = f"{day.year}-{day.month:02d}-{other_day(day.day, draw):02d}"
    else:
        if day.day > 12 or day.day == day.month:
            return None
        born = f"{day.year}-{day.day:02d}-{day.month:02d}"
    if born > _REFERENCE:
        return None
    believed = another(child)
    believed.born = born
    return believed


def _misnamed(slip: str, child: Child, draw: Draw) -> Child | None:
    given, middle, surname = child.given, child.middle, child.surname
    match slip:
        case "typing":
            if draw() < 0.5:
                given = mistyped(given, draw)
            else:
                surname = mistyped(surname, draw)
        case "nickname":
            if given not in NICKNAMES:
                return None
            given = other_form(NICKNAMES, given, draw)
        case "sound-alike" | "transliteration":
            table = SOUND_ALIKES if slip == "sound-alike" else TRANSLITERATIONS
            if given in table:
                given = other_form(table, given, draw)
            elif surname in table:
                surname = other_form(table, surname, draw)
            else:
                return None
        case "hyphen-half" | "hyphen-space":
            first, hyphen, second = surname.partition("-")
            if not hyphen:
                return None
            whole = slip == "hyphen-space"
            surname = f"{first} {second}" if whole else first if draw() < 0.5 else second
        case "names-exchanged":
            if given == surname:
                return None
            given, surname = surname, given
        case "middle-first":
            if not middle:
                return None
            given, middle = middle, ""
        case "no-given-name":
            given, middle = "", ""
        case "step-surname":
            families = PEOPLES[0][0].families
            surname = families[int(draw() * len(families))]
            if surname == child.surname:
                return None
        case _:
            raise ValueError("is not a slip")
    believed = another(child)
    believed.given, believed.middle, believed.surname = given, middle, surname
    return believed
