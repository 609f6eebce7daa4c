"""Everything that a whole story publishes: read by three clients, held against its schemas, searched.

No key, header or body may hold a personal value.
"""

import csv
import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from confluent_kafka import Consumer, TopicPartition
from kafka import KafkaConsumer
from kafka import TopicPartition as Place

from adapters.kafka import messages
from adapters.kafka.broker import tool
from adapters.partitions import PARTITIONS, partition_of
from cli.broker import cache
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, registered
from tests.architecture.repository import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SCHEMAS = ROOT / "docs" / "messages"
NOBODY_IS_THAT_OLD = datetime(2080, 1, 5, 9, tzinfo=UTC)
TOLD_NOBODY = {"Harbour team", "Family support", "Health visiting", "Play group"}


@dataclass(frozen=True)
class Arrived:
    """One message as a client gives it out."""

    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: dict[str, str]

    @property
    def attributes(self) -> dict[str, str]:
        return {name.removeprefix("ce_"): value for name, value in self.headers.items()}


@dataclass
class Told:
    """What was published, and every personal value that was recorded."""

    bootstrap: str
    personal: set[str] = field(default_factory=set)

    def arrived(self) -> list[Arrived]:
        return by_kafka_python(self.bootstrap)


@pytest.fixture(scope="module")
def told(broker: str) -> Iterator[Told]:
    """The demonstration, then a birth that is withdrawn, then so many years that all is destroyed; published thrice."""
    with tempfile.TemporaryDirectory(prefix="contactpoint-home-") as folder:
        line = Line(Path(folder) / "home")
        line.kafka = broker
        assert line.done("demo")["ok"]
        made = Told(broker, set(TOLD_NOBODY))
        made.personal |= {cell for path in line.home.glob("*.csv") for cell in cells(path)}
        made.personal |= {leaf for path in line.home.glob("*.ndjson") for leaf in leaves_of(path)}
        # What a feed says of today is of the day that a message is from.
        made.personal -= {datetime.now(UTC).date().isoformat()}
        publish(line)
        one, other = a_child(), a_child()
        for child in (one, other):
            made.personal |= {str(value) for value in vars(child).values()}
        file = line.births(one.entry)["files"][0]["file_id"]
        child_id = registered(line, other)
        line.record("involve", child_id, "--service", "Play group", "--kind", "universal")
        made.personal.add(line.shown(child_id)["number"])
        line.done("load", "births", "--withdraw", file)
        publish(line)
        line.clock = NOBODY_IS_THAT_OLD
        while line.done("retention", "run")["destroyed"]:
            pass
        publish(line)
        line("stop")
        yield made


def publish(line: Line) -> None:
    line.done("stream", "publish", "--until-caught-up")


def cells(path: Path) -> set[str]:
    with path.open(newline="") as file:
        return {cell for row in csv.DictReader(file) for cell in row.values()}


def leaves_of(path: Path) -> set[str]:
    found: set[str] = set()

    def walk(value: Any) -> None:
        match value:
            case dict():
                for below in value.values():
                    walk(below)
            case list():
                for below in value:
                    walk(below)
            case str():
                found.add(value)
            case _:
                pass

    for text in path.read_text("utf-8").splitlines():
        walk(json.loads(text))
    return found


def by_kafka_python(bootstrap: str) -> list[Arrived]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=1500)
    own = [Place(messages.TOPIC, number) for number in range(PARTITIONS)]
    consumer.assign(own)
    consumer.seek_to_beginning(*own)
    found = [
        Arrived(
            one.partition, one.offset, text(one.key), text(one.value), {n: v.decode() for n, v in one.headers}
        )
        for one in consumer
    ]
    consumer.close()
    return in_order(found)


