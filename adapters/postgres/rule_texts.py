"""Files of rules in the record database."""

import hashlib

from adapters.postgres.connections import Connections
from adapters.postgres.databases import Database, Role


class PostgresRuleTexts:
    """Implements `domain.ports.RuleTexts`. The table sees to it that none is ever changed."""

    def __init__(self, database: Database, role: Role = Role.SERVICE) -> None:
        self._connections = Connections(database, role)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def keep(self, text: bytes) -> bytes:
        """See the port."""
        digest = hashlib.sha256(text).digest()
        with self._connections.one() as connection:
            connection.execute(
                "INSERT INTO rules.text (digest, text) VALUES (%s, %s) ON CONFLICT (digest) DO NOTHING",
                (digest, text),
            )
        return digest

    def text(self, digest: bytes) -> bytes | None:
        """See the port."""
        with self._connections.one() as connection:
            row = connection.execute(
                "SELECT text FROM rules.text WHERE substring(digest FOR 16) = substring(%s::bytea FOR 16) "
                "AND substring(digest FOR length(%s::bytea)) = %s",
                (digest, digest, digest),
            ).fetchone()
        return None if row is None else bytes(row[0])
