"""A log as static files: C2SP tlog-tiles. Read by any client of that form, while it is written, too.

    checkpoint                   size and root, signed
    log.pub                      the key that signed it, in one line
    tile/LEVEL/NUMBER[.p/WIDTH]  256 hashes (8,192 bytes), or the first WIDTH of a tile that is not full yet
    tile/entries/NUMBER[.p/WIDTH]  the entries under a tile of level 0, each behind its length in two bytes

A file is written whole or not at all, and never changed afterwards. A tile that was partial goes once it is full.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from adapters.seals import tree
from domain.errors import ContactPointError

WIDTH: Final = 256
HASH: Final = 32
_LEVEL_BITS: Final = 8
_KEPT_TILES: Final = 512
_WRITERS: Final = 4


class SealBroken(ContactPointError):
    """What is stored is not what was sealed. `position`: of the event concerned, where it is one."""

    code = "seal-broken"

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


def path_of(level: int | str, number: int, width: int = WIDTH) -> str:
    """Where a tile of a level (or of `entries`) lies; a width below 256: while it is not full."""
    digits = f"{number % 1000:03}"
    while number := number // 1000:
        digits = f"x{number % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + (f".p/{width}" if width < WIDTH else "")


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a file holds them."""
    return b"".join([len(entry).to_bytes(2) + entry for entry in entries])


def unbundled(content: bytes) -> list[bytes]:
    """The entries in a file. Raises SealBroken where it is cut off."""
    found, at = [], 0
    while at < len(content):
        start = at + 2
        at = start + int.from_bytes(content[at:start])
        if at > len(content) or start > len(content):
            raise SealBroken("A file of entries is cut off.")
        found.append(content[start:at])
    return found


def cut(content: bytes) -> list[bytes]:
    """The hashes in a tile."""
    return [content[at : at + HASH] for at in range(0, len(content), HASH)]


