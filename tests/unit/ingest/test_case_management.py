"""What a case system's message says, what of it is refused, and what becomes of the services it tells of."""

import io
import json
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from domain.child_record.commands import EndInvolvement
from domain.child_record.events import CurrentAddress, Gender, SourceKind
from domain.child_record.handlers import handle
from domain.child_record.model import Involvement, fold
from domain.supply.events import Verdict
from ingest.source_record import MAX_LINE, Code, Parsed, Rejected, SourceRecord
from ingest.sources import case_management
from tests.builders import the_rules
from tests.loading import NO_NUMBER, OPERATOR, Index, Told, an_entry, decide, ndjson

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "sources" / "case-management"
SCHEMA: Final = Path(__file__).parents[3] / "docs" / "case-management.schema.json"
FAMILY_SUPPORT: Final = {
    "id": "I-1",
    "service": "Family support",
    "kind": "additional",
    "contact": {"telephone": "01632 960100"},
    "began": "2025-09-01",
}
CAMHS: Final = {
    "id": "I-2",
    "service": "CAMHS tier 3",
    "kind": "sensitive",
    "organisation": "Harbour Young Minds",
    "began": "2025-10-01",
    "consent": {"given_by": "parent", "given_on": "2025-10-01"},
}
CAUSE: Final = {"considered_on": "2025-10-05", "considered_by": "Dr A. N. Other"}


