"""Invented people and plausible defaults, so that a test states only what matters to it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from adapters.rule_files import packaged, present
from domain.child_record.commands import (
    AssertFacts,
    BeginInvolvement,
    EndInvolvement,
    LiftShield,
    RaiseShield,
    RegisterChild,
    WithdrawSensitiveConsent,
)
from domain.child_record.events import (
    Address,
    Carer,
    Consent,
    Contact,
    CurrentAddress,
    FullName,
    Gender,
    Institution,
    PersonName,
    Source,
    SourceKind,
)
from domain.child_record.model import Involvement
from domain.disclosure import Held, RecordFacts, Viewer
from domain.identifiers import CROCKFORD, index_number
from domain.kernel import Metadata
from domain.policy.rule_book import RuleBook
from domain.rule_set.model import RuleSet

NOW: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TODAY: Final = date(2026, 3, 2)
BORN: Final = date(2015, 6, 9)
CHILD: Final = UUID("0b9f2a4e-5f0d-4a51-9d1c-5a8e3c7f1b20")
INVOLVEMENT: Final = UUID("6d0e3f18-22c4-4e57-8f0b-9a7c1d2e3f40")
SHIELD: Final = UUID("a1b2c3d4-0000-4000-8000-00000000beef")
FILE: Final = UUID("f11e0000-0000-4000-8000-000000000001")
OTHER_FILE: Final = UUID("f11e0000-0000-4000-8000-000000000002")
NUMBER: Final = "J5TWDX0000Y"
LONDON_BOROUGH: Final = "E09000012"
ANOTHER_BOROUGH: Final = "E09000030"


@cache
def the_rules() -> RuleSet:
    """The rules of the present day."""
    return present()


def the_book() -> RuleBook:
    """The rule sets that ship, as a home adopts them."""
    return RuleBook(one.rules for one in packaged().values())


def a_number(seed: int) -> str:
    """A valid index number; the same for the same seed."""
    while True:
        ten = "".join(CROCKFORD[(seed >> (5 * place)) % 32] for place in range(10))
        number = index_number(ten)
        if number:
            return number
        seed += 1


def a_name(given: str = "Amira Jane", family: str = "Khan", **more: Any) -> PersonName:
    """A name written as one would say it."""
    return PersonName(given=tuple(given.split()), family=family, **more)


def an_address(line: str = "12 Alder Road", postcode: str = "E8 1DY") -> CurrentAddress:
    """A current address."""
    return CurrentAddress(address=Address(lines=(line, "London"), postcode=postcode))


def a_carer(given: str = "Nadia", standing: Any = "both") -> Carer:
    """Somebody with responsibility or care."""
    name = FullName(given=tuple(given.split()), family="Khan")
    return Carer(name=name, standing=standing, contact=Contact(telephone="020 7946 0011"))


def registers(**changes: Any) -> RegisterChild:
    """A births feed registers a child."""
    said: dict[str, Any] = {
        "at": NOW,
        "index_number": NUMBER,
        "owning_authority": LONDON_BOROUGH,
        "source_kind": SourceKind.BIRTHS,
        "source": Source(body="ONS", file=FILE, record="B-1"),
        "effective": BORN,
        "names": (a_name(),),
        "date_of_birth": BORN,
        "gender": Gender.FEMALE,
    }
    return RegisterChild.model_validate(said | changes)


def asserts(**changes: Any) -> AssertFacts:
    """The Personal Demographics Service says something."""
    said: dict[str, Any] = {
        "at": NOW,
        "source_kind": SourceKind.PDS,
        "source": Source(body="NHS", file=OTHER_FILE, record="P-1"),
        "effective": TODAY,
    }
    return AssertFacts.model_validate(said | changes)


def corrects(**changes: Any) -> AssertFacts:
    """An officer corrects something."""
    officer = {"source_kind": SourceKind.OFFICER, "source": Source(body=LONDON_BOROUGH)}
    return asserts(**(officer | changes))


def involves(service: str = "School nursing", kind: Any = "universal", **changes: Any) -> BeginInvolvement:
    """A practitioner records a service; a sensitive one with a parent's consent, for the child is ten."""
    said: dict[str, Any] = {
        "at": NOW,
        "involvement": INVOLVEMENT,
        "service": service,
        "kind": kind,
        "organisation": "Homerton Healthcare NHS Foundation Trust",
        "role": "School nurse",
        "contact": Contact(telephone="020 7946 0999"),
        "began": date(2026, 2, 2),
    }
    if kind == "sensitive":
        said["consent"] = Consent(given_by="parent", given_on=date(2026, 2, 1))
    return BeginInvolvement.model_validate(said | changes)


