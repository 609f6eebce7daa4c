"""The sealer of a log: a follower that adds every event to the tree, in the order of positions, and signs what it has.

The event at position n is entry n - 1. Files are written first, then how far the log is sealed is committed under the
fence, then that is signed, witnessed and published. Killed in between, the next one finds what was committed, and does
the rest again with the same outcome: hashes follow from the log alone, and files that are there must be the same.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import ClassVar, Final, Protocol

from adapters.faults import Reach, no_fault
from adapters.leading import lead
from adapters.rows import SealedRows
from adapters.seals import tree
from adapters.seals.entries import entries, position_of
from adapters.seals.notes import BadNote, Checkpoint, Note, Signer
from adapters.seals.tiles import Edge, SealBroken, Tiles
from domain.errors import Fenced, Unavailable
from domain.kernel import Log
from domain.ports import Sealed, SealState

BATCH: Final = 32_768
"""Entries sealed together at most: less than a second's work, and a few megabytes."""

LEASE_SECONDS: Final = 8.0
"""Less than it may take until somebody is told that nothing is sealed. Where the leader was killed nobody waits for it:
its session at the database went with it."""

BEAT_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)


class Witnesses(Protocol):
    """Those who must have seen a checkpoint before it is published."""

    def cosigned(self, note: Note, hashes: tree.Hashes) -> Note:
        """The note with the cosignatures that the policy asks for. Raises Unavailable where they cannot be had, and
        SealBroken where a witness has seen another history. hashes: of the tree in the note, for proofs."""
        ...


class Nobody:
    """A policy that asks for no witness."""

    def cosigned(self, note: Note, hashes: tree.Hashes) -> Note:
        """The note as it is."""
        del hashes
        return note


