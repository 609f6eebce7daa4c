"""`load` as operators live with it: killed and run again, taken back, fed twins, and given files of any size."""

import csv
import io
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, born, id_of, registered
from tests.loading import COLUMNS, a_births_file, ndjson, restricted
from tests.plugins_counts import count, seed
from tests.unit.ingest.test_school_xml import a_file

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

LINES, DEATHS = 2_400, 3
MEASURED = (
    "import resource, sys\n"
    "from cli.main import status_of\n"
    "status = status_of(sys.argv[1:])\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    "sys.exit(status)\n"
)


def in_a_process(line: Line, *words: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, on the same home."""
    assert line.databases is not None
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    settings |= {f"CONTACTPOINT_{database.store.upper()}_URL": database.url for database in line.databases}
    return subprocess.Popen(
        [sys.executable, "-c", MEASURED, *line.words(*words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**settings, "CONTACTPOINT_CLOCK": line.clock.isoformat()},
    )


def births_of(number: int) -> bytes:
    """A births file of so many children, no two of one day and name."""
    children = (a_child(born=date(2011, 1, 1) + timedelta(days=each % 5000)) for each in range(number))
    return a_births_file(*(child.entry for child in children))


def held(line: Line) -> dict[str, Counter[str]]:
    """What a home holds, without the random ids of its records: names, dates, places, what falls due."""
    rows = line.view_rows("child_id", "number", "version", "keys", "key")
    wanted = ("practitioner_view", "match_index", "retention_schedule")
    return {table: Counter(found) for table, found in rows.items() if table.startswith(wanted)}


def test_a_load_killed_anywhere_and_run_again_ends_as_one_load_would(new_home: NewHome) -> None:
    """kill -9 a moment after each time that something was appended; what is left is what a load in peace leaves."""
    undisturbed, killed = new_home(), new_home()
    file = undisturbed.file(births_of(LINES))
    undisturbed.done("load", "births", str(file))
    chance = random.Random(seed())

    deaths, reached = 0, [killed.heads()[0]]
    while deaths < DEATHS:
        process = in_a_process(killed, "load", "births", str(file))
        while process.poll() is None and killed.heads()[0] == reached[-1]:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.3))
        deaths += process.poll() is None
        process.kill()
        process.communicate()
        reached.append(killed.heads()[0])
        assert len(reached) <= DEATHS + 1, f"it came to its end after {deaths} deaths, at {reached}"
    finished = killed.done("load", "births", str(file))

    assert len(set(reached)) > DEATHS - 1, "killed at one place only"
    assert reached[-1] < undisturbed.heads()[0], "killed after the end"
    assert (finished["read"], finished["refused"], finished["queued"]) == (LINES, 0, 0)
    assert killed.heads()[0] == undisturbed.heads()[0], "not one event more or less"
    assert held(killed) == held(undisturbed)
    again = killed.done("load", "births", str(file))
    assert (again["unchanged"], again["events"]) == (LINES, 0)


@pytest.mark.slow
def test_memory_is_flat_in_the_size_of_the_file(new_home: NewHome) -> None:
    """Both files are larger than what a load remembers of its own between two refreshes of the index."""
    peaks = []
    for lines in (5_000, count(1_000_000, 12_000)):
        line = new_home()
        process = in_a_process(line, "load", "births", str(line.file(births_of(lines))))
        out, err = process.communicate()
        assert process.returncode == 0, out
        assert f'"registered": {lines}' in out
        peaks.append(int(err.split()[-1]) / 1024)

    assert peaks[1] - peaks[0] < 40, f"{peaks[0]:.0f} MiB, then {peaks[1]:.0f} MiB"


# Files taken back


def file_of(loaded: dict[str, object]) -> str:
    files = loaded["files"]
    assert isinstance(files, list)
    return str(files[0]["file_id"])


def test_a_record_that_rested_on_a_withdrawn_file_alone_disappears_and_is_archived(line: Line) -> None:
    alone, also = a_child(), a_child()
    by_hand = registered(line, also)
    loaded = line.births(alone.entry, {**also.entry, "mother_given_names": "Onlyhere"})
    child = id_of(line, alone)
    assert line.shown(by_hand)["carers"]

    withdrawn = line.done("load", "births", "--withdraw", file_of(loaded))

    assert withdrawn["files"] == [{"file_id": file_of(loaded)}]
    line.unseen(child)
    assert line.found(*alone.criteria) == []
    due = [
        entry
        for entry in line.done("retention", "due", "--on", "2040-01-01")["due"]
        if entry["child_id"] == child
    ]
    assert [(entry["action"], entry["on"]) for entry in due] == [("destroy", "2033-03-10")], (
        "archived that day"
    )
    assert line.shown(by_hand)["name"]["family"] == also.family, "what another source says stays"
    assert line.shown(by_hand)["carers"] == [], "and what the file alone said goes"


def test_withdrawing_twice_changes_nothing_and_what_was_never_loaded_is_refused(line: Line) -> None:
    loaded = line.births(a_child().entry)
    line.done("load", "births", "--withdraw", file_of(loaded))
    before = line.heads()[0]

    again = line.done("load", "births", "--withdraw", file_of(loaded))

    assert (again["read"], again["events"], line.heads()[0]) == (0, 0, before)
    line.refused("not-found", "load", "births", "--withdraw", "00000000-0000-4000-8000-000000000000")


def test_a_withdrawn_file_can_be_loaded_again_and_is_the_same_record(line: Line) -> None:
    one = a_child()
    content = a_births_file(one.entry)
    loaded = line.load("births", content)
    child = id_of(line, one)
    seen = line.shown(child)
    line.done("load", "births", "--withdraw", file_of(loaded))
    assert line.found(*one.criteria) == []

    line.load("births", content)

    assert id_of(line, one) == child, "the same record, not a second one"
    assert line.shown(child) == seen


def test_withdrawing_a_file_that_refreshed_a_record_brings_back_what_was_said_before(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    before = line.shown(child)
    loaded = line.pds(one.message(address=[one.address("6 Later Lane", "WF9 6AA", "2026-02-01")]))
    assert line.shown(child)["address"]["lines"] == ["6 Later Lane"]

    line.done("load", "pds", "--withdraw", file_of(loaded))

    assert line.shown(child) == before


def test_a_shield_stays_when_the_file_that_raised_it_is_withdrawn_even_where_the_record_rested_on_it(
    line: Line,
) -> None:
    one = a_child()
    message = restricted(
        id=one.nhs,
        identifier=one.message()["identifier"],
        name=one.message()["name"],
        gender=one.gender,
        birthDate=one.born.isoformat(),
    )
    content = ndjson(message)
    loaded = line.load("pds", content)
    child = id_of(line, one)
    line.done("load", "pds", "--withdraw", file_of(loaded))
    line.unseen(child)

    line.pds(one.message())

    assert set(line.shown(child)) == {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}
    assert line.found("--postcode", one.postcode, "--name", one.name) == []


# Twins


@pytest.mark.parametrize("feeds", ["births", "pds", "births then pds", "pds then births"])
def test_twins_are_two_records_whatever_order_they_come_in(line: Line, feeds: str) -> None:
    one = a_child(given="Mina")
    other = replace(a_child(given="Mona"), family=one.family, born=one.born, street=one.street,
                    postcode=one.postcode, sex=one.sex)  # fmt: skip
    for feed in feeds.split(" then "):
        if feed == "births":
            line.births({**one.entry, "birth_order": "1"}, {**other.entry, "birth_order": "2"})
        else:
            line.pds(one.message(multipleBirthInteger=1), other.message(multipleBirthInteger=2))

    ids = {id_of(line, one), id_of(line, other)}

    assert len(ids) == 2
    assert {hit["child_id"] for hit in line.found("--name", one.family, "--dob", one.born.isoformat())} == ids
    for twin in (one, other):
        assert line.shown(id_of(line, twin))["name"] == {"given": [twin.given], "family": twin.family}
    if feeds != "births":
        again = line.pds(other.message(multipleBirthInteger=2), one.message(multipleBirthInteger=1))
        assert (again["events"], again["unchanged"]) == (0, 2)


def test_twins_of_one_name_without_numbers_are_not_merged(line: Line) -> None:
    one = a_child(given="Mina")
    other = replace(a_child(), given="Mina", family=one.family, born=one.born, street=one.street,
                    postcode=one.postcode, sex=one.sex)  # fmt: skip
    nameless = {"nhs_number": ""}

    loaded = line.births(
        {**one.entry, **nameless, "birth_order": "1"}, {**other.entry, **nameless, "birth_order": "2"}
    )

    assert loaded["updated"] == 0, "the second must not be taken for the first"
    assert loaded["registered"] + loaded["queued"] == 2


def test_a_twin_of_the_same_name_from_another_source_is_not_taken_for_the_first(line: Line) -> None:
    """Only the order of birth tells the two apart: a human has to."""
    one = a_child(given="Mina")
    child = born(line, one, nhs_number="", birth_order="1")
    seen = line.shown(child)
    other = replace(a_child(), given="Mina", family=one.family, born=one.born, street=one.street,
                    postcode=one.postcode, sex=one.sex)  # fmt: skip

    loaded = line.pds(other.message(multipleBirthInteger=2))

    assert (loaded["updated"], loaded["queued"]) == (0, 1)
    assert line.shown(child) == seen


# Counts and forms


def test_what_is_read_is_the_sum_of_the_six_outcomes_and_a_second_load_adds_nothing(line: Line) -> None:
    shielded, known = a_child(), a_child()
    line.record("shield", born(line, shielded), "--ground", "crime", acting="social-worker")
    born(line, known)
    bad = {**a_child().entry, "date_of_birth": "2020-02-30"}
    near = replace(
        a_child(), given=shielded.given, family=f"{shielded.family}s", born=shielded.born, sex=shielded.sex
    )
    moved = {**shielded.entry, "address_line_1": "9 Secret Place"}
    entries = [a_child().entry, known.entry, bad, near.entry, moved]
    content = a_births_file(*entries)

    first, second = line.load("births", content), line.load("births", content)

    outcomes = ("registered", "updated", "unchanged", "queued", "quarantined", "refused")
    assert [first[outcome] for outcome in outcomes] == [1, 1, 1, 0, 1, 1]
    assert [second[outcome] for outcome in outcomes] == [0, 0, 4, 0, 0, 1]
    assert first["read"] == second["read"] == len(entries)
    assert second["events"] == 0
    assert [(refusal["line"], refusal["code"], refusal["field"]) for refusal in first["refusals"]] == [
        (4, "bad-date", "date_of_birth")
    ]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(line: Line) -> None:
    one = a_child()
    path = line.file(a_births_file(one.entry, {**a_child().entry, "sex": "?"}))
    before = line.heads()[0]

    would = line.done("load", "births", str(path), "--dry-run")

    assert (would["registered"], would["refused"], would["dry_run"]) == (1, 1, True)
    assert line.heads()[0] == before
    assert line.found(*one.criteria) == []
    assert line.done("load", "births", str(path))["registered"] == 1


@pytest.mark.parametrize(
    "form", ["a byte order mark", "carriage returns", "columns in another order", "no last line end"]
)
def test_a_births_file_loads_in_every_form_a_spreadsheet_writes(line: Line, form: str) -> None:
    one = a_child()
    content = a_births_file(one.entry)
    match form:
        case "a byte order mark":
            content = b"\xef\xbb\xbf" + content
        case "carriage returns":
            content = content.replace(b"\n", b"\r\n")
        case "columns in another order":
            content = reordered(one)
        case _:
            content = content.rstrip(b"\n")

    assert line.load("births", content)["registered"] == 1
    assert line.shown(id_of(line, one))["address"]["postcode"] == one.postcode


def reordered(one: Child) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, sorted(COLUMNS, reverse=True))
    writer.writeheader()
    writer.writerow({column: one.entry.get(column, "") for column in COLUMNS})
    return out.getvalue().encode()


def test_several_files_are_loaded_by_one_command_and_told_apart(line: Line) -> None:
    one, other = a_child(), a_child()
    paths: list[Path] = [line.file(a_births_file(child.entry)) for child in (one, other)]

    loaded = line.done("load", "births", *map(str, paths))

    assert (loaded["registered"], len({file["file_id"] for file in loaded["files"]})) == (2, 2)
    line.done("load", "births", "--withdraw", loaded["files"][1]["file_id"])
    assert id_of(line, one)
    assert line.found(*other.criteria) == []


def test_child_benefit_loads_once_tells_what_it_refuses_and_is_withdrawn_as_a_unit(line: Line) -> None:
    one = a_child()
    claim = f"CHB40000777AB,{one.born},{one.given},{one.family},{one.born},F,5 Claim Street,LS1 1UR"
    head = "claim_number,claimed_from,given_names,surname,date_of_birth,sex,address_line_1,postcode"
    broken = claim.replace(str(one.born), "03/04/2015")
    content = f"\ufeff{head}\n{claim}\n{broken}\n".encode()

    loaded = line.load("child-benefit", content)
    assert (loaded["read"], loaded["registered"], loaded["refused"]) == (2, 1, 1)
    assert [(r["line"], r["code"], r["field"]) for r in loaded["refusals"]] == [
        (3, "bad-date", "date_of_birth")
    ]
    assert one.family not in str(loaded)
    (hit,) = line.search(*one.criteria)["results"]
    assert hit["address"]["lines"] == ["5 Claim Street"]

    again = line.load("child-benefit", content)
    assert (again["unchanged"], again["events"]) == (1, 0)

    line.done("load", "child-benefit", "--withdraw", file_of(loaded))
    assert line.search(*one.criteria)["results"] == []


def a_case(one: Child, **changed: object) -> dict[str, object]:
    """What a case system says of a child: one ordinary service, one sensitive."""
    return {
        "body": "E06000999",
        "id": f"CS-{one.family[:8]}",
        "as_of": "2026-02-01",
        "given": [one.given],
        "family": one.family,
        "date_of_birth": one.born.isoformat(),
        "address": {"lines": ["5 Case Street"], "postcode": one.postcode, "since": "2026-02-01"},
        "involvements": [
            {"id": "I-1", "service": "Family support", "kind": "additional", "began": "2026-02-01"},
            {
                "id": "I-2",
                "service": "Harbour Substance Service",
                "kind": "sensitive",
                "began": "2026-02-01",
                "consent": {"given_by": "parent", "given_on": "2026-02-01"},
            },
        ],
        **changed,
    }


def test_case_management_loads_once_tells_what_it_refuses_and_is_withdrawn_as_a_unit(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    content = ndjson(a_case(one), a_case(a_child(), notes="ZQX7 unhappy"))

    loaded = line.load("case-management", content)
    assert (loaded["read"], loaded["updated"], loaded["refused"]) == (2, 1, 1)
    assert [(r["line"], r["code"], r["field"]) for r in loaded["refusals"]] == [
        (2, "field-not-allowed", "notes")
    ]
    assert "ZQX7" not in str(loaded)
    shown = line.shown(child)
    assert [service["service"] for service in shown["involvements"]] == ["Family support"]
    assert shown["notice"]
    assert "Harbour" not in str(shown)
    assert shown["address"]["lines"] == ["5 Case Street"]

    again = line.load("case-management", content)
    assert (again["unchanged"], again["events"]) == (1, 0)

    line.done("load", "case-management", "--withdraw", file_of(loaded))
    shown = line.shown(child)
    assert (shown["involvements"], shown["notice"]) == ([], None)
    assert shown["address"]["lines"] != ["5 Case Street"]


@pytest.mark.parametrize("kind", ["school-census", "ctf"])
def test_a_school_s_file_loads_once_tells_what_it_refuses_and_is_withdrawn_as_a_unit(
    line: Line, kind: str
) -> None:
    one = a_child()
    child = born(line, one)
    before = line.shown(child)
    pupil = (
        f"<Surname>{one.family}</Surname><Forename>{one.given}</Forename><DOB>{one.born}</DOB>"
        f"<Street>{one.street}</Street><PostCode>{one.postcode}</PostCode>"
    )
    history = (
        "<School><LEA>999</LEA><Estab>9999</Estab><EntryDate>2025-09-01</EntryDate></School>"
        if kind == "ctf"
        else ""
    )
    content = a_file(kind, pupil + history, f"{pupil}<RiskOfHarm>ZQX7</RiskOfHarm>").replace(
        b"<LEA>384</LEA><Estab>2001</Estab>", b"<LEA>999</LEA><Estab>9999</Estab>"
    )

    loaded = line.load(kind, content)
    assert (loaded["read"], loaded["updated"], loaded["refused"]) == (2, 1, 1)
    assert [(r["line"], r["code"], r["field"]) for r in loaded["refusals"]] == [
        (3, "field-not-allowed", "RiskOfHarm")
    ]
    assert "ZQX7" not in str(loaded)
    assert line.shown(child)["education"]["code"] == "DFE9999999"

    again = line.load(kind, content)
    assert (again["unchanged"], again["events"]) == (1, 0)

    line.done("load", kind, "--withdraw", file_of(loaded))
    assert line.shown(child) == before
