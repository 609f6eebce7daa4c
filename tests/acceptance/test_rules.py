"""T80, and the rules' side of T20: rule sets follow each other; what is decided is decided by those of its own day.

The clock of a training home is never behind the machine's, so that the days over which it is moved lie ahead; that
2007, 2010 and the present day follow each other is shown in `tests/unit/domain/test_rule_book.py`.
"""

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Final

import pytest

from adapters.rule_files import packaged
from cli.bootstrap import open_app
from domain.kernel import Log
from domain.policy.retention import begin_of, london_day
from domain.policy.rule_book import RULE_BOOK
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born

pytestmark = pytest.mark.postgres

PRESENT: Final = packaged()["present"].text.decode()
SECOND: Final = timedelta(seconds=1)
OVERRIDES: Final = 'sights = ["ordinary", "shielded", "override"'
WITHOUT_ADDRESS: Final = {
    '"date_of_birth", "gender", "address", "carers", "education",\n'
    '    "general_practice", "involvements", "notice", "identifiers", "sources",\n]\nshielded': (
        '"date_of_birth", "gender", "carers", "education",\n'
        '    "general_practice", "involvements", "notice", "identifiers", "sources",\n]\nshielded'
    )
}


def a_file(
    line: Line, name: str, begins: date, ends: date | None = None, changed: Mapping[str, str] | None = None
) -> str:
    """A file of rules: those of the present day, called otherwise, from another day on, some of their lines changed."""
    until = f"\nvalid_to = {ends}" if ends else ""
    text = PRESENT
    lines = {'id = "present"': f'id = "{name}"', "valid_from = 2018-05-25": f"valid_from = {begins}{until}"}
    for old, new in {**lines, **(changed or {})}.items():
        assert old in text
        text = text.replace(old, new)
    return str(line.file(text.encode()))


def adopted(line: Line, file: str) -> Json:
    """Adopted by two operators who are both there."""
    return line.done("policy", "adopt", file, acting="operator", second="operator-2")


def in_force(line: Line) -> list[str]:
    """The rule sets in force now, by their ids."""
    return [one["id"] for one in line.done("policy", "list")["rule_sets"] if one["in_force"]]


def at(line: Line, day: date, before: timedelta = timedelta()) -> None:
    """Move the clock to the beginning of a legal day, or so long before it."""
    line.clock = begin_of(day).astimezone(UTC) - before


def decisions(line: Line) -> list[tuple[date, str]]:
    """The legal day and the rule set of every decision on record, in both logs, in the order of either."""
    found: list[tuple[date, str]] = []
    with open_app(line.home, line.settings) as app:
        log = app.operations.engine.log
        streams = dict.fromkeys(stream for _, stream in log.tail(Log.RECORD, 0, 100_000))
        for history in app.writing.store.load_many([one for one in streams if one != RULE_BOOK]).values():
            said = ((one.recorded_at, getattr(one.event, "rule_set", None)) for one in history.events)
            found += [(london_day(recorded_at), rules) for recorded_at, rules in said if rules]
        for _, access_id in log.tail(Log.ACCESS, 0, 100_000):
            look = app.access_log.load(access_id)
            if look is not None:
                found.append((london_day(look.event.instant), look.event.rule_set))
    return found


def test_t80_each_decision_is_taken_by_the_rules_in_force_on_its_own_day(new_home: NewHome) -> None:
    line = new_home()
    child, other = born(line, a_child()), born(line, a_child())
    first, second = (
        date(2027, 4, 1),
        date(2027, 5, 1),
    )  # the clocks have changed by then: the day begins at 23:00 UTC
    done = adopted(line, a_file(line, "first", first, second, changed=WITHOUT_ADDRESS))
    assert (done["rule_set"], done["valid_from"]) == ("first", "2027-04-01")
    adopted(line, a_file(line, "second", second))
    assert in_force(line) == ["present"]

    shown: list[tuple[str, Json]] = []
    for day, before, rules, address in (
        (first, SECOND, "present", True),
        (first, timedelta(), "first", False),
        (second, SECOND, "first", False),
        (second, timedelta(), "second", True),
    ):
        at(line, day, before)
        assert in_force(line) == [rules]
        look = line.show(child)
        assert ("address" in look["record"]) is address, rules
        shown.append((rules, look))
        line.record("shield", other, "--ground", "crime", acting="social-worker")
        line.done("record", "lift-shield", other, acting="data-manager", second="data-manager-2")

    for rules, look in shown:
        again = line.done("audit", "replay", look["access_id"])
        assert (again["policy"], again["digest_matches"]) == (rules, True)
        assert again["as_displayed"] == look["record"], "shown again under the rules of then"

    taken = decisions(line)
    assert {rules for _, rules in taken} == {"present", "first", "second"}
    begins = {"present": date(2018, 5, 25), "first": first, "second": second}
    for day, rules in taken:
        assert rules == max((one for one in begins if begins[one] <= day), key=begins.__getitem__)


