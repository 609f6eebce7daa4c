"""What may be done to a child's record: one pure function for each command, and `decide`, which chooses among them.

A decision is events, or a refusal; asking for what is already so gives no events. For a record that is shielded no
refusal depends on what the shield hides (address, school, practice, carers, services, owning authority, withheld
facts): there the answer is no event. What a refusal may depend on for any record is what its shielded display shows
or follows from it: that it is registered, shielded or archived, its name, date of birth and consent to be kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from domain.child_record import brokering, life, ownership, rights, sensitive, shielding, subject_access
from domain.child_record.assertions import (
    asserted,
    death,
    not_in_the_future,
    plausible_death,
    says_anything,
    screen,
)
from domain.child_record.commands import (
    AcceptTransfer,
    AllocateAuthority,
    AnswerContact,
    AnswerSubjectAccess,
    ArchiveRecord,
    AskForContact,
    AssertFacts,
    AssignAuthority,
    BeginInvolvement,
    ClaimRight,
    CompleteLift,
    DecideRight,
    DecideShield,
    DeclineTransfer,
    EndInvolvement,
    GiveExtensionConsent,
    GiveSensitiveConsent,
    HoldDestruction,
    JudgeCompetence,
    LiftShield,
    NotifyDeath,
    OfferTransfer,
    PassOnContact,
    PauseSubjectAccess,
    RaiseShield,
    RegisterChild,
    ReleaseHold,
    RequestShield,
    RequestSubjectAccess,
    ResumeSubjectAccess,
    ReverseDeath,
    ReviewCause,
    ReviewShield,
    RuleOutLink,
    VerifyShieldRequester,
    WithdrawExtensionConsent,
    WithdrawSensitiveConsent,
    WithdrawSupply,
    WithdrawTransfer,
)
from domain.child_record.events import (
    AuthorityAssigned,
    ChildRegistered,
    Contact,
    ContactAnswered,
    ContactPassedOn,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    IdentityAsserted,
    InvolvementBegun,
    InvolvementContactGiven,
    InvolvementEnded,
    LeftEngland,
    LinkRuledOut,
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
)
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord, Involvement, evolve, unknown
from domain.errors import BadInput, NotFound, Refused
from domain.kernel import Command, Event, Log, Recorded, as_validated
from domain.personal_data import HIDDEN
from domain.policy import retention
from domain.policy.retention import london_day
from domain.policy.rule_book import refuse_unless_in_force
from domain.policy.screening import screen_name
from domain.rule_set.model import RuleSet

Events: TypeAlias = Sequence[Event]
_Item = TypeVar("_Item")

REOPENED: Final = "no-longer-due"
_VERSIONS_IN_AN_EVENT: Final = 60
_SHIELDS_IN_AN_EVENT: Final = 16
_NUMBERED: Final = frozenset(
    {
        ShieldRaised,
        SensitiveInvolvementBegun,
        SensitiveInvolvementGrounded,
        SensitiveConsentWithdrawn,
        SensitiveInvolvementEnded,
        ContactPassedOn,
        ContactAnswered,
    }
)
"""Events that may lie under another key than the one before them."""


class Decision(NamedTuple):
    """Events to append, the number of each one's content key, and whether keys made for them are a shielded child's."""

    events: tuple[Event, ...]
    content_keys: tuple[int, ...]
    shielded: bool


def decide(record: ChildRecord, command: Command, rules: RuleSet) -> Decision:
    """What follows from a command. Raises Refused (BadInput, NotFound); TypeError for a command not listed here."""
    if type(command) not in DECISIONS:
        raise TypeError(f"no decision is made on {type(command).__name__}")
    refuse_unless_in_force(rules, command.at)
    if not isinstance(command, RegisterChild):
        _must_be_held(record)
    return with_keys(record, DECISIONS[type(command)](record, command, rules))


def decide_on_held(
    record: ChildRecord, command: BeginInvolvement, born: date | None, rules: RuleSet
) -> Decision:
    """What a source record that is held back tells of a service: `record` is its stream, no child's record yet.

    born: the date of birth it says. What may not be recorded of a child may not be held back either.
    """
    refuse_unless_in_force(rules, command.at)
    return with_keys(record, _begin_involvement(record, command, born, rules))


# Registration and assertions


def register_child(record: ChildRecord, command: RegisterChild, rules: RuleSet) -> Events:
    """Open a record. Refused without name or date of birth, for an adult, and for a child outside the index's area."""
    if record.registered or record.version:
        raise Refused("This record is there already.", code="already-registered")
    screen(command)
    if not command.names:
        raise BadInput("A record needs a name.", code="no-name", field="names")
    if command.date_of_birth is None:
        raise BadInput("A record needs a date of birth.", code="no-date-of-birth", field="date_of_birth")
    today = london_day(command.at)
    not_in_the_future(command.date_of_birth, today, "date_of_birth")
    if retention.age_on(command.date_of_birth, today) >= rules.ages.archive:
        raise Refused(
            f"Only children under {rules.ages.archive} can be registered.",
            code="adult",
            field="date_of_birth",
        )
    _inside_the_area(command, rules)
    registered = as_validated(
        ChildRegistered,
        index_number=command.index_number,
        source_kind=command.source_kind,
        rule_set=rules.id,
        owning_authority=command.owning_authority,
        source=command.source,
    )
    return [registered, *asserted(record, command, rules, first_version=2)]


