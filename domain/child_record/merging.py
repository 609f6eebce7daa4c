"""Two records of one child become one: what is said again of the one in the other's stream, and how the one is closed.

The most restrictive wins from the first instant. Where either is shielded the survivor is, and its first event of the
merge is the shield; every shield of the other stands on it with its ground, provisional or not. What was withdrawn is
not said again, a consent that was withdrawn does not come back, and nothing of the survivor is taken from it. The
closed record lies under a shield whatever it was, because nobody lifts or raises one on it any more.

An event that is not named in `NOT_SAID_AGAIN` is said again: what a later version of the index adds travels unless it
is said here that it does not.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from domain.child_record.commands import MergeRecords
from domain.child_record.decisions import Decision, chunks, with_keys
from domain.child_record.events import (
    AuthorityAllocated,
    AuthorityAssigned,
    ChildRegistered,
    DeathNotified,
    DeathReversed,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    LiftDecided,
    LinkRuledOut,
    OriginsNamed,
    RecordAbsorbed,
    RecordArchived,
    RecordClosed,
    RecordReopened,
    RecordSplitOff,
    RulingsReversed,
    ShieldLifted,
    ShieldRaised,
    ShieldReviewed,
    SourceKind,
    SupplyWithdrawn,
    TransferAccepted,
    TransferDeclined,
    TransferOffered,
    TransferWithdrawn,
    WrongViewNoted,
)
from domain.child_record.model import ChildRecord
from domain.errors import BadInput, NotFound, Refused
from domain.kernel import Concealed, Event, ForgottenEvent, Recorded
from domain.policy.rule_book import refuse_unless_in_force
from domain.rule_set.model import RuleSet

NOT_SAID_AGAIN: Final[frozenset[type[Event]]] = frozenset(
    {
        # what a record has once: its registration, who is responsible, its end
        ChildRegistered, AuthorityAssigned, TransferOffered, TransferWithdrawn, TransferDeclined, TransferAccepted,
        AuthorityAllocated, RecordArchived, RecordReopened, RecordClosed,
        # what says something of other events of its own stream
        SupplyWithdrawn, OriginsNamed, RecordAbsorbed, RulingsReversed, RecordSplitOff, WrongViewNoted, DeathReversed,
        # what was found or decided of this record as it stood: of the two as one it is to be found and decided anew
        ShieldReviewed, LiftDecided,
        # what is decided on below: shields, consent to be kept longer, what is ruled out
        ShieldRaised, ShieldLifted, ExtensionConsentGiven, ExtensionConsentWithdrawn, LinkRuledOut,
        # what this reader could not open
        Concealed, ForgottenEvent,
    }
)  # fmt: skip

_SAID_BY: Final = SourceKind.INDEX
_ORIGINS_IN_AN_EVENT: Final = 40
_MARKS_REVERSED_IN_AN_EVENT: Final = 8


class Merged(NamedTuple):
    """What a merge does to either stream; to neither where it is not the concern of whoever asked."""

    survivor: Decision
    closed: Decision

    @property
    def nothing(self) -> bool:
        """Whether nothing happens."""
        return not self.survivor.events


def merge(
    survivor: ChildRecord,
    other: ChildRecord,
    told: Sequence[Recorded],
    own_marks: AbstractSet[str],
    command: MergeRecords,
    rules: RuleSet,
) -> Merged:
    """Say in the survivor's stream what the other's tells, and close the other.

    told: the events of the other's stream. own_marks: those by which the sources of either record know this child.
    Raises BadInput, NotFound, Refused; of a shielded record nothing is refused because of what the shield hides.
    """
    refuse_unless_in_force(rules, command.at)
    if command.reason not in rules.identity.reasons_to_merge:
        raise BadInput(
            f"The reason is one of: {', '.join(rules.identity.reasons_to_merge)}.",
            code="unknown-reason",
            field="reason",
        )
    if survivor.child_id == other.child_id:
        raise BadInput("Name two records: these are one.", code="same-record", field="other")
    for record, field in ((survivor, "child"), (other, "other")):
        must_be_open(record, field)
    shielded = survivor.shielded or other.shielded
    if shielded:
        must_be_two(command.decided_by, command.confirmed_by)
    if not _concerns(survivor, other, command.by):
        if shielded:
            return Merged(with_keys(survivor, ()), with_keys(other, ()))
        raise Refused("Your authority is responsible for neither record.", code="not-responsible")
    said = [
        *(one for one in said_again(other, told) if not _found_to_be_none(one.event, survivor)),
        *_consent(survivor, other, told),
        *_rulings(survivor, other, told, own_marks),
    ]
    shields = carried_shields(survivor, other, rules)
    absorbed = RecordAbsorbed(
        merge=command.merge,
        source_kind=_SAID_BY,
        other=other.child_id,
        version=other.version,
        index_number=other.index_number or "",
        rule_set=rules.id,
        reason=command.reason,
    )
    first = survivor.version + len(shields) + 2
    events = (
        *shields,
        absorbed,
        *(recorded.event for recorded in said),
        *origins(((recorded.stream_id, recorded.version) for recorded in said), first),
        *_authority(survivor, other),
        *_reversed(survivor, own_marks),
    )
    return Merged(
        with_keys(survivor, events),
        with_keys(other, closing(other, command, survivor, rules)),
    )


def must_be_open(record: ChildRecord, field: str) -> None:
    """Raise what keeps a record from being merged or split: it is not there, or archived."""
    if not record.registered or record.forgotten is not None or record.closed:
        raise NotFound("There is no such record.", field=field)
    if record.archived_on is not None:
        raise Refused("The record is archived and changes no more.", code="archived", field=field)


def must_be_two(first: object, second: object) -> None:
    """Raise that a shielded record takes two people."""
    if second is None or second == first:
        raise Refused(
            "Of these records one is shielded: it takes two different people.", code="two-people-needed"
        )


def said_again(record: ChildRecord, told: Iterable[Recorded]) -> Iterator[Recorded]:
    """Of the events of a stream those that another is to say again: what stands, in order."""
    involved = {one.involvement for one in record.involvements}
    taken_back = record.withdrawn | {death.version for death in record.deaths_reversed}
    for recorded in told:
        event = recorded.event
        if type(event) in NOT_SAID_AGAIN or recorded.version in taken_back:
            continue
        if getattr(event, "involvement", None) in involved or not hasattr(event, "involvement"):
            yield recorded


def _found_to_be_none(event: Event, record: ChildRecord) -> bool:
    """Whether this is a death of which an officer found, on this record, that it was none."""
    return isinstance(event, DeathNotified) and any(
        death.died_on == event.died_on for death in record.deaths_reversed
    )


def origins(named: Iterable[tuple[object, int]], first: int) -> Iterator[OriginsNamed]:
    """Where the events from version `first` on are from: each (stream, version), in order."""
    run: list[int] = []
    stream: object = None
    at = first
    for origin, version in named:
        if run and (origin != stream or len(run) == _ORIGINS_IN_AN_EVENT):
            yield _origins(stream, at, run)
            at, run = at + len(run), []
        stream = origin
        run.append(version)
    if run:
        yield _origins(stream, at, run)


def _origins(stream: object, first: int, versions: Sequence[int]) -> OriginsNamed:
    return OriginsNamed.model_validate(
        {"source_kind": _SAID_BY, "origin": stream, "first": first, "versions": tuple(versions)}
    )


def carried_shields(survivor: ChildRecord, other: ChildRecord, rules: RuleSet) -> list[ShieldRaised]:
    """The shields of the other that the survivor does not have, as they stand."""
    held = {shield.shield for shield in survivor.shields}
    return [
        ShieldRaised(
            shield=shield.shield,
            source_kind=shield.source_kind,
            provisional=shield.provisional,
            rule_set=rules.id,
            ground=shield.ground,
        )
        for shield in other.shields
        if shield.shield not in held
    ]


def closing(
    other: ChildRecord, command: MergeRecords, survivor: ChildRecord, rules: RuleSet
) -> tuple[Event, ...]:
    """What closes a record whose number is to lead to another: under a shield, from the first of these events on."""
    closed = RecordClosed(
        closing=command.merge,
        source_kind=_SAID_BY,
        into=survivor.child_id,
        heirs=(survivor.child_id,),
        rule_set=rules.id,
        why="merged",
    )
    return (closed,) if other.shielded else (shield_of_closing(command.shield, rules), closed)


def shield_of_closing(shield: object, rules: RuleSet) -> ShieldRaised:
    """The provisional shield of what is closed or begins in doubt."""
    return ShieldRaised.model_validate(
        {
            "shield": shield,
            "source_kind": _SAID_BY,
            "provisional": True,
            "rule_set": rules.id,
            "ground": rules.identity.closing,
        }
    )


def _concerns(survivor: ChildRecord, other: ChildRecord, authority: str) -> bool:
    """Whether an authority decides on these: it is responsible for one of them, or nobody is for either."""
    responsible = {one.authority for one in (survivor, other) if one.authority is not None}
    return not responsible or authority in responsible


def _authority(survivor: ChildRecord, other: ChildRecord) -> tuple[Event, ...]:
    """The other's authority, where nobody is responsible for the survivor: two never are."""
    if survivor.authority is not None or not isinstance(other.authority, str):
        return ()
    return (AuthorityAssigned(source_kind=SourceKind.AUTHORITY, authority=other.authority),)


