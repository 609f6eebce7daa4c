"""Every event class goes into its parts and comes back; what is not opened comes back as just that."""

import json
import unicodedata
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.keys.cipher import Damage
from adapters.keys.parts import (
    Parts,
    field_table,
    metadata_text,
    read_metadata,
    read_text,
    subjects_of,
    with_fields,
)
from domain.access.events import EVENTS as ACCESS_EVENTS
from domain.access.events import Looked, LookForgotten
from domain.child_record.events import EVENTS, AddressAsserted, ChildRegistered, PersonName, SourceKind
from domain.child_record.upcasters import UPCASTERS
from domain.identifiers import ShortCode
from domain.kernel import (
    CONCEALED_NAME,
    Concealed,
    Event,
    EventTypes,
    ForgottenEvent,
    Metadata,
    StreamKind,
)
from domain.personal_data import (
    HIDDEN,
    IN_CONTENT,
    IN_IDENTITY,
    IN_METADATA,
    Forgotten,
    Hidden,
    Part,
    parts_of,
)
from tests.architecture.event_classes import alternatives, every, fields
from tests.plugins_counts import count
from tests.strategies import events, metadata

CLASSES = [event_class for _, event_class in every()]
WITH_CONTENT = [c for c in CLASSES if Part.CONTENT in parts_of(c).values()]
GONE = Forgotten(UUID(int=5))


@cache  # codecs are compiled when they are first used
def parts_for(event_class: type[Event], *, trusting: bool = False) -> Parts:
    return Parts(EventTypes([event_class]), unnamed=LookForgotten, trusting=trusting)


def text(value: bytes) -> dict[str, Any]:
    return read_text(b" " * 32 + value + b"  ")


@pytest.mark.parametrize("event_class", CLASSES, ids=lambda c: c.NAME)
@settings(max_examples=count(2000), deadline=None)
@given(data=st.data())
def test_an_event_comes_back_from_its_parts(event_class: type[Event], data: st.DataObject) -> None:
    event, common = data.draw(events(event_class)), data.draw(metadata())
    parts = parts_for(event_class)
    texts = parts.split(event, 3)
    identity, content = text(texts.identity), text(texts.content)
    assert identity["k"] == 3
    known, beside = read_metadata(text(with_fields(metadata_text(common), texts.metadata)))
    assert known == common
    assert parts.event(identity, content, beside) == event
    assert parts.split(parts.event(identity, content, beside), 3) == texts


@pytest.mark.parametrize("event_class", CLASSES, ids=lambda c: c.NAME)
@settings(max_examples=count(2000), deadline=None)
@given(data=st.data())
def test_what_is_decoded_without_being_validated_again_is_the_same(
    event_class: type[Event], data: st.DataObject
) -> None:
    event, common = data.draw(events(event_class)), data.draw(metadata())
    texts = parts_for(event_class).split(event, 3)
    _, beside = read_metadata(text(with_fields(metadata_text(common), texts.metadata)))
    for content in (text(texts.content), HIDDEN):
        read = (text(texts.identity), content, dict(beside))
        whole = parts_for(event_class).event(*read)
        again = parts_for(event_class, trusting=True).event(text(texts.identity), content, beside)
        assert again == whole
        assert type(again) is type(whole)
        assert again.model_fields_set == whole.model_fields_set
        assert repr(again) == repr(whole).replace("TzInfo(0)", "datetime.timezone.utc"), "types, too"


@pytest.mark.parametrize("event_class", CLASSES, ids=lambda c: c.NAME)
@settings(max_examples=count(500), deadline=None)
@given(data=st.data())
def test_a_field_lies_in_the_part_its_mark_says(event_class: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(event_class))
    texts = parts_for(event_class).split(event, 1)
    found = {
        Part.IDENTITY: set(text(texts.identity)) - {"k", "e", "v"},
        Part.CONTENT: set(text(texts.content)) - {"e", "v"},
        Part.METADATA: set(text(texts.metadata)) if texts.metadata else set(),
    }
    present = {name: part for name, part in parts_of(event_class).items() if getattr(event, name) is not None}
    assert found == {part: {name for name in present if present[name] is part} for part in Part}


