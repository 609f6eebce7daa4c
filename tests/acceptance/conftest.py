"""Homes for the scenarios: a training home for each module that asks, on the session's own PostgreSQL server."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.line import Line
from tests.postgres import MakeDatabases

_numbers = itertools.count(1)

NewHome = Callable[[], Line]


@pytest.fixture(scope="module")
def new_home(make_databases: MakeDatabases, tmp_path_factory: pytest.TempPathFactory) -> NewHome:
    """Makes a training home of one's own at each call: for scenarios that set the clock ahead."""

    def make() -> Line:
        home = Path(tmp_path_factory.getbasetemp()) / f"home-{next(_numbers)}"
        line = Line(home, databases=make_databases())
        line.done("init", "--training")
        return line

    return make


@pytest.fixture(scope="module")
def line(new_home: NewHome) -> Line:
    """The training home of this module; each scenario invents its own children."""
    return new_home()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Line]:
    """A training home with a server under it, as one has who configures nothing."""
    line = Line(tmp_path / "home")
    line.done("init", "--training")
    yield line
    line("stop")
