"""Facts about one child. Stored for decades: a class here is never edited, only followed by a new version.

Marks say which encrypted part a field lies in: identity holds what locates nobody, content what does. Events that
concern whereabouts or a service are concealed: in the identity part even their name is hidden.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import Field, StringConstraints

from domain.identifiers import (
    AddressLine,
    AllocatedNumber,
    BodyCode,
    Id,
    IndexNumber,
    NamePart,
    NhsNumber,
    Postcode,
    ShortCode,
)
from domain.kernel import Event, EventTypes, Immutable
from domain.personal_data import IN_CONTENT, IN_IDENTITY, Forgotten, Hidden

HeldId: TypeAlias = Id | Forgotten | Hidden
HeldCode: TypeAlias = BodyCode | Forgotten | Hidden
HeldShortCode: TypeAlias = ShortCode | Forgotten | Hidden


class Gender(StrEnum):
    """Schedule 1 para 3: a gender, or a statement that it has not been specified. Never blank."""

    FEMALE = "female"
    MALE = "male"
    NOT_SPECIFIED = "not-specified"


class SourceKind(StrEnum):
    """The kind of source an assertion came from. `officer` marks a correction, which outranks feeds."""

    BIRTHS = "births"
    PDS = "pds"
    CHILD_BENEFIT = "child-benefit"
    SCHOOL_CENSUS = "school-census"
    CTF = "ctf"
    CASE_MANAGEMENT = "case-management"
    PRACTITIONER = "practitioner"
    AUTHORITY = "authority"
    OFFICER = "officer"
    INDEX = "index"


class Source(Immutable):
    """Which body said so, in which file and record. The record id is the source's own."""

    body: BodyCode | None = None
    file: Id | None = None
    record: AllocatedNumber | None = None


HeldSource: TypeAlias = Source | Forgotten | Hidden


class FullName(Immutable):
    """Given names and family name, nothing else."""

    given: Annotated[tuple[NamePart, ...], Field(max_length=6)] = ()
    family: NamePart


class PersonName(Immutable):
    """A name with its kind and the days it holds from and to."""

    given: Annotated[tuple[NamePart, ...], Field(max_length=6)] = ()
    family: NamePart
    kind: Literal["current", "former", "alias"] = "current"
    since: date | None = None
    until: date | None = None


class Address(Immutable):
    """An address. `lines` most particular first; UPRN is up to twelve digits."""

    lines: Annotated[tuple[AddressLine, ...], Field(max_length=6)] = ()
    postcode: Postcode | None = None
    uprn: Annotated[int, Field(ge=1, le=999_999_999_999)] | None = None


class CurrentAddress(Immutable):
    """Schedule 1 para 2(a)."""

    state: Literal["current"] = "current"
    address: Address


class LastKnownAddress(Immutable):
    """Schedule 1 para 2(b)."""

    state: Literal["last-known"] = "last-known"
    address: Address


class NoKnownAddress(Immutable):
    """Schedule 1 para 2(c): a statement that no address is known."""

    state: Literal["none-known"] = "none-known"


class LeftEngland(Immutable):
    """Schedule 1 para 2(d): what a body says of an intended return within three years of `considered_left`."""

    state: Literal["left-england"] = "left-england"
    return_intended: Literal["yes", "no", "unknown"]
    considered_left: date


Whereabouts: TypeAlias = Annotated[
    CurrentAddress | LastKnownAddress | NoKnownAddress | LeftEngland, Field(discriminator="state")
]


class Contact(Immutable):
    """How to reach somebody: structured, bounded, no room for a narrative."""

    telephone: (
        Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{5,23}$", max_length=25)] | None
    ) = None
    email: (
        Annotated[str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]{1,80}$", max_length=120)] | None
    ) = None


class Carer(Immutable):
    """Somebody with parental responsibility, or who has care of the child (Schedule 1 para 6)."""

    name: FullName
    standing: Literal["parental-responsibility", "care", "both"]
    contact: Contact | None = None


