"""Refuses narrative in fields that hold a name: the last place where an opinion could be written down.

Not a filter of words but of shape: a name has few words, no sentence, no telephone number and no address of a page.
What is refused is never repeated in the refusal.
"""

import re
from typing import Final

from domain.errors import BadInput

_ABBREVIATIONS: Final = (
    "dr mr mrs ms mx miss prof rev hon sr jr st ltd plc co inc dept hosp sch univ assoc no c/o"
)
_SENTENCE_WORDS: Final = (
    "he she they his him their was were is are am has had says said saw seen please because but not didn't doesn't "
    "won't can't isn't wasn't tell told thinks thought claims alleged suspected"
)
_abbreviations: Final = frozenset(_ABBREVIATIONS.split())
_sentence: Final = frozenset(_SENTENCE_WORDS.split())
_FORBIDDEN: Final = re.compile(r"[!?;:@<>{}\[\]=|\\\"*#~^_]|https?|www\.|[0-9](?:[ -]?[0-9]){4,}|\.\.")
_FORBIDDEN_IN_ADDRESS: Final = re.compile(r"[?@<>{}\[\]=|\\*~^_]|https?|www\.")
_LOWER_CASE_WORD: Final = re.compile(r"(?:^|[\s,.'’()])[a-z]")
_PLAIN: Final = re.compile(r"[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*){0,5}")
"""A few words with capitals: what most names are, and nothing that is refused but for `http`."""
_PLAIN_LINE: Final = re.compile(r"(?:[0-9]+[A-Za-z]? )?[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)*")
_STOP: Final = re.compile(r"(\S+)\.(?=\s)")


def screen_name(text: str | None, field: str, *, words: int = 10) -> None:
    """Refuse a name of a service, an organisation or a role that is a narrative. Raises BadInput, code `narrative`."""
    if text is None or text.isalpha():  # one word is no narrative: Said and Saw are surnames
        return
    if _PLAIN.fullmatch(text) and "http" not in text:
        return
    if len(text.split()) > words or _FORBIDDEN.search(text) or _has_sentence(text):
        raise BadInput(
            "Give the name alone: nothing else can be recorded here.", code="narrative", field=field
        )


def screen_person(given: tuple[str, ...], family: str, field: str) -> None:
    """Refuse a person's name that is a narrative, also one spread over its parts. Raises BadInput, `narrative`."""
    parts = (*given, family)
    for part in parts:
        screen_name(part, field, words=6)
    if len(parts) > 1 and _sentence_words(" ".join(parts)) > 1:
        raise BadInput(
            "Give the name alone: nothing else can be recorded here.", code="narrative", field=field
        )


def screen_address(lines: tuple[str, ...], field: str) -> None:
    """Refuse a line of an address that can be none. Raises BadInput, code `narrative`."""
    for line in lines:
        if _PLAIN_LINE.fullmatch(line) and "http" not in line:
            continue
        if _FORBIDDEN_IN_ADDRESS.search(line) or _sentence_words(line) > 1:
            raise BadInput(
                "Give the lines of the address alone: nothing else can be recorded here.",
                code="narrative",
                field=field,
            )


def _has_sentence(text: str) -> bool:
    for stop in _STOP.finditer(text) if "." in text else ():
        word = stop[1].lower()
        if len(word.replace(".", "")) > 1 and "." not in word and word not in _abbreviations:
            return True
    return _sentence_words(text) > 0


def _sentence_words(text: str) -> int:
    """Words that only sentences have, written in lower case: `We Are With You` is the name of a charity."""
    if not _LOWER_CASE_WORD.search(text):
        return 0
    return sum([word.strip(",.'’()") in _sentence for word in text.split()])
