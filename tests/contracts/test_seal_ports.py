"""What the sealer needs from outside: tried in memory and on PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from adapters.memory.sealed_rows import MemorySealState
from adapters.postgres.databases import Role
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.seal_state import PostgresSealState
from adapters.rows import SealedRow, SealedRows
from adapters.seals import tree
from adapters.seals.notes import Kind, Signer, proof_of
from adapters.seals.policy import Policy, WitnessKey
from adapters.seals.receipts import SealedReceipts
from adapters.seals.tiles import SealBroken
from domain.errors import Fenced, NoReceipt
from domain.kernel import Log
from domain.ports import Receipts, Sealed, SealState
from tests.postgres import MakeDatabases
from tests.rows import a_stream
from tests.seals import Site, memory_site, postgres_site

LONG = 60.0
NOTHING = Sealed(0, tree.EMPTY)


@dataclass
class Kept:
    """A log with what its sealer remembers; how the lease is made to run out."""

    site: Site
    expire: Callable[[int], None]

    @property
    def state(self) -> SealState:
        return self.site.state

    @property
    def rows(self) -> SealedRows:
        return self.site.rows


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "memory":
        site = memory_site(tmp_path)
        memory = cast("MemorySealState", site.state)
        yield Kept(site, lambda _: memory.expire())
        return
    make: MakeDatabases = request.getfixturevalue("make_databases")
    site = postgres_site(make().record, tmp_path)
    real = cast("PostgresSealState", site.state)

    def expire(fence: int) -> None:
        real.renew(fence, 0.001, well=False)
        time.sleep(0.01)

    yield Kept(site, expire)
    site.close()


def leading(kept: Kept) -> int:
    fence = kept.state.lead(LONG)
    assert fence is not None
    return fence


def test_whoever_lost_the_lease_changes_nothing(kept: Kept) -> None:
    first = leading(kept)
    kept.expire(first)
    second = leading(kept)
    with pytest.raises(Fenced):
        kept.state.renew(first, LONG, well=True)
    with pytest.raises(Fenced):
        kept.state.advance(first, NOTHING, Sealed(1, bytes(32)))
    kept.state.resign(first)
    assert kept.state.lead(LONG) is None
    kept.state.advance(second, NOTHING, Sealed(1, bytes(32)))
    assert kept.state.sealed() == Sealed(1, bytes(32))


def test_what_is_sealed_is_not_sealed_otherwise(kept: Kept) -> None:
    fence = leading(kept)
    assert kept.state.sealed() == NOTHING
    one, other = Sealed(5, b"\x01" * 32), Sealed(5, b"\x02" * 32)
    kept.state.advance(fence, NOTHING, one)
    for before in (NOTHING, other, Sealed(4, one.root)):
        with pytest.raises(Fenced):
            kept.state.advance(fence, before, Sealed(9, bytes(32)))
    assert kept.state.sealed() == one


def test_when_all_was_last_well(kept: Kept) -> None:
    assert kept.state.age() is None
    fence = leading(kept)
    assert kept.state.age() == float("inf")
    kept.state.renew(fence, LONG, well=True)
    age = kept.state.age()
    assert age is not None
    time.sleep(0.02)
    kept.state.renew(fence, LONG, well=False)
    later = kept.state.age()
    assert later is not None
    assert later > age


def test_rows_are_told_as_they_are_stored(kept: Kept) -> None:
    kept.site.append(*(a_stream(3) for _ in range(40)))
    assert kept.rows.head() == 120
    found = {row.position: row for row in kept.rows.between(10, 100)}
    assert sorted(found) == list(range(11, 101))
    for row in kept.site.recorder.tail(10, 90):
        assert found[row.position] == SealedRow.of(row)
    assert list(kept.rows.between(120, 130)) == []
    assert kept.rows.strays(120) == []
    kept.rows.wait(0)


@pytest.mark.postgres
def test_rows_that_no_append_has_made_are_told(make_databases: MakeDatabases, tmp_path: Path) -> None:
    databases = make_databases()
    site = postgres_site(databases.record, tmp_path, Log.ACCESS)
    site.append(a_stream(4))
    with databases.record.connect(Role.MIGRATION) as owner:
        owner.execute("SET ROLE contactpoint_owner")
        owner.execute(
            """
            INSERT INTO access_log.event
            SELECT position + 10, recorded_at, event_id, gen_random_uuid(), version, format, period, identity, content,
                   metadata
            FROM access_log.event WHERE position = 1
            """
        )
    assert site.rows.strays(4) == [11]
    assert isinstance(site.recorder, LogRecorder)
    site.close()


# Receipts


def receipts(site: Site, *, seconds: float = 0.05, policy: Policy | None = None) -> Receipts:
    return SealedReceipts(lambda _: site.recorder, {site.log: site.tiles}, policy, seconds)


def test_a_receipt_is_given_for_what_is_sealed_and_proves_it(kept: Kept) -> None:
    one, other = a_stream(3), a_stream(300)
    kept.site.sealed(one, other)
    wanted = [(other[0].stream_id, 300), (one[0].stream_id, 2)]
    for proof, (stream, version) in zip(
        receipts(kept.site).awaited(kept.site.log, wanted), wanted, strict=True
    ):
        entry, index, hashes, note = proof_of(proof)
        checkpoint = note.checkpoint(kept.site.signer.verifier)
        assert tree.included(hashes, index, checkpoint.size, tree.leaf(entry), checkpoint.root)
        assert kept.site.recorder.stream(stream)[version - 1].position == index + 1


def test_without_a_checkpoint_that_holds_it_there_is_no_receipt(kept: Kept) -> None:
    before, after = a_stream(2), a_stream(2)
    kept.site.append(before)
    with pytest.raises(NoReceipt):
        receipts(kept.site).awaited(kept.site.log, [(before[0].stream_id, 1)])
    kept.site.sealed(after)
    late = a_stream(1)
    kept.site.append(late)
    with pytest.raises(NoReceipt):
        receipts(kept.site).awaited(kept.site.log, [(after[0].stream_id, 2), (late[0].stream_id, 1)])


def test_a_receipt_is_waited_for(kept: Kept) -> None:
    rows = a_stream(2)
    kept.site.append(rows)
    sealing = threading.Timer(0.2, lambda: kept.site.sealer().run(until_caught_up=True))
    sealing.start()
    found = receipts(kept.site, seconds=30).awaited(kept.site.log, [(rows[0].stream_id, 2)])
    sealing.join()
    assert len(found) == 1


def test_a_checkpoint_without_the_cosignatures_that_are_asked_for_is_no_receipt(kept: Kept) -> None:
    rows = a_stream(2)
    kept.site.sealed(rows)
    witness = Signer.make("witness.invalid", Kind.WITNESS)
    policy = Policy({"one": WitnessKey("one", witness.verifier, "http://127.0.0.1:1")}, {}, "one")
    asking = receipts(kept.site, policy=policy)
    with pytest.raises(NoReceipt):
        asking.awaited(kept.site.log, [(rows[0].stream_id, 2)])
    text = kept.site.note().split("\n\n")[0] + "\n"
    kept.site.tiles.put("checkpoint", kept.site.note() + witness.sign(text, 1_800_000_000))
    found = asking.awaited(kept.site.log, [(rows[0].stream_id, 2)])
    assert len(found) == 1


def test_what_is_stored_otherwise_than_it_was_sealed_has_no_receipt(kept: Kept, tmp_path: Path) -> None:
    rows, others = a_stream(2), a_stream(2)
    kept.site.sealed(rows)
    other = memory_site(tmp_path / "other")
    other.append(others)
    mixed = SealedReceipts(lambda _: other.recorder, {other.log: kept.site.tiles}, None, 0.05)
    with pytest.raises(SealBroken):
        mixed.awaited(other.log, [(others[0].stream_id, 1)])
    kept.site.tiles.put("log.pub", f"{Signer.make('other.invalid', Kind.LOG).verifier}\n")
    with pytest.raises(SealBroken):
        receipts(kept.site).awaited(kept.site.log, [(rows[0].stream_id, 1)])
