"""T53. Every action there is, and how what it displays is shown again: a new one cannot be forgotten.

An action that puts a display on record (`put_on_record`) is in `SHOWN_AGAIN`, with the test that shows it again; every
other is in `DISPLAYS_NOTHING`, with why.
"""

import ast
from collections.abc import Iterator
from typing import Any, Final, get_args, get_type_hints

from adapters import fhir
from domain.access import commands
from domain.access.events import Action
from tests.architecture.repository import ROOT

_SAMPLED: Final = (
    "test_replay",
    "test_t53_t76_every_sampled_access_is_shown_again_to_the_byte_until_what_it_showed_is_destroyed",
)
_ARCHIVE: Final = (
    "test_life",
    "test_t62_for_a_year_the_managers_open_the_archive_and_then_two_of_the_supplier_for_a_case_alone",
)
_EXPORT: Final = (
    "test_replay_of_lists",
    "test_t53_accesses_that_were_taken_out_are_shown_again_as_they_were_written",
)
_TRAIL: Final = (
    "test_replay_of_trails",
    "test_t53_a_page_of_every_trail_is_shown_again_after_later_looks_and_changes",
)
_LIST: Final = ("test_replay_of_lists", "test_t53_every_list_is_shown_again_after_all_that_came_later")
_TWICE: Final = ("test_replay_of_lists", "test_t53_what_an_auditor_was_shown_again_is_shown_again_itself")

SHOWN_AGAIN: Final[dict[str, tuple[str, str]]] = {
    "search": _SAMPLED,
    "show": _SAMPLED,
    "override": _SAMPLED,
    "hand-over": _SAMPLED,
    "open-archive": _ARCHIVE,
    "who-saw": _TRAIL,
    "what-saw": _TRAIL,
    "changes": _TRAIL,
    "review-queue": ("test_replay_of_trails", "test_t53_the_review_queue_is_shown_again_after_what_waited_was_decided"),
    "subject-access": ("test_replay_of_trails", "test_t53_a_reply_to_a_child_and_to_an_adult_is_shown_again"),
    "export-accesses": _EXPORT,
    "replay": _TWICE,
    "what-would": _TWICE,
    **dict.fromkeys(
        (
            "due", "refusals", "two-people", "investigate", "line-manage", "shield-reviews", "broker-contact",
            "sensitive-due", "ask-contact", "transfer-record", "split-record", "tell-recipients",
        ),
        _LIST,
    ),
}  # fmt: skip
"""Action → the acceptance test that shows a display of it again, as its file and its name."""

DISPLAYS_NOTHING: Final[dict[str, str]] = {
    "mediate": "the look is an access of its own, under what was asked for",
    "verify": "tells hashes and positions, of nobody; refusals of it are on record",
    **dict.fromkeys(("sign-in", "step-up", "sign-out", "let-mediator"), "of a session, and nothing of a record"),
    **dict.fromkeys(
        (
            "register-child", "assert-facts", "correct-facts", "assign-authority", "withdraw-supply",
            "begin-involvement", "end-involvement", "withdraw-sensitive-consent", "raise-shield", "lift-shield",
            "give-extension-consent", "withdraw-extension-consent", "notify-death", "archive-record", "decide-held",
            "reverse-death", "hold", "decide-shield", "answer-contact", "allocate-authority", "merge-records",
            "new-identity",
        ),
        "a change to a record: gives a receipt; that it was refused, or decided on, is on record",
    ),
    **dict.fromkeys(
        ("load", "projection", "policy", "stream", "retention", "keys", "account", "organisation"),
        "runs the index: its events are the record; that it was refused is on record",
    ),
}  # fmt: skip
"""Action → why nothing of it can be shown again."""


def _actions(annotation: Any) -> set[str]:
    """Every action of a literal, or of a union of literals."""
    return {
        one for part in get_args(annotation) for one in ({part} if isinstance(part, str) else _actions(part))
    }


def _put_on_record() -> Iterator[tuple[str, ast.expr]]:
    """The action that each display is put on record under, with the file it is in."""
    for path in sorted((ROOT / "domain" / "access").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in ("put_on_record", "_put_on_record"):
                yield path.name, node.args[3]  # type: ignore[attr-defined]


def _possible(action: ast.expr) -> set[str]:
    """What an action that is passed on may be: itself, or what the command that carries it allows."""
    if isinstance(action, ast.Constant):
        return {str(action.value)}
    if isinstance(action, ast.Attribute) and action.attr == "kind":
        kinds = (commands.ReadTrail, commands.ExportAccesses)
        return {one for command in kinds for one in get_args(get_type_hints(command)["kind"])}
    if isinstance(action, ast.Attribute):
        return set(get_args(get_type_hints(commands.ReadAbout)["action"]))
    return {"show", "override"}  # the one name that is passed: of `open_record`


def test_every_action_is_shown_again_or_displays_nothing() -> None:
    assert not SHOWN_AGAIN.keys() & DISPLAYS_NOTHING.keys()
    assert SHOWN_AGAIN.keys() | DISPLAYS_NOTHING.keys() == _actions(Action)


def test_every_action_that_displays_something_is_a_read_or_a_search_where_accesses_are_taken_out() -> None:
    assert not fhir.READS & fhir.SEARCHES
    assert SHOWN_AGAIN.keys() == fhir.READS | fhir.SEARCHES


def test_every_display_that_is_put_on_record_is_shown_again() -> None:
    found = {one for _, action in _put_on_record() for one in _possible(action)}
    assert found == SHOWN_AGAIN.keys()


def test_whoever_passes_an_action_on_is_known() -> None:
    """What is passed by a name could be any action: only `open_record` does."""
    by_name = {(file, action.id) for file, action in _put_on_record() if isinstance(action, ast.Name)}
    assert by_name == {("handlers.py", "action")}


def test_the_tests_that_show_it_again_are_there() -> None:
    for file, name in set(SHOWN_AGAIN.values()):
        source = (ROOT / "tests" / "acceptance" / f"{file}.py").read_text("utf-8")
        assert f"def {name}(" in source, name
