"""C. A child with a new identity: nothing leads from old to new, and no source joins them (T27, T28, T30, T31)."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born, id_of

pytestmark = pytest.mark.postgres

OURS = "E06000999"
TWO: Any = {"acting": "data-manager", "second": "data-manager-2"}
_letters = itertools.count(1)


def sealed(line: Line, child: str) -> Path:
    """The letter that sealing the record of a child's old identity gives."""
    letter = line.file(b"").with_name(f"letter-{next(_letters)}")
    line.done("record", "seal", child, "--letter", str(letter), **TWO)
    return letter


def adopted(line: Line) -> tuple[Child, str, str, Child, str]:
    """A child as it was born, the id and number of that record, and as it is now, with its id."""
    before, after = a_child(), a_child()
    old = born(line, before, authority=OURS)
    number = str(line.shown(old)["number"])
    letter = sealed(line, old)
    line.clock += timedelta(days=2)
    given = (*after.options[:8], *after.options[8:12])
    done = line.done("record", "new-identity", str(letter), *given, **TWO)
    new = id_of(line, after)
    assert line.shown(new)["number"] == done["number"]
    return before, old, number, after, new


def test_t27_old_and_new_share_nothing_that_any_role_of_the_index_can_read(line: Line) -> None:
    before, old, number, _, new = adopted(line)
    for text in (old, number):
        for acting in ("practitioner", "social-worker", "data-manager"):
            line.unseen(text, acting=acting)
        line.refused("not-found", "record", "shield", text, "--ground", "crime", acting="social-worker")
    assert not line.found(*before.criteria)
    assert line.shown(new)["shielded"] is True

    with line.as_superuser() as connection:
        rows = connection.execute(
            "SELECT stream_id::text, position, recorded_at, event_id::text, identity, content, metadata "
            "FROM record_log.event WHERE stream_id = ANY (%s::uuid[])", ([old, new],),
        ).fetchall()  # fmt: skip
    ours = [row for row in rows if row[0] == old]
    theirs = [row for row in rows if row[0] == new]
    gap = min(row[2] for row in theirs) - max(row[2] for row in ours)
    assert gap >= timedelta(days=1), "nothing of the two is near in time"
    assert {row[3] for row in ours}.isdisjoint(row[3] for row in theirs)
    # What every role that serves, searches and audits can open of either.
    opened = [_opened(line, child) for child in (old, new)]
    shared = set(_values(opened[0])) & set(_values(opened[1]))
    assert not {one for one in shared if len(one) > 12}, (
        "no id, hash, time or number of the one is in the other"
    )
    assert old not in json.dumps(opened[1])
    assert new not in json.dumps(opened[0])
    views = line.view_rows()
    for rows_of in views.values():
        assert not [row for row in rows_of if old in row and new in row]


def _opened(line: Line, child: str) -> Json:
    """All that an auditor is told of a record: who changed what when, and who looked."""
    return {
        kind: [
            {name: value for name, value in entry.items() if name not in ("account", "account_name", "actor")}
            for entry in line.done("audit", kind, child)["entries"]
        ]
        for kind in ("changes", "who-saw")
    }


def _values(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _values(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _values(value)
    elif isinstance(tree, str) and any(letter.isdigit() for letter in tree):
        yield tree


def test_it_is_refused_too_soon_and_to_one_person_and_with_a_letter_of_somebody_elses(line: Line) -> None:
    old = born(line, a_child(), authority=OURS)
    after = a_child()
    words = ("record", "seal", old, "--letter", str(line.file(b"").with_name("alone")))
    line.refused("two-people-needed", *words, acting="data-manager")
    letter = sealed(line, old)
    again = ("record", "new-identity", str(letter), *after.options[:6])
    line.refused("too-soon", *again, **TWO)
    line.clock += timedelta(days=2)
    line.refused("two-people-needed", *again, acting="data-manager")
    forged = json.loads(letter.read_text("utf-8"))
    forged["marks"] = forged["marks"][1:]
    other = line.file(json.dumps(forged).encode())
    line.refused("not-a-letter", "record", "new-identity", str(other), *after.options[:6], **TWO, status=2)


@pytest.mark.parametrize("how", ["same number", "another entry without a number"])
def test_t28_a_source_that_still_sends_the_birth_name_at_the_new_address_is_not_taken(
    line: Line, how: str
) -> None:
    before, _, _, after, new = adopted(line)
    if how == "same number":
        done = line.pds(before.message(address=[before.address(after.street, after.postcode, "2027-03-01")]))
    else:
        entry = {**before.entry, "entry_id": "ACC/new", "nhs_number": "",
                 "address_line_1": after.street, "postcode": after.postcode}  # fmt: skip
        done = line.births(entry)
    assert (done["refused"], done["registered"], done["updated"], done["queued"], done["quarantined"]) == (
        1,
        0,
        0,
        0,
        0,
    )
    (refusal,) = done["refusals"]
    assert (refusal["code"], "field" in refusal) == ("record-damaged", False), (
        "as of any record that is not opened"
    )
    managed = json.dumps(line.shown(new, acting="data-manager"))
    assert before.family not in managed
    assert not line.found(*before.criteria)
    for word in (after.family, new, str(line.shown(new)["number"])):
        assert word not in json.dumps(done)


def test_t31_nothing_is_shown_counted_or_logged_where_data_quality_staff_can_read_it(line: Line) -> None:
    before, old, _, after, new = adopted(line)
    waiting = len(line.done("queue", "list", acting="data-manager")["held"])
    # The number of the one with the name and birth date of the other: a question about both.
    done = line.pds(replace(after, nhs=before.nhs).message())
    assert (done["queued"], done["quarantined"]) == (0, 1), "it is not counted as a doubt between records"
    held = line.done("queue", "list", acting="data-manager")["held"]
    assert len(held) - waiting == 1
    for one in held:
        told = json.dumps(line.done("queue", "show", one["held_id"], acting="data-manager"))
        assert old not in told
        assert new not in told
    line.refused("not-found", "record", "merge", new, old, "--reason", "documents-seen", **TWO)
    assert before.family not in json.dumps(line.shown(new, acting="data-manager"))


def test_t30_a_birth_parent_gets_nothing_from_after_the_placement(line: Line) -> None:
    _, old, number, after, new = adopted(line)
    for text in (old, number):
        line.refused(
            "not-found", "subject-access", "receive", text, "--for", "parent", "--basis", "best-interests",
            acting="data-manager",
        )  # fmt: skip
    asked = line.done(
        "subject-access",
        "receive",
        new,
        "--for",
        "parent",
        "--basis",
        "best-interests",
        acting="data-manager",
    )
    words = ("subject-access", "reply", new, "--request", asked["request"], "--withhold-nothing")
    line.refused("two-people-needed", *words, acting="data-manager")
    line.done("record", "lift-shield", new, "--reason", "risk-ended", **TWO)
    assert not line.shown(new, acting="data-manager").get("shielded")
    line.refused("two-people-needed", *words, acting="data-manager")
    reply = json.dumps(line.done(*words, **TWO)["reply"])
    for word in (after.street, after.postcode, "Council", OURS):
        assert word not in reply


def test_a_rebuild_does_not_bring_it_back(line: Line) -> None:
    before, old, _, after, _ = adopted(line)
    for view in ("practitioner_view", "match_index"):
        line.done("projection", "rebuild", view, "--switch")
    assert not line.found(*before.criteria)
    assert line.pds(before.message())["refused"] == 1
    assert len(line.found(*after.criteria)) == 1
    line.unseen(old)
