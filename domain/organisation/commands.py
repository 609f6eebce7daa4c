"""Wishes about an organisation."""

from datetime import date
from typing import Literal

from domain.identifiers import AllocatedNumber, BodyCode, NamePart, ShortCode
from domain.kernel import Command


class RegisterOrganisation(Command):
    """Register an organisation under its body code."""

    name: NamePart
    body: BodyCode
    kind: ShortCode


class SuspendOrganisation(Command):
    """Let nobody of it in for now."""

    reason: ShortCode


class ReinstateOrganisation(Command):
    """Let its people in again."""

    reason: ShortCode


class EndOrganisation(Command):
    """Let nobody of it in any more."""

    reason: ShortCode


class AlterOrganisation(Command):
    """Say that its name, its owner or its purpose is another. Conditions that rested on it are to be met anew."""

    what: Literal["name", "ownership", "purpose"]
    name: NamePart | None = None


class RecordOrganisationCondition(Command):
    """Record that a condition of access was met: accreditation, an attestation. `ends_on`: when it holds no more."""

    condition: ShortCode
    met_on: date
    ends_on: date | None = None
    reference: AllocatedNumber | None = None
    made_up: bool = False


class WithdrawOrganisationCondition(Command):
    """Take a condition back."""

    condition: ShortCode
    reason: ShortCode
