"""Load, decide, append for organisations; and finding one by its body code."""

from typing import Final
from uuid import UUID

from domain.kernel import Appended, Change, Metadata, Pending, Reservation, StreamKind
from domain.organisation import model
from domain.organisation.commands import RegisterOrganisation
from domain.ports import EventStore, Tokens

_LABEL: Final = "organisation-body"


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
    events = tuple(Pending(event) for event in model.register(organisation, command))
    if not events:
        return Appended((), None, duplicate=True)
    change = Change(organisation_id, StreamKind.STAFF, organisation.version, events)
    body = Reservation(body_token(tokens, command.body), organisation_id)
    return store.append((change,), metadata, reservations=(body,), instant=command.at)


def organisation_of(body: str, *, store: EventStore, tokens: Tokens) -> model.Organisation | None:
    """The organisation with this body code."""
    organisation_id = store.find(body_token(tokens, body))
    return None if organisation_id is None else model.fold(store.load(organisation_id))


def body_token(tokens: Tokens, body: str) -> bytes:
    """The token under which a body code is reserved."""
    return tokens.token(_LABEL, body.encode())
