"""Precision and recall of linking on kept seeds, and that no weight of a field contradicts its level."""

import pytest

from ingest.matching.weights import WEIGHTS
from tests.linking import loaded, measured, population

JOINED: float = 0.93
REACHED: float = 0.97


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_what_is_joined_is_one_child_and_hardly_a_pair_is_missed(seed: int) -> None:
    people = population(150, seed)
    found = measured(people, loaded(people))
    assert found.precision == 1.0, f"{found.wrong} pairs of two children were joined"
    assert found.recall >= JOINED, f"recall is {found.recall:.3f}"
    assert found.reached >= REACHED, f"joined or waiting is {found.reached:.3f}"
    assert found.records <= found.persons * 1.02 + 1, "no source record in doubt makes a record of its own"


def test_a_weight_falls_from_each_level_to_the_next() -> None:
    for field, levels in WEIGHTS.items():
        assert levels["agree"] > levels["near"] > levels["differ"], field
        assert levels["agree"] > levels["unknown"] > levels["differ"], field
        assert levels["unknown"] == 0.0, "what is not said speaks neither for nor against"
