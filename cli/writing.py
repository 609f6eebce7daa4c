"""What changes records, under the writer's role: commands, loads, withdrawals, archiving, destruction."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final
from uuid import UUID

from rich.progress import Progress

from cli.output import Json, Output
from domain.child_record import model
from domain.child_record.commands import (
    ArchiveRecord,
    AskForContact,
    CompleteLift,
    HoldDestruction,
    LiftShield,
    MergeRecords,
    RaiseShield,
    RegisterChild,
    RegisterNewIdentity,
    RequestShield,
    SealRecord,
    SplitRecord,
)
from domain.child_record.decisions import decide
from domain.child_record.events import SourceKind
from domain.child_record.handlers import (
    CarriedOut,
    WarmRecords,
    carry_out,
    merge_records,
    note_wrong_views,
    register_new_identity,
    seal_record,
    split_record,
)
from domain.destruction.events import DestructionBegun
from domain.destruction.handlers import complete, is_complete, order
from domain.destruction.notices import Given
from domain.errors import BadInput, DamagedStream, NoReceipt, NotFound, Refused
from domain.kernel import Change, Command, Log, Metadata
from domain.policy.retention import Due, london_day, schedule
from domain.policy.rule_book import InForce
from domain.policy.shielding import RAISED
from domain.ports import Clock, ContactRequests, Destruction, EventStore, Ids, Receipts, Tokens
from domain.supply.commands import DecideHeldRecord
from domain.supply.model import HeldRecord, concerns
from ingest.erased import suppressed_with
from ingest.matching import ruled_out
from ingest.outcome import Counts, Listener, Refusal
from ingest.pipeline import Loader
from ingest.ports import Unit
from ingest.screening import ShieldFollower
from ingest.source_record import Warned

MOST_TOLD: Final = 10_000
"""Refusals, and warnings, that the answer to a load lists."""

MOST_RECEIPTS: Final = 1000
"""Destructions whose receipt the answer to a run of retention holds."""

_ORDERED_TOGETHER: Final = 100
"""Destructions that wait for one checkpoint together."""

_PASSED_TOGETHER: Final = 2000
_PASSED_EVERY_SECONDS: Final = 1.0


class Unshielded:
    """Spares the follower of shields what was appended to records that no shield was ever on.

    Nothing follows from such a change, so the position is moved over it later, together with others: at the first
    change of this process, and then about once a second. Safe to share between threads.
    """

    def __init__(self, follower: ShieldFollower, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._follower = follower
        self._monotonic = monotonic
        self._positions: list[int] = []
        self._due = monotonic()
        self._running = Lock()

    def appended(self, positions: Sequence[int], metadata: Metadata) -> None:
        """These were appended to a record that no shield was ever on."""
        self._positions.extend(
            positions
        )  # one that is lost between two threads is opened needlessly, no more
        if (
            self._monotonic() < self._due and len(self._positions) < _PASSED_TOGETHER
        ) or not self._running.acquire(blocking=False):
            return
        try:
            passed, self._positions = self._positions, []
            self._follower.catch_up(metadata, dict.fromkeys(passed, False), upto=max(passed, default=0))
        finally:
            self._due = self._monotonic() + _PASSED_EVERY_SECONDS
            self._running.release()


@dataclass(frozen=True, slots=True)
class Ended:
    """How many streams were destroyed; and of each record that is held, the streams that are kept with it."""

    destroyed: int
    held: Mapping[UUID, frozenset[UUID]]


@dataclass
class _Told:
    """What loads tell, kept up to a bound so that memory stays flat; `left_out` counts the rest."""

    refusals: list[Json] = field(default_factory=list)
    warnings: list[Json] = field(default_factory=list)
    left_out: int = 0

    def listener(self, path: Path, bar: Progress) -> Listener:
        """Listens to the load of one file, and moves its bar."""
        task = bar.add_task(path.name, total=path.stat().st_size, rate="")
        began = time.monotonic()

        def progressed(done: int, size: int, counts: Counts) -> None:
            rate = counts.read / max(time.monotonic() - began, 1e-6)
            bar.update(task, completed=done, total=size, rate=f"{rate:,.0f} records/s")

        def refused(refusal: Refusal) -> None:
            self._keep(self.refusals, path, refusal.line, refusal.code, refusal.field)

        def warned(line: int, warning: Warned) -> None:
            self._keep(self.warnings, path, line, warning.code, warning.field)

        return Listener(progressed, refused, warned)

    def _keep(self, kept: list[Json], path: Path, line: int, code: str, name: str | None) -> None:
        if len(kept) >= MOST_TOLD:
            self.left_out += 1
            return
        kept.append({"file": path.name, "line": line, "code": str(code), **({"field": name} if name else {})})


@dataclass(frozen=True, slots=True)
class Writing:
    """Opens what is hidden in order to write, and returns nothing of it.

    apply_shield: brings the keys of a child under its shield, if the log says it has one, and tells whether. alone: the
    right that linking and shielding take turns with. release: lets go of the identifiers of a child that was
    destroyed, and of its places. sources_of: source records that were held back
    and then joined to a child, which go with it. ordered_early: what two people ordered ahead of time and is not done.
    certificates: of whom a destruction is certified, and by what; told by reservations of
    the log, so that a certificate that cannot be opened counts as well. warm: records as last seen here. unshielded:
    has the follower pass over what was appended to records that no shield was ever on. receipts: waited for before
    keys are destroyed, and before that is acknowledged. contacts: in which records somebody asked for contact.
    recipients: who was given something of a record.
    """

    store: EventStore
    apply_shield: Callable[[UUID], bool]
    loader: Loader
    destruction: Destruction
    tokens: Tokens
    ids: Ids
    clock: Clock
    rules: InForce
    release: Callable[[UUID], None]
    certificates: Callable[[], dict[UUID, UUID]]
    ordered_early: Callable[[], dict[UUID, UUID]]
    sources_of: Callable[[UUID], list[UUID]]
    alone: Callable[[], AbstractContextManager[None]]
    warm: WarmRecords
    unshielded: "Unshielded"
    receipts: Receipts
    contacts: ContactRequests
    recipients: Callable[[UUID], Sequence[Given]]

    def handle(
        self,
        child_id: UUID,
        command: Command,
        metadata: Metadata,
        beside: Callable[[int], Change] | None = None,
    ) -> CarriedOut:
        """Carry out one command, and what a shield it raises or lifts brings with it, before it is acknowledged.

        beside: see `domain.child_record.handlers.carry_out`.
        """
        if isinstance(command, AskForContact):
            self.check(child_id, command, metadata)
            self.contacts.note(command.request, child_id, command.at)
        if isinstance(command, RaiseShield | RequestShield | LiftShield | CompleteLift | HoldDestruction):
            with self.alone():
                return self._handle(child_id, command, metadata, beside)
        return self._handle(child_id, command, metadata, beside)

    def complete_lifts(self, children: Sequence[UUID], metadata: Metadata) -> int:
        """Lower the shields that two people decided to lower, where notice has been given; of how many records."""
        done = [self.handle(child_id, CompleteLift(at=self.clock.now()), metadata) for child_id in children]
        return sum(bool(one.appended.positions) for one in done)

    def merge(
        self,
        survivor_id: UUID,
        other_id: UUID,
        command: MergeRecords,
        metadata: Metadata,
        beside: Callable[[int, int], Change] | None = None,
    ) -> None:
        """Merge two records, and make good what a shield of either brings with it before it is acknowledged."""
        # A request for contact that is open in the other is said again in the survivor: the team's list finds it there.
        self.contacts.note(self.ids.new(), survivor_id, command.at)
        with self._changing(metadata, survivor_id, other_id):
            merge_records(
                survivor_id,
                other_id,
                command,
                store=self.store,
                rules=self.rules.at(command.at),
                metadata=metadata,
                own_marks=partial(ruled_out.own, self.tokens),
                idempotency_key=self._key(metadata, survivor_id),
                beside=beside,
            )

    def split(
        self,
        child_id: UUID,
        command: SplitRecord,
        metadata: Metadata,
        beside: Callable[[int], Change] | None = None,
    ) -> datetime | None:
        """Undo the last merge of a record. Gives since when the two were one; None where nothing is done."""
        with self._changing(metadata, child_id):
            return split_record(
                child_id,
                command,
                store=self.store,
                rules=self.rules.at(command.at),
                metadata=metadata,
                own_marks=partial(ruled_out.own, self.tokens),
                idempotency_key=self._key(metadata, child_id),
                beside=beside,
            )

    def seal(
        self,
        child_id: UUID,
        command: SealRecord,
        metadata: Metadata,
        beside: Callable[[int], Change] | None = None,
    ) -> frozenset[str]:
        """Seal the record of an old identity. Gives the marks of its sources; none where nothing is done."""
        with self._changing(metadata, child_id):
            sealed = seal_record(
                child_id,
                command,
                store=self.store,
                rules=self.rules.at(command.at),
                metadata=metadata,
                idempotency_key=self._key(metadata, child_id),
                beside=beside,
            )
        return frozenset() if sealed is None else ruled_out.own(self.tokens, sealed)

    def register_new_identity(
        self, command: RegisterNewIdentity, metadata: Metadata, once: UUID | None = None
    ) -> None:
        """Register a new identity: joined to nothing, and compared with nothing.

        once: of what was proposed, by what it is done once. Raises Refused where it was done.
        """
        child_id = self.ids.new()
        with self._changing(metadata):
            done = register_new_identity(
                child_id,
                command,
                store=self.store,
                tokens=self.tokens,
                rules=self.rules.at(command.at),
                metadata=metadata,
                idempotency_key=self.tokens.token(
                    "idempotency", once.bytes if once else metadata.correlation.bytes
                ),
            )
        if done.duplicate:
            raise Refused("This was confirmed before, and done.", code="already-confirmed")

    @contextmanager
    def _changing(self, metadata: Metadata, *records: UUID) -> Iterator[None]:
        """Change whose records these are, in turn with linking and shielding, and make good what a shield brings."""
        with self.alone():
            yield
            for one in records:
                self.warm.drop(one)
            self.loader.follower.catch_up(metadata)

    def note_wrong_views(
        self, child_id: UUID, split: UUID, accounts: Sequence[UUID], metadata: Metadata
    ) -> None:
        """Put on record which accounts are to be told that they saw two children as one."""
        at = self.clock.now()
        note_wrong_views(child_id, split, accounts, at=at, store=self.store, metadata=metadata)
        self.loader.follower.catch_up(metadata)

    def _key(self, metadata: Metadata, child_id: UUID) -> bytes:
        return self.tokens.token("idempotency", metadata.correlation.bytes + child_id.bytes)

    def check(
        self,
        child_id: UUID,
        command: Command,
        metadata: Metadata,
        beside: Callable[[int], Change] | None = None,
    ) -> int:
        """Raise what carrying out this command would, as the record stands; it is not done. Gives its version.

        What earlier shields brought with them is made good before: where somebody was cut off between lifting one and
        moving its keys, the record is hidden and has no shield, and the answer would not be what readers see.
        """
        self.loader.follower.catch_up(metadata)
        record = model.fold(self.store.load(child_id))
        if beside is not None:
            beside(record.version)
        decide(record, command, self.rules.at(command.at))
        return record.version

    def register(self, command: RegisterChild, metadata: Metadata) -> None:
        """Register a child by hand: linked, held back, or new."""
        self.loader.admit(command, metadata)

    def decide(self, command: DecideHeldRecord, metadata: Metadata, body: str) -> None:
        """Let a held record go as somebody of this authority decided. Raises NotFound where it is not its concern."""

        def is_concern(held: HeldRecord) -> bool:
            records = (model.fold(history) for history in self.store.load_many(held.candidates).values())
            named = [record.authority for record in records if not record.shielded]
            return concerns(held, (one for one in named if isinstance(one, str)), body)

        self.loader.decide(command, metadata, is_concern)

    def involvement_of(self, child_id: UUID, service: str) -> UUID | None:
        """The involvement of a service of this name: the latest that stands, or else that has not ended."""
        record = model.fold(self.store.load(child_id))
        name = service.strip().casefold()
        open_ = [one for one in record.involvements if one.ended is None and one.service.casefold() == name]
        found = [one for one in open_ if one.stands] or open_
        return found[-1].involvement if found else None

    def load(
        self, kind: str, files: Sequence[Path], metadata: Metadata, *, dry_run: bool, output: Output
    ) -> Json:
        """Load files one after the other."""
        started = time.monotonic()
        total = Counts()
        told = _Told()
        loaded: list[Json] = []
        with output.progress() as bar:
            for path in files:
                with path.open("rb") as stream:
                    done = self.loader.load(
                        SourceKind(kind), stream, metadata, listener=told.listener(path, bar), dry_run=dry_run
                    )
                loaded.append({"file": path.name, "file_id": done.file_id})
                for name, count in asdict(done.counts).items():
                    setattr(total, name, getattr(total, name) + count)
        return {
            "read": total.read,
            **asdict(total),
            "seconds": round(time.monotonic() - started, 3),
            "dry_run": dry_run,
            "files": loaded,
            "refusals": told.refusals,
            "warnings": told.warnings,
            "left_out": told.left_out,
        }

    def withdraw(self, file_id: UUID, metadata: Metadata) -> Json:
        """Take back a file as a unit."""
        started = time.monotonic()
        with self.alone():
            done = self.loader.withdraw(file_id, metadata)
        counts = asdict(Counts(updated=done.records, events=done.events))
        return {
            "read": done.records,
            **counts,
            "seconds": round(time.monotonic() - started, 3),
            "files": [{"file_id": file_id}],
            "refusals": [],
        }

    def carry_out(self, due: Sequence[Json], metadata: Metadata, output: Output) -> Json:
        """Archive and destroy what is listed. What has changed since it was listed is left for the next run.

        A destruction is ordered, its order sealed, and only then does the first key go. Raises NoReceipt, which says
        how far it got; the next run goes on there.
        """
        self._sweep_contacts()
        archived = 0
        passed: list[Json] = []
        destroyed: list[Json] = []
        with output.progress() as bar:
            task = bar.add_task("retention", total=len(due), rate="")
            for first in range(0, len(due), _ORDERED_TOGETHER):
                ordered: dict[UUID, UUID] = {}
                because: dict[UUID, UUID] = {}
                for entry in due[first : first + _ORDERED_TOGETHER]:
                    child_id = UUID(str(entry["child_id"]))
                    try:
                        certificates = self._begin_one(child_id, entry, metadata)
                    except Refused as refused:
                        passed.append({"child_id": child_id, "code": refused.code})
                    else:
                        ordered |= certificates
                        archived += not certificates
                        because |= dict.fromkeys(certificates, child_id)
                    bar.advance(task)
                done = self._destroy(ordered, metadata, because)
                stopped = ordered.keys() - {one["child_id"] for one in done}
                passed += [{"child_id": child_id, "code": "held"} for child_id in stopped]
                destroyed += done
        destroyed += self.complete_early(metadata)
        return {
            "archived": archived,
            "destroyed": len(destroyed),
            "passed_over": passed,
            "destructions": destroyed[:MOST_RECEIPTS],
            "left_out": max(len(destroyed) - MOST_RECEIPTS, 0),
        }

    def destroy_early(
        self, child_id: UUID, reason: str, metadata: Metadata, beside: Callable[[int], Change]
    ) -> Json:
        """Destroy a record before it is due, as two people decided: ordered with their decision, sealed, then done.

        beside: their decision, given the version of the record; it may refuse. Raises NotFound, Refused where a hold
        stands, NoReceipt.
        """
        at = self.clock.now()
        version = self.may_be_destroyed_early(child_id, reason)
        due = Due("destroy", london_day(at), f"early-{reason}")
        ordered = self._ordered((child_id,), due, metadata, beside(version))
        done = self._destroy_with_closed(ordered, metadata)
        if not done:
            raise _held()
        return done[-1]

    def may_be_destroyed_early(self, child_id: UUID, reason: str) -> int:
        """Raise what destroying a record ahead of time would; nothing is done. Gives its version."""
        reasons = self.rules.at(self.clock.now()).erasure.reasons
        if reason not in reasons:
            raise BadInput(
                f"The reason is one of: {', '.join(reasons)}.", code="unknown-reason", field="reason"
            )
        record = model.fold(self.store.load(child_id))
        if not record.registered or record.forgotten is not None or record.closed:
            raise NotFound("There is no such record.", field="child")
        if self._held_today(record):
            raise _held()
        return record.version

    def complete_early(self, metadata: Metadata) -> list[Json]:
        """Do what two people ordered ahead of time and an attempt that died has left."""
        return self._destroy_with_closed(self.ordered_early(), metadata)

    def _destroy_with_closed(self, ordered: Mapping[UUID, UUID], metadata: Metadata) -> list[Json]:
        """Destroy what was ordered ahead of time, and before it the records that each took the place of."""
        because: dict[UUID, UUID] = {}
        every: dict[UUID, UUID] = {}
        for child_id, certificate in ordered.items():
            (begun,) = self.store.load(certificate).events[:1]
            assert isinstance(begun.event, DestructionBegun)  # noqa: S101 - what a certificate begins with
            due = Due("destroy", begun.event.due, begun.event.rule)
            closed = self._ordered(self._closed_for(child_id), due, metadata)
            every |= closed
            because |= dict.fromkeys(closed, child_id)
            every[child_id] = certificate
        return self._destroy(every, metadata, because)

    def _sweep_contacts(self) -> None:
        """Take closed requests for contact off the local team's list."""
        now = self.clock.now()
        rules = self.rules.at(now)
        days = rules.brokering.days if rules.brokering is not None else 0
        self.contacts.sweep(now - timedelta(days=days + 1))

    def _begin_one(self, child_id: UUID, entry: Json, metadata: Metadata) -> dict[UUID, UUID]:
        """Archive a record, or order its destruction and give the certificate; of what it absorbed as well."""
        at = self.clock.now()
        on = date.fromisoformat(str(entry["on"]))
        if entry["action"] == "archive":  # on the day it fell due: a late run does not put off destruction
            self._handle(child_id, ArchiveRecord(at=at, archived_on=on, ground=entry["rule"]), metadata)
            return {}
        due = Due("destroy", on, entry["rule"])
        if not any(
            one.action == "destroy" and one.on <= london_day(at) for one in self._due_of(child_id, at)
        ):
            raise Refused("This record is not due for destruction.", code="not-due")
        if self._is_held(child_id):
            raise _held()
        return self._ordered((*self._closed_for(child_id), child_id), due, metadata)

    def _ordered(
        self, streams: Iterable[UUID], due: Due, metadata: Metadata, beside: Change | None = None
    ) -> dict[UUID, UUID]:
        """The certificate that orders the destruction of each, and what is owed to whoever was given something of it.

        beside: see `domain.destruction.handlers.order`.
        """
        at = self.clock.now()
        return {one: self._order(one, due, at, metadata, beside) for one in streams}

    def _order(
        self, child_id: UUID, due: Due, at: datetime, metadata: Metadata, beside: Change | None
    ) -> UUID:
        """Order one, and before it, while they can still be read, note the entries that told of the child."""
        entries = suppressed_with(self.tokens, model.fold(self.store.load(child_id)))
        notes = [Unit((), entry) for entry in entries - self.loader.store.known(list(entries))]
        if notes:
            self.loader.store.append_units(notes, metadata, batch=None, instant=at)
        return order(
            child_id,
            due,
            at=at,
            store=self.store,
            ids=self.ids,
            rules=self.rules.at(at),
            metadata=metadata,
            recipients=self.recipients(child_id),
            beside=beside,
        )

    def destroy_records(self, streams: Sequence[UUID], due: Due, metadata: Metadata) -> Ended:
        """Destroy those of these that are records, each with the records it took the place of; see `_destroy`."""
        ordered: dict[UUID, UUID] = {}
        because: dict[UUID, UUID] = {}
        held: dict[UUID, tuple[UUID, ...]] = {}
        for record in map(model.fold, self.store.load_many(streams).values()):
            child_id = record.child_id
            if not record.registered or (record.closed and not record.sealed):
                continue
            own = (*self._closed_for(child_id), child_id)
            if self._held_today(record):
                held[child_id] = own
            else:
                ordered |= self._ordered(own, due, metadata)
                because |= dict.fromkeys(own, child_id)
        done = {one["child_id"] for one in self._destroy(ordered, metadata, because)}
        for one in ordered.keys() - done:  # held since it was ordered
            held[because[one]] = (*held.get(because[one], ()), one)
        with_sources = {
            child_id: frozenset((*own, *(source for one in own for source in self.sources_of(one))))
            for child_id, own in held.items()
        }
        return Ended(len(done), with_sources)

    def destroy_streams(self, streams: Sequence[UUID], due: Due, metadata: Metadata) -> int:
        """Destroy all of these, whatever they are; how many were."""
        return len(self._destroy(self._ordered(streams, due, metadata), metadata, {}))

    def _closed_for(self, child_id: UUID) -> Iterator[UUID]:
        """The records that this one took the place of: they hold what it holds, and end with it."""
        record = model.fold(self.store.load(child_id))
        for other in dict.fromkeys(
            [*(one.other for one in record.absorbed), *(o.stream for o in record.origins)]
        ):
            yield other
            yield from self._closed_for(other)

    def _destroy(
        self, ordered: Mapping[UUID, UUID], metadata: Metadata, because: Mapping[UUID, UUID]
    ) -> list[Json]:
        """Destroy the keys of children under these certificates, child to certificate, once those are sealed.

        A hold that was placed since it was ordered stops it. because: with which record a closed one ends.
        """
        if not ordered:
            return []
        try:
            self.receipts.awaited(Log.RECORD, [(certificate, 1) for certificate in ordered.values()])
        except NoReceipt as missing:
            raise missing.after(
                f"{len(ordered)} destructions are ordered and on record, and no key of theirs is destroyed."
            ) from None
        children: list[UUID] = []
        versions: list[tuple[UUID, int]] = []
        for child_id, certificate in ordered.items():
            with self.alone():  # so that a hold either stops this, or is asked for once it is done
                if not self._is_held(because.get(child_id, child_id)):
                    children.append(child_id)
                    versions.append((certificate, self._complete_one(child_id, certificate, metadata)))
        try:
            proofs = self.receipts.awaited(Log.RECORD, versions)
        except NoReceipt as missing:
            raise missing.after(
                f"{len(children)} records are destroyed, and that is on record, but it is not acknowledged yet."
            ) from None
        return [
            {"child_id": child_id, "certificate": ordered[child_id], "receipt_proof": proof}
            for child_id, proof in zip(children, proofs, strict=True)
        ]

    def _destroy_sources(self, child_id: UUID, certificate: UUID) -> None:
        """Destroy what was held back before it was joined to this child."""
        for held_id in self.sources_of(child_id):
            self.destruction.destroy(held_id, certificate)

    def _is_held(self, child_id: UUID) -> bool:
        """Whether a hold keeps this record from being destroyed today; one on a record it absorbed is said in it.

        What cannot be opened is held by nothing.
        """
        try:
            return self._held_today(model.fold(self.store.load(child_id)))
        except DamagedStream:
            return False

    def _held_today(self, record: model.ChildRecord) -> bool:
        return record.held_until is not None and record.held_until > london_day(self.clock.now())

    def _complete_one(self, child_id: UUID, certificate: UUID, metadata: Metadata) -> int:
        self._destroy_sources(child_id, certificate)
        version = complete(
            child_id,
            certificate,
            at=self.clock.now(),
            store=self.store,
            destruction=self.destruction,
            metadata=metadata,
        )
        self.warm.drop(child_id)
        self.release(child_id)
        return version

    def _due_of(self, child_id: UUID, at: datetime) -> tuple[Due, ...]:
        """What the log says falls due, whatever a view said; of a record destroyed half-way, its destruction."""
        record = model.fold(self.store.load(child_id))
        if record.forgotten is not None:
            return (Due("destroy", date.min, "archive-period"),)
        return schedule(record, self.rules.at(at)) if record.registered else ()

    def _handle(
        self,
        child_id: UUID,
        command: Command,
        metadata: Metadata,
        beside: Callable[[int], Change] | None = None,
    ) -> CarriedOut:
        done = carry_out(
            child_id,
            command,
            store=self.store,
            tokens=self.tokens,
            rules=self.rules.at(command.at),
            metadata=metadata,
            idempotency_key=self._key(metadata, child_id),
            warm=self.warm,
            beside=beside,
        )
        if done.record is None or done.record.ever_shielded:
            self.loader.follower.catch_up(metadata)
        else:
            self.unshielded.appended(done.appended.positions, metadata)
        return done

    def apply_after_restore(self, metadata: Metadata) -> Json:
        """Bring the keys into the state that the log demands: every destruction, every shield, raised or lifted.

        Idempotent. What follows from a shield whose raising was cut off when the backup was made is done as well.
        """
        destroyed = 0
        for child_id, certificate in self.certificates().items():
            if self._stopped(child_id, certificate):
                continue
            destroyed += self.destruction.destroy(child_id, certificate) > 0
            self._destroy_sources(child_id, certificate)
            self.release(child_id)
        shields: set[UUID] = set()
        after = 0
        while page := self.loader.follower.order.tail(after, 2000):
            streams = dict.fromkeys(stream for _, stream in page)
            opened = self.store.load_many(streams)
            for history in opened.values():
                raised = any(recorded.event.NAME == RAISED for recorded in history.events)
                if raised and self._applied(history.stream_id):
                    shields.add(history.stream_id)
            # Of a stream that lacks a key the rest is brought under its shield all the same.
            shields.update(stream for stream in streams if stream not in opened and self._applied(stream))
            after = page[-1][0]
        self.loader.follower.catch_up(metadata)
        return {"shields": len(shields), "destroyed": destroyed}

    def _stopped(self, child_id: UUID, certificate: UUID) -> bool:
        """Whether a destruction that was ordered, and not completed, is stopped by a hold."""
        try:
            return not is_complete(certificate, self.store) and self._is_held(child_id)
        except DamagedStream:
            return False

    def _applied(self, stream_id: UUID) -> bool:
        """Whether a shield stands on this stream; its keys are now where they belong."""
        try:
            stands = self.apply_shield(stream_id)
            if not stands:
                self.loader.follower.shielding.move_out(stream_id)
        except DamagedStream:
            return False
        return stands


def _held() -> Refused:
    return Refused(
        "The record is held: it is not destroyed before the hold ends or is released.",
        code="held",
        field="child",
    )
