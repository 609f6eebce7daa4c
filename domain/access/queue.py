"""Records held back, as a management team sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access.commands import ListHeld, ShowHeld
from domain.access.events import QueueRead
from domain.access.letting_in import grant_for
from domain.access.model import AccessGrant
from domain.access.ports import Looking
from domain.access.showing import RENDERINGS, Rendered, Shown, nothing_moved, put_on_record, rendered_for
from domain.disclosure import RecordFacts, Viewer
from domain.errors import AuditUnavailable, NotFound
from domain.review import Beside, beside, concerns_a_shield, listed_held, mask_of_held, shown_held
from domain.rule_set.model import RuleSet
from domain.supply.model import HeldRecord, concerns

NOT_HELD = (
    "No such record is held back, or it is another authority's concern. `queue list` lists those of yours."
)

_OPENED = 200
"""Held records that one page of the queue opens at most to find those that concern the viewer."""


def list_held(command: ListHeld, looking: Looking) -> Shown:
    """List the held records that are the concern of the viewer's authority, oldest first. Itself an access."""
    grant = grant_for(command, "review-queue", looking, {})
    reach = looking.trail.reach()._replace(limit=command.limit)
    places = looking.held.waiting(grant, command.after, _OPENED + 1)
    listed: list[HeldRecord] = []
    last = command.after
    more = False
    for number, place in enumerate(places):
        if number == _OPENED or len(listed) == command.limit:
            more = True
            break
        last = place
        held = looking.held.open(grant, place[1])
        if held is not None and not held.released and _concerns(held, looking, grant):
            listed.append(held)
    page = queue_page(listed, last if more else None)
    # What is listed stands behind the reach, and behind it where the next page begins.
    used = (*reach.used(), *((held.held_id, held.version) for held in listed))
    if more and last:
        used = (*used, (last[1], 0))
    put_on_record(
        grant,
        command,
        looking,
        "review-queue",
        QueueRead,
        {},
        [],
        page,
        "queue-permitted",
        used=used,
        more=more,
    )
    return Shown(grant.access_id, page)


def queue_page(listed: Sequence[HeldRecord], last: tuple[datetime, UUID] | None) -> dict[str, Any]:
    """A page of the queue. last: behind which place the next begins; None where there is none."""
    return {
        "held": [listed_held(held) for held in listed],
        "more": last is not None,
        "next": f"{last[0].isoformat()}/{last[1]}" if last else None,
    }


def show_held(command: ShowHeld, looking: Looking) -> Shown:
    """Show one held record beside its candidates, or refuse alike whether it is not held or not the viewer's concern.

    Every candidate that is shown is a hit of the access, so that who saw it is on record like any other look at it.
    """
    asked = {"held": command.held}
    grant = grant_for(command, "review-queue", looking, {"subject": command.held})
    for _ in range(RENDERINGS):
        reach = looking.trail.reach()
        held = looking.held.open(grant, command.held)
        if held is None or held.released or not _concerns(held, looking, grant):
            put_on_record(
                grant, command, looking, "review-queue", QueueRead, asked, [], {}, "nothing-to-show"
            )
            raise NotFound(NOT_HELD, field="held")
        facts = looking.held.candidates(grant, held)
        page, displays = reviewed(held, facts, looking, rendered_for(grant), grant.instant, looking.rules)
        put_on_record(
            grant,
            command,
            looking,
            "review-queue",
            QueueRead,
            asked,
            displays,
            page,
            "queue-permitted",
            used=reach.used(),
        )
        if nothing_moved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def _concerns(held: HeldRecord, looking: Looking, grant: AccessGrant) -> bool:
    facts = looking.held.candidates(grant, held)
    return concerns(held, (one.authority for one in facts.values() if not one.shielded), grant.viewer.body)


def reviewed(
    held: HeldRecord,
    facts: Mapping[UUID, RecordFacts],
    looking: Looking,
    viewer: Viewer,
    instant: datetime,
    rules: RuleSet,
) -> tuple[dict[str, Any], list[Rendered]]:
    """The held record beside its candidates, and each of them as a display of this access."""
    concealed = concerns_a_shield(held, facts)
    found: list[Beside] = []
    for child_id in held.candidates:
        one = facts.get(child_id)
        rows = looking.held.compared(held, one) if one is not None and not one.shielded else ()
        found.append(beside(held, one, rows, viewer, instant, rules, concealed=concealed))
    page = shown_held(held, found, concealed=concealed)
    displays = [Rendered(held.held_id, held.version, mask_of_held(page), page["says"])]
    displays += [Rendered(b.child_id, b.version, b.mask, b.shown) for b in found if b.child_id is not None]
    return page, displays
