"""Copies of the logs and of the key databases that are consistent with each other, and bringing them back.

All three databases are copied as they stood at one instant: while whatever changes a key is held, the record is looked
at first, then both key databases; then the hold ends and the copying begins. So every event in the copy has its key in
it, no key in it was moved or destroyed by an event that is not, and nobody waits longer than it takes to begin three
transactions. See docs/adr/0007-a-backup-is-of-one-instant.md. Views are not copied, key-encryption keys never are.

    DIR/manifest.json            form, kind of home, positions, and the SHA-256 of every other file
    DIR/<database>.<table>.copy  rows as PostgreSQL's binary COPY writes them
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql

from adapters.faults import Reach, no_fault
from adapters.key_rows import KeyRow
from adapters.partitions import PARTITIONS
from adapters.postgres.databases import Database, DatabaseFailure, Databases, Role, translated
from domain.errors import BadInput, Refused, Unavailable

FORM: Final = 1
RECORD: Final = (
    "record_log.event",
    "record_log.head",
    "record_log.idempotency",
    "record_log.reservation",
    "record_log.follower",
    "access_log.event",
    "access_log.head",
    "access_log.idempotency",
)
PUBLICATION: Final = (
    "publication.state",
    "publication.partition",
    "publication.pending",
    "publication.parked",
    "publication.sent",
)
"""What subscribers were told, in the record database. A backup of an earlier version lacks it."""
SIGN_IN: Final = ("sign_in.authenticator",)
"""What accounts are proved by, in the record database, sealed. Nobody is signed in, and no enrolment is good, in a home
that was brought back. A backup of an earlier version lacks it."""
RULES: Final = ("rules.text",)
"""The rules that decisions name, in the record database. A backup of an earlier version lacks it."""
KEYRING: Final = ("keys.key",)
SHIELDED: Final = ("keys.key", "keys.opening", "whereabouts.token")
BROKERING: Final = ("brokering.asked",)
"""In which records somebody asked for contact, in the shielded database. A backup of an earlier version lacks it."""
FAULT_POINTS: Final = ("backup.held", "backup.seen", "backup.record-copied")
"""Keys held; the instant taken and the hold ended; the record copied and the keys not yet."""

HOLD_SECONDS: Final = 30
"""For how long a backup waits for those who change keys, and they for it: the server ends a longer hold."""

_CHUNK: Final = 1 << 16
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """Up to which positions a copy reaches, and of what kind of home it is. What came after them is not in it."""

    position: int
    access_position: int
    training: bool


def backup(
    databases: Databases,
    folder: Path,
    *,
    training: bool,
    hold_seconds: int = HOLD_SECONDS,
    reach: Reach = no_fault,
) -> BackedUp:
    """Copy into an empty folder. Raises BadInput where it is not empty, Unavailable where a database is away or keys
    are changed without a pause.

    The manifest is written last: a folder without one is no backup.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise BadInput(
            "This folder cannot be made: name one that is empty, or a place for a new one.",
            code="no-folder",
            field="folder",
        ) from None
    if any(folder.iterdir()):
        raise BadInput(
            "The folder is not empty: a backup needs one of its own.", code="not-empty", field="folder"
        )
    files: dict[str, str] = {}
    with ExitStack() as copying:
        with _held(databases.keyring, hold_seconds), _held(databases.shielded, hold_seconds):
            reach("backup.held")
            record = copying.enter_context(_reading(databases.record))
            positions = [
                _one(record, f"SELECT position FROM {log}.head") for log in ("record_log", "access_log")
            ]
            keyring = copying.enter_context(_reading(databases.keyring))
            shielded = copying.enter_context(_reading(databases.shielded))
        reach("backup.seen")
        for table in RECORD + PUBLICATION + SIGN_IN + RULES:
            _copy_out(record, databases.record, table, folder, files)
        reach("backup.record-copied")
        for table in KEYRING:
            _copy_out(keyring, databases.keyring, table, folder, files)
        for table in SHIELDED + BROKERING:
            _copy_out(shielded, databases.shielded, table, folder, files)
    done = BackedUp(positions[0], positions[1], training)
    manifest = {
        "form": FORM,
        "training": training,
        "position": done.position,
        "access_position": done.access_position,
        "files": files,
    }
    fresh = folder / "manifest.tmp"
    fresh.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    fresh.rename(folder / "manifest.json")
    return done


