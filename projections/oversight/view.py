"""Which proposals and investigations there are, and whether one still waits.

What they say is no view's to hold: whoever lists them folds their streams.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.investigation.events import InvestigationClosed, InvestigationOpened
from domain.kernel import History, Log
from domain.proposal.events import ActConfirmed, ActProposed, ProposalExpired, ProposalWithdrawn
from domain.rule_set.model import RuleSet
from projections.projection import Depth, Projection, Row, Table, reads


class ProposalRow(NamedTuple):
    """A proposal. `waits`: neither confirmed nor withdrawn, nor found to have expired."""

    proposal_id: UUID
    proposed_at: datetime
    expires_at: datetime
    waits: bool


class InvestigationRow(NamedTuple):
    """An investigation. organisation, area: of whoever looked; line_manager: the number of whoever is told there."""

    investigation_id: UUID
    opened_at: datetime
    organisation: UUID
    area: str
    line_manager: str | None
    waits: bool


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The row of one proposal's or investigation's stream; none for other streams."""
    del rules
    first = history.events[0] if history.events else None
    match first.event if first else None:
        case ActProposed() as made if first:
            waits = len(history.events) == 1
            return (ProposalRow(history.stream_id, first.recorded_at, made.expires_at, waits),)
        case InvestigationOpened() as opened if first:
            waits = not any(isinstance(one.event, InvestigationClosed) for one in history.events)
            return (
                InvestigationRow(
                    history.stream_id,
                    first.recorded_at,
                    opened.organisation,
                    opened.area,
                    opened.line_manager,
                    waits,
                ),
            )
        case _:
            return ()


OVERSIGHT: Final = Projection(
    name="oversight",
    version=1,
    logs=(Log.RECORD,),
    tables=(
        Table("proposal", ProposalRow, key=("proposal_id",), stream="proposal_id"),
        Table("investigation", InvestigationRow, key=("investigation_id",), stream="investigation_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    reads=reads(
        Depth.EVENTS,
        ActProposed,
        ActConfirmed,
        ProposalWithdrawn,
        ProposalExpired,
        InvestigationOpened,
        InvestigationClosed,
    ),
)
