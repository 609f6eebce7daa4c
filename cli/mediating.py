"""For whom somebody looks: for themselves or, as a mediator, for a caller who has let them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import typer

from cli.app import App
from cli.session import Session
from cli.signing_in import asked
from domain.access.ports import Looking

Caller = Annotated[
    str | None,
    typer.Option(
        "--on-behalf-of",
        help="The account of a caller for whom you look, as a mediator: what they may see is shown. Asks for the word "
        "that they read out to you.",
    ),
]
WordFromStdin = Annotated[
    bool, typer.Option("--stdin", help="Read the caller's word from standard input, instead of a terminal.")
]


@contextmanager
def looking_for(run: Session, app: App, caller: str | None, *, stdin: bool) -> Iterator[tuple[Looking, UUID]]:
    """What looking needs, for whoever acts or for the caller, and the id that the look is to bear.

    In a training home a caller's name is enough where no word is given. Raises NotFound, AccessDenied
    (`caller-not-authenticated`), Refused where the word had been used; these are on record before they are told.
    """
    viewer = app.viewer(run.actor())
    if caller is None:
        yield app.looking(viewer), app.ids.new()
        return
    run.output.shown_to = f"{run.output.shown_to} for {caller}"
    named, now = app.holder_of(caller, "on-behalf-of"), app.now()
    word = _word(app, stdin=stdin)
    if word is None and app.training:
        yield app.looking(named).on_behalf(viewer, None), app.ids.new()
        return
    looking, access_id = app.mediating.caller(word, named, viewer, now)
    with app.mediating.made_once(looking, now):
        yield looking, access_id


def _word(app: App, *, stdin: bool) -> str | None:
    """The word as typed; None where there is nowhere to type it, or no need."""
    if not stdin and (app.training or not sys.stdin.isatty()):
        return None
    (word,) = asked(("Word of the caller",), stdin=stdin)
    return word
