"""What the sealer of a log remembers, in the record database: a row of its own, under a role of its own."""

from typing import ClassVar

from psycopg import sql

from adapters.faults import Reach, no_fault
from adapters.postgres.databases import Database, Role
from adapters.postgres.lease import PostgresLease
from domain.errors import Fenced
from domain.kernel import Log
from domain.ports import Sealed


class PostgresSealState(PostgresLease):
    """Implements `domain.ports.SealState`."""

    FAULT_POINTS: ClassVar[tuple[str, ...]] = ("before-advancing", "advanced-not-committed", "advanced")

    def __init__(
        self, database: Database, log: Log, role: Role = Role.SEALER, *, reach: Reach = no_fault
    ) -> None:
        row = sql.SQL("log = {}").format(sql.Literal(int(log)))
        super().__init__(database, role, sql.Identifier("seal", "state"), row, who="sealer")
        self._log = int(log)
        self._reach = reach

    def renew(self, fence: int, seconds: float, *, well: bool) -> None:
        """See the port."""
        with self._leading(fence) as connection:
            self._prolong(connection, seconds)
            if well:
                connection.execute(
                    "UPDATE seal.state SET well_at = clock_timestamp() WHERE log = %s", (self._log,)
                )

    def sealed(self) -> Sealed:
        """See the port."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT size, root FROM seal.state WHERE log = %s", (self._log,)
            ).fetchone()
        return Sealed(int(row[0]), bytes(row[1])) if row else Sealed(0, b"")

    def advance(self, fence: int, before: Sealed, after: Sealed) -> None:
        """See the port."""
        self._reach("before-advancing")
        with self._leading(fence) as connection:
            moved = connection.execute(
                "UPDATE seal.state SET size = %s, root = %s WHERE log = %s AND size = %s AND root = %s",
                (after.size, after.root, self._log, before.size, before.root),
            ).rowcount
            if moved != 1:
                raise Fenced("The log was sealed by another meanwhile; this sealer stops.")
            self._reach("advanced-not-committed")
        self._reach("advanced")

    def age(self) -> float | None:
        """See the port."""
        with self._connected() as connection:
            row = connection.execute(
                """
                SELECT extract(epoch FROM clock_timestamp() - coalesce(well_at, '-infinity'))
                FROM seal.state WHERE log = %s AND fence > 0
                """,
                (self._log,),
            ).fetchone()
        return float(row[0]) if row else None
