"""Facts about rule sets: which one was adopted, byte for byte."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from domain.identifiers import ShortCode
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY


class RuleSetAdopted(Event):
    """A rule set was adopted. `digest` is the SHA-256 of its file; decisions name its `rule_set` id."""

    NAME: ClassVar[str] = "rule-set-adopted"

    rule_set: Annotated[ShortCode, IN_IDENTITY]
    valid_from: Annotated[date, IN_IDENTITY]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64), IN_IDENTITY]


EVENTS = EventTypes((RuleSetAdopted,))