def assert_facts(record: ChildRecord, command: AssertFacts, rules: RuleSet) -> Events:
    """Add what a source says. From an officer it is a correction and needs at least one fact.

    To an archived record a feed adds nothing but a shield, unless what it says means that no rule would archive the
    record: then the record is reopened. An officer may correct it.
    """
    screen(command)
    if command.source_kind is SourceKind.OFFICER and not says_anything(command):
        raise BadInput("A correction needs at least one fact.", code="nothing-asserted")
    if command.date_of_birth is not None:
        not_in_the_future(command.date_of_birth, london_day(command.at), "date_of_birth")
    events = asserted(record, command, rules, first_version=record.version + 1)
    if record.archived_on is None or not events:
        return events
    shields = [event for event in events if isinstance(event, ShieldRaised)]
    reopened = _reopened(record, events, command, rules)
    if reopened or command.source_kind is SourceKind.OFFICER:
        return [*shields, *reopened, *(event for event in events if event not in shields)]
    return shields


def assign_authority(record: ChildRecord, command: AssignAuthority, _: RuleSet) -> Events:
    """Make an authority responsible. Refused where another is; in a shielded record that gives no event instead."""
    if record.authority == command.authority:
        return ()
    if record.authority is not None:
        return unless_hidden(
            record,
            Refused(
                "Another authority is responsible for this record.", code="has-authority", field="authority"
            ),
        )
    return (AuthorityAssigned(source_kind=SourceKind.AUTHORITY, authority=command.authority),)


def withdraw_supply(record: ChildRecord, command: WithdrawSupply, rules: RuleSet) -> Events:
    """Take back assertions, involvements, their ends and deaths that came from one file. Shields stay.

    Where after it nobody says who the child is, the record rested on that file alone and is archived at once. Where
    the record was archived for what the file said, a death perhaps, it is reopened.
    """
    versions = sorted(
        [a.version for a in record.standing if _from_file(a.event.source, command.file)]
        + [s.version for i in record.involvements for s in i.sayings if _from_file(s.source, command.file)]
        + [d.version for d in record.deaths if _from_file(d.source, command.file)]
        + [e.version for i in record.involvements for e in i.ends if e.version in command.ends]
    )
    if not versions:
        return ()
    without = replace(record, withdrawn=record.withdrawn | frozenset(versions))
    alone = not _identifies(without)
    events: list[Event] = [
        SupplyWithdrawn(
            source_kind=SourceKind.INDEX, versions=tuple(chunk), alone=alone, source=Source(file=command.file)
        )
        for chunk in chunks(versions, _VERSIONS_IN_AN_EVENT)
    ]
    if alone and record.archived_on is None:
        today = london_day(command.at)
        events.append(RecordArchived(archived_on=today, rule_set=rules.id, ground=retention.SUPPLY_WITHDRAWN))
    return [*events, *_reopened(record, events, command, rules)]


# Involvements


def begin_involvement(record: ChildRecord, command: BeginInvolvement, rules: RuleSet) -> Events:
    """Record a service. A sensitive one only on consent or reasonable cause (reg 11(3)); others have no such gate."""
    return _begin_involvement(record, command, record.date_of_birth, rules)


