"""How something is shown: rendered for whoever asks, put on record, checked that nothing moved, then let go."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.access.commands import HandOver, Look, OpenArchive, ReplyToSubject
from domain.access.conduct import OVERRIDE, own
from domain.access.events import Action, Criteria, Hit, Looked
from domain.access.go_live import Gate
from domain.access.letting_in import append_access, record_refusal
from domain.access.model import AccessGrant
from domain.access.ports import Looking
from domain.disclosure import RENDERER, RecordFacts, Viewer, canonical, disclosed, looking_for
from domain.errors import NoReceipt
from domain.kernel import Log
from domain.proposal.model import record_changed

NOT_FOUND: Final = (
    "Nothing is held that can be shown to you. This does not mean that no such child exists or that no service is "
    "involved: the record may be held under other details, by a source that is not connected, or not be open to you."
)

RENDERINGS: Final = 5
"""How often something is rendered at most, where what it shows moves meanwhile."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What may now leave: the access it is recorded under, and the display. receipt: proof that the access is sealed,
    where that had to be waited for."""

    access_id: UUID
    display: dict[str, Any]
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """One child as rendered for this access."""

    child_id: UUID
    version: int
    mask: str
    record: dict[str, Any]


def chosen_fields(record: dict[str, Any], names: Container[str]) -> dict[str, Any]:
    """Of a display, these fields alone, where they are shown."""
    return {name: value for name, value in record.items() if name in names}


def managed_record(child_id: UUID, looking: Looking, grant: AccessGrant) -> RecordFacts | None:
    """The record, where the viewer manages it for the responsible authority."""
    facts = looking.records.facts(grant, [child_id]).get(child_id)
    return facts if facts is not None and manages(facts, looking, grant) else None


def manages(facts: RecordFacts, looking: Looking, grant: AccessGrant) -> bool:
    """Whether the viewer manages this record for the responsible authority."""
    shown = disclosed(looking.rules, RENDERER, facts, rendered_for(grant), grant.instant)
    return shown is not None and shown.sight == "manager"


def have_watched(
    grant: AccessGrant,
    looking: Looking,
    action: Action,
    criteria: Criteria | None,
    displays: Sequence[Rendered],
) -> None:
    """Have looked into, before anything is released, what is flagged of a look that is on record (T36, T41)."""
    if action == "override":
        looking.oversight.investigate(looking.viewer.account, OVERRIDE, grant.access_id, grant.instant)
    shown = [display.record for display in displays]
    for actor in filter(None, (looking.viewer, looking.mediator)):
        cause = own(actor.ties, criteria, shown)
        if cause is not None:
            looking.oversight.investigate(actor.account, cause, grant.access_id, grant.instant)


def gate_for(looking: Looking, grant: AccessGrant) -> Gate:
    """Which records are open to anybody yet, at the instant of this access."""
    return Gate(looking.authorities, grant.instant, looking.rules, training=looking.viewer.standing.training)


def rendered_for(grant: AccessGrant) -> Viewer:
    """Whom a display is made for: the viewer, at work on what they gave as their reason."""
    return looking_for(grant.viewer, grant.purpose)


def must_stand_as_shown(
    command: HandOver | OpenArchive | ReplyToSubject, action: Action, facts: RecordFacts, looking: Looking
) -> None:
    """Refuse where the record is not at the version that two people were shown; on record before it is told."""
    if command.version is not None and facts.version != command.version:
        changed = record_changed()
        record_refusal(command, action, looking, changed.code, command.child_id)
        raise changed


def sealed_if_override(grant: AccessGrant, looking: Looking) -> str | None:
    """The receipt of a look behind a shield; None for any other look. Raises NoReceipt."""
    if not grant.override:
        return None
    try:
        return looking.receipts.awaited(Log.ACCESS, [(grant.access_id, 1)])[0]
    except NoReceipt as missing:
        raise missing.after(f"The look is on record as {grant.access_id}, and nothing is shown.") from None


def nothing_moved(looking: Looking, displays: Sequence[Rendered]) -> bool:
    """Whether each record still stands at the version that was rendered."""
    versions = {display.child_id: display.version for display in displays}
    return looking.records.heads(list(versions)) == versions


def put_on_record(
    grant: AccessGrant,
    command: Look,
    looking: Looking,
    action: Action,
    event_class: type[Looked],
    asked: dict[str, Any],
    displays: Sequence[Rendered],
    page: dict[str, Any],
    rule: str,
    *,
    more: bool = False,
    used: Sequence[tuple[UUID, int]] = (),
) -> None:
    """Commit the access event for what is about to be shown."""
    rendered = [(display.child_id, canonical(display.record)) for display in displays]
    digests, page_digest = looking.log.digests(grant.access_id, grant.instant, rendered, canonical(page))
    hits = tuple(
        Hit(display.child_id, display.version, display.mask, digest)
        for display, digest in zip(displays, digests, strict=True)
    )
    append_access(
        grant,
        command,
        looking,
        action,
        event_class,
        asked,
        rule,
        hits=hits,
        more=more,
        used=tuple(used),
        page=page_digest,
    )
