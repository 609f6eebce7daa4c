"""What staff propose to each other and what is looked into of them, in words.

Folded from the log as far as a reach, so that what was told can be told again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.rule_files import RuleFile
from domain.access.conduct import OVERRIDE
from domain.access.events import ArchiveOpened, RecordHandedOver, SubjectReplied
from domain.access.model import Access
from domain.access.ports import AccessLog, LookBehind
from domain.access.reach import Reach
from domain.account.model import Account
from domain.account.model import fold as fold_account
from domain.destruction.notices import Notice
from domain.destruction.notices import fold as fold_notice
from domain.errors import Refused
from domain.investigation.handlers import investigation_of
from domain.investigation.model import Investigation
from domain.investigation.model import fold as fold_investigation
from domain.organisation.model import fold as fold_organisation
from domain.policy.retention import london_day
from domain.ports import EventStore, RuleTexts, Tokens
from domain.proposal.events import ActProposed
from domain.proposal.model import ACTS, Proposal
from domain.proposal.model import fold as fold_proposal
from domain.rule_set.model import RuleSet, digest, parse
from projections.reading import as_far_as


@dataclass(frozen=True, slots=True)
class ServedStaffActs:
    """Implements `domain.access.ports.StaffActs`. accesses: where those are that a proposal names."""

    store: EventStore
    accesses: AccessLog
    texts: RuleTexts
    tokens: Tokens

    def proposals(self, ids: Sequence[UUID], at: Reach, instant: datetime) -> list[dict[str, Any]]:
        """Proposals as they stood at an instant. Raises NotFound where an id is that of none."""
        streams = self.store.load_many(ids)
        return [
            self._proposal(fold_proposal(as_far_as(at.record, streams[one])), at, instant)
            for one in ids
            if one in streams
        ]

    def investigations(
        self, ids: Sequence[UUID], at: Reach, instant: datetime, rules: RuleSet
    ) -> list[dict[str, Any]]:
        """Investigations as they stood at an instant. Raises NotFound where an id is that of none."""
        streams = self.store.load_many(ids)
        return [
            self._investigation(fold_investigation(as_far_as(at.record, streams[one])), at, instant, rules)
            for one in ids
            if one in streams
        ]

    def notices(self, ids: Sequence[UUID], at: Reach) -> list[dict[str, Any]]:
        """Who is to be told, or was, that what they were given of a record was destroyed. Raises NotFound."""
        streams = self.store.load_many(ids)
        return [_notice(fold_notice(as_far_as(at.record, streams[one]))) for one in ids if one in streams]

    def overrides(self, looks: Sequence[LookBehind], at: Reach, rules: RuleSet) -> list[dict[str, Any]]:
        """Looks behind a shield: who, of which organisation, why, and how far looking into it is."""
        return [
            {
                "access": str(look.access_id),
                "at": look.at.isoformat(),
                "account": self._name(look.account, at),
                "role": look.role,
                "organisation": self._organisation(look.organisation, at) if look.organisation else None,
                "reason": look.purpose,
                "investigation": self._looked_into(look, at, rules),
            }
            for look in looks
        ]

    def words(self, proposal: Proposal) -> RecordHandedOver | None:
        """For whom facts are handed over, as it was put; None once the child's keys are gone."""
        looked = self._named(proposal)
        return looked.event if looked and isinstance(looked.event, RecordHandedOver) else None

    def asked_for(self, proposal: Proposal) -> ArchiveOpened | None:
        """For which case an archived record is to be opened; None once the child's keys are gone."""
        looked = self._named(proposal)
        return looked.event if looked and isinstance(looked.event, ArchiveOpened) else None

    def reply_asked_for(self, proposal: Proposal) -> SubjectReplied | None:
        """Which request is to be answered, and what is withheld; None once the child's keys are gone."""
        looked = self._named(proposal)
        return looked.event if looked and isinstance(looked.event, SubjectReplied) else None

    def rule_file(self, made: ActProposed) -> RuleFile:
        """The file of rules that was proposed. Raises Refused where this database does not hold it."""
        text = self.texts.text(made.words.bytes) if made.words else None
        if text is None:
            raise Refused("The file that was proposed is not here: propose it anew.", code="no-such-policy")
        return RuleFile(parse(text.decode()), digest(text), text)

    def _named(self, proposal: Proposal) -> Access | None:
        return self.accesses.load(proposal.made.words) if proposal.made.words else None

    def _proposal(self, proposal: Proposal, at: Reach, instant: datetime) -> dict[str, Any]:
        made = proposal.made
        told: dict[str, Any] = {
            "proposal": str(proposal.proposal_id),
            "act": made.act,
            "does": ACTS[made.act].does,
            **self._about_what(proposal),
            "state": proposal.state_at(instant),
            "proposed_at": proposal.proposed_at.isoformat() if proposal.proposed_at else None,
            "expires_at": made.expires_at.isoformat(),
            "digest": made.digest.hex(),
        }
        if made.act in ("lift-shield", "destroy-early", "merge-records", "split-record"):
            told["reason"] = made.code
        if made.act == "split-record":
            told["to_second"] = list(made.to_second)
        if made.act == "hand-over":
            words = self.words(proposal)
            told |= {"ground": made.code, "fields": list(made.fields)}
            told["recipient"] = words.recipient if words else None
            told["reference"] = words.reference if words else None
        if made.act == "reply-to-subject":
            reply = self.reply_asked_for(proposal)
            told["request"] = str(reply.request) if reply else None
            told["withheld"] = list(reply.withheld) if reply else None
        if made.act == "open-archive":
            asked = self.asked_for(proposal)
            told |= {"reason": proposal.purpose, "reference": asked.reference if asked else None}
        if proposal.proposed_by is None:  # the period of its metadata was destroyed
            return told
        return {**told, "proposed_by": self._name(proposal.proposed_by, at)}

    def _about_what(self, proposal: Proposal) -> dict[str, Any]:
        made = proposal.made
        if made.act == "adopt-rule-set":
            return self._rule_set(made)
        if made.act == "merge-records":
            return {"child": str(made.subject), "other": str(made.words)}
        return {"access" if made.act == "replay" else "child": str(made.subject)}

    def _rule_set(self, made: ActProposed) -> dict[str, Any]:
        """Which rule set, from when, and the digest of its file, as both people read it; its id where that is all."""
        try:
            file = self.rule_file(made)
        except Refused:
            return {"rule_set": made.code}
        return {
            "rule_set": file.rules.id,
            "title": file.rules.title,
            "valid_from": file.rules.valid_from.isoformat(),
            "file_digest": file.digest,
        }

    def _investigation(
        self, one: Investigation, at: Reach, instant: datetime, rules: RuleSet
    ) -> dict[str, Any]:
        about = one.about
        account = self._account(about.account, at)
        waits = one.taken_by is None and one.outcome is None
        return {
            "investigation": str(one.investigation_id),
            "cause": about.cause,
            "what": rules.conduct.causes[about.cause].title,
            "account": account.opened.name if account.opened else None,
            "account_suspended": account.conditions.suspended,
            "access": str(about.access),
            "opened_at": one.opened_at.isoformat() if one.opened_at else None,
            "review_by": about.review_by.isoformat(),
            "overdue": waits and london_day(instant) > about.review_by,
            "line_manager_told": one.told,
            "investigator": self._name(one.taken_by, at) if one.taken_by else None,
            "outcome": one.outcome,
        }

    def _looked_into(self, look: LookBehind, at: Reach, rules: RuleSet) -> str | None:
        """`open`, `taken`, or how the investigation of a look behind a shield ended; None where none was opened yet."""
        found = investigation_of(
            look.account,
            OVERRIDE,
            look.access_id,
            at=look.at,
            store=self.store,
            tokens=self.tokens,
            rules=rules,
        )
        if found is None:
            return None
        one = fold_investigation(as_far_as(at.record, self.store.load(found)))
        if one.opened is None:
            return None
        return one.outcome or ("taken" if one.taken_by else "open")

    def _organisation(self, organisation: UUID, at: Reach) -> str | None:
        return fold_organisation(as_far_as(at.record, self.store.load(organisation))).name

    def _name(self, account_id: UUID, at: Reach) -> str | None:
        opened = self._account(account_id, at).opened
        return opened.name if opened else None

    def _account(self, account_id: UUID, at: Reach) -> Account:
        return fold_account(as_far_as(at.record, self.store.load(account_id)))


def _notice(notice: Notice) -> dict[str, Any]:
    owed = notice.owed
    return {
        "notice": str(notice.notice_id),
        "recipient": owed.recipient,
        "kind": owed.kind,
        "access_id": str(owed.access),
        "given_on": owed.given_on.isoformat(),
        "body": owed.body,
        "certificate": str(owed.certificate),
        "sent_on": notice.sent_on.isoformat() if notice.sent_on else None,
    }
