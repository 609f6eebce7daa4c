"""Case management: NDJSON, one message on each line, of one child that a body's case system knows.

The form is our own. `Message` below is it; `docs/case-management.schema.json` is made from it, and the words are in
`docs/sources/case-management.md`. A message says how things stand, not what happened: it may come twice, late or out of
order. A field that is not in the form refuses the whole message.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from domain.child_record.events import (
    Address,
    Carer,
    Consent,
    Contact,
    CurrentAddress,
    FullName,
    Gender,
    Judgement,
    PersonName,
    ReasonableCause,
    SourceKind,
)
from domain.identifiers import AddressLine, NamePart, NhsNumber, Postcode
from domain.kernel import Immutable
from ingest.source_record import (
    Code,
    Facts,
    Involved,
    Parsed,
    Rejected,
    SourceRecord,
    refusal_of,
)
from ingest.sources.delimited import BOM, Bad, lines_of

FIELDS: Final = {
    "names": "family",
    "whereabouts": "address",
    "address_effective": "since",
    "effective": "as_of",
    "owning_authority": "authority",
    "involvement": "involvements",
}
"""What this source calls a field of ours, where it calls it otherwise."""

Number = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{0,16}$", max_length=17)]
Body = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,11}$", max_length=12)]


class Home(Immutable):
    """Where the child lives, and since when."""

    lines: Annotated[tuple[AddressLine, ...], Field(max_length=6)] = ()
    postcode: Postcode | None = None
    uprn: Annotated[int, Field(ge=1, le=999_999_999_999)] | None = None
    since: date


class Parent(Immutable):
    """Somebody with parental responsibility for the child, or care of it."""

    given: Annotated[tuple[NamePart, ...], Field(max_length=6)] = ()
    family: NamePart
    standing: Literal["parental-responsibility", "care", "both"]
    contact: Contact | None = None


class Judged(Immutable):
    """Whether the practitioner judged the child competent to decide in this case, and when."""

    competent: bool
    judged_on: date


class GivenConsent(Immutable):
    """Consent to record a sensitive service: whose, since when, and until when if it was withdrawn.

    judgement: what the practitioner judged of the child's competence to decide, where it was judged.
    """

    given_by: Literal["child", "young-person", "parent"]
    given_on: date
    withdrawn_on: date | None = None
    judgement: Judged | None = None


class Cause(Immutable):
    """That the provider has reasonable cause to suspect significant harm: when and by whom it was considered."""

    considered_on: date
    considered_by: NamePart
    review_on: date | None = None


class Service(Immutable):
    """A service that is, or was, involved with the child."""

    id: Number
    service: NamePart
    kind: Literal["universal", "additional", "sensitive"]
    organisation: NamePart | None = None
    role: NamePart | None = None
    contact: Contact = Contact()
    lead_professional: bool = False
    common_assessment: bool = False
    began: date
    ended: date | None = None
    consent: GivenConsent | None = None
    cause: Cause | None = None


class Message(Immutable):
    """What a case system holds of one child, as of a day."""

    body: Body
    id: Number
    as_of: date
    given: Annotated[tuple[NamePart, ...], Field(max_length=6)] = ()
    family: NamePart
    date_of_birth: date
    sex: Literal["F", "M", "X"] | None = None
    nhs_number: NhsNumber | None = None
    address: Home | None = None
    carers: Annotated[tuple[Parent, ...], Field(max_length=8)] | None = None
    authority: Body | None = None
    involvements: Annotated[tuple[Service, ...], Field(max_length=40)] = ()


def schema() -> dict[str, object]:
    """The published form of a line: JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A message of a case system to ContactPoint, one on each line",
        **{name: value for name, value in Message.model_json_schema().items() if name != "title"},
    }


SEX: Final = {"F": Gender.FEMALE, "M": Gender.MALE, "X": Gender.NOT_SPECIFIED}


def parse(stream: BinaryIO) -> Iterator[Parsed]:
    """Parse a file of messages, line by line. Memory does not grow with the file."""
    line = None
    for number, line in lines_of(stream):
        yield line if isinstance(line, Rejected) else _parsed(number, line.removeprefix(BOM))
    if line is None:
        yield Rejected(1, Code.EMPTY_FILE)


def _parsed(line: int, text: bytes) -> Parsed:
    try:
        message = Message.model_validate_json(text, strict=True)
        return SourceRecord(
            line,
            SourceKind.CASE_MANAGEMENT,
            f"{message.body}/{message.id}",  # two systems may number alike
            _facts(message),
            body=message.body,
        )
    except Bad as bad:
        return Rejected(line, bad.code, bad.column)
    except ValidationError as error:
        return refusal_of(error, line, FIELDS)


def _facts(message: Message) -> Facts:
    home = message.address
    if home is not None and home.since < message.date_of_birth:
        raise Bad(Code.DATES_OUT_OF_ORDER, "since")
    if message.as_of < message.date_of_birth:
        raise Bad(Code.DATES_OUT_OF_ORDER, "as_of")
    if len({service.id for service in message.involvements}) < len(message.involvements):
        raise Bad(Code.BAD_VALUE, "id")
    placed = home is not None and (home.lines or home.postcode or home.uprn)
    return Facts(
        effective=message.as_of,
        names=(PersonName(given=message.given, family=message.family),),
        date_of_birth=message.date_of_birth,
        gender=None if message.sex is None else SEX[message.sex],
        nhs_number=message.nhs_number,
        address_effective=home.since if home is not None and placed else None,
        whereabouts=(
            CurrentAddress(address=Address(lines=home.lines, postcode=home.postcode, uprn=home.uprn))
            if home is not None and placed
            else None
        ),
        carers=None if message.carers is None else tuple(map(_carer, message.carers)),
        authority=message.authority,
        involvements=tuple(map(_involved, message.involvements)) or None,
    )


def _carer(parent: Parent) -> Carer:
    name = FullName(given=parent.given, family=parent.family)
    return Carer(name=name, standing=parent.standing, contact=parent.contact)


def _judgement(judged: Judged | None) -> Judgement | None:
    return None if judged is None else Judgement(judged.competent, judged.judged_on)


def _involved(service: Service) -> Involved:
    """The involvement, on a ground where it needs one (reg 11(3)). Raises Bad."""
    consent, cause = service.consent, service.cause
    if service.kind == "sensitive":
        if consent is None and cause is None:
            raise Bad(Code.SENSITIVE_NEEDS_GROUND, "consent")
    elif consent is not None or cause is not None:
        raise Bad(Code.CONSENT_NOT_NEEDED, "consent" if consent is not None else "cause")
    if service.ended is not None and service.ended < service.began:
        raise Bad(Code.DATES_OUT_OF_ORDER, "ended")
    if consent is not None and consent.withdrawn_on is not None and consent.withdrawn_on < consent.given_on:
        raise Bad(Code.DATES_OUT_OF_ORDER, "withdrawn_on")
    said = dict(service)
    del said["id"], said["consent"], said["cause"]
    return Involved(
        number=service.id,
        consent=None if consent is None else Consent(given_by=consent.given_by, given_on=consent.given_on),
        consent_withdrawn=None if consent is None else consent.withdrawn_on,
        judgement=None if consent is None else _judgement(consent.judgement),
        cause=None if cause is None else ReasonableCause(**dict(cause)),
        **said,
    )
