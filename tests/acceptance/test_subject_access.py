"""E. Rights: who looked at my record, told to whoever may ask; and where an adult is named."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born, id_of

pytestmark = pytest.mark.postgres

OURS: Final = "E06000999"
"""The authority of the ready-made data managers."""
BASES: Final = {"child": "competent", "advocate": "child-authorises", "parent": "best-interests"}


def ours(line: Line, one: Child, **changed: str) -> str:
    """A child that the ready-made data managers are responsible for."""
    return born(line, one, authority=OURS, **changed)


def asked(line: Line, child: str, who: str, *words: str) -> str:
    """The id of a request that was received today."""
    received = line.done(
        "subject-access", "receive", child, "--for", who, "--basis", BASES[who], *words, acting="data-manager"
    )
    return str(received["request"])


def replied(line: Line, child: str, who: str, *words: str, second: str | None = None) -> Json:
    """A request that is received and answered at once."""
    decided = words or (("--withhold-nothing",) if who == "parent" else ())
    return line.done(
        "subject-access", "reply", child, "--request", asked(line, child, who), *decided,
        acting="data-manager", second=second,
    )  # fmt: skip


def looked(line: Line, child: str, one: Child) -> None:
    """Looks of several kinds, by people of several roles."""
    line.show(child, acting="teacher")
    line.show(child, acting="teacher")
    line.search(*one.criteria, acting="social-worker")
    line.done("show", child, "--reason", "section-47", acting="social-worker")
    line.refused("reason-not-yours", "show", child, "--reason", "audit", acting="practitioner")


def test_t51_a_competent_child_is_told_who_looked_by_category_and_who_said_what(line: Line) -> None:
    one = a_child(born=date(2013, 9, 4))  # thirteen
    child = ours(line, one)
    looked(line, child, one)

    answer = replied(line, child, "child")

    reply = answer["reply"]
    told = [(look["who"], look["why"], look["how"], look["times"]) for look in reply["looks"]]
    teacher = "A teacher or other member of a school's staff (A school)"
    worker = "A social worker with child-protection duties, who may look behind a shield (A local authority)"
    assert (teacher, "Working with this child or family", "as a record", 2) in told
    assert (worker, "Enquiry into suspected significant harm", "as a record", 1) in told
    assert (worker, "Working with this child or family", "in a list of search results", 1) in told
    assert {"on", "who", "why", "how", "what", "times"} == set(reply["looks"][0]), "and no name of anybody"
    assert {source["from"] for source in reply["sources"]} == {"The registration of births"}
    assert "Information Commissioner" in reply["statement"]
    assert (reply["received_on"], reply["answer_by"]) == ("2027-03-10", "2027-04-10")
    for account in ("teacher", "social-worker", "practitioner"):
        number = line.done("account", "show", account)["account"]
        assert number not in str(answer)


def test_t51_what_is_told_and_what_is_not_add_up_to_what_is_sealed(line: Line) -> None:
    one = a_child(born=date(2013, 9, 4))
    child = ours(line, one)
    looked(line, child, one)
    line.done("audit", "who-saw", child)

    for who in ("child", "advocate", "parent"):
        answer = replied(line, child, who)
        told, account = answer["reply"]["looks"], answer["account"]
        line.done("seal", "--until-caught-up")
        pack = line.file(b"").with_name(f"{answer['access_id']}.json")
        line.done("audit", "export", child, str(pack))
        looks = json.loads(pack.read_text("utf-8"))["logs"][1]["events"]
        assert sum(look["times"] for look in told) == account["told"]
        assert sum(account.values()) + 1 == len(looks), (
            "all that was sealed of this child, and the reply itself"
        )
    line.done("seal", "--until-caught-up")
    assert line.done("audit", "verify")["ok"]


@pytest.mark.parametrize("who", ["child", "advocate"])
def test_an_advocate_is_told_the_organisation_and_the_child_the_category_alone(line: Line, who: str) -> None:
    one = a_child(born=date(2013, 9, 4))
    child = ours(line, one)
    line.show(child, acting="teacher")

    look = replied(line, child, who)["reply"]["looks"][0]

    assert ("organisation" in look) is (who == "advocate")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    again = replied(line, child, who, second="data-manager-2")["reply"]["looks"]
    assert again
    assert not [one for one in again if "organisation" in one], "where the child is goes to nobody"


def test_t52_a_parents_reply_is_the_same_to_the_byte_whether_or_not_there_is_a_shield_against_them(
    line: Line,
) -> None:
    open_, hidden = a_child(born=date(2018, 4, 2)), a_child(born=date(2018, 4, 2))
    children = [ours(line, one) for one in (open_, hidden)]
    line.record("shield", children[1], "--ground", "adult-at-risk", acting="social-worker")
    for child, one in zip(children, (open_, hidden), strict=True):
        looked(line, child, one)
    # What happens only because there is a shield:
    line.done("show", children[1], "--reason", "section-47", "--override", acting="social-worker")
    line.done(
        "hand-over", children[1], "--ground", "crime", "--to", "County Police", "--field", "name",
        acting="data-manager", second="data-manager-2",
    )  # fmt: skip

    for decided in (
        ("--withhold-nothing",),
        ("--withhold", "child-abuse-data"),
        ("--withhold", "contrary-wish"),
    ):
        replies = [
            replied(line, child, "parent", *decided, second="data-manager-2")["reply"] for child in children
        ]
        assert replies[0] == replies[1]
        assert str(replies[0]) == str(replies[1])


def test_t52_what_is_withheld_is_a_recorded_decision_and_leaves_no_trace_in_the_reply(line: Line) -> None:
    one = a_child(born=date(2018, 4, 2))
    child = ours(line, one)
    looked(line, child, one)
    request = asked(line, child, "parent")
    answer = ("subject-access", "reply", child, "--request", request)

    line.refused("decision-needed", *answer, acting="data-manager", status=2)
    line.refused("unknown-exemption", *answer, "--withhold", "whim", acting="data-manager", status=2)
    told = line.done(*answer, "--withhold", "child-abuse-data", acting="data-manager")

    assert told["account"]["child-abuse-data"] == 1
    assert "significant harm" not in str(told["reply"])
    assert "withheld" not in str(told["reply"])
    assert "child-abuse-data" not in str(told["reply"])
    line.refused("no-such-request", *answer, "--withhold-nothing", acting="data-manager")
    listed = line.done("subject-access", "list", child, acting="data-manager")["requests"]
    assert (listed[0]["state"], listed[0]["withheld"]) == ("answered", ["child-abuse-data"])
    events = [entry["event"] for entry in line.done("audit", "changes", child)["entries"][:2]]
    assert events == ["subject-access-answered", "subject-access-requested"]


def test_t52_against_the_childs_wish_a_parent_is_told_what_one_is_told_of_a_record_nobody_looked_at(
    line: Line,
) -> None:
    one, never_seen = a_child(born=date(2018, 4, 2)), a_child(born=date(2018, 4, 2))
    child = ours(line, one)
    looked(line, child, one)

    reply = replied(line, child, "parent", "--withhold", "contrary-wish")["reply"]

    assert (reply["looks"], reply["sources"]) == ([], [])
    assert set(reply) == set(replied(line, ours(line, never_seen), "parent")["reply"])


@pytest.mark.parametrize("who", ["child", "advocate", "parent"])
def test_t30_of_a_shielded_record_two_people_decide_what_anybody_is_told(line: Line, who: str) -> None:
    child = ours(line, a_child(born=date(2013, 4, 2)))
    request = asked(line, child, who)
    decided = ("--withhold", "contrary-wish") if who == "parent" else ()
    answer = ("subject-access", "reply", child, "--request", request, *decided)
    line.record("shield", child, "--ground", "adult-at-risk", acting="social-worker")

    line.refused("two-people-needed", *answer, acting="data-manager")
    line.refused("same-person", *answer, acting="data-manager", second="data-manager")
    line.done(*answer, acting="data-manager", second="data-manager-2")
    tried = line.done("audit", "who-saw", child)["entries"]
    assert [(one["action"], one["outcome"], bool(one["confirmed_by"])) for one in tried[:3]] == [
        ("subject-access", "granted", True),
        ("subject-access", "refused", True),
        ("subject-access", "refused", False),
    ]


def test_t51_the_clock_stops_only_for_identity_or_clarification_and_can_be_seen(new_home: NewHome) -> None:
    line = new_home()
    child = ours(line, a_child(born=date(2013, 9, 4)))
    request = asked(line, child, "child", "--received", "2027-03-01")
    about = (child, "--request", request)

    def state() -> Sequence[object]:
        (one,) = line.done("subject-access", "list", child, acting="data-manager")["requests"]
        return one["state"], one["answer_by"], one["paused_for"]

    assert state() == ("open", "2027-04-01", None)
    line.refused(
        "unknown-pause",
        "subject-access",
        "pause",
        *about,
        "--for",
        "workload",
        acting="data-manager",
        status=2,
    )
    line.done(
        "subject-access", "pause", *about, "--for", "identity", "--on", "2027-03-01", acting="data-manager"
    )
    assert state() == ("paused", None, "identity")
    line.refused("paused", "subject-access", "reply", *about, acting="data-manager")
    line.done("subject-access", "resume", *about, "--on", "2027-03-08", acting="data-manager")
    assert state() == ("open", "2027-04-08", None)
    line.clock = datetime(2027, 4, 9, 9, tzinfo=UTC)
    assert state() == ("overdue", "2027-04-08", None)
    reply = line.done("subject-access", "reply", *about, acting="data-manager")["reply"]
    assert reply["pauses"] == [{"for": "identity", "since": "2027-03-01", "until": "2027-03-08"}]
    assert state()[0] == "answered"


def test_t9_a_wish_to_have_a_record_deleted_opens_a_case_and_is_answered_with_reasons_and_the_record_stands(
    new_home: NewHome,
) -> None:
    line = new_home()
    one, shielded = (a_child(born=date(2017, 2, 3)) for _ in range(2))  # ten
    child, hidden = ours(line, one), ours(line, shielded)
    line.record("shield", hidden, "--ground", "child-at-risk", acting="social-worker")
    before = line.shown(child)
    replies = []
    for each in (child, hidden):
        request = asked(line, each, "parent", "--right", "erasure", "--received", "2027-03-01")
        about = (each, "--request", request)

        def state(each: str = each) -> tuple[object, ...]:
            (found,) = line.done("subject-access", "list", each, acting="data-manager")["requests"]
            return found["right"], found["state"], found["answer_by"], found["reasons"]

        assert state() == ("erasure", "open", "2027-04-01", [])
        if each == child:
            line.refused(
                "not-for-access",
                "subject-access", "reply", *about, "--withhold-nothing", acting="data-manager",
            )  # fmt: skip
            line.refused(
                "unknown-reason",
                "subject-access", "decide", *about, "--reason", "compelling-grounds",  # of an objection
                acting="data-manager", status=2,
            )  # fmt: skip
        done = line.done("subject-access", "decide", *about, "--reason", "kept-by-law", acting="data-manager")
        replies.append(done["reply"])
        assert state() == ("erasure", "answered", "2027-04-01", ["kept-by-law"])
    reply = replies[0]
    assert replies[1] == reply, "nothing in it tells of a shield"
    assert reply["outcome"] == "refused"
    assert "kept by law" in reply["reasons"][0]
    assert "can be shielded" in reply["shield"], "to be looked into, whoever asks"
    assert "Information Commissioner" in reply["statement"]
    after = line.shown(child)
    assert {name: after[name] for name in before} == before, "no opt-out: the record stands as it was"
    assert line.found(*one.criteria)


def test_t54_what_rests_on_consent_is_granted_and_what_rests_on_law_refused_in_one_reply(line: Line) -> None:
    child = ours(line, a_child(born=date(2011, 5, 6)))
    request = asked(line, child, "child", "--right", "objection")
    about = ("subject-access", "decide", child, "--request", request)
    reply = line.done(
        *about, "--reason", "kept-by-law", "--reason", "consent-withdrawn", acting="data-manager"
    )["reply"]
    assert (reply["outcome"], len(reply["reasons"])) == ("granted-in-part", 2)
    line.refused("no-such-request", *about, "--reason", "kept-by-law", acting="data-manager")
    who_looked = asked(line, child, "child")
    line.refused(
        "for-access",
        "subject-access", "decide", child, "--request", who_looked, "--reason", "kept-by-law", acting="data-manager",
    )  # fmt: skip


def test_only_the_responsible_authority_answers_and_others_are_told_nothing(line: Line) -> None:
    child = ours(line, a_child(born=date(2013, 9, 4)))
    elsewhere = born(line, a_child(), authority="E06000998")
    request = asked(line, child, "child")

    for acting in ("practitioner", "teacher", "social-worker", "auditor", "operator", "account-manager"):
        line.refused("right-not-held", "subject-access", "reply", child, "--request", request, acting=acting)
        line.refused("right-not-held", "subject-access", "list", child, acting=acting)
        line.refused("right-not-held", "subject-access", "adult", "--name", "Maud Kettl", acting=acting)
    line.refused("not-found", "subject-access", "list", elsewhere, acting="data-manager")
    line.refused(
        "not-found", "subject-access", "reply", elsewhere, "--request", request, acting="data-manager"
    )


def test_t58_an_adult_finds_their_own_entries_across_children_and_nothing_of_anybody_else(line: Line) -> None:
    first, second, hidden, namesake = (a_child() for _ in range(4))
    home = {"mother_given_names": "Perpetua", "mother_surname": "Ostrander", "postcode": "WF44 3QX"}
    mine = [ours(line, one, **home, address_line_1=one.street) for one in (first, second)]
    line.record(
        "correct", mine[0], "--carer", "Perpetua Ostrander", "--carer", "Ignatius Pell", acting="data-manager"
    )
    shielded = ours(line, hidden, **home)
    line.record("shield", shielded, "--ground", "adult-at-risk", acting="social-worker")
    other = ours(line, namesake, **{**home, "postcode": "WF45 1AB"})
    asks = ("subject-access", "adult", "--name", "Perpetua Ostrander")

    line.refused("not-told-apart", *asks, acting="data-manager", status=2)
    answer = line.done(*asks, "--postcode", "WF44 3QX", acting="data-manager")

    assert [entry["name"]["family"] for entry in answer["entries"]] == ["Ostrander", "Ostrander"]
    assert {entry["from"] for entry in answer["entries"]} == {
        "The registration of births",
        "The local authority's own correction",
    }
    for child, one in zip((*mine, shielded, other), (first, second, hidden, namesake), strict=True):
        for word in (child, one.given, one.family, one.street, "WF44", "WF45", "Pell", "Ignatius"):
            assert word not in str(answer["entries"])
    assert answer["answer_by"] == "2027-04-10"
    for child in mine:
        seen = line.done("audit", "who-saw", child)["entries"][0]
        assert (seen["action"], seen["shown"], seen["fields"]) == (
            "subject-access",
            True,
            ["carers", "sources"],
        )
    for child in (shielded, other):
        assert answer["access_id"] not in str(line.done("audit", "who-saw", child)["entries"])
    assert line.done(*asks, "--postcode", "WF46 9ZZ", acting="data-manager")["entries"] == []
    number = line.shown(mine[1])["number"]
    assert len(line.done(*asks, "--number", number, acting="data-manager")["entries"]) == 1


def test_a_reply_reads_as_sentences(line: Line) -> None:
    from cli.reply_words import words_of_reply

    one = a_child(born=date(2013, 9, 4))
    child = ours(line, one)
    line.show(child, acting="teacher")

    words = words_of_reply(replied(line, child, "advocate")["reply"])

    assert "On 2027-03-10, A teacher or other member of a school's staff (A school) at " in words
    assert "for this reason: Working with this child or family" in words
    assert id_of(line, one) not in words
