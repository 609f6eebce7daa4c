"""`bench match`: linking one source record, over as many children as an index holds.

What is timed is what a load does with a record that has been read: its keys, its candidates from the match index, the
places of shielded children, the decision, and where there is no match the screen against shielded children.
"""

import gc
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final
from uuid import UUID

from adapters.postgres.view_store import PostgresViewStore
from adapters.rule_files import present
from cli.benches.measuring import PeakMemory, latencies, milliseconds, percentile
from cli.benches.peopled import AT, SOURCES, filled, histories, told
from cli.benches.place import ACTOR, home_of_its_own, settled
from cli.bootstrap import open_app
from cli.output import Json, Output
from cli.settings import Settings
from domain.child_record.events import SourceKind
from ingest.matching import blocking, normalise
from ingest.matching.blocking import Candidate
from ingest.matching.decision import Decision, Match, NoMatch, Queue, decide, near_shielded
from ingest.pipeline import Loader
from ingest.population.people import BLOCK
from ingest.source_record import SourceRecord
from projections.match_index.queries import MatchIndex
from projections.match_index.view import MATCH_INDEX

CHILDREN: Final = 100_000
RECORDS: Final = 200
"""Of each kind."""

_WARMING: Final = 10
"""Records of each kind that are not counted."""
_SEED: Final = 7
_NEW: Final = "new-births"
_OTHERS: Final = (SourceKind.SCHOOL_CENSUS, SourceKind.CTF, SourceKind.CASE_MANAGEMENT)
"""Sources of which the index knows nothing yet, with their own slips."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """A source record and the child it is about; None where the index does not hold that child."""

    kind: str
    record: SourceRecord
    child_id: UUID | None


def measure(children: int, records: int, output: Output) -> Json:
    """Run it: so many records of each kind."""
    began = time.monotonic()
    with home_of_its_own() as home, ExitStack() as closing:
        output.note(f"A home of its own, its match index filled with {children:,} invented children.")
        app = closing.enter_context(open_app(home, Settings(home=home)))
        filled(home, app.upkeep.stores, MATCH_INDEX, children, output)
        settled(home)
        arriving = mix(children, records + _WARMING)
        answer = linked(app.writing.loader, app.upkeep.stores.views(), arriving, output)
    return {**answer, "children": children, "seconds": round(time.monotonic() - began, 1)}


def mix(children: int, each: int) -> list[Arriving]:
    """So many records of each kind, taking turns; the same each time."""
    random = Random(_SEED)  # noqa: S311 - it chooses records; nothing is kept secret by it
    found: dict[str, list[Arriving]] = {kind: [] for kind in (*SOURCES, *_OTHERS, _NEW)}
    for one in _arriving(children, random):
        if len(found[one.kind]) < each:
            found[one.kind].append(one)
        if min(map(len, found.values())) == each:
            break
    for own in found.values():
        random.shuffle(own)
    return [one for turn in zip(*found.values(), strict=False) for one in turn]


def _arriving(children: int, random: Random) -> Iterator[Arriving]:
    """Records about children of the index, from blocks all over it, and about as many that were born since."""
    rules, blocks = present(), -(-children // BLOCK)
    for block in random.sample(range(blocks), blocks):
        held = {person: history.stream_id for person, history in histories(block, rules, children).items()}
        for person, record in told(block, (*SOURCES, *_OTHERS), children):
            yield Arriving(record.kind, record, held.get(person))
        for _, record in told(blocks + block, (SourceKind.BIRTHS,)):
            yield Arriving(_NEW, record, None)


def linked(loader: Loader, views: PostgresViewStore, arriving: Sequence[Arriving], output: Output) -> Json:
    """Each record linked beside an exact look-up of it and a candidate fetched by its id."""
    index = TimedIndex(views)
    timings: dict[str, Timings] = {}
    theirs, floor = list[float](), list[float]()
    kinds = len({one.kind for one in arriving})
    turns = len(arriving) // kinds
    warming = kinds * (_WARMING if turns > _WARMING else turns // 2)
    gc.collect()
    gc.freeze()  # what the bench itself has made is not gone through again while it measures
    output.note(f"{len(arriving) - warming} records.")
    with PeakMemory() as peak:
        for number, one in enumerate(arriving):
            began = time.perf_counter()
            decision = link(loader, index, one.record)
            took = (time.perf_counter() - began) * 1000
            exactly = milliseconds(_exact, views, one.record)
            by_id = milliseconds(index.get_one, one.child_id)
            if number >= warming:
                timings.setdefault(one.kind, Timings()).add(took, index, decision, one.child_id)
                theirs.append(exactly)
                floor.append(by_id)
    every = [took for own in timings.values() for took in own.all]
    ours, exact, by_key = (percentile(one, 0.99) for one in (every, theirs, floor))
    return {
        "ours": round(ours, 3),
        "theirs": round(exact, 3),
        "floor": round(by_key, 3),
        "ratio_theirs": round(ours / exact, 2),
        "ratio_floor": round(ours / by_key, 2),
        "unit": "ms, p99",
        "events": len(every),
        "peak_mib": round(peak.mib, 1),
        "link": latencies(every),
        "look_up": latencies([one for own in timings.values() for one in own.look_up]),
        "kinds": {kind: own.words() for kind, own in timings.items()},
        "all_theirs": latencies(theirs),
        "all_floor": latencies(floor),
    }


def link(loader: Loader, index: "TimedIndex", record: SourceRecord) -> Decision:
    """What a load decides about one record. Keys, look-ups and decision are the load's own."""
    item = loader.item_of(record, b"", None, AT)
    candidates = index.find(item.linking | item.screening)
    near = frozenset(loader.places.near(item.places))
    decision = decide(item.incoming, candidates)
    if isinstance(decision, NoMatch):
        near_shielded(item.incoming, candidates, near)
    return decision


