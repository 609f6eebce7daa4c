"""Whose keys are left, a page at a time: what the destruction of the whole index goes by."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from adapters.key_rows import KeptTable, KeyKind, KeyName

_PAGE: Final = 5000


def remaining(keyring: KeptTable, most: int = _PAGE) -> Iterator[list[UUID]]:
    """The streams of children, and of source records held back, of which a key is not forgotten; each once."""
    after: KeyName | None = None
    while names := keyring.names(after, most):
        own = dict.fromkeys(name.subject for name in names if name.kind <= KeyKind.CONTENT)
        if after is not None:
            own.pop(after.subject, None)  # its other keys stood at the end of the page before
        yield list(own)
        after = names[-1]
