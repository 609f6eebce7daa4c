"""`docs/rules.md` names every refusal and every rule of retention, and nothing that is not there."""

import re
from pathlib import Path

from domain.policy import retention
from tests.builders import the_rules

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
DECIDING = (
    "child_record/decisions.py",
    "child_record/assertions.py",
    "child_record/sensitive.py",
    "child_record/brokering.py",
    "policy/screening.py",
)


def test_every_refusal_of_a_command_is_on_the_page() -> None:
    source = "".join((ROOT / "domain" / name).read_text("utf-8") for name in DECIDING)
    codes = set(re.findall(r'code="([a-z-]+)"', source)) | {"not-found"}
    section = PAGE.split("## What is decided")[1].split("## What sources say")[0]
    named = set(re.findall(r"`([a-z-]+)`", section)) - {retention.LEFT_ENGLAND}
    assert named == codes


def test_every_rule_that_ends_a_record_is_on_the_page() -> None:
    ages = the_rules().ages
    rules = {
        retention.age_rule(ages.archive),
        retention.age_rule(ages.extension),
        retention.CONSENT_WITHDRAWN,
        retention.DEATH,
        retention.LEFT_ENGLAND,
        retention.SUPPLY_WITHDRAWN,
        retention.ARCHIVE_PERIOD,
        retention.LEGAL_HOLD,
        retention.CLOSURE,
    }
    section = PAGE.split("## How long")[1].split("## What is decided")[0]
    assert set(re.findall(r"^\| `([a-z0-9-]+)`", section, re.MULTILINE)) == rules
