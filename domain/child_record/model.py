"""The state of one child's record, and `evolve`, which folds one event into it.

State keeps every assertion with its provenance; which of them is shown is chosen by `ingest.best_view` when reading.
`evolve` accepts every event ever stored, whether or not its content could be opened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

from domain.child_record.events import (
    AddressAsserted,
    AuthorityAllocated,
    AuthorityAssigned,
    CarersAsserted,
    ChildRegistered,
    Consent,
    Contact,
    ContactAnswered,
    ContactAsked,
    ContactPassedOn,
    DeathNotified,
    DeathReversed,
    DestructionHeld,
    EducationAsserted,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    FactsWithheld,
    HoldReleased,
    IdentifiersAsserted,
    IdentityAsserted,
    IdentityVetoed,
    InvolvementBegun,
    InvolvementContactGiven,
    InvolvementEnded,
    Judgement,
    LeftEngland,
    LiftDecided,
    LinkRuledOut,
    OriginsNamed,
    PracticeAsserted,
    ReasonableCause,
    RecordAbsorbed,
    RecordArchived,
    RecordClosed,
    RecordReopened,
    RecordSplitOff,
    RightClaimed,
    RightDecided,
    RulingsReversed,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementBegun,
    SensitiveInvolvementEnded,
    SensitiveInvolvementGrounded,
    ShieldDecided,
    ShieldLifted,
    ShieldRaised,
    ShieldRequested,
    ShieldRequesterVerified,
    ShieldReviewed,
    Source,
    SourceKind,
    SubjectAccessAnswered,
    SubjectAccessPaused,
    SubjectAccessRequested,
    SubjectAccessResumed,
    SupplyWithdrawn,
    TransferAccepted,
    TransferDeclined,
    TransferOffered,
    TransferWithdrawn,
    Whereabouts,
)
from domain.kernel import Event, ForgottenEvent, History, Recorded
from domain.personal_data import Forgotten, Hidden
from domain.policy.retention import Departure, london_day
from domain.policy.subject_access import Pause, SubjectRequest

AssertedEvent: TypeAlias = (
    IdentityAsserted
    | AddressAsserted
    | CarersAsserted
    | EducationAsserted
    | PracticeAsserted
    | IdentifiersAsserted
    | FactsWithheld
)


class Assertion(NamedTuple):
    """One assertion as recorded: the event, its version in the stream and when the log learnt it."""

    version: int
    recorded_at: datetime
    event: AssertedEvent


@dataclass(frozen=True, slots=True)
class Saying:
    """That a source said, at this version of the stream, that a service is involved."""

    version: int
    source_kind: SourceKind
    source: Source


class End(NamedTuple):
    """That a service was said, at this version of the stream, to have ended on a day."""

    version: int
    day: date


@dataclass(frozen=True, slots=True)
class Involvement:
    """A service's involvement. `consent`, `judgement` and `cause` are set only where it is sensitive.

    `version`, `source_kind` and `source` are of the first saying that stands; `again` are the others, of other files.
    `ends`: every end that stands, the last of which is `ended`.
    """

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
    again: tuple[Saying, ...] = ()
    ends: tuple[End, ...] = ()
    judgement: Judgement | None = None
    concern: bool = False

    @property
    def sayings(self) -> tuple[Saying, ...]:
        """Every saying that stands, in the order of the stream."""
        return (Saying(self.version, self.source_kind, self.source), *self.again)

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
class ShieldRequest:
    """That somebody asked for a shield, and what the authority decided; None until it has."""

    request: UUID
    shield: UUID
    requester: str
    ground: str
    received_on: date
    verified: bool
    granted: bool | None = None
    reason: str | None = None
    consulted: tuple[str, ...] = ()
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Lift:
    """That two people decided to lower these shields on a day; hidden from some readers who, and why."""

    shields: tuple[UUID, ...]
    effective_on: date
    reason: str | Forgotten | Hidden
    proposed_by: UUID | Forgotten | Hidden
    confirmed_by: UUID | Forgotten | Hidden


@dataclass(frozen=True, slots=True)
class Death:
    """A death as one source notified it."""

    version: int
    died_on: date
    notified_on: date
    source_kind: SourceKind
    source: Source | Forgotten | Hidden


@dataclass(frozen=True, slots=True)
class Hold:
    """That the record is not destroyed before a day. `ground`: on whose authority; hidden from some readers."""

    hold: UUID
    until: date
    ground: str | Forgotten | Hidden


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """That somebody asked to be put in touch; to which service it was passed on, and what that said."""

    request: UUID
    asked_by: UUID
    contact: Contact
    asked_on: date
    closes_on: date
    involvement: UUID | None = None
    accepted: bool | None = None
    disclosed: tuple[str, ...] = ()


class Transfer(NamedTuple):
    """An offer that is open: which authority offers the record to which, since when."""

    transfer: UUID
    authority: str
    to: str
    offered_at: datetime


class Absorbed(NamedTuple):
    """That another record was found to be of this child: the merge, and the other stream as it stood then.

    at: the version of this stream that says so.
    """

    merge: UUID
    other: UUID
    version: int
    at: int


class Origin(NamedTuple):
    """That the event of this stream `at` says again what another stream says at `version`."""

    at: int
    stream: UUID
    version: int


@dataclass(frozen=True)  # without slots: `fold` and `evolve` write its values at once
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
    requests: tuple[SubjectRequest, ...] = ()
    """Who asked who looked at it, in order; none where this reader may not know."""
    deaths_reversed: tuple[Death, ...] = ()
    """Notices of a death that was none: a feed that tells of the same day again changes nothing."""
    holds: tuple[Hold, ...] = ()
    """What postpones destruction, until each one's day."""
    shield_requests: tuple[ShieldRequest, ...] = ()
    """Who asked for a shield, in order; none where this reader may not know."""
    shields_decided: tuple[tuple[UUID, date], ...] = ()
    """Of which shields the authority decided, on which day."""
    shields_reviewed_on: date | None = None
    lift: Lift | None = None
    """That shields are to be lowered once notice has been given."""
    contacts: tuple[ContactRequest, ...] = ()
    """Who asked to be put in touch, in order; none where this reader may not know."""
    transfer: Transfer | None = None
    """The offer to another authority that is open; none where this reader may not know."""
    vetoed: frozenset[str] = frozenset()
    """Marks of source records that never join this one; none where this reader may not know."""
    absorbed: tuple[Absorbed, ...] = ()
    origins: tuple[Origin, ...] = ()
    closed: bool = False
    closed_into: UUID | None = None
    heirs: tuple[UUID, ...] = ()
    content_key: int = 1
    last_key: int = 0
    forgotten: UUID | None = None

    @property
    def registered(self) -> bool:
        """Whether there is such a record at all."""
        return self.index_number is not None

    @property
    def sealed(self) -> bool:
        """Whether it is the record of an identity that its child does not have any more: it leads nowhere."""
        return self.closed and not self.heirs

    @property
    def shielded(self) -> bool:
        """Whether any shield stands (provisional ones count)."""
        return bool(self.shields)

    @property
    def supply_gone(self) -> bool:
        """Whether the withdrawal of a file left nobody who says who the child is."""
        return self.supply_gone_on is not None

    def involvement(self, which: UUID) -> Involvement | None:
        """The involvement of this id, whether or not it stands."""
        return next((one for one in self.involvements if one.involvement == which), None)

    @property
    def died_on(self) -> date | None:
        """The date of death last notified, an authority's or officer's before a feed's."""
        own = (SourceKind.AUTHORITY, SourceKind.OFFICER)
        ranked = sorted(self.deaths, key=lambda death: (death.source_kind in own, death.version))
        return ranked[-1].died_on if ranked else None

    @property
    def death_notified_on(self) -> date | None:
        """The day on which a death was first notified."""
        return min([death.notified_on for death in self.deaths], default=None)

    @property
    def held_until(self) -> date | None:
        """The first day on which no hold keeps the record from being destroyed; None where there is none."""
        return max([hold.until for hold in self.holds], default=None)

    @property
    def departure(self) -> Departure | None:
        """That the child left England, where that is the last word on its whereabouts."""
        if not any([_tells_of_departure(a.event) for a in self.assertions]):  # noqa: C419 - quicker than a generator
            return None
        where = _whereabouts(self)
        return (
            Departure(where.considered_left, where.return_intended)
            if isinstance(where, LeftEngland)
            else None
        )

    @property
    def standing(self) -> tuple[Assertion, ...]:
        """The assertions that count: those no withdrawal of supply has taken back."""
        if not self.withdrawn:
            return self.assertions
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


