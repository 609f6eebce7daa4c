"""Survivorship: of all that sources assert of a child, which value is shown, and where it came from.

A pure function of the standing assertions. The rules, in words:

- A null never clears a fact, and what is withheld is not cleared.
- An officer's correction of who the child is (name, date of birth, gender, numbers, birth order, carers) stands until
  an officer corrects it again.
- Name: of the current names the one that holds since the latest day; a fuller form of the same name from a source
  that ranks higher is preferred to a shorter one. Every other name is listed, latest first.
- Date of birth, gender, birth order: the source that ranks highest (`PRECEDENCE`), then the latest effective day. A
  gender that is specified is preferred to a statement that it is not.
- NHS number: a verified one, not superseded, then by rank.
- Address, school, practice: the latest *effective* day wins, not the latest received; on one day the higher rank. An
  officer's correction wins over whatever was effective on its day or before, and over any source that later repeats
  what it had said before the correction; something new of a later day displaces it.
- Carers: those of every source, each source's latest list, one entry a person.

On equal terms what was recorded last counts. Source of the order of sources: published precedence of the index.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple, TypeVar

from domain.child_record.events import (
    Address,
    AddressAsserted,
    AllocatedIdentifier,
    Carer,
    CarersAsserted,
    CurrentAddress,
    EducationAsserted,
    FactsWithheld,
    Gender,
    IdentifiersAsserted,
    IdentityAsserted,
    Institution,
    LastKnownAddress,
    PersonName,
    PracticeAsserted,
    SourceKind,
    Whereabouts,
)
from domain.child_record.model import AssertedEvent, Assertion, ChildRecord
from domain.disclosure import Held, RecordFacts
from domain.kernel import Event
from domain.personal_data import Forgotten, Hidden
from ingest.matching import normalise
from ingest.matching.blocking import Candidate, keys_of
from ingest.matching.comparison import forenames_agree
from ingest.source_record import SUPERSEDED

_K = SourceKind

PRECEDENCE: Final[Mapping[str, tuple[SourceKind, ...]]] = {
    "identity": (
        _K.BIRTHS, _K.PDS, _K.CHILD_BENEFIT, _K.SCHOOL_CENSUS, _K.CTF,
        _K.CASE_MANAGEMENT, _K.AUTHORITY, _K.PRACTITIONER,
    ),
    "nhs_number": (_K.PDS, _K.BIRTHS, _K.CASE_MANAGEMENT, _K.AUTHORITY, _K.PRACTITIONER),
    "whereabouts": (
        _K.AUTHORITY, _K.PDS, _K.CHILD_BENEFIT, _K.CASE_MANAGEMENT, _K.PRACTITIONER,
        _K.SCHOOL_CENSUS, _K.CTF, _K.BIRTHS,
    ),
    "carers": (
        _K.AUTHORITY, _K.BIRTHS, _K.PDS, _K.CHILD_BENEFIT, _K.CASE_MANAGEMENT,
        _K.SCHOOL_CENSUS, _K.CTF, _K.PRACTITIONER,
    ),
    "education": (_K.AUTHORITY, _K.SCHOOL_CENSUS, _K.CTF, _K.CASE_MANAGEMENT, _K.PRACTITIONER),
    "practice": (_K.PDS, _K.AUTHORITY, _K.PRACTITIONER, _K.CASE_MANAGEMENT),
}  # fmt: skip
"""Per attribute, the sources from the highest rank down; one not named ranks below all that are."""

T = TypeVar("T")
E = TypeVar("E", bound=AssertedEvent)


class _Said(NamedTuple):
    """One value as one assertion gave it."""

    kind: SourceKind
    day: date
    version: int
    verified: bool


class Survivors:
    """The values of a record that are shown, each chosen when asked for; `held` then says where it is from."""

    def __init__(self, record: ChildRecord) -> None:
        self._said: dict[type[Event], list[Assertion]] = {}
        for assertion in record.standing:
            self._said.setdefault(type(assertion.event), []).append(assertion)
        self.held: dict[str, Held] = {}

    @property
    def names(self) -> tuple[PersonName | None, tuple[PersonName, ...]]:
        """The name, and every other one, latest first."""
        return _names(self._identity, self.held)

    @property
    def date_of_birth(self) -> date | None:
        """The date of birth."""
        return _ranked(self._identity, "date_of_birth", lambda event: event.date_of_birth, self.held)

    @property
    def gender(self) -> Gender:
        """The gender."""
        found = _ranked(self._identity, "gender", lambda event: event.gender, self.held, prefer=_specified)
        return found or Gender.NOT_SPECIFIED

    @property
    def nhs_number(self) -> str | None:
        """The NHS number."""
        said = self.of(IdentifiersAsserted)
        superseded = frozenset(
            one.value for _, event in said for one in event.identifiers if one.scheme == SUPERSEDED
        )
        return _number(self._identity, superseded, self.held)

    @property
    def birth_order(self) -> int | None:
        """Which of a multiple birth the child is."""
        return _ranked(self._identity, "birth_order", lambda event: event.birth_order, self.held)

    @property
    def whereabouts(self) -> Whereabouts | None:
        """Where the child is."""
        found = _in_force(
            self.of(AddressAsserted), "whereabouts", lambda event: _place(event.whereabouts), self.held
        )
        return found.whereabouts if found is not None else None

    @property
    def address(self) -> Address | None:
        """The address among its whereabouts."""
        where = self.whereabouts
        return where.address if isinstance(where, CurrentAddress | LastKnownAddress) else None

    @property
    def earlier_addresses(self) -> tuple[Address, ...]:
        """Every other address, latest first."""
        return _earlier_addresses(self.of(AddressAsserted), self.address)

    @property
    def education(self) -> Institution | None:
        """Where the child is educated."""
        found = _in_force(
            self.of(EducationAsserted),
            "education",
            lambda event: (event.institution, event.ceased),
            self.held,
        )
        return found.institution if found is not None and found.ceased is None else None

    @property
    def practice(self) -> Institution | None:
        """Who provides primary medical services."""
        found = _in_force(self.of(PracticeAsserted), "practice", lambda event: event.practice, self.held)
        return found.practice if found is not None else None

    @property
    def carers(self) -> tuple[Carer, ...]:
        """Who has parental responsibility or care."""
        return _carers(self.of(CarersAsserted), self.held)

    @property
    def identifiers(self) -> tuple[AllocatedIdentifier, ...]:
        """The numbers that bodies allocated."""
        return _identifiers(self.of(IdentifiersAsserted))

    @property
    def withheld(self) -> tuple[str, ...]:
        """What a restricted message left out and its source has not told since."""
        return _withheld(
            self.of(FactsWithheld),
            {"address": self.of(AddressAsserted), "practice": self.of(PracticeAsserted)},
        )

    def of(self, kind: type[E]) -> list[tuple[int, E]]:
        """What stands of one kind of assertion, with versions."""
        return [(a.version, a.event) for a in self._said.get(kind, ()) if isinstance(a.event, kind)]

    @property
    def _identity(self) -> Sequence[Assertion]:
        return self._said.get(IdentityAsserted, ())


def best_view(record: ChildRecord) -> RecordFacts:
    """The facts of a record, as far as its reader could open it. Deterministic; reads no clock."""
    best = Survivors(record)
    name, other_names = best.names
    return RecordFacts(
        child_id=record.child_id,
        version=record.version,
        index_number=record.index_number or "",
        name=name,
        other_names=other_names,
        date_of_birth=best.date_of_birth,
        gender=best.gender,
        nhs_number=best.nhs_number,
        birth_order=best.birth_order,
        whereabouts=best.whereabouts,
        earlier_addresses=best.earlier_addresses,
        carers=best.carers,
        education=best.education,
        practice=best.practice,
        identifiers=best.identifiers,
        involvements=record.involvements,
        authority=record.authority if isinstance(record.authority, str) else None,
        withheld=best.withheld,
        shielded=record.shielded,
        opened=not isinstance(record.source_of_registration, Hidden | Forgotten),
        supply_gone=record.supply_gone,
        archived_on=record.archived_on,
        extension_consent_on=record.extension_consent_on,
        extension_withdrawn_on=record.extension_withdrawn_on,
        died_on=record.died_on,
        death_notified_on=record.death_notified_on,
        held=best.held,
        shields=record.shields,
        requests=record.requests,
        shield_requests=record.shield_requests,
        lift=record.lift,
        held_until=record.held_until,
        contacts=record.contacts,
        transfer=record.transfer,
        closed=record.closed,
        was_split=len(record.heirs) > 1,
        absorbed=tuple(one.other for one in record.absorbed),
        new_identity=bool(record.vetoed),
    )


def candidate_of(record: ChildRecord) -> Candidate:
    """The record as linking sees it: a row of the match index. Of a shielded record it uses no content even if open."""
    if record.shielded:
        identity = tuple(a for a in record.assertions if isinstance(a.event, IdentityAsserted))
        record = replace(record, assertions=identity)
    best = Survivors(record)
    name, _ = best.names
    forenames, surname = ("", "") if name is None else normalise.person_name(name)
    number, address = best.nhs_number, best.address
    return Candidate(
        child_id=record.child_id,
        forenames=forenames,
        surname=surname,
        date_of_birth=best.date_of_birth,
        postcode=address.postcode if address is not None else None,
        nhs_number=number,
        nhs_verified=_verified(record, number),
        gender=best.gender,
        birth_order=best.birth_order,
        shielded=record.shielded,
        archived=record.archived_on is not None,
        keys=keys_of(record),
    )


def _verified(record: ChildRecord, number: str | None) -> bool:
    """Whether any source that stands has verified this number, whichever of them it is taken from."""
    return number is not None and any(
        isinstance(a.event, IdentityAsserted)
        and a.event.nhs_number == number
        and a.event.confidence == "verified"
        for a in record.standing
    )


def _rank(attribute: str, kind: SourceKind) -> int:
    order = PRECEDENCE[attribute]
    return len(order) - order.index(kind) if kind in order else 0


# Who the child is


def _ranked(
    identity: Iterable[Assertion],
    field: str,
    value_of: Callable[[IdentityAsserted], T | None],
    held: dict[str, Held],
    *,
    prefer: Callable[[T], bool] = lambda _: True,
) -> T | None:
    """An officer's last word, else what ranks highest, then is effective last, then was recorded last."""
    best: tuple[tuple[object, ...], T, Assertion] | None = None
    for assertion in identity:
        event = assertion.event
        if not isinstance(event, IdentityAsserted) or (value := value_of(event)) is None:
            continue
        pinned = event.source_kind is SourceKind.OFFICER
        merit = (
            (True, assertion.version)
            if pinned
            else (
                False,
                prefer(value),
                _rank("identity", event.source_kind),
                event.effective,
                assertion.version,
            )
        )
        if best is None or merit > best[0]:
            best = (merit, value, assertion)
    if best is None:
        return None
    held[field] = Held(best[2].event.source_kind, best[2].event.effective, best[2].version)
    return best[1]


