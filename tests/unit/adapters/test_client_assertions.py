"""What programs sign to say who they are (RFC 7523, 3), and with which keys."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk, jwt

from adapters.openid.assertions import JwtAssertions, made
from adapters.openid.jose import NamedKey, private_key, public_key
from domain.errors import BadInput
from domain.ports import Assertion

AT: Final = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
NOW: Final = int(AT.timestamp())
AUDIENCE: Final = "urn:contactpoint:sign-in:here"
NAME: Final = "rota-system"
KEYS: Final[dict[str, tuple[jwk.Key, str]]] = {
    "P-256": (jwk.ECKey.generate_key("P-256"), "ES256"),
    "P-384": (jwk.ECKey.generate_key("P-384"), "ES384"),
    "Ed25519": (jwk.OKPKey.generate_key("Ed25519"), "Ed25519"),
    "Ed25519 as it was called": (jwk.OKPKey.generate_key("Ed25519"), "EdDSA"),
    "RSA": (jwk.RSAKey.generate_key(2048), "PS256"),
}
KEY: Final = KEYS["P-256"][0]
ASSERTIONS: Final = JwtAssertions()

Claims = dict[str, Any]


def claims(**other: Any) -> Claims:
    """Those of a good assertion, some of them otherwise; None: left out."""
    said = {"iss": NAME, "sub": NAME, "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW, "jti": "once", **other}
    return {name: value for name, value in said.items() if value is not None}


def named(key: jwk.Key) -> NamedKey:
    return public_key(json.dumps(key.as_dict(private=False)))


def token(said: Claims, key: jwk.Key = KEY, algorithm: str = "ES256", **header: Any) -> str:
    whole = {"alg": algorithm, "kid": named(key).thumbprint, **header}
    return jwt.encode(whole, said, key, algorithms=[algorithm])


def read(text: str, key: jwk.Key = KEY) -> Assertion | None:
    return ASSERTIONS.verified(text, named(key).key, AUDIENCE, AT)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("kind", KEYS)
def test_each_kind_of_key_signs_in_its_own_way(kind: str) -> None:
    key, algorithm = KEYS[kind]
    text = token(claims(), key, algorithm)
    assert ASSERTIONS.claimed(text) == (NAME, named(key).thumbprint)
    assert read(text, key) == Assertion(NAME, "once", AT + timedelta(seconds=60))


@pytest.mark.parametrize("kind", KEYS)
def test_the_command_line_makes_one_that_is_good_for_a_minute(kind: str) -> None:
    key, public, thumbprint = private_key(json.dumps(KEYS[kind][0].as_dict(private=True)))
    one, other = (made(key, public, thumbprint, NAME, AUDIENCE, AT) for _ in range(2))
    found, another = read(one, key), read(other, key)
    assert found is not None
    assert another is not None
    assert (found.client, found.expires_at) == (NAME, AT + timedelta(seconds=60))
    assert found.jwt_id != another.jwt_id


WRONG: Final[dict[str, Claims]] = {
    "issued by another": {"iss": "another"},
    "issued by nobody": {"iss": None},
    "about nobody": {"sub": None},
    "for another index": {"aud": "urn:contactpoint:sign-in:there"},
    "for another index besides": {"aud": [AUDIENCE, "urn:contactpoint:sign-in:there"]},
    "for nobody": {"aud": None},
    "expired": {"exp": NOW},
    "good for too long": {"exp": NOW + 331},
    "good for ever": {"exp": None},
    "good until no number": {"exp": "soon"},
    "good until true": {"exp": True},
    "issued in the future": {"iat": NOW + 31},
    "not good yet": {"nbf": NOW + 31},
    "without an id": {"jti": None},
    "with an empty id": {"jti": ""},
    "with an id that is too long": {"jti": "x" * 256},
    "with an id that is a number": {"jti": 5},
}


@pytest.mark.parametrize("what", WRONG)
def test_an_assertion_is_worth_nothing_that_is(what: str) -> None:
    assert read(token(claims(**WRONG[what]))) is None


@pytest.mark.parametrize("said", [{"exp": NOW + 330}, {"iat": NOW + 30}, {"aud": [AUDIENCE]}, {"iat": None}])
def test_what_may_be_otherwise(said: Claims) -> None:
    assert read(token(claims(**said))) is not None


def test_the_key_of_another_program_signs_nothing_for_this_one() -> None:
    other = jwk.ECKey.generate_key("P-256")
    assert read(token(claims(), other)) is None
    assert read(token(claims(), other, kid=named(KEY).thumbprint)) is None


def part(said: Claims) -> str:
    return urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", "RS256", "PS256", "", None])
def test_a_key_signs_in_no_other_way(algorithm: object) -> None:
    assert read(f"{part({'alg': algorithm, 'kid': 'x'})}.{part(claims())}.AAAA") is None


def test_rsa_signs_with_pss_alone() -> None:
    key = KEYS["RSA"][0]
    assert read(token(claims(), key, "RS256"), key) is None


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt"])
def test_a_token_for_something_else_is_none(typ: str) -> None:
    assert read(token(claims(), typ=typ)) is None
    assert read(token(claims(), typ="client-authentication+jwt")) is not None


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "Ed25519", "PS256", "none", "HS256"])
def test_without_a_key_nothing_comes_of_it(algorithm: str) -> None:
    text = f"{part({'alg': algorithm, 'kid': 'x'})}.{part(claims())}.{'A' * 86}"
    assert ASSERTIONS.verified(text, None, AUDIENCE, AT) is None


@pytest.mark.parametrize("text", ["", "a.b.c", "e30.e30.AA", "[].e30.AA", "x" * 20000])
def test_what_is_no_assertion_names_nobody(text: str) -> None:
    assert ASSERTIONS.claimed(text) is None
    assert read(text) is None
    assert ASSERTIONS.verified(text, None, AUDIENCE, AT) is None


# Keys


@pytest.mark.parametrize("kind", KEYS)
def test_a_public_key_is_taken_without_what_it_says_of_itself(kind: str) -> None:
    said = KEYS[kind][0].as_dict(private=False)
    found = public_key(
        json.dumps({**said, "alg": "none", "use": "enc", "kid": "mine", "x5u": "https://x.example"})
    )
    assert set(found.key.model_dump()) <= {"kty", "crv", "x", "y", "n", "e"}
    assert found.thumbprint == KEYS[kind][0].thumbprint()


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    said = json.dumps(KEY.as_dict(private=True))
    with pytest.raises(BadInput) as found:
        public_key(said)
    assert found.value.code == "private-key-given"
    assert str(KEY.as_dict(private=True)["d"]) not in found.value.message


def short_rsa() -> Claims:
    with pytest.warns(UserWarning, match="2048"):
        key = jwk.RSAKey.generate_key(1024)
    return dict(key.as_dict(private=False))


@pytest.mark.parametrize(
    "said",
    [
        {"kty": "oct", "x": "AAAA"},
        {**jwk.ECKey.generate_key("P-521").as_dict(private=False)},
        {**jwk.OKPKey.generate_key("X25519").as_dict(private=False)},
        {**KEY.as_dict(private=False), "y": KEY.as_dict(private=False)["x"]},  # no point of the curve
        {"kty": "EC", "crv": "P-256"},
        {**KEYS["RSA"][0].as_dict(private=False), "e": "Aw"},  # 3
        {"kty": "RSA", "n": "AAAA", "e": "AQAB"},
        {"kty": ["EC"]},
        {},
        [],
        "EC",
    ],
)
def test_a_key_of_another_kind_is_not_taken(said: object) -> None:
    with pytest.raises(BadInput) as found:
        public_key(json.dumps(said))
    assert found.value.code == "not-a-key"


def test_an_rsa_key_that_is_too_short_is_not_taken() -> None:
    said = short_rsa()
    with pytest.raises(BadInput):
        public_key(json.dumps(said))


@pytest.mark.parametrize("kind", KEYS)
def test_a_private_key_may_be_written_as_pem(kind: str) -> None:
    native = KEYS[kind][0].private_key
    assert native is not None
    assert not isinstance(native, bytes)
    text = native.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert private_key(text)[2] == KEYS[kind][0].thumbprint()


@pytest.mark.parametrize(
    "text", ["", "{", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "{}"]
)
def test_what_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as found:
        private_key(text)
    assert found.value.code == "not-a-key"


def test_a_public_key_signs_nothing() -> None:
    with pytest.raises(BadInput):
        private_key(json.dumps(KEY.as_dict(private=False)))
