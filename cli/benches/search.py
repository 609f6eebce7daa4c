"""`bench search`: what a practitioner waits for, over as many children as an index holds.

The view's rows are real; the records behind them are not in the log. So what is timed is the search, by the code that
serves one, and the commit of its access event; not the display of what was found.
"""

import gc
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any, Final
from uuid import UUID

from adapters.postgres.view_store import PostgresViewStore
from cli.app import App
from cli.benches.measuring import PeakMemory, latencies, milliseconds, percentile
from cli.benches.peopled import AT, filled
from cli.benches.place import ACTOR, home_of_its_own, settled
from cli.benches.searches import KINDS, Wanted, mix
from cli.benches.trigrams import Trigrams
from cli.bootstrap import open_app
from cli.output import Json, Output
from cli.settings import Settings
from domain.access.commands import SearchRecords
from domain.access.events import Criteria
from domain.access.handlers import search as search_records
from domain.access.model import Access, AccessGrant, Actor
from domain.access.ports import AccessLog, Finder
from domain.policy.access import Party, Proof, Standing
from domain.policy.granting import Holder
from domain.policy.retention import london_day
from domain.rule_set.model import RuleSet
from projections.practitioner_view.view import PRACTITIONER_VIEW

CHILDREN: Final = 100_000
SEARCHES: Final = 200
"""Of each kind."""
CLIENTS: Final = 8
PER_SECOND: Final = 100.0
"""Searches of all clients together under stress: what is planned for."""

_WARMING: Final = 5
"""Searches of each kind that are not counted."""
_AUTHORITY: Final = "E06000999"


def measure(children: int, searches: int, clients: int, output: Output) -> Json:
    """Run it: so many searches of each kind by one client, and as many by several at once."""
    began = time.monotonic()
    with home_of_its_own() as home, ExitStack() as closing:
        output.note(f"A home of its own, its view filled with {children:,} invented children.")
        app = closing.enter_context(open_app(home, Settings(home=home)))
        filled(home, app.upkeep.stores, PRACTITIONER_VIEW, children, output)
        views = app.upkeep.stores.views()
        trigrams = Trigrams(home, _live_schema(views))
        closing.callback(trigrams.close)
        settled(home)
        answer = searched(app, views, trigrams, mix(children, searches + _WARMING), clients, output)
    return {**answer, "children": children, "seconds": round(time.monotonic() - began, 1)}


def searched(
    app: App,
    views: PostgresViewStore,
    trigrams: Trigrams,
    wanted: Sequence[Wanted],
    clients: int,
    output: Output,
) -> Json:
    """Each search beside the same one by trigrams and a row fetched by its key; then by several clients at once."""
    warming, counted = wanted[: _WARMING * len(KINDS)], wanted[_WARMING * len(KINDS) :]
    alone, theirs, floor = Timings(), list[float](), list[float]()
    client = Client(app)
    gc.collect()
    gc.freeze()  # what the bench itself has made is not gone through again while it measures
    output.note(f"One client: {len(counted)} searches.")
    with PeakMemory() as peak:
        for one in warming:
            client.search(one)
            trigrams.find(one.criteria, _SHOWN)
        for one in counted:
            alone.add(one, client, client.search(one))
            theirs.append(milliseconds(trigrams.find, one.criteria, _SHOWN))
            floor.append(milliseconds(_a_row, views))
        output.note(f"{clients} clients: {PER_SECOND:.0f} searches a second.")
        stress, per_second = at_once([Client(app) for _ in range(clients)], counted)
    ours, by_trigrams, by_key = (percentile(one, 0.99) for one in (alone.queries, theirs, floor))
    return {
        "ours": round(ours, 3),
        "theirs": round(by_trigrams, 3),
        "floor": round(by_key, 3),
        "ratio_theirs": round(ours / by_trigrams, 2),
        "ratio_floor": round(ours / by_key, 2),
        "unit": "ms, p99",
        "events": len(alone.whole) + len(stress.whole),
        "peak_mib": round(peak.mib, 1),
        **alone.words(),
        "all_theirs": latencies(theirs),
        "all_floor": latencies(floor),
        "stress": {"clients": clients, "per_second": round(per_second, 1), **stress.words()},
    }


