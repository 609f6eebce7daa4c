"""A log in memory whose events are in clear: what projections are folded from in tests that need no keys."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from adapters.memory.log_reader import MemoryLogReader
from adapters.memory.recorder import MemoryRecorder
from adapters.memory.view_store import MemoryViewStore
from adapters.rows import Group, StoredRow, appended
from domain.child_record.decisions import decide
from domain.child_record.model import fold
from domain.destruction.events import DestructionCompleted
from domain.kernel import Command, Concealed, Event, ForgottenEvent, History, Log, Metadata, Recorded
from domain.personal_data import HIDDEN, Part, parts_of
from domain.policy.rule_book import RuleBook
from domain.rule_set.model import RuleSet
from projections.engine import Engine
from projections.projection import EVERYTHING, Depth, Projection, Reads, most_of
from projections.rebuild import Operations
from projections.registry import PROJECTIONS
from projections.slices import StreamByStream
from tests.builders import NOW, TODAY, the_book

SOMEBODY: Final = UUID(int=1)


class StillClock:
    """A clock that says what it was told."""

    def __init__(self, instant: datetime = NOW) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


@dataclass
class Journal:
    """Both logs. `damage` makes a stream one that cannot be opened; `destroy` forgets it under a certificate.

    opened: how often each stream was opened.
    """

    clock: StillClock = field(default_factory=StillClock)
    damaged: dict[UUID, Depth] = field(default_factory=dict)
    opened: Counter[UUID] = field(default_factory=Counter)
    certificates: dict[UUID, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recorders = {log: MemoryRecorder(log, self.clock.now) for log in Log}
        self.streams: dict[Log, dict[UUID, list[Recorded]]] = {log: {} for log in Log}
        self.reader = MemoryLogReader(self.recorders)

    def tell(self, stream_id: UUID, *facts: Command | Event, actor: UUID = SOMEBODY) -> None:
        """Append to the record log: events as they are, commands decided first."""
        for fact in facts:
            events: Iterable[tuple[Event, int]] = (
                ((fact, 1),) if isinstance(fact, Event) else self._decided(stream_id, fact)
            )
            for event, content_key in events:
                self._append(Log.RECORD, stream_id, event, content_key, actor)

    def look(self, access_id: UUID, event: Event, actor: UUID = SOMEBODY) -> None:
        """Append a look to the access log."""
        self._append(Log.ACCESS, access_id, event, 0, actor)

    def damage(self, stream_id: UUID, depth: Depth = Depth.FACTS) -> None:
        """From now on it opens for nobody who reads it this deep."""
        self.damaged[stream_id] = depth

    def repair(self, stream_id: UUID) -> None:
        self.damaged.pop(stream_id, None)

    def destroy(self, child_id: UUID, certificate: UUID) -> None:
        """Forget a child's keys, then certify it, as the destruction does."""
        self.certificates[child_id] = certificate
        self.tell(certificate, DestructionCompleted(child=child_id, keys=2, completed_on=TODAY))

    def open_records(self, stream_ids: Sequence[UUID], reads: Reads = EVERYTHING) -> dict[UUID, History]:
        return self._open(Log.RECORD, stream_ids, reads)

    def open_looks(self, stream_ids: Sequence[UUID], reads: Reads = EVERYTHING) -> dict[UUID, History]:
        return self._open(Log.ACCESS, stream_ids, reads)

    def history(self, stream_id: UUID, log: Log = Log.RECORD) -> History:
        return self._open(log, [stream_id])[stream_id]

    def engine(self, store: MemoryViewStore | None = None, rules: RuleSet | None = None) -> Engine:
        openers = {Log.RECORD: self.open_records, Log.ACCESS: self.open_looks}
        slices = StreamByStream(self.reader, openers)
        return Engine(
            store or MemoryViewStore(),
            self.reader,
            openers,
            slices,
            the_book() if rules is None else RuleBook([rules]),
            self.clock,
        )

    def operations(
        self, store: MemoryViewStore | None = None, projections: tuple[Projection, ...] = PROJECTIONS
    ) -> Operations:
        return Operations(self.engine(store), projections)

    def _decided(self, stream_id: UUID, command: Command) -> list[tuple[Event, int]]:
        recorded = self.streams[Log.RECORD].get(stream_id, [])
        decision = decide(
            fold(History(stream_id, len(recorded), tuple(recorded))), command, the_book().at(command.at)
        )
        return list(zip(decision.events, decision.content_keys, strict=True))

    def _append(self, log: Log, stream_id: UUID, event: Event, content_key: int, actor: UUID) -> None:
        stream = self.streams[log].setdefault(stream_id, [])
        version, number = len(stream) + 1, sum(map(len, self.streams[log].values())) + 1
        row = StoredRow(stream_id, version, UUID(int=number), 1, 0, b"", b"", b"")
        position = appended(
            self.recorders[log].append([Group([row], [(stream_id, version - 1)])])[0]
        ).positions[0]
        metadata = Metadata(actor=actor, purpose="casework", correlation=stream_id)
        stream.append(
            Recorded(
                log,
                position,
                self.clock.now(),
                row.event_id,
                stream_id,
                version,
                content_key,
                event,
                metadata,
            )
        )
        self.clock.instant += timedelta(seconds=1)

    def _open(self, log: Log, stream_ids: Sequence[UUID], reads: Reads = EVERYTHING) -> dict[UUID, History]:
        found = {}
        self.opened.update(stream_ids)
        for stream_id in stream_ids:
            recorded = self.streams[log].get(stream_id)
            damaged = self.damaged.get(stream_id)
            if recorded is None or (damaged and most_of([reads, Reads(damaged)]).depth is reads.depth):
                continue
            if stream_id in self.certificates:
                gone = ForgottenEvent(certificate=self.certificates[stream_id])
                recorded = [_with(one, gone) for one in recorded]
            found[stream_id] = History(stream_id, len(recorded), tuple(recorded))
        return found


def _with(one: Recorded, event: Event) -> Recorded:
    return Recorded(
        one.log,
        one.position,
        one.recorded_at,
        one.event_id,
        one.stream_id,
        one.version,
        one.content_key,
        event,
        one.metadata,
    )


def only_facts(recorded: Recorded) -> Recorded:
    """What `Depth.FACTS` leaves of an event."""
    event = recorded.event
    if isinstance(event, Concealed | ForgottenEvent):
        return recorded
    content = [name for name, part in parts_of(type(event)).items() if part is Part.CONTENT]
    hidden = {} if event.CONCEALED else dict.fromkeys(content, HIDDEN)
    return recorded._replace(event=event.model_copy(update=hidden), metadata=HIDDEN)


def rows_of(
    operations: Operations, projection: Projection, state: str = "live"
) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a build of a view, by table."""
    store = operations.engine.store
    (build,) = [build for build in store.builds(projection.name) if build.state == state]
    return {table.name: store.rows(build, table.name) for table in projection.tables}
