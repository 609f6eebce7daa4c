"""A search that a hidden fact would answer costs the databases what any other does: statements, rows, pages.

The clock is noisy, and what the databases count is not. How long it takes is measured in `tests/benchmarks`.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, born

pytestmark = pytest.mark.postgres

TIMES: Final = 3
"""How often each is counted: the least is what it costs, the rest is the server's own upkeep."""

_COUNTED: Final = """
SELECT coalesce(sum(t.seq_scan), 0), coalesce(sum(t.idx_scan), 0), coalesce(sum(t.seq_tup_read), 0),
    coalesce(sum(t.idx_tup_fetch), 0), coalesce(sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del), 0),
    coalesce(sum(i.heap_blks_read + i.heap_blks_hit), 0), coalesce(sum(i.idx_blks_read + i.idx_blks_hit), 0)
FROM pg_stat_user_tables AS t JOIN pg_statio_user_tables AS i USING (relid)
"""
Work = tuple[int, ...]


def counted(line: Line) -> Work:
    """What the databases have counted so far: of the views scans, rows and pages; of the log scans and rows written."""
    with line.as_superuser("views") as connection:
        views = connection.execute(_COUNTED).fetchone()
    with line.as_superuser("record") as connection:
        record = connection.execute(_COUNTED).fetchone()
    assert views is not None
    assert record is not None
    return tuple(int(count) for count in (*views, record[0], record[1], record[4]))


def work_of(line: Line, *criteria: str) -> Work:
    """What a search costs."""
    costs: list[Work] = []
    for _ in range(TIMES):
        before = counted(line)
        line.search(*criteria)
        costs.append(tuple(after - b for after, b in zip(counted(line), before, strict=True)))
    return min(costs)


@pytest.fixture(scope="module")
def shielded(line: Line) -> Child:
    one = a_child()
    child = born(line, one)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    return one


def pairs(one: Child, nobody: Child) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What is hidden of a child, and what is so of nobody, asked for in the same way."""
    born_on = ("--dob", one.born.isoformat())
    yield "NHS number", ("--nhs-number", one.nhs), ("--nhs-number", nobody.nhs)
    for name, asked in (("name", one.criteria), ("day", born_on)):
        yield (
            f"{name} and postcode",
            (*asked, "--postcode", one.postcode),
            (*asked, "--postcode", nobody.postcode),
        )
    yield (
        "name and NHS number",
        (*one.criteria, "--nhs-number", one.nhs),
        (*one.criteria, "--nhs-number", nobody.nhs),
    )


def test_t35_a_hidden_fact_costs_a_search_nothing_and_saves_it_nothing(line: Line, shielded: Child) -> None:
    line.search(*shielded.criteria)  # what the first search of a home builds is not counted
    for name, hidden, false in pairs(shielded, a_child()):
        assert work_of(line, *hidden) == work_of(line, *false), name


def test_what_is_not_hidden_is_seen_in_the_work(line: Line) -> None:
    """Or nothing was counted."""
    one, nobody = a_child(), a_child()
    born(line, one)
    line.search(*one.criteria)
    assert any(work_of(line, *shown) != work_of(line, *false) for _, shown, false in pairs(one, nobody))
