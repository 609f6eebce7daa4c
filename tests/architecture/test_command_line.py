"""Every command explains itself, at the terminal and in docs/; every setting is documented."""

from collections.abc import Iterator

import click
import pytest
import typer.main

from cli.settings import KNOWN
from tests.architecture.repository import ROOT


def commands() -> dict[str, click.Command]:
    from cli.main import app

    def walk(command: object, path: str) -> Iterator[tuple[str, click.Command]]:
        assert isinstance(command, click.Command)
        yield path, command
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, f"{path} {name}")

    return dict(walk(typer.main.get_command(app), "contactpoint"))


def _documents() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))


def test_every_command_has_help() -> None:
    silent = [path for path, command in commands().items() if not (command.help or "").strip()]
    assert not silent, f"a docstring on the function is its help: {silent}"


def test_every_option_has_help() -> None:
    silent = [
        f"{path} {parameter.name}"
        for path, command in commands().items()
        for parameter in command.params
        if not (getattr(parameter, "help", None) or "").strip()
    ]
    assert not silent, f"say what it takes: {silent}"


def test_every_command_is_in_the_documents() -> None:
    documents = _documents()
    absent = [path for path in commands() if path not in documents]
    assert not absent, f"run ./dev docs: {absent}"


@pytest.mark.parametrize("setting", sorted(KNOWN))
def test_every_setting_is_documented_for_operators(setting: str) -> None:
    assert setting in (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_what_the_compose_file_runs_are_commands() -> None:
    import yaml

    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    line = compose["services"]["contactpoint"]["entrypoint"][-1]
    runs = [
        " ".join(word for word in part.replace("exec ", "").split() if not word.startswith("-"))
        for part in line.split("&&")
    ]
    assert runs
    assert set(runs) <= set(commands())
