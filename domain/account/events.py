"""Facts about a person with access. Stored under a key of the account's own."""

from datetime import date, datetime
from typing import Annotated, ClassVar

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
from domain.kernel import Event, EventTypes
from domain.personal_data import IN_IDENTITY
from domain.public_keys import PublicKey


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


class AccountHolderNamed(Event):
    """Whose account it is, by the number their employer knows them by.

    Two accounts of one person do not pass for two people.
    """

    NAME: ClassVar[str] = "account-holder-named"

    holder: Annotated[AllocatedNumber, IN_IDENTITY]


class AccountSuspended(Event):
    """Its holder is not let in for now, whatever conditions hold."""

    NAME: ClassVar[str] = "account-suspended"

    reason: Annotated[ShortCode, IN_IDENTITY]


class AccountReinstated(Event):
    """It is suspended no longer. Conditions that lapsed meanwhile have lapsed."""

    NAME: ClassVar[str] = "account-reinstated"

    reason: Annotated[ShortCode, IN_IDENTITY]


class AccountClosed(Event):
    """They may no longer look. A closed account is never opened again."""

    NAME: ClassVar[str] = "account-closed"

    reason: Annotated[ShortCode, IN_IDENTITY]


class RoleAssigned(Event):
    """Its holder has another role, for these purposes. Conditions that rested on the old one are to be met anew."""

    NAME: ClassVar[str] = "role-assigned"

    role: Annotated[ShortCode, IN_IDENTITY]
    purposes: Annotated[tuple[ShortCode, ...], Field(max_length=12), IN_IDENTITY]
    may_override: Annotated[bool, IN_IDENTITY] = False
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class AccountConditionMet(Event):
    """A condition of access was met on a day. `ends_on`: the first day on which it holds no more, if that was said.

    reference: the number of an authenticator, or that under which the employer keeps the evidence. made_up: for
    invented people, of whom nothing was seen.
    """

    NAME: ClassVar[str] = "account-condition-met"

    condition: Annotated[ShortCode, IN_IDENTITY]
    met_on: Annotated[date, IN_IDENTITY]
    ends_on: Annotated[date | None, IN_IDENTITY] = None
    reference: Annotated[AllocatedNumber | None, IN_IDENTITY] = None
    made_up: Annotated[bool, IN_IDENTITY] = False
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class EnrolmentIssued(Event):
    """The holder may register an authenticator, once, until an instant: the first, or another in place of the one lost.

    An account manager says so, never the account itself. What the holder then proves who they are by is in no log.
    """

    NAME: ClassVar[str] = "enrolment-issued"

    until: Annotated[datetime, IN_IDENTITY]


class PasswordReplaced(Event):
    """The holder has another password; whoever was signed in under the old one is no longer."""

    NAME: ClassVar[str] = "password-replaced"


class AccountConditionWithdrawn(Event):
    """A condition was taken back: the holder is not let in until it is met anew."""

    NAME: ClassVar[str] = "account-condition-withdrawn"

    condition: Annotated[ShortCode, IN_IDENTITY]
    reason: Annotated[ShortCode, IN_IDENTITY]


class FederatedIdentifierBound(Event):
    """An OpenID provider vouches for the holder, under this subject. number: of it as an authenticator of theirs.

    An account manager says so: nobody is found by a name or an e-mail address that a provider tells.
    """

    NAME: ClassVar[str] = "federated-identifier-bound"

    issuer: Annotated[IssuerUrl, IN_IDENTITY]
    subject: Annotated[SubjectId, IN_IDENTITY]
    number: Annotated[AllocatedNumber, IN_IDENTITY]


class FederatedIdentifierUnbound(Event):
    """The provider vouches for the holder no longer; whoever was signed in on its word is not any more."""

    NAME: ClassVar[str] = "federated-identifier-unbound"

    reason: Annotated[ShortCode, IN_IDENTITY]


class ClientKeyRegistered(Event):
    """A program signs in as this account with the private key of this public one.

    thumbprint: the key's, by which it is named (SHA-256, RFC 7638). number: of the account's keys together, as an
    authenticator: a key that takes over from another has the same.
    """

    NAME: ClassVar[str] = "client-key-registered"

    thumbprint: Annotated[Base64Url, IN_IDENTITY]
    key: Annotated[PublicKey, IN_IDENTITY]
    number: Annotated[AllocatedNumber, IN_IDENTITY]


class ClientKeyRevoked(Event):
    """The program signs in with this key no longer; whoever was signed in as this account is not any more."""

    NAME: ClassVar[str] = "client-key-revoked"

    thumbprint: Annotated[Base64Url, IN_IDENTITY]
    reason: Annotated[ShortCode, IN_IDENTITY]


EVENTS = EventTypes(
    (
        AccountOpened,
        AccountHolderNamed,
        AccountSuspended,
        AccountReinstated,
        AccountClosed,
        RoleAssigned,
        AccountConditionMet,
        AccountConditionWithdrawn,
        EnrolmentIssued,
        PasswordReplaced,
        FederatedIdentifierBound,
        FederatedIdentifierUnbound,
        ClientKeyRegistered,
        ClientKeyRevoked,
    )
)
