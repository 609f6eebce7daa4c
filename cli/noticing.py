"""`retention notices`: who is to be told that what they were given of a record was destroyed, and who was."""

from typing import Annotated

import typer

from cli.app import App
from cli.output import Json, words_of_receipt
from cli.parsing import day_of, uuid_of
from cli.session import session
from domain.access.commands import ReadAbout
from domain.access.handlers import read_about
from domain.access.model import Actor
from domain.destruction.notices import Notice, notice_of, sent
from domain.errors import NotFound


def add_to(retention: typer.Typer) -> None:
    """Add these commands beside the others of `retention`."""
    retention.command("notices")(notices)
    retention.command("notice-sent")(notice_sent)


def notices(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Those that were sent as well.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")] = 200,
) -> None:
    """List who is to be told that what they were given was destroyed: one's own team's, an operator's all.

    Those that were given it first come first. The reading is recorded before anything is shown.
    """
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor(), "tell-recipients")
        found = [
            (one.owed.given_on, one.notice_id)
            for one in app.upkeep.notices()
            if _is_theirs(one, viewer, app) and (all_ or one.sent_on is None)
        ]
        command = ReadAbout(
            at=app.now(),
            access_id=app.ids.new(),
            reason=app.reason(viewer),
            action="tell-recipients",
            what="notices",
            listed=tuple(notice_id for _, notice_id in sorted(found)[:limit]),
            more=len(found) > limit,
        )
        shown = read_about(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _listed)


def notice_sent(
    context: typer.Context,
    notice: Annotated[str, typer.Argument(help="The notice, as `retention notices` lists it.")],
    on: Annotated[str | None, typer.Option("--on", help="On which day, YYYY-MM-DD. Default: today.")] = None,
) -> None:
    """Record that a notice was sent. Said again, nothing changes."""
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor(), "tell-recipients")
        found = notice_of(uuid_of(notice, "notice"), app.serving)
        if not _is_theirs(found, viewer, app):
            raise NotFound("There is no such notice: `retention notices` lists them.", field="notice")
        metadata = app.metadata(viewer, purpose=app.reason(viewer))
        sent(found, day_of(on, "on") or app.today(), at=app.now(), store=app.serving, metadata=metadata)
        run.output.answer({"receipt": metadata.correlation}, words_of_receipt)


def _is_theirs(notice: Notice, viewer: Actor, app: App) -> bool:
    """Whoever runs the index sees to those whose team is gone, or shut out."""
    return notice.owed.body == viewer.body or app.rules.role_may(viewer.role, "retention")


def _listed(answer: Json) -> str:
    lines = [
        f"{one['notice']}  to {one['recipient']}: the {one['kind']} of {one['given_on']} under {one['access_id']} "
        f"was destroyed, certificate {one['certificate']}"
        + (f"; sent on {one['sent_on']}" if one["sent_on"] else "")
        for one in answer["notices"]
    ]
    lines += ["There are more: send these first, or give a higher --limit."] if answer["more"] else []
    return "\n".join(lines) or "Nobody is to be told."
