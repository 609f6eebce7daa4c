"""The local broker: it does not outlive the command that runs it."""

import socket
import time
from pathlib import Path

import pytest

from tests.broker import end, missing_or_failed, running_or_skipped, started

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def listens(bootstrap: str) -> bool:
    host, port = bootstrap.split(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def test_a_broker_whose_command_is_killed_does_not_stay_behind(tmp_path: Path) -> None:
    with running_or_skipped(tmp_path / "home"):
        pass
    process, bootstrap = started(tmp_path / "home")
    assert listens(bootstrap)
    end(process)
    until = time.monotonic() + 40
    while listens(bootstrap):
        assert time.monotonic() < until
        time.sleep(0.2)
    with running_or_skipped(tmp_path / "home", int(bootstrap.split(":")[1])) as again:
        assert listens(again)


@pytest.mark.timeout(300)
def test_without_java_and_maven_it_runs_on_what_the_packages_bring(tmp_path: Path) -> None:
    """Nothing is on PATH and nothing was fetched before."""
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    try:
        process, bootstrap = started(tmp_path / "home", PATH=str(nothing), HOME=str(tmp_path))
    except RuntimeError as why:
        missing_or_failed(str(why))
    assert listens(bootstrap)
    assert len(list((tmp_path / ".cache").rglob("*.jar"))) == 46
    end(process)
