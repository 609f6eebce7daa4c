"""Destroying what is due: order, receipt, keys, completion. Resumes after a crash at any step; twice changes nothing.

Whoever calls waits for the receipt of the order before the first key goes, and for that of the completion before it is
acknowledged: a destruction that nobody can be shown to have ordered would be a loss.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.destruction.events import DestructionBegun, DestructionCompleted
from domain.destruction.notices import NOTICES, Given, owed
from domain.errors import AlreadyReserved
from domain.kernel import Change, Metadata, Pending, Reservation, StreamKind
from domain.policy.retention import Due, london_day
from domain.policy.rule_book import refuse_unless_in_force
from domain.ports import Destruction, EventStore, Ids
from domain.rule_set.model import RuleSet

CERTIFICATES: Final = b"destruction/"
"""How the token begins by which a child's certificate is found; what follows is the child's id."""

EARLY: Final = b"early/"
"""How the token begins under which a destruction ahead of time stands until it is done; the child's id follows."""

SOURCES: Final = b"source/"
"""How the token begins by which a source record that was held back is destroyed with the child it was joined to.

What follows is the child's id and the source record's.
"""


def complete(
    child_id: UUID,
    certificate: UUID,
    *,
    at: datetime,
    store: EventStore,
    destruction: Destruction,
    metadata: Metadata,
) -> int:
    """Destroy every key of a child under its certificate, and give the version at which that says it is done.

    Raises Unavailable. The certificate is on record, and sealed, before the first key goes: a key found empty without
    one would be damage.
    """
    emptied = destruction.destroy(child_id, certificate)
    history = store.load(certificate)
    if not any(isinstance(recorded.event, DestructionCompleted) for recorded in history.events):
        completed = DestructionCompleted(child=child_id, keys=emptied, completed_on=london_day(at))
        change = Change(certificate, StreamKind.SYSTEM, history.version, (Pending(completed),))
        store.append([change], metadata, instant=at)
        return history.version + 1
    return history.version


def is_complete(certificate: UUID, store: EventStore) -> bool:
    """Whether what a certificate orders is on record as done."""
    return any(
        isinstance(recorded.event, DestructionCompleted) for recorded in store.load(certificate).events
    )


def order(
    child_id: UUID,
    due: Due,
    *,
    at: datetime,
    store: EventStore,
    ids: Ids,
    rules: RuleSet,
    metadata: Metadata,
    recipients: Iterable[Given] = (),
    beside: Change | None = None,
) -> UUID:
    """The certificate that orders this destruction: the one an attempt that died has left, or a new one.

    recipients: who was given something of it; that they are owed a notice is appended with the order. beside: that two
    people decided it ahead of time, appended with the order; such an order is found again by its token until it is
    done, for no rule makes it due.
    """
    refuse_unless_in_force(rules, at)
    token = certificate_token(child_id)
    found = store.find(token)
    if found is not None:
        return found
    certificate = ids.new()
    begun = DestructionBegun(child=child_id, rule=due.rule, rule_set=rules.id, due=due.on)
    changes = [Change(certificate, StreamKind.SYSTEM, 0, (Pending(begun),))]
    claimed = [Reservation(token, certificate)]
    for one in recipients:
        notice = ids.new()
        changes.append(Change(notice, StreamKind.SYSTEM, 0, (Pending(owed(one, certificate)),)))
        claimed.append(Reservation(NOTICES + notice.bytes, notice))
    if beside is not None:
        changes.append(beside)
        claimed.append(Reservation(early_token(child_id), certificate))
    try:
        store.append(changes, metadata, reservations=claimed, instant=at)
    except AlreadyReserved as taken:
        return taken.stream_id
    return certificate


def certificate_token(child_id: UUID) -> bytes:
    """The token by which a child has one certificate: its random id, which says nothing."""
    return CERTIFICATES + child_id.bytes


def early_token(child_id: UUID) -> bytes:
    """The token under which a destruction ahead of time stands until it is done."""
    return EARLY + child_id.bytes


def source_token(child_id: UUID, held_id: UUID) -> bytes:
    """The token by which a source record that was held back goes with the child it was joined to."""
    return SOURCES + child_id.bytes + held_id.bytes
