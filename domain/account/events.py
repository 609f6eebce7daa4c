"""Facts about a person with access. Stored under a key of the account's own."""

from typing import Annotated, ClassVar

from pydantic import Field

from domain.identifiers import BodyCode, Id, NamePart, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY


class AccountOpened(Event):
    """Somebody may look, in this role, from this organisation, for these purposes."""

    NAME: ClassVar[str] = "account-opened"

    name: Annotated[ShortCode, IN_IDENTITY]
    title: Annotated[NamePart | None, IN_IDENTITY] = None
    role: Annotated[ShortCode, IN_IDENTITY]
    organisation: Annotated[Id, IN_IDENTITY]
    body: Annotated[BodyCode, IN_IDENTITY]
    area: Annotated[BodyCode, IN_IDENTITY]
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12), IN_IDENTITY]
    may_override: Annotated[bool, IN_IDENTITY] = False
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class AccountClosed(Event):
    """They may no longer look. A closed account is never opened again."""

    NAME: ClassVar[str] = "account-closed"

    reason: Annotated[ShortCode, IN_IDENTITY]


EVENTS = EventTypes((AccountOpened, AccountClosed))
