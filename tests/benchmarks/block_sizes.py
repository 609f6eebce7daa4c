"""How long the parts of stored events are, and which block that asks for.

`python -m tests.benchmarks.block_sizes` prints the figures that `docs/stored-forms.md` was written from. The record log
is measured on what the sources' samples become (the NHS sandbox's own messages too, where they lie beside the
checkout), on a generated births file and on every other event at the size that people give it; the access log on full
pages.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

from adapters.keys.cipher import BLOCKS, COMMITMENT, NONCE_BYTES, TAG_BYTES
from adapters.keys.parts import Parts, metadata_text, with_fields
from domain.access import events as access
from domain.account import events as account
from domain.child_record import events as child
from domain.child_record.events import Contact, Source, SourceKind
from domain.destruction.events import DestructionBegun, DestructionCompleted
from domain.identifiers import CROCKFORD, index_number
from domain.investigation import events as investigation
from domain.kernel import Event, EventTypes, Log, Metadata
from domain.organisation import events as organisation
from domain.personal_data import Part
from domain.proposal import events as proposal
from domain.public_keys import EcPublicKey
from domain.rule_set.events import RuleSetAdopted
from domain.supply.events import FileReceived, FileWithdrawn, HeldRecordDecided, SourceRecordReleased
from tests.builders import NOW, TODAY
from tests.loading import COLUMNS, Index

SAMPLES: Final = Path(__file__).parents[1] / "samples" / "sources"
SANDBOX: Final = Path(__file__).parents[3].parent / "shared" / "sources" / "nhs-pds"
PAGE: Final = 20
"""Hits on a full page of search results."""

SEVERAL_FACTS: Final = frozenset({"source-record-held"})
"""Holds a whole message; its stream is told apart by its keys anyway (docs/stored-forms.md)."""

_SEALED: Final = NONCE_BYTES + len(COMMITMENT) + TAG_BYTES
_SOURCE: Final = Source(body="E08000035", file=UUID(int=2**127 + 5), record="LDS/2016/0041")
_NHS: Final = Source(body="X26", file=UUID(int=2**127 + 6), record="9434765919")

# What people write, in about the proportions in which they write it: one long value in twenty.
_STREETS: Final = ("Beck Rise", "Chapel Walk", "Sandal Rise", "High Street", "St Bartholomew’s Church Lane")
_TOWNS: Final = ("Leeds", "Otley", "Stoke-on-Trent", "Wakefield", "Newcastle upon Tyne")
_GIVEN: Final = (
    *(
        "Amelia Rose",
        "Muhammad Yusuf",
        "Siân",
        "Jo",
        "Zoë Ann",
        "Oluwaseun",
        "George",
        "Harriet June",
        "Jude",
        "Noor",
    )
    * 2,
    "Alexander James Frederick",
)
_FAMILY: Final = (
    *(
        "Thornton",
        "Ní Bhriain",
        "Abara",
        "Lee",
        "Papadopoulos",
        "O’Neill",
        "Khan",
        "Castle",
        "Smith-Jones",
        "Begum",
    )
    * 2,
    "Fetherstonhaugh-Cholmondeley",
)
_SERVICES: Final = (
    "School nursing",
    "Health visiting",
    "Speech and language therapy",
    "Educational psychology service",
    "Child and adolescent mental health service",
)
_ORGANISATIONS: Final = (
    *("Homerton Healthcare NHS Foundation Trust", "Alder Road Primary School", "Leeds City Council") * 6,
    "Saint Bartholomew’s Church of England Primary School and Nursery",
)
_ROLES: Final = ("School nurse", "Lead professional", "Specialist community public health nurse")
_MAILS: Final = ("office@alder-road-primary.sch.example", "school.nursing@homerton-health.example", None)


@cache
def lengths(log: Log) -> dict[tuple[str, Part], list[int]]:
    """Bytes of every sample's parts as they would be stored without padding, by event name and part."""
    found: dict[tuple[str, Part], list[int]] = defaultdict(list)
    for event, metadata in _record_events() if log is Log.RECORD else _access_events():
        texts = Parts(EventTypes([type(event)])).split(event, 1)
        common = with_fields(metadata_text(metadata), texts.metadata)
        for part, text in zip(Part, (texts.identity, texts.content, common), strict=True):
            found[event.NAME, part].append(len(text) + _SEALED)
    return found


