"""Homes for the scenarios: a training home for each module that asks, on the session's own PostgreSQL server."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.line import Line
from tests.acceptance.peopled import peopled
from tests.keycloak import keycloak
from tests.postgres import MakeDatabases

__all__ = ["keycloak", "peopled"]

_numbers = itertools.count(1)

NewHome = Callable[[], Line]
Restored = Callable[[Line], Line]


@pytest.fixture(scope="module")
def bare_home(make_databases: MakeDatabases, tmp_path_factory: pytest.TempPathFactory) -> NewHome:
    """Makes a folder and four empty databases at each call; nothing is in it yet."""

    def make() -> Line:
        home = Path(tmp_path_factory.getbasetemp()) / f"home-{next(_numbers)}"
        return Line(home, databases=make_databases())

    return make


@pytest.fixture(scope="module")
def new_home(bare_home: NewHome) -> NewHome:
    """Makes a training home of one's own at each call: for scenarios that set the clock ahead."""

    def make() -> Line:
        line = bare_home()
        line.done("init", "--training")
        return line

    return make


@pytest.fixture(scope="module")
def ordinary_home(bare_home: NewHome) -> NewHome:
    """Makes a home that is not for training at each call: nobody is in it, and its clock is the machine's."""

    def make() -> Line:
        line = bare_home()
        line.sets_the_clock = False
        for database in ("record", "keyring", "shielded"):
            with line.as_superuser(database) as connection:
                connection.execute("UPDATE home.home SET training = false")
        return line

    return make


@pytest.fixture(scope="module")
def line(new_home: NewHome) -> Line:
    """The training home of this module; each scenario invents its own children."""
    return new_home()


@pytest.fixture(scope="module")
def restored(bare_home: NewHome) -> Restored:
    """Backs a home up and restores it into another, to which the key-encryption keys were brought by hand."""

    def restore(line: Line) -> Line:
        copy = line.home.with_name(f"{line.home.name}-backup-{next(_numbers)}")
        line.done("backup", str(copy))
        other = bare_home()
        other.clock = line.clock
        shutil.copytree(line.home / "kek", other.home / "kek")
        other.done("restore", str(copy))
        return other

    return restore


@pytest.fixture(scope="module")
def own_server() -> Iterator[Line]:
    """A training home with a server under it, as one has who configures nothing.

    Not in pytest's own folder: that is closed to the account the server runs under each time a run begins.
    """
    with tempfile.TemporaryDirectory(prefix="contactpoint-home-") as folder:
        line = Line(Path(folder) / "home")
        line.done("init", "--training")
        yield line
        line("stop")
