"""What an incoming source record is linked by: the keys of every record, and what linking compares.

Keys and normal forms are ingest's (`ingest.matching`); change one of them and this view's version goes up by one. Of a
shielded record only what it shows is here: its keys hold no place, and no source's number of it.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.child_record.events import CurrentAddress, IdentityAsserted, LastKnownAddress
from domain.child_record.model import ChildRecord, fold
from domain.disclosure import RecordFacts
from domain.kernel import History, Log
from domain.rule_set.model import RuleSet
from ingest.best_view import best_view
from ingest.matching import normalise
from ingest.matching.blocking import keys_of
from projections.projection import Projection, Row, Table
from projections.reading import destroyed_children


class CandidateRow(NamedTuple):
    """A record as linking compares it. Fields as `ingest.matching.blocking.Candidate`; keys sorted."""

    child_id: UUID
    forenames: str
    surname: str
    date_of_birth: date | None
    postcode: str | None
    nhs_number: str | None
    nhs_verified: bool
    gender: str
    birth_order: int | None
    shielded: bool
    archived: bool
    keys: list[str]


class KeyRow(NamedTuple):
    """One key of one record."""

    key: str
    child_id: UUID


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The rows of one child's stream; none for other streams, destroyed records, and those of which nothing stands."""
    del rules
    record = fold(history)
    keys = sorted(keys_of(record))
    if not keys:
        return ()
    facts = best_view(record)
    forenames, surname = normalise.person_name(facts.name) if facts.name else ("", "")
    candidate = CandidateRow(
        record.child_id,
        forenames,
        surname,
        facts.date_of_birth,
        None if record.shielded else _postcode(facts),
        facts.nhs_number,
        _verified(record, facts.nhs_number),
        str(facts.gender),
        facts.birth_order,
        record.shielded,
        record.archived_on is not None,
        keys,
    )
    return (candidate, *(KeyRow(key, record.child_id) for key in keys))


MATCH_INDEX: Final = Projection(
    name="match_index",
    version=2,
    logs=(Log.RECORD,),
    tables=(
        Table("candidate", CandidateRow, key=("child_id",), stream="child_id"),
        Table("key", KeyRow, key=("key", "child_id"), stream="child_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    ends=destroyed_children,
)


def _postcode(facts: RecordFacts) -> str | None:
    where = facts.whereabouts
    return where.address.postcode if isinstance(where, CurrentAddress | LastKnownAddress) else None


def _verified(record: ChildRecord, number: str | None) -> bool:
    return number is not None and any(
        assertion.event.nhs_number == number and assertion.event.confidence == "verified"
        for assertion in record.standing
        if isinstance(assertion.event, IdentityAsserted)
    )
