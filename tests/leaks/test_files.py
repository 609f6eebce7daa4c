"""What was shielded or destroyed is not in the files of the embedded server: tables, indexes, statistics, log."""

import mmap
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.acceptance.conftest import own_server
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, born, registered

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

__all__ = ["own_server"]


def flushed(line: Line) -> None:
    """Have the server write to its files what it holds in memory."""
    with line.as_superuser("views") as connection:
        connection.execute("CHECKPOINT")


def files_with(line: Line, *values: str) -> list[str]:
    """The files of the home's server in which one of these stands, in any case."""
    spellings = {form.encode() for value in values for form in (value, value.lower(), value.upper())}
    data = line.home / "postgres"
    return [
        str(path.relative_to(data))
        for path in data.rglob("*")
        if path.is_file() and path.stat().st_size and _holds(path, spellings)
    ]


def _holds(path: Path, values: set[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(value) >= 0 for value in values)


def in_the_views(files: list[str]) -> bool:
    return any("/base/" in name for name in files) and any("/pg_wal/" in name for name in files)


def test_after_maintenance_no_file_holds_what_was_shielded_or_destroyed(own_server: Line) -> None:
    line = own_server
    one, gone, kept = (
        a_child(postcode="WF98 7QZ"),
        a_child(family="Zwickelbart", born=date(2009, 5, 1)),
        a_child(),
    )
    child, _, _ = born(line, one), registered(line, gone), registered(line, kept)
    for view in ("practitioner_view", "match_index"):  # another build of each, and statistics of them
        line.done("projection", "rebuild", view, "--switch")
    flushed(line)
    where = (one.postcode, one.postcode.replace(" ", ""))
    assert in_the_views(files_with(line, *where))
    assert in_the_views(files_with(line, gone.family))

    line.record("shield", child, "--ground", "crime", acting="social-worker")
    flushed(line)
    assert files_with(line, *where), "deleted, and there to be found"
    answer = line.done("maintain")

    assert (answer["busy"], answer["wal"]) == ([], True)
    assert answer["tables"] > 10
    assert files_with(line, *where) == []
    flushed(line)
    assert files_with(line, kept.family), "what is shown is where it was"

    line.clock = datetime(2027, 5, 1, 9, tzinfo=UTC)
    assert line.done("retention", "run")["archived"] == 1
    line.clock = datetime(2033, 5, 1, 9, tzinfo=UTC)
    ran = line.done("retention", "run")
    assert (ran["destroyed"], ran["maintained"]["busy"]) == (1, [])
    assert files_with(line, gone.family) == []
    flushed(line)
    assert files_with(line, kept.family)
    assert line.found(*kept.criteria)
