"""The base types of everything recorded: events, commands, and the envelope an event travels in.

An event class has a name and a version that are unrelated to where it lives in the source, because both are stored
for decades and the source moves.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.identifiers import Id, ShortCode
from domain.personal_data import Forgotten, Hidden


class Immutable(BaseModel):
    """A frozen value. Unknown fields are refused; errors never show the input."""

    # A command line uses few of hundreds of models: each is built when it is first used, a fifth of the start.
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64", defer_build=True
    )


class Event(Immutable):
    """A fact. `CONCEALED` events hide their very name: they concern whereabouts or a service."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    CONCEALED: ClassVar[bool] = False


class Command(Immutable):
    """A wish. Time, ids and actor come with it."""

    at: datetime


_E = TypeVar("_E", bound=Event)
# Models are frozen; these go past that, and in half the time of `object.__setattr__`.
_set_values, _set_told, _set_extra, _set_private = [
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
]


def as_validated(event_class: type[_E], **values: Any) -> _E:
    """An event of values that a command was validated with, under the same types: they are not validated again.

    Every field is given. A property of all commands holds this to what validating would make.
    """
    one = event_class.__new__(event_class)
    _set_values(one, values)
    _set_told(one, set(values))
    _set_extra(one, None)
    _set_private(one, None)
    return one


class EventTypes:
    """An explicit registry: every event class of one aggregate, found by its stored name and version."""

    def __init__(self, classes: Iterable[type[Event]]) -> None:
        self._by_name: dict[tuple[str, int], type[Event]] = {}
        for event_class in classes:
            key = (event_class.NAME, event_class.VERSION)
            if key in self._by_name:
                raise TypeError(f"two event classes are called {event_class.NAME} v{event_class.VERSION}")
            self._by_name[key] = event_class

    def of(self, name: str, version: int) -> type[Event]:
        """The class stored under this name and version. Raises KeyError where there is none."""
        return self._by_name[name, version]

    def __iter__(self) -> Iterator[type[Event]]:
        return iter(self._by_name.values())

    def __or__(self, other: "EventTypes") -> "EventTypes":
        return EventTypes([*self, *other])


Upcasters: TypeAlias = Mapping[tuple[str, int], tuple[Callable[[dict[str, Any]], dict[str, Any]], int]]
"""Stored name and version → what turns its fields into those of the next version, and that version."""


def nothing_new(old: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are: what the next version adds was never said."""
    return old


class Log(IntEnum):
    """Which log an event is in; the number stands in the associated data of its ciphertext."""

    RECORD = 1
    ACCESS = 2


class StreamKind(IntEnum):
    """Whose keys a stream is under."""

    CHILD = 1
    STAFF = 2
    SYSTEM = 3
    ACCESS = 4


class Metadata(Immutable):
    """Who did it, for whom, why, and what caused it."""

    actor: Id
    on_behalf_of: Id | None = None
    confirmed_by: Id | None = None
    purpose: ShortCode | None = None
    correlation: Id
    causation: Id | None = None


class Pending(NamedTuple):
    """An event about to be appended; `content_key` is the number of the key its content goes under (child streams)."""

    event: Event
    content_key: int = 0


class Change(NamedTuple):
    """New events for one stream, expected to stand at `expected_version` (0: the stream is new)."""

    stream_id: UUID
    kind: StreamKind
    expected_version: int
    events: tuple[Pending, ...]
    shielded: bool = False
    """Content keys made by this change go to the `shielded` database."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A unique token (an HMAC, or a random index number) that this append claims for a stream."""

    token: bytes
    stream_id: UUID


class Recorded(NamedTuple):
    """An event as the log holds it. `position` is dense per log; `recorded_at` is UTC and never decreases with it."""

    log: Log
    position: int
    recorded_at: datetime
    event_id: UUID
    stream_id: UUID
    version: int
    content_key: int
    event: Event
    metadata: Metadata | Forgotten | Hidden


@dataclass(frozen=True, slots=True)
class History:
    """One stream, in order. `version` is the version of its last event (0: the stream does not exist)."""

    stream_id: UUID
    version: int
    events: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did. `duplicate`: its idempotency key was known, and nothing was appended."""

    positions: tuple[int, ...]
    recorded_at: datetime | None
    duplicate: bool = False


class Concealed(Event):
    """An event on a child's stream of which this reader may know only that there was one, and its kind of source."""

    NAME: ClassVar[str] = "concealed"
    source_kind: ShortCode | None = None


class ForgottenEvent(Event):
    """An event whose identity key was destroyed under a certificate."""

    NAME: ClassVar[str] = "forgotten"
    certificate: Id


CONCEALED_NAME: Final = Concealed.NAME
