"""Records at hand: few, for a short while, and never an earlier version in the place of a later one."""

from uuid import UUID

import pytest

from adapters.memory.warm_records import RecentRecords
from domain.child_record.model import ChildRecord


class Watch:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def a_record(number: int, version: int = 1) -> ChildRecord:
    return ChildRecord(UUID(int=number), version=version)


def test_a_record_is_kept_for_its_time_and_no_longer(watch: Watch) -> None:
    records = RecentRecords(watch, seconds=60)
    records.put(a_record(1))
    watch.seconds = 59.9
    assert records.get(UUID(int=1)) == a_record(1)
    watch.seconds = 60.0
    assert records.get(UUID(int=1)) is None
    assert len(records) == 0


def test_a_change_keeps_it_anew(watch: Watch) -> None:
    records = RecentRecords(watch, seconds=60)
    records.put(a_record(1))
    watch.seconds = 50
    records.put(a_record(1, version=2))
    watch.seconds = 109
    assert records.get(UUID(int=1)) == a_record(1, version=2)


def test_the_one_unused_longest_makes_room(watch: Watch) -> None:
    records = RecentRecords(watch, most=2)
    records.put(a_record(1))
    records.put(a_record(2))
    assert records.get(UUID(int=1)) is not None
    records.put(a_record(3))
    assert records.get(UUID(int=2)) is None
    assert {records.get(UUID(int=1)), records.get(UUID(int=3))} == {a_record(1), a_record(3)}


def test_an_earlier_version_does_not_replace_a_later_one(watch: Watch) -> None:
    records = RecentRecords(watch)
    records.put(a_record(1, version=5))
    records.put(a_record(1, version=4))
    assert records.get(UUID(int=1)) == a_record(1, version=5)


def test_what_is_dropped_is_gone(watch: Watch) -> None:
    records = RecentRecords(watch)
    records.put(a_record(1))
    records.drop(UUID(int=1))
    records.drop(UUID(int=2))
    assert records.get(UUID(int=1)) is None
