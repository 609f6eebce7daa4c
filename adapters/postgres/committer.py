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
from adapters.rows import Group, Head, Outcome, RecordedRow, Recorder
from domain.errors import Unavailable
from domain.kernel import Log

MOST_EVENTS: Final = 2000
"""One commit takes at most about so many events: the head row is held for about 20 ms then."""


class _Ticket:
    """Groups on their way. `turn` is held until there is a result, or until their thread is to commit for all."""

    __slots__ = ("error", "events", "groups", "outcomes", "turn")

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        self.events = sum(len(group.rows) for group in groups)
        self.turn = Lock()
        self.turn.acquire()
        self.outcomes: list[Outcome] | None = None
        self.error: Callable[[], BaseException] | None = None

    def settled(self) -> bool:
        return self.outcomes is not None or self.error is not None


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
        """Append groups in one commit, together with others if others are waiting."""
        if not groups:
            return []
        ticket = _Ticket(groups)
        with self._lock:
            self._waiting.append(ticket)
            leads = not self._busy
            self._busy = True
        if not leads:
            ticket.turn.acquire()  # until somebody has committed it, or made this thread the next to commit
        if not ticket.settled():
            self._lead()
        if ticket.error is not None:
            raise ticket.error()
        if ticket.outcomes is None:
            raise _interrupted()
        return ticket.outcomes

    def commit(self, group: Group) -> Outcome:
        """The same for one group."""
        (outcome,) = self.append([group])
        return outcome

    def append_bulk(self, groups: Iterable[Group]) -> int:
        return self._recorder.append_bulk(groups)

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

    # How it is done

    def _lead(self) -> None:
        """Commit what is waiting, our own ticket with it, then hand over to the first who came meanwhile."""
        taken: list[_Ticket] = []
        try:
            with self._lock:
                events = 0
                while self._waiting and (not taken or events + self._waiting[0].events <= MOST_EVENTS):
                    ticket = self._waiting.popleft()
                    events += ticket.events
                    taken.append(ticket)
            self._settle(taken)
        finally:
            for ticket in taken:
                if not ticket.settled():
                    ticket.error = _interrupted
                ticket.turn.release()
            with self._lock:
                if self._waiting:
                    self._waiting[0].turn.release()
                else:
                    self._busy = False

    def _settle(self, tickets: Sequence[_Ticket]) -> None:
        self._reach("committer.before")
        try:
            outcomes = iter(self._recorder.append([group for ticket in tickets for group in ticket.groups]))
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
            self._reach("committer.after")
            for ticket in tickets:
                ticket.outcomes = [next(outcomes) for _ in ticket.groups]


def _again(error: Unavailable) -> Callable[[], BaseException]:
    """A fresh error for each thread: one that is raised twice gathers the tracebacks of both."""
    if isinstance(error, DatabaseFailure):
        return lambda: DatabaseFailure(error.store, error.sqlstate, error.constraint, lost=error.lost)
    return lambda: Unavailable(error.message)


def _interrupted() -> BaseException:
    return Unavailable("The append was interrupted; whether it was carried out is not known.")
