"""`audit`: who saw what, who changed what, and any display shown again. Every question is itself on record."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.fhir import bundle
from cli.evidence import checkpoint_of, words_of_written, write_evidence, write_new
from cli.looking import words_of_replay
from cli.output import Json, dumps
from cli.parsing import body_code, day_of, uuid_of
from cli.proposals import Propose, propose_look
from cli.session import session, stop_flag
from cli.trail_words import as_csv, words_of_trail
from cli.two_people import TwoPeople, Wanted, told_again
from domain.access.commands import ExportAccesses, ReadRefusals, ReadTrail, ReplayAccess, TryPolicy
from domain.access.events import TrailFilter
from domain.access.handlers import export_accesses, read_refusals, read_trail
from domain.access.replaying import replay as replay_access
from domain.access.replaying import try_policy
from domain.errors import BadInput
from domain.policy.retention import between

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
Since = Annotated[str | None, typer.Option("--since", help="From this day on, YYYY-MM-DD.")]
Until = Annotated[str | None, typer.Option("--until", help="To the end of this day.")]
Acted = Annotated[str | None, typer.Option("--action", help="What was done, for example show or search.")]
By = Annotated[
    str | None,
    typer.Option("--by", help="By this account, on its behalf, or confirmed by it: its name or id."),
]
Outcome = Annotated[str | None, typer.Option("--outcome", help="granted or refused.")]
After = Annotated[str | None, typer.Option("--after", help="Go on from here: `next` of the page before.")]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", help="Write the page to this file as CSV, too; none that is there is touched."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(audit, name="audit")


@audit.command("who-saw")
def who_saw(
    context: typer.Context,
    child: Child,
    reason: Reason = None,
    limit: Limit = 200,
    since: Since = None,
    until: Until = None,
    action: Acted = None,
    by: By = None,
    organisation: Annotated[
        str | None,
        typer.Option(
            "--organisation",
            help="Looks by people of this organisation, by its code; not of a shielded child.",
        ),
    ] = None,
    outcome: Outcome = None,
    after: After = None,
    csv: Csv = None,
) -> None:
    """Who has seen this child's record, when, why and with what outcome."""
    chosen = {"organisation": None if organisation is None else body_code(organisation, "organisation")}
    chosen |= {"action": action, "outcome": outcome, "after": after}
    _trail(context, "who-saw", child, reason, limit, (since, until), by, chosen, csv)


@audit.command("what-saw")
def what_saw(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's name or id.")],
    reason: Reason = None,
    limit: Limit = 200,
    since: Since = None,
    until: Until = None,
    action: Acted = None,
    child: Annotated[
        str | None, typer.Option("--child", help="Looks at this child alone: its id or index number.")
    ] = None,
    outcome: Outcome = None,
    criteria: Annotated[
        bool,
        typer.Option(
            "--criteria", help="With what was typed into searches, where no child that was found is shielded."
        ),
    ] = False,
    after: After = None,
    csv: Csv = None,
) -> None:
    """What this account has seen."""
    chosen = {"action": action, "outcome": outcome, "after": after, "criteria": criteria, "child": child}
    _trail(context, "what-saw", account, reason, limit, (since, until), None, chosen, csv)


@audit.command()
def changes(
    context: typer.Context,
    child: Child,
    reason: Reason = None,
    limit: Limit = 200,
    since: Since = None,
    until: Until = None,
    event: Annotated[
        str | None, typer.Option("--event", help="Changes of this name, for example shield-raised.")
    ] = None,
    by: By = None,
    after: After = None,
    csv: Csv = None,
) -> None:
    """What has changed in this child's record, and by whom where that may be told."""
    _trail(
        context, "changes", child, reason, limit, (since, until), by, {"event": event, "after": after}, csv
    )


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
        answer = told_again(found, app)
        run.output.answer(answer, words_of_replay)
        if not found.digest_matches:
            raise typer.Exit(1)


