"""Golden samples of the stored bytes: every event class under fixed keys and nonces, for ever.

`python -m tests.sealed_samples` writes those that are missing and their digests into the manifest; it never touches one
that is there. A sample holds the JSON texts of the three parts and the bytes they are stored as, and `keys.json` a
wrapped key and one subkey of each kind. Keys and nonces are invented here and used nowhere else.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.keys.cipher import BLOCKS, FORMAT, LABELS, access_key, place, seal, subkey, wrap
from adapters.keys.parts import metadata_text, with_fields
from domain.kernel import Log, Metadata
from domain.personal_data import Part
from tests.architecture import samples
from tests.architecture.event_classes import every

FOLDER: Final = Path(__file__).parent / "samples" / "sealed"
MANIFEST: Final = FOLDER / "sha256sums"
STREAM: Final = UUID("5a3f9a3e-0000-4000-8000-000000000001")
EVENT: Final = UUID("5a3f9a3e-0000-4000-8000-000000000002")
VERSION: Final = 7
METADATA: Final = Metadata(
    actor=UUID("5a3f9a3e-0000-4000-8000-000000000003"),
    on_behalf_of=UUID("5a3f9a3e-0000-4000-8000-000000000004"),
    purpose="casework",
    correlation=UUID("5a3f9a3e-0000-4000-8000-000000000005"),
)


def key_of(part: Part) -> AESGCM:
    """The key that samples of this part are sealed under."""
    return AESGCM(hashlib.sha256(f"sample key of {part.name}".encode()).digest())


def nonce_of(name: str, part: Part) -> bytes:
    """The nonce of this part of this sample."""
    return hashlib.sha256(f"sample nonce of {name} {part.name}".encode()).digest()[:12]


def log_of(aggregate: str) -> Log:
    """The log that the events of an aggregate are in."""
    return Log.ACCESS if aggregate == "access" else Log.RECORD


def sealed(name: str, log: Log, texts: dict[str, str]) -> dict[str, Any]:
    """The sample of an event with these texts."""
    where = place(FORMAT, log, STREAM, VERSION, EVENT)
    stored = {
        part.name.lower(): seal(
            key_of(part), texts[part.name.lower()].encode(), where, part, BLOCKS[log], nonce_of(name, part)
        )
        for part in Part
    }
    return {
        "log": int(log),
        "format": FORMAT,
        "stream": str(STREAM),
        "version": VERSION,
        "event_id": str(EVENT),
        "texts": texts,
        "stored": {part: base64.b64encode(value).decode() for part, value in stored.items()},
    }


def keys() -> dict[str, str]:
    """One of everything that is derived from a key or wraps one."""
    key, hits = bytes(range(32)), (b"\x11" * 32, b"\x22" * 32)
    wrapped = wrap(AESGCM(key), hits[0], STREAM, 2, 3, 4, bytes(range(12)))
    derived = {f"subkey {label}": subkey(key, label).hex() for label in sorted(LABELS)}
    return {"wrapped": wrapped.hex(), "access": access_key(key, hits, EVENT).hex(), **derived}


def write_missing() -> list[str]:
    """Write and freeze what is missing. Returns the names of the new files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, Any] = {"keys.json": keys()}
    for aggregate, event_class in every():
        texts = samples.codec().split(samples.example_of(event_class), 1)
        name = samples.path_of(event_class).name
        wanted[name] = sealed(
            name,
            log_of(aggregate),
            {
                "identity": texts.identity.decode(),
                "content": texts.content.decode(),
                "metadata": with_fields(metadata_text(METADATA), texts.metadata).decode(),
            },
        )
    frozen = manifest()
    new = [name for name in wanted if name not in frozen]
    for name in new:
        (FOLDER / name).write_text(json.dumps(wanted[name], indent=1, ensure_ascii=False) + "\n", "utf-8")
        frozen[name] = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    MANIFEST.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(frozen.items())), "utf-8")
    return new


def manifest() -> dict[str, str]:
    """File name → digest of every sample ever frozen. `sha256sum --check` reads the same file."""
    lines = MANIFEST.read_text("utf-8").splitlines() if MANIFEST.exists() else []
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


if __name__ == "__main__":
    for written in write_missing():
        print(written)
