"""AES-256-GCM and nothing else: how one part of a stored event is sealed and opened, and how subkeys are made.

A stored part is nonce (12) ‖ ciphertext ‖ tag (16), its length a multiple of the log's block. The plaintext is 32
spaces, then JSON, then spaces. The leading spaces commit the ciphertext to its key: AES-GCM alone lets somebody who
chooses two keys make one ciphertext that opens under both, and a constant prefix, checked on opening, makes that
infeasible. The associated data bind a part to its place.
"""

import os
from collections.abc import Callable
from hmac import digest
from struct import Struct
from typing import Final, TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.kernel import Log
from domain.personal_data import Part

FORMAT: Final = 1
"""The only form of a stored part so far; stands in the row and in the associated data."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
COMMITMENT: Final = b" " * 32
BLOCKS: Final = {Log.RECORD: 448, Log.ACCESS: 2560}
"""Bytes that the length of a stored part is a multiple of. Measured; see `docs/stored-forms.md`."""

_AROUND: Final = NONCE_BYTES + TAG_BYTES
_PLACE: Final = Struct(">HB16sI16s")
_KEY_PLACE: Final = Struct(">16sHII")
_OF_STREAM: Final = Struct(">HB16s")
_PART_BYTES: Final = (b"\x00", b"\x01", b"\x02", b"\x03")
_IDENTITY, _CONTENT, _METADATA = (_PART_BYTES[part] for part in Part)

Random = Callable[[int], bytes]
RANDOM: Final[Random] = os.urandom


class Damage(Exception):
    """Stored bytes do not open under the key that should open them. Says nothing about what was in them."""


def place(form: int, log: int, stream_id: UUID, version: int, event_id: UUID) -> bytes:
    """Where an event stands: the associated data (39 bytes, big-endian) without the part's last byte."""
    return _PLACE.pack(form, log, stream_id.bytes, version, event_id.bytes)


def begin_place(form: int, log: int, stream_id: UUID) -> bytes:
    """What `place` begins with for every event of a stream; its version (4 bytes) and id (16) follow."""
    return _OF_STREAM.pack(form, log, stream_id.bytes)


def seal(key: AESGCM, text: bytes, where: bytes, part: int, block: int, nonce: bytes) -> bytes:
    """Seal one part's JSON text. `nonce` is 12 fresh random bytes; the result's length is a multiple of `block`."""
    return nonce + key.encrypt(nonce, padded(text, block), where + _PART_BYTES[part])


def padded(text: bytes, block: int) -> bytes:
    """A part's JSON text as it is sealed, so long that what comes of it is a multiple of `block`."""
    plain = (COMMITMENT + text).ljust(block - _AROUND)
    if len(plain) > block - _AROUND:
        plain = plain.ljust(-(-(len(plain) + _AROUND) // block) * block - _AROUND)
    return plain


Sealed: TypeAlias = tuple[bytes, bytes, bytes]
"""The stored parts of one event: identity, content, metadata."""


def seal_event(keys: tuple[AESGCM, AESGCM, AESGCM], plain: Sealed, where: bytes, nonces: bytes) -> Sealed:
    """Seal the padded parts of one event, as `seal` does each. `nonces`: 36 fresh random bytes."""
    identity, content, metadata = keys
    one, two, three = nonces[:12], nonces[12:24], nonces[24:]
    return (
        one + identity.encrypt(one, plain[0], where + _IDENTITY),
        two + content.encrypt(two, plain[1], where + _CONTENT),
        three + metadata.encrypt(three, plain[2], where + _METADATA),
    )


def unseal(key: AESGCM, stored: bytes, where: bytes, part: int) -> bytes:
    """The JSON text of one part, spaces around it included. Raises Damage."""
    try:
        text = key.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], where + _PART_BYTES[part])
    except (InvalidTag, ValueError):
        raise Damage from None
    if not text.startswith(COMMITMENT):
        raise Damage
    return text


def wrap(
    key: AESGCM, raw: bytes, subject: UUID, kind: int, number: int, generation: int, nonce: bytes
) -> bytes:
    """Wrap a key for its row: nonce ‖ AES-256-GCM, bound to the four columns before it."""
    return nonce + key.encrypt(nonce, raw, _KEY_PLACE.pack(subject.bytes, kind, number, generation))


def unwrap(key: AESGCM, wrapped: bytes, subject: UUID, kind: int, number: int, generation: int) -> bytes:
    """The key in a row. Raises Damage where the row was altered or stands in another's place."""
    try:
        raw = key.decrypt(
            wrapped[:NONCE_BYTES],
            wrapped[NONCE_BYTES:],
            _KEY_PLACE.pack(subject.bytes, kind, number, generation),
        )
    except (InvalidTag, ValueError):
        raise Damage from None
    if len(raw) != KEY_BYTES:
        raise Damage
    return raw


LABELS: Final = {
    "idempotency": "keys under which a command or a line of a file is known to have been done (system key)",
    "account-name": "tokens by which an account's name is unique (system key)",
    "account-duty": "tokens by which nobody holds two of the duties that exclude each other (system key)",
    "account-first": "the token by which the first account managers are appointed once (system key)",
    "account-reference": "tokens by which an authenticator is registered for one account (system key)",
    "organisation-body": "tokens by which an organisation's body code is unique (system key)",
    "nhs-number": "tokens by which an NHS number is unique among records (system key)",
    "feed": "keys under which a record of a source is known to have been dealt with (system key)",
    "place": "tokens of the places of shielded children (system key)",
    "ruled-out": "marks of source records that a human found to be about another child (system key)",
    "suppression": "tokens by which a destroyed child is not registered again (system key)",
    "file": "fingerprints of supplied files (system key)",
    "investigation": "tokens by which a look is looked into once (system key)",
    "proposal": "what two people are shown of an act that needs both (system key)",
    "letter": "what is written for whoever registers a new identity (system key)",
    "sign-in": "tokens by which tries to sign in are counted (system key)",
    "authenticator": "what an account is proved by (the account's staff key)",
    "federated-subject": "tokens by which a subject of a provider is bound to one account (system key)",
    "client-assertion": "tokens by which what a program signed is good once (system key)",
    "client-audience": "to whom what a program signed is addressed (system key)",
    "mediation-permission": "by which word a caller let a mediator look, as the id of that access (system key)",
    "mediation-look": "the id of the one look that a caller's word is good for (system key)",
    "etag": "what a reader was shown, for conditional requests (system key)",
    "digest": "what was shown of one child (the child's identity key)",
    "page": "what was shown as a whole (the access's own identity key)",
}
"""Every label a subkey is made under, and what for. A label is never used for anything else."""


def subkey(key: bytes, label: str) -> bytes:
    """HKDF-SHA256 (RFC 5869), no salt, info `contactpoint/<label>`: 32 bytes. Raises KeyError for an unknown label."""
    LABELS[label]
    return _hkdf(key, b"contactpoint/" + label.encode())


def access_key(period_key: bytes, identity_keys: tuple[bytes, ...], access_id: UUID) -> bytes:
    """The identity key of one access: gone with the period, or with any child that was shown.

    HKDF-SHA256, no salt, input period key ‖ identity keys of the hits in order, info the 16 bytes of the access id.
    """
    return _hkdf(period_key + b"".join(identity_keys), access_id.bytes)


def keyed_digest(key: bytes, value: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), 32 bytes."""
    return digest(key, value, "sha256")


def _hkdf(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)
