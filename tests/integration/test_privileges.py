"""What each role that logs in may not do, tried in its own name: everything here ends in SQLSTATE 42501.

The attacks are those of the threat model: changing, deleting, emptying, switching a trigger off, dropping, passing the
triggers as a replica, writing a position or a time, moving the head.
"""

import itertools
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from adapters.postgres.databases import Database, DatabaseFailure, Databases, Role, connect_as_superuser
from adapters.postgres.embedded import ServerAddress
from adapters.postgres.recorder import LogRecorder
from adapters.rows import group_of
from domain.kernel import Log
from tests.rows import a_row

pytestmark = pytest.mark.postgres

DENIED: Final = "42501"
LOGS: Final = ("record_log", "access_log")
ROW: Final = (
    "(position, recorded_at, event_id, stream_id, version, format, period, identity, content, metadata) "
    "VALUES (-5, '2007-01-01', gen_random_uuid(), gen_random_uuid(), 1, 1, 1, '', '', '')"
)

ATTACKS: Final = {
    "change an event": "UPDATE {log}.event SET content = ''",
    "change a partition": "UPDATE {log}.event_07 SET content = ''",
    "delete events": "DELETE FROM {log}.event",
    "empty the log": "TRUNCATE {log}.event",
    "empty a partition": "TRUNCATE {log}.event_07",
    "switch the trigger off": "ALTER TABLE {log}.event DISABLE TRIGGER never_changed",
    "drop the trigger": "DROP TRIGGER never_changed ON {log}.event",
    "drop the log": "DROP TABLE {log}.event",
    "take a partition off": "ALTER TABLE {log}.event DETACH PARTITION {log}.event_07",
    "pass the triggers as a replica": "SET session_replication_role = replica",
    "insert with a position and a time": f"INSERT INTO {{log}}.event {ROW}",
    "insert into a partition": f"INSERT INTO {{log}}.event_07 {ROW}",
    "copy into the log": "COPY {log}.event FROM STDIN",
    "move the head": "UPDATE {log}.head SET position = 0",
    "move the time of the head": "UPDATE {log}.head SET recorded_at = '2007-01-01'",
    "lock the head": "SELECT * FROM {log}.head FOR UPDATE",
    "delete the head": "DELETE FROM {log}.head",
    "add a second head": "INSERT INTO {log}.head (position) VALUES (0)",
    "plant a key": "INSERT INTO {log}.idempotency (key) VALUES ('')",
    "forget keys": "DELETE FROM {log}.idempotency",
    "replace the function": "CREATE OR REPLACE FUNCTION {log}.deny() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    "make the function one's own": "ALTER FUNCTION {log}.append OWNER TO CURRENT_USER",
    "make a table beside it": "CREATE TABLE {log}.event2 (x int)",
    "say that this is a training home": "UPDATE home.home SET training = true",
    # A grant without the right to grant is a warning, so what matters is what comes of it.
    "grant oneself more": f"GRANT ALL ON {{log}}.event TO CURRENT_USER; INSERT INTO {{log}}.event {ROW}",
    "rewrite what was migrated": "UPDATE migration.applied SET checksum = ''",
}


def attempt(database: Database, role: Role, statement: str) -> str | None:
    """The SQLSTATE that a statement ends with; None if it is carried out (it is then undone)."""
    with database.connect(role) as connection:
        try:
            with connection.transaction(force_rollback=True):
                if statement.startswith("COPY"):
                    with connection.cursor().copy(statement.encode()):
                        pass
                else:
                    connection.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate
    return None


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Databases:
    """With an event in each log, so that a row trigger has something to fire for."""
    for log in Log:
        recorder = LogRecorder(databases.record, Role.SERVICE, log)
        recorder.append([group_of([a_row()], key=uuid4().bytes)])
        recorder.close()
    return databases


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_no_role_that_logs_in_may_change_a_log(filled: Databases, role: Role, log: str, attack: str) -> None:
    assert attempt(filled.record, role, attack.format(log=log)) == DENIED


