"""Where shielded children are, as keyed digests, in the `shielded` database. The writer's role alone may look."""

from collections.abc import Iterable
from threading import Lock
from uuid import UUID

from adapters.postgres.databases import Database, Role, translated


class PostgresPlaces:
    """Implements `ingest.ports.Places`. One connection, shared between threads."""

    def __init__(self, database: Database, role: Role = Role.WRITER) -> None:
        self._database = database
        self._connection = database.connect(role)
        self._lock = Lock()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def note(self, child_id: UUID, tokens: Iterable[bytes]) -> None:
        """Add the tokens of a child's places. Idempotent; committed when it returns."""
        with self._lock, translated(self._database.store):
            self._connection.execute(
                """
                INSERT INTO whereabouts.token (token, stream_id)
                SELECT token, %s FROM unnest(%s::bytea[]) AS given(token)
                ON CONFLICT DO NOTHING
                """,
                (child_id, sorted(tokens)),
            )

    def near(self, tokens: Iterable[bytes]) -> set[UUID]:
        """The shielded children noted with any of these tokens."""
        with self._lock, translated(self._database.store):
            found = self._connection.execute(
                "SELECT DISTINCT stream_id FROM whereabouts.token WHERE token = ANY (%s::bytea[])",
                (sorted(tokens),),
            )
            return {row[0] for row in found}

    def forget(self, child_id: UUID) -> None:
        """Remove every token of a child. Idempotent."""
        with self._lock, translated(self._database.store):
            self._connection.execute("DELETE FROM whereabouts.token WHERE stream_id = %s", (child_id,))
