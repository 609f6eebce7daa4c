"""How each source writes a child down: one function for each, giving the source's own number and the text.

The forms are those of `docs/sources/`. Nothing in the vocabulary needs escaping, which a test holds it to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.population.numbers import temporary_pupil_number
from ingest.population.people import EDITION, Child, at_birth, block_of
from ingest.population.shares import SOURCES
from ingest.population.slips import Draws
from ingest.population.told import told
from ingest.population.vocabulary import AREAS

BIRTHS_HEADER: Final = (
    "entry_id,registered_on,given_names,surname,date_of_birth,sex,nhs_number,birth_order,mother_given_names,"
    "mother_surname,second_parent_given_names,second_parent_surname,address_line_1,address_line_2,postcode,authority\n"
)


@dataclass(slots=True)
class Record:
    """What a source says of one child, and the truth about it."""

    source: str
    source_id: str
    person: str
    """Whom it is about; one who was adopted is another person to every source from then on."""
    slip: str
    """What the source got wrong (a name in `SLIPS`), or ""."""
    text: str
    child: Child
    """The child as the source would describe it without a slip."""


def births(child: Child) -> tuple[str, str]:
    """An entry in the register of births: its number and its line."""
    entry = f"{AREAS[child.area][1]}/{child.born_on.year}/{child.number:08d}"
    home = child.home
    registered = max(child.born, child.registered_on)
    given = f"{child.given} {child.middle}" if child.middle else child.given
    second = child.second_parent or ("", "")
    return entry, (
        f"{entry},{registered},{given},{child.surname},{child.born},{_sex(child)},"
        f"{child.nhs_number if child.number_known else ''},{child.birth_order or ''},"
        f"{child.mother[0]},{child.mother[1]},{second[0]},{second[1]},{home.street},{home.town},{home.postcode},{AREAS[child.area][0]}\n"
    )


def _sex(child: Child) -> str:
    return ("F" if child.female else "M") if child.sex_known else ""


_PATIENT: Final = '{"resourceType":"Patient","id":"'
_IDENTIFIER: Final = '","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"'
_VERIFIED: Final = (
    '","extension":[{"url":"https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",'
    '"valueCodeableConcept":{"coding":[{"system":"https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",'
    '"version":"1.0.0","code":"01","display":"Number present and verified"}]}}]}],'
    '"meta":{"versionId":"1","security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"'
)
_PRACTICE: Final = (
    '],"generalPractitioner":[{"id":"G1","type":"Organization","identifier":'
    '{"system":"https://fhir.nhs.uk/Id/ods-organization-code","value":"'
)
_SUPERSEDED: Final = (
    '{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{"fullUrl":'
    '"https://api.service.nhs.uk/personal-demographics/FHIR/R4/Patient/'
)


def pds(child: Child) -> tuple[str, str]:
    """A message of the Personal Demographics Service: the NHS number and its line."""
    number = child.nhs_number
    given = f'{child.given}","{child.middle}' if child.middle else child.given
    former = ""
    if child.former_surname:
        former = f',{{"id":"N2","use":"old","given":["{given}"],"family":"{child.former_surname}"}}'
    sex = f'"gender":"{"female" if child.female else "male"}",' if child.sex_known else ""
    order = f',"multipleBirthInteger":{child.birth_order}' if child.birth_order else ""
    line = (
        f"{_PATIENT}{number}{_IDENTIFIER}{number}{_VERIFIED}{'R' if child.restricted else 'U'}"
        f'"}}]}},"name":[{{"id":"N1","use":"usual","given":["{given}"],"family":"{child.surname}"}}{former}],'
        f'{sex}"birthDate":"{child.born}"{order}{"" if child.restricted else _registered_at(child)}}}'
    )
    if child.replaced_number:
        line = f'{_SUPERSEDED}{child.replaced_number}","search":{{"score":1}},"resource":{line}}}]}}'
    return number, line + "\n"


def _registered_at(child: Child) -> str:
    """Home and practice, from the move or the birth on; ended where the child left."""
    home = child.home
    since = max(child.born, home.since)
    period = f'"period":{{"start":"{since}"' + (f',"end":"{child.left_on}"}}' if child.left_on else "}")
    lines = f'"line":["{home.street}"],"city":"{home.town}",' if home.street else ""
    postcode = f'"postalCode":"{home.postcode}",' if home.postcode else ""
    practice = f"{AREAS[child.area][4]}{child.number // 500 % 1_000:03d}"
    return (
        f',"address":[{{"id":"A1","use":"home",{lines}{postcode}{period}}}'
        f'{_PRACTICE}{practice}",{period}}}}}]'
    )


def child_benefit(child: Child) -> tuple[str, str]:
    """A child of a claim for Child Benefit: the claim's number with the child's place in it, and the line."""
    number = f"CHB{child.number:08d}{_CLAIMS[child.number % 23]}"
    home = child.home
    given = f"{child.given} {child.middle}" if child.middle else child.given
    return number, (
        f"{number},{_since(child)},{given},{child.surname},{child.born},{_sex(child)},"
        f"{home.street},{home.town},{home.postcode}\n"
    )


_CLAIMS: Final = tuple(f"A{letter}" for letter in "ABCDEFGHJKLMNPQRTUVWXYZ")


def _since(child: Child) -> str:
    """The day from which the home holds: the move, or the birth."""
    return max(child.born, child.home.since)


def school_census(child: Child) -> tuple[str, str]:
    """A pupil on roll, or no longer: the unique pupil number and the element.

    Who left stands in a section of its own, so that the file is written as the children come.
    """
    upn = child.pupil_number
    middle, address = _middle_and_address(child)
    left = _left_school_on(child)
    which = "PupilNoLongerOnRoll" if left else "PupilOnRoll"
    leaving = f"<LeavingDate>{left}</LeavingDate>" if left else ""
    text = (
        f"<{which}><PupilIdentifiers>{_pupil_numbers(child)}<Surname>{child.surname}</Surname>"
        f"<Forename>{child.given}</Forename>{middle}<DOB>{child.born}</DOB>{_sex_element(child)}</PupilIdentifiers>"
        f"<PupilCharacteristics><Ethnicity>NOBT</Ethnicity></PupilCharacteristics>"
        f"<PupilStatus><EnrolStatus>C</EnrolStatus><EntryDate>{_entered_school_on(child)}</EntryDate>{leaving}"
        f"</PupilStatus><HomeInformation><Address>{address}</Address></HomeInformation></{which}>\n"
    )
    if left:
        text = f"</PupilsOnRoll><PupilsNoLongerOnRoll>{text}</PupilsNoLongerOnRoll><PupilsOnRoll>\n"
    return upn, text


def ctf(child: Child) -> tuple[str, str]:
    """A pupil transferred: the unique pupil number and the element."""
    upn = child.pupil_number
    middle, address = _middle_and_address(child)
    return upn, (
        f"<Pupil>{_pupil_numbers(child)}<Surname>{child.surname}</Surname><Forename>{child.given}</Forename>"
        f"<DOB>{child.born}</DOB>{_sex_element(child)}<BasicDetails>{middle}"
        f"<NCyearActual>{child.born_on.school_year or 'R'}</NCyearActual></BasicDetails>"
        f"<AddressPhoneEmail>{address}</AddressPhoneEmail><SchoolHistory><School><LEA>{AREAS[child.area][1]}</LEA>"
        f"<Estab>{child.school}</Estab><EntryDate>{_entered_school_on(child)}</EntryDate></School></SchoolHistory></Pupil>\n"
    )


def _pupil_numbers(child: Child) -> str:
    """The number, and for one pupil in thirty the temporary one that it replaced."""
    upn = child.pupil_number
    former = f"<FormerUPN>{temporary_pupil_number(upn)}</FormerUPN>" if child.number % 30 == 11 else ""
    return f"<UPN>{upn}</UPN>{former}"


def _sex_element(child: Child) -> str:
    """Half the schools' systems still call the item by its former name."""
    name = "Gender" if (child.school + child.area) % 2 else "Sex"
    return f"<{name}>{_sex(child)}</{name}>"


