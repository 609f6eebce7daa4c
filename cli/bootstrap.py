"""The composition root: opens a home and joins the parts. Knows every adapter; nothing but `cli` knows it."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.access_log import StoredAccessLog
from adapters.authenticators import StoredAuthenticators
from adapters.clock import SystemClock, TrainingClock
from adapters.factors import StandardFactors
from adapters.memory.warm_records import RecentRecords
from adapters.openid.assertions import JwtAssertions
from adapters.postgres.alone import Alone
from adapters.postgres.contacts import PostgresContactRequests
from adapters.postgres.databases import Databases, Role, translated
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.followers import PostgresFollowerPositions, RecordOrder
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.migrate import check_format
from adapters.postgres.places import PostgresPlaces
from adapters.postgres.rule_texts import PostgresRuleTexts
from adapters.postgres.signing_in import (
    PostgresAttempts,
    PostgresAuthenticatorTable,
    PostgresSessions,
    PostgresUsedAssertions,
)
from adapters.postgres.view_store import PostgresViewStore
from adapters.retention_days import RetentionDays
from adapters.rule_files import StoredRuleBook
from adapters.seals.receipts import SealedReceipts
from adapters.serving import (
    ServedAdults,
    ServedAuthorities,
    ServedHeldRecords,
    ServedLocalTeam,
    ServedOversight,
    ServedTrail,
)
from adapters.staff_acts import ServedStaffActs
from adapters.store import Reveal
from cli.app import INDEX_ACTOR, App
from cli.proving import Proving
from cli.sealing import Sealing, Seals, policy_of, tiles_of
from cli.settings import Settings
from cli.stores import Stores
from cli.streaming import Streaming
from cli.upkeep import Upkeep
from cli.viewing import Workers, engine_of
from cli.writing import Unshielded, Writing
from domain.access.given import given
from domain.access.model import Actor
from domain.access.ports import Looking
from domain.clients import ClientSignIn
from domain.destruction.handlers import CERTIFICATES, EARLY, SOURCES, early_token
from domain.destruction.notices import Given
from domain.errors import BadInput, Unavailable
from domain.federation import FederatedSignIn
from domain.kernel import Log
from domain.policy.rule_book import InForce
from domain.ports import Clock, EventStore, Receipts
from domain.sessions import SessionService
from domain.signing_in import SigningIn
from ingest.pipeline import Loader
from ingest.screening import ShieldFollower
from projections.access_register.queries import AccessRegister
from projections.access_register.view import ACCESS_REGISTER
from projections.audit_trail.queries import AuditTrail, left_with
from projections.audit_trail.view import AUDIT_TRAIL
from projections.match_index.queries import MatchIndex
from projections.match_index.view import MATCH_INDEX
from projections.oversight.queries import Waiting
from projections.oversight.view import OVERSIGHT
from projections.ports import Build
from projections.practitioner_view.queries import PractitionerFinder
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.rebuild import Operations
from projections.registry import PROJECTIONS
from projections.retention_schedule.queries import lifts
from projections.retention_schedule.view import RETENTION_SCHEDULE
from projections.review_queue.queries import waiting
from projections.review_queue.view import REVIEW_QUEUE

MOST_LINKED_AGAIN: Final = 100_000
"""Held records that a load links again at its end, the oldest first: a bound on how long it takes."""


@contextmanager
def open_databases(home: Path, settings: Settings) -> Iterator[Databases]:
    """The four databases: those of the settings, or the server under the home, started if need be."""
    if settings.databases is not None:
        urls = settings.databases
        yield Databases.at(record=urls.record, keyring=urls.keyring, shielded=urls.shielded, views=urls.views)
        return
    with EmbeddedServer(home) as address:
        yield Databases.embedded(address)


@contextmanager
def open_sealing(home: Path, settings: Settings) -> Iterator[Sealing]:
    """What seals a home: no keys of its records, nothing but the logs as they are stored. Raises as `open_stores`."""
    _require_home(home)
    with open_databases(home, settings) as databases:
        yield Sealing.of(home, databases.record, settings)


@contextmanager
def open_seals(home: Path, settings: Settings) -> Iterator[Seals]:
    """The seals of a home, for whoever checks them: also where the logs are in no state to be opened."""
    _require_home(home)
    with open_databases(home, settings) as databases:
        yield Seals(home, databases.record, settings.embedded, policy_of(settings))


@contextmanager
def open_stores(home: Path, settings: Settings, *, restoring: bool = False) -> Iterator[tuple[Stores, bool]]:
    """The stores of a home, and whether it is a training home. Raises BadInput, HomeRefused, Unavailable.

    restoring: also where the shields and certificates of a restored log are not all applied yet.
    """
    _require_home(home)
    # Records, events and rows are a great many small objects, and none refers to itself: at the interpreter's own
    # thresholds it went through all of them again and again, for up to a quarter of the time.
    gc.set_threshold(50_000, 20, 100)
    with ExitStack() as closing:
        databases = closing.enter_context(open_databases(home, settings))
        training, applied = _kind_of(databases)
        if not applied and not restoring:
            raise Unavailable(
                "A restore into this home has not ended, so nothing is served. If it was cut off, run "
                "`contactpoint restore` again with the same backup.",
                code="restore-unfinished",
            )
        if settings.clock is not None and not training:
            raise BadInput(
                "CONTACTPOINT_CLOCK is honoured in training homes only. Unset it.",
                code="not-training",
                field="CONTACTPOINT_CLOCK",
            )
        yield (
            Stores(
                databases, home / "kek", lambda stores: _clock(stores, settings, training=training), closing
            ),
            training,
        )


def _require_home(home: Path) -> None:
    if check_format(home) is None:
        raise BadInput(
            "There is no home here. Make one: contactpoint init --training.", code="no-home", field="home"
        )


def _kind_of(databases: Databases) -> tuple[bool, bool]:
    """Whether this home holds invented people only, and whether every shield and certificate of its log is applied."""
    with databases.record.connect(Role.SERVICE) as connection, translated(databases.record.store):
        row = connection.execute("SELECT training, applied FROM home.home").fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, True)


def _clock(stores: Stores, settings: Settings, *, training: bool) -> Clock:
    """The machine's clock; in a training home the later of a given instant and the last recorded time."""
    if not training:
        return SystemClock()
    instant = settings.clock or SystemClock().now()
    return TrainingClock(instant, lambda: stores.recorder(Role.SERVICE).head().recorded_at)


