"""`policy`: the rule sets that decide."""

import typer

from cli.output import Json
from cli.session import session

policy = typer.Typer(no_args_is_help=True, help="Rule sets: the law as dated data.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(policy, name="policy")


@policy.command("list")
def list_rule_sets(context: typer.Context) -> None:
    """List the rule sets in the product and which of them this home has adopted."""
    run = session(context)
    with run.app() as app:
        run.output.answer({"rule_sets": app.rule_sets()}, _rule_sets)


def _rule_sets(answer: Json) -> str:
    return "\n".join(
        f"{one['id']}{' (adopted)' if one['adopted'] else ''}, "
        f"from {one['valid_from']} to {one['valid_to'] or 'now'}: {one['title']}"
        for one in answer["rule_sets"]
    )