@pytest.fixture(scope="module")
def owner(filled: Databases, server: ServerAddress) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    name = psycopg.conninfo.conninfo_to_dict(filled.record.conninfo(Role.SERVICE))["dbname"]
    with connect_as_superuser(server, str(name)) as connection:
        yield connection


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("table", ["event", "event_{part}"])
@pytest.mark.parametrize("change", ["UPDATE {} SET content = ''", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("replica", [False, True], ids=["as owner", "as a replica"])
def test_even_the_superuser_must_switch_the_triggers_off_first(
    owner: psycopg.Connection[tuple[object, ...]], log: str, table: str, change: str, replica: bool
) -> None:
    found = owner.execute(f"SELECT tableoid::regclass::text FROM {log}.event LIMIT 1".encode()).fetchone()
    assert found is not None
    name = f"{log}.event" if table == "event" else str(found[0])
    before = "SET LOCAL session_replication_role = replica;" if replica else ""
    with pytest.raises(psycopg.Error) as raised, owner.transaction(force_rollback=True):
        owner.execute((before + change.format(name)).encode())
    assert raised.value.sqlstate == DENIED


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("change", ["DELETE FROM {}.head", "TRUNCATE {}.head"])
def test_the_head_cannot_be_taken_away(
    owner: psycopg.Connection[tuple[object, ...]], log: str, change: str
) -> None:
    before = "SET LOCAL session_replication_role = replica;"
    with pytest.raises(psycopg.Error) as raised, owner.transaction(force_rollback=True):
        owner.execute((before + change.format(log)).encode())
    assert raised.value.sqlstate == DENIED


def test_every_table_of_the_logs_belongs_to_a_role_that_cannot_log_in(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    rows = owner.execute(
        """
        SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_roles AS r ON r.oid = c.relowner
        WHERE n.nspname IN ('record_log', 'access_log', 'home', 'migration')
          AND (r.rolcanlogin OR r.rolname <> 'contactpoint_owner')
        UNION ALL
        SELECT p.oid::regprocedure::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        JOIN pg_roles AS r ON r.oid = p.proowner
        WHERE n.nspname IN ('record_log', 'access_log') AND (r.rolcanlogin OR r.rolname <> 'contactpoint_owner')
        """
    ).fetchall()
    assert rows == []


def test_functions_that_run_as_their_owner_pin_where_they_look(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    rows = owner.execute(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('record_log', 'access_log') AND prosecdef
          AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
        """
    ).fetchall()
    assert rows == []


# Who may enter, and read ---------------------------------------------------------------------------------------------

MAY_CONNECT: Final = {
    "record": {
        Role.MIGRATION,
        Role.SERVICE,
        Role.WRITER,
        Role.MANAGER,
        Role.OVERRIDE,
        Role.PUBLISHER,
        Role.SEALER,
    },
    "keyring": {Role.MIGRATION, Role.SERVICE, Role.WRITER, Role.MANAGER, Role.OVERRIDE, Role.PUBLISHER},
    "shielded": {Role.MIGRATION, Role.WRITER, Role.MANAGER, Role.OVERRIDE},
    "views": {Role.MIGRATION, Role.SERVICE, Role.WRITER},
}


@pytest.mark.parametrize("store", MAY_CONNECT)
@pytest.mark.parametrize("role", list(Role))
def test_who_may_enter_which_database(databases: Databases, store: str, role: Role) -> None:
    database = next(database for database in databases if database.store == store)
    try:
        database.connect(role).close()
        entered = True
    except DatabaseFailure:
        entered = False
    assert entered == (role in MAY_CONNECT[store])


ID: Final = "'00000000-0000-4000-8000-000000000001'"
SERVING: Final = {Role.SERVICE, Role.WRITER}
READING: Final = {Role.SERVICE, Role.WRITER, Role.MANAGER, Role.OVERRIDE}
FOLLOWING: Final = READING | {Role.PUBLISHER, Role.SEALER}
LOOKING: Final = READING | {Role.SEALER}
SEALER: Final = {Role.SEALER}
PUBLISHER: Final = {Role.PUBLISHER}
OPENING: Final = {Role.MANAGER, Role.OVERRIDE}
WRITER: Final = {Role.WRITER}
MANAGING: Final = {Role.WRITER, Role.MANAGER}
NOBODY: Final[set[Role]] = set()

RIGHTS: Final = [
    ("record", "SELECT * FROM record_log.event", FOLLOWING),
    ("record", "SELECT * FROM access_log.event", LOOKING),
    ("record", "SELECT * FROM seal.state", {Role.SERVICE, Role.SEALER}),
    ("record", "UPDATE seal.state SET size = size + 1", SEALER),
    ("record", "INSERT INTO seal.state (log) VALUES (3)", NOBODY),
    ("record", "DELETE FROM seal.state", NOBODY),
    ("record", "SELECT * FROM record_log.event_07", SERVING),
    ("record", "SELECT * FROM record_log.head", FOLLOWING),
    ("record", "SELECT * FROM record_log.idempotency", SERVING),
    ("record", "SELECT * FROM record_log.reservation", SERVING),
    ("record", "SELECT record_log.forget_batch(gen_random_uuid())", WRITER),
    ("record", f"SELECT record_log.release('{{}}', {ID})", WRITER),
    ("record", "INSERT INTO record_log.reservation VALUES ('', gen_random_uuid())", NOBODY),
    ("record", "DELETE FROM record_log.reservation", NOBODY),
    ("record", "SELECT * FROM record_log.follower", SERVING),
    ("record", "SELECT * FROM publication.state", PUBLISHER | {Role.SERVICE}),
    ("record", "UPDATE publication.state SET fence = fence + 1", PUBLISHER),
    ("record", "DELETE FROM publication.state", NOBODY),
    ("record", "SELECT * FROM publication.pending", PUBLISHER),
    ("record", "DELETE FROM publication.pending", PUBLISHER),
    ("record", "DELETE FROM publication.partition", NOBODY),
    ("record", "SELECT * FROM publication.sent", PUBLISHER),
    ("record", "DELETE FROM publication.sent", PUBLISHER),
    ("record", "UPDATE publication.sent SET number = 1", NOBODY),
    *[
        ("record", statement.format(table), {Role.SERVICE})
        for table in ("session", "authenticator", "enrolment", "attempt", "device")
        for statement in ("SELECT * FROM sign_in.{}", "DELETE FROM sign_in.{}")
    ],
    ("record", "TRUNCATE sign_in.authenticator", NOBODY),
    ("record", "SELECT * FROM rules.text", {Role.SERVICE}),
    ("record", "INSERT INTO rules.text VALUES (sha256('x'), 'x')", {Role.SERVICE}),
    ("record", "DELETE FROM rules.text", NOBODY),
    ("record", "UPDATE rules.text SET text = text", NOBODY),
    ("record", "TRUNCATE rules.text", NOBODY),
    ("record", "CREATE TABLE public.beside (x int)", NOBODY),
    ("record", "CREATE TEMPORARY TABLE beside (x int)", NOBODY),
    ("keyring", "SELECT * FROM keys.key", FOLLOWING),
    ("keyring", "SELECT * FROM keys.key_07", SERVING),
    (
        "keyring",
        f"INSERT INTO keys.key (subject, kind, number, generation, wrapped) VALUES ({ID}, 1, 1, 1, '')",
        SERVING,
    ),
    (
        "keyring",
        f"INSERT INTO keys.key (subject, kind, number, generation, certificate) VALUES ({ID}, 1, 1, 1, {ID})",
        NOBODY,
    ),
    ("keyring", "UPDATE keys.key SET wrapped = NULL", NOBODY),
    ("keyring", "DELETE FROM keys.key", NOBODY),
    ("keyring", "TRUNCATE keys.key", NOBODY),
    ("keyring", f"SELECT keys.forget({ID}, 1::smallint, 1, {ID})", WRITER),
    ("keyring", f"SELECT keys.mark_elsewhere({ID}, 2::smallint, 1)", WRITER),
    ("keyring", f"SELECT keys.restore_wrapped({ID}, 2::smallint, 1, 1, '')", WRITER),
    ("keyring", "SELECT keys.rewrap('{}', '{}', '{}', 1, 2, '{}')", WRITER),
    ("keyring", "SELECT keys.sweep('{}', '{}', '{}')", WRITER),
    ("keyring", "SELECT keys.empty_orphans()", WRITER),
    ("keyring", "DELETE FROM keys.orphan", NOBODY),
    ("shielded", "SELECT * FROM keys.key", WRITER),
    (
        "shielded",
        f"INSERT INTO keys.key (subject, kind, number, generation, wrapped) VALUES ({ID}, 2, 1, 1, '')",
        WRITER,
    ),
    ("shielded", "UPDATE keys.key SET wrapped = NULL", NOBODY),
    ("shielded", "DELETE FROM keys.key", NOBODY),
    ("shielded", f"SELECT keys.move_in({ID}, 1, 1, '')", WRITER),
    ("shielded", f"SELECT keys.move_out({ID}, 1)", WRITER),
    ("shielded", f"SELECT keys.forget({ID}, 2::smallint, 1, {ID})", WRITER),
    ("shielded", f"SELECT * FROM keys.open_for_access({ID}, gen_random_uuid())", OPENING),
    ("shielded", "SELECT * FROM keys.opening", NOBODY),
    ("shielded", f"INSERT INTO keys.opening VALUES ({ID}, {ID}, 'x', now())", NOBODY),
    ("shielded", "DELETE FROM keys.opening", NOBODY),
    ("shielded", "SELECT * FROM whereabouts.token", WRITER),
    ("shielded", f"INSERT INTO whereabouts.token VALUES ('', {ID})", WRITER),
    ("shielded", "DELETE FROM whereabouts.token", WRITER),
    ("shielded", "UPDATE whereabouts.token SET token = ''", NOBODY),
    ("shielded", "SELECT * FROM brokering.asked", MANAGING),
    ("shielded", f"INSERT INTO brokering.asked VALUES ({ID}, {ID}, now())", WRITER),
    ("shielded", "DELETE FROM brokering.asked", WRITER),
    ("shielded", "UPDATE brokering.asked SET at = now()", NOBODY),
    ("views", "CREATE TABLE views.mine (x int)", SERVING),
    ("views", "CREATE SCHEMA another", SERVING),
    ("views", "CREATE TEMPORARY TABLE mine (x int)", SERVING),
]


@pytest.mark.parametrize(
    ("store", "statement", "role", "allowed"),
    [
        pytest.param(
            store,
            statement,
            role,
            role in roles,
            id=f"{store}-{role.value.removeprefix('contactpoint_')}-{number}",
        )
        for number, (store, statement, roles) in enumerate(RIGHTS)
        for role in Role
        if role in MAY_CONNECT[store]
    ],
)
def test_who_may_do_what(databases: Databases, store: str, statement: str, role: Role, allowed: bool) -> None:
    database = next(database for database in databases if database.store == store)
    assert attempt(database, role, statement) == (None if allowed else DENIED)


def test_appending_is_for_service_and_writer(databases: Databases) -> None:
    many = ", ".join(["NULL"] + ["'{}'"] * 17)
    one = ", ".join(["NULL"] * 5 + ["1::smallint", "1"] + ["'{}'"] * 4)
    for role, log, call in itertools.product(Role, LOGS, (f"append({many})", f"append_one({one})")):
        state = attempt(databases.record, role, f"SELECT {log}.{call}")
        assert (state == DENIED) == (role not in SERVING), (role, log, call, state)


def test_what_one_makes_in_views_the_other_may_replace(databases: Databases) -> None:
    for maker, other in ((Role.SERVICE, Role.WRITER), (Role.WRITER, Role.SERVICE)):
        with databases.views.connect(maker) as connection:
            connection.execute("CREATE TABLE views.shared (x int)")
        with databases.views.connect(other) as connection:
            connection.execute("ALTER TABLE views.shared ADD COLUMN y int")
            connection.execute("DROP TABLE views.shared")


def test_the_service_keeps_its_rights_when_it_leaves_its_part(databases: Databases) -> None:
    """RESET ROLE in the views database leads back to the service itself, never to more."""
    with databases.views.connect(Role.SERVICE) as connection:
        connection.execute("RESET ROLE")
        for role in ("contactpoint_owner", "contactpoint_migration", "contactpoint_writer", "postgres"):
            with pytest.raises(psycopg.Error) as raised:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            assert raised.value.sqlstate == DENIED


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MIGRATION])
def test_no_role_becomes_the_owner(databases: Databases, role: Role) -> None:
    assert attempt(databases.record, role, "SET ROLE contactpoint_owner") == DENIED


# Opening a shielded child's keys -----------------------------------------------------------------------------------


def test_one_access_opens_one_child_and_is_noted(databases: Databases, server: ServerAddress) -> None:
    child, other, access = uuid4(), uuid4(), uuid4()
    insert = "INSERT INTO keys.key (subject, kind, number, generation, wrapped) VALUES (%s, 2, %s, 1, %s)"
    with databases.shielded.connect(Role.WRITER) as writer:
        writer.execute(insert, (child, 2, b"two"))
        writer.execute(insert, (child, 1, b"one"))
        writer.execute(insert, (other, 1, b"other"))
    opening = "SELECT number, wrapped FROM keys.open_for_access(%s, %s)"
    with databases.shielded.connect(Role.MANAGER) as manager:
        assert manager.execute(opening, (child, access)).fetchall() == [(1, b"one"), (2, b"two")]
        assert manager.execute(opening, (child, access)).fetchall() == [(1, b"one"), (2, b"two")]
        with pytest.raises(psycopg.Error) as raised:
            manager.execute(opening, (other, access))
        assert raised.value.sqlstate == DENIED
    with databases.shielded.connect(Role.OVERRIDE) as override:
        with pytest.raises(psycopg.Error) as raised:
            override.execute(opening, (child, access))
        assert raised.value.sqlstate == DENIED
        with pytest.raises(psycopg.Error) as raised:
            override.execute(opening, (child, None))
        assert raised.value.sqlstate is not None
    name = psycopg.conninfo.conninfo_to_dict(databases.shielded.conninfo(Role.WRITER))["dbname"]
    with connect_as_superuser(server, str(name)) as owner:
        noted = owner.execute("SELECT access, subject, role FROM keys.opening").fetchall()
        assert noted == [(access, child, "contactpoint_manager")]
        with pytest.raises(psycopg.Error) as raised:
            owner.execute("DELETE FROM keys.opening")
        assert raised.value.sqlstate == DENIED
