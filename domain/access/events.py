"""Facts about looking: every search, every display, every refusal, every read of the audit trail.

Each access is a stream of its own in the access log. What was asked lies in the identity part, under a key derived
from the identity keys of all children shown, so that it dies with any of them; who looked and which versions they saw
lies in the metadata part and outlives them.
"""

import unicodedata
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints

from domain.child_record.events import Gender
from domain.identifiers import (
    AllocatedNumber,
    BodyCode,
    Digest,
    Id,
    IndexNumber,
    NamePart,
    NhsNumber,
    Postcode,
    ShortCode,
)
from domain.kernel import Event, EventTypes, Immutable
from domain.personal_data import IN_IDENTITY, IN_METADATA
from domain.rule_set.model import Right

SessionAct: TypeAlias = Literal["sign-in", "step-up", "sign-out", "let-mediator"]
"""What anybody may ask who has an account: it needs no right."""

Action: TypeAlias = Right | SessionAct
"""What was asked for, by the name of the right it needs: a look, or where it was refused any other act."""


def _printable(value: str) -> str:
    # A space that is not to be broken comes with what is copied from elsewhere; for Python it is not printable.
    if not all(one.isprintable() or unicodedata.category(one) == "Zs" for one in value):
        raise ValueError("holds a control character")
    return value


Query = Annotated[str, StringConstraints(strip_whitespace=True, max_length=140), AfterValidator(_printable)]


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


class Looked(Event):
    """What every look leaves: who looked as they stood, what decided, which versions were shown. Outlives the children.

    The actor, the purpose and the second person are in the metadata that every event carries; its correlation is the
    access id.
    """

    role: Annotated[ShortCode, IN_METADATA]
    organisation: Annotated[Id, IN_METADATA]
    body: Annotated[BodyCode, IN_METADATA]
    area: Annotated[BodyCode, IN_METADATA]
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12), IN_METADATA]
    session: Annotated[Id | None, IN_METADATA] = None
    action: Annotated[Action, IN_METADATA]
    outcome: Annotated[Literal["granted", "refused"], IN_METADATA]
    rule: Annotated[ShortCode, IN_METADATA]
    hits: Annotated[tuple[Hit, ...], Field(max_length=50), IN_METADATA] = ()
    more: Annotated[bool, IN_METADATA] = False
    used: Annotated[tuple[tuple[Id, int], ...], Field(max_length=200), IN_METADATA] = ()
    """Stream versions read beside those of the hits, and how far the logs were read (`domain.access.reach`)."""
    instant: Annotated[datetime, IN_METADATA]
    rule_set: Annotated[ShortCode, IN_METADATA]
    renderer: Annotated[int, Field(ge=1, le=999), IN_METADATA]
    page: Annotated[Digest | None, IN_METADATA] = None


class RecordsSearched(Looked):
    """A search was run."""

    NAME: ClassVar[str] = "records-searched"

    criteria: Annotated[Criteria, IN_IDENTITY]


class RecordShown(Looked):
    """A record was asked for, and shown or not found. `child` is what was asked for."""

    NAME: ClassVar[str] = "record-shown"

    child: Annotated[Id, IN_IDENTITY]
    as_of: Annotated[datetime | None, IN_IDENTITY] = None


class AuditRead(Looked):
    """One access was shown again; in older homes also any reading that is no record, which kept too little to be."""

    NAME: ClassVar[str] = "audit-read"

    subject: Annotated[Id | None, IN_IDENTITY] = None


class RecordShownAsOf(Looked):
    """A record was asked for as it was recorded at an instant, as it was true on a day, or both.

    The version of its hit is what was known when it was shown; which of it was shown follows from these two.
    """

    NAME: ClassVar[str] = "record-shown-as-of"

    child: Annotated[Id, IN_IDENTITY]
    as_of: Annotated[datetime | None, IN_IDENTITY] = None
    effective_on: Annotated[date | None, IN_IDENTITY] = None


ListKind: TypeAlias = Literal[
    "shield-reviews",
    "shield-requests",
    "siblings",
    "transfer",
    "wrong-views",
    "contact",
    "contacts",
    "sensitive-due",
    "due",
    "refusals",
    "subject-requests",
    "proposals",
    "investigations",
    "notices",
    "overrides",
]
"""What is listed for those who work from it. The right to one may be the right to another."""


