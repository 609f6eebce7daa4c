"""Birth registrations: one comma-separated line for each entry in the register.

The columns, their forms, and what is refused stand in `docs/sources/births.md`; how such a file is read, in
`ingest.sources.delimited`.
"""

from typing import Final

from domain.child_record.events import Carer, CurrentAddress, SourceKind
from ingest.source_record import Code, Facts, SourceRecord
from ingest.sources import delimited
from ingest.sources.delimited import Bad, Form, Row

REQUIRED: Final = ("entry_id", "registered_on", "given_names", "surname", "date_of_birth", "sex")
OPTIONAL: Final = (
    "nhs_number",
    "birth_order",
    "mother_given_names",
    "mother_surname",
    "second_parent_given_names",
    "second_parent_surname",
    *delimited.ADDRESS,
    "authority",
)
COLUMNS: Final = REQUIRED + OPTIONAL

FIELDS: Final = {
    **delimited.FIELDS,
    "address_effective": "registered_on",
    "effective": "registered_on",
    "carers": "mother_surname",
}
"""What this source calls a field of ours, where it calls it otherwise."""


def _record(number: int, row: Row) -> SourceRecord:
    born = delimited.day(row, "date_of_birth", Code.NO_DATE_OF_BIRTH)
    registered = delimited.day(row, "registered_on", Code.MISSING_VALUE)
    if registered < born:
        raise Bad(Code.DATES_OUT_OF_ORDER, "registered_on")
    delimited.surname(row)
    address = delimited.address(row)
    carers = tuple(filter(None, (_parent(row, who) for who in ("mother", "second_parent"))))
    facts = Facts(
        effective=registered,
        confidence="verified",  # an entry in the register is evidence (Births and Deaths Registration Act 1953 s.34)
        names=(delimited.person_name(row, "given_names", "surname", since=born),),
        date_of_birth=born,
        gender=delimited.gender(row["sex"]),
        nhs_number=delimited.valid_nhs_number(row.get("nhs_number", "")),
        birth_order=_birth_order(row.get("birth_order", "")),
        address_effective=None if address is None else registered,
        whereabouts=None if address is None else CurrentAddress(address=address),
        carers=carers or None,
        authority=delimited.authority(row.get("authority", "")),
    )
    return SourceRecord(number, SourceKind.BIRTHS, delimited.own_number(row, "entry_id"), facts)


def _parent(row: Row, who: str) -> Carer | None:
    """A parent in the entry has parental responsibility (Children Act 1989 ss.2 and 4)."""
    name = delimited.full_name(row, f"{who}_given_names", f"{who}_surname")
    return None if name is None else Carer(name=name, standing="parental-responsibility")


def _birth_order(text: str) -> int | None:
    """Place in a multiple birth, from 1; 8 (not a multiple birth) and 9 (not known) say nothing."""
    if not text:
        return None
    if text not in {"1", "2", "3", "4", "5", "6", "7", "8", "9"}:
        raise Bad(Code.BAD_CODE, "birth_order")
    return None if text in {"8", "9"} else int(text)


parse: Final = Form(REQUIRED, OPTIONAL, FIELDS, _record).parse
"""Parse a file of birth registrations."""
