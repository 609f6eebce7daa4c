"""The NHS Personal Demographics Service: FHIR R4 Patient and RelatedPerson, as the service sends them.

A file holds one resource, one Bundle, or NDJSON (one resource or Bundle on each line). NDJSON is read line by line; a
document that spreads over lines is read whole, up to `MAX_DOCUMENT`. `line` is the line of the file, or in a Bundle the
number of its entry.

What is taken, what is passed over by name, and what refuses the whole item stands in the tables below and in
`docs/sources/pds.md`. An element in none of them refuses the item and is named; its content is kept nowhere. Source:
NHS England, Personal Demographics Service FHIR API.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Final, Literal, TypeAlias

import orjson
from pydantic import ValidationError

from domain.child_record.events import (
    Address,
    AllocatedIdentifier,
    Carer,
    Contact,
    CurrentAddress,
    FullName,
    Gender,
    Institution,
    LastKnownAddress,
    PersonName,
    SourceKind,
)
from domain.identifiers import nhs_number, postcode
from ingest.source_record import (
    SUPERSEDED,
    Code,
    Facts,
    Parsed,
    Rejected,
    SourceRecord,
    Warned,
    field_name,
    refusal_of,
)

MAX_DOCUMENT: Final = 64 * 1024 * 1024
"""Bytes of the longest line, and of the largest document that is not NDJSON."""

Json: TypeAlias = dict[str, Any]

NHS_NUMBER_SYSTEM: Final = "https://fhir.nhs.uk/Id/nhs-number"
ODS_SYSTEM: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
VERIFICATION: Final = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
)

_ELEMENT: Final = frozenset({"id", "extension"})
_PERIOD: Final = frozenset({"start", "end"})
_CODING: Final = frozenset({"system", "version", "code", "display", "userSelected"})

TAKEN: Final[dict[str, frozenset[str]]] = {
    "Patient": frozenset(
        {
            "resourceType", "id", "meta", "identifier", "name", "gender", "birthDate", "multipleBirthInteger",
            "deceasedDateTime", "deceasedBoolean", "address", "generalPractitioner", "active",
        }
    ),
    "RelatedPerson": frozenset(
        {
            "resourceType", "id", "meta", "patient", "relationship", "name", "telecom", "period", "active",
        }
    ),
}  # fmt: skip
"""Elements that are read."""

PASSED_OVER: Final[dict[str, frozenset[str]]] = {
    "Patient": frozenset(
        {
            "telecom",  # children asked that their telephone numbers never be added
            "contact", "communication", "maritalStatus", "managingOrganization", "multipleBirthBoolean", "extension",
            "language", "link",
        }
    ),
    "RelatedPerson": frozenset(
        {
            "identifier", "address", "gender", "birthDate", "communication", "extension", "language",
        }
    ),
}  # fmt: skip
"""Elements of the profile that are known and not taken: never looked at, but for the names of extensions."""

PARTS: Final[dict[str, frozenset[str]]] = {
    "meta": frozenset(
        {"id", "extension", "versionId", "lastUpdated", "security", "profile", "source", "tag"}
    ),
    "identifier": _ELEMENT | {"use", "type", "system", "value", "period", "assigner"},
    "name": _ELEMENT | {"use", "text", "family", "given", "prefix", "suffix", "period"},
    "address": _ELEMENT
    | {"use", "type", "text", "line", "city", "district", "state", "postalCode", "country", "period"},
    "generalPractitioner": _ELEMENT | {"type", "identifier", "reference", "display"},
    "patient": _ELEMENT | {"type", "identifier", "reference", "display"},
    "relationship": _ELEMENT | {"coding", "text"},
    "telecom": _ELEMENT | {"system", "value", "use", "rank", "period"},
    "period": _PERIOD | _ELEMENT,
}
"""What the elements that are read may consist of. FHIR R4 data types; anything else refuses the item."""

EXTENSIONS: Final = frozenset(
    {
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NominatedPharmacy",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-PreferredDispenserOrganization",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-MedicalApplianceSupplier",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSCommunication",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactPreference",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactRank",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-CopyCorrespondenceIndicator",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-AddressKey",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-OtherContactSystem",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ResidentialStatus",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
        "https://fhir.nhs.uk/R4/StructureDefinition/Extension-UKCore-CopyCorrespondenceIndicator",
        "https://fhir.nhs.uk/R4/StructureDefinition/Extension-UKCore-ContactRank",
        "https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration",
        "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
        VERIFICATION,
    }
)
"""Extensions of the profile, passed over by name (but for the verification status and the address keys)."""

GENDERS: Final = {
    "female": Gender.FEMALE,
    "male": Gender.MALE,
    "other": Gender.NOT_SPECIFIED,
    "unknown": Gender.NOT_SPECIFIED,
}

NAME_USES: Final[dict[str, Literal["current", "former", "alias"]]] = {
    "usual": "current",
    "official": "current",
    "old": "former",
    "maiden": "former",
    "nickname": "alias",
    "temp": "alias",
    "anonymous": "alias",
}

Standing: TypeAlias = Literal["parental-responsibility", "care", "both"]

RELATIONSHIPS: Final[dict[str, Standing]] = {
    "Guardian": "parental-responsibility",
    "GUARD": "parental-responsibility",
    "PRN": "parental-responsibility",
    "MTH": "parental-responsibility",
    "FTH": "parental-responsibility",
    "NMTH": "parental-responsibility",
    "NFTH": "parental-responsibility",
    "GESTM": "parental-responsibility",
    "ADOPTP": "parental-responsibility",
    "ADOPTM": "parental-responsibility",
    "ADOPTF": "parental-responsibility",
    "PRNFOST": "care",
    "MTHFOST": "care",
    "FTHFOST": "care",
    "STPPRN": "care",
    "STPMTH": "care",
    "STPFTH": "care",
    "GRPRN": "care",
    "GRMTH": "care",
    "GRFTH": "care",
    "Carer": "care",
    "CarerAndProxy": "care",
}
"""Code of the relationship → standing towards the child (Schedule 1 para 6). Any other relationship is not held."""

OUTCOMES: Final = {"INVALIDATED_RESOURCE": "invalidated", "RESOURCE_NOT_FOUND": "not-found"}
"""Code of the service → name of the issue in the refusal; any other is `other`."""

FIELDS: Final = {
    "names": "name",
    "given": "name",
    "family": "name",
    "effective": "name",
    "date_of_birth": "birthDate",
    "birth_order": "multipleBirthInteger",
    "nhs_number": "identifier",
    "lines": "address",
    "whereabouts": "address",
    "address_effective": "address",
    "practice": "generalPractitioner",
    "practice_effective": "generalPractitioner",
    "died_on": "deceasedDateTime",
    "carers": "name",
    "contact": "telecom",
}
"""What this source calls a field of ours."""


class _Bad(Exception):
    def __init__(self, code: Code, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


def parse(stream: BinaryIO) -> Iterator[Parsed]:
    """Parse a file of PDS messages. RelatedPersons of one child that stand together become one record of its carers."""
    yield from _grouped(chain.from_iterable(_resources(stream)))


Item: TypeAlias = "tuple[int, Json, str | None] | Rejected"
"""A resource with its line and the number its address in the Bundle ends with."""


def _resources(stream: BinaryIO) -> Iterator[Iterable[Item]]:
    first = stream.readline(MAX_DOCUMENT + 1)
    number = 1
    while first and not first.strip():
        first = stream.readline(MAX_DOCUMENT + 1)
        number += 1
    if not first:
        yield [Rejected(1, Code.EMPTY_FILE)]
        return
    second = stream.readline(MAX_DOCUMENT + 1) if len(first) <= MAX_DOCUMENT else b""
    if _is_json(first) or (second.strip() and _is_json(second)):
        yield _opened(number, first)
        if second:
            yield _opened(number + 1, second)
        for offset, line in enumerate(iter(partial(stream.readline, MAX_DOCUMENT + 1), b""), number + 2):
            yield _opened(offset, line)
        return
    room = MAX_DOCUMENT + 1 - len(first) - len(second)
    rest = stream.read(room) if room > 0 else b"."
    if len(first) + len(second) + len(rest) > MAX_DOCUMENT:
        yield [Rejected(1, Code.FILE_TOO_LARGE)]
        return
    document = first + second + rest
    if not _is_json(document) and any(_is_json(line) for line in rest.splitlines()):
        for offset, line in enumerate(document.splitlines(), number):  # NDJSON that begins with broken lines
            yield _opened(offset, line)
        return
    yield _opened(1, document)


def _is_json(text: bytes) -> bool:
    text = text.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _opened(line: int, text: bytes) -> Iterable[Item]:
    if not text.strip():
        return
    if len(text) > MAX_DOCUMENT:
        yield Rejected(line, Code.LINE_TOO_LONG)
        return
    try:
        resource = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        yield Rejected(line, Code.NOT_JSON)
        return
    if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
        yield from _entries(line, resource)
    else:
        yield (
            (line, resource, None)
            if isinstance(resource, dict)
            else Rejected(line, Code.NOT_A_CHILD, "resourceType")
        )


def _entries(line: int, bundle: Json) -> Iterable[Item]:
    allowed = {"resourceType", "id", "meta", "type", "timestamp", "total", "link", "entry", "identifier"}
    unknown = next((key for key in bundle if key not in allowed), None)
    if unknown is not None:
        yield Rejected(line, Code.FIELD_NOT_ALLOWED, field_name(unknown))
        return
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        yield Rejected(line, Code.BAD_VALUE, "entry")
        return
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
            yield Rejected(number, Code.BAD_VALUE, "entry")
            continue
        unknown = next(
            (key for key in entry if key not in {"fullUrl", "search", "resource", "link", "id"}), None
        )
        if unknown is not None:
            yield Rejected(number, Code.FIELD_NOT_ALLOWED, field_name(unknown))
            continue
        address = entry.get("fullUrl")
        tail = re.search(r"/Patient/([0-9]{10})$", address) if isinstance(address, str) else None
        yield number, entry["resource"], tail[1] if tail else None


def _grouped(items: Iterable[Item]) -> Iterator[Parsed]:
    carers: SourceRecord | None = None
    for item in items:
        parsed = item if isinstance(item, Rejected) else _record(*item)
        if isinstance(parsed, SourceRecord) and parsed.about == "carers":
            if carers is not None and carers.source_id == parsed.source_id and _fit(carers, parsed):
                carers = _together(carers, parsed)
                continue
            if carers is not None:
                yield carers
            carers = parsed
            continue
        if carers is not None and isinstance(parsed, SourceRecord):
            yield carers
            carers = None
        yield parsed
    if carers is not None:
        yield carers


def _fit(one: SourceRecord, other: SourceRecord) -> bool:
    return len(one.facts.carers or ()) + len(other.facts.carers or ()) <= 8


def _together(one: SourceRecord, other: SourceRecord) -> SourceRecord:
    facts = one.facts.model_copy(
        update={
            "carers": (*(one.facts.carers or ()), *(other.facts.carers or ())),
            "effective": max(one.facts.effective, other.facts.effective),
            "restricted": one.facts.restricted or other.facts.restricted,
        }
    )
    return replace(one, facts=facts, warnings=(*one.warnings, *other.warnings))


def _record(line: int, resource: Json, in_bundle: str | None) -> Parsed:
    try:
        match resource.get("resourceType"):
            case "Patient":
                return _patient(line, resource, in_bundle)
            case "RelatedPerson":
                return _related_person(line, resource)
            case "OperationOutcome":
                return Rejected(line, Code.NOT_A_CHILD, _issue(resource))
            case _:
                return Rejected(line, Code.NOT_A_CHILD, "resourceType")
    except _Bad as bad:
        return Rejected(line, bad.code, bad.field)
    except ValidationError as error:
        return refusal_of(error, line, FIELDS)


def _issue(outcome: Json) -> str:
    codes = {code for issue in _objects(outcome, "issue") for code in _codes(issue.get("details"))}
    return next((OUTCOMES[code] for code in sorted(codes) if code in OUTCOMES), "other")


def _patient(line: int, resource: Json, in_bundle: str | None) -> SourceRecord:
    _screen(resource, "Patient")
    if resource.get("active") is False:
        raise _Bad(Code.NOT_CURRENT, "active")
    number, verified, former = _numbers(resource, in_bundle)
    if "birthDate" not in resource:
        raise _Bad(Code.NO_DATE_OF_BIRTH, "birthDate")
    born = _date(resource["birthDate"], "birthDate")
    names = _names(resource)
    restricted = _restricted(resource)
    warnings: list[Warned] = []
    whereabouts, address_effective = _whereabouts(resource, warnings)
    practice, practice_effective = _practice(resource, warnings)
    current = names[0]
    facts = Facts(
        effective=max(current.since or born, born),
        confidence="verified" if verified else "stated",
        names=names,
        date_of_birth=born,
        gender=_gender(resource),
        nhs_number=number,
        birth_order=_birth_order(resource),
        whereabouts=whereabouts,
        address_effective=address_effective,
        practice=practice,
        practice_effective=practice_effective,
        identifiers=tuple(
            AllocatedIdentifier(scheme=SUPERSEDED, value=old, allocated_by="NHS") for old in former
        ),
        restricted=restricted,
        withheld=_withheld(resource) if restricted else (),
        died_on=_died_on(resource, warnings),
    )
    return SourceRecord(line, SourceKind.PDS, number, facts, warnings=tuple(warnings))


def _related_person(line: int, resource: Json) -> SourceRecord:
    _screen(resource, "RelatedPerson")
    if resource.get("active") is False:
        raise _Bad(Code.NOT_CURRENT, "active")
    child = _reference_number(_object(resource, "patient"))
    relations = [code for item in _objects(resource, "relationship") for code in _codes(item)]
    if not relations:
        raise _Bad(Code.NO_RELATIONSHIP, "relationship")
    standing = next((RELATIONSHIPS[code] for code in relations if code in RELATIONSHIPS), None)
    if standing is None:
        raise _Bad(Code.RELATIONSHIP_NOT_HELD, "relationship")
    name = _names(resource)[0]
    since, _ = _period(resource.get("period"), "period")
    full_name = FullName(given=name.given, family=name.family)
    carer = Carer(name=full_name, standing=standing, contact=_contact(resource))
    facts = Facts(
        effective=since or name.since or _LONG_AGO,
        nhs_number=child,
        carers=(carer,),
        restricted=_says_restricted(resource),
    )
    return SourceRecord(line, SourceKind.PDS, child, facts, about="carers")


_LONG_AGO: Final = date(1900, 1, 1)
"""Effective day of what the source gives no day for, where anything dated is to come before it."""


# What may stand in an item


def _screen(resource: Json, kind: str) -> None:
    """Refuse an item that holds an element outside the tables (T1), naming the element."""
    for key, value in resource.items():
        if key not in TAKEN[kind] and key not in PASSED_OVER[kind]:
            raise _Bad(Code.FIELD_NOT_ALLOWED, field_name(key))
        if key == "extension":
            _screen_extensions(value)
        elif key in PARTS and (key in TAKEN[kind]):
            for part in value if isinstance(value, list) else [value]:
                _screen_part(key, part)


def _screen_part(name: str, part: object) -> None:
    if not isinstance(part, dict):
        raise _Bad(Code.BAD_VALUE, name)
    for key, value in part.items():
        if key not in PARTS[name]:
            raise _Bad(Code.FIELD_NOT_ALLOWED, field_name(key))
        if key == "extension":
            _screen_extensions(value)
        elif key in {"period", "identifier"}:
            _screen_part(key, value)


def _screen_extensions(value: object) -> None:
    for extension in value if isinstance(value, list) else [value]:
        if not isinstance(extension, dict) or extension.get("url") not in EXTENSIONS:
            raise _Bad(Code.FIELD_NOT_ALLOWED, "extension")


# Reading elements: each refuses what is not of its FHIR type


def _objects(parent: Mapping[str, Any], name: str) -> list[Json]:
    value = parent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _Bad(Code.BAD_VALUE, name)
    return value


def _object(parent: Mapping[str, Any], name: str) -> Json:
    value = parent.get(name, {})
    if not isinstance(value, dict):
        raise _Bad(Code.BAD_VALUE, name)
    return value


def _text(parent: Mapping[str, Any], key: str, name: str) -> str | None:
    value = parent.get(key)
    if value is not None and not isinstance(value, str):
        raise _Bad(Code.BAD_VALUE, name)
    return value.strip() or None if value else None


def _texts(parent: Mapping[str, Any], key: str, name: str) -> list[str]:
    value = parent.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Bad(Code.BAD_VALUE, name)
    return [item.strip() for item in value if item.strip()]


def _codings(concept: object) -> list[Json]:
    return _objects(concept, "coding") if isinstance(concept, dict) else []


def _codes(concept: object) -> list[str]:
    return [code for coding in _codings(concept) if isinstance(code := coding.get("code"), str)]


def _date(value: object, name: str) -> date:
    """A day in full. FHIR also allows a year or a month alone, which says on no day that somebody was born."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value[:10]):
        raise _Bad(Code.BAD_DATE, name)
    if len(value) > 10 and value[10] != "T":
        raise _Bad(Code.BAD_DATE, name)
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise _Bad(Code.BAD_DATE, name) from None


