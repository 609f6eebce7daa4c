"""The four databases, the roles that enter them, and connections whose errors hold no value.

Embedded: one server, four databases, whoever reaches the private socket is trusted with any role. In production each
database has a URL (`CONTACTPOINT_RECORD_URL`, `…_KEYRING_URL`, `…_SHIELDED_URL`, `…_VIEWS_URL`) and a cluster of its
own; make the roles there with `migrations/cluster.sql`. A URL that names a user belongs to a program of that role alone
(`postgresql://contactpoint_service:…@db/record`); a URL without one takes the user from the role asked for and the
password from libpq's password file (`passfile`), for programs that need several roles.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.postgres.embedded import SUPERUSER, ServerAddress
from domain.errors import Unavailable

CONNECT_SECONDS: Final = 10
_STARTING_UP: Final = "57P03"


class Role(StrEnum):
    """What a program may log in as. What each may do stands in `migrations/*/privileges.sql`."""

    MIGRATION = "contactpoint_migration"
    SERVICE = "contactpoint_service"
    WRITER = "contactpoint_writer"
    MANAGER = "contactpoint_manager"
    OVERRIDE = "contactpoint_override"
    PUBLISHER = "contactpoint_publisher"
    SEALER = "contactpoint_sealer"


class DatabaseFailure(Unavailable):
    """A database could not do it. Carries the SQLSTATE and the constraint, never a value.

    lost: the connection broke, so that a COMMIT on its way may or may not have been carried out.
    """

    def __init__(self, store: str, sqlstate: str | None, constraint: str | None, *, lost: bool) -> None:
        what = f"SQLSTATE {sqlstate}" if sqlstate else "connection or driver"
        if constraint:
            what += f", constraint {constraint}"
        super().__init__(f"The {store} database could not do it ({what}). `contactpoint health` says more.")
        self.store = store
        self.sqlstate = sqlstate
        self.constraint = constraint
        self.lost = lost


def failure_of(error: psycopg.Error, store: str) -> DatabaseFailure:
    """Our error for one of the driver's, whose own text may quote a row (DETAIL)."""
    # Class 08: connection exceptions; 57P01 to 57P03: the server is told to stop, has crashed, or is starting.
    state = error.sqlstate
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and (
        state is None or state.startswith("08") or state in {"57P01", "57P02", "57P03"}
    )
    return DatabaseFailure(store, state, error.diag.constraint_name, lost=lost)


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turn the driver's errors into ours. The driver's stays behind as the context, so its text is taken from it."""
    try:
        yield
    except psycopg.Error as error:
        failure = failure_of(error, store)
        error.args = (failure.message,)
        raise failure from None


@dataclass(frozen=True, slots=True)
class Database:
    """One of the four: `store` is its name in messages, `url` a libpq URL or connection string."""

    store: str
    url: str

    def conninfo(self, role: Role) -> str:
        """The connection string of one role. Raises Unavailable where the URL belongs to another role."""
        try:
            given = conninfo_to_dict(self.url)
        except psycopg.ProgrammingError:
            given = None
        if (
            given is None
        ):  # said outside the handler: the driver's message quotes the URL, which may hold a password
            raise Unavailable(f"The URL of the {self.store} database cannot be read.")
        if "user" not in given:
            return make_conninfo(self.url, user=role.value)
        if given["user"] != role.value:
            raise Unavailable(f"The URL of the {self.store} database is not that of the role {role.value}.")
        return self.url

    def connect(self, role: Role, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection in autocommit mode. Waits for a server that is just starting. Raises DatabaseFailure."""
        options = {"autocommit": True, "connect_timeout": CONNECT_SECONDS, **options}
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return psycopg.connect(self.conninfo(role), **options)
            except psycopg.OperationalError as error:
                failure = failure_of(error, self.store)
                # libpq gives no SQLSTATE for a refusal at the door; the server's own words are the same in every locale
                # that we run it in.
                starting = (
                    failure.sqlstate == _STARTING_UP
                    or "starting up" in str(error)
                    or "in recovery" in str(error)
                )
            if not starting or time.monotonic() > deadline:
                raise failure  # outside the handler: libpq's text names the host and the user
            time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Databases:
    """The four databases of one home."""

    record: Database
    keyring: Database
    shielded: Database
    views: Database

    def __iter__(self) -> Iterator[Database]:
        return iter((self.record, self.keyring, self.shielded, self.views))

    @classmethod
    def at(cls, *, record: str, keyring: str, shielded: str, views: str) -> "Databases":
        """The databases behind four URLs."""
        return cls(
            Database("record", record),
            Database("keyring", keyring),
            Database("shielded", shielded),
            Database("views", views),
        )

    @classmethod
    def embedded(cls, address: ServerAddress, suffix: str = "") -> "Databases":
        """The databases of an embedded server. `suffix` tells several sets on one server apart."""
        host = f"host='{address.socket_directory}' port={address.port} dbname="
        return cls.at(
            record=f"{host}record{suffix}",
            keyring=f"{host}keyring{suffix}",
            shielded=f"{host}shielded{suffix}",
            views=f"{host}views{suffix}",
        )


def connect_as_superuser(
    address: ServerAddress, database: str = "postgres"
) -> psycopg.Connection[tuple[Any, ...]]:
    """The embedded server's own administrator. There is none in production: an administrator does that by hand."""
    with translated("embedded"):
        return psycopg.connect(
            address.conninfo(database, SUPERUSER), autocommit=True, connect_timeout=CONNECT_SECONDS
        )
