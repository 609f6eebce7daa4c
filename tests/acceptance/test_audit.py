"""D. The audit trail: what was shown can be shown again to the byte, and who saw what is told without telling where."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from adapters.rule_files import present
from cli.app import App
from cli.bootstrap import open_app
from cli.trail_words import words_of_trail
from domain.access.events import TrailRead
from domain.identifiers import index_number
from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born, registered
from tests.acceptance.test_seals import check, keys

pytestmark = pytest.mark.postgres

UNKNOWN = "5d0cf4a1-58f3-4d35-bb0a-0a3c7d6f8a11"


@contextmanager
def opened_home(line: Line) -> Iterator[App]:
    """The home as the commands open it, to read from its log what no command tells."""
    with open_app(line.home, line.settings) as app:
        yield app


def replayed(line: Line, access: str, acting: str = "auditor", second: str | None = None) -> Json:
    """The replay of an access, which must agree with the digests that were recorded."""
    answer = line.done("audit", "replay", access, acting=acting, second=second)
    assert answer["digest_matches"] is True
    return answer


def with_services(line: Line, one: Child) -> str:
    """A child with an ordinary and a sensitive service."""
    child = born(line, one)
    line.record("involve", child, "--service", "Health visiting", "--kind", "universal")
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")
    return child


def looks(line: Line, child: str, one: Child) -> dict[str, Any]:
    """Displays of every kind, by their access ids."""
    shows = [line.show(child, who) for who in ("practitioner", "teacher", "social-worker", "data-manager")]
    searches = [line.search(*one.criteria, acting=who) for who in ("practitioner", "teacher")]
    return {
        **{answer["access_id"]: answer["record"] for answer in shows},
        **{
            answer["access_id"]: {"results": answer["results"], "more": answer["more"]} for answer in searches
        },
    }


def test_what_was_shown_is_shown_again_to_the_byte_after_later_changes_and_a_rebuild(
    line: Line, restored: Restored
) -> None:
    one = a_child()
    child = with_services(line, one)
    displays = looks(line, child, one)
    instant = line.clock

    line.record("withdraw-consent", child, "--service", "Harbour clinic")
    line.record("end-involvement", child, "--service", "Health visiting")
    line.record("correct", child, "--family", "Changed", "--line", "1 New Road", "--postcode", "WF9 9ZZ")
    line.pds(one.message())
    line.done("projection", "rebuild", "practitioner_view", "--switch")
    line.done("projection", "rebuild", "audit_trail", "--switch")

    for home in (line, restored(line)):
        for access, display in displays.items():
            answer = replayed(home, access)
            assert answer["as_displayed"] == display
            assert list(answer["as_displayed"]) == list(display), "the same fields in the same order"
            assert answer["policy"] == "present"
            assert datetime.fromisoformat(answer["instant"]) < instant


def test_a_search_is_shown_again_with_its_own_hits_though_it_would_find_others_now(line: Line) -> None:
    one = a_child()
    later = a_child(family=one.family, born=one.born)
    born(line, one)
    answer = line.search("--name", one.family, "--dob", one.born.isoformat())
    line.births(later.entry)
    assert len(line.found("--name", one.family, "--dob", one.born.isoformat())) == 2

    assert replayed(line, answer["access_id"])["as_displayed"]["results"] == answer["results"]


def test_whereabouts_shielded_since_need_two_auditors_to_be_shown_again(line: Line) -> None:
    one = a_child()
    child = with_services(line, one)
    before = {
        access: display
        for access, display in looks(line, child, one).items()
        if "earlier_addresses" not in display  # a manager's display is tried below
    }
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    after = line.show(child, acting="teacher")
    openings = opened(line, child)

    for access, display in before.items():
        for acting, second, code in (
            ("auditor", None, "two-people-needed"),
            ("auditor", "auditor", "same-person"),
            ("auditor", "teacher", "right-not-held"),
        ):
            answer = line("audit", "replay", access, acting=acting, second=second)
            assert (answer.status, answer.code) == (1, code), answer.json
            assert one.postcode not in answer.printed
        assert opened(line, child) == openings, "a refusal opens nothing"
        assert replayed(line, access, second="auditor-2")["as_displayed"] == display
        openings += 1
        assert opened(line, child) == openings, "the opening is noted where the keys are"
    assert replayed(line, after["access_id"])["as_displayed"] == after["record"], (
        "a shielded display needs one"
    )
    assert opened(line, child) == openings


def opened(line: Line, child: str) -> int:
    """How often the keys of a shielded child were opened for one access."""
    with line.as_superuser("shielded") as connection:
        row = connection.execute("SELECT count(*) FROM keys.opening WHERE subject = %s", (child,)).fetchone()
    assert row is not None
    return int(row[0])


def test_the_second_auditor_stands_in_the_trail(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    access = line.show(child)["access_id"]
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    replayed(line, access, acting="auditor-2", second="auditor")

    entry = line.done("audit", "what-saw", "auditor-2")["entries"][0]

    assert (entry["action"], entry["outcome"]) == ("replay", "granted")
    assert entry["confirmed_by"] == line.done("account", "show", "auditor")["account"]


@pytest.mark.parametrize("acting", ["practitioner", "teacher", "social-worker", "data-manager", "operator"])
def test_only_an_auditor_shows_an_access_again(line: Line, acting: str) -> None:
    one = a_child()
    access = line.show(born(line, one))["access_id"]

    refused = line.refused("right-not-held", "audit", "replay", access, acting=acting)

    assert one.family not in refused.printed


def test_an_access_that_is_not_there_or_showed_nothing_cannot_be_shown_again(line: Line) -> None:
    line.refused("not-found", "audit", "replay", UNKNOWN)
    line.refused("reason-not-yours", "search", "--reason", "audit", "--name", "Nobody", acting="teacher")
    (refused,) = line.done("audit", "what-saw", "teacher", "--outcome", "refused", "--limit", "1")["entries"]
    line.refused("nothing-displayed", "audit", "replay", refused["access_id"])


def test_who_saw_a_child_is_told_newest_first_with_why_and_with_what_outcome(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    shown = line.show(child, acting="teacher")
    found = line.search(*one.criteria, acting="social-worker")
    line.refused("reason-not-yours", "show", child, "--reason", "audit", acting="practitioner")
    line.found(*a_child().criteria)

    entries = line.done("audit", "who-saw", child)["entries"]

    assert [
        (e["account_name"], e["role"], e["action"], e["reason"], e["outcome"], e["shown"])
        for e in entries[:3]
    ] == [
        ("practitioner", "practitioner", "show", "audit", "refused", False),
        ("social-worker", "social-worker", "search", "casework", "granted", True),
        ("teacher", "teacher", "show", "casework", "granted", True),
    ]
    assert [entry["access_id"] for entry in entries[1:3]] == [found["access_id"], shown["access_id"]]
    assert set(entries[2]["fields"]) == set(shown["record"])
    assert all(entry["organisation"] for entry in entries)
    assert len(entries) == 4, "and the search that found the child when it was born; no other"


def test_a_trail_is_read_page_by_page_and_no_entry_is_missing_or_there_twice(line: Line) -> None:
    child = born(line, a_child())
    for who in ("practitioner", "teacher", "social-worker", "practitioner", "teacher"):
        line.show(child, acting=who)
    whole = line.done("audit", "who-saw", child)["entries"]
    for kind, subject, expected in (
        ("who-saw", child, whole),
        ("changes", child, line.done("audit", "changes", child)["entries"]),
        ("what-saw", "teacher", line.done("audit", "what-saw", "teacher")["entries"]),
    ):
        # What is read meanwhile is newer than the first page, so it is in none of the others.
        page = line.done("audit", kind, subject, "--limit", "2", "--until", "2027-03-10")
        pages = [page]
        while page["more"]:
            page = line.done("audit", kind, subject, "--limit", "2", "--after", page["next"])
            pages.append(page)
        entries = [entry for one in pages for entry in one["entries"]]
        assert entries[len(entries) - len(expected) :] == expected
        assert all(len(one["entries"]) <= 2 for one in pages)
        assert page["next"] is None


def test_a_trail_is_narrowed_by_day_action_account_organisation_outcome_and_child(line: Line) -> None:
    one, other = a_child(), a_child()
    child, another = born(line, one), born(line, other)
    line.show(child, acting="teacher")
    line.refused("reason-not-yours", "show", child, "--reason", "audit", acting="practitioner")
    line.search(*one.criteria, acting="social-worker")
    teacher = line.done("account", "show", "teacher")

    def actions(*words: str) -> list[tuple[str, str]]:
        entries = line.done("audit", "who-saw", child, *words)["entries"]
        return [(entry["account_name"], entry["action"]) for entry in entries if entry["role"] != "auditor"]

    born_found = ("practitioner", "search")
    assert actions("--action", "search") == [("social-worker", "search"), born_found]
    assert actions("--outcome", "refused") == [("practitioner", "show")]
    assert actions("--by", "teacher") == [("teacher", "show")]
    assert actions("--organisation", teacher["body"]) == [("teacher", "show")]
    assert actions("--organisation", "NOBODY") == []
    assert len(actions("--since", "2027-03-10", "--until", "2027-03-10")) == 4
    assert actions("--since", "2027-03-11") == []
    assert actions("--until", "2027-03-09") == []
    seen = line.done("audit", "what-saw", "practitioner", "--child", another)["entries"]
    assert {tuple(entry["children"] + entry["asked_for"]) for entry in seen} == {(another,)}
    events = line.done("audit", "changes", child, "--event", "identity-asserted")["entries"]
    assert {entry["event"] for entry in events} == {"identity-asserted"}


def test_what_was_typed_is_told_where_it_is_asked_for_and_no_child_that_was_found_is_shielded(
    line: Line,
) -> None:
    one = a_child()
    child = born(line, one)
    line.search(*one.criteria, "--postcode", one.postcode, acting="teacher")
    line.search("--name", "Nobody Atall", acting="teacher")

    def typed() -> list[Any]:
        entries = line.done("audit", "what-saw", "teacher", "--criteria", "--action", "search")["entries"]
        return [(entry["criteria"], entry["children"]) for entry in entries[:2]]

    whole = {"name": one.name, "date_of_birth": one.born.isoformat(), "postcode": one.postcode}
    assert typed() == [({"name": "Nobody Atall"}, []), (whole, [child])]
    assert "criteria" not in line.done("audit", "what-saw", "teacher")["entries"][0]
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    assert typed()[1] == (None, [child])
    assert one.postcode not in str(typed())


def test_of_a_shielded_child_nobody_finds_out_by_filters_whose_people_looked(line: Line) -> None:
    child = born(line, a_child())
    line.show(child, acting="teacher")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    codes = [line.done("account", "show", who)["body"] for who in ("teacher", "practitioner")]

    refusals = [
        line.refused("organisation-not-told", "audit", "who-saw", child, "--organisation", code)["error"]
        for code in codes
    ]

    assert refusals[0] == refusals[1]


def test_a_trail_is_written_as_csv_that_a_spreadsheet_takes_for_nothing_else(line: Line) -> None:
    child = born(line, a_child())
    line.show(child, acting="teacher")
    for kind, subject in (("who-saw", child), ("what-saw", "teacher"), ("changes", child)):
        path = line.file(b"").with_name(f"{kind}-{child}.csv")
        answer = line.done("audit", kind, subject, "--csv", str(path))
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
        assert [row["at"] for row in rows] == [entry["at"] for entry in answer["entries"]]
        assert path.stat().st_mode & 0o777 == 0o600
        line.refused("file-exists", "audit", kind, subject, "--csv", str(path), status=2)


def test_a_trail_reads_as_sentences(line: Line) -> None:
    child = born(line, a_child())
    access = line.show(child, acting="teacher")["access_id"]
    line.refused("reason-not-yours", "show", child, "--reason", "audit", acting="practitioner")

    for kind, subject, sentences in (
        (
            "who-saw",
            child,
            (
                "stating as the reason: Working with this child or family (casework).",
                "Of this child they were shown: child id, number, name",
                f"It is on record as {access}.",
                "was refused (reason-not-yours): show",
            ),
        ),
        ("what-saw", "teacher", (f"Shown: {child}.",)),
        ("changes", child, ("was recorded: identity asserted, true from ",)),
    ):
        answer = line.done("audit", kind, subject)
        words = words_of_trail(kind, answer, present())
        for sentence in sentences:
            assert sentence in words
        assert words.startswith("On 10 March 2027 at ")


def resources(line: Line, *words: str) -> list[Json]:
    """What `audit fhir` writes, read back by classes that are not ours."""
    path = line.file(b"").with_name(f"accesses-{line.clock.timestamp()}.ndjson")
    answer = line.done("audit", "fhir", str(path), *words)
    found = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    assert answer["entries"] == len(found)
    for one in found:
        AuditEvent.model_validate(one)
    return found


def test_accesses_are_taken_out_as_fhir_of_a_child_of_an_account_and_of_a_period(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    shown = line.show(child, acting="teacher")["access_id"]
    teacher = line.done("account", "show", "teacher")

    of_child = resources(line, "--child", child)
    of_account = resources(line, "--account", "teacher", "--since", "2027-03-10")
    of_all = resources(line)

    assert of_child[0]["id"] == of_account[0]["id"] == shown
    assert f"urn:uuid:{child}" in str(of_child[0])
    assert teacher["body"] in str(of_child[0]["agent"])
    assert [each["recorded"] for each in of_all] == sorted(
        (each["recorded"] for each in of_all), reverse=True
    )
    assert {each["id"] for each in [*of_child, *of_account]} <= {each["id"] for each in of_all}
    exports = line.done("audit", "what-saw", "auditor", "--limit", "3")["entries"]
    assert [entry["action"] for entry in exports] == ["export-accesses", "what-saw", "who-saw"]
    assert len(resources(line, "--child", child)) == len(of_child) + 1, "and the export is on record itself"
    line.refused("right-not-held", "audit", "fhir", "nowhere.ndjson", acting="data-manager")
    for word in (one.given, one.family, one.postcode, one.street):
        assert word not in str(of_all)


def test_what_is_taken_out_of_a_shielded_child_tells_neither_whose_people_looked_nor_what_was_typed(
    line: Line,
) -> None:
    one = a_child()
    child = born(line, one)
    line.search(*one.criteria, "--postcode", one.postcode, acting="teacher")
    assert "query" in str(resources(line, "--child", child, "--criteria"))
    line.record("shield", child, "--ground", "crime", acting="social-worker")

    for words in (("--child", child), ("--account", "teacher"), ()):
        found = [r for r in resources(line, *words, "--criteria") if child in str(r)]
        assert found
        assert "organisation" not in str([agent["type"] for each in found for agent in each["agent"]])
        assert "query" not in str(found)


def test_what_an_auditor_asked_of_the_trail_is_on_it_too(line: Line) -> None:
    child = born(line, a_child())
    access = line.done("audit", "who-saw", child, "--by", "teacher", "--since", "2027-03-01")["access_id"]

    entry = line.done("audit", "who-saw", child, acting="auditor-2")["entries"][0]

    assert (entry["access_id"], entry["account_name"], entry["action"]) == (access, "auditor", "who-saw")
    with opened_home(line) as home:
        looked = home.access_log.load(UUID(access))
    assert looked is not None
    assert isinstance(looked.event, TrailRead)
    assert (str(looked.event.subject), looked.event.chosen.since) == (child, datetime(2027, 3, 1, tzinfo=UTC))
    assert str(looked.event.chosen.by) == line.done("account", "show", "teacher")["account"]


def test_what_an_account_saw_names_the_children_shown_and_those_asked_for(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    line.show(child, acting="teacher")
    line.unseen(UNKNOWN, acting="teacher")

    missed, shown = line.done("audit", "what-saw", "teacher")["entries"][:2]

    assert (missed["children"], missed["asked_for"]) == ([], [UNKNOWN])
    assert (shown["children"], shown["asked_for"]) == ([child], [])


def test_a_refusal_is_in_the_trail_of_whoever_was_refused(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    line.refused("right-not-held", "search", "--reason", "casework", *one.criteria, acting="operator")
    line.refused("right-not-held", "show", child, "--reason", "casework", acting="auditor")
    line.refused("right-not-held", "audit", "who-saw", child, acting="teacher")
    line.refused("reason-unknown", "show", child, "--reason", "nosiness", acting="practitioner")

    for name, action, rule in (
        ("operator", "search", "right-not-held"),
        ("teacher", "who-saw", "right-not-held"),
        ("practitioner", "show", "reason-unknown"),
    ):
        entry = line.done("audit", "what-saw", name)["entries"][0]
        assert (entry["action"], entry["outcome"], entry["rule"]) == (action, "refused", rule)
        assert entry["children"] == []


def test_a_refused_change_is_in_the_trail_too_and_names_the_record(line: Line) -> None:
    child = born(line, a_child())
    file = str(line.file(b"entry_id"))
    line.refused("right-not-held", "record", "lift-shield", child, acting="teacher", second="data-manager")
    line.refused("no-shield", "record", "lift-shield", child, acting="data-manager", second="data-manager-2")
    line.refused("right-not-held", "load", "births", file, acting="practitioner")
    line.refused("right-not-held", "retention", "run", acting="social-worker")

    for name, action, rule, asked_for in (
        ("teacher", "lift-shield", "right-not-held", [child]),
        ("data-manager", "lift-shield", "no-shield", [child]),
        ("practitioner", "load", "right-not-held", []),
        ("social-worker", "retention", "right-not-held", []),
    ):
        entry = line.done("audit", "what-saw", name)["entries"][0]
        assert (entry["action"], entry["outcome"], entry["rule"]) == (action, "refused", rule)
        assert entry["asked_for"] == asked_for
    tried = {entry["action"] for entry in line.done("audit", "who-saw", child)["entries"]}
    assert "lift-shield" in tried, "who tried is told beside who looked"


def test_a_second_person_who_may_not_or_is_the_first_is_on_record_beside_whoever_asked(line: Line) -> None:
    child = born(line, a_child())
    access = line.show(child)["access_id"]
    named = {
        name: line.done("account", "show", name)["account"] for name in ("auditor", "teacher", "data-manager")
    }
    replay, lift = ("audit", "replay", access), ("record", "lift-shield", child)
    for words, first, second, code, action, rule, asked_for in (
        (replay, "auditor", "auditor", "same-person", "replay", "same-person", []),
        (replay, "auditor", "teacher", "right-not-held", "replay", "second-right-not-held", []),
        (replay, "teacher", "auditor", "right-not-held", "replay", "right-not-held", []),
        (lift, "data-manager", "teacher", "right-not-held", "lift-shield", "second-right-not-held", [child]),
        (
            lift,
            "data-manager",
            "data-manager",
            "two-people-needed",
            "lift-shield",
            "two-people-needed",
            [child],
        ),
        (lift, "teacher", "data-manager", "right-not-held", "lift-shield", "right-not-held", [child]),
    ):
        line.refused(code, *words, acting=first, second=second)
        for account in {first, second}:
            entries = line.done("audit", "what-saw", account, acting="auditor-2")["entries"]
            entry = entries[0]
            assert (entry["action"], entry["outcome"], entry["rule"]) == (action, "refused", rule)
            assert (entry["account"], entry["confirmed_by"]) == (named[first], named[second])
            assert (entry["children"], entry["asked_for"]) == ([], asked_for)
            assert len({entry["access_id"] for entry in entries}) == len(entries)


def test_what_was_typed_wrongly_leaves_no_trace(line: Line) -> None:
    child = born(line, a_child())
    before = line.heads()
    line.refused(
        "unknown-ground", "record", "shield", child, "--ground", "whim", acting="social-worker", status=2
    )
    assert line.heads() == before


def test_a_number_that_was_never_issued_is_refused_as_a_record_that_is_not_open_to_the_viewer(
    line: Line,
) -> None:
    never = next(filter(None, (index_number(f"{ten:010d}") for ten in range(4_711, 5_000))))
    by_number = line.refused("not-found", "show", never, "--reason", "casework", acting="teacher")
    by_id = line.refused("not-found", "show", UNKNOWN, "--reason", "casework", acting="teacher")
    assert by_number["error"] == by_id["error"]
    missed = line.done("audit", "what-saw", "teacher")["entries"][:2]
    assert [(entry["action"], entry["rule"], entry["children"]) for entry in missed] == [
        ("show", "nothing-to-show", [])
    ] * 2, "and both looks are on record"


def test_whoever_may_not_change_a_record_is_not_told_which_numbers_were_issued(line: Line) -> None:
    one = a_child()
    born(line, one)
    issued = line.search(*one.criteria)["results"][0]["number"]
    never = next(filter(None, (index_number(f"{ten:010d}") for ten in range(4_711, 5_000))))
    refusals = [
        line.refused("right-not-held", "record", "archive", number, "--ground", "age-18", acting="teacher")[
            "error"
        ]
        for number in (issued, never)
    ]
    assert refusals[0] == refusals[1]
    line.refused("not-found", "record", "archive", never, "--ground", "age-18", acting="data-manager")


def test_changes_are_told_with_source_actor_and_reason(line: Line) -> None:
    one = a_child()
    child = with_services(line, one)
    practitioner = line.done("account", "show", "practitioner")["account"]

    entries = line.done("audit", "changes", child, acting="data-manager")["entries"]

    assert [entry["event"] for entry in entries[:3]] == [
        "sensitive-change",
        "involvement-contact-given",
        "involvement-begun",
    ]
    assert (entries[2]["actor"], entries[2]["reason"]) == (practitioner, "casework")
    assert (entries[0]["actor"], entries[0]["effective"]) == (None, None)
    assert {entry["event"] for entry in entries} >= {
        "child-registered",
        "identity-asserted",
        "address-asserted",
    }
    assert "Harbour" not in str(entries)

    line.record("involve", child, "--service", "Quay clinic", "--kind", "sensitive")
    line.record("withdraw-consent", child, "--service", "Quay clinic")
    again = line.done("audit", "changes", child, acting="data-manager")["entries"]
    assert [entry["event"] for entry in again[:4]] == ["sensitive-change"] * 3 + [
        "involvement-contact-given"
    ], "one for each command"
    assert again[2:] == entries


def test_of_a_shielded_child_the_trail_tells_no_organisation_no_actor_and_no_change_that_is_hidden(
    line: Line,
) -> None:
    one = a_child()
    child = with_services(line, one)
    line.show(child, acting="teacher")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    before = line.done("audit", "changes", child)["entries"]

    line.record("involve", child, "--service", "Refuge", "--kind", "additional", acting="teacher")
    line.record("correct", child, "--line", "2 Hidden Close", "--postcode", "WF9 8YY")
    line.pds(one.message(address=[one.address("5 Other Road", "WF9 8XX", "2026-01-01")]))
    seen = line.done("audit", "who-saw", child)["entries"]
    changes = line.done("audit", "changes", child)["entries"]

    assert seen
    assert changes
    assert all("organisation" not in entry for entry in seen)
    assert {entry["actor"] for entry in changes} == {None}
    assert {entry["version"] for entry in changes} == {None}
    assert {entry["event"] for entry in changes} <= {
        "child-registered", "identity-asserted", "shield-raised", "shield-lifted", "record-archived",
        "extension-consent-given", "extension-consent-withdrawn", "death-notified", "record-reopened",
    }  # fmt: skip
    assert len(changes) - len(before) <= 1, "what the feed says of who the child is, and nothing of where"
    for home_of_it in ("Refuge", "Hidden", "WF9", one.postcode, "Marlbridge"):
        assert home_of_it not in str(seen) + str(changes)


def test_after_destruction_what_was_shown_is_gone_and_that_it_was_shown_is_not(new_home: NewHome) -> None:
    line = new_home()
    one, other = a_child(born=date(2009, 5, 1)), a_child()
    child, kept = registered(line, one), registered(line, other)
    shown, found = line.show(child, acting="teacher"), line.search(*one.criteria, acting="teacher")
    both = line.show(kept, acting="teacher")

    line.clock = datetime(2027, 5, 1, 9, tzinfo=UTC)
    assert line.done("retention", "run")["archived"] == 1
    assert replayed(line, shown["access_id"])["as_displayed"] == shown["record"], "archived, not destroyed"
    line.clock = datetime(2033, 4, 30, 9, tzinfo=UTC)
    assert line.done("retention", "run")["destroyed"] == 0
    line.clock = datetime(2033, 5, 1, 9, tzinfo=UTC)
    due = line.done("retention", "due")["due"]
    assert [(e["child_id"], e["action"], e["rule"]) for e in due] == [(child, "destroy", "archive-period")]
    assert line.done("retention", "run")["destroyed"] == 1
    again = line.done("retention", "run")
    assert (again["archived"], again["destroyed"], again["passed_over"]) == (0, 0, [])

    for access in (shown["access_id"], found["access_id"]):
        refused = line.refused("destroyed", "audit", "replay", access, acting="auditor", second="auditor-2")
        assert one.family not in refused.printed
        message = refused["error"]["message"]
        assert "destroyed by law on 2033-05-01 under the certificate " in message
        assert f"of {child} was shown, with the fields child_id, number, name" in message
        assert line.done("audit", "what-saw", "auditor")["entries"][0]["rule"] == "destroyed"
    assert replayed(line, both["access_id"])["as_displayed"] == both["record"]
    assert line.found(*one.criteria) == []
    line.unseen(child)
    line.unseen(child, acting="data-manager")
    assert line.done("audit", "changes", child)["entries"] == []
    entries = line.done("audit", "who-saw", child)["entries"]
    assert (shown["access_id"], "teacher", True) in [
        (e["access_id"], e["account_name"], e["shown"]) for e in entries
    ]
    told = str(line.view_rows())
    assert one.family.lower() not in told.lower()
    assert other.family.lower() in told.lower(), "the search would find a name that is held"
    assert line.births(one.entry)["refusals"][0]["code"] == "adult", (
        "a feed that comes again does not bring it back"
    )


def test_a_second_rebuild_after_destruction_comes_to_the_same_rows(new_home: NewHome) -> None:
    line = new_home()
    child = registered(line, a_child(born=date(2009, 5, 1)))
    line.clock = datetime(2027, 5, 2, tzinfo=UTC)
    line.done("retention", "run")
    line.clock = datetime(2033, 5, 2, tzinfo=UTC)
    line.done("retention", "run")

    for view in ("practitioner_view", "audit_trail", "retention_schedule", "match_index"):
        compared = line.done("projection", "compare", view)
        assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)
    line.unseen(child)


def test_t57_of_staff_who_obtained_data_without_consent_an_evidence_pack_is_taken_out_and_holds(
    new_home: NewHome, tmp_path: Path
) -> None:
    """DPA 2018 s.170: what one account saw and why, what was displayed, and proof that none of it was altered."""
    line = new_home()
    one = a_child()
    child = born(line, one)
    obtained = [
        line.search("--name", one.family, acting="teacher")["access_id"],
        line.show(child, acting="teacher")["access_id"],
        line.show(child, acting="teacher")["access_id"],
    ]
    line.show(child, acting="practitioner")
    line.done("seal", "--until-caught-up")

    suspected = line.done("audit", "what-saw", "teacher", "--child", child)["entries"]
    pack = tmp_path / "pack.json"
    line.done("audit", "export", child, str(pack))

    evidence = json.loads(pack.read_text("utf-8"))
    assert [entry["access_id"] for entry in suspected] == obtained[::-1]
    assert {(entry["reason"], entry["outcome"]) for entry in suspected} == {("casework", "granted")}
    in_the_pack = {entry["access_id"]: entry for entry in evidence["who-saw"]}
    assert {in_the_pack[access]["account_name"] for access in obtained} == {"teacher"}
    assert set(obtained) <= {event["stream_id"] for event in evidence["logs"][1]["events"]}
    for access in obtained:
        replayed(line, access)
        proof = tmp_path / f"{access}.tlog-proof"
        line.done("audit", "proof", access, str(proof))
        assert proof.read_text("utf-8").startswith("c2sp.org/tlog-proof@v1\n")
    status, said = check(pack, *keys(line))
    assert status == 0, said
    event = next(e for e in evidence["logs"][1]["events"] if e["stream_id"] == obtained[0])
    event["recorded_at"] = "2027-03-09T10:00:00.000000Z"
    pack.write_text(json.dumps(evidence), "utf-8")
    status, said = check(pack, *keys(line))
    assert status == 1
    assert "WRONG" in said
