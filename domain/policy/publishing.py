"""What subscribers are told of a change: that there was one, to whom, of which kind; never a value.

Sensitive changes publish nothing; neither does anything of a shielded child that concerns whereabouts or a service. The
kinds stand in the rule set (`signals`); what no rule set can widen stands here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from domain.kernel import History, Recorded
from domain.policy.shielding import RAISED, shielded
from domain.rule_set.model import RuleSet, SignalKind

NEVER: Final = frozenset(
    {
        "sensitive-involvement-begun",
        "sensitive-involvement-grounded",
        "sensitive-consent-withdrawn",
        "sensitive-involvement-ended",
        "facts-withheld",  # it says that a restricted message came
        "link-ruled-out",  # it says that somebody resembles this child
        "subject-access-requested",  # who asked, and how it went, is between them and the authority
        "right-claimed",
        "right-decided",
        "subject-access-paused",
        "subject-access-resumed",
        "subject-access-answered",
        "destruction-held",  # it says that somebody is at law, or investigates
        "hold-released",
        "shield-requested",  # who asked, and how it goes on, is between them and the authority
        "shield-requester-verified",
        "shield-decided",
        "shield-reviewed",
        "lift-decided",
        "contact-asked",  # that somebody wants to reach who is hidden, and whether they may
        "contact-passed-on",
        "contact-answered",
        "transfer-offered",  # which authorities talk about whom is between them, until one of them is responsible
        "transfer-withdrawn",
        "transfer-declined",
        "record-absorbed",  # it says which two numbers are of one child
        "origins-named",
        "rulings-reversed",
        "record-closed",
        "record-split-off",
        "wrong-view-noted",
        "identity-vetoed",
    }
)
"""Stored names of events that are published under no rule set."""

_SILENT_BESIDES: Final = frozenset({"supply-withdrawn"})
"""Silent for a shielded child beside what is concealed: it may take back whereabouts."""
_IDENTITY: Final = "identity-asserted"
"""Told of a shielded child where what is shown of it changed: every message that tells where it is says as well who."""
_DESTROYED: Final = "destruction-completed"


@dataclass(frozen=True, slots=True)
class Signal:
    """That a record changed. `event_id` is that of the stored event, `at` when it was recorded."""

    event_id: UUID
    child_id: UUID
    kind: SignalKind
    at: datetime


Changed: TypeAlias = Callable[[UUID, int], bool]
"""Whether what is shown of a shielded child changed with the event of this version of its stream."""


def signals_of(
    history: History, after: int, upto: int, rules: RuleSet, changed: Changed
) -> list[tuple[int, Signal]]:
    """The signals of one stream's events at positions behind `after`, to `upto`, each with its position.

    `history` is the whole stream as the log has it now, read without the `shielded` database. A child counts as
    shielded at an event if a shield stood then or stands now: whoever publishes late must not tell what a shield
    raised meanwhile hides.
    """
    events = [recorded.event for recorded in history.events]
    now = shielded(events)
    ever = any(event.NAME == RAISED for event in events)
    found: list[tuple[int, Signal]] = []
    for count, recorded in enumerate(history.events, 1):
        if not after < recorded.position <= upto:
            continue
        hidden = now or (ever and shielded(events[:count]))
        signal = _signal(recorded, rules, hidden=hidden)
        if hidden and recorded.event.NAME == _IDENTITY and not changed(recorded.stream_id, recorded.version):
            continue
        if signal is not None:
            found.append((recorded.position, signal))
    return found


def _signal(recorded: Recorded, rules: RuleSet, *, hidden: bool) -> Signal | None:
    event = recorded.event
    kind = rules.signals.get(event.NAME)
    if kind is None or event.NAME in NEVER:
        return None
    if hidden and (event.CONCEALED or event.NAME in _SILENT_BESIDES):
        return None
    child = recorded.stream_id
    if event.NAME == _DESTROYED:  # on a stream of its own, which names the child
        child = event.child  # type: ignore[attr-defined]  # domain.destruction.events.DestructionCompleted
    return Signal(recorded.event_id, child, kind, recorded.recorded_at)
