"""Every stored event class of the product, and what its type says about its fields."""

import types
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from importlib import import_module
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from domain import identifiers
from domain.kernel import Event, EventTypes
from domain.personal_data import Forgotten, Hidden, PartMark
from tests.architecture.repository import AGGREGATES

SCALARS: Final = (bool, int, date, datetime, UUID)


def registry(aggregate: str) -> EventTypes:
    """The aggregate's explicit list of its event classes."""
    found = import_module(f"domain.{aggregate}.events").EVENTS
    assert isinstance(found, EventTypes)
    return found


def defined_in(aggregate: str) -> set[type[Event]]:
    """Every event class with a name that stands in the aggregate's events.py, listed or not."""
    module = import_module(f"domain.{aggregate}.events")
    return {
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing.__module__ == module.__name__
        if hasattr(thing, "NAME")
    }


def every() -> Iterator[tuple[str, type[Event]]]:
    """Aggregate and class, in the order of the registries."""
    for aggregate in AGGREGATES:
        for event_class in registry(aggregate):
            yield aggregate, event_class


def fields(owner: type) -> dict[str, Any]:
    """Field name → full annotation, marks included, of an event, a nested value or a named tuple."""
    hints = get_type_hints(owner, include_extras=True)
    names = owner.model_fields if issubclass(owner, BaseModel) else hints
    return {name: hints[name] for name in names}


def alternatives(annotation: Any) -> list[Any]:
    """The members of a union, marks that stand outside it dropped; the annotation itself where it is no union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        members = alternatives(inner)
        return [annotation] if len(members) == 1 and _own(marks) else members
    if origin in {Union, types.UnionType}:
        return [member for part in get_args(annotation) for member in alternatives(part)]
    return [annotation]


def unbounded(annotation: Any, path: str) -> Iterator[str]:
    """The paths, inside an annotation, at which a narrative of any length could stand."""
    for member in alternatives(annotation):
        base, marks = _taken_apart(member)
        origin = get_origin(base)
        if base in {str, bytes}:
            if _longest(marks) is None:
                yield f"{path}: a {base.__name__} without max_length"
        elif origin is tuple:
            items = get_args(base)
            if Ellipsis in items and _longest(marks) is None:
                yield f"{path}: a tuple without max_length"
            for item in items:
                if item is not Ellipsis:
                    yield from unbounded(item, f"{path}[]")
        elif _cannot_hold_words(base):
            continue
        elif isinstance(base, type) and (issubclass(base, BaseModel) or _is_named_tuple(base)):
            for name, inner in fields(base).items():
                yield from unbounded(inner, f"{path}.{name}")
        else:
            yield f"{path}: {base!r} may hold anything"


def longest_string(annotation: Any) -> int:
    """The length of the longest free string that fits anywhere in an annotation (all of them are bounded)."""
    longest = 0
    for member in alternatives(annotation):
        base, marks = _taken_apart(member)
        if base is str:
            longest = max(longest, _longest(marks) or 0)
        elif get_origin(base) is tuple:
            longest = max(longest, *(longest_string(item) for item in get_args(base) if item is not Ellipsis))
        elif isinstance(base, type) and (issubclass(base, BaseModel) or _is_named_tuple(base)):
            longest = max(0, longest, *map(longest_string, fields(base).values()))
    return longest


_EXAMPLES: Final[dict[str, str | bytes]] = {
    "Id": "AAAAAAAAQACAAAAAAAAAAQ",
    "ShortCode": "casework",
    "NhsNumber": "9000000009",
    "Upn": "P207000016049",
    "Postcode": "ZZ99 3VZ",
    "IndexNumber": "0000000000" + "0",
    "NamePart": "Avery",
    "AddressLine": "1 Example Street",
    "BodyCode": "E08000035",
    "AllocatedNumber": "A12345",
    "IssuerUrl": "https://sign-in.example.org/realms/staff",
    "SubjectId": "7b1f0c52-8c5e-4a43-9d0b-2f1f6f6f9a10",
    "Base64Url": "lXlL2SbQ0gV9Q0p1m3V0m8l3cGf4sXyq2xw2Jm7cR0Q",
    "Digest": bytes(range(200, 232)),  # no text at all, as a digest is not
    # strings whose pattern stands at the field
    "digest": "0f" * 32,
    "marks": "i:" + "0f" * 16,
    "telephone": "0113 496 0000",
    "email": "duty@example.org",
}


def example(annotation: Any, name: str) -> object:
    """A value that the annotation accepts, with nothing left out that can be present.

    Raises KeyError, naming the field, where a new kind of value needs an example above.
    """
    member = next(m for m in alternatives(annotation) if m not in {None, type(None), Forgotten, Hidden})
    base, marks = _taken_apart(member)
    for alias, kind in vars(identifiers).items():
        if get_origin(kind) is Annotated and _own(marks) and list(kind.__metadata__) == _own(marks):
            return _EXAMPLES[alias]
    if get_origin(base) is Literal:
        return get_args(base)[0]
    if get_origin(base) is tuple:
        return [example(item, name) for item in get_args(base) if item is not Ellipsis]
    if isinstance(base, type) and issubclass(base, Enum):
        return next(iter(base)).value
    if isinstance(base, type) and issubclass(base, BaseModel):
        return {inner: example(kind, inner) for inner, kind in fields(base).items()}
    if isinstance(base, type) and _is_named_tuple(base):
        return [example(kind, inner) for inner, kind in fields(base).items()]
    by_type: dict[object, object] = {
        bool: True,
        int: 1,
        datetime: "2026-03-01T09:00:00Z",
        date: "2026-03-01",
    }
    value = by_type[base] if base in by_type else _EXAMPLES.get(name, "Avery")
    try:
        TypeAdapter(member).validate_python(value)
    except ValidationError:
        raise KeyError(f"{name}: write an example of it") from None
    return value


def admits_its_absence(annotation: Any) -> bool:
    """Whether the type forces its reader to think of a destroyed key and of one that may not be opened."""
    return {Forgotten, Hidden} <= set(alternatives(annotation))


def _cannot_hold_words(base: Any) -> bool:
    if get_origin(base) is Literal or base in {None, type(None), Forgotten, Hidden, *SCALARS}:
        return True
    return isinstance(base, type) and issubclass(base, Enum)


def _taken_apart(member: Any) -> tuple[Any, list[object]]:
    if get_origin(member) is Annotated:
        base, *marks = get_args(member)
        return base, marks
    return member, []


def _own(marks: list[object]) -> list[object]:
    """The marks that say something about the value itself, not about where it is stored."""
    return [mark for mark in marks if not isinstance(mark, PartMark)]


def _longest(marks: list[object]) -> int | None:
    for mark in marks:
        inside: list[Any] = mark.metadata if isinstance(mark, FieldInfo) else [mark]
        for each in inside:
            length: int | None = getattr(each, "max_length", None)
            if length is not None:
                return length
    return None


def _is_named_tuple(base: type) -> bool:
    return issubclass(base, tuple) and hasattr(base, "_fields")