def smallest_block(found: dict[tuple[str, Part], list[int]]) -> int:
    """The smallest multiple of 64 in which at least 99 % of each part of each event class fit one block."""
    block = 64
    while not all(
        fitting(sizes, block) >= 0.99 for (name, _), sizes in found.items() if name not in SEVERAL_FACTS
    ):
        block += 64
    return block


def fitting(sizes: list[int], block: int) -> float:
    """Which share fits one block."""
    return sum(size <= block for size in sizes) / len(sizes)


def _record_events() -> Iterator[tuple[Event, Metadata]]:
    """What loading leaves in the log, with its metadata, and every other event."""
    for index in _loaded():
        for recorded in index.log():
            assert isinstance(recorded.metadata, Metadata)
            yield recorded.event, recorded.metadata
    metadata = Metadata(
        actor=UUID(int=2**127 + 1),
        confirmed_by=UUID(int=2**127 + 2),
        purpose="confirm-identity",
        correlation=UUID(int=2**127 + 3),
    )
    for event in _typed(Random(7)):
        yield event, metadata


def _loaded() -> Iterator[Index]:
    for kind, folder, pattern in (
        ("births", SAMPLES / "births", "*.csv"),
        ("pds", SAMPLES / "pds", "*.*json"),
        ("pds", SANDBOX, "*.json"),
    ):
        for path in sorted(folder.glob(pattern)):
            index = Index()
            index.load(kind, path.read_bytes())
            yield index
    index = Index()
    index.load("births", _births(Random(3), 120))
    yield index


def _births(random: Random, count: int) -> bytes:
    """A births file with the names and addresses that such files have."""
    out = io.StringIO()
    rows = csv.DictWriter(
        out, [*COLUMNS, "second_parent_given_names", "second_parent_surname", "address_line_2"]
    )
    rows.writeheader()
    for number in range(count):
        born = date(2010, 1, 1) + timedelta(days=random.randrange(5000))
        family = random.choice(_FAMILY)
        two = random.random() < 0.8
        rows.writerow(
            {
                "entry_id": f"LDS/{born.year}/{number:06d}",
                "registered_on": (born + timedelta(days=random.randrange(1, 42))).isoformat(),
                "given_names": random.choice(_GIVEN),
                "surname": family,
                "date_of_birth": born.isoformat(),
                "sex": random.choice("FM"),
                "nhs_number": _nhs_number(900_000_000 + 1000 * number),
                "mother_given_names": random.choice(_GIVEN),
                "mother_surname": family,
                "second_parent_given_names": random.choice(_GIVEN) if two else "",
                "second_parent_surname": random.choice(_FAMILY) if two else "",
                "address_line_1": f"{random.randrange(1, 300)} {random.choice(_STREETS)}",
                "address_line_2": random.choice(_TOWNS),
                "postcode": f"LS{random.randrange(1, 29)} {random.randrange(1, 9)}AA",
                "authority": "E08000035",
            }
        )
    return out.getvalue().encode()


def _nhs_number(first: int) -> str:
    while True:
        digits = f"{first:09d}"
        check = 11 - sum(w * int(d) for w, d in zip(range(10, 1, -1), digits, strict=True)) % 11
        if check != 10:
            return digits + str(check % 11)
        first += 1


def _typed(random: Random) -> Iterator[Event]:
    """What people record by hand, in the sizes that they give it."""
    for _ in range(400):
        yield from _about_one_child(random)
    yield from _about_accounts()
    yield from _about_organisations()
    yield RuleSetAdopted(rule_set="present", valid_from=TODAY, digest="a" * 64)
    yield DestructionBegun(child=UUID(int=2**127), rule="archived-six-years", rule_set="present", due=TODAY)
    yield DestructionCompleted(child=UUID(int=2**127), keys=12, completed_on=TODAY)
    yield from _watched()
    yield FileReceived(kind="births", digest="a" * 64)
    yield FileWithdrawn(withdrawn_on=TODAY)
    for child_id in (None, UUID(int=2**127)):
        yield SourceRecordReleased(source_kind=SourceKind.INDEX, outcome="registered", child=child_id)
    for verdict, children in (("same", 1), ("not-the-same", 3), ("new", 0), ("refuse", 0)):
        yield HeldRecordDecided.model_validate(
            {
                "source_kind": SourceKind.OFFICER,
                "verdict": verdict,
                "children": [UUID(int=2**127 + number) for number in range(children)],
                "reason": "documents-seen",
                "rule_set": "present",
            }
        )
    for marks in (1, 2, 3, 4):  # the entry, a name or two, a number: each with the birth date
        yield child.LinkRuledOut.model_validate(
            {
                "source_kind": SourceKind.CHILD_BENEFIT,
                "marks": [f"i:{number:032x}" for number in range(marks)],
                "held": UUID(int=2**127),
            }
        )


