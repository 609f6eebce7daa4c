"""The state of one child's record, and `evolve`, which folds one event into it.

State keeps every assertion with its provenance; which of them is shown is chosen by `ingest.best_view` when reading.
`evolve` accepts every event ever stored, whether or not its content could be opened.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial, reduce
from typing import Any, Literal, TypeAlias
from uuid import UUID

from domain.child_record.events import (
    AddressAsserted,
    AuthorityAssigned,
    CarersAsserted,
    ChildRegistered,
    Consent,
    Contact,
    DeathNotified,
    EducationAsserted,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    FactsWithheld,
    IdentifiersAsserted,
    IdentityAsserted,
    InvolvementBegun,
    InvolvementContactGiven,
    InvolvementEnded,
    LeftEngland,
    LinkRuledOut,
    PracticeAsserted,
    ReasonableCause,
    RecordArchived,
    RecordReopened,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementBegun,
    SensitiveInvolvementEnded,
    SensitiveInvolvementGrounded,
    ShieldLifted,
    ShieldRaised,
    Source,
    SourceKind,
    SupplyWithdrawn,
    Whereabouts,
)
from domain.kernel import Event, ForgottenEvent, History, Recorded
from domain.personal_data import Forgotten, Hidden
from domain.policy.retention import Departure, london_day

AssertedEvent: TypeAlias = (
    IdentityAsserted
    | AddressAsserted
    | CarersAsserted
    | EducationAsserted
    | PracticeAsserted
    | IdentifiersAsserted
    | FactsWithheld
)


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion as recorded: the event, its version in the stream and when the log learnt it."""

    version: int
    recorded_at: datetime
    event: AssertedEvent


@dataclass(frozen=True, slots=True)
class Involvement:
    """A service's involvement. `consent` and `cause` are set only where it is sensitive."""

    involvement: UUID
    version: int
    content_key: int
    sensitive: bool
    kind: Literal["universal", "additional", "sensitive"]
    service: str
    organisation: str | None
    role: str | None
    contact: Contact
    lead_professional: bool
    common_assessment: bool
    began: date
    source_kind: SourceKind
    source: Source
    ended: date | None = None
    consent: Consent | None = None
    consent_withdrawn: date | None = None
    cause: ReasonableCause | None = None

    @property
    def stands(self) -> bool:
        """Whether it may be held in readers' sight: not ended, and if sensitive still on a ground."""
        if self.ended is not None:
            return False
        if not self.sensitive:
            return True
        return self.cause is not None or (self.consent is not None and self.consent_withdrawn is None)


@dataclass(frozen=True, slots=True)
class Shield:
    """A raised shield; the ground may be hidden from this reader."""

    shield: UUID
    raised_at: datetime
    provisional: bool
    source_kind: SourceKind
    ground: str | Forgotten | Hidden


@dataclass(frozen=True, slots=True)
class Death:
    """A death as one source notified it."""

    version: int
    died_on: date
    notified_on: date
    source_kind: SourceKind
    source: Source | Forgotten | Hidden


