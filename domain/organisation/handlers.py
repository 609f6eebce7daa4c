"""Load, decide, append for organisations; and finding one by its body code."""

from collections.abc import Sequence
from functools import reduce
from typing import Final
from uuid import UUID

from domain.errors import VersionConflict
from domain.kernel import Appended, Change, Command, Event, Metadata, Pending, Reservation, StreamKind
from domain.organisation import model
from domain.organisation.commands import RegisterOrganisation
from domain.policy.granting import Granter, refuse_unless_accrediting
from domain.ports import EventStore, Tokens
from domain.rule_set.model import RuleSet

_LABEL: Final = "organisation-body"
_TRIES: Final = 8


def register(
    organisation_id: UUID,
    command: RegisterOrganisation,
    *,
    store: EventStore,
    tokens: Tokens,
    metadata: Metadata,
) -> Appended:
    """Register an organisation and reserve its body code. Raises Refused, AlreadyReserved where another has it."""
    organisation = model.fold(store.load(organisation_id))
    events = model.register(organisation, command)
    if not events:
        return Appended((), None, duplicate=True)
    change = _change(organisation_id, organisation.version, events)
    body = Reservation(body_token(tokens, command.body), organisation_id)
    return store.append((change,), metadata, reservations=(body,), instant=command.at)


def change_organisation(
    organisation_id: UUID,
    commands: Sequence[Command],
    *,
    store: EventStore,
    rules: RuleSet,
    metadata: Metadata,
    granter: Granter | None = None,
) -> Appended:
    """Carry out commands on an organisation, all in one transaction or none. Without a granter the index acts itself.

    Raises Refused, AccessDenied, NotFound, and VersionConflict where others keep being first.
    """
    for tries_left in reversed(range(_TRIES)):
        if granter is not None:
            refuse_unless_accrediting(granter, organisation_id, rules)
        organisation = model.fold(store.load(organisation_id))
        events: list[Event] = []
        for command in commands:
            decided = model.decide(organisation, command, rules)
            organisation = reduce(model.evolve, decided, organisation)
            events += decided
        if not events:
            return Appended((), None, duplicate=True)
        change = _change(organisation_id, organisation.version, events)
        try:
            return store.append((change,), metadata, instant=max(one.at for one in commands))
        except VersionConflict:
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _change(organisation_id: UUID, version: int, events: Sequence[Event]) -> Change:
    return Change(organisation_id, StreamKind.STAFF, version, tuple(Pending(event) for event in events))


def organisation_of(body: str, *, store: EventStore, tokens: Tokens) -> model.Organisation | None:
    """The organisation with this body code."""
    organisation_id = store.find(body_token(tokens, body))
    return None if organisation_id is None else model.fold(store.load(organisation_id))


def body_token(tokens: Tokens, body: str) -> bytes:
    """The token under which a body code is reserved."""
    return tokens.token(_LABEL, body.encode())
