"""Whoever was given something of a record is told when it is destroyed: who is, who was, and who is to be.

UK GDPR Art 19. What left is on record when it leaves, as an access; to whom is in words that die with the child. So
what is owed is said with the order, while they can still be read, and names nobody but the recipient.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain.destruction.events import NoticeOwed, NoticeSent
from domain.errors import BadInput, NotFound, VersionConflict
from domain.kernel import Change, History, Metadata, Pending, StreamKind
from domain.policy.retention import london_day
from domain.ports import EventStore

NOTICES: Final = b"notice/"
"""How the token begins by which a notice is found; what follows is the notice's id."""


class Given(NamedTuple):
    """That something of a record left: under which access, of which kind, to whom, from whose team and on which day."""

    access: UUID
    kind: str
    recipient: str
    body: str
    on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """What is owed, and on which day it was sent; None: not yet. version: of its stream."""

    notice_id: UUID
    owed: NoticeOwed
    sent_on: date | None
    version: int


def owed(one: Given, certificate: UUID) -> NoticeOwed:
    """That whoever was given something is to be told of its destruction under this certificate."""
    return NoticeOwed(
        certificate=certificate,
        access=one.access,
        kind=one.kind,
        recipient=one.recipient,
        body=one.body,
        given_on=one.on,
    )


def notice_of(notice_id: UUID, store: EventStore) -> Notice:
    """One notice. Raises NotFound where this is the id of none."""
    return fold(store.load(notice_id))


def fold(history: History) -> Notice:
    """The notice of a stream. Raises NotFound where it is that of none."""
    events = [recorded.event for recorded in history.events]
    if not events or not isinstance(events[0], NoticeOwed):
        raise NotFound("There is no such notice: `retention notices` lists them.", field="notice")
    sent = next((event for event in events if isinstance(event, NoticeSent)), None)
    return Notice(history.stream_id, events[0], sent.sent_on if sent else None, history.version)


def sent(notice: Notice, on: date, *, at: datetime, store: EventStore, metadata: Metadata) -> None:
    """Put on record that a notice was sent; once. Raises BadInput where that day is yet to come."""
    if on > london_day(at):
        raise BadInput("It is recorded once it was sent.", code="date-in-future", field="on")
    if notice.sent_on is not None:
        return
    change = Change(notice.notice_id, StreamKind.SYSTEM, notice.version, (Pending(NoticeSent(sent_on=on)),))
    try:
        store.append([change], metadata, instant=at)
    except VersionConflict:  # somebody else has just said so
        return
