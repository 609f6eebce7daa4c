"""The only place random ids come from."""

import secrets
from typing import Final
from uuid import UUID, uuid4

from domain.identifiers import CROCKFORD, index_number

_CHARACTERS: Final = 10


class RandomIds:
    """Random ids: nothing about their holder can be told from them."""

    def new(self) -> UUID:
        """A random uuid (version 4)."""
        return uuid4()

    def index_number(self) -> str:
        """Ten random Crockford characters and their check; drawn again where the check cannot be spoken or typed."""
        while True:
            number = index_number("".join(secrets.choice(CROCKFORD) for _ in range(_CHARACTERS)))
            if number is not None:
                return number
