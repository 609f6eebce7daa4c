"""A log line cannot hold a person."""

import json

import pytest
import structlog

from adapters import logging
from adapters.logging import LogEvent


def test_a_field_that_is_not_on_the_list_is_dropped_and_only_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.configure()
    structlog.get_logger().error(LogEvent.UNFORESEEN, kind="KeyError", surname="Featherstonehaugh")
    line = capsys.readouterr().err
    assert json.loads(line)["dropped"] == ["surname"]
    assert "Featherstonehaugh" not in line


def test_an_error_is_logged_by_type_and_place_and_never_by_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.configure()
    try:
        raise ValueError("Featherstonehaugh")
    except ValueError as error:
        logging.unforeseen(error)
    line = capsys.readouterr().err
    assert json.loads(line)["kind"] == "ValueError"
    assert "test_an_error_is_logged" in line
    assert "Featherstonehaugh" not in line
