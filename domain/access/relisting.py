"""A list that somebody works from, shown again: made from the logs as far as they were read, never from today's views.

What a list tells of a record that is shielded now, and of which it told more than a shield lets through, needs two
people; what is destroyed is said to be.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from domain.access.events import ListKind, ListRead
from domain.access.handlers import due_page, refusals_page, staff_page
from domain.access.local_team import (
    OVERRIDES_READ,
    REVIEWS_OPENED,
    children_page,
    contact_answered,
    contacts_of,
    overrides_by_child,
    overrides_of,
    reviews_page,
    sensitive_due_of,
    shield_requests_page,
    sibling,
    transfer_page,
    wrong_views_page,
)
from domain.access.past import Past, nothing_displayed
from domain.access.replying import subject_requests_page
from domain.access.showing import Rendered
from domain.disclosure import RecordFacts, listed
from domain.policy.retention import london_day


@dataclass(frozen=True, slots=True)
class Again:
    """A display made again: the page, and each child on it.

    closed, certificates: as in `domain.access.ports.Scheduled`. words_gone: whether words that were in it may be
    forgotten.
    """

    page: dict[str, Any]
    displays: Sequence[Rendered] = ()
    closed: bool = False
    certificates: tuple[UUID, ...] = ()
    words_gone: bool = False


def listed_again(past: Past, read: ListRead) -> Again:
    """The list that was read. Raises Refused, AccessDenied where it cannot be shown, or not to one."""
    if read.rule == "nothing-to-show":
        return Again({})
    return _LISTS[read.what](past, read)


def _day(read: ListRead) -> date:
    """The day up to which something was listed."""
    assert read.on is not None  # noqa: S101 - kept with every list of this kind
    return read.on


def _reviews(past: Past, read: ListRead) -> Again:
    found = past.looking.trail.reviews(past.grant, _day(read), REVIEWS_OPENED + 1, past.reach, past.rules)

    def managed(child_id: UUID) -> RecordFacts | None:
        version = past.version(child_id)
        return past.opened(child_id, version) if version else None

    page = reviews_page(found.rows, read.role, read.body, london_day(read.instant), past.rules, managed)
    return Again(page, closed=found.closed, certificates=found.certificates)


def _of_one_record(page: Callable[[RecordFacts, ListRead, Past], dict[str, Any]]) -> "List":
    """A list that is read from one record, as its managers see it."""

    def again(past: Past, read: ListRead) -> Again:
        return Again(page(_subject(past, read), read, past))

    return again


def _subject(past: Past, read: ListRead) -> RecordFacts:
    ((child_id, version),) = read.listed
    return past.opened(child_id, version)


def _transfer(facts: RecordFacts, read: ListRead, past: Past) -> dict[str, Any]:
    del read, past
    if facts.transfer is None:
        raise nothing_displayed()
    return transfer_page(facts.transfer)


def _siblings(past: Past, read: ListRead) -> Again:
    facts = _subject(past, read)
    displays: list[Rendered] = []
    for hit in read.hits:
        other = past.opened(hit.stream, hit.version, hit.mask)
        shown = listed(past.rules, read.renderer, other, past.viewer, read.instant)
        display = sibling(facts, other, shown, past.looking) if shown else None
        if display is None:
            raise nothing_displayed()
        displays.append(display)
    return Again({"siblings": [one.record for one in displays]}, displays)


def _wrong_views(past: Past, read: ListRead) -> Again:
    assert read.subject is not None and read.since is not None  # noqa: S101, PT018 - kept with every list of this kind
    past.as_it_stood(read.subject, past.version(read.subject))
    page = wrong_views_page(read.subject, read.since, past.reach, past.looking, past.grant)
    return Again(page)


def _contact(past: Past, read: ListRead) -> Again:
    (hit,) = read.hits
    facts = past.opened(hit.stream, hit.version, hit.mask)
    request = next((one for one in facts.contacts if one.request == read.request), None)
    if request is None:
        raise nothing_displayed()
    display = contact_answered(request, facts, london_day(read.instant))
    return Again(display.record, [display])


def _each_hit(entry: Callable[[RecordFacts, ListRead, Past], Rendered | None]) -> "List":
    """A list with an entry for each record that was shown."""

    def again(past: Past, read: ListRead) -> Again:
        facts = [past.opened(hit.stream, hit.version, hit.mask) for hit in read.hits]
        entries = [made for one in facts if (made := entry(one, read, past)) is not None]
        return Again(children_page(entries, more=read.more), entries)

    return again


def _sensitive_due(facts: RecordFacts, read: ListRead, past: Past) -> Rendered | None:
    return sensitive_due_of(facts, _day(read), past.rules)


def _overrides(past: Past, read: ListRead) -> Again:
    records = [past.opened(hit.stream, hit.version, hit.mask) for hit in read.hits]
    looking = past.looking
    found = looking.trail.overrides(past.grant, read.since, read.until, OVERRIDES_READ + 1, past.reach)
    looks = overrides_by_child(found).looks
    entries = [
        overrides_of(facts, looks[facts.child_id], past.reach, past.rules, looking.staff)
        for facts in records
        if facts.child_id in looks
    ]
    return Again(children_page(entries, more=read.more), entries)


def _due(past: Past, read: ListRead) -> Again:
    found = past.looking.trail.due(past.grant, _day(read), past.reach, past.rules)
    return Again(due_page(found), closed=found.closed, certificates=found.certificates)


def _refusals(past: Past, read: ListRead) -> Again:
    found = past.looking.trail.refusals(past.grant, read.since, read.until, past.reach)
    past.check(found.children)
    return Again(refusals_page(found))


def _staff(past: Past, read: ListRead) -> Again:
    ids = [one for one, _ in read.listed]
    page = staff_page(
        read.what, ids, past.reach, read.instant, past.rules, past.looking.staff, more=read.more
    )
    proposals = [one for one in page.get("proposals", ()) if "reference" in one]
    for one in proposals:  # for whom facts are, or for which case, may tell where a child is
        child_id = UUID(one["child"])
        past.opened(child_id, past.version(child_id))
    return Again(page, words_gone=any(one.get("recipient", one["reference"]) is None for one in proposals))


List = Callable[[Past, ListRead], Again]

_LISTS: Final[Mapping[ListKind, List]] = {
    "shield-reviews": _reviews,
    "shield-requests": _of_one_record(lambda facts, _, __: shield_requests_page(facts)),
    "siblings": _siblings,
    "transfer": _of_one_record(_transfer),
    "wrong-views": _wrong_views,
    "contact": _contact,
    "contacts": _each_hit(lambda facts, read, _: contacts_of(facts, london_day(read.instant))),
    "sensitive-due": _each_hit(_sensitive_due),
    "due": _due,
    "refusals": _refusals,
    "subject-requests": _of_one_record(
        lambda facts, read, past: subject_requests_page(facts, london_day(read.instant), past.rules)
    ),
    "proposals": _staff,
    "investigations": _staff,
    "notices": _staff,
    "overrides": _overrides,
}
"""How each kind of list is made again."""
