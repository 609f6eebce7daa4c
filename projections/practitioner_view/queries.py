"""The only reads of the practitioner view: which children a search may show, best first."""

import heapq
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

from domain.access.events import Criteria
from domain.access.model import AccessGrant
from domain.policy.retention import london_day
from projections.practitioner_view import view
from projections.practitioner_view.view import Asked, Findable

CANDIDATES: Final = 250
"""How many names of one spelling a search by name alone looks at before it says that there are more.

Five times what is shown at most.
"""


class Found(NamedTuple):
    """One child: the version its row was folded from, and its rank (less is better)."""

    child_id: UUID
    version: int
    rank: int


class _Line(NamedTuple):
    child_id: UUID
    version: int
    number: str
    date_of_birth: date | None
    gender: str
    postcode: str | None
    nhs_number: str | None
    names: str


Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""

_LINES: Final = """
SELECT child_id, version, number, date_of_birth, gender, postcode, nhs_number, names
FROM child
WHERE (visible_until IS NULL OR visible_until > %(on)s)
"""


def find(
    connection: Connection[Any], grant: AccessGrant, criteria: Criteria, limit: int
) -> tuple[list[Found], bool]:
    """Children that may be shown on the day of the grant and meet every criterion, best first, and if there are more.

    Equal ranks are in the order of child ids, which say nothing about their holders. Raises BadInput where the search
    is too wide.
    """
    wanted = view.asked(criteria)
    on = london_day(grant.instant)
    lines, cut = _candidates(connection, wanted, on)
    ranked = _ranked(wanted, lines)
    # Child ids in order as numbers are in the order of their bytes, too.
    best = heapq.nsmallest(limit, ranked, key=lambda one: (one.rank, one.child_id.int))
    return best, cut or len(ranked) > limit


def _ranked(wanted: Asked, lines: Iterable[_Line]) -> list[Found]:
    """Those that meet every criterion. Of names only those are ranked that may meet what was typed."""
    sieve = view.Sieve(wanted.words)
    found: list[Found] = []
    for line in lines:
        names = view.names_in(line.names)
        if wanted.words:
            names = [name for name in names if sieve.may_meet(name[1], name[2])]
            if not names:
                continue
        rank = view.rank_of(
            wanted,
            Findable(line.number, names, line.date_of_birth, line.gender, line.postcode, line.nhs_number),
        )
        if rank is not None:
            found.append(Found(line.child_id, line.version, rank))
    return found


class PractitionerFinder:
    """Implements `domain.access.ports.Finder` over the live view."""

    def __init__(self, open_view: Open) -> None:
        self._open = open_view

    def find(self, grant: AccessGrant, criteria: Criteria, limit: int) -> tuple[list[UUID], bool]:
        """Ids in rank order, at most `limit`, and whether there are more."""
        with self._open() as connection:
            found, more = find(connection, grant, criteria, limit)
        return [one.child_id for one in found], more

    def rank(self, criteria: Criteria, shown: dict[str, Any]) -> int | None:
        """How well a display meets the criteria (less is better), or None."""
        return view.rank(criteria, shown)


def _candidates(connection: Connection[Any], wanted: Asked, on: date) -> tuple[list[_Line], bool]:
    """The children that may meet the criteria, by the narrowest criterion given; whether any were left out."""
    values: dict[str, object] = {"on": on, "limit": CANDIDATES + 1}
    if wanted.number is not None:
        return _lines(connection, "AND number = %(number)s", {**values, "number": wanted.number}), False
    if wanted.nhs_number is not None:
        values["nhs_number"] = wanted.nhs_number
        return _lines(connection, "AND nhs_number = %(nhs_number)s", values), False
    if wanted.births:
        values["births"] = list(wanted.births)
        return _lines(connection, "AND date_of_birth = ANY (%(births)s)", values), False
    if wanted.postcode is not None:
        return _lines(
            connection, "AND postcode = %(postcode)s", {**values, "postcode": wanted.postcode}
        ), False
    return _by_name(connection, wanted, values)


_BY_FAMILY: Final = """
SELECT child_id FROM name WHERE family = %(family)s AND given LIKE %(given)s ORDER BY given, child_id LIMIT %(limit)s
"""
_BY_ONE_SOUND: Final = "SELECT child_id FROM sound WHERE sound = %(sound)s ORDER BY child_id LIMIT %(limit)s"
_BY_SOUNDS: Final = "SELECT child_id FROM name WHERE sounds @> %(sounds)s ORDER BY child_id LIMIT %(limit)s"


def _by_name(
    connection: Connection[Any], wanted: Asked, values: dict[str, object]
) -> tuple[list[_Line], bool]:
    """By name alone: some words as the family name and the rest as the beginning of a given name, or all by sound.

    Once one spelling has more than is looked at, no other is looked up: there is enough to show, and more than that.
    """
    ids: set[UUID] = set()
    cut = False
    probes: list[tuple[LiteralString, dict[str, object]]] = [
        (_BY_FAMILY, {"family": family, "given": f"{given}%"}) for family, given in _splits(wanted.words)
    ]
    probes += [_by_sound(sorted(set(map(view.sound, typed)))) for typed in view.writings(wanted.words)]
    for statement, own in probes:
        hits = connection.execute(statement, {**values, **own}).fetchall()
        ids.update(row[0] for row in hits[:CANDIDATES])
        if cut := len(hits) > CANDIDATES:
            break
    return _lines(connection, "AND child_id = ANY (%(ids)s)", {**values, "ids": list(ids)}), cut


def _by_sound(sounds: list[str]) -> tuple[LiteralString, dict[str, object]]:
    return (_BY_SOUNDS, {"sounds": sounds}) if len(sounds) > 1 else (_BY_ONE_SOUND, {"sound": sounds[0]})


def _splits(words: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Family name and beginning of the given name, in both orders: "ann smith jones" may be Ann, or Jones."""
    for place in range(1, len(words) + 1):
        yield " ".join(words[:place]), " ".join(words[place:])
        if place < len(words):
            yield " ".join(words[place:]), " ".join(words[:place])


def _lines(connection: Connection[Any], where: LiteralString, values: dict[str, object]) -> list[_Line]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return [_Line(*row) for row in cursor.execute(_LINES + where, values).fetchall()]
