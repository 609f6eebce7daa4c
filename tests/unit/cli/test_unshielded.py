"""The follower of shields passes over what no shield was ever on: later, together, and without opening it."""

from collections.abc import Mapping
from typing import Any

import pytest

from cli.writing import Unshielded
from domain.kernel import Metadata
from tests.builders import metadata


class Follower:
    """Remembers which positions it was told to pass over, each time it ran."""

    def __init__(self) -> None:
        self.runs: list[dict[int, bool]] = []
        self.away = False

    def catch_up(
        self, _: Metadata, known: Mapping[int, bool] | None = None, *, upto: int | None = None
    ) -> None:
        if self.away:
            raise OSError
        self.runs.append(dict(known or {}))
        assert upto == max(self.runs[-1]), "it does not run after what others append meanwhile"


class Watch:
    """Seconds that pass when told to."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def follower() -> Follower:
    return Follower()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def unshielded(follower: Any, watch: Watch) -> Unshielded:
    return Unshielded(follower, watch)


def test_the_first_change_of_a_process_sees_to_what_others_left(
    unshielded: Unshielded, follower: Follower
) -> None:
    unshielded.appended([7, 8], metadata())
    assert follower.runs == [{7: False, 8: False}]


def test_later_ones_wait_for_each_other(unshielded: Unshielded, follower: Follower, watch: Watch) -> None:
    unshielded.appended([1], metadata())
    unshielded.appended([2], metadata())
    watch.seconds += 0.99
    unshielded.appended([3], metadata())
    assert follower.runs == [{1: False}]
    watch.seconds += 0.02
    unshielded.appended([4], metadata())
    assert follower.runs == [{1: False}, {2: False, 3: False, 4: False}]


def test_but_not_more_than_a_page_of_them(unshielded: Unshielded, follower: Follower) -> None:
    unshielded.appended([1], metadata())
    for position in range(2, 2003):
        unshielded.appended([position], metadata())
    assert follower.runs == [{1: False}, dict.fromkeys(range(2, 2002), False)]


def test_a_follower_that_fails_can_run_again(
    unshielded: Unshielded, follower: Follower, watch: Watch
) -> None:
    follower.away = True
    with pytest.raises(OSError):
        unshielded.appended([1], metadata())
    follower.away = False
    watch.seconds += 2
    unshielded.appended([2], metadata())
    assert follower.runs == [{2: False}]  # what it was told before is opened needlessly, no more
