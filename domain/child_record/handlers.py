"""Load, decide, append for a child's record."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from typing import Final, Protocol, TypeVar
from uuid import UUID

from domain.child_record import merging, model, new_identity, splitting
from domain.child_record.commands import (
    Assertion,
    MergeRecords,
    RegisterChild,
    RegisterNewIdentity,
    SealRecord,
    SplitRecord,
)
from domain.child_record.decisions import Decision, chunks, decide
from domain.child_record.events import IdentityAsserted, SourceKind, WrongViewNoted
from domain.child_record.model import ChildRecord
from domain.errors import Refused, VersionConflict
from domain.kernel import (
    Appended,
    Change,
    Command,
    History,
    Log,
    Metadata,
    Pending,
    Recorded,
    Reservation,
    StreamKind,
)
from domain.personal_data import HIDDEN
from domain.ports import EventStore, Tokens
from domain.rule_set.model import RuleSet

_ATTEMPTS: Final = 8
_Done = TypeVar("_Done")
_LABEL: Final = "nhs-number"
_ISSUERS: Final = (SourceKind.BIRTHS, SourceKind.PDS)


class WarmRecords(Protocol):
    """Records as this writer last saw them, so that a change need not read the stream first.

    Any of them may be out of date: another process may have written since.
    """

    def get(self, child_id: UUID) -> ChildRecord | None:
        """The record as last seen, if it is at hand."""
        ...

    def put(self, record: ChildRecord) -> None:
        """Keep a record, unless a later version of it is kept already."""
        ...

    def drop(self, child_id: UUID) -> None:
        """Forget a record."""
        ...


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What a command did. `record`: as it stands with the events appended, or None where none were."""

    appended: Appended
    record: ChildRecord | None = None


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
    """Carry out one command on one child's record. As `carry_out`, and tells only what was appended."""
    return carry_out(
        child_id,
        command,
        store=store,
        tokens=tokens,
        rules=rules,
        metadata=metadata,
        idempotency_key=idempotency_key,
        batch=batch,
        reservations=reservations,
    ).appended


def carry_out(
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
    warm: WarmRecords | None = None,
    beside: Callable[[int], Change] | None = None,
) -> CarriedOut:
    """Carry out one command on one child's record; where another writer was first, load and decide again.

    warm: records at hand, which need not be loaded; what is answered never rests on one that is out of date. beside:
    what else is appended with it, all of it or none, given the version at which the record was loaded; asked before
    anything is decided, and may refuse.

    Raises Refused, AlreadyReserved (another record holds the index number or the NHS number), VersionConflict after
    eight attempts, Unavailable.
    """
    attempt = partial(
        _once, child_id, command, store, tokens, rules, metadata, idempotency_key, batch, reservations, beside
    )
    at_hand = warm if beside is None else None
    for _ in range(_ATTEMPTS - 1):
        try:
            done = attempt(at_hand)
        except VersionConflict:
            if warm is not None:
                warm.drop(child_id)
        else:
            if at_hand is None or idempotency_key is None or not done.appended.duplicate:
                return done
            at_hand.drop(child_id)  # the key was known, so the record at hand was compared with nothing
            at_hand = None
    return attempt(None)


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
    beside: Callable[[int], Change] | None,
    warm: WarmRecords | None,
) -> CarriedOut:
    record, decision, others = _decided(child_id, command, store, rules, warm, beside)
    if not decision.events and idempotency_key is None:
        return CarriedOut(Appended((), None, duplicate=True))
    claimed = [
        *reservations,
        *(  # what the record holds already is not claimed again
            claim
            for claim in claims(child_id, command, decision, tokens)
            if not record.version or holder_of(claim.token, store) != child_id
        ),
    ]
    changes = (*((change_of(child_id, record.version, decision),) if decision.events else ()), *others)
    appended = store.append(
        changes,
        metadata,
        idempotency_key=idempotency_key,
        reservations=claimed,
        batch=batch,
        instant=command.at,
    )
    if appended.duplicate or not changes:
        return CarriedOut(appended)
    after = _after(record, decision, appended)
    if warm is not None:
        warm.put(after)
    return CarriedOut(appended, after)


