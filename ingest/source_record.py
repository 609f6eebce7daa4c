"""The one shape every source is parsed into, and the closed list of reasons for which an item is refused.

A parser is a generator over an opened binary stream. It yields, for every item, a `SourceRecord` or a `Rejected`, in
the order of the file, and keeps no more than one item in memory. It knows neither the time nor the index: what depends
on them (an adult, a synthetic number) the pipeline refuses. Nothing here ever holds or repeats a refused value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, BinaryIO, Final, Literal, Protocol

from pydantic import Field, ValidationError

from domain.child_record.events import (
    AllocatedIdentifier,
    Carer,
    Consent,
    Contact,
    Gender,
    Institution,
    Judgement,
    PersonName,
    ReasonableCause,
    SourceKind,
    Whereabouts,
)
from domain.identifiers import AllocatedNumber, BodyCode, NamePart, NhsNumber
from domain.kernel import Immutable

MAX_LINE: Final = 64 * 1024
"""Bytes of the longest line of a delimited file."""

SUPERSEDED: Final = "nhs-number-superseded"
"""Scheme of an NHS number that another has replaced."""

FORMER_UPN: Final = "upn-former"
"""Scheme of a unique pupil number that another has replaced."""


class Code(StrEnum):
    """Why an item was refused, or (the last few) what was left out of an item that was taken."""

    FIELD_NOT_ALLOWED = "field-not-allowed"
    MISSING_COLUMN = "missing-column"
    REPEATED_COLUMN = "repeated-column"
    EMPTY_FILE = "empty-file"
    NOT_TEXT = "not-text"
    NOT_JSON = "not-json"
    NOT_XML = "not-xml"
    DTD_NOT_ALLOWED = "dtd-not-allowed"
    TOO_DEEP = "too-deep"
    NOT_THIS_FORM = "not-this-form"
    BAD_UPN = "bad-upn"
    NOT_A_CHILD = "not-a-child"
    LINE_TOO_LONG = "line-too-long"
    FILE_TOO_LARGE = "file-too-large"
    WRONG_NUMBER_OF_VALUES = "wrong-number-of-values"
    CUT_OFF = "cut-off"
    MISSING_VALUE = "missing-value"
    BAD_VALUE = "bad-value"
    BAD_CHARACTERS = "bad-characters"
    TOO_LONG = "too-long"
    BAD_DATE = "bad-date"
    BAD_CODE = "bad-code"
    BAD_NHS_NUMBER = "bad-nhs-number"
    SYNTHETIC_NHS_NUMBER = "synthetic-nhs-number"
    BAD_POSTCODE = "bad-postcode"
    DATES_OUT_OF_ORDER = "dates-out-of-order"
    DATE_IN_FUTURE = "date-in-future"
    NO_NAME = "no-name"
    NO_DATE_OF_BIRTH = "no-date-of-birth"
    NO_NHS_NUMBER = "no-nhs-number"
    NO_RELATIONSHIP = "no-relationship"
    RELATIONSHIP_NOT_HELD = "relationship-not-held"
    NOT_CURRENT = "not-current"
    ADULT = "adult"
    SENSITIVE_NEEDS_GROUND = "sensitive-needs-ground"
    CONSENT_NOT_NEEDED = "consent-not-needed"
    INVOLVEMENT_EXISTS = "involvement-exists"
    UNKNOWN_CHILD = "unknown-child"
    DESTROYED_BEFORE = "destroyed-before"
    RECORD_DAMAGED = "record-damaged"


REMEDIES: Final[dict[Code, str]] = {
    Code.FIELD_NOT_ALLOWED: "This field may not be held. Remove it at the source and send again.",
    Code.MISSING_COLUMN: "The named column is required. Add it to the header and send the file again.",
    Code.REPEATED_COLUMN: "The named column stands twice in the header. Remove one and send the file again.",
    Code.EMPTY_FILE: "The file holds nothing. Send a file with a header and at least one line.",
    Code.NOT_TEXT: "Write the line in UTF-8.",
    Code.NOT_JSON: "Write the item as one valid JSON object.",
    Code.NOT_XML: "The file is no well-formed XML from here on. Export it anew; what stands before is loaded.",
    Code.DTD_NOT_ALLOWED: "Send the file without a document type or entities: neither is part of the form.",
    Code.TOO_DEEP: "The elements are nested deeper than the form allows. Export the file anew.",
    Code.NOT_THIS_FORM: "The file begins with another element than this kind of file. Check the kind you named.",
    Code.BAD_UPN: "Check the unique pupil number: thirteen characters with a right check letter, or none.",
    Code.NOT_A_CHILD: "The service answered with an outcome, not a person. The named issue says why.",
    Code.LINE_TOO_LONG: "The line is longer than the format allows. Look for a missing line break or quote.",
    Code.FILE_TOO_LARGE: "Send a document of this size as NDJSON, one resource on each line.",
    Code.WRONG_NUMBER_OF_VALUES: "Give the line as many values as the header has columns; quote values with commas.",
    Code.CUT_OFF: "The file ends within this line and may lack its rest. End it with a line break and send it again.",
    Code.MISSING_VALUE: "Give the named value.",
    Code.BAD_VALUE: "Give the named value in the form the documentation says.",
    Code.BAD_CHARACTERS: "Remove control characters from the named value.",
    Code.TOO_LONG: "Shorten the named value to what the documentation says.",
    Code.BAD_DATE: "Give the named date in full, as year-month-day.",
    Code.BAD_CODE: "Use one of the documented codes.",
    Code.BAD_NHS_NUMBER: "Check the NHS number: ten digits with a right check digit, or none.",
    Code.SYNTHETIC_NHS_NUMBER: "Numbers that begin with 9 are for tests. Load test data into a training home.",
    Code.BAD_POSTCODE: "Check the postcode, or leave it empty.",
    Code.DATES_OUT_OF_ORDER: "The named date lies before the date of birth. Check both.",
    Code.DATE_IN_FUTURE: "The named date has not come yet. Check it.",
    Code.NO_NAME: "A record needs a name. Send the item again with one.",
    Code.NO_DATE_OF_BIRTH: "A record needs a date of birth. Send the item again with one.",
    Code.NO_NHS_NUMBER: "A PDS item needs an NHS number with a right check digit.",
    Code.NO_RELATIONSHIP: "Say how the person is related to the child, with a documented code.",
    Code.RELATIONSHIP_NOT_HELD: "Only people with parental responsibility or care may be held. Remove the item.",
    Code.NOT_CURRENT: "The source marks the item as no longer in use. Send the one in force.",
    Code.ADULT: "Only children are held, and young people who consented before they were 18. Remove the item.",
    Code.SENSITIVE_NEEDS_GROUND: "A sensitive service needs a consent, or the reasonable cause its provider sees.",
    Code.CONSENT_NOT_NEEDED: "Only a sensitive service is recorded on consent or cause. Leave them out.",
    Code.INVOLVEMENT_EXISTS: "Another service was sent under this number. Give the involvement a number of its own.",
    Code.DESTROYED_BEFORE: "What was held of this entry was destroyed by law: register a child that came back by hand.",
    Code.UNKNOWN_CHILD: "Load the child's own message first, then this one again.",
    Code.RECORD_DAMAGED: "The record it is about cannot be opened. Run `contactpoint health`, then load again.",
}
"""What to do about each, in words for the supplier."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item refused whole. `line`: of the file, or the number of the entry in a Bundle; `field`: never a value."""

    line: int
    code: Code
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """An element that was left out of an item that was taken."""

    code: Code
    field: str


