"""The public form of a signal: a CloudEvents 1.0 event in binary mode, all of it in headers, without any value.

The attributes of each type of message, in each version, are a pydantic type here; its schema is in `docs/messages`.

Source: CloudEvents 1.0.2 and its Kafka protocol binding 1.0.2; `sequence` is the documented extension of that name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model

from domain.ports import Message
from domain.rule_set.model import SignalKind

TOPIC: Final = "contactpoint.record-changes"
SOURCE: Final = "/contactpoint/records"
TYPE: Final = "uk.contactpoint.record.{kind}.v1"
BEAT: Final = "uk.contactpoint.heartbeat.v1"

_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_INSTANT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"

Headers = list[tuple[str, bytes]]

_Uuid = Annotated[str, Field(pattern=f"^{_UUID}$", json_schema_extra={"format": "uuid"})]
_Instant = Annotated[str, Field(pattern=f"^{_INSTANT}$", json_schema_extra={"format": "date-time"})]


class Attributes(BaseModel):
    """The attributes that every message has. On Kafka each is a header, its name behind `ce_`, its value in UTF-8."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    specversion: Literal["1.0"] = Field(description="The version of CloudEvents.")
    source: Literal["/contactpoint/records"] = Field(description="Where the message comes from.")
    sequence: str = Field(
        pattern=r"^\d{20}$",
        description="The last number used in this partition; a signal's is its own, counted from 1 without a gap.",
    )


class Signalled(Attributes):
    """The attributes of a signal: that the record of one child changed."""

    id: _Uuid = Field(description="Random; the same however often the message comes.")
    subject: _Uuid = Field(description="The child's id, which is the key as well.")
    time: _Instant = Field(description="When the change was recorded, UTC.")


class Beat(Attributes):
    """The publisher is there. Comes without a key, on every partition, once a minute."""

    id: str = Field(pattern=rf"^\d+/{_INSTANT}$", description="Partition and time.")
    type: Literal["uk.contactpoint.heartbeat.v1"] = Field(
        description="What it is, and the version of its form."
    )
    time: _Instant = Field(description="When it was sent, UTC.")


_MEANS: Final[Mapping[SignalKind, str]] = {
    "registered": "A subscriber may ask for a record that is new.",
    "identity-changed": "A subscriber asks again who the child is.",
    "whereabouts-changed": "A subscriber asks again where the child is, and about carers.",
    "services-changed": "A subscriber asks again which services are involved.",
    "standing-changed": "A subscriber asks again, and drops what it is no longer shown.",
    "corrected": "A subscriber asks again for everything: a supply was withdrawn.",
    "destroyed": "A subscriber deletes what it holds of this child.",
}


def _signalled(kind: SignalKind) -> type[Attributes]:
    name = TYPE.format(kind=kind)
    only: Any = Literal[name]  # made of the kinds of the rules, so that none is forgotten
    said = "What happened, and the version of its form."
    return create_model(name, __base__=Signalled, __doc__=_MEANS[kind], type=(only, Field(description=said)))


TYPES: Final[Mapping[str, type[Attributes]]] = {
    **{TYPE.format(kind=kind): _signalled(kind) for kind in get_args(SignalKind)},
    BEAT: Beat,
}
"""Every type of message in every version that is sent → the type of its attributes."""


def _shape(name: str, made_of: type[Attributes]) -> tuple[tuple[str, str, tuple[str, bytes] | None], ...]:
    """Of each attribute its name, its header, and that with its value where all messages of this type have the same."""
    same = {"specversion": b"1.0", "source": SOURCE.encode(), "type": name.encode()}
    return tuple(
        (attribute, f"ce_{attribute}", (f"ce_{attribute}", same[attribute]) if attribute in same else None)
        for attribute in made_of.model_fields
    )


_HEADERS: Final = {name: _shape(name, made_of) for name, made_of in TYPES.items()}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the attributes of this type of message: the CloudEvent in its JSON form."""
    made = TYPES[name].model_json_schema()
    for held in made["properties"].values():
        del held["title"]  # the name over again
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{name}", "title": name}
    return head | {key: value for key, value in made.items() if key != "title"}


def key_of(message: Message) -> bytes:
    """The key: the child's id, so that all of a child's messages lie in one partition, in order."""
    return str(message.child_id).encode()


def headers_of(message: Message) -> Headers:
    """The headers of a signal. `subject` and the key are the child's id; `sequence` counts within the partition."""
    return _headers(
        TYPE.format(kind=message.kind),
        id=str(message.event_id),
        subject=str(message.child_id),
        time=_instant(message.at),
        sequence=_sequence(message.number),
    )


def headers_of_beat(partition: int, number: int, at: datetime) -> Headers:
    """The headers of a heartbeat: the publisher is there, and `sequence` is the last it used on this partition."""
    instant = _instant(at)
    return _headers(BEAT, id=f"{partition}/{instant}", time=instant, sequence=_sequence(number))


def attributes(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """The CloudEvents attributes of a message, as a consumer reads them."""
    return {name.removeprefix("ce_"): value.decode() for name, value in headers if name.startswith("ce_")}


def _headers(name: str, **given: str) -> Headers:
    """In the order of the type's attributes. Nothing is validated here: `test_messages` validates every type."""
    return [always or (header, given[attribute].encode()) for attribute, header, always in _HEADERS[name]]


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _sequence(number: int) -> str:
    """Twenty digits, so that the order of the text is the order of the numbers."""
    return f"{number:020}"