class TimedIndex:
    """The match index as a load reads it, with a watch on the look-up and a count of what it gives."""

    def __init__(self, views: PostgresViewStore) -> None:
        self._index = MatchIndex(partial(views.reading, MATCH_INDEX))
        self.milliseconds = 0.0
        self.found = 0

    def find(self, keys: frozenset[str]) -> list[Candidate]:
        """The candidates under these keys."""
        began = time.perf_counter()
        found = self._index.find(keys)
        self.milliseconds, self.found = (time.perf_counter() - began) * 1000, len(found)
        return found

    def get_one(self, child_id: UUID | None) -> None:
        """Fetch one candidate by its id."""
        self._index.get([child_id or ACTOR])


@dataclass(slots=True)
class Timings:
    """Milliseconds of each record of one kind, and what was decided."""

    all: list[float] = field(default_factory=list)
    look_up: list[float] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)
    decided: Counter[str] = field(default_factory=Counter)

    def add(self, took: float, index: TimedIndex, decision: Decision, child_id: UUID | None) -> None:
        """Note one record."""
        self.all.append(took)
        self.look_up.append(index.milliseconds)
        self.candidates.append(index.found)
        self.decided[_outcome(decision, child_id)] += 1

    def words(self) -> Json:
        """As the answer tells it: the share of each outcome, and how many candidates there were."""
        return {
            **latencies(self.all),
            "candidates_p50": statistics.median(self.candidates),
            "candidates_max": max(self.candidates),
            **{outcome: round(self.decided[outcome] / len(self.all), 3) for outcome in OUTCOMES},
        }


OUTCOMES: Final = ("right", "wrong", "queued", "new")
"""Linked to the child it is about, or to another; left to a human; taken for a child that is not held."""


def _outcome(decision: Decision, child_id: UUID | None) -> str:
    match decision:
        case Match():
            return "right" if decision.child_id == child_id else "wrong"
        case Queue():
            return "queued"
        case _:
            return "new"


def _exact(views: PostgresViewStore, record: SourceRecord) -> list[UUID]:
    """The yardstick: whoever has this NHS number, or exactly these names and this date of birth. Decides nothing."""
    facts = record.facts
    keys = [blocking.by_nhs_number(facts.nhs_number)] if facts.nhs_number else []
    if facts.date_of_birth is not None:
        keys += [blocking.by_name(normalise.person_name(name), facts.date_of_birth) for name in facts.names]
    with views.reading(MATCH_INDEX) as connection:
        found = connection.execute("SELECT DISTINCT child_id FROM key WHERE key = ANY (%s)", (keys,))
        return [row[0] for row in found]