def _period(value: object, name: str) -> tuple[date | None, date | None]:
    if value is None:
        return None, None
    if not isinstance(value, dict):
        raise _Bad(Code.BAD_VALUE, name)
    start, end = value.get("start"), value.get("end")
    return (
        None if start is None else _date(start, name),
        None if end is None else _date(end, name),
    )


# The child


def _restricted(resource: Json) -> bool:
    """Only U, and nothing beside it, is unrestricted; R, V, a code not known and no code at all raise a shield."""
    codes = [security.get("code") for security in _objects(_object(resource, "meta"), "security")]
    return not codes or any(code != "U" for code in codes)


def _says_restricted(resource: Json) -> bool:
    """For a related person, whose messages carry no code as a rule: whether one stands there that is not U."""
    return any(security.get("code") != "U" for security in _objects(_object(resource, "meta"), "security"))


def _withheld(resource: Json) -> tuple[Literal["address", "practice", "contact"], ...]:
    """What a restricted message leaves out: not cleared, withheld."""
    left_out: list[Literal["address", "practice", "contact"]] = []
    if not resource.get("address"):
        left_out.append("address")
    if not resource.get("generalPractitioner"):
        left_out.append("practice")
    if not resource.get("telecom"):
        left_out.append("contact")
    return tuple(left_out)