@dataclass(frozen=True)  # without slots: `_changed` copies it many times for every stream that is folded
class ChildRecord:
    """A record as far as its reader may know it. `version` 0: not registered."""

    child_id: UUID
    version: int = 0
    index_number: str | None = None
    registered_at: datetime | None = None
    rule_set: str | None = None
    authority: str | Forgotten | Hidden | None = None
    source_of_registration: Source | Forgotten | Hidden | None = None
    assertions: tuple[Assertion, ...] = ()
    withdrawn: frozenset[int] = frozenset()
    supply_gone_on: date | None = None
    involvements: tuple[Involvement, ...] = ()
    shields: tuple[Shield, ...] = ()
    ever_shielded: bool = False
    extension_consent_on: date | None = None
    extension_withdrawn_on: date | None = None
    deaths: tuple[Death, ...] = ()
    archived_on: date | None = None
    archive_ground: str | Forgotten | Hidden | None = None
    ruled_out: frozenset[str] = frozenset()
    """Marks of source records that a human found to be about another child."""
    content_key: int = 1
    last_key: int = 0
    forgotten: UUID | None = None

    @property
    def registered(self) -> bool:
        """Whether there is such a record at all."""
        return self.index_number is not None

    @property
    def shielded(self) -> bool:
        """Whether any shield stands (provisional ones count)."""
        return bool(self.shields)

    @property
    def supply_gone(self) -> bool:
        """Whether the withdrawal of a file left nobody who says who the child is."""
        return self.supply_gone_on is not None

    @property
    def died_on(self) -> date | None:
        """The date of death last notified, an authority's or officer's before a feed's."""
        own = (SourceKind.AUTHORITY, SourceKind.OFFICER)
        ranked = sorted(self.deaths, key=lambda death: (death.source_kind in own, death.version))
        return ranked[-1].died_on if ranked else None

    @property
    def death_notified_on(self) -> date | None:
        """The day on which a death was first notified."""
        return min((death.notified_on for death in self.deaths), default=None)

    @property
    def departure(self) -> Departure | None:
        """That the child left England, where that is the last word on its whereabouts."""
        where = _whereabouts(self)
        return (
            Departure(where.considered_left, where.return_intended)
            if isinstance(where, LeftEngland)
            else None
        )

    @property
    def standing(self) -> tuple[Assertion, ...]:
        """The assertions that count: those no withdrawal of supply has taken back."""
        return tuple(a for a in self.assertions if a.version not in self.withdrawn)

    @property
    def date_of_birth(self) -> date | None:
        """The date of birth that the rules about age go by: an officer's last word, else the highest-ranking source's.

        The same as is shown (`ingest.best_view`); a test holds the two together.
        """
        found: tuple[tuple[bool, int, date, int], date] | None = None
        for assertion in self.standing:
            event = assertion.event
            if isinstance(event, IdentityAsserted) and event.date_of_birth is not None:
                officer = event.source_kind is SourceKind.OFFICER
                rank = 0 if officer else _rank(_ORDER_FOR_BIRTH, event.source_kind)
                merit = (officer, rank, date.min if officer else event.effective, assertion.version)
                if found is None or merit > found[0]:
                    found = (merit, event.date_of_birth)
        return found[1] if found else None


_ORDER_FOR_BIRTH = (
    SourceKind.BIRTHS,
    SourceKind.PDS,
    SourceKind.CHILD_BENEFIT,
    SourceKind.SCHOOL_CENSUS,
    SourceKind.CTF,
    SourceKind.CASE_MANAGEMENT,
    SourceKind.AUTHORITY,
    SourceKind.PRACTITIONER,
)
_ORDER_FOR_WHEREABOUTS = (
    SourceKind.AUTHORITY,
    SourceKind.PDS,
    SourceKind.CHILD_BENEFIT,
    SourceKind.CASE_MANAGEMENT,
    SourceKind.PRACTITIONER,
    SourceKind.SCHOOL_CENSUS,
    SourceKind.CTF,
    SourceKind.BIRTHS,
)


def _rank(order: tuple[SourceKind, ...], kind: SourceKind) -> int:
    return len(order) - order.index(kind) if kind in order else 0


def _whereabouts(record: ChildRecord) -> Whereabouts | None:
    """The last word on where the child is: an officer's, until a source says something new of a later day."""
    said = [(a.version, a.event) for a in record.standing if isinstance(a.event, AddressAsserted)]
    corrections = [entry for entry in said if entry[1].source_kind is SourceKind.OFFICER]
    chosen = max(corrections, key=lambda entry: entry[0], default=None)
    if chosen is not None:
        at, correction = chosen
        repeated = [
            (event.source_kind, event.whereabouts)
            for version, event in said
            if version < at or event.effective <= correction.effective
        ]
        said = [
            (version, event)
            for version, event in said
            if event.source_kind is not SourceKind.OFFICER
            and (event.source_kind, event.whereabouts) not in repeated
        ]
    chosen = max(
        said,
        key=lambda entry: (entry[1].effective, _rank(_ORDER_FOR_WHEREABOUTS, entry[1].source_kind), entry[0]),
        default=chosen,
    )
    return chosen[1].whereabouts if chosen is not None else None


def fold(history: History) -> ChildRecord:
    """The record that a whole stream tells of."""
    return reduce(evolve, history.events, ChildRecord(child_id=history.stream_id))


