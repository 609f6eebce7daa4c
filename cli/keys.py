"""`keys`: the key-encryption keys and the sweep. For whoever keeps the keys, who runs nothing else."""

import typer

from cli.session import session

keys = typer.Typer(
    no_args_is_help=True, help="Key-encryption keys: rotate them; sweep keys that nothing uses."
)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(keys, name="keys")


@keys.command()
def rotate(context: typer.Context) -> None:
    """Wrap every key under a new key-encryption key and destroy the old one. Safe to stop and start again."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("key-holder" if app.training else None), "keys")
        run.output.answer(
            app.upkeep.rotate(run.output),
            lambda a: f"Wrapped {a['rewrapped']} keys anew; the old key-encryption keys are destroyed.",
        )


@keys.command()
def sweep(context: typer.Context) -> None:
    """Remove keys that have been without a stream for thirty days."""
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("key-holder" if app.training else None), "keys")
        run.output.answer(app.upkeep.sweep(), lambda a: f"Removed {a['removed']} keys that nothing used.")
