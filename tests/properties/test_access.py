"""Whatever happens to an account and its organisation, nobody is let in while any condition of access does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final, TypeAlias
from uuid import UUID

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.access.model import Actor, actor_of
from domain.account import commands as of_account
from domain.account import model as account
from domain.errors import AccessDenied, Refused
from domain.kernel import Command
from domain.organisation import commands as of_organisation
from domain.organisation import model as organisation
from domain.policy.access import admitted
from domain.policy.retention import LONDON
from tests.builders import LONDON_BOROUGH, NOW, the_rules
from tests.plugins_counts import count
from tests.unit.domain.test_doors import DOORS as EVERY_DOOR
from tests.unit.domain.test_doors import Door, Entries, WasReadError, looking

RULES: Final = the_rules()
ACCOUNT: Final = UUID(int=41)
EMPLOYER: Final = UUID(int=42)
REASON: Final = "left"
DOORS: Final = [EVERY_DOOR[name][1] for name in ("search", "show", "show as of", "contact")]
"""Those that a practitioner and a reader go through."""
_ASKED_OF: Final = {code: one.of for code, one in RULES.conditions.items() if one.of != "authority"}

Wish: TypeAlias = tuple[int, str, str, int, int | None]
"""Hours since the wish before, what is wished, of what, met so many days ago, ending in so many days."""

WISHES: Final = st.lists(
    st.tuples(
        st.integers(0, 24 * 500),
        st.sampled_from(
            [
                "met",
                "met",
                "met",
                "met",
                "withdraw",
                "suspend",
                "reinstate",
                "role",
                "alter",
                "end",
                "shut",
                "open",
            ]
        ),
        st.sampled_from(list(_ASKED_OF)),
        st.integers(0, 1300),
        st.one_of(st.none(), st.integers(1, 60)),
    ),
    max_size=24,
)


@dataclass
class Life:
    """What was decided, in order, as plain words: the oracle reads these and knows nothing of how they are folded."""

    who: account.Account = field(default_factory=lambda: account.Account(ACCOUNT))
    employer: organisation.Organisation = field(default_factory=lambda: organisation.Organisation(EMPLOYER))
    told: list[tuple[str, str, date, date | None]] = field(default_factory=list)
    at: datetime = NOW

    def begin(self) -> "Life":
        opened = of_account.OpenAccount(
            at=self.at,
            name="somebody",
            role="practitioner",
            organisation=EMPLOYER,
            body="RQX",
            area=LONDON_BOROUGH,
            purposes=("casework",),
        )
        registered = of_organisation.RegisterOrganisation(at=self.at, name="Trust", body="RQX", kind="health")
        for event in account.open_account(self.who, opened, RULES):
            self.who = account.evolve(self.who, event)
        for event in organisation.register(self.employer, registered):
            self.employer = organisation.evolve(self.employer, event)
        for code in _ASKED_OF:  # everything holds to begin with
            self.wish((0, "met", code, 0, None))
        return self

    def wish(self, wish: Wish) -> None:
        """Try it: refused, it changes nothing."""
        hours, what, code, ago, ends = wish
        self.at += timedelta(hours=hours)
        today = self.at.astimezone(LONDON).date()
        met_on = today - timedelta(days=ago)
        ends_on = None if ends is None else today + timedelta(days=ends)
        party = _ASKED_OF[code]
        if what in ("role", "suspend", "reinstate", "end"):
            party = "account"
        elif what in ("alter", "shut", "open"):
            party = "organisation"
        command = self._command(what, code, party, met_on, ends_on)
        try:
            if party == "account":
                for event in account.decide(self.who, command, RULES):
                    self.who = account.evolve(self.who, event)
            else:
                for each in organisation.decide(self.employer, command, RULES):
                    self.employer = organisation.evolve(self.employer, each)
        except Refused:
            return
        self.told.append((what, code, met_on, ends_on))

    def _command(self, what: str, code: str, party: str, met_on: date, ends_on: date | None) -> Command:
        module = of_account if party == "account" else of_organisation
        evidence = {
            "at": self.at,
            "condition": code,
            "met_on": met_on,
            "ends_on": ends_on,
            "reference": "K-1",
        }
        because = {"at": self.at, "reason": REASON}
        match what:
            case "met":
                name = "RecordAccountCondition" if party == "account" else "RecordOrganisationCondition"
                made: Command = getattr(module, name).model_validate(evidence)
            case "withdraw":
                name = "WithdrawAccountCondition" if party == "account" else "WithdrawOrganisationCondition"
                made = getattr(module, name).model_validate(because | {"condition": code})
            case "role":
                role = "reader" if self.who.role == "practitioner" else "practitioner"
                made = of_account.AssignRole(at=self.at, role=role, purposes=("casework",))
            case "suspend":
                made = of_account.SuspendAccount.model_validate(because)
            case "reinstate":
                made = of_account.ReinstateAccount.model_validate(because)
            case "end":
                made = of_account.CloseAccount.model_validate(because)
            case "alter":
                made = of_organisation.AlterOrganisation(at=self.at, what="ownership")
            case "shut":
                made = of_organisation.SuspendOrganisation.model_validate(because)
            case _:
                made = of_organisation.ReinstateOrganisation.model_validate(because)
        return made

    def let_in(self, instant: datetime) -> bool:
        """Whether they are, as it is decided; and whether it is so at the doors, behind which is what is to be seen."""
        actor = actor_of(self.who, self.employer, training=False)
        decided = admitted(actor.standing, "search", instant, RULES).allowed
        assert [self._is_seen(actor, knock, instant) for knock in DOORS] == [decided] * len(DOORS)
        return decided

    def _is_seen(self, actor: Actor, knock: Door, instant: datetime) -> bool:
        """Whether anything behind a door is read. Where it is not, that they were refused is on record."""
        entries = Entries()
        with pytest.raises((WasReadError, AccessDenied)) as raised:
            knock(replace(looking(actor.standing, entries), viewer=actor), instant)
        if isinstance(raised.value, WasReadError):
            return True
        assert isinstance(raised.value, AccessDenied)
        assert [one.event.rule for one in entries.appended] == [raised.value.code]
        return False


def everything_holds(told: Sequence[tuple[str, str, date, date | None]], instant: datetime) -> bool:
    """The oracle: reads what was decided from the end, as somebody would with a pencil."""
    today = instant.astimezone(LONDON).date()
    words = [what for what, *_ in told]
    if (
        "end" in words
        or _last(words, "suspend", "reinstate") == "suspend"
        or _last(words, "shut", "open") == "shut"
    ):
        return False
    return all(_holds(code, told, today) for code in _ASKED_OF)


def _holds(code: str, told: Sequence[tuple[str, str, date, date | None]], today: date) -> bool:
    for what, of, met_on, ends_on in reversed(told):
        if what == "met" and of == code:
            years = {"check": 3, "training": 1, "security-attestation": 1}.get(code)
            in_time = ends_on is None or today < ends_on
            return met_on <= today and in_time and (years is None or _within(met_on, years, today))
        if what == "withdraw" and of == code:
            return False
        if (what, code) in {("role", "authorisation"), ("alter", "accreditation")}:
            return False
    return False


def _within(met_on: date, years: int, today: date) -> bool:
    """Whether fewer than so many years have passed: compared by year, month and day, without a calendar's help."""
    return (today.year - years, today.month, today.day) < (met_on.year, met_on.month, met_on.day)


