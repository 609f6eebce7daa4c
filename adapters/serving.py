"""Records as they are served: facts folded from the log, opened as far as this one access allows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from adapters.retention_days import RetentionDays
from domain.access.conduct import Recent
from domain.access.events import AdultSought, TrailFilter
from domain.access.model import AccessGrant, AccessOnRecord
from domain.access.ports import CountedRefusals, LookBehind, Scheduled, TrailPage
from domain.access.reach import Reach
from domain.child_record.events import Address, Carer, CurrentAddress, LastKnownAddress
from domain.disclosure import RecordFacts
from domain.investigation.handlers import open_investigation
from domain.kernel import ForgottenEvent, Metadata
from domain.organisation.handlers import organisation_of
from domain.organisation.model import Organisation
from domain.personal_data import Forgotten
from domain.policy.rule_book import InForce
from domain.policy.subject_access import LookAt
from domain.ports import EventStore, Ids, Tokens
from domain.review import Compared
from domain.rule_set.model import RuleSet
from domain.supply.model import HeldRecord
from domain.supply.model import fold as fold_held
from ingest.carers import carer_who_is
from ingest.matching import blocking, normalise, weights
from ingest.ports import Candidates
from projections.audit_trail.queries import AuditTrail, Entry, Open
from projections.projection import Depth, Reads, as_served
from projections.reading import RecordReader, facts_of
from projections.review_queue.queries import waiting
from projections.slices import SlicesForOnce, every_record

Capacity: TypeAlias = Literal["manager", "override"]
OneRecord: TypeAlias = Callable[[Capacity, UUID], EventStore]
"""A store that opens the shielded content of one record, in a capacity, for the access of this id."""


class ServedRecords:
    """Implements `domain.access.ports.Records`.

    Without an override, a second auditor, or a role that may see as a manager, what a shield hides is never opened.
    """

    def __init__(self, serving: EventStore, one_record: OneRecord, ids: Ids, rules: InForce) -> None:
        self._reader = RecordReader(serving)
        self._one_record = one_record
        self._ids = ids
        self._rules = rules
        self._used: set[UUID] = set()

    def facts(self, grant: AccessGrant, child_ids: Sequence[UUID]) -> dict[UUID, RecordFacts]:
        """Facts as they stand. A list of several never opens anything shielded."""
        found = self._reader.facts_many(child_ids)
        capacity = self._capacity(grant)
        if capacity and len(child_ids) == 1:
            for child_id in child_ids:
                if child_id in found and found[child_id].shielded:
                    opened = self._opened(grant, capacity).facts(child_id)
                    if isinstance(opened, RecordFacts):
                        found[child_id] = opened
        return found

    def facts_at(
        self, grant: AccessGrant, child_id: UUID, version: int, true_on: date | None = None
    ) -> RecordFacts | Forgotten | None:
        """Facts as they stood at a version; shielded since means not opened, but for two auditors together."""
        found = self._reader.facts(child_id, version, true_on)
        if isinstance(found, RecordFacts) and not found.opened and (capacity := self._capacity(grant)):
            return self._opened(grant, capacity).facts(child_id, version, true_on)
        return found

    def destroyed_on(self, certificate: UUID) -> date | None:
        """The day on which what a certificate orders was done; None where it is not done yet."""
        return self._reader.destroyed_on(certificate)

    def destroyed_behind(self, certificate: UUID, position: int) -> bool:
        """Whether what a certificate orders was done behind a position of the log."""
        return self._reader.destroyed_behind(certificate, position)

    def version_at(self, child_id: UUID, instant: datetime) -> int:
        """The last version recorded at or before the instant (0: none)."""
        return self._reader.version_at(child_id, instant)

    def version_upto(self, child_id: UUID, position: int) -> int:
        """The last version at or before a position of the log (0: none)."""
        return self._reader.version_upto(child_id, position)

    def heads(self, child_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The present versions."""
        return self._reader.heads(child_ids)

    def _capacity(self, grant: AccessGrant) -> Capacity | None:
        if grant.override or grant.confirmed_by is not None:
            return "override"
        return "manager" if self._rules.at(grant.instant).role_sees(grant.viewer.role, "manager") else None

    def _opened(self, grant: AccessGrant, capacity: Capacity) -> RecordReader:
        """A reader of one record. One access opens one; each further one of a replayed page has an id of its own."""
        access = grant.access_id if grant.access_id not in self._used else self._ids.new()
        self._used.add(access)
        return RecordReader(self._one_record(capacity, access))