def _about_accounts() -> Iterator[Event]:
    role: dict[str, Any] = {
        "purposes": ("casework", "confirm-identity", "data-quality"),
        "may_override": True,
        "rule_set": "present",
    }
    for name in ("social-worker", "data-manager-2"):
        yield account.AccountOpened(
            name=name,
            title="Senior practitioner, multi-agency safeguarding hub",
            role=name,
            organisation=UUID(int=2**127),
            body="E08000035",
            area="E08000035",
            **role,
        )
        yield account.RoleAssigned(role=name, **role)
    yield account.AccountHolderNamed(holder="LCC/2016/004113")
    yield account.LineManagerNamed(manager="LCC/2016/004113")
    yield account.TiesDeclared(
        surnames=("Fetherstonhaugh-Cholmondeley", "O’Neill"),
        postcodes=("LS1 6AE", "WF12 9XX"),
        relatives=("Alexander James Frederick Thornton", "Siân Ní Bhriain", "Zoë Ann O’Neill"),
    )
    yield account.AccountSuspended(reason="disciplinary-procedure-missing")
    yield account.AccountReinstated(reason="disciplinary-procedure-missing")
    yield account.AccountClosed(reason="left-the-organisation")
    yield account.AccountConditionMet(**_met())
    yield account.FederatedIdentifierBound(
        issuer="https://sign-in.education.example.gov.uk/realms/children-services",
        subject="f:5f0c9a0e-5b1c-4c53-9c8c-3f8a4f0f7d11:7b1f0c52-8c5e-4a43-9d0b-2f1f6f6f9a10",
        number=f"P-{'0' * 20}",
    )
    yield account.FederatedIdentifierUnbound(reason="disciplinary-procedure-missing")
    coordinate = "x" * 64
    yield account.ClientKeyRegistered(
        thumbprint="t" * 43,
        key=EcPublicKey(crv="P-384", x=coordinate, y=coordinate),
        number=f"K-{'0' * 20}",
    )
    yield account.ClientKeyRevoked(thumbprint="t" * 43, reason="disciplinary-procedure-missing")
    yield account.AccountConditionWithdrawn(condition="authorisation", reason="requested-by-manager")
    yield account.EnrolmentIssued(until=NOW.replace(microsecond=123456))
    yield account.PasswordReplaced()


def _about_organisations() -> Iterator[Event]:
    for name in _ORGANISATIONS:
        yield organisation.OrganisationRegistered(name=name, body="E08000035", kind="local-authority")
        yield organisation.OrganisationAltered(what="ownership", name=name)
    yield organisation.OrganisationSuspended(reason="disciplinary-procedure-missing")
    yield organisation.OrganisationReinstated(reason="disciplinary-procedure-missing")
    yield organisation.OrganisationEnded(reason="organisation-ended")
    yield organisation.OrganisationConditionMet(**_met())
    yield organisation.OrganisationConditionWithdrawn(
        condition="security-attestation", reason="requested-by-manager"
    )


def _met() -> dict[str, Any]:
    return {
        "condition": "security-attestation",
        "met_on": TODAY,
        "ends_on": TODAY,
        "reference": "DBS 001234567890 / 2016-004113",
        "made_up": True,
        "rule_set": "present",
    }


