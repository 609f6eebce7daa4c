"""The tree is the architecture: the same names in the same places, so that a newcomer can find anything by `ls`."""

import pytest

from projections.registry import PROJECTIONS as REGISTERED
from tests.architecture.repository import AGGREGATES, PACKAGES, ROOT, files, relative

TOP_LEVEL = {
    *PACKAGES,
    "tests",
    "docs",
    "README.md",
    "GLOSSARY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "pyproject.toml",
    "requirements.in",
    "requirements.lock",
    "requirements-dev.in",
    "requirements-dev.lock",
    "compose.yaml",
    "Dockerfile",
    "dev",
}
IN_AN_AGGREGATE = {"__init__.py", "events.py", "commands.py", "model.py", "handlers.py", "upcasters.py"}
BESIDES = {
    "destruction": {
        "closing.py",  # the certificate of the whole index
        "notices.py",  # whoever was given something of a record is told
    },
    "child_record": {
        "decisions.py",
        "assertions.py",
        "hidden.py",
        "subject_access.py",
        "rights.py",  # claims of other rights than access
        "shielding.py",  # shields as a process
        "life.py",  # a death that was none, and holds
        "ownership.py",
        "merging.py",
        "splitting.py",
        "new_identity.py",
        "sensitive.py",
        "brokering.py",
    },  # its model.py holds state and evolve
    "access": {
        "conduct.py",  # what is flagged of a look
        "given.py",  # what left, and to whom
        "go_live.py",  # which records are open yet
        "reach.py",  # how far the logs were read
        "past.py",  # what it takes to show an access again
        "replaying.py",  # showing an access again
        "relisting.py",  # showing a list again
        "ports.py",
        "letting_in.py",  # every condition of access
        "showing.py",  # rendered, on record, let go
        "local_team.py",
        "queue.py",
        "replying.py",  # to a child, a carer, an adult
    },
}
IN_A_PROJECTION = {"__init__.py", "view.py", "table.sql", "queries.py"}
PROJECTIONS = (
    "practitioner_view",
    "audit_trail",
    "retention_schedule",
    "match_index",
    "review_queue",
    "access_register",
    "oversight",
)
SAYS_NOTHING = {"utils.py", "util.py", "helpers.py", "common.py", "manager.py", "base.py", "misc.py"}


def _names(folder: str) -> set[str]:
    return {path.name for path in (ROOT / folder).iterdir() if path.name != "__pycache__"}


def test_the_top_level_is_what_the_readme_says() -> None:
    found = {name for name in _names(".") if not name.startswith(".")}
    assert found == TOP_LEVEL, "a new top-level folder is a decision: give it an ADR and a place in this list"


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_an_aggregate_holds_the_same_files_as_every_other(aggregate: str) -> None:
    found = _names(f"domain/{aggregate}")
    allowed = IN_AN_AGGREGATE | BESIDES.get(aggregate, set())
    assert found <= allowed, "an aggregate has events, commands, model, handlers and upcasters, nothing else"
    assert found >= {"__init__.py", "events.py"}, (
        "an aggregate without events is not one: put it in domain/policy"
    )


def test_every_folder_of_the_domain_is_an_aggregate_or_named_here() -> None:
    folders = {path.name for path in (ROOT / "domain").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == {*AGGREGATES, "policy", "rules"}


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_a_projection_holds_view_table_and_queries(projection: str) -> None:
    assert _names(f"projections/{projection}") == IN_A_PROJECTION


def test_every_folder_of_projections_is_a_projection() -> None:
    folders = {path.name for path in (ROOT / "projections").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(PROJECTIONS)


def test_no_file_has_a_name_that_says_nothing() -> None:
    found = [relative(path) for path in files(".py") if path.name in SAYS_NOTHING]
    assert not found, f"name these after what they hold: {found}"


def test_every_package_says_in_a_paragraph_what_belongs_in_it() -> None:
    silent = [
        relative(path)
        for path in files("__init__.py")
        if relative(path).split("/")[0] in PACKAGES and "GLOSSARY.md" not in path.read_text("utf-8")
    ]
    assert not silent, f"a paragraph and a word on GLOSSARY.md, please: {silent}"


def test_every_folder_with_python_in_it_is_a_package() -> None:
    without = {relative(path.parent) for path in files(".py") if not (path.parent / "__init__.py").exists()}
    without -= {"docs/verify"}  # a script that is taken away, and imports nothing of ours
    assert not without, (
        f"add __init__.py, or another distribution's folder of that name may be imported: {without}"
    )


def test_every_projection_is_listed_under_the_name_of_its_folder() -> None:
    """The name stands in the database for as long as the view does; only its version changes."""
    assert {projection.name for projection in REGISTERED} == set(PROJECTIONS)
    assert len(REGISTERED) == len(PROJECTIONS)
    for projection in REGISTERED:
        assert projection.folder == ROOT / "projections" / projection.name.replace("-", "_")
        assert projection.version >= 1
