"""`record`: contact that the local team brokers, and what that team is to do about sensitive services.

Whoever asked a service that is hidden learns that it accepted and what it discloses, or nothing: one that declined and
one that never answered look alike until the request is closed.
"""

from datetime import date
from typing import Annotated

import typer

from cli.app import App
from cli.output import Json
from cli.parsing import day_of, uuid_of
from cli.record import Child, InvolvementId, do, record
from cli.session import session
from domain.access.commands import ListContacts, ListSensitiveDue, ReadContact
from domain.access.local_team import list_contacts, list_sensitive_due, read_contact
from domain.child_record import commands

Request = Annotated[str, typer.Option("--request", help="The id that `ask-contact` printed.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to those of `record`."""
    del app
    record.command("ask-contact")(ask_contact)
    record.command("contact")(contact)
    record.command("contact-requests")(contact_requests)
    record.command("pass-on-contact")(pass_on_contact)
    record.command("answer-contact")(answer_contact)
    record.command("sensitive-due")(sensitive_due)


def ask_contact(
    context: typer.Context,
    child: Child,
    telephone: Annotated[
        str | None, typer.Option("--telephone", help="Where you are reached by telephone.")
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="Where you are reached by e-mail.")] = None,
) -> None:
    """Ask the local team to put you in touch with who is hidden: behind a shield, or a sensitive service."""
    run = session(context)
    with run.app() as app:
        actor, request = app.viewer(run.actor()), app.ids.new()
        command = commands.AskForContact.model_validate(
            {
                "at": app.now(),
                "request": request,
                "asked_by": actor.account,
                "contact": {"telephone": telephone, "email": email},
            }
        )
        receipt = app.record(app.child_or_nobody(child), command, actor)
        run.output.answer(
            {"receipt": receipt, "request": request},
            lambda a: f"Asked. `record contact` tells what came of request {a['request']}.",
        )


def contact(context: typer.Context, child: Child, request: Request) -> None:
    """Read what came of a request for contact that you made. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ReadContact(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            child_id=app.child_or_nobody(child),
            request=uuid_of(request, "request"),
        )
        shown = read_contact(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _told)


def contact_requests(context: typer.Context) -> None:
    """List the open requests for contact in the records of your authority. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ListContacts(at=app.now(), access_id=app.ids.new(), reason=app.reason(viewer))
        shown = list_contacts(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _requests)


def pass_on_contact(
    context: typer.Context,
    child: Child,
    request: Request,
    involvement: InvolvementId = None,
    service: Annotated[str | None, typer.Option("--service", help="Or the name of the service.")] = None,
) -> None:
    """Record that your team passed a request on to a service that is involved."""
    do(
        context,
        child,
        lambda app, body: commands.PassOnContact(
            at=app.now(),
            request=uuid_of(request, "request"),
            involvement=app.involvement(child, involvement, service),
            body=body,
        ),
    )


def answer_contact(
    context: typer.Context,
    child: Child,
    request: Request,
    accept: Annotated[
        bool, typer.Option("--accept/--decline", help="Whoever asked is never told that it was declined.")
    ],
    disclose: Annotated[
        list[str] | None,
        typer.Option(
            "--disclose",
            help="With --accept: what the service agrees to tell of itself: service, organisation, role or contact; "
            "repeat for more.",
        ),
    ] = None,
) -> None:
    """Record that the service accepts or declines: for the service by its own people, or by the team it told."""
    do(
        context,
        child,
        lambda app, body: commands.AnswerContact.model_validate(
            {
                "at": app.now(),
                "request": uuid_of(request, "request"),
                "accepted": accept,
                "disclosed": tuple(disclose or ()),
                "body": body,
            }
        ),
    )


def sensitive_due(
    context: typer.Context,
    on: Annotated[str | None, typer.Option("--on", help="By which day, YYYY-MM-DD. Default: today.")] = None,
) -> None:
    """List which children to ask afresh and which causes to review, for your authority. Reads every record.

    The look is recorded first. Of shielded children it tells nothing: open their records.
    """
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ListSensitiveDue(
            at=app.now(), access_id=app.ids.new(), reason=app.reason(viewer), on=_day(app, on)
        )
        shown = list_sensitive_due(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _due)


def _day(app: App, text: str | None) -> date:
    return day_of(text, "on") or app.today()


def _told(answer: Json) -> str:
    if answer["state"] != "accepted":
        return f"Asked on {answer['asked_on']}: {answer['state']}. It is closed on {answer['closes_on']}."
    told = [f"{name}: {value}" for name, value in answer["disclosed"].items()]
    return "\n".join(["Accepted.", *told] if told else ["Accepted: the service will get in touch with you."])


def _requests(answer: Json) -> str:
    lines = [
        f"{child['number']}  asked {one['asked_on']}, closed {one['closes_on']}  {one['answer'] or 'open'}  "
        f"{one['request']}"
        for child in answer["children"]
        for one in child["requests"]
    ]
    return "\n".join(lines) or "Nobody asks."


def _due(answer: Json) -> str:
    lines = [
        f"{child['number']}  {one['task']} by {one['on']}  {one['involvement']}"
        for child in answer["children"]
        for one in child["due"]
    ]
    return "\n".join(lines) or "Nothing is due."
