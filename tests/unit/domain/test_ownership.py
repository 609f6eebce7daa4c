"""Who is responsible for a record: offered and accepted, or allocated; never nobody, never two."""

from uuid import UUID

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.child_record.commands import (
    AcceptTransfer,
    AllocateAuthority,
    AssignAuthority,
    DeclineTransfer,
    OfferTransfer,
    WithdrawTransfer,
)
from domain.child_record.decisions import decide
from domain.child_record.events import (
    AuthorityAllocated,
    AuthorityAssigned,
    TransferAccepted,
    TransferDeclined,
    TransferOffered,
    TransferWithdrawn,
)
from domain.child_record.model import ChildRecord
from domain.errors import Refused
from domain.kernel import Command
from tests.builders import ANOTHER_BOROUGH, LONDON_BOROUGH, NOW, registers, shields, the_rules
from tests.given import after, apply, given
from tests.plugins_counts import count

THIRD = "E06000998"
OURS, THEIRS = LONDON_BOROUGH, ANOTHER_BOROUGH


def offers(to: str = THEIRS, by: str = OURS, transfer: int = 1) -> OfferTransfer:
    return OfferTransfer(at=NOW, transfer=UUID(int=transfer), by=by, to=to)


def accepts(by: str = THEIRS) -> AcceptTransfer:
    return AcceptTransfer(at=NOW, by=by)


def test_t72_until_it_is_accepted_the_one_that_offered_stays_responsible() -> None:
    offered = given(registers()).when(offers()).then(TransferOffered)
    assert offered.authority == OURS
    accepted = given(registers(), offers()).when(accepts()).then(TransferAccepted)
    assert (accepted.authority, accepted.transfer) == (THEIRS, None)


def test_an_offer_is_withdrawn_by_the_one_and_declined_by_the_other_and_can_be_made_again() -> None:
    withdraws, declines = WithdrawTransfer(at=NOW, by=OURS), DeclineTransfer(at=NOW, by=THEIRS)
    assert given(registers(), offers()).when(withdraws).then(TransferWithdrawn).authority == OURS
    assert given(registers(), offers()).when(declines).then(TransferDeclined).authority == OURS
    given(registers(), offers(), withdraws).when(accepts()).then_refused("no-transfer")
    given(registers(), offers(), declines).when(accepts()).then_refused("no-transfer")
    given(registers(), offers(), declines).when(offers(transfer=2)).then(TransferOffered)


def test_t72_an_allocation_alone_overrides_and_makes_an_open_offer_void() -> None:
    allocates = AllocateAuthority(at=NOW, authority=THIRD)
    assert given(registers(), offers()).when(allocates).then(AuthorityAllocated).authority == THIRD
    given(registers(), offers(), allocates).when(accepts()).then_refused("no-transfer")
    given(registers(), allocates).when(allocates).then_nothing()
    outside = AllocateAuthority(at=NOW, authority="W06000001")
    given(registers()).when(outside).then_refused("outside-area", "authority")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (offers(by=THIRD), "not-responsible"),
        (offers(to=THIRD), "transfer-open"),
        (accepts(by=THIRD), "no-transfer"),
        (accepts(by=OURS), "no-transfer"),
        (DeclineTransfer(at=NOW, by=OURS), "no-transfer"),
        (WithdrawTransfer(at=NOW, by=THEIRS), "no-transfer"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_whoever_is_not_a_party_is_refused_and_of_a_shielded_record_is_not_told(
    command: Command, code: str
) -> None:
    given(registers(), offers()).when(command).then_refused(code, "to" if code == "transfer-open" else None)
    given(registers(), shields(), offers()).when(command).then_nothing()


def test_nothing_is_offered_to_oneself_or_outside_the_area_shielded_or_not() -> None:
    for history in ((registers(),), (registers(), shields())):
        given(*history).when(offers(to=OURS)).then_refused("own-authority", "to")
        given(*history).when(offers(to="N09000001")).then_refused("outside-area", "to")


def test_t22_t73_a_shield_stands_through_a_transfer_and_is_not_touched() -> None:
    before = after(registers(), shields())
    moved = given(registers(), shields(), offers()).when(accepts()).then(TransferAccepted)
    assert moved.authority == THEIRS
    assert moved.shields == before.shields
    assert all(event.CONCEALED for event in (TransferOffered, TransferAccepted, AuthorityAllocated))


AUTHORITIES = st.sampled_from([OURS, THEIRS, THIRD])
MOVES = st.one_of(
    st.builds(OfferTransfer, at=st.just(NOW), transfer=st.uuids(version=4), by=AUTHORITIES, to=AUTHORITIES),
    *(
        st.builds(kind, at=st.just(NOW), by=AUTHORITIES)
        for kind in (WithdrawTransfer, DeclineTransfer, AcceptTransfer)
    ),
    st.builds(AllocateAuthority, at=st.just(NOW), authority=AUTHORITIES),
    st.builds(AssignAuthority, at=st.just(NOW), authority=AUTHORITIES),
)


@whatever(st.lists(MOVES, min_size=10, max_size=40), st.booleans())
@settings(max_examples=count(20_000))
def test_t72_in_any_order_of_offers_answers_and_allocations_exactly_one_authority_is_responsible(
    moves: list[Command],
    shielded: bool,
) -> None:
    record = after(registers(), shields()) if shielded else after(registers())
    for move in moves:
        was = record
        record = _tried(record, move)
        assert record.authority in (OURS, THEIRS, THIRD)
        if record.authority != was.authority:
            allocated = isinstance(move, AllocateAuthority) and move.authority == record.authority
            agreed = (
                isinstance(move, AcceptTransfer)
                and was.transfer is not None
                and (was.transfer.authority, was.transfer.to) == (was.authority, move.by)
            )
            assert allocated or agreed
        assert record.transfer is None or record.transfer.authority == record.authority


def _tried(record: ChildRecord, command: Command) -> ChildRecord:
    try:
        decision = decide(record, command, the_rules())
    except Refused:
        return record
    made = [event for event in decision.events if isinstance(event, AuthorityAssigned)]
    assert not made, "nobody is assigned who is responsible already"
    return apply(record, decision)
