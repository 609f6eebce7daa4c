"""Law is data: nothing in code holds a period, a ground, a reason, a role, a purpose, a family or a kind of body.

What is looked for are numbers that make a period, and words that stand in the rule sets. What is allowed below is no
rule, and says why.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from adapters.rule_files import packaged
from domain.rule_set.model import RuleSet
from tests.architecture.repository import syntax

PURE: Final = ("domain", "ingest", "projections")
RULE_MODEL: Final = "domain/rule_set/model.py"
MAKES_A_PERIOD: Final = ("timedelta", "anniversary", "months_after", "age_on")

TECHNICAL: Final = {
    ("domain/sessions.py", 1): "how often the use of a session is noted",
    ("domain/federation.py", 1): "how long ago a provider may have said it",
    ("domain/policy/rule_book.py", 10): "how long an adoption may take to commit before midnight",
}
"""Periods of machinery, which no law could name: file and number, and what it is."""

A_DAY: Final = 1
"""The next day, the day after: no period."""

WORDS: Final = {
    "domain/review.py": "what a record is held back for, in words of the queue; no ground is raised by it",
    "domain/account/model.py": "the condition by which signing in is proved, which is machinery",
    "ingest/sources/pds.py": "who gives out NHS numbers, as the standard says",
    "domain/signing_in.py": "for what whoever registers an authenticator acts",
}


def _sets() -> list[RuleSet]:
    return [file.rules for file in packaged().values()]


def _codes() -> dict[str, set[str]]:
    """List of codes → the codes in it, over all the sets that ship."""
    found: dict[str, set[str]] = {}
    for rules in _sets():
        lists: dict[str, Iterable[str]] = {
            "roles": rules.roles,
            "purposes": rules.purposes,
            "grounds of a shield": rules.shield.all_grounds(),
            "reasons to lift": rules.shield.reasons_to_lift,
            "reasons of a review": rules.review.reasons,
            "families of sensitive service": rules.sensitive.families,
            "categories of extension": rules.extension.categories,
            "conditions": rules.conditions,
            "kinds of organisation": rules.organisations,
            "grounds of handing over": rules.hand_over,
            "exemptions": rules.subject_access.exemptions,
            "reasons of access": rules.access.reasons,
            "outcomes": rules.conduct.outcomes,
            "bodies": rules.bodies.values(),
        }
        for name, codes in lists.items():
            found.setdefault(name, set()).update(codes)
    return found


ALSO_ORDINARY_WORDS: Final = frozenset(
    [
        "audit",
        "left",
        "training",
        "check",
        "agreement",
        "crime",
        "operator",
        "school",
        "health",
        "police",
        "probation",
    ]
)
"""Codes that are words of everyday code as well: looked for in lists alone."""

ALSO_OTHER_CODES: Final = frozenset({"practitioner", "organisation-ended"})
"""A kind of source, and an event and a refusal, that happen to be called as a role and a reason are."""


def _strings(tree: ast.Module) -> Iterator[ast.Constant]:
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node


def _periods(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Line and number of each number that makes a period."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in MAKES_A_PERIOD:
            for one in [*node.args, *(keyword.value for keyword in node.keywords)]:
                for part in ast.walk(one):
                    if isinstance(part, ast.Constant) and isinstance(part.value, int | float):
                        yield node.lineno, int(part.value)


def test_no_period_is_written_in_code() -> None:
    found = [
        f"{path}:{line} {number}"
        for path, tree in syntax(*PURE)
        if not path.startswith("ingest/population/")  # invents people, and decides nothing
        for line, number in _periods(tree)
        if number not in (0, A_DAY) and (path, number) not in TECHNICAL
    ]
    assert not found, f"a period is a rule: put it into every file of domain/rules: {found}"


def test_no_age_is_compared_with_a_number() -> None:
    found = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in syntax(*PURE)
        if not path.startswith("ingest/population/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and "age" in ast.unparse(node).replace("page", "").replace("message", "")
        and any(
            isinstance(one, ast.Constant) and isinstance(one.value, int)
            for one in [node.left, *node.comparators]
        )
    ]
    assert not found, f"an age is a rule: {found}"


def test_no_word_of_a_rule_is_written_in_code() -> None:
    codes = {code for each in _codes().values() for code in each} - ALSO_ORDINARY_WORDS - ALSO_OTHER_CODES
    found = [
        f"{path}:{node.lineno} {node.value}"
        for path, tree in syntax(*PURE)
        if path != RULE_MODEL and path not in WORDS and not path.startswith("ingest/population/")
        for node in _strings(tree)
        if node.value in codes
    ]
    assert not found, f"ask the rule set for it: {found}"


def test_no_list_of_a_rule_is_written_in_code() -> None:
    """Tuples, sets, lists and Literal types that name two or more codes of one list of the rules."""
    lists = _codes()
    found: list[str] = []
    for path, tree in syntax(*PURE):
        if path == RULE_MODEL or path in WORDS or path.startswith("ingest/population/"):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Tuple | ast.List | ast.Set):
                continue
            words = {one.value for one in node.elts if isinstance(one, ast.Constant)}
            found += [
                f"{path}:{node.lineno} {name}" for name, codes in lists.items() if len(words & codes) > 1
            ]
    assert not found, f"a list of these is a rule: {found}"


def test_what_is_allowed_is_still_there() -> None:
    there = {(path, number) for path, tree in syntax(*PURE) for _, number in _periods(tree)}
    assert set(TECHNICAL) <= there, "take out of the list what is gone"
    codes = {code for each in _codes().values() for code in each}
    holding = {path for path, tree in syntax(*PURE) for node in _strings(tree) if node.value in codes}
    assert set(WORDS) <= holding, "take out of the list what is gone"
