"""Reads and makes the assertions by which programs prove who they are (RFC 7521, RFC 7523, 3)."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from joserfc import jwk

from adapters.openid.jose import NotVerified, algorithms_of, instant_of, opened, signed, unverified, usable
from domain.ports import Assertion
from domain.public_keys import PublicKey

LONGEST: Final = timedelta(minutes=5)
"""So long an assertion is in time at most."""
LEEWAY: Final = timedelta(seconds=30)
"""So far a program's clock may be ahead of ours."""
_LONGEST_ID: Final = 255
_TYPES: Final = frozenset({"JWT", "client-authentication+jwt"})
_RSA_BYTES: Final = 256


class JwtAssertions:
    """Implements `domain.ports.Assertions`."""

    def claimed(self, token: str) -> tuple[str, str] | None:
        """See the port."""
        try:
            header, claims = unverified(token)
        except NotVerified:
            return None
        client, key = claims.get("sub"), header.get("kid")
        return (client, key) if isinstance(client, str) and isinstance(key, str) else None

    def verified(self, token: str, key: PublicKey | None, audience: str, at: datetime) -> Assertion | None:
        """See the port."""
        try:
            if key is None:
                self._work_in_vain(token)
                return None
            found = opened(token, usable(key), algorithms_of(key))
            if (
                str(found.header.get("typ", "JWT")) not in _TYPES
            ):  # a token for something else (RFC 8725, 3.11)
                return None
            return _said(found.claims, audience, at)
        except NotVerified:
            return None

    def _work_in_vain(self, token: str) -> None:
        """Check the signature as that of a program that is there would be, with a key that nobody has."""
        algorithm = str(unverified(token)[0].get("alg"))
        decoy = _decoy(algorithm)
        if decoy is not None:
            opened(token, decoy, (algorithm,))


def _said(claims: Mapping[str, Any], audience: str, at: datetime) -> Assertion | None:
    """What an assertion says, if it is whole, for us and in time."""
    client, jwt_id = claims.get("sub"), claims.get("jti")
    if not isinstance(client, str) or claims.get("iss") != client:
        return None
    if claims.get("aud") not in (audience, [audience]):
        return None
    if not isinstance(jwt_id, str) or not 0 < len(jwt_id) <= _LONGEST_ID or not jwt_id.isprintable():
        return None
    expires, issued, begins = (instant_of(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or not at < expires <= at + LONGEST + LEEWAY:
        return None
    if any(one is not None and one > at + LEEWAY for one in (issued, begins)):
        return None
    return Assertion(client, jwt_id, expires)


def made(key: jwk.Key, public: PublicKey, thumbprint: str, client: str, audience: str, at: datetime) -> str:
    """An assertion that this program is who it says, good once and for a minute."""
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "iat": int(at.timestamp()),
        "exp": int(at.timestamp()) + 60,
        "jti": secrets.token_urlsafe(16),
    }
    return signed({"alg": algorithms_of(public)[0], "kid": thumbprint}, claims, key)


@cache
def _decoy(algorithm: str) -> jwk.Key | None:
    match algorithm:
        case "ES256":
            return jwk.ECKey.generate_key("P-256")
        case "ES384":
            return jwk.ECKey.generate_key("P-384")
        case "EdDSA" | "Ed25519":
            return jwk.OKPKey.generate_key("Ed25519")
        case (
            "PS256"
        ):  # whose modulus is no product of two primes that anybody knows; it takes no time to make
            modulus = int.from_bytes(secrets.token_bytes(_RSA_BYTES)) | 1 << (8 * _RSA_BYTES - 1) | 1
            return jwk.RSAKey(RSAPublicNumbers(65537, modulus).public_key(), None)
        case _:
            return None
