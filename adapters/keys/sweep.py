"""Removes keys that no stream uses: those of appends that died between making their keys and their events.

A key is noted when it is first seen without a stream and removed when it still has none 30 days later, so that neither
an append that is just under way nor a log that was restored to an earlier state loses one.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from adapters.key_rows import KeptTable, KeyName

_PAGE: Final = 5000


def sweep(
    tables: Sequence[KeptTable],
    heads: Callable[[Iterable[UUID]], dict[UUID, int]],
    instant: datetime | None = None,
) -> int:
    """Note and remove in both key databases. Returns how many rows were removed.

    heads: which of these streams exist in the record log. instant: moves the clock forward in a training home only.
    """
    return sum(table.sweep(list(_without_stream(table, heads)), instant) for table in tables)


def after_restore(tables: Sequence[KeptTable]) -> None:
    """Begin to count the 30 days anew, in both databases."""
    for table in tables:
        table.clear_notes()


def _without_stream(
    table: KeptTable, heads: Callable[[Iterable[UUID]], dict[UUID, int]]
) -> Iterable[KeyName]:
    after: KeyName | None = None
    while names := table.names(after, _PAGE):
        there = heads({name.subject for name in names})
        yield from (name for name in names if name.subject not in there)
        after = names[-1]