class ServedHeldRecords:
    """Implements `domain.access.ports.HeldRecords`: which wait from the view, each opened from the log."""

    def __init__(self, serving: EventStore, one_record: OneRecord, ids: Ids, open_queue: Open) -> None:
        self._reader = RecordReader(serving)
        self._one_record = one_record
        self._ids = ids
        self._open_queue = open_queue

    def waiting(
        self, grant: AccessGrant, after: tuple[datetime, UUID] | None, most: int
    ) -> list[tuple[datetime, UUID]]:
        """When each began to wait and its id, oldest first, from behind `after`."""
        del grant
        with self._open_queue() as connection:
            return waiting(connection, after, most)

    def open(self, grant: AccessGrant, held_id: UUID) -> HeldRecord | None:
        """One held record as the log has it now; None where there is none. Opened under an access id of its own."""
        del grant
        return fold_held(self._one_record("manager", self._ids.new()).load(held_id))

    def open_at(self, grant: AccessGrant, held_id: UUID, version: int) -> HeldRecord | Forgotten | None:
        """One held record as it stood at a version of its stream."""
        del grant
        history = self._one_record("manager", self._ids.new()).load(held_id, version)
        gone = next((one.event for one in history.events if isinstance(one.event, ForgottenEvent)), None)
        return fold_held(history) if gone is None else Forgotten(gone.certificate)

    def candidates(self, grant: AccessGrant, held: HeldRecord) -> dict[UUID, RecordFacts]:
        """The records in question, with nothing opened that a shield hides."""
        del grant
        return self._reader.facts_many(held.candidates)

    def compared(self, held: HeldRecord, facts: RecordFacts) -> Sequence[Compared]:
        """How the held record compares with one of them, field by field."""
        return [
            Compared(part.field, part.level, part.weight)
            for part in weights.compared(weights.described_by(held.assertion), weights.described(facts))
        ]


class ServedAdults:
    """Implements `domain.access.ports.Adults`: reads every record of the log, as a rebuild does.

    An index of children keeps no index of adults, so that nobody can look one up; a request may take its month.
    """

    def __init__(self, slices: SlicesForOnce, head: Callable[[], int]) -> None:
        self._slices = slices
        self._head = head

    def naming(
        self, grant: AccessGrant, adult: AdultSought, limit: int
    ) -> tuple[list[tuple[RecordFacts, Carer]], bool]:
        """Records with the carer in each that the adult is."""
        del grant
        found: list[tuple[RecordFacts, Carer]] = []
        with closing(every_record(self._slices, self._head(), Reads(Depth.EVENTS))) as histories:
            for history in histories:
                facts = facts_of(as_served(history))
                carer = carer_who_is(adult, facts) if isinstance(facts, RecordFacts) else None
                if carer is None or not isinstance(facts, RecordFacts):
                    continue
                if len(found) == limit:
                    return found, True
                found.append((facts, carer))
        return found, False

    def carer(self, adult: AdultSought, facts: RecordFacts) -> Carer | None:
        """The carer in a record that the adult is."""
        return carer_who_is(adult, facts)


class ServedLocalTeam:
    """Implements `domain.access.ports.LocalTeam`. A record is opened as a manager opens it, each for one access."""

    def __init__(
        self,
        one_record: OneRecord,
        ids: Ids,
        asked: Callable[[], list[UUID]],
        slices: SlicesForOnce,
        head: Callable[[], int],
        serving: EventStore,
        candidates: Candidates,
    ) -> None:
        self._one_record = one_record
        self._ids = ids
        self._asked = asked
        self._reader = RecordReader(serving)
        self._candidates = candidates
        self._slices = slices
        self._head = head

    def asked(self, grant: AccessGrant) -> list[UUID]:
        """The children about whom a request for contact may be open."""
        del grant
        return self._asked()

    def opened(self, grant: AccessGrant, child_id: UUID) -> RecordFacts | None:
        """One record with what a shield hides of it, under an access id of its own."""
        del grant
        found = RecordReader(self._one_record("manager", self._ids.new())).facts(child_id)
        return found if isinstance(found, RecordFacts) else None

    def neighbours(self, grant: AccessGrant, facts: RecordFacts) -> list[RecordFacts]:
        """Records at a postcode of this one."""
        del grant
        keys = [
            blocking.by_postcode(where)
            for address in _addresses(facts)
            if (where := normalise.postcode(address.postcode)) is not None
        ]
        found = {one.child_id for one in self._candidates.find(keys)} - {facts.child_id}
        others = self._reader.facts_many(found).values()
        return [other for other in sorted(others, key=lambda one: one.child_id.bytes) if not other.shielded]

    def same_address(self, one: RecordFacts, other: RecordFacts) -> bool:
        """Whether two records have an address in common."""
        return not _address_words(one).isdisjoint(_address_words(other))

    def with_sensitive(self, grant: AccessGrant) -> Iterator[RecordFacts]:
        """Every record that holds a sensitive service, read from the log as a rebuild does."""
        del grant
        for history in every_record(self._slices, self._head(), Reads(Depth.EVENTS)):
            facts = facts_of(as_served(history))
            if isinstance(facts, RecordFacts) and any(one.sensitive for one in facts.involvements):
                yield facts


def _addresses(facts: RecordFacts) -> list[Address]:
    where = facts.whereabouts
    now = [where.address] if isinstance(where, CurrentAddress | LastKnownAddress) else []
    return [*now, *facts.earlier_addresses]