def _begin_involvement(
    record: ChildRecord, command: BeginInvolvement, born: date | None, rules: RuleSet
) -> Events:
    for field, text, words in (
        ("service", command.service, 10),
        ("organisation", command.organisation, 12),
        ("role", command.role, 6),
        ("considered_by", command.cause.considered_by if command.cause else None, 6),
    ):
        screen_name(text, field, words=words)
    today = london_day(command.at)
    not_in_the_future(command.began, today, "began")
    consented = (command.consent, command.consented_on, command.judgement) != (None, None, None)
    grounded = (command.consent, command.consented_on, command.cause) != (None, None, None)
    if command.kind != "sensitive" and (consented or command.cause is not None):
        raise Refused(
            "Only a sensitive service is recorded on consent or cause: leave them out.",
            code="consent-not-needed",
            field="consent" if consented else "cause",
        )
    if command.kind == "sensitive" and not grounded:
        raise Refused(
            "A sensitive service is recorded only with consent, or where its provider has reasonable cause to suspect "
            "significant harm: give one of the two.",
            code="sensitive-needs-ground",
            field="consent",
        )
    if command.concern:
        _must_be_held_of_concern(command, rules)
    if command.kind == "sensitive":
        command = sensitive.grounded(command, born, rules)
    _must_be_live(record)
    begun = _begun(command, rules)
    known = record.involvement(command.involvement)
    if known is None:
        return begun
    (asked,) = reduce(evolve, _as_recorded(record, begun, command), unknown(record.child_id)).involvements
    file = command.source.file
    fed = file is not None and command.source_kind is known.source_kind
    said = file is None or any(_from_file(saying.source, file) for saying in known.sayings)
    same = _but_for_progress(asked) == _but_for_progress(known)
    if same and not fed and asked.source == known.source:
        return ()
    if fed and _service(asked) == _service(known):
        anew = () if same else _said_anew(known, command, rules)
        return anew if said else (begun[0], *anew)
    return unless_hidden(
        record, Refused("Another involvement has this id.", code="involvement-exists", field="involvement")
    )


def end_involvement(record: ChildRecord, command: EndInvolvement, _: RuleSet) -> Events:
    """Record that a service is no longer involved. An end before the beginning is refused where both are in sight.

    Of one that the record does not hold nothing is told: to refuse it would answer whether a sensitive service of a
    name that was guessed is involved.
    """
    not_in_the_future(command.ended, london_day(command.at), "ended")
    known = record.involvement(command.involvement)
    if known is None or known.ended == command.ended:
        return ()
    if known.sensitive:
        return (
            SensitiveInvolvementEnded(
                source_kind=command.source_kind, involvement=command.involvement, ended=command.ended
            ),
        )
    if command.ended < known.began and not record.shielded:
        raise BadInput("It cannot end before it began.", code="dates-out-of-order", field="ended")
    return (
        InvolvementEnded(
            source_kind=command.source_kind, involvement=command.involvement, ended=command.ended
        ),
    )


# Shields


def raise_shield(record: ChildRecord, command: RaiseShield, rules: RuleSet) -> Events:
    """Raise a shield, on any record that is held. The same shield twice, or the same ground twice, changes nothing."""
    known = rules.shield.all_grounds() if command.provisional else rules.shield.grounds
    if command.source_kind not in (SourceKind.AUTHORITY, SourceKind.PRACTITIONER, SourceKind.OFFICER):
        known = rules.shield.all_grounds()
    if command.ground not in known:
        raise BadInput(
            f"The ground is one of: {', '.join(rules.shield.grounds)}.", code="unknown-ground", field="ground"
        )
    if any(shield.shield == command.shield for shield in record.shields):
        return ()
    same = (command.source_kind, command.ground, command.provisional)
    if any((shield.source_kind, shield.ground, shield.provisional) == same for shield in record.shields):
        return ()
    return (
        ShieldRaised(
            shield=command.shield,
            source_kind=command.source_kind,
            provisional=command.provisional,
            rule_set=rules.id,
            ground=command.ground,
            source=command.source,
        ),
    )


