"""`bench`: how fast it is, each figure beside its yardstick in the same run, on the same server."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