def unknown(child_id: UUID) -> ChildRecord:
    """The record of a child of whom nothing is recorded yet."""
    record = object.__new__(ChildRecord)  # a frozen class writes its values one by one: ten times as long
    vars(record).update(_NOTHING, child_id=child_id)
    return record


_NOTHING = vars(ChildRecord(UUID(int=0)))

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


def _tells_of_departure(event: AssertedEvent) -> bool:
    return type(event) is AddressAsserted and type(event.whereabouts) is LeftEngland


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
    record = unknown(history.stream_id)
    values = vars(record)  # not shown to anybody yet, so one copy serves all events
    for recorded in history.events:
        values.update(_told(record, recorded))
    return record


def evolve(record: ChildRecord, recorded: Recorded) -> ChildRecord:
    """Fold one recorded event into the record. Total: refuses nothing, reads no clock."""
    copy = object.__new__(ChildRecord)  # five times as quick as `dataclasses.replace`
    vars(copy).update(vars(record), **_told(record, recorded))
    return copy


def _told(record: ChildRecord, recorded: Recorded) -> dict[str, Any]:
    """The fields that an event changes."""
    told = _told_by_event(record, recorded)
    told["version"] = recorded.version
    told["last_key"] = max(record.last_key, recorded.content_key)
    return told


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


