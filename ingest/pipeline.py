"""From a file to the log: parse, find candidates, decide, append; each source record has exactly one outcome.

A source record and the idempotency key that its content gives are appended in one transaction, so a load may be
killed anywhere and run again, and comes to the same end; a second load adds nothing. Records are worked on in chunks:
what a chunk needs from the index and the log is fetched at once, and what it appends goes in one transaction. A record
that concerns a stream changed earlier in the chunk waits until that is appended.

Of a record that is shielded the outcome tells nothing: `unchanged` if the key was known, else `updated`, whatever was
found; its events are not counted.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any, BinaryIO, Final, Literal
from uuid import UUID

from domain.child_record import model
from domain.child_record.commands import AssertFacts, Assertion, AssignAuthority, RegisterChild, RuleOutLink
from domain.child_record.decisions import decide as decide_record
from domain.child_record.decisions import decide_on_held
from domain.child_record.events import CurrentAddress, IdentityAsserted, LastKnownAddress, Source, SourceKind
from domain.child_record.handlers import change_of, index_number_token, nhs_number_token
from domain.child_record.model import ChildRecord
from domain.destruction.handlers import source_token
from domain.errors import AlreadyReserved, BadInput, DamagedStream, NotFound, Refused, VersionConflict
from domain.identifiers import synthetic_nhs_number
from domain.kernel import Appended, Change, History, Metadata, Pending, Reservation, StreamKind
from domain.policy.closure import refuse_once_closed
from domain.policy.retention import age_on, london_day
from domain.policy.rule_book import InForce
from domain.ports import Clock, Ids, Tokens
from domain.supply import model as supply
from domain.supply.commands import DecideHeldRecord
from domain.supply.events import FileReceived, FileWithdrawn, SourceRecordHeld, SourceRecordReleased
from domain.supply.model import HeldRecord
from ingest.best_view import candidate_of
from ingest.erased import suppressing
from ingest.matching import normalise, ruled_out
from ingest.matching.blocking import Candidate
from ingest.matching.decision import (
    LESS_THAN_EXACT,
    Decision,
    Doubt,
    Incoming,
    Match,
    NoMatch,
    Queue,
    decide,
    linking_keys,
    near_shielded,
    resembles,
    screening_keys,
)
from ingest.matching.normalise import NormalName
from ingest.outcome import Counts, Listener, Loaded, Outcome, Refusal
from ingest.planned import Item, Plan, Recent, Waiting, as_changed
from ingest.ports import Candidates, LoadStore, Places, Unit
from ingest.screening import ShieldFollower, place_tokens
from ingest.services import Service
from ingest.source_record import (
    FORMER_UPN,
    REMEDIES,
    SUPERSEDED,
    Code,
    Involved,
    Parse,
    Parsed,
    Rejected,
    SourceRecord,
)
from ingest.sources import births, case_management, child_benefit, ctf, pds, school_census
from ingest.withdrawal import Withdrawal, Withdrawn, also_said, decided_key

PARSERS: Final[dict[SourceKind, Parse]] = {
    SourceKind.BIRTHS: births.parse,
    SourceKind.CASE_MANAGEMENT: case_management.parse,
    SourceKind.CHILD_BENEFIT: child_benefit.parse,
    SourceKind.CTF: ctf.parse,
    SourceKind.PDS: pds.parse,
    SourceKind.SCHOOL_CENSUS: school_census.parse,
}
"""The sources that can be loaded."""

FIELDS: Final = {
    SourceKind.BIRTHS: births.FIELDS,
    SourceKind.CASE_MANAGEMENT: case_management.FIELDS,
    SourceKind.CHILD_BENEFIT: child_benefit.FIELDS,
    SourceKind.CTF: ctf.FIELDS,
    SourceKind.PDS: pds.FIELDS,
    SourceKind.SCHOOL_CENSUS: school_census.FIELDS,
}
"""What each source calls our fields, for refusals that its supplier reads."""

ISSUERS: Final = frozenset({SourceKind.BIRTHS, SourceKind.PDS})
"""The sources that issue NHS numbers: one of theirs is reserved, one that somebody merely typed is not."""

CHUNK: Final = 500
"""Source records worked on together."""

REFRESH: Final = 4000
"""Records after which the views are brought up to the log; until then the load remembers them itself."""

_ATTEMPTS: Final = 8


class _FileTaken(Exception):
    """Another load of the same bytes gave the file its id meanwhile."""

    def __init__(self, file_id: UUID) -> None:
        super().__init__()
        self.file_id = file_id


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads files, withdraws them, and admits single registrations, all by the same linking.

    store: the writer's, which opens what is hidden and shows it to nobody. refresh: brings the match index up to the
    log. catch_up: brings every view up to it, the match index among them: a load needs no more than the index, but
    streams that are opened for all views at once are opened once. alone: held while a chunk is linked and appended, and
    by whoever raises a shield, so that neither passes the other unseen. waiting: the records that are held back now.
    synthetic: whether NHS numbers for tests are accepted (training homes only).
    """

    store: LoadStore
    candidates: Candidates
    places: Places
    tokens: Tokens
    ids: Ids
    clock: Clock
    rules: InForce
    follower: ShieldFollower
    refresh: Callable[[], None]
    catch_up: Callable[[], None]
    alone: Callable[[], AbstractContextManager[object]] = nullcontext
    waiting: Callable[[], Iterable[UUID]] = tuple
    synthetic: bool = False
    chunk: int = CHUNK

    def load(
        self,
        kind: SourceKind,
        stream: BinaryIO,
        metadata: Metadata,
        *,
        listener: Listener | None = None,
        dry_run: bool = False,
    ) -> Loaded:
        """Load one opened file, which can be read twice (its digest comes first). Appends nothing in a dry run.

        Raises BadInput for a kind that is no source, Unavailable where a database is away: what was appended until
        then stays, and running it again goes on from there.
        """
        if kind not in PARSERS:
            known = ", ".join(sorted(PARSERS))
            raise BadInput(f"This is not a source. Sources are: {known}.", code="unknown-kind", field="kind")
        listener = listener or Listener()
        digest, total = _digest(stream)
        token = self.tokens.token("file", f"{kind}\n".encode() + digest)
        file_id = self.store.find(token) or self.ids.new()
        self.catch_up()
        if not dry_run:
            self.follower.catch_up(metadata)  # what a run that was killed left undone
        while True:
            stream.seek(0)
            run = _Run(self, kind, file_id, token, metadata, listener, dry_run=dry_run)
            try:
                parsed = PARSERS[kind](stream)
                while batch := list(islice(parsed, self.chunk)):
                    run.take(batch)
                    listener.progress(stream.tell(), total, run.counts)
                run.finish()
            except _FileTaken as taken:
                file_id = taken.file_id
                continue
            return Loaded(file_id, run.counts)

    def admit(self, command: RegisterChild, metadata: Metadata) -> None:
        """Register a child by hand, search before create: linked to the record that is there, held back, or new.

        Says nothing of which. Raises Refused where the command itself cannot be accepted.
        """
        fields = {name: getattr(command, name) for name in AssertFacts.model_fields}
        key = self.tokens.token("idempotency", b"by hand\n" + metadata.correlation.bytes)
        item = self._item(0, key, AssertFacts(**fields), command.owning_authority, about_carers=False)
        decide_record(
            model.unknown(self.ids.new()), command, self.rules.at(command.at)
        )  # refuse what would be refused anyway
        self.refresh()
        self.follower.catch_up(metadata)
        run = _Run(self, command.source_kind, None, b"", metadata, Listener(refused=_raise), dry_run=False)
        run.admit(item)

    def decide(
        self, command: DecideHeldRecord, metadata: Metadata, concerns: Callable[[HeldRecord], bool]
    ) -> None:
        """Let a held record go as a human decided: joined to a record, made one of its own, or refused.

        In one transaction with the decision, by the same linking and the same commands as a load; says nothing of what
        came of it. concerns: whether it is the concern of whoever decides. Raises NotFound where it is not or there is
        no such record, Refused (`already-decided`) where another was first, BadInput, Unavailable.
        """
        self.refresh()
        self.follower.catch_up(metadata)
        held = supply.fold(self.store.load(command.held))
        if held is None or not concerns(held):
            raise NotFound("No such record is held back.", field="held")
        file_id = held.assertion.source.file
        run = _Run(self, held.source_kind, file_id, b"", metadata, Listener(refused=_raise), dry_run=False)
        try:
            with self.alone():
                run.decide(command)
        except Refused as refused:
            if refused.message:
                raise
            _raise(Refusal(0, refused.code, refused.field))
        self.refresh()

    def withdraw(self, file_id: UUID, metadata: Metadata) -> Withdrawn:
        """Take a file back as a unit. What rested on it alone goes, shields stay. Resumable; twice changes nothing.

        Raises NotFound where no such file was received.
        """
        withdrawal = Withdrawal(
            store=self.store,
            tokens=self.tokens,
            ids=self.ids,
            clock=self.clock,
            rules=self.rules,
            follower=self.follower,
            refresh=self.refresh,
        )
        return withdrawal.withdraw(file_id, metadata)

    def _item(
        self, line: int, key: bytes, assertion: AssertFacts, authority: str | None, *, about_carers: bool
    ) -> Item:
        where = assertion.whereabouts
        address = where.address if isinstance(where, CurrentAddress | LastKnownAddress) else None
        postcode = None if address is None else normalise.postcode(address.postcode)
        current = [name for name in assertion.names if name.kind == "current"]
        others = [name for name in assertion.names if name.kind != "current"]
        names = tuple(normalise.person_name(name) for name in (*current, *others))
        former = tuple(i.value for i in assertion.identifiers if i.scheme == SUPERSEDED)
        incoming = Incoming(
            source_kind=assertion.source_kind,
            source_record=assertion.source.record,
            names=names,
            date_of_birth=assertion.date_of_birth,
            postcodes=() if postcode is None else (postcode,),
            nhs_number=assertion.nhs_number,
            former_numbers=former,
            nhs_verified=assertion.confidence == "verified",
            gender=assertion.gender,
            birth_order=assertion.birth_order,
            former_records=tuple(i.value for i in assertion.identifiers if i.scheme == FORMER_UPN),
            about_carers=about_carers,
        )
        incoming = replace(incoming, marks=self._marks(incoming))
        places = frozenset[bytes]() if address is None else place_tokens(self.tokens, (address,))
        return Item(
            line,
            key,
            incoming,
            assertion,
            authority,
            places,
            linking=linking_keys(incoming),
            screening=screening_keys(incoming),
        )

    def _marks(self, incoming: Incoming) -> frozenset[str]:
        entry = None if incoming.about_carers else entry_of(incoming)
        return ruled_out.marks_of(
            self.tokens, entry, incoming.names, incoming.date_of_birth, incoming.numbers
        )

    def item_of_held(self, held: HeldRecord, at: datetime) -> "Item":
        """A record that was held back as a wish again, as it was held."""
        key = decided_key(self.tokens, held.held_id)
        assertion = AssertFacts(**{**dict(held.assertion), "at": at})
        about_carers = not assertion.names and assertion.carers is not None
        item = self._item(0, key, assertion, held.authority, about_carers=about_carers)
        return replace(item, services=tuple(Service.held(one, at) for one in held.involvements))

    def item_of(self, record: SourceRecord, key: bytes, file_id: UUID | None, at: datetime) -> Item:
        """A source record as a wish, its undated address dated by its receipt."""
        facts = record.facts
        said: dict[str, Any] = dict(facts)
        del said["authority"], said["involvements"]
        if facts.whereabouts is not None and facts.address_effective is None:
            said["address_effective"] = london_day(at)
        body = record.body or self.rules.at(at).bodies.get(record.kind)
        assertion = AssertFacts(
            at=at,
            source_kind=record.kind,
            source=Source(body=body, file=file_id, record=record.source_id),
            **said,
        )
        about_carers = record.about == "carers"
        item = self._item(record.line, key, assertion, facts.authority, about_carers=about_carers)
        told = facts.involvements or ()
        return replace(item, services=tuple(Service.told(one, assertion, self.tokens) for one in told))