def _specified(gender: Gender) -> bool:
    return gender is not Gender.NOT_SPECIFIED


def _number(identity: Iterable[Assertion], superseded: frozenset[str], held: dict[str, Held]) -> str | None:
    best: tuple[tuple[object, ...], str, Assertion] | None = None
    for assertion in identity:
        event = assertion.event
        if not isinstance(event, IdentityAsserted) or event.nhs_number is None:
            continue
        pinned = event.source_kind is SourceKind.OFFICER
        merit = (
            (True, assertion.version)
            if pinned
            else (
                False,
                event.nhs_number not in superseded,
                event.confidence == "verified",
                _rank("nhs_number", event.source_kind),
                event.effective,
                assertion.version,
            )
        )
        if best is None or merit > best[0]:
            best = (merit, event.nhs_number, assertion)
    if best is None:
        return None
    held["nhs_number"] = Held(best[2].event.source_kind, best[2].event.effective, best[2].version)
    return best[1]


def _names(
    identity: Iterable[Assertion], held: dict[str, Held]
) -> tuple[PersonName | None, tuple[PersonName, ...]]:
    said = [
        (name, _Said(a.event.source_kind, name.since or a.event.effective, a.version, verified=False))
        for a in identity
        if isinstance(a.event, IdentityAsserted)
        for name in a.event.names
    ]
    if not said:
        return None, ()
    if len(said) == 1:
        ((name, source),) = said
        held["name"] = Held(source.kind, source.day, source.version)
        return name, ()
    current = max((entry for entry in said if entry[0].kind == "current"), key=_latest_name, default=None)
    if current is None:
        current = max(said, key=_latest_name)
    if current[1].kind is not SourceKind.OFFICER:
        same = [e for e in said if e[0].kind == "current" and _same_name(e[0], current[0])]
        current = max(same, key=_fullest_name, default=current)
    name, source = current
    held["name"] = Held(source.kind, source.day, source.version)
    others: dict[Hashable, PersonName] = {}
    for other, _ in sorted(said, key=_latest_name, reverse=True):
        if not _same_name(other, name):
            others.setdefault(normalise.person_name(other), other)
    return name, tuple(others.values())


