"""compose.yaml cannot be started where there is no Docker; what can be known without starting it is tested here."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from adapters.postgres.databases import Role, connect_as_superuser
from adapters.postgres.embedded import EmbeddedServer
from cli.main import status_of
from cli.settings import KNOWN, PREFIX, Settings

FILE = Path(__file__).parents[2] / "compose.yaml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def settings(compose: dict[str, Any]) -> Settings:
    return Settings.from_environment(compose["services"]["contactpoint"]["environment"])


def test_the_first_comment_says_that_it_is_not_started_in_ci_and_what_tests_it() -> None:
    first = FILE.read_text("utf-8").split("\n\n")[0]
    assert first.startswith("# This file cannot be started in CI")
    assert Path(__file__).relative_to(FILE.parent).as_posix() in first


def test_it_holds_postgresql_18_kafka_in_kraft_mode_and_the_service(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "kafka", "contactpoint", "sealer"}
    assert services["postgres"]["image"].startswith("postgres:18")
    assert services["kafka"]["image"].startswith("apache/kafka:4.")
    assert services["kafka"]["environment"]["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert not any("ZOOKEEPER" in name for name in services["kafka"]["environment"])
    assert (FILE.parent / services["contactpoint"]["build"] / "Dockerfile").is_file()


def test_every_setting_it_passes_is_one_that_the_settings_know(compose: dict[str, Any]) -> None:
    passed = {
        name
        for service in compose["services"].values()
        for name in service.get("environment", {})
        if name.startswith(PREFIX)
    }
    assert passed <= set(KNOWN)
    elsewhere = {"CONTACTPOINT_CLOCK", "CONTACTPOINT_WITNESSES"} | {
        name for name in KNOWN if name.startswith("CONTACTPOINT_OIDC_")
    }
    assert set(KNOWN) - passed == elsewhere, (
        "the clock is for tests and training, witnesses and a provider are somebody else's; all else is shown"
    )


def test_every_database_address_leads_to_a_database_made_here(
    compose: dict[str, Any], settings: Settings
) -> None:
    made = compose["configs"]["databases"]["content"]
    assert settings.databases is not None
    for name in ("record", "keyring", "shielded", "views"):
        address = urlsplit(getattr(settings.databases, name))
        assert (address.hostname, address.port, address.path) == ("postgres", 5432, f"/{name}")
        assert address.username is None, (
            "an address with a user belongs to one role; the service needs several"
        )
        assert f"CREATE DATABASE {name} OWNER contactpoint_owner;" in made


def test_every_role_that_logs_in_has_the_password_that_the_service_gives(compose: dict[str, Any]) -> None:
    password = compose["services"]["contactpoint"]["environment"]["PGPASSWORD"]
    for role in Role:
        assert f"ALTER ROLE {role.value} PASSWORD '{password}';" in compose["configs"]["databases"]["content"]


@pytest.mark.postgres
@pytest.mark.slow
def test_what_it_prepares_is_what_the_service_needs(compose: dict[str, Any], tmp_path: Path) -> None:
    """The same statements on another PostgreSQL 18, then the service's own commands on its addresses."""
    server = EmbeddedServer(tmp_path / "server")
    with server as address:
        with connect_as_superuser(address) as connection:
            mounted = [volume.split(":")[0] for volume in compose["services"]["postgres"]["volumes"]]
            connection.execute((FILE.parent / mounted[0]).read_bytes())
            for statement in compose["configs"]["databases"]["content"].strip().splitlines():
                connection.execute(statement.encode())
        environ = {
            name: value.replace("//postgres:5432/", "///")
            + f"?host={address.socket_directory}&port={address.port}"
            for name, value in compose["services"]["contactpoint"]["environment"].items()
            if name.endswith("_URL")
        }
        settings = Settings.from_environment({**environ, "CONTACTPOINT_HOME": str(tmp_path / "home")})
        births = FILE.parent / "tests" / "samples" / "sources" / "births" / "registrations.csv"
        for command in (
            "init --training",
            "init --training",
            "projection run --until-caught-up",
            f"load births {births}",
            "projection rebuild practitioner-view --switch",
            "health",
        ):
            assert status_of(command.split(), settings) == 0, command
    server.stop()


def test_the_broker_it_names_listens_where_it_is_said_to(compose: dict[str, Any], settings: Settings) -> None:
    advertised = compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert advertised == f"PLAINTEXT://{settings.kafka}"


def test_the_image_holds_every_package(compose: dict[str, Any]) -> None:
    folder = FILE.parent / compose["services"]["contactpoint"]["build"]
    copied = (folder / "Dockerfile").read_text("utf-8")
    let_in = (folder / ".dockerignore").read_text("utf-8").splitlines()
    for package in ("domain", "ingest", "projections", "adapters", "cli"):
        assert f"COPY {package} ./{package}\n" in copied
        assert f"!{package}" in let_in
