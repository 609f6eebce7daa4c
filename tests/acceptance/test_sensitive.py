"""B. Sensitive services: T12 to T17, T19, T20."""

from datetime import date
from pathlib import Path

import pytest

from tests.acceptance.line import Json, Line, without_access
from tests.acceptance.people import a_child, registered
from tests.loading import ndjson

pytestmark = pytest.mark.postgres

READERS = ("practitioner", "teacher", "social-worker")
PLACES_OF_A_VERSION = ("version",)


def readers_see(line: Line, child: str, *criteria: str) -> dict[str, object]:
    """Every byte that a reader gets of one record, but for the random ids of the accesses."""
    return {
        f"{who} {what}": without_access(answer)
        for who in READERS
        for what, answer in (("shows", line.show(child, who)), ("finds", line.search(*criteria, acting=who)))
    }


def views_of_readers(line: Line) -> dict[str, list[str]]:
    """The rows from which readers are served, without the versions that only the audit shows."""
    rows = line.view_rows(*PLACES_OF_A_VERSION)
    kept = ("practitioner_view", "match_index", "retention_schedule", "review_queue")
    return {table: found for table, found in rows.items() if table.startswith(kept)}


def test_t12_without_consent_or_cause_nothing_of_it_is_stored_anywhere(line: Line) -> None:
    one = a_child()
    child = registered(line, one)
    before, seen, rows = line.heads()[0], readers_see(line, child, *one.criteria), line.view_rows()

    refused = line.refused(
        "sensitive-needs-ground",
        "record", "involve", child, "--service", "Harbour clinic", "--kind", "sensitive", "--consent", "none",
        acting="practitioner",
    )  # fmt: skip

    assert refused["error"]["field"] == "consent"
    assert "Harbour" not in refused.printed
    assert line.heads()[0] == before
    assert readers_see(line, child, *one.criteria) == seen
    after = line.view_rows()
    assert {table for table in rows if rows[table] != after[table]} <= {
        "audit_trail_1.look", "audit_trail_1.seen", "views.position",
    }, "no queue and no view holds anything of it"  # fmt: skip


@pytest.mark.parametrize(
    ("ground", "code"),
    [
        ({}, "sensitive-needs-ground"),
        ({"consent": {"given_by": "child", "given_on": "2026-09-01"}}, "competence-needed"),
        ({"consent": {"given_by": "young-person", "given_on": "2026-09-01"}}, "competence-needed"),
        (
            {
                "consent": {
                    "given_by": "parent",
                    "given_on": "2026-09-01",
                    "judgement": {"competent": True, "judged_on": "2026-09-01"},
                }
            },
            "childs-own-decision",
        ),
    ],
)
def test_t12_a_source_that_sends_one_without_a_ground_is_refused_and_nothing_is_kept(
    line: Line, ground: dict[str, object], code: str
) -> None:
    one = a_child(born=date(2018, 3, 4))
    before, rows = line.heads()[0], views_of_readers(line)
    service = {"id": "I-1", "service": "Harbour clinic", "kind": "sensitive", "began": "2026-09-01", **ground}
    message = {
        "body": "E06000999",
        "id": f"CS-{one.serial}",
        "as_of": "2026-09-01",
        "given": [one.given],
        "family": one.family,
        "date_of_birth": one.born.isoformat(),
        "involvements": [service],
    }

    loaded = line("load", "case-management", str(line.file(ndjson(message))))

    assert [(refusal["code"], refusal["field"]) for refusal in loaded["refusals"]] == [(code, "consent")]
    for told in ("arbour", one.family, one.born.isoformat()):
        assert told not in loaded.printed
    assert (line.heads()[0], views_of_readers(line)) == (before, rows)
    assert line.done("queue", "list", acting="data-manager")["held"] == []


