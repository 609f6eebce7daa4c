"""T79. Database and client killed in the middle of a shield: it stands in full, or it was not acknowledged.

A home with a server of its own. The server (all its processes) or whoever asked is killed with 9 at any moment of a
shield that is raised or lifted; then the server starts again at the next command, as it does after any crash.
"""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from adapters.postgres import keeper
from adapters.postgres.embedded import EmbeddedServer
from tests.acceptance.conftest import own_server
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born
from tests.acceptance.processes import ended, started
from tests.acceptance.test_shields import SHOWN_OF_A_SHIELDED_CHILD, assert_shielded
from tests.plugins_counts import count, seed

__all__ = ["own_server"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(14_000)]

RAISE = ("record", "shield", "{child}", "--ground", "child-at-risk")
LIFT = ("record", "lift-shield", "{child}")


@pytest.fixture(scope="module")
def one_command(own_server: Line) -> float:
    """Seconds that one command takes here and now."""
    began = time.monotonic()
    status, _ = ended(started(own_server, "health"))
    assert status == 0
    return time.monotonic() - began


def test_t79_a_shield_stands_in_full_or_was_not_acknowledged(own_server: Line, one_command: float) -> None:
    line, choice = own_server, random.Random(seed())
    one = a_child()
    child = born(line, one)
    acknowledged = {"shield": 0, "lift-shield": 0}
    killed = 0
    rounds = count(300, minimum=6)
    for number in range(5 * rounds):
        if number >= rounds and killed and all(acknowledged.values()):
            break  # on a machine that is now slow, now quick, it takes more rounds until both were seen
        before = is_shielded(line, child)
        words = [word.format(child=child) for word in (LIFT if before else RAISE)]
        acting = ("data-manager", "data-manager-2") if before else ("social-worker", None)
        began = time.monotonic()
        process = started(line, *words, acting=acting[0], second=acting[1])
        time.sleep(choice.uniform(0.3, 1.5) * one_command)
        match number % 3:
            case 0:
                kill_the_server(line.home)
            case 1:
                process.kill()
            case _:
                pass  # so that there are some that were acknowledged
        status, answer = ended(process)
        killed += status != 0
        after = is_shielded(line, child)
        if status == 0:
            assert after is not before, "what was acknowledged is so"
            assert answer["receipt"]
            acknowledged[words[1]] += 1
            one_command = min(
                one_command, time.monotonic() - began
            )  # measured on a machine that was busy, perhaps
        if not after:
            assert line.shown(child)["address"]["postcode"] == one.postcode, "shown in full, if at all"
        if before and not after:
            assert decided(line), "and what became visible was on record, and sealed, before"
            line.done("audit", "verify")
        assert_found_only_as_shown(line, child, one, shielded=after)
    assert killed
    assert all(acknowledged.values())
    line.done("audit", "verify")


def kill_the_server(home: Path) -> None:
    """All its processes at once."""
    postmaster = keeper.postmaster_pid(home / "postgres" / "data")
    if postmaster is None:
        return
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in [postmaster, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
    while EmbeddedServer(home).running() is not None:
        time.sleep(0.01)


def is_shielded(line: Line, child: str) -> bool:
    """As every reader sees it, in full: nothing between shielded and not is ever shown."""
    record = line.shown(child)
    if record.get("shielded"):
        assert set(record) == SHOWN_OF_A_SHIELDED_CHILD
        return True
    return False


def assert_found_only_as_shown(line: Line, child: str, one: Child, *, shielded: bool) -> None:
    if shielded:
        assert_shielded(line, child, one)
    by_place = [hit["child_id"] for hit in line.found(*one.criteria, "--postcode", one.postcode)]
    assert by_place == ([] if shielded else [child])


def decided(line: Line) -> list[Json]:
    entries: list[Json] = line.done("audit", "what-saw", "data-manager")["entries"]
    return [one for one in entries if (one["action"], one["outcome"]) == ("lift-shield", "granted")]
