"""From what a source says of a child to events: only what it did not already say, and never a clearing null.

A source is a kind, a body and the file it came in. What it says is compared with what stands from it as of the same
day, so that a message that comes again, however late, adds nothing and hides nothing.
"""

from datetime import date
from typing import Any, Final
from uuid import uuid5

from domain.child_record.commands import Assertion as Assert
from domain.child_record.events import (
    AddressAsserted,
    Carer,
    CarersAsserted,
    CurrentAddress,
    DeathNotified,
    EducationAsserted,
    FactsWithheld,
    IdentifiersAsserted,
    IdentityAsserted,
    LastKnownAddress,
    PracticeAsserted,
    ShieldRaised,
    Source,
    SourceKind,
)
from domain.child_record.model import AssertedEvent, Assertion, ChildRecord
from domain.errors import BadInput, Refused
from domain.kernel import Event, as_validated
from domain.policy.retention import age_on, london_day
from domain.policy.screening import screen_address, screen_name, screen_person
from domain.rule_set.model import RuleSet


def asserted(record: ChildRecord, command: Assert, rules: RuleSet, *, first_version: int) -> list[Event]:
    """The events of what a source says, without those that say what it already said.

    A shield comes first, so that whatever follows lies under its fresh key.
    """
    said = _Said(record, command.source_kind, command.source)
    kind, source = command.source_kind, command.source
    events: list[Event] = []
    if command.restricted and not any(s.source_kind is kind and not s.provisional for s in record.shields):
        events.append(
            ShieldRaised(
                # follows from the record alone, so that deciding again gives the same shield
                shield=uuid5(record.child_id, f"shield {first_version}"),
                source_kind=kind,
                rule_set=rules.id,
                ground=rules.shield.grounds_of_sources[0],
                source=source,
            )
        )
    if _names_the_child(command) and not said.identity(command):
        events.append(
            as_validated(
                IdentityAsserted,
                source_kind=kind,
                effective=command.effective,
                confidence=command.confidence,
                names=command.names,
                date_of_birth=command.date_of_birth,
                gender=command.gender,
                nhs_number=command.nhs_number,
                birth_order=command.birth_order,
                source=source,
            )
        )
    if command.whereabouts is not None:
        on = command.address_effective or command.effective
        address = as_validated(
            AddressAsserted, source_kind=kind, effective=on, whereabouts=command.whereabouts, source=source
        )
        events += said.unless_said(address, dated=command.address_effective is not None)
    carers = _lawful_carers(record, command, rules)
    if carers is not None:
        on = command.effective
        events += said.unless_said(
            CarersAsserted(source_kind=kind, effective=on, carers=carers, source=source)
        )
    if command.education is not None:
        on = command.education_effective or command.effective
        events += said.unless_said(
            EducationAsserted(
                source_kind=kind,
                effective=on,
                institution=command.education,
                ceased=command.education_ceased,
                source=source,
            ),
            dated=command.education_effective is not None,
        )
    if command.practice is not None:
        on = command.practice_effective or command.effective
        practice = as_validated(
            PracticeAsserted, source_kind=kind, effective=on, practice=command.practice, source=source
        )
        events += said.unless_said(practice, dated=command.practice_effective is not None)
    if command.identifiers:
        on = command.effective
        events += said.unless_said(
            IdentifiersAsserted(
                source_kind=kind, effective=on, identifiers=command.identifiers, source=source
            )
        )
    withheld = tuple(what for what in command.withheld if not _tells(command, what))
    if withheld:
        on = command.effective
        events += said.unless_withheld(
            FactsWithheld(source_kind=kind, effective=on, withheld=withheld, source=source)
        )
    if command.died_on is not None:
        today = london_day(command.at)
        plausible_death(command.date_of_birth or record.date_of_birth, command.died_on, today)
        events += death(record, command.died_on, today, kind, source)
    return events


def _lawful_carers(record: ChildRecord, command: Assert, rules: RuleSet) -> tuple[Carer, ...] | None:
    """The carers that may be held: of a young person, those who have care of it (Schedule 1 para 6(b)).

    What rests on parental responsibility alone is left out of what a source sends, and refused where it is typed.
    """
    born = command.date_of_birth or record.date_of_birth
    if command.carers is None or born is None or age_on(born, london_day(command.at)) < rules.ages.archive:
        return command.carers
    caring = tuple(one for one in command.carers if one.standing != "parental-responsibility")
    if command.source_kind in _TYPED and len(caring) < len(command.carers):
        raise Refused(
            "Of a young person only those who have care of it are held, not who is responsible as a parent alone.",
            code="responsibility-alone",
            field="carers",
        )
    return tuple(one.model_copy(update={"standing": "care"}) for one in caring)


def _tells(command: Assert, what: str) -> bool:
    """Whether a message tells the very thing it says it withholds; what is told is not withheld."""
    return (what == "address" and command.whereabouts is not None) or (
        what == "practice" and command.practice is not None
    )


_TYPED: Final = (SourceKind.OFFICER, SourceKind.PRACTITIONER, SourceKind.AUTHORITY)
_TOLD_BY = (AddressAsserted, PracticeAsserted)


def _what(event: AssertedEvent) -> str:
    return "address" if isinstance(event, AddressAsserted) else "practice"


