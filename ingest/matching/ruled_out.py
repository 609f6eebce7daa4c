"""Marks by which a source record is known again that a human found to be about another child.

A mark is a keyed digest, so that what it is made of can be had from it by nobody. Three kinds: the source's own entry
(`e`), an NHS number with a date of birth (`n`), a name with a date of birth (`i`). The first two tell one source record
from every other person's; a name and a birth date may be those of the very child that it was ruled out for, so what is
evidence enough by number or entry is not stopped by it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from domain.child_record.events import Source
from domain.child_record.model import ChildRecord
from domain.ports import Tokens
from ingest.matching import blocking, normalise
from ingest.matching.normalise import NormalName

MOST: Final = 24
"""Marks of one source record at most: what `LinkRuledOut` holds."""


def of_name(tokens: Tokens, name: NormalName, born: date) -> str:
    """The mark of a name with a date of birth."""
    return _mark(tokens, "i", f"{name.forenames}|{name.surname}|{born.isoformat()}")


def marks_of(
    tokens: Tokens,
    entry: tuple[str, str] | None,
    names: Iterable[NormalName],
    born: date | None,
    numbers: Iterable[str],
) -> frozenset[str]:
    """Every mark of a source record. entry: its kind of source and the source's own number, where it has one."""
    marks = set[str]()
    if entry is not None:
        marks.add(_mark(tokens, "e", "|".join(entry)))
    if born is not None:
        marks |= {of_name(tokens, name, born) for name in names}
        marks |= {_mark(tokens, "n", f"{number}|{born.isoformat()}") for number in numbers}
    return frozenset(marks)


def against(
    tokens: Tokens,
    record: ChildRecord,
    marks: frozenset[str],
    entry: tuple[str, str] | None,
    born: date | None,
    numbers: Iterable[str],
) -> tuple[str, ...]:
    """Which of these marks tell the source record from this record: not an entry, or a number and birth date, it holds.

    Else what its own sources say of it next would be kept from it.
    """
    own = set[str]()
    held = blocking.numbers_of(record)
    if entry is not None and (
        entry[1] in held or blocking.by_source_record(*entry) in blocking.entries_of(record)
    ):  # the number of an entry of PDS is the NHS number
        own.add(_mark(tokens, "e", "|".join(entry)))
    if born is not None and born in blocking.births_of(record):
        own |= {_mark(tokens, "n", f"{number}|{born.isoformat()}") for number in numbers if number in held}
    return tuple(sorted(marks - own))[:MOST]


def own(tokens: Tokens, record: ChildRecord) -> frozenset[str]:
    """The marks by which the sources of a record know its child."""
    found = set[str]()
    names = {normalise.person_name(name) for name in blocking.names_of(record)}
    numbers = blocking.numbers_of(record)
    for assertion in record.standing:
        source = assertion.event.source
        if isinstance(source, Source) and source.record is not None:
            found.add(_mark(tokens, "e", f"{assertion.event.source_kind}|{source.record}"))
    for born in blocking.births_of(record):
        found |= marks_of(tokens, None, names, born, numbers)
    return frozenset(found)


def _mark(tokens: Tokens, kind: str, value: str) -> str:
    return f"{kind}:{tokens.token('ruled-out', f'{kind}|{value}'.encode()).hex()[:32]}"
