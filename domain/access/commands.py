"""Wishes to look. Opening a record is a command: it may be refused, and it leaves an event."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from domain.access.events import Criteria
from domain.identifiers import AllocatedNumber, NamePart, ShortCode
from domain.kernel import Command
from domain.rule_set.model import RecordField, Right


class Look(Command):
    """What every look has: its id, and why."""

    access_id: UUID
    reason: ShortCode | None = None
    confirmed_by: UUID | None = None


class SearchRecords(Look):
    """Find children by what is shown of them."""

    criteria: Criteria
    limit: int = Field(default=20, ge=1, le=50)


class OpenRecord(Look):
    """Show one record, now or as it stood at an instant. `override` looks behind a shield."""

    child_id: UUID
    as_of: datetime | None = None
    override: bool = False


class HandOver(Look):
    """Hand facts of one record over to somebody who has no account: these and no others.

    version: at which the record was shown to two people, and must still be; None where it was not.
    """

    child_id: UUID
    ground: ShortCode
    recipient: NamePart
    reference: AllocatedNumber | None = None
    fields: Annotated[tuple[RecordField, ...], Field(min_length=1, max_length=20)]
    version: int | None = None


class ReadTrail(Look):
    """Read the audit trail of a child (`who-saw`, `changes`) or of an account (`what-saw`)."""

    kind: Literal["who-saw", "what-saw", "changes"]
    subject: UUID
    limit: int = Field(default=200, ge=1, le=2000)


class ReadRefusals(Look):
    """Count refusals from a legal day to another, both included."""

    since: date | None = None
    until: date | None = None
    limit: int = Field(default=2000, ge=1, le=2000)


class ReplayAccess(Look):
    """Show one access again, exactly as it was displayed."""

    replayed: UUID


class ReadAbout(Look):
    """Read a list of proposals or of investigations, or one of them."""

    action: Right
    subject: UUID | None = None


class ReadDue(Look):
    """List what falls due on or before a day."""

    on: date


class ListHeld(Look):
    """List source records that are held back, oldest first, from behind `after`: since when one waits, and its id."""

    limit: int = Field(default=20, ge=1, le=50)
    after: tuple[datetime, UUID] | None = None


class ShowHeld(Look):
    """Show one source record that is held back beside the records it may be about."""

    held: UUID
