"""Wishes about a person with access."""

from typing import Annotated

from pydantic import Field

from domain.identifiers import BodyCode, Id, NamePart, ShortCode
from domain.kernel import Command


class OpenAccount(Command):
    """Let somebody look. `name` is what they are called by on the command line, unique among accounts."""

    name: ShortCode
    title: NamePart | None = None
    role: ShortCode
    organisation: Id
    body: BodyCode
    area: BodyCode
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12)]
    may_override: bool = False


class CloseAccount(Command):
    """Let them look no longer."""

    reason: ShortCode
