"""Key rows in PostgreSQL: the tables `keys.key` of the databases `keyring` and `shielded`, under one role.

Nothing here opens a key. What a role may do is for the grants to say (`migrations/*/privileges.sql`); rows are changed
only by the owner's functions. Every statement may be repeated without harm, so one whose connection broke is.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, Final, LiteralString, TypeVar
from uuid import UUID

import psycopg

from adapters.faults import Reach, no_fault
from adapters.key_rows import KeyKind, KeyName, KeyRow
from adapters.postgres.connections import Connections
from adapters.postgres.databases import Database, DatabaseFailure, Role
from domain.errors import Unavailable

_ROTATION: Final = 0x4B454B
"""Advisory lock: shared by whoever adds keys, alone by a rotation that ends."""

_COLUMNS: Final = "subject, kind, number, generation, wrapped, certificate"
_COPIED: Final = 32
"""From so many rows on, COPY is quicker than an INSERT."""

_COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_COPY_FOOTER: Final = struct.pack(">h", -1)
_COPY_ROW: Final = struct.Struct(">hi16sihiiiii")
_ELSEWHERE: Final = -1
_DENIED: Final = "42501"

_T = TypeVar("_T")
_Connection = psycopg.Connection[tuple[Any, ...]]


class _KeyTable:
    """What both databases have in common. See `adapters.key_rows` for what each method promises."""

    COMMON_POINTS: ClassVar = (
        "keys.insert.before",
        "keys.insert.after",
        "keys.forget.before",
        "keys.forget.after",
        "keys.rewrap.before",
        "keys.rewrap.after",
        "keys.sweep.before",
        "keys.sweep.after",
    )

    def __init__(self, database: Database, role: Role, *, reach: Reach = no_fault) -> None:
        self._connections = Connections(database, role)
        self._reach = reach

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def add(self, make: Callable[[], Sequence[KeyRow]]) -> int:
        return self._repeated(lambda: self._add(make))

    def read(self, subjects: Sequence[UUID]) -> list[KeyRow]:
        rows = self._all(f"SELECT {_COLUMNS} FROM keys.key WHERE subject = ANY (%s)", (list(subjects),))
        return [KeyRow(*row) for row in rows]

    def forget(self, name: KeyName, certificate: UUID) -> bool:
        return self._said("keys.forget", "SELECT keys.forget(%s, %s::smallint, %s, %s)", (*name, certificate))

    @contextmanager
    def alone(self, subject: UUID) -> Iterator[None]:
        with self._connections.one() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(subject),))
            yield

    def older(self, generation: int, after: KeyName | None, limit: int) -> list[KeyRow]:
        rows = self._all(
            f"SELECT {_COLUMNS} FROM keys.key "
            "WHERE (subject, kind, number) > (%s, %s, %s) AND generation < %s AND wrapped IS NOT NULL "
            "ORDER BY subject, kind, number LIMIT %s",
            (*(after or _BEFORE_ALL), generation, limit),
        )
        return [KeyRow(*row) for row in rows]

    def rewrap(self, old: int, rows: Sequence[KeyRow]) -> int:
        by_generation: dict[int, list[KeyRow]] = {}
        for row in rows:
            by_generation.setdefault(row.generation, []).append(row)
        done = 0
        for generation, own in by_generation.items():
            self._reach("keys.rewrap.before")
            (changed,) = self._all(
                "SELECT keys.rewrap(%s, %s::smallint[], %s, %s, %s, %s)",
                (
                    [row.subject for row in own],
                    [row.kind for row in own],
                    [row.number for row in own],
                    old,
                    generation,
                    [row.wrapped for row in own],
                ),
            )
            self._reach("keys.rewrap.after")
            done += changed[0]
        return done

    def finish(self, generation: int, destroy: Callable[[], None]) -> bool:
        if self.older(generation, None, 1):
            return False
        with self._connections.one() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ROTATION,))
            left = connection.execute(
                "SELECT FROM keys.key WHERE generation < %s AND wrapped IS NOT NULL LIMIT 1", (generation,)
            ).fetchone()
            if left is None:
                destroy()
            return left is None

    def names(self, after: KeyName | None, limit: int) -> list[KeyName]:
        rows = self._all(
            "SELECT subject, kind, number FROM keys.key "
            "WHERE (subject, kind, number) > (%s, %s, %s) AND certificate IS NULL AND kind <= 3 "
            "ORDER BY subject, kind, number LIMIT %s",
            (*(after or _BEFORE_ALL), limit),
        )
        return [KeyName(*row) for row in rows]

    def children(self) -> int:
        ((count,),) = self._all("SELECT count(*) FROM keys.key WHERE kind = 1 AND certificate IS NULL", ())
        return int(count)

    def sweep(self, orphans: Sequence[KeyName], instant: datetime | None = None) -> int:
        self._reach("keys.sweep.before")
        (removed,) = self._all(
            "SELECT keys.sweep(%s::uuid[], %s::smallint[], %s::integer[], %s)",
            (
                [name.subject for name in orphans],
                [name.kind for name in orphans],
                [name.number for name in orphans],
                instant,
            ),
        )
        self._reach("keys.sweep.after")
        return int(removed[0])

    def clear_notes(self) -> None:
        self._all("SELECT keys.empty_orphans()", ())

    def _said(self, point: str, query: LiteralString, parameters: Sequence[object]) -> bool:
        """Call a function that says whether it did anything."""
        self._reach(f"{point}.before")
        ((done,),) = self._all(query, parameters)
        self._reach(f"{point}.after")
        return bool(done)

    def _all(self, query: LiteralString, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        def run() -> list[tuple[Any, ...]]:
            with self._connections.one() as connection, connection.cursor(binary=True) as cursor:
                return cursor.execute(query, parameters, prepare=True).fetchall()

        return self._repeated(run)

    def _repeated(self, run: Callable[[], _T]) -> _T:
        try:
            return run()
        except DatabaseFailure as failure:
            if not failure.lost:
                raise
        self._connections.close()
        return run()

    def _add(self, make: Callable[[], Sequence[KeyRow]]) -> int:
        with self._connections.one() as connection:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_ROTATION,), prepare=True)
                rows = make()
                self._reach("keys.insert.before")
                copied = len(rows) >= _COPIED and self._copied(connection, rows)
                done = len(rows) if copied else self._inserted(connection, rows)
            self._reach("keys.insert.after")
            return done

    def _copied(self, connection: _Connection, rows: Sequence[KeyRow]) -> bool:
        """COPY knows no ON CONFLICT: where a name is taken, nothing is copied and the caller inserts."""
        try:
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.write(_packed(rows))
        except psycopg.errors.UniqueViolation:
            return False
        return True

    def _inserted(self, connection: _Connection, rows: Sequence[KeyRow]) -> int:
        return connection.execute(
            "INSERT INTO keys.key (subject, kind, number, generation, wrapped) "
            "SELECT * FROM unnest(%s::uuid[], %s::smallint[], %s::integer[], %s::integer[], %s::bytea[]) "
            "ON CONFLICT DO NOTHING",
            [list(column) for column in list(zip(*rows, strict=True))[:5]] if rows else [[], [], [], [], []],
            prepare=True,
        ).rowcount


class PostgresKeyring(_KeyTable):
    """The rows of `keyring`. Implements adapters.key_rows.KeyringTable and KeptTable."""

    FAULT_POINTS: ClassVar = (
        *_KeyTable.COMMON_POINTS,
        "keys.mark.before",
        "keys.mark.after",
        "keys.restore.before",
        "keys.restore.after",
    )

    def vacate(self, subject: UUID, number: int) -> bool:
        return self._said(
            "keys.mark",
            "SELECT keys.mark_elsewhere(%s, %s::smallint, %s)",
            (subject, KeyKind.CONTENT, number),
        )

    def occupy(self, row: KeyRow) -> bool:
        return self._said(
            "keys.restore", "SELECT keys.restore_wrapped(%s, %s::smallint, %s, %s, %s)", row[:5]
        )


class PostgresShielded(_KeyTable):
    """The rows of `shielded`. Implements adapters.key_rows.ShieldedTable, KeptTable and Opening."""

    FAULT_POINTS: ClassVar = (*_KeyTable.COMMON_POINTS, "keys.drop.before", "keys.drop.after")

    def drop(self, subject: UUID, number: int) -> bool:
        return self._said("keys.drop", "SELECT keys.move_out(%s, %s)", (subject, number))

    def open_for_access(self, subject: UUID, access: UUID) -> list[KeyRow]:
        try:
            rows = self._all(f"SELECT {_COLUMNS} FROM keys.open_for_access(%s, %s)", (subject, access))
        except DatabaseFailure as failure:
            if failure.sqlstate != _DENIED:
                raise
            raise Unavailable("One access opens one record, by a role that may.") from None
        return [KeyRow(*row) for row in rows]


_BEFORE_ALL: Final = KeyName(UUID(int=0), 0, 0)
_COPY: Final = "COPY keys.key (subject, kind, number, generation, wrapped) FROM STDIN (FORMAT BINARY)"


def _packed(rows: Sequence[KeyRow]) -> bytes:
    """The rows in PostgreSQL's binary COPY form."""
    pack = _COPY_ROW.pack
    packed = [_COPY_HEADER]
    for subject, kind, number, generation, wrapped, _ in rows:
        length = _ELSEWHERE if wrapped is None else len(wrapped)
        packed.append(pack(5, 16, subject.bytes, 2, kind, 4, number, 4, generation, length))
        if wrapped is not None:
            packed.append(wrapped)
    packed.append(_COPY_FOOTER)
    return b"".join(packed)
