"""The only place random ids come from."""

import os
import secrets
from typing import Final
from uuid import UUID, SafeUUID

from domain.identifiers import CROCKFORD, index_number

_CHARACTERS: Final = 10
_BITS: Final = 5
_SHIFTS: Final = range(0, _CHARACTERS * _BITS, _BITS)


_TOGETHER: Final = 64
"""Ids drawn at once: asking the system for each alone cost as much as encrypting what is stored under it."""
_VERSION_4: Final = 4 << 76 | 2 << 62
_NOT_RANDOM: Final = ~(0xF << 76 | 0x3 << 62)


_blank: Final = UUID.__new__
_set_int: Final = UUID.__dict__["int"].__set__
_set_safety: Final = UUID.__dict__["is_safe"].__set__
_SAFETY: Final = SafeUUID.unknown
_drawn: Final[list[int]] = []
os.register_at_fork(after_in_child=_drawn.clear)  # parent and child must not hand out the same ids


class RandomIds:
    """Random ids: nothing about their holder can be told from them. Safe to share between threads."""

    def new(self) -> UUID:
        """A random uuid (version 4, RFC 9562)."""
        try:
            number = _drawn.pop()
        except IndexError:
            entropy = os.urandom(16 * _TOGETHER)
            number, *more = [
                int.from_bytes(entropy[at : at + 16]) & _NOT_RANDOM | _VERSION_4
                for at in range(0, len(entropy), 16)
            ]
            _drawn.extend(more)
        one = _blank(
            UUID
        )  # `UUID(int=number)` looks for what else it may have been given: three times as long
        _set_int(one, number)
        _set_safety(one, _SAFETY)
        return one

    def index_number(self) -> str:
        """Ten random Crockford characters and their check; drawn again where the check cannot be spoken or typed."""
        while True:
            drawn = secrets.randbits(_CHARACTERS * _BITS)
            number = index_number("".join([CROCKFORD[drawn >> shift & 31] for shift in _SHIFTS]))
            if number is not None:
                return number
