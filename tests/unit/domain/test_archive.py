"""Consent to be kept beyond 18, death, and archiving what is due (T59, T61)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.child_record.commands import (
    ArchiveRecord,
    GiveExtensionConsent,
    NotifyDeath,
    WithdrawExtensionConsent,
)
from domain.child_record.events import (
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    LeftEngland,
    RecordArchived,
    ShieldRaised,
    SourceKind,
)
from domain.kernel import Command
from tests.builders import an_address, asserts, corrects, involves, registers, shields
from tests.given import after, given

BORN = date(2008, 5, 17)
REGISTERED = registers(date_of_birth=BORN, at=datetime(2020, 1, 1, tzinfo=UTC))


def at(day: date) -> datetime:
    """Noon on a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def consents(on: date = date(2026, 4, 1), category: str = "care-leaver") -> GiveExtensionConsent:
    return GiveExtensionConsent(at=at(on), given_on=on, category=category)


def withdraws(on: date) -> WithdrawExtensionConsent:
    return WithdrawExtensionConsent(at=at(on), withdrawn_on=on)


def archives(on: date, ground: str = "age-18", today: date | None = None) -> ArchiveRecord:
    return ArchiveRecord(at=at(today or on), archived_on=on, ground=ground)


@pytest.mark.parametrize("category", ["care-leaver", "learning-disability"])
def test_t61_care_leavers_and_those_with_learning_disabilities_may_consent(category: str) -> None:
    given(REGISTERED).when(consents(category=category)).then(ExtensionConsentGiven)


def test_t61_nobody_else_may() -> None:
    given(REGISTERED).when(consents(category="convenience")).then_refused("category-not-eligible", "category")


def test_t61_consent_is_given_before_the_18th_birthday() -> None:
    given(REGISTERED).when(consents(date(2026, 5, 17))).then_refused("too-late", "given_on")
    given(REGISTERED).when(consents(date(2026, 5, 16))).then(ExtensionConsentGiven)


def test_consent_of_tomorrow_is_none() -> None:
    tomorrow = GiveExtensionConsent(
        at=at(date(2026, 4, 1)), given_on=date(2026, 4, 2), category="care-leaver"
    )
    given(REGISTERED).when(tomorrow).then_refused("date-in-future", "given_on")


def test_consent_given_twice_changes_nothing_and_can_be_given_again_after_withdrawal() -> None:
    given(REGISTERED, consents()).when(consents()).then_nothing()
    again = consents(date(2026, 5, 1))
    record = (
        given(REGISTERED, consents(), withdraws(date(2026, 4, 9))).when(again).then(ExtensionConsentGiven)
    )
    assert record.extension_withdrawn_on is None


def test_t61_withdrawal_at_21_archives_that_day() -> None:
    record = (
        given(REGISTERED, consents())
        .when(withdraws(date(2029, 8, 3)))
        .then(ExtensionConsentWithdrawn, RecordArchived)
    )
    assert record.archived_on == date(2029, 8, 3)


def test_t61_withdrawal_before_18_leaves_the_record_until_the_birthday() -> None:
    given(REGISTERED, consents()).when(withdraws(date(2026, 4, 9))).then(ExtensionConsentWithdrawn)


def test_consent_that_was_not_given_cannot_be_withdrawn() -> None:
    given(REGISTERED).when(withdraws(date(2026, 4, 9))).then_refused("no-consent")


def test_consent_is_withdrawn_once_not_before_it_was_given_and_not_tomorrow() -> None:
    withdrawn = withdraws(date(2026, 4, 9))
    given(REGISTERED, consents(), withdrawn).when(withdrawn).then_nothing()
    given(REGISTERED, consents()).when(withdraws(date(2026, 3, 31))).then_refused(
        "dates-out-of-order", "withdrawn_on"
    )
    tomorrow = WithdrawExtensionConsent(at=at(date(2026, 4, 9)), withdrawn_on=date(2026, 4, 10))
    given(REGISTERED, consents()).when(tomorrow).then_refused("date-in-future", "withdrawn_on")


def test_t59_a_record_is_archived_on_the_18th_birthday_and_not_on_its_eve() -> None:
    given(REGISTERED).when(archives(date(2026, 5, 16))).then_refused("not-due", "ground")
    record = given(REGISTERED).when(archives(date(2026, 5, 17))).then(RecordArchived)
    assert record.archived_on == date(2026, 5, 17)


