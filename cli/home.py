"""`init`, `stop`, `backup`, `restore`, `health`: the home and what is in it."""

from pathlib import Path
from typing import Annotated

import typer

from cli.accounts import words_of_enrolment
from cli.output import Json
from cli.session import session
from domain.errors import Unavailable


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(init)
    app.command()(stop)
    app.command()(backup)
    app.command()(restore)
    app.command()(maintain)
    app.command()(health)


def init(
    context: typer.Context,
    training: Annotated[
        bool, typer.Option("--training", help="A home for invented people only, with made-up accounts.")
    ] = False,
    first: Annotated[
        list[str] | None,
        typer.Option(
            "--first-account-manager",
            metavar="NAME=STAFF-NUMBER",
            help="One of the two people who will say who may look; give it twice. Prints an enrolment for each, once. "
            "Refused once either has registered an authenticator.",
        ),
    ] = None,
    attest_office: Annotated[
        bool,
        typer.Option(
            "--attest-central-office",
            help="Record that the central office is accredited and attests to its security from today: it cannot "
            "itself. Each year again.",
        ),
    ] = False,
) -> None:
    """Make a home, or bring an older one up to date. Safe to repeat and to run many times at once."""
    from cli.initialise import first_managers, initialise

    run = session(context)
    answer = initialise(
        run.home,
        run.settings,
        training=training,
        first=first_managers(first or ()),
        attest_office=attest_office,
    )
    run.output.answer(answer, _initialised)


def stop(context: typer.Context) -> None:
    """Stop this home's database server. The next command starts it again."""
    from cli.bootstrap import stop_server

    run = session(context)
    stopped = stop_server(run.home)
    run.output.answer({"stopped": stopped}, lambda a: "Stopped." if a["stopped"] else "It was not running.")


def backup(context: typer.Context, folder: Annotated[Path, typer.Argument(help="An empty folder.")]) -> None:
    """Copy both logs and the keys, consistent with each other. Key-encryption keys are never in a backup."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "retention")
        run.output.answer(app.upkeep.backup(folder), lambda a: f"Backed up to position {a['position']}.")


def restore(
    context: typer.Context, folder: Annotated[Path, typer.Argument(help="A backup's folder.")]
) -> None:
    """Bring a backup into a home without records. Every shield and certificate in the log is applied first."""
    from cli.initialise import restore_home

    run = session(context)
    answer = restore_home(run.home, run.settings, folder)
    run.output.answer(answer, _restored)


def maintain(context: typer.Context) -> None:
    """Take what was shielded, withdrawn or destroyed out of the files of the views. `retention run` does it too."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "retention")
        run.output.answer(app.maintain(run.output), _maintained)


def health(context: typer.Context) -> None:
    """Say of each part whether it is well."""
    from cli.upkeep import nothing_runs

    run = session(context)
    try:
        with run.app() as app:
            parts = app.upkeep.health()
    except Unavailable as away:
        parts = nothing_runs(away)
    run.output.answer({"parts": parts}, _health)
    if not all(part["ok"] for part in parts):
        raise typer.Exit(1)


def _initialised(answer: Json) -> str:
    words = f"{'Made' if answer['created'] else 'Found'} the home {answer['home']}."
    if answer.get("accounts"):
        names = ", ".join(answer["accounts"])
        words += f"\nTraining accounts, for --as: {names}. Invented people only."
    return "\n".join([words, *map(words_of_enrolment, answer.get("enrolments", ()))])


def _restored(answer: Json) -> str:
    return (
        f"Restored to position {answer['position']}, recorded {answer['as_of']}; {answer['shields']} shields and "
        f"{answer['destroyed']} destructions applied, views rebuilt.\n"
        "What came after that instant is not in it: have shields raised since then raised again."
    )


def _maintained(answer: Json) -> str:
    words = f"Rewrote {answer['tables']} tables in {answer['seconds']:.1f} s."
    if answer["busy"]:
        words += f" In use all the time, try again: {', '.join(answer['busy'])}."
    if not answer["wal"]:
        words += " The write-ahead log was left as it is: docs/operations.md says what to grant."
    return words


def _health(answer: Json) -> str:
    return "\n".join(
        f"{'well ' if p['ok'] else 'WRONG'}  {p['name']}: {p['detail']}" for p in answer["parts"]
    )
