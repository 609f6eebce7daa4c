"""The contract of `domain.ports.EventStore`: what is stored comes back, and only to whom it may."""

import time
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.ids import RandomIds
from adapters.key_rows import PERIOD_SUBJECT, KeyKind, KeyName, period_of
from adapters.keys.cipher import FORMAT, NONCE_BYTES, place, seal, unseal
from adapters.keys.key_store import KeyStore, Wanted
from adapters.keys.parts import Parts
from adapters.rows import Applied, Duplicate, Group, Moved, Outcome, group_of
from adapters.store import Append, EncryptedEventStore, OneAccess
from domain.access.events import Hit, LookForgotten, RecordShown
from domain.account.events import AccountClosed, AccountOpened
from domain.child_record.events import (
    Address,
    AddressAsserted,
    ChildRegistered,
    CurrentAddress,
    Gender,
    IdentityAsserted,
    PersonName,
    ShieldLifted,
    ShieldRaised,
    SourceKind,
)
from domain.errors import AlreadyReserved, DamagedStream, Unavailable, VersionConflict
from domain.kernel import (
    Change,
    Concealed,
    Event,
    ForgottenEvent,
    History,
    Log,
    Metadata,
    Pending,
    Reservation,
    StreamKind,
)
from domain.personal_data import HIDDEN, Forgotten
from domain.policy.shielding import shielded
from domain.ports import EventStore
from domain.rule_set.events import RuleSetAdopted
from projections.projection import Depth, Reads, reads
from tests.homes import BEGINNING, Home

METADATA: Final = Metadata(actor=UUID(int=7), correlation=UUID(int=8), purpose="casework")
REGISTERED: Final = ChildRegistered(
    index_number="J5TWDX0000Y",
    source_kind=SourceKind.BIRTHS,
    rule_set="present",
    owning_authority="E08000035",
)
NAMED: Final = IdentityAsserted(
    source_kind=SourceKind.BIRTHS,
    effective=date(2016, 1, 1),
    names=(PersonName(given=("Ada", "Zoë"), family="O’Neill-Ząb"),),
    date_of_birth=date(2015, 6, 9),
    gender=Gender.NOT_SPECIFIED,
)
AT_HOME: Final = AddressAsserted(
    source_kind=SourceKind.PDS,
    effective=date(2026, 1, 1),
    whereabouts=CurrentAddress(address=Address(lines=("1 Example Street",), postcode="LS1 4AP")),
)
ACCOUNT: Final = AccountOpened(
    name="health-visitor",
    role="practitioner",
    organisation=UUID(int=4),
    body="RQX",
    area="E08000035",
    purposes=("casework",),
    rule_set="present",
)
CLOSED: Final = AccountClosed(reason="left")
ADOPTED: Final = RuleSetAdopted(rule_set="present", valid_from=date(2026, 1, 1), digest="a" * 64)
MONTHS: Final = count(4000, 60)
TEN_YEARS: Final = timedelta(days=3650)  # ahead of the server's own clock
SHIELD: Final = UUID(int=99)
SHIELDED: Final = ShieldRaised(
    shield=SHIELD, source_kind=SourceKind.AUTHORITY, rule_set="present", ground="child-at-risk"
)
LIFTED: Final = ShieldLifted(
    shields=(SHIELD,),
    rule_set="present",
    reason="risk-ended",
    proposed_by=UUID(int=1),
    confirmed_by=UUID(int=2),
)


def child(
    *events: Event, stream: UUID | None = None, after: int = 0, key: int = 1, shielded: bool = False
) -> Change:
    """A change to one child, everything under one content key."""
    pending = tuple(Pending(event, key) for event in events)
    return Change(stream or uuid4(), StreamKind.CHILD, after, pending, shielded)


def registered(home: Home, *more: Event) -> UUID:
    """A child in the log."""
    change = child(REGISTERED, *more)
    home.writer().append([change], METADATA)
    return change.stream_id


def shielded_child(home: Home) -> UUID:
    """A child whose address was known and who was then shielded; the older key has not moved yet."""
    stream = registered(home, AT_HOME)
    home.writer().append([child(SHIELDED, stream=stream, after=2, key=2, shielded=True)], METADATA)
    return stream


def names(history: History) -> list[str]:
    return [recorded.event.NAME for recorded in history.events]


