"""The state of one proposal, which acts need two people, what may be decided, and `evolve`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from hmac import compare_digest
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.errors import NotFound, Refused
from domain.kernel import Command, Event, History, Metadata, Recorded
from domain.policy.rule_book import refuse_unless_in_force
from domain.proposal.commands import ConfirmAct, ExpireProposal, ProposeAct, WithdrawProposal
from domain.proposal.events import ActConfirmed, ActProposed, ProposalExpired, ProposalWithdrawn
from domain.rule_set.model import Right, RuleSet

State: TypeAlias = Literal["open", "confirmed", "withdrawn", "expired"]

NO_PROPOSAL: Final = "There is no such proposal. `proposal list` lists those of your organisation."


def record_changed() -> Refused:
    """That a record is no longer what two people were shown of it."""
    return Refused(
        "The record has changed since this was proposed: look at it again, and propose it anew.",
        code="record-changed",
    )


@dataclass(frozen=True, slots=True)
class Act:
    """An act that needs two people, the right that both of them hold, and what it does in words.

    look: whether it shows something and changes no record. writes: whether it writes a file. ready: whether the index
    has a command that does it.
    """

    right: Right
    does: str
    look: bool = False
    writes: bool = False
    ready: bool = True


ACTS: Final[Mapping[str, Act]] = {
    "lift-shield": Act(
        "lift-shield", "Every shield on this record is lowered: readers see where the child is."
    ),
    "replay": Act(
        "replay",
        "What this access displayed is shown again, with whereabouts that were shielded since.",
        look=True,
    ),
    "export": Act(
        "replay",
        "All that is on record of this shielded child is written into an evidence pack.",
        look=True,
        writes=True,
    ),
    "hand-over": Act(
        "hand-over", "These facts of a shielded record are handed to somebody who has no account.", look=True
    ),
    "open-archive": Act(
        "open-archive", "This archived record is shown to both, for the case that is named.", look=True
    ),
    "reply-to-subject": Act(
        "subject-access",
        "This reply about a shielded record is given to whoever asked, and the request closed.",
        look=True,
    ),
    "destroy-early": Act("retention", "This record is destroyed before it is due, for ever."),
    "merge-records": Act(
        "merge-records",
        "These two records become one; where either is shielded, the one is, from the first instant.",
    ),
    "split-record": Act(
        "split-record",
        "This record becomes the two again that were made one; where any of the three was ever shielded, both are.",
    ),
    "seal-record": Act(
        "new-identity",
        "This record of an identity that its child does not have any more is closed, and its number leads nowhere.",
        writes=True,
    ),
    "adopt-rule-set": Act("policy", "These rules decide from their day on."),
}
"""Every act that one person alone may not do."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One act that was proposed. `proposed` is None where there is none.

    proposed_by, confirmed_by: accounts; None also where the period of their metadata was destroyed.
    """

    proposal_id: UUID
    version: int = 0
    proposed: ActProposed | None = None
    proposed_at: datetime | None = None
    proposed_by: UUID | None = None
    purpose: str | None = None
    confirmed_by: UUID | None = None
    state: State = "open"

    @property
    def made(self) -> ActProposed:
        """What was proposed. Raises NotFound where nothing was."""
        if self.proposed is None:
            raise NotFound(NO_PROPOSAL, field="proposal")
        return self.proposed

    def state_at(self, instant: datetime) -> State:
        """How it stands: time runs out without anybody's doing."""
        if self.state == "open" and self.proposed is not None and self.proposed.expires_at <= instant:
            return "expired"
        return self.state


def decide(proposal: Proposal, command: Command, rules: RuleSet) -> Sequence[Event]:
    """What comes of a command about a proposal. Raises NotFound, Refused: `already-confirmed`, `proposal-withdrawn`,
    `proposal-expired`, `not-what-was-shown`."""
    match command:
        case ProposeAct():
            return (_propose(proposal, command, rules),)
        case ConfirmAct():
            made = proposal.made
            _refuse_unless_open(proposal, command.at)
            if not compare_digest(made.digest, command.digest):
                raise Refused(
                    "This is not what was proposed: look at it with `proposal show`, and name its digest.",
                    code="not-what-was-shown",
                    field="digest",
                )
            return (ActConfirmed(digest=command.digest),)
        case WithdrawProposal():
            _ = proposal.made
            _refuse_unless_open(proposal, command.at)
            return (ProposalWithdrawn(),)
        case ExpireProposal():
            lapsed = proposal.state == "open" and proposal.state_at(command.at) == "expired"
            return (ProposalExpired(),) if lapsed else ()
        case _:
            raise TypeError(f"nobody decides on {type(command).__name__}")


def _propose(proposal: Proposal, command: ProposeAct, rules: RuleSet) -> ActProposed:
    refuse_unless_in_force(rules, command.at)
    if proposal.version:
        raise Refused("This proposal is there already.", code="already-proposed")
    if command.act not in ACTS or not ACTS[command.act].ready:
        raise Refused("The index does not do this yet.", code="not-yet", field="act")
    return ActProposed(
        rule_set=rules.id,
        expires_at=command.at + timedelta(hours=rules.two_people.hours),
        **dict(command.model_dump(exclude={"at"})),
    )


def _refuse_unless_open(proposal: Proposal, at: datetime) -> None:
    match proposal.state_at(at):
        case "confirmed":
            raise Refused("This was confirmed before, and done.", code="already-confirmed")
        case "withdrawn":
            raise Refused("This was withdrawn: propose it anew.", code="proposal-withdrawn")
        case "expired":
            raise Refused("Nobody confirmed this in time: propose it anew.", code="proposal-expired")
        case "open":
            return


def fold(history: History) -> Proposal:
    """The proposal that a whole stream tells of."""
    found = reduce(evolve, history.events, Proposal(history.stream_id))
    return replace(found, version=history.version)


def evolve(proposal: Proposal, recorded: Recorded) -> Proposal:
    """Fold one event into the proposal. Total."""
    metadata = recorded.metadata if isinstance(recorded.metadata, Metadata) else None
    match recorded.event:
        case ActProposed() as made:
            return replace(
                proposal,
                proposed=made,
                proposed_at=recorded.recorded_at,
                proposed_by=metadata.actor if metadata else None,
                purpose=metadata.purpose if metadata else None,
            )
        case ActConfirmed():
            return replace(
                proposal, state="confirmed", confirmed_by=metadata.confirmed_by if metadata else None
            )
        case ProposalWithdrawn():
            return replace(proposal, state="withdrawn")
        case ProposalExpired():
            return replace(proposal, state="expired")
        case _:
            return proposal