def ends(involvement: UUID = INVOLVEMENT, ended: date = TODAY) -> EndInvolvement:
    """A service is no longer involved."""
    return EndInvolvement(at=NOW, involvement=involvement, ended=ended)


def withdraws_consent(
    involvement: UUID = INVOLVEMENT, withdrawn_on: date = TODAY
) -> WithdrawSensitiveConsent:
    """Consent to a sensitive service is withdrawn."""
    return WithdrawSensitiveConsent(at=NOW, involvement=involvement, withdrawn_on=withdrawn_on)


def shields(ground: str = "child-at-risk", shield: UUID = SHIELD, **changes: Any) -> RaiseShield:
    """An authority raises a shield."""
    return RaiseShield.model_validate({"at": NOW, "shield": shield, "ground": ground} | changes)


def lifts(**changes: Any) -> LiftShield:
    """Two managers lower it."""
    two: dict[str, Any] = {
        "at": NOW,
        "reason": "risk-ended",
        "proposed_by": UUID(int=11),
        "confirmed_by": UUID(int=12),
    }
    return LiftShield.model_validate(two | changes)


def an_involvement(
    service: str = "School nursing", *, sensitive: bool = False, **changes: Any
) -> Involvement:
    """A standing involvement, as state."""
    involvement = Involvement(
        involvement=INVOLVEMENT,
        version=3,
        content_key=2 if sensitive else 1,
        sensitive=sensitive,
        kind="sensitive" if sensitive else "universal",
        service=service,
        organisation="Homerton Healthcare NHS Foundation Trust",
        role="School nurse",
        contact=Contact(telephone="020 7946 0999"),
        lead_professional=False,
        common_assessment=False,
        began=date(2026, 2, 2),
        source_kind=SourceKind.PRACTITIONER,
        source=Source(),
        consent=Consent(given_by="child", given_on=date(2026, 2, 1)) if sensitive else None,
    )
    return replace(involvement, **changes)


def facts(**changes: Any) -> RecordFacts:
    """The best view of an ordinary record, opened."""
    return replace(
        RecordFacts(
            child_id=CHILD,
            version=4,
            index_number=NUMBER,
            name=a_name(),
            other_names=(a_name("Amira", "Osman", kind="former"),),
            date_of_birth=BORN,
            gender=Gender.FEMALE,
            nhs_number="9000000009",
            birth_order=None,
            whereabouts=an_address(),
            earlier_addresses=(),
            carers=(a_carer(),),
            education=Institution(name="Alder Road Primary School", code="100200"),
            practice=Institution(name="The Lawson Practice", code="F84096"),
            identifiers=(),
            involvements=(),
            authority=LONDON_BOROUGH,
            withheld=(),
            shielded=False,
            opened=True,
            supply_gone=False,
            archived_on=None,
            extension_consent_on=None,
            extension_withdrawn_on=None,
            died_on=None,
            death_notified_on=None,
            held={
                field: Held(SourceKind.PDS, BORN, 2)
                for field in (
                    "name",
                    "date_of_birth",
                    "gender",
                    "whereabouts",
                    "carers",
                    "education",
                    "practice",
                )
            },
        ),
        **changes,
    )


def behind_a_shield(**changes: Any) -> RecordFacts:
    """The same record as a reader has it who may not open what the shield hides."""
    hidden = facts(
        other_names=(a_name("Amira", "Osman", kind="former"),),
        whereabouts=None,
        carers=(),
        education=None,
        practice=None,
        authority=None,
        shielded=True,
        opened=False,
        held={field: Held(SourceKind.PDS, BORN, 2) for field in ("name", "date_of_birth", "gender")},
    )
    return replace(hidden, **changes)


def a_viewer(role: str = "practitioner", body: str = "RQX", area: str = LONDON_BOROUGH) -> Viewer:
    """Somebody who looks."""
    return Viewer(UUID(int=1), role, UUID(int=2), body, area, the_rules().roles[role].purposes)


def metadata() -> Metadata:
    """Who does it, in tests where that does not matter."""
    return Metadata(actor=UUID(int=1), correlation=UUID(int=3))
