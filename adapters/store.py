"""The event store: events are split into parts, encrypted under keys made beforehand, appended; and the way back.

Above the other adapters, because it joins two that do not know each other: whoever keeps rows and whoever keeps keys.
It takes both in memory or in PostgreSQL.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from adapters.key_rows import PERIOD_SUBJECT, KeyKind, KeyName, period_of
from adapters.keys.cipher import BLOCKS, RANDOM, Damage, Random
from adapters.keys.key_store import SYSTEM_KEY, KeyStore, Ready, Wanted
from adapters.keys.opening import OneAccess, Opener, Reveal, Right
from adapters.keys.parts import Parts
from adapters.keys.sealing import Append, Sealing, Tools, Written, keys_of
from adapters.rows import Applied, Group, Moved, Outcome, RecordedRow, Recorder, appended
from domain.errors import AlreadyReserved, DamagedStream, VersionConflict
from domain.kernel import Appended, Change, History, Metadata, Reservation, StreamKind
from domain.ports import Clock, Ids
from ingest.ports import Unit
from projections.projection import EVERYTHING, Depth, Reads

__all__ = ["Append", "EncryptedEventStore", "OneAccess", "Reveal", "Right"]

_RECORDS: Final = Reads(Depth.EVENTS)


class _Needed(NamedTuple):
    """The keys that some changes need: of new streams, and of what is there already."""

    now: datetime
    fresh: list[Wanted]
    known: dict[KeyName, Wanted]


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
        self._tools = Tools(recorder.log, BLOCKS[recorder.log], ids.new, random)
        self.damaged: set[UUID] = set()
        """Streams that were asked for and could not be opened."""

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

    def load_many(self, stream_ids: Iterable[UUID], reads: Reads = EVERYTHING) -> dict[UUID, History]:
        """See domain.ports.EventStore. Streams that do not exist are left out. `reads`: how far they are opened."""
        streams = self._recorder.streams(stream_ids)
        opener = self._opener(list(streams.values()), reads)
        found: dict[UUID, History] = {}
        for stream_id, own in streams.items():
            try:
                found[stream_id] = opener.history(stream_id, own, None)
            except (Damage, DamagedStream):
                self.damaged.add(stream_id)
            else:
                self.damaged.discard(stream_id)
        return found

    def records(self, child_ids: Iterable[UUID]) -> dict[UUID, History]:
        """See ingest.ports.LoadStore."""
        return self.load_many(child_ids, _RECORDS)

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

    def _opener(self, streams: Sequence[Sequence[RecordedRow]], reads: Reads = EVERYTHING) -> Opener:
        return Opener.of(self._recorder.log, self._keys, self._parts, self._right, streams, reads)

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
        written = self._written(changes)
        sealing = self._ready([(wish, written)])
        return self._settled(wish, sealing, self._commit(sealing.group(wish, written)))

    def append_all(self, wishes: Sequence[Append]) -> list[Outcome]:
        """Several commands in one transaction; each is applied whole or not at all, and none fails another.

        For loads: keys of all of them are made together, too.
        """
        asked = [(wish, self._written(wish.changes)) for wish in wishes]
        sealing = self._ready(asked)
        outcomes = self._recorder.append([sealing.group(wish, written) for wish, written in asked])
        for wish, outcome in zip(wishes, outcomes, strict=True):
            self._after(wish, sealing, outcome)
        return outcomes

    def append_units(
        self, units: Sequence[Unit], metadata: Metadata, *, batch: UUID | None, instant: datetime
    ) -> list[Appended | VersionConflict | AlreadyReserved]:
        """See ingest.ports.LoadStore."""
        wishes = [
            Append(unit.changes, metadata, unit.idempotency_key, unit.reservations, batch, instant)
            for unit in units
        ]
        found: list[Appended | VersionConflict | AlreadyReserved] = []
        for outcome in self.append_all(wishes):
            try:
                found.append(appended(outcome))
            except (VersionConflict, AlreadyReserved) as refused:
                found.append(refused)
        return found

    def touched_by(self, batch: UUID) -> tuple[UUID, ...]:
        """See ingest.ports.LoadStore."""
        return tuple(self._recorder.touched_by(batch))

    def batches(self) -> list[UUID]:
        """See ingest.ports.LoadStore."""
        return self._recorder.batches()

    def batches_of(self, idempotency_keys: Sequence[bytes]) -> dict[bytes, UUID | None]:
        """See ingest.ports.LoadStore."""
        return self._recorder.batches_of(idempotency_keys)

    def keys_of(self, batch: UUID) -> list[tuple[bytes, UUID, int]]:
        """See ingest.ports.LoadStore."""
        return self._recorder.keys_of(batch)

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
        return self._recorder.append_bulk(self._bulk_groups(changes, metadata, instant, chunk))

    def is_shielded(self, child_id: UUID) -> bool:
        """Whether the log says so, now. Raises DamagedStream."""
        rows = self._recorder.stream(child_id)
        try:
            return self._opener([rows]).is_shielded(child_id, rows)
        except Damage:
            raise DamagedStream(child_id) from None

    def apply_shield(self, child_id: UUID) -> bool:
        """Bring a child's content keys under its shield, if the log says it has one. Returns whether. Idempotent.

        `restore` does this for every child that the restored log says is shielded, before anything is served. Raises
        DamagedStream where the log cannot say.
        """
        hidden = self.is_shielded(child_id)
        if hidden:
            self._keys.move_in(child_id)
        return hidden

    def _bulk_groups(
        self, changes: Iterable[Change], metadata: Metadata, instant: datetime | None, chunk: int
    ) -> Iterator[Group]:
        """Groups of about `chunk` events, the keys of each committed before it is handed on."""
        wish = Append((), metadata, instant=instant)
        with ThreadPoolExecutor(1, thread_name_prefix="append-keys") as keeper:
            for written in self._chunks(changes, chunk):
                needed = self._needed([(wish, written)])
                drawn = self._keys.drawn(needed.fresh)
                committing = keeper.submit(self._keys.make, needed.fresh, drawn)
                # While the disk has the keys; where one was there already it is done again.
                there = self._there(needed)
                group = self._sealing(needed, Ready(drawn), there).group(wish, written)
                made = committing.result()
                yield self._sealing(needed, made, there).group(wish, written) if made.found else group

    def _chunks(self, changes: Iterable[Change], chunk: int) -> Iterator[list[Written]]:
        pending: list[Written] = []
        events = 0
        for change in changes:
            # At once, while what it holds is still in the processor's caches; then it is let go of.
            pending.append(Written.of(change, self._parts.split))
            events += len(change.events)
            if events >= chunk:
                yield pending
                pending, events = [], 0
        if pending:
            yield pending

    def _written(self, changes: Sequence[Change]) -> list[Written]:
        return [Written.of(change, self._parts.split) for change in changes]

    def _ready(self, asked: Sequence[tuple[Append, Sequence[Written]]]) -> Sealing:
        """What makes the rows of these changes, their keys committed."""
        needed = self._needed(asked)
        made = self._keys.make(needed.fresh) if needed.fresh else Ready({})
        return self._sealing(needed, made, self._there(needed))

    def _needed(self, asked: Sequence[tuple[Append, Sequence[Written]]]) -> _Needed:
        needed = _Needed(self._clock.now(), [], {})
        for wish, changes in asked:
            for change in changes:
                if change.expected_version == 0:
                    needed.fresh.extend(keys_of(change))
                else:
                    needed.known.update((each.name, each) for each in keys_of(change))
                if change.kind != StreamKind.CHILD:
                    month = KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period_of(wish.instant or needed.now))
                    needed.known[month] = Wanted(month)
                    needed.known.update((name, Wanted(name, may_make=False)) for name in change.shown)
                if change.kind == StreamKind.SYSTEM:
                    needed.known[SYSTEM_KEY] = Wanted(SYSTEM_KEY)
        return needed

    def _there(self, needed: _Needed) -> Ready:
        """The keys of what is there already, committed."""
        return (
            self._keys.ensure(list(needed.known.values()), self._highest_used) if needed.known else Ready({})
        )

    def _sealing(self, needed: _Needed, made: Ready, there: Ready) -> Sealing:
        return Sealing(self._tools, made.keys | there.keys, needed.now, made.found, there.moved)

    def _highest_used(self, child_id: UUID) -> int:
        rows = self._recorder.stream(child_id)
        try:
            return max((key for key in self._opener([rows]).content_keys(child_id, rows)), default=0)
        except Damage:
            raise DamagedStream(child_id) from None

    def _settled(self, wish: Append, sealing: Sealing, outcome: Outcome) -> Appended:
        self._after(wish, sealing, outcome)
        return appended(outcome)

    def _after(self, wish: Append, sealing: Sealing, outcome: Outcome) -> None:
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