class Institution(Immutable):
    """A school, a practice or a service provider: name, the code its body gave it, how to reach it."""

    name: NamePart | None = None
    code: BodyCode | None = None
    contact: Contact | None = None


class AllocatedIdentifier(Immutable):
    """A number that a body allocated for its functions (Schedule 1 para 18); shown to that body only."""

    scheme: ShortCode
    value: AllocatedNumber
    allocated_by: BodyCode


class ChildRegistered(Event):
    """A record was opened for a child."""

    NAME: ClassVar[str] = "child-registered"

    index_number: Annotated[IndexNumber, IN_IDENTITY]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    owning_authority: Annotated[BodyCode | Forgotten | Hidden | None, IN_CONTENT] = None
    source: Annotated[HeldSource, IN_CONTENT] = Source()


class IdentityAsserted(Event):
    """A source said who the child is. What it did not say is None and clears nothing."""

    NAME: ClassVar[str] = "identity-asserted"

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_IDENTITY]
    confidence: Annotated[Literal["verified", "stated"], IN_IDENTITY] = "stated"
    names: Annotated[tuple[PersonName, ...], Field(max_length=8), IN_IDENTITY] = ()
    date_of_birth: Annotated[date | None, IN_IDENTITY] = None
    gender: Annotated[Gender | None, IN_IDENTITY] = None
    nhs_number: Annotated[NhsNumber | None, IN_IDENTITY] = None
    birth_order: Annotated[Annotated[int, Field(ge=1, le=9)] | None, IN_IDENTITY] = None
    source: Annotated[HeldSource, IN_CONTENT] = Source()


class AddressAsserted(Event):
    """A source said where the child is, in one of the four statutory states."""

    NAME: ClassVar[str] = "address-asserted"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_CONTENT]
    whereabouts: Annotated[Whereabouts, IN_CONTENT]
    source: Annotated[Source, IN_CONTENT] = Source()


class CarersAsserted(Event):
    """A source said who has parental responsibility for, or care of, the child. Replaces what it said before."""

    NAME: ClassVar[str] = "carers-asserted"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_CONTENT]
    carers: Annotated[tuple[Carer, ...], Field(max_length=8), IN_CONTENT]
    source: Annotated[Source, IN_CONTENT] = Source()


class EducationAsserted(Event):
    """A source said which institution the child attends (Schedule 1 para 7), or that it ceased to."""

    NAME: ClassVar[str] = "education-asserted"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_CONTENT]
    institution: Annotated[Institution, IN_CONTENT]
    ceased: Annotated[date | None, IN_CONTENT] = None
    source: Annotated[Source, IN_CONTENT] = Source()


class PracticeAsserted(Event):
    """A source said who provides primary medical services (Children Act 2004 s.12(4)(e))."""

    NAME: ClassVar[str] = "practice-asserted"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_CONTENT]
    practice: Annotated[Institution, IN_CONTENT]
    source: Annotated[Source, IN_CONTENT] = Source()


class IdentifiersAsserted(Event):
    """A source said which numbers bodies have allocated to the child."""

    NAME: ClassVar[str] = "identifiers-asserted"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_CONTENT]
    identifiers: Annotated[tuple[AllocatedIdentifier, ...], Field(max_length=6), IN_CONTENT]
    source: Annotated[Source, IN_CONTENT] = Source()


class FactsWithheld(Event):
    """A restricted message left these out. Withheld is not cleared: what was held before stands."""

    NAME: ClassVar[str] = "facts-withheld"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    effective: Annotated[date, IN_CONTENT]
    withheld: Annotated[
        tuple[Literal["address", "practice", "contact"], ...], Field(max_length=3), IN_CONTENT
    ]
    source: Annotated[Source, IN_CONTENT] = Source()


class AuthorityAssigned(Event):
    """A local authority became responsible for the record."""

    NAME: ClassVar[str] = "authority-assigned"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    authority: Annotated[BodyCode, IN_CONTENT]


