"""Views filled as if the log held so many invented children: real rows, real indexes, no encrypted events.

A million children in the log take hours, their rows minutes. So the histories are made where a rebuild would open them:
what the sources of `population` say, decided and folded as a load would have it. All else is the rebuild's own.
"""

import gc
from collections.abc import Collection, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.clock import SystemClock
from adapters.rule_files import present
from cli.bootstrap import open_stores
from cli.output import Output
from cli.population import draws
from cli.settings import Settings
from cli.stores import Stores
from domain.child_record.commands import ArchiveRecord, AssertFacts, RaiseShield, RegisterChild
from domain.child_record.decisions import decide
from domain.child_record.events import LeftEngland, Source, SourceKind
from domain.child_record.model import ChildRecord, evolve
from domain.errors import Refused
from domain.identifiers import CROCKFORD, index_number
from domain.kernel import Command, History, Log, Recorded
from domain.personal_data import HIDDEN
from domain.policy.retention import LEFT_ENGLAND
from domain.policy.rule_book import RuleBook
from domain.rule_set.model import RuleSet
from ingest.pipeline import BODIES, PARSERS
from ingest.population.people import BLOCK
from ingest.population.records import BEGIN, END, records_of
from ingest.population.slips import Draw
from ingest.source_record import SourceRecord
from projections.engine import Engine, Progress
from projections.ports import Slice, Work
from projections.projection import Projection, Reads
from projections.rebuild import Filler, Operations

AT: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""When everything is said and asked: a month after the population's reference day."""

SOURCES: Final = (SourceKind.BIRTHS, SourceKind.CHILD_BENEFIT, SourceKind.PDS)
"""The sources that know nearly every child. PDS says which are restricted."""

PROCESSES: Final = 2
_SEED: Final = 1
_BLOCKS_OF_A_SLICE: Final = 50
_SHIELDED: Final = 0.003
"""Shields that an authority raises, beside those that PDS brings."""
_ARCHIVED: Final = 0.01


def filled(home: Path, stores: Stores, projection: Projection, children: int, output: Output) -> None:
    """Build a view from the histories of so many children, and let it be read."""
    views, reader = stores.views(), stores.reader()
    log = Invented(present(), children)
    engine = Engine(views, reader, {}, log, RuleBook([log.rules]), SystemClock())
    operations = Operations(engine, (projection,), _by_processes(home, children))
    with output.progress() as bar:
        task = bar.add_task(projection.name, total=log.slices, rate="")

        def report(progress: Progress) -> None:
            del progress
            bar.update(task, advance=1)

        operations.rebuild(projection.name, switch=True, progress=report)


