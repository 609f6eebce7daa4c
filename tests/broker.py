"""A real broker for the whole run: the one that CONTACTPOINT_KAFKA names, or our own command's, started once.

`broker`: its bootstrap address. Skips where none can be had; with CI=true that is an error. Tests use topics of their
own: `topic` makes up a name.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.architecture.repository import ROOT


@contextmanager
def running(home: Path, port: int = 0) -> Iterator[str]:
    """`contactpoint kafka` as a process; where it listens. Raises RuntimeError with what it said instead."""
    contactpoint = Path(sys.executable).with_name("contactpoint")
    command = [str(contactpoint), "--home", str(home), "--json", "kafka", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        if "bootstrap" not in said:
            raise RuntimeError(said["error"]["message"])
        yield said["bootstrap"]
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
        process.stdout.close()
    assert status == 0


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker for this session."""
    named = os.environ.get("CONTACTPOINT_KAFKA")
    if named:
        yield named
        return
    with running_or_skipped(tmp_path_factory.mktemp("broker")) as bootstrap:
        yield bootstrap


@contextmanager
def running_or_skipped(home: Path, port: int = 0) -> Iterator[str]:
    """A broker; where none can be had, skipped with what the command said (an error with CI=true)."""
    started = running(home, port)
    try:
        bootstrap = started.__enter__()
    except RuntimeError as why:
        if os.environ.get("CI") == "true":
            pytest.fail(str(why))
        pytest.skip(str(why))
    try:
        yield bootstrap
    finally:
        started.__exit__(None, None, None)


@pytest.fixture
def topic() -> str:
    """The name of a topic of one's own."""
    return f"contactpoint.test-{uuid4()}"