def _about_the_trail(random: Random, standing: dict[str, Any]) -> Iterator[access.Looked]:
    """Looks at the past, at the trail, and by those who ask who looked."""
    yield access.RecordShownAsOf.model_validate(
        standing | {"action": "show", "child": _id(random), "as_of": NOW, "effective_on": TODAY}
    )
    yield access.PolicyTried.model_validate(
        standing | {"action": "what-would", "subject": _id(random), "tried": "present", "digest": "a" * 64}
    )
    chosen = {
        "since": NOW,
        "until": NOW,
        "action": "review-queue",
        "by": _id(random),
        "organisation": "E08000035",
        "outcome": "granted",
        "child": _id(random),
        "after": f"{NOW.isoformat()}/{UUID(int=2**127)}",
        "criteria": True,
    }
    yield access.TrailRead.model_validate(
        standing | {"action": "what-saw", "subject": _id(random), "chosen": chosen}
    )
    asked = {
        "child": _id(random),
        "request": _id(random),
        "requester": "parent",
        "withheld": ("child-abuse-data", "serious-harm"),
    }
    for event_class in (access.SubjectReplied, access.SubjectReplyProposed):
        yield event_class.model_validate(standing | {"action": "subject-access"} | asked)
    adult = {
        "name": "Alexandra Smith-Jones",
        "postcode": "LS1 4AP",
        "telephone": "0113 496 0000",
        "email": "alexandra.smith-jones@example.org",
    }
    yield access.SubjectReplied.model_validate(standing | {"action": "subject-access", "adult": adult})


def _about_its_authority(random: Random) -> Iterator[Event]:
    said_by, transfer = SourceKind.AUTHORITY, UUID(int=random.getrandbits(127) + 2**127)
    yield child.TransferOffered(
        source_kind=said_by, transfer=transfer, authority="E08000035", to="E08000036", rule_set="present"
    )
    yield child.TransferWithdrawn(source_kind=said_by, transfer=transfer)
    yield child.TransferDeclined(source_kind=said_by, transfer=transfer)
    yield child.TransferAccepted(
        source_kind=said_by, transfer=transfer, authority="E08000036", rule_set="present"
    )
    yield child.AuthorityAllocated(source_kind=said_by, authority="E08000036", rule_set="present")


def _about_its_identity(random: Random) -> Iterator[Event]:
    said_by = SourceKind.INDEX
    first, other = (UUID(int=random.getrandbits(127) + 2**127) for _ in range(2))
    yield child.RecordAbsorbed(
        merge=first,
        source_kind=said_by,
        other=other,
        version=random.randrange(2, 400),
        index_number=index_number(CROCKFORD[10:20]) or "",
        rule_set="present",
        reason="local-team-confirmed",
    )
    yield child.OriginsNamed(source_kind=said_by, origin=other, first=1000, versions=tuple(range(1000, 1040)))
    marks = tuple(f"e:{random.getrandbits(128):032x}" for _ in range(8))
    yield child.RulingsReversed(source_kind=said_by, marks=marks)
    yield child.RecordClosed(
        closing=first, source_kind=said_by, into=other, heirs=(first, other), rule_set="present", why="merged"
    )
    yield child.RecordSplitOff(
        split=first, source_kind=said_by, whole=other, own=first, rule_set="present", reason="merged-in-error"
    )
    yield child.IdentityVetoed(source_kind=SourceKind.AUTHORITY, marks=marks)
    yield child.WrongViewNoted(
        split=first,
        source_kind=said_by,
        accounts=tuple(UUID(int=random.getrandbits(127) + 2**127) for _ in range(10)),
    )


