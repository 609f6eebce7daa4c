"""Sessions and signing in outside a training home, by a clock that is set by hand; the same work for who is nobody."""

from base64 import b32encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from adapters.authenticators import StoredAuthenticators
from adapters.factors import StandardFactors
from adapters.ids import RandomIds
from adapters.keys.tokens import SystemTokens
from adapters.memory.signing_in import MemoryAttempts, MemoryAuthenticatorTable, MemorySessions
from domain.access.commands import Look
from domain.access.events import SignedIn, SignInRefused
from domain.access.letting_in import let_in
from domain.access.model import Access, Actor, NotSignedIn
from domain.access.ports import Looking
from domain.account import commands as of_account
from domain.account.events import EVENTS as ACCOUNT_EVENTS
from domain.account.handlers import change_accounts, open_account
from domain.errors import AccessDenied, AuditUnavailable, BadInput, ContactPointError
from domain.kernel import Command, Metadata
from domain.organisation import commands as of_organisation
from domain.organisation.events import EVENTS as ORGANISATION_EVENTS
from domain.organisation.handlers import change_organisation, register
from domain.policy.retention import begin_of
from domain.policy.sessions import age_limit, idle_limit, stands, step_up_period, stepped_up_within
from domain.ports import Session
from domain.rule_set.model import Right
from domain.sessions import NOBODY, SessionService, token_digest
from domain.signing_in import LONGEST_PASSWORD, Proof, SigningIn
from tests.acceptance.authenticators import PASSWORD, code_of
from tests.builders import LONDON_BOROUGH, NOW, TODAY, the_book, the_rules
from tests.homes import memory_home
from tests.unit.domain.test_doors import Closed, Entries

RULES: Final = the_rules()
BOOK: Final = the_book()
MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = timedelta(seconds=1)
EMPLOYER: Final = UUID(int=42)
MANAGER: Final = UUID(int=43)
ASKED_OF_ACCOUNTS: Final = ("authorisation", "check", "training", "agreement")


@dataclass
class Asked:
    """A part of what signing in works with, and what was asked of it, in order."""

    part: Any
    name: str
    told: list[str]

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self.part, verb)
        if not callable(found):  # a constant
            return found

        def ask(*arguments: Any, **named: Any) -> Any:
            self.told.append(f"{self.name}.{verb}")
            return found(*arguments, **named)

        return ask


