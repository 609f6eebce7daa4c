"""Who changed and who looked, from both logs: one row a look, one a child seen, one a change.

What is left out, by design: the organisation of whoever looked (joined at reading time, and only for children who are
not shielded); what was searched for; and, of a shielded child, every concealed change, with the actor of those that
are not. Stream versions of a shielded child are left out too, because a gap between two of them tells of a change that
is hidden. A change to a sensitive involvement is `sensitive-change` with neither date nor actor, whoever the child is:
its words are erased with its own key, and a view is not where they survive. It is one row a command, however many
events the command wrote.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.access.events import (
    AccessRefused,
    ActDecided,
    AuditRead,
    ListRead,
    Looked,
    QueueRead,
    RecordHandedOver,
    RecordShown,
    RecordShownAsOf,
    SignInRefused,
    SubjectReplied,
    TrailRead,
)
from domain.child_record.events import (
    ChildRegistered,
    ContactAnswered,
    ContactAsked,
    ContactPassedOn,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementBegun,
    SensitiveInvolvementEnded,
    SensitiveInvolvementGrounded,
)
from domain.kernel import Concealed, Event, ForgottenEvent, History, Log, Metadata, Recorded
from domain.policy.shielding import shielded
from domain.rule_set.model import RuleSet
from projections.projection import Projection, Row, Table
from projections.reading import destroyed_children

SENSITIVE_CHANGE: Final = "sensitive-change"
NOT_SIGNED_IN: Final = "not-signed-in"
"""In place of a role, where nobody has proved who they are."""
_SENSITIVE: Final = (
    SensitiveInvolvementBegun,
    SensitiveInvolvementGrounded,
    SensitiveInvolvementEnded,
    SensitiveConsentWithdrawn,
    ContactAsked,
    ContactPassedOn,
    ContactAnswered,
)
_DATES: Final = ("effective", "began", "ended", "given_on", "withdrawn_on", "died_on", "archived_on")
"""The fields that say when something was true, by the names they have in one event or another."""


_ABOUT_NO_CHILD: Final = frozenset(
    {"what-saw", "replay", "what-would", "account", "organisation", "two-people", "investigate"}
)
"""Actions whose subject is an account, an organisation, an access, a proposal or an investigation."""


class LookRow(NamedTuple):
    """One look. `account` looked, on behalf of and confirmed by whom; `rule` of `rule_set` decided.

    position: in the access log, so that a trail can be read again as it was.
    """

    access_id: UUID
    at: datetime
    account: UUID
    role: str
    action: str
    purpose: str | None
    on_behalf_of: UUID | None
    confirmed_by: UUID | None
    outcome: str
    rule: str
    rule_set: str
    position: int


class SeenRow(NamedTuple):
    """One child in a look: shown with these fields, or only asked for."""

    access_id: UUID
    child_id: UUID
    at: datetime
    shown: bool
    mask: str | None


class ChangeRow(NamedTuple):
    """One change to a record. `at`: when recorded; `effective`: when it was true, where that may be known here."""

    child_id: UUID
    ordinal: int
    at: datetime
    event: str
    effective: date | None
    source: str | None
    actor: UUID | None
    purpose: str | None
    version: int | None


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The rows of one look, or of the changes to one child's record; none for other streams."""
    del rules
    first = history.events[0] if history.events else None
    if first is None:
        return ()
    if isinstance(first.event, Looked):
        return tuple(_look(first, first.event))
    if isinstance(first.event, SignInRefused):
        return tuple(_not_signed_in(first, first.event))
    if isinstance(first.event, ChildRegistered):
        return changes(history)
    return ()


def changes(history: History) -> tuple[ChangeRow, ...]:
    """The changes to one record that an audit trail may hold, oldest first; none of a destroyed one."""
    events = [recorded.event for recorded in history.events]
    if any(isinstance(event, ForgottenEvent) for event in events):
        return ()
    hidden = shielded(events)
    told = [
        one for one in history.events if not (hidden and (one.event.CONCEALED or _is_concealed(one.event)))
    ]
    last_of_each = [
        one
        for one, after in zip(told, [*told[1:], None], strict=True)
        if after is None or not _goes_on(one, after)
    ]
    return tuple(
        _change(recorded, ordinal, hidden=hidden) for ordinal, recorded in enumerate(last_of_each, start=1)
    )


