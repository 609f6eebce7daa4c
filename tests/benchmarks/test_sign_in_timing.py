"""Whether the time of a refused sign-in tells whether the name is an account's: measured on PostgreSQL, with a control.

Triples in random order: a name that is an account's, another that is, and one that is nobody's, each with a wrong
password. The bootstrap interval of the median of the paired differences is compared with a bound, as a test of
significance would fail on nothing; that between the two accounts is the control, without which the other says nothing.
By the clock, as it looks from outside, and by what the thread computed, which other programs disturb less.
"""

import random
import time
from collections.abc import Callable
from statistics import median
from typing import Final

import pytest

from cli.bootstrap import open_app
from domain.errors import AccessDenied
from domain.signing_in import Proof
from tests.acceptance.authenticators import enrolled
from tests.acceptance.conftest import NewHome, bare_home, new_home
from tests.acceptance.test_access import granted

__all__ = ["bare_home", "new_home"]

pytestmark = [pytest.mark.postgres, pytest.mark.benchmark, pytest.mark.timeout(900)]

TRIPLES: Final = 300
BOUND: Final = 0.001
"""Seconds. A hash takes at least twenty times as long, and differs by more from one to the next."""
RESAMPLES: Final = 2000
CLOCKS: Final[dict[str, Callable[[], float]]] = {
    "by the clock": time.perf_counter,
    "computed": time.thread_time,
}


def interval(differences: list[float], chance: random.Random) -> tuple[float, float, float]:
    """Median, and the bounds within which it lies in 95 of 100 resamples."""
    medians = sorted(median(chance.choices(differences, k=len(differences))) for _ in range(RESAMPLES))
    return median(differences), medians[RESAMPLES * 25 // 1000], medians[RESAMPLES * 975 // 1000]


def test_a_name_that_is_nobodys_is_refused_in_the_same_time(new_home: NewHome) -> None:
    line = new_home()
    chance = random.Random(20260302)
    for name in ("known", "also-known"):
        enrolled(line, granted(line, name))
    names = ("known", "also-known", "nobody-of-it")
    took: dict[tuple[str, str], list[float]] = {(by, name): [] for by in CLOCKS for name in names}
    with open_app(line.home, line.settings) as app, line.as_superuser() as connection:
        signing, now = app.signing, app.now()
        for turn in range(TRIPLES + 10):
            for name in chance.sample(names, len(names)):
                connection.execute("DELETE FROM sign_in.attempt")
                proof = Proof(name, "wrong but long enough", "000000", "somewhere")
                began = {by: clock() for by, clock in CLOCKS.items()}
                with pytest.raises(AccessDenied):
                    signing.sign_in(proof, now)
                for by, clock in CLOCKS.items():
                    if turn >= 10:  # warm
                        took[by, name].append(clock() - began[by])
    for by in CLOCKS:
        known, also, nobody = (took[by, name] for name in names)
        print(f"\n{by}: median of a refusal {median(known) * 1e3:.1f} ms, {TRIPLES} triples")
        for what, other in (("nobody − known", nobody), ("also known − known, the control", also)):
            middle, low, high = interval([b - a for a, b in zip(known, other, strict=True)], chance)
            print(f"  {what}: {middle * 1e6:+.0f} µs, 95 % between {low * 1e6:+.0f} and {high * 1e6:+.0f} µs")
            assert low < BOUND, f"{by}: {what}"
            assert high > -BOUND, f"{by}: {what}"
