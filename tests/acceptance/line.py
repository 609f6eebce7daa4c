"""The command line as a test speaks it: what is typed, what comes back, how it ended."""

import io
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.databases import Database, Databases, connect_as_superuser
from adapters.postgres.embedded import EmbeddedServer, ServerAddress
from cli.bootstrap import open_sealing
from cli.main import status_of
from cli.settings import DatabaseUrls, ProviderSettings, Settings
from domain.errors import ContactPointError
from domain.kernel import Log
from tests.loading import a_births_file, ndjson

START: Final = datetime(2027, 3, 10, 10, 0, tzinfo=UTC)
"""When a home of these tests begins: ahead of every machine's clock that runs them, so that its own clock rules."""

DESK: Final = "desk"
"""Whose own folder it is, if nothing is said: nobody has signed in there."""

AWAITS_A_RECEIPT: Final = frozenset({"lift-shield", "--override", "retention", "confirm", "adopt"})
"""Words of commands that wait until what they did is sealed."""

Json = dict[str, Any]


@contextmanager
def _standard_input(lines: Sequence[str]) -> Iterator[None]:
    """These lines, and then its end, stand on standard input."""
    before, sys.stdin = sys.stdin, io.StringIO("".join(f"{line}\n" for line in lines))
    try:
        yield
    finally:
        sys.stdin = before


@dataclass(frozen=True)
class Answer:
    """Status, the one JSON object of stdout, and everything that was printed anywhere."""

    status: int
    json: Json
    printed: str

    def __getitem__(self, key: str) -> Any:
        return self.json[key]

    @property
    def code(self) -> str:
        """The code of the refusal; empty where it was none."""
        return str(self.json.get("error", {}).get("code", ""))

    @property
    def line(self) -> str:
        """What stood on stdout, to the byte."""
        return self.printed.splitlines()[0]


