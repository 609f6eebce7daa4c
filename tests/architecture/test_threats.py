"""docs/threats.md: every threat has its row, every row a test that is there, or says that there is none yet."""

import ast
import re

import pytest

from tests.architecture.repository import ROOT

PAGE = (ROOT / "docs/threats.md").read_text("utf-8")
THREATS = 38
NODE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> dict[int, list[str]]:
    """The cells of each row by its number."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()]
    return {int(row[0]): row for row in cells if row[0].isdecimal()}


def test_every_threat_has_a_row() -> None:
    assert list(rows()) == list(range(1, THREATS + 1))
    assert all(len(row) == 5 and all(row) for row in rows().values())


@pytest.mark.parametrize("number", range(1, THREATS + 1))
def test_a_threat_names_a_test_or_says_that_there_is_none_yet(number: int) -> None:
    tried = rows()[number][4]
    assert NODE.search(tried) or tried == "not yet"
    rest = re.sub(r"[,;\s]", "", NODE.sub("", tried))
    assert not rest or tried.endswith("not yet"), "say plainly what is not tried"


def test_every_test_that_is_named_is_there() -> None:
    named = set(NODE.findall(PAGE))
    assert len(named) > THREATS
    missing = [f"{path}::{name}" for path, name in sorted(named) if name not in functions(path)]
    assert not missing, missing


def functions(path: str) -> set[str]:
    """The tests in a file."""
    if not (ROOT / path).exists():
        return set()
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
