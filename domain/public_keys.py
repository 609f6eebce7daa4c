"""Public keys with which programs are known, as JSON Web Keys (RFC 7517): the kinds that are allowed, and no other.

No key of a shared secret is one, and what a key says of itself (`alg`, `use`, `kid`) is not kept: each kind is used in
one way.
"""

from typing import Literal, TypeAlias

from domain.identifiers import Base64Url
from domain.kernel import Immutable


class EcPublicKey(Immutable):
    """A public key on one of the curves of NIST, as a JSON Web Key (RFC 7518, 6.2.1)."""

    kty: Literal["EC"] = "EC"
    crv: Literal["P-256", "P-384"]
    x: Base64Url
    y: Base64Url


class OkpPublicKey(Immutable):
    """A public key of Ed25519, as a JSON Web Key (RFC 8037, 2)."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: Base64Url


class RsaPublicKey(Immutable):
    """A public key of RSA, as a JSON Web Key (RFC 7518, 6.3.1)."""

    kty: Literal["RSA"] = "RSA"
    n: Base64Url
    e: Base64Url


PublicKey: TypeAlias = EcPublicKey | OkpPublicKey | RsaPublicKey
