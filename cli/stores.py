"""The logs and keys of one home, by role."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.ids import RandomIds
from adapters.keys.kek import KekFiles
from adapters.keys.key_store import KeyStore
from adapters.keys.parts import Parts
from adapters.keys.tokens import SystemTokens
from adapters.postgres.committer import Committer
from adapters.postgres.databases import Databases, Role
from adapters.postgres.key_table import PostgresKeyring, PostgresShielded
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.log_slices import LogSlices
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.view_store import PostgresViewStore
from adapters.serving import Capacity
from adapters.slices import StoredSlices
from adapters.store import EncryptedEventStore, OneAccess, Reveal, Right
from domain.access import events as access_events
from domain.account import events as account_events
from domain.child_record import events as child_events
from domain.child_record.upcasters import UPCASTERS as CHILD_UPCASTERS
from domain.destruction import events as destruction_events
from domain.investigation import events as investigation_events
from domain.kernel import Log
from domain.organisation import events as organisation_events
from domain.ports import Clock
from domain.proposal import events as proposal_events
from domain.proposal.upcasters import UPCASTERS as PROPOSAL_UPCASTERS
from domain.rule_set import events as rule_set_events
from domain.supply import events as supply_events
from projections.ports import Opener

RECORD_TYPES: Final = (
    child_events.EVENTS
    | supply_events.EVENTS
    | account_events.EVENTS
    | organisation_events.EVENTS
    | rule_set_events.EVENTS
    | destruction_events.EVENTS
    | proposal_events.EVENTS
    | investigation_events.EVENTS
)
_UPCASTERS: Final = {**CHILD_UPCASTERS, **PROPOSAL_UPCASTERS}
RECORD_PARTS: Final = Parts(RECORD_TYPES, _UPCASTERS)
ACCESS_PARTS: Final = Parts(access_events.EVENTS, unnamed=access_events.LookForgotten)
TRUSTING: Final = {
    Log.RECORD: Parts(RECORD_TYPES, _UPCASTERS, trusting=True),
    Log.ACCESS: Parts(access_events.EVENTS, unnamed=access_events.LookForgotten, trusting=True),
}
"""For views and loads, which open a great many: what opens is not validated again."""
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

    def store(
        self, role: Role, right: Right = Reveal.NOTHING, *, trusting: bool = False
    ) -> EncryptedEventStore:
        """The record log under a role, opened as far as `right` says. trusting: what opens is not validated again."""
        recorder = self.recorder(role)
        commit = Committer(recorder).commit
        return EncryptedEventStore(
            recorder,
            self.keys(role),
            TRUSTING[Log.RECORD] if trusting else RECORD_PARTS,
            self.ids,
            self.clock,
            commit=commit,
            right=right,
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

    def openers(self) -> dict[Log, Opener]:
        """What opens streams of both logs for views: what opens is not validated again."""
        return {
            log: EncryptedEventStore(
                self.recorder(Role.SERVICE, log), self.keys(Role.SERVICE), parts, self.ids, self.clock
            ).load_many
            for log, parts in TRUSTING.items()
        }

    def slices(self) -> StoredSlices:
        """Both logs, a slice at a time, for rebuilds."""
        return self.closing.enter_context(self.slices_for_once())

    @contextmanager
    def slices_for_once(self) -> Iterator[StoredSlices]:
        """The same for one reading: its connections are closed behind it."""
        with closing(LogSlices(self.databases.record, self.databases.keyring)) as rows:
            yield StoredSlices(rows, self.keys(Role.SERVICE), TRUSTING)

    def views(self) -> PostgresViewStore:
        """The views."""
        views = PostgresViewStore(self.databases.views)
        self.closing.callback(views.close)
        return views

    def reader(self) -> PostgresLogReader:
        """The order of both logs."""
        reader = PostgresLogReader(self.databases.record)
        self.closing.callback(reader.close)
        return reader

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
