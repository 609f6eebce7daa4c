"""Makes the rows of an append, once its keys are committed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.key_rows import PERIOD_SUBJECT, KeyKind, KeyName, period_of
from adapters.keys.cipher import FORMAT, NONCE_BYTES, Random, access_key, place, seal
from adapters.keys.key_store import Wanted
from adapters.keys.parts import Texts, metadata_text, with_fields
from adapters.rows import Group, StoredRow
from domain.kernel import Change, Event, Log, Metadata, Reservation, StreamKind
from domain.personal_data import Part

_IDENTITY, _CONTENT, _METADATA = (int(part) for part in Part)
_NONCES: Final = 3 * NONCE_BYTES
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


SYSTEM: Final = KeyName(PERIOD_SUBJECT, KeyKind.SYSTEM, 0)
"""Where `Sealing` keeps the system key; not a stored name."""


class Tools(NamedTuple):
    """What every row is made with."""

    log: Log
    block: int
    split: Callable[[Event, int], Texts]
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
        # A call for each nonce would cost as much as the sealing.
        entropy = random(_NONCES * len(change.events))
        at, version = 0, change.expected_version
        for pending in change.events:
            version += 1
            texts = split(pending.event, pending.content_key)
            event_id = new_id()
            where = place(FORMAT, log, stream, version, event_id)
            content = contents[pending.content_key]
            last = metadata if texts.metadata is None else with_fields(metadata, texts.metadata)
            one, two, three = entropy[at : at + 12], entropy[at + 12 : at + 24], entropy[at + 24 : at + 36]
            at += _NONCES
            rows.append(
                StoredRow(
                    stream,
                    version,
                    event_id,
                    FORMAT,
                    period,
                    seal(identity, texts.identity, where, _IDENTITY, block, one),
                    seal(content, texts.content, where, _CONTENT, block, two),
                    seal(beside or content, last, where, _METADATA, block, three),
                )
            )
        return rows

    def _objects(self, change: Change, period: int) -> tuple[AESGCM, dict[int, AESGCM], AESGCM | None]:
        """The keys of one change: identity, content by number, metadata (None: as the content)."""
        keys, stream = self.keys, change.stream_id
        if change.kind == StreamKind.CHILD:
            identity = AESGCM(keys[KeyName(stream, _IDENTITY_KEY, 0)])
            contents: dict[int, AESGCM] = {}
            for pending in change.events:
                number = pending.content_key
                if number not in contents:
                    contents[number] = AESGCM(keys[KeyName(stream, _CONTENT_KEY, number)])
            return identity, contents, None
        month = self._object(KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period))
        match change.kind:
            case StreamKind.STAFF:
                own = AESGCM(keys[KeyName(stream, KeyKind.STAFF, 0)])
                return own, {0: own}, month
            case StreamKind.SYSTEM:
                own = self._object(SYSTEM)
                return own, {0: own}, month
            case StreamKind.ACCESS:
                raw = keys[KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period)]
                hits = tuple(keys[name] for name in shown_in(change))
                return AESGCM(access_key(raw, hits, stream)), {0: month}, month

    def _object(self, name: KeyName) -> AESGCM:
        found = self._common.get(name)
        if found is None:
            found = self._common[name] = AESGCM(self.keys[name])
        return found


def keys_of(change: Change) -> Iterator[Wanted]:
    """The keys of its own that a change needs. Raises ValueError for a child's event without a content key."""
    match change.kind:
        case StreamKind.CHILD:
            new = change.expected_version == 0
            yield Wanted(KeyName(change.stream_id, _IDENTITY_KEY, 0), may_make=new)
            for number in {pending.content_key for pending in change.events}:
                if number < 1:
                    raise ValueError("an event of a child needs the number of a content key, from 1")
                yield Wanted(KeyName(change.stream_id, _CONTENT_KEY, number), change.shielded)
        case StreamKind.STAFF:
            yield Wanted(KeyName(change.stream_id, KeyKind.STAFF, 0), may_make=change.expected_version == 0)
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
