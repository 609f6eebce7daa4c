"""Wishes about source records that were held back."""

from typing import Annotated

from pydantic import Field

from domain.identifiers import Id, ShortCode
from domain.kernel import Command
from domain.supply.events import Verdict


class DecideHeldRecord(Command):
    """Say whom a held record is about. `children`: with `same` the one child, with `not-the-same` those it is not.

    No children with `not-the-same`: none of those it was held for.
    """

    held: Id
    verdict: Verdict
    children: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    reason: ShortCode
