"""What no refusal may tell: anything that a shield hides (D10)."""

from domain.child_record.model import ChildRecord
from domain.errors import Refused


def unless_hidden(record: ChildRecord, refusal: Refused) -> tuple[()]:
    """Raise a refusal that rests on what a shield hides; of a shielded record nothing is told and nothing happens."""
    if record.shielded:
        return ()
    raise refusal
