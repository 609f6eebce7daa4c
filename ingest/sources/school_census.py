"""School census: the pupils on roll of a school, and those no longer on roll, as of a reference day.

What is taken, what is passed over and what refuses a pupil stands in `docs/sources/school-census.md`; how such a file
is read, in `ingest.sources.school_xml`. Source: DfE, School census business and technical specification.
"""

from typing import Final

from domain.child_record.events import Institution, SourceKind
from ingest.source_record import Code, Facts, SourceRecord
from ingest.sources import school_xml
from ingest.sources.delimited import Bad
from ingest.sources.school_xml import ADDRESS, Form, Header, Pupil

OUTSIDE: Final = frozenset(
    {
        "Message", "Header", "CollectionDetails", "Collection", "Term", "Year", "ReferenceDate", "Source",
        "SourceLevel", "LEA", "Estab", "URN", "SoftwareCode", "Release", "XVersion", "SerialNo", "DateTime", "Content",
        "CBDSLevels", "CBDSLevel", "SchoolName", "Pupils", "PupilsOnRoll", "PupilsNoLongerOnRoll",
    }
)  # fmt: skip
"""What may stand outside of pupils."""

TAKEN: Final = ADDRESS | {
    "UPN", "FormerUPN", "Surname", "Forename", "MiddleNames", "PreferredSurname", "FormerSurname", "DOB", "Gender",
    "Sex", "EntryDate", "LeavingDate",
}  # fmt: skip
"""Elements of a pupil that are read."""

PASSED_OVER: Final = frozenset(
    {
        # of the school, not of a pupil
        "School", "SchoolCharacteristics", "SchoolLocation", "AdmissionsAppeals", "InfantAdmissionsAppeals",
        "PupilReconciliation", "Classes", "Miscellaneous", "StaffInformation",
        # what may not be held: characteristics, needs, conduct, attendance, attainment, money
        "PupilCharacteristics", "Characteristics", "Ethnicity", "EthnicitySource", "Language", "FSMeligibility",
        "SpecialEducationalNeeds", "SEN", "SENneeds", "TermlyExclusions", "AnnualExclusions", "Exclusions",
        "Suspensions", "TermlyAttendance", "AnnualAttendance", "SummerHalfTerm2Attendance", "Attendance",
        "LearningAims", "LearnerSupport", "AlternativeProvision", "FundedHours", "HoursAtSetting", "ServiceChild",
        "YSSA", "PostLookedAfterArrangements", "TopUpFunding", "TuitionHours",
        # of the pupil's place at the school, which a name of the school and its days do not need
        "EnrolStatus", "PartTime", "Boarder", "NCyearActual", "NCyearLeaving", "TypeOfClass", "ClassType",
        "PreferredForename",  # what the child is called is no name of Schedule 1
        "ULN", "UniqueLearnerNumber",
    }
)  # fmt: skip
"""Elements of the form that are never looked at, with all that is below them."""

FIELDS: Final = {**school_xml.FIELDS, "effective": "ReferenceDate", "address_effective": "ReferenceDate"}
"""What this source calls a field of ours."""


def _record(line: int, kind: str, pupil: Pupil, header: Header) -> SourceRecord:
    effective = school_xml.day(header.one("ReferenceDate"), "ReferenceDate")
    if effective is None:
        raise Bad(Code.MISSING_VALUE, "ReferenceDate")
    born = school_xml.born(pupil)
    school = school_xml.school(header.values)
    entered = school_xml.day(pupil.one("EntryDate"), "EntryDate")
    left = school_xml.day(pupil.one("LeavingDate"), "LeavingDate")
    for name, day in (("EntryDate", entered), ("LeavingDate", left), ("ReferenceDate", effective)):
        if day is not None and day < born:
            raise Bad(Code.DATES_OUT_OF_ORDER, name)
    if left is not None and entered is not None and left < entered:
        raise Bad(Code.DATES_OUT_OF_ORDER, "LeavingDate")
    if kind == "left" and left is None:
        raise Bad(Code.MISSING_VALUE, "LeavingDate")
    numbers = school_xml.numbers(pupil, school)
    where = school_xml.whereabouts(pupil)
    said = left or effective  # of one who left, the school knows nothing later
    facts = Facts(
        effective=said,
        names=school_xml.names(pupil),
        date_of_birth=born,
        gender=school_xml.gender(pupil),
        identifiers=numbers,
        address_effective=None if where is None else said,
        whereabouts=where,
        education=None if school is None else Institution(code=school, name=header.one("SchoolName") or None),
        education_effective=None if school is None else left or entered or effective,
        education_ceased=None if school is None else left,
    )
    own = numbers[0].value if pupil.one("UPN") else None
    return SourceRecord(line, SourceKind.SCHOOL_CENSUS, own, facts, body=school or "DFE")


parse: Final = Form(
    pupils={
        ("Message", "Pupils", "PupilsOnRoll", "PupilOnRoll"): "on-roll",
        ("Message", "Pupils", "PupilsNoLongerOnRoll", "PupilNoLongerOnRoll"): "left",
    },
    outside=OUTSIDE,
    within=frozenset(
        {"PupilIdentifiers", "PupilStatus", "HomeInformation", "Address", "AddressLines", "BS7666Address"}
    ),
    groups=frozenset(),
    taken=TAKEN,
    passed_over=PASSED_OVER,
    fields=FIELDS,
    record=_record,
).parse
"""Parse a school census file."""
