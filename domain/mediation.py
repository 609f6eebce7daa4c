"""Looking on a caller's behalf: the caller, signed in themselves, lets one mediator make one look (T45).

The caller says so in a session of their own, with a second factor given lately, and reads a word out to the mediator,
who types it. What the caller said is an access on record, and so is the look. The ids of both are keyed digests of the
word: whoever has the word, and the key of this index, finds what was said and makes the one look there can be; the word
itself is kept nowhere, and neither id leads to the other. That it is good once is the log's doing, which holds one
access of an id, however many try at the same moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn
from uuid import UUID

from domain.access.commands import Look
from domain.access.events import MediatorLet
from domain.access.letting_in import (
    STEP_UP,
    let_in_at_all,
    proved_lately,
    record_refusal,
    record_session,
    step_up_asked_for,
)
from domain.access.model import LOOKED_ALREADY, Actor
from domain.access.ports import AccessLog, Looking
from domain.errors import AccessDenied, NotFound, Refused
from domain.identifiers import as_read_out
from domain.ports import Tokens
from domain.rule_set.model import RuleSet
from domain.sessions import SessionService

_PERMISSION: Final = "mediation-permission"
_LOOK: Final = "mediation-look"


@dataclass(frozen=True, slots=True)
class Word:
    """What a caller reads out to a mediator, told once; good before an instant."""

    word: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Mediating:
    """Lets mediators look, and tells on whose behalf one does."""

    sessions: SessionService
    log: AccessLog
    tokens: Tokens

    def let(self, caller: Actor, mediator: Actor | None, at: datetime) -> Word:
        """Let a mediator make one look on the caller's behalf; on record before it is told.

        mediator: whoever has the name that the caller gave; None where nobody has. Raises AccessDenied: the code of a
        condition of access that does not hold of the caller, `step-up-required`; NotFound; AuditUnavailable.
        """
        word = self.sessions.factors.word()
        command, looking = Look(at=at, access_id=self._id(_PERMISSION, word)), self.sessions.looking(caller)
        let_in_at_all(command, "let-mediator", looking)
        if not proved_lately(caller, at, looking.rules):
            record_refusal(command, "let-mediator", looking, STEP_UP)
            raise step_up_asked_for()
        minutes = looking.rules.signing_in.mediation_minutes
        if mediator is None or minutes is None or not _mediates(mediator, looking.rules):
            record_refusal(command, "let-mediator", looking, "no-such-mediator")
            raise NotFound("There is no mediator of this name.", code="no-such-mediator", field="account")
        until = at + timedelta(minutes=minutes)
        record_session(
            command,
            "let-mediator",
            looking,
            MediatorLet,
            "mediator-let",
            mediator=mediator.account,
            until=until,
        )
        return Word(word, until)

    def caller(self, word: str | None, account: Actor, mediator: Actor, at: datetime) -> tuple[Looking, UUID]:
        """What the mediator's look needs, by the word that the caller read out, and the id that the look is to bear.

        account: the holder of the account that the mediator named. Raises AccessDenied (`caller-not-authenticated`)
        where they have not let this mediator look, or no longer; on record before it is told, with both.
        """
        named = self.sessions.looking(account)
        said = self.log.load(self._id(_PERMISSION, word)) if word else None
        if said is None or not isinstance(said.event, MediatorLet):
            self._refuse(named, mediator, at)
        theirs = said.metadata.actor == account.account and said.event.mediator == mediator.account
        session = said.event.session
        if not theirs or session is None or not said.event.instant <= at < said.event.until:
            self._refuse(named, mediator, at)
        caller = self.sessions.elsewhere(account.account, session, at)
        if caller is None:
            self._refuse(named, mediator, at)
        looking = self.sessions.looking(caller).on_behalf(mediator, said.access_id)
        return looking, self._id(_LOOK, word or "")

    @contextmanager
    def made_once(self, looking: Looking, at: datetime) -> Iterator[None]:
        """That a word had been used is on record before it is told, as every refusal is."""
        try:
            yield
        except Refused as refused:
            if refused.code == LOOKED_ALREADY:
                record_refusal(self._asked(at), "mediate", looking, LOOKED_ALREADY)
            raise

    def _refuse(self, named: Looking, mediator: Actor, at: datetime) -> NoReturn:
        record_refusal(
            self._asked(at), "mediate", named.on_behalf(mediator, None), "caller-not-authenticated"
        )
        raise AccessDenied(
            "The caller has not let you look, or no longer: they sign in themselves, say `contactpoint session "
            "let-mediator` with your account, and read you the word, which you type.",
            code="caller-not-authenticated",
            field="on-behalf-of",
        )

    def _asked(self, at: datetime) -> Look:
        return Look(at=at, access_id=self.sessions.ids.new())

    def _id(self, label: str, word: str) -> UUID:
        """An access id that only this word leads to."""
        return UUID(bytes=self.tokens.token(label, as_read_out(word).encode())[:16], version=4)


def _mediates(mediator: Actor, rules: RuleSet) -> bool:
    return rules.role_may(mediator.role, "mediate")