class SupplyWithdrawn(Event):
    """A file was withdrawn: the events of this stream at `versions` no longer count. A shield is never among them."""

    NAME: ClassVar[str] = "supply-withdrawn"

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    versions: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=60), IN_IDENTITY]
    alone: Annotated[bool, IN_IDENTITY] = False
    source: Annotated[HeldSource, IN_CONTENT] = Source()


# An involvement begins with two events, whichever its kind: what it is, and how to reach it (of a sensitive one with
# its ground, under the same key of its own). Each fits a block, so neither number nor length of what is stored tells a
# sensitive service from another.


class InvolvementBegun(Event):
    """A service became involved with the child. Holds that an assessment exists, never what it says."""

    NAME: ClassVar[str] = "involvement-begun"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    service: Annotated[NamePart, IN_CONTENT]
    kind: Annotated[Literal["universal", "additional"], IN_CONTENT]
    organisation: Annotated[NamePart | None, IN_CONTENT] = None
    role: Annotated[NamePart | None, IN_CONTENT] = None
    lead_professional: Annotated[bool, IN_CONTENT] = False
    common_assessment: Annotated[bool, IN_CONTENT] = False
    began: Annotated[date, IN_CONTENT]
    source: Annotated[Source, IN_CONTENT] = Source()


class InvolvementContactGiven(Event):
    """How to reach a service that is involved, and whether it has a cause for concern. Replaces what was given before.

    Of a concern there is nothing but that it exists (Children Act 2004 s.12(4)(g)), and that only where the rules say.
    """

    NAME: ClassVar[str] = "involvement-contact-given"
    VERSION: ClassVar[int] = 2
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    contact: Annotated[Contact, IN_CONTENT]
    concern: Annotated[bool, IN_CONTENT] = False


class InvolvementEnded(Event):
    """A service ceased to be involved."""

    NAME: ClassVar[str] = "involvement-ended"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    ended: Annotated[date, IN_CONTENT]


class Consent(Immutable):
    """That consent was given, by whom and when; never what for in more words than these (reg 11(3)(a))."""

    given_by: Literal["child", "young-person", "parent"]
    given_on: date


class Judgement(NamedTuple):
    """That a practitioner judged the child competent to consent, or not, in this case and on this day.

    A tuple, so that a consent, a judgement and a cause together fit a block.
    """

    competent: bool
    judged_on: date


class ReasonableCause(Immutable):
    """The provider considers there is reasonable cause to suspect significant harm (reg 11(3)(b))."""

    considered_on: date
    considered_by: NamePart
    review_on: date | None = None


class SensitiveInvolvementBegun(Event):
    """A sensitive service became involved; its content lies under a key of its own."""

    NAME: ClassVar[str] = "sensitive-involvement-begun"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    service: Annotated[NamePart, IN_CONTENT]
    organisation: Annotated[NamePart | None, IN_CONTENT] = None
    role: Annotated[NamePart | None, IN_CONTENT] = None
    lead_professional: Annotated[bool, IN_CONTENT] = False
    common_assessment: Annotated[bool, IN_CONTENT] = False
    began: Annotated[date, IN_CONTENT]
    source: Annotated[Source, IN_CONTENT] = Source()


class SensitiveInvolvementGrounded(Event):
    """On what a sensitive involvement is recorded (reg 11(3)), and how to reach the service. Replaces what was said."""

    NAME: ClassVar[str] = "sensitive-involvement-grounded"
    VERSION: ClassVar[int] = 2
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    contact: Annotated[Contact, IN_CONTENT]
    consent: Annotated[Consent | None, IN_CONTENT] = None
    judgement: Annotated[Judgement | None, IN_CONTENT] = None
    cause: Annotated[ReasonableCause | None, IN_CONTENT] = None
    rule_set: Annotated[ShortCode, IN_CONTENT]


class SensitiveConsentWithdrawn(Event):
    """Consent to record a sensitive involvement was withdrawn. A cause recorded beside it stands on its own."""

    NAME: ClassVar[str] = "sensitive-consent-withdrawn"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    withdrawn_on: Annotated[date, IN_CONTENT]


