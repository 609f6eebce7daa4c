"""Trees against the vectors that implementations of RFC 6962 share, and entries against their frozen bytes."""

import base64
import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from adapters.rows import RecordedRow, SealedRow
from adapters.seals import tree
from adapters.seals.entries import ENTRY_BYTES, differing, entries, position_of
from adapters.seals.tiles import Edge, SealBroken, Tiles, bundle, path_of, unbundled
from domain.kernel import Log
from tests.architecture.repository import ROOT
from tests.seals import hashes_over

ENTRIES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
LEAVES = [tree.leaf(entry) for entry in ENTRIES]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots(size: int) -> None:
    assert tree.root(LEAVES[:size]).hex() == ROOTS[size - 1]
    edge = Edge()
    edge.grow(ENTRIES[:size])
    assert edge.root().hex() == ROOTS[size - 1]


def test_the_root_of_nothing() -> None:
    assert tree.root([]) == tree.EMPTY == Edge().root()
    assert tree.EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[3]]), (2, 3, [ROOTS[1]])],
)
def test_inclusion(index: int, size: int, proof: list[str]) -> None:
    made = tree.inclusion(hashes_over(LEAVES), index, size)
    assert [one.hex() for one in made] == proof
    assert tree.included(made, index, size, LEAVES[index], bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("old", "size", "proof"),
    [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])],
)
def test_consistency(old: int, size: int, proof: list[str]) -> None:
    made = tree.consistency(hashes_over(LEAVES), old, size)
    assert [one.hex() for one in made] == proof
    roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[size - 1])
    assert tree.consistent(made, old, roots[0], size, roots[1])


def test_what_is_no_proof() -> None:
    root = bytes.fromhex(ROOTS[7])
    assert not tree.included([], 8, 8, LEAVES[0], root)
    assert not tree.consistent([], 9, root, 8, root)
    assert not tree.consistent([], 8, root, 8, tree.EMPTY)
    assert not tree.consistent([], 0, root, 8, root)
    assert not tree.consistent([], 3, root, 8, root)
    for index, size in ((8, 8), (-1, 8)):
        with pytest.raises(ValueError):
            tree.inclusion(hashes_over(LEAVES), index, size)
    with pytest.raises(ValueError):
        tree.consistency(hashes_over(LEAVES), 9, 8)


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (5, 8, "tile/0/005.p/8"),
        (1_234_067, 256, "tile/0/x001/x234/067"),
        (1_000, 1, "tile/0/x001/000.p/1"),
    ],
)
def test_where_tiles_lie(number: int, width: int, path: str) -> None:
    """The examples of C2SP tlog-tiles."""
    assert path_of(0, number, width) == path


def test_a_bundle_that_is_cut_off() -> None:
    content = bundle(ENTRIES)
    assert unbundled(content) == ENTRIES
    with pytest.raises(SealBroken):
        unbundled(content[:-1])


def test_files_that_are_missing_or_short(tmp_path: Path) -> None:
    tiles = Tiles(tmp_path)
    with pytest.raises(SealBroken):
        tiles.edge(3)
    edge = Edge()
    edge.grow(ENTRIES[:3])
    tiles.write(edge.partial())
    assert tiles.edge(3) == edge
    (tmp_path / "tile/0/000.p/3").write_bytes(b"short")
    with pytest.raises(SealBroken):
        tiles.edge(3)
    with pytest.raises(SealBroken):
        tiles.write(edge.partial())


ROW = RecordedRow(
    17,
    datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC),
    UUID("5a3f9a3e-0000-4000-8000-000000000002"),
    UUID("5a3f9a3e-0000-4000-8000-000000000001"),
    7,
    1,
    24314,
    b"identity",
    b"content",
    b"metadata",
)


def test_the_bytes_of_an_entry() -> None:
    """Frozen: what was sealed once must be made again for ever."""
    clear = SealedRow.of(ROW).clear
    assert clear.hex() == (
        "0000000800000000000000110000000800064c07a6610a40"
        "000000105a3f9a3e000040008000000000000002000000105a3f9a3e000040008000000000000001"
        "00000004000000070000000200010000000400005efa"
    )  # fmt: skip
    (entry,) = entries(Log.RECORD, [SealedRow.of(ROW)])
    assert len(entry) == ENTRY_BYTES == 166
    assert position_of(entry) == 17
    assert entry[:22].hex() == "00000001010000000101000000080000000000000010"
    assert tree.leaf(entry).hex() == ("bed061e2b7ece34a53dd9f2ca7e10fa6469a55f2a7ff7e006caed5e25e211483")


def test_the_verifier_that_is_taken_away_makes_the_same_entry() -> None:
    spec = importlib.util.spec_from_file_location("verify_evidence", ROOT / "docs/verify/verify_evidence.py")
    assert spec is not None
    assert spec.loader is not None
    verifier = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(verifier)
    parts = {
        name: base64.b64encode(getattr(ROW, name)).decode() for name in ("identity", "content", "metadata")
    }
    event = {
        **{name: getattr(ROW, name) for name in ("position", "version", "format", "period")},
        **{name: str(getattr(ROW, name)) for name in ("event_id", "stream_id")},
        **parts,
        "recorded_at": "2026-03-02T10:00:00.123456Z",
    }
    assert verifier.entry_of(event, int(Log.RECORD)) == entries(Log.RECORD, [SealedRow.of(ROW)])[0]


def test_which_part_of_a_row_differs() -> None:
    entry = entries(Log.RECORD, [SealedRow.of(ROW)])[0]
    changed = entries(Log.RECORD, [SealedRow.of(ROW._replace(content=b"other", version=8))])[0]
    assert differing(changed, entry) == "a column in clear and the content part"
