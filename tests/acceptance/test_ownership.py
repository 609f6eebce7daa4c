"""G. Ownership: a record moves between two authorities by their agreement, or is allocated (T22, T72, T73)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest

from cli.bootstrap import open_app
from domain.child_record import commands
from domain.errors import Refused
from domain.kernel import Command
from tests.acceptance.line import Line, without_access
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import granted

pytestmark = pytest.mark.postgres

OURS, THEIRS = "E06000999", "E06000998"


@pytest.fixture(scope="module")
def theirs(line: Line) -> str:
    """A data manager of a second authority."""
    line.done("organisation", "register", THEIRS, "--name", "Stow Council", "--kind", "local-authority")
    for condition in ("accreditation", "security-attestation", "initial-shielding"):
        line.done("organisation", "condition", THEIRS, condition)
    line.done("organisation", "condition", THEIRS, "notice-to-families", "--reference", "STOW-2027-17")
    return granted(line, "stow-manager", "data-manager", THEIRS, "--area", THEIRS)


def owner(line: Line, child: str, *managers: str) -> list[str | None]:
    """The authority that each of these managers is shown; None to whoever is shown none."""
    return [line.shown(child, acting=one).get("authority") for one in managers]


def test_t72_the_first_stays_responsible_until_the_second_accepts_and_both_are_logged(
    line: Line, theirs: str
) -> None:
    child = born(line, a_child(), authority=OURS)
    line.record("offer-transfer", child, "--to", THEIRS, acting="data-manager")
    for manager in ("data-manager", theirs):
        offer = line.done("record", "transfer", child, acting=manager)["transfer"]
        assert (offer["from"], offer["to"]) == (OURS, THEIRS)
    assert owner(line, child, "data-manager", theirs) == [OURS, None]

    line.record("accept-transfer", child, acting=theirs)

    assert owner(line, child, "data-manager", theirs) == [None, THEIRS]
    line.refused("not-found", "record", "transfer", child, acting=theirs)
    line.refused("not-responsible", "record", "offer-transfer", child, "--to", THEIRS, acting="data-manager")
    told = line.done("audit", "changes", child)["entries"]
    assert [one["event"] for one in told[:2]] == ["transfer-accepted", "transfer-offered"]
    assert [one["account_name"] for one in told[:2]] == [theirs, "data-manager"]


def test_t72_an_allocation_breaks_a_tie_and_nobody_but_the_centre_allocates(line: Line, theirs: str) -> None:
    child = born(line, a_child(), authority=OURS)
    line.record("offer-transfer", child, "--to", THEIRS, acting="data-manager")
    line.record("decline-transfer", child, acting=theirs)
    line.refused("right-not-held", "record", "allocate", child, "--authority", OURS, acting=theirs)
    line.record("allocate", child, "--authority", THEIRS, acting="operator")
    assert owner(line, child, "data-manager", theirs) == [None, THEIRS]


def test_t73_of_a_shielded_child_no_reader_sees_that_it_moves_and_no_refusal_tells(
    line: Line, theirs: str
) -> None:
    hidden = a_child()
    child = born(line, hidden, authority=OURS)
    line.record("shield", child, "--ground", "child-at-risk", acting="social-worker")
    reader = granted(line, "stow-reader", "reader", THEIRS)

    def seen() -> list[object]:
        """What readers of both authorities see of it, and what it is found by."""
        shows = [
            without_access(line.show(child, acting=one)) for one in ("practitioner", "social-worker", reader)
        ]
        finds = [
            line.found(*hidden.criteria, acting=one) for one in ("practitioner", "social-worker", reader)
        ]
        return [shows, finds]

    before = seen()
    shields = line.shown(child, acting="data-manager")["shields"]
    line.record("offer-transfer", child, "--to", THEIRS, acting="data-manager")
    assert seen() == before
    # The wrong party, the right one, and a second time: each is answered by a receipt.
    line.record("withdraw-transfer", child, acting=theirs)
    line.record("accept-transfer", child, acting="data-manager")
    line.record("accept-transfer", child, acting=theirs)
    line.record("accept-transfer", child, acting=theirs)

    assert seen() == before
    assert line.shown(child, acting=theirs)["shields"] == shields, "the shield travels with the record"
    assert owner(line, child, "data-manager", theirs) == [None, THEIRS]
    line.refused("not-found", "record", "transfer", child, acting=theirs)


def test_t72_of_those_that_race_one_is_responsible(line: Line, theirs: str) -> None:
    child = born(line, a_child(), authority=OURS)
    line.record("offer-transfer", child, "--to", THEIRS, acting="data-manager")
    moves = [
        ("data-manager", commands.WithdrawTransfer(at=line.clock, by=OURS)),
        (theirs, commands.AcceptTransfer(at=line.clock, by=THEIRS)),
        (theirs, commands.DeclineTransfer(at=line.clock, by=THEIRS)),
    ]
    ready = Barrier(len(moves))

    def done(move: tuple[str, Command]) -> bool:
        acting, command = move
        with open_app(line.home, line.settings) as app:
            actor = app.viewer(acting)
            ready.wait()
            try:
                app.record(UUID(child), command, actor)
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(len(moves)) as pool:
        withdrawn, accepted, declined = pool.map(done, moves)

    assert [withdrawn, accepted, declined].count(True) == 1, "they exclude one another"
    expected = [None, THEIRS] if accepted else [OURS, None]
    assert owner(line, child, "data-manager", theirs) == expected
