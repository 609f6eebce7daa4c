"""Sessions, tries and rows of authenticators in the record database. What must happen once is one statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from adapters.authenticator_rows import AuthenticatorRow, EnrolmentRow
from adapters.postgres.connections import Connections
from adapters.postgres.databases import Database, Role
from domain.ports import Session

_SESSION: Final = "id, account, how, began_at, seen_at, proved_at, account_version"


class _Table:
    """Rows that threads read and change at once."""

    def __init__(self, database: Database, role: Role = Role.SERVICE) -> None:
        self._connections = Connections(database, role)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _rows(self, statement: LiteralString, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._connections.one() as connection:
            return connection.execute(statement, parameters).fetchall()

    def _changed(self, statement: LiteralString, parameters: Sequence[object]) -> int:
        """How many rows it changed; committed."""
        with self._connections.one() as connection:
            return connection.execute(statement, parameters).rowcount


class PostgresSessions(_Table):
    """Implements `domain.ports.Sessions`."""

    def begin(self, token: bytes, session: Session) -> None:
        """See the port."""
        self._changed(
            f"INSERT INTO sign_in.session (token, {_SESSION}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                token,
                session.session_id,
                session.account,
                session.how,
                session.began_at,
                session.seen_at,
                session.proved_at,
                session.account_version,
            ),
        )

    def find(self, token: bytes) -> Session | None:
        """See the port."""
        rows = self._rows(f"SELECT {_SESSION} FROM sign_in.session WHERE token = %s", (token,))
        return Session(*rows[0]) if rows else None

    def use(self, session_id: UUID, at: datetime, idle: timedelta, most: timedelta) -> bool:
        """See the port."""
        statement: LiteralString = """
            UPDATE sign_in.session SET seen_at = greatest(seen_at, %s)
            WHERE id = %s AND seen_at > %s AND began_at > %s
            """
        return self._changed(statement, (at, session_id, at - idle, at - most)) == 1

    def step_up(self, token: bytes, fresh: bytes, at: datetime) -> bool:
        """See the port."""
        statement: LiteralString = "UPDATE sign_in.session SET token = %s, proved_at = %s WHERE token = %s"
        return self._changed(statement, (fresh, at, token)) == 1

    def end(self, session_id: UUID) -> bool:
        """See the port."""
        return self._changed("DELETE FROM sign_in.session WHERE id = %s", (session_id,)) == 1

    def end_all(self, account: UUID) -> int:
        """See the port."""
        return self._changed("DELETE FROM sign_in.session WHERE account = %s", (account,))

    def of(self, account: UUID) -> list[Session]:
        """See the port."""
        statement: LiteralString = (
            f"SELECT {_SESSION} FROM sign_in.session WHERE account = %s ORDER BY began_at, id"
        )
        return [Session(*row) for row in self._rows(statement, (account,))]

    def sweep(self, began_before: datetime) -> int:
        """See the port."""
        return self._changed("DELETE FROM sign_in.session WHERE began_at < %s", (began_before,))


class PostgresAttempts(_Table):
    """Implements `domain.ports.Attempts`."""

    def take(self, bucket: bytes, at: datetime, waits: Sequence[int], most: int | None = None) -> bool:
        """See the port."""
        statement: LiteralString = """
            INSERT INTO sign_in.attempt AS tried (bucket, failures, next_at, at)
            VALUES (%(bucket)s, 1, %(at)s + make_interval(secs => (%(waits)s::int[])[1]), %(at)s)
            ON CONFLICT (bucket) DO UPDATE SET
                failures = tried.failures + 1,
                next_at = %(at)s + make_interval(
                    secs => (%(waits)s::int[])[least(tried.failures + 1, cardinality(%(waits)s::int[]))]),
                at = %(at)s
            WHERE tried.next_at <= %(at)s AND (%(most)s::int IS NULL OR tried.failures < %(most)s)
            """
        with self._connections.one() as connection:
            given = {"bucket": bucket, "at": at, "waits": list(waits), "most": most}
            return connection.execute(statement, given).rowcount == 1

    def succeeded(self, bucket: bytes) -> None:
        """See the port."""
        self._changed("DELETE FROM sign_in.attempt WHERE bucket = %s", (bucket,))

    def is_known(self, device: bytes, account: UUID, since: datetime) -> bool:
        """See the port."""
        statement: LiteralString = (
            "SELECT 1 FROM sign_in.device WHERE device = %s AND account = %s AND at >= %s"
        )
        return bool(self._rows(statement, (device, account, since)))

    def know(self, device: bytes, account: UUID, at: datetime) -> None:
        """See the port."""
        statement: LiteralString = """
            INSERT INTO sign_in.device (device, account, at) VALUES (%s, %s, %s)
            ON CONFLICT (device, account) DO UPDATE SET at = excluded.at
            """
        self._changed(statement, (device, account, at))

    def device_of(self, account: UUID, at: datetime) -> bytes | None:
        """See the port."""
        rows = self._rows("SELECT device FROM sign_in.device WHERE account = %s AND at = %s", (account, at))
        return rows[0][0] if rows else None

    def accounts_on(self, device: bytes, since: datetime) -> list[UUID]:
        """See the port."""
        statement: LiteralString = (
            "SELECT account FROM sign_in.device WHERE device = %s AND at >= %s ORDER BY account"
        )
        return [row[0] for row in self._rows(statement, (device, since))]

    def forget_devices(self, account: UUID) -> None:
        """See the port."""
        self._changed("DELETE FROM sign_in.device WHERE account = %s", (account,))

    def sweep(self, before: datetime) -> None:
        """See the port."""
        self._changed("DELETE FROM sign_in.attempt WHERE at < %s", (before,))
        self._changed("DELETE FROM sign_in.device WHERE at < %s", (before,))


class PostgresAuthenticatorTable(_Table):
    """Implements `adapters.authenticator_rows.AuthenticatorTable`."""

    def near(self, account: UUID) -> AuthenticatorRow | None:
        """See the protocol. One descent of the index and one row, whoever is asked for."""
        of: LiteralString = "SELECT account, number, sealed, last_step FROM sign_in.authenticator"
        statement: LiteralString = f"""
            ({of} WHERE account >= %s ORDER BY account LIMIT 1) UNION ALL ({of} ORDER BY account LIMIT 1) LIMIT 1
            """
        rows = self._rows(statement, (account,))
        return AuthenticatorRow(*rows[0]) if rows else None

    def put(self, row: AuthenticatorRow) -> None:
        """See the protocol."""
        statement: LiteralString = """
            INSERT INTO sign_in.authenticator (account, number, sealed, last_step) VALUES (%s, %s, %s, %s)
            ON CONFLICT (account) DO UPDATE
            SET number = excluded.number, sealed = excluded.sealed, last_step = excluded.last_step
            """
        self._changed(statement, row)

    def move(self, account: UUID, number: str, step: int) -> bool:
        """See the protocol."""
        statement: LiteralString = """
            UPDATE sign_in.authenticator SET last_step = %s WHERE account = %s AND number = %s AND last_step < %s
            """
        return self._changed(statement, (step, account, number, step)) == 1

    def reseal(self, account: UUID, number: str, sealed: bytes) -> bool:
        """See the protocol."""
        statement: LiteralString = (
            "UPDATE sign_in.authenticator SET sealed = %s WHERE account = %s AND number = %s"
        )
        return self._changed(statement, (sealed, account, number)) == 1

    def delete(self, account: UUID) -> None:
        """See the protocol."""
        self._changed("DELETE FROM sign_in.authenticator WHERE account = %s", (account,))
        self._changed("DELETE FROM sign_in.enrolment WHERE account = %s", (account,))

    def put_enrolment(self, row: EnrolmentRow) -> None:
        """See the protocol."""
        statement: LiteralString = """
            INSERT INTO sign_in.enrolment (account, code, until, issued_by, pending) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (account) DO UPDATE
            SET code = excluded.code, until = excluded.until, issued_by = excluded.issued_by,
                pending = excluded.pending
            """
        self._changed(statement, row)

    def read_enrolment(self, account: UUID) -> EnrolmentRow | None:
        """See the protocol."""
        statement: LiteralString = (
            "SELECT account, code, until, issued_by, pending FROM sign_in.enrolment WHERE account = %s"
        )
        rows = self._rows(statement, (account,))
        return EnrolmentRow(*rows[0]) if rows else None

    def pend(self, account: UUID, code: bytes, pending: bytes) -> bool:
        """See the protocol."""
        statement: LiteralString = (
            "UPDATE sign_in.enrolment SET pending = %s WHERE account = %s AND code = %s"
        )
        return self._changed(statement, (pending, account, code)) == 1

    def take_enrolment(self, account: UUID, code: bytes) -> bool:
        """See the protocol."""
        statement: LiteralString = "DELETE FROM sign_in.enrolment WHERE account = %s AND code = %s"
        return self._changed(statement, (account, code)) == 1


class PostgresUsedAssertions(_Table):
    """Implements `domain.ports.UsedAssertions`."""

    def use(self, digest: bytes, until: datetime, at: datetime) -> bool:
        """See the port. Those out of time are forgotten by the way: they are refused for that."""
        self._changed("DELETE FROM sign_in.used_assertion WHERE until < %s", (at,))
        statement: LiteralString = (
            "INSERT INTO sign_in.used_assertion (digest, until) VALUES (%s, %s) ON CONFLICT DO NOTHING"
        )
        return self._changed(statement, (digest, until)) == 1
