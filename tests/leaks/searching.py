"""Looks for a token in every byte of every file, in whatever form a program may have written it."""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

_MAGIC: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
"""Where a zlib or a gzip stream may begin."""

_MOST_INFLATED: Final = 1 << 18
_EITHER: Final = 47
"""To zlib: its own form or gzip's."""

_FIRST: Final = 128
_PIECE: Final = 6
_LEAST_PACKED: Final = 13
"""Letters of a token of which a piece that long is left whole, wherever the bytes fall between."""

_ANY_CASE: Final = "text"


def forms(token: str) -> dict[str, bytes]:
    """Everything a token may look like. Text is looked for in lower case, in content made lower case."""
    plain = token.encode()
    found = {
        f"{_ANY_CASE} utf-8": token.lower().encode(),
        f"{_ANY_CASE} utf-16-le": token.lower().encode("utf-16-le"),
        f"{_ANY_CASE} utf-16-be": token.lower().encode("utf-16-be"),
        f"{_ANY_CASE} backwards": token.lower()[::-1].encode(),
        f"{_ANY_CASE} url": quote(token).lower().encode(),
        f"{_ANY_CASE} json": json.dumps(token.lower())[1:-1].encode(),
        f"{_ANY_CASE} escaped": token.lower().encode("ascii", "backslashreplace"),
        f"{_ANY_CASE} hex": plain.hex().encode(),
    }
    for before in range(3):
        # Of the letters that stand for it, those at the ends stand for its neighbours as well.
        encoded = base64.b64encode(bytes(before) + plain).decode()
        skipped, kept = (0, 2, 3)[before], (len(plain) + before) // 3 * 4
        found[f"base64 {before}"] = encoded[skipped:kept].encode()
        found[f"base64url {before}"] = encoded[skipped:kept].translate(str.maketrans("+/", "-_")).encode()
    return found


def _pieces(token: str) -> list[bytes]:
    """What is left of a token in a value that pglz has packed, which puts a byte between every eight letters."""
    letters = token.lower().encode()
    return [letters[at : at + _PIECE] for at in range(len(letters) - _PIECE + 1)]


class Search:
    """Tokens to be looked for, each in all its forms."""

    def __init__(self, *tokens: str) -> None:
        self._forms = {token: forms(token) for token in tokens}
        self._pieces = {token: _pieces(token) for token in tokens if len(token) >= _LEAST_PACKED}

    def of(self, content: bytes) -> Iterator[str]:
        """Which tokens stand in some bytes, and in which form."""
        lower = content.lower()
        yield from self._plain(content, lower)
        for token, pieces in self._pieces.items():
            if any(piece in lower for piece in pieces):
                yield f"{token} (pglz)"
        for start in _MAGIC.finditer(content):
            unfolded = _inflated(memoryview(content)[start.start() :])
            if unfolded:
                for token in self._plain(unfolded, unfolded.lower()):
                    yield f"{token} (compressed)"

    def _plain(self, content: bytes, lower: bytes) -> Iterator[str]:
        for token, written in self._forms.items():
            for form, wanted in written.items():
                if wanted in (lower if form.startswith(_ANY_CASE) else content):
                    yield f"{token} ({form})"

    def under(self, folders: Iterable[Path]) -> dict[str, list[str]]:
        """Token and form → the files under these folders in which it stands."""
        found: dict[str, list[str]] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    for token in self.of(path.read_bytes()):
                        found.setdefault(token, []).append(str(path.relative_to(folder)))
        return found


def _inflated(content: memoryview) -> bytes:
    """What a stream that may begin here unfolds to; nothing where it is none."""
    try:
        if not zlib.decompressobj(wbits=_EITHER).decompress(content[:_FIRST], 1):
            return b""
        return zlib.decompressobj(wbits=_EITHER).decompress(content[:_MOST_INFLATED], _MOST_INFLATED)
    except zlib.error:
        return b""
