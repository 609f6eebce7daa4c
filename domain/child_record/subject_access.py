"""Requests of those who want to know who looked at this record, and the clock by which they are answered.

Whether there is a request is hidden by a shield like everything else that is concealed: of a shielded record nothing is
refused because there is none.
"""

from collections.abc import Sequence
from uuid import UUID

from domain.child_record.assertions import not_in_the_future
from domain.child_record.commands import (
    AnswerSubjectAccess,
    ClaimRight,
    PauseSubjectAccess,
    RequestSubjectAccess,
    ResumeSubjectAccess,
)
from domain.child_record.events import (
    SourceKind,
    SubjectAccessAnswered,
    SubjectAccessPaused,
    SubjectAccessRequested,
    SubjectAccessResumed,
)
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy.retention import london_day
from domain.policy.subject_access import ACCESS, SubjectRequest, exemptions_of, requester_of
from domain.rule_set.model import RuleSet

_SAID_BY = SourceKind.OFFICER


def request(record: ChildRecord, command: RequestSubjectAccess, rules: RuleSet) -> Sequence[Event]:
    """Record that somebody asked, and on what. The same request again changes nothing."""
    check_received(command, rules)
    if any(one.request == command.request for one in record.requests):
        return ()
    return (
        SubjectAccessRequested(
            source_kind=_SAID_BY,
            request=command.request,
            requester=command.requester,
            basis=command.basis,
            received_on=command.received_on,
            rule_set=rules.id,
        ),
    )


def check_received(command: RequestSubjectAccess | ClaimRight, rules: RuleSet) -> None:
    """Raises BadInput: `date-in-future`, `unknown-requester`, `unknown-basis`."""
    not_in_the_future(command.received_on, london_day(command.at), "received")
    bases = requester_of(command.requester, rules).bases
    if command.basis not in bases:
        raise BadInput(f"They may ask on: {', '.join(bases)}.", code="unknown-basis", field="basis")


def pause(record: ChildRecord, command: PauseSubjectAccess, rules: RuleSet) -> Sequence[Event]:
    """Stop the clock: to prove who asks, or to ask what is wanted, and for nothing else."""
    not_in_the_future(command.since, london_day(command.at), "on")
    pauses = rules.subject_access.pauses
    if command.why not in pauses:
        raise BadInput(
            f"The clock stops for: {', '.join(pauses)}; for nothing else.", code="unknown-pause", field="for"
        )
    found = open_request(record, command.request)
    if found is None or found.paused_for == command.why:
        return ()
    if found.paused_for is not None:
        return unless_hidden(record, Refused("The clock stands still already.", code="paused"))
    ended = [pause.until for pause in found.pauses if pause.until is not None]
    if command.since < max([found.received_on, *ended]):
        return unless_hidden(record, _out_of_order())
    return (
        SubjectAccessPaused(
            source_kind=_SAID_BY, request=command.request, why=command.why, since=command.since
        ),
    )


def resume(record: ChildRecord, command: ResumeSubjectAccess, rules: RuleSet) -> Sequence[Event]:
    """Let the clock go on."""
    del rules
    not_in_the_future(command.until, london_day(command.at), "on")
    found = open_request(record, command.request)
    if found is None or found.paused_for is None:
        return ()
    if command.until < found.pauses[-1].since:
        return unless_hidden(record, _out_of_order())
    return (SubjectAccessResumed(source_kind=_SAID_BY, request=command.request, until=command.until),)


def answer(record: ChildRecord, command: AnswerSubjectAccess, rules: RuleSet) -> Sequence[Event]:
    """Record that it was answered, and what was decided to be withheld. Refused while the clock stands still."""
    found = open_request(record, command.request)
    if found is None:
        return ()
    if found.right != ACCESS:
        return unless_hidden(record, not_for_access())
    try:
        exemptions_of(found.requester, command.withheld, rules)
    except BadInput as refusal:
        return unless_hidden(record, refusal)
    if found.paused_for is not None:
        return unless_hidden(record, paused())
    return (
        SubjectAccessAnswered(
            source_kind=_SAID_BY,
            request=command.request,
            answered_on=london_day(command.at),
            withheld=command.withheld,
            access=command.access,
            rule_set=rules.id,
        ),
    )


def paused() -> Refused:
    """That nothing is answered before it is clear who asks, and for what."""
    return Refused("The clock stands still: say first that it goes on.", code="paused", field="request")


def not_for_access() -> Refused:
    """That a claim of another right is decided, and not answered by telling who looked."""
    return Refused(
        "This request is to be decided: `subject-access decide`.", code="not-for-access", field="request"
    )


def no_such_request() -> Refused:
    """That there is no such request, or it was answered."""
    return Refused("No such request is open.", code="no-such-request", field="request")


def open_request(record: ChildRecord, request: UUID) -> SubjectRequest | None:
    """The request, not answered yet; None of a shielded record that holds none. Raises Refused otherwise."""
    found = next((one for one in record.requests if one.request == request), None)
    if found is None or found.answered_on is not None:
        unless_hidden(record, no_such_request())
        return None
    return found


def _out_of_order() -> BadInput:
    return BadInput("The clock cannot stop or go on before that.", code="dates-out-of-order", field="on")
