"""Facts about looking: every search, every display, every refusal, every read of the audit trail.

Each access is a stream of its own in the access log. What was asked lies in the identity part, under a key derived
from the identity keys of all children shown, so that it dies with any of them; who looked and which versions they saw
lies in the metadata part and outlives them.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, StringConstraints

from domain.child_record.events import Gender
from domain.identifiers import BodyCode, Id, IndexNumber, NhsNumber, Postcode, ShortCode
from domain.kernel import Event, EventTypes, Immutable
from domain.personal_data import IN_IDENTITY

Digest = Annotated[bytes, Field(min_length=32, max_length=32)]
Action = Literal["search", "show", "override", "who-saw", "what-saw", "changes", "replay", "verify", "due"]
Query = Annotated[str, StringConstraints(strip_whitespace=True, max_length=140)]


class Criteria(Immutable):
    """What a searcher typed. At least one is given."""

    name: Query | None = None
    date_of_birth: date | None = None
    gender: Gender | None = None
    postcode: Postcode | None = None
    number: IndexNumber | None = None
    nhs_number: NhsNumber | None = None


class Hit(NamedTuple):
    """One child as shown: stream, version, which fields (the disclosure's mask), and the keyed digest of the display.

    A tuple, so that a full page of them stays small in the log.
    """

    stream: Id
    version: int
    mask: ShortCode
    digest: Digest


class AccessMetadata(Immutable):
    """Who looked, as they stood, why, what decided, and exactly which versions were used and shown."""

    access: Id
    actor: Id
    role: ShortCode
    organisation: Id
    body: BodyCode
    area: BodyCode
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12)]
    on_behalf_of: Id | None = None
    confirmed_by: Id | None = None
    session: Id | None = None
    action: Action
    purpose: ShortCode | None = None
    outcome: Literal["granted", "refused"]
    rule: ShortCode
    hits: Annotated[tuple[Hit, ...], Field(max_length=50)] = ()
    more: bool = False
    used: Annotated[tuple[tuple[Id, int], ...], Field(max_length=200)] = ()
    """Stream versions read beside those of the hits."""
    instant: datetime
    rule_set: ShortCode
    renderer: int
    page: Digest | None = None


class RecordsSearched(Event):
    """A search was run."""

    NAME: ClassVar[str] = "records-searched"

    criteria: Annotated[Criteria, IN_IDENTITY]


class RecordShown(Event):
    """A record was asked for, and shown or not found. `child` is what was asked for."""

    NAME: ClassVar[str] = "record-shown"

    child: Annotated[Id | None, IN_IDENTITY]
    as_of: Annotated[datetime | None, IN_IDENTITY] = None


class AuditRead(Event):
    """The audit trail was read: of a child, of an account, or one access was shown again."""

    NAME: ClassVar[str] = "audit-read"

    subject: Annotated[Id | None, IN_IDENTITY]


class AccessRefused(Event):
    """Somebody was refused. What they asked for is kept, not shown."""

    NAME: ClassVar[str] = "access-refused"

    subject: Annotated[Id | None, IN_IDENTITY] = None
    criteria: Annotated[Criteria | None, IN_IDENTITY] = None


EVENTS = EventTypes((RecordsSearched, RecordShown, AuditRead, AccessRefused))
