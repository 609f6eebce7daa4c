"""Whether the time of a search tells that it named where a shielded child is: measured on PostgreSQL, with a control.

Triples in random order: a shielded child's name with the postcode where she is, and with two where nobody is. The
whole bootstrap interval of the median of the paired differences has to lie within a bound: one that merely touches it
shows nothing. That between the two misses is the control: where it is not within, the machine is too busy for the other
to say anything (Reparaz et al., "dudect"; samples are paired).
"""

import random
import time
from collections.abc import Callable
from typing import Final

import pytest

from cli.bootstrap import open_app
from domain.access.commands import SearchRecords
from domain.access.events import Criteria
from domain.access.handlers import search
from tests.acceptance.conftest import NewHome, bare_home, new_home
from tests.acceptance.people import a_child, born
from tests.benchmarks.test_sign_in_timing import interval

__all__ = ["bare_home", "new_home"]

pytestmark = [pytest.mark.postgres, pytest.mark.benchmark, pytest.mark.timeout(900)]

TRIPLES: Final = 1000
CLOCKS: Final[dict[str, tuple[Callable[[], float], float]]] = {
    "by the clock": (time.perf_counter, 0.0002),
    "computed": (time.thread_time, 0.00002),
}
"""Each with the seconds by which a hit and a miss may differ."""


def test_a_search_by_where_a_shielded_child_is_takes_as_long_as_any_miss(new_home: NewHome) -> None:
    line = new_home()
    chance = random.Random(20260302)
    one = a_child()
    line.record("shield", born(line, one), "--ground", "crime", acting="social-worker")
    asked = {
        name: Criteria(name=one.name, date_of_birth=one.born, postcode=postcode)
        for name, postcode in (("hidden", one.postcode), ("miss", "TR1 1AA"), ("another", "TR2 2BB"))
    }
    took: dict[tuple[str, str], list[float]] = {(by, name): [] for by in CLOCKS for name in asked}
    with open_app(line.home, line.settings) as app:
        looking = app.looking(app.viewer("practitioner"))
        for turn in range(TRIPLES + 20):
            for name in chance.sample(list(asked), len(asked)):
                command = SearchRecords(
                    at=app.now(), access_id=app.ids.new(), reason="casework", criteria=asked[name]
                )
                began = {by: clock() for by, (clock, _) in CLOCKS.items()}
                assert search(command, looking).display["results"] == []
                for by, (clock, _) in CLOCKS.items():
                    if turn >= 20:  # warm
                        took[by, name].append(clock() - began[by])
    for by, (_, bound) in CLOCKS.items():
        hidden, miss, another = (took[by, name] for name in ("hidden", "miss", "another"))
        for what, other in (
            ("where she is − a miss", hidden),
            ("another miss − a miss, the control", another),
        ):
            middle, low, high = interval([b - a for a, b in zip(miss, other, strict=True)], chance)
            print(
                f"\n{by}: {what}: {middle * 1e6:+.0f} µs, 95 % between {low * 1e6:+.0f} and {high * 1e6:+.0f} µs"
            )
            assert -bound < low <= high < bound, f"{by}: {what}: the whole interval is not within the bound"
