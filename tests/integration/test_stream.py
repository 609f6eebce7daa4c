"""`contactpoint stream` on a real broker: what arrives, what does not, and that no value is in any of it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from adapters.partitions import partition_of
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, registered
from tests.broker import LEAVES_SOCKETS

pytestmark = [pytest.mark.postgres, pytest.mark.slow, *LEAVES_SOCKETS]

TOPIC = "contactpoint.record-changes"
ALLOWED = {"specversion", "id", "source", "type", "subject", "time", "sequence"}


@pytest.fixture(scope="module")
def home(new_home: NewHome, broker: str) -> Line:
    line = new_home()
    line.kafka = broker
    return line


def messages(broker: str) -> list[Any]:
    """Every message on the topic, raw."""
    consumer = KafkaConsumer(bootstrap_servers=broker, consumer_timeout_ms=1500)
    own = [TopicPartition(TOPIC, number) for number in range(12)]
    consumer.assign(own)
    consumer.seek_to_beginning(*own)
    found = list(consumer)
    consumer.close()
    return found


def kinds(broker: str, child: str) -> list[str]:
    """What was told of a child, in order."""
    return [
        dict(one.headers)["ce_type"].decode().removeprefix("uk.contactpoint.record.")
        for one in messages(broker)
        if one.key == child.encode()
    ]


def test_changes_are_told_and_no_value_is_in_them(home: Line, broker: str) -> None:
    child = a_child()
    child_id = registered(home, child)
    home.record("involve", child_id, "--service", "Speech therapy", "--kind", "additional")
    assert home.done("stream", "status")["subscribers"][0]["lag_events"] > 0
    done = home.done("stream", "publish", "--until-caught-up")
    assert done["published"] > 0
    assert home.done("stream", "status")["subscribers"] == [
        {"name": "kafka", "lag_events": 0, "lag_seconds": 0.0, "parked": 0}
    ]
    told = kinds(broker, child_id)
    assert told[0] == "registered.v1"
    assert told[-1] == "services-changed.v1"
    assert "whereabouts-changed.v1" in told
    loaded = (
        child.given, child.family, child.street, child.postcode, child.nhs, child.born.isoformat(),
        "Speech", home.shown(child_id)["number"],
    )  # fmt: skip
    for one in messages(broker):
        text = b"\n".join([one.key or b"", one.value or b"", *(part for _, part in one.headers)]).decode()
        assert not [value for value in loaded if value.lower() in text.lower()]
        assert not one.value
        assert {name.removeprefix("ce_") for name, _ in one.headers} <= ALLOWED


def test_of_a_shielded_child_and_of_a_sensitive_service_nothing_is_told(home: Line, broker: str) -> None:
    shielded, other = registered(home, a_child()), registered(home, a_child())
    home.done("stream", "publish", "--until-caught-up")
    before = kinds(broker, shielded), kinds(broker, other)
    home.record("shield", shielded, "--ground", "child-at-risk", acting="social-worker")
    home.record("involve", shielded, "--service", "School nursing", "--kind", "universal")
    home.record("involve", other, "--service", "A clinic", "--kind", "sensitive")
    home.done("stream", "publish", "--until-caught-up")
    assert kinds(broker, shielded) == [*before[0], "standing-changed.v1"]
    assert kinds(broker, other) == before[1]


def test_what_was_sent_is_sent_again_with_the_same_ids_and_numbers(home: Line, broker: str) -> None:
    child, since = registered(home, a_child()), home.clock
    home.record("involve", child, "--service", "Play group", "--kind", "universal")
    home.done("stream", "publish", "--until-caught-up")

    def arrived() -> list[tuple[int, bytes | None, tuple[tuple[str, bytes], ...]]]:
        return [(one.partition, one.key, tuple(one.headers)) for one in messages(broker)]

    first = [one for one in arrived() if one[1] == child.encode()]
    numbers = [int(dict(headers)["ce_sequence"]) for _, _, headers in first]
    at_once = [one for one in first if dict(one[2])["ce_time"] == dict(first[-1][2])["ce_time"]]
    assert len(at_once) < len(first)
    position = home.done("stream", "publish", "--until-caught-up")["position"]
    behind = [*arrived()]
    for chosen, again in (
        (("--partition", str(first[0][0]), "--from", str(numbers[0]), "--to", str(numbers[-1])), first),
        (("--partition", str(first[0][0]), "--from", str(numbers[1])), first[1:]),
        (("--since", since.isoformat()), at_once),
        (("--position", str(position)), at_once),
        (("--until", "2027-01-01T00:00:00Z"), []),
    ):
        assert home.done("stream", "replay", *chosen) == {"replayed": len(again)}
        now = arrived()
        assert Counter(now) - Counter(behind) == Counter(again), chosen
        behind = now
    assert home.done("stream", "status")["subscribers"][0]["lag_events"] == 0


def test_messages_that_are_kept_no_longer_are_refused_in_words(home: Line) -> None:
    child = registered(home, a_child())
    home.done("stream", "publish", "--until-caught-up")
    partition = str(partition_of(child.encode()))
    with home.as_superuser() as connection:
        connection.execute("DELETE FROM publication.sent WHERE partition = %s AND number = 1", (partition,))
    refused = home.refused("not-kept", "stream", "replay", "--partition", partition, "--from", "1")
    assert "from 2 on" in refused["error"]["message"]


def test_without_a_broker_the_answer_says_what_to_set(new_home: NewHome) -> None:
    answer = new_home()("stream", "publish", "--until-caught-up")
    assert (answer.status, answer.code) == (2, "no-broker")
    assert "CONTACTPOINT_KAFKA" in answer["error"]["message"]


def test_a_broker_that_is_away_is_said_by_health_and_nothing_is_lost(new_home: NewHome) -> None:
    line = new_home()
    line.kafka = "127.0.0.1:1"
    child_id = registered(line, a_child())
    assert child_id
    assert line("stream", "publish", "--until-caught-up").status == 3
    health = line("health")
    assert health.status == 1
    assert [part["name"] for part in health["parts"] if not part["ok"]] == ["subscribers"]
    assert line.done("stream", "status")["subscribers"][0]["lag_events"] > 0


def test_a_publisher_that_does_not_run_is_said_by_health_once_a_change_is_old(
    new_home: NewHome, broker: str
) -> None:
    line = new_home()
    line.kafka = broker
    registered(line, a_child())
    assert line("health").status == 0
    line.clock += timedelta(minutes=10)
    health = line("health")
    assert health.status == 1
    (wrong,) = [part for part in health["parts"] if not part["ok"]]
    assert wrong["name"] == "subscribers"
    assert "for 10 minutes" in wrong["detail"]
    line.done("stream", "publish", "--until-caught-up")
    assert line("health").status == 0
