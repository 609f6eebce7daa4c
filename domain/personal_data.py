"""Whose data a field is, which part of the stored event it lies in, and what is left when its key is gone.

Every event is stored in three encrypted parts. A mark on each field of each event class says which part the field
lies in; the table in `docs/stored-forms.md` is generated from these marks.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from pydantic import BaseModel


class Part(IntEnum):
    """The three parts of a stored event; the number stands in the associated data of its ciphertext."""

    IDENTITY = 1
    CONTENT = 2
    METADATA = 3


@dataclass(frozen=True, slots=True)
class PartMark:
    """A mark for `typing.Annotated`: the field lies in this part."""

    part: Part


IN_IDENTITY: Final = PartMark(Part.IDENTITY)
IN_CONTENT: Final = PartMark(Part.CONTENT)
IN_METADATA: Final = PartMark(Part.METADATA)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The key of this value was destroyed under a certificate; the value can never be had again."""

    certificate: UUID


@dataclass(frozen=True, slots=True)
class Hidden:
    """The key of this value is held in the `shielded` database, which this reader may not open."""


HIDDEN: Final = Hidden()


def parts_of(event_class: "type[BaseModel]") -> dict[str, Part]:
    """Say which part each field of an event class lies in.

    Returns field name → part, in the order of the class. Raises TypeError where a field carries no mark, or two.
    """
    found: dict[str, Part] = {}
    for name, field in event_class.model_fields.items():
        marks = [mark for mark in field.metadata if isinstance(mark, PartMark)]
        if len(marks) != 1:
            raise TypeError(
                f"{event_class.__name__}.{name} needs one of IN_IDENTITY, IN_CONTENT, IN_METADATA"
            )
        found[name] = marks[0].part
    return found
