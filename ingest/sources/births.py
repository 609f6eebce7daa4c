"""Birth registrations: one comma-separated line for each entry in the register.

The columns, their forms, and what is refused stand in `docs/sources/births.md`. UTF-8 with or without a byte order
mark; the first line names the columns, in any order. Values may be quoted; a value may not hold a line break, so that a
stray quote spoils one line and not the rest of the file.

An unknown column refuses the whole file, naming the column: what may not be held is not read (Children Act 2004
s.12(4)).
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import BinaryIO, Final

from pydantic import ValidationError

from domain.child_record.events import (
    Address,
    Carer,
    CurrentAddress,
    FullName,
    Gender,
    PersonName,
    SourceKind,
)
from domain.identifiers import nhs_number, postcode
from ingest.source_record import MAX_LINE, Code, Facts, Parsed, Rejected, SourceRecord, field_name, refusal_of

REQUIRED: Final = ("entry_id", "registered_on", "given_names", "surname", "date_of_birth", "sex")
OPTIONAL: Final = (
    "nhs_number",
    "birth_order",
    "mother_given_names",
    "mother_surname",
    "second_parent_given_names",
    "second_parent_surname",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "address_line_4",
    "address_line_5",
    "postcode",
    "authority",
)
COLUMNS: Final = REQUIRED + OPTIONAL

SEX: Final[dict[str, Gender]] = {
    "f": Gender.FEMALE,
    "female": Gender.FEMALE,
    "2": Gender.FEMALE,
    "m": Gender.MALE,
    "male": Gender.MALE,
    "1": Gender.MALE,
    "i": Gender.NOT_SPECIFIED,
    "indeterminate": Gender.NOT_SPECIFIED,
    "9": Gender.NOT_SPECIFIED,
    "x": Gender.NOT_SPECIFIED,
    "unknown": Gender.NOT_SPECIFIED,
}
"""Source code → what is held. Empty says nothing, and clears nothing."""

FIELDS: Final = {
    "names": "surname",
    "family": "surname",
    "given": "given_names",
    "lines": "address_line_1",
    "whereabouts": "address_line_1",
    "address_effective": "registered_on",
    "effective": "registered_on",
    "carers": "mother_surname",
    "owning_authority": "authority",
}
"""What this source calls a field of ours, where it calls it otherwise."""
_BOM: Final = b"\xef\xbb\xbf"


class _Bad(Exception):
    def __init__(self, code: Code, column: str) -> None:
        super().__init__(code)
        self.code = code
        self.column = column


def parse(stream: BinaryIO) -> Iterator[Parsed]:
    """Parse a file of birth registrations. One `Rejected` and no more where the header cannot be accepted."""
    lines = _lines(stream)
    header = next(lines, None)
    if header is None:
        yield Rejected(1, Code.EMPTY_FILE)
        return
    columns = _header(header[1].removeprefix(_BOM) if isinstance(header[1], bytes) else header[1])
    if isinstance(columns, Rejected):
        yield columns
        return
    for number, line in lines:
        yield line if isinstance(line, Rejected) else _record(number, line, columns)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | Rejected]]:
    """Numbered lines that hold something; one that is too long is a refusal, and the next is read as usual."""
    for number, line in enumerate(iter(partial(stream.readline, MAX_LINE + 1), b""), 1):
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, Rejected(number, Code.LINE_TOO_LONG)
        elif line.strip():
            yield number, line


def _values(line: bytes) -> list[str] | Code:
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return Code.NOT_TEXT
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader((text,), strict=True))
    except csv.Error:
        return Code.WRONG_NUMBER_OF_VALUES


def _header(line: bytes | Rejected) -> Sequence[str] | Rejected:
    if isinstance(line, Rejected):
        return line
    values = _values(line)
    if isinstance(values, Code):
        return Rejected(1, values)
    columns = [re.sub(r"[\s-]+", "_", value.strip().lower()) for value in values]
    for column in columns:
        if column not in COLUMNS:
            return Rejected(1, Code.FIELD_NOT_ALLOWED, field_name(column))
        if columns.count(column) > 1:
            return Rejected(1, Code.REPEATED_COLUMN, column)
    missing = next((column for column in REQUIRED if column not in columns), None)
    return columns if missing is None else Rejected(1, Code.MISSING_COLUMN, missing)


def _record(number: int, line: bytes, columns: Sequence[str]) -> Parsed:
    values = _values(line)
    if isinstance(values, Code):
        return Rejected(number, values)
    if len(values) != len(columns):
        return Rejected(number, Code.WRONG_NUMBER_OF_VALUES)
    row = {column: value.strip() for column, value in zip(columns, values, strict=True)}
    try:
        return _parsed(number, row)
    except _Bad as bad:
        return Rejected(number, bad.code, bad.column)
    except ValidationError as error:
        return refusal_of(error, number, FIELDS)


def _parsed(number: int, row: Mapping[str, str]) -> SourceRecord:
    born = _date(row, "date_of_birth", Code.NO_DATE_OF_BIRTH)
    registered = _date(row, "registered_on", Code.MISSING_VALUE)
    if registered < born:
        raise _Bad(Code.DATES_OUT_OF_ORDER, "registered_on")
    if not row["surname"]:
        raise _Bad(Code.NO_NAME, "surname")
    address = _address(row)
    carers = tuple(filter(None, (_parent(row, who) for who in ("mother", "second_parent"))))
    facts = Facts(
        effective=registered,
        confidence="verified",  # an entry in the register is evidence (Births and Deaths Registration Act 1953 s.34)
        names=(_name(row, "given_names", "surname", since=born),),
        date_of_birth=born,
        gender=_sex(row["sex"]),
        nhs_number=_nhs_number(row.get("nhs_number", "")),
        birth_order=_birth_order(row.get("birth_order", "")),
        address_effective=None if address is None else registered,
        whereabouts=None if address is None else CurrentAddress(address=address),
        carers=carers or None,
        authority=_authority(row.get("authority", "")),
    )
    return SourceRecord(number, SourceKind.BIRTHS, _entry(row["entry_id"]), facts)


def _date(row: Mapping[str, str], column: str, where_missing: Code) -> date:
    text = row[column]
    if not text:
        raise _Bad(where_missing, column)
    if len(text) != 10:  # only the written-out form: 03/04/2015 is two dates
        raise _Bad(Code.BAD_DATE, column)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _Bad(Code.BAD_DATE, column) from None


def _name(row: Mapping[str, str], given: str, family: str, since: date | None) -> PersonName:
    parts = row.get(given, "").split()
    if len(parts) > 6:
        raise _Bad(Code.TOO_LONG, given)
    for column, texts in ((given, parts), (family, [row[family]])):
        if any(len(text) > 70 for text in texts):
            raise _Bad(Code.TOO_LONG, column)
        if not all(text.isprintable() for text in texts):
            raise _Bad(Code.BAD_CHARACTERS, column)
    return PersonName(given=tuple(parts), family=row[family], since=since)


def _parent(row: Mapping[str, str], who: str) -> Carer | None:
    """A parent in the entry has parental responsibility (Children Act 1989 ss.2 and 4)."""
    given, family = f"{who}_given_names", f"{who}_surname"
    if not row.get(family):
        if row.get(given):
            raise _Bad(Code.MISSING_VALUE, family)
        return None
    name = _name(row, given, family, since=None)
    return Carer(name=FullName(given=name.given, family=name.family), standing="parental-responsibility")


def _address(row: Mapping[str, str]) -> Address | None:
    lines = []
    for column in (f"address_line_{n}" for n in range(1, 6)):
        text = row.get(column, "")
        if len(text) > 70:
            raise _Bad(Code.TOO_LONG, column)
        if not text.isprintable():
            raise _Bad(Code.BAD_CHARACTERS, column)
        if text:
            lines.append(text)
    code = row.get("postcode", "")
    if code:
        try:
            code = postcode(code)
        except ValueError:
            raise _Bad(Code.BAD_POSTCODE, "postcode") from None
    return Address(lines=tuple(lines), postcode=code or None) if lines or code else None


def _sex(text: str) -> Gender | None:
    if not text:
        return None
    try:
        return SEX[text.lower()]
    except KeyError:
        raise _Bad(Code.BAD_CODE, "sex") from None


def _nhs_number(text: str) -> str | None:
    try:
        return nhs_number(text) if text else None
    except ValueError:
        raise _Bad(Code.BAD_NHS_NUMBER, "nhs_number") from None


def _birth_order(text: str) -> int | None:
    """Place in a multiple birth, from 1; 8 (not a multiple birth) and 9 (not known) say nothing."""
    if not text:
        return None
    if text not in {"1", "2", "3", "4", "5", "6", "7", "8", "9"}:
        raise _Bad(Code.BAD_CODE, "birth_order")
    return None if text in {"8", "9"} else int(text)


def _authority(text: str) -> str | None:
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,29}", text):
        raise _Bad(Code.BAD_CODE, "authority")
    return text or None


def _entry(text: str) -> str:
    if not text:
        raise _Bad(Code.MISSING_VALUE, "entry_id")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,29}", text):
        raise _Bad(Code.BAD_VALUE, "entry_id")
    return text
