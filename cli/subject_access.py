"""`subject-access`: who looked at my record, for the child, an advocate or a parent; and where an adult is named.

Other rights, to have a record deleted or to object to it, are claimed and decided by the same clock (Arts 17, 21).

For the management team of the responsible authority, who answer within the month (UK GDPR Art 12(3), Art 15). Each
reply is a look on record; what is withheld is a decision with its exemption, in the child's record.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

import typer

from cli.app import App
from cli.kept_session import SessionToken
from cli.looking import words_of_name
from cli.output import Json, words_of_receipt
from cli.parsing import day_of, uuid_of
from cli.proposals import Propose, words_of_proposal
from cli.reply_words import words_of_replied
from cli.session import session
from cli.two_people import TwoPeople, Wanted
from domain.access.commands import ReadSubjectRequests, ReplyToAdult, ReplyToSubject
from domain.access.events import AdultSought
from domain.access.replying import read_subject_requests, reply_to_adult
from domain.child_record import commands
from domain.errors import BadInput
from domain.kernel import Command
from domain.policy.subject_access import ACCESS, decision_on

subject_access = typer.Typer(
    no_args_is_help=True,
    help="Who looked at a child's record, for whoever may ask; where an adult is named; claims to other rights.",
)

Child = Annotated[str, typer.Argument(help="The child's id or index number.")]
Request = Annotated[str, typer.Option("--request", help="The id that `receive` printed.")]
On = Annotated[str | None, typer.Option("--on", help="On which day, YYYY-MM-DD. Default: today.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(subject_access, name="subject-access")


@subject_access.command()
def receive(
    context: typer.Context,
    child: Child,
    requester: Annotated[str, typer.Option("--for", help="Who asks: child, advocate or parent.")],
    basis: Annotated[
        str,
        typer.Option(
            "--basis",
            help="On what they may ask: competent; child-authorises; child-not-competent; best-interests.",
        ),
    ],
    right: Annotated[
        str, typer.Option("--right", help="What they ask for: access (who looked), erasure or objection.")
    ] = ACCESS,
    received: Annotated[
        str | None, typer.Option("--received", help="On which day it came in, YYYY-MM-DD. Default: today.")
    ] = None,
) -> None:
    """Record that somebody asked who looked, or claimed another right. The time begins with the day it came in."""
    run = session(context)
    with run.app() as app:
        request = app.ids.new()
        said = {
            "at": app.now(),
            "request": request,
            "requester": requester,
            "basis": basis,
            "received_on": _day(app, received, "received"),
        }
        command: Command = (
            commands.RequestSubjectAccess.model_validate(said)
            if right == ACCESS
            else commands.ClaimRight.model_validate({**said, "right": right})
        )
        receipt = _record(app, run.actor(), child, command)
        run.output.answer({"receipt": receipt, "request": request}, lambda a: f"Request {a['request']}")


@subject_access.command()
def pause(
    context: typer.Context,
    child: Child,
    request: Request,
    why: Annotated[
        str, typer.Option("--for", help="identity or clarification; nothing else stops the clock.")
    ],
    on: On = None,
) -> None:
    """Stop the clock: until it is proved who asks, or clear what is wanted."""
    run = session(context)
    with run.app() as app:
        command = commands.PauseSubjectAccess.model_validate(
            {
                "at": app.now(),
                "request": uuid_of(request, "request"),
                "why": why,
                "since": _day(app, on, "on"),
            }
        )
        run.output.answer({"receipt": _record(app, run.actor(), child, command)}, words_of_receipt)


@subject_access.command()
def resume(context: typer.Context, child: Child, request: Request, on: On = None) -> None:
    """Let the clock go on."""
    run = session(context)
    with run.app() as app:
        command = commands.ResumeSubjectAccess(
            at=app.now(), request=uuid_of(request, "request"), until=_day(app, on, "on")
        )
        run.output.answer({"receipt": _record(app, run.actor(), child, command)}, words_of_receipt)


@subject_access.command("list")
def list_(context: typer.Context, child: Child) -> None:
    """List the requests about a child, and by when each is to be answered. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ReadSubjectRequests(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            child_id=app.child_or_nobody(child),
        )
        shown = read_subject_requests(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _listed)