def _about_one_child(random: Random) -> Iterator[Event]:
    kind, involvement = SourceKind.PRACTITIONER, UUID(int=random.getrandbits(127) + 2**127)
    officer = {"source_kind": SourceKind.OFFICER, "effective": TODAY, "source": Source(body="E08000035")}
    yield child.EducationAsserted.model_validate(
        officer
        | {
            "institution": _institution(random, _ORGANISATIONS, "107890"),
            "ceased": random.choice([None, TODAY]),
        }
    )
    yield child.IdentifiersAsserted.model_validate(
        officer
        | {
            "identifiers": [
                {"scheme": "upn", "value": "P207000016049", "allocated_by": "E08000035"},
                {
                    "scheme": "social-care",
                    "value": f"SC{random.randrange(10**7)}",
                    "allocated_by": "E08000035",
                },
            ][: random.randrange(1, 3)]
        }
    )
    yield child.AuthorityAssigned(source_kind=kind, authority="E08000035")
    yield from _about_its_authority(random)
    yield from _about_its_identity(random)
    asked = UUID(int=random.getrandbits(127) + 2**127)
    said_by = SourceKind.OFFICER
    yield child.SubjectAccessRequested(
        source_kind=said_by,
        request=asked,
        requester="parent",
        basis="child-not-competent",
        received_on=TODAY,
        rule_set="present",
    )
    yield child.RightClaimed(
        source_kind=said_by,
        request=asked,
        right="objection",
        requester="parent",
        basis="child-not-competent",
        received_on=TODAY,
        rule_set="present",
    )
    yield child.RightDecided(
        source_kind=said_by,
        request=asked,
        reasons=("kept-by-law", "compelling-grounds"),
        decided_on=TODAY,
        rule_set="present",
    )
    yield child.SubjectAccessPaused(source_kind=said_by, request=asked, why="clarification", since=TODAY)
    yield child.SubjectAccessResumed(source_kind=said_by, request=asked, until=TODAY)
    yield child.SubjectAccessAnswered(
        source_kind=said_by,
        request=asked,
        answered_on=TODAY,
        withheld=("child-abuse-data", "serious-harm"),
        access=asked,
        rule_set="present",
    )
    yield child.SupplyWithdrawn(
        source_kind=SourceKind.BIRTHS, versions=tuple(range(1, random.randrange(2, 9))), source=_SOURCE
    )
    about: dict[str, Any] = {
        "source_kind": kind,
        "involvement": involvement,
        "service": random.choice(_SERVICES),
        "organisation": random.choice(_ORGANISATIONS),
        "role": random.choice(
            ("School nurse", "Lead professional", "Specialist community public health nurse")
        ),
        "lead_professional": True,
        "common_assessment": False,
        "began": TODAY,
        "source": Source(body="RQX"),
    }
    yield child.InvolvementBegun.model_validate(about | {"kind": "additional"})
    reached: dict[str, Any] = {"source_kind": kind, "involvement": involvement, "contact": _contact(random)}
    yield child.InvolvementContactGiven.model_validate(reached | {"concern": True})
    ground: dict[str, Any] = {
        "consent": {"given_by": "young-person", "given_on": TODAY},
        "judgement": {"competent": False, "judged_on": TODAY},
    }
    if random.random() < 0.3:
        ground = {
            "cause": {"considered_on": TODAY, "considered_by": "Dr Alexandra Smith-Jones", "review_on": TODAY}
        }
    yield child.SensitiveInvolvementBegun.model_validate(about)
    yield child.SensitiveInvolvementGrounded.model_validate(reached | ground | {"rule_set": "present"})
    about_contact: dict[str, Any] = {"source_kind": kind, "request": involvement}
    yield child.ContactAsked.model_validate(
        about_contact
        | {
            "asked_by": involvement,
            "contact": _contact(random),
            "asked_on": TODAY,
            "closes_on": TODAY,
            "rule_set": "present",
        }
    )
    yield child.ContactPassedOn.model_validate(
        about_contact | {"involvement": involvement, "passed_on": TODAY}
    )
    yield child.ContactAnswered.model_validate(
        about_contact
        | {
            "involvement": involvement,
            "accepted": True,
            "disclosed": ("service", "organisation", "role", "contact"),
            "answered_on": TODAY,
        }
    )
    yield child.InvolvementEnded(source_kind=kind, involvement=involvement, ended=TODAY)
    yield child.SensitiveInvolvementEnded(source_kind=kind, involvement=involvement, ended=TODAY)
    yield child.SensitiveConsentWithdrawn(source_kind=kind, involvement=involvement, withdrawn_on=TODAY)
    yield child.ShieldRaised(
        shield=involvement,
        source_kind=SourceKind.PDS,
        provisional=True,
        rule_set="present",
        ground="placement-at-risk",
        source=_NHS,
    )
    yield child.ShieldLifted(
        shields=tuple(involvement for _ in range(random.choice((1, 1, 1, 2)))),
        rule_set="present",
        reason="risk-ended",
        proposed_by=involvement,
        confirmed_by=involvement,
    )
    yield child.ExtensionConsentGiven(given_on=TODAY, rule_set="present", category="care-leaver")
    yield child.ExtensionConsentWithdrawn(withdrawn_on=TODAY, rule_set="present")
    yield child.DeathNotified(died_on=TODAY, notified_on=TODAY, source_kind=SourceKind.PDS, source=_NHS)
    yield child.RecordArchived(archived_on=TODAY, rule_set="present", ground="supply-withdrawn")
    yield child.RecordReopened.model_validate(
        {"reopened_on": TODAY, "rule_set": "present", "ground": "supply-renewed"}
    )
    yield child.FactsWithheld(
        source_kind=SourceKind.PDS, effective=TODAY, withheld=("address", "practice", "contact"), source=_NHS
    )
    yield child.DeathReversed(versions=(7,), reversed_on=TODAY, rule_set="present", source=_NHS)
    yield child.DestructionHeld(hold=involvement, until=TODAY, rule_set="present", ground="public-inquiry")
    yield child.ShieldRequested(
        source_kind=SourceKind.AUTHORITY,
        request=involvement,
        shield=involvement,
        requester="adoption-agency",
        verified=True,
        ground="placement-at-risk",
        received_on=TODAY,
        rule_set="present",
    )
    yield child.ShieldRequesterVerified(
        source_kind=SourceKind.AUTHORITY, request=involvement, verified_on=TODAY
    )
    yield child.ShieldDecided(
        shield=involvement,
        decided_on=TODAY,
        rule_set="present",
        request=involvement,
        granted=True,
        reason="police-advice",
        consulted=("child", "parent", "police"),
    )
    yield child.ShieldReviewed(reviewed_on=TODAY, rule_set="present", consulted=("child", "social-care"))
    yield child.LiftDecided(
        shields=(involvement,),
        effective_on=TODAY,
        rule_set="present",
        reason="risk-ended",
        proposed_by=involvement,
        confirmed_by=involvement,
        consulted=("child", "parent", "police"),
    )
    yield child.HoldReleased(holds=(involvement,), released_on=TODAY, rule_set="present")


