"""A part's length must not tell what happened: nearly all parts of every event fit one block."""

import pytest

from adapters.keys.cipher import BLOCKS
from domain.kernel import Log
from tests.architecture.event_classes import every
from tests.benchmarks.block_sizes import SEVERAL_FACTS, fitting, lengths, smallest_block


@pytest.mark.parametrize("log", list(Log), ids=lambda log: log.name.lower())
def test_of_every_part_of_every_event_ninety_nine_in_a_hundred_fit_one_block(log: Log) -> None:
    found = lengths(log)
    spilling = {
        f"{name} {part.name.lower()}": fitting(sizes, BLOCKS[log])
        for (name, part), sizes in found.items()
        if name not in SEVERAL_FACTS and fitting(sizes, BLOCKS[log]) < 0.99
    }
    assert not spilling, "the block is frozen: make the new event smaller, or two of it"
    assert BLOCKS[log] % 64 == 0
    assert smallest_block(found) <= BLOCKS[log]


def test_every_event_is_measured() -> None:
    measured = {name for log in Log for name, _ in lengths(log)} | SEVERAL_FACTS
    assert {event_class.NAME for _, event_class in every()} <= measured