def system_clock() -> datetime:
    """The present instant by the machine's clock."""
    return SystemClock().now()


def stop_server(home: Path) -> bool:
    """Stop the server of a home; False where it was not running."""
    return EmbeddedServer(home).stop()


@contextmanager
def open_app(home: Path, settings: Settings, *, restoring: bool = False) -> Iterator[App]:
    """A home opened for commands. Raises BadInput where there is none, HomeRefused, Unavailable. See `open_stores`."""
    with open_stores(home, settings, restoring=restoring) as (stores, training):
        serving, accesses = stores.store(Role.SERVICE), stores.accesses()
        texts = PostgresRuleTexts(stores.databases.record)
        stores.closing.callback(texts.close)
        rules = StoredRuleBook(serving, texts)
        access_log = StoredAccessLog(accesses, stores.keys(Role.SERVICE))
        views, reader = stores.views(), stores.reader()
        engine = engine_of(stores, rules, views, reader)
        operations = Operations(engine, PROJECTIONS, Workers(stores.databases, home / "kek"))
        streaming = Streaming(stores, rules, settings.kafka)
        seals = Seals(home, stores.databases.record, settings.embedded, policy_of(settings))
        tokens = stores.tokens(Role.SERVICE)

        def live(name: str) -> Build | None:
            return next((build for build in views.builds(name) if build.state == "live"), None)

        def heads() -> tuple[int, int]:
            trail = live(AUDIT_TRAIL.name)
            return reader.head(Log.RECORD), trail.positions.get(Log.ACCESS, 0) if trail else 0

        trail = AuditTrail(partial(views.reading, AUDIT_TRAIL), serving, accesses.load_many, heads)

        def refresh() -> None:
            operations.feed([AUDIT_TRAIL.name])

        receipts = SealedReceipts(
            partial(stores.recorder, Role.SERVICE), {log: tiles_of(home, log) for log in Log}, seals.policy
        )

        def recipients(child_id: UUID) -> list[Given]:
            head = reader.head(Log.ACCESS)
            refresh()
            if heads()[1] < head:
                raise Unavailable(
                    "The audit trail is behind, so nobody can say who was given what: `contactpoint projection run`.",
                    code="trail-behind",
                )
            with views.reading(AUDIT_TRAIL) as connection:
                looks = map(access_log.load, left_with(connection, child_id))
                return list(given(look for look in looks if look is not None))

        def lifts_due(on: date) -> list[UUID]:
            with views.reading(RETENTION_SCHEDULE) as connection:
                return lifts(connection, on)

        yield App(
            home=home,
            training=training,
            clock=stores.clock,
            ids=stores.ids,
            book=rules,
            rule_texts=texts,
            tokens=tokens,
            serving=serving,
            one_record=stores.one_record,
            access_log=access_log,
            receipts=receipts,
            finder=PractitionerFinder(partial(views.reading, PRACTITIONER_VIEW)),
            trail=ServedTrail(
                trail,
                RetentionDays(
                    partial(views.reading, RETENTION_SCHEDULE),
                    partial(live, RETENTION_SCHEDULE.name),
                    stores.slices_for_once,
                ),
                stores.one_record,
                stores.ids,
            ),
            watching=ServedOversight(trail, refresh, serving, tokens, stores.ids, rules, INDEX_ACTOR),
            authorities=ServedAuthorities(serving, tokens),
            held=ServedHeldRecords(
                serving, stores.one_record, stores.ids, partial(views.reading, REVIEW_QUEUE)
            ),
            adults=ServedAdults(stores.slices_for_once, partial(reader.head, Log.RECORD)),
            team=ServedLocalTeam(
                stores.one_record,
                stores.ids,
                partial(asked_for_contact, stores),
                stores.slices_for_once,
                partial(reader.head, Log.RECORD),
                serving,
                MatchIndex(partial(views.reading, MATCH_INDEX)),
            ),
            staff=ServedStaffActs(serving, access_log, texts, tokens),
            listed=AccessRegister(partial(views.reading, ACCESS_REGISTER)),
            waiting=Waiting(partial(views.reading, OVERSIGHT)),
            lifts_due=lifts_due,
            operations=operations,
            upkeep=Upkeep(home, stores, operations, streaming, seals, rules, training=training),
            seals=seals,
            proving=Proving(seals, partial(stores.recorder, Role.SERVICE), serving.is_shielded),
            streaming=streaming,
            make_writing=partial(
                make_writing,
                stores,
                views,
                reader,
                operations,
                rules,
                receipts,
                recipients,
                training=training,
            ),
            make_vouching=partial(make_vouching, stores, serving),
            make_signing=partial(make_signing, stores, serving, access_log, rules, training=training),
        )


