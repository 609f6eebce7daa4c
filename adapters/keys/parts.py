"""Splits an event into the JSON texts of its stored parts, by the marks on its fields, and puts them together again.

    identity   {"k": number of the content key, "e": name, "v": version, …identity fields}
    concealed  {"k": …, "e": "concealed", "source_kind": …}, and the content part then begins with "e" and "v"
    content    {…content fields}
    metadata   {…metadata, …metadata fields}

A value that is None is left out, so a field that may be None defaults to None. Every other field is written, default
or not: what is stored does not change its meaning when a default does.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_
from typing import Annotated, Any, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from adapters.keys.cipher import COMMITMENT, Damage
from adapters.keys.decoding import Convert, Shape, converters, made
from domain.identifiers import Id
from domain.kernel import (
    CONCEALED_NAME,
    Concealed,
    Event,
    EventTypes,
    ForgottenEvent,
    Metadata,
    StreamKind,
    Upcasters,
)
from domain.personal_data import Forgotten, Hidden, Part, parts_of

Fields: TypeAlias = dict[str, Any]
Unopened: TypeAlias = Forgotten | Hidden

_UNOPENED = frozenset({Forgotten, Hidden})
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)
_IN_METADATA_OF_ALL = frozenset(Metadata.model_fields)
_IDENTITIES = 64
"""Identity parts that are kept ready for each concealed event: one for a kind of source and a content key."""
_CONCEALED_MAY_SHOW = frozenset({"source_kind"})


class Texts(NamedTuple):
    """The JSON texts of the parts that an event's own fields make; `metadata` is None where none lies there."""

    identity: bytes
    content: bytes
    metadata: bytes | None


