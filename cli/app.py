"""One opened home, as the commands use it: who acts, what they look at, what they change, what falls due."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, NoReturn, TypeAlias
from uuid import UUID

from adapters.access_log import StoredAccessLog
from adapters.fhir import audit_events
from adapters.rule_files import RuleFile, StoredRuleBook, packaged
from adapters.serving import OneRecord, ServedRecords
from adapters.staff_acts import ServedStaffActs
from cli.kept_session import SessionToken
from cli.output import Json, Output
from cli.parsing import service_name, uuid_of
from cli.proving import Proving
from cli.sealing import Seals
from cli.streaming import Streaming
from cli.upkeep import Upkeep
from cli.writing import Writing
from domain.access.commands import Look, ReadDue, ReadWrongViews
from domain.access.go_live import Authorities
from domain.access.handlers import read_due
from domain.access.letting_in import SAME_PERSON, decide_act, let_in, record_refusal
from domain.access.local_team import read_wrong_views
from domain.access.model import Actor, actor_of
from domain.access.ports import Adults, Finder, HeldRecords, LocalTeam, Looking, Oversight, Trail
from domain.access.showing import NOT_FOUND, Shown
from domain.account.handlers import account_named
from domain.account.model import Account
from domain.account.model import fold as fold_account
from domain.child_record import commands
from domain.child_record.events import SourceKind
from domain.child_record.handlers import held_now
from domain.child_record.model import fold
from domain.clients import ClientSignIn
from domain.errors import AccessDenied, BadInput, NoReceipt, NotFound, Refused
from domain.federation import FederatedSignIn
from domain.identifiers import valid_index_number
from domain.kernel import Change, Command, Log, Metadata
from domain.mediation import Mediating
from domain.organisation.model import fold as fold_organisation
from domain.policy.retention import london_day
from domain.ports import Clock, EventStore, Ids, Receipts, RuleTexts, Tokens
from domain.proposal.commands import ExpireProposal
from domain.proposal.handlers import handle
from domain.rule_set.model import Right, RuleSet, digest, parse
from domain.sessions import SessionService
from domain.signing_in import SigningIn
from domain.supply.commands import DecideHeldRecord
from projections.access_register.queries import AccessRegister
from projections.oversight.queries import Waiting
from projections.rebuild import Operations

INDEX_ACTOR: Final = UUID("696e6465-7800-4000-8000-000000000001")
"""The index itself, where no account acts."""

_MOST_EXPIRED: Final = 10_000
"""Proposals that one run finds expired at most."""

RIGHTS: Final[dict[type[Command], Right]] = {
    commands.RegisterChild: "register-child",
    commands.AssertFacts: "assert-facts",
    commands.AssignAuthority: "assign-authority",
    commands.BeginInvolvement: "begin-involvement",
    commands.EndInvolvement: "end-involvement",
    commands.WithdrawSensitiveConsent: "withdraw-sensitive-consent",
    commands.GiveSensitiveConsent: "begin-involvement",
    commands.JudgeCompetence: "begin-involvement",
    commands.ReviewCause: "begin-involvement",
    commands.RaiseShield: "raise-shield",
    commands.LiftShield: "lift-shield",
    commands.GiveExtensionConsent: "give-extension-consent",
    commands.WithdrawExtensionConsent: "withdraw-extension-consent",
    commands.NotifyDeath: "notify-death",
    commands.ArchiveRecord: "archive-record",
    commands.RequestShield: "raise-shield",
    commands.VerifyShieldRequester: "decide-shield",
    commands.DecideShield: "decide-shield",
    commands.ReviewShield: "decide-shield",
    commands.ReverseDeath: "reverse-death",
    commands.HoldDestruction: "hold",
    commands.ReleaseHold: "hold",
    commands.RequestSubjectAccess: "subject-access",
    commands.ClaimRight: "subject-access",
    commands.DecideRight: "subject-access",
    commands.PauseSubjectAccess: "subject-access",
    commands.ResumeSubjectAccess: "subject-access",
    commands.AnswerSubjectAccess: "subject-access",
    commands.AskForContact: "ask-contact",
    commands.PassOnContact: "broker-contact",
    commands.AnswerContact: "answer-contact",
    commands.OfferTransfer: "transfer-record",
    commands.WithdrawTransfer: "transfer-record",
    commands.DeclineTransfer: "transfer-record",
    commands.AcceptTransfer: "transfer-record",
    commands.AllocateAuthority: "allocate-authority",
}
"""The right that each command of the child record needs; a correction needs `correct-facts`."""


Confirming: TypeAlias = tuple[Metadata, Callable[..., Change]]
"""Of an act that was proposed: the metadata of both people, and what gives the confirmation that is appended beside it,
by the versions at which the records that it is done to stand."""

SIGN_IN: Final = "sign-in-required"
"""The code of a refusal because somebody said who acts, and did not sign in."""


def _right_to(command: Command) -> Right:
    correction = isinstance(command, commands.AssertFacts) and command.source_kind is SourceKind.OFFICER
    return "correct-facts" if correction else RIGHTS[type(command)]


@dataclass
class App:
    """What a command works with. Serving reads through `serving`, which cannot open what a shield hides."""

    home: Path
    training: bool
    clock: Clock
    ids: Ids
    book: StoredRuleBook
    rule_texts: RuleTexts
    tokens: Tokens
    serving: EventStore
    one_record: OneRecord
    access_log: StoredAccessLog
    receipts: Receipts
    finder: Finder
    trail: Trail
    watching: Oversight
    authorities: Authorities
    held: HeldRecords
    adults: Adults
    team: LocalTeam
    staff: ServedStaffActs
    listed: AccessRegister
    waiting: Waiting
    lifts_due: Callable[[date], list[UUID]]
    operations: Operations
    upkeep: Upkeep
    seals: Seals
    proving: Proving
    streaming: Streaming
    make_writing: Callable[[], Writing]
    make_vouching: Callable[[SessionService], tuple[FederatedSignIn, ClientSignIn]]
    make_signing: Callable[[Callable[[Actor], Looking]], SigningIn]

    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now()

    def today(self) -> date:
        """The legal day."""
        return london_day(self.now())

    @property
    def rules(self) -> RuleSet:
        """The rules in force now."""
        return self.book.at(self.now())

    def rules_at(self, instant: datetime) -> RuleSet:
        """The rules in force at an instant."""
        return self.book.at(instant)

    # Who acts

    def account_id(self, name: str) -> UUID:
        """The account of a name or id. Raises NotFound."""
        try:
            return UUID(name)
        except ValueError:
            account = account_named(name, store=self.serving, tokens=self.tokens)
        if account is None:
            raise NotFound("There is no such account.", field="account")
        return account.account_id

    @cached_property
    def signing(self) -> SigningIn:
        """What signing in needs, and sessions: opened when a command first needs it."""
        return self.make_signing(self.looking)

    @cached_property
    def mediating(self) -> Mediating:
        """How callers let mediators look, and which caller did."""
        return Mediating(self.signing.sessions, self.access_log, self.tokens)

    @cached_property
    def vouching(self) -> tuple[FederatedSignIn, ClientSignIn]:
        """How people sign in on a provider's word, and programs with keys of their own."""
        return self.make_vouching(self.signing.sessions)

    def signed_in(self, token: SessionToken) -> Actor:
        """Whoever is signed in, about their own sessions: which is no use of one. Raises AccessDenied."""
        return self.signing.sessions.holder(token.token, self.now())

    def viewer(self, acting: str | SessionToken) -> Actor:
        """Whoever acts: by a session, or in a training home by a name; as the log has the account now.

        What they do decides whether they are let in. Raises NotFound where no account ever had the name, AccessDenied
        for a session that has ended, and for a name but in a training home: elsewhere nobody may say who they are.
        """
        if isinstance(acting, SessionToken):
            return self.signing.sessions.actor(acting.token, self.now(), acting.device)
        name = acting
        if not self.training:
            self.signing.sessions.refuse(None, "name", SIGN_IN, self.now())
            raise AccessDenied(
                "Only in a training home is a name enough. Elsewhere everybody signs in: `contactpoint sign-in`.",
                code=SIGN_IN,
                field="as",
            )
        account = account_named(name, store=self.serving, tokens=self.tokens)
        if account is None or account.opened is None:
            raise NotFound(
                "There is no such account. `init --training` lists those of a training home.", field="as"
            )
        return self._actor(account)

    def holder_of(self, name: str, field: str) -> Actor:
        """The holder of an account of this name as the log has it now. Raises NotFound about this field."""
        account = account_named(name, store=self.serving, tokens=self.tokens)
        if account is None or account.opened is None:
            raise NotFound("There is no such account.", field=field)
        return self._actor(account)

    def actor_with(self, account_id: UUID) -> Actor:
        """The holder of an account as the log has it now. Raises NotFound where there is none."""
        return self._actor(fold_account(self.serving.load(account_id)))

    def _actor(self, account: Account) -> Actor:
        opened = account.opened
        if opened is None:
            raise NotFound("There is no such account.", field="account")
        organisation = fold_organisation(self.serving.load(opened.organisation))
        return actor_of(account, organisation, training=self.training)

    def second(
        self, first: Actor, name: str | None, right: Right, subject: UUID | None = None
    ) -> Actor | None:
        """The second person, if one is named: another, who may do what the first may.

        Raises Refused, AccessDenied; either is on record before it is told, with both people.
        """
        if name is None:
            return None
        if not self.training:
            self.record_refusal(first, right, SIGN_IN, subject, None)
            raise AccessDenied(
                "Only in a training home may --with say who the second person is. Elsewhere they sign in themselves.",
                code=SIGN_IN,
                field="with",
            )
        second = self.viewer(name)
        self.let_both_in(first, second, right, subject)
        return second

    def let_both_in(self, first: Actor, second: Actor, right: Right, subject: UUID | None) -> None:
        """Let two people in, who are not one. Raises as `let_in`, and Refused of one account named twice."""
        self.let_in(first, second, right, subject)
        if second.account == first.account:
            self.record_refusal(first, right, SAME_PERSON, subject, second)
            raise Refused("The second person must be another.", code=SAME_PERSON)

    def two_needed(self, viewer: Actor, right: Right, subject: UUID) -> NoReturn:
        """Refuse, for want of a second person, what one may not do alone; on record before it is told."""
        refused = Refused(
            "This record is shielded: name a second auditor with --with ACCOUNT, or --propose it to one.",
            code="two-people-needed",
        )
        self.record_refusal(viewer, right, refused.code, subject, None)
        raise refused

    def permitted(self, acting: str | SessionToken, right: Right) -> Actor:
        """Whoever acts, if they are let in to run the index by this right. Raises AccessDenied."""
        viewer = self.viewer(acting)
        self.let_in(viewer, None, right)
        return viewer

    # Looking

    def child(self, text: str) -> UUID:
        """A record's id, from the id or the index number as typed: the record itself, also where it is closed.

        Raises NotFound where the number was never issued.
        """
        found = self._child(text)
        if found is None:
            raise NotFound(NOT_FOUND, field="child")
        return found

    def child_or_nobody(self, text: str) -> UUID:
        """The record that this one leads to; of a number that was never issued an id that is nobody's.

        A number that was merged leads to the survivor. Where that is shielded it leads nowhere: the one number must not
        tell the other, which is all that whoever knows the child by its former name lacks.

        What follows then asks for the right, refuses and records as for any record that is not open to the viewer: to
        refuse here would tell somebody without the right which numbers were issued.
        """
        number = self._number(text)
        found = self._child(text)
        now = held_now(found, self.serving) if found is not None else None
        if now is not None and now != found:
            record = fold(self.serving.load(now))
            if record.shielded and record.index_number != number:
                now = None
        return now or self.ids.new()

    def _child(self, text: str) -> UUID | None:
        number = self._number(text)
        return UUID(text) if number is None else self.serving.find(number.encode())

    def _number(self, text: str) -> str | None:
        """The index number that was typed; None where it is an id. Raises BadInput where it is neither."""
        try:
            UUID(text)
        except ValueError:
            pass
        else:
            return None
        try:
            return valid_index_number(text)
        except ValueError:
            raise BadInput(
                "CHILD is neither an id nor an index number: copy it from a search.", field="child"
            ) from None

    def looking(self, viewer: Actor) -> Looking:
        """What looking needs, for this viewer."""
        return Looking(
            viewer=viewer,
            ids=self.ids,
            rules=self.rules,
            rules_by_id=self._rules_by_id,
            rules_by_digest=self._rules_by_digest,
            finder=self.finder,
            records=ServedRecords(self.serving, self.one_record, self.ids, self.book),
            log=self.access_log,
            receipts=self.receipts,
            trail=self.trail,
            held=self.held,
            adults=self.adults,
            oversight=self.watching,
            authorities=self.authorities,
            team=self.team,
            staff=self.staff,
            audit_events=audit_events,
        )

    def _rules_by_id(self, rule_set: str) -> RuleSet:
        return self.book.book().named(rule_set)

    def _rules_by_digest(self, file_digest: str) -> RuleSet:
        """The rule set of a file that was kept, or ships. Raises Refused where it is not here."""
        ships = next((one.rules for one in packaged().values() if one.digest == file_digest), None)
        if ships is not None:
            return ships
        kept = self.rule_texts.text(bytes.fromhex(file_digest))
        if kept is None:
            raise Refused("The rules that this was tried under are not here.", code="no-such-policy")
        return parse(kept.decode())

    def rule_set(self, text: str) -> RuleFile:
        """A rule set that was adopted or ships, or one of a file. Raises BadInput."""
        for one in self.book.adopted():
            if one.rule_set == text:
                kept = self.rule_texts.text(bytes.fromhex(one.digest)) or b""
                return RuleFile(self.book.book().named(text), one.digest, kept)
        known = packaged().get(text)
        if known is not None:
            return known
        try:
            written = Path(text).read_bytes()
            parsed = parse(written.decode())
        except (OSError, UnicodeDecodeError, ValueError):
            names = dict.fromkeys([*(one.rule_set for one in self.book.adopted()), *packaged()])
            raise BadInput(
                f"--policy is a file, or one of: {', '.join(names)}.",
                code="no-such-policy",
                field="policy",
            ) from None
        return RuleFile(parsed, digest(written), written)

    def named(self, entries: Sequence[Json]) -> list[Json]:
        """Entries of the audit trail with the names of the accounts in them."""
        names: dict[str, str | None] = {}
        named: list[Json] = []
        for entry in entries:
            account = entry.get("account") or entry.get("actor")
            if account and account not in names:
                opened = fold_account(self.serving.load(UUID(str(account)))).opened
                names[account] = opened.name if opened else None
            named.append({**entry, "account_name": names[account]} if account else entry)
        return named

    def rule_sets(self) -> list[Json]:
        """The rule sets of this home in the order in which they follow, then those of the product that it has not."""
        adopted = {one.rule_set: one.digest for one in self.book.adopted()}
        book = self.book.book()
        sets = [(one, adopted[one.id]) for one in book.sets]
        sets += [(file.rules, file.digest) for name, file in packaged().items() if name not in adopted]
        return [
            {
                "id": rules.id,
                "title": rules.title,
                "valid_from": rules.valid_from,
                "valid_to": book.ends if rules is book.sets[-1] else rules.valid_to,
                "digest": one_digest,
                "adopted": rules.id in adopted,
                "in_force": rules.id in adopted and rules.in_force(self.today()),
            }
            for rules, one_digest in sets
        ]

    # Changing

    @cached_property
    def writing(self) -> Writing:
        """What changes records: opened when a command first needs it, under a role that serving does not have."""
        return self.make_writing()

    def metadata(self, viewer: Actor, second: Actor | None = None, purpose: str = "casework") -> Metadata:
        """Who does it, why, and the receipt it is known by."""
        return Metadata(
            actor=viewer.account,
            confirmed_by=second.account if second else None,
            purpose=purpose,
            correlation=self.ids.new(),
        )

    def record(self, child_id: UUID, command: Command, viewer: Actor) -> UUID:
        """Carry out one command of the child record, which one person may give, and give its receipt."""
        self.let_in(viewer, None, _right_to(command), child_id)
        metadata = self.metadata(viewer)
        with self.refusals_recorded(viewer, _right_to(command), child_id):
            self.writing.handle(child_id, command, metadata)
        self.catch_up()
        return metadata.correlation

    def lift_shield(
        self,
        child_id: UUID,
        command: commands.LiftShield,
        people: tuple[Actor, Actor],
        metadata: Metadata,
        beside: Callable[[int], Change],
    ) -> Json:
        """Lift the shield of a record as two people, who are let in to it, have decided; the receipt, and its proof.

        That they decided it is on record and sealed before it has any effect, and what it did before it is
        acknowledged. beside: see `domain.child_record.handlers.carry_out`. Raises Refused, NoReceipt, which says how
        far it got.
        """
        first, second = people
        self.writing.check(child_id, command, metadata, beside)
        decide_act(self._asked(first, second), "lift-shield", self.looking(first), child_id)
        done = self.writing.handle(child_id, command, metadata, beside)
        self.catch_up()
        version = done.record.version if done.record else 0
        try:
            (proof,) = self.receipts.awaited(Log.RECORD, [(child_id, version)])
        except NoReceipt as missing:
            raise missing.after(
                "The shield is lifted, and that is on record, but it is not acknowledged yet."
            ) from None
        return {"receipt": metadata.correlation, "receipt_proof": proof}

    def merge(
        self,
        survivor: UUID,
        other: UUID,
        reason: str,
        first: Actor,
        second: Actor | None,
        confirming: Confirming | None = None,
    ) -> UUID:
        """Merge two records as one or two people have decided, and give the receipt.

        confirming: as it was proposed, if it was.
        """
        metadata, beside = self._in_both_names(first, second, confirming)
        command = commands.MergeRecords(
            at=self.now(),
            merge=self.ids.new(),
            by=first.body,
            reason=reason,
            decided_by=first.account,
            confirmed_by=second.account if second else None,
            shield=self.ids.new(),
        )
        with self._refusals_of(confirming, first, "merge-records", survivor, second):
            self.writing.merge(survivor, other, command, metadata, beside)
        self.catch_up()
        return metadata.correlation

    def split(
        self,
        child_id: UUID,
        reason: str,
        to_second: Sequence[int],
        first: Actor,
        second: Actor | None,
        confirming: Confirming | None = None,
    ) -> Json:
        """Undo the last merge of a record; the receipt, and who saw two children as one meanwhile.

        confirming: as it was proposed, if it was.
        """
        metadata, beside = self._in_both_names(first, second, confirming)
        new = self.ids.new
        command = commands.SplitRecord(
            at=self.now(),
            split=new(),
            first=new(),
            second=new(),
            by=first.body,
            reason=reason,
            decided_by=first.account,
            confirmed_by=second.account if second else None,
            to_second=tuple(to_second),
            shields=(new(), new(), new()),
        )
        with self._refusals_of(confirming, first, "split-record", child_id, second):
            since = self.writing.split(child_id, command, metadata, beside)
        self.catch_up()
        if since is None:
            return {"receipt": metadata.correlation, "told": []}
        read = ReadWrongViews(
            at=self.now(), access_id=new(), reason=self.reason(first), child_id=child_id, since=since
        )
        told = read_wrong_views(read, self.looking(first)).display["told"]
        accounts = [UUID(one["account"]) for one in told]
        self.writing.note_wrong_views(child_id, command.split, accounts, metadata)
        self.catch_up()
        return {"receipt": metadata.correlation, "told": self.named(told)}

    def seal(
        self, child_id: UUID, first: Actor, second: Actor | None, confirming: Confirming | None = None
    ) -> tuple[UUID, datetime, frozenset[str]]:
        """Seal the record of an old identity; the receipt, when, and the marks of its sources for the letter.

        confirming: as it was proposed, if it was.
        """
        metadata, beside = self._in_both_names(first, second, confirming)
        command = commands.SealRecord(
            at=self.now(),
            by=first.body,
            decided_by=first.account,
            confirmed_by=second.account if second else None,
            shield=self.ids.new(),
            closing=self.ids.new(),
        )
        with self._refusals_of(confirming, first, "new-identity", child_id, second):
            marks = self.writing.seal(child_id, command, metadata, beside)
        self.catch_up()
        return metadata.correlation, command.at, marks

    def _refusals_of(
        self,
        confirming: Confirming | None,
        first: Actor,
        right: Right,
        child_id: UUID,
        second: Actor | None,
    ) -> AbstractContextManager[None]:
        """Those of an act that two people do at once; of one that was proposed, who has it confirmed records them."""
        return nullcontext() if confirming else self.refusals_recorded(first, right, child_id, second)

    def _in_both_names(
        self, first: Actor, second: Actor | None, confirming: Confirming | None
    ) -> tuple[Metadata, Callable[..., Change] | None]:
        return confirming or (self.metadata(first, second, self.reason(first)), None)

    def register(self, command: commands.RegisterChild, viewer: Actor) -> UUID:
        """Register a child, join it to a record that is there, or hold it back; the receipt does not say which."""
        self.let_in(viewer, None, _right_to(command))
        metadata = self.metadata(viewer)
        with self.refusals_recorded(viewer, _right_to(command)):
            self.writing.register(command, metadata)
        self.catch_up()
        return metadata.correlation

    def decide(self, command: DecideHeldRecord, viewer: Actor) -> UUID:
        """Decide on a record that is held back and give the receipt; what came of it is not said."""
        self.let_in(viewer, None, "decide-held", command.held)
        metadata = self.metadata(viewer, purpose=self.reason(viewer))
        with self.refusals_recorded(viewer, "decide-held", command.held):
            self.writing.decide(command, metadata, viewer.body)
        self.catch_up()
        return metadata.correlation

    def involvement(self, child: str, involvement: str | None, service: str | None) -> UUID:
        """The involvement meant: its id as given, or the standing one of a service of this name.

        Where there is none of that name, an id that is nobody's: a shielded record must not tell what it holds.
        """
        if involvement:
            return uuid_of(involvement, "involvement")
        if not service:
            raise BadInput("Say which: --involvement or --service.", field="service")
        name = service_name(service, "service")
        return self.writing.involvement_of(self.child_or_nobody(child), name) or self.ids.new()

    def load(self, viewer: Actor, kind: str, files: Sequence[Path], *, dry_run: bool, output: Output) -> Json:
        """Load files of one kind."""
        self.let_in(viewer, None, "load")
        answer = self.writing.load(
            kind, files, self.metadata(viewer, purpose=self.reason(viewer)), dry_run=dry_run, output=output
        )
        self.catch_up()
        return answer

    def withdraw(self, viewer: Actor, file_id: UUID) -> Json:
        """Take back a file as a unit."""
        self.let_in(viewer, None, "withdraw-supply")
        answer = self.writing.withdraw(file_id, self.metadata(viewer, purpose=self.reason(viewer)))
        self.catch_up()
        return answer

    # What falls due

    def due(self, viewer: Actor, on: date) -> Shown:
        """What falls due on or before a day; on record as a look."""
        self.catch_up()
        command = ReadDue(at=self.now(), access_id=self.ids.new(), reason=self.reason(viewer), on=on)
        return read_due(command, self.looking(viewer))

    def carry_out(self, viewer: Actor, *, limit: int | None, output: Output) -> Json:
        """Archive and destroy what is due today."""
        self.let_in(viewer, None, "retention")
        self.catch_up()
        due = self.due(viewer, self.today()).display["due"][:limit]
        metadata = self.metadata(viewer, purpose=self.reason(viewer))
        answer = self.writing.carry_out(due, metadata, output)
        lowered = self.writing.complete_lifts(self.lifts_due(self.today()), metadata)
        expired = self._expire_proposals(metadata)
        return {**answer, "lifted": lowered, "expired": expired, "maintained": self.maintain(output)}

    def _expire_proposals(self, metadata: Metadata) -> int:
        """Put on record which proposals nobody confirmed in time; how many."""
        command = ExpireProposal(at=self.now())
        waiting = self.waiting.expired_proposals(command.at, _MOST_EXPIRED)
        found = [
            handle(one, command, store=self.serving, rules=self.rules, metadata=metadata) for one in waiting
        ]
        return sum(len(one.positions) for one in found)

    def maintain(self, output: Output) -> Json:
        """Take what must not be seen any more out of the views, then out of their files; and sign-ins long past."""
        self.catch_up()
        self.signing.sweep(self.now())
        return self.upkeep.maintain(output)

    def catch_up(self) -> None:
        """Bring the views up to what was just written. What is shown never depends on it."""
        self.operations.feed()

    def let_in(self, first: Actor, second: Actor | None, right: Right, subject: UUID | None = None) -> None:
        """Go on, or refuse; on record before it is told. Raises AccessDenied, Refused, AuditUnavailable."""
        asked = self._asked(first, second)
        let_in(asked, right, self.looking(first), second=second, subject=subject)

    @contextmanager
    def refusals_recorded(
        self, viewer: Actor, right: Right, child_id: UUID | None = None, second: Actor | None = None
    ) -> Iterator[None]:
        """What is refused as things stand is on record before it is told. Ill-formed input leaves no trace."""
        try:
            yield
        except BadInput:
            raise
        except Refused as refused:
            self.record_refusal(viewer, right, refused.code, child_id, second)
            raise

    def record_refusal(
        self, viewer: Actor, right: Right, rule: str, subject: UUID | None, second: Actor | None
    ) -> None:
        """Put a refusal on record, with both people where there are two, before it is told."""
        record_refusal(self._asked(viewer, second), right, self.looking(viewer), rule, subject)

    def _asked(self, viewer: Actor, second: Actor | None) -> Look:
        return Look(
            at=self.now(),
            access_id=self.ids.new(),
            reason=self.reason(viewer),
            confirmed_by=second.account if second else None,
        )

    def reason(self, viewer: Actor) -> str:
        """What this account looks for when it runs the index or audits it, where none is given."""
        running = self.rules.access.running
        return next((one for one in running if one in viewer.purposes), running[-1])