def lift_shield(record: ChildRecord, command: LiftShield, rules: RuleSet) -> Events:
    """Lower every shield that stands, where notice is owed once it has been given (`domain.child_record.shielding`).

    Needs two different people; nothing else ever lowers one.
    """
    if command.proposed_by == command.confirmed_by:
        raise Refused(
            "Lifting a shield needs two different people.", code="two-people-needed", field="confirmed_by"
        )
    if command.reason not in rules.shield.reasons_to_lift:
        raise BadInput(
            f"The reason is one of: {', '.join(rules.shield.reasons_to_lift)}.",
            code="unknown-reason",
            field="reason",
        )
    if not record.shielded:
        raise Refused("This record has no shield.", code="no-shield")
    with_notice = shielding.lift(record, command, rules)
    if with_notice is not None:
        return with_notice
    lifted = [
        ShieldLifted(
            shields=tuple(chunk),
            rule_set=rules.id,
            reason=command.reason,
            proposed_by=command.proposed_by,
            confirmed_by=command.confirmed_by,
        )
        for chunk in chunks([shield.shield for shield in record.shields], _SHIELDS_IN_AN_EVENT)
    ]
    return [*shielding.heard(record, command, rules), *lifted]


# Consent beyond 18, death, archive


def give_extension_consent(record: ChildRecord, command: GiveExtensionConsent, rules: RuleSet) -> Events:
    """Record consent to be kept beyond the archive age: in the rules' categories only, given before that birthday."""
    not_in_the_future(command.given_on, london_day(command.at), "given_on")
    if command.category not in rules.extension.categories:
        raise Refused(
            f"Only these may be kept longer: {', '.join(rules.extension.categories)}.",
            code="category-not-eligible",
            field="category",
        )
    _must_be_live(record)
    if record.date_of_birth is None:
        raise Refused("The record holds no date of birth.", code="no-date-of-birth")
    if command.given_on >= retention.anniversary(record.date_of_birth, rules.ages.archive):
        raise Refused(
            f"Consent must be given before the birthday at {rules.ages.archive}.",
            code="too-late",
            field="given_on",
        )
    if record.extension_consent_on is not None and record.extension_withdrawn_on is None:
        return ()
    return (ExtensionConsentGiven(given_on=command.given_on, rule_set=rules.id, category=command.category),)


def withdraw_extension_consent(
    record: ChildRecord, command: WithdrawExtensionConsent, rules: RuleSet
) -> Events:
    """Withdraw it. Beyond the archive age the record is archived that day, in the same decision."""
    today = london_day(command.at)
    not_in_the_future(command.withdrawn_on, today, "withdrawn_on")
    if record.extension_consent_on is None:
        raise Refused("No consent to be kept longer is recorded.", code="no-consent")
    if record.extension_withdrawn_on is not None:
        return ()
    if command.withdrawn_on < record.extension_consent_on:
        raise BadInput(
            "Consent cannot be withdrawn before it was given.",
            code="dates-out-of-order",
            field="withdrawn_on",
        )
    withdrawn = ExtensionConsentWithdrawn(withdrawn_on=command.withdrawn_on, rule_set=rules.id)
    due = retention.archive_due(replace(record, extension_withdrawn_on=command.withdrawn_on), rules)
    if (
        record.archived_on is not None
        or due is None
        or due.on > today
        or due.rule != retention.CONSENT_WITHDRAWN
    ):
        return (withdrawn,)
    return (withdrawn, RecordArchived(archived_on=due.on, rule_set=rules.id, ground=due.rule))


def notify_death(record: ChildRecord, command: NotifyDeath, _: RuleSet) -> Events:
    """Record that a death was notified. The same notice from the same source twice changes nothing."""
    today = london_day(command.at)
    plausible_death(record.date_of_birth, command.died_on, today)
    return death(record, command.died_on, today, command.source_kind, command.source)


def reverse_death(record: ChildRecord, command: ReverseDeath, rules: RuleSet) -> Events:
    """Record that a death was none. A record archived for it is live again, or archived under the rule that remains."""
    events = life.reversed_death(record, command, rules)
    if not events or record.archived_on is None:
        return events
    return [
        *events,
        *(_reopened(record, events, command, rules) or life.archived_otherwise(record, events, rules)),
    ]


def archive_record(record: ChildRecord, command: ArchiveRecord, rules: RuleSet) -> Events:
    """Archive what is due under the rule named, on the day it falls due or later. Refused where it is not due."""
    if record.archived_on is not None:
        return ()
    due = retention.archive_due(record, rules)
    not_in_the_future(command.archived_on, london_day(command.at), "archived_on")
    if due is None or due.rule != command.ground or command.archived_on < due.on:
        refusal = Refused("The rules do not make this due.", code="not-due", field="ground")
        if command.ground == retention.LEFT_ENGLAND:
            return unless_hidden(record, refusal)  # whether the child left is what a shield hides
        raise refusal
    return (RecordArchived(archived_on=command.archived_on, rule_set=rules.id, ground=command.ground),)