class _Codec:
    """One event class: which field goes where, and how its values become JSON and come back."""

    def __init__(self, event_class: type[Event], *, trusting: bool) -> None:
        self.event_class = event_class
        self.event = self._decoded if trusting else self._validated
        self.parts = parts_of(event_class)
        self.of_part = {
            part: tuple(name for name, lies_in in self.parts.items() if lies_in == part) for part in Part
        }
        if event_class.NAME == CONCEALED_NAME:
            raise TypeError(f"{event_class.__name__} takes the name kept for events that are not opened")
        if event_class.CONCEALED and not _CONCEALED_MAY_SHOW.issuperset(self.of_part[Part.IDENTITY]):
            raise TypeError(
                f"{event_class.__name__} is concealed, so its identity part may hold source_kind only"
            )
        if {"k", "e", "v"} & self.parts.keys() or _IN_METADATA_OF_ALL.intersection(
            self.of_part[Part.METADATA]
        ):
            raise TypeError(f"{event_class.__name__} has a field whose name the stored parts use themselves")
        hints = get_type_hints(event_class, include_extras=True)
        self._types = {name: _without_unopened(hints[name]) for name in self.parts}
        self.held = tuple(name for name in self.parts if self._types[name] != hints[name])
        called = orjson.dumps({"e": event_class.NAME, "v": event_class.VERSION})[1:-1]
        self._called = b"{" + called
        self._identity = b'{"k":%d,"e":"' + CONCEALED_NAME.encode() + b'"'
        self._conceals = event_class.CONCEALED
        self._written: dict[tuple[int, object], bytes] = {}
        self._shapes: dict[tuple[object, ...], Shape] = {}
        fields = event_class.model_fields
        self._required = frozenset(name for name, field in fields.items() if field.is_required())
        self._defaults = {n: None if f.is_required() else f.get_default() for n, f in fields.items()}
        if not self._conceals:
            self._identity = b'{"k":%d,' + called.replace(b"%", b"%%")

    @cached_property
    def _writers(self) -> tuple[Any, Any, Any]:
        """What writes the fields of each part; None where it has none."""
        names = [self.of_part[part] for part in (Part.IDENTITY, Part.CONTENT, Part.METADATA)]
        identity, content, metadata = [
            self._adapter(own).serializer.to_json if own else None for own in names
        ]
        return identity, content, metadata

    @cached_property
    def _validator(self) -> Any:
        return self._adapter(self.parts).validator

    @cached_property
    def _converters(self) -> Mapping[str, Convert]:
        return dict(converters((name, self._types[name]) for name in self.parts))

    def _validated(self, fields: Fields, unopened: Mapping[Part, Unopened]) -> Event:
        """The event of these fields, each checked by the rules of its type. Raises Damage."""
        try:
            values: Fields = self._validator.validate_python(_without_own({**fields}))
        except ValidationError:
            raise Damage from None
        for part, instead in unopened.items():
            values.update(dict.fromkeys(self.of_part[part], instead))
        told = set(values)
        if not told.issuperset(self._required):
            raise Damage
        return made(self.event_class, {**self._defaults, **values}, told)

    def _decoded(self, fields: Fields, unopened: Mapping[Part, Unopened]) -> Event:
        """The same of fields that were validated before they were written. Raises Damage."""
        shape = self._shape(fields, unopened)
        values = {**shape.defaults, **fields}
        try:
            for name, convert in shape.converters:
                if (value := values[name]) is not None:
                    values[name] = convert(value)
        except (ValidationError, ValueError, TypeError, AttributeError, LookupError):
            raise Damage from None
        for part, instead in unopened.items():
            values.update(dict.fromkeys(self.of_part[part], instead))
        return made(self.event_class, _without_own(values), shape.told)

    def _shape(self, fields: Fields, unopened: Mapping[Part, Unopened]) -> Shape:
        key = (*fields, *unopened)
        shape = self._shapes.get(key)
        if shape is None:
            there = fields.keys() - _OWN
            told = there.union(*(self.of_part[part] for part in unopened))
            if not (there <= self.parts.keys() and self._required <= told):
                raise Damage
            shape = self._shapes[key] = Shape(
                self._defaults, tuple((n, c) for n, c in self._converters.items() if n in there), told
            )
        return shape

    def _adapter(self, names: Iterable[str]) -> TypeAdapter[Any]:
        make_type: Any = TypedDict  # made from the marks: no type checker can follow
        shape = make_type(self.event_class.__name__, {name: self._types[name] for name in names}, total=False)
        return TypeAdapter(with_config(_STRICT)(shape))

    def split(self, event: Event, content_key: int) -> Texts:
        values = event.__dict__
        for name in self.held:
            if type(values[name]) in _UNOPENED:
                raise TypeError(f"{type(event).__name__}.{name} was not opened, so it cannot be stored")
        write_identity, write_content, write_metadata = self._writers
        identity = self._written.get((content_key, values.get("source_kind"))) if self._conceals else None
        if identity is None:
            identity = self._identity_text(values, content_key, write_identity)
        content = b"{}" if write_content is None else write_content(values, exclude_none=True)
        if self._conceals:
            content = _joined(self._called, content)
        metadata = None if write_metadata is None else write_metadata(values, exclude_none=True)
        return Texts(identity, content, metadata)

    def _identity_text(self, values: Fields, content_key: int, write: Any) -> bytes:
        identity = self._identity % content_key
        identity = identity + b"}" if write is None else _joined(identity, write(values, exclude_none=True))
        if self._conceals and len(self._written) < _IDENTITIES:  # holds nothing but these two
            self._written[content_key, values.get("source_kind")] = identity
        return identity


