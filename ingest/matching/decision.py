"""Which record, if any, an incoming source record is about.

In this order, and the first that answers decides:

1. a number with the date of birth: NHS number (also a superseded one), or the same record of the same source;
2. names with date of birth and place, one candidate that outweighs every other; what is only alike is a doubt;
3. nothing: then the screen against shielded records, and only what is near none of them becomes a record.

Hard rules, not thresholds: twins never merge (forename evidence is required, birth orders must not differ), two
different verified NHS numbers never merge, and a doubt is a queue and never a guess. "No match" is as dangerous as
a wrong match: an unmatched record that resembles a shielded child is held back, and nobody sees it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.child_record.events import Gender
from ingest.matching import blocking, comparison
from ingest.matching.blocking import Candidate
from ingest.matching.normalise import NormalName
from ingest.matching.weights import Described, Field, Level, Part, compared, total

EXACT: Final = "names-birth-date-and-postcode"
"""The strongest evidence there is without a number."""

HALF_NAME: Final = "forename-birth-date-and-postcode"
DISTRICT: Final = "names-birth-date-sex-and-district"
AREA: Final = "all-names-birth-date-sex-and-area"
LESS_THAN_EXACT: Final = frozenset({HALF_NAME, DISTRICT, AREA})
"""What joins only where no shielded child is near: its place is not known to linking, and it may be meant."""

PRIOR: Final = -23.5
"""log2 of the odds that two records are of one child before anything is compared: one in about 12 million children.

Fixed, so that a small home decides as a national index does."""

IN_DOUBT: Final = 0.0
"""The weight in bits from which a pair is too much alike to be two records without anybody having looked."""

MARGIN: Final = 3.0
"""Bits by which the best candidate must outweigh every other."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What linking looks at of a source record. `names`: in normal form, the current one first."""

    source_kind: str
    source_record: str | None
    names: tuple[NormalName, ...]
    date_of_birth: date | None
    postcodes: tuple[str, ...]
    """In the form of `normalise.postcode`."""
    nhs_number: str | None
    former_numbers: tuple[str, ...]
    nhs_verified: bool
    gender: Gender | None
    birth_order: int | None
    about_carers: bool = False
    """It names the child by NHS number alone and says who its carers are."""
    former_records: tuple[str, ...] = ()
    """Numbers under which the same source knew the child before."""
    marks: frozenset[str] = frozenset()
    """What it is known by again where a human finds that it is about another child (`ingest.matching.ruled_out`)."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every NHS number it gives, the one in force first."""
        return (*(() if self.nhs_number is None else (self.nhs_number,)), *self.former_numbers)

    @property
    def entries(self) -> frozenset[str]:
        """The keys of what the source calls the child, and called it before."""
        own = () if self.source_record is None else (self.source_record,)
        return frozenset(
            blocking.by_source_record(self.source_kind, record) for record in (*own, *self.former_records)
        )


class Doubt(StrEnum):
    """Why a source record waits for a human."""

    BIRTH_DATE_DIFFERS = "number-agrees-birth-date-differs"
    TWIN = "number-agrees-but-another-twin"
    NUMBERS_DIFFER = "names-agree-verified-numbers-differ"
    BIRTH_ORDER_DIFFERS = "names-agree-birth-order-differs"
    FORENAMES_DIFFER = "names-agree-but-for-a-forename"
    ANOTHER_ENTRY = "another-entry-of-the-source"
    SEVERAL = "several-records-agree"
    RESEMBLES = "resembles-a-record"


@dataclass(frozen=True, slots=True)
class Match:
    """It is about this record."""

    child_id: UUID
    evidence: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A human decides; `about` are the records in question."""

    doubt: Doubt
    about: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No record known to linking; the screen comes next."""


Decision = Match | Queue | NoMatch


def linking_keys(incoming: Incoming) -> frozenset[str]:
    """The keys under which records that it may be about are found."""
    keys = {blocking.by_nhs_number(number) for number in incoming.numbers}
    if not incoming.about_carers:
        keys |= incoming.entries
    return frozenset(keys | _near_keys(incoming))


