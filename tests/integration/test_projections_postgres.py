"""Views on a real server: search, the audit trail, rebuilds under load, and kill -9 in the middle."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from adapters.postgres.databases import Databases
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.log_slices import LogSlices
from adapters.postgres.view_store import PostgresViewStore
from adapters.slices import StoredSlices
from cli.viewing import Workers
from domain.access.events import Criteria, Hit, RecordShown, TrailFilter
from domain.access.model import AccessGrant
from domain.access.reach import Reach
from domain.child_record.decisions import decide
from domain.child_record.events import EVENTS as CHILD_EVENTS
from domain.child_record.events import Gender, PersonName
from domain.child_record.model import fold
from domain.destruction.events import EVENTS as DESTRUCTION_EVENTS
from domain.destruction.events import DestructionCompleted
from domain.errors import Unavailable
from domain.kernel import Change, Command, Log, Metadata, Pending, StreamKind
from projections.audit_trail.queries import AuditTrail
from projections.audit_trail.view import AUDIT_TRAIL
from projections.engine import Engine, Progress
from projections.match_index.queries import MatchIndex
from projections.match_index.view import MATCH_INDEX
from projections.ports import Plan
from projections.practitioner_view.queries import CANDIDATES, PractitionerFinder
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.projection import Projection
from projections.rebuild import Operations
from projections.registry import PROJECTIONS
from projections.retention_schedule.queries import due, undated
from projections.retention_schedule.view import RETENTION_SCHEDULE
from tests import builders
from tests.builders import BORN, NOW, a_number, an_address, asserts, registers, the_book, the_rules
from tests.homes import Home, postgres_home, trusting
from tests.postgres import MakeDatabases

pytestmark = pytest.mark.postgres

SOMEBODY: Final = UUID(int=1)
ORGANISATION: Final = UUID(int=0xFEED)
ALL = TrailFilter()
GRANT: Final = AccessGrant(UUID(int=4), builders.a_viewer(), NOW, "casework")


@dataclass
class Site:
    """A home with views, as one process has it open."""

    home: Home
    databases: Databases
    views: PostgresViewStore
    reader: PostgresLogReader
    slices: LogSlices
    operations: Operations

    def tell(self, child_id: UUID, *commands: Command) -> None:
        """Decide and append, as a writer does."""
        store = self.home.writer()
        for command in commands:
            record = fold(store.load(child_id))
            decision = decide(record, command, the_rules())
            pending = tuple(
                Pending(event, key) for event, key in zip(decision.events, decision.content_keys, strict=True)
            )
            if pending:
                shielded = record.shielded or any(e.NAME == "shield-raised" for e in decision.events)
                store.append(
                    [Change(child_id, StreamKind.CHILD, record.version, pending, shielded)], _metadata()
                )
                if shielded:
                    self.home.writer_keys().move_in(child_id)

    def look(self, *shown: UUID) -> UUID:
        """Somebody is shown records."""
        access_id = uuid4()
        made: dict[str, Any] = {
            "role": "practitioner",
            "organisation": ORGANISATION,
            "body": "RQX",
            "area": "E09000012",
            "purposes": ("casework",),
            "action": "show",
            "outcome": "granted",
            "rule": "ordinary",
            "hits": tuple(Hit(child, 3, "1f", bytes(32)) for child in shown),
            "instant": self.home.clock.now(),
            "rule_set": "present",
            "renderer": 1,
        }
        event = RecordShown(child=shown[0], **made)
        change = Change(access_id, StreamKind.ACCESS, 0, (Pending(event),))
        self.home.looks().append([change], _metadata())
        return access_id

    def finder(self) -> PractitionerFinder:
        return PractitionerFinder(partial(self.views.reading, PRACTITIONER_VIEW))

    def search(self, limit: int = 20, **criteria: Any) -> list[UUID]:
        return self.finder().find(GRANT, Criteria(**criteria), limit)[0]

    def rows(self, state: str = "live") -> dict[str, set[str]]:
        """Every row of every view, as text."""
        found = {}
        for projection in PROJECTIONS:
            (build,) = [build for build in self.views.builds(projection.name) if build.state == state]
            for table in projection.tables:
                found[f"{projection.name}.{table.name}"] = set(map(repr, self.views.rows(build, table.name)))
        return found

    def close(self) -> None:
        self.home.close()
        self.views.close()
        self.reader.close()
        self.slices.close()


def _metadata() -> Metadata:
    return Metadata(actor=SOMEBODY, purpose="casework", correlation=uuid4())


def open_site(databases: Databases, folder: Path, projections: tuple[Projection, ...] = PROJECTIONS) -> Site:
    """Open the home of these databases; as often as one likes."""
    home = postgres_home(databases, folder / "kek", CHILD_EVENTS | DESTRUCTION_EVENTS)
    views, reader = PostgresViewStore(databases.views), PostgresLogReader(databases.record)
    openers = {Log.RECORD: home.service().load_many, Log.ACCESS: home.looks().load_many}
    rows = LogSlices(databases.record, databases.keyring, slice_events=30)
    slices = StoredSlices(rows, home.service_keys(), trusting(CHILD_EVENTS | DESTRUCTION_EVENTS))
    engine = Engine(views, reader, openers, slices, the_book(), home.clock)
    return Site(home, databases, views, reader, rows, Operations(engine, projections))


@pytest.fixture
def site(make_databases: MakeDatabases, tmp_path: Path) -> Iterator[Site]:
    opened = open_site(make_databases(), tmp_path)
    yield opened
    opened.close()


def a_child(number: int) -> UUID:
    """A child's id, spread over the partitions."""
    return UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128))


