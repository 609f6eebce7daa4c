"""Wishes about an investigation."""

from domain.identifiers import ShortCode
from domain.kernel import Command


class TellLineManager(Command):
    """Put on record that the line manager was shown it."""


class TakeInvestigation(Command):
    """Investigate it oneself."""


class CloseInvestigation(Command):
    """End it."""

    outcome: ShortCode