# Links ruled out


def rule_out_link(record: ChildRecord, command: RuleOutLink, _: RuleSet) -> Events:
    """Note what is never to be joined to this record, whatever its state. What is noted already gives no event."""
    new = tuple(mark for mark in command.marks if mark not in record.ruled_out)
    return (LinkRuledOut(source_kind=command.source_kind, marks=new, held=command.held),) if new else ()


DECISIONS: Final[Mapping[type[Command], Callable[[ChildRecord, Any, RuleSet], Events]]] = {
    RegisterChild: register_child,
    AssertFacts: assert_facts,
    AssignAuthority: assign_authority,
    WithdrawSupply: withdraw_supply,
    BeginInvolvement: begin_involvement,
    EndInvolvement: end_involvement,
    WithdrawSensitiveConsent: sensitive.withdraw_consent,
    GiveSensitiveConsent: sensitive.give_consent,
    JudgeCompetence: sensitive.judge_competence,
    ReviewCause: sensitive.review_cause,
    RaiseShield: raise_shield,
    LiftShield: lift_shield,
    GiveExtensionConsent: give_extension_consent,
    WithdrawExtensionConsent: withdraw_extension_consent,
    NotifyDeath: notify_death,
    ArchiveRecord: archive_record,
    RuleOutLink: rule_out_link,
    RequestSubjectAccess: subject_access.request,
    ClaimRight: rights.claim,
    DecideRight: rights.decide,
    PauseSubjectAccess: subject_access.pause,
    ResumeSubjectAccess: subject_access.resume,
    AnswerSubjectAccess: subject_access.answer,
    ReverseDeath: reverse_death,
    HoldDestruction: life.hold,
    ReleaseHold: life.release,
    RequestShield: shielding.request,
    VerifyShieldRequester: shielding.verify,
    DecideShield: shielding.decide,
    ReviewShield: shielding.review,
    CompleteLift: shielding.complete,
    AskForContact: brokering.ask,
    PassOnContact: brokering.pass_on,
    AnswerContact: brokering.answer,
    OfferTransfer: ownership.offer,
    WithdrawTransfer: ownership.withdraw,
    DeclineTransfer: ownership.decline,
    AcceptTransfer: ownership.accept,
    AllocateAuthority: ownership.allocate,
}


# What refusals rest on


def _must_be_held(record: ChildRecord) -> None:
    if not record.registered or record.forgotten is not None or record.closed:
        raise NotFound("There is no such record.", field="child")


def _must_be_live(record: ChildRecord) -> None:
    if record.archived_on is not None:
        raise Refused("The record is archived and changes no more.", code="archived")


def _must_be_held_of_concern(command: BeginInvolvement, rules: RuleSet) -> None:
    """Refuse a concern where the rules hold none, and of a service that is not shown: nobody would see it."""
    if not rules.concern.held:
        raise Refused(
            "That there is a cause for concern is not held under these rules.",
            code="concern-not-held",
            field="concern",
        )
    if command.kind == "sensitive":
        raise Refused(
            "A sensitive service is not shown, so no concern is held of it.",
            code="concern-not-held",
            field="concern",
        )


def _inside_the_area(command: RegisterChild, rules: RuleSet) -> None:
    authority = command.owning_authority
    outside = authority is not None and len(authority) == 9 and authority[:1] in rules.coverage.outside
    if outside or type(command.whereabouts) is LeftEngland:
        raise Refused(
            rules.coverage.says,
            code="outside-area",
            field="owning_authority" if outside else "whereabouts",
        )


# Small matters of state


def _identifies(record: ChildRecord) -> bool:
    """Whether a standing source says a name, and one a date of birth: without them a record identifies nobody."""
    named = any(isinstance(a.event, IdentityAsserted) and a.event.names for a in record.standing)
    return named and record.date_of_birth is not None


def _from_file(source: object, file: UUID) -> bool:
    return isinstance(source, Source) and source.file == file


def _but_for_progress(involvement: Involvement) -> Involvement:
    """An involvement apart from what became of it, and from who said so."""
    return replace(
        involvement,
        version=0,
        content_key=0,
        source=Source(),
        again=(),
        ended=None,
        ends=(),
        consent_withdrawn=None,
    )


