"""What the product is measured against: the event-sourcing library used plainly, and PostgreSQL alone.

The library has a database of its own on the same server, its defaults and durable commits; and another in which it does
the same work as ours: it encrypts, and makes what it stores within the time. The floor writes ready rows into a table
that is identical to the log's, without the log's function, keys, encryption or order.
"""

import gc
import itertools
import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.cryptography import AESCipher
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql

from adapters.ids import RandomIds
from adapters.keys.cipher import BLOCKS, RANDOM
from adapters.postgres.arrays import EPOCH
from adapters.postgres.databases import connect_as_superuser
from adapters.postgres.embedded import SUPERUSER, ServerAddress
from adapters.postgres.log_slices import packets
from cli.benches.measuring import Slice, repeated
from domain.kernel import Log

FILLER: Final = "x" * 260
"""Makes one stored event of the library's about as long as the JSON of one of ours: 335 bytes."""

BATCH: Final = 500
"""The library's insert hangs now and then when it is given more than this at once."""

_AGGREGATES: Final = 200
_RUNNER_SECONDS: Final = 300.0
_PART: Final = RANDOM(BLOCKS[Log.RECORD])
"""A sealed part of one block."""

_COLUMNS: Final = (
    "position, recorded_at, event_id, stream_id, version, format, period, identity, content, metadata"
)
_INSERT: Final = f"INSERT INTO floor.event ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %b, %b, %b)"
_COPY: Final = f"COPY floor.event ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_FOOTER: Final = b"\xff\xff"
_CLEAR: Final = Struct(">h iq iq i16s i16s ii ih ii")
_AT: Final = datetime(2026, 3, 2, 10, tzinfo=UTC)
_IDENTICAL: Final = """
    CREATE SCHEMA floor;
    CREATE TABLE floor.event (LIKE record_log.event INCLUDING ALL) PARTITION BY HASH (stream_id);
    DO $$
    BEGIN
        FOR remainder IN 0 .. 31 LOOP
            EXECUTE format('CREATE TABLE floor.event_%s PARTITION OF floor.event '
                           'FOR VALUES WITH (MODULUS 32, REMAINDER %s)', remainder, remainder);
        END LOOP;
    END
    $$
"""


class Changing(Aggregate):
    """An aggregate as the library's own guide writes it."""

    @event("Registered")
    def __init__(self, filler: str) -> None:
        self.filler = filler

    @event("Changed")
    def change(self, filler: str) -> None:
        self.filler = filler


Environment = dict[str, str]


def library_environment(address: ServerAddress, database: str = "yardstick", **more: str) -> Environment:
    """The library's settings for a new database of its own: its defaults, and what is given besides."""
    with connect_as_superuser(address) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": database,
        "POSTGRES_HOST": str(address.socket_directory),
        "POSTGRES_PORT": str(address.port),
        "POSTGRES_USER": SUPERUSER,
        "POSTGRES_PASSWORD": "none",
        **more,
    }


def encrypting(address: ServerAddress) -> Environment:
    """The same for a library that encrypts what it stores, by the quicker of its two ciphers."""
    return library_environment(
        address,
        "yardstick_likewise",
        CIPHER_TOPIC="eventsourcing.cryptography:AESCipher",
        CIPHER_KEY=AESCipher.create_key(32),
    )


class Library:
    """Changes to existing aggregates by threads of this process, each with aggregates of its own, all of them warm.

    A change is one event; with `pairs` every second one is two, saved together.
    """

    def __init__(self, environment: Environment, writers: int, *, pairs: bool = False) -> None:
        self._application = Application[UUID](env=environment)
        self._events = itertools.cycle((1, 2) if pairs else (1,))
        self._actions = [self._changer() for _ in range(writers)]

    def close(self) -> None:
        """Close its connections."""
        self._application.close()

    def changes(self, seconds: float) -> Slice:
        """Change aggregates for so long."""
        return repeated(self._actions, seconds)

    def _changer(self) -> Callable[[], None]:
        own = [Changing(FILLER) for _ in range(_AGGREGATES)]
        self._application.save(*own)
        turn = itertools.cycle(own)

        def change() -> None:
            aggregate = next(turn)
            for _ in range(next(self._events)):
                aggregate.change(FILLER)
            self._application.save(aggregate)

        return change