class Parts:
    """The codecs of every event class a log may hold.

    `unnamed` is the class of an event whose identity part is gone though its metadata part is not: in the access log
    every event is of this one class. Elsewhere there is none, and such an event comes back as `ForgottenEvent`.

    trusting: what opens is decoded and not validated again (`adapters.keys.decoding`): for views.
    """

    def __init__(
        self,
        types: EventTypes,
        upcasters: Upcasters | None = None,
        unnamed: type[Event] | None = None,
        *,
        trusting: bool = False,
    ) -> None:
        self._types = types
        self._upcasters = upcasters or {}
        self._unnamed = unnamed
        self._trusting = trusting
        self._codecs: dict[type[Event], _Codec] = {}
        self._now: dict[tuple[str, int], _Codec] = {}
        self._bare: dict[tuple[str, int], Event] = {}

    def split(self, event: Event, content_key: int) -> Texts:
        """The JSON texts of an event's parts. Raises TypeError where it holds a value that was never opened."""
        codec = self._codecs.get(type(event)) or self._codec(type(event))
        return codec.split(event, content_key)

    def event(
        self, identity: Fields, content: Fields | Unopened, metadata: Fields | Unopened | None = None
    ) -> Event:
        """The event whose parts were opened, in today's shape. Raises Damage where there is no such event."""
        if identity.get("e") == CONCEALED_NAME:
            if not isinstance(content, dict):
                return _concealed(identity)
            if not ("e" in content and "v" in content):
                raise Damage
        fields, unopened = identity, _NOTHING
        if isinstance(content, dict):
            fields = {**identity, **content}
        else:
            unopened = {Part.CONTENT: content}
        if isinstance(metadata, dict):
            fields = {**fields, **metadata}
        elif metadata is not None:
            unopened = {**unopened, Part.METADATA: metadata}
        name, version = fields.get("e"), fields.get("v")
        codec = self._now.get((name, version)) if isinstance(name, str) and isinstance(version, int) else None
        if codec is None:
            codec, fields = self._codec_of(name, version, fields)
        return codec.event(fields, unopened)

    def called(self, fields: Fields) -> Event:
        """An event of the class that these fields name, in today's version, and nothing else of it. Raises Damage."""
        key = fields.get("e"), fields.get("v")
        found = self._bare.get(key)  # type: ignore[arg-type]  # whatever was never built is not found
        if found is None:
            event_class, _ = self._class_of(*key, {})
            found = self._bare[event_class.NAME, fields["v"]] = event_class.model_construct()
            found.__dict__.clear()  # nor defaults: whoever asks for a field is told that there is none
        return found

    def forgotten(self, gone: Forgotten, metadata: Fields | None = None) -> Event:
        """What is left of an event whose identity part is gone: of its metadata what events of every name have."""
        if self._unnamed is None or not metadata:
            return ForgottenEvent(certificate=gone.certificate)
        left = {name: value for name, value in metadata.items() if name in self._unnamed.model_fields}
        return self._codec(self._unnamed).event(left, {Part.IDENTITY: gone})

    def _codec_of(self, name: Any, version: Any, fields: Fields) -> tuple[_Codec, Fields]:
        """The codec of what is stored under this name, and the fields in today's shape."""
        event_class, now = self._class_of(name, version, fields)
        codec = self._codec(event_class)
        if now is fields:
            self._now[name, version] = codec
        return codec, now

    def _class_of(self, name: Any, version: Any, fields: Fields) -> tuple[type[Event], Fields]:
        if not isinstance(name, str) or not isinstance(version, int):
            raise Damage
        while step := self._upcasters.get((name, version)):
            upcast, version = step
            fields = upcast(_without_own({**fields}))
        try:
            return self._types.of(name, version), fields
        except KeyError:
            raise Damage from None

    def _codec(self, event_class: type[Event]) -> _Codec:
        codec = self._codecs.get(event_class)
        if codec is None:
            codec = self._codecs[event_class] = _Codec(event_class, trusting=self._trusting)
        return codec


def _concealed(identity: Fields) -> Concealed:
    try:
        return Concealed(source_kind=identity.get("source_kind"))
    except ValidationError:
        raise Damage from None


def metadata_text(metadata: Metadata) -> bytes:
    """The metadata that every event carries, as JSON."""
    return metadata.model_dump_json(exclude_none=True).encode()


def with_fields(metadata: bytes, fields: bytes | None) -> bytes:
    """Metadata with the fields of an event that lie beside it."""
    return metadata if fields is None else _joined(metadata[:-1], fields)


def _without_own(fields: Fields) -> Fields:
    """Without what a part says of itself. Changes what it is given."""
    for own in _OWN:
        fields.pop(own, None)
    return fields


