"""Positions of followers that have effects, and the order of the record log that they follow."""

from uuid import UUID

from adapters.postgres.databases import Database, Role, translated
from adapters.postgres.log_reader import PostgresLogReader
from domain.kernel import Log


class PostgresFollowerPositions:
    """Implements `ingest.ports.FollowerPositions`."""

    def __init__(self, database: Database, role: Role = Role.WRITER) -> None:
        self._database = database
        self._connection = database.connect(role)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def position(self, follower: str) -> int:
        """The position of the last event it has dealt with; 0 before the first."""
        with translated(self._database.store):
            row = self._connection.execute(
                "SELECT position FROM record_log.follower WHERE name = %s", (follower,)
            ).fetchone()
        return int(row[0]) if row else 0

    def moved(self, follower: str, position: int) -> None:
        """Move it on, never back."""
        with translated(self._database.store):
            self._connection.execute(
                """
                INSERT INTO record_log.follower AS f (name, position) VALUES (%s, %s)
                ON CONFLICT (name) DO UPDATE SET position = greatest(f.position, excluded.position)
                """,
                (follower, position),
            )


class RecordOrder:
    """Implements `ingest.ports.Order` over the reader of both logs."""

    def __init__(self, reader: PostgresLogReader) -> None:
        self._reader = reader

    def head(self) -> int:
        """The position of the last event."""
        return self._reader.head(Log.RECORD)

    def tail(self, after: int, limit: int) -> list[tuple[int, UUID]]:
        """Position and stream of the events behind `after`."""
        return self._reader.tail(Log.RECORD, after, limit)
