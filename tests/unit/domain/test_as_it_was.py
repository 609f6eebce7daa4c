"""What was held then is shown in the standing of now: no viewer gets further by asking for the past."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from domain.child_record.events import Consent
from domain.disclosure import Viewer, as_it_was, sight_of
from ingest.best_view import best_view
from tests.builders import (
    ANOTHER_BOROUGH,
    LONDON_BOROUGH,
    NOW,
    a_viewer,
    an_address,
    asserts,
    facts,
    involves,
    registers,
    shields,
    the_rules,
)
from tests.given import after

MANAGER = a_viewer("data-manager", body=LONDON_BOROUGH)


@pytest.mark.parametrize(
    ("changed", "viewer"),
    [
        ({"shielded": True, "opened": False}, a_viewer("practitioner")),
        ({"authority": ANOTHER_BOROUGH}, MANAGER),
        ({"archived_on": date(2026, 2, 1)}, a_viewer("teacher")),
        ({"supply_gone": True}, a_viewer("teacher")),
        ({"death_notified_on": date(2020, 1, 1), "died_on": date(2020, 1, 1)}, a_viewer("teacher")),
    ],
    ids=["shielded since", "of another authority since", "archived since", "supply withdrawn", "died since"],
)
def test_the_past_is_seen_as_the_present_is(changed: dict[str, object], viewer: Viewer) -> None:
    then = facts(authority=LONDON_BOROUGH)
    now = replace(then, version=then.version + 3, **changed)  # type: ignore[arg-type]
    wider, _ = sight_of(then, viewer, NOW, the_rules())
    held = as_it_was(then, now)
    assert sight_of(held, viewer, NOW, the_rules()) == sight_of(now, viewer, NOW, the_rules())
    assert sight_of(now, viewer, NOW, the_rules())[0] != wider, "or the test would try nothing"
    assert held.version == now.version


def test_values_are_those_of_then() -> None:
    then = best_view(after(registers(whereabouts=an_address())))
    now = best_view(after(registers(whereabouts=an_address()), asserts(whereabouts=an_address("9 New Row"))))
    assert now.whereabouts != then.whereabouts
    assert as_it_was(then, now).whereabouts == then.whereabouts


def test_a_sensitive_service_is_in_the_past_only_while_its_ground_stands() -> None:
    sensitive = involves("Kooth", "sensitive", consent=Consent(given_by="parent", given_on=date(2026, 2, 1)))
    then = best_view(after(registers(), sensitive))
    (one,) = then.involvements
    no_longer = replace(one, consent=None)  # its cause was reviewed, and stands no longer
    for involvements in ((), (replace(one, consent_withdrawn=date(2026, 3, 1)),), (no_longer,)):
        now = replace(then, involvements=involvements)
        assert as_it_was(then, now).involvements == ()
    assert as_it_was(then, then).involvements == (one,)


def test_what_this_reader_may_not_open_now_counts_as_not_opened_then() -> None:
    then = best_view(after(registers()))
    shielded = best_view(after(registers(), shields(shield=UUID(int=5))))
    assert as_it_was(then, replace(shielded, opened=False)).opened is False