def _numbers(resource: Json, in_bundle: str | None) -> tuple[str, bool, tuple[str, ...]]:
    """The number in force, whether it is verified, and those it replaced.

    The identifier is the number in force; an id or an address in the Bundle that says another NHS number is the one
    that was asked for, which this one replaced.
    """
    current: str | None = None
    verified = False
    former: list[str] = []
    for identifier in _objects(resource, "identifier"):
        if identifier.get("system") != NHS_NUMBER_SYSTEM:
            continue
        value = _nhs_number(identifier.get("value"))
        _, ended = _period(identifier.get("period"), "identifier")
        if current is None and ended is None and identifier.get("use") != "old":
            current, verified = value, "01" in _verification(identifier)
        else:
            former.append(value)
    if current is None:
        raise _Bad(Code.NO_NHS_NUMBER, "identifier")
    asked_for = [text for text in (resource.get("id"), in_bundle) if isinstance(text, str)]
    former += [
        _nhs_number(text) for text in asked_for if re.fullmatch(r"[0-9]{10}", text) and text != current
    ]
    return current, verified, tuple(sorted({number for number in former if number != current}))[:6]


def _verification(identifier: Json) -> list[str]:
    return [
        code
        for extension in _objects(identifier, "extension")
        if extension.get("url") == VERIFICATION
        for code in _codes(extension.get("valueCodeableConcept"))
    ]


