"""Who is let in: every condition of access, decided in one place; a refusal is on record before it is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.access.commands import Look
from domain.access.conduct import TOO_MANY, pattern
from domain.access.events import AccessRefused, ActDecided, Action, Looked, SessionAct, SignInRefused
from domain.access.model import Access, AccessGrant, Actor, NotSignedIn
from domain.access.ports import Looking, SignInLog
from domain.disclosure import RENDERER
from domain.errors import AccessDenied, NoReceipt, Refused
from domain.kernel import Log, Metadata
from domain.policy.access import Permission, admitted, may, refusals
from domain.policy.rule_book import refuse_unless_in_force
from domain.policy.sessions import step_up_period, stepped_up_within
from domain.rule_set.model import Right, RuleSet

SAME_PERSON = "same-person"
"""The code of a refusal because two accounts are not two people."""

MANAGED = "manages-the-other"
"""The code of a refusal because one of two people answers to the other at work."""

STEP_UP: Final = "step-up-required"
"""The code of a refusal because a second factor was not given lately."""

_MEDIATED: Final[frozenset[Action]] = frozenset({"search", "show"})
"""What may be asked for on somebody's behalf. Whoever looks behind a shield answers for it and does it themselves."""


def record_refusal(
    command: Look, action: Action, looking: Looking, rule: str, subject: UUID | None = None
) -> None:
    """Put on record that a command was refused, before it is told. rule: the code of the refusal.

    Raises AuditUnavailable.
    """
    grant = AccessGrant(
        command.access_id, looking.viewer, command.at, command.reason, confirmed_by=command.confirmed_by
    )
    append_access(
        grant, command, looking, action, AccessRefused, {"subject": subject}, rule, outcome="refused"
    )


def decide_act(command: Look, right: Right, looking: Looking, subject: UUID) -> str:
    """Put on record that an act was decided on by whoever was let in to it, and give the receipt of that.

    Only then may the act take effect: what was never sealed could be taken out of the log again. Raises
    AuditUnavailable, NoReceipt; in either case nothing has come about.
    """
    grant = AccessGrant(
        command.access_id, looking.viewer, command.at, command.reason, confirmed_by=command.confirmed_by
    )
    append_access(grant, command, looking, right, ActDecided, {"subject": subject}, f"{right}-permitted")
    try:
        return looking.receipts.awaited(Log.ACCESS, [(command.access_id, 1)])[0]
    except NoReceipt as missing:
        raise missing.after(
            f"That this was decided is on record as {command.access_id}, and nothing has changed."
        ) from None


def let_in_at_all(command: Look, act: SessionAct, looking: Looking) -> None:
    """Go on where every condition of access holds of whoever acts, whatever they may then do.

    Else the refusal is on record before it is told. Raises AccessDenied, AuditUnavailable.
    """
    for refusal in refusals(looking.viewer.standing, command.at, looking.rules):
        record_refusal(command, act, looking, refusal.rule)
        raise AccessDenied(refusal.message, code=refusal.rule)


def record_session(
    command: Look, act: SessionAct, looking: Looking, event_class: type[Looked], rule: str, **said: Any
) -> None:
    """Put on record what became of a session of whoever acts, before it is told. Raises AuditUnavailable."""
    grant = AccessGrant(command.access_id, looking.viewer, command.at, command.reason)
    append_access(grant, command, looking, act, event_class, {}, rule, **said)


def record_unsigned(access_id: UUID, event: SignInRefused, nobody: UUID, log: SignInLog) -> None:
    """Put on record that somebody was not signed in, before they are told. nobody: who acts where no account does.

    Raises AuditUnavailable.
    """
    log.append(NotSignedIn(access_id, event, Metadata(actor=event.account or nobody, correlation=access_id)))


