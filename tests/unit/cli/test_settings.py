"""Settings are read once, in one place, and a wrong one is refused by name."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.settings import KNOWN, ProviderSettings, Settings
from domain.errors import BadInput

FOUR = {
    "CONTACTPOINT_RECORD_URL": "postgresql://service:wren@record/record",
    "CONTACTPOINT_KEYRING_URL": "postgresql://service:wren@keyring/keyring",
    "CONTACTPOINT_SHIELDED_URL": "postgresql://service:wren@shielded/shielded",
    "CONTACTPOINT_VIEWS_URL": "postgresql://service:wren@views/views",
}


def test_with_nothing_set_the_home_is_here_and_the_database_is_embedded() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(home=Path(".contactpoint"), databases=None, kafka=None, clock=None)
    assert settings.embedded


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            **FOUR,
            "CONTACTPOINT_HOME": "/srv/index",
            "CONTACTPOINT_KAFKA": "broker-1:9092,broker-2:9092",
            "CONTACTPOINT_CLOCK": "2026-03-01T10:00:00+01:00",
        }
    )
    assert settings.home == Path("/srv/index")
    assert not settings.embedded
    assert settings.databases is not None
    assert settings.databases.record == FOUR["CONTACTPOINT_RECORD_URL"]
    assert settings.databases.keyring == FOUR["CONTACTPOINT_KEYRING_URL"]
    assert settings.databases.shielded == FOUR["CONTACTPOINT_SHIELDED_URL"]
    assert settings.databases.views == FOUR["CONTACTPOINT_VIEWS_URL"]
    assert settings.kafka == "broker-1:9092,broker-2:9092"
    assert settings.clock == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert settings.clock.tzinfo is UTC


def test_other_programs_variables_are_none_of_ours() -> None:
    assert Settings.from_environment({"HOME": "/srv", "KAFKA": "x", "CONTACT": "y"}) == Settings()


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_an_empty_value_is_the_same_as_none(name: str) -> None:
    assert Settings.from_environment({name: "  "}) == Settings()


def test_an_unknown_setting_is_refused_by_name_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadInput) as refusal:
        Settings.from_environment({"CONTACTPOINT_RECORDS_URL": "postgresql://service:wren@record/record"})
    assert refusal.value.code == "unknown-setting"
    assert refusal.value.field == "CONTACTPOINT_RECORDS_URL"
    assert "Was CONTACTPOINT_RECORD_URL meant?" in refusal.value.message
    assert all(name in refusal.value.message for name in KNOWN)
    assert "wren" not in refusal.value.message


@pytest.mark.parametrize("absent", sorted(FOUR))
def test_three_database_addresses_are_refused_and_the_fourth_is_named(absent: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Settings.from_environment({name: value for name, value in FOUR.items() if name != absent})
    assert refusal.value.code == "incomplete-settings"
    assert refusal.value.field == absent
    assert absent in refusal.value.message
    assert "wren" not in refusal.value.message


@pytest.mark.parametrize("text", ["2026-03-01T09:00:00", "2026-03-01", "tomorrow"])
def test_a_clock_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Settings.from_environment({"CONTACTPOINT_CLOCK": text})
    assert (refusal.value.code, refusal.value.field) == ("bad-setting", "CONTACTPOINT_CLOCK")


def test_settings_do_not_change_and_do_not_show_passwords() -> None:
    settings = Settings.from_environment(FOUR)
    assert "wren" not in repr(settings)
    with pytest.raises(FrozenInstanceError):
        settings.kafka = "elsewhere"  # type: ignore[misc]


PROVIDER = {
    "CONTACTPOINT_OIDC_ISSUER": "https://sign-in.example.org/realms/staff",
    "CONTACTPOINT_OIDC_CLIENT_ID": "contactpoint",
    "CONTACTPOINT_OIDC_TWO_FACTORS": "acr=two, amr=otp,amr=hwk",
}


def test_a_provider_is_read_whole() -> None:
    assert Settings.from_environment(PROVIDER).provider == ProviderSettings(
        PROVIDER["CONTACTPOINT_OIDC_ISSUER"], "contactpoint", ("two",), ("otp", "hwk")
    )


@pytest.mark.parametrize("name", PROVIDER)
def test_a_provider_without_one_of_its_settings_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        Settings.from_environment({**PROVIDER, name: ""})
    assert (refused.value.code, refused.value.field) == ("incomplete-settings", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", "sign-in.example.org"),
        ("ISSUER", "https://sign-in.example.org?realm=staff"),
        ("ISSUER", "https://user:wren@sign-in.example.org"),
        ("TWO_FACTORS", "two"),
        ("TWO_FACTORS", "acr="),
        ("TWO_FACTORS", "acr=one two"),
        ("TWO_FACTORS", "acr=two,"),
        ("TWO_FACTORS", "groups=staff"),
    ],
)
def test_a_provider_that_is_not_written_as_it_should_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        Settings.from_environment({**PROVIDER, f"CONTACTPOINT_OIDC_{name}": value})
    assert (refused.value.code, refused.value.field) == ("bad-setting", f"CONTACTPOINT_OIDC_{name}")
    assert "wren" not in refused.value.message
