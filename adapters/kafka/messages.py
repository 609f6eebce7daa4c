"""The public form of a signal: a CloudEvents 1.0 event in binary mode, all of it in headers, without any value.

Source: CloudEvents 1.0.2 and its Kafka protocol binding 1.0.2; `sequence` is the documented extension of that name.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.ports import Message

TOPIC: Final = "contactpoint.record-changes"
SOURCE: Final = "/contactpoint/records"
TYPE: Final = "uk.contactpoint.record.{kind}.v1"
BEAT: Final = "uk.contactpoint.heartbeat.v1"

Headers = list[tuple[str, bytes]]


def key_of(message: Message) -> bytes:
    """The key: the child's id, so that all of a child's messages lie in one partition, in order."""
    return str(message.child_id).encode()


def headers_of(message: Message) -> Headers:
    """The headers of a signal. `subject` and the key are the child's id; `sequence` counts within the partition."""
    return _headers(
        {
            "specversion": "1.0",
            "id": str(message.event_id),
            "source": SOURCE,
            "type": TYPE.format(kind=message.kind),
            "subject": str(message.child_id),
            "time": _instant(message.at),
            "sequence": _sequence(message.number),
        }
    )


def headers_of_beat(partition: int, number: int, at: datetime) -> Headers:
    """The headers of a heartbeat: the publisher is there, and `sequence` is the last it used on this partition."""
    return _headers(
        {
            "specversion": "1.0",
            "id": f"{partition}/{_instant(at)}",
            "source": SOURCE,
            "type": BEAT,
            "time": _instant(at),
            "sequence": _sequence(number),
        }
    )


def attributes(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """The CloudEvents attributes of a message, as a consumer reads them."""
    return {name.removeprefix("ce_"): value.decode() for name, value in headers if name.startswith("ce_")}


def _headers(attributes: dict[str, str]) -> Headers:
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items()]


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _sequence(number: int) -> str:
    """Twenty digits, so that the order of the text is the order of the numbers."""
    return f"{number:020}"
