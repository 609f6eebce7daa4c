"""Every verb on a record in every state it can come into: done, or refused with a listed code, and never by half."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.acceptance.command_lines import CHILD, COMMANDS, words_of
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, id_of

pytestmark = pytest.mark.postgres

LATER = datetime(2035, 4, 1, 9, tzinfo=UTC)
VERBS = {
    path: command
    for path, command in COMMANDS.items()
    if path[0] == "record" and command.arguments == (CHILD,)
}


def shielded(line: Line, child: str) -> None:
    line.record("shield", child, "--ground", "crime", acting="social-worker")


def nothing(_line: Line, _child: str) -> None:
    """As it was registered."""


STATES: dict[str, Callable[[Line, str], None]] = {"registered": nothing, "shielded": shielded}


def test_every_verb_in_every_state_is_done_or_refused_in_words_and_never_by_half(
    new_home: NewHome, tmp_path: Path
) -> None:
    """One verb after another, so that each meets what those before it left."""
    line = new_home()
    children: dict[str, Child] = {
        state: a_child(born=date(2016, 4, day))
        for day, state in enumerate((*STATES, "archived", "destroyed"), start=2)
    }
    line.births(*(one.entry for one in children.values()))
    ids = {state: id_of(line, one) for state, one in children.items()}
    for state, change in STATES.items():
        change(line, ids[state])
        every_verb(line, ids[state], state, tmp_path)
    every_verb(line, "00000000-0000-4000-8000-000000000000", "nobody's", tmp_path)
    line.clock = LATER
    line.done("retention", "run")
    every_verb(line, ids["archived"], "archived", tmp_path)
    line.clock = LATER.replace(year=2046)
    assert line.done("retention", "run")["destroyed"]
    every_verb(line, ids["destroyed"], "destroyed", tmp_path)


def every_verb(line: Line, child: str, state: str, letters: Path) -> None:
    """Each verb as it would be typed rightly. letters: where whatever writes a file writes one of its own."""
    for path, command in sorted(VERBS.items()):
        beside = ("--family", "Quillby") if path[1] in ("assert", "correct") else ()
        words = [child if word == CHILD else word for word in (*words_of(command), *beside)]
        words = [str(letters / state) if word == "{new}" else word for word in words]
        before = line.heads()[0]
        answer = line(*path, *words, acting=command.acting, second=command.second)
        where = f"{' '.join(path)} of a record that is {state}"
        if answer.status == 0:
            continue
        assert answer.status == 1, (where, answer.json)
        assert answer.code not in ("internal", "error"), where
        assert len(answer["error"]["message"].split()) >= 4, where
        assert "Traceback" not in answer.printed, where
        assert line.heads()[0] == before, f"{where}: refused, and something was done"