class _Processes:
    """Processes that each do what they are asked, all at the same time."""

    def __init__(self, target: Callable[..., None], number: int, *given: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._closing = ExitStack()
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=target, args=(theirs, *given), daemon=True)
            process.start()
            self._closing.callback(process.join, 10)
            self._pipes.append(ours)
        for pipe in self._pipes:
            pipe.recv()

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.send(None)
        self._closing.close()

    def _asked(self, message: object) -> Slice:
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(message)
        events = sum(pipe.recv() for pipe in self._pipes)
        return Slice(events, time.perf_counter() - began)


class LibraryProcesses(_Processes):
    """The same by processes, one writer each."""

    def __init__(self, environment: Environment, writers: int, *, pairs: bool = False) -> None:
        super().__init__(_library_process, writers, environment, pairs)

    def changes(self, seconds: float) -> Slice:
        """Change aggregates for so long."""
        return self._asked(seconds)


def _library_process(pipe: Connection, environment: Environment, pairs: bool) -> None:
    library = Library({**environment, "CREATE_TABLE": "n"}, 1, pairs=pairs)
    pipe.send(0)
    while (seconds := pipe.recv()) is not None:
        pipe.send(library.changes(seconds).events)
    library.close()


def insert(application: Application[UUID], stored: Sequence[StoredEvent]) -> None:
    """Insert events in batches that the library bears."""
    for start in range(0, len(stored), BATCH):
        application.recorder.insert_events(stored[start : start + BATCH])


