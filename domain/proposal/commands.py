"""Wishes about acts that need two people."""

from typing import Annotated

from pydantic import Field

from domain.identifiers import Digest, Id, ShortCode
from domain.kernel import Command
from domain.rule_set.model import RecordField


class ProposeAct(Command):
    """Propose an act to somebody else. `digest`: of what is shown of it; see `domain.proposal.events.ActProposed`."""

    act: ShortCode
    subject: Id
    version: Annotated[int, Field(ge=0)] = 0
    code: ShortCode | None = None
    fields: tuple[RecordField, ...] = ()
    words: Id | None = None
    other_version: Annotated[int, Field(ge=0)] | None = None
    to_second: tuple[Annotated[int, Field(ge=1)], ...] = ()
    digest: Digest


class ConfirmAct(Command):
    """Confirm what one was shown, by its digest."""

    digest: Digest


class WithdrawProposal(Command):
    """Take a proposal back, or decline it."""


class ExpireProposal(Command):
    """Put on record that its time has run out, if it has."""
