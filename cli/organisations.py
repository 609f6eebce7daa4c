"""`organisation`: whose people may look. Registered and accredited by the central office's account managers."""

from collections.abc import Callable
from typing import Annotated

import typer

from cli.accounts import (
    After,
    Because,
    Ends,
    Limit,
    MetOn,
    Reference,
    granting,
    recorded,
    words_of_condition,
    words_of_entry,
)
from cli.granting import Granting
from cli.output import Json
from cli.parsing import body_code
from cli.session import session
from domain.errors import BadInput
from domain.kernel import Command
from domain.organisation import commands

organisation = typer.Typer(no_args_is_help=True, help="Organisations: whose people may look, and on what.")

Body = Annotated[str, typer.Argument(help="The organisation's body code.")]
Condition = Annotated[str, typer.Argument(help="accreditation or security-attestation.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(organisation, name="organisation")


@organisation.command()
def register(
    context: typer.Context,
    body: Body,
    name: Annotated[str, typer.Option("--name", help="Its name.")],
    kind: Annotated[
        str, typer.Option("--kind", help="local-authority, national-partner, health, school and others.")
    ],
) -> None:
    """Register an organisation. Nobody of it is let in before it is accredited."""
    run = session(context)
    with granting(run, "organisation") as work:
        command = commands.RegisterOrganisation(at=work.app.now(), name=name, body=body, kind=kind)
        run.output.answer(work.shown_organisation(work.register(command)), _organisation)


@organisation.command("show")
def show_organisation(context: typer.Context, body: Body) -> None:
    """Show one organisation: its conditions, and who decided what."""
    run = session(context)
    with granting(run, "organisation") as work:
        found = work.organisation(body).organisation_id
        run.output.answer(work.shown_organisation(found, history=True), _organisation)


@organisation.command("list")
def list_organisations(context: typer.Context, limit: Limit = 50, after: After = None) -> None:
    """List the organisations, by body code, and whether the people of each are let in now."""
    run = session(context)
    with granting(run, "organisation") as work:
        answer = work.organisations(body_code(after, "after") if after else "", limit)
        run.output.answer(answer, lambda a: "\n".join(map(_organisation, a["organisations"])))


@organisation.command()
def suspend(context: typer.Context, body: Body, reason: Because) -> None:
    """Let nobody of an organisation in, from this instant."""
    _change(context, body, lambda work: commands.SuspendOrganisation(at=work.app.now(), reason=reason))


@organisation.command()
def reinstate(context: typer.Context, body: Body, reason: Because) -> None:
    """Let its people in again, if every condition holds."""
    _change(context, body, lambda work: commands.ReinstateOrganisation(at=work.app.now(), reason=reason))


@organisation.command()
def end(context: typer.Context, body: Body, reason: Because) -> None:
    """End an organisation's part for good: nobody of it is let in any more."""
    _change(context, body, lambda work: commands.EndOrganisation(at=work.app.now(), reason=reason))


@organisation.command()
def alter(
    context: typer.Context,
    body: Body,
    what: Annotated[str, typer.Option("--what", help="What is another: name, ownership or purpose.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The new name, where that is what changed.")
    ] = None,
) -> None:
    """Record that its name, its owner or its purpose is another. Accreditation is void until given anew."""
    if what not in ("name", "ownership", "purpose"):
        raise BadInput("--what is one of name, ownership, purpose.", code="bad-input", field="what")
    _change(
        context,
        body,
        lambda work: commands.AlterOrganisation.model_validate(
            {"at": work.app.now(), "what": what, "name": name}
        ),
    )


@organisation.command()
def condition(
    context: typer.Context,
    body: Body,
    condition: Condition,
    on: MetOn = None,
    ends: Ends = None,
    reference: Reference = None,
) -> None:
    """Record that a condition of access was met: accreditation, an attestation of security."""

    make = recorded(commands.RecordOrganisationCondition, condition, on, ends, reference)
    _change(context, body, make)


@organisation.command("withdraw-condition")
def withdraw_condition(context: typer.Context, body: Body, condition: Condition, reason: Because) -> None:
    """Take a condition back, for example accreditation: nobody of it is let in until it is met anew."""
    _change(
        context,
        body,
        lambda work: commands.WithdrawOrganisationCondition(
            at=work.app.now(), condition=condition, reason=reason
        ),
    )


def _change(context: typer.Context, body: str, make: Callable[[Granting], Command]) -> None:
    run = session(context)
    with granting(run, "organisation") as work:
        run.output.answer(work.change_organisation(body, make(work)), _organisation)


def _organisation(answer: Json) -> str:
    how = "its people are let in" if answer["let_in"] else "nobody of it is let in"
    lines = [
        f"{answer['body']}: {answer['name']}, {answer['kind']}, {answer['state']}; {how}",
        *map(words_of_condition, answer["conditions"]),
    ]
    lines += [words_of_entry(entry) for entry in answer.get("history", ())]
    return "\n".join(lines)
