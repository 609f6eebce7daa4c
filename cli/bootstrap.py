"""The composition root: opens a home and joins the parts. Knows every adapter; nothing but `cli` knows it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.access_log import StoredAccessLog
from adapters.clock import SystemClock, TrainingClock
from adapters.ids import RandomIds
from adapters.keys.kek import KekFiles
from adapters.keys.key_store import KeyStore
from adapters.keys.parts import Parts
from adapters.keys.tokens import SystemTokens
from adapters.postgres.alone import Alone
from adapters.postgres.committer import Committer
from adapters.postgres.databases import Databases, Role
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.followers import PostgresFollowerPositions, RecordOrder
from adapters.postgres.key_table import PostgresKeyring, PostgresShielded
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.migrate import check_format
from adapters.postgres.places import PostgresPlaces
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.view_store import PostgresViewStore
from adapters.rule_files import packaged
from adapters.serving import Capacity, ServedTrail
from adapters.store import EncryptedEventStore, OneAccess, Reveal, Right
from cli.app import App
from cli.settings import Settings
from cli.upkeep import Upkeep
from cli.writing import Writing
from domain.access import events as access_events
from domain.account import events as account_events
from domain.child_record import events as child_events
from domain.child_record.upcasters import UPCASTERS
from domain.destruction import events as destruction_events
from domain.errors import BadInput
from domain.kernel import Log
from domain.organisation import events as organisation_events
from domain.ports import Clock
from domain.rule_set import events as rule_set_events
from domain.rule_set.model import RuleSet
from domain.supply import events as supply_events
from ingest.pipeline import Loader
from ingest.screening import ShieldFollower
from projections.audit_trail.queries import AuditTrail
from projections.audit_trail.view import AUDIT_TRAIL
from projections.engine import Engine
from projections.match_index.queries import MatchIndex
from projections.match_index.view import MATCH_INDEX
from projections.practitioner_view.queries import PractitionerFinder
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.rebuild import Operations
from projections.registry import PROJECTIONS
from projections.retention_schedule.view import RETENTION_SCHEDULE

RECORD_TYPES: Final = (
    child_events.EVENTS
    | supply_events.EVENTS
    | account_events.EVENTS
    | organisation_events.EVENTS
    | rule_set_events.EVENTS
    | destruction_events.EVENTS
)
RECORD_PARTS: Final = Parts(RECORD_TYPES, UPCASTERS)
ACCESS_PARTS: Final = Parts(access_events.EVENTS, unnamed=access_events.LookForgotten)
_CAPACITIES: Final[dict[Capacity, Role]] = {"manager": Role.MANAGER, "override": Role.OVERRIDE}


class Stores:
    """The logs and keys of one home, by role; each opened when it is first needed, all closed together."""

    def __init__(
        self, databases: Databases, kek: Path, clock: Callable[["Stores"], Clock], closing: ExitStack
    ) -> None:
        self.databases = databases
        self.ids = RandomIds()
        self._kek = kek
        self.closing = closing
        self._recorders: dict[tuple[Role, Log], LogRecorder] = {}
        self._keys: dict[Role, KeyStore] = {}
        self.clock = clock(self)

    def recorder(self, role: Role, log: Log = Log.RECORD) -> LogRecorder:
        """A log under a role."""
        found = self._recorders.get((role, log))
        if found is None:
            found = self._recorders[role, log] = LogRecorder(self.databases.record, role, log)
            self.closing.callback(found.close)
        return found

    def keys(self, role: Role) -> KeyStore:
        """The keys as a role may open them."""
        found = self._keys.get(role)
        if found is None:
            found = self._keys[role] = self._key_store(role)
        return found

    def store(self, role: Role, right: Right = Reveal.NOTHING) -> EncryptedEventStore:
        """The record log under a role, opened as far as `right` says."""
        recorder = self.recorder(role)
        commit = Committer(recorder).commit
        return EncryptedEventStore(
            recorder, self.keys(role), RECORD_PARTS, self.ids, self.clock, commit=commit, right=right
        )

    def tokens(self, role: Role) -> SystemTokens:
        """Keyed digests."""
        return SystemTokens(self.keys(role))

    def one_record(self, capacity: Capacity, access_id: UUID) -> EncryptedEventStore:
        """The record log as a manager or an override reads it: one record, for one access."""
        return self.store(_CAPACITIES[capacity], OneAccess(access_id))

    def accesses(self) -> EncryptedEventStore:
        """The access log."""
        role = Role.SERVICE
        recorder = self.recorder(role, Log.ACCESS)
        return EncryptedEventStore(
            recorder, self.keys(role), ACCESS_PARTS, self.ids, self.clock, commit=Committer(recorder).commit
        )

    def keyring_table(self, role: Role) -> PostgresKeyring:
        """The rows of `keyring`."""
        table = PostgresKeyring(self.databases.keyring, role)
        self.closing.callback(table.close)
        return table

    def shielded_table(self, role: Role) -> PostgresShielded:
        """The rows of `shielded`."""
        table = PostgresShielded(self.databases.shielded, role)
        self.closing.callback(table.close)
        return table

    def kek(self, database: str) -> KekFiles:
        """The key-encryption keys of a key database."""
        return KekFiles(self._kek, database)

    def _key_store(self, role: Role) -> KeyStore:
        keyring, ring = self.keyring_table(role), self.kek("keyring")
        match role:
            case Role.WRITER:
                return KeyStore(keyring, ring, self.shielded_table(role), self.kek("shielded"))
            case Role.MANAGER | Role.OVERRIDE:
                opening = self.shielded_table(role)
                return KeyStore(keyring, ring, None, self.kek("shielded"), opening=opening)
            case _:
                return KeyStore(keyring, ring)


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
def open_stores(home: Path, settings: Settings) -> Iterator[tuple[Stores, bool]]:
    """The stores of a home, and whether it is a training home. Raises BadInput, HomeRefused, Unavailable."""
    if check_format(home) is None:
        raise BadInput(
            "There is no home here. Make one: contactpoint init --training.", code="no-home", field="home"
        )
    with ExitStack() as closing:
        databases = closing.enter_context(open_databases(home, settings))
        training = is_training(databases)
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


def is_training(databases: Databases) -> bool:
    """Whether this home holds invented people only."""
    with databases.record.connect(Role.SERVICE) as connection:
        row = connection.execute("SELECT training FROM home.home").fetchone()
    return bool(row and row[0])


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
def open_app(home: Path, settings: Settings) -> Iterator[App]:
    """A home opened for commands. Raises BadInput where there is none, HomeRefused, Unavailable."""
    with open_stores(home, settings) as (stores, training):
        files = packaged()
        rules = files["present"].rules
        serving, accesses = stores.store(Role.SERVICE), stores.accesses()
        views = PostgresViewStore(stores.databases.views)
        reader = PostgresLogReader(stores.databases.record)
        for closing in (views, reader):
            stores.closing.callback(closing.close)
        openers = {Log.RECORD: serving.load_many, Log.ACCESS: accesses.load_many}
        operations = Operations(Engine(views, reader, openers, rules, stores.clock), PROJECTIONS)
        yield App(
            home=home,
            training=training,
            clock=stores.clock,
            ids=stores.ids,
            rules=rules,
            rule_files=files,
            tokens=stores.tokens(Role.SERVICE),
            serving=serving,
            one_record=stores.one_record,
            access_log=StoredAccessLog(accesses, stores.keys(Role.SERVICE)),
            finder=PractitionerFinder(partial(views.reading, PRACTITIONER_VIEW)),
            trail=ServedTrail(
                AuditTrail(partial(views.reading, AUDIT_TRAIL), serving, accesses.load_many),
                partial(views.reading, RETENTION_SCHEDULE),
            ),
            operations=operations,
            upkeep=Upkeep(home, stores, operations, training=training),
            make_writing=partial(make_writing, stores, views, reader, operations, rules, training=training),
        )


def make_writing(
    stores: Stores,
    views: PostgresViewStore,
    reader: PostgresLogReader,
    operations: Operations,
    rules: RuleSet,
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
    positions = PostgresFollowerPositions(stores.databases.record)
    places = PostgresPlaces(stores.databases.shielded)
    alone = Alone(stores.databases.record)
    for closing in (positions, places, alone):
        stores.closing.callback(closing.close)
    candidates = MatchIndex(partial(views.reading, MATCH_INDEX))

    def refresh() -> None:
        operations.run(until_caught_up=True, names=[MATCH_INDEX.name])

    def release(child_id: UUID) -> None:
        recorder.release(recorder.digests_held_by(child_id), child_id)
        places.forget(child_id)

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
        store=store,
        candidates=candidates,
        places=places,
        tokens=tokens,
        ids=stores.ids,
        clock=stores.clock,
        rules=rules,
        follower=follower,
        refresh=refresh,
        synthetic=training,
    )
    return Writing(
        store=store,
        loader=loader,
        destruction=keys,
        tokens=tokens,
        ids=stores.ids,
        clock=stores.clock,
        rules=rules,
        release=release,
        alone=alone,
    )
