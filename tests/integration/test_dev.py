"""`./dev` on machines that are not quite ready: it says in words what is missing, and does nothing by halves."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "cksum", "dirname", "grep", "rm")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what `./dev setup` reads, beside a PATH on which there is a shell but no Python."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    (tmp_path / "copy").mkdir()
    for name in ("dev", "pyproject.toml", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path / "copy" / name)
    return tmp_path / "copy"


def _dev(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": str(checkout.parent / "bin")}
    return subprocess.run(
        [checkout / "dev", *arguments], env=path, capture_output=True, text=True, check=False
    )


def _python(checkout: Path, name: str, body: str) -> None:
    script = checkout.parent / "bin" / name
    script.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    script.chmod(0o755)


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_without_a_verb_it_lists_the_verbs_and_installs_nothing(
    checkout: Path, arguments: tuple[str, ...]
) -> None:
    ran = _dev(checkout, *arguments)
    assert ran.returncode == 0
    for verb in ("setup", "demo", "check", "test", "soak", "bench", "docs"):
        assert f"\n  {verb} " in ran.stdout
    assert not (checkout / ".venv").exists()


def test_an_unknown_verb_is_wrong_usage(checkout: Path) -> None:
    ran = _dev(checkout, "tset")
    assert ran.returncode == 2
    assert "There is no verb 'tset'." in ran.stderr


def test_where_there_is_no_python_it_says_which_is_needed(checkout: Path) -> None:
    ran = _dev(checkout, "setup")
    assert ran.returncode == 3
    assert "Python 3.11 or newer is needed" in ran.stderr


def test_an_old_python_is_passed_over(checkout: Path) -> None:
    _python(checkout, "python3", "exit 1  # what the question about its version gets from an old one")
    ran = _dev(checkout, "setup")
    assert ran.returncode == 3
    assert "Python 3.11 or newer is needed" in ran.stderr


def test_a_python_without_venv_is_told_what_to_install(checkout: Path) -> None:
    _python(checkout, "python3.11", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    ran = _dev(checkout, "setup")
    assert ran.returncode == 3
    assert "python3-venv" in ran.stderr
    assert not (checkout / ".venv").exists()


def test_it_installs_with_hashes_once_and_again_when_a_lock_file_changes_or_the_folder_moves(
    checkout: Path,
) -> None:
    """The Python here only notes what it is asked; asked to make `.venv`, it puts itself there."""
    notes = checkout.parent / "asked"
    making = 'case "$1 $2" in "-m venv") /bin/mkdir -p .venv/bin; /bin/cp "$0" .venv/bin/python ;; esac'
    _python(checkout, "python3.11", f'echo "$*" >> {notes}\n{making}')

    def asked(words: str) -> int:
        return notes.read_text("utf-8").count(words)

    assert _dev(checkout, "setup").returncode == 0
    assert asked("-m venv .venv") == 1
    assert asked("--require-hashes -r requirements-dev.lock") == 1
    assert asked("--no-deps --no-build-isolation -e .") == 1

    first = notes.read_text("utf-8")
    again = _dev(checkout, "setup")
    assert (again.returncode, again.stderr) == (0, "")
    assert notes.read_text("utf-8") == first, "the second run starts at once: it asks Python nothing"

    with (checkout / "requirements-dev.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    assert _dev(checkout, "setup").returncode == 0
    assert asked("--require-hashes -r requirements-dev.lock") == 2
    assert asked("-m venv .venv") == 1

    moved = checkout.rename(checkout.with_name("moved"))
    assert _dev(moved, "setup").returncode == 0
    assert asked("-m venv .venv") == 2, "the scripts in .venv hold the path of the folder they were made in"
