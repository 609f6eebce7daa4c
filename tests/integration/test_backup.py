"""Backups and restores, rotation and the sweep: what survives, what must not, and what is refused."""

import hashlib
import json
import shutil
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from threading import Thread
from time import sleep
from uuid import UUID, uuid4

import pytest

from adapters.faults import FaultAt
from adapters.keys.cipher import wrap
from adapters.keys.kek import KekFiles
from adapters.memory.publications import MemorySubscribers
from adapters.postgres.backup import backup, restore
from adapters.postgres.databases import Role
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.publications import PostgresPublications
from adapters.publisher import Publisher
from cli.bootstrap import open_app
from cli.initialise import prepare_databases
from domain.child_record.commands import RaiseShield
from domain.child_record.events import SourceKind
from domain.child_record.handlers import handle
from domain.errors import Unavailable
from domain.ports import Again, Message
from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import a_child, born, registered

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

READERS = ("practitioner", "teacher", "social-worker", "data-manager")
VIEWS = ("practitioner_view", "audit_trail", "retention_schedule", "match_index")


def backed_up(line: Line, name: str) -> Path:
    """A backup of a home, beside it."""
    folder = line.home.with_name(f"{line.home.name}-{name}")
    line.done("backup", str(folder))
    return folder


def with_kek_of(line: Line, other: Line) -> Line:
    """Another home, to which the key-encryption keys of a home were brought by hand."""
    other.clock = line.clock
    shutil.copytree(line.home / "kek", other.home / "kek", dirs_exist_ok=True)
    return other


def test_records_keys_shields_and_looks_survive_and_the_views_are_built_again(
    line: Line, restored: Restored
) -> None:
    one, hidden, sensitive = a_child(), a_child(), a_child()
    plain, shielded, noticed = born(line, one), born(line, hidden), born(line, sensitive)
    line.record("involve", noticed, "--service", "Harbour clinic", "--kind", "sensitive")
    line.record("assign-authority", shielded, "--authority", "E06000999", acting="data-manager")
    line.record("shield", shielded, "--ground", "crime", acting="social-worker")
    look = line.show(plain, acting="teacher")

    other = restored(line)

    for child, of in ((plain, one), (shielded, hidden), (noticed, sensitive)):
        for who in READERS:
            assert other.shown(child, who) == line.shown(child, who)
            assert other.found(*of.criteria, acting=who) == line.found(*of.criteria, acting=who)
    assert other.shown(shielded, "data-manager")["address"]["postcode"] == hidden.postcode
    assert other.found("--name", hidden.name, "--postcode", hidden.postcode) == []
    replayed = other.done("audit", "replay", look["access_id"])
    assert (replayed["as_displayed"], replayed["digest_matches"]) == (look["record"], True)
    for view in VIEWS:
        compared = other.done("projection", "compare", view)
        assert compared["rows"] > 0
        assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)
    other.done("health")


def test_a_restored_home_goes_on_where_the_other_stood(line: Line, restored: Restored) -> None:
    one, hidden = a_child(), a_child()
    child, shielded = born(line, one), born(line, hidden)
    line.record("shield", shielded, "--ground", "crime", acting="social-worker")
    other = restored(line)

    other.record("involve", child, "--service", "Health visiting", "--kind", "universal")
    other.done("record", "lift-shield", shielded, acting="data-manager", second="data-manager-2")
    again = other.births(one.entry, hidden.entry)

    assert [involved["service"] for involved in other.shown(child)["involvements"]] == ["Health visiting"]
    assert other.shown(shielded)["address"]["postcode"] == hidden.postcode
    assert (again["registered"], again["events"], again["unchanged"]) == (0, 0, 2), (
        "the feed's keys came with it"
    )
    assert other.shown(born(other, a_child()))
    assert line.shown(child)["involvements"] == [], "and the other home knows nothing of it"


def test_no_key_encryption_key_and_no_personal_value_is_in_a_backup(line: Line) -> None:
    one = a_child()
    born(line, one)

    folder = backed_up(line, "searched")

    secrets = [path.read_text("ascii").strip() for path in (line.home / "kek").iterdir()]
    assert len(secrets) == 2
    marks = [mark for secret in secrets for mark in (secret.encode(), bytes.fromhex(secret))]
    marks += [
        value.encode()
        for value in (one.family, one.given, one.street, one.postcode, one.nhs, one.born.isoformat())
    ]
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(contents) > 10
    assert [name for name, content in contents.items() for mark in marks if mark in content] == []


