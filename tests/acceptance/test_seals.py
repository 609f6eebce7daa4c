"""The proof that nothing was altered, as an auditor gets it: verify, take evidence away, check it elsewhere."""

import json
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.postgres.embedded import EmbeddedServer
from adapters.seals.keys import signer_in
from adapters.seals.notes import Kind, Note, Verifier
from adapters.seals.witness import Witness, WitnessServer
from cli.settings import Settings
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import START, Json, Line
from tests.acceptance.people import a_child, born, registered
from tests.architecture.repository import ROOT

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def sealed(new_home: NewHome) -> Line:
    """A home whose databases are elsewhere, with children in it that were looked at; sealed by hand."""
    line = new_home()
    for _ in range(3):
        born(line, a_child())
    line.done("seal", "--until-caught-up")
    return line


def looked_at(line: Line) -> tuple[str, str]:
    """A child that was opened, and the id of that access."""
    child = born(line, a_child())
    return child, str(line.show(child)["access_id"])


def check(*words: object) -> tuple[int, str]:
    """What the verifier that is taken away says."""
    done = subprocess.run(
        [sys.executable, "-I", str(ROOT / "docs/verify/verify_evidence.py"), *map(str, words)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def keys(line: Line) -> list[str]:
    """The keys of both logs, as one gets them from elsewhere."""
    return [
        word
        for log in ("record", "access")
        for word in ("--log-key", str(line.home / "seals" / log / "log.pub"))
    ]


def note(line: Line, log: str = "record") -> Path:
    return line.home / "seals" / log / "checkpoint"


def test_both_logs_are_verified(sealed: Line) -> None:
    answer = sealed.done("audit", "verify")
    assert [log["name"] for log in answer["logs"]] == ["record", "access"]
    assert answer["ok"]
    assert [log["entries"] for log in answer["logs"]] == list(sealed.heads())
    assert all(log["ok"] and log["findings"] == [] and log["root"] for log in answer["logs"])
    (seals,) = [part for part in sealed.done("health")["parts"] if part["name"] == "seals"]
    assert seals["ok"]


def test_t40_who_is_not_let_in_is_not_told_that_all_is_as_it_was_sealed(sealed: Line) -> None:
    sealed.done("account", "suspend", "auditor-2", "--reason", "misuse-suspected")
    sealed.done("seal", "--until-caught-up")
    sealed.refused("account-suspended", "audit", "verify", acting="auditor-2")
    sealed.done("account", "reinstate", "auditor-2", "--reason", "investigation-ended")
    sealed.done("seal", "--until-caught-up")


def test_an_event_altered_is_named_and_health_is_wrong_until_it_is_put_right(sealed: Line) -> None:
    with sealed.as_superuser() as connection:
        connection.execute("ALTER TABLE record_log.event DISABLE TRIGGER USER")
        change = "UPDATE record_log.event SET metadata = metadata || %s WHERE position = 3"
        connection.execute(change.encode(), (b"x",))
        answer = sealed("audit", "verify")
        assert answer.status == 1
        assert not answer["ok"]
        assert answer["logs"][0]["findings"] == [
            {
                "position": 3,
                "what": "The event at this position is not the one that was sealed: the metadata part differs.",
            }
        ]
        assert answer["logs"][1]["ok"]
        put_back = "UPDATE record_log.event SET metadata = substr(metadata, 1, length(metadata) - 1) WHERE position = 3"
        connection.execute(put_back.encode())
        connection.execute("ALTER TABLE record_log.event ENABLE ALWAYS TRIGGER never_changed")
        connection.execute("ALTER TABLE record_log.event ENABLE ALWAYS TRIGGER never_emptied")
        connection.commit()
    wrong = [part for part in sealed("health")["parts"] if not part["ok"]]
    assert [part["name"] for part in wrong] == ["seals"]
    assert "position 3" in wrong[0]["detail"]
    sealed.done("audit", "verify")
    sealed.done("health")


def test_evidence_about_a_child_is_checked_without_this_software(sealed: Line, tmp_path: Path) -> None:
    older = shutil.copy(note(sealed), tmp_path / "older")
    child, access = looked_at(sealed)
    sealed.done("seal", "--until-caught-up")
    pack = tmp_path / "pack.json"
    answer = sealed.done("audit", "export", child, str(pack), "--since", str(older))
    evidence = json.loads(pack.read_text("utf-8"))
    assert answer["file"] == str(pack)
    assert answer["entries"] == sum(len(log["events"]) for log in evidence["logs"]) >= 5
    assert {one["stream_id"] for one in evidence["logs"][0]["events"]} == {child}
    assert access in {one["stream_id"] for one in evidence["logs"][1]["events"]}
    status, said = check(pack, *keys(sealed), "--older", older)
    assert status == 0, said
    assert "continues the checkpoint you kept" in said
    assert "taken from the evidence" not in said

    def changed(change: str) -> tuple[int, str]:
        other = json.loads(pack.read_text("utf-8"))
        event = other["logs"][0]["events"][1]
        match change:
            case "version":
                event["version"] += 1
            case "content":
                event["content"] = other["logs"][0]["events"][0]["content"]
            case "position":
                event["position"] -= 1
            case "proof":
                event["proof"] = event["proof"][::-1]
            case "checkpoint":
                other["logs"][0]["checkpoint"] = other["logs"][1]["checkpoint"]
            case _:
                event["recorded_at"] = "2001-01-01T00:00:00.000000Z"
        (tmp_path / "changed.json").write_text(json.dumps(other), "utf-8")
        return check(tmp_path / "changed.json", *keys(sealed))

    for change in ("version", "content", "position", "proof", "checkpoint", "time"):
        status, said = changed(change)
        assert status == 1, change
        assert "WRONG" in said


def test_a_checkpoint_that_the_log_does_not_continue_is_told(sealed: Line, tmp_path: Path) -> None:
    child, _ = looked_at(sealed)
    sealed.done("seal", "--until-caught-up")
    pack = tmp_path / "pack.json"
    sealed.done("audit", "export", child, str(pack))
    key = signer_in(sealed.home / "sealer" / "record.key", "", Kind.LOG)
    origin, size, root = note(sealed).read_text("utf-8").split("\n")[:3]
    other = note(sealed, "access").read_text("utf-8").split("\n")[2]
    for text in (f"{origin}\n{size}\n{other}\n", f"{origin}\n{int(size) + 1}\n{root}\n"):
        (tmp_path / "false").write_text(str(Note(text, (key.sign(text),))), "utf-8")
        status, said = check(pack, *keys(sealed), "--older", tmp_path / "false")
        assert status == 1
        assert "checkpoint you kept" in said
    words = ("audit", "export", child, str(tmp_path / "two"), "--since", str(tmp_path / "false"))
    sealed.done("seal", "--until-caught-up")
    sealed.refused("not-a-checkpoint", *words, status=2)


def test_the_proof_of_one_look(sealed: Line, tmp_path: Path) -> None:
    _, access = looked_at(sealed)
    sealed.done("seal", "--until-caught-up")
    place = tmp_path / "one.tlog-proof"
    assert sealed.done("audit", "proof", access, str(place)) == {"file": str(place), "entries": 1}
    status, said = check(place, *keys(sealed))
    assert status == 0, said
    text = place.read_text("utf-8")
    place.write_text(text.replace("extra AAAAAQ", "extra AAAABQ"), "utf-8")
    assert check(place, *keys(sealed))[0] == 1
    sealed.refused("file-exists", "audit", "proof", access, str(place), status=2)


def test_t53_a_court_is_shown_what_was_displayed_with_rule_purpose_and_proof(
    sealed: Line, tmp_path: Path
) -> None:
    """Why did the teacher see this child on that day? After all that has happened to the record since."""
    one = a_child()
    child = born(sealed, one)
    look = sealed.show(child, acting="teacher")
    sealed.record("correct", child, "--line", "2 Other Road", "--postcode", "WF9 8YY")
    sealed.record("shield", child, "--ground", "child-at-risk", acting="social-worker")
    sealed.done("projection", "rebuild", "audit_trail", "--switch")

    shown = sealed.done("audit", "replay", look["access_id"], second="auditor-2")
    assert (shown["as_displayed"], shown["digest_matches"]) == (look["record"], True)
    assert shown["policy"]
    assert shown["rules"]
    (entry,) = [
        one
        for one in sealed.done("audit", "what-saw", "teacher")["entries"]
        if one["access_id"] == look["access_id"]
    ]
    assert (entry["reason"], entry["children"], entry["outcome"]) == ("casework", [child], "granted")
    sealed.done("seal", "--until-caught-up")
    place = tmp_path / "one.tlog-proof"
    sealed.done("audit", "proof", look["access_id"], str(place))
    assert check(place, *keys(sealed))[0] == 0


def test_t75_a_lawful_destruction_breaks_no_proof(new_home: NewHome, tmp_path: Path) -> None:
    """What was taken away before still holds, what is taken away afterwards as well, and both logs are as sealed."""
    line = new_home()
    child = registered(line, a_child(born=date(2009, 5, 1)))
    access = str(line.show(child)["access_id"])
    line.done("seal", "--until-caught-up")
    older = shutil.copy(note(line), tmp_path / "older")
    line.done("audit", "export", child, str(tmp_path / "before.json"))
    line.clock = datetime(2027, 5, 2, 10, tzinfo=UTC)
    assert line.done("retention", "run")["archived"] == 1
    line.clock = datetime(2033, 5, 2, 10, tzinfo=UTC)
    done = line.done("retention", "run")
    assert done["destroyed"] == 1
    line.done("seal", "--until-caught-up")

    answer = line.done("audit", "verify")
    assert [(log["ok"], log["entries"]) for log in answer["logs"]] == [(True, head) for head in line.heads()]
    line.done("audit", "export", child, str(tmp_path / "after.json"), "--since", str(older))
    line.done("audit", "proof", access, str(tmp_path / "look.tlog-proof"))
    (tmp_path / "end.tlog-proof").write_text(done["destructions"][0]["receipt_proof"], "utf-8")
    for taken in ("before.json", "after.json", "look.tlog-proof", "end.tlog-proof"):
        status, said = check(tmp_path / taken, *keys(line))
        assert status == 0, said
    assert check(tmp_path / "after.json", *keys(line), "--older", older)[0] == 0
    before, after = (
        json.loads((tmp_path / name).read_text("utf-8")) for name in ("before.json", "after.json")
    )
    assert len(after["logs"][0]["events"]) > len(before["logs"][0]["events"]), "archived since"
    line.refused("destroyed", "audit", "replay", access)


def test_of_a_shielded_child_evidence_needs_a_second_auditor(sealed: Line, tmp_path: Path) -> None:
    child, _ = looked_at(sealed)
    sealed.record("shield", child, "--ground", "child-at-risk", acting="social-worker")
    sealed.done("seal", "--until-caught-up")
    sealed.refused("two-people-needed", "audit", "export", child, str(tmp_path / "one"))
    assert not (tmp_path / "one").exists()
    sealed.done("seal", "--until-caught-up")
    sealed.done("audit", "export", child, str(tmp_path / "two"), second="auditor-2")
    assert check(tmp_path / "two", *keys(sealed))[0] == 0


def test_what_is_not_sealed_for_ten_seconds_is_told(new_home: NewHome) -> None:
    line = new_home()
    (seals,) = [part for part in line.done("health")["parts"] if part["name"] == "seals"]
    assert "nobody seals" in seals["detail"], "where nobody was told to seal, nobody has stopped"
    line.done("seal", "--until-caught-up")
    born(line, a_child())
    with line.as_superuser() as connection:
        connection.execute("UPDATE seal.state SET well_at = well_at - interval '11 seconds'")
    answer = line("health")
    assert answer.status == 1
    assert [part["name"] for part in answer["parts"] if not part["ok"]] == ["seals"]
    watched = line("audit", "verify", "--every", "1")
    assert watched.status == 1
    line.done("seal", "--until-caught-up")
    assert line("health").status == 0


def test_the_witnesses_that_are_asked_for_have_seen_it(new_home: NewHome, tmp_path: Path) -> None:
    line = new_home()
    line.done("seal", "--until-caught-up")
    logs = [
        Verifier.of((line.home / "seals" / log / "log.pub").read_text("utf-8"))
        for log in ("record", "access")
    ]
    key = signer_in(tmp_path / "witness" / "key", "witness.invalid", Kind.WITNESS)
    witness = Witness(tmp_path / "witness", key, {log.name: log for log in logs}, lambda: START)
    with WitnessServer(witness, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        policy = tmp_path / "policy"
        policy.write_text(f"witness one {key.verifier} {server.url}\nquorum one\n", "utf-8")
        asked = Witnessed(line, policy)
        child, _ = looked_at(line)
        assert asked("audit", "verify").status == 1, "the published checkpoints are those of before"
        asked.done("seal", "--until-caught-up")
        asked.done("audit", "verify")
        asked.done("audit", "export", child, str(tmp_path / "pack"))
        server.shutdown()
        thread.join()
    status, said = check(tmp_path / "pack", *keys(line), "--witness", key.verifier, "--cosignatures", "1")
    assert status == 0, said
    assert said.count("cosigned by witness.invalid at 2027-03-10 10:00:00 UTC") == 2
    assert check(tmp_path / "pack", *keys(line), "--witness", key.verifier, "--cosignatures", "2")[0] == 1
    before = note(line).read_text("utf-8")
    born(line, a_child())
    asked.refused("unavailable", "seal", "--until-caught-up", status=3)
    assert note(line).read_text("utf-8") == before
    policy.write_text("quorum nobody\n", "utf-8")
    asked.refused("bad-setting", "seal", "--until-caught-up", status=2)


class Witnessed(Line):
    """The same home, with a policy of witnesses in its settings."""

    def __init__(self, line: Line, policy: Path) -> None:
        super().__init__(line.home, line.clock, line.databases)
        self.policy = policy

    def settings_at(self, seat: str) -> Settings:
        return replace(super().settings_at(seat), witnesses=self.policy)


# With nothing configured the home starts a sealer itself


@pytest.fixture(scope="module")
def embedded(own_server: Line) -> Line:
    return own_server


def test_a_home_seals_itself(embedded: Line) -> None:
    born(embedded, a_child())
    sizes = [int(note(embedded, log).read_text("utf-8").split("\n")[1]) for log in ("record", "access")]
    assert sizes == list(embedded.heads()), "what a command has written is sealed when it ends"
    answer: Json = embedded.done("audit", "verify")
    assert [log["entries"] for log in answer["logs"]] == sizes


def test_a_row_that_is_gone_is_told_also_where_the_home_cannot_be_opened_any_more(embedded: Line) -> None:
    position = embedded.heads()[0]
    with embedded.as_superuser() as connection:
        connection.execute("ALTER TABLE record_log.event DISABLE TRIGGER USER")
        row = connection.execute(
            "DELETE FROM record_log.event WHERE position = %s RETURNING *", (position,)
        ).fetchone()
    answer = embedded("audit", "verify")
    assert answer.status == 1
    assert {"position": position, "what": "The event at this position is gone."} in answer["logs"][0][
        "findings"
    ]
    with embedded.as_superuser() as connection:
        connection.execute(f"INSERT INTO record_log.event VALUES ({', '.join(['%s'] * 10)})".encode(), row)
        for trigger in ("never_changed", "never_emptied"):
            connection.execute(f"ALTER TABLE record_log.event ENABLE ALWAYS TRIGGER {trigger}".encode())
    embedded.done("audit", "verify")


def test_the_sealer_of_a_home_ends_with_its_server(embedded: Line) -> None:
    embedded.done("health")
    embedded.done("stop")
    deadline = time.monotonic() + 30
    while sealers(embedded):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert EmbeddedServer(embedded.home).running() is None


def sealers(line: Line) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "cli.attending" in words and str(line.home) in words:
            found.append(path.parent.name)
    return found
