"""Looking: decide, grant, read and render, record the access, check that nothing moved, release.

If the access cannot be recorded nothing leaves (`AuditUnavailable`). Everything shown can be shown again: the access
event keeps the inputs of the disclosure, which is a pure function, and keyed digests of its output.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.access.commands import Look, OpenRecord, ReadTrail, ReplayAccess, SearchRecords
from domain.access.events import (
    AccessMetadata,
    AccessRefused,
    Action,
    AuditRead,
    Criteria,
    Hit,
    RecordShown,
    RecordsSearched,
)
from domain.access.model import Access, AccessGrant
from domain.disclosure import RENDERER, RENDERERS, RecordFacts, Viewer, canonical
from domain.errors import AccessDenied, AuditUnavailable, NotFound, Refused
from domain.personal_data import Forgotten
from domain.policy.access import may
from domain.ports import Ids
from domain.rule_set.model import RuleSet

NOT_FOUND = (
    "Nothing is held that can be shown to you. This does not mean that no such child exists or that no service is "
    "involved: the record may be held under other details, by a source that is not connected, or not be open to you."
)
_RENDERINGS = 5


class Finder(Protocol):
    """Finds children by what is shown of them."""

    def find(self, grant: AccessGrant, criteria: Criteria, limit: int) -> tuple[list[UUID], bool]:
        """Ids in rank order, at most `limit`, and whether there are more."""
        ...

    def rank(self, criteria: Criteria, shown: dict[str, Any]) -> int | None:
        """How well what is shown meets the criteria (less is better), or None. Sees nothing that is not shown."""
        ...


class Records(Protocol):
    """Reads the facts of records, folded from the log."""

    def facts(self, grant: AccessGrant, child_ids: Sequence[UUID]) -> dict[UUID, RecordFacts]:
        """Facts as they stand; what may not be opened under this grant is not opened."""
        ...

    def facts_at(self, grant: AccessGrant, child_id: UUID, version: int) -> RecordFacts | Forgotten | None:
        """Facts as they stood at a version of the stream."""
        ...

    def version_at(self, child_id: UUID, instant: datetime) -> int:
        """The last version recorded at or before the instant (0: none)."""
        ...

    def heads(self, child_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The present versions."""
        ...


class AccessLog(Protocol):
    """The log of looks. Raises AuditUnavailable where it cannot be written."""

    def digests(
        self, access_id: UUID, instant: datetime, displays: Sequence[tuple[UUID, bytes]], page: bytes
    ) -> tuple[list[bytes], bytes]:
        """A digest of each display under a subkey of its child's identity key, and one of the page."""
        ...

    def append(self, access: Access) -> None:
        """Commit the access event."""
        ...

    def load(self, access_id: UUID) -> Access | None:
        """One access; its event is Forgotten once the key of any child shown is destroyed."""
        ...


class Trail(Protocol):
    """The audit trail's one query surface, newest first. Entries are ready to print."""

    def who_saw(self, grant: AccessGrant, child_id: UUID, limit: int) -> list[dict[str, Any]]:
        """Looks at one child."""
        ...

    def what_saw(self, grant: AccessGrant, account: UUID, limit: int) -> list[dict[str, Any]]:
        """Looks by one account."""
        ...

    def changes(self, grant: AccessGrant, child_id: UUID, limit: int) -> list[dict[str, Any]]:
        """Changes to one record."""
        ...


@dataclass(frozen=True, slots=True)
class Looking:
    """What looking needs. `rules_by_id` finds the rule set that an older access was decided under."""

    viewer: Viewer
    ids: Ids
    rules: RuleSet
    rules_by_id: Callable[[str], RuleSet]
    finder: Finder
    records: Records
    log: AccessLog
    trail: Trail


@dataclass(frozen=True, slots=True)
class Shown:
    """What may now leave: the access it is recorded under, and the display."""

    access_id: UUID
    display: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Replayed:
    """An access shown again."""

    access_id: UUID
    as_displayed: dict[str, Any]
    digest_matches: bool
    policy: str
    instant: datetime
    rules: tuple[str, ...]


