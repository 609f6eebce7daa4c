"""Whatever somebody with every right on database and files changes, is found, and where; so is a whole rewrite."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.databases import connect_as_superuser
from adapters.postgres.embedded import ServerAddress
from adapters.seals.monitor import Finding
from domain.kernel import Log
from tests.architecture.repository import ROOT
from tests.plugins_counts import count, seed
from tests.postgres import MakeDatabases
from tests.rows import a_stream
from tests.seals import Site, postgres_site

pytestmark = pytest.mark.postgres

SIZES = (3, 60, 255, 256, 300, 700)
"""To which it was sealed, one after the other: so there are tiles of two levels, full and partial."""

SCHEMAS = {Log.RECORD: "record_log", Log.ACCESS: "access_log"}
Undo = Callable[[], None]
Mutation = tuple[str, set[int], str | None, Undo]
"""What was done, the positions one of which must be named, or a file of which one must be named; how to undo it."""


@dataclass
class Vandal:
    """Somebody with every right: a superuser whose changes no trigger stops, who can write any file."""

    site: Site
    connection: psycopg.Connection[Any]
    choice: random.Random

    @property
    def table(self) -> str:
        return f"{SCHEMAS[self.site.log]}.event"

    def run(self, statement: str, parameters: tuple[Any, ...] = ()) -> None:
        self.connection.execute(statement.encode(), parameters)

    def row(self, position: int) -> tuple[Any, ...]:
        found: tuple[Any, ...] | None = self.connection.execute(
            f"SELECT * FROM {self.table} WHERE position = %s".encode(), (position,)
        ).fetchone()
        assert found is not None
        return found

    def put_back(self, *rows: tuple[Any, ...]) -> Undo:
        def undo() -> None:
            positions = [row[0] for row in rows]
            self.run(f"DELETE FROM {self.table} WHERE position = ANY (%s)", (positions,))
            for row in rows:
                self.run(f"INSERT INTO {self.table} VALUES ({', '.join(['%s'] * 10)})", row)

        return undo

    # What may be done to rows

    def alter(self) -> Mutation:
        position = self.choice.randint(1, SIZES[-1])
        row = self.row(position)
        column, change = self.choice.choice(
            [
                ("recorded_at", "recorded_at + interval '1 microsecond'"),
                ("event_id", "gen_random_uuid()"),
                ("stream_id", "gen_random_uuid()"),
                ("version", "version + 1000"),
                ("format", "format + 1"),
                ("period", "period - 1"),
                *(
                    (part, change)
                    for part in ("identity", "content", "metadata")
                    for change in (
                        f"set_byte({part}, {self.choice.randrange(300)}, get_byte({part}, 0) # 255)",
                        f"{part} || '\\x00'",
                        f"substr({part}, 2)",
                        "''",
                    )
                ),
            ]
        )
        self.run(f"UPDATE {self.table} SET {column} = {change} WHERE position = %s", (position,))
        if self.row(position) == row:  # the byte was that one already
            return self.alter()
        return f"{column} of {position} is {change}", {position}, None, self.put_back(row)

    def delete(self) -> Mutation:
        position = self.choice.randint(1, SIZES[-1])
        row = self.row(position)
        self.run(f"DELETE FROM {self.table} WHERE position = %s", (position,))
        return f"deleted {position}", {position}, None, self.put_back(row)

    def delete_and_close_the_gap(self) -> Mutation:
        position = self.choice.randint(1, SIZES[-1] - 1)
        row = self.row(position)
        self.run(f"DELETE FROM {self.table} WHERE position = %s", (position,))
        self.run(f"UPDATE {self.table} SET position = position - 1 WHERE position > %s", (position,))
        put_back = self.put_back(row)

        def undo() -> None:
            self.run(f"UPDATE {self.table} SET position = position + 1 WHERE position >= %s", (position,))
            put_back()

        return f"deleted {position} and moved the rest", {position}, None, undo

    def insert(self) -> Mutation:
        like = self.row(self.choice.randint(1, SIZES[-1]))
        position = self.choice.choice(
            [-1, 0, like[0], self.choice.randint(1, SIZES[-1]), SIZES[-1] + 1, 10**9]
        )
        stream = UUID(int=self.choice.getrandbits(128))
        self.run(
            f"INSERT INTO {self.table} VALUES ({', '.join(['%s'] * 10)})",
            (position, *like[1:3], stream, *like[4:]),
        )
        return (
            f"inserted at {position}",
            {position},
            None,
            lambda: self.run(f"DELETE FROM {self.table} WHERE stream_id = %s", (stream,)),
        )

    def reorder(self) -> Mutation:
        one, other = self.choice.sample(range(1, SIZES[-1] + 1), 2)
        rows = self.row(one), self.row(other)
        swap = f"UPDATE {self.table} SET position = %s - position WHERE position IN (%s, %s)"
        self.run(swap, (one + other, one, other))
        return f"swapped {one} and {other}", {one, other}, None, self.put_back(*rows)

    # What may be done to files

    def file(self) -> Mutation:
        files = sorted(path for path in self.site.tiles.folder.rglob("*") if path.is_file())
        path = self.choice.choice(files)
        name = path.relative_to(self.site.tiles.folder).as_posix()
        content = path.read_bytes()
        at = self.choice.randrange(len(content))
        changed = content[:at] + bytes([content[at] ^ (1 << self.choice.randrange(8))]) + content[at + 1 :]
        what = self.choice.choice(["byte"] * 6 + ["cut", "longer", "gone"])
        if ".p/" in name and name not in self.site.tiles.edge(SIZES[-1]).partial():
            what = "byte"  # what was partial once may go: nobody needs it any more
        match what:
            case "byte":
                path.write_bytes(changed)
            case "cut":
                path.write_bytes(content[:at])
            case "longer":
                path.write_bytes(content + content[-1:])
            case _:
                path.unlink()

        def undo() -> None:
            path.write_bytes(content)

        return f"{name}: {what} at {at}", set(), name, undo


@pytest.fixture(params=list(Log), ids=["record", "access"])
def vandal(
    request: pytest.FixtureRequest, make_databases: MakeDatabases, server: ServerAddress, tmp_path: Path
) -> Iterator[Vandal]:
    databases = make_databases()
    site = postgres_site(databases.record, tmp_path, request.param)
    for before, size in zip((0, *SIZES), SIZES, strict=False):
        site.sealed(a_stream(size - before))
    assert site.verify().findings == []
    name = conninfo_to_dict(databases.record.url)["dbname"]
    with connect_as_superuser(server, str(name)) as connection:
        connection.execute(f"ALTER TABLE {SCHEMAS[site.log]}.event DISABLE TRIGGER USER".encode())
        yield Vandal(site, connection, random.Random(seed()))
    site.close()


def is_located(findings: list[Finding], positions: set[int], file: str | None) -> bool:
    if file is None:
        return any(finding.position in positions for finding in findings)
    if not file.startswith("tile/"):
        return any("checkpoint" in finding.what for finding in findings)
    own = file.partition(".p/")[0]
    return any(finding.what.startswith(own) for finding in findings)


@pytest.mark.timeout(3600)
def test_any_change_of_a_row_or_a_file_is_found_and_located(vandal: Vandal) -> None:
    ways = [
        vandal.alter, vandal.alter, vandal.delete, vandal.insert, vandal.reorder, vandal.delete_and_close_the_gap,
        vandal.file, vandal.file, vandal.file,
    ]  # fmt: skip
    for number in range(count(5_000, minimum=len(ways))):
        what, positions, file, undo = ways[number % len(ways)]()
        verdict = vandal.site.verify()
        assert not verdict.ok, what
        assert is_located(verdict.findings, positions, file), (what, verdict.findings[:5])
        undo()
    assert vandal.site.verify().findings == []


@pytest.fixture
def rewritten(make_databases: MakeDatabases, tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """A log, and the same with one event changed, sealed from its beginning with the true key."""
    first, second = a_stream(200), a_stream(200)
    true = postgres_site(make_databases().record, tmp_path / "true")
    true.sealed(first)
    true.sealed(second)
    first[17] = first[17]._replace(content=b"what was never said")
    shutil.copytree(tmp_path / "true", tmp_path / "false", ignore=shutil.ignore_patterns("seals"))
    false = postgres_site(make_databases().record, tmp_path / "false")
    false.sealed(first)
    false.sealed(second)
    false.sealed(a_stream(3))
    yield true, false
    true.close()
    false.close()


def test_a_rewrite_with_the_true_key_is_caught_by_a_checkpoint_that_was_kept(
    rewritten: tuple[Site, Site],
) -> None:
    true, false = rewritten
    assert false.verify().ok, "it is consistent in itself"
    shutil.rmtree(false.folder / "monitor")
    assert true.verify().ok
    shutil.copytree(true.folder / "monitor", false.folder / "monitor")
    verdict = false.verify()
    assert [finding.what for finding in verdict.findings] == [
        "It does not continue what was sealed to 400 before: the log was rewritten and sealed anew."
    ]


def test_the_database_and_the_seals_set_back_together_are_caught(vandal: Vandal) -> None:
    """To where they stood before: the monitor has seen more."""
    site = vandal.site
    folder = site.folder / "older"
    shutil.copytree(site.tiles.folder, folder)
    site.sealed(a_stream(4))
    assert site.verify().ok
    shutil.rmtree(site.tiles.folder)
    shutil.copytree(folder, site.tiles.folder)
    vandal.run(f"DELETE FROM {vandal.table} WHERE position > %s", (SIZES[-1],))
    vandal.run(f"UPDATE {SCHEMAS[site.log]}.head SET position = %s", (SIZES[-1],))
    assert "It was sealed to 704 before: a part of it is gone." in [
        one.what for one in site.verify().findings
    ]


def test_the_offline_verifier_needs_nothing_of_ours(tmp_path: Path) -> None:
    script = ROOT / "docs/verify/verify_evidence.py"
    assert len(script.read_text("utf-8").splitlines()) <= 300
    (tmp_path / "verify_evidence.py").write_text(script.read_text("utf-8"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "verify_evidence.py", "--help"],
        cwd=tmp_path, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert "adapters" not in script.read_text("utf-8")
