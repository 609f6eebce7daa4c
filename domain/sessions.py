"""Sessions: somebody proved who they are, and need not again for a while. A command line and a server ask alike.

However somebody proved it (a password and a code, another's word, a key), `begin` is where they are let in. Nothing
about being let in is kept in a session: every command reads the account again and asks every condition at its instant.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NoReturn, TypeAlias
from uuid import UUID

from domain.access.commands import Look
from domain.access.conduct import SESSION_SHARED, USED_BY_TURNS
from domain.access.events import SignedIn, SignedOut, SignInRefused, SteppedUp
from domain.access.letting_in import let_in_at_all, record_refusal, record_session, record_unsigned
from domain.access.model import Actor, actor_of
from domain.access.ports import Looking, SignInLog
from domain.account import model as accounts
from domain.errors import AccessDenied, NotFound
from domain.organisation import model as organisations
from domain.policy.rule_book import InForce
from domain.policy.sessions import age_limit, idle_limit, stands, used_by_turns
from domain.ports import Attempts, EventStore, Factors, Ids, Session, Sessions

How: TypeAlias = Literal["password", "openid", "private-key", "training"]
"""By what somebody proved who they are: password and time-based code, an OpenID provider, a program's own key, or, in a
training home, nothing."""

_OF_PEOPLE: Final[frozenset[str]] = frozenset({"password", "openid"})
"""A program may use what sessions it has wherever it runs; it is no person."""

NOBODY: Final = UUID("6e6f626f-6479-4000-8000-000000000001")
"""Who acts where somebody is refused who is no account."""

REFUSED: Final = "sign-in-refused"
ENDED: Final = "session-ended"
_NOTED: Final = timedelta(minutes=1)
_ENDED_WORDS: Final = "You are not signed in, or no longer: `contactpoint sign-in`."


@dataclass(frozen=True, slots=True)
class Begun:
    """A session, and the token by which its holder is known from now on: told once, kept nowhere."""

    session: Session
    token: str = field(repr=False)


def token_digest(token: str) -> bytes:
    """SHA-256 of a token, all that is kept of it. It has 256 random bits, so nothing need slow guessing down."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class SessionService:
    """Begins sessions, says who acts by one, and ends them. training: whether this is a home of invented people."""

    kept: Sessions
    attempts: Attempts
    factors: Factors
    store: EventStore
    log: SignInLog
    ids: Ids
    rules: InForce
    looking: Callable[[Actor], Looking]
    training: bool

    def begin(
        self, account: UUID, how: How, at: datetime, *, proved: bool = True, authenticator: str | None = None
    ) -> Begun:
        """Sign the holder of an account in, who has just proved who they are; on record before it is told.

        proved: whether by two factors. authenticator: the number of that which was used, if any: it has to be what the
        log says is registered. Raises AccessDenied where a condition of access does not hold (its code) or the
        authenticator is not registered (`sign-in-refused`), AuditUnavailable.
        """
        actor = self._actor(account, None)
        if actor is None or (authenticator is not None and authenticator != actor[0].authenticator):
            self.refuse(account, how, "authenticator-unregistered", at)
            raise AccessDenied("The name, the password or the code is not right.", code=REFUSED)
        known, viewer = actor
        session = Session(self.ids.new(), account, how, at, at, at if proved else None, known.version)
        command, looking = self._look(at), self.looking(viewer)
        let_in_at_all(command, "sign-in", looking)
        record_session(
            command, "sign-in", looking, SignedIn, "signed-in", session=session.session_id, how=how
        )
        token = self.factors.token()
        self.kept.begin(token_digest(token), session)
        return Begun(session, token)

    def actor(self, token: str, at: datetime, device: str | None = None) -> Actor:
        """Who acts by this token at this instant, as the log has them. Whether they are let in is asked elsewhere.

        device: the secret of the device on which it is used. Raises AccessDenied: `session-ended` where there is no
        such session, it has lapsed or was ended, also by what was done to the account; `session-shared` where it is
        used on another device than it began on, or two sessions of the account by turns, as by two people (T42): by
        then they are suspended. All of it is on record before it is told. Raises AuditUnavailable.
        """
        session, viewer = self._found(token, at)
        if session.how in _OF_PEOPLE:
            self._refuse_shared(session, viewer, device, at)
        if not self._use(session, at):
            self._lapsed(session, at)
        return viewer

    def holder(self, token: str, at: datetime) -> Actor:
        """Whose session it is, where they see to their own sessions: which is no use of it. Raises as `actor`, but for
        `session-shared`."""
        return self._found(token, at)[1]

    def _found(self, token: str, at: datetime) -> tuple[Session, Actor]:
        """The session of a token, if it stands, and its holder."""
        session = self.kept.find(token_digest(token))
        if session is None:
            self._ended(None, "session-unknown", at)
        if not stands(session, at, self.rules.at(at)):
            self._lapsed(session, at)
        viewer = self._holder(session)
        if viewer is None:
            self.kept.end(session.session_id)
            self._ended(session, "session-revoked", at)
        return session, viewer

    def _lapsed(self, session: Session, at: datetime) -> NoReturn:
        self.kept.end(session.session_id)
        self._ended(session, "session-lapsed", at)

    def _refuse_shared(self, session: Session, viewer: Actor, device: str | None, at: datetime) -> None:
        """Suspend the account whose session two people use, and the other's where it is known whose device it is."""
        rules = self.rules.at(at)
        here, began_on = token_digest(device or ""), self._device_of(session)
        other = used_by_turns(session, self.kept.of(session.account), at, rules)
        devices: tuple[bytes | None, ...]
        if began_on is not None and began_on != here:
            cause, devices = SESSION_SHARED, (here,)
        elif other is not None:
            cause, devices = USED_BY_TURNS, (here, self._device_of(other))
        else:
            return
        if cause not in rules.conduct.causes:
            return
        since = at - timedelta(days=rules.signing_in.device_days)
        near = {one for known in devices if known for one in self.attempts.accounts_on(known, since)}
        others = near - {session.account}
        command, looking = self._look(at), self.looking(viewer)
        record_refusal(command, "sign-in", looking, cause)
        for account in (session.account, *(others if len(others) == 1 else ())):
            looking.oversight.investigate(account, cause, command.access_id, at)
            self.kept.end_all(account)
        raise AccessDenied(
            "Your account is used in two places at once, so it is suspended, and this is looked into: ask your account "
            "manager.",
            code=SESSION_SHARED,
        )

    def _device_of(self, session: Session) -> bytes | None:
        """The device on which a session began: it was noted at that very instant."""
        return self.attempts.device_of(session.account, session.began_at)

    def elsewhere(self, account: UUID, session_id: UUID, at: datetime) -> Actor | None:
        """The holder of an account who is signed in in this session at this instant, as the log has them, else None.

        For a session that is not the one by which whoever asks is known; that they are asked about is no use of it.
        """
        sessions = (one for one in self.kept.of(account) if one.session_id == session_id)
        session = next(sessions, None)
        standing = session is not None and stands(session, at, self.rules.at(at))
        return self._holder(session) if session is not None and standing else None

    def step_up(self, token: str, viewer: Actor, at: datetime) -> Begun:
        """Note that whoever acts by this token has given a second factor again; from now on another token is good.

        Raises AccessDenied (`session-ended`), AuditUnavailable.
        """
        session = viewer.session
        if session is None:
            raise AccessDenied(_ENDED_WORDS, code=ENDED)
        command, looking = self._look(at), self.looking(viewer)
        let_in_at_all(command, "step-up", looking)
        record_session(command, "step-up", looking, SteppedUp, "stepped-up")
        fresh = self.factors.token()
        if not self.kept.step_up(token_digest(token), token_digest(fresh), at):
            self._ended(session, "session-revoked", at)
        return Begun(session, fresh)

    def own(self, viewer: Actor, at: datetime) -> list[Session]:
        """The sessions of whoever acts that stand, oldest first."""
        return [one for one in self.kept.of(viewer.account) if stands(one, at, self.rules.at(at))]

    def end(self, viewer: Actor, session_id: UUID, at: datetime) -> None:
        """End a session of whoever acts; on record first. Raises NotFound where none of theirs has this id."""
        if session_id not in {one.session_id for one in self.kept.of(viewer.account)}:
            raise NotFound(
                "You have no such session. `contactpoint session list` lists yours.", field="session"
            )
        command = self._look(at)
        record_session(command, "sign-out", self.looking(viewer), SignedOut, "signed-out", ended=session_id)
        self.kept.end(session_id)

    def refuse(
        self, account: UUID | None, how: str, rule: str, at: datetime, *, known_device: bool = False
    ) -> None:
        """Put on record that somebody was not signed in. Raises AuditUnavailable."""
        event = SignInRefused(
            account=account,
            how=how,
            rule=rule,
            known_device=known_device,
            instant=at,
            rule_set=self.rules.at(at).id,
        )
        record_unsigned(self.ids.new(), event, NOBODY, self.log)

    def _use(self, session: Session, at: datetime) -> bool:
        """Note the use, at most once a minute: so a session lapses up to a minute early, and never late."""
        if at - session.seen_at < _NOTED:
            return True
        rules = self.rules.at(at)
        return self.kept.use(session.session_id, at, idle_limit(rules), age_limit(rules))

    def _ended(self, session: Session | None, rule: str, at: datetime) -> NoReturn:
        self.refuse(session.account if session else None, session.how if session else "session", rule, at)
        raise AccessDenied(_ENDED_WORDS, code=ENDED)

    def _actor(self, account_id: UUID, session: Session | None) -> tuple[accounts.Account, Actor] | None:
        account = accounts.fold(self.store.load(account_id))
        if account.opened is None:
            return None
        organisation = organisations.fold(self.store.load(account.opened.organisation))
        return account, actor_of(account, organisation, training=self.training, session=session)

    def _holder(self, session: Session) -> Actor | None:
        """Whose session it is; None where what was done to the account since has ended it."""
        found = self._actor(session.account, session)
        return None if found is None or found[0].signed_out_at > session.account_version else found[1]

    def _look(self, at: datetime) -> Look:
        return Look(at=at, access_id=self.ids.new())