def _service(involvement: Involvement) -> Involvement:
    """Which service it is and since when, apart from how to reach it and its ground."""
    return replace(
        _but_for_progress(involvement),
        contact=Contact(),
        concern=False,
        consent=None,
        judgement=None,
        cause=None,
    )


def _said_anew(known: Involvement, command: BeginInvolvement, rules: RuleSet) -> Events:
    """How to reach a service, or its ground, as its source says it now.

    A consent that was withdrawn does not come back by being said again: only one given later does.
    """
    gone, consent = known.consent_withdrawn, command.consent
    if gone is not None and consent is not None and consent.given_on <= gone:
        if command.cause is None:
            return ()
        command = command.model_copy(update={"consent": None})
    return _begun(command, rules)[1:]


def _begun(command: BeginInvolvement, rules: RuleSet) -> tuple[Event, Event]:
    """What it is, and how to reach it: of a sensitive service with its ground."""
    source_kind, involvement = command.source_kind, command.involvement
    if command.kind == "sensitive":
        return (
            SensitiveInvolvementBegun(
                source_kind=source_kind,
                involvement=involvement,
                service=command.service,
                organisation=command.organisation,
                role=command.role,
                lead_professional=command.lead_professional,
                common_assessment=command.common_assessment,
                began=command.began,
                source=command.source,
            ),
            SensitiveInvolvementGrounded(
                source_kind=source_kind,
                involvement=involvement,
                contact=command.contact,
                consent=command.consent,
                judgement=command.judgement,
                cause=command.cause,
                rule_set=rules.id,
            ),
        )
    return (
        as_validated(
            InvolvementBegun,
            source_kind=source_kind,
            involvement=involvement,
            service=command.service,
            kind=command.kind,
            organisation=command.organisation,
            role=command.role,
            lead_professional=command.lead_professional,
            common_assessment=command.common_assessment,
            began=command.began,
            source=command.source,
        ),
        as_validated(
            InvolvementContactGiven,
            source_kind=source_kind,
            involvement=involvement,
            contact=command.contact,
            concern=command.concern,
        ),
    )


def _reopened(record: ChildRecord, events: Events, command: Command, rules: RuleSet) -> list[Event]:
    """That an archived record is live again, where after these events no rule archives it today."""
    if record.archived_on is None:
        return []
    today = london_day(command.at)
    reopened = RecordReopened(reopened_on=today, rule_set=rules.id, ground=REOPENED)
    after = reduce(evolve, _as_recorded(record, (reopened, *events), command), record)
    due = retention.archive_due(after, rules)
    return [reopened] if _identifies(after) and (due is None or due.on > today) else []


def _as_recorded(record: ChildRecord, events: Events, command: Command) -> list[Recorded]:
    """Events as the log would give them back."""
    return [
        Recorded(
            log=Log.RECORD,
            position=0,
            recorded_at=command.at,
            event_id=record.child_id,
            stream_id=record.child_id,
            version=version,
            content_key=record.content_key,
            event=event,
            metadata=HIDDEN,
        )
        for version, event in enumerate(events, record.version + 1)
    ]


def chunks(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    """The items, so many at a time."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def with_keys(record: ChildRecord, events: Events) -> Decision:
    """Number the content key of each event: a fresh one at each shield, one for each sensitive involvement alone."""
    if _NUMBERED.isdisjoint(map(type, events)):
        return Decision(tuple(events), (record.content_key,) * len(events), record.shielded)
    current, last = record.content_key, max(record.last_key, record.content_key)
    own = {i.involvement: i.content_key for i in record.involvements if i.sensitive}
    numbers: list[int] = []
    for event in events:
        number = current
        match event:
            case ShieldRaised():
                number = current = last = last + 1
            case SensitiveInvolvementBegun() if event.involvement not in own:
                number = own[event.involvement] = last = last + 1
            case (
                SensitiveInvolvementBegun()
                | SensitiveInvolvementGrounded()
                | SensitiveConsentWithdrawn()
                | SensitiveInvolvementEnded()
                | ContactPassedOn()
                | ContactAnswered()
            ):
                number = own.get(event.involvement, current)
            case _:
                pass
        numbers.append(number)
    shielded = record.shielded or any(type(event) is ShieldRaised for event in events)
    return Decision(tuple(events), tuple(numbers), shielded)
