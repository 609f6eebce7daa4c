"""The contracts of `domain.ports.Sessions`, `Authenticators`, `Attempts` and `Factors`."""

import hmac
from base64 import b32encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from adapters.authenticator_rows import AuthenticatorTable
from adapters.authenticators import StoredAuthenticators
from adapters.factors import DECOY, ITERATIONS, LANES, MEMORY_KIB, StandardFactors
from adapters.key_rows import KeyKind, KeyName
from adapters.keys.key_store import Wanted
from adapters.memory.signing_in import MemoryAttempts, MemoryAuthenticatorTable, MemorySessions
from adapters.postgres.databases import Databases
from adapters.postgres.signing_in import PostgresAttempts, PostgresAuthenticatorTable, PostgresSessions
from domain.errors import DamagedStream
from domain.identifiers import CROCKFORD
from domain.ports import Attempts, Authenticator, Authenticators, Enrolment, Factors, Session, Sessions
from tests.acceptance.authenticators import code_of
from tests.homes import Home

AT: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
IDLE: Final = timedelta(minutes=15)
MOST: Final = timedelta(hours=10)
AT_ONCE: Final = 24
_T = TypeVar("_T")


@dataclass
class Kept:
    """What is kept of sign-ins, in memory or in PostgreSQL."""

    sessions: Sessions
    attempts: Attempts
    authenticators: Authenticators
    table: AuthenticatorTable
    home: Home

    def account(self) -> UUID:
        """An account with a staff key."""
        account = uuid4()
        self.home.writer_keys().make([Wanted(KeyName(account, KeyKind.STAFF, 0))])
        return account


@pytest.fixture
def kept(home: Home, request: pytest.FixtureRequest) -> Iterator[Kept]:
    if "memory" in request.node.callspec.id:
        memory = MemoryAuthenticatorTable()
        authenticators = StoredAuthenticators(memory, home.service_keys())
        yield Kept(MemorySessions(), MemoryAttempts(), authenticators, memory, home)
        return
    databases: Databases = request.getfixturevalue("databases")
    record = databases.record
    sessions, attempts, table = (
        PostgresSessions(record),
        PostgresAttempts(record),
        PostgresAuthenticatorTable(record),
    )
    yield Kept(sessions, attempts, StoredAuthenticators(table, home.service_keys()), table, home)
    for one in (sessions, attempts, table):
        one.close()


def digest() -> bytes:
    return uuid4().bytes + uuid4().bytes


def a_session(account: UUID | None = None, at: datetime = AT) -> Session:
    return Session(uuid4(), account or uuid4(), "password", at, at, at, 7)


def at_once(do: Callable[[], _T]) -> list[_T]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [future.result() for future in [threads.submit(do) for _ in range(AT_ONCE)]]


# Sessions


def test_a_session_is_found_by_the_digest_of_its_token_alone(kept: Kept) -> None:
    token, session = digest(), a_session()
    kept.sessions.begin(token, session)
    assert kept.sessions.find(token) == session
    assert kept.sessions.find(digest()) is None
    without = replace(a_session(), proved_at=None)
    kept.sessions.begin(token2 := digest(), without)
    assert kept.sessions.find(token2) == without


def test_a_use_is_noted_until_the_session_has_lapsed(kept: Kept) -> None:
    token, session = digest(), a_session()
    kept.sessions.begin(token, session)
    later = AT + IDLE - SECOND
    assert kept.sessions.use(session.session_id, later, IDLE, MOST)
    assert kept.sessions.find(token) == replace(session, seen_at=later)
    assert kept.sessions.use(session.session_id, AT + SECOND, IDLE, MOST), "a clock that is behind"
    assert kept.sessions.find(token) == replace(session, seen_at=later), "never goes back"
    assert not kept.sessions.use(session.session_id, later + IDLE, IDLE, MOST)
    assert not kept.sessions.use(session.session_id, later + IDLE + IDLE, IDLE, MOST), "and is not revived"
    assert not kept.sessions.use(uuid4(), AT, IDLE, MOST)


def test_a_session_lapses_by_age(kept: Kept) -> None:
    session = a_session()
    kept.sessions.begin(digest(), session)
    assert kept.sessions.use(session.session_id, AT + MOST - SECOND, MOST, MOST)
    assert not kept.sessions.use(session.session_id, AT + MOST, MOST, MOST)


def test_a_step_up_changes_the_token_once(kept: Kept) -> None:
    token, session = digest(), a_session()
    kept.sessions.begin(token, session)
    done = at_once(lambda: kept.sessions.step_up(token, digest(), AT + SECOND))
    assert sorted(done) == [False] * (AT_ONCE - 1) + [True]
    assert kept.sessions.find(token) is None
    assert [one.proved_at for one in kept.sessions.of(session.account)] == [AT + SECOND]


