"""How much each field speaks for or against two records being of one child: weights of Fellegi and Sunter, in bits.

A weight is log2 of how much more often a level of agreement is seen between two records of one child than between two
children; weights add up. They rank candidates and tell a human where two records agree. No sum of them joins anything:
what may be joined stands in `decision.py` as rules. The table was reckoned on the invented population (docs/linking.md)
and is held to fall from each level to the next by a test.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

from rapidfuzz.distance import OSA

from domain.child_record.commands import Assertion
from domain.child_record.events import CurrentAddress, Gender, LastKnownAddress, Whereabouts
from domain.disclosure import RecordFacts
from ingest.matching import comparison, normalise
from ingest.matching.normalise import NormalName
from ingest.source_record import SUPERSEDED

Level: TypeAlias = Literal["agree", "near", "differ", "unknown"]
"""`unknown`: one of the two does not say; it speaks neither for nor against."""
Field: TypeAlias = Literal[
    "given", "family", "date_of_birth", "gender", "postcode", "birth_order", "nhs_number"
]

WEIGHTS: Final[dict[Field, dict[Level, float]]] = {
    "given": {"agree": 7.0, "near": 3.5, "differ": -4.0, "unknown": 0.0},
    "family": {"agree": 8.0, "near": 4.0, "differ": -3.0, "unknown": 0.0},
    "date_of_birth": {"agree": 12.5, "near": 5.0, "differ": -8.0, "unknown": 0.0},
    "gender": {"agree": 1.0, "near": 0.0, "differ": -5.0, "unknown": 0.0},
    "postcode": {"agree": 14.0, "near": 6.0, "differ": -2.0, "unknown": 0.0},
    "birth_order": {"agree": 4.0, "near": 0.0, "differ": -6.0, "unknown": 0.0},
    "nhs_number": {"agree": 20.0, "near": 2.0, "differ": -8.0, "unknown": 0.0},
}


class Part(NamedTuple):
    """What one field says."""

    field: Field
    level: Level

    @property
    def weight(self) -> float:
        """In bits."""
        return WEIGHTS[self.field][self.level]


class Described(NamedTuple):
    """A child as one side of a comparison describes it. `names`: every name held, the current one first."""

    names: Sequence[NormalName]
    births: Collection[date]
    gender: Gender | None
    postcodes: Collection[str]
    birth_order: int | None
    numbers: Collection[str]


def compared(left: Described, right: Described) -> tuple[Part, ...]:
    """What each field says, in one order. Symmetric."""
    given, family = _names(left.names, right.names)
    return (
        Part("given", given),
        Part("family", family),
        Part("date_of_birth", _births(left.births, right.births)),
        Part("gender", _gender(left.gender, right.gender)),
        Part("postcode", _texts(left.postcodes, right.postcodes)),
        Part("birth_order", _orders(left.birth_order, right.birth_order)),
        Part("nhs_number", _texts(left.numbers, right.numbers)),
    )


def described_by(said: Assertion) -> Described:
    """A child as one source describes it."""
    current = sorted(said.names, key=lambda name: name.kind != "current")
    numbers = (said.nhs_number, *(i.value for i in said.identifiers if i.scheme == SUPERSEDED))
    return Described(
        tuple(normalise.person_name(name) for name in current),
        () if said.date_of_birth is None else (said.date_of_birth,),
        said.gender,
        _postcodes(said.whereabouts),
        said.birth_order,
        tuple(number for number in numbers if number is not None),
    )


def described(facts: RecordFacts) -> Described:
    """A child as the best view of its record has it."""
    names = (*(() if facts.name is None else (facts.name,)), *facts.other_names)
    earlier = (normalise.postcode(address.postcode) for address in facts.earlier_addresses)
    return Described(
        tuple(normalise.person_name(name) for name in names),
        () if facts.date_of_birth is None else (facts.date_of_birth,),
        facts.gender,
        (*_postcodes(facts.whereabouts), *(where for where in earlier if where is not None)),
        facts.birth_order,
        () if facts.nhs_number is None else (facts.nhs_number,),
    )


def _postcodes(whereabouts: Whereabouts | None) -> tuple[str, ...]:
    if not isinstance(whereabouts, CurrentAddress | LastKnownAddress):
        return ()
    where = normalise.postcode(whereabouts.address.postcode)
    return () if where is None else (where,)


def total(parts: Sequence[Part]) -> float:
    """The weight of all of them, in bits."""
    return sum(part.weight for part in parts)


def _names(left: Sequence[NormalName], right: Sequence[NormalName]) -> tuple[Level, Level]:
    """The levels of that pair of names that speaks most for one child."""
    pairs = [_name(one, other) for one in left for other in right]
    if not pairs:
        return "unknown", "unknown"
    return max(pairs, key=lambda pair: WEIGHTS["given"][pair[0]] + WEIGHTS["family"][pair[1]])


def _name(one: NormalName, other: NormalName) -> tuple[Level, Level]:
    straight = _given(one, other), _family(one, other)
    if straight == ("differ", "differ") and (one.forenames, one.surname) == (other.surname, other.forenames):
        return "near", "near"  # each written where the other belongs
    return straight


def _given(one: NormalName, other: NormalName) -> Level:
    if not one.forenames or not other.forenames:
        return "unknown"
    if comparison.forenames_agree(one.forenames, other.forenames):
        return "agree"
    return "near" if comparison.near_forenames(one.forenames, other.forenames) else "differ"


def _family(one: NormalName, other: NormalName) -> Level:
    if not one.surname or not other.surname:
        return "unknown"
    if one.surname == other.surname:
        return "agree"
    return "near" if comparison.near_part(one.surname, other.surname) else "differ"


def _births(left: Collection[date], right: Collection[date]) -> Level:
    if not left or not right:
        return "unknown"
    if not set(left).isdisjoint(right):
        return "agree"
    return "near" if any(_slip(one, other) for one in left for other in right) else "differ"


def _slip(one: date, other: date) -> bool:
    """Day and month exchanged, or one figure wrong."""
    return comparison.same_birth_or_swapped(one, other) or _one_off(one.isoformat(), other.isoformat())


def _gender(left: Gender | None, right: Gender | None) -> Level:
    if Gender.NOT_SPECIFIED in (left, right) or left is None or right is None:
        return "unknown"
    return "agree" if left == right else "differ"


def _orders(left: int | None, right: int | None) -> Level:
    if left is None or right is None:
        return "unknown"
    return "agree" if left == right else "differ"


def _texts(left: Collection[str], right: Collection[str]) -> Level:
    if not left or not right:
        return "unknown"
    if not set(left).isdisjoint(right):
        return "agree"
    return "near" if any(_one_off(one, other) for one in left for other in right) else "differ"


def _one_off(one: str, other: str) -> bool:
    """One slip of the pen: a figure or letter wrong, missing, too many, or two exchanged."""
    return OSA.distance(one, other, score_cutoff=1) <= 1
