"""Comma-separated files: lines read one by one, a header that is checked, values in the forms that sources share.

UTF-8 with or without a byte order mark; the first line names the columns, in any order. Values may be quoted; a value
may not hold a line break, so that a stray quote spoils one line and not the rest of the file. An unknown column refuses
the whole file, naming the column: what may not be held is not read (Children Act 2004 s.12(4)).
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import BinaryIO, Final

from pydantic import ValidationError

from domain.child_record.events import Address, FullName, Gender, PersonName
from domain.identifiers import nhs_number, postcode
from ingest.source_record import MAX_LINE, Code, Parsed, Rejected, SourceRecord, field_name, refusal_of

Row = Mapping[str, str]

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

ADDRESS: Final = (*(f"address_line_{n}" for n in range(1, 6)), "postcode")
"""The columns of an address."""

FIELDS: Final = {
    "names": "surname",
    "family": "surname",
    "given": "given_names",
    "lines": "address_line_1",
    "whereabouts": "address_line_1",
    "owning_authority": "authority",
}
"""What these sources call a field of ours, where they call it otherwise and alike."""

_WHOLE_OR_WRONG: Final = frozenset(
    {"postcode", "authority", "nhs_number", "sex", "date_of_birth", "registered_on", "claimed_from"}
)
"""Columns whose values are not right when their end is missing, and whose absence clears nothing."""

BOM: Final = b"\xef\xbb\xbf"
"""What some systems begin a file with."""


class Bad(Exception):
    """What is wrong with a line, and in which column."""

    def __init__(self, code: Code, column: str) -> None:
        super().__init__(code)
        self.code = code
        self.column = column


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of file. fields: what it calls a field of ours, where it calls it otherwise."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    fields: dict[str, str]
    record: Callable[[int, Row], SourceRecord]
    """A line as a source record. Raises Bad."""

    def parse(self, stream: BinaryIO) -> Iterator[Parsed]:
        """Parse a file. One `Rejected` and no more where the header cannot be accepted."""
        lines = lines_of(stream)
        header = next(lines, None)
        if header is None:
            yield Rejected(1, Code.EMPTY_FILE)
            return
        columns = self._header(header[1].removeprefix(BOM) if isinstance(header[1], bytes) else header[1])
        if isinstance(columns, Rejected):
            yield columns
            return
        for number, line in lines:
            yield line if isinstance(line, Rejected) else self._record(number, line, columns)

    def _header(self, line: bytes | Rejected) -> Sequence[str] | Rejected:
        if isinstance(line, Rejected):
            return line
        values = _values(line)
        if isinstance(values, Code):
            return Rejected(1, values)
        columns = [re.sub(r"[\s-]+", "_", value.strip().lower()) for value in values]
        for column in columns:
            if column not in self.required and column not in self.optional:
                return Rejected(1, Code.FIELD_NOT_ALLOWED, field_name(column))
            if columns.count(column) > 1:
                return Rejected(1, Code.REPEATED_COLUMN, column)
        missing = next((column for column in self.required if column not in columns), None)
        return columns if missing is None else Rejected(1, Code.MISSING_COLUMN, missing)

    def _record(self, number: int, line: bytes, columns: Sequence[str]) -> Parsed:
        values = _values(line)
        if isinstance(values, Code):
            return Rejected(number, values)
        if len(values) != len(columns):
            return Rejected(number, Code.WRONG_NUMBER_OF_VALUES)
        if not line.endswith(b"\n") and not _is_whole(columns[-1], values[-1].strip()):
            return Rejected(number, Code.CUT_OFF, columns[-1])
        row = {column: value.strip() for column, value in zip(columns, values, strict=True)}
        try:
            return self.record(number, row)
        except Bad as bad:
            return Rejected(number, bad.code, bad.column)
        except ValidationError as error:
            return refusal_of(error, number, self.fields)


def lines_of(stream: BinaryIO) -> Iterator[tuple[int, bytes | Rejected]]:
    """Numbered lines that hold something; one that is too long is a refusal, and the next is read as usual."""
    for number, line in enumerate(iter(partial(stream.readline, MAX_LINE + 1), b""), 1):
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, Rejected(number, Code.LINE_TOO_LONG)
        elif line.strip():
            yield number, line


def _is_whole(column: str, value: str) -> bool:
    """Whether a last line that does not end tells by its last value that the file did not break off in it.

    Half a name would be a name, and an address whose postcode is missing another address.
    """
    return column in _WHOLE_OR_WRONG and (bool(value) or column != "postcode")


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


# Values in the forms that sources share. Each raises Bad.


def day(row: Row, column: str, where_missing: Code) -> date:
    """A day written as year-month-day: 03/04/2015 is two dates."""
    text = row[column]
    if not text:
        raise Bad(where_missing, column)
    if len(text) != 10:
        raise Bad(Code.BAD_DATE, column)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Bad(Code.BAD_DATE, column) from None


def person_name(row: Row, given: str, family: str, since: date | None) -> PersonName:
    """The name in two columns, held from a day."""
    parts = row.get(given, "").split()
    if len(parts) > 6:
        raise Bad(Code.TOO_LONG, given)
    for column, texts in ((given, parts), (family, [row[family]])):
        if any(len(text) > 70 for text in texts):
            raise Bad(Code.TOO_LONG, column)
        if not all(text.isprintable() for text in texts):
            raise Bad(Code.BAD_CHARACTERS, column)
    return PersonName(given=tuple(parts), family=row[family], since=since)


def full_name(row: Row, given: str, family: str) -> FullName | None:
    """The name of somebody who need not be named: given names alone are no name."""
    if not row.get(family):
        if row.get(given):
            raise Bad(Code.MISSING_VALUE, family)
        return None
    name = person_name(row, given, family, since=None)
    return FullName(given=name.given, family=name.family)


def address(row: Row) -> Address | None:
    """The address in the columns `ADDRESS`; None where all are empty."""
    lines = []
    for column in ADDRESS[:-1]:
        text = row.get(column, "")
        if len(text) > 70:
            raise Bad(Code.TOO_LONG, column)
        if not text.isprintable():
            raise Bad(Code.BAD_CHARACTERS, column)
        if text:
            lines.append(text)
    code = row.get("postcode", "")
    if code:
        try:
            code = postcode(code)
        except ValueError:
            raise Bad(Code.BAD_POSTCODE, "postcode") from None
    return Address(lines=tuple(lines), postcode=code or None) if lines or code else None


def gender(text: str) -> Gender | None:
    """A gender by its code in the column `sex`."""
    if not text:
        return None
    try:
        return SEX[text.lower()]
    except KeyError:
        raise Bad(Code.BAD_CODE, "sex") from None


def valid_nhs_number(text: str) -> str | None:
    """An NHS number in the column `nhs_number`."""
    try:
        return nhs_number(text) if text else None
    except ValueError:
        raise Bad(Code.BAD_NHS_NUMBER, "nhs_number") from None


def authority(text: str) -> str | None:
    """A local authority's code in the column `authority`: a letter and eight digits (GSS coding, ONS).

    The whole form is asked for, so that one cut off with the end of a file that broke off is no authority.
    """
    if text and not re.fullmatch(r"[A-Z]\d{8}", text, re.ASCII):
        raise Bad(Code.BAD_CODE, "authority")
    return text or None


def own_number(row: Row, column: str) -> str:
    """The source's own number of the entry."""
    text = row[column]
    if not text:
        raise Bad(Code.MISSING_VALUE, column)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,29}", text):
        raise Bad(Code.BAD_VALUE, column)
    return text


def surname(row: Row) -> None:
    """See that there is one: a record needs a name."""
    if not row["surname"]:
        raise Bad(Code.NO_NAME, "surname")
