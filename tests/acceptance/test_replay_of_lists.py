"""T53. Every list that somebody works from is shown again as it was, from the logs alone.

After later looks and changes, a shield, a merge, views made anew and other rules; what a shield hides now needs two
auditors, and what is destroyed is said to be.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, get_args

import pytest

from domain.access.events import ListKind
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import granted
from tests.acceptance.test_brokering import SERVICE, asks
from tests.acceptance.test_replay_of_trails import again, shown_of
from tests.acceptance.test_rules import a_file, adopted
from tests.acceptance.test_shields import shield
from tests.acceptance.test_splitting import merged
from tests.acceptance.test_subject_access import asked, ours

pytestmark = pytest.mark.postgres

MANAGER: Final = "data-manager"
DUE: Final = "2050-01-01"
VIEWS: Final = (
    "practitioner_view",
    "audit_trail",
    "retention_schedule",
    "review_queue",
    "oversight",
    "match_index",
)
SPLIT: Final = ("--reason", "merged-in-error")


@dataclass(frozen=True)
class World:
    """A home with what there is to list in it. plain: a child with a sensitive service; hidden: one that is shielded,
    with a sister."""

    line: Line
    plain: str
    hidden: str
    sister: str
    request: str


def a_world(line: Line) -> World:
    one = a_child(born=date(2015, 6, 1))
    plain = ours(line, one)
    line.record("involve", plain, *SERVICE)
    request = asks(line, plain)
    his = a_child()
    hers = a_child(family=his.family, street=his.street, postcode=his.postcode)
    hidden, sister = ours(line, his), ours(line, hers)
    shield(line, hidden)
    return World(line, plain, hidden, sister, request)


class Page(NamedTuple):
    """What a command printed, and of it what was displayed. two: it told of a shielded child what its managers know."""

    printed: Json
    displayed: Json
    two: bool = False


def listed(line: Line, *words: str, acting: str | None = MANAGER, under: str | None = None) -> Page:
    """What a command lists. under: the name that the display has in what is printed."""
    printed = line.done(*words, acting=acting)
    return Page(printed, printed[under] if under else shown_of(printed))


def on_record(line: Line, account: str, action: str, displayed: Json) -> Page:
    """A list whose access is not told to whoever read it, by the trail."""
    (entry,) = line.done("audit", "what-saw", account, "--action", action, "--limit", "1")["entries"]
    return Page(entry, displayed)


def _reviews(world: World) -> Sequence[Page]:
    by_authority = listed(world.line, "record", "reviews-due", "--on", DUE)
    assert [one["child_id"] for one in by_authority.displayed["reviews"]] == [world.hidden]
    return (
        by_authority._replace(two=True),
        listed(world.line, "record", "reviews-due", "--on", DUE, acting="auditor"),
    )


def _shield_requests(world: World) -> Sequence[Page]:
    words = ("--ground", "adult-at-risk", "--for", "parent")
    world.line.done("record", "request-shield", world.hidden, *words, acting="practitioner")
    return [listed(world.line, "record", "shield-requests", world.hidden)._replace(two=True)]


def _siblings(world: World) -> Sequence[Page]:
    page = listed(world.line, "record", "siblings", world.hidden)
    assert [one["child_id"] for one in page.displayed["siblings"]] == [world.sister]
    return [page._replace(two=True)]


def _transfer(world: World) -> Sequence[Page]:
    world.line.record("offer-transfer", world.plain, "--to", "E06000998", acting=MANAGER)
    page = listed(world.line, "record", "transfer", world.plain, under="transfer")
    world.line.record("withdraw-transfer", world.plain, acting=MANAGER)
    return [page]


def _wrong_views(world: World) -> Sequence[Page]:
    _, (kept, _), _ = merged(world.line)
    world.line.show(kept, acting="teacher")
    told = world.line.done("record", "split", kept, *SPLIT, acting=MANAGER)["told"]
    assert told
    accounts = [{"account": one["account"], "looks": one["looks"]} for one in told]
    return [on_record(world.line, MANAGER, "split-record", {"told": accounts})]


def _contact(world: World) -> Sequence[Page]:
    words = ("record", "contact", world.plain, "--request", world.request)
    return [listed(world.line, *words, acting="teacher")]


def _contacts(world: World) -> Sequence[Page]:
    page = listed(world.line, "record", "contact-requests")
    assert page.displayed["children"]
    return [page]


def _sensitive_due(world: World) -> Sequence[Page]:
    page = listed(world.line, "record", "sensitive-due", "--on", "2027-12-31")
    assert page.displayed["children"]
    return [page]


def _due(world: World) -> Sequence[Page]:
    page = listed(world.line, "retention", "due", "--on", DUE, acting="operator")
    assert len(page.displayed["due"]) > 2
    return [page]


def _refusals(world: World) -> Sequence[Page]:
    world.line.refused("reason-not-yours", "show", world.plain, "--reason", "audit", acting="practitioner")
    world.line.refused("reason-not-yours", "show", world.hidden, "--reason", "audit", acting="practitioner")
    pages = [
        listed(world.line, "audit", "refusals", acting="auditor"),
        listed(world.line, "audit", "refusals", "--limit", "1", acting="auditor"),
        listed(world.line, "audit", "refusals", "--until", "2026-01-01", acting="auditor"),
    ]
    assert pages[1].displayed["more"]
    assert not pages[2].displayed["entries"]
    return pages


def _subject_requests(world: World) -> Sequence[Page]:
    asked(world.line, world.plain, "parent")
    page = listed(world.line, "subject-access", "list", world.plain)
    assert page.displayed["requests"]
    return [page]


def _proposals(world: World) -> Sequence[Page]:
    proposal = world.line.done("record", "lift-shield", world.hidden, "--propose", acting=MANAGER)["proposal"]
    shown = world.line.done("proposal", "show", proposal, acting="data-manager-2")
    pages = [
        listed(world.line, "proposal", "list", acting="data-manager-2"),
        Page(shown, {"proposals": [shown_of(shown)]}),
    ]
    world.line.done("proposal", "withdraw", proposal, acting=MANAGER)
    return pages


def _investigations(world: World) -> Sequence[Page]:
    line, one = world.line, a_child()
    ours(line, one)
    name, boss = granted(line, "visitor"), granted(line, "boss")
    line.done("account", "line-manager", name, line.done("account", "show", boss)["holder"])
    line.done("account", "declare", name, "--relative", one.name)
    line.search(*one.criteria, acting=name)
    pages = [
        listed(line, "investigation", "list", acting="auditor"),
        listed(line, "investigation", "notices", acting=boss),
    ]
    opened = pages[0].displayed["investigations"][0]["investigation"]
    shown = line.done("investigation", "show", opened, acting="auditor")
    line.done("investigation", "take", opened, acting="auditor")
    line.done("account", "suspend", name, "--reason", "misuse-suspected")
    return [*pages, Page(shown, {"investigations": [shown_of(shown)]})]


LISTS: Final[Mapping[ListKind, Callable[[World], Sequence[Page]]]] = {
    "shield-reviews": _reviews,
    "shield-requests": _shield_requests,
    "siblings": _siblings,
    "transfer": _transfer,
    "wrong-views": _wrong_views,
    "contact": _contact,
    "contacts": _contacts,
    "sensitive-due": _sensitive_due,
    "due": _due,
    "refusals": _refusals,
    "subject-requests": _subject_requests,
    "proposals": _proposals,
    "investigations": _investigations,
}
"""How each kind of list is read in a home that has something to list."""


def test_every_kind_of_list_is_tried() -> None:
    assert set(LISTS) == set(get_args(ListKind))


def lived_on(world: World) -> None:
    """Looks and changes that come after: among them a child's move, a merge, a shield lifted, other rules."""
    line = world.line
    line.show(world.plain, acting="teacher")
    line.refused("reason-not-yours", "show", world.plain, "--reason", "audit", acting="teacher")
    line.record("involve", world.plain, "--service", "Speech therapy", "--kind", "additional")
    line.record("notify-death", world.sister, "--on", "2027-03-01")
    merged(line)
    born(line, a_child())
    begins = date(2027, 4, 1)
    adopted(line, a_file(line, "later", begins, None, {"archive = 18": "archive = 19"}))
    line.clock = datetime(2027, 4, 2, 9, tzinfo=UTC)
    for view in VIEWS:
        line.done("projection", "rebuild", view, "--switch")


def shown_again(world: World, pages: Mapping[ListKind, Sequence[Page]]) -> None:
    """Each is what it was: to one auditor, or to two where it told what a shield hides."""
    for kind, found in pages.items():
        for page in found:
            access = page.printed["access_id"]
            if page.two:
                world.line.refused("two-people-needed", "audit", "replay", access)
            assert again(world.line, page.printed, "auditor-2" if page.two else None) == page.displayed, kind


def test_t53_every_list_is_shown_again_after_all_that_came_later(new_home: NewHome) -> None:
    world = a_world(new_home())
    pages = {kind: read(world) for kind, read in LISTS.items()}
    lived_on(world)
    shown_again(world, pages)
