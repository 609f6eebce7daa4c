"""`audit`: who saw what, who changed what, and any display shown again. Every question is itself on record."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.evidence import words_of_written, write_evidence, write_new
from cli.looking import words_of_replay
from cli.output import Json
from cli.parsing import day_of, uuid_of
from cli.proposals import Propose, propose_look
from cli.session import session, stop_flag
from cli.two_people import TwoPeople, Wanted, told_again
from domain.access.commands import ReadRefusals, ReadTrail, ReplayAccess
from domain.access.handlers import read_refusals, read_trail
from domain.access.handlers import replay as replay_access
from domain.errors import BadInput

audit = typer.Typer(
    no_args_is_help=True, help="The audit trail: who saw, what they saw, who changed; newest first."
)

Reason = Annotated[
    str | None,
    typer.Option(
        "--reason", help="Why you ask: a reason code. Default: that of your role, for example audit."
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=2000, help="How many entries at most.")]
Child = Annotated[str, typer.Argument(help="The child's id or index number.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(audit, name="audit")


@audit.command("who-saw")
def who_saw(context: typer.Context, child: Child, reason: Reason = None, limit: Limit = 200) -> None:
    """Who has seen this child's record, when, why and with what outcome."""
    _trail(context, "who-saw", child, reason, limit)


@audit.command("what-saw")
def what_saw(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's name or id.")],
    reason: Reason = None,
    limit: Limit = 200,
) -> None:
    """What this account has seen."""
    _trail(context, "what-saw", account, reason, limit)


@audit.command()
def changes(context: typer.Context, child: Child, reason: Reason = None, limit: Limit = 200) -> None:
    """What has changed in this child's record, and by whom where that may be told."""
    _trail(context, "changes", child, reason, limit)


@audit.command()
def replay(
    context: typer.Context,
    access: Annotated[str, typer.Argument(help="The access id that the look printed.")],
    reason: Reason = None,
    propose: Propose = False,
) -> None:
    """Show an access again, byte for byte as it was displayed. Whereabouts shielded since need a second auditor."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor("auditor" if app.training else None))
        replayed = uuid_of(access, "access")
        if propose:
            propose_look(run, app, viewer, Wanted("replay", replayed), reason)
            return
        second = app.second(viewer, run.second, "replay", replayed)
        command = ReplayAccess(
            at=app.now(),
            access_id=app.ids.new(),
            reason=reason or app.reason(viewer),
            replayed=replayed,
            confirmed_by=second.account if second else None,
        )
        looking = TwoPeople(app).looking(viewer, second, Wanted("replay", replayed), command.access_id)
        found = replay_access(command, looking)
        answer = told_again(found)
        run.output.answer(answer, words_of_replay)
        if not found.digest_matches:
            raise typer.Exit(1)


@audit.command()
def refusals(
    context: typer.Context,
    since: Annotated[str | None, typer.Option("--since", help="From this day on, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="To the end of this day.")] = None,
    reason: Reason = None,
    limit: Limit = 2000,
) -> None:
    """Count refusals by day, reason, role and organisation. What was refused, and to whom, is not told here."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor("auditor" if app.training else None))
        command = ReadRefusals(
            at=app.now(),
            access_id=app.ids.new(),
            reason=reason or app.reason(viewer),
            since=day_of(since, "since"),
            until=day_of(until, "until"),
            limit=limit,
        )
        app.catch_up()
        shown = read_refusals(command, app.looking(viewer))
        run.output.answer({"access_id": shown.access_id, **shown.display}, _refusals)


@audit.command("verify")
def verify_seals(
    context: typer.Context,
    every: Annotated[
        float | None,
        typer.Option(
            "--every", min=1, help="Go on until stopped: look each second, hash all again every so many."
        ),
    ] = None,
) -> None:
    """Hash both logs again and compare them with their seals. Status 1, and where, if anything was altered.

    With --every it is the monitor: it ends, with status 1, as soon as something is wrong, or nothing is sealed for ten
    seconds while there is something to seal.
    """
    run = session(context)
    with run.seals() as seals:
        answer = seals.verify() if every is None else seals.watch(every, stop_flag().is_set)
    if answer["ok"]:
        # Asked only now: where something was altered, that may be the very account that asks. It shows nobody's data.
        with run.app() as app:
            if app.training:
                app.permitted(run.actor("auditor"), "verify")
    run.output.answer(answer, _verified)
    if not answer["ok"]:
        raise typer.Exit(1)


