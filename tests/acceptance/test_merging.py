"""C. Two records of one child: merged, the most restrictive wins, and what sources know leads to the survivor."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born, id_of
from tests.acceptance.test_shields import SHOWN_OF_A_SHIELDED_CHILD

pytestmark = pytest.mark.postgres

OURS = "E06000999"


def two(line: Line) -> tuple[Child, str, str]:
    """A child, and two records of it: one of its birth, one under another name from the case system of a school."""
    one, other = a_child(), a_child()
    kept = born(line, one, authority=OURS)
    closed = born(line, other, authority=OURS)
    return other, kept, closed


def merge(line: Line, kept: str, closed: str, *, second: str | None = None) -> None:
    line.record(
        "merge", kept, closed, "--reason", "documents-seen", acting="data-manager"
    ) if second is None else (
        line.done(
            "record",
            "merge",
            kept,
            closed,
            "--reason",
            "documents-seen",
            acting="data-manager",
            second=second,
        )
    )


def number(line: Line, child: str) -> str:
    return str(line.shown(child)["number"])


def test_the_other_number_leads_to_the_survivor_and_the_other_record_leaves_every_view(line: Line) -> None:
    other, kept, closed = two(line)
    old, new = number(line, closed), number(line, kept)
    seen = line.show(closed)["access_id"]
    merge(line, kept, closed)

    for text in (old, closed, new, kept):
        assert line.shown(text)["number"] == new
    assert {one["child_id"] for one in line.found(*other.criteria)} == {kept}
    assert {one["number"] for one in line.found("--number", new)} == {new}
    assert not line.found("--number", old)
    assert other.street in json.dumps(line.shown(kept, acting="data-manager")), "and holds what both held"
    assert not [row for rows in line.view_rows().values() for row in rows if _is_of(row, closed)]
    line.record("involve", old, "--service", "Kooth", "--kind", "universal")
    assert line.shown(kept)["involvements"]
    again = line.done("audit", "replay", seen, acting="auditor", second="auditor-2")
    assert again["digest_matches"]
    assert other.street in json.dumps(again["as_displayed"])
    assert line.done("audit", "who-saw", closed)["entries"]
    line.refused("not-found", "record", "merge", kept, line.show(new)["access_id"], "--reason", "documents-seen",
                 acting="data-manager")  # fmt: skip


def _is_of(row: str, child: str) -> bool:
    """Whether a row of a view of records, not of the trail of who looked, is of this child."""
    found = json.loads(row)
    return found.get("child_id") == child and ("names" in found or "keys" in found or "due_on" in found)


@pytest.mark.parametrize("shielded", ["kept", "closed"])
def test_t23_if_either_is_shielded_no_reader_ever_sees_where_the_child_is(line: Line, shielded: str) -> None:
    other, kept, closed = two(line)
    old = number(line, closed)
    at_risk = kept if shielded == "kept" else closed
    line.record("shield", at_risk, "--ground", "adult-at-risk", acting="social-worker")
    words = ("record", "merge", kept, closed, "--reason", "documents-seen")
    line.refused("two-people-needed", *words, acting="data-manager")
    line.done(*words, acting="data-manager", second="data-manager-2")

    shown = line.shown(kept)
    assert shown["shielded"] is True
    assert other.street not in json.dumps(shown)
    for one in line.found("--name", other.name, "--postcode", other.postcode):
        assert one["child_id"] != kept
    with line.as_superuser("keyring") as connection:
        for child in (kept, closed):
            open_keys = connection.execute(
                "SELECT count(*) FROM keys.key WHERE subject = %s AND kind = 2 AND wrapped IS NOT NULL",
                (child,),
            ).fetchone()
            assert open_keys == (0,), "what opens it lies behind the shield before it is acknowledged"
    managed = line.shown(kept, acting="data-manager")
    assert [one["ground"] for one in managed["shields"]] == ["adult-at-risk"]
    assert other.street in json.dumps(managed)
    # The one number does not tell the other: as of a number that was never issued.
    for text in (old, closed):
        line.unseen(text)
        line.refused("not-found", "record", "shield", text, "--ground", "crime", acting="social-worker")


def test_t23_what_one_proposed_another_confirms_and_the_one_is_shielded_from_the_first_instant(
    line: Line,
) -> None:
    other, kept, closed = two(line)
    line.record("shield", closed, "--ground", "adult-at-risk", acting="social-worker")
    words = ("record", "merge", kept, closed, "--reason", "documents-seen", "--propose")
    stale = line.done(*words, acting="data-manager")
    line.record("involve", kept, "--service", "Kooth", "--kind", "universal")
    proposal = line.done(*words, acting="data-manager")
    assert (proposal["act"], proposal["child"], proposal["other"]) == ("merge-records", kept, closed)

    def confirm(made: Json) -> tuple[str, ...]:
        return ("proposal", "confirm", made["proposal"], "--digest", made["digest"])

    line.refused("same-person", *confirm(proposal), acting="data-manager")
    line.refused("record-changed", *confirm(stale), acting="data-manager-2")
    assert line.shown(kept)["address"], "and nothing has come about"

    line.done(*confirm(proposal), acting="data-manager-2")

    assert set(line.shown(kept)) == SHOWN_OF_A_SHIELDED_CHILD
    assert [one["child_id"] for one in line.found(*other.criteria)] == [kept]
    change = next(
        one for one in line.done("audit", "changes", kept)["entries"] if one["event"] == "record-absorbed"
    )
    assert change
    line.refused("already-confirmed", *confirm(proposal), acting="data-manager-2")


def test_a_later_feed_for_the_closed_record_updates_the_survivor(line: Line) -> None:
    other, kept, closed = two(line)
    merge(line, kept, closed)
    moved = other.message(address=[other.address("77 Wharf Lane", "YO1 7HH", "2027-03-01")])
    done = line.pds(moved)
    assert (done["registered"], done["updated"], done["queued"]) == (0, 1, 0)
    assert "77 Wharf Lane" in json.dumps(line.shown(kept))
    assert line.births({**other.entry, "authority": OURS})["unchanged"] == 1


def test_a_file_that_fed_the_closed_record_is_taken_back_from_the_survivor(line: Line) -> None:
    one, other = a_child(), a_child()
    kept = born(line, one, authority=OURS)
    first = line.births(other.entry)
    closed = id_of(line, other)
    file_id = first["files"][0]["file_id"]
    told = line.pds(other.message(address=[other.address("5 Mill Race", "YO1 7HG", "2027-03-02")]))
    merge(line, kept, closed)
    assert "5 Mill Race" in json.dumps(line.shown(kept, acting="data-manager"))
    line.done("load", "pds", "--withdraw", told["files"][0]["file_id"])
    shown = json.dumps(line.shown(kept, acting="data-manager"))
    assert "5 Mill Race" not in shown
    assert other.street in shown, "what the other file said stands"
    line.done("load", "births", "--withdraw", file_id)
    assert other.street not in json.dumps(line.shown(kept, acting="data-manager"))
    assert one.street in json.dumps(line.shown(kept))


def test_t22_a_rebuild_knows_the_merge_as_it_was(line: Line) -> None:
    other, kept, closed = two(line)
    line.record("shield", closed, "--ground", "crime", acting="social-worker")
    line.done(
        "record",
        "merge",
        kept,
        closed,
        "--reason",
        "documents-seen",
        acting="data-manager",
        second="data-manager-2",
    )
    before: Json = line.shown(kept)
    for view in ("practitioner_view", "match_index", "retention_schedule"):
        line.done("projection", "rebuild", view, "--switch")
        compared = line.done("projection", "compare", view)
        assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)
    assert line.shown(kept) == before
    assert {one["child_id"] for one in line.found(*other.criteria)} <= {kept}


def test_a_closed_record_is_destroyed_early_with_the_one_that_took_its_place_and_held_with_it(
    line: Line,
) -> None:
    _, kept, closed = two(line)
    line.done("retention", "hold", closed, "--authority", "court-order", "--until", "2028-01-01")
    merge(line, kept, closed)
    destroy = ("retention", "destroy", kept, "--reason", "unlawful")
    line.refused("held", *destroy, acting="operator", second="operator-2")
    line.done("retention", "release-hold", kept)
    line.done(*destroy, acting="operator", second="operator-2")
    assert_no_keys(line, kept, closed)


def test_a_closed_record_is_destroyed_with_the_one_that_took_its_place(line: Line) -> None:
    _, kept, closed = two(line)
    merge(line, kept, closed)
    line.record("notify-death", kept, "--on", "2027-03-01")
    line.clock += timedelta(days=370)
    line.done("retention", "run")
    line.clock += timedelta(days=6 * 366)
    gone = {one["child_id"] for one in line.done("retention", "run")["destructions"]}
    assert {kept, closed} <= gone
    assert_no_keys(line, kept, closed)


def assert_no_keys(line: Line, *records: str) -> None:
    """Nothing of these records can be opened by anybody any more."""
    for database in ("keyring", "shielded"):
        with line.as_superuser(database) as connection:
            left = connection.execute(
                "SELECT count(*) FROM keys.key WHERE subject = ANY (%s) AND wrapped IS NOT NULL",
                ([UUID(one) for one in records],),
            ).fetchone()
        assert left == (0,)
