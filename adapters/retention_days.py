"""The retention schedule as it is, and as it was at any reach of the log, under any rules.

What is read is a function of the log and the rules: from the view, where that stands exactly there and under those
rules, else by folding every record as a rebuild does. So a view that is behind, paused, or made under rules that are in
force no more delays an answer and never changes it; and a list can be shown again.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection

from domain.access.ports import Scheduled
from domain.access.reach import Reach
from domain.kernel import Concealed, ForgottenEvent, History, Log
from domain.policy.shielding import shielded
from domain.ports import EventStore
from domain.rule_set.model import RuleSet
from projections.ports import Build
from projections.projection import Row, as_served
from projections.reading import as_far_as
from projections.retention_schedule import queries
from projections.retention_schedule.view import RETENTION_SCHEDULE, DueRow, ShieldRow
from projections.slices import SlicesForOnce, every_record

Opening = Callable[[], EventStore] | None
"""Gives what opens a record that has been shielded since, where that may be."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class RetentionDays:
    """Reads the schedule. live: the build that queries read, if there is one."""

    open_view: Callable[[], AbstractContextManager[Connection[Any]]]
    live: Callable[[], Build | None]
    slices: SlicesForOnce

    def due(self, on: date, at: Reach, rules: RuleSet, opening: Opening) -> Scheduled[DueRow]:
        """What falls due on or before a day, earliest first."""
        found = self._from_view(lambda connection: queries.due(connection, on), at, rules)
        if found is not None:
            return Scheduled(found)
        folded = self._folded(at, rules, opening)
        rows = [row for row in folded.rows if isinstance(row, DueRow) and row.due_on <= on]
        rows.sort(key=lambda row: (row.due_on, row.child_id.bytes))
        return Scheduled(rows, folded.closed, folded.certificates)

    def reviews(
        self, on: date, most: int, at: Reach, rules: RuleSet, opening: Opening
    ) -> Scheduled[tuple[UUID, date]]:
        """Shields that are to be looked at again on or before a day, and since when, the longest overdue first."""
        found = self._from_view(lambda connection: queries.reviews(connection, on, most), at, rules)
        if found is not None:
            return Scheduled([(row.child_id, row.review_on) for row in found])
        folded = self._folded(at, rules, opening)
        rows = [row for row in folded.rows if isinstance(row, ShieldRow) and row.review_on <= on]
        rows.sort(key=lambda row: (row.review_on, row.child_id.bytes))
        reviews = [(row.child_id, row.review_on) for row in rows[:most]]
        return Scheduled(reviews, folded.closed, folded.certificates)

    def _from_view(
        self, read: Callable[[Connection[Any]], Sequence[_Found]], at: Reach, rules: RuleSet
    ) -> Sequence[_Found] | None:
        """What the view says, if it stood at this reach and under these rules before and after it was read."""
        if not self._stands(at, rules):
            return None
        with self.open_view() as connection:
            found = read(connection)
        return found if self._stands(at, rules) else None

    def _stands(self, at: Reach, rules: RuleSet) -> bool:
        live = self.live()
        return (
            live is not None and live.rule_set == rules.id and live.positions.get(Log.RECORD, 0) == at.record
        )

    def _folded(self, at: Reach, rules: RuleSet, opening: Opening) -> Scheduled[Row]:
        """Every row, in no order. Where nothing opens what was shielded since, it is as it can be read now."""
        rows: list[Row] = []
        certificates: set[UUID] = set()
        closed = False
        for history in every_record(self.slices, at.record, RETENTION_SCHEDULE.reads):
            destroyed = _certificates(history)
            certificates |= destroyed
            if destroyed:
                continue
            if _is_closed_since(history):
                if opening is None:
                    closed = True
                else:
                    history = as_far_as(at.record, opening().load(history.stream_id))  # noqa: PLW2901
            rows.extend(RETENTION_SCHEDULE.rows(as_served(history), rules))
        return Scheduled(rows, closed, tuple(sorted(certificates)))


def _certificates(history: History) -> set[UUID]:
    return {one.event.certificate for one in history.events if isinstance(one.event, ForgottenEvent)}


def _is_closed_since(history: History) -> bool:
    """Whether content of a record that was not shielded then cannot be opened now."""
    events = [one.event for one in history.events]
    return not shielded(events) and any(isinstance(event, Concealed) for event in events)
