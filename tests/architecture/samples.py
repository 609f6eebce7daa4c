"""Golden samples: one stored form of every version of every event, for ever.

`python -m tests.architecture.samples` writes a sample for each event class that has none yet, and its digest into the
manifest. It never touches one that is there: what has been stored cannot be changed by changing the code.

A sample is the plain text of the stored parts (docs/stored-forms.md), before padding and encryption; `metadata` holds
only what the event itself puts there.
"""

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from adapters.keys.parts import Parts
from domain.kernel import Event, Upcasters
from tests.architecture.event_classes import example, fields, registry
from tests.architecture.repository import AGGREGATES

FOLDER: Final = Path(__file__).parents[1] / "samples" / "events"
MANIFEST: Final = FOLDER / "sha256sums"


def path_of(event_class: type[Event]) -> Path:
    """Where the sample of this class is kept: named after what is stored, not after the class."""
    return FOLDER / f"{event_class.NAME}.v{event_class.VERSION}.json"


def digest(path: Path) -> str:
    """SHA-256 of the file as it stands, in the form of sha256sum."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest() -> dict[str, str]:
    """File name → digest, of every sample ever frozen. `sha256sum --check` reads the same file."""
    lines = MANIFEST.read_text("utf-8").splitlines() if MANIFEST.exists() else []
    return {name: value for value, name in (line.split("  ") for line in lines)}


def upcasters() -> Upcasters:
    """Every old shape's way to today's, from each aggregate's upcasters.py where it has one."""
    found: dict[Any, Any] = {}
    for aggregate in AGGREGATES:
        if (Path(__file__).parents[2] / "domain" / aggregate / "upcasters.py").exists():
            found |= import_module(f"domain.{aggregate}.upcasters").UPCASTERS
    return found


def codec() -> Parts:
    """The product's own, for every event class there is."""
    types = registry(AGGREGATES[0])
    for aggregate in AGGREGATES[1:]:
        types = types | registry(aggregate)
    return Parts(types, upcasters())


def example_of(event_class: type[Event]) -> Event:
    """An event of this class with everything present that can be."""
    filled = {name: example(annotation, name) for name, annotation in fields(event_class).items()}
    return event_class.model_validate(filled)


def stored(event: Event) -> dict[str, Any]:
    """The stored parts of an event, as JSON objects."""
    texts = codec().split(event, content_key=1)
    parts = {"identity": json.loads(texts.identity), "content": json.loads(texts.content)}
    return parts if texts.metadata is None else {**parts, "metadata": json.loads(texts.metadata)}


def decode(sample: dict[str, Any]) -> Event:
    """The event of a sample, in today's shape. Raises Damage where it no longer decodes."""
    return codec().event(sample["identity"], sample["content"], sample.get("metadata"))


def write_missing() -> list[str]:
    """Write and freeze a sample of each class that has none. Returns the names of the new files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    frozen = manifest()
    new: list[str] = []
    for event_class in (c for aggregate in AGGREGATES for c in registry(aggregate)):
        path = path_of(event_class)
        if not path.exists() and path.name not in frozen:
            path.write_text(json.dumps(stored(example_of(event_class)), indent=1) + "\n", "utf-8")
            frozen[path.name] = digest(path)
            new.append(path.name)
    MANIFEST.write_text("".join(f"{value}  {name}\n" for name, value in sorted(frozen.items())), "utf-8")
    return new


if __name__ == "__main__":
    for written in write_missing():
        print(written)
