"""The monitor: hashes a whole log again and compares it with what was sealed, byte for byte.

It trusts no server, no file and not the sealer: rows give entries, entries tiles, tiles the root, the root stands in a
checkpoint that the sealer signed, and that one continues the last checkpoint which the monitor itself has kept. Where
row, entry and leaf hash of one position differ, the two that agree say which was changed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.rows import SealedRows
from adapters.seals import tree
from adapters.seals.entries import ENTRY_BYTES, differing, entries, position_of
from adapters.seals.notes import BadNote, Checkpoint, Note, Verifier
from adapters.seals.policy import Policy
from adapters.seals.tiles import HASH, WIDTH, Edge, SealBroken, Tiles, bundle, path_of
from domain.kernel import Log

SLICE: Final = 64 * WIDTH
MOST_FINDINGS: Final = 1000
"""A log that was rewritten differs everywhere: so many places say it."""

_PIECE: Final = 2 + ENTRY_BYTES
"""An entry in a file of entries, behind its length."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed. `position`: of the event concerned, where it is one."""

    what: str
    position: int | None = None


@dataclass
class Verdict:
    """What was found in one log: how many entries were compared, under which root, and what is wrong."""

    log: Log
    entries: int = 0
    root: bytes = tree.EMPTY
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def add(self, what: str, position: int | None = None) -> None:
        """Note something that is wrong."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(what, position))


class Kept:
    """What the monitor keeps of a log from one look to the next: the key it first saw, and the last good checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._tiles = Tiles(folder)

    def key(self, told: str) -> Verifier:
        """The key of the log; the first one told is kept. Raises BadNote where this one is another."""
        kept = self._tiles.key()
        if kept is None:
            Verifier.of(told)
            self._tiles.put("log.pub", told)
        elif kept != told:
            raise BadNote("the key of the log is not the one that was kept")
        return Verifier.of(told)

    def checkpoint(self, key: Verifier) -> Checkpoint:
        """The last checkpoint found good; of size 0 before the first. Raises BadNote."""
        note = self._tiles.checkpoint()
        return Note.of(note).checkpoint(key) if note else Checkpoint(key.name, 0, tree.EMPTY)

    def keep(self, note: str) -> None:
        """Keep a checkpoint that was found good, and continues the one before; the alarm is over."""
        self._tiles.put("checkpoint", note)
        (self._tiles.folder / "alarm").unlink(missing_ok=True)

    def raise_alarm(self, words: str) -> None:
        """Keep what was found wrong, until all is found good again."""
        self._tiles.put("alarm", words)

    def alarm(self) -> str | None:
        """What was found wrong the last time; None where nothing was."""
        place = self._tiles.folder / "alarm"
        return place.read_text("utf-8") if place.exists() else None


def verify(
    log: Log,
    rows: SealedRows,
    tiles: Tiles,
    kept: Kept,
    *,
    policy: Policy | None = None,
    slice_entries: int = SLICE,
) -> Verdict:
    """Compare the whole of a log with its seals. slice_entries: a multiple of 256. Raises Unavailable.

    policy: the witnesses whose cosignatures the checkpoint must have.

    What came after the checkpoint is not sealed yet, and not compared.
    """
    verdict = Verdict(log)
    note = _compared(rows, tiles, kept, verdict, slice_entries)
    if policy is not None and note is not None and not policy.met_by(Note.of(note)):
        verdict.add("The checkpoint lacks cosignatures that the policy of witnesses asks for.")
    if verdict.ok and note is not None:
        kept.keep(note)
    elif verdict.findings:
        first = verdict.findings[0]
        kept.raise_alarm(f"position {first.position}: {first.what}" if first.position else first.what)
    return verdict


def _compared(rows: SealedRows, tiles: Tiles, kept: Kept, verdict: Verdict, slice_entries: int) -> str | None:
    """Fill the verdict; the note of the checkpoint that was compared with."""
    try:
        note = tiles.checkpoint()
        if note is None and rows.head() == 0:
            return None  # an empty log that nobody has sealed yet
        line = tiles.key()
        if note is None or line is None:
            verdict.add("There is no checkpoint: nothing was sealed, or the folder of seals is gone.")
            return None
        key = kept.key(line)
        checkpoint, before = Note.of(note).checkpoint(key), kept.checkpoint(key)
    except (BadNote, SealBroken) as wrong:
        verdict.add(f"The checkpoint cannot be trusted: {wrong}.")
        return None
    verdict.entries, verdict.root = checkpoint.size, checkpoint.root
    _Comparison(rows, tiles, verdict, slice_entries).run(checkpoint)
    _compare_kept(tiles, before, checkpoint, verdict)
    return note


def _compare_kept(tiles: Tiles, before: Checkpoint, now: Checkpoint, verdict: Verdict) -> None:
    """See that the log continues what the monitor has seen of it."""
    if now.size < before.size:
        verdict.add(f"It was sealed to {before.size} before: a part of it is gone.", now.size + 1)
        return
    try:
        was = tree.over(tiles.hashes(now.size), 0, before.size)
    except SealBroken as broken:
        verdict.add(broken.message)
        return
    if was != before.root:
        verdict.add(
            f"It does not continue what was sealed to {before.size} before: the log was rewritten and sealed anew."
        )


