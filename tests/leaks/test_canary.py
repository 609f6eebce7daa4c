"""A word that says where a shielded child is, and which service she has, stands in no byte that the system wrote.

Not in the databases' files and write-ahead log, their server's log, the broker's, a backup, seals, temporary files.
"""

import base64
import gzip
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.acceptance.line import Line
from tests.acceptance.people import a_child, born, id_of
from tests.architecture.repository import ROOT
from tests.broker import LEAVES_SOCKETS, running_or_skipped
from tests.leaks.searching import Search
from tests.loading import a_births_file, ndjson, restricted

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900), *LEAVES_SOCKETS]

FIRST, CLINIC, SHOWN = "Bexqwovinlarth", "Jolvhazmundrik", "Fyqtergumposk"
"""Words of where she lives who was shielded when the index first knew it; of a sensitive service; and of a child of
whom nothing is hidden, in whose views it stands."""

FIRST_PLACE, LATER_PLACE = "WF97 3QX", "WF98 7QZ"


@dataclass
class Whole:
    """A home with a server and a broker of its own, and every folder that anything of it writes to."""

    line: Line
    folders: list[Path]

    def search(self, *tokens: str) -> dict[str, list[str]]:
        """Where these words stand, after the server has written what it held in memory."""
        with self.line.as_superuser("views") as connection:
            connection.execute("CHECKPOINT")
        return Search(*tokens).under(self.folders)


@pytest.fixture(scope="module")
def whole(own_server: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Loads, shields, searches, shows, publishes, rebuilds, backs up."""
    line = own_server
    kafka, backup, temporary = (tmp_path_factory.mktemp(name) for name in ("kafka", "backup", "temporary"))
    with running_or_skipped(kafka) as bootstrap:
        line.kafka = bootstrap
        live(line, backup / "copy", temporary)
        state = line.home.with_name(f"{line.home.name}-state")
        state.mkdir(exist_ok=True)
        yield Whole(line, [line.home, kafka, backup, temporary, state])


def live(line: Line, backup: Path, temporary: Path) -> None:
    """Everything that is done with an index, to four children."""
    first, later, noticed, shown = a_child(), a_child(), a_child(), a_child()
    later, shown = replace(later, postcode=LATER_PLACE), replace(shown, family=SHOWN)
    told = first.message()
    kept = {element: told[element] for element in ("id", "identifier", "name", "gender", "birthDate")}
    line.pds(restricted(first.nhs, **kept))
    one = id_of(line, first)
    other, third, _ = (born(line, each) for each in (later, noticed, shown))
    line.record(
        "assert", one, "--line", f"41 {FIRST} Road", "--postcode", FIRST_PLACE, "--school", f"{FIRST} Academy",
        "--practice", f"{FIRST} Surgery", "--carer", f"Ada {FIRST}",
    )  # fmt: skip
    line.record(
        "involve",
        one,
        "--service",
        f"{FIRST} Service",
        "--kind",
        "universal",
        "--organisation",
        f"{FIRST} Trust",
    )
    line.record(
        "involve",
        third,
        "--service",
        f"{CLINIC} Unit",
        "--kind",
        "sensitive",
        "--organisation",
        f"{CLINIC} NHS",
    )
    near = replace(
        a_child(), given=first.given, family=f"{first.family}s", born=first.born, street=f"3 {FIRST} Road"
    )
    assert line.births(near.entry)["quarantined"] == 1, "held back, with its address"
    typed(line, temporary, "load", "births", str(line.file(a_births_file(later.entry, shown.entry))))
    line.record("shield", other, "--ground", "crime", acting="social-worker")
    for child in (one, other, third):
        line.show(child)
    line.done("show", one, "--reason", "section-47", "--override", acting="social-worker")
    for words in ((*first.criteria, "--postcode", FIRST_PLACE), ("--name", f"Ada {FIRST}"), shown.criteria):
        line.search(*words)
    line(
        "search",
        "--reason",
        "casework",
        "--name",
        f"{FIRST} {FIRST}",
        "--postcode",
        "FIRST",
        acting="practitioner",
    )
    line.done("load", "pds", "--withdraw", line.pds(first.message(
        address=[first.address(f"42 {FIRST} Road", FIRST_PLACE)], meta={"versionId": "7", "security": [{"code": "U"}]}
    ))["files"][0]["file_id"])  # fmt: skip
    line.load(
        "pds", ndjson({"resourceType": "Patient", "id": FIRST, "address": [{"line": [FIRST], "text": 7}]})
    )
    line.done("stream", "publish", "--until-caught-up")
    for view in ("practitioner_view", "match_index"):
        line.done("projection", "rebuild", view, "--switch")
    line.done("retention", "due", "--on", "2050-01-01")
    line.done("audit", "who-saw", one)
    line.done("audit", "changes", one)
    line.done("backup", str(backup))
    line("health")


def typed(line: Line, temporary: Path, *words: str) -> None:
    """A command in a process of its own, so that what is temporary is in a folder that is searched."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    done = subprocess.run(
        [Path(sys.executable).with_name("contactpoint"), "--home", str(line.home), *words],
        env={**inherited, "TMPDIR": str(temporary), "CONTACTPOINT_CLOCK": line.clock.isoformat()},
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert FIRST not in done.stdout + done.stderr


def test_of_a_child_shielded_from_the_first_no_byte_tells_where_she_is(whole: Whole) -> None:
    before = whole.search(FIRST, CLINIC, FIRST_PLACE, squeezed(FIRST_PLACE), squeezed(LATER_PLACE), SHOWN)
    assert {name.split()[0] for name in before} == {SHOWN, squeezed(LATER_PLACE)}, before
    assert any("/base/" in path for paths in before.values() for path in paths)

    maintained = whole.line.done("maintain")

    assert (maintained["busy"], maintained["wal"]) == ([], True)
    after = whole.search(FIRST, CLINIC, squeezed(FIRST_PLACE), LATER_PLACE, squeezed(LATER_PLACE), SHOWN)
    assert {name.split()[0] for name in after} == {SHOWN}, after


def squeezed(postcode: str) -> str:
    """As views hold it."""
    return postcode.replace(" ", "")


@pytest.mark.parametrize(
    "written",
    [
        FIRST.encode(),
        FIRST.upper().encode("utf-16-be"),
        FIRST[::-1].encode(),
        FIRST.encode().hex().upper().encode(),
        *(base64.b64encode(b"x" * before + FIRST.encode() + b"y") for before in range(3)),
        zlib.compress(f"lives at {FIRST} since".encode()),
        b"something before" + gzip.compress(b"\x00" * 50 + FIRST.encode("utf-16-le")),
        FIRST[:5].encode() + b"\x04" + FIRST[5:13].encode() + b"\x00" + FIRST[13:].encode(),
    ],
    ids=["text", "utf-16", "backwards", "hex", "base64", "base64 + 1", "base64 + 2", "zlib", "gzip", "pglz"],
)
def test_the_search_finds_what_it_looks_for_in_every_form(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "file").write_bytes(os.urandom(100_000) + written + os.urandom(1000))
    assert [paths for paths in Search(FIRST, CLINIC).under([tmp_path]).values() if paths != ["file"]] == []
    assert Search(FIRST).under([tmp_path])


@pytest.mark.parametrize("token", ["Zqxmärlow"])
@pytest.mark.parametrize("written", [b"Zqxm%C3%A4rlow", b"zqxm\\u00e4rlow", b"zqxm\\xe4rlow"])
def test_letters_beyond_ascii_are_found_as_they_are_escaped(token: str, written: bytes) -> None:
    assert list(Search(token).of(b"..." + written + b"..."))
