"""Which records somebody asked for contact in, in the `shielded` database: ids and instants, nothing of who or why."""

from datetime import datetime
from uuid import UUID

from adapters.postgres.connections import Connections
from adapters.postgres.databases import Database, Role


class PostgresContactRequests:
    """Implements `domain.ports.ContactRequests`. Connects when it is first asked; a manager's only reads."""

    def __init__(self, database: Database, role: Role = Role.WRITER) -> None:
        self._connections = Connections(database, role)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def note(self, request: UUID, child_id: UUID, at: datetime) -> None:
        """Add one. Idempotent; committed when it returns."""
        with self._connections.one() as connection:
            connection.execute(
                "INSERT INTO brokering.asked (request, child_id, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (request, child_id, at),
            )

    def asked(self) -> list[UUID]:
        """The children, that of the oldest request first."""
        with self._connections.one() as connection:
            found = connection.execute(
                "SELECT child_id FROM brokering.asked GROUP BY child_id ORDER BY min(at), child_id"
            )
            return [row[0] for row in found]

    def sweep(self, before: datetime) -> None:
        """Remove those of before an instant. Idempotent."""
        with self._connections.one() as connection:
            connection.execute("DELETE FROM brokering.asked WHERE at < %s", (before,))

    def forget(self, child_id: UUID) -> None:
        """Remove every one about a child. Idempotent."""
        with self._connections.one() as connection:
            connection.execute("DELETE FROM brokering.asked WHERE child_id = %s", (child_id,))
