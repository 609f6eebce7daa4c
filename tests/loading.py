"""A home into which files are loaded, in memory or in PostgreSQL: what a load is made of, and what came of it."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from adapters.ids import RandomIds
from adapters.keys.tokens import SystemTokens
from adapters.memory.candidates import MemoryCandidates
from adapters.memory.followers import MemoryFollowerPositions, MemoryRecordOrder
from adapters.memory.places import MemoryPlaces
from adapters.memory.recorder import MemoryRecorder
from adapters.postgres.databases import Databases
from adapters.postgres.followers import PostgresFollowerPositions, RecordOrder
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.places import PostgresPlaces
from adapters.postgres.view_store import PostgresViewStore
from domain.child_record.events import EVENTS as CHILD_EVENTS
from domain.child_record.events import SourceKind
from domain.child_record.model import ChildRecord, fold
from domain.disclosure import RecordFacts
from domain.kernel import Log, Metadata, Recorded
from domain.policy.rule_book import InForce
from domain.supply.commands import DecideHeldRecord
from domain.supply.events import EVENTS as SUPPLY_EVENTS
from domain.supply.events import SourceRecordHeld, Verdict
from domain.supply.model import fold as fold_held
from ingest.best_view import best_view
from ingest.outcome import Counts, Listener, Loaded, Refusal
from ingest.pipeline import Loader
from ingest.ports import Candidates, FollowerPositions, Order, Places
from ingest.screening import ShieldFollower
from ingest.source_record import Warned
from projections.engine import Engine
from projections.match_index.queries import MatchIndex
from projections.match_index.view import MATCH_INDEX
from projections.rebuild import Operations
from projections.slices import StreamByStream
from tests.builders import the_book
from tests.homes import Home, memory_home, postgres_home

OPERATOR: Final = UUID("0be0a700-0000-4000-8000-000000000001")
TODAY: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
COLUMNS: Final = (
    "entry_id", "registered_on", "given_names", "surname", "date_of_birth", "sex", "nhs_number", "birth_order",
    "mother_given_names", "mother_surname", "address_line_1", "postcode", "authority",
)  # fmt: skip

AMELIA: Final[Mapping[str, str]] = {
    "entry_id": "WKF/2016/101",
    "registered_on": "2016-04-20",
    "given_names": "Amelia Rose",
    "surname": "Thornton",
    "date_of_birth": "2016-04-02",
    "sex": "F",
    "nhs_number": "9434765919",
    "mother_given_names": "Helen",
    "mother_surname": "Thornton",
    "address_line_1": "14 Sandal Rise",
    "postcode": "WF2 6QA",
}
NO_NUMBER: Final = {"nhs_number": ""}


def an_entry(**changed: str) -> dict[str, str]:
    """A line of a births file."""
    return {**AMELIA, **changed}


def a_births_file(*entries: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> bytes:
    """A births file of these lines."""
    lines = [",".join(columns)]
    lines += [",".join(f'"{entry.get(column, "")}"' for column in columns) for entry in entries]
    return "\n".join(lines).encode() + b"\n"


def a_patient(number: str = "9434765919", **changed: Any) -> dict[str, Any]:
    """A PDS message of the same child, unrestricted; an element given as None is left out."""
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": number,
        "identifier": [
            {
                "system": "https://fhir.nhs.uk/Id/nhs-number",
                "value": number,
                "extension": [
                    {
                        "url": "https://fhir.hl7.org.uk/StructureDefinition/"
                        "Extension-UKCore-NHSNumberVerificationStatus",
                        "valueCodeableConcept": {"coding": [{"code": "01"}]},
                    }
                ],
            }
        ],
        "meta": {"versionId": "1", "security": [{"code": "U"}]},
        "name": [
            {"use": "usual", "period": {"start": "2016-04-20"}, "given": ["Amelia"], "family": "Thornton"}
        ],
        "gender": "female",
        "birthDate": "2016-04-02",
        "address": [
            {
                "use": "home",
                "period": {"start": "2019-09-01"},
                "line": ["3 Calder Street"],
                "postalCode": "WF4 3DN",
            }
        ],
        "generalPractitioner": [
            {
                "type": "Organization",
                "identifier": {
                    "system": "https://fhir.nhs.uk/Id/ods-organization-code",
                    "value": "B87016",
                    "period": {"start": "2019-09-10"},
                },
            }
        ],
    }
    patient.update(changed)
    return {element: value for element, value in patient.items() if value is not None}


def restricted(number: str = "9434765919", **changed: Any) -> dict[str, Any]:
    """The message as PDS sends it of a restricted person: without address, practice and telephone."""
    return a_patient(
        number,
        **{
            "meta": {"versionId": "2", "security": [{"code": "R"}]},
            "address": None,
            "generalPractitioner": None,
            **changed,
        },
    )


def ndjson(*resources: Mapping[str, Any]) -> bytes:
    """One resource on each line."""
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


@dataclass
class Told:
    """What a load said while it ran."""

    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[tuple[int, Warned]] = field(default_factory=list)

    @property
    def listener(self) -> Listener:
        """Keeps what it is told."""
        return Listener(
            refused=self.refusals.append, warned=lambda line, warning: self.warnings.append((line, warning))
        )


@dataclass
class Around:
    """What a load needs around the log: the match index, places, positions, order. `refresh` brings the index up."""

    candidates: Candidates
    places: Places
    positions: FollowerPositions
    order: Order
    refresh: Callable[[], None]
    close: Callable[[], None]


TYPES: Final = CHILD_EVENTS | SUPPLY_EVENTS


def in_memory() -> tuple[Home, Around]:
    """A home and what is around it, in memory."""
    home = memory_home(TYPES)
    assert isinstance(home.record, MemoryRecorder)
    candidates, order, serving = MemoryCandidates(), MemoryRecordOrder(home.record), home.service()
    indexed = 0

    def refresh() -> None:
        nonlocal indexed
        while page := order.tail(indexed, 1000):
            candidates.index(serving.load_many({stream for _, stream in page}).values())
            indexed = page[-1][0]

    return home, Around(candidates, MemoryPlaces(), MemoryFollowerPositions(), order, refresh, home.close)


def in_postgres(databases: Databases, folder: Path) -> tuple[Home, Around]:
    """A home and what is around it, in PostgreSQL."""
    home = postgres_home(databases, folder, TYPES)
    views, reader = PostgresViewStore(databases.views), PostgresLogReader(databases.record)
    positions, places = PostgresFollowerPositions(databases.record), PostgresPlaces(databases.shielded)
    openers = {Log.RECORD: home.service().load_many, Log.ACCESS: home.looks().load_many}
    operations = Operations(
        Engine(views, reader, openers, StreamByStream(reader, openers), the_book(), home.clock),
        (MATCH_INDEX,),
    )
    candidates = MatchIndex(partial(views.reading, MATCH_INDEX))

    def refresh() -> None:
        operations.run(until_caught_up=True)

    def close() -> None:
        for each in (positions, places, views, reader, home):
            each.close()

    return home, Around(
        candidates,
        places,
        positions,
        RecordOrder(reader),
        refresh,
        close,
    )


class Index:
    """Loads files, and looks at what came of it with the writer's eyes."""

    def __init__(
        self, made: tuple[Home, Around] | None = None, *, chunk: int = 50, rules: InForce | None = None
    ) -> None:
        self.home, self.around = made or in_memory()
        self.rules = rules or the_book()
        self.home.clock.instant = TODAY
        keys = self.home.writer_keys()
        self.store = self.home.writer()
        self.serving = self.home.service()
        self.candidates, self.places = self.around.candidates, self.around.places
        self.tokens = SystemTokens(keys)
        self.ids = RandomIds()
        self.follower = ShieldFollower(
            store=self.store,
            order=self.around.order,
            positions=self.around.positions,
            shielding=keys,
            places=self.places,
            candidates=self.candidates,
            tokens=self.tokens,
            ids=self.ids,
            clock=self.home.clock,
            rules=self.rules,
            refresh=self.around.refresh,
        )
        self.loader = self.a_loader(chunk=chunk)

    def a_loader(self, *, chunk: int = 50, synthetic: bool = True) -> Loader:
        """A loader into this home."""
        return Loader(
            store=self.store,
            candidates=self.candidates,
            places=self.places,
            tokens=self.tokens,
            ids=self.ids,
            clock=self.home.clock,
            rules=self.rules,
            follower=self.follower,
            refresh=self.around.refresh,
            catch_up=self.around.refresh,
            waiting=self.waiting,
            synthetic=synthetic,
            chunk=chunk,
        )

    def waiting(self) -> list[UUID]:
        """The records that are held back, in the order in which they were."""
        held = (fold_held(history) for history in self.store.load_many(self.streams()).values())
        found = [one for one in held if one is not None and not one.released]
        return [one.held_id for one in sorted(found, key=lambda one: one.since)]

    # Doing

    def load(self, kind: str, content: bytes, *, told: Told | None = None, dry_run: bool = False) -> Loaded:
        """Load a file of these bytes."""
        listener = (told or Told()).listener
        return self.loader.load(
            SourceKind(kind), io.BytesIO(content), self.by(), listener=listener, dry_run=dry_run
        )

    def births(self, *entries: Mapping[str, str]) -> Counts:
        """Load a births file of these lines."""
        return self.load("births", a_births_file(*entries)).counts

    def pds(self, *resources: Mapping[str, Any]) -> Counts:
        """Load NDJSON of these resources."""
        return self.load("pds", ndjson(*resources)).counts

    def by(self) -> Metadata:
        """The operator, for a run of its own."""
        return Metadata(actor=OPERATOR, purpose="operation", correlation=self.ids.new())

    # Looking

    def head(self) -> int:
        """The position of the last event."""
        return self.around.order.head()

    def streams(self) -> list[UUID]:
        """Every stream, in the order of its first event."""
        return list(dict.fromkeys(stream for _, stream in self.around.order.tail(0, 100_000)))

    def records(self) -> list[ChildRecord]:
        """Every child's record, in the order of registration, all opened."""
        histories = self.store.load_many(self.streams())
        records = [fold(histories[stream]) for stream in self.streams()]
        return [record for record in records if record.registered]

    def facts(self) -> list[RecordFacts]:
        """The best view of every record, all opened."""
        return [best_view(record) for record in self.records()]

    def seen(self) -> list[RecordFacts]:
        """The best view of every record as serving may open it."""
        histories = self.serving.load_many(self.streams())
        records = [fold(histories[stream]) for stream in self.streams()]
        return [best_view(record) for record in records if record.registered]

    def the_facts(self) -> RecordFacts:
        """The best view of the one record there is."""
        (facts,) = self.facts()
        return facts

    def held(self) -> list[SourceRecordHeld]:
        """Source records held back."""
        found: list[SourceRecordHeld] = []
        for stream in self.streams():
            first = self.store.load(stream).events[0].event
            if isinstance(first, SourceRecordHeld):
                found.append(first)
        return found

    def log(self) -> list[Recorded]:
        """Every event of every stream, in the order of the log, all opened."""
        histories = self.store.load_many(self.streams())
        events = [recorded for history in histories.values() for recorded in history.events]
        return sorted(events, key=lambda recorded: recorded.position)


def decide(
    index: Index, verdict: Verdict, children: Sequence[UUID] = (), reason: str = "documents-seen"
) -> None:
    """Decide on the one record that waits."""
    (held,) = index.waiting()
    command = DecideHeldRecord(
        at=index.home.clock.now(), held=held, verdict=verdict, children=tuple(children), reason=reason
    )
    index.loader.decide(command, index.by(), lambda _: True)
