"""The state of one organisation, what may be decided about it, and `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from uuid import UUID

from domain.errors import Refused
from domain.kernel import Event, History
from domain.organisation.commands import RegisterOrganisation
from domain.organisation.events import OrganisationRegistered
from domain.policy.screening import screen_name


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation. `registered` is None where there is none."""

    organisation_id: UUID
    version: int = 0
    registered: OrganisationRegistered | None = None


def register(organisation: Organisation, command: RegisterOrganisation) -> Sequence[Event]:
    """Register it. The same again changes nothing."""
    screen_name(command.name, "name", words=14)
    registered = OrganisationRegistered(name=command.name, body=command.body, kind=command.kind)
    if organisation.registered == registered:
        return ()
    if organisation.registered is not None:
        raise Refused("This organisation is there already.", code="already-registered")
    return (registered,)


def fold(history: History) -> Organisation:
    """The organisation that a whole stream tells of."""
    organisation = reduce(evolve, (r.event for r in history.events), Organisation(history.stream_id))
    return replace(organisation, version=history.version)


def evolve(organisation: Organisation, event: Event) -> Organisation:
    """Fold one event into the organisation. Total."""
    match event:
        case OrganisationRegistered():
            return replace(organisation, registered=event)
        case _:
            return organisation
