"""Accounts and organisations of invented people, with every condition of access met unless a test says otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from domain.policy.access import Party, Proof, Standing
from tests.builders import TODAY, the_rules

LATELY: Final = TODAY - timedelta(days=30)
"""When every condition was met, if nothing else is said."""

NOTHING: Final[Mapping[str, Proof | None]] = {}

KIND_OF_ROLE: Final[Mapping[str, str]] = {
    "practitioner": "health",
    "reader": "health",
    "teacher": "school",
    "social-worker": "local-authority",
    "data-manager": "local-authority",
    "mediator": "local-authority",
    "auditor": "audit",
    "operator": "operator",
    "key-holder": "operator",
    "supplier": "operator",
    "account-manager": "access-office",
}
"""An organisation whose people hold the role."""


def proofs(
    of: str, met_on: date = LATELY, on_record: Mapping[str, Proof | None] = NOTHING
) -> dict[str, Proof]:
    """A proof of each condition that is asked of such a party, but for those that `on_record` says otherwise of."""
    asked = [code for code, one in the_rules().conditions.items() if one.of == of]
    found = {code: on_record.get(code, Proof(met_on)) for code in asked}
    return {code: proof for code, proof in found.items() if proof is not None}


def a_standing(
    role: str = "practitioner",
    met_on: date = LATELY,
    on_record: Mapping[str, Proof | None] = NOTHING,
    **changes: Any,
) -> Standing:
    """Somebody of whom everything holds, but for what `on_record` says of a condition: another proof, or none."""
    known = the_rules().roles.get(role)
    standing = Standing(
        role=role,
        purposes=known.purposes if known else (),
        may_override=the_rules().role_may(role, "override"),
        kind=KIND_OF_ROLE.get(role),
        account=Party(proofs("account", met_on, on_record)),
        organisation=Party(proofs("organisation", met_on, on_record)),
        training=False,
    )
    return replace(standing, **changes)