def let_in(
    command: Look,
    right: Right,
    looking: Looking,
    *,
    second: Actor | None = None,
    subject: UUID | None = None,
) -> None:
    """Let whoever acts, and whoever confirms, do what is no look: change a record, run the index.

    Every condition of access of both holds at the instant of the command and both hold the right, and they are two
    people of whom neither manages the other; else the refusal is on record with both before it is told. What does not
    hold of the second is told to nobody but themselves. Raises AccessDenied, Refused, AuditUnavailable.
    """
    permission = admitted(looking.viewer.standing, right, command.at, looking.rules)
    if not permission.allowed:
        record_refusal(command, right, looking, permission.rule, subject)
        raise AccessDenied(permission.message, code=permission.rule, field=permission.field)
    if second is None:
        return
    theirs = admitted(second.standing, right, command.at, looking.rules)
    if not theirs.allowed:
        record_refusal(command, right, looking, f"second-{theirs.rule}", subject)
        raise _second_refused(theirs)
    if second.account != looking.viewer.account and second.is_person(looking.viewer):
        record_refusal(command, right, looking, SAME_PERSON, subject)
        raise Refused("The second person must be another.", code=SAME_PERSON)
    if second.manages(looking.viewer) or looking.viewer.manages(second):
        record_refusal(command, right, looking, MANAGED, subject)
        raise Refused(
            "The second person must be somebody who neither manages the first at work nor is managed by them.",
            code=MANAGED,
        )


def _second_refused(theirs: Permission) -> AccessDenied:
    if theirs.rule == "right-not-held":
        return AccessDenied("The second person's role does not allow this.", code="right-not-held")
    return AccessDenied(
        "A condition of access does not hold of the second person; what they try themselves tells them which.",
        code="second-not-admitted",
    )


def refuse_beyond_measure(
    command: Look, action: Action, looking: Looking, grant: AccessGrant, asked: dict[str, Any]
) -> None:
    """Refuse more looks than the role's work asks for, or in a pattern unlike it, and have them looked into (T44).

    For as long as they stand in the window. Of an invented person's ready-made account nothing is counted.
    """
    rules, viewer = looking.rules, looking.mediator or looking.viewer
    if viewer.made_up:
        return
    since = grant.instant - timedelta(minutes=rules.conduct.window)
    count = looking.oversight.looks(grant, viewer.account, since)
    cause: str | None = None
    if count >= rules.conduct.most(viewer.role):
        cause = TOO_MANY
    elif count >= rules.conduct.pattern_after:
        recent = looking.oversight.recent(grant, viewer.account, since, rules.conduct.pattern_after)
        cause = pattern(recent, viewer.role, rules, searching=action == "search")
    if cause is None:
        return
    append_access(grant, command, looking, action, AccessRefused, asked, cause, outcome="refused")
    looking.oversight.investigate(viewer.account, cause, grant.access_id, grant.instant)
    raise AccessDenied(
        "These looks are more than your role's work asks for, or in a pattern unlike it. They are being looked into; "
        "wait, or ask your account manager.",
        code=cause,
    )


def grant_for(command: Look, action: Right, looking: Looking, asked: dict[str, Any]) -> AccessGrant:
    """Permission for this access; a refusal is recorded before it is told."""
    grant = AccessGrant(
        command.access_id,
        looking.viewer,
        command.at,
        command.reason,
        override=action == "override",
        confirmed_by=command.confirmed_by,
    )
    mediation = _mediation(command, action, looking)
    if mediation is not None and not mediation.allowed:
        append_access(
            grant, command, looking, action, AccessRefused, asked, mediation.rule, outcome="refused"
        )
        raise AccessDenied(mediation.message, code=mediation.rule.removeprefix("mediator-"))
    permission = may(looking.viewer.standing, action, command.reason, command.at, looking.rules)
    if not permission.allowed:
        append_access(
            grant, command, looking, action, AccessRefused, asked, permission.rule, outcome="refused"
        )
        told = permission if looking.mediator is None else _told_to_mediator(permission)
        raise AccessDenied(told.message, code=told.rule, field=told.field)
    if action == "override" and not proved_lately(looking.viewer, command.at, looking.rules):
        append_access(grant, command, looking, action, AccessRefused, asked, STEP_UP, outcome="refused")
        raise step_up_asked_for()
    return grant


