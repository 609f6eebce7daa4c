"""What follows when a shield goes up: keys moved, places noted, and records near it provisionally shielded.

A follower of the record log with a position of its own, which no rebuild rewinds. Whoever appends a shield runs it
before acknowledging, so that a shield is never acknowledged and not yet in force; after a crash the next run goes on
where it stood, and doing a stream twice changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from domain.child_record import model
from domain.child_record.commands import RaiseShield
from domain.child_record.events import Address, SourceKind
from domain.child_record.handlers import handle
from domain.child_record.model import ChildRecord
from domain.errors import DamagedStream, Refused
from domain.kernel import Metadata
from domain.policy.rule_book import InForce
from domain.ports import Clock, EventStore, Ids, Shielding, Tokens
from ingest.matching import blocking, comparison, normalise, ruled_out
from ingest.matching.blocking import Candidate
from ingest.matching.normalise import NormalName
from ingest.ports import Candidates, FollowerPositions, Order, Places

NAME: Final = "shields"
_PAGE: Final = 2000


def place_tokens(tokens: Tokens, addresses: Iterable[Address]) -> frozenset[bytes]:
    """Keyed digests by which two writings of one address are found to agree."""
    words = {word for address in addresses for word in normalise.address_words(address)}
    return frozenset(tokens.token("place", word.encode()) for word in words)


@dataclass(frozen=True, slots=True)
class ShieldFollower:
    """Makes shields good. `store` is the writer's, which opens what is hidden and shows it to nobody.

    refresh: brings the match index up to the log, so that the screen misses nobody.
    """

    store: EventStore
    order: Order
    positions: FollowerPositions
    shielding: Shielding
    places: Places
    candidates: Candidates
    tokens: Tokens
    ids: Ids
    clock: Clock
    rules: InForce
    refresh: Callable[[], None]

    def catch_up(
        self, metadata: Metadata, known: Mapping[int, bool] | None = None, *, upto: int | None = None
    ) -> None:
        """Deal with every event up to the head of the log, and with what comes of that.

        known: positions that the caller itself appended, and whether a shield stands on the stream: those without are
        passed over unopened, which makes bulk loads affordable. upto: leave what lies behind this position for the next
        run; where others append all the time, whoever wants to reach the head opens what they are about to pass over.
        Raises Unavailable; the position then stands still.
        """
        known = known or {}
        at = self.positions.position(NAME)
        while upto is None or at < upto:
            page = self.order.tail(at, _PAGE if upto is None else min(_PAGE, upto - at))
            if not page:
                return
            streams = dict.fromkeys(stream for position, stream in page if known.get(position, True))
            if streams:
                self._deal_with(streams, metadata)
            at = page[-1][0]
            self.positions.moved(NAME, at)

    def _deal_with(self, streams: Iterable[UUID], metadata: Metadata) -> None:
        for history in self.store.load_many(streams).values():
            record = model.fold(history)
            if record.forgotten is not None:
                self.places.forget(record.child_id)
            elif record.closed:
                self.shielding.move_in(record.child_id)
                self.places.forget(record.child_id)
            elif record.shielded:
                self._shield(record, metadata)
            elif record.ever_shielded:
                self.places.forget(record.child_id)
                self.shielding.move_out(record.child_id)

    def _shield(self, record: ChildRecord, metadata: Metadata) -> None:
        self.shielding.move_in(record.child_id)
        addresses = blocking.addresses_of(record)
        self.places.note(record.child_id, place_tokens(self.tokens, addresses))
        if all(shield.provisional for shield in record.shields):
            return  # what is near one that is only near a shielded child is not screened again: it would never end
        self.refresh()
        words = frozenset(word for address in addresses for word in normalise.address_words(address))
        for candidate in self.candidates.find(_around(record, addresses)):
            if candidate.child_id == record.child_id or candidate.shielded:
                continue
            if self._near(record, words, candidate):
                self.shield_provisionally(candidate.child_id, metadata)

    def _near(self, record: ChildRecord, words: frozenset[str], candidate: Candidate) -> bool:
        """The same date of birth (or day and month exchanged) or the same address, with a near name."""
        names = {normalise.person_name(name) for name in blocking.names_of(record)}
        theirs = NormalName(candidate.forenames, candidate.surname)
        known = candidate.date_of_birth
        if known is not None and ruled_out.of_name(self.tokens, theirs, known) in record.ruled_out:
            return False  # a human has found them to be two
        if not any(comparison.near(name, theirs) for name in names):
            return False
        births = blocking.births_of(record)
        if known is not None and any(comparison.same_birth_or_swapped(born, known) for born in births):
            return True
        return bool(words) and not words.isdisjoint(self._words_of(candidate.child_id))

    def _words_of(self, child_id: UUID) -> frozenset[str]:
        try:
            record = model.fold(self.store.load(child_id))
        except DamagedStream:
            return frozenset()
        return frozenset(
            word for address in blocking.addresses_of(record) for word in normalise.address_words(address)
        )

    def shield_provisionally(self, child_id: UUID, metadata: Metadata) -> None:
        """Shield a record until a human decides. Does nothing to one that is provisionally shielded already."""
        at = self.clock.now()
        rules = self.rules.at(at)
        command = RaiseShield(
            at=at,
            shield=self.ids.new(),
            ground=rules.shield.grounds_of_screening[0],
            provisional=True,
            source_kind=SourceKind.INDEX,
        )
        try:
            handle(
                child_id,
                command,
                store=self.store,
                tokens=self.tokens,
                rules=rules,
                metadata=metadata,
            )
        except Refused:
            return  # it has gone since the index was read


def _around(record: ChildRecord, addresses: Iterable[Address]) -> frozenset[str]:
    """The keys of records that may be near: by date of birth, and by postcode."""
    days: set[date] = set()
    for born in blocking.births_of(record):
        days.add(born)
        if (swapped := blocking.day_and_month_swapped(born)) is not None:
            days.add(swapped)
    postcodes = {normalise.postcode(address.postcode) for address in addresses}
    return frozenset(
        {blocking.by_date_of_birth(day) for day in days}
        | {blocking.by_postcode(where) for where in postcodes if where is not None}
    )
