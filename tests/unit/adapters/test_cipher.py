"""The bytes of a stored part, and that nothing but its own key at its own place opens it."""

import hashlib
import hmac
from itertools import combinations
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from adapters.keys import cipher
from adapters.keys.cipher import BLOCKS, LABELS, Damage, access_key, place, seal, subkey, unseal, unwrap, wrap
from domain.kernel import Log

STREAM, EVENT = UUID(int=0x1111), UUID(int=0x2222)
KEY = AESGCM(bytes(range(32)))
WHERE = place(1, Log.RECORD, STREAM, 7, EVENT)


def test_the_associated_data_are_forty_bytes_big_endian() -> None:
    assert (
        b"".join([b"\x00\x01", b"\x01", STREAM.bytes, b"\x00\x00\x00\x07", EVENT.bytes, b"\x03"])
        == WHERE + b"\x03"
    )
    assert len(WHERE) + 1 == 40


@given(text=st.binary(max_size=2000), block=st.sampled_from([64, *BLOCKS.values()]))
def test_a_part_is_a_whole_number_of_blocks_and_opens_to_its_text(text: bytes, block: int) -> None:
    sealed = seal(KEY, text, WHERE, 1, block, bytes(12))
    assert len(sealed) % block == 0
    assert len(sealed) - (12 + 32 + 16 + len(text)) < block
    assert unseal(KEY, sealed, WHERE, 1) == b" " * 32 + text + b" " * (len(sealed) - 60 - len(text))


def test_texts_of_different_lengths_look_alike() -> None:
    lengths = {len(seal(KEY, b"x" * length, WHERE, 1, 320, bytes(12))) for length in range(261)}
    assert lengths == {320}


def test_an_altered_bit_anywhere_is_damage() -> None:
    sealed = seal(KEY, b"{}", WHERE, 1, 64, bytes(12))
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 0x80
        with pytest.raises(Damage):
            unseal(KEY, bytes(altered), WHERE, 1)
    for shorter in (b"", sealed[:11], sealed[:27], sealed[:-1]):
        with pytest.raises(Damage):
            unseal(KEY, shorter, WHERE, 1)


def test_a_part_opens_at_its_own_place_only() -> None:
    places = [
        place(1, Log.RECORD, STREAM, 7, EVENT),
        place(2, Log.RECORD, STREAM, 7, EVENT),
        place(1, Log.ACCESS, STREAM, 7, EVENT),
        place(1, Log.RECORD, EVENT, 7, EVENT),
        place(1, Log.RECORD, STREAM, 8, EVENT),
        place(1, Log.RECORD, STREAM, 7, STREAM),
    ]
    every = [(where, part) for where in places for part in (1, 2, 3)]
    for one, other in combinations(every, 2):
        sealed = seal(KEY, b"{}", *one, 64, bytes(12))
        with pytest.raises(Damage):
            unseal(KEY, sealed, *other)


def test_a_valid_tag_without_the_spaces_is_damage() -> None:
    for text in (b"", b" " * 31 + b"{}", b"{}" + b" " * 32):
        sealed = bytes(12) + KEY.encrypt(bytes(12), text, WHERE + b"\x01")
        with pytest.raises(Damage):
            unseal(KEY, sealed, WHERE, 1)


def test_a_wrapped_key_opens_in_its_own_row_only() -> None:
    raw, subject = bytes(32), uuid4()
    mine = (subject, 2, 3, 4)
    wrapped = wrap(KEY, raw, *mine, bytes(12))
    assert len(wrapped) == 60
    assert unwrap(KEY, wrapped, *mine) == raw
    for other in ((uuid4(), 2, 3, 4), (subject, 1, 3, 4), (subject, 2, 4, 4), (subject, 2, 3, 5)):
        with pytest.raises(Damage):
            unwrap(KEY, wrapped, *other)
    with pytest.raises(Damage):
        unwrap(KEY, wrap(KEY, b"short", *mine, bytes(12)), *mine)


def _hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 with one block of output, by its own words."""
    extracted = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def test_subkeys_are_those_of_rfc_5869() -> None:
    key = bytes(range(32))
    assert subkey(key, "etag") == _hkdf(key, b"contactpoint/etag")
    assert len({subkey(key, label) for label in LABELS}) == len(LABELS)
    with pytest.raises(KeyError):
        subkey(key, "unlisted")
    period, one, other, access = bytes(32), b"\x01" * 32, b"\x02" * 32, uuid4()
    assert access_key(period, (one, other), access) == _hkdf(period + one + other, access.bytes)
    assert access_key(period, (one, other), access) != access_key(period, (other, one), access)


def test_nothing_but_aes_gcm_and_hkdf_is_used() -> None:
    used = {name for name in vars(cipher) if name.isupper() is False}
    assert not {"AESCCM", "ChaCha20Poly1305", "AESSIV", "Cipher", "Fernet"} & used
