"""Who says who may look: account managers, within their reach, never of themselves; on evidence."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from adapters.keys.tokens import SystemTokens
from domain.account import commands as of_account
from domain.account.events import EVENTS as ACCOUNT_EVENTS
from domain.account.handlers import change_accounts, open_account
from domain.account.model import Account, fold
from domain.errors import NotFound, Refused
from domain.kernel import Appended, Command
from domain.organisation import commands as of_organisation
from domain.organisation.events import EVENTS as ORGANISATION_EVENTS
from domain.organisation.handlers import change_organisation, register
from domain.organisation.model import Organisation
from domain.organisation.model import fold as fold_organisation
from domain.policy.access import Proof
from domain.policy.granting import Granter, Holder, Place, refuse_unless_accrediting, within_reach
from domain.ports import EventStore
from tests.builders import ANOTHER_BOROUGH, LONDON_BOROUGH, NOW, TODAY, metadata, the_rules
from tests.homes import Home, memory_home

OFFICE, COUNCIL, OTHER_COUNCIL, HEALTH, SCHOOL, PARTNER, AUDIT = (UUID(int=100 + n) for n in range(7))
KINDS: Final = {
    OFFICE: "access-office",
    COUNCIL: "local-authority",
    OTHER_COUNCIL: "local-authority",
    HEALTH: "health",
    SCHOOL: "school",
    PARTNER: "national-partner",
    AUDIT: "audit",
}
ACCOUNT, OTHER, MANAGER = UUID(int=41), UUID(int=42), UUID(int=43)


def a_granter(
    organisation: UUID = COUNCIL, area: str = LONDON_BOROUGH, number: str | None = "9000"
) -> Granter:
    return Granter(MANAGER, Place(organisation, KINDS[organisation], area), Holder(organisation, number))


@pytest.fixture
def home() -> Home:
    return memory_home(ACCOUNT_EVENTS | ORGANISATION_EVENTS)


@pytest.fixture
def store(home: Home) -> EventStore:
    return home.writer()


@pytest.fixture
def tokens(home: Home) -> SystemTokens:
    return SystemTokens(home.writer_keys())


def opens(**changes: Any) -> of_account.OpenAccount:
    said: dict[str, Any] = {
        "at": NOW,
        "name": "somebody",
        "role": "practitioner",
        "organisation": HEALTH,
        "body": "RQX",
        "area": LONDON_BOROUGH,
        "purposes": ("casework",),
        "holder": "4711",
    }
    return of_account.OpenAccount.model_validate(said | changes)


def grant(
    store: EventStore,
    tokens: SystemTokens,
    granter: Granter | None = None,
    account: UUID = ACCOUNT,
    **changes: Any,
) -> Appended:
    command = opens(**changes)
    return open_account(
        account,
        command,
        store=store,
        tokens=tokens,
        rules=the_rules(),
        metadata=metadata(),
        granter=granter or a_granter(),
        kind=KINDS[command.organisation],
    )


def change(
    store: EventStore,
    tokens: SystemTokens,
    command: Command,
    *accounts: UUID,
    granter: Granter | None = None,
) -> Appended:
    return change_accounts(
        accounts or (ACCOUNT,),
        [command],
        store=store,
        tokens=tokens,
        rules=the_rules(),
        metadata=metadata(),
        granter=granter or a_granter(),
        kind_of=lambda organisation: KINDS[organisation],
    )


def meets(condition: str = "check", on: date = TODAY, **more: Any) -> of_account.RecordAccountCondition:
    return of_account.RecordAccountCondition.model_validate(
        {"at": NOW, "condition": condition, "met_on": on, **more}
    )


def because(kind: type[Command], **more: Any) -> Command:
    return kind.model_validate({"at": NOW, "reason": "left", **more})


@pytest.mark.parametrize(
    ("granter", "place", "reached"),
    [
        pytest.param(COUNCIL, (HEALTH, LONDON_BOROUGH), True, id="an authority reaches health in its area"),
        pytest.param(COUNCIL, (HEALTH, ANOTHER_BOROUGH), False, id="and in no other"),
        pytest.param(COUNCIL, (COUNCIL, LONDON_BOROUGH), True, id="and its own people"),
        pytest.param(COUNCIL, (OTHER_COUNCIL, LONDON_BOROUGH), False, id="not those of another authority"),
        pytest.param(COUNCIL, (PARTNER, LONDON_BOROUGH), False, id="nor of a national partner"),
        pytest.param(COUNCIL, (AUDIT, LONDON_BOROUGH), False, id="nor auditors"),
        pytest.param(COUNCIL, (OFFICE, LONDON_BOROUGH), False, id="nor the central office"),
        pytest.param(PARTNER, (PARTNER, ANOTHER_BOROUGH), True, id="a partner reaches its own employees"),
        pytest.param(PARTNER, (HEALTH, LONDON_BOROUGH), False, id="and nobody else"),
        pytest.param(OFFICE, (COUNCIL, ANOTHER_BOROUGH), True, id="the central office reaches everywhere"),
        pytest.param(HEALTH, (SCHOOL, LONDON_BOROUGH), False, id="a health body reaches nobody else"),
    ],
)
def test_whose_accounts_are_whose_to_grant(granter: UUID, place: tuple[UUID, str], reached: bool) -> None:
    organisation, area = place
    found = within_reach(a_granter(granter), Place(organisation, KINDS[organisation], area), the_rules())
    assert found is reached


@pytest.mark.parametrize(
    ("granter", "changes", "code"),
    [
        pytest.param(None, {"holder": None}, "no-holder", id="nobody's account"),
        pytest.param(None, {"organisation": PARTNER}, "not-yours-to-grant", id="of people of another's"),
        pytest.param(None, {"organisation": SCHOOL}, "role-not-open", id="a role that they do not hold"),
        pytest.param(None, {"organisation": COUNCIL, "holder": "9000"}, "own-account", id="one of one's own"),
        pytest.param(
            a_granter(HEALTH),
            {"role": "auditor", "purposes": ("audit",)},
            "role-not-open",
            id="an auditor of health",
        ),
    ],
)
def test_an_account_is_not_granted(
    store: EventStore, tokens: SystemTokens, granter: Granter | None, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        grant(store, tokens, granter, **changes)
    assert refused.value.code == code
    assert store.load(ACCOUNT).version == 0


COMMANDS: Final = {
    "suspend": because(of_account.SuspendAccount),
    "reinstate": because(of_account.ReinstateAccount),
    "end": because(of_account.CloseAccount),
    "role": of_account.AssignRole(at=NOW, role="reader", purposes=("casework",)),
    "condition": meets(),
    "withdraw": because(of_account.WithdrawAccountCondition, condition="check"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_nobody_decides_on_an_account_that_is_not_theirs_to_decide_on(
    store: EventStore, tokens: SystemTokens, name: str
) -> None:
    grant(store, tokens)
    own = Granter(ACCOUNT, Place(HEALTH, "health", LONDON_BOROUGH), Holder(HEALTH, "9000"))
    other_account_of_mine = Granter(OTHER, Place(HEALTH, "health", LONDON_BOROUGH), Holder(HEALTH, "4711"))
    for granter, code in (
        (own, "own-account"),
        (other_account_of_mine, "own-account"),
        (a_granter(COUNCIL, ANOTHER_BOROUGH), "not-yours-to-grant"),
        (a_granter(PARTNER), "not-yours-to-grant"),
    ):
        with pytest.raises(Refused) as refused:
            change(store, tokens, COMMANDS[name], granter=granter)
        assert refused.value.code == code
    assert store.load(ACCOUNT).version == 2


def test_nobody_has_two_of_the_duties_that_exclude_each_other(
    store: EventStore, tokens: SystemTokens
) -> None:
    office = a_granter(OFFICE)
    managing: dict[str, Any] = {
        "organisation": COUNCIL,
        "role": "account-manager",
        "purposes": ("account-management",),
    }
    data: dict[str, Any] = {"organisation": COUNCIL, "role": "data-manager", "name": "somebody-else"}
    grant(store, tokens, office, **managing)
    with pytest.raises(Refused) as refused:
        grant(store, tokens, office, OTHER, **data)
    assert refused.value.code == "duties-conflict"
    grant(store, tokens, office, UUID(int=44), **data | {"name": "a-third", "holder": "4712"})

    change(store, tokens, because(of_account.CloseAccount), granter=office)
    grant(store, tokens, office, OTHER, **data)
    with pytest.raises(Refused) as refused:
        grant(store, tokens, office, UUID(int=45), **managing | {"name": "a-fourth"})
    assert refused.value.code == "duties-conflict", "the duty went over to the new account"


class Overtaken:
    """A store at which another account manager comes first, once."""

    def __init__(self, store: EventStore, first: Callable[[], object]) -> None:
        self._store = store
        self._first: Callable[[], object] | None = first

    def append(self, *changes: Any, **how: Any) -> Appended:
        first, self._first = self._first, None
        if first is not None:
            first()
        return self._store.append(*changes, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_of_two_duties_granted_to_one_person_at_once_one_is_refused(
    store: EventStore, tokens: SystemTokens
) -> None:
    office = a_granter(OFFICE)
    data: dict[str, Any] = {"organisation": COUNCIL, "role": "data-manager", "name": "somebody-else"}
    managing: dict[str, Any] = {
        "organisation": COUNCIL,
        "role": "account-manager",
        "purposes": ("account-management",),
    }
    overtaken = Overtaken(store, lambda: grant(store, tokens, office, OTHER, **data))
    with pytest.raises(Refused) as refused:
        grant(overtaken, tokens, office, ACCOUNT, **managing)
    assert refused.value.code == "duties-conflict"
    assert (standing_of(store, OTHER).role, store.load(ACCOUNT).version) == ("data-manager", 0)


@pytest.mark.parametrize(
    ("was", "becomes"), [("data-manager", "practitioner"), ("practitioner", "data-manager")]
)
def test_no_account_is_moved_into_such_a_duty_or_out_of_it(
    store: EventStore, tokens: SystemTokens, was: str, becomes: str
) -> None:
    grant(store, tokens, organisation=COUNCIL, role=was)
    with pytest.raises(Refused) as refused:
        change(store, tokens, of_account.AssignRole(at=NOW, role=becomes, purposes=("casework",)))
    assert refused.value.code == "separate-duty"


def standing_of(store: EventStore, account: UUID = ACCOUNT) -> Account:
    return fold(store.load(account))


def test_another_role_makes_void_what_was_authorised_of_the_old_one(
    store: EventStore, tokens: SystemTokens
) -> None:
    grant(store, tokens, organisation=COUNCIL)
    change(store, tokens, meets("authorisation"))
    moved = of_account.AssignRole(at=NOW, role="social-worker", purposes=("section-47",), may_override=True)
    for duplicate in (False, True):
        assert change(store, tokens, moved).duplicate is duplicate
    account = standing_of(store)
    assert (account.role, account.purposes, account.may_override) == ("social-worker", ("section-47",), True)
    assert account.conditions.proofs["authorisation"] == Proof(TODAY, altered=frozenset({"role"}))
    change(store, tokens, meets("authorisation"))
    assert standing_of(store).conditions.proofs["authorisation"] == Proof(TODAY)


def test_a_condition_is_recorded_taken_back_and_recorded_anew(
    store: EventStore, tokens: SystemTokens
) -> None:
    grant(store, tokens)
    for duplicate in (False, True):
        assert change(store, tokens, meets()).duplicate is duplicate
    for duplicate in (False, True):
        taken = because(of_account.WithdrawAccountCondition, condition="check")
        assert change(store, tokens, taken).duplicate is duplicate
    assert standing_of(store).conditions.proofs["check"].withdrawn
    assert not change(store, tokens, meets()).duplicate
    assert standing_of(store).conditions.proofs["check"] == Proof(TODAY)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (meets("luck"), "unknown-condition"),
        (meets("accreditation"), "unknown-condition"),
        (meets(on=TODAY + timedelta(days=1)), "date-in-future"),
        (meets(on=TODAY.replace(year=TODAY.year - 3)), "lapsed-already"),
        (meets(ends_on=TODAY), "dates-out-of-order"),
        (meets(on=TODAY - timedelta(days=9), ends_on=TODAY), "lapsed-already"),
        (meets("authenticator"), "no-reference"),
        (because(of_account.WithdrawAccountCondition, condition="check"), "condition-not-met"),
        (because(of_account.WithdrawAccountCondition, condition="luck"), "unknown-condition"),
        (because(of_account.SuspendAccount, reason="dislike"), "unknown-reason"),
        (because(of_account.ReinstateAccount, reason="dislike"), "unknown-reason"),
        (because(of_account.CloseAccount, reason="dislike"), "unknown-reason"),
        (of_account.AssignRole(at=NOW, role="minister", purposes=()), "role-not-open"),
        (of_account.AssignRole(at=NOW, role="teacher", purposes=()), "role-not-open"),
        (of_account.AssignRole(at=NOW, role="reader", purposes=("audit",)), "unknown-purpose"),
    ],
)
def test_what_cannot_be_is_refused(
    store: EventStore, tokens: SystemTokens, command: Command, code: str
) -> None:
    grant(store, tokens)
    with pytest.raises(Refused) as refused:
        change(store, tokens, command)
    assert refused.value.code == code
    assert store.load(ACCOUNT).version == 2


def test_a_suspended_account_is_suspended_until_it_is_reinstated(
    store: EventStore, tokens: SystemTokens
) -> None:
    grant(store, tokens)
    for name, suspended, duplicate in (
        ("reinstate", False, True),
        ("suspend", True, False),
        ("suspend", True, True),
        ("reinstate", False, False),
    ):
        assert change(store, tokens, COMMANDS[name]).duplicate is duplicate
        assert standing_of(store).conditions.suspended is suspended


def test_an_account_that_has_ended_is_never_let_in_again(store: EventStore, tokens: SystemTokens) -> None:
    grant(store, tokens)
    change(store, tokens, COMMANDS["end"])
    assert change(store, tokens, COMMANDS["end"]).duplicate
    for name in ("suspend", "reinstate", "role", "condition"):
        with pytest.raises(NotFound):
            change(store, tokens, COMMANDS[name])
    with pytest.raises(Refused):
        grant(store, tokens)
    assert standing_of(store).closed


def test_several_are_suspended_together_or_none(store: EventStore, tokens: SystemTokens) -> None:
    grant(store, tokens)
    with pytest.raises(NotFound):
        change(store, tokens, COMMANDS["suspend"], ACCOUNT, OTHER)
    assert not standing_of(store).conditions.suspended
    grant(store, tokens, account=OTHER, name="another", holder="4712")
    change(store, tokens, COMMANDS["suspend"], ACCOUNT, OTHER, ACCOUNT)
    assert [standing_of(store, one).conditions.suspended for one in (ACCOUNT, OTHER)] == [True, True]


def test_an_authenticator_of_two_accounts_suspends_both(store: EventStore, tokens: SystemTokens) -> None:
    grant(store, tokens)
    grant(store, tokens, account=OTHER, name="another", holder="4712")
    shared = meets("authenticator", reference="K-1")
    change(store, tokens, shared)
    assert change(store, tokens, shared).duplicate
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            change(store, tokens, shared, OTHER)
        assert refused.value.code == "authenticator-shared"
    assert [standing_of(store, one).conditions.suspended for one in (ACCOUNT, OTHER)] == [True, True]
    assert "authenticator" not in standing_of(store, OTHER).conditions.proofs


def test_an_authenticator_that_was_given_up_may_be_anothers(store: EventStore, tokens: SystemTokens) -> None:
    grant(store, tokens)
    grant(store, tokens, account=OTHER, name="another", holder="4712")
    first, second = meets("authenticator", reference="K-1"), meets("authenticator", reference="K-2")
    change(store, tokens, first)
    change(store, tokens, second)
    change(store, tokens, first, OTHER)
    with pytest.raises(Refused) as refused:
        change(store, tokens, first)
    assert refused.value.code == "authenticator-shared"
    assert [standing_of(store, one).conditions.suspended for one in (ACCOUNT, OTHER)] == [True, True]


# Organisations


def tell(store: EventStore, command: Command, granter: Granter | None = None) -> Appended:
    return change_organisation(
        HEALTH,
        [command],
        store=store,
        rules=the_rules(),
        metadata=metadata(),
        granter=granter or a_granter(OFFICE),
    )


@pytest.fixture
def trust(store: EventStore, tokens: SystemTokens) -> EventStore:
    command = of_organisation.RegisterOrganisation(at=NOW, name="Hospital Trust", body="RQX", kind="health")
    register(HEALTH, command, store=store, tokens=tokens, metadata=metadata())
    return store


def now(store: EventStore) -> Organisation:
    return fold_organisation(store.load(HEALTH))


def accredits(**more: Any) -> Command:
    said = {"at": NOW, "condition": "accreditation", "met_on": TODAY}
    return of_organisation.RecordOrganisationCondition.model_validate(said | more)


@pytest.mark.parametrize("what", ["name", "ownership", "purpose"])
def test_an_organisation_that_is_another_is_accredited_no_longer(trust: EventStore, what: Any) -> None:
    name = "Hospital Trust Limited" if what == "name" else None
    tell(trust, accredits())
    assert tell(trust, accredits()).duplicate
    tell(trust, of_organisation.AlterOrganisation(at=NOW, what=what, name=name))
    assert now(trust).conditions.proofs["accreditation"].altered == {what}
    assert now(trust).name == (name or "Hospital Trust")
    tell(trust, accredits())
    assert now(trust).conditions.proofs["accreditation"] == Proof(TODAY)


def test_an_organisation_is_suspended_let_in_again_and_ended(trust: EventStore) -> None:
    for kind, duplicate in (
        (of_organisation.ReinstateOrganisation, True),
        (of_organisation.SuspendOrganisation, False),
        (of_organisation.SuspendOrganisation, True),
        (of_organisation.ReinstateOrganisation, False),
        (of_organisation.EndOrganisation, False),
    ):
        assert tell(trust, because(kind)).duplicate is duplicate
    assert now(trust).conditions.ended
    with pytest.raises(NotFound):
        tell(trust, accredits())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (accredits(condition="check"), "unknown-condition"),
        (accredits(met_on=TODAY + timedelta(days=1)), "date-in-future"),
        (
            because(of_organisation.WithdrawOrganisationCondition, condition="accreditation"),
            "condition-not-met",
        ),
        (because(of_organisation.SuspendOrganisation, reason="dislike"), "unknown-reason"),
        (of_organisation.AlterOrganisation(at=NOW, what="name"), "usage"),
        (of_organisation.AlterOrganisation(at=NOW, what="purpose", name="Anything"), "usage"),
        (
            of_organisation.AlterOrganisation(at=NOW, what="name", name="she said they have moved"),
            "narrative",
        ),
    ],
)
def test_what_cannot_be_of_an_organisation_is_refused(trust: EventStore, command: Command, code: str) -> None:
    with pytest.raises(Refused) as refused:
        tell(trust, command)
    assert refused.value.code == code
    assert trust.load(HEALTH).version == 1


def test_a_condition_of_an_organisation_is_taken_back(trust: EventStore) -> None:
    tell(trust, accredits())
    taken = because(of_organisation.WithdrawOrganisationCondition, condition="accreditation")
    assert [tell(trust, taken).duplicate for _ in range(2)] == [False, True]
    assert now(trust).conditions.proofs["accreditation"].withdrawn


def test_only_the_central_office_accredits_and_not_itself() -> None:
    for granter, organisation, code in (
        (a_granter(COUNCIL), HEALTH, "not-yours-to-accredit"),
        (a_granter(PARTNER), PARTNER, "not-yours-to-accredit"),
        (a_granter(OFFICE), OFFICE, "own-organisation"),
    ):
        with pytest.raises(Refused) as refused:
            refuse_unless_accrediting(granter, organisation, the_rules())
        assert refused.value.code == code
    refuse_unless_accrediting(a_granter(OFFICE), HEALTH, the_rules())


def test_a_command_that_is_about_something_else_is_a_programming_error(
    trust: EventStore, tokens: SystemTokens
) -> None:
    grant(trust, tokens)
    with pytest.raises(TypeError):
        change(trust, tokens, Command(at=NOW))
    with pytest.raises(TypeError):
        tell(trust, Command(at=NOW))