def test_what_is_appended_comes_back(home: Home) -> None:
    store: EventStore = home.writer()
    change = child(REGISTERED, NAMED, AT_HOME)
    appended = store.append([change], METADATA)
    history = store.load(change.stream_id)
    assert [recorded.event for recorded in history.events] == [REGISTERED, NAMED, AT_HOME]
    assert {recorded.metadata for recorded in history.events} == {METADATA}
    assert [recorded.version for recorded in history.events] == [1, 2, 3]
    assert tuple(recorded.position for recorded in history.events) == appended.positions
    assert {recorded.recorded_at for recorded in history.events} == {appended.recorded_at}
    assert {recorded.log for recorded in history.events} == {Log.RECORD}
    assert {recorded.content_key for recorded in history.events} == {1}
    assert len({recorded.event_id for recorded in history.events}) == 3


def test_a_stream_that_is_not_there_is_empty(home: Home) -> None:
    stream = uuid4()
    assert home.service().load(stream) == History(stream, 0, ())
    assert home.service().load_many([stream]) == {}
    assert home.service().heads([stream]) == {}


def test_a_stream_can_be_read_to_a_version(home: Home) -> None:
    stream = registered(home, NAMED, AT_HOME)
    assert names(home.service().load(stream, upto=2)) == ["child-registered", "identity-asserted"]
    assert home.service().load(stream, upto=2).version == 3


def test_a_version_expected_wrongly_is_a_conflict_and_leaves_nothing(home: Home) -> None:
    stream = registered(home)
    for wrong in (0, 2):
        with pytest.raises(VersionConflict):
            home.writer().append([child(NAMED, stream=stream, after=wrong)], METADATA)
    assert home.writer().heads([stream]) == {stream: 1}


def test_several_streams_change_together_or_not_at_all(home: Home) -> None:
    one, other = registered(home), uuid4()
    with pytest.raises(VersionConflict):
        home.writer().append([child(REGISTERED, stream=other), child(NAMED, stream=one, after=7)], METADATA)
    assert home.writer().heads([one, other]) == {one: 1}


def test_an_idempotency_key_works_once(home: Home) -> None:
    store, key, batch = home.writer(), uuid4().bytes, uuid4()
    change = child(REGISTERED)
    first = store.append([change], METADATA, idempotency_key=key, batch=batch)
    again = store.append([child(REGISTERED)], METADATA, idempotency_key=key)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert store.known([key, b"other"]) == {key}
    store.forget_batch(batch)
    assert store.known([key]) == set()
    assert store.append([], METADATA, idempotency_key=key).positions == ()
    assert store.known([key]) == {key}


def test_a_token_belongs_to_one_stream(home: Home) -> None:
    store, token = home.writer(), uuid4().bytes
    change = child(REGISTERED)
    store.append([change], METADATA, reservations=[Reservation(token, change.stream_id)])
    assert store.find(token) == change.stream_id
    assert store.find(uuid4().bytes) is None
    other = child(REGISTERED)
    with pytest.raises(AlreadyReserved) as refused:
        store.append([other], METADATA, reservations=[Reservation(token, other.stream_id)])
    assert refused.value.stream_id == change.stream_id
    assert store.heads([other.stream_id]) == {}


