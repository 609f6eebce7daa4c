"""T53, T76. What role R saw at time t is what was displayed: thousands of sampled accesses, shown again at the end.

Accesses of every kind that displays records, by every role, on records that go on changing: corrected, moved,
shielded, unshielded, archived, destroyed, views rebuilt beside them. Ten thousand in a soak, a hundredth of them in a
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
from domain.access.commands import HandOver, OpenRecord, ReplayAccess, SearchRecords
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
    read_reviews,
    read_shield_requests,
)
from domain.access.ports import Looking
from domain.access.queue import list_held
from domain.access.replaying import Replayed, replay
from domain.access.replying import read_subject_requests
from domain.access.showing import Shown
from domain.child_record.commands import LiftShield, NotifyDeath
from domain.child_record.events import Contact
from domain.disclosure import canonical
from domain.errors import AccessDenied, NotFound, Refused
from domain.kernel import Command
from tests import builders
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, id_of
from tests.plugins_counts import count, seed

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(14_400)]

ACCESSES: Final = count(10_000)
IN_A_ROUND: Final = 50
NEW_CHILDREN: Final = 4
"""Born in every round; the two that were born first are destroyed at the end."""
OURS: Final = "E06000999"
READERS: Final = ("practitioner", "teacher", "social-worker", "data-manager", "data-manager-2")


DUE: Final = date(2050, 1, 1)

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
    """One access, as it was displayed."""

    access_id: UUID
    kind: str
    display: dict[str, Any]


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

    def add(self, born: date | None = None) -> None:
        """A child of the data managers' own authority, or of another."""
        one = a_child(**({"born": born} if born else {}))
        authority = self.random.choice([OURS, OURS, "E06000998"])
        loaded = self.line.births({**one.entry, "authority": authority})
        assert loaded["registered"] == 1
        self.children.append((one, UUID(id_of(self.line, one))))

    def drawn(self) -> tuple[Child, UUID]:
        """One of the children; the newer the likelier, as with people."""
        return self.random.choice([*self.children, *self.children[-6:]])

    # Looking

    def look(self, app: App) -> None:
        """One access of some kind by somebody; what is refused is no display."""
        kinds: Sequence[Callable[[App], tuple[str, UUID, dict[str, Any]]]] = (
            self._show, self._show, self._search, self._search, self._past, self._override, self._hand_over,
            self._mediated, self._list, self._list, self._list,
            self._list, self._again,
        )  # fmt: skip
        try:
            kind, access_id, display = self.random.choice(kinds)(app)
        except (NotFound, AccessDenied):
            return
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.sampled.append(Sampled(access_id, kind, display))

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
        app.catch_up()
        asked = {"at": app.now(), "access_id": app.ids.new(), "reason": app.reason(viewer)}
        shown = read(asked, self.drawn()[1], app.looking(viewer))
        return f"{kind} by {acting}", shown.access_id, shown.display

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
        assert again.policy == "present"
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
        "show", "search", "past", "override", "hand-over", "mediated", "replay", *LISTS,
    }  # fmt: skip

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
