"""What a source gets wrong when it writes a child down. Every function takes a draw of its own in [0, 1)."""

from collections.abc import Callable
from typing import Final

_NEIGHBOURS: Final = {
    "a": "sqz", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xa",
}  # fmt: skip
_INWARD: Final = "ABDEFGHJLNPQRSTUWXYZ"

Draw = Callable[[], float]
"""The next number in [0, 1)."""

Draws = Callable[[str], Draw]
"""A sequence of draws from a seed: the same for the same seed, in every process and on every machine."""


def mistyped(name: str, draw: Draw) -> str:
    """One slip of the hand behind the first letter; the name itself where it is too short or all letters are alike."""
    if len(name) < 3:
        return name + name[-1]
    at = 1 + int(draw() * (len(name) - 1))
    letter = name[at]
    kind = int(draw() * 4)
    if kind == 0 and at + 1 < len(name) and name[at + 1] != letter:
        return name[:at] + name[at + 1] + letter + name[at + 2 :]
    if kind == 1 and letter in _NEIGHBOURS:
        near = _NEIGHBOURS[letter]
        return name[:at] + near[int(draw() * len(near))] + name[at + 1 :]
    if kind == 2 and len(name) > 3:
        return name[:at] + name[at + 1 :]
    return name[:at] + letter + name[at:]


def other_form(table: dict[str, tuple[str, ...]], name: str, draw: Draw) -> str:
    """Another form of a name out of a table that has it."""
    forms = table[name]
    return forms[int(draw() * len(forms))]


def wrong_postcode(postcode: str, draw: Draw) -> str:
    """One of the last two letters is another, so that the shape is still right."""
    at = len(postcode) - 1 - int(draw() * 2)
    place = _INWARD.index(postcode[at]) + 1 + int(draw() * (len(_INWARD) - 1))
    return postcode[:at] + _INWARD[place % len(_INWARD)] + postcode[at + 1 :]


def other_day(day: int, draw: Draw) -> int:
    """Another day of a month of 28."""
    other = 1 + int(draw() * 27)
    return other if other < day else other + 1
