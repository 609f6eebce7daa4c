"""Any command in any state answers with events, with nothing, or with a refusal that is listed and says what to do.

Commands are made from their types, so that a new one is tried as soon as it is there. What they name (ids, days, codes)
is drawn from so few that one command often meets what another did.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, reduce
from importlib import import_module
from typing import Annotated, Any, Final, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from cli.refusals_page import listed
from domain.account import model as account
from domain.account.commands import OpenAccount
from domain.account.events import AccountOpened
from domain.child_record import decisions
from domain.child_record import model as child_record
from domain.child_record.commands import RegisterChild
from domain.errors import NotFound, Refused
from domain.identifiers import Id, ShortCode
from domain.investigation import model as investigation
from domain.investigation.events import InvestigationOpened
from domain.kernel import Command, Event, Log, Metadata, Recorded
from domain.organisation import model as organisation
from domain.organisation.commands import RegisterOrganisation
from domain.organisation.events import OrganisationRegistered
from domain.proposal import model as proposal
from domain.proposal.model import ACTS
from tests.architecture.event_classes import alternatives, fields
from tests.builders import BORN, CHILD, LONDON_BOROUGH, NOW, TODAY, registers, the_rules
from tests.given import after, apply
from tests.plugins_counts import count
from tests.properties.test_child_record import COMMANDS
from tests.strategies import commands

SHORTEST_VALUE: Final = 6
"""Letters from which on a text that was given is looked for in the words of a refusal."""

SHORTEST_REMEDY: Final = 4
"""Words that tell somebody what to do about a refusal, at the least."""

ACTORS: Final = [UUID(int=n, version=4) for n in (71, 72)]
IDS: Final = st.sampled_from([UUID(int=n, version=4) for n in (71, 72, 73)])
DAYS: Final = st.sampled_from([0, 1, 400, 3000, 3900, 4500, 6570, 6600]).map(
    lambda days: BORN + timedelta(days)
)
INSTANTS: Final = st.sampled_from([0, 1, 60 * 24 * 8, 60 * 24 * 3000]).map(
    lambda minutes: NOW + timedelta(minutes=minutes)
)
RULES: Final = the_rules()
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "act": tuple(ACTS),
    "basis": ("competent", "best-interests"),
    "category": tuple(RULES.extension.categories),
    "condition": tuple(RULES.conditions),
    "ground": (*RULES.shield.grounds, "age-18", "death"),
    "kind": tuple(RULES.organisations),
    "outcome": tuple(RULES.conduct.outcomes),
    "reason": (*RULES.access.reasons, *RULES.shield.reasons_to_lift, *RULES.review.reasons),
    "role": tuple(RULES.roles),
}
"""Field → the codes of the rules that it may hold."""

CODE: Final = re.compile("[a-z0-9-]+")
"""Codes are public: a refusal may say which there are."""

CODES: Final = st.sampled_from(["casework", "child", "identity", "no-such-code"])


@dataclass(frozen=True)
class Kind:
    """What commands are about: its state before anything, what is decided about it, and what it then is."""

    aggregate: str
    begin: Callable[[], Any]
    decide: Callable[[Any, Command, UUID], Any]
    evolve: Callable[[Any, Any, Command, UUID], Any]
    sensible: st.SearchStrategy[Command] | None = None
    """Commands that make sense, to be given beside those made from their types."""

    @property
    def commands(self) -> list[type[Command]]:
        """Every command there is about it."""
        if self.aggregate == "child_record":
            return list(decisions.DECISIONS)
        module = import_module(f"domain.{self.aggregate}.commands")
        return [
            thing
            for thing in vars(module).values()
            if isinstance(thing, type) and issubclass(thing, Command) and thing.__module__ == module.__name__
        ]


def _account(found: account.Account, command: Command, _: UUID) -> Sequence[Event]:
    if isinstance(command, OpenAccount):
        return account.open_account(found, command, the_rules())
    return account.decide(found, command, the_rules())


def _organisation(found: organisation.Organisation, command: Command, _: UUID) -> Sequence[Event]:
    if isinstance(command, RegisterOrganisation):
        organisation.check_kind(command, the_rules())
        return organisation.register(found, command)
    return organisation.decide(found, command, the_rules())


def _recorded(events: Sequence[Event], command: Command, actor: UUID) -> list[Recorded]:
    metadata = Metadata(
        actor=actor, confirmed_by=actor, correlation=UUID(int=1, version=4), purpose="casework"
    )
    return [
        Recorded(Log.RECORD, 1, command.at, UUID(int=1), CHILD, 1, 0, event, metadata) for event in events
    ]


FLAGGED: Final = InvestigationOpened(
    account=ACTORS[0],
    access=UUID(int=9, version=4),
    cause="own-surname",
    organisation=UUID(int=8, version=4),
    area=LONDON_BOROUGH,
    review_by=TODAY,
    rule_set="present",
)
OPENED: Final = AccountOpened(
    name="practitioner",
    role="practitioner",
    organisation=UUID(int=8, version=4),
    body="NHS",
    area=LONDON_BOROUGH,
    purposes=("casework",),
    may_override=False,
    rule_set="present",
)
REGISTERED: Final = OrganisationRegistered(name="Somebody", body="NHS", kind="health")

KINDS: Final = (
    Kind(
        "child_record",
        lambda: after(registers()),
        lambda found, command, _: decisions.decide(found, command, the_rules()),
        lambda found, decided, _command, _actor: apply(found, decided),
        sensible=COMMANDS,
    ),
    Kind(
        "account",
        lambda: reduce(account.evolve, [OPENED], account.Account(CHILD)),
        _account,
        lambda found, events, _command, _actor: reduce(account.evolve, events, found),
    ),
    Kind(
        "organisation",
        lambda: reduce(organisation.evolve, [REGISTERED], organisation.Organisation(CHILD)),
        _organisation,
        lambda found, events, _command, _actor: reduce(organisation.evolve, events, found),
    ),
    Kind(
        "proposal",
        lambda: proposal.Proposal(CHILD),
        lambda found, command, _: proposal.decide(found, command, the_rules()),
        lambda found, events, command, actor: reduce(
            proposal.evolve, _recorded(events, command, actor), found
        ),
    ),
    Kind(
        "investigation",
        lambda: investigation.Investigation(CHILD, opened=FLAGGED, opened_at=NOW),
        lambda found, command, actor: investigation.decide(found, command, actor, the_rules()),
        lambda found, events, command, actor: reduce(
            investigation.evolve, _recorded(events, command, actor), found
        ),
    ),
)


@cache
def likely(command_class: type[Command]) -> st.SearchStrategy[Any]:
    """Commands of a class that often meet what others did."""
    drawn: dict[str, st.SearchStrategy[Any]] = {"at": INSTANTS}
    for name, annotation in fields(command_class).items():
        members = alternatives(annotation)
        for member in members:
            pool = _pool(name, member)
            if pool is not None:
                drawn[name] = pool | st.none() if type(None) in members else pool
    return st.builds(
        lambda one, chosen: one.model_copy(update=chosen),
        commands(command_class),
        st.fixed_dictionaries(drawn),
    )


def _pool(name: str, member: Any) -> st.SearchStrategy[Any] | None:
    if member is date:
        return DAYS
    if get_origin(member) is Annotated:
        if get_args(member)[:2] == get_args(Id)[:2]:
            return IDS
        if get_args(member)[:2] == get_args(ShortCode)[:2]:
            return st.sampled_from(WORDS[name]) | CODES if name in WORDS else CODES
    return None


def texts(value: Any) -> Iterator[str]:
    """Every text in a command that somebody may have typed."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


