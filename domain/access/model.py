"""Who acts, an access as it is recorded, and the grant without which no query returns personal data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain.access.events import Hit, Looked, SignInRefused
from domain.account.events import TiesDeclared
from domain.account.model import Account
from domain.disclosure import Viewer
from domain.errors import NotFound
from domain.kernel import Metadata
from domain.organisation.model import Organisation
from domain.policy.access import Standing
from domain.policy.granting import Granter, Holder, Place
from domain.ports import Session

LOOKED_ALREADY: Final = "looked-already"
"""The code of a refusal because a look that may be made once was made."""


@dataclass(frozen=True, slots=True)
class Access:
    """One access as recorded. Its event is `LookForgotten` once any child shown, or its period, is destroyed."""

    access_id: UUID
    event: Looked
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """A refused sign-in as recorded. No access: nobody had proved who they are."""

    access_id: UUID
    event: SignInRefused
    metadata: Metadata


class AccessOnRecord(NamedTuple):
    """An access, or a refused sign-in, as an auditor takes it out.

    children: those shown, with what was; those only asked for, with None. hidden: one of them is shielded now, or
    cannot be opened, so whose people looked and what was typed stay here.
    """

    access: Access | NotSignedIn
    position: int
    children: tuple[tuple[UUID, Hit | None], ...]
    hidden: bool


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """Permission for one access by one viewer at one instant. Only `domain.access.handlers` makes one."""

    access_id: UUID
    viewer: Viewer
    instant: datetime
    purpose: str | None
    override: bool = False
    confirmed_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Actor(Viewer):
    """Whoever asks, as the log has them now: what a display depends on, and what has to hold before there is one.

    Nobody is let in by being an actor: `domain.access.handlers` decides at the instant of each command. read_from: the
    stream versions this was read from. ties: whom the holder declared their own. made_up: nobody's, in a training home.
    session: by which they are signed in; None where --as says who acts.
    """

    standing: Standing
    holder: Holder
    line_manager: Holder | None
    ties: TiesDeclared | None
    made_up: bool
    read_from: tuple[tuple[UUID, int], ...]
    session: Session | None = None

    def is_person(self, other: "Actor") -> bool:
        """Whether two accounts are one, or may be one person's."""
        return self.account == other.account or self.holder.may_be(other.holder)

    def manages(self, other: "Actor") -> bool:
        """Whether this is the other's line manager."""
        return other.line_manager is not None and self.holder.may_be(other.line_manager)

    def granter(self) -> Granter:
        """As an account manager."""
        return Granter(self.account, Place(self.organisation, self.standing.kind, self.area), self.holder)


def actor_of(
    account: Account, organisation: Organisation, *, training: bool, session: Session | None = None
) -> Actor:
    """The holder of an account, ended ones too, with the organisation they work for. Raises NotFound without one.

    training: whether this is a home of invented people. session: by which they are signed in.
    """
    opened, holder = account.opened, account.person
    if opened is None or holder is None:
        raise NotFound("There is no such account.", field="as")
    standing = Standing(
        role=account.role,
        purposes=account.purposes,
        may_override=account.may_override,
        kind=organisation.kind,
        account=account.conditions,
        organisation=organisation.conditions,
        training=training,
    )
    return Actor(
        account=account.account_id,
        role=account.role,
        organisation=opened.organisation,
        body=opened.body,
        area=opened.area,
        purposes=account.purposes,
        standing=standing,
        holder=holder,
        ties=account.ties,
        made_up=training and account.made_up,
        line_manager=Holder(opened.organisation, account.line_manager) if account.line_manager else None,
        read_from=(
            (account.account_id, account.version),
            (opened.organisation, organisation.version),
        ),
        session=session,
    )
