"""`docs/access.md`: who is let in, decided by the product's own function for every role, state and action there is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args

from domain.access.conduct import THROTTLES
from domain.policy.access import Party, Proof, Standing, State, admitted
from domain.policy.retention import begin_of
from domain.rule_set.model import Right, RuleSet

_TODAY: Final = date(2026, 3, 2)
_NOW: Final[datetime] = begin_of(_TODAY) + timedelta(hours=10)
_LATELY: Final = _TODAY - timedelta(days=30)
_RIGHTS: Final[tuple[Right, ...]] = get_args(Right)
_BROKEN: Final[dict[State, Proof | None]] = {
    "missing": None,
    "lapsed": Proof(_LATELY, ends_on=_TODAY),
    "withdrawn": Proof(_LATELY, withdrawn=True),
    "void": Proof(_LATELY, altered=frozenset({"role", "name"})),
}
_DONE: Final[dict[str, Literal["account", "organisation"]]] = {
    "the account is suspended": "account",
    "the account has ended": "account",
    "the organisation is suspended": "organisation",
    "the organisation has ended": "organisation",
}


def page(rules: RuleSet) -> str:
    """The document, of these rules."""
    return "\n".join(
        [
            *_beginning(),
            *_conditions(rules),
            *_states(rules),
            *_rights(rules),
            *_organisations(rules),
            *_conduct(rules),
            "",
        ]
    )


def _beginning() -> Iterator[str]:
    yield "# Who is let in"
    yield ""
    yield (
        "Made by `./dev docs` from the rule set and from the function that decides (`domain/policy/access.py`). It is "
        "asked at each command, with the instant of that command; nothing is remembered, and nothing has to run for a "
        "condition to lapse. Days begin at 00:00 in London. Every refusal is in the access log before it is told; "
        "`contactpoint audit refusals` counts them."
    )
    yield ""


def _conditions(rules: RuleSet) -> Iterator[str]:
    yield "## Conditions"
    yield ""
    yield (
        "All of them hold, or nothing is done. They are looked at in this order. What is asked of an authority is "
        "asked of the one responsible for a record, where a reader would be shown it as it stands; until it holds, "
        "there is no such record for readers."
    )
    yield ""
    yield "| condition | of | what is asked | holds for | void once another | source |"
    yield "|---|---|---|---|---|---|"
    for code, one in rules.conditions.items():
        years = (
            f"{one.years} year{'s' if one.years != 1 else ''}"
            if one.years is not None
            else "until taken back"
        )
        yield f"| `{code}` | {one.of} | {one.title} | {years} | {', '.join(one.voided_by) or '–'} | {one.basis} |"
    yield ""
    yield (
        f"In a training home, what `init --training` made up for its ready-made accounts holds for "
        f"{rules.access.made_up_years} years; anywhere else it does not hold at all. `account show` says of each "
        "condition whether it was made up."
    )
    yield ""


def _states(rules: RuleSet) -> Iterator[str]:
    yield "## Role by state of each condition"
    yield ""
    yield (
        f"What each role is told where this alone does not hold, whichever of the {len(_RIGHTS)} actions below it "
        "asks for; `as its role` where the condition is not touched by it. `missing`: never recorded; `lapsed`: its "
        "period or its own end has come; `withdrawn`: taken back; `void`: what it was recorded of (name, role) has "
        "changed since."
    )
    yield ""
    yield f"| state | {' | '.join(rules.roles)} |"
    yield f"|---|{'---|' * len(rules.roles)}"
    for what in _DONE:
        yield f"| {what} | {' | '.join(_told(_after(what, role, rules), rules) for role in rules.roles)} |"
    asked = [code for code, one in rules.conditions.items() if one.of != "authority"]
    for code in asked:
        for state, proof in _BROKEN.items():
            cells = (_told(_standing(role, rules, {code: proof}), rules) for role in rules.roles)
            yield f"| `{code}` {state} | {' | '.join(cells)} |"
    yield ""


def _rights(rules: RuleSet) -> Iterator[str]:
    yield "## Role by action, where every condition holds"
    yield ""
    yield (
        "`yes`, or the code of the refusal. A look needs a reason besides that rules, role and account allow "
        "(`reason-unknown`, `reason-not-yours`); an override needs an account it was granted to "
        "(`override-not-granted`). A second person is asked the same as the first, and `second-not-admitted` is told; "
        "two people are not one, nor does one of them manage the other at work. What one proposed another confirms "
        f"within {rules.two_people.hours} hours."
    )
    yield ""
    yield f"| action | {' | '.join(rules.roles)} |"
    yield f"|---|{'---|' * len(rules.roles)}"
    for right in _RIGHTS:
        decided = (admitted(_standing(role, rules), right, _NOW, rules) for role in rules.roles)
        yield f"| `{right}` | {' | '.join('yes' if one.allowed else f'`{one.rule}`' for one in decided)} |"
    yield ""


def _organisations(rules: RuleSet) -> Iterator[str]:
    yield "## Whose people hold which account, and who grants it"
    yield ""
    yield (
        "An account manager decides on people of their own organisation and of those named here, in their own area; "
        f"never on themselves. Nobody holds two of: {', '.join(rules.access.duties)}."
    )
    yield ""
    yield "| organisation | is | roles of its people | its account managers also decide on | accredits |"
    yield "|---|---|---|---|---|"
    for code, kind in rules.organisations.items():
        where = " (everywhere)" if kind.everywhere else ""
        reach = f"{', '.join(kind.grants_to)}{where}" if kind.grants_to else "–"
        yield f"| `{code}` | {kind.title} | {', '.join(kind.roles)} | {reach} | {'yes' if kind.accredits else 'no'} |"


def _conduct(rules: RuleSet) -> Iterator[str]:
    conduct = rules.conduct
    yield ""
    yield "## How looks are watched"
    yield ""
    yield (
        "An investigation is opened before anything is shown, and taken up by the working day "
        f"{conduct.review_days} after; it is closed as one of: {', '.join(conduct.outcomes)}. Looks are "
        f"counted over {conduct.window} minutes, patterns from {conduct.pattern_after} looks on; of ready-made "
        "accounts of training homes none are counted."
    )
    yield ""
    yield "| cause | is | the account |"
    yield "|---|---|---|"
    for code, one in conduct.causes.items():
        yield f"| `{code}` | {one.title} | {_follows(code, suspends=one.suspends)} |"
    yield ""
    yield "| role | looks in a window |"
    yield "|---|--:|"
    for role in rules.roles:
        if rules.role_may(role, "search") or rules.role_may(role, "mediate"):
            yield f"| {role} | {conduct.most(role)} |"


def _follows(cause: str, *, suspends: bool) -> str:
    if suspends:
        return "suspended at once"
    return "looks no more until it has left the window" if cause in THROTTLES else "goes on"


def _standing(role: str, rules: RuleSet, on_record: dict[str, Proof | None] | None = None) -> Standing:
    """Somebody of this role of whom everything holds, but for what is on record of a condition."""
    proofs = {code: (on_record or {}).get(code, Proof(_LATELY)) for code in rules.conditions}

    def party(of: str) -> Party:
        return Party(
            {code: proof for code, proof in proofs.items() if proof and rules.conditions[code].of == of}
        )

    return Standing(
        role=role,
        purposes=rules.roles[role].purposes,
        may_override=True,
        kind=next(code for code, kind in rules.organisations.items() if role in kind.roles),
        account=party("account"),
        organisation=party("organisation"),
        training=False,
    )


def _after(what: str, role: str, rules: RuleSet) -> Standing:
    standing = _standing(role, rules)
    party = _DONE[what]
    stopped = getattr(standing, party)
    ended = what.endswith(" ended")
    return replace(standing, **{party: replace(stopped, ended=ended, suspended=not ended)})


def _told(standing: Standing, rules: RuleSet) -> str:
    """The one code whatever is asked for, or that what is told is what the role is told anyway."""
    whole = _standing(standing.role, rules)
    told = [admitted(standing, right, _NOW, rules) for right in _RIGHTS]
    if told == [admitted(whole, right, _NOW, rules) for right in _RIGHTS]:
        return "as its role"
    return ", ".join(dict.fromkeys(f"`{one.rule}`" for one in told))