def _said_again(
    record: ChildRecord, version: int, event: InvolvementBegun | SensitiveInvolvementBegun
) -> tuple[Involvement, ...]:
    """The involvements, one of which another file tells of as well."""
    saying = Saying(version, event.source_kind, event.source)
    return tuple(
        replace(i, again=(*i.again, saying)) if i.involvement == event.involvement else i
        for i in record.involvements
    )


def _still_said(involvement: Involvement, withdrawn: Sequence[int]) -> Involvement | None:
    """The involvement without what was withdrawn; None where nobody tells of it any more."""
    standing = [saying for saying in involvement.sayings if saying.version not in withdrawn]
    if not standing:
        return None
    first, *others = standing
    ends = tuple(end for end in involvement.ends if end.version not in withdrawn)
    return replace(
        involvement,
        ended=ends[-1].day if ends else None,
        ends=ends,
        version=first.version,
        source_kind=first.source_kind,
        source=first.source,
        again=tuple(others),
    )


def _with_involvement(record: ChildRecord, which: UUID, **changed: Any) -> tuple[Involvement, ...]:
    """The involvements with this one changed; as they are where there is none, its file withdrawn perhaps."""
    return tuple(replace(i, **changed) if i.involvement == which else i for i in record.involvements)


def _told_by_event(record: ChildRecord, recorded: Recorded) -> dict[str, Any]:
    tell = _TELLS.get(type(recorded.event))
    return tell(record, recorded, recorded.event) if tell else {}  # else it is concealed from this reader


def _registered(record: ChildRecord, recorded: Recorded, event: ChildRegistered) -> dict[str, Any]:
    del record
    return {
        "index_number": event.index_number,
        "registered_at": recorded.recorded_at,
        "rule_set": event.rule_set,
        "authority": event.owning_authority,
        "source_of_registration": event.source,
    }


def _asserted(record: ChildRecord, recorded: Recorded, event: AssertedEvent) -> dict[str, Any]:
    assertion = Assertion(recorded.version, recorded.recorded_at, event)
    return {"assertions": (*record.assertions, assertion)}


def _supply_withdrawn(record: ChildRecord, recorded: Recorded, event: SupplyWithdrawn) -> dict[str, Any]:
    return {
        "withdrawn": record.withdrawn | frozenset(event.versions),
        "supply_gone_on": london_day(recorded.recorded_at) if event.alone else None,
        "involvements": tuple(filter(None, (_still_said(i, event.versions) for i in record.involvements))),
        "deaths": tuple(d for d in record.deaths if d.version not in event.versions),
    }


