"""Facts about an organisation whose people may look. Stored under a key of its own."""

from typing import Annotated, ClassVar

from domain.identifiers import BodyCode, NamePart, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY


class OrganisationRegistered(Event):
    """An organisation was registered: a local authority, a health body, a school, a partner."""

    NAME: ClassVar[str] = "organisation-registered"

    name: Annotated[NamePart, IN_IDENTITY]
    body: Annotated[BodyCode, IN_IDENTITY]
    kind: Annotated[ShortCode, IN_IDENTITY]


EVENTS = EventTypes((OrganisationRegistered,))
