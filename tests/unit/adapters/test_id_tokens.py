"""ID tokens: what is wrong with one is found, whatever it is (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725)."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jwt

from adapters.openid.http import ProviderAway, is_safe
from adapters.openid.id_token import Expected, vouched
from adapters.openid.jose import NotVerified
from adapters.openid.provider import ALGORITHMS, ASKED_AGAIN, KEYS_KEPT, Keys, discovered
from domain.federation import Vouched

AT: Final = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
NOW: Final = int(AT.timestamp())
ISSUER: Final = "https://sign-in.example.org/realms/staff"
CLIENT: Final = "contactpoint"
NONCE: Final = "a-nonce-of-this-request"
ACCESS_TOKEN: Final = "an-access-token"
EXPECTED: Final = Expected(ISSUER, CLIENT, NONCE, None, frozenset({"two"}), frozenset({"otp"}))
RSA: Final = jwk.RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
OF_ANOTHER: Final = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
EC: Final = jwk.ECKey.generate_key("P-256", {"kid": "ec"})
EC_384: Final = jwk.ECKey.generate_key("P-384", {"kid": "ec-384"})
ED: Final = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"})
MADE_WITH: Final[dict[str, jwk.Key]] = {
    "RS256": RSA, "PS256": RSA, "ES256": EC, "ES384": EC_384, "EdDSA": ED, "Ed25519": ED,
}  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # where the test itself signs

Claims = dict[str, Any]


def claims(**other: Any) -> Claims:
    """Those of a good token, some of them otherwise; None: left out."""
    said = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "248289761001",
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": NONCE,
        "auth_time": NOW - 5,
        "acr": "two",
        **other,
    }
    return {name: value for name, value in said.items() if value is not None}


def token(said: Claims, key: jwk.Key = RSA, **header: Any) -> str:
    whole = {"alg": "RS256", "kid": key.kid, **header}
    whole = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(whole, said, key, algorithms=[whole["alg"]], default_type=None)


def part(said: Claims) -> str:
    return urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def key_set(*keys: jwk.Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def provider(*keys: jwk.Key) -> Keys:
    return Keys("https://x.example/jwks", lambda _: key_set(*(keys or (RSA, EC, EC_384, ED))))


def read(text: str, expected: Expected = EXPECTED, access_token: str | None = None) -> Vouched:
    return vouched(text, access_token, expected, provider(), AT)


@contextmanager
def refused(why: str) -> Iterator[None]:
    with pytest.raises(NotVerified) as found:
        yield
    assert found.value.why == why


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_in_order_says_whom_and_how(algorithm: str) -> None:
    found = read(token(claims(), MADE_WITH[algorithm], alg=algorithm))
    assert found == Vouched(
        ISSUER, "248289761001", two_factors=True, authenticated_at=AT - timedelta(seconds=5)
    )


WRONG: Final[dict[str, tuple[Claims, str]]] = {
    "of another issuer": ({"iss": "https://sign-in.example.org/realms/others"}, "iss"),
    "whose issuer differs by a slash": ({"iss": f"{ISSUER}/"}, "iss"),
    "without an issuer": ({"iss": None}, "iss"),
    "for another client": ({"aud": "rota"}, "aud"),
    "for another client besides": ({"aud": [CLIENT, "rota"], "azp": CLIENT}, "aud"),
    "without an audience": ({"aud": None}, "aud"),
    "issued to another": ({"azp": "rota"}, "azp"),
    "expired": ({"exp": NOW - 31}, "exp"),
    "that never expires": ({"exp": None}, "exp"),
    "that expires at no number": ({"exp": "tomorrow"}, "exp"),
    "that expires at true": ({"exp": True}, "exp"),
    "that expires at infinity": ({"exp": float("inf")}, "exp"),
    "of the future": ({"iat": NOW + 31}, "iat"),
    "of long ago": ({"iat": NOW - 601}, "iat"),
    "issued at no time": ({"iat": None}, "iat"),
    "not good yet": ({"nbf": NOW + 31}, "nbf"),
    "of another request": ({"nonce": "a-nonce-of-that-request"}, "nonce"),
    "of no request": ({"nonce": None}, "nonce"),
    "beside another access token": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),
    "whose factors are yet to come": ({"auth_time": NOW + 31}, "auth_time"),
    "about nobody": ({"sub": None}, "sub"),
    "about an empty name": ({"sub": ""}, "sub"),
    "about a name that is too long": ({"sub": "x" * 256}, "sub"),
    "about a number": ({"sub": 248289761001}, "sub"),
    "about a name with a line break": ({"sub": "24828\n9761001"}, "sub"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_token_is_refused_that_is(what: str) -> None:
    said, why = WRONG[what]
    with refused(why):
        read(token(claims(**said)), access_token=ACCESS_TOKEN)


@pytest.mark.parametrize(
    "said", [{"exp": NOW - 29}, {"iat": NOW + 29}, {"iat": NOW - 599}, {"aud": [CLIENT]}, {"azp": CLIENT}]
)
def test_clocks_may_be_half_a_minute_apart(said: Claims) -> None:
    assert read(token(claims(**said))).two_factors


def test_alg_none_is_no_signature() -> None:
    for signature in ("", "AAAA"):
        with refused("algorithm"):
            read(f"{part({'alg': 'none'})}.{part(claims())}.{signature}")


def test_the_providers_public_key_is_no_shared_secret() -> None:
    """The old confusion: HS256 with the text of the public key as its secret."""
    private = RSA.private_key
    assert isinstance(private, RSAPrivateKey)
    text = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{part({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{part(claims())}"
    import hmac

    signature = urlsafe_b64encode(hmac.digest(text, body.encode(), "sha256")).decode().rstrip("=")
    with refused("algorithm"):
        read(f"{body}.{signature}")


def test_a_signature_of_another_key_under_the_same_name_is_none() -> None:
    with refused("bad-signature"):
        read(token(claims(), OF_ANOTHER))


def test_claims_that_were_altered_are_not_those_that_were_signed() -> None:
    header, _, signature = token(claims()).split(".")
    with refused("bad-signature"):
        read(f"{header}.{part(claims(sub='somebody-else'))}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS256", "RS512", "ES512", "RS1", "", None, 5])
def test_no_other_algorithm_is_taken(algorithm: object) -> None:
    with refused("algorithm"):
        read(f"{part({'alg': algorithm, 'kid': 'rsa'})}.{part(claims())}.AAAA")


def test_a_key_of_one_kind_checks_no_signature_of_another() -> None:
    with refused("unknown-key"):
        read(f"{part({'alg': 'ES256', 'kid': 'rsa'})}.{part(claims())}.AAAA")


def test_a_key_that_the_token_brings_along_is_not_asked() -> None:
    brought = OF_ANOTHER.as_dict(private=False)
    with refused("bad-signature"):
        read(token(claims(), OF_ANOTHER, jwk=brought))
    with refused("unknown-key"):
        read(token(claims(), OF_ANOTHER, kid="brought", jwk=brought))


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "JOSE"])
def test_a_token_for_something_else_is_no_id_token(typ: str) -> None:
    with refused("typ"):
        read(token(claims(), typ=typ))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "e30.e30", "e30.e30.e30.e30", f"{'A' * 17000}.e30.AAAA", "[].e30.AA"]
)
def test_what_is_no_token_is_refused_as_such(text: str) -> None:
    with pytest.raises(NotVerified):
        read(text)


def test_a_header_that_must_be_understood_and_is_not_is_refused() -> None:
    with refused("not-a-token"):
        read(f"{part({'alg': 'RS256', 'kid': 'rsa', 'crit': ['exp']})}.{part(claims())}.AAAA")


@pytest.mark.parametrize(
    ("algorithm", "hashed"), [("RS256", "sha256"), ("ES384", "sha384"), ("EdDSA", "sha512")]
)
def test_a_token_names_the_access_token_beside_it(algorithm: str, hashed: str) -> None:
    digest = hashlib.new(hashed, ACCESS_TOKEN.encode()).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    text = token(claims(at_hash=half), MADE_WITH[algorithm], alg=algorithm)
    assert read(text, access_token=ACCESS_TOKEN).subject
    for other in ("another", None):
        with refused("at_hash"):
            read(text, access_token=other)


@pytest.mark.parametrize(
    ("said", "two"),
    [
        ({"acr": "two"}, True),
        ({"acr": "one"}, False),
        ({"acr": None, "amr": ["pwd", "otp"]}, True),
        ({"acr": None, "amr": ["pwd"]}, False),
        ({"acr": None, "amr": "otp"}, False),
        ({"acr": ["two"]}, False),
        ({"acr": None}, False),
    ],
)
def test_two_factors_are_what_the_provider_says_they_are(said: Claims, two: bool) -> None:
    assert read(token(claims(**said))).two_factors is two


def test_factors_asked_for_now_were_given_now() -> None:
    fresh = replace(EXPECTED, since=AT - timedelta(seconds=60))
    assert read(token(claims(auth_time=NOW - 60)), fresh).two_factors
    for given in (NOW - 91, None):
        with refused("auth_time"):
            read(token(claims(auth_time=given)), fresh)


# Keys, which change


class Published:
    """Keys as a provider publishes them, and how often it was asked."""

    def __init__(self, *keys: jwk.Key) -> None:
        self.keys = keys
        self.asked = 0

    def __call__(self, _: str) -> dict[str, Any]:
        self.asked += 1
        return key_set(*self.keys)


def test_a_new_key_is_asked_for_and_an_old_one_is_forgotten() -> None:
    published = Published(RSA)
    keys = Keys("https://x.example/jwks", published)
    assert vouched(token(claims()), None, EXPECTED, keys, AT).two_factors
    published.keys = (EC,)
    later = AT + ASKED_AGAIN
    assert vouched(token(claims(), EC, alg="ES256"), None, EXPECTED, keys, later).two_factors
    with refused("unknown-key"):
        vouched(token(claims()), None, EXPECTED, keys, later)
    assert published.asked == 2


def test_made_up_names_of_keys_do_not_make_the_provider_be_asked_each_time() -> None:
    published = Published(RSA)
    keys = Keys("https://x.example/jwks", published)
    for number in range(50):
        with refused("unknown-key"):
            vouched(token(claims(), kid=f"made-up-{number}"), None, EXPECTED, keys, AT)
    assert published.asked == 1


def test_a_key_that_the_provider_took_back_is_good_for_an_hour_at_most() -> None:
    published = Published(RSA)
    keys = Keys("https://x.example/jwks", published)
    assert vouched(token(claims()), None, EXPECTED, keys, AT).two_factors
    published.keys = (EC,)
    later = AT + KEYS_KEPT
    soon = {"iat": int(later.timestamp()), "exp": int(later.timestamp()) + 60}
    with refused("unknown-key"):
        vouched(token(claims(**soon)), None, EXPECTED, keys, later)


def test_keys_for_something_else_and_keys_that_are_too_short_are_none() -> None:
    for_secrecy = jwk.RSAKey.generate_key(2048, {"kid": "rsa", "use": "enc"})
    with pytest.warns(UserWarning, match="2048"):
        short = jwk.RSAKey.generate_key(1024, {"kid": "short"})
    said = {"keys": [*key_set(for_secrecy, short)["keys"], {"kty": "oct", "k": "AAAA", "kid": "x"}, 7, {}]}
    keys = Keys("https://x.example/jwks", lambda _: said)
    for kid in ("rsa", "short", "x"):
        with refused("unknown-key"):
            keys.find({"alg": "RS256", "kid": kid}, AT)


def test_without_a_name_a_key_is_meant_where_there_is_one_of_its_kind() -> None:
    assert provider().find({"alg": "ES256"}, AT).kid == "ec"
    with refused("unknown-key"):
        provider(RSA, OF_ANOTHER).find({"alg": "RS256"}, AT)


# What a provider says of itself


def described(**other: Any) -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
        "code_challenge_methods_supported": ["plain", "S256"],
        **other,
    }


def test_a_provider_is_asked_where_it_says() -> None:
    asked: list[str] = []

    def get(address: str) -> dict[str, Any]:
        asked.append(address)
        return described()

    found = discovered(ISSUER, get)
    assert asked == [f"{ISSUER}/.well-known/openid-configuration"]
    assert (found.token, found.device, found.names_itself) == (f"{ISSUER}/token", None, False)


@pytest.mark.parametrize(
    "other",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": "http://sign-in.example.org/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"device_authorization_endpoint": "http://another.example"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_provider_is_not_used_that_is_not_what_it_should_be(other: dict[str, Any]) -> None:
    with pytest.raises(ProviderAway):
        discovered(ISSUER, lambda _: described(**other))


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://sign-in.example.org/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/x", True),
        ("http://127.0.0.1.example.org/x", False),
        ("http://localhost.example.org", False),
        ("http://someone@127.0.0.1/", False),
        ("https://someone:secret@sign-in.example.org", False),
        ("ftp://127.0.0.1/", False),
        ("https:///x", False),
        ("https://a b", False),
        ("", False),
        (None, False),
    ],
)
def test_nothing_goes_over_a_network_in_clear(address: object, safe: bool) -> None:
    assert is_safe(address) is safe