@pytest.fixture(scope="module")
def untouched(line: Line, bare_home: NewHome) -> Line:
    """A home into which nothing is ever brought, with the right key-encryption keys."""
    return with_kek_of(line, bare_home())


def test_without_the_right_key_encryption_keys_nothing_is_restored(line: Line, bare_home: NewHome) -> None:
    child = born(line, a_child())
    folder, other = backed_up(line, "without"), bare_home()

    none_there = other("restore", str(folder))
    (other.home / "kek").mkdir(parents=True)
    for path in (line.home / "kek").iterdir():
        (other.home / "kek" / path.name).write_text("00" * 32)
    wrong_ones = other("restore", str(folder))

    for refused in (none_there, wrong_ones):
        assert (refused.status, set(refused.json)) == (3, {"error"})
        assert "kek" in refused["error"]["message"]
    assert other.heads() == (0, 0)
    assert with_kek_of(line, other)("restore", str(folder)).status == 0, "and once they are there, it is"
    assert other.shown(child) == line.shown(child)


def test_a_home_with_records_is_not_restored_into(line: Line, new_home: NewHome) -> None:
    folder, other = backed_up(line, "twice"), new_home()
    child = born(other, a_child())
    before, seen = other.heads(), without_access(other.show(child))

    other.refused("home-not-empty", "restore", str(folder))

    assert other.heads() == (before[0], before[1] + 1), "one look, and nothing else"
    assert without_access(other.show(child)) == seen


@pytest.mark.parametrize(
    "how", ["altered", "cut off", "missing", "no manifest", "manifest altered", "another form"]
)
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_brought_in(
    line: Line, untouched: Line, how: str
) -> None:
    born(line, a_child())
    folder = backed_up(line, how.replace(" ", "-"))
    file, manifest = folder / "keyring.keys.key.copy", folder / "manifest.json"
    match how:
        case "altered":
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(bytes(content))
        case "cut off":
            file.write_bytes(file.read_bytes()[:-30])
        case "missing":
            file.unlink()
        case "no manifest":
            manifest.unlink()
        case "manifest altered":
            manifest.write_text(manifest.read_text()[:-40])
        case _:
            manifest.write_text(manifest.read_text().replace('"form": 1', '"form": 7'))
    refused = untouched("restore", str(folder))

    assert (refused.status, refused.code in ("damaged-backup", "no-backup")) == (2, True), refused.json
    assert untouched.heads() == (0, 0)


# What subscribers were told


def told(line: Line, *, acknowledged: bool = True) -> list[Message]:
    """What arrives at subscribers when all that is left is published; or what is on its way when that fails."""
    subscribers = MemorySubscribers()
    subscribers.away = not acknowledged
    with open_app(line.home, line.settings) as app, closing(PostgresLogReader(line.behind.record)) as log:
        stores = app.streaming.stores
        with closing(PostgresPublications(line.behind.record)) as publications:
            publisher = Publisher(
                log=log,
                open=stores.store(Role.PUBLISHER).load_many,
                publications=publications,
                subscribers=subscribers,
                rules=app.book,
                clock=stores.clock,
            )
            fence = publications.lead(60.0)
            assert fence is not None
            with suppress(Unavailable):
                while publisher.step(fence):
                    pass
            publications.resign(fence)
            return subscribers.arrived if acknowledged else publications.pending()


def sent(line: Line) -> list[Message]:
    """What is kept, to be sent again."""
    with closing(PostgresPublications(line.behind.record)) as publications:
        return publications.sent(Again(), (-1, 0), 1000)


def test_a_restored_home_numbers_nothing_again(new_home: NewHome, bare_home: NewHome) -> None:
    line = new_home()
    born(line, a_child())
    before = told(line)
    born(line, a_child())
    on_their_way = told(line, acknowledged=False)
    folder = backed_up(line, "published")
    born(line, a_child())
    since = told(line)[len(on_their_way) :]
    assert before
    assert on_their_way
    assert since

    other = with_kek_of(line, bare_home())
    other.done("restore", str(folder))

    assert sent(other) == sorted(before, key=lambda one: (one.partition, one.number)), "it can be sent again"
    assert told(other) == on_their_way, "sent again as they were numbered, and nothing told twice besides"
    born(other, a_child())
    first = told(other)
    assert first
    numbers = {(one.partition, one.number) for one in (*before, *on_their_way, *since)}
    with closing(PostgresPublications(other.behind.record)) as publications:
        last = publications.numbers()
    assert all(number < last[partition] for partition, number in numbers), "in every partition, used or not"
    assert all(one.number > max(number for _, number in numbers) for one in first)


