"""What a viewer sees of a record: one pure function over facts, viewer, instant and rule set.

The types here are its inputs and its output. Facts are the best view of a record (`ingest.best_view` chooses it); the
viewer's facts are as they stood at the instant. The output is canonical JSON, so that a display can be shown again
byte for byte years later.
"""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, get_args
from uuid import UUID

from domain.child_record.events import (
    Address,
    AllocatedIdentifier,
    Carer,
    Contact,
    CurrentAddress,
    FullName,
    Gender,
    Institution,
    LastKnownAddress,
    LeftEngland,
    PersonName,
    ReasonableCause,
    SourceKind,
    Whereabouts,
)
from domain.child_record.model import ContactRequest, Involvement, Lift, Shield, ShieldRequest, Transfer
from domain.child_record.sensitive import ask_afresh_on
from domain.policy.retention import Departure, age_on, anniversary, london_day, visible_until
from domain.policy.subject_access import SubjectRequest
from domain.rule_set.model import SHIELD_CEILING, RecordField, RuleSet


class Held(NamedTuple):
    """Where a chosen value came from: kind of source, the day it holds from, and the version that asserted it."""

    source_kind: SourceKind
    since: date
    version: int


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The best view of one record, as far as its reader could open it. None: nothing is held, or not opened."""

    child_id: UUID
    version: int
    index_number: str
    name: PersonName | None
    other_names: tuple[PersonName, ...]
    date_of_birth: date | None
    gender: Gender
    nhs_number: str | None
    birth_order: int | None
    whereabouts: Whereabouts | None
    earlier_addresses: tuple[Address, ...]
    carers: tuple[Carer, ...]
    education: Institution | None
    practice: Institution | None
    identifiers: tuple[AllocatedIdentifier, ...]
    involvements: tuple[Involvement, ...]
    authority: str | None
    withheld: tuple[str, ...]
    shielded: bool
    opened: bool
    """Whether the content parts were opened: False where the record is shielded from this reader."""
    supply_gone: bool
    archived_on: date | None
    extension_consent_on: date | None
    extension_withdrawn_on: date | None
    died_on: date | None
    death_notified_on: date | None
    held: dict[str, Held]
    """Provenance by field name: name, date_of_birth, gender, whereabouts, carers, education, practice."""
    shields: tuple[Shield, ...] = ()
    """The shields that stand; only a manager's display holds them."""
    requests: tuple[SubjectRequest, ...] = ()
    """Who asked who looked at the record. No display holds them."""
    shield_requests: tuple[ShieldRequest, ...] = ()
    """Who asked for a shield. No display holds them."""
    lift: Lift | None = None
    held_until: date | None = None
    """The first day on which no hold keeps the record from being destroyed. No display holds it."""
    contacts: tuple[ContactRequest, ...] = ()
    """Who asked to be put in touch. No display holds them."""
    closed: bool = False
    """Whether another record took its place: it is shown to nobody."""
    was_split: bool = False
    """Whether it was closed because it was of two children."""
    absorbed: tuple[UUID, ...] = ()
    """Records that were found to be of this child and are closed. No display holds them."""
    transfer: Transfer | None = None
    """The offer of the record to another authority that is open. No display holds it."""
    new_identity: bool = False
    """Whether the child was given a new identity, as far as its reader could open that. No display holds it."""

    @property
    def departure(self) -> Departure | None:
        """That the child left England, where that is what its whereabouts say."""
        if isinstance(self.whereabouts, LeftEngland):
            return Departure(self.whereabouts.considered_left, self.whereabouts.return_intended)
        return None

    @property
    def supply_gone_on(self) -> date | None:
        """A day on which nobody said any more who the child is. The facts do not hold which: the first there is."""
        return date.min if self.supply_gone else None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, as they stood at the instant. `body` is an authority's or partner's code, `area` an authority's.

    purposes: those they may look for; where something is rendered, the one they looked for (`looking_for`).
    """

    account: UUID
    role: str
    organisation: UUID
    body: str
    area: str
    purposes: tuple[str, ...]


def looking_for(viewer: Viewer, purpose: str | None) -> Viewer:
    """Whoever looks, as they look for this purpose and for no other that they might."""
    return Viewer(
        viewer.account,
        viewer.role,
        viewer.organisation,
        viewer.body,
        viewer.area,
        () if purpose is None else (purpose,),
    )


OVERRIDE_OF_SHIELD: Final = "override-of-shield"
"""The rule by which somebody is shown what is behind a shield, as accesses name it."""

Sight: TypeAlias = Literal["ordinary", "shielded", "manager", "override", "archive", "none"]
Display: TypeAlias = dict[str, Any]

RENDERER: Final = 2
"""The renderer that new displays are made with. Older ones stay in `RENDERERS` for as long as accesses name them."""

FIELDS: Final[tuple[RecordField, ...]] = get_args(RecordField)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A display: in which sight, by which rule, what is shown, and which fields of `FIELDS` that is (hexadecimal)."""

    sight: Sight
    rule: str
    record: Display
    mask: str


