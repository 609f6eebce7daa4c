"""`account bind`, `unbind`, `add-key`, `revoke-key`: what vouches for an account, as an account manager says."""

from pathlib import Path
from typing import Annotated

import typer

from cli.accounts import Because, Name, account, changed_account, granting
from cli.output import Json
from cli.session import session
from cli.vouching import key_file
from domain.account import commands
from domain.errors import BadInput


def add_to(_: typer.Typer) -> None:
    """Add these commands to the command line, under `account`."""
    account.command()(bind)
    account.command()(unbind)
    account.command("add-key")(add_key)
    # A thumbprint may begin with a hyphen, and is no option then.
    account.command("revoke-key", context_settings={"ignore_unknown_options": True})(revoke_key)


def bind(
    context: typer.Context,
    name: Name,
    subject: Annotated[
        str, typer.Option("--subject", help="What the provider calls its holder: `sub`, to the letter.")
    ],
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="The provider's own name. Default: that of the settings.")
    ] = None,
) -> None:
    """Let the OpenID provider vouch for an account's holder, in place of any authenticator. Every session ends."""
    run = session(context)
    provider = issuer or (run.settings.provider.issuer if run.settings.provider else None)
    if provider is None:
        raise BadInput("Say which provider: --issuer.", code="no-provider", field="issuer")
    with granting(run, "account") as work:
        number = f"P-{work.app.ids.new().hex[:20]}"
        command = commands.BindFederatedIdentifier(
            at=work.app.now(), issuer=provider, subject=subject, number=number
        )
        run.output.answer(work.change([name], command)[0], changed_account)


def unbind(context: typer.Context, name: Name, reason: Because) -> None:
    """Let the provider vouch for an account's holder no longer. Every session ends."""
    run = session(context)
    with granting(run, "account") as work:
        command = commands.UnbindFederatedIdentifier(at=work.app.now(), reason=reason)
        run.output.answer(work.change([name], command)[0], changed_account)


def add_key(
    context: typer.Context,
    name: Name,
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="The program's public key, as a JSON Web Key.")
    ],
) -> None:
    """Let a program sign in as an account with its private key; a second one, to change over. Prints its audience."""
    from adapters.openid.jose import public_key

    run = session(context)
    with granting(run, "account") as work:
        public, thumbprint = public_key(key_file(key))
        command = commands.RegisterClientKey(
            at=work.app.now(), thumbprint=thumbprint, key=public, number=f"K-{work.app.ids.new().hex[:20]}"
        )
        (shown,) = work.change([name], command)
        answer = {**shown, "key": thumbprint, "audience": work.app.vouching[1].audience}
        run.output.answer(answer, _words_of_key)


def revoke_key(
    context: typer.Context,
    name: Name,
    key: Annotated[str, typer.Argument(help="The key's thumbprint: `account show` lists them.")],
    reason: Because,
) -> None:
    """Let a program sign in with this key no longer. Every session of the account ends."""
    run = session(context)
    with granting(run, "account") as work:
        command = commands.RevokeClientKey(at=work.app.now(), thumbprint=key, reason=reason)
        run.output.answer(work.change([name], command)[0], changed_account)


def _words_of_key(answer: Json) -> str:
    return (
        f"{changed_account(answer)}\n  key {answer['key']} (kid); the program addresses what it signs to "
        f"{answer['audience']} (aud)"
    )
