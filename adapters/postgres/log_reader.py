"""The order of both logs, read from their clear columns. Nothing is opened here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from adapters.postgres.databases import Database, Role, translated
from domain.kernel import Log

_SCHEMA: Final[dict[Log, LiteralString]] = {Log.RECORD: "record_log", Log.ACCESS: "access_log"}
_LOWEST: Final = UUID(int=0)

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresLogReader:
    """Reads positions and stream ids. One connection for reading, one that listens while it waits."""

    def __init__(self, database: Database, role: Role = Role.SERVICE) -> None:
        self._database = database
        self._role = role
        self._reader: Connection | None = None
        self._listener: Connection | None = None
        self._lock = Lock()

    def close(self) -> None:
        """Close both connections."""
        for connection in (self._reader, self._listener):
            if connection is not None:
                connection.close()

    def head(self, log: Log) -> int:
        """The position of the last event (0: none)."""
        with self._reading() as connection:
            row = connection.execute(f"SELECT position FROM {_SCHEMA[log]}.head").fetchone()
            return int(row[0]) if row else 0

    def tail(self, log: Log, after: int, limit: int, upto: int | None = None) -> list[tuple[int, UUID]]:
        """Position and stream of the events behind `after`, in order."""
        last = after + limit if upto is None else min(after + limit, upto)  # positions are dense
        with self._reading() as connection:
            return [
                (position, stream_id)
                for position, stream_id in connection.execute(
                    f"""
                    SELECT position, stream_id FROM {_SCHEMA[log]}.event
                    WHERE position > %s AND position <= %s ORDER BY position
                    """,
                    (after, last),
                )
            ]

    def streams(self, log: Log, after: UUID | None, limit: int, upto: int) -> list[UUID]:
        """The streams that began at or before position `upto`, in the order of their ids."""
        behind: LiteralString = ">=" if after is None else ">"
        with self._reading() as connection:
            return [
                row[0]
                for row in connection.execute(
                    f"""
                    SELECT stream_id FROM {_SCHEMA[log]}.event
                    WHERE stream_id {behind} %s AND version = 1 AND position <= %s ORDER BY stream_id LIMIT %s
                    """,
                    (after or _LOWEST, upto, limit),
                )
            ]

    def recorded_at(self, log: Log, position: int) -> datetime | None:
        """When the event at this position was recorded."""
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT recorded_at FROM {_SCHEMA[log]}.event WHERE position = %s", (position,)
            ).fetchone()
            return row[0] if row else None

    def wait(self, seconds: float) -> None:
        """Return when something was appended to either log, or after so many seconds."""
        with translated("record"):
            if self._listener is None or self._listener.closed:
                self._listener = self._database.connect(self._role)
                for schema in _SCHEMA.values():
                    self._listener.execute(f"LISTEN {schema}")
                return  # what came before we listened is seen by looking again
            for _ in self._listener.notifies(timeout=seconds, stop_after=1):
                pass

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock, translated("record"):
            if self._reader is None or self._reader.closed:
                self._reader = self._database.connect(self._role)
            yield self._reader
