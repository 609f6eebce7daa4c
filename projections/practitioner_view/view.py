"""What search may find a child by, and how well a record meets what was asked.

Rows hold what a record *shows*: of a shielded child the current name, date of birth, gender and index number, which its
identity parts alone give. Former names, postcode and NHS number of a shielded child are in no row, so no search can use
them, whatever it asks. `rank` then looks at nothing but a display, so that it can be asked again of what is about to
be shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from rapidfuzz.distance import DamerauLevenshtein

from domain.access.events import Criteria
from domain.child_record.events import (
    AddressAsserted,
    ChildRegistered,
    DeathNotified,
    DeathReversed,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    IdentifiersAsserted,
    IdentityAsserted,
    PersonName,
    RecordArchived,
    RecordClosed,
    RecordReopened,
    SupplyWithdrawn,
)
from domain.child_record.model import ChildRecord, fold
from domain.errors import BadInput
from domain.kernel import History, Log
from domain.policy.retention import visible_until
from domain.rule_set.model import RuleSet
from ingest.best_view import Survivors
from ingest.matching import normalise
from ingest.matching.blocking import day_and_month_swapped
from projections.projection import Depth, Projection, Row, Table, reads
from projections.reading import destroyed_children


class ChildRow(NamedTuple):
    """What a child is found by. `postcode` has no space; `visible_until` is the first day on which it is not found.

    `names`: all its names in one text (`names_in` reads it), the current one first. A search ranks a child by all of
    them, so they stand where it is read, in the form that is read soonest.
    """

    child_id: UUID
    version: int
    number: str
    date_of_birth: date | None
    gender: str
    postcode: str | None
    nhs_number: str | None
    shielded: bool
    visible_until: date | None
    rule_set: str
    names: str


class NameRow(NamedTuple):
    """One name in normal form. `sounds`: the sound of each of its words, and of its double names written as one."""

    child_id: UUID
    place: int
    given: str
    family: str
    sounds: list[str]


class SoundRow(NamedTuple):
    """One sound of one name."""

    sound: str
    child_id: UUID
    place: int


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The rows of one child's stream; none for other streams, before registration, once archived or destroyed."""
    record = fold(history)
    if (
        not record.registered
        or record.forgotten is not None
        or record.archived_on is not None
        or record.closed
    ):
        return ()
    if record.supply_gone:
        return ()
    best = Survivors(record)
    address = None if record.shielded else best.address
    names = tuple(_names(record, best))
    child = ChildRow(
        record.child_id,
        history.version,
        record.index_number or "",
        best.date_of_birth,
        str(best.gender),
        None if address is None else normalise.postcode(address.postcode),
        None if record.shielded else best.nhs_number,
        record.shielded,
        visible_until(record, rules),
        rules.id,
        "\n".join(map("|".join, names)),
    )
    return (child, *_name_rows(record.child_id, names))