def test_t20_what_was_withdrawn_stays_so_when_views_are_made_anew_under_later_rules(
    new_home: NewHome,
) -> None:
    line = new_home()
    child = born(line, a_child())
    line.record("involve", child, "--service", "Brook Advisory", "--kind", "sensitive")
    assert line.shown(child)["notice"] is not None
    line.record("withdraw-consent", child, "--service", "Brook Advisory")
    before = line.shown(child)
    assert before["notice"] is None
    day = london_day(line.clock) + timedelta(days=1)
    adopted(line, a_file(line, "later", day, changed={"One or more additional services": "Some services"}))
    at(line, day)
    stale = {one["name"]: one["state"] for one in line.done("projection", "status")["views"]}
    assert {name for name, state in stale.items() if state == "stale: rebuild"} == {
        "practitioner_view",
        "retention_schedule",
    }
    parts = {one["name"]: one["ok"] for one in line("health")["parts"]}
    assert not parts["views"], "health says so until they are rebuilt"
    for name in stale:
        line.done("projection", "rebuild", name, "--switch")
    assert {one["state"] for one in line.done("projection", "run", "--until-caught-up")["views"]} == {
        "current"
    }
    assert in_force(line) == ["later"]
    assert line.shown(child) == before
    assert "Brook" not in str(line.show(child))


@pytest.fixture(scope="module")
def home(new_home: NewHome) -> Line:
    """A home in which a set is adopted that ends."""
    line = new_home()
    adopted(line, a_file(line, "ends", date(2028, 1, 1), date(2029, 1, 1)))
    return line


@pytest.mark.parametrize(
    ("name", "begins", "code", "field"),
    [
        ("ends", date(2029, 1, 1), "rule-set-in-use", "id"),
        ("present", date(2029, 1, 1), "rule-set-in-use", "id"),
        ("new", date(2027, 3, 10), "retroactive", "valid_from"),
        ("new", date(2020, 1, 1), "retroactive", "valid_from"),
        ("new", date(2028, 6, 1), "rule-sets-overlap", "valid_from"),
        ("new", date(2028, 12, 31), "rule-sets-overlap", "valid_from"),
        ("new", date(2027, 6, 1), "rule-sets-overlap", "valid_from"),
        ("new", date(2029, 1, 2), "rule-set-gap", "valid_from"),
    ],
)
def test_a_set_that_is_in_use_or_does_not_follow_the_last_is_refused(
    home: Line, name: str, begins: date, code: str, field: str
) -> None:
    file, sets = a_file(home, name, begins), home.done("policy", "list")
    refused = home.refused(code, "policy", "adopt", file, acting="operator", second="operator-2")
    assert refused["error"]["field"] == field
    home.refused(code, "policy", "adopt", file, "--propose", acting="operator")
    assert home.done("policy", "list") == sets


def test_two_operators_adopt_and_nobody_else(home: Line) -> None:
    file = a_file(home, "follows", date(2029, 1, 1))
    adopt = ("policy", "adopt", file)
    home.refused("two-people-needed", *adopt, acting="operator", status=2)
    home.refused("same-person", *adopt, acting="operator", second="operator")
    home.refused("right-not-held", *adopt, acting="operator", second="data-manager")
    home.refused("right-not-held", *adopt, acting="data-manager", second="data-manager-2")
    home.refused("right-not-held", "policy", "rehearse", file, acting="practitioner")
    entries = home.done("audit", "what-saw", "operator", acting="auditor")["entries"]
    refused = [one["rule"] for one in entries if (one["action"], one["outcome"]) == ("policy", "refused")]
    assert {"same-person", "second-right-not-held"} <= set(refused), "on record before it is told"
    assert "follows" not in str(home.done("policy", "list"))


