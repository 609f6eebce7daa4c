"""The stored form of a key, and what the key store asks of the two databases that hold keys.

Shared by the key tables of PostgreSQL and their twin in memory. The columns are final; what stands in them is said in
`docs/stored-forms.md`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from domain.errors import Unavailable

SYSTEM_SUBJECT: Final = UUID("73797374-656d-4000-8000-000000000001")
"""The subject under which the system key stands."""

PERIOD_SUBJECT: Final = UUID("70657269-6f64-4000-8000-000000000001")
"""The subject under which the keys of the months stand."""


class GenerationGone(Unavailable):
    """There is no key-encryption key of this generation: it was destroyed by a rotation, or its file is missing."""


def period_of(instant: datetime) -> int:
    """The number of the month's key that an instant falls under: year × 12 + month − 1, in UTC."""
    utc = instant.astimezone(UTC)
    return utc.year * 12 + utc.month - 1


class KeyKind(IntEnum):
    """What a key opens; the number stands in its row and in the associated data of its wrapping."""

    IDENTITY = 1
    CONTENT = 2
    STAFF = 3
    PERIOD = 4
    SYSTEM = 5


class KeyName(NamedTuple):
    """Which key: the subject whose it is, its kind, and its number (content keys from 1; a period's month; else 0)."""

    subject: UUID
    kind: int
    number: int


class KeyRow(NamedTuple):
    """A key as stored. `wrapped` None: elsewhere (no certificate) or forgotten (certificate of its destruction)."""

    subject: UUID
    kind: int
    number: int
    generation: int
    wrapped: bytes | None
    certificate: UUID | None = None


class KeyTable(Protocol):
    """The key rows of one database (`keyring` or `shielded`). Every method is committed when it returns.

    Every method raises domain.errors.Unavailable where the database cannot be reached.
    """

    def add(self, make: Callable[[], Sequence[KeyRow]]) -> int:
        """Insert rows in one transaction, leaving alone those whose name is taken. Returns how many were inserted.

        `make` is called once a rotation can no longer end before the rows are committed, so that it wraps them under a
        key-encryption key that will still be there.
        """
        ...

    def read(self, subjects: Sequence[UUID]) -> list[KeyRow]:
        """Every row of these subjects."""
        ...

    def forget(self, name: KeyName, certificate: UUID) -> bool:
        """Empty a row for ever, naming the certificate. False where that was done before, or there is no row."""
        ...

    def alone(self, subject: UUID) -> AbstractContextManager[None]:
        """Hold off everybody else who asks for this subject; let go if its holder dies."""
        ...


class KeyringTable(KeyTable, Protocol):
    """The rows of `keyring`, which knows of every key."""

    def vacate(self, subject: UUID, number: int) -> bool:
        """Content key open → elsewhere. False (and nothing done) in any other state."""
        ...

    def occupy(self, row: KeyRow) -> bool:
        """Content key elsewhere → open. False (and nothing done) in any other state."""
        ...


class ShieldedTable(KeyTable, Protocol):
    """The rows of `shielded`: content keys alone."""

    def drop(self, subject: UUID, number: int) -> bool:
        """Delete a row whose key stands in `keyring` again. False for a forgotten row, which stays, or none."""
        ...


class Opening(Protocol):
    """The one way in of managers and of an override: one subject's shielded keys for one access, which is noted."""

    def open_for_access(self, subject: UUID, access: UUID) -> list[KeyRow]:
        """The subject's rows in `shielded`. Raises Unavailable where the access has opened another subject."""
        ...


class KeptTable(Protocol):
    """The rows of either database as rotation and the sweep need them, which touch every row."""

    def older(self, generation: int, after: KeyName | None, limit: int) -> list[KeyRow]:
        """Open rows that are wrapped under a generation before this one, in order of name, from behind `after`."""
        ...

    def rewrap(self, old: int, rows: Sequence[KeyRow]) -> int:
        """Put these rows in the place of those wrapped under generation `old`. Returns how many were still so."""
        ...

    def finish(self, generation: int, destroy: Callable[[], None]) -> bool:
        """With `add` held off: if no open row is older than this generation, call `destroy` and say True."""
        ...

    def names(self, after: KeyName | None, limit: int) -> list[KeyName]:
        """The names of child and staff keys not forgotten, in order, from behind `after`."""
        ...

    def children(self) -> int:
        """Of how many streams of children, and of source records held back, the identity key is not forgotten."""
        ...

    def sweep(self, orphans: Sequence[KeyName], instant: datetime | None = None) -> int:
        """Take the whole list of keys without a stream; delete those that were on it for 30 days. Returns how many.

        `instant` moves the clock forward in a training home only.
        """
        ...

    def clear_notes(self) -> None:
        """Forget since when keys have been without a stream: after a restore none is deleted for 30 days."""
        ...
