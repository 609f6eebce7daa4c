"""The XML that schools send: read pupil by pupil, without document types or entities; what its forms write alike.

The parser is expat, fed in blocks: memory grows with neither the file nor anything in it. A document type, and with it
every entity but the five of XML itself, stops the file before anything is expanded or fetched. An element that is
neither taken nor passed over by name refuses its pupil whole, or outside of pupils the rest of the file.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Final
from xml.parsers import expat

from pydantic import ValidationError

from domain.child_record.events import Address, AllocatedIdentifier, CurrentAddress, Gender, PersonName
from domain.identifiers import postcode, unique_pupil_number
from ingest.source_record import FORMER_UPN, Code, Parsed, Rejected, SourceRecord, field_name, refusal_of
from ingest.sources.delimited import Bad

MAX_DEPTH: Final = 16
"""Elements within one another; the deepest place of any form is 8."""
MAX_TEXT: Final = 1000
"""Characters of one value before it is refused unread."""
MAX_VALUES: Final = 200
"""Values of one pupil."""
MAX_TOKEN: Final = 1 << 20
"""Bytes that may go by without an element, text or comment coming to its end."""
_BLOCK: Final = 1 << 16

SCHEME: Final = "upn"
TEMPORARY: Final = "upn-temporary"
"""Schemes of unique pupil numbers: in force, and for the time being (a letter in last place)."""

_LINES: Final = tuple(f"AddressLine{n}" for n in range(1, 6))
_BS7666: Final = ("SAON", "PAON", "Street", "Locality", "Town", "PostTown")
ADDRESS: Final = frozenset(
    {
        *_LINES, *_BS7666, "PostCode", "UniquePropertyReferenceNumber", "UPRN",
    }
)  # fmt: skip
"""The elements of an address, in either of the two ways of writing one."""

FIELDS: Final = {
    "names": "Surname",
    "family": "Surname",
    "given": "Forename",
    "date_of_birth": "DOB",
    "lines": "Address",
    "whereabouts": "Address",
    "uprn": "UPRN",
    "identifiers": "UPN",
    "name": "SchoolName",
    "education_effective": "EntryDate",
    "education_ceased": "LeavingDate",
}
"""What these sources call a field of ours."""

Values = Mapping[str, list[str]]
"""Text by the name of its element, below the pupil or in the header. One that is empty is left out."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the pupils."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The value of an element, "" where there is none."""
        return next(iter(self.values.get(name, ())), "")


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of file. Names are those of elements; `pupils` are paths from the root."""

    pupils: Mapping[tuple[str, ...], str]
    """Where a pupil stands → what it is."""
    outside: frozenset[str]
    """What may stand outside of pupils."""
    within: frozenset[str]
    """Elements of a pupil that hold others."""
    groups: frozenset[str]
    """Elements of a pupil that come several times: "School" keeps those of one school together."""
    taken: frozenset[str]
    """Elements of a pupil whose text is read."""
    passed_over: frozenset[str]
    """Elements that are part of the form and not read, with all that is below them."""
    fields: dict[str, str]
    record: Callable[[int, str, "Pupil", Header], SourceRecord]
    """A pupil as a source record. Raises Bad."""

    def parse(self, stream: BinaryIO) -> Iterator[Parsed]:
        """Parse a file. What cannot be read ends it with a `Rejected`; the pupils before it stand."""
        reader = _Reader(self)
        fed = 0
        while block := stream.read(_BLOCK):
            fed += len(block)
            end = reader.feed(block, fed)
            yield from reader.take()
            if end is not None:
                yield end
                return
        yield from reader.close(empty=not fed)


@dataclass(slots=True)
class Pupil:
    """The values of one pupil, and of its groups."""

    values: dict[str, list[str]] = field(default_factory=dict)
    groups: list[dict[str, list[str]]] = field(default_factory=list)

    def one(self, name: str) -> str:
        """The value of an element that comes once, "" where there is none. Raises Bad where it comes twice."""
        return one(self.values, name)


def one(values: Values, name: str) -> str:
    """The value of an element that comes once, "" where there is none. Raises Bad where it comes twice."""
    found = values.get(name, [])
    if len(found) > 1:
        raise Bad(Code.BAD_VALUE, name)
    return found[0] if found else ""


