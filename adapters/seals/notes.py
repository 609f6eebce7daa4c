"""Signed notes and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof.

Keys stand in the one-line forms of Go's `golang.org/x/mod/sumdb/note`: `NAME+HASH+BASE64` for a verifier's,
`PRIVATE+KEY+NAME+HASH+BASE64` for a signer's. Ed25519 only: type 1 signs the text of a note, type 4 is a witness, who
signs it together with a time.
"""

import base64
import binascii
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "— "
_PROOF: Final = "c2sp.org/tlog-proof@v1"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME: Final = re.compile(r"[^\s+]+")
_MOST_SIGNATURES: Final = 100


class BadNote(ValueError):
    """A note, key or proof that is not in its form, or that nobody we trust has signed."""


class Kind(IntEnum):
    """What a key signs: the first byte of a key and of what its hash is over."""

    LOG = 1
    WITNESS = 4


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that signatures are checked with."""

    name: str
    kind: Kind
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encoded(bytes([self.kind]) + self.public)}"

    @classmethod
    def of(cls, line: str) -> "Verifier":
        """The key in one line. Raises BadNote."""
        name, _, rest = line.strip().partition("+")
        hashed, _, key = rest.partition("+")
        found = cls(name, *_key(key))
        if not _NAME.fullmatch(name) or found.key_id.hex() != hashed:
            raise BadNote("this is not the line of a verifier key")
        return found

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether a signature, without the four bytes before it, is this key's over the text."""
        message, signed = text.encode(), signature
        if self.kind is Kind.WITNESS:
            if len(signature) != 8 + 64:
                return False
            message, signed = _timed(text, _time(signature)), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signed, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs. Its text form is a secret."""

    verifier: Verifier
    private: Ed25519PrivateKey

    @classmethod
    def make(cls, name: str, kind: Kind) -> "Signer":
        """A new key."""
        return cls._of(name, kind, Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, line: str) -> "Signer":
        """The key in one line. Raises BadNote, which does not hold it."""
        parts = line.strip().removeprefix(_PRIVATE).split("+", 2)
        if not line.startswith(_PRIVATE) or len(parts) != 3:
            raise BadNote("this is not the line of a signer's key")
        kind, seed = _key(parts[2])
        found = cls._of(parts[0], kind, Ed25519PrivateKey.from_private_bytes(seed))
        if found.verifier.key_id.hex() != parts[1]:
            raise BadNote("this is not the line of a signer's key")
        return found

    @classmethod
    def _of(cls, name: str, kind: Kind, private: Ed25519PrivateKey) -> "Signer":
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(Verifier(name, kind, public), private)

    def secret(self) -> str:
        """The one line in which the key is kept."""
        own = self.verifier
        key = bytes([own.kind]) + self.private.private_bytes_raw()
        return f"{_PRIVATE}{own.name}+{own.key_id.hex()}+{encoded(key)}"

    def sign(self, text: str, time: int = 0) -> str:
        """The line of a signature. time: seconds since 1970, which a witness signs too."""
        if self.verifier.kind is Kind.WITNESS:
            signature = struct.pack(">Q", time) + self.private.sign(_timed(text, time))
        else:
            signature = self.private.sign(text.encode())
        return f"{_DASH}{self.verifier.name} {encoded(self.verifier.key_id + signature)}\n"

    def __repr__(self) -> str:
        return f"Signer({self.verifier.name})"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size of a log and its root (32 bytes), under the name of the log."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"

    @classmethod
    def of(cls, text: str) -> "Checkpoint":
        """The checkpoint in a note's text; further lines are passed over. Raises BadNote."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not _SIZE.fullmatch(lines[1]) or not all(lines[:-1]):
            raise BadNote("this is not the text of a checkpoint")
        root = decoded(lines[2])
        if len(root) != 32:
            raise BadNote("this is not the root of a tree")
        return cls(lines[0], int(lines[1]), root)


@dataclass(frozen=True, slots=True)
class Note:
    """A text, and lines of signatures that are not checked yet."""

    text: str
    signatures: Sequence[str]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(self.signatures)}"

    @classmethod
    def of(cls, note: str) -> "Note":
        """Split a note. Raises BadNote."""
        text, blank, rest = note.rpartition("\n\n")
        lines = rest.splitlines(keepends=True)
        if not blank or not lines or len(lines) > _MOST_SIGNATURES:
            raise BadNote("this is not a signed note")
        if not all(line.startswith(_DASH) and line.endswith("\n") for line in lines):
            raise BadNote("this is not a signed note")
        return cls(text + "\n", tuple(lines))

    def signed_by(self, verifier: Verifier) -> int | None:
        """The time of the key's signature (0 where the key signs none); None where there is no good one."""
        for line in self.signatures:
            name, _, value = line.removeprefix(_DASH).rstrip("\n").partition(" ")
            try:
                signature = decoded(value)
            except BadNote:
                continue
            own = name == verifier.name and signature[:4] == verifier.key_id
            if own and verifier.verifies(self.text, signature[4:]):
                return _time(signature[4:]) if verifier.kind is Kind.WITNESS else 0
        return None

    def checkpoint(self, log: Verifier) -> Checkpoint:
        """The checkpoint in this note, signed by its log. Raises BadNote."""
        if self.signed_by(log) is None:
            raise BadNote("the log has not signed this")
        found = Checkpoint.of(self.text)
        if found.origin != log.name:
            raise BadNote("this is the checkpoint of another log")
        return found


def proof_text(entry: bytes, index: int, proof: Sequence[bytes], note: str) -> str:
    """A proof that an entry is in a log, as C2SP tlog-proof writes it; the entry itself is the extra data."""
    head = f"{_PROOF}\nextra {encoded(entry)}\nindex {index}\n"
    return f"{head}{''.join(encoded(one) + chr(10) for one in proof)}\n{note}"


def proof_of(text: str) -> tuple[bytes, int, list[bytes], Note]:
    """Extra data, index, hashes and note of a tlog-proof. Raises BadNote."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    extra = (
        decoded(lines.pop(1).removeprefix("extra ")) if lines[1:2] and lines[1].startswith("extra ") else b""
    )
    word, _, index = lines[1].partition(" ") if len(lines) > 1 else ("", "", "")
    if lines[0] != _PROOF or word != "index" or not _SIZE.fullmatch(index) or not blank:
        raise BadNote("this is not a proof of a log")
    return extra, int(index), [decoded(line) for line in lines[2:]], Note.of(note)


def decoded(text: str) -> bytes:
    """Base64 with padding, in its one form. Raises BadNote."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or encoded(found) != text:
        raise BadNote("this is not base64")
    return found


def _key(text: str) -> tuple[Kind, bytes]:
    key = decoded(text)
    if len(key) != 33 or key[0] not in list(Kind):
        raise BadNote("this is not an Ed25519 key of a log or a witness")
    return Kind(key[0]), key[1:]


def _timed(text: str, time: int) -> bytes:
    """What a witness signs (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _time(signature: bytes) -> int:
    return int(struct.unpack(">Q", signature[:8])[0])


def encoded(value: bytes) -> str:
    """Base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(value).decode()
