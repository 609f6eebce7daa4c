"""A log in memory, for unit and property tests: the same outcomes as the recorder of PostgreSQL, under one lock."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from threading import RLock
from uuid import UUID

from adapters.rows import (
    Applied,
    Duplicate,
    Group,
    Head,
    Moved,
    Outcome,
    RecordedRow,
    Taken,
    appended,
    follows_on,
)
from domain.kernel import Log

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryRecorder:
    """See `adapters.rows.Recorder`.

    now: the clock of the log. training: honours `not_before`, as a training home does.
    """

    def __init__(self, log: Log, now: Callable[[], datetime], *, training: bool = True) -> None:
        self._log = log
        self._now = now
        self._training = training
        self._rows: list[RecordedRow] = []
        self._streams: dict[UUID, list[RecordedRow]] = {}
        self._keys: dict[bytes, tuple[RecordedRow | None, UUID | None]] = {}
        self._reserved: dict[bytes, UUID] = {}
        self._lock = RLock()

    @property
    def log(self) -> Log:
        return self._log

    def append(self, groups: Sequence[Group]) -> list[Outcome]:
        if not all(follows_on(group) for group in groups):
            raise ValueError("the events of a group do not follow on from their expected versions")
        with self._lock:
            given = (
                [group.not_before for group in groups if group.not_before is not None]
                if self._training
                else []
            )
            at = max([self.head().recorded_at or _BEGINNING, *(given or [self._now()])])
            return [self._apply(group, at) for group in groups]

    def append_bulk(self, groups: Iterable[Group]) -> int:
        done = 0
        for group in groups:
            appended(self.append([group])[0])
            done += len(group.rows)
        return done

    def tail(self, after: int, limit: int, upto: int | None = None) -> list[RecordedRow]:
        with self._lock:
            first = bisect_left(self._rows, after + 1, key=lambda row: row.position)
            return [row for row in self._rows[first : first + limit] if upto is None or row.position <= upto]

    def stream(self, stream_id: UUID, upto: int | None = None) -> list[RecordedRow]:
        with self._lock:
            return self._streams.get(stream_id, [])[: None if upto is None else max(upto, 0)]

    def streams(self, stream_ids: Iterable[UUID]) -> dict[UUID, list[RecordedRow]]:
        with self._lock:
            return {
                stream_id: list(self._streams[stream_id])
                for stream_id in stream_ids
                if stream_id in self._streams
            }

    def heads(self, stream_ids: Iterable[UUID]) -> dict[UUID, int]:
        with self._lock:
            return {
                stream_id: len(self._streams[stream_id])
                for stream_id in stream_ids
                if stream_id in self._streams
            }

    def head(self) -> Head:
        with self._lock:
            return Head(self._rows[-1].position, self._rows[-1].recorded_at) if self._rows else Head(0, None)

    def find(self, token: bytes) -> UUID | None:
        return self._reserved.get(token)

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        return {key for key in keys if key in self._keys}

    def forget_batch(self, batch: UUID) -> int:
        with self._lock:
            kept = {key: value for key, value in self._keys.items() if value[1] != batch}
            gone = len(self._keys) - len(kept)
            self._keys = kept
            return gone

    def touched_by(self, batch: UUID) -> list[UUID]:
        with self._lock:
            return sorted(
                {last.stream_id for last, own in self._keys.values() if own == batch and last is not None}
            )

    def batches(self) -> list[UUID]:
        with self._lock:
            return sorted({own for _, own in self._keys.values() if own is not None})

    def batches_of(self, keys: Sequence[bytes]) -> dict[bytes, UUID | None]:
        with self._lock:
            return {key: self._keys[key][1] for key in keys if key in self._keys}

    def keys_of(self, batch: UUID) -> list[tuple[bytes, UUID, int]]:
        with self._lock:
            return [
                (key, last.stream_id, last.version)
                for key, (last, own) in self._keys.items()
                if own == batch and last is not None
            ]

    def release(self, tokens: Sequence[bytes], holder: UUID) -> int:
        with self._lock:
            held = {token for token in tokens if self._reserved.get(token) == holder}
            for token in held:
                del self._reserved[token]
            return len(held)

    def _apply(self, group: Group, at: datetime) -> Outcome:
        if group.key is not None and group.key in self._keys:
            last = self._keys[group.key][0]
            if last is None:
                return Duplicate(None, None, None, None)
            return Duplicate(last.stream_id, last.version, last.position, last.recorded_at)
        for stream_id, version in group.expected:
            if len(self._streams.get(stream_id, [])) != version:
                return Moved(stream_id, len(self._streams.get(stream_id, [])))
        for token, _ in group.reservations:
            if token in self._reserved:
                return Taken(self._reserved[token])
        first = len(self._rows) + 1
        for position, row in enumerate(group.rows, start=first):
            recorded = RecordedRow(position, at, row.event_id, row.stream_id, row.version, *row[3:])
            self._rows.append(recorded)
            self._streams.setdefault(row.stream_id, []).append(recorded)
        if group.key is not None:
            self._keys[group.key] = (self._rows[-1] if group.rows else None, group.batch)
        for token, stream_id in group.reservations:
            self._reserved[token] = stream_id
        return Applied(range(first, first + len(group.rows)), at)