@pytest.mark.parametrize("unopened", [HIDDEN, GONE], ids=["hidden", "forgotten"])
@pytest.mark.parametrize(
    "event_class", [c for c in CLASSES if Part.CONTENT in parts_of(c).values()], ids=lambda c: c.NAME
)
@settings(max_examples=count(500), deadline=None)
@given(data=st.data())
def test_content_that_is_not_opened_is_absent_and_says_why(
    event_class: type[Event], unopened: Hidden | Forgotten, data: st.DataObject
) -> None:
    event = data.draw(events(event_class))
    parts = parts_for(event_class)
    seen = parts.event(text(parts.split(event, 1).identity), unopened)
    if event_class.CONCEALED:
        assert seen == Concealed(source_kind=getattr(event, "source_kind", None))
        return
    assert type(seen) is event_class
    for name, part in parts_of(event_class).items():
        assert getattr(seen, name) == (getattr(event, name) if part is Part.IDENTITY else unopened)
    with pytest.raises(TypeError, match="not opened"):
        parts.split(seen, 1)


@pytest.mark.parametrize(
    "event_class", [c for c in ACCESS_EVENTS if issubclass(c, Looked)], ids=lambda c: c.NAME
)
@settings(max_examples=count(500), deadline=None)
@given(data=st.data())
def test_a_look_without_its_words_keeps_the_rest(event_class: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(event_class))
    parts = parts_for(event_class)
    beside = text(parts.split(event, 0).metadata or b"{}")
    left = parts.forgotten(GONE, beside)
    assert isinstance(left, LookForgotten)
    assert all(getattr(left, name) == getattr(event, name) for name in LookForgotten.model_fields)
    assert subjects_of(beside) == tuple(hit.stream for hit in event.hits)
    assert parts.forgotten(GONE) == ForgottenEvent(certificate=GONE.certificate)


def test_a_concealed_event_does_not_even_show_its_name() -> None:
    event = AddressAsserted.model_validate(
        {"source_kind": "pds", "effective": "2026-01-01", "whereabouts": {"state": "none-known"}}
    )
    texts = parts_for(AddressAsserted).split(event, 12)
    assert texts.identity == b'{"k":12,"e":"concealed","source_kind":"pds"}'
    assert texts.content.startswith(b'{"e":"address-asserted","v":1,"effective":"2026-01-01"')


def test_what_is_none_is_left_out_and_what_is_default_is_not() -> None:
    event = ChildRegistered(index_number="J5TWDX0000Y", source_kind=SourceKind.BIRTHS, rule_set="x")
    texts = parts_for(ChildRegistered).split(event, 1)
    assert texts.content == b'{"source":{}}'
    assert texts.metadata is None


@pytest.mark.parametrize("event_class", [*CLASSES, Metadata], ids=lambda c: c.__name__)
def test_a_field_that_may_be_none_defaults_to_none(event_class: type[Event]) -> None:
    """None is left out of what is stored, at any depth, so nothing else may be meant by leaving it out."""
    wrong = [
        f"{owner.__name__}.{name}"
        for owner in _models(event_class)
        for name, field in owner.model_fields.items()
        if type(None) in _members(fields(owner)[name]) and (field.is_required() or field.default is not None)
    ]
    assert not wrong


def _members(annotation: Any) -> list[Any]:
    return alternatives(annotation)


def _models(model: Any) -> set[Any]:
    found = {model}
    for annotation in fields(model).values():
        for member in _members(annotation):
            found |= _inside(member)
    return {one for one in found if hasattr(one, "model_fields")}


def _inside(member: Any) -> set[Any]:
    if hasattr(member, "model_fields"):
        return _models(member)
    return set().union(*(_inside(inner) for inner in get_args(member)), set())


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"k": 1, "e": "unheard-of", "v": 1},
        {"k": 1, "e": "child-registered", "v": 2},
        {"k": 1, "e": "concealed", "source_kind": "pds"},
        {"k": 1, "e": ["child-registered"], "v": 1},
        {"k": 1, "e": "child-registered", "v": 1, "index_number": "J5TWDX0000Y"},
        {
            "k": 1,
            "e": "child-registered",
            "v": 1,
            "index_number": "J5TWDX0000Y",
            "source_kind": "births",
            "rule_set": "x",
            "extra": 1,
        },
    ],
)
def test_what_is_no_event_is_damage_and_no_value_is_told(identity: dict[str, Any]) -> None:
    with pytest.raises(Damage) as refused:
        Parts(EVENTS).event(identity, {})
    assert refused.value.args == ()
    assert refused.value.__context__ is None or refused.value.__suppress_context__


@pytest.mark.parametrize("stored", [b"", b"[]", b"{", b'"x"', b"\xff{}"])
def test_what_is_no_object_is_damage(stored: bytes) -> None:
    with pytest.raises(Damage):
        read_text(stored)


