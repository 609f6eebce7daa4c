"""Letters: what the second act of a new identity needs of the first, in a file that is kept outside the index.

A letter holds keyed digests, from which nothing can be read, always of the same number. Where the second act is
proposed by one person and confirmed by another, that too is in a letter: a proposal in the log would stand beside the
record that comes of it, a day after that of the sealing. Of the facts there is a keyed digest: whoever confirms says
them again, and sees by that exactly what is registered.
"""

import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from cli.app import App, Confirming
from cli.output import Json
from domain.access.model import Actor
from domain.disclosure import canonical
from domain.errors import BadInput, Refused

_MARKS: Final = 64
_LETTER: Final = "letter"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A new identity that one person proposed. wanted: keyed digest, as hex, of what would be registered."""

    proposal: UUID
    by: UUID
    expires_at: datetime
    wanted: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says. since: from when on the new identity may be registered."""

    marks: tuple[str, ...]
    since: datetime
    proposed: Proposed | None = None


def seal_into(
    letter: Path,
    app: App,
    child_id: UUID,
    first: Actor,
    second: Actor | None,
    confirming: Confirming | None = None,
) -> Json:
    """Seal the record of an old identity and write the letter. The file is made before anything is done.

    Raises BadInput where it cannot be, Refused.
    """
    with new_file(letter):
        receipt, at, marks = app.seal(child_id, first, second, confirming)
        since = at + timedelta(hours=app.rules.identity.apart_hours)
        write(letter, app, Letter(_padded(sorted(marks), app), since))
    return {"receipt": receipt, "letter": str(letter)}


@contextmanager
def new_file(letter: Path) -> Iterator[None]:
    """A file that was not there before, and is gone again where what it is for is refused. Raises BadInput."""
    if not str(letter).isprintable():
        raise BadInput("A file's name holds no control character.", code="no-such-file", field="letter")
    try:
        letter.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise BadInput(
            "There is a file of that name already: name a new one.", code="file-exists", field="letter"
        ) from None
    except OSError:
        raise BadInput("The letter cannot be written there.", code="no-file", field="letter") from None
    try:
        yield
    except Refused:
        letter.unlink()
        raise


def write(file: Path, app: App, letter: Letter) -> None:
    """Write a letter, and a keyed digest of all of it."""
    said: Json = {"marks": sorted(letter.marks), "from": letter.since.isoformat()}
    if letter.proposed is not None:
        said["proposed"] = {
            "proposal": str(letter.proposed.proposal),
            "by": str(letter.proposed.by),
            "expires_at": letter.proposed.expires_at.isoformat(),
            "wanted": letter.proposed.wanted,
        }
    file.write_text(json.dumps({**said, "digest": digest(app, said)}), "utf-8")


def read(file: Path, app: App, at: datetime) -> Letter:
    """What a letter says. Raises BadInput where it is none of this home, Refused where it is too soon."""
    try:
        said = json.loads(file.read_text("utf-8"))
        signed = str(said.pop("digest"))
        letter = Letter(
            tuple(said["marks"]), datetime.fromisoformat(said["from"]), _proposed(said.get("proposed"))
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise _no_letter() from None
    if not hmac.compare_digest(signed.encode(), digest(app, said).encode()):
        raise _no_letter()
    if at < letter.since:
        raise Refused(
            "It is too soon after the sealing: what follows it closely would tell whose identity this is.",
            code="too-soon",
            field="letter",
        )
    return letter


def digest(app: App, said: Json) -> str:
    """A keyed digest, as hex, of what is said in a letter."""
    return app.tokens.token(_LETTER, canonical(said)).hex()


def _padded(marks: Sequence[str], app: App) -> tuple[str, ...]:
    """As many marks whatever there was, the rest drawn by lot."""
    padded = [*marks[:_MARKS]]
    while len(padded) < _MARKS:
        padded.append(f"e:{app.tokens.token(_LETTER, app.ids.new().bytes).hex()[:32]}")
    return tuple(padded)


def _proposed(said: Json | None) -> Proposed | None:
    if said is None:
        return None
    return Proposed(
        UUID(said["proposal"]),
        UUID(said["by"]),
        datetime.fromisoformat(said["expires_at"]),
        cast(str, said["wanted"]),
    )


def _no_letter() -> BadInput:
    return BadInput("This is no letter that `record seal` wrote here.", code="not-a-letter", field="letter")
