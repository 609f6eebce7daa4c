"""Load, decide, append for proposals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from domain.errors import VersionConflict
from domain.kernel import Appended, Change, Command, Event, Metadata, Pending, StreamKind
from domain.ports import EventStore
from domain.proposal import model
from domain.proposal.commands import ConfirmAct, ProposeAct
from domain.proposal.events import ActProposed
from domain.rule_set.model import RuleSet

_TRIES: Final = 8


def proposal_of(proposal_id: UUID, store: EventStore) -> model.Proposal:
    """One proposal. Raises NotFound where this is the id of none."""
    proposal = model.fold(store.load(proposal_id))
    _ = proposal.made
    return proposal


def handle(
    proposal_id: UUID, command: Command, *, store: EventStore, rules: RuleSet, metadata: Metadata
) -> Appended:
    """Carry out one command on a proposal. Raises Refused, NotFound, VersionConflict where others keep being first."""
    for tries_left in reversed(range(_TRIES)):
        change = change_of(proposal_id, command, store=store, rules=rules)
        if not change.events:
            return Appended((), None, duplicate=True)
        try:
            return store.append((change,), metadata, instant=command.at)
        except VersionConflict:
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def change_of(proposal_id: UUID, command: Command, *, store: EventStore, rules: RuleSet) -> Change:
    """What a command changes, to be appended with whatever else it brings. Raises Refused, NotFound."""
    proposal = model.fold(store.load(proposal_id))
    return _change(proposal, model.decide(proposal, command, rules))


def both_at_once(proposal_id: UUID, proposing: ProposeAct, rules: RuleSet) -> Change:
    """An act proposed and confirmed in one command, by two people who are both there."""
    new = model.Proposal(proposal_id)
    proposed = model.decide(new, proposing, rules)
    confirmed = model.decide(
        _with(new, proposed), ConfirmAct(at=proposing.at, digest=proposing.digest), rules
    )
    return _change(new, [*proposed, *confirmed])


def _with(proposal: model.Proposal, events: Sequence[Event]) -> model.Proposal:
    (made,) = events
    assert isinstance(made, ActProposed)  # noqa: S101 - proposing gives this event
    return replace(proposal, proposed=made)


def _change(proposal: model.Proposal, events: Sequence[Event]) -> Change:
    return Change(
        proposal.proposal_id, StreamKind.SYSTEM, proposal.version, tuple(Pending(event) for event in events)
    )