class SensitiveInvolvementEnded(Event):
    """A sensitive service ceased to be involved."""

    NAME: ClassVar[str] = "sensitive-involvement-ended"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    involvement: Annotated[Id, IN_CONTENT]
    ended: Annotated[date, IN_CONTENT]


class ShieldRaised(Event):
    """Where the child is must not be shown. A join: any source or officer may raise it, no feed lowers it."""

    NAME: ClassVar[str] = "shield-raised"

    shield: Annotated[Id, IN_IDENTITY]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    provisional: Annotated[bool, IN_IDENTITY] = False
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    ground: Annotated[HeldShortCode, IN_CONTENT]
    source: Annotated[HeldSource, IN_CONTENT] = Source()


class ShieldLifted(Event):
    """Two authorised people lowered the shield. The only event that can; expiry never does."""

    NAME: ClassVar[str] = "shield-lifted"

    shields: Annotated[tuple[Id, ...], Field(max_length=16), IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    reason: Annotated[HeldShortCode, IN_CONTENT]
    proposed_by: Annotated[HeldId, IN_CONTENT]
    confirmed_by: Annotated[HeldId, IN_CONTENT]


class ExtensionConsentGiven(Event):
    """Informed, explicit consent to be kept beyond 18 (reg 4(2)); only for the categories the rules name."""

    NAME: ClassVar[str] = "extension-consent-given"

    given_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    category: Annotated[HeldShortCode, IN_CONTENT]


class ExtensionConsentWithdrawn(Event):
    """Consent to be kept beyond 18 was withdrawn."""

    NAME: ClassVar[str] = "extension-consent-withdrawn"

    withdrawn_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]


class DeathNotified(Event):
    """A death was notified; the record stays live for the period the rules name, then is archived."""

    NAME: ClassVar[str] = "death-notified"

    died_on: Annotated[date, IN_IDENTITY]
    notified_on: Annotated[date, IN_IDENTITY]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    source: Annotated[HeldSource, IN_CONTENT] = Source()


class RecordArchived(Event):
    """The record left every reader's sight. `ground` names the rule."""

    NAME: ClassVar[str] = "record-archived"

    archived_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    ground: Annotated[HeldShortCode, IN_CONTENT]


Mark = Annotated[str, StringConstraints(pattern=r"^[ein]:[0-9a-f]{32}$", max_length=34)]
"""A keyed digest of what tells a source record: its own entry (e), a name and birth date (i), a number and one (n)."""


class LinkRuledOut(Event):
    """A human found that source records with these marks are about another child: they never join this record.

    Marks are keyed digests, so the other child's details are not kept here. `held`: the record that was decided on.
    """

    NAME: ClassVar[str] = "link-ruled-out"

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    marks: Annotated[tuple[Mark, ...], Field(max_length=24), IN_IDENTITY]
    held: Annotated[HeldId, IN_CONTENT]


class RecordReopened(Event):
    """An archived record is live again: supplied again, back in England, or archived on a date that was wrong."""

    NAME: ClassVar[str] = "record-reopened"

    reopened_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    ground: Annotated[HeldShortCode, IN_CONTENT]


