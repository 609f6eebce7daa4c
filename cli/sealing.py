"""The seals of a home: what seals its logs, whether they are sealed, and what checks it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Final

from adapters.faults import Reach, no_fault
from adapters.ids import RandomIds
from adapters.postgres.databases import Database, Role
from adapters.postgres.seal_state import PostgresSealState
from adapters.postgres.sealed_rows import PostgresSealedRows
from adapters.seals.keys import signer_in
from adapters.seals.monitor import Kept, Verdict, verify
from adapters.seals.notes import Kind, encoded
from adapters.seals.policy import BadPolicy, Policy
from adapters.seals.sealer import LEASE_SECONDS, Nobody, Sealer, Witnesses
from adapters.seals.tiles import Tiles
from adapters.seals.witness import AskedWitnesses
from cli.output import Json
from cli.settings import Settings
from domain.errors import BadInput, ContactPointError, Unavailable
from domain.kernel import Log

NAMES: Final = {Log.RECORD: "record", Log.ACCESS: "access"}
STALE_SECONDS: Final = 10.0
"""How long a log may hold what is not sealed before somebody is told."""

SETTLE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.01


def tiles_of(home: Path, log: Log) -> Tiles:
    """The seals of a log."""
    return Tiles(home / "seals" / NAMES[log])


def policy_of(settings: Settings) -> Policy | None:
    """The policy of witnesses that the settings name; None where they name none. Raises BadInput."""
    if settings.witnesses is None:
        return None
    try:
        return Policy.of(settings.witnesses.read_text("utf-8"))
    except BadPolicy as wrong:
        where = f"Line {wrong.line} of the" if wrong.line else "The"
        words = f"{where} policy of witnesses cannot be read: docs/seals.md says how one is written."
    except (OSError, ValueError):
        words = "CONTACTPOINT_WITNESSES names no file that can be read."
    raise BadInput(words, code="bad-setting", field="CONTACTPOINT_WITNESSES")


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals the logs of one home. Reads rows as they are stored, and opens nothing."""

    home: Path
    record: Database
    witnesses: Witnesses

    @classmethod
    def of(cls, home: Path, record: Database, settings: Settings) -> "Sealing":
        """What seals a home, with the witnesses that the settings ask for. Raises BadInput."""
        policy = policy_of(settings)
        return cls(home, record, AskedWitnesses(policy) if policy else Nobody())

    @contextmanager
    def sealer(
        self, log: Log, *, lease_seconds: float = LEASE_SECONDS, reach: Reach = no_fault
    ) -> Iterator[Sealer]:
        """The sealer of a log, under a role of its own, until the block ends. Makes its key the first time."""
        with ExitStack() as closing:
            rows = PostgresSealedRows(self.record, log)
            state = PostgresSealState(self.record, log, reach=reach)
            for each in (rows, state):
                closing.callback(each.close)
            name = f"contactpoint-{RandomIds().new().hex[:16]}/{NAMES[log]}"
            key = signer_in(self.home / "sealer" / f"{NAMES[log]}.key", name, Kind.LOG)
            yield Sealer(
                log=log,
                rows=rows,
                state=state,
                tiles=tiles_of(self.home, log),
                signer=key,
                witnesses=self.witnesses,
                lease_seconds=lease_seconds,
                reach=reach,
            )

    def seal(self, *, until_caught_up: bool, stop: Callable[[], bool]) -> Json:
        """Seal both logs, each in a thread, until stopped or caught up. Raises SealBroken, Fenced, Unavailable."""
        failed = Flag()

        def one(log: Log) -> int:
            try:
                with self.sealer(log) as sealer:
                    return sealer.run(until_caught_up=until_caught_up, stop=lambda: stop() or failed.is_set())
            except BaseException:
                failed.set()
                raise

        with ThreadPoolExecutor(len(Log), thread_name_prefix="sealer") as threads:
            ends = {log: threads.submit(one, log) for log in Log}
        return {"sealed": {NAMES[log]: end.result() for log, end in ends.items()}}


