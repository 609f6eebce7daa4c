"""Load, decide, append for accounts; and finding an account by its name."""

from typing import Final
from uuid import UUID

from domain.account import model
from domain.account.commands import CloseAccount, OpenAccount
from domain.kernel import Appended, Change, Metadata, Pending, Reservation, StreamKind
from domain.ports import EventStore, Tokens
from domain.rule_set.model import RuleSet

_LABEL: Final = "account-name"


def open_account(
    account_id: UUID,
    command: OpenAccount,
    *,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
) -> Appended:
    """Open an account and reserve its name. Raises Refused, AlreadyReserved where another account has the name."""
    account = model.fold(store.load(account_id))
    events = tuple(Pending(event) for event in model.open_account(account, command, rules))
    if not events:
        return Appended((), None, duplicate=True)
    change = Change(account_id, StreamKind.STAFF, account.version, events)
    name = Reservation(name_token(tokens, command.name), account_id)
    return store.append((change,), metadata, reservations=(name,), instant=command.at)


def close_account(
    account_id: UUID, command: CloseAccount, *, store: EventStore, rules: RuleSet, metadata: Metadata
) -> Appended:
    """Close an account. Its name stays reserved, so that it never means somebody else."""
    account = model.fold(store.load(account_id))
    events = tuple(Pending(event) for event in model.close_account(account, command, rules))
    if not events:
        return Appended((), None, duplicate=True)
    return store.append(
        (Change(account_id, StreamKind.STAFF, account.version, events),), metadata, instant=command.at
    )


def account_named(name: str, *, store: EventStore, tokens: Tokens) -> model.Account | None:
    """The account of this name, open or closed; None where no account ever had it."""
    account_id = store.find(name_token(tokens, name))
    return None if account_id is None else model.fold(store.load(account_id))


def name_token(tokens: Tokens, name: str) -> bytes:
    """The token under which an account's name is reserved."""
    return tokens.token(_LABEL, name.encode())
