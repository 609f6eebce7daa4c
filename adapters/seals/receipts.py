"""Receipts: an event is waited for until a published checkpoint holds it, and proved from the row as it is stored."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from adapters.rows import RecordedRow, Recorder, SealedRow
from adapters.seals import tree
from adapters.seals.entries import entries
from adapters.seals.notes import BadNote, Checkpoint, Note, Verifier, proof_text
from adapters.seals.policy import Policy
from adapters.seals.tiles import SealBroken, Tiles
from domain.errors import NoReceipt
from domain.kernel import Log

RECEIPT_SECONDS: Final = 10.0
"""How long an act waits: as long as it takes until `health` says that nothing is sealed."""

_LOOK_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class SealedReceipts:
    """Implements `domain.ports.Receipts`. rows: a log as it is stored; policy: the witnesses that are asked for."""

    rows: Callable[[Log], Recorder]
    tiles: Mapping[Log, Tiles]
    policy: Policy | None
    seconds: float = RECEIPT_SECONDS

    def awaited(self, log: Log, events: Sequence[tuple[UUID, int]]) -> list[str]:
        """See the port."""
        found = self.rows(log).streams({stream for stream, _ in events})
        rows = [found[stream][version - 1] for stream, version in events]
        last = max((row.position for row in rows), default=0)
        deadline = time.monotonic() + self.seconds
        while (note := self._published(self.tiles[log], last)) is None:
            if time.monotonic() > deadline:
                raise NoReceipt(
                    f"No checkpoint that was published holds it after {self.seconds:.0f} seconds: see that "
                    "`contactpoint seal` runs and reaches its witnesses, then try again."
                )
            time.sleep(_LOOK_SECONDS)
        checkpoint = Checkpoint.of(note.text)
        hashes = self.tiles[log].hashes(checkpoint.size)
        return [_proof(log, row, hashes, checkpoint, note) for row in rows]

    def _published(self, tiles: Tiles, last: int) -> Note | None:
        """The checkpoint, where it is what is asked for and holds the event at position `last`."""
        text, key = tiles.checkpoint(), tiles.key()
        if text is None or key is None:
            return None
        try:
            note = Note.of(text)
            if note.checkpoint(Verifier.of(key)).size < last:
                return None
        except BadNote:
            raise SealBroken("The published checkpoint is not signed with the key of this log.") from None
        return note if self.policy is None or self.policy.met_by(note) else None


def _proof(log: Log, row: RecordedRow, hashes: tree.Hashes, checkpoint: Checkpoint, note: Note) -> str:
    entry, index = entries(log, [SealedRow.of(row)])[0], row.position - 1
    proof = tree.inclusion(hashes, index, checkpoint.size)
    if not tree.included(proof, index, checkpoint.size, tree.leaf(entry), checkpoint.root):
        raise SealBroken(
            "What is stored is not what was sealed: run `contactpoint audit verify`.", row.position
        )
    return proof_text(entry, index, proof, str(note))
