"""Settings: the only reader of the environment.

Every setting starts with `CONTACTPOINT_`. One that is not known is refused, because a misspelt database address would
otherwise quietly become an embedded database. An empty value is the same as none. No message repeats a value: an
address holds a password.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from domain.errors import BadInput
from domain.identifiers import IssuerUrl

PREFIX: Final = "CONTACTPOINT_"

KNOWN: Final[Mapping[str, str]] = {
    "CONTACTPOINT_HOME": "the folder that holds everything of one installation; ./.contactpoint where not set",
    "CONTACTPOINT_RECORD_URL": "address of the database of both logs",
    "CONTACTPOINT_KEYRING_URL": "address of the database of keys",
    "CONTACTPOINT_SHIELDED_URL": "address of the database of shielded children's keys",
    "CONTACTPOINT_VIEWS_URL": "address of the database of views",
    "CONTACTPOINT_KAFKA": "bootstrap servers of the broker, host:port separated by commas",
    "CONTACTPOINT_WITNESSES": "file with the policy of witnesses, whose cosignatures each checkpoint needs",
    "CONTACTPOINT_OIDC_ISSUER": "the OpenID provider that vouches for people, by the name that it gives itself",
    "CONTACTPOINT_OIDC_CLIENT_ID": "by what that provider knows this index",
    "CONTACTPOINT_OIDC_TWO_FACTORS": "what it says where two factors were given: acr=VALUE or amr=VALUE, any of "
    "several, separated by commas",
    "CONTACTPOINT_CLOCK": "training homes only: the instant it is now, in ISO 8601 with an offset",
}


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The four databases of an installation that runs its own servers (libpq addresses)."""

    record: str = field(repr=False)
    keyring: str = field(repr=False)
    shielded: str = field(repr=False)
    views: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The OpenID provider. acr, amr: values of these claims, any one of which says that two factors were given."""

    issuer: str
    client_id: str
    acr: tuple[str, ...]
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    `databases` is None where a PostgreSQL under `home` is to be used. `clock` is an instant in UTC; whether it may be
    set is for the home to say (training homes only). `state` is the user's own folder for what programs keep from one
    run to the next (XDG_STATE_HOME): who is signed in is kept there.
    """

    home: Path = Path(".contactpoint")
    databases: DatabaseUrls | None = None
    kafka: str | None = None
    witnesses: Path | None = None
    provider: ProviderSettings | None = None
    clock: datetime | None = None
    state: Path = field(default_factory=lambda: _state(os.environ))

    @property
    def embedded(self) -> bool:
        """Whether the database server is the one under `home`."""
        return self.databases is None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environ`, by default the environment of the process.

        Raises BadInput, naming the setting, where one is unknown, incomplete or malformed.
        """
        given = {
            name: value.strip()
            for name, value in (os.environ if environ is None else environ).items()
            if name.startswith(PREFIX)
        }
        for name in sorted(given):
            if name not in KNOWN:
                raise _unknown(name)
        present = {name: value for name, value in given.items() if value}
        return cls(
            home=Path(present.get("CONTACTPOINT_HOME", ".contactpoint")),
            databases=_databases(present),
            kafka=present.get("CONTACTPOINT_KAFKA"),
            witnesses=Path(present["CONTACTPOINT_WITNESSES"])
            if "CONTACTPOINT_WITNESSES" in present
            else None,
            provider=_provider(present),
            clock=_instant(present.get("CONTACTPOINT_CLOCK")),
            state=_state(os.environ if environ is None else environ),
        )


def _state(environ: Mapping[str, str]) -> Path:
    given = Path(
        environ.get("XDG_STATE_HOME", "")
    )  # a relative one is to be passed over, says the XDG specification
    return (given if given.is_absolute() else Path("~/.local/state")) / "contactpoint"


def _unknown(name: str) -> BadInput:
    nearest = get_close_matches(name, KNOWN, n=1)
    meant = f" Was {nearest[0]} meant?" if nearest else ""
    return BadInput(
        f"There is no setting {name}.{meant} The settings are {', '.join(KNOWN)}.",
        code="unknown-setting",
        field=name,
    )


def _databases(present: Mapping[str, str]) -> DatabaseUrls | None:
    names = [f"{PREFIX}{database}_URL" for database in ("RECORD", "KEYRING", "SHIELDED", "VIEWS")]
    missing = [name for name in names if name not in present]
    if len(missing) == len(names):
        return None
    if missing:
        raise BadInput(
            f"Set all four database addresses or none of them: {', '.join(missing)} not set.",
            code="incomplete-settings",
            field=missing[0],
        )
    record, keyring, shielded, views = (present[name] for name in names)
    return DatabaseUrls(record=record, keyring=keyring, shielded=shielded, views=views)


def _provider(present: Mapping[str, str]) -> ProviderSettings | None:
    names = [f"{PREFIX}OIDC_{name}" for name in ("ISSUER", "CLIENT_ID", "TWO_FACTORS")]
    missing = [name for name in names if name not in present]
    if len(missing) == len(names):
        return None
    if missing:
        raise BadInput(
            f"Set all three settings of the OpenID provider or none of them: {', '.join(missing)} not set.",
            code="incomplete-settings",
            field=missing[0],
        )
    issuer, client_id, two_factors = (present[name] for name in names)
    try:
        TypeAdapter(IssuerUrl).validate_python(issuer)
    except ValidationError:
        raise BadInput(
            f"{names[0]} is not the name of a provider: an address without query, like https://sign-in.example.org/staff.",
            code="bad-setting",
            field=names[0],
        ) from None
    said = [tuple(map(str.strip, one.partition("=")[::2])) for one in two_factors.split(",")]
    if not all(claim in ("acr", "amr") and value and " " not in value for claim, value in said):
        raise BadInput(
            f"{names[2]} is written acr=VALUE or amr=VALUE; several are separated by commas.",
            code="bad-setting",
            field=names[2],
        )
    acr, amr = (tuple(value for claim, value in said if claim == wanted) for wanted in ("acr", "amr"))
    return ProviderSettings(issuer, client_id, acr, amr)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadInput(
            "CONTACTPOINT_CLOCK is not an instant: write it like 2026-03-01T09:00:00Z, with its offset from UTC.",
            code="bad-setting",
            field="CONTACTPOINT_CLOCK",
        )
    return instant.astimezone(UTC)
