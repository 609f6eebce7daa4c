"""`hand-over`: facts of a record for somebody who has no account, such as a court; decided by name, on record first."""

from typing import Annotated

import typer

from cli.proposals import Propose, words_of_handed_over, words_of_proposal
from cli.session import session
from cli.two_people import TwoPeople, Wanted
from domain.access.commands import HandOver
from domain.access.handlers import hand_over as hand_facts_over


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("hand-over")(hand_over)


def hand_over(
    context: typer.Context,
    child: Annotated[str, typer.Argument(help="The child's id or index number.")],
    ground: Annotated[
        str, typer.Option("--ground", help="required-by-law, crime, prosecution, section-47 or case-review.")
    ],
    to: Annotated[str, typer.Option("--to", help="Who asked: a court, a police force.")],
    field: Annotated[
        list[str],
        typer.Option(
            "--field", help="A fact to hand over, for example address; repeat for more, and no more."
        ),
    ],
    reference: Annotated[str | None, typer.Option("--reference", help="Their number for it.")] = None,
    propose: Propose = False,
) -> None:
    """Hand facts over on a ground of reg 12, as the responsible authority decides. Of a shielded record two decide."""
    run = session(context)
    with run.app() as app:
        decider = app.permitted(run.actor(), "hand-over")
        found = app.child_or_nobody(child)
        two = TwoPeople(app)
        second = None if propose else app.second(decider, run.second, "hand-over", found)
        command = HandOver.model_validate(
            {
                "at": app.now(),
                "access_id": app.ids.new(),
                "reason": app.reason(decider),
                "confirmed_by": second.account if second else None,
                "child_id": found,
                "ground": ground,
                "recipient": to,
                "reference": reference,
                "fields": field,
            }
        )
        if propose:
            run.output.answer(two.propose_hand_over(command, decider), words_of_proposal)
            return
        wanted = Wanted("hand-over", found, code=ground, fields=command.fields)
        shown = hand_facts_over(command, two.looking(decider, second, wanted, command.access_id))
        run.output.answer({"access_id": shown.access_id, "handed_over": shown.display}, words_of_handed_over)
