"""Numbers with right check characters, each a function of a place, so that no two places share one.

NHS numbers: modulus 11 (NHS Data Dictionary), from 900 000 0000 up, which are never issued to a person. Unique pupil
numbers: weights 2 to 13, modulus 23 (DfE Common Basic Data Set).
"""

from functools import lru_cache
from typing import Final

CHILDREN: Final = 40_000_000
"""How many children there are numbers for."""

_GROUPS: Final = 10_000_000
_STEP: Final = 6_180_339  # prime to the groups, so that neighbours lie far apart and every group comes once
_UPN_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"


_HIGH: Final = tuple(90 + 9 * (n // 100) + 8 * (n // 10 % 10) + 7 * (n % 10) for n in range(1_000))
"""What 9 and the next three digits add to the sum of an NHS number."""
_LOW: Final = tuple(
    6 * (n // 1_000) + 5 * (n // 100 % 10) + 4 * (n // 10 % 10) + 3 * (n % 10) for n in range(10_000)
)
"""What the four digits after them add."""


def nhs_number(place: int, start: int) -> str:
    """The number of a place below 90 million; `start` says where the sequence begins.

    Different places have different numbers. Of ten numbers that differ only in the ninth digit one at most has no check
    digit, so nine of ten are given out.
    """
    group = (start + place // 9 * _STEP) % _GROUPS
    total = _HIGH[group // 10_000] + _LOW[group % 10_000]
    # without a check digit is the ninth digit d with total + 2 d = 1 (mod 11), that is d = 6 (1 - total)
    ninth = place % 9
    if ninth >= 6 * (1 - total) % 11:
        ninth += 1
    check = -(total + 2 * ninth) % 11
    return f"9{group:07d}{ninth}{check}"


def pupil_number(authority: str, establishment: int, year: int, serial: int) -> str:
    """A permanent unique pupil number: authority's DfE number, school, year of allocation, serial below 1000."""
    digits, total = _allocated(authority, establishment, year % 100)
    tail = _SERIALS[serial]
    return _UPN_LETTERS[(total + tail[1]) % 23] + digits + tail[0]


def temporary_pupil_number(upn: str) -> str:
    """The temporary number that stands for a permanent one: its letter counts as the digit did, so the check agrees."""
    return upn[:12] + _UPN_LETTERS[int(upn[12])]


@lru_cache(maxsize=4096)
def _allocated(authority: str, establishment: int, year: int) -> tuple[str, int]:
    """The first nine digits, and what they add to the sum."""
    digits = f"{authority}{establishment:04d}{year:02d}"
    return digits, sum(weight * int(digit) for weight, digit in enumerate(digits, 2))


_SERIALS: Final = tuple(
    (f"{serial:03d}", 11 * (serial // 100) + 12 * (serial // 10 % 10) + 13 * (serial % 10))
    for serial in range(1_000)
)
"""The last three digits, and what they add to the sum."""
