"""`contactpoint stream` on a real broker: what arrives, what does not, and that no value is in any of it."""

from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, registered

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

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
    assert home.done("stream", "status")["subscribers"] == [{"name": "kafka", "lag_events": 0, "parked": 0}]
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
