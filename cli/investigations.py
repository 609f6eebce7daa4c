"""`investigation`: what somebody did with their access is looked into; opened by the index, closed by a person.

The national audit team sees all of them, an authority's management team those of its area, a line manager that there is
one. None sees the child: what an access showed is for the audit trail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

import typer

from cli.app import App
from cli.output import Json
from cli.parsing import uuid_of
from cli.session import session
from domain.access.commands import ReadAbout
from domain.access.handlers import read_about
from domain.access.model import Actor
from domain.access.showing import Shown
from domain.investigation.commands import CloseInvestigation, TakeInvestigation, TellLineManager
from domain.investigation.handlers import handle
from domain.investigation.model import Investigation, fold, not_yours
from domain.kernel import Command

investigation = typer.Typer(
    no_args_is_help=True, help="Looking into what somebody did with their access: opened, taken, closed."
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `investigation list` prints.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(investigation, name="investigation")


@dataclass(frozen=True, slots=True)
class Investigating:
    """One person at work on investigations. Every reading is on record as a look, every refusal before it is told."""

    app: App
    viewer: Actor

    def listed(self, limit: int, *, closed: bool) -> Shown:
        """Those that are this person's to see, the longest open first."""
        self.app.catch_up()
        area = None if self._everywhere() else self.viewer.area
        found = self.app.waiting.investigations(area, limit, closed=closed)
        theirs = [one.investigation_id for one in self._opened(found) if self._is_theirs(one)]
        return self._read("investigate", None, theirs)

    def notices(self, limit: int) -> Shown:
        """Those of people this person manages at work; that they were told is on record with the first reading."""
        self.app.catch_up()
        number = self.viewer.holder.number
        found = (
            self._opened(self.app.waiting.investigations_told_to(self.viewer.organisation, number, limit))
            if number
            else []
        )
        for one in found:
            self._carry_out(one, TellLineManager(at=self.app.now()))
        self.app.catch_up()
        return self._read("line-manage", None, [one.investigation_id for one in found])

    def shown(self, investigation_id: UUID) -> Shown:
        """One of them. Raises NotFound alike where there is none, or it is not this person's to see."""
        found = self._theirs(investigation_id)
        return self._read("investigate", investigation_id, [found.investigation_id])

    def change(self, investigation_id: UUID, command: Command) -> Json:
        """Carry out one command on one of them, and say how it stands."""
        with self.app.refusals_recorded(self.viewer, "investigate", investigation_id):
            self._carry_out(self._theirs(investigation_id), command)
        self.app.catch_up()
        found = self._theirs(investigation_id)
        reach = self.app.trail.reach()
        (told,) = self.app.staff.investigations(
            [found.investigation_id], reach, self.app.now(), self.app.rules
        )
        return told

    def _carry_out(self, one: Investigation, command: Command) -> None:
        metadata = self.app.metadata(self.viewer, purpose=self.app.reason(self.viewer))
        handle(one.investigation_id, command, store=self.app.serving, rules=self.app.rules, metadata=metadata)

    def _everywhere(self) -> bool:
        """Whether this is the national audit team."""
        return self.app.rules.role_may(self.viewer.role, "what-saw")

    def _is_theirs(self, one: Investigation) -> bool:
        about = one.about
        own = about.account == self.viewer.account
        return not own and (self._everywhere() or about.area == self.viewer.area)

    def _theirs(self, investigation_id: UUID) -> Investigation:
        with self.app.refusals_recorded(self.viewer, "investigate", investigation_id):
            one = fold(self.app.serving.load(investigation_id))
            if not self._is_theirs(one):
                raise not_yours()
        return one

    def _opened(self, ids: Sequence[UUID]) -> list[Investigation]:
        streams = self.app.serving.load_many(ids)
        return [fold(streams[one]) for one in ids if one in streams]

    def _read(
        self, action: Literal["investigate", "line-manage"], subject: UUID | None, listed: Sequence[UUID]
    ) -> Shown:
        command = ReadAbout(
            at=self.app.now(),
            access_id=self.app.ids.new(),
            reason=self.app.reason(self.viewer),
            action=action,
            what="investigations",
            subject=subject,
            listed=tuple(listed),
        )
        return read_about(command, self.app.looking(self.viewer))


@investigation.command("list")
def list_(
    context: typer.Context,
    closed: Annotated[
        bool, typer.Option("--closed", help="Those that are closed, the newest first.")
    ] = False,
    limit: Limit = 50,
) -> None:
    """List what is to be looked into, the longest open first; what nobody took up in time is overdue."""
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor("auditor" if app.training else None), "investigate")
        shown = Investigating(app, viewer).listed(limit, closed=closed)
        run.output.answer({"access_id": shown.access_id, **shown.display}, _listed)


@investigation.command()
def notices(context: typer.Context, limit: Limit = 50) -> None:
    """List what is looked into about people you manage at work. That you were told is on record."""
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor(), "line-manage")
        shown = Investigating(app, viewer).notices(limit)
        run.output.answer({"access_id": shown.access_id, **shown.display}, _listed)


@investigation.command()
def show(context: typer.Context, opened: Id) -> None:
    """Show one: why it was opened, about whose access, who looks into it, and how it ended."""
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor("auditor" if app.training else None), "investigate")
        shown = Investigating(app, viewer).shown(uuid_of(opened, "ID"))
        (found,) = shown.display["investigations"]
        run.output.answer({"access_id": shown.access_id, **found}, _whole)


@investigation.command()
def take(context: typer.Context, opened: Id) -> None:
    """Look into it yourself; nobody looks into what they did themselves."""
    _change(context, opened, lambda app: TakeInvestigation(at=app.now()))


@investigation.command()
def close(
    context: typer.Context,
    opened: Id,
    outcome: Annotated[
        str, typer.Option("--outcome", help="How it ended: a code, for example no-misuse or misuse.")
    ],
) -> None:
    """Close what you looked into. An account that was suspended is let in again by its account manager."""
    _change(context, opened, lambda app: CloseInvestigation(at=app.now(), outcome=outcome))


def _change(context: typer.Context, opened: str, make: Callable[[App], Command]) -> None:
    run = session(context)
    with run.app() as app:
        viewer = app.permitted(run.actor("auditor" if app.training else None), "investigate")
        answer = Investigating(app, viewer).change(uuid_of(opened, "ID"), make(app))
        run.output.answer(answer, _whole)


def _listed(answer: Json) -> str:
    return "\n".join(map(_line, answer["investigations"])) or "Nothing is to be looked into."


def _line(one: Json) -> str:
    late = "OVERDUE " if one["overdue"] else ""
    return f"{one['opened_at']}  {late}{one['cause']}  by {one['account']}  {one['investigation']}"


def _whole(one: Json) -> str:
    who = f"{one['account']}{' (suspended)' if one['account_suspended'] else ''}"
    told = "told" if one["line_manager_told"] else "not told yet"
    by = one["investigator"] or "nobody yet"
    return "\n".join(
        [
            f"{one['what']}: {who}, access {one['access']}",
            f"  opened at {one['opened_at']}, to be taken up by {one['review_by']}",
            f"  line manager {told}; looked into by {by}; {one['outcome'] or 'open'}",
        ]
    )