def fields_of(mask: str) -> tuple[RecordField, ...]:
    """The fields a mask stands for."""
    bits = int(mask, 16)
    return tuple(field for place, field in enumerate(FIELDS) if bits >> place & 1)


def mask_of(names: Container[str]) -> str:
    """The mask of these fields."""
    return f"{sum(1 << place for place, field in enumerate(FIELDS) if field in names):x}"


def canonical(shown: object) -> bytes:
    """The one form of a display in bytes: UTF-8 JSON, keys sorted, no spaces (RFC 8785; every key is ASCII).

    Raises TypeError for a float: no display holds one, and two programs may write one differently.
    """
    _refuse_floats(shown)
    return json.dumps(
        shown, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()


def sight_of(
    facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet, *, override: bool = False
) -> tuple[Sight, str]:
    """How a viewer may see a record at an instant, and the rule that says so.

    Facts whose content was not opened never yield more than the shielded sight, whatever the role.
    """
    if not rules.role_may(viewer.role, "show"):
        return "none", "role-sees-no-record"
    if facts.closed:
        return "none", "closed"
    manages = (
        facts.opened
        and rules.role_sees(viewer.role, "manager")
        and facts.authority is not None
        and facts.authority == viewer.body
    )
    today = london_day(instant)
    gone = visible_until(facts, rules)
    if facts.supply_gone or (gone is not None and gone <= today):
        if manages and facts.archived_on is not None:
            until = anniversary(facts.archived_on, rules.periods.archive_manager)
            return ("manager", "archived-in-manager-period") if today < until else ("none", "archived")
        return "none", "archived"
    if manages:
        return "manager", "manager-of-authority"
    if facts.shielded or not facts.opened:
        if override and facts.opened and rules.role_sees(viewer.role, "override"):
            return "override", OVERRIDE_OF_SHIELD
        return ("shielded", "shielded") if rules.role_sees(viewer.role, "shielded") else ("none", "shielded")
    if rules.role_sees(viewer.role, "ordinary"):
        return "ordinary", "ordinary"
    return "none", "role-sees-no-record"


def disclose(
    facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet, *, override: bool = False
) -> Disclosed:
    """What a viewer sees of one record at an instant. Sight `none` comes with an empty record."""
    return _whole(_Shown2, facts, viewer, instant, rules, override=override)


def _disclose_1(
    facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet, *, override: bool = False
) -> Disclosed:
    return _whole(_Shown, facts, viewer, instant, rules, override=override)


def _whole(
    renderer: "type[_Shown]",
    facts: RecordFacts,
    viewer: Viewer,
    instant: datetime,
    rules: RuleSet,
    *,
    override: bool,
) -> Disclosed:
    sight, rule = sight_of(facts, viewer, instant, rules, override=override)
    if sight == "none":
        return _disclosed(sight, rule, {})
    shown = renderer(facts, viewer, instant, rules, sight)
    return _disclosed(sight, rule, shown.fields(fields_in(sight, rules)))


def from_archive(facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet) -> Disclosed:
    """What two of the system supplier's people see of an archived record, for one case; otherwise nothing.

    Only once its authority's managers may no longer open it themselves.
    """
    since = facts.archived_on
    if since is None or not facts.opened or not rules.role_sees(viewer.role, "archive"):
        return _disclosed("none", "not-in-archive", {})
    if london_day(instant) < anniversary(since, rules.periods.archive_manager):
        return _disclosed("none", "archived-in-manager-period", {})
    shown = _Shown(facts, viewer, instant, rules, "archive")
    return _disclosed("archive", "archive-for-case", shown.fields(rules.fields.archive))


def hit(facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet) -> Disclosed:
    """The short form of a record in a list of results. A list never looks behind a shield, whoever reads it."""
    return _short(_Shown2, facts, viewer, instant, rules)


def _hit_1(facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet) -> Disclosed:
    return _short(_Shown, facts, viewer, instant, rules)


def _short(
    renderer: "type[_Shown]", facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet
) -> Disclosed:
    sight, rule = sight_of(facts, viewer, instant, rules)
    if sight == "none":
        return _disclosed(sight, rule, {})
    hidden = facts.shielded or not facts.opened
    seen: Literal["shielded", "ordinary"] = "shielded" if hidden else "ordinary"
    fields = rules.fields_of_hit.shielded if hidden else rules.fields_of_hit.ordinary
    shown = renderer(facts, viewer, instant, rules, seen).fields(_within(seen, fields))
    if shown.get("address"):
        shown["address"] = _first_line(shown["address"])
    return _disclosed(seen, rule, shown)


def as_it_was(then: RecordFacts, now: RecordFacts) -> RecordFacts:
    """What was held then, in the standing of now: who may see it, and whether at all, is never a matter of the past.

    Shields, archive, supply, authority, death and consent are those of now, and so is the version. A sensitive service
    that is not held any more, or whose consent was withdrawn since, is left out.
    """
    held = {one.involvement: one for one in now.involvements if one.sensitive}
    kept = tuple(
        one
        for one in then.involvements
        if not one.sensitive or (one.involvement in held and _still_grounded(held[one.involvement]))
    )
    return replace(
        then,
        version=now.version,
        involvements=kept,
        authority=now.authority,
        shielded=now.shielded,
        opened=then.opened and now.opened,
        supply_gone=now.supply_gone,
        archived_on=now.archived_on,
        extension_consent_on=now.extension_consent_on,
        extension_withdrawn_on=now.extension_withdrawn_on,
        died_on=now.died_on,
        death_notified_on=now.death_notified_on,
        shields=now.shields,
        requests=now.requests,
        shield_requests=now.shield_requests,
        lift=now.lift,
        held_until=now.held_until,
        contacts=now.contacts,
        transfer=now.transfer,
        closed=now.closed,
        was_split=now.was_split,
        absorbed=now.absorbed,
        new_identity=now.new_identity,
    )


def _still_grounded(involvement: Involvement) -> bool:
    consented = involvement.consent is not None and involvement.consent_withdrawn is None
    return involvement.cause is not None or consented


class Renderer(Protocol):
    """One way of making displays, kept for ever."""

    def __call__(
        self, facts: RecordFacts, viewer: Viewer, instant: datetime, rules: RuleSet, *, override: bool = False
    ) -> Disclosed:
        """The display of a whole record."""
        ...


RENDERERS: Final[Mapping[int, Renderer]] = {1: _disclose_1, 2: disclose}
HIT_RENDERERS: Final[Mapping[int, Callable[[RecordFacts, Viewer, datetime, RuleSet], Disclosed]]] = {
    1: _hit_1,
    2: hit,
}
ARCHIVE_RENDERERS: Final[Mapping[int, Callable[[RecordFacts, Viewer, datetime, RuleSet], Disclosed]]] = {
    2: from_archive,
}


def disclosed(
    rules: RuleSet,
    renderer: int,
    facts: RecordFacts,
    viewer: Viewer,
    instant: datetime,
    *,
    override: bool = False,
) -> Disclosed | None:
    """The display of a record by a renderer of this number, or None where there is nothing for this viewer to see."""
    shown = RENDERERS[renderer](facts, viewer, instant, rules, override=override)
    return None if shown.sight == "none" else shown


def unarchived(
    rules: RuleSet, renderer: int, facts: RecordFacts, viewer: Viewer, instant: datetime
) -> Disclosed | None:
    """An archived record by a renderer of this number, or None where there is nothing for this viewer to see."""
    shown = ARCHIVE_RENDERERS[renderer](facts, viewer, instant, rules)
    return None if shown.sight == "none" else shown


def listed(
    rules: RuleSet, renderer: int, facts: RecordFacts, viewer: Viewer, instant: datetime
) -> Disclosed | None:
    """The short form by a renderer of this number, or None where there is nothing for this viewer to see."""
    shown = HIT_RENDERERS[renderer](facts, viewer, instant, rules)
    return None if shown.sight == "none" else shown


@dataclass(frozen=True, slots=True)
class _Shown:
    """Renderer 1: the value of each field. A change of what one returns is a new renderer, never an edit."""

    facts: RecordFacts
    viewer: Viewer
    instant: datetime
    rules: RuleSet
    sight: Sight

    def fields(self, names: Sequence[RecordField]) -> Display:
        """These fields, in the order of the rules; nothing else of the record is looked at."""
        return {name: getattr(self, f"_{name}")() for name in names}

    def _child_id(self) -> str:
        return str(self.facts.child_id)

    def _number(self) -> str:
        return self.facts.index_number

    def _name(self) -> Display | None:
        return name_shown(self.facts.name) if self.facts.name else None

    def _former_names(self) -> list[Display]:
        return [{**name_shown(name), "kind": name.kind} for name in self.facts.other_names]

    def _date_of_birth(self) -> str | None:
        return _day(self.facts.date_of_birth)

    def _gender(self) -> str:
        return str(self.facts.gender)

    def _address(self) -> Display | None:
        where = self.facts.whereabouts
        match where:
            case None:
                return None
            case CurrentAddress() | LastKnownAddress():
                return {"state": where.state, **_address(where.address)}
            case LeftEngland():
                return {
                    "state": where.state,
                    "return_intended": where.return_intended,
                    "considered_left": _day(where.considered_left),
                }
            case _:
                return {"state": where.state}

    def _carers(self) -> list[Display]:
        born = self.facts.date_of_birth
        of_age = born is not None and age_on(born, london_day(self.instant)) >= self.rules.ages.archive
        return [
            {
                "name": name_shown(carer.name),
                "standing": "care" if of_age else carer.standing,
                "contact": _contact(carer.contact),
            }
            for carer in self.facts.carers
            if not (of_age and carer.standing == "parental-responsibility")  # Schedule 1 para 6(b)
        ]

    def _education(self) -> Display | None:
        return _institution(self.facts.education)

    def _general_practice(self) -> Display | None:
        return _institution(self.facts.practice)

    def _involvements(self) -> list[Display]:
        return [_involvement(i) for i in _in_order(self.facts.involvements) if i.stands and not i.sensitive]

    def _notice(self) -> str | None:
        """One sentence, the same for one sensitive involvement and for many."""
        stands = any(i.stands and i.sensitive for i in self.facts.involvements)
        return self.rules.sensitive.notice if stands else None

    def _identifiers(self) -> list[Display]:
        """A number is seen by the body that allocated it (Schedule 1 para 18)."""
        body = self.viewer.body
        seen = [
            {"scheme": i.scheme, "value": i.value, "allocated_by": i.allocated_by}
            for i in self.facts.identifiers
            if body == i.allocated_by or body in self.rules.identifiers.get(i.scheme, ())
        ]
        if self.facts.nhs_number is not None and body in self.rules.identifiers.get(_NHS, ()):
            seen.append({"scheme": _NHS, "value": self.facts.nhs_number, "allocated_by": body})
        return sorted(seen, key=lambda number: (number["scheme"], number["value"]))

    def _sources(self) -> Display:
        fields: dict[str, tuple[str, bool]] = {
            "name": ("name", self.facts.name is not None),
            "date_of_birth": ("date_of_birth", self.facts.date_of_birth is not None),
            "gender": ("gender", self.facts.gender is not Gender.NOT_SPECIFIED),
            "address": ("whereabouts", self.facts.whereabouts is not None),
            "carers": ("carers", bool(self._carers())),
            "education": ("education", self.facts.education is not None),
            "general_practice": ("practice", self.facts.practice is not None),
        }
        return {
            field: {"kind": str(self.facts.held[key].source_kind), "since": _day(self.facts.held[key].since)}
            for field, (key, shown) in fields.items()
            if shown and key in self.facts.held
        }

    def _shielded(self) -> bool:
        return self.facts.shielded or not self.facts.opened

    def _override(self) -> bool:
        return self.sight == "override"

    def _earlier_addresses(self) -> list[Display]:
        return [_address(address) for address in self.facts.earlier_addresses]

    def _sensitive_involvements(self) -> list[Display]:
        return [
            {
                **_involvement(i),
                "ground": "cause" if i.cause is not None else "consent",
                "cause": _cause(i.cause),
            }
            for i in _in_order(self.facts.involvements)
            if i.stands and i.sensitive
        ]

    def _authority(self) -> str | None:
        return self.facts.authority

    def _withheld(self) -> list[str]:
        return sorted(self.facts.withheld)

    def _shields(self) -> list[Display]:
        return [
            {
                "ground": shield.ground if isinstance(shield.ground, str) else None,
                "raised_on": _day(london_day(shield.raised_at)),
                "raised_by": str(shield.source_kind),
                "provisional": shield.provisional,
            }
            for shield in self.facts.shields
        ]

    def _archived_on(self) -> str | None:
        return _day(self.facts.archived_on)


@dataclass(frozen=True, slots=True)
class _Shown2(_Shown):
    """Renderer 2: numbers by function as well, concerns where the rules hold them, and who consented, to managers."""

    def _involvements(self) -> list[Display]:
        ordinary = [i for i in _in_order(self.facts.involvements) if i.stands and not i.sensitive]
        if not self.rules.concern.held:
            return [_involvement(i) for i in ordinary]
        return [{**_involvement(i), "concern": i.concern} for i in ordinary]

    def _identifiers(self) -> list[Display]:
        """A number is seen by the body that allocated it, at work on the functions that it was allocated for."""
        functions, purposes = self.rules.functions_of_identifiers, self.viewer.purposes
        return [
            number
            for number in _Shown._identifiers(self)  # noqa: SLF001 - renderer 1's, with less of it
            if number["scheme"] not in functions or not set(functions[number["scheme"]]).isdisjoint(purposes)
        ]

    def _sensitive_involvements(self) -> list[Display]:
        standing = [i for i in _in_order(self.facts.involvements) if i.stands and i.sensitive]
        return [
            {
                **_involvement(i),
                "ground": "cause" if i.cause is not None else "consent",
                "consent": _consent(i),
                "ask_afresh_on": _day(ask_afresh_on(i, self.facts.date_of_birth, self.rules)),
                "cause": _cause(i.cause),
            }
            for i in standing
        ]


_NHS: Final = "nhs-number"


def fields_in(sight: Sight, rules: RuleSet) -> tuple[RecordField, ...]:
    """The fields that a sight shows under these rules."""
    return () if sight == "none" else tuple(_within(sight, rules.fields.of(sight)))


def _within(sight: Sight, names: Sequence[RecordField]) -> list[RecordField]:
    """What the rules name, less what no rule set may show in this sight."""
    return [name for name in names if sight != "shielded" or name in SHIELD_CEILING]


def shown_carer(carer: Carer) -> Display:
    """A carer as they are shown to themselves."""
    return {
        "name": name_shown(carer.name),
        "standing": carer.standing,
        "contact": _contact(carer.contact),
    }


def _disclosed(sight: Sight, rule: str, record: Display) -> Disclosed:
    return Disclosed(sight, rule, record, mask_of(record))


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def name_shown(name: FullName | PersonName) -> Display:
    """A name in the words of a display."""
    return {"given": list(name.given), "family": name.family}


def _address(address: Address) -> Display:
    return {"lines": list(address.lines), "postcode": address.postcode}


def _first_line(address: Display) -> Display:
    return {
        "state": address["state"],
        "lines": address.get("lines", [])[:1],
        "postcode": address.get("postcode"),
    }


def _contact(contact: Contact | None) -> Display:
    return {"telephone": contact and contact.telephone, "email": contact and contact.email}


def _institution(institution: Institution | None) -> Display | None:
    if institution is None:
        return None
    return {"name": institution.name, "code": institution.code, "contact": _contact(institution.contact)}


def _in_order(involvements: Sequence[Involvement]) -> list[Involvement]:
    return sorted(involvements, key=lambda i: (i.began, i.service, i.involvement.bytes), reverse=True)


def _involvement(involvement: Involvement) -> Display:
    return {
        "involvement": str(involvement.involvement),
        "kind": involvement.kind,
        "service": involvement.service,
        "organisation": involvement.organisation,
        "role": involvement.role,
        "contact": _contact(involvement.contact),
        "lead_professional": involvement.lead_professional,
        "common_assessment": involvement.common_assessment,
        "began": _day(involvement.began),
    }


def _consent(involvement: Involvement) -> Display | None:
    """Who consented and when, and whether the child was judged competent; None where no consent stands."""
    consent, judgement = involvement.consent, involvement.judgement
    if consent is None or involvement.consent_withdrawn is not None:
        return None
    return {
        "given_by": consent.given_by,
        "given_on": _day(consent.given_on),
        "judged_competent": None if judgement is None else judgement.competent,
        "judged_on": None if judgement is None else _day(judgement.judged_on),
    }


def _cause(cause: ReasonableCause | None) -> Display | None:
    if cause is None:
        return None
    return {
        "considered_by": cause.considered_by,
        "considered_on": _day(cause.considered_on),
        "review_on": _day(cause.review_on),
    }


def _refuse_floats(shown: object) -> None:
    match shown:
        case float():
            raise TypeError("a display holds no floating-point number")
        case dict():
            for value in shown.values():
                _refuse_floats(value)
        case list() | tuple():
            for value in shown:
                _refuse_floats(value)
        case _:
            pass
