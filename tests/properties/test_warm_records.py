"""Writers that keep records at hand answer as one does that reads the stream before every command."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from adapters.ids import RandomIds
from adapters.keys.key_store import KeyStore
from adapters.keys.parts import Parts
from adapters.keys.tokens import SystemTokens
from adapters.memory.warm_records import RecentRecords
from adapters.store import EncryptedEventStore, Reveal
from domain.child_record import model
from domain.child_record.events import EVENTS
from domain.child_record.handlers import WarmRecords, carry_out
from domain.errors import Refused
from domain.kernel import Command
from tests.builders import CHILD, lifts, metadata, registers, shields, the_rules
from tests.homes import Home, memory_home
from tests.plugins_counts import count
from tests.properties.test_child_record import COMMANDS

CERTIFICATE = UUID(int=900)
DESTROYED = "destroyed"


@dataclass
class Writer:
    """A process with keys and records of its own; nothing but the databases is shared."""

    home: Home
    warm: WarmRecords | None

    def __post_init__(self) -> None:
        self.keys: KeyStore = self.home.writer_keys()
        self.tokens = SystemTokens(self.keys)
        self.store = EncryptedEventStore(
            self.home.record, self.keys, Parts(EVENTS), RandomIds(), self.home.clock, right=Reveal.EVERYTHING
        )

    def answer(self, command: Command, key: bytes | None = None) -> tuple[Any, ...]:
        """What whoever gives the command is told."""
        try:
            done = carry_out(
                CHILD,
                command,
                store=self.store,
                tokens=self.tokens,
                rules=the_rules(),
                metadata=metadata(),
                idempotency_key=key,
                warm=self.warm,
            )
        except Refused as refusal:
            return type(refusal), refusal.code, refusal.field
        if done.record is not None:
            assert done.record == model.fold(self.store.load(CHILD))
        return done.appended.positions, done.appended.duplicate


def a_warm_writer(home: Home) -> Writer:
    return Writer(home, RecentRecords(time.monotonic))


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from([None, b"one key", b"another"]), COMMANDS | st.just(DESTROYED)
    ),
    min_size=2,
    max_size=14,
)


@whatever(STEPS)
@settings(max_examples=count(5_000))
def test_three_writers_with_records_at_hand_answer_as_one_without(
    steps: list[tuple[int, bytes | None, Any]],
) -> None:
    here, there = memory_home(), memory_home()
    writers = [a_warm_writer(here) for _ in range(3)]
    alone = Writer(there, None)
    assert writers[0].answer(registers()) == alone.answer(registers())
    for number, key, step in steps:
        if (
            step == DESTROYED
        ):  # by a fourth process; and a minute later, when nobody has the keys open any more
            for home in (here, there):
                home.writer_keys().destroy(CHILD, CERTIFICATE)
            for writer in (*writers, alone):
                writer.keys.flush()
        else:
            assert writers[number].answer(step, key) == alone.answer(step, key)
    assert model.fold(alone.store.load(CHILD)) == model.fold(writers[0].store.load(CHILD))
    for writer in writers:
        kept = writer.warm.get(CHILD) if writer.warm else None
        if kept is not None and kept.version == here.record.heads([CHILD])[CHILD]:
            stream = writer.store.load(CHILD)
            assert kept == model.fold(stream) or model.fold(stream).forgotten


def test_a_command_given_again_under_a_known_key_is_answered_from_the_log() -> None:
    here, there = memory_home(), memory_home()
    stale, other, alone = a_warm_writer(here), a_warm_writer(here), Writer(there, None)
    raised, lifted, key = shields(), lifts(), b"one key"
    for one, command, under in (
        (stale, registers(), None),
        (stale, raised, key),
        (other, lifted, None),
        (stale, lifted, key),  # the record at hand still has the shield, and the key is known
    ):
        assert one.answer(command, under) == alone.answer(command, under)