def asked_for_contact(stores: Stores) -> list[UUID]:
    """The children about whom a request for contact may be open, under the manager's role."""
    with closing(PostgresContactRequests(stores.databases.shielded, Role.MANAGER)) as contacts:
        return contacts.asked()


def make_signing(
    stores: Stores,
    serving: EventStore,
    access_log: StoredAccessLog,
    rules: InForce,
    looking: Callable[[Actor], Looking],
    *,
    training: bool,
) -> SigningIn:
    """What signing in needs, and sessions, under the service's role."""
    record = stores.databases.record
    kept, attempts, rows = (
        PostgresSessions(record),
        PostgresAttempts(record),
        PostgresAuthenticatorTable(record),
    )
    for opened in (kept, attempts, rows):
        stores.closing.callback(opened.close)
    factors = StandardFactors()
    sessions = SessionService(
        kept=kept,
        attempts=attempts,
        factors=factors,
        store=serving,
        log=access_log,
        ids=stores.ids,
        rules=rules,
        looking=looking,
        training=training,
    )
    return SigningIn(
        sessions=sessions,
        authenticators=StoredAuthenticators(rows, stores.keys(Role.SERVICE)),
        attempts=attempts,
        factors=factors,
        store=serving,
        tokens=stores.tokens(Role.SERVICE),
        ids=stores.ids,
        rules=rules,
    )


