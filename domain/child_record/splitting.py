"""A record of two children becomes two again: what goes to which, and how the whole is closed.

No event changes stream. Each half begins a stream of its own that bears the number its child had; the whole is closed,
under a shield, for replay only. What was carried over by the merge goes back by its origin. What was said since goes to
the child whose source it is from; else to the one whose number the record bore, unless a human says otherwise. Nothing
is given to both but what restricts: a shield raised since, and a consent withdrawn since.

Both halves begin under a shield if either record or the whole ever had one, until a human decides on each.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import reduce
from typing import Final, NamedTuple

from domain.child_record.commands import SplitRecord
from domain.child_record.decisions import Decision, chunks, with_keys
from domain.child_record.events import (
    ChildRegistered,
    ExtensionConsentGiven,
    ExtensionConsentWithdrawn,
    LinkRuledOut,
    RecordClosed,
    RecordSplitOff,
    ShieldRaised,
    Source,
    SourceKind,
)
from domain.child_record.hidden import unless_hidden
from domain.child_record.merging import must_be_open, must_be_two, origins, said_again, shield_of_closing
from domain.child_record.model import Absorbed, ChildRecord, Shield, evolve, unknown
from domain.errors import BadInput, Refused
from domain.kernel import Event, Recorded
from domain.policy.rule_book import refuse_unless_in_force
from domain.rule_set.model import RuleSet

_SAID_BY: Final = SourceKind.INDEX
_MARKS_IN_AN_EVENT: Final = 24


class Split(NamedTuple):
    """What a split does: to the two new streams, the whole, and the stream that was merged into it before."""

    first: Decision
    second: Decision
    whole: Decision
    merged: Decision

    @property
    def nothing(self) -> bool:
        """Whether nothing happens."""
        return not self.first.events


class Half(NamedTuple):
    """One of the two children: the record it had, what tells of it now and since, and what is not it."""

    before: ChildRecord
    told: Sequence[Recorded]
    said: list[Recorded]
    not_it: AbstractSet[str]


def last_merge(whole: ChildRecord) -> Absorbed | None:
    """The merge that is undone: the last that made the record one, and has not been undone."""
    return next((one for one in reversed(whole.absorbed) if one.version), None)


def before_merge(
    told: Sequence[Recorded], merged: Sequence[Recorded], merge: Absorbed
) -> tuple[ChildRecord, ChildRecord]:
    """The two records as they stood before they were made one.

    The merge begins with the shields of the other, ahead of the event that names it.
    """
    other = _as_it_stood(merged, merge.version)
    theirs = {shield.shield for shield in other.shields}
    begins = merge.at
    while isinstance(before := told[begins - 2].event, ShieldRaised) and before.shield in theirs:
        begins -= 1
    return _as_it_stood(told, begins - 1), other


def _as_it_stood(told: Sequence[Recorded], version: int) -> ChildRecord:
    """A record as its stream told of it up to a version."""
    return reduce(evolve, [one for one in told if one.version <= version], unknown(told[0].stream_id))


def split(
    whole: ChildRecord,
    told: Sequence[Recorded],
    merged: Sequence[Recorded],
    own_marks: tuple[AbstractSet[str], AbstractSet[str]],
    command: SplitRecord,
    rules: RuleSet,
) -> Split:
    """Undo the last merge of a record.

    told, merged: the events of its stream, and of the one that was merged into it. own_marks: those by which the
    sources of either child know it. Raises BadInput, NotFound, Refused; of a shielded record nothing is refused because
    of what the shield hides.
    """
    refuse_unless_in_force(rules, command.at)
    if command.reason not in rules.identity.reasons_to_split:
        raise BadInput(
            f"The reason is one of: {', '.join(rules.identity.reasons_to_split)}.",
            code="unknown-reason",
            field="reason",
        )
    must_be_open(whole, "child")
    if whole.shielded:
        must_be_two(command.decided_by, command.confirmed_by)
    merge = last_merge(whole)
    if merge is None:
        return _unless_hidden(whole, Refused("This record was not merged.", code="not-merged"))
    if whole.authority is not None and whole.authority != command.by:
        return _unless_hidden(
            whole, Refused("Your authority is not responsible for this record.", code="not-responsible")
        )
    halves = before_merge(told, merged, merge)
    later = {one.version for one in said_again(whole, told) if one.version >= merge.at}
    carried = {one.at for one in whole.origins if one.stream == merge.other}
    if not set(command.to_second) <= later - carried:
        refusal = BadInput(
            "Only what was said since the merge can be given to the other: `audit changes` tells its versions.",
            code="no-such-version",
            field="to_second",
        )
        if not whole.shielded:
            raise refusal
    said = _allocated(whole, told, merge, halves, command)
    ours, theirs = own_marks
    first = Half(halves[0], told[: merge.at - 1], said[0], theirs - ours)
    second = Half(halves[1], merged[: merge.version], said[1], ours - theirs)
    ever = whole.ever_shielded or any(half.ever_shielded for half in halves)
    shields = _shields(whole, halves, ever, command, rules)
    closed = RecordClosed(
        closing=command.split,
        source_kind=_SAID_BY,
        into=command.first,
        heirs=(command.first, command.second),
        rule_set=rules.id,
        why="split",
    )
    raised = () if whole.shielded else (shield_of_closing(command.shields[2], rules),)
    other = ChildRecord(merge.other, content_key=_last_key(merged), last_key=_last_key(merged))
    moved = closed.model_copy(update={"into": command.second, "heirs": (command.second,)})
    return Split(
        with_keys(unknown(command.first), _begun(first, shields[0], whole, merge, command, rules)),
        with_keys(unknown(command.second), _begun(second, shields[1], whole, merge, command, rules)),
        with_keys(whole, (*raised, closed)),
        with_keys(other, (moved,))._replace(shielded=True),
    )


def _begun(
    half: Half,
    shields: Sequence[ShieldRaised],
    whole: ChildRecord,
    merge: Absorbed,
    command: SplitRecord,
    rules: RuleSet,
) -> tuple[Event, ...]:
    """The stream of one half, from its registration on."""
    registered = next(one.event for one in half.told if isinstance(one.event, ChildRegistered))
    first = half.before.child_id == whole.child_id
    begins = (
        registered.model_copy(
            update={"owning_authority": whole.authority if first else half.before.authority}
        ),
        *shields,
        RecordSplitOff(
            split=command.split,
            source_kind=_SAID_BY,
            whole=whole.child_id,
            own=half.before.child_id,
            rule_set=rules.id,
            reason=command.reason,
        ),
    )
    from_other = {one.at: one.version for one in whole.origins if one.stream == merge.other}
    named = [
        (merge.other, from_other[one.version])
        if one.stream_id == whole.child_id and one.version in from_other
        else (one.stream_id, one.version)
        for one in half.said
    ]
    return (
        *begins,
        *(one.event for one in half.said),
        *origins(named, len(begins) + 1),
        *(
            LinkRuledOut(source_kind=_SAID_BY, marks=tuple(marks), held=command.split)
            for marks in chunks(sorted(half.not_it), _MARKS_IN_AN_EVENT)
        ),
    )


def _allocated(
    whole: ChildRecord,
    told: Sequence[Recorded],
    merge: Absorbed,
    halves: tuple[ChildRecord, ChildRecord],
    command: SplitRecord,
) -> tuple[list[Recorded], list[Recorded]]:
    """What goes to the one and to the other, in the order of the stream."""
    first: list[Recorded] = []
    second: list[Recorded] = []
    carried = {one.at for one in whole.origins if one.stream == merge.other}
    sources = [_sources(half) for half in halves]
    services: list[set[object]] = [{one.involvement for one in half.involvements} for half in halves]
    kept = {one.version for one in said_again(whole, told)}
    for one in told:
        special = isinstance(one.event, ExtensionConsentGiven | ExtensionConsentWithdrawn | LinkRuledOut)
        if one.version not in kept and not special:
            continue
        if one.version in carried:
            second.append(one)
        elif one.version < merge.at:
            first.append(one)
        elif isinstance(one.event, ExtensionConsentWithdrawn):
            first.append(one)
            second.append(one)
        elif one.version in command.to_second or _is_of(one.event, sources, services):
            second.append(one)
            services[1] |= _involved(one.event)
        else:
            first.append(one)
    return first, second


def _is_of(event: Event, sources: Sequence[set[object]], services: Sequence[AbstractSet[object]]) -> bool:
    """Whether what was said since the merge is of the other child: by the service, a number, or the source's own entry.

    An entry under which a number of one of them was said is that child's from then on.
    """
    if _involved(event) & (services[1] - services[0]):
        return True
    known = _known_by(event)
    first, second = (not known.isdisjoint(of) for of in sources)
    if first != second:
        sources[second] |= known
    return second and not first


def _involved(event: Event) -> set[object]:
    """The involvement that an event is about."""
    return {getattr(event, "involvement", None)} - {None}


def _known_by(event: Event) -> set[object]:
    """By what a source says whom it speaks of: its own entry, and the child's NHS number; PDS numbers its own by it."""
    source = getattr(event, "source", None)
    known: set[object] = {getattr(event, "nhs_number", None)}
    if isinstance(source, Source) and source.record is not None:
        known |= {(getattr(event, "source_kind", None), source.record)}
        known |= {source.record} if event.source_kind is SourceKind.PDS else set()  # type: ignore[attr-defined]
    return known - {None}