class ListRead(Looked):
    """A list was read that a team, an operator or an auditor works from, with all that it takes to make it again.

    subject: the record, proposal or investigation it was asked of; request: which one within the record. on: the day up
    to which; since, until: from an instant to before another. listed: what is listed beside the hits, in order, each at
    its version; of proposals, investigations and notices 0, for they are read as far as the log was.
    """

    NAME: ClassVar[str] = "list-read"

    what: Annotated[ListKind, IN_IDENTITY]
    subject: Annotated[Id | None, IN_IDENTITY] = None
    request: Annotated[Id | None, IN_IDENTITY] = None
    on: Annotated[date | None, IN_IDENTITY] = None
    since: Annotated[datetime | None, IN_IDENTITY] = None
    until: Annotated[datetime | None, IN_IDENTITY] = None
    listed: Annotated[tuple[tuple[Id, int], ...], Field(max_length=200), IN_METADATA] = ()


class PolicyTried(Looked):
    """An access was shown beside what another rule set would have shown: its id, and the digest of its file."""

    NAME: ClassVar[str] = "policy-tried"

    subject: Annotated[Id, IN_IDENTITY]
    tried: Annotated[ShortCode, IN_IDENTITY]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64), IN_IDENTITY]


class TrailFilter(Immutable):
    """What of a trail was asked for: from an instant to before another, and of which kind. None: everything.

    by: whoever looked, on whose behalf, or who confirmed; of changes, who made them. organisation: by its code. event:
    of changes, what they are called. after: the cursor of the page before. criteria: with what was typed into searches.
    """

    since: datetime | None = None
    until: datetime | None = None
    action: ShortCode | None = None
    by: Id | None = None
    organisation: BodyCode | None = None
    outcome: Literal["granted", "refused"] | None = None
    child: Id | None = None
    event: ShortCode | None = None
    after: Annotated[str, StringConstraints(pattern=r"^[0-9TZ:.+/a-f-]+$", max_length=80)] | None = None
    criteria: bool = False


class TrailRead(Looked):
    """Who saw a child, what an account saw, what changed, or every access was read: a page, chosen by these filters."""

    NAME: ClassVar[str] = "trail-read"

    subject: Annotated[Id | None, IN_IDENTITY] = None
    chosen: Annotated[TrailFilter, IN_IDENTITY]


class AccessesExported(TrailRead):
    """A page of accesses was taken out, each as a FHIR AuditEvent."""

    NAME: ClassVar[str] = "accesses-exported"


class QueueRead(Looked):
    """The review queue was read: a page of it, or one source record that is held back, beside its candidates."""

    NAME: ClassVar[str] = "queue-read"

    held: Annotated[Id | None, IN_IDENTITY] = None


class RecordHandedOver(Looked):
    """Facts of a record were handed over to somebody who has no account, by a named decider, on a ground of reg 12.

    recipient, reference: who asked, and under which number of theirs. Which facts stands in the mask of the hit;
    the ground is the rule that decided as well, and as that outlives the child.
    """

    NAME: ClassVar[str] = "record-handed-over"

    child: Annotated[Id, IN_IDENTITY]
    recipient: Annotated[NamePart, IN_IDENTITY]
    reference: Annotated[AllocatedNumber | None, IN_IDENTITY] = None
    ground: Annotated[ShortCode, IN_IDENTITY]


class ArchiveOpened(Looked):
    """Two of the system supplier's people opened an archived record for a case; its purpose says of which kind."""

    NAME: ClassVar[str] = "archive-opened"

    child: Annotated[Id, IN_IDENTITY]
    reference: Annotated[AllocatedNumber, IN_IDENTITY]


class ArchiveProposed(ArchiveOpened):
    """One of them asked for it. Nothing was shown."""

    NAME: ClassVar[str] = "archive-proposed"


class AdultSought(Immutable):
    """An adult who asks what is held about themselves: their name, and what only they would give beside it."""

    name: Query
    postcode: Postcode | None = None
    telephone: Query | None = None
    email: Query | None = None
    number: IndexNumber | None = None


