"""Replies to a child, a carer or an adult about what is held of them and who looked (UK GDPR article 15)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from domain.access.commands import ReadSubjectRequests, ReplyToAdult, ReplyToSubject
from domain.access.events import ListRead, SubjectReplied, SubjectReplyProposed
from domain.access.letting_in import grant_for, record_refusal
from domain.access.model import AccessGrant
from domain.access.ports import Looking
from domain.access.reach import Reach
from domain.access.showing import (
    NOT_FOUND,
    RENDERINGS,
    Rendered,
    Shown,
    managed_record,
    must_stand_as_shown,
    nothing_moved,
    put_on_record,
)
from domain.child_record import subject_access
from domain.child_record.events import Carer
from domain.disclosure import RecordFacts, canonical, mask_of, shown_carer
from domain.errors import AccessDenied, AuditUnavailable, BadInput, NotFound, Refused
from domain.policy.retention import london_day, months_after
from domain.policy.subject_access import (
    ACCESS,
    LookAt,
    Origin,
    Reply,
    SubjectRequest,
    exemptions_of,
    reply_to,
    requester_of,
)
from domain.rule_set.model import RuleSet


@dataclass(frozen=True, slots=True)
class Replied:
    """What may now leave, and what the authority keeps: how every look at the child was accounted for."""

    access_id: UUID
    reply: dict[str, Any]
    account: dict[str, int]


def read_subject_requests(command: ReadSubjectRequests, looking: Looking) -> Shown:
    """List the requests to know who looked, with their clocks. For the responsible authority; itself an access."""
    asked = {"what": "subject-requests", "subject": command.child_id}
    grant = grant_for(command, "subject-access", looking, {"subject": command.child_id})
    reach = looking.trail.reach()
    facts = managed_record(command.child_id, looking, grant)
    if facts is None:
        put_on_record(
            grant, command, looking, "subject-access", ListRead, asked, [], {}, "nothing-to-show",
            used=reach.used(),
        )  # fmt: skip
        raise NotFound(NOT_FOUND, field="child")
    page = subject_requests_page(facts, london_day(command.at), looking.rules)
    put_on_record(
        grant, command, looking, "subject-access", ListRead, {**asked, "listed": [(facts.child_id, facts.version)]},
        [], page, "subject-access-permitted", used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def subject_requests_page(facts: RecordFacts, today: date, rules: RuleSet) -> dict[str, Any]:
    """The requests to know who looked at a record, with their clocks, as its managers see them."""
    return {"requests": [_clock(request, today, rules) for request in facts.requests]}


def reply_to_subject(command: ReplyToSubject, looking: Looking, *, proposing: bool = False) -> Replied:
    """Tell whoever asked who looked at the record, as the rules allow and as was decided (UK GDPR Art 15; T51, T52).

    Raises NotFound where the authority is not responsible; Refused (`no-such-request`, `paused`, `record-changed`),
    BadInput (`decision-needed`, `unknown-exemption`), AccessDenied (`two-people-needed`): on record before they are
    told. proposing: it is shown to one of two people, and is not given.
    """
    event_class, rule = (
        (SubjectReplyProposed, "subject-reply-proposed")
        if proposing
        else (SubjectReplied, "subject-access-permitted")
    )
    asked = {"child": command.child_id, "request": command.request, "withheld": command.withheld or ()}
    grant = grant_for(command, "subject-access", looking, {"subject": command.child_id})
    for _ in range(RENDERINGS):
        facts = managed_record(command.child_id, looking, grant)
        if facts is None:
            put_on_record(
                grant, command, looking, "subject-access", event_class, asked, [], {}, "nothing-to-show"
            )
            raise NotFound(NOT_FOUND, field="child")
        must_stand_as_shown(command, "subject-access", facts, looking)
        try:
            request = _answerable(command, facts, looking.rules, alone=not proposing)
        except BadInput:
            raise
        except Refused as refused:
            record_refusal(command, "subject-access", looking, refused.code, command.child_id)
            raise
        reach = looking.trail.reach()
        looks = looks_at(facts, reach, looking, grant)
        reply, page = answer(request, facts, looks, command.withheld or (), command.at, looking.rules)
        display = Rendered(command.child_id, facts.version, mask_of(()), page)
        asked["requester"] = request.requester
        put_on_record(
            grant,
            command,
            looking,
            "subject-access",
            event_class,
            asked,
            [display],
            page,
            rule,
            used=reach.used(),
        )
        if nothing_moved(looking, [display]):
            return Replied(grant.access_id, page, dict(reply.account))
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def answer(
    request: SubjectRequest,
    facts: RecordFacts,
    looks: Sequence[LookAt],
    withheld: Sequence[str],
    at: datetime,
    rules: RuleSet,
) -> tuple[Reply, dict[str, Any]]:
    """What may be told in answer to a request, and the page of it that leaves."""
    reply = reply_to(
        request.requester,
        looks,
        [Origin(field, *facts.held[key][:2]) for field, key in _ORIGINS.items() if key in facts.held],
        rules,
        shielded=facts.shielded,
        withheld=withheld,
    )
    answered = {**_clock(request, london_day(at), rules), **reply.display}
    return reply, {name: value for name, value in answered.items() if name not in _OF_THE_AUTHORITY}


def reply_to_adult(command: ReplyToAdult, looking: Looking) -> Shown:
    """Tell an adult in which records they are named, and with what; nothing of anybody else (T58).

    A record is theirs where it names them and something else they gave agrees. Raises BadInput where they gave nothing.
    """
    if not any((command.adult.postcode, command.adult.telephone, command.adult.email, command.adult.number)):
        raise BadInput(
            "A name alone is of many people: give a postcode, telephone, e-mail or index number, too.",
            code="not-told-apart",
            field="postcode",
        )
    if command.received_on > london_day(command.at):
        raise BadInput("This day has not come yet.", code="date-in-future", field="received")
    asked = {"adult": command.adult}
    grant = grant_for(command, "subject-access", looking, {})
    for _ in range(RENDERINGS):
        found, more = looking.adults.naming(grant, command.adult, command.limit)
        page, displays = entries_of(found, command.received_on, looking.rules)
        put_on_record(
            grant,
            command,
            looking,
            "subject-access",
            SubjectReplied,
            asked,
            displays,
            page,
            "subject-access-permitted",
            more=more,
            used=Reach(0, 0, command.limit, command.received_on.toordinal()).used(),
        )
        if nothing_moved(looking, displays):
            return Shown(grant.access_id, {**page, "more": more})
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def entries_of(
    found: Sequence[tuple[RecordFacts, Carer]], received_on: date, rules: RuleSet
) -> tuple[dict[str, Any], list[Rendered]]:
    """What an adult is told of the records that name them, and each of these as a display of this access."""
    displays = [
        Rendered(
            facts.child_id, facts.version, mask_of(("carers", "sources")), _entry_of(facts, carer, rules)
        )
        for facts, carer in found
    ]
    page = {
        "received_on": received_on.isoformat(),
        "answer_by": months_after(received_on, rules.subject_access.months).isoformat(),
        "entries": sorted((display.record for display in displays), key=canonical),
        "statement": rules.subject_access.statement,
    }
    return page, displays


_ORIGINS: Final = {
    "name": "name",
    "date_of_birth": "date_of_birth",
    "gender": "gender",
    "address": "whereabouts",
    "carers": "carers",
    "education": "education",
    "general_practice": "practice",
}
"""Field of a display → the name its provenance is kept under."""

_OF_THE_AUTHORITY: Final = frozenset(
    {"request", "basis", "right", "withheld", "reasons", "state", "paused_for"}
)
"""What of a request's state is for the authority, and in no reply."""