def _begun(
    record: ChildRecord, recorded: Recorded, event: InvolvementBegun | SensitiveInvolvementBegun
) -> dict[str, Any]:
    if any(i.involvement == event.involvement for i in record.involvements):
        return {"involvements": _said_again(record, recorded.version, event)}
    return {"involvements": (*record.involvements, _involvement(recorded, event))}


def _grounded(record: ChildRecord, recorded: Recorded, event: SensitiveInvolvementGrounded) -> dict[str, Any]:
    """A ground in place of the one before. That a consent was withdrawn is forgotten only when another is given."""
    del recorded
    known = next((i for i in record.involvements if i.involvement == event.involvement), None)
    withdrawn = known.consent_withdrawn if known is not None and event.consent is None else None
    return {
        "involvements": _with_involvement(
            record,
            event.involvement,
            contact=event.contact,
            consent=event.consent,
            consent_withdrawn=withdrawn,
            judgement=event.judgement,
            cause=event.cause,
        )
    }


def _ended(
    record: ChildRecord, recorded: Recorded, event: InvolvementEnded | SensitiveInvolvementEnded
) -> dict[str, Any]:
    ends = next((i.ends for i in record.involvements if i.involvement == event.involvement), ())
    ends = (*ends, End(recorded.version, event.ended))
    return {"involvements": _with_involvement(record, event.involvement, ended=event.ended, ends=ends)}


def _shield_raised(record: ChildRecord, recorded: Recorded, event: ShieldRaised) -> dict[str, Any]:
    shield = Shield(event.shield, recorded.recorded_at, event.provisional, event.source_kind, event.ground)
    return {
        "shields": (*record.shields, shield),
        "ever_shielded": True,
        "content_key": recorded.content_key,
    }


def _death_notified(record: ChildRecord, recorded: Recorded, event: DeathNotified) -> dict[str, Any]:
    death = Death(recorded.version, event.died_on, event.notified_on, event.source_kind, event.source)
    return {"deaths": (*record.deaths, death)}


def _death_reversed(record: ChildRecord, recorded: Recorded, event: DeathReversed) -> dict[str, Any]:
    del recorded
    gone = tuple(death for death in record.deaths if death.version in event.versions)
    return {
        "deaths": tuple(death for death in record.deaths if death not in gone),
        "deaths_reversed": (*record.deaths_reversed, *gone),
    }


def _destruction_held(record: ChildRecord, recorded: Recorded, event: DestructionHeld) -> dict[str, Any]:
    del recorded
    others = tuple(hold for hold in record.holds if hold.hold != event.hold)
    return {"holds": (*others, Hold(event.hold, event.until, event.ground))}


def _shield_requested(record: ChildRecord, recorded: Recorded, event: ShieldRequested) -> dict[str, Any]:
    del recorded
    asked = ShieldRequest(
        event.request, event.shield, event.requester, event.ground, event.received_on, event.verified
    )
    return {"shield_requests": (*record.shield_requests, asked)}


def _with_shield_request(record: ChildRecord, which: object, **changed: Any) -> tuple[ShieldRequest, ...]:
    return tuple(replace(one, **changed) if one.request == which else one for one in record.shield_requests)


def _shield_decided(record: ChildRecord, recorded: Recorded, event: ShieldDecided) -> dict[str, Any]:
    del recorded
    decided = {"shields_decided": (*record.shields_decided, (event.shield, event.decided_on))}
    if not isinstance(event.granted, bool):
        return decided
    requests = _with_shield_request(
        record,
        event.request,
        granted=event.granted,
        reason=event.reason,
        consulted=event.consulted,
        decided_on=event.decided_on,
    )
    return {**decided, "shield_requests": requests}


def _lift_decided(record: ChildRecord, recorded: Recorded, event: LiftDecided) -> dict[str, Any]:
    del record, recorded
    return {
        "lift": Lift(event.shields, event.effective_on, event.reason, event.proposed_by, event.confirmed_by)
    }