def proved_lately(viewer: Actor, at: datetime, rules: RuleSet) -> bool:
    """Whether a second factor was given lately. In a training home, where nobody is behind a shield, none is asked."""
    return viewer.standing.training or stepped_up_within(viewer.session, step_up_period(rules), at)


def step_up_asked_for() -> AccessDenied:
    """The refusal of what needs a second factor given lately; it is on record by then."""
    return AccessDenied("Give a code again first: `contactpoint session step-up`.", code=STEP_UP)


def _mediation(command: Look, action: Action, looking: Looking) -> Permission | None:
    """Whether somebody may ask on the viewer's behalf; None where nobody does.

    Both are accounts with an authenticator of their own, and two people (Hansard, 24 July 2007).
    """
    mediator = looking.mediator
    if mediator is None:
        return None
    theirs = admitted(mediator.standing, "mediate", command.at, looking.rules)
    if not theirs.allowed:
        return replace(theirs, rule=f"mediator-{theirs.rule}")
    if mediator.is_person(looking.viewer):
        return Permission(allowed=False, rule=SAME_PERSON, message="The caller must be somebody else.")
    if action not in _MEDIATED:
        return Permission(
            allowed=False,
            rule="not-mediated",
            message="This is not asked for on somebody's behalf: they do it themselves.",
        )
    return theirs


def _told_to_mediator(permission: Permission) -> Permission:
    """What does not hold of a caller is told to nobody but themselves; what they may not ask for at all is."""
    if permission.rule in ("right-not-held", "reason-unknown", "reason-not-yours"):
        return replace(permission, message=f"The caller may not: {permission.message}")
    return Permission(
        allowed=False,
        rule="caller-not-admitted",
        message="A condition of access does not hold of the caller; what they try themselves tells them which.",
    )


def append_access(
    grant: AccessGrant,
    command: Look,
    looking: Looking,
    action: Action,
    event_class: type[Looked],
    asked: dict[str, Any],
    rule: str,
    **rest: Any,
) -> None:
    """Put an access on record: who asked, in which session and under which rules. rest: further fields of the event.

    Raises AuditUnavailable.
    """
    viewer = grant.viewer
    refuse_unless_in_force(looking.rules, grant.instant)
    event = event_class.model_validate(
        {
            **asked,
            "role": viewer.role,
            "organisation": viewer.organisation,
            "body": viewer.body,
            "area": viewer.area,
            "purposes": viewer.purposes,
            "session": _session_of(looking),
            "action": action,
            "outcome": "granted",
            "rule": rule,
            "instant": grant.instant,
            "rule_set": looking.rules.id,
            "renderer": RENDERER,
            **rest,
            "used": (*_read_from(looking), *rest.get("used", ())),
        }
    )
    metadata = Metadata(
        actor=viewer.account if looking.mediator is None else looking.mediator.account,
        on_behalf_of=None if looking.mediator is None else viewer.account,
        confirmed_by=command.confirmed_by,
        purpose=command.reason,
        correlation=grant.access_id,
        causation=looking.let_by,
    )
    looking.log.append(Access(grant.access_id, event, metadata))


def _session_of(looking: Looking) -> UUID | None:
    """The session of whoever sits before the screen."""
    session = (looking.mediator or looking.viewer).session
    return None if session is None else session.session_id


def _read_from(looking: Looking) -> tuple[tuple[UUID, int], ...]:
    """The stream versions from which it was decided who is let in."""
    mediator = looking.mediator.read_from if looking.mediator else ()
    return (*looking.viewer.read_from, *mediator)
