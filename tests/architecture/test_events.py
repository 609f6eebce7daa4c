"""What is stored is for ever: names, versions, parts, bounds and samples of every event class."""

import json
import re
from pathlib import Path

import pytest

from domain.kernel import CONCEALED_NAME, Event, ForgottenEvent, Metadata
from domain.personal_data import Part, parts_of
from tests.architecture import event_classes, samples
from tests.architecture.repository import AGGREGATES

NEVER_STORED = {"look-forgotten"}  # what a reader is given in place of a look whose words are gone
LONGEST_STRING_OF_A_RECORD = 120  # an e-mail address; no narrative fits


def _of(aggregate: str) -> list[type[Event]]:
    return list(event_classes.registry(aggregate))


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_every_event_class_is_listed(aggregate: str) -> None:
    stored = {c for c in event_classes.defined_in(aggregate) if c.NAME not in NEVER_STORED}
    assert set(_of(aggregate)) == stored, "add it to EVENTS at the foot of the file"


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_every_event_says_its_own_name_and_version(aggregate: str) -> None:
    for event_class in _of(aggregate):
        assert "NAME" in vars(event_class), (
            f"{event_class.__name__} needs a NAME unrelated to its Python path"
        )
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", event_class.NAME)
        assert event_class.VERSION >= 1
        assert (event_class.__doc__ or "").strip(), f"{event_class.__name__}: say what happened"


def test_no_two_events_are_stored_under_one_name() -> None:
    names = [(event_class.NAME, event_class.VERSION) for _, event_class in event_classes.every()]
    assert len(names) == len(set(names))
    assert not {CONCEALED_NAME, ForgottenEvent.NAME, *NEVER_STORED} & {name for name, _ in names}


def test_no_event_is_called_updated() -> None:
    vague = [
        c.NAME for _, c in event_classes.every() if re.search(r"(updated|changed|modified|saved)$", c.NAME)
    ]
    assert not vague, f"name the fact: {vague}"


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_every_field_says_in_which_part_it_is_stored(aggregate: str) -> None:
    for event_class in _of(aggregate):
        parts_of(event_class)


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_no_field_holds_more_than_its_bound(aggregate: str) -> None:
    found = [
        problem
        for event_class in _of(aggregate)
        for name, annotation in event_classes.fields(event_class).items()
        for problem in event_classes.unbounded(annotation, f"{event_class.__name__}.{name}")
    ]
    assert not found, f"bound it, so that no note can stand in it: {found}"


def test_no_metadata_holds_more_than_its_bound() -> None:
    found = [
        problem
        for name, annotation in event_classes.fields(Metadata).items()
        for problem in event_classes.unbounded(annotation, name)
    ]
    assert not found


def test_no_field_of_a_childs_record_has_room_for_a_narrative() -> None:
    found = {
        f"{event_class.__name__}.{name}": event_classes.longest_string(annotation)
        for event_class in _of("child_record")
        for name, annotation in event_classes.fields(event_class).items()
    }
    assert found
    assert max(found.values()) <= LONGEST_STRING_OF_A_RECORD, {k: v for k, v in found.items() if v > 120}


def test_a_concealed_event_shows_its_kind_of_source_and_nothing_else() -> None:
    concealed = [event_class for _, event_class in event_classes.every() if event_class.CONCEALED]
    assert concealed
    for event_class in concealed:
        shown = {name for name, part in parts_of(event_class).items() if part is Part.IDENTITY}
        assert shown <= {"source_kind"}, f"{event_class.__name__}: put {shown} into the content part"


def test_content_of_an_event_that_is_not_concealed_may_be_absent_and_its_type_says_so() -> None:
    """Its identity part is opened where its content may not be: the reader must be made to think of that."""
    unprepared = [
        f"{event_class.__name__}.{name}"
        for _, event_class in event_classes.every()
        if not event_class.CONCEALED
        for name, annotation in event_classes.fields(event_class).items()
        if parts_of(event_class)[name] is Part.CONTENT and not event_classes.admits_its_absence(annotation)
    ]
    assert not unprepared, f"write Held[…]: {unprepared}"


def test_only_streams_of_children_have_content_under_a_key_of_its_own() -> None:
    """Elsewhere identity and content lie under one key; then one part is enough, and it is the identity part."""
    with_content = {
        aggregate
        for aggregate, event_class in event_classes.every()
        if Part.CONTENT in parts_of(event_class).values()
    }
    assert with_content == {"child_record", "supply"}


def test_only_looks_put_more_into_the_metadata_part_than_every_event_has() -> None:
    beside = {
        aggregate
        for aggregate, event_class in event_classes.every()
        if Part.METADATA in parts_of(event_class).values()
    }
    assert beside == {"access"}


def test_every_event_class_has_a_golden_sample() -> None:
    without = [path.name for _, c in event_classes.every() if not (path := samples.path_of(c)).exists()]
    assert not without, f"run python -m tests.architecture.samples: {without}"


def test_no_sample_has_changed_or_vanished() -> None:
    now = {path.name: samples.digest(path) for path in samples.FOLDER.glob("*.json")}
    assert now == samples.manifest(), "what was stored cannot change: write a new version and an upcaster"


def _samples() -> list[Path]:
    return sorted(samples.FOLDER.glob("*.json"))


def test_there_are_samples() -> None:
    assert _samples()


@pytest.mark.parametrize("path", _samples(), ids=lambda path: path.stem)
def test_a_sample_still_decodes_to_todays_class(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))
    event = samples.decode(sample)
    stored_as = path.stem.rsplit(".v", 1)
    if stored_as == [event.NAME, str(event.VERSION)]:
        again = samples.stored(event)
        for part, values in sample.items():
            assert {**again[part], **values} == again[part], (
                "it came back otherwise: that needs a new version"
            )
    else:
        assert (stored_as[0], int(stored_as[1])) in samples.upcasters()
