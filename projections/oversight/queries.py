"""The only reads of what waits for a decision: which there are, oldest first."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, sql

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""


class Waiting:
    """Lists proposals and investigations."""

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

    def investigations(self, area: str | None, most: int, *, closed: bool) -> list[UUID]:
        """Of an area, or everywhere: those that are open, oldest first, or those that are closed, newest first."""
        order = sql.SQL("DESC" if closed else "ASC")
        query = sql.SQL(
            """
            SELECT investigation_id FROM investigation
            WHERE waits = %(waits)s AND (%(area)s::text IS NULL OR area = %(area)s)
            ORDER BY opened_at {order}, investigation_id LIMIT %(most)s
            """
        ).format(order=order)
        with self._open() as connection:
            given = {"waits": not closed, "area": area, "most": most}
            found = connection.execute(query, given).fetchall()
        return [investigation_id for (investigation_id,) in found]

    def investigations_told_to(self, organisation: UUID, manager: str, most: int) -> list[UUID]:
        """Of people whom somebody of this number manages there, the newest first."""
        with self._open() as connection:
            found = connection.execute(
                """
                SELECT investigation_id FROM investigation
                WHERE organisation = %s AND line_manager = %s ORDER BY opened_at DESC, investigation_id LIMIT %s
                """,
                (organisation, manager, most),
            ).fetchall()
        return [investigation_id for (investigation_id,) in found]
