"""Which records somebody asked for contact in, in the `shielded` database: ids and instants, nothing of who or why."""

from datetime import datetime
from threading import Lock
from uuid import UUID

from adapters.postgres.databases import Database, Role, translated


class PostgresContactRequests:
    """Implements `domain.ports.ContactRequests`. One connection, shared between threads; a manager's only reads."""

    def __init__(self, database: Database, role: Role = Role.WRITER) -> None:
        self._database = database
        self._connection = database.connect(role)
        self._lock = Lock()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def note(self, request: UUID, child_id: UUID, at: datetime) -> None:
        """Add one. Idempotent; committed when it returns."""
        with self._lock, translated(self._database.store):
            self._connection.execute(
                "INSERT INTO brokering.asked (request, child_id, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (request, child_id, at),
            )

    def asked(self) -> list[UUID]:
        """The children, that of the oldest request first."""
        with self._lock, translated(self._database.store):
            found = self._connection.execute(
                "SELECT child_id FROM brokering.asked GROUP BY child_id ORDER BY min(at), child_id"
            )
            return [row[0] for row in found]

    def sweep(self, before: datetime) -> None:
        """Remove those of before an instant. Idempotent."""
        with self._lock, translated(self._database.store):
            self._connection.execute("DELETE FROM brokering.asked WHERE at < %s", (before,))

    def forget(self, child_id: UUID) -> None:
        """Remove every one about a child. Idempotent."""
        with self._lock, translated(self._database.store):
            self._connection.execute("DELETE FROM brokering.asked WHERE child_id = %s", (child_id,))
