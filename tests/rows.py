"""Rows for the log: three parts of random bytes, as long as real ones are."""

import os
from uuid import UUID, uuid4

from adapters.rows import StoredRow

PART_BYTES = 348  # 12 of nonce, a block of 320, 16 of tag


def a_row(stream_id: UUID | None = None, version: int = 1) -> StoredRow:
    """An event of its own."""
    identity, content, metadata = (os.urandom(PART_BYTES) for _ in range(3))
    return StoredRow(stream_id or uuid4(), version, uuid4(), 1, 24300, identity, content, metadata)


def a_stream(events: int = 4, stream_id: UUID | None = None, after: int = 0) -> list[StoredRow]:
    """The events of one stream, following on from version `after`."""
    own = stream_id or uuid4()
    return [a_row(own, version) for version in range(after + 1, after + events + 1)]