def _watched() -> Iterator[Event]:
    """What two people do together, and what is looked into."""
    one, digest = UUID(int=2**127 + 9), bytes(range(32))
    yield proposal.ActProposed(
        act="hand-over",
        subject=one,
        version=1234,
        code="required-by-law",
        fields=("name", "date_of_birth", "address", "education"),
        words=one,
        digest=digest,
        expires_at=NOW,
        rule_set="present",
    )
    yield proposal.ActConfirmed(digest=digest)
    yield proposal.ProposalWithdrawn()
    yield proposal.ProposalExpired()
    yield investigation.InvestigationOpened(
        account=one,
        access=one,
        cause="declared-family",
        organisation=one,
        area="E08000035",
        line_manager="LCC/2016/004113",
        review_by=TODAY,
        rule_set="present",
    )
    yield investigation.LineManagerTold()
    yield investigation.InvestigationTaken()
    yield investigation.InvestigationClosed(outcome="credentials-misused")


def _institution(random: Random, names: tuple[str, ...], code: str) -> dict[str, Any]:
    return {"name": random.choice(names), "code": code, "contact": _contact(random)}


def _contact(random: Random) -> Contact:
    mail = random.choice(
        ("office@alder-road-primary.sch.example", "school.nursing@homerton-health.example", None)
    )
    return Contact(telephone="+44 20 7946 0999", email=mail)


