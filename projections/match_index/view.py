"""What an incoming source record is linked by: the keys of every record, and what linking compares.

Keys and normal forms are ingest's (`ingest.matching`); change one of them and this view's version goes up by one. Of a
shielded record only what it shows is here: its keys hold no place, and no source's number of it.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple, get_args
from uuid import UUID

from domain.child_record.events import (
    ChildRegistered,
    LinkRuledOut,
    RecordArchived,
    RecordClosed,
    RecordReopened,
    RulingsReversed,
    SupplyWithdrawn,
)
from domain.child_record.model import AssertedEvent, fold
from domain.kernel import History, Log
from domain.rule_set.model import RuleSet
from ingest.best_view import candidate_of
from projections.projection import Depth, Projection, Row, Table, reads
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
    found = candidate_of(fold(history))
    if not found.keys:
        return ()
    keys = sorted(found.keys)
    row = CandidateRow(
        found.child_id,
        found.forenames,
        found.surname,
        found.date_of_birth,
        found.postcode,
        found.nhs_number,
        found.nhs_verified,
        str(found.gender),
        found.birth_order,
        found.shielded,
        found.archived,
        keys,
    )
    return (row, *(KeyRow(key, found.child_id) for key in keys))


MATCH_INDEX: Final = Projection(
    name="match_index",
    version=3,
    logs=(Log.RECORD,),
    tables=(
        Table("candidate", CandidateRow, key=("child_id",), stream="child_id"),
        Table("key", KeyRow, key=("key", "child_id"), stream="child_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    ends=destroyed_children,
    reads=reads(
        Depth.EVENTS,
        ChildRegistered,
        *get_args(AssertedEvent),
        SupplyWithdrawn,
        LinkRuledOut,
        RecordArchived,
        RecordClosed,
        RecordReopened,
        RulingsReversed,
    ),
)
