"""The only reads of the review queue: which records wait, oldest first. What they say is read from the log."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""


def waiting(
    connection: Connection[Any], after: tuple[datetime, UUID] | None, most: int
) -> list[tuple[datetime, UUID]]:
    """When each began to wait and its id, oldest first, from behind `after`, at most so many."""
    since, held_id = after or (None, None)
    return connection.execute(
        """
        SELECT since, held_id FROM held
        WHERE %(since)s::timestamptz IS NULL OR (since, held_id) > (%(since)s, %(held_id)s::uuid)
        ORDER BY since, held_id LIMIT %(most)s
        """,
        {"since": since, "held_id": held_id, "most": most},
    ).fetchall()
