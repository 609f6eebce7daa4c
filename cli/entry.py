"""The console script. A worker process begins by importing it anew, so the commands are imported when one is run."""


def run() -> None:
    """Run the command line and leave with its status."""
    from cli.main import run as run_command

    run_command()
