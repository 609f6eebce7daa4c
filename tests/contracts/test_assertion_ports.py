"""The contract of `domain.ports.UsedAssertions`; what `Assertions` promises is tried in unit/adapters."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import pytest

from adapters.memory.signing_in import MemoryUsedAssertions
from adapters.openid.assertions import JwtAssertions
from adapters.postgres.signing_in import PostgresUsedAssertions
from domain.ports import Assertions, UsedAssertions

AT: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
UNTIL: Final = AT + timedelta(minutes=5)
AT_ONCE: Final = 24


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def used(request: pytest.FixtureRequest) -> Iterator[UsedAssertions]:
    if request.param == "memory":
        yield MemoryUsedAssertions()
        return
    real = PostgresUsedAssertions(request.getfixturevalue("databases").record)
    yield real
    real.close()


def a_digest() -> bytes:
    return uuid4().bytes * 2


def test_an_assertion_is_good_once(used: UsedAssertions) -> None:
    one, other = a_digest(), a_digest()
    assert used.use(one, UNTIL, AT)
    assert not used.use(one, UNTIL, AT)
    assert used.use(other, UNTIL, AT)
    assert not used.use(one, UNTIL, UNTIL), "it is in time until this very instant"


def test_of_many_at_once_one_is_the_first(used: UsedAssertions) -> None:
    for _ in range(5):
        digest = a_digest()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            said = list(threads.map(lambda _, one=digest: used.use(one, UNTIL, AT), range(AT_ONCE)))
        assert sum(said) == 1


def test_what_is_out_of_time_is_forgotten(used: UsedAssertions) -> None:
    one = a_digest()
    assert used.use(one, UNTIL, AT)
    assert used.use(a_digest(), UNTIL + timedelta(hours=1), UNTIL + timedelta(microseconds=1))
    assert used.use(one, UNTIL, AT), "nothing is left of it; that it is out of time is asked elsewhere"


def test_who_reads_assertions_promises_what_the_port_says() -> None:
    reader: Assertions = JwtAssertions()
    assert reader.claimed("") is None
    assert reader.verified("", None, "", AT) is None
