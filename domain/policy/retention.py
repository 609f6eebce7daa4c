"""How long a record is live, how long it is archived, and under which rule either ends.

Legal days begin at 00:00 in London. A person attains an age at the start of its birthday (Family Law Reform Act 1969
s.9); one born on 29 February does so on 1 March in a common year.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from domain.rule_set.model import Closure, RuleSet

LONDON: Final = ZoneInfo("Europe/London")

CONSENT_WITHDRAWN: Final = "consent-withdrawn"
DEATH: Final = "death"
LEFT_ENGLAND: Final = "left-england"
SUPPLY_WITHDRAWN: Final = "supply-withdrawn"
ARCHIVE_PERIOD: Final = "archive-period"
LEGAL_HOLD: Final = "legal-hold"
CLOSURE: Final = "closure"


@dataclass(frozen=True, slots=True)
class Departure:
    """That a child left England, on the day a body considers it happened (Schedule 1 para 2(d))."""

    considered_left: date
    return_intended: Literal["yes", "no", "unknown"]


class Due(NamedTuple):
    """What falls due, on which day, under which rule."""

    action: Literal["archive", "destroy"]
    on: date
    rule: str


class Life(Protocol):
    """What these rules need to know of a record; a value that its reader may not open is None."""

    @property
    def date_of_birth(self) -> date | None: ...
    @property
    def death_notified_on(self) -> date | None: ...
    @property
    def departure(self) -> Departure | None: ...
    @property
    def extension_consent_on(self) -> date | None: ...
    @property
    def extension_withdrawn_on(self) -> date | None: ...
    @property
    def supply_gone_on(self) -> date | None: ...
    @property
    def archived_on(self) -> date | None: ...


class Kept(Life, Protocol):
    """The same, with what postpones destruction: the first day on which no hold stands."""

    @property
    def held_until(self) -> date | None: ...


@lru_cache(maxsize=256)
def london_day(instant: datetime) -> date:
    """The legal day in which an instant (aware) lies."""
    return instant.astimezone(LONDON).date()


def begin_of(day: date) -> datetime:
    """The instant at which a legal day begins: 00:00 in London, on the days the clocks change as well."""
    return datetime.combine(day, time(), LONDON)


def end_of(day: date) -> datetime:
    """The instant before which a legal day is: that at which the next begins, or the last there is."""
    return begin_of(day + timedelta(days=1)) if day < date.max else datetime.combine(day, time.max, UTC)


def between(since: date | None, until: date | None) -> tuple[datetime | None, datetime | None]:
    """From which instant to before which other two legal days are, both included; None where there is no such end."""
    return None if since is None else begin_of(since), None if until is None else end_of(until)


def anniversary(day: date, years: int) -> date:
    """The day `years` whole years later; 29 February becomes 1 March in a common year."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def months_after(day: date, months: int) -> date:
    """The day of the same number so many months later, or the last of that month where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def age_on(born: date, day: date) -> int:
    """Whole years of age at the start of a day (negative before birth)."""
    years = day.year - born.year
    return years if anniversary(born, years) <= day else years - 1


def age_rule(age: int) -> str:
    """The name of the rule that archives on a birthday."""
    return f"age-{age}"


def archive_due(life: Life, rules: RuleSet) -> Due | None:
    """The first day on which a rule archives the record, whether or not it has been archived.

    None where no rule has a date: nothing said when the child was born.
    """
    found = [Due("archive", on, rule) for rule, on in _ends(life, rules)]
    return min(found, key=lambda due: due.on, default=None)


def schedule(life: Kept, rules: RuleSet) -> tuple[Due, ...]:
    """What falls due next for a record: its archiving while it is live, its destruction once it is archived.

    The closure of the index destroys it whatever it is. A hold postpones the destruction and nothing else: the record
    leaves readers' sight on its day.
    """
    if life.archived_on is not None:
        ends = [Due("destroy", anniversary(life.archived_on, rules.periods.archive), ARCHIVE_PERIOD)]
    else:
        archive = archive_due(life, rules)
        ends = [archive] if archive else []
    if rules.closure is not None:
        ends.append(closing_due(rules.closure))
    due = min(ends, key=lambda one: one.on, default=None)
    if due is None:
        return ()
    held = life.held_until
    stopped = due.action == "destroy" and held is not None and held > due.on
    return (Due("destroy", held, LEGAL_HOLD) if stopped and held is not None else due,)


def closing_due(closure: Closure) -> Due:
    """That every record is destroyed when the index is closed, from the day after on: readers are in it till then."""
    return Due("destroy", london_day(closure.at) + timedelta(days=1), CLOSURE)


def visible_until(life: Life, rules: RuleSet) -> date | None:
    """The first day on which readers may no longer see the record, archived by then or not. None: no such day yet."""
    days = [on for _, on in _ends(life, rules)]
    if life.archived_on is not None:
        days.append(life.archived_on)
    return min(days, default=None)


def _ends(life: Life, rules: RuleSet) -> list[tuple[str, date]]:
    """Each rule that ends this record's life, with its day."""
    found: list[tuple[str, date]] = []
    if (born := life.date_of_birth) is not None:
        found.append(_age_limit(life, born, rules))
    if (died := life.death_notified_on) is not None:
        found.append((DEATH, anniversary(died, rules.periods.after_death)))
    if (departure := life.departure) is not None:
        years = 0 if departure.return_intended == "no" else rules.periods.left_england
        found.append((LEFT_ENGLAND, anniversary(departure.considered_left, years)))
    if life.supply_gone_on is not None:
        found.append((SUPPLY_WITHDRAWN, life.supply_gone_on))
    return found


def _age_limit(life: Life, born: date, rules: RuleSet) -> tuple[str, date]:
    of_age = anniversary(born, rules.ages.archive)
    if life.extension_consent_on is None or life.extension_consent_on >= of_age:
        return age_rule(rules.ages.archive), of_age
    end = anniversary(born, rules.ages.extension)
    withdrawn = life.extension_withdrawn_on
    if withdrawn is None or withdrawn >= end:
        return age_rule(rules.ages.extension), end
    if withdrawn <= of_age:
        return age_rule(rules.ages.archive), of_age
    return CONSENT_WITHDRAWN, withdrawn
