"""T53. Every list that somebody works from is shown again as it was, from the logs alone.

After later looks and changes, a shield, a merge, views made anew and other rules; what a shield hides now needs two
auditors, and what is destroyed is said to be.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, get_args
from uuid import UUID

import pytest

from cli.bootstrap import open_app
from domain.access.events import AuditRead, ListKind, LookForgotten
from domain.access.model import Access
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import granted
from tests.acceptance.test_brokering import SERVICE, asks
from tests.acceptance.test_recipients import destroy, handed_over
from tests.acceptance.test_replay_of_trails import again, shown_of
from tests.acceptance.test_rules import WITHOUT_ADDRESS, a_file, adopted
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


def _notices(world: World) -> Sequence[Page]:
    child = ours(world.line, a_child())
    handed_over(world.line, child)
    destroy(world.line, child)
    owed = listed(world.line, "retention", "notices")
    (notice,) = owed.displayed["notices"]
    world.line.done("retention", "notice-sent", notice["notice"], acting=MANAGER)
    everything = listed(world.line, "retention", "notices", "--all", acting="operator")
    assert [one["sent_on"] for one in everything.displayed["notices"]] == ["2027-03-10"]
    return [owed, everything]


def _overrides(world: World) -> Sequence[Page]:
    behind = ("show", world.hidden, "--reason", "section-47", "--override")
    for _ in range(2):
        world.line.done(*behind, acting="social-worker")
    pages = [
        listed(world.line, "record", "overrides")._replace(two=True),
        listed(world.line, "record", "overrides", "--since", "2999-01-01"),
        listed(world.line, "record", "overrides", acting="auditor"),
    ]
    assert [len(one["overrides"]) for one in pages[0].displayed["children"]] == [2]
    assert pages[1].displayed == pages[2].displayed == {"children": [], "more": False}
    (first,) = pages[0].displayed["children"]
    newest = world.line.done("investigation", "list", acting="auditor")["investigations"]
    one = next(one for one in newest if one["access"] == first["overrides"][0]["access"])
    world.line.done("investigation", "take", one["investigation"], acting="auditor")
    world.line.done(*behind, acting="social-worker")
    return pages


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
    "notices": _notices,
    "overrides": _overrides,
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


def test_t53_a_list_that_told_of_whom_a_shield_hides_now_is_shown_again_to_two_auditors(
    new_home: NewHome,
) -> None:
    world = a_world(new_home())
    told: tuple[ListKind, ...] = (
        "siblings",
        "transfer",
        "contact",
        "contacts",
        "sensitive-due",
        "subject-requests",
    )
    pages = {kind: [page._replace(two=True) for page in LISTS[kind](world)] for kind in (*told, "refusals")}
    of_both, *rest = pages["refusals"]
    pages["refusals"] = [of_both, *(page._replace(two=False) for page in rest)]
    gone = ours(world.line, a_child())
    world.line.record("correct", gone, "--address", "left-england", "--return-intended", "yes")
    pages["due"] = [page._replace(two=True) for page in _due(world)]
    for child in (world.plain, world.sister, gone):
        shield(world.line, child)

    shown_again(world, pages)


def test_t53_of_a_list_with_a_destroyed_child_it_is_said_when_and_under_which_certificate(
    new_home: NewHome,
) -> None:
    line = new_home()
    world = a_world(line)
    kept = _investigations(world)
    kinds: tuple[ListKind, ...] = (
        "shield-reviews", "shield-requests", "siblings", "contacts", "sensitive-due", "due", "refusals",
        "subject-requests", "contact", "overrides",
    )  # fmt: skip
    pages = {kind: LISTS[kind](world) for kind in kinds}
    for day in (datetime(2040, 6, 2, 9, tzinfo=UTC), datetime(2047, 6, 2, 9, tzinfo=UTC)):
        line.clock = day
        line.done("retention", "run")

    for kind, found in pages.items():
        for page in found:
            if [] in page.displayed.values():  # it told of nobody
                continue
            replay = ("audit", "replay", page.printed["access_id"])
            answer = line(*replay, acting="auditor", second="auditor-2")
            assert answer.code == "destroyed", (kind, answer.json)
            assert "on 2047-06-02 under the certificate " in answer["error"]["message"], kind
    shown_again(world, {"investigations": kept})


def test_t53_accesses_that_were_taken_out_are_shown_again_as_they_were_written(new_home: NewHome) -> None:
    line = new_home()
    one = a_child()
    child = born(line, one)
    line.show(child, acting="teacher")
    line.search(*one.criteria, acting="social-worker")
    line.refused("reason-not-yours", "show", child, "--reason", "audit", acting="practitioner")
    ways = ((), ("--child", child), ("--account", "social-worker", "--criteria"))
    taken: list[Page] = []
    for number, words in enumerate(ways):
        file = line.file(b"").with_name(f"taken-{number}.ndjson")
        printed = line.done("audit", "fhir", str(file), *words)
        entries = [json.loads(row) for row in file.read_text("utf-8").splitlines()]
        assert entries
        taken.append(Page(printed, {"entries": entries, "next": None}))
    line.show(child, acting="teacher")
    line.done("projection", "rebuild", "audit_trail", "--switch")
    for page in taken:
        assert again(line, page.printed) == page.displayed

    shield(line, child)
    for page in taken:
        line.refused("two-people-needed", "audit", "replay", page.printed["access_id"])
        assert again(line, page.printed, "auditor-2") == page.displayed


def test_t53_what_an_auditor_was_shown_again_is_shown_again_itself(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    shown = line.show(child)
    replayed = line.done("audit", "replay", shown["access_id"])
    twice = line.done("audit", "replay", replayed["access_id"])
    begins = date(2027, 4, 1)
    other = a_file(line, "tried", begins, None, WITHOUT_ADDRESS)
    tried = line.done("audit", "what-would", shown["access_id"], "--policy", other)
    assert tried["differs"][0]["only_displayed"] == ["address"]
    line.record("involve", child, "--service", "Speech therapy", "--kind", "additional")

    assert again(line, replayed) == again(line, twice) == shown["record"]
    beside = {name: tried[name] for name in ("as_displayed", "permitted", "differs")}
    assert again(line, tried) == beside

    shield(line, child)
    for access in (replayed, twice, tried):
        line.refused("two-people-needed", "audit", "replay", access["access_id"])
    assert again(line, tried, "auditor-2") == beside


def test_t53_both_trails_in_an_evidence_pack_are_shown_again(line: Line) -> None:
    child = born(line, a_child())
    line.show(child, acting="teacher")
    pack = line.file(b"").with_name("shown-again.json")
    line.done("seal", "--until-caught-up")
    printed = line.done("audit", "export", child, str(pack))
    written = json.loads(pack.read_text("utf-8"))
    line.show(child, acting="teacher")

    looks = again(line, printed)
    assert looks["entries"] == written["who-saw"]
    (changes,) = line.done("audit", "what-saw", "auditor", "--action", "changes", "--limit", "1")["entries"]
    told = [{**entry, "account_name": None} for entry in again(line, changes)["entries"]]
    assert told == [{**entry, "account_name": None} for entry in written["changes"]]


def test_t53_of_a_list_that_was_read_before_all_was_kept_it_is_said_so(line: Line) -> None:
    with open_app(line.home, line.settings) as app:
        now = app.access_log.load(UUID(line.done("retention", "due")["access_id"]))
        assert now is not None
        kept = {name: getattr(now.event, name) for name in LookForgotten.model_fields} | {"used": ()}
        before = Access(app.ids.new(), AuditRead.model_validate(kept), now.metadata)
        app.access_log.append(before)
    answer = line.refused("too-little-kept", "audit", "replay", str(before.access_id))
    assert "audit proof" in answer["error"]["message"]
