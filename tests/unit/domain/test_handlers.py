"""Load, decide, append: against a real store in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.keys.tokens import SystemTokens
from domain.account.commands import CloseAccount, OpenAccount
from domain.account.events import EVENTS as ACCOUNT_EVENTS
from domain.account.handlers import account_named, close_account, open_account
from domain.child_record import model
from domain.child_record.commands import LiftShield, RegisterChild
from domain.child_record.decisions import DECISIONS, decide
from domain.child_record.events import EVENTS as CHILD_EVENTS
from domain.child_record.events import AddressAsserted, SourceKind
from domain.child_record.handlers import handle, index_number_token, nhs_number_token
from domain.errors import AlreadyReserved, BadInput, NotFound, Refused, VersionConflict
from domain.kernel import Appended, Change, Command, Concealed, History, Metadata, Reservation
from domain.organisation.commands import RegisterOrganisation
from domain.organisation.events import EVENTS as ORGANISATION_EVENTS
from domain.organisation.handlers import organisation_of, register
from domain.ports import EventStore
from tests.builders import (
    CHILD,
    FILE,
    LONDON_BOROUGH,
    NOW,
    NUMBER,
    a_name,
    a_number,
    an_address,
    asserts,
    involves,
    lifts,
    metadata,
    registers,
    shields,
    the_rules,
)
from tests.homes import Home, memory_home

OTHER_CHILD = UUID(int=500)
ACCOUNT = UUID(int=41)


@pytest.fixture
def home() -> Home:
    return memory_home(CHILD_EVENTS | ACCOUNT_EVENTS | ORGANISATION_EVENTS)


@pytest.fixture
def tokens(home: Home) -> SystemTokens:
    return SystemTokens(home.writer_keys())


@pytest.fixture
def store(home: Home) -> EventStore:
    return home.writer()


def do(
    store: EventStore, tokens: SystemTokens, command: Command, child: UUID = CHILD, **how: Any
) -> Appended:
    return handle(child, command, store=store, tokens=tokens, rules=the_rules(), metadata=metadata(), **how)


def test_a_registered_child_is_found_by_both_numbers(store: EventStore, tokens: SystemTokens) -> None:
    do(store, tokens, registers(nhs_number="9000000009"))
    assert model.fold(store.load(CHILD)).registered
    assert store.find(index_number_token(NUMBER)) == CHILD
    assert store.find(nhs_number_token(tokens, "9000000009")) == CHILD


def test_no_two_children_have_one_nhs_number_that_its_issuer_vouches_for(
    store: EventStore, tokens: SystemTokens
) -> None:
    do(store, tokens, registers(nhs_number="9000000009"))
    twin = registers(index_number=a_number(77), nhs_number="9000000009")
    with pytest.raises(AlreadyReserved):
        do(store, tokens, twin, OTHER_CHILD)
    assert store.load(OTHER_CHILD).version == 0


def test_a_number_somebody_typed_shuts_nobody_out(store: EventStore, tokens: SystemTokens) -> None:
    typed = {"source_kind": SourceKind.PRACTITIONER, "nhs_number": "9000000009"}
    do(store, tokens, registers(**typed))
    assert store.find(nhs_number_token(tokens, "9000000009")) is None
    do(store, tokens, registers(index_number=a_number(77), nhs_number="9000000009"), OTHER_CHILD)
    assert store.find(nhs_number_token(tokens, "9000000009")) == OTHER_CHILD


def test_a_number_told_later_is_claimed_then(store: EventStore, tokens: SystemTokens) -> None:
    do(store, tokens, registers())
    do(store, tokens, asserts(nhs_number="9000000009"))
    do(store, tokens, asserts(nhs_number="9000000009", confidence="verified"))
    do(store, tokens, asserts(nhs_number="9000000009", names=(a_name("Amy"),)))  # and again, with other news
    assert store.find(nhs_number_token(tokens, "9000000009")) == CHILD


def test_what_changes_nothing_appends_nothing_but_keeps_its_key(
    store: EventStore, tokens: SystemTokens
) -> None:
    do(store, tokens, registers())
    before = store.load(CHILD).version
    assert do(store, tokens, asserts()).duplicate
    do(store, tokens, asserts(), idempotency_key=b"k" * 32, batch=FILE)
    assert store.known([b"k" * 32]) == {b"k" * 32}
    assert store.load(CHILD).version == before


def test_a_key_that_is_known_stops_a_second_carrying_out(store: EventStore, tokens: SystemTokens) -> None:
    do(store, tokens, registers())
    moved = asserts(whereabouts=an_address("1 Elm Street"))
    assert not do(store, tokens, moved, idempotency_key=b"k" * 32).duplicate
    other = asserts(whereabouts=an_address("2 Elm Street"))
    assert do(store, tokens, other, idempotency_key=b"k" * 32).duplicate


def test_a_refusal_leaves_no_trace(store: EventStore, tokens: SystemTokens) -> None:
    with pytest.raises(BadInput):
        do(store, tokens, registers(names=()), idempotency_key=b"k" * 32)
    assert store.load(CHILD).version == 0
    assert store.known([b"k" * 32]) == set()
    assert store.find(index_number_token(NUMBER)) is None


def test_behind_a_shield_the_service_reads_no_content_and_the_writer_all(
    home: Home, store: EventStore, tokens: SystemTokens
) -> None:
    do(store, tokens, registers(restricted=True, whereabouts=an_address()))
    seen = model.fold(home.service().load(CHILD))
    assert (
        seen.shielded,
        [type(a.event) for a in seen.standing if isinstance(a.event, AddressAsserted)],
    ) == (True, [])
    assert any(isinstance(r.event, Concealed) for r in home.service().load(CHILD).events)
    assert any(isinstance(a.event, AddressAsserted) for a in model.fold(store.load(CHILD)).standing)
    assert set(home.shielded_rows(CHILD)) == {1, 2}


def test_a_sensitive_involvement_lies_under_a_key_of_its_own(
    home: Home, store: EventStore, tokens: SystemTokens
) -> None:
    do(store, tokens, registers())
    do(store, tokens, involves("Brook", "sensitive"))
    assert store.load(CHILD).events[-1].content_key == 2
    assert (2, 2) in home.key_rows(CHILD)


def test_what_is_written_before_and_after_a_shield_is_lifted_folds_alike(
    store: EventStore, tokens: SystemTokens
) -> None:
    for command in (registers(), shields(), asserts(names=(a_name("Amy"),)), lifts()):
        do(store, tokens, command)
    record = model.fold(store.load(CHILD))
    assert (record.shielded, record.ever_shielded, len(record.standing)) == (False, True, 2)


class Overtaken:
    """A store in which another writer comes first, so many times."""

    def __init__(self, store: EventStore, times: int) -> None:
        self._store = store
        self.left = times

    def load(self, stream_id: UUID, upto: int | None = None) -> History:
        return self._store.load(stream_id, upto)

    def append(self, changes: Sequence[Change], metadata: Metadata, **how: Any) -> Appended:
        if self.left:
            self.left -= 1
            raise VersionConflict("the stream moved")
        return self._store.append(changes, metadata, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_where_another_writer_was_first_it_is_decided_again(store: EventStore, tokens: SystemTokens) -> None:
    do(Overtaken(store, 7), tokens, registers())
    assert model.fold(store.load(CHILD)).registered


def test_but_not_for_ever(store: EventStore, tokens: SystemTokens) -> None:
    overtaken = Overtaken(store, 8)
    with pytest.raises(VersionConflict):
        do(overtaken, tokens, registers())
    assert overtaken.left == 0


def test_the_callers_own_reservations_are_made_too(store: EventStore, tokens: SystemTokens) -> None:
    do(store, tokens, registers(), reservations=(Reservation(b"r" * 32, CHILD),))
    assert store.find(b"r" * 32) == CHILD


def test_a_command_that_nobody_decides_on_is_a_programming_error() -> None:
    with pytest.raises(TypeError):
        decide(model.ChildRecord(CHILD), Command(at=NOW), the_rules())
    assert {RegisterChild, LiftShield} <= set(DECISIONS)


def opens(name: str = "practitioner", **changes: Any) -> OpenAccount:
    said: dict[str, Any] = {
        "at": datetime(2026, 3, 2, tzinfo=UTC),
        "name": name,
        "role": "practitioner",
        "organisation": UUID(int=40),
        "body": "RQX",
        "area": LONDON_BOROUGH,
        "purposes": ("casework",),
    }
    return OpenAccount.model_validate(said | changes)


def open_one(
    store: EventStore, tokens: SystemTokens, command: OpenAccount, account: UUID = ACCOUNT
) -> Appended:
    return open_account(account, command, store=store, tokens=tokens, rules=the_rules(), metadata=metadata())


def test_an_account_is_found_by_its_name(store: EventStore, tokens: SystemTokens) -> None:
    open_one(store, tokens, opens())
    found = account_named("practitioner", store=store, tokens=tokens)
    assert found is not None
    assert (found.open.role, found.open.purposes, found.version) == ("practitioner", ("casework",), 1)
    assert account_named("nobody", store=store, tokens=tokens) is None


def test_an_account_opened_again_in_the_same_words_changes_nothing(
    store: EventStore, tokens: SystemTokens
) -> None:
    open_one(store, tokens, opens())
    assert open_one(store, tokens, opens()).duplicate
    with pytest.raises(Refused):
        open_one(store, tokens, opens(role="teacher"))


def test_two_accounts_do_not_share_a_name(store: EventStore, tokens: SystemTokens) -> None:
    open_one(store, tokens, opens())
    with pytest.raises(AlreadyReserved):
        open_one(store, tokens, opens(), UUID(int=42))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "minister"}, "unknown-role"),
        ({"purposes": ("audit",)}, "unknown-purpose"),
        ({"may_override": True}, "no-override"),
        ({"title": "she is new here"}, "narrative"),
    ],
)
def test_an_account_has_what_the_rules_give_its_role(
    store: EventStore, tokens: SystemTokens, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        open_one(store, tokens, opens(**changes))
    assert refused.value.code == code


def test_a_closed_account_is_there_and_not_open(store: EventStore, tokens: SystemTokens) -> None:
    open_one(store, tokens, opens())
    close = CloseAccount(at=NOW, reason="left")
    for duplicate in (False, True):
        done = close_account(UUID(int=41), close, store=store, rules=the_rules(), metadata=metadata())
        assert done.duplicate is duplicate
    found = account_named("practitioner", store=store, tokens=tokens)
    assert found is not None
    with pytest.raises(NotFound):
        _ = found.open
    with pytest.raises(NotFound):
        close_account(UUID(int=43), close, store=store, rules=the_rules(), metadata=metadata())


def test_an_organisation_is_found_by_its_body_code(store: EventStore, tokens: SystemTokens) -> None:
    command = RegisterOrganisation(
        at=NOW, name="Hackney Council", body=LONDON_BOROUGH, kind="local-authority"
    )
    for duplicate in (False, True):
        done = register(UUID(int=50), command, store=store, tokens=tokens, metadata=metadata())
        assert done.duplicate is duplicate
    found = organisation_of(LONDON_BOROUGH, store=store, tokens=tokens)
    assert found is not None
    assert found.registered is not None
    assert found.registered.name == "Hackney Council"
    with pytest.raises(Refused):
        register(
            UUID(int=50),
            command.model_copy(update={"body": "X"}),
            store=store,
            tokens=tokens,
            metadata=metadata(),
        )
    assert organisation_of("X", store=store, tokens=tokens) is None