def a_message(*services: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A message about the child of `an_entry`; a field given as None is left out."""
    message = {
        "body": "E08000036",
        "id": "CS-1001",
        "as_of": "2025-11-03",
        "given": ["Amelia", "Rose"],
        "family": "Thornton",
        "date_of_birth": "2016-04-02",
        "sex": "F",
        "nhs_number": "9434765919",
        "address": {"lines": ["3 Later Street"], "postcode": "WF2 6QA", "since": "2025-06-01"},
        "involvements": list(services),
        **changed,
    }
    return {field: value for field, value in message.items() if value is not None}


def parse(content: bytes) -> list[Parsed]:
    return list(case_management.parse(io.BytesIO(content)))


def the_services(index: Index) -> dict[str, Involvement]:
    (record,) = index.records()
    return {one.service: one for one in record.involvements}


def load(index: Index, *messages: dict[str, Any]) -> Any:
    return index.load("case-management", ndjson(*messages))


# The form


def test_a_message_says_who_where_whose_and_which_services() -> None:
    content = (SAMPLES / "messages.ndjson").read_bytes()
    record, *others = parse(content)
    assert isinstance(record, SourceRecord)
    assert (record.kind, record.source_id) == (SourceKind.CASE_MANAGEMENT, "E08000036/CS-1001")
    assert record.body == "E08000036"
    said = record.facts
    assert (said.names[0].given, said.names[0].family) == (("Amelia", "Rose"), "Thornton")
    assert (said.date_of_birth, said.gender, said.confidence) == (
        date(2016, 4, 2),
        Gender.FEMALE,
        "stated",
    )
    assert isinstance(said.whereabouts, CurrentAddress)
    assert (said.whereabouts.address.postcode, said.address_effective) == ("WF2 6QA", date(2025, 6, 1))
    assert [(c.name.family, c.standing) for c in said.carers or ()] == [
        ("Thornton", "parental-responsibility")
    ]
    support, visiting = said.involvements or ()
    assert (support.number, support.service, support.kind, support.ended) == (
        "I-1",
        "Family support",
        "additional",
        None,
    )
    assert support.contact.telephone == "01632 960100"
    assert (support.lead_professional, support.common_assessment) == (True, True)
    assert visiting.ended == date(2021, 4, 2)
    assert len(others) == 2
    assert all(isinstance(other, SourceRecord) for other in others)


def test_the_published_schema_accepts_what_is_taken_and_refuses_what_is_not_in_the_form() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert schema == case_management.schema()
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    for line in (SAMPLES / "messages.ndjson").read_text("utf-8").splitlines():
        assert judge.is_valid(json.loads(line))
    for message in (a_message(notes="x"), a_message({**CAMHS, "score": 3}), a_message(family=None)):
        assert not judge.is_valid(message)
        assert isinstance(parse(ndjson(message))[0], Rejected)


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        (a_message(body=None), Code.MISSING_VALUE, "body"),
        (a_message(id="CS#1"), Code.BAD_VALUE, "id"),
        (a_message(family=None), Code.MISSING_VALUE, "family"),
        (a_message(family=""), Code.MISSING_VALUE, "family"),
        (a_message(family="x" * 71), Code.TOO_LONG, "family"),
        (a_message(family="Thorn\u200bton"), Code.BAD_CHARACTERS, "family"),
        (a_message(date_of_birth="02/04/2016"), Code.BAD_DATE, "date_of_birth"),
        (a_message(date_of_birth=20160402), Code.BAD_DATE, "date_of_birth"),
        (a_message(as_of="2016-04-01"), Code.DATES_OUT_OF_ORDER, "as_of"),
        (a_message(sex="girl"), Code.BAD_CODE, "sex"),
        (a_message(nhs_number="9434765910"), Code.BAD_NHS_NUMBER, "nhs_number"),
        (a_message(address={"postcode": "QQ1 1QQ", "since": "2025-06-01"}), Code.BAD_POSTCODE, "postcode"),
        (a_message(address={"postcode": "WF2 6QA"}), Code.MISSING_VALUE, "since"),
        (a_message(address={"since": "2016-04-01"}), Code.DATES_OUT_OF_ORDER, "since"),
        (a_message(FAMILY_SUPPORT, FAMILY_SUPPORT), Code.BAD_VALUE, "id"),
        (a_message({**FAMILY_SUPPORT, "kind": "secret"}), Code.BAD_CODE, "kind"),
        (a_message({**FAMILY_SUPPORT, "ended": "2025-08-31"}), Code.DATES_OUT_OF_ORDER, "ended"),
        (a_message({**FAMILY_SUPPORT, "cause": CAUSE}), Code.CONSENT_NOT_NEEDED, "cause"),
        (a_message({**CAMHS, "consent": None}), Code.SENSITIVE_NEEDS_GROUND, "consent"),
        (a_message({**FAMILY_SUPPORT, "contact": {"telephone": "ring mum"}}), Code.BAD_VALUE, "telephone"),
    ],
)
def test_a_bad_value_refuses_its_message_alone_and_is_not_repeated(
    message: dict[str, Any], code: Code, field: str
) -> None:
    good, bad = parse(ndjson(a_message(), message))
    assert isinstance(good, SourceRecord)
    assert bad == Rejected(2, code, field)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (a_message(notes="ZQX7 seemed unhappy"), "notes"),
        (a_message({**CAMHS, "diagnosis": "ZQX7"}), "diagnosis"),
        (a_message(address={"since": "2025-06-01", "lines": ["1 A Road"], "hazard": "ZQX7"}), "hazard"),
        (a_message(**{"ZQX7 said he hit her, on Tuesday.": True}), "unnamed"),
    ],
    ids=["of the child", "of a service", "of the address", "a narrative for a name"],
)
def test_t1_a_field_outside_the_form_refuses_the_message_and_its_content_is_kept_nowhere(
    message: dict[str, Any], field: str
) -> None:
    index, told = Index(), Told()
    loaded = index.load("case-management", ndjson(message), told=told)
    assert (loaded.counts.refused, loaded.counts.events) == (1, 0)
    assert [(r.line, r.code, r.field) for r in told.refusals] == [(1, Code.FIELD_NOT_ALLOWED, field)]
    assert "ZQX7" not in repr(told)
    assert index.head() == 0


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", Code.NOT_JSON),
        (b"\xff{}", Code.NOT_JSON),
        (b"[" * 5000, Code.NOT_JSON),
        (b'{"a":' * 5000, Code.NOT_JSON),
        (b'{"family":"' + b"x" * MAX_LINE + b'"}', Code.LINE_TOO_LONG),
        (b"[]", Code.BAD_VALUE),
    ],
    ids=["broken", "not UTF-8", "deep lists", "deep objects", "long", "not an object"],
)
def test_a_broken_line_spoils_no_other(line: bytes, code: Code) -> None:
    good = ndjson(a_message())
    first, broken, last = parse(good + line + b"\n" + good)
    assert isinstance(first, SourceRecord)
    assert broken == Rejected(2, code, None)
    assert isinstance(last, SourceRecord)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_that_holds_nothing_is_told(content: bytes) -> None:
    assert parse(content) == [Rejected(1, Code.EMPTY_FILE)]


def test_two_systems_that_number_alike_are_not_one() -> None:
    one, other = parse(ndjson(a_message(), a_message(body="E08000035")))
    assert isinstance(one, SourceRecord)
    assert isinstance(other, SourceRecord)
    assert one.source_id != other.source_id


def test_what_has_not_come_yet_is_refused() -> None:
    told = Told()
    messages = ndjson(a_message({**FAMILY_SUPPORT, "began": "2026-03-03"}), a_message(as_of="2026-03-03"))
    assert Index().load("case-management", messages, told=told).counts.refused == 2
    assert [(r.code, r.field) for r in told.refusals] == [
        (Code.DATE_IN_FUTURE, "began"),
        (Code.DATE_IN_FUTURE, "as_of"),
    ]


# What becomes of it


def test_the_samples_load_once_and_what_is_refused_is_told_by_line_code_and_field() -> None:
    index, told = Index(), Told()
    content = (SAMPLES / "messages.ndjson").read_bytes()
    assert index.load("case-management", content).counts.registered == 3
    head = index.head()
    assert index.load("case-management", content).counts.unchanged == 3
    assert index.head() == head
    counts = index.load("case-management", (SAMPLES / "refused.ndjson").read_bytes(), told=told).counts
    assert (counts.unchanged, counts.refused) == (1, 4)
    assert [(r.line, r.code, r.field) for r in told.refusals] == [
        (2, Code.SENSITIVE_NEEDS_GROUND, "consent"),
        (3, Code.FIELD_NOT_ALLOWED, "notes"),
        (4, Code.FIELD_NOT_ALLOWED, "risk_score"),
        (5, Code.NOT_JSON, None),
    ]


def test_it_joins_the_record_of_the_birth_with_its_services_and_authority() -> None:
    index = Index()
    index.births(an_entry())
    loaded = load(index, a_message(FAMILY_SUPPORT, CAMHS, authority="E08000036"))
    assert loaded.counts.updated == 1
    (record,) = index.records()
    assert record.authority == "E08000036"
    services = the_services(index)
    assert {name: one.stands for name, one in services.items()} == {
        "Family support": True,
        "CAMHS tier 3": True,
    }
    assert services["Family support"].source.body == "E08000036"
    assert services["CAMHS tier 3"].content_key != services["Family support"].content_key
    assert all("I-" not in str(one.involvement) for one in services.values())


def test_a_service_ends_and_ending_it_again_adds_nothing() -> None:
    index = Index()
    load(index, a_message(FAMILY_SUPPORT, CAMHS))
    ended = [{**service, "ended": "2026-01-10"} for service in (FAMILY_SUPPORT, CAMHS)]
    load(index, a_message(*ended, as_of="2026-01-10"))
    assert not any(one.stands for one in the_services(index).values())
    assert {one.ended for one in the_services(index).values()} == {date(2026, 1, 10)}
    late = load(index, a_message(FAMILY_SUPPORT, CAMHS, as_of="2025-12-01"))
    assert late.counts.refused == 0
    assert not any(one.stands for one in the_services(index).values()), "a late message begins nothing anew"


def test_a_contact_is_replaced_and_another_service_under_its_number_is_refused() -> None:
    index, told = Index(), Told()
    load(index, a_message(FAMILY_SUPPORT))
    load(index, a_message({**FAMILY_SUPPORT, "contact": {"telephone": "01632 960999"}}))
    assert the_services(index)["Family support"].contact.telephone == "01632 960999"
    other = ndjson(a_message({**FAMILY_SUPPORT, "service": "Youth work"}))
    assert index.load("case-management", other, told=told).counts.refused == 1
    assert [(r.code, r.field) for r in told.refusals] == [(Code.INVOLVEMENT_EXISTS, "involvements")]
    assert list(the_services(index)) == ["Family support"]


def test_t16_consent_withdrawn_stays_withdrawn_until_it_is_given_anew() -> None:
    index = Index()
    load(index, a_message(CAMHS))
    withdrawn = {**CAMHS["consent"], "withdrawn_on": "2025-12-01"}  # type: ignore[dict-item]
    load(index, a_message({**CAMHS, "consent": withdrawn}))
    assert not the_services(index)["CAMHS tier 3"].stands
    load(index, a_message(CAMHS, as_of="2025-11-20"))
    load(index, a_message({**CAMHS, "contact": {"telephone": "01632 960999"}}))
    assert not the_services(index)["CAMHS tier 3"].stands, "an older message brings nothing back"
    load(index, a_message({**CAMHS, "consent": {"given_by": "parent", "given_on": "2026-01-05"}}))
    assert the_services(index)["CAMHS tier 3"].stands


def test_t16_a_cause_beside_a_consent_that_is_withdrawn_stands_alone() -> None:
    index = Index()
    consent = {"given_by": "parent", "given_on": "2025-10-01", "withdrawn_on": "2025-12-01"}
    load(index, a_message({**CAMHS, "consent": consent, "cause": CAUSE}))
    service = the_services(index)["CAMHS tier 3"]
    assert (service.stands, service.consent_withdrawn) == (True, date(2025, 12, 1))


def test_a_service_whose_consent_was_withdrawn_before_it_was_known_is_not_recorded() -> None:
    index = Index()
    consent = {"given_by": "parent", "given_on": "2025-10-01", "withdrawn_on": "2025-12-01"}
    assert load(index, a_message({**CAMHS, "consent": consent})).counts.registered == 1
    assert the_services(index) == {}


def test_of_a_shielded_child_no_outcome_and_no_refusal_tells_what_is_hidden() -> None:
    from domain.child_record.commands import RaiseShield
    from domain.child_record.handlers import handle
    from tests.builders import the_rules

    outcomes = []
    for known in ((), (FAMILY_SUPPORT,)):
        index, told = Index(), Told()
        load(index, a_message(*known))
        (record,) = index.records()
        shield = RaiseShield(at=index.home.clock.now(), shield=OPERATOR, ground="crime")
        handle(
            record.child_id,
            shield,
            store=index.store,
            tokens=index.tokens,
            rules=the_rules(),
            metadata=index.by(),
        )
        index.follower.catch_up(index.by())
        other = ndjson(a_message({**FAMILY_SUPPORT, "service": "Youth work"}, as_of="2025-12-01"))
        counts = index.load("case-management", other, told=told).counts
        outcomes.append((counts.updated, counts.events, told.refusals))
    assert outcomes == [(1, 0, []), (1, 0, [])]


def test_what_waits_for_a_human_keeps_its_services_and_nothing_of_them_is_seen() -> None:
    index = Index()
    index.births(an_entry())
    loaded = load(index, a_message(FAMILY_SUPPORT, CAMHS, date_of_birth="2016-04-03"))
    assert loaded.counts.queued == 1
    (held,) = [stream for stream in index.streams() if not fold(index.store.load(stream)).registered][-1:]
    kept = fold(index.store.load(held)).involvements
    assert [(one.service, one.stands) for one in kept] == [("Family support", True), ("CAMHS tier 3", True)]
    assert kept[1].content_key not in {1, kept[0].content_key}
    assert fold(index.serving.load(held)).involvements == ()
    assert len(index.records()) == 1


@pytest.mark.parametrize("verdict", ["same", "new"])
def test_what_a_human_decided_on_has_its_services(verdict: Verdict) -> None:
    index = Index()
    index.births(an_entry())
    load(index, a_message(FAMILY_SUPPORT, CAMHS, date_of_birth="2016-04-03"))
    (child,) = [record.child_id for record in index.records()]
    decide(index, verdict, [child] if verdict == "same" else [])
    (record,) = [one for one in index.records() if verdict == "same" or one.child_id != child]
    assert [(one.service, one.stands) for one in record.involvements] == [
        ("Family support", True),
        ("CAMHS tier 3", True),
    ]
    assert record.involvements[0].contact.telephone == "01632 960100"


def test_what_waits_again_once_some_are_ruled_out_keeps_its_services() -> None:
    index = Index()
    index.births(an_entry(**NO_NUMBER), an_entry(entry_id="X/2", given_names="Amelia Mae", **NO_NUMBER))
    if index.waiting():
        decide(index, "new")
    one, _ = (record.child_id for record in index.records())
    told = a_message(FAMILY_SUPPORT, CAMHS, given=["Amelia"], nhs_number=None, address=None)
    assert load(index, told).counts.queued == 1
    decide(index, "not-the-same", [one])
    (again,) = index.waiting()
    kept = fold(index.store.load(again)).involvements
    assert [(one.service, one.stands) for one in kept] == [("Family support", True), ("CAMHS tier 3", True)]


# Taken back


def test_a_file_is_taken_back_with_its_services_and_another_that_says_the_same_keeps_them() -> None:
    index = Index()
    index.births(an_entry())
    first = ndjson(a_message(FAMILY_SUPPORT, CAMHS))
    one = index.load("case-management", first)
    other = index.load("case-management", first + b"\n")
    assert (other.counts.unchanged, other.counts.events) == (1, 0)
    index.loader.withdraw(one.file_id, index.by())
    services = the_services(index)
    assert all(service.stands for service in services.values())
    assert {service.source.file for service in services.values()} == {other.file_id}
    index.loader.withdraw(other.file_id, index.by())
    assert the_services(index) == {}
    index.load("case-management", first)
    assert {name: service.stands for name, service in the_services(index).items()} == {
        "Family support": True,
        "CAMHS tier 3": True,
    }


ENDED: Final = {"ended": "2025-12-01"}


def test_an_end_is_taken_back_with_the_file_that_told_it() -> None:
    index = Index()
    index.births(an_entry())
    load(index, a_message(FAMILY_SUPPORT, CAMHS))
    wrong = load(index, a_message({**FAMILY_SUPPORT, **ENDED}, {**CAMHS, **ENDED}))
    assert [service.stands for service in the_services(index).values()] == [False, False]
    index.loader.withdraw(wrong.file_id, index.by())
    services = the_services(index).values()
    assert [(service.ended, service.stands) for service in services] == [(None, True), (None, True)]
    assert index.loader.withdraw(wrong.file_id, index.by()).events == 0


def test_an_end_that_another_file_told_or_a_practitioner_recorded_stands() -> None:
    index = Index()
    index.births(an_entry())
    load(index, a_message(FAMILY_SUPPORT, CAMHS))
    content = ndjson(a_message({**FAMILY_SUPPORT, **ENDED}, {**CAMHS, **ENDED}))
    one, other = index.load("case-management", content), index.load("case-management", content + b"\n")
    index.loader.withdraw(one.file_id, index.by())
    assert [service.stands for service in the_services(index).values()] == [False, False], (
        "the other says it, too"
    )
    (record,) = index.records()
    (which,) = [one.involvement for one in record.involvements if one.sensitive]
    by_hand = EndInvolvement(at=index.home.clock.now(), involvement=which, ended=date(2025, 12, 2))
    handle(
        record.child_id,
        by_hand,
        store=index.store,
        tokens=index.tokens,
        rules=the_rules(),
        metadata=index.by(),
    )
    index.loader.withdraw(other.file_id, index.by())
    services = the_services(index)
    assert (services["Family support"].stands, services["CAMHS tier 3"].ended) == (True, date(2025, 12, 2))


def test_a_service_that_a_later_file_tells_of_too_stays_when_the_first_is_taken_back() -> None:
    index = Index()
    one = load(index, a_message(FAMILY_SUPPORT, CAMHS))
    moved = deepcopy(a_message(FAMILY_SUPPORT, CAMHS, as_of="2025-12-01"))
    load(index, moved)
    index.loader.withdraw(one.file_id, index.by())
    assert sorted(the_services(index)) == ["CAMHS tier 3", "Family support"]
    (record,) = index.records()
    assert len(record.involvements) == 2, "said by two files, it is one involvement"


def test_what_waits_for_a_human_is_held_for_the_other_file_with_its_services() -> None:
    index = Index()
    index.births(an_entry())
    content = ndjson(a_message(CAMHS, date_of_birth="2016-04-03"))
    one = index.load("case-management", content)
    index.load("case-management", content + b"\n")
    index.loader.withdraw(one.file_id, index.by())
    again = fold(index.store.load(index.streams()[-1])).involvements
    assert [service.service for service in again] == ["CAMHS tier 3"]
