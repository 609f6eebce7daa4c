"""The repository as text and syntax trees: what the tests in this folder look at."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("cli", "adapters", "projections", "ingest", "domain")
AGGREGATES: Final = (
    "child_record", "account", "organisation", "rule_set", "access", "supply", "destruction", "proposal",
    "investigation",
)  # fmt: skip

_NOT_OURS: Final = {"__pycache__", "build", "dist", "node_modules"}
_HIDDEN_BUT_OURS: Final = {".ci"}


def files(*suffixes: str) -> list[Path]:
    """Every file of the repository that ends so (all, without suffixes), whether or not it is committed yet."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in _NOT_OURS and (not name.startswith(".") or name in _HIDDEN_BUT_OURS)
        )
        found += [Path(folder, name) for name in sorted(names) if name.endswith(suffixes or "")]
    return found


def relative(path: Path) -> str:
    """The path as it is written in the repository."""
    return path.relative_to(ROOT).as_posix()


def syntax(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Path and syntax tree of every Python file under these folders (or files) of the repository."""
    for path in files(".py"):
        name = relative(path)
        if any(name == folder or name.startswith(folder + "/") for folder in folders):
            yield name, _parsed(path)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=relative(path))


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports: `from a import b` is both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def under(name: str, *parents: str) -> bool:
    """Whether a dotted name is one of `parents` or lies inside one."""
    return any(name == parent or name.startswith(parent + ".") for parent in parents)
