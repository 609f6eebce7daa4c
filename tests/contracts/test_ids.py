"""What every source of ids promises. There is one: tests take it too, and name the ids they want by hand."""

from uuid import UUID

import pytest

from adapters.ids import RandomIds
from domain.identifiers import CROCKFORD, valid_index_number
from domain.ports import Ids


@pytest.fixture
def ids() -> Ids:
    return RandomIds()


def test_an_id_is_a_random_uuid(ids: Ids) -> None:
    drawn = [ids.new() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert {one.version for one in drawn} == {4}
    assert all(isinstance(one, UUID) for one in drawn)


def test_an_index_number_is_valid_as_it_stands_and_can_be_read_out(ids: Ids) -> None:
    drawn = [ids.index_number() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    for number in drawn:
        assert valid_index_number(number) == number
        assert len(number) == 11
        assert set(number) <= set(CROCKFORD)


def test_every_character_of_an_index_number_is_drawn_alike(ids: Ids) -> None:
    """A thousand numbers hold ten thousand characters: each of 32 about 312 times. Ten deviations is far enough."""
    drawn = "".join(ids.index_number()[:10] for _ in range(1000))
    for character in CROCKFORD:
        assert 140 < drawn.count(character) < 490, character
