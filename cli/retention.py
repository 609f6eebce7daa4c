"""`retention`: what falls due, under which rule, and doing it."""

from typing import Annotated, Final

import typer

from cli import noticing
from cli.closing import Closing
from cli.output import Json
from cli.parsing import day_of
from cli.proposals import Propose, words_of_proposal
from cli.record import Child, do
from cli.session import session
from cli.two_people import TwoPeople
from domain.child_record.commands import HoldDestruction, ReleaseHold
from domain.policy.closure import closed

retention = typer.Typer(no_args_is_help=True, help="What falls due for archive or destruction, and doing it.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    noticing.add_to(retention)
    app.add_typer(retention, name="retention")


@retention.command()
def due(
    context: typer.Context,
    on: Annotated[str | None, typer.Option("--on", help="As of this day. Default: today.")] = None,
) -> None:
    """List what falls due on or before a day, and under which rule."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor(_OPERATOR if app.training else None))
        shown = app.due(viewer, day_of(on, "on") or app.today())
        run.output.answer({"access_id": shown.access_id, **shown.display}, _due)


@retention.command("run")
def run_due(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Do at most so many.")] = None,
) -> None:
    """Archive and destroy what is due today; everything, once the index is closed. Safe to stop and start again."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor(_OPERATOR if app.training else None))
        closure = closed(app.rules, app.now())
        if closure is None:
            done = app.carry_out(viewer, limit=limit, output=run.output)
        else:
            done = Closing(app).run(closure, viewer, limit=limit, output=run.output)
        run.output.answer(done, _done)


@retention.command("closure")
def how_far(context: typer.Context) -> None:
    """Say whether the index is closed, how much of it is left, and by when everything is destroyed."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor(_OPERATOR if app.training else None), "due")
        run.output.answer(Closing(app).status(), _closure)


_OPERATOR: Final = "operator"
"""Who acts in a training home where nobody is named."""


@retention.command()
def hold(
    context: typer.Context,
    child: Child,
    authority: Annotated[
        str,
        typer.Option(
            "--authority", help="On what authority, a code of the rules: court-order, legal-claim, ..."
        ),
    ],
    until: Annotated[
        str, typer.Option("--until", help="The first day on which it may be destroyed again, YYYY-MM-DD.")
    ],
) -> None:
    """Keep one record from being destroyed until a day. Nobody sees more of it; said again, the day moves."""
    do(
        context,
        child,
        lambda app, _: HoldDestruction.model_validate(
            {"at": app.now(), "hold": app.ids.new(), "ground": authority, "until": day_of(until, "until")}
        ),
        acting=_OPERATOR,
    )


@retention.command("release-hold")
def release_hold(
    context: typer.Context,
    child: Child,
    authority: Annotated[
        str | None, typer.Option("--authority", help="The hold on this authority. Default: every one.")
    ] = None,
) -> None:
    """Release a hold before its day: the record is destroyed when the rules say so."""
    do(context, child, lambda app, _: ReleaseHold(at=app.now(), ground=authority), acting=_OPERATOR)


@retention.command()
def destroy(
    context: typer.Context,
    child: Child,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, by code: unlawful, registered-in-error or court-order.")
    ],
    propose: Propose = False,
) -> None:
    """Destroy one record before it is due, for ever. Needs two people: --as one and --with another, or --propose."""
    run = session(context)
    with run.app() as app:
        actor, two = app.viewer(run.actor()), TwoPeople(app)
        found = app.child_or_nobody(child)
        if propose or not app.training:
            run.output.answer(two.propose_destruction(found, reason, actor), words_of_proposal)
            return
        answer = two.destroy_early(found, reason, actor, app.viewer(run.two()))
        run.output.answer(answer, lambda a: f"Destroyed, under the certificate {a['certificate']}.")


def _done(answer: Json) -> str:
    said = f"Archived {answer['archived']}, destroyed {answer['destroyed']}."
    return "\n".join([said, *([_closure(answer["closure"])] if "closure" in answer else [])])


def _closure(answer: Json) -> str:
    if answer["closes_at"] is None:
        return "The index is open, and no rules in force close it."
    if not answer["closed"]:
        return (
            f"The index closes at {answer['closes_at']}; everything is destroyed by {answer['destroyed_by']}."
        )
    if answer["certificate"]:
        return (
            f"Nothing is left: certified on {answer['completed_on']} as {answer['certificate']}, "
            f"{answer['certificates']} destructions one by one."
        )
    goes_on = f"; at this rate until {answer['done_at']}" if answer["done_at"] else ""
    return (
        f"{answer['left']} of {answer['of']} are left, to be destroyed by {answer['destroyed_by']}{goes_on}."
    )


def _due(answer: Json) -> str:
    if not answer["due"]:
        return "Nothing is due."
    return "\n".join(f"{e['on']}  {e['action']}  {e['child_id']}  {e['rule']}" for e in answer["due"])