def search(command: SearchRecords, looking: Looking) -> Shown:
    """Search, record the search with its exact results, and only then release them (T46)."""
    grant = _grant(command, "search", looking, AccessRefused(criteria=command.criteria))
    event = RecordsSearched(criteria=command.criteria)
    for _ in range(_RENDERINGS):
        ids, more = looking.finder.find(grant, command.criteria, command.limit)
        facts = looking.records.facts(grant, ids)
        ranked: list[tuple[int, UUID, Hit | None, dict[str, Any]]] = []
        masks: dict[UUID, str] = {}
        for child_id in ids:
            if child_id not in facts:
                continue
            shown = RENDERERS[RENDERER].hit(facts[child_id], grant.viewer, grant.instant, looking.rules)
            rank = looking.finder.rank(command.criteria, shown.record) if shown else None
            if shown and rank is not None:
                ranked.append((rank, child_id, None, shown.record))
                masks[child_id] = shown.mask
        ranked.sort(key=lambda found: (found[0], found[1].bytes))
        page = {"results": [record for _, _, _, record in ranked], "more": more}
        displays = [(child_id, record) for _, child_id, _, record in ranked]
        _record(command, looking, grant, "search", event, displays, masks, facts, page, rule="search-permitted", more=more)
        if _still(looking, {child_id: facts[child_id].version for child_id, _ in displays}):
            return Shown(command.access_id, page)
        command = command.model_copy(update={"access_id": looking.ids.new()})
        grant = _regrant(grant, command.access_id)
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def open_record(command: OpenRecord, looking: Looking) -> Shown:
    """Show one record, or refuse in the same words whether it is not held, archived or not open to this viewer."""
    action: Action = "override" if command.override else "show"
    grant = _grant(command, action, looking, AccessRefused(subject=command.child_id))
    event = RecordShown(child=command.child_id, as_of=command.as_of)
    for _ in range(_RENDERINGS):
        facts = _facts(command, looking, grant)
        shown = (
            RENDERERS[RENDERER].record(facts, grant.viewer, grant.instant, looking.rules, override=grant.override)
            if facts
            else None
        )
        if facts is None or shown is None or shown.sight == "none":
            _record(command, looking, grant, action, event, [], {}, {}, {}, rule="nothing-to-show", more=False)
            raise NotFound(NOT_FOUND, field="child")
        displays = [(command.child_id, shown.record)]
        masks = {command.child_id: shown.mask}
        facts_by_id = {command.child_id: facts}
        _record(command, looking, grant, action, event, displays, masks, facts_by_id, shown.record, rule=shown.rule, more=False)
        if command.as_of is not None or _still(looking, {command.child_id: facts.version}):
            return Shown(command.access_id, shown.record)
        command = command.model_copy(update={"access_id": looking.ids.new()})
        grant = _regrant(grant, command.access_id)
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def read_trail(command: ReadTrail, looking: Looking) -> Shown:
    """Read the audit trail. Itself an access."""
    grant = _grant(command, command.kind, looking, AccessRefused(subject=command.subject))
    match command.kind:
        case "who-saw":
            entries = looking.trail.who_saw(grant, command.subject, command.limit)
        case "what-saw":
            entries = looking.trail.what_saw(grant, command.subject, command.limit)
        case "changes":
            entries = looking.trail.changes(grant, command.subject, command.limit)
    page = {"entries": entries}
    event = AuditRead(subject=command.subject)
    _record(command, looking, grant, command.kind, event, [], {}, {}, page, rule="audit-permitted", more=False)
    return Shown(command.access_id, page)


def replay(command: ReplayAccess, looking: Looking) -> Replayed:
    """Show an access again from the versions, the viewer's facts and the rules it was recorded with (D12).

    Renders the recorded hits; it does not search again. Raises AccessDenied where whereabouts shielded since would be
    shown and no second person confirmed, NotFound for an unknown access.
    """
    grant = _grant(command, "replay", looking, AccessRefused(subject=command.replayed))
    access = looking.log.load(command.replayed)
    if access is None:
        raise NotFound("There is no such access.", field="access")
    was = access.metadata
    if was.outcome == "refused" or was.action not in ("search", "show", "override"):
        raise Refused("This access displayed no record, so there is nothing to show again.", code="nothing-displayed")
    viewer = Viewer(was.actor, was.role, was.organisation, was.body, was.area, was.purposes)
    rules = looking.rules_by_id(was.rule_set)
    renderer = RENDERERS[was.renderer]
    records: list[dict[str, Any]] = []
    displays: list[tuple[UUID, bytes]] = []
    for hit in was.hits:
        facts = looking.records.facts_at(grant, hit.stream, hit.version)
        if isinstance(facts, Forgotten):
            raise Refused(
                "What was shown has been destroyed by law. The access is still on record; its content is gone.",
                code="destroyed",
            )
        if facts is None:
            raise NotFound("A stream that was shown is missing. Run `contactpoint health`.", field="access")
        if was.action == "search":
            shown = renderer.hit(facts, viewer, was.instant, rules)
        else:
            shown = renderer.record(facts, viewer, was.instant, rules, override=was.action == "override")
        if shown is None or shown.mask != hit.mask:
            raise AccessDenied(
                "This display holds what has been shielded since. Showing it again needs two auditors: add --with.",
                code="two-people-needed",
            )
        records.append(shown.record)
        displays.append((hit.stream, canonical(shown.record)))
    page: dict[str, Any] = {"results": records, "more": was.more} if was.action == "search" else (records or [{}])[0]
    digests, page_digest = looking.log.digests(was.access, was.instant, displays, canonical(page))
    matches = [hit.digest for hit in was.hits] == digests and was.page == page_digest
    versions = {hit.stream: hit.version for hit in was.hits}
    event = AuditRead(subject=was.access)
    _append(
        command, looking, grant, "replay", event, hits=(), used=tuple(versions.items()), page=None, rule="replay-permitted", more=False
    )
    return Replayed(command.access_id, page, matches, was.rule_set, was.instant, tuple(sorted({h.mask for h in was.hits})))