def _nhs_number(value: object) -> str:
    if not isinstance(value, str):
        raise _Bad(Code.BAD_NHS_NUMBER, "identifier")
    try:
        return nhs_number(value)
    except ValueError:
        raise _Bad(Code.BAD_NHS_NUMBER, "identifier") from None


def _reference_number(reference: Json) -> str:
    identifier = _object(reference, "identifier")
    if identifier.get("system") == NHS_NUMBER_SYSTEM:
        return _nhs_number(identifier.get("value"))
    text = reference.get("reference")
    if isinstance(text, str) and (tail := re.search(r"(?:^|/)Patient/([0-9]{10})$", text)):
        return _nhs_number(tail[1])
    raise _Bad(Code.NO_NHS_NUMBER, "patient")


def _names(resource: Json) -> tuple[PersonName, ...]:
    """The current name first, then the latest others, eight at most."""
    found = [_name(item) for item in _objects(resource, "name")]
    if not found:
        raise _Bad(Code.NO_NAME, "name")
    if not any(name.kind == "current" for name in found):
        raise _Bad(Code.NO_NAME, "name")
    ordered = sorted(
        enumerate(found),
        key=lambda item: (
            item[1].kind != "current",
            item[1].until is not None,
            -(item[1].since or _LONG_AGO).toordinal(),
            item[0],
        ),
    )
    return tuple(name for _, name in ordered[:8])


