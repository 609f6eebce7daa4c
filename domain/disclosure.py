"""What a viewer sees of a record: one pure function over facts, viewer, instant and rule set.

The types here are its inputs and its output. Facts are the best view of a record (`ingest.best_view` chooses it); the
viewer's facts are as they stood at the instant. The output is canonical JSON, so that a display can be shown again
byte for byte years later.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from domain.child_record.events import (
    Address,
    AllocatedIdentifier,
    Carer,
    Gender,
    Institution,
    PersonName,
    SourceKind,
    Whereabouts,
)
from domain.child_record.model import Involvement


@dataclass(frozen=True, slots=True)
class Held:
    """Where a chosen value came from: kind of source, the day it holds from, and the version that asserted it."""

    source_kind: SourceKind
    since: date
    version: int


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The best view of one record, as far as its reader could open it. None: nothing is held, or not opened."""

    child_id: UUID
    version: int
    index_number: str
    name: PersonName | None
    other_names: tuple[PersonName, ...]
    date_of_birth: date | None
    gender: Gender
    nhs_number: str | None
    birth_order: int | None
    whereabouts: Whereabouts | None
    earlier_addresses: tuple[Address, ...]
    carers: tuple[Carer, ...]
    education: Institution | None
    practice: Institution | None
    identifiers: tuple[AllocatedIdentifier, ...]
    involvements: tuple[Involvement, ...]
    authority: str | None
    withheld: tuple[str, ...]
    shielded: bool
    opened: bool
    """Whether the content parts were opened: False where the record is shielded from this reader."""
    supply_gone: bool
    archived_on: date | None
    extension_consent_on: date | None
    extension_withdrawn_on: date | None
    died_on: date | None
    death_notified_on: date | None
    held: dict[str, Held]
    """Provenance by field name: name, date_of_birth, gender, whereabouts, carers, education, practice."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, as they stood at the instant. `body` is a local authority or partner code; `area` an authority code."""

    account: UUID
    role: str
    organisation: UUID
    body: str
    area: str
    purposes: tuple[str, ...]


Sight = Literal["ordinary", "shielded", "manager", "override", "none"]
