"""Views on PostgreSQL: a schema for each build, and beside them the checkpoints, in one database.

    views.view       one row a view: locked by every step, so that steps of one view follow each other
    views.build      one row a build: its state; the one whose state is `live` is what queries read
    views.position   how far each build has come in each log
    views.parked     streams that could not be opened or folded
    views.filling    what each build that is being filled is filled with
    views.slice      what is done of it
    <view>_<number>  the tables of one build

Everything here can be deleted and made again from the log, so it has no migrations of its own.
"""

import hashlib
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from adapters.postgres.arrays import Uuids, register
from adapters.postgres.databases import Database, Role, translated
from domain.errors import Refused, Unavailable
from domain.kernel import Log
from projections.ports import Build, Comparison, Filled, Filling, Parked, Plan, Slice, State
from projections.projection import Projection, Row, Table

_STORE: Final = "views"
_PATIENCE: Final = 5.0
"""Seconds for which dropping a build gives way to queries before it makes new ones wait."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS views.view (
    name   text    PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS views.build (
    name     text    NOT NULL REFERENCES views.view,
    build    integer NOT NULL,
    version  integer NOT NULL,
    rule_set text    NOT NULL,
    state    text    NOT NULL CHECK (state IN ('filling', 'scratch', 'next', 'live', 'previous')),
    streams  jsonb   NOT NULL,
    PRIMARY KEY (name, build)
);
-- Queries find the live build by it; and there is never more than one.
CREATE UNIQUE INDEX IF NOT EXISTS build_live ON views.build (name) WHERE state = 'live';
CREATE TABLE IF NOT EXISTS views.position (
    name     text     NOT NULL,
    build    integer  NOT NULL,
    log      smallint NOT NULL,
    position bigint   NOT NULL,
    swept    bigint   NOT NULL,
    PRIMARY KEY (name, build, log),
    FOREIGN KEY (name, build) REFERENCES views.build ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS views.parked (
    name      text        NOT NULL,
    log       smallint    NOT NULL,
    stream_id uuid        NOT NULL,
    cause     text        NOT NULL,
    since     timestamptz NOT NULL,
    tries     integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (name, log, stream_id)
);
CREATE TABLE IF NOT EXISTS views.filling (
    name   text    NOT NULL,
    build  integer NOT NULL,
    plan   jsonb   NOT NULL,
    hidden boolean NOT NULL DEFAULT false,
    PRIMARY KEY (name, build),
    FOREIGN KEY (name, build) REFERENCES views.build ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS views.slice (
    name   text     NOT NULL,
    build  integer  NOT NULL,
    log    smallint NOT NULL,
    slice  integer  NOT NULL,
    events bigint   NOT NULL,
    ended  uuid[]   NOT NULL,
    PRIMARY KEY (name, build, log, slice),
    FOREIGN KEY (name, build) REFERENCES views.filling ON DELETE CASCADE
);
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresViewStore:
    """Keeps rows and checkpoints. Connections are opened when needed and kept; safe to use from several threads."""

    def __init__(self, database: Database, role: Role = Role.SERVICE) -> None:
        self._database = database
        self._role = role
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._prepared = False
        self._types = _ColumnTypes()

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def reading(self, projection: Projection) -> Iterator[Connection]:
        """A transaction in which the unqualified names of a view's tables are those of its live build.

        A switch does not disturb it, and what it reads is not dropped before it ends. Raises Unavailable where the view
        was never built, or was made by other code than this.
        """
        with self._connection() as connection, connection.transaction():
            # Taken in a statement of its own: the next one then sees what was committed before the lock was granted.
            connection.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))",
                (f"reading {projection.name}",),
            )
            live = connection.execute(
                """
                SELECT version, set_config('search_path', quote_ident(name || '_' || build), true)
                FROM views.build WHERE name = %s AND state = 'live'
                """,
                (projection.name,),
            ).fetchone()
            if live is None or live[0] != projection.version:
                raise Unavailable(
                    f"The view {projection.name} was not built by this version of ContactPoint. "
                    f"Run `contactpoint projection rebuild {projection.name} --switch`.",
                    code="view-not-built",
                )
            yield connection

    def builds(self, name: str) -> tuple[Build, ...]:
        """Every build of this view, oldest first."""
        with self._connection() as connection:
            return _builds(connection, name)

    def begin(self, projection: Projection, rule_set: str, plan: Plan) -> Build:
        """Make the empty tables of a further build, without indexes."""
        streams = {table.name: table.stream for table in projection.tables}
        with self._connection() as connection, connection.transaction():
            _lock_view(connection, projection.name)
            row = connection.execute(
                """
                INSERT INTO views.build (name, build, version, rule_set, state, streams)
                SELECT %(name)s, greatest(coalesce(max(build), 0), %(last)s) + 1, %(version)s, %(rules)s, 'filling',
                       %(streams)s
                FROM views.build WHERE name = %(name)s
                RETURNING build
                """,
                {
                    "name": projection.name,
                    "last": _last_schema(connection, projection.name),
                    "version": projection.version,
                    "rules": rule_set,
                    "streams": Jsonb(streams),
                },
            ).fetchone()
            assert row is not None  # noqa: S101 - INSERT … RETURNING of one row
            build = Build(projection.name, row[0], projection.version, rule_set, "filling", {}, {})
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(build.schema)))
            _run_in(connection, build, projection.sql()[0])
            connection.execute(
                "INSERT INTO views.filling (name, build, plan) VALUES (%s, %s, %s)",
                (
                    build.name,
                    build.number,
                    Jsonb({"upto": _by_log(plan.upto), "slices": _by_log(plan.slices)}),
                ),
            )
            return build

    def filling(self, name: str) -> Filling | None:
        """The newest build of a view that is being filled, with what is done of it."""
        with self._connection() as connection, connection.transaction():
            row = connection.execute(
                "SELECT build, plan, hidden FROM views.filling WHERE name = %s ORDER BY build DESC LIMIT 1",
                (name,),
            ).fetchone()
            if row is None:
                return None
            number, stored, hidden = row
            plan = Plan(
                *({Log(int(log)): value for log, value in stored[of].items()} for of in ("upto", "slices"))
            )
            done = connection.execute(
                "SELECT log, slice, events, ended FROM views.slice WHERE name = %s AND build = %s",
                (name, number),
            ).fetchall()
            (build,) = [build for build in _builds(connection, name) if build.number == number]
            return Filling(
                build,
                plan,
                {Slice(Log(log), at, plan.slices[Log(log)]): events for log, at, events, _ in done},
                frozenset(child for *_, ended in done for child in ended),
                hidden,
            )

    def fill(self, build: Build, projection: Projection, filled: Filled) -> bool:
        """Add a slice to a build that is being filled. False, and nothing added: it was there."""
        with self._connection() as connection, connection.transaction():
            # A slice that a crash of the server takes back is filled again: nobody need wait for the disk.
            connection.execute("SET LOCAL synchronous_commit = off")
            # First, so that of two that bring the same slice the second waits for the first.
            taken = connection.execute(
                """
                INSERT INTO views.slice (name, build, log, slice, events, ended) VALUES (%s, %s, %s, %s, %s, %s)
                ON CONFLICT DO NOTHING RETURNING 1
                """,
                (
                    build.name,
                    build.number,
                    filled.slice.log,
                    filled.slice.number,
                    filled.events,
                    list(filled.ended),
                ),
            ).fetchone()
            if taken is not None:
                _copy(connection, self._types, build, projection.tables, filled.rows)
                _park(connection, build.name, filled.parked)
            return taken is not None

    def finish(
        self, build: Build, projection: Projection, positions: Mapping[Log, int], state: State
    ) -> Build:
        """Make the indexes, set the checkpoint and give the build its state."""
        with self._connection() as connection:
            with connection.transaction():
                connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
                _run_in(connection, build, projection.sql()[1])
                for table in projection.tables:
                    connection.execute(sql.SQL("ANALYZE {}").format(_table(build, table.name)))
            with connection.transaction():
                _lock_view(connection, build.name)
                for log, position in positions.items():
                    connection.execute(
                        "INSERT INTO views.position (name, build, log, position, swept) VALUES (%s, %s, %s, %s, %s)",
                        (build.name, build.number, int(log), position, position),
                    )
                connection.execute(
                    "DELETE FROM views.filling WHERE name = %s AND build = %s", (build.name, build.number)
                )
                _become(connection, build, state)
        return replace(build, state=state, positions=dict(positions), swept=dict(positions))

    def drop(self, build: Build) -> None:
        """Delete a build that is not live and everything in it. Waits for queries that still read it."""
        with self._connection() as connection, connection.transaction():
            _lock_view(connection, build.name)
            gone = connection.execute(
                "DELETE FROM views.build WHERE name = %s AND build = %s AND state <> 'live' RETURNING 1",
                (build.name, build.number),
            ).fetchone()
            if gone is None:
                if any(other.number == build.number for other in _builds(connection, build.name)):
                    raise Refused("A view that is being read is not dropped.", code="view-is-live")
                return
            _wait_for_readers(connection, build.name)
            connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(build.schema))
            )

    @contextmanager
    def step(self, projection: Projection) -> Iterator["_Step"]:
        """A transaction with this view's checkpoint locked. Another's step waits."""
        with self._connection() as connection, connection.transaction():
            paused = _lock_view(connection, projection.name)
            yield _Step(connection, self._types, projection, paused=paused)

    @contextmanager
    def alone(self, name: str, what: str, *, wait: bool) -> Iterator[bool]:
        """Be the only one to do this to this view. The server frees the lock when its holder dies."""
        key = f"{what} {name}"
        with self._connection() as connection:
            if wait:
                connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
                taken = True
            else:
                row = connection.execute(
                    "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)
                ).fetchone()
                taken = bool(row and row[0])
            try:
                yield taken
            finally:
                if taken and not connection.closed:
                    connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (key,))

    def compare(self, projection: Projection, before: Build, after: Build) -> Comparison:
        """Compare two builds at one instant, in the server."""
        rows = added = removed = changed = 0
        digest = hashlib.sha256()
        with self._connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for table in projection.tables:
                found = _compare(connection, table, before, after)
                rows += found[0]
                added += found[1]
                removed += found[2]
                changed += found[3]
                digest.update(f"{table.name} {found[0]} {found[4]}\n".encode())
        return Comparison(rows, added, removed, changed, digest.hexdigest())

    def pause(self, name: str, *, paused: bool) -> None:
        """Stop feeding this view, or go on."""
        with self._connection() as connection, connection.transaction():
            _lock_view(connection, name)
            connection.execute("UPDATE views.view SET paused = %s WHERE name = %s", (paused, name))

    def is_paused(self, name: str) -> bool:
        """Whether this view is paused."""
        with self._connection() as connection:
            row = connection.execute("SELECT paused FROM views.view WHERE name = %s", (name,)).fetchone()
            return bool(row and row[0])

    def parked(self, name: str) -> list[Parked]:
        """Every parked stream of this view."""
        with self._connection() as connection:
            found = connection.execute(
                "SELECT log, stream_id, cause, since FROM views.parked WHERE name = %s ORDER BY log, stream_id",
                (name,),
            ).fetchall()
            return [Parked(Log(log), stream_id, cause, since) for log, stream_id, cause, since in found]

    def rows(self, build: Build, table: str) -> list[Row]:
        """Every row of a table, sorted by its text."""
        with self._connection() as connection:
            found = connection.execute(sql.SQL("SELECT * FROM {}").format(_table(build, table))).fetchall()
            return sorted(found, key=repr)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with translated(_STORE):
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or connection.closed:
                connection = self._database.connect(self._role, row_factory=tuple_row)
                register(connection)
            self._prepare(connection)
            try:
                yield connection
            except BaseException:
                connection.close()  # whatever it held (a transaction, an advisory lock) goes with it
                raise
            with self._lock:
                self._idle.append(connection)

    def _prepare(self, connection: Connection) -> None:
        if self._prepared:
            return
        there = connection.execute("SELECT to_regclass('views.slice') IS NOT NULL").fetchone()
        if there != (True,):
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('views', 0))")
                connection.execute(_TABLES)
        self._prepared = True


class _Step:
    """One transaction on one view; see `projections.ports.Step`."""

    def __init__(
        self, connection: Connection, types: "_ColumnTypes", projection: Projection, *, paused: bool
    ) -> None:
        self._connection = connection
        self._types = types
        self._projection = projection
        self._paused = paused
        self._builds = {
            build.number: build for build in _builds(connection, projection.name) if build.state != "filling"
        }

    @property
    def builds(self) -> Sequence[Build]:
        return list(self._builds.values())

    @property
    def paused(self) -> bool:
        return self._paused

    def replace(self, builds: Iterable[Build], streams: Collection[UUID], rows: Sequence[Row]) -> None:
        theirs = Uuids.of(list(streams))
        for build in builds:
            if build.version == self._projection.version:
                columns = {table.name: table.stream for table in self._projection.tables}
            else:
                columns = _streams(self._connection, build)
            for table, column in columns.items():
                self._connection.execute(
                    sql.SQL("DELETE FROM {} WHERE {} = ANY (%s)").format(
                        _table(build, table), sql.Identifier(column)
                    ),
                    (theirs,),
                )
            _copy(self._connection, self._types, build, self._projection.tables, rows)

    def advance(self, build: Build, log: Log, *, position: int | None = None, swept: int) -> None:
        now = self._builds[build.number]
        at, marks = dict(now.positions), dict(now.swept)
        at[log] = max(at.get(log, 0), position or 0)
        marks[log] = max(marks.get(log, 0), swept)
        self._connection.execute(
            """
            INSERT INTO views.position (name, build, log, position, swept) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (name, build, log) DO UPDATE SET position = excluded.position, swept = excluded.swept
            """,
            (build.name, build.number, int(log), at[log], marks[log]),
        )
        self._builds[build.number] = replace(now, positions=at, swept=marks)

    def park(self, parked: Iterable[Parked]) -> None:
        _park(self._connection, self._projection.name, parked)

    def unpark(self, log: Log, streams: Collection[UUID]) -> None:
        self._connection.execute(
            "DELETE FROM views.parked WHERE name = %s AND log = %s AND stream_id = ANY (%s)",
            (self._projection.name, int(log), Uuids.of(list(streams))),
        )

    def parked(self, limit: int) -> list[Parked]:
        found = self._connection.execute(
            """
            UPDATE views.parked AS p SET tries = p.tries + 1
            FROM (SELECT log, stream_id FROM views.parked WHERE name = %(name)s
                  ORDER BY tries, stream_id LIMIT %(limit)s) AS oldest
            WHERE p.name = %(name)s AND p.log = oldest.log AND p.stream_id = oldest.stream_id
            RETURNING p.log, p.stream_id, p.cause, p.since
            """,
            {"name": self._projection.name, "limit": limit},
        ).fetchall()
        return [Parked(Log(log), stream_id, cause, since) for log, stream_id, cause, since in found]

    def hides(self) -> None:
        self._connection.execute(
            "UPDATE views.filling SET hidden = true WHERE name = %s AND NOT hidden", (self._projection.name,)
        )

    def become(self, build: Build, state: State) -> None:
        _become(self._connection, build, state)
        self._builds[build.number] = replace(self._builds[build.number], state=state)


def _park(connection: Connection, name: str, parked: Iterable[Parked]) -> None:
    for one in parked:
        connection.execute(
            """
            INSERT INTO views.parked (name, log, stream_id, cause, since) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (name, log, stream_id) DO UPDATE SET cause = excluded.cause
            """,
            (name, int(one.log), one.stream_id, one.cause, one.since),
        )


def _by_log(values: Mapping[Log, int]) -> dict[str, int]:
    return {str(int(log)): value for log, value in values.items()}


def _lock_view(connection: Connection, name: str) -> bool:
    """Lock the view's row, making it the first time. Returns whether the view is paused."""
    for _ in range(2):
        row = connection.execute(
            "SELECT paused FROM views.view WHERE name = %s FOR UPDATE", (name,)
        ).fetchone()
        if row is not None:
            return bool(row[0])
        connection.execute("INSERT INTO views.view (name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))
    return False


def _builds(connection: Connection, name: str) -> tuple[Build, ...]:
    found = connection.execute(
        """
        SELECT b.build, b.version, b.rule_set, b.state,
               array_remove(array_agg(p.log), NULL), array_agg(p.position), array_agg(p.swept)
        FROM views.build AS b LEFT JOIN views.position AS p USING (name, build)
        WHERE b.name = %s GROUP BY b.name, b.build ORDER BY b.build
        """,
        (name,),
    ).fetchall()
    return tuple(
        Build(
            name,
            number,
            version,
            rule_set,
            state,
            {Log(log): position for log, position in zip(logs, positions, strict=False)},
            {Log(log): mark for log, mark in zip(logs, swept, strict=False)},
        )
        for number, version, rule_set, state, logs, positions, swept in found
    )


def _last_schema(connection: Connection, name: str) -> int:
    """The highest number a schema of this view bears, so that a name is not used twice even after a loss."""
    found = connection.execute(
        r"SELECT coalesce(max(substring(nspname FROM '_(\d+)$')::integer), 0) FROM pg_namespace WHERE nspname ~ %s",
        (rf"^{name}_\d+$",),
    ).fetchone()
    return int(found[0]) if found else 0


def _streams(connection: Connection, build: Build) -> dict[str, str]:
    row = connection.execute(
        "SELECT streams FROM views.build WHERE name = %s AND build = %s", (build.name, build.number)
    ).fetchone()
    return dict(row[0]) if row else {}


def _become(connection: Connection, build: Build, state: State) -> None:
    connection.execute(
        "UPDATE views.build SET state = %s WHERE name = %s AND build = %s", (state, build.name, build.number)
    )


def _wait_for_readers(connection: Connection, name: str) -> None:
    """Until nobody reads this view: give way for a while, then make new readers wait."""
    key = f"reading {name}"
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        row = connection.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (key,)
        ).fetchone()
        if row and row[0]:
            return
        time.sleep(0.005)
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))