def screening_keys(incoming: Incoming) -> frozenset[str]:
    """The keys under which shielded records near it by date of birth are found."""
    born = incoming.date_of_birth
    if born is None:
        return frozenset()
    swapped = blocking.day_and_month_swapped(born)
    births = (born,) if swapped is None else (born, swapped)
    return frozenset(blocking.by_shielded_birth(day) for day in births)


def decide(incoming: Incoming, candidates: Sequence[Candidate]) -> Decision:
    """Decide which record it is about. `candidates` may be more than asked for; each is judged by its keys.

    What a human ruled out is never joined and never in doubt again: a candidate is passed over that the entry, or the
    number with its birth date, was ruled out for; and one that only the name and birth date were, unless number or
    entry say clearly that it is this child after all.
    """
    candidates = [c for c in candidates if not _ruled_out(incoming, c, "en")]
    by_number = _holding(candidates, (blocking.by_nhs_number(number) for number in incoming.numbers))
    if by_number and (found := _by_number(incoming, by_number)) is not None:
        return found
    if incoming.about_carers or incoming.date_of_birth is None:
        return NoMatch()
    known = _holding(candidates, incoming.entries)
    same_entry = [candidate for candidate in known if not _verified_numbers_differ(incoming, candidate)]
    if same_entry and (found := _by_entry(incoming, same_entry)) is not None:
        return found
    return _by_name(incoming, _holding(candidates, _near_keys(incoming)))


def near_shielded(
    incoming: Incoming, candidates: Iterable[Candidate], at_same_place: frozenset[UUID]
) -> bool:
    """Whether an unmatched record resembles a shielded child so much that it must not become visible.

    The same date of birth (or day and month exchanged) with a near name; a near name at the same address; and, unless
    verified NHS numbers or genders tell the two apart, the same date of birth or address with forename or surname
    alone: a family in flight, or a new one, changes half a name. The postcode is never used. Source: linkage of 2009,
    when a feed record that failed to match made a second, unshielded record.
    """
    return any(
        candidate.shielded
        and not _ruled_out(incoming, candidate)
        and resembles(incoming, candidate, same_place=candidate.child_id in at_same_place)
        for candidate in candidates
    )


def resembles(incoming: Incoming, candidate: Candidate, *, same_place: bool) -> bool:
    """Whether the two may be one child, judged much more freely than for linking."""
    other = NormalName(candidate.forenames, candidate.surname)
    born, theirs = incoming.date_of_birth, _births(candidate)
    same_day = born is not None and born in theirs
    swapped = born is not None and any(comparison.same_birth_or_swapped(born, day) for day in theirs)
    if (swapped or same_place) and any(comparison.near(name, other) for name in incoming.names):
        return True
    if not (same_day or same_place) or _verified_numbers_differ(incoming, candidate):
        return False
    if _genders_differ(incoming.gender, candidate.gender):
        return False
    if same_place and not same_day:  # brothers and sisters share a surname and an address
        return any(comparison.near_forenames(name.forenames, other.forenames) for name in incoming.names)
    return any(comparison.half_near(name, other) for name in incoming.names)


def _by_number(incoming: Incoming, found: list[Candidate]) -> Decision | None:
    if incoming.about_carers:
        return _only(found, "nhs-number")
    return _by_birth_date(incoming, found, "nhs-number-and-birth-date")


def _by_entry(incoming: Incoming, found: list[Candidate]) -> Decision | None:
    return _by_birth_date(incoming, found, "same-entry-and-birth-date")


def _by_birth_date(incoming: Incoming, found: list[Candidate], evidence: str) -> Decision | None:
    """What a number or an entry comes to; None where all that it leaves in doubt was ruled out."""
    born = incoming.date_of_birth
    agreeing = [c for c in found if born is not None and born in _births(c)]
    if len(agreeing) == 1 and not _another_twin(incoming, agreeing[0]):
        return _only(agreeing, evidence)
    doubt = Doubt.BIRTH_DATE_DIFFERS if not agreeing else Doubt.TWIN if len(agreeing) == 1 else Doubt.SEVERAL
    left = [c for c in agreeing or found if not _ruled_out(incoming, c)]
    if doubt is Doubt.SEVERAL and len(left) == 1:
        return _by_birth_date(incoming, left, evidence)
    return Queue(doubt, _ids(left)) if left else None


