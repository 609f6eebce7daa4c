"""Child Benefit: one comma-separated line for each child in a claim.

The columns, their forms, and what is refused stand in `docs/sources/child-benefit.md`; how such a file is read, in
`ingest.sources.delimited`. Who claims is not among them: see there.
"""

from typing import Final

from domain.child_record.events import CurrentAddress, SourceKind
from ingest.source_record import Code, Facts, SourceRecord
from ingest.sources import delimited
from ingest.sources.delimited import Bad, Form, Row

REQUIRED: Final = ("claim_number", "claimed_from", "given_names", "surname", "date_of_birth", "sex")
OPTIONAL: Final = (
    "nhs_number",
    *delimited.ADDRESS,
    "authority",
)

FIELDS: Final = {
    **delimited.FIELDS,
    "address_effective": "claimed_from",
    "effective": "claimed_from",
}
"""What this source calls a field of ours, where it calls it otherwise."""


def _record(number: int, row: Row) -> SourceRecord:
    born = delimited.day(row, "date_of_birth", Code.NO_DATE_OF_BIRTH)
    since = delimited.day(row, "claimed_from", Code.MISSING_VALUE)
    if since < born:
        raise Bad(Code.DATES_OUT_OF_ORDER, "claimed_from")
    delimited.surname(row)
    address = delimited.address(row)
    facts = Facts(
        effective=since,
        names=(delimited.person_name(row, "given_names", "surname", since=None),),
        date_of_birth=born,
        gender=delimited.gender(row["sex"]),
        nhs_number=delimited.valid_nhs_number(row.get("nhs_number", "")),
        address_effective=None if address is None else since,
        whereabouts=None if address is None else CurrentAddress(address=address),
        authority=delimited.authority(row.get("authority", "")),
    )
    return SourceRecord(number, SourceKind.CHILD_BENEFIT, delimited.own_number(row, "claim_number"), facts)


parse: Final = Form(REQUIRED, OPTIONAL, FIELDS, _record).parse
"""Parse a file of Child Benefit claims."""
