"""F. The whole index is closed: T60. Out at the minute, everything destroyed within two months and certified."""

import shutil
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from cli.bootstrap import open_app
from domain.kernel import Log
from tests.acceptance.command_lines import COMMANDS, words_of
from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born, registered
from tests.acceptance.processes import killed, started
from tests.acceptance.test_access import ASK, NEEDS_BESIDE
from tests.acceptance.test_rules import a_file, adopted
from tests.leaks.searching import Search
from tests.loading import a_births_file, restricted

pytestmark = pytest.mark.postgres

FIRST_DAY: Final = date(2027, 8, 6)
"""The day on which the rules begin that close the index."""
CLOSES: Final = datetime(2027, 8, 6, 11, 0, tzinfo=UTC)
"""At noon of it in London, as on 6 August 2010."""
OPERATORS: Final = '["retention", "policy", "two-people", "due", "hold", "projection", "verify"]'
ORDER: Final = f"""
[closure]
at = 2027-08-06T12:00:00+01:00
destroy_months = 2

[closure.may]
operator = {OPERATORS}
auditor = ["who-saw", "what-saw", "changes", "replay", "verify", "two-people"]

[because]
"""
MOMENT: Final = timedelta(milliseconds=1)


def ordered(line: Line, order: str = ORDER, name: str = "closing", begins: date = FIRST_DAY) -> Json:
    """Two operators adopt rules that close the index."""
    return adopted(line, a_file(line, name, begins, changed={"\n[because]\n": order}))


def status(line: Line) -> Json:
    """How far the closure is."""
    return line.done("retention", "closure")


def certified(line: Line) -> Json:
    """The answer of the run that certifies it."""
    done = line.done("retention", "run")
    assert done["closure"]["certificate"], done
    return done


def part(line: Line, name: str = "closure") -> tuple[bool, str]:
    """What health says of a part."""
    (found,) = (one for one in line("health")["parts"] if one["name"] == name)
    return found["ok"], found["detail"]


def every_kind_of_record(line: Line) -> list[Child]:
    """Children of whom the index holds something, in each way in which it can hold anything."""
    plain, shielded, kept, closed, gone, first = (a_child() for _ in range(6))
    ids = {one: born(line, one) for one in (plain, shielded, kept, closed)}
    line.record("involve", ids[plain], "--service", "Harbour clinic", "--kind", "sensitive")
    line.done("record", "ask-contact", ids[plain], "--telephone", "0113 496 0007", acting="teacher")
    line.record("shield", ids[shielded], "--ground", "crime", acting="social-worker")
    line.record("merge", ids[kept], ids[closed], "--reason", "documents-seen", acting="data-manager")
    assert line.pds(plain.message(birthDate="2015-01-01"))["queued"] == 1, "held back, in doubt"
    line.pds(
        restricted(
            first.nhs, **{name: first.message()[name] for name in ("id", "identifier", "name", "birthDate")}
        )
    )
    like = a_child(given=shielded.given, family=f"{shielded.family}s", born=shielded.born)
    assert line.births(like.entry)["quarantined"] == 1, "held back, near a shield"
    archived = a_child(born=date(2009, 5, 1))
    registered(line, archived)
    line.done("load", "pds", "--withdraw", line.pds(gone.message())["files"][0]["file_id"])
    line.search(*plain.criteria)
    return [plain, shielded, kept, closed, gone, first, like, archived]