def _decided(
    child_id: UUID,
    command: Command,
    store: EventStore,
    rules: RuleSet,
    warm: WarmRecords | None,
    beside: Callable[[int], Change] | None,
) -> tuple[ChildRecord, Decision, Sequence[Change]]:
    """The record, what is decided on it, and what is appended beside it.

    On a record at hand only an append is decided, for its expected version proves that the record was up to date. A
    refusal, or that there is nothing to do, is said only of a record that was just loaded.
    """
    record = None if warm is None else warm.get(child_id)
    if record is not None:
        with suppress(Refused):
            decision = decide(record, command, rules)
            if decision.events:
                return record, decision, ()
    record = model.fold(store.load(child_id))
    others = () if beside is None else (beside(record.version),)
    return record, decide(record, command, rules), others


def _after(record: ChildRecord, decision: Decision, appended: Appended) -> ChildRecord:
    """The record with the events that were just appended to it."""
    assert appended.recorded_at is not None  # noqa: S101 - something was appended
    recorded = [
        Recorded(
            log=Log.RECORD,
            position=position,
            recorded_at=appended.recorded_at,
            event_id=record.child_id,
            stream_id=record.child_id,
            version=record.version + number,
            content_key=content_key,
            event=event,
            metadata=HIDDEN,
        )
        for number, (position, content_key, event) in enumerate(
            # what is appended beside the record's events comes behind them
            zip(
                appended.positions[: len(decision.events)],
                decision.content_keys,
                decision.events,
                strict=True,
            ),
            1,
        )
    ]
    return reduce(model.evolve, recorded, record)


def change_of(child_id: UUID, version: int, decision: Decision) -> Change:
    """A decision as a change to a child's stream that stands at `version`."""
    pending = tuple(map(Pending, decision.events, decision.content_keys))
    return Change(child_id, StreamKind.CHILD, version, pending, decision.shielded)


