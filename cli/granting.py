"""What account managers do, under the same conditions of access as everybody, and what they are told of accounts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cli.app import App
from cli.output import Json
from domain.access.model import Actor, actor_of
from domain.account.commands import (
    BindFederatedIdentifier,
    CloseAccount,
    IssueEnrolment,
    OpenAccount,
    RegisterClientKey,
    RevokeClientKey,
    SuspendAccount,
    UnbindFederatedIdentifier,
    WithdrawAccountCondition,
)
from domain.account.handlers import account_named, change_accounts, open_account
from domain.account.model import AUTHENTICATOR, Account
from domain.account.model import fold as fold_account
from domain.errors import AlreadyReserved, BadInput, NotFound, Refused
from domain.kernel import Command, Event, History, Metadata
from domain.organisation.commands import RegisterOrganisation
from domain.organisation.events import OrganisationConditionMet
from domain.organisation.handlers import change_organisation, organisation_of, register
from domain.organisation.model import Organisation, check_kind
from domain.organisation.model import fold as fold_organisation
from domain.policy.access import Stands, conditions_of, refusals, stands
from domain.policy.granting import Place, refuse_unless_accrediting, within_reach
from domain.rule_set.model import Right

_NO_ACCOUNT = "There is no such account among those that are yours to decide on."
_NO_ORGANISATION = "There is no such organisation. `organisation list` lists them."


@dataclass(frozen=True, slots=True)
class Granting:
    """One account manager at work. Refusals are on record before they are told; what they concern, with them."""

    app: App
    manager: Actor

    # Accounts

    def account(self, name: str) -> Account:
        """An account that is this manager's to decide on, or their own. Raises NotFound alike for any other."""
        found = account_named(name, store=self.app.serving, tokens=self.app.tokens)
        if found is None or not self._is_near(found):
            raise NotFound(_NO_ACCOUNT, field="account")
        return found

    def _is_near(self, account: Account) -> bool:
        opened = account.opened
        if opened is None:
            return False
        place = Place(opened.organisation, self._kind_of(opened.organisation), opened.area)
        return within_reach(self.manager.granter(), place, self.app.rules)

    def grant(self, command: OpenAccount) -> UUID:
        """Open an account. It lets nobody in before every condition is on record."""
        account_id = self.app.ids.new()
        with self._refusals("account", account_id):
            try:
                open_account(
                    account_id,
                    command,
                    store=self.app.serving,
                    tokens=self.app.tokens,
                    rules=self.app.rules,
                    metadata=self._metadata(),
                    granter=self.manager.granter(),
                    kind=self._kind_of(command.organisation),
                )
            except AlreadyReserved:
                raise Refused(
                    "Another account has or had this name: choose another.", code="name-taken", field="name"
                ) from None
        self.app.catch_up()
        return account_id

    def change(self, names: Sequence[str], command: Command) -> list[Json]:
        """Carry out one command on these accounts, on all of them or on none, and say how they stand."""
        accounts = [self.account(name).account_id for name in names]
        with self._refusals("account", accounts[0]):
            change_accounts(
                accounts,
                [command],
                store=self.app.serving,
                tokens=self.app.tokens,
                rules=self.app.rules,
                metadata=self._metadata(),
                granter=self.manager.granter(),
                kind_of=self._kind_of,
            )
        for account in accounts:
            self._clear_away(account, command)
        return [self.shown(account) for account in accounts]

    def _clear_away(self, account: UUID, command: Command) -> None:
        """Delete what the log has just made void. It is void already: nothing depends on this being reached."""
        match command:
            case SuspendAccount():
                self.app.signing.sessions.kept.end_all(account)
            case CloseAccount():
                self.app.signing.take_away(account)
            case BindFederatedIdentifier() | RegisterClientKey():  # in place of a password and codes
                self.app.signing.authenticators.remove(account)
            case UnbindFederatedIdentifier() | RevokeClientKey():
                self.app.signing.sessions.kept.end_all(account)
            case WithdrawAccountCondition() if command.condition == AUTHENTICATOR:
                self.app.signing.take_away(account)
            case _:
                pass

    def issue_enrolment(self, name: str) -> Json:
        """Let the holder of an account register an authenticator: the code for it, told once."""
        now = self.app.now()
        until = now + timedelta(hours=self.app.rules.signing_in.enrolment_hours)
        (shown,) = self.change([name], IssueEnrolment(at=now, until=until))
        code = self.app.signing.issue(shown["account"], self.manager.account, until)
        return {"account": shown["account"], "name": shown["name"], "enrolment": code, "until": until}

    def shown(self, account_id: UUID, *, history: bool = False) -> Json:
        """How an account stands now: whether it is let in, and if not, for which reasons."""
        stream = self.app.serving.load(account_id)
        account = fold_account(stream)
        opened = account.opened
        if opened is None:
            raise NotFound(_NO_ACCOUNT, field="account")
        organisation = fold_organisation(self.app.serving.load(opened.organisation))
        actor = actor_of(account, organisation, training=self.app.training)
        now = self.app.now()
        codes = [one.rule for one in refusals(actor.standing, now, self.app.rules)]
        shown = {
            "account": account_id,
            "name": opened.name,
            "role": account.role,
            "body": opened.body,
            "area": opened.area,
            "purposes": list(account.purposes),
            "organisation": organisation.name,
            "holder": account.holder,
            "line_manager": account.line_manager,
            "ties_declared": account.ties is not None,
            "may_override": account.may_override,
            "state": _state(ended=account.closed, suspended=account.conditions.suspended),
            "let_in": not codes,
            "refusals": codes,
            "signs_in_by": _signs_in_by(account),
            "keys": [one.thumbprint for one in account.keys],
            "conditions": [_condition(one) for one in conditions_of(actor.standing, now, self.app.rules)],
        }
        return {**shown, "history": self._history(stream)} if history else shown

    def accounts(self, body: str | None, after: str, limit: int) -> Json:
        """The accounts that are this manager's to decide on, by name, a page of them."""
        self.app.catch_up()
        page = self.app.listed.accounts(body, after, limit + 1)
        streams = self.app.serving.load_many([account_id for _, account_id in page[:limit]])
        near = [account_id for account_id, stream in streams.items() if self._is_near(fold_account(stream))]
        shown = sorted((self.shown(account_id) for account_id in near), key=lambda one: str(one["name"]))
        return _page("accounts", shown, page, limit)

    # Organisations

    def organisation(self, body: str) -> Organisation:
        """The organisation of a body code. Raises NotFound."""
        found = organisation_of(body, store=self.app.serving, tokens=self.app.tokens)
        if found is None:
            raise NotFound(_NO_ORGANISATION, field="organisation")
        return found

    def register(self, command: RegisterOrganisation) -> UUID:
        """Register an organisation. Its people are let in once its conditions are on record."""
        organisation_id = self.app.ids.new()
        with self._refusals("organisation", organisation_id):
            check_kind(command, self.app.rules)
            refuse_unless_accrediting(self.manager.granter(), organisation_id, self.app.rules)
            try:
                register(
                    organisation_id,
                    command,
                    store=self.app.serving,
                    tokens=self.app.tokens,
                    metadata=self._metadata(),
                )
            except AlreadyReserved:
                raise Refused(
                    "An organisation of this body code is there already.",
                    code="already-registered",
                    field="body",
                ) from None
        self.app.catch_up()
        return organisation_id

    def change_organisation(self, body: str, command: Command) -> Json:
        """Carry out one command on an organisation, and say how it stands."""
        organisation_id = self.organisation(body).organisation_id
        with self._refusals("organisation", organisation_id):
            change_organisation(
                organisation_id,
                [command],
                store=self.app.serving,
                rules=self.app.rules,
                metadata=self._metadata(),
                granter=self.manager.granter(),
            )
        return self.shown_organisation(organisation_id)

    def shown_organisation(self, organisation_id: UUID, *, history: bool = False) -> Json:
        """How an organisation stands now."""
        stream = self.app.serving.load(organisation_id)
        organisation = fold_organisation(stream)
        if organisation.registered is None:
            raise NotFound(_NO_ORGANISATION, field="organisation")
        rules, party = self.app.rules, organisation.conditions
        found = [
            stands(code, condition, party, self.app.now(), rules, training=self.app.training)
            for code, condition in rules.conditions.items()
            if condition.of in organisation.asked(rules)
        ]
        state = _state(ended=party.ended, suspended=party.suspended)
        shown = {
            "organisation": organisation_id,
            "name": organisation.name,
            "body": organisation.registered.body,
            "kind": organisation.registered.kind,
            "state": state,
            "let_in": state == "open"
            and all(one.state == "holds" for one in found if one.condition.of == "organisation"),
            "conditions": [_condition(one) for one in found],
        }
        return {**shown, "history": self._history(stream)} if history else shown

    def organisations(self, after: str, limit: int) -> Json:
        """The organisations, by body code, a page of them."""
        self.app.catch_up()
        page = self.app.listed.organisations(after, limit + 1)
        shown = [self.shown_organisation(organisation_id) for _, organisation_id in page[:limit]]
        return _page("organisations", shown, page, limit)

    # Both

    def _kind_of(self, organisation_id: UUID) -> str | None:
        return fold_organisation(self.app.serving.load(organisation_id)).kind

    def _metadata(self) -> Metadata:
        return self.app.metadata(self.manager, purpose=self.app.reason(self.manager))

    @contextmanager
    def _refusals(self, right: Right, subject: UUID) -> Iterator[None]:
        with self.app.refusals_recorded(self.manager, right, subject):
            yield

    def _history(self, stream: History) -> list[Json]:
        """What was decided about it, newest first, and by whom."""
        entries = [
            {
                "at": recorded.recorded_at,
                "event": recorded.event.NAME,
                **_said(recorded.event),
                "actor": str(recorded.metadata.actor) if isinstance(recorded.metadata, Metadata) else None,
            }
            for recorded in reversed(stream.events)
        ]
        return self.app.named(entries)


