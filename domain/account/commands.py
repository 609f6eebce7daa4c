"""Wishes about a person with access."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from domain.identifiers import (
    AllocatedNumber,
    Base64Url,
    BodyCode,
    Id,
    IssuerUrl,
    NamePart,
    ShortCode,
    SubjectId,
)
from domain.kernel import Command
from domain.public_keys import PublicKey


class OpenAccount(Command):
    """Let somebody look. `name` is what they are called by on the command line, unique among accounts.

    holder: the number their employer knows them by.
    """

    name: ShortCode
    title: NamePart | None = None
    role: ShortCode
    organisation: Id
    body: BodyCode
    area: BodyCode
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12)]
    may_override: bool = False
    holder: AllocatedNumber | None = None


class SuspendAccount(Command):
    """Let them in no more for now."""

    reason: ShortCode


class ReinstateAccount(Command):
    """Let them in again."""

    reason: ShortCode


class CloseAccount(Command):
    """Let them look no longer."""

    reason: ShortCode


class AssignRole(Command):
    """Give them another role."""

    role: ShortCode
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12)]
    may_override: bool = False


class RecordAccountCondition(Command):
    """Record that a condition of access was met. `ends_on`: the first day on which it holds no more."""

    condition: ShortCode
    met_on: date
    ends_on: date | None = None
    reference: AllocatedNumber | None = None
    made_up: bool = False


class IssueEnrolment(Command):
    """Let the holder register an authenticator, once, until an instant."""

    until: datetime


class ChangePassword(Command):
    """Say that the password is another."""


class WithdrawAccountCondition(Command):
    """Take a condition back."""

    condition: ShortCode
    reason: ShortCode


class BindFederatedIdentifier(Command):
    """Let an OpenID provider vouch for the holder. number: of it as an authenticator, unlike any other's."""

    issuer: IssuerUrl
    subject: SubjectId
    number: AllocatedNumber


class UnbindFederatedIdentifier(Command):
    """Let it vouch for the holder no longer."""

    reason: ShortCode


class RegisterClientKey(Command):
    """Let a program sign in with the private key of this one. number: of its keys together, if it has none yet."""

    thumbprint: Base64Url
    key: PublicKey
    number: AllocatedNumber


class RevokeClientKey(Command):
    """Let it sign in with this key no longer."""

    thumbprint: Base64Url
    reason: ShortCode
