"""A file is taken back as a unit: what rested on it alone goes, except a shield.

Two files may say the same. The second then adds no event, but it is noted that it said so; when the first is withdrawn,
what the second said as well is said anew in its name before the first is taken out. So nothing that is still supplied
leaves anybody's sight, not for a moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from domain.child_record import model
from domain.child_record.commands import WithdrawSupply
from domain.child_record.events import (
    AddressAsserted,
    CarersAsserted,
    DeathNotified,
    EducationAsserted,
    FactsWithheld,
    IdentifiersAsserted,
    IdentityAsserted,
    InvolvementBegun,
    InvolvementEnded,
    PracticeAsserted,
    SensitiveInvolvementBegun,
    SensitiveInvolvementEnded,
    Source,
    SourceKind,
)
from domain.child_record.handlers import handle
from domain.child_record.model import ChildRecord
from domain.errors import NotFound, VersionConflict
from domain.kernel import Change, Event, History, Metadata, Pending, StreamKind
from domain.policy.retention import london_day
from domain.policy.rule_book import InForce
from domain.ports import Clock, Ids, Tokens
from domain.supply.events import FileReceived, FileWithdrawn, SourceRecordHeld, SourceRecordReleased
from ingest.ports import LoadStore, Unit
from ingest.screening import ShieldFollower

_ATTEMPTS: Final = 8
_SAID: Final = (
    IdentityAsserted,
    AddressAsserted,
    CarersAsserted,
    EducationAsserted,
    PracticeAsserted,
    IdentifiersAsserted,
    FactsWithheld,
    DeathNotified,
)
Said: TypeAlias = (
    IdentityAsserted
    | AddressAsserted
    | CarersAsserted
    | EducationAsserted
    | PracticeAsserted
    | IdentifiersAsserted
    | FactsWithheld
    | DeathNotified
)

_BEGUN: Final = InvolvementBegun | SensitiveInvolvementBegun
_ENDED: Final = InvolvementEnded | SensitiveInvolvementEnded
_OF_A_SERVICE: Final = _BEGUN | _ENDED


def also_said(tokens: Tokens, file_id: UUID, key: bytes) -> bytes:
    """The key under which is noted that a file says what another said under `key`."""
    return tokens.token("feed", b"also\n" + file_id.bytes + key)


def decided_key(tokens: Tokens, held_id: UUID) -> bytes:
    """The key of what came of a record that was held back."""
    return tokens.token("feed", b"decided\n" + held_id.bytes)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The end of a withdrawal: records and held source records that changed, and events appended."""

    records: int
    events: int


