"""What two people propose and confirm, decided purely."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import NotFound, Refused
from domain.kernel import Command, Event, Log, Metadata, Recorded
from domain.proposal.commands import ConfirmAct, ExpireProposal, ProposeAct, WithdrawProposal
from domain.proposal.events import ActConfirmed, ProposalExpired, ProposalWithdrawn
from domain.proposal.model import ACTS, Proposal, decide, evolve
from tests.builders import CHILD, NOW, the_rules

ID, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=3)
DIGEST = bytes(range(32))
END = NOW + timedelta(hours=the_rules().two_people.hours)
TICK = timedelta(microseconds=1)


def after(*commands: Command) -> Proposal:
    """A proposal to which these happened, by the first and, where it is confirmed, the second."""
    found = Proposal(ID)
    for command in commands:
        for event in decide(found, command, the_rules()):
            found = evolve(found, recorded(event, found.version + 1))
            found = replace(found, version=found.version + 1)
    return found


def recorded(event: Event, version: int) -> Recorded:
    second = SECOND if isinstance(event, ActConfirmed) else None
    metadata = Metadata(actor=FIRST, confirmed_by=second, purpose="casework", correlation=UUID(int=9))
    return Recorded(Log.RECORD, version, NOW, UUID(int=8), ID, version, 0, event, metadata)


def proposed(act: str = "lift-shield") -> ProposeAct:
    return ProposeAct(at=NOW, act=act, subject=CHILD, version=7, code="risk-ended", digest=DIGEST)


def refused(found: Proposal, command: Command) -> str:
    with pytest.raises(Refused) as caught:
        decide(found, command, the_rules())
    return caught.value.code


def test_a_proposal_says_by_when_it_is_confirmed_and_under_which_rules() -> None:
    made = after(proposed()).made
    assert (made.expires_at, made.rule_set, made.version, made.subject) == (END, "present", 7, CHILD)


def test_it_is_confirmed_by_its_digest_to_the_last_instant_and_once() -> None:
    last = ConfirmAct(at=END - TICK, digest=DIGEST)
    done = after(proposed(), last)
    assert (done.state, done.proposed_by, done.confirmed_by) == ("confirmed", FIRST, SECOND)
    assert refused(done, last) == "already-confirmed"
    assert refused(done, WithdrawProposal(at=NOW)) == "already-confirmed"
    assert refused(after(proposed()), ConfirmAct(at=NOW, digest=bytes(32))) == "not-what-was-shown"


@pytest.mark.parametrize("late", [timedelta(0), TICK, timedelta(days=400)])
def test_from_its_end_on_nothing_is_done_and_that_it_ended_is_said_once(late: timedelta) -> None:
    found = after(proposed())
    assert found.state_at(END + late) == "expired"
    assert refused(found, ConfirmAct(at=END + late, digest=DIGEST)) == "proposal-expired"
    assert decide(found, ExpireProposal(at=END - TICK), the_rules()) == ()
    assert decide(found, ExpireProposal(at=END + late), the_rules()) == (ProposalExpired(),)
    assert decide(after(proposed(), ExpireProposal(at=END)), ExpireProposal(at=END), the_rules()) == ()


def test_what_was_withdrawn_is_not_confirmed() -> None:
    gone = after(proposed(), WithdrawProposal(at=NOW))
    assert gone.state == "withdrawn"
    assert refused(gone, ConfirmAct(at=NOW, digest=DIGEST)) == "proposal-withdrawn"
    assert decide(after(proposed()), WithdrawProposal(at=NOW), the_rules()) == (ProposalWithdrawn(),)


def test_of_nothing_that_was_proposed_nothing_is_decided() -> None:
    for command in (ConfirmAct(at=NOW, digest=DIGEST), WithdrawProposal(at=NOW)):
        with pytest.raises(NotFound):
            decide(Proposal(ID), command, the_rules())


@pytest.mark.parametrize("act", [*(name for name, act in ACTS.items() if not act.ready), "anything"])
def test_what_the_index_cannot_do_is_not_proposed(act: str) -> None:
    assert refused(Proposal(ID), proposed(act)) == "not-yet"


def test_what_is_proposed_is_proposed_once() -> None:
    assert refused(after(proposed()), proposed()) == "already-proposed"
