"""Accesses of every kind as they are on record, and as FHIR resources come back from JSON."""

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from adapters.fhir import audit_events
from domain.access.events import (
    AccessesExported,
    AccessRefused,
    ActDecided,
    ArchiveOpened,
    ArchiveProposed,
    AuditRead,
    Criteria,
    HandOverProposed,
    Hit,
    ListRead,
    Looked,
    MediatorLet,
    PolicyTried,
    QueueRead,
    RecordHandedOver,
    RecordShown,
    RecordShownAsOf,
    RecordsSearched,
    SignedIn,
    SignedOut,
    SignInRefused,
    SteppedUp,
    SubjectReplied,
    SubjectReplyProposed,
    TrailFilter,
    TrailRead,
)
from domain.access.model import Access, AccessOnRecord, NotSignedIn
from domain.kernel import Metadata
from tests.builders import CHILD, LONDON_BOROUGH

ACCOUNT, CALLER, SECOND = UUID(int=2**126 + 7), UUID(int=2**126 + 8), UUID(int=2**126 + 9)
OTHER = UUID(int=2**126 + 5)
HIT = Hit(CHILD, 3, "7", bytes(range(32)))
TYPED = Criteria(name="Amira Khan")


def an_access(
    event_class: type[Looked],
    action: str,
    *hits: Hit,
    number: int = 1,
    hidden: bool = False,
    asked_for: UUID | None = None,
    **fields: Any,
) -> AccessOnRecord:
    """An access by a teacher, for casework."""
    metadata = {"actor": ACCOUNT, "purpose": "casework", "correlation": UUID(int=2**126 + number)}
    metadata |= {name: fields.pop(name) for name in ("on_behalf_of", "confirmed_by") if name in fields}
    given = {
        "role": "teacher",
        "organisation": UUID(int=2**126 + 2),
        "body": LONDON_BOROUGH,
        "area": LONDON_BOROUGH,
        "purposes": ("casework",),
        "action": action,
        "outcome": "granted",
        "rule": "ordinary",
        "hits": hits,
        "instant": datetime(2026, 3, 1, 9, tzinfo=UTC),
        "rule_set": "present",
        "renderer": 1,
        "page": bytes(32),
    }
    event = event_class.model_validate(given | fields)
    children: list[tuple[UUID, Hit | None]] = [(hit.stream, hit) for hit in hits]
    if asked_for is not None:
        children.append((asked_for, None))
    access = Access(metadata["correlation"], event, Metadata.model_validate(metadata))  # type: ignore[arg-type]
    return AccessOnRecord(access, 41, tuple(children), hidden)


def not_signed_in(account: UUID | None, number: int) -> AccessOnRecord:
    """A refused sign-in, with the name of an account or with one that none has."""
    access_id = UUID(int=2**126 + number)
    event = SignInRefused(
        account=account,
        how="password-and-code",
        rule="not-recognised",
        instant=datetime(2026, 3, 1, 9, tzinfo=UTC),
        rule_set="present",
    )
    metadata = Metadata(actor=account or UUID(int=1), correlation=access_id)
    return AccessOnRecord(NotSignedIn(access_id, event, metadata), 42, (), hidden=False)


EVERY_KIND: Final = {
    "show": an_access(RecordShown, "show", HIT, child=CHILD, number=11),
    "shown nothing": an_access(RecordShown, "show", asked_for=CHILD, child=CHILD, number=12),
    "override": an_access(RecordShown, "override", HIT, child=CHILD, hidden=True, number=13),
    "search": an_access(
        RecordsSearched, "search", HIT, Hit(OTHER, 1, "7", bytes(32)), criteria=TYPED, number=14
    ),
    "search without hits": an_access(RecordsSearched, "search", criteria=TYPED, number=15),
    "for a caller": an_access(RecordShown, "show", HIT, child=CHILD, on_behalf_of=CALLER, number=16),
    "hand-over": an_access(
        RecordHandedOver,
        "hand-over",
        HIT,
        child=CHILD,
        recipient="A court",
        ground="crime",
        confirmed_by=SECOND,
        number=17,
    ),
    "trail": an_access(AuditRead, "replay", number=18),
    "put forward": an_access(
        HandOverProposed, "hand-over", HIT, child=CHILD, recipient="A court", ground="crime", number=30
    ),
    "archive": an_access(
        ArchiveOpened, "open-archive", HIT, child=CHILD, reference="C1", confirmed_by=SECOND, number=31
    ),
    "archive asked for": an_access(
        ArchiveProposed, "open-archive", asked_for=CHILD, child=CHILD, reference="C1", number=32
    ),
    "as it was": an_access(
        RecordShownAsOf, "show", HIT, child=CHILD, as_of=datetime(2026, 2, 1, tzinfo=UTC), number=33
    ),
    "another policy": an_access(
        PolicyTried, "what-would", HIT, subject=CHILD, tried="2007", digest="0" * 64, number=34
    ),
    "list": an_access(ListRead, "shield-reviews", HIT, what="shield-reviews", number=35),
    "page of a trail": an_access(TrailRead, "who-saw", HIT, subject=CHILD, chosen=TrailFilter(), number=36),
    "taken out": an_access(AccessesExported, "export-accesses", chosen=TrailFilter(), number=37),
    "queue": an_access(QueueRead, "review-queue", HIT, held=OTHER, number=38),
    "reply": an_access(
        SubjectReplied, "subject-access", HIT, child=CHILD, request=OTHER, requester="child", number=39
    ),
    "reply put forward": an_access(
        SubjectReplyProposed, "subject-access", HIT, child=CHILD, request=OTHER, requester="child", number=40
    ),
    "act decided": an_access(
        ActDecided, "lift-shield", asked_for=CHILD, subject=CHILD, confirmed_by=SECOND, number=41
    ),
    "stepped up": an_access(SteppedUp, "step-up", number=42),
    "mediator let": an_access(
        MediatorLet, "let-mediator", mediator=SECOND, until=datetime(2026, 3, 1, 10, tzinfo=UTC), number=43
    ),
    "signed in": an_access(SignedIn, "sign-in", how="password-and-code", number=20),
    "signed out": an_access(SignedOut, "sign-out", ended=UUID(int=2**126 + 3), number=21),
    "not let in": an_access(AccessRefused, "step-up", outcome="refused", rule="account-suspended", number=22),
    "not signed in": not_signed_in(ACCOUNT, number=23),
    "nobody signed in": not_signed_in(None, number=24),
    "refused": an_access(
        AccessRefused,
        "show",
        asked_for=CHILD,
        subject=CHILD,
        outcome="refused",
        rule="right-not-held",
        number=19,
    ),
}


def written(name: str, *, criteria: bool = False) -> list[dict[str, Any]]:
    """An access of this kind as resources, as they come back from JSON."""
    made: list[dict[str, Any]] = json.loads(json.dumps(audit_events(EVERY_KIND[name], criteria)))
    return made


def all_written() -> list[dict[str, Any]]:
    """Every kind, with what was typed."""
    return [resource for name in EVERY_KIND for resource in written(name, criteria=True)]
