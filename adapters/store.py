"""The event store: events are split into parts, encrypted under keys made beforehand, appended; and the way back.

Above the other adapters, because it joins two that do not know each other: whoever keeps rows and whoever keeps keys.
It takes both in memory or in PostgreSQL.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.key_rows import PERIOD_SUBJECT, KeyKind, KeyName, period_of
from adapters.keys.cipher import BLOCKS, FORMAT, RANDOM, Damage, Random, access_key, place, seal, unseal
from adapters.keys.key_store import BROKEN, KeyState, KeyStore, SubjectKeys, Wanted
from adapters.keys.parts import (
    Fields,
    Parts,
    Texts,
    metadata_text,
    read_metadata,
    read_text,
    subjects_of,
    with_fields,
)
from adapters.rows import Applied, Group, Moved, Outcome, RecordedRow, Recorder, StoredRow, appended
from domain.errors import DamagedStream
from domain.kernel import (
    Appended,
    Change,
    Event,
    ForgottenEvent,
    History,
    Log,
    Metadata,
    Recorded,
    Reservation,
    StreamKind,
)
from domain.personal_data import HIDDEN, Forgotten, Hidden, Part
from domain.policy.shielding import SHIELD_EVENTS, shielded
from domain.ports import Clock, Ids

_IDENTITY, _CONTENT, _METADATA = int(Part.IDENTITY), int(Part.CONTENT), int(Part.METADATA)


class Reveal(Enum):
    """How much of a shielded record a store may open: nothing of its content (serving), or all (the writer)."""

    NOTHING = "nothing"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class OneAccess:
    """The right of a manager, an override or a two-person replay: one record's content, for one access."""

    access_id: UUID


Right: TypeAlias = Reveal | OneAccess


@dataclass(frozen=True, slots=True)
class Append:
    """What one command appends, as `EventStore.append` takes it."""

    changes: Sequence[Change]
    metadata: Metadata
    idempotency_key: bytes | None = None
    reservations: Sequence[Reservation] = ()
    batch: UUID | None = None
    instant: datetime | None = None


