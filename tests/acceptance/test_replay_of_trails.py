"""T53. What was read of the audit trail, of the review queue, and in answer to whoever asked, is shown again as it was.

After any number of later looks and changes: a page is read as far as the logs went then, and no further.
"""

from datetime import UTC, date, datetime

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born
from tests.acceptance.test_queue import AREA, MANAGER, queued
from tests.acceptance.test_shields import shield
from tests.acceptance.test_subject_access import looked, ours, replied

pytestmark = pytest.mark.postgres


def again(line: Line, displayed: Json, second: str | None = None) -> Json:
    """The replay of what a command printed, which agrees with its digests."""
    answer = line.done("audit", "replay", displayed["access_id"], second=second)
    assert answer["digest_matches"] is True
    return dict(answer["as_displayed"])


def shown_of(displayed: Json) -> Json:
    """What a command printed, without the id of the access."""
    return {name: value for name, value in displayed.items() if name != "access_id"}


def lived_on(line: Line, child: str, one: Child) -> None:
    """Looks and changes that come after."""
    line.show(child, acting="teacher")
    line.search(*one.criteria, acting="social-worker")
    line.record("involve", child, "--service", "Speech therapy", "--kind", "additional")
    line.done("audit", "who-saw", child)


def test_t53_a_page_of_every_trail_is_shown_again_after_later_looks_and_changes(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    looked(line, child, one)
    pages = [
        line.done("audit", "who-saw", child),
        line.done("audit", "who-saw", child, "--limit", "2"),
        line.done("audit", "who-saw", child, "--by", "teacher"),
        line.done("audit", "what-saw", "teacher"),
        line.done("audit", "what-saw", "social-worker", "--criteria"),
        line.done("audit", "changes", child),
        line.done("audit", "changes", child, "--limit", "1"),
    ]
    assert pages[1]["more"]
    assert any(entry.get("criteria") for entry in pages[4]["entries"])
    lived_on(line, child, one)
    line.done("projection", "rebuild", "audit_trail", "--switch")

    for page in pages:
        assert again(line, page) == shown_of(page)
    later = line.done("audit", "who-saw", child)
    assert len(later["entries"]) > len(pages[0]["entries"]), "and the trail itself went on"


def test_t53_whose_people_looked_before_a_shield_is_shown_again_to_two_auditors_alone(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    looked(line, child, one)
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "additional")
    pages = [
        line.done("audit", "who-saw", child),
        line.done("audit", "changes", child),
        line.done("audit", "what-saw", "social-worker", "--criteria"),
    ]
    shield(line, child)

    for page in pages:
        line.refused("two-people-needed", "audit", "replay", page["access_id"])
        assert again(line, page, "auditor-2") == shown_of(page)

    hidden = line.done("audit", "who-saw", child)
    line.done("record", "lift-shield", child, acting="data-manager", second="data-manager-2")
    assert again(line, hidden) == shown_of(hidden), "what a shield hid then is as hidden as it was"
    assert not any("organisation" in entry for entry in hidden["entries"])


def test_t53_the_review_queue_is_shown_again_after_what_waited_was_decided(line: Line) -> None:
    one = a_child()
    born(line, one, authority=AREA)
    held = queued(line, one)
    another = a_child()
    born(line, another, authority=AREA)
    queued(line, another)
    listed = line.done("queue", "list", "--limit", "1", acting=MANAGER)
    shown = line.done("queue", "show", held, acting=MANAGER)
    assert listed["more"]
    line.done("queue", "decide", held, "--refuse", "--reason", "sent-in-error", acting=MANAGER)

    assert again(line, listed) == shown_of(listed)
    assert again(line, shown) == shown["held"]


def test_t53_a_reply_to_a_child_and_to_an_adult_is_shown_again(line: Line) -> None:
    one = a_child(born=date(2013, 9, 4))
    child = ours(line, one)
    looked(line, child, one)
    named = {"mother_given_names": "Perdita", "mother_surname": "Quillfeather", "postcode": "WF46 3QX"}
    ours(line, a_child(), **named)
    told = replied(line, child, "child")
    adult = line.done(
        "subject-access", "adult", "--name", "Perdita Quillfeather", "--postcode", "WF46 3QX",
        acting="data-manager",
    )  # fmt: skip
    assert len(adult["entries"]) == 1
    lived_on(line, child, one)
    ours(line, a_child(), **named)

    assert again(line, told) == told["reply"]
    assert again(line, adult) | {"more": False} == shown_of(adult)


def test_t53_of_a_destroyed_child_the_trail_says_when_and_under_which_certificate(new_home: NewHome) -> None:
    line = new_home()
    one = a_child(born=date(2009, 5, 1))
    child = born(line, one)
    looked(line, child, one)
    pages = [
        line.done("audit", "who-saw", child),
        line.done("audit", "changes", child),
        line.done("audit", "what-saw", "social-worker", "--criteria"),
    ]
    line.clock = datetime(2027, 5, 2, 9, tzinfo=UTC)
    line.done("retention", "run")
    line.clock = datetime(2033, 5, 2, 9, tzinfo=UTC)
    line.done("retention", "run")

    for page in pages:
        answer = line.refused("destroyed", "audit", "replay", page["access_id"])
        assert "destroyed by law" in answer["error"]["message"]


def test_a_trail_is_not_tried_under_other_rules(line: Line) -> None:
    trail = line.done("audit", "what-saw", "teacher")["access_id"]
    line.refused("no-record-displayed", "audit", "what-would", trail, "--policy", "present")