class _Stop(Exception):
    """The file cannot be read further."""

    def __init__(self, code: Code, name: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.name = name


class _Reader:
    """Turns what expat tells into pupils."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._expat = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.ExternalEntityRefHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._header = Header()
        self._path: list[str] = []
        self._ready: list[Parsed] = []
        self._skipping = 0
        self._pupil: Pupil | None = None
        self._kind = ""
        self._line = 0
        self._depth = 0
        self._count = 0
        self._bad: Bad | None = None
        self._leaf: str | None = None
        self._said: list[str] = []
        self._length = 0

    def feed(self, block: bytes, fed: int) -> Rejected | None:
        """Read on; a refusal where the file ends here. `fed`: bytes in all."""
        try:
            self._expat.Parse(block, False)  # noqa: FBT003  (its parameter has no name)
            if fed - self._expat.CurrentByteIndex > MAX_TOKEN:
                raise _Stop(Code.TOO_LONG)
        except _Stop as stop:
            return self._refusal(stop.code, stop.name)
        except expat.ExpatError:
            return self._refusal(Code.NOT_XML)
        return None

    def close(self, *, empty: bool) -> Iterator[Parsed]:
        """The end of the file, which may be none."""
        if empty:
            yield Rejected(1, Code.EMPTY_FILE)
            return
        try:
            self._expat.Parse(b"", True)  # noqa: FBT003  (its parameter has no name)
        except (_Stop, expat.ExpatError):
            yield self._refusal(Code.NOT_XML)

    def take(self) -> list[Parsed]:
        """The pupils that were read to their end."""
        ready, self._ready = self._ready, []
        return ready

    def _refusal(self, code: Code, name: str | None = None) -> Rejected:
        return Rejected(max(1, self._expat.CurrentLineNumber), code, name)

    def _doctype(self, *_: object) -> int:
        raise _Stop(Code.DTD_NOT_ALLOWED)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) + self._skipping >= MAX_DEPTH:
            raise _Stop(Code.TOO_DEEP)
        if self._skipping:
            self._skipping += 1
            return
        if name in self._form.passed_over:
            self._leave_leaf()
            self._skipping = 1
            return
        if self._pupil is None:
            self._start_outside(name, attributes)
        else:
            self._start_within(name, attributes)

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        kind = self._form.pupils.get(tuple(self._path))
        if kind is None and name not in self._form.outside:
            raise _Stop(
                Code.NOT_THIS_FORM if len(self._path) == 1 else Code.FIELD_NOT_ALLOWED, field_name(name)
            )
        foreign = [a for a in attributes if not a.startswith(("xmlns", "xsi:"))]
        if foreign:
            raise _Stop(Code.FIELD_NOT_ALLOWED, field_name(foreign[0]))
        if kind is None:
            self._begin_leaf(name)
            return
        self._leaf = None
        self._pupil, self._kind, self._bad = Pupil(), kind, None
        self._line, self._depth, self._count = self._expat.CurrentLineNumber, len(self._path), 0

    def _start_within(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        form = self._form
        known = name in form.within or name in form.taken or name in form.groups
        if attributes or not known:
            self._refuse(Bad(Code.FIELD_NOT_ALLOWED, field_name(next(iter(attributes)) if known else name)))
        if name in form.taken or name in form.groups:
            self._count += 1
            if self._count > MAX_VALUES:
                self._refuse(Bad(Code.TOO_LONG, name))
        if name in form.groups and self._bad is None and self._pupil is not None:
            self._pupil.groups.append({})
        if name in form.taken:
            self._begin_leaf(name)
        else:
            self._leave_leaf()

    def _begin_leaf(self, name: str) -> None:
        self._leave_leaf()
        self._leaf, self._said, self._length = name, [], 0

    def _leave_leaf(self) -> None:
        """A value holds no element: what was read of it is no value."""
        if self._leaf is not None and self._pupil is not None:
            self._refuse(Bad(Code.BAD_VALUE, self._leaf))
        self._leaf = None

    def _text(self, text: str) -> None:
        if self._skipping:
            return
        if self._leaf is None:
            if text.strip() and self._pupil is not None:  # words between elements are in no form
                self._refuse(Bad(Code.FIELD_NOT_ALLOWED, "unnamed"))
            return
        self._length += len(text)
        if self._length > MAX_TEXT:
            self._said.clear()
            self._refuse(Bad(Code.TOO_LONG, self._leaf))
        elif self._bad is None:
            self._said.append(text)

    def _refuse(self, bad: Bad) -> None:
        """Refuse the pupil for what was wrong with it first, and let go of what was read."""
        if self._bad is None:
            self._bad = bad
        if self._pupil is None:
            raise _Stop(bad.code, bad.column)
        self._pupil = Pupil()

    def _end(self, _: str) -> None:
        if self._skipping:
            self._skipping -= 1
            return
        name = self._path[-1]
        if self._leaf == name:
            self._keep(name, "".join(self._said).strip())
        self._leaf = None
        if self._pupil is not None and len(self._path) == self._depth:
            self._ready.append(self._parsed(self._pupil))
            self._pupil = None
        self._path.pop()

    def _keep(self, name: str, text: str) -> None:
        if not text or self._bad is not None:
            return
        if self._pupil is None:
            values = self._header.values
            if len(values) > MAX_VALUES or name in values:
                return
        elif self._path[-2] in self._form.groups:
            values = self._pupil.groups[-1]
        else:
            values = self._pupil.values
        values.setdefault(name, []).append(text)

    def _parsed(self, pupil: Pupil) -> Parsed:
        if self._bad is not None:
            return Rejected(self._line, self._bad.code, self._bad.column)
        try:
            return self._form.record(self._line, self._kind, pupil, self._header)
        except Bad as bad:
            return Rejected(self._line, bad.code, bad.column)
        except ValidationError as error:
            return refusal_of(error, self._line, self._form.fields)


# Values that all these forms write alike. Each raises Bad.

SEX: Final = {"F": Gender.FEMALE, "M": Gender.MALE, "O": Gender.NOT_SPECIFIED, "U": Gender.NOT_SPECIFIED}


def day(text: str, name: str) -> date | None:
    """A day as year-month-day, a time behind it passed over; None where there is none."""
    if not text:
        return None
    with suppress(ValueError):
        if len(text) == 10 or text[10:11] == "T":
            return date.fromisoformat(text[:10])
    raise Bad(Code.BAD_DATE, name)


def born(pupil: Pupil) -> date:
    """The date of birth, which every pupil needs."""
    found = day(pupil.one("DOB"), "DOB")
    if found is None:
        raise Bad(Code.NO_DATE_OF_BIRTH, "DOB")
    return found


def names(pupil: Pupil) -> tuple[PersonName, ...]:
    """The name, the surname it goes by, and a former surname."""
    surname = pupil.one("Surname")
    if not surname:
        raise Bad(Code.NO_NAME, "Surname")
    given = (*pupil.one("Forename").split(), *pupil.one("MiddleNames").split())
    found = [PersonName(given=given, family=surname)]
    preferred, former = pupil.one("PreferredSurname"), pupil.one("FormerSurname")
    if preferred and preferred != surname:
        found.append(PersonName(given=given, family=preferred, kind="alias"))
    if former and former != surname:
        found.append(PersonName(given=given, family=former, kind="former"))
    return tuple(found)


def gender(pupil: Pupil) -> Gender | None:
    """From `Sex`, or `Gender` as the item was called until 2022; one of the two."""
    sex, older = pupil.one("Sex"), pupil.one("Gender")
    if sex and older and sex != older:
        raise Bad(Code.BAD_VALUE, "Sex")
    text = sex or older
    if text and text not in SEX:
        raise Bad(Code.BAD_CODE, "Sex" if sex else "Gender")
    return SEX[text] if text else None


def numbers(pupil: Pupil, school: str | None) -> tuple[AllocatedIdentifier, ...]:
    """The unique pupil numbers: in force or temporary, then former ones; without a school, whoever allocated it."""
    found: dict[str, str] = {}
    for name in ("UPN", "FormerUPN"):
        for text in pupil.values.get(name, ()) if name == "FormerUPN" else (pupil.one("UPN"),):
            if not text:
                continue
            try:
                number = unique_pupil_number(text)
            except ValueError:
                raise Bad(Code.BAD_UPN, name) from None
            scheme = FORMER_UPN if name == "FormerUPN" else TEMPORARY if number[-1].isalpha() else SCHEME
            found.setdefault(number, scheme)
    return tuple(
        AllocatedIdentifier(scheme=scheme, value=number, allocated_by=school or f"DFE{number[1:8]}")
        for number, scheme in found.items()
    )


def whereabouts(pupil: Pupil) -> CurrentAddress | None:
    """The address, from lines or from the parts of BS7666; None where it says nothing."""
    written = [text for name in _LINES if (text := pupil.one(name))]
    if not written:
        written = [text for name in _BS7666 if (text := pupil.one(name))]
    code = pupil.one("PostCode")
    if code:
        try:
            code = postcode(code)
        except ValueError:
            raise Bad(Code.BAD_POSTCODE, "PostCode") from None
    text = pupil.one("UniquePropertyReferenceNumber") or pupil.one("UPRN")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Bad(Code.BAD_VALUE, "UPRN")
    if not (written or code or text):
        return None
    return CurrentAddress(
        address=Address(lines=tuple(written), postcode=code or None, uprn=int(text) if text else None)
    )


def school(values: Values) -> str | None:
    """The code of a school, from its authority's number (`LEA`) and its own (`Estab`): DFE and seven digits."""
    authority, number = one(values, "LEA"), one(values, "Estab")
    for text, length, name in ((authority, 3, "LEA"), (number, 4, "Estab")):
        if text and not (text.isascii() and text.isdigit() and len(text) == length):
            raise Bad(Code.BAD_VALUE, name)
    return f"DFE{authority}{number}" if authority and number else None