def _said(event: Event) -> Json:
    """What of an event its history tells. Of an organisation also where evidence is kept; of nobody's authenticator."""
    told = {
        name: getattr(event, name, None)
        for name in ("condition", "met_on", "ends_on", "reason", "role", "what", "issuer", "thumbprint")
    }
    if isinstance(event, OrganisationConditionMet):
        told["reference"] = event.reference
    return {name: value for name, value in told.items() if value is not None}


def _condition(one: Stands) -> Json:
    return {
        "condition": one.code,
        "of": one.condition.of,
        "state": one.state,
        "met_on": one.proof.met_on if one.proof else None,
        "lapses_on": one.lapses_on,
        "made_up": one.proof is not None and one.proof.made_up,
    }


def _signs_in_by(account: Account) -> str | None:
    """How the holder proves who they are, a code as sessions have it; None where they cannot. Never as whom."""
    number = account.authenticator
    if number is None:
        return None
    if account.federated is not None and account.federated.number == number:
        return "openid"
    return "private-key" if any(one.number == number for one in account.keys) else "password"


def _state(*, ended: bool, suspended: bool) -> str:
    if ended:
        return "ended"
    return "suspended" if suspended else "open"


def _page(name: str, shown: list[Json], page: Sequence[tuple[str, Any]], limit: int) -> Json:
    more = len(page) > limit
    return {name: shown, "more": more, "next": page[limit - 1][0] if more else None}


def body_of(granting: Granting, body: str) -> Organisation:
    """The organisation in which an account is to be granted. Raises BadInput where there is none."""
    try:
        found = granting.organisation(body)
    except NotFound:
        found = None
    if found is None or found.conditions.ended:
        raise BadInput(_NO_ORGANISATION, code="no-such-organisation", field="organisation")
    return found