def _entered_school_on(child: Child) -> str:
    """The September in which the pupil began at this school."""
    return f"{child.born_on.begins_school + (7 if child.school >= 4_000 else 0)}-09-01"


def _left_school_on(child: Child) -> str:
    """For one pupil in twenty-five the last day of the term before the census."""
    return "2025-12-19" if child.number % 25 == 7 else ""


def _middle_and_address(child: Child) -> tuple[str, str]:
    """The elements that both files of schools write alike, where there is something to write."""
    home = child.home
    middle = f"<MiddleNames>{child.middle}</MiddleNames>" if child.middle else ""
    street = f"<Street>{home.street}</Street><Town>{home.town}</Town>" if home.street else ""
    postcode = f"<PostCode>{home.postcode}</PostCode>" if home.postcode else ""
    return middle, street + postcode


def case_management(child: Child) -> tuple[str, str]:
    """A child known to children's services: the authority's code with the case system's number, and the message."""
    body, code = AREAS[child.area][:2]
    number = f"{code}-{child.number:08d}"
    home = child.home
    since = _since(child)
    given = f'{child.given}","{child.middle}' if child.middle else child.given
    nhs = f'"nhs_number":"{child.nhs_number}",' if child.number_known else ""
    sex = f'"sex":"{_sex(child)}",' if child.sex_known else ""
    lines = f'"lines":["{home.street}","{home.town}"],' if home.street else ""
    postcode = f'"postcode":"{home.postcode}",' if home.postcode else ""
    service, ground = _SERVICES[child.number % len(_SERVICES)]
    ended = f',"ended":"{since}"' if child.number % 4 == 0 else ""
    return f"{body}/{number}", (
        f'{{"body":"{body}","id":"{number}","as_of":"{since}","given":["{given}"],"family":"{child.surname}",'
        f'"date_of_birth":"{child.born}",{sex}{nhs}"address":{{{lines}{postcode}"since":"{since}"}},'
        f'"involvements":[{{"id":"{number}-1",{service},"began":"{since}"{ended}'
        f"{ground and ground.format(since)}}}]}}\n"
    )


