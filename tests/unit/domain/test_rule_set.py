"""Rule sets are checked whole, and none can widen what a shield hides."""

from datetime import date
from importlib import resources

import pytest

from adapters.rule_files import packaged
from domain.errors import BadInput
from domain.rule_set.model import RecordField, digest, parse

TEXT = resources.files("domain").joinpath("rules/present.toml").read_text("utf-8")


def test_every_packaged_rule_set_can_be_used_and_is_called_by_its_id() -> None:
    found = packaged()
    assert {file.rules.id for file in found.values()} == set(found) >= {"present"}
    assert found["present"].digest == digest(TEXT.encode())


def test_the_reason_casework_is_there_with_its_statutory_basis() -> None:
    assert "s.10" in parse(TEXT).purposes["casework"].basis


def test_every_purpose_names_what_makes_it_lawful() -> None:
    assert all(purpose.basis for purpose in parse(TEXT).purposes.values())


def test_only_social_workers_look_behind_a_shield_and_only_managers_lower_one() -> None:
    rules = parse(TEXT)
    assert [name for name in rules.roles if rules.role_may(name, "override")] == ["social-worker"]
    assert [name for name in rules.roles if rules.role_may(name, "lift-shield")] == ["data-manager"]


def test_a_role_the_rules_do_not_know_may_nothing() -> None:
    assert not parse(TEXT).role_may("minister", "search")
    assert not parse(TEXT).role_sees("minister", "ordinary")


def test_a_shielded_record_shows_four_facts_and_that_it_is_shielded() -> None:
    shown: set[RecordField] = {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}
    assert set(parse(TEXT).fields.shielded) == shown


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        pytest.param('id = "present"', 'id = "present"\nnote = "hello"', "note", id="an unknown field"),
        pytest.param("archive = 18", 'archive = "x"', "ages.archive", id="an age that is no number"),
        pytest.param("archive = 18", "", "ages.archive", id="an age that is missing"),
        pytest.param("extension = 25", "extension = 17", None, id="ages out of order"),
        pytest.param(
            '"gender", "shielded"]',
            '"gender", "shielded", "address"]',
            None,
            id="a shield that shows an address",
        ),
        pytest.param('"gender", "shielded"]', '"gender"]', None, id="a shield that is not said"),
        pytest.param(
            'purposes = ["casework", "audit"]', 'purposes = ["curiosity"]', None, id="an unknown purpose"
        ),
        pytest.param(
            '"search", "show", "override"', '"search", "show"', None, id="a sight without its right"
        ),
        pytest.param(
            'sights = ["ordinary", "shielded"]',
            'sights = ["all"]',
            "roles.practitioner.sights.0",
            id="an unknown sight",
        ),
        pytest.param(
            'may = ["who-saw"', 'may = ["who-saw", "who-saw"', "roles.auditor.may", id="a right named twice"
        ),
        pytest.param(
            'may = ["account", "organisation"]',
            'may = ["account", "organisation", "show"]',
            None,
            id="somebody who says who may look, and looks",
        ),
        pytest.param(
            'may = ["account", "organisation"]\nsights = []',
            'may = ["account", "organisation"]\nsights = ["ordinary"]',
            None,
            id="somebody who says who may look, and sees",
        ),
        pytest.param(
            'of = "account"', 'of = "child"', "conditions.authorisation.of", id="a condition of nobody's"
        ),
        pytest.param("years = 3\n", "years = -3\n", "conditions.check.years", id="a period that is none"),
        pytest.param(
            'voided_by = ["role"]',
            'voided_by = ["mood"]',
            "conditions.authorisation.voided_by.0",
            id="voided by what cannot change",
        ),
        pytest.param('roles = ["auditor"]', 'roles = ["minister"]', None, id="a kind with an unknown role"),
        pytest.param(
            'grants_to = ["health"', 'grants_to = ["circus", "health"', None, id="a kind that is not there"
        ),
        pytest.param('duties = ["account-manager"', 'duties = ["minister"', None, id="an unknown duty"),
        pytest.param(
            "[conditions.check]",
            "[conditions.check-of-criminal-records]",
            "conditions.check-of-criminal-records.[key]",
            id="too long a code",
        ),
        pytest.param("valid_from = ", "valid_to = 1999-01-01\nvalid_from = ", None, id="dates out of order"),
        pytest.param("[ages]", "[ages", None, id="not TOML"),
    ],
)
def test_a_rule_set_that_cannot_be_used_is_refused_in_words(old: str, new: str, field: str | None) -> None:
    assert old in TEXT
    with pytest.raises(BadInput) as refused:
        parse(TEXT.replace(old, new))
    assert (refused.value.code, refused.value.field) == ("bad-rule-set", field)


def test_rules_are_in_force_from_their_first_day_to_the_eve_of_their_last() -> None:
    rules = parse(TEXT.replace("valid_from = 2018-05-25", "valid_from = 2018-05-25\nvalid_to = 2030-01-01"))
    days = (date(2018, 5, 24), date(2018, 5, 25), date(2029, 12, 31), date(2030, 1, 1))
    assert [rules.in_force(day) for day in days] == [False, True, True, False]