def _by_name(incoming: Incoming, found: list[Candidate]) -> Decision:
    judged = [
        _Judged(candidate, parts, PRIOR + total(tuple(parts.values())))
        for candidate in found
        if not _plainly_a_twin(incoming, candidate)
        and (parts := {part.field: part for part in compared(_described(incoming), _of_candidate(candidate))})
        and parts["given"].level != "differ"  # forename evidence is required
    ]
    plausible = sorted((one for one in judged if one.weight >= IN_DOUBT), key=lambda one: -one.weight)
    left = [one for one in plausible if not _ruled_out(incoming, one.candidate)]
    if not left:
        return NoMatch()
    best, *others = left
    close = [one for one in others if best.weight - one.weight < MARGIN]
    if close or len(left) < len(
        plausible
    ):  # where one was ruled out, names do not tell which of the rest it is
        return Queue(Doubt.SEVERAL, _ids([one.candidate for one in (best, *close)]))
    candidate = best.candidate
    for holds, doubt in (
        (_verified_numbers_differ(incoming, candidate), Doubt.NUMBERS_DIFFER),
        (_orders_differ(incoming.birth_order, candidate.birth_order), Doubt.BIRTH_ORDER_DIFFERS),
        (best.level("given") != "unknown" and _forenames_differ(incoming, candidate), Doubt.FORENAMES_DIFFER),
        (_another_entry(incoming, candidate), Doubt.ANOTHER_ENTRY),
    ):
        if holds:
            return Queue(doubt, (candidate.child_id,))
    evidence = _evidence(incoming, best)
    return (
        Queue(Doubt.RESEMBLES, (candidate.child_id,))
        if evidence is None
        else Match(candidate.child_id, evidence)
    )


