"""Commands as processes of their own, on the home of a `Line`: what can be stopped, killed, and run beside another."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.line import Line


def started(
    line: Line, *words: str, acting: str | None = None, second: str | None = None, **environ: str
) -> "subprocess.Popen[str]":
    """A command, begun. environ: further settings, by name."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    if line.databases is not None:
        settings |= {
            f"CONTACTPOINT_{database.store.upper()}_URL": database.url for database in line.databases
        }
    return subprocess.Popen(
        [
            str(Path(sys.executable).with_name("contactpoint")),
            *line.words(*words, acting=acting, second=second),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**settings, "CONTACTPOINT_CLOCK": line.clock.isoformat(), **environ},
    )


def ended(process: "subprocess.Popen[str]", seconds: float = 60) -> tuple[int, dict[str, Any]]:
    """The status of a command and the one object it printed; empty where it was killed before."""
    said, _ = process.communicate(timeout=seconds)
    return process.returncode, json.loads(said) if said else {}


def killed(process: "subprocess.Popen[str]") -> str:
    """Kill it as kill -9 does; what it had printed."""
    process.kill()
    return process.communicate(timeout=30)[0]


@contextmanager
def running(line: Line, *words: str, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """A command that goes on until the block ends: then it is asked to stop, where it still runs, and does so well."""
    process = started(line, *words, **environ)
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
