"""Wishes about an organisation."""

from domain.identifiers import BodyCode, NamePart, ShortCode
from domain.kernel import Command


class RegisterOrganisation(Command):
    """Register an organisation under its body code."""

    name: NamePart
    body: BodyCode
    kind: ShortCode
