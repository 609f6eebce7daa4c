"""The only reads of the audit trail, newest first. Entries are ready to print.

Where a view could lag behind a shield, the log decides: the changes of a record are folded from it, and organisations
are shown only of looks at a child whom the log says is not shielded.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from domain.access.conduct import Recent
from domain.access.events import Criteria, Hit, Looked, RecordsSearched, SignInRefused, TrailFilter
from domain.access.model import Access, AccessGrant, AccessOnRecord, NotSignedIn
from domain.access.ports import CountedRefusals, LookBehind
from domain.access.reach import Reach
from domain.disclosure import OVERRIDE_OF_SHIELD, fields_of
from domain.errors import BadInput, Refused
from domain.kernel import History, Metadata
from domain.organisation.model import Organisation
from domain.organisation.model import fold as fold_organisation
from domain.policy.retention import london_day
from domain.policy.shielding import shielded
from domain.policy.subject_access import LookAt
from domain.ports import EventStore
from projections.audit_trail import view
from projections.audit_trail.view import ChangeRow
from projections.projection import as_served
from projections.reading import as_far_as

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""

Entry = dict[str, Any]
Page = tuple[list[Entry], str | None]
"""Entries, and the cursor that the next page begins behind; None where there is none."""


class AuditTrail:
    """Implements the audit half of `domain.access.ports.Trail`.

    records: the record log as a reader without the `shielded` database has it. looks: opens looks by their access ids.
    heads: how far the record log goes, and how far the view has come in the access log.

    What is read, is read as far as a `Reach` says and no further, so that it can be read again: what was appended since
    adds nothing to it, and a shield that was raised or lifted since changes nothing in it.
    """

    def __init__(
        self,
        open_view: Open,
        records: EventStore,
        looks: Callable[[Sequence[UUID]], Mapping[UUID, History]],
        heads: Callable[[], tuple[int, int]],
    ) -> None:
        self._open = open_view
        self._records = records
        self._looks = looks
        self._heads = heads

    def reach(self) -> Reach:
        """As far as can be read now."""
        return Reach(*self._heads())

    def who_saw(self, grant: AccessGrant, child_id: UUID, chosen: TrailFilter, at: Reach) -> Page:
        """Looks at one child, and attempts to look; with the organisation only where the child is not shielded.

        Raises Refused where it is shielded and those of one organisation are asked for: that would tell it.
        """
        hidden = bool(self._not_in_the_open({child_id}, at))
        if hidden and chosen.organisation is not None:
            raise Refused(
                "Of a shielded child it is not told whose people looked: leave out --organisation.",
                code="organisation-not-told",
                field="organisation",
            )
        found, opened, following = self._looked(who_saw, grant, child_id, chosen, at)
        entries = [_look_entry(look) | {"shown": look.shown, "fields": _fields(look.mask)} for look in found]
        if hidden:
            return entries, following
        return [
            entry | {"organisation": _organisation(opened.get(look.access_id))}
            for entry, look in zip(entries, found, strict=True)
        ], following

    def what_saw(self, grant: AccessGrant, account: UUID, chosen: TrailFilter, at: Reach) -> Page:
        """Looks by one account, on its behalf, or confirmed by it, with the children shown or asked for.

        What was typed into a search is told only where it is asked for and no child that was found is shielded.
        """
        found, opened, following = self._looked(what_saw, grant, account, chosen, at)
        entries = [
            _look_entry(look)
            | {
                "children": _texts(look.children),
                "asked_for": _texts(look.asked_for),
                "fields": {
                    str(child): _fields(mask) for child, mask in zip(look.children, look.masks, strict=True)
                },
            }
            for look in found
        ]
        if chosen.criteria:
            hidden = self._not_in_the_open({child for look in found for child in look.children}, at)
            for entry, look in zip(entries, found, strict=True):
                typed = _typed(opened.get(look.access_id))
                entry["criteria"] = None if hidden.intersection(look.children) else typed
        return entries, following

    def _looked(
        self,
        read: "Read",
        grant: AccessGrant,
        subject: UUID,
        chosen: TrailFilter,
        at: Reach,
    ) -> tuple[list["Look"], Mapping[UUID, History], str | None]:
        """A page of looks, opened, and the cursor of the next. The view does not know whose people looked."""
        kept: list[Look] = []
        opened: dict[UUID, History] = {}
        after = chosen.after
        while True:
            with self._open() as connection:
                found = read(
                    connection, grant, subject, chosen.model_copy(update={"after": after}), at, at.limit + 1
                )
            histories = self._looks([look.access_id for look in found])
            for look in found:
                event = _looked(histories.get(look.access_id))
                if chosen.organisation is None or (event is not None and event.body == chosen.organisation):
                    if len(kept) == at.limit:
                        return kept, opened, _cursor(kept[-1])
                    kept.append(look)
                    opened[look.access_id] = histories.get(look.access_id, History(look.access_id, 0, ()))
            if len(found) <= at.limit:
                return kept, opened, None
            after = _cursor(found[-1])

    def looks_at(self, grant: AccessGrant, child_id: UUID, at: Reach) -> list[LookAt]:
        """Every look at one child and every attempt at one, newest first, with whose people looked.

        Not for display: what is told of it, `domain.policy.subject_access` decides.
        """
        with self._open() as connection:
            found = who_saw(connection, grant, child_id, TrailFilter(), at, None)
        opened = self._looks([look.access_id for look in found])
        employers: dict[UUID, Organisation] = {}
        looks: list[LookAt] = []
        for look in found:
            event = _looked(opened.get(look.access_id))
            if event is not None and event.organisation not in employers:
                employers[event.organisation] = fold_organisation(
                    as_far_as(at.record, self._records.load(event.organisation))
                )
            employer = employers[event.organisation] if event is not None else None
            looks.append(
                LookAt(
                    at=look.at,
                    action=look.action,
                    purpose=look.rule if look.action == "hand-over" else look.purpose,
                    shown=look.shown,
                    fields=fields_of(look.mask) if look.mask else (),
                    role=look.role,
                    kind=employer.kind if employer else None,
                    organisation=employer.name if employer else None,
                )
            )
        return looks

    def changes(
        self,
        grant: AccessGrant,
        child_id: UUID,
        chosen: TrailFilter,
        at: Reach,
        opening: Callable[[], EventStore] | None = None,
    ) -> Page:
        """Changes to one record; of a shielded one those that hide nothing, without actors.

        opening: gives what opens a record that has been shielded since, where that may be shown.
        """
        del grant
        history = self._records.load(child_id)
        then = as_far_as(at.record, history)
        if opening is not None and _is_shielded(history) and not _is_shielded(then):
            then = as_far_as(at.record, opening().load(child_id))
        found = reversed(view.changes(as_served(then)))
        behind = _ordinal(chosen.after)
        kept = [one for one in found if _is_chosen(one, chosen) and (behind is None or one.ordinal < behind)]
        following = str(kept[at.limit - 1].ordinal) if len(kept) > at.limit else None
        return [_change_entry(change) for change in kept[: at.limit]], following

    def accesses(
        self, grant: AccessGrant, kind: str, subject: UUID | None, chosen: TrailFilter, at: Reach
    ) -> tuple[list[AccessOnRecord], str | None]:
        """Accesses as they are on record, newest first. Of one child only what concerns that child.

        Of an access at a child who is shielded, `hidden` says that whose people looked is not to be told.
        """
        read = {"who-saw": who_saw, "what-saw": what_saw}.get(kind, _in_period)
        found, opened, following = self._looked(read, grant, subject or UUID(int=0), chosen, at)
        accesses: list[tuple[Access | NotSignedIn, int, dict[UUID, Hit | None]]] = []
        for look in found:
            recorded = opened[look.access_id].events[0] if opened[look.access_id].events else None
            event = _looked(opened[look.access_id])
            if recorded is None or not isinstance(recorded.metadata, Metadata):
                continue
            if isinstance(recorded.event, SignInRefused):
                refused = NotSignedIn(look.access_id, recorded.event, recorded.metadata)
                accesses.append((refused, recorded.position, {}))
            if event is None:
                continue
            children: dict[UUID, Hit | None] = {hit.stream: hit for hit in event.hits}
            asked_for = view.asked_for(event)
            if asked_for is not None:
                children.setdefault(asked_for, None)
            accesses.append((Access(look.access_id, event, recorded.metadata), recorded.position, children))
        hidden = self._not_in_the_open({child for *_, children in accesses for child in children}, at)
        return [
            AccessOnRecord(
                access,
                position,
                tuple(one for one in children.items() if kind != "who-saw" or one[0] == subject),
                hidden=not hidden.isdisjoint(children),
            )
            for access, position, children in accesses
        ], following

    def refusals(
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, at: Reach
    ) -> CountedRefusals:
        """Refusals counted by day, reason, role and organisation, the newest.

        What was refused is not told, nor to whom, nor the hour: beside who saw a child these would tell it. Of a
        refusal at a shielded record, or one that cannot be opened, the organisation is left out, as it is there.
        """
        with self._open() as connection:
            found = refusals(connection, grant, since, until, at)
        told = found[: at.limit]
        opened = self._looks([one.access_id for one in told])
        children = {one.child_id for one in told if one.child_id is not None}
        hidden = self._not_in_the_open(children, at)
        counted: Counter[tuple[date, str, str, str | None, str | None]] = Counter()
        for one in told:
            event = None if one.child_id in hidden else _looked(opened.get(one.access_id))
            where = (str(event.organisation), event.body) if event else (None, None)
            counted[london_day(one.at), one.rule, one.role, *where] += 1
        entries = [
            {
                "day": day.isoformat(),
                "reason": rule,
                "role": role,
                "organisation": organisation,
                "body": body,
                "count": count,
            }
            for (day, rule, role, organisation, body), count in counted.items()
        ]
        entries.sort(key=lambda entry: (entry["reason"], entry["role"], entry["body"] or ""))
        entries.sort(key=lambda entry: str(entry["day"]), reverse=True)
        return CountedRefusals(entries, len(found) > at.limit, tuple(sorted(children - hidden)))

    def overrides(
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, most: int, at: Reach
    ) -> Sequence[LookBehind]:
        """Looks behind whosever shield, the newest, at most so many. Not for display."""
        with self._open() as connection:
            found = overrides(connection, grant, since, until, most, at)
        opened = self._looks([one.access_id for one in found])
        events = [_looked(opened.get(one.access_id)) for one in found]
        return [
            one._replace(organisation=event.organisation if event else None)
            for one, event in zip(found, events, strict=True)
        ]

    def looks(self, grant: AccessGrant, account: UUID, since: datetime) -> int:
        """How many searches an account ran and records it opened since an instant."""
        with self._open() as connection:
            return looks(connection, grant, account, since)

    def recent(self, grant: AccessGrant, account: UUID, since: datetime, most: int) -> Recent:
        """What they were. What was searched for is opened from the log; no view holds it."""
        with self._open() as connection:
            found = counted(connection, grant, account, since, most)
        opened = self._looks(found.searches)
        events = [_looked(opened.get(access_id)) for access_id in found.searches]
        criteria = tuple(event.criteria for event in events if isinstance(event, RecordsSearched))
        return Recent(criteria, found.opened, found.changed)

    def _not_in_the_open(self, child_ids: set[UUID], at: Reach) -> set[UUID]:
        """Those of these children who were shielded as the log was then, or whose stream cannot be opened."""
        opened = self._records.load_many(child_ids)
        return {
            child_id
            for child_id in child_ids
            if child_id not in opened
            or shielded(one.event for one in opened[child_id].events if one.position <= at.record)
        }


def _is_shielded(history: History) -> bool:
    return shielded(one.event for one in history.events)


def left_with(connection: Connection[Any], child_id: UUID) -> list[UUID]:
    """The accesses by which something of a child may have left the index, the first one first: ids alone."""
    found = connection.execute(
        """
        SELECT l.access_id FROM look AS l JOIN seen AS s USING (access_id)
        WHERE s.child_id = %s AND l.action IN ('hand-over', 'subject-access') AND l.outcome = 'granted'
        ORDER BY l.at, l.access_id
        """,
        (child_id,),
    )
    return [access_id for (access_id,) in found]


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
    masks: Sequence[str | None] = ()
    asked_for: Sequence[UUID] = ()


Read = Callable[[Connection[Any], AccessGrant, UUID, TrailFilter, Reach, int | None], list[Look]]

_LOOK = "l.access_id, l.at, l.account, l.role, l.action, l.purpose, l.on_behalf_of, l.confirmed_by, l.outcome, l.rule"
_CHOSEN = """
    AND l.position <= %(upto)s
    AND (%(since)s::timestamptz IS NULL OR l.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR l.at < %(until)s)
    AND (%(action)s::text IS NULL OR l.action = %(action)s)
    AND (%(outcome)s::text IS NULL OR l.outcome = %(outcome)s)
    AND (%(by)s::uuid IS NULL OR %(by)s IN (l.account, l.on_behalf_of, l.confirmed_by))
    AND (%(child)s::uuid IS NULL OR EXISTS (
        SELECT FROM seen AS c WHERE c.access_id = l.access_id AND c.child_id = %(child)s))
    AND (%(at)s::timestamptz IS NULL OR l.at < %(at)s OR (l.at = %(at)s AND l.access_id > %(access)s))