def _consent(survivor: ChildRecord, other: ChildRecord, told: Sequence[Recorded]) -> Iterator[Recorded]:
    """Consent to be kept longer, by the days on which it was given and withdrawn: whichever is later counts."""
    given, withdrawn = other.extension_consent_on, other.extension_withdrawn_on
    if given is None:
        return
    ours, ended = survivor.extension_consent_on, survivor.extension_withdrawn_on
    saying = [one for one in told if isinstance(one.event, ExtensionConsentGiven)][-1:]
    ending = [one for one in told if isinstance(one.event, ExtensionConsentWithdrawn)][-1:]
    if ours is None:
        yield from saying
        yield from ending if withdrawn is not None else ()
    elif withdrawn is not None:
        yield from ending if ended is None and withdrawn >= ours else ()
    elif ended is not None and given > ended:
        yield from saying


def _rulings(
    survivor: ChildRecord, other: ChildRecord, told: Sequence[Recorded], own_marks: AbstractSet[str]
) -> Iterator[Recorded]:
    """What was ruled out for the other and is not this child."""
    wanted = other.ruled_out - survivor.ruled_out - own_marks
    for one in told:
        if isinstance(one.event, LinkRuledOut):
            marks = tuple(mark for mark in one.event.marks if mark in wanted)
            if marks:
                yield one._replace(event=one.event.model_copy(update={"marks": marks}))
            wanted -= set(marks)


def _reversed(survivor: ChildRecord, own_marks: AbstractSet[str]) -> Iterator[Event]:
    """What was ruled out for the survivor and turns out to be this child."""
    for marks in chunks(sorted(survivor.ruled_out & own_marks), _MARKS_REVERSED_IN_AN_EVENT):
        yield RulingsReversed(source_kind=_SAID_BY, marks=tuple(marks))
