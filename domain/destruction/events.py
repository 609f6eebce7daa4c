"""Facts about destruction, on a stream about no person whose id is the certificate.

That of the whole index, when it is closed, is a stream of its own (`domain.destruction.closing.INDEX`).
"""

from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import Field

from domain.identifiers import BodyCode, Id, NamePart, ShortCode
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


class ClosureBegun(Event):
    """All that the index holds is to be destroyed, because it is closed. Recorded before the first key goes.

    closed_at: the instant of the rule set that closed it. due: the last day on which anything may be left. subjects:
    how many streams of children, and of source records held back, had keys.
    """

    NAME: ClassVar[str] = "closure-begun"

    rule_set: Annotated[ShortCode, IN_IDENTITY]
    closed_at: Annotated[datetime, IN_IDENTITY]
    due: Annotated[date, IN_IDENTITY]
    subjects: Annotated[int, Field(ge=0, le=1_000_000_000), IN_IDENTITY]


class ClosureCompleted(Event):
    """Nothing of any child can be opened any more, here or from a backup: the certificate of the whole index.

    certificates: how many destructions are certified one by one. keyring_generation, shielded_generation: the oldest
    key-encryption key that there still is of either database; what older ones wrapped is lost with them.
    """

    NAME: ClassVar[str] = "closure-completed"

    certificates: Annotated[int, Field(ge=0, le=1_000_000_000), IN_IDENTITY]
    keyring_generation: Annotated[int, Field(ge=1, le=1_000_000), IN_IDENTITY]
    shielded_generation: Annotated[int, Field(ge=1, le=1_000_000), IN_IDENTITY]
    completed_on: Annotated[date, IN_IDENTITY]


class NoticeOwed(Event):
    """Somebody was given something of a record that is to be destroyed, and is to be told (UK GDPR Art 19).

    On a stream of its own, recorded with the order; nothing tells of whom it was. access: under which they were given
    it, which is all that they are told. kind: of what. recipient: as it was said when it left, such as a court; of an
    answer, in which capacity they asked. body: whose management team gave it.
    """

    NAME: ClassVar[str] = "notice-owed"

    certificate: Annotated[Id, IN_IDENTITY]
    access: Annotated[Id, IN_IDENTITY]
    kind: Annotated[ShortCode, IN_IDENTITY]
    recipient: Annotated[NamePart, IN_IDENTITY]
    body: Annotated[BodyCode, IN_IDENTITY]
    given_on: Annotated[date, IN_IDENTITY]


class NoticeSent(Event):
    """They were told, on this day; by whom, stands in the metadata."""

    NAME: ClassVar[str] = "notice-sent"

    sent_on: Annotated[date, IN_IDENTITY]


EVENTS = EventTypes(
    (DestructionBegun, DestructionCompleted, ClosureBegun, ClosureCompleted, NoticeOwed, NoticeSent)
)
