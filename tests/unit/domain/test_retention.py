"""How long a record is live and how long it is archived (T59, T61, T63, T64, T65)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from domain.errors import Refused
from domain.policy.closure import destroyed_by, refuse_once_closed, shut_out
from domain.policy.retention import (
    Departure,
    Due,
    age_on,
    anniversary,
    london_day,
    schedule,
    visible_until,
)
from domain.rule_set.model import Closure, RuleSet
from tests.builders import the_rules


@dataclass(frozen=True)
class Life:
    """A record as retention sees it."""

    date_of_birth: date | None = date(2008, 5, 17)
    death_notified_on: date | None = None
    departure: Departure | None = None
    extension_consent_on: date | None = None
    extension_withdrawn_on: date | None = None
    supply_gone_on: date | None = None
    archived_on: date | None = None
    held_until: date | None = None


@pytest.mark.parametrize(
    ("born", "birthday"),
    [
        pytest.param(date(2008, 5, 17), date(2026, 5, 17), id="an ordinary birthday"),
        pytest.param(date(2008, 2, 29), date(2026, 3, 1), id="29 February becomes 1 March in a common year"),
        pytest.param(date(2008, 12, 31), date(2026, 12, 31), id="the last day of a year"),
        pytest.param(date(2009, 1, 1), date(2027, 1, 1), id="the first day of a year"),
        pytest.param(date(2009, 2, 28), date(2027, 2, 28), id="28 February stays"),
        pytest.param(date(2009, 3, 1), date(2027, 3, 1), id="1 March stays"),
    ],
)
def test_t59_a_record_leaves_readers_sight_on_the_18th_birthday(born: date, birthday: date) -> None:
    life = Life(date_of_birth=born)
    assert schedule(life, the_rules()) == (Due("archive", birthday, "age-18"),)
    assert visible_until(life, the_rules()) == birthday


def test_t59_one_born_on_29_february_is_18_on_1_march_for_every_such_birth() -> None:
    for year in range(1904, 2097, 4):
        born = date(year, 2, 29)
        eighteenth = anniversary(born, 18)
        assert (eighteenth.month, eighteenth.day) == ((2, 29) if _leap(year + 18) else (3, 1))
        assert age_on(born, eighteenth) == 18
        assert age_on(born, eighteenth - timedelta(days=1)) == 17


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def test_a_birthday_comes_once_every_year_of_a_life() -> None:
    for born in (date(2008, 2, 29), date(2008, 3, 1), date(2007, 12, 31)):
        ages = [age_on(born, born + timedelta(days=n)) for n in range(26 * 366)]
        assert ages[0] == 0
        assert all(later - earlier in (0, 1) for earlier, later in pairwise(ages))
        assert [age_on(born, anniversary(born, n)) for n in range(26)] == list(range(26))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        pytest.param(
            datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC), date(2026, 1, 15), id="winter, before midnight"
        ),
        pytest.param(datetime(2026, 1, 16, 0, 0, tzinfo=UTC), date(2026, 1, 16), id="winter, midnight"),
        pytest.param(
            datetime(2026, 7, 15, 22, 59, 59, tzinfo=UTC), date(2026, 7, 15), id="summer, before midnight"
        ),
        pytest.param(
            datetime(2026, 7, 15, 23, 0, tzinfo=UTC), date(2026, 7, 16), id="summer, midnight in London"
        ),
    ],
)
def test_a_legal_day_begins_at_midnight_in_london(instant: datetime, day: date) -> None:
    assert london_day(instant) == day


BORN = date(2008, 5, 17)
CONSENTED = date(2026, 4, 1)


@pytest.mark.parametrize(
    ("consented", "withdrawn", "due"),
    [
        pytest.param(None, None, Due("archive", date(2026, 5, 17), "age-18"), id="without consent: at 18"),
        pytest.param(CONSENTED, None, Due("archive", date(2033, 5, 17), "age-25"), id="with consent: at 25"),
        pytest.param(
            CONSENTED,
            date(2029, 8, 3),
            Due("archive", date(2029, 8, 3), "consent-withdrawn"),
            id="withdrawn at 21: that day",
        ),
        pytest.param(
            CONSENTED,
            date(2026, 4, 9),
            Due("archive", date(2026, 5, 17), "age-18"),
            id="withdrawn at 17: at 18",
        ),
        pytest.param(
            CONSENTED,
            date(2026, 5, 17),
            Due("archive", date(2026, 5, 17), "age-18"),
            id="withdrawn on the birthday",
        ),
        pytest.param(
            CONSENTED,
            date(2026, 5, 18),
            Due("archive", date(2026, 5, 18), "consent-withdrawn"),
            id="withdrawn the day after the birthday",
        ),
        pytest.param(
            date(2026, 5, 17),
            None,
            Due("archive", date(2026, 5, 17), "age-18"),
            id="consent on the birthday is too late",
        ),
        pytest.param(
            date(2026, 5, 16),
            None,
            Due("archive", date(2033, 5, 17), "age-25"),
            id="consent on its eve is in time",
        ),
        pytest.param(
            CONSENTED,
            date(2034, 1, 1),
            Due("archive", date(2033, 5, 17), "age-25"),
            id="withdrawn after 25: at 25",
        ),
    ],
)
def test_t61_consent_keeps_a_record_to_25_until_it_is_withdrawn(
    consented: date | None, withdrawn: date | None, due: Due
) -> None:
    life = Life(BORN, extension_consent_on=consented, extension_withdrawn_on=withdrawn)
    assert schedule(life, the_rules()) == (due,)
    assert visible_until(life, the_rules()) == due.on


@pytest.mark.parametrize(
    ("life", "due"),
    [
        pytest.param(
            Life(death_notified_on=date(2024, 2, 29)),
            Due("archive", date(2025, 3, 1), "death"),
            id="a year after a death was notified",
        ),
        pytest.param(
            Life(death_notified_on=date(2026, 1, 1)),
            Due("archive", date(2026, 5, 17), "age-18"),
            id="the 18th birthday comes first",
        ),
        pytest.param(
            Life(departure=Departure(date(2020, 1, 5), "no")),
            Due("archive", date(2020, 1, 5), "left-england"),
            id="left England, no return intended",
        ),
        pytest.param(
            Life(departure=Departure(date(2020, 1, 5), "yes")),
            Due("archive", date(2023, 1, 5), "left-england"),
            id="left England, return intended: three years",
        ),
        pytest.param(
            Life(departure=Departure(date(2020, 2, 29), "unknown")),
            Due("archive", date(2023, 3, 1), "left-england"),
            id="left England, nothing known: three years",
        ),
        pytest.param(
            Life(supply_gone_on=date(2021, 6, 1)),
            Due("archive", date(2021, 6, 1), "supply-withdrawn"),
            id="its only file was withdrawn",
        ),
        pytest.param(
            Life(archived_on=date(2026, 5, 17)),
            Due("destroy", date(2032, 5, 17), "archive-period"),
            id="archived: destroyed at 24",
        ),
        pytest.param(
            Life(archived_on=date(2024, 2, 29)),
            Due("destroy", date(2030, 3, 1), "archive-period"),
            id="archived on 29 February",
        ),
        pytest.param(
            Life(archived_on=date(2026, 5, 17), held_until=date(2033, 1, 1)),
            Due("destroy", date(2033, 1, 1), "legal-hold"),
            id="T66, held: destroyed once the hold ends",
        ),
        pytest.param(
            Life(archived_on=date(2026, 5, 17), held_until=date(2032, 5, 17)),
            Due("destroy", date(2032, 5, 17), "archive-period"),
            id="T66, a hold that ends in time changes nothing",
        ),
        pytest.param(
            Life(held_until=date(2033, 1, 1)),
            Due("archive", date(2026, 5, 17), "age-18"),
            id="T66, a hold keeps no record in sight",
        ),
        pytest.param(
            Life(archived_on=date(2033, 5, 17), extension_consent_on=CONSENTED),
            Due("destroy", date(2039, 5, 17), "archive-period"),
            id="a young person: destroyed at 31",
        ),
    ],
)
def test_what_falls_due_in_every_state_a_record_can_be_in(life: Life, due: Due) -> None:
    assert schedule(life, the_rules()) == (due,)


def test_nothing_falls_due_where_nobody_said_when_the_child_was_born() -> None:
    assert schedule(Life(date_of_birth=None), the_rules()) == ()
    assert visible_until(Life(date_of_birth=None), the_rules()) is None


def test_a_record_archived_late_left_sight_when_it_fell_due() -> None:
    assert visible_until(Life(BORN, archived_on=date(2026, 9, 1)), the_rules()) == date(2026, 5, 17)


def test_periods_come_from_the_rules() -> None:
    rules = the_rules()
    longer: RuleSet = rules.model_copy(update={"ages": rules.ages.model_copy(update={"archive": 19})})
    assert schedule(Life(BORN), longer) == (Due("archive", date(2027, 5, 17), "age-19"),)


NOON = datetime(2026, 8, 6, 11, 0, tzinfo=UTC)
YOUNG = date(2012, 5, 17)
CLOSING = Closure(at=NOON, destroy_months=2, may={"operator": ("retention", "policy", "two-people")})


@pytest.mark.parametrize(
    ("life", "due"),
    [
        pytest.param(Life(), Due("archive", date(2026, 5, 17), "age-18"), id="archived before it closes"),
        pytest.param(Life(YOUNG), Due("destroy", date(2026, 8, 7), "closure"), id="live"),
        pytest.param(
            Life(None), Due("destroy", date(2026, 8, 7), "closure"), id="nobody said when it was born"
        ),
        pytest.param(
            Life(YOUNG, archived_on=date(2020, 8, 1)),
            Due("destroy", date(2026, 8, 1), "archive-period"),
            id="due before",
        ),
        pytest.param(
            Life(YOUNG, held_until=date(2027, 1, 1)),
            Due("destroy", date(2027, 1, 1), "legal-hold"),
            id="held",
        ),
        pytest.param(
            Life(YOUNG, held_until=date(2026, 8, 7)),
            Due("destroy", date(2026, 8, 7), "closure"),
            id="held till then",
        ),
    ],
)
def test_t60_closure_destroys_every_record_from_the_day_after_and_a_hold_still_counts(
    life: Life, due: Due
) -> None:
    assert schedule(life, the_rules().model_copy(update={"closure": CLOSING})) == (due,)


def test_t60_closure_begins_at_its_instant_and_keeps_to_those_whom_it_names() -> None:
    rules = the_rules().model_copy(update={"closure": CLOSING})
    before = NOON - timedelta(microseconds=1)
    assert not shut_out(rules, before, "practitioner", "show")
    assert shut_out(rules, NOON, "practitioner")
    assert not shut_out(rules, NOON, "operator")
    assert not shut_out(rules, NOON, "operator", "retention")
    assert shut_out(rules, NOON, "operator", "load")
    assert destroyed_by(CLOSING) == date(2026, 10, 6)
    refuse_once_closed(rules, before)
    with pytest.raises(Refused) as refused:
        refuse_once_closed(rules, NOON)
    assert refused.value.code == "index-closed"
