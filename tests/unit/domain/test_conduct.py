"""What is flagged of a look, decided purely: one's own, and patterns unlike a role's work."""

from datetime import date
from typing import Any

import pytest

from domain.access.conduct import Recent, own, pattern
from domain.access.events import Criteria
from domain.account.events import TiesDeclared
from domain.policy.working_days import working_day_after
from tests.builders import the_rules

TIES = TiesDeclared(surnames=("Ní Bhriain",), postcodes=("LS1 6AE",), relatives=("Aoife Ní Bhriain",))
LEAST = the_rules().conduct.pattern_after


def shown(
    given: str = "Ada", family: str = "Quill", postcode: str | None = None, **more: Any
) -> dict[str, Any]:
    record: dict[str, Any] = {"name": {"given": [given], "family": family}, **more}
    return record | ({"address": {"postcode": postcode}} if postcode else {})


@pytest.mark.parametrize(
    ("criteria", "record", "cause"),
    [
        (Criteria(name="ni bhriain sean"), None, "own-surname"),
        (Criteria(name="NÍ BHRIAIN, AOIFE MARY"), None, "declared-family"),
        (Criteria(name="Quill", postcode="LS1 6AE"), None, "own-address"),
        (None, shown(family="Ni Bhriain"), "own-surname"),
        (None, shown("Aoife", "Ní Bhriain"), "declared-family"),
        (None, shown(postcode="LS1 6AE"), "own-address"),
        (None, shown(former_names=[{"given": ["Aoife"], "family": "Ní Bhriain"}]), "declared-family"),
        (None, shown(carers=[{"name": {"given": ["Aoife"], "family": "Ní Bhriain"}}]), "declared-family"),
        (Criteria(name="Bhriain"), None, None),
        (Criteria(name="Quill", postcode="LS1 6AF"), shown(postcode="LS2 7EW"), None),
        (Criteria(name="Aoife"), shown("Aoife", "Quill"), None),
    ],
)
def test_ones_own_is_found_in_what_was_asked_and_in_what_was_shown(
    criteria: Criteria | None, record: dict[str, Any] | None, cause: str | None
) -> None:
    assert own(TIES, criteria, [record] if record else []) == cause
    assert own(None, criteria, [record] if record else []) is None


def test_of_a_shielded_record_nothing_is_compared_that_is_not_shown() -> None:
    assert own(TIES, None, [{"name": {"given": ["Ada"], "family": "Quill"}, "shielded": True}]) is None


def searches(*names: str, born: date | None = None) -> tuple[Criteria, ...]:
    return tuple(Criteria(name=name, date_of_birth=born) for name in names)


def found(recent: Recent, role: str = "practitioner", *, searching: bool = True) -> str | None:
    return pattern(recent, role, the_rules(), searching=searching)


def test_names_in_order_are_a_pattern_either_way_and_not_before_there_are_enough() -> None:
    names = [f"Qu{chr(97 + number)}rry" for number in range(LEAST)]
    assert found(Recent(searches(*names), 1, 1)) == "sequential-names"
    assert found(Recent(searches(*names[::-1]), 1, 1)) == "sequential-names"
    assert found(Recent(searches(*names[1:]), 1, 1)) is None
    assert found(Recent(searches(*names[:-2], names[-1], names[-2]), 1, 1)) is None
    assert found(Recent(searches(*(["Same"] * LEAST)), 1, 1)) is None


def test_searches_by_name_and_birth_that_open_nothing_are_an_age_check() -> None:
    names = [f"Name {number * 7 % LEAST}" for number in range(LEAST)]
    by_age = searches(*names, born=date(2010, 1, 2))
    assert found(Recent(by_age, 0, 0)) == "age-check"
    assert found(Recent(by_age, 1, 0)) is None
    assert found(Recent((*by_age[1:], Criteria(name="Other")), 0, 0)) is None
    assert found(Recent(by_age, 0, 0), searching=False) is None, "opening a record ends it"


def test_records_opened_without_ever_an_involvement_are_a_pattern_of_who_may_add_one() -> None:
    assert found(Recent((), LEAST, 0), searching=False) == "no-involvement"
    assert found(Recent((), LEAST, 1), searching=False) is None
    assert found(Recent((), LEAST - 1, 0), searching=False) is None
    assert found(Recent((), LEAST, 0), "reader", searching=False) is None, "a reader adds nothing anyhow"


@pytest.mark.parametrize(
    ("opened", "taken_up"),
    [
        ("2027-03-10", "2027-03-11"),
        ("2027-03-12", "2027-03-15"),
        ("2027-03-13", "2027-03-15"),
        ("2027-03-25", "2027-03-30"),  # over Easter
        ("2027-12-24", "2027-12-29"),  # Christmas is on a Saturday, so two days stand in for it
        ("2022-06-01", "2022-06-06"),  # the spring holiday was moved, and a day of jubilee added
        ("2029-04-30", "2029-05-01"),  # of years that are not published Saturdays and Sundays alone are known
        ("2029-05-04", "2029-05-07"),
    ],
)
def test_an_investigation_is_taken_up_by_the_next_working_day(opened: str, taken_up: str) -> None:
    rules = the_rules()
    day = working_day_after(date.fromisoformat(opened), rules.conduct.review_days, rules)
    assert day == date.fromisoformat(taken_up)
