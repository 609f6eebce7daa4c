"""Random ids: each once, of the right version, and never the same in a process and its child."""

import os
from uuid import RFC_4122

from adapters.ids import RandomIds

MANY = 1000


def test_ids_are_random_uuids_of_version_4_and_none_comes_twice() -> None:
    ids = [RandomIds().new() for _ in range(MANY)]
    assert {(each.version, each.variant) for each in ids} == {(4, RFC_4122)}
    assert len(set(ids)) == MANY


def test_each_bit_that_may_vary_does() -> None:
    numbers = [RandomIds().new().int for _ in range(MANY)]
    fixed = 0xF << 76 | 0x3 << 62
    ever, always = 0, ~0
    for number in numbers:
        ever |= number
        always &= number
    assert ever & ~always & (2**128 - 1) == (2**128 - 1) & ~fixed


def test_a_forked_process_does_not_hand_out_its_parents_ids() -> None:
    RandomIds().new()  # the rest of what was drawn with it is waiting
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, RandomIds().new().bytes)
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 16)
    os.close(reading)
    os.close(writing)
    assert theirs not in {RandomIds().new().bytes for _ in range(200)}