def looks_at(facts: RecordFacts, reach: Reach, looking: Looking, grant: AccessGrant) -> list[LookAt]:
    """Every look at a record, and at those that were found to be of the same child, as the logs were at a reach."""
    return [
        look
        for one in (facts.child_id, *_absorbed(facts, looking, grant))
        for look in looking.trail.looks_at(grant, one, reach)
    ]


def _absorbed(facts: RecordFacts, looking: Looking, grant: AccessGrant) -> Iterator[UUID]:
    """Those records. Of what a record that was split had absorbed it is not asked which child it was of."""
    for one, closed in looking.records.facts(grant, facts.absorbed).items():
        yield one
        if not closed.was_split:
            yield from _absorbed(closed, looking, grant)


def _answerable(
    command: ReplyToSubject, facts: RecordFacts, rules: RuleSet, *, alone: bool
) -> SubjectRequest:
    """The request, if it may be answered as was decided. alone: by whoever decided, unless another confirmed it."""
    request = next((one for one in facts.requests if one.request == command.request), None)
    if request is None or request.answered_on is not None:
        raise subject_access.no_such_request()
    if request.right != ACCESS:
        raise subject_access.not_for_access()
    if request.paused_for is not None:
        raise subject_access.paused()
    exemptions_of(request.requester, command.withheld or (), rules)
    if requester_of(request.requester, rules).guarded and command.withheld is None:
        raise BadInput(
            "Decide first: --withhold EXEMPTION, or --withhold-nothing.",
            code="decision-needed",
            field="withhold",
        )
    # Whoever asks: what a child or an advocate is told may reach those whom it is to be kept from.
    if (facts.shielded or facts.new_identity) and alone and command.confirmed_by is None:
        raise AccessDenied(
            "The child is shielded or has a new identity: two people decide, --as one and --with another, or one by "
            "--propose.",
            code="two-people-needed",
        )
    return request


def _clock(request: SubjectRequest, today: date, rules: RuleSet) -> dict[str, Any]:
    """A request and how its clock stands on a day."""
    answer_by = request.answer_by(rules)
    state = "answered" if request.answered_on else "paused" if answer_by is None else "open"
    late = state == "open" and answer_by is not None and today > answer_by
    return {
        "request": str(request.request),
        "right": request.right,
        "for": request.requester,
        "basis": request.basis,
        "received_on": request.received_on.isoformat(),
        "pauses": [
            {"for": why, "since": since.isoformat(), "until": until.isoformat() if until else None}
            for why, since, until in request.pauses
        ],
        "paused_for": request.paused_for,
        "answer_by": answer_by.isoformat() if answer_by else None,
        "state": "overdue" if late else state,
        "withheld": list(request.withheld),
        "reasons": list(request.reasons),
    }


def _entry_of(facts: RecordFacts, carer: Carer, rules: RuleSet) -> dict[str, Any]:
    """What one record says of the adult. Nothing of the child, nor of where it is, nor of anybody else."""
    held = facts.held.get("carers")
    names = rules.subject_access.sources
    return {
        **shown_carer(carer),
        "from": names.get(held.source_kind, str(held.source_kind)) if held else None,
        "since": held.since.isoformat() if held else None,
    }
