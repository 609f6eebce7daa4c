"""The only reads of the practitioner view: which children a search may show, best first."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from domain.access.events import Criteria
from domain.access.model import AccessGrant
from domain.policy.retention import london_day
from projections.practitioner_view import view
from projections.practitioner_view.view import Asked, Findable

CANDIDATES: Final = 500
"""How many names of one spelling a search by name alone looks at before it says that there are more."""


@dataclass(frozen=True, slots=True)
class Found:
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
    kind: str | None
    given: str | None
    family: str | None


Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""

_LINES: Final = """
SELECT c.child_id, c.version, c.number, c.date_of_birth, c.gender, c.postcode, c.nhs_number, n.kind, n.given, n.family
FROM child AS c LEFT JOIN name AS n USING (child_id)
WHERE (c.visible_until IS NULL OR c.visible_until > %(on)s)
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
    found: list[Found] = []
    for own in _by_child(lines):
        first = own[0]
        names = tuple(
            (line.kind, line.given or "", line.family or "") for line in own if line.kind is not None
        )
        findable = Findable(
            first.number, names, first.date_of_birth, first.gender, first.postcode, first.nhs_number
        )
        rank = view.rank_of(wanted, findable)
        if rank is not None:
            found.append(Found(first.child_id, first.version, rank))
    found.sort(key=lambda one: (one.rank, one.child_id.bytes))
    return found[:limit], cut or len(found) > limit


class PractitionerFinder:
    """Implements `domain.access.handlers.Finder` over the live view."""

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
    """Names of the children that may meet the criteria, by the narrowest criterion given; whether any were left out."""
    values: dict[str, object] = {"on": on, "limit": CANDIDATES + 1}
    if wanted.number is not None:
        return _lines(connection, "AND c.number = %(number)s", {**values, "number": wanted.number}), False
    if wanted.nhs_number is not None:
        values["nhs_number"] = wanted.nhs_number
        return _lines(connection, "AND c.nhs_number = %(nhs_number)s", values), False
    if wanted.births:
        values["births"] = list(wanted.births)
        return _lines(connection, "AND c.date_of_birth = ANY (%(births)s)", values), False
    if wanted.postcode is not None:
        return _lines(
            connection, "AND c.postcode = %(postcode)s", {**values, "postcode": wanted.postcode}
        ), False
    return _by_name(connection, wanted, values)


_BY_FAMILY: Final = """
SELECT child_id FROM name WHERE family = %(family)s AND given LIKE %(given)s ORDER BY given, child_id LIMIT %(limit)s
"""
_BY_SOUND: Final = "SELECT child_id FROM name WHERE sounds @> %(sounds)s ORDER BY child_id LIMIT %(limit)s"


def _by_name(
    connection: Connection[Any], wanted: Asked, values: dict[str, object]
) -> tuple[list[_Line], bool]:
    """By name alone: some words as the family name and the rest as the beginning of a given name, or all by sound."""
    ids: set[UUID] = set()
    cut = False
    probes: list[tuple[LiteralString, dict[str, object]]] = [
        (_BY_FAMILY, {"family": family, "given": f"{given}%"}) for family, given in _splits(wanted.words)
    ]
    probes += [
        (_BY_SOUND, {"sounds": sorted(set(map(view.sound, typed)))}) for typed in view.writings(wanted.words)
    ]
    for statement, own in probes:
        hits = connection.execute(statement, {**values, **own}).fetchall()
        cut = cut or len(hits) > CANDIDATES
        ids.update(row[0] for row in hits[:CANDIDATES])
    return _lines(connection, "AND c.child_id = ANY (%(ids)s)", {**values, "ids": list(ids)}), cut


def _splits(words: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Family name and beginning of the given name, in both orders: "ann smith jones" may be Ann, or Jones."""
    for place in range(1, len(words) + 1):
        yield " ".join(words[:place]), " ".join(words[place:])
        if place < len(words):
            yield " ".join(words[place:]), " ".join(words[:place])


def _lines(connection: Connection[Any], where: LiteralString, values: dict[str, object]) -> list[_Line]:
    with connection.cursor(row_factory=class_row(_Line)) as cursor:
        return cursor.execute(_LINES + where, values).fetchall()


def _by_child(lines: Iterable[_Line]) -> Iterable[list[_Line]]:
    children: dict[UUID, list[_Line]] = {}
    for line in lines:
        children.setdefault(line.child_id, []).append(line)
    return children.values()
