"""What was stored once is read for ever, and what is stored today has the same bytes."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from adapters.keys.cipher import place, unseal
from adapters.keys.parts import read_metadata, read_text
from domain.kernel import Log
from domain.personal_data import Part
from tests import sealed_samples
from tests.architecture import samples
from tests.architecture.event_classes import every

EVENTS = sorted(path for path in sealed_samples.FOLDER.glob("*.json") if path.name != "keys.json")


def test_every_event_class_has_a_sealed_sample() -> None:
    there = {path.name for path in EVENTS}
    without = [name for _, c in every() if (name := samples.path_of(c).name) not in there]
    assert not without, f"run python -m tests.sealed_samples: {without}"


def test_no_sealed_sample_has_changed_or_vanished() -> None:
    now = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sealed_samples.FOLDER.glob("*.json")
    }
    assert now == sealed_samples.manifest()


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_sealed_sample_opens_and_decodes(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))
    where = place(
        sample["format"], sample["log"], sealed_samples.STREAM, sample["version"], sealed_samples.EVENT
    )
    opened = {}
    for part in Part:
        name = part.name.lower()
        text = unseal(sealed_samples.key_of(part), base64.b64decode(sample["stored"][name]), where, part)
        assert text.strip().decode() == sample["texts"][name]
        opened[part] = read_text(text)
    metadata, beside = read_metadata(opened[Part.METADATA])
    assert metadata == sealed_samples.METADATA
    event = samples.codec().event(opened[Part.IDENTITY], opened[Part.CONTENT], beside)
    assert path.stem.rsplit(".v", 1)[0] == event.NAME


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_the_same_text_is_sealed_to_the_same_bytes(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))
    assert sealed_samples.sealed(path.name, Log(sample["log"]), sample["texts"]) == sample


def test_keys_are_derived_and_wrapped_as_they_were() -> None:
    frozen = json.loads((sealed_samples.FOLDER / "keys.json").read_text("utf-8"))
    now = sealed_samples.keys()
    assert {name: now[name] for name in frozen} == frozen
