"""What falls due for every state a record can be in."""

from datetime import date
from uuid import UUID

import pytest

from domain.child_record.commands import GiveExtensionConsent, NotifyDeath
from domain.child_record.events import ChildRegistered, LeftEngland, RecordArchived, SourceKind
from projections.projection import as_served
from projections.retention_schedule.view import DueRow, ShieldRow, UndatedRow, rows
from tests import builders
from tests.builders import CHILD, NOW, TODAY, asserts, registers, the_rules
from tests.unit.projections.journal import Journal


def _rows(*facts: object) -> list[object]:
    journal = Journal()
    journal.tell(CHILD, *facts)  # type: ignore[arg-type]
    return list(rows(as_served(journal.history(CHILD)), the_rules()))


ARCHIVED = RecordArchived(archived_on=date(2026, 3, 1), rule_set="present", ground="age-18")
LEFT = LeftEngland(return_intended="yes", considered_left=date(2026, 1, 5))
CONSENT = GiveExtensionConsent(at=NOW, given_on=TODAY, category="care-leaver")
DEATH = NotifyDeath(at=NOW, died_on=TODAY, source_kind=SourceKind.AUTHORITY)


@pytest.mark.parametrize(
    ("facts", "action", "on", "rule"),
    [
        pytest.param((), "archive", date(2033, 6, 9), "age-18", id="a child"),
        pytest.param((CONSENT,), "archive", date(2040, 6, 9), "age-25", id="kept with consent"),
        pytest.param((DEATH,), "archive", date(2027, 3, 2), "death", id="died"),
        pytest.param(
            (asserts(whereabouts=LEFT),), "archive", date(2029, 1, 5), "left-england", id="left England"
        ),
        pytest.param((ARCHIVED,), "destroy", date(2032, 3, 1), "archive-period", id="archived"),
    ],
)
def test_each_record_has_its_next_day(facts: tuple[object, ...], action: str, on: date, rule: str) -> None:
    assert _rows(registers(), *facts) == [DueRow(CHILD, action, on, rule, "present", False)]


def test_a_shielded_record_keeps_its_day_but_not_one_that_tells_where_it_is() -> None:
    assert _rows(registers(), asserts(whereabouts=LEFT), builders.shields()) == [
        DueRow(CHILD, "archive", date(2033, 6, 9), "age-18", "present", True),
        ShieldRow(CHILD, date(2026, 9, 2), None, "present"),
    ]


def test_a_record_without_a_date_of_birth_is_listed_as_such() -> None:
    opened = ChildRegistered(index_number=builders.NUMBER, source_kind=SourceKind.BIRTHS, rule_set="present")
    assert _rows(opened) == [UndatedRow(CHILD, "no-date-of-birth", "present")]


def test_nothing_falls_due_for_what_is_destroyed() -> None:
    journal = Journal()
    journal.tell(CHILD, registers())
    journal.destroy(CHILD, UUID(int=9))
    assert rows(journal.history(CHILD), the_rules()) == ()
