"""Migrations: each once, in order, never changed, however many run at once."""

import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.postgres.databases import Databases, Role, connect_as_superuser
from adapters.postgres.embedded import ServerAddress
from adapters.postgres.migrate import (
    FORMAT,
    MIGRATIONS,
    HomeRefused,
    check_format,
    create_embedded,
    migrate,
    migrations_of,
)
from adapters.postgres.recorder import LogRecorder
from adapters.rows import group_of
from domain.kernel import Log
from tests.postgres import MakeDatabases
from tests.rows import a_row

STORES = ("record", "keyring", "shielded", "views")
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations, to be tampered with."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


@pytest.mark.parametrize("store", STORES)
def test_every_file_begins_with_a_line_of_prose(store: str) -> None:
    assert migrations_of(store)
    for path in sorted((MIGRATIONS / store).glob("*.sql")):
        first = path.read_text().split("\n", 1)[0]
        assert first.startswith("-- "), path
        assert len(first) > 30, path


def test_a_missing_number_is_refused(folder: Path) -> None:
    (folder / "record" / "0002_logs.sql").unlink()
    with pytest.raises(HomeRefused, match="without gaps"):
        migrations_of("record", folder)


def test_what_is_said_for_each_is_written_out(folder: Path) -> None:
    (folder / "views" / "0002_each.sql").write_text(
        "-- Two of a kind.\n-- for each KIND in: one, two\nCREATE TABLE KIND.MANKIND (x int);\n"
    )
    written = migrations_of("views", folder)[1].statements
    assert "CREATE TABLE one.MANKIND" in written
    assert "CREATE TABLE two.MANKIND" in written
    assert "KIND." not in written.replace("MANKIND", "")


def test_a_home_that_says_nothing_has_no_format(tmp_path: Path) -> None:
    assert check_format(tmp_path) is None


@pytest.mark.parametrize("said", ["", "one", "1.5", "-1"])
def test_a_format_that_is_no_number_is_refused(tmp_path: Path, said: str) -> None:
    (tmp_path / "format").write_text(said)
    with pytest.raises(HomeRefused, match="format"):
        check_format(tmp_path)


def test_a_newer_home_is_refused_in_words_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "format").write_text(f"{FORMAT + 1}\n")
    with pytest.raises(HomeRefused, match="newer version") as raised:
        check_format(tmp_path)
    assert "Update the software" in raised.value.message


@pytest.mark.postgres
def test_a_second_run_applies_nothing(databases: Databases, tmp_path: Path) -> None:
    assert migrate(databases, home=tmp_path) == 0
    assert check_format(tmp_path) == FORMAT


