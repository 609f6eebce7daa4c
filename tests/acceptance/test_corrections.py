"""G. Corrections: T56."""

from datetime import timedelta

import pytest

from tests.acceptance.conftest import Restored
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, born

pytestmark = pytest.mark.postgres


def test_t56_a_correction_by_an_officer_persists_over_later_identical_feeds(
    line: Line, restored: Restored
) -> None:
    one = a_child()
    child = born(line, one)
    line.pds(one.message())

    line.record(
        "correct", child, "--given", one.given, "--family", "Rightly", "--line", "8 True Street",
        "--postcode", "WF9 7AA", acting="data-manager",
    )  # fmt: skip

    def holds(home: Line) -> None:
        record = home.shown(child)
        assert record["name"]["family"] == "Rightly"
        assert (record["address"]["lines"], record["address"]["postcode"]) == (["8 True Street"], "WF9 7AA")

    holds(line)
    later = (one.born + timedelta(days=12)).isoformat()
    for loaded in (
        line.births(one.entry),
        line.pds(one.message()),
        line.births({**one.entry, "registered_on": later}),
        line.pds(one.message(meta={"versionId": "7", "security": [{"code": "U"}]})),
    ):
        assert (loaded["refused"], loaded["registered"], loaded["queued"]) == (0, 0, 0)
        holds(line)
    line.done("projection", "rebuild", "practitioner_view", "--switch")
    holds(line)
    assert [
        hit["child_id"] for hit in line.found("--name", f"{one.given} Rightly", "--dob", one.born.isoformat())
    ] == [child]
    holds(restored(line))


def test_t56_what_the_source_said_is_still_to_be_seen_in_the_trail(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    line.record("correct", child, "--gender", "not-specified", acting="data-manager")

    trail = line.done("audit", "changes", child)["entries"]

    assert [(entry["event"], entry["source"]) for entry in trail][:1] == [("identity-asserted", "officer")]
    assert ("identity-asserted", "births") in [(entry["event"], entry["source"]) for entry in trail]
    assert line.shown(child)["gender"] == "not-specified"


def test_t56_a_teacher_may_not_correct(line: Line) -> None:
    one = a_child()
    child = born(line, one)

    line.refused("right-not-held", "record", "correct", child, "--family", "Wrongly", acting="teacher")

    assert line.shown(child)["name"]["family"] == one.family
