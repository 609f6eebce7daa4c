"""What holds of loading whatever comes, however often, and in whatever order."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.child_record.events import Address, SourceKind
from domain.disclosure import Held, RecordFacts
from ingest.matching import comparison, normalise
from ingest.matching.normalise import NormalName
from ingest.pipeline import PARSERS
from ingest.source_record import Facts, Rejected, SourceRecord
from ingest.sources import births, pds
from tests.loading import COLUMNS, Index, a_births_file, a_patient, an_entry, ndjson, restricted
from tests.plugins_counts import count

NUMBERS = ("9434765919", "9434765870", "4010232137")
CHILDREN = (
    ("Amelia Rose", "Thornton", "2016-04-02"),
    ("Cora", "O'Neill", "2019-09-08"),
    ("Cian", "O'Neill", "2019-09-08"),
)
NOBODY = UUID(int=0)
STREETS = ("14 Sandal Rise", "3 Calder Street", "7 Quay Street")


@dataclass(frozen=True)
class Message:
    """One file of one record."""

    kind: str
    content: bytes


def an_entry_of(child: int, street: str) -> Message:
    given, family, born = CHILDREN[child]
    entry = an_entry(
        entry_id=f"E/{child}",
        registered_on=born[:8] + "28",
        given_names=given,
        surname=family,
        date_of_birth=born,
        sex="F" if child < 2 else "M",
        birth_order=str(child) if child else "",
        nhs_number=NUMBERS[child],
        address_line_1=street,
    )
    return Message("births", a_births_file(entry))


def a_message_of(child: int, year: int, street: str, *, shield: bool, renamed: bool) -> Message:
    given, family, born = CHILDREN[child]
    message = (restricted if shield else a_patient)(NUMBERS[child], birthDate=born)
    start = f"{year}-01-0{child + 1}"
    message["name"] = [
        {
            "use": "usual",
            "period": {"start": start},
            "given": given.split(),
            "family": f"{family} {year}" if renamed else family,
        }
    ]
    if not shield:
        message["address"] = [
            {"use": "home", "line": [street], "postalCode": "WF4 3DN", "period": {"start": start}}
        ]
    return Message("pds", ndjson(message))


@st.composite
def feeds(draw: st.DrawFn) -> list[Message]:
    """What two sources say of three children, twins among them, over the years: one message a year and child."""
    messages: list[Message] = []
    for child in draw(st.sets(st.sampled_from(range(3)), min_size=1)):
        if draw(st.booleans()):
            messages.append(an_entry_of(child, draw(st.sampled_from(STREETS))))
        messages += (
            a_message_of(
                child,
                year,
                draw(st.sampled_from(STREETS)),
                shield=draw(st.integers(0, 5)) == 0,
                renamed=draw(st.booleans()),
            )
            for year in sorted(draw(st.sets(st.sampled_from(range(2020, 2026)), max_size=4)))
        )
    return messages


def without_order(facts: RecordFacts) -> RecordFacts:
    """Facts without what says in which order they came: ids, versions, and what a source withheld before it told it."""
    held = {field: Held(h.source_kind, h.since, 0) for field, h in sorted(facts.held.items())}
    return replace(
        facts,
        child_id=NOBODY,
        version=0,
        index_number="",
        held=held,
        withheld=(),
        shields=(),
        other_names=tuple(sorted(facts.other_names, key=repr)),
    )


def told(messages: Sequence[Message], *, chunk: int = 50) -> Index:
    index = Index(chunk=chunk)
    for message in messages:
        index.load(message.kind, message.content)
    return index


def facts_of(index: Index) -> list[RecordFacts]:
    return sorted((without_order(facts) for facts in index.facts()), key=repr)


@settings(max_examples=count(2_000))
@whatever(feeds(), st.data())
def test_t71_order_and_repetition_of_feeds_change_no_fact(
    messages: list[Message], data: st.DataObject
) -> None:
    in_order = told(messages)
    shuffled = data.draw(st.permutations(messages))
    again = data.draw(st.lists(st.sampled_from(messages), max_size=4)) if messages else []
    jumbled = told([*shuffled[: len(again)], *again, *shuffled])
    assert facts_of(jumbled) == facts_of(in_order)


@settings(max_examples=count(2_000))
@whatever(feeds(), st.data())
def test_t22_a_shield_survives_every_feed_in_every_order(
    messages: list[Message], data: st.DataObject
) -> None:
    index = Index()
    shielded: set[str] = set()
    for message in data.draw(st.permutations([*messages, *messages])):
        index.load(message.kind, message.content)
        now = {record.index_number or "" for record in index.records() if record.shielded}
        assert shielded <= now
        shielded = now
        seen = [facts for facts in index.seen() if facts.shielded]
        assert not any(facts.opened or facts.whereabouts or facts.carers or facts.practice for facts in seen)


@settings(max_examples=count(1_000))
@whatever(feeds())
def test_a_second_load_adds_no_event(messages: list[Message]) -> None:
    index = told(messages)
    head = index.head()
    for message in messages:
        counts = index.load(message.kind, message.content).counts
        assert (counts.unchanged, counts.events) == (counts.read, 0)
    assert index.head() == head


@settings(max_examples=count(1_000))
@whatever(feeds(), st.sampled_from((1, 2, 3, 50)))
def test_one_file_in_chunks_of_any_size_comes_to_what_single_files_come_to(
    messages: list[Message], chunk: int
) -> None:
    of_pds = [message for message in messages if message.kind == "pds"]
    single, together = told(of_pds), Index(chunk=chunk)
    if of_pds:
        together.load("pds", b"".join(message.content for message in of_pds))
    assert facts_of(together) == facts_of(single)


@settings(max_examples=count(1_000))
@whatever(feeds(), st.data())
def test_withdrawing_a_file_comes_to_never_having_had_it_but_for_shields(
    messages: list[Message], data: st.DataObject
) -> None:
    if not messages:
        return
    victim = data.draw(st.sampled_from(messages))
    index = Index()
    files = {id(message): index.load(message.kind, message.content).file_id for message in messages}
    index.loader.withdraw(files[id(victim)], index.by())
    without = told([message for message in messages if message is not victim])
    live = [facts for facts in index.facts() if not facts.supply_gone]
    assert sorted(map(_but_for_shields, live), key=repr) == sorted(
        map(_but_for_shields, without.facts()), key=repr
    )
    raised = {facts.nhs_number for message in messages if (facts := _restricted_in(message))}
    assert raised <= {facts.nhs_number for facts in index.facts() if facts.shielded}


def _but_for_shields(facts: RecordFacts) -> RecordFacts:
    return replace(without_order(facts), shielded=False)


def _restricted_in(message: Message) -> Facts | None:
    (record,) = PARSERS[SourceKind(message.kind)](io.BytesIO(message.content))
    return record.facts if isinstance(record, SourceRecord) and record.facts.restricted else None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=count(20_000))
@whatever(st.sampled_from(sorted(a_patient())), json_values)
def test_no_message_breaks_the_parser_and_no_unknown_field_gets_through(element: str, value: Any) -> None:
    message = {**a_patient(), element: value}
    (parsed,) = pds.parse(io.BytesIO(json.dumps(message).encode()))
    assert isinstance(parsed, Rejected | SourceRecord)
    (unknown,) = pds.parse(io.BytesIO(json.dumps({**a_patient(), "remarks": value}).encode()))
    assert isinstance(unknown, Rejected)
    assert unknown.field == "remarks"


@settings(max_examples=count(20_000))
@whatever(st.binary(max_size=200))
def test_no_bytes_break_a_parser(content: bytes) -> None:
    header = ",".join(COLUMNS).encode() + b"\n"
    for parser, given_bytes in (
        (pds.parse, content),
        (births.parse, content),
        (births.parse, header + content),
    ):
        for parsed in parser(io.BytesIO(given_bytes)):
            assert isinstance(parsed, Rejected | SourceRecord)


names = st.text("abcdefghijklmnopqrstuvwxyz '-éßŁ", max_size=12)


@settings(max_examples=count(20_000))
@whatever(names)
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    assert normalise.name(normalise.name(text)) == normalise.name(text)
    assert normalise.name(text.upper()) == normalise.name(text)


@settings(max_examples=count(20_000))
@whatever(names, names, names, names)
def test_nearness_is_symmetric_and_every_name_is_near_itself(a: str, b: str, c: str, d: str) -> None:
    left = NormalName(normalise.name(a), normalise.name(b))
    right = NormalName(normalise.name(c), normalise.name(d))
    assert comparison.near(left, right) == comparison.near(right, left)
    if left.forenames and left.surname:
        assert comparison.near(left, left)


@settings(max_examples=count(20_000))
@whatever(st.lists(st.text("abc12 ,", max_size=12).filter(str.strip), max_size=4))
def test_an_address_agrees_with_itself_however_it_is_written(lines: list[str]) -> None:
    plain = normalise.address_words(Address(lines=tuple(lines), postcode="WF2 6QA"))
    shouted = normalise.address_words(Address(lines=tuple(line.upper() for line in lines), postcode="wf26qa"))
    assert plain == shouted
