"""`queue`: source records that are held back until a human decides whom they are about.

For the management team of the authority concerned. Every look is on record before anything is shown; a decision is an
event with its reason, and what it rules out stays ruled out.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from cli.looking import words_of_name
from cli.output import Json
from cli.parsing import instant_of, uuid_of
from cli.session import session
from domain.access.commands import ListHeld, ShowHeld
from domain.access.queue import list_held, show_held
from domain.errors import BadInput
from domain.supply.commands import DecideHeldRecord
from domain.supply.events import Verdict

queue = typer.Typer(
    no_args_is_help=True, help="Source records held back until a human decides whom they are about."
)

Held = Annotated[str, typer.Argument(metavar="ID", help="The id that `queue list` prints.")]
Purpose = Annotated[
    str | None,
    typer.Option("--reason", help="Why you look: a reason code. Default: that of your role."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(queue, name="queue")


@queue.command("list")
def list_(
    context: typer.Context,
    reason: Purpose = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="How many at most.")] = 20,
    after: Annotated[
        str | None, typer.Option("--after", help="Go on from here: `next` of the page before.")
    ] = None,
) -> None:
    """List what waits, oldest first: kind of source, since when, and why. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ListHeld(
            at=app.now(),
            access_id=app.ids.new(),
            reason=reason or app.reason(viewer),
            limit=limit,
            after=_place(after),
        )
        app.catch_up()
        shown = list_held(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _listed)


@queue.command()
def show(context: typer.Context, held: Held, reason: Purpose = None) -> None:
    """Show one beside the records it may be about, field by field. The look is recorded first."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor())
        command = ShowHeld(
            at=app.now(),
            access_id=app.ids.new(),
            reason=reason or app.reason(viewer),
            held=uuid_of(held, "ID"),
        )
        shown = show_held(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, "held": shown.display}, _shown)


@queue.command()
def decide(
    context: typer.Context,
    held: Held,
    reason: Annotated[
        str, typer.Option("--reason", help="On what you decide: a code, for example documents-seen.")
    ],
    same: Annotated[
        str | None,
        typer.Option("--same", metavar="CHILD", help="It is about this child: id or index number."),
    ] = None,
    not_the_same: Annotated[
        bool,
        typer.Option(
            "--not-the-same",
            help="It is about none of CHILD…, or none of those shown; it is linked again without them.",
        ),
    ] = False,
    children: Annotated[
        list[str] | None, typer.Argument(metavar="[CHILD…]", help="With --not-the-same: which.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="It is about a child who has no record yet.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="It is not to be taken in.")] = False,
) -> None:
    """Decide whom it is about. For good: who is not the same is never joined, nor asked about, again."""
    run = session(context)
    chosen: list[Verdict] = []
    chosen += ["same"] if same is not None else []
    chosen += ["not-the-same"] if not_the_same else []
    chosen += ["new"] if new else []
    chosen += ["refuse"] if refuse else []
    if len(chosen) != 1:
        raise BadInput(
            "Say one of --same CHILD, --not-the-same [CHILD…], --new, --refuse.", code="usage", field="decide"
        )
    if children and not not_the_same:
        raise BadInput("CHILD goes with --same or --not-the-same.", code="usage", field="children")
    with run.app() as app:
        viewer = app.viewer(run.actor())
        named = [same] if same is not None else children or []
        command = DecideHeldRecord(
            at=app.now(),
            held=uuid_of(held, "ID"),
            verdict=chosen[0],
            children=tuple(app.child_or_nobody(child) for child in named),
            reason=reason,
        )
        receipt = app.decide(command, viewer)
        answer = {"receipt": receipt, "held_id": command.held, "verdict": command.verdict}
        run.output.answer(answer, lambda a: f"Decided: {a['verdict']}. Receipt {a['receipt']}")


def _place(text: str | None) -> tuple[datetime, UUID] | None:
    since, _, held = (text or "").partition("/")
    instant = instant_of(since or None, "after")
    return None if instant is None else (instant, uuid_of(held, "after"))


def _listed(answer: Json) -> str:
    lines = [f"{one['since']}  {one['kind']}  {one['reason']}  {one['held_id']}" for one in answer["held"]]
    if answer["more"]:
        lines.append(f"There are more: --after {answer['next']}")
    return "\n".join(lines) or "Nothing waits for you."


def _shown(answer: Json) -> str:
    held = answer["held"]
    said = held["says"]
    lines = [
        f"{held['kind']}, waiting since {held['since']}: {held['reason']}",
        f"  says: {words_of_name(said['name'])}, born {said['date_of_birth']}, {said['gender']}",
    ]
    if held["notice"]:
        lines.append(f"  {held['notice']}")
    for candidate in held["candidates"]:
        record = candidate["record"]
        lines.append(
            f"  beside {words_of_name(record.get('name'))}, born {record.get('date_of_birth')}"
            f"   number {candidate['number']}   weight {candidate['weight']:+d} bits"
        )
        lines += [
            f"    {row['field']}: {row['agreement']} ({row['weight']:+d})" for row in candidate["fields"]
        ]
    return "\n".join(lines)
