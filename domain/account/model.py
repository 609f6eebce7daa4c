"""The state of one account, what may be decided about it, and `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Final
from uuid import UUID

from domain.account.commands import (
    AssignRole,
    BindFederatedIdentifier,
    ChangePassword,
    CloseAccount,
    DeclareTies,
    IssueEnrolment,
    NameLineManager,
    OpenAccount,
    RecordAccountCondition,
    RegisterClientKey,
    ReinstateAccount,
    RevokeClientKey,
    SuspendAccount,
    UnbindFederatedIdentifier,
    WithdrawAccountCondition,
)
from domain.account.events import (
    AccountClosed,
    AccountConditionMet,
    AccountConditionWithdrawn,
    AccountHolderNamed,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    ClientKeyRegistered,
    ClientKeyRevoked,
    EnrolmentIssued,
    FederatedIdentifierBound,
    FederatedIdentifierUnbound,
    LineManagerNamed,
    PasswordReplaced,
    RoleAssigned,
    TiesDeclared,
)
from domain.errors import BadInput, NotFound, Refused
from domain.kernel import Command, Event, History
from domain.policy.access import Party
from domain.policy.granting import Holder, check_proof, check_reason, condition_of, proof_of, refuse_unmet
from domain.policy.retention import london_day
from domain.policy.rule_book import refuse_unless_in_force
from domain.policy.screening import screen_name
from domain.rule_set.model import RuleSet

MOST_KEYS: Final = 2
"""Keys that a program has at once: the one that goes and the one that comes."""
AUTHENTICATOR: Final = "authenticator"
"""The condition that an authenticator is registered; its reference is the number of it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who may look, and how. `opened` is None where there is no such account.

    role, purposes, may_override: as they stand, whatever it was opened with. conditions: what is on record of each.
    """

    account_id: UUID
    version: int = 0
    opened: AccountOpened | None = None
    role: str = ""
    purposes: tuple[str, ...] = ()
    may_override: bool = False
    holder: str | None = None
    conditions: Party = field(default_factory=Party)
    references: tuple[tuple[str, str], ...] = ()
    """Condition → the number it was last recorded under, where one was given."""
    line_manager: str | None = None
    ties: TiesDeclared | None = None
    federated: FederatedIdentifierBound | None = None
    """By what an OpenID provider vouches for the holder, if one does."""
    keys: tuple[ClientKeyRegistered, ...] = ()
    """With which a program signs in, those that were revoked left out."""
    signed_out_at: int = 0
    """The version of the last event that ended every session there was (0: none did)."""

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.conditions.ended

    @property
    def open(self) -> AccountOpened:
        """The account as opened. Raises NotFound where there is none, or it is closed."""
        if self.opened is None or self.closed:
            raise NotFound("There is no such account.", field="account")
        return self.opened

    @property
    def made_up(self) -> bool:
        """Whether conditions of it were made up, for an invented person."""
        return any(proof.made_up for proof in self.conditions.proofs.values())

    @property
    def authenticator(self) -> str | None:
        """The number of the authenticator that is registered; None where none is."""
        proof = self.conditions.proofs.get(AUTHENTICATOR)
        return None if proof is None or proof.withdrawn else dict(self.references).get(AUTHENTICATOR)

    @property
    def was_registered(self) -> bool:
        """Whether an authenticator was ever registered, whatever became of it."""
        return AUTHENTICATOR in self.conditions.proofs

    @property
    def person(self) -> Holder | None:
        """Whose account it is; None where there is none."""
        return None if self.opened is None else Holder(self.opened.organisation, self.holder)


def open_account(account: Account, command: OpenAccount, rules: RuleSet) -> Sequence[Event]:
    """Open it. Refused for a role or a purpose the rules do not know, and an override the role may not have."""
    refuse_unless_in_force(rules, command.at)
    screen_name(command.title, "title", words=6)
    _check_role(command, rules)
    said = dict(command.model_dump(exclude={"at", "holder"}))
    opened = AccountOpened(rule_set=rules.id, **said)
    if account.opened == opened and not account.closed:
        return ()
    if account.opened is not None:
        raise Refused("This account is there already.", code="already-opened")
    return (opened, *((AccountHolderNamed(holder=command.holder),) if command.holder else ()))


def _check_role(command: OpenAccount | AssignRole, rules: RuleSet) -> None:
    role = rules.roles.get(command.role)
    if role is None:
        raise BadInput(f"The role is one of: {', '.join(rules.roles)}.", code="unknown-role", field="role")
    if not set(command.purposes) <= set(role.purposes):
        raise BadInput(
            f"This role looks only for: {', '.join(role.purposes)}.", code="unknown-purpose", field="purposes"
        )
    if command.may_override and not rules.role_may(command.role, "override"):
        raise Refused("This role may not look behind a shield.", code="no-override", field="may_override")


def close_account(account: Account, command: CloseAccount, rules: RuleSet) -> Sequence[Event]:
    """Close it. Twice changes nothing."""
    if account.opened is None:
        raise NotFound("There is no such account.", field="account")
    check_reason(command.reason, rules)
    return () if account.closed else (AccountClosed(reason=command.reason),)


def decide(account: Account, command: Command, rules: RuleSet) -> Sequence[Event]:
    """What comes of a command about an account that is there: events, none where it is so already, or a refusal.

    Raises NotFound where there is none or it has ended, Refused, BadInput.
    """
    refuse_unless_in_force(rules, command.at)
    if isinstance(command, CloseAccount):
        return close_account(account, command, rules)
    _ = account.open
    match command:
        case SuspendAccount():
            check_reason(command.reason, rules)
            return () if account.conditions.suspended else (AccountSuspended(reason=command.reason),)
        case ReinstateAccount():
            check_reason(command.reason, rules)
            return (AccountReinstated(reason=command.reason),) if account.conditions.suspended else ()
        case AssignRole():
            return _assign_role(account, command, rules)
        case NameLineManager():
            return _name_line_manager(account, command)
        case DeclareTies():
            return _declare_ties(account, command)
        case RecordAccountCondition():
            return _record_condition(account, command, rules)
        case IssueEnrolment():
            return (EnrolmentIssued(until=command.until),)
        case ChangePassword():
            return (PasswordReplaced(),)
        case BindFederatedIdentifier():
            return _bind(account, command, rules)
        case UnbindFederatedIdentifier():
            return _unbind(account, command, rules)
        case RegisterClientKey():
            return _register_key(account, command, rules)
        case RevokeClientKey():
            return _revoke_key(account, command, rules)
        case WithdrawAccountCondition():
            condition_of(command.condition, "account", rules)
            check_reason(command.reason, rules)
            refuse_unmet(account.conditions.proofs, command.condition)
            if account.conditions.proofs[command.condition].withdrawn:
                return ()
            return (AccountConditionWithdrawn(condition=command.condition, reason=command.reason),)
        case _:
            raise TypeError(f"nobody decides on {type(command).__name__}")


def _assign_role(account: Account, command: AssignRole, rules: RuleSet) -> Sequence[Event]:
    _check_role(command, rules)
    now = (account.role, account.purposes, account.may_override)
    if now == (command.role, command.purposes, command.may_override):
        return ()
    if {account.role, command.role} & set(rules.access.duties) and account.role != command.role:
        raise Refused(
            "Into and out of this role no account is moved: end it and grant another.",
            code="separate-duty",
            field="role",
        )
    return (RoleAssigned(rule_set=rules.id, **dict(command.model_dump(exclude={"at"}))),)


def _name_line_manager(account: Account, command: NameLineManager) -> Sequence[Event]:
    if command.manager == account.holder:
        raise BadInput(
            "Nobody is their own line manager: give the manager's staff number.",
            code="own-manager",
            field="manager",
        )
    return () if account.line_manager == command.manager else (LineManagerNamed(manager=command.manager),)


def _declare_ties(account: Account, command: DeclareTies) -> Sequence[Event]:
    for kind, names in (("surname", command.surnames), ("relative", command.relatives)):
        for name in names:
            screen_name(name, kind, words=6)
    declared = TiesDeclared(**dict(command.model_dump(exclude={"at"})))
    return () if account.ties == declared else (declared,)


def _record_condition(account: Account, command: RecordAccountCondition, rules: RuleSet) -> Sequence[Event]:
    check_proof(command, "account", command.at, rules)
    known = (
        account.conditions.proofs.get(command.condition),
        dict(account.references).get(command.condition),
    )
    if known == (proof_of(command), command.reference):
        return ()
    return (AccountConditionMet(rule_set=rules.id, **dict(command.model_dump(exclude={"at"}))),)


def _bind(account: Account, command: BindFederatedIdentifier, rules: RuleSet) -> Sequence[Event]:
    if account.keys:
        raise Refused(
            "A program signs in as this account, with its keys: nobody vouches for it.",
            code="is-a-client",
            field="account",
        )
    stood = account.federated
    if stood is None:
        bound = FederatedIdentifierBound(
            issuer=command.issuer, subject=command.subject, number=command.number
        )
        return (bound, *_proved_by(account, bound.number, command.at, rules))
    if (stood.issuer, stood.subject) != (command.issuer, command.subject):
        raise Refused(
            "Another subject is bound to this account: `account unbind` first.",
            code="already-bound",
            field="subject",
        )
    return _proved_by(account, stood.number, command.at, rules)


def _unbind(account: Account, command: UnbindFederatedIdentifier, rules: RuleSet) -> Sequence[Event]:
    check_reason(command.reason, rules)
    if account.federated is None:
        return ()
    unbound = FederatedIdentifierUnbound(reason=command.reason)
    return (unbound, *_proved_no_more(account, account.federated.number, command.reason))


def _register_key(account: Account, command: RegisterClientKey, rules: RuleSet) -> Sequence[Event]:
    if account.federated is not None:
        raise Refused(
            "A provider vouches for the holder of this account, so no program signs in as it: grant the program one "
            "of its own.",
            code="already-bound",
            field="account",
        )
    number = account.keys[0].number if account.keys else command.number
    if any(one.thumbprint == command.thumbprint for one in account.keys):
        return _proved_by(account, number, command.at, rules)
    if len(account.keys) >= MOST_KEYS:
        raise Refused(
            f"A program has {MOST_KEYS} keys at most, to change from one to the other: revoke one first.",
            code="too-many-keys",
            field="key",
        )
    registered = ClientKeyRegistered(thumbprint=command.thumbprint, key=command.key, number=number)
    return (registered, *_proved_by(account, number, command.at, rules))


def _revoke_key(account: Account, command: RevokeClientKey, rules: RuleSet) -> Sequence[Event]:
    check_reason(command.reason, rules)
    found = [one for one in account.keys if one.thumbprint == command.thumbprint]
    if not found:
        raise NotFound("This account has no such key: `account show` lists them.", field="key")
    revoked = ClientKeyRevoked(thumbprint=command.thumbprint, reason=command.reason)
    last = len(account.keys) == 1
    return (revoked, *(_proved_no_more(account, found[0].number, command.reason) if last else ()))


def _proved_by(account: Account, number: str, at: datetime, rules: RuleSet) -> Sequence[Event]:
    """Let this be the account's authenticator, in place of any other: there is one way to sign in at a time."""
    if account.authenticator == number:
        return ()
    return (
        AccountConditionMet(
            condition=AUTHENTICATOR, met_on=london_day(at), reference=number, rule_set=rules.id
        ),
    )


