"""An ID token checked whole (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725)."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from adapters.openid.jose import NotVerified, instant_of, opened, unverified
from adapters.openid.provider import ALGORITHMS, Keys
from domain.federation import Vouched
from domain.identifiers import SubjectId

LEEWAY: Final = timedelta(seconds=30)
"""So far two clocks may be apart."""
OLDEST: Final = timedelta(minutes=10)
"""So long ago a token that is shown for the first time was issued at most."""
_SUBJECT: Final[TypeAdapter[str]] = TypeAdapter(SubjectId)
_HASHES: Final = {
    "RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "ES384": "sha384", "EdDSA": "sha512", "Ed25519": "sha512",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token is to say. nonce: what was asked with; None where nothing could be asked with (RFC 8628).

    since: they must have given their factors at or after this instant. acr, amr: of which any one says that there were
    two factors.
    """

    issuer: str
    client_id: str
    nonce: str | None = field(repr=False)
    since: datetime | None
    acr: frozenset[str]
    amr: frozenset[str]


def vouched(token: str, access_token: str | None, expected: Expected, keys: Keys, at: datetime) -> Vouched:
    """Whom a token vouches for. Raises NotVerified, naming what is wrong with it; ProviderAway."""
    header, _ = unverified(token)
    found = opened(token, keys.find(header, at), tuple(ALGORITHMS))
    claims = found.claims
    if str(found.header.get("typ", "JWT")).upper() != "JWT":  # a token for something else (RFC 8725, 3.11)
        raise NotVerified("typ")
    _check_parties(claims, expected)
    _check_times(claims, at)
    if expected.nonce is not None and not _is(claims.get("nonce"), expected.nonce):
        raise NotVerified("nonce")
    _check_access_token(claims, str(found.header["alg"]), access_token)
    authenticated_at = instant_of(claims, "auth_time")
    if authenticated_at is not None and authenticated_at > at + LEEWAY:
        raise NotVerified("auth_time")
    if expected.since is not None and (
        authenticated_at is None or authenticated_at < expected.since - LEEWAY
    ):
        raise NotVerified("auth_time")
    try:
        subject = _SUBJECT.validate_python(claims.get("sub"))
    except ValidationError:
        raise NotVerified("sub") from None
    return Vouched(expected.issuer, subject, _two_factors(claims, expected), authenticated_at)


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise NotVerified("iss")
    if claims.get("aud") not in (expected.client_id, [expected.client_id]):  # of no other audience do we know
        raise NotVerified("aud")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise NotVerified("azp")


def _check_times(claims: Mapping[str, Any], at: datetime) -> None:
    expires, issued, begins = (instant_of(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or at >= expires + LEEWAY:
        raise NotVerified("exp")
    if issued is None or not at - OLDEST <= issued <= at + LEEWAY:
        raise NotVerified("iat")
    if begins is not None and begins > at + LEEWAY:
        raise NotVerified("nbf")


def _check_access_token(claims: Mapping[str, Any], algorithm: str, access_token: str | None) -> None:
    """`at_hash`, where it is said: the left half of the access token's hash (3.1.3.6)."""
    said = claims.get("at_hash")
    if said is None:
        return
    digest = hashlib.new(_HASHES[algorithm], (access_token or "").encode()).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    if access_token is None or not _is(said, half):
        raise NotVerified("at_hash")


def _is(said: object, expected: str) -> bool:
    return isinstance(said, str) and compare_digest(said.encode("utf-8", "replace"), expected.encode())


def _two_factors(claims: Mapping[str, Any], expected: Expected) -> bool:
    acr, amr = claims.get("acr"), claims.get("amr")
    methods = {one for one in amr if isinstance(one, str)} if isinstance(amr, list) else set()
    return (isinstance(acr, str) and acr in expected.acr) or bool(methods & expected.amr)
