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

    def index(self, histories: Iterable[History]) -> None:
        """Replace the rows of these streams."""
        for history in histories:
            self._rows.pop(history.stream_id, None)
            candidate = candidate_of(fold(history))
            if candidate.keys:
                self._rows[history.stream_id] = candidate

    def find(self, keys: Iterable[str]) -> list[Candidate]:
        """Every record that holds at least one of these keys, each once, ordered by child id."""
        wanted = frozenset(keys)
        return [row for _, row in sorted(self._rows.items()) if not wanted.isdisjoint(row.keys)]

    def get(self, child_ids: Iterable[UUID]) -> list[Candidate]:
        """These records, as far as the index holds them, ordered by child id."""
        return [self._rows[child_id] for child_id in sorted(set(child_ids)) if child_id in self._rows]
