"""A home's two logs and two key databases, in memory or in PostgreSQL, behind one face: contract suites run on both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from adapters.faults import Reach, no_fault
from adapters.ids import RandomIds
from adapters.key_rows import KeptTable, KeyName, KeyringTable, KeyRow, Opening, ShieldedTable
from adapters.keys.kek import KekFiles, RotatableKek, begin
from adapters.keys.key_store import KeyStore
from adapters.keys.parts import Parts
from adapters.memory.keys import MemoryKek, MemoryKeyTable
from adapters.memory.recorder import MemoryRecorder
from adapters.postgres.databases import Databases, Role
from adapters.postgres.key_table import PostgresKeyring, PostgresShielded
from adapters.postgres.recorder import LogRecorder
from adapters.rows import Group, Outcome, Recorder
from adapters.store import EncryptedEventStore, OneAccess, Reveal
from domain.access.events import EVENTS as ACCESS_EVENTS
from domain.access.events import LookForgotten
from domain.account.events import EVENTS as ACCOUNT_EVENTS
from domain.child_record.events import EVENTS as CHILD_EVENTS
from domain.kernel import Event, EventTypes, Log
from domain.rule_set.events import EVENTS as RULE_SET_EVENTS

BEGINNING: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@dataclass
class SetClock:
    """A clock that stands still until it is set."""

    instant: datetime = BEGINNING

    def now(self) -> datetime:
        return self.instant


class BothTables(KeyringTable, KeptTable, Protocol):
    """The rows of `keyring`, for every purpose."""


class ShieldedTables(ShieldedTable, KeptTable, Opening, Protocol):
    """The rows of `shielded`, for every purpose."""


@dataclass
class Home:
    """Everything a store is made of. `service`, `writer` and `manager` are stores of the record log."""

    record: Recorder
    access: Recorder
    keyring: BothTables
    shielded: ShieldedTables
    keyring_kek: RotatableKek
    shielded_kek: RotatableKek
    tamper: Callable[[str, UUID, int, str, Any], None]
    lose: Callable[[str, UUID, int], None]
    service_keyring: KeyringTable
    manager_keyring: KeyringTable
    opening: Opening
    clock: SetClock = field(default_factory=SetClock)
    types: EventTypes = CHILD_EVENTS
    reach: Reach = no_fault

    def close(self) -> None:
        """Close what is open."""
        for each in vars(self).values():
            if isinstance(each, LogRecorder | PostgresKeyring | PostgresShielded):
                each.close()

    def service_keys(self) -> KeyStore:
        return KeyStore(self.service_keyring, self.keyring_kek, reach=self.reach)

    def writer_keys(self) -> KeyStore:
        return KeyStore(self.keyring, self.keyring_kek, self.shielded, self.shielded_kek, reach=self.reach)

    def manager_keys(self) -> KeyStore:
        return KeyStore(self.manager_keyring, self.keyring_kek, None, self.shielded_kek, opening=self.opening)

    def service(self) -> EncryptedEventStore:
        return EncryptedEventStore(
            self.record, self.service_keys(), Parts(self.types), RandomIds(), self.clock
        )

    def writer(self, commit: Callable[[Group], Outcome] | None = None) -> EncryptedEventStore:
        return EncryptedEventStore(
            self.record,
            self.writer_keys(),
            Parts(self.types),
            RandomIds(),
            self.clock,
            commit=commit,
            right=Reveal.EVERYTHING,
        )

    def manager(self, access_id: UUID) -> EncryptedEventStore:
        return EncryptedEventStore(
            self.record,
            self.manager_keys(),
            Parts(self.types),
            RandomIds(),
            self.clock,
            right=OneAccess(access_id),
        )

    def staff(self) -> EncryptedEventStore:
        """The record log as the service writes accounts, organisations and what is about no person."""
        return EncryptedEventStore(
            self.record,
            self.service_keys(),
            Parts(ACCOUNT_EVENTS | RULE_SET_EVENTS),
            RandomIds(),
            self.clock,
        )

    def looks(self) -> EncryptedEventStore:
        return EncryptedEventStore(
            self.access,
            self.service_keys(),
            Parts(ACCESS_EVENTS, unnamed=LookForgotten),
            RandomIds(),
            self.clock,
        )

    def key_rows(self, subject: UUID) -> dict[tuple[int, int], KeyRow]:
        """The rows of a subject in `keyring`, by kind and number."""
        return {(row.kind, row.number): row for row in self.keyring.read([subject])}

    def shielded_rows(self, subject: UUID) -> dict[int, KeyRow]:
        """The rows of a subject in `shielded`, by number."""
        return {row.number: row for row in self.shielded.read([subject])}


class _MemoryLog(MemoryRecorder):
    def tamper(self, stream_id: UUID, version: int, column: str, value: Any) -> None:
        """Alter a row behind the log's back."""
        rows = self._streams[stream_id]
        old = rows[version - 1]
        rows[version - 1] = old._replace(**{column: value})

    def lose(self, stream_id: UUID, version: int) -> None:
        """Delete a row behind the log's back."""
        del self._streams[stream_id][version - 1]


