"""Signing in with a password and a time-based code; registering them, on an account manager's word.

Whether a name is an account's is told by nothing: not by what is answered, nor by the work that is done before it. A
name that is nobody's takes the same turns, asks the same questions of the store and costs the same hash as one that is.
Secrets come in here and go nowhere: none is in an event, a message or an error.
"""

import hashlib
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final, NoReturn
from uuid import UUID

from domain.access.commands import Look
from domain.access.letting_in import record_refusal
from domain.access.model import Actor
from domain.account.commands import ChangePassword, RecordAccountCondition
from domain.account.handlers import change_accounts, name_token
from domain.account.model import AUTHENTICATOR
from domain.account.model import fold as fold_account
from domain.errors import AccessDenied, BadInput
from domain.identifiers import as_read_out
from domain.kernel import Metadata
from domain.policy.retention import london_day
from domain.policy.rule_book import InForce
from domain.policy.sessions import age_limit
from domain.ports import (
    Attempts,
    Authenticator,
    Authenticators,
    Enrolment,
    EventStore,
    Factors,
    Ids,
    Session,
    Tokens,
)
from domain.sessions import REFUSED, Begun, SessionService, token_digest

LONGEST_PASSWORD: Final = 128
_LABEL: Final = "sign-in"
_DECOY_SECRET: Final = bytes(20)
_NO_WAIT: Final = (0,)
_NOT_RIGHT: Final = "The name, the password or the code is not right."
_LATER: Final = "Too many tries: wait a little longer each time, or ask your account manager."
_NOT_ENROLLED: Final = "This enrolment is not right, or no longer good. Ask your account manager for another."


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody gives who wants to sign in, as they typed it.

    source: from where they ask, as far as it tells attackers apart (a network, a terminal). device: the secret that an
    earlier sign-in left on their device, if any.
    """

    name: str
    password: str = field(repr=False)
    code: str = field(repr=False)
    source: str = field(repr=False)
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session has begun. token: by which its holder is known; device: by which their device is, from now on."""

    session: Session
    token: str = field(repr=False)
    device: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SigningIn:
    """What signing in needs."""

    sessions: SessionService
    authenticators: Authenticators
    attempts: Attempts
    factors: Factors
    store: EventStore
    tokens: Tokens
    ids: Ids
    rules: InForce

    # Signing in

    def sign_in(self, given: Proof, at: datetime) -> SignedIn:
        """Sign somebody in; on record before it is told, as is every refusal.

        Raises AccessDenied: `sign-in-refused` whatever of it was wrong, `too-many-tries`, and, told only to whoever has
        proved who they are, the code of the condition of access that does not hold. Raises AuditUnavailable.
        """
        account, asked = self._asked(given.name)
        rules = self.rules.at(at).signing_in
        device = token_digest(given.device or self.factors.token())
        known = self.attempts.is_known(device, asked, at - timedelta(days=rules.device_days))
        place = self._bucket("device", given.name, device.hex()) if known else self._place(given)
        if known:
            asked_again = self.attempts.take(place, at, rules.waits, rules.most_failures)
        else:
            asked_again = self.attempts.take(place, at, rules.waits) and self.attempts.take(
                self._anywhere(given.name), at, _NO_WAIT, rules.most_failures
            )
        if not asked_again:
            self._refuse(account, "too-many-tries", _LATER, "too-many-tries", at, known_device=known)
        found = self.authenticators.find(asked)
        right = self.factors.is_password(given.password, found.password if found else self.factors.decoy)
        step = self.factors.step_of(given.code, found.secret if found else _DECOY_SECRET, at)
        if account is None or found is None or not right or step is None:
            self._refuse(account, "not-proved", _NOT_RIGHT, REFUSED, at, known_device=known)
        if not self.authenticators.use(account, found.number, step):
            self._refuse(account, "code-used", _NOT_RIGHT, REFUSED, at, known_device=known)
        begun = self.sessions.begin(account, "password", at, authenticator=found.number)
        if self.factors.is_dated(found.password):
            self.authenticators.set_password(
                account, found.number, self.factors.hash_password(given.password)
            )
        for bucket in (place, self._anywhere(given.name)):
            self.attempts.succeeded(bucket)
        secret = given.device or self.factors.token()
        self.attempts.know(token_digest(secret), account, at)
        return SignedIn(begun.session, begun.token, secret)

    def step_up(self, token: str, viewer: Actor, code: str, at: datetime) -> Begun:
        """Take a second factor again from whoever acts by this token; from now on another token is good.

        Raises AccessDenied: `step-up-refused`, `too-many-tries`, `session-ended`. Raises AuditUnavailable.
        """
        self._prove(viewer, None, code, at)
        return self.sessions.step_up(token, viewer, at)

    def _prove(self, viewer: Actor, password: str | None, code: str, at: datetime) -> Authenticator:
        """Take a code, and where one is given a password, from somebody who is signed in."""
        rules, account = self.rules.at(at).signing_in, viewer.account
        bucket = self._bucket("account", str(account))
        if not self.attempts.take(bucket, at, rules.waits, rules.most_failures):
            self._refuse_viewer(viewer, "too-many-tries", _LATER, at)
        found = self.authenticators.find(account)
        right = found is not None and (password is None or self.factors.is_password(password, found.password))
        step = self.factors.step_of(code, found.secret if found else _DECOY_SECRET, at)
        if found is None or not right or step is None or not self._is_registered(found, account):
            self._refuse_viewer(viewer, "step-up-refused", "That is not right.", at)
        if not self.authenticators.use(account, found.number, step):
            self._refuse_viewer(viewer, "step-up-refused", "This code was used: wait for the next.", at)
        self.attempts.succeeded(bucket)
        return found

    def _is_registered(self, found: Authenticator, account: UUID) -> bool:
        return fold_account(self.store.load(account)).authenticator == found.number

    # Registering

    def issue(self, account: UUID, issued_by: UUID, until: datetime) -> str:
        """Let the holder register an authenticator, as the log says somebody has; the code for it, told once."""
        code = self.factors.enrolment_code()
        self.authenticators.issue(account, Enrolment(_code_digest(code), until, issued_by))
        return code

    def enrol(self, name: str, code: str, at: datetime) -> bytes:
        """Make the secret of time-based codes for whoever has this enrolment, in place of one made for it before.

        It counts for nothing until they prove to have it (`enrolled`). Raises AccessDenied (`enrolment-refused`).
        """
        account, enrolment = self._enrolment(name, code, at)
        secret = self.factors.secret()
        if not self.authenticators.pend(account, enrolment.code, secret):
            self._refuse_enrolment(account, at)
        return secret

    def enrolled(self, name: str, code: str, password: str, digits: str, at: datetime) -> str:
        """Register what the holder proves to have, in place of what was registered before; its number.

        The log says so on the word of whoever issued the enrolment, confirmed by the holder. Every session ends. Raises
        AccessDenied (`enrolment-refused`), BadInput for a password or a code that is not one.
        """
        account, enrolment = self._enrolment(name, code, at)
        if enrolment.pending is None:
            raise BadInput(
                "Begin first: `contactpoint enrol begin`.", code="enrolment-not-begun", field="code"
            )
        self.check_password(password, name, at)
        step = self.factors.step_of(digits, enrolment.pending, at)
        if step is None:
            raise BadInput(
                "This is not the code that shows now: look again, and mind the clock of the device.",
                code="code-not-right",
                field="code",
            )
        if not self.authenticators.enrolled(account, enrolment.code):
            self._refuse_enrolment(account, at)
        number = f"C-{self.ids.new().hex[:20]}"
        self.authenticators.register(
            account, Authenticator(number, self.factors.hash_password(password), enrolment.pending), step
        )
        command = RecordAccountCondition(
            at=at, condition=AUTHENTICATOR, met_on=london_day(at), reference=number
        )
        metadata = Metadata(
            actor=enrolment.issued_by,
            confirmed_by=account,
            purpose="account-management",
            correlation=self.ids.new(),
        )
        change_accounts(
            [account],
            [command],
            store=self.store,
            tokens=self.tokens,
            rules=self.rules.at(at),
            metadata=metadata,
        )
        self.attempts.forget_devices(account)
        self.attempts.succeeded(self._anywhere(name))
        self.sessions.kept.end_all(account)
        return number

    def change_password(self, viewer: Actor, old: str, code: str, new: str, name: str, at: datetime) -> None:
        """Let whoever is signed in, and gives both factors again, have another password. Every session ends.

        Raises AccessDenied (`step-up-refused`), BadInput for a password that is none.
        """
        self.check_password(new, name, at)
        found = self._prove(viewer, old, code, at)
        metadata = Metadata(actor=viewer.account, purpose="account-management", correlation=self.ids.new())
        change_accounts(
            [viewer.account],
            [ChangePassword(at=at)],
            store=self.store,
            tokens=self.tokens,
            rules=self.rules.at(at),
            metadata=metadata,
        )  # first, so that whoever has the old one is out even if the rest fails
        self.authenticators.set_password(viewer.account, found.number, self.factors.hash_password(new))
        self.sessions.kept.end_all(viewer.account)

    def sweep(self, at: datetime) -> None:
        """Forget sessions that have lapsed, and tries and devices of which nothing was heard for long."""
        self.sessions.kept.sweep(at - age_limit(self.rules.at(at)))
        self.attempts.sweep(at - timedelta(days=self.rules.at(at).signing_in.device_days))

    def take_away(self, account: UUID) -> None:
        """Delete what an account is proved by, and end its sessions, once the log says that it ended or was lost."""
        self.authenticators.remove(account)
        self.attempts.forget_devices(account)
        self.sessions.kept.end_all(account)

    def check_password(self, password: str, name: str, at: datetime) -> None:
        """Refuse a password that is easily guessed. Raises BadInput.

        Length counts, and no mixture of characters is asked for (NIST SP 800-63B 3.1.1.2).
        """
        shortest = self.rules.at(at).signing_in.password
        plain = unicodedata.normalize("NFKC", password)
        if not shortest <= len(plain) <= LONGEST_PASSWORD:
            raise BadInput(
                f"A password has {shortest} characters or more, at most {LONGEST_PASSWORD}.",
                code="password-length",
                field="password",
            )
        if name.casefold() in plain.casefold() or len(set(plain)) < shortest // 2:
            raise BadInput(
                "This password is easily guessed: several words that have nothing to do with you are better.",
                code="password-weak",
                field="password",
            )

    def _asked(self, name: str) -> tuple[UUID | None, UUID]:
        """The account of a name, if it has one, and of which account the store is asked.

        For a name that is nobody's always of the same, which is nobody's either: so what was read lately is as near at
        hand as for a name that is somebody's.
        """
        token = name_token(self.tokens, name)
        account = self.store.find(token)
        nobodys = UUID(bytes=token[:16])
        return account, account or nobodys

    # Refusing

    def _enrolment(self, name: str, code: str, at: datetime) -> tuple[UUID, Enrolment]:
        account, asked = self._asked(name)
        found = self.authenticators.enrolment(asked)
        right = compare_digest(found.code if found else bytes(32), _code_digest(code))
        if account is None or found is None or not right or at >= found.until:
            self._refuse_enrolment(account, at)
        return account, found

    def _refuse_enrolment(self, account: UUID | None, at: datetime) -> NoReturn:
        self.sessions.refuse(account, "enrolment", "enrolment-refused", at)
        raise AccessDenied(_NOT_ENROLLED, code="enrolment-refused")

    def _refuse(
        self,
        account: UUID | None,
        rule: str,
        message: str,
        code: str,
        at: datetime,
        *,
        known_device: bool,
    ) -> NoReturn:
        self.sessions.refuse(account, "password", rule, at, known_device=known_device)
        raise AccessDenied(message, code=code)

    def _refuse_viewer(self, viewer: Actor, rule: str, message: str, at: datetime) -> NoReturn:
        command = Look(at=at, access_id=self.ids.new())
        record_refusal(command, "step-up", self.sessions.looking(viewer), rule)
        raise AccessDenied(message, code=rule)

    # Where tries are counted

    def _place(self, given: Proof) -> bytes:
        """Tries of this name from this source: they wait."""
        return self._bucket("place", given.name, given.source)

    def _anywhere(self, name: str) -> bytes:
        """Tries of this name from all devices that are not known: there is an end to them (NIST SP 800-63B 3.2.2)."""
        return self._bucket("anywhere", name)

    def _bucket(self, *words: str) -> bytes:
        """By the name as typed, so that one that is nobody's is counted like any other; digested, so that it is not
        kept."""
        parts = (word.encode("utf-8", "surrogatepass") for word in words)
        return self.tokens.token(_LABEL, b"".join(len(part).to_bytes(4) + part for part in parts))


def _code_digest(code: str) -> bytes:
    """SHA-256 of an enrolment's code as typed."""
    return hashlib.sha256(as_read_out(code).encode()).digest()
