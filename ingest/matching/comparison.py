"""How alike two names or two dates are. Agreement is judged per field and never adds up to identity by itself."""

from datetime import date
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler

from ingest.matching.blocking import day_and_month_swapped
from ingest.matching.normalise import TRANSLITERATIONS, NormalName

NEAR_ENOUGH: Final = 0.88
"""Jaro-Winkler likeness from which two name parts are near."""

_SOUNDS: Final = {
    letter: code
    for code, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}


@lru_cache(maxsize=100_000)
def sound(part: str) -> str:
    """The American Soundex of a name part in normal form (the form PDS searches by); empty for no letters."""
    letters = [letter for letter in part if "a" <= letter <= "z"]
    if not letters:
        return ""
    codes = [letters[0].upper()]
    last = _SOUNDS.get(letters[0], "")
    for letter in letters[1:]:
        code = _SOUNDS.get(letter, "")
        if code and code != last:
            codes.append(code)
        if letter not in "hw":  # they do not part two letters of one sound
            last = code
    return "".join(codes)[:4].ljust(4, "0")


@lru_cache(maxsize=200_000)
def near_part(left: str, right: str) -> bool:
    """Whether two name parts in normal form are near.

    Near is: alike (Jaro-Winkler, or one slip of the pen in four letters or more), of one sound, two spellings of one
    name, or one standing whole inside the other ("smith" and "smith jones", "lily" and "lilyrose"). Nothing is near an
    empty part.
    """
    if not left or not right:
        return False
    if left == right or TRANSLITERATIONS.get(left, left) == TRANSLITERATIONS.get(right, right):
        return True
    short, long = sorted((left.replace(" ", ""), right.replace(" ", "")), key=len)
    if len(short) >= 3 and short in long:
        return True
    if _alike(left, right) or sound(left) == sound(right) != "":
        return True
    return any(
        _alike(one, other)
        for one in left.split()
        for other in right.split()
        if len(one) >= 3 and len(other) >= 3
    )


def _alike(left: str, right: str) -> bool:
    if min(len(left), len(right)) >= 4 and OSA.distance(left, right, score_cutoff=1) <= 1:
        return True
    return JaroWinkler.similarity(left, right) >= NEAR_ENOUGH


def near_forenames(left: str, right: str) -> bool:
    """Whether any forename of one is near any of the other (a middle name may be the one in use)."""
    return any(near_part(one, other) for one in left.split() for other in right.split())


def near(left: NormalName, right: NormalName) -> bool:
    """Whether two names are near in both forename and surname, in either order of the two.

    A record that holds no forename yet (a newborn) is near on its surname alone.
    """
    if not left.forenames or not right.forenames:
        return near_part(left.surname, right.surname)
    straight = near_forenames(left.forenames, right.forenames) and near_part(left.surname, right.surname)
    crossed = near_forenames(left.forenames, right.surname) and near_forenames(left.surname, right.forenames)
    return straight or crossed


def half_near(left: NormalName, right: NormalName) -> bool:
    """Whether forename or surname alone is near: what is left after a new family, or a new name in flight."""
    return near_forenames(left.forenames, right.forenames) or near_part(left.surname, right.surname)


def same_birth_or_swapped(left: date, right: date) -> bool:
    """The same date of birth, or the same with day and month exchanged."""
    return left == right or day_and_month_swapped(left) == right


def forenames_agree(left: str, right: str) -> bool:
    """The same forenames, or the same as far as the shorter list goes ("amelia" and "amelia rose").

    False where either holds none: forename evidence is required.
    """
    one, other = left.split(), right.split()
    shorter = min(len(one), len(other))
    return shorter > 0 and one[:shorter] == other[:shorter]
