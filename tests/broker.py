"""A real broker for the whole run: the one that CONTACTPOINT_KAFKA names, or our own command's, started once.

`broker`: its bootstrap address. Skips where none can be had; with CI=true that is an error. Tests use topics of their
own: `topic` makes up a name.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn
from uuid import uuid4

import pytest

from tests.architecture.repository import ROOT

LEAVES_SOCKETS: Final = (
    pytest.mark.filterwarnings("ignore:unclosed .socket:ResourceWarning"),
    pytest.mark.usefixtures("sockets_collected"),
)
"""Marks of tests that ask for a broker that is away: the client leaves the sockets of attempts that failed to the
collector, which is to find them here and in no other test."""


@pytest.fixture
def sockets_collected() -> Iterator[None]:
    """What a test left to the collector is collected before the next."""
    yield
    gc.collect()


@contextmanager
def running(home: Path, port: int = 0) -> Iterator[str]:
    """`contactpoint kafka` as a process; where it listens. Raises RuntimeError with what it said instead."""
    process, bootstrap = started(home, port)
    try:
        yield bootstrap
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
        end(process)
    assert status == 0


def started(home: Path, port: int = 0, **environ: str) -> tuple["subprocess.Popen[str]", str]:
    """`contactpoint kafka` as a process that answers, and where. Raises RuntimeError with what it said instead."""
    contactpoint = Path(sys.executable).with_name("contactpoint")
    command = [str(contactpoint), "--home", str(home), "--json", "kafka", "--port", str(port)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=inherited | environ,
        cwd=ROOT,
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    if "bootstrap" not in said:
        end(process)
        raise RuntimeError(said["error"]["message"])
    return process, said["bootstrap"]


def end(process: "subprocess.Popen[str]") -> None:
    """Kill it if it still runs, as kill -9 does, and close what was read from."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker for this session."""
    named = os.environ.get("CONTACTPOINT_KAFKA")
    if named:
        yield named
        return
    with running_or_skipped(tmp_path_factory.mktemp("broker")) as bootstrap:
        yield bootstrap


def missing_or_failed(why: str) -> NoReturn:
    """What cannot be had here is skipped; with CI=true it is an error."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@contextmanager
def running_or_skipped(home: Path, port: int = 0) -> Iterator[str]:
    """A broker; where none can be had, skipped with what the command said (an error with CI=true)."""
    way = running(home, port)
    try:
        bootstrap = way.__enter__()
    except RuntimeError as why:
        missing_or_failed(str(why))
    try:
        yield bootstrap
    finally:
        way.__exit__(None, None, None)


@pytest.fixture
def topic() -> str:
    """The name of a topic of one's own."""
    return f"contactpoint.test-{uuid4()}"
