"""The state of one account, what may be decided about it, and `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from uuid import UUID

from domain.account.commands import CloseAccount, OpenAccount
from domain.account.events import AccountClosed, AccountOpened
from domain.errors import BadInput, NotFound, Refused
from domain.kernel import Event, History
from domain.policy.screening import screen_name
from domain.rule_set.model import RuleSet


@dataclass(frozen=True, slots=True)
class Account:
    """Who may look, and how. `opened` is None where there is no such account."""

    account_id: UUID
    version: int = 0
    opened: AccountOpened | None = None
    closed: bool = False

    @property
    def open(self) -> AccountOpened:
        """The account as opened. Raises NotFound where there is none, or it is closed."""
        if self.opened is None or self.closed:
            raise NotFound("There is no such account.", field="account")
        return self.opened


def open_account(account: Account, command: OpenAccount, rules: RuleSet) -> Sequence[Event]:
    """Open it. Refused for a role or a purpose the rules do not know, and an override the role may not have."""
    screen_name(command.title, "title", words=6)
    role = rules.roles.get(command.role)
    if role is None:
        raise BadInput(f"The role is one of: {', '.join(rules.roles)}.", code="unknown-role", field="role")
    if not set(command.purposes) <= set(role.purposes):
        raise BadInput(
            f"This role looks only for: {', '.join(role.purposes)}.", code="unknown-purpose", field="purposes"
        )
    if command.may_override and not rules.role_may(command.role, "override"):
        raise Refused("This role may not look behind a shield.", code="no-override", field="may_override")
    opened = AccountOpened(rule_set=rules.id, **dict(command.model_dump(exclude={"at"})))
    if account.opened == opened and not account.closed:
        return ()
    if account.opened is not None:
        raise Refused("This account is there already.", code="already-opened")
    return (opened,)


def close_account(account: Account, command: CloseAccount, _: RuleSet) -> Sequence[Event]:
    """Close it. Twice changes nothing."""
    if account.opened is None:
        raise NotFound("There is no such account.", field="account")
    return () if account.closed else (AccountClosed(reason=command.reason),)


def fold(history: History) -> Account:
    """The account that a whole stream tells of."""
    account = reduce(evolve, (recorded.event for recorded in history.events), Account(history.stream_id))
    return replace(account, version=history.version)


def evolve(account: Account, event: Event) -> Account:
    """Fold one event into the account. Total."""
    match event:
        case AccountOpened():
            return replace(account, opened=event, closed=False)
        case AccountClosed():
            return replace(account, closed=True)
        case _:
            return account