class EncryptedEventStore:
    """One log. Implements domain.ports.EventStore. Safe to share between threads.

    commit: appends one group; by default straight to the log. right: what may be opened of shielded records.
    """

    def __init__(
        self,
        recorder: Recorder,
        keys: KeyStore,
        parts: Parts,
        ids: Ids,
        clock: Clock,
        *,
        commit: Callable[[Group], Outcome] | None = None,
        right: Right = Reveal.NOTHING,
        random: Random = RANDOM,
    ) -> None:
        self._recorder = recorder
        self._keys = keys
        self._parts = parts
        self._ids = ids
        self._clock = clock
        self._commit = commit or (lambda group: recorder.append([group])[0])
        self._right = right
        self._random = random
        self._tools = _Tools(recorder.log, BLOCKS[recorder.log], parts.split, ids.new, random)
        self.damaged: set[UUID] = set()
        """Streams that were asked for and could not be opened."""

    def limited_to(self, right: Right) -> "EncryptedEventStore":
        """The same store with another right. That a role has the right is for the databases to decide."""
        return EncryptedEventStore(
            self._recorder,
            self._keys,
            self._parts,
            self._ids,
            self._clock,
            commit=self._commit,
            right=right,
            random=self._random,
        )

    # Reading

    def load(self, stream_id: UUID, upto: int | None = None) -> History:
        """See domain.ports.EventStore. `version` is the stream's, also where `upto` cuts its events short."""
        rows = self._recorder.stream(stream_id)
        if not rows:
            return History(stream_id, 0, ())
        try:
            return self._opener([rows]).history(stream_id, rows, upto)
        except Damage:
            self.damaged.add(stream_id)
            raise DamagedStream(stream_id) from None

    def load_many(self, stream_ids: Iterable[UUID]) -> dict[UUID, History]:
        """See domain.ports.EventStore. Streams that do not exist are left out."""
        streams = self._recorder.streams(stream_ids)
        opener = self._opener(list(streams.values()))
        found: dict[UUID, History] = {}
        for stream_id, own in streams.items():
            try:
                found[stream_id] = opener.history(stream_id, own, None)
            except (Damage, DamagedStream):
                self.damaged.add(stream_id)
            else:
                self.damaged.discard(stream_id)
        return found

    def heads(self, stream_ids: Iterable[UUID]) -> dict[UUID, int]:
        """See domain.ports.EventStore."""
        return self._recorder.heads(stream_ids)

    def find(self, token: bytes) -> UUID | None:
        """See domain.ports.EventStore."""
        return self._recorder.find(token)

    def known(self, idempotency_keys: Sequence[bytes]) -> set[bytes]:
        """See domain.ports.EventStore."""
        return self._recorder.known(idempotency_keys)

    def forget_batch(self, batch: UUID) -> None:
        """See domain.ports.EventStore."""
        self._recorder.forget_batch(batch)

    def _opener(self, streams: Sequence[Sequence[RecordedRow]]) -> "_Opener":
        return _Opener(self._recorder.log, self._keys, self._parts, self._right, streams)

    # Appending

    def append(
        self,
        changes: Sequence[Change],
        metadata: Metadata,
        *,
        idempotency_key: bytes | None = None,
        reservations: Sequence[Reservation] = (),
        batch: UUID | None = None,
        instant: datetime | None = None,
    ) -> Appended:
        """See domain.ports.EventStore. Raises DamagedStream where a key that should be there is not."""
        wish = Append(changes, metadata, idempotency_key, reservations, batch, instant)
        sealing = self._sealing([wish])
        return self._settled(wish, sealing, self._commit(sealing.group(wish)))

    def append_all(self, wishes: Sequence[Append]) -> list[Outcome]:
        """Several commands in one transaction; each is applied whole or not at all, and none fails another.

        For loads: keys of all of them are made together, too.
        """
        sealing = self._sealing(wishes)
        outcomes = self._recorder.append([sealing.group(wish) for wish in wishes])
        for wish, outcome in zip(wishes, outcomes, strict=True):
            self._after(wish, sealing, outcome)
        return outcomes

    def append_many_new(
        self,
        changes: Iterable[Change],
        metadata: Metadata,
        *,
        instant: datetime | None = None,
        chunk: int = 2000,
    ) -> int:
        """New streams in bulk, in transactions of about `chunk` events. Returns the number of events.

        The keys of each chunk are committed before its events. What was committed stays if a later chunk fails.
        """
        return self._recorder.append_bulk(self._bulk_rows(changes, metadata, instant, chunk), chunk)

    def is_shielded(self, child_id: UUID) -> bool:
        """Whether the log says so, now. Raises DamagedStream."""
        rows = self._recorder.stream(child_id)
        try:
            return self._opener([rows]).is_shielded(child_id, rows)
        except Damage:
            raise DamagedStream(child_id) from None

    def apply_shield(self, child_id: UUID) -> bool:
        """Bring a child's content keys under its shield, if the log says it has one. Returns whether. Idempotent.

        After a restore this is done for every child before anything starts.
        """
        hidden = self.is_shielded(child_id)
        if hidden:
            self._keys.move_in(child_id)
        return hidden

    def _bulk_rows(
        self, changes: Iterable[Change], metadata: Metadata, instant: datetime | None, chunk: int
    ) -> Iterator[StoredRow]:
        pending: list[Change] = []
        events = 0
        for change in changes:
            pending.append(change)
            events += len(change.events)
            if events >= chunk:
                yield from self._sealed_now(pending, metadata, instant)
                pending, events = [], 0
        if pending:
            yield from self._sealed_now(pending, metadata, instant)

    def _sealed_now(
        self, changes: Sequence[Change], metadata: Metadata, instant: datetime | None
    ) -> Sequence[StoredRow]:
        wish = Append(changes, metadata, instant=instant)
        return self._sealing([wish]).group(wish).rows

    def _sealing(self, wishes: Sequence[Append]) -> "_Sealing":
        now = self._clock.now()
        fresh: dict[KeyName, Wanted] = {}
        known: dict[KeyName, Wanted] = {}
        for wish in wishes:
            for change in wish.changes:
                new = fresh if change.expected_version == 0 else known
                new.update((wanted.name, wanted) for wanted in _keys_of(change))
                if change.kind != StreamKind.CHILD:
                    name = KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period_of(wish.instant or now))
                    known[name] = Wanted(name)
                known.update((name, Wanted(name, may_make=False)) for name in _shown_in(change))
        made = self._keys.make(list(fresh.values())) if fresh else None
        ready = self._keys.ensure(list(known.values()), self._highest_used) if known else None
        keys = (made.keys if made else {}) | (ready.keys if ready else {})
        if any(change.kind == StreamKind.SYSTEM for wish in wishes for change in wish.changes):
            keys[_SYSTEM] = self._keys.system()
        return _Sealing(
            self._tools, keys, now, made.found if made else (), ready.moved if ready else frozenset()
        )

    def _highest_used(self, child_id: UUID) -> int:
        rows = self._recorder.stream(child_id)
        try:
            return max((key for key in self._opener([rows]).content_keys(child_id, rows)), default=0)
        except Damage:
            raise DamagedStream(child_id) from None

    def _settled(self, wish: Append, sealing: "_Sealing", outcome: Outcome) -> Appended:
        self._after(wish, sealing, outcome)
        return appended(outcome)

    def _after(self, wish: Append, sealing: "_Sealing", outcome: Outcome) -> None:
        """What was done to keys for an append that was then refused is put right; keys that a sweep may have been
        removing at the same moment, because an attempt that died had left them, are put back."""
        for change in wish.changes:
            if isinstance(outcome, Moved) and change.stream_id in sealing.moved:
                if not self.apply_shield(change.stream_id):
                    self._keys.move_out(change.stream_id)
            elif isinstance(outcome, Applied) and change.expected_version == 0:
                found = [name for name in sealing.found if name.subject == change.stream_id]
                if found:
                    self._keys.put_back(
                        {name: sealing.keys[name] for name in found}, shielded=change.shielded
                    )


