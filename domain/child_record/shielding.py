"""Shielding as a process: a request, an interim shield, the authority's decision, reviews, and an end with notice.

Whether somebody asked, and what was decided, is concealed: of a shielded record nothing is refused because of it. Only
two people lower a shield, here as everywhere: a refused request and a review that is overdue lower nothing.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from domain.child_record.assertions import not_in_the_future
from domain.child_record.commands import (
    CompleteLift,
    DecideShield,
    LiftShield,
    RequestShield,
    ReviewShield,
    VerifyShieldRequester,
)
from domain.child_record.events import (
    LiftDecided,
    ShieldDecided,
    ShieldLifted,
    ShieldRaised,
    ShieldRequested,
    ShieldRequesterVerified,
    ShieldReviewed,
    SourceKind,
)
from domain.child_record.hidden import unless_hidden
from domain.child_record.model import ChildRecord
from domain.errors import BadInput, Refused
from domain.kernel import Event
from domain.policy.retention import london_day
from domain.rule_set.model import RuleSet

_SAID_BY: Final = SourceKind.AUTHORITY
_MOST_SHIELDS: Final = 8


def request(record: ChildRecord, command: RequestShield, rules: RuleSet) -> Sequence[Event]:
    """Raise an interim shield and keep who asked. Each request has a shield of its own, whatever stands already."""
    not_in_the_future(command.received_on, london_day(command.at), "received")
    if command.requester not in rules.shield.requesters:
        raise BadInput(
            f"Who asks is one of: {', '.join(rules.shield.requesters)}.",
            code="unknown-requester",
            field="for",
        )
    if command.ground not in rules.shield.grounds:
        raise BadInput(
            f"The ground is one of: {', '.join(rules.shield.grounds)}.", code="unknown-ground", field="ground"
        )
    if any(one.request == command.request for one in record.shield_requests):
        return ()
    return (
        ShieldRaised(
            shield=command.shield,
            source_kind=_SAID_BY,
            rule_set=rules.id,
            ground=command.ground,
            source=command.source,
        ),
        ShieldRequested(
            source_kind=_SAID_BY,
            request=command.request,
            shield=command.shield,
            requester=command.requester,
            verified=command.verified,
            ground=command.ground,
            received_on=command.received_on,
            rule_set=rules.id,
        ),
    )


def verify(record: ChildRecord, command: VerifyShieldRequester, rules: RuleSet) -> Sequence[Event]:
    """Note that it is proved now who asked."""
    del rules
    found = next((one for one in record.shield_requests if one.request == command.request), None)
    if found is None:
        return unless_hidden(record, _no_such_request())
    if found.verified:
        return ()
    return (
        ShieldRequesterVerified(
            source_kind=_SAID_BY, request=command.request, verified_on=london_day(command.at)
        ),
    )


def decide(record: ChildRecord, command: DecideShield, rules: RuleSet) -> Sequence[Event]:
    """Grant or refuse a request, as the authority that is responsible; another's decision changes nothing."""
    reasons = rules.shield.reasons_to_grant if command.granted else rules.shield.reasons_to_refuse
    if command.reason not in reasons:
        raise BadInput(f"The reason is one of: {', '.join(reasons)}.", code="unknown-reason", field="reason")
    _known(command.consulted, rules)
    found = next((one for one in record.shield_requests if one.request == command.request), None)
    if found is None or not _responsible(record, command.body):
        return unless_hidden(record, _no_such_request())
    if found.granted is not None:
        return ()
    return (
        ShieldDecided(
            shield=found.shield,
            decided_on=london_day(command.at),
            rule_set=rules.id,
            request=found.request,
            granted=command.granted,
            reason=command.reason,
            consulted=command.consulted,
        ),
    )


def review(record: ChildRecord, command: ReviewShield, rules: RuleSet) -> Sequence[Event]:
    """Note that the authority that is responsible looked at the shields again, and that they go on."""
    _known(command.consulted, rules)
    if not record.shielded:
        raise Refused("This record has no shield.", code="no-shield")
    today = london_day(command.at)
    if not _responsible(record, command.body) or record.shields_reviewed_on == today:
        return ()
    return (ShieldReviewed(reviewed_on=today, rule_set=rules.id, consulted=command.consulted),)


def lift(record: ChildRecord, command: LiftShield, rules: RuleSet) -> Sequence[Event] | None:
    """That the shields come down only once notice has been given; None where they come down at once.

    Notice is owed where one of them was asked for by somebody who is known and was granted, unless there was nobody to
    protect. A shield raised since is not among those that were decided upon, and stays.
    """
    _known(command.consulted, rules)
    standing = {one.shield for one in record.shields}
    owed = any(one.granted and one.verified and one.shield in standing for one in record.shield_requests)
    if not owed or command.reason in rules.shield.reasons_without_notice or not rules.shield.notice_days:
        return None
    if record.lift is not None and standing <= set(record.lift.shields):
        return ()
    return _decided(record, command, rules, london_day(command.at) + timedelta(days=rules.shield.notice_days))


def heard(record: ChildRecord, command: LiftShield, rules: RuleSet) -> Sequence[Event]:
    """Who was heard before shields come down at once, where anybody was."""
    return _decided(record, command, rules, london_day(command.at)) if command.consulted else ()


def complete(record: ChildRecord, command: CompleteLift, rules: RuleSet) -> Sequence[Event]:
    """Lower what was decided upon, on its day or later, and nothing that was raised since."""
    decided = record.lift
    if decided is None or london_day(command.at) < decided.effective_on:
        return ()
    standing = tuple(one.shield for one in record.shields if one.shield in decided.shields)
    if not standing:
        return ()
    return (
        ShieldLifted(
            shields=standing,
            rule_set=rules.id,
            reason=decided.reason,
            proposed_by=decided.proposed_by,
            confirmed_by=decided.confirmed_by,
        ),
    )


def _decided(record: ChildRecord, command: LiftShield, rules: RuleSet, on: date) -> Sequence[Event]:
    shields = tuple(one.shield for one in record.shields)
    return [
        LiftDecided(
            shields=shields[start : start + _MOST_SHIELDS],
            effective_on=on,
            rule_set=rules.id,
            reason=command.reason,
            proposed_by=command.proposed_by,
            confirmed_by=command.confirmed_by,
            consulted=command.consulted,
        )
        for start in range(0, len(shields), _MOST_SHIELDS)
    ]


def _responsible(record: ChildRecord, body: str) -> bool:
    return record.authority is None or record.authority == body


def _known(consulted: Sequence[str], rules: RuleSet) -> None:
    if not set(consulted) <= set(rules.shield.consulted) or len(set(consulted)) != len(consulted):
        raise BadInput(
            f"Who was consulted is each of: {', '.join(rules.shield.consulted)}, once.",
            code="unknown-consulted",
            field="consulted",
        )


def _no_such_request() -> Refused:
    return Refused("No such request is on record.", code="no-such-request", field="request")
