"""The closure of the whole index: from when on it is closed, to whom, and until when nothing may be left.

Users of the original were cut off at noon on 6 August 2010; what it held was to be destroyed within two months
(written ministerial statement, 2010). An instant, not a day: whoever looks a moment earlier is shown what they ask for.
"""

from datetime import date, datetime
from typing import Final

from domain.errors import Refused
from domain.policy.retention import london_day, months_after
from domain.rule_set.model import Closure, Right, RuleSet

CLOSED: Final = (
    "The index is closed: nobody looks or changes anything but those whom the closure order names."
)


def closed(rules: RuleSet, instant: datetime) -> Closure | None:
    """The closure that has come at an instant (aware); None while the index is open."""
    closure = rules.closure
    return closure if closure is not None and closure.at <= instant else None


def shut_out(rules: RuleSet, instant: datetime, role: str, right: Right | None = None) -> bool:
    """Whether closure keeps a role out at an instant; with a right, whether it keeps it from that."""
    closure = closed(rules, instant)
    if closure is None:
        return False
    kept = closure.may.get(role)
    return kept is None or (right is not None and right not in kept)


def destroyed_by(closure: Closure) -> date:
    """The last day on which anything may be left."""
    return months_after(london_day(closure.at), closure.destroy_months)


def refuse_once_closed(rules: RuleSet, instant: datetime) -> None:
    """Stop what goes on over the minute of closure. Raises Refused, code `index-closed`."""
    if closed(rules, instant) is not None:
        raise Refused(CLOSED, code="index-closed")
