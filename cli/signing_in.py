"""`sign-in`, `sign-out`, `session`, `enrol`: who is before the screen. No secret is ever an argument or a setting."""

import getpass
import sys
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

import typer

from cli.app import App
from cli.kept_session import SessionToken
from cli.output import Json
from cli.parsing import account_name, uuid_of
from cli.session import Session, session
from cli.vouching import chosen_way, stepped_up
from domain.access.model import Actor
from domain.account.model import fold as fold_account
from domain.errors import AccessDenied, BadInput, NotFound
from domain.policy.sessions import age_limit, idle_limit, step_up_period, stepped_up_within
from domain.ports import Session as SignedInSession
from domain.sessions import Begun
from domain.signing_in import Proof

SOURCE: Final = "command-line"
"""From where the command line asks: whoever sits at it has the home already, so one place is all there is."""
ISSUER: Final = "ContactPoint"
_LONGEST_LINE: Final = 1024
NOT_SIGNED_IN: Final = "You are not signed in: `contactpoint sign-in`."

Name = Annotated[str, typer.Argument(help="The account's name.")]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--stdin",
        help="Read what is asked for from standard input, a line each, in the order in which it is asked.",
    ),
]

own = typer.Typer(no_args_is_help=True, help="Your own sessions: where you are signed in.")
enrol = typer.Typer(
    no_args_is_help=True, help="Register your authenticator, with a code of your account manager's."
)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("sign-in")(sign_in)
    app.command("sign-out")(sign_out)
    app.add_typer(own, name="session")
    app.add_typer(enrol, name="enrol")


def sign_in(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="The account's name; not with --oidc, --client or --assertion.")
    ] = None,
    stdin: FromStdin = False,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="Sign in at the OpenID provider, in a browser on this machine.")
    ] = False,
    device: Annotated[
        bool, typer.Option("--device", help="With --oidc: in a browser on another device, with a code.")
    ] = False,
    client: Annotated[
        str | None,
        typer.Option("--client", metavar="ACCOUNT", help="Sign a program in as this account, with --key."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="The program's private key, as JSON Web Key or PEM."),
    ] = None,
    assertion: Annotated[
        Path | None,
        typer.Option(
            "--assertion",
            metavar="FILE",
            help="Sign a program in with what it signed itself (RFC 7523), where its key is out of reach.",
        ),
    ] = None,
) -> None:
    """Sign in with your password and the code that your device shows; commands then act as you.

    Asks for both, and keeps the session in a file under your own state folder that nobody else may read. Where your
    organisation has an OpenID provider, --oidc leaves both to it. Programs sign in with a key of their own.
    """
    run = session(context)
    if way := chosen_way(
        name=name, stdin=stdin, oidc=oidc, device=device, client=client, key=key, assertion=assertion
    ):
        with run.app() as app:
            before, begun = run.kept.token(), way(run, app)
            _kept(run, app, before, begun)
        return
    name = account_name(name or "", "name")
    password, code = asked(("Password", "Code"), stdin=stdin)
    with run.app() as app:
        before, now = run.kept.token(), app.now()
        done = app.signing.sign_in(Proof(name, password, code, source=SOURCE, device=run.kept.device()), now)
        _kept(run, app, before, Begun(done.session, done.token), done.device)


def _kept(
    run: Session, app: App, before: SessionToken | None, begun: Begun, device: str | None = None
) -> None:
    """Keep a session that has just begun, end that of whoever sat here before, and say until when it stands."""
    run.kept.keep(begun.token, device or run.kept.device() or "", begun.session.account)
    now = app.now()
    if before is not None:
        with suppress(AccessDenied):
            _end(app, app.signed_in(before), now)
    run.output.answer(_shown(app, begun.session, now), lambda a: f"Signed in until {a['until']:%H:%M} UTC.")


def sign_out(context: typer.Context) -> None:
    """End your session here."""
    run = session(context)
    token = run.kept.token()
    ended = False
    if token is not None:
        with run.app() as app, suppress(AccessDenied):  # it had ended before
            _end(app, app.signed_in(token), app.now())
            ended = True
        run.kept.forget()
    run.output.answer({"ended": ended}, lambda a: "Signed out." if a["ended"] else "You were not signed in.")


@own.command("list")
def list_sessions(context: typer.Context) -> None:
    """List where you are signed in."""
    run = session(context)
    with _own(run) as (app, viewer):
        now = app.now()
        found = [_shown(app, one, now, viewer) for one in app.signing.sessions.own(viewer, now)]
        run.output.answer({"sessions": found}, lambda a: "\n".join(map(_line, a["sessions"])))


@own.command()
def end(
    context: typer.Context, session_id: Annotated[str, typer.Argument(metavar="SESSION", help="Its id.")]
) -> None:
    """End a session of yours, this one or one that you left open elsewhere."""
    run = session(context)
    with _own(run) as (app, viewer):
        found = uuid_of(session_id, "session")
        app.signing.sessions.end(viewer, found, app.now())
        if viewer.session is not None and viewer.session.session_id == found:
            run.kept.forget()
        run.output.answer({"ended": found}, lambda _: "Ended.")


@own.command("step-up")
def step_up(
    context: typer.Context,
    stdin: FromStdin = False,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="Give your factors again at the OpenID provider, in a browser.")
    ] = False,
) -> None:
    """Give a code again: a look behind a shield and an act of two people ask for one given lately."""
    run = session(context)
    token = run.kept.token()
    if token is None:
        raise AccessDenied(NOT_SIGNED_IN, code="session-ended")
    code = None if oidc else asked(("Code",), stdin=stdin)[0]
    with run.app() as app:
        viewer = app.viewer(token)
        if code is None:
            begun = stepped_up(run, app, token.token, viewer)
        else:
            begun = app.signing.step_up(token.token, viewer, code, app.now())
        now = app.now()
        run.kept.keep(begun.token, run.kept.device() or "", begun.session.account)
        answer = {"session": begun.session.session_id, "until": now + step_up_period(app.rules)}
        run.output.answer(answer, lambda a: f"Until {a['until']:%H:%M} UTC.")