@dataclass(frozen=True, slots=True)
class _Append:
    """One append of the file to one stream: its key, its versions, the other files that said it."""

    key: bytes
    versions: frozenset[int]
    also: tuple[UUID, ...]

    def said_again_in(self, heir: ChildRecord, stream_id: UUID) -> "_Append":
        """What of it is said again in the record that took the place of this stream, under a key of that record."""
        versions = frozenset(_said_again(heir, stream_id, self.versions))
        return _Append(self.key + heir.child_id.bytes, versions, self.also)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Takes one file back. Resumable; doing it twice changes nothing more."""

    store: LoadStore
    tokens: Tokens
    ids: Ids
    clock: Clock
    rules: InForce
    follower: ShieldFollower
    refresh: Callable[[], None]

    def withdraw(self, file_id: UUID, metadata: Metadata) -> Withdrawn:
        """Take the file back. Raises NotFound where no such file was received, Unavailable."""
        history = self.store.load(file_id)
        if not any(isinstance(recorded.event, FileReceived) for recorded in history.events):
            raise NotFound("No such file was loaded. `load` prints the id of each.", field="file_id")
        at = self.clock.now()
        appends = self._appends_of(file_id)
        records = events = 0
        for stream_id in self.store.touched_by(file_id):
            appended = self._from(stream_id, file_id, appends.get(stream_id, ()), at, metadata)
            records += appended > 0
            events += appended
        if isinstance(history.events[-1].event, FileReceived):
            withdrawn = Pending(FileWithdrawn(withdrawn_on=london_day(at)))
            change = Change(file_id, StreamKind.SYSTEM, history.version, (withdrawn,))
            self.store.append([change], metadata, instant=at)
            events += 1
        self.store.forget_batch(file_id)
        self.refresh()
        self.follower.catch_up(metadata)
        return Withdrawn(records, events)

    def _appends_of(self, file_id: UUID) -> Mapping[UUID, Sequence[_Append]]:
        """What the file appended, stream by stream and in order, with the other files that said the same."""
        own = sorted(self.store.keys_of(file_id), key=lambda row: (row[1], row[2]))
        also: dict[bytes, list[UUID]] = {key: [] for key, _, _ in own}
        for other in self.store.batches() if own else ():
            notes = {also_said(self.tokens, other, key): key for key in also}
            for note in self.store.known(list(notes)):
                also[notes[note]].append(other)
        for key, stream_id, _ in own:  # what said the same as a held record says the same as what came of it
            if (made := decided_key(self.tokens, stream_id)) in also:
                also[made] = list(dict.fromkeys([*also[made], *also[key]]))
        found: dict[UUID, list[_Append]] = {}
        reached: dict[UUID, int] = {}
        for key, stream_id, version in own:
            versions = frozenset(range(reached.get(stream_id, 0) + 1, version + 1))
            reached[stream_id] = version
            others = tuple(other for other in also[key] if other != file_id)
            found.setdefault(stream_id, []).append(_Append(key, versions, others))
        return found

    def _from(
        self, stream_id: UUID, file_id: UUID, appends: Sequence[_Append], at: datetime, metadata: Metadata
    ) -> int:
        history = self.store.load(stream_id)
        if isinstance(history.events[0].event, SourceRecordHeld):
            return self._from_held(history, history.events[0].event, appends, at, metadata)
        record = model.fold(history)
        if record.forgotten is not None:
            return 0
        return self._from_record(record, file_id, appends, _ends_said_by(history, file_id), at, metadata)

    def _from_record(
        self,
        record: ChildRecord,
        file_id: UUID,
        appends: Sequence[_Append],
        ends: Sequence[int],
        at: datetime,
        metadata: Metadata,
    ) -> int:
        """Take back what a file said, in the records in which it is said now."""
        if record.closed:
            return sum(
                self._from_record(
                    heir,
                    file_id,
                    [one.said_again_in(heir, record.child_id) for one in appends],
                    _said_again(heir, record.child_id, ends),
                    at,
                    metadata,
                )
                for heir in (model.fold(self.store.load(heir_id)) for heir_id in record.heirs)
                if heir.forgotten is None
            )
        stream_id = record.child_id
        appended = sum(
            self._say_anew(stream_id, file_id, one, ends, at, metadata)
            for one in appends
            if one.also and one.versions
        )
        command = WithdrawSupply(at=at, file=file_id, ends=tuple(ends))
        done = handle(
            stream_id,
            command,
            store=self.store,
            tokens=self.tokens,
            rules=self.rules.at(at),
            metadata=metadata,
        )
        return appended + len(done.positions)

    def _say_anew(
        self,
        stream_id: UUID,
        file_id: UUID,
        one: _Append,
        ends: Sequence[int],
        at: datetime,
        metadata: Metadata,
    ) -> int:
        """Say in the name of another file what both said. A note for each further file goes with it."""
        heir, *others = one.also
        key = self._inherited(heir, others, one.key, at, metadata)
        for attempt in range(_ATTEMPTS):
            history = self.store.load(stream_id)
            record = model.fold(history)
            versions = one.versions - record.withdrawn
            said = (
                *(
                    Pending(_in_the_name_of(heir, event), record.content_key)
                    for version, event in _said_by(history, file_id)
                    if version in versions
                ),
                *_services_said_by(history, record, file_id, versions, ends, heir),
            )
            if not said:
                return 0
            metadata = metadata.model_copy(update={"causation": heir})
            change = Change(stream_id, StreamKind.CHILD, history.version, said, shielded=record.shielded)
            try:
                done = self.store.append([change], metadata, idempotency_key=key, batch=heir, instant=at)
            except VersionConflict:
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            return 0 if done.duplicate else len(done.positions)
        return 0

    def _inherited(
        self, heir: UUID, others: Sequence[UUID], key: bytes, at: datetime, metadata: Metadata
    ) -> bytes:
        """The key of what is said anew, under which the further files are noted first."""
        inherited = self.tokens.token("feed", b"heir\n" + heir.bytes + key)
        for other in others:
            note = Unit((), also_said(self.tokens, other, inherited))
            self.store.append_units([note], metadata, batch=other, instant=at)
        return inherited

    def _from_held(
        self,
        history: History,
        held: SourceRecordHeld,
        appends: Sequence[_Append],
        at: datetime,
        metadata: Metadata,
    ) -> int:
        """Let a held record go; where another file said the same it is held again in that file's name."""
        if any(isinstance(recorded.event, SourceRecordReleased) for recorded in history.events):
            return 0
        appended = 0
        for one in appends:
            if one.also:
                heir, *others = one.also
                said = held.assertion.model_copy(update={"source": _of_file(held.assertion.source, heir)})
                again = (
                    Pending(held.model_copy(update={"assertion": said}), 1),
                    *(
                        Pending(_in_the_name_of(heir, recorded.event), recorded.content_key)
                        for recorded in history.events[1:]
                    ),
                )
                done = self.store.append(
                    [Change(self.ids.new(), StreamKind.CHILD, 0, again, shielded=True)],
                    metadata,
                    idempotency_key=self._inherited(heir, others, one.key, at, metadata),
                    batch=heir,
                    instant=at,
                )
                appended += 0 if done.duplicate else len(done.positions)
        released = Pending(SourceRecordReleased(source_kind=SourceKind.INDEX, outcome="withdrawn"), 1)
        change = Change(history.stream_id, StreamKind.CHILD, history.version, (released,), shielded=True)
        return appended + len(self.store.append([change], metadata, instant=at).positions)