class Involved(Immutable):
    """A service's involvement as its source holds it: begun, and perhaps ended. `number`: the source's own.

    consent_withdrawn: the day on which the consent was taken back. A cause beside it stands on its own.
    """

    number: AllocatedNumber
    service: NamePart
    kind: Literal["universal", "additional", "sensitive"]
    organisation: NamePart | None = None
    role: NamePart | None = None
    contact: Contact = Contact()
    lead_professional: bool = False
    common_assessment: bool = False
    began: date
    ended: date | None = None
    consent: Consent | None = None
    consent_withdrawn: date | None = None
    judgement: Judgement | None = None
    cause: ReasonableCause | None = None

    @property
    def lawful(self) -> bool:
        """Whether it may be recorded now (reg 11(3)): a sensitive one needs a ground that stands."""
        stands = self.consent is not None and self.consent_withdrawn is None
        return self.kind != "sensitive" or stands or self.cause is not None


class Facts(Immutable):
    """What one source record says of one child. None clears nothing. Dates are days in England."""

    effective: date
    confidence: Literal["verified", "stated"] = "stated"
    names: Annotated[tuple[PersonName, ...], Field(max_length=8)] = ()
    date_of_birth: date | None = None
    gender: Gender | None = None
    nhs_number: NhsNumber | None = None
    birth_order: Annotated[int, Field(ge=1, le=9)] | None = None
    address_effective: date | None = None
    """None with a whereabouts: the source gave no date, so it holds from the day it was received."""
    whereabouts: Whereabouts | None = None
    carers: Annotated[tuple[Carer, ...], Field(max_length=8)] | None = None
    practice: Institution | None = None
    practice_effective: date | None = None
    identifiers: Annotated[tuple[AllocatedIdentifier, ...], Field(max_length=6)] = ()
    education: Institution | None = None
    education_effective: date | None = None
    education_ceased: date | None = None
    involvements: Annotated[tuple[Involved, ...], Field(max_length=40)] | None = None
    restricted: bool = False
    withheld: tuple[Literal["address", "practice", "contact"], ...] = ()
    died_on: date | None = None
    authority: BodyCode | None = None
    """The local authority responsible for the record, where the source allocates one."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One item of a source, parsed. About "carers": it names a child by NHS number alone and says who cares for it."""

    line: int
    kind: SourceKind
    source_id: AllocatedNumber | None
    facts: Facts
    about: Literal["child", "carers"] = "child"
    warnings: tuple[Warned, ...] = ()
    body: BodyCode | None = None
    """The body that answers for it, where that follows from the item and not from its kind."""

    def canonical(self) -> bytes:
        """The same bytes for the same content, whatever line or file it stands in: what an idempotency key is made of.

        Holds personal values: only ever a keyed digest of it is stored. What is None is left out, so that a field of
        `Facts` added later, with None as its default, leaves the keys of what was loaded before as they are.
        """
        said = self.facts.model_dump_json(exclude_none=True)
        return f"{self.kind}\n{self.about}\n{self.source_id or ''}\n{said}".encode()


