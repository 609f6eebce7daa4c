"""A home that is not for training: the way in, and that everybody in it signs in. Its clock is the machine's."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from cli.main import status_of
from tests.acceptance.authenticators import Holder
from tests.acceptance.conftest import NewHome
from tests.acceptance.peopled import AREA, CONDITIONS, TWO, Peopled, appointed, let_in, make_older

pytestmark = pytest.mark.postgres

# The way in


def test_a_home_needs_two_named_people_who_are_not_one(ordinary_home: NewHome) -> None:
    line = ordinary_home()
    one = ("--first-account-manager", "ada=A-1")
    mistakes: tuple[tuple[str, ...], ...] = (
        one,
        (*one, *one),
        (*one, "--first-account-manager", "ada=B-2"),
        (*one, "--first-account-manager", "bertha=A-1"),
        (*TWO, "--first-account-manager", "cecily=C-3"),
    )
    for wrong in mistakes:
        line.refused("two-people-needed", "init", *wrong, status=2)
    for typed in ("ada", "ada=", "=A-1", "Ada Lovelace=A-1", "ada=A?1"):
        refused = line("init", *one, "--first-account-manager", typed)
        assert (refused.status, refused.code) == (2, "bad-input")
    assert "enrolments" not in line.done("init")
    assert [entry["name"] for entry in appointed(line)] == ["ada", "bertha"]


def test_both_are_let_in_once_they_have_registered_and_each_sees_to_the_other(peopled: Peopled) -> None:
    shown = peopled.ada.done("account", "show", "bertha")
    assert (shown["let_in"], shown["role"]) == (True, "account-manager")
    assert [entry["event"] for entry in reversed(shown["history"])] == [
        "account-opened",
        "account-holder-named",
        *["account-condition-met"] * 4,
        "enrolment-issued",
        "account-condition-met",
    ]
    assert not any(one["made_up"] for one in shown["conditions"])
    peopled.ada.refused("own-account", "account", "authenticator", "ada")
    assert peopled.bertha.done("account", "authenticator", "ada")["enrolment"]


def test_once_one_has_registered_nobody_is_first_any_more(peopled: Peopled) -> None:
    before = peopled.line.heads()
    peopled.line.refused("already-appointed", "init", *TWO)
    others = ("--first-account-manager", "cecily=C-3", "--first-account-manager", "dora=D-4")
    peopled.line.refused("already-appointed", "init", *others)
    assert peopled.line.heads() == before


def test_until_then_what_was_printed_can_be_printed_anew_for_the_same_people_alone(
    ordinary_home: NewHome,
) -> None:
    """Whoever lost the paper has no other way in."""
    line = ordinary_home()
    lost = appointed(line)
    others = ("--first-account-manager", "ada=A-1", "--first-account-manager", "mallory=M-9")
    line.refused("already-appointed", "init", *others)
    line.refused("already-appointed", "init", *TWO[:2], "--first-account-manager", "bertha=B-9")
    again = appointed(line)
    assert [one["account"] for one in again] == [one["account"] for one in lost]
    refused = line("enrol", "begin", "ada", "--stdin", typed=(lost[0]["enrolment"],))
    assert refused.code == "enrolment-refused"
    Holder(line, "ada").enrol(again[0]["enrolment"]).sign_in()
    line.refused("already-appointed", "init", *TWO)


def test_of_many_who_appoint_at_once_one_does(ordinary_home: NewHome) -> None:
    line = ordinary_home()
    line.done("init")
    couples = [(f"first-{n}=1-{n}", f"second-{n}=2-{n}") for n in range(4)]

    def appoint(couple: tuple[str, str]) -> int:
        words = line.words("init", *(w for one in couple for w in ("--first-account-manager", one)))
        return status_of(words, line.settings)

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(appoint, couples))
    assert statuses == [0, 1, 1, 1]


def test_a_training_home_has_its_account_managers(new_home: NewHome) -> None:
    line = new_home()
    line.refused("already-appointed", "init", *TWO)
    line.refused("already-appointed", "init", "--training", *TWO)
    line.refused("already-appointed", "init", "--attest-central-office")


def test_the_central_office_is_attested_by_whoever_keeps_the_home(peopled: Peopled) -> None:
    """Its own account managers may not, and without it nobody of it is let in after a year."""
    peopled.ada.refused("own-organisation", "organisation", "condition", "ACCESS", "security-attestation")
    before = peopled.line.heads()
    peopled.line.done("init", "--attest-central-office")
    assert peopled.line.heads()[0] == before[0], "attested today already"
    shown = peopled.ada.done("organisation", "show", "ACCESS")
    assert [one["state"] for one in shown["conditions"]] == ["holds", "holds"]


# Everybody signs in


def test_nobody_says_who_they_are(peopled: Peopled) -> None:
    look = ("show", peopled.child, "--reason", "casework")
    for acting in ("worker", "ada", "nobody-at-all"):
        before = peopled.line.heads()
        refused = peopled.line.refused("sign-in-required", *look, acting=acting)
        assert refused["error"]["field"] == "as"
        assert peopled.line.heads() == (before[0], before[1] + 1), "on record before it is told"
    peopled.line.refused("usage", *look, status=2)
    refused = peopled.line("--as", "ada", *look, seat="worker")
    assert refused.code == "sign-in-required", "neither does whoever is signed in"
    peopled.ada.refused("training-only", "account", "token", "worker")
    hand = ("hand-over", peopled.child, "--ground", "crime", "--to", "County Police", "--field", "name")
    manager = let_in(peopled.ada, "manager", "data-manager", AREA)
    manager.sign_in()
    refused = peopled.line.refused("sign-in-required", *hand, second="worker", seat=manager.name)
    assert refused["error"]["field"] == "with"
    helpdesk = let_in(peopled.ada, "helpdesk", "mediator", AREA)
    helpdesk.sign_in()
    helpdesk.refused("caller-not-authenticated", *look, "--on-behalf-of", "worker")


def test_t40_where_a_condition_is_taken_back_the_session_stops_outside_training_too(peopled: Peopled) -> None:
    who = let_in(peopled.ada, "reader-1", "reader", AREA)
    who.sign_in()
    look = ("show", peopled.child, "--reason", "casework")
    assert who.done(*look)["record"]["child_id"] == peopled.child
    for condition in CONDITIONS:
        peopled.ada.done(
            "account", "withdraw-condition", who.name, condition, "--reason", "requested-by-manager"
        )
        who.refused(f"{condition}-withdrawn", *look)
        peopled.ada.done("account", "condition", who.name, condition)
    who.done(*look)
    peopled.bertha.done("account", "suspend", who.name, "--reason", "misuse-suspected")
    who.refused("session-ended", *look)


def test_t43_where_the_organisation_is_another_the_session_stops_outside_training_too(
    peopled: Peopled,
) -> None:
    ada = peopled.ada
    ada.done("organisation", "register", "NHS-X", "--name", "Stow Clinic", "--kind", "health")
    for condition in ("accreditation", "security-attestation", "initial-shielding"):
        ada.done("organisation", "condition", "NHS-X", condition)
    who = let_in(ada, "nurse", "practitioner", "NHS-X")
    who.sign_in()
    look = ("show", peopled.child, "--reason", "casework")
    who.done(*look)
    ada.done("organisation", "alter", "NHS-X", "--what", "ownership")
    who.refused("accreditation-void", *look)


def test_t36_a_look_behind_a_shield_asks_for_a_code_given_lately(peopled: Peopled) -> None:
    who = peopled.social_worker
    who.done("record", "shield", peopled.child, "--ground", "crime")
    look = ("show", peopled.child, "--reason", "section-47", "--override")
    make_older(peopled.line, who, timedelta(minutes=5))

    refused = who.refused("step-up-required", *look)

    assert "session step-up" in refused["error"]["message"]
    who.step_up()
    assert who.done(*look)["record"]["override"] is True
    make_older(peopled.line, who, timedelta(minutes=4, seconds=50))
    who.done(*look)
    make_older(peopled.line, who, timedelta(seconds=10))
    before = peopled.line.heads()
    who.refused("step-up-required", *look)
    changed, looked = peopled.line.heads()
    assert (changed, looked) == (before[0], before[1] + 1), "on record before it is told"


def test_t22_both_of_two_people_give_a_code_lately(peopled: Peopled) -> None:
    line, child = peopled.line, peopled.child
    peopled.social_worker.done("record", "shield", child, "--ground", "child-at-risk")
    one, another = (let_in(peopled.ada, name, "data-manager", AREA) for name in ("one-manager", "another"))
    for who in (one, another):
        who.sign_in()
        make_older(line, who, timedelta(minutes=5))
    lifting = ("record", "lift-shield", child, "--propose")

    one.refused("step-up-required", *lifting)
    one.step_up()
    proposed = one.done(*lifting)
    confirming = ("proposal", "confirm", proposed["proposal"], "--digest", proposed["digest"])
    another.refused("step-up-required", *confirming)
    another.step_up()

    another.done(*confirming)
    record = peopled.social_worker.done("show", child, "--reason", "casework")["record"]
    assert "address" in record, "which no shielded record shows"


def test_a_code_tried_by_many_at_once_signs_one_in(peopled: Peopled) -> None:
    """Each in a process of its own, all at one moment."""
    who = let_in(peopled.ada, "many-hands", "reader", AREA)
    line = peopled.line
    code = who.code()
    urls = {
        f"CONTACTPOINT_{name.upper()}_URL": getattr(line.behind, name).url
        for name in ("record", "keyring", "shielded", "views")
    }
    state = line.home.with_name(f"{line.home.name}-state")
    tries = []
    for number in range(6):
        environment = {**urls, "XDG_STATE_HOME": str(state / f"hand-{number}"), "PATH": "/usr/bin:/bin"}
        words = line.words("sign-in", who.name, "--stdin")
        tries.append(
            subprocess.Popen(
                [Path(sys.executable).with_name("contactpoint"), *words],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
    time.sleep(3)  # all of them wait for what is typed
    for one in tries:
        assert one.stdin is not None
        one.stdin.write(f"{who.password}\n{code}\n")
        one.stdin.close()
    statuses = sorted(one.wait(60) for one in tries)
    assert statuses == [0, 1, 1, 1, 1, 1]
