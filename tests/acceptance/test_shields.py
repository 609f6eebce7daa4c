"""C. Shielding: T21, T22, T26, T29, T35."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

from cli.bootstrap import open_app
from domain.child_record.commands import LiftShield
from domain.child_record.handlers import carry_out
from domain.kernel import Metadata
from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import Child, a_child, born, id_of, registered
from tests.loading import a_births_file, ndjson, restricted

pytestmark = pytest.mark.postgres

SHOWN_OF_A_SHIELDED_CHILD = {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}
READERS = ("practitioner", "teacher", "social-worker")


def shield(line: Line, child: str) -> None:
    line.record("shield", child, "--ground", "adult-at-risk", acting="social-worker")


def shielded(line: Line, one: Child) -> str:
    """A child whose birth was registered and on whom a shield was raised."""
    child = born(line, one)
    shield(line, child)
    return child


def assert_shielded(line: Line, child: str, one: Child) -> None:
    """Every reader finds the child by name and date of birth, and sees the six fields and no more."""
    for who in READERS:
        record = line.shown(child, who)
        assert set(record) == SHOWN_OF_A_SHIELDED_CHILD
        assert record["shielded"] is True
        assert record in line.found(*one.criteria, acting=who)


def same_but_one_letter(one: Child) -> Child:
    """A child of another number, entry and address, with the same date of birth and nearly the same name."""
    return replace(a_child(), given=one.given, family=f"{one.family}s", born=one.born, sex=one.sex)


# T21


@pytest.mark.parametrize("feed", ["births", "pds", "record"])
def test_t21_what_nearly_matches_a_shielded_child_becomes_no_record_that_a_reader_sees(
    line: Line, feed: str
) -> None:
    one = a_child()
    child = shielded(line, one)
    near = same_but_one_letter(one)
    before = line.view_rows("version")

    match feed:
        case "births":
            assert line.births(near.entry)["quarantined"] == 1
        case "pds":
            assert line.pds(near.message())["quarantined"] == 1
        case _:
            assert line.record("register", *near.options)

    for who in (*READERS, "data-manager"):
        assert [hit["child_id"] for hit in line.found(*near.criteria, acting=who)] in ([], [child])
        assert line.found("--postcode", near.postcode, "--name", near.name, acting=who) == []
        assert line.found("--nhs-number", near.nhs, acting=who) == []
    assert_shielded(line, child, one)
    after = line.view_rows("version")
    for view in ("practitioner_view", "match_index", "retention_schedule"):
        assert {t: rows for t, rows in after.items() if t.startswith(view)} == {
            t: rows for t, rows in before.items() if t.startswith(view)
        }, f"{view} tells that something was held back"


def test_t21_the_same_name_at_the_same_address_is_held_back_whatever_the_date_of_birth(line: Line) -> None:
    one = a_child()
    shielded(line, one)
    near = replace(a_child(), given=one.given, family=one.family, street=one.street, postcode=one.postcode)

    assert line.births(near.entry)["quarantined"] == 1

    assert line.found(*near.criteria) == []


def test_t21_a_child_unlike_any_shielded_one_is_registered(line: Line) -> None:
    shielded(line, a_child())

    assert born(line, a_child())


# T22


def birth_again(one: Child) -> Mapping[str, str]:
    return one.entry


def birth_elsewhere(one: Child) -> Mapping[str, str]:
    return {**one.entry, "address_line_1": "9 Haven Place", "mother_surname": "Newname"}


def message(one: Child) -> Mapping[str, Any]:
    return one.message()


def message_from_elsewhere(one: Child) -> Mapping[str, Any]:
    since = (one.born + timedelta(days=900)).isoformat()
    return one.message(
        meta={"versionId": "9", "security": [{"code": "U"}]},
        address=[one.address("9 Haven Place", "WF8 8ZY", since)],
    )


BIRTHS = (birth_again, birth_elsewhere)
FEEDS: tuple[Callable[[Child], Mapping[str, Any]], ...] = (*BIRTHS, message, message_from_elsewhere)


def restricted_message(one: Child) -> Mapping[str, Any]:
    name = [
        {
            "use": "usual",
            "period": {"start": one.born.isoformat()},
            "given": [one.given],
            "family": one.family,
        }
    ]
    sent = restricted(name=name, gender=one.gender, birthDate=one.born.isoformat(), id=one.nhs)
    return {**sent, "identifier": one.message()["identifier"]}


def test_t22_a_shield_survives_every_feed_in_every_order(line: Line, restored: Restored) -> None:
    """Each child has an order of feeds of its own; one half was shielded by an officer, the other by its source."""
    orders = {a_child(): order for order in itertools.permutations(FEEDS)}
    children = list(orders)
    line.births(*(one.entry for one in children))
    by_source = children[::2]
    line.pds(*(restricted_message(one) for one in by_source))
    for one in children[1::2][:3]:
        shield(line, id_of(line, one))
    everyone = [*by_source, *children[1::2][:3]]
    ids = {id_of(line, one): one for one in everyone}

    files: list[tuple[str, str]] = []
    for turn in range(len(FEEDS)):
        feeds = {one: orders[one][turn] for one in everyone}
        births = [feed(one) for one, feed in feeds.items() if feed in BIRTHS]
        messages = [feed(one) for one, feed in feeds.items() if feed not in BIRTHS]
        for kind, content in (("births", a_births_file(*births)), ("pds", ndjson(*messages))):
            loaded = line.load(kind, content)
            files.append((kind, loaded["files"][0]["file_id"]))
            assert (loaded["refused"], loaded["registered"], loaded["events"]) == (0, 0, 0), loaded
            assert not_shielded(line, ids) == set(), f"after {kind} in turn {turn}"

    line.done("projection", "rebuild", "practitioner_view", "--switch")
    line.done("projection", "rebuild", "match_index", "--switch")
    other = restored(line)
    for home in (line, other):
        assert not_shielded(home, ids) == set()
        for child, one in list(ids.items())[-4:]:
            assert_shielded(home, child, one)
    for kind, file in files[-2:]:
        line.done("load", kind, "--withdraw", file)
    assert not_shielded(line, ids) == set(), "withdrawing a file lowers no shield"


def not_shielded(line: Line, children: Mapping[str, Child]) -> set[str]:
    """Those of these children that the practitioner view does not have as shielded, or shows a place of."""
    with line.as_superuser("views") as connection:
        row = connection.execute(
            "SELECT build FROM views.build WHERE name = 'practitioner_view' AND state = 'live'"
        ).fetchone()
        assert row is not None
        query = "SELECT child_id::text FROM {} WHERE shielded AND postcode IS NULL AND nhs_number IS NULL"
        table = sql.Identifier(f"practitioner_view_{row[0]}", "child")
        rows = connection.execute(sql.SQL(query).format(table)).fetchall()
    return set(children) - {row[0] for row in rows}


def test_t22_a_shield_outlives_the_file_that_raised_it(line: Line) -> None:
    one = a_child()
    child = registered(line, one)
    loaded = line.pds(restricted_message(one))
    assert_shielded(line, child, one)

    line.done("load", "pds", "--withdraw", loaded["files"][0]["file_id"])

    assert_shielded(line, child, one)


def test_t22_only_two_people_together_lower_a_shield(line: Line) -> None:
    one = a_child()
    child = shielded(line, one)
    for acting, second, code, status in (
        ("data-manager", None, "two-people-needed", 2),
        ("data-manager", "data-manager", "two-people-needed", 1),
        ("data-manager", "practitioner", "right-not-held", 1),
        ("practitioner", "data-manager", "right-not-held", 1),
    ):
        line.refused(code, "record", "lift-shield", child, acting=acting, second=second, status=status)
    assert_shielded(line, child, one)

    line.done("record", "lift-shield", child, acting="data-manager", second="data-manager-2")

    assert line.shown(child)["address"]["postcode"] == one.postcode


def test_a_lift_that_was_cut_off_before_its_keys_moved_is_made_good_by_whoever_lifts_again(
    line: Line,
) -> None:
    """As kill -9 leaves it: the lift is in the log, and nothing has followed from it yet."""
    one = a_child()
    child = shielded(line, one)
    with open_app(line.home, line.settings) as home:
        people = [
            UUID(line.done("account", "show", who)["account"]) for who in ("data-manager", "data-manager-2")
        ]
        lift = LiftShield(at=home.now(), reason="risk-ended", proposed_by=people[0], confirmed_by=people[1])
        carry_out(
            UUID(child),
            lift,
            store=home.writing.store,
            tokens=home.writing.tokens,
            rules=home.rules,
            metadata=Metadata(actor=people[0], correlation=home.ids.new()),
        )
    assert_shielded(line, child, one)

    line.refused("no-shield", "record", "lift-shield", child, acting="data-manager", second="data-manager-2")

    assert line.shown(child)["address"]["postcode"] == one.postcode


# T26


def test_t26_a_record_near_one_that_is_shielded_is_shielded_until_two_people_decide(line: Line) -> None:
    one = a_child()
    child, near = born(line, one), same_but_one_letter(one)
    resembling, unlike = born(line, near), born(line, a_child())
    assert line.shown(resembling)["address"]

    shield(line, child)

    assert set(line.shown(resembling)) == SHOWN_OF_A_SHIELDED_CHILD
    assert line.found("--name", near.name, "--postcode", near.postcode) == []
    assert line.shown(unlike)["address"], "a record that is not near stays as it was"
    line.pds(near.message())
    assert set(line.shown(resembling)) == SHOWN_OF_A_SHIELDED_CHILD, "no feed decides it"

    line.done(
        "record",
        "lift-shield",
        resembling,
        "--reason",
        "not-the-child",
        acting="data-manager",
        second="data-manager-2",
    )

    assert line.shown(resembling)["address"]
    assert_shielded(line, child, one)


# T29


def test_t29_a_shielded_record_shows_no_former_name_to_any_reader(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    line.record("correct", child, "--given", one.given, "--family", "Formerly", "--name-kind", "former")
    assert [name["family"] for name in line.shown(child)["former_names"]] == ["Formerly"]
    assert line.found("--name", f"{one.given} Formerly", "--dob", one.born.isoformat())

    shield(line, child)

    assert_shielded(line, child, one)
    for who in READERS:
        assert line.found("--name", f"{one.given} Formerly", "--dob", one.born.isoformat(), acting=who) == []
    behind = line.done("show", child, "--reason", "section-47", "--override", acting="social-worker")[
        "record"
    ]
    assert behind["address"]["postcode"] == one.postcode
    assert "Formerly" not in str(behind), "not even to those who may look behind the shield"


# T35


def test_t35_a_shielded_child_is_found_by_what_is_shown_of_it(line: Line) -> None:
    one = a_child()
    child = shielded(line, one)
    number = line.shown(child)["number"]

    for criteria in (
        one.criteria,
        (*one.criteria, "--gender", one.gender),
        ("--number", number),
        ("--number", number, *one.criteria, "--gender", one.gender),
    ):
        assert [hit["child_id"] for hit in line.found(*criteria)] == [child]


@pytest.mark.parametrize("hidden", ["--postcode", "--nhs-number"])
def test_t35_with_any_hidden_criterion_the_answer_is_that_of_a_true_miss(line: Line, hidden: str) -> None:
    one, nobody = a_child(), a_child()
    child = shielded(line, one)
    number = line.shown(child)["number"]
    true, false = {
        "--postcode": (one.postcode, nobody.postcode),
        "--nhs-number": (one.nhs, nobody.nhs),
    }[hidden]
    miss = line("search", "--reason", "casework", *nobody.criteria, hidden, false, acting="practitioner")
    assert (miss.status, miss["results"], miss["more"]) == (0, [], False)

    for criteria in (one.criteria, (*one.criteria, "--gender", one.gender), ("--number", number)):
        answer = line("search", "--reason", "casework", *criteria, hidden, true, acting="practitioner")
        assert answer.status == miss.status
        assert without_access(answer.json) == without_access(miss.json)
        assert len(answer.printed) == len(miss.printed), "the same shape to the byte, and nothing on stderr"
        assert list(answer.json) == list(miss.json)


def test_t35_an_unshielded_child_is_found_by_the_same_criteria(line: Line) -> None:
    one = a_child()
    child = born(line, one)

    for hidden in (("--postcode", one.postcode), ("--nhs-number", one.nhs)):
        assert [hit["child_id"] for hit in line.found(*one.criteria, *hidden)] == [child]


# T34, T37: shielding as a process


def test_t34_and_t37_a_shield_is_asked_for_decided_reviewed_and_ends_with_notice(new_home: NewHome) -> None:
    line = new_home()
    one, plain = a_child(), a_child()
    child, other = born(line, one), born(line, plain)
    for each in (child, other):
        line.record("assign-authority", each, "--authority", "E06000999", acting="data-manager")
    asking = ("--ground", "adult-at-risk", "--for", "parent")

    unproved = line.done("record", "request-shield", child, *asking, acting="practitioner")
    shield(line, other)
    again = line.done("record", "request-shield", other, *asking, acting="practitioner")
    assert set(unproved) == {"receipt", "request", "reply"}
    assert unproved["reply"] == again["reply"], "whatever is held"
    assert_shielded(line, child, one)

    (interim,) = line.done("record", "shield-requests", child, acting="data-manager")["requests"]
    assert (interim["request"], interim["state"], interim["verified"]) == (
        unproved["request"],
        "interim",
        False,
    )
    line.refused("right-not-held", "record", "shield-requests", child, acting="social-worker")
    line.record("verify-requester", child, "--request", unproved["request"], acting="data-manager")
    decision = (
        "--request",
        unproved["request"],
        "--decision",
        "grant",
        "--reason",
        "threat-shown",
        "--consulted",
        "police",
    )
    line.record("decide-shield", child, *decision, acting="data-manager")
    (granted,) = line.done("record", "shield-requests", child, acting="data-manager")["requests"]
    assert (granted["state"], granted["verified"], granted["consulted"]) == ("granted", True, ["police"])

    began = line.clock
    reviews = ("record", "reviews-due")
    assert line.done(*reviews, acting="data-manager")["reviews"] == []
    listed = line.done(*reviews, "--on", "2027-09-10", acting="data-manager")["reviews"]
    assert {each["child_id"] for each in listed} == {child, other}
    line.clock = began.replace(month=9, day=12)
    assert {each["overdue_days"] for each in line.done(*reviews, acting="data-manager")["reviews"]} == {2}
    overdue = line.done(*reviews, acting="auditor")["reviews"]
    assert [set(each) for each in overdue] == [{"child_id", "review_on", "overdue_days"}] * 2, (
        "whose they are is hidden"
    )
    line.refused("right-not-held", *reviews, acting="social-worker")
    assert_shielded(line, child, one)
    line.record("review-shield", child, "--consulted", "child", acting="data-manager")
    assert [each["child_id"] for each in line.done(*reviews, acting="data-manager")["reviews"]] == [other]

    lift = ("record", "lift-shield")
    line.done(*lift, other, acting="data-manager", second="data-manager-2")
    assert line.shown(other)["address"]["postcode"] == plain.postcode, "nobody who is known asked for it"
    line.done(*lift, child, "--consulted", "child", acting="data-manager", second="data-manager-2")
    assert_shielded(line, child, one)
    assert line.done("record", "shield-requests", child, acting="data-manager")["lift_on"] == "2027-10-10"
    line.clock = line.clock.replace(month=10, day=9)
    assert line.done("retention", "run")["lifted"] == 0
    assert_shielded(line, child, one)
    line.clock = line.clock.replace(day=10)
    assert line.done("retention", "run")["lifted"] == 1
    assert line.shown(child)["address"]["postcode"] == one.postcode


# T38


def test_t38_nothing_of_a_sister_tells_where_a_shielded_child_is_and_its_authority_is_asked_to_think_of_her(
    line: Line,
) -> None:
    """She lives where he does, and her record says where that is: whether to hide it, too, is for people to decide."""
    mother = {"mother_given_names": "Perdita", "mother_surname": "Quillfeather", "authority": "E06000999"}
    his = a_child(given="Barnaby", born=date(2017, 4, 5))
    hers = a_child(
        family=his.family, given="Wilhelmina", born=date(2020, 9, 2), street=his.street, postcode=his.postcode
    )
    neighbour = a_child(postcode=his.postcode)
    brother, sister = born(line, his, **mother), born(line, hers, **mother)
    born(line, neighbour)
    before = [(line.shown(sister, who), line.found(*hers.criteria, acting=who)) for who in READERS]

    shield(line, brother)

    assert [(line.shown(sister, who), line.found(*hers.criteria, acting=who)) for who in READERS] == before
    for who in READERS:
        by_place = line.found("--postcode", his.postcode, "--name", his.family, acting=who)
        assert [hit["child_id"] for hit in by_place] == [sister]
        assert sister not in str(line.shown(brother, who))
    assert_shielded(line, brother, his)

    answer = line.done("record", "siblings", brother, acting="data-manager")
    assert [(one["child_id"], one["shared"]) for one in answer["siblings"]] == [
        (sister, ["address", "carers"])
    ]
    seen = line.done("audit", "who-saw", sister)["entries"][0]
    assert (seen["access_id"], seen["shown"]) == (answer["access_id"], True)
    line.refused("not-found", "record", "siblings", sister, acting="data-manager")

    shield(line, sister)
    assert line.done("record", "siblings", brother, acting="data-manager")["siblings"] == []
