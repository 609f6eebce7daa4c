"""Load, decide, append for accounts; and finding an account by its name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import count
from typing import Final
from uuid import UUID

from domain.account import model
from domain.account.commands import (
    AssignRole,
    BindFederatedIdentifier,
    CloseAccount,
    OpenAccount,
    RecordAccountCondition,
)
from domain.account.events import AccountSuspended
from domain.errors import AlreadyReserved, BadInput, NotFound, Refused, VersionConflict
from domain.kernel import Appended, Change, Command, Event, Metadata, Pending, Reservation, StreamKind
from domain.policy.granting import Granter, Holder, Place, refuse_beyond_reach
from domain.ports import EventStore, Tokens
from domain.rule_set.model import SHARED, RuleSet

_LABEL: Final = "account-name"
_DUTY: Final = "account-duty"
_OWN: Final = "account-reference"
_SUBJECT: Final = "federated-subject"
_FIRST: Final = "account-first"
_TRIES: Final = 8
_NOTHING: Final = Appended((), None, duplicate=True)


def open_account(
    account_id: UUID,
    command: OpenAccount,
    *,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
    granter: Granter | None = None,
    kind: str | None = None,
) -> Appended:
    """Open an account and reserve its name; of a duty that nobody holds twice, the person as well.

    granter, kind: who grants it, and of which kind the organisation is; without, the index makes it itself. Raises
    Refused, AccessDenied, AlreadyReserved where another account has the name.
    """
    if granter is not None:
        _refuse_to_grant(account_id, command, granter, kind, rules)
    account = model.fold(store.load(account_id))
    events = model.open_account(account, command, rules)
    if not events:
        return _NOTHING
    change = _change(account_id, account.version, events)
    name = name_token(tokens, command.name)
    for tries_left in reversed(range(_TRIES)):
        taken = store.find(name)
        if taken is not None:
            raise AlreadyReserved(taken)
        claims = [Reservation(name, account_id), *_duties(account_id, command, store, tokens, rules)]
        try:
            return store.append((change,), metadata, reservations=claims, instant=command.at)
        except AlreadyReserved:  # the name, or the duty at the same moment: looked at again
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def open_first(
    accounts: Mapping[UUID, OpenAccount],
    conditions: Sequence[Command],
    *,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
) -> list[UUID]:
    """Open the accounts of those who are the first to say who may look, with these conditions met: all of it once.

    Asked again for the same people before any of them has registered an authenticator, only the conditions that are not
    on record are recorded. Returns the ids, in order. Raises Refused, code `already-appointed`.
    """
    first = tokens.token(_FIRST, b"")
    named = store.find(first)
    if named is not None:
        return _first_again(named, accounts.values(), conditions, store, tokens, rules, metadata)
    changes, claims = [], [Reservation(first, next(iter(accounts)))]
    for account_id, command in accounts.items():
        events = list(model.open_account(model.Account(account_id), command, rules))
        account = reduce(model.evolve, events, model.Account(account_id))
        events += [event for one in conditions for event in model.decide(account, one, rules)]
        changes.append(_change(account_id, 0, events))
        claims.append(Reservation(name_token(tokens, command.name), account_id))
        claims += _duties(account_id, command, store, tokens, rules)
    try:
        store.append(changes, metadata, reservations=claims, instant=max(one.at for one in conditions))
    except AlreadyReserved:  # another was first, this very moment
        raise Refused(_APPOINTED, code="already-appointed") from None
    return list(accounts)


def _first_again(
    named: UUID,
    accounts: Iterable[OpenAccount],
    conditions: Sequence[Command],
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
) -> list[UUID]:
    found = [(account_named(one.name, store=store, tokens=tokens), one.holder) for one in accounts]
    same = [
        one.account_id for one, holder in found if one and one.holder == holder and not one.was_registered
    ]
    if len(same) < len(found) or named not in same:
        raise Refused(_APPOINTED, code="already-appointed")
    change_accounts(same, conditions, store=store, tokens=tokens, rules=rules, metadata=metadata)
    return same


_APPOINTED: Final = (
    "Account managers are appointed already: they say who else may look, and how people come in."
)


def _duties(
    account_id: UUID, command: OpenAccount, store: EventStore, tokens: Tokens, rules: RuleSet
) -> Iterator[Reservation]:
    if command.holder is not None and command.role in rules.access.duties:
        yield from _duty(account_id, Holder(command.organisation, command.holder), store, tokens, rules)


def _refuse_to_grant(
    account_id: UUID, command: OpenAccount, granter: Granter, kind: str | None, rules: RuleSet
) -> None:
    if command.holder is None:
        raise BadInput(
            "Say whose account it is: --holder, their staff number.", code="no-holder", field="holder"
        )
    place = Place(command.organisation, kind, command.area)
    refuse_beyond_reach(granter, account_id, Holder(command.organisation, command.holder), place, rules)
    _refuse_role(command.role, kind, rules)


def _refuse_role(role: str, kind: str | None, rules: RuleSet) -> None:
    """Refuse a role that people of such an organisation do not hold. Raises BadInput, code `role-not-open`."""
    open_to = rules.organisations[kind].roles if kind in rules.organisations else ()
    if role not in open_to:
        raise BadInput(
            f"People of this organisation hold one of these roles: {', '.join(open_to)}.",
            code="role-not-open",
            field="role",
        )


def change_accounts(
    account_ids: Sequence[UUID],
    commands: Sequence[Command],
    *,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
    granter: Granter | None = None,
    kind_of: Callable[[UUID], str | None] = lambda _: None,
) -> Appended:
    """Carry out commands on accounts, one after the other: all of them on all, in one transaction, or none.

    kind_of: of an organisation. Without a granter the index acts itself. Raises Refused, AccessDenied, NotFound, and
    VersionConflict where others keep being first. Where an authenticator turns out to be another account's, both
    accounts are suspended, and then Refused is raised, code `authenticator-shared`.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            return _try_change(account_ids, commands, store, tokens, rules, metadata, granter, kind_of)
        except (VersionConflict, AlreadyReserved):
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _try_change(
    account_ids: Sequence[UUID],
    commands: Sequence[Command],
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
    granter: Granter | None,
    kind_of: Callable[[UUID], str | None],
) -> Appended:
    changes: list[Change] = []
    claims: list[Reservation] = []
    for account_id in dict.fromkeys(account_ids):
        account = model.fold(store.load(account_id))
        events: list[Event] = []
        for command in commands:
            if granter is not None:
                _refuse_to_change(account, command, granter, kind_of, rules)
            decided = model.decide(account, command, rules)
            if isinstance(command, RecordAccountCondition) and _is_own(command, rules):
                claims += _own(account, command, store, tokens, metadata)
            if isinstance(command, BindFederatedIdentifier):
                claims += _bound(account, command, store, tokens)
            account = reduce(model.evolve, decided, account)
            events += decided
        if events:
            changes.append(_change(account_id, account.version, events))
    if not changes:
        return _NOTHING
    return store.append(changes, metadata, reservations=claims, instant=max(one.at for one in commands))