def _table(build: Build, table: str) -> sql.Identifier:
    return sql.Identifier(build.schema, table)


def _run_in(connection: Connection, build: Build, statements: str) -> None:
    """Run the statements of a `table.sql`, which name no schema, inside the schema of a build."""
    connection.execute("SELECT set_config('search_path', quote_ident(%s), true)", (build.schema,))
    connection.execute(statements.encode())  # a file of this package


class _ColumnTypes:
    """The types of the columns of builds, each table's looked up once: the name of a schema is never used again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[int]] = {}

    def of(self, connection: Connection, build: Build, table: Table) -> list[int]:
        """Their oids, in the order of a row's fields."""
        known = self._known.get((build.schema, table.name))
        if known is None:
            columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
            query = sql.SQL("SELECT {} FROM {} LIMIT 0").format(columns, _table(build, table.name))
            described = connection.execute(query).description or ()
            known = self._known[build.schema, table.name] = [column.type_code for column in described]
        return known


def _copy(
    connection: Connection, types: _ColumnTypes, build: Build, tables: Iterable[Table], rows: Sequence[Row]
) -> None:
    for table in tables:
        own = [row for row in rows if type(row) is table.row]
        if not own:
            continue
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            _table(build, table.name), columns
        )
        oids = types.of(connection, build, table)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(oids)
            for row in own:
                copy.write_row(row)