_CONSENT: Final = (
    ',"consent":{{"given_by":"parent","given_on":"{0}","judgement":{{"competent":false,"judged_on":"{0}"}}}}'
)
_SERVICES: Final = (
    ('"service":"Children\'s social care","kind":"additional","organisation":"Children and families"', ""),
    ('"service":"Family support","kind":"additional","contact":{"telephone":"01632 960100"}', ""),
    ('"service":"Health visiting","kind":"universal","role":"Health visitor"', ""),
    ('"service":"CAMHS tier 3","kind":"sensitive","role":"Clinician"', _CONSENT),
    ('"service":"Speech and language therapy","kind":"additional","lead_professional":true', ""),
)
"""Services as a case system writes them, with the ground of those that need one."""


Write = Callable[[Child], tuple[str, str]]

_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

BEGIN: Final[dict[str, str]] = {
    "births": BIRTHS_HEADER,
    "child-benefit": (
        "claim_number,claimed_from,given_names,surname,date_of_birth,sex,"
        "address_line_1,address_line_2,postcode\n"
    ),
    "school-census": (
        f"{_XML}<Message><Header><CollectionDetails><Collection>School Census</Collection><Term>Spring</Term>"
        "<Year>2026</Year><ReferenceDate>2026-01-15</ReferenceDate></CollectionDetails><Source><SourceLevel>L</SourceLevel>"
        "<LEA>383</LEA></Source></Header><Pupils><PupilsOnRoll>\n"
    ),
    "ctf": (
        f"{_XML}<CTfile><Header><DocumentName>Common Transfer File</DocumentName><CTFversion>25.0</CTFversion>"
        "<DateTime>2026-01-30T10:00:00</DateTime><DocumentQualifier>full</DocumentQualifier>"
        "<SourceSchool><LEA>383</LEA><Estab>2000</Estab></SourceSchool>"
        "<DestSchool><LEA>383</LEA><Estab>4000</Estab></DestSchool></Header><CTFpupilData>\n"
    ),
}
"""What a file begins with, where it does not begin with a record."""

END: Final[dict[str, str]] = {
    "school-census": "</PupilsOnRoll></Pupils></Message>\n",
    "ctf": "</CTFpupilData></CTfile>\n",
}
"""What a file ends with, where it does not end with a record."""

WRITERS: Final[dict[str, Write]] = {
    "births": births,
    "child-benefit": child_benefit,
    "pds": pds,
    "school-census": school_census,
    "ctf": ctf,
    "case-management": case_management,
}
"""How each source writes a child down."""


def records_of(seed: int, block: int, draws: Draws, upto: int | None = None) -> list[Record]:
    """Every record of the children of a block, or of those numbered below `upto`, by child and then by source."""
    draw = draws(f"contactpoint slips {EDITION} {seed} {block}")
    found = []
    for child in block_of(seed, block, draws):
        if upto is not None and child.number >= upto:
            break
        for source in SOURCES:
            if source not in child.sources:
                continue
            described = at_birth(child) if source == "births" else child
            believed, slip = told(source, described, draw)
            source_id, text = WRITERS[source](believed)
            found.append(Record(source, source_id, described.person, slip, text, described))
    return found
