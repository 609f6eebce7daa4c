"""`projection`: operate the views. A rebuild never leaves a gap: the live view serves until the switch."""

from typing import Annotated

import typer

from cli.output import Json
from cli.session import session
from projections.operations import Operations

projection = typer.Typer(no_args_is_help=True, help="Operate the views: status, run, rebuild, compare, switch, roll back.")

Name = Annotated[str, typer.Argument(help="The view's name, as `projection list` prints it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(projection, name="projection")
