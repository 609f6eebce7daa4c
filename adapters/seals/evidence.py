"""What somebody takes away who must be convinced elsewhere: events as they are stored, and proof that they were sealed.

Nothing in it is opened. Who has the keys can open it; who has not can still tell that nothing was altered, also when
the keys are destroyed. docs/verify/verify_evidence.py reads it without this software.
"""

import base64
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from adapters.rows import RecordedRow, SealedRow
from adapters.seals import tree
from adapters.seals.entries import entries
from adapters.seals.notes import BadNote, Checkpoint, Note, Verifier, encoded, proof_text
from adapters.seals.tiles import Tiles
from domain.errors import BadInput, Unavailable
from domain.kernel import Log

FORM: Final = "contactpoint-evidence/1"


class Evidence:
    """Proofs of one log, all under the checkpoint that was then published. Raises Unavailable without one."""

    def __init__(self, log: Log, name: str, tiles: Tiles) -> None:
        note, key = tiles.checkpoint(), tiles.key()
        if note is None or key is None:
            raise Unavailable("Nothing is sealed yet: run `contactpoint seal`.", code="not-sealed")
        self._log = log
        self._name = name
        self._note = note
        self._key = key.strip()
        self._checkpoint = Checkpoint.of(Note.of(note).text)
        self._hashes = tiles.hashes(self._checkpoint.size)

    def of(self, rows: Sequence[RecordedRow], older: str | None) -> dict[str, Any]:
        """Rows with a proof each; older: the note of a checkpoint that somebody kept, to prove that this continues it.

        Raises Unavailable where a row is not sealed yet, BadInput where `older` is no checkpoint of this log.
        """
        return {
            "name": self._name,
            "number": int(self._log),
            "key": self._key,
            "checkpoint": self._note,
            "older": self._continued(older) if older else None,
            "events": [self._event(row) for row in rows],
        }

    def proof(self, row: RecordedRow) -> str:
        """A tlog-proof of one row, its entry with it. Raises Unavailable where it is not sealed yet."""
        index = self._index(row)
        return proof_text(
            self._entry(row), index, tree.inclusion(self._hashes, index, self._checkpoint.size), self._note
        )

    def _event(self, row: RecordedRow) -> dict[str, Any]:
        index = self._index(row)
        proof = tree.inclusion(self._hashes, index, self._checkpoint.size)
        return {
            "position": row.position,
            "recorded_at": row.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "event_id": str(row.event_id),
            "stream_id": str(row.stream_id),
            "version": row.version,
            "format": row.format,
            "period": row.period,
            "identity": base64.b64encode(row.identity).decode(),
            "content": base64.b64encode(row.content).decode(),
            "metadata": base64.b64encode(row.metadata).decode(),
            "proof": [encoded(one) for one in proof],
        }

    def _entry(self, row: RecordedRow) -> bytes:
        return entries(self._log, [SealedRow.of(row)])[0]

    def _index(self, row: RecordedRow) -> int:
        if row.position > self._checkpoint.size:
            raise Unavailable("What was written is not sealed yet. Try again.", code="not-sealed")
        return row.position - 1

    def _continued(self, older: str) -> dict[str, Any]:
        try:
            before = Note.of(older).checkpoint(Verifier.of(self._key))
            proof = tree.consistency(self._hashes, before.size, self._checkpoint.size)
        except (BadNote, ValueError):
            raise BadInput(
                f"The older checkpoint is not one of the {self._name} log, or newer than what is sealed.",
                code="not-a-checkpoint",
                field="since",
            ) from None
        return {"checkpoint": older, "proof": [encoded(one) for one in proof]}


def origin_of(note: str) -> str:
    """The log that a checkpoint says it is of. Raises BadInput."""
    try:
        return Checkpoint.of(Note.of(note).text).origin
    except BadNote:
        raise BadInput("--since names no checkpoint.", code="not-a-checkpoint", field="since") from None
