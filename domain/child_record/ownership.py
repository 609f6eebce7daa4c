"""Which authority is responsible for a record: a hand-over that needs both, or an allocation (SI 2007/2182 reg 5; T72).

From the first assignment on exactly one authority is responsible at every version of the stream. An offer changes
nothing until it is accepted, and the acceptance is the one event that changes it; two that race meet at the expected
version of the stream. An offer does not lapse: it is accepted, withdrawn, declined, or made void by an allocation.

Which authority is responsible is what a shield hides. Of a shielded record nothing is refused because of it: whoever
is not a party to an offer is answered alike and nothing happens.
"""

from collections.abc import Sequence
from typing import Final

from domain.child_record.commands import (
    AcceptTransfer,
    AllocateAuthority,
    DeclineTransfer,
    OfferTransfer,
    WithdrawTransfer,
)
from domain.child_record.events import (
    AuthorityAllocated,
    SourceKind,
    TransferAccepted,
    TransferDeclined,
    TransferOffered,
    TransferWithdrawn,
)
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord, Transfer
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.rule_set.model import RuleSet

_SAID_BY: Final = SourceKind.AUTHORITY


def offer(record: ChildRecord, command: OfferTransfer, rules: RuleSet) -> Sequence[Event]:
    """Offer it. The same offer again changes nothing; to change one, withdraw it first."""
    _in_the_area(command.to, rules, "to")
    if command.to == command.by:
        raise BadInput("Offer it to another authority than your own.", code="own-authority", field="to")
    if record.authority != command.by:
        return unless_hidden(record, not_responsible())
    if record.transfer is not None:
        if record.transfer.to == command.to:
            return ()
        return unless_hidden(
            record,
            Refused(
                "It is offered to another authority: withdraw that first.", code="transfer-open", field="to"
            ),
        )
    return (
        TransferOffered(
            source_kind=_SAID_BY,
            transfer=command.transfer,
            authority=command.by,
            to=command.to,
            rule_set=rules.id,
        ),
    )


def withdraw(record: ChildRecord, command: WithdrawTransfer, _: RuleSet) -> Sequence[Event]:
    """Take it back."""
    found = record.transfer
    if found is None or found.authority != command.by:
        return unless_hidden(record, _no_transfer())
    return (TransferWithdrawn(source_kind=_SAID_BY, transfer=found.transfer),)


def decline(record: ChildRecord, command: DeclineTransfer, _: RuleSet) -> Sequence[Event]:
    """Decline it: whoever offered it stays responsible."""
    found = _offered_to(record, command.by)
    if found is None:
        return unless_hidden(record, _no_transfer())
    return (TransferDeclined(source_kind=_SAID_BY, transfer=found.transfer),)


def accept(record: ChildRecord, command: AcceptTransfer, rules: RuleSet) -> Sequence[Event]:
    """Accept it. Everything in the record goes with it: shields, reviews, disputes, requests."""
    found = _offered_to(record, command.by)
    if found is None:
        return unless_hidden(record, _no_transfer())
    return (
        TransferAccepted(
            source_kind=_SAID_BY, transfer=found.transfer, authority=command.by, rule_set=rules.id
        ),
    )


def allocate(record: ChildRecord, command: AllocateAuthority, rules: RuleSet) -> Sequence[Event]:
    """Allocate it, which alone needs nobody's agreement. To whoever is responsible already it changes nothing."""
    _in_the_area(command.authority, rules, "authority")
    if record.authority == command.authority:
        return ()
    return (AuthorityAllocated(source_kind=_SAID_BY, authority=command.authority, rule_set=rules.id),)


def not_responsible() -> Refused:
    """That another authority, or none, is responsible for the record."""
    return Refused("Your authority is not responsible for this record.", code="not-responsible")


def _offered_to(record: ChildRecord, authority: str) -> Transfer | None:
    found = record.transfer
    return found if found is not None and found.to == authority else None


def _no_transfer() -> Refused:
    return Refused("No offer of this record is open to your authority or by it.", code="no-transfer")


def _in_the_area(authority: str, rules: RuleSet, field: str) -> None:
    if len(authority) == 9 and authority[:1] in rules.coverage.outside:
        raise BadInput("Only English local authorities are responsible.", code="outside-area", field=field)
