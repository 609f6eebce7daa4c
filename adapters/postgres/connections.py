"""Connections of one role to one database, shared between threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from adapters.postgres.databases import Database, Role, translated

_Connection = psycopg.Connection[tuple[Any, ...]]


class Connections:
    """A few connections to one database, opened when they are needed and kept while they work."""

    def __init__(self, database: Database, role: Role) -> None:
        self.database = database
        self._role = role
        self._idle: list[_Connection] = []

    @contextmanager
    def one(self) -> Iterator[_Connection]:
        """A connection in autocommit mode. Raises DatabaseFailure."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.database.connect(self._role)
        try:
            with translated(self.database.store):
                yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            self._idle.pop().close()
