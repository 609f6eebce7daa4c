"""How many records other rules would change: every one folded from the log, and nothing kept but counts."""

from collections import Counter
from collections.abc import Callable

from cli.app import App
from cli.output import Json
from domain.disclosure import RecordFacts
from domain.kernel import Log
from domain.rehearsal import compared
from domain.rule_set.model import RuleSet
from projections.ports import Slice
from projections.projection import Depth, Reads, as_served
from projections.reading import facts_of


def rehearse(app: App, other: RuleSet, report: Callable[[int, int], None]) -> Json:
    """Compare the rules in force now with others, over every record, as whoever may not look behind a shield has it.

    report: told how many events are behind, and how many there are. Raises Unavailable.
    """
    at, engine = app.now(), app.operations.engine
    now, upto = app.rules_at(at), engine.log.head(Log.RECORD)
    count = engine.slices.count(Log.RECORD, upto)
    found: Counter[str] = Counter()
    gains: Counter[str] = Counter()
    loses: Counter[str] = Counter()
    events = 0
    for number in range(count):
        slice_ = Slice(Log.RECORD, number, count)
        for _, history in engine.slices.histories(slice_, upto, Reads(Depth.EVENTS)):
            if history is None:
                found["unopened"] += 1
                continue
            events += history.version
            facts = facts_of(as_served(history))
            if not isinstance(facts, RecordFacts):
                continue
            one = compared(facts, now, other, at)
            found["records"] += 1
            found["gains_sight"] += bool(one.gains)
            found["loses_sight"] += bool(one.loses)
            found["retention_changes"] += one.retention
            gains.update(one.gains)
            loses.update(one.loses)
        report(min(events, upto), upto)
    names = ("records", "gains_sight", "loses_sight", "retention_changes", "unopened")
    return {
        "policy": now.id,
        "other": other.id,
        **{name: found[name] for name in names},
        "roles": {
            role: {"gains_sight": gains[role], "loses_sight": loses[role]}
            for role in dict.fromkeys([*now.roles, *other.roles])
            if gains[role] or loses[role]
        },
    }
