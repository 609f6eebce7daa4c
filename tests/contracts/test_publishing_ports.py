"""What the publisher needs from outside: tried in memory, on PostgreSQL and on a real broker."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from adapters.kafka.subscribers import KafkaSubscribers, tail
from adapters.memory.publications import MemoryPublications, MemorySubscribers
from adapters.partitions import PARTITIONS, murmur2
from adapters.postgres.publications import PostgresPublications
from domain.errors import Fenced
from domain.ports import Again, Message, Publications, Subscribers
from tests.postgres import MakeDatabases

NOW = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
LONG = 60.0


@dataclass
class Kept:
    """What the publisher remembers; how its lease is made to run out."""

    publications: Publications
    expire: Callable[[int], None]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        memory = MemoryPublications()
        yield Kept(memory, lambda fence: memory.expire())
        return
    make: MakeDatabases = request.getfixturevalue("make_databases")
    real = PostgresPublications(make().record)

    def expire(fence: int) -> None:
        real.renew(fence, 0.001)
        time.sleep(0.01)

    yield Kept(real, expire)
    real.close()


def a_signal(partition: int) -> tuple[UUID, UUID, str, datetime, int]:
    return uuid4(), uuid4(), "registered", NOW, partition


def leading(kept: Kept) -> int:
    fence = kept.publications.lead(LONG)
    assert fence is not None
    return fence


def test_what_was_sent_can_be_had_again_until_it_is_forgotten(kept: Kept) -> None:
    fence = leading(kept)
    early, late = NOW - timedelta(hours=1), NOW
    one, other = (uuid4(), uuid4(), "registered", early, 7), (uuid4(), uuid4(), "corrected", late, 2)
    messages = kept.publications.number(fence, 4, [one, other, (uuid4(), other[1], "destroyed", late, 7)])
    everything = Again()
    assert kept.publications.sent(everything, (-1, 0), 10) == []
    kept.publications.acknowledged(fence)
    in_order = [messages[1], messages[0], messages[2]]
    assert kept.publications.sent(everything, (-1, 0), 10) == in_order
    assert kept.publications.sent(everything, (-1, 0), 2) == in_order[:2]
    assert kept.publications.sent(everything, (7, 1), 10) == in_order[2:]
    for which, wanted in (
        (Again(partition=7), in_order[1:]),
        (Again(partition=7, first=2), in_order[2:]),
        (Again(partition=7, last=1), in_order[1:2]),
        (Again(since=late), [in_order[0], in_order[2]]),
        (Again(until=early), [in_order[1]]),
        (Again(partition=3), []),
    ):
        assert kept.publications.sent(which, (-1, 0), 10) == wanted
    kept.publications.forget(fence, LONG)
    assert len(kept.publications.sent(everything, (-1, 0), 10)) == 3
    kept.publications.forget(fence, 0)
    assert kept.publications.sent(everything, (-1, 0), 10) == []


def test_whoever_lost_the_lease_can_change_nothing(kept: Kept) -> None:
    old = leading(kept)
    kept.publications.number(old, 5, [a_signal(3)])
    kept.expire(old)
    new = leading(kept)
    for attempt in (
        lambda: kept.publications.number(old, 9, [a_signal(3)]),
        lambda: kept.publications.acknowledged(old),
        lambda: kept.publications.renew(old, LONG),
        lambda: kept.publications.park(old, [UUID(int=1)], 1),
        lambda: kept.publications.unpark(old, [UUID(int=1)]),
        lambda: kept.publications.forget(old, 0),
    ):
        with pytest.raises(Fenced):
            attempt()
    kept.publications.resign(old)
    assert kept.publications.lead(LONG) is None, "resigning late took the lease from the new leader"
    assert [message.number for message in kept.publications.pending()] == [1]
    kept.publications.acknowledged(new)
    assert kept.publications.position() == 5


def test_numbers_count_each_partition_without_a_gap(kept: Kept) -> None:
    fence = leading(kept)
    kept.publications.number(fence, 4, [a_signal(3), a_signal(11), a_signal(3)])
    kept.publications.acknowledged(fence)
    messages = kept.publications.number(fence, 8, [a_signal(3)])
    assert [(message.partition, message.number) for message in messages] == [(3, 3)]
    assert kept.publications.numbers() == [0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1]


def test_what_is_pending_stays_as_it_was_until_acknowledged(kept: Kept) -> None:
    fence = leading(kept)
    first = kept.publications.number(fence, 4, [a_signal(7), a_signal(2)])
    second = kept.publications.number(fence, 6, [a_signal(1)])
    assert kept.publications.pending() == first + second
    assert kept.publications.position() == 0
    kept.publications.acknowledged(fence)
    assert kept.publications.pending() == []
    assert kept.publications.position() == 6


def test_a_parked_stream_keeps_the_first_position(kept: Kept) -> None:
    fence = leading(kept)
    one, two = UUID(int=1), UUID(int=2)
    kept.publications.park(fence, [one, two], 5)
    kept.publications.park(fence, [one], 9)
    kept.publications.unpark(fence, [two])
    assert kept.publications.parked() == {one: 5}


# Where messages go


@dataclass
class Way:
    """Where messages go, and what arrived: event, partition and number; and how often each partition heard a beat."""

    subscribers: Subscribers
    arrived: Callable[[], list[tuple[UUID, int, int]]]
    beats: Callable[[], list[int]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=[pytest.mark.postgres, pytest.mark.slow])])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    if request.param == "memory":
        memory = MemorySubscribers()
        yield Way(
            memory,
            lambda: [(m.event_id, m.partition, m.number) for m in memory.arrived],
            lambda: [last for numbers, _ in memory.beats for last in numbers],
        )
        return
    bootstrap, topic = request.getfixturevalue("broker"), request.getfixturevalue("topic")
    real = KafkaSubscribers(bootstrap, topic)

    def on_topic() -> list[tuple[int, str | None, dict[str, str]]]:
        return tail(bootstrap, topic, wait_ms=1500)

    yield Way(
        real,
        lambda: [(UUID(a["id"]), p, int(a["sequence"])) for p, key, a in on_topic() if key],
        lambda: [int(a["sequence"]) for p, key, a in sorted(on_topic(), key=lambda one: one[0]) if not key],
    )
    real.close()


def test_what_is_sent_arrives_in_the_order_of_its_partition(way: Way) -> None:
    children = [uuid4() for _ in range(30)]
    places = {child: way.subscribers.partition_of(child) for child in children}
    assert set(places.values()) <= set(range(PARTITIONS))
    assert len(set(places.values())) > 1
    messages = [
        Message(uuid4(), child, "registered", NOW, places[child], number)
        for number, child in enumerate(children * 2, 1)
    ]
    way.subscribers.send(messages)
    arrived = way.arrived()
    assert sorted(arrived) == sorted((m.event_id, m.partition, m.number) for m in messages)
    for partition in range(PARTITIONS):
        numbers = [number for _, place, number in arrived if place == partition]
        assert numbers == sorted(numbers)


def test_a_heartbeat_reaches_every_partition_with_its_last_number(way: Way) -> None:
    way.subscribers.beat(range(12), NOW)
    assert way.beats() == list(range(12))


@pytest.mark.parametrize(
    ("key", "signed"),
    # From the tests of Kafka's own client.
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536),
     ("a-little-bit-longer-string", -1486304829)],
)  # fmt: skip
def test_keys_are_spread_as_every_kafka_client_spreads_them(key: str, signed: int) -> None:
    assert murmur2(key.encode()) == signed % 2**32
