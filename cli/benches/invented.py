"""Invented children and what happens to them, as commands. No number of theirs was ever issued to a person."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import UUID

from domain.child_record.commands import AssertFacts, BeginInvolvement, RegisterChild
from domain.child_record.decisions import decide
from domain.child_record.events import (
    Address,
    Contact,
    CurrentAddress,
    Gender,
    Institution,
    PersonName,
    Source,
    SourceKind,
)
from domain.child_record.handlers import change_of
from domain.child_record.model import unknown
from domain.kernel import Change
from domain.ports import Ids
from domain.rule_set.model import RuleSet

_T = TypeVar("_T")

AUTHORITY: Final = "E06000999"
_GIVEN: Final = ("Amira", "Tobias", "Niamh", "Kwame", "Seren", "Oluwaseun", "Freya", "Idris", "Mei", "Rowan")
_MIDDLE: Final = ("Jane", "Ali", "Grace", "Kofi", "Louise", "James", "Rose")
_FAMILY: Final = (
    "Khan",
    "O'Sullivan",
    "Okafor-Bell",
    "Whitlock",
    "Nowak",
    "Pryce",
    "Chowdhury",
    "Ashdown",
    "Hale",
)
_STREETS: Final = ("Alder Road", "Elm Street", "Quarry Lane", "Station Approach", "The Green", "Mill Terrace")
_TOWNS: Final = ("Marlbridge", "Stow Harbour", "Kettleby", "Eastmere")
_BIRTHS: Final = tuple(date(year, month, 9) for year in range(2011, 2024) for month in range(1, 13))


def registers(number: int, at: datetime, file: UUID, ids: Ids) -> RegisterChild:
    """A child of a national file: name, date of birth, gender, NHS number, address and practice."""
    return RegisterChild(
        at=at,
        index_number=ids.index_number(),
        owning_authority=AUTHORITY,
        source_kind=SourceKind.PDS,
        source=Source(body="NHS", file=file, record=f"P-{number}"),
        effective=date(2024, 5, 1),
        confidence="verified",
        names=(
            PersonName(given=(_one(_GIVEN, number), _one(_MIDDLE, number)), family=_one(_FAMILY, number)),
        ),
        date_of_birth=_one(_BIRTHS, number),
        gender=Gender.FEMALE if number % 2 else Gender.MALE,
        nhs_number=_nhs_number(number),
        whereabouts=_address(number),
        practice=Institution(
            name=f"{_one(_TOWNS, number)} Group Practice", code=f"F{number % 90_000 + 10_000}"
        ),
    )


def registered(command: RegisterChild, ids: Ids, rules: RuleSet) -> Change:
    """What the registration of a child of its own comes to."""
    child_id = ids.new()
    return change_of(child_id, 0, decide(unknown(child_id), command, rules))


def moves(number: int, at: datetime) -> AssertFacts:
    """A national source tells a new address. Another `number`, another address."""
    return AssertFacts(
        at=at,
        source_kind=SourceKind.PDS,
        source=Source(body="NHS", record=f"M-{number}"),
        effective=at.date(),
        whereabouts=_address(number),
    )


def involves(number: int, at: datetime, ids: Ids) -> BeginInvolvement:
    """A practitioner records a service."""
    return BeginInvolvement(
        at=at,
        involvement=ids.new(),
        service="School nursing",
        kind="universal",
        organisation=f"{_one(_TOWNS, number)} Community Health",
        role="School nurse",
        contact=Contact(telephone="020 7946 0999"),
        began=date(2024, 9, 2),
    )


def _one(values: Sequence[_T], number: int) -> _T:
    return values[number % len(values)]


def _address(number: int) -> CurrentAddress:
    lines = (f"{number % 400 + 1} {_one(_STREETS, number // 3)}", _one(_TOWNS, number // 7))
    return CurrentAddress(
        address=Address(lines=lines, postcode=f"ZE{number % 9 + 1} {number // 9 % 9 + 1}ZZ")
    )


def _nhs_number(number: int) -> str:
    """A number from the range for tests, 900 000 0000 up. Where it has no check digit, one of the digits is another."""
    digits = [9, *(int(digit) for digit in f"{number % 10_000_000:07}"), 0]
    total = sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=True))
    if (11 - total % 11) == 10:
        digits[8] = 1
        total += 2
    return "".join(map(str, digits)) + str((11 - total % 11) % 11)
