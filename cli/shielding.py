"""Shielding as a process, among the verbs of `record`: a request, the authority's decision, reviews, what is due.

Whoever asks is answered in the same words whether or not anything is held or shielded.
"""

from typing import Annotated

import typer

from cli.looking import words_of_name
from cli.output import Json
from cli.parsing import day_of, uuid_of
from cli.record import Child, do, record
from cli.session import session
from domain.access.commands import ReadOverrides, ReadReviews, ReadShieldRequests, ReadSiblings
from domain.access.local_team import list_overrides, read_reviews, read_shield_requests, read_siblings
from domain.child_record import commands
from domain.child_record.events import Source
from domain.errors import BadInput

Consulted = Annotated[
    list[str] | None,
    typer.Option("--consulted", help="Who was heard, by code: child, parent, police, ...; repeat for more."),
]
Request = Annotated[str, typer.Option("--request", help="The id that `record request-shield` printed.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `record`, which is on the command line already."""
    del app
    for verb in (
        request_shield,
        verify_requester,
        decide_shield,
        review_shield,
        shield_requests,
        reviews_due,
        overrides,
        siblings,
    ):
        record.command(verb.__name__.replace("_", "-"))(verb)


def request_shield(
    context: typer.Context,
    child: Child,
    ground: Annotated[
        str, typer.Option("--ground", help="child-at-risk, placement-at-risk, adult-at-risk or crime.")
    ],
    requester: Annotated[str, typer.Option("--for", help="Who asks, by code: child, parent, police, ...")],
    verified: Annotated[bool, typer.Option("--verified", help="It is proved who they are.")] = False,
    received: Annotated[
        str | None, typer.Option("--received", help="On which day it came in, YYYY-MM-DD. Default: today.")
    ] = None,
) -> None:
    """Record that somebody asks for a shield. An interim one stands at once, whoever they are.

    `reply` is all that is said to them: the same words, whatever is held.
    """
    run = session(context)
    with run.app() as app:
        actor, asked = app.viewer(run.actor()), app.ids.new()
        command = commands.RequestShield.model_validate(
            {
                "at": app.now(),
                "request": asked,
                "shield": app.ids.new(),
                "requester": requester,
                "ground": ground,
                "verified": verified,
                "received_on": day_of(received, "received") or app.today(),
                "source": Source(body=actor.body),
            }
        )
        receipt = app.record(app.child_or_nobody(child), command, actor)
        answer = {"receipt": receipt, "request": asked, "reply": app.rules.shield.reply}
        run.output.answer(answer, lambda a: f"Request {a['request']}. Say to whoever asks: {a['reply']}")


def verify_requester(context: typer.Context, child: Child, request: Request) -> None:
    """Record that it is proved who asked for a shield."""
    do(
        context,
        child,
        lambda app, _: commands.VerifyShieldRequester(at=app.now(), request=uuid_of(request, "request")),
    )


def decide_shield(
    context: typer.Context,
    child: Child,
    request: Request,
    reason: Annotated[str, typer.Option("--reason", help="Why, by code.")],
    decision: Annotated[
        str,
        typer.Option(
            "--decision", help="grant: the shield stands; refuse: two people lower it with lift-shield."
        ),
    ],
    consulted: Consulted = None,
) -> None:
    """Grant or refuse a request for a shield, for the authority that is responsible for the record."""
    if decision not in ("grant", "refuse"):
        raise BadInput("--decision is grant or refuse.", field="decision")
    do(
        context,
        child,
        lambda app, body: commands.DecideShield(
            at=app.now(),
            request=uuid_of(request, "request"),
            granted=decision == "grant",
            reason=reason,
            consulted=tuple(consulted or ()),
            body=body,
        ),
    )


def review_shield(context: typer.Context, child: Child, consulted: Consulted = None) -> None:
    """Record that the authority looked at the shields of a record again, whom it heard, and that they go on."""
    do(
        context,
        child,
        lambda app, body: commands.ReviewShield(at=app.now(), consulted=tuple(consulted or ()), body=body),
    )


def shield_requests(context: typer.Context, child: Child) -> None:
    """List who asked for a shield on a record, and what was decided. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ReadShieldRequests(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            child_id=app.child_or_nobody(child),
        )
        shown = read_shield_requests(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _requests)


def siblings(context: typer.Context, child: Child) -> None:
    """List who may be a brother or sister of a shielded child, to consider shielding them too. Itself a look on record.

    Where they live may be where the child is. Whoever lives elsewhere and has the same carers is not found.
    """
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ReadSiblings(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            child_id=app.child_or_nobody(child),
        )
        app.catch_up()
        shown = read_siblings(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _siblings)


def _siblings(answer: Json) -> str:
    lines = [
        f"{one['number']}  {words_of_name(one.get('name'))}   born {one.get('date_of_birth')}   same "
        + " and ".join(one["shared"])
        for one in answer["siblings"]
    ]
    return "\n".join(lines) or "Nobody who is not shielded was found at an address of this child."


def reviews_due(
    context: typer.Context,
    on: Annotated[str | None, typer.Option("--on", help="As of this day. Default: today.")] = None,
) -> None:
    """List whose shields are to be looked at again: of your authority's records, or overdue ones for the audit team."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        app.catch_up()
        command = ReadReviews(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            on=day_of(on, "on") or app.today(),
        )
        shown = read_reviews(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _reviews)


def overrides(
    context: typer.Context,
    since: Annotated[str | None, typer.Option("--since", help="From this day on, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="To the end of this day.")] = None,
) -> None:
    """List who looked behind the shields of your authority's records, the newest first. The look is recorded first.

    Each of these looks is being looked into: `investigation` says how far that is.
    """
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        app.catch_up()
        command = ReadOverrides(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            since=day_of(since, "since"),
            until=day_of(until, "until"),
        )
        shown = list_overrides(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _overrides)


def _overrides(answer: Json) -> str:
    lines = [
        f"{child['number']}  {one['at']}  {one['account']} ({one['role']}, {one['organisation']})  {one['reason']}  "
        f"investigation {one['investigation'] or 'not open yet'}  {one['access']}"
        for child in answer["children"]
        for one in child["overrides"]
    ]
    lines += ["There are earlier ones: --until DAY."] if answer["more"] else []
    return "\n".join(lines) or "Nobody looked behind a shield of your authority's records."


def _requests(answer: Json) -> str:
    lines = [
        f"{one['received_on']}  {one['requester']}{'' if one['verified'] else ' (not proved)'}  {one['ground']}  "
        f"{one['state']}  {one['request']}"
        for one in answer["requests"]
    ]
    lines += [f"The shield comes down on {answer['lift_on']}."] if answer["lift_on"] else []
    return "\n".join(lines) or "Nobody asked."


def _reviews(answer: Json) -> str:
    lines = [
        f"{one['review_on']}  {one['child_id']}"
        + (f"  {one['overdue_days']} days overdue" if one["overdue_days"] else "")
        for one in answer["reviews"]
    ]
    return "\n".join(lines) or "No review is due."
