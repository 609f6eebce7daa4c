"""The documents made from the code list everything there is."""

from cli.docs import AGGREGATES
from cli.stores import RECORD_TYPES
from domain.access import events as access_events


def test_every_event_is_in_the_catalogue_once() -> None:
    listed = [event_class for _, _, types in AGGREGATES for event_class in types]
    assert len(listed) == len(set(listed))
    assert set(listed) == {*RECORD_TYPES, *access_events.EVENTS}
