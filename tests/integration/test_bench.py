"""Each bench at a tiny size: it says what it must, and leaves nothing behind. Never how fast it has to be."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.repository import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

COMMON = {"ours", "theirs", "floor", "ratio_theirs", "ratio_floor", "events", "seconds", "peak_mib", "slices"}

SAME_WORK = ("theirs_same_work", "ratio_same_work")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: each run of pytest anew shuts that to the account that the server runs as."""
    with tempfile.TemporaryDirectory(prefix="cp-bench-") as made:
        yield Path(made)


def bench(folder: Path, *words: str) -> dict[str, Any]:
    """The answer of one run whose temporary files lie in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import run; run()", "--json", "bench", *words],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
        | {"TMPDIR": str(folder)},
        capture_output=True,
        check=False,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = done.stdout.splitlines()
    assert [path.name for path in folder.iterdir() if path.name.startswith("contactpoint-")] == []
    answer = json.loads(line)
    assert isinstance(answer, dict)
    return answer


def check(answer: dict[str, Any], rounds: int, *more: str) -> None:
    """What holds of every bench."""
    assert set(answer) == COMMON | set(more)
    others = [name for name in ("theirs", "theirs_same_work", "floor") if name in answer]
    for contender in ("ours", *others):
        slices = answer["slices"][contender]
        assert len(slices) == rounds
        assert min(slices) - 1 <= answer[contender] <= max(slices) + 1  # a median, and slices are rounded
        assert answer[contender] > 0
    for yardstick in others:
        pairs = zip(answer["slices"]["ours"], answer["slices"][yardstick], strict=True)
        ratio = statistics.median(ours / other for ours, other in pairs)
        assert answer[f"ratio_{yardstick.removeprefix('theirs_')}"] == pytest.approx(ratio, rel=0.1, abs=0.02)
    assert answer["peak_mib"] > 20
    assert 0 < answer["seconds"] < 120


def test_append_with_one_writer(folder: Path) -> None:
    answer = bench(folder, "append", "--events", "24", "--seconds", "4")
    check(answer, 12, *SAME_WORK, "writers", "theirs_by", "p50_ms", "p99_ms")
    assert (answer["writers"], answer["theirs_by"]) == (1, "threads")
    assert 12 <= answer["events"] <= 24
    assert 0 < answer["p50_ms"] <= answer["p99_ms"]


def test_append_with_several_writers(folder: Path) -> None:
    answer = bench(folder, "append", "--events", "48", "--writers", "2", "--seconds", "2")
    check(answer, 12, *SAME_WORK, "writers", "theirs_by", "p50_ms", "p99_ms")
    assert answer["writers"] == 2
    assert 12 <= answer["events"] <= 48
    assert answer["theirs_by"] in {"threads", "processes"}


def test_bulk(folder: Path) -> None:
    answer = bench(folder, "bulk", "--events", "480")
    check(answer, 6, *SAME_WORK, "processes", "events_theirs", "events_floor", "ours_with_making_commands")
    assert answer["events"] == answer["events_theirs"] == answer["events_floor"] == 480
    assert answer["ours_with_making_commands"] < answer["ours"]


def test_rebuild(folder: Path) -> None:
    answer = bench(folder, "rebuild", "--events", "480")
    delays = ("visible_ms_p50", "visible_ms_p99")
    ratios = ("catch_up_ratio_theirs", "catch_up_ratio_same_work", "ratio_same_work")
    check(answer, 3, "processes", "eta_error", "catch_up", "theirs_same_work", *ratios, *delays)
    assert 0 < answer["visible_ms_p50"] <= answer["visible_ms_p99"]
    assert answer["events"] >= 3 * 480
    assert answer["catch_up"] > 0


def test_publish(folder: Path) -> None:
    answer = bench(folder, "publish", "--events", "480")
    check(answer, 6)
    assert 6 <= answer["events"] <= 480


LATENCIES = {"p50", "p95", "p99", "max"}
OF_LATENCIES = (COMMON - {"slices"}) | {"unit", "children", "all_theirs", "all_floor"}


def check_latencies(answer: dict[str, Any]) -> None:
    """What holds of one table of latencies."""
    assert set(answer) >= LATENCIES
    assert 0 < answer["p50"] <= answer["p95"] <= answer["p99"] <= answer["max"]


def test_seal(folder: Path) -> None:
    answer = bench(folder, "seal", "--events", "1200")
    check(answer, 4, "age_ms_p50", "age_ms_p99")
    assert answer["events"] == 1200
    assert 0 < answer["age_ms_p50"] <= answer["age_ms_p99"]


def test_search(folder: Path) -> None:
    answer = bench(folder, "search", "--children", "400", "--searches", "4", "--clients", "2")
    assert set(answer) == OF_LATENCIES | {"query", "commit", "whole", "kinds", "stress"}
    assert (answer["children"], answer["events"]) == (400, 2 * 4 * len(answer["kinds"]))
    for name in ("query", "commit", "whole", "all_theirs", "all_floor"):
        check_latencies(answer[name])
    assert answer["query"]["p99"] == pytest.approx(answer["ours"], abs=0.01)
    for under in (answer["kinds"], answer["stress"]["kinds"]):
        for own in under.values():
            check_latencies(own)
        for kind in ("exact", "postcode", "number", "swapped"):
            assert under[kind]["found"] == 1
        assert under["nobody"]["found"] == 0


def test_match(folder: Path) -> None:
    answer = bench(folder, "match", "--children", "400", "--records", "4")
    assert set(answer) == OF_LATENCIES | {"link", "look_up", "kinds"}
    assert (answer["children"], answer["events"]) == (400, 4 * len(answer["kinds"]))
    for name in ("link", "look_up", "all_theirs", "all_floor"):
        check_latencies(answer[name])
    assert answer["link"]["p99"] == pytest.approx(answer["ours"], abs=0.01)
    for kind, own in answer["kinds"].items():
        check_latencies(own)
        assert own["right"] + own["wrong"] + own["queued"] + own["new"] == pytest.approx(1, abs=0.01)
        assert (own["right"] == 0) == (kind == "new-births")
        assert own["wrong"] == 0
