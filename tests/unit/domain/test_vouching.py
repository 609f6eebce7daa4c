"""What vouches for an account: a provider, or keys; bound, registered and taken back by account managers."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import pytest

from adapters.keys.tokens import SystemTokens
from domain.account import commands as of_account
from domain.account.events import EVENTS as ACCOUNT_EVENTS
from domain.account.handlers import account_bound
from domain.account.model import Account
from domain.errors import NotFound, Refused
from domain.organisation.events import EVENTS as ORGANISATION_EVENTS
from domain.ports import EventStore
from domain.public_keys import EcPublicKey
from tests.builders import NOW
from tests.homes import Home, memory_home
from tests.unit.domain.test_granting import (
    ACCOUNT,
    OTHER,
    because,
    change,
    grant,
    meets,
    standing_of,
)

ISSUER: Final = "https://sign-in.example.org/realms/staff"
SUBJECT: Final = "248289761001"
KEY: Final = EcPublicKey(crv="P-256", x="x" * 43, y="y" * 43)


def binds(
    subject: str = SUBJECT, number: str = "P-1", issuer: str = ISSUER
) -> of_account.BindFederatedIdentifier:
    return of_account.BindFederatedIdentifier(at=NOW, issuer=issuer, subject=subject, number=number)


def registers(thumbprint: str = "one", number: str = "K-1") -> of_account.RegisterClientKey:
    return of_account.RegisterClientKey(at=NOW, thumbprint=thumbprint, key=KEY, number=number)


def revokes(thumbprint: str = "one") -> of_account.RevokeClientKey:
    return of_account.RevokeClientKey(at=NOW, thumbprint=thumbprint, reason="left")


UNBINDS: Final = of_account.UnbindFederatedIdentifier(at=NOW, reason="left")


@pytest.fixture
def home() -> Home:
    return memory_home(ACCOUNT_EVENTS | ORGANISATION_EVENTS)


@pytest.fixture
def store(home: Home) -> EventStore:
    return home.writer()


@pytest.fixture
def tokens(home: Home) -> SystemTokens:
    return SystemTokens(home.writer_keys())


@pytest.fixture(autouse=True)
def two_accounts(store: EventStore, tokens: SystemTokens) -> None:
    grant(store, tokens)
    grant(store, tokens, account=OTHER, name="another", holder="4712")


def found(
    store: EventStore, tokens: SystemTokens, subject: str = SUBJECT, issuer: str = ISSUER
) -> Account | None:
    return account_bound(issuer, subject, store=store, tokens=tokens)


def refused(store: EventStore, tokens: SystemTokens, command: Any, account: UUID = ACCOUNT) -> str:
    with pytest.raises(Refused) as why:
        change(store, tokens, command, account)
    assert SUBJECT not in why.value.message
    return why.value.code


def test_a_subject_is_found_by_issuer_and_subject_to_the_letter(
    store: EventStore, tokens: SystemTokens
) -> None:
    assert found(store, tokens) is None
    change(store, tokens, binds())
    account = found(store, tokens)
    assert account is not None
    assert (account.account_id, account.authenticator) == (ACCOUNT, "P-1")
    for issuer, subject in ((f"{ISSUER}/", SUBJECT), (ISSUER, f"{SUBJECT}1"), (ISSUER.upper(), SUBJECT)):
        assert found(store, tokens, subject, issuer) is None
    assert change(store, tokens, binds(number="P-2")).duplicate


def test_it_is_in_place_of_what_was_registered_before_and_ends_every_session(
    store: EventStore,
    tokens: SystemTokens,
) -> None:
    change(store, tokens, meets("authenticator", reference="C-1"))
    change(store, tokens, binds())
    account = standing_of(store)
    assert (account.authenticator, account.signed_out_at) == ("P-1", account.version)
    change(store, tokens, meets("authenticator", reference="C-2"))
    assert standing_of(store).authenticator == "C-2"
    change(store, tokens, binds())
    assert standing_of(store).authenticator == "P-1"


@pytest.mark.parametrize("gives_up", [UNBINDS, because(of_account.CloseAccount)], ids=["unbound", "ended"])
def test_a_subject_is_one_accounts_until_that_gives_it_up(
    store: EventStore,
    tokens: SystemTokens,
    gives_up: Any,
) -> None:
    change(store, tokens, binds())
    assert refused(store, tokens, binds(), OTHER) == "subject-bound"
    change(store, tokens, gives_up)
    assert found(store, tokens) is None
    assert standing_of(store).signed_out_at == standing_of(store).version
    change(store, tokens, binds(number="P-2"), OTHER)
    account = found(store, tokens)
    assert account is not None
    assert account.account_id == OTHER
    change(store, tokens, UNBINDS, OTHER)
    assert found(store, tokens) is None


def test_bound_again_after_it_was_unbound(store: EventStore, tokens: SystemTokens) -> None:
    for number in ("P-1", "P-2", "P-3"):
        change(store, tokens, binds(number=number))
        account = found(store, tokens)
        assert account is not None
        assert account.authenticator == number
        change(store, tokens, UNBINDS)
        assert standing_of(store).authenticator is None
    assert change(store, tokens, UNBINDS).duplicate


def test_unbinding_leaves_what_was_registered_since(store: EventStore, tokens: SystemTokens) -> None:
    change(store, tokens, binds())
    change(store, tokens, meets("authenticator", reference="C-1"))
    change(store, tokens, UNBINDS)
    assert standing_of(store).authenticator == "C-1"


def test_an_account_has_one_subject(store: EventStore, tokens: SystemTokens) -> None:
    change(store, tokens, binds())
    assert refused(store, tokens, binds("another")) == "already-bound"
    assert refused(store, tokens, registers()) == "already-bound"


def test_two_keys_overlap_under_one_number_and_only_what_is_taken_back_ends_sessions(
    store: EventStore,
    tokens: SystemTokens,
) -> None:
    change(store, tokens, registers("one", "K-1"))
    first = standing_of(store)
    change(store, tokens, registers("two", "K-2"))
    both = standing_of(store)
    assert [(one.thumbprint, one.number) for one in both.keys] == [("one", "K-1"), ("two", "K-1")]
    assert (both.authenticator, both.signed_out_at) == ("K-1", first.signed_out_at)
    assert change(store, tokens, registers("two", "K-3")).duplicate
    assert refused(store, tokens, registers("three")) == "too-many-keys"
    assert refused(store, tokens, binds()) == "is-a-client"

    change(store, tokens, revokes("one"))
    left = standing_of(store)
    assert ([one.thumbprint for one in left.keys], left.authenticator) == (["two"], "K-1")
    assert left.signed_out_at == left.version
    change(store, tokens, registers("three", "K-4"))
    for thumbprint in ("two", "three"):
        change(store, tokens, revokes(thumbprint))
    assert (standing_of(store).keys, standing_of(store).authenticator) == ((), None)
    with pytest.raises(NotFound):
        change(store, tokens, revokes("three"))
    change(store, tokens, binds())


@pytest.mark.parametrize("command", [UNBINDS, revokes()], ids=["unbind", "revoke"])
def test_a_reason_is_one_of_those_that_there_are(
    store: EventStore, tokens: SystemTokens, command: Any
) -> None:
    said: Sequence[Any] = (binds(), registers())
    change(store, tokens, said[command is not UNBINDS])
    assert refused(store, tokens, command.model_copy(update={"reason": "dislike"})) == "unknown-reason"
