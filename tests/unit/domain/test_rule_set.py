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


@pytest.mark.parametrize("name", sorted(packaged()))
def test_t62_in_every_rule_set_the_archive_is_opened_by_the_supplier_alone_and_for_a_case(name: str) -> None:
    rules = packaged()[name].rules
    assert [role for role in rules.roles if rules.role_may(role, "open-archive")] == ["supplier"]
    assert set(rules.roles["supplier"].purposes) == {"section-47", "case-review", "child-death"}
    assert rules.roles["supplier"].sights == ("archive",)
    assert rules.erasure.reasons
    assert rules.shield.review_months == 6


def test_a_role_the_rules_do_not_know_may_nothing() -> None:
    assert not parse(TEXT).role_may("minister", "search")
    assert not parse(TEXT).role_sees("minister", "ordinary")


def test_a_shielded_record_shows_four_facts_and_that_it_is_shielded() -> None:
    shown: set[RecordField] = {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}
    assert set(parse(TEXT).fields.shielded) == shown


def _closing(may: str, at: str = "2030-08-06T12:00:00+01:00") -> str:
    """The beginning of `because` with the closure of the index before it."""
    return f"[closure]\nat = {at}\ndestroy_months = 2\n[closure.may]\n{may}\n[because]\n"


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
        pytest.param('"credentials-shared", ', "", None, id="a reason of the index's own that is missing"),
        pytest.param(
            'running = ["operation"', 'running = ["curiosity"', None, id="running for an unknown purpose"
        ),
        pytest.param(
            '"verify", "two-people",\n]', '"verify",\n]', None, id="nobody who could adopt the next"
        ),
        pytest.param('"ages.archive" = ', '"ages.retirement" = ', None, id="where no rule comes from"),
        pytest.param(
            'standing = "said", source = "Hansard, 5 November 2008" }',
            'standing = "certain", source = "Hansard, 5 November 2008" }',
            "because.ages.archive.standing",
            id="a standing there is not",
        ),
        pytest.param("valid_from = ", "valid_to = 1999-01-01\nvalid_from = ", None, id="dates out of order"),
        pytest.param(
            "[because]\n", _closing('operator = ["load"]'), None, id="a closure that nobody can carry out"
        ),
        pytest.param(
            "[because]\n", _closing('operator = ["show"]'), None, id="a closure that gives what nobody had"
        ),
        pytest.param(
            "[because]\n", _closing('minister = ["load"]'), None, id="a closure for a role that is not there"
        ),
        pytest.param(
            "[because]\n",
            _closing('operator = ["load"]', "2030-08-06T12:00:00"),
            "closure.at",
            id="noon of nowhere",
        ),
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


@pytest.mark.parametrize("name", list(packaged()))
def test_every_rule_that_ships_says_where_it_comes_from_or_is_shown_as_a_setting(name: str) -> None:
    rules = packaged()[name].rules
    sections = set(packaged()["2007"].rules.model_fields_set) - {"id", "title", "valid_to", "because"}
    unsaid = {one for one in sections if not any(place.split(".")[0] == one for place in rules.because)}
    assert not unsaid, f"say in `because` of {name}.toml where these come from: {sorted(unsaid)}"
    assert rules.reason("conditions.check.years") == rules.because["conditions.check"]
    assert rules.reason("nothing.there") is None
