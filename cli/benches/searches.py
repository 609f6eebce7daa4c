"""What is searched for: children of an invented population, by what practitioners have at hand."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from adapters.rule_files import present
from cli.benches.peopled import histories
from domain.access.events import Criteria
from ingest.matching.blocking import day_and_month_swapped
from ingest.population.people import BLOCK
from ingest.population.slips import mistyped
from projections.practitioner_view.view import PRACTITIONER_VIEW, ChildRow, NameRow
from projections.projection import as_served, is_hidden

_SEED: Final = 7
_BLOCKS: Final = 40
"""How many blocks of a hundred children those who are searched for come from, spread over the whole population."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search, and the child it is for; None where that is anybody or nobody."""

    kind: str
    criteria: Criteria
    child_id: UUID | None


Ask = Callable[[ChildRow, NameRow, Random], Criteria | None]
"""What is asked for a child; None where a child does not lend itself to it."""


def mix(children: int, each: int) -> list[Wanted]:
    """So many searches of each kind, taking turns; the same each time."""
    random = Random(_SEED)  # noqa: S311 - it chooses whom to search for; nothing is kept secret by it
    asked = {kind: list[Wanted]() for kind in KINDS}
    while min(map(len, asked.values())) < each:
        before = sum(map(len, asked.values()))
        for child, name in _children(children, random):
            for kind, ask in KINDS.items():
                criteria = ask(child, name, random) if len(asked[kind]) < each else None
                if criteria is not None:
                    anybody = kind in _FOR_NOBODY
                    asked[kind].append(Wanted(kind, criteria, None if anybody else child.child_id))
        if sum(map(len, asked.values())) == before:
            break  # too few children to find one for each kind
    return [one for turn in zip(*asked.values(), strict=False) for one in turn]


def _children(children: int, random: Random) -> Iterator[tuple[ChildRow, NameRow]]:
    """Some of those whom a search may find, with their current names, in no order."""
    rules = present()
    blocks = -(-children // BLOCK)
    found: list[tuple[ChildRow, NameRow]] = []
    for block in random.sample(range(blocks), min(blocks, _BLOCKS)):
        for history in histories(block, rules, children).values():
            served = as_served(history) if is_hidden(history) else history
            rows = PRACTITIONER_VIEW.rows(served, rules)
            names = [row for row in rows if isinstance(row, NameRow) and row.place == 0]
            found += [(row, names[0]) for row in rows if isinstance(row, ChildRow) and names]
    random.shuffle(found)
    yield from found


def _exactly(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    del random
    return Criteria(name=_full(name), date_of_birth=child.date_of_birth)


def _misspelt(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    given, family = name.given.split(" ")[0], name.family
    if random.random() < _FAMILY_MISSPELT:
        family = mistyped(family, random.random)
    else:
        given = mistyped(given, random.random)
    return Criteria(name=f"{given} {family}", date_of_birth=child.date_of_birth)


def _by_postcode(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    del random
    return None if child.postcode is None else Criteria(name=_full(name), postcode=child.postcode)


def _by_number(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    del name, random
    return Criteria(number=child.number)


def _by_surname(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    """Children come with names as common as names are, so these are mostly the common ones."""
    del child, random
    return Criteria(name=name.family) if name.family else None


def _swapped(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    del random
    swapped = None if child.date_of_birth is None else day_and_month_swapped(child.date_of_birth)
    return None if swapped is None else Criteria(name=_full(name), date_of_birth=swapped)


def _nobody(child: ChildRow, name: NameRow, random: Random) -> Criteria | None:
    del name
    word = "".join(random.choices("qxzjv", k=7))
    return Criteria(name=f"{word} {word[::-1]}", date_of_birth=child.date_of_birth)


def _full(name: NameRow) -> str:
    return f"{name.given} {name.family}"


_FAMILY_MISSPELT: Final = 0.6
_FOR_NOBODY: Final = frozenset({"surname", "nobody"})

KINDS: Final[Mapping[str, Ask]] = {
    "exact": _exactly,
    "misspelt": _misspelt,
    "postcode": _by_postcode,
    "number": _by_number,
    "surname": _by_surname,
    "swapped": _swapped,
    "nobody": _nobody,
}
"""Name and date of birth as they stand, with a slip, or with day and month exchanged; name and postcode; the index's
own number; a surname alone; and whom nobody holds."""
