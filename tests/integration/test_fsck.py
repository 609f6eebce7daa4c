"""A program that we did not write checks a log that we made, from every entry up: tessera's fsck."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import a_child, born
from tests.fsck import fsck

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]

LOGS = ("record", "access")
CHILDREN = 150


@pytest.fixture(scope="module")
def line(new_home: NewHome) -> Line:
    """A home with full and partial tiles of both levels in its record log, sealed as it grew, and looked at."""
    line = new_home()
    child = born(line, a_child())
    line.done("seal", "--until-caught-up")
    line.births(*(a_child().entry for _ in range(CHILDREN)))
    line.show(child)
    line.record("shield", child, "--ground", "child-at-risk", acting="social-worker")
    line.done("seal", "--until-caught-up")
    return line


def test_t75_tessera_finds_the_logs_as_our_own_verifier_does(line: Line) -> None:
    for log in line.done("audit", "verify")["logs"]:
        found = fsck(line.home / "seals" / log["name"])
        assert found == (log["entries"], log["root"])
    assert line.heads()[0] > 2 * 256, "more than two tiles"


@pytest.mark.parametrize(
    "name",
    ["checkpoint", "tile/0/000", "tile/entries/000", "tile/entries/001", "partial hashes", "partial entries"],
)
def test_t75_tessera_finds_one_byte_that_is_another(line: Line, tmp_path: Path, name: str) -> None:
    log = tmp_path / "log"
    shutil.copytree(line.home / "seals" / "record", log)
    assert fsck(log)
    partial = max(log.glob(f"tile/{'0' if name == 'partial hashes' else 'entries'}/*.p/*"))
    place = partial if name.startswith("partial") else log / name
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))
    assert fsck(log) is None
