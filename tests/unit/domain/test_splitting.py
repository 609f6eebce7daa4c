"""A record of two children becomes two again: what goes to which."""

from uuid import UUID

import pytest

from domain.child_record.commands import SplitRecord, WithdrawSupply
from domain.child_record.decisions import decide
from domain.child_record.events import (
    AddressAsserted,
    IdentityAsserted,
    LinkRuledOut,
    Source,
)
from domain.child_record.merging import merge
from domain.child_record.model import ChildRecord, unknown
from domain.child_record.splitting import Split, split
from domain.errors import Refused
from domain.kernel import Command
from tests.builders import (
    ANOTHER_BOROUGH,
    LONDON_BOROUGH,
    NOW,
    OTHER_FILE,
    a_name,
    an_address,
    asserts,
    corrects,
    ends,
    involves,
    lifts,
    shields,
    the_rules,
)
from tests.given import apply
from tests.unit.domain.test_merging import ONE, OTHER, Stream, merges

FIRST, SECOND = UUID(int=201), UUID(int=202)
OURS, THEIRS = frozenset({"e:" + "0a" * 16}), frozenset({"e:" + "0b" * 16})


def splits(**changes: object) -> SplitRecord:
    """Two managers of the London borough decide."""
    said = {
        "at": NOW, "split": UUID(int=31), "first": FIRST, "second": SECOND, "by": LONDON_BOROUGH,
        "reason": "merged-in-error", "decided_by": UUID(int=11), "confirmed_by": UUID(int=12),
        "shields": (UUID(int=32), UUID(int=33), UUID(int=34)),
    }  # fmt: skip
    return SplitRecord.model_validate(said | changes)


class Merged:
    """Two records that were merged, and what was said since."""

    def __init__(
        self, one: tuple[Command, ...] = (), other: tuple[Command, ...] = (), since: tuple[Command, ...] = ()
    ) -> None:
        self.whole = Stream(ONE, *one)
        self.other = Stream(OTHER, said_by_the_other(), *other, seed=9)
        decided = merge(
            self.whole.record, self.other.record, self.other.told, frozenset(), merges(), the_rules()
        )
        self.whole.add(decided.survivor.events, decided.survivor.content_keys)
        self.other.add(decided.closed.events, decided.closed.content_keys)
        for command in since:
            made = decide(self.whole.record, command, the_rules())
            self.whole.add(made.events, made.content_keys)

    def split(self, **changes: object) -> tuple[Split, ChildRecord, ChildRecord]:
        """What is decided, and both halves."""
        whole = self.whole
        done = split(
            whole.record, whole.told, self.other.told, (OURS, THEIRS), splits(**changes), the_rules()
        )
        return done, apply(unknown(FIRST), done.first), apply(unknown(SECOND), done.second)


def said_by_the_other(line: str = "9 Elm Row", **changes: object) -> Command:
    return asserts(
        whereabouts=an_address(line), names=(a_name("Bela", "Osei"),),
        source=Source(body="NHS", file=OTHER_FILE, record="P-9"), **changes,
    )  # fmt: skip


def places(record: ChildRecord) -> list[str]:
    """The first lines of the addresses that stand."""
    said = [one.event for one in record.standing if isinstance(one.event, AddressAsserted)]
    return [one.whereabouts.address.lines[0] for one in said if one.whereabouts.state == "current"]


def families(record: ChildRecord) -> set[str]:
    """The family names that stand."""
    said = [one.event for one in record.standing if isinstance(one.event, IdentityAsserted)]
    return {name.family for one in said for name in one.names}


def test_t70_what_was_merged_goes_back_and_each_bears_its_own_number() -> None:
    merged = Merged()
    done, first, second = merged.split()
    assert (first.index_number, second.index_number) == (
        merged.whole.record.index_number, merged.other.record.index_number,
    )  # fmt: skip
    assert places(first) == []
    assert places(second) == ["9 Elm Row"]
    families = [
        {
            name.family
            for one in half.standing
            if isinstance(one.event, IdentityAsserted)
            for name in one.event.names
        }
        for half in (first, second)
    ]
    assert families == [{"Khan"}, {"Khan", "Osei"}]
    whole, other = apply(merged.whole.record, done.whole), apply(merged.other.record, done.merged)
    assert (whole.closed_into, whole.heirs) == (FIRST, (FIRST, SECOND))
    assert (other.closed_into, other.heirs) == (SECOND, (SECOND,))
    assert whole.shielded


