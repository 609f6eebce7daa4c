"""The contracts of `domain.ports.Shielding`, `Destruction` and `Tokens`, and of the key tables beneath them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Final
from uuid import UUID, uuid4

import pytest

from adapters.key_rows import PERIOD_SUBJECT, GenerationGone, KeyKind, KeyName, KeyRow
from adapters.keys.cipher import wrap
from adapters.keys.kek import rotate
from adapters.keys.key_store import BROKEN, KeyStore, Wanted
from adapters.keys.remaining import remaining
from adapters.keys.sweep import after_restore, sweep
from adapters.keys.tokens import SystemTokens, child_digest
from domain.errors import DamagedStream, Unavailable, VersionConflict
from domain.personal_data import HIDDEN, Forgotten
from domain.ports import Destruction, Shielding, Tokens
from tests.homes import Home

WRAPPED: Final = b"w" * 60
A_MONTH: Final = timedelta(days=30)
A_LONG_TIME: Final = timedelta(days=3650)  # ahead of the server's own clock


def identity(subject: UUID) -> KeyName:
    return KeyName(subject, KeyKind.IDENTITY, 0)


def content(subject: UUID, number: int = 1) -> KeyName:
    return KeyName(subject, KeyKind.CONTENT, number)


def row(name: KeyName, wrapped: bytes | None = WRAPPED, generation: int = 1) -> KeyRow:
    return KeyRow(*name, generation, wrapped)


def a_child(home: Home, contents: int = 2, *, shielded: bool = False) -> tuple[UUID, dict[KeyName, bytes]]:
    """A child with its keys, and the keys."""
    child = uuid4()
    wanted = [Wanted(identity(child)), *[Wanted(content(child, n), shielded) for n in range(1, contents + 1)]]
    return child, home.writer_keys().make(wanted).keys


def states(home: Home, child: UUID, keys: KeyStore | None = None) -> list[object]:
    """How the content keys of a child stand, as the service sees them."""
    opened = (keys or home.service_keys()).open([child], fresh=True)[child]
    return [opened.get(KeyKind.CONTENT, number) for number in (1, 2)]


# Tables


def test_a_row_is_added_once(home: Home) -> None:
    names = [content(uuid4()) for _ in range(3)]
    assert home.keyring.add(lambda: [row(name) for name in names[:2]]) == 2
    assert home.keyring.add(lambda: [row(name, b"x" * 60) for name in names]) == 1
    assert {r.wrapped for r in home.keyring.read([name.subject for name in names[:2]])} == {WRAPPED}
    assert home.keyring.add(list) == 0


def test_many_rows_are_added_at_once_and_again(home: Home) -> None:
    names = [content(uuid4(), number) for number in range(1, 101)]
    rows = [row(name, None if name.number % 3 == 0 else bytes([name.number]) * 60) for name in names]
    assert home.keyring.add(lambda: rows) == 100
    assert sorted(home.keyring.read([name.subject for name in names])) == sorted(rows)
    more = [row(content(uuid4())) for _ in range(50)]
    assert home.keyring.add(lambda: [*rows, *more]) == 50


def test_a_key_that_was_destroyed_stays_destroyed(home: Home) -> None:
    name, certificate = content(uuid4()), uuid4()
    home.keyring.add(lambda: [row(name)])
    assert home.keyring.forget(name, certificate)
    assert not home.keyring.forget(name, uuid4())
    assert home.keyring.add(lambda: [row(name)]) == 0
    assert not home.keyring.vacate(name.subject, 1)
    assert not home.keyring.occupy(row(name))
    assert home.keyring.read([name.subject]) == [KeyRow(*name, 1, None, certificate)]


def test_a_destroyed_key_does_not_move_out(home: Home) -> None:
    name, certificate = content(uuid4()), uuid4()
    home.shielded.add(lambda: [row(name)])
    assert home.shielded.forget(name, certificate)
    assert not home.shielded.drop(name.subject, 1)
    assert home.shielded.read([name.subject])[0].certificate == certificate


def test_content_keys_go_away_and_come_back(home: Home) -> None:
    name = content(uuid4())
    home.keyring.add(lambda: [row(name)])
    assert not home.keyring.occupy(row(name, b"x" * 60))
    assert home.keyring.vacate(name.subject, 1)
    assert not home.keyring.vacate(name.subject, 1)
    assert home.keyring.read([name.subject])[0].wrapped is None
    assert home.keyring.occupy(row(name, b"x" * 60, 3))
    assert home.keyring.read([name.subject]) == [row(name, b"x" * 60, 3)]


def test_only_what_stands_under_the_older_generation_is_wrapped_anew(home: Home) -> None:
    names = [content(UUID(int=n)) for n in (1, 2)]
    home.keyring.add(lambda: [row(names[0], generation=4), row(names[1], generation=5)])
    fresh = [row(name, b"y" * 60, 6) for name in names]
    assert home.keyring.rewrap(4, fresh) == 1
    assert home.keyring.read([names[0].subject]) == [fresh[0]]
    assert home.keyring.read([names[1].subject])[0].generation == 5


# Making and opening


def test_keys_are_there_once_they_are_made(home: Home) -> None:
    child, raw = a_child(home)
    opened = home.service_keys().open([child])[child]
    assert {name: opened.get(name.kind, name.number) for name in raw} == raw
    assert len(set(raw.values())) == 3
    assert {len(key) for key in raw.values()} == {32}


def test_a_key_made_for_a_shielded_child_is_elsewhere_to_the_service(home: Home) -> None:
    child, raw = a_child(home, shielded=True)
    assert states(home, child) == [HIDDEN, HIDDEN]
    writer = home.writer_keys()
    opened = writer.reveal(writer.open([child]))[child]
    assert {name: opened.get(name.kind, name.number) for name in raw} == raw


def test_keys_that_an_attempt_left_are_found_and_used(home: Home) -> None:
    _, raw = a_child(home)
    wanted = [Wanted(name) for name in raw]
    again = home.writer_keys().make(wanted)
    assert again.keys == raw
    assert set(again.found) == set(raw)


def test_a_key_row_in_the_place_of_another_is_broken(home: Home) -> None:
    child, _ = a_child(home, contents=1)
    stolen = home.key_rows(child)[KeyKind.CONTENT, 1]
    home.keyring.add(lambda: [stolen._replace(number=9)])
    assert home.service_keys().open([child])[child].get(KeyKind.CONTENT, 9) == BROKEN


def test_a_missing_identity_key_is_damage(home: Home) -> None:
    with pytest.raises(DamagedStream):
        home.service_keys().identity(uuid4())


def test_a_cached_key_is_forgotten_after_a_minute_and_when_it_is_destroyed(home: Home) -> None:
    child, _ = a_child(home)
    now = [0.0]
    keys = KeyStore(
        home.keyring, home.keyring_kek, home.shielded, home.shielded_kek, monotonic=lambda: now[0]
    )
    keys.open([child])
    KeyStore(home.keyring, home.keyring_kek, home.shielded, home.shielded_kek).destroy_content(
        child, 1, uuid4()
    )
    now[0] = 59.0
    assert isinstance(keys.open([child])[child].get(KeyKind.CONTENT, 1), bytes)
    now[0] = 61.0
    assert isinstance(keys.open([child])[child].get(KeyKind.CONTENT, 1), Forgotten)
    other, _ = a_child(home)
    keys.open([other])
    keys.destroy(other, uuid4())
    assert isinstance(keys.open([other])[other].get(KeyKind.CONTENT, 1), Forgotten)


def test_a_months_key_is_made_once(home: Home) -> None:
    number = 24_000 + uuid4().int % 1_000_000
    assert home.service_keys().period(number) == home.writer_keys().period(number)
    rows = [r for r in home.keyring.read([PERIOD_SUBJECT]) if r.number == number]
    assert len(rows) == 1


def test_the_service_cannot_make_a_key_for_a_shielded_child(home: Home) -> None:
    child = uuid4()
    with pytest.raises(Unavailable):
        home.service_keys().make([Wanted(content(child), shielded=True)])
    assert home.key_rows(child) == {}


# Shielding


def test_keys_move_in_and_out_and_stay_the_same(home: Home) -> None:
    shielding: Shielding = home.writer_keys()
    child, raw = a_child(home)
    for _ in range(2):
        shielding.move_in(child)
        assert states(home, child) == [HIDDEN, HIDDEN]
        assert home.shielded_rows(child).keys() == {1, 2}
    writer = home.writer_keys()
    assert writer.reveal(writer.open([child]))[child].get(KeyKind.CONTENT, 2) == raw[content(child, 2)]
    for _ in range(2):
        shielding.move_out(child)
        assert states(home, child) == [raw[content(child, 1)], raw[content(child, 2)]]
        assert home.shielded_rows(child) == {}
    assert home.service_keys().identity(child) == raw[identity(child)]


def test_a_move_that_died_half_way_is_completed_either_way(home: Home) -> None:
    child, raw = a_child(home)
    home.writer_keys().move_in(child)
    home.writer_keys().move_out(child)
    there = home.key_rows(child)
    home.writer_keys().move_in(child)  # both at once: as after a death between the two commits
    home.keyring.occupy(there[KeyKind.CONTENT, 1])
    home.writer_keys().move_in(child)
    assert states(home, child) == [HIDDEN, HIDDEN]
    home.keyring.occupy(there[KeyKind.CONTENT, 1])
    home.writer_keys().move_out(child)
    assert states(home, child) == [raw[content(child, 1)], raw[content(child, 2)]]
    assert home.shielded_rows(child) == {}


def test_a_destroyed_key_does_not_move(home: Home) -> None:
    child, raw = a_child(home)
    certificate = uuid4()
    home.writer_keys().destroy_content(child, 1, certificate)
    home.writer_keys().move_in(child)
    assert states(home, child) == [Forgotten(certificate), HIDDEN]
    home.writer_keys().move_out(child)
    assert states(home, child) == [Forgotten(certificate), raw[content(child, 2)]]


def test_another_key_under_the_same_number_is_damage_and_moves_nothing(home: Home) -> None:
    child, _ = a_child(home)
    other = home.writer_keys()
    other.move_in(child)
    stranger, _ = a_child(home)
    home.writer_keys().move_in(stranger)
    ours = home.shielded_rows(child)[1]
    home.shielded.drop(child, 1)
    home.shielded.add(lambda: [home.shielded_rows(stranger)[1]._replace(subject=child)])
    with pytest.raises(DamagedStream):
        home.writer_keys().move_out(child)
    assert states(home, child) == [HIDDEN, HIDDEN]
    home.shielded.drop(child, 1)
    home.shielded.add(lambda: [ours])
    home.writer_keys().move_out(child)


# Destruction


def test_destroying_empties_every_row_in_both_databases(home: Home) -> None:
    destruction: Destruction = home.writer_keys()
    child, _ = a_child(home, shielded=True)
    certificate = uuid4()
    assert destruction.destroy(child, certificate) == 3
    assert destruction.destroy(child, uuid4()) == 0
    every = [*home.keyring.read([child]), *home.shielded.read([child])]
    assert len(every) == 5
    assert {(r.wrapped, r.certificate) for r in every} == {(None, certificate)}


def test_a_destruction_that_died_half_way_is_completed_by_a_move_too(home: Home) -> None:
    child, _ = a_child(home, shielded=True)
    certificate = uuid4()
    home.shielded.forget(content(child, 1), certificate)
    home.writer_keys().move_out(child)
    assert home.key_rows(child)[KeyKind.CONTENT, 1].certificate == certificate


def test_a_destroyed_key_is_not_made_again(home: Home) -> None:
    child, raw = a_child(home)
    home.writer_keys().destroy(child, uuid4())
    with pytest.raises(VersionConflict):
        home.writer_keys().ensure([Wanted(name) for name in raw])


def test_destroying_a_child_without_keys_destroys_nothing(home: Home) -> None:
    assert home.writer_keys().destroy(uuid4(), uuid4()) == 0


# Rotation


def test_a_rotation_wraps_every_key_anew_and_destroys_the_older_generation(empty_home: Home) -> None:
    home = empty_home
    child, raw = a_child(home)
    before = home.key_rows(child)
    (generation,) = home.keyring_kek.generations()
    assert rotate(home.keyring_kek, home.keyring) >= 3
    assert home.keyring_kek.generations() == [generation + 1]
    after = home.key_rows(child)
    assert {r.generation for r in after.values()} == {generation + 1}
    assert all(after[name].wrapped != before[name].wrapped for name in before)
    opened = home.service_keys().open([child])[child]
    assert {name: opened.get(name.kind, name.number) for name in raw} == raw
    with pytest.raises(GenerationGone):
        home.keyring_kek.of(generation)


def test_a_rotation_leaves_moved_and_destroyed_keys_as_they_are(empty_home: Home) -> None:
    home = empty_home
    child, _ = a_child(home)
    gone, _ = a_child(home)
    home.writer_keys().move_in(child)
    home.writer_keys().destroy(gone, uuid4())
    before = home.key_rows(gone)
    rotate(home.keyring_kek, home.keyring)
    rotate(home.shielded_kek, home.shielded)
    assert home.key_rows(gone) == before
    assert states(home, child) == [HIDDEN, HIDDEN]
    home.writer_keys().move_out(child)
    assert all(isinstance(state, bytes) for state in states(home, child))


def test_a_key_made_during_a_rotation_is_wrapped_too(empty_home: Home) -> None:
    """It is made after the rows were wrapped and before the older generation goes."""
    home = empty_home
    made: list[UUID] = []

    def make_one(point: str) -> None:
        if point == "kek.after-created":
            made.append(a_child(home)[0])

    a_child(home)
    rotate(home.keyring_kek, home.keyring, reach=make_one)
    (generation,) = home.keyring_kek.generations()
    assert {r.generation for r in home.keyring.read(made)} == {generation}
    assert home.service_keys().identity(made[0])


def test_a_rotation_that_finds_a_broken_key_destroys_nothing(empty_home: Home) -> None:
    home = empty_home
    child, _ = a_child(home)
    name = content(child, 7)
    generation, _ = home.keyring_kek.newest()
    home.keyring.add(lambda: [row(name, generation=generation)])
    with pytest.raises(DamagedStream):
        rotate(home.keyring_kek, home.keyring)
    assert generation in home.keyring_kek.generations()
    home.keyring.forget(name, uuid4())
    rotate(home.keyring_kek, home.keyring)
    assert home.keyring_kek.generations() == [generation + 1]


# The sweep


def test_a_key_without_a_stream_is_removed_after_thirty_days_and_not_before(empty_home: Home) -> None:
    home = empty_home
    orphan, _ = a_child(home, shielded=True)
    used, _ = a_child(home)
    everything_else = home.record.heads
    tables = (home.keyring, home.shielded)

    def heads(streams: object) -> dict[UUID, int]:
        wanted = list(streams)  # type: ignore[call-overload]
        return everything_else(wanted) | {s: 1 for s in wanted if s != orphan}

    noted = home.clock.now() + A_LONG_TIME
    assert sweep(tables, heads, noted) == 0
    assert sweep(tables, heads, noted + A_MONTH - timedelta(seconds=1)) == 0
    assert len(home.key_rows(orphan)) == 3
    assert sweep(tables, heads, noted + A_MONTH) == 5
    assert home.key_rows(orphan) == {}
    assert home.shielded_rows(orphan) == {}
    assert len(home.key_rows(used)) == 3


def test_a_key_that_got_a_stream_in_time_stays(empty_home: Home) -> None:
    home = empty_home
    child, _ = a_child(home)
    tables = (home.keyring, home.shielded)
    noted = home.clock.now() + A_LONG_TIME
    sweep(tables, lambda streams: {s: 1 for s in streams if s != child}, noted)
    sweep(tables, lambda streams: dict.fromkeys(streams, 1), noted + A_MONTH / 2)
    assert sweep(tables, lambda streams: {s: 1 for s in streams if s != child}, noted + A_MONTH) == 0
    assert len(home.key_rows(child)) == 3


def test_after_a_restore_nothing_is_removed_for_thirty_days(empty_home: Home) -> None:
    home = empty_home
    child, _ = a_child(home)
    tables = (home.keyring, home.shielded)
    noted = home.clock.now() + A_LONG_TIME

    def heads(streams: object) -> dict[UUID, int]:
        return {s: 1 for s in list(streams) if s != child}  # type: ignore[call-overload]

    sweep(tables, heads, noted)
    after_restore(tables)
    assert sweep(tables, heads, noted + A_MONTH) == 0
    assert sweep(tables, heads, noted + A_MONTH + A_MONTH) == 3


def test_certificates_are_never_swept(empty_home: Home) -> None:
    home = empty_home
    child, _ = a_child(home)
    home.writer_keys().destroy(child, uuid4())
    tables = (home.keyring, home.shielded)
    noted = home.clock.now() + A_LONG_TIME
    for when in (noted, noted + A_MONTH, noted + 2 * A_MONTH):
        sweep(tables, lambda streams: {s: 1 for s in streams if s != child}, when)
    assert len(home.key_rows(child)) == 3


# Tokens


def test_tokens_differ_by_label_and_by_value_and_by_home(home: Home) -> None:
    tokens: Tokens = SystemTokens(home.service_keys())
    value = b"nhs-number:9000000009"
    assert tokens.token("nhs-number", value) == SystemTokens(home.writer_keys()).token("nhs-number", value)
    every = {tokens.token(label, v) for label in ("nhs-number", "suppression") for v in (value, value + b" ")}
    assert len(every) == 4
    assert {len(token) for token in every} == {32}
    with pytest.raises(KeyError):
        tokens.token("unlisted", value)


def test_a_digest_of_a_child_dies_with_it(home: Home) -> None:
    child, _ = a_child(home)
    keys = home.writer_keys()
    first = child_digest(keys, child, b"display")
    assert first == child_digest(keys, child, b"display")
    assert first != child_digest(keys, a_child(home)[0], b"display")
    certificate = uuid4()
    keys.destroy(child, certificate)
    assert child_digest(keys, child, b"display") == Forgotten(certificate)


# Two keys under one name: it cannot be told which of them events are under


def other_key(home: Home, child: UUID) -> KeyRow:
    """A row of `shielded` for content key 1 that opens, to another key."""
    generation, key = home.shielded_kek.newest()
    name = content(child)
    return row(name, wrap(key, b"\x07" * 32, *name, generation, bytes(12)), generation)


def test_two_open_keys_under_one_name_are_damage_and_neither_is_lost(home: Home) -> None:
    child, raw = a_child(home)
    home.shielded.add(lambda: [other_key(home, child)])
    for move in (home.writer_keys().move_in, home.writer_keys().move_out):
        with pytest.raises(DamagedStream):
            move(child)
        assert states(home, child)[0] == raw[content(child)]
        assert home.shielded_rows(child)[1] == other_key(home, child)


def test_a_destruction_that_died_half_way_is_completed_by_a_shield_too(home: Home) -> None:
    child, _ = a_child(home)
    certificate = uuid4()
    home.shielded.add(lambda: [other_key(home, child)])
    home.shielded.forget(content(child), certificate)
    home.writer_keys().move_in(child)
    assert states(home, child) == [Forgotten(certificate), HIDDEN]


def test_what_is_remembered_of_a_key_is_forgotten_when_it_moves(home: Home) -> None:
    child, _ = a_child(home)
    keys = home.writer_keys()
    keys.open([child])
    keys.ensure([Wanted(content(child), shielded=True)])
    assert keys.open([child])[child].get(KeyKind.CONTENT, 1) == HIDDEN


def test_a_generation_is_not_destroyed_while_a_key_is_under_it(empty_home: Home) -> None:
    table, destroyed = empty_home.keyring, []
    name = content(uuid4())
    table.add(lambda: [row(name, generation=1)])
    assert not table.finish(2, lambda: destroyed.append(1))
    assert table.finish(1, lambda: destroyed.append(2))
    table.vacate(name.subject, 1)
    assert table.finish(2, lambda: destroyed.append(3))
    assert destroyed == [2, 3]


def test_the_end_of_a_rotation_waits_for_keys_that_are_being_made(empty_home: Home) -> None:
    table, asked, go_on = empty_home.keyring, Event(), Event()

    def slowly() -> list[KeyRow]:
        asked.set()
        assert go_on.wait(20)
        return [row(content(uuid4()), generation=1)]

    with ThreadPoolExecutor(2) as pool:
        making = pool.submit(table.add, slowly)
        assert asked.wait(20)
        ending = pool.submit(table.finish, 2, lambda: None)
        with pytest.raises(TimeoutError):
            ending.result(timeout=0.3)
        go_on.set()
        assert making.result(20) == 1
        assert ending.result(20) is False


def test_whose_keys_are_left_is_counted_and_listed_once_each(home: Home) -> None:
    before = home.keyring.children()
    one, gone = a_child(home, 3)[0], a_child(home)[0]
    home.writer_keys().make([Wanted(KeyName(uuid4(), KeyKind.STAFF, 0))])
    assert home.keyring.children() == before + 2
    home.writer_keys().destroy(gone, uuid4())
    assert home.keyring.children() == before + 1
    for page in (1, 2, 5000):  # so that the keys of one child stand on one page, on two, or beside all others
        listed = [subject for part in remaining(home.keyring, page) for subject in part]
        assert one in listed
        assert gone not in listed
        assert len(set(listed)) == len(listed)
