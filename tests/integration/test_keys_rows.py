"""How the rows of the store lie in PostgreSQL, and what each role can read of a shielded child."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from adapters.key_rows import KeyKind, KeyName
from adapters.keys.cipher import BLOCKS
from adapters.keys.key_store import Wanted
from adapters.postgres.databases import Database, DatabaseFailure, Databases, Role, connect_as_superuser
from adapters.postgres.embedded import ServerAddress
from adapters.postgres.key_table import PostgresKeyring, PostgresShielded
from domain.child_record.events import (
    Address,
    AddressAsserted,
    ChildRegistered,
    CurrentAddress,
    ShieldRaised,
    SourceKind,
)
from domain.errors import Unavailable
from domain.kernel import Change, Log, Metadata, Pending, StreamKind
from tests.homes import Home, postgres_home

pytestmark = pytest.mark.postgres

METADATA = Metadata(actor=UUID(int=7), correlation=UUID(int=8))
REGISTERED = ChildRegistered(index_number="J5TWDX0000Y", source_kind=SourceKind.BIRTHS, rule_set="present")
AT_HOME = AddressAsserted(
    source_kind=SourceKind.PDS,
    effective=date(2026, 1, 1),
    whereabouts=CurrentAddress(address=Address(lines=("ZQX7 Canary Row",), postcode="LS1 4AP")),
)


@pytest.fixture
def home(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = postgres_home(databases, Path(tmp_path_factory.getbasetemp()) / "kek-rows")
    yield made
    made.close()


def a_shielded_child(home: Home) -> UUID:
    child = uuid4()
    first = (Pending(REGISTERED, 1), Pending(AT_HOME, 1))
    home.writer().append([Change(child, StreamKind.CHILD, 0, first)], METADATA)
    shield = ShieldRaised(
        shield=uuid4(), source_kind=SourceKind.AUTHORITY, rule_set="present", ground="child-at-risk"
    )
    home.writer().append([Change(child, StreamKind.CHILD, 2, (Pending(shield, 2),), shielded=True)], METADATA)
    home.writer().apply_shield(child)
    return child


def test_the_row_of_an_event_stays_in_its_page(home: Home, databases: Databases) -> None:
    """Four rows fill a page of 8 kB; a larger block would push every part out into another table."""
    child = a_shielded_child(home)
    assert {len(part) for row in home.record.stream(child) for part in row[7:]} == {BLOCKS[Log.RECORD]}
    with databases.record.connect(Role.MIGRATION) as connection:
        connection.execute("SET ROLE contactpoint_owner")
        outside = connection.execute(
            "SELECT sum(pg_relation_size(c.reltoastrelid)) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid "
            "WHERE i.inhparent = 'record_log.event'::regclass"
        ).fetchone()
    assert outside == (0,)


def test_nothing_of_an_event_stands_in_clear(home: Home, databases: Databases) -> None:
    child = a_shielded_child(home)
    with databases.record.connect(Role.SERVICE) as connection:
        rows = connection.execute(
            "SELECT e::text, identity, content, metadata FROM record_log.event e WHERE stream_id = %s",
            (child,),
        ).fetchall()
    assert len(rows) == 3
    for row in rows:
        stored = str(row[0]).encode() + b"".join(row[1:])
        for word in (b"Canary", b"LS1", b"address", b"shield", b"pds", b"child-at-risk", b"J5TWDX", b"actor"):
            assert word not in stored
            assert word.hex().encode() not in stored


@pytest.mark.parametrize("role", [Role.SERVICE])
def test_the_service_cannot_enter_the_shielded_database(databases: Databases, role: Role) -> None:
    with pytest.raises(DatabaseFailure):
        databases.shielded.connect(role)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OVERRIDE])
def test_a_manager_reads_no_row_but_through_an_access(home: Home, databases: Databases, role: Role) -> None:
    child, access = a_shielded_child(home), uuid4()
    with databases.shielded.connect(role) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM keys.key")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM keys.opening")
    table = PostgresShielded(databases.shielded, role)
    assert len(table.open_for_access(child, access)) == 2
    table.close()
    with databases.shielded.connect(Role.MIGRATION) as connection:
        connection.execute("SET ROLE contactpoint_owner")
        noted = connection.execute(
            "SELECT subject, role FROM keys.opening WHERE access = %s", (access,)
        ).fetchall()
    assert noted == [(child, role.value)]


def test_no_role_that_logs_in_can_write_a_certificate_or_empty_a_key_by_hand(databases: Databases) -> None:
    for role in (Role.SERVICE, Role.WRITER):
        with databases.keyring.connect(role) as connection:
            for attack in (
                "UPDATE keys.key SET wrapped = NULL",
                "DELETE FROM keys.key",
                "TRUNCATE keys.key",
                "INSERT INTO keys.key (subject, kind, number, generation, certificate) VALUES (%s, 1, 0, 1, %s)",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(attack.encode(), (UUID(int=1),) * attack.count("%s"))


def test_the_service_cannot_destroy_or_move(databases: Databases) -> None:
    with databases.keyring.connect(Role.SERVICE) as connection:
        for attack in (
            "SELECT keys.forget(gen_random_uuid(), 1::smallint, 0, gen_random_uuid())",
            "SELECT keys.mark_elsewhere(gen_random_uuid(), 2::smallint, 1)",
            "SELECT keys.empty_orphans()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack.encode())


def test_a_connection_that_broke_is_made_anew(
    home: Home, databases: Databases, server: ServerAddress
) -> None:
    child = a_shielded_child(home)
    keys = home.writer_keys()
    ours = [conninfo_to_dict(d.url)["dbname"] for d in (databases.keyring, databases.shielded)]
    with connect_as_superuser(server) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY (%s) AND usename = %s",
            (ours, Role.WRITER.value),
        )
    assert isinstance(keys.identity(child), bytes)
    keys.move_out(child)
    keys.move_in(child)
    assert keys.make([Wanted(KeyName(uuid4(), KeyKind.STAFF, 0))]).keys


def test_a_database_that_is_away_is_told_in_words() -> None:
    away = Database("keyring", "postgresql://127.0.0.1:1/nowhere")
    table = PostgresKeyring(away, Role.SERVICE)
    with pytest.raises(Unavailable) as refused:
        table.read([uuid4()])
    assert "keyring" in refused.value.message
    assert "127.0.0.1" not in refused.value.message
