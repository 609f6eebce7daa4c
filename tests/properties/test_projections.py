"""For any history: a live view is the rebuilt one, however it was fed; and what a shield hides moves no row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory.view_store import MemoryViewStore
from domain.access.events import AuditRead, Hit, RecordShown
from domain.child_record.events import (
    CarersAsserted,
    EducationAsserted,
    Gender,
    Institution,
    LeftEngland,
    PersonName,
    RecordArchived,
    Source,
)
from domain.errors import Refused
from domain.kernel import Command, Concealed, Event, ForgottenEvent, History, Log
from domain.personal_data import HIDDEN
from projections.projection import Depth, as_served
from projections.registry import PROJECTIONS
from tests import builders
from tests.builders import BORN, TODAY, a_carer, a_number, an_address, asserts, registers
from tests.plugins_counts import count
from tests.unit.projections.journal import Journal, only_facts, rows_of

CHILDREN = [UUID(int=(0xABC << 100) + number) for number in range(4)]
CERTIFICATE = UUID(int=99)

names = st.builds(
    PersonName,
    given=st.tuples(st.sampled_from(["Amira", "Tom", "Zoë", "Anne-Marie"])),
    family=st.sampled_from(["Khan", "O'Brien", "Smith Jones"]),
    kind=st.sampled_from(["current", "former", "alias"]),
)
places = st.one_of(
    st.builds(
        an_address,
        st.sampled_from(["1 Elm Row", "2 Oak Way"]),
        st.sampled_from(["E8 1DY", "SW1A 2AA", "M1 1AE"]),
    ),
    st.builds(
        LeftEngland,
        return_intended=st.sampled_from(["yes", "no", "unknown"]),
        considered_left=st.dates(date(2020, 1, 1), TODAY),
    ),
)
schools = st.builds(Institution, name=st.sampled_from(["Alder Road School", "Elm School"]))
days = st.dates(BORN, TODAY)

seen = st.one_of(
    st.builds(lambda name: asserts(names=(name,)), names),
    st.builds(lambda day: asserts(date_of_birth=day), st.dates(date(2005, 1, 1), TODAY)),
    st.builds(lambda gender: builders.corrects(gender=gender), st.sampled_from(Gender)),
)
hidden = st.one_of(
    st.builds(lambda place, day: asserts(whereabouts=place, effective=day), places, days),
    st.builds(lambda school: asserts(education=school), schools),
    st.builds(lambda given: asserts(carers=(a_carer(given),)), st.sampled_from(["Nadia", "Sol"])),
    st.builds(
        lambda service, number, kind: builders.involves(service, kind, involvement=UUID(int=number)),
        st.sampled_from(["School nursing", "Early help", "Youth work"]),
        st.integers(1, 6),
        st.sampled_from(["universal", "additional", "sensitive"]),
    ),
    st.builds(lambda number: builders.ends(UUID(int=number)), st.integers(1, 6)),
)
turns = st.one_of(
    st.builds(lambda number: builders.shields(shield=UUID(int=number)), st.integers(1, 3)),
    st.builds(builders.lifts),
    st.just(RecordArchived(archived_on=TODAY, rule_set="present", ground="age-18")),
)
facts: st.SearchStrategy[Any] = st.one_of(seen, hidden, turns)
histories = st.lists(st.tuples(st.sampled_from(CHILDREN), facts), max_size=25)


@dataclass(frozen=True)
class Look:
    """A look at some of the children."""

    number: int
    shown: tuple[UUID, ...]


looks = st.builds(
    Look, st.integers(1, 10_000), st.lists(st.sampled_from(CHILDREN), max_size=3, unique=True).map(tuple)
)


def _tell(journal: Journal, history: Sequence[tuple[UUID, Command | Event]]) -> None:
    """Every fact that makes sense; the rest is refused, as in life."""
    for child, fact in history:
        if child not in journal.streams[Log.RECORD]:
            source = Source(body="ONS", record=f"B-{child.int % 97}")
            journal.tell(child, registers(index_number=a_number(child.int % 1_000_003), source=source))
        try:
            journal.tell(child, fact)
        except Refused:
            continue


def _look(journal: Journal, look: Look) -> None:
    access_id = UUID(int=(7 << 90) + look.number)
    if access_id in journal.streams[Log.ACCESS]:
        return
    made: dict[str, Any] = {
        "role": "practitioner",
        "organisation": UUID(int=2),
        "body": "RQX",
        "area": "E09000012",
        "purposes": ("casework",),
        "action": "show",
        "outcome": "granted",
        "rule": "ordinary",
        "hits": tuple(Hit(child, 1, "f", bytes(32)) for child in look.shown),
        "instant": journal.clock.now(),
        "rule_set": "present",
        "renderer": 1,
    }
    event = (
        RecordShown(child=look.shown[0], **made)
        if look.shown
        else AuditRead(**(made | {"action": "who-saw"}))
    )
    journal.look(access_id, event)


def _every_row(operations: Any, state: str = "live") -> dict[str, Any]:
    return {projection.name: rows_of(operations, projection, state) for projection in PROJECTIONS}


@settings(max_examples=count(3_000))
@given(
    st.lists(st.tuples(histories, st.lists(looks, max_size=3), st.integers(1, 7)), min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_a_live_view_is_the_rebuilt_one_however_it_was_fed(
    parts: list[tuple[list[Any], list[Look], int]], damage: bool, destroy: bool
) -> None:
    journal = Journal()
    store = MemoryViewStore()
    operations = journal.operations(store)
    for history, seen_by, batch in parts:
        _tell(journal, history)
        for look in seen_by:
            _look(journal, look)
        if damage:
            journal.damage(CHILDREN[0])
        operations.engine.catch_up_all(PROJECTIONS, batch=batch)
        journal.repair(CHILDREN[0])
    if destroy and CHILDREN[1] in journal.streams[Log.RECORD]:
        journal.destroy(CHILDREN[1], CERTIFICATE)
    operations.run()
    live = _every_row(operations)
    at_once = journal.operations()
    at_once.run()
    assert _every_row(at_once) == live
    for projection in PROJECTIONS:
        compared = operations.rebuild(projection.name)["compare"]
        assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)
    assert _every_row(operations, "next") == live


@dataclass(frozen=True)
class Turn:
    """What is done to the views before more is told: these are caught up together for so many steps, one is paused."""

    views: frozenset[str]
    batch: int
    steps: int
    paused: str | None


turns_of_views = st.builds(
    Turn,
    st.frozensets(st.sampled_from([projection.name for projection in PROJECTIONS])),
    st.integers(1, 5),
    st.integers(0, 12),
    st.one_of(st.none(), st.sampled_from([projection.name for projection in PROJECTIONS])),
)


def _after(steps: int) -> Callable[[], bool]:
    """Says to stop once it was asked so often."""
    left = iter(range(steps))
    return lambda: next(left, None) is None


@settings(max_examples=count(3_000))
@given(
    st.lists(
        st.tuples(histories, st.lists(looks, max_size=2), st.lists(turns_of_views, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    st.one_of(st.none(), st.sampled_from([Depth.FACTS, Depth.EVENTS, Depth.EVERYTHING])),
    st.booleans(),
)
def test_views_caught_up_together_from_wherever_they_stand_are_the_rebuilt_ones(
    parts: list[tuple[list[Any], list[Look], list[Turn]]], damaged: Depth | None, destroy: bool
) -> None:
    """Any of them, any number of steps, some paused for a while, some unable to open what others can."""
    journal = Journal()
    operations = journal.operations(MemoryViewStore())
    for history, seen_by, turns_taken in parts:
        _tell(journal, history)
        for look in seen_by:
            _look(journal, look)
        for turn in turns_taken:
            if damaged is not None:
                journal.damage(CHILDREN[0], damaged)
            if turn.paused is not None:
                operations.pause(turn.paused)
            chosen = [projection for projection in PROJECTIONS if projection.name in turn.views]
            operations.engine.catch_up_all(chosen, batch=turn.batch, stop=_after(turn.steps))
            journal.repair(CHILDREN[0])
            if turn.paused is not None:
                operations.resume(turn.paused)
    if destroy and CHILDREN[1] in journal.streams[Log.RECORD]:
        journal.destroy(CHILDREN[1], CERTIFICATE)
    operations.engine.catch_up_all(PROJECTIONS, batch=3)
    live = _every_row(operations)
    at_once = journal.operations()
    for projection in PROJECTIONS:
        at_once.engine.catch_up(projection)
    assert _every_row(at_once) == live
    for projection in PROJECTIONS:
        operations.rebuild(projection.name)
    assert _every_row(operations, "next") == live
    assert operations.status()["parked"] == []


def _is_read(event: Event, only: frozenset[str] | None) -> bool:
    return only is None or event.NAME in only or isinstance(event, Concealed | ForgottenEvent)


@settings(max_examples=count(3_000))
@given(histories)
def test_a_view_is_made_of_nothing_that_it_does_not_read(history: list[Any]) -> None:
    """What `Reads` leaves out moves no row: so a rebuild, which does not open it, ends in the same rows."""
    journal = Journal()
    _tell(journal, history)
    left_by = {
        Depth.EVERYTHING: lambda recorded: recorded,
        Depth.EVENTS: lambda recorded: recorded._replace(metadata=HIDDEN),
        Depth.FACTS: only_facts,
    }
    for child in journal.streams[Log.RECORD]:
        whole = as_served(journal.history(child))
        for projection in PROJECTIONS:
            read = [one for one in whole.events if _is_read(one.event, projection.reads.only)]
            part = History(whole.stream_id, whole.version, tuple(map(left_by[projection.reads.depth], read)))
            assert projection.rows(part, builders.the_rules()) == projection.rows(whole, builders.the_rules())


@settings(max_examples=count(3_000))
@given(
    histories,
    st.lists(st.tuples(hidden, hidden), max_size=6),
    st.lists(hidden, max_size=2),
    st.lists(seen, max_size=3),
    st.booleans(),
)
def test_what_a_shield_hides_moves_no_row(
    before: list[Any], pairs: list[tuple[Any, Any]], more: list[Any], after: list[Any], shield_first: bool
) -> None:
    """Two worlds: the same child, with other places, schools and carers, and in one of them more is known of these."""
    child = CHILDREN[0]
    worlds = []
    for world in (0, 1):
        journal = Journal()
        source = Source(body=("ONS", "NHS")[world], record=("B-1", "B-2")[world])
        authority = (builders.LONDON_BOROUGH, builders.ANOTHER_BOROUGH)[world]
        journal.tell(child, registers(source=source, owning_authority=authority))
        if shield_first:
            journal.tell(child, builders.shields())
        for pair in pairs:
            journal.tell(child, *_events(pair[world]))
        if world:
            for fact in more:
                journal.tell(child, *_events(fact))
        if not shield_first:
            journal.tell(child, builders.shields(ground=("child-at-risk", "crime")[world]))
        _tell(journal, [(child, fact) for fact in after])
        _tell(journal, [(other, fact) for other, fact in before if other != child])
        operations = journal.operations()
        operations.run()
        worlds.append((journal, _every_row(operations)))
    (one, rows), (other, other_rows) = worlds
    if one.history(child).version == other.history(child).version:
        assert _of(rows, child) == _of(other_rows, child)
    assert _of(rows, child, versions=False) == _of(other_rows, child, versions=False)
    assert as_served(one.history(child)).events[0].event == as_served(other.history(child)).events[0].event


def _events(fact: Command) -> list[Event]:
    """One concealed event, whatever the fact: so that both worlds are equally long."""
    where = getattr(fact, "whereabouts", None)
    from domain.child_record.events import AddressAsserted, SourceKind

    if where is not None:
        return [AddressAsserted(source_kind=SourceKind.PDS, effective=TODAY, whereabouts=where)]
    school = getattr(fact, "education", None)
    if school is not None:
        return [EducationAsserted(source_kind=SourceKind.PDS, effective=TODAY, institution=school)]
    carers = getattr(fact, "carers", None) or ()
    return [CarersAsserted(source_kind=SourceKind.PDS, effective=TODAY - timedelta(days=1), carers=carers)]


_VERSIONED = {("practitioner_view", "child"): 1}


def _of(rows: dict[str, Any], child: UUID, *, versions: bool = True) -> list[Any]:
    found = []
    for view, tables in rows.items():
        for table, lines in tables.items():
            place = None if versions else _VERSIONED.get((view, table))
            for line in lines:
                if child in line:
                    kept = [value for at, value in enumerate(line) if at != place]
                    found.append((view, table, [value for value in kept if not _is_time(value)]))
    return found


def _is_time(value: object) -> bool:
    """Instants differ by a second a fact in the tests' own clock, in both worlds alike."""
    from datetime import datetime

    return isinstance(value, datetime)