def read_text(text: bytes) -> Fields:
    """The object in the JSON text of a part. Raises Damage where it is none."""
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Damage from None
    if not isinstance(fields, dict):
        raise Damage
    return fields


def called(text: bytes) -> str | None:
    """What the event of a concealed content part is called, without reading the rest. Raises Damage."""
    if text.startswith(_CALLED, len(COMMITMENT)):  # as all that were ever written do
        start = len(COMMITMENT) + len(_CALLED)
        return text[start : text.index(b'"', start)].decode()
    name = read_text(text).get("e")
    return name if isinstance(name, str) else None


def read_metadata(fields: Fields) -> tuple[Metadata, Fields]:
    """The metadata that every event carries, and the fields that lie beside it. Raises Damage."""
    own = {name: value for name, value in fields.items() if name not in _IN_METADATA_OF_ALL}
    try:
        common = Metadata.model_validate({n: v for n, v in fields.items() if n in _IN_METADATA_OF_ALL})
    except ValidationError:
        raise Damage from None
    return common, own


def subjects_of(fields: Fields) -> tuple[UUID, ...]:
    """The streams of the hits that an access event's metadata part lists, in order. Raises Damage."""
    try:
        return _HITS.validate_python([hit[0] for hit in fields.get("hits", ())])
    except (ValidationError, TypeError, LookupError):
        raise Damage from None


def field_table(groups: Sequence[tuple[StreamKind, EventTypes]]) -> str:
    """Which field of which event lies in which part, under which key: a Markdown table made from the marks."""
    lines = ["| event | field | part | key |", "|---|---|---|---|"]
    for kind, types in groups:
        for event_class in types:
            called = f"`{event_class.NAME}` v{event_class.VERSION}"
            where = Part.CONTENT if event_class.CONCEALED else Part.IDENTITY
            lines.append(f"| {called} | *its name* | {where.name.lower()} | {_KEYS[kind, where]} |")
            lines += [
                f"| {called} | `{name}` | {part.name.lower()} | {_KEYS[kind, part]} |"
                for name, part in parts_of(event_class).items()
            ]
    for kind in dict.fromkeys(kind for kind, _ in groups):
        lines += [
            f"| every event of a {kind.name.lower()} stream | `{name}` | metadata | {_KEYS[kind, Part.METADATA]} |"
            for name in Metadata.model_fields
        ]
    return "\n".join(lines) + "\n"


_KEYS = {
    (StreamKind.CHILD, Part.IDENTITY): "the child's identity key",
    (StreamKind.CHILD, Part.CONTENT): "a numbered content key of the child",
    (StreamKind.CHILD, Part.METADATA): "the same content key",
    (StreamKind.STAFF, Part.IDENTITY): "the staff key",
    (StreamKind.STAFF, Part.CONTENT): "the staff key",
    (StreamKind.STAFF, Part.METADATA): "the month's key",
    (StreamKind.SYSTEM, Part.IDENTITY): "the system key",
    (StreamKind.SYSTEM, Part.CONTENT): "the system key",
    (StreamKind.SYSTEM, Part.METADATA): "the month's key",
    (StreamKind.ACCESS, Part.IDENTITY): "the month's key with the identity keys of all hits",
    (StreamKind.ACCESS, Part.CONTENT): "the month's key",
    (StreamKind.ACCESS, Part.METADATA): "the month's key",
}


def _joined(head: bytes, fields: bytes) -> bytes:
    return head + (b"}" if fields == b"{}" else b"," + fields[1:])


def _without_unopened(hint: Any) -> Any:
    """A field's type as it is written: without `Forgotten` and `Hidden`."""
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        return Annotated[(_without_unopened(inner), *extras)]
    members = get_args(hint)
    if {Forgotten, Hidden} & set(members):
        return reduce(or_, [member for member in members if member not in (Forgotten, Hidden)])
    return hint


_OWN = ("k", "e", "v")
_NOTHING: Mapping[Part, Unopened] = {}
_CALLED = b'{"e":"'
_HITS: TypeAdapter[tuple[UUID, ...]] = TypeAdapter(tuple[Id, ...])
