"""By what a source record is known to be about a child that was destroyed: the source's own entry, as a keyed digest.

What such an entry says next, however it is worded, registers nobody: the child would be there again. Whoever is held
again, having come back, is registered by hand, and then the source's entry finds them.
"""

from domain.child_record.events import Source
from domain.child_record.model import ChildRecord
from domain.ports import Tokens


def suppressing(tokens: Tokens, entry: tuple[str, str]) -> bytes:
    """The key under which is noted that whoever this entry (kind of source, its own number) is about was destroyed."""
    return tokens.token("suppression", "|".join(entry).encode())


def suppressed_with(tokens: Tokens, record: ChildRecord) -> frozenset[bytes]:
    """The keys of every entry that ever told of a record."""
    return frozenset(
        suppressing(tokens, (assertion.event.source_kind, source.record))
        for assertion in record.assertions
        if isinstance(source := assertion.event.source, Source) and source.record is not None
    )