def test_t60_readers_are_out_at_the_minute_and_everything_is_destroyed_and_certified(
    new_home: NewHome, bare_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    everybody = every_kind_of_record(line)
    backup = line.home.with_name(f"{line.home.name}-before")
    child = born(line, a_child())
    ordered(line)
    assert part(line)[0]
    assert status(line)["closes_at"] is None, "the rules that close it are not in force yet"

    line.clock = CLOSES - MOMENT
    assert status(line)["closed"] is False
    assert line.shown(child)
    line.done("backup", str(backup))

    line.clock = CLOSES
    line.refused("index-closed", "show", child, "--reason", "casework", acting="practitioner")
    line.refused("index-closed", "load", "births", str(line.file(a_births_file(a_child().entry))))
    assert line.done("audit", "who-saw", child)["entries"], "those whom the order names are let in"
    line.refused("index-closed", "audit", "refusals", acting="auditor")
    assert status(line)["left"] > len(everybody) - 2
    assert part(line) == (
        True,
        f"the index is closed; {status(line)['left']} are left to be destroyed by 2027-10-06",
    )

    done = certified(line)
    closure = done["closure"]
    assert (closure["left"], closure["completed_on"], closure["destroyed_by"]) == (
        0,
        "2027-08-06",
        "2027-10-06",
    )
    assert closure["certificates"] >= closure["of"] - 2, (
        "each has one, but what went with a child under its own"
    )
    assert done["passed_over"] == []
    assert done["receipt_proof"]
    assert "nothing of it has been left since 2027-08-06" in part(line)[1]

    nobody_is_left(line, everybody)
    assert line.done("audit", "verify")["ok"]
    assert line.done("retention", "run")["destroyed"] == 0, "and once"

    nobody_is_left(restored(line), everybody)
    copy = bare_home()
    copy.clock = line.clock
    shutil.copytree(line.home / "kek", copy.home / "kek")
    copy.refused("unavailable", "restore", str(backup), status=3)


def nobody_is_left(line: Line, everybody: list[Child]) -> None:
    """Nothing that the index can open, and no view, tells of anybody."""
    words = [word for one in everybody for word in (one.family, one.street.split(" ", 1)[1], one.nhs)]
    looks_for = Search(*words)
    print(
        "DBG",
        {
            k: [r for r in v if list(looks_for.of(str(r).encode()))][:3]
            for k, v in line.view_rows().items()
            if list(looks_for.of(str(v).encode()))
        },
    )
    assert not list(looks_for.of(str(line.view_rows()).encode()))
    with open_app(line.home, line.settings) as app:
        log = app.operations.engine.log
        streams = {stream for _, stream in log.tail(Log.RECORD, 0, 100_000)}
        for history in app.writing.store.load_many(streams).values():
            assert not list(looks_for.of(str(history).encode()))
        for _, access_id in log.tail(Log.ACCESS, 0, 100_000):
            assert not list(looks_for.of(str(app.access_log.load(access_id)).encode()))
    for database, tables in {"keyring": (), "shielded": ("whereabouts.token", "brokering.asked")}.items():
        with line.as_superuser(database) as connection:
            queries = ["keys.key WHERE kind <= 2 AND certificate IS NULL", *tables]
            for query in queries:
                left = connection.execute(f"SELECT count(*) FROM {query}".encode()).fetchone()
                assert left == (0,), query


def test_t60_every_door_is_shut_with_one_code(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    ordered(line)
    line.clock = CLOSES
    nothing = line.file(b"")
    places = {"{child}": child, "{births}": str(nothing), "{folder}": str(nothing.with_name("backup"))}
    for path in ASK:
        command = COMMANDS[path]
        words = [places.get(word, word) for word in (*words_of(command), *NEEDS_BESIDE.get(path, ()))]
        before = line.heads()
        line.refused("index-closed", *path, *words, acting="practitioner", second=command.second)
        changed, looked = line.heads()
        assert (changed, looked) == (before[0], before[1] + 1), f"{path}: on record, and nothing is done"


def test_t60_a_hold_still_keeps_one_record_and_is_reported_until_it_ends(new_home: NewHome) -> None:
    line = new_home()
    kept, other, absorbed = a_child(), a_child(), a_child()
    child, _ = born(line, kept), born(line, other)
    line.record("merge", child, born(line, absorbed), "--reason", "documents-seen", acting="data-manager")
    held = ("--authority", "court-order", "--until", "2027-12-01")
    line.done("retention", "hold", child, *held)
    ordered(line)
    line.clock = CLOSES

    done = line.done("retention", "run")

    assert done["passed_over"] == [{"child_id": child, "code": "held"}]
    assert (done["closure"]["left"], done["closure"]["certificate"]) == (2, None), (
        "and what it took the place of"
    )
    with open_app(line.home, line.settings) as app:
        assert app.upkeep.certificates() == 1, "of the other alone"
    line.refused("index-closed", "show", child, "--reason", "casework", acting="data-manager")
    line.clock = datetime(2027, 10, 7, 9, tzinfo=UTC)
    assert part(line) == (
        False,
        "The index is closed, and everything was to be destroyed by 2027-10-06: 2 are left. `retention run`.",
    )
    line.clock = datetime(2027, 12, 1, 9, tzinfo=UTC)
    assert certified(line)["closure"]["left"] == 0
    assert part(line)[0]
    nobody_is_left(line, [kept, other, absorbed])


def test_t60_an_index_that_is_closed_stays_closed(new_home: NewHome) -> None:
    line = new_home()
    line.refused(
        "closes-in-the-past", "policy", "adopt",
        a_file(line, "late", FIRST_DAY + timedelta(days=1), changed={"\n[because]\n": ORDER}),
        acting="operator", second="operator-2",
    )  # fmt: skip
    ordered(line)
    later = FIRST_DAY + timedelta(days=30)
    for order in ("\n[because]\n", ORDER.replace("months = 2", "months = 3")):
        file = a_file(line, "open-again", later, changed={"\n[because]\n": order})
        line.refused("closure-stands", "policy", "adopt", file, acting="operator", second="operator-2")
    ordered(line, name="as-closed", begins=later)
    line.clock = datetime(2027, 9, 6, 9, tzinfo=UTC)
    line.refused("index-closed", "search", "--reason", "casework", "--name", "Quillby", acting="practitioner")


@pytest.mark.slow
def test_t60_a_run_that_was_killed_goes_on_where_it_was(new_home: NewHome) -> None:
    line = new_home()
    people = [a_child() for _ in range(500)]
    assert line.births(*(one.entry for one in people))["registered"] == len(people)
    ordered(line)
    line.clock = CLOSES
    left = len(people)
    with line.sealer():
        for _ in range(2):
            process = started(line, "retention", "run")
            until = time.monotonic() + 60
            while status(line)["left"] == left and time.monotonic() < until:
                time.sleep(0.05)
            killed(process)
            left = status(line)["left"]
    assert 0 < left < len(people), "killed in the middle of it"
    assert status(line)["done_at"]
    done = certified(line)
    assert left <= done["destroyed"] <= left + 2, (
        "what was cut off half-way is no longer counted, and is destroyed"
    )
    assert (done["closure"]["of"], done["closure"]["certificates"]) == (len(people), len(people))
    nobody_is_left(line, people)
    assert line.done("audit", "verify")["ok"]
