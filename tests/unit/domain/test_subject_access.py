"""Who learns what of the looks at a record: a table of every requester, and the clock by which they are answered."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.rule_files import packaged
from domain.child_record.commands import (
    AnswerSubjectAccess,
    ClaimRight,
    DecideRight,
    PauseSubjectAccess,
    RequestSubjectAccess,
    ResumeSubjectAccess,
)
from domain.child_record.decisions import decide
from domain.errors import BadInput, Refused
from domain.kernel import Command
from domain.policy.retention import months_after
from domain.policy.subject_access import (
    LookAt,
    Origin,
    Pause,
    SubjectRequest,
    reply_to,
)
from domain.rule_set.model import RuleSet
from tests.builders import NOW, TODAY, registers, shields, the_rules
from tests.given import after

RULES = the_rules()
TEACHER = RULES.roles["teacher"].title + " (A school)"
WHY = "Working with this child or family"


def a_look(**changes: Any) -> LookAt:
    """A teacher opened the record for casework."""
    given: dict[str, Any] = {
        "at": NOW,
        "action": "show",
        "purpose": "casework",
        "shown": True,
        "fields": ("name", "address"),
        "role": "teacher",
        "kind": "school",
        "organisation": "Elm Grove Primary",
    }
    return LookAt(**given | changes)


@pytest.mark.parametrize(
    ("requester", "told"),
    [
        (
            "child",
            {
                "on": "2026-03-02",
                "who": TEACHER,
                "why": WHY,
                "how": "as a record",
                "what": "name, address",
                "times": 1,
            },
        ),
        (
            "advocate",
            {
                "on": "2026-03-02",
                "who": TEACHER,
                "organisation": "Elm Grove Primary",
                "why": WHY,
                "how": "as a record",
                "what": "name, address",
                "times": 1,
            },
        ),
        ("parent", {"on": "2026-03-02", "who": TEACHER, "why": WHY, "times": 1}),
    ],
)
def test_what_each_learns_of_one_look(requester: str, told: dict[str, Any]) -> None:
    assert reply_to(requester, [a_look()], [], RULES, shielded=False).display["looks"] == [told]


@pytest.mark.parametrize(
    ("action", "child", "advocate", "parent"),
    [
        ("search", True, True, True),
        ("show", True, True, True),
        ("override", True, True, False),
        ("hand-over", True, True, False),
        ("review-queue", True, True, False),
        ("subject-access", True, True, False),
    ],
)
def test_of_which_looks_each_learns(action: str, child: bool, advocate: bool, parent: bool) -> None:
    for requester, expected in (("child", child), ("advocate", advocate), ("parent", parent)):
        reply = reply_to(requester, [a_look(action=action)], [], RULES, shielded=False)
        assert bool(reply.display["looks"]) is expected
        assert reply.account["told" if expected else "not-theirs"] == 1


def test_who_asked_and_was_shown_nothing_is_told_to_nobody() -> None:
    for requester in RULES.subject_access.requesters:
        reply = reply_to(requester, [a_look(shown=False)], [], RULES, shielded=False)
        assert reply.display["looks"] == []
        assert reply.account["showed-nothing"] == 1


@pytest.mark.parametrize(
    ("exemption", "withheld"),
    [
        ("child-abuse-data", {"section-47"}),
        ("social-work", {"social-worker"}),
        ("crime", {"section-47"}),
        ("contrary-wish", {"section-47", "social-worker", "teacher"}),
        ("serious-harm", {"section-47", "social-worker", "teacher"}),
    ],
)
def test_what_each_exemption_withholds_from_a_parent(exemption: str, withheld: set[str]) -> None:
    looks = {
        "teacher": a_look(),
        "social-worker": a_look(role="social-worker", kind="local-authority"),
        "section-47": a_look(purpose="section-47", role="practitioner", kind="health"),
    }
    for name, look in looks.items():
        reply = reply_to("parent", [look], [], RULES, shielded=False, withheld=(exemption,))
        assert reply.account.get(exemption, 0) == (name in withheld)
        assert bool(reply.display["looks"]) is (name not in withheld)


def test_an_exemption_that_the_rules_do_not_know_of_this_requester_is_refused() -> None:
    for requester, exemption in (("child", "contrary-wish"), ("parent", "whim")):
        with pytest.raises(BadInput) as refused:
            reply_to(requester, [], [], RULES, shielded=False, withheld=(exemption,))
        assert refused.value.code == "unknown-exemption"


def test_where_everything_is_withheld_no_source_is_told_either() -> None:
    origins = [Origin("name", "births", date(2015, 6, 9)), Origin("address", "pds", date(2026, 1, 1))]
    assert reply_to("parent", [], origins, RULES, shielded=False).display["sources"] == [
        {"what": "name", "from": "The registration of births", "since": "2015-06-09"}
    ]
    reply = reply_to("parent", [], origins, RULES, shielded=False, withheld=("contrary-wish",))
    assert reply.display["sources"] == []


@pytest.mark.parametrize(
    ("field", "value"), [("learns", ["on", "what"]), ("learns", ["organisation"]), ("actions", ["override"])]
)
def test_no_rule_set_lets_a_guarded_requester_learn_what_a_shield_shows_in(
    field: str, value: list[str]
) -> None:
    rules = RULES.model_dump()
    rules["subject_access"]["requesters"]["parent"][field] = value
    with pytest.raises(ValueError, match="guarded requester"):
        RuleSet.model_validate(rules)


@pytest.mark.parametrize(
    ("received", "pauses", "answer_by"),
    [
        (date(2026, 3, 2), [], date(2026, 4, 2)),
        (date(2026, 1, 31), [], date(2026, 2, 28)),
        (date(2024, 1, 31), [], date(2024, 2, 29)),
        (date(2026, 12, 15), [], date(2027, 1, 15)),
        (date(2026, 3, 2), [("identity", 0, 5)], date(2026, 4, 7)),
        (date(2026, 3, 2), [("identity", 0, 5), ("clarification", 9, 12)], date(2026, 4, 10)),
        (date(2026, 3, 2), [("clarification", 9, None)], None),
    ],
)
def test_a_month_that_nothing_but_a_pause_makes_longer(
    received: date, pauses: list[tuple[str, int, int | None]], answer_by: date | None
) -> None:
    stood = tuple(
        Pause(why, received + timedelta(a), received + timedelta(b) if b is not None else None)
        for why, a, b in pauses
    )
    request = SubjectRequest(UUID(int=1), "child", "competent", received, stood)
    assert request.answer_by(RULES) == answer_by


def test_the_clock_of_the_rules_is_in_months() -> None:
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)


def test_a_day_is_a_day_in_london() -> None:
    late = datetime.fromisoformat("2026-07-01T23:30:00+00:00")
    looks = reply_to("parent", [a_look(at=late)], [], RULES, shielded=False).display["looks"]
    assert looks[0]["on"] == "2026-07-02"


ASKED = UUID(int=61)
STEPS = [
    PauseSubjectAccess(at=NOW, request=ASKED, why="identity", since=TODAY),
    ResumeSubjectAccess(at=NOW, request=ASKED, until=TODAY),
    AnswerSubjectAccess(at=NOW, request=ASKED, access=UUID(int=62)),
    DecideRight(at=NOW, request=ASKED, reasons=("kept-by-law",)),
]


@pytest.mark.parametrize("step", STEPS, ids=["pause", "resume", "answer", "decide"])
def test_whether_somebody_asked_is_told_of_no_shielded_record(step: Command) -> None:
    with pytest.raises(Refused) as refused:
        decide(after(registers()), step, RULES)
    assert refused.value.code == "no-such-request"
    assert decide(after(registers(), shields()), step, RULES).events == ()


def test_what_cannot_be_withheld_is_refused_but_of_a_shielded_record_in_silence() -> None:
    asks = RequestSubjectAccess(
        at=NOW, request=ASKED, requester="child", basis="competent", received_on=TODAY
    )
    answers = AnswerSubjectAccess(at=NOW, request=ASKED, access=UUID(int=62), withheld=("contrary-wish",))
    with pytest.raises(BadInput):
        decide(after(registers(), asks), answers, RULES)
    assert decide(after(registers(), asks, shields()), answers, RULES).events == ()


def test_a_claim_is_decided_once_not_while_its_clock_stands_still_and_in_the_time_of_its_day() -> None:
    claims = ClaimRight(
        at=NOW, request=ASKED, right="objection", requester="child", basis="competent", received_on=TODAY
    )
    pauses, resumes, _, decides = STEPS
    with pytest.raises(Refused) as refused:
        decide(after(registers(), claims, pauses), decides, RULES)
    assert refused.value.code == "paused"
    record = after(registers(), claims, pauses, resumes, decides)
    (claimed,) = record.requests
    assert (claimed.right, claimed.answered_on, claimed.reasons) == ("objection", TODAY, ("kept-by-law",))
    with pytest.raises(Refused) as again:
        decide(record, decides, RULES)
    assert again.value.code == "no-such-request"
    of_2007 = packaged()["2007"].rules
    assert claimed.answer_by(RULES) == months_after(TODAY, 1)
    assert claimed.answer_by(of_2007) == TODAY + timedelta(21)


def test_a_request_is_answered_once_and_not_while_its_clock_stands_still() -> None:
    asks = RequestSubjectAccess(
        at=NOW, request=ASKED, requester="child", basis="competent", received_on=TODAY
    )
    pauses, resumes, answers, _ = STEPS
    with pytest.raises(Refused) as refused:
        decide(after(registers(), asks, pauses), answers, RULES)
    assert refused.value.code == "paused"
    record = after(registers(), asks, pauses, resumes, answers)
    assert record.requests[0].answered_on == TODAY
    with pytest.raises(Refused) as again:
        decide(record, answers, RULES)
    assert again.value.code == "no-such-request"
