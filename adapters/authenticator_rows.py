"""The stored form of what accounts are proved by, and what is asked of the table that keeps it.

Shared by the table in PostgreSQL and its twin in memory. What is secret is sealed by `adapters.authenticators`.
"""

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class AuthenticatorRow(NamedTuple):
    """One account's authenticator. sealed: password hash and secret. last_step: of the last code that was used."""

    account: UUID
    number: str
    sealed: bytes
    last_step: int


class EnrolmentRow(NamedTuple):
    """An enrolment that is not used yet. code: its digest. pending: the secret that was shown, sealed."""

    account: UUID
    code: bytes
    until: datetime
    issued_by: UUID
    pending: bytes | None


class AuthenticatorTable(Protocol):
    """Rows, one an account, every change committed on return. `domain.ports.Authenticators` says what is promised."""

    def near(self, account: UUID) -> AuthenticatorRow | None:
        """The row of an account, or where it has none that of the next one, the first after the last. None: no rows."""
        ...

    def put(self, row: AuthenticatorRow) -> None:
        """Keep a row in place of any other of the account."""
        ...

    def move(self, account: UUID, number: str, step: int) -> bool:
        """Move the last step on. False where it is there already, or the row is another."""
        ...

    def reseal(self, account: UUID, number: str, sealed: bytes) -> bool:
        """Seal other words into the row. False where the row is another."""
        ...

    def delete(self, account: UUID) -> None:
        """Delete authenticator and enrolment of an account."""
        ...

    def put_enrolment(self, row: EnrolmentRow) -> None:
        """Keep an enrolment in place of any other of the account."""
        ...

    def read_enrolment(self, account: UUID) -> EnrolmentRow | None:
        """The enrolment of an account."""
        ...

    def pend(self, account: UUID, code: bytes, pending: bytes) -> bool:
        """Keep what was shown. False where the enrolment is another, or none."""
        ...

    def take_enrolment(self, account: UUID, code: bytes) -> bool:
        """Delete the enrolment. False where it is another, or none."""
        ...
