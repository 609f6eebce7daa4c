"""Feeds of an invented population, in whatever order and however often: once decided, the same records."""

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.disclosure import RecordFacts
from domain.supply.commands import DecideHeldRecord
from domain.supply.model import fold
from tests.linking import SOURCES, Population, clusters, population
from tests.loading import Index
from tests.plugins_counts import count
from tests.properties.test_ingest import without_order

SEED, CHILDREN = 10, 40


@pytest.fixture(scope="module")
def people() -> Population:
    """A population in which nobody is missed: of one who is, two records stand, one of them by chance."""
    return population(CHILDREN, SEED)


@settings(max_examples=count(500))
@whatever(st.data())
def test_t71_any_delivery_of_a_population_ends_as_the_orderly_one(
    people: Population, data: st.DataObject
) -> None:
    orderly = Index()
    for source in SOURCES:
        orderly.load(source, people.files[source])
    jumbled = Index(chunk=data.draw(st.integers(3, 60)))
    for source in data.draw(
        st.lists(st.sampled_from(SOURCES), max_size=3)
    ):  # half of some, broken off anywhere
        whole = people.files[source]
        jumbled.load(source, whole[: data.draw(st.integers(200, len(whole)))])
    for source in data.draw(st.permutations(SOURCES)):
        jumbled.load(source, people.files[source])
    for index in (orderly, jumbled):
        _decide_all(people, index)
    assert _facts(jumbled) == _facts(orderly)


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_that_broke_off_at_any_byte_of_its_end_and_comes_whole_is_as_if_it_had_not(
    source: str,
) -> None:
    whole = population(2, SEED).files[source]
    orderly = Index()
    orderly.load(source, whole)
    for cut in range(max(1, len(whole) - 60), len(whole)):
        broken = Index()
        broken.load(source, whole[:cut])
        broken.load(source, whole)
        assert _facts(broken) == _facts(orderly), cut


def _facts(index: Index) -> list[RecordFacts]:
    return sorted((without_order(facts) for facts in index.facts()), key=repr)


def _decide_all(people: Population, index: Index) -> None:
    """What waits is decided by somebody who knows the truth."""
    while waiting := index.waiting():
        held = fold(index.store.load(waiting[0]))
        assert held is not None
        person = people.person[str(held.source_kind), held.assertion.source.record or ""]
        of = zip(index.records(), clusters(index), strict=True)
        same = [record.child_id for record, entries in of if any(people.person[e] == person for e in entries)]
        command = DecideHeldRecord(
            at=index.home.clock.now(),
            held=held.held_id,
            verdict="same" if same else "new",
            children=tuple(same[:1]),
            reason="documents-seen",
        )
        index.loader.decide(command, index.by(), lambda _: True)
