"""`proposal`: acts that one person proposed and another is to confirm: what waits, what it would do, yes or no."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import App
from cli.evidence import checkpoint_of, words_of_written
from cli.looking import words_of_name, words_of_record, words_of_replay
from cli.output import Json, words_of_receipt
from cli.parsing import digest_of, uuid_of
from cli.reply_words import words_of_replied, words_of_reply
from cli.session import Session, session
from cli.two_people import TwoPeople, Wanted
from domain.access.model import Actor
from domain.errors import BadInput

proposal = typer.Typer(
    no_args_is_help=True, help="Acts that need two people: proposed by one, confirmed by another."
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `proposal list` prints.")]
Propose = Annotated[
    bool,
    typer.Option("--propose", help="Do nothing yet: propose it, for a second person to confirm in time."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(proposal, name="proposal")


@proposal.command("list")
def list_(context: typer.Context) -> None:
    """List what waits for a second person of your organisation, oldest first. On record as a look."""
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor(), "two-people")
        shown = TwoPeople(app).listed(viewer)
        run.output.answer({"access_id": shown.access_id, **shown.display}, _listed)


@proposal.command()
def show(context: typer.Context, proposed: Id) -> None:
    """Show one whole: exactly what will be done, and the digest by which to confirm that and nothing else."""
    run = session(context)
    with run.app() as app:
        shown = TwoPeople(app).shown(app.viewer(run.actor()), uuid_of(proposed, "ID"))
        run.output.answer({"access_id": shown.access_id, **shown.display}, words_of_proposal)


@proposal.command()
def confirm(
    context: typer.Context,
    proposed: Id,
    digest: Annotated[
        str, typer.Option("--digest", help="What you were shown, by the digest that `proposal show` printed.")
    ],
    file: Annotated[
        Path | None, typer.Option("--file", help="A new file: where evidence, or a letter, is written.")
    ] = None,
    since: Annotated[
        list[Path] | None,
        typer.Option("--since", help="A checkpoint you kept, for the evidence: as with `audit export`."),
    ] = None,
) -> None:
    """Confirm what somebody else proposed: it is done at once, in both names."""
    run = session(context)
    older = [checkpoint_of(path) for path in since or ()]
    with run.app() as app:
        answer = TwoPeople(app).confirm(
            app.viewer(run.actor()), uuid_of(proposed, "ID"), digest_of(digest, "digest"), file, older
        )
        run.output.answer(answer, _confirmed)
        if not answer.get("digest_matches", True):
            raise typer.Exit(1)


@proposal.command()
def withdraw(context: typer.Context, proposed: Id) -> None:
    """Take back what you proposed, or decline what somebody else did: it will not be done."""
    run = session(context)
    with run.app() as app:
        receipt = TwoPeople(app).withdraw(app.viewer(run.actor()), uuid_of(proposed, "ID"))
        run.output.answer({"receipt": receipt}, lambda a: f"Withdrawn. Receipt {a['receipt']}")


def propose_look(run: Session, app: App, viewer: Actor, wanted: Wanted, reason: str | None) -> None:
    """Propose a look that two auditors make together, and say so."""
    if run.second is not None:
        raise BadInput("Either --with or --propose.", code="usage", field="with")
    app.let_in(viewer, None, "replay", wanted.subject)
    answer = TwoPeople(app).propose(viewer, wanted, reason or app.reason(viewer))
    run.output.answer(answer, words_of_proposal)


def words_of_proposal(answer: Json) -> str:
    """A proposal as both people read it."""
    about = next(f"{name} {answer[name]}" for name in ("child", "access", "rule_set") if name in answer)
    lines = [
        f"{answer['act']} of {about}: {answer['state']}",
        f"  {answer['does']}",
        *(
            f"  {name}: {answer[name]}"
            for name in (
                "other",
                "request",
                "reason",
                "ground",
                "recipient",
                "reference",
                "title",
                "valid_from",
                "file_digest",
            )
            if answer.get(name)
        ),
    ]
    if answer.get("to_second"):
        lines.append(f"  to the other child: versions {', '.join(map(str, answer['to_second']))}")
    if answer.get("fields"):
        lines.append(f"  facts: {', '.join(answer['fields'])}")
    if answer.get("withheld"):
        lines.append(f"  withheld: {', '.join(answer['withheld'])}")
    if answer.get("reply"):
        lines += [f"    {line}" for line in words_of_reply(answer["reply"]).splitlines()]
    lines += [f"    {line}" for line in _facts(answer.get("handing_over") or {})]
    lines += [
        f"  proposed by {answer['proposed_by']} at {answer['proposed_at']}",
        f"  may be confirmed before {answer['expires_at']}:",
        f"  contactpoint proposal confirm {answer['proposal']} --digest {answer['digest']}",
    ]
    return "\n".join(lines)


def words_of_split(answer: Json) -> str:
    """The receipt of a split, and who is to be told."""
    names = ", ".join(str(one["account_name"]) for one in answer["told"])
    return f"{words_of_receipt(answer)}\nTo be told that they saw two children as one: {names or 'nobody'}."


def words_of_handed_over(answer: Json) -> str:
    """What was handed over, a fact a line."""
    return "\n".join(_facts(answer["handed_over"]))


def _facts(record: Json) -> list[str]:
    return [f"{name}: {words_of_name(value) if name == 'name' else value}" for name, value in record.items()]


def _listed(answer: Json) -> str:
    lines = [
        f"{one['proposed_at']}  {one['act']}  by {one['proposed_by']}  {one['proposal']}"
        for one in answer["proposals"]
    ]
    return "\n".join(lines) or "Nothing waits for you."


def _confirmed(answer: Json) -> str:
    if "as_displayed" in answer:
        return words_of_replay(answer)
    if "record" in answer:
        return words_of_record(answer["record"])
    if "reply" in answer:
        return words_of_replied(answer)
    if "handed_over" in answer:
        return words_of_handed_over(answer)
    if "file" in answer:
        return words_of_written(answer)
    if "told" in answer:
        return words_of_split(answer)
    return f"Done. Receipt {answer['receipt']}"
