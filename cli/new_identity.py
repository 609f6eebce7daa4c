"""`record seal` and `record new-identity`: a child that has a new identity, by adoption or for its protection.

Two acts apart in time, so that neither the order of the log nor its times join the two records. What the second needs
of the first is in a letter, a file that whoever gives the new identity keeps outside the index: keyed digests, from
which nothing can be read, always of the same number.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.app import App
from cli.output import Json, words_of_receipt
from cli.record import Child, facts_of, record, takes_facts
from cli.session import session
from domain.child_record import commands
from domain.child_record.events import Source, SourceKind
from domain.disclosure import canonical
from domain.errors import BadInput, Refused

_MARKS: Final = 64
_LETTER: Final = "letter"

Letter = Annotated[Path, typer.Argument(help="Where the letter is.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of `record`."""
    del app
    record.command("seal")(seal)
    record.command("new-identity")(new_identity)


def seal(
    context: typer.Context,
    child: Child,
    letter: Annotated[Path, typer.Option("--letter", help="A new file, to be kept outside the index.")],
) -> None:
    """Close the record of an identity that its child does not have any more. Its number then leads nowhere.

    Two people decide: --as one, --with another. The letter is for whoever registers the new identity, on a later day;
    nothing in the index says that there is one. What a source still sends of the old identity is not taken.
    """
    run = session(context)
    with run.app() as app:
        first = app.permitted(run.actor(), "new-identity")
        found = app.child_or_nobody(child)
        second = app.second(first, run.second, "new-identity", found)
        _begin(letter)
        at = app.now()
        command = commands.SealRecord(
            at=at,
            by=first.body,
            decided_by=first.account,
            confirmed_by=second.account if second else None,
            shield=app.ids.new(),
            closing=app.ids.new(),
        )
        metadata = app.metadata(first, second, app.reason(first))
        try:
            with app.refusals_recorded(first, "new-identity", found, second):
                marks = app.writing.seal(found, command, metadata)
        except Refused:
            letter.unlink()
            raise
        app.catch_up()
        _write(letter, app, at, sorted(marks))
        run.output.answer({"receipt": metadata.correlation, "letter": str(letter)}, words_of_receipt)


@takes_facts
def new_identity(
    context: typer.Context,
    letter: Letter,
    ground: Annotated[str, typer.Option("--ground", help="As of `record shield`.")] = "placement-at-risk",
    authority: Annotated[
        str | None, typer.Option("--authority", help="The responsible local authority's code.")
    ] = None,
    **typed: Any,
) -> None:
    """Register the new identity of a child whose old one is sealed: a new record and number, shielded from the start.

    Two people decide: --as one, --with another.
    """
    run = session(context)
    with run.app() as app:
        first = app.permitted(run.actor(), "new-identity")
        second = app.second(first, run.second, "new-identity")
        at = app.now()
        with app.refusals_recorded(first, "new-identity", None, second):
            vetoed = _read(letter, app, at)
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
                    "vetoed": vetoed,
                    **facts_of(app.today(), "current", typed),
                }
            )
            metadata = app.metadata(first, second, app.reason(first))
            app.writing.register_new_identity(command, metadata)
        app.catch_up()
        run.output.answer({"receipt": metadata.correlation, "number": command.index_number}, words_of_receipt)


def _begin(letter: Path) -> None:
    """Make the file, before anything is done that it cannot be written for. Raises BadInput."""
    if not str(letter).isprintable():
        raise BadInput("A file's name holds no control character.", code="no-such-file", field="letter")
    try:
        letter.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise BadInput(
            "There is a file of that name already: name a new one.", code="file-exists", field="letter"
        ) from None
    except OSError:
        raise BadInput("The letter cannot be written there.", code="no-file", field="letter") from None


def _write(letter: Path, app: App, at: datetime, marks: Sequence[str]) -> None:
    """Write the letter: as many marks whatever there was, the rest drawn by lot, and a keyed digest of all of it."""
    padded = [*marks[:_MARKS]]
    while len(padded) < _MARKS:
        padded.append(f"e:{app.tokens.token(_LETTER, app.ids.new().bytes).hex()[:32]}")
    said = {
        "marks": sorted(padded),
        "from": (at + timedelta(hours=app.rules.identity.apart_hours)).isoformat(),
    }
    letter.write_text(json.dumps({**said, "digest": _digest(app, said)}), "utf-8")


def _read(letter: Path, app: App, at: datetime) -> tuple[str, ...]:
    """The marks of a letter. Raises BadInput where it is none of this home, Refused where it is too soon."""
    try:
        said = json.loads(letter.read_text("utf-8"))
        digest = said.pop("digest")
        marks, since = tuple(said["marks"]), datetime.fromisoformat(said["from"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise _no_letter() from None
    if not hmac.compare_digest(str(digest), _digest(app, said)):
        raise _no_letter()
    if at < since:
        raise Refused(
            "It is too soon after the sealing: what follows it closely would tell whose identity this is.",
            code="too-soon",
            field="letter",
        )
    return marks


def _digest(app: App, said: Json) -> str:
    return app.tokens.token(_LETTER, canonical(said)).hex()


def _no_letter() -> BadInput:
    return BadInput("This is no letter that `record seal` wrote here.", code="not-a-letter", field="letter")
