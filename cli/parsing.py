"""Reads what was typed. A value that cannot be read is refused by the option's name, never by the value."""

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from domain.child_record.events import Gender
from domain.errors import BadInput
from domain.identifiers import BodyCode, NamePart, ShortCode

_NAME: Final[TypeAdapter[str]] = TypeAdapter(ShortCode)
_BODY: Final[TypeAdapter[str]] = TypeAdapter(BodyCode)
_SERVICE: Final[TypeAdapter[str]] = TypeAdapter(NamePart)


def day_of(text: str | None, field: str) -> date | None:
    """A day written YYYY-MM-DD or DD/MM/YYYY."""
    if text is None:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise BadInput(f"--{field} is not a day: write YYYY-MM-DD.", field=field)


def birth_date(text: str | None) -> date | None:
    """A date of birth."""
    return day_of(text, "dob")


def instant_of(text: str | None, field: str) -> datetime | None:
    """An instant in ISO 8601 with an offset or Z."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"--{field} is not an instant: write 2026-03-01T09:00:00Z.", field=field) from None
    if instant.tzinfo is None:
        raise BadInput(f"--{field} needs an offset: end it with Z or +01:00.", field=field)
    return instant.astimezone(UTC)


def gender_of(text: str | None) -> Gender | None:
    """A gender as the index says it."""
    if text is None:
        return None
    try:
        return Gender(text.strip().lower())
    except ValueError:
        raise BadInput("--gender is one of female, male, not-specified.", field="gender") from None


def uuid_of(text: str, field: str) -> UUID:
    """An id as printed by another command."""
    try:
        return UUID(text.strip())
    except ValueError:
        raise BadInput(
            f"{field} is not an id: copy it from the command that printed it.", field=field
        ) from None


def account_name(text: str, field: str) -> str:
    """What an account is called by."""
    return _in_form(_NAME, text, f"--{field} is not the name of an account.", field)


def body_code(text: str, field: str) -> str:
    """The code of an organisation."""
    return _in_form(_BODY, text, f"--{field} is not the code of an organisation.", field)


def _in_form(form: TypeAdapter[str], text: str, otherwise: str, field: str) -> str:
    try:
        return form.validate_python(text)
    except ValidationError:
        raise BadInput(f"{otherwise} Copy it from a list.", field=field) from None


def service_name(text: str, field: str) -> str:
    """The name of a service, whether or not anything has it. Raises BadInput."""
    return _in_form(_SERVICE, text, f"--{field} is not the name of a service.", field)


def digest_of(text: str, field: str) -> bytes:
    """A digest as printed by another command: 64 hexadecimal digits."""
    try:
        digest = bytes.fromhex(text.strip())
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise BadInput(f"--{field} is not a digest: copy it from `proposal show`.", field=field)
    return digest