def test_t70_each_of_thirty_later_events_goes_to_one_child_by_its_source_or_by_hand() -> None:
    theirs = [
        said_by_the_other(f"{number} Mill Lane", effective=f"2026-01-{number:02}") for number in range(1, 11)
    ]
    ours = [
        asserts(whereabouts=an_address(f"{number} Oak Way"), effective=f"2026-01-{number:02}")
        for number in range(1, 11)
    ]
    typed = [
        corrects(whereabouts=an_address(f"{number} Ash Close"), effective=f"2026-01-{number:02}")
        for number in range(1, 11)
    ]
    merged = Merged(since=(*theirs, *ours, *typed))
    by_hand = [one.version for one in merged.whole.told if isinstance(one.event, AddressAsserted)][-3:]
    _, first, second = merged.split(to_second=tuple(by_hand))
    assert [place for place in places(second) if "Mill" in place or "Elm" in place] == [
        "9 Elm Row", *(f"{number} Mill Lane" for number in range(1, 11)),
    ]  # fmt: skip
    assert [place for place in places(first) if "Oak" in place] == [
        f"{number} Oak Way" for number in range(1, 11)
    ]
    assert [place for place in places(second) if "Ash" in place] == [
        "8 Ash Close",
        "9 Ash Close",
        "10 Ash Close",
    ]
    assert len(places(first)) + len(places(second)) == 31, (
        "each event goes to one, none to both, none is lost"
    )


@pytest.mark.parametrize("shielded", ["one", "other", "since", "lifted", "lifted since"])
def test_t24_both_halves_start_shielded_if_either_or_the_whole_ever_was(shielded: str) -> None:
    merged = Merged(
        one=(shields(),) if shielded == "one" else (),
        other=(shields(), lifts()) if shielded == "lifted" else (shields(),) if shielded == "other" else (),
        since=(shields(),)
        if shielded == "since"
        else (shields(), lifts())
        if shielded == "lifted since"
        else (),
    )
    done, first, second = merged.split()
    for half, decision in ((first, done.first), (second, done.second)):
        assert half.shielded
        assert decision.shielded
        assert [type(event).__name__ for event in decision.events[:2]] == ["ChildRegistered", "ShieldRaised"]
    provisional = [[one.provisional for one in half.shields] for half in (first, second)]
    assert provisional == {
        "one": [[False], [True]], "other": [[True], [False]], "since": [[False], [False]],
        "lifted": [[True], [True]], "lifted since": [[True], [True]],
    }[shielded]  # fmt: skip


def test_two_that_were_never_shielded_start_open() -> None:
    _, first, second = Merged().split()
    assert not first.shielded
    assert not second.shielded


def test_a_file_withdrawn_since_stays_withdrawn_and_a_service_stays_with_its_child() -> None:
    merged = Merged(
        other=(involves("Kooth"),), since=(ends(), WithdrawSupply(at=NOW, file=OTHER_FILE)),
    )  # fmt: skip
    _, first, second = merged.split()
    assert places(second) == []
    assert [(one.service, one.ended is not None) for one in second.involvements] == [("Kooth", True)]
    assert not first.involvements


def test_the_sources_of_the_one_are_ruled_out_for_the_other() -> None:
    done, first, second = Merged().split()
    assert (first.ruled_out, second.ruled_out) == (THEIRS, OURS)
    assert [event for event in done.first.events if isinstance(event, LinkRuledOut)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"by": ANOTHER_BOROUGH}, "not-responsible"), ({"to_second": (1,)}, "no-such-version")],
)
def test_what_is_refused_of_an_open_record_is_not_told_of_a_shielded_one(
    changes: dict[str, object], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        Merged().split(**changes)
    assert refused.value.code == code
    Merged(since=(shields(),)).split(**changes)


def test_two_people_decide_where_the_whole_is_shielded() -> None:
    with pytest.raises(Refused) as refused:
        Merged(since=(shields(),)).split(confirmed_by=None)
    assert refused.value.code == "two-people-needed"


def test_what_was_never_merged_is_not_split_and_of_a_shielded_record_it_is_not_told() -> None:
    alone = Stream(ONE)
    with pytest.raises(Refused) as refused:
        split(alone.record, alone.told, (), (OURS, THEIRS), splits(), the_rules())
    assert refused.value.code == "not-merged"
    hidden = Stream(ONE, shields())
    assert split(hidden.record, hidden.told, (), (OURS, THEIRS), splits(), the_rules()).nothing
