"""Every code that anything is refused with is in docs/refusals.md, with words for whoever is refused."""

from pathlib import Path

import pytest

from adapters.rule_files import present
from cli.refusals_page import listed, page, refusals
from domain.errors import ContactPointError
from tests.architecture.repository import PACKAGES, ROOT

RAISES = """
from domain.errors import BadInput, Refused
LATE = "too-late-by-far"
WORDS = "Come earlier next time."
def hand_on(rule: str) -> None:
    raise Refused("Ask somebody else, please.", code=rule)
def first(day: int) -> None:
    if day > 3:
        raise Refused(WORDS, code=LATE)
    hand_on("not-here" if day else "not-there")
    raise BadInput(f"Give another day than {day}.", code="wrong-day")
"""


def a_product(folder: Path, text: str) -> Path:
    """A product whose domain is the errors and this text."""
    for package in PACKAGES:
        (folder / package).mkdir()
    (folder / "domain" / "errors.py").write_text((ROOT / "domain" / "errors.py").read_text("utf-8"))
    (folder / "domain" / "planted.py").write_text(text)
    return folder


def test_constants_and_functions_that_hand_a_code_on_are_followed(tmp_path: Path) -> None:
    found = {one.code: one for one in refusals(a_product(tmp_path, RAISES))}
    assert found["too-late-by-far"][1:] == (1, "Come earlier next time.")
    assert {found[code].words for code in ("not-here", "not-there")} == {"Ask somebody else, please."}
    assert found["wrong-day"][1:] == (2, "Give another day than ….")


@pytest.mark.parametrize(
    "statement", ['raise Refused("Say it otherwise.", code=made[0])', 'raise Refused(code="no-words")']
)
def test_a_refusal_whose_code_or_words_cannot_be_told_stops_the_page(tmp_path: Path, statement: str) -> None:
    with pytest.raises(TypeError, match=r"domain/planted\.py:3"):
        refusals(a_product(tmp_path, f"from domain.errors import Refused\n\n{statement}\n"))


def test_every_class_of_error_and_every_code_of_the_rules_is_listed() -> None:
    rules = present()
    known = listed(rules)
    never_bare = {"refused", "access-denied"}
    assert {one.code for one in _below(ContactPointError)} - never_bare <= known
    assert never_bare.isdisjoint(known), "say what it was, with a code of its own"
    assert {"check-lapsed", "right-not-held", "too-many-looks", "narrative", "second-not-admitted"} <= known
    assert not any(code in known for code in ("search-permitted", "holds"))
    text = page(rules)
    assert not [code for code in known if f"`{code}`" not in text]


def _below(error: type[ContactPointError]) -> set[type[ContactPointError]]:
    return {error}.union(*(_below(one) for one in error.__subclasses__()))
