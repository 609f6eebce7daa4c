"""What everything that gives a rebuild its streams promises: by what catching up uses, and by COPY on PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.memory.log_reader import MemoryLogReader
from adapters.memory.recorder import MemoryRecorder
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.log_slices import LogSlices
from adapters.slices import StoredSlices
from domain.access.events import Hit, RecordShown
from domain.account.events import EVENTS as ACCOUNT_EVENTS
from domain.account.events import AccountClosed
from domain.child_record.decisions import decide
from domain.child_record.events import EVENTS as CHILD_EVENTS
from domain.child_record.handlers import change_of
from domain.child_record.model import fold
from domain.kernel import Change, Command, EventTypes, History, Log, Metadata, Pending, StreamKind
from projections.ports import Plan, Slices
from projections.projection import EVERYTHING, Depth, Reads
from projections.slices import StreamByStream
from tests import builders
from tests.builders import NOW, a_number, an_address, asserts, registers, the_rules
from tests.homes import Home, memory_home, postgres_home, trusting
from tests.postgres import MakeDatabases
from tests.unit.projections.journal import only_facts

METADATA = Metadata(actor=UUID(int=7), correlation=UUID(int=8), purpose="casework")
TYPES: EventTypes = CHILD_EVENTS | ACCOUNT_EVENTS
SLICE = 8
"""So few events to a slice that a few dozen make many slices."""


@dataclass
class World:
    """A home, and what gives its streams in slices."""

    home: Home
    slices: Slices

    def tell(self, child_id: UUID, *commands: Command) -> None:
        store = self.home.writer()
        for command in commands:
            record = fold(store.load(child_id))
            store.append(
                [change_of(child_id, record.version, decide(record, command, the_rules()))], METADATA
            )

    def look(self, *shown: UUID) -> UUID:
        access_id = uuid4()
        event = RecordShown(
            child=shown[0],
            role="practitioner",
            organisation=UUID(int=2),
            body="RQX",
            area="E09000012",
            purposes=("casework",),
            action="show",
            outcome="granted",
            rule="ordinary",
            hits=tuple(Hit(child, 1, "1f", bytes(32)) for child in shown),
            instant=NOW,
            rule_set="present",
            renderer=1,
        )
        self.home.looks().append([Change(access_id, StreamKind.ACCESS, 0, (Pending(event),))], METADATA)
        return access_id

    def all(self, log: Log, upto: int | None = None, reads: Reads = EVERYTHING) -> dict[UUID, History | None]:
        """Every stream of every slice; that none comes twice is asserted."""
        upto = self.head(log) if upto is None else upto
        plan = Plan({log: upto}, {log: self.slices.count(log, upto)})
        found: dict[UUID, History | None] = {}
        for each in plan.all():
            for stream_id, history in self.slices.histories(each, upto, reads):
                assert stream_id not in found
                found[stream_id] = history
        return found

    def head(self, log: Log) -> int:
        return (self.home.record if log is Log.RECORD else self.home.access).head().position


@pytest.fixture(
    params=["memory", *(pytest.param(how, marks=pytest.mark.postgres) for how in ("postgres", "copy"))]
)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        home = memory_home(TYPES)
        assert isinstance(home.record, MemoryRecorder)
        assert isinstance(home.access, MemoryRecorder)
        reader = MemoryLogReader({Log.RECORD: home.record, Log.ACCESS: home.access})
        yield World(home, StreamByStream(reader, _openers(home)))
        return
    make: MakeDatabases = request.getfixturevalue("make_databases")
    databases = make()
    home = postgres_home(databases, tmp_path / "kek", TYPES)
    order = PostgresLogReader(databases.record)
    rows = LogSlices(databases.record, databases.keyring, slice_events=SLICE)
    if request.param == "copy":
        yield World(home, StoredSlices(rows, home.service_keys(), trusting(TYPES)))
    else:
        yield World(home, StreamByStream(order, _openers(home)))
    for each in (order, rows, home):
        each.close()


def _openers(home: Home) -> dict[Log, Callable[..., dict[UUID, History]]]:
    return {Log.RECORD: home.service().load_many, Log.ACCESS: home.looks().load_many}


def _children(world: World, number: int) -> list[UUID]:
    children = [uuid4() for _ in range(number)]
    for at, child in enumerate(children):
        world.tell(child, registers(index_number=a_number(at * 7919 + 1)), asserts(whereabouts=an_address()))
    return children


def test_every_stream_is_in_one_slice_as_whoever_opens_it_has_it(world: World) -> None:
    children = _children(world, 40)
    shielded, destroyed, account = children[0], children[1], uuid4()
    world.tell(shielded, builders.shields(), asserts(whereabouts=an_address("9 Safe Street", "M1 1AE")))
    world.home.staff().append(
        [Change(account, StreamKind.STAFF, 0, (Pending(AccountClosed(reason="left")),))], METADATA
    )
    looks = [world.look(*children[3:6]), world.look(shielded), world.look(destroyed, children[7])]
    world.home.writer_keys().destroy(destroyed, uuid4())
    found = world.all(Log.RECORD)
    assert set(found) == {*children, account}
    assert found == world.home.service().load_many(found)
    assert fold(_there(found[shielded])).shielded
    assert not fold(_there(found[destroyed])).registered
    seen = world.all(Log.ACCESS)
    assert set(seen) == set(looks)
    assert seen == world.home.looks().load_many(seen)


def test_a_stream_that_cannot_be_opened_is_named_without_a_history(world: World) -> None:
    one, other, third = _children(world, 3)
    world.home.tamper("record_log", one, 2, "identity", bytes(448))
    world.home.lose("record_log", other, 2)
    found = world.all(Log.RECORD)
    assert (found[one], found[other]) == (None, None)
    assert _there(found[third]).version == 3


def test_what_came_after_the_position_may_be_left_out_and_nothing_before_it(world: World) -> None:
    first, second = _children(world, 2)
    upto = world.head(Log.RECORD)
    world.tell(first, asserts(whereabouts=an_address("2 Oak Way")))
    (late,) = _children(world, 1)
    found = world.all(Log.RECORD, upto)
    assert {first, second} <= set(found)
    assert late not in found
    assert [one.position <= upto for one in _there(found[first]).events][:3] == [True] * 3


def test_an_empty_log_has_no_stream(world: World) -> None:
    assert world.all(Log.RECORD) == {}
    assert world.all(Log.ACCESS) == {}


def test_what_a_view_of_facts_is_not_made_of_is_hidden_at_most(world: World) -> None:
    """Of a child: no metadata, and no content of events that are not concealed. All else is as it is."""
    children = _children(world, 20)
    world.tell(children[0], builders.shields())
    for child, history in world.all(Log.RECORD, reads=Reads(Depth.FACTS)).items():
        whole = world.home.service().load(child)
        for part, full in zip(_there(history).events, whole.events, strict=True):
            assert part in (full, only_facts(full))


def _there(history: History | None) -> History:
    assert history is not None
    return history
