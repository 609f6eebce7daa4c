"""The event store: events are split into parts, encrypted under keys made beforehand, appended; and the way back.

Above the other adapters, because it joins two that do not know each other: whoever keeps rows and whoever keeps keys.
It takes both in memory or in PostgreSQL.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from adapters.key_rows import PERIOD_SUBJECT, KeyKind, KeyName, period_of
from adapters.keys.cipher import BLOCKS, RANDOM, Damage, Random
from adapters.keys.key_store import KeyStore, Wanted
from adapters.keys.opening import OneAccess, Opener, Reveal, Right
from adapters.keys.parts import Parts
from adapters.keys.sealing import SYSTEM, Append, Sealing, Tools, keys_of, shown_in
from adapters.rows import Applied, Group, Moved, Outcome, RecordedRow, Recorder, appended
from domain.errors import AlreadyReserved, DamagedStream, VersionConflict
from domain.kernel import Appended, Change, History, Metadata, Reservation, StreamKind
from domain.ports import Clock, Ids
from ingest.ports import Unit
from projections.projection import EVERYTHING, Depth, Reads

__all__ = ["Append", "EncryptedEventStore", "OneAccess", "Reveal", "Right"]

_RECORDS: Final = Reads(Depth.EVENTS)


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
        self._tools = Tools(recorder.log, BLOCKS[recorder.log], parts.split, ids.new, random)
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
        pending: list[Change] = []
        events = 0
        for change in changes:
            pending.append(change)
            events += len(change.events)
            if events >= chunk:
                yield self._sealed_now(pending, metadata, instant)
                pending, events = [], 0
        if pending:
            yield self._sealed_now(pending, metadata, instant)

    def _sealed_now(self, changes: Sequence[Change], metadata: Metadata, instant: datetime | None) -> Group:
        wish = Append(changes, metadata, instant=instant)
        return self._sealing([wish]).group(wish)

    def _sealing(self, wishes: Sequence[Append]) -> Sealing:
        now = self._clock.now()
        fresh: dict[KeyName, Wanted] = {}
        known: dict[KeyName, Wanted] = {}
        for wish in wishes:
            for change in wish.changes:
                new = fresh if change.expected_version == 0 else known
                for wanted in keys_of(change):
                    new[wanted.name] = wanted
                if change.kind != StreamKind.CHILD:
                    name = KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period_of(wish.instant or now))
                    known[name] = Wanted(name)
                    known.update((name, Wanted(name, may_make=False)) for name in shown_in(change))
        made = self._keys.make(list(fresh.values())) if fresh else None
        ready = self._keys.ensure(list(known.values()), self._highest_used) if known else None
        keys = (made.keys if made else {}) | (ready.keys if ready else {})
        if any(change.kind == StreamKind.SYSTEM for wish in wishes for change in wish.changes):
            keys[SYSTEM] = self._keys.system()
        return Sealing(
            self._tools, keys, now, made.found if made else (), ready.moved if ready else frozenset()
        )

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
