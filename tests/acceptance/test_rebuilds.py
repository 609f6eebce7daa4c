"""T77. Every view is built again from the log beside the live one; nothing that was hidden shows meanwhile or after."""

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born
from tests.acceptance.processes import ended, started
from tests.acceptance.test_shields import assert_shielded, shield

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]


def views(line: Line) -> list[str]:
    return [str(view["name"]) for view in line.done("projection", "status")["views"]]


def digests(line: Line) -> dict[str, Json]:
    """Of each view what it holds, which must be what a fresh fold of the log comes to."""
    found = {}
    for name in views(line):
        compared = line.done("projection", "compare", name)
        assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0), name
        found[name] = {"rows": compared["rows"], "digest": compared["digest"]}
    return found


def a_moved(one: Child) -> Json:
    """A message that the child lives somewhere else since last year."""
    return one.message(address=[one.address("9 Moved Row", "ZE9 9ZZ", "2026-11-01")])


def test_t77_every_view_rebuilt_is_the_live_one_with_shields_and_withdrawals(new_home: NewHome) -> None:
    line = new_home()
    hidden = {born(line, one): one for one in (a_child(), a_child())}
    for child in hidden:
        shield(line, child)
    lifted = born(line, a_child())
    shield(line, lifted)
    line.done("record", "lift-shield", lifted, acting="data-manager", second="data-manager-2")
    one = a_child()
    child = born(line, one)
    line.record(
        "involve",
        child,
        "--service",
        "Quiet Room",
        "--kind",
        "sensitive",
        "--consent",
        "child",
        "--competent",
    )
    line.record("withdraw-consent", child, "--service", "Quiet Room")
    file = line.pds(a_moved(one))["files"][0]["file_id"]
    assert line.found(*one.criteria, "--postcode", "ZE9 9ZZ")
    line.done("load", "pds", "--withdraw", file)

    def assert_hidden_stays_hidden() -> None:
        for shielded, own in hidden.items():
            assert_shielded(line, shielded, own)
            assert line.found(*own.criteria, "--postcode", own.postcode) == []
        assert "Quiet Room" not in str(line.shown(child))
        assert line.found(*one.criteria, "--postcode", "ZE9 9ZZ") == []

    assert_hidden_stays_hidden()
    before = digests(line)

    for name in views(line):
        rebuilding = started(line, "projection", "rebuild", name, "--switch", acting="operator")
        looked = False
        while rebuilding.poll() is None or not looked:
            assert_hidden_stays_hidden()
            looked = True
        status, answer = ended(rebuilding)
        assert status == 0, answer

    after = digests(line)
    for name in before:
        if name != "audit_trail":  # in which the looks made meanwhile are
            assert after[name] == before[name], name
    assert_hidden_stays_hidden()
    assert line.shown(lifted)["address"]
