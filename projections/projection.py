"""The shape of a projection: a name that never changes, a version, and a pure fold from one stream to its rows.

A projection folds whole streams. Whatever moves in a stream, the stream is folded again from its beginning and its rows
are replaced, so that a correction, a shield, a lifted shield and a destroyed key all need no code of their own, and
catching up twice is as good as once. The unit is small: a child's stream is a few dozen events.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from domain.kernel import Concealed, Event, ForgottenEvent, History, Log, Recorded
from domain.personal_data import HIDDEN, Forgotten, Part, parts_of
from domain.policy.shielding import SHIELD_EVENTS, shielded
from domain.rule_set.model import RuleSet

Row: TypeAlias = tuple[Any, ...]
"""A row: a NamedTuple whose class says which table it belongs to."""

INDEXES: Final = "-- Indexes, made once the tables are filled."
"""The line of a `table.sql` that stands between its tables and its indexes."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a projection.

    row: the NamedTuple whose fields are its columns, in order. key: what tells its rows apart. stream: the column that
    holds the stream a row was folded from, by which its rows are replaced.
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    stream: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, in the order of a row's fields."""
        return tuple(self.row.__annotations__)


def ends_nothing(source: History) -> Iterable[UUID]:
    """No other stream's rows end with this one."""
    del source
    return ()


class Depth(Enum):
    """How far a child's events are opened.

    EVENTS: no metadata. FACTS: nor any content of events that are not concealed (their source and the like). `Hidden`
    stands in their place, and a rebuild does not open them; damage there is found by whoever opens it. NAMES: what
    events are called, and shields; they come without their fields (for the publisher; no view is made of that).
    """

    NAMES = "names"
    EVERYTHING = "everything"
    EVENTS = "events"
    FACTS = "facts"


class Reads(NamedTuple):
    """What of a child's events a projection is made of.

    only: names of events; others may be left out of the history, whose version counts them all the same. None: all.
    Shields, and what cannot be opened, come whatever it says.
    """

    depth: Depth = Depth.EVERYTHING
    only: frozenset[str] | None = None


EVERYTHING: Final = Reads()
_DEPTHS: Final = (Depth.NAMES, Depth.FACTS, Depth.EVENTS, Depth.EVERYTHING)
"""Each shows what the one before it shows, and more."""


def reads(depth: Depth, *classes: type[Event]) -> Reads:
    """Reads events of these classes alone."""
    return Reads(depth, frozenset(each.NAME for each in classes) | SHIELD_EVENTS)


def most_of(many: Iterable[Reads]) -> Reads:
    """What several projections read together: as deep as the deepest, and every event that one of them reads."""
    each = tuple(many)
    depth = max((one.depth for one in each), key=_DEPTHS.index, default=Depth.NAMES)
    named = [one.only for one in each]
    return Reads(depth, None if None in named else frozenset().union(*filter(None, named)))


@dataclass(frozen=True, slots=True)
class Projection:
    """A view that can be deleted and made again from the log.

    rows: pure; the rows of one stream under a rule set, none where the stream is not its concern. ends: children whose
    rows go because of this stream (a certificate of destruction names one): whoever folds may still have their keys in
    memory, so their own streams are not asked. by_rules: whether its rows rest on the rules, so that it is to be
    rebuilt once other rules are in force.
    """

    name: str
    version: int
    logs: tuple[Log, ...]
    tables: tuple[Table, ...]
    rows: Callable[[History, RuleSet], Sequence[Row]]
    folder: Path
    ends: Callable[[History], Iterable[UUID]] = ends_nothing
    reads: Reads = EVERYTHING
    by_rules: bool = False

    def sql(self) -> tuple[str, str]:
        """The statements that make its tables, and those that make its indexes. No schema is named in them."""
        tables, mark, indexes = (self.folder / "table.sql").read_text("utf-8").partition(INDEXES)
        if not mark:
            raise TypeError(f"{self.name}/table.sql lacks the line: {INDEXES}")
        return tables, indexes


def as_served(source: History) -> History:
    """The stream as a reader without the `shielded` database has it, whoever opened it.

    No view stores content of a shielded child. A reader of the ordinary kind cannot open that content; this makes it so
    for every reader, because the log says who is shielded and the place of a key does not.
    """
    if not shielded(recorded.event for recorded in source.events):
        return source
    return History(source.stream_id, source.version, tuple(_without_content(one) for one in source.events))


def is_hidden(source: History) -> bool:
    """Whether a stream is one that an old build may hold nothing of: shielded, or its key destroyed."""
    events = [recorded.event for recorded in source.events]
    return shielded(events) or any(type(event) is ForgottenEvent for event in events)


def _without_content(recorded: Recorded) -> Recorded:
    metadata = recorded.metadata if isinstance(recorded.metadata, Forgotten) else HIDDEN
    return Recorded(
        recorded.log,
        recorded.position,
        recorded.recorded_at,
        recorded.event_id,
        recorded.stream_id,
        recorded.version,
        recorded.content_key,
        _event_without_content(recorded.event),
        metadata,
    )


def _event_without_content(event: Event) -> Event:
    if event.CONCEALED:
        return Concealed(source_kind=getattr(event, "source_kind", None))
    fields = _content_fields(type(event))
    if not fields:
        return event
    return event.model_copy(update=dict.fromkeys(fields, HIDDEN))


@lru_cache(maxsize=256)
def _content_fields(event_class: type[Event]) -> tuple[str, ...]:
    if event_class in (Concealed, ForgottenEvent):
        return ()
    return tuple(name for name, part in parts_of(event_class).items() if part is Part.CONTENT)
