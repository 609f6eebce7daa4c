"""How names are searched with PostgreSQL as it comes: the trigrams of pg_trgm over one plain table."""

from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Connection, sql

from adapters.postgres.databases import connect_as_superuser
from cli.benches.place import address_of
from domain.access.events import Criteria

_MADE: Final = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE SCHEMA trigrams;
CREATE TABLE trigrams.child AS
SELECT child_id, number, date_of_birth, postcode, nhs_number, given || ' ' || family AS name
FROM {child} JOIN {name} USING (child_id);
CREATE INDEX ON trigrams.child USING gin (name gin_trgm_ops);
CREATE INDEX ON trigrams.child (date_of_birth);
CREATE INDEX ON trigrams.child (postcode);
CREATE INDEX ON trigrams.child (number);
ANALYZE trigrams.child;
"""
_CONDITIONS: Final[dict[str, LiteralString]] = {
    "name": "name %% %(name)s",
    "date_of_birth": "date_of_birth = %(date_of_birth)s",
    "postcode": "postcode = replace(%(postcode)s, ' ', '')",
    "number": "number = %(number)s",
}


class Trigrams:
    """The yardstick: likest names first, the other criteria exactly, an index for each. Knows no sound and no rank."""

    def __init__(self, home: Path, schema: str) -> None:
        self._connection: Connection[Any] = connect_as_superuser(address_of(home), "views")
        tables = {name: sql.Identifier(schema, name) for name in ("child", "name")}
        self._connection.execute(sql.SQL(_MADE).format(**tables))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def find(self, criteria: Criteria, limit: int) -> list[UUID]:
        """Children with such a name, the likest first, who meet the other criteria."""
        asked = criteria.model_dump(exclude_none=True)
        where = sql.SQL(" AND ").join([sql.SQL(_CONDITIONS[name]) for name in asked])
        order = sql.SQL("ORDER BY similarity(name, %(name)s) DESC" if "name" in asked else "")
        statement = sql.SQL("SELECT child_id FROM trigrams.child WHERE {} {} LIMIT %(limit)s").format(
            where, order
        )
        return [row[0] for row in self._connection.execute(statement, {**asked, "limit": limit})]
