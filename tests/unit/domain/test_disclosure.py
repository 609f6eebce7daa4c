"""What a viewer sees of a record (T4–T7, T13, T16, T17, T29, T35, T59, T62; design D6, D12)."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from domain.child_record.events import (
    AllocatedIdentifier,
    Carer,
    Consent,
    Gender,
    Institution,
    Judgement,
    LastKnownAddress,
    LeftEngland,
    NoKnownAddress,
    ReasonableCause,
    SourceKind,
)
from domain.child_record.model import Shield
from domain.disclosure import (
    FIELDS,
    RENDERER,
    RENDERERS,
    Disclosed,
    RecordFacts,
    Viewer,
    canonical,
    disclose,
    disclosed,
    fields_of,
    hit,
    listed,
    looking_for,
)
from domain.rule_set.model import Concern
from tests.builders import (
    ANOTHER_BOROUGH,
    BORN,
    CHILD,
    LONDON_BOROUGH,
    NOW,
    NUMBER,
    TODAY,
    a_carer,
    a_viewer,
    an_address,
    an_involvement,
    behind_a_shield,
    facts,
    the_rules,
)

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "record.schema.json").read_text("utf-8"))
PRACTITIONER = a_viewer()
SOCIAL_WORKER = a_viewer("social-worker", body=ANOTHER_BOROUGH)
MANAGER = a_viewer("data-manager", body=LONDON_BOROUGH)
SIX = {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}


def seen(
    of: RecordFacts, by: Viewer = PRACTITIONER, at: datetime = NOW, *, override: bool = False
) -> Disclosed:
    """A display, checked against the published schema."""
    shown = disclose(of, by, at, the_rules(), override=override)
    if shown.sight != "none":
        jsonschema.validate(shown.record, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert fields_of(shown.mask) == tuple(field for field in FIELDS if field in shown.record)
    return shown


def in_words(of: RecordFacts, by: Viewer = PRACTITIONER, **how: Any) -> bytes:
    """A display byte for byte, with what is recorded about it."""
    shown = seen(of, by, **how)
    return canonical([shown.sight, shown.rule, shown.mask, shown.record])


def test_an_ordinary_record_shows_what_the_statute_lists() -> None:
    shown = seen(facts())
    assert (shown.sight, list(shown.record)) == ("ordinary", list(the_rules().fields.ordinary))
    assert shown.record["child_id"] == str(CHILD)
    assert shown.record["number"] == NUMBER
    assert shown.record["name"] == {"given": ["Amira", "Jane"], "family": "Khan"}
    assert shown.record["former_names"] == [{"given": ["Amira"], "family": "Osman", "kind": "former"}]
    assert shown.record["date_of_birth"] == "2015-06-09"
    assert shown.record["address"] == {
        "state": "current",
        "lines": ["12 Alder Road", "London"],
        "postcode": "E8 1DY",
    }
    assert shown.record["general_practice"]["code"] == "F84096"
    assert shown.record["sources"]["address"] == {"kind": "pds", "since": "2015-06-09"}


def test_what_is_not_held_is_shown_as_nothing() -> None:
    empty = facts(whereabouts=None, education=None, practice=None, carers=(), other_names=(), held={})
    shown = seen(empty).record
    assert (shown["address"], shown["education"], shown["carers"], shown["sources"]) == (None, None, [], {})


def test_t3_gender_that_nobody_specified_is_said_to_be_so() -> None:
    assert seen(facts(gender=Gender.NOT_SPECIFIED)).record["gender"] == "not-specified"
    assert "gender" not in seen(facts(gender=Gender.NOT_SPECIFIED)).record["sources"]


@pytest.mark.parametrize(
    ("whereabouts", "shown"),
    [
        (
            LastKnownAddress(address=an_address().address),
            {"state": "last-known", "lines": ["12 Alder Road", "London"]},
        ),
        (NoKnownAddress(), {"state": "none-known"}),
        (
            LeftEngland(return_intended="yes", considered_left=date(2026, 1, 5)),
            {"state": "left-england", "return_intended": "yes", "considered_left": "2026-01-05"},
        ),
    ],
)
def test_t2_each_state_of_an_address_is_shown_as_itself(whereabouts: Any, shown: dict[str, Any]) -> None:
    address = seen(facts(whereabouts=whereabouts)).record["address"]
    assert address | shown == address
    assert address["state"] == whereabouts.state


def test_t4_from_18_on_carers_are_shown_for_care_and_never_for_parental_responsibility_alone() -> None:
    three: tuple[Carer, ...] = (
        a_carer("Nadia", "both"),
        a_carer("Omar", "parental-responsibility"),
        a_carer("Gran", "care"),
    )
    grown = facts(date_of_birth=date(2008, 2, 28), extension_consent_on=date(2026, 1, 1), carers=three)
    at_17 = seen(grown, at=datetime(2026, 2, 27, 23, 59, tzinfo=UTC)).record["carers"]
    at_18 = seen(grown, at=datetime(2026, 2, 28, tzinfo=UTC)).record["carers"]
    assert [carer["standing"] for carer in at_17] == ["both", "parental-responsibility", "care"]
    assert [(carer["name"]["given"], carer["standing"]) for carer in at_18] == [
        (["Nadia"], "care"),
        (["Gran"], "care"),
    ]


def test_t5_a_number_is_seen_by_the_body_that_allocated_it_and_no_other() -> None:
    numbered = facts(
        identifiers=(
            AllocatedIdentifier(scheme="upn", value="P207000016049", allocated_by="100200"),
            AllocatedIdentifier(scheme="social-care", value="SC-7", allocated_by=LONDON_BOROUGH),
        )
    )
    own = seen(numbered, a_viewer("teacher", body="100200")).record["identifiers"]
    assert own == [{"scheme": "upn", "value": "P207000016049", "allocated_by": "100200"}]
    assert seen(numbered, a_viewer(body="RQX")).record["identifiers"] == []
    assert [n["scheme"] for n in seen(numbered, a_viewer(body="NHS")).record["identifiers"]] == ["nhs-number"]


def test_t5_a_number_is_seen_at_work_on_the_functions_it_was_allocated_for_and_at_no_other() -> None:
    numbered = facts(
        identifiers=(
            AllocatedIdentifier(scheme="upn", value="P207000016049", allocated_by="100200"),
            AllocatedIdentifier(scheme="library", value="L-7", allocated_by="100200"),
        )
    )
    teacher = a_viewer("teacher", body="100200")
    for purpose, schemes in (
        ("education-welfare", ["library", "upn"]),
        ("missing-education", ["library", "upn"]),
        ("casework", ["library"]),
        (None, ["library"]),
    ):
        own = seen(numbered, looking_for(teacher, purpose)).record["identifiers"]
        assert [number["scheme"] for number in own] == schemes
    elsewhere = looking_for(a_viewer("teacher", body="100201"), "education-welfare")
    assert seen(numbered, elsewhere).record["identifiers"] == []
    shielded = looking_for(a_viewer("teacher", body="100200"), "education-welfare")
    assert "identifiers" not in seen(behind_a_shield(), shielded).record


def test_t11_a_concern_is_one_word_of_its_involvement_and_only_where_the_rules_hold_it() -> None:
    of = facts(involvements=(an_involvement(concern=True),))
    assert "concern" not in seen(of).record["involvements"][0]
    rules = the_rules().model_copy(update={"concern": Concern(held=True)})
    shown = disclose(of, PRACTITIONER, NOW, rules).record
    jsonschema.validate(shown, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert shown["involvements"][0]["concern"] is True
    without = disclose(facts(involvements=(an_involvement(),)), PRACTITIONER, NOW, rules).record
    assert without["involvements"][0]["concern"] is False
    ended = facts(involvements=(an_involvement(concern=True, ended=date(2026, 2, 20)),))
    assert disclose(ended, PRACTITIONER, NOW, rules).record["involvements"] == []
    assert b"concern" not in canonical(hit(of, PRACTITIONER, NOW, rules).record)
    assert set(disclose(behind_a_shield(), PRACTITIONER, NOW, rules).record) == SIX


def test_t15_managers_see_who_consented_and_when_the_child_is_asked_afresh() -> None:
    consent = Consent(given_by="parent", given_on=date(2026, 2, 1))
    judged = Judgement(competent=False, judged_on=date(2026, 2, 1))
    of = facts(involvements=(replace(KOOTH, consent=consent, judgement=judged, cause=None),))
    (shown,) = seen(of, MANAGER).record["sensitive_involvements"]
    assert (shown["ground"], shown["ask_afresh_on"]) == ("consent", "2027-06-09")
    assert shown["consent"] == {
        "given_by": "parent",
        "given_on": "2026-02-01",
        "judged_competent": False,
        "judged_on": "2026-02-01",
    }
    cause = ReasonableCause(considered_on=BORN, considered_by="Dr A. N. Other")
    withdrawn = replace(of.involvements[0], consent_withdrawn=TODAY, cause=cause)
    (shown,) = seen(facts(involvements=(withdrawn,)), MANAGER).record["sensitive_involvements"]
    assert (shown["ground"], shown["consent"], shown["ask_afresh_on"]) == ("cause", None, None)


def test_t7_of_a_common_assessment_only_its_existence_and_holder_are_shown() -> None:
    (shown,) = seen(facts(involvements=(an_involvement(common_assessment=True),))).record["involvements"]
    assert shown["common_assessment"] is True
    assert {key for key in shown if "assess" in key} == {"common_assessment"}


def test_an_ended_involvement_is_not_shown() -> None:
    assert seen(facts(involvements=(an_involvement(ended=date(2026, 2, 20)),))).record["involvements"] == []


KOOTH = an_involvement("Kooth", sensitive=True)
BROOK = an_involvement("Brook", sensitive=True, involvement=UUID(int=7), began=date(2026, 3, 1), version=9)


def test_t13_a_sensitive_service_is_one_sentence_without_name_count_or_date() -> None:
    shown = seen(facts(involvements=(an_involvement(), KOOTH))).record
    assert shown["notice"] == the_rules().sensitive.notice
    assert [i["service"] for i in shown["involvements"]] == ["School nursing"]
    assert b"Kooth" not in canonical(shown)
    assert seen(facts(involvements=(an_involvement(),))).record["notice"] is None


@pytest.mark.parametrize("viewer", [PRACTITIONER, SOCIAL_WORKER, a_viewer("teacher")])
def test_t13_a_second_sensitive_service_changes_no_byte(viewer: Viewer) -> None:
    one = facts(involvements=(an_involvement(), KOOTH))
    two = facts(involvements=(an_involvement(), KOOTH, BROOK), version=9)
    assert in_words(one, viewer) == in_words(two, viewer)
    assert hit(one, viewer, NOW, the_rules()) == hit(two, viewer, NOW, the_rules())


def test_t16_with_the_last_consent_the_notice_goes_and_with_a_cause_it_stays() -> None:
    withdrawn = replace(KOOTH, consent_withdrawn=date(2026, 3, 1))
    assert in_words(facts(involvements=(withdrawn,))) == in_words(facts())
    on_cause = replace(withdrawn, cause=ReasonableCause(considered_on=BORN, considered_by="Dr A. N. Other"))
    assert seen(facts(involvements=(on_cause,))).record["notice"] == the_rules().sensitive.notice


def test_t17_a_lead_professional_of_a_sensitive_service_is_not_named() -> None:
    leading = facts(involvements=(replace(KOOTH, lead_professional=True),))
    assert in_words(leading) == in_words(facts(involvements=(KOOTH,)))


READERS = [a_viewer(role) for role in ("practitioner", "teacher", "social-worker", "data-manager")]


@pytest.mark.parametrize("viewer", READERS, ids=lambda viewer: viewer.role)
def test_a_shielded_record_shows_a_name_a_number_a_gender_and_a_date_of_birth(viewer: Viewer) -> None:
    shown = seen(behind_a_shield(), viewer)
    assert (shown.sight, set(shown.record), shown.record["shielded"]) == ("shielded", SIX, True)


def test_t29_behind_a_shield_former_names_are_absent() -> None:
    assert b"Osman" not in in_words(behind_a_shield())
    assert b"Osman" not in in_words(facts(shielded=True), SOCIAL_WORKER, override=True)


@pytest.mark.parametrize("viewer", [*READERS, MANAGER], ids=lambda viewer: viewer.role)
@pytest.mark.parametrize("override", [False, True])
def test_what_was_not_opened_is_shown_to_nobody(viewer: Viewer, override: bool) -> None:
    unopened = facts(shielded=True, opened=False)  # even where facts were carelessly left in
    assert set(seen(unopened, viewer, override=override).record) == SIX


def test_a_reader_who_was_handed_opened_facts_by_mistake_sees_no_more() -> None:
    assert in_words(facts(shielded=True)) == in_words(behind_a_shield())


def test_no_display_of_a_shielded_record_depends_on_what_is_hidden() -> None:
    elsewhere = facts(
        shielded=True,
        whereabouts=an_address("1 Refuge Lane", "LS1 4AP"),
        education=Institution(name="Another School"),
        carers=(),
        authority=ANOTHER_BOROUGH,
        involvements=(an_involvement(), KOOTH),
        nhs_number=None,
    )
    for viewer in READERS:
        assert in_words(elsewhere, viewer) == in_words(behind_a_shield(), viewer)


def test_facts_not_opened_fail_closed_even_where_no_shield_is_known() -> None:
    assert set(seen(facts(opened=False)).record) == SIX


def test_an_override_shows_where_the_child_is_and_says_so() -> None:
    shown = seen(facts(shielded=True), SOCIAL_WORKER, override=True)
    assert (shown.sight, shown.record["override"], shown.record["shielded"]) == ("override", True, True)
    assert shown.record["address"]["postcode"] == "E8 1DY"


def test_t36_an_override_is_nothing_to_those_who_may_not_and_nothing_to_do_on_an_open_record() -> None:
    assert seen(facts(shielded=True), PRACTITIONER, override=True).sight == "shielded"
    assert seen(facts(), SOCIAL_WORKER, override=True).sight == "ordinary"


def test_the_owning_authoritys_managers_see_the_whole_record() -> None:
    shield = Shield(
        UUID(int=5), NOW, provisional=False, source_kind=SourceKind.PDS, ground="source-restricted"
    )
    whole = facts(shielded=True, shields=(shield,), involvements=(KOOTH,), withheld=("address",))
    shown = seen(whole, MANAGER)
    assert shown.sight == "manager"
    assert shown.record["sensitive_involvements"][0]["service"] == "Kooth"
    assert shown.record["withheld"] == ["address"]
    assert shown.record["shields"] == [
        {"ground": "source-restricted", "raised_on": "2026-03-02", "raised_by": "pds", "provisional": False}
    ]


def test_another_authoritys_managers_see_what_anybody_sees() -> None:
    other = a_viewer("data-manager", body=ANOTHER_BOROUGH)
    assert seen(facts(), other).sight == "ordinary"
    assert seen(facts(shielded=True), other).sight == "shielded"
    assert seen(facts(authority=None), MANAGER).sight == "ordinary"


@pytest.mark.parametrize("role", ["auditor", "operator"])
def test_auditors_and_operators_see_no_record(role: str) -> None:
    assert seen(facts(), a_viewer(role)).sight == "none"


def test_t59_on_the_18th_birthday_a_record_is_gone_for_every_reader() -> None:
    turning = facts(date_of_birth=date(2008, 7, 5))
    eve = datetime(2026, 7, 4, 22, 59, 59, 999999, tzinfo=UTC)
    midnight_in_london = datetime(2026, 7, 4, 23, 0, tzinfo=UTC)
    for viewer in [*READERS, MANAGER]:
        assert seen(turning, viewer, at=eve).sight != "none"
        gone = seen(turning, viewer, at=midnight_in_london)
        assert (gone.sight, gone.record, hit(turning, viewer, midnight_in_london, the_rules()).record) == (
            "none",
            {},
            {},
        )


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(facts(archived_on=date(2026, 3, 2)), id="archived today"),
        pytest.param(facts(supply_gone=True), id="its only file was withdrawn"),
        pytest.param(facts(death_notified_on=date(2025, 3, 2)), id="a death was notified a year ago"),
        pytest.param(
            facts(whereabouts=LeftEngland(return_intended="no", considered_left=date(2026, 3, 1))),
            id="left England",
        ),
        pytest.param(behind_a_shield(archived_on=date(2026, 3, 1)), id="shielded and archived"),
        pytest.param(
            facts(
                date_of_birth=date(2004, 1, 1),
                extension_consent_on=date(2021, 1, 1),
                extension_withdrawn_on=date(2026, 3, 2),
            ),
            id="consent to be kept was withdrawn today",
        ),
    ],
)
def test_an_archived_record_is_shown_to_no_practitioner(gone: RecordFacts) -> None:
    assert seen(gone).sight == "none"


def test_t62_for_a_year_the_owning_authoritys_managers_may_open_an_archived_record() -> None:
    archived = facts(archived_on=date(2025, 3, 3))
    assert seen(archived, MANAGER).sight == "manager"
    assert seen(facts(archived_on=date(2025, 3, 2)), MANAGER).sight == "none"
    assert seen(archived, a_viewer("data-manager", body=ANOTHER_BOROUGH)).sight == "none"


def test_a_hit_is_short_and_shows_where_only_for_an_ordinary_record() -> None:
    ordinary = hit(facts(), PRACTITIONER, NOW, the_rules())
    assert ordinary.record["address"] == {
        "state": "current",
        "lines": ["12 Alder Road"],
        "postcode": "E8 1DY",
    }
    assert "carers" not in ordinary.record
    assert set(hit(behind_a_shield(), PRACTITIONER, NOW, the_rules()).record) == SIX


def test_a_list_never_looks_behind_a_shield_even_for_its_managers() -> None:
    assert set(hit(facts(shielded=True), MANAGER, NOW, the_rules()).record) == SIX


def test_displays_are_made_by_numbered_renderers_and_are_nothing_where_there_is_no_sight() -> None:
    rules = the_rules()
    assert disclosed(rules, RENDERER, facts(), PRACTITIONER, NOW) == disclose(
        facts(), PRACTITIONER, NOW, rules
    )
    assert listed(rules, RENDERER, facts(), PRACTITIONER, NOW) == hit(facts(), PRACTITIONER, NOW, rules)
    assert disclosed(rules, RENDERER, facts(), a_viewer("auditor"), NOW) is None
    assert listed(rules, RENDERER, facts(), a_viewer("auditor"), NOW) is None
    assert {1, RENDERER} <= set(RENDERERS)


def test_canonical_json_is_sorted_compact_utf_8_without_floats() -> None:
    assert canonical({"b": [1, None, True], "a": "Siân"}) == '{"a":"Siân","b":[1,null,true]}'.encode()
    with pytest.raises(TypeError):
        canonical({"a": [{"b": 1.5}]})


def test_rules_that_would_widen_a_shield_are_not_followed() -> None:
    rules = the_rules()
    wide = rules.model_copy(
        update={"fields": rules.fields.model_copy(update={"shielded": (*rules.fields.shielded, "address")})}
    )
    assert set(disclose(facts(shielded=True), PRACTITIONER, NOW, wide).record) == SIX


GOLDEN = Path(__file__).parents[2] / "samples" / "displays"
DISPLAYS = {
    "ordinary": (facts(involvements=(an_involvement(lead_professional=True), KOOTH)), PRACTITIONER, False),
    "shielded": (behind_a_shield(), PRACTITIONER, False),
    "override": (facts(shielded=True), SOCIAL_WORKER, True),
    "manager": (facts(shielded=True, involvements=(KOOTH,)), MANAGER, False),
}


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("name", DISPLAYS)
def test_a_renderer_makes_the_same_bytes_for_ever(name: str, renderer: int) -> None:
    of, by, override = DISPLAYS[name]
    shown = RENDERERS[renderer](of, by, NOW, the_rules(), override=override)
    assert canonical(shown.record) == (GOLDEN / f"renderer-{renderer}-{name}.json").read_bytes(), (
        "make a new renderer instead"
    )


def test_a_field_keeps_its_place_in_the_mask_for_ever() -> None:
    assert fields_of("1") == ("child_id",)
    assert fields_of("80003") == ("child_id", "number", "withheld")
    assert len(set(FIELDS)) == len(FIELDS)
