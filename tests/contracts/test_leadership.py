"""Who leads, of publishers and of sealers: tried in memory and on PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from adapters.memory.publications import MemoryPublications
from adapters.memory.sealed_rows import MemorySealState
from adapters.postgres.publications import PostgresPublications
from adapters.postgres.seal_state import PostgresSealState
from domain.errors import Fenced
from domain.kernel import Log
from domain.ports import Leadership
from tests.postgres import MakeDatabases

LONG = 60.0


@dataclass
class Led:
    """Who leads; how they go on leading; how whoever leads is made to be gone."""

    leadership: Leadership
    renew: Callable[[int], None]
    vanish: Callable[[], None]


@pytest.fixture(
    params=[
        *(f"{who} in memory" for who in ("publisher", "sealer")),
        *(pytest.param(who, marks=pytest.mark.postgres) for who in ("publisher", "sealer")),
    ]
)
def led(request: pytest.FixtureRequest) -> Iterator[Led]:
    match request.param:
        case "publisher in memory":
            memory = MemoryPublications()
            yield Led(memory, lambda fence: memory.renew(fence, LONG), memory.expire)
        case "sealer in memory":
            state = MemorySealState()
            yield Led(state, lambda fence: state.renew(fence, LONG, well=True), state.expire)
        case "publisher":
            make: MakeDatabases = request.getfixturevalue("make_databases")
            real = PostgresPublications(make().record)
            yield Led(real, lambda fence: real.renew(fence, LONG), real.close)
            real.close()
        case _:
            make = request.getfixturevalue("make_databases")
            sealed = PostgresSealState(make().record, Log.RECORD)
            yield Led(sealed, lambda fence: sealed.renew(fence, LONG, well=True), sealed.close)
            sealed.close()


def leading(led: Led) -> int:
    fence = led.leadership.lead(LONG)
    assert fence is not None
    return fence


def test_one_leads_and_another_does_not(led: Led) -> None:
    fence = leading(led)
    assert led.leadership.lead(LONG) is None
    led.renew(fence)
    led.leadership.resign(fence)
    assert leading(led) > fence


def test_once_the_leader_is_gone_another_leads_before_the_lease_has_run_out(led: Led) -> None:
    first = leading(led)
    led.vanish()
    until = time.monotonic() + 5  # the server takes a moment to see that a session has ended
    while (second := led.leadership.lead(LONG)) is None:
        assert time.monotonic() < until
    assert second > first
    with pytest.raises(Fenced):
        led.renew(first)
    led.leadership.resign(first)
    assert led.leadership.lead(LONG) is None
