"""What a local team, and whoever manages a record, is shown beside it: reviews, requests, siblings, contacts.

Each display is a function of the facts it is made of and of what its access keeps, so that it can be made again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from domain.access.commands import (
    ListContacts,
    ListSensitiveDue,
    ReadContact,
    ReadOverrides,
    ReadReviews,
    ReadShieldRequests,
    ReadSiblings,
    ReadTransfer,
    ReadWrongViews,
)
from domain.access.events import ListRead, TrailFilter
from domain.access.go_live import Gate
from domain.access.letting_in import grant_for
from domain.access.model import AccessGrant
from domain.access.ports import LookBehind, Looking, StaffActs
from domain.access.reach import Reach
from domain.access.showing import (
    NOT_FOUND,
    RENDERINGS,
    Rendered,
    Shown,
    gate_for,
    managed_record,
    manages,
    nothing_moved,
    put_on_record,
    rendered_for,
)
from domain.child_record import brokering, sensitive
from domain.child_record.model import ContactRequest, Transfer
from domain.disclosure import RENDERER, Disclosed, RecordFacts, disclosed, listed, mask_of
from domain.errors import AuditUnavailable, NotFound
from domain.policy.retention import between, london_day
from domain.rule_set.model import RuleSet

_WRONG_VIEWS = 500

REVIEWS_OPENED = 200
"""Records that one list of reviews opens at most."""

OVERRIDES_READ = 200
"""Looks behind a shield that one list of them goes through at most, whosever the records are."""


def read_reviews(command: ReadReviews, looking: Looking) -> Shown:
    """List whose shields are to be looked at again. Itself an access.

    An authority's managers see those of its own records; whoever manages none, those that are overdue, wherever.
    """
    asked = {"what": "shield-reviews", "on": command.on}
    grant = grant_for(command, "shield-reviews", looking, {})
    reach = looking.trail.reach()
    found = looking.trail.reviews(grant, command.on, REVIEWS_OPENED + 1, reach, looking.rules).rows

    def managed(child_id: UUID) -> RecordFacts | None:
        return looking.records.facts(grant, [child_id]).get(child_id)

    page = reviews_page(
        found, looking.viewer.role, looking.viewer.body, london_day(command.at), looking.rules, managed
    )
    put_on_record(
        grant, command, looking, "shield-reviews", ListRead, asked, [], page, "shield-reviews-permitted",
        more=page["more"], used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def reviews_page(
    found: Sequence[tuple[UUID, date]],
    role: str,
    body: str,
    today: date,
    rules: RuleSet,
    record: Callable[[UUID], RecordFacts | None],
) -> dict[str, Any]:
    """Of what was found (one more than are opened, where there are more) whose reviews a viewer is told.

    record: gives a record as its managers see it; asked of those alone whose viewer may manage it.
    """
    manages = rules.role_sees(role, "manager")
    entries: list[dict[str, Any]] = []
    for child_id, on in found[:REVIEWS_OPENED]:
        number = None
        if manages:
            facts = record(child_id)
            if facts is None or facts.authority != body:
                continue
            number = facts.index_number
        elif on >= today:
            continue
        overdue = max((today - on).days, 0)
        entry = {"child_id": str(child_id), "review_on": on.isoformat(), "overdue_days": overdue}
        entries.append(entry | ({"number": number} if number else {}))
    return {"reviews": entries, "more": len(found) > REVIEWS_OPENED}


def read_shield_requests(command: ReadShieldRequests, looking: Looking) -> Shown:
    """List who asked for a shield, and what was decided. For the responsible authority; itself an access."""
    asked = {"what": "shield-requests", "subject": command.child_id}
    grant = grant_for(command, "shield-reviews", looking, {"subject": command.child_id})
    reach = looking.trail.reach()
    facts = managed_record(command.child_id, looking, grant)
    if facts is None:
        put_on_record(
            grant, command, looking, "shield-reviews", ListRead, asked, [], {}, "nothing-to-show",
            used=reach.used(),
        )  # fmt: skip
        raise NotFound(NOT_FOUND, field="child")
    page = shield_requests_page(facts)
    put_on_record(
        grant, command, looking, "shield-reviews", ListRead, {**asked, "listed": [(facts.child_id, facts.version)]},
        [], page, "shield-reviews-permitted", used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def shield_requests_page(facts: RecordFacts) -> dict[str, Any]:
    """Who asked for a shield on a record, and what was decided, as its managers see it."""
    standing = {one.shield for one in facts.shields}
    return {
        "requests": [
            {
                "request": str(one.request),
                "requester": one.requester,
                "verified": one.verified,
                "ground": one.ground,
                "received_on": one.received_on.isoformat(),
                "state": {None: "interim", True: "granted", False: "refused"}[one.granted],
                "decided_on": one.decided_on.isoformat() if one.decided_on else None,
                "reason": one.reason,
                "consulted": list(one.consulted),
                "stands": one.shield in standing,
            }
            for one in facts.shield_requests
        ],
        "lift_on": facts.lift.effective_on.isoformat() if facts.lift else None,
    }


def read_siblings(command: ReadSiblings, looking: Looking) -> Shown:
    """List who may be a brother or sister of a shielded child, because where they live may be where it is (T38).

    For the responsible authority, whose decision it is to shield them as well: nothing is shielded by itself, and
    nothing of this list is kept. A hit of the access for each who is shown. Those a shield hides are not on it.
    """
    asked = {"what": "siblings", "subject": command.child_id}
    grant = grant_for(command, "shield-reviews", looking, {"subject": command.child_id})
    gate = gate_for(looking, grant)
    for _ in range(RENDERINGS):
        reach = looking.trail.reach()
        facts = managed_record(command.child_id, looking, grant)
        if facts is None or not facts.shielded:
            put_on_record(
                grant, command, looking, "shield-reviews", ListRead, asked, [], {}, "nothing-to-show",
                used=reach.used(),
            )  # fmt: skip
            raise NotFound("Your authority has no shielded record of this number.", field="child")
        displays = [
            display
            for other in looking.team.neighbours(grant, facts)
            if gate.opens(other, grant.viewer)
            and (shown := listed(looking.rules, RENDERER, other, rendered_for(grant), grant.instant))
            is not None
            and (display := sibling(facts, other, shown, looking)) is not None
        ]
        page = {"siblings": [display.record for display in displays]}
        put_on_record(
            grant, command, looking, "shield-reviews", ListRead,
            {**asked, "listed": [(facts.child_id, facts.version)]},
            displays, page, "shield-reviews-permitted", used=reach.used(),
        )  # fmt: skip
        if nothing_moved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def sibling(facts: RecordFacts, other: RecordFacts, shown: Disclosed, looking: Looking) -> Rendered | None:
    """Another child as listed, with what it shares with this one; None where that is nothing."""
    shared = ["address"] if looking.team.same_address(facts, other) else []
    shared += ["carers"] if {one.name for one in facts.carers} & {one.name for one in other.carers} else []
    if not shared:
        return None
    return Rendered(other.child_id, other.version, shown.mask, {**shown.record, "shared": shared})


def read_transfer(command: ReadTransfer, looking: Looking) -> Shown:
    """See the open offer of a record, as one of the two authorities; to any other there is no such record."""
    asked = {"what": "transfer", "subject": command.child_id}
    grant = grant_for(command, "transfer-record", looking, {"subject": command.child_id})
    reach = looking.trail.reach()
    facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
    found = facts.transfer if facts is not None else None
    if facts is None or found is None or grant.viewer.body not in (found.authority, found.to):
        put_on_record(
            grant, command, looking, "transfer-record", ListRead, asked, [], {}, "nothing-to-show",
            used=reach.used(),
        )  # fmt: skip
        raise NotFound("No offer of this record is open to your authority or by it.", field="child")
    page = transfer_page(found)
    put_on_record(
        grant, command, looking, "transfer-record", ListRead, {**asked, "listed": [(facts.child_id, facts.version)]},
        [], page, "transfer-permitted", used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def transfer_page(offer: Transfer) -> dict[str, Any]:
    """An offer of a record, as the two authorities see it."""
    return {"from": offer.authority, "to": offer.to, "offered_at": offer.offered_at.isoformat()}


def read_wrong_views(command: ReadWrongViews, looking: Looking) -> Shown:
    """List the accounts that were shown a record while it was of two children. Itself an access."""
    asked = {"what": "wrong-views", "subject": command.child_id, "since": command.since}
    grant = grant_for(command, "split-record", looking, {"subject": command.child_id})
    reach = looking.trail.reach()
    page = wrong_views_page(command.child_id, command.since, reach, looking, grant)
    put_on_record(
        grant,
        command,
        looking,
        "split-record",
        ListRead,
        asked,
        [],
        page,
        "split-permitted",
        used=reach.used(),
    )
    return Shown(grant.access_id, page)


def wrong_views_page(
    child_id: UUID, since: datetime, reach: Reach, looking: Looking, grant: AccessGrant
) -> dict[str, Any]:
    """Which accounts were shown a record since an instant, and how often, as far as a reach."""
    chosen = TrailFilter(since=since, outcome="granted")
    pages = reach._replace(limit=_WRONG_VIEWS)
    looks: Counter[str] = Counter()
    while True:
        entries, following = looking.trail.who_saw(grant, child_id, chosen, pages)
        looks.update(entry["account"] for entry in entries if entry["shown"])
        if following is None:
            break
        chosen = chosen.model_copy(update={"after": following})
    return {"told": [{"account": account, "looks": looks[account]} for account in sorted(looks)]}


def read_contact(command: ReadContact, looking: Looking) -> Shown:
    """What came of a request for contact, for whoever made it and nobody else. Itself an access.

    A service that declined and one that never answered give the same bytes, and the same is read to make them.
    """
    asked = {"what": "contact", "subject": command.child_id, "request": command.request}
    grant = grant_for(command, "ask-contact", looking, {"subject": command.child_id})
    for _ in range(RENDERINGS):
        reach = looking.trail.reach()
        gate, facts = gate_for(looking, grant), looking.team.opened(grant, command.child_id)
        requests = facts.contacts if facts is not None and _in_sight(facts, looking, grant, gate) else ()
        found = next((one for one in requests if one.request == command.request), None)
        if facts is None or found is None or found.asked_by != looking.viewer.account:
            put_on_record(
                grant,
                command,
                looking,
                "ask-contact",
                ListRead,
                asked,
                [],
                {},
                "nothing-to-show",
                used=(*gate.used, *reach.used()),
            )
            raise NotFound("No request of yours can be shown to you.", field="request")
        display = contact_answered(found, facts, london_day(command.at))
        put_on_record(
            grant,
            command,
            looking,
            "ask-contact",
            ListRead,
            asked,
            [display],
            display.record,
            "ask-contact-permitted",
            used=(*gate.used, *reach.used()),
        )
        if nothing_moved(looking, [display]):
            return Shown(grant.access_id, display.record)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def contact_answered(request: ContactRequest, facts: RecordFacts, today: date) -> Rendered:
    """What came of a request for contact, as whoever made it is told."""
    told = brokering.answer_to(request, facts.involvements, today)
    page = {
        "state": told.state,
        "asked_on": told.asked_on.isoformat(),
        "closes_on": told.closes_on.isoformat(),
        "disclosed": told.disclosed,
    }
    return Rendered(facts.child_id, facts.version, mask_of(()), page)


def _in_sight(facts: RecordFacts, looking: Looking, grant: AccessGrant, gate: Gate) -> bool:
    """Whether the viewer may see this record at all, in whichever way: not one that is archived, or not open yet."""
    shown = disclosed(looking.rules, RENDERER, facts, rendered_for(grant), grant.instant)
    return shown is not None and gate.opens(facts, grant.viewer)


def list_contacts(command: ListContacts, looking: Looking) -> Shown:
    """List the open requests for contact in the records of the viewer's authority. Itself an access to each of them."""
    grant = grant_for(command, "broker-contact", looking, {})
    today, reach = london_day(command.at), looking.trail.reach()
    opened = (looking.team.opened(grant, child_id) for child_id in looking.team.asked(grant))
    listed, more = _managed_entries(
        command, looking, grant, filter(None, opened), lambda facts: contacts_of(facts, today)
    )
    page = children_page(listed, more=more)
    put_on_record(
        grant,
        command,
        looking,
        "broker-contact",
        ListRead,
        {"what": "contacts"},
        listed,
        page,
        "broker-contact-permitted",
        more=more,
        used=reach.used(),
    )
    return Shown(grant.access_id, page)