def _name(item: Json) -> PersonName:
    use = item.get("use", "usual")
    if use not in NAME_USES:
        raise _Bad(Code.BAD_CODE, "name")
    family, given = _text(item, "family", "name"), _texts(item, "given", "name")
    if family is None:
        if not given:
            raise _Bad(Code.NO_NAME, "name")
        given, family = given[:-1], given[-1]  # a person of one name
    if len(given) > 6:
        given = [*given[:5], " ".join(given[5:])]
    since, until = _period(item.get("period"), "name")
    return PersonName(given=tuple(given), family=family, kind=NAME_USES[use], since=since, until=until)


def _gender(resource: Json) -> Gender | None:
    """Absent says nothing; "other" and "unknown" say that it is not specified (Schedule 1 para 3)."""
    code = resource.get("gender")
    if code is None:
        return None
    if not isinstance(code, str) or code not in GENDERS:
        raise _Bad(Code.BAD_CODE, "gender")
    return GENDERS[code]


def _birth_order(resource: Json) -> int | None:
    """Place in a multiple birth, 1 to 7; 8 (not applicable) and 9 (not known) say nothing."""
    order = resource.get("multipleBirthInteger")
    if order is None or order in {8, 9}:
        return None
    if not isinstance(order, int) or isinstance(order, bool) or not 1 <= order <= 7:
        raise _Bad(Code.BAD_CODE, "multipleBirthInteger")
    return order


