"""Facts about looking into what the holder of an account did. Each investigation is a stream under a key of its own.

It names the access, never the child: what was seen is for whoever may read the audit trail.
"""

from datetime import date
from typing import Annotated, ClassVar

from domain.identifiers import AllocatedNumber, BodyCode, Id, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY


class InvestigationOpened(Event):
    """The index found that a look is to be looked into: a shield was overridden, or it was flagged.

    account, organisation, area: of whoever looked. access: the first look it is about. line_manager: the number of
    whoever is to be told. review_by: the last day on which somebody takes it up in time.
    """

    NAME: ClassVar[str] = "investigation-opened"

    account: Annotated[Id, IN_IDENTITY]
    access: Annotated[Id, IN_IDENTITY]
    cause: Annotated[ShortCode, IN_IDENTITY]
    organisation: Annotated[Id, IN_IDENTITY]
    area: Annotated[BodyCode, IN_IDENTITY]
    line_manager: Annotated[AllocatedNumber | None, IN_IDENTITY] = None
    review_by: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class LineManagerTold(Event):
    """The holder's line manager was shown that it was opened; who that was stands in the metadata."""

    NAME: ClassVar[str] = "line-manager-told"


class InvestigationTaken(Event):
    """Somebody investigates: the actor of the metadata."""

    NAME: ClassVar[str] = "investigation-taken"


class InvestigationClosed(Event):
    """It came to an end, with this outcome. That it was a test is none."""

    NAME: ClassVar[str] = "investigation-closed"

    outcome: Annotated[ShortCode, IN_IDENTITY]


EVENTS = EventTypes((InvestigationOpened, LineManagerTold, InvestigationTaken, InvestigationClosed))
