"""The recorder of a log: the library's, with our tables and our one way of appending.

What is taken from `eventsourcing` is its contract: insert_events, select_events, select_notifications,
max_notification_id, subscribe. What is not: its pool, its table and type statements, its insert in a pipeline (which
hangs on large saves while it holds the lock) and its database-function switch (which takes no lock, so that followers
miss events). `check` refuses to start where one of the last could be in use. See docs/adr/0001-own-recorder.md.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Self
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from adapters.faults import Reach, no_fault
from adapters.postgres.append_call import (
    TYPES,
    TYPES_OF_ONE,
    AppendCall,
    alone,
    arguments,
    outcome_of,
    parameters,
    parameters_of_one,
)
from adapters.postgres.arrays import Bytes, Uuids, register
from adapters.postgres.databases import Database, DatabaseFailure, Role, translated
from adapters.rows import (
    Applied,
    Duplicate,
    Group,
    Head,
    Moved,
    Outcome,
    RecordedRow,
    StoredRow,
    appended,
    group_of,
)
from domain.errors import Unavailable
from domain.kernel import Log

SCHEMAS: Final = {Log.RECORD: "record_log", Log.ACCESS: "access_log"}
PARTITIONS: Final = 32
_COLUMNS: Final = (
    "position, recorded_at, event_id, stream_id, version, format, period, identity, content, metadata"
)
_INVALID_PARAMETER: Final = "22023"
_LAST: Final = 2**31 - 1
_NEVER: Final = 2**63 - 1
_MOST_IDLE: Final = 8
POLL_SECONDS: Final = 1.0
_ANNOUNCE_SECONDS: Final = 0.02


# Rows as the library knows them -----------------------------------------------------------------------------
#
# originator_id is the stream, originator_version the version; topic and state are empty, because a topic in clear would
# tell what happened.


@dataclass(frozen=True, init=False)
class LibraryEvent(StoredEvent):
    """One of our rows where the library wants an event of its own."""

    row: StoredRow

    def __init__(self, row: StoredRow) -> None:
        vars(self).update(
            originator_id=row.stream_id, originator_version=row.version, topic="", state=b"", row=row
        )


@dataclass(frozen=True, init=False)
class LibraryNotification(Notification):
    """The same, as the library tells of it. `id` is the position in the log."""

    row: RecordedRow

    def __init__(self, row: RecordedRow) -> None:
        vars(self).update(
            id=row.position,
            originator_id=row.stream_id,
            originator_version=row.version,
            topic="",
            state=b"",
            row=row,
        )


# Queries ----------------------------------------------------------------------------------------------------


class _Queries:
    """Every statement of one log, as the bytes that are sent: composing them anew each time would cost as much as the
    round trip."""

    def __init__(self, schema: str) -> None:
        def of(text: str) -> bytes:
            return text.replace("COLUMNS", _COLUMNS).replace("LOG", schema).encode()

        arguments = ", ".join(["%s::timestamptz"] + ["%s"] * 17)
        self.append = of(f"SELECT * FROM LOG.append({arguments})")
        self.append_one = of("SELECT * FROM LOG.append_one(" + ", ".join(["%s"] * 11) + ")")
        self.tail = of(
            "SELECT COLUMNS FROM LOG.event WHERE position > %s::bigint AND position <= %s::bigint "
            "ORDER BY position LIMIT %s::bigint"
        )
        self.stream = of(
            "SELECT COLUMNS FROM LOG.event WHERE stream_id = %s AND version <= %s::bigint ORDER BY version"
        )
        # OFFSET 0 keeps the planner from joining: one index scan per stream, in its own partition.
        self.streams = of(
            "SELECT COLUMNS FROM unnest(%s) AS wanted(id) CROSS JOIN LATERAL "
            "(SELECT * FROM LOG.event WHERE stream_id = wanted.id OFFSET 0) AS e ORDER BY stream_id, version"
        )
        self.heads = of(
            "SELECT wanted.id, e.version FROM unnest(%s) AS wanted(id) CROSS JOIN LATERAL "
            "(SELECT version FROM LOG.event WHERE stream_id = wanted.id ORDER BY version DESC LIMIT 1) AS e"
        )
        self.head = of("SELECT position, recorded_at FROM LOG.head")
        self.known = of("SELECT key FROM LOG.idempotency WHERE key = ANY (%s)")
        self.forget_batch = of("SELECT LOG.forget_batch(%s)")
        self.touched_by = of(
            "SELECT DISTINCT stream_id FROM LOG.idempotency WHERE batch = %s AND stream_id IS NOT NULL "
            "ORDER BY stream_id"
        )
        self.batches = of("SELECT DISTINCT batch FROM LOG.idempotency WHERE batch IS NOT NULL ORDER BY batch")
        self.batches_of = of("SELECT key, batch FROM LOG.idempotency WHERE key = ANY (%s)")
        self.keys_of = of(
            "SELECT key, stream_id, version FROM LOG.idempotency WHERE batch = %s AND stream_id IS NOT NULL"
        )
        # A row either way: whether a name is taken is not told by how long this takes.
        self.find = of("SELECT (SELECT stream_id FROM LOG.reservation WHERE token = %s)")
        self.release = of("SELECT LOG.release(%s, %s)")
        self.digests_held_by = of(
            "SELECT token FROM LOG.reservation WHERE stream_id = %s AND octet_length(token) = 32"
        )
        self.holders = of(
            "SELECT token, stream_id FROM LOG.reservation WHERE token >= %s AND substr(token, 1, %s::integer) = %s "
            "ORDER BY token"
        )
        self.reserved = of(
            "SELECT count(*) FROM LOG.reservation WHERE token >= %s AND substr(token, 1, %s::integer) = %s"
        )
        events = (
            "SELECT COLUMNS FROM LOG.event WHERE stream_id = %s AND version > %s::bigint AND version <= %s::bigint "
            "ORDER BY version {} LIMIT %s::bigint"
        )
        self.events = of(events.format("ASC"))
        self.events_backwards = of(events.format("DESC"))
        # One row of booleans: partitions are all there, the columns are these, both triggers fire always, the functions
        # run as an owner that is not us, and we may write neither table directly.
        self.check = of(
            """
            SELECT (SELECT count(*) = 32 FROM pg_catalog.pg_inherits WHERE inhparent = to_regclass('LOG.event')),
                   (SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum)
                           = 'position bigint, recorded_at timestamp with time zone, event_id uuid, stream_id uuid, '
                             'version integer, format smallint, period integer, '
                             'identity bytea, content bytea, metadata bytea'
                    FROM pg_catalog.pg_attribute
                    WHERE attrelid = to_regclass('LOG.event') AND attnum > 0 AND NOT attisdropped),
                   (SELECT count(*) = 2 FROM pg_catalog.pg_trigger
                    WHERE tgrelid = to_regclass('LOG.event') AND tgenabled = 'A' AND NOT tgisinternal),
                   (SELECT count(*) FILTER (WHERE prosecdef AND proowner <> current_user::regrole) = 2
                    FROM pg_catalog.pg_proc
                    WHERE pronamespace = to_regnamespace('LOG') AND proname IN ('append', 'append_one')),
                   NOT has_table_privilege(to_regclass('LOG.event'), 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER'),
                   NOT has_any_column_privilege(to_regclass('LOG.event'), 'INSERT, UPDATE'),
                   NOT has_table_privilege(to_regclass('LOG.head'), 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER'),
                   NOT has_any_column_privilege(to_regclass('LOG.head'), 'INSERT, UPDATE'),
                   has_table_privilege(to_regclass('LOG.event'), 'SELECT')
            """
        )


# The recorder -----------------------------------------------------------------------------------------------


class LogDatastore(PostgresDatastore):
    """The library's datastore over connections of our own, to one database under one role.

    Its pool is never opened: handing a connection out and taking it back cost a third of a whole append. Here a thread
    takes an idle connection or opens one, and puts it back if it is as it was. Errors lose the driver's text.
    """

    def __init__(self, database: Database, role: Role, *, schema: str) -> None:
        super().__init__(dbname="", host="", port="", user="", password="", schema=schema)
        self.database = database
        self.role = role
        self._idle: list[psycopg.Connection[Any]] = []
        self._closed = False

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection in autocommit mode, for this thread alone until the block ends. Raises DatabaseFailure."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.database.connect(self.role, row_factory=dict_row)
            LogRecorder.prepare(connection)
        try:
            with translated(self.database.store):
                yield connection
        except DatabaseFailure as failure:
            if failure.lost:
                self.discard()  # the others lead to the same server
            raise
        finally:
            if (
                connection.pgconn.transaction_status == TransactionStatus.IDLE
                and len(self._idle) < _MOST_IDLE
                and not self._closed
            ):
                self._idle.append(connection)
            else:
                connection.close()

    def discard(self) -> None:
        """Close the connections that nobody is using."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Close everything, now or when it is put back."""
        self._closed = True
        self.discard()

    def __del__(self) -> None:
        """The library closes its pool here, which was never opened."""

    def register_type_adapters(self) -> None:
        """There is no composite type of the library's here."""


class LogRecorder(PostgresApplicationRecorder):
    """One log. Safe to share between threads. See `adapters.rows.Recorder` for what each method promises."""

    FAULT_POINTS: Final = ("append.before", "append.after", "bulk.before", "bulk.after")
    CHECK: Final = {schema: _Queries(schema).check for schema in SCHEMAS.values()}
    """The question that `check` asks of the database."""

    datastore: LogDatastore

    def __init__(
        self,
        database: Database,
        role: Role,
        log: Log,
        *,
        reach: Reach = no_fault,
    ) -> None:
        """Raises Unavailable where the tables, or what this role may do with them, are not as they must be."""
        schema = SCHEMAS[log]
        super().__init__(LogDatastore(database, role, schema=schema), events_table_name="event")
        self.log = log
        self.channel_name = schema
        self._reach = reach
        self._queries = _Queries(schema)
        self._call = AppendCall(self._queries.append, b"contactpoint_append", TYPES)
        self._call_one = AppendCall(self._queries.append_one, b"contactpoint_append_one", TYPES_OF_ONE)
        self._announcer = _Announcer(self.datastore, schema)
        try:
            self.check()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """See that the library's ways of inserting are out of use and that this role cannot write the log directly."""
        unsafe = self.datastore.enable_db_functions or any(
            getattr(type(self), name) is getattr(PostgresApplicationRecorder, name)
            for name in ("insert_events", "_insert_events", "_insert_stored_events", "create_table")
        )
        row = self._one(self.CHECK[self.datastore.schema], ())
        if unsafe or not all(row):
            raise Unavailable(
                f"The tables of {self.datastore.schema} are not as they must be, or {self.datastore.role.value} may do "
                "more than it should. Run `contactpoint init`."
            )

    def close(self) -> None:
        """Announce what is not announced yet, and close the connections."""
        self._announcer.close()
        self.datastore.close()

    # Appending ----------------------------------------------------------------------------------------------

    def append(self, groups: Sequence[Group]) -> list[Outcome]:
        """One call, one transaction, one commit; and once more if the connection broke.

        Then the COMMIT may or may not have been carried out. The server lets the second attempt wait until the first
        has ended one way or the other; what the first did is found by its event ids, which are random: nothing is
        applied twice, and what was applied is told as such.
        """
        if not groups:
            return []
        try:
            outcomes = self._append(groups)
        except DatabaseFailure as failure:
            if not failure.lost:
                raise
            outcomes = [
                self._ours(group, outcome)
                for group, outcome in zip(groups, self._append(groups), strict=True)
            ]
        if any(isinstance(outcome, Applied) and outcome.positions for outcome in outcomes):
            self._announcer.wake()
        return outcomes

    def _append(self, groups: Sequence[Group]) -> list[Outcome]:
        one = alone(groups)
        call = self._call if one is None else self._call_one
        given = parameters(arguments(groups)) if one is None else parameters_of_one(one)
        self._reach("append.before")
        try:
            with self.datastore.get_connection() as connection:
                rows = call(connection, given)
        except DatabaseFailure as failure:
            if failure.sqlstate != _INVALID_PARAMETER:
                raise
        else:
            self._reach("append.after")
            return [outcome_of(row) for row in rows]
        raise ValueError("the events of a group do not follow on from their expected versions")

    def _ours(self, group: Group, outcome: Outcome) -> Outcome:
        """Was what is in the way appended by our own first attempt?"""
        if not group.rows or not isinstance(outcome, Duplicate | Moved):
            return outcome
        last = group.rows[-1]
        for row in self.stream(last.stream_id, last.version)[-1:]:
            if row.event_id == last.event_id:
                return Applied(range(row.position - len(group.rows) + 1, row.position + 1), row.recorded_at)
        return outcome

    def statement(self, groups: Sequence[Group]) -> tuple[bytes, tuple[object, ...]]:
        """What `append` sends of many groups: the statement and its arguments, for a connection `prepare` has seen."""
        return self._queries.append, arguments(groups)

    @staticmethod
    def prepare(connection: psycopg.Connection[Any]) -> None:
        """Let a connection send our packed arrays."""
        register(connection)

    def append_bulk(self, groups: Iterable[Group]) -> int:
        # Arrays to the same function, on two connections: while one holds the head row, inserts and commits, the other
        # sends its chunk. Measured with ready rows of three 348-byte parts, packing included, durable, thousand events
        # a second, medians on a quiet and a busy machine: this 114 and 58; COPY to a temporary table and
        # INSERT … SELECT from there 67 and 39; COPY straight into the log under a row trigger that gives positions 62
        # (another run) and 30; the floor, COPY of finished rows by a superuser, 75 and 54.
        done = 0
        with ThreadPoolExecutor(2, thread_name_prefix="append-bulk") as senders:
            sending: deque[Future[int]] = deque()
            for group in groups:
                if len(sending) == 2:
                    done += sending.popleft().result()
                sending.append(senders.submit(self._append_chunk, group))
            while sending:
                done += sending.popleft().result()
        return done

    def _append_chunk(self, group: Group) -> int:
        self._reach("bulk.before")
        appended(self.append([group])[0])
        self._reach("bulk.after")
        return len(group.rows)

    # Reading ------------------------------------------------------------------------------------------------

    def tail(self, after: int, limit: int, upto: int | None = None) -> list[RecordedRow]:
        rows = self._all(self._queries.tail, (after, _NEVER if upto is None else upto, limit))
        return [RecordedRow(*row) for row in rows]

    def stream(self, stream_id: UUID, upto: int | None = None) -> list[RecordedRow]:
        rows = self._all(self._queries.stream, (stream_id, _LAST if upto is None else upto))
        return [RecordedRow(*row) for row in rows]

    def streams(self, stream_ids: Iterable[UUID]) -> dict[UUID, list[RecordedRow]]:
        found: dict[UUID, list[RecordedRow]] = {}
        for row in self._all(self._queries.streams, (Uuids.of(list(dict.fromkeys(stream_ids))),)):
            found.setdefault(row[3], []).append(RecordedRow(*row))
        return found

    def heads(self, stream_ids: Iterable[UUID]) -> dict[UUID, int]:
        return dict(self._all(self._queries.heads, (Uuids.of(list(dict.fromkeys(stream_ids))),)))

    def head(self) -> Head:
        return Head(*self._one(self._queries.head, ()))

    def find(self, token: bytes) -> UUID | None:
        if self.log is not Log.RECORD:
            return None
        found: UUID | None = self._one(self._queries.find, (token,))[0]
        return found

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        return {row[0] for row in self._all(self._queries.known, (Bytes.of(keys),))}

    def forget_batch(self, batch: UUID) -> int:
        return int(self._one(self._queries.forget_batch, (batch,))[0])

    def touched_by(self, batch: UUID) -> list[UUID]:
        return [row[0] for row in self._all(self._queries.touched_by, (batch,))]

    def batches(self) -> list[UUID]:
        return [row[0] for row in self._all(self._queries.batches, ())]

    def batches_of(self, keys: Sequence[bytes]) -> dict[bytes, UUID | None]:
        return dict(self._all(self._queries.batches_of, (Bytes.of(keys),)))

    def keys_of(self, batch: UUID) -> list[tuple[bytes, UUID, int]]:
        return self._all(self._queries.keys_of, (batch,))

    def release(self, tokens: Sequence[bytes], holder: UUID) -> int:
        if self.log is not Log.RECORD:
            return 0
        return int(self._one(self._queries.release, (Bytes.of(tokens), holder))[0])

    def digests_held_by(self, holder: UUID) -> list[bytes]:
        """The tokens a stream holds that are digests of an identifier (32 bytes; an index number is no digest)."""
        return [row[0] for row in self._all(self._queries.digests_held_by, (holder,))]

    def holders(self, prefix: bytes) -> dict[bytes, UUID]:
        """Who holds the tokens that begin so, by what follows the beginning."""
        rows = self._all(self._queries.holders, (prefix, len(prefix), prefix))
        return {token[len(prefix) :]: holder for token, holder in rows}

    def reserved(self, prefix: bytes) -> int:
        """How many tokens begin so."""
        ((count,),) = self._all(self._queries.reserved, (prefix, len(prefix), prefix))
        return int(count)

    def listen(self) -> "Listener":
        """Wakes when something was appended. A connection of its own."""
        return Listener(self.datastore.database, self.datastore.role, self.channel_name)

    # The library's contract ---------------------------------------------------------------------------------

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append rows, their expected versions taken from themselves. Raises the library's IntegrityError."""
        rows = [event.row for event in stored_events if isinstance(event, LibraryEvent)]
        if len(rows) != len(stored_events):
            raise ProgrammingError("only rows made by our mapper can be stored")
        if not rows:
            return []
        (outcome,) = self.append([group_of(rows)])
        if not isinstance(outcome, Applied):
            raise IntegrityError("a stream moved since it was read")
        return list(outcome.positions)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        query = self._queries.events_backwards if desc else self._queries.events
        rows = self._all(
            query, (originator_id, -1 if gt is None else gt, _LAST if lte is None else lte, limit)
        )
        return [LibraryEvent(RecordedRow(*row).stored()) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        if topics:
            raise ProgrammingError("what happened does not stand in clear: nothing can be selected by it")
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        return [LibraryNotification(row) for row in self.tail(after, limit, stop)]

    def max_notification_id(self) -> int | None:
        return self.head().position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        if topics:
            raise ProgrammingError("what happened does not stand in clear: nothing can be selected by it")
        return LogSubscription(self, gt)

    def create_table(self) -> NoReturn:
        """Tables are made by migrations, under another role."""
        raise ProgrammingError("tables are made by migrations")

    def _insert_events(self, *_: Any, **__: Any) -> NoReturn:
        raise ProgrammingError("the library's insert is not used")

    def _insert_stored_events(self, *_: Any, **__: Any) -> NoReturn:
        raise ProgrammingError("the library's insert is not used")

    # How it is done

    def _execute(self, query: bytes, parameters: Sequence[object]) -> list[Any]:
        with self.datastore.get_connection() as connection:
            cursor = connection.cursor(binary=True, row_factory=_tuple)
            rows: list[Any] = cursor.execute(query, parameters, prepare=True).fetchall()
            return rows

    def _all(self, query: bytes, parameters: Sequence[object]) -> list[Any]:
        """A question, which may be asked again: once, on a fresh connection, where the first was lost."""
        try:
            return self._execute(query, parameters)
        except DatabaseFailure as failure:
            if not failure.lost:
                raise
        return self._execute(query, parameters)

    def _one(self, query: bytes, parameters: Sequence[object]) -> Any:
        (row,) = self._all(query, parameters)
        return row


def _tuple(_: object) -> Any:
    return tuple


class _Announcer:
    """Tells listeners that a log has grown, soon after the commit, once for all commits of a few milliseconds.

    Not in the commit itself (see migrations/record/0004_append.sql). What is lost with a process that dies in between,
    listeners find by looking every `POLL_SECONDS`.
    """

    def __init__(self, datastore: LogDatastore, channel: str) -> None:
        self._datastore = datastore
        # Not durable, for it need not be: a commit of its own that waits for the disk would hold up the next append.
        self._statement = f"BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {channel}; COMMIT".encode()
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Something was committed."""
        if self._due.is_set():
            return
        self._due.set()
        if self._thread is None:
            self._begin()

    def close(self) -> None:
        """Announce what is due, and end."""
        with self._lock:
            self._closing.set()
            self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._due.wait()
            last = self._closing.is_set()
            self._due.clear()
            with contextlib.suppress(Unavailable), self._datastore.get_connection() as connection:
                connection.execute(self._statement)
            if last:
                return
            self._closing.wait(_ANNOUNCE_SECONDS)


class Listener:
    """Wakes on a commit, or after `POLL_SECONDS` at the latest: a notification can be lost, the log cannot.

    Listening begins before the first pull, so that nothing is committed unseen between the two.
    """

    def __init__(self, database: Database, role: Role, channel: str) -> None:
        self._database = database
        self._role = role
        self._channel = channel
        self._connection: psycopg.Connection[Any] | None = None
        self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def wait(self, seconds: float = POLL_SECONDS) -> bool:
        """True as soon as something was appended, False after `seconds`. A lost connection counts as a wake-up."""
        try:
            connection = self._connection or self._connect()
            with translated(self._database.store):
                for _ in connection.notifies(timeout=seconds, stop_after=1):
                    return True
        except DatabaseFailure:
            self.close()
            time.sleep(min(seconds, POLL_SECONDS))
            return True
        return False

    def _connect(self) -> psycopg.Connection[Any]:
        connection = self._database.connect(self._role)
        with translated(self._database.store):
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        self._connection = connection
        return connection


class LogSubscription(Subscription[LogRecorder]):
    """The library's subscription without its threads and without its start-up gap: listen, pull, wait, pull."""

    def __init__(self, recorder: LogRecorder, gt: int | None) -> None:
        super().__init__(recorder=recorder, gt=gt)
        self._listener = recorder.listen()
        self._rows: Iterator[RecordedRow] = iter(())

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        self._listener.close()

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            for row in self._rows:
                self._last_notification_id = row.position
                return LibraryNotification(row)
            page = self._recorder.tail(self._last_notification_id or 0, 500)
            self._rows = iter(page)
            if not page:
                self._listener.wait(0.1)
        raise StopIteration