"""


def who_saw(
    connection: Connection[Any],
    grant: AccessGrant,
    child_id: UUID,
    chosen: TrailFilter,
    upto: Reach,
    limit: int | None,
) -> list[Look]:
    """Looks at one child, newest first, at most so many. The organisation is left for the caller to look at."""
    del grant  # asked for so that nobody reads the trail without leaving an entry in it
    with connection.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(
            f"""
            SELECT {_LOOK}, s.shown, s.mask
            FROM seen AS s JOIN look AS l USING (access_id)
            WHERE s.child_id = %(subject)s {_CHOSEN} ORDER BY s.at DESC, access_id LIMIT %(limit)s
            """,
            _parameters(child_id, chosen, upto, limit),
        ).fetchall()


def what_saw(
    connection: Connection[Any],
    grant: AccessGrant,
    account: UUID,
    chosen: TrailFilter,
    upto: Reach,
    limit: int | None,
) -> list[Look]:
    """Looks by one account, those on its behalf and those it confirmed, or would have, newest first."""
    del grant
    with connection.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(
            f"""
            SELECT {_LOOK},
                   ARRAY (SELECT s.child_id FROM seen AS s WHERE s.access_id = l.access_id AND s.shown
                          ORDER BY s.child_id) AS children,
                   ARRAY (SELECT s.mask FROM seen AS s WHERE s.access_id = l.access_id AND s.shown
                          ORDER BY s.child_id) AS masks,
                   ARRAY (SELECT s.child_id FROM seen AS s WHERE s.access_id = l.access_id AND NOT s.shown
                          ORDER BY s.child_id) AS asked_for
            FROM look AS l
            WHERE (l.account = %(subject)s OR l.confirmed_by = %(subject)s OR l.on_behalf_of = %(subject)s) {_CHOSEN}
            ORDER BY l.at DESC, l.access_id LIMIT %(limit)s
            """,
            _parameters(account, chosen, upto, limit),
        ).fetchall()


def _in_period(
    connection: Connection[Any],
    grant: AccessGrant,
    subject: UUID,
    chosen: TrailFilter,
    upto: Reach,
    limit: int | None,
) -> list[Look]:
    """Every look, newest first, whoever's and at whomever."""
    del grant
    with connection.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(
            f"""
            SELECT {_LOOK}
            FROM look AS l WHERE true {_CHOSEN} ORDER BY l.at DESC, l.access_id LIMIT %(limit)s
            """,
            _parameters(subject, chosen, upto, limit),
        ).fetchall()


