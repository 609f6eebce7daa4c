"""What a local team, and whoever manages a record, is shown beside it: reviews, requests, siblings, contacts."""

from collections import Counter
from dataclasses import replace
from typing import Any

from domain.access.commands import (
    ListContacts,
    ListSensitiveDue,
    ReadContact,
    ReadReviews,
    ReadShieldRequests,
    ReadSiblings,
    ReadTransfer,
    ReadWrongViews,
)
from domain.access.events import AuditRead, TrailFilter
from domain.access.go_live import Gate
from domain.access.letting_in import grant_for
from domain.access.model import AccessGrant
from domain.access.ports import Looking
from domain.access.showing import (
    NOT_FOUND,
    RENDERINGS,
    Rendered,
    Shown,
    gate_for,
    managed_record,
    nothing_moved,
    put_on_record,
    rendered_for,
)
from domain.child_record import brokering, sensitive
from domain.child_record.model import ContactRequest
from domain.disclosure import RENDERER, RecordFacts, disclosed, listed, mask_of
from domain.errors import AuditUnavailable, NotFound
from domain.policy.retention import london_day

_WRONG_VIEWS = 500

_REVIEWS = 200
"""Records that one list of reviews opens at most."""


def read_reviews(command: ReadReviews, looking: Looking) -> Shown:
    """List whose shields are to be looked at again. Itself an access.

    An authority's managers see those of its own records; whoever manages none, those that are overdue, wherever.
    """
    grant = grant_for(command, "shield-reviews", looking, {})
    manages = looking.rules.role_sees(looking.viewer.role, "manager")
    today = london_day(command.at)
    entries: list[dict[str, Any]] = []
    found = looking.trail.reviews(grant, command.on, _REVIEWS + 1)
    for child_id, on in found[:_REVIEWS]:
        number = None
        if manages:
            facts = looking.records.facts(grant, [child_id]).get(child_id)
            if facts is None or facts.authority != looking.viewer.body:
                continue
            number = facts.index_number
        elif on >= today:
            continue
        overdue = max((today - on).days, 0)
        entry = {"child_id": str(child_id), "review_on": on.isoformat(), "overdue_days": overdue}
        entries.append(entry | ({"number": number} if number else {}))
    page = {"reviews": entries, "more": len(found) > _REVIEWS}
    put_on_record(
        grant, command, looking, "shield-reviews", AuditRead, {}, [], page, "shield-reviews-permitted",
        more=len(found) > _REVIEWS,
    )  # fmt: skip
    return Shown(grant.access_id, page)


def read_shield_requests(command: ReadShieldRequests, looking: Looking) -> Shown:
    """List who asked for a shield, and what was decided. For the responsible authority; itself an access."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "shield-reviews", looking, asked)
    facts = managed_record(command.child_id, looking, grant)
    if facts is None:
        put_on_record(grant, command, looking, "shield-reviews", AuditRead, asked, [], {}, "nothing-to-show")
        raise NotFound(NOT_FOUND, field="child")
    standing = {one.shield for one in facts.shields}
    page = {
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
    put_on_record(
        grant, command, looking, "shield-reviews", AuditRead, asked, [], page, "shield-reviews-permitted"
    )
    return Shown(grant.access_id, page)


def read_siblings(command: ReadSiblings, looking: Looking) -> Shown:
    """List who may be a brother or sister of a shielded child, because where they live may be where it is (T38).

    For the responsible authority, whose decision it is to shield them as well: nothing is shielded by itself, and
    nothing of this list is kept. A hit of the access for each who is shown. Those a shield hides are not on it.
    """
    asked = {"subject": command.child_id}
    grant = grant_for(command, "shield-reviews", looking, asked)
    gate = gate_for(looking, grant)
    for _ in range(RENDERINGS):
        facts = managed_record(command.child_id, looking, grant)
        if facts is None or not facts.shielded:
            put_on_record(
                grant, command, looking, "shield-reviews", AuditRead, asked, [], {}, "nothing-to-show"
            )
            raise NotFound("Your authority has no shielded record of this number.", field="child")
        carers = {carer.name for carer in facts.carers}
        displays: list[Rendered] = []
        for other, same_address in looking.team.neighbours(grant, facts):
            shared = ["address"] if same_address else []
            shared += ["carers"] if carers & {carer.name for carer in other.carers} else []
            shown = listed(looking.rules, RENDERER, other, rendered_for(grant), grant.instant)
            if shared and shown is not None and gate.opens(other, grant.viewer):
                record = {**shown.record, "shared": shared}
                displays.append(Rendered(other.child_id, other.version, shown.mask, record))
        page = {"siblings": [display.record for display in displays]}
        put_on_record(
            grant, command, looking, "shield-reviews", AuditRead, asked, displays, page, "shield-reviews-permitted"
        )  # fmt: skip
        if nothing_moved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def read_transfer(command: ReadTransfer, looking: Looking) -> Shown:
    """See the open offer of a record, as one of the two authorities; to any other there is no such record."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "transfer-record", looking, asked)
    facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
    found = facts.transfer if facts is not None else None
    if found is None or grant.viewer.body not in (found.authority, found.to):
        put_on_record(grant, command, looking, "transfer-record", AuditRead, asked, [], {}, "nothing-to-show")
        raise NotFound("No offer of this record is open to your authority or by it.", field="child")
    page = {
        "from": found.authority,
        "to": found.to,
        "offered_at": found.offered_at.isoformat(),
    }
    put_on_record(
        grant, command, looking, "transfer-record", AuditRead, asked, [], page, "transfer-permitted"
    )
    return Shown(grant.access_id, page)


