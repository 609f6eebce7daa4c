"""Who is let in: every condition, every state it can be in, every instant at which one ends."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from domain.policy.access import Party, Proof, Standing, State, admitted, lapses_on, may, refusals
from domain.policy.retention import LONDON, begin_of
from domain.rule_set.model import Alteration, Right
from tests.builders import NOW, TODAY, the_rules
from tests.standing import KIND_OF_ROLE, LATELY, a_standing

RULES = the_rules()
ROLES = tuple(RULES.roles)
RIGHTS: tuple[Right, ...] = get_args(Right)
MICROSECOND = timedelta(microseconds=1)

# Written down by hand, so that neither a rule set nor the code can loosen one of them unnoticed.
ASKED_OF: dict[str, str] = {
    "accreditation": "organisation",
    "security-attestation": "organisation",
    "authorisation": "account",
    "check": "account",
    "training": "account",
    "agreement": "account",
    "authenticator": "account",
}
YEARS: dict[str, int] = {"security-attestation": 1, "check": 3, "training": 1}
VOIDED_BY: dict[str, set[Alteration]] = {
    "accreditation": {"name", "ownership", "purpose"},
    "authorisation": {"role"},
}

LONG_AGO = Proof(date(2000, 1, 1))
BROKEN: dict[State, Proof | None] = {
    "missing": None,
    "lapsed": Proof(LATELY, ends_on=TODAY),
    "withdrawn": Proof(LATELY, withdrawn=True),
    "void": Proof(LATELY, altered=frozenset({"role", "name"})),
}


def codes(standing: Standing, at: datetime = NOW) -> list[str]:
    return [one.rule for one in refusals(standing, at, RULES)]


def with_proof(code: str, proof: Proof | None, role: str = "practitioner") -> Standing:
    return a_standing(role, on_record={code: proof})


def test_the_rules_ask_what_the_regulations_and_ministers_named() -> None:
    of_authorities = dict.fromkeys(
        ("initial-shielding", "notice-to-families"), "authority"
    )  # of a record's, not of whoever looks
    assert {code: one.of for code, one in RULES.conditions.items()} == ASKED_OF | of_authorities
    assert {code: one.years for code, one in RULES.conditions.items() if one.years is not None} == YEARS
    assert {code: set(one.voided_by) for code, one in RULES.conditions.items() if one.voided_by} == VOIDED_BY
    assert not [code for code, one in RULES.conditions.items() if one.roles], "asked of every role"


@pytest.mark.parametrize("role", ROLES)
def test_somebody_of_whom_everything_holds_may_what_their_role_may_and_nothing_else(role: str) -> None:
    assert codes(a_standing(role)) == []
    for right in RIGHTS:
        decided = admitted(a_standing(role), right, NOW, RULES)
        assert decided.allowed is (right in RULES.roles[role].may)
        assert decided.rule == (f"{right}-permitted" if decided.allowed else "right-not-held")


@pytest.mark.parametrize("state", BROKEN)
@pytest.mark.parametrize("code", ASKED_OF)
@pytest.mark.parametrize("role", ROLES)
def test_where_one_condition_does_not_hold_no_role_may_anything(role: str, code: str, state: State) -> None:
    standing = with_proof(code, BROKEN[state], role)
    expected = f"{code}-{state}"
    if state == "void" and code not in VOIDED_BY:
        assert codes(standing) == [], "what was altered has nothing to do with it"
        return
    assert codes(standing) == [expected]
    for right in RIGHTS:
        for decided in (admitted(standing, right, NOW, RULES), may(standing, right, "casework", NOW, RULES)):
            assert (decided.allowed, decided.rule) == (False, expected), (
                "also where the role may not: what was asked for is not looked at"
            )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": Party(a_standing().account.proofs, ended=True)}, "account-ended"),
        ({"account": Party(a_standing().account.proofs, suspended=True)}, "account-suspended"),
        ({"organisation": Party(a_standing().organisation.proofs, ended=True)}, "organisation-ended"),
        ({"organisation": Party(a_standing().organisation.proofs, suspended=True)}, "organisation-suspended"),
        ({"kind": None}, "role-not-open"),
        ({"kind": "school"}, "role-not-open"),
    ],
)
def test_what_was_done_to_an_account_or_its_organisation_shuts_it_out(
    changes: dict[str, object], code: str
) -> None:
    standing = replace(a_standing(), **changes)  # type: ignore[arg-type]
    assert codes(standing) == [code]
    assert admitted(standing, "search", NOW, RULES).rule == code


def test_an_account_of_which_nothing_is_on_record_is_let_in_nowhere() -> None:
    nobody = Standing("practitioner", ("casework",), False, None, Party(), Party(), training=True)
    assert codes(nobody) == ["role-not-open", *(f"{code}-missing" for code in ASKED_OF)]


def test_a_role_that_the_rules_forgot_may_nothing() -> None:
    assert codes(a_standing("minister")) == ["role-unknown", "role-not-open"]


@pytest.mark.parametrize("code", ASKED_OF)
def test_what_was_made_up_counts_in_a_training_home_alone(code: str) -> None:
    made_up = with_proof(code, Proof(LATELY, made_up=True))
    assert codes(made_up) == [f"{code}-missing"]
    assert codes(replace(made_up, training=True)) == []
    for years, expected in ((99, []), (100, [f"{code}-lapsed"])):
        then = begin_of(LATELY.replace(year=LATELY.year + years))
        on_record = {code: Proof(LATELY, made_up=True)}
        standing = a_standing(met_on=then.date(), on_record=on_record, training=True)
        assert codes(standing, then) == expected


def test_a_look_behind_shields_needs_the_right_and_the_grant() -> None:
    granted, not_granted = (a_standing("social-worker", may_override=flag) for flag in (True, False))
    assert may(granted, "override", "casework", NOW, RULES).allowed
    assert may(not_granted, "override", "casework", NOW, RULES).rule == "override-not-granted"
    assert may(a_standing(may_override=True), "override", "casework", NOW, RULES).rule == "right-not-held"


@pytest.mark.parametrize(
    ("purpose", "rule"),
    [
        ("casework", "search-permitted"),
        (None, "reason-unknown"),
        ("curiosity", "reason-unknown"),
        ("audit", "reason-not-yours"),
        ("safeguarding", "reason-not-yours"),
    ],
)
def test_a_look_needs_a_reason_that_rules_role_and_account_allow(purpose: str | None, rule: str) -> None:
    standing = a_standing(purposes=("casework", "audit"))
    assert may(standing, "search", purpose, NOW, RULES).rule == rule


# The instant at which a condition ends

MET_ON = (
    date(2023, 3, 29),  # ends in summer time of which the clocks changed days before
    date(2024, 2, 29),  # the anniversary is 1 March
    date(2023, 3, 26),  # ends on the day the clocks go forward in some year, or near it
    date(2023, 10, 29),  # the day they go back
    date(2022, 12, 31),
    date(2023, 1, 1),
    date(2023, 7, 1),
    date(2021, 3, 28),
    date(2021, 10, 31),
)


@pytest.mark.parametrize("met_on", MET_ON, ids=str)
@pytest.mark.parametrize("code", YEARS)
def test_what_lapses_holds_to_the_last_microsecond_before_midnight_in_london(code: str, met_on: date) -> None:
    years = YEARS[code]
    try:
        last_day_after = met_on.replace(year=met_on.year + years)
    except ValueError:
        last_day_after = date(met_on.year + years, 3, 1)
    midnight = datetime(last_day_after.year, last_day_after.month, last_day_after.day, tzinfo=LONDON)
    assert lapses_on(Proof(met_on), RULES.conditions[code], RULES) == last_day_after
    standing = a_standing(met_on=last_day_after - timedelta(days=20), on_record={code: Proof(met_on)})
    for zone in (UTC, LONDON, ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles")):
        before, after = (
            (midnight.astimezone(UTC) + by).astimezone(zone) for by in (-MICROSECOND, timedelta())
        )
        assert codes(standing, before) == []
        assert codes(standing, after) == [f"{code}-lapsed"]


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (
            date(2027, 3, 28),
            "2027-03-28T00:00:00+00:00",
        ),  # clocks go forward at 01:00: midnight is still winter's
        (date(2027, 3, 29), "2027-03-28T23:00:00+00:00"),
        (
            date(2027, 10, 31),
            "2027-10-30T23:00:00+00:00",
        ),  # they go back at 02:00: midnight is still summer's
        (date(2027, 11, 1), "2027-11-01T00:00:00+00:00"),
        (date(2028, 2, 29), "2028-02-29T00:00:00+00:00"),
    ],
)
def test_midnight_is_londons_on_the_days_the_clocks_change(day: date, utc: str) -> None:
    midnight = datetime.fromisoformat(utc)
    assert begin_of(day).astimezone(UTC) == midnight
    for code in ASKED_OF:
        proof = Proof(day - timedelta(days=100), ends_on=day)
        standing = a_standing(met_on=day - timedelta(days=50), on_record={code: proof})
        assert codes(standing, midnight - MICROSECOND) == []
        assert codes(standing, midnight) == [f"{code}-lapsed"]


@pytest.mark.parametrize("code", ASKED_OF)
def test_a_condition_holds_from_the_day_it_was_met_on(code: str) -> None:
    standing = a_standing(met_on=TODAY - timedelta(days=9), on_record={code: Proof(TODAY)})
    assert codes(standing, begin_of(TODAY) - MICROSECOND) == [f"{code}-missing"]
    assert codes(standing, begin_of(TODAY)) == []


def test_no_end_that_is_said_outlasts_the_period_of_the_rules() -> None:
    check = RULES.conditions["check"]
    assert lapses_on(Proof(TODAY, ends_on=date(2099, 1, 1)), check, RULES) == TODAY.replace(
        year=TODAY.year + 3
    )
    assert lapses_on(Proof(TODAY, ends_on=date(2026, 4, 1)), check, RULES) == date(2026, 4, 1)


def test_every_role_is_open_to_people_of_some_kind_of_organisation() -> None:
    assert set(KIND_OF_ROLE) == set(ROLES)
    assert all(role in RULES.organisations[kind].roles for role, kind in KIND_OF_ROLE.items())