@subject_access.command()
def reply(
    context: typer.Context,
    child: Child,
    request: Request,
    withhold: Annotated[
        list[str] | None,
        typer.Option(
            "--withhold", help="An exemption decided upon, for example child-abuse-data; repeat for more."
        ),
    ] = None,
    withhold_nothing: Annotated[
        bool, typer.Option("--withhold-nothing", help="It was decided that nothing is withheld.")
    ] = False,
    propose: Propose = False,
) -> None:
    """Make the reply to a request, on record first. `reply` is for whoever asked; `account` is for the authority alone.

    To a parent with exemptions decided upon. Of a child with a shield or a new identity two decide, whoever asks.
    """
    if withhold and withhold_nothing:
        raise BadInput("Something is withheld, or nothing.", code="usage", field="withhold")
    run = session(context)
    with run.app() as app:
        officer, two = app.permitted(run.actor(), "subject-access"), TwoPeople(app)
        found = app.child_or_nobody(child)
        second = None if propose else app.second(officer, run.second, "subject-access", found)
        app.catch_up()
        command = ReplyToSubject.model_validate(
            {
                "at": app.now(),
                "access_id": app.ids.new(),
                "reason": app.reason(officer),
                "confirmed_by": second.account if second else None,
                "child_id": found,
                "request": uuid_of(request, "request"),
                "withheld": tuple(withhold) if withhold else () if withhold_nothing else None,
            }
        )
        if propose:
            run.output.answer(two.propose_reply(command, officer), words_of_proposal)
            return
        wanted = Wanted("reply-to-subject", found)
        looking = two.looking(officer, second, wanted, command.access_id)
        run.output.answer(two.reply(command, looking), words_of_replied)


@subject_access.command()
def decide(
    context: typer.Context,
    child: Child,
    request: Request,
    reason: Annotated[
        list[str], typer.Option("--reason", help="Why, for example kept-by-law; repeat for more.")
    ],
) -> None:
    """Decide on a claim to erasure or an objection, and make the reply. Nothing else is changed by it.

    Nobody opts out of the index. What is granted is done by its own command: a consent withdrawn, a fact corrected, a
    record destroyed by two people.
    """
    run = session(context)
    with run.app() as app:
        command = commands.DecideRight.model_validate(
            {"at": app.now(), "request": uuid_of(request, "request"), "reasons": tuple(reason)}
        )
        receipt = _record(app, run.actor(), child, command)
        reply = decision_on(command.reasons, app.today(), app.rules)
        run.output.answer({"receipt": receipt, "reply": reply}, _words_of_decision)


@subject_access.command()
def adult(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", help="The adult's name, family name last.")],
    postcode: Annotated[str | None, typer.Option(help="A postcode they live or lived at.")] = None,
    telephone: Annotated[str | None, typer.Option(help="A telephone number of theirs.")] = None,
    email: Annotated[str | None, typer.Option(help="An e-mail address of theirs.")] = None,
    number: Annotated[str | None, typer.Option(help="The index number of a child they name.")] = None,
    received: Annotated[
        str | None, typer.Option("--received", help="On which day they asked, YYYY-MM-DD. Default: today.")
    ] = None,
) -> None:
    """Find where an adult, whose identity is proved, is named: their own entries, and nothing of anybody else.

    Reads every record, because nothing is kept by whom it names. The look is recorded first.
    """
    run = session(context)
    with run.app() as app:
        officer = app.permitted(run.actor(), "subject-access")
        command = ReplyToAdult(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(officer),
            adult=AdultSought.model_validate(
                {"name": name, "postcode": postcode, "telephone": telephone, "email": email, "number": number}
            ),
            received_on=_day(app, received, "received"),
        )
        shown = reply_to_adult(command, app.looking(officer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _named)


def _record(app: App, acting: str | SessionToken, child: str, command: Command) -> UUID:
    return app.record(app.child_or_nobody(child), command, app.viewer(acting))


def _day(app: App, text: str | None, field: str) -> date:
    return day_of(text, field) or app.today()


def _words_of_decision(answer: Json) -> str:
    reply = answer["reply"]
    return "\n".join(
        [f"On {reply['decided_on']} what you asked for was {reply['outcome'].replace('-', ' ')}, because:"]
        + [f"  {reason}" for reason in reply["reasons"]]
        + [reply["shield"], reply["statement"]]
    )


def _listed(answer: Json) -> str:
    lines = [
        f"{one['request']}  {one['right']}  {one['for']}  received {one['received_on']}  {one['state']}"
        + (f", answer by {one['answer_by']}" if one["answer_by"] else f" for {one['paused_for']}")
        for one in answer["requests"]
    ]
    return "\n".join(lines) or "Nobody has asked."


def _named(answer: Json) -> str:
    lines = [f"You asked on {answer['received_on']} in which records you are named."]
    lines += [
        f"A record names you as {words_of_name(entry['name'])}, {entry['standing'].replace('-', ' ')}"
        + (f"; {entry['from']} said so on {entry['since']}." if entry["since"] else ".")
        for entry in answer["entries"]
    ] or ["We found none."]
    return "\n".join([*lines, answer["statement"]])
