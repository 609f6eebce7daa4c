"""The same worlds, driven by whatever comes: hidden and open changes in any order, and questions between them."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.acceptance.line import Line
from tests.leaks.worlds import HIDDEN, SHOWN, Worlds, a_cast, copied, told_apart
from tests.plugins_counts import count
from tests.postgres import MakeDatabases

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(3600)]

TURNS = st.integers(0, 5)
AT_THE_END = 3
"""Every how manieth question is asked at the end, beside all that can be seen without asking."""


class Machine(RuleBasedStateMachine):
    """Two copies of one home. After each question, and at the end, they are compared."""

    def __init__(self, make: Callable[[], Worlds]) -> None:
        super().__init__()
        self.worlds = make()
        self.asks = self.worlds.asks()

    @rule(what=st.sampled_from(HIDDEN), turn=TURNS)
    def something_hidden_happens(self, what: str, turn: int) -> None:
        self.worlds.hide(what, turn)

    @rule(what=st.sampled_from(SHOWN), turn=TURNS)
    def something_happens(self, what: str, turn: int) -> None:
        self.worlds.happen(what, turn)

    @rule(which=st.integers(0, 200))
    def somebody_asks(self, which: int) -> None:
        ask = self.asks[which % len(self.asks)]
        one, other = ([world.ask(ask)] for world in self.worlds.pair)
        assert told_apart(one, other) == []

    def teardown(self) -> None:
        assert self.worlds.differences(self.asks[::AT_THE_END]) == []


@pytest.mark.parametrize("alike", [True, False], ids=["as much hidden", "more hidden in one"])
def test_in_whatever_order_nobody_learns_what_is_hidden(
    line: Line,
    make_databases: MakeDatabases,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    alike: bool,
) -> None:
    cast = a_cast(line)

    def make() -> Worlds:
        worlds = copied(line, cast, make_databases, tmp_path_factory.mktemp("worlds"))
        worlds.alike = alike
        return worlds

    class Run(Machine):
        def __init__(self) -> None:
            super().__init__(make)

    run_state_machine_as_test(Run, settings=settings(max_examples=count(100), stateful_step_count=10))
