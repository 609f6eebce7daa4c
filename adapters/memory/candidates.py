"""The match index in memory: rows computed anew from streams."""

from collections.abc import Iterable
from uuid import UUID

from domain.child_record.model import fold
from domain.kernel import History
from ingest.best_view import candidate_of
from ingest.matching.blocking import Candidate


class MemoryCandidates:
    """Implements `ingest.ports.Candidates`."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Candidate] = {}
        self._holders: dict[str, set[UUID]] = {}

    def index(self, histories: Iterable[History]) -> None:
        """Replace the rows of these streams."""
        for history in histories:
            before = self._rows.pop(history.stream_id, None)
            for key in before.keys if before else ():
                self._holders[key].discard(history.stream_id)
            candidate = candidate_of(fold(history))
            if candidate.keys:
                self._rows[history.stream_id] = candidate
            for key in candidate.keys:
                self._holders.setdefault(key, set()).add(history.stream_id)

    def find(self, keys: Iterable[str]) -> list[Candidate]:
        """Every record that holds at least one of these keys, each once, ordered by child id."""
        return self.get({child_id for key in keys for child_id in self._holders.get(key, ())})

    def get(self, child_ids: Iterable[UUID]) -> list[Candidate]:
        """These records, as far as the index holds them, ordered by child id."""
        return [self._rows[child_id] for child_id in sorted(set(child_ids)) if child_id in self._rows]
