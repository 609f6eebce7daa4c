"""What ingest needs from outside: tried in memory and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from domain.child_record.events import ChildRegistered, SourceKind
from domain.child_record.model import fold
from domain.errors import AlreadyReserved, VersionConflict
from domain.kernel import Appended, Change, Metadata, Pending, Reservation, StreamKind
from domain.personal_data import HIDDEN
from ingest.matching import blocking
from ingest.ports import Candidates, FollowerPositions, LoadStore, Order, Places, Unit
from tests.builders import a_number
from tests.loading import TODAY, Index, an_entry, in_memory, in_postgres, restricted

ONE, TWO, THREE = (UUID(int=number << 100 | 5) for number in (1, 2, 3))
BY = Metadata(actor=UUID(int=1), correlation=UUID(int=2), purpose="operation")
FILE, ANOTHER = UUID(int=11), UUID(int=12)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    """A home with nothing in it, ready to be loaded into."""
    made = (
        in_memory()
        if request.param == "memory"
        else in_postgres(request.getfixturevalue("make_databases")(), tmp_path / "kek")
    )
    yield Index(made)
    made[1].close()


def registered(stream: UUID, version: int = 0, seed: int = 7) -> Change:
    event = ChildRegistered(index_number=a_number(seed), source_kind=SourceKind.BIRTHS, rule_set="present")
    return Change(stream, StreamKind.CHILD, version, (Pending(event, 1),))


def append(
    store: LoadStore, *units: Unit, batch: UUID | None = FILE
) -> list[Appended | VersionConflict | AlreadyReserved]:
    return store.append_units(units, BY, batch=batch, instant=TODAY)


# Units


def test_units_are_appended_whole_and_in_order_and_one_that_cannot_be_fails_no_other(index: Index) -> None:
    store: LoadStore = index.store
    first = Unit((registered(ONE),), b"k1", (Reservation(b"token", ONE),))
    taken = Unit((registered(TWO, seed=8),), b"k2", (Reservation(b"token", TWO),))
    moved = Unit((registered(ONE, 5, seed=9),), b"k3")
    last = Unit((registered(ONE, 1, seed=10), registered(THREE, seed=11)), b"k4")
    outcomes = append(store, first, taken, moved, last)
    assert [type(outcome) for outcome in outcomes] == [Appended, AlreadyReserved, VersionConflict, Appended]
    assert isinstance(outcomes[1], AlreadyReserved)
    assert outcomes[1].stream_id == ONE
    assert [o.positions for o in outcomes if isinstance(o, Appended)] == [(1,), (2, 3)]
    assert store.heads([ONE, TWO, THREE]) == {ONE: 2, THREE: 1}
    assert store.known([b"k1", b"k2", b"k3", b"k4"]) == {b"k1", b"k4"}


def test_a_known_key_appends_nothing(index: Index) -> None:
    append(index.store, Unit((registered(ONE),), b"k1"))
    (again,) = append(index.store, Unit((registered(TWO, seed=8),), b"k1"))
    assert isinstance(again, Appended)
    assert again.duplicate
    assert index.store.heads([TWO]) == {}


def test_a_unit_without_changes_keeps_its_key(index: Index) -> None:
    (kept,) = append(index.store, Unit((), b"k1"))
    assert kept == Appended((), getattr(kept, "recorded_at", None))
    assert index.store.known([b"k1"]) == {b"k1"}


def test_what_a_file_touched_is_known_until_it_is_forgotten(index: Index) -> None:
    store: LoadStore = index.store
    append(store, Unit((registered(ONE),), b"k1"), Unit((), b"k2"), Unit((registered(TWO, seed=8),), b"k3"))
    append(store, Unit((registered(THREE, seed=9),), b"k4"), batch=ANOTHER)
    append(store, Unit((registered(THREE, 1, seed=10),), b"k5"), batch=None)
    assert store.touched_by(FILE) == (ONE, TWO)
    assert sorted(store.keys_of(FILE)) == [(b"k1", ONE, 1), (b"k3", TWO, 1)]
    assert store.batches() == [FILE, ANOTHER]
    assert store.batches_of([b"k2", b"k4", b"k5", b"k6"]) == {b"k2": FILE, b"k4": ANOTHER, b"k5": None}
    store.forget_batch(FILE)
    assert (store.touched_by(FILE), store.keys_of(FILE), store.batches()) == ((), [], [ANOTHER])
    assert store.known([b"k1", b"k2", b"k3", b"k4"]) == {b"k4"}


def test_records_come_without_who_said_it_and_damaged_ones_are_left_out(index: Index) -> None:
    store: LoadStore = index.store
    index.births(an_entry())
    index.pds(restricted("9434765870", birthDate="2011-11-30"))
    children = [record.child_id for record in index.records()]
    append(store, Unit((registered(ONE, seed=8),), b"k1"))
    (row,) = index.home.record.stream(ONE)
    index.home.tamper("record_log", ONE, 1, "content", bytes(len(row.content)))
    found = store.records([*children, ONE, TWO])
    assert found.keys() == set(children)
    for child_id, history in found.items():
        whole = store.load(child_id)
        assert {recorded.metadata for recorded in history.events} == {HIDDEN}
        assert fold(history) == fold(whole)
        assert fold(whole).assertions, "also of a shielded one everything is opened"


# The match index


def test_candidates_are_found_by_any_of_their_keys_each_once_in_order(index: Index) -> None:
    candidates: Candidates = index.candidates
    index.births(an_entry(), an_entry(entry_id="2", given_names="Cora", nhs_number="9434765870"))
    by_day = blocking.by_date_of_birth(index.facts()[0].date_of_birth or TODAY.date())
    found = candidates.find([by_day, "n:9434765919", "n:0"])
    assert sorted(c.child_id for c in found) == [c.child_id for c in found]
    assert [c.forenames for c in candidates.find(["n:9434765919"])] == ["amelia rose"]
    assert len(found) == 2
    assert candidates.find([]) == candidates.find(["n:0"]) == []
    assert candidates.get([found[0].child_id, UUID(int=0)]) == [found[0]]


def test_both_indexes_hold_the_same_of_a_record(index: Index) -> None:
    other = Index()
    for each in (index, other):
        each.births(an_entry(birth_order="1"))
        each.pds(restricted("9434765870", birthDate="2011-11-30"))
    found, expected = (
        [
            (
                *(c.forenames, c.surname, c.date_of_birth, c.postcode, c.nhs_number, c.nhs_verified),
                *(c.gender, c.birth_order, c.shielded, c.archived, c.keys),
            )
            for c in sorted(
                each.candidates.get(r.child_id for r in each.records()), key=lambda c: sorted(c.keys)
            )
        ]
        for each in (index, other)
    )
    assert found == expected
    assert len(found) == 2


# Places, positions, order


def test_places_are_found_by_any_token_until_forgotten(index: Index) -> None:
    places: Places = index.places
    places.note(ONE, [b"a", b"b"])
    places.note(ONE, [b"b", b"c"])
    places.note(TWO, [b"c"])
    places.note(TWO, [])
    assert places.near([b"b", b"x"]) == {ONE}
    assert places.near(frozenset({b"c"})) == {ONE, TWO}
    assert places.near([]) == set()
    places.forget(ONE)
    places.forget(ONE)
    assert places.near([b"a", b"b", b"c"]) == {TWO}


def test_a_followers_position_begins_at_nought_and_never_goes_back(index: Index) -> None:
    positions: FollowerPositions = index.around.positions
    assert positions.position("nobody") == 0
    positions.moved("nobody", 7)
    positions.moved("nobody", 3)
    assert (positions.position("nobody"), positions.position("else")) == (7, 0)


def test_the_order_is_that_of_the_log(index: Index) -> None:
    order: Order = index.around.order
    assert (order.head(), order.tail(0, 10)) == (0, [])
    append(index.store, Unit((registered(ONE), registered(TWO, seed=8)), b"k1"))
    append(index.store, Unit((registered(ONE, 1, seed=9),), b"k2"))
    assert order.head() == 3
    assert order.tail(0, 10) == [(1, ONE), (2, TWO), (3, ONE)]
    assert order.tail(1, 1) == [(2, TWO)]
