"""Showing an access again, exactly as it was displayed, and beside what other rules would have shown.

A display is a pure function of what its access recorded: versions, the viewer's facts, the instant, the rules, and how
far the logs were read. So it is rendered again and compared with its digests; nothing of a display was stored.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from domain.access.commands import Look, ReplayAccess, TryPolicy
from domain.access.events import (
    AccessesExported,
    Action,
    AdultSought,
    ArchiveProposed,
    AuditRead,
    Hit,
    ListRead,
    Looked,
    LookForgotten,
    PolicyTried,
    QueueRead,
    RecordShownAsOf,
    SubjectReplied,
    TrailRead,
)
from domain.access.handlers import as_then, export_page, trail_page
from domain.access.letting_in import append_access, grant_for, record_refusal
from domain.access.model import Access, AccessGrant
from domain.access.past import (
    Past,
    destroyed,
    nothing_displayed,
    refuse_destroyed,
    too_little_kept,
    two_people_needed,
    viewer_of,
    words_forgotten,
)
from domain.access.ports import Looking
from domain.access.queue import queue_page, reviewed
from domain.access.reach import Reach
from domain.access.relisting import Again, listed_again
from domain.access.replying import answer, entries_of, looks_at
from domain.access.showing import Rendered, chosen_fields
from domain.child_record.events import Carer
from domain.disclosure import (
    Disclosed,
    RecordFacts,
    canonical,
    disclosed,
    fields_of,
    listed,
    looking_for,
    mask_of,
    unarchived,
)
from domain.errors import NotFound, Refused
from domain.personal_data import Forgotten
from domain.rule_set.model import Right, RuleSet
from domain.supply.model import HeldRecord

OF_RECORDS: Final[frozenset[Action]] = frozenset({"search", "show", "override", "hand-over", "open-archive"})
"""Actions that display records, whose hits are rendered one by one."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """An access shown again."""

    access_id: UUID
    as_displayed: dict[str, Any]
    digest_matches: bool
    policy: str
    instant: datetime
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """An access shown again, and what another rule set would have shown otherwise of each child.

    permitted: whether the role may do that for that reason under the other rules.
    """

    access_id: UUID
    as_displayed: dict[str, Any]
    digest_matches: bool
    policy: str
    other: str
    instant: datetime
    permitted: bool
    differs: tuple[dict[str, Any], ...]


def replay(command: ReplayAccess, looking: Looking) -> Replayed:
    """Show an access again from the versions, the viewer's facts and the rules it was recorded with (D12).

    Renders the recorded hits, it does not search again; a page of a trail is read as far as the logs went then. Raises
    AccessDenied where whereabouts shielded since would be shown and no second person confirmed, Refused where the
    content was destroyed or nothing was displayed that can be shown again, NotFound for an unknown access.
    """
    grant = grant_for(command, "replay", looking, {"subject": command.replayed})
    with _refusals_recorded(command, "replay", looking, command.replayed):
        was = _displayed(command.replayed, looking)
        displays, page, matches = _shown_again(was, looking, grant)
    asked = {"subject": command.replayed}
    _put_on_record(grant, command, looking, "replay", AuditRead, asked, displays, page)
    event = was.event
    rules = tuple(dict.fromkeys([event.rule, *(hit.mask for hit in event.hits)]))
    return Replayed(grant.access_id, page, matches, event.rule_set, event.instant, rules)


def try_policy(command: TryPolicy, other: RuleSet, looking: Looking) -> Tried:
    """Show an access beside what it would have shown under another rule set, field by field and by which rule.

    The same versions, viewer and instant; the recorded hits, not another search. A value that nobody was shown is not
    shown now: of what the other rules would show besides only the names of the fields are told. Raises as `replay`.
    """
    grant = grant_for(command, "what-would", looking, {"subject": command.replayed})
    with _refusals_recorded(command, "what-would", looking, command.replayed):
        was = _displayed(command.replayed, looking)
        if was.event.action not in OF_RECORDS:
            raise Refused(
                "Only what displayed records is tried under other rules: a search, a record.",
                code="no-record-displayed",
            )
        displays, page, matches = _shown_again(was, looking, grant)
    event = was.event
    permitted, differs = _under_other_rules(was, other, displays, looking, grant)
    asked = {"subject": command.replayed, "tried": other.id, "digest": command.digest}
    beside = _tried_page(page, differs, permitted=permitted)
    _put_on_record(grant, command, looking, "what-would", PolicyTried, asked, displays, beside)
    return Tried(grant.access_id, page, matches, event.rule_set, other.id, event.instant, permitted, differs)


def _under_other_rules(
    was: Access, other: RuleSet, displays: Sequence[Rendered], looking: Looking, grant: AccessGrant
) -> tuple[bool, tuple[dict[str, Any], ...]]:
    """Whether the look would be allowed under other rules, and what they would show otherwise of each child."""
    event = was.event
    differs = [
        _difference(display, _rendered(hit, was, other, looking, grant))
        for hit, display in zip(event.hits, displays, strict=True)
    ]
    role = other.roles.get(event.role)
    allowed = role is not None and event.action in role.may and was.metadata.purpose in role.purposes
    return allowed, tuple(differs)


def _tried_page(
    page: dict[str, Any], differs: Sequence[dict[str, Any]], *, permitted: bool
) -> dict[str, Any]:
    return {"as_displayed": page, "permitted": permitted, "differs": list(differs)}


def _put_on_record(
    grant: AccessGrant,
    command: Look,
    looking: Looking,
    action: Right,
    event_class: type[Looked],
    asked: dict[str, Any],
    displays: Sequence[Rendered],
    page: dict[str, Any],
) -> None:
    """Commit the access by which one is shown again. It has no hits, for who was shown what stands in that one; but its
    digest dies with the same children."""
    rendered = [(one.child_id, canonical(one.record)) for one in displays]
    _, digest = looking.log.digests(grant.access_id, grant.instant, rendered, canonical(page))
    used = tuple((one.child_id, one.version) for one in displays)
    append_access(
        grant, command, looking, action, event_class, asked, f"{action}-permitted", used=used, page=digest
    )


@contextmanager
def _refusals_recorded(command: Look, action: Action, looking: Looking, subject: UUID) -> Iterator[None]:
    """What is refused as things stand is on record before it is told."""
    try:
        yield
    except Refused as refused:
        record_refusal(command, action, looking, refused.code, subject)
        raise


def _displayed(access_id: UUID, looking: Looking) -> Access:
    """An access that was granted. Raises NotFound, Refused."""
    access = looking.log.load(access_id)
    if access is None:
        raise NotFound("There is no such access.", field="access")
    if access.event.outcome == "refused":
        raise nothing_displayed()
    return access


def _shown_again(
    access: Access, looking: Looking, grant: AccessGrant
) -> tuple[list[Rendered], dict[str, Any], bool]:
    """What an access displayed, of each child and as a page, and whether that agrees with its digests.

    Raises Refused where it does not because of what was shielded or destroyed since.
    """
    was = access.event
    if was.action in ("replay", "what-would"):
        return _shown_twice(access, looking, grant)
    if was.action in OF_RECORDS:
        again, reach = _records_again(access, looking, grant), None
    else:
        reach = Reach.of(was.used)
        if reach is None:
            raise nothing_displayed() if was.page is None else too_little_kept()
        past = Past(access, reach, looking.rules_by_id(was.rule_set), looking, grant)
        again = _displayed_again(past)
    displays = list(again.displays)
    digests, page_digest = looking.log.digests(
        access.access_id,
        was.instant,
        [(one.child_id, canonical(one.record)) for one in displays],
        canonical(again.page),
    )
    matches = [hit.digest for hit in was.hits] == digests and was.page == page_digest
    if not matches and reach is not None:
        _refuse_what_is_gone(again, looking, grant, reach)
    return displays, again.page, matches


def _shown_twice(
    access: Access, looking: Looking, grant: AccessGrant
) -> tuple[list[Rendered], dict[str, Any], bool]:
    """What was displayed when an access was shown again, be it of another that had been."""
    was, first = access.event, access
    while isinstance(first.event, AuditRead) and first.event.action == "replay":
        first = _named(first, first.event.subject, looking)
    if isinstance(first.event, PolicyTried):
        tried = first.event
        other = looking.rules_by_digest(tried.digest)
        shown = _named(first, tried.subject, looking)
        displays, page, _ = _shown_again(shown, looking, grant)
        permitted, differs = _under_other_rules(shown, other, displays, looking, grant)
        page = _tried_page(page, differs, permitted=permitted)
    else:
        displays, page, _ = _shown_again(first, looking, grant)
    rendered = [(one.child_id, canonical(one.record)) for one in displays]
    _, digest = looking.log.digests(access.access_id, was.instant, rendered, canonical(page))
    return displays, page, was.page == digest


def _named(access: Access, subject: UUID | None, looking: Looking) -> Access:
    """The access that this one showed again. Raises Refused where it kept too little to be shown itself."""
    shown = looking.log.load(subject) if subject and access.event.page is not None else None
    if shown is None:
        raise too_little_kept()
    return shown


def _records_again(access: Access, looking: Looking, grant: AccessGrant) -> Again:
    was = access.event
    rules = looking.rules_by_id(was.rule_set)
    displays = [_again(hit, _rendered(hit, access, rules, looking, grant)) for hit in was.hits]
    records = [display.record for display in displays]
    if was.action == "search":
        return Again({"results": records, "more": was.more}, displays)
    return Again((records or [{}])[0], displays)


def _displayed_again(past: Past) -> Again:
    """What an access displayed that shows something else than records. Raises Refused."""
    match past.event:
        case ListRead() as read:
            return listed_again(past, read)
        case AccessesExported() as read:
            return _export(past, read)
        case TrailRead() as read:
            return Again(_trail(past, read))
        case QueueRead(held=None) as read:
            return Again(_queue(past, read))
        case QueueRead(held=held) as read if held is not None:
            return _held(past, held, read)
        case SubjectReplied() as replied if replied.adult is not None:
            return _adult(past, replied, replied.adult)
        case SubjectReplied() as replied:
            return _reply(past, replied)
        case LookForgotten():
            for hit in past.event.hits:
                past.opened(hit.stream, hit.version, hit.mask)
            raise words_forgotten()
        case _:
            raise nothing_displayed()


def _trail(past: Past, read: TrailRead) -> dict[str, Any]:
    action = read.action
    if read.subject is None or past.reach.limit == 0:
        raise nothing_displayed()
    if action in ("who-saw", "changes"):
        past.check([read.subject])
    page = trail_page(action, read.subject, read.chosen, past.reach, past.looking, past.grant)
    if action == "what-saw" and read.chosen.criteria:
        past.check([UUID(child) for entry in page["entries"] for child in entry["children"]])
    return page


def _export(past: Past, read: AccessesExported) -> Again:
    """Accesses as they were taken out. Whose people looked is in them, unless a child of an access was shielded."""
    page, found = export_page(read.action, read.subject, read.chosen, past.reach, past.looking, past.grant)
    past.check([child for one in found for child, _ in one.children])
    return Again(page, words_gone=any(isinstance(one.access.event, LookForgotten) for one in found))


def _queue(past: Past, read: QueueRead) -> dict[str, Any]:
    behind = _behind_reach(read.used)
    listed = [_held_at(past, held_id, version) for held_id, version in behind if version]
    last = next(((_held_at(past, held_id, 1).since, held_id) for held_id, at in behind if not at), None)
    return queue_page(listed, last)


def _held_at(past: Past, held_id: UUID, version: int) -> HeldRecord:
    held = past.looking.held.open_at(past.grant, held_id, version)
    if isinstance(held, Forgotten):
        raise destroyed(held.certificate, past.looking, f"that version {version} of {held_id} was shown")
    if held is None:
        raise nothing_displayed()
    return held


def _held(past: Past, held_id: UUID, read: QueueRead) -> Again:
    versions = {hit.stream: hit.version for hit in read.hits}
    if held_id not in versions:  # it was not shown
        return Again({})
    held = _held_at(past, held_id, versions[held_id])
    facts = {
        child_id: found
        for child_id in held.candidates
        if (found := past.facts(child_id, versions.get(child_id) or past.version(child_id))) is not None
    }
    page, displays = reviewed(held, facts, past.looking, viewer_of(past.access), read.instant, past.rules)
    return Again(page, displays)


def _reply(past: Past, replied: SubjectReplied) -> Again:
    if replied.child is None or not replied.hits:
        return Again({})
    hit = replied.hits[0]
    facts = past.opened(hit.stream, hit.version, hit.mask)
    request = next((one for one in facts.requests if one.request == replied.request), None)
    if request is None:
        raise nothing_displayed()
    looks = looks_at(facts, past.reach, past.looking, past.grant)
    _, page = answer(request, facts, looks, replied.withheld, replied.instant, past.rules)
    return Again(page, [Rendered(hit.stream, hit.version, hit.mask, page)])


def _adult(past: Past, replied: SubjectReplied, adult: AdultSought) -> Again:
    found: list[tuple[RecordFacts, Carer]] = []
    for hit in replied.hits:
        facts = past.opened(hit.stream, hit.version, hit.mask)
        carer = past.looking.adults.carer(adult, facts)
        if carer is None:
            raise nothing_displayed()
        found.append((facts, carer))
    return Again(*entries_of(found, date.fromordinal(past.reach.day), past.rules))


def _behind_reach(used: Sequence[tuple[UUID, int]]) -> Sequence[tuple[UUID, int]]:
    """What an access names behind how far it read."""
    marks = {mark for mark, _ in Reach(0, 0).used()}
    last = max((place for place, (stream, _) in enumerate(used) if stream in marks), default=len(used) - 1)
    return used[last + 1 :]


def _refuse_what_is_gone(again: Again, looking: Looking, grant: AccessGrant, reach: Reach) -> None:
    """Say so where a display is not what it was because of what was shielded or destroyed since. Raises Refused."""
    if again.closed and grant.confirmed_by is None:
        raise two_people_needed()
    for certificate in again.certificates:
        if looking.records.destroyed_behind(certificate, reach.record):
            raise destroyed(certificate, looking, "that this list was read")
    if again.words_gone:
        raise words_forgotten()
    for entry in again.page.get("entries") or ():
        access_id = entry.get("access_id")
        access = looking.log.load(UUID(access_id)) if access_id else None
        if access is not None and isinstance(access.event, LookForgotten):
            raise words_forgotten()


def _rendered(
    hit: Hit, access: Access, rules: RuleSet, looking: Looking, grant: AccessGrant
) -> Disclosed | None:
    """One hit rendered again under a rule set, as far as this grant opens it. Raises Refused once it is destroyed."""
    was = access.event
    viewer = looking_for(viewer_of(access), access.metadata.purpose)
    override = was.action == "override"
    facts = looking.records.facts_at(grant, hit.stream, hit.version)
    if isinstance(facts, Forgotten):
        refuse_destroyed(hit, facts, looking)
    if facts is not None and isinstance(was, RecordShownAsOf):
        facts = as_then(
            facts, was.as_of, was.effective_on, looking, grant, viewer, was.instant, rules, override
        )
    if facts is None:
        return None
    if was.action == "search":
        return listed(rules, was.renderer, facts, viewer, was.instant)
    if was.action == "open-archive":
        proposed = isinstance(was, ArchiveProposed)
        opened = replace(facts, opened=facts.opened or proposed)  # nothing of it was shown
        found = unarchived(rules, was.renderer, opened, viewer, was.instant)
        return replace(found, record={}, mask=mask_of(())) if found and proposed else found
    shown = disclosed(rules, was.renderer, facts, viewer, was.instant, override=override)
    if shown is not None and was.action == "hand-over":
        chosen = chosen_fields(shown.record, fields_of(hit.mask))
        shown = replace(shown, record=chosen, mask=mask_of(chosen))
    return shown


def _again(hit: Hit, shown: Disclosed | None) -> Rendered:
    """One hit as it was displayed. Raises AccessDenied where this grant cannot open what the display held."""
    if shown is None or shown.mask != hit.mask:
        raise two_people_needed()
    return Rendered(hit.stream, hit.version, shown.mask, shown.record)


def _difference(was: Rendered, would: Disclosed | None) -> dict[str, Any]:
    """What another rule set would show otherwise of one child. No value that was not displayed is in it."""
    then: dict[str, Any] = would.record if would is not None else {}
    both = [field for field in was.record if field in then]
    return {
        "child_id": str(was.child_id),
        "rule": would.rule if would is not None else "nothing-to-show",
        "same": [field for field in both if was.record[field] == then[field]],
        "otherwise": [field for field in both if was.record[field] != then[field]],
        "only_displayed": [field for field in was.record if field not in then],
        "only_under_it": [field for field in then if field not in was.record],
    }