def _compare(
    connection: Connection, table: Table, before: Build, after: Build
) -> tuple[int, int, int, int, str]:
    """Rows of `after`, added, removed, changed, and the sum of the hashes of its rows."""
    common = _columns(connection, before, table.name) & _columns(connection, after, table.name)
    if not set(table.key) <= common:  # other code made it, in other tables: nothing is the same
        return _all_new(connection, table, before, after)
    shared = sql.SQL(", ").join(sql.Identifier(column) for column in table.columns if column in common)
    hashes = sql.SQL("(SELECT {}, hashtextextended(ROW ({})::text, 0) AS hash FROM {})")
    key = sql.SQL(", ").join(map(sql.Identifier, table.key))
    query = sql.SQL(
        """
        SELECT count(new.hash), count(*) FILTER (WHERE old.hash IS NULL), count(*) FILTER (WHERE new.hash IS NULL),
               count(*) FILTER (WHERE old.hash <> new.hash), coalesce(sum(new.hash), 0)
        FROM {} AS old FULL JOIN {} AS new USING ({})
        """
    ).format(
        hashes.format(key, shared, _table(before, table.name)),
        hashes.format(key, shared, _table(after, table.name)),
        key,
    )
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return int(row[0]), int(row[1]), int(row[2]), int(row[3]), str(row[4])


def _all_new(
    connection: Connection, table: Table, before: Build, after: Build
) -> tuple[int, int, int, int, str]:
    counts = []
    for build in (before, after):
        there = bool(_columns(connection, build, table.name))
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(_table(build, table.name)) if there else "SELECT 0"
        ).fetchone()
        counts.append(int(row[0]) if row else 0)
    return counts[1], counts[1], counts[0], 0, "all new"


def _columns(connection: Connection, build: Build, table: str) -> set[str]:
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        (build.schema, table),
    ).fetchall()
    return {row[0] for row in found}
