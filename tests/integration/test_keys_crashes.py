"""kill -9 at every point of what is done to keys: doing the same again ends right, and nothing is lost or laid open.

The points are those that each scenario says it passes; a run that is killed is a process of its own.
"""

import os
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import pytest

from adapters.faults import FaultAt, Reach
from adapters.key_rows import KeyKind, KeyName, KeyTable
from adapters.keys.kek import ROTATION_POINTS, RotatableKek, rotate
from adapters.keys.key_store import KeyStore, Wanted
from adapters.keys.sweep import sweep
from adapters.postgres.databases import Databases
from adapters.postgres.key_table import PostgresKeyring, PostgresShielded
from domain.child_record.events import (
    AddressAsserted,
    ChildRegistered,
    NoKnownAddress,
    ShieldLifted,
    ShieldRaised,
    SourceKind,
)
from domain.kernel import Change, Event, ForgottenEvent, Metadata, Pending, StreamKind
from tests.homes import Home, memory_home, postgres_home
from tests.postgres import MakeDatabases

pytestmark = pytest.mark.postgres

METADATA: Final = Metadata(actor=UUID(int=7), correlation=UUID(int=8))
REGISTERED: Final = ChildRegistered(index_number="J5TWDX0000Y", source_kind=SourceKind.BIRTHS, rule_set="x")
ADDRESS: Final = AddressAsserted(
    source_kind=SourceKind.PDS, effective=date(2026, 1, 1), whereabouts=NoKnownAddress()
)
SHIELD: Final = ShieldRaised(
    shield=UUID(int=9), source_kind=SourceKind.AUTHORITY, rule_set="x", ground="child-at-risk"
)
LIFTED: Final = ShieldLifted(
    shields=(SHIELD.shield,), rule_set="x", reason="over", proposed_by=UUID(int=1), confirmed_by=UUID(int=2)
)
CERTIFICATE: Final = UUID(int=11)
DAYS: Final = timedelta(days=3650)


def change(child: UUID, *events: Event, after: int = 0, key: int = 1, shielded: bool = False) -> Change:
    pending = tuple(Pending(event, key) for event in events)
    return Change(child, StreamKind.CHILD, after, pending, shielded)


def opened(home: Home, child: UUID) -> list[Event]:
    """The stream as the writer sees it."""
    return [recorded.event for recorded in home.writer().load(child).events]


def served(home: Home, child: UUID) -> list[str]:
    """The stream as the service sees it."""
    return [recorded.event.NAME for recorded in home.service().load(child).events]


def places(home: Home, child: UUID) -> tuple[set[int], set[int]]:
    """Numbers of the content keys that are open in `keyring`, and in `shielded`."""
    ring = {n for (kind, n), row in home.key_rows(child).items() if kind == KeyKind.CONTENT and row.wrapped}
    return ring, {number for number, row in home.shielded_rows(child).items() if row.wrapped}


@dataclass(frozen=True)
class Scenario:
    """prepare: before. run: what is killed, and then done again. ends: what must be so in the end."""

    name: str
    prepare: Callable[[Home, UUID], object]
    run: Callable[[Home, UUID], object]
    ends: Callable[[Home, UUID], bool]


def _register(home: Home, child: UUID) -> None:
    if not home.writer().heads([child]):
        home.writer().append([change(child, REGISTERED, ADDRESS)], METADATA)


def _register_shielded(home: Home, child: UUID) -> None:
    if not home.writer().heads([child]):
        home.writer().append([change(child, REGISTERED, SHIELD, ADDRESS, shielded=True)], METADATA)


def _shield(home: Home, child: UUID) -> None:
    """Raise the shield, move the keys, then acknowledge."""
    if home.writer().heads([child]) == {child: 2}:
        home.writer().append([change(child, SHIELD, after=2, key=2, shielded=True)], METADATA)
    home.writer().apply_shield(child)


def _lift(home: Home, child: UUID) -> None:
    if home.writer().heads([child]) == {child: 3}:
        home.writer().append([change(child, LIFTED, after=3, key=2, shielded=True)], METADATA)
    home.writer_keys().move_out(child)


def _destroy(home: Home, child: UUID) -> None:
    home.writer_keys().destroy(child, CERTIFICATE)


def _rotate(home: Home, _: UUID) -> None:
    for kek, table in ((home.keyring_kek, home.keyring), (home.shielded_kek, home.shielded)):
        rotate(kek, table, reach=home.reach)


def _orphan(home: Home, child: UUID) -> None:
    wanted = [
        Wanted(KeyName(child, KeyKind.IDENTITY, 0)),
        Wanted(KeyName(child, KeyKind.CONTENT, 1), shielded=True),
    ]
    home.writer_keys().make(wanted)
    sweep((home.keyring, home.shielded), home.record.heads, home.clock.now() + DAYS)


def _sweep(home: Home, _: UUID) -> None:
    sweep((home.keyring, home.shielded), home.record.heads, home.clock.now() + DAYS + timedelta(days=31))


def _shielded(home: Home, child: UUID) -> None:
    _register(home, child)
    _shield(home, child)


