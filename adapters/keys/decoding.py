"""Reads back what was validated before it was written: JSON into the types of an event's fields, no rule asked again.

A part that opens under its key was written by this software, which validated it then. Reading it this way takes a third
of the time of validating it again; a test holds both ways together on every event type. What has the wrong shape
raises TypeError, ValueError, AttributeError or LookupError.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, TypeAdapter

from domain.identifiers import long_bytes, long_id
from domain.personal_data import Forgotten, Hidden

Convert: TypeAlias = Callable[[Any], Any]
M = TypeVar("M", bound=BaseModel)

_AS_IT_IS = frozenset({str, int, bool, Any})
_set = object.__setattr__  # models are frozen


class Shape(NamedTuple):
    """What is to be done with an object of JSON that has certain fields: worked out once, for many have the same.

    defaults: of every field, in the order of the class. told: the fields it has.
    """

    defaults: Mapping[str, Any]
    converters: tuple[tuple[str, Convert], ...]
    told: set[str]


def made(model: type[M], values: dict[str, Any], told: set[str]) -> M:
    """A model of values that need no validation: what `model_construct` makes, in a fifth of its time."""
    one = model.__new__(model)
    _set(one, "__dict__", values)
    _set(one, "__pydantic_fields_set__", told)
    _set(one, "__pydantic_extra__", None)
    _set(one, "__pydantic_private__", None)
    return one


@lru_cache(maxsize=1024)
def converter(hint: Any) -> Convert | None:
    """What turns the JSON form of a type into its value; None where JSON gives the value itself."""
    origin, members = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(hint)
    if hint in _AS_IT_IS or origin is Literal:
        return None
    if hint is UUID:
        return _uuid
    if hint in (date, datetime):
        return hint.fromisoformat  # type: ignore[no-any-return]
    if origin is tuple and members[1:] == (...,):
        return _tuple_of(converter(members[0]))
    if origin in (Union, UnionType):
        return _one_of(hint, [member for member in members if member not in (NoneType, Forgotten, Hidden)])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint._value2member_map_.__getitem__
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _model(hint)
    return _validated(hint)


def converters(hints: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Convert], ...]:
    """By field name, what must be converted."""
    found = ((name, converter(hint)) for name, hint in hints)
    return tuple((name, convert) for name, convert in found if convert is not None)


def _annotated(hint: Any) -> Convert | None:
    inner, *marks = get_args(hint)
    if inner is bytes:
        return long_bytes
    if inner is not UUID and any(isinstance(mark, BeforeValidator) for mark in marks):
        return _validated(hint)
    tags = [mark.discriminator for mark in marks if getattr(mark, "discriminator", None)]
    return _by_tag(tags[0], get_args(inner)) if tags else converter(inner)


def _uuid(value: Any) -> UUID:
    found = long_id(value)
    return found if isinstance(found, UUID) else UUID(value)


def _tuple_of(convert: Convert | None) -> Convert:
    if convert is None:
        return _listed
    return lambda values: tuple(map(convert, _listed(values)))


def _listed(values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(values)


def _one_of(hint: Any, members: list[Any]) -> Convert | None:
    return converter(members[0]) if len(members) == 1 else _validated(hint)


def _by_tag(tag: str, models: Iterable[type[BaseModel]]) -> Convert:
    made_by = {get_args(model.model_fields[tag].annotation)[0]: _model(model) for model in models}
    return lambda values: made_by[values[tag]](values)


def _validated(hint: Any) -> Convert:
    return TypeAdapter(hint).validator.validate_python


def _model(model: type[BaseModel]) -> Convert:
    fields = model.model_fields
    own = dict(converters((name, field.annotation) for name, field in fields.items()))
    required = {name for name, field in fields.items() if field.is_required()}
    defaults = {name: None if name in required else field.get_default() for name, field in fields.items()}
    shapes: dict[tuple[str, ...], Shape] = {}

    def make(values: Any) -> BaseModel:
        shape = shapes.get(tuple(values))
        if shape is None:
            told = set(values)
            if not required <= told <= fields.keys():
                raise ValueError
            shape = Shape(defaults, tuple((name, own[name]) for name in own if name in told), told)
            shapes[tuple(values)] = shape
        every = {**defaults, **values}  # in the order of the class, as validation leaves them
        for name, convert in shape.converters:
            if (value := every[name]) is not None:
                every[name] = convert(value)
        return made(model, every, shape.told)

    return make
