"""C and G. A wrong merge is undone: each child has its own again, and whoever saw the wrong view is told (T24, T70)."""

import json

import pytest

from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, born, id_of

pytestmark = pytest.mark.postgres

OURS = "E06000999"
TWO = {"acting": "data-manager", "second": "data-manager-2"}


def merged(line: Line, *shielded: int) -> tuple[tuple[Child, Child], tuple[str, str], tuple[str, str]]:
    """Two children whose records were merged in error: they, the ids of their records, and their numbers."""
    people = (a_child(), a_child())
    ids = tuple(born(line, one, authority=OURS) for one in people)
    numbers = tuple(str(line.shown(one)["number"]) for one in ids)
    for place in shielded:
        line.record("shield", ids[place], "--ground", "child-at-risk", acting="social-worker")
    line.done("record", "merge", *ids, "--reason", "same-number", **TWO)
    return people, (ids[0], ids[1]), (numbers[0], numbers[1])


def test_t70_a_wrong_merge_found_after_thirty_later_events_is_undone(line: Line) -> None:
    (one, other), (kept, closed), (number, old) = merged(line)
    wrong = line.show(number)["access_id"]
    line.show(old, acting="teacher")
    for day in range(1, 11):
        line.pds(
            one.message(address=[one.address(f"{day} Oak Way", "YO1 7HH", f"2027-02-{day:02}")]),
            other.message(address=[other.address(f"{day} Mill Lane", "YO1 7HG", f"2027-02-{day:02}")]),
        )
        line.record("involve", number, "--service", f"Club {'ABCDEFGHIJ'[day - 1]}", "--kind", "universal")
    changes = line.done("audit", "changes", kept)["entries"]
    theirs = [str(entry["version"]) for entry in changes if entry["event"].startswith("involvement-")][:2]
    words = [word for version in theirs for word in ("--to-second", version)]

    done = line.done("record", "split", number, "--reason", "merged-in-error", *words, acting="data-manager")

    assert {one["account_name"] for one in done["told"]} >= {"practitioner", "teacher"}
    ours, their = line.shown(number), line.shown(old)
    assert (ours["number"], their["number"]) == (number, old), "each bears its own number again"
    assert ours["child_id"] not in (kept, closed, their["child_id"])
    assert (ours["name"]["family"], their["name"]["family"]) == (one.family, other.family)
    assert "10 Oak Way" in json.dumps(ours)
    assert "10 Mill Lane" in json.dumps(their)
    assert "Mill" not in json.dumps(line.shown(number, acting="data-manager"))
    assert "Oak" not in json.dumps(line.shown(old, acting="data-manager"))
    clubs = [sorted(club["service"] for club in record["involvements"]) for record in (ours, their)]
    assert clubs == [[f"Club {letter}" for letter in "ABCDEFGHI"], ["Club J"]]
    assert (id_of(line, one), id_of(line, other)) == (ours["child_id"], their["child_id"])
    # Both trails stay: what was shown of the wrong view is shown again, to the byte.
    again = line.done("audit", "replay", wrong, acting="auditor", second="auditor-2")
    assert again["digest_matches"]
    assert line.done("audit", "who-saw", kept)["entries"]
    # What the sources say next goes to each child, and nothing to what is closed.
    line.pds(
        one.message(address=[one.address("21 Oak Way", "YO1 7HH", "2027-03-05")]),
        other.message(address=[other.address("21 Mill Lane", "YO1 7HG", "2027-03-05")]),
    )
    assert "21 Oak Way" in json.dumps(line.shown(number))
    assert "21 Mill Lane" in json.dumps(line.shown(old))


def test_a_file_that_fed_the_merged_record_is_taken_back_from_the_half_it_is_in(line: Line) -> None:
    people = (a_child(), a_child())
    kept = born(line, people[0], authority=OURS)
    born(line, people[1], authority=OURS)
    told = line.pds(people[1].message(address=[people[1].address("5 Mill Race", "YO1 7HG", "2027-03-02")]))
    closed = id_of(line, people[1])
    numbers = [line.shown(one)["number"] for one in (kept, closed)]
    line.done("record", "merge", kept, closed, "--reason", "same-number", **TWO)
    line.done("record", "split", kept, "--reason", "merged-in-error", **TWO)
    assert "5 Mill Race" in json.dumps(line.shown(numbers[1]))
    line.done("load", "pds", "--withdraw", told["files"][0]["file_id"])
    assert "5 Mill Race" not in json.dumps(line.shown(numbers[1], acting="data-manager"))
    assert people[1].street in json.dumps(line.shown(numbers[1]))


@pytest.mark.parametrize("shielded", [0, 1])
def test_t24_both_halves_of_a_shielded_record_start_shielded(line: Line, shielded: int) -> None:
    (one, other), (kept, _), (number, old) = merged(line, shielded)
    line.refused(
        "two-people-needed", "record", "split", number, "--reason", "merged-in-error", acting="data-manager"
    )
    line.done("record", "split", kept, "--reason", "merged-in-error", **TWO)
    for person in (one, other):
        shown = line.shown(id_of(line, person))
        assert shown["shielded"] is True
        assert person.street not in json.dumps(shown)
        assert person.street in json.dumps(line.shown(id_of(line, person), acting="data-manager"))
    for own, person in ((number, one), (old, other)):
        assert line.shown(own)["child_id"] == id_of(line, person), "its own number still finds each"
