"""A slice of a log opened: rows and keys copied out, merged, and decoded as far as a view is made of them."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from adapters.key_rows import GenerationGone
from adapters.keys.cipher import Damage
from adapters.keys.key_store import KeyStore, SubjectKeys
from adapters.keys.opening import Opener, Reveal
from adapters.keys.parts import Parts
from adapters.postgres.log_slices import LogSlices
from domain.errors import DamagedStream
from domain.kernel import History, Log
from projections.ports import Slice
from projections.projection import Depth, Reads


class StoredSlices:
    """Implements `projections.ports.Slices` on PostgreSQL, as a reader without the `shielded` database.

    parts: by log, codecs that trust what opens. Key rows are read before events, so a key made meanwhile is looked up
    by itself; one destroyed meanwhile still opens here, and its certificate is behind the position that is caught up
    from.
    """

    def __init__(self, rows: LogSlices, keys: KeyStore, parts: Mapping[Log, Parts]) -> None:
        self._rows = rows
        self._keys = keys
        self._parts = parts

    def count(self, log: Log, upto: int) -> int:
        """Into how many slices a log up to a position is cut."""
        del log
        return self._rows.count(upto)

    def histories(self, of: Slice, upto: int, reads: Reads) -> Iterator[tuple[UUID, History | None]]:
        """The streams of a slice as they stood at a position; None: it cannot be opened. Raises Unavailable."""
        opened = self._opened(of) if of.log == Log.RECORD else {}
        opener = Opener(of.log, self._keys, self._parts[of.log], Reveal.NOTHING, opened, reads)
        metadata = of.log == Log.ACCESS or reads.depth is Depth.EVERYTHING
        for rows in self._rows.streams(of, upto, metadata=metadata):
            stream_id = rows[0].stream_id
            try:
                history = opener.history(stream_id, rows, None)
            except (Damage, DamagedStream):
                yield stream_id, None
            else:
                yield stream_id, history
            opener.forget(stream_id)

    def _opened(self, of: Slice) -> dict[UUID, SubjectKeys]:
        try:
            return self._keys.opened(self._rows.keys(of))
        except GenerationGone:  # wrapped anew between reading the rows and opening them
            return self._keys.opened(self._rows.keys(of))
