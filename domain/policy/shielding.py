"""Whether a record is shielded: a join over its stream that only `shield-lifted` undoes.

A shield stands from the event that raises it, provisional or not, until an event names it as lifted. Expiry, feeds and
the withdrawal of the file that raised it change nothing. Events are known here by their stored names: this rule is
older than any one class of them and is applied before anything else of a record is opened.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from domain.kernel import Event

RAISED: Final = "shield-raised"
LIFTED: Final = "shield-lifted"
SHIELD_EVENTS: Final = frozenset({RAISED, LIFTED})


def shields(events: Iterable[Event]) -> frozenset[UUID]:
    """The shields that stand after these events of one stream, in order. Other events are passed over."""
    standing: set[UUID] = set()
    for event in events:
        if event.NAME == RAISED:
            standing.add(event.shield)  # type: ignore[attr-defined]  # domain.child_record.events.ShieldRaised
        elif event.NAME == LIFTED:
            standing.difference_update(event.shields)  # type: ignore[attr-defined]
    return frozenset(standing)


def shielded(events: Iterable[Event]) -> bool:
    """Whether any shield stands after these events of one stream."""
    return bool(shields(events))
