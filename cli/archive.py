"""`open-archive`: an archived record for the system supplier, two people together, for a case and for nothing else."""

from typing import Annotated

import typer

from cli.looking import words_of_record
from cli.proposals import Propose, words_of_proposal
from cli.session import session
from cli.two_people import TwoPeople, Wanted
from domain.access.commands import OpenArchive
from domain.access.handlers import open_archive as take_out


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("open-archive")(open_archive)


def open_archive(
    context: typer.Context,
    child: Annotated[str, typer.Argument(help="The child's id or index number.")],
    reason: Annotated[
        str, typer.Option("--reason", help="The kind of case: section-47, case-review or child-death.")
    ],
    reference: Annotated[str, typer.Option("--reference", help="The number of the case.")],
    propose: Propose = False,
) -> None:
    """Open an archived record for a case, once its authority's managers no longer may. Needs two of the supplier."""
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor(), "open-archive")
        found = app.child_or_nobody(child)
        two = TwoPeople(app)
        second = None if propose else app.second(viewer, run.second, "open-archive", found)
        command = OpenArchive.model_validate(
            {
                "at": app.now(),
                "access_id": app.ids.new(),
                "reason": reason,
                "confirmed_by": second.account if second else None,
                "child_id": found,
                "reference": reference,
            }
        )
        if propose:
            run.output.answer(two.propose_opening(command, viewer), words_of_proposal)
            return
        wanted = Wanted("open-archive", found)
        shown = take_out(command, two.looking(viewer, second, wanted, command.access_id))
        answer = {"access_id": shown.access_id, "record": shown.display}
        run.output.answer(answer, lambda a: words_of_record(a["record"]))
