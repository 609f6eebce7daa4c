"""`record …`: which authority is responsible for a record. Offered by the one, accepted by the other, or allocated."""

from collections.abc import Callable
from typing import Annotated

import typer

from cli.output import Json
from cli.record import Child, do, record
from cli.session import session
from domain.access.commands import ReadTransfer
from domain.access.local_team import read_transfer
from domain.child_record import commands

To = Annotated[str, typer.Option("--to", help="Code of the local authority to which it is offered.")]
Authority = Annotated[str, typer.Option("--authority", help="The local authority's code.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of `record`."""
    del app
    verbs: dict[str, Callable[..., None]] = {
        "offer-transfer": offer_transfer,
        "withdraw-transfer": withdraw_transfer,
        "decline-transfer": decline_transfer,
        "accept-transfer": accept_transfer,
        "transfer": transfer,
        "allocate": allocate,
    }
    for name, verb in verbs.items():
        record.command(name)(verb)


def offer_transfer(context: typer.Context, child: Child, to: To) -> None:
    """Offer a record that your authority is responsible for to another. It stays yours until the other accepts."""
    do(
        context,
        child,
        lambda app, by: commands.OfferTransfer(at=app.now(), transfer=app.ids.new(), by=by, to=to),
    )


def withdraw_transfer(context: typer.Context, child: Child) -> None:
    """Take back the offer of a record to another authority."""
    do(context, child, lambda app, by: commands.WithdrawTransfer(at=app.now(), by=by))


def decline_transfer(context: typer.Context, child: Child) -> None:
    """Decline a record that is offered to your authority: the other stays responsible."""
    do(context, child, lambda app, by: commands.DeclineTransfer(at=app.now(), by=by))


def accept_transfer(context: typer.Context, child: Child) -> None:
    """Accept a record that is offered to your authority. From then on yours alone is responsible."""
    do(context, child, lambda app, by: commands.AcceptTransfer(at=app.now(), by=by))


def transfer(context: typer.Context, child: Child) -> None:
    """Show the offer of a record that is open, to either authority. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ReadTransfer(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            child_id=app.child_or_nobody(child),
        )
        shown = read_transfer(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, "transfer": shown.display}, _offered)


def allocate(context: typer.Context, child: Child, authority: Authority) -> None:
    """Allocate a record to an authority on behalf of the Secretary of State, where two do not agree."""
    do(context, child, lambda app, _: commands.AllocateAuthority(at=app.now(), authority=authority))


def _offered(answer: Json) -> str:
    offer = answer["transfer"]
    return f"{offer['from']} offers it to {offer['to']} since {offer['offered_at']}."
