"""A log with its seals, in memory or in PostgreSQL: what tests of sealing work with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.faults import Reach, no_fault
from adapters.memory.recorder import MemoryRecorder
from adapters.memory.sealed_rows import MemorySealedRows, MemorySealState
from adapters.postgres.databases import Database, Role
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.seal_state import PostgresSealState
from adapters.postgres.sealed_rows import PostgresSealedRows
from adapters.rows import Recorder, SealedRows, StoredRow, group_of
from adapters.seals import tree
from adapters.seals.keys import signer_in
from adapters.seals.monitor import Kept, Verdict, verify
from adapters.seals.notes import Checkpoint, Kind, Note, Signer
from adapters.seals.policy import Policy
from adapters.seals.sealer import Nobody, Sealer, Witnesses
from adapters.seals.tiles import Tiles
from domain.kernel import Log
from domain.ports import SealState

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NAME = "test.invalid/record"


@dataclass
class Site:
    """A log and everything that its seals are made of."""

    recorder: Recorder
    rows: SealedRows
    state: SealState
    folder: Path
    log: Log = Log.RECORD
    opened: list[Any] = field(default_factory=list)

    @property
    def tiles(self) -> Tiles:
        return Tiles(self.folder / "seals")

    @property
    def kept(self) -> Kept:
        return Kept(self.folder / "monitor")

    @property
    def signer(self) -> Signer:
        return signer_in(self.folder / "key", NAME, Kind.LOG)

    def sealer(
        self, *, witnesses: Witnesses | None = None, batch: int = 100, reach: Reach = no_fault
    ) -> Sealer:
        return Sealer(
            self.log,
            self.rows,
            self.state,
            self.tiles,
            self.signer,
            witnesses or Nobody(),
            batch=batch,
            reach=reach,
        )

    def append(self, *streams: Sequence[StoredRow]) -> None:
        for rows in streams:
            self.recorder.append([group_of(rows)])

    def sealed(self, *streams: Sequence[StoredRow], witnesses: Witnesses | None = None) -> Checkpoint:
        """Append and seal; the checkpoint of it."""
        self.append(*streams)
        self.sealer(witnesses=witnesses).run(until_caught_up=True)
        return self.checkpoint()

    def checkpoint(self) -> Checkpoint:
        return Note.of(self.note()).checkpoint(self.signer.verifier)

    def note(self) -> str:
        found = self.tiles.checkpoint()
        assert found is not None
        return found

    def verify(self, policy: Policy | None = None) -> Verdict:
        return verify(self.log, self.rows, self.tiles, self.kept, policy=policy, slice_entries=512)

    def close(self) -> None:
        for each in self.opened:
            each.close()


def memory_site(folder: Path, log: Log = Log.RECORD) -> Site:
    recorder = MemoryRecorder(log, lambda: NOW)
    return Site(recorder, MemorySealedRows(recorder), MemorySealState(), folder, log)


def postgres_site(database: Database, folder: Path, log: Log = Log.RECORD, reach: Reach = no_fault) -> Site:
    recorder = LogRecorder(database, Role.SERVICE, log)
    rows = PostgresSealedRows(database, log)
    state = PostgresSealState(database, log, reach=reach)
    return Site(recorder, rows, state, folder, log, [recorder, rows, state])


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else tree.EMPTY
    k = _k(len(leaves))
    return tree.node(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = _k(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: Sequence[bytes], *, b: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2, word for word."""
    if m == len(leaves):
        return [] if b else [naive_root(leaves)]
    k = _k(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], b=b), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], b=False), naive_root(leaves[:k])]


def _k(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def hashes_over(leaves: Sequence[bytes]) -> tree.Hashes:
    """Hashes of a tree in memory."""
    return lambda level, number: naive_root(leaves[number << level : (number + 1) << level])
