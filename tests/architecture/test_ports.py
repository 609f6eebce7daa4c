"""Every port has a contract suite, so that an adapter in memory and a real one cannot drift apart."""

import ast

import pytest

from tests.architecture.repository import imported, syntax

PORT_FILES = ("domain/ports.py", "ingest/ports.py", "projections/ports.py")


def _ports() -> list[str]:
    return [
        f"{path.removesuffix('.py').replace('/', '.')}.{node.name}"
        for path, tree in syntax(*PORT_FILES)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).startswith("Protocol") for base in node.bases)
    ]


def test_each_layer_that_needs_something_from_outside_says_so_in_ports() -> None:
    modules = {port.rsplit(".", 1)[0] for port in _ports()}
    assert modules == {path.removesuffix(".py").replace("/", ".") for path in PORT_FILES}


@pytest.mark.parametrize("port", _ports())
def test_a_port_has_a_contract_suite(port: str) -> None:
    suites = [
        path
        for path, tree in syntax("tests/contracts")
        if any(name == port for _, name in imported(tree))
        and any(
            isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in ast.walk(tree)
        )
    ]
    assert suites, (
        f"write tests/contracts/test_….py that imports {port} and tries every adapter that answers it"
    )


@pytest.mark.parametrize("path", PORT_FILES)
def test_a_port_is_small_and_every_verb_says_its_contract(path: str) -> None:
    silent: list[str] = []
    for _, tree in syntax(path):
        for port in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            verbs = [node for node in port.body if isinstance(node, ast.FunctionDef)]
            silent += [f"{port.name}.{verb.name}" for verb in verbs if not ast.get_docstring(verb)]
    assert not silent, f"say what it promises and what it raises: {silent}"