Parsed = SourceRecord | Rejected


class Parse(Protocol):
    """A parser: everything a file says, item by item."""

    def __call__(self, stream: BinaryIO) -> Iterator[Parsed]:
        """Parse an opened binary stream. Raises nothing for bad content: it yields a `Rejected`."""
        ...


_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,39}")


def field_name(name: object) -> str:
    """A field's name as it may be repeated: short and of letters. A value that got into its place is not repeated."""
    return name if isinstance(name, str) and _FIELD.fullmatch(name) else "unnamed"


_BY_TYPE: Final = {
    "string_too_long": Code.TOO_LONG,
    "too_long": Code.TOO_LONG,
    "missing": Code.MISSING_VALUE,
    "string_too_short": Code.MISSING_VALUE,
    "date_from_datetime_parsing": Code.BAD_DATE,
    "date_parsing": Code.BAD_DATE,
    "date_type": Code.BAD_DATE,
    "enum": Code.BAD_CODE,
    "literal_error": Code.BAD_CODE,
    "extra_forbidden": Code.FIELD_NOT_ALLOWED,
    "json_invalid": Code.NOT_JSON,
}
_BY_FIELD: Final = {
    "nhs_number": Code.BAD_NHS_NUMBER,
    "postcode": Code.BAD_POSTCODE,
}


def refusal_of(error: ValidationError, line: int, fields: dict[str, str]) -> Rejected:
    """The refusal that a failed validation comes to; `fields` says what the source calls a field of ours.

    Of the error only its type and its place are read, never its input.
    """
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = [part for part in first["loc"] if isinstance(part, str)]
    code = _BY_TYPE.get(first["type"], Code.BAD_VALUE)
    if code is Code.FIELD_NOT_ALLOWED:
        return Rejected(line, code, field_name(place[-1]))
    ours = next((part for part in reversed(place) if part in fields), place[-1] if place else None)
    code = _BY_FIELD.get(ours or "", code)
    if code is Code.BAD_VALUE and "control character" in first["msg"]:
        code = Code.BAD_CHARACTERS
    return Rejected(line, code, None if ours is None else fields.get(ours, ours))
