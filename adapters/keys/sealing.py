"""Makes the rows of an append, once its keys are committed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.key_rows import PERIOD_SUBJECT, KeyKind, KeyName, period_of
from adapters.keys.cipher import FORMAT, NONCE_BYTES, Random, access_key, begin_place, padded, seal_event
from adapters.keys.key_store import SYSTEM_KEY, Wanted
from adapters.keys.parts import Texts, metadata_text, with_fields
from adapters.rows import Group, StoredRow
from domain.kernel import Change, Event, Log, Metadata, Reservation, StreamKind

_NONCES: Final = 3 * NONCE_BYTES
_new: Final = tuple.__new__  # a named tuple's own takes twice as long
_IDENTITY_KEY, _CONTENT_KEY = KeyKind.IDENTITY, KeyKind.CONTENT  # looked up for every child of a load


@dataclass(frozen=True, slots=True)
class Append:
    """What one command appends, as `EventStore.append` takes it."""

    changes: Sequence[Change]
    metadata: Metadata
    idempotency_key: bytes | None = None
    reservations: Sequence[Reservation] = ()
    batch: UUID | None = None
    instant: datetime | None = None


class Written(NamedTuple):
    """A change with its events written out, each beside the number of its content key: they are needed no longer.

    shown: the identity keys of the children that an access shows, in order.
    """

    stream_id: UUID
    kind: StreamKind
    expected_version: int
    events: Sequence[tuple[int, Texts]]
    shielded: bool
    shown: tuple[KeyName, ...] = ()

    def __repr__(self) -> str:
        return f"Written({self.stream_id}, {self.expected_version})"

    @classmethod
    def of(cls, change: Change, split: Callable[[Event, int], Texts]) -> "Written":
        """The change. Raises ValueError for an access that is not alone in its stream, TypeError as `Parts.split`."""
        stream, kind, version, pending, shielded = change
        texts = [(number, split(event, number)) for event, number in pending]
        return cls(stream, kind, version, texts, shielded, shown_in(change))


class Tools(NamedTuple):
    """What every row is made with."""

    log: Log
    block: int
    new_id: Callable[[], UUID]
    random: Random


class Sealing:
    """Makes the rows of appends whose keys are ready."""

    def __init__(
        self,
        seal_with: Tools,
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

    def group(self, wish: Append, changes: Sequence[Written]) -> Group:
        """The rows of one command. `changes`: those of the wish."""
        text = metadata_text(wish.metadata)
        plain = padded(text, self._tools.block)
        period = period_of(wish.instant or self._now)
        rows: list[StoredRow] = []
        for change in changes:
            rows += self._rows(change, text, plain, period)
        return Group(
            rows,
            [(change.stream_id, change.expected_version) for change in changes],
            wish.idempotency_key,
            wish.batch,
            [(reservation.token, reservation.stream_id) for reservation in wish.reservations],
            wish.instant,
        )

    def _rows(self, change: Written, metadata: bytes, metadata_plain: bytes, period: int) -> list[StoredRow]:
        log, block, new_id, random = self._tools
        stream, version, events = change.stream_id, change.expected_version, change.events
        keys = self._objects(change, period)
        begun = begin_place(FORMAT, log, stream)
        # A call for each nonce would cost as much as the sealing.
        entropy, at = random(_NONCES * len(events)), 0
        rows: list[StoredRow] = []
        for number, (identity, content, own) in events:
            version += 1
            event_id = new_id()
            parts = seal_event(
                keys[number],
                (
                    padded(identity, block),
                    padded(content, block),
                    metadata_plain if own is None else padded(with_fields(metadata, own), block),
                ),
                begun + version.to_bytes(4) + event_id.bytes,
                entropy[at : at + _NONCES],
            )
            at += _NONCES
            rows.append(_new(StoredRow, (stream, version, event_id, FORMAT, period, *parts)))
        return rows

    def _objects(self, change: Written, period: int) -> dict[int, tuple[AESGCM, AESGCM, AESGCM]]:
        """What seals the three parts of an event of this change, by the number of its content key."""
        keys, stream = self.keys, change.stream_id
        if change.kind == StreamKind.CHILD:
            identity = AESGCM(keys[_new(KeyName, (stream, _IDENTITY_KEY, 0))])
            found = {}
            for number, _ in change.events:
                if number not in found:
                    content = AESGCM(keys[_new(KeyName, (stream, _CONTENT_KEY, number))])
                    found[number] = (identity, content, content)
            return found
        month = self._object(KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period))
        match change.kind:
            case StreamKind.STAFF:
                own = AESGCM(keys[KeyName(stream, KeyKind.STAFF, 0)])
                return {0: (own, own, month)}
            case StreamKind.SYSTEM:
                own = self._object(SYSTEM_KEY)
                return {0: (own, own, month)}
            case StreamKind.ACCESS:
                raw = keys[KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period)]
                own = AESGCM(access_key(raw, tuple(keys[name] for name in change.shown), stream))
                return {0: (own, month, month)}

    def _object(self, name: KeyName) -> AESGCM:
        found = self._common.get(name)
        if found is None:
            found = self._common[name] = AESGCM(self.keys[name])
        return found


def keys_of(change: Written) -> Iterator[Wanted]:
    """The keys of its own that a change needs. Raises ValueError for a child's event without a content key."""
    stream, kind, version, events, shielded, _ = change
    match kind:
        case StreamKind.CHILD:
            yield _new(Wanted, (_new(KeyName, (stream, _IDENTITY_KEY, 0)), False, version == 0))
            for number in {number for number, _ in events}:
                if number < 1:
                    raise ValueError("an event of a child needs the number of a content key, from 1")
                yield _new(Wanted, (_new(KeyName, (stream, _CONTENT_KEY, number)), shielded, True))
        case StreamKind.STAFF:
            yield Wanted(KeyName(stream, KeyKind.STAFF, 0), may_make=version == 0)
        case StreamKind.SYSTEM | StreamKind.ACCESS:
            pass


def shown_in(change: Change) -> tuple[KeyName, ...]:
    """The identity keys of the children that an access shows, in order."""
    if change.kind != StreamKind.ACCESS:
        return ()
    if len(change.events) != 1 or change.expected_version != 0:
        raise ValueError("each access is a stream of its own with one event")
    hits = getattr(change.events[0].event, "hits", ())
    return tuple(KeyName(hit.stream, KeyKind.IDENTITY, 0) for hit in hits)