def memory_home(types: EventTypes = CHILD_EVENTS) -> Home:
    """A home in memory."""
    clock = SetClock()
    record, access = _MemoryLog(Log.RECORD, clock.now), _MemoryLog(Log.ACCESS, clock.now)
    keyring, shielded = MemoryKeyTable(clock.now), MemoryKeyTable(clock.now)
    logs = {"record_log": record, "access_log": access}
    return Home(
        record,
        access,
        keyring,
        shielded,
        MemoryKek(b"\x01" * 32),
        MemoryKek(b"\x02" * 32),
        lambda log, stream_id, version, column, value: logs[log].tamper(stream_id, version, column, value),
        lambda log, stream_id, version: logs[log].lose(stream_id, version),
        keyring,
        keyring,
        shielded,
        clock,
        types,
    )


def postgres_home(
    databases: Databases, folder: Path, types: EventTypes = CHILD_EVENTS, reach: Reach = no_fault
) -> Home:
    """A home in PostgreSQL, entered as the writer; its key-encryption keys are made in `folder`."""
    keks = KekFiles(folder, "keyring"), KekFiles(folder, "shielded")
    for kek in keks:
        begin(kek)
    return Home(
        LogRecorder(databases.record, Role.WRITER, Log.RECORD),
        LogRecorder(databases.record, Role.WRITER, Log.ACCESS),
        PostgresKeyring(databases.keyring, Role.WRITER, reach=reach),
        PostgresShielded(databases.shielded, Role.WRITER, reach=reach),
        *keks,
        *_tampering(databases),
        PostgresKeyring(databases.keyring, Role.SERVICE),
        PostgresKeyring(databases.keyring, Role.MANAGER),
        PostgresShielded(databases.shielded, Role.MANAGER),
        types=types,
        reach=reach,
    )


def _tampering(
    databases: Databases,
) -> tuple[Callable[[str, UUID, int, str, Any], None], Callable[[str, UUID, int], None]]:
    """Alter and delete rows as an administrator can who switches the triggers off."""

    def run(log: str, statement: str, parameters: Sequence[object]) -> None:
        with databases.record.connect(Role.MIGRATION) as connection:
            connection.execute("SET ROLE contactpoint_owner")
            connection.execute(f"ALTER TABLE {log}.event DISABLE TRIGGER never_changed".encode())
            connection.execute(statement.encode(), parameters)
            connection.execute(f"ALTER TABLE {log}.event ENABLE ALWAYS TRIGGER never_changed".encode())

    def alter(log: str, stream_id: UUID, version: int, column: str, value: Any) -> None:
        statement = f"UPDATE {log}.event SET {column} = %s WHERE stream_id = %s AND version = %s"
        run(log, statement, (value, stream_id, version))

    def lose(log: str, stream_id: UUID, version: int) -> None:
        run(log, f"DELETE FROM {log}.event WHERE stream_id = %s AND version = %s", (stream_id, version))

    return alter, lose


def trusting(types: EventTypes) -> dict[Log, Parts]:
    """Codecs that do not validate again, of both logs."""
    return {
        Log.RECORD: Parts(types, trusting=True),
        Log.ACCESS: Parts(ACCESS_EVENTS, unnamed=LookForgotten, trusting=True),
    }


def name_of(event: Event) -> str:
    """The stored name of an event, or of what is left of it."""
    return event.NAME


__all__ = ["BEGINNING", "Home", "KeyName", "SetClock", "memory_home", "name_of", "postgres_home", "trusting"]
