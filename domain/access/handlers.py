"""Looking: decide, grant, read and render, record the access, check that nothing moved, release.

If the access cannot be recorded nothing leaves (`AuditUnavailable`). Everything shown can be shown again: the access
event keeps the inputs of the disclosure, which is a pure function, and keyed digests of its output.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from domain.access.commands import (
    ExportAccesses,
    HandOver,
    ListContacts,
    ListHeld,
    ListSensitiveDue,
    Look,
    OpenArchive,
    OpenRecord,
    ReadAbout,
    ReadContact,
    ReadDue,
    ReadRefusals,
    ReadReviews,
    ReadShieldRequests,
    ReadSiblings,
    ReadSubjectRequests,
    ReadTrail,
    ReadTransfer,
    ReadWrongViews,
    ReplyToAdult,
    ReplyToSubject,
    SearchRecords,
    ShowHeld,
)
from domain.access.conduct import OVERRIDE, TOO_MANY, Recent, own, pattern
from domain.access.events import (
    AccessRefused,
    ActDecided,
    Action,
    AdultSought,
    ArchiveOpened,
    ArchiveProposed,
    AuditRead,
    Criteria,
    HandOverProposed,
    Hit,
    Looked,
    QueueRead,
    RecordHandedOver,
    RecordShown,
    RecordShownAsOf,
    RecordsSearched,
    SessionAct,
    SignInRefused,
    SubjectReplied,
    TrailFilter,
    TrailRead,
)
from domain.access.go_live import Authorities, Gate
from domain.access.model import Access, AccessGrant, AccessOnRecord, Actor, NotSignedIn
from domain.access.reach import Reach
from domain.child_record import brokering, sensitive, subject_access
from domain.child_record.events import Carer
from domain.child_record.model import ContactRequest
from domain.disclosure import (
    RENDERER,
    RecordFacts,
    Viewer,
    as_it_was,
    canonical,
    disclosed,
    listed,
    looking_for,
    mask_of,
    shown_carer,
    sight_of,
    unarchived,
)
from domain.errors import AccessDenied, AuditUnavailable, BadInput, NoReceipt, NotFound, Refused
from domain.kernel import Log, Metadata
from domain.personal_data import Forgotten
from domain.policy.access import Permission, admitted, may, refusals
from domain.policy.retention import begin_of, london_day
from domain.policy.rule_book import refuse_unless_in_force
from domain.policy.screening import screen_name
from domain.policy.sessions import step_up_period, stepped_up_within
from domain.policy.subject_access import (
    LookAt,
    Origin,
    Reply,
    SubjectRequest,
    exemptions_of,
    months_after,
    reply_to,
    requester_of,
)
from domain.ports import Ids, Receipts
from domain.proposal.model import record_changed
from domain.review import Beside, Compared, beside, concerns_a_shield, listed_held, mask_of_held, shown_held
from domain.rule_set.model import Right, RuleSet
from domain.supply.model import HeldRecord, concerns

NOT_FOUND = (
    "Nothing is held that can be shown to you. This does not mean that no such child exists or that no service is "
    "involved: the record may be held under other details, by a source that is not connected, or not be open to you."
)
NOT_HELD = (
    "No such record is held back, or it is another authority's concern. `queue list` lists those of yours."
)
SAME_PERSON = "same-person"
"""The code of a refusal because two accounts are not two people."""
MANAGED = "manages-the-other"
"""The code of a refusal because one of two people answers to the other at work."""
STEP_UP: Final = "step-up-required"
"""The code of a refusal because a second factor was not given lately."""

_MEDIATED: Final[frozenset[Action]] = frozenset({"search", "show"})
"""What may be asked for on somebody's behalf. Whoever looks behind a shield answers for it and does it themselves."""

_RENDERINGS = 5
_WRONG_VIEWS = 500
_REVIEWS = 200
"""Records that one list of reviews opens at most."""
_OPENED = 200
"""Held records that one page of the queue opens at most to find those that concern the viewer."""


TrailPage: TypeAlias = tuple[list[dict[str, Any]], str | None]


class Finder(Protocol):
    """Finds children by what is shown of them."""

    def find(self, grant: AccessGrant, criteria: Criteria, limit: int) -> tuple[list[UUID], bool]:
        """Ids in rank order, at most `limit`, and whether there are more."""
        ...

    def rank(self, criteria: Criteria, shown: dict[str, Any]) -> int | None:
        """How well what is shown meets the criteria (less is better), or None. Sees nothing that is not shown."""
        ...


