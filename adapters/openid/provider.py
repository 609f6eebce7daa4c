"""A provider as it describes itself (OpenID Connect Discovery 1.0), and its keys, which change (Core 1.0, 10.1.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwk
from joserfc.errors import JoseError

from adapters.openid import http
from adapters.openid.http import ProviderAway
from adapters.openid.jose import RSA_BITS, NotVerified, is_short

ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""In which ways an ID token may be signed: kind of key, and curve."""
KEYS_KEPT: Final = timedelta(hours=1)
"""So long keys are used without asking again: a key that the provider took back is good no longer."""
ASKED_AGAIN: Final = timedelta(seconds=10)
"""For a key that is not known the provider is asked again, at most so often: tokens are free to make up."""
_DISCOVERY: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where a provider is asked for what. names_itself: whether it says its name on the way back (RFC 9207)."""

    issuer: str
    authorization: str
    token: str
    keys: str
    device: str | None
    names_itself: bool


def discovered(issuer: str, get: Callable[[str], dict[str, Any]] = http.get) -> Metadata:
    """What a provider says of itself. Raises ProviderAway, also where it calls itself otherwise than it is called."""
    said = get(issuer.rstrip("/") + _DISCOVERY)
    if said.get("issuer") != issuer:
        raise ProviderAway(
            "The provider calls itself otherwise than CONTACTPOINT_OIDC_ISSUER does: the two must be the same."
        )
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    device = said.get("device_authorization_endpoint")
    if not all(http.is_safe(said.get(name)) for name in names) or not (
        device is None or http.is_safe(device)
    ):
        raise ProviderAway("The provider names an address that is not HTTPS, so it is not asked.")
    if "S256" not in said.get("code_challenge_methods_supported", ["S256"]):
        raise ProviderAway("The provider does not do PKCE with S256 (RFC 7636), which is needed here.")
    return Metadata(
        issuer=issuer,
        authorization=said["authorization_endpoint"],
        token=said["token_endpoint"],
        keys=said["jwks_uri"],
        device=device,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


@dataclass(slots=True)
class Keys:
    """The provider's public keys, asked for when one is needed."""

    address: str
    get: Callable[[str], dict[str, Any]] = http.get
    _known: list[jwk.Key] = field(default_factory=list)
    _asked_at: datetime | None = None

    def find(self, header: Mapping[str, Any], at: datetime) -> jwk.Key:
        """The key with which a token of this header was signed. Raises NotVerified, ProviderAway.

        `algorithm`: signed in a way that is not allowed; `unknown-key`: with a key that the provider does not have.
        """
        if header.get("alg") not in ALGORITHMS:
            raise NotVerified("algorithm")
        asked = self._asked_at
        if asked is None or not timedelta() <= at - asked < KEYS_KEPT:
            self._ask(at)
        found = self._fitting(header)
        if found is None and asked is not None and at - asked >= ASKED_AGAIN:
            self._ask(at)
            found = self._fitting(header)
        if found is None:
            raise NotVerified("unknown-key")
        return found

    def _ask(self, at: datetime) -> None:
        said = self.get(self.address).get("keys")
        if not isinstance(said, list):
            raise ProviderAway("The provider did not say with which keys it signs. Try again.")
        self._known, self._asked_at = [key for one in said if (key := _imported(one)) is not None], at

    def _fitting(self, header: Mapping[str, Any]) -> jwk.Key | None:
        kid, algorithm = header.get("kid"), str(header["alg"])
        fitting = [key for key in self._known if _fits(key, algorithm)]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        named = [key for key in fitting if key.get("kid") == kid]
        return named[0] if len(named) == 1 else None


def _imported(said: object) -> jwk.Key | None:
    """A key for checking signatures; None for what is none, of which a provider may have any number."""
    if (
        not isinstance(said, dict)
        or said.get("use", "sig") != "sig"
        or said.get("kty") not in ("EC", "OKP", "RSA")
    ):
        return None
    if is_short(said):
        return None
    try:
        key = jwk.import_key(said)
        numbers = key.public_key
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    small = isinstance(numbers, RSAPublicKey) and numbers.key_size < RSA_BITS.start
    return None if small else key


def _fits(key: jwk.Key, algorithm: str) -> bool:
    kind, curve = ALGORITHMS[algorithm]
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
    )
