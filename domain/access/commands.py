"""Wishes to look. Opening a record is a command: it may be refused, and it leaves an event."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from domain.access.events import AdultSought, Criteria, TrailFilter
from domain.identifiers import AllocatedNumber, NamePart, ShortCode
from domain.kernel import Command
from domain.rule_set.model import RecordField


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
    """Show one record, now or as recorded at an instant, as true on a day, or both. `override`: behind a shield."""

    child_id: UUID
    as_of: datetime | None = None
    effective_on: date | None = None
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


class OpenArchive(Look):
    """Open one archived record for a case; the reason says of which kind, the reference which.

    version: at which it was proposed, and must still be; None where it was not.
    """

    child_id: UUID
    reference: AllocatedNumber
    version: int | None = None


class ReadTrail(Look):
    """Read a page of the audit trail of a child (`who-saw`, `changes`) or of an account (`what-saw`)."""

    kind: Literal["who-saw", "what-saw", "changes"]
    subject: UUID
    chosen: TrailFilter = TrailFilter()
    limit: int = Field(default=200, ge=1, le=2000)


class ExportAccesses(Look):
    """Take accesses out as they are on record: of a child, by an account, or (`export-accesses`) of a period."""

    kind: Literal["who-saw", "what-saw", "export-accesses"]
    subject: UUID | None = None
    chosen: TrailFilter = TrailFilter()
    limit: int = Field(default=500, ge=1, le=500)


class ReadRefusals(Look):
    """Count refusals from a legal day to another, both included."""

    since: date | None = None
    until: date | None = None
    limit: int = Field(default=2000, ge=1, le=2000)


class ReplayAccess(Look):
    """Show one access again, exactly as it was displayed."""

    replayed: UUID


class TryPolicy(Look):
    """Show one access beside what it would have shown under another rule set; `digest` is of that one's file."""

    replayed: UUID
    digest: str


class ReadAbout(Look):
    """Read a list of proposals, of investigations or of notices to be sent, or one of them.

    subject: the one that was asked for. listed: those that are told, in order; more: there are others.
    """

    action: Literal["two-people", "investigate", "line-manage", "tell-recipients"]
    what: Literal["proposals", "investigations", "notices"]
    subject: UUID | None = None
    listed: Annotated[tuple[UUID, ...], Field(max_length=200)]
    more: bool = False


class ReadDue(Look):
    """List what falls due on or before a day."""

    on: date


class ReadReviews(Look):
    """List whose shields are to be looked at again on or before a day."""

    on: date


class ReadShieldRequests(Look):
    """List who asked for a shield on a child's record."""

    child_id: UUID


class ReadSiblings(Look):
    """List who may be a brother or sister of a shielded child: at an address of the child's, or with a carer of its."""

    child_id: UUID


class ReadOverrides(Look):
    """List who looked behind the shields of the viewer's authority, from a legal day to another, both included."""

    since: date | None = None
    until: date | None = None
    limit: int = Field(default=50, ge=1, le=50)


class ListHeld(Look):
    """List source records that are held back, oldest first, from behind `after`: since when one waits, and its id."""

    limit: int = Field(default=20, ge=1, le=50)
    after: tuple[datetime, UUID] | None = None


class ShowHeld(Look):
    """Show one source record that is held back beside the records it may be about."""

    held: UUID


class ReadContact(Look):
    """Read what came of a request for contact that the viewer made."""

    child_id: UUID
    request: UUID


class ListContacts(Look):
    """List the open requests for contact in records that the viewer's authority is responsible for."""

    limit: int = Field(default=50, ge=1, le=50)


class ListSensitiveDue(Look):
    """List whom to ask afresh, and which causes to review, by a day, for the viewer's authority."""

    on: date
    limit: int = Field(default=50, ge=1, le=50)


class ReadSubjectRequests(Look):
    """List who asked who looked at a child's record, and how their clocks stand."""

    child_id: UUID


class ReadTransfer(Look):
    """See the offer of a child's record to another authority that is open."""

    child_id: UUID


class ReadWrongViews(Look):
    """List who was shown a record since it was made of two: they saw two children as one."""

    child_id: UUID
    since: datetime


class ReplyToSubject(Look):
    """Tell whoever made this request who looked. `withheld`: exemptions decided upon; None: none was decided upon.

    version: at which the record was shown to two people, and must still be; None where it was not.
    """

    child_id: UUID
    request: UUID
    withheld: Annotated[tuple[ShortCode, ...], Field(max_length=6)] | None = None
    version: int | None = None


class ReplyToAdult(Look):
    """Tell an adult, whose identity is proved, in which records they are named."""

    adult: AdultSought
    received_on: date
    limit: int = Field(default=50, ge=1, le=50)