def _goes_on(one: Recorded, after: Recorded) -> bool:
    """Whether two sensitive changes come of one command: recorded together, one behind the other, under one receipt.

    Of those whose key was erased the receipt is gone as well, and is the same nothing.
    """
    return (
        _is_sensitive(one.event)
        and _is_sensitive(after.event)
        and after.version == one.version + 1
        and after.recorded_at == one.recorded_at
        and _receipt(after) == _receipt(one)
    )


def _receipt(recorded: Recorded) -> UUID | None:
    return recorded.metadata.correlation if isinstance(recorded.metadata, Metadata) else None


AUDIT_TRAIL: Final = Projection(
    name="audit_trail",
    version=6,
    logs=(Log.RECORD, Log.ACCESS),
    tables=(
        Table("look", LookRow, key=("access_id",), stream="access_id"),
        Table("seen", SeenRow, key=("access_id", "child_id"), stream="access_id"),
        Table("change", ChangeRow, key=("child_id", "ordinal"), stream="child_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    ends=destroyed_children,
)


def _look(recorded: Recorded, event: Looked) -> Iterable[Row]:
    metadata = recorded.metadata
    if not isinstance(metadata, Metadata):  # its period was destroyed: what is left says nothing
        return
    yield LookRow(
        recorded.stream_id,
        event.instant,
        metadata.actor,
        event.role,
        event.action,
        metadata.purpose,
        metadata.on_behalf_of,
        metadata.confirmed_by,
        event.outcome,
        event.rule,
        event.rule_set,
        recorded.position,
    )
    hits = {hit.stream: hit for hit in event.hits}
    for child_id, hit in hits.items():
        yield SeenRow(recorded.stream_id, child_id, event.instant, True, hit.mask)  # noqa: FBT003 - a row
    unseen = asked_for(event)
    if unseen is not None and unseen not in hits:
        yield SeenRow(recorded.stream_id, unseen, event.instant, False, None)  # noqa: FBT003 - a row


def _not_signed_in(recorded: Recorded, event: SignInRefused) -> Iterable[Row]:
    """A refused sign-in, under the account whose name was given: who it was, nobody knows."""
    if isinstance(recorded.metadata, Metadata):
        yield LookRow(
            recorded.stream_id,
            event.instant,
            recorded.metadata.actor,
            NOT_SIGNED_IN,
            "sign-in",
            None,
            None,
            None,
            "refused",
            event.rule,
            event.rule_set,
            recorded.position,
        )


def asked_for(event: Looked) -> UUID | None:
    """The child, or the source record held back, that a look asked for by its id, shown or not."""
    match event:
        case RecordShown() | RecordShownAsOf() | RecordHandedOver() | SubjectReplied():
            return event.child
        case QueueRead():
            return event.held
        case AuditRead() | ListRead() | TrailRead() if event.action in (
            "who-saw",
            "changes",
            "subject-access",
        ):
            return event.subject
        case ActDecided():
            return event.subject
        case AccessRefused() if event.action not in _ABOUT_NO_CHILD:
            return event.subject
        case _:
            return None


def _change(recorded: Recorded, ordinal: int, *, hidden: bool) -> ChangeRow:
    event = recorded.event
    sensitive = _is_sensitive(event)
    metadata = (
        recorded.metadata if isinstance(recorded.metadata, Metadata) and not (hidden or sensitive) else None
    )
    source = getattr(event, "source_kind", None)
    return ChangeRow(
        recorded.stream_id,
        ordinal,
        recorded.recorded_at,
        SENSITIVE_CHANGE if sensitive else event.NAME,
        None if sensitive else _effective(event),
        None if sensitive or source is None else str(source),
        metadata.actor if metadata else None,
        metadata.purpose if metadata else None,
        None if hidden else recorded.version,
    )


def _is_sensitive(event: Event) -> bool:
    return isinstance(event, _SENSITIVE) or _is_concealed(event)


def _is_concealed(event: Event) -> bool:
    """A concealed event whose content is not open: of an unshielded child, a sensitive one whose own key was erased."""
    return isinstance(event, Concealed)


def _effective(event: Event) -> date | None:
    for name in _DATES:
        value = getattr(event, name, None)
        if isinstance(value, date):
            return value
    return None