def _is_forgotten(home: Home, child: UUID) -> bool:
    rows = [*home.keyring.read([child]), *home.shielded.read([child])]
    return set(opened(home, child)) == {ForgottenEvent(certificate=CERTIFICATE)} and {
        (row.wrapped, row.certificate) for row in rows
    } == {(None, CERTIFICATE)}


def _is_rotated(home: Home, child: UUID) -> bool:
    """One generation in each database, every row under it, and everything still opens."""
    sides: tuple[tuple[RotatableKek, KeyTable], ...] = (
        (home.keyring_kek, home.keyring),
        (home.shielded_kek, home.shielded),
    )
    for kek, table in sides:
        if {row.generation for row in table.read([child]) if row.wrapped} != set(kek.generations()):
            return False
    return opened(home, child) == [REGISTERED, ADDRESS, SHIELD]


SCENARIOS: Final = (
    Scenario(
        "register",
        lambda home, child: None,
        _register,
        lambda home, child: (
            opened(home, child) == [REGISTERED, ADDRESS]
            and served(home, child) == ["child-registered", "address-asserted"]
            and places(home, child) == ({1}, set())
        ),
    ),
    Scenario(
        "register shielded",
        lambda home, child: None,
        _register_shielded,
        lambda home, child: (
            opened(home, child) == [REGISTERED, SHIELD, ADDRESS]
            and served(home, child)[2] == "concealed"
            and places(home, child) == (set(), {1})
        ),
    ),
    Scenario(
        "shield",
        _register,
        _shield,
        lambda home, child: (
            opened(home, child) == [REGISTERED, ADDRESS, SHIELD]
            and served(home, child)[1] == "concealed"
            and places(home, child) == (set(), {1, 2})
        ),
    ),
    Scenario(
        "lift",
        _shielded,
        _lift,
        lambda home, child: (
            opened(home, child) == [REGISTERED, ADDRESS, SHIELD, LIFTED]
            and served(home, child)[1] == "address-asserted"
            and places(home, child) == ({1, 2}, set())
        ),
    ),
    Scenario("destroy", _register, _destroy, _is_forgotten),
    Scenario("destroy shielded", _shielded, _destroy, _is_forgotten),
    Scenario("rotate", _shielded, _rotate, _is_rotated),
    Scenario(
        "sweep",
        _orphan,
        _sweep,
        lambda home, child: not home.keyring.read([child]) and not home.shielded.read([child]),
    ),
)


def _killed(
    databases: Databases, folder: Path, child: UUID, run: Callable[[Home, UUID], object], fault: Reach
) -> bool:
    """Run in a process of its own, which the fault ends. Whether it did."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # threads are not taken along, and none are needed
        process = os.fork()
    if process == 0:
        try:
            run(postgres_home(databases, folder, reach=fault), child)
        finally:
            os._exit(1)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_whatever_is_killed_is_completed_by_doing_it_again(
    scenario: Scenario, make_databases: MakeDatabases, tmp_path: Path
) -> None:
    databases = make_databases()
    passed: list[str] = []
    home = postgres_home(databases, tmp_path, reach=passed.append)
    quiet = postgres_home(databases, tmp_path)
    try:
        _tried(
            scenario,
            home,
            quiet,
            passed,
            lambda child, fault: _killed(databases, tmp_path, child, scenario.run, fault),
        )
    finally:
        home.close()
        quiet.close()


def _tried(
    scenario: Scenario, home: Home, quiet: Home, passed: list[str], killed: Callable[[UUID, Reach], bool]
) -> None:
    first = uuid4()
    scenario.prepare(home, first)
    passed.clear()
    scenario.run(home, first)
    assert scenario.ends(home, first)
    points = list(passed)
    assert points
    for at, point in enumerate(points):
        child, nth = uuid4(), points[: at + 1].count(point)
        scenario.prepare(quiet, child)
        assert killed(child, FaultAt(point, nth)), point
        assert not _laid_open(quiet, child), point
        scenario.run(quiet, child)
        assert scenario.ends(quiet, child), point


def _laid_open(home: Home, child: UUID) -> bool:
    """Whether the service may read an address of a record that the log says is shielded."""
    events = opened(home, child)
    if SHIELD not in events or LIFTED in events:
        return False
    return "address-asserted" in served(home, child)


def test_every_point_is_tried() -> None:
    """The lists that the code gives of itself are what the scenarios pass, but for those tried by name elsewhere."""
    listed = {
        *KeyStore.FAULT_POINTS,
        *PostgresKeyring.FAULT_POINTS,
        *PostgresShielded.FAULT_POINTS,
        *ROTATION_POINTS,
    }
    passed: set[str] = set()
    home = replace(memory_home(), reach=passed.add)
    for scenario in SCENARIOS:
        child = uuid4()
        scenario.prepare(home, child)
        scenario.run(home, child)
    in_tables = {point for point in listed if point.endswith((".before", ".after"))}
    assert listed - in_tables == passed
    assert in_tables == {
        f"keys.{verb}.{side}"
        for verb in ("insert", "mark", "restore", "drop", "forget", "rewrap", "sweep")
        for side in ("before", "after")
    }
