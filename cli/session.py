"""What one run of the command line works with: the home, the output, who acts, and when to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

import typer

from cli.app import App
from cli.attending import attend
from cli.bootstrap import open_app, open_seals
from cli.kept_session import KeptSession, SessionToken
from cli.output import Output
from cli.sealing import SETTLE_SECONDS, Seals
from cli.settings import Settings
from domain.errors import BadInput


@dataclass
class Session:
    """Made once a run from the common options; opens the home when a command first needs it."""

    home_folder: Path | None
    output: Output
    acting: str | None
    second: str | None
    settings: Settings

    @property
    def home(self) -> Path:
        """The home folder, made absolute. Raises BadInput where something else stands in its place."""
        home = (self.home_folder or self.settings.home).expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise BadInput(
                "The home is a folder, and this is a file: name another.", code="no-home", field="home"
            )
        return home

    @contextmanager
    def app(self) -> Iterator[App]:
        """The home's databases, opened and closed again; what was written meanwhile is sealed before it ends."""
        with open_app(self.home, self.settings) as opened:
            if opened.seals.attended:
                attend(self.home)
            yield opened
            if opened.seals.attended and not opened.seals.settled(SETTLE_SECONDS):
                self.output.note("What was written is not sealed yet: `contactpoint health` says more.")

    @contextmanager
    def seals(self) -> Iterator[Seals]:
        """The seals of the home, to check them; without opening what they are of, which may be broken."""
        with open_seals(self.home, self.settings) as opened:
            if opened.attended:
                attend(self.home)
            yield opened

    @property
    def kept(self) -> KeptSession:
        """Where the session of whoever runs this is kept between commands."""
        return KeptSession.of(self.settings.state, self.home)

    def actor(self, default: str | None = None) -> str | SessionToken:
        """Who acts: whom --as names, else whoever is signed in, else the default.

        Raises BadInput where there is none of these.
        """
        acting = self.acting or self.kept.token() or default
        if acting is None:
            raise BadInput(
                "Say who acts: `contactpoint sign-in`, or in a training home --as ACCOUNT before the command.",
                code="usage",
                field="as",
            )
        self.output.shown_to = acting if isinstance(acting, str) else acting.account
        return acting

    def two(self) -> str:
        """The name of the second person. Raises BadInput where none is given."""
        if self.second is None:
            raise BadInput(
                "This needs two people: name the second with --with ACCOUNT, or --propose it to one.",
                code="two-people-needed",
                field="with",
            )
        return self.second


def session(context: typer.Context) -> Session:
    """The session that the common options made."""
    found = context.obj
    if not isinstance(found, Session):
        raise BadInput("The common options come before the command.", code="usage")
    return found


def stop_flag() -> Flag:
    """Set once this process is asked to stop: by Ctrl-C, or SIGTERM."""
    stopped = Flag()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stopped.set())
    return stopped
