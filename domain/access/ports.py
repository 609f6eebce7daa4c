"""What looking asks of the views, the logs and whoever watches: ports, and what a look has at hand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from domain.access.conduct import Recent
from domain.access.events import AdultSought, Criteria, TrailFilter
from domain.access.go_live import Authorities
from domain.access.model import Access, AccessGrant, AccessOnRecord, Actor, NotSignedIn
from domain.access.reach import Reach
from domain.child_record.events import Carer
from domain.disclosure import RecordFacts
from domain.personal_data import Forgotten
from domain.policy.subject_access import LookAt
from domain.ports import Ids, Receipts
from domain.review import Compared
from domain.rule_set.model import RuleSet
from domain.supply.model import HeldRecord

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

    def destroyed_behind(self, certificate: UUID, position: int) -> bool:
        """Whether what a certificate orders was done behind a position of the log."""
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
    """The log of looks. Raises AuditUnavailable where it cannot be written.

    Raises Refused (`looked-already`) where it holds an access of the same id.
    """

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


class CountedRefusals(NamedTuple):
    """Refusals, counted; whether there are more; and of which children in the open some of them were."""

    entries: list[dict[str, Any]]
    more: bool
    children: tuple[UUID, ...]


_Row_co = TypeVar("_Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Scheduled(Generic[_Row_co]):
    """Rows of the retention schedule as it was at a reach, as far as it can be made now.

    closed: records shielded since, of which nothing was opened, so that their rows may differ. certificates: those of
    records destroyed by now, whose rows are not there.
    """

    rows: Sequence[_Row_co]
    closed: bool = False
    certificates: tuple[UUID, ...] = ()


class LookBehind(NamedTuple):
    """A look by which somebody was shown what is behind a child's shield. purpose: the code of their reason.

    organisation: theirs; None where the words of the look are gone.
    """

    access_id: UUID
    child_id: UUID
    at: datetime
    account: UUID
    role: str
    purpose: str | None
    organisation: UUID | None


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
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, at: Reach
    ) -> "CountedRefusals":
        """The newest refusals from an instant to before another, counted without what was refused."""
        ...

    def overrides(
        self, grant: AccessGrant, since: datetime | None, until: datetime | None, most: int, at: Reach
    ) -> Sequence[LookBehind]:
        """Looks behind whosever shield, from an instant to before another, the newest, at most so many.

        Not for display: which of them are anybody's to see is decided with each record.
        """
        ...

    def due(self, grant: AccessGrant, on: date, at: Reach, rules: RuleSet) -> "Scheduled[dict[str, Any]]":
        """What falls due on or before a day under these rules."""
        ...

    def reviews(
        self, grant: AccessGrant, on: date, most: int, at: Reach, rules: RuleSet
    ) -> "Scheduled[tuple[UUID, date]]":
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

    def neighbours(self, grant: AccessGrant, facts: RecordFacts) -> list[RecordFacts]:
        """Records at a postcode of this one, with nothing of theirs opened."""
        ...

    def same_address(self, one: RecordFacts, other: RecordFacts) -> bool:
        """Whether two records have an address in common."""
        ...

    def with_sensitive(self, grant: AccessGrant) -> Iterator[RecordFacts]:
        """Every record that holds a sensitive service and that no shield hides from whoever serves."""
        ...


class StaffActs(Protocol):
    """What staff propose to each other and what is looked into of them, in words, as the log was at a reach."""

    def proposals(self, ids: Sequence[UUID], at: Reach, instant: datetime) -> list[dict[str, Any]]:
        """Proposals as they stood at an instant. Raises NotFound where an id is that of none."""
        ...

    def investigations(
        self, ids: Sequence[UUID], at: Reach, instant: datetime, rules: RuleSet
    ) -> list[dict[str, Any]]:
        """Investigations as they stood at an instant. Raises NotFound where an id is that of none."""
        ...

    def notices(self, ids: Sequence[UUID], at: Reach) -> list[dict[str, Any]]:
        """Notices that something was destroyed, and whether they were sent. Raises NotFound where an id is of none."""
        ...

    def overrides(self, looks: Sequence[LookBehind], at: Reach, rules: RuleSet) -> list[dict[str, Any]]:
        """Looks behind a shield: who, of which organisation, why, and how far looking into it is.

        rules: those in force, which say of what an investigation is opened.
        """
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
    """What looking needs. `rules_by_id` finds the rule set that an older access was decided under, `rules_by_digest`
    one that something was tried under, adopted or not.

    viewer: whose entitlement decides what is seen. mediator: who asks on their behalf, where somebody does; let_by: the
    access by which the viewer let them. audit_events: writes an access as it leaves the index, with or without what was
    typed into a search.
    """

    viewer: Actor
    ids: Ids
    rules: RuleSet
    rules_by_id: Callable[[str], RuleSet]
    rules_by_digest: Callable[[str], RuleSet]
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
    staff: StaffActs
    audit_events: Callable[[AccessOnRecord, bool], list[dict[str, Any]]]
    mediator: Actor | None = None
    let_by: UUID | None = None

    def on_behalf(self, mediator: Actor, let_by: UUID | None) -> "Looking":
        """The same, where a mediator asks on the viewer's behalf."""
        return replace(self, mediator=mediator, let_by=let_by)
