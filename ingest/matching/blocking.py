"""Keys that propose candidates: what the match index stores of a record, and what an incoming record asks for.

A key is text: one letter, a colon, normal forms divided by `|`. The index holds the keys of *every* standing
assertion, so that a former name or an old address still finds the child. Keys of a shielded record are made of what a
shielded record shows: names, date of birth, NHS number. Exact composite keys only: a whole-table likeness search is
a hundred times slower at a million children.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from domain.child_record.events import (
    Address,
    AddressAsserted,
    CurrentAddress,
    Gender,
    IdentifiersAsserted,
    IdentityAsserted,
    LastKnownAddress,
    PersonName,
    Source,
    SourceKind,
)
from domain.child_record.model import Assertion, ChildRecord
from ingest.matching import normalise
from ingest.matching.normalise import NormalName
from ingest.source_record import SUPERSEDED


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that shares a key with an incoming one. Names are in normal form, chosen by the best view."""

    child_id: UUID
    forenames: str
    surname: str
    date_of_birth: date | None
    postcode: str | None
    """Written form; None where none is held or the record is shielded."""
    nhs_number: str | None
    nhs_verified: bool
    gender: Gender
    birth_order: int | None
    shielded: bool
    archived: bool
    keys: frozenset[str]
    """All keys of the record: they tell which of its former names, numbers and addresses agree."""


def by_nhs_number(number: str) -> str:
    """Records that hold, or held, this NHS number."""
    return f"n:{number}"


def by_date_of_birth(born: date) -> str:
    """Records with this date of birth. About 1,700 in a national index: for screening, not for linking."""
    return f"d:{born.isoformat()}"


def by_postcode(value: str) -> str:
    """Unshielded records at this postcode (`normalise.postcode`), now or before."""
    return f"p:{value}"


def by_shielded_birth(born: date) -> str:
    """Shielded records with this date of birth."""
    return f"s:{born.isoformat()}"


_NUMBERED_AS: Final = {SourceKind.CTF: SourceKind.SCHOOL_CENSUS}
"""Sources that know a child by the very number that another does: schools, by the unique pupil number."""


def by_source_record(source_kind: str, record: str) -> str:
    """The unshielded record that this source record was loaded into before, or one numbered alike."""
    return f"r:{_NUMBERED_AS.get(SourceKind(source_kind), source_kind)}|{record}"


def by_mark(mark: str) -> str:
    """The record from which source records with this mark are kept (`ingest.matching.ruled_out`)."""
    return f"x:{mark}"


_SHORT_FORENAME: Final = 3
_SHORT_SURNAME: Final = 4


def by_name(person: NormalName, born: date) -> str:
    """A name in full with a date of birth. Nobody is looked for under it: it tells which names a candidate has."""
    return f"b:{born.isoformat()}|{person.surname}|{person.forenames}"


def name_of(key: str) -> NormalName:
    """The name that a key of `by_name` tells of."""
    _, surname, forenames = key.split("|", 2)
    return NormalName(forenames, surname)


def near_keys(
    names: Iterable[NormalName], births: Iterable[date], postcodes: Iterable[str]
) -> frozenset[str]:
    """Under what a record is found though a field is misspelt, missing, or of another day.

    With the date of birth the beginning of the forename (f), that of the surname (g), or the postcode (q); without it
    surname, forename and postcode (m). Of a surname that is written where the forename belongs both count.
    """
    names, births, postcodes = tuple(names), tuple(births), tuple(postcodes)
    keys = {f"q:{born.isoformat()}|{where}" for born in births for where in postcodes}
    for name in names:
        if name.first and name.surname:
            keys |= {f"m:{name.surname}|{name.first}|{where}" for where in postcodes}
        for born in births:
            day = born.isoformat()
            keys |= {f"f:{day}|{name.first[:_SHORT_FORENAME]}"} if name.first else set()
            keys |= {f"g:{day}|{name.surname[:_SHORT_SURNAME]}"} if name.surname else set()
    return frozenset(keys)


def day_and_month_swapped(born: date) -> date | None:
    """The date with its day and month exchanged, where that is another date."""
    if born.day == born.month or born.day > 12:
        return None
    return date(born.year, born.day, born.month)


def addresses_of(record: ChildRecord) -> tuple[Address, ...]:
    """Every address that stands in the record, as far as its reader could open it."""
    return _addresses(record.standing)


def names_of(record: ChildRecord) -> tuple[PersonName, ...]:
    """Every name that stands in the record."""
    return _names(record.standing)


def births_of(record: ChildRecord) -> frozenset[date]:
    """Every date of birth that stands in the record."""
    return _births(record.standing)


def numbers_of(record: ChildRecord) -> frozenset[str]:
    """Every NHS number that stands in the record, superseded ones among them."""
    return _numbers(record.standing)


def entries_of(record: ChildRecord) -> frozenset[str]:
    """The keys of every source record that was loaded into it, as far as its reader could open them."""
    return _entries(record.standing)


def _entries(standing: Sequence[Assertion]) -> frozenset[str]:
    return frozenset(
        by_source_record(assertion.event.source_kind, assertion.event.source.record)
        for assertion in standing
        if isinstance(assertion.event.source, Source) and assertion.event.source.record is not None
    )


def _addresses(standing: Sequence[Assertion]) -> tuple[Address, ...]:
    return tuple(
        assertion.event.whereabouts.address
        for assertion in standing
        if isinstance(assertion.event, AddressAsserted)
        and isinstance(assertion.event.whereabouts, CurrentAddress | LastKnownAddress)
    )


def _names(standing: Sequence[Assertion]) -> tuple[PersonName, ...]:
    return tuple(
        name
        for assertion in standing
        if isinstance(assertion.event, IdentityAsserted)
        for name in assertion.event.names
    )


def _births(standing: Sequence[Assertion]) -> frozenset[date]:
    return frozenset(
        assertion.event.date_of_birth
        for assertion in standing
        if isinstance(assertion.event, IdentityAsserted) and assertion.event.date_of_birth is not None
    )


def _numbers(standing: Sequence[Assertion]) -> frozenset[str]:
    found = set[str]()
    for assertion in standing:
        event = assertion.event
        if isinstance(event, IdentityAsserted) and event.nhs_number is not None:
            found.add(event.nhs_number)
        elif isinstance(event, IdentifiersAsserted):
            found |= {held.value for held in event.identifiers if held.scheme == SUPERSEDED}
    return frozenset(found)


def keys_of(record: ChildRecord) -> frozenset[str]:
    """The keys under which the match index finds this record. Empty where nothing of it stands.

    Works on a record folded with or without its content opened; of a shielded one it uses no content even if open.
    """
    if record.forgotten is not None or not record.registered or record.closed:
        return frozenset()
    standing = record.standing
    if record.shielded:
        standing = tuple(a for a in standing if isinstance(a.event, IdentityAsserted))
    births = _births(standing)
    keys = {by_nhs_number(number) for number in _numbers(standing)}
    keys |= {by_mark(mark) for mark in record.ruled_out}
    keys |= {by_date_of_birth(born) for born in births}
    if record.shielded:
        return frozenset(keys | {by_shielded_birth(born) for born in births})
    names = {normalise.person_name(name) for name in _names(standing)}
    postcodes = {
        where
        for address in _addresses(standing)
        if (where := normalise.postcode(address.postcode)) is not None
    }
    keys |= {by_postcode(where) for where in postcodes}
    keys |= {by_name(name, born) for name in names for born in births}
    keys |= near_keys(names, births, postcodes)
    return frozenset(keys | _entries(standing))