def test_several_commands_are_each_told_what_became_of_them(home: Home) -> None:
    store, key = home.writer(), uuid4().bytes
    there = registered(home)
    outcomes = store.append_all(
        [
            Append([child(REGISTERED)], METADATA, idempotency_key=key),
            Append([child(REGISTERED)], METADATA, idempotency_key=key),
            Append([child(NAMED, stream=there, after=5)], METADATA),
            Append([child(NAMED, stream=there, after=1)], METADATA),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Applied, Duplicate, Moved, Applied]
    assert store.heads([there]) == {there: 2}


def test_new_children_in_bulk(home: Home) -> None:
    store = home.writer()
    changes = [child(REGISTERED, NAMED, AT_HOME) for _ in range(70)]
    assert store.append_many_new(changes, METADATA, chunk=60) == 210
    for history in store.load_many([change.stream_id for change in changes]).values():
        assert [recorded.event for recorded in history.events] == [REGISTERED, NAMED, AT_HOME]
    assert home.service().load_many([changes[-1].stream_id]).keys() == {changes[-1].stream_id}
    with pytest.raises(VersionConflict):
        store.append_many_new(changes[:1], METADATA)


def test_in_bulk_keys_that_an_attempt_left_are_used(home: Home) -> None:
    change = child(REGISTERED, NAMED)
    names = [KeyName(change.stream_id, KeyKind.IDENTITY, 0), KeyName(change.stream_id, KeyKind.CONTENT, 1)]
    left = home.writer_keys().make([Wanted(name) for name in names]).keys
    home.writer().append_many_new([child(REGISTERED), change], METADATA)
    history = home.writer().load(change.stream_id)
    assert [recorded.event for recorded in history.events] == [REGISTERED, NAMED]
    opened = home.writer_keys().open([change.stream_id], fresh=True)[change.stream_id]
    assert {name: opened.get(name.kind, name.number) for name in names} == left


class _Watched:
    """A log that sees whether the keys of what comes in bulk are committed when it comes."""

    log = Log.RECORD

    def __init__(self, home: Home) -> None:
        self._home = home
        self.committed: list[bool] = []

    def append_bulk(self, groups: Iterable[Group]) -> int:
        for group in groups:
            self.committed += [bool(self._home.key_rows(row.stream_id)) for row in group.rows]
        return len(self.committed)


def test_in_bulk_keys_are_committed_before_their_events_are_handed_on(home: Home) -> None:
    def slow(point: str) -> None:
        if point == "keys.before-made":
            time.sleep(0.05)

    watched: Any = _Watched(home)
    keys = KeyStore(home.keyring, home.keyring_kek, home.shielded, home.shielded_kek, reach=slow)
    store = EncryptedEventStore(watched, keys, Parts(home.types), RandomIds(), home.clock)
    assert store.append_many_new([child(REGISTERED, NAMED) for _ in range(6)], METADATA, chunk=4) == 12
    assert all(watched.committed)


def test_an_event_of_a_child_needs_a_content_key(home: Home) -> None:
    with pytest.raises(ValueError, match="content key"):
        home.writer().append([child(REGISTERED, key=0)], METADATA)


def test_what_was_not_opened_cannot_be_stored(home: Home) -> None:
    stream = shielded_child(home)
    seen = home.service().load(stream).events[0].event
    with pytest.raises(TypeError, match="not opened"):
        home.writer().append([child(seen)], METADATA)


# Shields


def test_a_shielded_record_shows_no_content_to_the_service_even_while_its_keys_are_at_hand(
    home: Home,
) -> None:
    stream = shielded_child(home)
    assert home.key_rows(stream)[KeyKind.CONTENT, 1].wrapped is not None
    history = home.service().load(stream)
    assert names(history) == ["child-registered", "concealed", "shield-raised"]
    assert history.events[1].event == Concealed(source_kind="pds")
    assert [recorded.metadata for recorded in history.events] == [HIDDEN] * 3
    seen: Any = history.events[0].event
    assert (seen.index_number, seen.owning_authority, seen.source) == (
        REGISTERED.index_number,
        HIDDEN,
        HIDDEN,
    )


def test_what_was_before_the_shield_is_hidden_too(home: Home) -> None:
    history = home.service().load(shielded_child(home), upto=2)
    assert names(history) == ["child-registered", "concealed"]


def test_the_service_cannot_open_what_is_in_the_other_database(home: Home) -> None:
    stream = shielded_child(home)
    home.writer_keys().move_in(stream)
    home.writer().append([child(LIFTED, stream=stream, after=3, key=2, shielded=True)], METADATA)
    history = home.service().load(stream)
    assert names(history) == ["child-registered", "concealed", "shield-raised", "shield-lifted"]
    assert [recorded.metadata for recorded in history.events] == [HIDDEN] * 4
    home.writer_keys().move_out(stream)
    assert home.service().load(stream).events[1].event == AT_HOME


def test_a_provisional_shield_is_a_shield(home: Home) -> None:
    stream = registered(home, AT_HOME)
    provisional = SHIELDED.model_copy(update={"provisional": True})
    home.writer().append([child(provisional, stream=stream, after=2, key=2, shielded=True)], METADATA)
    assert names(home.service().load(stream))[1] == "concealed"


def test_the_writer_opens_a_shielded_record_wherever_its_keys_are(home: Home) -> None:
    stream = shielded_child(home)
    for _ in range(2):
        events = [recorded.event for recorded in home.writer().load(stream).events]
        assert events == [REGISTERED, AT_HOME, SHIELDED]
        home.writer_keys().move_in(stream)


def test_a_manager_opens_one_record_for_one_access(home: Home) -> None:
    stream, other, access = shielded_child(home), shielded_child(home), uuid4()
    for each in (stream, other):
        home.writer_keys().move_in(each)
    manager = home.manager(access)
    assert manager.load(stream).events[1].event == AT_HOME
    assert manager.load(stream).events[1].event == AT_HOME
    with pytest.raises(Unavailable):
        manager.load(other)


def test_what_a_manager_remembers_from_before_a_shield_does_not_hide_what_was_said_behind_it(
    home: Home,
) -> None:
    stream, keys = registered(home, AT_HOME), home.manager_keys()

    def opened() -> list[Event]:
        right = OneAccess(uuid4())
        store = EncryptedEventStore(
            home.record, keys, Parts(home.types), RandomIds(), home.clock, right=right
        )
        return [recorded.event for recorded in store.load(stream).events]

    assert opened() == [REGISTERED, AT_HOME]
    shield = child(SHIELDED, AT_HOME, stream=stream, after=2, key=2, shielded=True)
    home.writer().append([shield], METADATA)
    home.writer_keys().move_in(stream)
    assert opened() == [REGISTERED, AT_HOME, SHIELDED, AT_HOME]


def test_the_service_cannot_change_a_shielded_record(home: Home) -> None:
    stream = shielded_child(home)
    with pytest.raises(Unavailable):
        home.service().append([child(NAMED, stream=stream, after=3, key=3, shielded=True)], METADATA)
    assert home.service().heads([stream]) == {stream: 3}


def test_a_child_can_be_shielded_from_its_first_event(home: Home) -> None:
    change = child(REGISTERED, SHIELDED, AT_HOME, shielded=True)
    home.writer().append([change], METADATA)
    assert home.key_rows(change.stream_id)[KeyKind.CONTENT, 1].wrapped is None
    assert home.shielded_rows(change.stream_id)[1].wrapped is not None
    assert home.writer().load(change.stream_id).events[2].event == AT_HOME
    assert names(home.service().load(change.stream_id))[2] == "concealed"


# Keys that an attempt left behind


def test_a_key_left_in_the_wrong_database_is_moved_before_it_is_used(home: Home) -> None:
    stream = registered(home)
    with pytest.raises(VersionConflict):  # its shield was never raised, but its key is made
        home.writer().append([child(SHIELDED, stream=stream, after=9, key=2, shielded=True)], METADATA)
    assert home.key_rows(stream)[KeyKind.CONTENT, 2].wrapped is None
    home.writer().append([child(AT_HOME, stream=stream, after=1, key=2)], METADATA)
    assert home.key_rows(stream)[KeyKind.CONTENT, 2].wrapped is not None
    assert home.service().load(stream).events[1].event == AT_HOME


def test_a_key_left_in_the_open_is_moved_before_a_shield_uses_it(home: Home) -> None:
    stream = registered(home)
    with pytest.raises(VersionConflict):
        home.writer().append([child(AT_HOME, stream=stream, after=9, key=2)], METADATA)
    home.writer().append([child(SHIELDED, stream=stream, after=1, key=2, shielded=True)], METADATA)
    assert home.key_rows(stream)[KeyKind.CONTENT, 2].wrapped is None
    assert home.writer().load(stream).events[1].event == SHIELDED


def test_a_key_that_events_use_is_never_brought_out_by_an_append(home: Home) -> None:
    stream = shielded_child(home)
    home.writer_keys().move_in(stream)
    passed: list[str] = []
    home.reach = passed.append
    with pytest.raises(VersionConflict):  # decided on the record as it was before the shield
        home.writer().append([child(AT_HOME, stream=stream, after=2, key=1)], METADATA)
    assert home.key_rows(stream)[KeyKind.CONTENT, 1].wrapped is None
    assert "keys.before-moved-out" not in passed  # not even for a moment


def test_keys_moved_for_a_shield_that_lost_the_race_are_brought_back(home: Home) -> None:
    stream = registered(home, AT_HOME)
    with pytest.raises(VersionConflict):
        home.writer().append([child(SHIELDED, stream=stream, after=1, key=1, shielded=True)], METADATA)
    assert home.key_rows(stream)[KeyKind.CONTENT, 1].wrapped is not None
    assert home.service().load(stream).events[1].event == AT_HOME


# Forgotten


def test_a_destroyed_child_is_forgotten_under_its_certificate(home: Home) -> None:
    stream, certificate = registered(home, AT_HOME), uuid4()
    assert home.writer_keys().destroy(stream, certificate) == 2
    for store in (home.service(), home.writer()):
        history = store.load(stream)
        assert [recorded.event for recorded in history.events] == [
            ForgottenEvent(certificate=certificate)
        ] * 2
        assert [recorded.metadata for recorded in history.events] == [Forgotten(certificate)] * 2
    assert home.writer_keys().destroy(stream, uuid4()) == 0
    assert home.service().load(stream).events[0].event == ForgottenEvent(certificate=certificate)


def test_a_shielded_child_is_destroyed_in_both_databases(home: Home) -> None:
    stream, certificate = shielded_child(home), uuid4()
    home.writer_keys().move_in(stream)
    assert home.writer_keys().destroy(stream, certificate) == 3
    assert {row.wrapped for row in home.shielded_rows(stream).values()} == {None}
    assert {row.certificate for row in home.key_rows(stream).values()} == {certificate}
    assert home.writer().load(stream).events[1].event == ForgottenEvent(certificate=certificate)


def test_one_content_key_can_be_destroyed_alone(home: Home) -> None:
    stream, certificate = registered(home, AT_HOME), uuid4()
    home.writer().append([child(AT_HOME, stream=stream, after=2, key=2)], METADATA)
    assert home.writer_keys().destroy_content(stream, 2, certificate) == 1
    history = home.service().load(stream)
    assert names(history) == ["child-registered", "address-asserted", "concealed"]
    assert history.events[2].metadata == Forgotten(certificate)


def test_nothing_is_appended_under_a_destroyed_key(home: Home) -> None:
    stream = registered(home)
    home.writer_keys().destroy(stream, uuid4())
    with pytest.raises(VersionConflict):
        home.writer().append([child(NAMED, stream=stream, after=1)], METADATA)


# Damage


def alter(home: Home, stream: UUID, version: int, column: str, value: object) -> None:
    home.tamper("record_log", stream, version, column, value)


def assert_damaged(home: Home, stream: UUID) -> None:
    store = home.service()
    with pytest.raises(DamagedStream) as refused:
        store.load(stream)
    assert refused.value.stream_id == stream
    healthy = registered(home)
    assert store.load_many([stream, healthy]).keys() == {healthy}
    assert store.damaged == {stream}


@pytest.mark.parametrize("column", ["identity", "content", "metadata"])
def test_an_altered_byte_is_damage(home: Home, column: str) -> None:
    stream = registered(home)
    row = home.record.stream(stream)[0]
    stored = bytearray(getattr(row, column))
    stored[40] ^= 1
    alter(home, stream, 1, column, bytes(stored))
    assert_damaged(home, stream)


@pytest.mark.parametrize("column", ["identity", "content", "metadata"])
def test_a_part_of_another_version_is_damage(home: Home, column: str) -> None:
    stream = registered(home, REGISTERED)
    first, second = home.record.stream(stream)
    alter(home, stream, 1, column, getattr(second, column))
    alter(home, stream, 2, column, getattr(first, column))
    assert_damaged(home, stream)


def test_a_part_of_another_stream_is_damage(home: Home) -> None:
    stream, other = registered(home), registered(home)
    alter(home, stream, 1, "identity", home.record.stream(other)[0].identity)
    assert_damaged(home, stream)


def test_a_part_in_the_place_of_another_part_is_damage(home: Home) -> None:
    stream = registered(home)
    row = home.record.stream(stream)[0]
    alter(home, stream, 1, "content", row.metadata)  # under the same key, at the same version
    assert_damaged(home, stream)


@pytest.mark.parametrize(("column", "value"), [("event_id", UUID(int=5)), ("format", 2)])
def test_an_altered_clear_column_is_damage(home: Home, column: str, value: object) -> None:
    stream = registered(home)
    alter(home, stream, 1, column, value)
    assert_damaged(home, stream)


def test_a_missing_key_is_damage_and_not_forgotten(home: Home) -> None:
    stream = registered(home)
    rows = home.key_rows(stream)
    copy = uuid4()
    home.keyring.add(
        lambda: [rows[KeyKind.IDENTITY, 0]._replace(subject=copy)]
    )  # a key row in another's place
    assert len(home.key_rows(copy)) == 1
    ours = home.writer_keys().open([copy])[copy]
    assert not isinstance(ours.get(KeyKind.IDENTITY), bytes)


def test_a_part_that_does_not_commit_to_its_key_is_damage(home: Home) -> None:
    """A valid tag is not enough: the text under it must begin with the 32 spaces."""
    stream = registered(home)
    row = home.record.stream(stream)[0]
    raw = home.writer_keys().identity(stream)
    assert isinstance(raw, bytes)
    nonce = bytes(NONCE_BYTES)
    text = (
        b" " * 31
        + b'{"k":1,"e":"extension-consent-withdrawn","v":1,"withdrawn_on":"2026-01-01","rule_set":"x"}'
    )
    where = place(FORMAT, Log.RECORD, stream, 1, row.event_id) + b"\x01"
    alter(home, stream, 1, "identity", nonce + AESGCM(raw).encrypt(nonce, text, where))
    assert_damaged(home, stream)


# Other streams


def look(*hits: UUID) -> RecordShown:
    return RecordShown(
        child=UUID(int=3),
        role="health-visitor",
        organisation=UUID(int=4),
        body="RQX",
        area="E08000035",
        purposes=("casework",),
        action="show",
        outcome="granted",
        rule="practitioner",
        hits=tuple(Hit(hit, 1, "ordinary", b"\x05" * 32) for hit in hits),
        instant=BEGINNING,
        rule_set="present",
        renderer=1,
        page=b"\xff" * 32,
    )


def looked(store: EncryptedEventStore, event: RecordShown) -> UUID:
    access = uuid4()
    store.append([Change(access, StreamKind.ACCESS, 0, (Pending(event),))], METADATA)
    return access


def test_an_access_comes_back(home: Home) -> None:
    event = look(registered(home), registered(home))
    access = looked(home.looks(), event)
    (recorded,) = home.looks().load(access).events
    assert (recorded.event, recorded.metadata, recorded.log) == (event, METADATA, Log.ACCESS)


def test_the_words_of_an_access_die_with_any_child_it_showed_and_the_rest_does_not(home: Home) -> None:
    one, other, certificate = registered(home), registered(home), uuid4()
    event = look(one, other)
    access = looked(home.looks(), event)
    home.writer_keys().destroy(other, certificate)
    (recorded,) = home.looks().load(access).events
    assert isinstance(recorded.event, LookForgotten)
    assert (recorded.event.hits, recorded.event.role) == (event.hits, event.role)
    assert recorded.metadata == METADATA
    assert not hasattr(recorded.event, "child")


def test_an_access_to_a_destroyed_child_cannot_be_recorded(home: Home) -> None:
    stream = registered(home)
    home.writer_keys().destroy(stream, uuid4())
    with pytest.raises(VersionConflict):
        looked(home.looks(), look(stream))


def test_no_key_is_made_for_a_child_that_an_access_only_names(home: Home) -> None:
    nobody = uuid4()
    with pytest.raises(DamagedStream):
        looked(home.looks(), look(nobody))
    assert home.key_rows(nobody) == {}


def test_the_month_of_an_event_is_that_of_its_instant(home: Home) -> None:
    access = uuid4()
    change = Change(access, StreamKind.ACCESS, 0, (Pending(look()),))
    home.looks().append([change], METADATA, instant=BEGINNING + timedelta(days=40))
    assert home.access.stream(access)[0].period == 2026 * 12 + 4 - 1


def opened_account(home: Home) -> UUID:
    account = uuid4()
    change = Change(account, StreamKind.STAFF, 0, (Pending(ACCOUNT),))
    home.staff().append([change], METADATA)
    return account


def test_an_account_is_under_a_key_of_its_own(home: Home) -> None:
    account = opened_account(home)
    assert home.key_rows(account).keys() == {(KeyKind.STAFF, 0)}
    (recorded,) = home.staff().load(account).events
    assert (recorded.event, recorded.metadata, recorded.content_key) == (ACCOUNT, METADATA, 0)
    home.staff().append([Change(account, StreamKind.STAFF, 1, (Pending(CLOSED),))], METADATA)
    assert names(home.staff().load(account)) == ["account-opened", "account-closed"]


def test_what_was_done_to_a_forgotten_account_is_still_known_to_have_been_done(home: Home) -> None:
    account, certificate = opened_account(home), uuid4()
    home.writer_keys().destroy(account, certificate)
    (recorded,) = home.staff().load(account).events
    assert recorded.event == ForgottenEvent(certificate=certificate)
    assert recorded.metadata == METADATA


def test_an_account_whose_key_is_missing_is_damaged(home: Home) -> None:
    store, account = home.staff(), uuid4()
    store.append([Change(account, StreamKind.STAFF, 0, (Pending(ACCOUNT),))], METADATA)
    row = home.record.stream(account)[0]
    alter(home, account, 1, "identity", row.metadata)
    with pytest.raises(DamagedStream):
        store.load(account)
    with pytest.raises(DamagedStream):
        store.append([Change(uuid4(), StreamKind.STAFF, 1, (Pending(CLOSED),))], METADATA)


def test_what_is_about_no_person_is_under_the_system_key(home: Home) -> None:
    stream = uuid4()
    home.staff().append([Change(stream, StreamKind.SYSTEM, 0, (Pending(ADOPTED),))], METADATA)
    assert home.key_rows(stream) == {}
    (recorded,) = home.staff().load(stream).events
    assert (recorded.event, recorded.metadata) == (ADOPTED, METADATA)


def test_a_child_without_any_key_row_is_damaged_and_taken_for_nothing_else(home: Home) -> None:
    """Its stream then looks like one of the system's, whose key does not open it."""
    stream = registered(home)
    copy = uuid4()
    sealed = home.record.stream(stream)[0].stored()
    home.record.append([group_of([sealed._replace(stream_id=copy)])])
    assert home.key_rows(copy) == {}
    assert_damaged(home, copy)


def test_when_a_month_is_destroyed_its_looks_and_what_was_noted_in_it_are_forgotten(home: Home) -> None:
    later = BEGINNING + timedelta(days=next(MONTHS))
    store, access, account = home.looks(), uuid4(), uuid4()
    store.append([Change(access, StreamKind.ACCESS, 0, (Pending(look()),))], METADATA, instant=later)
    staff = Change(account, StreamKind.STAFF, 0, (Pending(ACCOUNT),))
    home.staff().append([staff], METADATA, instant=later)
    certificate = uuid4()
    home.keyring.forget(KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, period_of(later)), certificate)
    (looked_at,) = home.looks().load(access).events
    assert (looked_at.event, looked_at.metadata) == (
        ForgottenEvent(certificate=certificate),
        Forgotten(certificate),
    )
    (opened,) = home.staff().load(account).events
    assert (opened.event, opened.metadata) == (ACCOUNT, Forgotten(certificate))
    with pytest.raises(VersionConflict):
        home.looks().append(
            [Change(uuid4(), StreamKind.ACCESS, 0, (Pending(look()),))], METADATA, instant=later
        )


