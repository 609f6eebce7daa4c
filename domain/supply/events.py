"""Facts about what was supplied: files, on streams about no person, and source records held back, on a child's kind.

A record held back is a child's data without a record: nothing of it but its kind of source can be read in passing,
and its keys are made where only the managers' way leads.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, StringConstraints

from domain.child_record.commands import Assertion
from domain.child_record.events import SourceKind
from domain.identifiers import BodyCode, Id, ShortCode
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
    """A source record was held back: `queued` for a human to match, or `quarantined` near a shielded child (T21).

    `doubt` is the code of what linking could not decide; `authority` the one the source names as responsible.
    """

    NAME: ClassVar[str] = "source-record-held"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    reason: Annotated[Literal["queued", "quarantined"], IN_CONTENT]
    candidates: Annotated[tuple[Id, ...], Field(max_length=20), IN_CONTENT]
    assertion: Annotated[Assertion, IN_CONTENT]
    doubt: Annotated[ShortCode | None, IN_CONTENT] = None
    authority: Annotated[BodyCode | None, IN_CONTENT] = None


Verdict: TypeAlias = Literal["same", "not-the-same", "new", "refuse"]
"""A human's answer: this child; none of these; a child of its own; not to be taken in."""


class HeldRecordDecided(Event):
    """Somebody of the authority's management team decided whom a record that was held back is about, and why.

    `source_kind` is `officer`. `children`: with `same` the child it is about, else those it is not about.
    """

    NAME: ClassVar[str] = "held-record-decided"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    verdict: Annotated[Verdict, IN_CONTENT]
    children: Annotated[tuple[Id, ...], Field(max_length=20), IN_CONTENT]
    reason: Annotated[ShortCode, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class SourceRecordReleased(Event):
    """A source record is held back no more: joined to a record, made one of its own, refused, or its file withdrawn.

    Not said by the source: `source_kind` is `index`, so that a reader who may not open it can tell.
    `held-again`: what is left in doubt once some children are ruled out waits in a stream of its own.
    """

    NAME: ClassVar[str] = "source-record-released"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    outcome: Annotated[Literal["joined", "registered", "withdrawn", "refused", "held-again"], IN_CONTENT]
    child: Annotated[Id | None, IN_CONTENT] = None


EVENTS = EventTypes((FileReceived, FileWithdrawn, SourceRecordHeld, HeldRecordDecided, SourceRecordReleased))
