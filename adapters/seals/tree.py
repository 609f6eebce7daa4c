"""Merkle trees of RFC 6962 section 2.1: hashes, roots, proofs that an entry is in a tree and that one tree is the
beginning of another. Pure; whoever has hashes hands them in as a `Hashes`.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

EMPTY: Final = sha256(b"").digest()
"""The root of the tree without entries."""

Hashes: TypeAlias = Callable[[int, int], bytes]
"""(level, number) → the hash (32 bytes) over entries `number * 2**level` up to the next number's, all of them there."""


def leaf(entry: bytes) -> bytes:
    """The hash of an entry (RFC 6962: a zero byte before it)."""
    return sha256(b"\x00" + entry).digest()


def leaves(entries: Sequence[bytes]) -> list[bytes]:
    """The hashes of many entries."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees (RFC 6962: a one byte before them)."""
    return sha256(b"\x01" + left + right).digest()


def full(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes that stand side by side."""
    while len(hashes) > 1:
        hashes = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]


def peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the largest full subtrees over these hashes, from the left."""
    found, at = [], 0
    while at < len(hashes):
        width = 1 << ((len(hashes) - at).bit_length() - 1)
        found.append(full(hashes[at : at + width]))
        at += width
    return found


def joined(found: Sequence[bytes]) -> bytes:
    """The root of a tree whose full subtrees, from the left, have these roots."""
    if not found:
        return EMPTY
    root = found[-1]
    for left in reversed(found[:-1]):
        root = node(left, root)
    return root


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return joined(peaks(leaves))


def over(hashes: Hashes, start: int, end: int) -> bytes:
    """The root over entries `start` to `end` (exclusive), where such a subtree is part of a tree, or begins one."""
    width = end - start
    if width == 0:
        return EMPTY
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return hashes(level, start >> level)
    middle = start + _split(width)
    return node(over(hashes, start, middle), over(hashes, middle, end))


def inclusion(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """The proof that entry `index` (from 0) is in the tree of this size: PATH of RFC 6962 section 2.1.1."""
    if not 0 <= index < size:
        raise ValueError("there is no such entry in a tree of this size")
    found: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(over(hashes, middle, end))
            end = middle
        else:
            found.append(over(hashes, start, middle))
            start = middle
    return found[::-1]


def consistency(hashes: Hashes, old: int, size: int) -> list[bytes]:
    """The proof that the tree of size `old` is the beginning of that of `size`: PROOF of RFC 6962 section 2.1.2.

    Empty where `old` is 0 or `size`.
    """
    if not 0 <= old <= size:
        raise ValueError("the older tree is the larger one")
    if old in (0, size):
        return []
    found: list[bytes] = []
    start, end = 0, size
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(over(hashes, middle, end))
            end = middle
        else:
            found.append(over(hashes, start, middle))
            start = middle
    if start > 0:  # else the verifier has it: it is the older root
        found.append(over(hashes, start, end))
    return found[::-1]


def included(proof: Sequence[bytes], index: int, size: int, entry: bytes, expected: bytes) -> bool:
    """Whether the proof leads from a leaf hash to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, entry
    for one in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(one, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, one)
        at, last = at >> 1, last >> 1
    return last == 0 and found == expected


def consistent(proof: Sequence[bytes], old: int, old_root: bytes, size: int, new_root: bytes) -> bool:
    """Whether the proof shows the older tree to be the beginning of the newer (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old == 0:
        return not proof and old_root == EMPTY
    if old == size:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node(one, before), node(one, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node(after, one)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(width: int) -> int:
    """The largest power of two below a width of two or more."""
    return 1 << ((width - 1).bit_length() - 1)