@dataclass
class Edge:
    """The right edge of a tree that grows: at each level the hashes of the tile that is not full, and its entries."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    entries: list[bytes] = field(default_factory=list)

    def grow(self, entries: Sequence[bytes]) -> dict[str, bytes]:
        """Add entries; the files of the tiles that became full."""
        files: dict[str, bytes] = {}
        at = 0
        while at < len(entries):
            fresh = entries[at : at + WIDTH - len(self.entries)]
            at += len(fresh)
            self.size += len(fresh)
            self.entries += fresh
            self.levels[0] += tree.leaves(fresh)
            if len(self.entries) == WIDTH:
                files[path_of("entries", self.size // WIDTH - 1)] = bundle(self.entries)
                self.entries = []
                files.update(self._carried())
        return files

    def _carried(self) -> Iterator[tuple[str, bytes]]:
        """Full tiles, from level 0 up, each with its root handed to the level above it."""
        for level, hashes in enumerate(self.levels):
            if len(hashes) < WIDTH:
                return
            yield path_of(level, (self.size >> _LEVEL_BITS * (level + 1)) - 1), b"".join(hashes)
            if level + 1 == len(self.levels):
                self.levels.append([])
            self.levels[level + 1].append(tree.full(hashes))
            self.levels[level] = []

    def partial(self) -> dict[str, bytes]:
        """The files of the tiles that are not full."""
        files = {}
        if self.entries:
            files[path_of("entries", self.size // WIDTH, len(self.entries))] = bundle(self.entries)
        for level, hashes in enumerate(self.levels):
            if hashes:
                number = self.size >> _LEVEL_BITS * (level + 1)
                files[path_of(level, number, len(hashes))] = b"".join(hashes)
        return files

    def root(self) -> bytes:
        """The root of the tree."""
        return tree.joined([peak for hashes in reversed(self.levels) for peak in tree.peaks(hashes)])

    def copy(self) -> "Edge":
        """The same edge, to grow apart."""
        return Edge(self.size, [list(hashes) for hashes in self.levels], list(self.entries))


class Tiles:
    """The files of one log in a folder of its own. Raises SealBroken where one is missing or not in its form."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # Reading

    def checkpoint(self) -> str | None:
        """The published note, as it stands."""
        return self._text("checkpoint")

    def key(self) -> str | None:
        """The line of the key that signs."""
        return self._text("log.pub")

    def edge(self, size: int) -> Edge:
        """The right edge of the tree of this size."""
        levels, level = [], 0
        while level == 0 or size >> _LEVEL_BITS * level:
            there = size >> _LEVEL_BITS * level
            width = there % WIDTH
            levels.append(self.hashes_of(level, there // WIDTH, width) if width else [])
            level += 1
        width = size % WIDTH
        return Edge(size, levels, self.entries_of(size // WIDTH, width) if width else [])

    def hashes_of(self, level: int, number: int, width: int = WIDTH) -> list[bytes]:
        """The first `width` hashes of a tile."""
        content = self._tile(level, number, width)
        if len(content) % HASH or len(content) < width * HASH:
            raise SealBroken(f"{path_of(level, number, width)} is not as long as a tile is.")
        return cut(content[: width * HASH])

    def entries_of(self, number: int, width: int = WIDTH) -> list[bytes]:
        """The first `width` entries under a tile of level 0."""
        found = unbundled(self._tile("entries", number, width))
        if len(found) < width:
            raise SealBroken(f"{path_of('entries', number, width)} holds too few entries.")
        return found[:width]

    def hashes(self, size: int) -> tree.Hashes:
        """The hashes of the tree of this size, to make proofs of."""

        @lru_cache(maxsize=_KEPT_TILES)
        def tile(level: int, number: int) -> list[bytes]:
            there = (size >> _LEVEL_BITS * level) - number * WIDTH
            return self.hashes_of(level, number, min(there, WIDTH))

        def one(level: int, number: int) -> bytes:
            tile_level, above = divmod(level, _LEVEL_BITS)
            first = number << above
            at = first % WIDTH
            return tree.full(tile(tile_level, first // WIDTH)[at : at + (1 << above)])

        return one

    def partial_files(self) -> list[Path]:
        """Where the files of tiles lie that are, or were, not full."""
        return [place for place in sorted(self.folder.glob("tile/**/*.p/*")) if place.name.isdigit()]

    def _tile(self, level: int | str, number: int, width: int) -> bytes:
        """The file of this width, or the full one that has taken its place."""
        for path in (path_of(level, number, width), path_of(level, number)):
            try:
                return (self.folder / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
        raise SealBroken(f"{path_of(level, number, width)} is missing.")

    def _text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text("utf-8")
        except FileNotFoundError:
            return None
        except ValueError:
            raise SealBroken(f"The file {name} is not text.") from None

    # Writing

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write tiles; all are on disk when it returns. One that is there already must be the same."""
        folders = {(self.folder / path).parent for path in files}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="tiles") as writers:
            shares = [list(files.items())[first::_WRITERS] for first in range(_WRITERS)]
            list(writers.map(self._write_share, shares))
        for folder in folders:
            _sync_folder(folder)

    def _write_share(self, files: Iterable[tuple[str, bytes]]) -> None:
        for path, content in files:
            self._write_once(path, content)

    def _write_once(self, path: str, content: bytes) -> None:
        place = f"{self.folder}/{path}"
        if os.path.exists(place):  # noqa: PTH110 - a path made of it costs as much as writing the file
            if Path(place).read_bytes() == content:
                return
            raise SealBroken(
                f"{path} was written before with another content: the log, or the file, was changed meanwhile."
            )
        _replace(place, content)

    def put(self, name: str, text: str) -> None:
        """Publish the checkpoint or the key in place of what stood there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(f"{self.folder}/{name}", text.encode())
        _sync_folder(self.folder)

    def tidy(self, full: Iterable[str]) -> None:
        """Remove what was there of tiles while they were not full."""
        for path in full:
            shutil.rmtree(self.folder / f"{path}.p", ignore_errors=True)


def _replace(place: str, content: bytes) -> None:
    """Write a file whole, or leave what was there."""
    folder, _, name = place.rpartition("/")
    fresh = f"{folder}/.{name}.{os.getpid()}"
    with open(fresh, "wb", buffering=0) as file:  # noqa: PTH123 - as above
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) or 0 :]
        os.fsync(file.fileno())
    os.replace(fresh, place)  # noqa: PTH105 - as above


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