@cache
def known() -> frozenset[str]:
    """The codes that docs/refusals.md lists."""
    return listed(the_rules())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.aggregate)
def test_any_command_in_any_state_has_an_answer(kind: Kind) -> None:
    carried_out: set[type[Command]] = set()

    any_command = st.one_of([likely(one) for one in kind.commands])
    asked_for = any_command if kind.sensible is None else kind.sensible | any_command

    @whatever(st.lists(st.tuples(asked_for, st.sampled_from(ACTORS)), max_size=8))
    @settings(max_examples=count(5_000))
    def live(asked: list[tuple[Command, UUID]]) -> None:
        state = kind.begin()
        for command, actor in asked:
            before = repr(state)
            try:
                decided = kind.decide(state, command, actor)
            except Refused as refused:
                must_be_understood(refused, command)
                assert repr(state) == before
                continue
            for event in getattr(decided, "events", decided):
                assert type(event).model_validate_json(event.model_dump_json()) == event
                carried_out.add(type(command))
            state = kind.evolve(state, decided, command, actor)

    live()
    enough = min(5, 0.3 * len(kind.commands))
    assert len(carried_out) >= enough, f"hardly anything but refusals: {carried_out}"


def must_be_understood(refused: Refused, command: Command) -> None:
    """The code is listed, the words are words, and nothing that was typed is among them."""
    assert refused.code in known(), f"docs/refusals.md does not list {refused.code}"
    assert len(refused.message.split()) >= SHORTEST_REMEDY
    typed = [
        text
        for text in texts(command.model_dump())
        if len(text) >= SHORTEST_VALUE and not CODE.fullmatch(text)
    ]
    assert not [text for text in typed if text in refused.message]


@whatever(st.one_of([likely(one) for one in decisions.DECISIONS]))
@settings(max_examples=count(10_000))
def test_a_child_of_whom_nothing_is_recorded_is_like_nobody(command: Command) -> None:
    unknown = child_record.unknown(CHILD)
    if isinstance(command, RegisterChild):
        return
    with pytest.raises(NotFound) as refused:
        decisions.decide(unknown, command, the_rules())
    must_be_understood(refused.value, command)
