"""How a figure is compared with its yardsticks: slices taken in turn, medians, and memory at its highest."""

import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final, Self

from cli.output import Json, Output

_RESET: Final = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Slice:
    """One turn of one contender: how many events it wrote in how many seconds."""

    events: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds if self.seconds > 0 else 0.0


Contender = Callable[[], Slice]


def compared(contenders: Mapping[str, Contender], rounds: int, output: Output) -> dict[str, list[Slice]]:
    """Let the contenders take turns on the same server. Who begins changes from round to round."""
    names = list(contenders)
    done: dict[str, list[Slice]] = {name: [] for name in names}
    with output.progress() as bar:
        task = bar.add_task("measuring", total=rounds * len(names), rate="")
        for number in range(rounds):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                gc.collect()
                taken = contenders[name]()
                done[name].append(taken)
                bar.update(task, advance=1, rate=f"{name} {taken.per_second:,.0f}/s")
    return done


def answer_of(slices: Mapping[str, Sequence[Slice]], *, peak_mib: float, seconds: float) -> Json:
    """The figures that every bench gives: medians a second, and the median of the ratios of each round.

    The slices of a round are neighbours in time: where a disk stalls for a minute, its ratio still says something.
    """
    median = {name: statistics.median(one.per_second for one in own) for name, own in slices.items()}
    ours = slices["ours"]
    return {
        **{name: round(value, 1) for name, value in median.items()},
        **{_NAMES[name]: ratio(ours, own) for name, own in slices.items() if name in _NAMES},
        "events": sum(one.events for one in ours),
        "seconds": round(seconds, 1),
        "peak_mib": round(peak_mib, 1),
        "slices": {name: [round(one.per_second) for one in own] for name, own in slices.items()},
    }


_NAMES: Final = {
    "theirs": "ratio_theirs",
    "theirs_same_work": "ratio_same_work",
    "floor": "ratio_floor",
}


def ratio(ours: Sequence[Slice], others: Sequence[Slice]) -> float:
    """The median of the ratios of each round."""
    pairs = zip(ours, others, strict=True)
    return round(statistics.median(one.per_second / max(other.per_second, 1e-9) for one, other in pairs), 2)


def repeated(actions: Sequence[Callable[[], object]], seconds: float, at_most: int | None = None) -> Slice:
    """Each action again and again in a thread of its own, until the time is over or `at_most` are done in all."""
    counts = [0] * len(actions)
    failures: list[BaseException] = []
    share = sys.maxsize if at_most is None else max(1, at_most // len(actions))
    began = time.perf_counter()
    end = began + seconds

    def work(number: int, action: Callable[[], object]) -> None:
        try:
            while counts[number] < share and time.perf_counter() < end:
                action()
                counts[number] += 1
        except BaseException as failure:  # noqa: BLE001 - raised again where it is waited for
            failures.append(failure)

    if len(actions) == 1:
        work(0, actions[0])
    else:
        threads = [Thread(target=work, args=pair) for pair in enumerate(actions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return Slice(sum(counts), time.perf_counter() - began)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which this part (0 to 1) of the values lies; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def latencies(milliseconds: Sequence[float]) -> Json:
    """What to read of how long something took."""
    parts = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: percentile(milliseconds, part) for name, part in parts.items()}
    return {
        name: round(value, 3) for name, value in (found | {"max": max(milliseconds, default=0.0)}).items()
    }


def milliseconds(action: Callable[..., object], *arguments: object) -> float:
    """How long a call took."""
    began = time.perf_counter()
    action(*arguments)
    return (time.perf_counter() - began) * 1000


class PeakMemory:
    """The highest resident size of this process, in MiB, while it was watched: Linux lets the mark be set back."""

    def __init__(self) -> None:
        self.mib = 0.0

    def __enter__(self) -> Self:
        with suppress(OSError):
            _RESET.write_text("5")
        return self

    def __exit__(self, *_: object) -> None:
        self.mib = max(self.mib, high_water())


def high_water(process: int | None = None) -> float:
    """The highest resident size of a process, in MiB, by default of this one; 0 where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process or 'self'}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if process is not None:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