def test_archiving_late_may_carry_the_day_it_fell_due_or_a_later_one() -> None:
    late = date(2026, 9, 1)
    for on in (date(2026, 5, 17), late):
        assert given(REGISTERED).when(archives(on, today=late)).then(RecordArchived).archived_on == on


def test_a_record_is_archived_under_the_rule_that_makes_it_due() -> None:
    given(REGISTERED).when(archives(date(2026, 5, 17), "death")).then_refused("not-due", "ground")


def test_a_record_is_not_archived_ahead_of_time() -> None:
    ahead = archives(date(2026, 5, 17), today=date(2026, 5, 1))
    given(REGISTERED).when(ahead).then_refused("date-in-future", "archived_on")


def test_a_record_is_archived_once() -> None:
    given(REGISTERED, archives(date(2026, 5, 17))).when(archives(date(2026, 5, 18))).then_nothing()


def test_a_year_after_a_death_was_notified_the_record_is_archived() -> None:
    death = NotifyDeath(at=at(date(2024, 3, 1)), died_on=date(2024, 2, 20))
    due = date(2025, 3, 1)
    given(REGISTERED, death).when(archives(due - timedelta(days=1), "death")).then_refused(
        "not-due", "ground"
    )
    given(REGISTERED, death).when(archives(due, "death")).then(RecordArchived)


def test_whether_a_shielded_child_left_england_is_not_told() -> None:
    left = LeftEngland(return_intended="no", considered_left=date(2026, 1, 1))
    stayed = archives(date(2026, 2, 1), "left-england")
    given(REGISTERED).when(stayed).then_refused("not-due", "ground")
    given(REGISTERED, shields()).when(stayed).then_nothing()
    given(REGISTERED, asserts(whereabouts=left, effective=date(2026, 1, 1)), shields()).when(stayed).then(
        RecordArchived
    )


def test_withdrawal_archives_nothing_that_another_rule_has_made_due_already() -> None:
    death = NotifyDeath(at=at(date(2027, 3, 1)), died_on=date(2027, 2, 20))
    given(REGISTERED, consents(), death).when(withdraws(date(2029, 8, 3))).then(ExtensionConsentWithdrawn)


LEFT = LeftEngland(return_intended="no", considered_left=date(2024, 1, 1))
SCOTLAND = {"whereabouts": LEFT, "effective": date(2024, 1, 1)}


@pytest.mark.parametrize(
    ("history", "gone"),
    [
        pytest.param([asserts(**SCOTLAND)], True, id="a source says so"),
        pytest.param(
            [asserts(**SCOTLAND), asserts(whereabouts=an_address(), effective=date(2025, 1, 1))],
            False,
            id="and later that the child is back",
        ),
        pytest.param(
            [asserts(**SCOTLAND), corrects(whereabouts=an_address(), effective=date(2024, 1, 1))],
            False,
            id="an officer says otherwise of the same day",
        ),
        pytest.param(
            [
                asserts(**SCOTLAND),
                corrects(whereabouts=an_address(), effective=date(2024, 1, 1)),
                asserts(whereabouts=LEFT, address_effective=date(2025, 1, 1)),
            ],
            False,
            id="and the source only repeats itself",
        ),
        pytest.param(
            [
                corrects(whereabouts=an_address(), effective=date(2024, 1, 1)),
                asserts(whereabouts=LEFT, address_effective=date(2025, 1, 1)),
            ],
            True,
            id="an officer said otherwise of an earlier day",
        ),
        pytest.param(
            [
                asserts(whereabouts=LEFT, effective=date(2023, 1, 1)),
                corrects(whereabouts=an_address("1 Elm Street"), effective=date(2024, 1, 1)),
                corrects(whereabouts=LEFT, effective=date(2023, 6, 1)),
            ],
            True,
            id="the officer's last word counts",
        ),
        pytest.param(
            [
                asserts(**SCOTLAND),
                asserts(
                    source_kind=SourceKind.SCHOOL_CENSUS, whereabouts=an_address(), effective=date(2024, 1, 1)
                ),
            ],
            True,
            id="of two sources of one day the higher rank",
        ),
    ],
)
def test_whether_a_child_left_england_is_what_was_last_said(history: list[Command], gone: bool) -> None:
    departure = after(REGISTERED, *history).departure
    assert (departure is not None) is gone


def test_an_archived_record_takes_a_shield_and_no_service_and_no_consent() -> None:
    archived = given(REGISTERED, archives(date(2026, 5, 17)))
    archived.when(involves()).then_refused("archived")
    archived.when(consents()).then_refused("archived")
    archived.when(shields()).then(ShieldRaised)