def _parameters(subject: UUID, chosen: TrailFilter, upto: Reach, limit: int | None) -> dict[str, Any]:
    at, access = _place(chosen.after)
    return {
        "subject": subject,
        "upto": upto.access,
        "since": chosen.since,
        "until": chosen.until,
        "action": chosen.action,
        "outcome": chosen.outcome,
        "by": chosen.by,
        "child": chosen.child,
        "at": at,
        "access": access,
        "limit": limit,
    }


def _cursor(look: Look) -> str:
    return f"{look.at.isoformat()}/{look.access_id}"


def _place(after: str | None) -> tuple[datetime | None, UUID | None]:
    """Where a page of looks begins: behind this instant and access. Raises BadInput."""
    if after is None:
        return None, None
    at, _, access = after.partition("/")
    try:
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None:
            raise ValueError
        return instant, UUID(access)
    except ValueError:
        raise _no_cursor() from None


def _ordinal(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isdecimal():
        raise _no_cursor()
    return int(after)


def _no_cursor() -> BadInput:
    return BadInput("--after is not a cursor: copy `next` of the page before.", field="after")


def _is_chosen(change: ChangeRow, chosen: TrailFilter) -> bool:
    return (
        (chosen.since is None or change.at >= chosen.since)
        and (chosen.until is None or change.at < chosen.until)
        and (chosen.event is None or change.event == chosen.event)
        and (chosen.by is None or change.actor == chosen.by)
    )


class Counted(NamedTuple):
    """Looks within a window. searches: their access ids, newest first; opened, changed: distinct records."""

    searches: list[UUID]
    opened: int
    changed: int


def looks(connection: Connection[Any], grant: AccessGrant, account: UUID, since: datetime) -> int:
    """How many searches were run and records opened by an account, or on its behalf, from an instant on."""
    del grant
    row = connection.execute(
        """
        SELECT count(*) FROM look
        WHERE (account = %(account)s OR on_behalf_of = %(account)s) AND at >= %(since)s AND outcome = 'granted'
            AND action IN ('search', 'show', 'override')
        """,
        {"account": account, "since": since},
    ).fetchone()
    return row[0] if row else 0


def counted(
    connection: Connection[Any], grant: AccessGrant, account: UUID, since: datetime, most: int
) -> Counted:
    """The newest searches of an account, and how many records it opened and ever changed."""
    del grant
    given = {"account": account, "since": since, "most": most}
    searches = connection.execute(
        """
        SELECT access_id FROM look
        WHERE (account = %(account)s OR on_behalf_of = %(account)s) AND at >= %(since)s AND outcome = 'granted'
            AND action = 'search'
        ORDER BY at DESC, access_id LIMIT %(most)s
        """,
        given,
    ).fetchall()
    row = connection.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE EXISTS (
            SELECT FROM change AS c WHERE c.child_id = o.child_id AND c.actor = %(account)s))
        FROM (
            SELECT DISTINCT s.child_id FROM look AS l JOIN seen AS s USING (access_id)
            WHERE (l.account = %(account)s OR l.on_behalf_of = %(account)s) AND l.at >= %(since)s AND s.shown
                AND l.action IN ('show', 'override')
        ) AS o
        """,
        given,
    ).fetchone()
    opened, changed = row or (0, 0)
    return Counted([access_id for (access_id,) in searches], opened, changed)


class Refusal(NamedTuple):
    """A refusal, and the child it concerned, if it did."""

    access_id: UUID
    at: datetime
    role: str
    rule: str
    child_id: UUID | None


def refusals(
    connection: Connection[Any],
    grant: AccessGrant,
    since: datetime | None,
    until: datetime | None,
    upto: Reach,
) -> list[Refusal]:
    """Refusals from an instant to before another, newest first; one more than are told, where there are more."""
    del grant
    with connection.cursor(row_factory=class_row(Refusal)) as cursor:
        return cursor.execute(
            """
            SELECT l.access_id, l.at, l.role, l.rule, s.child_id
            FROM look AS l LEFT JOIN seen AS s ON s.access_id = l.access_id
            WHERE l.outcome = 'refused' AND l.position <= %(upto)s
                AND (%(since)s::timestamptz IS NULL OR l.at >= %(since)s)
                AND (%(until)s::timestamptz IS NULL OR l.at < %(until)s)
            ORDER BY l.at DESC, l.access_id LIMIT %(limit)s
            """,
            {"since": since, "until": until, "upto": upto.access, "limit": upto.limit + 1},
        ).fetchall()


def overrides(
    connection: Connection[Any],
    grant: AccessGrant,
    since: datetime | None,
    until: datetime | None,
    most: int,
    upto: Reach,
) -> list[LookBehind]:
    """Looks by which something behind a shield was shown. The organisation is left for the caller to look at."""
    del grant
    with connection.cursor(row_factory=class_row(LookBehind)) as cursor:
        return cursor.execute(
            """
            SELECT l.access_id, s.child_id, l.at, l.account, l.role, l.purpose, NULL AS organisation
            FROM look AS l JOIN seen AS s USING (access_id)
            WHERE l.action = 'override' AND l.rule = %(rule)s AND s.shown AND l.position <= %(upto)s
                AND (%(since)s::timestamptz IS NULL OR l.at >= %(since)s)
                AND (%(until)s::timestamptz IS NULL OR l.at < %(until)s)
            ORDER BY l.at DESC, l.access_id LIMIT %(most)s
            """,
            {"rule": OVERRIDE_OF_SHIELD, "since": since, "until": until, "upto": upto.access, "most": most},
        ).fetchall()


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
    event = _looked(history)
    return str(event.organisation) if event else None


def _looked(history: History | None) -> Looked | None:
    event = history.events[0].event if history is not None and history.events else None
    return event if isinstance(event, Looked) else None


def _typed(history: History | None) -> Entry | None:
    """What was typed into a search, as far as it is not forgotten; None of other looks."""
    event = _looked(history)
    criteria = getattr(event, "criteria", None)
    return criteria.model_dump(mode="json", exclude_none=True) if isinstance(criteria, Criteria) else None


def _fields(mask: str | None) -> list[str]:
    return list(fields_of(mask)) if mask else []


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(one) for one in ids]


def _text(one: UUID | None) -> str | None:
    return str(one) if one is not None else None