class LibraryBulk:
    """New events by `insert_events`, ready beforehand, four to an aggregate."""

    def __init__(self, environment: Environment) -> None:
        self._application = Application[UUID](env=environment)

    def close(self) -> None:
        """Close its connections."""
        self._application.close()

    def filled(self, events: int) -> Slice:
        """Insert so many events, in batches."""
        stored = self._made(events)
        began = time.perf_counter()
        self._insert(stored)
        return Slice(len(stored), time.perf_counter() - began)

    def made_and_filled(self, events: int) -> int:
        """The same from the beginning: aggregates made and changed, their events mapped, then inserted."""
        stored = self._made(events)
        self._insert(stored)
        return len(stored)

    def _made(self, events: int) -> list[StoredEvent]:
        stored: list[StoredEvent] = []
        for _ in range(max(1, events // 4)):
            aggregate = Changing(FILLER)
            for _ in range(3):
                aggregate.change(FILLER)
            stored += [self._application.mapper.to_stored_event(one) for one in aggregate.collect_events()]
        return stored

    def _insert(self, stored: Sequence[StoredEvent]) -> None:
        insert(self._application, stored)


class LibraryBulkProcesses(_Processes):
    """New events from the beginning, by several processes."""

    def __init__(self, environment: Environment, processes: int) -> None:
        LibraryBulk(environment).close()  # makes the tables, once
        super().__init__(_bulk_process, processes, environment)
        self._number = processes

    def filled(self, events: int) -> Slice:
        """Make and insert so many events."""
        return self._asked(events // self._number)


def _bulk_process(pipe: Connection, environment: Environment) -> None:
    bulk = LibraryBulk({**environment, "CREATE_TABLE": "n"})
    gc.disable()  # as in ours
    pipe.send(0)
    while (events := pipe.recv()) is not None:
        pipe.send(bulk.made_and_filled(events))
    bulk.close()


class _Seen(PostgresTrackingRecorder):
    """The library's view: a row an aggregate, written with the position in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        self.sql_create_statements.append(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {}.seen "
                "(id uuid PRIMARY KEY, version integer NOT NULL, filler text NOT NULL)"
            ).format(sql.Identifier(datastore.schema))
        )
        self._upsert = sql.SQL(
            "INSERT INTO {}.seen VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE "
            "SET version = excluded.version, filler = excluded.filler"
        ).format(sql.Identifier(datastore.schema))

    def write(self, row: tuple[UUID, int, str], tracking: Tracking) -> None:
        """Write a row and the position."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._upsert, row)


class _Seeing(Projection[_Seen]):
    """A projection as the library's own guide writes it."""

    name = "seeing"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.write(
            (domain_event.originator_id, domain_event.originator_version, domain_event.filler), tracking
        )


class LibraryRunner:
    """The library's `ProjectionRunner` on new events, one after another."""

    def __init__(self, environment: Environment) -> None:
        self._bulk = LibraryBulk(environment)
        self._environment = environment
        self._done = 0

    def close(self) -> None:
        """Close its connections."""
        self._bulk.close()

    def projected(self, events: int) -> Slice:
        """Record so many events, then run the projection until it has processed them."""
        self._done += self._bulk.filled(events).events
        began = time.perf_counter()
        with ProjectionRunner(
            application_class=Application[UUID],
            projection_class=_Seeing,
            view_class=_Seen,
            env=self._environment,
        ) as runner:
            runner.wait(self._done, timeout=_RUNNER_SECONDS)
            return Slice(events, time.perf_counter() - began)


class CopyOut:
    """Every column of the record log by COPY on one connection, each row taken and let go of."""

    def __init__(self, address: ServerAddress, database: str = "record") -> None:
        self._connection = connect_as_superuser(address, database)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def copied(self) -> Slice:
        """Copy the whole log out."""
        began, rows = time.perf_counter(), 0
        for _ in packets(
            self._connection.pgconn, b"COPY (SELECT * FROM record_log.event) TO STDOUT (FORMAT BINARY)"
        ):
            rows += 1
        return Slice(rows, time.perf_counter() - began)


class _Row(NamedTuple):
    position: int
    recorded_at: datetime
    event_id: UUID
    stream_id: UUID
    version: int
    format: int
    period: int
    identity: bytes
    content: bytes
    metadata: bytes


class Floor:
    """Ready rows into a table identical to the log's, in the same database, by the driver alone."""

    def __init__(self, address: ServerAddress, database: str = "record", writers: int = 1) -> None:
        self._ids = RandomIds()
        self._connections = [connect_as_superuser(address, database) for _ in range(writers)]
        self._connections[0].execute(_IDENTICAL)
        self._positions = itertools.count(1)

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    def inserts(self, seconds: float) -> Slice:
        """A row an INSERT, an INSERT a commit, for so long."""
        return repeated([partial(self._insert, connection) for connection in self._connections], seconds)

    def copied(self, events: int, piece: int = 25_000) -> Slice:
        """So many rows by COPY; what is sent is made ready before the clock starts."""
        done, seconds = 0, 0.0
        while done < events:
            streams = max(1, min(piece, events - done) // 4)
            rows = [_packed(row) for _ in range(streams) for row in self._stream(4)]
            ready = b"".join([_HEADER, *rows, _FOOTER])
            began = time.perf_counter()
            with self._connections[0].cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.write(ready)
            seconds += time.perf_counter() - began
            done += len(rows)
        return Slice(done, seconds)

    def _insert(self, connection: psycopg.Connection[Any]) -> None:
        (row,) = self._stream(1)
        connection.execute(_INSERT, row, prepare=True)

    def _stream(self, events: int) -> list[_Row]:
        stream = self._ids.new()
        return [
            _Row(next(self._positions), _AT, self._ids.new(), stream, version, 1, 24_300, _PART, _PART, _PART)
            for version in range(1, events + 1)
        ]


def _packed(row: _Row) -> bytes:
    """A row in PostgreSQL's binary COPY form."""
    position, at, event_id, stream_id, version, form, period, *parts = row
    micros = int((at - EPOCH).total_seconds()) * 1_000_000
    clear = (8, position, 8, micros, 16, event_id.bytes, 16, stream_id.bytes, 4, version, 2, form, 4, period)
    return _CLEAR.pack(10, *clear) + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
