"""`given(history).when(command).then(events)`: a rule of the child record as a sentence.

A history is told in commands (decided one after another, as in life) or in events.
"""

from functools import reduce
from uuid import UUID

from domain.child_record.decisions import Decision, decide
from domain.child_record.model import ChildRecord, evolve
from domain.errors import Refused
from domain.kernel import Command, Event, Log, Recorded
from domain.personal_data import HIDDEN
from tests.builders import CHILD, NOW, the_rules


def recorded(event: Event, version: int, content_key: int = 1, stream: UUID = CHILD) -> Recorded:
    """An event as the log would give it back."""
    return Recorded(Log.RECORD, version, NOW, UUID(int=version), stream, version, content_key, event, HIDDEN)


def apply(record: ChildRecord, decision: Decision) -> ChildRecord:
    """The record after a decision."""
    numbered = enumerate(zip(decision.events, decision.content_keys, strict=True), record.version + 1)
    return reduce(evolve, (recorded(event, version, key) for version, (event, key) in numbered), record)


def after(*history: Command | Event) -> ChildRecord:
    """The record that a history leads to."""
    record = ChildRecord(CHILD)
    for fact in history:
        if isinstance(fact, Command):
            record = apply(record, decide(record, fact, the_rules()))
        else:
            record = evolve(record, recorded(fact, record.version + 1))
    return record


class given:  # noqa: N801 - reads as a sentence
    """A record with a history."""

    def __init__(self, *history: Command | Event) -> None:
        self._record = after(*history)

    def when(self, command: Command) -> "Outcome":
        """A command is put to it."""
        try:
            return Outcome(self._record, decide(self._record, command, the_rules()))
        except Refused as refusal:
            return Outcome(self._record, refusal)


class Outcome:
    """Events, or a refusal."""

    def __init__(self, before: ChildRecord, result: Decision | Refused) -> None:
        self._before = before
        self._result = result

    @property
    def decision(self) -> Decision:
        """The decision; fails the test where there was a refusal."""
        assert isinstance(self._result, Decision), f"refused: {self._result}"
        return self._result

    @property
    def record(self) -> ChildRecord:
        """The record afterwards."""
        return apply(self._before, self.decision)

    def then(self, *kinds: type[Event]) -> ChildRecord:
        """These events follow, in this order. Returns the record afterwards."""
        assert [type(event) for event in self.decision.events] == list(kinds)
        return self.record

    def then_nothing(self) -> None:
        """It changes nothing, and says nothing."""
        assert self.decision.events == ()

    def then_refused(self, code: str, field: str | None = None) -> Refused:
        """It is refused, with this code, because of this field."""
        assert isinstance(self._result, Refused), f"not refused: {self._result}"
        assert (self._result.code, self._result.field) == (code, field)
        return self._result
