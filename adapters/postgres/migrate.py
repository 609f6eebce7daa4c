"""Bring the four databases of a home to the form this code expects: numbered SQL, each file applied once.

A file that was applied is never changed: its checksum is kept beside its number. Everything happens under an advisory
lock per database, so that any number of runs at once is as good as one. Afterwards the privileges are applied again.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.databases import Database, Databases, Role, connect_as_superuser, translated
from adapters.postgres.embedded import ServerAddress
from domain.errors import ContactPointError

FORMAT: Final = 1
"""The form of a home. One more whenever older code could not use a home any longer."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x434F4E54
_EACH: Final = re.compile(r"^-- for each (?P<name>[A-Z]+) in: (?P<values>[a-z_, ]+)$", re.MULTILINE)


class HomeRefused(ContactPointError):
    """This code cannot use this home; nothing was done to it."""

    code = "home-refused"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. `statements` is its SQL with every `for each` written out."""

    number: int
    name: str
    checksum: str
    statements: str


def migrations_of(store: str, folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """The files of one database in order. Raises HomeRefused where a number is missing or a file has no prose."""
    found = []
    for number, path in enumerate(sorted((folder / store).glob("[0-9]*.sql")), start=1):
        text = path.read_text(encoding="utf-8")
        if int(path.name[:4]) != number or not text.startswith("-- "):
            raise HomeRefused(
                f"{store}/{path.name}: migrations are numbered without gaps and begin with a line of prose."
            )
        found.append(
            Migration(number, path.stem, hashlib.sha256(text.encode()).hexdigest(), _written_out(text))
        )
    return tuple(found)


def check_format(home: Path, expected: int = FORMAT) -> int | None:
    """The format number a home says it has; None where it says nothing. Raises HomeRefused if it is a newer one."""
    try:
        text = (home / "format").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    if not text.isdigit():
        raise HomeRefused("The file `format` in the home holds no number; restore it from a backup.")
    _refuse_newer(int(text), expected)
    return int(text)


def write_format(home: Path, number: int = FORMAT) -> None:
    """Say in the home which format it has. Whole or not at all."""
    fresh = home / f"format.{os.getpid()}"
    fresh.write_text(f"{number}\n", encoding="ascii")
    fresh.rename(home / "format")


def create_embedded(address: ServerAddress, suffix: str = "") -> Databases:
    """Make the roles and the four empty databases on an embedded server, those that are missing. Safe to repeat."""
    databases = Databases.embedded(address, suffix)
    names = [f"{database.store}{suffix}" for database in databases]
    with connect_as_superuser(address) as connection, translated("embedded"), _alone(connection):
        connection.execute(_trusted((MIGRATIONS / "cluster.sql").read_text(encoding="utf-8")))
        there = {row[0] for row in connection.execute("SELECT datname FROM pg_catalog.pg_database")}
        for name in names:
            if name not in there:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER contactpoint_owner").format(sql.Identifier(name))
                )
        set_views_role(connection, names[-1])
    with connect_as_superuser(address, names[-1]) as connection, translated("embedded"), _alone(connection):
        connection.execute("GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO contactpoint_owner")
    return databases


def set_views_role(connection: psycopg.Connection[Any], database: str) -> None:
    """In the views database service and writer act as one role, so that each may replace what the other made.

    An administrator's to do (`ALTER ROLE … IN DATABASE`); in production it stands in the operations guide.
    """
    for role in (Role.SERVICE, Role.WRITER):
        connection.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET role = 'contactpoint_views'").format(
                sql.Identifier(role.value), sql.Identifier(database)
            )
        )


def migrate(
    databases: Databases,
    *,
    training: bool = False,
    home: Path | None = None,
    folder: Path = MIGRATIONS,
    expected_format: int = FORMAT,
) -> int:
    """Apply what is missing. Returns how many files that was. Safe to repeat and to run many times at once.

    training: said once, when the home is made, and kept from then on. Raises HomeRefused for a home of a newer format,
    one whose applied files differ from ours, or one with more of them; DatabaseFailure where a database is away.
    """
    if home is not None:
        check_format(home, expected_format)
    applied = sum(
        _migrate_one(database, training=training, folder=folder, expected_format=expected_format)
        for database in databases
    )
    if home is not None:
        write_format(home, expected_format)
    return applied


def apply_privileges(database: Database, folder: Path = MIGRATIONS) -> None:
    """Grant what each role may do in this database, again."""
    with database.connect(Role.MIGRATION) as connection, translated(database.store), _alone(connection):
        connection.execute("SET ROLE contactpoint_owner")
        _privileges(connection, database.store, folder)


def _privileges(connection: psycopg.Connection[Any], store: str, folder: Path) -> None:
    text = (folder / store / "privileges.sql").read_text(encoding="utf-8")
    with connection.transaction():
        connection.execute(_trusted(_written_out(text)))


def _migrate_one(database: Database, *, training: bool, folder: Path, expected_format: int) -> int:
    ours = migrations_of(database.store, folder)
    with database.connect(Role.MIGRATION) as connection, translated(database.store), _alone(connection):
        connection.execute("SET ROLE contactpoint_owner")
        connection.execute(
            """
            CREATE SCHEMA IF NOT EXISTS migration;
            CREATE TABLE IF NOT EXISTS migration.format (
                only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                number   integer NOT NULL
            );
            CREATE TABLE IF NOT EXISTS migration.applied (
                number     integer     PRIMARY KEY,
                name       text        NOT NULL,
                checksum   text        NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
            );
            """
        )
        row = connection.execute("SELECT number FROM migration.format").fetchone()
        if row is not None:
            _refuse_newer(row[0], expected_format)
        theirs = connection.execute(
            "SELECT number, name, checksum FROM migration.applied ORDER BY number"
        ).fetchall()
        _refuse_changed(database.store, ours, theirs)
        for migration in ours[len(theirs) :]:
            with connection.transaction():
                connection.execute(_trusted(migration.statements))
                connection.execute(
                    "INSERT INTO migration.applied (number, name, checksum) VALUES (%s, %s, %s)",
                    (migration.number, migration.name, migration.checksum),
                )
        if connection.execute("SELECT to_regclass('home.home')").fetchone() != (None,):
            connection.execute(
                "INSERT INTO home.home (training) VALUES (%s) ON CONFLICT DO NOTHING", (training,)
            )
        _privileges(connection, database.store, folder)
        connection.execute(
            "INSERT INTO migration.format (number) VALUES (%s) "
            "ON CONFLICT (only_row) DO UPDATE SET number = excluded.number",
            (expected_format,),
        )
        return len(ours) - len(theirs)


def _refuse_newer(found: int, expected: int) -> None:
    if found > expected:
        raise HomeRefused(
            f"This home was made by a newer version of ContactPoint (format {found}; this version knows {expected}). "
            "Update the software, or use another home."
        )


def _refuse_changed(store: str, ours: Sequence[Migration], theirs: Sequence[tuple[int, str, str]]) -> None:
    if len(theirs) > len(ours):
        raise HomeRefused(
            f"The {store} database was made by a newer version of ContactPoint. Update the software."
        )
    for migration, (number, name, checksum) in zip(ours, theirs, strict=False):
        if (migration.number, migration.name, migration.checksum) != (number, name, checksum):
            raise HomeRefused(
                f"The {store} database was made with another {name}.sql than this version has: a migration that was "
                "applied is never changed. Use the version that made it, or add a new migration."
            )


@contextmanager
def _alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold the advisory lock of this database; the server frees it when the connection ends."""
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _written_out(text: str) -> str:
    """Repeat a file that says `-- for each NAME in: a, b` once with each value in place of the name."""
    each = _EACH.search(text)
    if each is None:
        return text
    return "\n".join(
        re.sub(rf"\b{each['name']}\b", value.strip(), text.replace(each[0], ""))
        for value in each["values"].split(",")
    )


def _trusted(text: str) -> bytes:
    """SQL from a file of ours, which comes with the product; nothing from outside is ever in it.

    psycopg takes a `str` only where the type checker sees that it stands in the source.
    """
    return text.encode()