def test_an_access_is_one_event(home: Home) -> None:
    for change in (
        Change(uuid4(), StreamKind.ACCESS, 0, (Pending(look()), Pending(look()))),
        Change(uuid4(), StreamKind.ACCESS, 1, (Pending(look()),)),
    ):
        with pytest.raises(ValueError, match="stream of its own"):
            home.looks().append([change], METADATA)


def test_a_version_that_is_missing_is_damage(home: Home) -> None:
    stream = registered(home, NAMED, AT_HOME)
    alter(home, stream, 3, "version", 4)
    assert_damaged(home, stream)


def test_an_event_that_is_missing_is_damage(home: Home) -> None:
    stream = registered(home, NAMED, AT_HOME)
    home.lose("record_log", stream, 2)
    assert_damaged(home, stream)


def test_a_form_that_is_not_known_is_damage_though_it_opens(home: Home) -> None:
    stream = registered(home)
    row = home.record.stream(stream)[0]
    keys = home.writer_keys().open([stream])[stream]
    identity, content = keys.get(KeyKind.IDENTITY), keys.get(KeyKind.CONTENT, 1)
    assert isinstance(identity, bytes)
    assert isinstance(content, bytes)
    old, new = (place(form, Log.RECORD, stream, 1, row.event_id) for form in (FORMAT, 2))
    for part, (column, key) in enumerate(
        [("identity", identity), ("content", content), ("metadata", content)], start=1
    ):
        text = unseal(AESGCM(key), getattr(row, column), old, part).strip()
        alter(home, stream, 1, column, seal(AESGCM(key), text, new, part, 64, bytes(12)))
    alter(home, stream, 1, "format", 2)
    assert_damaged(home, stream)