def _shield_lifted(record: ChildRecord, recorded: Recorded, event: ShieldLifted) -> dict[str, Any]:
    del recorded
    lift = record.lift
    over = lift is not None and set(lift.shields) <= set(event.shields)
    return {
        "shields": tuple(s for s in record.shields if s.shield not in event.shields),
        "lift": None if over else lift,
    }


def _asked_who_looked(
    record: ChildRecord, recorded: Recorded, event: SubjectAccessRequested
) -> dict[str, Any]:
    del recorded
    asked = SubjectRequest(event.request, event.requester, event.basis, event.received_on)
    return {"requests": (*record.requests, asked)}


def _right_claimed(record: ChildRecord, recorded: Recorded, event: RightClaimed) -> dict[str, Any]:
    del recorded
    claimed = SubjectRequest(
        event.request, event.requester, event.basis, event.received_on, right=event.right
    )
    return {"requests": (*record.requests, claimed)}


def _right_decided(record: ChildRecord, recorded: Recorded, event: RightDecided) -> dict[str, Any]:
    del recorded
    return _with_request(
        record,
        event.request,
        lambda one: replace(one, answered_on=event.decided_on, reasons=event.reasons),
    )


def _with_request(
    record: ChildRecord, which: UUID, change: Callable[[SubjectRequest], SubjectRequest]
) -> dict[str, Any]:
    """The requests with this one changed; as they are where there is none."""
    return {"requests": tuple(change(one) if one.request == which else one for one in record.requests)}


def _paused(record: ChildRecord, recorded: Recorded, event: SubjectAccessPaused) -> dict[str, Any]:
    del recorded
    pause = Pause(event.why, event.since)
    return _with_request(record, event.request, lambda one: replace(one, pauses=(*one.pauses, pause)))


def _resumed(record: ChildRecord, recorded: Recorded, event: SubjectAccessResumed) -> dict[str, Any]:
    del recorded
    return _with_request(
        record,
        event.request,
        lambda one: replace(
            one, pauses=(*one.pauses[:-1], *(p._replace(until=event.until) for p in one.pauses[-1:]))
        ),
    )


def _answered(record: ChildRecord, recorded: Recorded, event: SubjectAccessAnswered) -> dict[str, Any]:
    del recorded
    return _with_request(
        record,
        event.request,
        lambda one: replace(one, answered_on=event.answered_on, withheld=event.withheld),
    )


def _contact_asked(record: ChildRecord, recorded: Recorded, event: ContactAsked) -> dict[str, Any]:
    del recorded
    asked = ContactRequest(event.request, event.asked_by, event.contact, event.asked_on, event.closes_on)
    return {"contacts": (*record.contacts, asked)}


def _with_contact(record: ChildRecord, which: UUID, **changed: Any) -> dict[str, Any]:
    """The requests for contact with this one changed; as they are where there is none."""
    return {
        "contacts": tuple(replace(one, **changed) if one.request == which else one for one in record.contacts)
    }


def _origins_named(record: ChildRecord, recorded: Recorded, event: OriginsNamed) -> dict[str, Any]:
    del recorded
    named = [Origin(at, event.origin, version) for at, version in enumerate(event.versions, event.first)]
    return {"origins": (*record.origins, *named)}


def as_true_on(record: ChildRecord, day: date) -> ChildRecord:
    """The record as far as it is said to have been true on a day: without what began, ended or happened later.

    What hides does not depend on a day: shields, withdrawals of consent and of supply, and archiving are as they are.
    """
    return replace(
        record,
        assertions=tuple(a for a in record.assertions if a.event.effective <= day),
        involvements=tuple(_involved_on(i, day) for i in record.involvements if i.began <= day),
        deaths=tuple(d for d in record.deaths if d.died_on <= day),
    )


def _involved_on(involvement: Involvement, day: date) -> Involvement:
    ends = tuple(end for end in involvement.ends if end.day <= day)
    return replace(involvement, ends=ends, ended=ends[-1].day if ends else None)


_Tell: TypeAlias = Callable[[ChildRecord, Recorded, Any], dict[str, Any]]

