"""F. When a record is destroyed, whoever was given something of it is told (UK GDPR Art 19)."""

from datetime import UTC, datetime

import pytest

from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import COURT
from tests.leaks.searching import Search

pytestmark = pytest.mark.postgres

AREA = "E06000999"
RECIPIENT = "Family Court at Marlbridge"


def handed_over(line: Line, child: str, *words: str, second: str | None = None) -> str:
    """The access under which a court was handed a name."""
    done = line.done(
        "hand-over", child, *COURT, "--field", "name", *words, acting="data-manager", second=second
    )
    return str(done["access_id"])


def answered(line: Line, child: str) -> str:
    """The access under which a parent was told who looked."""
    asked = ("--for", "parent", "--basis", "best-interests")
    request = line.done("subject-access", "receive", child, *asked, acting="data-manager")["request"]
    words = ("subject-access", "reply", child, "--request", request, "--withhold-nothing")
    return str(line.done(*words, acting="data-manager")["access_id"])


def destroy(line: Line, child: str) -> str:
    """Destroy it before its day; the certificate."""
    words = ("retention", "destroy", child, "--reason", "unlawful")
    return str(line.done(*words, acting="operator", second="operator-2")["certificate"])


def notices(line: Line, *words: str, acting: str = "data-manager") -> list[Json]:
    """What one is to tell whom."""
    found: list[Json] = line.done("retention", "notices", *words, acting=acting)["notices"]
    return found


def test_whoever_was_given_something_of_a_record_is_owed_a_notice_once_it_is_destroyed(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    one, another = a_child(), a_child()
    child, other = born(line, one, authority=AREA), born(line, another, authority=AREA)
    court, parent = handed_over(line, child), answered(line, child)
    handed_over(line, other)
    line("hand-over", child, *COURT, "--field", "shields", acting="data-manager")  # refused: nothing left
    assert notices(line) == []

    certificate = destroy(line, child)

    owed = notices(line)
    assert {(one["recipient"], one["kind"], one["access_id"]) for one in owed} == {
        (RECIPIENT, "hand-over", court),
        ("parent", "answer", parent),
    }
    for notice in owed:
        assert (notice["certificate"], notice["given_on"], notice["sent_on"]) == (
            certificate,
            "2027-03-10",
            None,
        )
    assert not list(Search(one.family, one.nhs, child, "FC-2027/11").of(str(owed).encode())), "of nobody"
    assert notices(line, acting="operator") == owed
    page = line.done("retention", "notices", "--limit", "1", acting="data-manager")
    assert (page["notices"], page["more"]) == (owed[:1], True)
    (entry,) = line.done("audit", "what-saw", "data-manager", "--limit", "1")["entries"]
    assert (entry["access_id"], entry["action"]) == (page["access_id"], "tell-recipients"), "itself an access"
    line.refused("right-not-held", "retention", "notices", acting="practitioner")

    line.clock = datetime(2027, 3, 12, 9, tzinfo=UTC)
    told = next(notice["notice"] for notice in owed if notice["access_id"] == court)
    line.refused(
        "date-in-future",
        "retention",
        "notice-sent",
        told,
        "--on",
        "2027-03-13",
        acting="data-manager",
        status=2,
    )
    for day in ("2027-03-11", "2027-03-12"):  # said again, nothing changes
        line.done("retention", "notice-sent", told, "--on", day, acting="data-manager")
    copy = restored(line)
    for home in (line, copy):
        assert [notice["access_id"] for notice in notices(home)] == [parent]
        everything = {notice["access_id"]: notice["sent_on"] for notice in notices(home, "--all")}
        assert everything == {court: "2027-03-11", parent: None}, "who was told is on record"
    assert line.shown(other, acting="data-manager"), "and nothing else is owed"


def test_of_a_shielded_record_what_one_of_two_was_only_shown_did_not_leave(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child(), authority=AREA)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    line.done("hand-over", child, *COURT, "--field", "name", "--propose", acting="data-manager")
    left = handed_over(line, child, second="data-manager-2")
    destroy(line, child)
    assert [notice["access_id"] for notice in notices(line)] == [left]
