"""Shielding as a process: interim shields, decisions, reviews, an end with notice (T34, T37)."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from domain.child_record.commands import (
    AssignAuthority,
    CompleteLift,
    DecideShield,
    LiftShield,
    RequestShield,
    ReviewShield,
    VerifyShieldRequester,
)
from domain.child_record.events import (
    LiftDecided,
    ShieldDecided,
    ShieldLifted,
    ShieldRaised,
    ShieldRequested,
    ShieldRequesterVerified,
    ShieldReviewed,
)
from domain.kernel import Command
from domain.policy.shield_reviews import review_on
from tests.builders import NOW, TODAY, registers, shields, the_rules
from tests.given import after, given

OURS, OTHERS = "E09000012", "E09000099"
ONE, TWO = UUID(int=101), UUID(int=102)
NOTICE = timedelta(days=the_rules().shield.notice_days)


def asks(request: UUID = ONE, *, verified: bool = False, ground: str = "adult-at-risk") -> RequestShield:
    return RequestShield(
        at=NOW,
        request=request,
        shield=UUID(int=request.int + 1000),
        requester="parent",
        ground=ground,
        verified=verified,
        received_on=TODAY,
    )


def decides(
    request: UUID = ONE, *, granted: bool = True, body: str = OURS, **changed: object
) -> DecideShield:
    reason = "threat-shown" if granted else "no-threat"
    said = {"at": NOW, "request": request, "granted": granted, "reason": reason, "body": body}
    return DecideShield.model_validate(said | changed)


def lifts(at: datetime = NOW, reason: str = "risk-ended", consulted: tuple[str, ...] = ()) -> LiftShield:
    return LiftShield(
        at=at, reason=reason, proposed_by=UUID(int=1), confirmed_by=UUID(int=2), consulted=consulted
    )


def on(days: timedelta) -> CompleteLift:
    return CompleteLift(at=NOW + days)


OWNED = (registers(owning_authority=None), AssignAuthority(at=NOW, authority=OURS))
GRANTED: tuple[Command, ...] = (*OWNED, asks(verified=True), decides())


def test_t34_whoever_asks_an_interim_shield_stands_and_each_request_has_its_own() -> None:
    record = given(*OWNED).when(asks()).then(ShieldRaised, ShieldRequested)
    assert record.shielded
    assert [one.verified for one in record.shield_requests] == [False]
    again = given(*OWNED, asks()).when(asks(TWO)).then(ShieldRaised, ShieldRequested)
    assert len(again.shields) == 2, "of the same kind and ground, and still a shield of its own"
    given(*OWNED, asks()).when(asks()).then_nothing()
    given(*OWNED).when(asks(ground="hunch")).then_refused("unknown-ground", "ground")
    verified = (
        given(*OWNED, asks()).when(VerifyShieldRequester(at=NOW, request=ONE)).then(ShieldRequesterVerified)
    )
    assert verified.shield_requests[0].verified


def test_the_responsible_authority_decides_once_and_a_refusal_lowers_nothing() -> None:
    record = given(*OWNED, asks()).when(decides(granted=False, consulted=("police",))).then(ShieldDecided)
    assert (record.shielded, record.shield_requests[0].granted) == (True, False)
    given(*OWNED, asks(), decides()).when(decides(granted=False)).then_nothing()
    given(*OWNED, asks()).when(decides(body=OTHERS)).then_nothing()
    given(*OWNED, asks()).when(decides(TWO)).then_nothing()
    given(*OWNED).when(decides()).then_refused("no-such-request", "request")
    given(*OWNED, asks()).when(decides(reason="no-threat")).then_refused("unknown-reason", "reason")
    given(*OWNED, asks()).when(decides(consulted=("neighbour",))).then_refused(
        "unknown-consulted", "consulted"
    )


def test_t37_six_months_after_a_decision_a_review_is_due_and_no_day_lowers_a_shield() -> None:
    rules = the_rules()
    record = after(*GRANTED)
    due = review_on(record, rules)
    assert due == date(TODAY.year + (TODAY.month + 5) // 12, (TODAY.month + 5) % 12 + 1, TODAY.day)
    given(*GRANTED).when(on(timedelta(days=4000))).then_nothing()
    later = datetime.combine(due, datetime.min.time(), UTC) + timedelta(hours=12)
    reviewed = (
        given(*GRANTED).when(ReviewShield(at=later, body=OURS, consulted=("child",))).then(ShieldReviewed)
    )
    moved = review_on(reviewed, rules)
    assert moved is not None
    assert moved > due
    given(*GRANTED).when(ReviewShield(at=later, body=OTHERS)).then_nothing()
    given(*OWNED).when(ReviewShield(at=later, body=OURS)).then_refused("no-shield")
    assert review_on(after(*OWNED), rules) is None


def test_t37_a_granted_shield_comes_down_once_notice_was_given_and_not_a_day_before() -> None:
    record = given(*GRANTED).when(lifts(consulted=("child", "police"))).then(LiftDecided)
    assert record.shielded
    assert record.lift is not None
    assert record.lift.effective_on == TODAY + NOTICE
    decided = (*GRANTED, lifts())
    given(*decided).when(lifts()).then_nothing()
    given(*decided).when(on(NOTICE - timedelta(days=1))).then_nothing()
    down = given(*decided).when(on(NOTICE)).then(ShieldLifted)
    assert (down.shielded, down.lift) == (False, None)


def test_t37_a_ground_that_came_up_during_notice_keeps_the_record_shielded() -> None:
    record = given(*GRANTED, lifts(), asks(TWO)).when(on(NOTICE)).then(ShieldLifted)
    assert [one.shield.int for one in record.shields] == [1102]


def test_a_shield_that_nobody_known_asked_for_comes_down_at_once_and_so_does_one_raised_in_error() -> None:
    for history in ((*OWNED, shields()), (*OWNED, asks(), decides()), (*OWNED, asks(verified=True))):
        given(*history).when(lifts()).then(ShieldLifted)
    given(*GRANTED).when(lifts(reason="raised-in-error")).then(ShieldLifted)
    given(*OWNED, shields()).when(lifts(consulted=("police",))).then(LiftDecided, ShieldLifted)
    given(*OWNED, shields()).when(lifts(consulted=("neighbour",))).then_refused(
        "unknown-consulted", "consulted"
    )