def _died_on(resource: Json, warnings: list[Warned]) -> date | None:
    if resource.get("deceasedDateTime") is not None:
        return _date(resource["deceasedDateTime"], "deceasedDateTime")
    if resource.get("deceasedBoolean") is True:
        warnings.append(Warned(Code.BAD_DATE, "deceasedBoolean"))
    return None


def _whereabouts(
    resource: Json, warnings: list[Warned]
) -> tuple[CurrentAddress | LastKnownAddress | None, date | None]:
    """The home address in force, else the one that ended last, which is then last known; no temporary ones."""
    homes = [item for item in _objects(resource, "address") if item.get("use", "home") in {"home", "old"}]
    if not homes:
        return None, None
    dated = [(item, *_period(item.get("period"), "address")) for item in homes]

    def in_force(entry: tuple[Json, date | None, date | None]) -> tuple[bool, date, date]:
        item, start, end = entry
        ended = end is not None or item.get("use") == "old"
        return not ended, end or _LONG_AGO, start or _LONG_AGO

    item, start, end = max(dated, key=in_force)
    address = _address(item, warnings)
    if address is None:
        return None, None
    if end is not None or item.get("use") == "old":
        return LastKnownAddress(address=address), end or start
    return CurrentAddress(address=address), start


def _address(item: Json, warnings: list[Warned]) -> Address | None:
    lines = _texts(item, "line", "address")
    for element in ("city", "district"):
        if (text := _text(item, element, "address")) is not None and text not in lines:
            lines.append(text)
    if len(lines) > 6:
        lines = [*lines[:5], ", ".join(lines[5:])]
    code = _text(item, "postalCode", "address")
    if code is not None:
        try:
            code = postcode(code)
        except ValueError:
            code = None  # the rest of the address is as good as before
            warnings.append(Warned(Code.BAD_POSTCODE, "postalCode"))
    uprn = _uprn(item)
    return Address(lines=tuple(lines), postcode=code, uprn=uprn) if lines or code or uprn else None


