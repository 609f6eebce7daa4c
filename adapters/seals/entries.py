"""The entry of an event: what is hashed into the tree. Bytes as in docs/stored-forms.md, for ever.

It commits to every column of the row as it is stored, and tells nothing but the position: parts are ciphertext under
random nonces, so nobody can try values against their hashes, and they stay when a key is destroyed.
"""

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final

from adapters.rows import SealedRow
from domain.kernel import Log

FORM: Final = 1
_HEAD: Final = Struct(">iBiBiq")
_INDEX: Final = Struct(">q")
_HEAD_BYTES: Final = _HEAD.size
_FIELD_BYTES: Final = 4 + 32
ENTRY_BYTES: Final = _HEAD_BYTES + 4 * _FIELD_BYTES
_ENTRY: Final = Struct(">14sq36s36s36s36s")
_HASH: Final = (32).to_bytes(4)


def entries(log: Log, rows: Iterable[SealedRow]) -> list[bytes]:
    """The entries of some rows, in the order of positions. The event at position n is entry n - 1."""
    head = _HEAD.pack(1, FORM, 1, int(log), 8, 0)[:-8]
    index, pack, hashed, length = _INDEX.unpack_from, _ENTRY.pack, sha256, _HASH
    return sorted(
        [
            pack(
                head,
                index(clear, 4)[0] - 1,
                length + hashed(clear).digest(),
                length + hashed(identity).digest(),
                length + hashed(content).digest(),
                length + hashed(metadata).digest(),
            )
            for clear, identity, content, metadata in rows
        ]
    )


def position_of(entry: bytes) -> int:
    """The position of the event that an entry is of."""
    return int(_INDEX.unpack_from(entry, _HEAD_BYTES - 8)[0]) + 1


def differing(entry: bytes, expected: bytes) -> str:
    """What of a row differs, in words, where two of its entries do."""
    if entry[:_HEAD_BYTES] != expected[:_HEAD_BYTES]:
        return "its place"
    names = ("a column in clear", "the identity part", "the content part", "the metadata part")
    at = [_HEAD_BYTES + number * _FIELD_BYTES for number in range(4)]
    changed = [
        name
        for name, one in zip(names, at, strict=True)
        if entry[one : one + _FIELD_BYTES] != expected[one : one + _FIELD_BYTES]
    ]
    return " and ".join(changed)
