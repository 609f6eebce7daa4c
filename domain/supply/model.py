"""A source record that was held back, and what may be decided of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.child_record import model as child_record
from domain.child_record.commands import Assertion
from domain.child_record.events import SourceKind
from domain.child_record.model import Involvement
from domain.errors import BadInput, Refused
from domain.kernel import Event, History
from domain.policy.rule_book import refuse_unless_in_force
from domain.rule_set.model import RuleSet
from domain.supply.commands import DecideHeldRecord
from domain.supply.events import HeldRecordDecided, SourceRecordHeld, SourceRecordReleased


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One source record held back. `released`: it is held no more, whoever decided, or its file was withdrawn."""

    held_id: UUID
    version: int
    since: datetime
    source_kind: SourceKind
    state: Literal["queued", "quarantined"]
    doubt: str | None
    candidates: tuple[UUID, ...]
    authority: str | None
    assertion: Assertion
    involvements: tuple[Involvement, ...]
    """The services it tells of."""
    released: bool


def fold(history: History) -> HeldRecord | None:
    """The held record that a stream tells of; None where it tells of none, or its reader may not open it."""
    first = history.events[0] if history.events else None
    if first is None or not isinstance(first.event, SourceRecordHeld):
        return None
    held = first.event
    return HeldRecord(
        history.stream_id,
        history.version,
        first.recorded_at,
        held.source_kind,
        held.reason,
        held.doubt,
        held.candidates,
        held.authority,
        held.assertion,
        child_record.fold(history).involvements,
        released=any(isinstance(recorded.event, SourceRecordReleased) for recorded in history.events[1:]),
    )


def concerns(held: HeldRecord, authorities: Iterable[str | None], body: str) -> bool:
    """Whether a held record is the concern of an authority's management team.

    authorities: those responsible for the records in question, None where none is or where a shield hides it. It
    concerns whoever is named, there or by the source; where nobody is, every management team.
    """
    named = {held.authority, *authorities} - {None}
    return not named or body in named


def decide(
    command: DecideHeldRecord,
    outcome: Literal["joined", "registered", "refused", "held-again"],
    child: UUID | None,
    rules: RuleSet,
) -> tuple[Event, Event]:
    """The decision, and that the record is held no more: `outcome` and `child` are what came of it."""
    return (
        HeldRecordDecided(
            source_kind=SourceKind.OFFICER,
            verdict=command.verdict,
            children=command.children,
            reason=command.reason,
            rule_set=rules.id,
        ),
        SourceRecordReleased(source_kind=SourceKind.INDEX, outcome=outcome, child=child),
    )


def must_be_decidable(held: HeldRecord, command: DecideHeldRecord, rules: RuleSet) -> None:
    """Refuse what was decided before, and what is no decision. Raises Refused, BadInput."""
    refuse_unless_in_force(rules, command.at)
    wanted = {"same": range(1, 2), "not-the-same": range(21)}.get(command.verdict, range(1))
    if len(command.children) not in wanted:
        raise BadInput("Name one child with `same`, none with `new` and `refuse`.", field="children")
    if command.reason not in rules.review.reasons:
        raise BadInput(
            f"The reason is one of: {', '.join(rules.review.reasons)}.", code="unknown-reason", field="reason"
        )
    if held.released:
        raise already_decided()


def already_decided() -> Refused:
    """What whoever decides second is told."""
    return Refused(
        "This record is held no more: somebody has decided, or its file was withdrawn.",
        code="already-decided",
    )