def test_sessions_end_alone_or_with_all_of_their_account(kept: Kept) -> None:
    account = uuid4()
    sessions = [a_session(account, AT + SECOND * number) for number in range(3)]
    for session in sessions:
        kept.sessions.begin(digest(), session)
    kept.sessions.begin(digest(), other := a_session())
    assert kept.sessions.of(account) == sessions
    assert kept.sessions.end(sessions[1].session_id)
    assert not kept.sessions.end(sessions[1].session_id)
    assert kept.sessions.end_all(account) == 2
    assert kept.sessions.of(account) == []
    assert kept.sessions.of(other.account) == [other]


def test_what_began_long_ago_is_swept(kept: Kept) -> None:
    long_ago = AT - timedelta(days=365 * 50)
    old, new = a_session(at=long_ago), a_session()
    for session in (old, new):
        kept.sessions.begin(digest(), session)
    assert kept.sessions.sweep(long_ago + SECOND) == 1
    assert kept.sessions.of(old.account) == []
    assert kept.sessions.of(new.account) == [new]


# Authenticators


def an_authenticator() -> Authenticator:
    return Authenticator(f"C-{uuid4().hex[:20]}", "$argon2id$v=19$of-some-password", uuid4().bytes[:20])


def test_an_authenticator_is_the_accounts_until_another_is_or_it_is_removed(kept: Kept) -> None:
    account, first, second = kept.account(), an_authenticator(), an_authenticator()
    assert kept.authenticators.find(account) is None
    assert kept.authenticators.find(uuid4()) is None, "no account at all"
    kept.authenticators.register(account, first, 5)
    assert kept.authenticators.find(account) == first
    kept.authenticators.register(account, second, 9)
    assert kept.authenticators.find(account) == second
    assert not kept.authenticators.use(account, first.number, 10)
    kept.authenticators.remove(account)
    kept.authenticators.remove(account)
    assert kept.authenticators.find(account) is None
    assert not kept.authenticators.use(account, second.number, 11)


def test_a_step_is_used_once_and_none_before_it(kept: Kept) -> None:
    account, one = kept.account(), an_authenticator()
    kept.authenticators.register(account, one, 5)
    assert not kept.authenticators.use(account, one.number, 5), "that by which it was registered"
    assert kept.authenticators.use(account, one.number, 7)
    assert not kept.authenticators.use(account, one.number, 7)
    assert not kept.authenticators.use(account, one.number, 6)
    assert kept.authenticators.use(account, one.number, 8)


def test_of_many_who_use_one_step_at_once_one_does(kept: Kept) -> None:
    account, one = kept.account(), an_authenticator()
    kept.authenticators.register(account, one, 0)
    for step in range(1, 11):
        used = at_once(partial(kept.authenticators.use, account, one.number, step))
        assert used.count(True) == 1, f"step {step}"


def test_a_password_is_replaced_and_the_secret_stays(kept: Kept) -> None:
    account, one = kept.account(), an_authenticator()
    kept.authenticators.register(account, one, 0)
    assert kept.authenticators.set_password(account, one.number, "another hash")
    assert kept.authenticators.find(account) == replace(one, password="another hash")
    assert not kept.authenticators.set_password(account, "C-other", "x")
    assert not kept.authenticators.set_password(uuid4(), one.number, "x")


def test_an_enrolment_is_used_once(kept: Kept) -> None:
    account, manager = kept.account(), uuid4()
    first = Enrolment(digest(), AT, manager)
    second = Enrolment(digest(), AT + SECOND, manager)
    assert kept.authenticators.enrolment(account) is None
    for enrolment in (first, second):
        kept.authenticators.issue(account, enrolment)
        assert kept.authenticators.enrolment(account) == enrolment
    assert not kept.authenticators.pend(account, first.code, b"s" * 20)
    assert kept.authenticators.pend(account, second.code, b"s" * 20)
    assert kept.authenticators.pend(account, second.code, b"t" * 20), "shown again, another"
    assert kept.authenticators.enrolment(account) == replace(second, pending=b"t" * 20)
    assert not kept.authenticators.enrolled(account, first.code)
    used = at_once(lambda: kept.authenticators.enrolled(account, second.code))
    assert used.count(True) == 1
    assert kept.authenticators.enrolment(account) is None


def test_what_is_removed_takes_its_enrolment_with_it(kept: Kept) -> None:
    account = kept.account()
    kept.authenticators.issue(account, Enrolment(digest(), AT, uuid4()))
    kept.authenticators.remove(account)
    assert kept.authenticators.enrolment(account) is None


