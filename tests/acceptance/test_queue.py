"""The review queue: what is held back waits for the authority's management team, and what it decides stands."""

from typing import Any

import pytest

from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born

pytestmark = pytest.mark.postgres

MANAGER = "data-manager"
AREA = "E06000999"
ELSEWHERE = "E06000998"


def waiting(line: Line, *words: str, acting: str = MANAGER) -> list[Json]:
    """What the management team sees waiting."""
    held: list[Json] = line.done("queue", "list", *words, acting=acting)["held"]
    return held


def queued(line: Line, child: Child, **changed: Any) -> str:
    """A message under the child's number with another birth date, held back; its id."""
    before = {one["held_id"] for one in waiting(line)}
    assert line.pds(child.message(birthDate="2015-01-01", **changed))["queued"] == 1
    (found,) = {one["held_id"] for one in waiting(line)} - before
    return str(found)


def shown(line: Line, held: str) -> Json:
    """One held record as the management team sees it."""
    found: Json = line.done("queue", "show", held, acting=MANAGER)["held"]
    return found


def decided(line: Line, held: str, *words: str) -> Json:
    """The answer to a decision."""
    return line.done("queue", "decide", held, *words, "--reason", "documents-seen", acting=MANAGER)


def test_what_is_in_doubt_waits_and_is_shown_beside_the_record_it_may_be_about(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority=AREA)
    held = queued(line, child)
    entry = next(one for one in waiting(line) if one["held_id"] == held)
    assert (entry["kind"], entry["state"], entry["reason"]) == (
        "pds",
        "queued",
        "number-agrees-birth-date-differs",
    )
    seen = shown(line, held)
    (candidate,) = seen["candidates"]
    assert candidate["child_id"] == child_id
    rows = {row["field"]: row for row in candidate["fields"]}
    assert rows["family"]["agreement"] == "agree"
    assert (rows["date_of_birth"]["incoming"], rows["date_of_birth"]["candidate"]) == (
        "2015-01-01",
        child.born.isoformat(),
    )
    assert rows["date_of_birth"]["agreement"] == "differ"
    assert rows["nhs_number"] == {
        "field": "nhs_number", "incoming": None, "candidate": None, "agreement": "agree", "weight": 20,
    }  # fmt: skip
    assert candidate["weight"] == sum(row["weight"] for row in rows.values())
    assert child.nhs not in str(seen)


def test_a_look_at_the_queue_is_on_record_for_every_child_shown(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority=AREA)
    held = queued(line, child)
    access = line.done("queue", "show", held, acting=MANAGER)["access_id"]
    for subject in (child_id, held):
        entries = line.done("audit", "who-saw", subject)["entries"]
        assert any(
            (entry["access_id"], entry["action"], entry["shown"]) == (access, "review-queue", True)
            for entry in entries
        )
    listed = line.done("queue", "list", acting=MANAGER)["access_id"]
    assert listed in {entry["access_id"] for entry in line.done("audit", "what-saw", MANAGER)["entries"]}


@pytest.mark.parametrize("acting", ["practitioner", "teacher", "social-worker", "auditor", "operator"])
def test_nobody_but_a_management_team_reads_or_decides(line: Line, acting: str) -> None:
    child = a_child()
    born(line, child, authority=AREA)
    held = queued(line, child)
    line.refused("right-not-held", "queue", "list", acting=acting)
    line.refused("right-not-held", "queue", "show", held, acting=acting)
    line.refused(
        "right-not-held", "queue", "decide", held, "--refuse", "--reason", "sent-in-error", acting=acting
    )
    refusals = [e for e in line.done("audit", "what-saw", acting)["entries"] if e["outcome"] == "refused"]
    assert {"review-queue", "decide-held"} <= {entry["action"] for entry in refusals}
    assert held in {one["held_id"] for one in waiting(line)}


def test_what_concerns_another_authority_is_neither_listed_nor_shown_nor_decided(line: Line) -> None:
    child = a_child()
    born(line, child, authority=ELSEWHERE)
    before = waiting(line)
    assert line.pds(child.message(birthDate="2015-01-01"))["queued"] == 1
    assert waiting(line) == before
    with line.as_superuser("views") as connection:
        (schema,) = connection.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'held' ORDER BY 1 DESC LIMIT 1"
        ).fetchone() or ("",)
        ids = connection.execute(f"SELECT held_id FROM {schema}.held ORDER BY since DESC".encode()).fetchall()
    held = str(ids[0][0])
    line.refused("not-found", "queue", "show", held, acting=MANAGER)
    nobody = line.refused(
        "not-found", "queue", "show", "00000000-0000-4000-8000-00000000000a", acting=MANAGER
    )
    assert nobody["error"] == line.refused("not-found", "queue", "show", held, acting=MANAGER)["error"]
    line.refused("not-found", "queue", "decide", held, "--new", "--reason", "documents-seen", acting=MANAGER)


def test_the_same_child_is_joined_and_what_the_source_said_is_in_the_record(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority=AREA)
    street = {"address": [child.address("7 Quay Street", "HU1 1AA", "2027-01-01")]}
    held = queued(line, child, **street)
    assert line.shown(child_id)["address"]["lines"] == [child.street]
    assert decided(line, held, "--same", child_id)["verdict"] == "same"
    assert line.shown(child_id)["address"]["lines"] == ["7 Quay Street"]
    assert held not in {one["held_id"] for one in waiting(line)}
    line.refused("not-found", "queue", "show", held, acting=MANAGER)
    assert line.pds(child.message(birthDate="2015-01-01", **street))["unchanged"] == 1


