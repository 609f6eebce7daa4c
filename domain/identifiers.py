"""Values that validate themselves: ids, codes, names and the numbers that bodies allocate.

NHS number: NHS Data Dictionary, modulus 11. UPN: DfE Common Basic Data Set (including temporary numbers). Postcode:
shape only. Index number: ten random Crockford base-32 characters and a check character, saying nothing about its
holder. Every string is bounded and may hold no control character; none is long enough for a narrative.
"""

import base64
import re
import unicodedata
from binascii import a2b_base64
from contextlib import suppress
from functools import lru_cache
from operator import mul
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CROCKFORD: Final = frozenset(CROCKFORD)
_CONFUSED: Final = str.maketrans("ILO", "110")
_IN_BASE_32: Final = str.maketrans(CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_NHS_WEIGHTS: Final = tuple(range(10, 1, -1))
_UPN_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
_POSTCODE: Final = re.compile(
    r"(GIR ?0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]([0-9]|[ABEHMNPRV-Y])?|[0-9][A-HJKPS-UW])"
    r" ?[0-9][ABD-HJLNP-UW-Z]{2})"
)
_URL_SAFE: Final = str.maketrans("-_", "+/")
NO_FIXED_ABODE: Final = "ZZ99 3VZ"


@lru_cache(maxsize=256)  # the same file, actor and receipt stand in one event after another
def short_id(value: UUID) -> str:
    """A uuid as 22 characters of base64url, the form ids take inside stored parts."""
    return base64.urlsafe_b64encode(value.bytes)[:22].decode()


def long_id(value: object) -> object:
    """The uuid of a 22-character id; anything else is passed on for pydantic to judge."""
    if isinstance(value, str) and len(value) == 22:
        return _long_id(value)
    return value


@lru_cache(maxsize=1024)  # as for `short_id`
def _long_id(text: str) -> UUID:
    return UUID(bytes=a2b_base64(text.translate(_URL_SAFE) + "=="))


def short_bytes(value: bytes) -> str:
    """Bytes as base64url without padding (32 of them: 43 characters), the form digests take inside stored parts."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def long_bytes(value: object) -> object:
    """The bytes of a base64url text; anything else, and what is no base64url, is left for pydantic to judge."""
    if isinstance(value, str) and len(value) % 4 != 1:
        with suppress(ValueError):
            return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    return value


def _clean(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value  # nothing to normalise, nothing to refuse
    text = unicodedata.normalize("NFC", value)
    if any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for character in text
    ):
        raise ValueError("holds a control character")
    if len(text) > 70:  # normalising may lengthen a text, and what is stored is checked again when it is read
        raise ValueError("is longer than 70 characters when its accents are written out")
    return text


def nhs_number(value: str) -> str:
    """Ten digits whose last is the modulus-11 check of the rest; spaces allowed, all-alike numbers refused.

    Raises ValueError. Source: NHS Data Dictionary, NHS NUMBER.
    """
    digits = value.replace(" ", "")
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()) or len(set(digits)) == 1:
        raise ValueError("is not an NHS number: give ten digits")
    check = 11 - sum(map(mul, _NHS_WEIGHTS, map(int, digits))) % 11
    if check == 10 or check % 11 != int(digits[9]):
        raise ValueError("is not an NHS number: its check digit is wrong")
    return digits


def synthetic_nhs_number(digits: str) -> bool:
    """Numbers from 900 000 0000 up are never issued to a person: they are for tests."""
    return digits.startswith("9")


def unique_pupil_number(value: str) -> str:
    """Thirteen characters, check letter first; a letter in last place marks a temporary number.

    Raises ValueError. Source: DfE Common Basic Data Set. The often copied example Q207000016049 is arithmetically
    wrong; P207000016049 is right.
    """
    text = value.strip().upper()
    if not re.fullmatch(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]", text):
        raise ValueError("is not a UPN: give a letter and twelve more characters")
    last = _UPN_LETTERS.index(text[12]) if text[12].isalpha() else int(text[12])
    total = (
        sum(weight * int(digit) for weight, digit in zip(range(2, 13), text[1:12], strict=True)) + 13 * last
    )
    if _UPN_LETTERS[total % 23] != text[0]:
        raise ValueError("is not a UPN: its check letter is wrong")
    return text


def postcode(value: str) -> str:
    """A United Kingdom postcode in its written form (upper case, one space). Raises ValueError. Shape only."""
    text = re.sub(r"\s+", "", value.upper())
    text = f"{text[:-3]} {text[-3:]}"
    if text == NO_FIXED_ABODE or _POSTCODE.fullmatch(text):
        return text
    raise ValueError("is not a postcode")


def index_number(ten: str) -> str | None:
    """Ten Crockford characters and their check character (modulus 37).

    None where Crockford's check would be one of his five extra symbols, which a shell or a telephone garbles: the
    caller draws again.
    """
    total = int(ten.translate(_IN_BASE_32), 32)
    return ten + CROCKFORD[total % 37] if total % 37 < len(CROCKFORD) else None


def as_read_out(typed: str) -> str:
    """A random code that was read out or copied by hand: case, hyphens, spaces and the confusable I, L, O forgiven."""
    return "".join(one for one in typed.upper().translate(_CONFUSED) if one in _CROCKFORD)


def valid_index_number(value: str) -> str:
    """An index number as typed (case, hyphens, spaces and the confusable I, L, O forgiven). Raises ValueError."""
    if len(value) == 11 and _CROCKFORD.issuperset(value) and index_number(value[:10]) == value:
        return value  # as it is written everywhere but by hand
    text = re.sub(r"[\s-]", "", value.upper())
    body = text[:10].translate(_CONFUSED)
    if len(text) != 11 or any(character not in CROCKFORD for character in body):
        raise ValueError("is not an index number: give its eleven characters")
    if index_number(body) != body + text[10]:
        raise ValueError("is not an index number: its check character is wrong")
    return body + text[10]


Id = Annotated[UUID, BeforeValidator(long_id), PlainSerializer(short_id, return_type=str, when_used="json")]
Digest = Annotated[
    bytes,
    BeforeValidator(long_bytes),
    Field(min_length=32, max_length=32),
    PlainSerializer(short_bytes, return_type=str, when_used="json"),
]
ShortCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", max_length=40)]
NhsNumber = Annotated[str, StringConstraints(max_length=12), AfterValidator(nhs_number)]
Upn = Annotated[str, StringConstraints(max_length=13), AfterValidator(unique_pupil_number)]
Postcode = Annotated[str, StringConstraints(max_length=10), AfterValidator(postcode)]
IndexNumber = Annotated[str, StringConstraints(max_length=15), AfterValidator(valid_index_number)]
_Words = StringConstraints(strip_whitespace=True, min_length=1, max_length=70)
NamePart = Annotated[str, _Words, AfterValidator(_clean)]
AddressLine = Annotated[str, _Words, AfterValidator(_clean)]
BodyCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,29}$", max_length=30)]
IssuerUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/?$", max_length=200),
]
"""Who vouches, by OpenID Connect Core 1.0, 2 `iss`: an address without query or fragment, compared as it is written."""
SubjectId = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=255)]
"""Whom an issuer vouches for, by OpenID Connect Core 1.0, 2 `sub`: at most 255 ASCII characters, case-sensitive."""
Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=683)]
"""An octet string of at most 512 octets, as JSON Web Keys write it (RFC 7515, 2)."""
AllocatedNumber = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{0,29}$", max_length=30)
]
