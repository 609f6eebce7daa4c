"""A death that was none (T64), and what keeps a record from being destroyed (T66)."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from adapters.rule_files import packaged
from domain.child_record.commands import (
    ArchiveRecord,
    GiveExtensionConsent,
    HoldDestruction,
    NotifyDeath,
    ReleaseHold,
    ReverseDeath,
)
from domain.child_record.decisions import decide
from domain.child_record.events import (
    DeathNotified,
    DeathReversed,
    DestructionHeld,
    HoldReleased,
    RecordArchived,
    RecordReopened,
    Source,
    SourceKind,
)
from domain.errors import Unavailable
from domain.policy.retention import Due, schedule
from tests.builders import asserts, registers, shields, the_rules
from tests.given import after, given

BORN = date(2008, 5, 17)
REGISTERED = registers(date_of_birth=BORN, at=datetime(2020, 1, 1, tzinfo=UTC))
DIED = date(2024, 2, 20)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def dies(
    on: date = DIED, told: date = date(2024, 3, 1), kind: SourceKind = SourceKind.PDS, file: int = 1
) -> NotifyDeath:
    return NotifyDeath(at=at(told), died_on=on, source_kind=kind, source=Source(file=UUID(int=file)))


def archives(on: date, ground: str) -> ArchiveRecord:
    return ArchiveRecord(at=at(on), archived_on=on, ground=ground)


def reverses(on: date) -> ReverseDeath:
    return ReverseDeath(at=at(on))


def holds(
    until: date, ground: str = "court-order", on: date = date(2026, 6, 1), which: int = 1
) -> HoldDestruction:
    return HoldDestruction(at=at(on), hold=UUID(int=which), ground=ground, until=until)


def releases(on: date = date(2026, 6, 2), ground: str | None = None) -> ReleaseHold:
    return ReleaseHold(at=at(on), ground=ground)


# T64


def test_t64_a_death_that_was_none_leaves_the_record_as_it_was_with_shield_and_consent() -> None:
    consents = GiveExtensionConsent(
        at=at(date(2024, 2, 1)), given_on=date(2024, 2, 1), category="care-leaver"
    )
    before = after(REGISTERED, shields(), consents)
    record = (
        given(REGISTERED, shields(), consents, dies(), archives(date(2025, 3, 1), "death"))
        .when(reverses(date(2025, 6, 1)))
        .then(DeathReversed, RecordReopened)
    )
    assert (record.died_on, record.death_notified_on, record.archived_on) == (None, None, None)
    assert record.shields == before.shields
    assert record.extension_consent_on == before.extension_consent_on
    assert schedule(record, the_rules()) == schedule(before, the_rules())


def test_t64_every_notice_is_taken_back_and_a_feed_that_repeats_one_changes_nothing() -> None:
    history = (REGISTERED, dies(), dies(kind=SourceKind.BIRTHS), reverses(date(2024, 4, 1)))
    assert after(*history).deaths == ()
    given(*history).when(dies(told=date(2024, 5, 1), file=2)).then_nothing()
    given(*history).when(asserts(died_on=DIED)).then_nothing()
    given(*history).when(dies(on=date(2024, 4, 20), told=date(2024, 5, 1), file=2)).then(DeathNotified)
    given(*history).when(dies(told=date(2024, 5, 1), kind=SourceKind.AUTHORITY)).then(DeathNotified)


def test_t64_a_record_that_another_rule_has_made_due_since_is_archived_under_that_from_its_day() -> None:
    record = (
        given(REGISTERED, dies(), archives(date(2025, 3, 1), "death"))
        .when(reverses(date(2027, 1, 1)))
        .then(DeathReversed, RecordArchived)
    )
    assert (record.archived_on, record.archive_ground) == (date(2026, 5, 17), "age-18")
    assert schedule(record, the_rules()) == (Due("destroy", date(2032, 5, 17), "archive-period"),)


def test_a_death_that_nobody_notified_is_not_reversed_and_of_a_shielded_record_nothing_is_told() -> None:
    given(REGISTERED).when(reverses(date(2024, 4, 1))).then_refused("no-death")
    given(REGISTERED, shields()).when(reverses(date(2024, 4, 1))).then_nothing()


# T66


def test_t66_a_hold_postpones_the_destruction_to_its_end_and_a_release_brings_it_back() -> None:
    archived = (
        REGISTERED,
        archives(date(2026, 5, 17), "age-18"),
        holds(date(2029, 6, 1), on=date(2026, 6, 1)),
    )
    again = (*archived, holds(date(2033, 1, 1), on=date(2031, 1, 1), which=2))
    record = after(*again)
    assert [hold.until for hold in record.holds] == [date(2033, 1, 1)], "the same hold, moved"
    assert schedule(record, the_rules()) == (Due("destroy", date(2033, 1, 1), "legal-hold"),)
    released = given(*again).when(releases(date(2031, 2, 1))).then(HoldReleased)
    assert schedule(released, the_rules()) == (Due("destroy", date(2032, 5, 17), "archive-period"),)


def test_t66_holds_on_several_authorities_stand_apart_and_the_last_counts() -> None:
    history = (REGISTERED, holds(date(2028, 1, 1)), holds(date(2027, 1, 1), "legal-claim", which=2))
    assert after(*history).held_until == date(2028, 1, 1)
    record = given(*history).when(releases(ground="court-order")).then(HoldReleased)
    assert record.held_until == date(2027, 1, 1)
    assert given(*history).when(releases()).then(HoldReleased).holds == ()


def test_t66_a_hold_names_an_authority_of_the_rules_and_a_day_to_come_within_their_period() -> None:
    given(REGISTERED).when(holds(date(2028, 1, 1), "whim")).then_refused("unknown-authority", "authority")
    given(REGISTERED).when(holds(date(2026, 6, 1))).then_refused("date-in-past", "until")
    given(REGISTERED).when(holds(date(2029, 6, 2))).then_refused("too-long", "until")
    given(REGISTERED).when(holds(date(2029, 6, 1))).then(DestructionHeld)
    given(REGISTERED, holds(date(2028, 1, 1))).when(holds(date(2028, 1, 1), which=2)).then_nothing()


@pytest.mark.parametrize(("name", "year"), [("2007", 2008), ("2010", 2011), ("present", 2026)])
def test_t66_t80_a_hold_is_decided_by_the_rules_of_its_own_day(name: str, year: int) -> None:
    rules, hold = packaged()[name].rules, holds(date(year + 1, 6, 1), on=date(year, 6, 2))
    (held,) = [
        one for one in decide(after(REGISTERED), hold, rules).events if isinstance(one, DestructionHeld)
    ]
    assert held.rule_set == name
    for other in {"2007", "2010", "present"} - {name}:
        with pytest.raises(Unavailable) as refused:
            decide(after(REGISTERED), hold, packaged()[other].rules)
        assert refused.value.code == "rules-changed"


def test_t66_what_is_not_held_is_not_released_and_of_a_shielded_record_nothing_is_told() -> None:
    given(REGISTERED).when(releases()).then_refused("no-hold")
    given(REGISTERED, holds(date(2028, 1, 1))).when(releases(ground="legal-claim")).then_refused("no-hold")
    given(REGISTERED, holds(date(2027, 1, 1))).when(releases(date(2027, 1, 1))).then_refused("no-hold")
    given(REGISTERED, shields()).when(releases()).then_nothing()
    given(REGISTERED, shields(), holds(date(2028, 1, 1))).when(releases()).then(HoldReleased)
