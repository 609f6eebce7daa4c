"""Passwords, time-based codes and random secrets. Argon2id (RFC 9106), TOTP (RFC 6238), the system's randomness."""

import re
import secrets
import unicodedata
from datetime import datetime
from hmac import compare_digest
from threading import BoundedSemaphore
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from domain.identifiers import CROCKFORD

MEMORY_KIB: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
"""OWASP's least for Argon2id. A core does about fifty a second, and 300,000 people sign in within half an hour."""
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
AT_ONCE: Final = 8
"""Hashes that a process makes at a time, so that tries cannot take its memory: 8 of them take 152 MiB."""

STEP_SECONDS: Final = 30
DIGITS: Final = 6
_SECRET_BYTES: Final = 20
_TOKEN_BYTES: Final = 32
_ENROLMENT_CHARACTERS: Final = 26
_GROUP: Final = 5
_WORD_CHARACTERS: Final = 16
_WORD_GROUP: Final = 4
_PARAMETERS: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}$"

DECOY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$imJF0M7Zcu5P2S88RiPZpA$6AZXiYzE59JrI4rbDyHCGi1+xkOUSnddrEbJpaZB7t0"
)
"""A random salt and 32 random bytes: the hash of a password that nobody knows."""


class StandardFactors:
    """Implements `domain.ports.Factors`. Safe to share between threads."""

    def __init__(self) -> None:
        self._turns = BoundedSemaphore(AT_ONCE)

    @property
    def decoy(self) -> str:
        """See the port."""
        return DECOY

    def hash_password(self, password: str) -> str:
        """See the port."""
        with self._turns:
            made = Argon2id(
                salt=secrets.token_bytes(_SALT_BYTES),
                length=_HASH_BYTES,
                iterations=ITERATIONS,
                lanes=LANES,
                memory_cost=MEMORY_KIB,
            )
            return str(made.derive_phc_encoded(_bytes(password)))

    def is_password(self, password: str, hashed: str) -> bool:
        """See the port. Raises ValueError where `hashed` is no hash."""
        with self._turns:
            try:
                Argon2id.verify_phc_encoded(_bytes(password), hashed)
            except InvalidKey:
                return False
        return True

    def is_dated(self, hashed: str) -> bool:
        """See the port."""
        return not hashed.startswith(_PARAMETERS)

    def step_of(self, code: str, secret: bytes, at: datetime) -> int | None:
        """See the port. A step to each side is forgiven (RFC 6238 5.2); each of the three is always compared."""
        typed = code.replace(" ", "")
        given = typed.encode() if re.fullmatch(r"[0-9]{6}", typed, re.ASCII) else b""
        totp = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)  # noqa: S303 - what devices speak
        now = int(at.timestamp()) // STEP_SECONDS
        found = [
            step
            for step in range(max(now - 1, 0), now + 2)
            if compare_digest(totp.generate(step * STEP_SECONDS), given)
        ]
        return max(found, default=None)

    def secret(self) -> bytes:
        """See the port."""
        return secrets.token_bytes(_SECRET_BYTES)

    def token(self) -> str:
        """See the port."""
        return secrets.token_urlsafe(_TOKEN_BYTES)

    def enrolment_code(self) -> str:
        """See the port."""
        return _drawn(_ENROLMENT_CHARACTERS, _GROUP)

    def word(self) -> str:
        """See the port."""
        return _drawn(_WORD_CHARACTERS, _WORD_GROUP)


def _drawn(characters: int, group: int) -> str:
    """So many random characters, in groups."""
    drawn = "".join(secrets.choice(CROCKFORD) for _ in range(characters))
    return "-".join(drawn[at : at + group] for at in range(0, len(drawn), group))


def _bytes(password: str) -> bytes:
    """As typed on any keyboard: one form of what looks the same (RFC 8265 uses it, too)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