def read_manifest(folder: Path) -> tuple[BackedUp, dict[str, str]]:
    """What a backup holds, every file checked against its digest. Raises BadInput."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        form, files = manifest["form"], dict(manifest["files"])
        found = BackedUp(
            int(manifest["position"]), int(manifest["access_position"]), bool(manifest["training"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput("This folder holds no complete backup.", code="no-backup", field="folder") from None
    if form != FORM:
        raise BadInput(
            "This backup has a form that this version does not read.", code="no-backup", field="folder"
        )
    for name, digest in files.items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BadInput(
                f"The file {name} of the backup is missing or was altered.",
                code="damaged-backup",
                field="folder",
            )
    return found, files


Opens: TypeAlias = Callable[[str, KeyRow], None]
"""Raises where the key in a row of this database cannot be opened with the key-encryption keys at hand."""


def restore(databases: Databases, folder: Path, opens: Opens) -> BackedUp:
    """Bring the rows back into migrated, empty databases: all of a database in one transaction.

    One key of each generation is opened before anything is committed: a backup without its key-encryption keys leaves
    the home as it was. The home serves nothing from then on until `applied` is said of it; where a run was cut off in
    between, the same backup is accepted again and the rows are left as they are. Raises Refused where the home holds
    records already, BadInput where the backup is not whole, and what `opens` raises.
    """
    found, files = read_manifest(folder)
    with _writing(databases.record) as record:
        there = [_one(record, f"SELECT position FROM {log}.head") for log in ("record_log", "access_log")]
        if there == [found.position, found.access_position] and _one(
            record, "SELECT 1 FROM home.home WHERE NOT applied"
        ):
            return found
        if any(there):
            raise Refused(
                "This home holds records already. Restore into one that is new.", code="home-not-empty"
            )
        for log in ("record_log", "access_log"):
            record.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.Identifier(log, "head")))
        with _writing(databases.keyring) as keyring, _writing(databases.shielded) as shielded:
            for table in KEYRING:
                _copy_in(keyring, databases.keyring, table, folder)
            for table in SHIELDED:
                _copy_in(shielded, databases.shielded, table, folder)
            for table in BROKERING:
                if _name_of(databases.shielded, table) in files:
                    _copy_in(shielded, databases.shielded, table, folder)
            for connection, database in ((keyring, databases.keyring), (shielded, databases.shielded)):
                for row in _one_of_each_generation(connection):
                    opens(database.store, row)
        # Committed last: a home whose logs are empty can be restored into again.
        for table in RECORD:
            _copy_in(record, databases.record, table, folder)
        for table in PUBLICATION + SIGN_IN + RULES:
            if _name_of(databases.record, table) in files:
                _copy_in(record, databases.record, table, folder)
        _nobody_publishes(record)
        _numbers_leap(record)
        record.execute("UPDATE home.home SET applied = false")
    return found


def applied(databases: Databases) -> None:
    """Say that every shield and certificate of a restored log is applied: from now on the home may serve."""
    with _writing(databases.record) as record:
        record.execute("UPDATE home.home SET applied = true")


def _nobody_publishes(record: psycopg.Connection[Any]) -> None:
    """Whoever led when the backup was made does not lead here, and nobody waits for its lease."""
    record.execute(
        "UPDATE publication.state SET until = '-infinity', session = NULL, session_began = NULL, fence = fence + 1"
    )


def _numbers_leap(record: psycopg.Connection[Any]) -> None:
    """Go on with numbers that were never given out, in every partition.

    After the instant of the backup the lost home may have numbered as much as it liked, and its subscribers have it.
    Microseconds since 1970 are more than any home can have counted up to, also one that was restored itself.
    """
    record.execute(
        """
        INSERT INTO publication.partition (partition, number)
        SELECT partition, extract(epoch FROM clock_timestamp()) * 1000000 FROM generate_series(0, %s) AS partition
        ON CONFLICT (partition) DO UPDATE SET number = greatest(publication.partition.number, excluded.number)
        """,
        (PARTITIONS - 1,),
    )


def _one_of_each_generation(connection: psycopg.Connection[Any]) -> list[KeyRow]:
    rows = connection.execute(
        "SELECT DISTINCT ON (generation) subject, kind, number, generation, wrapped, certificate FROM keys.key "
        "WHERE wrapped IS NOT NULL ORDER BY generation"
    ).fetchall()
    return [KeyRow(*row) for row in rows]


@contextmanager
def _held(database: Database, seconds: int) -> Iterator[None]:
    """Hold whoever makes, moves, rewraps or destroys keys. Raises Unavailable, also where the hold did not last."""
    with _writing(database) as connection:
        for setting in ("lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute("SELECT set_config(%s, %s, true)", (setting, f"{seconds}s"))
        try:
            with translated(database.store):
                connection.execute("LOCK TABLE keys.key IN SHARE MODE")
        except DatabaseFailure as failure:
            if failure.sqlstate != _LOCK_NOT_AVAILABLE:
                raise
            raise Unavailable(
                f"The keys in the {database.store} database were being changed for {seconds} seconds without a "
                "pause, so the backup was not begun. Try again.",
                code="keys-busy",
            ) from None
        yield
        connection.execute("SELECT")  # raises where the server has ended the hold meanwhile


@contextmanager
def _reading(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The database as it is now, for as long as it takes."""
    with _writing(database) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.execute("SELECT")  # from here on it is seen as it is now
        yield connection


@contextmanager
def _writing(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(Role.MIGRATION) as connection, translated(database.store), connection.transaction():
        connection.execute("SET LOCAL ROLE contactpoint_owner")
        yield connection


def _copy_out(
    connection: psycopg.Connection[Any], database: Database, table: str, folder: Path, files: dict[str, str]
) -> None:
    name = _name_of(database, table)
    digest = hashlib.sha256()
    query = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)").format(
        sql.Identifier(*table.split("."))
    )
    with (folder / name).open("wb") as file, connection.cursor() as cursor, cursor.copy(query) as copy:
        for chunk in copy:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    files[name] = digest.hexdigest()


def _copy_in(connection: psycopg.Connection[Any], database: Database, table: str, folder: Path) -> None:
    name = sql.Identifier(*table.split("."))
    with _emptied(connection, table) if not table.endswith(".event") else nullcontext():
        query = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(name)
        source = folder / _name_of(database, table)
        with source.open("rb") as file, connection.cursor() as cursor, cursor.copy(query) as copy:
            while chunk := file.read(_CHUNK):
                copy.write(chunk)


def _name_of(database: Database, table: str) -> str:
    return f"{database.store}.{table}.copy"


@contextmanager
def _emptied(connection: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """Take out the rows that a new home, or a restore that did not end, begins with. Never done to a log's events."""
    name = sql.Identifier(*table.split("."))
    always = connection.execute(
        "SELECT tgname FROM pg_catalog.pg_trigger "
        "WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'A'",
        (table,),
    ).fetchall()
    connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    connection.execute(sql.SQL("DELETE FROM {}").format(name))
    yield
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
    for (trigger,) in always:
        connection.execute(
            sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(name, sql.Identifier(trigger))
        )


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