def _sources(record: ChildRecord) -> set[object]:
    return {known for one in record.assertions for known in _known_by(one.event)}


def _shields(
    whole: ChildRecord,
    halves: tuple[ChildRecord, ChildRecord],
    ever: bool,  # noqa: FBT001
    command: SplitRecord,
    rules: RuleSet,
) -> list[list[ShieldRaised]]:
    """The shields under which either half begins: its own, those raised since, or else one of this split."""
    theirs = [{shield.shield for shield in half.shields} for half in halves]
    found: list[list[ShieldRaised]] = []
    for place in (0, 1):
        others = theirs[1 - place] - theirs[place]
        own = [_raised(shield, rules) for shield in whole.shields if shield.shield not in others]
        found.append(own or ([shield_of_closing(command.shields[place], rules)] if ever else []))
    return found


def _raised(shield: Shield, rules: RuleSet) -> ShieldRaised:
    return ShieldRaised(
        shield=shield.shield,
        source_kind=shield.source_kind,
        provisional=shield.provisional,
        rule_set=rules.id,
        ground=shield.ground,
    )


def _last_key(told: Sequence[Recorded]) -> int:
    return max(one.content_key for one in told)


def _unless_hidden(whole: ChildRecord, refusal: Refused) -> Split:
    """Raise what rests on concealed content; of a shielded record nothing is told and nothing happens."""
    unless_hidden(whole, refusal)
    nothing = with_keys(whole, ())
    return Split(nothing, nothing, nothing, nothing)
