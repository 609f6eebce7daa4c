"""The only reads of the register of accounts and organisations: which there are, in order, a page at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from psycopg import Connection

Open = Callable[[], AbstractContextManager[Connection[Any]]]
"""Opens a transaction in which the live build's tables are read by their unqualified names."""


class AccessRegister:
    """Lists accounts by name and organisations by body code."""

    def __init__(self, open_view: Open) -> None:
        self._open = open_view

    def accounts(self, body: str | None, after: str, most: int) -> list[tuple[str, UUID]]:
        """Names and ids of accounts, of one organisation if given, from behind `after`."""
        with self._open() as connection:
            return connection.execute(
                """
                SELECT name, account_id FROM account
                WHERE name > %(after)s AND (%(body)s::text IS NULL OR body = %(body)s)
                ORDER BY name LIMIT %(most)s
                """,
                {"body": body, "after": after, "most": most},
            ).fetchall()

    def organisations(self, after: str, most: int) -> list[tuple[str, UUID]]:
        """Body codes and ids of organisations, from behind `after`."""
        with self._open() as connection:
            return connection.execute(
                "SELECT body, organisation_id FROM organisation WHERE body > %s ORDER BY body LIMIT %s",
                (after, most),
            ).fetchall()
