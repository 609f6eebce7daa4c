"""What subscribers are told of a change: that there was one, to whom, of which kind; never a value.

Sensitive changes publish nothing; neither does anything of a shielded child that concerns whereabouts or a service. The
kinds stand in the rule set (`signals`); what no rule set can widen stands here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.child_record.events import (
    FactsWithheld,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementBegun,
    SensitiveInvolvementEnded,
    ShieldLifted,
    ShieldRaised,
    SupplyWithdrawn,
)
from domain.destruction.events import DestructionCompleted
from domain.kernel import Event, History, Recorded
from domain.rule_set.model import RuleSet, SignalKind

NEVER: Final[tuple[type[Event], ...]] = (
    SensitiveInvolvementBegun,
    SensitiveConsentWithdrawn,
    SensitiveInvolvementEnded,
    FactsWithheld,  # it says that a restricted message came
)
"""Published under no rule set."""


@dataclass(frozen=True, slots=True)
class Signal:
    """That a record changed. `event_id` is that of the stored event, `at` when it was recorded."""

    event_id: UUID
    child_id: UUID
    kind: SignalKind
    at: datetime


def signals_of(history: History, after: int, upto: int, rules: RuleSet) -> list[tuple[int, Signal]]:
    """The signals of one stream's events at positions behind `after`, to `upto`, each with its position.

    `history` is the whole stream as the log has it now, read without the `shielded` database. A child counts as
    shielded at an event if a shield stood then or stands now: whoever publishes late must not tell what a shield
    raised meanwhile hides.
    """
    standing: set[UUID] = set()
    spans: list[tuple[Recorded, bool]] = []
    for recorded in history.events:
        event = recorded.event
        match event:
            case ShieldRaised():
                standing.add(event.shield)
            case ShieldLifted():
                standing -= set(event.shields)
            case _:
                pass
        spans.append((recorded, bool(standing)))
    shielded_now = bool(standing)
    return [
        (recorded.position, signal)
        for recorded, shielded_then in spans
        if after < recorded.position <= upto
        and (signal := _signal(recorded, rules, shielded=shielded_then or shielded_now)) is not None
    ]


def _signal(recorded: Recorded, rules: RuleSet, *, shielded: bool) -> Signal | None:
    event = recorded.event
    kind = rules.signals.get(event.NAME)
    if kind is None or isinstance(event, NEVER):
        return None
    if shielded and (event.CONCEALED or isinstance(event, SupplyWithdrawn)):
        return None
    child = event.child if isinstance(event, DestructionCompleted) else recorded.stream_id
    return Signal(recorded.event_id, child, kind, recorded.recorded_at)
