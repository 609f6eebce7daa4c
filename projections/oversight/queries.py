"""The only reads of what waits for a decision: which there are, oldest first."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""


class Oversight:
    """Lists proposals."""

    def __init__(self, open_view: Open) -> None:
        self._open = open_view

    def open_proposals(self, instant: datetime, most: int) -> list[UUID]:
        """Those that wait and whose time has not run out, oldest first."""
        with self._open() as connection:
            found = connection.execute(
                """
                SELECT proposal_id FROM proposal
                WHERE waits AND expires_at > %s ORDER BY proposed_at, proposal_id LIMIT %s
                """,
                (instant, most),
            ).fetchall()
        return [proposal_id for (proposal_id,) in found]

    def expired_proposals(self, instant: datetime, most: int) -> list[UUID]:
        """Those whose time has run out, which nobody has put on record yet."""
        with self._open() as connection:
            found = connection.execute(
                """
                SELECT proposal_id FROM proposal
                WHERE waits AND expires_at <= %s ORDER BY proposed_at, proposal_id LIMIT %s
                """,
                (instant, most),
            ).fetchall()
        return [proposal_id for (proposal_id,) in found]
