"""The services that a source record tells of, as wishes of the record that it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from uuid import UUID

from domain.child_record.commands import (
    Assertion,
    BeginInvolvement,
    EndInvolvement,
    WithdrawSensitiveConsent,
)
from domain.child_record.model import ChildRecord, Involvement
from domain.kernel import Command
from domain.ports import Tokens
from ingest.source_record import Involved


@dataclass(frozen=True, slots=True)
class Service:
    """One involvement as its source has it. lawful: whether it may be recorded now (reg 11(3))."""

    begin: BeginInvolvement
    lawful: bool = True
    consent_withdrawn: date | None = None
    ended: date | None = None

    @classmethod
    def told(cls, involved: Involved, assertion: Assertion, tokens: Tokens) -> Self:
        """As a source record tells it. Its id is the same for the same number of the same body, and tells neither."""
        kind, source = assertion.source_kind, assertion.source
        number = f"involvement\n{kind}\n{source.body}\n{involved.number}"
        which = UUID(bytes=tokens.token("feed", number.encode())[:16], version=4)
        said = dict(involved)
        del said["number"], said["ended"], said["consent_withdrawn"]
        begin = BeginInvolvement(at=assertion.at, involvement=which, source_kind=kind, source=source, **said)
        return cls(begin, involved.lawful, involved.consent_withdrawn, involved.ended)

    @classmethod
    def held(cls, involvement: Involvement, at: datetime) -> Self:
        """As it was held back."""
        asked = {"at", "consented_on"}  # the rest is as it was recorded
        said = {
            name: getattr(involvement, name) for name in BeginInvolvement.model_fields if name not in asked
        }
        return cls(BeginInvolvement(at=at, **said))

    @property
    def stands(self) -> bool:
        """Whether the service is still involved, and may be recorded."""
        return self.lawful and self.ended is None

    def wishes(self, record: ChildRecord) -> Iterator[Command]:
        """What is wished of a record; one that may not be recorded any more is only ended or withdrawn."""
        at, which, kind = self.begin.at, self.begin.involvement, self.begin.source_kind
        if self.lawful:
            yield self.begin
        elif all(known.involvement != which for known in record.involvements):
            return
        if (gone := self.consent_withdrawn) is not None:
            yield WithdrawSensitiveConsent(at=at, involvement=which, withdrawn_on=gone, source_kind=kind)
        if self.ended is not None:
            yield EndInvolvement(at=at, involvement=which, ended=self.ended, source_kind=kind)
