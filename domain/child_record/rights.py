"""Claims of rights other than access: to have a record deleted, to object to it (UK GDPR Arts 17, 21).

Nobody opts out of the index: a claim opens a case, which is decided on its merits and answered with reasons. Deciding
changes nothing else; what is granted is done by the commands that do it, before or after. As with every request, of a
shielded record nothing is refused because there is none.
"""

from collections.abc import Sequence

from domain.child_record.commands import ClaimRight, DecideRight
from domain.child_record.events import RightClaimed, RightDecided, SourceKind
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord
from domain.child_record.subject_access import check_received, open_request, paused
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy.retention import london_day
from domain.policy.subject_access import ACCESS, kind_of
from domain.rule_set.model import RuleSet

_SAID_BY = SourceKind.OFFICER


def claim(record: ChildRecord, command: ClaimRight, rules: RuleSet) -> Sequence[Event]:
    """Open a case. The same claim again changes nothing."""
    check_received(command, rules)
    kind_of(command.right, rules)
    if any(one.request == command.request for one in record.requests):
        return ()
    return (
        RightClaimed(
            source_kind=_SAID_BY,
            request=command.request,
            right=command.right,
            requester=command.requester,
            basis=command.basis,
            received_on=command.received_on,
            rule_set=rules.id,
        ),
    )


def decide(record: ChildRecord, command: DecideRight, rules: RuleSet) -> Sequence[Event]:
    """Record what was decided and why. Refused while the clock stands still."""
    known = rules.rights.reasons
    if not command.reasons or not set(command.reasons) <= set(known):
        raise _unknown_reason(tuple(known))
    found = open_request(record, command.request)
    if found is None:
        return ()
    if found.right == ACCESS:
        return unless_hidden(
            record,
            Refused(
                "This request is answered by telling who looked: `subject-access reply`.",
                code="for-access",
                field="request",
            ),
        )
    theirs = tuple(code for code, one in known.items() if found.right in one.claims)
    if not set(command.reasons) <= set(theirs):
        return unless_hidden(record, _unknown_reason(theirs))
    if found.paused_for is not None:
        return unless_hidden(record, paused())
    return (
        RightDecided(
            source_kind=_SAID_BY,
            request=command.request,
            reasons=command.reasons,
            decided_on=london_day(command.at),
            rule_set=rules.id,
        ),
    )


def _unknown_reason(known: Sequence[str]) -> BadInput:
    return BadInput(f"It is decided for: {', '.join(known)}.", code="unknown-reason", field="reason")
