"""What subscribers are told: of which changes, and of which not."""

from uuid import UUID

import pytest

from domain.child_record.decisions import decide
from domain.child_record.events import EVENTS
from domain.child_record.model import ChildRecord
from domain.destruction.events import DestructionCompleted
from domain.errors import BadInput
from domain.kernel import Command, Event, History
from domain.policy.publishing import NEVER, signals_of
from domain.rule_set.model import parse
from tests.builders import (
    CHILD,
    TODAY,
    a_name,
    an_address,
    asserts,
    involves,
    lifts,
    registers,
    shields,
    the_rules,
    withdraws_consent,
)
from tests.given import apply, recorded


def history(*commands: Command) -> History:
    record, events = ChildRecord(CHILD), list[Event]()
    for command in commands:
        decision = decide(record, command, the_rules())
        record = apply(record, decision)
        events += decision.events
    found = tuple(recorded(event, version) for version, event in enumerate(events, 1))
    return History(CHILD, len(found), found)


def told(known: History, after: int = 0, *, changed: bool = True) -> dict[str, str]:
    """Name of the event → what is told of it. changed: whether what is shown of a shielded child changed."""
    names = {one.event_id: one.event.NAME for one in known.events}
    return {
        names[signal.event_id]: signal.kind
        for _, signal in signals_of(known, after, known.version, the_rules(), lambda *_: changed)
    }


def test_a_registration_tells_that_there_is_a_record_and_what_changed() -> None:
    found = told(history(registers(), asserts(whereabouts=an_address()), involves()))
    assert found["child-registered"] == "registered"
    assert found["address-asserted"] == "whereabouts-changed"
    assert found["involvement-begun"] == "services-changed"


def test_a_sensitive_service_is_told_of_to_nobody() -> None:
    known = history(registers(), involves("Sexual health", "sensitive"), withdraws_consent())
    assert {"sensitive-involvement-begun", "sensitive-consent-withdrawn"} <= {
        e.event.NAME for e in known.events
    }
    assert not any("sensitive" in name for name in told(known))


def test_no_rule_set_can_have_a_sensitive_service_told() -> None:
    known = history(registers(), involves("Sexual health", "sensitive"))
    loose = the_rules().model_copy(update={"signals": dict.fromkeys(NEVER, "services-changed")})
    assert signals_of(known, 0, known.version, loose, lambda *_: True) == []


def test_of_a_shielded_child_nothing_is_told_that_concerns_where_it_is() -> None:
    before = history(registers())
    known = history(registers(), shields(), asserts(whereabouts=an_address("4 Elm Way")), involves())
    found = told(known, before.version)
    assert found == {"shield-raised": "standing-changed"}


def test_that_a_message_came_of_a_shielded_child_is_not_told_by_its_saying_again_who_it_is() -> None:
    before = history(registers(), shields())
    said_again = asserts(names=(a_name(),), whereabouts=an_address("4 Elm Way"))
    known = history(registers(), shields(), said_again)
    assert "identity-asserted" in {one.event.NAME for one in known.events[before.version :]}
    assert told(known, before.version, changed=False) == {}
    assert told(known, before.version, changed=True) == {"identity-asserted": "identity-changed"}
    unshielded = history(registers(), said_again)
    assert "identity-asserted" in told(unshielded, 1, changed=False)


def test_a_shield_raised_meanwhile_silences_what_was_not_yet_told() -> None:
    known = history(registers(), asserts(whereabouts=an_address()), shields())
    assert "whereabouts-changed" not in told(known).values()
    assert "registered" in told(known).values()


def test_what_happened_under_a_shield_stays_untold_once_it_is_lifted() -> None:
    known = history(registers(), asserts(whereabouts=an_address("4 Elm Way")), shields(), involves(), lifts())
    assert "involvement-begun" not in told(known)
    assert told(known)["address-asserted"] == "whereabouts-changed"
    assert told(known)["shield-lifted"] == "standing-changed"


def test_a_destruction_is_told_under_the_id_of_the_child() -> None:
    event = DestructionCompleted(child=CHILD, keys=3, completed_on=TODAY)
    certificate = UUID(int=77)
    known = History(certificate, 1, (recorded(event, 1, stream=certificate),))
    [(_, signal)] = signals_of(known, 0, 1, the_rules(), lambda *_: True)
    assert (signal.child_id, signal.kind) == (CHILD, "destroyed")


def test_the_rules_say_of_every_event_of_a_child_what_is_told_or_it_is_never_told() -> None:
    assert {event.NAME for event in EVENTS} - set(the_rules().signals) == NEVER


def test_a_kind_that_is_not_known_is_refused() -> None:
    from tests.unit.domain.test_rule_set import TEXT

    with pytest.raises(BadInput) as raised:
        parse(TEXT.replace('child-registered = "registered"', 'child-registered = "moved-to-leeds"'))
    assert raised.value.field == "signals.child-registered"