def _register(site: Site, number: int, given: str = "Amira Jane", family: str = "Khan", **more: Any) -> UUID:
    child = a_child(number)
    name = PersonName(given=tuple(given.split()), family=family)
    site.tell(child, registers(**({"index_number": a_number(number * 7919), "names": (name,)} | more)))
    return child


# Search


@pytest.fixture(scope="module")
def town(make_databases: MakeDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A few children whom searches must tell apart."""
    opened = open_site(make_databases(), tmp_path_factory.mktemp("town"))
    amira = _register(opened, 1, "Amira Jane", "Khan", nhs_number="9000000009")
    opened.tell(amira, asserts(whereabouts=an_address()))
    _register(
        opened, 2, "Zoë Anne-Marie", "O'Brien Smith", date_of_birth=date(2015, 9, 6), gender=Gender.FEMALE
    )
    _register(opened, 3, "Muhammad", "Ali", gender=Gender.MALE)
    married = (
        PersonName(given=("Tom",), family="Reed"),
        PersonName(given=("Tom",), family="Carter", kind="former"),
    )
    _register(opened, 4, names=married, gender=Gender.NOT_SPECIFIED, date_of_birth=date(2012, 3, 4))
    hidden = (
        PersonName(given=("Lena",), family="Moss"),
        PersonName(given=("Lena",), family="Grant", kind="former"),
    )
    lena = _register(opened, 5, names=hidden, nhs_number="9000000017", date_of_birth=date(2014, 1, 2))
    opened.tell(lena, asserts(whereabouts=an_address("1 Safe Street", "M1 1AE")), builders.shields())
    _register(opened, 6, "Old", "Timer", date_of_birth=date(2010, 3, 2))
    opened.operations.run()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("criteria", "number"),
    [
        pytest.param({"name": "Amira Khan"}, 1, id="name alone"),
        pytest.param({"name": "khan amira"}, 1, id="family name first"),
        pytest.param({"name": "Khan"}, 1, id="family name"),
        pytest.param({"name": "am khan"}, 1, id="beginning of the given name"),
        pytest.param({"name": "Ameera Kahn"}, 1, id="sounds alike"),
        pytest.param({"name": "Amira Khan", "date_of_birth": BORN}, 1, id="name and date of birth"),
        pytest.param({"name": "Amira", "date_of_birth": BORN}, 1, id="given name and date of birth"),
        pytest.param({"name": "Amria Khan", "date_of_birth": BORN}, 1, id="letters exchanged"),
        pytest.param({"name": "Khan", "postcode": "e81dy"}, 1, id="name and postcode"),
        pytest.param({"date_of_birth": BORN, "postcode": "E8 1DY"}, 1, id="date of birth and postcode"),
        pytest.param({"number": a_number(7919)}, 1, id="index number"),
        pytest.param({"nhs_number": "900 000 0009"}, 1, id="NHS number"),
        pytest.param({"name": "Zoe Anne Marie OBrien-Smith"}, 2, id="accents, hyphens, apostrophe"),
        pytest.param({"name": "annemarie smith"}, 2, id="double names in part and as one"),
        pytest.param({"name": "Zoe Smith", "date_of_birth": BORN}, 2, id="day and month exchanged"),
        pytest.param({"name": "Mohammed Ali", "gender": Gender.MALE}, 3, id="transliteration and gender"),
        pytest.param({"name": "Tom Carter"}, 4, id="former name"),
        pytest.param({"name": "Tom Reed", "gender": Gender.MALE}, 4, id="gender not specified"),
        pytest.param({"name": "Lena Moss"}, 5, id="a shielded record by its name"),
        pytest.param(
            {"name": "Moss", "date_of_birth": date(2014, 2, 1)}, 5, id="and date of birth, exchanged"
        ),
        pytest.param({"number": a_number(5 * 7919)}, 5, id="and by its number"),
    ],
)
def test_a_search_finds(town: Site, criteria: dict[str, Any], number: int) -> None:
    assert town.search(**criteria) == [a_child(number)]


@pytest.mark.parametrize(
    "criteria",
    [
        pytest.param({"name": "Amira Osman"}, id="another family name"),
        pytest.param({"name": "Amira Khan", "date_of_birth": date(2015, 6, 10)}, id="another date of birth"),
        pytest.param({"name": "Amira Khan", "postcode": "E8 1DZ"}, id="another postcode"),
        pytest.param({"name": "Muhammad Ali", "gender": Gender.FEMALE}, id="another gender"),
        pytest.param({"name": "Lena Grant"}, id="a shielded record by a former name"),
        pytest.param({"name": "Lena Moss", "postcode": "M1 1AE"}, id="by its postcode"),
        pytest.param({"date_of_birth": date(2014, 1, 2), "postcode": "M1 1AE"}, id="by birth and postcode"),
        pytest.param({"nhs_number": "9000000017"}, id="by its NHS number"),
        pytest.param({"number": a_number(5 * 7919), "nhs_number": "9000000017"}, id="by both numbers"),
        pytest.param({"name": "100%"}, id="signs that mean something to the database"),
    ],
)
def test_a_search_does_not_find(town: Site, criteria: dict[str, Any]) -> None:
    assert town.search(**criteria) == []


def test_a_record_is_not_found_from_the_day_it_leaves_sight(town: Site) -> None:
    criteria = Criteria(name="Old Timer")
    for days, expected in ((-1, [a_child(6)]), (0, [])):
        instant = NOW.replace(year=2028, month=3, day=2) + timedelta(days=days)
        grant = AccessGrant(UUID(int=4), builders.a_viewer(), instant, "casework")
        assert town.finder().find(grant, criteria, 20) == (expected, False)


def test_there_may_be_more_than_a_page(site: Site) -> None:
    children = {_register(site, number) for number in range(10, 13)}
    site.operations.run()
    found, more = site.finder().find(GRANT, Criteria(name="Amira Khan"), 2)
    assert more
    assert found == sorted(children, key=lambda child: child.bytes)[:2]
    assert site.finder().find(GRANT, Criteria(name="Amira Khan"), 3) == (
        sorted(children, key=lambda child: child.bytes),
        False,
    )


def test_a_spelling_of_which_there_are_too_many_is_told_and_no_other_is_looked_up(site: Site) -> None:
    criteria = Criteria(name="Kershaw")
    heard = _register(site, 0, family="Kershow")  # the first in the order of ids
    written = {_register(site, number, family="Kershaw") for number in range(500, 499 + CANDIDATES)}
    site.operations.run()
    found, more = site.finder().find(GRANT, criteria, CANDIDATES + 10)
    assert (set(found), found[-1], more) == (written | {heard}, heard, False)
    written |= {_register(site, number, family="Kershaw") for number in (401, 402)}
    site.operations.run()
    found, more = site.finder().find(GRANT, criteria, CANDIDATES + 10)
    assert (len(found), set(found) <= written, more) == (CANDIDATES, True, True)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT FROM child WHERE number = 'x'", "child_number"),
        ("SELECT FROM child WHERE nhs_number = 'x'", "child_nhs_number"),
        ("SELECT FROM child WHERE date_of_birth = ANY ('{2015-06-09,2015-09-06}')", "child_date_of_birth"),
        ("SELECT FROM child WHERE postcode = 'x'", "child_postcode"),
        ("SELECT FROM name WHERE family = 'x' AND given LIKE 'y%'", "name_family_given"),
        ("SELECT FROM name WHERE sounds @> '{x,y}'", "name_sounds"),
    ],
)
def test_each_query_has_its_index(town: Site, query: str, index: str) -> None:
    with town.views.reading(PRACTITIONER_VIEW) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {query}".encode()))
    assert index in plan


# The other views


def test_the_match_index_finds_candidates_by_any_key(town: Site) -> None:
    index = MatchIndex(partial(town.views.reading, MATCH_INDEX))
    (found,) = index.find(["n:9000000009", "p:E81DY", "p:nowhere"])
    assert (found.child_id, found.surname, found.postcode) == (a_child(1), "khan", "E8 1DY")
    (hidden,) = index.find(["s:2014-01-02"])
    assert (hidden.child_id, hidden.shielded, hidden.postcode) == (a_child(5), True, None)
    assert index.find(["p:M11AE"]) == []
    assert index.find([]) == []
    assert [one.child_id for one in index.get([a_child(3), uuid4()])] == [a_child(3)]


def test_what_falls_due_is_listed_in_order(town: Site) -> None:
    with town.views.reading(RETENTION_SCHEDULE) as connection:
        found = due(connection, date(2032, 1, 2))
        assert [(one.child_id, one.due_on) for one in found] == [
            (a_child(6), date(2028, 3, 2)),
            (a_child(4), date(2030, 3, 4)),
            (a_child(5), date(2032, 1, 2)),
        ]
        assert undated(connection) == []


_FAR: Final = 1 << 40
"""A position beyond all there are: read everything."""


def _far(limit: int) -> Reach:
    return Reach(_FAR, _FAR, limit)


def _trail(site: Site) -> AuditTrail:
    return AuditTrail(
        partial(site.views.reading, AUDIT_TRAIL),
        site.home.service(),
        site.home.looks().load_many,
        lambda: (_FAR, _FAR),
    )


def test_who_saw_names_the_organisation_until_the_child_is_shielded(site: Site) -> None:
    child, other = _register(site, 1), _register(site, 2)
    first = site.look(child, other)
    site.home.clock.instant += timedelta(hours=1)
    second = site.look(child)
    site.operations.run()
    entries = _trail(site).who_saw(GRANT, child, ALL, _far(10))[0]
    assert [entry["access_id"] for entry in entries] == [str(second), str(first)]
    assert {entry["organisation"] for entry in entries} == {str(ORGANISATION)}
    assert entries[0]["account"] == str(SOMEBODY)
    assert [entry["access_id"] for entry in _trail(site).who_saw(GRANT, child, ALL, _far(1))[0]] == [
        str(second)
    ]
    site.tell(child, builders.shields())  # and no view has heard of it
    told = _trail(site).who_saw(GRANT, child, ALL, _far(10))[0]
    assert [entry["role"] for entry in told] == ["practitioner", "practitioner"]
    assert str(ORGANISATION) not in repr(told)
    assert "organisation" in _trail(site).who_saw(GRANT, other, ALL, _far(10))[0][0]


def test_what_an_account_saw(site: Site) -> None:
    child, other = _register(site, 1), _register(site, 2)
    site.look(child, other)
    site.operations.run()
    (entry,) = _trail(site).what_saw(GRANT, SOMEBODY, ALL, _far(10))[0]
    assert set(entry["children"]) == {str(child), str(other)}
    assert _trail(site).what_saw(GRANT, uuid4(), ALL, _far(10))[0] == []


def test_changes_are_told_newest_first_and_never_later_than_a_shield(site: Site) -> None:
    child = _register(site, 1)
    site.tell(child, asserts(whereabouts=an_address()))
    site.operations.run()
    told = [entry["event"] for entry in _trail(site).changes(GRANT, child, ALL, _far(10))[0]]
    assert told == ["address-asserted", "identity-asserted", "child-registered"]
    assert {entry["actor"] for entry in _trail(site).changes(GRANT, child, ALL, _far(10))[0]} == {
        str(SOMEBODY)
    }
    site.tell(child, builders.shields())  # and no view has heard of it
    shielded = _trail(site).changes(GRANT, child, ALL, _far(10))[0]
    assert [entry["event"] for entry in shielded] == [
        "shield-raised",
        "identity-asserted",
        "child-registered",
    ]
    assert {entry["actor"] for entry in shielded} == {None}
    site.operations.run()
    assert _trail(site).changes(GRANT, child, ALL, _far(10))[0] == shielded


# Operating


def test_a_shield_leaves_nothing_of_a_place_in_any_build(site: Site) -> None:
    child = _register(site, 1)
    site.tell(child, asserts(whereabouts=an_address("9 Secret Way", "M1 1AE")))
    site.operations.run()
    for projection in PROJECTIONS:
        site.operations.rebuild(projection.name, switch=True)
        site.operations.rebuild(projection.name)
    assert any("M11AE" in row for rows in site.rows("next").values() for row in rows)
    site.tell(child, builders.shields())
    site.operations.run()
    for state in ("live", "previous", "next"):
        told = repr(site.rows(state)).replace(" ", "")
        assert "M11AE" not in told
        assert "SecretWay" not in told


def test_a_destroyed_child_leaves_every_view(site: Site) -> None:
    child, other = _register(site, 1), _register(site, 2)
    site.operations.run()
    certificate = uuid4()
    site.home.writer_keys().destroy(child, certificate)
    done = DestructionCompleted(child=child, keys=2, completed_on=builders.TODAY)
    site.home.writer().append([Change(certificate, StreamKind.SYSTEM, 0, (Pending(done),))], _metadata())
    site.operations.run()  # this process still has the keys in memory
    rows = repr(site.rows())
    assert repr(child) not in rows
    assert repr(other) in rows


def test_a_damaged_stream_is_parked_and_comes_back(site: Site) -> None:
    child, other = _register(site, 1), _register(site, 2)
    (row,) = [row for row in site.home.record.tail(0, 1) if row.stream_id == child]
    site.home.tamper("record_log", child, 1, "identity", bytes(len(row.identity)))
    parked = site.operations.run()["parked"]
    assert {one["stream"] for one in parked} == {str(child)}
    assert site.search(name="Amira Khan") == [other]
    site.home.tamper("record_log", child, 1, "identity", row.identity)
    assert site.operations.run()["parked"] == []
    assert set(site.search(name="Amira Khan")) == {child, other}


def test_a_fault_parks_a_stream_only_where_it_stands_in_the_way(site: Site) -> None:
    """Who registered the child cannot be opened: the audit trail is made of it, the others are not."""
    child, other = _register(site, 1), _register(site, 2)
    (row,) = [row for row in site.home.record.tail(0, 1) if row.stream_id == child]
    site.home.tamper("record_log", child, 1, "metadata", bytes(len(row.metadata)))
    parked = site.operations.run()["parked"]
    assert [(one["name"], one["stream"]) for one in parked] == [(AUDIT_TRAIL.name, str(child))]
    assert set(site.search(name="Amira Khan")) == {child, other}
    live = site.rows()
    assert not any(str(child) in row for row in live["audit_trail.change"])
    assert any(str(child) in row for row in live["match_index.candidate"])
    site.home.tamper("record_log", child, 1, "metadata", row.metadata)
    assert site.operations.run()["parked"] == []
    for projection in PROJECTIONS:
        site.operations.rebuild(projection.name)
    assert site.rows("next") == site.rows()


def test_a_view_made_by_other_code_is_not_read(site: Site) -> None:
    _register(site, 1)
    site.operations.run()
    newer = Projection(
        PRACTITIONER_VIEW.name,
        PRACTITIONER_VIEW.version + 1,
        PRACTITIONER_VIEW.logs,
        PRACTITIONER_VIEW.tables,
        PRACTITIONER_VIEW.rows,
        PRACTITIONER_VIEW.folder,
    )
    with pytest.raises(Unavailable) as refused, site.views.reading(newer):
        pass
    assert refused.value.code == "view-not-built"


def test_a_rebuild_under_load_loses_nothing_and_no_search_is_short(site: Site) -> None:
    for number in range(60):
        _register(site, number)
    site.operations.run()
    stopped = threading.Event()
    short: list[object] = []
    reads = [0]

    def read() -> None:
        while not stopped.is_set():
            try:
                with site.views.reading(PRACTITIONER_VIEW) as connection:
                    row = connection.execute("SELECT count(*) FROM child").fetchone()
                    again = connection.execute("SELECT count(*) FROM name").fetchone()
            except Exception as error:  # noqa: BLE001 - any failed read is what this test looks for
                short.append(error)
                return
            reads[0] += 1
            if row is None or again is None or row[0] < 60 or again[0] < 60:
                short.append((row, again))

    def write() -> None:
        number = 1000
        while not stopped.is_set():
            _register(site, number)
            site.tell(a_child(number % 60), asserts(gender=Gender.MALE))
            number += 1

    threads = [threading.Thread(target=act) for act in (read, read, write)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        site.operations.rebuild(PRACTITIONER_VIEW.name, switch=True)
        site.operations.rollback(PRACTITIONER_VIEW.name)
    stopped.set()
    for thread in threads:
        thread.join(30)
    assert short == []
    assert reads[0] > 20
    site.operations.run()
    compared = site.operations.compare(PRACTITIONER_VIEW.name)
    assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)
    assert compared["rows"] > 120


def test_what_a_query_reads_is_not_dropped_before_it_ends(site: Site) -> None:
    _register(site, 1)
    site.operations.run()

    def rebuild_twice() -> None:
        for _ in range(2):
            site.operations.rebuild(PRACTITIONER_VIEW.name, switch=True)

    rebuilding = threading.Thread(target=rebuild_twice)
    with site.views.reading(
        PRACTITIONER_VIEW
    ) as connection:  # knows which build is live, and has not read it yet
        rebuilding.start()
        rebuilding.join(3)
        assert rebuilding.is_alive(), "it waits to drop the build that is being read"
        assert connection.execute("SELECT count(*) FROM child").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM name").fetchone() == (1,)
    rebuilding.join(30)
    assert [build.number for build in site.views.builds(PRACTITIONER_VIEW.name)] == [2, 3]


def test_two_workers_at_once_do_each_event_once(site: Site, tmp_path: Path) -> None:
    for number in range(40):
        _register(site, number)
    another = open_site(site.databases, tmp_path)
    failed: list[Exception] = []

    def run(one: Site) -> None:
        try:
            one.operations.run()
        except Exception as error:  # noqa: BLE001 - any failure is what this test looks for
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in (site, another)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    another.close()
    assert failed == []
    assert len(site.rows()["practitioner_view.child"]) == 40
    compared = site.operations.compare(PRACTITIONER_VIEW.name)
    assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)


# kill -9


def _killed(
    site: Site, folder: Path, act: Callable[[Site, Callable[[Progress], None]], object], after: int
) -> bool:
    """Run this in a process of its own that kills itself at a given report of progress. Whether it came to that."""
    child = os.fork()
    if child == 0:
        told = 0

        def report(progress: Progress) -> None:
            nonlocal told
            told += 1
            if told == after:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            act(open_site(site.databases, folder), report)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_killed_catch_up_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    for number in range(30):
        _register(site, number)
    site.look(a_child(1), a_child(2))

    def step_by_step(other: Site, report: Callable[[Progress], None]) -> None:
        for projection in PROJECTIONS:
            other.operations.engine.catch_up(projection, batch=7, progress=report)

    def together(other: Site, report: Callable[[Progress], None]) -> None:
        other.operations.engine.catch_up_all(PROJECTIONS, batch=7, progress=report)

    kills = [_killed(site, tmp_path, step_by_step, after) for after in (1, 3)]
    kills += [_killed(site, tmp_path, together, after) for after in (1, 3, 6, 4)]
    assert all(kills)
    site.operations.run()
    live = site.rows()
    assert len(live["practitioner_view.child"]) == 30
    for projection in PROJECTIONS:
        site.operations.rebuild(projection.name)
    assert site.rows("next") == live


def _rebuilds(other: Site, report: Callable[[Progress], None]) -> None:
    other.operations.rebuild(PRACTITIONER_VIEW.name, switch=True, progress=report)


def _states(site: Site) -> list[str]:
    return [build.state for build in site.views.builds(PRACTITIONER_VIEW.name)]


def test_a_killed_rebuild_is_gone_on_with_and_ends_in_the_same_rows(site: Site, tmp_path: Path) -> None:
    for number in range(30):
        _register(site, number)
    site.operations.run()
    live = site.rows()
    there = []
    for after in (3, 1, 9):
        assert _killed(site, tmp_path, _rebuilds, after)
        assert site.rows() == live
        filling = site.views.filling(PRACTITIONER_VIEW.name)
        assert filling is not None
        there.append(len(filling.done))
    assert there == [3, 4, 13], "what was there stays there, and is not done again"
    site.tell(a_child(3), builders.corrects(gender=Gender.MALE))
    _register(site, 30, family="Late")
    site.operations.run()
    live = site.rows()
    told: list[Progress] = []
    site.operations.rebuild(PRACTITIONER_VIEW.name, progress=told.append)
    assert len(told) == 32 - 13
    assert site.operations.compare(PRACTITIONER_VIEW.name) | {"digest": ""} == {
        "rows": sum(len(live[f"practitioner_view.{table.name}"]) for table in PRACTITIONER_VIEW.tables),
        "added": 0,
        "removed": 0,
        "changed": 0,
        "digest": "",
    }
    site.operations.switch(PRACTITIONER_VIEW.name)
    assert site.rows() == live
    assert site.views.filling(PRACTITIONER_VIEW.name) is None


def test_what_a_killed_rebuild_left_goes_once_a_child_is_shielded(site: Site, tmp_path: Path) -> None:
    children = [_register(site, number) for number in range(12)]
    for child in children:
        site.tell(child, asserts(whereabouts=an_address("1 Elm Row", "E8 1DY")))
    site.operations.run()
    assert _killed(site, tmp_path, _rebuilds, 32)
    assert _states(site) == ["live", "filling"]
    site.operations.run()
    assert _states(site) == ["live", "filling"]
    site.tell(children[4], builders.shields())
    site.operations.run()
    assert _states(site) == ["live"], "it held the child's postcode"
    with site.views.reading(PRACTITIONER_VIEW) as connection:
        left = connection.execute(
            r"SELECT count(*) FROM pg_namespace WHERE nspname ~ '^practitioner_view_\d'"
        ).fetchone()
    assert left == (1,)


def test_a_slice_that_two_bring_is_there_once(site: Site) -> None:
    """The worker of a killed rebuild may still be at it when the next rebuild has begun."""
    for number in range(10):
        _register(site, number)
    engine, view = site.operations.engine, PRACTITIONER_VIEW
    upto = {Log.RECORD: site.reader.head(Log.RECORD)}
    plan = Plan(upto, {Log.RECORD: engine.slices.count(Log.RECORD, upto[Log.RECORD])})
    build = site.views.begin(view, "present", plan)
    filled = [engine.filled(view, each, upto[Log.RECORD]) for each in plan.all()]
    assert [site.views.fill(build, view, one) for one in filled] == [True] * len(filled)
    assert [site.views.fill(build, view, one) for one in filled] == [False] * len(filled)
    assert len(site.views.rows(build, "child")) == 10


# Workers


def _by_workers(site: Site, folder: Path) -> Operations:
    """The same operations, rebuilding by two processes."""
    return replace(site.operations, filler=Workers(site.databases, folder / "kek", processes=2))


def test_workers_end_in_the_same_rows(site: Site, tmp_path: Path) -> None:
    children = [_register(site, number) for number in range(40)]
    site.tell(children[0], builders.shields())
    site.look(children[1], children[2])
    site.operations.run()
    live = site.rows()
    operations = _by_workers(site, tmp_path)
    for projection in PROJECTIONS:
        told: list[Progress] = []
        answer = operations.rebuild(projection.name, progress=told.append)
        assert len(told) >= 32, "shared out in slices"
        assert told[-1].done == told[-1].total == answer["events"]
    assert site.rows("next") == live
    assert multiprocessing.active_children() == []


def test_a_killed_worker_is_told_and_costs_what_it_was_at(site: Site, tmp_path: Path) -> None:
    for number in range(40):
        _register(site, number)
    site.operations.run()
    live = site.rows()
    operations = _by_workers(site, tmp_path)
    told: list[Progress] = []

    def kill(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 5:
            os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)

    with pytest.raises(Unavailable, match="goes on where it was"):
        operations.rebuild(PRACTITIONER_VIEW.name, progress=kill)
    assert multiprocessing.active_children() == []
    assert _states(site) == ["live", "filling"]
    assert site.rows() == live
    filling = site.views.filling(PRACTITIONER_VIEW.name)
    assert filling is not None
    again: list[Progress] = []
    operations.rebuild(PRACTITIONER_VIEW.name, switch=True, progress=again.append)
    assert len(again) == 32 - len(filling.done)
    assert len(filling.done) >= len(told)
    assert site.rows() == live


@pytest.mark.parametrize("filler", ["one", "workers"])
def test_a_cancelled_rebuild_leaves_nothing_behind(site: Site, tmp_path: Path, filler: str) -> None:
    for number in range(20):
        _register(site, number)
    site.operations.run()

    def cancel(progress: Progress) -> None:
        if progress.done > 10:
            raise KeyboardInterrupt

    operations = site.operations if filler == "one" else _by_workers(site, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        operations.rebuild(PRACTITIONER_VIEW.name, progress=cancel)
    assert _states(site) == ["live"]
    assert site.views.filling(PRACTITIONER_VIEW.name) is None
    assert multiprocessing.active_children() == []
