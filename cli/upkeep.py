"""Keeping a home: backups, rotation of key-encryption keys, the sweep, and saying of each part whether it is well."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from rich.progress import Progress, TaskID

from adapters.keys.kek import rotate
from adapters.keys.remaining import remaining
from adapters.keys.sweep import sweep
from adapters.postgres.backup import backup
from adapters.postgres.databases import Role
from adapters.postgres.maintenance import maintain
from adapters.rule_files import StoredRuleBook
from cli.output import Json, Output
from cli.sealing import Seals
from cli.stores import Stores
from cli.streaming import Streaming
from domain.destruction.closing import progress
from domain.destruction.handlers import CERTIFICATES
from domain.destruction.notices import NOTICES, Notice, notice_of
from domain.errors import ContactPointError
from domain.kernel import Log
from domain.policy.closure import closed, destroyed_by
from domain.policy.retention import london_day
from projections.rebuild import Operations


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What operators do to a home as a whole."""

    home: Path
    stores: Stores
    operations: Operations
    streaming: Streaming
    seals: Seals
    rules: StoredRuleBook
    training: bool

    def backup(self, folder: Path) -> Json:
        """Copy both logs and the keys. Key-encryption keys stay behind."""
        done = backup(self.stores.databases, folder, training=self.training)
        return {"position": done.position, "access_position": done.access_position}

    def as_of(self) -> datetime | None:
        """When the last event of the record log was recorded."""
        return self.stores.recorder(Role.SERVICE).head().recorded_at

    def rotate(self, output: Output) -> Json:
        """Wrap every key under new key-encryption keys and destroy the old ones."""
        rewrapped = 0
        tables = {"keyring": self.stores.keyring_table, "shielded": self.stores.shielded_table}
        with output.progress() as bar:
            for database, table in tables.items():
                task = bar.add_task(f"rotate {database}", total=None, rate="")
                told = partial(_rewrapped, bar, task)
                rewrapped += rotate(self.stores.kek(database), table(Role.WRITER), progress=told)
        return {"rewrapped": rewrapped}

    def generations(self) -> tuple[int, int]:
        """The oldest key-encryption key that there is, of `keyring` and of `shielded`."""
        return self.stores.kek("keyring").generations()[0], self.stores.kek("shielded").generations()[0]

    def remaining(self) -> Iterator[list[UUID]]:
        """Whose keys are left, children and source records held back, a page at a time."""
        return remaining(self.stores.keyring_table(Role.SERVICE))

    def left(self) -> int:
        """Of how many of them keys are left."""
        return self.stores.keyring_table(Role.SERVICE).children()

    def certificates(self) -> int:
        """How many destructions are ordered, one by one."""
        return self.stores.recorder(Role.SERVICE).reserved(CERTIFICATES)

    def notices(self) -> Iterator[Notice]:
        """Every notice that is or was owed to whoever was given something of a record that was destroyed."""
        store = self.stores.store(Role.SERVICE)
        for notice_id in self.stores.recorder(Role.SERVICE).holders(NOTICES).values():
            yield notice_of(notice_id, store)

    def sweep(self) -> Json:
        """Remove keys that have been without a stream for thirty days."""
        tables = (self.stores.keyring_table(Role.WRITER), self.stores.shielded_table(Role.WRITER))
        instant = self.stores.clock.now() if self.training else None
        return {"removed": sweep(tables, self.stores.recorder(Role.SERVICE).heads, instant)}

    def maintain(self, output: Output) -> Json:
        """Take what was shielded, withdrawn or destroyed out of the files of the views as well."""
        started = time.monotonic()
        with output.progress() as bar:
            task = bar.add_task("maintain", total=None, rate="")
            done = maintain(
                self.stores.databases.views,
                lambda tables, total: bar.update(task, completed=tables, total=total),
            )
        return {**asdict(done), "seconds": round(time.monotonic() - started, 3)}

    def health(self) -> list[Json]:
        """One line a part. A part that does not answer is wrong, never "running"."""
        return [_part(name, look) for name, look in self._looks().items()]

    def _looks(self) -> dict[str, Callable[[], str]]:
        subscribers = {"subscribers": self.streaming.health} if self.streaming.bootstrap else {}
        return {
            "record database": lambda: self._head(Log.RECORD),
            "access log": lambda: self._head(Log.ACCESS),
            "keyring database": lambda: self._kek("keyring"),
            "shielded database": self._shielded,
            "views": self._views,
            "rules": self._rules,
            "closure": self._closure,
            "seals": self.seals.health,
            **subscribers,
        }

    def _head(self, log: Log) -> str:
        head = self.stores.recorder(Role.SERVICE, log).head()
        return f"{head.position} events"

    def _kek(self, database: str) -> str:
        generation, _ = self.stores.kek(database).newest()
        self.stores.keys(Role.SERVICE).system()
        return f"key-encryption key of generation {generation}"

    def _shielded(self) -> str:
        generation, _ = self.stores.kek("shielded").newest()
        with self.stores.databases.shielded.connect(Role.WRITER) as connection:
            connection.execute("SELECT FROM keys.key LIMIT 0")
        return f"key-encryption key of generation {generation}"

    def _rules(self) -> str:
        book, at = self.rules.book(), self.stores.clock.now()
        now = book.at(at)
        if now is book.sets[-1] and book.ends is not None and book.ends <= london_day(at):
            raise ContactPointError(
                f"The rule set {now.id} says that it ended on {book.ends}, and goes on because none follows: adopt one."
            )
        return f"{now.id} in force"

    def _closure(self) -> str:
        at = self.stores.clock.now()
        closure = self.rules.at(at).closure
        if closure is None:
            return "the index is open"
        if closed(self.rules.at(at), at) is None:
            return f"the index closes at {closure.at.isoformat()}"
        done = progress(self.stores.store(Role.SERVICE)).completed
        if done is not None:
            return f"the index is closed, and nothing of it has been left since {done.completed_on}"
        by, left = destroyed_by(closure), self.left()
        if by < london_day(at):
            raise ContactPointError(
                f"The index is closed, and everything was to be destroyed by {by}: {left} are left. `retention run`."
            )
        return f"the index is closed; {left} are left to be destroyed by {by}"

    def _views(self) -> str:
        status = self.operations.status()
        wrong = [
            view
            for view in status["views"]
            if view["state"] not in ("current", "behind", "paused", "never built")
        ]
        if wrong:
            raise ContactPointError("; ".join(f"{view['name']}: {view['state']}" for view in wrong))
        behind = sum(view["lag_events"] for view in status["views"])
        return f"{len(status['views'])} views, {behind} events behind"


def _rewrapped(bar: Progress, task: TaskID, done: int) -> None:
    bar.update(task, completed=done, rate=f"{done} keys")


def _part(name: str, look: Callable[[], str]) -> Json:
    try:
        return {"name": name, "ok": True, "detail": look()}
    except ContactPointError as error:
        return {"name": name, "ok": False, "detail": error.message}


def nothing_runs(error: ContactPointError) -> list[Json]:
    """The answer where a home cannot even be opened."""
    return [{"name": "home", "ok": False, "detail": error.message}]