class _Comparison:
    """One pass over a log, its entries and its tiles."""

    def __init__(self, rows: SealedRows, tiles: Tiles, verdict: Verdict, slice_entries: int) -> None:
        self._rows = rows
        self._tiles = tiles
        self._verdict = verdict
        self._slice = slice_entries
        self._edge = Edge()

    def run(self, checkpoint: Checkpoint) -> None:
        size = checkpoint.size
        for after in range(0, size, self._slice):
            upto = min(after + self._slice, size)
            rows = self._from_rows(after, upto)
            for first in range(0, len(rows), WIDTH):
                sealed = self._sealed((after + first) // WIDTH, rows[first : first + WIDTH])
                self._compare_tiles(self._edge.grow(sealed))
        self._compare_tiles(self._edge.partial())
        self._compare_leftovers(size)
        for position in self._rows.strays(size):
            self._verdict.add("There is an event where no append has put one.", position)
        if self._rows.head() < size:
            self._verdict.add(f"The log is said to end before position {size}, to which it is sealed.", size)
        if self._edge.root() != checkpoint.root and self._verdict.ok:
            self._verdict.add("Log, entries and tiles agree, but not with the checkpoint that was signed.")

    def _from_rows(self, after: int, upto: int) -> list[bytes | None]:
        """The entries that the rows come to; None where one is missing, and a note where one stands twice."""
        found = entries(self._verdict.log, self._rows.between(after, upto))
        made: list[bytes | None] = [None] * (upto - after)
        for entry in found:
            position = position_of(entry)
            if made[position - after - 1] is not None:
                self._verdict.add("There are several events at this position: one was inserted.", position)
                continue
            made[position - after - 1] = entry
        return made

    def _sealed(self, number: int, rows: Sequence[bytes | None]) -> list[bytes]:
        """The entries under a tile of level 0 as they were sealed, and a note of each that now is another."""
        stored = self._content(path_of("entries", number, len(rows)))
        made = [row for row in rows if row is not None]
        if stored is not None and len(made) == len(rows) and stored[: len(rows) * _PIECE] == bundle(made):
            return made
        hashes = self._content(path_of(0, number, len(rows)), tell=False) or b""
        return [
            self._odd_one_out(
                number * WIDTH + at,
                row,
                (stored or b"")[at * _PIECE : (at + 1) * _PIECE],
                hashes[at * HASH : (at + 1) * HASH],
            )
            for at, row in enumerate(rows)
        ]

    def _odd_one_out(self, index: int, row: bytes | None, piece: bytes, hashed: bytes) -> bytes:
        """Of row, entry and leaf hash, say which was changed; the entry that the other two agree on.

        piece: what stands in the file of entries; empty where that is missing, which is told.
        """
        position = index + 1
        stored = piece[2:]
        if row is None:
            self._verdict.add("The event at this position is gone.", position)
        elif piece == bundle([row]):
            return row
        elif tree.leaf(row) == hashed:
            if piece:
                name = path_of("entries", index // WIDTH)
                self._verdict.add(f"{name} does not hold the entry of this event.", position)
            return row
        else:
            what = differing(row, stored) if len(stored) == len(row) else "it"
            self._verdict.add(
                f"The event at this position is not the one that was sealed: {what} differs.", position
            )
        return stored or row or b""

    def _compare_tiles(self, expected: Mapping[str, bytes]) -> None:
        """Compare tiles of hashes with what they must be."""
        for path, content in expected.items():
            if path.startswith("tile/entries/"):
                continue  # compared as they were read
            found = self._content(path)
            if found is not None and found != content and found[: len(content)] != content:
                self._tell_difference(path, found, content)

    def _tell_difference(self, path: str, found: bytes, content: bytes) -> None:
        level, number = _numbers(path)
        at = next(
            at for at in range(0, len(content), HASH) if found[at : at + HASH] != content[at : at + HASH]
        )
        index = (number * WIDTH + at // HASH) << (8 * int(level))
        self._verdict.add(f"{path} is not what was sealed, from byte {at} on.", index + 1)

    def _content(self, path: str, *, tell: bool = True) -> bytes | None:
        """A tile, or the full one that has taken its place; None where there is none, or of another length."""
        own = path.partition(".p/")[0]
        width = int(path.partition(".p/")[2] or WIDTH)
        one = _PIECE if path.startswith("tile/entries/") else HASH
        for name in (path, own):
            with suppress(FileNotFoundError, NotADirectoryError):
                found = (self._tiles.folder / name).read_bytes()
                expected = (width if name == path else WIDTH) * one
                if len(found) != expected and tell:
                    self._verdict.add(f"{name} is not as long as it was.", _numbers(path)[1] * WIDTH + 1)
                return found
        if tell:
            self._verdict.add(f"{path} is missing.")
        return None

    def _compare_leftovers(self, size: int) -> None:
        """Files of tiles while they were not full yet: the beginning of what became of them."""
        for place in self._tiles.partial_files():
            name = place.relative_to(self._tiles.folder).as_posix()
            own, _, width = name.partition(".p/")
            level, number = _numbers(own)
            there = size if level == "entries" else size >> 8 * int(level)
            now = min(WIDTH, there - number * WIDTH)
            if int(width) >= now:
                continue  # compared already, or not sealed yet
            became = self._content(path_of(level, number, now), tell=False) or b""
            one = _PIECE if level == "entries" else HASH
            with suppress(FileNotFoundError):  # its tile became full meanwhile
                if place.read_bytes() != became[: int(width) * one]:
                    self._verdict.add(f"{name} is not what was sealed.")


def _numbers(path: str) -> tuple[str, int]:
    """Level and number of a tile, from its path."""
    _, level, *digits = path.partition(".p/")[0].split("/")
    return level, int("".join(one.removeprefix("x") for one in digits))