PRACTITIONER_VIEW: Final = Projection(
    name="practitioner_view",
    version=3,
    logs=(Log.RECORD,),
    tables=(
        Table("child", ChildRow, key=("child_id",), stream="child_id"),
        Table("name", NameRow, key=("child_id", "place"), stream="child_id"),
        Table("sound", SoundRow, key=("sound", "child_id", "place"), stream="child_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    ends=destroyed_children,
    by_rules=True,
    reads=reads(
        Depth.FACTS,
        ChildRegistered,
        IdentityAsserted,
        AddressAsserted,
        IdentifiersAsserted,
        SupplyWithdrawn,
        DeathNotified,
        DeathReversed,
        ExtensionConsentGiven,
        ExtensionConsentWithdrawn,
        RecordArchived,
        RecordClosed,
        RecordReopened,
    ),
)


def names_in(text: str) -> list[tuple[str, str, str]]:
    """Kind, given names and family name of each name in the text of a `ChildRow`.

    A name in normal form has neither of the two signs that divide it: `normalise.name` leaves letters and spaces.
    """
    found = [line.split("|") for line in text.split("\n")] if text else []
    return [(kind, given, family) for kind, given, family in found]


def _names(record: ChildRecord, best: Survivors) -> Iterable[tuple[str, str, str]]:
    """Kind, given names and family name of each name that a search may find the record by."""
    current, others = best.names
    names: tuple[PersonName, ...] = () if current is None else (current,)
    if not record.shielded:
        names += others
    for place, name in enumerate(names):
        given, family = normalise.person_name(name)
        yield "current" if place == 0 and current is not None else name.kind, given, family


def _name_rows(child_id: UUID, names: Iterable[tuple[str, str, str]]) -> Iterable[NameRow | SoundRow]:
    for place, (_, given, family) in enumerate(names):
        heard = sorted(sounds(given, family))
        yield NameRow(child_id, place, given, family, heard)
        yield from (SoundRow(one, child_id, place) for one in heard)


# What may be asked


@dataclass(frozen=True, slots=True)
class Asked:
    """Criteria in normal form. `words`: of the name, in the order typed."""

    words: tuple[str, ...]
    births: tuple[date, ...]
    gender: str | None
    postcode: str | None
    number: str | None
    nhs_number: str | None


def asked(criteria: Criteria) -> Asked:
    """What a search asks for, in normal form.

    A search is for a child one knows of, not for whoever lives at an address or was born on a day: it names the child,
    by a name, by a number, or by a date of birth together with a postcode. Raises BadInput, code `search-too-wide`.
    """
    words = tuple(normalise.name(criteria.name or "").split())
    if criteria.name is not None and len("".join(words)) < _SHORTEST:
        raise BadInput(
            "Give more of the name: at least two letters of it.", code="search-too-wide", field="name"
        )
    born_at = criteria.date_of_birth is not None and criteria.postcode is not None
    if not (words or criteria.number or criteria.nhs_number or born_at):
        raise BadInput(
            "Say which child you look for: give a name or a number, or a date of birth with a postcode.",
            code="search-too-wide",
            field="name",
        )
    births: tuple[date, ...] = ()
    if criteria.date_of_birth is not None:
        swapped = day_and_month_swapped(criteria.date_of_birth)
        births = (criteria.date_of_birth, *((swapped,) if swapped else ()))
    return Asked(
        words,
        births,
        str(criteria.gender) if criteria.gender is not None else None,
        criteria.postcode.replace(" ", "") if criteria.postcode is not None else None,
        criteria.number,
        criteria.nhs_number,
    )


_SHORTEST: Final = 2


# How well a record meets it


class Findable(NamedTuple):
    """What of a record a search may look at. `postcode` without space; names as (kind, given, family)."""

    number: str
    names: Sequence[tuple[str, str, str]]
    date_of_birth: date | None
    gender: str
    postcode: str | None
    nhs_number: str | None


def rank(criteria: Criteria, shown: Mapping[str, Any]) -> int | None:
    """How well a display in a list of results meets the criteria (less is better), or None where it does not.

    Sees nothing but the display, so nothing that is not shown can move it. A display never holds an NHS number: a
    record found by one meets that criterion unless it is shielded, which no NHS number may find.
    """
    where = shown.get("address") or {}
    names = [("current", shown["name"])] if shown.get("name") else []
    names += [(str(name["kind"]), name) for name in shown.get("former_names") or ()]
    hidden = bool(shown.get("shielded"))
    findable = Findable(
        str(shown["number"]),
        tuple((kind, " ".join(name["given"]), str(name["family"])) for kind, name in names),
        date.fromisoformat(shown["date_of_birth"]) if shown.get("date_of_birth") else None,
        str(shown["gender"]),
        normalise.postcode(where.get("postcode")),
        None if hidden else criteria.nhs_number,
    )
    return rank_of(asked(criteria), findable)


def rank_of(wanted: Asked, found: Findable) -> int | None:
    """How well a record meets what is asked: 0 in every respect, more the less it does, None where it does not.

    Every criterion must be met: a number and a postcode exactly; a date of birth exactly or with day and month
    exchanged; a gender exactly, or the record specifies none; a name as `rank_of_name` says.
    """
    if wanted.number is not None and wanted.number != found.number:
        return None
    if wanted.nhs_number is not None and wanted.nhs_number != found.nhs_number:
        return None
    if wanted.postcode is not None and wanted.postcode != found.postcode:
        return None
    total = 0
    if wanted.births:
        if found.date_of_birth not in wanted.births:
            return None
        total += _SWAPPED if found.date_of_birth != wanted.births[0] else 0
    if wanted.gender is not None and wanted.gender != found.gender:
        if found.gender != "not-specified":
            return None
        total += _GENDER_UNKNOWN
    if wanted.words:
        ranks = [
            one + (0 if kind == "current" else _NOT_CURRENT)
            for kind, given, family in found.names
            if (one := rank_of_name(wanted.words, given, family)) is not None
        ]
        if not ranks:
            return None
        total += min(ranks)
    return total


def rank_of_name(words: Sequence[str], given: str, family: str) -> int | None:
    """How well the words typed meet a name, or None.

    Words may stand in any order; double names may be typed as one word or as two. Each word must be a word of the name,
    the beginning of a given name, another spelling of one, sound like one, or be a letter or two off; of three or more
    words one may be unknown. At least one must belong to the family name, or all of them to the given names.
    """
    givens, families = _words_of(given), _words_of(family)
    best: int | None = None
    for typed in writings(tuple(words)):
        one = _cost(typed, givens, families)
        if one is not None and (best is None or one < best):
            best = one
    return best


_SWAPPED: Final = 40
_GENDER_UNKNOWN: Final = 10
_NOT_CURRENT: Final = 5
_BEGINNING: Final = 20
_SPELLING: Final = 10
_SOUND: Final = 30
_TYPING: Final = 35
_UNKNOWN_WORD: Final = 60
_WITHOUT_FAMILY: Final = 25


def _cost(typed: Sequence[str], givens: Sequence[str], families: Sequence[str]) -> int | None:
    allowed = 1 if len(typed) > 2 else 0
    total = unknown = 0
    family_met = False
    all_given = True
    for word in typed:
        in_family = _least(word, families)
        in_given = _least(word, givens, True)  # noqa: FBT003 - by place: a keyword makes the cached call dearer
        if in_family is None and in_given is None:
            unknown += 1
            if unknown > allowed:
                return None
            continue
        total += min(cost for cost in (in_family, in_given) if cost is not None)
        family_met = family_met or in_family is not None
        all_given = all_given and in_given is not None
    if not family_met and (unknown or not all_given):
        return None
    return total + unknown * _UNKNOWN_WORD + (0 if family_met else _WITHOUT_FAMILY)


def _least(word: str, names: Sequence[str], beginning: bool = False) -> int | None:  # noqa: FBT001, FBT002
    best: int | None = None
    for name in names:
        cost = _likeness(word, name, beginning)
        if cost is not None and (best is None or cost < best):
            best = cost
    return best


@lru_cache(maxsize=65_536)
def _likeness(word: str, name: str, beginning: bool) -> int | None:  # noqa: FBT001
    if word == name:
        return 0
    if _one_spelling(word) == _one_spelling(name):
        return _SPELLING
    if beginning and name.startswith(word):
        return _BEGINNING
    if len(word) > 2 and sound(word) == sound(name):
        return _SOUND
    allowed = _slips_allowed(word)
    if allowed and _slips(word, name, allowed) <= allowed:
        return _TYPING
    return None


def _slips_allowed(word: str) -> int:
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2


def _slips(word: str, name: str, allowed: int) -> int:
    return DamerauLevenshtein.distance(word, name, score_cutoff=allowed)


class Sieve:
    """Tells of most names that they do not meet the words typed, at a tenth of what ranking them costs.

    A name that meets them has at least one word that is like one of those typed, as they stand or two as one. Of the
    names of all who were born on a day few have. Each word of a name is looked at once.
    """

    def __init__(self, words: Sequence[str]) -> None:
        typed = {word for writing in writings(tuple(words)) for word in writing}
        self._beginnings = tuple(typed)
        self._sounds = {sound(word) for word in typed}
        self._slips = [
            (len(word) - allowed, len(word) + allowed, word, allowed)
            for word in typed
            if (allowed := _slips_allowed(word))
        ]
        self._seen: dict[str, bool] = {}

    def may_meet(self, given: str, family: str) -> bool:
        """Whether the name has to be ranked: False only where `rank_of_name` says None."""
        seen = self._seen
        for text in (family, given):
            for word in _words_of(text):
                like = seen.get(word)
                if like is None:
                    like = seen[word] = self._is_like(word)
                if like:
                    return True
        return False

    def _is_like(self, name: str) -> bool:
        if sound(name) in self._sounds or name.startswith(self._beginnings):
            return True
        length = len(name)
        for shortest, longest, word, allowed in self._slips:
            if shortest <= length <= longest and _slips(word, name, allowed) <= allowed:
                return True
        return False


@lru_cache(maxsize=4_096)
def writings(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The words as typed, and with each two neighbours written as one."""
    joined = [
        (*words[:place], first + second, *words[place + 2 :])
        for place, (first, second) in enumerate(pairwise(words))
    ]
    return (words, *joined)


@lru_cache(maxsize=65_536)
def _words_of(text: str) -> tuple[str, ...]:
    """The words of a name in normal form, and each two neighbours as the one word they may be written as."""
    words = tuple(normalise.name(text).split())
    return (*words, *(first + second for first, second in pairwise(words)))


# The sound of a word


def sounds(given: str, family: str) -> set[str]:
    """The sounds by which a name in normal form is found."""
    return {*_sounds_of(given), *_sounds_of(family)}


@lru_cache(maxsize=65_536)
def _sounds_of(text: str) -> tuple[str, ...]:
    return tuple(sound(word) for word in _words_of(text))


_BEGINNINGS: Final = (
    ("kn", "n"), ("gn", "n"), ("pn", "n"), ("wr", "r"), ("ps", "s"), ("ph", "f"), ("rh", "r"), ("wh", "w"),
    ("cz", "s"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("ge", "je"), ("gi", "ji"), ("gy", "jy"),
)  # fmt: skip
_FIRST: Final = str.maketrans("ckqszxaeiouyvw", "kkksss" + "aaaaaa" + "fw")
_DIGITS: Final = {
    **dict.fromkeys("bfpv", "1"),
    **dict.fromkeys("cgjkqsxz", "2"),
    **dict.fromkeys("dt", "3"),
    "l": "4",
    **dict.fromkeys("mn", "5"),
    "r": "6",
}
_LONGEST_SOUND: Final = 6
"""Soundex ends at four, where long names that have little in common would sound alike."""


@lru_cache(maxsize=65_536)
def sound(word: str) -> str:
    """How an English speaker might hear a word in normal form: Soundex, with first letters that sound alike as one.

    Words in letters other than a to z are their own sound.
    """
    word = _one_spelling(word)
    if not (word.isascii() and word.isalpha()):
        return word
    for written, heard in _BEGINNINGS:
        if word.startswith(written):
            word = heard + word[len(written) :]
            break
    code = word[0].translate(_FIRST)
    last = _DIGITS.get(word[0], "")
    for letter in word[1:].replace("ph", "f").replace("gh", "h"):
        digit = _DIGITS.get(letter, "")
        if digit and digit != last:
            code += digit
        if letter not in "hw":
            last = digit
    return code[:_LONGEST_SOUND]


def _one_spelling(word: str) -> str:
    return normalise.TRANSLITERATIONS.get(word, word)
