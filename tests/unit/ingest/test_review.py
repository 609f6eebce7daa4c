"""What becomes of a record that was held back: decided once, by the linking of a load, and for good."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any, cast
from uuid import UUID

import pytest

from domain.child_record.events import AddressAsserted, CurrentAddress, LinkRuledOut
from domain.errors import NotFound, Refused
from domain.supply.commands import DecideHeldRecord
from domain.supply.events import HeldRecordDecided, SourceRecordReleased, Verdict
from domain.supply.model import HeldRecord, concerns, fold
from ingest.ports import Unit
from tests.loading import NO_NUMBER, Index, a_patient, an_entry, decide, restricted

LATER = "2016-04-03"
CLAIM = (
    b"claim_number,claimed_from,given_names,surname,date_of_birth,sex,address_line_1,postcode\n"
    b"CHB40000009AB,2016-05-10,Amelia Rose,Thornton,2016-04-02,F,4 New Way,TR1 2AB\n"
)


def in_doubt() -> Index:
    """A child of births, and a message under its number with another birth date."""
    index = Index()
    index.births(an_entry())
    assert index.pds(a_patient(birthDate=LATER)).queued == 1
    return index


def _is(answer: bool, _: HeldRecord) -> bool:
    return answer


def outcomes(index: Index) -> list[str]:
    return [r.event.outcome for r in index.log() if isinstance(r.event, SourceRecordReleased)]


def test_of_two_who_decide_at_once_one_is_told() -> None:
    index = in_doubt()
    (held,) = index.waiting()
    (child,) = [record.child_id for record in index.records()]
    both = Barrier(2)

    def one(verdict: Verdict) -> str:
        def ready(_: HeldRecord) -> bool:
            both.wait(10)
            return True

        children = (child,) if verdict == "same" else ()
        command = DecideHeldRecord(
            at=index.home.clock.now(), held=held, verdict=verdict, children=children, reason="documents-seen"
        )
        try:
            index.a_loader().decide(command, index.by(), ready)
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, ("same", "refuse"))) == ["already-decided", "done"]
    assert len(outcomes(index)) == 1
    assert sum(isinstance(r.event, HeldRecordDecided) for r in index.log()) == 1


def test_a_decision_for_a_reason_that_no_rule_names_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        decide(in_doubt(), "new", reason="because")
    assert refused.value.code == "unknown-reason"


def test_a_record_that_is_not_held_or_not_ones_concern_is_not_found() -> None:
    index = in_doubt()
    (held,) = index.waiting()
    for one, concern in ((held, False), (UUID(int=5), True)):
        command = DecideHeldRecord(
            at=index.home.clock.now(), held=one, verdict="refuse", reason="sent-in-error"
        )
        with pytest.raises(NotFound):
            index.loader.decide(command, index.by(), partial(_is, concern))
    assert index.waiting() == [held]


def test_whose_concern_it_is() -> None:
    index = in_doubt()
    held = fold(index.store.load(index.waiting()[0]))
    assert held is not None
    assert held.authority is None
    assert concerns(held, ["E06000999", None], "E06000999")
    assert not concerns(held, ["E06000999"], "E06000998")
    assert concerns(held, [None], "E06000998"), "where nobody is named, any management team may"


def test_not_the_same_holds_for_a_shielded_child_too() -> None:
    index = Index()
    index.births(an_entry())
    index.pds(restricted())
    assert index.pds(a_patient(birthDate=LATER)).queued == 1
    decide(index, "not-the-same")
    assert any(isinstance(r.event, LinkRuledOut) for r in index.log())
    before = len(index.records())
    index.births(an_entry(entry_id="X/1", date_of_birth=LATER))
    assert index.waiting() == []
    shielded = [record for record in index.records() if record.shielded]
    assert len(index.records()) == before
    assert {record.date_of_birth.isoformat() for record in shielded if record.date_of_birth} == {"2016-04-02"}


def test_what_is_left_in_doubt_once_some_are_ruled_out_waits_again() -> None:
    index = Index()
    index.births(an_entry(**NO_NUMBER), an_entry(entry_id="X/2", given_names="Amelia Mae", **NO_NUMBER))
    if index.waiting():
        decide(index, "new")
    one, other = (record.child_id for record in index.records())
    assert index.births(an_entry(entry_id="X/3", given_names="Amelia", **NO_NUMBER)).queued == 1
    decide(index, "not-the-same", [one])
    (again,) = index.waiting()
    held = fold(index.store.load(again))
    assert held is not None
    assert held.candidates == (other,)
    assert outcomes(index)[-1] == "held-again"


def test_what_waits_is_linked_again_when_what_was_missing_has_come() -> None:
    index = Index()
    index.births(an_entry())
    assert index.load("child-benefit", CLAIM).counts.queued == 1
    assert len(index.waiting()) == 1
    new_home = {
        "use": "home",
        "line": ["4 New Way"],
        "postalCode": "TR1 2AB",
        "period": {"start": "2020-01-01"},
    }
    told = index.pds(a_patient(address=[new_home]))
    assert (told.updated, told.read) == (1, 1), "what waited is no line of this file"
    assert index.waiting() == []
    assert outcomes(index) == ["joined"]
    (record,) = index.records()
    assert "child-benefit" in {str(a.event.source_kind) for a in record.assertions}


class Watched:
    """A store that counts its appends of units, and before the one of a given number has something done."""

    def __init__(self, index: Index, number: int, act: Callable[[], object]) -> None:
        self._store = index.store
        self._act = {number: act}
        self.appends: list[tuple[UUID | None, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append_units(self, units: Sequence[Unit], *known: Any, batch: UUID | None, **more: Any) -> Any:
        self.appends.append((batch, len(units)))
        self._act.pop(len(self.appends), lambda: None)()
        return self._store.append_units(units, *known, batch=batch, **more)


def three_claims() -> tuple[Index, list[UUID]]:
    """A child of births, whom a claim, told thrice in two files, may be about: it waits."""
    index = Index()
    index.births(an_entry())
    second = CLAIM.splitlines(keepends=True)[1].replace(b"4 New Way", b"5 New Way")
    third = CLAIM.replace(b"4 New Way", b"6 New Way")
    files = [index.load("child-benefit", content).file_id for content in (CLAIM + second, third)]
    assert len(index.waiting()) == 3
    return index, files


def where_the_claims_say() -> dict[str, Any]:
    """What tells that they are about this child."""
    at_home = {
        "use": "home",
        "line": ["4 New Way"],
        "postalCode": "TR1 2AB",
        "period": {"start": "2020-01-01"},
    }
    return a_patient(address=[at_home])


def homes_told(index: Index) -> set[str]:
    """Where the claims say that the child lives."""
    (record,) = index.records()
    told = [a.event for a in record.assertions if a.event.source_kind == "child-benefit"]
    where = [event.whereabouts for event in told if isinstance(event, AddressAsserted)]
    return {one.address.lines[0] for one in where if isinstance(one, CurrentAddress)}


def test_what_waited_is_let_go_in_one_transaction_for_each_file_it_came_with() -> None:
    index, files = three_claims()
    waited = index.waiting()
    (child,) = [record.child_id for record in index.records()]
    store = Watched(index, 0, lambda: None)
    index.loader = replace(index.loader, store=cast(Any, store))
    index.pds(where_the_claims_say())
    assert store.appends[1:] == [(files[0], 2), (files[1], 1)]
    assert index.waiting() == []
    assert outcomes(index) == ["joined"] * 3
    assert homes_told(index) == {"4 New Way", "5 New Way", "6 New Way"}
    assert [set(index.store.touched_by(file)) for file in files] == [
        {child, *waited[:2]},
        {child, waited[2]},
    ], "each is still its own file's"


def test_one_that_is_decided_meanwhile_keeps_none_that_came_with_it_waiting() -> None:
    """The second claim was planned on top of the first, which a human has refused by then."""
    index, files = three_claims()
    theirs, first = index.loader, index.waiting()[0]

    def refuse() -> None:
        command = DecideHeldRecord(
            at=index.home.clock.now(), held=first, verdict="refuse", children=(), reason="documents-seen"
        )
        theirs.decide(command, index.by(), lambda _: True)

    store = Watched(index, 2, refuse)
    index.loader = replace(index.loader, store=cast(Any, store))
    index.pds(where_the_claims_say())
    assert store.appends[1:] == [(files[0], 2), (files[0], 1), (files[1], 1)]
    assert index.waiting() == []
    assert sorted(outcomes(index)) == ["joined", "joined", "refused"]
    assert homes_told(index) == {"5 New Way", "6 New Way"}


def test_a_file_that_changes_nothing_links_nothing_again() -> None:
    index = in_doubt()
    head = index.head()
    assert index.births(an_entry()).unchanged == 1
    assert index.head() == head


def test_a_name_and_district_join_nobody_where_a_shielded_child_may_be_meant() -> None:
    """The claim is near enough to the child of births to be joined; a shielded one of that day is as near."""
    near = CLAIM.replace(b"TR1 2AB", b"WF2 9ZZ")
    alone = Index()
    alone.births(an_entry())
    assert alone.load("child-benefit", near).counts.updated == 1
    index = Index()
    index.births(an_entry())
    index.pds(restricted("9434765870", name=[{"use": "usual", "given": ["Emelia"], "family": "Okafor"}]))
    assert index.load("child-benefit", near).counts.quarantined == 1


def test_who_was_ruled_out_is_asked_about_no_more_and_the_names_alone_join_nobody_else() -> None:
    index = Index()
    index.births(an_entry())
    assert index.load("child-benefit", CLAIM).counts.queued == 1
    decide(index, "not-the-same")
    first, other = (record.child_id for record in index.records())
    again = CLAIM.replace(b"CHB40000009AB", b"CHB40000010AB").replace(b"TR1 2AB", b"SA1 1AA")
    assert index.load("child-benefit", again).counts.queued == 1
    (held_id,) = index.waiting()
    held = fold(index.store.load(held_id))
    assert held is not None
    assert held.candidates == (other,)
    number = a_patient(address=None, generalPractitioner=None)
    assert index.pds(number).updated == 1, "its own number is evidence for the first child still"
    assert any("pds" in str(a.event.source_kind) for a in index.records()[0].assertions)
    assert index.records()[0].child_id == first