_SYSTEM: Final = KeyName(PERIOD_SUBJECT, KeyKind.SYSTEM, 0)
"""Where `_Sealing` keeps the system key; not a stored name."""


class _Tools(NamedTuple):
    """What every row is made with."""

    log: Log
    block: int
    split: Callable[[Event, int], Texts]
    new_id: Callable[[], UUID]
    random: Random


class _Sealing:
    """Makes the rows of appends whose keys are ready."""

    def __init__(
        self,
        seal_with: "_Tools",
        keys: dict[KeyName, bytes],
        now: datetime,
        found: Sequence[KeyName],
        moved: frozenset[UUID],
    ) -> None:
        self.keys = keys
        self.found = found
        self.moved = moved
        self._now = now
        self._tools = seal_with
        self._common: dict[KeyName, AESGCM] = {}

    def group(self, wish: Append) -> Group:
        """The rows of one command."""
        text = metadata_text(wish.metadata)
        period = period_of(wish.instant or self._now)
        rows: list[StoredRow] = []
        for change in wish.changes:
            rows += self._rows(change, text, period)
        return Group(
            rows,
            [(change.stream_id, change.expected_version) for change in wish.changes],
            wish.idempotency_key,
            wish.batch,
            [(reservation.token, reservation.stream_id) for reservation in wish.reservations],
            wish.instant,
        )

    def _rows(self, change: Change, metadata: bytes, period: int) -> list[StoredRow]:
        log, block, split, new_id, random = self._tools
        stream = change.stream_id
        identity, contents, beside = self._objects(change, period)
        rows: list[StoredRow] = []
        for version, pending in enumerate(change.events, start=change.expected_version + 1):
            texts = split(pending.event, pending.content_key)
            event_id = new_id()
            where = place(FORMAT, log, stream, version, event_id)
            nonces = random(36)
            content = contents[pending.content_key]
            rows.append(
                StoredRow(
                    stream,
                    version,
                    event_id,
                    FORMAT,
                    period,
                    seal(identity, texts.identity, where, _IDENTITY, block, nonces[:12]),
                    seal(content, texts.content, where, _CONTENT, block, nonces[12:24]),
                    seal(
                        beside or content,
                        metadata if texts.metadata is None else with_fields(metadata, texts.metadata),
                        where,
                        _METADATA,
                        block,
                        nonces[24:],
                    ),
                )
            )
        return rows

    def _objects(self, change: Change, period: int) -> tuple[AESGCM, dict[int, AESGCM], AESGCM | None]:
        """The keys of one change: identity, content by number, metadata (None: as the content)."""
        keys, stream = self.keys, change.stream_id
        if change.kind == StreamKind.CHILD:
            numbers = {pending.content_key for pending in change.events}
            identity = AESGCM(keys[KeyName(stream, KeyKind.IDENTITY, 0)])
            return identity, {n: AESGCM(keys[KeyName(stream, KeyKind.CONTENT, n)]) for n in numbers}, None
        month = self._object(KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period))
        match change.kind:
            case StreamKind.STAFF:
                own = AESGCM(keys[KeyName(stream, KeyKind.STAFF, 0)])
                return own, {0: own}, month
            case StreamKind.SYSTEM:
                own = self._object(_SYSTEM)
                return own, {0: own}, month
            case StreamKind.ACCESS:
                raw = keys[KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period)]
                hits = tuple(keys[name] for name in _shown_in(change))
                return AESGCM(access_key(raw, hits, stream)), {0: month}, month

    def _object(self, name: KeyName) -> AESGCM:
        found = self._common.get(name)
        if found is None:
            found = self._common[name] = AESGCM(self.keys[name])
        return found