def _access_events() -> Iterator[tuple[Event, Metadata]]:
    """Looks by people with every fact about them filled in: full pages, single records, refusals."""
    random = Random(5)
    for hits in (PAGE, PAGE, PAGE, 1, 0):
        standing = _standing(random, hits)
        yield (
            access.RecordsSearched.model_validate(standing | {"action": "search", "criteria": _criteria()}),
            _looker(random),
        )
        standing = _standing(random, min(hits, 1))
        yield (
            access.RecordShown.model_validate(
                standing | {"action": "show", "child": _id(random), "as_of": NOW}
            ),
            _looker(random),
        )
        yield (
            access.AuditRead.model_validate(standing | {"action": "who-saw", "subject": _id(random)}),
            _looker(random),
        )
        yield (
            access.QueueRead.model_validate(standing | {"action": "review-queue", "held": _id(random)}),
            _looker(random),
        )
        handed_over = {
            "action": "hand-over",
            "child": _id(random),
            "recipient": "West Yorkshire Police, Economic Crime Unit",
            "reference": "WYP/2026/004113/B",
            "ground": "required-by-law",
        }
        yield access.RecordHandedOver.model_validate(standing | handed_over), _looker(random)
        yield access.HandOverProposed.model_validate(standing | handed_over), _looker(random)
        opened = {"action": "open-archive", "child": _id(random), "reference": "S47/2041/000123"}
        yield access.ArchiveOpened.model_validate(standing | opened), _looker(random)
        yield access.ArchiveProposed.model_validate(standing | opened), _looker(random)
        for event in _about_the_trail(random, standing):
            yield event, _looker(random)
        refused = {"action": "search", "outcome": "refused", "criteria": _criteria(), "subject": _id(random)}
        yield access.AccessRefused.model_validate(_standing(random, 0) | refused), _looker(random)
        decided = {"action": "lift-shield", "subject": _id(random)}
        yield access.ActDecided.model_validate(_standing(random, 0) | decided), _looker(random)
        alone = _standing(random, 0)
        signed_in = {"action": "sign-in", "how": "private-key"}
        yield access.SignedIn.model_validate(alone | signed_in), _looker(random)
        yield access.SteppedUp.model_validate(alone | {"action": "step-up"}), _looker(random)
        signed_out = {"action": "sign-out", "ended": _id(random)}
        yield access.SignedOut.model_validate(alone | signed_out), _looker(random)
        let = {"action": "let-mediator", "mediator": _id(random), "until": NOW.replace(microsecond=123456)}
        yield access.MediatorLet.model_validate(alone | let), _looker(random)
        not_signed_in = {
            "account": _id(random),
            "how": "private-key",
            "rule": "security-attestation-withdrawn",
            "known_device": True,
            "instant": NOW.replace(microsecond=123456),
            "rule_set": "present",
        }
        yield access.SignInRefused.model_validate(not_signed_in), _looker(random)


def _standing(random: Random, hits: int) -> dict[str, Any]:
    return {
        "role": "multi-agency-safeguarding-lead",
        "organisation": _id(random),
        "body": "E08000035",
        "area": "E08000035",
        "purposes": ("casework", "confirm-identity", "data-quality"),
        "session": _id(random),
        "outcome": "granted",
        "rule": "search-permitted",
        "hits": [
            (_id(random), random.randrange(1, 100), "3ffffff", random.randbytes(32)) for _ in range(hits)
        ],
        "more": True,
        "used": [(_id(random), random.randrange(1, 30)) for _ in range(3)],
        "instant": NOW.replace(microsecond=123456),
        "rule_set": "present",
        "renderer": 12,
        "page": random.randbytes(32),
    }


def _criteria() -> dict[str, Any]:
    number = index_number(CROCKFORD[10:20])
    return {
        "name": "Alexander James Frederick Fetherstonhaugh-Cholmondeley",
        "date_of_birth": TODAY,
        "gender": "not-specified",
        "postcode": "LS28 9JT",
        "number": number,
        "nhs_number": "9434765919",
    }


def _looker(random: Random) -> Metadata:
    return Metadata(
        actor=_id(random),
        on_behalf_of=_id(random),
        confirmed_by=_id(random),
        purpose="confirm-identity",
        correlation=_id(random),
        causation=_id(random),
    )


def _id(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)


def table(found: dict[tuple[str, Part], list[int]], block: int) -> Iterable[str]:
    """One line for each part of each event: samples, longest, share in one block."""
    yield "| event | part | samples | longest | in one block |"
    yield "|---|---|---|---|---|"
    for (name, part), sizes in sorted(found.items()):
        yield f"| `{name}` | {part.name.lower()} | {len(sizes)} | {max(sizes)} | {fitting(sizes, block):.1%} |"


if __name__ == "__main__":
    for log in Log:
        measured = lengths(log)
        print(f"\n{log.name}: smallest block {smallest_block(measured)}, in use {BLOCKS[log]}\n")
        print("\n".join(table(measured, BLOCKS[log])))
    print(json.dumps({log.name: smallest_block(lengths(log)) for log in Log}))