def test_the_numbers_of_a_home_restored_twice_from_one_backup_differ(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    taken: list[list[int]] = []
    with closing(PostgresPublications(line.behind.record)) as publishing:
        assert publishing.lead(3600.0), (
            "somebody publishes while the backup is made; not in the homes made of it"
        )
        folder = backed_up(line, "once")
        for _ in range(2):
            other = with_kek_of(line, bare_home())
            other.done("restore", str(folder))
            born(other, a_child())
            taken.append([one.number for one in told(other)])
    assert all(taken)
    assert max(taken[0]) < min(taken[1])


def test_a_backup_of_an_earlier_version_knows_of_no_messages(new_home: NewHome, bare_home: NewHome) -> None:
    line = new_home()
    born(line, a_child())
    before = told(line)
    folder = backed_up(line, "earlier")
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in [name for name in manifest["files"] if name.startswith("record.publication.")]:
        del manifest["files"][name]
        (folder / name).unlink()
    (folder / "manifest.json").write_text(json.dumps(manifest))

    other = with_kek_of(line, bare_home())
    other.done("restore", str(folder))
    again = told(other)

    assert [one.event_id for one in again] == [one.event_id for one in before], "told again, by the same ids"
    assert min(one.number for one in again) > max(one.number for one in before)


# What happens while a backup is made


def test_a_backup_is_of_one_instant_whatever_happens_while_the_parts_are_copied(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    one, hidden, gone = a_child(), a_child(), a_child(born=date(2009, 5, 1))
    child, lifted, destroyed = born(line, one), born(line, hidden), registered(line, gone)
    line.record("shield", lifted, "--ground", "crime", acting="social-worker")
    line.clock = datetime(2027, 5, 1, 9, tzinfo=UTC)
    line.done("retention", "run")
    instant = line.heads()

    def changed() -> None:
        line.record("shield", child, "--ground", "crime", acting="social-worker")
        line.done("record", "lift-shield", lifted, acting="data-manager", second="data-manager-2")
        line.clock = datetime(2033, 5, 1, 9, tzinfo=UTC)
        assert line.done("retention", "run")["destroyed"] == 1, "nobody waits for the copies"

    folder = line.home.with_name(f"{line.home.name}-while-copied")
    made = backup(line.behind, folder, training=True, reach=FaultAt("backup.record-copied", action=changed))

    other = with_kek_of(line, bare_home())
    other.clock = datetime(2027, 5, 1, 10, tzinfo=UTC)
    answer = other.done("restore", str(folder))
    assert (made.position, made.access_position) == other.heads() == instant
    assert (answer["shields"], answer["destroyed"]) == (1, 0)
    assert datetime.fromisoformat(answer["as_of"]) < datetime(2027, 5, 1, 10, tzinfo=UTC)
    assert other.shown(child)["address"]["postcode"] == one.postcode
    assert "address" not in other.shown(lifted)
    assert other.shown(destroyed, "data-manager")["name"]["family"] == gone.family
    assert content_keys(other, child, lifted, destroyed) == {
        "keyring": {child: [True], lifted: [False, False], destroyed: [True]},
        "shielded": {lifted: [True, True]},
    }
    other.done("health")
    other.record("shield", child, "--ground", "crime", acting="social-worker")
    other.done("record", "lift-shield", child, acting="data-manager", second="data-manager-2")
    other.done("record", "lift-shield", lifted, acting="data-manager", second="data-manager-2")
    assert other.shown(child)["address"]["postcode"] == one.postcode
    assert other.shown(lifted)["address"]["postcode"] == hidden.postcode


def test_no_key_moves_before_the_instant_of_a_backup_and_restoring_makes_good_what_the_log_says(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    hidden = a_child()
    child = born(line, hidden)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    lifting = Thread(
        target=lambda: line.done(
            "record", "lift-shield", child, acting="data-manager", second="data-manager-2"
        )
    )

    def lifted() -> None:
        before = line.heads()
        lifting.start()
        while line.heads()[0] == before[0]:
            sleep(0.05)
        sleep(0.3)
        assert lifting.is_alive(), "recorded, and acknowledged only when its keys have moved"

    folder = line.home.with_name(f"{line.home.name}-while-held")
    backup(line.behind, folder, training=True, reach=FaultAt("backup.held", action=lifted))
    lifting.join(10)

    assert not lifting.is_alive(), "and it goes on while the parts are copied"
    assert line.shown(child)["address"]["postcode"] == hidden.postcode
    other = with_kek_of(line, bare_home())
    other.done("restore", str(folder))
    assert other.shown(child)["address"]["postcode"] == hidden.postcode
    assert content_keys(other, child) == {"keyring": {child: [True, True]}, "shielded": {}}


def test_a_backup_is_not_begun_while_keys_are_changed_without_a_pause(line: Line) -> None:
    folder = line.home.with_name(f"{line.home.name}-busy")
    with line.as_superuser("shielded") as busy, busy.transaction():
        busy.execute("LOCK TABLE keys.key IN ROW EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="Try again") as told:
            backup(line.behind, folder, training=True, hold_seconds=1)
    assert told.value.code == "keys-busy"
    assert list(folder.iterdir()) == []
    backup(line.behind, folder, training=True)


def test_a_hold_that_lasts_too_long_is_ended_by_the_server_and_the_backup_is_none(line: Line) -> None:
    folder = line.home.with_name(f"{line.home.name}-long")
    with pytest.raises(Unavailable):
        backup(
            line.behind,
            folder,
            training=True,
            hold_seconds=1,
            reach=FaultAt("backup.held", action=lambda: sleep(2)),
        )
    assert not (folder / "manifest.json").exists()
    assert born(line, a_child()), "and whoever waited goes on"


def content_keys(line: Line, *children: str) -> dict[str, dict[str, list[bool]]]:
    """Of each key database, the content keys of these children by number: whether each is there to be opened."""
    found: dict[str, dict[str, list[bool]]] = {}
    for database in ("keyring", "shielded"):
        with line.as_superuser(database) as connection:
            rows = connection.execute(
                "SELECT subject::text, array_agg(wrapped IS NOT NULL ORDER BY number) FROM keys.key "
                "WHERE kind = 2 AND subject = ANY (%s::uuid[]) GROUP BY subject",
                (list(children),),
            ).fetchall()
        found[database] = dict(rows)
    return found


# What a restore applies


def test_a_shield_that_is_in_the_log_alone_is_applied_before_anything_is_served(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    one, untouched = a_child(), a_child()
    child, other_child = born(line, one), born(line, untouched)
    shielded_and_died(line, child)
    assert content_keys(line, child)["keyring"] == {child: [True, False]}
    folder = backed_up(line, "unmoved")

    other = with_kek_of(line, bare_home())
    brought_back(other, folder)
    for words in (("show", child, "--reason", "casework"), ("init", "--training"), ("stream", "status")):
        other.refused("restore-unfinished", *words, acting="practitioner", status=3)
    assert other("health").status == 1
    answer = other.done("restore", str(folder))

    assert answer["shields"] == 1
    assert content_keys(other, child) == {
        "keyring": {child: [False, False]},
        "shielded": {child: [True, True]},
    }
    assert "address" not in other.shown(child)
    assert other.shown(other_child) == line.shown(other_child)
    other.done("health")
    other.refused("home-not-empty", "restore", str(folder))


def shielded_and_died(line: Line, child: str) -> None:
    """A shield raised by a process that dies before it has moved the older keys."""
    with open_app(line.home, line.settings) as app:
        handle(
            UUID(child),
            RaiseShield(at=app.now(), shield=uuid4(), ground="crime", source_kind=SourceKind.OFFICER),
            store=app.writing.store,
            tokens=app.writing.tokens,
            rules=app.rules,
            metadata=app.metadata(app.viewer("social-worker")),
        )


def brought_back(line: Line, folder: Path) -> None:
    """The rows of a backup, by a restore that was cut off before it applied anything."""
    prepare_databases(line.home, line.settings, training=True)
    restore(line.behind, folder, lambda *_: None)


def test_another_backup_does_not_finish_a_restore_that_was_cut_off(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    first = backed_up(line, "first")
    born(line, a_child())
    second = backed_up(line, "second")
    other = with_kek_of(line, bare_home())
    brought_back(other, second)

    other.refused("home-not-empty", "restore", str(first))

    assert other.done("restore", str(second))["position"] == line.heads()[0]


def test_a_certificate_in_the_log_destroys_the_keys_that_an_older_copy_brings_back(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    one, untouched = a_child(born=date(2009, 5, 1)), a_child()
    child, other_child = registered(line, one), registered(line, untouched)
    line.clock = datetime(2027, 5, 1, 9, tzinfo=UTC)
    line.done("retention", "run")
    keys = backed_up(line, "keys-before-a-destruction")
    line.clock = datetime(2033, 5, 1, 9, tzinfo=UTC)
    line.done("retention", "run")
    folder = recomposed(backed_up(line, "log-after-a-destruction"), keys)

    other = with_kek_of(line, bare_home())
    answer = other.done("restore", str(folder))

    assert answer["destroyed"] == 1
    with other.as_superuser("keyring") as connection:
        left = connection.execute(
            "SELECT count(*) FILTER (WHERE wrapped IS NOT NULL), count(DISTINCT certificate) FROM keys.key "
            "WHERE subject = %s",
            (child,),
        ).fetchone()
    assert left == (0, 1)
    other.unseen(child, acting="data-manager")
    assert one.family.lower() not in str(other.view_rows()).lower()
    assert other.shown(other_child)["name"] == line.shown(other_child)["name"]


def test_a_shield_in_the_log_moves_the_keys_of_an_older_copy_that_lacks_its_newest(
    new_home: NewHome, bare_home: NewHome
) -> None:
    line = new_home()
    child = born(line, a_child())
    keys = backed_up(line, "keys-before-a-shield")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    folder = recomposed(backed_up(line, "log-after-a-shield"), keys)

    other = with_kek_of(line, bare_home())
    assert other.done("restore", str(folder))["shields"] == 1

    assert content_keys(other, child) == {"keyring": {child: [False]}, "shielded": {child: [True]}}
    assert other("show", child, "--reason", "casework", acting="practitioner").status != 0
    assert other("health").status == 1, "its stream lacks a key"


# The record of one instant with the keys of another: copies that somebody has put together, not a backup's


def recomposed(record_of: Path, keys_of: Path) -> Path:
    """A backup whose record was copied at one instant and its keys at a later one."""
    folder = record_of.with_name(f"{record_of.name}-and-{keys_of.name}")
    folder.mkdir()
    manifest = json.loads((record_of / "manifest.json").read_text())
    for name in manifest["files"]:
        shutil.copy((record_of if name.startswith("record.") else keys_of) / name, folder / name)
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_shield_that_only_the_keys_know_of_shows_no_more_than_a_shield(
    line: Line, bare_home: NewHome
) -> None:
    one, untouched = a_child(), a_child()
    child, other_child = born(line, one), born(line, untouched)
    first = backed_up(line, "before-a-shield")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    folder = recomposed(first, backed_up(line, "after-a-shield"))

    other = with_kek_of(line, bare_home())
    other.done("restore", str(folder))

    record = other.shown(child)
    assert set(record) == {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}
    assert other.found(*one.criteria) == [record]
    assert other.found("--name", one.name, "--postcode", one.postcode) == []
    assert other.shown(other_child) == line.shown(other_child)
    other.done("health")
    # Raising it again, as its officer will, makes log and keys agree; two people may then lower it.
    other.record("shield", child, "--ground", "crime", acting="social-worker")
    other.done("record", "lift-shield", child, acting="data-manager", second="data-manager-2")
    assert other.shown(child)["address"]["postcode"] == one.postcode


def test_a_destruction_that_only_the_keys_know_of_stays_done(new_home: NewHome, bare_home: NewHome) -> None:
    line = new_home()
    one, untouched = a_child(born=date(2009, 5, 1)), a_child()
    child, other_child = registered(line, one), registered(line, untouched)
    line.clock = datetime(2027, 5, 1, 9, tzinfo=UTC)
    line.done("retention", "run")
    first = backed_up(line, "before-a-destruction")
    line.clock = datetime(2033, 5, 1, 9, tzinfo=UTC)
    assert line.done("retention", "run")["destroyed"] == 1
    folder = recomposed(first, backed_up(line, "after-a-destruction"))

    other = with_kek_of(line, bare_home())
    other.done("restore", str(folder))

    other.unseen(child)
    other.unseen(child, acting="data-manager")
    assert other.found(*one.criteria) == []
    assert other.shown(other_child)["name"] == line.shown(other_child)["name"]
    other.done("health")


def test_what_was_destroyed_stays_destroyed_in_a_restored_home(new_home: NewHome, restored: Restored) -> None:
    line = new_home()
    one = a_child(born=date(2009, 5, 1))
    child = registered(line, one)
    look = line.show(child)
    line.clock = datetime(2027, 5, 1, 9, tzinfo=UTC)
    line.done("retention", "run")
    line.clock = datetime(2033, 5, 1, 9, tzinfo=UTC)
    line.done("retention", "run")

    other = restored(line)

    other.unseen(child)
    other.refused("destroyed", "audit", "replay", look["access_id"], acting="auditor")
    assert [entry["action"] for entry in other.done("audit", "who-saw", child)["entries"]][-1:] == ["search"]


# Rotation and the sweep


def test_after_a_rotation_an_older_backup_is_useless_and_a_fresh_one_is_not(
    new_home: NewHome, bare_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    hidden = a_child()
    child, shielded = born(line, a_child()), born(line, hidden)
    line.record("shield", shielded, "--ground", "crime", acting="social-worker")
    destroyed = born(line, a_child())
    old = backed_up(line, "old")
    why = ("--reason", "unlawful")
    line.done("retention", "destroy", destroyed, *why, acting="operator", second="operator-2")
    seen = {who: without_access(line.show(child, who)) for who in READERS}
    old_keks = {path.name for path in (line.home / "kek").iterdir()}

    rewrapped = line.done("keys", "rotate")["rewrapped"]

    assert rewrapped >= 6
    assert {path.name for path in (line.home / "kek").iterdir()}.isdisjoint(old_keks)
    assert {who: without_access(line.show(child, who)) for who in READERS} == seen
    useless = with_kek_of(line, bare_home())
    refused = useless("restore", str(old))
    assert (refused.status, set(refused.json)) == (3, {"error"}), refused.json
    assert "kek" in refused["error"]["message"]
    assert useless.heads() == (0, 0), "and nothing half done"
    other = restored(line)
    for home in (line, other):
        home.unseen(destroyed)
    assert {who: without_access(other.show(child, who)) for who in READERS} == seen
    other.done("record", "lift-shield", shielded, acting="data-manager", second="data-manager-2")
    assert other.shown(shielded)["address"]["postcode"] == hidden.postcode


def test_a_key_without_a_stream_is_swept_after_thirty_days_and_no_other(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    one, hidden = a_child(), a_child()
    child, shielded = born(line, one), born(line, hidden)
    line.record("shield", shielded, "--ground", "crime", acting="social-worker")
    for database in ("keyring", "shielded"):
        generation, kek = KekFiles(line.home / "kek", database).newest()
        name = (uuid4(), 2, 1)
        wrapped = wrap(kek, token_bytes(32), *name, generation, token_bytes(12))
        with line.as_superuser(database) as connection:
            connection.execute(
                "INSERT INTO keys.key (subject, kind, number, generation, wrapped) VALUES (%s, %s, %s, %s, %s)",
                (*name, generation, wrapped),
            )

    assert line.done("keys", "sweep")["removed"] == 0, "noted"
    line.clock += timedelta(days=29)
    assert line.done("keys", "sweep")["removed"] == 0, "not yet"
    copy = restored(line)
    line.clock += timedelta(days=2)
    assert line.done("keys", "sweep")["removed"] == 2
    assert line.done("keys", "sweep")["removed"] == 0
    assert line.shown(child)["address"]
    line.done("record", "lift-shield", shielded, acting="data-manager", second="data-manager-2")
    assert line.shown(shielded)["address"]

    copy.clock = line.clock
    assert copy.done("keys", "sweep")["removed"] == 0, "after a restore the thirty days begin anew"
    copy.clock += timedelta(days=31)
    assert copy.done("keys", "sweep")["removed"] == 2