def _evidence(incoming: Incoming, best: "_Judged") -> str | None:
    """What joins them without a number: the birth date, the forename as far as both give it, and one of three.

    The surname and the postcode; a near surname (half of two, a spelling) and the postcode; or the surname and the sex
    with all forenames of two or more and the postcode area, or with the postcode district.
    """
    if best.level("date_of_birth") != "agree" or best.level("given") != "agree":
        return None
    family, place = best.level("family"), best.level("postcode")
    if place == "agree" and family == "agree":
        return EXACT
    if best.level("gender") == "differ":
        return None
    if place == "agree" and family == "near":
        return HALF_NAME
    if family != "agree" or best.level("gender") != "agree" or place == "unknown":
        return None
    postcodes = {key[2:] for key in best.candidate.keys if key.startswith("p:")}
    if not {_district(one) for one in incoming.postcodes}.isdisjoint(map(_district, postcodes)):
        return DISTRICT
    names = {name for name in _names_of(best.candidate) if " " in name.forenames}
    if not names.isdisjoint(incoming.names) and not {_area(one) for one in incoming.postcodes}.isdisjoint(
        map(_area, postcodes)
    ):
        return AREA
    return None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate compared. `weight`: of all fields, with what a pair is before anything is known of it."""

    candidate: Candidate
    parts: dict[Field, Part]
    weight: float

    def level(self, field: Field) -> Level:
        """How one field agrees."""
        return self.parts[field].level


def _described(incoming: Incoming) -> Described:
    born = incoming.date_of_birth
    return Described(
        incoming.names,
        () if born is None else (born,),
        incoming.gender,
        incoming.postcodes,
        incoming.birth_order,
        incoming.numbers,
    )


def _of_candidate(candidate: Candidate) -> Described:
    """Everything that stands in the record: former names, earlier places, superseded numbers."""
    return Described(
        _names_of(candidate),
        _births(candidate),
        candidate.gender,
        tuple(key[2:] for key in candidate.keys if key.startswith("p:")),
        candidate.birth_order,
        tuple(key[2:] for key in candidate.keys if key.startswith("n:")),
    )


def _names_of(candidate: Candidate) -> tuple[NormalName, ...]:
    return tuple(sorted(blocking.name_of(key) for key in candidate.keys if key.startswith("b:")))


def _district(postcode: str) -> str:
    """The outward half of a postcode without its space: "WF2" of "WF26QA"."""
    return postcode[:-3]


def _area(postcode: str) -> str:
    """The letters a postcode begins with: "WF"."""
    return postcode[: 2 if postcode[1:2].isalpha() else 1]


def _near_keys(incoming: Incoming) -> frozenset[str]:
    born = incoming.date_of_birth
    if born is None:
        return frozenset()
    swapped = blocking.day_and_month_swapped(born)
    crossed = tuple(NormalName(name.surname, name.forenames) for name in incoming.names)
    keys = blocking.near_keys(incoming.names, (born,), incoming.postcodes)
    keys |= blocking.near_keys(crossed, (born,), ())
    return keys if swapped is None else keys | blocking.near_keys(incoming.names, (swapped,), ())


def _holding(candidates: Iterable[Candidate], keys: Iterable[str]) -> list[Candidate]:
    wanted = frozenset(keys)
    return [candidate for candidate in candidates if not wanted.isdisjoint(candidate.keys)]


def _ruled_out(incoming: Incoming, candidate: Candidate, kinds: str = "eni") -> bool:
    return any(mark[0] in kinds and blocking.by_mark(mark) in candidate.keys for mark in incoming.marks)


def _births(candidate: Candidate) -> frozenset[date]:
    return frozenset(date.fromisoformat(key[2:]) for key in candidate.keys if key.startswith("d:"))


def _only(found: list[Candidate], evidence: str) -> Decision:
    if len(found) > 1:
        return Queue(Doubt.SEVERAL, _ids(found))
    return Match(found[0].child_id, evidence)


def _ids(found: list[Candidate]) -> tuple[UUID, ...]:
    return tuple(sorted(candidate.child_id for candidate in found))


def _orders_differ(left: int | None, right: int | None) -> bool:
    return left is not None and right is not None and left != right


def _genders_differ(left: Gender | None, right: Gender) -> bool:
    return {left, right} == {Gender.FEMALE, Gender.MALE}


def _verified_numbers_differ(incoming: Incoming, candidate: Candidate) -> bool:
    return (
        incoming.nhs_verified
        and candidate.nhs_verified
        and incoming.nhs_number is not None
        and candidate.nhs_number is not None
        and not any(blocking.by_nhs_number(number) in candidate.keys for number in incoming.numbers)
    )


def _another_twin(incoming: Incoming, candidate: Candidate) -> bool:
    """The number says this child, birth order and forename say its twin."""
    return _orders_differ(incoming.birth_order, candidate.birth_order) and not any(
        comparison.near_forenames(name.forenames, candidate.forenames) for name in incoming.names
    )


def _plainly_a_twin(incoming: Incoming, candidate: Candidate) -> bool:
    """Another place in the birth and other forenames in full: "mohammed ali" and "mohammed hassan"."""
    return _orders_differ(incoming.birth_order, candidate.birth_order) and not any(
        comparison.forenames_agree(name.forenames, candidate.forenames) for name in incoming.names
    )


def _forenames_differ(incoming: Incoming, candidate: Candidate) -> bool:
    """Middle names that contradict each other, or a twin's that may: "mohammed ali" and "mohammed" of two."""
    one_of_several = (incoming.birth_order or 1) > 1 or (candidate.birth_order or 1) > 1
    if one_of_several:
        return all(name.forenames != candidate.forenames for name in incoming.names)
    return not any(comparison.forenames_agree(name.forenames, candidate.forenames) for name in incoming.names)


def _another_entry(incoming: Incoming, candidate: Candidate) -> bool:
    """The same source knows this child under another entry of its own, and no number says they are one."""
    if incoming.source_record is None:
        return False
    prefix = blocking.by_source_record(incoming.source_kind, "")
    entries = {key for key in candidate.keys if key.startswith(prefix)}
    return bool(entries) and incoming.entries.isdisjoint(entries)
