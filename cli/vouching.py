"""Signing in on an OpenID provider's word, and programs with keys of their own. No key and no token is an argument."""

import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from cli.app import App
from cli.parsing import account_name
from cli.session import Session
from domain.access.model import Actor
from domain.errors import BadInput
from domain.sessions import Begun

if TYPE_CHECKING:
    from adapters.openid.relying_party import RelyingParty

_MOST_BYTES: Final = 64 * 1024
_OPEN_TO_OTHERS: Final = 0o077

Way: TypeAlias = Callable[[Session, App], Begun]


def chosen_way(
    *,
    name: str | None,
    stdin: bool,
    oidc: bool,
    device: bool,
    client: str | None,
    key: Path | None,
    assertion: Path | None,
) -> Way | None:
    """The way of signing in that was asked for; None: with a password and a code. Raises BadInput."""
    given = [name is not None, oidc, client is not None, assertion is not None]
    pairs = device <= oidc and (client is None) == (key is None) and stdin <= given[0]
    if sum(given) != 1 or not pairs:
        raise BadInput(
            "Sign in in one way: NAME, or --oidc (with --device), or --client ACCOUNT --key FILE, or --assertion FILE.",
            code="usage",
            field="name",
        )
    if oidc:
        return partial(_by_provider, device=device)
    if assertion is not None:
        return partial(_by_assertion, file=assertion)
    if client is not None and key is not None:
        return partial(_by_key, name=account_name(client, "client"), file=key)
    return None


def _by_provider(run: Session, app: App, *, device: bool) -> Begun:
    party = relying_party(run, app)
    vouched = (
        party.by_device(
            lambda address, code: run.output.to_copy(
                f"On any device, open this address and type the code {code}:\n{address}"
            )
        )
        if device
        else party.by_code(partial(_to_open, run))
    )
    return app.vouching[0].sign_in(vouched, app.now())


def stepped_up(run: Session, app: App, token: str, viewer: Actor) -> Begun:
    """Have whoever is signed in give their factors to the provider again, now. Raises AccessDenied, Unavailable."""
    vouched = relying_party(run, app).by_code(partial(_to_open, run), fresh=True)
    return app.vouching[0].step_up(token, viewer, vouched, app.now())


def _to_open(run: Session, address: str) -> None:
    run.output.to_copy(f"Open this address in a browser on this machine:\n{address}")


def relying_party(run: Session, app: App) -> "RelyingParty":
    """What asks the provider of the settings. Raises BadInput where there is none."""
    from adapters.openid.relying_party import RelyingParty

    provider = run.settings.provider
    if provider is None:
        raise BadInput(
            "No OpenID provider is set: CONTACTPOINT_OIDC_ISSUER, CONTACTPOINT_OIDC_CLIENT_ID and "
            "CONTACTPOINT_OIDC_TWO_FACTORS (docs/openid-connect.md).",
            code="no-provider",
            field="oidc",
        )
    return RelyingParty(provider.issuer, provider.client_id, provider.acr, provider.amr, app.clock)


def _by_key(_: Session, app: App, *, name: str, file: Path) -> Begun:
    from adapters.openid.assertions import made
    from adapters.openid.jose import private_key

    key, public, thumbprint = private_key(_read(file, "key", secret=True))
    clients, now = app.vouching[1], app.now()
    return clients.sign_in(made(key, public, thumbprint, name, clients.audience, now), now)


def _by_assertion(_: Session, app: App, *, file: Path) -> Begun:
    return app.vouching[1].sign_in(_read(file, "assertion").strip(), app.now())


def _read(file: Path, field: str, *, secret: bool = False) -> str:
    """What a file holds, `-` being standard input. Raises BadInput; also for a secret that others may read."""
    try:
        if str(file) == "-":
            text = sys.stdin.read(_MOST_BYTES)
        else:
            with file.open(encoding="utf-8") as opened:
                if secret and stat.S_IMODE(file.stat().st_mode) & _OPEN_TO_OTHERS:
                    raise BadInput(
                        "Others may read the file of this key, so it is not used: chmod 600, and make another key if "
                        "anybody did.",
                        code="key-exposed",
                        field=field,
                    )
                text = opened.read(_MOST_BYTES)
    except (OSError, ValueError):
        text = ""
    if not text.strip():
        raise BadInput(f"--{field} is no file that can be read.", code="no-file", field=field)
    return text


def key_file(file: Path) -> str:
    """What the file of a public key holds. Raises BadInput."""
    return _read(file, "key")
