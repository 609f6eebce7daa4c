"""A. What a record may hold: T1, T2, T3, T6, T7, T8, T10, T11."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.rule_files import packaged
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import Child, a_child, born, id_of, registered
from tests.loading import COLUMNS, a_births_file, ndjson

pytestmark = pytest.mark.postgres

AUTHORITY = "E06000999"
FORBIDDEN = ("note", "score", "photo", "diagnosis", "offence")
VALUE = "zqx7-unmistakable"


@pytest.mark.parametrize("field", FORBIDDEN)
def test_t1_no_command_takes_a_field_outside_the_statutory_list(line: Line, field: str) -> None:
    before = line.heads()
    for verb, *needed in (
        ("register", *a_child().options),
        ("assert", "00000000-0000-4000-8000-000000000001"),
        ("correct", "00000000-0000-4000-8000-000000000001"),
        ("involve", "00000000-0000-4000-8000-000000000001", "--service", "Play group", "--kind", "universal"),
        ("shield", "00000000-0000-4000-8000-000000000001", "--ground", "crime"),
    ):
        refused = line.refused(
            "usage", "record", verb, *needed, f"--{field}", VALUE, acting="data-manager", status=2
        )
        assert f"--{field}" in refused["error"]["message"], "which field it is must be told"
        assert VALUE not in refused.printed
    assert line.heads() == before


@pytest.mark.parametrize("field", FORBIDDEN)
def test_t1_a_births_file_with_a_column_outside_the_list_is_refused_whole(line: Line, field: str) -> None:
    child = a_child()
    before = line.heads()
    content = a_births_file({**child.entry, field: VALUE}, columns=(*COLUMNS, field))

    loaded = line("load", "births", str(line.file(content)))

    assert (loaded.status, loaded["refused"], loaded["registered"]) == (0, 1, 0)
    assert [(refusal["code"], refusal["field"]) for refusal in loaded["refusals"]] == [
        ("field-not-allowed", field)
    ]
    assert line.heads() == before, "nothing of it may be kept anywhere"
    assert VALUE not in loaded.printed
    assert child.family not in loaded.printed


@pytest.mark.parametrize("field", FORBIDDEN)
def test_t1_a_message_with_an_element_outside_the_list_is_refused_and_the_others_load(
    line: Line, field: str
) -> None:
    good, bad = a_child(), a_child()

    loaded = line.pds(bad.message(**{field: VALUE}), good.message())

    assert (loaded["registered"], loaded["refused"]) == (1, 1)
    assert [(refusal["line"], refusal["code"], refusal["field"]) for refusal in loaded["refusals"]] == [
        (1, "field-not-allowed", field)
    ]
    assert VALUE not in str(loaded)
    assert line.found(*bad.criteria) == []
    assert id_of(line, good)


@pytest.mark.parametrize("field", FORBIDDEN)
def test_t1_no_other_file_takes_such_a_field_and_no_queue_and_no_view_keeps_it(
    line: Line, field: str
) -> None:
    claim = {
        "claim_number": "CHB40000009AB",
        "claimed_from": "2016-05-10",
        "given_names": "Harriet",
        "surname": "Castle",
        "date_of_birth": "2016-04-20",
        "sex": "F",
        "address_line_1": "9 Beck Rise",
        "postcode": "LS21 1AA",
        field: VALUE,
    }
    claims = f"{','.join(claim)}\n{','.join(claim.values())}\n".encode()
    service = {"id": "I-1", "service": "Family support", "kind": "additional", "began": "2026-09-01"}
    messages = ndjson(
        a_case(a_child(), **{field: VALUE}), a_case(a_child(), involvements=[{**service, field: VALUE}])
    )
    before, rows = line.heads()[0], views_about_children(line)

    for kind, content, refused in (("child-benefit", claims, 1), ("case-management", messages, 2)):
        loaded = line("load", kind, str(line.file(content)))
        assert (loaded.status, loaded["refused"], loaded["registered"]) == (0, refused, 0)
        assert {(one["code"], one["field"]) for one in loaded["refusals"]} == {("field-not-allowed", field)}
        assert VALUE not in loaded.printed

    assert (line.heads()[0], views_about_children(line)) == (before, rows)
    assert line.done("queue", "list", acting="data-manager")["held"] == []


def views_about_children(line: Line) -> dict[str, list[str]]:
    """The rows of every view but who looked."""
    of_looks = ("audit_trail", "oversight", "views.")
    return {table: rows for table, rows in line.view_rows().items() if not table.startswith(of_looks)}


def a_case(one: Child, **changed: object) -> dict[str, object]:
    """What a case system says of a child."""
    return {
        "body": AUTHORITY, "id": f"CS-{one.serial}", "as_of": "2026-09-01", "given": [one.given], "family": one.family,
        "date_of_birth": one.born.isoformat(), **changed,
    }  # fmt: skip


def test_t6_what_is_hidden_from_every_reader_shows_in_nothing_they_can_ask(line: Line) -> None:
    """Claimants are not held at all; of the rest neither value nor presence: the bytes are those of before."""
    one = a_child()
    child = born(line, one)
    line.pds(one.message())
    claim = f"claim_number,claimant_name\nCHB1,{VALUE}\n".encode()
    refused = line("load", "child-benefit", str(line.file(claim)))
    assert (refused["refused"], VALUE in refused.printed) == (1, False)

    def asked() -> dict[str, object]:
        looks = ((), ("--as-of", "2027-03-10T10:30:00Z"), ("--effective-on", "2027-03-01"))
        found: dict[str, object] = {}
        for who in ("practitioner", "teacher", "social-worker", "data-manager-2"):
            purposes = ("casework", "safeguarding")
            for reason in purposes:
                for more in looks:
                    shown = line.done("show", child, "--reason", reason, *more, acting=who)
                    found[f"{who} {reason} {more}"] = without_access(shown)
            found[f"{who} finds"] = without_access(line.search(*one.criteria, acting=who))
            found[f"{who} by number"] = without_access(line.search("--nhs-number", one.nhs, acting=who))
        return found

    line.clock = line.clock.replace(hour=11)
    before = asked()
    line.record("assert", child, "--identifier", f"social-care:E06000001:{VALUE[:12]}", acting="practitioner")
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive", acting="practitioner")
    line.record("withdraw-consent", child, "--service", "Harbour clinic")
    after = asked()

    assert after == before
    for hidden in ("ACC/", VALUE[:12], "arbour"):
        assert hidden not in str(after), "an entry of a source, another body's number, a sensitive service"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--telephone", "ask for gran, she drinks"), "contact.telephone"),
        (("--email", "he was seen at the pub"), "contact.email"),
        (("--role", "Worker. He said she was hit"), "role"),
        (("--organisation", "call 07700 900123 because mum won't"), "organisation"),
    ],
)
def test_t8_narrative_in_a_contact_field_is_refused_whole(
    line: Line, options: tuple[str, str], field: str
) -> None:
    child = registered(line, a_child())
    before, seen = line.heads()[0], line.shown(child)

    refused = line(
        "record",
        "involve",
        child,
        "--service",
        "Play group",
        "--kind",
        "universal",
        *options,
        acting="teacher",
    )

    assert (refused.status, refused["error"]["field"]) == (2, field)
    assert options[1] not in refused.printed
    assert line.heads()[0] == before
    assert line.shown(child) == seen


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"contact": {"telephone": "ask for gran, she drinks"}}, "telephone"),
        ({"contact": {"email": "he was seen at the pub"}}, "email"),
        ({"role": "Worker. He said she was hit"}, "role"),
        ({"organisation": "call 07700 900123 because mum won't"}, "organisation"),
        ({"service": "Support because the mother drinks and will not stop it at all now"}, "service"),
    ],
)
def test_t8_narrative_that_a_case_system_sends_is_refused_whole_too(
    line: Line, changed: dict[str, object], field: str
) -> None:
    before = line.heads()[0]
    service = {
        "id": "I-1",
        "service": "Family support",
        "kind": "additional",
        "began": "2026-09-01",
        **changed,
    }

    loaded = line.load("case-management", ndjson(a_case(a_child(), involvements=[service])))

    assert (loaded["refused"], loaded["registered"]) == (1, 0)
    assert [one["field"] for one in loaded["refusals"]] == [field]
    for told in ("gran", "pub", "hit", "07700", "drinks"):
        assert told not in str(loaded)
    assert line.heads()[0] == before


def test_t2_exactly_one_state_of_an_address_holds_at_a_time(line: Line) -> None:
    child = registered(line, a_child())
    where = ("--line", "4 Weir Court", "--postcode", "WF9 1AA")
    for options, shown in (
        (
            ("--address", "current", *where),
            {"state": "current", "lines": ["4 Weir Court"], "postcode": "WF9 1AA"},
        ),
        (
            ("--address", "last-known", *where),
            {"state": "last-known", "lines": ["4 Weir Court"], "postcode": "WF9 1AA"},
        ),
        (("--address", "none-known"), {"state": "none-known"}),
        (
            ("--address", "left-england", "--return-intended", "yes"),
            {"state": "left-england", "return_intended": "yes", "considered_left": "2027-03-10"},
        ),
        (
            ("--address", "left-england", "--return-intended", "unknown"),
            {"state": "left-england", "return_intended": "unknown", "considered_left": "2027-03-10"},
        ),
        (
            ("--address", "current", *where),
            {"state": "current", "lines": ["4 Weir Court"], "postcode": "WF9 1AA"},
        ),
    ):
        line.record("correct", child, *options)
        assert line.shown(child)["address"] == shown


def test_t2_a_child_who_left_england_for_good_leaves_readers_sight(line: Line) -> None:
    child = registered(line, a_child())

    line.record("correct", child, "--address", "left-england", "--return-intended", "no")

    line.unseen(child)


@pytest.mark.parametrize(
    "options",
    [
        ("--address", "none-known", "--line", "4 Weir Court"),
        ("--address", "left-england", "--postcode", "WF9 1AA"),
        ("--address", "current"),
        ("--address", "moved"),
        ("--address", "current", "--line", "4 Weir Court", "--return-intended", "yes"),
        ("--address", "left-england", "--return-intended", "perhaps"),
    ],
)
def test_t2_an_address_in_two_states_at_once_is_refused(line: Line, options: tuple[str, ...]) -> None:
    child = registered(line, a_child())
    before, seen = line.heads()[0], line.shown(child)["address"]

    refused = line("record", "correct", child, *options, acting="practitioner")

    assert (refused.status, refused.json.get("error", {}).get("field") is not None) == (2, True), refused.json
    assert line.heads()[0] == before
    assert line.shown(child)["address"] == seen


@pytest.mark.parametrize("said", ["", "I", "unknown"])
def test_t3_a_gender_nobody_says_is_not_specified_and_never_blank(line: Line, said: str) -> None:
    child = a_child()

    record = line.shown(born(line, child, sex=said))

    assert record["gender"] == "not-specified"
    assert line.found("--name", child.name, "--gender", "not-specified")


@pytest.mark.parametrize("said", [None, "unknown", "other"])
def test_t3_a_feed_without_a_gender_does_not_overwrite_one_that_is_specified(
    line: Line, said: str | None
) -> None:
    child = a_child()
    held = born(line, child)

    line.pds(child.message(gender=said))

    assert line.shown(held)["gender"] == child.gender


def test_t3_nor_does_a_source_of_higher_rank_that_does_not_know(line: Line) -> None:
    child = a_child()
    line.pds(child.message())
    held = id_of(line, child)

    line.births({**child.entry, "sex": "indeterminate"})

    assert line.shown(held)["gender"] == child.gender


def test_t3_a_specified_gender_replaces_one_that_was_not(line: Line) -> None:
    child = a_child()
    held = born(line, child, sex="")

    line.pds(child.message())

    assert line.shown(held)["gender"] == child.gender


def test_t7_of_a_common_assessment_only_who_holds_it_is_shown(line: Line) -> None:
    child = registered(line, a_child())
    line.record(
        "involve", child, "--service", "Early help", "--kind", "additional", "--organisation", "Marlbridge Council",
        "--telephone", "0113 496 0000", "--assessment", "--began", "2026-09-01",
    )  # fmt: skip

    (involvement,) = line.shown(child, acting="teacher")["involvements"]

    assert involvement.pop("involvement")
    assert involvement == {
        "kind": "additional",
        "service": "Early help",
        "organisation": "Marlbridge Council",
        "role": None,
        "contact": {"telephone": "0113 496 0000", "email": None},
        "lead_professional": False,
        "common_assessment": True,
        "began": "2026-09-01",
    }, "that it exists and who holds it: no date of decision, no content, no link"


@pytest.mark.parametrize("value", ["2026-09-01", "https://example.org/caf/1", "needs support at home"])
def test_t7_a_common_assessment_has_no_place_for_a_date_or_content(line: Line, value: str) -> None:
    child = registered(line, a_child())

    refused = line(
        "record", "involve", child, "--service", "Early help", "--kind", "additional", "--assessment", value,
        acting="practitioner",
    )  # fmt: skip

    assert (refused.status, refused.code) == (2, "usage")
    assert value not in refused.printed
    assert line.shown(child)["involvements"] == []


def test_t7_of_a_sensitive_service_not_even_that_it_holds_an_assessment_is_shown(line: Line) -> None:
    child = registered(line, a_child())
    line.record("involve", child, "--service", "Harbour clinic", "--kind", "sensitive")
    seen = {who: line.shown(child, acting=who) for who in ("practitioner", "teacher", "social-worker")}

    line.record(
        "involve", child, "--service", "Lantern project", "--kind", "sensitive", "--assessment", "--lead"
    )

    assert {who: line.shown(child, acting=who) for who in seen} == seen


def test_t11_where_the_rules_hold_no_concern_no_door_stores_one(line: Line) -> None:
    child = registered(line, a_child())
    before, seen = line.heads()[0], line.shown(child)
    for kind in ("universal", "additional", "sensitive"):
        line.refused(
            "concern-not-held", "record", "involve", child, "--service", "Early help", "--kind", kind, "--concern",
            acting="practitioner",
        )  # fmt: skip
    service = {
        "id": "I-1",
        "service": "Early help",
        "kind": "additional",
        "began": "2026-09-01",
        "concern": True,
    }
    loaded = line.load("case-management", ndjson(a_case(a_child(), involvements=[service])))
    assert [(one["code"], one["field"]) for one in loaded["refusals"]] == [("field-not-allowed", "concern")]
    for typed in ("high", "neglect"):
        line.refused(
            "usage", "record", "involve", child, "--service", "Early help", "--kind", "universal", "--concern", typed,
            acting="practitioner", status=2,
        )  # fmt: skip
    assert (line.heads()[0], line.shown(child)) == (before, seen)


def test_t11_where_the_rules_hold_one_it_exists_and_goes_with_its_involvement(new_home: NewHome) -> None:
    line = new_home()
    text = packaged()["present"].text.decode()
    for old, new in (
        ('id = "present"', 'id = "concerned"'),
        ("valid_from = 2018-05-25", "valid_from = 2027-04-02"),
        ("held = false", "held = true"),
    ):
        assert old in text
        text = text.replace(old, new)
    line.done("policy", "adopt", str(line.file(text.encode())), acting="operator", second="operator-2")
    one = a_child()
    child = registered(line, one)
    early_help = ("involve", child, "--service", "Early help", "--kind", "additional")
    line.refused("concern-not-held", "record", *early_help, "--concern", acting="practitioner")

    line.clock = datetime(2027, 4, 2, 9, tzinfo=UTC)
    line.record(*early_help, "--concern")
    line.record("involve", child, "--service", "Health visiting", "--kind", "universal")

    shown = line.shown(child, acting="teacher")["involvements"]
    assert {each["service"]: each["concern"] for each in shown} == {
        "Early help": True,
        "Health visiting": False,
    }
    assert "concern" not in str(line.found(*one.criteria))
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    assert "concern" not in str(line.show(child))
    line.done("record", "lift-shield", child, acting="data-manager", second="data-manager-2")
    line.record("end-involvement", child, "--service", "Early help")
    assert [each["concern"] for each in line.shown(child)["involvements"]] == [False]


def test_a_search_is_answered_as_soon_as_a_home_is_made(new_home: NewHome) -> None:
    assert new_home().found(*a_child().criteria) == []


def test_t10_a_child_who_first_comes_at_nine_is_held_after_a_search(line: Line) -> None:
    child = a_child()
    assert line.found(*child.criteria) == []

    line.record("register", *child.options)

    (result,) = line.found(*child.criteria)
    assert result["date_of_birth"] == child.born.isoformat()


def test_t10_registering_searches_first_so_a_child_is_not_held_twice(line: Line) -> None:
    child = a_child()
    held = registered(line, child)

    line.record("register", *child.options, acting="teacher")

    assert id_of(line, child) == held


@pytest.mark.parametrize("authority", ["W06000015", "S12000036", "N09000003", "L99999999", "M99999999"])
def test_t10_a_child_outside_every_english_area_is_refused(line: Line, authority: str) -> None:
    child, other = a_child(), a_child()
    before = line.heads()[0]

    refused = line.refused(
        "outside-area", "record", "register", *child.options, "--authority", authority, acting="practitioner"
    )
    loaded = line.births({**other.entry, "authority": authority})

    assert refused["error"]["field"] == "owning_authority"
    assert [(refusal["code"], refusal["field"]) for refusal in loaded["refusals"]] == [
        ("outside-area", "authority")
    ]
    assert line.found(*child.criteria) + line.found(*other.criteria) == []
    assert line.heads()[0] == before


def test_t10_an_english_authority_may_be_named_or_none_yet(line: Line) -> None:
    named, unnamed = a_child(), a_child()
    by_name, without = born(line, named, authority=AUTHORITY), born(line, unnamed)

    assert line.shown(by_name, acting="data-manager")["authority"] == AUTHORITY
    assert "authority" not in line.shown(without, acting="data-manager")

    line.record("assign-authority", without, "--authority", AUTHORITY, acting="data-manager")

    assert line.shown(without, acting="data-manager")["authority"] == AUTHORITY


def test_t10_an_adult_is_no_child_of_the_index(line: Line) -> None:
    child: Any = a_child(born=a_child().born.replace(year=1999))

    refused = line.refused("adult", "record", "register", *child.options, acting="practitioner")

    assert refused["error"]["field"] == "date_of_birth"
    assert line.births(child.entry)["refusals"][0]["code"] == "adult"
