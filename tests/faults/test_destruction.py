"""T63. Database and client killed in the middle of a destruction: the next run completes it, or nothing was begun.

A home with a server of its own, as in `test_shield_failover`. Whatever is killed, a record is either whole, for every
reader, or destroyed under one certificate once the next run has passed; and every proof stands.
"""

import random
import time

import pytest

from tests.acceptance.conftest import own_server
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, born
from tests.acceptance.processes import ended, started
from tests.faults.test_shield_failover import kill_the_server, one_command
from tests.plugins_counts import count, seed

__all__ = ["one_command", "own_server"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(14_000)]


def test_t63_a_destruction_that_was_killed_is_completed_by_the_next_run_or_was_never_ordered(
    own_server: Line, one_command: float
) -> None:
    line, choice = own_server, random.Random(seed())
    kept = a_child()
    other = born(line, kept)
    killed = destroyed = 0
    rounds = count(150, minimum=3)
    for number in range(5 * rounds):
        if number >= rounds and killed and destroyed:
            break
        one = a_child()
        child = born(line, one)
        words = ("retention", "destroy", child, "--reason", "unlawful")
        process = started(line, *words, acting="operator", second="operator-2")
        time.sleep(choice.uniform(0.3, 1.8) * one_command)
        if number % 2:
            process.kill()
        else:
            kill_the_server(line.home)
        status, _ = ended(process)
        killed += status != 0
        ordered = line.done("retention", "run")["destructions"]
        gone = is_destroyed(line, child, one)
        destroyed += gone
        assert gone or not ordered, "what is ordered is done"
        assert gone or status != 0, "what was acknowledged is so"
        assert line.shown(other)["address"]["postcode"] == kept.postcode
    assert line.done("retention", "run")["destructions"] == [], "and once"
    assert killed
    assert destroyed
    line.done("audit", "verify")


def is_destroyed(line: Line, child: str, one: Child) -> bool:
    """Whole, or gone: nothing between is ever shown."""
    if line("show", child, "--reason", "casework", acting="practitioner").status:
        line.unseen(child)
        assert line.found(*one.criteria) == []
        return True
    assert line.shown(child)["address"]["postcode"] == one.postcode
    assert [hit["child_id"] for hit in line.found(*one.criteria)] == [child]
    return False
