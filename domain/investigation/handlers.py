"""Load, decide, append for investigations; opening one, with which the account may be suspended at once."""

from datetime import datetime
from typing import Final
from uuid import UUID

from domain.account import model as accounts
from domain.account.events import AccountSuspended
from domain.errors import AlreadyReserved, VersionConflict
from domain.investigation import model
from domain.investigation.events import InvestigationOpened
from domain.kernel import Appended, Change, Command, Metadata, Pending, Reservation, StreamKind
from domain.policy.retention import london_day
from domain.policy.rule_book import refuse_unless_in_force
from domain.policy.working_days import working_day_after
from domain.ports import EventStore, Tokens
from domain.rule_set.model import RuleSet

_TRIES: Final = 8
_LABEL: Final = "investigation"


def open_investigation(
    investigation_id: UUID,
    account_id: UUID,
    cause: str,
    access_id: UUID,
    *,
    at: datetime,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
) -> UUID:
    """Open an investigation of the holder of an account, and suspend it where the rules say so, both or neither.

    One for each look behind a shield; for any other cause one a day. Gives its id, or that of the one there is. Raises
    VersionConflict where others keep being first, NotFound where there is no such account.
    """
    refuse_unless_in_force(rules, at)
    day = london_day(at)
    token = _token(account_id, cause, access_id, at, tokens, rules)
    for tries_left in reversed(range(_TRIES)):
        account = accounts.fold(store.load(account_id))
        opened = InvestigationOpened(
            account=account_id,
            access=access_id,
            cause=cause,
            organisation=account.open.organisation,
            area=account.open.area,
            line_manager=account.line_manager,
            review_by=working_day_after(day, rules.conduct.review_days, rules),
            rule_set=rules.id,
        )
        changes = [Change(investigation_id, StreamKind.STAFF, 0, (Pending(opened),))]
        if rules.conduct.causes[cause].suspends and not account.conditions.suspended:
            suspended = AccountSuspended(reason=rules.conduct.causes[cause].reason)
            changes.append(Change(account_id, StreamKind.STAFF, account.version, (Pending(suspended),)))
        claim = Reservation(token, investigation_id)
        try:
            store.append(changes, metadata, reservations=(claim,), instant=at)
        except AlreadyReserved as there:
            return there.stream_id
        except VersionConflict:
            if not tries_left:
                raise
        else:
            return investigation_id
    raise AssertionError("unreachable")


def investigation_of(
    account_id: UUID,
    cause: str,
    access_id: UUID,
    *,
    at: datetime,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
) -> UUID | None:
    """The investigation that a look at this instant was a cause of; None where there is none."""
    return store.find(_token(account_id, cause, access_id, at, tokens, rules))


def _token(
    account_id: UUID, cause: str, access_id: UUID, at: datetime, tokens: Tokens, rules: RuleSet
) -> bytes:
    """Under which an investigation is reserved: one of each look, or one a day."""
    each = access_id.bytes if rules.conduct.causes[cause].each else london_day(at).isoformat().encode()
    return tokens.token(_LABEL, account_id.bytes + cause.encode() + b"/" + each)


def handle(
    investigation_id: UUID, command: Command, *, store: EventStore, rules: RuleSet, metadata: Metadata
) -> Appended:
    """Carry out one command on an investigation. Raises Refused, BadInput, NotFound, VersionConflict."""
    for tries_left in reversed(range(_TRIES)):
        found = model.fold(store.load(investigation_id))
        events = model.decide(found, command, metadata.actor, rules)
        if not events:
            break
        change = Change(
            investigation_id, StreamKind.STAFF, found.version, tuple(Pending(event) for event in events)
        )
        try:
            return store.append((change,), metadata, instant=command.at)
        except VersionConflict:
            if not tries_left:
                raise
    return Appended((), None, duplicate=True)
