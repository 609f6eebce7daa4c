"""What no file of the repository may hold: one machine's paths, a registry's name, an address in a lock file."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.repository import ROOT, files, relative

# Written in pieces, so that this file does not hold what it forbids.
PATH_OF_A_MACHINE = re.compile(r"(?<![\w.$}~-])/(?:work|root|home|Users)/[A-Za-z.]")
REGISTRIES = re.compile(
    "|".join(
        re.escape(name)
        for name in (
            "pypi" + ".org",
            "python" + "hosted",
            "npm" + "js.",
            "maven" + ".org",
            "maven" + ".apache",
            "crates" + ".io",
            "proxy." + "golang",
            "docker" + ".io",
            "gh" + "cr.io",
            "qu" + "ay.io",
            "conda" + ".anaconda",
        )
    )
)
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")


def _lines() -> Iterator[tuple[str, int, str]]:
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # an image holds no path
        for number, line in enumerate(text.splitlines(), 1):
            yield relative(path), number, line


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        pytest.param(
            PATH_OF_A_MACHINE, "write paths from the repository or the home", id="no path of one machine"
        ),
        pytest.param(REGISTRIES, "leave it to the reader's own pip", id="no host name of a registry"),
        pytest.param(
            UNFINISHED, "do it, or write down what is missing in docs/", id="nothing left for later"
        ),
    ],
)
def test_no_file_holds(pattern: re.Pattern[str], instead: str) -> None:
    found = [f"{name}:{number}" for name, number, line in _lines() if pattern.search(line)]
    assert not found, f"{instead}: {', '.join(found)}"


def test_lock_files_hold_hashes_and_no_address() -> None:
    locks = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
    assert [relative(path) for path in files(".lock")] == sorted(map(relative, locks))
    for lock in locks:
        text = lock.read_text("utf-8")
        assert "://" not in text
        assert "index-url" not in text
        pins = re.findall(r"^[A-Za-z0-9_.-]+==", text, re.MULTILINE)
        hashed = re.findall(r"^[A-Za-z0-9_.-]+==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)
        assert pins
        assert len(pins) == len(hashed)


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_is_asked_for_is_locked(name: str) -> None:
    asked = re.findall(r"^([A-Za-z][A-Za-z0-9-]*)", (ROOT / f"{name}.in").read_text("utf-8"), re.MULTILINE)
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / f"{name}.lock").read_text("utf-8"), re.MULTILINE)
    assert {package.lower() for package in asked} <= set(locked), (
        "run the command at the head of requirements.in again"
    )


def test_development_runs_on_the_very_versions_that_the_product_ships_with() -> None:
    shipped, developed = (
        set(re.findall(r"^[a-z0-9-]+==[^ ;\\]+", (ROOT / f"{name}.lock").read_text("utf-8"), re.MULTILINE))
        for name in ("requirements", "requirements-dev")
    )
    assert shipped <= developed
