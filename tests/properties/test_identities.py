"""What holds of two records that are merged, and of one that is split again, whatever they have lived through."""

from collections import Counter
from uuid import UUID

from hypothesis import assume, settings
from hypothesis import given as whatever
from hypothesis import strategies as st

from domain.child_record.decisions import decide
from domain.child_record.merging import merge
from domain.child_record.model import ChildRecord, unknown
from domain.child_record.splitting import split
from domain.errors import Refused
from domain.kernel import Command
from tests.builders import LONDON_BOROUGH, the_rules
from tests.given import apply
from tests.plugins_counts import count
from tests.properties.test_child_record import COMMANDS
from tests.unit.domain.test_merging import ONE, OTHER, Stream, merges
from tests.unit.domain.test_splitting import FIRST, SECOND, splits

LIVES = st.lists(COMMANDS, max_size=8)
BY = LONDON_BOROUGH


def lived(child_id: UUID, commands: list[Command], seed: int) -> Stream:
    """A record after these commands, as far as each was allowed."""
    stream = Stream(child_id, seed=seed)
    live_on(stream, commands)
    return stream


def live_on(stream: Stream, commands: list[Command]) -> None:
    """The same, from where it stands."""
    for command in commands:
        try:
            decision = decide(stream.record, command, the_rules())
        except Refused:
            continue
        stream.add(decision.events, decision.content_keys)


def said(record: ChildRecord) -> Counter[str]:
    """What stands in a record, and how often it was said."""
    return Counter(one.event.model_dump_json() for one in record.standing)


def services(record: ChildRecord) -> dict[UUID, bool]:
    """The services in a record, and whether each may be in readers' sight."""
    return {one.involvement: one.stands for one in record.involvements}


@whatever(LIVES, LIVES)
@settings(max_examples=count(10_000))
def test_t23_a_merge_loses_nothing_that_stands_and_no_shield(
    one: list[Command], other: list[Command]
) -> None:
    kept, closed = lived(ONE, one, 7), lived(OTHER, other, 9)
    assume(kept.record.archived_on is None and closed.record.archived_on is None)
    responsible = str(kept.record.authority or BY)
    done = merge(kept.record, closed.record, closed.told, frozenset(), merges(by=responsible), the_rules())
    after = apply(kept.record, done.survivor)

    assert after.shielded == (kept.record.shielded or closed.record.shielded)
    assert {shield.shield for shield in after.shields} == {
        shield.shield for record in (kept.record, closed.record) for shield in record.shields
    }
    assert said(after) == said(kept.record) + said(closed.record)
    assert set(services(after)) == set(services(kept.record)) | set(services(closed.record))
    assert after.ruled_out == kept.record.ruled_out | closed.record.ruled_out
    assert after.authority == (kept.record.authority or closed.record.authority)
    if not kept.record.shielded and closed.record.shielded:
        assert done.survivor.events[0].NAME == "shield-raised", "from the first event on"


@whatever(LIVES, LIVES, LIVES)
@settings(max_examples=count(10_000))
def test_t70_a_split_gives_each_what_it_had_and_of_what_was_said_since_each_to_one(
    one: list[Command], other: list[Command], since: list[Command]
) -> None:
    kept, closed = lived(ONE, one, 7), lived(OTHER, other, 9)
    assume(kept.record.archived_on is None and closed.record.archived_on is None)
    before, theirs = said(kept.record), said(closed.record)
    ever = kept.record.ever_shielded or closed.record.ever_shielded
    done = merge(
        kept.record,
        closed.record,
        closed.told,
        frozenset(),
        merges(by=str(kept.record.authority)),
        the_rules(),
    )
    kept.add(done.survivor.events, done.survivor.content_keys)
    closed.add(done.closed.events, done.closed.content_keys)
    live_on(kept, since)
    whole = kept.record
    assume(whole.archived_on is None)

    apart = split(
        whole,
        kept.told,
        closed.told,
        (frozenset(), frozenset()),
        splits(by=str(whole.authority)),
        the_rules(),
    )
    first, second = apply(unknown(FIRST), apart.first), apply(unknown(SECOND), apart.second)

    assert said(first) + said(second) == said(whole), "each to one, none to both, none is lost"
    if not since:
        assert (said(first), said(second)) == (before, theirs)
    assert first.shielded == second.shielded == (ever or whole.ever_shielded)
    assert (first.index_number, second.index_number) == (whole.index_number, closed.record.index_number)
