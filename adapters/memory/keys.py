"""Key rows and key-encryption keys in memory, for unit and property tests. Held to the same contract as PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import RLock
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.key_rows import GenerationGone, KeyKind, KeyName, KeyRow
from domain.errors import Unavailable

_KEPT_UNUSED = timedelta(days=30)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class MemoryKeyTable:
    """The rows of one key database. Answers all of the ports over key rows in `adapters.key_rows`."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        """now: the clock that sweeps go by, which an instant given with a sweep may be ahead of."""
        self._now = now or (lambda: _LONG_AGO)
        self._rows: dict[KeyName, KeyRow] = {}
        self._orphans: dict[KeyName, datetime] = {}
        self._opened: dict[UUID, UUID] = {}
        self._lock = RLock()

    def add(self, make: Callable[[], Sequence[KeyRow]]) -> int:
        with self._lock:
            rows = [row for row in make() if _name(row) not in self._rows]
            self._rows.update({_name(row): row for row in rows})
            return len(rows)

    def read(self, subjects: Sequence[UUID]) -> list[KeyRow]:
        wanted = set(subjects)
        with self._lock:
            return [row for row in self._rows.values() if row.subject in wanted]

    def forget(self, name: KeyName, certificate: UUID) -> bool:
        return self._change(
            name,
            lambda row: row.certificate is None,
            lambda row: row._replace(wrapped=None, certificate=certificate),
        )

    def vacate(self, subject: UUID, number: int) -> bool:
        name = KeyName(subject, KeyKind.CONTENT, number)
        return self._change(name, lambda row: row.wrapped is not None, lambda row: row._replace(wrapped=None))

    def occupy(self, row: KeyRow) -> bool:
        return self._change(
            _name(row), lambda old: old.wrapped is None and old.certificate is None, lambda _: row
        )

    def drop(self, subject: UUID, number: int) -> bool:
        name = KeyName(subject, KeyKind.CONTENT, number)
        with self._lock:
            if name in self._rows and self._rows[name].certificate is None:
                del self._rows[name]
                return True
            return False

    @contextmanager
    def alone(self, subject: UUID) -> Iterator[None]:
        del subject  # one lock for all
        with self._lock:
            yield

    def open_for_access(self, subject: UUID, access: UUID) -> list[KeyRow]:
        with self._lock:
            if self._opened.setdefault(access, subject) != subject:
                raise Unavailable("One access opens one record.")
        return self.read([subject])

    def older(self, generation: int, after: KeyName | None, limit: int) -> list[KeyRow]:
        with self._lock:
            names = sorted(name for name in self._rows if after is None or name > after)
            rows = [self._rows[name] for name in names]
            return [row for row in rows if row.wrapped is not None and row.generation < generation][:limit]

    def rewrap(self, old: int, rows: Sequence[KeyRow]) -> int:
        return sum(
            self._change(
                _name(row),
                lambda there: there.wrapped is not None and there.generation == old,
                lambda _, row=row: row,  # type: ignore[misc]
            )
            for row in rows
        )

    def finish(self, generation: int, destroy: Callable[[], None]) -> bool:
        with self._lock:
            if self.older(generation, None, 1):
                return False
            destroy()
            return True

    def names(self, after: KeyName | None, limit: int) -> list[KeyName]:
        with self._lock:
            found = sorted(
                name
                for name, row in self._rows.items()
                if row.certificate is None and name.kind <= KeyKind.STAFF and (after is None or name > after)
            )
        return found[:limit]

    def children(self) -> int:
        with self._lock:
            return sum(
                name.kind == KeyKind.IDENTITY and row.certificate is None for name, row in self._rows.items()
            )

    def sweep(self, orphans: Sequence[KeyName], instant: datetime | None = None) -> int:
        now = max(instant or _LONG_AGO, self._now())
        with self._lock:
            self._orphans = {name: self._orphans.get(name, now) for name in orphans}
            old = [name for name, seen in self._orphans.items() if now - seen >= _KEPT_UNUSED]
            for name in old:
                del self._orphans[name]
            gone = [name for name in old if name in self._rows and self._rows[name].certificate is None]
            for name in gone:
                del self._rows[name]
            return len(gone)

    def clear_notes(self) -> None:
        with self._lock:
            self._orphans.clear()

    def _change(
        self, name: KeyName, may: Callable[[KeyRow], bool], become: Callable[[KeyRow], KeyRow]
    ) -> bool:
        with self._lock:
            row = self._rows.get(name)
            if row is None or not may(row):
                return False
            self._rows[name] = become(row)
            return True


class MemoryKek:
    """Key-encryption keys of one database in memory."""

    def __init__(self, first: bytes) -> None:
        self._keys = {1: AESGCM(first)}

    def generations(self) -> list[int]:
        return sorted(self._keys)

    def newest(self) -> tuple[int, AESGCM]:
        return max(self._keys.items())

    def of(self, generation: int) -> AESGCM:
        try:
            return self._keys[generation]
        except KeyError:
            raise GenerationGone("A key-encryption key is missing.") from None

    def create(self, generation: int) -> None:
        self._keys.setdefault(generation, AESGCM(AESGCM.generate_key(256)))

    def destroy(self, generation: int) -> None:
        self._keys.pop(generation, None)


def _name(row: KeyRow) -> KeyName:
    return KeyName(row.subject, row.kind, row.number)
