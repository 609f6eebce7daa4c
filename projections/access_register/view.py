"""Which accounts and organisations there are, each by its id and what it is called.

How they stand depends on the instant and the rules, so it is no view's to hold: whoever lists them folds their streams.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from domain.account.events import AccountOpened
from domain.kernel import History, Log
from domain.organisation.events import OrganisationRegistered
from domain.rule_set.model import RuleSet
from projections.projection import Depth, Projection, Row, Table, reads


class AccountRow(NamedTuple):
    """An account, ended or not."""

    account_id: UUID
    name: str
    body: str


class OrganisationRow(NamedTuple):
    """An organisation, ended or not."""

    organisation_id: UUID
    body: str


def rows(history: History, rules: RuleSet) -> Sequence[Row]:
    """The row of one account's or organisation's stream; none for other streams."""
    del rules
    first = history.events[0].event if history.events else None
    match first:
        case AccountOpened():
            return (AccountRow(history.stream_id, first.name, first.body),)
        case OrganisationRegistered():
            return (OrganisationRow(history.stream_id, first.body),)
        case _:
            return ()


ACCESS_REGISTER: Final = Projection(
    name="access_register",
    version=1,
    logs=(Log.RECORD,),
    tables=(
        Table("account", AccountRow, key=("account_id",), stream="account_id"),
        Table("organisation", OrganisationRow, key=("organisation_id",), stream="organisation_id"),
    ),
    rows=rows,
    folder=Path(__file__).parent,
    reads=reads(Depth.EVENTS, AccountOpened, OrganisationRegistered),
)