def test_one_proposes_and_another_confirms_exactly_this_file(home: Line) -> None:
    file = a_file(home, "proposed", date(2029, 1, 1))
    proposal = home.done("policy", "adopt", file, "--propose", acting="operator")
    assert "proposed" not in str(home.done("policy", "list"))
    shown = home.done("proposal", "show", proposal["proposal"], acting="operator-2")
    assert (shown["act"], shown["rule_set"], shown["valid_from"]) == (
        "adopt-rule-set",
        "proposed",
        "2029-01-01",
    )
    confirm = ("proposal", "confirm", proposal["proposal"], "--digest")
    home.refused("same-person", *confirm, proposal["digest"], acting="operator")
    home.refused("not-what-was-shown", *confirm, "0" * 64, acting="operator-2")
    home.refused("right-not-held", *confirm, proposal["digest"], acting="data-manager")
    Path(file).write_bytes(b"something else by now")
    beside = home.done(
        "policy", "adopt", a_file(home, "beside", date(2029, 1, 1)), "--propose", acting="operator"
    )

    done = home.done(*confirm, proposal["digest"], acting="operator-2")

    assert (done["rule_set"], done["file_digest"]) == ("proposed", shown["file_digest"])
    listed = {one["id"]: one for one in home.done("policy", "list")["rule_sets"]}
    assert listed["proposed"]["digest"] == shown["file_digest"]
    assert listed["ends"]["valid_to"] == "2029-01-01"
    home.refused("already-confirmed", *confirm, proposal["digest"], acting="operator-2")
    home.refused(
        "rule-sets-overlap",
        "proposal", "confirm", beside["proposal"], "--digest", beside["digest"], acting="operator-2",
    )  # fmt: skip


def test_a_rehearsal_counts_and_shows_and_changes_nothing(new_home: NewHome) -> None:
    line = new_home()
    children = [born(line, a_child()) for _ in range(3)]
    line.record("shield", children[0], "--ground", "crime", acting="social-worker")
    day, heads = date(2027, 6, 1), line.heads()[0]

    same = line.done("policy", "rehearse", a_file(line, "same", day), acting="operator")
    counts = ("records", "gains_sight", "loses_sight", "retention_changes", "unopened")
    assert [same[name] for name in counts] == [3, 0, 0, 0, 0]
    less = line.done(
        "policy", "rehearse", a_file(line, "less", day, changed=WITHOUT_ADDRESS), acting="operator"
    )
    assert [less[name] for name in counts] == [3, 0, 2, 0, 0], "of the shielded child nothing more is hidden"
    assert less["roles"]["practitioner"] == {"gains_sight": 0, "loses_sight": 2}
    assert "auditor" not in less["roles"]
    sooner = line.done(
        "policy", "rehearse", a_file(line, "sooner", day, changed={"archive = 18 ": "archive = 17 "})
    )
    assert [sooner[name] for name in counts] == [3, 0, 0, 3, 0]
    more = line.done(
        "policy",
        "rehearse",
        a_file(line, "more", day, changed={OVERRIDES + "]": OVERRIDES + ', "manager"]'}),
    )
    assert more["roles"] == {"social-worker": {"gains_sight": 3, "loses_sight": 0}}

    assert line.heads()[0] == heads
    assert in_force(line) == ["present"]


def test_whoever_has_a_home_open_when_the_day_comes_decides_by_the_new_rules(new_home: NewHome) -> None:
    line = new_home()
    day = london_day(line.clock) + timedelta(days=1)
    with open_app(line.home, line.settings) as app:
        assert app.rules.id == "present"
        file = a_file(line, "tomorrow", day)
        adopted(line, file)
        text = Path(file).read_bytes()
        assert app.rules_at(begin_of(day) - SECOND).id == "present"
        assert app.rules_at(begin_of(day)).id == "tomorrow"
        (event,) = [one for one in app.book.adopted() if one.rule_set == "tomorrow"]
        assert app.rule_texts.text(bytes.fromhex(event.digest)) == text, "kept byte for byte"


def test_at_the_last_moment_before_its_day_no_set_is_adopted_any_more(new_home: NewHome) -> None:
    line = new_home()
    day = london_day(line.clock) + timedelta(days=1)
    at(line, day, 60 * SECOND)
    line.refused(
        "retroactive", "policy", "adopt", a_file(line, "late", day), acting="operator", second="operator-2"
    )
