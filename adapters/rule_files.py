"""The rule sets that ship with the product, read from the package."""

from dataclasses import dataclass
from importlib import resources

from domain.rule_set.model import RuleSet, digest, parse


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule set as shipped: parsed, and the digest of its text."""

    rules: RuleSet
    digest: str


def packaged() -> dict[str, RuleFile]:
    """Every rule set in the package by id. Raises BadInput where one cannot be used."""
    found: dict[str, RuleFile] = {}
    folder = resources.files("domain").joinpath("rules")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            text = file.read_text(encoding="utf-8")
            rules = parse(text)
            found[rules.id] = RuleFile(rules, digest(text))
    return found


def present() -> RuleSet:
    """The rules of the present day."""
    return packaged()["present"].rules
