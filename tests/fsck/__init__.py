"""A verifier of logs that is not ours: `fsck` of tessera (Go), at the version in go.mod, its modules checked by go.sum.

Built once and kept under the user's cache. Skipped where Go is missing; with CI=true that is an error.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from cli.broker import cache
from tests.broker import missing_or_failed

FOLDER: Final = Path(__file__).parent
NEEDED: Final = (1, 24)
_MODULE: Final = "github.com/transparency-dev/tessera/cmd/fsck"
_BUILD_SECONDS: Final = 600
_CHECK_SECONDS: Final = 60
_GOOD: Final = re.compile(r"Successfully fsck'd log with size (\d+) and root (\S+) ")


def program() -> Path:
    """The program, built where it is not there yet."""
    digest = hashlib.sha256((FOLDER / "go.mod").read_bytes() + (FOLDER / "go.sum").read_bytes()).hexdigest()
    built = cache() / f"fsck-{digest[:16]}"
    if built.exists():
        return built
    go = shutil.which("go")
    if go is None:
        missing_or_failed("Go is not on PATH: tessera's fsck cannot be built.")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < NEEDED:
        missing_or_failed(f"Go {'.'.join(map(str, NEEDED))} or newer is needed to build tessera's fsck.")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="building-") as folder:
        done = subprocess.run(
            [go, "build", "-mod=readonly", "-trimpath", "-o", f"{folder}/fsck", _MODULE],
            cwd=FOLDER, env=os.environ | {"GOTOOLCHAIN": "local"}, capture_output=True, text=True,
            timeout=_BUILD_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            missing_or_failed(f"tessera's fsck could not be built: {done.stderr[-2000:]}")
        Path(folder, "fsck").replace(built)  # whole or not at all, also where another builds at once
    return built


def fsck(log: Path) -> tuple[int, str] | None:
    """The size and the root (base64) of a log whose every entry it has hashed again; None where it found fault.

    Judged by what it says: version 1.0.4 ends with status 0 also where something is wrong, and with fewer than four
    readers may never end then.
    """
    command = [str(program()), "--ui=false", f"--storage_url=file://{log}/", f"--public_key={log}/log.pub"]
    try:
        done = subprocess.run(
            [*command, "-N", "4"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    good = _GOOD.search(done.stdout)
    return (int(good[1]), good[2]) if good else None
