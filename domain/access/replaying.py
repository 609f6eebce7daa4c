"""Showing an access again, exactly as it was displayed, and beside what other rules would have shown.

A display is a pure function of what its access recorded: versions, the viewer's facts, the instant, the rules, and how
far the logs were read. So it is rendered again and compared with its digests; nothing of a display was stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from domain.access.commands import Look, ReplayAccess, TryPolicy
from domain.access.events import (
    Action,
    AdultSought,
    ArchiveProposed,
    AuditRead,
    Hit,
    LookForgotten,
    PolicyTried,
    QueueRead,
    RecordShownAsOf,
    SubjectReplied,
    TrailRead,
)
from domain.access.handlers import as_then, trail_page
from domain.access.letting_in import append_access, grant_for, record_refusal
from domain.access.model import Access, AccessGrant
from domain.access.ports import Looking
from domain.access.queue import queue_page, reviewed
from domain.access.reach import Reach
from domain.access.replying import answer, entries_of, looks_at
from domain.access.showing import Rendered, chosen_fields
from domain.child_record.events import Carer
from domain.disclosure import (
    Disclosed,
    RecordFacts,
    Viewer,
    canonical,
    disclosed,
    fields_of,
    listed,
    looking_for,
    mask_of,
    unarchived,
)
from domain.errors import AccessDenied, NotFound, Refused
from domain.personal_data import Forgotten
from domain.rule_set.model import RuleSet
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
        if not matches:
            _refuse_what_is_forgotten(page, looking)
    versions = tuple((display.child_id, display.version) for display in displays)
    asked = {"subject": command.replayed}
    append_access(grant, command, looking, "replay", AuditRead, asked, "replay-permitted", used=versions)
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
            raise _nothing_displayed()
        displays, page, matches = _shown_again(was, looking, grant)
    event = was.event
    differs = [
        _difference(display, _rendered(hit, was, other, looking, grant))
        for hit, display in zip(event.hits, displays, strict=True)
    ]
    purpose = was.metadata.purpose
    role = other.roles.get(event.role)
    permitted = role is not None and event.action in role.may and purpose in role.purposes
    asked = {"subject": command.replayed, "tried": other.id, "digest": command.digest}
    versions = tuple((display.child_id, display.version) for display in displays)
    append_access(
        grant, command, looking, "what-would", PolicyTried, asked, "what-would-permitted", used=versions
    )
    return Tried(
        grant.access_id, page, matches, event.rule_set, other.id, event.instant, permitted, tuple(differs)
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
        raise _nothing_displayed()
    return access


def _nothing_displayed() -> Refused:
    return Refused(
        "This access displayed nothing that can be shown again: no record, no trail, nothing of the queue, no reply.",
        code="nothing-displayed",
    )


def _shown_again(
    access: Access, looking: Looking, grant: AccessGrant
) -> tuple[list[Rendered], dict[str, Any], bool]:
    """What an access displayed, of each child and as a page, and whether that agrees with its digests."""
    was = access.event
    rules = looking.rules_by_id(was.rule_set)
    if was.action in OF_RECORDS:
        displays = [_again(hit, _rendered(hit, access, rules, looking, grant)) for hit in was.hits]
        records = [display.record for display in displays]
        page: dict[str, Any] = (
            {"results": records, "more": was.more} if was.action == "search" else (records or [{}])[0]
        )
    else:
        reach = Reach.of(was.used)
        if reach is None:
            raise _nothing_displayed()
        past = _Past(access, reach, rules, looking, grant)
        page, displays = past.page()
    digests, page_digest = looking.log.digests(
        access.access_id, was.instant, [(d.child_id, canonical(d.record)) for d in displays], canonical(page)
    )
    return displays, page, [hit.digest for hit in was.hits] == digests and was.page == page_digest


@dataclass(frozen=True, slots=True)
class _Past:
    """An access that displayed something else than records, and how far the logs were read for it."""

    access: Access
    reach: Reach
    rules: RuleSet
    looking: Looking
    grant: AccessGrant

    def page(self) -> tuple[dict[str, Any], list[Rendered]]:
        """What it displayed, whole and of each child. Raises Refused."""
        match self.access.event:
            case TrailRead() as read:
                return self._trail(read), []
            case QueueRead(held=None) as read:
                return self._queue(read), []
            case QueueRead(held=held) as read if held is not None:
                return self._held(held, read)
            case SubjectReplied() as replied if replied.adult is not None:
                return self._adult(replied, replied.adult)
            case SubjectReplied() as replied:
                return self._reply(replied)
            case LookForgotten():
                raise _words_forgotten()
            case _:
                raise _nothing_displayed()

    def _trail(self, read: TrailRead) -> dict[str, Any]:
        action = read.action
        if read.subject is None or self.reach.limit == 0:
            raise _nothing_displayed()
        if action in ("who-saw", "changes"):
            self._check([read.subject])
        page = trail_page(action, read.subject, read.chosen, self.reach, self.looking, self.grant)
        if action == "what-saw" and read.chosen.criteria:
            self._check([UUID(child) for entry in page["entries"] for child in entry["children"]])
        return page

    def _check(self, child_ids: Sequence[UUID]) -> None:
        """Raise what keeps a trail that is about these children from being shown again.

        Of a child that is shielded, a trail leaves out what could tell where it is: so what it told before the shield
        was raised needs two people now. Of one that is destroyed nobody knows any more whether it was shielded.
        """
        for child_id in dict.fromkeys(child_ids):
            version = self.looking.records.version_upto(child_id, self.reach.record)
            self._facts(child_id, version)

    def _facts(self, child_id: UUID, version: int) -> RecordFacts | None:
        facts = self.looking.records.facts_at(self.grant, child_id, version) if version else None
        if isinstance(facts, Forgotten):
            raise destroyed(facts.certificate, self.looking, f"that this was asked of {child_id}")
        if facts is not None and not facts.opened and not facts.shielded:
            raise two_people_needed()
        return facts

    def _queue(self, read: QueueRead) -> dict[str, Any]:
        behind = _behind_reach(read.used)
        listed = [self._held_at(held_id, version) for held_id, version in behind if version]
        last = next((self._begins(held_id) for held_id, version in behind if not version), None)
        return queue_page(listed, last)

    def _begins(self, held_id: UUID) -> tuple[datetime, UUID]:
        return self._held_at(held_id, 1).since, held_id

    def _held_at(self, held_id: UUID, version: int) -> HeldRecord:
        held = self.looking.held.open_at(self.grant, held_id, version)
        if isinstance(held, Forgotten):
            raise destroyed(held.certificate, self.looking, f"that version {version} of {held_id} was shown")
        if held is None:
            raise _nothing_displayed()
        return held

    def _held(self, held_id: UUID, read: QueueRead) -> tuple[dict[str, Any], list[Rendered]]:
        versions = {hit.stream: hit.version for hit in read.hits}
        if held_id not in versions:  # it was not shown
            return {}, []
        held = self._held_at(held_id, versions[held_id])
        facts = {
            child_id: found
            for child_id in held.candidates
            if (found := self._facts(child_id, versions.get(child_id) or self._version(child_id))) is not None
        }
        return reviewed(held, facts, self.looking, _viewer(self.access), read.instant, self.rules)

    def _version(self, child_id: UUID) -> int:
        return self.looking.records.version_upto(child_id, self.reach.record)

    def _reply(self, replied: SubjectReplied) -> tuple[dict[str, Any], list[Rendered]]:
        if replied.child is None or not replied.hits:
            return {}, []
        hit = replied.hits[0]
        facts = self._opened(hit)
        request = next((one for one in facts.requests if one.request == replied.request), None)
        if request is None:
            raise _nothing_displayed()
        looks = looks_at(facts, self.reach, self.looking, self.grant)
        _, page = answer(request, facts, looks, replied.withheld, replied.instant, self.rules)
        return page, [Rendered(hit.stream, hit.version, hit.mask, page)]

    def _adult(self, replied: SubjectReplied, adult: AdultSought) -> tuple[dict[str, Any], list[Rendered]]:
        found: list[tuple[RecordFacts, Carer]] = []
        for hit in replied.hits:
            facts = self._opened(hit)
            carer = self.looking.adults.carer(adult, facts)
            if carer is None:
                raise _nothing_displayed()
            found.append((facts, carer))
        return entries_of(found, date.fromordinal(self.reach.day), self.rules)

    def _opened(self, hit: Hit) -> RecordFacts:
        facts = self.looking.records.facts_at(self.grant, hit.stream, hit.version)
        if isinstance(facts, Forgotten):
            raise _destroyed(hit, facts, self.looking)
        if facts is None:
            raise _nothing_displayed()
        if not facts.opened:
            raise two_people_needed()
        return facts


def _behind_reach(used: Sequence[tuple[UUID, int]]) -> Sequence[tuple[UUID, int]]:
    """What an access names behind how far it read."""
    marks = {mark for mark, _ in Reach(0, 0).used()}
    last = max((place for place, (stream, _) in enumerate(used) if stream in marks), default=len(used) - 1)
    return used[last + 1 :]


def _refuse_what_is_forgotten(page: Mapping[str, Any], looking: Looking) -> None:
    """Say so where a trail is not what it was because words of looks in it were destroyed since. Raises Refused."""
    for entry in page.get("entries") or ():
        access_id = entry.get("access_id")
        access = looking.log.load(UUID(access_id)) if access_id else None
        if access is not None and isinstance(access.event, LookForgotten):
            raise _words_forgotten()


def _words_forgotten() -> Refused:
    return Refused(
        "Words of what was shown have been destroyed by law, with a child or with their period. That it was shown, and "
        "to whom, is still on record; `audit proof` proves it.",
        code="destroyed",
    )


def _viewer(access: Access) -> Viewer:
    """Whose entitlement decided what an access showed."""
    was = access.event
    viewed_by = access.metadata.on_behalf_of or access.metadata.actor
    return Viewer(viewed_by, was.role, was.organisation, was.body, was.area, was.purposes)


def _rendered(
    hit: Hit, access: Access, rules: RuleSet, looking: Looking, grant: AccessGrant
) -> Disclosed | None:
    """One hit rendered again under a rule set, as far as this grant opens it. Raises Refused once it is destroyed."""
    was = access.event
    viewer = looking_for(_viewer(access), access.metadata.purpose)
    override = was.action == "override"
    facts = looking.records.facts_at(grant, hit.stream, hit.version)
    if isinstance(facts, Forgotten):
        raise _destroyed(hit, facts, looking)
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


def two_people_needed() -> AccessDenied:
    """The refusal to show one person again what has been shielded since."""
    return AccessDenied(
        "This display holds what has been shielded since. It needs two auditors: --as one --with another, or "
        "--propose it to another.",
        code="two-people-needed",
    )


def _destroyed(hit: Hit, gone: Forgotten, looking: Looking) -> Refused:
    fields = ", ".join(fields_of(hit.mask)) or "none"
    shown = f"that version {hit.version} of {hit.stream} was shown, with the fields {fields}"
    return destroyed(gone.certificate, looking, shown)


def destroyed(certificate: UUID, looking: Looking, known: str) -> Refused:
    """That what was shown is destroyed: when, under which certificate, and what of it still is on record."""
    on = looking.records.destroyed_on(certificate)
    when = f"on {on.isoformat()} " if on else ""
    return Refused(
        f"What was shown has been destroyed by law {when}under the certificate {certificate}. It is still on "
        f"record {known}, and to whom; `audit proof` proves it.",
        code="destroyed",
    )


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
