"""The state of one investigation, what may be decided about it, and `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Final
from uuid import UUID

from domain.errors import BadInput, NotFound, Refused
from domain.investigation.commands import CloseInvestigation, TakeInvestigation, TellLineManager
from domain.investigation.events import (
    InvestigationClosed,
    InvestigationOpened,
    InvestigationTaken,
    LineManagerTold,
)
from domain.kernel import Command, Event, History, Metadata, Recorded
from domain.rule_set.model import RuleSet

_NO_INVESTIGATION: Final = "There is no such investigation among those that are yours to see."


@dataclass(frozen=True, slots=True)
class Investigation:
    """One investigation. `opened` is None where there is none. taken_by, closed_by: accounts."""

    investigation_id: UUID
    version: int = 0
    opened: InvestigationOpened | None = None
    opened_at: datetime | None = None
    told: bool = False
    taken_by: UUID | None = None
    outcome: str | None = None

    @property
    def about(self) -> InvestigationOpened:
        """What it was opened for. Raises NotFound where there is none."""
        if self.opened is None:
            raise NotFound(_NO_INVESTIGATION, field="investigation")
        return self.opened


def not_yours() -> NotFound:
    """That there is none, for whoever may not see it as well."""
    return NotFound(_NO_INVESTIGATION, field="investigation")


def decide(found: Investigation, command: Command, actor: UUID, rules: RuleSet) -> Sequence[Event]:
    """What comes of a command. Raises NotFound; Refused: `closed-already`, `own-investigation`, `taken-already`,
    `not-taken`; BadInput: `unknown-outcome`."""
    about = found.about
    if isinstance(command, TellLineManager):
        return () if found.told else (LineManagerTold(),)
    if actor == about.account:
        raise Refused("Nobody looks into what they did themselves.", code="own-investigation")
    if found.outcome is not None:
        raise Refused("This investigation is closed.", code="closed-already")
    match command:
        case TakeInvestigation():
            if found.taken_by not in (None, actor):
                raise Refused("Somebody else investigates this already.", code="taken-already")
            return () if found.taken_by == actor else (InvestigationTaken(),)
        case CloseInvestigation():
            if command.outcome not in rules.conduct.outcomes:
                raise BadInput(
                    f"The outcome is one of: {', '.join(rules.conduct.outcomes)}.",
                    code="unknown-outcome",
                    field="outcome",
                )
            if found.taken_by != actor:
                raise Refused(
                    "Whoever investigates it closes it: `investigation take` first.", code="not-taken"
                )
            return (InvestigationClosed(outcome=command.outcome),)
        case _:
            raise TypeError(f"nobody decides on {type(command).__name__}")


def fold(history: History) -> Investigation:
    """The investigation that a whole stream tells of."""
    found = reduce(evolve, history.events, Investigation(history.stream_id))
    return replace(found, version=history.version)


def evolve(found: Investigation, recorded: Recorded) -> Investigation:
    """Fold one event into the investigation. Total."""
    match recorded.event:
        case InvestigationOpened() as opened:
            return replace(found, opened=opened, opened_at=recorded.recorded_at)
        case LineManagerTold():
            return replace(found, told=True)
        case InvestigationTaken():
            metadata = recorded.metadata
            return replace(found, taken_by=metadata.actor if isinstance(metadata, Metadata) else None)
        case InvestigationClosed() as closed:
            return replace(found, outcome=closed.outcome)
        case _:
            return found
