"""The state of one organisation, what may be decided about it, and `evolve`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from uuid import UUID

from domain.errors import BadInput, NotFound, Refused
from domain.kernel import Command, Event, History
from domain.organisation.commands import (
    AlterOrganisation,
    EndOrganisation,
    RecordOrganisationCondition,
    RegisterOrganisation,
    ReinstateOrganisation,
    SuspendOrganisation,
    WithdrawOrganisationCondition,
)
from domain.organisation.events import (
    OrganisationAltered,
    OrganisationConditionMet,
    OrganisationConditionWithdrawn,
    OrganisationEnded,
    OrganisationRegistered,
    OrganisationReinstated,
    OrganisationSuspended,
)
from domain.policy.access import Party
from domain.policy.granting import check_proof, check_reason, condition_of, proof_of, refuse_unmet
from domain.policy.rule_book import refuse_unless_in_force
from domain.policy.screening import screen_name
from domain.rule_set.model import RuleSet


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation. `registered` is None where there is none. `name`: as it is now."""

    organisation_id: UUID
    version: int = 0
    registered: OrganisationRegistered | None = None
    name: str = ""
    conditions: Party = field(default_factory=Party)

    @property
    def kind(self) -> str | None:
        """Of which kind it is; None where there is none."""
        return None if self.registered is None else self.registered.kind

    def asked(self) -> tuple[str, ...]:
        """What conditions are asked of it: those of an organisation, of a local authority its own besides."""
        return ("organisation", "authority") if self.kind == "local-authority" else ("organisation",)


def register(organisation: Organisation, command: RegisterOrganisation) -> Sequence[Event]:
    """Register it. The same again changes nothing."""
    screen_name(command.name, "name", words=14)
    registered = OrganisationRegistered(name=command.name, body=command.body, kind=command.kind)
    if organisation.registered == registered:
        return ()
    if organisation.registered is not None:
        raise Refused("This organisation is there already.", code="already-registered")
    return (registered,)


def check_kind(command: RegisterOrganisation, rules: RuleSet) -> None:
    """Refuse a kind of organisation that the rules do not know. Raises BadInput, code `unknown-kind`."""
    if command.kind not in rules.organisations:
        raise BadInput(
            f"The kind is one of: {', '.join(rules.organisations)}.", code="unknown-kind", field="kind"
        )


def decide(organisation: Organisation, command: Command, rules: RuleSet) -> Sequence[Event]:
    """What comes of a command about an organisation that is there: events, none where it is so already, or a refusal.

    Raises NotFound where there is none or it has ended, Refused, BadInput.
    """
    refuse_unless_in_force(rules, command.at)
    stood = organisation.conditions
    if organisation.registered is None or stood.ended:
        raise NotFound("There is no such organisation.", field="organisation")
    match command:
        case SuspendOrganisation():
            check_reason(command.reason, rules)
            return () if stood.suspended else (OrganisationSuspended(reason=command.reason),)
        case ReinstateOrganisation():
            check_reason(command.reason, rules)
            return (OrganisationReinstated(reason=command.reason),) if stood.suspended else ()
        case EndOrganisation():
            check_reason(command.reason, rules)
            return (OrganisationEnded(reason=command.reason),)
        case AlterOrganisation():
            return _alter(organisation, command)
        case RecordOrganisationCondition():
            check_proof(command, "organisation", command.at, rules)
            if stood.proofs.get(command.condition) == proof_of(command):
                return ()
            said = dict(command.model_dump(exclude={"at"}))
            return (OrganisationConditionMet(rule_set=rules.id, **said),)
        case WithdrawOrganisationCondition():
            condition_of(command.condition, "organisation", rules)
            check_reason(command.reason, rules)
            refuse_unmet(stood.proofs, command.condition)
            if stood.proofs[command.condition].withdrawn:
                return ()
            return (OrganisationConditionWithdrawn(condition=command.condition, reason=command.reason),)
        case _:
            raise TypeError(f"nobody decides on {type(command).__name__}")


def _alter(organisation: Organisation, command: AlterOrganisation) -> Sequence[Event]:
    if (command.name is not None) != (command.what == "name"):
        raise BadInput("Give --name with what is altered where that is the name.", code="usage", field="name")
    screen_name(command.name, "name", words=14)
    if command.what == "name" and command.name == organisation.name:
        return ()
    return (OrganisationAltered(what=command.what, name=command.name),)


def fold(history: History) -> Organisation:
    """The organisation that a whole stream tells of."""
    organisation = reduce(evolve, (r.event for r in history.events), Organisation(history.stream_id))
    return replace(organisation, version=history.version)


def evolve(organisation: Organisation, event: Event) -> Organisation:
    """Fold one event into the organisation. Total."""
    stood = organisation.conditions
    match event:
        case OrganisationRegistered():
            return replace(organisation, registered=event, name=event.name)
        case OrganisationSuspended():
            return replace(organisation, conditions=replace(stood, suspended=True))
        case OrganisationReinstated():
            return replace(organisation, conditions=replace(stood, suspended=False))
        case OrganisationEnded():
            return replace(organisation, conditions=replace(stood, ended=True))
        case OrganisationAltered():
            return replace(
                organisation, name=event.name or organisation.name, conditions=stood.changed(event.what)
            )
        case OrganisationConditionMet():
            return replace(organisation, conditions=stood.met(event.condition, proof_of(event)))
        case OrganisationConditionWithdrawn():
            return replace(organisation, conditions=stood.taken_back(event.condition))
        case _:
            return organisation