def _facts(command: OpenRecord, looking: Looking, grant: AccessGrant) -> RecordFacts | None:
    if command.as_of is None:
        return looking.records.facts(grant, [command.child_id]).get(command.child_id)
    version = looking.records.version_at(command.child_id, command.as_of)
    facts = looking.records.facts_at(grant, command.child_id, version) if version else None
    return facts if isinstance(facts, RecordFacts) else None


def _grant(command: Look, action: Action, looking: Looking, refused: AccessRefused) -> AccessGrant:
    grant = AccessGrant(
        command.access_id,
        looking.viewer,
        command.at,
        command.reason,
        override=action == "override",
        confirmed_by=command.confirmed_by,
    )
    permission = may(looking.viewer, action, command.reason, looking.rules)
    if not permission.allowed:
        _append(
            command, looking, grant, action, refused, hits=(), used=(), page=None, rule=permission.rule, more=False, outcome="refused"
        )
        raise AccessDenied(permission.message, code=permission.rule, field=permission.field)
    return grant


def _regrant(grant: AccessGrant, access_id: UUID) -> AccessGrant:
    return AccessGrant(access_id, grant.viewer, grant.instant, grant.purpose, grant.override, grant.confirmed_by)


def _still(looking: Looking, versions: dict[UUID, int]) -> bool:
    return looking.records.heads(list(versions)) == versions


def _record(
    command: Look,
    looking: Looking,
    grant: AccessGrant,
    action: Action,
    event: RecordsSearched | RecordShown | AuditRead,
    displays: list[tuple[UUID, dict[str, Any]]],
    masks: dict[UUID, str],
    facts: dict[UUID, RecordFacts],
    page: dict[str, Any],
    *,
    rule: str,
    more: bool,
) -> None:
    rendered = [(child_id, canonical(record)) for child_id, record in displays]
    digests, page_digest = looking.log.digests(command.access_id, command.at, rendered, canonical(page))
    hits = tuple(
        Hit(child_id, facts[child_id].version, masks[child_id], digest)
        for (child_id, _), digest in zip(rendered, digests, strict=True)
    )
    _append(command, looking, grant, action, event, hits=hits, used=(), page=page_digest, rule=rule, more=more)


def _append(
    command: Look,
    looking: Looking,
    grant: AccessGrant,
    action: Action,
    event: RecordsSearched | RecordShown | AuditRead | AccessRefused,
    *,
    hits: tuple[Hit, ...],
    used: tuple[tuple[UUID, int], ...],
    page: bytes | None,
    rule: str,
    more: bool,
    outcome: str = "granted",
) -> None:
    viewer = grant.viewer
    metadata = AccessMetadata.model_validate(
        {
            "access": command.access_id,
            "actor": viewer.account,
            "role": viewer.role,
            "organisation": viewer.organisation,
            "body": viewer.body,
            "area": viewer.area,
            "purposes": viewer.purposes,
            "on_behalf_of": command.on_behalf_of,
            "confirmed_by": command.confirmed_by,
            "action": action,
            "purpose": command.reason,
            "outcome": outcome,
            "rule": rule,
            "hits": hits,
            "more": more,
            "used": used,
            "instant": command.at,
            "rule_set": looking.rules.id,
            "renderer": RENDERER,
            "page": page,
        }
    )
    looking.log.append(Access(event, metadata))