def _latest_name(entry: tuple[PersonName, _Said]) -> tuple[object, ...]:
    name, said = entry
    if said.kind is SourceKind.OFFICER and name.kind == "current":
        return (True, said.version)
    return (False, name.until is None, said.day, _rank("identity", said.kind), said.version)


def _fullest_name(entry: tuple[PersonName, _Said]) -> tuple[object, ...]:
    name, said = entry
    return (_rank("identity", said.kind), len(name.given), said.day, said.version)


def _same_name(left: PersonName, right: PersonName) -> bool:
    """The same surname, and the same forenames as far as the shorter list goes."""
    one, other = normalise.person_name(left), normalise.person_name(right)
    if one.surname != other.surname:
        return False
    return one.forenames == other.forenames or forenames_agree(one.forenames, other.forenames)


# Where the child is, and who serves it


def _in_force(
    said: list[tuple[int, E]],
    attribute: str,
    value_of: Callable[[E], Hashable],
    held: dict[str, Held],
) -> E | None:
    """The assertion of latest effective day, unless an officer's correction stands against it."""
    if not said:
        return None
    corrections = [entry for entry in said if entry[1].source_kind is SourceKind.OFFICER]
    chosen: tuple[int, E] | None = None
    if corrections:
        chosen = max(corrections, key=lambda entry: entry[0])
        said = _displacing(chosen, said, value_of)

    def merit(entry: tuple[int, E]) -> tuple[date, int, int]:
        return entry[1].effective, _rank(attribute, entry[1].source_kind), entry[0]

    chosen = max(said, key=merit, default=chosen)
    if chosen is None:
        return None
    held[attribute] = Held(chosen[1].source_kind, chosen[1].effective, chosen[0])
    return chosen[1]


