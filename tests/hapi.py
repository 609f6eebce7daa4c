"""The reference validator of FHIR R4 (HAPI), in Java, as somebody else reads what we write.

Its jars come through Maven, once, into the cache that the broker's are in, and each is checked against its hash. It
needs the compiler of a JDK of 17 or later. `errors_in` skips the test where one of them cannot be had.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from cli.broker import cache

VERSION: Final = "8.8.1"
FOLDER: Final = Path(__file__).parent / "samples" / "hapi"
_FETCH_SECONDS: Final = 400
_VALIDATE_SECONDS: Final = 300


def errors_in(resources: Iterable[Mapping[str, Any]]) -> dict[int, list[str]]:
    """By number of the resource, from 0: its errors. One without any is not in it."""
    java, jars = shutil.which("java"), _jars()
    if java is None or shutil.which("javac") is None:
        pytest.skip("there is no Java compiler on PATH")
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as lines:
        count = 0
        for count, resource in enumerate(resources, 1):  # noqa: B007 - how many there were
            lines.write(json.dumps(resource) + "\n")
        lines.flush()
        command = [java, "-cp", f"{jars}/*", str(FOLDER / "Validate.java"), lines.name]
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=_VALIDATE_SECONDS, check=True
        ).stdout.splitlines()
    assert said[-1] == f"{count}\tREAD", "it read every one of them"
    found: dict[int, list[str]] = {}
    for line in said[:-1]:
        number, _, words = line.partition("\t")
        found.setdefault(int(number) - 1, []).append(words)
    return found


def _jars() -> Path:
    listed = (FOLDER / "jars.sha256").read_text("utf-8").splitlines()
    wanted = {name: digest for digest, name in (line.split() for line in listed)}
    folder = cache() / f"hapi-{VERSION}"
    if not all((folder / name).is_file() for name in wanted):
        _fetch(folder)
    for name, digest in wanted.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, f"{name} is another file"
    return folder


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip("the validator's jars are fetched with Maven, and mvn is not on PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as name:
        command = [maven, "--batch-mode", "--quiet", "--file", str(FOLDER / "pom.xml")]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={name}"]
        try:
            ended = subprocess.run(command, capture_output=True, timeout=_FETCH_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("Maven did not fetch the validator's jars in time")
        if ended.returncode:
            pytest.skip("Maven could not fetch the validator's jars")
        folder.mkdir(exist_ok=True)
        for jar in Path(name).glob("*.jar"):
            jar.replace(folder / jar.name)
