"""What the access event costs each look: the look as a whole, the part that records it, and the wait for a receipt.

On a durable server under a home, through the handlers that every door uses, one look after the other.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import pytest

from cli.app import App
from cli.attending import attend
from cli.bootstrap import open_app
from domain.access.commands import OpenRecord
from domain.access.handlers import open_record
from domain.access.model import Access
from domain.access.ports import AccessLog, Looking
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_shields import shield

pytestmark = [pytest.mark.postgres, pytest.mark.benchmark, pytest.mark.timeout(600)]

LOOKS, OVERRIDES = 1_000, 100


@dataclass
class Timed:
    """The access log, with the seconds that each append took, and each digest."""

    log: AccessLog
    appends: list[float] = field(default_factory=list)
    digesting: list[float] = field(default_factory=list)

    def digests(
        self, access_id: UUID, instant: datetime, displays: Sequence[tuple[UUID, bytes]], page: bytes
    ) -> tuple[list[bytes], bytes]:
        began = time.perf_counter()
        found = self.log.digests(access_id, instant, displays, page)
        self.digesting.append(time.perf_counter() - began)
        return found

    def append(self, access: Access) -> None:
        began = time.perf_counter()
        self.log.append(access)
        self.appends.append(time.perf_counter() - began)

    def load(self, access_id: UUID) -> Access | None:
        return self.log.load(access_id)


@pytest.fixture
def home() -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="contactpoint-home-") as folder:
        line = Line(Path(folder) / "home")
        line.done("init", "--training")
        yield line
        line("stop")


def test_what_the_access_event_costs_each_look(home: Line) -> None:
    child, shielded = UUID(born(home, a_child())), UUID(born(home, a_child()))
    shield(home, str(shielded))
    attend(home.home)
    with open_app(home.home, home.settings) as app:
        timed = Timed(app.access_log)
        looks = seconds(app, timed, "practitioner", child, LOOKS)
        behind = seconds(app, Timed(app.access_log), "social-worker", shielded, OVERRIDES, override=True)
    whole, recording = median(looks), median(timed.appends) + median(timed.digesting)
    print(
        f"\na look {1000 * whole:.2f} ms (p99 {1000 * quantiles(looks, n=100)[98]:.2f}), of which the access event "
        f"{1000 * recording:.2f} ms ({100 * recording / whole:.0f} %): append {1000 * median(timed.appends):.2f}, "
        f"digests {1000 * median(timed.digesting):.2f}; an override with its receipt {1000 * median(behind):.1f} ms "
        f"(p99 {1000 * quantiles(behind, n=100)[98]:.1f})"
    )
    assert recording < whole
    assert len(timed.appends) == LOOKS


def seconds(
    app: App, timed: Timed, name: str, child: UUID, number: int, *, override: bool = False
) -> list[float]:
    """How long each of so many looks took."""
    looking: Looking = replace(app.looking(app.viewer(name)), log=timed)
    found = []
    for _ in range(number):
        command = OpenRecord(
            at=app.now(),
            access_id=app.ids.new(),
            reason="section-47" if override else "casework",
            child_id=child,
            override=override,
        )
        began = time.perf_counter()
        shown = open_record(command, looking)
        found.append(time.perf_counter() - began)
        assert (shown.receipt is not None) is override
    return found
