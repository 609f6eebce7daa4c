"""Facts about destruction, on a stream about no person whose id is the certificate."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from domain.identifiers import Id, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY


class DestructionBegun(Event):
    """The keys of this stream are to be destroyed, because a rule made it due. Recorded before the first key goes."""

    NAME: ClassVar[str] = "destruction-begun"

    child: Annotated[Id, IN_IDENTITY]
    rule: Annotated[ShortCode, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    due: Annotated[date, IN_IDENTITY]


class DestructionCompleted(Event):
    """Every key of the stream is gone; `keys` is how many were emptied."""

    NAME: ClassVar[str] = "destruction-completed"

    child: Annotated[Id, IN_IDENTITY]
    keys: Annotated[int, Field(ge=0, le=1_000_000), IN_IDENTITY]
    completed_on: Annotated[date, IN_IDENTITY]


EVENTS = EventTypes((DestructionBegun, DestructionCompleted))
