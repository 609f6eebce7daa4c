"""A record as it was recorded at an instant, as it was true on a day, and what another rule set would have shown."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.rule_files import present
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born

pytestmark = pytest.mark.postgres

OURS = "E06000999"


def as_it_was(line: Line, child: str, *words: str, acting: str = "practitioner") -> Json:
    """The answer to opening a record as it was."""
    return line.done("show", child, "--reason", "casework", *words, acting=acting)


def moved(line: Line, child: str, street: str, postcode: str, on: str) -> None:
    """A practitioner learns where a child lives since a day."""
    line.record("assert", child, "--line", street, "--postcode", postcode, "--on", on)


def lives_at(record: Any) -> str | None:
    """The postcode that a display shows."""
    address = (record or {}).get("address")
    return str(address["postcode"]) if address else None


def test_by_recorded_time_by_effective_time_and_by_both(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    first = line.clock
    line.clock += timedelta(days=1)
    moved(line, child, "2 New Road", "WF20 2BB", "2026-06-01")
    second = line.clock
    line.clock += timedelta(days=1)
    moved(line, child, "3 Older Lane", "WF20 3AA", "2026-01-01")  # told late: it was true before the other
    third = line.clock

    def where(*words: str) -> str | None:
        return lives_at(as_it_was(line, child, *words)["record"])

    assert where() == "WF20 2BB"
    recorded = {instant: where("--as-of", instant.isoformat()) for instant in (first, second, third)}
    assert list(recorded.values()) == [one.postcode, "WF20 2BB", "WF20 2BB"]
    effective = {day: where("--effective-on", day) for day in ("2025-12-31", "2026-01-01", "2026-06-01")}
    assert list(effective.values()) == [one.postcode, "WF20 3AA", "WF20 2BB"]
    assert where("--as-of", second.isoformat(), "--effective-on", "2026-03-01") == one.postcode, (
        "what was known then of that day"
    )
    assert where("--as-of", third.isoformat(), "--effective-on", "2026-03-01") == "WF20 3AA"


def test_services_begin_and_end_on_their_days(line: Line) -> None:
    child = born(line, a_child())
    line.record(
        "involve", child, "--service", "Health visiting", "--kind", "universal", "--began", "2026-02-01"
    )
    line.record("end-involvement", child, "--service", "Health visiting", "--on", "2026-08-01")

    def services(day: str) -> list[str]:
        record = as_it_was(line, child, "--effective-on", day)["record"]
        return [one["service"] for one in record["involvements"]]

    assert services("2026-01-31") == []
    assert services("2026-02-01") == services("2026-07-31") == ["Health visiting"]
    assert services("2026-08-01") == []


def test_t53_a_record_as_it_was_is_shown_again_to_the_byte_whatever_is_told_later(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    early = line.clock
    line.clock += timedelta(days=1)
    moved(line, child, "2 New Road", "WF21 2BB", "2026-06-01")
    looks = [
        as_it_was(line, child, *words)
        for words in (
            ("--as-of", early.isoformat()),
            ("--effective-on", "2026-05-01"),
            ("--as-of", line.clock.isoformat(), "--effective-on", "2026-07-01"),
        )
    ]
    line.clock += timedelta(days=1)
    moved(line, child, "9 Late News", "WF21 9ZZ", "2026-04-01")
    line.record("correct", child, "--family", "Changed")

    for look in looks:
        again = line.done("audit", "replay", look["access_id"])
        assert (again["as_displayed"], again["digest_matches"]) == (look["record"], True)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    for look in looks:
        line.refused("two-people-needed", "audit", "replay", look["access_id"])
        again = line.done("audit", "replay", look["access_id"], acting="auditor", second="auditor-2")
        assert (again["as_displayed"], again["digest_matches"]) == (look["record"], True)


AGES_AGO = ("--effective-on", "2026-01-01")


def ways(line: Line) -> Sequence[tuple[str, ...]]:
    """Ways of asking for the past, each reaching behind what happens from now on."""
    return (("--as-of", line.clock.isoformat()), AGES_AGO, ("--as-of", line.clock.isoformat(), *AGES_AGO))


def test_what_is_shielded_now_is_not_shown_as_it_was_before(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    asked = ways(line)
    line.clock += timedelta(days=1)
    line.record("correct", child, "--given", "Robin", "--family", "Ashdown")  # a new identity
    line.record("shield", child, "--ground", "adult-at-risk", acting="social-worker")
    now = {who: line.shown(child, who) for who in ("practitioner", "teacher", "social-worker")}

    for words in asked:
        for who, shown in now.items():
            answer = line("show", child, "--reason", "casework", *words, acting=who)
            assert answer["record"] == shown, "neither the earlier name nor where it was"
            for word in (one.family, one.given, one.postcode, one.street):
                assert word not in answer.printed


def test_what_is_archived_now_is_shown_to_no_reader_as_it_was_before(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    asked = ways(line)
    line.record("notify-death", child, "--on", "2027-03-01")
    line.clock += timedelta(days=370)
    line.done("retention", "run")
    for words in ((), *asked):
        line.refused("not-found", "show", child, "--reason", "casework", *words, acting="practitioner")


def test_a_sensitive_service_whose_consent_was_withdrawn_is_in_no_past(line: Line) -> None:
    child = born(line, a_child(), authority=OURS)
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")
    asked = ("--as-of", line.clock.isoformat())
    assert as_it_was(line, child, *asked)["record"]["notice"]
    line.record("withdraw-consent", child, "--service", "Harbour clinic")

    assert as_it_was(line, child, *asked)["record"]["notice"] is None
    answer = line("show", child, "--reason", "casework", *asked, acting="data-manager")
    assert "Harbour" not in answer.printed


def test_before_it_was_registered_there_is_no_record(line: Line) -> None:
    child = born(line, a_child())
    long_ago = ("--as-of", "2020-01-01T00:00:00Z")
    line.refused("not-found", "show", child, "--reason", "casework", *long_ago, acting="practitioner")


# What another rule set would have shown


def a_policy(line: Line, **changed: str) -> str:
    """A file of the present rules, some of their lines changed."""
    text = (Path(__file__).parents[2] / "domain" / "rules" / "present.toml").read_text("utf-8")
    for line_, instead in {'id = "present"': 'id = "tried"', **changed}.items():
        assert line_ in text
        text = text.replace(line_, instead)
    return str(line.file(text.encode()))


WITHOUT_ADDRESS = {
    '"child_id", "number", "name", "former_names", "date_of_birth", "gender", "address", "carers", "education",\n'
    '    "general_practice", "involvements", "notice", "identifiers", "sources",\n]\nshielded': (
        '"child_id", "number", "name", "former_names", "date_of_birth", "gender", "carers", "education",\n'
        '    "general_practice", "involvements", "notice", "identifiers", "sources", "earlier_addresses",\n]\nshielded'
    )
}


def test_what_another_rule_set_would_have_shown_and_by_which_rule(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    moved(line, child, "2 New Road", "WF22 2BB", "2026-06-01")
    shown = line.show(child)

    tried = line.done(
        "audit", "what-would", shown["access_id"], "--policy", a_policy(line, **WITHOUT_ADDRESS)
    )

    assert (tried["as_displayed"], tried["digest_matches"]) == (shown["record"], True)
    assert (tried["policy"], tried["other"], tried["permitted"]) == ("present", "tried", True)
    (child_then,) = tried["differs"]
    assert child_then["rule"] == "ordinary"
    assert child_then["only_displayed"] == ["address"]
    assert child_then["only_under_it"] == ["earlier_addresses"]
    assert child_then["otherwise"] == ["sources"] or child_then["otherwise"] == []
    assert one.postcode not in str(tried), "of what nobody was shown only the name of the field is told"
    same = line.done("audit", "what-would", shown["access_id"], "--policy", present().id)
    assert {
        tuple(one[key]) for one in same["differs"] for key in ("only_displayed", "only_under_it", "otherwise")
    } == {()}
    entries = line.done("audit", "what-saw", "auditor")["entries"]
    assert [(entry["action"], entry["outcome"]) for entry in entries[:2]] == [("what-would", "granted")] * 2


def test_a_look_that_other_rules_would_not_allow_says_so(line: Line) -> None:
    child = born(line, a_child())
    shown = line.show(child, acting="teacher")
    policy = a_policy(
        line,
        **{
            'purposes = ["casework", "safeguarding", "education-welfare", "missing-education"]': (
                'purposes = ["safeguarding", "education-welfare", "missing-education"]'
            )
        },
    )
    assert line.done("audit", "what-would", shown["access_id"], "--policy", policy)["permitted"] is False


def test_only_an_auditor_tries_rules_and_of_what_is_shielded_since_two(line: Line) -> None:
    one = a_child()
    access = line.show(born(line, one))["access_id"]
    tries = ("audit", "what-would", access, "--policy", "present")
    for acting in ("practitioner", "data-manager", "operator"):
        line.refused("right-not-held", *tries, acting=acting)
    child = line.found(*one.criteria)[0]["child_id"]
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    refused = line.refused("two-people-needed", *tries)
    assert one.postcode not in refused.printed
    line.done(*tries, acting="auditor", second="auditor-2")


def a_searcher(line: Line, one: Child) -> Json:
    """A search with one hit."""
    return line.search(*one.criteria)


def test_a_list_of_results_is_tried_hit_by_hit(line: Line) -> None:
    one = a_child()
    born(line, one)
    found = a_searcher(line, one)
    policy = a_policy(line, **{'"date_of_birth", "gender", "address"]': '"date_of_birth", "gender"]'})
    tried = line.done("audit", "what-would", found["access_id"], "--policy", policy)
    assert tried["differs"][0]["only_displayed"] == ["address"]
    assert tried["as_displayed"]["results"] == found["results"]