def make_vouching(
    stores: Stores, serving: EventStore, sessions: SessionService
) -> tuple[FederatedSignIn, ClientSignIn]:
    """What the sign-in of people on a provider's word needs, and that of programs with keys of their own."""
    used, tokens = PostgresUsedAssertions(stores.databases.record), stores.tokens(Role.SERVICE)
    stores.closing.callback(used.close)
    return (
        FederatedSignIn(sessions, serving, tokens, stores.ids),
        ClientSignIn(sessions, JwtAssertions(), used, serving, tokens),
    )


def make_writing(
    stores: Stores,
    views: PostgresViewStore,
    reader: PostgresLogReader,
    operations: Operations,
    rules: InForce,
    receipts: Receipts,
    recipients: Callable[[UUID], list[Given]],
    *,
    training: bool,
) -> Writing:
    """What changes records, under the writer's role."""
    store, keys, tokens = (
        stores.store(Role.WRITER, Reveal.EVERYTHING),
        stores.keys(Role.WRITER),
        stores.tokens(Role.WRITER),
    )
    recorder = stores.recorder(Role.WRITER)
    kept = (
        stores.closing.enter_context
    )  # one at a time: where a database is away, what was opened before is closed
    positions = kept(closing(PostgresFollowerPositions(stores.databases.record)))
    places = kept(closing(PostgresPlaces(stores.databases.shielded)))
    contacts = kept(closing(PostgresContactRequests(stores.databases.shielded)))
    alone = kept(closing(Alone(stores.databases.record)))
    candidates = MatchIndex(partial(views.reading, MATCH_INDEX))

    def refresh() -> None:
        operations.feed([MATCH_INDEX.name])

    def catch_up() -> None:
        operations.feed()

    def held_back() -> list[UUID]:
        operations.feed([REVIEW_QUEUE.name])
        with views.reading(REVIEW_QUEUE) as connection:
            return [held_id for _, held_id in waiting(connection, None, MOST_LINKED_AGAIN)]

    def release(child_id: UUID) -> None:
        recorder.release(recorder.digests_held_by(child_id), child_id)
        early = store.find(early_token(child_id))
        if early is not None:
            recorder.release([early_token(child_id)], early)
        places.forget(child_id)
        contacts.forget(child_id)

    follower = ShieldFollower(
        store=store,
        order=RecordOrder(reader),
        positions=positions,
        shielding=keys,
        places=places,
        candidates=candidates,
        tokens=tokens,
        ids=stores.ids,
        clock=stores.clock,
        rules=rules,
        refresh=refresh,
    )
    loader = Loader(
        store=stores.store(Role.WRITER, Reveal.EVERYTHING, trusting=True),
        candidates=candidates,
        places=places,
        tokens=tokens,
        ids=stores.ids,
        clock=stores.clock,
        rules=rules,
        follower=follower,
        refresh=refresh,
        catch_up=catch_up,
        alone=alone,
        waiting=held_back,
        synthetic=training,
    )
    return Writing(
        store=store,
        apply_shield=store.apply_shield,
        loader=loader,
        destruction=keys,
        tokens=tokens,
        ids=stores.ids,
        clock=stores.clock,
        rules=rules,
        release=release,
        certificates=lambda: {
            UUID(bytes=child): certificate for child, certificate in recorder.holders(CERTIFICATES).items()
        },
        sources_of=lambda child: list(recorder.holders(SOURCES + child.bytes).values()),
        ordered_early=lambda: {
            UUID(bytes=child): certificate for child, certificate in recorder.holders(EARLY).items()
        },
        alone=alone,
        warm=RecentRecords(time.monotonic),
        unshielded=Unshielded(follower),
        receipts=receipts,
        contacts=contacts,
        recipients=recipients,
    )
