"""Writes an evidence pack: every event and every look of one child, as stored, with proof that it was sealed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from cli.app import App
from cli.output import Json, dumps
from domain.access.commands import ReadTrail
from domain.access.handlers import read_trail
from domain.access.ports import Looking
from domain.errors import BadInput

MOST_ENTRIES: Final = 2000
"""Looks in an evidence pack, the newest; a pack says where there are more."""

TRAILS: Final[tuple[Literal["who-saw", "changes"], ...]] = ("changes", "who-saw")


def write_evidence(
    app: App,
    looking: Looking,
    child_id: UUID,
    file: Path,
    reason: str | None,
    confirmed_by: UUID | None,
    access_id: UUID,
    older: Sequence[str],
) -> Json:
    """Read both trails of a child, the first as the access of this id, and write the pack. Raises BadInput, as looks do

    older: checkpoints that somebody kept; the pack proves that their logs were only added to since.
    """
    if file.exists():
        raise _there_already()
    app.catch_up()
    ids = (access_id, app.ids.new())
    found = {
        kind: read_trail(
            ReadTrail(
                at=app.now(),
                access_id=own,
                reason=reason or app.reason(looking.viewer),
                kind=kind,
                subject=child_id,
                limit=MOST_ENTRIES,
                confirmed_by=confirmed_by,
            ),
            looking,
        )
        for kind, own in zip(TRAILS, ids, strict=True)
    }
    looks = [UUID(entry["access_id"]) for entry in found["who-saw"].display["entries"]]
    pack: Json = {
        "child": child_id,
        "exported_at": app.now(),
        "access_id": found["who-saw"].access_id,
        "more": len(looks) == MOST_ENTRIES,
        **{kind: app.named(shown.display["entries"]) for kind, shown in found.items()},
        **app.proving.evidence(child_id, looks, older),
    }
    write_new(file, dumps(pack) + "\n")
    entries = sum(len(log["events"]) for log in pack["logs"])
    return {"file": str(file), "entries": entries, "access_id": pack["access_id"]}


def checkpoint_of(path: Path) -> str:
    """A checkpoint that somebody kept in a file. Raises BadInput."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        raise BadInput(
            "--since names no file that can be read.", code="no-such-file", field="since"
        ) from None


def write_new(file: Path, text: str) -> None:
    """Write a file that nobody else may read. Raises BadInput where there is one, or where none can be made."""
    if not str(file).isprintable():
        raise BadInput("A file's name holds no control character.", code="no-such-file", field="file")
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise _there_already() from None
    except (OSError, ValueError):
        raise BadInput("This file cannot be made: name another.", code="no-such-file", field="file") from None
    with os.fdopen(handle, "w", encoding="utf-8") as made:
        made.write(text)


def words_of_written(answer: Json) -> str:
    """That a file was written, in one line."""
    return f"Wrote {answer['entries']} events with their proofs to {answer['file']}."


def _there_already() -> BadInput:
    return BadInput("There is such a file already: name another.", code="file-exists", field="file")