def _tried(once: Callable[[], _Done]) -> _Done:
    """What an attempt gives; where another writer was first, the next loads and decides again. Eight at most."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(VersionConflict):
            return once()
    return once()


def merge_records(
    survivor_id: UUID,
    other_id: UUID,
    command: MergeRecords,
    *,
    store: EventStore,
    rules: RuleSet,
    metadata: Metadata,
    own_marks: Callable[[ChildRecord], frozenset[str]],
    idempotency_key: bytes,
    beside: Callable[[int, int], Change] | None = None,
) -> Appended:
    """Merge two records in one append; where another writer was first, load and decide again.

    own_marks: by what the sources of a record know the child. beside: see `carry_out`; given the survivor's version
    and the other's. Raises Refused, VersionConflict after eight attempts, Unavailable.
    """

    def once() -> Appended:
        survivor = model.fold(store.load(survivor_id))
        told = store.load(other_id)
        other = model.fold(told)
        marks = own_marks(survivor) | own_marks(other)
        others = () if beside is None else (beside(survivor.version, other.version),)
        merged = merging.merge(survivor, other, told.events, marks, command, rules)
        changes = (
            ()
            if merged.nothing
            else (
                change_of(other_id, other.version, merged.closed),
                change_of(survivor_id, survivor.version, merged.survivor),
            )
        )
        claimed = () if merged.nothing else (Reservation(closed_token(other_id), other_id),)
        return store.append(
            (*changes, *others),
            metadata,
            idempotency_key=idempotency_key,
            reservations=claimed,
            instant=command.at,
        )

    return _tried(once)


def split_record(
    child_id: UUID,
    command: SplitRecord,
    *,
    store: EventStore,
    rules: RuleSet,
    metadata: Metadata,
    own_marks: Callable[[ChildRecord], frozenset[str]],
    idempotency_key: bytes,
    beside: Callable[[int], Change] | None = None,
) -> datetime | None:
    """Undo the last merge of a record in one append. Gives since when the two were one; None where nothing is done.

    beside: see `carry_out`. Raises as `merge_records`.
    """

    def once() -> datetime | None:
        history = store.load(child_id)
        whole = model.fold(history)
        merge = splitting.last_merge(whole)
        merged = store.load(merge.other) if merge is not None else History(child_id, 0, ())
        marks = (frozenset[str](), frozenset[str]())
        if merge is not None:
            one, other = splitting.before_merge(history.events, merged.events, merge)
            marks = own_marks(one), own_marks(other)
        others = () if beside is None else (beside(whole.version),)
        done = splitting.split(whole, history.events, merged.events, marks, command, rules)
        changes = (
            ()
            if done.nothing
            else (
                change_of(merged.stream_id, merged.version, done.merged),
                change_of(child_id, whole.version, done.whole),
                change_of(command.first, 0, done.first),
                change_of(command.second, 0, done.second),
            )
        )
        store.append(
            (*changes, *others),
            metadata,
            idempotency_key=idempotency_key,
            reservations=() if done.nothing else (Reservation(closed_token(child_id), child_id),),
            instant=command.at,
        )
        if done.nothing or merge is None:
            return None
        return history.events[merge.at - 1].recorded_at

    return _tried(once)


def seal_record(
    child_id: UUID,
    command: SealRecord,
    *,
    store: EventStore,
    rules: RuleSet,
    metadata: Metadata,
    idempotency_key: bytes,
    beside: Callable[[int], Change] | None = None,
) -> ChildRecord | None:
    """Seal the record of an old identity. Gives it as it stood; None where nothing is done.

    beside: see `carry_out`. Raises as `merge_records`.
    """

    def once() -> ChildRecord | None:
        record = model.fold(store.load(child_id))
        others = () if beside is None else (beside(record.version),)
        decision = new_identity.seal(record, command, rules)
        changes = (change_of(child_id, record.version, decision),) if decision.events else ()
        store.append(
            (*changes, *others),
            metadata,
            idempotency_key=idempotency_key,
            reservations=(Reservation(closed_token(child_id), child_id),) if changes else (),
            instant=command.at,
        )
        return record if changes else None

    return _tried(once)


def register_new_identity(
    child_id: UUID,
    command: RegisterNewIdentity,
    *,
    store: EventStore,
    tokens: Tokens,
    rules: RuleSet,
    metadata: Metadata,
    idempotency_key: bytes,
) -> Appended:
    """Register the new identity; once, by the idempotency key.

    Raises Refused, AlreadyReserved where another record holds its NHS number.
    """
    decision = new_identity.register(model.unknown(child_id), command, rules)
    return store.append(
        (change_of(child_id, 0, decision),),
        metadata,
        idempotency_key=idempotency_key,
        reservations=claims(child_id, command, decision, tokens),
        instant=command.at,
    )


def note_wrong_views(
    child_id: UUID,
    split: UUID,
    accounts: Sequence[UUID],
    *,
    at: datetime,
    store: EventStore,
    metadata: Metadata,
) -> None:
    """Put on record, on the stream that was split, which accounts are to be told that they saw two children as one."""
    history = store.load(child_id)
    record = model.fold(history)
    noted = tuple(
        Pending(
            WrongViewNoted(split=split, source_kind=SourceKind.INDEX, accounts=tuple(some)),
            record.content_key,
        )
        for some in chunks(list(accounts), 10)
    )
    if noted:
        change = Change(child_id, StreamKind.CHILD, history.version, noted, shielded=True)
        store.append((change,), metadata, instant=at)


def closed_token(child_id: UUID) -> bytes:
    """The token that says that a record is closed: its random id, which says nothing."""
    return b"closed/" + child_id.bytes


def held_now(child_id: UUID, store: EventStore) -> UUID | None:
    """The record that this one leads to: itself, or the one it was closed into; None where it leads nowhere."""
    found: UUID | None = child_id
    while found is not None and store.find(closed_token(found)) is not None:
        found = model.fold(store.load(found)).closed_into
    return found


def holder_of(token: bytes, store: EventStore) -> UUID | None:
    """The record for which a reservation is held, also where it was made for one that is closed by now."""
    found = store.find(token)
    return None if found is None else held_now(found, store)


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
