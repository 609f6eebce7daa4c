"""Hypothesis strategies made from the types: any event or command that the domain could write or be given, and none
that it could not."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel, StringConstraints, TypeAdapter
from pydantic.fields import FieldInfo

from domain import identifiers
from domain.identifiers import CROCKFORD, index_number
from domain.kernel import Command, Event, Metadata
from domain.personal_data import Forgotten, Hidden, PartMark
from tests.architecture.event_classes import alternatives, fields


def _nhs_number(first: int) -> str | None:
    digits = f"{first:09d}"
    check = 11 - sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11
    return None if check == 10 else digits + str(check % 11)


def _upn(digits: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(range(2, 14), digits, strict=True))
    return "ABCDEFGHJKLMNPQRTUVWXYZ"[total % 23] + digits


# Letters, marks, hyphens and the like of every script, as names have them; what a name may not hold is left out.
_TEXT: Final = st.text(
    st.characters(categories=("L", "M", "Nd", "Pd", "Po", "Zs"), exclude_characters="\u00ad"),
    min_size=1,
    max_size=70,
)

_ASCII: Final = st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))


def _acceptable(kind: Any) -> Callable[[str], bool]:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def accepts(value: str) -> bool:
        try:
            adapter.validate_python(value)
        except ValueError:
            return False
        return True

    return accepts


_KINDS: Final[dict[str, SearchStrategy[Any]]] = {
    "Id": st.uuids(version=4),
    "ShortCode": st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True),
    "NhsNumber": st.integers(1, 999_999_998)
    .map(_nhs_number)
    .filter(lambda n: n is not None and len(set(n)) > 1),
    "Upn": st.text("0123456789", min_size=12, max_size=12).map(_upn),
    "Postcode": st.sampled_from(
        ["LS1 4AP", "SW1A 1AA", "M1 1AE", "ZZ99 3VZ", "EC1A 1BB", "GIR 0AA", "w1a0ax"]
    ),
    "IndexNumber": st.text(CROCKFORD, min_size=10, max_size=10).map(index_number).filter(bool),
    "NamePart": _TEXT.filter(_acceptable(identifiers.NamePart)),
    "AddressLine": _TEXT.filter(_acceptable(identifiers.AddressLine)),
    "BodyCode": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,29}", fullmatch=True),
    "AllocatedNumber": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,29}", fullmatch=True),
    "Digest": st.binary(min_size=32, max_size=32),
}
_DAYS: Final = st.dates(date(1990, 1, 1), date(2060, 12, 31))
_INSTANTS: Final = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def events(event_class: type[Event]) -> SearchStrategy[Any]:
    """Events of one class."""
    return _model(event_class)


def commands(command_class: type[Command]) -> SearchStrategy[Any]:
    """Commands of one class."""
    return _model(command_class)


def metadata() -> SearchStrategy[Metadata]:
    """What every event carries."""
    return _model(Metadata)


@cache
def _model(model: type[BaseModel]) -> SearchStrategy[Any]:
    parts = {name: _any(annotation) for name, annotation in fields(model).items()}
    return st.fixed_dictionaries(parts).map(model.model_validate)


def _any(annotation: Any) -> SearchStrategy[Any]:
    members = [member for member in alternatives(annotation) if member not in {Forgotten, Hidden}]
    return st.one_of([_one(member) for member in members])


def _one(member: Any) -> SearchStrategy[Any]:
    base, marks = member, []
    if get_origin(member) is Annotated:
        base, *marks = get_args(member)
    marks = [mark for mark in marks if not isinstance(mark, PartMark)]
    for name, kind in _KINDS.items():
        if marks and list(getattr(identifiers, name).__metadata__) == marks:
            return kind
    if base is None or base is type(None):
        return st.none()
    if get_origin(base) is Literal:
        return st.sampled_from(get_args(base))
    if get_origin(base) is tuple:
        return _tuple(get_args(base), _bound(marks, "max_length"))
    if base is str:
        return _string(marks)
    if base is int:
        return st.integers(_bound(marks, "ge") or 0, _bound(marks, "le") or 2**31 - 1)
    simple: dict[Any, SearchStrategy[Any]] = {
        bool: st.booleans(),
        date: _DAYS,
        datetime: _INSTANTS,
        UUID: st.uuids(version=4),
    }
    if base in simple:
        return simple[base]
    if issubclass(base, Enum):
        return st.sampled_from(list(base))
    if issubclass(base, BaseModel):
        return _model(base)
    hints = get_type_hints(base, include_extras=True)  # a named tuple
    return st.tuples(*[_any(hint) for hint in hints.values()]).map(lambda values: base(*values))


def _tuple(items: tuple[Any, ...], longest: int | None) -> SearchStrategy[Any]:
    if items[-1] is not Ellipsis:
        return st.tuples(*[_any(item) for item in items])
    return st.lists(_any(items[0]), max_size=min(longest or 3, 3)).map(tuple)


def _string(marks: list[Any]) -> SearchStrategy[str]:
    for mark in marks:
        if isinstance(mark, StringConstraints) and isinstance(mark.pattern, str):
            pattern = mark.pattern.removeprefix("^").removesuffix("$")
            return st.from_regex(f"(?a:{pattern})", fullmatch=True, alphabet=_ASCII)
    return _TEXT.map(lambda text: unicodedata.normalize("NFC", text).strip()[: _bound(marks, "max_length")])


def _bound(marks: list[Any], name: str) -> Any:
    for mark in marks:
        for inside in mark.metadata if isinstance(mark, FieldInfo) else [mark]:
            if getattr(inside, name, None) is not None:
                return getattr(inside, name)
    return None