_TELLS: Final[Mapping[type[Event], _Tell]] = {
    ChildRegistered: _registered,
    **dict.fromkeys(get_args(AssertedEvent), _asserted),
    AuthorityAssigned: lambda _, __, event: {"authority": event.authority},
    SupplyWithdrawn: _supply_withdrawn,
    InvolvementBegun: _begun,
    InvolvementContactGiven: lambda record, _, event: {
        "involvements": _with_involvement(
            record, event.involvement, contact=event.contact, concern=event.concern
        )
    },
    InvolvementEnded: _ended,
    SensitiveInvolvementBegun: _begun,
    SensitiveInvolvementGrounded: _grounded,
    SensitiveConsentWithdrawn: lambda record, _, event: {
        "involvements": _with_involvement(record, event.involvement, consent_withdrawn=event.withdrawn_on)
    },
    SensitiveInvolvementEnded: _ended,
    ShieldRaised: _shield_raised,
    ShieldLifted: _shield_lifted,
    ExtensionConsentGiven: lambda _, __, event: {
        "extension_consent_on": event.given_on,
        "extension_withdrawn_on": None,
    },
    ExtensionConsentWithdrawn: lambda _, __, event: {"extension_withdrawn_on": event.withdrawn_on},
    DeathNotified: _death_notified,
    RecordArchived: lambda _, __, event: {
        "archived_on": event.archived_on,
        "archive_ground": event.ground,
    },
    RecordReopened: lambda _, __, ___: {
        "archived_on": None,
        "archive_ground": None,
        "supply_gone_on": None,
    },
    LinkRuledOut: lambda record, _, event: {"ruled_out": record.ruled_out.union(event.marks)},
    SubjectAccessRequested: _asked_who_looked,
    RightClaimed: _right_claimed,
    RightDecided: _right_decided,
    SubjectAccessPaused: _paused,
    SubjectAccessResumed: _resumed,
    SubjectAccessAnswered: _answered,
    ShieldRequested: _shield_requested,
    ShieldRequesterVerified: lambda record, _, event: {
        "shield_requests": _with_shield_request(record, event.request, verified=True)
    },
    ShieldDecided: _shield_decided,
    ShieldReviewed: lambda _, __, event: {"shields_reviewed_on": event.reviewed_on},
    LiftDecided: _lift_decided,
    DeathReversed: _death_reversed,
    DestructionHeld: _destruction_held,
    HoldReleased: lambda record, _, event: {
        "holds": tuple(hold for hold in record.holds if hold.hold not in event.holds)
    },
    ContactAsked: _contact_asked,
    ContactPassedOn: lambda record, _, event: _with_contact(
        record, event.request, involvement=event.involvement
    ),
    ContactAnswered: lambda record, _, event: _with_contact(
        record,
        event.request,
        involvement=event.involvement,
        accepted=event.accepted,
        disclosed=event.disclosed,
    ),
    TransferOffered: lambda _, recorded, event: {
        "transfer": Transfer(event.transfer, event.authority, event.to, recorded.recorded_at)
    },
    TransferWithdrawn: lambda _, __, ___: {"transfer": None},
    TransferDeclined: lambda _, __, ___: {"transfer": None},
    TransferAccepted: lambda _, __, event: {"authority": event.authority, "transfer": None},
    AuthorityAllocated: lambda _, __, event: {"authority": event.authority, "transfer": None},
    RecordAbsorbed: lambda record, recorded, event: {
        "absorbed": (
            *record.absorbed,
            Absorbed(event.merge, event.other, event.version, recorded.version),
        )
    },
    OriginsNamed: _origins_named,
    RulingsReversed: lambda record, _, event: {"ruled_out": record.ruled_out.difference(event.marks)},
    IdentityVetoed: lambda record, _, event: {"vetoed": record.vetoed.union(event.marks)},
    RecordSplitOff: lambda record, recorded, event: {
        "absorbed": (*record.absorbed, Absorbed(event.split, event.own, 0, recorded.version))
    },
    RecordClosed: lambda _, __, event: {
        "closed": True,
        "closed_into": event.into,
        "heirs": event.heirs,
        "transfer": None,
    },
    ForgottenEvent: lambda _, __, event: {"forgotten": event.certificate},
}
"""By class and not by a chain of cases: each that does not match would ask pydantic's metaclass, half a microsecond."""
