"""`record …`: two records found to be of one child."""

from typing import Annotated

import typer

from cli.output import Json
from cli.record import Child, record
from cli.session import session

Reason = Annotated[
    str, typer.Option("--reason", help="What it rests on: a short code, for example documents-seen.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of `record`."""
    del app
    record.command("merge")(merge)


def merge(
    context: typer.Context,
    child: Child,
    other: Annotated[
        str, typer.Argument(help="The id or index number of the other record, which will be closed.")
    ],
    reason: Reason,
) -> None:
    """Make one record of two of the same child. The other's number leads to CHILD from then on.

    Where either is shielded the one is, from the first instant, and two people decide: --as one, --with another.
    """
    run = session(context)
    with run.app() as app:
        first = app.permitted(run.actor(), "merge-records")
        kept, closed = app.child_or_nobody(child), app.child_or_nobody(other)
        second = app.second(first, run.second, "merge-records", kept)
        run.output.answer({"receipt": app.merge(kept, closed, reason, first, second)}, _receipt)


def _receipt(answer: Json) -> str:
    return f"Recorded. Receipt {answer['receipt']}"