def by_confluent(bootstrap: str) -> list[Arrived]:
    """Through librdkafka, which is written in C. A message of its without a value is falsy: None alone is none."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reads-all", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(messages.TOPIC, number, 0) for number in range(PARTITIONS)])
    found = []
    while (one := consumer.poll(2.0)) is not None:
        assert one.error() is None
        found.append(
            Arrived(
                one.partition() or 0,
                one.offset() or 0,
                text(one.key()),
                text(one.value()),
                {name: value.decode() for name, value in cast("list[tuple[str, bytes]]", one.headers())},
            )
        )
    consumer.close()
    return in_order(found)


def by_the_console_consumer(bootstrap: str) -> list[Arrived]:
    """Through Apache Kafka's own tool, which is written in Java."""
    command = tool(cache(), "org.apache.kafka.tools.consumer.ConsoleConsumer")
    command += [
        "--bootstrap-server",
        bootstrap,
        "--topic",
        messages.TOPIC,
        "--from-beginning",
        "--timeout-ms",
        "5000",
    ]
    for shown in ("partition", "offset", "headers", "key", "value"):
        command += ["--formatter-property", f"print.{shown}=true"]
    command += ["--formatter-property", "null.literal=none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found = []
    for row in done.stdout.splitlines():
        partition, offset, headers, key, value = row.split("\t")
        found.append(
            Arrived(
                int(partition.removeprefix("Partition:")),
                int(offset.removeprefix("Offset:")),
                None if key == "none" else key,
                None if value == "none" else value,
                dict(pair.split(":", 1) for pair in headers.split(",")),
            )
        )
    assert found, done.stderr
    return in_order(found)


def text(value: object) -> str | None:
    return value.decode() if isinstance(value, bytes) else None


def in_order(found: list[Arrived]) -> list[Arrived]:
    return sorted(found, key=lambda one: (one.partition, one.offset))


def test_a_schema_of_every_type_that_is_sent_and_of_no_other_is_published() -> None:
    found = {path.name.removesuffix(".schema.json") for path in SCHEMAS.iterdir()}
    assert found == set(messages.TYPES)


def test_every_message_meets_the_schema_of_its_type_and_every_type_comes(told: Told) -> None:
    schemas = {}
    for name in messages.TYPES:
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[name] = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
    seen = set()
    for one in told.arrived():
        name = one.attributes["type"]
        schemas[name].validate(one.attributes)
        assert all(header.startswith("ce_") for header in one.headers)
        assert one.key == one.attributes.get("subject")
        assert one.key is None or one.partition == partition_of(one.key.encode())
        assert not one.value
        seen.add(name)
    assert seen == set(messages.TYPES)


@pytest.mark.parametrize("spoilt", ["type", "id", "subject", "time", "sequence", "source", "specversion"])
def test_the_schemas_refuse_what_is_amiss(told: Told, spoilt: str) -> None:
    attributes = next(one.attributes for one in told.arrived() if one.key)
    path = SCHEMAS / f"{attributes['type']}.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    for wrong in (
        {name: value for name, value in attributes.items() if name != spoilt},
        {**attributes, spoilt: f"{attributes[spoilt]}!"},
        {**attributes, "more": "of it"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("reader", [by_confluent, by_the_console_consumer])
def test_other_clients_read_the_very_same(told: Told, reader: Callable[[str], list[Arrived]]) -> None:
    wanted, got = told.arrived(), reader(told.bootstrap)
    assert len(wanted) > 80
    assert got == wanted


def test_no_key_header_or_body_holds_a_personal_value(told: Told) -> None:
    looked_for = {value.lower() for value in told.personal if len(value) > 3}
    assert {"okafor-bell", "4 tannery row", "ls1 6ae", "harbour team"} <= looked_for
    assert any(re.fullmatch(r"\d{10}", value) for value in looked_for)
    arrived = told.arrived()
    assert arrived
    for one in arrived:
        everything = "\n".join([one.key or "", one.value or "", *one.headers, *one.headers.values()]).lower()
        found = [value for value in looked_for if value in everything]
        assert not found, f"{len(found)} personal values in a message of partition {one.partition}"