def read_wrong_views(command: ReadWrongViews, looking: Looking) -> Shown:
    """List the accounts that were shown a record while it was of two children. Itself an access."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "split-record", looking, asked)
    chosen = TrailFilter(since=command.since, outcome="granted")
    reach = looking.trail.reach()._replace(limit=_WRONG_VIEWS)
    looks: Counter[str] = Counter()
    while True:
        entries, following = looking.trail.who_saw(grant, command.child_id, chosen, reach)
        looks.update(entry["account"] for entry in entries if entry["shown"])
        if following is None:
            break
        chosen = chosen.model_copy(update={"after": following})
    page = {"told": [{"account": account, "looks": looks[account]} for account in sorted(looks)]}
    put_on_record(grant, command, looking, "split-record", AuditRead, asked, [], page, "split-permitted")
    return Shown(grant.access_id, page)


def read_contact(command: ReadContact, looking: Looking) -> Shown:
    """What came of a request for contact, for whoever made it and nobody else. Itself an access.

    A service that declined and one that never answered give the same bytes, and the same is read to make them.
    """
    asked = {"subject": command.child_id}
    grant = grant_for(command, "ask-contact", looking, asked)
    for _ in range(RENDERINGS):
        gate, facts = gate_for(looking, grant), looking.team.opened(grant, command.child_id)
        requests = facts.contacts if facts is not None and _in_sight(facts, looking, grant, gate) else ()
        found = next((one for one in requests if one.request == command.request), None)
        if facts is None or found is None or found.asked_by != looking.viewer.account:
            put_on_record(
                grant,
                command,
                looking,
                "ask-contact",
                AuditRead,
                asked,
                [],
                {},
                "nothing-to-show",
                used=gate.used,
            )
            raise NotFound("No request of yours can be shown to you.", field="request")
        told = brokering.answer_to(found, facts.involvements, london_day(command.at))
        page = {
            "state": told.state,
            "asked_on": told.asked_on.isoformat(),
            "closes_on": told.closes_on.isoformat(),
            "disclosed": told.disclosed,
        }
        display = Rendered(command.child_id, facts.version, mask_of(()), page)
        put_on_record(
            grant,
            command,
            looking,
            "ask-contact",
            AuditRead,
            asked,
            [display],
            page,
            "ask-contact-permitted",
            used=gate.used,
        )
        if nothing_moved(looking, [display]):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def _in_sight(facts: RecordFacts, looking: Looking, grant: AccessGrant, gate: Gate) -> bool:
    """Whether the viewer may see this record at all, in whichever way: not one that is archived, or not open yet."""
    shown = disclosed(looking.rules, RENDERER, facts, rendered_for(grant), grant.instant)
    return shown is not None and gate.opens(facts, grant.viewer)


def list_contacts(command: ListContacts, looking: Looking) -> Shown:
    """List the open requests for contact in the records of the viewer's authority. Itself an access to each of them."""
    grant = grant_for(command, "broker-contact", looking, {})
    today = london_day(command.at)
    listed: list[Rendered] = []
    more = False
    for child_id in looking.team.asked(grant):
        facts = looking.team.opened(grant, child_id)
        if facts is None or not _manages(facts, looking, grant):
            continue
        requests = [_contact_listed(one) for one in facts.contacts if today < one.closes_on]
        if not requests:
            continue
        if len(listed) == command.limit:
            more = True
            break
        entry = {"child_id": str(child_id), "number": facts.index_number, "requests": requests}
        listed.append(Rendered(child_id, facts.version, mask_of(()), entry))
    page = {"children": [one.record for one in listed], "more": more}
    put_on_record(
        grant,
        command,
        looking,
        "broker-contact",
        AuditRead,
        {},
        listed,
        page,
        "broker-contact-permitted",
        more=more,
    )
    return Shown(grant.access_id, page)


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


def list_sensitive_due(command: ListSensitiveDue, looking: Looking) -> Shown:
    """List which children to ask afresh and which causes to review, by a day. Itself an access to each record.

    Reads every record, because no list of who uses a sensitive service is kept. Of a shielded child it tells nothing:
    its managers see the same days when they open its record.
    """
    grant = grant_for(command, "sensitive-due", looking, {})
    listed: list[Rendered] = []
    more = False
    for facts in looking.team.with_sensitive(grant):
        due = sorted(
            (task.on, task.what, str(one.involvement))
            for one, task in sensitive.tasks(facts, looking.rules)
            if task.on <= command.on
        )
        if not due or not _manages(facts, looking, grant):
            continue
        if len(listed) == command.limit:
            more = True
            break
        entry = {
            "child_id": str(facts.child_id),
            "number": facts.index_number,
            "due": [{"task": what, "on": on.isoformat(), "involvement": which} for on, what, which in due],
        }
        listed.append(Rendered(facts.child_id, facts.version, mask_of(("sensitive_involvements",)), entry))
    page = {"children": [one.record for one in listed], "more": more}
    put_on_record(
        grant,
        command,
        looking,
        "sensitive-due",
        AuditRead,
        {},
        listed,
        page,
        "sensitive-due-permitted",
        more=more,
    )
    return Shown(grant.access_id, page)


def _manages(facts: RecordFacts, looking: Looking, grant: AccessGrant) -> bool:
    """Whether the viewer manages this record for the responsible authority."""
    shown = disclosed(looking.rules, RENDERER, facts, rendered_for(grant), grant.instant)
    return shown is not None and shown.sight == "manager"