@dataclass(slots=True)
class Timings:
    """Milliseconds of each search: of the query by kind, of the commit of the access event, of all of it."""

    query: dict[str, list[float]] = field(default_factory=dict)
    commit: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)

    def add(self, wanted: Wanted, client: "Client", whole: float) -> None:
        """Note what a client just did."""
        self.query.setdefault(wanted.kind, []).append(client.finder.milliseconds)
        self.commit.append(client.log.milliseconds)
        self.whole.append(whole)
        met = wanted.child_id in client.finder.found
        self.found[wanted.kind] = self.found.get(wanted.kind, 0) + met

    @property
    def queries(self) -> list[float]:
        """The queries of every kind."""
        return [one for own in self.query.values() for one in own]

    def words(self) -> Json:
        """As the answer tells it. `found`: the share of searches that find the child they are for."""
        return {
            "query": latencies(self.queries),
            "commit": latencies(self.commit),
            "whole": latencies(self.whole),
            "kinds": {
                kind: {**latencies(own), "found": round(self.found[kind] / len(own), 3)}
                for kind, own in self.query.items()
            },
        }


class Client:
    """One who searches as `search` does, with a watch on the query and on the commit."""

    def __init__(self, app: App) -> None:
        looking = app.looking(_searcher(app.rules))
        self.finder = TimedFinder(looking.finder)
        self.log = TimedLog(looking.log)
        self._looking = replace(looking, finder=self.finder, log=self.log)

    def search(self, wanted: Wanted) -> float:
        """Search, and say how many milliseconds it took."""
        access_id = self._looking.ids.new()
        command = SearchRecords(at=AT, access_id=access_id, reason="casework", criteria=wanted.criteria)
        return milliseconds(search_records, command, self._looking)


def _searcher(rules: RuleSet) -> Actor:
    """Somebody of whom every condition of access holds; they have no account, so that a search is measured alone."""
    account, organisation = (
        Party({code: Proof(london_day(AT)) for code, one in rules.conditions.items() if one.of == of})
        for of in ("account", "organisation")
    )
    purposes = ("casework",)
    standing = Standing("practitioner", purposes, False, "health", account, organisation, training=True)
    holder = Holder(ACTOR, None)
    return Actor(
        ACTOR, "practitioner", ACTOR, _AUTHORITY, _AUTHORITY, purposes, standing, holder, None, None, True, ()
    )


class TimedFinder:
    """Implements `domain.access.ports.Finder` by another, and keeps what it found and how long that took."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.milliseconds = 0.0
        self.found: list[UUID] = []

    def find(self, grant: AccessGrant, criteria: Criteria, limit: int) -> tuple[list[UUID], bool]:
        """See the port."""
        began = time.perf_counter()
        self.found, more = self._finder.find(grant, criteria, limit)
        self.milliseconds = (time.perf_counter() - began) * 1000
        return self.found, more

    def rank(self, criteria: Criteria, shown: dict[str, Any]) -> int | None:
        """See the port."""
        return self._finder.rank(criteria, shown)


class TimedLog:
    """Implements `domain.access.ports.AccessLog` by another, and keeps how long the last commit took."""

    def __init__(self, log: AccessLog) -> None:
        self._log = log
        self.milliseconds = 0.0
        self.digests, self.load = log.digests, log.load

    def append(self, access: Access) -> None:
        """See the port."""
        self.milliseconds = milliseconds(self._log.append, access)


def at_once(clients: Sequence[Client], wanted: Sequence[Wanted]) -> tuple[Timings, float]:
    """Share the searches out to clients, each begun when it is due, and say how many a second that came to.

    What it took is counted from when it was due: a client that is late keeps somebody waiting.
    """
    timings, failures = [Timings() for _ in clients], list[BaseException]()
    began = time.perf_counter()

    def work(number: int) -> None:
        try:
            for turn in range(number, len(wanted), len(clients)):
                due = began + turn / PER_SECOND
                time.sleep(max(due - time.perf_counter(), 0.0))
                clients[number].search(wanted[turn])
                late = (time.perf_counter() - due) * 1000
                timings[number].add(wanted[turn], clients[number], late)
        except BaseException as failure:  # noqa: BLE001 - raised again where it is waited for
            failures.append(failure)

    threads = [Thread(target=work, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return _together(timings), len(wanted) / (time.perf_counter() - began)


def _together(timings: Sequence[Timings]) -> Timings:
    all_of_them = Timings()
    for one in timings:
        all_of_them.commit += one.commit
        all_of_them.whole += one.whole
        for kind, own in one.query.items():
            all_of_them.query.setdefault(kind, []).extend(own)
            all_of_them.found[kind] = all_of_them.found.get(kind, 0) + one.found[kind]
    return all_of_them


def _live_schema(views: PostgresViewStore) -> str:
    (live,) = [one for one in views.builds(PRACTITIONER_VIEW.name) if one.state == "live"]
    return live.schema


def _a_row(views: PostgresViewStore) -> None:
    with views.reading(PRACTITIONER_VIEW) as connection:
        connection.execute("SELECT version FROM child WHERE child_id = %s", (ACTOR,)).fetchone()


_SHOWN: Final = SearchRecords.model_fields["limit"].default
