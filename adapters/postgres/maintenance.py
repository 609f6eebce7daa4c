"""Takes what was shielded, withdrawn or destroyed out of the files of the `views` database, not only out of its rows.

A deleted row stays in its page, in the statistics of the planner and in the write-ahead log until each is written anew:
VACUUM alone makes the room free and leaves the bytes. So every table is rewritten, with what the planner knows of it,
and the log is switched and cut off at a checkpoint. The other databases hold no value in clear.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.databases import Database, DatabaseFailure, Role, translated

LOCK_SECONDS: Final = 1
"""How long a table is waited for at a time: whoever reads it meanwhile has to wait as well."""

_TRIES: Final = 10
_PAUSE_SECONDS: Final = 0.2
_DENIED: Final = "42501"
_LOCK_NOT_AVAILABLE: Final = "55P03"
_UNDEFINED_TABLE: Final = "42P01"
_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.nspname <> 'home'
ORDER BY 1, 2
"""
_STATISTICS: Final = ("pg_catalog", "pg_statistic")


@dataclass(frozen=True, slots=True)
class Maintained:
    """What was done. `busy`: tables that were in use all the time. `wal`: whether older log files are gone as well."""

    tables: int
    busy: tuple[str, ...]
    wal: bool
    bytes_before: int
    bytes_after: int


def maintain(views: Database, progress: Callable[[int, int], None]) -> Maintained:
    """Rewrite every table of the views and cut the write-ahead log off. Safe to stop and to repeat.

    Who reads a table waits while that table is rewritten. progress: tables done, of how many. Raises Unavailable.
    """
    with views.connect(Role.MIGRATION) as connection, translated(views.store):
        connection.execute("SET ROLE contactpoint_owner")
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_SECONDS}s",))
        # Last, because rewriting the others replaces in it what was known of their columns.
        tables = [(schema, table) for schema, table in connection.execute(_TABLES)] + [_STATISTICS]
        before = _size(connection)
        busy = []
        for done, (schema, table) in enumerate(tables, 1):
            if not _rewritten(views, connection, schema, table):
                busy.append(f"{schema}.{table}")
            progress(done, len(tables))
        wal = _cut_off(views, connection)
        return Maintained(len(tables) - len(busy), tuple(busy), wal, before, _size(connection))


def _rewritten(views: Database, connection: psycopg.Connection[Any], schema: str, table: str) -> bool:
    """False where the table was in use all the time. One that is gone has nothing left to take out."""
    how = "FULL" if (schema, table) == _STATISTICS else "FULL, ANALYZE"
    statement = sql.SQL("VACUUM ({}) {}").format(sql.SQL(how), sql.Identifier(schema, table))
    for _ in range(_TRIES):
        try:
            with translated(views.store):
                connection.execute(statement)
        except DatabaseFailure as failure:
            if failure.sqlstate == _UNDEFINED_TABLE:
                return True
            if failure.sqlstate != _LOCK_NOT_AVAILABLE:
                raise
        else:
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _cut_off(views: Database, connection: psycopg.Connection[Any]) -> bool:
    """Begin a new file of the log and let a checkpoint remove those before it. False where this role may not."""
    try:
        with translated(views.store):
            connection.execute("SELECT pg_catalog.pg_switch_wal()")
            connection.execute("CHECKPOINT")
    except DatabaseFailure as failure:
        if failure.sqlstate != _DENIED:
            raise
        return False
    return True


def _size(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_catalog.pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0
