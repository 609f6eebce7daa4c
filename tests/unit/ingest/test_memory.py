"""Parsing keeps one item at a time, however long the file."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from ingest.source_record import Parse
from ingest.sources import births, pds
from tests.loading import a_births_file, a_patient, an_entry, ndjson


class Lines(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, head: bytes, line: bytes, count: int) -> None:
        self._parts: Iterator[bytes] = iter(
            [head, *[line] * count]
        )  # the same bytes again and again: no memory
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def peak(parse: Parse, head: bytes, line: bytes, count: int) -> int:
    stream = io.BufferedReader(Lines(head, line, count))
    tracemalloc.start()
    try:
        assert sum(1 for _ in parse(stream)) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["births", "pds", "broken births", "broken pds"])
def test_memory_is_flat_in_the_length_of_the_file(kind: str) -> None:
    header, line = a_births_file(an_entry()).split(b"\n", 1)
    sources: dict[str, tuple[Parse, bytes, bytes]] = {
        "births": (births.parse, header + b"\n", line),
        "pds": (pds.parse, b"", ndjson(a_patient())),
        "broken births": (births.parse, header + b"\n", b"x\n"),
        "broken pds": (pds.parse, b"", b'{"resourceType": "Nothing"}\n'),
    }
    parse, head, line = sources[kind]
    peak(parse, head, line, 10)  # what is remembered for good
    short, long = peak(parse, head, line, 200), peak(parse, head, line, 4000)
    assert long < short + 100_000
