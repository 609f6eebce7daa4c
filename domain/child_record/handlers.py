"""Load, decide, append for a child's record."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.child_record import model
from domain.child_record.commands import Assertion, RegisterChild
from domain.child_record.decisions import Decision, decide
from domain.child_record.events import IdentityAsserted, SourceKind
from domain.errors import VersionConflict
from domain.kernel import Appended, Change, Command, Metadata, Pending, Reservation, StreamKind
from domain.ports import EventStore, Tokens
from domain.rule_set.model import RuleSet

_ATTEMPTS: Final = 8
_LABEL: Final = "nhs-number"
_ISSUERS: Final = (SourceKind.BIRTHS, SourceKind.PDS)


def handle(
    child_id: UUID,
    command: Command,
    *,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
    idempotency_key: bytes | None = None,
    batch: UUID | None = None,
    reservations: Sequence[Reservation] = (),
) -> Appended:
    """Carry out one command on one child's record; where another writer was first, load and decide again.

    Raises Refused, AlreadyReserved (another record holds the index number or the NHS number), VersionConflict after
    eight attempts, Unavailable.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _once(
                child_id, command, store, tokens, rules, metadata, idempotency_key, batch, reservations
            )
        except VersionConflict:
            continue
    return _once(child_id, command, store, tokens, rules, metadata, idempotency_key, batch, reservations)


def _once(
    child_id: UUID,
    command: Command,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
    idempotency_key: bytes | None,
    batch: UUID | None,
    reservations: Sequence[Reservation],
) -> Appended:
    history = store.load(child_id)
    decision = decide(model.fold(history), command, rules)
    if not decision.events and idempotency_key is None:
        return Appended((), None, duplicate=True)
    claimed = [
        *reservations,
        *(  # what the record holds already is not claimed again
            claim
            for claim in claims(child_id, command, decision, tokens)
            if not history.version or store.find(claim.token) != child_id
        ),
    ]
    changes = (change_of(child_id, history.version, decision),) if decision.events else ()
    return store.append(
        changes,
        metadata,
        idempotency_key=idempotency_key,
        reservations=claimed,
        batch=batch,
        instant=command.at,
    )


def change_of(child_id: UUID, version: int, decision: Decision) -> Change:
    """A decision as a change to a child's stream that stands at `version`."""
    pending = tuple(map(Pending, decision.events, decision.content_keys))
    return Change(child_id, StreamKind.CHILD, version, pending, decision.shielded)


def claims(child_id: UUID, command: Command, decision: Decision, tokens: Tokens) -> list[Reservation]:
    """What a decision must be alone in holding: the index number, and an NHS number that its issuer vouches for.

    An NHS number that somebody merely typed is not reserved: a slip would shut out the child it belongs to.
    """
    claimed: list[Reservation] = []
    if isinstance(command, RegisterChild):
        claimed.append(Reservation(index_number_token(command.index_number), child_id))
    vouched = isinstance(command, Assertion) and (
        command.confidence == "verified" or command.source_kind in _ISSUERS
    )
    claimed += (
        Reservation(nhs_number_token(tokens, event.nhs_number), child_id)
        for event in decision.events
        if vouched and isinstance(event, IdentityAsserted) and event.nhs_number is not None
    )
    return claimed


def index_number_token(number: str) -> bytes:
    """The token under which an index number is reserved: itself, for it is random and says nothing."""
    return number.encode()


def nhs_number_token(tokens: Tokens, number: str) -> bytes:
    """The token under which an NHS number is reserved."""
    return tokens.token(_LABEL, number.encode())
