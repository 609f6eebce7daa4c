"""`docs/access.md` is what is decided: every cell is tried for every action there is, by people made up here."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from domain.policy.access import Standing, admitted
from domain.rule_set.model import Right
from tests.builders import NOW, the_rules
from tests.standing import a_standing
from tests.unit.domain.test_access import ASKED_OF, BROKEN, ROLES

PAGE = (Path(__file__).parents[3] / "docs" / "access.md").read_text("utf-8")
RIGHTS: tuple[Right, ...] = get_args(Right)


def cells(title: str) -> dict[tuple[str, str], str]:
    """Row and column of a table → what stands there, without marks."""
    section = PAGE.split(f"## {title}")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    table = [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]
    head, _, *body = table
    return {(row[0], column): cell for row in body for column, cell in zip(head[1:], row[1:], strict=True)}


STATES = cells("Role by state of each condition")
ACTIONS = cells("Role by action, where every condition holds")


def brought_about(state: str, role: str) -> Standing:
    """Somebody of whom everything holds but what the first column says."""
    standing = a_standing(role, may_override=True)
    match state.split():
        case ["the", party, *_, how]:
            stopped = {how: True}
            return replace(standing, **{party: replace(getattr(standing, party), **stopped)})
        case [code, how]:
            return a_standing(role, on_record={code: BROKEN[how]}, may_override=True)  # type: ignore[index]
        case _:
            raise AssertionError(state)


def test_every_role_is_tried_in_every_state_of_every_condition_and_at_every_action() -> None:
    shut = [
        f"the {party} {how}" for party in ("account", "organisation") for how in ("is suspended", "has ended")
    ]
    states = [*shut, *(f"{code} {state}" for code in ASKED_OF for state in BROKEN)]
    assert set(STATES) == {(state, role) for state in states for role in ROLES}
    assert set(ACTIONS) == {(right, role) for right in RIGHTS for role in ROLES}


@pytest.mark.parametrize(("state", "role"), list(STATES))
def test_a_cell_is_what_is_decided_at_every_action(state: str, role: str) -> None:
    told = STATES[state, role]
    for right in RIGHTS:
        decided = admitted(brought_about(state, role), right, NOW, the_rules())
        if told == "as its role":
            assert (decided.allowed or decided.rule) == (
                ACTIONS[right, role] == "yes" or ACTIONS[right, role]
            )
        else:
            assert (decided.allowed, decided.rule) == (False, told)


def test_the_codes_that_are_told_are_those_written_down_by_hand() -> None:
    codes = {told for told in STATES.values() if told != "as its role"}
    expected = {f"{code}-{state}" for code in ASKED_OF for state in BROKEN if state != "void"}
    expected |= {"accreditation-void", "authorisation-void"}
    expected |= {f"{party}-{how}" for party in ("account", "organisation") for how in ("suspended", "ended")}
    assert codes == expected
    assert all(re.fullmatch(r"[a-z][a-z-]{0,32}", code) for code in codes), "room for second- before it"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_page_says(role: str) -> None:
    may = {right for right in RIGHTS if ACTIONS[right, role] == "yes"}
    assert may == {right for right in RIGHTS if admitted(a_standing(role), right, NOW, the_rules()).allowed}
    assert {ACTIONS[right, role] for right in RIGHTS} <= {"yes", "right-not-held"}