def contacts_of(facts: RecordFacts, today: date) -> Rendered | None:
    """A record with the requests for contact in it that are open; None where none is."""
    requests = [_contact_listed(one) for one in facts.contacts if today < one.closes_on]
    if not requests:
        return None
    entry = {"child_id": str(facts.child_id), "number": facts.index_number, "requests": requests}
    return Rendered(facts.child_id, facts.version, mask_of(()), entry)


def children_page(displays: Iterable[Rendered], *, more: bool) -> dict[str, Any]:
    """A list of records in which something is to be done."""
    return {"children": [one.record for one in displays], "more": more}


def _contact_listed(request: ContactRequest) -> dict[str, Any]:
    return {
        "request": str(request.request),
        "account": str(request.asked_by),
        "contact": {"telephone": request.contact.telephone, "email": request.contact.email},
        "asked_on": request.asked_on.isoformat(),
        "closes_on": request.closes_on.isoformat(),
        "passed_on_to": str(request.involvement) if request.involvement else None,
        "answer": None if request.accepted is None else "accepted" if request.accepted else "declined",
    }


def list_overrides(command: ReadOverrides, looking: Looking) -> Shown:
    """List who looked behind the shields of records that the viewer's authority manages (T36). An access to each.

    Whoever manages none is told of none, and no record is opened for them.
    """
    grant = grant_for(command, "investigate", looking, {})
    since, until = between(command.since, command.until)
    reach = looking.trail.reach()
    found = (
        overrides_by_child(looking.trail.overrides(grant, since, until, OVERRIDES_READ + 1, reach))
        if looking.rules.role_sees(grant.viewer.role, "manager")
        else Overrides({})
    )
    records = (managed_record(child_id, looking, grant) for child_id in found.looks)
    listed, more = _managed_entries(
        command,
        looking,
        grant,
        filter(None, records),
        lambda facts: overrides_of(facts, found.looks[facts.child_id], reach, looking.rules, looking.staff),
    )
    more = more or found.oldest is not None
    page = children_page(listed, more=more)
    put_on_record(
        grant,
        command,
        looking,
        "investigate",
        ListRead,
        {"what": "overrides", "since": found.oldest or since, "until": until},
        listed,
        page,
        "investigate-permitted",
        more=more,
        used=reach.used(),
    )
    return Shown(grant.access_id, page)


