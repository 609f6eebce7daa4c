"""Keys and signatures of JSON Web Tokens (RFC 7515, 7517, 7518, 8037): few algorithms, each with its kind of key.

Which algorithm is right is said by whoever checks and never by the token alone (RFC 8725, 3.1): `none` and those of a
shared secret are in no list.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey as RsaNumbers
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from pydantic import TypeAdapter, ValidationError

from domain.errors import BadInput
from domain.public_keys import EcPublicKey, OkpPublicKey, PublicKey

LONGEST_TOKEN: Final = 16 * 1024
RSA_BITS: Final = range(2048, 4096 + 1)
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PUBLIC_KEY: Final[TypeAdapter[PublicKey]] = TypeAdapter(PublicKey)
_MEMBERS: Final = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x"), "RSA": ("kty", "n", "e")}
_LEAST_EXPONENT: Final = 65537


class NotVerified(Exception):
    """A token is not what it should be. `why`: a code, for whoever looks into it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Signed(NamedTuple):
    """What a token says, its signature checked."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


class NamedKey(NamedTuple):
    """A public key, and its thumbprint (RFC 7638, SHA-256)."""

    key: PublicKey
    thumbprint: str


class _Registry(JWSRegistry):
    """Reads the name that RFC 9864 deprecates as what it means here: no other curve is allowed under it."""

    def get_alg(self, name: str) -> Any:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


def algorithms_of(key: PublicKey) -> tuple[str, ...]:
    """In which ways signatures of this kind of key are made; the names of one and the same, where there are two."""
    match key:
        case EcPublicKey():
            return ("ES256",) if key.crv == "P-256" else ("ES384",)
        case OkpPublicKey():
            return ("Ed25519", "EdDSA")  # RFC 9864, and as RFC 8037 had it
        case _:
            return ("PS256",)


def usable(key: PublicKey) -> jwk.Key:
    """The key as signatures are checked with it."""
    return jwk.import_key(key.model_dump())


def public_key(text: str) -> NamedKey:
    """The public key of a JSON Web Key as typed. Raises BadInput.

    `private-key-given` for one that holds what nobody else may have; `not-a-key` for one that is none of the kinds that
    are allowed: EC on P-256 or P-384, Ed25519, RSA of 2,048 to 4,096 bits.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_key() from None
    if not isinstance(given, dict):
        raise _no_key()
    if _PRIVATE & given.keys():
        raise BadInput(
            "This is a private key, which stays with the program: give the public one. Since it has been here, make "
            "the program another.",
            code="private-key-given",
            field="key",
        )
    return _named({name: given.get(name) for name in _MEMBERS.get(str(given.get("kty")), ())})


def private_key(text: str) -> tuple[jwk.Key, PublicKey, str]:
    """A private key as a JSON Web Key or PEM, its public one, and the thumbprint. Raises BadInput (`not-a-key`)."""
    try:
        key = jwk.import_key(json.loads(text)) if text.lstrip().startswith("{") else _from_pem(text)
        named = _named(key.as_dict(private=False)) if key.is_private else None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise _no_key() from None
    if named is None:
        raise BadInput(
            "This is a public key: the program signs with its private one.", code="not-a-key", field="key"
        )
    return key, *named


def _from_pem(text: str) -> jwk.Key:
    for kind in ("EC", "OKP", "RSA"):
        try:
            return jwk.import_key(text, kind)
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("no key of a kind that is allowed")


def _named(given: Mapping[str, Any]) -> NamedKey:
    members = {name: given.get(name) for name in _MEMBERS.get(str(given.get("kty")), ())}
    if is_short(members):
        raise _no_key()
    try:
        key = _PUBLIC_KEY.validate_python(members)
        imported = usable(key)
        numbers = imported.public_key  # refuses a point that is not on its curve
    except (ValidationError, JoseError, ValueError, TypeError, KeyError):
        raise _no_key() from None
    if isinstance(numbers, RsaNumbers) and not (
        numbers.key_size in RSA_BITS and numbers.public_numbers().e >= _LEAST_EXPONENT
    ):
        raise _no_key()
    return NamedKey(key, imported.thumbprint())


def is_short(members: Mapping[str, Any]) -> bool:
    """Whether the modulus of an RSA key, as it is written, has less than the least length: such a key is not read."""
    return members.get("kty") == "RSA" and len(str(members.get("n"))) < -(-RSA_BITS.start // 6)


def _no_key() -> BadInput:
    return BadInput(
        "This is not a key that is allowed: give a JSON Web Key of EC on P-256 or P-384, of Ed25519, or of RSA with "
        "2,048 to 4,096 bits.",
        code="not-a-key",
        field="key",
    )


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: jwk.Key) -> str:
    """A token of these claims, signed."""
    return jwt.encode(dict(header), dict(claims), key, algorithms=[str(header["alg"])])


def opened(token: str, key: jwk.Key, algorithms: Collection[str]) -> Signed:
    """What a token says. Raises NotVerified: `not-a-token`, `algorithm`, `bad-signature`."""
    header, _ = unverified(token)
    if header.get("alg") not in algorithms:
        raise NotVerified("algorithm")
    try:
        found = jwt.decode(token, key, registry=_Registry(algorithms=list(algorithms)))
    except (JoseError, ValueError, TypeError, RecursionError):
        raise NotVerified("bad-signature") from None
    return Signed(found.header, found.claims)


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand, to find out whose key to ask for. Raises NotVerified (`not-a-token`)."""
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != 3:
        raise NotVerified("not-a-token")
    header, claims = (_json_of(part) for part in parts[:2])
    if "crit" in header or "b64" in header:  # none that we know
        raise NotVerified("not-a-token")
    return header, claims


def _json_of(part: str) -> dict[str, Any]:
    try:
        said = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise NotVerified("not-a-token")
    return said


def instant_of(claims: Mapping[str, Any], name: str) -> datetime | None:
    """An instant (RFC 7519, 2: NumericDate); None where it is absent. Raises NotVerified, naming the claim."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise NotVerified(name)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise NotVerified(name) from None
