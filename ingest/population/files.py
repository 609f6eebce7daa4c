"""The files of a population: which there are, what each begins and ends with, and how they are written together."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from ingest.population import records
from ingest.population.people import BLOCK
from ingest.population.slips import Draws

FILES: Final[Mapping[str, str]] = {
    "births": "births.csv",
    "child-benefit": "child-benefit.csv",
    "pds": "pds.ndjson",
    "school-census": "school-census.xml",
    "ctf": "ctf.xml",
    "case-management": "case-management.ndjson",
    "truth": "truth.csv",
}
"""Source → name of its file; and the truth, which no source knows."""

TRUTH_HEADER: Final = "source,source_id,person\n"

_TOGETHER: Final = 10
"""Blocks written at once: about 5 MB of text."""


class TextOut(Protocol):
    """What a file is written to."""

    def write(self, text: str, /) -> object:
        """Add the text."""
        ...


def write(
    children: int,
    seed: int,
    draws: Draws,
    out: Mapping[str, TextOut],
    progressed: Callable[[int], None] = lambda _: None,
) -> int:
    """Write a population of so many children, each source to its stream of `FILES`; gives the number of records.

    The same children and seed give the same text everywhere, and fewer children give the beginning of it. `progressed`
    is told how many children are done. Memory does not grow with the number of children.
    """
    for source, name in records.BEGIN.items():
        out[source].write(name)
    out["truth"].write(TRUTH_HEADER)
    written = 0
    blocks = -(-children // BLOCK)
    for first in range(0, blocks, _TOGETHER):
        texts: dict[str, list[str]] = {source: [] for source in out}
        truth = texts["truth"]
        for block in range(first, min(first + _TOGETHER, blocks)):
            for record in records.records_of(seed, block, draws, children):
                texts[record.source].append(record.text)
                truth.append(f"{record.source},{record.source_id},{record.person}\n")
        for source, lines in texts.items():
            out[source].write("".join(lines))
        written += len(truth)
        progressed(min((first + _TOGETHER) * BLOCK, children))
    for source, name in records.END.items():
        out[source].write(name)
    return written