@own.command("let-mediator")
def let_mediator(
    context: typer.Context,
    mediator: Annotated[str, typer.Argument(help="The account of whoever you are on the telephone with.")],
) -> None:
    """Let a mediator make one look on your behalf: read them the word that is printed, once.

    What you may see is shown to them. Asks for a code given lately: `session step-up`.
    """
    run = session(context)
    name = account_name(mediator, "account")
    acting = run.actor()
    with run.app() as app:
        viewer = app.viewer(acting)
        if viewer.session is None:
            raise AccessDenied(NOT_SIGNED_IN, code="session-ended")
        try:
            named = app.holder_of(name, "account")
        except NotFound:
            named = None
        let = app.mediating.let(viewer, named, app.now())
        run.output.answer(
            {"word": let.word, "until": let.until},
            lambda a: f"Read out to {name}: {a['word']}\nGood for one look until {a['until']:%H:%M} UTC.",
        )


@own.command()
def password(context: typer.Context, stdin: FromStdin = False) -> None:
    """Choose another password. Every session of yours ends; sign in again."""
    run = session(context)
    token = run.kept.token()
    if token is None:
        raise AccessDenied(NOT_SIGNED_IN, code="session-ended")
    old, code, new = asked(("Present password", "Code", "New password"), stdin=stdin)
    with run.app() as app:
        viewer = app.viewer(token)
        opened = fold_account(app.serving.load(viewer.account)).open
        app.signing.change_password(viewer, old, code, new, opened.name, app.now())
        run.kept.forget()
        run.output.answer({"ended": True}, lambda _: "Your password is another now. Sign in again.")


@enrol.command()
def begin(context: typer.Context, name: Name, stdin: FromStdin = False) -> None:
    """Take the enrolment's code, and show the secret for your device, once. Then: enrol complete."""
    run = session(context)
    name = account_name(name, "name")
    (code,) = asked(("Enrolment code",), stdin=stdin)
    with run.app() as app:
        secret = b32encode(app.signing.enrol(name, code, app.now())).decode()
        label = f"{ISSUER}:{quote(name)}"
        answer = {"secret": secret, "uri": f"otpauth://totp/{label}?secret={secret}&issuer={ISSUER}"}
        run.output.answer(answer, _secret)


@enrol.command()
def complete(context: typer.Context, name: Name, stdin: FromStdin = False) -> None:
    """Register: with the enrolment's code, a password of your own choice and the code that your device now shows."""
    run = session(context)
    name = account_name(name, "name")
    code, chosen, digits = asked(("Enrolment code", "New password", "Code of your device"), stdin=stdin)
    with run.app() as app:
        number = app.signing.enrolled(name, code, chosen, digits, app.now())
        run.output.answer(
            {"registered": number}, lambda _: f"Registered. Sign in: contactpoint sign-in {name}"
        )


def asked(what: tuple[str, ...], *, stdin: bool) -> list[str]:
    """What is asked for, typed unseen at a terminal or, where the user says so, a line each on standard input.

    A new password is asked for twice at a terminal. Raises BadInput where there is neither.
    """
    if stdin:
        return [_line_of_stdin(one) for one in what]
    if not sys.stdin.isatty():
        raise BadInput(
            f"There is no terminal to ask at. Give --stdin and, a line each: {', '.join(what).lower()}.",
            code="no-terminal",
            field="stdin",
        )
    typed = []
    for one in what:
        typed.append(getpass.getpass(f"{one}: "))
        if one.startswith("New") and getpass.getpass(f"{one} again: ") != typed[-1]:
            raise BadInput("These are not the same: try again.", code="not-the-same", field="password")
    return typed


def _line_of_stdin(what: str) -> str:
    try:
        line = sys.stdin.readline(_LONGEST_LINE)
    except (OSError, ValueError):
        line = ""
    if not line.strip():
        raise BadInput(f"{what} is missing on standard input.", code="no-input", field="stdin")
    return line.rstrip("\r\n")


@contextmanager
def _own(run: Session) -> Iterator[tuple[App, Actor]]:
    """The home, and whoever acts in it."""
    acting = run.actor()
    with run.app() as app:
        yield app, app.viewer(acting) if isinstance(acting, str) else app.signed_in(acting)


def _end(app: App, viewer: Actor, now: datetime) -> None:
    if viewer.session is not None:
        app.signing.sessions.end(viewer, viewer.session.session_id, now)


def _shown(app: App, one: SignedInSession, now: datetime, viewer: Actor | None = None) -> Json:
    """A session as its holder sees it."""
    shown = {
        "session": one.session_id,
        "how": one.how,
        "began_at": one.began_at,
        "until": min(one.began_at + age_limit(app.rules), one.seen_at + idle_limit(app.rules)),
        "stepped_up": stepped_up_within(one, step_up_period(app.rules), now),
    }
    if viewer is not None:
        shown["this_one"] = viewer.session is not None and viewer.session.session_id == one.session_id
    return shown


def _line(one: Json) -> str:
    here = "  (this one)" if one["this_one"] else ""
    return f"{one['session']}  since {one['began_at']:%Y-%m-%d %H:%M} UTC, by {one['how']}{here}"


def _secret(answer: Json) -> str:
    return (
        f"Enter this secret into your device or program for time-based codes; it is not shown again:\n"
        f"    {answer['secret']}\n    {answer['uri']}"
    )
