"""Common Transfer File: the pupils whom one school passes to another.

What is taken, what is passed over and what refuses a pupil stands in `docs/sources/ctf.md`; how such a file is read,
in `ingest.sources.school_xml`. Source: DfE, Common transfer file specification.
"""

from datetime import date
from typing import Final, NamedTuple

from domain.child_record.events import Institution, SourceKind
from ingest.source_record import Code, Facts, SourceRecord
from ingest.sources import school_xml
from ingest.sources.delimited import Bad
from ingest.sources.school_xml import ADDRESS, Form, Header, Pupil, Values

OUTSIDE: Final = frozenset(
    {
        "CTfile", "Header", "DocumentName", "CTFversion", "CTFVersion", "DateTime", "DocumentQualifier",
        "DataQualifier", "DataDescriptor", "SupplierID", "SourceSchool", "DestSchool", "LEA", "Estab", "URN",
        "SchoolName", "AcademicYear", "CTFpupilData",
    }
)  # fmt: skip
"""What may stand outside of pupils."""

TAKEN: Final = ADDRESS | {
    "UPN", "FormerUPN", "Surname", "Forename", "MiddleNames", "PreferredSurname", "FormerSurname", "DOB", "Gender",
    "Sex", "LEA", "Estab", "SchoolName", "EntryDate", "LeavingDate",
}  # fmt: skip
"""Elements of a pupil that are read."""

PASSED_OVER: Final = frozenset(
    {
        "SuppInfo", "CTFschoolData",  # of the file and the school
        # what may not be held: needs, care, characteristics, attainment, attendance, conduct, notes
        "NCyearActual", "Ethnicity", "EthnicitySource", "FirstLanguage", "Language", "Languages", "MedicalFlag",
        "EnrolStatus", "FSMhistory", "FSMHistory", "LookedAfter", "InCare", "CareAuthority", "ServiceChild",
        "ServiceChildren", "SENhistory", "SENHistory", "SEN", "SpecialEducationalNeeds", "Exclusions", "Attendance",
        "AttendanceSummary", "StageAssessments", "Assessments", "NAWdetails", "Disabilities", "LearnerSupport",
        "PupilPremium", "PostLookedAfterArrangements", "YSSA", "TopUpFunding", "Nationality", "CountryOfBirth",
        "Asylum", "Notes", "OtherInformation", "Photo",
        # the child's own telephone and address for mail; who else may be reached says nothing of responsibility
        "Phones", "Phone", "Telephone", "Email", "Contacts",
        "LeavingReason", "LastSchool", "EnglishAdditionalLanguage",
        "PreferredForename",  # what the child is called is no name of Schedule 1
        "ULN", "UniqueLearnerNumber", "ApplicationReference", "CAFapplicationReference",
    }
)  # fmt: skip
"""Elements of the form that are never looked at, with all that is below them."""

FIELDS: Final = {**school_xml.FIELDS, "effective": "DateTime", "address_effective": "DateTime"}
"""What this source calls a field of ours."""


def _record(line: int, _: str, pupil: Pupil, header: Header) -> SourceRecord:
    sent = school_xml.day(header.one("DateTime"), "DateTime")
    if sent is None:
        raise Bad(Code.MISSING_VALUE, "DateTime")
    born = school_xml.born(pupil)
    if sent < born:
        raise Bad(Code.DATES_OUT_OF_ORDER, "DateTime")
    source = school_xml.school(header.values)
    numbers = school_xml.numbers(pupil, source)
    where = school_xml.whereabouts(pupil)
    last = max(map(_attended, pupil.groups), key=lambda one: one.effective, default=None)
    facts = Facts(
        effective=sent,
        names=school_xml.names(pupil),
        date_of_birth=born,
        gender=school_xml.gender(pupil),
        identifiers=numbers,
        address_effective=None if where is None else sent,
        whereabouts=where,
        education=None if last is None else last.school,
        education_effective=None if last is None else last.effective,
        education_ceased=None if last is None else last.left,
    )
    own = numbers[0].value if pupil.one("UPN") else None
    return SourceRecord(line, SourceKind.CTF, own, facts, body=source or "DFE")


class _Attended(NamedTuple):
    school: Institution
    effective: date
    left: date | None


def _attended(values: Values) -> _Attended:
    """A school of the pupil's history; where the pupil left it, as of that day. Raises Bad."""
    code = school_xml.school(values)
    if code is None:
        raise Bad(Code.MISSING_VALUE, "Estab")
    entered = school_xml.day(school_xml.one(values, "EntryDate"), "EntryDate")
    left = school_xml.day(school_xml.one(values, "LeavingDate"), "LeavingDate")
    if left is not None and entered is not None and left < entered:
        raise Bad(Code.DATES_OUT_OF_ORDER, "LeavingDate")
    effective = left or entered
    if effective is None:
        raise Bad(Code.MISSING_VALUE, "EntryDate")
    return _Attended(
        Institution(code=code, name=school_xml.one(values, "SchoolName") or None), effective, left
    )


parse: Final = Form(
    pupils={("CTfile", "CTFpupilData", "Pupil"): "pupil"},
    outside=OUTSIDE,
    within=frozenset(
        {"BasicDetails", "AddressPhoneEmail", "Address", "AddressLines", "BS7666Address", "SchoolHistory"}
    ),
    groups=frozenset({"School"}),
    taken=TAKEN,
    passed_over=PASSED_OVER,
    fields=FIELDS,
    record=_record,
).parse
"""Parse a Common Transfer File."""
