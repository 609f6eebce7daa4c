"""Which days are working days, by the rules of the day: no Saturday, no Sunday, and no bank holiday that is listed."""

from datetime import date, timedelta
from typing import Final

from domain.rule_set.model import RuleSet

_SATURDAY: Final = 5


def is_working(day: date, rules: RuleSet) -> bool:
    """Whether this is a working day, as far as the rules know: of years after `known_to` they know no bank holiday."""
    return day.weekday() < _SATURDAY and day not in rules.working_days.bank_holidays


def working_day_after(day: date, count: int, rules: RuleSet) -> date:
    """The working day that is the so-manieth after this one."""
    while count:
        day += timedelta(days=1)
        count -= is_working(day, rules)
    return day
