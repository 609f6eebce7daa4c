"""What may not be called where. The order of imports itself is checked by import-linter (pyproject.toml)."""

import ast

from tests.architecture.repository import PACKAGES, imported, syntax, under

# Time, randomness and the environment come in through ports and settings. ruff bans the calls (pyproject.toml); these
# modules have no innocent use in pure code at all.
NOT_IN_PURE_CODE = (
    "os",
    "time",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "asyncio",
    "logging",
    "io",
)
MAY_READ_THE_WORLD = {"adapters/clock.py", "adapters/ids.py", "cli/settings.py"}


def test_pure_code_imports_nothing_that_acts() -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in syntax("domain", "ingest")
        for line, name in imported(tree)
        if under(name, *NOT_IN_PURE_CODE)
    ]
    assert not found, f"take it from the command, or name a port for it: {found}"


def test_a_projections_fold_imports_nothing_that_acts() -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in syntax("projections")
        for line, name in imported(tree)
        if path.endswith("/view.py") and under(name, *NOT_IN_PURE_CODE)
    ]
    assert not found, f"a rebuild must give the same rows as the first run: {found}"


def test_the_ban_on_clock_ids_and_environment_is_lifted_nowhere_else() -> None:
    banned = {"now", "utcnow", "today", "uuid4", "uuid1", "environ", "getenv"}
    allowed_owner = {"clock", "_clock", "ids", "self"}
    found: list[str] = []
    for path, tree in syntax(*PACKAGES):
        if path in MAY_READ_THE_WORLD:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in banned:
                owner = ast.unparse(node.value).split(".")[-1]
                if owner in {"datetime", "date", "uuid", "os"} and owner not in allowed_owner:
                    found.append(f"{path}:{node.lineno} {ast.unparse(node)}")
            elif isinstance(node, ast.ImportFrom) and node.module in {"uuid", "os"}:
                found += [
                    f"{path}:{node.lineno} {alias.name}" for alias in node.names if alias.name in banned
                ]
    assert not found, f"ask the Clock port, the Ids port or Settings: {found}"


def test_no_test_patches_anything() -> None:
    found: list[str] = []
    for path, tree in syntax("tests", *PACKAGES):
        found += [
            f"{path}:{line}"
            for line, name in imported(tree)
            if under(name, "unittest.mock", "mock", "pytest_mock")
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.arg) and node.arg in {"monkeypatch", "mocker"}:
                found.append(f"{path}:{node.lineno}")
    assert not found, f"write a fake behind our own port and verify it by the port's contract suite: {found}"


def test_nothing_is_registered_by_being_imported() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in syntax(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "__subclasses__"
    ]
    assert not found, f"register by an explicit tuple or dict: {found}"


def test_only_the_access_aggregate_grants_access() -> None:
    made_at: list[str] = []
    defined_at: list[str] = []
    for path, tree in syntax(*PACKAGES):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == "AccessGrant":
                defined_at.append(path)
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "AccessGrant":
                made_at.append(path)
    assert len(defined_at) == 1
    assert defined_at[0].startswith("domain/access/")
    assert made_at, "nothing makes a grant: then nothing can be shown"
    outside = [path for path in made_at if not path.startswith("domain/access/")]
    assert not outside, (
        f"open the record through domain/access, which records that it was looked at: {outside}"
    )


def test_who_is_let_in_is_decided_in_one_place() -> None:
    """A second place would be a door with a lock of its own, which one day is not changed with the others."""
    decides = "domain/access/letting_in.py"
    tells = {
        "cli/access_page.py",  # writes down what is decided
        "cli/granting.py",  # tells an account manager why an account is not let in
    }
    deciding = [f"domain.policy.access.{name}" for name in ("may", "admitted", "refusals", "state_of")]
    found = [
        f"{path}:{line} {name}"
        for path, tree in syntax(*PACKAGES)
        for line, name in imported(tree)
        if name in deciding and path not in {decides, *tells}
    ]
    may_ask_for_a_role = {
        "domain/policy/access.py",
        "domain/disclosure.py",
        "domain/account/model.py",
        "cli/initialise.py",  # makes up accounts that may what their roles may
        "cli/access_page.py",  # writes down who looks at all
        "cli/two_people.py",  # lists to somebody what they may confirm, once they are let in
        "cli/noticing.py",  # tells whoever runs the index from an authority's team, once they are let in
        "cli/investigations.py",  # tells the national team from an authority's, once they are let in
        "domain/access/conduct.py",  # what a role's work is, not whether it is let in
        "domain/mediation.py",  # tells a caller whether they named a mediator, who is let in as one when they look
    }
    found += [
        f"{path}:{node.lineno} {ast.unparse(node.func)}"
        for path, tree in syntax(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".role_may")
        if path not in may_ask_for_a_role
    ]
    assert not found, f"ask domain.access.letting_in, which puts a refusal on record: {found}"


def test_every_query_of_personal_data_asks_for_a_grant() -> None:
    """Each query that practitioners' pages use takes a grant; without one it does not type-check."""
    asks: dict[str, list[str]] = {}
    for path, tree in syntax("projections/practitioner_view/queries.py"):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                annotations = [
                    ast.unparse(a.annotation) for a in node.args.args + node.args.kwonlyargs if a.annotation
                ]
                asks[f"{path}:{node.name}"] = annotations
    assert asks
    without = [name for name, annotations in asks.items() if not any("AccessGrant" in a for a in annotations)]
    assert not without, f"take an AccessGrant: {without}"
