"""May this viewer do this, for this purpose? A pure decision over the viewer's facts and the rule set."""

from dataclasses import dataclass
from typing import Protocol

from domain.rule_set.model import Right, RuleSet


class Standing(Protocol):
    """What the decision needs to know of whoever asks, as they stand at the instant."""

    @property
    def role(self) -> str: ...
    @property
    def purposes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Permission:
    """The decision: `rule` names what decided, `message` says a refusal in words without the fact refused."""

    allowed: bool
    rule: str
    message: str = ""
    field: str | None = None


def may(standing: Standing, right: Right, purpose: str | None, rules: RuleSet) -> Permission:
    """Whether the role holds the right, and the purpose is one that rules, role and account all allow."""
    if not rules.role_may(standing.role, right):
        return Permission(allowed=False, rule="right-not-held", message="Your role does not allow this.")
    if purpose is None or purpose not in rules.purposes:
        return Permission(
            allowed=False,
            rule="reason-unknown",
            message=f"Give a reason code: one of {', '.join(sorted(rules.purposes))}.",
            field="reason",
        )
    if purpose not in standing.purposes or purpose not in rules.roles[standing.role].purposes:
        return Permission(
            allowed=False,
            rule="reason-not-yours",
            message="This reason is not one your account may look for.",
            field="reason",
        )
    return Permission(allowed=True, rule=f"{right}-permitted")
