"""Which rule set is in force when, and what may be adopted to follow it.

A decision is taken under the set in force on its own legal day: that of the command, or of the look. On every day from
the first set on exactly one is in force, and nothing adopted today is in force before tomorrow; so whatever has been
decided stays decided under the rules it was decided under.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from domain.errors import NotFound, Refused, Unavailable
from domain.policy.closure import closed
from domain.policy.retention import begin_of, london_day
from domain.rule_set.events import RuleSetAdopted
from domain.rule_set.model import RuleSet

RULE_BOOK: Final = UUID("72756c65-7300-4000-8000-000000000001")
"""The stream in which a home has its rule sets adopted, in the order in which they follow each other."""
NOTICE: Final = timedelta(minutes=10)
"""So long before its first day begins a rule set is adopted: whoever reads the book on that day finds it there."""


class InForce(Protocol):
    """What knows the rules of every instant that can have come."""

    def at(self, instant: datetime) -> RuleSet:
        """The rule set in force at an instant. Raises Refused (`no-rules-then`) before the first of them."""
        ...


class RuleBook:
    """Rule sets that follow each other. Each is in force until the next begins, whether or not its file says so.

    So is the last, even beyond the day on which it says that it ends (`ends`): without rules nothing could be decided,
    shielding, destroying and adopting the next included. That it has ended is for `health` to say.
    """

    def __init__(self, sets: Iterable[RuleSet]) -> None:
        ordered = sorted(sets, key=lambda one: one.valid_from)
        until = [*(one.valid_from for one in ordered[1:]), None]
        self.ends: Final = ordered[-1].valid_to if ordered else None
        self.sets: Final = tuple(
            one if one.valid_to == end else one.model_copy(update={"valid_to": end})
            for one, end in zip(ordered, until, strict=True)
        )
        self._latest_first: Final = tuple(
            (begin_of(one.valid_from).astimezone(UTC), one) for one in reversed(self.sets)
        )

    def at(self, instant: datetime) -> RuleSet:
        """See `InForce`."""
        for begins, one in self._latest_first:
            if begins <= instant:
                return one
        raise Refused(
            "No rule set is in force on that day: `policy list` says which are.", code="no-rules-then"
        )

    def on(self, day: date) -> RuleSet:
        """The rule set in force on a legal day. Raises as `at`."""
        return self.at(begin_of(day))

    def named(self, rule_set: str) -> RuleSet:
        """One of them by its id. Raises NotFound."""
        for one in self.sets:
            if one.id == rule_set:
                return one
        raise NotFound("This home has adopted no rule set of that id.", field="policy")


def refuse_unless_in_force(rules: RuleSet, instant: datetime) -> None:
    """Fail where a decision of this instant is about to be taken under rules of another day. Raises Unavailable.

    It happens where the rules changed between asking for them and deciding: nothing was done, and asking again is
    right.
    """
    if not rules.in_force(london_day(instant)):
        raise Unavailable(
            "The rules changed while this was being decided, so nothing was done. Ask again.",
            code="rules-changed",
        )


def founded(sets: Iterable[tuple[RuleSet, str]]) -> list[RuleSetAdopted]:
    """The first rule sets of a home, each with the digest of its file: adopted together, before anything is decided.

    Raises Refused as `adopted` does, but that they may begin in the past.
    """
    events: list[RuleSetAdopted] = []
    last: RuleSet | None = None
    for rules, digest in sorted(sets, key=lambda one: one[0].valid_from):
        if last is not None:
            _refuse_unless_it_follows(last, last.valid_to, rules)
        last = rules
        events.append(_adopted(rules, digest))
    return events


def adopted(book: RuleBook, rules: RuleSet, digest: str, at: datetime) -> RuleSetAdopted:
    """That a rule set follows those of the book, from a later day than that of this instant.

    Raises Refused: `rule-set-in-use` where its id was adopted before, `retroactive`, and where it does not begin as the
    last one ends: `rule-sets-overlap`, `rule-set-gap`. One that has ended and goes on for want of another ends any day.
    Closure never reaches back either, and once it has come it stands: `closes-in-the-past`, `closure-stands`.
    """
    if any(one.id == rules.id for one in book.sets):
        raise Refused(
            "A rule set of this id was adopted before. Decisions name it, so it is never changed: give the new one an "
            "id of its own.",
            code="rule-set-in-use",
            field="id",
        )
    if rules.valid_from <= london_day(at + NOTICE):
        raise Refused(
            "A rule set is in force from a later day than that on which it is adopted: what was decided stays decided. "
            "Give it a later valid_from.",
            code="retroactive",
            field="valid_from",
        )
    goes_on = book.ends is not None and book.ends <= london_day(at + NOTICE)
    _refuse_unless_it_follows(book.sets[-1], None if goes_on else book.ends, rules)
    _refuse_unless_closure_stands(book.sets[-1], rules)
    return _adopted(rules, digest)


def _refuse_unless_it_follows(last: RuleSet, ends: date | None, rules: RuleSet) -> None:
    begins = rules.valid_from
    if begins <= last.valid_from or (ends is not None and begins < ends):
        raise Refused(
            f"On some days two rule sets would be in force: {last.id} is adopted for them already. Begin when it ends.",
            code="rule-sets-overlap",
            field="valid_from",
        )
    if ends is not None and begins > ends:
        raise Refused(
            f"On some days no rule set would be in force: {last.id} ends before this one begins. Begin when it ends.",
            code="rule-set-gap",
            field="valid_from",
        )


def _refuse_unless_closure_stands(last: RuleSet, rules: RuleSet) -> None:
    """An index that is closed stays closed: what it held is destroyed or about to be.

    Until the minute has come, rules that follow may leave the closure out, or move it.
    """
    begins = begin_of(rules.valid_from)
    came = closed(last, begins)
    if came is None:
        if rules.closure is not None and rules.closure.at < begins:
            raise Refused(
                "The index would have been closed before these rules begin. Give closure a later instant.",
                code="closes-in-the-past",
                field="closure.at",
            )
    elif (
        rules.closure is None
        or rules.closure.at != came.at
        or rules.closure.destroy_months > came.destroy_months
    ):
        raise Refused(
            "The index is closed by then, and stays closed: give these rules the same closure, and no longer to "
            "destroy what is left.",
            code="closure-stands",
            field="closure",
        )


def _adopted(rules: RuleSet, digest: str) -> RuleSetAdopted:
    return RuleSetAdopted(rule_set=rules.id, valid_from=rules.valid_from, digest=digest)
