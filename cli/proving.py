"""What an auditor takes away: evidence packs and proofs, from the logs as they are stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.rows import Recorder
from adapters.seals.evidence import FORM, Evidence, origin_of
from cli.output import Json
from cli.sealing import NAMES, STALE_SECONDS, Seals, tiles_of
from domain.errors import BadInput, NotFound
from domain.kernel import Log


@dataclass(frozen=True, slots=True)
class Proving:
    """Proofs of what is in the logs. log: a log as it is stored; is_shielded: as the record log says."""

    seals: Seals
    log: Callable[[Log], Recorder]
    is_shielded: Callable[[UUID], bool]

    def evidence(self, child_id: UUID, looks: Sequence[UUID], older: Sequence[str]) -> Json:
        """The events of a child and of looks at it, as stored, with proofs; what `older` checkpoints were continued by.

        Raises BadInput, Unavailable where they are not sealed.
        """
        self.seals.settled(STALE_SECONDS)
        kept = {origin_of(note): note for note in older}
        logs = []
        for log, streams in ((Log.RECORD, [child_id]), (Log.ACCESS, looks)):
            tiles = tiles_of(self.seals.home, log)
            rows = [row for own in self.log(log).streams(streams).values() for row in own]
            rows.sort(key=lambda row: row.position)
            origin = (tiles.key() or "").partition("+")[0]
            logs.append(Evidence(log, NAMES[log], tiles).of(rows, kept.pop(origin, None)))
        if kept:
            raise BadInput(
                "A checkpoint given with --since is of another index.", code="not-a-checkpoint", field="since"
            )
        return {"form": FORM, "logs": logs}

    def proof(self, access_id: UUID) -> str:
        """A tlog-proof of one look. Raises NotFound, Unavailable where it is not sealed."""
        rows = self.log(Log.ACCESS).stream(access_id)
        if not rows:
            raise NotFound("There is no such access.", field="access")
        self.seals.settled(STALE_SECONDS)
        return Evidence(Log.ACCESS, NAMES[Log.ACCESS], tiles_of(self.seals.home, Log.ACCESS)).proof(rows[0])
