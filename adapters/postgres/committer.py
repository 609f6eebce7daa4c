"""Many threads append; one commit carries whatever queued during the last.

The disk's acknowledgement is what an append waits for, and the head row lets one transaction at a time have it. So the
thread that finds nobody committing commits for itself at once, and those that come meanwhile wait for the next commit,
which one of them makes for all. Nobody ever waits for more to come.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final
from uuid import UUID

from adapters.faults import Reach, no_fault
from adapters.postgres.databases import DatabaseFailure
from adapters.rows import Applied, Duplicate, Group, Head, Moved, Outcome, RecordedRow, Recorder, StoredRow
from domain.errors import Unavailable
from domain.kernel import Log

MOST_EVENTS: Final = 2000
"""One commit takes at most about so many events: the head row is held for about 20 ms then."""


class _Ticket:
    """One group on its way. `turn` is held until there is a result, or until its thread is to commit for all."""

    __slots__ = ("error", "group", "outcome", "turn")

    def __init__(self, group: Group) -> None:
        self.group = group
        self.turn = Lock()
        self.turn.acquire()
        self.outcome: Outcome | None = None
        self.error: Callable[[], BaseException] | None = None


class Committer:
    """A log as commands use it (`adapters.rows.Recorder`): safe and quick to share between threads."""

    FAULT_POINTS: Final = ("committer.before", "committer.after")

    def __init__(self, recorder: Recorder, *, reach: Reach = no_fault) -> None:
        self._recorder = recorder
        self._reach = reach
        self._lock = Lock()
        self._waiting: deque[_Ticket] = deque()
        self._busy = False

    @property
    def log(self) -> Log:
        return self._recorder.log

    def append(self, groups: Sequence[Group]) -> list[Outcome]:
        """Each group for itself, in whatever commit it falls into."""
        return [self.commit(group) for group in groups]

    def commit(self, group: Group) -> Outcome:
        """Append one group, together with others if others are waiting. Raises ValueError, Unavailable."""
        ticket = _Ticket(group)
        with self._lock:
            self._waiting.append(ticket)
            leads = not self._busy
            self._busy = True
        if not leads:
            ticket.turn.acquire()  # until somebody has committed it, or made this thread the next to commit
        if ticket.outcome is None and ticket.error is None:
            self._lead()
        if ticket.error is not None:
            raise ticket.error()
        if ticket.outcome is None:
            raise _interrupted()
        return ticket.outcome

    def append_bulk(self, rows: Iterable[StoredRow], chunk: int = 2000) -> int:
        return self._recorder.append_bulk(rows, chunk)

    def tail(self, after: int, limit: int, upto: int | None = None) -> list[RecordedRow]:
        return self._recorder.tail(after, limit, upto)

    def stream(self, stream_id: UUID, upto: int | None = None) -> list[RecordedRow]:
        return self._recorder.stream(stream_id, upto)

    def streams(self, stream_ids: Iterable[UUID]) -> dict[UUID, list[RecordedRow]]:
        return self._recorder.streams(stream_ids)

    def heads(self, stream_ids: Iterable[UUID]) -> dict[UUID, int]:
        return self._recorder.heads(stream_ids)

    def head(self) -> Head:
        return self._recorder.head()

    def find(self, token: bytes) -> UUID | None:
        return self._recorder.find(token)

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        return self._recorder.known(keys)

    def forget_batch(self, batch: UUID) -> int:
        return self._recorder.forget_batch(batch)

    def touched_by(self, batch: UUID) -> list[UUID]:
        return self._recorder.touched_by(batch)

    def batches(self) -> list[UUID]:
        return self._recorder.batches()

    def batches_of(self, keys: Sequence[bytes]) -> dict[bytes, UUID | None]:
        return self._recorder.batches_of(keys)

    def keys_of(self, batch: UUID) -> list[tuple[bytes, UUID, int]]:
        return self._recorder.keys_of(batch)

    def release(self, tokens: Sequence[bytes], holder: UUID) -> int:
        return self._recorder.release(tokens, holder)

    # ----------------------------------------------------------------------------------------------------------------

    def _lead(self) -> None:
        """Commit what is waiting, our own ticket with it, then hand over to the first who came meanwhile."""
        taken: list[_Ticket] = []
        try:
            with self._lock:
                events = 0
                while self._waiting and (
                    not taken or events + len(self._waiting[0].group.rows) <= MOST_EVENTS
                ):
                    ticket = self._waiting.popleft()
                    events += len(ticket.group.rows)
                    taken.append(ticket)
            self._settle(taken)
        finally:
            for ticket in taken:
                if ticket.outcome is None and ticket.error is None:
                    ticket.error = _interrupted
                ticket.turn.release()
            with self._lock:
                if self._waiting:
                    self._waiting[0].turn.release()
                else:
                    self._busy = False

    def _settle(self, tickets: Sequence[_Ticket]) -> None:
        try:
            outcomes = self._append([ticket.group for ticket in tickets])
        except ValueError as error:
            if len(tickets) == 1:
                message = str(error)
                tickets[0].error = lambda: ValueError(message)
                return
            # One of them is not well formed: the others are not to suffer for it.
            for ticket in tickets:
                self._settle([ticket])
        except Unavailable as error:
            for ticket in tickets:
                ticket.error = _again(error)
        else:
            for ticket, outcome in zip(tickets, outcomes, strict=True):
                ticket.outcome = outcome

    def _append(self, groups: Sequence[Group]) -> list[Outcome]:
        """Append; if the connection broke, so that the COMMIT may or may not have been carried out, once more.

        The server lets the second attempt wait until the first has ended one way or the other. What the first did is
        then found by its event ids, which are random: nothing is applied twice, and what was applied is told as such.
        """
        self._reach("committer.before")
        try:
            outcomes = self._recorder.append(groups)
        except DatabaseFailure as failure:
            if not failure.lost:
                raise
            outcomes = self._recorder.append(groups)
            outcomes = [self._ours(group, outcome) for group, outcome in zip(groups, outcomes, strict=True)]
        self._reach("committer.after")
        return outcomes

    def _ours(self, group: Group, outcome: Outcome) -> Outcome:
        if not group.rows or not isinstance(outcome, Duplicate | Moved):
            return outcome
        last = group.rows[-1]
        for row in self._recorder.stream(last.stream_id, last.version)[-1:]:
            if row.event_id == last.event_id:
                return Applied(range(row.position - len(group.rows) + 1, row.position + 1), row.recorded_at)
        return outcome


def _again(error: Unavailable) -> Callable[[], BaseException]:
    """A fresh error for each thread: one that is raised twice gathers the tracebacks of both."""
    if isinstance(error, DatabaseFailure):
        return lambda: DatabaseFailure(error.store, error.sqlstate, error.constraint, lost=error.lost)
    return lambda: Unavailable(error.message)


def _interrupted() -> BaseException:
    return Unavailable("The append was interrupted; whether it was carried out is not known.")