def entry_of(incoming: Incoming) -> tuple[str, str] | None:
    """The kind of source and its own number of the record, where it has one."""
    return None if incoming.source_record is None else (incoming.source_kind, incoming.source_record)


class _Run:
    """One load of one file."""

    def __init__(
        self,
        loader: Loader,
        kind: SourceKind,
        file_id: UUID | None,
        token: bytes,
        metadata: Metadata,
        listener: Listener,
        *,
        dry_run: bool,
    ) -> None:
        self.counts = Counts()
        self._loader = loader
        self._kind = kind
        self._file_id = file_id
        self._token = token
        self._metadata = metadata
        self._listener = listener
        self._dry_run = dry_run
        self._received = file_id is None  # a registration by hand comes in no file
        self._recent = Recent()
        self._plans: list[Plan] = []
        self._planned: set[UUID] = set()
        self._moved: set[UUID] = set()
        """Records that something was planned for since the candidates of this chunk were fetched."""
        self._keys: set[bytes] = set()
        self._found: dict[str, list[Candidate]] = {}
        self._near: frozenset[bytes] = frozenset()
        self._linked: dict[bytes, Decision] = {}
        self._histories: dict[UUID, History] = {}
        self._erased: set[bytes] = set()
        """Of the entries of this chunk that are nobody's, the keys of those whose child was destroyed."""
        self._head = -1
        self._changed = False
        self._apart: frozenset[UUID] = frozenset()
        """Records that what is being decided on is not about."""

    def take(self, batch: Sequence[Parsed]) -> None:
        """Work on one chunk to its end, alone."""
        with self._loader.alone():
            self._see_others()
            self._take(batch)
            self._head = self._loader.follower.order.head()
        if len(self._recent.records) >= REFRESH and not self._dry_run:
            self._catch_up()

    def _see_others(self) -> None:
        """Where somebody else has appended since this run last did, bring the index up to it before linking."""
        if not self._dry_run and self._loader.follower.order.head() != self._head:
            self._refresh()

    def _take(self, batch: Sequence[Parsed]) -> None:
        loader, at = self._loader, self._loader.clock.now()
        refuse_once_closed(loader.rules.at(at), at)
        keyed: list[tuple[SourceRecord, bytes]] = []
        for parsed in batch:
            if isinstance(parsed, Rejected):
                self._refuse(parsed.line, parsed.code, parsed.field)
            else:
                keyed.append((parsed, loader.tokens.token("feed", parsed.canonical())))
        known = loader.store.batches_of([key for _, key in keyed])
        items: list[Item] = []
        repeated: list[bytes] = []
        for record, key in keyed:
            if key in known:
                self.counts.add(Outcome.UNCHANGED)
                if known.get(key, self._file_id) != self._file_id:
                    repeated.append(key)
                continue
            for warning in record.warnings:
                self._listener.warned(record.line, warning)
            bad = self._untimely(record, at)
            if bad is not None:
                self._refuse(bad.line, bad.code, bad.field)
                continue
            items.append(loader.item_of(record, key, self._file_id, at))
        self._also_said(repeated, at)
        self._prefetch(items)
        for item in items:
            self._work_on(item)
        self._flush()
        self._keys.clear()

    def _also_said(self, keys: Sequence[bytes], at: datetime) -> None:
        """Note that this file, too, says what another file said: withdrawing that one must not take it."""
        if self._file_id is None or self._dry_run:
            return
        loader, file_id = self._loader, self._file_id
        notes = [also_said(loader.tokens, file_id, key) for key in keys]
        known = loader.store.known(notes) if notes else set()
        new = [Unit((), note) for note in dict.fromkeys(notes) if note not in known]
        if new:
            self._receive(at)
            loader.store.append_units(new, self._metadata, batch=file_id, instant=at)

    def admit(self, item: Item) -> None:
        """Work on a single wish, alone."""
        with self._loader.alone():
            self._see_others()
            self._prefetch([item])
            self._work_on(item)
            self._flush()

    def decide(self, command: DecideHeldRecord) -> None:
        """Carry out one decision on a record that is held back, alone."""
        extra: tuple[Candidate, ...] = ()
        for attempt in range(_ATTEMPTS):
            self._refresh()
            plan = self._decided(command, extra)
            outcome = self._append([plan])[0]
            if isinstance(outcome, Appended):
                self._loader.follower.catch_up(self._metadata)
                if outcome.duplicate and not self._decided_by_us(command.held):
                    raise supply.already_decided()
                return
            if attempt == _ATTEMPTS - 1:
                raise outcome
            if isinstance(outcome, AlreadyReserved):
                extra = (*extra, self._holder(outcome.stream_id))

    def _decided_by_us(self, held_id: UUID) -> bool:
        """Whether the decision on record is this one, whose acknowledgement was lost on its way."""
        return any(
            isinstance(recorded.metadata, Metadata)
            and recorded.metadata.correlation == self._metadata.correlation
            for recorded in self._loader.store.load(held_id).events
        )

    def _decided(self, command: DecideHeldRecord, extra: Sequence[Candidate]) -> Plan:
        """The decision, what it rules out, and what then becomes of the record, as one unit. Raises Refused."""
        loader = self._loader
        history = loader.store.load(command.held)
        held = supply.fold(history)
        if held is None:
            raise NotFound("No such record is held back.", field="held")
        supply.must_be_decidable(held, command, loader.rules.at(command.at))
        item = loader.item_of_held(held, command.at)
        self._prefetch([item])
        apart: tuple[UUID, ...] = ()
        if command.verdict in ("not-the-same", "new"):
            apart = command.children or held.candidates
            command = command.model_copy(update={"children": apart})
            if held.state == "quarantined":
                apart += tuple(c for c in self._shielded_near(item, extra) if c not in apart)
            self._apart = frozenset(apart)
        plan = self._as_decided(item, command, extra)
        outcome, child = _came_to(plan, command)
        said = supply.decide(command, outcome, child, loader.rules.at(command.at))
        events = tuple(Pending(event, 1) for event in said)
        released = Change(held.held_id, StreamKind.CHILD, history.version, events, shielded=True)
        changes = (released, *self._ruled_out(item, held, apart), *plan.unit.changes)
        kept = () if child is None else (_goes_with(child, held.held_id),)
        unit = replace(plan.unit, changes=changes, reservations=(*plan.unit.reservations, *kept))
        return replace(plan, unit=unit)

    def _as_decided(self, item: Item, command: DecideHeldRecord, extra: Sequence[Candidate]) -> Plan:
        match command.verdict:
            case "same":
                (child_id,) = command.children
                record = self._record(child_id)
                return self._existing(item, record, taken=bool(extra))
            case "not-the-same":
                return self._plan(item, extra)
            case "new":  # search before create: another record may be this child's by now, beyond doubt
                found = self._link(item, extra)
                return self._plan(item, extra) if isinstance(found, Match) else self._new(item, extra)
            case "refuse":
                return Plan(
                    item,
                    Outcome.REFUSED,
                    item.assertion.source.file or self._loader.ids.new(),
                    Unit((), item.key),
                )

    def _shielded_near(self, item: Item, extra: Sequence[Candidate]) -> list[UUID]:
        """The shielded children that a quarantined record was held back for."""
        candidates, at_same_place = self._screened(item, extra)
        return [
            candidate.child_id
            for candidate in candidates
            if candidate.shielded
            and resembles(item.incoming, candidate, same_place=candidate.child_id in at_same_place)
        ]

    def _ruled_out(self, item: Item, held: HeldRecord, apart: Iterable[UUID]) -> list[Change]:
        changes: list[Change] = []
        incoming = item.incoming
        for child_id in apart:
            record = self._record(child_id)
            marks = ruled_out.against(
                self._loader.tokens,
                record,
                incoming.marks,
                entry_of(incoming),
                incoming.date_of_birth,
                incoming.numbers,
            )
            if not marks:
                continue
            command = RuleOutLink(
                at=item.assertion.at, source_kind=held.source_kind, marks=marks, held=held.held_id
            )
            decision = decide_record(record, command, self._loader.rules.at(command.at))
            if decision.events:
                changes.append(change_of(child_id, record.version, decision))
        return changes

    def finish(self) -> None:
        """Bring the index up to what was loaded, and link again what waits: what was missing may be there now.

        So files that come in another order come to the same end. What is still in doubt goes on waiting.
        """
        if self._dry_run:
            return
        self._catch_up()
        if not self._changed:
            return
        waiting = iter(self._loader.waiting())
        while held := list(islice(waiting, self._loader.chunk)):
            with self._loader.alone():
                self._see_others()
                self._link_again(held)
                self._head = self._loader.follower.order.head()
        self._catch_up()

    def _link_again(self, held_ids: Sequence[UUID]) -> None:
        loader, at = self._loader, self._loader.clock.now()
        histories = loader.store.records(held_ids).values()
        folded = [(history, held) for history in histories if (held := supply.fold(history)) is not None]
        waiting = [
            Waiting(history, held, loader.item_of_held(held, at))
            for history, held in folded
            if not held.released
        ]
        self._prefetch([one.item for one in waiting])
        appended: dict[int, bool] = {}
        for _, from_one_file in groupby(waiting, key=lambda one: one.held.assertion.source.file):
            refused = self._release(list(from_one_file), appended)
            for one in refused:  # another was first; what was planned on top of it is no worse by itself
                self._release([one], appended)
        loader.follower.catch_up(self._metadata, appended)

    def _release(self, waiting: Sequence["Waiting"], appended: dict[int, bool]) -> list["Waiting"]:
        """Let go those of one file that are linked by now, in one transaction. Returns those that were refused there.

        appended: takes the positions of what was appended, and whether the record is shielded.
        """
        planned = [(one, plan) for one in waiting if (plan := self._joined(one)) is not None]
        if not planned:
            return []
        file_id = planned[0][0].held.assertion.source.file
        outcomes = self._append([plan for _, plan in planned], batch=file_id)
        self._forget_planned()
        refused: list[Waiting] = []
        for (one, plan), outcome in zip(planned, outcomes, strict=True):
            if isinstance(outcome, Appended):
                appended.update((position, plan.shielded) for position in outcome.positions)
            else:  # the next load sees
                self._recent_forgets(plan)
                refused.append(one)
        return refused

    def _joined(self, one: "Waiting") -> Plan | None:
        """What joins a record that waits to the one it is linked to, and lets it go; None where it goes on waiting."""
        if not isinstance(self._link_now(one.item, ()), Match):
            return None
        try:
            plan = self._plan(one.item, ())
        except Refused:
            return None  # it waits for a human, who is told why
        if plan.outcome not in (Outcome.UPDATED, Outcome.UNCHANGED):
            return None
        released = SourceRecordReleased(source_kind=SourceKind.INDEX, outcome="joined", child=plan.child_id)
        events = (Pending(released, 1),)
        change = Change(one.held.held_id, StreamKind.CHILD, one.history.version, events, shielded=True)
        kept = (*plan.unit.reservations, _goes_with(plan.child_id, one.held.held_id))
        unit = replace(plan.unit, changes=(change, *plan.unit.changes), reservations=kept)
        plan = replace(plan, unit=unit)
        self._plans_for(plan)
        self._recent.add(plan, by_all_keys=True)
        return plan

    def _plans_for(self, plan: Plan) -> None:
        streams = [change.stream_id for change in plan.unit.changes]
        self._planned.update(streams)
        self._moved.update(streams)

    def _forget_planned(self) -> None:
        """It is appended, or was refused: whoever asks for these records now reads them anew."""
        for stream_id in self._planned:
            self._histories.pop(stream_id, None)
        self._planned.clear()

    def _refresh(self) -> None:
        self._loader.refresh()
        self._recent.clear()

    def _catch_up(self) -> None:
        self._loader.catch_up()
        self._recent.clear()

    # What the clock and the home decide

    def _untimely(self, record: SourceRecord, at: datetime) -> Rejected | None:
        today = london_day(at)
        facts = record.facts
        number = facts.nhs_number
        if number is not None and synthetic_nhs_number(number) and not self._loader.synthetic:
            return Rejected(record.line, Code.SYNTHETIC_NHS_NUMBER, "nhs_number")
        dates: tuple[tuple[str, date | None], ...] = (
            ("date_of_birth", facts.date_of_birth),
            ("effective", facts.effective),
            ("address_effective", facts.address_effective),
            ("practice_effective", facts.practice_effective),
            ("education_effective", facts.education_effective),
            ("education_ceased", facts.education_ceased),
            ("died_on", facts.died_on),
            *((name, day) for one in facts.involvements or () for name, day in _days_of(one)),
        )
        late = next((name for name, day in dates if day is not None and day > today), None)
        return None if late is None else Rejected(record.line, Code.DATE_IN_FUTURE, late)

    def _adult(self, item: Item) -> bool:
        born = item.incoming.date_of_birth
        today = london_day(item.assertion.at)
        return (
            born is not None and age_on(born, today) >= self._loader.rules.at(item.assertion.at).ages.archive
        )

    # What a chunk needs, fetched at once

    def _prefetch(self, items: Sequence[Item]) -> None:
        loader = self._loader
        wanted = {key for item in items for key in item.linking | item.screening}
        self._found = {}
        for candidate in loader.candidates.find(wanted) if wanted else ():
            for key in candidate.keys & wanted:
                self._found.setdefault(key, []).append(candidate)
        tokens = frozenset(token for item in items for token in item.places)
        self._near = tokens if tokens and loader.places.near(tokens) else frozenset()
        self._moved.clear()
        self._linked = {item.key: self._link(item, ()) for item in items}
        likely = {found.child_id for found in self._linked.values() if isinstance(found, Match)}
        self._histories = loader.store.records(likely) if likely else {}
        nobodys = {
            suppressing(loader.tokens, entry)
            for item in items
            if not isinstance(self._linked[item.key], Match) and (entry := entry_of(item.incoming))
        }
        self._erased = loader.store.known(list(nobodys)) if nobodys else set()

    def _candidates(self, keys: Iterable[str], extra: Sequence[Candidate]) -> list[Candidate]:
        keys = tuple(keys)
        found = {candidate.child_id: candidate for key in keys for candidate in self._found.get(key, ())}
        changed = self._recent.find(keys) | (found.keys() & self._recent.records.keys())
        found.update((child_id, self._recent.candidate(child_id)) for child_id in changed)
        found.update((candidate.child_id, candidate) for candidate in extra)
        return [found[child_id] for child_id in sorted(found) if child_id not in self._apart]

    def _link(self, item: Item, extra: Sequence[Candidate]) -> Decision:
        candidates = self._candidates(item.linking, extra)
        return decide(item.incoming, candidates) if candidates else NoMatch()

    def _link_now(self, item: Item, extra: Sequence[Candidate]) -> Decision:
        """As when the chunk began, unless a record it may be linked to has been planned for since."""
        before = self._linked.get(item.key)
        if before is None or extra or self._apart or not self._moved.isdisjoint(self._may_link_to(item)):
            return self._link(item, extra)
        return before

    def _may_link_to(self, item: Item) -> set[UUID]:
        found = {candidate.child_id for key in item.linking for candidate in self._found.get(key, ())}
        return found | self._recent.find(item.linking)

    # One source record

    def _work_on(self, item: Item) -> None:
        if item.key in self._keys:  # the same line twice in one chunk
            self.counts.add(Outcome.UNCHANGED)
            return
        try:
            plan = self._plan(item, ())
        except Refused as refusal:
            self._refuse(item.line, refusal.code, refusal.field)
            return
        self._keys.add(item.key)
        self._plans.append(plan)
        self._plans_for(plan)
        self._recent.add(plan)

    def _plan(self, item: Item, extra: Sequence[Candidate]) -> Plan:
        """What it comes to. Raises Refused."""
        decision = self._link_now(item, extra)
        if isinstance(decision, Match):
            record = self._record(decision.child_id)
            if decision.evidence in LESS_THAN_EXACT and self._resembles_shielded(item, extra):
                return self._held(item, "quarantined", (), None)
            if record.sealed:
                raise _not_taken()
            if record.registered and record.forgotten is None:
                return self._existing(item, record, taken=bool(extra))
            decision = NoMatch()
        entry = entry_of(item.incoming)
        if entry is not None and suppressing(self._loader.tokens, entry) in self._erased:
            raise Refused("", code=Code.DESTROYED_BEFORE)
        if self._adult(item):
            raise Refused("", code=Code.ADULT, field="date_of_birth")
        if isinstance(decision, Queue):
            if any(self._record(child_id).sealed for child_id in decision.about):
                return self._held(item, "quarantined", (), None)  # which says of nobody that it may be them
            self._shield_while_in_doubt(item, decision.about)
            return self._held(item, "queued", decision.about, decision.doubt)
        if item.incoming.about_carers:
            raise Refused("", code=Code.UNKNOWN_CHILD, field="nhs_number")
        if self._resembles_shielded(item, extra):
            if self._is_of_a_sealed_identity(item, extra):
                raise _not_taken()
            return self._held(item, "quarantined", (), None)
        return self._new(item, extra)

    def _is_of_a_sealed_identity(self, item: Item, extra: Sequence[Candidate]) -> bool:
        """Whether it bears the name and birth date of an identity that its child does not have any more."""
        names, born = item.incoming.names, item.incoming.date_of_birth
        return any(
            candidate.shielded
            and candidate.date_of_birth == born
            and NormalName(candidate.forenames, candidate.surname) in names
            and self._record(candidate.child_id).sealed
            for candidate in self._screened(item, extra)[0]
        )

    def _shield_while_in_doubt(self, item: Item, about: Iterable[UUID]) -> None:
        """What a restricted message may be about is shielded provisionally until a human has decided."""
        if item.assertion.restricted and not self._dry_run:
            for child_id in about:
                self._loader.follower.shield_provisionally(child_id, self._metadata)

    def _resembles_shielded(self, item: Item, extra: Sequence[Candidate]) -> bool:
        return near_shielded(item.incoming, *self._screened(item, extra))

    def _screened(self, item: Item, extra: Sequence[Candidate]) -> tuple[list[Candidate], frozenset[UUID]]:
        """Whom it is screened against, and which of them are shielded children at its place."""
        candidates = self._candidates(item.screening, extra)
        at_same_place = frozenset[UUID]()
        if not item.places.isdisjoint(self._near):
            at_same_place = frozenset(self._loader.places.near(item.places)) - self._apart
            known = {candidate.child_id for candidate in candidates}
            candidates += self._loader.candidates.get(at_same_place - known)
        return candidates, at_same_place

    def _record(self, child_id: UUID) -> ChildRecord:
        """The record as it stands once what is planned for it is appended. Raises Refused where it is damaged."""
        planned = self._recent.record(child_id) if child_id in self._planned or self._dry_run else None
        if planned is not None:
            return planned  # both go in one transaction, one after the other
        history = self._histories.pop(child_id, None)
        try:
            record = model.fold(history or self._loader.store.load(child_id))
        except DamagedStream:
            raise Refused("", code=Code.RECORD_DAMAGED) from None
        # A record that was merged since a source was held back, or since its number was reserved, is another by now.
        return record if record.closed_into is None else self._record(record.closed_into)

    def _existing(self, item: Item, record: ChildRecord, *, taken: bool = False) -> Plan:
        """What it adds to a record. taken: another record holds its number, which is then not claimed."""
        if record.sealed or not record.vetoed.isdisjoint(item.incoming.marks):
            raise _not_taken()
        if record.archived_on is not None and self._adult(item):
            raise Refused("", code=Code.ADULT, field="date_of_birth")
        command = item.assertion
        if item.incoming.about_carers:
            command = command.model_copy(update={"nhs_number": None})
        decision = decide_record(record, command, self._loader.rules.at(command.at))
        said = (change_of(record.child_id, record.version, decision),) if decision.events else ()
        changes = self._with_services(item, record, self._with_authority(item, record, said))
        claimed: list[Reservation] = []
        number = command.nhs_number if _vouched(command) else None
        if number is not None and changes and not taken and number not in _reserved_by(record):
            claimed.append(Reservation(nhs_number_token(self._loader.tokens, number), record.child_id))
        return Plan(
            item,
            Outcome.UPDATED if record.shielded or changes else Outcome.UNCHANGED,
            record.child_id,
            Unit(changes, item.key, tuple(claimed)),
            shielded=decision.shielded,
            before=record if changes else None,
        )

    def _with_authority(
        self, item: Item, record: ChildRecord, changes: tuple[Change, ...]
    ) -> tuple[Change, ...]:
        """The changes, and that the authority the source names is responsible where none has been so far."""
        if item.authority is None or record.authority is not None:
            return changes
        at = item.assertion.at
        record = as_changed(record, changes, at)
        if record.archived_on is not None:
            return changes
        decision = decide_record(
            record, AssignAuthority(at=at, authority=item.authority), self._loader.rules.at(at)
        )
        assigned = change_of(record.child_id, record.version, decision)
        if not changes:
            return (assigned,)
        return (changes[0]._replace(events=changes[0].events + assigned.events),)

    def _with_services(
        self, item: Item, record: ChildRecord, changes: tuple[Change, ...]
    ) -> tuple[Change, ...]:
        """The changes, and what the source says of the services involved. To an archived record it adds nothing.

        Raises Refused where an involvement cannot be accepted: the source record is then refused whole.
        """
        if not item.services:
            return changes
        after = as_changed(record, changes, item.assertion.at)
        if after.archived_on is not None:
            return changes
        events = list(changes[0].events) if changes else []
        for command in [wish for service in item.services for wish in service.wishes(after)]:
            decision = decide_record(after, command, self._loader.rules.at(command.at))
            if decision.events:
                change = change_of(after.child_id, after.version, decision)
                after = as_changed(after, (change,), item.assertion.at)
                events += change.events
        if not events:
            return changes
        if changes:
            return (changes[0]._replace(events=tuple(events)),)
        return (
            Change(
                record.child_id, StreamKind.CHILD, record.version, tuple(events), shielded=record.shielded
            ),
        )

    def _new(self, item: Item, extra: Sequence[Candidate]) -> Plan:
        loader = self._loader
        child_id = loader.ids.new()
        number = loader.ids.index_number()
        command = RegisterChild(index_number=number, owning_authority=item.authority, **dict(item.assertion))
        before = model.unknown(child_id)
        decision = decide_record(before, command, loader.rules.at(command.at))
        (change,) = self._with_services(item, before, (change_of(child_id, 0, decision),))
        taken = {candidate.child_id for candidate in extra}
        claimed = [Reservation(index_number_token(number), child_id)]
        if not taken:  # else another record holds it, and linking said that it is another child's
            claimed += (Reservation(token, child_id) for token in self._claims(item))
        return Plan(
            item,
            Outcome.REGISTERED,
            child_id,
            Unit((change,), item.key, tuple(claimed)),
            shielded=decision.shielded,
            before=before,
        )

    def _claims(self, item: Item) -> Iterator[bytes]:
        """What shows two loads at once that they are about one child: its NHS number, or the source's own entry."""
        if item.incoming.nhs_number is not None and _vouched(item.assertion):
            yield nhs_number_token(self._loader.tokens, item.incoming.nhs_number)
        elif item.incoming.source_record is not None:
            entry = f"entry\n{item.incoming.source_kind}\n{item.incoming.source_record}"
            yield self._loader.tokens.token("feed", entry.encode())

    def _held(
        self,
        item: Item,
        reason: Literal["queued", "quarantined"],
        about: Sequence[UUID],
        doubt: Doubt | None,
    ) -> Plan:
        held = SourceRecordHeld(
            source_kind=item.assertion.source_kind,
            reason=reason,
            candidates=tuple(about[:20]),
            assertion=item.assertion,
            doubt=doubt,
            authority=item.authority,
        )
        stream_id = self._loader.ids.new()
        events = (Pending(held, 1), *self._services_held(item, stream_id))
        change = Change(stream_id, StreamKind.CHILD, 0, events, shielded=True)
        outcome = Outcome.QUEUED if reason == "queued" else Outcome.QUARANTINED
        return Plan(item, outcome, stream_id, Unit((change,), item.key))

    def _services_held(self, item: Item, stream_id: UUID) -> Iterator[Pending]:
        """The services that a source record held back tells of and that are still involved. Raises Refused."""
        record = ChildRecord(stream_id, version=1, content_key=1)
        for service in item.services:
            if service.stands:
                decision = decide_on_held(
                    record,
                    service.begin,
                    item.assertion.date_of_birth,
                    self._loader.rules.at(service.begin.at),
                )
                change = change_of(stream_id, record.version, decision)
                record = as_changed(record, (change,), item.assertion.at)
                yield from change.events

    # Appending

    def _flush(self) -> None:
        plans, self._plans = self._plans, []
        self._forget_planned()
        if not plans:
            return
        if self._dry_run:
            for plan in plans:
                self._settled(plan)
            return
        self._receive(plans[0].item.assertion.at)
        appended: dict[int, bool] = {}
        for plan, outcome in zip(plans, self._append(plans), strict=True):
            self._outcome(plan, outcome, appended)
        self._changed = self._changed or bool(appended)
        if any(appended.values()) and self._file_id is not None:  # the screen will ask for the index
            self._catch_up()
        self._loader.follower.catch_up(self._metadata, appended)

    def _append(
        self, plans: Sequence[Plan], *, batch: UUID | None = None
    ) -> list[Appended | VersionConflict | AlreadyReserved]:
        """Append in one transaction. The file is noted as the cause, for events that name no source."""
        batch = batch or self._file_id
        return self._loader.store.append_units(
            [plan.unit for plan in plans],
            self._metadata.model_copy(update={"causation": batch}),
            batch=batch,
            instant=plans[0].item.assertion.at,
        )

    def _outcome(
        self, plan: Plan, outcome: Appended | VersionConflict | AlreadyReserved, appended: dict[int, bool]
    ) -> None:
        """Settle one; where another writer was first, link and decide again."""
        extra: dict[UUID, Candidate] = {}
        for attempt in range(_ATTEMPTS):
            if isinstance(outcome, Appended):
                if outcome.duplicate:
                    self._recent_forgets(plan)
                    self.counts.add(Outcome.UNCHANGED)
                    return
                appended.update((position, plan.shielded) for position in outcome.positions)
                self._settled(plan)
                return
            if attempt == _ATTEMPTS - 1:
                raise outcome
            self._recent_forgets(plan)
            try:
                if isinstance(outcome, AlreadyReserved):
                    extra[outcome.stream_id] = self._holder(outcome.stream_id)
                plan = self._plan(plan.item, tuple(extra.values()))
            except Refused as refusal:
                self._refuse(plan.item.line, refusal.code, refusal.field)
                return
            self._recent.add(plan, by_all_keys=True)
            outcome = self._append([plan])[0]

    def _holder(self, child_id: UUID) -> Candidate:
        """The record that holds what was to be reserved, whether or not what it rested on was withdrawn since."""
        return candidate_of(_as_if_standing(self._record(child_id)))

    def _recent_forgets(self, plan: Plan) -> None:
        if plan.before is not None:
            self._recent.forget(plan.child_id)

    def _settled(self, plan: Plan) -> None:
        self.counts.add(plan.outcome, 0 if plan.shielded else plan.events)

    def _receive(self, at: datetime) -> None:
        """Note that the file was received, once something of it is to be appended. Raises _FileTaken."""
        if self._received or self._file_id is None:
            return
        store = self._loader.store
        history = store.load(self._file_id)
        if not history.events or isinstance(history.events[-1].event, FileWithdrawn):
            received = FileReceived(kind=self._kind, digest=self._token.hex())
            change = Change(self._file_id, StreamKind.SYSTEM, history.version, (Pending(received),))
            claimed = () if history.events else (Reservation(self._token, self._file_id),)
            try:
                store.append([change], self._metadata, reservations=claimed, instant=at)
            except AlreadyReserved as taken:
                raise _FileTaken(taken.stream_id) from None
            except VersionConflict:
                raise _FileTaken(self._file_id) from None
        self._received = True

    def _refuse(self, line: int, code: str, field_name: str | None) -> None:
        self.counts.add(Outcome.REFUSED)
        theirs = FIELDS.get(self._kind, {}).get(field_name or "", field_name)
        self._listener.refused(Refusal(line, str(code), theirs))