@dataclass
class Sealer:
    """What sealing one log needs. signer: the key of this log, which nobody else has."""

    FAULT_POINTS: ClassVar[tuple[str, ...]] = (
        "before-tiles", "tiles-written", "before-signing", "before-publishing", "published",
    )  # fmt: skip

    log: Log
    rows: SealedRows
    state: SealState
    tiles: Tiles
    signer: Signer
    witnesses: Witnesses = field(default_factory=Nobody)
    lease_seconds: float = LEASE_SECONDS
    batch: int = BATCH
    reach: Reach = no_fault
    sealed: int = field(default=0, init=False)
    _edge: Edge | None = field(default=None, init=False)
    _published: int = field(default=-1, init=False)
    _ahead: "_Ahead" = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = _Ahead(self._read)

    def run(self, *, until_caught_up: bool, stop: Callable[[], bool] = lambda: False) -> int:
        """Seal until stopped, or until nothing is left; how many entries were added.

        Waits while another leads. Where the database or a witness is away it waits and tries again; with
        `until_caught_up` it raises Fenced and Unavailable instead. Raises SealBroken where what is stored is not what
        was sealed: then nothing more is.
        """
        lead(
            self.state,
            self.lease_seconds,
            lambda fence: self._while_leading(fence, until_caught_up=until_caught_up, stop=stop),
            until_caught_up=until_caught_up,
            stop=stop,
        )
        return self.sealed

    def step(self, fence: int) -> bool:
        """Seal and publish the next batch. False where nothing was left to do."""
        if self._edge is None:
            self._edge = self._resumed()
            self._publish(self._edge)
        head = self.rows.head()
        if head < self._edge.size:
            raise SealBroken(
                f"The log ends at position {head}, and was sealed to {self._edge.size}.", position=head + 1
            )
        if head == self._edge.size:
            return False
        # Until it is published there is none: what fails begins again from what is stored.
        edge, self._edge = self._edge, None
        before = Sealed(edge.size, edge.root())
        fresh = self._ahead.taken(edge.size, min(head, edge.size + self.batch))
        reached = edge.size + len(fresh)
        if head > reached:
            self._ahead.begin(reached, min(head, reached + self.batch))  # while these are written
        full = self._write(edge, fresh)
        self.state.advance(fence, before, Sealed(edge.size, edge.root()))
        self.sealed += edge.size - before.size
        self._publish(edge)
        self.tiles.tidy(full)
        self._edge = edge
        return True

    def _while_leading(self, fence: int, *, until_caught_up: bool, stop: Callable[[], bool]) -> None:
        try:
            self._follow(fence, until_caught_up=until_caught_up, stop=stop)
        finally:  # whoever leads next may seal meanwhile
            self._edge = None
            self._ahead.drop()

    def _follow(self, fence: int, *, until_caught_up: bool, stop: Callable[[], bool]) -> None:
        failures = 0
        renewed = time.monotonic() - BEAT_SECONDS
        while not stop():
            try:
                moved = self.step(fence)
                if moved or time.monotonic() - renewed >= BEAT_SECONDS:
                    self.state.renew(fence, self.lease_seconds, well=True)
                    renewed = time.monotonic()
                failures = 0
            except Fenced:
                raise
            except Unavailable:
                if until_caught_up:
                    raise
                time.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
                failures += 1
                with suppress(Unavailable):
                    self.state.renew(fence, self.lease_seconds, well=False)
                continue
            if not moved:
                if until_caught_up:
                    return
                self.rows.wait(BEAT_SECONDS)

    # How it is done

    def _read(self, after: int, upto: int) -> list[bytes]:
        """The entries of the events behind one position up to another."""
        fresh = entries(self.log, self.rows.between(after, upto))
        there = list(map(position_of, fresh))
        if there == list(range(after + 1, upto + 1)):
            return fresh
        for expected, found in zip_longest(range(after + 1, upto + 1), there):
            if found != expected:
                raise SealBroken(
                    f"There is not one event at each position from {after + 1} to {upto}.",
                    position=min(one for one in (expected, found) if one is not None),
                )
        return fresh

    def _write(self, edge: Edge, fresh: Sequence[bytes]) -> dict[str, bytes]:
        """Add entries to the edge and write its files. The tiles that became full."""
        full = edge.grow(fresh)
        self.reach("before-tiles")
        self.tiles.write(full | edge.partial())
        self.reach("tiles-written")
        return full

    def _resumed(self) -> Edge:
        """The edge of what was committed. Raises SealBroken where the files do not bear it out."""
        sealed = self.state.sealed()
        published = self._published_before()
        if published.size > sealed.size:
            raise SealBroken(
                f"The log is said to be sealed to {sealed.size}, and was signed to {published.size}: the database is "
                "not the one that was sealed, or an older one.",
                position=sealed.size + 1,
            )
        if sealed.size and self.tiles.checkpoint() is None and not (self.tiles.folder / "tile").exists():
            edge = self._again(sealed.size)
        else:
            edge = self.tiles.edge(sealed.size)
        if edge.root() != sealed.root or not self._continues(published, sealed.size):
            raise SealBroken("The tiles do not bear out what was sealed. See `contactpoint audit verify`.")
        return edge

    def _again(self, size: int) -> Edge:
        """Tiles made anew from the log, where the folder of seals was lost; the root says whether they are the same."""
        edge = Edge()
        while edge.size < size:
            self._write(edge, self._read(edge.size, min(size, edge.size + self.batch)))
        return edge

    def _published_before(self) -> Checkpoint:
        note = self.tiles.checkpoint()
        if note is None:
            return Checkpoint(self.signer.verifier.name, 0, tree.EMPTY)
        try:
            return Note.of(note).checkpoint(self.signer.verifier)
        except BadNote:
            raise SealBroken("The published checkpoint is not signed with the key of this log.") from None

    def _continues(self, published: Checkpoint, size: int) -> bool:
        return tree.over(self.tiles.hashes(size), 0, published.size) == published.root

    def _publish(self, edge: Edge) -> None:
        """Sign, have it witnessed, and publish; nothing where that is done already."""
        if edge.size == self._published:
            return
        line = f"{self.signer.verifier}\n"
        if self.tiles.key() != line:
            self.tiles.put("log.pub", line)
        self.reach("before-signing")
        text = Checkpoint(self.signer.verifier.name, edge.size, edge.root()).text()
        note = self.witnesses.cosigned(Note(text, (self.signer.sign(text),)), self.tiles.hashes(edge.size))
        self.reach("before-publishing")
        if (
            self._published_before().size > edge.size
        ):  # one that stood still, and does not know that another leads
            raise Fenced("Another sealer has published more since; this one stops.")
        self.tiles.put("checkpoint", str(note))
        self._published = edge.size
        self.reach("published")


class _Ahead:
    """Reads and hashes the next entries while those before them are written: the disk and a processor at once."""

    def __init__(self, read: Callable[[int, int], list[bytes]]) -> None:
        self._read = read
        self._begun: tuple[int, Future[list[bytes]]] | None = None

    def begin(self, after: int, upto: int) -> None:
        """Read these, in a thread that ends when they are there."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="sealer-ahead")
        self._begun = after, thread.submit(self._read, after, upto)
        thread.shutdown(wait=False)

    def taken(self, after: int, upto: int) -> list[bytes]:
        """What was begun behind this position; else the entries up to the other. Raises what reading did."""
        begun, self._begun = self._begun, None
        if begun is not None:
            found = begun[1].result()
            if begun[0] == after:
                return found
        return self._read(after, upto)

    def drop(self) -> None:
        """Wait until nothing is read any more."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun[1].exception()