def _proved_no_more(account: Account, number: str, reason: str) -> Sequence[Event]:
    if account.authenticator != number:
        return ()
    return (AccountConditionWithdrawn(condition=AUTHENTICATOR, reason=reason),)


def fold(history: History) -> Account:
    """The account that a whole stream tells of."""
    account = reduce(evolve, (recorded.event for recorded in history.events), Account(history.stream_id))
    ends = (recorded.version for recorded in history.events if _ends_sessions(recorded.event))
    return replace(account, version=history.version, signed_out_at=max(ends, default=0))


def _ends_sessions(event: Event) -> bool:
    """Whether nobody who was signed in when it happened is signed in after it, also where it was undone since."""
    match event:
        case AccountSuspended() | AccountClosed() | PasswordReplaced():
            return True
        case FederatedIdentifierUnbound() | ClientKeyRevoked():
            return True
        case AccountConditionMet() | AccountConditionWithdrawn():
            return event.condition == AUTHENTICATOR
        case _:
            return False


def evolve(account: Account, event: Event) -> Account:
    """Fold one event into the account. Total."""
    stood = account.conditions
    match event:
        case AccountOpened():
            return replace(
                account,
                opened=event,
                role=event.role,
                purposes=event.purposes,
                may_override=event.may_override,
                conditions=replace(stood, ended=False),
            )
        case AccountHolderNamed():
            return replace(account, holder=event.holder)
        case LineManagerNamed():
            return replace(account, line_manager=event.manager)
        case TiesDeclared():
            return replace(account, ties=event)
        case AccountSuspended():
            return replace(account, conditions=replace(stood, suspended=True))
        case AccountReinstated():
            return replace(account, conditions=replace(stood, suspended=False))
        case AccountClosed():
            return replace(account, conditions=replace(stood, ended=True))
        case RoleAssigned():
            return replace(
                account,
                role=event.role,
                purposes=event.purposes,
                may_override=event.may_override,
                conditions=stood.changed("role"),
            )
        case AccountConditionMet():
            return replace(
                account,
                conditions=stood.met(event.condition, proof_of(event)),
                references=_noted(account.references, event),
            )
        case AccountConditionWithdrawn():
            return replace(account, conditions=stood.taken_back(event.condition))
        case FederatedIdentifierBound():
            return replace(account, federated=event)
        case FederatedIdentifierUnbound():
            return replace(account, federated=None)
        case ClientKeyRegistered():
            return replace(account, keys=(*account.keys, event))
        case ClientKeyRevoked():
            left = tuple(one for one in account.keys if one.thumbprint != event.thumbprint)
            return replace(account, keys=left)
        case _:
            return account


def _noted(
    references: tuple[tuple[str, str], ...], event: AccountConditionMet
) -> tuple[tuple[str, str], ...]:
    others = tuple(one for one in references if one[0] != event.condition)
    return others if event.reference is None else (*others, (event.condition, event.reference))
