"""How fast an invented population is written: all files, on one core, in processor time and by the clock."""

import resource
import time
from pathlib import Path

import pytest

from cli.population import draws
from ingest.population.files import FILES, write

pytestmark = pytest.mark.benchmark

_CHILDREN = 20_000
_ROUNDS = 3


def written(folder: Path, children: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor that it takes to write so many children to disk."""
    folder.mkdir()
    files = {
        source: (folder / name).open("x", encoding="utf-8", newline="\n") for source, name in FILES.items()
    }
    began, used = time.perf_counter(), time.process_time()
    write(children, 7, draws, files)
    for file in files.values():
        file.close()
    return time.perf_counter() - began, time.process_time() - used


def test_twenty_thousand_children_a_second_of_one_core(tmp_path: Path) -> None:
    """By processor time, which what else the machine does hardly changes; the best of three, tables warm."""
    written(tmp_path / "warm", 2_000)
    rounds = [written(tmp_path / str(number), _CHILDREN) for number in range(_ROUNDS)]
    clock, used = (min(column) for column in zip(*rounds, strict=True))
    size = sum(path.stat().st_size for path in (tmp_path / "0").iterdir())
    print(
        f"\npopulation: {_CHILDREN / used:,.0f} children/s of processor time, {_CHILDREN / clock:,.0f} by the clock,"
        f" {size / 1e6 / used:,.0f} MB/s"
    )
    assert _CHILDREN / used >= 20_000


def test_memory_does_not_grow_with_the_number_of_children(tmp_path: Path) -> None:
    written(tmp_path / "few", 5_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    written(tmp_path / "many", 50_000)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\npopulation: ten times the children, {grown:,.1f} MiB more at the peak")
    assert grown < 8
