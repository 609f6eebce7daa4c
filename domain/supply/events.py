"""Facts about what was supplied: files, on streams about no person, and source records held back, on a child's kind.

A record held back is a child's data without a record: nothing of it but its kind of source can be read in passing,
and its keys are made where only the managers' way leads.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from domain.child_record.commands import Assertion
from domain.child_record.events import SourceKind
from domain.identifiers import Id, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_CONTENT, IN_IDENTITY


class FileReceived(Event):
    """A file began to be loaded. Its stream is its id; `digest` is keyed, of its bytes, in hex. No file name."""

    NAME: ClassVar[str] = "file-received"

    kind: Annotated[ShortCode, IN_IDENTITY]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64), IN_IDENTITY]


class FileWithdrawn(Event):
    """A file was taken back as a unit: what rested on it alone no longer counts."""

    NAME: ClassVar[str] = "file-withdrawn"

    withdrawn_on: Annotated[date, IN_IDENTITY]


class SourceRecordHeld(Event):
    """A source record was held back: `queued` for a human to match, or `quarantined` near a shielded child (T21)."""

    NAME: ClassVar[str] = "source-record-held"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    reason: Annotated[Literal["queued", "quarantined"], IN_CONTENT]
    candidates: Annotated[tuple[Id, ...], Field(max_length=20), IN_CONTENT]
    assertion: Annotated[Assertion, IN_CONTENT]


class SourceRecordReleased(Event):
    """A source record is held back no more: joined to a record, made one of its own, or its file was withdrawn."""

    NAME: ClassVar[str] = "source-record-released"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    outcome: Annotated[Literal["joined", "registered", "withdrawn"], IN_CONTENT]
    child: Annotated[Id | None, IN_CONTENT] = None


EVENTS = EventTypes((FileReceived, FileWithdrawn, SourceRecordHeld, SourceRecordReleased))
