"""Programs sign in with what they sign with a private key of their own (RFC 7523, 3): it never leaves them.

A program has an account like anybody, granted by an account manager, who registers its public key. What it signs names
it as issuer and subject, this index as audience, and is good once, for a few minutes. A program gives no second factor,
so it neither looks behind a shield nor is one of two people.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn
from uuid import UUID

from domain.account.handlers import account_named
from domain.account.model import Account, fold
from domain.errors import AccessDenied
from domain.ports import Assertions, EventStore, Tokens, UsedAssertions
from domain.public_keys import PublicKey
from domain.sessions import REFUSED, Begun, SessionService

_NOT_RIGHT: Final = (
    "The program is not signed in: it is not known, or what it signed is not right, not in time, or was used."
)


@dataclass(frozen=True, slots=True)
class ClientSignIn:
    """What the sign-in of programs needs."""

    sessions: SessionService
    assertions: Assertions
    used: UsedAssertions
    store: EventStore
    tokens: Tokens

    @property
    def audience(self) -> str:
        """To whom programs address what they sign: this index and no other. Not secret."""
        mark = urlsafe_b64encode(self.tokens.token("client-audience", b"")[:16]).decode().rstrip("=")
        return f"urn:contactpoint:sign-in:{mark}"

    def sign_in(self, token: str, at: datetime) -> Begun:
        """Sign a program in; on record before it is told, as is every refusal.

        Whether there is such a program is told by nothing. Raises AccessDenied: `sign-in-refused` whatever of it was
        wrong; the code of the condition of access that does not hold. Raises AuditUnavailable.
        """
        claimed = self.assertions.claimed(token)
        name, thumbprint = claimed or ("", "")
        account = account_named(name, store=self.store, tokens=self.tokens)
        key = _key(account, thumbprint)
        said = self.assertions.verified(token, key, self.audience, at)
        if account is None or account.closed or said is None or said.client != name:
            self._refuse(account, "not-proved", at)
        if not self.used.use(self._digest(account, said.jwt_id), said.expires_at, at):
            self._refuse(account, "assertion-used", at)
        number = account.keys[0].number
        if account.authenticator != number:
            self._refuse(account, "authenticator-unregistered", at)
        begun = self.sessions.begin(account.account_id, "private-key", at, proved=False, authenticator=number)
        if _key(fold(self.store.load(account.account_id)), thumbprint) is None:
            # Revoked this very moment: the session may have read the account after that, and would not be ended by it.
            self.sessions.kept.end(begun.session.session_id)
            self._refuse(account, "key-revoked", at)
        return begun

    def _digest(self, account: Account, jwt_id: str) -> bytes:
        return self.tokens.token("client-assertion", account.account_id.bytes + jwt_id.encode())

    def _refuse(self, account: Account | None, rule: str, at: datetime) -> NoReturn:
        known: UUID | None = None if account is None else account.account_id
        self.sessions.refuse(known, "private-key", rule, at)
        raise AccessDenied(_NOT_RIGHT, code=REFUSED)


def _key(account: Account | None, thumbprint: str) -> PublicKey | None:
    """The key of this thumbprint with which a program signs in as an account, if there is one."""
    keys = account.keys if account is not None else ()
    return next((one.key for one in keys if one.thumbprint == thumbprint), None)
