"""Opens stored events: keys fetched together, identity parts first, content only where the log lets it be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.key_rows import PERIOD_SUBJECT, KeyKind
from adapters.keys.cipher import FORMAT, Damage, access_key, place, unseal
from adapters.keys.key_store import BROKEN, KeyState, KeyStore, SubjectKeys
from adapters.keys.parts import Fields, Parts, called, read_metadata, read_text, subjects_of
from adapters.rows import RecordedRow
from domain.kernel import CONCEALED_NAME, Event, ForgottenEvent, History, Log, Metadata, Recorded
from domain.personal_data import HIDDEN, Forgotten, Hidden, Part
from domain.policy.shielding import SHIELD_EVENTS, shielded
from projections.projection import EVERYTHING, Depth, Reads

_IDENTITY: Final = int(Part.IDENTITY)
_CONTENT: Final = int(Part.CONTENT)
_METADATA: Final = int(Part.METADATA)


class Reveal(Enum):
    """How much of a shielded record a store may open: nothing of its content (serving), or all (the writer)."""

    NOTHING = "nothing"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class OneAccess:
    """The right of a manager, an override or a two-person replay: one record's content, for one access."""

    access_id: UUID


Right: TypeAlias = Reveal | OneAccess


class Opener:
    """Opens the rows of some streams."""

    def __init__(
        self,
        log: Log,
        keys: KeyStore,
        parts: Parts,
        right: Right,
        opened: dict[UUID, SubjectKeys],
        reads: Reads = EVERYTHING,
    ) -> None:
        """`opened`: the keys of the streams of the record log, by stream."""
        self._log = log
        self._key_store = keys
        self._parts = parts
        self._right = right
        self._depth = reads.depth
        self._only = reads.only
        self._ciphers: dict[bytes, AESGCM] = {}
        self._keys = opened

    @classmethod
    def of(
        cls,
        log: Log,
        keys: KeyStore,
        parts: Parts,
        right: Right,
        streams: Sequence[Sequence[RecordedRow]],
        reads: Reads = EVERYTHING,
    ) -> Self:
        """One for some streams, their keys fetched together."""
        own = [rows[0].stream_id for rows in streams if rows] if log == Log.RECORD else []
        opened = keys.open(own)
        if right is Reveal.EVERYTHING:
            opened = keys.reveal(opened)
        return cls(log, keys, parts, right, opened, reads)

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

    def forget(self, stream_id: UUID) -> None:
        """Let go of a stream's keys: whoever opens many does not open it again."""
        self._keys.pop(stream_id, None)
        self._ciphers.clear()

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
        own = self._keys.get(stream_id)
        return own is not None and not own.has(KeyKind.STAFF)

    def _child(self, stream_id: UUID, rows: Sequence[RecordedRow], upto: int) -> list[Recorded]:
        identity = self._state(stream_id, KeyKind.IDENTITY)
        if isinstance(identity, Forgotten):
            gone = ForgottenEvent(certificate=identity.certificate)
            return [self._recorded(row, 0, gone, identity) for row in rows]
        cipher = self._cipher(identity)
        identities = [self._read(cipher, row, row.identity, _IDENTITY) for row in rows]
        shielded_now = self._right is not Reveal.EVERYTHING and self._shielded(identities)
        if isinstance(self._right, OneAccess) and (shielded_now or self._is_elsewhere(stream_id, identities)):
            # Looked up now: what is remembered may be from before this shield, and know nothing of the keys made since.
            self._keys |= self._fresh([stream_id])
            self._keys[stream_id] = self._key_store.open_for_access(
                stream_id, self._right.access_id, self._keys[stream_id]
            )
        hidden = shielded_now and self._right is Reveal.NOTHING
        states: dict[int, KeyState] = {}
        found: list[Recorded] = []
        for row, fields in zip(rows[:upto], identities, strict=False):
            number = _number(fields)
            if number not in states:  # also of a hidden one: no key is damage
                states[number] = self._state(stream_id, KeyKind.CONTENT, number)
            event = self._child_event(row, fields, HIDDEN if hidden else states[number])
            if event is not None:
                found.append(self._recorded(row, number, *event))
        return found

    def _is_elsewhere(self, stream_id: UUID, identities: Sequence[Fields]) -> bool:
        """Whether a content key lies in the `shielded` database: so do those of source records that are held back."""
        return any(
            isinstance(self._state(stream_id, KeyKind.CONTENT, _number(fields)), Hidden)
            for fields in identities
        )

    def _child_event(
        self, row: RecordedRow, identity: Fields, state: KeyState
    ) -> tuple[Event, Metadata | Forgotten | Hidden] | None:
        """An event with its metadata; None where nobody asked for it."""
        if self._depth is Depth.NAMES:
            return self._called(row, identity, state), HIDDEN
        concealed = identity.get("e") == CONCEALED_NAME
        if self._only is not None and not concealed and identity.get("e") not in self._only:
            return None
        if isinstance(state, Forgotten | Hidden):
            return self._parts.event(identity, state), state
        if self._depth is Depth.FACTS and not concealed:
            return self._parts.event(identity, HIDDEN), HIDDEN
        cipher = self._cipher(state)
        text = self._text(cipher, row, row.content, _CONTENT)
        if self._only is not None and concealed and called(text) not in self._only:
            return None
        content = read_text(text)
        if self._depth is not Depth.EVERYTHING:
            return self._parts.event(identity, content), HIDDEN
        metadata, beside = read_metadata(self._read(cipher, row, row.metadata, _METADATA))
        return self._parts.event(identity, content, beside), metadata

    def _called(self, row: RecordedRow, identity: Fields, state: KeyState) -> Event:
        concealed = identity.get("e") == CONCEALED_NAME
        if identity.get("e") in SHIELD_EVENTS or (concealed and isinstance(state, Forgotten | Hidden)):
            return self._parts.event(identity, HIDDEN)
        if concealed:
            return self._parts.called(self._read(self._cipher(state), row, row.content, _CONTENT))
        return self._parts.called(identity)

    def _identity(self, state: KeyState, row: RecordedRow) -> Fields:
        return self._read(self._cipher(state), row, row.identity, _IDENTITY)

    def _shielded(self, identities: Sequence[Fields]) -> bool:
        """Folds the shields of the whole stream; names are compared before any event is built."""
        about = [fields for fields in identities if fields.get("e") in SHIELD_EVENTS]
        return bool(about) and shielded(self._parts.event(fields, HIDDEN) for fields in about)

    # Other streams

    def _other(self, stream_id: UUID, row: RecordedRow) -> Recorded:
        metadata, beside = self._metadata(row) if self._depth is Depth.EVERYTHING else (HIDDEN, HIDDEN)
        staff = stream_id in self._keys
        own = self._state(stream_id, KeyKind.STAFF) if staff else self._key_store.system()
        if isinstance(own, Forgotten):
            return self._recorded(row, 0, self._parts.forgotten(own), metadata)
        cipher = self._cipher(own)
        identity = self._read(cipher, row, row.identity, _IDENTITY)
        content = self._read(cipher, row, row.content, _CONTENT)
        return self._recorded(row, 0, self._parts.event(identity, content, beside), metadata)

    def _access(self, row: RecordedRow) -> Recorded:
        month = self._period(row)
        metadata, beside = self._metadata(row)
        if isinstance(month, Forgotten):
            return self._recorded(row, 0, self._parts.forgotten(month), metadata)
        if not isinstance(month, bytes):
            raise Damage
        self._read(self._cipher(month), row, row.content, _CONTENT)
        shown: list[bytes] = []
        for child_id in subjects_of(beside):
            identity = self._key_store.identity(child_id)
            if isinstance(identity, Forgotten):
                return self._recorded(row, 0, self._parts.forgotten(identity, beside), metadata)
            shown.append(identity)
        own = access_key(month, tuple(shown), row.stream_id)
        fields = self._identity(own, row)
        return self._recorded(row, 0, self._parts.event(fields, {}, beside), metadata)

    def _metadata(self, row: RecordedRow) -> tuple[Metadata | Forgotten, Fields]:
        month = self._period(row)
        if isinstance(month, Forgotten):
            return month, {}
        return read_metadata(self._read(self._cipher(month), row, row.metadata, _METADATA))

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

    def _cipher(self, state: KeyState) -> AESGCM:
        if not isinstance(state, bytes):
            raise Damage
        cipher = self._ciphers.get(state)
        if cipher is None:
            cipher = self._ciphers[state] = AESGCM(state)
        return cipher

    def _read(self, cipher: AESGCM, row: RecordedRow, stored: bytes, part: int) -> Fields:
        return read_text(self._text(cipher, row, stored, part))

    def _text(self, cipher: AESGCM, row: RecordedRow, stored: bytes, part: int) -> bytes:
        if row.format != FORMAT:
            raise Damage
        where = place(FORMAT, self._log, row.stream_id, row.version, row.event_id)
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