def test_t12_a_cause_needs_whoever_considered_it(line: Line) -> None:
    child = registered(line, a_child())

    refused = line(
        "record", "involve", child, "--service", "Harbour clinic", "--kind", "sensitive", "--consent", "none",
        "--cause", acting="practitioner",
    )  # fmt: skip

    assert (refused.status, refused["error"]["field"]) == (2, "considered-by")
    assert line.shown(child)["notice"] is None


def test_t12_a_reasonable_cause_suffices_without_a_consent(line: Line) -> None:
    child = registered(line, a_child())

    line.record(
        "involve", child, "--service", "Harbour clinic", "--kind", "sensitive", "--consent", "none", "--cause",
        "--considered-by", "Marlbridge Trust",
    )  # fmt: skip

    assert line.shown(child)["notice"]


def test_t13_a_second_sensitive_service_changes_no_byte_a_reader_sees(line: Line) -> None:
    one = a_child()
    child = registered(line, one)
    line.record("involve", child, "--service", "Health visiting", "--kind", "universal", "--lead")
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")
    seen, rows = readers_see(line, child, *one.criteria), views_of_readers(line)

    line.record(
        "involve", child, "--service", "Lantern project", "--kind", "sensitive", "--consent", "child", "--competent",
        "--organisation", "Lantern Trust", "--lead", "--assessment",
    )  # fmt: skip
    with_two, rows_with_two = readers_see(line, child, *one.criteria), views_of_readers(line)
    line.record("end-involvement", child, "--service", "Lantern project")
    with_one, rows_with_one = readers_see(line, child, *one.criteria), views_of_readers(line)

    assert line.shown(child)["notice"]
    assert with_two == seen
    assert with_one == seen
    assert rows_with_two == rows
    assert rows_with_one == rows


def test_t13_a_reader_sees_the_general_sentence_and_no_name(line: Line) -> None:
    child = registered(line, a_child())
    plain = line.shown(child, acting="teacher")
    line.record(
        "involve", child, "--service", "Harbour clinic", "--kind", "sensitive", "--organisation", "Harbour Trust",
        "--role", "Nurse", "--telephone", "0113 496 0001", "--email", "desk@harbour.example", "--lead",
    )  # fmt: skip

    shown = line.show(child, acting="teacher")

    assert shown["record"] == {**plain, "notice": shown["record"]["notice"]}
    for told in ("arbour", "Nurse", "496", "sensitive"):
        assert told not in str(shown)


def test_t13_the_owning_authority_sees_which_service_and_on_what_ground(line: Line) -> None:
    child = registered(line, a_child())
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")

    (sensitive,) = line.shown(child, acting="data-manager")["sensitive_involvements"]

    assert (sensitive["service"], sensitive["ground"]) == ("Harbour clinic", "consent")


def test_t14_what_a_competent_child_decided_stands_against_a_parent_and_no_trace_of_it_is_theirs(
    line: Line,
) -> None:
    """A parent who asks for a copy gets the same bytes, whatever the child consented to."""
    one, other = a_child(born=date(2013, 1, 5)), a_child(born=date(2013, 1, 6))
    child, plain = registered(line, one), registered(line, other)
    service = ("--service", "Harbour clinic")
    line.record("involve", child, *service, "--kind", "sensitive")
    before = line.heads()[0]

    for words in (
        ("withdraw-consent", child, *service, "--by", "parent"),
        ("give-consent", child, *service, "--by", "parent"),
        ("involve", child, "--service", "Lantern project", "--kind", "sensitive", "--consent", "parent"),
    ):
        line.refused("childs-own-decision", "record", *words, acting="practitioner")

    assert line.heads()[0] == before, "nothing of an objection is recorded"
    assert line.shown(child)["notice"]
    line.shown(plain)
    assert parents_copy(line, child) == parents_copy(line, plain)
    adult = ("subject-access", "adult", "--name", f"Maud {one.family}", "--postcode", one.postcode)
    assert "arbour" not in str(line.done(*adult, acting="data-manager"))
    line.record("withdraw-consent", child, *service, "--by", "child")
    assert line.shown(child)["notice"] is None


