"""Contact that is brokered: somebody asks the local team, the team passes it on, the service accepts or declines.

Nothing tells whoever asked a service that declined from one that never answered: both are `waiting` until the day the
rules name, and then `closed`. All of it lies on the child's own stream, concealed, and what names a sensitive service
under that service's own key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from domain.child_record.commands import AnswerContact, AskForContact, PassOnContact
from domain.child_record.events import Contact, ContactAnswered, ContactAsked, ContactPassedOn, SourceKind
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord, ContactRequest, Involvement
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy.retention import london_day
from domain.rule_set.model import Brokering, RuleSet


@dataclass(frozen=True, slots=True)
class Answer:
    """What whoever asked learns. `disclosed`: what the service agreed to; None unless it accepted."""

    state: str
    asked_on: date
    closes_on: date
    disclosed: dict[str, Any] | None


def ask(record: ChildRecord, command: AskForContact, rules: RuleSet) -> Sequence[Event]:
    """Ask the local team. Refused where there is nothing hidden that it could put one in touch with."""
    days = _brokering(rules).days
    if record.archived_on is not None:
        raise Refused("The record is archived and changes no more.", code="archived")
    if not record.shielded and not any(one.sensitive and one.stands for one in record.involvements):
        raise Refused(
            "Nothing is hidden in this record: ask the services that it shows.", code="nothing-hidden"
        )
    if any(one.request == command.request for one in record.contacts):
        return ()
    return (
        ContactAsked(
            source_kind=SourceKind.PRACTITIONER,
            request=command.request,
            asked_by=command.asked_by,
            contact=command.contact,
            asked_on=london_day(command.at),
            closes_on=london_day(command.at) + timedelta(days=days),
            rule_set=rules.id,
        ),
    )


def pass_on(record: ChildRecord, command: PassOnContact, rules: RuleSet) -> Sequence[Event]:
    """The team of the responsible authority passes a request on to a service that is involved."""
    del rules
    found = _open(record, command.request, london_day(command.at))
    service = _involved(record, command.involvement)
    if found is None or record.authority != command.body:
        return unless_hidden(record, _no_such_request())
    if service is None:
        return unless_hidden(
            record,
            Refused("The record holds no such involvement.", code="no-such-involvement", field="involvement"),
        )
    if found.involvement == command.involvement:
        return ()
    if found.accepted is not None:
        return unless_hidden(record, _answered())
    return (
        ContactPassedOn(
            source_kind=SourceKind.AUTHORITY,
            request=command.request,
            involvement=command.involvement,
            passed_on=london_day(command.at),
        ),
    )


def answer(record: ChildRecord, command: AnswerContact, rules: RuleSet) -> Sequence[Event]:
    """The service accepts or declines: by itself, or as it told the team. Nobody else may answer for it."""
    may = _brokering(rules).may_disclose
    if not set(command.disclosed) <= set(may):
        raise BadInput(f"A service may disclose: {', '.join(may)}.", code="unknown-field", field="disclose")
    if command.disclosed and not command.accepted:
        raise BadInput("Who declines discloses nothing.", code="bad-input", field="disclose")
    found = _open(record, command.request, london_day(command.at))
    service = None if found is None or found.involvement is None else _involved(record, found.involvement)
    if found is None or service is None or command.body not in (record.authority, service.source.body):
        return unless_hidden(record, _no_such_request())
    if (found.accepted, found.disclosed) == (command.accepted, command.disclosed):
        return ()
    if found.accepted is not None:
        return unless_hidden(record, _answered())
    return (
        ContactAnswered(
            source_kind=SourceKind.PRACTITIONER,
            request=command.request,
            involvement=service.involvement,
            accepted=command.accepted,
            disclosed=command.disclosed,
            answered_on=london_day(command.at),
        ),
    )


def answer_to(request: ContactRequest, involvements: Sequence[Involvement], today: date) -> Answer:
    """What whoever asked learns on a day. A service that is involved no more discloses nothing any more."""
    closes_on = request.closes_on
    if today >= closes_on:
        return Answer("closed", request.asked_on, closes_on, None)
    service = next((i for i in involvements if i.involvement == request.involvement and i.stands), None)
    if service is None or not request.accepted:
        return Answer("waiting", request.asked_on, closes_on, None)
    told = {name: _disclosed(service, name) for name in request.disclosed}
    return Answer("accepted", request.asked_on, closes_on, told)


def _disclosed(service: Involvement, name: str) -> Any:
    value = getattr(service, name)
    if isinstance(value, Contact):
        return {"telephone": value.telephone, "email": value.email}
    return value


def _open(record: ChildRecord, request: UUID, today: date) -> ContactRequest | None:
    found = next((one for one in record.contacts if one.request == request), None)
    return found if found is not None and today < found.closes_on else None


def _involved(record: ChildRecord, which: UUID) -> Involvement | None:
    return next((one for one in record.involvements if one.involvement == which and one.stands), None)


def _brokering(rules: RuleSet) -> Brokering:
    if rules.brokering is None:
        raise Refused("Contact is not brokered under these rules.", code="not-brokered")
    return rules.brokering


def _no_such_request() -> Refused:
    return Refused("No such request for contact is open.", code="no-such-request", field="request")


def _answered() -> Refused:
    return Refused("This request was answered.", code="answered", field="request")
