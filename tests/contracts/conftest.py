"""The homes that every contract suite runs on: one in memory, one in PostgreSQL. The suites are one and the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import Home, memory_home, postgres_home


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with nothing in it yet, but for what tests before left behind in PostgreSQL."""
    if request.param == "memory":
        yield memory_home()
        return
    databases = request.getfixturevalue("databases")
    folder = Path(tmp_path_factory.getbasetemp()) / f"kek-{databases.keyring.url.rsplit('=', 1)[1]}"
    made = postgres_home(databases, folder)
    yield made
    made.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A home with nothing in it: for what touches every key there is."""
    if request.param == "memory":
        yield memory_home()
        return
    made = postgres_home(request.getfixturevalue("make_databases")(), tmp_path / "kek")
    yield made
    made.close()