def test_a_key_that_another_made_meanwhile_is_found_though_others_are_remembered(home: Home) -> None:
    stream, reader = registered(home), home.service()
    assert len(reader.load(stream).events) == 1
    home.writer().append([child(AT_HOME, stream=stream, after=1, key=2)], METADATA)
    assert reader.load(stream).events[1].event == AT_HOME


def test_keys_that_a_sweep_was_just_removing_are_put_back(home: Home) -> None:
    """A command that died 30 days ago is done again at the very moment of the sweep."""
    change = child(REGISTERED, SHIELDED, AT_HOME, shielded=True)
    held = Reservation(uuid4().bytes, registered(home))
    home.writer().append([], METADATA, reservations=[held])
    with pytest.raises(AlreadyReserved):
        home.writer().append([change], METADATA, reservations=[Reservation(held.token, change.stream_id)])
    left = [KeyName(*row[:3]) for row in home.key_rows(change.stream_id).values()]
    assert len(left) == 2

    def swept_first(group: Group) -> Outcome:
        for instant in (TEN_YEARS, 2 * TEN_YEARS):
            home.keyring.sweep(left, home.clock.now() + instant)
            home.shielded.sweep(left, home.clock.now() + instant)
        assert home.key_rows(change.stream_id) == {}
        return home.record.append([group])[0]

    home.writer(commit=swept_first).append([change], METADATA)
    assert [recorded.event for recorded in home.writer().load(change.stream_id).events] == [
        REGISTERED,
        SHIELDED,
        AT_HOME,
    ]
    assert names(home.service().load(change.stream_id))[2] == "concealed"


