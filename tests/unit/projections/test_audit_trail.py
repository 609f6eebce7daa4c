"""Who changed and who looked: what the trail tells, and what no view keeps."""

from uuid import UUID

from domain.access.events import AccessRefused, Action, Criteria, Hit, RecordShown, RecordsSearched
from domain.kernel import Log
from projections.audit_trail.view import (
    SENSITIVE_CHANGE,
    ChangeRow,
    LookRow,
    SeenRow,
    changes,
    rows,
)
from projections.projection import as_served
from tests import builders
from tests.builders import BORN, CHILD, TODAY, an_address, asserts, involves, registers, the_rules
from tests.unit.projections.journal import SOMEBODY, Journal

ANOTHER = UUID(int=77)
ACCESS = UUID(int=500)
ORGANISATION = UUID(int=0xFEED)


def _made(journal: Journal, action: Action, *shown: UUID, outcome: str = "granted") -> dict[str, object]:
    return {
        "role": "practitioner",
        "organisation": ORGANISATION,
        "body": "RQX",
        "area": "E09000012",
        "purposes": ("casework",),
        "action": action,
        "outcome": outcome,
        "rule": "ordinary",
        "hits": tuple(Hit(child, 3, "1f", bytes(32)) for child in shown),
        "instant": journal.clock.now(),
        "rule_set": "present",
        "renderer": 1,
    }


def _rows(journal: Journal) -> list[object]:
    return list(rows(journal.history(ACCESS, Log.ACCESS), the_rules()))


def _changes(*facts: object) -> list[ChangeRow]:
    journal = Journal()
    journal.tell(CHILD, *facts)  # type: ignore[arg-type]
    return list(changes(as_served(journal.history(CHILD))))


def test_a_search_saw_every_child_that_it_showed() -> None:
    journal = Journal()
    at = journal.clock.now()
    searched = RecordsSearched.model_validate(
        {"criteria": Criteria(name="Khan"), **_made(journal, "search", CHILD, ANOTHER)}
    )
    journal.look(ACCESS, searched)
    look, *seen = _rows(journal)
    assert look == LookRow(
        ACCESS,
        at,
        SOMEBODY,
        "practitioner",
        "search",
        "casework",
        None,
        None,
        "granted",
        "ordinary",
        "present",
        1,
    )
    assert seen == [SeenRow(ACCESS, CHILD, at, True, "1f"), SeenRow(ACCESS, ANOTHER, at, True, "1f")]


def test_no_row_holds_an_organisation_or_what_was_searched_for() -> None:
    journal = Journal()
    searched = {"criteria": Criteria(name="Khan"), **_made(journal, "search", CHILD)}
    journal.look(ACCESS, RecordsSearched.model_validate(searched))
    told = repr(_rows(journal))
    assert "Khan" not in told
    assert repr(ORGANISATION) not in told
    assert "RQX" not in told


def test_a_record_that_was_not_shown_was_only_asked_for() -> None:
    journal = Journal()
    at = journal.clock.now()
    journal.look(ACCESS, RecordShown.model_validate({"child": CHILD, **_made(journal, "show")}))
    assert _rows(journal)[1:] == [SeenRow(ACCESS, CHILD, at, False, None)]


def test_a_refusal_is_on_the_childs_trail() -> None:
    journal = Journal()
    refused = {"subject": CHILD, **_made(journal, "override", outcome="refused")}
    journal.look(ACCESS, AccessRefused.model_validate(refused))
    look, seen = _rows(journal)
    assert isinstance(look, LookRow)
    assert isinstance(seen, SeenRow)
    assert (look.outcome, seen.child_id, seen.shown) == ("refused", CHILD, False)


def test_an_account_that_was_asked_about_is_no_child() -> None:
    journal = Journal()
    refused = {"subject": ANOTHER, **_made(journal, "what-saw", outcome="refused")}
    journal.look(ACCESS, AccessRefused.model_validate(refused))
    assert len(_rows(journal)) == 1


def test_every_change_to_an_ordinary_record_is_told_in_order() -> None:
    found = _changes(registers(), asserts(whereabouts=an_address()), involves())
    assert [(one.ordinal, one.event, one.version) for one in found] == [
        (1, "child-registered", 1),
        (2, "identity-asserted", 2),
        (3, "address-asserted", 3),
        (4, "involvement-begun", 4),
        (5, "involvement-contact-given", 5),
    ]
    assert {one.actor for one in found} == {SOMEBODY}
    assert [one.effective for one in found[1:3]] == [BORN, TODAY]
    assert [one.source for one in found[:3]] == ["births", "births", "pds"]


def test_of_a_shielded_record_no_hidden_change_no_actor_and_no_gap_is_told() -> None:
    found = _changes(registers(), asserts(whereabouts=an_address()), involves(), builders.shields())
    assert [(one.ordinal, one.event) for one in found] == [
        (1, "child-registered"),
        (2, "identity-asserted"),
        (3, "shield-raised"),
    ]
    assert {(one.actor, one.purpose, one.version) for one in found} == {(None, None, None)}


def test_a_sensitive_change_tells_neither_what_nor_who_nor_when_it_was_true() -> None:
    found = _changes(registers(), involves("CAMHS", "sensitive"))[-1]
    assert (found.event, found.effective, found.source, found.actor) == (SENSITIVE_CHANGE, None, None, None)


def test_a_destroyed_record_has_no_changes() -> None:
    journal = Journal()
    journal.tell(CHILD, registers())
    assert [row.event for row in rows(journal.history(CHILD), the_rules()) if isinstance(row, ChangeRow)]
    journal.destroy(CHILD, UUID(int=9))
    assert rows(journal.history(CHILD), the_rules()) == ()
    assert rows(journal.history(UUID(int=9)), the_rules()) == ()
