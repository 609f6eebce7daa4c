"""`bench publish`: changes from the log to a real broker, numbered, committed and acknowledged."""

import itertools
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from kafka import KafkaProducer
from kafka.producer.future import FutureRecordMetadata

from adapters.clock import SystemClock
from adapters.ids import RandomIds
from adapters.kafka import messages as form
from adapters.kafka.broker import LocalBroker, tool
from adapters.kafka.subscribers import ensure_topic
from adapters.partitions import partition_of
from adapters.postgres.databases import Role
from adapters.publisher import Publisher
from adapters.store import Reveal
from cli.app import App
from cli.benches import invented
from cli.benches.measuring import PeakMemory, Slice, answer_of, compared
from cli.benches.place import ACTOR, home_of_its_own, settled
from cli.bootstrap import open_app
from cli.broker import cache
from cli.output import Json, Output
from cli.settings import Settings
from domain.kernel import Metadata
from domain.ports import Message

EVENTS: Final = 60_000
ROUNDS: Final = 6
EVENTS_A_SECOND: Final = 6_000
EVENTS_OF_A_CHILD: Final = 4
THEIR_TOPIC: Final = "contactpoint.bare"
FLOOR_AT_LEAST: Final = 50_000
"""Records that Kafka's own tool sends in a slice: its machine has to warm up first."""


def measure(events: int | None, seconds: float | None, rounds: int, output: Output) -> Json:
    """Run it. `events`: of ours in all; without it as many as take about `seconds`."""
    began = time.monotonic()
    if events is None:
        events = EVENTS if seconds is None else int(seconds * EVENTS_A_SECOND)
    slice_events = max(EVENTS_OF_A_CHILD, events // rounds)
    with home_of_its_own() as home, ExitStack() as closing:
        output.note(f"A home and a broker of its own, {slice_events * rounds:,} events in {rounds} slices.")
        broker = LocalBroker(home / "kafka", cache())
        broker.start()
        closing.callback(broker.stop)
        app = closing.enter_context(open_app(home, Settings(home=home, kafka=broker.bootstrap)))
        ours = Ours(app, home, closing.enter_context(app.streaming.publisher()))
        bare = Bare(broker.bootstrap)
        closing.callback(bare.close)
        ours.published(EVENTS_OF_A_CHILD)  # once each: topics are there and connections made
        bare.sent(EVENTS_OF_A_CHILD)
        at_floor = max(slice_events, FLOOR_AT_LEAST) if slice_events >= EVENTS // ROUNDS else slice_events
        slices = compared(
            {
                "theirs": lambda: bare.sent(slice_events),
                "ours": lambda: ours.published(slice_events),
                "floor": lambda: kafkas_own(broker, at_floor),
            },
            rounds,
            output,
        )
    return answer_of(slices, peak_mib=ours.peak.mib, seconds=time.monotonic() - began)


class Ours:
    """Children are registered, which is not counted; then what came of it is published, which is."""

    def __init__(self, app: App, home: Path, publisher: Publisher) -> None:
        self._app = app
        self._home = home
        self._publisher = publisher
        self._store = app.upkeep.stores.store(Role.WRITER, Reveal.EVERYTHING)
        self._numbers = itertools.count(1)
        self.peak = PeakMemory()

    def published(self, events: int) -> Slice:
        """Publish so many events, from the log to the last acknowledgement."""
        ids, at, file = self._app.ids, self._app.now(), self._app.ids.new()
        numbers = itertools.islice(self._numbers, max(1, events // EVENTS_OF_A_CHILD))
        self._store.append_many_new(
            (
                invented.registered(invented.registers(number, at, file, ids), ids, self._app.rules)
                for number in numbers
            ),
            Metadata(actor=ACTOR, purpose="operation", correlation=ids.new()),
        )
        settled(self._home)
        before = self._publisher.published
        with self.peak:
            began = time.perf_counter()
            after = self._publisher.run(until_caught_up=True)
            return Slice(after - before, time.perf_counter() - began)


class Bare:
    """A producer of the client library's, used plainly: messages of the same size, ready beforehand, as safely sent."""

    def __init__(self, bootstrap: str) -> None:
        ensure_topic([bootstrap], THEIR_TOPIC)
        self._producer = KafkaProducer(bootstrap_servers=[bootstrap], acks="all", enable_idempotence=True)

    def close(self) -> None:
        """Close the connection."""
        self._producer.close()

    def sent(self, number: int) -> Slice:
        """Send so many, each with key and headers, and wait until all are acknowledged."""
        ready = [(form.key_of(one), form.headers_of(one)) for one in a_few(number)]
        began = time.perf_counter()
        futures: list[FutureRecordMetadata] = [
            self._producer.send(THEIR_TOPIC, None, key, headers) for key, headers in ready
        ]
        self._producer.flush()
        for future in futures:
            future.get(timeout=60)
        return Slice(number, time.perf_counter() - began)


def a_few(number: int) -> list[Message]:
    """Messages of made-up changes."""
    ids, at = RandomIds(), SystemClock().now()
    return [
        Message(ids.new(), child, "identity-changed", at, partition_of(str(child).encode()), count)
        for count, child in enumerate((ids.new() for _ in range(number)), 1)
    ]


def kafkas_own(broker: LocalBroker, records: int) -> Slice:
    """Apache Kafka's own performance tool: records of the same size through its Java client, as safely sent."""
    one = a_few(1)[0]
    size = len(form.key_of(one)) + sum(len(name) + len(value) for name, value in form.headers_of(one))
    command = [*tool(cache(), "org.apache.kafka.tools.ProducerPerformance"), "--topic", THEIR_TOPIC]
    command += ["--num-records", str(records), "--record-size", str(size), "--throughput", "-1"]
    command += [
        "--producer-props",
        f"bootstrap.servers={broker.bootstrap}",
        "acks=all",
        "enable.idempotence=true",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rates = re.findall(r"^(\d+) records sent, ([\d.]+) records/sec", said, re.MULTILINE)
    sent, per_second = rates[-1]
    return Slice(int(sent), int(sent) / float(per_second))