def _uprn(item: Json) -> int | None:
    for extension in _objects(item, "extension"):
        inner = {part.get("url"): part for part in _objects(extension, "extension")}
        kind, value = inner.get("type", {}).get("valueCoding"), inner.get("value", {}).get("valueString")
        if (
            isinstance(kind, dict)
            and kind.get("code") == "UPRN"
            and isinstance(value, str)
            and re.fullmatch("[0-9]{1,12}", value)
        ):
            return int(value) or None
    return None


def _practice(resource: Json, warnings: list[Warned]) -> tuple[Institution | None, date | None]:
    """The practice the child is registered with now. One whose period ended is not asserted."""
    for reference in _objects(resource, "generalPractitioner"):
        identifier = _object(reference, "identifier")
        start, end = _period(identifier.get("period"), "generalPractitioner")
        if identifier.get("system") != ODS_SYSTEM or end is not None:
            continue
        code = _text(identifier, "value", "generalPractitioner")
        if code is None or not re.fullmatch(r"[A-Za-z0-9]{3,10}", code):
            warnings.append(Warned(Code.BAD_CODE, "generalPractitioner"))
            continue
        return Institution(code=code.upper()), start
    return None, None


# Carers


def _contact(resource: Json) -> Contact | None:
    """One telephone number and one address for mail, those without an end first. What is ill-formed is left out."""
    points = _objects(resource, "telecom")
    points = sorted(points, key=lambda point: _period(point.get("period"), "telecom")[1] is not None)
    telephone = _first(points, "phone", r"\+?[0-9][0-9 ()-]{5,23}")
    email = _first(points, "email", r"[^\s@]{1,64}@[^\s@]{1,50}")
    return Contact(telephone=telephone, email=email) if telephone or email else None


def _first(points: Sequence[Json], system: str, form: str) -> str | None:
    for point in points:
        value: object = point.get("value")
        if point.get("system") == system and isinstance(value, str) and re.fullmatch(form, value.strip()):
            return value.strip()
    return None