def test_who_may_know_names_alone_gets_the_events_of_a_reader_without_what_they_hold(home: Home) -> None:
    open_one, hidden_one = registered(home, NAMED, AT_HOME), shielded_child(home)
    named = home.service().load_many([open_one, hidden_one], Reads(Depth.NAMES))
    for stream in (open_one, hidden_one):
        bare, whole = named[stream], home.service().load(stream)
        assert [one.event.NAME for one in bare.events] == [one.event.NAME for one in whole.events]
        assert [one[:6] for one in bare.events] == [one[:6] for one in whole.events]
        for one in bare.events:
            assert one.metadata is HIDDEN
            if not isinstance(one.event, ShieldRaised | Concealed):
                assert one.event.__dict__ == {}
    assert [one.event.NAME for one in named[open_one].events][-1] == AddressAsserted.NAME
    assert shielded(one.event for one in named[hidden_one].events)


def test_who_asks_for_some_events_gets_those_and_shields_and_what_is_concealed(home: Home) -> None:
    open_one, hidden_one, gone = (
        registered(home, NAMED, AT_HOME),
        shielded_child(home),
        registered(home, NAMED),
    )
    home.writer_keys().destroy(gone, uuid4())
    streams = [open_one, hidden_one, gone]
    whole = home.service().load_many(streams)
    for depth in (Depth.EVERYTHING, Depth.EVENTS, Depth.FACTS):
        for wanted in (ChildRegistered, AddressAsserted):
            some = home.service().load_many(streams, reads(depth, wanted))
            full = home.service().load_many(streams, Reads(depth))
            kinds = (wanted, ShieldRaised, Concealed, ForgottenEvent)
            for stream in streams:
                assert some[stream].version == whole[stream].version
                assert list(some[stream].events) == [
                    one for one in full[stream].events if isinstance(one.event, kinds)
                ]
                assert some[stream].events