def test_who_decides_second_is_told(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority=AREA)
    held = queued(line, child)
    decided(line, held, "--same", child_id)
    for acting in (MANAGER, "data-manager-2"):
        line.refused(
            "already-decided", "queue", "decide", held, "--new", "--reason", "documents-seen", acting=acting
        )


def test_not_the_same_outlives_every_later_load(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority=AREA)
    held = queued(line, child)
    decided(line, held, "--not-the-same")
    other = [hit["child_id"] for hit in line.found("--name", child.name, "--dob", "2015-01-01")]
    assert len(other) == 1
    assert other != [child_id]
    before = waiting(line)
    again = line.pds(child.message(birthDate="2015-01-01", gender="unknown"))
    assert (again["queued"], again["updated"]) == (0, 1)
    entry = {**child.entry, "entry_id": "ACC/another", "date_of_birth": "2015-01-01"}
    assert line.births(entry)["queued"] == 0
    assert waiting(line) == before
    assert line.shown(child_id)["date_of_birth"] == child.born.isoformat()
    moved = line.pds(child.message(address=[child.address("9 Quay Street", "HU1 1AB", "2027-02-01")]))
    assert moved["updated"] == 1
    assert line.shown(child_id)["address"]["lines"] == ["9 Quay Street"]


def test_a_child_of_its_own_is_registered_and_refused_ones_leave_nothing(line: Line) -> None:
    child, another = a_child(), a_child()
    born(line, child, authority=AREA)
    born(line, another, authority=AREA)
    decided(line, queued(line, child), "--new")
    assert len(line.found("--name", child.name, "--dob", "2015-01-01")) == 1
    decided(line, queued(line, another), "--refuse")
    assert not line.found("--name", another.name, "--dob", "2015-01-01")
    assert line.pds(another.message(birthDate="2015-01-01"))["unchanged"] == 1


def test_of_a_shielded_record_nothing_is_shown_but_whom_to_ask(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority=AREA)
    line.record("shield", child_id, "--ground", "child-at-risk", acting="social-worker")
    held = queued(line, child)
    seen = shown(line, held)
    assert seen["candidates"] == []
    assert "local team" in seen["notice"]
    for word in (child_id, child.street, child.postcode, child.born.isoformat()):
        assert word not in str(seen)
    near = {**child.entry, "entry_id": "ACC/near", "nhs_number": "", "address_line_1": "1 Hidden Lane"}
    before = {one["held_id"] for one in waiting(line)}
    assert line.births(near)["quarantined"] == 1
    (quarantined,) = [one for one in waiting(line) if one["held_id"] not in before]
    assert quarantined["reason"] == "near-shielded"
    seen = shown(line, quarantined["held_id"])
    assert (seen["candidates"], seen["withheld"][0]) == ([], "address")
    assert "Hidden Lane" not in str(seen)
    decided(line, quarantined["held_id"], "--new")
    assert len(line.found(*child.criteria)) == 2
    line.record("notify-death", child_id, "--on", "2026-12-01", acting="social-worker")
    assert sorted(bool(hit.get("shielded")) for hit in line.found(*child.criteria)) == [False, True]


def test_a_page_at_a_time(line: Line) -> None:
    ids: list[str] = []
    for _ in range(3):
        child = a_child()
        born(line, child, authority=AREA)
        ids.append(queued(line, child))
    everything = [one["held_id"] for one in waiting(line, "--limit", "50")]
    assert [one for one in everything if one in ids] == ids
    paged: list[str] = []
    words: list[str] = []
    while True:
        page = line.done("queue", "list", "--limit", "2", *words, acting=MANAGER)
        paged += [one["held_id"] for one in page["held"]]
        if not page["more"]:
            break
        words = ["--after", page["next"]]
    assert paged == everything


def test_t63_what_was_held_back_is_destroyed_with_the_child_it_was_joined_to(line: Line) -> None:
    child, other = a_child(), a_child()
    child_id, kept = (born(line, each, authority=AREA) for each in (child, other))
    held, held_of_other = queued(line, child), queued(line, other)
    for each, whose in ((held, child_id), (held_of_other, kept)):
        decided(line, each, "--same", whose)
    why = ("--reason", "unlawful")
    gone = line.done("retention", "destroy", child_id, *why, acting="operator", second="operator-2")

    with line.as_superuser("keyring") as connection:
        rows = connection.execute(
            "SELECT subject, bool_and(wrapped IS NULL), min(certificate::text) FROM keys.key "
            "WHERE subject = ANY (%s::uuid[]) GROUP BY subject",
            ([child_id, held, kept, held_of_other],),
        ).fetchall()
    destroyed = {str(subject): certificate for subject, empty, certificate in rows if empty and certificate}
    assert destroyed == dict.fromkeys((child_id, held), gone["certificate"])
    assert line.shown(kept)
    line.refused("not-found", "queue", "show", held, acting=MANAGER)
