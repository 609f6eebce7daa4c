"""What `./dev test`, `./dev soak` and CI promise, tried on a small suite of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SUITE = """
import os
import pytest
from hypothesis import given, settings, strategies
from tests.plugins_counts import count, seed

tried = []

def test_counts():
    print("large", count(5_000), "never below", count(30, minimum=7), "seed", seed())

@settings(max_examples=count(500))
@given(strategies.integers())
def test_property(number):
    tried.append(number)

def test_how_often():
    print("tried", len(tried))

@pytest.mark.soak
def test_only_in_a_soak():
    pass

@pytest.mark.benchmark
def test_only_alone():
    pass

@pytest.mark.skipif(os.environ.get("WITH_SKIPS") != "1", reason="no broker")
def test_needs_a_broker():
    pytest.skip("the broker cannot be had")

@pytest.mark.outside_material
def test_reads_what_is_not_ours():
    pytest.skip("not here")

def test_fails():
    assert os.environ.get("BROKEN") != "1"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder in which pytest can be run on the suite above."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  soak: .\n  benchmark: .\n  outside_material: .\n", "utf-8"
    )
    (tmp_path / "test_it.py").write_text(SUITE, "utf-8")
    return tmp_path


def _run(suite: Path, *options: str, **environ: str) -> tuple[int, str]:
    clean: Mapping[str, str] = {
        k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("PYTEST")
    }
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "tests.plugins_counts", *options],
        cwd=suite,
        env={**clean, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_a_test_run_tries_a_hundredth_with_a_fixed_seed_and_leaves_out_what_is_for_a_soak(
    suite: Path,
) -> None:
    status, said = _run(suite)
    assert status == 0, said
    assert "large 50 never below 7 seed 20070801" in said
    assert "tried 5\n" in said
    assert "2 deselected" in said
    assert "2 skipped" in said


def test_a_soak_tries_all_and_goes_on_where_it_was_until_the_code_changes(suite: Path) -> None:
    soak = ("--full-counts", "--resume", "passed", "--seed", "7")
    status, said = _run(suite, *soak, BROKEN="1")
    assert status == 1
    assert "large 5000 never below 30 seed 7" in said
    assert re.search(r"tried (500|[3-4]\d\d)\n", said), (
        "hypothesis stops early only when it has tried every integer"
    )
    assert "1 failed, 5 passed, 2 skipped" in said

    status, said = _run(suite, *soak)
    assert status == 0, said
    assert "1 passed, 2 skipped, 5 deselected" in said, (
        "what passed is left out, what failed or was skipped is not"
    )

    subprocess.run(
        [sys.executable, "-m", "tests.plugins_counts", "passed", "result.md"], cwd=suite, check=True
    )
    assert "6 tests passed" in (suite / "result.md").read_text("utf-8")

    (suite / "test_it.py").write_text(SUITE + "\n# changed\n", "utf-8")
    assert "6 passed, 2 skipped" in _run(suite, *soak)[1]


def test_a_soak_without_a_seed_draws_one_and_says_it(suite: Path) -> None:
    first, second = (_run(suite, "--full-counts", "-k", "counts", "-v")[1] for _ in range(2))
    drawn = [re.findall(r"--seed (\d+)", said) + re.findall(r" seed (\d+)", said) for said in (first, second)]
    assert drawn[0][0] == drawn[0][1]
    assert drawn[0] != drawn[1]


def test_where_ci_is_set_a_skip_is_a_failure_unless_its_material_is_not_ours(suite: Path) -> None:
    status, said = _run(suite, CI="true", WITH_SKIPS="1")
    assert status == 1
    assert "1 failed" in said
    assert "skipped although CI is set" in said
    assert "1 skipped" in said
    status, said = _run(suite, CI="true")
    assert status == 1, "a skip by a mark is a skip too"