def evolve(record: ChildRecord, recorded: Recorded) -> ChildRecord:
    """Fold one recorded event into the record. Total: refuses nothing, reads no clock."""
    event: Event = recorded.event
    changed = partial(
        _changed, record, version=recorded.version, last_key=max(record.last_key, recorded.content_key)
    )
    match event:
        case ChildRegistered():
            return changed(
                index_number=event.index_number,
                registered_at=recorded.recorded_at,
                rule_set=event.rule_set,
                authority=event.owning_authority,
                source_of_registration=event.source,
            )
        case (
            IdentityAsserted()
            | AddressAsserted()
            | CarersAsserted()
            | EducationAsserted()
            | PracticeAsserted()
            | IdentifiersAsserted()
            | FactsWithheld()
        ):
            assertion = Assertion(recorded.version, recorded.recorded_at, event)
            return changed(assertions=(*record.assertions, assertion))
        case AuthorityAssigned():
            return changed(authority=event.authority)
        case SupplyWithdrawn():
            return changed(
                withdrawn=record.withdrawn | frozenset(event.versions),
                supply_gone_on=london_day(recorded.recorded_at) if event.alone else None,
                involvements=tuple(i for i in record.involvements if i.version not in event.versions),
                deaths=tuple(d for d in record.deaths if d.version not in event.versions),
            )
        case InvolvementBegun() | SensitiveInvolvementBegun():
            return changed(involvements=(*record.involvements, _involvement(recorded, event)))
        case InvolvementContactGiven():
            return changed(involvements=_with_involvement(record, event.involvement, contact=event.contact))
        case SensitiveInvolvementGrounded():
            return changed(
                involvements=_with_involvement(
                    record,
                    event.involvement,
                    contact=event.contact,
                    consent=event.consent,
                    consent_withdrawn=None,
                    cause=event.cause,
                )
            )
        case InvolvementEnded() | SensitiveInvolvementEnded():
            return changed(involvements=_with_involvement(record, event.involvement, ended=event.ended))
        case SensitiveConsentWithdrawn():
            return changed(
                involvements=_with_involvement(
                    record, event.involvement, consent_withdrawn=event.withdrawn_on
                )
            )
        case ShieldRaised():
            shield = Shield(
                event.shield, recorded.recorded_at, event.provisional, event.source_kind, event.ground
            )
            return changed(
                shields=(*record.shields, shield),
                ever_shielded=True,
                content_key=recorded.content_key,
            )
        case ShieldLifted():
            return changed(shields=tuple(s for s in record.shields if s.shield not in event.shields))
        case ExtensionConsentGiven():
            return changed(extension_consent_on=event.given_on, extension_withdrawn_on=None)
        case ExtensionConsentWithdrawn():
            return changed(extension_withdrawn_on=event.withdrawn_on)
        case DeathNotified():
            death = Death(recorded.version, event.died_on, event.notified_on, event.source_kind, event.source)
            return changed(deaths=(*record.deaths, death))
        case RecordArchived():
            return changed(archived_on=event.archived_on, archive_ground=event.ground)
        case RecordReopened():
            return changed(archived_on=None, archive_ground=None, supply_gone_on=None)
        case LinkRuledOut():
            return changed(ruled_out=record.ruled_out.union(event.marks))
        case ForgottenEvent():
            return changed(forgotten=event.certificate)
        case _:
            return changed()  # concealed from this reader


def _changed(record: ChildRecord, **fields: Any) -> ChildRecord:
    """The record with these fields changed, five times as quick as `dataclasses.replace`: every fold waits for it."""
    copy = object.__new__(ChildRecord)
    vars(copy).update(vars(record), **fields)
    return copy


def _involvement(recorded: Recorded, event: InvolvementBegun | SensitiveInvolvementBegun) -> Involvement:
    sensitive = isinstance(event, SensitiveInvolvementBegun)
    return Involvement(
        involvement=event.involvement,
        version=recorded.version,
        content_key=recorded.content_key,
        sensitive=sensitive,
        kind=event.kind if isinstance(event, InvolvementBegun) else "sensitive",
        service=event.service,
        organisation=event.organisation,
        role=event.role,
        contact=Contact(),
        lead_professional=event.lead_professional,
        common_assessment=event.common_assessment,
        began=event.began,
        source_kind=event.source_kind,
        source=event.source,
    )


def _with_involvement(record: ChildRecord, which: UUID, **changed: Any) -> tuple[Involvement, ...]:
    """The involvements with this one changed; as they are where there is none, its file withdrawn perhaps."""
    return tuple(replace(i, **changed) if i.involvement == which else i for i in record.involvements)
