"""Acts that need two people, under the same conditions of access as everything else.

One proposes, another confirms what both were shown; or, in a training home, both do it in one command. Either way the
proposal and its confirmation are events. A change is appended with its confirmation in one transaction. A look is in
the other log: its confirmation is committed first, and the look bears the proposal's id, so that it is made once; if it
was cut off between the two, whoever confirmed it confirms again and it is made.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.rule_files import RuleFile
from cli.adopting import Adopting, rules_changed
from cli.app import App
from cli.evidence import write_evidence
from cli.letters import seal_into
from cli.output import Json
from domain.access.commands import HandOver, OpenArchive, ReadAbout, ReplayAccess, ReplyToSubject
from domain.access.events import ArchiveOpened, RecordHandedOver, SubjectReplied
from domain.access.handlers import hand_over, open_archive, read_about
from domain.access.letting_in import SAME_PERSON, STEP_UP, proved_lately, step_up_asked_for
from domain.access.model import Access, Actor
from domain.access.ports import AccessLog, Looking
from domain.access.replaying import Replayed, replay
from domain.access.replying import reply_to_subject
from domain.access.showing import Shown
from domain.child_record.commands import AnswerSubjectAccess, LiftShield
from domain.disclosure import canonical
from domain.errors import BadInput, Refused
from domain.kernel import Change, Metadata
from domain.policy.rule_book import RULE_BOOK
from domain.proposal.commands import ConfirmAct, ExpireProposal, ProposeAct, WithdrawProposal
from domain.proposal.events import MOST_TO_SECOND
from domain.proposal.handlers import both_at_once, change_of, handle, proposal_of
from domain.proposal.model import ACTS, Proposal, decide, record_changed
from domain.rule_set.model import RecordField, Right

_MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """An act that two people are to do; the fields are those of `domain.proposal.events.ActProposed`."""

    act: str
    subject: UUID
    version: int = 0
    code: str | None = None
    fields: tuple[RecordField, ...] = ()
    words: UUID | None = None
    other_version: int | None = None
    to_second: tuple[int, ...] = ()

    def shown(self) -> Json:
        """All of it in words and codes, as the digest of what both are shown is made of it."""
        return {
            "act": self.act,
            "subject": str(self.subject),
            "version": self.version,
            "code": self.code,
            "fields": list(self.fields),
            "words": None if self.words is None else str(self.words),
            "other_version": self.other_version,
            "to_second": list(self.to_second),
        }


class ConfirmedFirst:
    """A log of looks in which the look of two people is recorded only once its confirmation is.

    Implements `domain.access.ports.AccessLog`. What is refused, or shows nothing, confirms nothing.
    """

    def __init__(self, log: AccessLog, confirm: Callable[[Access], None]) -> None:
        self._log = log
        self._confirm: Callable[[Access], None] | None = confirm
        self.digests = log.digests
        self.load = log.load

    def append(self, access: Access) -> None:
        """Confirm, the first time, and commit the access event."""
        done = access.event.outcome == "granted"
        if done and access.event.rule != "nothing-to-show" and self._confirm is not None:
            self._confirm(access)
            self._confirm = None
        self._log.append(access)


@dataclass(frozen=True, slots=True)
class TwoPeople:
    """What two people do together in one home."""

    app: App

    # Both at once

    def looking(self, first: Actor, second: Actor | None, wanted: Wanted, access_id: UUID) -> Looking:
        """What looking needs, for the first; with a second, that both did it is on record before it is."""
        looking = self.app.looking(first)
        if second is None:
            return looking

        def confirm(access: Access) -> None:
            named = isinstance(access.event, RecordHandedOver | ArchiveOpened | SubjectReplied)
            words = access.access_id if named else None
            versions = [hit.version for hit in access.event.hits] if words else [0]
            whole = replace(wanted, words=words, version=versions[0])
            change = both_at_once(access_id, self._proposing(access_id, first, whole), self.app.rules)
            metadata = self.app.metadata(first, second, access.metadata.purpose or self.app.reason(first))
            self.app.serving.append((change,), metadata, instant=self.app.now())

        return replace(looking, log=ConfirmedFirst(looking.log, confirm))

    def _both_at_once(self, first: Actor, wanted: Wanted) -> Callable[[int], Change]:
        """That two people who are both there decided on an act, given the version of what it is done to."""
        proposal_id = self.app.ids.new()

        def beside(version: int) -> Change:
            proposing = self._proposing(proposal_id, first, replace(wanted, version=version))
            return both_at_once(proposal_id, proposing, self.app.rules_at(proposing.at))

        return beside

    def lift_shield(
        self, child_id: UUID, reason: str, first: Actor, second: Actor, consulted: tuple[str, ...] = ()
    ) -> Json:
        """Lower the shields of a record, by two people who are both there. Gives the receipt and its proof."""
        self.app.let_in(first, second, "lift-shield", child_id)
        beside = self._both_at_once(first, Wanted("lift-shield", child_id, code=reason))
        with self.app.refusals_recorded(first, "lift-shield", child_id, second):
            metadata = self.app.metadata(first, second)
            return self._lift(child_id, reason, first, second, metadata, beside, consulted)

    def _lift(
        self,
        child_id: UUID,
        reason: str,
        first: Actor,
        second: Actor,
        metadata: Metadata,
        beside: Callable[[int], Change],
        consulted: tuple[str, ...] = (),
    ) -> Json:
        command = LiftShield(
            at=self.app.now(),
            reason=reason,
            proposed_by=first.account,
            confirmed_by=second.account,
            consulted=consulted,
        )
        return self.app.lift_shield(child_id, command, (first, second), metadata, beside)

    def destroy_early(self, child_id: UUID, reason: str, first: Actor, second: Actor) -> Json:
        """Have a record destroyed before it is due, by two people who are both there."""
        self.app.let_both_in(first, second, "retention", child_id)
        beside = self._both_at_once(first, Wanted("destroy-early", child_id, code=reason))
        with self.app.refusals_recorded(first, "retention", child_id, second):
            return self._destroy(child_id, reason, self.app.metadata(first, second, "operation"), beside)

    def _destroy(
        self, child_id: UUID, reason: str, metadata: Metadata, beside: Callable[[int], Change]
    ) -> Json:
        done = self.app.writing.destroy_early(child_id, reason, metadata, beside)
        self.app.catch_up()
        return {"receipt": metadata.correlation, **done}

    # Proposing

    def propose_destruction(self, child_id: UUID, reason: str, first: Actor) -> Json:
        """Propose to destroy a record before it is due. Refused where that could not be done now."""
        self.app.let_in(first, None, "retention", child_id)
        with self.app.refusals_recorded(first, "retention", child_id):
            version = self.app.writing.may_be_destroyed_early(child_id, reason)
        return self.propose(first, Wanted("destroy-early", child_id, version, reason), "operation")

    def propose_lift(self, child_id: UUID, reason: str, first: Actor) -> Json:
        """Propose to lower the shields of a record. Refused where that could not be done now."""
        self.app.let_in(first, None, "lift-shield", child_id)
        somebody = self.app.ids.new()
        command = LiftShield(
            at=self.app.now(), reason=reason, proposed_by=first.account, confirmed_by=somebody
        )
        with self.app.refusals_recorded(first, "lift-shield", child_id):
            version = self.app.writing.check(child_id, command, self.app.metadata(first))
        return self.propose(first, Wanted("lift-shield", child_id, version, reason), "casework")

    def propose_merge(self, kept: UUID, closed: UUID, reason: str, first: Actor) -> Json:
        """Propose to make one record of two. Whether it can be done is said to whoever confirms it, and does it."""
        (other_version,) = self._versions(closed)
        return self._propose_as_it_stands(
            first, Wanted("merge-records", kept, code=reason, words=closed, other_version=other_version)
        )

    def propose_split(self, whole: UUID, reason: str, to_second: Sequence[int], first: Actor) -> Json:
        """Propose to make two records of one again; whether it can be done is said as of a merge. Raises BadInput."""
        if len(to_second) > MOST_TO_SECOND:
            raise BadInput(
                f"A proposal names {MOST_TO_SECOND} versions at most: split first, and correct the halves.",
                code="too-many",
                field="to_second",
            )
        return self._propose_as_it_stands(
            first, Wanted("split-record", whole, code=reason, to_second=tuple(to_second))
        )

    def propose_seal(self, child_id: UUID, first: Actor) -> Json:
        """Propose to seal the record of an old identity; whether it can be done is said as of a merge."""
        return self._propose_as_it_stands(first, Wanted("seal-record", child_id))

    def _propose_as_it_stands(self, first: Actor, wanted: Wanted) -> Json:
        self.app.let_in(first, None, ACTS[wanted.act].right, wanted.subject)
        (version,) = self._versions(wanted.subject)
        return self.propose(first, replace(wanted, version=version), self.app.reason(first))

    def _versions(self, *records: UUID) -> tuple[int, ...]:
        """At which versions records stand; 0 of one that is not there, which is not told from one that is."""
        heads = self.app.serving.heads(records)
        return tuple(heads.get(one, 0) for one in records)

    def propose_hand_over(self, command: HandOver, first: Actor) -> Json:
        """Propose to hand facts over: shows them to whoever proposes it, on record as a look."""
        shown = hand_over(command, self.app.looking(first), proposing=True)
        version = self._version_shown(shown.access_id)
        wanted = Wanted(
            "hand-over", command.child_id, version, command.ground, command.fields, shown.access_id
        )
        return {
            **self.propose(first, wanted, command.reason or self.app.reason(first)),
            "handing_over": shown.display,
        }

    def reply(self, command: ReplyToSubject, looking: Looking) -> Json:
        """Give the reply to a request, and put on record that it was answered. `account`: for the authority alone."""
        replied = reply_to_subject(command, looking)
        answered = AnswerSubjectAccess(
            at=command.at,
            request=command.request,
            access=replied.access_id,
            withheld=command.withheld or (),
        )
        self.app.record(command.child_id, answered, looking.viewer)
        return {"access_id": replied.access_id, "reply": replied.reply, "account": replied.account}

    def propose_reply(self, command: ReplyToSubject, first: Actor) -> Json:
        """Propose the reply to a request: shows it to whoever proposes it, on record as a look."""
        shown = reply_to_subject(command, self.app.looking(first), proposing=True)
        version = self._version_shown(shown.access_id)
        wanted = Wanted("reply-to-subject", command.child_id, version, words=shown.access_id)
        return {**self.propose(first, wanted, command.reason or self.app.reason(first)), "reply": shown.reply}

    def propose_opening(self, command: OpenArchive, first: Actor) -> Json:
        """Propose to open an archived record. That it was asked for is on record; nothing is shown."""
        shown = open_archive(command, self.app.looking(first), proposing=True)
        version = self._version_shown(shown.access_id)
        wanted = Wanted("open-archive", command.child_id, version, words=shown.access_id)
        return self.propose(first, wanted, command.reason or self.app.reason(first))

    def _version_shown(self, access_id: UUID) -> int:
        """At which version a record was shown to whoever proposes something about it."""
        looked = self.app.access_log.load(access_id)
        return looked.event.hits[0].version if looked else 0

    def propose(self, first: Actor, wanted: Wanted, purpose: str) -> Json:
        """Put on record that an act is proposed to somebody else; whoever proposes is let in to do it already."""
        right = ACTS[wanted.act].right
        self.must_show_second_factor(first, right, wanted.subject, None)
        proposal_id = self.app.ids.new()
        command = self._proposing(proposal_id, first, wanted)
        with self.app.refusals_recorded(first, right, wanted.subject):
            metadata = self.app.metadata(first, purpose=purpose)
            handle(proposal_id, command, store=self.app.serving, rules=self.app.rules, metadata=metadata)
        self.app.catch_up()
        return self._told(proposal_id)

    def _proposing(self, proposal_id: UUID, first: Actor, wanted: Wanted) -> ProposeAct:
        """What is proposed, with a keyed digest of it: nothing of it can be exchanged for something else."""
        shown = canonical({**wanted.shown(), "proposed_by": str(first.account)})
        return ProposeAct(
            at=self.app.now(),
            digest=self.app.tokens.token("proposal", proposal_id.bytes + shown),
            act=wanted.act,
            subject=wanted.subject,
            version=wanted.version,
            code=wanted.code,
            fields=wanted.fields,
            words=wanted.words,
            other_version=wanted.other_version,
            to_second=wanted.to_second,
        )

    # Rule sets

    def adopt(self, text: bytes, first: Actor, second: Actor) -> Json:
        """Adopt a rule set, by two people who are both there. Gives the receipt and its proof."""
        self.app.let_both_in(first, second, "policy", RULE_BOOK)
        adopting = Adopting(self.app)
        metadata = self.app.metadata(first, second, self.app.reason(first))
        with self.app.refusals_recorded(first, "policy", RULE_BOOK, second):
            file = adopting.read(text)
            beside = self._both_at_once(first, _adoption(file, 0))
            answer = adopting.adopt(file, self.app.now(), metadata, beside)
        self.app.catch_up()
        return answer

    def propose_adoption(self, text: bytes, first: Actor) -> Json:
        """Propose to adopt a rule set. Refused where that could not be done now."""
        self.app.let_in(first, None, "policy", RULE_BOOK)
        adopting = Adopting(self.app)
        with self.app.refusals_recorded(first, "policy", RULE_BOOK):
            file = adopting.read(text)
            version = adopting.check(file, self.app.now())
        return self.propose(first, _adoption(file, version), self.app.reason(first))

    # Looking at proposals

    def listed(self, viewer: Actor) -> Shown:
        """What waits for a second person, of one's own organisation and of acts that one may confirm."""
        self.app.catch_up()
        found: list[UUID] = []
        for proposal_id in self.app.waiting.open_proposals(self.app.now(), _MOST_LISTED):
            proposal = proposal_of(proposal_id, self.app.serving)
            right = ACTS[proposal.made.act].right
            near = self._proposer(proposal).organisation == viewer.organisation
            if near and self.app.rules.role_may(viewer.role, right):
                found.append(proposal_id)
        return read_about(self._about(viewer, None, found), self.app.looking(viewer))

    def shown(self, viewer: Actor, proposal_id: UUID) -> Shown:
        """One proposal, whole: what will be done. Of facts to be handed over the facts too, as a look at them."""
        proposal = self._may_do(viewer, proposal_id)
        if proposal.made.act == "hand-over" and proposal.state_at(self.app.now()) == "open":
            command = self._handing_over(proposal, viewer.account, self.app.ids.new())
            command = command.model_copy(update={"confirmed_by": None})
            shown = hand_over(command, self.app.looking(viewer), proposing=True)
            return Shown(shown.access_id, {**self._told(proposal_id), "handing_over": shown.display})
        if proposal.made.act == "reply-to-subject" and proposal.state_at(self.app.now()) == "open":
            reading = self._replying(proposal, None, self.app.ids.new())
            replied = reply_to_subject(reading, self.app.looking(viewer), proposing=True)
            return Shown(replied.access_id, {**self._told(proposal_id), "reply": replied.reply})
        shown = read_about(self._about(viewer, proposal_id, [proposal_id]), self.app.looking(viewer))
        (told,) = shown.display["proposals"]
        return Shown(shown.access_id, told)

    def _told(self, proposal_id: UUID) -> Json:
        """One proposal as it stands, whole."""
        (told,) = self.app.staff.proposals([proposal_id], self.app.trail.reach(), self.app.now())
        return told

    def _about(self, viewer: Actor, proposal_id: UUID | None, listed: Sequence[UUID]) -> ReadAbout:
        return ReadAbout(
            at=self.app.now(),
            access_id=self.app.ids.new(),
            reason=self.app.reason(viewer),
            action="two-people",
            what="proposals",
            subject=proposal_id,
            listed=tuple(listed),
        )

    # Deciding

    def withdraw(self, actor: Actor, proposal_id: UUID) -> UUID:
        """Take a proposal back, or decline it. Gives the receipt."""
        proposal = self._may_do(actor, proposal_id)
        right, subject = ACTS[proposal.made.act].right, proposal.made.subject
        metadata = self.app.metadata(actor, purpose=self.app.reason(actor))
        with self._decided(proposal, metadata), self.app.refusals_recorded(actor, right, subject):
            command = WithdrawProposal(at=self.app.now())
            handle(proposal_id, command, store=self.app.serving, rules=self.app.rules, metadata=metadata)
        return metadata.correlation

    def confirm(
        self,
        second: Actor,
        proposal_id: UUID,
        digest: bytes,
        file: Path | None,
        older: Sequence[str] = (),
    ) -> Json:
        """Confirm an act that somebody else proposed, and do it. file, older: see `cli.evidence.write_evidence`.

        Raises NotFound, AccessDenied, Refused: `same-person`, `manages-the-other`, `proposal-expired`,
        `already-confirmed`, `proposal-withdrawn`, `not-what-was-shown`, `record-changed`; each is on record with both
        people before it is told.
        """
        proposal = self._may_do(second, proposal_id)
        made = proposal.made
        right = ACTS[made.act].right
        first = self._proposer(proposal)
        self.must_be_another(second, first, right, made.subject)
        if made.act != "export" and older:
            raise BadInput("--since goes with an evidence pack alone.", code="usage", field="since")
        if ACTS[made.act].writes and file is None:
            raise BadInput("Say where it is to be written: --file FILE.", code="usage", field="file")
        self.must_show_second_factor(second, right, made.subject, first)
        confirming = ConfirmAct(at=self.app.now(), digest=digest)
        purpose = proposal.purpose or "casework"
        metadata = self.app.metadata(first, second, purpose).model_copy(update={"causation": proposal_id})
        with (
            self._decided(proposal, metadata),
            self.app.refusals_recorded(second, right, made.subject, first),
        ):
            goes_on = self._was_cut_off(proposal, second, digest)
            if not goes_on:
                decide(proposal, confirming, self.app.rules)
            if not ACTS[made.act].look:
                return self._changed(proposal, confirming, (first, second), metadata, file)

            def confirm(_: Access) -> None:
                with self.app.refusals_recorded(second, right, made.subject, first):
                    handle(
                        proposal_id,
                        confirming,
                        store=self.app.serving,
                        rules=self.app.rules,
                        metadata=metadata,
                    )

        looking = self.app.looking(first)
        if not goes_on:
            looking = replace(looking, log=ConfirmedFirst(looking.log, confirm))
        return self._looked(proposal, second, looking, file, older)

    def _changed(
        self,
        proposal: Proposal,
        confirming: ConfirmAct,
        people: tuple[Actor, Actor],
        metadata: Metadata,
        file: Path | None,
    ) -> Json:
        """Do what changes something, together with its confirmation."""
        made, reason, (first, second) = proposal.made, proposal.made.code or "", people
        beside = self._confirming(proposal, confirming)
        match made.act:
            case "adopt-rule-set":
                return self._confirm_adoption(proposal, confirming, metadata)
            case "destroy-early":
                return self._destroy(made.subject, reason, metadata, beside)
            case "lift-shield":
                return self._lift(made.subject, reason, first, second, metadata, beside)
            case "merge-records":
                assert made.words is not None  # noqa: S101 - none is proposed without the other record
                receipt = self.app.merge(made.subject, made.words, reason, first, second, (metadata, beside))
                return {"receipt": receipt}
            case "split-record":
                return self.app.split(made.subject, reason, made.to_second, first, second, (metadata, beside))
            case "seal-record":
                assert file is not None  # noqa: S101 - asked for before anything was decided
                return seal_into(file, self.app, made.subject, first, second, (metadata, beside))
            case _:
                raise AssertionError("unreachable")

    def _confirming(self, proposal: Proposal, confirming: ConfirmAct) -> Callable[..., Change]:
        """The confirmation of a change, given the versions of its records: refused where one has changed since."""
        made = proposal.made
        shown = (made.version,) if made.act != "merge-records" else (made.version, made.other_version)

        def beside(*versions: int) -> Change:
            change = change_of(proposal.proposal_id, confirming, store=self.app.serving, rules=self.app.rules)
            if versions != shown:
                raise record_changed()
            return change

        return beside

    def _confirm_adoption(self, proposal: Proposal, confirming: ConfirmAct, metadata: Metadata) -> Json:
        made, adopting = proposal.made, Adopting(self.app)

        def beside(version: int) -> Change:
            change = change_of(proposal.proposal_id, confirming, store=self.app.serving, rules=self.app.rules)
            if version != made.version:
                raise rules_changed()
            return change

        return adopting.adopt(self.app.staff.rule_file(made), confirming.at, metadata, beside)

    def _looked(
        self,
        proposal: Proposal,
        second: Actor,
        looking: Looking,
        file: Path | None,
        older: Sequence[str],
    ) -> Json:
        made, access_id = proposal.made, proposal.proposal_id
        if made.act == "hand-over":
            shown = hand_over(self._handing_over(proposal, second.account, access_id), looking)
            return {"access_id": shown.access_id, "handed_over": shown.display}
        if made.act == "reply-to-subject":
            return self.reply(self._replying(proposal, second.account, access_id), looking)
        if made.act == "open-archive":
            opened = open_archive(self._opening(proposal, second.account, access_id), looking)
            return {"access_id": opened.access_id, "record": opened.display}
        if made.act == "replay":
            again = ReplayAccess(
                at=self.app.now(),
                access_id=access_id,
                reason=proposal.purpose,
                replayed=made.subject,
                confirmed_by=second.account,
            )
            return told_again(replay(again, looking), self.app)
        assert file is not None  # noqa: S101 - asked for before anything was decided
        return write_evidence(
            self.app, looking, made.subject, file, proposal.purpose, second.account, access_id, older
        )

    def _handing_over(self, proposal: Proposal, confirmed_by: UUID, access_id: UUID) -> HandOver:
        words, made = self.app.staff.words(proposal), proposal.made
        if words is None:
            raise Refused(
                "What was to be handed over has been destroyed by law.", code="destroyed", field="proposal"
            )
        return HandOver(
            at=self.app.now(),
            access_id=access_id,
            reason=proposal.purpose,
            confirmed_by=confirmed_by,
            child_id=made.subject,
            ground=words.ground,
            recipient=words.recipient,
            reference=words.reference,
            fields=made.fields,
            version=made.version,
        )

    def _replying(self, proposal: Proposal, confirmed_by: UUID | None, access_id: UUID) -> ReplyToSubject:
        asked, made = self.app.staff.reply_asked_for(proposal), proposal.made
        if asked is None or asked.request is None:
            raise _destroyed()
        return ReplyToSubject(
            at=self.app.now(),
            access_id=access_id,
            reason=proposal.purpose,
            confirmed_by=confirmed_by,
            child_id=made.subject,
            request=asked.request,
            withheld=asked.withheld,
            version=made.version,
        )

    def _opening(self, proposal: Proposal, confirmed_by: UUID, access_id: UUID) -> OpenArchive:
        asked, made = self.app.staff.asked_for(proposal), proposal.made
        if asked is None:
            raise _destroyed()
        return OpenArchive(
            at=self.app.now(),
            access_id=access_id,
            reason=proposal.purpose,
            confirmed_by=confirmed_by,
            child_id=made.subject,
            reference=asked.reference,
            version=made.version,
        )

    def _was_cut_off(self, proposal: Proposal, second: Actor, digest: bytes) -> bool:
        """Whether this person confirmed this look before, and it was never made."""
        made = proposal.made
        return (
            ACTS[made.act].look
            and proposal.state == "confirmed"
            and proposal.confirmed_by == second.account
            and made.digest == digest
            and self.app.access_log.load(proposal.proposal_id) is None
        )

    def _may_do(self, actor: Actor, proposal_id: UUID) -> Proposal:
        """A proposal of an act that this account may do. Raises NotFound, AccessDenied; on record before it is told."""
        self.app.let_in(actor, None, "two-people", proposal_id)
        with self.app.refusals_recorded(actor, "two-people", proposal_id):
            proposal = proposal_of(proposal_id, self.app.serving)
        self.app.let_in(actor, None, ACTS[proposal.made.act].right, proposal.made.subject)
        return proposal

    def _proposer(self, proposal: Proposal) -> Actor:
        if proposal.proposed_by is None:
            raise Refused("Nobody confirmed this in time: propose it anew.", code="proposal-expired")
        return self.app.actor_with(proposal.proposed_by)

    def must_be_another(self, second: Actor, first: Actor, right: Right, subject: UUID | None) -> None:
        """Let a second person in, who is not whoever proposed it. Raises as `App.let_in`, and Refused of one person."""
        self.app.let_in(second, first, right, subject)
        if second.account == first.account:
            self.app.record_refusal(second, right, SAME_PERSON, subject, first)
            raise Refused("Whoever proposed this does not confirm it: another does.", code=SAME_PERSON)

    def must_show_second_factor(
        self, actor: Actor, right: Right, subject: UUID | None, other: Actor | None
    ) -> None:
        """Raise that somebody is to show their second factor first, where they have not lately; on record before."""
        if proved_lately(actor, self.app.now(), self.app.rules):
            return
        self.app.record_refusal(actor, right, STEP_UP, subject, other)
        raise step_up_asked_for()

    @contextmanager
    def _decided(self, proposal: Proposal, metadata: Metadata) -> Iterator[None]:
        """Afterwards the list of what waits is up to date, and that time has run out is on record."""
        command = ExpireProposal(at=self.app.now())
        if proposal.state == "open" and proposal.state_at(command.at) == "expired":
            handle(
                proposal.proposal_id,
                command,
                store=self.app.serving,
                rules=self.app.rules,
                metadata=metadata,
            )
        try:
            yield
        finally:
            self.app.catch_up()


def _adoption(file: RuleFile, version: int) -> Wanted:
    """The act of adopting: by the id, and the first half of the digest of the file, which no other file shares."""
    half = UUID(bytes=bytes.fromhex(file.digest)[:16])
    return Wanted("adopt-rule-set", RULE_BOOK, version, file.rules.id, words=half)


def told_again(found: Replayed, app: App) -> Json:
    """An access shown again, as it is printed. Beside a trail stand the names of accounts, as they are now."""
    shown = found.as_displayed
    if isinstance(entries := shown.get("entries"), list) and "next" in shown:
        shown = {**shown, "entries": app.named(entries)}
    return {
        "access_id": found.access_id,
        "as_displayed": shown,
        "digest_matches": found.digest_matches,
        "policy": found.policy,
        "instant": found.instant,
        "rules": list(found.rules),
    }


def _destroyed() -> Refused:
    """That what was proposed about a record went with it."""
    return Refused("This record has been destroyed by law.", code="destroyed", field="proposal")
