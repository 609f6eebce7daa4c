"""In which records somebody asked for contact: in memory and in PostgreSQL alike."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.memory.contacts import MemoryContactRequests
from adapters.postgres.contacts import PostgresContactRequests
from domain.ports import ContactRequests
from tests.builders import NOW
from tests.postgres import MakeDatabases

ONE, TWO = UUID(int=1), UUID(int=2)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def contacts(request: pytest.FixtureRequest) -> Iterator[ContactRequests]:
    if request.param == "memory":
        with nullcontext(MemoryContactRequests()) as memory:
            yield memory
        return
    make: MakeDatabases = request.getfixturevalue("make_databases")
    with closing(PostgresContactRequests(make().shielded)) as kept:
        yield kept


def test_children_are_told_once_each_that_of_the_oldest_request_first(contacts: ContactRequests) -> None:
    assert contacts.asked() == []
    contacts.note(UUID(int=11), TWO, NOW)
    contacts.note(UUID(int=12), ONE, NOW - HOUR)
    contacts.note(UUID(int=13), TWO, NOW + HOUR)
    contacts.note(UUID(int=13), ONE, NOW - 9 * HOUR)
    assert contacts.asked() == [ONE, TWO]


def test_what_is_long_past_is_swept_and_a_child_is_forgotten_whole(contacts: ContactRequests) -> None:
    contacts.note(UUID(int=11), ONE, NOW - HOUR)
    contacts.note(UUID(int=12), TWO, NOW)
    contacts.note(UUID(int=13), TWO, NOW + HOUR)
    contacts.sweep(NOW)
    contacts.sweep(NOW)
    assert contacts.asked() == [TWO]
    contacts.forget(TWO)
    contacts.forget(TWO)
    assert contacts.asked() == []
