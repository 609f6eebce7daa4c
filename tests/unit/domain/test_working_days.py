"""The bank holidays in the rule files, against how they are laid down: computed here, listed there."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from adapters.rule_files import packaged
from domain.policy.working_days import is_working, working_day_after

MOVED = {
    date(2020, 5, 4): date(2020, 5, 8),
    date(2012, 5, 28): date(2012, 6, 4),
    date(2022, 5, 30): date(2022, 6, 2),
}
"""By proclamation, what would have been: what was."""
ADDED = {date(2011, 4, 29), date(2012, 6, 5), date(2022, 6, 3), date(2022, 9, 19), date(2023, 5, 8)}
"""By proclamation."""


def easter(year: int) -> date:
    """Easter Sunday (Butcher's algorithm, 1876)."""
    century, in_century = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def monday_from(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def laid_down(year: int) -> Iterator[date]:
    """The bank holidays of England of a year (Banking and Financial Dealings Act 1971, Schedule 1; proclamations)."""
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        weekend = day.weekday() > 4
        second = day.month == 12 and (day.day == 25 or day.weekday() == 6)
        yield day if not weekend else day + timedelta(days=2 if second else 7 - day.weekday())
    yield easter(year) - timedelta(days=2)
    yield easter(year) + timedelta(days=1)
    for day in (date(year, 5, 1), date(year, 5, 25), date(year, 8, 25)):
        yield MOVED.get(monday_from(day), monday_from(day))
    yield from (day for day in ADDED if day.year == year)


@pytest.mark.parametrize(
    ("rule_set", "first", "last"), [("2007", 2007, 2010), ("2010", 2010, 2018), ("present", 2018, 2028)]
)
def test_bank_holidays_are_those_that_are_laid_down(rule_set: str, first: int, last: int) -> None:
    listed = packaged()[rule_set].rules.working_days
    assert list(listed.bank_holidays) == sorted(
        {day for year in range(first, last + 1) for day in laid_down(year)}
    )
    assert listed.known_to == last


def test_a_bank_holiday_is_no_working_day() -> None:
    rules = packaged()["present"].rules
    assert not is_working(date(2027, 3, 26), rules)
    assert not is_working(date(2027, 3, 27), rules)
    assert is_working(date(2027, 3, 25), rules)
    assert working_day_after(date(2027, 3, 25), 2, rules) == date(2027, 3, 31)