class _Said:
    """What one source (its kind, body and file) says in a record as it stands.

    Another file of the same source is heard for itself, so that withdrawing one takes only what rested on it alone.
    """

    def __init__(self, record: ChildRecord, kind: SourceKind, source: Source) -> None:
        self._own = [
            a
            for a in record.standing
            if a.event.source_kind is kind
            and isinstance(a.event.source, Source)
            and (a.event.source.body, a.event.source.file) == (source.body, source.file)
        ]

    def unless_said(self, event: AssertedEvent, *, dated: bool = False) -> list[Event]:
        """The event, unless the source says the same as of its effective date.

        `dated`: the source itself gave that date, so the same from a later day is news. Without it a child who moved
        away and back would be left away where the message of the return came before that of the move.
        """
        last = self._last(type(event), event.effective)
        if last is None or _substance(last.event) != _substance(event):
            return [event]
        return [event] if dated and last.event.effective != event.effective else []

    def unless_withheld(self, event: FactsWithheld) -> list[Event]:
        """The event, unless the source withholds the same and has told none of it since."""
        last = max(
            (a for a in self._own if isinstance(a.event, FactsWithheld)),
            key=lambda a: a.version,
            default=None,
        )
        told = [
            a.version for a in self._own if isinstance(a.event, _TOLD_BY) and _what(a.event) in event.withheld
        ]
        if last is None or _substance(last.event) != _substance(event) or max(told, default=0) > last.version:
            return [event]
        return []

    def identity(self, command: Assert) -> bool:
        """Whether the source says all of this as of the command's day: fact by fact, for a null says nothing."""
        return bool(self._own) and all(
            value == self._last_value(field, command.effective)
            for field, value in _identity_of(command).items()
            if value not in (None, ())
        )

    def _last_value(self, field: str, day: date) -> object:
        held = [
            a
            for a in self._own
            if isinstance(a.event, IdentityAsserted)
            and a.event.effective <= day
            and _identity_of(a.event)[field] not in (None, ())
        ]
        last = max(held, key=_order, default=None)
        return (
            None
            if last is None or not isinstance(last.event, IdentityAsserted)
            else _identity_of(last.event)[field]
        )

    def _last(self, kind: type[AssertedEvent], day: date) -> Assertion | None:
        if not self._own:
            return None
        held = [a for a in self._own if type(a.event) is kind and a.event.effective <= day]
        return max(held, key=_order, default=None)


def _order(assertion: Assertion) -> tuple[date, int]:
    return assertion.event.effective, assertion.version


def _substance(event: AssertedEvent) -> dict[str, Any]:
    """What an assertion says, apart from when and in which file."""
    return {name: value for name, value in event if name not in ("effective", "source")}


def _identity_of(said: Assert | IdentityAsserted) -> dict[str, Any]:
    return {
        "names": said.names and (said.names, said.confidence),
        "date_of_birth": said.date_of_birth,
        "gender": said.gender,
        "nhs_number": said.nhs_number and (said.nhs_number, said.confidence),
        "birth_order": said.birth_order,
    }


def _names_the_child(command: Assert) -> bool:
    said = (command.date_of_birth, command.gender, command.nhs_number, command.birth_order)
    return bool(command.names) or any(value is not None for value in said)


def says_anything(command: Assert) -> bool:
    """Whether there is any fact in it."""
    said = (command.whereabouts, command.carers, command.education, command.practice, command.died_on)
    return (
        _names_the_child(command)
        or any(value is not None for value in said)
        or bool(command.identifiers or command.withheld or command.restricted)
    )


def death(record: ChildRecord, died_on: date, today: date, kind: SourceKind, source: Source) -> list[Event]:
    """That a death was notified, unless this source notified the same before."""
    for death in record.deaths:
        known = death.source if isinstance(death.source, Source) else Source()
        if (death.source_kind, known.body, known.file, death.died_on) == (
            kind,
            source.body,
            source.file,
            died_on,
        ):
            return []
    own = (SourceKind.AUTHORITY, SourceKind.OFFICER)
    if kind not in own and any(death.died_on == died_on for death in record.deaths_reversed):
        return []  # an officer found that it was none: a feed that says the same of the same day changes nothing
    return [DeathNotified(died_on=died_on, notified_on=today, source_kind=kind, source=source)]


def screen(command: Assert) -> None:
    """Refuse narrative wherever a name or a line of an address stands."""
    for name in command.names:
        screen_person(name.given, name.family, "names")
    match command.whereabouts:
        case CurrentAddress(address=address) | LastKnownAddress(address=address):
            screen_address(address.lines, "whereabouts")
        case _:
            pass
    for carer in command.carers or ():
        screen_person(carer.name.given, carer.name.family, "carers")
    for field, institution in (("education", command.education), ("practice", command.practice)):
        if institution is not None:
            screen_name(institution.name, field, words=14)


def not_in_the_future(day: date, today: date, field: str) -> None:
    """Refuse a day that has not come. Raises BadInput."""
    if day > today:
        raise BadInput("This day has not come yet.", code="date-in-future", field=field)


def plausible_death(born: date | None, died_on: date, today: date) -> None:
    """Refuse a death in the future or before the birth. Raises BadInput."""
    not_in_the_future(died_on, today, "died_on")
    if born is not None and died_on < born:
        raise BadInput("The death lies before the birth.", code="dates-out-of-order", field="died_on")
