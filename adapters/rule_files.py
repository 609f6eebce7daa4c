"""The rule sets that ship with the product, from the package, and those that a home has adopted, from its log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources

from domain.errors import Unavailable
from domain.policy.retention import end_of, london_day
from domain.policy.rule_book import RULE_BOOK, RuleBook
from domain.ports import EventStore, RuleTexts
from domain.rule_set.events import RuleSetAdopted
from domain.rule_set.model import RuleSet, digest, parse


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule set as shipped: parsed, its text, and the digest of it."""

    rules: RuleSet
    digest: str
    text: bytes


@cache
def packaged() -> dict[str, RuleFile]:
    """Every rule set in the package by id, in the order in which they follow. Raises BadInput where one is bad."""
    found: list[RuleFile] = []
    folder = resources.files("domain").joinpath("rules")
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            text = file.read_bytes()
            found.append(RuleFile(_rules(text), digest(text), text))
    return {one.rules.id: one for one in sorted(found, key=lambda one: one.rules.valid_from)}


def present() -> RuleSet:
    """The rules of the present day."""
    return packaged()["present"].rules


class StoredRuleBook:
    """The rules of a home, as its log says they were adopted. Implements `domain.policy.rule_book.InForce`.

    What is adopted on a day is in force on a later one, and not at the last moment before it (`NOTICE`), so the log is
    read once a day, however long this lives.
    """

    def __init__(self, store: EventStore, texts: RuleTexts) -> None:
        self._store = store
        self._texts = texts
        self._read: tuple[datetime, RuleBook] | None = None

    def at(self, instant: datetime) -> RuleSet:
        """See `InForce`. Raises Unavailable where the home has adopted none, or a file of theirs is not to be had."""
        if self._read is None or self._read[0] <= instant:
            self._read = (_end_of_day(instant), self.book())
        return self._read[1].at(instant)

    def book(self) -> RuleBook:
        """All of them, as the log has them now. Raises Unavailable."""
        found = self.adopted()
        if not found:
            raise Unavailable(
                "This home has adopted no rules yet: run `contactpoint init` once.", code="no-rules"
            )
        return RuleBook(self._parsed(one) for one in found)

    def adopted(self) -> Sequence[RuleSetAdopted]:
        """What was adopted, in order."""
        history = self._store.load(RULE_BOOK)
        return [one.event for one in history.events if isinstance(one.event, RuleSetAdopted)]

    def version(self) -> int:
        """How often something was adopted."""
        return self._store.heads([RULE_BOOK]).get(RULE_BOOK, 0)

    def _parsed(self, one: RuleSetAdopted) -> RuleSet:
        text = self._texts.text(bytes.fromhex(one.digest))
        if text is None or digest(text) != one.digest:
            raise Unavailable(
                f"The file of the rule set {one.rule_set} is not what was adopted, so nothing is decided. "
                "Bring it back from a backup.",
                code="rules-damaged",
            )
        return _rules(text)


@lru_cache(maxsize=32)
def _rules(text: bytes) -> RuleSet:
    return parse(text.decode())


def _end_of_day(instant: datetime) -> datetime:
    return end_of(london_day(instant)).astimezone(UTC)
