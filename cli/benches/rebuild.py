"""`bench rebuild`: the practitioner view from encrypted events, beside the library's runner and a bare copy.

The runner twice: as its guide has it, a row for each event of plain text; and at the same work as ours.
"""

import multiprocessing
import statistics
import time
from contextlib import ExitStack
from threading import Event as Flag
from threading import Thread
from typing import Final
from uuid import UUID

from adapters.postgres.databases import Role
from adapters.postgres.view_store import PostgresViewStore
from adapters.rule_files import present
from adapters.store import Reveal
from cli.benches import invented
from cli.benches.bulk import EVENTS_OF_A_CHILD, PROCESSES, Ours
from cli.benches.library_view import LibraryView
from cli.benches.measuring import Slice, answer_of, compared, high_water, percentile
from cli.benches.place import ACTOR, address_of, after_settling, home_of_its_own
from cli.benches.yardsticks import CopyOut, LibraryRunner, library_environment
from cli.bootstrap import open_stores
from cli.output import Json, Output
from cli.settings import Settings
from cli.stores import Stores
from cli.viewing import Workers, engine_of
from domain.kernel import Metadata
from domain.policy.rule_book import RuleBook
from projections.engine import Progress
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.rebuild import Operations
from projections.registry import PROJECTIONS

EVENTS: Final = 200_000
ROUNDS: Final = 3
THEIRS_AT_MOST: Final = 3_000
"""Events of one slice of the library's runner: it takes each by itself, so its rate does not depend on how many."""

DELAYS: Final = 200
"""How many times it is measured how soon a change can be seen."""

_LOOK_SECONDS: Final = 0.002
_BEHIND: Final = 4_000
"""Events that a catch-up finds: some thousands, as after an hour's load."""


def measure(events: int | None, rounds: int, output: Output) -> Json:
    """Run it, on a log of so many events."""
    began = time.monotonic()
    events = events or EVENTS
    with home_of_its_own() as home, ExitStack() as closing:
        output.note(f"A home of its own, filled with {events:,} events.")
        log = Ours(home, PROCESSES)
        closing.callback(log.close)
        log.filled(max(events, EVENTS_OF_A_CHILD * PROCESSES))
        stores, _ = closing.enter_context(open_stores(home, Settings(home=home)))
        engine = engine_of(stores, RuleBook([present()]), stores.views(), stores.reader())
        operations = Operations(engine, PROJECTIONS, Workers(stores.databases, home / "kek"))
        ours = _Ours(operations)
        ours.rebuilt()
        output.note("Catching up.")
        behind = min(events, _BEHIND)
        catch_up = [_caught_up(operations, log, behind) for _ in range(rounds)]
        delays = _delays(operations, stores, max(1, min(events // 10, DELAYS)))
        library = LibraryRunner(library_environment(address_of(home)))
        closing.callback(library.close)
        likewise = LibraryView(address_of(home))
        closing.callback(likewise.close)
        copy = CopyOut(address_of(home))
        closing.callback(copy.close)

        slices = compared(
            {
                "theirs": after_settling(home, lambda: library.projected(min(events, THEIRS_AT_MOST))),
                "ours": after_settling(home, ours.rebuilt),
                "floor": after_settling(home, copy.copied),
                "theirs_same_work": after_settling(
                    home, lambda: likewise.projected(min(events, THEIRS_AT_MOST))
                ),
            },
            rounds,
            output,
        )
        answer = answer_of(slices, peak_mib=ours.peak_mib, seconds=time.monotonic() - began)
        caught_up = statistics.median(one.per_second for one in catch_up)
        same_work = max(answer["theirs_same_work"], 1e-9)
        return {
            **answer,
            "processes": Workers(stores.databases, home).processes,
            "eta_error": round(statistics.median(ours.eta_errors), 3) if ours.eta_errors else None,
            "visible_ms_p50": round(percentile(delays, 0.5), 1),
            "visible_ms_p99": round(percentile(delays, 0.99), 1),
            "catch_up": round(caught_up, 1),
            "catch_up_ratio_theirs": round(caught_up / max(answer["theirs"], 1e-9), 2),
            "catch_up_ratio_same_work": round(caught_up / same_work, 2),
        }


class _Ours:
    """Rebuilds, each beside the one before, until the new build has caught up and can be switched to."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self.peak_mib = 0.0
        self.eta_errors: list[float] = []

    def rebuilt(self) -> Slice:
        """Rebuild once."""
        told: list[Progress] = []

        def report(progress: Progress) -> None:
            told.append(progress)
            workers = [child.pid for child in multiprocessing.active_children()] or [None]
            self.peak_mib = max(self.peak_mib, *map(high_water, workers))

        rebuilt = self._operations.rebuild(PRACTITIONER_VIEW.name, switch=True, progress=report)
        early = next(
            (one for one in told if one.done >= one.total / 10 and one.eta_seconds is not None), None
        )
        if early is not None and early.done < early.total:
            expected = early.seconds + (early.eta_seconds or 0.0)
            self.eta_errors.append(abs(expected - told[-1].seconds) / told[-1].seconds)
        return Slice(rebuilt["events"], rebuilt["seconds"])


def _caught_up(operations: Operations, log: Ours, behind: int) -> Slice:
    """Add to the log, and let the live view catch up."""
    log.filled(behind)
    began = time.perf_counter()
    events = operations.feed([PRACTITIONER_VIEW.name])
    return Slice(events, time.perf_counter() - began)


def _delays(operations: Operations, stores: Stores, times: int) -> list[float]:
    """How long, in ms, from the acknowledgement of a registration until the view that follows the log has its row."""
    stopped = Flag()
    follower = Thread(
        target=lambda: operations.run(
            until_caught_up=False, names=[PRACTITIONER_VIEW.name], stop=stopped.is_set
        )
    )
    writer, views, rules = stores.store(Role.WRITER, Reveal.EVERYTHING), stores.views(), present()
    metadata = Metadata(actor=ACTOR, purpose="operation", correlation=stores.ids.new())
    file, found = stores.ids.new(), list[float]()
    follower.start()
    try:
        for number in range(times):
            command = invented.registers(number, stores.clock.now(), file, stores.ids)
            change = invented.registered(command, stores.ids, rules)
            writer.append([change], metadata)
            began = time.perf_counter()
            while not _is_there(views, change.stream_id):
                time.sleep(_LOOK_SECONDS)
            found.append((time.perf_counter() - began) * 1000)
    finally:
        stopped.set()
        follower.join()
    return found


def _is_there(views: PostgresViewStore, child_id: UUID) -> bool:
    with views.reading(PRACTITIONER_VIEW) as connection:
        return connection.execute("SELECT FROM child WHERE child_id = %s", (child_id,)).fetchone() is not None