def _keys_of(change: Change) -> Iterator[Wanted]:
    """The keys of its own that a change needs. Raises ValueError for a child's event without a content key."""
    match change.kind:
        case StreamKind.CHILD:
            new = change.expected_version == 0
            yield Wanted(KeyName(change.stream_id, KeyKind.IDENTITY, 0), may_make=new)
            for number in {pending.content_key for pending in change.events}:
                if number < 1:
                    raise ValueError("an event of a child needs the number of a content key, from 1")
                yield Wanted(KeyName(change.stream_id, KeyKind.CONTENT, number), change.shielded)
        case StreamKind.STAFF:
            yield Wanted(KeyName(change.stream_id, KeyKind.STAFF, 0), may_make=change.expected_version == 0)
        case StreamKind.SYSTEM | StreamKind.ACCESS:
            pass


def _shown_in(change: Change) -> tuple[KeyName, ...]:
    """The identity keys of the children that an access shows, in order."""
    if change.kind != StreamKind.ACCESS:
        return ()
    if len(change.events) != 1 or change.expected_version != 0:
        raise ValueError("each access is a stream of its own with one event")
    hits = getattr(change.events[0].event, "hits", ())
    return tuple(KeyName(hit.stream, KeyKind.IDENTITY, 0) for hit in hits)


