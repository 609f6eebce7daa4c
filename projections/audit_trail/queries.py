"""The only reads of the audit trail, newest first. Entries are ready to print.

Where a view could lag behind a shield, the log decides: a record whose stream has moved since it was folded is folded
again here, and organisations are shown only of looks at a child whom the log says is not shielded.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from domain.access.events import Looked
from domain.access.model import AccessGrant
from domain.disclosure import fields_of
from domain.errors import DamagedStream
from domain.kernel import History
from domain.policy.shielding import shielded
from domain.ports import EventStore
from projections.audit_trail import view
from projections.audit_trail.view import ChangeRow
from projections.projection import as_served

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""

Entry = dict[str, Any]


class AuditTrail:
    """Implements the audit half of `domain.access.handlers.Trail`.

    records: the record log as a reader without the `shielded` database has it. looks: opens looks by their access ids.
    """

    def __init__(
        self, open_view: Open, records: EventStore, looks: Callable[[Sequence[UUID]], Mapping[UUID, History]]
    ) -> None:
        self._open = open_view
        self._records = records
        self._looks = looks

    def who_saw(self, grant: AccessGrant, child_id: UUID, limit: int) -> list[Entry]:
        """Looks at one child, and attempts to look; with the organisation only where the child is not shielded."""
        with self._open() as connection:
            found = who_saw(connection, grant, child_id, limit)
        entries = [_look_entry(look) | {"shown": look.shown, "fields": _fields(look.mask)} for look in found]
        if self._is_shielded(child_id):
            return entries
        opened = self._looks([look.access_id for look in found])
        return [
            entry | {"organisation": _organisation(opened.get(look.access_id))}
            for entry, look in zip(entries, found, strict=True)
        ]

    def what_saw(self, grant: AccessGrant, account: UUID, limit: int) -> list[Entry]:
        """Looks by one account, and those it confirmed as the second person, with the children shown or asked for."""
        with self._open() as connection:
            found = what_saw(connection, grant, account, limit)
        return [
            _look_entry(look) | {"children": _texts(look.children), "asked_for": _texts(look.asked_for)}
            for look in found
        ]

    def changes(self, grant: AccessGrant, child_id: UUID, limit: int) -> list[Entry]:
        """Changes to one record; of a shielded one those that hide nothing, without actors."""
        with self._open() as connection:
            folded = _folded(connection, child_id)
            found = changes(connection, grant, child_id, limit)
        if folded is None or self._records.heads([child_id]) != {child_id: folded.version}:
            history = as_served(self._records.load(child_id))
            found = list(reversed(view.changes(history)))[:limit]
        return [_change_entry(change) for change in found]

    def _is_shielded(self, child_id: UUID) -> bool:
        """As the log says. A stream that cannot be opened counts as shielded."""
        try:
            return shielded(recorded.event for recorded in self._records.load(child_id).events)
        except DamagedStream:
            return True


class Look(NamedTuple):
    """A look as an auditor reads it."""

    access_id: UUID
    at: Any
    account: UUID
    role: str
    action: str
    purpose: str | None
    on_behalf_of: UUID | None
    confirmed_by: UUID | None
    outcome: str
    rule: str
    shown: bool = False
    mask: str | None = None
    children: Sequence[UUID] = ()
    asked_for: Sequence[UUID] = ()


def who_saw(connection: Connection[Any], grant: AccessGrant, child_id: UUID, limit: int) -> list[Look]:
    """Looks at one child, newest first."""
    del grant  # asked for so that nobody reads the trail without leaving an entry in it
    with connection.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(
            """
            SELECT access_id, l.at, l.account, l.role, l.action, l.purpose, l.on_behalf_of, l.confirmed_by, l.outcome,
                   l.rule, s.shown, s.mask
            FROM seen AS s JOIN look AS l USING (access_id)
            WHERE s.child_id = %s ORDER BY s.at DESC, access_id LIMIT %s
            """,
            (child_id, limit),
        ).fetchall()


def what_saw(connection: Connection[Any], grant: AccessGrant, account: UUID, limit: int) -> list[Look]:
    """Looks by one account and those it confirmed, or would have, newest first."""
    del grant
    with connection.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(
            """
            SELECT l.access_id, l.at, l.account, l.role, l.action, l.purpose, l.on_behalf_of, l.confirmed_by, l.outcome,
                   l.rule,
                   ARRAY (SELECT s.child_id FROM seen AS s WHERE s.access_id = l.access_id AND s.shown
                          ORDER BY s.child_id) AS children,
                   ARRAY (SELECT s.child_id FROM seen AS s WHERE s.access_id = l.access_id AND NOT s.shown
                          ORDER BY s.child_id) AS asked_for
            FROM look AS l
            WHERE l.account = %s OR l.confirmed_by = %s ORDER BY l.at DESC, l.access_id LIMIT %s
            """,
            (account, account, limit),
        ).fetchall()


def changes(connection: Connection[Any], grant: AccessGrant, child_id: UUID, limit: int) -> list[ChangeRow]:
    """Changes to one record as folded, newest first."""
    del grant
    with connection.cursor(row_factory=class_row(ChangeRow)) as cursor:
        return cursor.execute(
            """
            SELECT child_id, ordinal, at, event, effective, source, actor, purpose, version FROM change
            WHERE child_id = %s ORDER BY ordinal DESC LIMIT %s
            """,
            (child_id, limit),
        ).fetchall()


def _folded(connection: Connection[Any], child_id: UUID) -> view.RecordRow | None:
    with connection.cursor(row_factory=class_row(view.RecordRow)) as cursor:
        return cursor.execute(
            "SELECT child_id, version, shielded FROM record WHERE child_id = %s", (child_id,)
        ).fetchone()


def _look_entry(look: Look) -> Entry:
    return {
        "access_id": str(look.access_id),
        "at": look.at.isoformat(),
        "account": str(look.account),
        "role": look.role,
        "action": look.action,
        "reason": look.purpose,
        "on_behalf_of": _text(look.on_behalf_of),
        "confirmed_by": _text(look.confirmed_by),
        "outcome": look.outcome,
        "rule": look.rule,
    }


def _change_entry(change: ChangeRow) -> Entry:
    return {
        "at": change.at.isoformat(),
        "event": change.event,
        "effective": change.effective.isoformat() if change.effective else None,
        "source": change.source,
        "actor": _text(change.actor),
        "reason": change.purpose,
        "version": change.version,
    }


def _organisation(history: History | None) -> str | None:
    event = history.events[0].event if history is not None and history.events else None
    return str(event.organisation) if isinstance(event, Looked) else None


def _fields(mask: str | None) -> list[str]:
    return list(fields_of(mask)) if mask else []


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(one) for one in ids]


def _text(one: UUID | None) -> str | None:
    return str(one) if one is not None else None