def test_a_row_in_anothers_place_is_damage(home: Home) -> None:
    table = MemoryAuthenticatorTable()
    authenticators = StoredAuthenticators(table, home.service_keys())
    mine, theirs = uuid4(), uuid4()
    home.writer_keys().make([Wanted(KeyName(one, KeyKind.STAFF, 0)) for one in (mine, theirs)])
    one = an_authenticator()
    authenticators.register(mine, one, 0)
    row = table.near(mine)
    assert row is not None
    assert one.password.encode() not in row.sealed
    table.put(row._replace(account=theirs))
    with pytest.raises(DamagedStream):
        authenticators.find(theirs)
    table.put(row._replace(number="C-other"))
    with pytest.raises(DamagedStream):
        authenticators.find(mine)


def test_for_whom_nothing_is_kept_anothers_is_opened_and_nothing_of_it_given_out(kept: Kept) -> None:
    """So a name that is nobody's takes the same time. That the other row is damaged is no matter of theirs."""
    account, bare, one = kept.account(), kept.account(), an_authenticator()
    kept.authenticators.register(account, one, 0)
    before = UUID(int=account.int - 1)
    nobodys = (before, UUID(int=0), UUID(int=2**128 - 1), bare)

    found = {asked: kept.table.near(asked) for asked in (account, *nobodys)}

    assert None not in found.values(), "there is a row for whomever it is asked, behind the last account, too"
    assert found[account] == found[before]
    assert kept.authenticators.find(account) == one
    assert [kept.authenticators.find(asked) for asked in nobodys] == [None] * len(nobodys)
    row = found[account]
    assert row is not None
    kept.table.put(row._replace(number="C-altered"))
    assert kept.authenticators.find(before) is None
    with pytest.raises(DamagedStream):
        kept.authenticators.find(account)
    kept.table.delete(account)


def test_nothing_is_registered_for_an_account_without_a_key(kept: Kept) -> None:
    with pytest.raises(DamagedStream):
        kept.authenticators.register(uuid4(), an_authenticator(), 0)


# Tries


def test_turns_wait_longer_with_each_failure(kept: Kept) -> None:
    bucket, at = digest(), AT
    for wait in (0, 1, 3, 3, 3):
        assert kept.attempts.take(bucket, at, (0, 1, 3))
        if wait:
            assert not kept.attempts.take(bucket, at + SECOND * wait - timedelta(microseconds=1), (0, 1, 3))
        at += SECOND * wait
    assert kept.attempts.take(digest(), AT, (0, 1, 3)), "another bucket"
    kept.attempts.succeeded(bucket)
    assert kept.attempts.take(bucket, AT, (0, 1, 3))
    kept.attempts.succeeded(digest())


def test_there_is_an_end_to_tries(kept: Kept) -> None:
    bucket = digest()
    assert [kept.attempts.take(bucket, AT, (0,), 3) for _ in range(5)] == [True] * 3 + [False] * 2
    assert not kept.attempts.take(bucket, AT + timedelta(days=9), (0,), 3)
    kept.attempts.succeeded(bucket)
    assert kept.attempts.take(bucket, AT, (0,), 3)


def test_many_at_once_get_no_more_turns_than_one_after_the_other(kept: Kept) -> None:
    bucket = digest()
    assert at_once(lambda: kept.attempts.take(bucket, AT, (0, 0, 9))).count(True) == 3
    bucket = digest()
    assert at_once(lambda: kept.attempts.take(bucket, AT, (0,), 5)).count(True) == 5


def test_a_device_is_known_for_one_account_and_for_a_time(kept: Kept) -> None:
    device, account = digest(), uuid4()
    assert not kept.attempts.is_known(device, account, AT)
    kept.attempts.know(device, account, AT)
    assert kept.attempts.is_known(device, account, AT)
    assert not kept.attempts.is_known(device, account, AT + SECOND)
    assert not kept.attempts.is_known(device, uuid4(), AT)
    assert not kept.attempts.is_known(digest(), account, AT)
    kept.attempts.know(device, account, AT + SECOND)
    assert kept.attempts.is_known(device, account, AT + SECOND)
    kept.attempts.know(device, other := uuid4(), AT)
    kept.attempts.forget_devices(account)
    assert not kept.attempts.is_known(device, account, AT)
    assert kept.attempts.is_known(device, other, AT)


def test_which_device_an_account_was_signed_in_to_on_and_who_else_was_there(kept: Kept) -> None:
    device, another, account, other = digest(), digest(), uuid4(), uuid4()
    for one, who, at in ((device, account, AT), (another, account, AT + SECOND), (device, other, AT)):
        kept.attempts.know(one, who, at)
    assert kept.attempts.device_of(account, AT) == device
    assert kept.attempts.device_of(account, AT + SECOND) == another
    assert kept.attempts.device_of(uuid4(), AT) is None
    assert kept.attempts.accounts_on(device, AT) == sorted([account, other])
    kept.attempts.know(device, account, AT + 2 * SECOND)
    assert kept.attempts.device_of(account, AT) is None, "signed in to again since"
    assert kept.attempts.accounts_on(device, AT + SECOND) == [account]