def _refuse_to_change(
    account: model.Account,
    command: Command,
    granter: Granter,
    kind_of: Callable[[UUID], str | None],
    rules: RuleSet,
) -> None:
    opened, holder = account.opened, account.person
    if opened is None or holder is None:
        raise NotFound("There is no such account.", field="account")
    kind = kind_of(opened.organisation)
    place = Place(opened.organisation, kind, opened.area)
    refuse_beyond_reach(granter, account.account_id, holder, place, rules)
    if isinstance(command, AssignRole):
        _refuse_role(command.role, kind, rules)


def _is_own(command: RecordAccountCondition, rules: RuleSet) -> bool:
    condition = rules.conditions.get(command.condition)
    return condition is not None and condition.own_reference and command.reference is not None


def _own(
    account: model.Account,
    command: RecordAccountCondition,
    store: EventStore,
    tokens: Tokens,
    metadata: Metadata,
) -> Iterator[Reservation]:
    """The number of an authenticator, which no two accounts have.

    One that two accounts have says that somebody lends theirs: both are suspended, then Refused is raised.
    """
    wanted = (command.condition, command.reference)

    def has_it(other: model.Account) -> bool:
        proof = other.conditions.proofs.get(command.condition)
        return not other.closed and wanted in other.references and proof is not None and not proof.withdrawn

    value = f"{command.condition}/{command.reference}".encode()
    free, other = _free(_OWN, value, account.account_id, store, tokens, has_it)
    if other is not None:
        both = [
            _change(one.account_id, one.version, (AccountSuspended(reason=SHARED),))
            for one in (account, other)
            if not one.conditions.suspended
        ]
        if both:
            store.append(both, metadata, instant=command.at)
        raise Refused(
            "This authenticator is registered for another account. Both accounts are suspended until it is known who "
            "uses it.",
            code="authenticator-shared",
            field="reference",
        )
    if free is not None:
        yield free


