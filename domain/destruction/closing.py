"""The certificate of the whole index: what was there when it was closed, and that nothing of it is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.destruction.events import ClosureBegun, ClosureCompleted
from domain.errors import VersionConflict
from domain.kernel import Change, Event, Metadata, Pending, StreamKind
from domain.policy.closure import destroyed_by
from domain.policy.retention import london_day
from domain.ports import EventStore
from domain.rule_set.model import Closure, RuleSet

INDEX: Final = UUID("636c6f73-7572-4000-8000-000000000001")
"""The stream that certifies the destruction of the whole index."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the destruction of the whole index is, as far as the log says; version: of its certificate."""

    version: int = 0
    begun: ClosureBegun | None = None
    begun_at: datetime | None = None
    completed: ClosureCompleted | None = None


def progress(store: EventStore) -> Progress:
    """How far it is."""
    history = store.load(INDEX)
    begun = next((one for one in history.events if isinstance(one.event, ClosureBegun)), None)
    return Progress(
        version=history.version,
        begun=begun.event if begun is not None and isinstance(begun.event, ClosureBegun) else None,
        begun_at=begun.recorded_at if begun is not None else None,
        completed=next(_completions(event.event for event in history.events), None),
    )


def _completions(events: Iterator[object]) -> Iterator[ClosureCompleted]:
    return (event for event in events if isinstance(event, ClosureCompleted))


def begin(
    closure: Closure, subjects: int, *, at: datetime, store: EventStore, rules: RuleSet, metadata: Metadata
) -> int:
    """Put on record that everything is to be destroyed, the first time. Gives the version at which that is said."""
    if progress(store).begun is None:
        event = ClosureBegun(
            rule_set=rules.id, closed_at=closure.at, due=destroyed_by(closure), subjects=subjects
        )
        _append(event, 0, at=at, store=store, metadata=metadata)
    return 1


def certify(
    certificates: int, generations: tuple[int, int], *, at: datetime, store: EventStore, metadata: Metadata
) -> int:
    """Certify that nothing is left, the first time. Gives the version at which that is said.

    generations: the oldest key-encryption key that is left, of `keyring` and of `shielded`.
    """
    if progress(store).completed is None:
        keyring, shielded = generations
        event = ClosureCompleted(
            certificates=certificates,
            keyring_generation=keyring,
            shielded_generation=shielded,
            completed_on=london_day(at),
        )
        _append(event, 1, at=at, store=store, metadata=metadata)
    return 2


def _append(event: Event, version: int, *, at: datetime, store: EventStore, metadata: Metadata) -> None:
    """Another run may have been first, and said the same."""
    try:
        store.append([Change(INDEX, StreamKind.SYSTEM, version, (Pending(event),))], metadata, instant=at)
    except VersionConflict:
        return
