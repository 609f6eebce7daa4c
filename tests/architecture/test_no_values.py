"""No error and no log line can hold what was typed or stored: by how they are made, not by who remembers it."""

import ast
from collections.abc import Iterator

from pydantic import BaseModel

from cli import docs, main, stores
from tests.architecture.repository import PACKAGES, syntax

LOGS = "adapters/logging.py"
"""The one place from which anything is logged: a closed list of events and fields."""

SILENCED = "adapters/kafka/subscribers.py"
"""Where the log of a library is turned off."""

SAYS_WHAT_IT_CAUGHT = {
    "domain/rule_set/model.py",  # tomllib names line and column
    "adapters/seals/monitor.py",  # errors of our own, about checkpoints
}
"""Where the words of a foreign error are said again, and why nobody's data can be in them."""


def test_no_model_shows_its_input_in_an_error() -> None:
    assert None not in (main.app, stores.RECORD_TYPES, docs.DOCS), "what they import is looked at"
    ours = [one for one in _below(BaseModel) if one.__module__.split(".")[0] in PACKAGES]
    assert len(ours) > 100
    assert [one.__name__ for one in ours if not one.model_config.get("hide_input_in_errors")] == []


def test_the_details_of_an_invalid_value_are_asked_for_without_the_value() -> None:
    calls = [(name, call) for name, call in _calls() if getattr(call.func, "attr", "") == "errors"]
    assert calls
    for name, call in calls:
        said = {one.arg: getattr(one.value, "value", None) for one in call.keywords}
        assert said.get("include_input") is False, f"{name}:{call.lineno}"


def test_one_module_logs_and_prints_traces() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in syntax(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and name not in (LOGS, SILENCED)
        for imported in ([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module])
        if str(imported).split(".")[0] in {"logging", "structlog", "traceback", "warnings"}
    ]
    assert wrong == []


def test_nobody_says_again_what_a_caught_error_said() -> None:
    """The driver's errors quote rows, pydantic's the input, and an operating system's the name of a file."""
    wrong = [
        f"{name}:{handler.lineno}"
        for name, tree in syntax(*PACKAGES)
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler) and handler.name and name not in SAYS_WHAT_IT_CAUGHT
        for node in ast.walk(handler)
        if isinstance(node, ast.FormattedValue)
        and isinstance(node.value, ast.Name)
        and node.value.id == handler.name
    ]
    assert wrong == []


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for name, tree in syntax(*PACKAGES):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield name, node


def _below(owner: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in owner.__subclasses__():
        yield below
        yield from _below(below)