@audit.command("what-would")
def what_would(
    context: typer.Context,
    access: Annotated[str, typer.Argument(help="The access id that the look printed.")],
    policy: Annotated[
        str,
        typer.Option("--policy", help="A rule set, by its id or as a file: `policy list` says which ship."),
    ],
    reason: Reason = None,
) -> None:
    """Show an access beside what another rule set would have shown: which fields, and by which rule. Itself an access.

    A value that was not displayed is not shown now either. Whereabouts shielded since need a second auditor.
    """
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(run.actor("auditor" if app.training else None))
        replayed = uuid_of(access, "access")
        second = app.second(viewer, run.second, "what-would", replayed)
        other = app.rule_set(policy)
        command = TryPolicy(
            at=app.now(),
            access_id=app.ids.new(),
            reason=reason or app.reason(viewer),
            replayed=replayed,
            digest=other.digest,
            confirmed_by=second.account if second else None,
        )
        tried = try_policy(command, other.rules, app.looking(viewer))
        app.rule_texts.keep(other.text)  # so that it can be tried again
        answer = {
            "access_id": tried.access_id,
            "as_displayed": tried.as_displayed,
            "digest_matches": tried.digest_matches,
            "policy": tried.policy,
            "other": tried.other,
            "instant": tried.instant,
            "permitted": tried.permitted,
            "differs": list(tried.differs),
        }
        run.output.answer(answer, _tried)


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
    older = [checkpoint_of(path) for path in since or ()]
    with run.app() as app:
        viewer = app.viewer(run.actor("auditor" if app.training else None))
        child_id = app.child(child)
        if propose:
            if older:
                raise BadInput(
                    "Whoever confirms it gives --since, beside --file.", code="usage", field="since"
                )
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
def fhir(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write; one that is there is not touched.")],
    child: Annotated[
        str | None, typer.Option("--child", help="Accesses at this child: its id or index number.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Accesses by this account: its name or id.")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_bundle: Annotated[
        bool, typer.Option("--bundle", help="One Bundle, instead of one resource a line (NDJSON).")
    ] = False,
    criteria: Annotated[
        bool,
        typer.Option(
            "--criteria", help="With what was typed into searches, where no child that was found is shielded."
        ),
    ] = False,
    reason: Reason = None,
) -> None:
    """Write accesses as FHIR R4 AuditEvent resources: at a child, by an account, or of a period. Itself an access."""
    if child is not None and account is not None:
        raise BadInput("Give --child or --account, or neither.", code="usage", field="account")
    kind: Literal["who-saw", "what-saw", "export-accesses"] = "export-accesses"
    if child is not None or account is not None:
        kind = "what-saw" if child is None else "who-saw"
    run = session(context)
    day, last = day_of(since, "since"), day_of(until, "until")
    with run.app() as app:
        viewer = app.permitted(run.actor("auditor" if app.training else None), kind)
        subject = app.child(child) if child else app.account_id(account) if account else None
        app.catch_up()
        now = app.now()  # what is read for this is not in it, or it would never end
        begins, ends = between(day, last)
        chosen = TrailFilter(since=begins, until=min(ends or now, now), criteria=criteria)
        resources: list[Json] = []
        while True:
            command = ExportAccesses(
                at=app.now(),
                access_id=app.ids.new(),
                reason=reason or app.reason(viewer),
                kind=kind,
                subject=subject,
                chosen=chosen,
            )
            shown = export_accesses(command, app.looking(viewer))
            resources += shown.display["entries"]
            if shown.display["next"] is None:
                break
            chosen = chosen.model_copy(update={"after": shown.display["next"]})
        made = [bundle(resources)] if as_bundle else resources
        write_new(file, "".join(dumps(one) + "\n" for one in made))
        answer = {"file": str(file), "entries": len(resources), "access_id": shown.access_id}
        run.output.answer(answer, lambda a: f"Wrote {a['entries']} AuditEvent resources to {a['file']}.")


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


def _trail(
    context: typer.Context,
    kind: Literal["who-saw", "what-saw", "changes"],
    subject: str,
    reason: str | None,
    limit: int,
    days: tuple[str | None, str | None],
    by: str | None,
    chosen: Json,
    csv: Path | None,
) -> None:
    run = session(context)
    since, until = day_of(days[0], "since"), day_of(days[1], "until")
    with run.app() as app:
        # Before anything is looked up: what is not there is told to those who are let in, and to nobody else.
        viewer = app.permitted(run.actor("auditor" if app.training else None), kind)
        found = app.account_id(subject) if kind == "what-saw" else app.child(subject)
        begins, ends = between(since, until)
        command = ReadTrail.model_validate(
            {
                "at": app.now(),
                "access_id": app.ids.new(),
                "reason": reason or app.reason(viewer),
                "kind": kind,
                "subject": found,
                "limit": limit,
                "chosen": {
                    **chosen,
                    "since": begins,
                    "until": ends,
                    "by": app.account_id(by) if by else None,
                    "child": app.child(chosen["child"]) if chosen.get("child") else None,
                },
            }
        )
        app.catch_up()
        shown = read_trail(command, app.looking(viewer))
        answer = {"access_id": shown.access_id, **shown.display}
        answer["entries"] = app.named(shown.display["entries"])
        if csv is not None:
            write_new(csv, as_csv(kind, answer["entries"]))
        run.output.answer(answer, lambda a: words_of_trail(kind, a, app.rules))


def _tried(answer: Json) -> str:
    lines = [
        f"Displayed at {answer['instant']} under {answer['policy']}; under {answer['other']}:",
        "  the look would be allowed" if answer["permitted"] else "  the look would NOT be allowed",
    ]
    for one in answer["differs"]:
        lines.append(f"  of {one['child_id']}, by the rule {one['rule']}:")
        for name, title in (
            ("only_displayed", "not shown"),
            ("only_under_it", "shown besides"),
            ("otherwise", "shown otherwise"),
        ):
            if one[name]:
                lines.append(f"    {title}: {', '.join(one[name])}")
        if not (one["only_displayed"] or one["only_under_it"] or one["otherwise"]):
            lines.append("    the same")
    return "\n".join(lines)


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