@dataclass(frozen=True, slots=True)
class Seals:
    """The seals of a home as others than the sealer see them. `attended`: the home starts a sealer when needed."""

    home: Path
    record: Database
    attended: bool
    policy: Policy | None

    def unsealed(self) -> dict[Log, int]:
        """How many events of each log are not sealed and published."""
        with self._reading() as opened:
            return {log: max(rows.head() - published(self.home, log), 0) for log, (rows, _) in opened.items()}

    def settled(self, seconds: float) -> bool:
        """Wait until what is there now is sealed; whether that came to be in time."""
        with self._reading() as opened:
            heads = {log: rows.head() for log, (rows, _) in opened.items()}
        deadline = time.monotonic() + seconds
        while any(published(self.home, log) < head for log, head in heads.items()):
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def verify(self) -> Json:
        """Hash both logs again and compare. Raises Unavailable where nothing can be compared."""
        sealed = self.settled(STALE_SECONDS)
        with self._reading() as opened:
            verdicts = [
                verify(log, rows, tiles_of(self.home, log), self.kept(log), policy=self.policy)
                for log, (rows, _) in opened.items()
            ]
        if not sealed:
            for verdict, left in zip(verdicts, self.unsealed().values(), strict=True):
                if left:
                    words = f"{left} events are not sealed: see that `contactpoint seal` runs."
                    verdict.add(words, verdict.entries + 1)
        return {"logs": [_told(verdict) for verdict in verdicts], "ok": all(one.ok for one in verdicts)}

    def watch(self, every: float, stop: Callable[[], bool]) -> Json:
        """Verify again and again, `every` so many seconds, and look in between whether anything waits to be sealed.

        The answer of the last time, once it is stopped or something is wrong. Raises Unavailable.
        """
        answer, verified = self.verify(), time.monotonic()
        while answer["ok"] and not stop():
            if time.monotonic() - verified >= every:
                answer, verified = self.verify(), time.monotonic()
                continue
            try:
                self.health()
            except ContactPointError as wrong:
                return {**answer, "ok": False, "alarm": wrong.message}
            time.sleep(min(1.0, every))
        return answer

    def health(self) -> str:
        """One line for `health`. Raises ContactPointError where what is not sealed is old, or nothing bears it out."""
        waited = self.attended and not self.settled(STALE_SECONDS)
        with self._reading() as opened:
            return "; ".join(
                self._line(log, rows, state, waited=waited) for log, (rows, state) in opened.items()
            )

    def _line(self, log: Log, rows: PostgresSealedRows, state: PostgresSealState, *, waited: bool) -> str:
        name, head, size = NAMES[log], rows.head(), published(self.home, log)
        alarm = self.kept(log).alarm()
        if alarm is not None:
            raise ContactPointError(f"`contactpoint audit verify` has found in the {name} log: {alarm}")
        if head < max(size, state.sealed().size):
            raise ContactPointError(f"The {name} log ends at {head}, and was sealed further.")
        age = state.age()
        if size < head and (waited or (age or 0.0) > STALE_SECONDS):
            raise Unavailable(
                f"Of the {name} log {head - size} events have not been sealed for {STALE_SECONDS:.0f} seconds: see "
                "that `contactpoint seal` runs."
            )
        if size < head and age is None:
            return f"nobody seals the {name} log yet: run `contactpoint seal`"
        return f"{name} log sealed to {size} of {head}"

    def kept(self, log: Log) -> Kept:
        """What the monitor keeps of a log."""
        return Kept(self.home / "monitor" / NAMES[log])

    @contextmanager
    def _reading(self) -> Iterator[dict[Log, tuple[PostgresSealedRows, PostgresSealState]]]:
        with ExitStack() as closing:
            opened = {
                log: (
                    PostgresSealedRows(self.record, log, Role.SERVICE),
                    PostgresSealState(self.record, log, Role.SERVICE),
                )
                for log in Log
            }
            for rows, state in opened.values():
                closing.callback(rows.close)
                closing.callback(state.close)
            yield opened


def published(home: Path, log: Log) -> int:
    """The size in the published checkpoint, unchecked; 0 where there is none."""
    try:
        return int((tiles_of(home, log).checkpoint() or "\n0").split("\n")[1])
    except (ContactPointError, ValueError, IndexError):
        return 0


def _told(verdict: Verdict) -> Json:
    return {
        "name": NAMES[verdict.log],
        "entries": verdict.entries,
        "root": encoded(verdict.root),
        "ok": verdict.ok,
        "findings": [
            {"what": one.what, **({"position": one.position} if one.position else {})}
            for one in verdict.findings
        ],
    }
