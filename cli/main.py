"""The command line: `contactpoint [--home DIR] [--json] [--as ACCOUNT] [--with ACCOUNT] COMMAND …`.

Exit status: 0 done; 1 the thing asked about is not so; 2 wrong usage; 3 the system could not do it.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Annotated

import click
import typer

from cli import (
    accounts,
    archive,
    audit,
    bench,
    binding,
    broker,
    brokering,
    demo,
    handing_over,
    home,
    identities,
    investigations,
    keys,
    load,
    looking,
    new_identity,
    organisations,
    ownership,
    policy,
    population,
    projection,
    proposals,
    queue,
    record,
    retention,
    seal,
    shielding,
    signing_in,
    stream,
    subject_access,
    witness,
)
from cli.output import Output
from cli.session import Session
from cli.settings import Settings
from cli.status import ended

app = typer.Typer(
    name="contactpoint",
    help="An event-sourced index of children: who a child is and which services are involved, and nothing more.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


@app.callback()
def common(
    context: typer.Context,
    home_folder: Annotated[
        Path | None,
        typer.Option("--home", help="The home folder. Default: CONTACTPOINT_HOME or ./.contactpoint."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")
    ] = False,
    acting: Annotated[
        str | None, typer.Option("--as", help="The account that acts (training homes; elsewhere: sign-in).")
    ] = None,
    second: Annotated[
        str | None, typer.Option("--with", help="The second person, where two are needed.")
    ] = None,
) -> None:
    """What every command takes."""
    settings = context.obj if isinstance(context.obj, Settings) else Settings.from_environment()
    context.obj = Session(home_folder, Output(as_json=as_json), acting, second, settings)


for module in (
    home,
    load,
    population,
    record,
    shielding,
    brokering,
    ownership,
    identities,
    new_identity,
    looking,
    archive,
    handing_over,
    queue,
    proposals,
    audit,
    subject_access,
    investigations,
    retention,
    projection,
    policy,
    stream,
    seal,
    witness,
    accounts,
    binding,
    organisations,
    signing_in,
    keys,
    bench,
    broker,
    demo,
):
    module.add_to(app)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its status."""
    sys.exit(status_of(sys.argv[1:] if arguments is None else arguments))


def status_of(arguments: list[str], settings: Settings | None = None) -> int:
    """Run one command and give its status. `settings` stands in for the environment."""
    return ended(_tree("--json" in arguments), arguments, settings)


@cache
def _tree(as_json: bool) -> click.Command:
    """Every command with its options: making it takes as long as a look, so a process makes it once."""
    tree = typer.main.get_command(app)
    if as_json:
        _without_help(tree)
    return tree


def _without_help(command: click.Command) -> None:
    """Let a group without a command be a usage error: its help would stand on stdout beside the one line of JSON."""
    if isinstance(command, click.Group):
        command.no_args_is_help = False
        for below in command.commands.values():
            _without_help(below)