@dataclass
class Office:
    """A home in memory that is not for training, with an employer whose conditions hold."""

    entries: Entries = field(default_factory=Entries)
    told: list[str] = field(default_factory=list)
    met_on: date = TODAY

    def __post_init__(self) -> None:
        home = memory_home(ACCOUNT_EVENTS | ORGANISATION_EVENTS)
        self.keys = home.service_keys()
        self.store = home.service()
        self.tokens = SystemTokens(self.keys)
        self.attempts = MemoryAttempts()
        self.factors = StandardFactors()
        self.kept = MemorySessions()
        self.authenticators = StoredAuthenticators(MemoryAuthenticatorTable(), self.keys)
        at = begin_of(self.met_on)
        command = of_organisation.RegisterOrganisation(at=at, name="Trust", body="RQX", kind="health")
        metadata = Metadata(actor=MANAGER, correlation=uuid4())
        register(EMPLOYER, command, store=self.store, tokens=self.tokens, metadata=metadata)
        met = [
            of_organisation.RecordOrganisationCondition(at=at, condition=code, met_on=self.met_on)
            for code in ("accreditation", "security-attestation")
        ]
        change_organisation(EMPLOYER, met, store=self.store, rules=RULES, metadata=metadata)

    @property
    def signing(self) -> SigningIn:
        """Signing in, which tells what it asks of which part."""

        def part(name: str, it: Any) -> Any:
            return Asked(it, name, self.told)

        factors, store, log = (
            part("factors", self.factors),
            part("store", self.store),
            part("log", self.entries),
        )
        ids = RandomIds()
        sessions = SessionService(
            kept=part("sessions", self.kept),
            attempts=part("attempts", self.attempts),
            factors=factors,
            store=store,
            log=log,
            ids=ids,
            rules=BOOK,
            looking=self.looking,
            training=False,
        )
        return SigningIn(
            sessions=sessions,
            authenticators=part("authenticators", self.authenticators),
            attempts=part("attempts", self.attempts),
            factors=factors,
            store=store,
            tokens=self.tokens,
            ids=ids,
            rules=BOOK,
        )

    def looking(self, viewer: Actor) -> Looking:
        closed: Any = Closed()
        log: Any = self.entries
        return Looking(
            viewer=viewer,
            ids=RandomIds(),
            rules=RULES,
            rules_by_id=closed,
            rules_by_digest=closed,
            finder=closed,
            records=closed,
            log=log,
            receipts=closed,
            trail=closed,
            held=closed,
            adults=closed,
            oversight=closed,
            authorities=closed,
            team=closed,
            staff=closed,
            audit_events=closed,
        )

    def account(self, name: str, on: date | None = None, role: str = "practitioner") -> UUID:
        """An account with everything on record but an authenticator."""
        account, at = uuid4(), begin_of(on or self.met_on)
        opened = of_account.OpenAccount(
            at=at,
            name=name,
            role=role,
            organisation=EMPLOYER,
            body="RQX",
            area=LONDON_BOROUGH,
            purposes=RULES.roles[role].purposes,
        )
        metadata = Metadata(actor=MANAGER, correlation=uuid4())
        open_account(account, opened, store=self.store, tokens=self.tokens, rules=RULES, metadata=metadata)
        self.change(
            account,
            *(
                of_account.RecordAccountCondition(at=at, condition=code, met_on=at.date())
                for code in ASKED_OF_ACCOUNTS
            ),
        )
        return account

    def change(self, account: UUID, *commands: Command) -> None:
        metadata = Metadata(actor=MANAGER, correlation=uuid4())
        change_accounts(
            [account], commands, store=self.store, tokens=self.tokens, rules=RULES, metadata=metadata
        )

    def enrolled(self, name: str, at: datetime = NOW - timedelta(hours=1)) -> bytes:
        """The secret on the device of a holder who has registered."""
        account = self.account(name)
        signing = self.signing
        code = signing.issue(account, MANAGER, at + timedelta(hours=1))
        secret = signing.enrol(name, code, at)
        signing.enrolled(name, code, PASSWORD, shows(secret, at), at)
        return secret

    def let_in(self, token: str, at: datetime, right: Right = "search", device: str | None = None) -> Actor:
        """Whoever acts by a token on a device, if they are let in."""
        viewer = self.signing.sessions.actor(token, at, device)
        let_in(Look(at=at, access_id=uuid4()), right, self.looking(viewer))
        return viewer


