"""What every clock promises, tried on the machine's, a training home's and the one that tests set."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.clock import SystemClock, TrainingClock
from domain.ports import Clock
from tests.homes import SetClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IN_PARIS = timezone(timedelta(hours=1))

CLOCKS = [
    pytest.param(SystemClock(), id="the machine's"),
    pytest.param(
        TrainingClock(NOON.astimezone(IN_PARIS), lambda: None), id="a training home's, nothing recorded"
    ),
    pytest.param(
        TrainingClock(NOON, lambda: (NOON + timedelta(days=1)).astimezone(IN_PARIS)),
        id="a training home's, behind",
    ),
    pytest.param(SetClock(), id="the one that tests set"),
]


@pytest.mark.parametrize("clock", CLOCKS)
def test_now_is_in_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("clock", CLOCKS)
def test_now_does_not_go_back(clock: Clock) -> None:
    instants = [clock.now() for _ in range(100)]
    assert instants == sorted(instants)


def test_the_machines_clock_tells_the_time_it_is() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)


def test_a_training_home_is_at_the_given_instant() -> None:
    assert TrainingClock(NOON, lambda: None).now() == NOON
    assert TrainingClock(NOON, lambda: NOON - timedelta(days=1)).now() == NOON


def test_a_training_home_is_never_before_what_it_last_recorded() -> None:
    recorded = [NOON - timedelta(hours=1)]
    clock = TrainingClock(NOON, lambda: recorded[-1])
    assert clock.now() == NOON
    recorded.append(NOON + timedelta(hours=1))
    assert clock.now() == NOON + timedelta(hours=1)


def test_an_instant_without_a_time_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="time zone"):
        TrainingClock(NOON.replace(tzinfo=None), lambda: None)
