"""`record …`: two records found to be of one child, and one found to be of two."""

from typing import Annotated

import typer

from cli.output import words_of_receipt
from cli.proposals import Propose, words_of_proposal, words_of_split
from cli.record import Child, record
from cli.session import session
from cli.two_people import TwoPeople

Reason = Annotated[
    str, typer.Option("--reason", help="What it rests on: a short code, for example documents-seen.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of `record`."""
    del app
    record.command("merge")(merge)
    record.command("split")(split)


def merge(
    context: typer.Context,
    child: Child,
    other: Annotated[
        str, typer.Argument(help="The id or index number of the other record, which will be closed.")
    ],
    reason: Reason,
    propose: Propose = False,
) -> None:
    """Make one record of two of the same child. The other's number leads to CHILD from then on.

    Where either is shielded the one is, from the first instant, and two people decide: --as one, --with another, or
    --propose it to another.
    """
    run = session(context)
    with run.app() as app:
        first = app.permitted(run.actor(), "merge-records")
        kept, closed = app.child_or_nobody(child), app.child_or_nobody(other)
        if propose:
            run.output.answer(TwoPeople(app).propose_merge(kept, closed, reason, first), words_of_proposal)
            return
        second = app.second(first, run.second, "merge-records", kept)
        run.output.answer({"receipt": app.merge(kept, closed, reason, first, second)}, words_of_receipt)


def split(
    context: typer.Context,
    child: Child,
    reason: Reason,
    to_second: Annotated[
        list[int] | None,
        typer.Option(
            "--to-second",
            help="Version of what was said since the merge and is of the other child; repeat for more. "
            "`audit changes` tells them.",
            min=1,
        ),
    ] = None,
    propose: Propose = False,
) -> None:
    """Make two records again of one that was merged of two children. Each bears the number its child had before.

    If either was ever shielded both begin shielded. Two people decide where the record is: --as one, --with another, or
    --propose it to another.
    `told` are the accounts that saw the two as one, who are to be told.
    """
    run = session(context)
    with run.app() as app:
        first = app.permitted(run.actor(), "split-record")
        whole = app.child_or_nobody(child)
        if propose:
            answer = TwoPeople(app).propose_split(whole, reason, to_second or (), first)
            run.output.answer(answer, words_of_proposal)
            return
        second = app.second(first, run.second, "split-record", whole)
        run.output.answer(app.split(whole, reason, to_second or (), first, second), words_of_split)
