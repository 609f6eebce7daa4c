"""A home that is not for training with its first people in it, each signed in at a seat of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import pytest

from tests.acceptance.authenticators import Holder
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child

TWO = ("--first-account-manager", "ada=A-1", "--first-account-manager", "bertha=B-2")
AREA = "E06000998"
CONDITIONS = ("authorisation", "check", "training", "agreement")


def appointed(line: Line) -> list[Json]:
    found = line.done("init", *TWO)["enrolments"]
    assert isinstance(found, list)
    return found


@dataclass
class Peopled:
    """A home with its first account managers, and who they let in, all of them enrolled."""

    line: Line
    ada: Holder
    bertha: Holder
    social_worker: Holder
    child: str

    @cached_property
    def auditor(self) -> Holder:
        """Somebody of the national audit team, signed in."""
        self.ada.done("organisation", "register", "AUDIT-X", "--name", "Auditors", "--kind", "audit")
        for condition in ("accreditation", "security-attestation"):
            self.ada.done("organisation", "condition", "AUDIT-X", condition)
        who = let_in(self.ada, "checks", "auditor", "AUDIT-X")
        who.sign_in()
        return who


def let_in(ada: Holder, name: str, role: str, organisation: str, *options: str) -> Holder:
    """Grant an account, record what is asked of its holder, and have them register."""
    ada.done(
        "account", "grant", name, "--role", role, "--organisation", organisation, "--holder", name, "--area", AREA,
        *options,
    )  # fmt: skip
    for condition in CONDITIONS:
        ada.done("account", "condition", name, condition)
    return Holder(ada.line, name).enrol(ada.done("account", "authenticator", name)["enrolment"])


@pytest.fixture(scope="module")
def peopled(ordinary_home: Callable[[], Line]) -> Peopled:
    line = ordinary_home()
    ada, bertha = (Holder(line, one["name"]).enrol(one["enrolment"]) for one in appointed(line))
    for who in (ada, bertha):
        who.sign_in()
    ada.done("organisation", "register", AREA, "--name", "Stow Council", "--kind", "local-authority")
    for condition in ("accreditation", "security-attestation", "initial-shielding"):
        ada.done("organisation", "condition", AREA, condition)
    ada.done("organisation", "condition", AREA, "notice-to-families", "--reference", "STOW-2027-17")
    worker = let_in(ada, "worker", "social-worker", AREA, "--override")
    worker.sign_in()
    one = a_child()
    worker.done("record", "register", *one.options[:-2])  # without a number that is nobody's
    found = worker.done("search", "--reason", "casework", *one.criteria)["results"]
    return Peopled(line, ada, bertha, worker, found[0]["child_id"])


def make_older(line: Line, who: Holder, by: timedelta) -> None:
    """Let a second factor have been given longer ago: the machine's clock cannot be set."""
    account = line.done("session", "list", seat=who.name)["sessions"][0]["session"]
    with line.as_superuser() as connection:
        query = b"UPDATE sign_in.session SET proved_at = proved_at - %s WHERE id = %s"
        assert connection.execute(query, (by, account)).rowcount == 1