def test_tries_and_devices_of_long_ago_are_swept(kept: Kept) -> None:
    long_ago = AT - timedelta(days=365 * 50)
    bucket, device, account = digest(), digest(), uuid4()
    kept.attempts.take(bucket, long_ago, (0,), 1)
    kept.attempts.know(device, account, long_ago)
    kept.attempts.sweep(long_ago)
    assert not kept.attempts.take(bucket, AT, (0,), 1)
    assert kept.attempts.is_known(device, account, long_ago)
    kept.attempts.sweep(long_ago + SECOND)
    assert kept.attempts.take(bucket, AT, (0,), 1)
    assert not kept.attempts.is_known(device, account, long_ago)


# Factors


@pytest.fixture(scope="module")
def factors() -> Factors:
    return StandardFactors()


def test_a_password_is_known_by_its_hash_and_no_two_hashes_are_alike(factors: Factors) -> None:
    hashed = factors.hash_password("seven brass otters hum")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert factors.is_password("seven brass otters hum", hashed)
    assert not factors.is_password("seven brass otters hun", hashed)
    assert factors.hash_password("seven brass otters hum") != hashed
    assert not factors.is_dated(hashed)


def test_what_looks_alike_is_the_same_password(factors: Factors) -> None:
    assert factors.is_password(
        "caf\u0065\u0301 au lait fort", factors.hash_password("caf\u00e9 au lait fort")
    )


def test_a_hash_of_other_parameters_is_known_and_dated(factors: Factors) -> None:
    older = Argon2id(salt=b"somesaltsomesalt", length=32, iterations=3, lanes=1, memory_cost=4096)
    hashed = older.derive_phc_encoded(b"seven brass otters hum")
    assert factors.is_password("seven brass otters hum", hashed)
    assert factors.is_dated(hashed)


def test_the_decoy_costs_what_a_hash_costs_and_is_nobodys(factors: Factors) -> None:
    assert factors.decoy == DECOY
    assert not factors.is_dated(DECOY), "made with today's parameters, or it tells who is not there"
    assert DECOY.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}$")
    assert [len(part) for part in DECOY.split("$")] == [len(p) for p in factors.hash_password("x").split("$")]
    assert not factors.is_password("", DECOY)


RFC_6238: Final = (
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
)
"""Appendix B, SHA-1: the last six of the eight digits."""
RFC_SECRET: Final = b"12345678901234567890"


@pytest.mark.parametrize(("seconds", "code"), RFC_6238)
def test_codes_are_those_of_the_rfc(factors: Factors, seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert factors.step_of(code, RFC_SECRET, at) == seconds // 30
    assert factors.step_of(f"{code[:3]} {code[3:]}", RFC_SECRET, at) == seconds // 30, "as devices show it"
    for steps in (-1, 1):
        assert factors.step_of(code, RFC_SECRET, at + steps * SECOND * 30) == seconds // 30
    for steps in (-2, 2):
        assert factors.step_of(code, RFC_SECRET, at + steps * SECOND * 30) is None


@pytest.mark.parametrize(
    "typed", ["", "28708", "2870820", "28708x", "２８７０８２", "-87082", "287 08", "\ud800"]
)
def test_what_is_no_code_is_none(factors: Factors, typed: str) -> None:
    assert factors.step_of(typed, RFC_SECRET, datetime.fromtimestamp(59, UTC)) is None


def test_another_reading_of_the_rfc_makes_the_same_codes(factors: Factors) -> None:
    for number in range(200):
        secret = hmac.digest(b"secret", bytes([number]), "sha1")
        at = AT + timedelta(seconds=97 * number)
        step = int(at.timestamp()) // 30
        assert factors.step_of(code_of(b32encode(secret).decode(), step), secret, at) == step


def test_secrets_are_long_and_no_two_are_alike(factors: Factors) -> None:
    tokens = {factors.token() for _ in range(500)}
    assert (len(tokens), {len(token) for token in tokens}) == (500, {43})
    secrets = {factors.secret() for _ in range(500)}
    assert (len(secrets), {len(secret) for secret in secrets}) == (500, {20})
    codes = {factors.enrolment_code() for _ in range(500)}
    assert len(codes) == 500
    for code in codes:
        plain = code.replace("-", "")
        assert len(plain) == 26
        assert set(plain) <= set(CROCKFORD)
