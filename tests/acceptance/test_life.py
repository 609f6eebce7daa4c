"""F. Death, leaving, archive, holds and destruction: T63, T64, T65, T66."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from cli.bootstrap import open_app
from cli.output import Output
from domain.kernel import Log
from domain.ports import Receipts
from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born, id_of, registered
from tests.acceptance.test_shields import SHOWN_OF_A_SHIELDED_CHILD

pytestmark = pytest.mark.postgres

OF_AGE_IN_MAY = date(2009, 5, 1)
"""Eighteen on 1 May 2027, seven weeks after a home begins."""


def on(line: Line, day: str) -> None:
    """Nine in the morning of a day."""
    line.clock = datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)


def due(line: Line, child: str, by: str = "2099-01-01") -> list[tuple[str, str, str]]:
    return [
        (one["action"], one["on"], one["rule"])
        for one in line.done("retention", "due", "--on", by)["due"]
        if one["child_id"] == child
    ]


def test_t64_a_death_is_followed_by_a_year_in_sight_and_one_that_was_none_leaves_no_trace_in_it(
    new_home: NewHome,
) -> None:
    line = new_home()
    one, other = a_child(born=date(2010, 6, 1)), a_child(born=date(2012, 6, 1))
    child, dead = born(line, one), born(line, other)
    line.record("consent-to-extension", child, "--category", "care-leaver")
    line.record("shield", child, "--ground", "adult-at-risk", acting="social-worker")
    before = due(line, child)
    seen = line.shown(child)
    for each in (child, dead):
        line.record("notify-death", each, "--on", "2027-03-01")

    on(line, "2028-03-09")
    assert set(line.shown(child)) == SHOWN_OF_A_SHIELDED_CHILD, "live for a year"
    on(line, "2028-03-10")
    for each in (child, dead):
        line.unseen(each)
    assert line.done("retention", "run")["archived"] == 2

    on(line, "2028-09-01")
    line.refused("right-not-held", "record", "reverse-death", child, acting="practitioner")
    assert line.record("reverse-death", child, acting="data-manager")

    assert line.shown(child) == seen, "as it was, still shielded"
    assert line.found(*one.criteria, "--postcode", one.postcode) == []
    assert due(line, child) == before, "still kept to 25"
    line.unseen(dead)
    line.refused("no-death", "record", "reverse-death", id_of_nobody_dead(line), acting="data-manager")
    message = one.message(deceasedDateTime="2027-03-01")
    assert line.pds(message)["refused"] == 0
    assert due(line, child) == before, "a feed that repeats the mistake changes nothing"


def id_of_nobody_dead(line: Line) -> str:
    """A child of whom no death was notified."""
    return born(line, a_child())


def test_t65_a_child_who_left_is_kept_to_the_horizon_and_comes_back_under_the_same_number(
    new_home: NewHome,
) -> None:
    line = new_home()
    away, gone = a_child(born=date(2020, 6, 1)), a_child(born=date(2020, 7, 1))
    left = {one: registered(line, one) for one in (away, gone)}
    numbers = {one: line.shown(child)["number"] for one, child in left.items()}
    line.record(
        "correct", left[away], "--address", "left-england", "--return-intended", "yes", acting="data-manager"
    )
    line.record(
        "correct", left[gone], "--address", "left-england", "--return-intended", "yes", acting="data-manager"
    )
    assert line.shown(left[away])["address"] == {
        "state": "left-england",
        "return_intended": "yes",
        "considered_left": "2027-03-10",
    }
    assert due(line, left[away], "2031-01-01") == [("archive", "2030-03-10", "left-england")]

    on(line, "2028-01-05")
    line.record(
        "correct", left[gone], "--address", "left-england", "--return-intended", "no", acting="data-manager"
    )
    assert due(line, left[gone], "2031-01-01") == [("archive", "2028-01-05", "left-england")], (
        "assessed anew at once"
    )
    line.unseen(left[gone])
    on(line, "2030-03-09")
    assert line.shown(left[away])
    on(line, "2030-03-10")
    line.unseen(left[away])
    line.done("retention", "run")

    on(line, "2031-06-01")
    for one, child in left.items():
        back = (*("--line", one.street), "--postcode", one.postcode)
        line.record("correct", child, *back, acting="data-manager")
        assert id_of(line, one) == child
        assert line.shown(child)["number"] == numbers[one]


def test_t66_a_hold_postpones_one_destruction_and_shows_nobody_more(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    people = [a_child(born=OF_AGE_IN_MAY) for _ in range(3)]
    held, released, other = (registered(line, one) for one in people)
    on(line, "2027-05-01")
    line.done("retention", "run")
    on(line, "2032-01-01")
    hold = ("--authority", "court-order", "--until", "2034-01-01")
    line.done("retention", "hold", held, *hold)
    line.done("retention", "hold", released, *hold, acting="data-manager")
    assert due(line, held) == [("destroy", "2034-01-01", "legal-hold")]
    assert due(line, other) == [("destroy", "2033-05-01", "archive-period")]
    for child in (held, other):
        for who in ("practitioner", "social-worker", "data-manager"):
            line.unseen(child, acting=who)
    line.done("retention", "release-hold", released)
    assert due(line, released) == [("destroy", "2033-05-01", "archive-period")]

    on(line, "2033-05-01")
    done = line.done("retention", "run")
    assert {one["child_id"] for one in done["destructions"]} == {released, other}
    copy = restored(line)
    assert due(copy, held) == [("destroy", "2034-01-01", "legal-hold")], "held in a restored home too"
    on(line, "2033-12-31")
    assert line.done("retention", "run")["destroyed"] == 0
    on(line, "2034-01-01")
    assert [one["child_id"] for one in line.done("retention", "run")["destructions"]] == [held]
    line.refused(
        "not-found", "retention", "hold", held, "--authority", "court-order", "--until", "2035-01-01"
    )
    line.done("seal", "--until-caught-up")
    assert line.done("audit", "verify")["ok"]


CASE = ("--reason", "section-47", "--reference", "S47/2028/17")


def test_t62_for_a_year_the_managers_open_the_archive_and_then_two_of_the_supplier_for_a_case_alone(
    new_home: NewHome,
) -> None:
    line = new_home()
    one, hidden = a_child(born=OF_AGE_IN_MAY), a_child(born=OF_AGE_IN_MAY)
    child, shielded, live = (born(line, each) for each in (one, hidden, a_child()))
    line.record("shield", shielded, "--ground", "crime", acting="social-worker")
    for each in (child, shielded):
        line.record("assign-authority", each, "--authority", "E06000999", acting="data-manager")
    on(line, "2027-05-01")
    line.done("retention", "run")
    opening = ("open-archive", child, *CASE)

    on(line, "2028-04-30")
    assert line.shown(child, "data-manager")["archived_on"] == "2027-05-01"
    line.refused("not-found", *opening, acting="supplier", second="supplier-2")
    for who in ("practitioner", "auditor", "operator", "data-manager"):
        line.refused("right-not-held", *opening, acting=who, second="supplier-2")

    on(line, "2028-05-01")
    line.unseen(child, acting="data-manager")
    line.refused("right-not-held", "show", child, "--reason", "section-47", acting="supplier")
    line.refused("two-people-needed", *opening, acting="supplier")
    line.refused("same-person", *opening, acting="supplier", second="supplier")
    line.refused("right-not-held", *opening, acting="supplier", second="data-manager")
    line.refused("reason-not-yours", "open-archive", child, "--reason", "casework", "--reference", "S47/2028/17",
                 acting="supplier", second="supplier-2")  # fmt: skip
    line.refused("usage", *opening[:4], acting="supplier", second="supplier-2", status=2)
    line.refused("not-found", "open-archive", live, *CASE, acting="supplier", second="supplier-2")

    opened = line.done(*opening, acting="supplier", second="supplier-2")
    assert (opened["record"]["name"]["family"], opened["record"]["address"]["postcode"]) == (
        one.family,
        one.postcode,
    )
    entry = line.done("audit", "who-saw", child)["entries"][0]
    assert (entry["action"], entry["reason"], entry["account_name"]) == (
        "open-archive",
        "section-47",
        "supplier",
    )
    again = line.done("audit", "replay", opened["access_id"], acting="auditor")
    assert (again["as_displayed"], again["digest_matches"]) == (opened["record"], True)

    proposal = line.done("open-archive", shielded, *CASE, "--propose", acting="supplier")
    assert hidden.family not in str(proposal), "nothing is shown before two have agreed"
    assert (proposal["reason"], proposal["reference"]) == ("section-47", "S47/2028/17")
    confirm = ("proposal", "confirm", proposal["proposal"], "--digest", proposal["digest"])
    line.refused("same-person", *confirm, acting="supplier")
    line.refused("right-not-held", *confirm, acting="data-manager")
    shown = line.done(*confirm, acting="supplier-2")
    assert shown["record"]["address"]["postcode"] == hidden.postcode
    line.refused("already-confirmed", *confirm, acting="supplier-2")
    line.unseen(shielded, acting="data-manager")


@dataclass(frozen=True)
class HeldMeanwhile:
    """Receipts that come; while the first is waited for, a court holds the record."""

    receipts: Receipts
    hold: Callable[[], object]

    def awaited(self, log: Log, rows: Sequence[tuple[UUID, int]]) -> list[str]:
        self.hold()
        return self.receipts.awaited(log, rows)


def test_t66_a_hold_stops_a_destruction_that_is_ordered_and_not_begun(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    child = registered(line, a_child(born=OF_AGE_IN_MAY))
    on(line, "2027-05-01")
    line.done("retention", "run")
    on(line, "2033-05-01")
    due_now = line.done("retention", "due")["due"]
    hold = ("retention", "hold", child, "--authority", "investigation", "--until", "2034-01-01")

    with open_app(line.home, line.settings) as app, line.sealer():
        writing = replace(app.writing, receipts=HeldMeanwhile(app.receipts, lambda: line.done(*hold)))
        metadata = app.metadata(app.viewer("operator"), purpose="operation")
        done = writing.carry_out(due_now, metadata, Output(as_json=True))

    assert (done["destroyed"], done["destructions"]) == (0, [])
    assert done["passed_over"] == [{"child_id": UUID(child), "code": "held"}]
    for home in (line, restored(line)):
        assert due(home, child) == [("destroy", "2034-01-01", "legal-hold")]
        assert home.done("audit", "changes", child)["entries"][0]["event"] == "destruction-held"
    on(line, "2034-01-01")
    assert line.done("retention", "run")["destroyed"] == 1


def test_two_have_a_record_destroyed_early_and_what_was_cut_off_is_completed(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    people = [a_child() for _ in range(4)]
    one, proposed, held, cut_off = (born(line, each) for each in people)
    destroy = ("--reason", "unlawful")
    line.refused(
        "right-not-held", "retention", "destroy", one, *destroy, acting="data-manager", second="operator"
    )
    line.refused("same-person", "retention", "destroy", one, *destroy, acting="operator", second="operator")
    line.done("retention", "hold", held, "--authority", "legal-claim", "--until", "2028-01-01")
    line.refused("held", "retention", "destroy", held, *destroy, acting="operator", second="operator-2")

    done = line.done("retention", "destroy", one, *destroy, acting="operator", second="operator-2")
    assert set(done) == {"receipt", "child_id", "certificate", "receipt_proof"}
    line.refused("not-found", "retention", "destroy", one, *destroy, acting="operator", second="operator-2")

    proposal = line.done("retention", "destroy", proposed, *destroy, "--propose", acting="operator")
    assert line.shown(proposed), "a proposal does nothing"
    confirm = ("proposal", "confirm", proposal["proposal"], "--digest", proposal["digest"])
    line.refused("same-person", *confirm, acting="operator")
    line.done(*confirm, acting="operator-2")

    line.somebody_seals = False
    left = line("retention", "destroy", cut_off, *destroy, acting="operator", second="operator-2")
    assert (left.status, left.code) == (3, "no-receipt")
    assert line.shown(cut_off), "ordered, and no key of it is gone"
    line.somebody_seals = True
    assert [each["child_id"] for each in line.done("retention", "run")["destructions"]] == [cut_off]
    assert line.done("retention", "run")["destroyed"] == 0, "once"

    for home in (line, restored(line)):
        for child, each in zip((one, proposed, held, cut_off), people, strict=True):
            loaded = home.births(each.entry)
            assert (loaded["registered"], loaded["events"]) == (0, 0), "an old feed brings nobody back"
            if child == held:
                assert home.shown(child)["name"]["family"] == each.family
            else:
                home.unseen(child)
                assert home.found(*each.criteria) == []


def test_t63_after_six_years_nothing_leads_to_the_person_and_an_old_feed_brings_nobody_back(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    one, kept = a_child(born=OF_AGE_IN_MAY), a_child(born=date(2024, 1, 1))
    infant = a_child(born=date(2026, 5, 1))
    child, other, died = born(line, one), born(line, kept), born(line, infant)
    line.pds(one.message())
    look = line.show(child)
    assert line.search(*one.criteria)["results"]
    line.record("notify-death", died, "--on", "2027-03-01")
    on(line, "2028-03-10")
    line.done("retention", "run")
    on(line, "2034-03-10")
    done = line.done("retention", "run")
    assert {each["child_id"] for each in done["destructions"]} == {child, died}

    for home in (line, restored(line)):
        assert_nobody(home, child, one, look)
        before = home.heads()[0]
        for again in (one, infant):
            loaded = home.births(again.entry)
            assert (loaded["registered"], loaded["events"]) == (0, 0), loaded
        assert home.pds(one.message())["registered"] == 0
        assert home.heads()[0] == before, "an old feed brings nobody back"
        assert home.shown(other)["name"]["family"] == kept.family
        home.done("seal", "--until-caught-up")
        assert home.done("audit", "verify")["ok"], "every proof stands"


def test_t63_a_changed_line_about_a_child_who_was_destroyed_brings_nobody_back(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    one, other = a_child(), a_child()
    child, merged = (born(line, each, authority="E06000999") for each in (one, other))
    line.pds(one.message())
    line.record("merge", child, merged, "--reason", "documents-seen", acting="data-manager")
    line.done("retention", "destroy", child, "--reason", "unlawful", acting="operator", second="operator-2")
    lines = [{**each.entry, "address_line_1": "3 Changed Row", "surname": "Altered"} for each in (one, other)]
    moved = one.message(address=[one.address("4 Changed Row", "YO1 7HH", "2027-03-02")])
    homes = (line, restored(line))
    for home in homes:
        before = home.heads()[0]
        for loaded in (home.births(*lines), home.pds({**moved, "meta": {"versionId": "99"}})):
            assert (loaded["read"], loaded["refused"], loaded["events"]) == (loaded["read"],) * 2 + (0,)
            assert {refusal["code"] for refusal in loaded["refusals"]} == {"destroyed-before"}
        assert home.heads()[0] <= before + 2, "the files, and nothing of anybody"
        with home.as_superuser() as connection:
            rows = connection.execute("SELECT key FROM record_log.idempotency").fetchall()
        assert not [row for row in rows if one.entry["entry_id"].encode() in bytes(row[0])]
    # Whoever is held again, by somebody's doing, is found by what the sources say next.
    line.record("register", *one.options)
    again = line.births({**lines[0], "surname": one.family})
    assert (again["refused"], again["updated"]) == (0, 1)


def assert_nobody(line: Line, child: str, one: Child, look: Json) -> None:
    """No name, number, place or birth date of the child is in a view, and no look can be shown again."""
    line.unseen(child, acting="data-manager")
    assert line.found(*one.criteria) == []
    line.refused("destroyed", "audit", "replay", look["access_id"], acting="auditor")
    held = str(line.view_rows()).casefold()
    for word in (one.family, one.postcode.replace(" ", ""), one.postcode, one.nhs):
        assert word.casefold() not in held
    entries = line.done("audit", "who-saw", child)["entries"]
    assert {entry["account_name"] for entry in entries} >= {"practitioner"}, "who looked is still on record"
    assert one.family.casefold() not in str(entries).casefold()
