"""An access of the past with all that it takes to show again what it displayed; and why that may be refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from domain.access.events import Hit, Looked
from domain.access.model import Access, AccessGrant
from domain.access.ports import Looking
from domain.access.reach import Reach
from domain.disclosure import RecordFacts, Viewer, fields_of, looking_for
from domain.errors import AccessDenied, Refused
from domain.personal_data import Forgotten
from domain.rule_set.model import RuleSet


@dataclass(frozen=True, slots=True)
class Past:
    """An access that displayed something else than records, how far the logs were read for it, and under which rules.

    grant: of whoever shows it again; what it does not open is refused.
    """

    access: Access
    reach: Reach
    rules: RuleSet
    looking: Looking
    grant: AccessGrant

    @property
    def event(self) -> Looked:
        """What is on record of it."""
        return self.access.event

    @property
    def viewer(self) -> Viewer:
        """Whoever was shown it, at work on what they gave as their reason."""
        return looking_for(viewer_of(self.access), self.access.metadata.purpose)

    def version(self, child_id: UUID) -> int:
        """The last version of a record that was read."""
        return self.looking.records.version_upto(child_id, self.reach.record)

    def check(self, child_ids: Sequence[UUID]) -> None:
        """Raise what keeps a display that is about these children from being shown again.

        Of a child that is shielded, a trail leaves out what could tell where it is: so what it told before the shield
        was raised needs two people now. Of one that is destroyed nobody knows any more whether it was shielded.
        """
        for child_id in dict.fromkeys(child_ids):
            self.facts(child_id, self.version(child_id))

    def as_it_stood(self, child_id: UUID, version: int) -> RecordFacts | None:
        """A record as it stood, as far as it can be opened. Raises Refused where it is destroyed."""
        facts = self.looking.records.facts_at(self.grant, child_id, version) if version else None
        if isinstance(facts, Forgotten):
            raise destroyed(facts.certificate, self.looking, f"that this was asked of {child_id}")
        return facts

    def facts(self, child_id: UUID, version: int) -> RecordFacts | None:
        """A record as it stood, with nothing of it that a shield hid then."""
        facts = self.as_it_stood(child_id, version)
        if facts is not None and not facts.opened and not facts.shielded:
            raise two_people_needed()
        return facts

    def opened(self, child_id: UUID, version: int, mask: str = "0") -> RecordFacts:
        """A record as it stood, with all that whoever manages it was shown."""
        facts = self.looking.records.facts_at(self.grant, child_id, version)
        if isinstance(facts, Forgotten):
            refuse_destroyed(Hit(child_id, version, mask, b""), facts, self.looking)
        if facts is None:
            raise nothing_displayed()
        if not facts.opened:
            raise two_people_needed()
        return facts


def viewer_of(access: Access) -> Viewer:
    """Whose entitlement decided what an access showed."""
    was = access.event
    viewed_by = access.metadata.on_behalf_of or access.metadata.actor
    return Viewer(viewed_by, was.role, was.organisation, was.body, was.area, was.purposes)


def nothing_displayed() -> Refused:
    """The refusal to show again what displayed nothing."""
    return Refused("This access displayed nothing that can be shown again.", code="nothing-displayed")


def too_little_kept() -> Refused:
    """The refusal to show again what was displayed before all that this takes was kept."""
    return Refused(
        "This access is from before everything was kept that it takes to show it again. Who looked, when, at what and "
        "why is on record; `audit proof` proves it.",
        code="too-little-kept",
    )


def two_people_needed() -> AccessDenied:
    """The refusal to show one person again what has been shielded since."""
    return AccessDenied(
        "This display holds what has been shielded since. It needs two auditors: --as one --with another, or "
        "--propose it to another.",
        code="two-people-needed",
    )


def words_forgotten() -> Refused:
    """That words of what was shown were destroyed, whether or not it is known with which child."""
    return Refused(
        "Words of what was shown have been destroyed by law, with a child or with their period. That it was shown, and "
        "to whom, is still on record; `audit proof` proves it.",
        code="destroyed",
    )


def refuse_destroyed(hit: Hit, gone: Forgotten, looking: Looking) -> NoReturn:
    """Raise that what was shown of a child is destroyed, and which version with which fields it was."""
    fields = ", ".join(fields_of(hit.mask)) or "none"
    shown = f"that version {hit.version} of {hit.stream} was shown, with the fields {fields}"
    raise destroyed(gone.certificate, looking, shown)


def destroyed(certificate: UUID, looking: Looking, known: str) -> Refused:
    """That what was shown is destroyed: when, under which certificate, and what of it still is on record."""
    on = looking.records.destroyed_on(certificate)
    when = f"on {on.isoformat()} " if on else ""
    return Refused(
        f"What was shown has been destroyed by law {when}under the certificate {certificate}. It is still on "
        f"record {known}, and to whom; `audit proof` proves it.",
        code="destroyed",
    )
