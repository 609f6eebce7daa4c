"""Facts about an organisation whose people may look. Stored under a key of its own."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from domain.identifiers import AllocatedNumber, BodyCode, NamePart, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY


class OrganisationRegistered(Event):
    """An organisation was registered: a local authority, a health body, a school, a partner."""

    NAME: ClassVar[str] = "organisation-registered"

    name: Annotated[NamePart, IN_IDENTITY]
    body: Annotated[BodyCode, IN_IDENTITY]
    kind: Annotated[ShortCode, IN_IDENTITY]


class OrganisationSuspended(Event):
    """Nobody of it is let in for now, whatever conditions hold."""

    NAME: ClassVar[str] = "organisation-suspended"

    reason: Annotated[ShortCode, IN_IDENTITY]


class OrganisationReinstated(Event):
    """It is suspended no longer. Conditions that lapsed meanwhile have lapsed."""

    NAME: ClassVar[str] = "organisation-reinstated"

    reason: Annotated[ShortCode, IN_IDENTITY]


class OrganisationEnded(Event):
    """It takes part no longer, for good."""

    NAME: ClassVar[str] = "organisation-ended"

    reason: Annotated[ShortCode, IN_IDENTITY]


class OrganisationAltered(Event):
    """Its name, its owner or its purpose is another than it was. `name`: the new one, where it is the name."""

    NAME: ClassVar[str] = "organisation-altered"

    what: Annotated[Literal["name", "ownership", "purpose"], IN_IDENTITY]
    name: Annotated[NamePart | None, IN_IDENTITY] = None


class OrganisationConditionMet(Event):
    """A condition of access was met on a day. `ends_on`: the first day on which it holds no more, if that was said.

    reference: the number under which whoever recorded it keeps the evidence. made_up: for invented people.
    """

    NAME: ClassVar[str] = "organisation-condition-met"

    condition: Annotated[ShortCode, IN_IDENTITY]
    met_on: Annotated[date, IN_IDENTITY]
    ends_on: Annotated[date | None, IN_IDENTITY] = None
    reference: Annotated[AllocatedNumber | None, IN_IDENTITY] = None
    made_up: Annotated[bool, IN_IDENTITY] = False
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class OrganisationConditionWithdrawn(Event):
    """A condition was taken back: its people are not let in until it is met anew."""

    NAME: ClassVar[str] = "organisation-condition-withdrawn"

    condition: Annotated[ShortCode, IN_IDENTITY]
    reason: Annotated[ShortCode, IN_IDENTITY]


EVENTS = EventTypes(
    (
        OrganisationRegistered,
        OrganisationSuspended,
        OrganisationReinstated,
        OrganisationEnded,
        OrganisationAltered,
        OrganisationConditionMet,
        OrganisationConditionWithdrawn,
    )
)