@dataclass(frozen=True, slots=True)
class Overrides:
    """Looks behind shields by child, the child of the newest first.

    oldest: when the last of them was, where there are older ones; what is read again is read from there on, so that
    none of these takes the place of one that is destroyed.
    """

    looks: dict[UUID, list[LookBehind]]
    oldest: datetime | None = None


def overrides_by_child(found: Sequence[LookBehind]) -> Overrides:
    """What was found (one more than are gone through, where there are more)."""
    looks: dict[UUID, list[LookBehind]] = {}
    for look in found[:OVERRIDES_READ]:
        looks.setdefault(look.child_id, []).append(look)
    return Overrides(looks, found[OVERRIDES_READ - 1].at if len(found) > OVERRIDES_READ else None)


def overrides_of(
    facts: RecordFacts, looks: Sequence[LookBehind], reach: Reach, rules: RuleSet, staff: StaffActs
) -> Rendered:
    """A record with who looked behind its shield, the newest first."""
    entry = {
        "child_id": str(facts.child_id),
        "number": facts.index_number,
        "overrides": staff.overrides(looks, reach, rules),
    }
    return Rendered(facts.child_id, facts.version, mask_of(()), entry)


def list_sensitive_due(command: ListSensitiveDue, looking: Looking) -> Shown:
    """List which children to ask afresh and which causes to review, by a day. Itself an access to each record.

    Reads every record, because no list of who uses a sensitive service is kept. Of a shielded child it tells nothing:
    its managers see the same days when they open its record.
    """
    grant = grant_for(command, "sensitive-due", looking, {})
    reach = looking.trail.reach()
    listed, more = _managed_entries(
        command,
        looking,
        grant,
        looking.team.with_sensitive(grant),
        lambda facts: sensitive_due_of(facts, command.on, looking.rules),
    )
    page = children_page(listed, more=more)
    put_on_record(
        grant,
        command,
        looking,
        "sensitive-due",
        ListRead,
        {"what": "sensitive-due", "on": command.on},
        listed,
        page,
        "sensitive-due-permitted",
        more=more,
        used=reach.used(),
    )
    return Shown(grant.access_id, page)


def sensitive_due_of(facts: RecordFacts, on: date, rules: RuleSet) -> Rendered | None:
    """A record with what is to be done about its sensitive services by a day; None where nothing is."""
    due = sorted(
        (task.on, task.what, str(one.involvement))
        for one, task in sensitive.tasks(facts, rules)
        if task.on <= on
    )
    if not due:
        return None
    entry = {
        "child_id": str(facts.child_id),
        "number": facts.index_number,
        "due": [{"task": what, "on": day.isoformat(), "involvement": which} for day, what, which in due],
    }
    return Rendered(facts.child_id, facts.version, mask_of(("sensitive_involvements",)), entry)


def _managed_entries(
    command: ListContacts | ListSensitiveDue | ReadOverrides,
    looking: Looking,
    grant: AccessGrant,
    found: Iterable[RecordFacts],
    entry_of: Callable[[RecordFacts], Rendered | None],
) -> tuple[list[Rendered], bool]:
    """The entries of the records that the viewer manages, as many as are asked for; and whether there are more."""
    entries = (entry for facts in found if (entry := entry_of(facts)) and manages(facts, looking, grant))
    listed = list(islice(entries, command.limit + 1))
    return listed[: command.limit], len(listed) > command.limit
