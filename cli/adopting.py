"""Adopting a rule set, which two people do: what it is checked against, and what is appended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.rule_files import RuleFile
from cli.app import App
from cli.output import Json
from domain.errors import BadInput, NoReceipt, Refused, VersionConflict
from domain.kernel import Change, Log, Metadata, Pending, StreamKind
from domain.policy.rule_book import RULE_BOOK, adopted
from domain.rule_set.events import RuleSetAdopted
from domain.rule_set.model import digest, parse

_LONGEST: Final = 1 << 20


def rules_changed() -> Refused:
    """That another rule set was adopted since this one was proposed."""
    return Refused(
        "Another rule set was adopted since this was proposed: look at `policy list`, and propose it anew.",
        code="rule-sets-changed",
    )


@dataclass(frozen=True, slots=True)
class Adopting:
    """Adopts rule sets in one home. Whoever calls it has seen to it that two people may and want it."""

    app: App

    def parsed(self, text: bytes) -> RuleFile:
        """A file of rules. Raises BadInput naming the first field at fault."""
        if len(text) > _LONGEST:
            raise BadInput("This file is too long to be a rule set.", code="bad-rule-set")
        try:
            return RuleFile(parse(text.decode()), digest(text), text)
        except UnicodeDecodeError:
            raise BadInput("The rule set is not TOML: it is not UTF-8.", code="bad-rule-set") from None

    def read(self, text: bytes) -> RuleFile:
        """The same, and kept byte for byte."""
        file = self.parsed(text)
        self.app.rule_texts.keep(text)
        return file

    def check(self, file: RuleFile, at: datetime) -> int:
        """Raise Refused where it could not be adopted now; the version of the rule book it would be adopted in."""
        return self._decided(file, at)[0]

    def adopt(
        self, file: RuleFile, at: datetime, metadata: Metadata, beside: Callable[[int], Change]
    ) -> Json:
        """Adopt it, with what is appended beside it or not at all, and wait until it is sealed.

        Raises Refused as `domain.policy.rule_book.adopted`, and `rule-sets-changed` where another was first; NoReceipt.
        """
        version, event = self._decided(file, at)
        book = Change(RULE_BOOK, StreamKind.SYSTEM, version, (Pending(event),))
        try:
            self.app.serving.append((book, beside(version)), metadata, instant=at)
        except VersionConflict:
            raise rules_changed() from None
        try:
            (proof,) = self.app.receipts.awaited(Log.RECORD, [(RULE_BOOK, version + 1)])
        except NoReceipt as missing:
            raise missing.after(
                "The rule set is adopted, and that is on record, but it is not acknowledged yet."
            ) from None
        return {
            "receipt": metadata.correlation,
            "receipt_proof": proof,
            "rule_set": event.rule_set,
            "valid_from": event.valid_from,
            "file_digest": event.digest,
            "rebuild": self.app.operations.by_rules(),
        }

    def _decided(self, file: RuleFile, at: datetime) -> tuple[int, RuleSetAdopted]:
        version = self.app.book.version()
        head = self.app.upkeep.as_of()
        day = at if head is None else max(at, head)
        return version, adopted(self.app.book.book(), file.rules, file.digest, day)
