"""`record seal` and `record new-identity`: a child that has a new identity, by adoption or for its protection.

Two acts apart in time, so that neither the order of the log nor its times join the two records. What the second needs
of the first is in a letter (`cli.letters`), which whoever gives the new identity keeps outside the index.
"""

from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import letters
from cli.app import App
from cli.letters import Letter, Proposed
from cli.output import Json, words_of_receipt
from cli.proposals import Propose, words_of_proposal
from cli.record import Child, facts_of, record, takes_facts
from cli.session import session
from cli.two_people import TwoPeople
from domain.access.model import Actor
from domain.child_record import commands
from domain.child_record.events import Source, SourceKind
from domain.errors import BadInput, Refused
from domain.policy.rule_book import refuse_unless_in_force

LetterFile = Annotated[Path, typer.Argument(metavar="LETTER", help="Where the letter is.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of `record`."""
    del app
    record.command("seal")(seal)
    record.command("new-identity")(new_identity)


def seal(
    context: typer.Context,
    child: Child,
    letter: Annotated[
        Path | None, typer.Option("--letter", help="A new file, to be kept outside the index.")
    ] = None,
    propose: Propose = False,
) -> None:
    """Close the record of an identity that its child does not have any more. Its number then leads nowhere.

    Two people decide: --as one, --with another, or --propose it to another, who confirms it with `--file LETTER`. The
    letter is for whoever registers the new identity, on a later day; nothing in the index says that there is one. What
    a source still sends of the old identity is not taken.
    """
    run = session(context)
    with run.app() as app:
        first = app.permitted(run.actor(), "new-identity")
        found = app.child_or_nobody(child)
        if propose:
            run.output.answer(TwoPeople(app).propose_seal(found, first), words_of_proposal)
            return
        second = app.second(first, run.second, "new-identity", found)
        if letter is None:
            raise BadInput("Say where the letter goes: --letter FILE.", code="usage", field="letter")
        run.output.answer(letters.seal_into(letter, app, found, first, second), words_of_receipt)


@takes_facts
def new_identity(
    context: typer.Context,
    letter: LetterFile,
    ground: Annotated[str, typer.Option("--ground", help="As of `record shield`.")] = "placement-at-risk",
    authority: Annotated[
        str | None, typer.Option("--authority", help="The responsible local authority's code.")
    ] = None,
    propose: Annotated[
        Path | None,
        typer.Option(
            "--propose",
            help="Do nothing yet: write a second letter, in a new file. Whoever else gives that one, and says the same "
            "of the child, confirms it.",
        ),
    ] = None,
    **typed: Any,
) -> None:
    """Register the new identity of a child whose old one is sealed: a new record and number, shielded from the start.

    Two people decide: --as one, --with another, or --propose it to another.
    """
    run = session(context)
    with run.app() as app:
        actor = app.permitted(run.actor(), "new-identity")
        at = app.now()
        with app.refusals_recorded(actor, "new-identity"):
            said = letters.read(letter, app, at)
        wanted = letters.digest(app, {"ground": ground, "authority": authority, "facts": _said(typed)})
        if propose is not None:
            run.output.answer(_propose(app, actor, said, wanted, propose), _words_of_second_letter)
            return
        if said.proposed is None:
            first, second = actor, app.second(actor, run.second, "new-identity")
        else:
            first, second = _confirmed(app, actor, said.proposed, wanted), actor
        with app.refusals_recorded(first, "new-identity", None, second):
            command = commands.RegisterNewIdentity.model_validate(
                {
                    "at": at,
                    "source_kind": SourceKind.AUTHORITY,
                    "source": Source(body=first.body),
                    "index_number": app.ids.index_number(),
                    "owning_authority": authority or first.area,
                    "ground": ground,
                    "shield": app.ids.new(),
                    "decided_by": first.account,
                    "confirmed_by": second.account if second else None,
                    "vetoed": said.marks,
                    **facts_of(app.today(), "current", typed),
                }
            )
            metadata = app.metadata(first, second, app.reason(first))
            app.writing.register_new_identity(
                command, metadata, said.proposed.proposal if said.proposed else None
            )
        app.catch_up()
        run.output.answer({"receipt": metadata.correlation, "number": command.index_number}, words_of_receipt)


def _said(typed: dict[str, Any]) -> Json:
    return {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in typed.items()
        if value is not None
    }


def _propose(app: App, first: Actor, letter: Letter, wanted: str, file: Path) -> Json:
    """Write the letter that another person is to confirm by; nothing of it is in the index."""
    at = app.now()
    refuse_unless_in_force(app.rules, at)
    TwoPeople(app).must_show_second_factor(first, "new-identity", None, None)
    proposed = Proposed(
        app.ids.new(), first.account, at + timedelta(hours=app.rules.two_people.hours), wanted
    )
    with letters.new_file(file):
        letters.write(file, app, replace(letter, proposed=proposed))
    return {"letter": str(file), "expires_at": proposed.expires_at.isoformat()}


def _confirmed(app: App, second: Actor, proposed: Proposed, wanted: str) -> Actor:
    """Whoever proposed this, which another confirms by saying the same in time. Raises Refused, AccessDenied."""
    first = app.actor_with(proposed.by)
    two = TwoPeople(app)
    two.must_be_another(second, first, "new-identity", None)
    two.must_show_second_factor(second, "new-identity", None, first)
    with app.refusals_recorded(second, "new-identity", None, first):
        if proposed.expires_at <= app.now():
            raise Refused(
                "Nobody confirmed this in time: propose it anew.", code="proposal-expired", field="letter"
            )
        if not compare_digest(proposed.wanted, wanted):
            raise Refused(
                "This is not what was proposed: say exactly the same of the child, or propose it anew.",
                code="not-what-was-shown",
            )
    return first


def _words_of_second_letter(answer: Json) -> str:
    return f"Written to {answer['letter']}. Whoever else confirms it does so before {answer['expires_at']}."