def _displacing(
    correction: tuple[int, E], said: list[tuple[int, E]], value_of: Callable[[E], Hashable]
) -> list[tuple[int, E]]:
    """Those that say what their source had not said before the correction, nor as of its day or earlier."""
    at, corrected = correction
    repeated = {
        (event.source_kind, value_of(event))
        for version, event in said
        if version < at or event.effective <= corrected.effective
    }
    return [
        (version, event)
        for version, event in said
        if event.source_kind is not SourceKind.OFFICER
        and (event.source_kind, value_of(event)) not in repeated
    ]


def _place(where: Whereabouts) -> Hashable:
    """What makes two statements of whereabouts one, however an address is written."""
    if isinstance(where, CurrentAddress | LastKnownAddress):
        return (where.state, *_written(where.address))
    return where


def _written(address: Address) -> tuple[Hashable, ...]:
    return (tuple(normalise.name(line) for line in address.lines), address.postcode)


def _earlier_addresses(
    said: Sequence[tuple[int, AddressAsserted]], now: Address | None
) -> tuple[Address, ...]:
    if len(said) < 2:
        return ()
    present = _written(now) if now is not None else None
    found: dict[Hashable, Address] = {}
    for _, event in sorted(said, key=lambda entry: (entry[1].effective, entry[0]), reverse=True):
        if isinstance(event.whereabouts, CurrentAddress | LastKnownAddress):
            address = event.whereabouts.address
            if _written(address) != present:
                found.setdefault(_written(address), address)
    return tuple(found.values())


def _carers(said: Sequence[tuple[int, CarersAsserted]], held: dict[str, Held]) -> tuple[Carer, ...]:
    """An officer's last list alone; else each source's latest, the higher rank first, one entry a person."""
    latest: dict[SourceKind, tuple[int, CarersAsserted]] = {}
    for version, event in said:
        known = latest.get(event.source_kind)
        if known is None or (event.effective, version) > (known[1].effective, known[0]):
            latest[event.source_kind] = (version, event)
    if SourceKind.OFFICER in latest:
        pinned = [e for e in said if e[1].source_kind is SourceKind.OFFICER]
        ordered = [max(pinned, key=lambda entry: entry[0])]
    else:
        ordered = sorted(
            latest.values(), key=lambda entry: _rank("carers", entry[1].source_kind), reverse=True
        )
    found: dict[Hashable, Carer] = {}
    for _, event in ordered:
        for carer in event.carers:
            name = normalise.person_name(carer.name)
            person = (name.surname, name.first)
            found[person] = _joined(found[person], carer) if person in found else carer
    if ordered:
        version, event = ordered[0]
        held["carers"] = Held(event.source_kind, event.effective, version)
    return tuple(found.values())


def _joined(one: Carer, other: Carer) -> Carer:
    """One person of whom two sources speak: the standing of both, the contact of the first that gives any."""
    standing = one.standing if one.standing == other.standing else "both"
    return one.model_copy(update={"standing": standing, "contact": one.contact or other.contact})


def _identifiers(said: Sequence[tuple[int, IdentifiersAsserted]]) -> tuple[AllocatedIdentifier, ...]:
    found = {
        (identifier.scheme, identifier.value): identifier
        for _, event in said
        for identifier in event.identifiers
    }
    return tuple(found[key] for key in sorted(found))


def _withheld(
    said: Sequence[tuple[int, FactsWithheld]],
    told: Mapping[str, Sequence[tuple[int, AddressAsserted]] | Sequence[tuple[int, PracticeAsserted]]],
) -> tuple[str, ...]:
    latest: dict[SourceKind, tuple[int, FactsWithheld]] = {}
    for version, event in said:
        known = latest.get(event.source_kind)
        if known is None or version > known[0]:
            latest[event.source_kind] = (version, event)
    since = {(what, event.source_kind): version for what, own in told.items() for version, event in own}
    return tuple(
        sorted(
            {
                what
                for kind, (version, event) in latest.items()
                for what in event.withheld
                if since.get((what, kind), 0) < version
            }
        )
    )
