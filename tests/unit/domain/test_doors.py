"""Every door asks who is there: whoever is not let in reads nothing, and leaves an entry that says why."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, get_type_hints
from uuid import UUID

import pytest

from adapters.ids import RandomIds
from domain.access import commands, local_team, queue, replaying, replying
from domain.access import handlers as access_handlers
from domain.access.events import AccessRefused, AdultSought, Criteria
from domain.access.handlers import (
    export_accesses,
    hand_over,
    open_archive,
    open_record,
    read_about,
    read_due,
    read_refusals,
    read_trail,
    search,
)
from domain.access.letting_in import let_in
from domain.access.local_team import (
    list_contacts,
    list_overrides,
    list_sensitive_due,
    read_contact,
    read_reviews,
    read_shield_requests,
    read_siblings,
    read_transfer,
    read_wrong_views,
)
from domain.access.model import Access, Actor, NotSignedIn
from domain.access.ports import Looking
from domain.access.queue import list_held, show_held
from domain.access.replaying import replay, try_policy
from domain.access.replying import read_subject_requests, reply_to_adult, reply_to_subject
from domain.errors import AccessDenied, Refused
from domain.policy.access import Proof, Standing
from domain.policy.granting import Holder
from domain.policy.retention import begin_of
from domain.ports import Session
from tests.builders import CHILD, LONDON_BOROUGH, NOW, TODAY, the_rules
from tests.standing import LATELY, a_standing

ACCESS: Final = UUID(int=77)


class WasReadError(Exception):
    """Something behind the door was asked for."""


class Closed:
    """What nobody may read from who is not let in."""

    def __getattr__(self, name: str) -> Any:
        raise WasReadError(name)


@dataclass
class Entries:
    """The log of looks, which takes entries and gives none."""

    appended: list[Access | NotSignedIn] = field(default_factory=list)

    def append(self, access: Access | NotSignedIn) -> None:
        self.appended.append(access)

    def __getattr__(self, name: str) -> Any:
        raise WasReadError(name)


def an_actor(standing: Standing, account: int = 1, holder: str | None = "1001") -> Actor:
    return Actor(
        account=UUID(int=account),
        role=standing.role,
        organisation=UUID(int=2),
        body="RQX",
        area=LONDON_BOROUGH,
        purposes=standing.purposes,
        standing=standing,
        holder=Holder(UUID(int=2), holder),
        line_manager=None,
        ties=None,
        made_up=False,
        read_from=((UUID(int=account), 8), (UUID(int=2), 3)),
    )


def looking(standing: Standing, entries: Entries) -> Looking:
    closed: Any = Closed()
    log: Any = entries
    return Looking(
        viewer=an_actor(standing),
        ids=RandomIds(),
        rules=the_rules(),
        rules_by_id=closed,
        rules_by_digest=closed,
        finder=closed,
        records=closed,
        log=log,
        receipts=closed,
        trail=closed,
        held=closed,
        adults=closed,
        oversight=closed,
        authorities=closed,
        team=closed,
        staff=closed,
        audit_events=closed,
    )


def look(at: datetime = NOW) -> dict[str, Any]:
    return {"at": at, "access_id": ACCESS, "reason": "casework"}


Door = Callable[[Looking, datetime], object]

DOORS: dict[str, tuple[str, Door]] = {
    "search": (
        "practitioner",
        lambda at_door, at: search(
            commands.SearchRecords(criteria=Criteria(name="Khan"), **look(at)), at_door
        ),
    ),
    "show": (
        "practitioner",
        lambda at_door, at: open_record(commands.OpenRecord(child_id=CHILD, **look(at)), at_door),
    ),
    "show as of": (
        "practitioner",
        lambda at_door, at: open_record(commands.OpenRecord(child_id=CHILD, as_of=NOW, **look(at)), at_door),
    ),
    "override": (
        "social-worker",
        lambda at_door, at: open_record(
            commands.OpenRecord(child_id=CHILD, override=True, **look(at)), at_door
        ),
    ),
    "who saw": (
        "auditor",
        lambda at_door, at: read_trail(
            commands.ReadTrail(kind="who-saw", subject=CHILD, **look(at)), at_door
        ),
    ),
    "changes": (
        "data-manager",
        lambda at_door, at: read_trail(
            commands.ReadTrail(kind="changes", subject=CHILD, **look(at)), at_door
        ),
    ),
    "refusals": ("auditor", lambda at_door, at: read_refusals(commands.ReadRefusals(**look(at)), at_door)),
    "replay": (
        "auditor",
        lambda at_door, at: replay(commands.ReplayAccess(replayed=ACCESS, **look(at)), at_door),
    ),
    "due": ("operator", lambda at_door, at: read_due(commands.ReadDue(on=TODAY, **look(at)), at_door)),
    "queue": ("data-manager", lambda at_door, at: list_held(commands.ListHeld(**look(at)), at_door)),
    "held": (
        "data-manager",
        lambda at_door, at: show_held(commands.ShowHeld(held=CHILD, **look(at)), at_door),
    ),
    "hand over": (
        "data-manager",
        lambda at_door, at: hand_over(
            commands.HandOver(
                child_id=CHILD,
                ground="crime",
                recipient="County Police",
                fields=("address",),
                **look(at),
            ),
            at_door,
        ),
    ),
    "archive": (
        "supplier",
        lambda at_door, at: open_archive(
            commands.OpenArchive(
                child_id=CHILD,
                reference="S47/2041",
                **{**look(at), "reason": "section-47", "confirmed_by": UUID(int=3)},
            ),
            at_door,
        ),
    ),
    "what saw": (
        "auditor",
        lambda at_door, at: read_trail(
            commands.ReadTrail(kind="what-saw", subject=UUID(int=5), **look(at)), at_door
        ),
    ),
    "export": (
        "auditor",
        lambda at_door, at: export_accesses(
            commands.ExportAccesses(kind="export-accesses", **look(at)), at_door
        ),
    ),
    "what would": (
        "auditor",
        lambda at_door, at: try_policy(
            commands.TryPolicy(replayed=ACCESS, digest="a" * 64, **look(at)), the_rules(), at_door
        ),
    ),
    "investigations": (
        "auditor",
        lambda at_door, at: read_about(
            commands.ReadAbout(action="investigate", what="investigations", listed=(), **look(at)), at_door
        ),
    ),
    "notices": (
        "practitioner",
        lambda at_door, at: read_about(
            commands.ReadAbout(action="line-manage", what="investigations", listed=(), **look(at)), at_door
        ),
    ),
    "proposals": (
        "data-manager",
        lambda at_door, at: read_about(
            commands.ReadAbout(action="two-people", what="proposals", listed=(), **look(at)), at_door
        ),
    ),
    "who asked who looked": (
        "data-manager",
        lambda at_door, at: read_subject_requests(
            commands.ReadSubjectRequests(child_id=CHILD, **look(at)), at_door
        ),
    ),
    "reply": (
        "data-manager",
        lambda at_door, at: reply_to_subject(
            commands.ReplyToSubject(child_id=CHILD, request=UUID(int=6), **look(at)), at_door
        ),
    ),
    "adult": (
        "data-manager",
        lambda at_door, at: reply_to_adult(
            commands.ReplyToAdult(
                adult=AdultSought(name="Amira Khan", postcode="LS1 4AP"), received_on=TODAY, **look(at)
            ),
            at_door,
        ),
    ),
    "reviews": (
        "data-manager",
        lambda at_door, at: read_reviews(commands.ReadReviews(on=TODAY, **look(at)), at_door),
    ),
    "shield requests": (
        "data-manager",
        lambda at_door, at: read_shield_requests(
            commands.ReadShieldRequests(child_id=CHILD, **look(at)), at_door
        ),
    ),
    "siblings": (
        "data-manager",
        lambda at_door, at: read_siblings(commands.ReadSiblings(child_id=CHILD, **look(at)), at_door),
    ),
    "overrides": (
        "data-manager",
        lambda at_door, at: list_overrides(commands.ReadOverrides(**look(at)), at_door),
    ),
    "transfer": (
        "data-manager",
        lambda at_door, at: read_transfer(commands.ReadTransfer(child_id=CHILD, **look(at)), at_door),
    ),
    "wrong views": (
        "data-manager",
        lambda at_door, at: read_wrong_views(
            commands.ReadWrongViews(child_id=CHILD, since=NOW, **look(at)), at_door
        ),
    ),
    "contact": (
        "practitioner",
        lambda at_door, at: read_contact(
            commands.ReadContact(child_id=CHILD, request=UUID(int=6), **look(at)), at_door
        ),
    ),
    "contacts": (
        "data-manager",
        lambda at_door, at: list_contacts(commands.ListContacts(**look(at)), at_door),
    ),
    "sensitive due": (
        "data-manager",
        lambda at_door, at: list_sensitive_due(commands.ListSensitiveDue(on=TODAY, **look(at)), at_door),
    ),
    "change": (
        "practitioner",
        lambda at_door, at: let_in(commands.Look(**look(at)), "assert-facts", at_door, subject=CHILD),
    ),
    "load": ("operator", lambda at_door, at: let_in(commands.Look(**look(at)), "load", at_door)),
    "rebuild": ("operator", lambda at_door, at: let_in(commands.Look(**look(at)), "projection", at_door)),
}


def test_every_way_to_look_is_among_these_doors() -> None:
    """A handler of looks that is added is added here, or nothing shows that it asks who is there."""
    handlers = {
        name
        for module in (access_handlers, local_team, queue, replaying, replying)
        for name, one in inspect.getmembers(module, inspect.isfunction)
        if one.__module__ == module.__name__ and not name.startswith("_") and _is_handler(one)
    }
    assert len(handlers) > 20
    assert handlers <= {name for _, knock in DOORS.values() for name in knock.__code__.co_names}


def _is_handler(one: Callable[..., Any]) -> bool:
    """Whether it carries out a look: it takes the command of one first."""
    given = list(get_type_hints(one).values())
    return isinstance(given[0], type) and issubclass(given[0], commands.Look) and Looking in given


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "code", [code for code, one in the_rules().conditions.items() if one.of != "authority"]
)
def test_a_lapse_at_midnight_shuts_every_door_at_midnight(door: str, code: str) -> None:
    role, knock = DOORS[door]
    tomorrow = TODAY + timedelta(days=1)
    standing = a_standing(role, on_record={code: Proof(LATELY, ends_on=tomorrow)})
    midnight = begin_of(tomorrow)

    entries = Entries()
    with pytest.raises(AccessDenied) as refused:
        knock(looking(standing, entries), midnight)

    assert refused.value.code == f"{code}-lapsed"
    (entry,) = entries.appended
    assert isinstance(entry.event, AccessRefused)
    assert (entry.event.outcome, entry.event.rule, entry.event.hits) == ("refused", f"{code}-lapsed", ())
    assert entry.event.used == ((UUID(int=1), 8), (UUID(int=2), 3)), "what the decision was read from"
    assert entry.event.instant == midnight
    assert_passes(knock, standing, midnight - timedelta(microseconds=1))


def assert_passes(knock: Door, standing: Standing, at: datetime) -> None:
    """Once let in, it goes on to read what is behind the door, if it is a look."""
    entries = Entries()
    with suppress(WasReadError):
        knock(proved(looking(standing, entries), at), at)
    assert not entries.appended


def proved(before: Looking, at: datetime) -> Looking:
    """Whoever looks has given a second factor at this instant."""
    session = Session(UUID(int=9), before.viewer.account, "password", at, at, at, 8)
    return replace(before, viewer=replace(before.viewer, session=session))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (timedelta(), ""),
        (timedelta(minutes=5) - timedelta(microseconds=1), ""),
        (timedelta(minutes=5), "step-up-required"),
        (None, "step-up-required"),
    ],
)
def test_t36_a_look_behind_a_shield_needs_a_second_factor_given_lately(
    given: timedelta | None, code: str
) -> None:
    role, knock = DOORS["override"]
    entries = Entries()
    before = looking(a_standing(role), entries)
    before = before if given is None else proved(before, NOW - given)
    with pytest.raises((WasReadError, AccessDenied)) as ended:
        knock(before, NOW)
    assert getattr(ended.value, "code", "") == code
    for entry in entries.appended:
        assert isinstance(entry.event, AccessRefused)
        assert (entry.event.action, entry.event.rule) == ("override", code)
    with suppress(WasReadError):  # in a training home, where nobody is behind a shield, none is asked
        knock(looking(a_standing(role, training=True), entries), NOW)
    assert len(entries.appended) == (1 if code else 0)


@pytest.mark.parametrize("door", DOORS)
def test_a_role_goes_through_its_own_doors_alone(door: str) -> None:
    entries = Entries()
    _, knock = DOORS[door]
    with pytest.raises(AccessDenied) as refused:
        knock(looking(a_standing("account-manager"), entries), NOW)
    assert refused.value.code == "right-not-held"
    assert [access.event.rule for access in entries.appended] == ["right-not-held"]


def both(first: Standing, second: Actor) -> tuple[Refused, Entries]:
    entries = Entries()
    asked = commands.Look(confirmed_by=second.account, **look())
    with pytest.raises(Refused) as refused:
        let_in(asked, "lift-shield", looking(first, entries), second=second, subject=CHILD)
    return refused.value, entries


def test_of_two_people_every_condition_holds_of_both() -> None:
    good = a_standing("data-manager")
    lapsed = a_standing("data-manager", on_record={"check": Proof(LATELY, ends_on=TODAY)})

    refused, entries = both(good, an_actor(lapsed, 9, "1002"))
    assert refused.code == "second-not-admitted"
    assert "check" not in refused.message, "what does not hold of the second is theirs to know"
    (entry,) = entries.appended
    assert (entry.event.rule, entry.metadata.confirmed_by) == ("second-check-lapsed", UUID(int=9))

    refused, entries = both(lapsed, an_actor(good, 9, "1002"))
    assert refused.code == "check-lapsed"

    refused, _ = both(good, an_actor(a_standing("practitioner"), 9, "1002"))
    assert refused.code == "right-not-held"


def test_two_accounts_of_one_person_are_not_two_people() -> None:
    good = a_standing("data-manager")
    refused, entries = both(good, an_actor(good, 9))
    assert refused.code == "same-person"
    assert [access.event.rule for access in entries.appended] == ["same-person"]


def test_two_accounts_of_which_nobody_said_whose_they_are_may_be_two_people() -> None:
    good = a_standing("data-manager")
    nobody_said = an_actor(good, 9, None)
    asked = commands.Look(confirmed_by=nobody_said.account, **look())
    let_in(asked, "lift-shield", looking(good, Entries()), second=nobody_said)