class SubjectReplied(Looked):
    """Somebody was told who looked at a record, or an adult in which records they are named (UK GDPR Art 15).

    child, request, requester: whose record, in answer to what and to whom; of an adult's own request, `adult` alone.
    withheld: the exemptions decided upon.
    """

    NAME: ClassVar[str] = "subject-replied"

    child: Annotated[Id | None, IN_IDENTITY] = None
    request: Annotated[Id | None, IN_IDENTITY] = None
    requester: Annotated[ShortCode | None, IN_IDENTITY] = None
    withheld: Annotated[tuple[ShortCode, ...], Field(max_length=6), IN_IDENTITY] = ()
    adult: Annotated[AdultSought | None, IN_IDENTITY] = None


class SubjectReplyProposed(SubjectReplied):
    """One of two people was shown the reply about a shielded record that is to be given; nothing left yet."""

    NAME: ClassVar[str] = "subject-reply-proposed"


class HandOverProposed(RecordHandedOver):
    """One of two people was shown what is to be handed over of a shielded record; nothing left yet.

    Whoever proposes it and whoever confirms it are shown the same, each in an access of their own.
    """

    NAME: ClassVar[str] = "hand-over-proposed"


class AccessRefused(Looked):
    """Somebody was refused a look or a change. What they asked for is kept, not shown; of a change, which record."""

    NAME: ClassVar[str] = "access-refused"

    subject: Annotated[Id | None, IN_IDENTITY] = None
    criteria: Annotated[Criteria | None, IN_IDENTITY] = None


class ActDecided(Looked):
    """An act that may do harm was decided on, by whom and of which record. Sealed before the act has any effect."""

    NAME: ClassVar[str] = "act-decided"

    subject: Annotated[Id | None, IN_IDENTITY] = None


class SignedIn(Looked):
    """The holder of an account signed in; `session` is what began. how: by what they proved who they are."""

    NAME: ClassVar[str] = "signed-in"

    how: Annotated[ShortCode, IN_IDENTITY]


class SteppedUp(Looked):
    """Whoever is signed in gave a second factor again."""

    NAME: ClassVar[str] = "stepped-up"


class SignedOut(Looked):
    """Whoever is signed in ended a session of theirs: this one, or one they had left open elsewhere."""

    NAME: ClassVar[str] = "signed-out"

    ended: Annotated[Id, IN_IDENTITY]


class MediatorLet(Looked):
    """Whoever is signed in let a mediator make one look on their behalf. Its id is a keyed digest of the caller's word.

    mediator: the account that may; until: before when.
    """

    NAME: ClassVar[str] = "mediator-let"

    mediator: Annotated[Id, IN_IDENTITY]
    until: Annotated[datetime, IN_IDENTITY]


class SignInRefused(Event):
    """Somebody was not signed in, or not any longer. No look: nobody had proved who they are.

    account: whose name they gave; None where no account has it, and the name itself is not kept, for people type
    passwords in its place. how: by what they tried. known_device: whether the account had been signed in to on theirs.
    """

    NAME: ClassVar[str] = "sign-in-refused"

    account: Annotated[Id | None, IN_IDENTITY] = None
    how: Annotated[ShortCode, IN_IDENTITY]
    rule: Annotated[ShortCode, IN_IDENTITY]
    known_device: Annotated[bool, IN_IDENTITY] = False
    instant: Annotated[datetime, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class LookForgotten(Looked):
    """A look whose own words died with a child that was shown, or with their period. Never stored under this name."""

    NAME: ClassVar[str] = "look-forgotten"


EVENTS = EventTypes(
    (
        RecordsSearched,
        RecordShown,
        RecordShownAsOf,
        RecordHandedOver,
        HandOverProposed,
        ArchiveOpened,
        ArchiveProposed,
        PolicyTried,
        AuditRead,
        ListRead,
        TrailRead,
        AccessesExported,
        QueueRead,
        SubjectReplied,
        SubjectReplyProposed,
        AccessRefused,
        ActDecided,
        SignedIn,
        SteppedUp,
        SignedOut,
        MediatorLet,
        SignInRefused,
    )
)
