"""T53, T76. What role R saw at time t is what was displayed: thousands of sampled accesses, shown again at the end.

Accesses of every kind that displays something, by every role, on records that go on changing: corrected, moved,
shielded, unshielded, merged, made two again, offered to another authority, archived, destroyed; views are rebuilt and
other rules come into force beside them. Ten thousand in a soak, a hundredth of them in a
test run; the seed is printed.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

import pytest

from cli.app import App
from cli.bootstrap import open_app
from cli.two_people import TwoPeople
from domain.access import commands as look
from domain.access.commands import HandOver, OpenRecord, ReplayAccess, ReplyToSubject, SearchRecords
from domain.access.events import Criteria
from domain.access.handlers import (
    export_accesses,
    hand_over,
    open_record,
    read_about,
    read_due,
    read_refusals,
    read_trail,
    search,
)
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
from domain.access.ports import Looking
from domain.access.queue import list_held
from domain.access.replaying import Replayed, replay
from domain.access.replying import read_subject_requests, reply_to_subject
from domain.access.showing import Shown
from domain.child_record.commands import (
    AskForContact,
    LiftShield,
    NotifyDeath,
    OfferTransfer,
    RequestSubjectAccess,
    WithdrawTransfer,
)
from domain.child_record.events import Contact
from domain.disclosure import canonical
from domain.errors import AccessDenied, Refused
from domain.kernel import Command
from domain.policy.retention import london_day
from tests import builders
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, id_of
from tests.acceptance.test_rules import WITHOUT_ADDRESS, a_file, adopted
from tests.plugins_counts import count, seed

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(14_400)]

ACCESSES: Final = count(10_000)
IN_A_ROUND: Final = 50
NEW_CHILDREN: Final = 4
"""Born in every round; the two that were born first are destroyed at the end."""
OURS: Final = "E06000999"
READERS: Final = ("practitioner", "teacher", "social-worker", "data-manager", "data-manager-2")


DUE: Final = date(2050, 1, 1)
SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)

Reading = Callable[[dict[str, Any], UUID, Looking], Shown]
"""Reads a list: given what every look has, a child, and what looking needs."""


def _trail(kind: str) -> Reading:
    def read(asked: dict[str, Any], child: UUID, looking: Looking) -> Shown:
        subject = looking.viewer.account if kind == "what-saw" else child
        command = look.ReadTrail.model_validate({**asked, "kind": kind, "subject": subject, "limit": 20})
        return read_trail(command, looking)

    return read


def _export(asked: dict[str, Any], child: UUID, looking: Looking) -> Shown:
    command = look.ExportAccesses(kind="who-saw", subject=child, limit=20, **asked)
    return export_accesses(command, looking)


LISTS: Final[Mapping[str, tuple[str, Reading]]] = {
    "who-saw": ("auditor", _trail("who-saw")),
    "what-saw": ("auditor", _trail("what-saw")),
    "changes": ("auditor", _trail("changes")),
    "changes-managed": ("data-manager", _trail("changes")),
    "export": ("auditor", _export),
    "refusals": ("auditor", lambda asked, _, at: read_refusals(look.ReadRefusals(**asked), at)),
    "due": ("operator", lambda asked, _, at: read_due(look.ReadDue(on=DUE, **asked), at)),
    "queue": ("data-manager", lambda asked, _, at: list_held(look.ListHeld(**asked), at)),
    "reviews": ("data-manager", lambda asked, _, at: read_reviews(look.ReadReviews(on=DUE, **asked), at)),
    "overdue": ("auditor", lambda asked, _, at: read_reviews(look.ReadReviews(on=DUE, **asked), at)),
    "shield-requests": (
        "data-manager-2",
        lambda asked, child, at: read_shield_requests(look.ReadShieldRequests(child_id=child, **asked), at),
    ),
    "subject-requests": (
        "data-manager-2",
        lambda asked, child, at: read_subject_requests(look.ReadSubjectRequests(child_id=child, **asked), at),
    ),
    "siblings": (
        "data-manager",
        lambda asked, child, at: read_siblings(look.ReadSiblings(child_id=child, **asked), at),
    ),
    "transfer": (
        "data-manager",
        lambda asked, child, at: read_transfer(look.ReadTransfer(child_id=child, **asked), at),
    ),
    "wrong-views": (
        "data-manager",
        lambda asked, child, at: read_wrong_views(
            look.ReadWrongViews(child_id=child, since=SINCE, **asked), at
        ),
    ),
    "notices": (
        "operator",
        lambda asked, _, at: read_about(
            look.ReadAbout(action="tell-recipients", what="notices", listed=(), **asked), at
        ),
    ),
    "overrides": ("data-manager", lambda asked, _, at: list_overrides(look.ReadOverrides(**asked), at)),
    "contacts": ("data-manager", lambda asked, _, at: list_contacts(look.ListContacts(**asked), at)),
    "sensitive-due": (
        "data-manager",
        lambda asked, _, at: list_sensitive_due(look.ListSensitiveDue(on=DUE, **asked), at),
    ),
    "investigations": (
        "auditor",
        lambda asked, _, at: read_about(
            look.ReadAbout(action="investigate", what="investigations", listed=(), **asked), at
        ),
    ),
}
"""Lists that are sampled, each in its turn, and who reads them."""


class Sampled(NamedTuple):
    """One access, as it was displayed. policy: the rules it was displayed under."""

    access_id: UUID
    kind: str
    display: dict[str, Any]
    policy: str


class World:
    """Children and what happens to them and to those who look, drawn at random."""

    def __init__(self, line: Line, random: Random) -> None:
        self.line = line
        self.random = random
        self.children: list[tuple[Child, UUID]] = []
        self.sampled: list[Sampled] = []
        self.kinds: dict[str, int] = {}
        self.known_since: datetime = line.clock
        self.lists = cycle(LISTS)
        self.ours: list[UUID] = []
        self.in_force = "present"
        self.asked: list[tuple[UUID, UUID]] = []
        """Requests for contact: of which child, and which."""
        self.proposed: list[UUID] = []
        self.merged: list[UUID] = []
        """Records that hold two: what was merged into them last was not taken out yet."""

    def add(self, born: date | None = None) -> None:
        """A child of the data managers' own authority, or of another."""
        one = a_child(**({"born": born} if born else {}))
        authority = self.random.choice([OURS, OURS, "E06000998"])
        loaded = self.line.births({**one.entry, "authority": authority})
        assert loaded["registered"] == 1
        child_id = UUID(id_of(self.line, one))
        self.children.append((one, child_id))
        if authority == OURS:
            self.ours.append(child_id)

    def drawn(self) -> tuple[Child, UUID]:
        """One of the children; the newer the likelier, as with people."""
        return self.random.choice([*self.children, *self.children[-6:]])

    # Looking

    def look(self, app: App) -> None:
        """One access of some kind by somebody; what is refused is no display."""
        kinds: Sequence[Callable[[App], tuple[str, UUID, dict[str, Any]]]] = (
            self._show, self._show, self._search, self._search, self._past, self._override, self._hand_over,
            self._mediated, self._list, self._list, self._list,
            self._list, self._list, self._again, self._reply, self._contact, self._proposals,
        )  # fmt: skip
        try:
            kind, access_id, display = self.random.choice(kinds)(app)
        except Refused:
            return
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.sampled.append(Sampled(access_id, kind, display, self.in_force))

    def _open(self, app: App, kind: str, acting: str, **more: Any) -> tuple[str, UUID, dict[str, Any]]:
        caller = more.pop("caller", None)
        command = OpenRecord.model_validate(
            {
                "at": app.now(),
                "access_id": app.ids.new(),
                "reason": "casework",
                "child_id": self.drawn()[1],
                **more,
            }
        )
        looking = app.looking(app.viewer(acting))
        if caller is not None:
            looking = app.looking(app.viewer(caller)).on_behalf(looking.viewer, None)
        shown = open_record(command, looking)
        return f"{kind} by {caller or acting}", shown.access_id, shown.display

    def _show(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        return self._open(app, "show", self.random.choice(READERS))

    def _past(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        span = (self.line.clock - self.known_since).total_seconds()
        chosen: dict[str, Any] = {
            "as_of": self.known_since + timedelta(seconds=self.random.uniform(0, span)),
            "effective_on": date(2026, 1, 1) + timedelta(days=self.random.randrange(500)),
        }
        for name in self.random.choice([(), ("as_of",), ("effective_on",)]):
            chosen.pop(name)
        return self._open(app, "past", self.random.choice(READERS), **chosen)

    def _override(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        return self._open(app, "override", "social-worker", override=True)

    def _mediated(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        caller = self.random.choice(["teacher", "practitioner"])
        return self._open(app, "mediated", "mediator", caller=caller)

    def _search(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        one, _ = self.drawn()
        criteria = self.random.choice(
            [
                Criteria(name=one.name),
                Criteria(name=one.family),
                Criteria(name=one.name, date_of_birth=one.born),
                Criteria(postcode=one.postcode, name=one.family),
                Criteria(nhs_number=one.nhs),
            ]
        )
        acting = self.random.choice(READERS)
        command = SearchRecords(at=app.now(), access_id=app.ids.new(), reason="casework", criteria=criteria)
        shown = search(command, app.looking(app.viewer(acting)))
        return f"search by {acting}", shown.access_id, shown.display

    def _hand_over(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        second = app.viewer("data-manager-2")
        fields = self.random.sample(["name", "address", "carers", "date_of_birth", "involvements"], 2)
        command = HandOver.model_validate(
            {
                "at": app.now(),
                "access_id": app.ids.new(),
                "reason": "casework",
                "confirmed_by": second.account,
                "child_id": self.drawn()[1],
                "ground": "crime",
                "recipient": "County Police",
                "fields": fields,
            }
        )
        shown = hand_over(command, app.looking(app.viewer("data-manager")))
        return "hand-over", shown.access_id, shown.display

    def _list(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        kind = next(self.lists)
        acting, read = LISTS[kind]
        viewer = app.viewer(acting)
        child_id = self.drawn()[1]
        if kind in ("transfer", "siblings", "subject-requests"):
            child_id = self.random.choice(self.ours)
            with suppress(Refused):  # it may be offered, shielded or asked about already
                self._prepare(app, kind, child_id)
        app.catch_up()
        asked = {"at": app.now(), "access_id": app.ids.new(), "reason": app.reason(viewer)}
        shown = read(asked, child_id, app.looking(viewer))
        return f"{kind} by {acting}", shown.access_id, shown.display

    def _reply(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        """A parent, or the child, asks who looked; two people decide what is told."""
        child_id = self.random.choice(self.ours)
        requester, basis = self.random.choice([("parent", "best-interests"), ("child", "competent")])
        request = self._ask(app, child_id, requester, basis)
        first, second = app.viewer("data-manager"), app.viewer("data-manager-2")
        command = ReplyToSubject(
            at=app.now(),
            access_id=app.ids.new(),
            reason="record-management",
            confirmed_by=second.account,
            child_id=child_id,
            request=request,
            withheld=(),
        )
        replied = reply_to_subject(command, app.looking(first))
        return f"reply to {requester}", replied.access_id, replied.reply

    def _ask(self, app: App, child_id: UUID, requester: str, basis: str) -> UUID:
        asks = RequestSubjectAccess(
            at=app.now(),
            request=app.ids.new(),
            requester=requester,
            basis=basis,
            received_on=london_day(app.now()),
        )
        app.record(child_id, asks, app.viewer("data-manager"))
        return asks.request

    def _prepare(self, app: App, kind: str, child_id: UUID) -> None:
        """See to it that there is something to list of a record."""
        match kind:
            case "transfer":
                offer = OfferTransfer(at=app.now(), transfer=app.ids.new(), by=OURS, to="E06000998")
                app.record(child_id, offer, app.viewer("data-manager"))
            case "siblings":
                shields = builders.shields(at=app.now(), shield=app.ids.new())
                app.record(child_id, shields, app.viewer("social-worker"))
            case _:
                self._ask(app, child_id, "parent", "best-interests")

    def _contact(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        """Somebody reads what came of a request of theirs, an older one or a new."""
        viewer = app.viewer("teacher")
        if not self.asked or self.random.random() < 0.5:
            child_id, request = self.random.choice(self.ours), app.ids.new()
            with suppress(Refused):
                self._prepare(app, "siblings", child_id)  # nobody need ask for who is not hidden
            asks = AskForContact(at=app.now(), request=request, asked_by=viewer.account)
            app.record(child_id, asks, viewer)
            self.asked.append((child_id, request))
        child_id, request = self.random.choice(self.asked)
        command = look.ReadContact(
            at=app.now(), access_id=app.ids.new(), reason="casework", child_id=child_id, request=request
        )
        shown = read_contact(command, app.looking(viewer))
        return "contact by teacher", shown.access_id, shown.display

    def _proposals(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        """The second of two reads what the first proposed, and what became of it."""
        listed = self.random.sample(self.proposed, min(3, len(self.proposed)))
        command = look.ReadAbout(
            at=app.now(),
            access_id=app.ids.new(),
            reason="casework",
            action="two-people",
            what="proposals",
            listed=tuple(listed),
        )
        shown = read_about(command, app.looking(app.viewer("data-manager-2")))
        return "proposals by data-manager-2", shown.access_id, shown.display

    def _again(self, app: App) -> tuple[str, UUID, dict[str, Any]]:
        """What was shown, shown to an auditor, or to two."""
        if not self.sampled:
            return self._show(app)
        one = self.random.choice(self.sampled)
        found = self._alone(app, one) or self.replayed(app, one, "auditor-2")
        return "replay by auditor", found.access_id, found.as_displayed

    # What happens meanwhile

    def happen(self, app: App) -> None:
        """Something is recorded of some child."""
        one, child_id = self.drawn()
        if self.random.random() < 0.15:
            with suppress(Refused):
                self._rearranged(app, child_id)
            return
        now = app.now()
        day = date(2026, 1, 1) + timedelta(days=self.random.randrange(400))
        involvement = UUID(int=self.random.randrange(1, 4))
        postcode = f"WF{self.random.randrange(30, 40)} 1AA"
        commands: Sequence[tuple[str, Command]] = (
            (
                "practitioner",
                builders.corrects(at=now, effective=day, names=(builders.a_name(f"A{one.given}"),)),
            ),
            (
                "practitioner",
                builders.asserts(
                    at=now, effective=day, whereabouts=builders.an_address("1 Later Row", postcode)
                ),
            ),
            ("practitioner", builders.asserts(at=now, effective=day, carers=(builders.a_carer(),))),
            (
                "practitioner",
                builders.involves(at=now, involvement=involvement, began=day, contact=Contact()),
            ),
            (
                "practitioner",
                builders.involves(
                    "Harbour clinic", "sensitive", at=now, involvement=app.ids.new(), began=day
                ),
            ),
            ("practitioner", builders.ends(involvement, day).model_copy(update={"at": now})),
            ("social-worker", builders.shields(at=now, shield=app.ids.new())),
            ("data-manager", builders.lifts(at=now)),
            ("practitioner", NotifyDeath(at=now, died_on=date(2027, 3, 1))),
        )
        weights = (3, 3, 2, 2, 2, 1, 3, 3, 1)
        ((acting, command),) = self.random.choices(commands, weights)
        if command.at != now:
            command = command.model_copy(update={"at": now})
        with suppress(Refused):  # not every wish fits every record
            if isinstance(command, LiftShield):
                two = app.viewer(acting), app.viewer("data-manager-2")
                TwoPeople(app).lift_shield(child_id, command.reason, *two)
            else:
                app.record(child_id, command, app.viewer(acting))

    def _rearranged(self, app: App, child_id: UUID) -> None:
        """Two records become one, or one two; or a record is offered to another authority; or this is proposed."""
        first, second = app.viewer("data-manager"), app.viewer("data-manager-2")
        other = self.drawn()[1]
        match self.random.choice(("merge", "propose", "split", "split", "offer", "take back")):
            case "merge" if other != child_id:
                app.merge(child_id, other, "documents-seen", first, second)
                self.merged.append(child_id)
            case "split" if self.merged:
                app.split(self.merged.pop(), "merged-in-error", (), first, second)
            case "propose" if other != child_id:
                made = TwoPeople(app).propose_merge(child_id, other, "documents-seen", first)
                self.proposed.append(UUID(made["proposal"]))
            case "offer":
                self._prepare(app, "transfer", child_id)
            case "take back":
                app.record(child_id, WithdrawTransfer(at=app.now(), by=OURS), first)
            case _:
                pass

    # Showing again

    def replayed(self, app: App, one: Sampled, second: str | None) -> Replayed:
        """The access shown again, by an auditor or by two."""
        confirming = app.viewer(second) if second else None
        command = ReplayAccess(
            at=app.now(),
            access_id=app.ids.new(),
            reason="audit",
            replayed=one.access_id,
            confirmed_by=confirming.account if confirming else None,
        )
        return replay(command, app.looking(app.viewer("auditor")))

    def same(self, app: App, one: Sampled) -> bool:
        """Byte for byte, and by its digests: to one auditor what needs one, to two what was shielded since."""
        again = self._alone(app, one) or self.replayed(app, one, "auditor-2")
        assert canonical(again.as_displayed) == canonical(one.display), one.kind
        assert again.digest_matches, one.kind
        assert again.policy == one.policy
        return True

    def _alone(self, app: App, one: Sampled) -> Replayed | None:
        try:
            return self.replayed(app, one, None)
        except AccessDenied as refused:
            if refused.code != "two-people-needed":
                raise
            return None


def lived(line: Line, random: Random) -> World:
    """A world in which so many accesses were sampled while things happened."""
    world = World(line, random)
    for born in (date(2009, 5, 1), date(2009, 5, 2)):
        world.add(born)
    rounds = 0
    while len(world.sampled) < ACCESSES:
        if world.in_force == "present" and len(world.sampled) >= ACCESSES // 2:
            begins = line.clock.date() + timedelta(days=1)
            adopted(line, a_file(line, "later", begins, None, WITHOUT_ADDRESS))
            line.clock += timedelta(days=1)
            world.in_force = "later"
        for _ in range(NEW_CHILDREN if rounds < 40 else 0):
            world.add()
        line.clock += timedelta(minutes=7)
        with line.sealer(), open_app(line.home, line.settings) as app:
            enough = min(len(world.sampled) + IN_A_ROUND, ACCESSES)
            while len(world.sampled) < enough:
                world.look(app)
                if random.random() < 0.3:
                    world.happen(app)
            for one in random.sample(world.sampled, 3):
                world.same(app, one)
        if rounds % 10 == 0:
            for view in ("practitioner_view", "audit_trail"):
                line.done("projection", "rebuild", view, "--switch")
        rounds += 1
    return world


def test_t53_t76_every_sampled_access_is_shown_again_to_the_byte_until_what_it_showed_is_destroyed(
    new_home: NewHome,
) -> None:
    line = new_home()
    world = lived(line, Random(seed()))
    assert len(world.sampled) == ACCESSES
    assert {kind.split(" ")[0] for kind in world.kinds} == {
        "show", "search", "past", "override", "hand-over", "mediated", "replay", "reply", "contact", "proposals",
        *LISTS,
    }  # fmt: skip
    assert world.merged, "two records became one, and stayed so"

    line.clock += timedelta(days=1)
    with open_app(line.home, line.settings) as app:
        assert all([world.same(app, one) for one in world.sampled])  # noqa: C419 - each says which it was

    gone = [child_id for _, child_id in world.children[:2]]
    line.clock = datetime(2027, 5, 3, 9, tzinfo=UTC)
    line.done("retention", "run")
    line.clock = datetime(2033, 5, 3, 9, tzinfo=UTC)
    line.done("retention", "run")
    with open_app(line.home, line.settings) as app:
        rest = set(world.random.sample(range(ACCESSES), ACCESSES // 5))
        told = [
            destroyed_or_same(world, app, one, gone, number in rest)
            for number, one in enumerate(world.sampled)
        ]
    assert any(told), "or nothing of what was destroyed was ever shown"
    assert not all(told)


OF_MANY: Final = frozenset({*LISTS, "replay"})
"""What may tell of a child that is not among its hits."""


def same_or_destroyed(world: World, app: App, one: Sampled) -> bool:
    """The same, or refused by a certificate: what a list was made of is destroyed in part."""
    try:
        return world.same(app, one)
    except Refused as refused:
        if refused.code != "destroyed":
            raise
        return True


def destroyed_or_same(
    world: World,
    app: App,
    one: Sampled,
    gone: Sequence[UUID],
    compared: bool,
) -> bool:
    """Whether what an access showed is destroyed; it says when, under which certificate, and which version it was."""
    access = app.access_log.load(one.access_id)
    assert access is not None
    destroyed = [hit for hit in access.event.hits if hit.stream in gone]
    if not destroyed and one.kind.split(" ")[0] in OF_MANY:
        return compared and not same_or_destroyed(world, app, one)
    if not destroyed:
        return compared and not world.same(app, one)
    with pytest.raises(Refused) as refused:
        world.replayed(app, one, "auditor-2")
    assert refused.value.code == "destroyed"
    for words in (
        "on 2033-05-03 under the certificate ",
        f"version {destroyed[0].version} of {destroyed[0].stream}",
    ):
        assert words in refused.value.message
    return True