class SubjectAccessRequested(Event):
    """Somebody asked who looked at this record (UK GDPR Art 15): who, on what they may ask, and on which day."""

    NAME: ClassVar[str] = "subject-access-requested"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    requester: Annotated[ShortCode, IN_CONTENT]
    basis: Annotated[ShortCode, IN_CONTENT]
    received_on: Annotated[date, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class RightClaimed(Event):
    """Somebody claimed another right of a data subject than access, to erasure or to object (UK GDPR Arts 17, 21)."""

    NAME: ClassVar[str] = "right-claimed"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    right: Annotated[ShortCode, IN_CONTENT]
    requester: Annotated[ShortCode, IN_CONTENT]
    basis: Annotated[ShortCode, IN_CONTENT]
    received_on: Annotated[date, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class RightDecided(Event):
    """What was decided on such a claim: reasons that the rules know, from which its outcome follows."""

    NAME: ClassVar[str] = "right-decided"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    reasons: Annotated[tuple[ShortCode, ...], Field(min_length=1, max_length=6), IN_CONTENT]
    decided_on: Annotated[date, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class SubjectAccessPaused(Event):
    """The clock of such a request stands still from this day on: its identity, or what is wanted, is not clear yet."""

    NAME: ClassVar[str] = "subject-access-paused"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    why: Annotated[ShortCode, IN_CONTENT]
    since: Annotated[date, IN_CONTENT]


class SubjectAccessResumed(Event):
    """The clock of such a request goes on from this day."""

    NAME: ClassVar[str] = "subject-access-resumed"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    until: Annotated[date, IN_CONTENT]


class SubjectAccessAnswered(Event):
    """Such a request was answered. `withheld` names the exemptions decided upon, `access` the look that answered it."""

    NAME: ClassVar[str] = "subject-access-answered"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    answered_on: Annotated[date, IN_CONTENT]
    withheld: Annotated[tuple[ShortCode, ...], Field(max_length=6), IN_CONTENT] = ()
    access: Annotated[Id, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


# Contact that is brokered


class ContactAsked(Event):
    """Somebody asked the local team to be put in touch with who is hidden here; and how to reach them."""

    NAME: ClassVar[str] = "contact-asked"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    asked_by: Annotated[Id, IN_CONTENT]
    contact: Annotated[Contact, IN_CONTENT]
    asked_on: Annotated[date, IN_CONTENT]
    closes_on: Annotated[date, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class ContactPassedOn(Event):
    """The local team passed such a request on to a service that is involved."""

    NAME: ClassVar[str] = "contact-passed-on"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    involvement: Annotated[Id, IN_CONTENT]
    passed_on: Annotated[date, IN_CONTENT]


class ContactAnswered(Event):
    """The service accepted, and what of itself it discloses, or declined, which nobody is told."""

    NAME: ClassVar[str] = "contact-answered"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    involvement: Annotated[Id, IN_CONTENT]
    accepted: Annotated[bool, IN_CONTENT]
    disclosed: Annotated[tuple[ShortCode, ...], Field(max_length=4), IN_CONTENT] = ()
    answered_on: Annotated[date, IN_CONTENT]


# Which authority is responsible: offered by the one, accepted by the other (SI 2007/2182 reg 5), or allocated by the
# Secretary of State. Each authority is where the child lives or lived, so all of it is concealed.


class TransferOffered(Event):
    """The authority responsible offered the record to another. It stays responsible until the other accepts."""

    NAME: ClassVar[str] = "transfer-offered"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    transfer: Annotated[Id, IN_CONTENT]
    authority: Annotated[BodyCode, IN_CONTENT]
    to: Annotated[BodyCode, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class TransferWithdrawn(Event):
    """The authority that had offered the record took the offer back."""

    NAME: ClassVar[str] = "transfer-withdrawn"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    transfer: Annotated[Id, IN_CONTENT]


class TransferDeclined(Event):
    """The authority to which the record was offered did not accept it."""

    NAME: ClassVar[str] = "transfer-declined"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    transfer: Annotated[Id, IN_CONTENT]


class TransferAccepted(Event):
    """The authority to which the record was offered accepted it, and is responsible from this event on."""

    NAME: ClassVar[str] = "transfer-accepted"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    transfer: Annotated[Id, IN_CONTENT]
    authority: Annotated[BodyCode, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class AuthorityAllocated(Event):
    """The Secretary of State allocated the record to an authority. An offer that was open is void."""

    NAME: ClassVar[str] = "authority-allocated"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    authority: Annotated[BodyCode, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


# Two records of one child become one. No event changes stream: what the one holds is said again in the other's, and
# the one is closed. Neither id nor version of a stream locates anybody; both are needed where no content is open.


class RecordAbsorbed(Event):
    """Another record was found to be of this child. What it held is said again here; `OriginsNamed` says of which."""

    NAME: ClassVar[str] = "record-absorbed"

    merge: Annotated[Id, IN_IDENTITY]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    other: Annotated[Id, IN_IDENTITY]
    version: Annotated[Annotated[int, Field(ge=1)], IN_IDENTITY]
    index_number: Annotated[IndexNumber, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    reason: Annotated[HeldShortCode, IN_CONTENT]


class OriginsNamed(Event):
    """The events of this stream from version `first` on say again those of another stream at `versions`, in order."""

    NAME: ClassVar[str] = "origins-named"

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    origin: Annotated[Id, IN_IDENTITY]
    first: Annotated[Annotated[int, Field(ge=1)], IN_IDENTITY]
    versions: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=40), IN_IDENTITY]


class RulingsReversed(Event):
    """What was ruled out was this very child: source records with these marks may join the record after all."""

    NAME: ClassVar[str] = "rulings-reversed"

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    marks: Annotated[tuple[Mark, ...], Field(max_length=8), IN_IDENTITY]


class RecordClosed(Event):
    """Nothing is read from or written to this stream any more, but for replay.

    into: the stream that its number leads to, if any. heirs: those in which what it held was said again. why, in codes
    of the index, not of the rules: merged, split.
    """

    NAME: ClassVar[str] = "record-closed"

    closing: Annotated[Id, IN_IDENTITY]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    into: Annotated[Id | None, IN_IDENTITY] = None
    heirs: Annotated[tuple[Id, ...], Field(max_length=2), IN_IDENTITY] = ()
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    why: Annotated[HeldShortCode, IN_CONTENT]


class RecordSplitOff(Event):
    """This stream begins as one half of a record that was found to be of two children.

    whole: the stream that was split. own: the one that was this child's before the two were merged.
    """

    NAME: ClassVar[str] = "record-split-off"

    split: Annotated[Id, IN_IDENTITY]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    whole: Annotated[Id, IN_IDENTITY]
    own: Annotated[Id, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    reason: Annotated[HeldShortCode, IN_CONTENT]


class WrongViewNoted(Event):
    """Accounts that were shown two children as one are to be told that they were. On the stream that was split."""

    NAME: ClassVar[str] = "wrong-view-noted"
    CONCEALED: ClassVar[bool] = True

    split: Annotated[Id, IN_CONTENT]
    source_kind: Annotated[SourceKind, IN_IDENTITY]
    accounts: Annotated[tuple[Id, ...], Field(max_length=10), IN_CONTENT]


class IdentityVetoed(Event):
    """Source records with these marks are of an identity that this child does not have, and never join this record.

    Concealed, and under the child's own content key: no role of the index can tell whose sources they are.
    """

    NAME: ClassVar[str] = "identity-vetoed"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    marks: Annotated[tuple[Mark, ...], Field(max_length=8), IN_CONTENT]


# Life of a record: a death that was none, and what postpones destruction


class DeathReversed(Event):
    """A death was notified by mistake: the notices at `versions` of this stream no longer count."""

    NAME: ClassVar[str] = "death-reversed"

    versions: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=60), IN_IDENTITY]
    reversed_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    source: Annotated[HeldSource, IN_CONTENT] = Source()


class DestructionHeld(Event):
    """Somebody with the power to ordered that this record is kept: it is not destroyed before `until`.

    Whoever could not see the record before cannot now. The same hold said again moves its end. ground: the authority
    on which it rests, a code of the rules.
    """

    NAME: ClassVar[str] = "destruction-held"

    hold: Annotated[Id, IN_IDENTITY]
    until: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    ground: Annotated[HeldShortCode, IN_CONTENT]


class HoldReleased(Event):
    """Holds on the destruction of this record were released before their end."""

    NAME: ClassVar[str] = "hold-released"

    holds: Annotated[tuple[Id, ...], Field(max_length=10), IN_IDENTITY]
    released_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]


# Shielding as a process: who asked, what the authority decided, when it is looked at again, and how it ends

HeldCodes: TypeAlias = (
    Annotated[tuple[Annotated[str, StringConstraints(max_length=24)], ...], Field(max_length=9)]
    | Forgotten
    | Hidden
)


class ShieldRequested(Event):
    """Somebody asked for a shield. Until it is decided an interim shield stands, whoever they are.

    verified: whether it is proved who they are. One child may have several such requests; each has a shield of its own.
    """

    NAME: ClassVar[str] = "shield-requested"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    shield: Annotated[Id, IN_CONTENT]
    requester: Annotated[ShortCode, IN_CONTENT]
    verified: Annotated[bool, IN_CONTENT]
    ground: Annotated[ShortCode, IN_CONTENT]
    received_on: Annotated[date, IN_CONTENT]
    rule_set: Annotated[ShortCode, IN_CONTENT]


class ShieldRequesterVerified(Event):
    """It was proved since who asked for a shield."""

    NAME: ClassVar[str] = "shield-requester-verified"
    CONCEALED: ClassVar[bool] = True

    source_kind: Annotated[SourceKind, IN_IDENTITY]
    request: Annotated[Id, IN_CONTENT]
    verified_on: Annotated[date, IN_CONTENT]


class ShieldDecided(Event):
    """The responsible authority granted or refused a request. Refusing lowers nothing: two people do that."""

    NAME: ClassVar[str] = "shield-decided"

    shield: Annotated[Id, IN_IDENTITY]
    decided_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    request: Annotated[HeldId, IN_CONTENT]
    granted: Annotated[bool | Forgotten | Hidden, IN_CONTENT]
    reason: Annotated[HeldShortCode, IN_CONTENT]
    consulted: Annotated[HeldCodes, IN_CONTENT] = ()


class ShieldReviewed(Event):
    """The responsible authority looked at the shields of a record again, and they go on."""

    NAME: ClassVar[str] = "shield-reviewed"

    reviewed_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    consulted: Annotated[HeldCodes, IN_CONTENT] = ()


class LiftDecided(Event):
    """Two people decided to lower these shields; they stand until `effective_on`, so that notice can be given."""

    NAME: ClassVar[str] = "lift-decided"

    shields: Annotated[tuple[Id, ...], Field(max_length=8), IN_IDENTITY]
    effective_on: Annotated[date, IN_IDENTITY]
    rule_set: Annotated[ShortCode, IN_IDENTITY]
    reason: Annotated[HeldShortCode, IN_CONTENT]
    proposed_by: Annotated[HeldId, IN_CONTENT]
    confirmed_by: Annotated[HeldId, IN_CONTENT]
    consulted: Annotated[HeldCodes, IN_CONTENT] = ()


EVENTS = EventTypes(
    (
        ChildRegistered,
        IdentityAsserted,
        AddressAsserted,
        CarersAsserted,
        EducationAsserted,
        PracticeAsserted,
        IdentifiersAsserted,
        FactsWithheld,
        AuthorityAssigned,
        SupplyWithdrawn,
        InvolvementBegun,
        InvolvementContactGiven,
        InvolvementEnded,
        SensitiveInvolvementBegun,
        SensitiveInvolvementGrounded,
        SensitiveConsentWithdrawn,
        SensitiveInvolvementEnded,
        ShieldRaised,
        ShieldLifted,
        ExtensionConsentGiven,
        ExtensionConsentWithdrawn,
        DeathNotified,
        RecordArchived,
        RecordReopened,
        LinkRuledOut,
        SubjectAccessRequested,
        RightClaimed,
        RightDecided,
        SubjectAccessPaused,
        SubjectAccessResumed,
        SubjectAccessAnswered,
        ContactAsked,
        ContactPassedOn,
        ContactAnswered,
        TransferOffered,
        TransferWithdrawn,
        TransferDeclined,
        TransferAccepted,
        AuthorityAllocated,
        RecordAbsorbed,
        OriginsNamed,
        RulingsReversed,
        RecordClosed,
        RecordSplitOff,
        WrongViewNoted,
        IdentityVetoed,
        DeathReversed,
        DestructionHeld,
        HoldReleased,
        ShieldRequested,
        ShieldRequesterVerified,
        ShieldDecided,
        ShieldReviewed,
        LiftDecided,
    )
)
