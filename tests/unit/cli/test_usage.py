"""Wrong usage: what is said to whoever typed it."""

import json

import pytest

from cli.main import status_of
from cli.settings import Settings


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert status_of(["--json", *words], Settings()) == 2
    return str(json.loads(capsys.readouterr().out)["error"]["message"])


@pytest.mark.parametrize(
    "words",
    [("search", "--as", "practitioner"), ("projection", "list", "--as", "operator")],
)
def test_an_option_of_every_command_that_stands_behind_it_is_said_to_stand_before_it(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert said(capsys, *words) == "--as stands before the command: contactpoint --as … COMMAND."


def test_an_option_that_there_is_not_is_told_with_those_that_are_like_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = said(capsys, "search", "--postcod", "E8 1DY")
    assert message.startswith("There is no option --postcod here. Did you mean --postcode")
    assert "E8" not in message
