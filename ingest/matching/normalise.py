"""Normal forms of names, postcodes and addresses, each a list of named steps.

A normal form serves comparison only; what a source wrote is what is stored and shown. The steps are data: to change a
form, change its list, and bump the version of the match index, whose rows hold keys made of these forms.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache, reduce
from typing import Final, NamedTuple

from domain.child_record.events import Address, FullName, PersonName
from domain.identifiers import NO_FIXED_ABODE


class Step(NamedTuple):
    """One named step from text to text."""

    name: str
    apply: Callable[[str], str]


_LETTERS: Final = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "ŋ": "ng",
    }
)
"""Letters that do not decompose into a base letter and an accent."""

_APOSTROPHES: Final = re.compile("['‘’ʼ`´ʻ]")
_DASHES: Final = re.compile("[-‐‑‒–—_/.,]")
_OTHERS: Final = re.compile(r"[^\w\s]|_")
_SPACES: Final = re.compile(r"\s+")


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


NAME_STEPS: Final = (
    Step("fold case", str.casefold),
    Step("letters without a base", lambda text: text.translate(_LETTERS)),
    Step("drop accents", _without_accents),
    Step("drop apostrophes", lambda text: _APOSTROPHES.sub("", text)),
    Step("hyphens and stops are spaces", lambda text: _DASHES.sub(" ", text)),
    Step("drop other marks", lambda text: _OTHERS.sub("", text)),
    Step("one space", lambda text: _SPACES.sub(" ", text).strip()),
)

ADDRESS_STEPS: Final = NAME_STEPS

TRANSLITERATIONS: Final = {
    form: forms[0]
    for forms in (
        ("muhammad", "mohammed", "mohammad", "mohamed", "muhammed", "mohamad", "muhamad", "mohd", "mehmet"),
        ("ahmed", "ahmad", "ahmet"),
        ("yusuf", "yousef", "youssef", "yousuf", "yusef"),
        ("hussein", "hussain", "husain", "husayn"),
        ("oleksandr", "alexander", "aleksandr", "aleksander", "alexandr"),
        ("kateryna", "katerina", "ekaterina", "yekaterina"),
        ("siobhan", "shivaun", "chevonne"),
        ("fatima", "fatimah", "fathima"),
    )
    for form in forms
}
"""Spellings of one name in our alphabet. They make names near; they never make them the same."""


def _through(steps: tuple[Step, ...], text: str) -> str:
    return reduce(lambda value, step: step.apply(value), steps, text)


@lru_cache(maxsize=100_000)
def name(text: str) -> str:
    """The normal form of a name part: lower case, no accents or apostrophes, hyphens as spaces."""
    if text.isascii() and text.isalpha():
        return text.lower()  # what the steps come to for nine names in ten
    return _through(NAME_STEPS, text)


def forenames(given: Iterable[str]) -> str:
    """The normal form of given names, in order, one space between them."""
    return " ".join(filter(None, (name(part) for part in given)))


class NormalName(NamedTuple):
    """A name in normal form: forenames and surname, each with single spaces."""

    forenames: str
    surname: str

    @property
    def first(self) -> str:
        """The first forename; empty where there is none."""
        return self.forenames.partition(" ")[0]


def person_name(value: FullName | PersonName) -> NormalName:
    """The normal form of a person's name."""
    return NormalName(forenames(value.given), name(value.family))


def postcode(value: str | None) -> str | None:
    """A postcode as evidence: upper case without space. None for no fixed abode, which many children share."""
    if value is None or value == NO_FIXED_ABODE:
        return None
    return value.replace(" ", "")


def address_words(value: Address) -> frozenset[str]:
    """Words that two writings of one address have in common, or empty where the address tells nothing apart.

    Postcode and each number of the first two lines ("flat 2, 10 high street" gives both numbers); postcode and first
    line where there is no number; the first two lines where there is no postcode; the UPRN. No fixed abode is no
    address.
    """
    if value.postcode == NO_FIXED_ABODE:
        return frozenset()
    where = postcode(value.postcode)
    lines = [_through(ADDRESS_STEPS, line) for line in value.lines[:2]]
    words = set[str]()
    if value.uprn is not None:
        words.add(f"uprn|{value.uprn}")
    numbers = {number for line in lines for number in re.findall(r"\d+[a-z]?\b", line)}
    if where is not None and numbers:
        words |= {f"{where}|{number}" for number in numbers}
    elif where is not None:
        words.add(f"{where}|{lines[0] if lines else ''}")
    elif lines:
        words.add("|".join(lines))
    return frozenset(words)
