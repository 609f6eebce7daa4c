"""B. Contact that the local team brokers, and what the team is to do about sensitive services: T15, T18."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import a_child, registered

pytestmark = pytest.mark.postgres

SERVICE = (
    "--service", "Harbour clinic", "--kind", "sensitive", "--organisation", "Harbour Trust", "--telephone",
    "0113 496 0001",
)  # fmt: skip
READERS = ("practitioner", "teacher", "social-worker", "data-manager-2")


def asks(line: Line, child: str, acting: str = "teacher") -> str:
    """Ask the local team; the id of the request."""
    return str(
        line.done("record", "ask-contact", child, "--telephone", "0113 496 0007", acting=acting)["request"]
    )


def told(line: Line, child: str, request: str, acting: str = "teacher") -> dict[str, Any]:
    """What whoever asked is told, but for the id of the look."""
    return without_access(line.done("record", "contact", child, "--request", request, acting=acting))


def waiting(line: Line) -> dict[str, list[dict[str, Any]]]:
    """What the team of the owning authority sees: child → requests."""
    listed = line.done("record", "contact-requests", acting="data-manager")
    return {child["child_id"]: child["requests"] for child in listed["children"]}


def at(line: Line, instant: str) -> None:
    line.clock = datetime.fromisoformat(instant)


def test_t18_a_service_that_declines_looks_like_one_that_never_answers(new_home: NewHome) -> None:
    """The same bytes while it waits and once it is closed; the service that accepted tells what it agreed to."""
    line = new_home()
    fates = ("nobody passes it on", "no reply", "declined", "declined behind a shield", "accepted")
    children = {fate: registered(line, a_child(), acting="data-manager") for fate in fates}
    for child in children.values():
        line.record("involve", child, *SERVICE)
    line.record(
        "shield", children["declined behind a shield"], "--ground", "child-at-risk", acting="social-worker"
    )
    requests = {fate: asks(line, child) for fate, child in children.items()}
    assert {child: [one["request"] for one in asked] for child, asked in waiting(line).items()} == {
        children[fate]: [requests[fate]] for fate in fates
    }, "the team sees every one, of the shielded child too"

    for fate in fates[1:]:
        words = (children[fate], "--request", requests[fate])
        line.record("pass-on-contact", *words, "--service", "Harbour clinic", acting="data-manager")
        if fate.startswith("declined"):
            line.record("answer-contact", *words, "--decline", acting="data-manager")
        if fate == "accepted":
            disclosed = ("--disclose", "organisation", "--disclose", "contact")
            line.record("answer-contact", *words, "--accept", *disclosed, acting="data-manager")

    def answers() -> dict[str, dict[str, Any]]:
        return {fate: told(line, children[fate], requests[fate]) for fate in fates}

    silent = {"state": "waiting", "asked_on": "2027-03-10", "closes_on": "2027-04-07", "disclosed": None}
    found = answers()
    assert found.pop("accepted") == {
        **silent,
        "state": "accepted",
        "disclosed": {
            "organisation": "Harbour Trust",
            "contact": {"telephone": "0113 496 0001", "email": None},
        },
    }
    assert set(map(str, found.values())) == {str(silent)}
    (known,) = waiting(line)[children["declined behind a shield"]]
    assert (known["answer"], known["contact"]["telephone"]) == ("declined", "0113 496 0007")

    at(line, "2027-04-06T22:59:59+00:00")  # in London a second before midnight
    assert answers()["declined"] == silent
    at(line, "2027-04-06T23:00:00+00:00")
    assert {str(one) for one in answers().values()} == {str({**silent, "state": "closed"})}
    assert waiting(line) == {}
    line.done("retention", "run")
    assert waiting(line) == {}


def test_t18_whoever_did_not_ask_learns_nothing_and_readers_see_no_byte_of_it(line: Line) -> None:
    one = a_child()
    child = registered(line, one, acting="data-manager")
    line.record("involve", child, *SERVICE)

    def seen() -> dict[str, object]:
        return {
            who: (
                without_access(line.show(child, who)),
                without_access(line.search(*one.criteria, acting=who)),
            )
            for who in READERS
        }

    before, managed, rows = seen(), line.shown(child, acting="data-manager"), line.view_rows("version")
    request = asks(line, child)
    line.record(
        "pass-on-contact", child, "--request", request, "--service", "Harbour clinic", acting="data-manager"
    )
    line.record(
        "answer-contact",
        child,
        "--request",
        request,
        "--accept",
        "--disclose",
        "service",
        acting="data-manager",
    )

    assert seen() == before
    assert line.shown(child, acting="data-manager") == managed
    kept = ("practitioner_view", "match_index", "retention_schedule", "review_queue")
    after = line.view_rows("version")
    assert {table: found for table, found in after.items() if table.startswith(kept)} == {
        table: found for table, found in rows.items() if table.startswith(kept)
    }
    for who in ("practitioner", "social-worker", "data-manager"):
        line.refused("not-found", "record", "contact", child, "--request", request, acting=who)
    assert line.done("record", "contact-requests", acting="data-manager-2")["children"], (
        "the same authority's team"
    )
    line.refused("right-not-held", "record", "contact-requests", acting="practitioner")
    assert told(line, child, request)["disclosed"] == {"service": "Harbour clinic"}
    changes = line.done("audit", "changes", child)["entries"]
    assert {entry["event"] for entry in changes[:3]} == {"sensitive-change"}
    assert {entry["actor"] for entry in changes[:3]} == {None}
    line.record("correct", child, "--address", "left-england", "--return-intended", "no")
    line.refused("not-found", "record", "contact", child, "--request", request, acting="teacher")


def test_t18_behind_a_shield_every_answer_is_a_receipt_whatever_the_record_holds(line: Line) -> None:
    child = registered(line, a_child(), acting="data-manager")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    nothing = "00000000-0000-4000-8000-000000000001"
    for words in (
        ("pass-on-contact", child, "--request", nothing, "--service", "Harbour clinic"),
        ("answer-contact", child, "--request", nothing, "--decline"),
    ):
        assert line.record(*words, acting="data-manager")
    plain = registered(line, a_child())
    line.refused("nothing-hidden", "record", "ask-contact", plain, acting="teacher")


def test_t15_the_team_lists_whom_to_ask_afresh_and_which_causes_to_review(line: Line) -> None:
    parents, causes, own, hidden = (
        registered(line, a_child(born=born), acting="data-manager")
        for born in (date(2015, 6, 1), date(2016, 7, 2), date(2012, 8, 3), date(2015, 9, 4))
    )
    for child in (parents, own, hidden):
        line.record("involve", child, *SERVICE)
    line.record("involve", causes, *SERVICE, "--cause", "--considered-by", "Marlbridge Trust")
    line.record("shield", hidden, "--ground", "crime", acting="social-worker")

    def due(on: str) -> dict[str, list[tuple[str, str]]]:
        listed = line.done("record", "sensitive-due", "--on", on, acting="data-manager")["children"]
        mine = [child for child in listed if child["child_id"] in (parents, causes, own, hidden)]
        return {child["child_id"]: [(one["task"], one["on"]) for one in child["due"]] for child in mine}

    assert due("2027-05-31") == {}
    assert due("2027-12-31") == {
        parents: [("ask-afresh", "2027-06-01")],
        causes: [("review-cause", "2027-09-10")],
    }, "not whom the child's own consent rests on, and of a shielded child nothing"
    (one,) = line.shown(hidden, acting="data-manager")["sensitive_involvements"]
    assert one["ask_afresh_on"] == "2027-09-04", "its managers see it where they open the record"
    seen = line.done("audit", "who-saw", parents)["entries"]
    assert "sensitive-due" in {entry["action"] for entry in seen}, "a look at each child that was listed"
    for who in ("practitioner", "social-worker", "auditor", "operator"):
        line.refused("right-not-held", "record", "sensitive-due", acting=who)
    told = str(line.done("retention", "due", "--on", "2050-01-01"))
    assert "afresh" not in told
    assert "cause" not in told
