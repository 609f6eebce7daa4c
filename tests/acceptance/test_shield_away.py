"""C. Where what keeps the shields is away, readers are shown what a shielded record shows, and no more (T25)."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import a_child, born

pytestmark = pytest.mark.postgres


@contextmanager
def away(line: Line) -> Iterator[None]:
    """Nobody reaches the database of what is shielded."""
    database = str(psycopg.conninfo.conninfo_to_dict(line.behind.shielded.url)["dbname"])
    name = sql.Identifier(database)
    with line.as_superuser() as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (database,),
        )
    try:
        yield
    finally:
        with line.as_superuser() as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_t25_reads_fail_closed_where_what_is_shielded_is_away(new_home: NewHome) -> None:
    line = new_home()
    hidden, open_ = a_child(), a_child()
    child, other = (born(line, one, authority="E06000999") for one in (hidden, open_))
    line.record("shield", child, "--ground", "child-at-risk", acting="social-worker")
    readers = ("practitioner", "teacher", "social-worker")
    before = [without_access(line.show(child, acting=one)) for one in readers]
    found = [line.found(*hidden.criteria, acting=one) for one in readers]

    with away(line):
        assert [without_access(line.show(child, acting=one)) for one in readers] == before
        assert [line.found(*hidden.criteria, acting=one) for one in readers] == found
        assert open_.street in json.dumps(line.shown(other)), "and what no shield hides is shown as ever"
        for words, acting in (
            (("show", child, "--reason", "section-47", "--override"), "social-worker"),
            (("show", child, "--reason", "casework"), "data-manager"),
        ):
            answer = line(*words, acting=acting)
            assert answer.status == 3, "who would look behind the shield is told that it cannot be done"
            for word in (hidden.street, hidden.postcode, "Maud"):
                assert word not in answer.printed
        raised = line("record", "shield", other, "--ground", "crime", acting="social-worker")
        assert raised.status == 3, "no shield is acknowledged that is not in force"
    gc.collect()  # so that a connection which that left open fails this test, and not a later one

    assert hidden.street in json.dumps(line.shown(child, acting="data-manager"))
