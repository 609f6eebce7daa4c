"""The library's runner at the same work as ours: encrypted events of children, and the practitioner view made of them.

Its events hold what ours hold, encrypted by its own cipher. For each it decrypts, decodes, folds and replaces the
child's rows, in one transaction with its position. Streams stay in memory, so that it need not read them again.
"""

import os
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql

from adapters.ids import RandomIds
from adapters.postgres.databases import connect_as_superuser
from adapters.postgres.embedded import ServerAddress
from adapters.rule_files import present
from cli.benches import invented
from cli.benches.measuring import Slice
from cli.benches.yardsticks import Environment, insert, library_environment
from domain.child_record.events import EVENTS
from domain.kernel import History, Log, Recorded
from domain.personal_data import HIDDEN
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.projection import Row

_DATABASE: Final = "yardstick_view"
_RUNNER_SECONDS: Final = 300.0
_AT: Final = datetime(2026, 3, 2, 10, tzinfo=UTC)


@dataclass(frozen=True)  # the library makes it one in any case; so type checkers know
class Told(DomainEvent):
    """An event of a child: what it is called, and its fields as JSON."""

    name: str
    version: int
    fields: str


class _Children(PostgresTrackingRecorder):
    """The library's view: the tables of the practitioner view, beside its position."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        schema = sql.Identifier(datastore.schema)
        self._delete = [
            sql.SQL("DELETE FROM {}.{} WHERE {} = %s").format(
                schema, sql.Identifier(table.name), sql.Identifier(table.stream)
            )
            for table in PRACTITIONER_VIEW.tables
        ]
        self._insert = {
            table.row: sql.SQL("INSERT INTO {}.{} VALUES ({})").format(
                schema,
                sql.Identifier(table.name),
                sql.SQL(", ").join([sql.Placeholder()] * len(table.columns)),
            )
            for table in PRACTITIONER_VIEW.tables
        }

    def replace(self, child_id: UUID, rows: Sequence[Row], tracking: Tracking) -> None:
        """Replace a child's rows and write the position."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            for statement in self._delete:
                cursor.execute(statement, (child_id,))
            for row in rows:
                cursor.execute(self._insert[type(row)], row)


class _Seeing(Projection[_Children]):
    """A projection as the library's own guide writes it."""

    name = "seeing-children"

    def __init__(self, view: _Children) -> None:
        super().__init__(view)
        self._streams: dict[UUID, list[Recorded]] = {}
        self._rules = present()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        child_id, version = domain_event.originator_id, domain_event.originator_version
        event = EVENTS.of(domain_event.name, domain_event.version).model_validate_json(domain_event.fields)
        stream = self._streams.setdefault(child_id, [])
        at, position = domain_event.timestamp, tracking.notification_id
        stream.append(Recorded(Log.RECORD, position, at, child_id, child_id, version, 1, event, HIDDEN))
        rows = PRACTITIONER_VIEW.rows(History(child_id, version, tuple(stream)), self._rules)
        self.view.replace(child_id, rows, tracking)


class LibraryView:
    """The library's `ProjectionRunner` at the same work, on new events, one after another."""

    def __init__(self, address: ServerAddress) -> None:
        self._environment: Environment = {
            **library_environment(address, _DATABASE),
            "CIPHER_TOPIC": "eventsourcing.cryptography:AESCipher",
            "CIPHER_KEY": b64encode(os.urandom(32)).decode(),
        }
        self._application = Application[UUID](env=self._environment)
        self._numbers = count(1)
        self._done = 0
        tables, indexes = PRACTITIONER_VIEW.sql()
        with connect_as_superuser(address, _DATABASE) as connection:
            connection.execute(tables.encode())
            connection.execute(indexes.encode())

    def close(self) -> None:
        """Close its connections."""
        self._application.close()

    def projected(self, events: int) -> Slice:
        """Record so many events, then run the projection until it has processed them."""
        stored = [self._application.mapper.to_stored_event(one) for one in self._told(events)]
        insert(self._application, stored)
        self._done += len(stored)
        began = time.perf_counter()
        with ProjectionRunner(
            application_class=Application[UUID],
            projection_class=_Seeing,
            view_class=_Children,
            env=self._environment,
        ) as runner:
            runner.wait(self._done, timeout=_RUNNER_SECONDS)
            return Slice(len(stored), time.perf_counter() - began)

    def _told(self, events: int) -> list[Told]:
        ids, rules, at = RandomIds(), present(), _AT
        file = ids.new()
        found: list[Told] = []
        while len(found) < events:
            command = invented.registers(next(self._numbers), at, file, ids)
            change = invented.registered(command, ids, rules)
            found += [
                Told(
                    originator_id=change.stream_id,
                    originator_version=version,
                    timestamp=at,
                    name=pending.event.NAME,
                    version=pending.event.VERSION,
                    fields=pending.event.model_dump_json(exclude_none=True),
                )
                for version, pending in enumerate(change.events, start=1)
            ]
        return found