def _address_words(facts: RecordFacts) -> frozenset[str]:
    return frozenset(word for address in _addresses(facts) for word in normalise.address_words(address))


class ServedAuthorities:
    """Implements `domain.access.go_live.Authorities`, from the log."""

    def __init__(self, store: EventStore, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def standing(self, body: str) -> Organisation | None:
        """The organisation of a body code as the log has it now, or None."""
        return organisation_of(body, store=self._store, tokens=self._tokens)


class ServedOversight:
    """Implements `domain.access.ports.Oversight`: counts by the audit trail, brought up to the log before.

    index: who acts where the index itself does.
    """

    def __init__(
        self,
        trail: AuditTrail,
        refresh: Callable[[], None],
        store: EventStore,
        tokens: Tokens,
        ids: Ids,
        rules: InForce,
        index: UUID,
    ) -> None:
        self._trail = trail
        self._refresh = refresh
        self._store = store
        self._tokens = tokens
        self._ids = ids
        self._rules = rules
        self._index = index

    def looks(self, grant: AccessGrant, account: UUID, since: datetime) -> int:
        """How many searches an account ran and records it opened since an instant."""
        self._refresh()
        return self._trail.looks(grant, account, since)

    def recent(self, grant: AccessGrant, account: UUID, since: datetime, most: int) -> Recent:
        """What they were."""
        return self._trail.recent(grant, account, since, most)

    def investigate(self, account: UUID, cause: str, access_id: UUID, at: datetime) -> None:
        """Open an investigation, caused by an access."""
        open_investigation(
            self._ids.new(),
            account,
            cause,
            access_id,
            at=at,
            store=self._store,
            tokens=self._tokens,
            rules=self._rules.at(at),
            metadata=Metadata(
                actor=self._index, purpose="operation", correlation=self._ids.new(), causation=access_id
            ),
        )


class ServedTrail:
    """Implements `domain.access.ports.Trail`: the audit trail, and what falls due."""

    def __init__(self, trail: AuditTrail, schedule: RetentionDays, one_record: OneRecord, ids: Ids) -> None:
        self._trail = trail
        self._schedule = schedule
        self._one_record = one_record
        self._ids = ids

    def reach(self) -> Reach:
        """As far as can be read now."""
        return self._trail.reach()

    def who_saw(self, grant: AccessGrant, child_id: UUID, chosen: TrailFilter, at: Reach) -> TrailPage:
        """Looks at one child."""
        return self._trail.who_saw(grant, child_id, chosen, at)

    def what_saw(self, grant: AccessGrant, account: UUID, chosen: TrailFilter, at: Reach) -> TrailPage:
        """Looks by one account."""
        return self._trail.what_saw(grant, account, chosen, at)

    def changes(self, grant: AccessGrant, child_id: UUID, chosen: TrailFilter, at: Reach) -> TrailPage:
        """Changes to one record. What has been shielded since is opened for two people alone."""
        return self._trail.changes(grant, child_id, chosen, at, self._opening(grant))

    def accesses(
        self, grant: AccessGrant, kind: str, subject: UUID | None, chosen: TrailFilter, at: Reach
    ) -> tuple[list[AccessOnRecord], str | None]:
        """Accesses as they are on record."""
        return self._trail.accesses(grant, kind, subject, chosen, at)

    def looks_at(self, grant: AccessGrant, child_id: UUID, at: Reach) -> list[LookAt]:
        """Every look at one child."""
        return self._trail.looks_at(grant, child_id, at)

    def refusals(
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, at: Reach
    ) -> CountedRefusals:
        """Refusals, counted."""
        return self._trail.refusals(grant, since, until, at)

    def overrides(
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, most: int, at: Reach
    ) -> Sequence[LookBehind]:
        """Looks behind whosever shield."""
        return self._trail.overrides(grant, since, until, most, at)

    def reviews(
        self, grant: AccessGrant, on: date, most: int, at: Reach, rules: RuleSet
    ) -> Scheduled[tuple[UUID, date]]:
        """Whose shields are to be looked at again."""
        return self._schedule.reviews(on, most, at, rules, self._opening(grant))

    def due(self, grant: AccessGrant, on: date, at: Reach, rules: RuleSet) -> Scheduled[Entry]:
        """What falls due on or before a day."""
        found = self._schedule.due(on, at, rules, self._opening(grant))
        entries = [
            {
                "child_id": str(row.child_id),
                "action": row.action,
                "on": row.due_on.isoformat(),
                "rule": row.rule,
                "rule_set": row.rule_set,
            }
            for row in found.rows
        ]
        return Scheduled(entries, found.closed, found.certificates)

    def _opening(self, grant: AccessGrant) -> Callable[[], EventStore] | None:
        """What opens a record that has been shielded since, where two people may be shown it: each under its own id."""
        return (lambda: self._one_record("override", self._ids.new())) if grant.confirmed_by else None
