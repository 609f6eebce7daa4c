"""A process that writes a log until it is killed. Run by `test_log.py` with a connection string, a point and a count.

What it writes follows from its seed alone, so that a second run can do the same again. It says each group's name once
the group is acknowledged.
"""

import random
import sys
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from adapters.faults import FaultAt, Reach, no_fault
from adapters.postgres.committer import Committer
from adapters.postgres.databases import Database, Role
from adapters.postgres.recorder import LogRecorder
from adapters.rows import Applied, Duplicate, Group, StoredRow, chunks, group_of
from domain.kernel import Log

SINGLES: Final = 8
LOADED: Final = 40
CHUNK: Final = 20


def _uuid(choice: random.Random) -> UUID:
    return UUID(int=choice.getrandbits(128), version=4)


def _stream(choice: random.Random) -> list[StoredRow]:
    stream = _uuid(choice)
    return [
        StoredRow(stream, version, _uuid(choice), 1, 24300, b"i" * 40, b"c" * 40, b"m" * 40)
        for version in range(1, choice.randint(2, 5))
    ]


def singles(seed: int) -> list[Group]:
    """Groups of one or two streams, each under a key, with a reservation."""
    choice = random.Random(f"singles {seed}")
    found = []
    for _ in range(SINGLES):
        rows = _stream(choice) + (_stream(choice) if choice.random() < 0.5 else [])
        token = _uuid(choice).bytes
        found.append(group_of(rows, key=_uuid(choice).bytes, reservations=[(token, rows[0].stream_id)]))
    return found


def loaded(seed: int) -> list[list[StoredRow]]:
    """The streams of a load."""
    choice = random.Random(f"loaded {seed}")
    return [_stream(choice) for _ in range(LOADED)]


def acknowledged(recorder: LogRecorder, seed: int, reach: Reach) -> Iterator[str]:
    """Do all of it, what is there already excepted; the names of what is acknowledged, as it is."""
    committer = Committer(recorder, reach=reach)
    for number, group in enumerate(singles(seed)):
        append = committer.commit if number % 2 else lambda group: recorder.append([group])[0]
        assert isinstance(append(group), Applied | Duplicate)
        yield f"single {number}"
    streams = loaded(seed)
    there = recorder.heads([rows[0].stream_id for rows in streams])
    missing = [rows for rows in streams if rows[0].stream_id not in there]
    recorder.append_bulk(chunks((row for rows in missing for row in rows), CHUNK))
    yield "load"


if __name__ == "__main__":
    _, url, seed_text, point, nth = sys.argv
    reach: Reach = FaultAt(point, int(nth)) if point else no_fault
    recorder = LogRecorder(Database("record", url), Role.SERVICE, Log.RECORD, reach=reach)
    for name in acknowledged(recorder, int(seed_text), reach):
        print(name, flush=True)
    recorder.close()