@pytest.mark.parametrize(
    "metadata_fields", [{"hits": 1}, {"hits": [[]]}, {"hits": [["short"]]}, {"hits": [1]}]
)
def test_hits_that_are_none_are_damage(metadata_fields: dict[str, Any]) -> None:
    with pytest.raises(Damage):
        subjects_of(metadata_fields)


@pytest.mark.parametrize("bad", [{}, {"actor": "x", "correlation": "y"}])
def test_metadata_without_an_actor_are_damage(bad: dict[str, Any]) -> None:
    with pytest.raises(Damage):
        read_metadata(bad)


def test_a_name_that_grows_when_normalised_is_refused_at_the_edge() -> None:
    """Composition exclusions: one code point becomes two. Stored too long, it could never be read again."""
    grows = "\u0958"
    assert len(unicodedata.normalize("NFC", grows)) == 2
    PersonName(family=grows * 35)
    with pytest.raises(ValueError, match="70"):
        PersonName(family=grows * 70)


# Classes that a codec refuses


class _Concealed(Event):
    NAME: ClassVar[str] = "told"
    CONCEALED: ClassVar[bool] = True
    who: Annotated[ShortCode, IN_IDENTITY]


class _TakesTheName(Event):
    NAME: ClassVar[str] = CONCEALED_NAME


class _TakesAKey(Event):
    NAME: ClassVar[str] = "taken"
    k: Annotated[int, IN_IDENTITY]


class _TakesMetadata(Event):
    NAME: ClassVar[str] = "taken"
    actor: Annotated[ShortCode, IN_METADATA]


@pytest.mark.parametrize(
    ("event_class", "values"),
    [
        (_Concealed, {"who": "x"}),
        (_TakesTheName, {}),
        (_TakesAKey, {"k": 1}),
        (_TakesMetadata, {"actor": "x"}),
    ],
)
def test_a_class_that_does_not_fit_the_stored_form_is_refused(
    event_class: type[Event], values: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        parts_for(event_class).split(event_class.model_validate(values), 1)


# Upcasting


class _Once(Event):
    """As it is today: `kind` was called `sort`, and `when` is new."""

    NAME: ClassVar[str] = "once"
    VERSION: ClassVar[int] = 3
    kind: Annotated[ShortCode, IN_IDENTITY]
    place: Annotated[ShortCode | Forgotten | Hidden, IN_CONTENT]
    when: Annotated[date | None, IN_IDENTITY] = None


def _renamed(old: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in old.items() if key != "sort"}, "kind": old["sort"]}


def _capitals(old: dict[str, Any]) -> dict[str, Any]:
    return {**old, **({"place": old["place"].lower()} if "place" in old else {})}


STEPS = {("once", 1): (_renamed, 2), ("once", 2): (_capitals, 3)}


def test_an_old_shape_becomes_todays() -> None:
    parts = Parts(EventTypes([_Once]), STEPS)
    old = {"k": 1, "e": "once", "v": 1, "sort": "a"}
    assert parts.event(old, {"place": "LEEDS"}) == _Once(kind="a", place="leeds")
    assert parts.event(old, HIDDEN) == _Once(kind="a", place=HIDDEN)
    assert old == {"k": 1, "e": "once", "v": 1, "sort": "a"}
    assert parts.event({"k": 1, "e": "once", "v": 2, "kind": "b"}, GONE) == _Once(kind="b", place=GONE)


def test_every_upcaster_of_the_record_leads_to_a_class_that_is_there() -> None:
    for (name, version), (_, following) in UPCASTERS.items():
        assert following > version
        assert (name, following) in UPCASTERS or EVENTS.of(name, following)


# The table


def test_the_table_says_where_every_field_is() -> None:
    table = field_table([(StreamKind.CHILD, EVENTS), (StreamKind.ACCESS, ACCESS_EVENTS)])
    lines = table.splitlines()
    assert "| `address-asserted` v1 | *its name* | content | a numbered content key of the child |" in lines
    assert "| `child-registered` v1 | `index_number` | identity | the child's identity key |" in lines
    assert "| `records-searched` v1 | `hits` | metadata | the month's key |" in lines
    wanted = sum(1 + len(parts_of(c)) for types in (EVENTS, ACCESS_EVENTS) for c in types)
    assert len(lines) == 2 + wanted + 2 * len(Metadata.model_fields)


def test_stored_texts_are_json_as_they_stand() -> None:
    event = ChildRegistered(index_number="J5TWDX0000Y", source_kind=SourceKind.BIRTHS, rule_set="x")
    texts = parts_for(ChildRegistered).split(event, 1)
    assert json.loads((b" " * 32 + texts.identity + b"   ").decode()) == text(texts.identity)