@audit.command()
def export(
    context: typer.Context,
    child: Child,
    file: Annotated[Path, typer.Argument(help="The file to write; one that is there is not touched.")],
    since: Annotated[
        list[Path] | None,
        typer.Option(
            "--since", help="A checkpoint you kept: the pack proves that its log was only added to since."
        ),
    ] = None,
    reason: Reason = None,
    propose: Propose = False,
) -> None:
    """Write an evidence pack of one child: every event and every look, as stored, with proof that it was sealed.

    docs/verify/verify_evidence.py checks it without this software. Of a shielded child it needs a second auditor.
    """
    run = session(context)
    older = [_text(path, "since") for path in since or ()]
    with run.app() as app:
        viewer = app.viewer(run.actor("auditor" if app.training else None))
        child_id = app.child(child)
        if propose:
            if older:
                raise BadInput("--since does not go with --propose.", code="usage", field="since")
            propose_look(run, app, viewer, Wanted("export", child_id), reason)
            return
        second = app.second(viewer, run.second, "replay", child_id)
        # Of a shielded child even when something changed may tell where it is.
        if second is None and app.proving.is_shielded(child_id):
            app.two_needed(viewer, "replay", child_id)
        wanted, access_id = Wanted("export", child_id), app.ids.new()
        confirmed_by = second.account if second else None
        looking = TwoPeople(app).looking(viewer, second, wanted, access_id)
        answer = write_evidence(app, looking, child_id, file, reason, confirmed_by, access_id, older)
        run.output.answer(answer, words_of_written)


@audit.command()
def proof(
    context: typer.Context,
    access: Annotated[str, typer.Argument(help="The access id that the look printed.")],
    file: Annotated[
        Path | None, typer.Argument(help="The file to write. Default: ACCESS.tlog-proof, here.")
    ] = None,
) -> None:
    """Write the proof that one look is on record and was sealed, in the form of C2SP tlog-proof."""
    run = session(context)
    access_id = uuid_of(access, "access")
    place = file or Path(f"{access_id}.tlog-proof")
    with run.app() as app:
        app.permitted(run.actor("auditor" if app.training else None), "verify")
        write_new(place, app.proving.proof(access_id))
        run.output.answer({"file": str(place), "entries": 1}, words_of_written)


def _text(path: Path, field: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        raise BadInput(
            f"--{field} names no file that can be read.", code="no-such-file", field=field
        ) from None


def _trail(
    context: typer.Context,
    kind: Literal["who-saw", "what-saw", "changes"],
    subject: str,
    reason: str | None,
    limit: int,
) -> None:
    run = session(context)
    with run.app() as app:
        # Before anything is looked up: what is not there is told to those who are let in, and to nobody else.
        viewer = app.permitted(run.actor("auditor" if app.training else None), kind)
        found = app.account_id(subject) if kind == "what-saw" else app.child(subject)
        command = ReadTrail(
            at=app.now(),
            access_id=app.ids.new(),
            reason=reason or app.reason(viewer),
            kind=kind,
            subject=found,
            limit=limit,
        )
        app.catch_up()
        shown = read_trail(command, app.looking(viewer))
        entries = app.named(shown.display["entries"])
        run.output.answer({"access_id": shown.access_id, "entries": entries}, _entries)


def _entries(answer: Json) -> str:
    if not answer["entries"]:
        return "Nothing is on record."
    return "\n".join(_entry(entry) for entry in answer["entries"])


def _entry(entry: Json) -> str:
    what = entry.get("action") or entry.get("event")
    who = entry.get("account_name") or entry.get("account") or entry.get("actor") or "(not shown)"
    words = [entry["at"], what, f"by {who}", entry.get("role") and f"({entry['role']})", entry.get("source")]
    words += [entry.get("reason") and f"for {entry['reason']}", entry.get("outcome"), entry.get("access_id")]
    words += [f"on {child}" for child in entry.get("children", ())]
    return "  ".join(str(word) for word in words if word)


def _refusals(answer: Json) -> str:
    lines = [
        f"{one['day']}  {one['count']:>5}  {one['reason']}  {one['role']} of {one['body'] or '(not told)'}"
        for one in answer["entries"]
    ]
    if answer["more"]:
        lines.append("There are older ones: narrow the days.")
    return "\n".join(lines) or "Nobody was refused."


def _verified(answer: Json) -> str:
    lines = [answer["alarm"]] if "alarm" in answer else []
    for log in answer["logs"]:
        verdict = "as it was sealed" if log["ok"] else "NOT as it was sealed"
        lines.append(f"{log['name']} log: {log['entries']} entries, {verdict}. Root {log['root']}")
        lines += [
            f"  position {one['position']}: {one['what']}" if "position" in one else f"  {one['what']}"
            for one in log["findings"]
        ]
    return "\n".join(lines)
