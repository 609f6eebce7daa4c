"""What two people do together where both sign in: T30, T52 and evidence about a shielded child, each by a proposal."""

from pathlib import Path

import pytest

from tests.acceptance.authenticators import Holder
from tests.acceptance.line import Answer, Json
from tests.acceptance.peopled import AREA, Peopled, let_in

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def managers(peopled: Peopled) -> tuple[Holder, Holder]:
    one, another = (let_in(peopled.ada, name, "data-manager", AREA) for name in ("manager-1", "manager-2"))
    for who in (one, another):
        who.sign_in()
    return one, another


@pytest.fixture(scope="module")
def shielded(peopled: Peopled) -> str:
    """A shielded child for whom the managers' authority is responsible."""
    peopled.social_worker.done("record", "shield", peopled.child, "--ground", "adult-at-risk")
    return peopled.child


def confirm(second: Holder, proposal: Json, *more: str) -> Answer:
    words = ("proposal", "confirm", proposal["proposal"], "--digest", proposal["digest"], *more)
    with second.line.sealer():
        return second.line(*words, seat=second.name)


def asked_by_a_parent(first: Holder, child: str) -> tuple[str, ...]:
    """How a parent's request that has just come in is answered."""
    received = first.done("subject-access", "receive", child, "--for", "parent", "--basis", "best-interests")
    return ("subject-access", "reply", child, "--request", received["request"], "--withhold", "contrary-wish")


def test_t30_a_reply_about_a_shielded_child_is_given_once_another_has_confirmed_it(
    peopled: Peopled, managers: tuple[Holder, Holder], shielded: str
) -> None:
    first, second = managers
    answer = asked_by_a_parent(first, shielded)
    for who in managers:
        who.step_up()
    first.refused("two-people-needed", *answer)
    refused = first.line("--with", second.name, *answer, seat=first.name)
    assert refused.code == "sign-in-required", "neither does the first say who the second is"

    proposal = first.done(*answer, "--propose")

    assert proposal["reply"]["looks"] == []
    assert proposal["withheld"] == ["contrary-wish"]
    assert state_of(first, shielded) == "open", "nothing was given yet"
    assert confirm(first, proposal).code == "same-person"
    shown = second.done("proposal", "show", proposal["proposal"])
    assert {key: shown[key] for key in proposal} == proposal, "both see what will be done"
    given = confirm(second, proposal)
    assert given.status == 0, given.json
    assert given["reply"] == proposal["reply"]
    assert state_of(first, shielded) == "answered"
    assert confirm(second, proposal).code == "already-confirmed"
    entries = peopled.auditor.done("audit", "who-saw", shielded)["entries"]
    entry = next(one for one in entries if one["access_id"] == given["access_id"])
    assert (entry["action"], entry["outcome"]) == ("subject-access", "granted")
    assert given["access_id"] == proposal["proposal"]
    assert entry["confirmed_by"] == peopled.ada.done("account", "show", second.name)["account"]


def state_of(who: Holder, child: str) -> str:
    return str(who.done("subject-access", "list", child)["requests"][-1]["state"])


def test_t30_a_reply_is_not_given_of_a_record_that_changed_since(
    peopled: Peopled, managers: tuple[Holder, Holder], shielded: str
) -> None:
    first, second = managers
    for who in managers:
        who.step_up()
    proposal = first.done(*asked_by_a_parent(first, shielded), "--propose")
    peopled.social_worker.done("record", "shield", shielded, "--ground", "crime")
    refused = confirm(second, proposal)
    assert (refused.status, refused.code) == (1, "record-changed")
    assert state_of(first, shielded) == "open"


def test_evidence_about_a_shielded_child_proves_that_a_kept_checkpoint_was_only_added_to(
    peopled: Peopled, shielded: str, tmp_path: Path
) -> None:
    first = peopled.auditor
    second = let_in(peopled.ada, "checks-too", "auditor", "AUDIT-X")
    second.sign_in()
    peopled.line.done("seal", "--until-caught-up")
    older = tmp_path / "older"
    older.write_bytes((peopled.line.home / "seals" / "record" / "checkpoint").read_bytes())
    for who in (first, second):
        who.step_up()
    export = ("audit", "export", shielded, str(tmp_path / "pack"))
    first.refused("two-people-needed", *export)
    refused = first.refused("usage", *export, "--propose", "--since", str(older), status=2)
    assert refused["error"]["field"] == "since"
    proposal = first.done(*export, "--propose")
    peopled.line.done("seal", "--until-caught-up")

    missing = confirm(second, proposal, "--file", str(tmp_path / "pack"), "--since", str(tmp_path / "none"))
    assert missing.code == "no-such-file"
    written = confirm(second, proposal, "--file", str(tmp_path / "pack"), "--since", str(older))

    assert written.status == 0, written.json
    assert older.read_text("utf-8").splitlines()[1] in (tmp_path / "pack").read_text("utf-8")
    other = first.done(*export[:-1], str(tmp_path / "other"), "--propose")
    assert other["act"] == "export"