def shows(secret: bytes, at: datetime) -> str:
    return code_of(b32encode(secret).decode(), int(at.timestamp()) // 30)


def a_proof(name: str, secret: bytes, at: datetime = NOW, **changed: Any) -> Proof:
    return replace(Proof(name, PASSWORD, shows(secret, at), "somewhere"), **changed)


def refused_with(code: str, do: Callable[[], object]) -> None:
    with pytest.raises(ContactPointError) as raised:
        do()
    assert raised.value.code == code


# Sessions


def a_session(**changed: Any) -> Session:
    return replace(Session(UUID(int=1), UUID(int=2), "password", NOW, NOW, NOW, 3), **changed)


def test_a_session_stands_for_a_quarter_of_an_hour_unused_and_for_ten_hours_in_all() -> None:
    assert (idle_limit(RULES), age_limit(RULES)) == (timedelta(minutes=15), timedelta(hours=10))
    assert stands(a_session(), NOW + idle_limit(RULES) - MICROSECOND, RULES)
    assert not stands(a_session(), NOW + idle_limit(RULES), RULES)
    seen = a_session(seen_at=NOW + age_limit(RULES) - SECOND)
    assert stands(seen, NOW + age_limit(RULES) - MICROSECOND, RULES)
    assert not stands(seen, NOW + age_limit(RULES), RULES)


def test_a_second_factor_is_fresh_for_a_time_and_not_before_it_was_given() -> None:
    period = step_up_period(RULES)
    assert period == timedelta(minutes=5)
    for after, fresh in (
        (timedelta(), True),
        (period - MICROSECOND, True),
        (period, False),
        (-MICROSECOND, False),
    ):
        assert stepped_up_within(a_session(), period, NOW + after) is fresh
    assert not stepped_up_within(a_session(proved_at=None), period, NOW)
    assert not stepped_up_within(None, period, NOW)


@pytest.mark.parametrize(
    "lapses", [date(2026, 3, 2), date(2026, 3, 29), date(2026, 10, 25), date(2028, 2, 29)]
)
def test_t39_a_live_session_stops_as_the_day_begins_on_which_a_check_lapses(lapses: date) -> None:
    """Also on the days the clocks change; outside a training home."""
    office = Office(met_on=lapses - timedelta(days=200))
    midnight = begin_of(lapses)
    secret = office.enrolled("visitor", midnight - timedelta(hours=1))
    check = of_account.RecordAccountCondition(
        at=midnight - timedelta(hours=1),
        condition="check",
        met_on=lapses - timedelta(days=100),
        ends_on=lapses,
    )
    begun = office.signing.sign_in(
        a_proof("visitor", secret, midnight - timedelta(minutes=10)), midnight - timedelta(minutes=10)
    )
    office.change(begun.session.account, check)

    assert office.let_in(begun.token, midnight - MICROSECOND, device=begun.device).session is not None
    refused_with("check-lapsed", lambda: office.let_in(begun.token, midnight, device=begun.device))
    at = midnight + MICROSECOND
    refused_with("check-lapsed", lambda: office.signing.sign_in(a_proof("visitor", secret, at), at))
    office.change(
        begun.session.account,
        of_account.RecordAccountCondition(at=at, condition="check", met_on=lapses),
    )
    assert office.let_in(begun.token, at, device=begun.device).account == begun.session.account


def test_what_ends_sessions_ends_those_there_were_and_none_that_came_after() -> None:
    office = Office()
    secret = office.enrolled("returns")
    before = office.signing.sign_in(a_proof("returns", secret), NOW)
    account = before.session.account
    office.change(
        account,
        of_account.SuspendAccount(at=NOW, reason="misuse-suspected"),
        of_account.ReinstateAccount(at=NOW, reason="investigation-ended"),
    )
    at = NOW + timedelta(seconds=30)
    refused_with("session-ended", lambda: office.let_in(before.token, at, device=before.device))
    after = office.signing.sign_in(a_proof("returns", secret, at), at)
    assert office.let_in(after.token, at, device=after.device).account == account
    office.change(account, of_account.AssignRole(at=at, role="reader", purposes=("casework",)))
    refused_with("authorisation-void", lambda: office.let_in(after.token, at, device=after.device))


def test_a_token_is_told_once_and_only_its_digest_is_kept() -> None:
    office = Office()
    begun = office.signing.sign_in(a_proof("digests", office.enrolled("digests")), NOW)
    assert office.kept.find(token_digest(begun.token)) is not None
    for one in (begun, office.entries.appended, office.kept.of(begun.session.account)):
        assert begun.token not in repr(one)
        assert begun.device not in repr(one)
    refused_with("session-ended", lambda: office.let_in(begun.token[:-1], NOW))
    refused_with("session-ended", lambda: office.let_in("", NOW))


def test_a_session_that_another_began_for_an_account_needs_no_authenticator_of_ours() -> None:
    """As where another provider vouches for its holder."""
    office = Office()
    account = office.account("vouched-for")
    refused_with("authenticator-missing", lambda: office.signing.sessions.begin(account, "openid", NOW))
    office.change(
        account,
        of_account.RecordAccountCondition(
            at=NOW, condition="authenticator", met_on=TODAY, reference="https-elsewhere"
        ),
    )
    begun = office.signing.sessions.begin(account, "openid", NOW, proved=False)
    assert office.let_in(begun.token, NOW).session == begun.session
    assert begun.session.proved_at is None
    refused_with("sign-in-refused", lambda: office.signing.sessions.begin(uuid4(), "openid", NOW))


def test_what_was_told_is_on_record_first() -> None:
    office = Office()
    secret = office.enrolled("on-record")
    begun = office.signing.sign_in(a_proof("on-record", secret), NOW)
    last = office.entries.appended[-1]
    assert isinstance(last.event, SignedIn)
    assert (last.event.session, last.event.how) == (begun.session.session_id, "password")
    with suppress(AccessDenied):
        office.signing.sign_in(a_proof("nobody", secret), NOW)
    last = office.entries.appended[-1]
    assert isinstance(last.event, SignInRefused)
    assert (last.event.account, last.metadata.actor) == (None, NOBODY)


def test_where_it_cannot_be_put_on_record_no_session_begins() -> None:
    class Away(Entries):
        def append(self, access: Access | NotSignedIn) -> None:
            raise AuditUnavailable("The log is away, so nothing is shown.")

    office = Office()
    secret = office.enrolled("unrecorded")
    office.entries = Away()
    with pytest.raises(AuditUnavailable):
        office.signing.sign_in(a_proof("unrecorded", secret), NOW)
    with pytest.raises(AuditUnavailable):
        office.signing.sign_in(a_proof("unrecorded", secret, password="wrong but long"), NOW)
    assert not office.kept._kept


# Equal work


def attempts() -> Iterator[tuple[str, Callable[[Office], Proof]]]:
    """Ways to be refused, each in a fresh office; all of them told alike."""

    def right(office: Office, name: str = "right") -> Proof:
        return a_proof(name, office.enrolled(name))

    def lost(office: Office) -> Proof:
        proof = right(office)
        signing = office.signing
        account = signing.sign_in(
            replace(proof, code=proof.code), NOW - timedelta(seconds=30)
        ).session.account
        signing.take_away(account)
        return proof

    yield "wrong password", lambda office: replace(right(office), password="wrong but long enough")
    yield "wrong code", lambda office: replace(right(office), code="000000")
    yield "both wrong", lambda office: replace(right(office), password="wrong", code="1")
    yield "nobody of this name", lambda office: a_proof("nobody", b"s" * 20)
    yield "nobody of this name, again", lambda office: a_proof("no such name at all", b"s" * 20)
    yield "without an authenticator", lambda office: (office.account("bare"), a_proof("bare", b"s" * 20))[1]
    yield "authenticator taken away", lost


def test_the_same_is_asked_for_whoever_is_refused() -> None:
    """What is asked of each part, in which order, is one and the same: a hash, and as many questions to the store."""
    asked: dict[str, tuple[str, ...]] = {}
    words: dict[str, str] = {}
    for name, prepare in attempts():
        office = Office()
        proof = prepare(office)
        office.attempts = MemoryAttempts()
        office.told.clear()
        with pytest.raises(AccessDenied) as raised:
            office.signing.sign_in(proof, NOW)
        asked[name] = tuple(office.told)
        words[name] = f"{raised.value.code} {raised.value.message}"
    assert len(set(words.values())) == 1, words
    assert len(set(asked.values())) == 1, asked
    (once,) = set(asked.values())
    assert once.count("factors.is_password") == 1
    assert once.count("store.find") == 1
    assert "store.load" not in once, "what is kept of an account is not read before its holder is known"


def test_as_much_is_opened_for_a_name_that_is_nobodys() -> None:
    """Row and key of an authenticator are read, and its words opened, whoever is asked for."""
    office = Office()
    told: list[str] = []
    for name in ("somebody", "somebody-else"):
        office.enrolled(name)
    office.account("bare")
    kept = office.authenticators
    table: Any = Asked(kept._table, "table", told)
    keys: Any = Asked(kept._keys, "keys", told)
    office.authenticators = StoredAuthenticators(table, keys)
    work: dict[str, tuple[str, ...]] = {}
    for name in ("somebody", "somebody-else", "bare", "nobody", "nobody else"):
        told.clear()
        refused_with(
            "sign-in-refused",
            partial(office.signing.sign_in, a_proof(name, b"s" * 20, password="wrong"), NOW),
        )
        work[name] = tuple(told)
    assert set(work.values()) == {("table.near", "keys.open")}

    office.signing.issue(office.account("awaited"), MANAGER, NOW + timedelta(hours=1))
    enrolling: dict[str, tuple[str, ...]] = {}
    for name in ("awaited", "somebody", "bare", "nobody"):
        told.clear()
        refused_with("enrolment-refused", partial(office.signing.enrol, name, "not the code", NOW))
        enrolling[name] = tuple(told)
    assert set(enrolling.values()) == {("table.read_enrolment", "table.near", "keys.open")}


def test_who_must_wait_is_asked_alike_too() -> None:
    asked = set()
    for name in ("somebody", "nobody"):
        office = Office()
        secret = office.enrolled("somebody", NOW)
        proof = a_proof(name, secret, password="wrong but long enough")
        for _ in range(5):
            refused_with("sign-in-refused", partial(office.signing.sign_in, proof, NOW))
        office.told.clear()
        refused_with("too-many-tries", partial(office.signing.sign_in, proof, NOW))
        asked.add(tuple(office.told))
    assert len(asked) == 1
    assert not any("is_password" in one for one in asked.pop()), "and costs no hash"


def test_a_stolen_password_or_code_alone_signs_nobody_in_and_burns_no_code() -> None:
    office = Office()
    secret = office.enrolled("robbed")
    right = a_proof("robbed", secret)
    refused_with(
        "sign-in-refused", lambda: office.signing.sign_in(replace(right, password="a guess at it"), NOW)
    )
    refused_with("sign-in-refused", lambda: office.signing.sign_in(replace(right, code="123456"), NOW))
    assert office.signing.sign_in(right, NOW).session.how == "password"


def test_a_password_of_older_parameters_is_hashed_anew_at_the_next_sign_in() -> None:
    office = Office()
    secret = office.enrolled("old-hash")
    first = office.signing.sign_in(a_proof("old-hash", secret, NOW - 30 * SECOND), NOW - 30 * SECOND)
    account = first.session.account
    number = office.authenticators.find(account)
    assert number is not None
    older = Argon2id(salt=b"somesaltsomesalt", length=32, iterations=1, lanes=1, memory_cost=1024)
    dated = older.derive_phc_encoded(PASSWORD.encode())
    office.authenticators.set_password(account, number.number, dated)
    office.signing.sign_in(a_proof("old-hash", secret), NOW)
    found = office.authenticators.find(account)
    assert found is not None
    assert not office.factors.is_dated(found.password)
    assert office.factors.is_password(PASSWORD, found.password)


# Passwords


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("a" * 11, "password-length"),
        ("ab" * 65, "password-length"),
        ("aaaaaaaaaaaaaaaa", "password-weak"),
        ("1231231231231231", "password-weak"),
        ("xx-SOMEBODY-xx", "password-weak"),
        ("\ufb01" * 6, "password-weak"),  # a ligature is two letters
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, code: str) -> None:
    with pytest.raises(BadInput) as raised:
        Office().signing.check_password(password, "somebody", NOW)
    assert raised.value.code == code
    assert password not in raised.value.message


@pytest.mark.parametrize(
    "password", [PASSWORD, "no digit nor capital", "w" * 3 + "xyz ünïcödé", "1q" * 30 + "abcdef"]
)
def test_a_long_password_needs_no_mixture_of_characters(password: str) -> None:
    assert len(password) <= LONGEST_PASSWORD
    Office().signing.check_password(password, "somebody", NOW)


def test_nothing_of_what_was_typed_is_in_what_is_printed_of_it() -> None:
    proof = Proof("somebody", PASSWORD, "123456", "source", "device-secret")
    for secret in (PASSWORD, "123456", "device-secret"):
        assert secret not in repr(proof)