class _Opener:
    """Opens the rows of some streams, their keys fetched together."""

    def __init__(
        self, log: Log, keys: KeyStore, parts: Parts, right: Right, streams: Sequence[Sequence[RecordedRow]]
    ) -> None:
        self._log = log
        self._key_store = keys
        self._parts = parts
        self._right = right
        self._ciphers: dict[bytes, AESGCM] = {}
        own = [rows[0].stream_id for rows in streams if rows] if log == Log.RECORD else []
        self._keys = keys.open(own)
        if right is Reveal.EVERYTHING:
            self._keys = keys.reveal(self._keys)

    def history(self, stream_id: UUID, rows: Sequence[RecordedRow], upto: int | None) -> History:
        """One stream. Raises Damage, DamagedStream."""
        if [row.version for row in rows] != list(range(1, len(rows) + 1)):
            raise Damage
        if self._log == Log.ACCESS:
            events = [self._access(row) for row in rows]
        elif self._is_child(stream_id):
            events = self._child(stream_id, rows, len(rows) if upto is None else upto)
        else:
            events = [self._other(stream_id, row) for row in rows]
        return History(stream_id, len(rows), tuple(events[:upto]))

    def is_shielded(self, child_id: UUID, rows: Sequence[RecordedRow]) -> bool:
        """Whether the log says so. A destroyed child is not."""
        identity = self._state(child_id, KeyKind.IDENTITY)
        if isinstance(identity, Forgotten):
            return False
        return self._shielded([self._identity(identity, row) for row in rows])

    def content_keys(self, child_id: UUID, rows: Sequence[RecordedRow]) -> set[int]:
        """The numbers of the content keys that events use."""
        identity = self._state(child_id, KeyKind.IDENTITY)
        if isinstance(identity, Forgotten):
            return set()
        return {_number(self._identity(identity, row)) for row in rows}

    # A child's stream

    def _is_child(self, stream_id: UUID) -> bool:
        return stream_id in self._keys and not self._keys[stream_id].has(KeyKind.STAFF)

    def _child(self, stream_id: UUID, rows: Sequence[RecordedRow], upto: int) -> list[Recorded]:
        identity = self._state(stream_id, KeyKind.IDENTITY)
        if isinstance(identity, Forgotten):
            gone = ForgottenEvent(certificate=identity.certificate)
            return [self._recorded(row, 0, gone, identity) for row in rows]
        identities = [self._identity(identity, row) for row in rows]
        hidden = self._shielded(identities) and self._right is Reveal.NOTHING
        if isinstance(self._right, OneAccess) and self._shielded(identities):
            self._keys[stream_id] = self._key_store.open_for_access(
                stream_id, self._right.access_id, self._keys[stream_id]
            )
        return [
            self._child_event(row, fields, hidden=hidden)
            for row, fields in zip(rows[:upto], identities, strict=False)
        ]

    def _child_event(self, row: RecordedRow, identity: Fields, *, hidden: bool) -> Recorded:
        number = _number(identity)
        state = self._state(row.stream_id, KeyKind.CONTENT, number)
        if hidden:
            state = HIDDEN
        if isinstance(state, Forgotten | Hidden):
            return self._recorded(row, number, self._parts.event(identity, state), state)
        content = read_text(self._unsealed(state, row, _CONTENT))
        metadata, beside = read_metadata(read_text(self._unsealed(state, row, _METADATA)))
        return self._recorded(row, number, self._parts.event(identity, content, beside), metadata)

    def _identity(self, state: KeyState, row: RecordedRow) -> Fields:
        return read_text(self._unsealed(state, row, _IDENTITY))

    def _shielded(self, identities: Sequence[Fields]) -> bool:
        """Folds the shields of the whole stream; names are compared before any event is built."""
        return shielded(
            self._parts.event(fields, HIDDEN) for fields in identities if fields.get("e") in SHIELD_EVENTS
        )

    # Other streams

    def _other(self, stream_id: UUID, row: RecordedRow) -> Recorded:
        metadata, beside = self._metadata(row)
        staff = stream_id in self._keys
        own = self._state(stream_id, KeyKind.STAFF) if staff else self._key_store.system()
        if isinstance(own, Forgotten):
            return self._recorded(row, 0, self._parts.forgotten(own), metadata)
        identity = read_text(self._unsealed(own, row, _IDENTITY))
        content = read_text(self._unsealed(own, row, _CONTENT))
        return self._recorded(row, 0, self._parts.event(identity, content, beside), metadata)

    def _access(self, row: RecordedRow) -> Recorded:
        month = self._period(row)
        metadata, beside = self._metadata(row)
        if isinstance(month, Forgotten):
            return self._recorded(row, 0, self._parts.forgotten(month), metadata)
        if not isinstance(month, bytes):
            raise Damage
        read_text(self._unsealed(month, row, _CONTENT))
        shown: list[bytes] = []
        for child_id in subjects_of(beside):
            identity = self._key_store.identity(child_id)
            if isinstance(identity, Forgotten):
                return self._recorded(row, 0, self._parts.forgotten(identity, beside), metadata)
            shown.append(identity)
        own = access_key(month, tuple(shown), row.stream_id)
        fields = read_text(self._unsealed(own, row, _IDENTITY))
        return self._recorded(row, 0, self._parts.event(fields, {}, beside), metadata)

    def _metadata(self, row: RecordedRow) -> tuple[Metadata | Forgotten, Fields]:
        month = self._period(row)
        if isinstance(month, Forgotten):
            return month, {}
        return read_metadata(read_text(self._unsealed(month, row, _METADATA)))

    def _period(self, row: RecordedRow) -> KeyState:
        if PERIOD_SUBJECT not in self._keys:
            self._keys |= self._key_store.open([PERIOD_SUBJECT])
        return self._state(PERIOD_SUBJECT, KeyKind.PERIOD, row.period)

    # Common

    def _state(self, subject: UUID, kind: int, number: int = 0) -> KeyState:
        """How a key stands. Raises Damage where it is missing or broken."""
        state = self._look_up(subject, kind, number)
        if state is None:  # made by somebody else since we remembered this subject's keys
            self._keys |= self._fresh([subject])
            state = self._look_up(subject, kind, number)
        if state is None or state == BROKEN:
            raise Damage
        return state

    def _look_up(self, subject: UUID, kind: int, number: int) -> KeyState | None:
        keys = self._keys.get(subject)
        return keys.get(kind, number) if keys else None

    def _fresh(self, subjects: Sequence[UUID]) -> dict[UUID, SubjectKeys]:
        keys = self._key_store.open(subjects, fresh=True)
        return self._key_store.reveal(keys) if self._right is Reveal.EVERYTHING else keys

    def _unsealed(self, state: KeyState, row: RecordedRow, part: int) -> bytes:
        if not isinstance(state, bytes) or row.format != FORMAT:
            raise Damage
        cipher = self._ciphers.get(state)
        if cipher is None:
            cipher = self._ciphers[state] = AESGCM(state)
        where = place(row.format, self._log, row.stream_id, row.version, row.event_id)
        stored = (row.identity, row.content, row.metadata)[part - 1]
        return unseal(cipher, stored, where, part)

    def _recorded(
        self, row: RecordedRow, number: int, event: Event, metadata: Metadata | Forgotten | Hidden
    ) -> Recorded:
        return Recorded(
            self._log,
            row.position,
            row.recorded_at,
            row.event_id,
            row.stream_id,
            row.version,
            number,
            event,
            metadata,
        )


def _number(identity: Fields) -> int:
    number = identity.get("k")
    if not isinstance(number, int):
        raise Damage
    return number
