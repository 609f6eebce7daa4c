"""`population` writes its files once, says how many there are, and writes over nothing."""

import json
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from cli.main import status_of
from cli.settings import Settings
from ingest.population.files import FILES


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of the command, in a place where no home is and none is made."""
    status = status_of(["--json", "population", *words], Settings())
    said = capsys.readouterr()
    assert said.err == ""
    answer: dict[str, Any] = json.loads(said.out)
    return status, answer


def test_it_makes_the_folder_and_every_file_and_counts_the_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "here"
    status, answer = ran(capsys, str(out), "--children", "60", "--seed", "3")
    assert status == 0
    assert set(answer) == {"children", "records", "seconds"}
    assert answer["children"] == 60
    assert {path.name for path in out.iterdir()} == set(FILES.values())
    assert answer["records"] == len((out / FILES["truth"]).read_text("utf-8").splitlines()) - 1


def test_the_same_seed_gives_the_same_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("one", "other"):
        ran(capsys, str(tmp_path / folder), "--children", "150", "--seed", "3")
    for name in FILES.values():
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize("name", FILES.values())
def test_a_file_that_is_there_is_not_written_over(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text("ours", "utf-8")
    status, answer = ran(capsys, str(tmp_path), "--children", "1", "--seed", "1")
    assert status == 2
    assert answer["error"]["code"] == "not-empty"
    assert answer["error"]["field"] == "out"
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {name: "ours"}


def test_a_file_in_the_place_of_the_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("", "utf-8")
    status, answer = ran(capsys, str(tmp_path / "out"), "--children", "1", "--seed", "1")
    assert (status, answer["error"]["code"]) == (2, "not-a-folder")


def test_where_it_cannot_be_written_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file may grow beyond 256 KiB: the first buffer that is written out fails half way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, before[1]))
    try:
        status, answer = ran(capsys, str(tmp_path), "--children", "2000", "--seed", "1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (status, answer["error"]["code"]) == (3, "cannot-write")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words", [("--children", "0", "--seed", "1"), ("--children", "1", "--seed", "-1"), ("--children", "1")]
)
def test_what_makes_no_population_is_wrong_usage(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = ran(capsys, str(tmp_path / "out"), *words)
    assert (status, answer["error"]["code"]) == (2, "usage")
    assert not (tmp_path / "out").exists()
