"""Facts about acts that need two people, on a stream about no person.

A proposal names the record by stream and version, the act and its codes, and holds no value of anybody: what somebody
wrote beside it (for whom facts are handed over) lies in the access log, under the keys of the child it concerns.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Final

from pydantic import Field

from domain.identifiers import Digest, Id, ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY
from domain.rule_set.model import RecordField

MOST_TO_SECOND: Final = 500
"""Versions that a proposal to split a record gives to the other child."""


class ActProposed(Event):
    """Somebody proposed an act; until `expires_at` another may confirm it. Who: the actor of its metadata.

    subject, version: the stream it is done to, as it stood when the act was proposed; an access (to be shown again)
    never changes. code: why, or on which ground; which rule set. fields: which facts, where some are handed over.
    words: the access under which the rest of what was shown of it is on record; of a rule set, the first half of the
    digest of its file; of a merge, the other record, and other_version how that stood. to_second:
    of a split, the versions of what goes to the other child. digest: keyed, of what both people are shown.
    """

    NAME: ClassVar[str] = "act-proposed"
    VERSION: ClassVar[int] = 2

    act: Annotated[ShortCode, IN_IDENTITY]
    subject: Annotated[Id, IN_IDENTITY]
    version: Annotated[int, Field(ge=0), IN_IDENTITY]
    code: Annotated[ShortCode | None, IN_IDENTITY] = None
    fields: Annotated[tuple[RecordField, ...], Field(max_length=22), IN_IDENTITY] = ()
    words: Annotated[Id | None, IN_IDENTITY] = None
    other_version: Annotated[Annotated[int, Field(ge=0)] | None, IN_IDENTITY] = None
    to_second: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=MOST_TO_SECOND), IN_IDENTITY
    ] = ()
    digest: Annotated[Digest, IN_IDENTITY]
    expires_at: Annotated[datetime, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class ActConfirmed(Event):
    """A second person confirmed it, naming what they were shown; who, stands in the metadata beside the first.

    A change to the record log that the act makes is appended with it, all of it or none.
    """

    NAME: ClassVar[str] = "act-confirmed"

    digest: Annotated[Digest, IN_IDENTITY]


class ProposalWithdrawn(Event):
    """It will not be done: whoever proposed it took it back, or somebody who might have confirmed it declined."""

    NAME: ClassVar[str] = "proposal-withdrawn"


class ProposalExpired(Event):
    """Nobody confirmed it in time."""

    NAME: ClassVar[str] = "proposal-expired"


EVENTS = EventTypes((ActProposed, ActConfirmed, ProposalWithdrawn, ProposalExpired))
