"""What of a record left the index, and to whom: hand-overs and answers, from the looks by which they left."""

from collections.abc import Iterable, Iterator
from typing import Final

from domain.access.events import LookForgotten, RecordHandedOver, SubjectReplied
from domain.access.model import Access
from domain.destruction.notices import Given
from domain.policy.retention import london_day

_ADULT: Final = "adult"
"""Who is told in which records they are named."""


def given(accesses: Iterable[Access]) -> Iterator[Given]:
    """What of these looks left the index. What one of two people was only shown did not."""
    for access in accesses:
        event = access.event
        if event.outcome != "granted" or not event.hits:
            continue
        on = london_day(event.instant)
        if type(event) is RecordHandedOver:
            yield Given(access.access_id, "hand-over", event.recipient, event.body, on)
        elif type(event) is SubjectReplied:
            yield Given(access.access_id, "answer", event.requester or _ADULT, event.body, on)
        elif isinstance(event, LookForgotten) and event.action == "subject-access":
            # An answer about several records, of which one was destroyed before: only an adult is answered so.
            yield Given(access.access_id, "answer", _ADULT, event.body, on)
