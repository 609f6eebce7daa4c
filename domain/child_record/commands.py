"""Wishes about one child's record. Each may be refused; none holds a field in which an opinion could stand."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from domain.child_record.events import (
    AllocatedIdentifier,
    Carer,
    Consent,
    Contact,
    Gender,
    Institution,
    Judgement,
    Mark,
    PersonName,
    ReasonableCause,
    Source,
    SourceKind,
    Whereabouts,
)
from domain.identifiers import BodyCode, Id, IndexNumber, NamePart, NhsNumber, ShortCode
from domain.kernel import Command


class Assertion(Command):
    """What one source says of one child at one time. None clears nothing; `withheld` was left out on purpose."""

    source_kind: SourceKind
    source: Source = Source()
    effective: date
    confidence: Literal["verified", "stated"] = "stated"
    names: Annotated[tuple[PersonName, ...], Field(max_length=8)] = ()
    date_of_birth: date | None = None
    gender: Gender | None = None
    nhs_number: NhsNumber | None = None
    birth_order: Annotated[int, Field(ge=1, le=9)] | None = None
    address_effective: date | None = None
    whereabouts: Whereabouts | None = None
    carers: Annotated[tuple[Carer, ...], Field(max_length=8)] | None = None
    education: Institution | None = None
    education_effective: date | None = None
    education_ceased: date | None = None
    practice: Institution | None = None
    practice_effective: date | None = None
    identifiers: Annotated[tuple[AllocatedIdentifier, ...], Field(max_length=6)] = ()
    restricted: bool = False
    withheld: Annotated[tuple[Literal["address", "practice", "contact"], ...], Field(max_length=3)] = ()
    died_on: date | None = None


class RegisterChild(Assertion):
    """Open a record. Needs a name and a date of birth."""

    index_number: IndexNumber
    owning_authority: BodyCode | None = None


class AssertFacts(Assertion):
    """Add what a source says to a record that is there. From `officer` it is a correction."""


class AssignAuthority(Command):
    """Make a local authority responsible for a record that has none yet."""

    authority: BodyCode


class WithdrawSupply(Command):
    """Take back what rested on one file alone. Shields stay.

    ends: versions at which the file told that a service had ended; such an event names no source.
    """

    file: Id
    ends: tuple[int, ...] = ()


class BeginInvolvement(Command):
    """A service of this kind became involved. `sensitive` needs a consent or a cause.

    consented_on: that whoever decides by the rules consented on this day, in place of a consent that says who.
    judgement: what the practitioner judged of the child's competence in this case. concern: that one exists, no more.
    """

    involvement: Id
    service: NamePart
    kind: Literal["universal", "additional", "sensitive"]
    organisation: NamePart | None = None
    role: NamePart | None = None
    contact: Contact = Contact()
    lead_professional: bool = False
    common_assessment: bool = False
    began: date
    concern: bool = False
    consent: Consent | None = None
    consented_on: date | None = None
    judgement: Judgement | None = None
    cause: ReasonableCause | None = None
    source_kind: SourceKind = SourceKind.PRACTITIONER
    source: Source = Source()


class EndInvolvement(Command):
    """A service ceased to be involved."""

    involvement: Id
    ended: date
    source_kind: SourceKind = SourceKind.PRACTITIONER


class WithdrawSensitiveConsent(Command):
    """Consent to record a sensitive involvement is withdrawn. `by`: by whom; None: by whoever gave it."""

    involvement: Id
    withdrawn_on: date
    by: Literal["child", "young-person", "parent"] | None = None
    source_kind: SourceKind = SourceKind.PRACTITIONER


class GiveSensitiveConsent(Command):
    """Whoever decides, or `given_by`, consents anew to a sensitive involvement being recorded."""

    involvement: Id
    given_on: date
    given_by: Literal["child", "young-person", "parent"] | None = None
    judgement: Judgement | None = None
    source_kind: SourceKind = SourceKind.PRACTITIONER


class JudgeCompetence(Command):
    """A practitioner judged the child competent, or not, to decide on a sensitive involvement."""

    involvement: Id
    judgement: Judgement
    source_kind: SourceKind = SourceKind.PRACTITIONER


class ReviewCause(Command):
    """A provider looked again at the cause on which a sensitive involvement is recorded: does it still stand?"""

    involvement: Id
    considered_on: date
    considered_by: NamePart
    stands: bool
    review_on: date | None = None
    source_kind: SourceKind = SourceKind.PRACTITIONER


class RaiseShield(Command):
    """Hide where the child is, on a ground the rules name."""

    shield: Id
    ground: ShortCode
    provisional: bool = False
    source_kind: SourceKind = SourceKind.AUTHORITY
    source: Source = Source()


class LiftShield(Command):
    """Show again where the child is. Two different people, both authorised."""

    reason: ShortCode
    proposed_by: Id
    confirmed_by: Id
    consulted: tuple[ShortCode, ...] = ()


class GiveExtensionConsent(Command):
    """A young person consents to be kept beyond 18."""

    given_on: date
    category: ShortCode


class WithdrawExtensionConsent(Command):
    """That consent is withdrawn."""

    withdrawn_on: date


class NotifyDeath(Command):
    """A death is notified."""

    died_on: date
    source_kind: SourceKind = SourceKind.AUTHORITY
    source: Source = Source()


class ArchiveRecord(Command):
    """Archive what the rules say is due; `ground` names the rule. Refused where it is not due."""

    archived_on: date
    ground: ShortCode


class RuleOutLink(Command):
    """Source records with these marks are about another child and never join this record."""

    source_kind: SourceKind
    marks: Annotated[tuple[Mark, ...], Field(max_length=24)]
    held: Id


class RequestSubjectAccess(Command):
    """Somebody asks who looked at this record, on a basis that the rules know."""

    request: Id
    requester: ShortCode
    basis: ShortCode
    received_on: date


class ClaimRight(Command):
    """Somebody claims another right of a data subject than access, one that the rules know."""

    request: Id
    right: ShortCode
    requester: ShortCode
    basis: ShortCode
    received_on: date


class DecideRight(Command):
    """A claim was decided, for reasons that the rules know."""

    request: Id
    reasons: Annotated[tuple[ShortCode, ...], Field(max_length=6)]


class PauseSubjectAccess(Command):
    """The clock of a request is to stand still, on one of the grounds that the rules know."""

    request: Id
    why: ShortCode
    since: date


class ResumeSubjectAccess(Command):
    """The clock of a request is to go on."""

    request: Id
    until: date


class AnswerSubjectAccess(Command):
    """A request was answered by an access, with these exemptions decided upon."""

    request: Id
    access: Id
    withheld: tuple[ShortCode, ...] = ()


# Life of a record


class ReverseDeath(Command):
    """A death was notified by mistake: the child lives."""

    source: Source = Source()


class HoldDestruction(Command):
    """Keep this record from being destroyed before `until`, on an authority that the rules name."""

    hold: Id
    ground: ShortCode
    until: date


class ReleaseHold(Command):
    """Release the holds that rest on this authority; None: every one that stands."""

    ground: ShortCode | None = None


# Shielding as a process


class RequestShield(Command):
    """Somebody asks for a shield. `verified`: whether it is proved who they are."""

    request: Id
    shield: Id
    requester: ShortCode
    ground: ShortCode
    verified: bool = False
    received_on: date
    source: Source = Source()


class VerifyShieldRequester(Command):
    """It is proved now who asked."""

    request: Id


class DecideShield(Command):
    """The authority `body` grants or refuses a request."""

    request: Id
    granted: bool
    reason: ShortCode
    consulted: tuple[ShortCode, ...] = ()
    body: BodyCode


class ReviewShield(Command):
    """The authority `body` looked at the shields again, and they go on."""

    consulted: tuple[ShortCode, ...] = ()
    body: BodyCode


class CompleteLift(Command):
    """Lower what two people decided to lower, once notice has been given for as long as the rules say."""


class AskForContact(Command):
    """Somebody asks the local team to be put in touch with who is hidden in a record. contact: how to reach them."""

    request: Id
    asked_by: Id
    contact: Contact = Contact()


class PassOnContact(Command):
    """The local team of the authority `body` passes a request on to a service."""

    request: Id
    involvement: Id
    body: BodyCode


class AnswerContact(Command):
    """The service accepts or declines, by somebody of `body`. disclosed: what of itself it agrees to tell."""

    request: Id
    accepted: bool
    disclosed: Annotated[tuple[ShortCode, ...], Field(max_length=4)] = ()
    body: BodyCode


# Which authority is responsible. `by`: the authority that whoever acts is of.


class OfferTransfer(Command):
    """Offer the record to another authority."""

    transfer: Id
    by: BodyCode
    to: BodyCode


class WithdrawTransfer(Command):
    """Take back an offer that is open."""

    by: BodyCode


class DeclineTransfer(Command):
    """Decline an offer that is open."""

    by: BodyCode


class AcceptTransfer(Command):
    """Accept an offer that is open, and become responsible."""

    by: BodyCode


class AllocateAuthority(Command):
    """Make an authority responsible on behalf of the Secretary of State, whoever is so far."""

    authority: BodyCode


class MergeRecords(Command):
    """Two records are of one child: what the other holds is said again in the one, and the other is closed.

    by: the authority of whoever decides. confirmed_by: a second person, without whom no shielded record is merged.
    shield: the id of the shield under which the other is closed.
    """

    merge: Id
    by: BodyCode
    reason: ShortCode
    decided_by: Id
    confirmed_by: Id | None = None
    shield: Id


class SplitRecord(Command):
    """A record is of two children, whom its last merge made one: each has a record of its own again.

    first, second: the streams of the one whose number the record bears, and of the other. to_second: versions of what
    was said since the merge and is of the other. shields: ids for those that this raises.
    """

    split: Id
    first: Id
    second: Id
    by: BodyCode
    reason: ShortCode
    decided_by: Id
    confirmed_by: Id | None = None
    to_second: tuple[int, ...] = ()
    shields: tuple[Id, Id, Id]


class SealRecord(Command):
    """The child has a new identity: close the record of the old one, which then leads nowhere."""

    by: BodyCode
    decided_by: Id
    confirmed_by: Id | None = None
    shield: Id
    closing: Id


class RegisterNewIdentity(RegisterChild):
    """Open a record for a child whose earlier identity is sealed. `vetoed`: marks of the sources of that one."""

    ground: ShortCode
    shield: Id
    decided_by: Id
    confirmed_by: Id | None = None
    vetoed: Annotated[tuple[Mark, ...], Field(max_length=64)]