def _bound(
    account: model.Account, command: BindFederatedIdentifier, store: EventStore, tokens: Tokens
) -> Iterator[Reservation]:
    """A subject of a provider, which is bound to one account at a time. Raises Refused, code `subject-bound`."""
    value = _subject(command.issuer, command.subject)
    has_it = _has_subject(command.issuer, command.subject)
    free, other = _free(_SUBJECT, value, account.account_id, store, tokens, has_it)
    if other is not None:
        raise Refused(
            "This subject is bound to another account: unbind it there first.",
            code="subject-bound",
            field="subject",
        )
    if free is not None:
        yield free


def account_bound(issuer: str, subject: str, *, store: EventStore, tokens: Tokens) -> model.Account | None:
    """The account that this subject of this provider is bound to and that has not ended; None where there is none."""
    value, has_it = _subject(issuer, subject), _has_subject(issuer, subject)
    for turn in count(1):
        found = store.find(tokens.token(_SUBJECT, turn.to_bytes(4) + value))
        if found is None:
            return None
        account = model.fold(store.load(found))
        if has_it(account):
            return account
    raise AssertionError("unreachable")


def _subject(issuer: str, subject: str) -> bytes:
    return f"{issuer}\n{subject}".encode()  # neither holds a line break


def _has_subject(issuer: str, subject: str) -> Callable[[model.Account], bool]:
    def has_it(account: model.Account) -> bool:
        stood = account.federated
        return not account.closed and stood is not None and (stood.issuer, stood.subject) == (issuer, subject)

    return has_it


def _duty(
    account_id: UUID, holder: Holder, store: EventStore, tokens: Tokens, rules: RuleSet
) -> Iterator[Reservation]:
    """A person who holds one of the duties of which nobody holds two. Raises Refused, code `duties-conflict`."""

    def has_one(other: model.Account) -> bool:
        return not other.closed and other.role in rules.access.duties

    value = holder.organisation.bytes + (holder.number or "").encode()
    free, other = _free(_DUTY, value, account_id, store, tokens, has_one)
    if other is not None:
        raise Refused(
            f"This person has one of these duties already, and nobody has two: {', '.join(rules.access.duties)}.",
            code="duties-conflict",
            field="role",
        )
    if free is not None:
        yield free


def _free(
    label: str,
    value: bytes,
    account_id: UUID,
    store: EventStore,
    tokens: Tokens,
    has_it: Callable[[model.Account], bool],
) -> tuple[Reservation | None, model.Account | None]:
    """The claim to make on a value that one account has at a time, or the other account that has it.

    A reservation is for good, so whoever takes over a value that somebody gave up takes the next turn of it. Neither:
    the account has it already.
    """
    for turn in count(1):
        token = tokens.token(label, turn.to_bytes(4) + value)
        found = store.find(token)
        if found is None:
            return Reservation(token, account_id), None
        other = model.fold(store.load(found))
        if has_it(other):
            return None, None if found == account_id else other
    raise AssertionError("unreachable")


def close_account(
    account_id: UUID, command: CloseAccount, *, store: EventStore, rules: RuleSet, metadata: Metadata
) -> Appended:
    """Close an account. Its name stays reserved, so that it never means somebody else."""
    account = model.fold(store.load(account_id))
    events = model.close_account(account, command, rules)
    if not events:
        return _NOTHING
    return store.append((_change(account_id, account.version, events),), metadata, instant=command.at)


def _change(account_id: UUID, version: int, events: Sequence[Event]) -> Change:
    return Change(account_id, StreamKind.STAFF, version, tuple(Pending(event) for event in events))


def account_named(name: str, *, store: EventStore, tokens: Tokens) -> model.Account | None:
    """The account of this name, open or closed; None where no account ever had it."""
    account_id = store.find(name_token(tokens, name))
    return None if account_id is None else model.fold(store.load(account_id))


def name_token(tokens: Tokens, name: str) -> bytes:
    """The token under which an account's name is reserved."""
    return tokens.token(_LABEL, name.encode())