def parents_copy(line: Line, child: str) -> dict[str, object]:
    """The reply to a parent who asks who looked at this record."""
    asked = line.done(
        "subject-access",
        "receive",
        child,
        "--for",
        "parent",
        "--basis",
        "best-interests",
        acting="data-manager",
    )
    reply: dict[str, object] = line.done(
        "subject-access",
        "reply",
        child,
        "--request",
        asked["request"],
        "--withhold-nothing",
        acting="data-manager",
    )["reply"]
    return reply


def test_t15_a_parent_is_asked_where_the_child_is_not_competent_and_the_child_afresh_once_it_is(
    line: Line,
) -> None:
    child = registered(line, a_child(born=date(2018, 5, 1)), acting="data-manager")
    service = ("--service", "Harbour clinic")
    involve = ("involve", child, *service, "--kind", "sensitive")
    line.refused("competence-needed", "record", *involve, "--consent", "child", acting="practitioner")
    line.record(*involve, "--consent", "parent", "--not-competent")

    def managed() -> tuple[str, bool | None, str | None]:
        (one,) = line.shown(child, acting="data-manager")["sensitive_involvements"]
        return one["consent"]["given_by"], one["consent"]["judged_competent"], one["ask_afresh_on"]

    assert managed() == ("parent", False, "2030-05-01"), "on the birthday from which it is expected to be"
    line.record("judge-competence", child, *service, "--competent")
    assert managed() == ("parent", True, "2027-03-10"), "at once where it is judged to be"
    line.record("give-consent", child, *service)
    assert managed() == ("child", True, None)
    against = ("withdraw-consent", child, *service, "--by", "parent")
    line.refused("childs-own-decision", "record", *against, acting="practitioner")


def test_t16_a_cause_is_reviewed_by_a_day_and_when_it_no_longer_stands_the_notice_goes(line: Line) -> None:
    one = a_child()
    child = registered(line, one)
    never, rows = readers_see(line, child, *one.criteria), views_of_readers(line)
    service = ("--service", "Harbour clinic")
    line.record(
        "involve", child, *service, "--kind", "sensitive", "--cause", "--considered-by", "Marlbridge Trust"
    )

    def review_on() -> str:
        (held,) = line.shown(child, acting="data-manager")["sensitive_involvements"]
        return str(held["cause"]["review_on"])

    assert review_on() == "2027-09-10", "six months on, where its provider named no day"
    seen = readers_see(line, child, *one.criteria)
    line.record(
        "review-cause", child, *service, "--stands", "--considered-by", "Dr Osei", "--review-on", "2027-05-01"
    )
    assert review_on() == "2027-05-01"
    assert readers_see(line, child, *one.criteria) == seen
    line.record("review-cause", child, *service, "--no-longer", "--considered-by", "Dr Osei")
    assert readers_see(line, child, *one.criteria) == never
    assert views_of_readers(line) == rows


def test_t16_a_withdrawn_consent_is_gone_for_everybody_at_the_next_request(line: Line) -> None:
    one = a_child()
    child = registered(line, one)
    never, rows = readers_see(line, child, *one.criteria), views_of_readers(line)
    managed = line.shown(child, acting="data-manager")
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive", acting="teacher")
    assert line.shown(child)["notice"]

    line.record("withdraw-consent", child, "--service", "Harbour clinic")

    assert readers_see(line, child, *one.criteria) == never
    assert line.shown(child, acting="data-manager") == managed
    assert views_of_readers(line) == rows


def test_t16_a_cause_that_stands_beside_it_keeps_the_notice_on_that_ground(line: Line) -> None:
    child = registered(line, a_child())
    line.record(
        "involve", child, "--service", "Harbour clinic", "--kind", "sensitive", "--consent", "parent", "--cause",
        "--considered-by", "Marlbridge Trust", "--review-on", "2027-09-10",
    )  # fmt: skip

    line.record("withdraw-consent", child, "--service", "Harbour clinic")

    assert line.shown(child, acting="teacher")["notice"]
    (sensitive,) = line.shown(child, acting="data-manager")["sensitive_involvements"]
    assert (sensitive["ground"], sensitive["cause"]) == (
        "cause",
        {"considered_by": "Marlbridge Trust", "considered_on": "2027-03-10", "review_on": "2027-09-10"},
    )


