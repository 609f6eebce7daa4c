"""A shield stands whatever any source sends, in any order, twice, late, for nobody, or withdrawn.

And whatever is done to records meanwhile: merged, made two again, handed to another authority.

The sources say of an invented population what each of them knows, slips and all. That is how shields were lost once: a
record that a message did not match was made anew without one, and a national file put back what had been taken away.
"""

from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from adapters.memory.candidates import MemoryCandidates
from cli.population import draws
from domain.child_record.commands import (
    AcceptTransfer,
    MergeRecords,
    OfferTransfer,
    RaiseShield,
    SplitRecord,
)
from domain.child_record.handlers import handle, merge_records, split_record
from domain.child_record.splitting import last_merge
from domain.disclosure import RecordFacts
from domain.kernel import Command
from ingest.matching import ruled_out
from ingest.population.records import BEGIN, END, Record, records_of
from tests.builders import the_rules
from tests.loading import Index, a_births_file
from tests.plugins_counts import count

CHILDREN: Final = 3
MOVES: Final = (
    "load", "load", "load", "load", "again", "namesake", "merge", "merge", "split", "transfer", "shield", "shield",
    "withdraw", "restart", "rebuild",
)  # fmt: skip
ELSEWHERE: Final = "E06000998"


@dataclass
class Life:
    """An index, what the sources have yet to send, and what has been shielded so far."""

    random: Random
    index: Index = field(default_factory=Index)
    waiting: list[tuple[str, list[Record]]] = field(default_factory=list)
    sent: list[tuple[str, bytes, UUID]] = field(default_factory=list)
    shielded: set[UUID] = field(default_factory=set)
    doubled: set[tuple[object, ...]] = field(default_factory=set)
    two: set[tuple[object, ...]] = field(default_factory=set)
    """Of whom a human found that they are two: neither is taken for the other again."""

    def __post_init__(self) -> None:
        by_source: dict[str, list[Record]] = {}
        for record in records_of(self.random.randrange(1000), 0, draws, CHILDREN):
            by_source.setdefault(record.source, []).append(record)
        for source, records in by_source.items():
            half = self.random.randrange(len(records) + 1)
            self.waiting += [(source, part) for part in (records[:half], records[half:]) if part]
        self.random.shuffle(self.waiting)

    def load(self) -> None:
        """A source sends a file, in whatever order."""
        if self.waiting:
            source, records = self.waiting.pop()
            text = BEGIN.get(source, "") + "".join(one.text for one in records) + END.get(source, "")
            self._load(source, text.encode())

    def again(self) -> None:
        """A file comes again, late."""
        if self.sent:
            source, content, _ = self.random.choice(self.sent)
            self._load(source, content)

    def namesake(self) -> None:
        """A birth is registered of somebody nearly of the name of a child that is held, born the same day elsewhere."""
        known = {who(facts): facts for facts in self.index.facts() if facts.name and facts.date_of_birth}
        alone = [facts for key, facts in known.items() if key not in self.doubled]
        if alone:
            one = self.random.choice(alone)
            assert one.name
            assert one.date_of_birth
            self.doubled.add(who(one))
            entry = {
                "entry_id": f"NAMESAKE/{len(self.doubled)}",
                "registered_on": one.date_of_birth.isoformat(),
                "given_names": " ".join(one.name.given),
                "surname": f"{one.name.family}s",
                "date_of_birth": one.date_of_birth.isoformat(),
                "sex": "F",
                "address_line_1": f"{len(self.doubled)} Faraway Close",
                "postcode": "TR1 1AA",
            }
            self._load("births", a_births_file(entry))

    def _load(self, source: str, content: bytes) -> None:
        self.sent.append((source, content, self.index.load(source, content).file_id))

    def withdraw(self) -> None:
        """A file is taken back as a unit."""
        if self.sent:
            self.index.loader.withdraw(self.random.choice(self.sent)[2], self.index.by())

    def shield(self) -> None:
        """An officer raises a shield, and it is acknowledged."""
        records = [one for one in self.index.records() if not one.closed]
        if records:
            child = self.random.choice(records).child_id
            command = RaiseShield(at=self.index.home.clock.now(), shield=self.index.ids.new(), ground="crime")
            self._do(child, command)
            self.index.follower.catch_up(self.index.by())

    def merge(self) -> None:
        """Two people find that two records are of one child, rightly or wrongly."""
        found = [one for one in self.index.records() if not one.closed and one.archived_on is None]
        if len(found) > 1:
            survivor, other = self.random.sample(found, 2)
            authorities = [one.authority for one in (survivor, other) if isinstance(one.authority, str)]
            command = MergeRecords(
                at=self.index.home.clock.now(),
                merge=self.index.ids.new(),
                by=authorities[0] if authorities else "E06000999",
                reason="documents-seen",
                decided_by=self.index.ids.new(),
                confirmed_by=self.index.ids.new(),
                shield=self.index.ids.new(),
            )
            merge_records(
                survivor.child_id,
                other.child_id,
                command,
                store=self.index.store,
                rules=the_rules(),
                metadata=self.index.by(),
                own_marks=partial(ruled_out.own, self.index.tokens),
                idempotency_key=command.merge.bytes,
            )
            self.index.follower.catch_up(self.index.by())
            if survivor.shielded or other.shielded:
                self.shielded |= {survivor.child_id, other.child_id}

    def split(self) -> None:
        """Two people find that a merge was wrong: of a shielded record both halves begin behind a shield (T24)."""
        records = {one.child_id: one for one in self.index.records()}
        whole = [
            one for one in records.values() if one.archived_on is None and not one.closed and last_merge(one)
        ]
        if whole:
            one = self.random.choice(whole)
            ids = self.index.ids
            command = SplitRecord(
                at=self.index.home.clock.now(),
                split=ids.new(),
                first=ids.new(),
                second=ids.new(),
                by=one.authority if isinstance(one.authority, str) else "E06000999",
                reason="merged-in-error",
                decided_by=ids.new(),
                confirmed_by=ids.new(),
                to_second=(),
                shields=(ids.new(), ids.new(), ids.new()),
            )
            split_record(
                one.child_id,
                command,
                store=self.index.store,
                rules=the_rules(),
                metadata=self.index.by(),
                own_marks=partial(ruled_out.own, self.index.tokens),
                idempotency_key=command.split.bytes,
            )
            self.index.follower.catch_up(self.index.by())
            halves = [
                facts for facts in self.index.seen() if facts.child_id in (command.first, command.second)
            ]
            if len({who(facts) for facts in halves}) == 1:
                self.two.add(who(halves[0]))
            self.shielded |= {one.child_id}
            if one.shielded:
                self.shielded |= {command.first, command.second}

    def transfer(self) -> None:
        """The authority that is responsible hands a record to another, which takes it."""
        owned = [
            (one.child_id, one.authority)
            for one in self.index.records()
            if isinstance(one.authority, str) and not one.closed and one.archived_on is None
        ]
        if owned:
            child, authority = self.random.choice(owned)
            other = ELSEWHERE if authority != ELSEWHERE else "E06000999"
            at = self.index.home.clock.now()
            self._do(child, OfferTransfer(at=at, transfer=self.index.ids.new(), by=authority, to=other))
            self._do(child, AcceptTransfer(at=at, by=other))
            now = {one.child_id: one.authority for one in self.index.records()}
            assert now[child] == other
            self.index.follower.catch_up(self.index.by())

    def _do(self, child: UUID, command: Command) -> None:
        handle(
            child,
            command,
            store=self.index.store,
            tokens=self.index.tokens,
            rules=the_rules(),
            metadata=self.index.by(),
        )

    def restart(self) -> None:
        """Whoever loads is started anew on what is stored."""
        self.index = Index((self.index.home, self.index.around))

    def rebuild(self) -> None:
        """What records are looked for by is made anew from the log."""
        assert isinstance(self.index.around.candidates, MemoryCandidates)
        histories = self.index.serving.load_many(self.index.streams())
        self.index.around.candidates.index(histories.values())

    def check(self) -> None:
        """Shields stand, and nothing of whoever has one, or resembles one of them, is open to those who serve."""
        seen = self.index.seen()
        now = {facts.child_id for facts in seen if facts.shielded}
        assert self.shielded <= now
        self.shielded = now
        behind = [facts for facts in seen if facts.shielded]
        assert not [facts for facts in behind if tells_where(facts)]
        # What is near a record that is only near a shielded one is not screened again: it would never end.
        sought = {
            record.child_id
            for record in self.index.records()
            if not record.closed and any(not shield.provisional for shield in record.shields)
        }
        known = {who(facts) for facts in behind if facts.name and facts.child_id in sought} - self.two
        assert not [facts for facts in seen if not facts.shielded and who(facts) in known], (
            "the same child, in sight"
        )


def tells_where(facts: RecordFacts) -> bool:
    """Whether anything is open that a shield hides."""
    return bool(
        facts.opened or facts.whereabouts or facts.earlier_addresses or facts.carers or facts.education
        or facts.practice or facts.identifiers or facts.involvements or facts.authority
    )  # fmt: skip


def who(facts: RecordFacts) -> tuple[object, ...]:
    """Name, as near as a namesake's, and day of birth."""
    name = facts.name
    return (name and (name.given, name.family.rstrip("s")), facts.date_of_birth)


@pytest.mark.timeout(600)
@settings(max_examples=count(10_000))
@whatever(st.integers(0, 2**32), st.lists(st.sampled_from(MOVES), min_size=4, max_size=12))
def test_t22_a_shield_stands_whatever_the_sources_send(seed: int, moves: list[str]) -> None:
    life = Life(Random(seed))
    for move in moves:
        getattr(life, move)()
        life.check()