class Line:
    """`contactpoint --json --home HOME …`, in this process, on the databases of a home of one's own.

    `clock` may be set ahead, never back; each command moves it on by a microsecond, so that one follows the other.
    `databases`: where the home's databases are not under the home.
    """

    def __init__(self, home: Path, clock: datetime = START, databases: Databases | None = None) -> None:
        self.home = home
        self.clock = clock
        self.databases = databases
        self.kafka: str | None = None
        self.sets_the_clock = True
        self.somebody_seals = databases is not None
        """Whether, where the databases are not under the home, somebody seals it while an act waits for its receipt:
        as `contactpoint seal` does beside every home in use."""
        self.provider: ProviderSettings | None = None
        self._files = 0

    def words(self, *words: str, acting: str | None = None, second: str | None = None) -> list[str]:
        """All the words of a command, as they would be typed."""
        arguments = ["--json", "--home", str(self.home)]
        arguments += ["--as", acting] if acting else []
        arguments += ["--with", second] if second else []
        return [*arguments, *words]

    def __call__(
        self,
        *words: str,
        acting: str | None = None,
        second: str | None = None,
        typed: Sequence[str] = (),
        seat: str = DESK,
    ) -> Answer:
        """Type a command; `acting` is --as, `second` is --with, `typed` what is asked for, `seat` whose place."""
        out, err = io.StringIO(), io.StringIO()
        waits = self.somebody_seals and not AWAITS_A_RECEIPT.isdisjoint(words)
        with ExitStack() as around:
            for one in (redirect_stdout(out), redirect_stderr(err), _standard_input(typed)):
                around.enter_context(one)
            if waits:
                around.enter_context(self.sealer())
            status = status_of(self.words(*words, acting=acting, second=second), self.settings_at(seat))
        self.clock += timedelta(microseconds=1)
        lines = out.getvalue().splitlines()
        assert len(lines) == 1, f"{len(lines)} lines on stdout for {words[0]}"
        return Answer(status, json.loads(lines[0]), out.getvalue() + err.getvalue())

    @contextmanager
    def sealer(self) -> Iterator[None]:
        """Seals both logs of this home, as soon as there is something to seal, until the block ends."""
        ended = threading.Event()
        thread = threading.Thread(target=self._seal_until, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _seal_until(self, ended: threading.Event) -> None:
        with suppress(ContactPointError), ExitStack() as opened:
            sealing = opened.enter_context(open_sealing(self.home, self.settings))
            sealers = [opened.enter_context(sealing.sealer(log)) for log in Log]
            while not ended.wait(0.01):
                for sealer in sealers:
                    sealer.run(until_caught_up=True)

    @property
    def settings(self) -> Settings:
        """What stands in for the environment."""
        return self.settings_at(DESK)

    def settings_at(self, seat: str) -> Settings:
        """The same for somebody whose own folder is another."""
        urls = None
        if self.databases is not None:
            urls = DatabaseUrls(*(database.url for database in self.databases))
        state = self.home.with_name(f"{self.home.name}-state") / seat
        clock = self.clock if self.sets_the_clock else None
        return Settings(
            home=self.home, databases=urls, kafka=self.kafka, provider=self.provider, clock=clock, state=state
        )

    def done(
        self,
        *words: str,
        acting: str | None = None,
        second: str | None = None,
        typed: Sequence[str] = (),
        seat: str = DESK,
    ) -> Json:
        """Type a command that must succeed."""
        answer = self(*words, acting=acting, second=second, typed=typed, seat=seat)
        assert answer.status == 0, answer.json
        return answer.json

    def refused(
        self,
        code: str,
        *words: str,
        acting: str | None = None,
        second: str | None = None,
        status: int = 1,
        typed: Sequence[str] = (),
        seat: str = DESK,
    ) -> Answer:
        """Type a command that must be refused, with this code."""
        answer = self(*words, acting=acting, second=second, typed=typed, seat=seat)
        assert (answer.status, answer.code) == (status, code), answer.json
        assert answer["error"]["message"]
        return answer

    # Looking

    def search(self, *criteria: str, acting: str = "practitioner") -> Json:
        """The answer to a search for casework."""
        return self.done("search", "--reason", "casework", *criteria, acting=acting)

    def found(self, *criteria: str, acting: str = "practitioner") -> list[Json]:
        """The results of a search for casework."""
        results = self.search(*criteria, acting=acting)["results"]
        assert isinstance(results, list)
        return results

    def show(self, child: str, acting: str = "practitioner") -> Json:
        """The answer to opening a record for casework: its access id, and the record."""
        return self.done("show", child, "--reason", "casework", acting=acting)

    def shown(self, child: str, acting: str = "practitioner") -> Json:
        """A record as this account sees it."""
        record = self.show(child, acting)["record"]
        assert isinstance(record, dict)
        return record

    def unseen(self, child: str, acting: str = "practitioner") -> None:
        """This account is told that there is nothing to show."""
        self.refused("not-found", "show", child, "--reason", "casework", acting=acting)

    # Changing

    def record(self, verb: str, *words: str, acting: str = "practitioner") -> str:
        """Change a record; its receipt."""
        return str(self.done("record", verb, *words, acting=acting)["receipt"])

    def births(self, *entries: Mapping[str, str], name: str | None = None) -> Json:
        """Load a file of births."""
        return self.load("births", a_births_file(*entries), name=name)

    def pds(self, *messages: Mapping[str, Any], name: str | None = None) -> Json:
        """Load messages of the NHS."""
        return self.load("pds", ndjson(*messages), name=name)

    def load(self, kind: str, content: bytes, *, name: str | None = None) -> Json:
        """Load a file of these bytes."""
        return self.done("load", kind, str(self.file(content, name)))

    def file(self, content: bytes, name: str | None = None) -> Path:
        """A file of these bytes, outside the home."""
        self._files += 1
        folder = self.home.with_name(f"{self.home.name}-files")
        folder.mkdir(exist_ok=True)
        path = folder / (name or f"file-{self._files}")
        path.write_bytes(content)
        return path

    # What stands behind it

    @property
    def behind(self) -> Databases:
        """The databases, wherever they are."""
        if self.databases is not None:
            return self.databases
        if EmbeddedServer(self.home).running() is None:
            self.done("policy", "list")  # it stops by itself a minute after the last command that needed it
        running = EmbeddedServer(self.home).running()
        if running is None:  # a minute has passed since a command last needed it
            with EmbeddedServer(self.home) as running:
                pass
        return Databases.embedded(running)

    @contextmanager
    def as_superuser(self, database: str = "record") -> Iterator[psycopg.Connection[Any]]:
        """A database, for an administrator who may do anything; its server is started if it has stopped meanwhile."""
        with EmbeddedServer(self.home) if self.databases is None else nullcontext():
            found: Database = getattr(self.behind, database)
            parts = psycopg.conninfo.conninfo_to_dict(found.url)
            address = ServerAddress(Path(str(parts["host"])), int(str(parts["port"])))
            with connect_as_superuser(address, str(parts["dbname"])) as connection:
                yield connection

    def heads(self) -> tuple[int, int]:
        """The positions of both logs: what was changed, what was looked at."""
        with self.as_superuser() as connection:
            row = connection.execute(
                "SELECT r.position, a.position FROM record_log.head AS r, access_log.head AS a"
            ).fetchone()
        assert row is not None
        return row[0], row[1]

    def view_rows(self, *columns_left_out: str) -> dict[str, list[str]]:
        """Every row of every table of every view, in order, without these columns."""
        found: dict[str, list[str]] = {}
        with self.as_superuser("views") as connection:
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
            ).fetchall()
            for schema, table in tables:
                query = sql.SQL("SELECT to_jsonb(t) - %s::text[] FROM {} AS t ORDER BY 1").format(
                    sql.Identifier(schema, table)
                )
                rows = connection.execute(query, (list(columns_left_out),)).fetchall()
                found[f"{schema}.{table}"] = [json.dumps(row[0], sort_keys=True) for row in rows]
        return found

    def elsewhere(self, databases: Databases, home: Path) -> "Line":
        """The command line at the same hour on another home."""
        return Line(home, self.clock, databases)


def without_access(answer: Json) -> Json:
    """An answer but for the id of the access, which is new each time."""
    return {key: value for key, value in answer.items() if key != "access_id"}
