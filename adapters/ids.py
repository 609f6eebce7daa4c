"""The only place random ids come from."""

import secrets
from typing import Final
from uuid import UUID, uuid4

from domain.identifiers import CROCKFORD, index_number

_CHARACTERS: Final = 10
_BITS: Final = 5
_SHIFTS: Final = range(0, _CHARACTERS * _BITS, _BITS)


class RandomIds:
    """Random ids: nothing about their holder can be told from them."""

    def new(self) -> UUID:
        """A random uuid (version 4)."""
        return uuid4()

    def index_number(self) -> str:
        """Ten random Crockford characters and their check; drawn again where the check cannot be spoken or typed."""
        while True:
            drawn = secrets.randbits(_CHARACTERS * _BITS)
            number = index_number("".join([CROCKFORD[drawn >> shift & 31] for shift in _SHIFTS]))
            if number is not None:
                return number