class Records(Protocol):
    """Reads the facts of records, folded from the log."""

    def facts(self, grant: AccessGrant, child_ids: Sequence[UUID]) -> dict[UUID, RecordFacts]:
        """Facts as they stand; what may not be opened under this grant is not opened."""
        ...

    def facts_at(
        self, grant: AccessGrant, child_id: UUID, version: int, true_on: date | None = None
    ) -> RecordFacts | Forgotten | None:
        """Facts as they stood at a version of the stream; true_on: of them what was true on a day."""
        ...

    def destroyed_on(self, certificate: UUID) -> date | None:
        """The day on which what a certificate orders was done; None where it is not done yet."""
        ...

    def version_at(self, child_id: UUID, instant: datetime) -> int:
        """The last version recorded at or before the instant (0: none)."""
        ...

    def version_upto(self, child_id: UUID, position: int) -> int:
        """The last version at or before a position of the log (0: none)."""
        ...

    def heads(self, child_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The present versions."""
        ...


class AccessLog(Protocol):
    """The log of looks. Raises AuditUnavailable where it cannot be written."""

    def digests(
        self, access_id: UUID, instant: datetime, displays: Sequence[tuple[UUID, bytes]], page: bytes
    ) -> tuple[list[bytes], bytes]:
        """A digest of each display under a subkey of its child's identity key, and one of the page."""
        ...

    def append(self, access: Access) -> None:
        """Commit the access event."""
        ...

    def load(self, access_id: UUID) -> Access | None:
        """One access; its event is Forgotten once the key of any child shown is destroyed."""
        ...


class SignInLog(AccessLog, Protocol):
    """The same log, which holds those, too, who were not signed in."""

    def append(self, access: Access | NotSignedIn) -> None:
        """Commit the access event, or the refusal."""
        ...


class Trail(Protocol):
    """The audit trail's one query surface, newest first. Entries are ready to print.

    A page is entries, and the cursor that the next begins behind, None where there is none. It is read as far as a
    `Reach` says, and its limit is the most there are: the same reach gives the same page for ever, but for what was
    destroyed.
    """

    def reach(self) -> Reach:
        """As far as can be read now."""
        ...

    def who_saw(self, grant: AccessGrant, child_id: UUID, chosen: TrailFilter, at: Reach) -> TrailPage:
        """Looks at one child. Raises Refused where it is shielded and an organisation is asked for."""
        ...

    def what_saw(self, grant: AccessGrant, account: UUID, chosen: TrailFilter, at: Reach) -> TrailPage:
        """Looks by one account."""
        ...

    def changes(self, grant: AccessGrant, child_id: UUID, chosen: TrailFilter, at: Reach) -> TrailPage:
        """Changes to one record. What has been shielded since is opened for two people alone."""
        ...

    def looks_at(self, grant: AccessGrant, child_id: UUID, at: Reach) -> list[LookAt]:
        """Every look at one child and every attempt at one."""
        ...

    def accesses(
        self, grant: AccessGrant, kind: str, subject: UUID | None, chosen: TrailFilter, at: Reach
    ) -> tuple[list[AccessOnRecord], str | None]:
        """A page of accesses as they are on record: `who-saw` a child, `what-saw` an account, or all of a period."""
        ...

    def refusals(
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """The newest refusals from an instant to before another, counted without what was refused; whether there are
        more."""
        ...

    def due(self, grant: AccessGrant, on: date) -> list[dict[str, Any]]:
        """What falls due on or before a day."""
        ...

    def reviews(self, grant: AccessGrant, on: date, most: int) -> list[tuple[UUID, date]]:
        """Whose shields are to be looked at again on or before a day, and since when, the longest overdue first."""
        ...


class HeldRecords(Protocol):
    """Source records that are held back. One is opened for one access, as a manager opens a shielded record."""

    def waiting(
        self, grant: AccessGrant, after: tuple[datetime, UUID] | None, most: int
    ) -> list[tuple[datetime, UUID]]:
        """When each began to wait and its id, oldest first, from behind `after`."""
        ...

    def open(self, grant: AccessGrant, held_id: UUID) -> HeldRecord | None:
        """One held record as the log has it now; None where there is none."""
        ...

    def open_at(self, grant: AccessGrant, held_id: UUID, version: int) -> HeldRecord | Forgotten | None:
        """One held record as it stood at a version of its stream."""
        ...

    def candidates(self, grant: AccessGrant, held: HeldRecord) -> dict[UUID, RecordFacts]:
        """The records in question, with nothing opened that a shield hides."""
        ...

    def compared(self, held: HeldRecord, facts: RecordFacts) -> Sequence[Compared]:
        """How the held record compares with one of them, field by field."""
        ...


class Adults(Protocol):
    """Finds the records that name an adult. None is kept by whom it names, so all are read."""

    def naming(
        self, grant: AccessGrant, adult: AdultSought, limit: int
    ) -> tuple[list[tuple[RecordFacts, Carer]], bool]:
        """Records with the carer in each that the adult is, at most `limit`; whether there are more.

        None that a shield hides from whoever serves.
        """
        ...

    def carer(self, adult: AdultSought, facts: RecordFacts) -> Carer | None:
        """The carer in a record that the adult is."""
        ...


class LocalTeam(Protocol):
    """What an authority's team and those who asked it need of what is hidden."""

    def asked(self, grant: AccessGrant) -> list[UUID]:
        """The children about whom a request for contact may be open, that of the oldest first."""
        ...

    def opened(self, grant: AccessGrant, child_id: UUID) -> RecordFacts | None:
        """One record with what a shield hides of it. Nothing of it may leave but what the handler that asks chooses."""
        ...

    def neighbours(self, grant: AccessGrant, facts: RecordFacts) -> list[tuple[RecordFacts, bool]]:
        """Records at a postcode of this one, with nothing of theirs opened; whether at an address that is the same."""
        ...

    def with_sensitive(self, grant: AccessGrant) -> Iterator[RecordFacts]:
        """Every record that holds a sensitive service and that no shield hides from whoever serves."""
        ...


class Oversight(Protocol):
    """Watches over who looks: what an account looked at lately, and opening an investigation of it."""

    def looks(self, grant: AccessGrant, account: UUID, since: datetime) -> int:
        """How many searches were run and records opened by an account, or on its behalf, since an instant."""
        ...

    def recent(self, grant: AccessGrant, account: UUID, since: datetime, most: int) -> Recent:
        """What they were; of searches the newest, `most` at most."""
        ...

    def investigate(self, account: UUID, cause: str, access_id: UUID, at: datetime) -> None:
        """Have it looked into, and the account suspended where the rules say so. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Looking:
    """What looking needs. `rules_by_id` finds the rule set that an older access was decided under.

    viewer: whose entitlement decides what is seen. mediator: who asks on their behalf, where somebody does.
    """

    viewer: Actor
    ids: Ids
    rules: RuleSet
    rules_by_id: Callable[[str], RuleSet]
    finder: Finder
    records: Records
    log: AccessLog
    receipts: Receipts
    trail: Trail
    held: HeldRecords
    adults: Adults
    oversight: Oversight
    authorities: Authorities
    team: LocalTeam
    mediator: Actor | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What may now leave: the access it is recorded under, and the display. receipt: proof that the access is sealed,
    where that had to be waited for."""

    access_id: UUID
    display: dict[str, Any]
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """What may now leave, and what the authority keeps: how every look at the child was accounted for."""

    access_id: UUID
    reply: dict[str, Any]
    account: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One child as rendered for this access."""

    child_id: UUID
    version: int
    mask: str
    record: dict[str, Any]


def search(command: SearchRecords, looking: Looking) -> Shown:
    """Search, record the search with its exact results, and only then release them (T46)."""
    asked = {"criteria": command.criteria}
    grant = grant_for(command, "search", looking, asked)
    _within_measure(command, "search", looking, grant, asked)
    for _ in range(_RENDERINGS):
        ids, more = looking.finder.find(grant, command.criteria, command.limit)
        gate = _gate(looking, grant)
        displays = _ranked(command, looking, grant, gate, ids)
        page = {"results": [display.record for display in displays], "more": more}
        _record(
            grant,
            command,
            looking,
            "search",
            RecordsSearched,
            asked,
            displays,
            page,
            "search-permitted",
            more=more,
        )
        _watch(grant, looking, "search", command.criteria, displays)
        if _unmoved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def open_record(command: OpenRecord, looking: Looking) -> Shown:
    """Show one record, or refuse in the same words whether it is not held, archived or not open to this viewer.

    Behind a shield nothing is told, not even that there is nothing, before the look is sealed. Raises NoReceipt.
    """
    action: Right = "override" if command.override else "show"
    asked: dict[str, Any] = {"child": command.child_id}
    event_class: type[Looked] = RecordShown
    if command.as_of is not None or command.effective_on is not None:
        asked |= {"as_of": command.as_of, "effective_on": command.effective_on}
        event_class = RecordShownAsOf
    grant = grant_for(command, action, looking, {"subject": command.child_id})
    _within_measure(command, action, looking, grant, {"subject": command.child_id})
    for _ in range(_RENDERINGS):
        now = looking.records.facts(grant, [command.child_id]).get(command.child_id)
        gate, facts, shown = _gate(looking, grant), now, None
        if now is not None and event_class is RecordShownAsOf:
            facts = _as_it_was(now, command.as_of, command.effective_on, looking, grant)
        if facts is not None:
            shown = disclosed(
                looking.rules, RENDERER, facts, _rendered_for(grant), grant.instant, override=grant.override
            )
        if now is None or facts is None or shown is None or not gate.opens(now, grant.viewer):
            _record(
                grant,
                command,
                looking,
                action,
                event_class,
                asked,
                [],
                {},
                "nothing-to-show",
                used=gate.used,
            )
            _sealed_if_override(grant, looking)
            raise NotFound(NOT_FOUND, field="child")
        display = Rendered(command.child_id, facts.version, shown.mask, shown.record)
        _record(
            grant,
            command,
            looking,
            action,
            event_class,
            asked,
            [display],
            shown.record,
            shown.rule,
            used=gate.used,
        )
        _watch(grant, looking, action, None, [display])
        receipt = _sealed_if_override(grant, looking)
        if _unmoved(looking, [display]):
            return Shown(grant.access_id, shown.record, receipt)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def _as_it_was(
    now: RecordFacts, as_of: datetime | None, effective_on: date | None, looking: Looking, grant: AccessGrant
) -> RecordFacts | None:
    """A record as recorded at an instant and true on a day, for whoever may see it now, in the way they may now.

    Fail closed: whoever sees a shielded record sees what it shows now, for an earlier name or address is hidden too.
    """
    return as_then(
        now, as_of, effective_on, looking, grant, grant.viewer, grant.instant, looking.rules, grant.override
    )


def as_then(
    now: RecordFacts,
    as_of: datetime | None,
    effective_on: date | None,
    looking: Looking,
    grant: AccessGrant,
    viewer: Viewer,
    instant: datetime,
    rules: RuleSet,
    override: bool,  # noqa: FBT001 - as `disclosed` takes it
) -> RecordFacts | None:
    sight, _ = sight_of(now, viewer, instant, rules, override=override)
    if sight == "none":
        return None
    if sight == "shielded":
        return now
    version = now.version
    if as_of is not None:
        version = min(version, looking.records.version_at(now.child_id, as_of))
    then = looking.records.facts_at(grant, now.child_id, version, effective_on) if version else None
    return as_it_was(then, now) if isinstance(then, RecordFacts) else None


def hand_over(command: HandOver, looking: Looking, *, proposing: bool = False) -> Shown:
    """Hand over these facts and no others, as the responsible authority decides (SI 2007/2182 reg 12; T49).

    Whoever acts is the named decider; of a shielded record a second one, who has confirmed, is needed. Raises BadInput
    for a ground or a fact that is none, NotFound where the authority is not responsible, AccessDenied; Refused, code
    `record-changed`, where the record is not at `version` any more. proposing: it is shown to one of the two, and is
    not handed over.
    """
    event_class, rule = (
        (HandOverProposed, "hand-over-proposed") if proposing else (RecordHandedOver, command.ground)
    )
    _check_hand_over(command, looking.rules)
    asked = {
        "child": command.child_id,
        "recipient": command.recipient,
        "reference": command.reference,
        "ground": command.ground,
    }
    grant = grant_for(command, "hand-over", looking, {"subject": command.child_id})
    for _ in range(_RENDERINGS):
        facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
        shown = (
            disclosed(looking.rules, RENDERER, facts, _rendered_for(grant), grant.instant) if facts else None
        )
        if facts is None or shown is None or shown.sight != "manager":
            _record(grant, command, looking, "hand-over", event_class, asked, [], {}, "nothing-to-show")
            raise NotFound(NOT_FOUND, field="child")
        _must_stand_as_shown(command, "hand-over", facts, looking)
        if facts.shielded and command.confirmed_by is None and not proposing:
            record_refusal(command, "hand-over", looking, "two-people-needed", command.child_id)
            raise AccessDenied(
                "This record is shielded: two people decide, --as one and --with another, or one by --propose.",
                code="two-people-needed",
            )
        record = chosen_fields(shown.record, command.fields)
        display = Rendered(command.child_id, facts.version, mask_of(record), record)
        _record(grant, command, looking, "hand-over", event_class, asked, [display], record, rule)
        if _unmoved(looking, [display]):
            return Shown(grant.access_id, record)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def _must_stand_as_shown(
    command: HandOver | OpenArchive, action: Action, facts: RecordFacts, looking: Looking
) -> None:
    """Refuse where the record is not at the version that two people were shown; on record before it is told."""
    if command.version is not None and facts.version != command.version:
        changed = record_changed()
        record_refusal(command, action, looking, changed.code, command.child_id)
        raise changed


def _check_hand_over(command: HandOver, rules: RuleSet) -> None:
    screen_name(command.recipient, "recipient", words=10)
    if command.ground not in rules.hand_over:
        raise BadInput(
            f"The ground is one of: {', '.join(rules.hand_over)}.", code="unknown-ground", field="ground"
        )
    if not set(command.fields) <= set(rules.fields.ordinary):
        raise BadInput(
            f"What may be handed over is: {', '.join(rules.fields.ordinary)}.",
            code="unknown-field",
            field="field",
        )


def chosen_fields(record: dict[str, Any], names: Container[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in names}


def open_archive(command: OpenArchive, looking: Looking, *, proposing: bool = False) -> Shown:
    """Show an archived record that its authority's managers may no longer open, to two of the supplier's people (T62).

    Raises AccessDenied where no second person has confirmed, NotFound where nothing is to be seen; Refused, code
    `record-changed`, where the record is not at `version` any more. proposing: nothing is shown; the version of the hit
    on record is that of which it is asked.
    """
    event_class, rule = (
        (ArchiveProposed, "archive-proposed") if proposing else (ArchiveOpened, "archive-for-case")
    )
    asked = {"child": command.child_id, "reference": command.reference}
    grant = grant_for(command, "open-archive", looking, {"subject": command.child_id})
    if command.confirmed_by is None and not proposing:
        record_refusal(command, "open-archive", looking, "two-people-needed", command.child_id)
        raise AccessDenied(
            "Two people open the archive: --as one and --with another, or one by --propose.",
            code="two-people-needed",
        )
    for _ in range(_RENDERINGS):
        facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
        opened = replace(facts, opened=facts.opened or proposing) if facts else None
        shown = unarchived(looking.rules, RENDERER, opened, grant.viewer, grant.instant) if opened else None
        if facts is None or shown is None:
            _record(grant, command, looking, "open-archive", event_class, asked, [], {}, "nothing-to-show")
            raise NotFound(NOT_FOUND, field="child")
        _must_stand_as_shown(command, "open-archive", facts, looking)
        record = {} if proposing else shown.record
        display = Rendered(command.child_id, facts.version, mask_of(record), record)
        _record(grant, command, looking, "open-archive", event_class, asked, [display], record, rule)
        if _unmoved(looking, [display]):
            return Shown(grant.access_id, record)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def read_trail(command: ReadTrail, looking: Looking) -> Shown:
    """Read a page of the audit trail. Itself an access, with what was asked for."""
    asked = {"subject": command.subject, "chosen": command.chosen}
    grant = grant_for(command, command.kind, looking, {"subject": command.subject})
    reach = looking.trail.reach()._replace(limit=command.limit)
    try:
        page = trail_page(command.kind, command.subject, command.chosen, reach, looking, grant)
    except Refused as refused:
        if not isinstance(refused, BadInput):
            record_refusal(command, command.kind, looking, refused.code, command.subject)
        raise
    _record(
        grant,
        command,
        looking,
        command.kind,
        TrailRead,
        asked,
        [],
        page,
        "audit-permitted",
        more=page["more"],
        used=reach.used(),
    )
    return Shown(grant.access_id, page)


def trail_page(
    kind: str, subject: UUID, chosen: TrailFilter, reach: Reach, looking: Looking, grant: AccessGrant
) -> dict[str, Any]:
    """A page of the audit trail as it was at a reach."""
    read = {
        "who-saw": looking.trail.who_saw,
        "what-saw": looking.trail.what_saw,
        "changes": looking.trail.changes,
    }
    entries, following = read[kind](grant, subject, chosen, reach)
    return {"entries": entries, "more": following is not None, "next": following}


def export_accesses(
    command: ExportAccesses, looking: Looking, mapped: Callable[[AccessOnRecord], list[dict[str, Any]]]
) -> Shown:
    """Take a page of accesses out, each as `mapped` writes it. Itself an access, before anything leaves."""
    asked = {"subject": command.subject, "chosen": command.chosen}
    grant = grant_for(command, command.kind, looking, {"subject": command.subject})
    reach = looking.trail.reach()._replace(limit=command.limit)
    found, following = looking.trail.accesses(grant, command.kind, command.subject, command.chosen, reach)
    page = {"entries": [entry for one in found for entry in mapped(one)], "next": following}
    more = following is not None
    _record(grant, command, looking, command.kind, TrailRead, asked, [], page, "audit-permitted", more=more)
    return Shown(grant.access_id, page)


def read_refusals(command: ReadRefusals, looking: Looking) -> Shown:
    """Count refusals by day, reason, role and organisation, without what was refused. Itself an access."""
    grant = grant_for(command, "refusals", looking, {})
    since = None if command.since is None else begin_of(command.since)
    until = None if command.until is None else begin_of(command.until + timedelta(days=1))
    entries, more = looking.trail.refusals(grant, since, until, command.limit)
    page = {"entries": entries, "more": more}
    _record(grant, command, looking, "refusals", AuditRead, {}, [], page, "refusals-permitted", more=more)
    return Shown(grant.access_id, page)


def read_about(command: ReadAbout, looking: Looking, read: Callable[[], dict[str, Any]]) -> Shown:
    """Read what staff did or are to do, and about no child: proposals, investigations. Itself an access."""
    asked = {"subject": command.subject}
    grant = grant_for(command, command.action, looking, asked)
    page = read()
    rule = f"{command.action}-permitted"
    _record(grant, command, looking, command.action, AuditRead, asked, [], page, rule)
    return Shown(grant.access_id, page)


def read_due(command: ReadDue, looking: Looking) -> Shown:
    """List what falls due. Itself an access, because a date of archive tells a date of birth."""
    grant = grant_for(command, "due", looking, {})
    page = {"due": looking.trail.due(grant, command.on)}
    _record(grant, command, looking, "due", AuditRead, {}, [], page, "due-permitted")
    return Shown(grant.access_id, page)


def read_subject_requests(command: ReadSubjectRequests, looking: Looking) -> Shown:
    """List the requests to know who looked, with their clocks. For the responsible authority; itself an access."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "subject-access", looking, asked)
    facts = _managed(command.child_id, looking, grant)
    if facts is None:
        _record(grant, command, looking, "subject-access", AuditRead, asked, [], {}, "nothing-to-show")
        raise NotFound(NOT_FOUND, field="child")
    today = london_day(command.at)
    page = {"requests": [_clock(request, today, looking.rules) for request in facts.requests]}
    _record(grant, command, looking, "subject-access", AuditRead, asked, [], page, "subject-access-permitted")
    return Shown(grant.access_id, page)


def read_reviews(command: ReadReviews, looking: Looking) -> Shown:
    """List whose shields are to be looked at again. Itself an access.

    An authority's managers see those of its own records; whoever manages none, those that are overdue, wherever.
    """
    grant = grant_for(command, "shield-reviews", looking, {})
    manages = looking.rules.role_sees(looking.viewer.role, "manager")
    today = london_day(command.at)
    entries: list[dict[str, Any]] = []
    found = looking.trail.reviews(grant, command.on, _REVIEWS + 1)
    for child_id, on in found[:_REVIEWS]:
        number = None
        if manages:
            facts = looking.records.facts(grant, [child_id]).get(child_id)
            if facts is None or facts.authority != looking.viewer.body:
                continue
            number = facts.index_number
        elif on >= today:
            continue
        overdue = max((today - on).days, 0)
        entry = {"child_id": str(child_id), "review_on": on.isoformat(), "overdue_days": overdue}
        entries.append(entry | ({"number": number} if number else {}))
    page = {"reviews": entries, "more": len(found) > _REVIEWS}
    _record(
        grant, command, looking, "shield-reviews", AuditRead, {}, [], page, "shield-reviews-permitted",
        more=len(found) > _REVIEWS,
    )  # fmt: skip
    return Shown(grant.access_id, page)


def read_shield_requests(command: ReadShieldRequests, looking: Looking) -> Shown:
    """List who asked for a shield, and what was decided. For the responsible authority; itself an access."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "shield-reviews", looking, asked)
    facts = _managed(command.child_id, looking, grant)
    if facts is None:
        _record(grant, command, looking, "shield-reviews", AuditRead, asked, [], {}, "nothing-to-show")
        raise NotFound(NOT_FOUND, field="child")
    standing = {one.shield for one in facts.shields}
    page = {
        "requests": [
            {
                "request": str(one.request),
                "requester": one.requester,
                "verified": one.verified,
                "ground": one.ground,
                "received_on": one.received_on.isoformat(),
                "state": {None: "interim", True: "granted", False: "refused"}[one.granted],
                "decided_on": one.decided_on.isoformat() if one.decided_on else None,
                "reason": one.reason,
                "consulted": list(one.consulted),
                "stands": one.shield in standing,
            }
            for one in facts.shield_requests
        ],
        "lift_on": facts.lift.effective_on.isoformat() if facts.lift else None,
    }
    _record(grant, command, looking, "shield-reviews", AuditRead, asked, [], page, "shield-reviews-permitted")
    return Shown(grant.access_id, page)


def read_siblings(command: ReadSiblings, looking: Looking) -> Shown:
    """List who may be a brother or sister of a shielded child, because where they live may be where it is (T38).

    For the responsible authority, whose decision it is to shield them as well: nothing is shielded by itself, and
    nothing of this list is kept. A hit of the access for each who is shown. Those a shield hides are not on it.
    """
    asked = {"subject": command.child_id}
    grant = grant_for(command, "shield-reviews", looking, asked)
    gate = _gate(looking, grant)
    for _ in range(_RENDERINGS):
        facts = _managed(command.child_id, looking, grant)
        if facts is None or not facts.shielded:
            _record(grant, command, looking, "shield-reviews", AuditRead, asked, [], {}, "nothing-to-show")
            raise NotFound("Your authority has no shielded record of this number.", field="child")
        carers = {carer.name for carer in facts.carers}
        displays: list[Rendered] = []
        for other, same_address in looking.team.neighbours(grant, facts):
            shared = ["address"] if same_address else []
            shared += ["carers"] if carers & {carer.name for carer in other.carers} else []
            shown = listed(looking.rules, RENDERER, other, _rendered_for(grant), grant.instant)
            if shared and shown is not None and gate.opens(other, grant.viewer):
                record = {**shown.record, "shared": shared}
                displays.append(Rendered(other.child_id, other.version, shown.mask, record))
        page = {"siblings": [display.record for display in displays]}
        _record(
            grant, command, looking, "shield-reviews", AuditRead, asked, displays, page, "shield-reviews-permitted"
        )  # fmt: skip
        if _unmoved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def read_transfer(command: ReadTransfer, looking: Looking) -> Shown:
    """See the open offer of a record, as one of the two authorities; to any other there is no such record."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "transfer-record", looking, asked)
    facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
    found = facts.transfer if facts is not None else None
    if found is None or grant.viewer.body not in (found.authority, found.to):
        _record(grant, command, looking, "transfer-record", AuditRead, asked, [], {}, "nothing-to-show")
        raise NotFound("No offer of this record is open to your authority or by it.", field="child")
    page = {
        "from": found.authority,
        "to": found.to,
        "offered_at": found.offered_at.isoformat(),
    }
    _record(grant, command, looking, "transfer-record", AuditRead, asked, [], page, "transfer-permitted")
    return Shown(grant.access_id, page)


def read_wrong_views(command: ReadWrongViews, looking: Looking) -> Shown:
    """List the accounts that were shown a record while it was of two children. Itself an access."""
    asked = {"subject": command.child_id}
    grant = grant_for(command, "split-record", looking, asked)
    chosen = TrailFilter(since=command.since, outcome="granted")
    reach = looking.trail.reach()._replace(limit=_WRONG_VIEWS)
    looks: Counter[str] = Counter()
    while True:
        entries, following = looking.trail.who_saw(grant, command.child_id, chosen, reach)
        looks.update(entry["account"] for entry in entries if entry["shown"])
        if following is None:
            break
        chosen = chosen.model_copy(update={"after": following})
    page = {"told": [{"account": account, "looks": looks[account]} for account in sorted(looks)]}
    _record(grant, command, looking, "split-record", AuditRead, asked, [], page, "split-permitted")
    return Shown(grant.access_id, page)


def reply_to_subject(command: ReplyToSubject, looking: Looking) -> Replied:
    """Tell whoever asked who looked at the record, as the rules allow and as was decided (UK GDPR Art 15; T51, T52).

    Raises NotFound where the authority is not responsible; Refused (`no-such-request`, `paused`), BadInput
    (`decision-needed`, `unknown-exemption`), AccessDenied (`two-people-needed`): on record before they are told.
    """
    asked = {"child": command.child_id, "request": command.request, "withheld": command.withheld or ()}
    grant = grant_for(command, "subject-access", looking, {"subject": command.child_id})
    for _ in range(_RENDERINGS):
        facts = _managed(command.child_id, looking, grant)
        if facts is None:
            _record(
                grant, command, looking, "subject-access", SubjectReplied, asked, [], {}, "nothing-to-show"
            )
            raise NotFound(NOT_FOUND, field="child")
        try:
            request = _answerable(command, facts, looking.rules)
        except BadInput:
            raise
        except Refused as refused:
            record_refusal(command, "subject-access", looking, refused.code, command.child_id)
            raise
        reach = looking.trail.reach()
        looks = looks_at(facts, reach, looking, grant)
        reply, page = answer(request, facts, looks, command.withheld or (), command.at, looking.rules)
        display = Rendered(command.child_id, facts.version, mask_of(()), page)
        asked["requester"] = request.requester
        _record(
            grant,
            command,
            looking,
            "subject-access",
            SubjectReplied,
            asked,
            [display],
            page,
            "subject-access-permitted",
            used=reach.used(),
        )
        if _unmoved(looking, [display]):
            return Replied(grant.access_id, page, dict(reply.account))
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def answer(
    request: SubjectRequest,
    facts: RecordFacts,
    looks: Sequence[LookAt],
    withheld: Sequence[str],
    at: datetime,
    rules: RuleSet,
) -> tuple[Reply, dict[str, Any]]:
    """What may be told in answer to a request, and the page of it that leaves."""
    reply = reply_to(
        request.requester,
        looks,
        [Origin(field, *facts.held[key][:2]) for field, key in _ORIGINS.items() if key in facts.held],
        rules,
        shielded=facts.shielded,
        withheld=withheld,
    )
    answered = {**_clock(request, london_day(at), rules), **reply.display}
    return reply, {name: value for name, value in answered.items() if name not in _OF_THE_AUTHORITY}


def reply_to_adult(command: ReplyToAdult, looking: Looking) -> Shown:
    """Tell an adult in which records they are named, and with what; nothing of anybody else (T58).

    A record is theirs where it names them and something else they gave agrees. Raises BadInput where they gave nothing.
    """
    if not any((command.adult.postcode, command.adult.telephone, command.adult.email, command.adult.number)):
        raise BadInput(
            "A name alone is of many people: give a postcode, telephone, e-mail or index number, too.",
            code="not-told-apart",
            field="postcode",
        )
    if command.received_on > london_day(command.at):
        raise BadInput("This day has not come yet.", code="date-in-future", field="received")
    asked = {"adult": command.adult}
    grant = grant_for(command, "subject-access", looking, {})
    for _ in range(_RENDERINGS):
        found, more = looking.adults.naming(grant, command.adult, command.limit)
        page, displays = entries_of(found, command.received_on, looking.rules)
        _record(
            grant,
            command,
            looking,
            "subject-access",
            SubjectReplied,
            asked,
            displays,
            page,
            "subject-access-permitted",
            more=more,
            used=Reach(0, 0, command.limit, command.received_on.toordinal()).used(),
        )
        if _unmoved(looking, displays):
            return Shown(grant.access_id, {**page, "more": more})
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def entries_of(
    found: Sequence[tuple[RecordFacts, Carer]], received_on: date, rules: RuleSet
) -> tuple[dict[str, Any], list[Rendered]]:
    """What an adult is told of the records that name them, and each of these as a display of this access."""
    displays = [
        Rendered(
            facts.child_id, facts.version, mask_of(("carers", "sources")), _entry_of(facts, carer, rules)
        )
        for facts, carer in found
    ]
    page = {
        "received_on": received_on.isoformat(),
        "answer_by": months_after(received_on, rules.subject_access.months).isoformat(),
        "entries": sorted((display.record for display in displays), key=canonical),
        "statement": rules.subject_access.statement,
    }
    return page, displays


_ORIGINS: Final = {
    "name": "name",
    "date_of_birth": "date_of_birth",
    "gender": "gender",
    "address": "whereabouts",
    "carers": "carers",
    "education": "education",
    "general_practice": "practice",
}
"""Field of a display → the name its provenance is kept under."""

_OF_THE_AUTHORITY: Final = frozenset({"request", "basis", "withheld", "state", "paused_for"})
"""What of a request's state is for the authority, and in no reply."""


def _managed(child_id: UUID, looking: Looking, grant: AccessGrant) -> RecordFacts | None:
    """The record, where the viewer manages it for the responsible authority."""
    facts = looking.records.facts(grant, [child_id]).get(child_id)
    shown = disclosed(looking.rules, RENDERER, facts, _rendered_for(grant), grant.instant) if facts else None
    return facts if shown is not None and shown.sight == "manager" else None


def looks_at(facts: RecordFacts, reach: Reach, looking: Looking, grant: AccessGrant) -> list[LookAt]:
    """Every look at a record, and at those that were found to be of the same child, as the logs were at a reach."""
    return [
        look
        for one in (facts.child_id, *_absorbed(facts, looking, grant))
        for look in looking.trail.looks_at(grant, one, reach)
    ]


def _absorbed(facts: RecordFacts, looking: Looking, grant: AccessGrant) -> Iterator[UUID]:
    """Those records. Of what a record that was split had absorbed it is not asked which child it was of."""
    for one, closed in looking.records.facts(grant, facts.absorbed).items():
        yield one
        if not closed.was_split:
            yield from _absorbed(closed, looking, grant)


def _answerable(command: ReplyToSubject, facts: RecordFacts, rules: RuleSet) -> SubjectRequest:
    """The request, if it may be answered as was decided."""
    request = next((one for one in facts.requests if one.request == command.request), None)
    if request is None or request.answered_on is not None:
        raise subject_access.no_such_request()
    if request.paused_for is not None:
        raise subject_access.paused()
    exemptions_of(request.requester, command.withheld or (), rules)
    if requester_of(request.requester, rules).guarded:
        if command.withheld is None:
            raise BadInput(
                "Decide first: --withhold EXEMPTION, or --withhold-nothing.",
                code="decision-needed",
                field="withhold",
            )
        if facts.shielded and command.confirmed_by is None:
            raise AccessDenied(
                "This record is shielded: two people decide, --as one and --with another.",
                code="two-people-needed",
            )
    return request


def _clock(request: SubjectRequest, today: date, rules: RuleSet) -> dict[str, Any]:
    """A request and how its clock stands on a day."""
    answer_by = request.answer_by(rules)
    state = "answered" if request.answered_on else "paused" if answer_by is None else "open"
    late = state == "open" and answer_by is not None and today > answer_by
    return {
        "request": str(request.request),
        "for": request.requester,
        "basis": request.basis,
        "received_on": request.received_on.isoformat(),
        "pauses": [
            {"for": why, "since": since.isoformat(), "until": until.isoformat() if until else None}
            for why, since, until in request.pauses
        ],
        "paused_for": request.paused_for,
        "answer_by": answer_by.isoformat() if answer_by else None,
        "state": "overdue" if late else state,
        "withheld": list(request.withheld),
    }


def _entry_of(facts: RecordFacts, carer: Carer, rules: RuleSet) -> dict[str, Any]:
    """What one record says of the adult. Nothing of the child, nor of where it is, nor of anybody else."""
    held = facts.held.get("carers")
    names = rules.subject_access.sources
    return {
        **shown_carer(carer),
        "from": names.get(held.source_kind, str(held.source_kind)) if held else None,
        "since": held.since.isoformat() if held else None,
    }


def read_contact(command: ReadContact, looking: Looking) -> Shown:
    """What came of a request for contact, for whoever made it and nobody else. Itself an access.

    A service that declined and one that never answered give the same bytes, and the same is read to make them.
    """
    asked = {"subject": command.child_id}
    grant = grant_for(command, "ask-contact", looking, asked)
    for _ in range(_RENDERINGS):
        gate, facts = _gate(looking, grant), looking.team.opened(grant, command.child_id)
        requests = facts.contacts if facts is not None and _in_sight(facts, looking, grant, gate) else ()
        found = next((one for one in requests if one.request == command.request), None)
        if facts is None or found is None or found.asked_by != looking.viewer.account:
            _record(
                grant,
                command,
                looking,
                "ask-contact",
                AuditRead,
                asked,
                [],
                {},
                "nothing-to-show",
                used=gate.used,
            )
            raise NotFound("No request of yours can be shown to you.", field="request")
        told = brokering.answer_to(found, facts.involvements, london_day(command.at))
        page = {
            "state": told.state,
            "asked_on": told.asked_on.isoformat(),
            "closes_on": told.closes_on.isoformat(),
            "disclosed": told.disclosed,
        }
        display = Rendered(command.child_id, facts.version, mask_of(()), page)
        _record(
            grant,
            command,
            looking,
            "ask-contact",
            AuditRead,
            asked,
            [display],
            page,
            "ask-contact-permitted",
            used=gate.used,
        )
        if _unmoved(looking, [display]):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def _in_sight(facts: RecordFacts, looking: Looking, grant: AccessGrant, gate: Gate) -> bool:
    """Whether the viewer may see this record at all, in whichever way: not one that is archived, or not open yet."""
    shown = disclosed(looking.rules, RENDERER, facts, _rendered_for(grant), grant.instant)
    return shown is not None and gate.opens(facts, grant.viewer)


def list_contacts(command: ListContacts, looking: Looking) -> Shown:
    """List the open requests for contact in the records of the viewer's authority. Itself an access to each of them."""
    grant = grant_for(command, "broker-contact", looking, {})
    today = london_day(command.at)
    listed: list[Rendered] = []
    more = False
    for child_id in looking.team.asked(grant):
        facts = looking.team.opened(grant, child_id)
        if facts is None or not _manages(facts, looking, grant):
            continue
        requests = [_contact_listed(one) for one in facts.contacts if today < one.closes_on]
        if not requests:
            continue
        if len(listed) == command.limit:
            more = True
            break
        entry = {"child_id": str(child_id), "number": facts.index_number, "requests": requests}
        listed.append(Rendered(child_id, facts.version, mask_of(()), entry))
    page = {"children": [one.record for one in listed], "more": more}
    _record(
        grant,
        command,
        looking,
        "broker-contact",
        AuditRead,
        {},
        listed,
        page,
        "broker-contact-permitted",
        more=more,
    )
    return Shown(grant.access_id, page)


def _contact_listed(request: ContactRequest) -> dict[str, Any]:
    return {
        "request": str(request.request),
        "account": str(request.asked_by),
        "contact": {"telephone": request.contact.telephone, "email": request.contact.email},
        "asked_on": request.asked_on.isoformat(),
        "closes_on": request.closes_on.isoformat(),
        "passed_on_to": str(request.involvement) if request.involvement else None,
        "answer": None if request.accepted is None else "accepted" if request.accepted else "declined",
    }


def list_sensitive_due(command: ListSensitiveDue, looking: Looking) -> Shown:
    """List which children to ask afresh and which causes to review, by a day. Itself an access to each record.

    Reads every record, because no list of who uses a sensitive service is kept. Of a shielded child it tells nothing:
    its managers see the same days when they open its record.
    """
    grant = grant_for(command, "sensitive-due", looking, {})
    listed: list[Rendered] = []
    more = False
    for facts in looking.team.with_sensitive(grant):
        due = sorted(
            (task.on, task.what, str(one.involvement))
            for one, task in sensitive.tasks(facts, looking.rules)
            if task.on <= command.on
        )
        if not due or not _manages(facts, looking, grant):
            continue
        if len(listed) == command.limit:
            more = True
            break
        entry = {
            "child_id": str(facts.child_id),
            "number": facts.index_number,
            "due": [{"task": what, "on": on.isoformat(), "involvement": which} for on, what, which in due],
        }
        listed.append(Rendered(facts.child_id, facts.version, mask_of(("sensitive_involvements",)), entry))
    page = {"children": [one.record for one in listed], "more": more}
    _record(
        grant,
        command,
        looking,
        "sensitive-due",
        AuditRead,
        {},
        listed,
        page,
        "sensitive-due-permitted",
        more=more,
    )
    return Shown(grant.access_id, page)


def _manages(facts: RecordFacts, looking: Looking, grant: AccessGrant) -> bool:
    """Whether the viewer manages this record for the responsible authority."""
    shown = disclosed(looking.rules, RENDERER, facts, _rendered_for(grant), grant.instant)
    return shown is not None and shown.sight == "manager"


def list_held(command: ListHeld, looking: Looking) -> Shown:
    """List the held records that are the concern of the viewer's authority, oldest first. Itself an access."""
    grant = grant_for(command, "review-queue", looking, {})
    reach = looking.trail.reach()._replace(limit=command.limit)
    places = looking.held.waiting(grant, command.after, _OPENED + 1)
    listed: list[HeldRecord] = []
    last = command.after
    more = False
    for number, place in enumerate(places):
        if number == _OPENED or len(listed) == command.limit:
            more = True
            break
        last = place
        held = looking.held.open(grant, place[1])
        if held is not None and not held.released and _concerns(held, looking, grant):
            listed.append(held)
    page = queue_page(listed, last if more else None)
    # What is listed stands behind the reach, and behind it where the next page begins.
    used = (*reach.used(), *((held.held_id, held.version) for held in listed))
    if more and last:
        used = (*used, (last[1], 0))
    _record(
        grant,
        command,
        looking,
        "review-queue",
        QueueRead,
        {},
        [],
        page,
        "queue-permitted",
        used=used,
        more=more,
    )
    return Shown(grant.access_id, page)


def queue_page(listed: Sequence[HeldRecord], last: tuple[datetime, UUID] | None) -> dict[str, Any]:
    """A page of the queue. last: behind which place the next begins; None where there is none."""
    return {
        "held": [listed_held(held) for held in listed],
        "more": last is not None,
        "next": f"{last[0].isoformat()}/{last[1]}" if last else None,
    }


def show_held(command: ShowHeld, looking: Looking) -> Shown:
    """Show one held record beside its candidates, or refuse alike whether it is not held or not the viewer's concern.

    Every candidate that is shown is a hit of the access, so that who saw it is on record like any other look at it.
    """
    asked = {"held": command.held}
    grant = grant_for(command, "review-queue", looking, {"subject": command.held})
    for _ in range(_RENDERINGS):
        reach = looking.trail.reach()
        held = looking.held.open(grant, command.held)
        if held is None or held.released or not _concerns(held, looking, grant):
            _record(grant, command, looking, "review-queue", QueueRead, asked, [], {}, "nothing-to-show")
            raise NotFound(NOT_HELD, field="held")
        facts = looking.held.candidates(grant, held)
        page, displays = reviewed(held, facts, looking, _rendered_for(grant), grant.instant, looking.rules)
        _record(
            grant,
            command,
            looking,
            "review-queue",
            QueueRead,
            asked,
            displays,
            page,
            "queue-permitted",
            used=reach.used(),
        )
        if _unmoved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def _concerns(held: HeldRecord, looking: Looking, grant: AccessGrant) -> bool:
    facts = looking.held.candidates(grant, held)
    return concerns(held, (one.authority for one in facts.values() if not one.shielded), grant.viewer.body)


def reviewed(
    held: HeldRecord,
    facts: Mapping[UUID, RecordFacts],
    looking: Looking,
    viewer: Viewer,
    instant: datetime,
    rules: RuleSet,
) -> tuple[dict[str, Any], list[Rendered]]:
    """The held record beside its candidates, and each of them as a display of this access."""
    concealed = concerns_a_shield(held, facts)
    found: list[Beside] = []
    for child_id in held.candidates:
        one = facts.get(child_id)
        rows = looking.held.compared(held, one) if one is not None and not one.shielded else ()
        found.append(beside(held, one, rows, viewer, instant, rules, concealed=concealed))
    page = shown_held(held, found, concealed=concealed)
    displays = [Rendered(held.held_id, held.version, mask_of_held(page), page["says"])]
    displays += [Rendered(b.child_id, b.version, b.mask, b.shown) for b in found if b.child_id is not None]
    return page, displays


def record_refusal(
    command: Look, action: Action, looking: Looking, rule: str, subject: UUID | None = None
) -> None:
    """Put on record that a command was refused, before it is told. rule: the code of the refusal.

    Raises AuditUnavailable.
    """
    grant = AccessGrant(
        command.access_id, looking.viewer, command.at, command.reason, confirmed_by=command.confirmed_by
    )
    append_access(
        grant, command, looking, action, AccessRefused, {"subject": subject}, rule, outcome="refused"
    )


def decide_act(command: Look, right: Right, looking: Looking, subject: UUID) -> str:
    """Put on record that an act was decided on by whoever was let in to it, and give the receipt of that.

    Only then may the act take effect: what was never sealed could be taken out of the log again. Raises
    AuditUnavailable, NoReceipt; in either case nothing has come about.
    """
    grant = AccessGrant(
        command.access_id, looking.viewer, command.at, command.reason, confirmed_by=command.confirmed_by
    )
    append_access(grant, command, looking, right, ActDecided, {"subject": subject}, f"{right}-permitted")
    try:
        return looking.receipts.awaited(Log.ACCESS, [(command.access_id, 1)])[0]
    except NoReceipt as missing:
        raise missing.after(
            f"That this was decided is on record as {command.access_id}, and nothing has changed."
        ) from None


def let_in_at_all(command: Look, act: SessionAct, looking: Looking) -> None:
    """Go on where every condition of access holds of whoever acts, whatever they may then do.

    Else the refusal is on record before it is told. Raises AccessDenied, AuditUnavailable.
    """
    for refusal in refusals(looking.viewer.standing, command.at, looking.rules):
        record_refusal(command, act, looking, refusal.rule)
        raise AccessDenied(refusal.message, code=refusal.rule)


def record_session(
    command: Look, act: SessionAct, looking: Looking, event_class: type[Looked], rule: str, **said: Any
) -> None:
    """Put on record what became of a session of whoever acts, before it is told. Raises AuditUnavailable."""
    grant = AccessGrant(command.access_id, looking.viewer, command.at, command.reason)
    append_access(grant, command, looking, act, event_class, {}, rule, **said)


def record_unsigned(access_id: UUID, event: SignInRefused, nobody: UUID, log: SignInLog) -> None:
    """Put on record that somebody was not signed in, before they are told. nobody: who acts where no account does.

    Raises AuditUnavailable.
    """
    log.append(NotSignedIn(access_id, event, Metadata(actor=event.account or nobody, correlation=access_id)))


def let_in(
    command: Look,
    right: Right,
    looking: Looking,
    *,
    second: Actor | None = None,
    subject: UUID | None = None,
) -> None:
    """Let whoever acts, and whoever confirms, do what is no look: change a record, run the index.

    Every condition of access of both holds at the instant of the command and both hold the right, and they are two
    people of whom neither manages the other; else the refusal is on record with both before it is told. What does not
    hold of the second is told to nobody but themselves. Raises AccessDenied, Refused, AuditUnavailable.
    """
    permission = admitted(looking.viewer.standing, right, command.at, looking.rules)
    if not permission.allowed:
        record_refusal(command, right, looking, permission.rule, subject)
        raise AccessDenied(permission.message, code=permission.rule, field=permission.field)
    if second is None:
        return
    theirs = admitted(second.standing, right, command.at, looking.rules)
    if not theirs.allowed:
        record_refusal(command, right, looking, f"second-{theirs.rule}", subject)
        raise _second_refused(theirs)
    if second.account != looking.viewer.account and second.is_person(looking.viewer):
        record_refusal(command, right, looking, SAME_PERSON, subject)
        raise Refused("The second person must be another.", code=SAME_PERSON)
    if second.manages(looking.viewer) or looking.viewer.manages(second):
        record_refusal(command, right, looking, MANAGED, subject)
        raise Refused(
            "The second person must be somebody who neither manages the first at work nor is managed by them.",
            code=MANAGED,
        )


def _second_refused(theirs: Permission) -> AccessDenied:
    if theirs.rule == "right-not-held":
        return AccessDenied("The second person's role does not allow this.", code="right-not-held")
    return AccessDenied(
        "A condition of access does not hold of the second person; what they try themselves tells them which.",
        code="second-not-admitted",
    )


def _within_measure(
    command: Look, action: Action, looking: Looking, grant: AccessGrant, asked: dict[str, Any]
) -> None:
    """Refuse more looks than the role's work asks for, or in a pattern unlike it, and have them looked into (T44).

    For as long as they stand in the window. Of an invented person's ready-made account nothing is counted.
    """
    rules, viewer = looking.rules, looking.mediator or looking.viewer
    if viewer.made_up:
        return
    since = grant.instant - timedelta(minutes=rules.conduct.window)
    count = looking.oversight.looks(grant, viewer.account, since)
    cause: str | None = None
    if count >= rules.conduct.most(viewer.role):
        cause = TOO_MANY
    elif count >= rules.conduct.pattern_after:
        recent = looking.oversight.recent(grant, viewer.account, since, rules.conduct.pattern_after)
        cause = pattern(recent, viewer.role, rules, searching=action == "search")
    if cause is None:
        return
    append_access(grant, command, looking, action, AccessRefused, asked, cause, outcome="refused")
    looking.oversight.investigate(viewer.account, cause, grant.access_id, grant.instant)
    raise AccessDenied(
        "These looks are more than your role's work asks for, or in a pattern unlike it. They are being looked into; "
        "wait, or ask your account manager.",
        code=cause,
    )


def _watch(
    grant: AccessGrant,
    looking: Looking,
    action: Action,
    criteria: Criteria | None,
    displays: Sequence[Rendered],
) -> None:
    """Have looked into, before anything is released, what is flagged of a look that is on record (T36, T41)."""
    if action == "override":
        looking.oversight.investigate(looking.viewer.account, OVERRIDE, grant.access_id, grant.instant)
    shown = [display.record for display in displays]
    for actor in filter(None, (looking.viewer, looking.mediator)):
        cause = own(actor.ties, criteria, shown)
        if cause is not None:
            looking.oversight.investigate(actor.account, cause, grant.access_id, grant.instant)


def _gate(looking: Looking, grant: AccessGrant) -> Gate:
    return Gate(looking.authorities, grant.instant, looking.rules, training=looking.viewer.standing.training)


def _ranked(
    command: SearchRecords, looking: Looking, grant: AccessGrant, gate: Gate, ids: Sequence[UUID]
) -> list[Rendered]:
    """The hits that what is shown of them still meets, in the order of how well it does (D16)."""
    facts = looking.records.facts(grant, ids)
    found: list[tuple[int, Rendered]] = []
    for child_id in ids:
        if child_id not in facts:
            continue
        shown = listed(looking.rules, RENDERER, facts[child_id], _rendered_for(grant), grant.instant)
        rank = looking.finder.rank(command.criteria, shown.record) if shown else None
        if shown is not None and rank is not None and gate.opens(facts[child_id], grant.viewer):
            found.append((rank, Rendered(child_id, facts[child_id].version, shown.mask, shown.record)))
    return [display for _, display in sorted(found, key=lambda entry: (entry[0], entry[1].child_id.bytes))]


def _rendered_for(grant: AccessGrant) -> Viewer:
    """Whom a display is made for: the viewer, at work on what they gave as their reason."""
    return looking_for(grant.viewer, grant.purpose)


def grant_for(command: Look, action: Right, looking: Looking, asked: dict[str, Any]) -> AccessGrant:
    """Permission for this access; a refusal is recorded before it is told."""
    grant = AccessGrant(
        command.access_id,
        looking.viewer,
        command.at,
        command.reason,
        override=action == "override",
        confirmed_by=command.confirmed_by,
    )
    mediation = _mediation(command, action, looking)
    if mediation is not None and not mediation.allowed:
        append_access(
            grant, command, looking, action, AccessRefused, asked, mediation.rule, outcome="refused"
        )
        raise AccessDenied(mediation.message, code=mediation.rule.removeprefix("mediator-"))
    permission = may(looking.viewer.standing, action, command.reason, command.at, looking.rules)
    if not permission.allowed:
        append_access(
            grant, command, looking, action, AccessRefused, asked, permission.rule, outcome="refused"
        )
        told = permission if looking.mediator is None else _told_to_mediator(permission)
        raise AccessDenied(told.message, code=told.rule, field=told.field)
    if action == "override" and not proved_lately(looking.viewer, command.at, looking.rules):
        append_access(grant, command, looking, action, AccessRefused, asked, STEP_UP, outcome="refused")
        raise step_up_asked_for()
    return grant


def proved_lately(viewer: Actor, at: datetime, rules: RuleSet) -> bool:
    """Whether a second factor was given lately. In a training home, where nobody is behind a shield, none is asked."""
    return viewer.standing.training or stepped_up_within(viewer.session, step_up_period(rules), at)


def step_up_asked_for() -> AccessDenied:
    """The refusal of what needs a second factor given lately; it is on record by then."""
    return AccessDenied("Give a code again first: `contactpoint session step-up`.", code=STEP_UP)


def _mediation(command: Look, action: Action, looking: Looking) -> Permission | None:
    """Whether somebody may ask on the viewer's behalf; None where nobody does.

    Both are accounts with an authenticator of their own, and two people (Hansard, 24 July 2007).
    """
    mediator = looking.mediator
    if mediator is None:
        return None
    theirs = admitted(mediator.standing, "mediate", command.at, looking.rules)
    if not theirs.allowed:
        return replace(theirs, rule=f"mediator-{theirs.rule}")
    if mediator.is_person(looking.viewer):
        return Permission(allowed=False, rule=SAME_PERSON, message="The caller must be somebody else.")
    if action not in _MEDIATED:
        return Permission(
            allowed=False,
            rule="not-mediated",
            message="This is not asked for on somebody's behalf: they do it themselves.",
        )
    return theirs


def _told_to_mediator(permission: Permission) -> Permission:
    """What does not hold of a caller is told to nobody but themselves; what they may not ask for at all is."""
    if permission.rule in ("right-not-held", "reason-unknown", "reason-not-yours"):
        return replace(permission, message=f"The caller may not: {permission.message}")
    return Permission(
        allowed=False,
        rule="caller-not-admitted",
        message="A condition of access does not hold of the caller; what they try themselves tells them which.",
    )


def _sealed_if_override(grant: AccessGrant, looking: Looking) -> str | None:
    """The receipt of a look behind a shield; None for any other look. Raises NoReceipt."""
    if not grant.override:
        return None
    try:
        return looking.receipts.awaited(Log.ACCESS, [(grant.access_id, 1)])[0]
    except NoReceipt as missing:
        raise missing.after(f"The look is on record as {grant.access_id}, and nothing is shown.") from None


def _unmoved(looking: Looking, displays: Sequence[Rendered]) -> bool:
    versions = {display.child_id: display.version for display in displays}
    return looking.records.heads(list(versions)) == versions


def _record(
    grant: AccessGrant,
    command: Look,
    looking: Looking,
    action: Action,
    event_class: type[Looked],
    asked: dict[str, Any],
    displays: Sequence[Rendered],
    page: dict[str, Any],
    rule: str,
    *,
    more: bool = False,
    used: Sequence[tuple[UUID, int]] = (),
) -> None:
    """Commit the access event for what is about to be shown."""
    rendered = [(display.child_id, canonical(display.record)) for display in displays]
    digests, page_digest = looking.log.digests(grant.access_id, grant.instant, rendered, canonical(page))
    hits = tuple(
        Hit(display.child_id, display.version, display.mask, digest)
        for display, digest in zip(displays, digests, strict=True)
    )
    append_access(
        grant,
        command,
        looking,
        action,
        event_class,
        asked,
        rule,
        hits=hits,
        more=more,
        used=tuple(used),
        page=page_digest,
    )


def append_access(
    grant: AccessGrant,
    command: Look,
    looking: Looking,
    action: Action,
    event_class: type[Looked],
    asked: dict[str, Any],
    rule: str,
    **rest: Any,
) -> None:
    viewer = grant.viewer
    refuse_unless_in_force(looking.rules, grant.instant)
    event = event_class.model_validate(
        {
            **asked,
            "role": viewer.role,
            "organisation": viewer.organisation,
            "body": viewer.body,
            "area": viewer.area,
            "purposes": viewer.purposes,
            "session": _session_of(looking),
            "action": action,
            "outcome": "granted",
            "rule": rule,
            "instant": grant.instant,
            "rule_set": looking.rules.id,
            "renderer": RENDERER,
            **rest,
            "used": (*_read_from(looking), *rest.get("used", ())),
        }
    )
    metadata = Metadata(
        actor=viewer.account if looking.mediator is None else looking.mediator.account,
        on_behalf_of=None if looking.mediator is None else viewer.account,
        confirmed_by=command.confirmed_by,
        purpose=command.reason,
        correlation=grant.access_id,
    )
    looking.log.append(Access(grant.access_id, event, metadata))


def _session_of(looking: Looking) -> UUID | None:
    """The session of whoever sits before the screen."""
    session = (looking.mediator or looking.viewer).session
    return None if session is None else session.session_id


def _read_from(looking: Looking) -> tuple[tuple[UUID, int], ...]:
    """The stream versions from which it was decided who is let in."""
    mediator = looking.mediator.read_from if looking.mediator else ()
    return (*looking.viewer.read_from, *mediator)
