"""Whether readers open a record yet: not before the authority responsible has signed off that its shields are up (T32).

Asked where a record would be shown as it stands, and nowhere else: of a shielded record the authority is not open, and
its shielded display depends on nothing that the shield hides. Whoever manages the record for its authority sees it
before, because somebody must raise those shields.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.disclosure import RecordFacts, Viewer, sight_of
from domain.organisation.model import Organisation
from domain.policy.access import opened_by
from domain.rule_set.model import RuleSet


class Authorities(Protocol):
    """The organisations that are responsible for records."""

    def standing(self, body: str) -> Organisation | None:
        """The organisation of a body code as the log has it now, or None."""
        ...


class Gate:
    """Decides for one look. `used`: the streams of authorities it was decided from, each with its version.

    An authority that never registered has signed off nothing; in a training home, where authorities are as invented as
    their children, it is taken to have.
    """

    def __init__(
        self, authorities: Authorities, instant: datetime, rules: RuleSet, *, training: bool
    ) -> None:
        self._authorities = authorities
        self._instant = instant
        self._rules = rules
        self._training = training
        self._known: dict[str, bool] = {}
        self.used: list[tuple[UUID, int]] = []

    def opens(self, facts: RecordFacts, viewer: Viewer) -> bool:
        """Whether a record is shown to a viewer as far as its authority goes; nobody's is."""
        authority = facts.authority
        sight, _ = sight_of(facts, viewer, self._instant, self._rules)
        if authority is None or sight != "ordinary":
            return True
        if authority not in self._known:
            self._known[authority] = self._signed_off(authority)
        return self._known[authority]

    def _signed_off(self, authority: str) -> bool:
        found = self._authorities.standing(authority)
        if found is None or found.registered is None:
            return self._training
        self.used.append((found.organisation_id, found.version))
        return opened_by(found.conditions, self._instant, self._rules, training=self._training)
