"""Signing in on the word of an OpenID provider (NIST SP 800-63C). It says who somebody is, never whether they may look.

Whoever it vouches for is found by issuer and subject alone, which an account manager has bound to one account: never by
a name or an e-mail address, which providers give again and let people choose.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NoReturn
from uuid import UUID

from domain.access.commands import Look
from domain.access.letting_in import record_refusal
from domain.access.model import Actor
from domain.account.handlers import account_bound
from domain.account.model import Account
from domain.errors import AccessDenied
from domain.ports import EventStore, Ids, Tokens
from domain.sessions import REFUSED, Begun, SessionService

LATELY: Final = timedelta(minutes=1)
"""So long after somebody gave their factors to the provider, they count as given now."""

_NOBODY: Final = (
    "Nobody is signed in by this. Ask your account manager whether your account is bound to what you are at the "
    "provider."
)


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for, its word checked whole. authenticated_at: when they last gave it their factors.

    two_factors: whether it says that there were two.
    """

    issuer: str
    subject: str = field(repr=False)
    two_factors: bool
    authenticated_at: datetime | None


@dataclass(frozen=True, slots=True)
class FederatedSignIn:
    """What signing in on a provider's word needs."""

    sessions: SessionService
    store: EventStore
    tokens: Tokens
    ids: Ids

    def sign_in(self, vouched: Vouched, at: datetime) -> Begun:
        """Sign in whoever is vouched for; on record before it is told, as is every refusal.

        Raises AccessDenied: `sign-in-refused` alike where no account is bound to them, it has ended, or they gave one
        factor alone; the code of the condition of access that does not hold. Raises AuditUnavailable.
        """
        account, number = self._proved(vouched, at)
        return self.sessions.begin(
            account.account_id, "openid", at, proved=_lately(vouched, at), authenticator=number
        )

    def step_up(self, token: str, viewer: Actor, vouched: Vouched, at: datetime) -> Begun:
        """Take the provider's word again from whoever acts by this token; from now on another token is good.

        Raises AccessDenied: `step-up-refused` where it is of another, of one factor, or older than a minute; and
        `session-ended`. Raises AuditUnavailable.
        """
        account = account_bound(vouched.issuer, vouched.subject, store=self.store, tokens=self.tokens)
        same = account is not None and account.account_id == viewer.account and _by_provider(account)
        if not (same and vouched.two_factors and _lately(vouched, at)):
            command = Look(at=at, access_id=self.ids.new())
            record_refusal(command, "step-up", self.sessions.looking(viewer), "step-up-refused")
            raise AccessDenied(
                "The provider did not say that you have just given two factors.", code="step-up-refused"
            )
        return self.sessions.step_up(token, viewer, at)

    def _proved(self, vouched: Vouched, at: datetime) -> tuple[Account, str]:
        account = account_bound(vouched.issuer, vouched.subject, store=self.store, tokens=self.tokens)
        if account is None or account.federated is None:
            self._refuse(None, "not-bound", at)
        if not _by_provider(account):
            self._refuse(account.account_id, "authenticator-unregistered", at)
        if not vouched.two_factors:
            self._refuse(account.account_id, "one-factor", at)
        return account, account.federated.number

    def _refuse(self, account: UUID | None, rule: str, at: datetime) -> NoReturn:
        self.sessions.refuse(account, "openid", rule, at)
        raise AccessDenied(_NOBODY, code=REFUSED)


def _by_provider(account: Account) -> bool:
    """Whether its holder is proved by the provider now, and not by something registered since."""
    return account.federated is not None and account.authenticator == account.federated.number


def _lately(vouched: Vouched, at: datetime) -> bool:
    proved_at = vouched.authenticated_at
    return proved_at is not None and at - proved_at < LATELY
