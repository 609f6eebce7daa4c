"""What may do harm takes no effect before it is sealed, and is not acknowledged: overrides, lifted shields, destroyed
keys. Sealers and witnesses here are processes of their own, and are stopped and killed.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Answer, Json, Line
from tests.acceptance.people import Child, a_child, born, registered
from tests.acceptance.processes import ended, killed, running, started
from tests.acceptance.test_seals import check, keys
from tests.acceptance.test_shields import assert_shielded, shield

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

OVERRIDE = ("--reason", "section-47", "--override")
DESTROYED_ON = datetime(2033, 5, 2, 9, tzinfo=UTC)


@dataclass
class Site:
    """A home whose databases are elsewhere, which nobody seals unless a test says so, and what is done in it.

    child: shielded. due: a record that is to be destroyed; seen: a look at it, which can be replayed until it is.
    """

    line: Line
    one: Child
    child: str
    due: str
    seen: Json

    def override(self) -> Answer:
        return self.line("show", self.child, *OVERRIDE, acting="social-worker")

    def lift(self) -> Answer:
        return self.line("record", "lift-shield", self.child, acting="data-manager", second="data-manager-2")

    def destroy(self) -> Answer:
        return self.line("retention", "run")

    def assert_nothing_has_come_about(self) -> None:
        assert_shielded(self.line, self.child, self.one)
        replayed = self.line.done("audit", "replay", self.seen["access_id"])
        assert replayed["as_displayed"] == self.seen["record"]

    def tried(self, name: str, action: str) -> list[Json]:
        entries: list[Json] = self.line.done("audit", "what-saw", name)["entries"]
        return [entry for entry in entries if entry["action"] == action and entry["outcome"] == "granted"]


@pytest.fixture
def site(new_home: NewHome) -> Site:
    line = new_home()
    due = registered(line, a_child(born=date(2009, 5, 1)))
    seen = line.show(due)
    line.clock = datetime(2027, 5, 2, 9, tzinfo=UTC)
    assert line.done("retention", "run")["archived"] == 1
    line.clock = DESTROYED_ON
    line.somebody_seals = False
    one = a_child(born=date(2020, 3, 4))
    child = born(line, one)
    shield(line, child)
    return Site(line, one, child, due, seen)


def checked(line: Line, tmp_path: Path, proof: str, *words: object) -> str:
    """What the verifier that is taken away says of a receipt that holds."""
    place = tmp_path / "receipt.tlog-proof"
    place.write_text(proof, "utf-8")
    status, said = check(place, *keys(line), *words)
    assert status == 0, said
    return said


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_t75_where_nobody_seals_nothing_is_shown_lifted_or_destroyed_and_then_it_is(
    site: Site, tmp_path: Path
) -> None:
    line = site.line
    shown, lifted, destroyed = site.override(), site.lift(), site.destroy()
    for answer in (shown, lifted, destroyed):
        assert (answer.status, answer.code) == (3, "no-receipt"), answer.json
        assert set(answer.json) == {"error"}
        for value in (site.one.family, site.one.given, site.one.street, site.one.postcode):
            assert value not in answer.printed
    assert "nothing is shown" in shown["error"]["message"]
    assert "nothing has changed" in lifted["error"]["message"]
    assert "1 destructions are ordered and on record, and no key" in destroyed["error"]["message"]
    site.assert_nothing_has_come_about()
    (look,) = site.tried("social-worker", "override")
    (decision,) = site.tried("data-manager", "lift-shield")
    assert look["access_id"] in shown["error"]["message"]
    assert decision["access_id"] in lifted["error"]["message"]
    assert decision["confirmed_by"] == line.done("account", "show", "data-manager-2")["account"]

    with running(line, "seal"):
        behind, up, gone = site.override(), site.lift(), site.destroy()
    assert behind.status == 0, behind.json
    assert behind["record"]["address"]["postcode"] == site.one.postcode
    assert "is in contactpoint-" in checked(line, tmp_path, behind["receipt_proof"])
    assert up.status == 0
    assert "/record, of" in checked(line, tmp_path, up["receipt_proof"])
    assert line.shown(site.child)["address"]["postcode"] == site.one.postcode
    assert (gone.status, gone["destroyed"]) == (0, 1)
    ((child, certificate, proof),) = [tuple(one.values()) for one in gone["destructions"]]
    assert (child, certificate != child) == (site.due, True)
    assert "/record, of" in checked(line, tmp_path, proof)
    line.refused("destroyed", "audit", "replay", site.seen["access_id"])


def test_an_override_of_what_is_not_there_waits_as_well(site: Site) -> None:
    """Else a stopped sealer would tell who asks which records there are."""
    nobody = site.line(
        "show", str(site.line.show(site.child)["access_id"]), *OVERRIDE, acting="social-worker"
    )
    assert (nobody.status, nobody.code) == (3, "no-receipt")


def test_without_the_witness_that_is_asked_for_there_is_no_receipt(site: Site, tmp_path: Path) -> None:
    line = site.line
    line.done("seal", "--until-caught-up")
    logs = [
        word for log in ("record", "access") for word in ("--log", str(line.home / "seals" / log / "log.pub"))
    ]
    with running(line, "witness", str(tmp_path / "witness"), *logs) as witness:
        assert witness.stdout is not None
        told = json.loads(witness.stdout.readline())
        policy = tmp_path / "policy"
        policy.write_text(f"witness one {told['key']} {told['url']}\nquorum one\n", "utf-8")
        asked = {"CONTACTPOINT_WITNESSES": str(policy)}

        def override() -> tuple[int, Json]:
            return ended(started(line, "show", site.child, *OVERRIDE, acting="social-worker", **asked))

        with running(line, "seal", **asked) as sealer:
            status, answer = override()
            assert status == 0, answer
            words = ("--witness", told["key"], "--cosignatures", 1)
            assert "cosigned by witness.invalid" in checked(line, tmp_path, answer["receipt_proof"], *words)
            killed(witness)
            status, answer = override()
            assert (status, answer["error"]["code"]) == (3, "no-receipt"), answer
            port = told["url"].rpartition(":")[2]
            with running(line, "witness", str(tmp_path / "witness"), *logs, "--port", port) as again:
                assert again.stdout is not None
                assert json.loads(again.stdout.readline()) == told
                status, answer = override()
                assert status == 0, (answer, sealer.poll())
        assert checked(line, tmp_path, answer["receipt_proof"], *words)


def test_killed_between_the_record_and_the_receipt_nothing_has_come_about(site: Site) -> None:
    """kill -9 of whoever asked, while they wait: what is on record is found by whoever asks again, and gone on with."""
    line = site.line
    for words, acting, second, log in (
        (("show", site.child, *OVERRIDE), "social-worker", None, 1),
        (("record", "lift-shield", site.child), "data-manager", "data-manager-2", 1),
        (("retention", "run"), "operator", None, 0),
    ):
        before = line.heads()[log]
        process = started(line, *words, acting=acting, second=second)
        until(lambda log=log, before=before: line.heads()[log] > before)  # type: ignore[misc]
        time.sleep(0.3)
        assert killed(process) == ""
    site.assert_nothing_has_come_about()
    line.done("seal", "--until-caught-up")
    site.assert_nothing_has_come_about()
    ordered = line.heads()[0]

    with running(line, "seal"):
        assert site.destroy()["destroyed"] == 1
        assert line.heads()[0] == ordered + 1, "under the certificate that was there, which is now completed"
        assert site.lift().status == 0
    assert line.shown(site.child)["address"]["postcode"] == site.one.postcode
    line.refused("destroyed", "audit", "replay", site.seen["access_id"])


def test_killed_between_the_receipt_and_the_effect_it_is_gone_on_with(site: Site) -> None:
    """A sealer runs, and whoever asks is killed at moments spread over the whole act."""
    line = site.line
    began = time.monotonic()
    with running(line, "seal"):
        status, _ = ended(started(line, "show", site.child, *OVERRIDE, acting="social-worker"))
        assert status == 0
        one_command = time.monotonic() - began
        for part in range(8):
            process = started(
                line, "record", "lift-shield", site.child, acting="data-manager", second="data-manager-2"
            )
            time.sleep(one_command * (0.5 + part / 8))
            said = killed(process)
            record = line.shown(site.child)
            if "address" in record:
                assert site.tried("data-manager", "lift-shield"), "what is visible was on record before"
                shield(line, site.child)
            else:
                assert said == "", "and never acknowledged before it is so"
            assert_shielded(line, site.child, site.one)
        assert site.lift().status == 0
        process = started(line, "retention", "run", acting="operator")
        time.sleep(one_command)
        killed(process)
        assert site.destroy().status == 0
    line.refused("destroyed", "audit", "replay", site.seen["access_id"])