def _said_by(history: History, file_id: UUID) -> list[tuple[int, Said]]:
    """What a file said in a stream, with the version of each; a shield is not among it, for it stays."""
    return [
        (recorded.version, recorded.event)
        for recorded in history.events
        if isinstance(recorded.event, _SAID)
        and isinstance(recorded.event.source, Source)
        and recorded.event.source.file == file_id
    ]


def _services_said_by(
    history: History,
    record: ChildRecord,
    file_id: UUID,
    versions: AbstractSet[int],
    ends: Sequence[int],
    heir: UUID,
) -> Iterator[Pending]:
    """The services, and ends of such, that a file told of at these versions, in the name of another file."""
    keys = {one.involvement: one.content_key for one in record.involvements if one.sensitive}
    for recorded in history.events:
        event = recorded.event
        if recorded.version not in versions or not isinstance(event, _OF_A_SERVICE):
            continue
        if recorded.version in ends or (isinstance(event, _BEGUN) and event.source.file == file_id):
            yield Pending(_in_the_name_of(heir, event), keys.get(event.involvement, record.content_key))


def _ends_said_by(history: History, file_id: UUID) -> list[int]:
    """The versions at which a file told that a service had ended: the event names no source, its metadata do."""
    return [
        recorded.version
        for recorded in history.events
        if isinstance(recorded.event, _ENDED)
        and isinstance(recorded.metadata, Metadata)
        and recorded.metadata.causation == file_id
    ]


def _said_again(heir: ChildRecord, stream_id: UUID, versions: Iterable[int]) -> list[int]:
    """The versions of a record that say again what another stream says at these."""
    wanted = frozenset(versions)
    return [one.at for one in heir.origins if one.stream == stream_id and one.version in wanted]


def _in_the_name_of(heir: UUID, event: Event) -> Event:
    """What one file said, as another says it."""
    source = getattr(event, "source", None)
    return event if source is None else event.model_copy(update={"source": _of_file(source, heir)})


def _of_file(source: object, file_id: UUID) -> object:
    return source.model_copy(update={"file": file_id}) if isinstance(source, Source) else source
