"""`account`: who may look."""

import typer

from cli.output import Json
from cli.session import session

account = typer.Typer(no_args_is_help=True, help="Accounts: who may look, and as what.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(account, name="account")


@account.command("show")
def show_account(context: typer.Context, name: str = typer.Argument(help="The account's name.")) -> None:
    """Show one account: its role, body, area and purposes."""
    run = session(context)
    with run.app() as app:
        viewer = app.viewer(name)
        answer = {
            "account": viewer.account,
            "name": name,
            "role": viewer.role,
            "body": viewer.body,
            "area": viewer.area,
            "purposes": list(viewer.purposes),
        }
        run.output.answer(answer, _account)


def _account(answer: Json) -> str:
    return f"{answer['name']}: {answer['role']} of {answer['body']}, may look for {', '.join(answer['purposes'])}"