@pytest.mark.postgres
def test_twenty_runs_at_once_all_succeed(server: ServerAddress, tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from adapters.postgres.embedded import ServerAddress\n"
        "from adapters.postgres.migrate import create_embedded, migrate\n"
        f"address = ServerAddress(Path({str(server.socket_directory)!r}), {server.port})\n"
        f"print(migrate(create_embedded(address, '_twenty'), training=True, home=Path({str(tmp_path)!r})))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(20)
    ]
    said = [process.communicate(timeout=110)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 20, said
    # Each file of each database was applied by exactly one of them.
    assert sum(int(number) for number in said) == sum(len(migrations_of(store)) for store in STORES)
    assert check_format(tmp_path) == FORMAT
    with connect_as_superuser(server) as connection:
        for store in STORES:
            connection.execute(f"DROP DATABASE {store}_twenty WITH (FORCE)".encode())


@pytest.mark.postgres
def test_a_changed_file_is_refused_and_nothing_is_applied(databases: Databases, folder: Path) -> None:
    changed = folder / "record" / "0002_logs.sql"
    changed.write_text(changed.read_text() + "-- one more thing\n")
    (folder / "record" / f"{len(migrations_of('record')) + 1:04}_more.sql").write_text(
        "-- More.\nCREATE TABLE home.more ();\n"
    )
    with pytest.raises(HomeRefused, match=r"0002_logs\.sql"):
        migrate(databases, folder=folder)
    with databases.record.connect(Role.SERVICE) as connection:
        assert connection.execute("SELECT to_regclass('home.more')").fetchone() == (None,)


@pytest.mark.postgres
def test_an_older_home_is_migrated_and_then_refused_by_older_code(
    make_databases: MakeDatabases, folder: Path, tmp_path: Path
) -> None:
    databases = make_databases()
    migrate(databases, home=tmp_path)
    number = len(migrations_of("record")) + 1
    (folder / "record" / f"{number:04}_more.sql").write_text("-- More.\nCREATE TABLE home.more ();\n")
    assert migrate(databases, home=tmp_path, folder=folder, expected_format=FORMAT + 1) == 1
    assert check_format(tmp_path, FORMAT + 1) == FORMAT + 1
    # Older code: told by the file before it opens anything, and by the database where there is no file.
    with pytest.raises(HomeRefused, match="newer version"):
        migrate(databases, home=tmp_path)
    with pytest.raises(HomeRefused, match="newer version"):
        migrate(databases)


@pytest.mark.postgres
def test_a_database_with_more_files_than_ours_is_refused(make_databases: MakeDatabases, folder: Path) -> None:
    databases = make_databases()
    number = len(migrations_of("views")) + 1
    (folder / "views" / f"{number:04}_more.sql").write_text("-- More.\nCREATE TABLE views.more ();\n")
    migrate(databases, folder=folder)
    with pytest.raises(HomeRefused, match="views database was made by a newer version"):
        migrate(databases)


@pytest.mark.postgres
def test_a_file_that_fails_leaves_nothing_behind(make_databases: MakeDatabases, folder: Path) -> None:
    databases = make_databases()
    number = len(migrations_of("keyring")) + 1
    broken = folder / "keyring" / f"{number:04}_broken.sql"
    broken.write_text("-- Two steps.\nCREATE TABLE keys.first ();\nCREATE TABLE keys.key ();\n")
    with pytest.raises(Exception, match="42P07"):
        migrate(databases, folder=folder)
    with databases.keyring.connect(Role.SERVICE) as connection:
        assert connection.execute("SELECT to_regclass('keys.first')").fetchone() == (None,)
    # Nor does one that is carried out but cannot be noted as such.
    broken.write_text(
        "-- One step.\nCREATE TABLE keys.first ();\n"
        f"INSERT INTO migration.applied (number, name, checksum) VALUES ({number}, 'other', '');\n"
    )
    with pytest.raises(Exception, match="23505"):
        migrate(databases, folder=folder)
    with databases.keyring.connect(Role.SERVICE) as connection:
        assert connection.execute("SELECT to_regclass('keys.first')").fetchone() == (None,)
    broken.write_text("-- One step.\nCREATE TABLE keys.first ();\n")
    assert migrate(databases, folder=folder) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("training", [True, False])
def test_what_kind_of_home_it_is_is_said_once(server: ServerAddress, training: bool) -> None:
    suffix = f"_kind_{training}".lower()
    databases = create_embedded(server, suffix)
    migrate(databases, training=training)
    migrate(databases, training=not training)
    for database, role in (
        (databases.record, Role.SERVICE),
        (databases.keyring, Role.SERVICE),
        (databases.shielded, Role.WRITER),
    ):
        with database.connect(role) as connection:
            assert connection.execute("SELECT training FROM home.home").fetchall() == [(training,)]
    with connect_as_superuser(server) as connection:
        for store in STORES:
            connection.execute(f"DROP DATABASE {store}{suffix} WITH (FORCE)".encode())


@pytest.mark.postgres
def test_the_tables_are_as_the_stored_forms_say(databases: Databases) -> None:
    with databases.record.connect(Role.SERVICE) as connection:
        for schema in ("record_log", "access_log"):
            columns = connection.execute(
                "SELECT attname::text, format_type(atttypid, NULL), attstorage::text FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                (f"{schema}.event",),
            ).fetchall()
            assert columns == [
                ("position", "bigint", "p"),
                ("recorded_at", "timestamp with time zone", "p"),
                ("event_id", "uuid", "p"),
                ("stream_id", "uuid", "p"),
                ("version", "integer", "p"),
                ("format", "smallint", "p"),
                ("period", "integer", "p"),
                ("identity", "bytea", "e"),
                ("content", "bytea", "e"),
                ("metadata", "bytea", "e"),
            ]
            indexes = connection.execute(
                "SELECT pg_get_indexdef(indexrelid, 0, true) FROM pg_index WHERE indrelid = %s::regclass ORDER BY 1",
                (f"{schema}.event",),
            ).fetchall()
            assert sorted(index.split(" USING ")[1] for (index,) in indexes) == [
                'btree ("position")',
                "btree (stream_id, version)",
            ]
    for database, schema, table in (
        (databases.record, "record_log", "event"),
        (databases.record, "access_log", "event"),
        (databases.keyring, "keys", "key"),
        (databases.shielded, "keys", "key"),
    ):
        with database.connect(Role.WRITER) as connection:
            parts = connection.execute(
                "SELECT pg_get_expr(relpartbound, oid) FROM pg_class JOIN pg_inherits ON inhrelid = oid "
                "WHERE inhparent = %s::regclass",
                (f"{schema}.{table}",),
            ).fetchall()
            assert {part for (part,) in parts} == {
                f"FOR VALUES WITH (modulus 32, remainder {number})" for number in range(32)
            }


@pytest.mark.postgres
def test_the_log_and_the_keys_of_one_child_are_in_partitions_of_the_same_number(databases: Databases) -> None:
    children = [uuid4() for _ in range(40)]
    recorder = LogRecorder(databases.record, Role.SERVICE, Log.RECORD)
    recorder.append([group_of([a_row(child) for child in children])])
    recorder.close()
    with databases.keyring.connect(Role.SERVICE) as connection:
        for child in children:
            connection.execute(
                "INSERT INTO keys.key (subject, kind, number, generation, wrapped) VALUES (%s, 1, 0, 1, '')",
                (child,),
            )
        keys = dict(
            connection.execute("SELECT subject, right(tableoid::regclass::text, 2) FROM keys.key").fetchall()
        )
    with databases.record.connect(Role.SERVICE) as connection:
        events = dict(
            connection.execute(
                "SELECT stream_id, right(tableoid::regclass::text, 2) FROM record_log.event"
            ).fetchall()
        )
    assert events == keys
    assert len(set(events.values())) > 10
