"""The only reads of the match index: candidates for linking an incoming source record. Nothing here is ever shown."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from domain.child_record.events import Gender
from ingest.matching.blocking import Candidate
from projections.match_index.view import CandidateRow

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""

_CANDIDATES: Final = """
SELECT child_id, forenames, surname, date_of_birth, postcode, nhs_number, nhs_verified, gender, birth_order, shielded,
       archived, keys
FROM candidate
"""


class MatchIndex:
    """Implements `ingest.ports.Candidates` over the live view."""

    def __init__(self, open_view: Open) -> None:
        self._open = open_view

    def find(self, keys: Iterable[str]) -> list[Candidate]:
        """Every record that holds at least one of these keys, each once, ordered by child id."""
        wanted = sorted(set(keys))
        where: LiteralString = "WHERE child_id IN (SELECT k.child_id FROM key AS k WHERE k.key = ANY (%s))"
        return self._candidates(where, wanted)

    def get(self, child_ids: Iterable[UUID]) -> list[Candidate]:
        """These records, as far as the index holds them, ordered by child id."""
        return self._candidates("WHERE child_id = ANY (%s)", list(child_ids))

    def _candidates(self, where: LiteralString, values: list[Any]) -> list[Candidate]:
        if not values:
            return []
        with self._open() as connection, connection.cursor(row_factory=class_row(CandidateRow)) as cursor:
            found = cursor.execute(_CANDIDATES + where + " ORDER BY child_id", (values,)).fetchall()
        return [candidate_of(row) for row in found]


def candidate_of(row: CandidateRow) -> Candidate:
    """A row in the words of linking."""
    values = row._asdict()
    return Candidate(**{**values, "gender": Gender(row.gender), "keys": frozenset(row.keys)})
