"""Whether the time of a refused sign-in tells whether the name is an account's: measured on PostgreSQL, with a control.

Triples in random order: a name that is an account's, another that is, and one that is nobody's, each with a wrong
password. The whole bootstrap interval of the median of the paired differences must lie within a bound, as a test of
significance would fail on nothing; that between the two accounts is the control: where it does not, the machine is too
busy to say. Of the whole, which is nearly all the hash, and of what is done beside the hash, which is what could
differ; by the clock, as it looks from outside, and by what the thread computed, which other programs disturb less.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Final

import pytest

from adapters.factors import StandardFactors
from cli.bootstrap import open_app
from domain.errors import AccessDenied
from domain.signing_in import Proof
from tests.acceptance.authenticators import enrolled
from tests.acceptance.conftest import NewHome, bare_home, new_home
from tests.acceptance.test_access import granted

__all__ = ["bare_home", "new_home"]

pytestmark = [pytest.mark.postgres, pytest.mark.benchmark, pytest.mark.timeout(900)]

TRIPLES: Final = 1500
WARM: Final = 20
RESAMPLES: Final = 2000
CLOCKS: Final[dict[str, Callable[[], float]]] = {
    "by the clock": time.perf_counter,
    "computed": time.thread_time,
}
BOUNDS: Final[dict[str, dict[str, float]]] = {
    "the whole": {"by the clock": 200e-6, "computed": 200e-6},
    "beside the hash": {"by the clock": 200e-6, "computed": 20e-6},
}
"""Seconds by which two names may differ. How long a hash takes varies with its salt and with what else runs."""


class TimedHash(StandardFactors):
    """What passwords and codes are proved by, and how long the last comparison of a password took."""

    def __init__(self) -> None:
        super().__init__()
        self.took = dict.fromkeys(CLOCKS, 0.0)

    def is_password(self, password: str, hashed: str) -> bool:
        began = {by: clock() for by, clock in CLOCKS.items()}
        found = super().is_password(password, hashed)
        self.took = {by: clock() - began[by] for by, clock in CLOCKS.items()}
        return found


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
    took: dict[tuple[str, str, str], list[float]] = {
        (what, by, name): [] for what in BOUNDS for by in CLOCKS for name in names
    }
    with open_app(line.home, line.settings) as app, line.as_superuser() as connection:
        factors, now = TimedHash(), app.now()
        signing = replace(app.signing, factors=factors)
        for turn in range(TRIPLES + WARM):
            for name in chance.sample(names, len(names)):
                connection.execute("DELETE FROM sign_in.attempt")
                proof = Proof(name, "wrong but long enough", "000000", "somewhere")
                began = {by: clock() for by, clock in CLOCKS.items()}
                with pytest.raises(AccessDenied):
                    signing.sign_in(proof, now)
                if turn < WARM:
                    continue
                for by, clock in CLOCKS.items():
                    whole = clock() - began[by]
                    took["the whole", by, name].append(whole)
                    took["beside the hash", by, name].append(whole - factors.took[by])
    beyond: list[str] = []
    for what, bounds in BOUNDS.items():
        for by, bound in bounds.items():
            known, also, nobody = (took[what, by, name] for name in names)
            print(f"\n{what}, {by}: median of a refusal {median(known) * 1e3:.2f} ms, {TRIPLES} triples")
            for pair, other in (("also known − known, the control", also), ("nobody − known", nobody)):
                middle, low, high = interval([b - a for a, b in zip(known, other, strict=True)], chance)
                told = f"{middle * 1e6:+.0f} µs, 95 % between {low * 1e6:+.0f} and {high * 1e6:+.0f} µs"
                print(f"  {pair}: {told}; bound {bound * 1e6:.0f} µs")
                if not -bound < low <= high < bound:
                    beyond.append(f"{what}, {by}: {pair}: {told}")
    assert not beyond, beyond