def _last(words: Sequence[str], *either: str) -> str | None:
    return next((word for word in reversed(words) if word in either), None)


@whatever(WISHES, st.lists(st.integers(-1, 1500), max_size=6), st.sampled_from([0, -1]))
@settings(max_examples=count(20_000))
def test_no_history_lets_anybody_in_while_a_condition_does_not_hold(
    wishes: list[Wish], days: list[int], microseconds: int
) -> None:
    life = Life().begin()
    assert life.let_in(life.at), "or the test would try nothing"
    for wish in wishes:
        life.wish(wish)
        assert life.let_in(life.at) is everything_holds(life.told, life.at)
    for ahead in days:  # no event comes; only midnights pass
        day = life.at.astimezone(LONDON).date() + timedelta(days=ahead + 1)
        midnight = datetime.combine(day, time(), LONDON) + timedelta(microseconds=microseconds)
        if midnight >= life.at:
            assert life.let_in(midnight) is everything_holds(life.told, midnight)


@whatever(WISHES, st.integers(0, 2000))
@settings(max_examples=count(10_000))
def test_who_is_shut_out_stays_out_until_somebody_records_something(wishes: list[Wish], days: int) -> None:
    life = Life().begin()
    for wish in wishes:
        life.wish(wish)
    later = life.at + timedelta(days=days)
    assert life.let_in(life.at) or not life.let_in(later), "time alone opens no door"