def test_t16_what_was_withdrawn_stays_gone_when_the_views_are_built_again(line: Line) -> None:
    one = a_child()
    child = registered(line, one)
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")
    line.record("withdraw-consent", child, "--service", "Harbour clinic")
    seen = readers_see(line, child, *one.criteria)

    line.done("projection", "rebuild", "practitioner_view", "--switch")

    assert readers_see(line, child, *one.criteria) == seen
    line.done("projection", "rollback", "practitioner_view")


def test_t17_a_lead_professional_of_a_sensitive_service_is_named_to_nobody_whoever_looks_and_however(
    line: Line,
) -> None:
    child = registered(line, a_child(), acting="data-manager")
    line.record("involve", child, "--service", "Health visiting", "--kind", "universal")
    line.record(
        "involve", child, "--service", "Harbour clinic", "--kind", "sensitive", "--organisation", "Harbour Trust",
        "--role", "Nurse Prescriber", "--lead",
    )  # fmt: skip
    looks = [line.show(child, who) for who in READERS]
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    looks += [line.show(child, who) for who in READERS]
    looks.append(line.done("show", child, "--reason", "casework", "--override", acting="social-worker"))

    assert looks[-1]["record"]["notice"], "behind a shield as well there is one sentence"
    assert [one["lead_professional"] for one in looks[0]["record"]["involvements"]] == [False]
    for shown in looks:
        for told in ("arbour", "Prescriber", "'lead_professional': True"):
            assert told not in str(shown)


def test_t20_what_was_withdrawn_comes_back_under_no_later_rules_and_in_no_past(line: Line) -> None:
    child = registered(line, a_child())
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")
    held = line.show(child)
    line.record("withdraw-consent", child, "--service", "Harbour clinic")
    gone = line.show(child)
    text = (Path(__file__).parents[2] / "domain" / "rules" / "present.toml").read_text("utf-8")
    ordinary = '"general_practice", "involvements", "notice"'
    shows_all = text.replace('id = "present"', 'id = "later"').replace(
        ordinary, ordinary.replace('"involvements"', '"sensitive_involvements", "involvements"'), 1
    )
    later = str(line.file(shows_all.encode()))

    def under_later_rules(access_id: str) -> Json:
        answer = line.done("audit", "what-would", access_id, "--policy", later)
        (differs,) = answer["differs"]
        return {"displayed": answer["as_displayed"], **differs}

    assert under_later_rules(gone["access_id"])["displayed"] == gone["record"]
    assert under_later_rules(gone["access_id"])["otherwise"] == []
    assert under_later_rules(held["access_id"])["displayed"]["notice"], "what was shown then can be proved"
    for name in ("practitioner_view", "match_index", "retention_schedule"):
        line.done("projection", "rebuild", name, "--switch")
    assert line.shown(child)["notice"] is None
    past = ("show", child, "--reason", "casework", "--as-of", "2027-03-10T10:00:59Z")
    line.clock = line.clock.replace(minute=5)
    assert line.done(*past, acting="practitioner")["record"]["notice"] is None
    for name in ("practitioner_view", "match_index", "retention_schedule"):
        line.done("projection", "rollback", name)


@pytest.mark.parametrize("kind", ["universal", "additional"])
def test_t19_a_first_tier_service_is_ordinary_and_asks_for_no_consent(line: Line, kind: str) -> None:
    child = registered(line, a_child())

    line.record("involve", child, "--service", "School nursing", "--kind", kind, "--consent", "none")

    record = line.shown(child, acting="teacher")
    assert [(one["service"], one["kind"]) for one in record["involvements"]] == [("School nursing", kind)]
    assert record["notice"] is None