@dataclass(frozen=True, slots=True)
class Invented:
    """Implements `projections.ports.Slices` over children that nobody registered."""

    rules: RuleSet
    children: int

    @property
    def slices(self) -> int:
        """Into how many slices the children are cut."""
        return -(-self._blocks // _BLOCKS_OF_A_SLICE)

    @property
    def _blocks(self) -> int:
        return -(-self.children // BLOCK)

    def count(self, log: Log, upto: int) -> int:
        """Some thousand children a slice, however long the log is."""
        del log, upto
        return self.slices

    def histories(self, of: Slice, upto: int, reads: Reads) -> Iterator[tuple[UUID, History | None]]:
        """The histories of a slice's children."""
        del upto, reads
        first = of.number * _BLOCKS_OF_A_SLICE
        for block in range(first, min(first + _BLOCKS_OF_A_SLICE, self._blocks)):
            for history in histories(block, self.rules, self.children).values():
                yield history.stream_id, history


def histories(block: int, rules: RuleSet, upto: int | None = None) -> dict[str, History]:
    """What comes of what is said of a hundred children, of those numbered below `upto`, by person; each time the same.

    A child who was adopted is two people: nothing tells the sources that it is one.
    """
    draw = draws(f"contactpoint bench {_SEED} {block}")
    lives: dict[str, _Life] = {}
    for person, record in told(block, SOURCES, upto):
        if person not in lives:
            lives[person] = _Life(ChildRecord(_id(draw)), rules)
            lives[person].told(record, _index_number(draw))
        else:
            lives[person].told(record, None)
    for life in lives.values():
        life.befalls(draw)
    return {person: life.history for person, life in lives.items()}


@dataclass(slots=True)
class _Life:
    """One record as it grows."""

    record: ChildRecord
    rules: RuleSet
    events: list[Recorded] = field(default_factory=list)

    @property
    def history(self) -> History:
        return History(self.record.child_id, self.record.version, tuple(self.events))

    def told(self, record: SourceRecord, number: str | None) -> None:
        """A source tells of the child; with an index number it is the first to do so."""
        said = {**dict(record.facts), "source": Source(body=BODIES[record.kind], record=record.source_id)}
        authority = said.pop("authority")
        del said["involvements"]
        if record.facts.whereabouts is not None and record.facts.address_effective is None:
            said["address_effective"] = AT.date()
        if number is None:
            self._carry_out(AssertFacts(at=AT, source_kind=record.kind, **said))
        else:
            self._carry_out(
                RegisterChild(
                    at=AT, source_kind=record.kind, index_number=number, owning_authority=authority, **said
                )
            )

    def befalls(self, draw: Draw) -> None:
        """What officers record besides: a shield, or that the child left for good and was archived."""
        fate = draw()
        if fate < _SHIELDED:
            self._carry_out(RaiseShield(at=AT, shield=_id(draw), ground="child-at-risk"))
        elif fate < _SHIELDED + _ARCHIVED:
            born = self.record.date_of_birth or date(2020, 1, 1)
            left = max(born, date(2025, 9, 1))
            gone = LeftEngland(return_intended="no", considered_left=left)
            self._carry_out(
                AssertFacts(
                    at=AT,
                    source_kind=SourceKind.OFFICER,
                    effective=AT.date(),
                    address_effective=left,
                    whereabouts=gone,
                )
            )
            self._carry_out(ArchiveRecord(at=AT, archived_on=AT.date(), ground=LEFT_ENGLAND))

    def _carry_out(self, command: Command) -> None:
        """Append what is decided; what the rules refuse did not happen."""
        try:
            decision = decide(self.record, command, self.rules)
        except Refused:
            return
        for event, key in zip(decision.events, decision.content_keys, strict=True):
            child_id, version = self.record.child_id, self.record.version + 1
            self.events.append(Recorded(Log.RECORD, 0, AT, child_id, child_id, version, key, event, HIDDEN))
            self.record = evolve(self.record, self.events[-1])


def told(
    block: int, sources: Collection[SourceKind], upto: int | None = None
) -> Iterator[tuple[str, SourceRecord]]:
    """What sources say of a block's children, each as its parser reads it, by child and then by source."""
    said = [one for one in records_of(_SEED, block, draws, upto) if one.source in sources]
    read: dict[tuple[str, str], SourceRecord] = {}
    for source in sources:
        text = "".join(one.text for one in said if one.source == source)
        parsed = PARSERS[source](BytesIO((BEGIN.get(source, "") + text + END.get(source, "")).encode()))
        read |= {
            (source, str(record.source_id)): record for record in parsed if isinstance(record, SourceRecord)
        }
    for one in said:
        record = read.get((one.source, one.source_id))
        if record is not None:
            yield one.person, record


def _id(draw: Draw) -> UUID:
    return UUID(int=int(draw() * 2**53) << 75 | int(draw() * 2**53) << 22 | int(draw() * 2**22), version=4)


def _index_number(draw: Draw) -> str:
    while True:
        number = index_number("".join(CROCKFORD[int(draw() * 32)] for _ in range(10)))
        if number is not None:
            return number


def _by_processes(home: Path, children: int) -> Filler:
    def fill(engine: Engine, work: Work) -> Generator[int]:
        del engine
        with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
            yield from pool.map(partial(_fill, home, children, work), work.slices)

    return fill


def _fill(home: Path, children: int, work: Work, of: Slice) -> int:
    """Fill one slice, in a process of its own."""
    gc.disable()  # nothing made here refers to itself
    with open_stores(home, Settings(home=home)) as (stores, _):
        log = Invented(present(), children)
        engine = Engine(stores.views(), stores.reader(), {}, log, RuleBook([log.rules]), SystemClock())
        return engine.fill(work, of)
