"""How well linking tells who is who, on an invented population whose truth is known."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from cli.population import draws
from domain.child_record.events import Source
from domain.supply.model import fold as fold_held
from ingest.population.files import FILES, write
from tests.loading import Index

SOURCES: Final = ("births", "child-benefit", "pds")
Entry = tuple[str, str]
"""Kind of source, and the source's own number."""


@dataclass(frozen=True)
class Population:
    """The files of a population, and whom each entry is about."""

    files: dict[str, bytes]
    person: dict[Entry, str]


@dataclass(frozen=True)
class Measured:
    """Pairs of entries: of one person, joined, joined though of two, and of one person that wait for a human."""

    persons: int
    records: int
    pairs: int
    right: int
    wrong: int
    waiting: int

    @property
    def precision(self) -> float:
        """Of the pairs that were joined, the share that are of one person."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of the pairs of one person, the share that were joined."""
        return self.right / self.pairs

    @property
    def reached(self) -> float:
        """Of the pairs of one person, the share that were joined or wait for a human."""
        return (self.right + self.waiting) / self.pairs


def population(children: int, seed: int) -> Population:
    """An invented population of the sources that can be loaded."""
    files = {source: io.StringIO() for source in FILES}
    write(children, seed, draws, files)
    truth = csv.DictReader(io.StringIO(files["truth"].getvalue()))
    person = {(row["source"], row["source_id"]): row["person"] for row in truth if row["source"] in SOURCES}
    return Population({source: files[source].getvalue().encode() for source in SOURCES}, person)


def loaded(people: Population, sources: Sequence[str] = SOURCES) -> Index:
    """An index with these files, one after the other."""
    index = Index(chunk=500)
    for source in sources:
        index.load(source, people.files[source])
    return index


def clusters(index: Index) -> list[frozenset[Entry]]:
    """The entries that each record is made of."""
    return [
        frozenset(
            (str(a.event.source_kind), a.event.source.record)
            for a in record.assertions
            if isinstance(a.event.source, Source) and a.event.source.record is not None
        )
        for record in index.records()
    ]


def measured(people: Population, index: Index) -> Measured:
    """How the records of an index compare with the truth."""
    found = clusters(index)
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry, person in people.person.items():
        entries[person].append(entry)
    pairs = sum(len(list(combinations(own, 2))) for own in entries.values())
    joined = [pair for cluster in found for pair in combinations(sorted(cluster), 2)]
    right = sum(people.person[one] == people.person[other] for one, other in joined)
    return Measured(
        persons=len(entries),
        records=len(found),
        pairs=pairs,
        right=right,
        wrong=len(joined) - right,
        waiting=_waiting(people, index),
    )


def _waiting(people: Population, index: Index) -> int:
    """Pairs of a held entry with those of a record it waits for that is the same person's."""
    of_record = dict(zip((record.child_id for record in index.records()), clusters(index), strict=True))
    count = 0
    for history in index.store.load_many(index.waiting()).values():
        held = fold_held(history)
        assert held is not None
        entry = (str(held.source_kind), held.assertion.source.record or "")
        near: Iterable[Entry] = (one for child in held.candidates for one in of_record.get(child, ()))
        count += sum(people.person[one] == people.person[entry] for one in near)
    return count
