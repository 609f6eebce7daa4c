"""How often a large property is tried, what is left out, and what a soak remembers.

`count(20_000)` is 200 in `./dev test` and 20,000 in `./dev soak`. `seed()` is the same in every test run and fresh in
every soak; a run prints it, and `--seed` sets it again. `--resume FILE` notes each test that passed and leaves it out
the next time, so that a soak that was stopped goes on where it was; the notes are void once the code has changed.

Loaded by `-p tests.plugins_counts` in pyproject.toml, before any test module is imported.
"""

import hashlib
import os
import platform
import secrets
import shutil
import subprocess
import sys
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

FIXED_SEED: Final = 20_070_801  # the day after the regulations of 2007 came into force

_run: dict[str, int] = {"divisor": 100, "seed": FIXED_SEED}

settings.register_profile(
    "test",
    derandomize=True,
    database=None,
    deadline=None,  # two cores shared with a database: time is measured elsewhere
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "soak",
    derandomize=False,
    database=None,
    deadline=None,
    max_examples=10_000,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)


def count(full: int, minimum: int = 1) -> int:
    """How often to try: `full` in a soak; otherwise a hundredth of it, and never less than `minimum`."""
    return max(full // _run["divisor"], minimum)


def seed() -> int:
    """The seed for a test's own randomness."""
    return _run["seed"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contactpoint")
    group.addoption(
        "--full-counts", action="store_true", help="large properties at their full counts (./dev soak)"
    )
    group.addoption("--seed", type=int, default=None, help="repeat a run that printed this seed")
    group.addoption(
        "--resume", type=Path, default=None, help="leave out what this file says has passed; add to it"
    )


def pytest_configure(config: pytest.Config) -> None:
    full = bool(config.getoption("--full-counts"))
    if (
        config.option.seed is None
    ):  # xdist hands the controller's options, this one among them, to its workers
        config.option.seed = secrets.randbits(32) if full else FIXED_SEED
    _run.update(divisor=1 if full else 100, seed=config.option.seed)
    settings.load_profile("soak" if full else "test")
    resume: Path | None = config.option.resume
    if resume is not None:
        config.pluginmanager.register(Resumed(resume, config), "contactpoint-resumed")


def pytest_report_header(config: pytest.Config) -> str:
    return f"counts: {'full' if config.option.full_counts else 'a hundredth'}, --seed {config.option.seed}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.full_counts:
        return
    only_in_soak = ("soak", "benchmark")
    left_out = [item for item in items if any(map(item.get_closest_marker, only_in_soak))]
    _leave_out(config, items, left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI set, what cannot be had is an error: a skip fails, unless its material is not the repository's."""
    report = yield
    required = os.environ.get("CI") and not item.get_closest_marker("outside_material")
    if report.skipped and not hasattr(report, "wasxfail") and required:
        report.outcome = "failed"
        report.longrepr = f"skipped although CI is set, where nothing may be missing: {report.longrepr}"
    return report


def _leave_out(config: pytest.Config, items: list[pytest.Item], left_out: list[pytest.Item]) -> None:
    if left_out:
        gone = set(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in gone]


class Resumed:
    """Remembers, in a file, the tests that passed on this very code.

    The file's first line is a digest of the code; each further line is a node id, a tab and the seconds taken. Only the
    controlling process writes; workers are told once, so that all collect the same.
    """

    def __init__(self, path: Path, config: pytest.Config) -> None:
        self._path = path
        given: dict[str, list[str]] | None = getattr(config, "workerinput", None)
        self._is_worker = given is not None
        self._passed = set(given["passed"] if given is not None else self._read())
        self._seconds: dict[str, float] = {}
        self._not_passed: set[str] = set()

    def _read(self) -> list[str]:
        code = _code()
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        if not lines or lines[0] != code:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(code + "\n", "utf-8")
            return []
        return [line.split("\t")[0] for line in lines[1:]]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        node.workerinput["passed"] = sorted(self._passed)  # type: ignore[attr-defined]

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        _leave_out(config, items, [item for item in items if item.nodeid in self._passed])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._is_worker:
            return
        name = report.nodeid
        self._seconds[name] = self._seconds.get(name, 0.0) + report.duration
        if not report.passed:
            self._not_passed.add(name)
        if report.when == "teardown" and name not in self._not_passed:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{name}\t{self._seconds[name]:.1f}\n")


def _code() -> str:
    """A digest of every file that can change what a test finds."""
    digest = hashlib.sha256()
    for folder, subfolders, names in os.walk("."):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "__pycache__")))
        for name in sorted(names):
            if name.endswith((".py", ".sql", ".toml", ".json", ".lock", ".csv", ".xml", ".ndjson")):
                path = Path(folder, name)
                digest.update(f"{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _commit() -> str:
    if shutil.which("git") is None:
        return "unknown"
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


def write_result(passed: Path, result: Path) -> None:
    """Write the dated result of a finished soak: what passed, on which code, and what took longest."""
    code, *rows = passed.read_text("utf-8").splitlines()
    seconds = {name: float(taken) for name, taken in (row.split("\t") for row in rows)}
    longest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:20]
    lines = [
        "# The last soak",
        "",
        "Every test at full counts with fresh seeds (`./dev soak`), which no ordinary run repeats.",
        "",
        f"- finished: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"- commit {_commit()}, files {code}",
        f"- Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        f"- {len(seconds)} tests passed, none failed, {sum(seconds.values()) / 60:.0f} minutes of test time",
        "",
        "| longest tests | seconds |",
        "|---|--:|",
        *(f"| `{name}` | {seconds[name]:.0f} |" for name in longest),
        "",
    ]
    result.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    write_result(Path(sys.argv[1]), Path(sys.argv[2]))