def _not_taken() -> Refused:
    """That a source record is of an identity that is sealed, in the words in which any record is not opened."""
    return Refused("", code=Code.RECORD_DAMAGED)


def _goes_with(child_id: UUID, held_id: UUID) -> Reservation:
    """That what was held back is destroyed with the child it was joined to: the log holds it twice by now."""
    return Reservation(source_token(child_id, held_id), held_id)


def _came_to(
    plan: Plan, command: DecideHeldRecord
) -> tuple[Literal["joined", "registered", "refused", "held-again"], UUID | None]:
    if command.verdict == "refuse":
        return "refused", None
    match plan.outcome:
        case Outcome.REGISTERED:
            return "registered", plan.child_id
        case Outcome.QUEUED | Outcome.QUARANTINED:
            return "held-again", None
        case _:
            return "joined", plan.child_id


def _raise(refusal: Refusal) -> None:
    remedy = REMEDIES[Code(refusal.code)] if refusal.code in set(Code) else "The rules do not allow this."
    raise Refused(remedy, code=refusal.code, field=refusal.field)


def _days_of(involved: Involved) -> Iterator[tuple[str, date | None]]:
    """The days of an involvement that may not lie ahead, with the field each stands in."""
    yield "began", involved.began
    yield "ended", involved.ended
    yield "given_on", None if involved.consent is None else involved.consent.given_on
    yield "withdrawn_on", involved.consent_withdrawn
    yield "judged_on", None if involved.judgement is None else involved.judgement.judged_on
    yield "considered_on", None if involved.cause is None else involved.cause.considered_on


def _digest(stream: BinaryIO) -> tuple[bytes, int]:
    """SHA-256 of a whole file, and its size in bytes; only a keyed digest of it is stored."""
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    size = stream.tell()
    stream.seek(0)
    return digest.digest(), size


def _vouched(said: Assertion | IdentityAsserted) -> bool:
    """Whether an issuer of NHS numbers, or a check against one, stands behind the number."""
    return said.confidence == "verified" or said.source_kind in ISSUERS


def _reserved_by(record: ChildRecord) -> frozenset[str]:
    """Every NHS number that the record has reserved, also by what was withdrawn since."""
    return frozenset(
        assertion.event.nhs_number
        for assertion in record.assertions
        if isinstance(assertion.event, IdentityAsserted)
        and assertion.event.nhs_number is not None
        and _vouched(assertion.event)
    )


def _as_if_standing(record: ChildRecord) -> ChildRecord:
    """The record with what was withdrawn: a file that is loaded again is to find the record it made before."""
    return replace(record, withdrawn=frozenset())
